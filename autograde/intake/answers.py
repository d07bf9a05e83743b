"""The answer to each exercise: the cell with its id, its copies, its halves, or a cell that defines its name."""

from __future__ import annotations

from dataclasses import dataclass

from autograde.intake import sources
from autograde.intake.matching import Matched, Piece
from autograde.intake.skeleton import Part

MAX_COPIES = 20       # cells with the id of one exercise
MAX_WINDOW = 5        # a split answer is joined from so many neighbouring cells
PATIENCE = 1_000_000  # characters of joined cells that the parser is asked about in one notebook


@dataclass(frozen=True)
class Answer:
    """What was handed in for one solution cell: pieces that run in order, and what was put right on the way."""

    pieces: tuple[Piece, ...]
    untouched: bool = False
    repairs: tuple[str, ...] = ()


def find_answers(matched: Matched) -> dict[int, Answer]:
    """The answer to each solution cell of the lesson, by the part's index."""
    joiner = Joiner(matched)
    return {index: _answer(matched, joiner, index, part) for index, part in enumerate(matched.skeleton.parts)
            if part.kind == "solution"}


def _answer(matched: Matched, joiner: Joiner, index: int, part: Part) -> Answer:
    repairs = []
    copies = matched.cells_of(index)
    code = [i for i in copies if matched.cells[i].kind == "code"]
    if len(code) > MAX_COPIES:
        code = [i for i in code if not sources.same(matched.cells[i].source, part.source)][-MAX_COPIES:]
        repairs.append(f"{len(copies)} cells have the id of {part.label}; the last {len(code)} were used")
    pieces = joiner.joined(code)
    repairs += [f"the answer to {part.label} was split over {len(piece.cells)} cells; they were joined"
                for piece in pieces if len(piece.cells) > 1]
    own = [piece for piece in pieces if not sources.same(piece.source, part.source)]
    own += _definitions_below(matched, own, part)
    if not any(_defines(piece, part) for piece in own):
        own, found = _defined_elsewhere(matched, joiner, own, part, copies)
        repairs += found
    if not own:
        if not copies:
            repairs.append(f"the cell of {part.label} was deleted; its empty form was put back")
        return Answer((Piece((), part.source),), untouched=True, repairs=tuple(repairs))
    if len(pieces) > len(own) and len(pieces) > 1:
        repairs.append(f"an untouched copy of the cell of {part.label} was left out")
    if len(own) > 1:
        repairs.append(f"{part.label} was answered in {len(own)} cells; all run in their order, so the last one counts")
    if any(cell in matched.made_visible for piece in own for cell in piece.cells):
        repairs.append(f"no-break spaces or invisible characters in the answer to {part.label} were replaced")
    return Answer(tuple(own), repairs=tuple(repairs))


def _defines(piece: Piece, part: Part) -> bool:
    return bool(part.answers & (piece.names.defines | piece.names.binds))


def _definitions_below(matched: Matched, own: list[Piece], part: Part) -> list[Piece]:
    """What the student added below an answer and that defines its name again before it is checked."""
    if not own:
        return []
    taken = {cell for piece in own for cell in piece.cells}
    start = own[-1].cells[-1] + 1
    new = [i for i in range(start, _end_of(matched, start, part))
           if i not in taken and matched.is_free(i) and _defines(matched.piece(i), part)]
    return [matched.piece(i) for i in new[-MAX_COPIES:]]


def _end_of(matched: Matched, start: int, part: Part) -> int:
    """Where the cells end that belong to the answer above `start`: at its check, else at the lesson's next cell."""
    parts = matched.skeleton.parts
    known = [(i, parts[p]) for i, p in enumerate(matched.known) if p is not None and i >= start]
    checks = [i for i, other in known if other.kind == "check" and other.exercise == part.exercise]
    return next(iter(checks or [i for i, _ in known]), len(matched.cells))


def _defined_elsewhere(matched: Matched, joiner: Joiner, own: list[Piece], part: Part,
                       copies: list[int]) -> tuple[list[Piece], list[str]]:
    """No cell that was handed in for this exercise defines its name: one without an id may."""
    taken = {cell for piece in own for cell in piece.cells}
    found: list[Piece] = []
    for index in range(len(matched.cells)):
        if matched.is_free(index) and index not in taken and _defines(matched.piece(index), part):
            piece = joiner.grown(index, set())
            if taken.isdisjoint(piece.cells):
                found.append(piece)
                taken.update(piece.cells)
    if found:
        names = ", ".join(sorted(part.answers))
        return sorted([*own, *found], key=lambda piece: piece.cells), [
            f"the answer to {part.label} was found in a cell without its grading id, by the name it defines ({names})"]
    texts = [matched.piece(i) for i in copies if matched.cells[i].kind != "code"]
    texts = [piece for piece in texts if piece.names.parses and _defines(piece, part)
             and not sources.same(piece.source, part.source)]
    repairs = [f"the cell of {part.label} had been turned into text; it was run as code"] if texts else []
    return [*own, *texts], repairs


class Joiner:
    """Puts halves of answers together again, as long as its patience with one notebook lasts."""

    def __init__(self, matched: Matched):
        self._matched = matched
        self._patience = PATIENCE

    def joined(self, copies: list[int]) -> list[Piece]:
        """The cells as pieces; where one is broken and only makes sense with its neighbours, joined with them."""
        pieces: list[Piece] = []
        for index in copies:
            if not any(index in piece.cells for piece in pieces):
                pieces.append(self.grown(index, set(copies)))
        merged: list[Piece] = []
        for piece in pieces:  # halves that were moved apart
            both = merged and self._join([merged[-1], piece])
            if both:
                merged[-1] = both
            else:
                merged.append(piece)
        return merged

    def grown(self, index: int, copies: set[int]) -> Piece:
        """A cell with those neighbours that it needs to be Python: free ones, and those in `copies`."""
        first = last = index
        piece = self._matched.piece(index)
        grown = True
        while grown:
            grown = False
            for low, high in _windows(first, last):
                new = [i for i in range(low, high + 1) if not first <= i <= last]
                if not all(i in copies or self._matched.is_free(i) for i in new):
                    continue
                before = [self._matched.piece(i) for i in new if i < first]
                after = [self._matched.piece(i) for i in new if i > last]
                both = self._join([*before, piece, *after])
                if both:
                    piece, first, last, grown = both, low, high, True
                    break
        return piece

    def _join(self, pieces: list[Piece]) -> Piece | None:
        """The pieces as one, if one of them does not parse alone and all together do."""
        magic = any(piece.source.lstrip().startswith("%%") for piece in pieces[1:])  # stands at the top of a cell
        if magic or all(piece.names.parses for piece in pieces):
            return None
        cells = tuple(cell for piece in pieces for cell in piece.cells)
        for glue in ("\n", ""):  # Jupyter splits at the cursor, which may stand within a line
            joined = Piece(cells, glue.join(piece.source for piece in pieces))
            self._patience -= len(joined.source)
            if self._patience > 0 and joined.names.parses:
                return joined
        return None


def _windows(first: int, last: int):
    """Ranges of neighbouring cells around one, nearest first; below comes before above."""
    for extra in range(1, MAX_WINDOW):
        for below in range(extra, -1, -1):
            yield first - (extra - below), last + below
