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
SETTINGS = "unrolled.toml"  # it makes a folder a course directory of one's own


def _root() -> Path:
    """Where a class is graded: submissions, marks, reports.

    The folder that UNROLLED_COURSE names; else the course directory of one's own that one is in; else the clone, or
    with an installed course whatever folder one is in, as nbgrader does it.
    """
    if "UNROLLED_COURSE" in os.environ:
        return Path(os.environ["UNROLLED_COURSE"])
    try:
        here = Path.cwd()
    except FileNotFoundError:  # the folder one is in was removed
        return BUILT_IN
    if here.is_relative_to(BUILT_IN):
        return BUILT_IN
    # The outermost: what a student handed in may hold a file of that name too.
    own = next((folder for folder in (*reversed(here.parents), here) if _is_ones_own(folder / SETTINGS)), None)
    return own or (here if INSTALLED else BUILT_IN)


def _is_ones_own(path: Path) -> bool:
    """Whether a file is there and is one's own (or root's): code is run from beside it."""
    try:
        owner = path.stat().st_uid
    except OSError:
        return False
    return not hasattr(os, "geteuid") or owner in (os.geteuid(), 0)


ROOT = _root()
OWN = ROOT if (ROOT / SETTINGS).is_file() else None  # a course directory of one's own, with topics of its own
_LESSONS = ROOT if (ROOT / "solutions").is_dir() else BUILT_IN
SOLUTIONS = _LESSONS / "solutions"
NOTEBOOKS = _LESSONS / "notebooks"
SAMPLES = _LESSONS / "samples"
BUILD = ROOT / "build"
WORK = ROOT / "work"  # a student's own copy of the lessons


def own(kind: str) -> list[str]:
    """Where a course of one's own keeps its ``probes``, ``oracles`` or ``answers``: for a package's ``__path__``.

    What student code may see and what it may not lie in folders of their own, as `unrolled` and `autograde` do.
    """
    return [str(OWN.absolute() / kind)] if OWN is not None and (OWN / kind).is_dir() else []


def settings(root: Path) -> Path:
    """The file with nbgrader's settings for a course directory: its own, else the one that came with the course."""
    own = root / "nbgrader_config.py"
    return own if own.is_file() else BUILT_IN / own.name


def said(path: Path) -> str:
    """A path as it is said to a person: short inside the course directory."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def lessons() -> list[str]:
    """All lessons, in order: each has a hand-written source ``solutions/<lesson>.py``."""
    return _in(SOLUTIONS)


def built_in() -> list[str]:
    """The lessons that come with the course, whatever directory one is in."""
    return _in(BUILT_IN / "solutions")


def _in(folder: Path) -> list[str]:
    return sorted(p.stem for p in folder.glob("*.py") if re.match(r"\d\d_", p.stem))


def chosen(names: list[str] | None, among: list[str] | None = None) -> list[str]:
    """The lessons named, or all; `among` are those there are. Raises UserError for an unknown one, with these."""
    there = lessons() if among is None else among
    for name in names or []:
        if name not in there:
            raise UserError(f"unknown lesson {name!r}; there are: {', '.join(there)}")
    return list(names or there)


def source(lesson: str) -> Path:
    return SOLUTIONS / f"{lesson}.py"


def reference(lesson: str) -> Path:
    return SOLUTIONS / lesson / f"{lesson}.ipynb"


def released(lesson: str) -> Path:
    return NOTEBOOKS / lesson / f"{lesson}.ipynb"


def comes_with_the_package(lesson: str) -> bool:
    """Whether a lesson lies inside an installed package, where nobody writes."""
    return INSTALLED and released(lesson).is_relative_to(SHIPPED)
