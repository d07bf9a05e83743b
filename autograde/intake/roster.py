"""A roster: who is in the class, and what platforms call them, from a CSV file as a platform exports it.

The list of participants or grades of Canvas, Moodle, Gradescope and Brightspace is known by its column names; any
other table needs one column that holds the student's id. Nothing is guessed: a row that names nobody, or somebody
twice, is listed with its line.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograde.course import UserError
from autograde.intake.roll import LONGEST, name_problem, spelled
from autograde.text import shown

# What a platform is known by, and where it keeps the student's id: the first of these columns that is not empty.
# Column names are compared in lower case, letters and digits only.
PLATFORMS = {
    "Canvas": ({"student", "id", "sisloginid"}, ("sisloginid", "sisuserid", "id")),
    "Brightspace": ({"orgdefinedid"}, ("username", "orgdefinedid")),
    "Gradescope": ({"sid", "email"}, ("sid", "email")),
    "Moodle": ({"emailaddress", "firstname"}, ("username", "idnumber", "emailaddress")),
}
_IDS = ("student", "studentid", "id", "login", "loginid", "username")
_FIRST = ("firstname", "first", "givenname", "forename")
_LAST = ("lastname", "last", "surname", "familyname")
_WHOLE = ("name", "fullname", "studentname")
_MAIL = ("email", "emailaddress", "mail")
# The number that the platform itself knows a student by: nbgrader's `lms_user_id`.
_NUMBER = {"Canvas": ("id",), "Moodle": ("idnumber",), "Gradescope": ("sid",), "Brightspace": ("orgdefinedid",)}
_STUDENTS = ("student", "learner", "")


@dataclass(frozen=True)
class Person:
    """One student: nbgrader's fields, and everything that the row calls them (`calls`)."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    number: str = ""
    calls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roster:
    """The platform it looks like (empty for none), its students by id, and what cannot be one, a line each."""

    platform: str
    people: dict[str, Person]
    problems: tuple[str, ...] = ()


def read(path: Path) -> Roster:
    """The roster in a CSV file: UTF-8, or UTF-16 with a mark; commas, semicolons or tabs.

    Raises UserError if it cannot be read or has no row of column names and a row a student.
    """
    try:
        text = _decoded(path.read_bytes())
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"the roster {path} cannot be read as CSV in UTF-8: {error}") from None
    if len(rows) < 2:
        raise UserError(f"the roster {path} needs a line of column names and a row a student")
    header = [re.sub(r"\W|_", "", name).lower() for name in rows[0]]
    platform = _platform(set(header))
    people: dict[str, Person] = {}
    problems = []
    for number, row in enumerate(rows[1:], 2):
        cells = _cells(header, row, platform)
        if not any(cell.strip() for cell in row) or _is_no_student(cells, platform):
            continue
        person = _person(header, row, cells, platform)
        before = people.get(person.id)
        if problem := _problem(person):
            problems.append(f"row {number}: {problem}")
        elif before is None:
            people[person.id] = person
        else:
            people[person.id] = replace(before, calls=tuple(dict.fromkeys((*before.calls, *person.calls))))
            if replace(person, calls=()) != replace(before, calls=()):
                problems.append(f"row {number}: {shown(person.id)} again, in other words; the first row counts")
    return Roster(platform, people, tuple(problems))


def _platform(header: set[str]) -> str:
    """The platform whose columns these are; empty where a column says itself that it holds the id."""
    found = next((name for name, (needs, _) in PLATFORMS.items() if needs <= header), "")
    return "" if found in ("Gradescope", "Moodle") and header & set(_IDS[:-1]) else found


def plain(text: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from running it, as `autograde export` writes it."""
    return text[1:] if re.match(r"'(\s*[=+\-@＝＋－＠]|[\t\r])", text) else text


def _decoded(content: bytes) -> str:
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if wide else "utf-8-sig")


def _delimiter(text: str) -> str:
    """The one of `,`, `;` and tab that stands most often between the column names."""
    header = re.match(r'(?:"(?:[^"]|"")*"|[^\r\n"])*', text)[0]
    outside = re.sub(r'"(?:[^"]|"")*"', "", header)
    return max(",;\t", key=outside.count)


def _cells(header: Sequence[str], row: Sequence[str], platform: str) -> dict[str, str]:
    """The row by column; the first of two columns of one name. Brightspace marks ids with ``#``."""
    cells: dict[str, str] = {}
    for name, cell in zip(header, row, strict=False):
        text = plain(cell.strip())
        cells.setdefault(name, text.removeprefix("#") if platform == "Brightspace" else text)
    return cells


def _is_no_student(cells: dict[str, str], platform: str) -> bool:
    """Rows that a platform adds: Canvas's maxima and test student, Gradescope's staff."""
    if platform == "Canvas":
        name = cells["student"].strip()
        return (name == "Student, Test" or name.startswith("Points Possible")
                or all(re.fullmatch(r"(muted|manual posting.*)?", cell.strip(), re.I) for cell in cells.values()))
    return cells.get("role", "").lower() not in _STUDENTS


def _person(header: Sequence[str], row: Sequence[str], cells: dict[str, str], platform: str) -> Person:
    def first_of(names: Sequence[str]) -> str:
        return next((cells[name] for name in names if cells.get(name)), "")

    if platform:
        student = first_of(PLATFORMS[platform][1])
    else:
        column = next((name for name in _IDS if name in header), header[0])
        student = cells.get(column, "")
    first, last = first_of(_FIRST), first_of(_LAST)
    whole = first_of(("student",) if platform == "Canvas" else _WHOLE)
    if whole and not (first or last):
        last, comma, first = (part.strip() for part in whole.partition(","))
        if not comma:  # "Ada King Lovelace": which of the names is the family's, nobody knows
            first, last = whole, ""
    number = first_of(_NUMBER.get(platform, ("number", "idnumber", "sisuserid")))
    calls = (*(cells.get(name, "") for name in header), f"{first} {last}", f"{last} {first}")
    return Person(spelled(student) if student else "", first, last, first_of(_MAIL), number,
                  tuple(dict.fromkeys(call.strip() for call in calls if call.strip())))


def _problem(person: Person) -> str:
    if not person.id:
        return "no student's id in it"
    if problem := name_problem(person.id):
        return problem.replace("the folder's name", f"the id {shown(person.id)}").replace("rename the folder",
                                                                                         "give another id")
    if "/" in person.id:
        return f"the id {shown(person.id)} holds a /, so it cannot be a folder's name"
    long = next((text for text in (person.first_name, person.last_name, person.email, person.number)
                 if len(text) > LONGEST), "")
    return f"{shown(long, 20)} is longer than nbgrader's {LONGEST} characters" if long else ""
