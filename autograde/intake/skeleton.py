"""A lesson as it was released: the parts that a handed-in notebook is measured against and rebuilt on."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from autograde import course
from autograde.cells import exercise_of, kind_of
from autograde.intake import sources
from autograde.intake.sources import Names


@dataclass(frozen=True)
class Part:
    """One cell of the released notebook. `answers` are the names a solution cell must define."""

    kind: str
    cell_type: str
    source: str
    id: str
    metadata: dict
    attachments: dict
    grade_id: str = ""
    exercise: str = ""
    names: Names = field(default_factory=lambda: sources.names(""))
    answers: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        return self.exercise or self.grade_id


@dataclass(frozen=True)
class Prose:
    """A text of the lesson. `place` is its part, or the part above it if it is left out of the skeleton."""

    id: str
    source: str
    place: int | None


@dataclass(frozen=True)
class Skeleton:
    """A lesson as it was released: plain data that travels to workers.

    Cells with the tag ``target`` (figures for the student at work) are left out: nobody grades them, and they are
    most of a notebook's bytes. Only their texts are known, so that nobody takes them for a student's.
    """

    lesson: str
    parts: tuple[Part, ...]
    metadata: dict
    prose: tuple[Prose, ...] = ()

    @staticmethod
    def load(lesson: str) -> Skeleton:
        """The skeleton of a lesson, read once. Raises UserError if the lesson was not built."""
        return _load(lesson, course.released(lesson))

    @staticmethod
    def of(lesson: str, notebook: NotebookNode) -> Skeleton:
        """The skeleton of a released notebook."""
        cells, prose = [], []
        for cell in notebook.cells:
            target = "target" in cell.metadata.get("tags", [])
            if not target:
                cells.append(cell)
            if target or kind_of(cell) == "markdown":
                prose.append(Prose(cell.id, cell.source, len(cells) - 1 if cells else None))
        checks = {exercise_of(c): sources.names(c.source).needs for c in cells if kind_of(c) == "check"}
        parts = tuple(_part(cell, checks) for cell in cells)
        return Skeleton(lesson, parts, plain_data(notebook.metadata), tuple(prose))

    @cached_property
    def by_grade_id(self) -> dict[str, int]:
        return {part.grade_id: index for index, part in enumerate(self.parts) if part.grade_id}

    @cached_property
    def by_id(self) -> dict[str, int]:
        return {part.id: index for index, part in enumerate(self.parts) if part.grade_id}

    @cached_property
    def by_source(self) -> dict[str, int]:
        """Parts by their text, as it is and as `sources.plain` has it."""
        found: dict[str, int] = {}
        for index, part in enumerate(self.parts):
            found.setdefault(sources.plain(part.source), index)
        return {part.source: found[sources.plain(part.source)] for part in self.parts} | found

    @cached_property
    def prose_by_id(self) -> dict[str, Prose]:
        return {prose.id: prose for prose in self.prose}

    @cached_property
    def prose_by_line(self) -> dict[str, Prose]:
        """The text that each line is of, as `sources.plain` has lines; lines of several texts are left out."""
        lines = [(line, prose) for prose in self.prose for line in set(sources.plain(prose.source).splitlines())]
        count = Counter(line for line, _ in lines)
        return {line: prose for line, prose in lines if count[line] == 1}

    @cached_property
    def demo_imports(self) -> dict[str, str]:
        """The import statement behind each name that only cells for show import: grading skips those cells."""
        found: dict[str, str] = {}
        for part in self.parts:
            tree = sources.tree(part.source) if part.kind == "demo" else None
            for node in ast.walk(tree) if tree else ():
                if isinstance(node, ast.Import | ast.ImportFrom):
                    line = ast.unparse(node)
                    found |= {(a.asname or a.name).partition(".")[0]: line for a in node.names}
        return found


@cache
def _load(lesson: str, path: Path) -> Skeleton:
    if not path.is_file():
        raise course.UserError(f"the lesson {lesson!r} has no released notebook; run: autograde build {lesson}")
    return Skeleton.of(lesson, nbformat.read(path, 4))


def _part(cell: NotebookNode, checks: dict[str, frozenset[str]]) -> Part:
    kind = kind_of(cell)
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    exercise = exercise_of(cell) if kind in ("solution", "check") else ""
    names = sources.names(cell.source if cell.cell_type == "code" else "")
    defined = names.defines or names.binds
    return Part(
        kind=kind, cell_type=cell.cell_type, source=cell.source, id=cell.id, grade_id=grade_id, exercise=exercise,
        metadata=plain_data(cell.metadata), attachments=plain_data(cell.get("attachments", {})), names=names,
        answers=(defined & checks.get(exercise, frozenset())) or defined if kind == "solution" else frozenset())


def plain_data(value):
    """A copy of JSON data that shares nothing with `value`: dicts, lists and what they hold."""
    if isinstance(value, dict):
        return {key: plain_data(item) for key, item in value.items()}
    return [plain_data(item) for item in value] if isinstance(value, list) else value
