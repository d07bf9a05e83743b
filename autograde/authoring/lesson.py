"""A lesson's hand-written source, read: jupytext ``py:percent`` with a short form in the cell headers.

=============================  =====================================================================
``# %% solution="lstm.step"``  the student writes this cell; the code between ``### BEGIN SOLUTION`` and
                               ``### END SOLUTION`` is replaced by a stub
``# %% check="lstm.step"``     the locked test cell; its points are the oracle's
``# %% [markdown] written="lstm.why" points=3``   a written answer, graded by hand
``# %% tags=["demo"]``         a cell that trains or draws for show: grading skips it
``# %% tags=["demo", "diagram"]``   its figure is the same for everybody: it is not attached as a target
``# %% tolerance=0.03``        how far a number this cell prints may lie from the committed one on another processor
=============================  =====================================================================

In prose, ``{points}`` and ``{minutes}`` are filled in: the lesson's totals, or an exercise's points in its own cell.
"""

from __future__ import annotations

import hashlib
import re

import jupytext
import nbformat
from nbformat.notebooknode import NotebookNode

from autograde import course
from autograde.course import UserError
from autograde.judging import oracles, rules

KINDS = ("solution", "check", "written")

# Three lessons were sat with a clock (140, 165 and 200 minutes): beside what the exercises say they take, a student
# reads so many words of prose, and so many lines of code, in a minute. Hints are counted as part of an exercise.
WORDS_A_MINUTE, LINES_A_MINUTE = 80, 12
EXERCISE = re.compile(r"^\*\*Exercise `([\w.]+)`\*\* · [●○]{5} · (\d+) min · (\S+) points?\\?$", re.M)


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
        metadata = {key: cell.metadata[key] for key in ("tags", "tolerance") if cell.metadata.get(key)}
        kind = next((k for k in KINDS if k in cell.metadata), None)
        if kind:
            metadata["nbgrader"] = _nbgrader(lesson, kind, cell.metadata[kind], cell)
            name = metadata["nbgrader"]["grade_id"]
        else:
            name = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[name] = seen.get(name, 0) + 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"
        cell.metadata = nbformat.from_dict(metadata)
    _fill_in(notebook)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def minutes(notebook: NotebookNode) -> int:
    """How long a lesson takes a student, to the nearest five minutes: its exercises and questions, prose, code."""
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    exercises = sum(int(found) for found in re.findall(r"^\*\*.*\*\* · .*?(\d+) min ·", prose, re.M))
    words = len(re.sub(r"<details>.*?</details>", "", prose, flags=re.S).split())
    lines = sum(cell.source.count("\n") + 1 for cell in notebook.cells
                if cell.cell_type == "code" and "nbgrader" not in cell.metadata)
    return 5 * round((exercises + words / WORDS_A_MINUTE + lines / LINES_A_MINUTE) / 5)


def _fill_in(notebook: NotebookNode) -> None:
    """What the oracles know goes into the prose: ``{points}`` and ``{minutes}`` become what exercises and written
    questions add up to, and below an exercise's first line stands what its answer may not use."""
    total = sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in notebook.cells)
    spent = minutes(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            exercise = EXERCISE.search(cell.source)
            points = oracles.get(exercise[1]).points if exercise and exercise[3] == "{points}" else total
            cell.source = cell.source.replace("{points}", f"{points:g}").replace("{minutes}", str(spent))
            cell.source = EXERCISE.sub(_with_rule, cell.source)


def _with_rule(line: re.Match) -> str:
    rule = rules.in_words(oracles.get(line[1]).forbids)
    return f"{line[0]}\\\n{rule}" if rule else line[0]


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
