"""Where things lie in a course directory, and errors a person can act on."""

from __future__ import annotations

import os
import re
from pathlib import Path


def write_text(path: Path, content: str) -> None:
    """Write a file so that a killed run leaves the old one or the new one, never half of one."""
    write_bytes(path, content.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """As `write_text`, for what is no text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.partial")  # not the file's own name: that may be as long as names can be
    partial.write_bytes(content)
    partial.replace(path)


class UserError(Exception):
    """Something the person at the command line can put right: printed as one line, exit code 2."""


ROOT = Path(os.environ.get("UNROLLED_COURSE", Path(__file__).resolve().parent.parent))
SOLUTIONS = ROOT / "solutions"
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"
WORK = ROOT / "work"  # a student's own copy of the lessons


def lessons() -> list[str]:
    """All lessons, in order: each has a hand-written source ``solutions/<lesson>.py``."""
    return sorted(p.stem for p in SOLUTIONS.glob("*.py") if re.match(r"\d\d_", p.stem))


def chosen(names: list[str] | None) -> list[str]:
    """The lessons named, or all. Raises UserError for an unknown one, with the ones there are."""
    for name in names or []:
        if name not in lessons():
            raise UserError(f"unknown lesson {name!r}; there are: {', '.join(lessons())}")
    return list(names or lessons())


def source(lesson: str) -> Path:
    return SOLUTIONS / f"{lesson}.py"


def reference(lesson: str) -> Path:
    return SOLUTIONS / lesson / f"{lesson}.ipynb"


def released(lesson: str) -> Path:
    return NOTEBOOKS / lesson / f"{lesson}.ipynb"
