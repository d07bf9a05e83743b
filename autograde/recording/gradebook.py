"""The single writer into nbgrader's gradebook.

The gradebook is nbgrader's own (its SQLAlchemy models), so that the formgrader, `nbgrader export` and every other
stock command see what was written. nbgrader's API commits fifteen times for each submission; here a submission is one
transaction: it is there whole, or not at all.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from nbgrader import api, utils
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from autograde.course import UserError
from autograde.intake.roll import name_problem
from autograde.intake.roster import Person
from autograde.recording import due, export, leaving, standing
from autograde.recording.database import Database
from autograde.recording.export import Grade
from autograde.recording.sheet import GradeCell, Sheet, answer_ids, check_id, find_notebook, prepared
from autograde.recording.standing import Late
from autograde.records import Result, Standing, Submission

NO_RESPONSE = "No response."  # nbgrader's words for an untouched answer


class Writer:
    """Writes results into a gradebook, and reads what it holds. A context manager; one a run, in one thread.

    Parameters
    ----------
    db_url, course_id : the gradebook, see `database.Database`.
    late : the penalty for a late submission from (student, score, seconds late), such as the method of an
        nbgrader plugin; None gives none, as nbgrader's own default does.

    Raises
    ------
    UserError : on entering or later, if the database cannot be opened, read or written, or is no gradebook.
    """

    def __init__(self, db_url: str, course_id: str, late: Late | None = None):
        self._database = Database(db_url, course_id)
        self._late = late
        self._sheets: dict[str, Sheet] = {}

    def __enter__(self) -> Writer:
        self._database.__enter__()
        return self

    def __exit__(self, *exc_info) -> None:
        self._database.__exit__(*exc_info)

    def prepare(self, lesson: str) -> None:
        """Make sure the gradebook has the lesson's cells, see `sheet.prepared`; before all else about a lesson."""
        self._sheets[lesson] = prepared(self._database, lesson)

    def record(self, result: Result, submission: Submission, timestamp: datetime | None = None,
               rewritten: frozenset[str] = frozenset()) -> None:
        """Write one submission in one transaction. Recording the same again changes nothing.

        A manual score or comment is never touched. If the automatic score beside it changes, or the written
        answer it was given for (`rewritten`: exercises), the cell is marked for another look.

        Parameters
        ----------
        result, submission : what was graded, and what was handed in.
        timestamp : when it was handed in; None leaves what the gradebook has.
        rewritten : written exercises whose answer is not the one that was graded by hand.
        """
        problem = name_problem(result.student)
        if problem:
            raise UserError(problem)
        sheet = self._sheets[result.lesson]
        with self._database.session() as session:
            notebook = _submitted_notebook(session, sheet, result.student, timestamp)
            _write_grades(session, sheet, notebook, result, submission, rewritten)
            _write_comments(session, sheet, notebook, submission)
            standing.write_penalties(session, sheet, self._late, result.student)

    def holds(self, student: str, lesson: str, record: dict) -> bool:
        """Whether the gradebook has the automatic scores of a journalled record.

        It has not if it is another gradebook than the one the journal was written beside, or an older copy.
        """
        points = {check_id(e["id"]): e["points"] for e in record["exercises"]}
        held = self.standing(student, lesson)
        return held is not None and all(held.marks[cell.name].auto == _auto_score(cell, points)
                                        for cell in self._sheets[lesson].grades if not cell.written)

    def standing(self, student: str, lesson: str) -> Standing | None:
        """What the gradebook holds of a submission now; None if it holds nothing."""
        with self._database.session() as session:
            return standing.read(session, self._sheets[lesson], student).get(student)

    def standings(self, lesson: str, student: str | None = None) -> dict[str, Standing]:
        """What the gradebook holds of every submission of a lesson (or one student's), by student.

        Penalties are worked out first, for the due dates, extensions and marks of now.
        """
        sheet = self._sheets[lesson]
        with self._database.session() as session:
            standing.write_penalties(session, sheet, self._late, student)
            return standing.read(session, sheet, student)

    def recorded(self) -> list[str]:
        """The assignments, lessons of this course or not, for which the gradebook has a submission, in order."""
        with self._database.session() as session:
            return sorted(session.scalars(
                select(api.Assignment.name).distinct()
                .join(api.SubmittedAssignment, api.SubmittedAssignment.assignment_id == api.Assignment.id)
                .join(api.SubmittedNotebook, api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id)))

    def grades(self, assignments: Sequence[str], now: datetime) -> list[Grade]:
        """Every student's grade for some assignments, through nbgrader's own API; see `export.grades`.

        Penalties are as they were written last: ask for the `standings` of a lesson first.
        """
        with self._database.explained():
            try:
                return list(export.grades(self._database.book, assignments, (), now))
            finally:
                self._database.book.db.remove()  # or its transaction would lock out those that follow

    def enrol(self, people: Iterable[Person]) -> tuple[list[str], list[str]]:
        """Write who is in the class; returns whose rows are new and whose changed. What a row leaves empty stays."""
        new, changed = [], []
        with self._database.session() as session:
            known = {student.id: student for student in session.scalars(select(api.Student))}
            for person in people:
                student = known.get(person.id)
                if student is None:
                    student = api.Student(id=person.id)
                    session.add(student)
                    new.append(person.id)
                values = {"first_name": person.first_name, "last_name": person.last_name, "email": person.email,
                          "lms_user_id": person.number}
                values = {name: value for name, value in values.items()
                          if value and getattr(student, name) != value}
                for name, value in values.items():
                    setattr(student, name, value)
                if values and person.id not in new[-1:]:
                    changed.append(person.id)
        return new, changed

    def students(self) -> list[str]:
        """Everybody whom the gradebook knows."""
        with self._database.session() as session:
            return sorted(session.scalars(select(api.Student.id)))

    def due(self, student: str, lesson: str) -> datetime | None:
        """When a student's work is due (UTC without zone), an extension included; None if that was never said."""
        with self._database.session() as session:
            return standing.due(session, self._sheets[lesson], student)

    def due_dates(self, lesson: str) -> tuple[datetime | None, dict[str, datetime]]:
        """When a lesson is due, and by student where they have a date of their own; see `due.read`."""
        with self._database.session() as session:
            return due.read(session, self._sheets[lesson])

    def set_due(self, lesson: str, date: datetime | None, students: Sequence[str] = ()) -> None:
        """Set when a lesson is due (UTC without zone), for everybody or for `students`; see `due`. Raises UserError."""
        with self._database.session() as session:
            if not students:
                due.set_for_all(session, self._sheets[lesson], date)
            for student in students:
                due.set_for(session, self._sheets[lesson], student, date)

    def given(self, student: str, lesson: str) -> dict | None:
        """What people gave a submission, see `leaving.given`; None if the gradebook does not have it."""
        with self._database.session() as session:
            return leaving.given(session, self._sheets[lesson], student)

    def give_back(self, student: str, lesson: str, kept: dict) -> None:
        """Put back what `given` found, for a student who returned."""
        with self._database.session() as session:
            leaving.give_back(session, self._sheets[lesson], student, kept)

    def take_out(self, student: str, lesson: str, *, out_of_class: bool) -> None:
        """Take a submission out of the gradebook, see `leaving.take_out`; keep what was `given` first."""
        with self._database.session() as session:
            leaving.take_out(session, self._sheets[lesson], student, out_of_class=out_of_class)


def timestamp_of(folder: Path) -> tuple[datetime | None, str]:
    """When a submission was handed in (UTC, without zone), from the ``timestamp.txt`` nbgrader leaves beside it.

    Returns None where there is none, and a sentence if there is one that cannot be read.
    """
    path = folder / "timestamp.txt"
    try:
        # The folder is the student's: a link or a device in it is not followed.
        if not stat.S_ISREG(path.lstat().st_mode):
            return None, "timestamp.txt is not a file, so the time of submission is unknown"
        with path.open("rb") as file:
            text = file.read(200).decode("utf-8").strip()
        return (utils.parse_utc(text), "") if text else (None, "timestamp.txt is empty")
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError, OverflowError, TypeError):
        return None, "timestamp.txt does not hold a time, so the time of submission is unknown"


# One submission ---------------------------------------------------------------------------------------

def _submitted_notebook(session: Session, sheet: Sheet, student: str, timestamp: datetime | None) -> str:
    """The id of the student's notebook row; student, submission and notebook are made if they are new."""
    timestamp = utils.parse_utc(timestamp)
    if session.scalar(select(api.Student.id).where(api.Student.id == student)) is None:
        session.add(api.Student(id=student))
        session.flush()
    found = session.execute(
        select(api.SubmittedAssignment.id, api.SubmittedAssignment.timestamp)
        .where(api.SubmittedAssignment.student_id == student,
               api.SubmittedAssignment.assignment_id == sheet.assignment_id)).first()
    if found is None:
        submission = api.SubmittedAssignment(id=api.new_uuid(), assignment_id=sheet.assignment_id,
                                             student_id=student, timestamp=timestamp)
        session.add(submission)
        session.flush()
        submission_id = submission.id
    else:
        submission_id = found.id
        if timestamp is not None and timestamp != found.timestamp:
            session.execute(update(api.SubmittedAssignment), [{"id": submission_id, "timestamp": timestamp}])
    known = set(session.scalars(select(api.SubmittedNotebook.notebook_id)
                                .where(api.SubmittedNotebook.assignment_id == submission_id)))
    session.add_all([api.SubmittedNotebook(id=api.new_uuid(), assignment_id=submission_id, notebook_id=notebook)
                     for notebook in (sheet.notebook_id, *sheet.other_notebooks) if notebook not in known])
    session.flush()
    return session.scalar(find_notebook(sheet, student))


def _auto_score(cell: GradeCell, points: dict[str, float]) -> float:
    score = float(points.get(cell.name, 0.0))
    return min(max(score, 0.0), cell.max_score) if math.isfinite(score) else 0.0


def _write_grades(session: Session, sheet: Sheet, notebook: str, result: Result, submission: Submission,
                  rewritten: frozenset[str]) -> None:
    """A row for every grade cell of the skeleton, whatever the submitted notebook has."""
    points = {check_id(v.exercise): v.points for v in result.verdicts}
    untouched = _untouched(sheet, submission)
    again = answer_ids(rewritten)
    rows = {row.cell_id: row for row in session.execute(
        select(api.Grade.id, api.Grade.cell_id, api.Grade.auto_score, api.Grade.manual_score,
               api.Grade.needs_manual_grade)
        .where(api.Grade.notebook_id == notebook).with_for_update())}
    new, changed = [], []
    for cell in sheet.grades:
        to_read = cell.written and cell.name not in untouched
        auto = None if to_read else 0.0 if cell.written else _auto_score(cell, points)
        row = rows.get(cell.id)
        if row is None:
            new.append(api.Grade(cell_id=cell.id, notebook_id=notebook, auto_score=auto, needs_manual_grade=to_read))
            continue
        look = to_read if row.manual_score is None else (
            row.needs_manual_grade or auto != row.auto_score or cell.name in again)
        if (row.auto_score, row.needs_manual_grade) != (auto, look):
            changed.append({"id": row.id, "auto_score": auto, "needs_manual_grade": look})
    session.add_all(new)
    if changed:
        session.execute(update(api.Grade), changed)
    session.flush()


def _write_comments(session: Session, sheet: Sheet, notebook: str, submission: Submission) -> None:
    untouched = _untouched(sheet, submission)
    rows = {row.cell_id: row for row in session.execute(
        select(api.Comment.id, api.Comment.cell_id, api.Comment.auto_comment)
        .where(api.Comment.notebook_id == notebook).with_for_update())}
    new, changed = [], []
    for cell_id, name in sheet.solutions:
        comment = NO_RESPONSE if name in untouched and submission.notebook is not None else None
        if cell_id not in rows:
            new.append(api.Comment(cell_id=cell_id, notebook_id=notebook, auto_comment=comment))
        elif rows[cell_id].auto_comment != comment:
            changed.append({"id": rows[cell_id].id, "auto_comment": comment})
    session.add_all(new)
    if changed:
        session.execute(update(api.Comment), changed)
    session.flush()


def _untouched(sheet: Sheet, submission: Submission) -> set[str]:
    """The grade ids of answers, coded or written, that are still as they were handed out."""
    cells = submission.notebook.cells if submission.notebook is not None else []
    text = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in cells}
    same = {name for name, stub in sheet.stubs.items() if text.get(name, "").strip() in (stub.strip(), "")}
    return answer_ids(submission.untouched) | same
