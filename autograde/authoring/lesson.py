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

import jupytext
import nbformat
from nbformat.notebooknode import NotebookNode

from autograde import course
from autograde.course import UserError
from autograde.judging import oracles

KINDS = ("solution", "check", "written")


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
