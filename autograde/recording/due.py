"""Due dates of a lesson, and of one student where it was extended: what nbgrader's commands cannot set."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nbgrader import api
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from autograde.course import UserError
from autograde.recording.sheet import Sheet


def read(session: Session, sheet: Sheet) -> tuple[datetime | None, dict[str, datetime]]:
    """The lesson's due date (UTC without zone, None if there is none) and, by student, the dates of their own."""
    date = session.scalar(select(api.Assignment.duedate).where(api.Assignment.id == sheet.assignment_id))
    rows = session.execute(
        select(api.SubmittedAssignment.student_id, api.SubmittedAssignment.extension)
        .where(api.SubmittedAssignment.assignment_id == sheet.assignment_id,
               api.SubmittedAssignment.extension.is_not(None))).all()
    return date, {} if date is None else {row.student_id: date + row.extension for row in rows if row.extension}


def set_for_all(session: Session, sheet: Sheet, date: datetime | None) -> None:
    """Set or take away a lesson's due date. Extensions are counted from it, so they move along."""
    session.execute(update(api.Assignment).where(api.Assignment.id == sheet.assignment_id).values(duedate=date))


def set_for(session: Session, sheet: Sheet, student: str, date: datetime | None) -> None:
    """Give one student a date of their own, whether or not they have handed in; None: the lesson's again.

    Raises UserError for a student whom the gradebook does not know, and where there is no due date to extend.
    """
    common = session.scalar(select(api.Assignment.duedate).where(api.Assignment.id == sheet.assignment_id))
    if common is None:
        raise UserError(f"{sheet.lesson} has no due date yet that could be extended; set one for everybody first")
    if session.scalar(select(api.Student.id).where(api.Student.id == student)) is None:
        raise UserError(f"the gradebook has no student {student!r}; "
                        f"a new one is added with: nbgrader db student add {student}")
    extension = None if date is None else date - common
    submission = session.scalar(
        select(api.SubmittedAssignment.id).where(api.SubmittedAssignment.student_id == student,
                                                 api.SubmittedAssignment.assignment_id == sheet.assignment_id))
    if submission is not None:
        session.execute(update(api.SubmittedAssignment), [{"id": submission, "extension": extension}])
    elif extension is not None:
        session.add(api.SubmittedAssignment(id=api.new_uuid(), assignment_id=sheet.assignment_id, student_id=student,
                                            extension=extension))


def moment(text: str) -> datetime | None:
    """A date and time such as ``2026-03-01 23:59 Europe/Madrid``, in UTC without zone; None for ``none``.

    Without a zone it is UTC, as everywhere in nbgrader. Raises UserError for what is no date, has no time of the day,
    or names a zone that there is not: nbgrader would take that for UTC.
    """
    if text.strip().lower() == "none":
        return None
    said = re.fullmatch(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?) ?(\S*)", text.strip())
    try:
        date, zone = datetime.fromisoformat(said[1]), said[2] or "UTC"
    except (TypeError, ValueError):
        raise UserError(f"{text!r} is no date and time; write '2026-03-01 23:59 Europe/Madrid', or 'none'") from None
    try:
        date = date.replace(tzinfo=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(f"there is no time zone {zone!r}; they are named like Europe/Madrid or UTC") from None
    return date.astimezone(UTC).replace(tzinfo=None)
