"""The `autograde` command. Each subcommand imports what it needs, so that `--help` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograde.course import UserError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Build the course's lessons and grade whole classes.")
console = Console()
Lessons = Annotated[list[str] | None, typer.Argument(metavar="[LESSON]...", help="Lessons; all if none is named.",
                                                     show_default=False)]


@app.callback()
def autograde() -> None:
    """Build the course's lessons and grade whole classes."""


@app.command()
def build(
    names: Lessons = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail on any difference that matters.")] = False,
    run: Annotated[bool, typer.Option("--run/--no-run", help="Execute the reference, or keep its committed "
                                      "outputs (seconds instead of minutes).")] = True,
) -> None:
    """Derive the executed reference and the student notebook from each lesson's source."""
    from autograde import build as builder
    from autograde import course

    failed = False
    for name in course.chosen(names):
        with console.status(f"{'checking' if check else 'building'} {name} ..."):
            if check:
                problems = builder.check(name, run=run)
                for problem in problems:
                    console.print(problem, markup=False, highlight=False)
                failed |= bool(problems)
            else:
                builder.build(name, run=run)
        console.print(f"{name}: {'differs' if check and problems else 'ok'}", highlight=False)
    if failed:
        console.print("\nDerived notebooks are never edited: change solutions/<lesson>.py, then run `autograde build`.")
        raise typer.Exit(1)


def main() -> None:
    """Run the command; what a person can put right is one line and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"autograde: {error}", file=sys.stderr)
        sys.exit(2)
