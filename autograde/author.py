"""What authors of lessons type: commands of `autograde.cli`, each importing what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograde.starting import console, errors

Lessons = Annotated[list[str] | None, typer.Argument(
    metavar="[LESSON]...", help="Lessons such as 04_lstm; all if none is named.", show_default=False)]


def build(
    names: Lessons = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail on any difference that matters.")] = False,
    run: Annotated[bool, typer.Option("--run/--no-run", help="Execute the reference, or keep its committed "
                                      "outputs (seconds instead of minutes).")] = True,
) -> None:
    """Derive the executed reference and the student notebook from each lesson's source."""
    from autograde import course
    from autograde.authoring import build as builder

    failed = False
    for name in course.chosen(names):
        problems = []
        with errors.status(f"{'checking' if check else 'building'} {name} ..."):
            if check:
                problems = builder.check(name, run=run)
            else:
                builder.build(name, run=run)
        for problem in problems:
            console.print(problem, soft_wrap=True)
        console.print(f"{name}: {'differs' if problems else 'ok'}")
        failed |= bool(problems)
    if failed:
        console.print("\nDerived notebooks are never edited: change solutions/<lesson>.py, then run `autograde build`.")
        raise typer.Exit(1)


def release(
    names: Lessons = None,
    to: Annotated[Path, typer.Option(help="A new folder, or a file that ends in .zip.", show_default=False)] = ...,
) -> None:
    """Write what students are given: notebooks without solutions, data, and what their checks need, to install.

    Works on machines without the course: each notebook's first cell installs it from the file beside it.
    """
    from autograde import course
    from autograde.authoring import bundle, derived

    chosen = course.chosen(names)
    derived.require(chosen)
    for name in bundle.write(chosen, to):
        console.print(name, soft_wrap=True)
    console.print(f"→ {to}", soft_wrap=True)


def new_course(
    folder: Annotated[Path, typer.Argument(help="A new folder, or a course directory that lacks lessons.")],
    names: Lessons = None,
) -> None:
    """Make a course directory of your own, with the course's lessons and room for yours. Overwrites nothing."""
    from autograde import course
    from autograde.authoring import own

    copied = own.new_course(folder, course.chosen(names, course.built_in()))
    console.print(f"{folder}: {', '.join(copied) or 'no lesson was missing'}", soft_wrap=True)


def new_lesson(
    name: Annotated[str, typer.Argument(help="Such as 90_memory.", show_default=False)],
    topic: Annotated[str, typer.Option(help="What its exercises' names begin with. [default: the name without its "
                                       "digits]", show_default=False)] = "",
) -> None:
    """Write all files of a small lesson into your course directory and build it: a start that passes its tests."""
    from autograde.authoring import build as builder
    from autograde.authoring import own

    for path in own.new_lesson(name, topic):
        console.print(path, soft_wrap=True)
    with errors.status(f"building {name} ..."):
        builder.build(name)
    console.print(f"{name}: built. Change what you like, then: autograde build {name}", soft_wrap=True)


COMMANDS = {"build": build, "release": release, "new-course": new_course, "new-lesson": new_lesson}
