"""The table of grades: nbgrader's columns, with what is true now and quoting that a spreadsheet understands."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from nbgrader import api

COLUMNS = ("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
           "late_submission_penalty", "score", "max_score")


def write(book: api.Gradebook, path: Path, assignments: Sequence[str], students: Sequence[str], now: datetime) -> None:
    """Write a row for each student and assignment; empty `assignments` or `students` mean all.

    Who has handed in nothing has 0 points once it is due, and until then (`now`: UTC without zone) no score.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(_rows(book, assignments, students, now))


def _rows(book: api.Gradebook, assignments, students, now: datetime) -> Iterator[list]:
    for assignment in book.assignments:
        if assignments and assignment.name not in assignments:
            continue
        submissions = {submission.student_id: submission for submission in assignment.submissions}
        for student in book.students:
            if not students or student.id in students:
                yield [assignment.name, assignment.duedate,
                       *_points(assignment, student, submissions.get(student.id), now), assignment.max_score]


def _points(assignment, student, submission, now: datetime) -> list:
    who = [_no_formula(text) for text in (student.id, student.last_name, student.first_name, student.email)]
    if submission is not None and submission.notebooks:
        penalty = submission.late_submission_penalty
        return [submission.timestamp, *who, submission.score, penalty, max(0.0, submission.score - penalty)]
    extension = (submission.extension if submission is not None else None) or timedelta()
    if assignment.duedate is not None and now < assignment.duedate + extension:
        return [None, *who, None, None, None]
    return [None, *who, 0.0, 0.0, 0.0]


def _no_formula(text: str | None) -> str | None:
    """A spreadsheet takes what begins like this for a formula, and runs it."""
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text
