"""A student's folder: which file in it is the notebook, and its bytes.

Nothing here trusts the folder: no link is followed, nothing that could block is opened, sizes are capped
before memory is spent, and whatever is wrong becomes one line for student and instructor.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from autograde.intake.notebook import MAX_BYTES, Unreadable
from autograde.records import MISSING, UNREADABLE
from autograde.text import shown

MAX_CANDIDATES = 50
NOTHING = "no notebook was handed in"


@dataclass(frozen=True)
class Found:
    """The notebook of a student's folder: its path, or `note` (why there is none to read) or neither (missing)."""

    path: Path | None = None
    repairs: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class HandedIn:
    """What lay in a student's folder: the notebook's bytes, or a status (``missing``, ``unreadable``) and why."""

    content: bytes | None = None
    repairs: tuple[str, ...] = ()
    status: str | None = None
    note: str = ""


def find(folder: Path, lesson: str, grade_ids: frozenset[str]) -> HandedIn:
    """The notebook in ``submitted/<student>/<lesson>/``, read. Follows no link, opens nothing that could block."""
    found = locate(folder, lesson, grade_ids)
    if found.note:
        return HandedIn(None, found.repairs, UNREADABLE, found.note)
    if found.path is None:
        return HandedIn(None, found.repairs, MISSING, NOTHING)
    try:
        return HandedIn(read(found.path), found.repairs)
    except Unreadable as problem:
        return HandedIn(None, found.repairs, UNREADABLE, str(problem))


def locate(folder: Path, lesson: str, grade_ids: frozenset[str]) -> Found:
    """The notebook to grade: ``<lesson>.ipynb``, else the one that holds most of the lesson's cells.

    The newest wins a tie. Symbolic links are never followed.
    """
    try:
        mode = os.lstat(folder).st_mode
        if stat.S_ISLNK(mode):
            return Found(note=f"the folder {shown(folder.name)} is a symbolic link; hand in the folder itself")
        if not stat.S_ISDIR(mode):
            return Found(note=f"{shown(folder.name)} is a file, not a folder with a notebook; hand it in again")
        with os.scandir(folder) as entries:
            names = sorted(e.name for e in entries if e.name.lower().endswith(".ipynb") and e.name[0] != ".")
    except FileNotFoundError:
        return Found()
    except OSError as error:
        return Found(note=f"the folder {shown(folder.name)} cannot be read ({error.strerror}); check its permissions")
    exact = f"{lesson}.ipynb"
    if exact in names:
        return Found(folder / exact, _ignored(n for n in names if n != exact))
    if not names:
        return Found()
    best = max(names[:MAX_CANDIDATES], key=lambda name: _merit(folder / name, grade_ids))
    renamed = f"the notebook is called {shown(best)} instead of {exact}; it was graded all the same"
    return Found(folder / best, (renamed, *_ignored(n for n in names if n != best)))


def _ignored(others) -> tuple[str, ...]:
    others = list(others)
    listed = ", ".join(shown(name) for name in others[:3]) + (" and more" if len(others) > 3 else "")
    return (f"other notebooks in the folder were not looked at: {listed}",) if others else ()


def _merit(path: Path, grade_ids: frozenset[str]) -> tuple[int, int]:
    """How many of the lesson's grade ids a file holds, and when it was written; (-1, 0) if it can't be read."""
    try:
        content = read(path).replace(b"\0", b"")  # without its zero bytes UTF-16 reads like ASCII here
        written = os.lstat(path).st_mtime_ns
    except (Unreadable, OSError):
        return -1, 0
    return sum(f'"{grade_id}"'.encode() in content for grade_id in grade_ids), written


def read(path: Path) -> bytes:
    """A regular file's bytes. Raises Unreadable for a link, a pipe, a device, a folder, or too large a file."""
    name = shown(path.name)
    try:
        # The mode is asked first because merely opening some devices has effects.
        _must_be_regular(os.lstat(path).st_mode, name)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            _must_be_regular(status.st_mode, name)
            content = file.read(MAX_BYTES + 1) if status.st_size <= MAX_BYTES else b""
    except OSError as error:
        raise Unreadable(f"{name} cannot be read ({error.strerror}); check its permissions") from None
    if status.st_size > MAX_BYTES or len(content) > MAX_BYTES:
        raise Unreadable(f"{name} is larger than 64 MiB; clear all outputs and hand it in again")
    return content


def _must_be_regular(mode: int, name: str) -> None:
    if stat.S_ISLNK(mode):
        raise Unreadable(f"{name} is a symbolic link; hand in the file itself")
    if not stat.S_ISREG(mode):
        raise Unreadable(f"{name} is not an ordinary file; hand in the notebook file")
