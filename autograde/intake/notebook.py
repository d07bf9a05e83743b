"""A notebook file's bytes, of any encoding and nbformat 1 to 4: its cells, or one line that says why there are none.

Nothing here trusts the bytes: what they would cost is counted before memory is spent on them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from autograde.intake import outputs, pictures
from autograde.intake.pictures import Bundle

MAX_BYTES = 64 * 2**20
MAX_CELLS = 5_000
MAX_CONTAINERS = 1_000_000  # brackets in the file: each costs up to 230 bytes of memory
MAX_ITEMS = 5_000_000       # commas in the file: each costs up to 60 bytes
TOO_MANY = f"the notebook has more than {MAX_CELLS:,} cells; remove what is not yours"


class Unreadable(Exception):
    """A file that cannot be read as a notebook; the message is one line that says what to do."""


@dataclass(frozen=True)
class Cell:
    """One cell as handed in. `tags` and `settings` (its nbgrader metadata) are only ever compared.

    `pictures` are a text's attachments and those that were pasted into it; of code, what it showed.
    """

    kind: str
    source: str
    grade_id: str = ""
    id: str = ""
    tags: tuple[str, ...] = ()
    settings: tuple[tuple[str, object], ...] = ()
    pictures: Bundle = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Read:
    """A notebook file, read. `rescued`: not as handed in, but after changing its encoding or format."""

    cells: tuple[Cell, ...]
    language: str
    repairs: tuple[str, ...]
    rescued: bool


def read(content: bytes) -> Read:
    """The cells in a notebook file's bytes, of any encoding and nbformat 1 to 4. Raises Unreadable."""
    if len(content) > MAX_BYTES:
        raise Unreadable("the file is larger than 64 MiB; clear all outputs and hand it in again")
    if not content.strip():
        raise Unreadable("the file is empty; save the notebook and hand it in again")
    lightened: tuple[str, ...] = ()
    if _costs_too_much(content):
        content = outputs.without(outputs.OUTPUTS, content)
        if content is None or _costs_too_much(content):
            raise Unreadable("the file holds too much data; clear all outputs and hand it in again")
        lightened = ("the file held too much data; its outputs were left out",)
    if content.count(b'"cell_type"') > 2 * MAX_CELLS:  # one a cell, another in nbgrader's metadata of some
        raise Unreadable(TOO_MANY)  # before memory is spent on them
    text, repairs = _decoded(content)
    repairs = lightened + repairs
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
    return Read(cells, _language(data), repairs, rescued=len(repairs) > len(lightened))


def _costs_too_much(content: bytes) -> bool:
    return sum(map(content.count, (b"[", b"{"))) > MAX_CONTAINERS or content.count(b",") > MAX_ITEMS


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
    kind = "code" if raw.get("cell_type") == "code" else "text"
    if raw.get("cell_type") == "heading":  # of old formats
        level = raw.get("level")
        source = f"{'#' * int(level if level in range(1, 7) else 1)} {source}"
    pasted: Bundle = {}
    if kind == "text":
        source, pasted = pictures.taken_out(source)
    return Cell(
        kind=kind, source=source,
        pictures=pictures.attached(raw.get("attachments")) | pasted if kind == "text" else
        pictures.drawn(raw.get("outputs")),
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
