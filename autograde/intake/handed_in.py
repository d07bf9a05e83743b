"""From a student's folder to the cells of a notebook: find the file, read it, make sense of its bytes.

Nothing here trusts the file: no link is followed, nothing that could block is opened, sizes are capped
before memory is spent, and whatever is wrong is an `Unreadable` with one line for student and instructor.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from autograde.records import MISSING, UNREADABLE

MAX_BYTES = 64 * 2**20
MAX_CELLS = 5_000
MAX_CONTAINERS = 1_000_000  # brackets in the file: each costs up to 230 bytes of memory
MAX_ITEMS = 5_000_000       # commas in the file: each costs up to 60 bytes
MAX_CANDIDATES = 50
TOO_MANY = f"the notebook has more than {MAX_CELLS:,} cells; remove what is not yours"
NOTHING = "no notebook was handed in"


class Unreadable(Exception):
    """A file that cannot be read as a notebook; the message is one line that says what to do."""


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


@dataclass(frozen=True)
class Cell:
    """One cell as handed in. `tags` and `settings` (its nbgrader metadata) are only ever compared."""

    kind: str
    source: str
    grade_id: str = ""
    id: str = ""
    tags: tuple[str, ...] = ()
    settings: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Read:
    """A notebook file, read. `rescued`: not as handed in, but after changing its encoding or format."""

    cells: tuple[Cell, ...]
    language: str
    repairs: tuple[str, ...]
    rescued: bool


# The folder --------------------------------------------------------------------------------------------------

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


def shown(text: str) -> str:
    """A name that a student chose, fit for a line of a report: printable and short."""
    safe = "".join(c if c.isprintable() else "?" for c in text.encode("utf-8", "replace").decode())
    return safe if len(safe) <= 60 else safe[:57] + "..."


# The bytes ---------------------------------------------------------------------------------------------------

def notebook(content: bytes) -> Read:
    """The cells in a notebook file's bytes, of any encoding and nbformat 1 to 4. Raises Unreadable."""
    if len(content) > MAX_BYTES:
        raise Unreadable("the file is larger than 64 MiB; clear all outputs and hand it in again")
    if not content.strip():
        raise Unreadable("the file is empty; save the notebook and hand it in again")
    if sum(map(content.count, (b"[", b"{"))) > MAX_CONTAINERS or content.count(b",") > MAX_ITEMS:
        raise Unreadable("the file holds too much data; clear all outputs and hand it in again")
    if content.count(b'"cell_type"') > 2 * MAX_CELLS:  # one a cell, another in nbgrader's metadata of some
        raise Unreadable(TOO_MANY)  # before memory is spent on them
    text, repairs = _decoded(content)
    data = _json(text)
    del text
    raw, old = _raw_cells(data)
    if old:
        repairs += (f"the file is in the old notebook format {old}; it was converted",)
    if not raw:
        raise Unreadable("the notebook has no cells; hand in the notebook you worked in")
    if len(raw) > MAX_CELLS:
        raise Unreadable(TOO_MANY)
    cells = tuple(_cell(number, cell) for number, cell in enumerate(raw, 1))
    return Read(cells, _language(data), repairs, rescued=bool(repairs))


def _decoded(content: bytes) -> tuple[str, tuple[str, ...]]:
    encoding = json.detect_encoding(content)  # by byte order mark, else by where the zero bytes are
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if encoding not in ("utf-8", "utf-8-sig"):
            raise Unreadable(f"the file is damaged ({encoding.upper()} text that breaks off); "
                             "save the notebook and hand it in again") from None
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
        return text, ("the file is not in UTF-8; it was read as Western European text (cp1252)",)
    if encoding == "utf-8":
        return text, ()
    kind = "UTF-8 with a byte order mark" if encoding == "utf-8-sig" else encoding.upper()
    return text.removeprefix("\ufeff"), (f"the file is in {kind} instead of UTF-8; it was converted",)


def _json(text: str) -> dict:
    try:
        # Numbers become floats: an integer of a million digits would take the parser minutes.
        data = json.loads(text, parse_int=float)
    except RecursionError:
        raise Unreadable("the file is nested too deeply to be a notebook; hand in the notebook you worked in") from None
    except ValueError:
        raise Unreadable("the file is not a notebook (not JSON); "
                         "open it in Jupyter, save it, hand it in again") from None
    if not isinstance(data, dict):
        raise Unreadable("the file is JSON but not a notebook; hand in the notebook you worked in")
    return data


def _raw_cells(data: dict) -> tuple[list, int]:
    """The cells as JSON values, and the format's number if it is an old one (1 to 3), else 0."""
    declared = data.get("nbformat")
    if "cells" not in data and "worksheets" in data:
        sheets = data["worksheets"]
        if not isinstance(sheets, list) or not all(isinstance(s, dict) for s in sheets):
            raise Unreadable("the notebook's worksheets are damaged; open it in Jupyter, save it, hand it in again")
        groups = [sheet.get("cells", []) for sheet in sheets]
        old = 2 if declared == 2 else 3
    else:
        groups = [data.get("cells", [])]
        old = int(declared) if declared in (1, 2, 3) else 0
    if not all(isinstance(group, list) for group in groups):
        raise Unreadable("the notebook's cells are damaged (not a list); open it in Jupyter, save it, hand it in again")
    return [cell for group in groups for cell in group], old


def _cell(number: int, raw: object) -> Cell:
    if not isinstance(raw, dict):
        raise Unreadable(f"cell {number} of the notebook is damaged; open it in Jupyter, save it, hand it in again")
    source = next((raw[key] for key in ("source", "input", "code", "text") if key in raw), "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise Unreadable(f"cell {number} of the notebook is damaged (its source is not text); "
                         "open it in Jupyter, save it, hand it in again")
    metadata = _dict(raw.get("metadata"))
    settings = _dict(metadata.get("nbgrader"))
    tags = metadata.get("tags")
    return Cell(
        kind="code" if raw.get("cell_type") == "code" else "text", source=source,
        grade_id=_text(settings.get("grade_id")), id=_text(raw.get("id")),
        tags=tuple(t for t in tags if isinstance(t, str)) if isinstance(tags, list) else (),
        settings=tuple((k, settings[k]) for k in sorted(settings) if isinstance(settings[k], str | bool | float)))


def _language(data: dict) -> str:
    metadata = _dict(data.get("metadata"))
    language = _text(_dict(metadata.get("kernelspec")).get("language"))
    return (language or _text(_dict(metadata.get("language_info")).get("name"))).lower()


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
