"""Files and folders below a root, reached without following a link anywhere on the way.

What lies below the class's directory was put there by students, and a link at any step may lead to another student's
work or to the instructor's own files. Where the system can, every step is opened relative to the one before and
refuses links itself, so that nothing can be exchanged in between; elsewhere each step is looked at first.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

FILE, FOLDER, LINK, OTHER = "file", "folder", "link", "other"
_BY_DESCRIPTOR = hasattr(os, "O_NOFOLLOW") and hasattr(os, "O_DIRECTORY") and os.open in os.supports_dir_fd \
    and os.scandir in os.supports_fd and os.stat in os.supports_dir_fd


class Refused(Exception):
    """There is something that is not followed or opened: `kind` is what it is, `name` the step it stands at."""

    def __init__(self, kind: str, name: str):
        super().__init__(f"{name}: {kind}")
        self.kind = kind
        self.name = name


@dataclass(frozen=True)
class Entry:
    """What lies in a folder. `written` is in nanoseconds, `names` counts the names that a file has (hard links)."""

    name: str
    kind: str
    size: int
    written: int
    names: int


def entries(root: Path, steps: Sequence[str] = ()) -> list[Entry]:
    """What lies in the folder ``root/steps...``, by name. Raises Refused, or OSError as the system gives it."""
    with _folder(root, steps) as folder, os.scandir(folder) as found:
        return sorted((_entry(one.name, one.stat(follow_symlinks=False)) for one in found), key=lambda e: e.name)


@contextmanager
def opened(root: Path, steps: Sequence[str]) -> Iterator[BinaryIO]:
    """The regular file ``root/steps...``, open for reading. Raises Refused, or OSError as the system gives it."""
    *above, name = steps
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with _folder(root, above) as folder:
        # The kind is asked first because merely opening some devices has effects.
        _must_be(FILE, folder, name)
        descriptor = os.open(name, flags, dir_fd=folder) if _BY_DESCRIPTOR else os.open(folder / name, flags)
    with open(descriptor, "rb") as file:
        kind = _kind(os.fstat(descriptor))
        if kind != FILE:
            raise Refused(kind, name)
        yield file


@contextmanager
def _folder(root: Path, steps: Sequence[str]) -> Iterator[int | Path]:
    """A folder: its descriptor where the system can open relative to one, else its path."""
    if not _BY_DESCRIPTOR:
        here = Path(root).resolve()
        for step in steps:
            _must_be(FOLDER, here, step)
            here /= step
        yield here
        return
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for step in steps:
            _must_be(FOLDER, descriptor, step)
            below = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _must_be(kind: str, folder: int | Path, name: str) -> None:
    """Raises Refused for anything else; ValueError for what is no single step."""
    if name in ("", ".", "..") or "/" in name or os.sep in name:
        raise ValueError(f"not one step of a path: {name!r}")
    if _BY_DESCRIPTOR:
        found = _kind(os.stat(name, dir_fd=folder, follow_symlinks=False))
    else:
        path = folder / name
        found = _kind(os.lstat(path))
        # A junction of Windows looks like a folder: it shows in where the path really leads.
        if found == FOLDER and os.path.normcase(os.path.realpath(path)) != os.path.normcase(path):
            found = LINK
    if found != kind:
        raise Refused(found, name)


def _entry(name: str, status: os.stat_result) -> Entry:
    return Entry(name, _kind(status), status.st_size, status.st_mtime_ns, status.st_nlink)


def _kind(status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return LINK
    return FOLDER if stat.S_ISDIR(status.st_mode) else FILE if stat.S_ISREG(status.st_mode) else OTHER
