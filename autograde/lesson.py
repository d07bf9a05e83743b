"""A lesson's hand-written source, read: jupytext ``py:percent`` with a short form in the cell headers.

=============================  =====================================================================
``# %% solution="lstm.step"``  the student writes this cell; the code between ``### BEGIN SOLUTION`` and
                               ``### END SOLUTION`` is replaced by a stub
``# %% check="lstm.step"``     the locked test cell; its points are the oracle's
``# %% [markdown] written="lstm.why" points=3``   a written answer, graded by hand
``# %% tags=["demo"]``         a cell that trains or draws for show: grading skips it
=============================  =====================================================================
"""

from __future__ import annotations

import hashlib
import re

import jupytext
import nbformat
from nbformat.notebooknode import NotebookNode

from autograde import course, oracles
from autograde.course import UserError

KINDS = ("solution", "check", "written")
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


def read(lesson: str) -> NotebookNode:
    """The lesson as a notebook without outputs, its nbgrader metadata filled in.

    Raises UserError if the source names an exercise the oracles do not have.
    """
    notebook = jupytext.reads(course.source(lesson).read_text(encoding="utf-8"), fmt="py:percent")
    notebook.metadata = nbformat.from_dict({
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    })
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        metadata = {"tags": list(cell.metadata.get("tags", []))} if cell.metadata.get("tags") else {}
        kind = next((k for k in KINDS if k in cell.metadata), None)
        if kind:
            metadata["nbgrader"] = _nbgrader(lesson, kind, cell.metadata[kind], cell)
            name = metadata["nbgrader"]["grade_id"]
        else:
            name = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[name] = seen.get(name, 0) + 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"
        cell.metadata = nbformat.from_dict(metadata)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _nbgrader(lesson: str, kind: str, exercise: str, cell: NotebookNode) -> dict:
    grade_id = exercise.replace(".", "-")
    metadata = {
        "grade": kind != "solution", "solution": kind != "check", "locked": kind == "check", "task": False,
        "grade_id": grade_id if kind != "check" else f"{grade_id}-check", "schema_version": 3,
        "cell_type": cell.cell_type,
    }
    if kind == "check":
        try:
            metadata["points"] = oracles.get(exercise).points
        except KeyError:
            raise UserError(f"{lesson}: no oracle has an exercise called {exercise!r}") from None
    elif kind == "written":
        metadata["points"] = float(cell.metadata["points"])
    return metadata


def kind_of(cell: NotebookNode) -> str:
    """``solution``, ``check``, ``written``, ``demo``, ``code`` or ``markdown``."""
    grader = cell.metadata.get("nbgrader", {})
    if grader.get("solution"):
        return "written" if grader.get("grade") else "solution"
    if grader.get("grade"):
        return "check"
    if cell.cell_type == "code":
        return "demo" if "demo" in cell.metadata.get("tags", []) else "code"
    return "markdown"


def exercise_of(cell: NotebookNode) -> str:
    """The exercise a solution or check cell belongs to: ``"lstm.step"``."""
    return cell.metadata.nbgrader.grade_id.removesuffix("-check").replace("-", ".", 1)


def answer(cell: NotebookNode) -> str:
    """A solution cell's source without the two marker lines: what a student's right answer looks like."""
    return re.sub(rf"^ *({re.escape(BEGIN)}|{re.escape(END)}) *\n?", "", cell.source, flags=re.M)
