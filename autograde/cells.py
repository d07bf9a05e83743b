"""What the cells of a lesson are: told by nbgrader's metadata, the same in reference, release and submission."""

from __future__ import annotations

import re

from nbformat.notebooknode import NotebookNode

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


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


def answer_of(cell: NotebookNode) -> str:
    """A solution cell's source without the two marker lines: what a student's right answer looks like."""
    return re.sub(rf"^ *({re.escape(BEGIN)}|{re.escape(END)}) *\n?", "", cell.source, flags=re.M)
