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


# In an installed package its lessons lie inside it; in a clone of the repository, beside the packages.
SHIPPED = Path(__file__).resolve().parent / "shipped"
INSTALLED = SHIPPED.is_dir()
BUILT_IN = SHIPPED if INSTALLED else Path(__file__).resolve().parents[1]
# Where a class is graded: submissions, marks, reports. A clone is such a directory; an installed course is used from
# whatever folder one is in, as nbgrader is.
ROOT = Path(os.environ.get("UNROLLED_COURSE", Path.cwd() if INSTALLED else BUILT_IN))
_LESSONS = ROOT if (ROOT / "solutions").is_dir() else BUILT_IN
SOLUTIONS = _LESSONS / "solutions"
NOTEBOOKS = _LESSONS / "notebooks"
SAMPLES = _LESSONS / "samples"
BUILD = ROOT / "build"
WORK = ROOT / "work"  # a student's own copy of the lessons


def settings(root: Path) -> Path:
    """The file with nbgrader's settings for a course directory: its own, else the one that came with the course."""
    own = root / "nbgrader_config.py"
    return own if own.is_file() else BUILT_IN / own.name


def said(path: Path) -> str:
    """A path as it is said to a person: short inside the course directory."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


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


def comes_with_the_package(lesson: str) -> bool:
    """Whether a lesson lies inside an installed package, where nobody writes."""
    return INSTALLED and released(lesson).is_relative_to(SHIPPED)
