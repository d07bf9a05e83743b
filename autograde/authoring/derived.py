"""Whether a lesson's notebooks are what its source gives: asked before a class is graded against them.

A few hundredths of a second a lesson, because nothing is executed. What does not change a grade may differ: outputs,
figures, what an editor notes in a cell's metadata. `build.check` is the strict one, for CI.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache

import nbformat
from nbformat.notebooknode import NotebookNode

from autograde import course
from autograde.authoring import lesson
from autograde.authoring.release import release_preprocessors
from autograde.course import UserError


def require(names: Iterable[str]) -> None:
    """Raise UserError, with the command that repairs it, if a lesson would be graded against something else."""
    for name in names:
        found = _difference(name, tuple(_stamp(path) for path in _files(name)))
        if found:
            raise UserError(found)


def difference(name: str) -> str:
    """The first difference between a lesson's notebooks and its source, and what to do; empty if there is none."""
    reference = lesson.read(name)
    problem = _unlike(name, "reference", reference)
    if problem:
        return f"{problem}. Run: autograde build {name}"
    problem = _unlike(name, "released", _released(name, reference))
    if problem:
        return (f"{problem}. Students work in the copy that `make lab` opens; keep what you need of this file, then "
                f"run: autograde build --no-run {name}")
    return ""


@lru_cache(maxsize=256)
def _difference(name: str, stamps: tuple) -> str:
    """`difference`, once for each state of the files: a formgrader asks before each submission."""
    return difference(name)


def _files(name: str):
    return course.source(name), course.reference(name), course.released(name)


def _stamp(path) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _released(name: str, reference: NotebookNode) -> NotebookNode:
    """The student notebook without its targets: nbgrader's own steps, on a reference that was not run."""
    notebook = nbformat.from_dict(reference)
    resources = {"nbgrader": {"assignment": name, "notebook": name, "student": "."}, "unique_key": name}
    for step in release_preprocessors(save=False):
        notebook, resources = step()(notebook, resources)
    return notebook


def _unlike(name: str, which: str, derived: NotebookNode) -> str:
    """How the committed notebook differs from the derived one where it counts; empty if it does not."""
    path = getattr(course, which)(name)
    where = course.said(path)
    try:
        committed = nbformat.read(path, 4)
    except FileNotFoundError:
        return f"{where} is missing"
    except (OSError, ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        return f"{where} cannot be read ({type(error).__name__})"
    cells = [cell for cell in committed.cells if "target" not in cell.metadata.get("tags", [])]
    for index, (has, should) in enumerate(zip(cells, derived.cells, strict=False)):
        if _counts(has) != _counts(should):
            called = should.metadata.get("nbgrader", {}).get("grade_id") or f"number {index}"
            return f"{where} is not what solutions/{name}.py gives: its cell {called} differs"
    if len(cells) != len(derived.cells):
        return f"{where} is not what solutions/{name}.py gives: it has {len(cells)} cells, not {len(derived.cells)}"
    return ""


def _counts(cell: NotebookNode) -> tuple:
    """What of a cell a grade may depend on."""
    return (cell.cell_type, cell.source, dict(cell.metadata.get("nbgrader", {})), list(cell.metadata.get("tags", [])),
            sorted(cell.get("attachments", {})))
