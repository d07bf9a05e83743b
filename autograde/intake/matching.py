"""The handed-in cells beside the lesson's: tidied, and each known as a copy of one part or as the student's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from autograde.intake import sources
from autograde.intake.notebook import Cell, Read, Unreadable
from autograde.intake.skeleton import Skeleton
from autograde.intake.sources import Names
from autograde.text import shown

MAX_CODE = 1_000_000  # characters of code in one notebook; more is no student's work and takes long to look at


@dataclass(frozen=True)
class Piece:
    """Code that runs as one cell: the handed-in cells it came from, and its source."""

    cells: tuple[int, ...]
    source: str

    @property
    def names(self) -> Names:
        return sources.names(self.source)


@dataclass(frozen=True)
class Matched:
    """A handed-in notebook beside the skeleton.

    Attributes
    ----------
    cells : as handed in, with tidy text.
    known : for each of them the skeleton's part it is a copy of, or None for a cell the student added or changed.
    made_visible : the cells that held characters which stood in Python's way.
    repairs : what was put right so far.
    """

    skeleton: Skeleton
    cells: tuple[Cell, ...]
    known: tuple[int | None, ...]
    made_visible: frozenset[int]
    repairs: tuple[str, ...]

    @cached_property
    def _copies(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for index, part in enumerate(self.known):
            if part is not None:
                found.setdefault(part, []).append(index)
        return found

    def cells_of(self, part: int) -> list[int]:
        """The cells that are copies of a part, in the order of the notebook."""
        return self._copies.get(part, [])

    def is_free(self, index: int) -> bool:
        """A code cell that is none of the lesson's: the student added it, or changed one for everybody."""
        return 0 <= index < len(self.cells) and self.known[index] is None and self.cells[index].kind == "code"

    def piece(self, index: int) -> Piece:
        """One cell as a piece."""
        return Piece((index,), self.cells[index].source)


def match(skeleton: Skeleton, read: Read) -> Matched:
    """Put what was read beside the skeleton. Raises Unreadable if it holds too much text to look at."""
    cells = [_tidy(cell) for cell in read.cells]
    _must_be_moderate(cells)
    repairs = _said_of_text(read, cells)
    visible = [_visible(cell) for cell in cells]
    made_visible = frozenset(i for i, (old, new) in enumerate(zip(cells, visible, strict=True)) if old is not new)
    known, lost = _identified(skeleton, visible)
    return Matched(skeleton, tuple(visible), tuple(known), made_visible, (*repairs, *lost))


def _tidy(cell: Cell) -> Cell:
    source = sources.tidy(cell.source)
    return cell if source == cell.source else replace(cell, source=source)


def _visible(cell: Cell) -> Cell:
    source = sources.without_invisible(cell.source) if cell.kind == "code" else cell.source
    return cell if source == cell.source else replace(cell, source=source)


def _must_be_moderate(cells: list[Cell]) -> None:
    sizes = [len(cell.source) for cell in cells if cell.kind == "code" or cell.grade_id]
    if max(sizes, default=0) > sources.MAX_CHARACTERS:
        raise Unreadable("a cell holds more than 200 kB of text; remove what is pasted there and hand it in again")
    if sum(sizes) > MAX_CODE:
        raise Unreadable("the notebook holds more than 1 MB of code; remove what is not yours and hand it in again")


def _said_of_text(read: Read, cells: list[Cell]) -> list[str]:
    repairs = []
    if any("\r" in cell.source for cell in read.cells):
        repairs.append("line ends from another system were made uniform")
    if any(new.source != sources.uniform(old.source) for new, old in zip(cells, read.cells, strict=True)):
        repairs.append("characters that no file can hold were replaced by question marks")
    if read.language not in ("", "python"):
        repairs.append(f"the notebook's language was set to {shown(read.language)}; it was run as Python")
    return repairs


def _identified(skeleton: Skeleton, cells: list[Cell]) -> tuple[list[int | None], list[str]]:
    """Which part each cell is: by its grade id, its cell id, or its unchanged text, in this order of trust."""
    known = [skeleton.by_grade_id.get(cell.grade_id) for cell in cells]
    present = set(known)
    for index, cell in enumerate(cells):
        if known[index] is None and (part := skeleton.by_id.get(cell.id)) not in present:
            known[index] = part
    lost = sorted({part for part in known if part is not None and part not in present})
    for index, cell in enumerate(cells):
        if known[index] is None and len(cell.source) <= sources.MAX_CHARACTERS:
            same = skeleton.by_source.get(cell.source)
            known[index] = skeleton.by_source.get(sources.plain(cell.source)) if same is None else same
    return known, [f"the grading data of {skeleton.parts[part].label} was lost; its cell was found by the cell's id"
                   for part in lost]
