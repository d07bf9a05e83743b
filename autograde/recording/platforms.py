"""Grades in the form in which a learning platform takes them in: a file for each of its import pages.

Canvas: the columns and the row of maxima that its gradebook importer looks for (lib/gradebook_importer.rb). Moodle: a
column for each of the three things it finds a user by (grade/import/csv), and its hyphen for no grade. Brightspace:
"Importing grades" of D2L's documentation, with the number signs of its own exports. Gradescope has no import of grades:
there an "autograder" looks each student's result up and runs nothing (gradescope-autograders.readthedocs.io).
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograde.recording.export import COLUMNS, Grade, rounded, write_table

_GRADESCOPE = Path(__file__).parent / "templates"
_EPOCH = (2000, 1, 1, 0, 0, 0)  # the same grades give the same archive


@dataclass(frozen=True)
class Target:
    """Where grades can go: the file or folder by default, and what to do with it."""

    file: str
    then: str


TARGETS = {
    "canvas": Target("canvas.csv", "in Canvas: Grades, Import, upload the file; it shows what would change before "
                     "anything does"),
    "moodle": Target("moodle.csv", "in Moodle: Grades, Import, CSV file, encoding UTF-8; identify users by Username, "
                     "ID number or Email address, and map each lesson to its grade item"),
    "gradescope": Target("gradescope", "in Gradescope: the lesson's assignment, Configure Autograder, upload its zip, "
                         "Regrade All; it looks results up and runs no student's code"),
    "brightspace": Target("brightspace.csv", "in Brightspace: Grades, Enter Grades, Import"),
    "csv": Target("grades.csv", "in a spreadsheet: Data, From Text/CSV, UTF-8, comma"),
    "json": Target("grades.json", "in a program of yours: a list with a record a student and lesson"),
}


def table(target: str, grades: Sequence[Grade], columns: Mapping[str, str]) -> str:
    """The grades as the CSV file of a platform.

    Parameters
    ----------
    target : ``canvas``, ``moodle``, ``brightspace`` or ``csv``.
    grades : of every student for every assignment, students in the order wanted.
    columns : what the platform calls an assignment, where that is not its name here.
    """
    rows, nothing = {"canvas": (_canvas, ""), "moodle": (_moodle, "-"), "brightspace": (_brightspace, ""),
                     "csv": (_nbgrader, "")}[target]
    file = io.StringIO()
    write_table(file, rows(grades, columns), nothing)
    return file.getvalue()


def _nbgrader(grades: Sequence[Grade], columns: Mapping[str, str]) -> list[Sequence]:
    return [COLUMNS, *([columns.get(grade.assignment, grade.assignment), *(getattr(grade, c) for c in COLUMNS[1:])]
                       for grade in grades)]


def _canvas(grades: Sequence[Grade], columns: Mapping[str, str]) -> list[Sequence]:
    maxima = _maxima(grades)
    return [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *(columns.get(n, n) for n in maxima)],
            ["    Points Possible", "", "", "", "", *maxima.values()],
            *([_family_first(one), one.number, "", one.student_id, "", *scores]
              for one, scores in _by_student(grades, list(maxima)))]


def _moodle(grades: Sequence[Grade], columns: Mapping[str, str]) -> list[Sequence]:
    maxima = _maxima(grades)
    return [["First name", "Last name", "Username", "ID number", "Email address",
             *(columns.get(name, name) for name in maxima)],
            *([one.first_name, one.last_name, one.student_id, one.number, one.email, *scores]
              for one, scores in _by_student(grades, list(maxima)))]


def _brightspace(grades: Sequence[Grade], columns: Mapping[str, str]) -> list[Sequence]:
    """Ids begin with a number sign, as Brightspace itself writes them: 007 stays 007, and nothing is a formula."""
    maxima = _maxima(grades)
    return [["OrgDefinedId", "Username", *(f"{columns.get(name, name)} Points Grade" for name in maxima),
             "End-of-Line Indicator"],
            *([f"#{one.number}" if one.number else "", f"#{one.student_id}", *scores, "#"]
              for one, scores in _by_student(grades, list(maxima)))]


def _maxima(grades: Sequence[Grade]) -> dict[str, float]:
    return {grade.assignment: grade.max_score for grade in grades}


def _by_student(grades: Sequence[Grade], names: Sequence[str]) -> list[tuple[Grade, list[float | None]]]:
    """Each student (any of their grades) with the scores, in the order of `names`."""
    found: dict[str, dict[str, Grade]] = {}
    for grade in grades:
        found.setdefault(grade.student_id, {})[grade.assignment] = grade
    return [(next(iter(own.values())), [own[name].score for name in names]) for own in found.values()]


def _family_first(one: Grade) -> str:
    return ", ".join(filter(None, (one.last_name, one.first_name))) or one.student_id


# Gradescope -------------------------------------------------------------------------------------------

def gradescope(grades: Sequence[Grade], marks: Mapping[str, Sequence[Mapping]]) -> bytes:
    """A zip for "Configure Autograder" of one lesson: it gives each student what the gradebook holds.

    Parameters
    ----------
    grades : of one assignment.
    marks : each student's exercises, as `everything` has them.
    """
    results = {f"{number:04d}": (grade, _gradescope_result(grade, marks.get(grade.student_id, ())))
               for number, grade in enumerate(grades) if grade.score is not None}
    who: dict[str, str] = {}
    for number, (grade, _) in results.items():
        names = (grade.email, grade.number, grade.student_id, f"{grade.first_name} {grade.last_name}".strip())
        for name in {" ".join(name.casefold().split()) for name in names if name.strip()}:
            who[name] = "" if name in who else number  # two students of one name: neither is found by it
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {
                "setup.sh": (_GRADESCOPE / "gradescope_setup.sh").read_text(encoding="utf-8"),
                "run_autograder": (_GRADESCOPE / "gradescope_run.py").read_text(encoding="utf-8"),
                "students.json": _as_json({name: number for name, number in who.items() if number}),
                **{f"results/{number}.json": _as_json(result) for number, (_, result) in results.items()}}.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o755 << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _gradescope_result(grade: Grade, marks: Sequence[Mapping]) -> dict:
    said = []
    if not grade.handed_in:
        said.append("Nothing was handed in.")
    if grade.late_submission_penalty:
        said.append(f"A late penalty of {rounded(grade.late_submission_penalty)} points is taken off.")
    if grade.unread:
        said.append(f"{rounded(grade.unread)} points wait for a person to read what you wrote.")
    tests = [{"name": mark["exercise"], "score": mark["score"], "max_score": mark["max_score"],
              "output": mark["comment"], "output_format": "text"} for mark in marks]
    return {"score": rounded(grade.score), "output": " ".join(said), "output_format": "text",
            "visibility": "visible", "tests": tests}


# Everything -------------------------------------------------------------------------------------------

def everything(grades: Sequence[Grade], marks: Mapping[tuple[str, str], Sequence[Mapping]],
               statuses: Mapping[tuple[str, str], str], columns: Mapping[str, str]) -> str:
    """The grades as JSON: a record a student and assignment, with the marks of each exercise.

    Parameters
    ----------
    marks, statuses : by (student, assignment): each exercise, and how the submission ended.
    columns : what to call an assignment, where that is not its name here.
    """
    records = []
    for grade in grades:
        key = grade.student_id, grade.assignment
        records.append({
            "student": grade.student_id, "first_name": grade.first_name, "last_name": grade.last_name,
            "email": grade.email, "number": grade.number, "lesson": columns.get(grade.assignment, grade.assignment),
            "status": statuses.get(key, "graded" if grade.handed_in else "missing"),
            "handed_in": grade.timestamp and f"{grade.timestamp.isoformat()}Z",
            "due": grade.duedate and f"{grade.duedate.isoformat()}Z",
            **{name: None if points is None else rounded(points) for name, points in (
                ("raw_score", grade.raw_score), ("late_penalty", grade.late_submission_penalty),
                ("score", grade.score), ("max_score", grade.max_score), ("unread", grade.unread))},
            "exercises": list(marks.get(key, ()))})
    return _as_json(records)


def _as_json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
