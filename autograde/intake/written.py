"""Written answers: what a student wrote for a question, wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass

from autograde.intake import sources
from autograde.intake.matching import Matched
from autograde.intake.skeleton import Part


@dataclass(frozen=True)
class Written:
    """The text for one question, and what was put right to find it."""

    text: str
    repairs: tuple[str, ...] = ()


def find_written(matched: Matched) -> dict[int, Written]:
    """The answer to each question of the lesson, by the part's index."""
    return {index: _written(matched, index, part) for index, part in enumerate(matched.skeleton.parts)
            if part.kind == "written"}


def _written(matched: Matched, index: int, part: Part) -> Written:
    repairs = []
    copies = matched.cells_of(index)
    if not copies and (below := _by_place(matched, index)) is not None:
        copies = [below]
        repairs.append(f"the grading data of {part.label} was lost; its cell was found by its place")
    texts = [matched.cells[i].source for i in copies]
    own = list(dict.fromkeys(text for text in texts if not sources.same(text, part.source)))
    if not copies:
        repairs.append(f"the cell of {part.label} was deleted; its empty form was put back")
    if len(own) > 1:
        repairs.append(f"{part.label} was answered in {len(own)} cells; all texts were kept")
    if any(matched.cells[i].kind == "code" for i in copies):
        repairs.append(f"the cell of {part.label} had been turned into code; it was kept as text")
    return Written("\n\n".join(own) if own else part.source, tuple(repairs))


def _by_place(matched: Matched, index: int) -> int | None:
    """A written answer that lost its ids: the student's text directly below the cell that stands above it."""
    for above in matched.cells_of(index - 1):
        below = above + 1
        if below == len(matched.cells) or matched.known[below] is not None:
            continue
        cell = matched.cells[below]
        if cell.kind == "text" and len(cell.source) <= sources.MAX_CHARACTERS:
            return below
    return None
