"""The table of grades: what is true now, a row for each student and assignment, and text that no spreadsheet runs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

from nbgrader import api

COLUMNS = ("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
           "late_submission_penalty", "score", "max_score")


@dataclass(frozen=True)
class Grade:
    """One student's grade for one assignment. Times are UTC without zone.

    The three scores are None where nothing was handed in and nothing is due yet. `number` is what a platform itself
    calls the student; `unread` are points that wait for a person to read an answer.
    """

    assignment: str
    duedate: datetime | None
    timestamp: datetime | None
    student_id: str
    last_name: str
    first_name: str
    email: str
    raw_score: float | None
    late_submission_penalty: float | None
    score: float | None
    max_score: float
    number: str = ""
    handed_in: bool = False
    unread: float = 0.0


def write(book: api.Gradebook, path: Path, assignments: Sequence[str], students: Sequence[str], now: datetime) -> None:
    """Write nbgrader's columns, a row for each student and assignment; empty `assignments` or `students` mean all."""
    with path.open("w", encoding="utf-8", newline="") as file:
        write_table(file, [COLUMNS, *([getattr(grade, column) for column in COLUMNS]
                                      for grade in grades(book, assignments, students, now))])


def write_table(file: TextIO, rows: Iterable[Sequence], nothing: str = "") -> None:
    """Rows as CSV: text in quotes and safe in a spreadsheet, numbers bare, `nothing` where there is None."""
    table = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for row in rows:
        table.writerow([rounded(cell) if isinstance(cell, int | float) else nothing if cell is None else safe(str(cell))
                        for cell in row])


def rounded(points: float) -> float | int:
    """Points without the noise of binary fractions: 7.3, not 7.300000000000001; 8, not 8.0."""
    kept = round(float(points), 6)
    return int(kept) if kept.is_integer() else kept


def safe(text: str) -> str:
    """Text in which a spreadsheet finds no formula to run: an apostrophe stands before what could begin one.

    At the beginning, and after what the spreadsheets of some countries take for the end of a cell.
    """
    inside = re.sub(r'([;\t\r\n][\s"]*)(?=[=+\-@＝＋－＠])', r"\1'", text)
    return f"'{inside}" if re.match(r"\s*[=+\-@＝＋－＠]|[\t\r]", text) else inside


def grades(book: api.Gradebook, assignments: Sequence[str], students: Sequence[str], now: datetime) -> Iterator[Grade]:
    """A grade for each student and assignment of a gradebook; empty `assignments` or `students` mean all.

    Who has handed in nothing has 0 points once it is due, and until then (`now`: UTC without zone) no score.
    """
    for assignment in book.assignments:
        if assignments and assignment.name not in assignments:
            continue
        submissions = {submission.student_id: submission for submission in assignment.submissions}
        unread = _unread(book, assignment)
        for student in sorted(book.students, key=lambda s: (s.last_name or "", s.first_name or "", s.id)):
            if not students or student.id in students:
                submission = submissions.get(student.id)
                timestamp, *scores, handed_in = _points(assignment, submission, now)
                yield Grade(assignment.name, assignment.duedate, timestamp, student.id, student.last_name or "",
                            student.first_name or "", student.email or "", *scores, assignment.max_score,
                            student.lms_user_id or "", handed_in, unread.get(student.id, 0.0))


def _points(assignment, submission, now: datetime) -> tuple:
    """When it was handed in, score, penalty, what remains, and whether there is a submission."""
    if submission is not None and submission.notebooks:
        penalty = submission.late_submission_penalty
        return submission.timestamp, submission.score, penalty, max(0.0, submission.score - penalty), True
    extension = (submission.extension if submission is not None else None) or timedelta()
    if assignment.duedate is not None and now < assignment.duedate + extension:
        return None, None, None, None, False
    return None, 0.0, 0.0, 0.0, False


def _unread(book: api.Gradebook, assignment) -> dict[str, float]:
    """Points of written answers that nobody has read yet, by student."""
    waiting = (book.db.query(api.SubmittedAssignment.student_id, api.GradeCell.max_score)
               .select_from(api.Grade)
               .join(api.SubmittedNotebook, api.SubmittedNotebook.id == api.Grade.notebook_id)
               .join(api.SubmittedAssignment, api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id)
               .join(api.GradeCell, api.GradeCell.id == api.Grade.cell_id)
               .filter(api.SubmittedAssignment.assignment_id == assignment.id, api.Grade.needs_manual_grade,
                       api.Grade.manual_score.is_(None)))
    found: dict[str, float] = {}
    for student, points in waiting:
        found[student] = found.get(student, 0.0) + points
    return found
