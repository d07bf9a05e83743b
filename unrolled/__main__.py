"""``python -m unrolled``: what is done, what is next, and the file to hand in. See `unrolled.desk`."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from unrolled import desk
from unrolled.desk import DeskError, Exercise, Lesson

ABOUT = """\
Your own copy of the course: what is done, what is next, what to hand in.

  python -m unrolled                     the same as progress
  python -m unrolled progress            every lesson: points, exercises, and what to do next
  python -m unrolled check 04_lstm       run a lesson from the top and say what each check says
  python -m unrolled submit 04_lstm      check it, then put the file to hand in into hand_in/

A lesson may be named by its beginning: `check 04`. Work in your notebook and save it (Ctrl+S); these commands
read what was saved. They change no notebook and send nothing anywhere: progress is kept in .progress.json beside your
lessons, and handing in stays your own step."""
ENDING = """\
exit codes: 0 everything is done; 1 something is not written or not right yet; 2 it could not be done, and the last
line says why. `progress` gives 0 whenever it could read your lessons."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code, see `ENDING`."""
    desk.speak_utf8()
    asked = _parser().parse_args(arguments)
    folder = desk.home(asked.folder)
    try:
        found = desk.lessons(folder)
        if asked.command == "check":
            return _check(desk.chosen(found, asked.lesson), folder, asked.seconds)[1]
        if asked.command == "submit":
            return _submit(desk.chosen(found, asked.lesson), folder, asked.seconds, asked.as_it_is)
        return _progress(found, folder)
    except DeskError as error:
        print(f"unrolled: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m unrolled", description=ABOUT, epilog=ENDING, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument(
        "--folder",
        type=Path,
        default=argparse.SUPPRESS,
        help="the folder with your notebooks (default: this one, or work/ in it)",
    )
    parser.add_argument("--folder", type=Path, default=None, help=argparse.SUPPRESS)
    runs = argparse.ArgumentParser(add_help=False)
    runs.add_argument("lesson", metavar="LESSON", help="such as 04_lstm, or 04")
    runs.add_argument("--seconds", type=int, default=180, help="how long one cell may run (default: 180)")
    parser.set_defaults(command="progress")
    commands = parser.add_subparsers(metavar="COMMAND", required=False)
    progress = commands.add_parser("progress", parents=[where], help="what is done and what is next")
    progress.set_defaults(command="progress")
    check = commands.add_parser(
        "check",
        parents=[where, runs],
        help="run a lesson from the top; what each check says",
        description="Run a lesson from the top in a process of its own, without the cells that "
        "train for show, and print what each check says. Your notebook is not changed.",
    )
    check.set_defaults(command="check")
    submit = commands.add_parser(
        "submit",
        parents=[where, runs],
        help="check a lesson, and make the file to hand in",
        description="Check a lesson, then copy it as it is saved to hand_in/LESSON.ipynb. "
        "Unfinished work may be handed in: what passes, counts.",
    )
    submit.add_argument("--as-it-is", action="store_true", help="copy it without running it first")
    submit.set_defaults(command="submit")
    return parser


# What is said -------------------------------------------------------------------------------------------------------


def _progress(found: list[Lesson], folder: Path) -> int:
    print(f"Your lessons in {folder.absolute()}:\n")
    width = max(len(lesson.name) for lesson in found)
    for lesson in found:
        icon = "✔" if lesson.done else "◐" if lesson.begun else "·"
        print(f"  {icon} {lesson.name:{width}}  {_in_short(lesson)}")
    print(f"\n{_next(found)}")
    if any(not one.state for lesson in found for one in lesson.exercises):
        print("? marks answers that no check has seen since; `python -m unrolled check LESSON` tries them.")
    return 0


def _in_short(lesson: Lesson) -> str:
    """One line for a lesson: points as far as is known, exercises, answers in words."""
    if not lesson.begun:
        return "not begun"
    coded, words = lesson.of(words=False), lesson.of(words=True)
    unsure = sum(not one.state for one in coded)
    parts = [
        f"{sum(one.points for one in coded):g} of {sum(one.max_points for one in coded):g} points",
        f"{sum(one.done for one in coded)} of {len(coded)} exercises right",
    ]
    parts += [f"{unsure} ?"] if unsure else []
    parts += [f"{sum(one.done for one in words)} of {len(words)} answers in words written"] if words else []
    return ", ".join(parts)


def _next(found: list[Lesson]) -> str:
    """What to do next: the first exercise that is not done, in a lesson that was begun if there is one."""
    open_ones = [lesson for lesson in found if not lesson.done]
    if not open_ones:
        return "Everything is done. Hand in with: python -m unrolled submit LESSON"
    lesson = next((lesson for lesson in open_ones if lesson.begun), open_ones[0])
    one = next(one for one in lesson.exercises if not one.done)
    return f"Next: {lesson.name}, {_named(one)}.\nOpen {lesson.path}"


def _named(one: Exercise) -> str:
    kind = "the written answer" if one.words else "exercise"
    return f"{kind} {one.id}" + (f" ({one.about})" if one.about else "")


def _check(lesson: Lesson, folder: Path, seconds: int) -> tuple[Lesson, int]:
    print(f"Running {lesson.path} from the top ...", flush=True)
    lesson, stopped = desk.check(lesson, folder, seconds)
    for one in lesson.exercises:
        print(
            one.says
            if not one.words
            else f"{'✎' if one.done else '·'} {one.id}: "
            + ("written; a person reads it" if one.done else "not written yet")
        )
    for line in stopped:
        print(f"! A cell stopped: {line}")
    print(f"\n{lesson.name}: {_in_short(lesson)}.")
    return lesson, 0 if lesson.done and not stopped else 1


def _submit(lesson: Lesson, folder: Path, seconds: int, as_it_is: bool) -> int:
    code = 0 if lesson.done else 1
    if not as_it_is:
        lesson, code = _check(lesson, folder, seconds)
    target = desk.hand_in(lesson, folder)
    left = [_named(one) for one in lesson.exercises if not one.done]
    print(f"\nTo hand in: {target}\n  sha256 {hashlib.sha256(target.read_bytes()).hexdigest()}")
    if left:
        print(
            "Not done, or not right yet: "
            + "; ".join(left)
            + ".\nYou may hand it in all the same: what passes, counts."
        )
    print(
        "Nothing has been sent. Upload this file where your course collects it, under this name; or, if your class "
        "uses it,\nin JupyterLab: Nbgrader, Assignment List, Submit."
    )
    return code


if __name__ == "__main__":
    sys.exit(main())
