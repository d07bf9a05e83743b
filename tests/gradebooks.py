"""A gradebook as plain data, so that two can be compared."""

from __future__ import annotations

from nbgrader.api import Gradebook


def contents(db_url: str, lesson: str) -> dict:
    """Every submission's grades and comments by student and cell: what must not depend on how a run went."""
    with Gradebook(db_url) as book:
        return {
            submission.student_id: {
                "grades": {g.name: (g.auto_score, g.manual_score, g.needs_manual_grade)
                           for notebook in submission.notebooks for g in notebook.grades},
                "comments": {c.name: (c.auto_comment, c.manual_comment)
                             for notebook in submission.notebooks for c in notebook.comments},
            }
            for submission in book.assignment_submissions(lesson)
        }
