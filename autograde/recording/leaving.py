"""Taking a submission out of a gradebook, with what people gave it kept, and putting that back if it returns."""

from __future__ import annotations

from datetime import timedelta

from nbgrader import api
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from autograde.recording.sheet import Sheet, find_notebook

_PERSON = ("first_name", "last_name", "email")


def given(session: Session, sheet: Sheet, student: str) -> dict | None:
    """What people gave a student and a submission, as plain JSON types; None if the gradebook does not have it.

    Marks, extra credit and comments by grade id, the extension in seconds, the student's name and address.
    """
    submission = _submission(session, sheet, student)
    if submission is None:
        return None
    notebook = session.scalar(find_notebook(sheet, student))
    names = {cell.id: cell.name for cell in sheet.grades}
    marks = {names[row.cell_id]: [row.manual_score, row.extra_credit] for row in session.execute(
        select(api.Grade.cell_id, api.Grade.manual_score, api.Grade.extra_credit)
        .where(api.Grade.notebook_id == notebook)) if row.manual_score is not None or row.extra_credit is not None}
    answers = dict(sheet.solutions)
    comments = {answers[row.cell_id]: row.manual_comment for row in session.execute(
        select(api.Comment.cell_id, api.Comment.manual_comment)
        .where(api.Comment.notebook_id == notebook)) if row.manual_comment}
    person = session.execute(select(*(getattr(api.Student, name) for name in _PERSON))
                             .where(api.Student.id == student)).one()
    return {"marks": marks, "comments": comments, "person": dict(zip(_PERSON, person, strict=True)),
            "extension": submission.extension.total_seconds() if submission.extension else None}


def give_back(session: Session, sheet: Sheet, student: str, kept: dict) -> None:
    """Put back what `given` found, where nobody has given anything since."""
    notebook = session.scalar(find_notebook(sheet, student))
    cells = {cell.name: cell.id for cell in sheet.grades}
    for name, (manual, extra) in kept["marks"].items():
        session.execute(
            update(api.Grade).where(api.Grade.notebook_id == notebook, api.Grade.cell_id == cells.get(name),
                                    api.Grade.manual_score.is_(None), api.Grade.extra_credit.is_(None))
            .values(manual_score=manual, extra_credit=extra,
                    **({} if manual is None else {"needs_manual_grade": True})))  # it may be another answer by now
    answers = {name: cell for cell, name in sheet.solutions}
    for name, comment in kept["comments"].items():
        session.execute(
            update(api.Comment).where(api.Comment.notebook_id == notebook, api.Comment.cell_id == answers.get(name),
                                      api.Comment.manual_comment.is_(None)).values(manual_comment=comment))
    if kept["extension"]:
        session.execute(
            update(api.SubmittedAssignment)
            .where(api.SubmittedAssignment.student_id == student, api.SubmittedAssignment.extension.is_(None),
                   api.SubmittedAssignment.assignment_id == sheet.assignment_id)
            .values(extension=timedelta(seconds=kept["extension"])))
    for name, value in kept["person"].items():
        column = getattr(api.Student, name)
        session.execute(update(api.Student).where(api.Student.id == student, column.is_(None)).values({name: value}))


def take_out(session: Session, sheet: Sheet, student: str, *, out_of_class: bool) -> None:
    """Take a student's submission of a lesson out of the gradebook; the student too, if nothing else is left.

    Who only has not handed in yet (not `out_of_class`) stays a student, and keeps an extension.
    """
    submission = _submission(session, sheet, student)
    if submission is None:
        return
    notebooks = list(session.scalars(
        select(api.SubmittedNotebook.id).where(api.SubmittedNotebook.assignment_id == submission.id)))
    for table in (api.Grade, api.Comment):
        session.execute(delete(table).where(table.notebook_id.in_(notebooks)))
    session.execute(delete(api.SubmittedNotebook).where(api.SubmittedNotebook.id.in_(notebooks)))
    if out_of_class or submission.extension is None:
        session.execute(delete(api.SubmittedAssignment).where(api.SubmittedAssignment.id == submission.id))
    if out_of_class and session.scalar(select(api.SubmittedAssignment.id)
                                       .where(api.SubmittedAssignment.student_id == student).limit(1)) is None:
        session.execute(delete(api.Student).where(api.Student.id == student))


def _submission(session: Session, sheet: Sheet, student: str):
    return session.execute(
        select(api.SubmittedAssignment.id, api.SubmittedAssignment.extension)
        .where(api.SubmittedAssignment.student_id == student,
               api.SubmittedAssignment.assignment_id == sheet.assignment_id)).first()
