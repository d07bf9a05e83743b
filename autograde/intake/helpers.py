"""Which of the cells a student added are kept: those that an answer needs, and what these need in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autograde.intake.answers import Answer
from autograde.intake.matching import Matched, Piece
from autograde.intake.skeleton import Skeleton

MAX_SORTED = 60  # helpers that are put into the order of their needs


@dataclass(frozen=True)
class Helpers:
    """The helpers of one answer: all that it `needs`, and those `placed` before it, which no earlier answer needs."""

    needs: tuple[Piece, ...] = ()
    placed: tuple[Piece, ...] = ()


def find_helpers(matched: Matched, answers: Mapping[int, Answer]) -> dict[int, Helpers]:
    """What each answer needs of the cells that are no answers, by the part's index."""
    used = {cell for answer in answers.values() for piece in answer.pieces for cell in piece.cells}
    extras = [matched.piece(i) for i in range(len(matched.cells)) if matched.is_free(i) and i not in used]
    offered = _Offered(matched.skeleton, [piece for piece in extras if piece.names.parses])
    found: dict[int, Helpers] = {}
    defined: set[str] = set()
    placed: set[Piece] = set()
    for index, part in enumerate(matched.skeleton.parts):
        if part.kind == "code":
            defined |= part.names.binds
        elif part.kind == "solution":
            for piece in answers[index].pieces:
                defined |= piece.names.binds | piece.names.defines
            needs = offered.reached(answers[index], defined)
            found[index] = Helpers(tuple(needs), tuple(helper for helper in needs if helper not in placed))
            placed.update(needs)
    return found


def said_of(helpers: Mapping[int, Helpers]) -> tuple[str, ...]:
    """The repair that says how many were kept."""
    kept = sum(len(helper.placed) for helper in helpers.values())
    return (f"{kept} cell{'s that you added are' if kept > 1 else ' that you added is'} "
            "needed by an answer and kept",) if kept else ()


class _Offered:
    """The cells that a student added, by the names they bind and change."""

    def __init__(self, skeleton: Skeleton, extras: list[Piece]):
        self._skeleton = skeleton
        self._extras = extras
        self._binders: dict[str, list[Piece]] = {}
        self._changers: dict[str, list[Piece]] = {}
        for helper in extras:
            for name in helper.names.binds:
                self._binders.setdefault(name, []).append(helper)
            for name in helper.names.changes:
                self._changers.setdefault(name, []).append(helper)

    def reached(self, answer: Answer, defined: set[str]) -> list[Piece]:
        """The helpers of one answer, in the order they were handed in, but each after what it needs."""
        needs = {name for piece in answer.pieces for name in piece.names.needs} - defined
        reached, missing = self._closure(needs, defined)
        if missing:
            reached |= {helper for helper in self._extras if helper.names.star}  # they may bring any name
        lines = {line for name in missing if (line := self._skeleton.demo_imports.get(name))}
        imports = [Piece((), "\n".join(sorted(lines)))] if lines else []
        return imports + _ordered([helper for helper in self._extras if helper in reached])

    def _closure(self, needs: set[str], defined: set[str]) -> tuple[set[Piece], set[str]]:
        """Who provides these names, and what the providers need in turn; and the names that nobody provides."""
        reached: set[Piece] = set()
        missing: set[str] = set()
        waiting, asked = list(needs), set(needs)
        while waiting:
            name = waiting.pop()
            if name not in self._binders:
                missing.add(name)
                continue
            for helper in self._binders[name] + self._changers.get(name, []):
                if helper not in reached:
                    reached.add(helper)
                    new = helper.names.needs - defined - asked
                    asked |= new
                    waiting += new
        return reached, missing


def _ordered(helpers: list[Piece]) -> list[Piece]:
    """Each helper after those whose names it needs (cells get moved); circles stay as handed in."""
    if len(helpers) > MAX_SORTED:
        return helpers
    order: list[Piece] = []
    visited: set[Piece] = set()

    def visit(helper: Piece) -> None:
        visited.add(helper)
        for other in helpers:
            if other not in visited and other.names.binds & helper.names.needs:
                visit(other)
        order.append(helper)

    for helper in helpers:
        if helper not in visited:
            visit(helper)
    return order
