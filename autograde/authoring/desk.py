"""The student's own copy of the course, which ``make lab`` opens: ``work/<lesson>/<lesson>.ipynb``.

Nothing a student saved is ever overwritten. A lesson that changes, because the course was upgraded, replaces the copy
while that is still as it was laid out; else it arrives beside it, in ``<lesson> (new)/``, under the name to hand in.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from autograde import course
from autograde.course import UserError, write_text

LAB = Path(__file__).parent / "lab"  # JupyterLab's settings for students
NOTE = ".laid-out.json"  # what was laid out, beside the lessons


@dataclass(frozen=True)
class Laid:
    """What was done for one lesson: ``new``, ``same``, ``replaced`` or ``beside``; where it lies; a word, if needed."""

    lesson: str
    what: str
    path: Path
    says: str = ""


def lay_out(folder: Path) -> list[Laid]:
    """Bring the student's copy in `folder` up to the course's released lessons; one `Laid` a lesson.

    Raises UserError if the folder is one that the course itself uses, or cannot be written.
    """
    folder = folder.absolute()
    _must_be_the_students(folder)
    try:
        known = _read_note(folder)
        laid = [_lay_out(folder, name, known) for name in course.lessons()]
        write_text(folder / NOTE, json.dumps(known, indent=1, sort_keys=True) + "\n")
    except OSError as error:
        raise UserError(f"cannot write to {error.filename or folder}: {error.strerror or error}; name another folder: "
                        "autograde lab --folder FOLDER") from None
    return laid


def in_words(laid: list[Laid], folder: Path) -> list[str]:
    """Where a student's own copy lies and what changed in it, line by line."""
    lines = [f"Your own copy of the course: {folder.absolute()}"]
    for what, words in (("new", "laid out"), ("replaced", "brought up to date; you had not begun them")):
        names = [one.lesson for one in laid if one.what == what]
        lines += [f"  {words}: {', '.join(names)}"] if names else []
    return lines + [f"  {one.says}." for one in laid if one.says]


def _must_be_the_students(folder: Path) -> None:
    taken = [course.NOTEBOOKS, course.SOLUTIONS, *(course.ROOT / name for name in (
        "submitted", "autograded", "feedback", "report", "samples", "data", "tests", "autograde", "unrolled"))]
    if folder.resolve() == course.ROOT.resolve() or any(folder.resolve().is_relative_to(t.resolve()) for t in taken):
        raise UserError(f"{folder} belongs to the course; a student works in a folder of their own, such as "
                        f"{course.WORK}")


def _lay_out(folder: Path, name: str, known: dict[str, dict]) -> Laid:
    released, path = course.released(name), folder / name / f"{name}.ipynb"
    if not released.is_file():
        raise UserError(f"the lesson {name!r} has no released notebook; run: autograde build {name}")
    content = released.read_bytes()
    newest, saved = _digest(content), _digest(path.read_bytes()) if path.exists() else ""
    about = known.setdefault(name, {"delivered": "", "laid_out": []})
    if saved == newest or (saved and about["delivered"] == newest):
        about["delivered"] = newest
        return Laid(name, "same", path)
    # Somebody may have worked in the course's own notebook. That is nobody's upgrade, but may be this student's work.
    worked_in = _worked_in(name)
    if worked_in and saved:
        return Laid(name, "same", path, f"{worked_in}. Until then your copy stays as it is")
    what, says = "new", worked_in and f"{worked_in}. Your copy starts from it as it is now"
    if saved in about["laid_out"]:
        what = "replaced"
    elif saved:
        what, path = "beside", _beside(folder, name, newest, about["laid_out"])
        says = (f"{name} has changed since you began it. Yours is as you left it and still counts; the new one lies in "
                f"“{path.parent.name}”")
    write_text(path, content.decode("utf-8"))
    about["delivered"] = newest
    if not worked_in:
        about["laid_out"].append(newest)
    return Laid(name, what, path, says)


def _worked_in(name: str) -> str:
    """How the course's own notebook differs from its source; nobody works in the one inside an installed package."""
    if course.comes_with_the_package(name):
        return ""
    from autograde.authoring import derived  # with packages that a student's install has not

    return derived.difference(name)


def _beside(folder: Path, name: str, newest: str, laid_out: list[str]) -> Path:
    """Where a changed lesson can lie without taking the place of anything a student saved."""
    places = (folder / f"{name} (new{number and f' {number}'})" / f"{name}.ipynb" for number in ("", *range(2, 10_000)))
    return next(p for p in places if not p.exists() or _digest(p.read_bytes()) in (newest, *laid_out))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_note(folder: Path) -> dict[str, dict]:
    """What earlier calls laid out: for each lesson the digest last delivered and all digests ever laid out."""
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return {name: {"delivered": str(about["delivered"]), "laid_out": [str(d) for d in about["laid_out"]]}
                for name, about in note.items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # then every lesson that differs counts as the student's own work
