"""What a gradebook holds now: marks, people's and the checks', and penalties by the due dates of today."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from nbgrader import api
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from autograde.recording.sheet import Sheet
from autograde.records import Mark, Standing

Late = Callable[[str, float, float], float | None]


def read(session: Session, sheet: Sheet, student: str | None = None) -> dict[str, Standing]:
    """Every submission of a lesson, or one student's, by student."""
    rows = session.execute(_of(student, _submissions(sheet))).all()
    whose = {row.id: row.student for row in rows}
    marks: dict[str, dict[str, tuple]] = {row.id: {} for row in rows}
    for row in session.execute(_of(student, _joined(sheet, select(
            api.Grade.notebook_id, api.Grade.cell_id, api.Grade.auto_score, api.Grade.manual_score,
            api.Grade.extra_credit, api.Grade.needs_manual_grade), api.Grade))):
        marks[row.notebook_id][row.cell_id] = row
    comments: dict[str, dict[str, str]] = {row.id: {} for row in rows}
    for row in session.execute(_of(student, _joined(sheet, select(
            api.Comment.notebook_id, api.Comment.cell_id, api.Comment.manual_comment), api.Comment))):
        comments[row.notebook_id][row.cell_id] = row.manual_comment or ""
    answers = {name: cell for cell, name in sheet.solutions}
    return {whose[row.id]: Standing(
        row.student, sheet.lesson,
        {cell.name: _mark(cell, marks[row.id].get(cell.id),
                          comments[row.id].get(answers.get(cell.name.removesuffix("-check")), ""))
         for cell in sheet.grades},
        row.penalty or 0.0, row.timestamp,
        None if row.duedate is None else row.duedate + (row.extension or timedelta())) for row in rows}


def write_penalties(session: Session, sheet: Sheet, late: Late | None, student: str | None = None) -> None:
    """Every penalty of a lesson, or one student's, as the due dates, extensions and scores of now give it.

    As nbgrader's AssignLatePenalties: between nothing and the whole score.
    """
    scores = dict(map(tuple, session.execute(_of(student, _joined(
        sheet, select(api.Grade.notebook_id, func.sum(api.Grade.score)), api.Grade)).group_by(api.Grade.notebook_id))))
    changed = []
    for row in session.execute(_of(student, _submissions(sheet))):
        penalty = None
        if late is not None and row.timestamp is not None and row.duedate is not None:
            seconds = (row.timestamp - row.duedate - (row.extension or timedelta())).total_seconds()
            if seconds > 0:
                score = scores.get(row.id) or 0.0
                penalty = late(row.student, score, seconds)
                penalty = None if penalty is None else min(max(float(penalty), 0.0), score)
        if penalty != row.penalty:
            changed.append({"id": row.id, "late_submission_penalty": penalty})
    if changed:
        session.execute(update(api.SubmittedNotebook), changed)


def due(session: Session, sheet: Sheet, student: str) -> datetime | None:
    """When a student's work is due, whether or not there is any; None if that was never said."""
    date = session.scalar(select(api.Assignment.duedate).where(api.Assignment.id == sheet.assignment_id))
    extension = session.scalar(select(api.SubmittedAssignment.extension).where(
        api.SubmittedAssignment.student_id == student, api.SubmittedAssignment.assignment_id == sheet.assignment_id))
    return None if date is None else date + (extension or timedelta())


def _mark(cell, row, comment: str) -> Mark:
    if row is None:
        return Mark(cell.max_score, cell.written, comment=comment)
    return Mark(cell.max_score, cell.written, row.auto_score, row.manual_score, row.extra_credit,
                row.needs_manual_grade, comment)


def _submissions(sheet: Sheet):
    return (select(api.SubmittedNotebook.id, api.SubmittedAssignment.student_id.label("student"),
                   api.SubmittedAssignment.timestamp, api.SubmittedAssignment.extension, api.Assignment.duedate,
                   api.SubmittedNotebook.late_submission_penalty.label("penalty"))
            .join(api.SubmittedAssignment, api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id)
            .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
            .where(api.SubmittedNotebook.notebook_id == sheet.notebook_id))


def _joined(sheet: Sheet, query, table):
    """A query about the rows of `table` that belong to the lesson's notebook."""
    return (query.join(api.SubmittedNotebook, api.SubmittedNotebook.id == table.notebook_id)
            .join(api.SubmittedAssignment, api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id)
            .where(api.SubmittedNotebook.notebook_id == sheet.notebook_id))


def _of(student: str | None, query):
    return query if student is None else query.where(api.SubmittedAssignment.student_id == student)
