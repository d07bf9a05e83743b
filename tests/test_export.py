"""Grades passed on and rosters taken in: right for everybody, found again by platforms, and never run by a spreadsheet.

What is written is read by readers that share nothing with the writer: Python's csv, TensorFlow's, and Gradescope's own
steps played through.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import typing
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from rich.console import Console

from autograde import cli, course, office
from autograde.course import UserError
from autograde.intake import roster
from autograde.recording import export, platforms
from autograde.recording.gradebook import Writer
from tests.test_gradebook import LESSON, graded, submitted, template, url, writer  # noqa: F401

# Names as people have them, and as somebody may choose them.
PEOPLE = {
    "ada": ("Ada, Countess", 'King "Lovelace"', "ada@uni.example", "101"),
    "bo": ("=cmd|' /C calc'!A0", "+49", "@bo", "102"),
    "cy": ("two\nlines", "semi;=1+1;colon", "cy@uni.example", "103"),
    "李雷": ("雷 👩‍🚀", "李", "li@uni.example", "104"),
    "=dee": ("-", "＝x", "dee@uni.example", "105"),
    "eve": ("Eve", "Nobody", "eve@uni.example", "106"),
}
DUE = datetime(2026, 3, 1, 12)


def a_tenth_a_day(student, score, seconds):
    return score * min(1.0, 0.1 * -(-seconds // 86400))


@pytest.fixture
def graded_class(url, tmp_path, monkeypatch) -> SimpleNamespace:  # noqa: F811
    """Five who handed in (one late, one read by hand, one with extra credit, one to be read), one who did not."""
    (tmp_path / f"{LESSON}.py").write_text("")
    monkeypatch.setattr(office, "late_penalty", lambda root: a_tenth_a_day)
    with Writer(url, "unrolled", late=a_tenth_a_day) as writer:  # noqa: F811
        writer.prepare(LESSON)
        writer.enrol(roster.Person(name, *rest) for name, rest in PEOPLE.items())
        writer.set_due(LESSON, DUE)
        for student, why in (("ada", "Because."), ("bo", "Because."), ("cy", "YOUR ANSWER HERE"), ("李雷", "Because."),
                             ("=dee", "")):
            at = DUE + timedelta(hours=25 if student == "bo" else -1)
            writer.record(graded(student), submitted(student, why=why), at)
    with Gradebook(url, "unrolled") as book:
        for student in ("ada", "bo"):
            grade = book.find_grade("tiny-why", LESSON, LESSON, student)
            grade.manual_score, grade.needs_manual_grade = 1.25, False
        book.find_grade("tiny-mul-check", LESSON, LESSON, "ada").extra_credit = 4.0
        book.find_comment("tiny-why", LESSON, LESSON, "ada").manual_comment = "See =me"
        book.db.commit()
    return SimpleNamespace(output=tmp_path, db_url=url)


# 5 for one exercise, 1.5 of 3 for the other, up to 2 for what is written; 25 hours late are two tenths.
DESERVED = {"ada": 5 + 1.5 + 1.25 + 4, "bo": (5 + 1.5 + 1.25) * 0.8, "cy": 6.5, "李雷": 6.5, "=dee": 6.5, "eve": 0}


def exported(to: str, settings, **more) -> tuple[str, str]:
    """The file's text, and all that was said."""
    said = io.StringIO()
    console = Console(file=said, width=400, highlight=False, markup=False, emoji=False)
    office.export_and_show(to, None, settings, None, more.pop("columns", {}), console, console, **more)
    path = settings.output / "export" / platforms.TARGETS[to].file
    return path.read_text(encoding="utf-8") if path.is_file() else "", said.getvalue()


def by_csv(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def by_tensorflow(text: str, tmp_path: Path) -> list[list[str]]:
    """TensorFlow's reader of RFC 4180, in C++."""
    import tensorflow as tf

    (tmp_path / "table.csv").write_text(text, encoding="utf-8", newline="")
    columns = len(by_csv(text)[0])
    rows = tf.data.experimental.CsvDataset(str(tmp_path / "table.csv"), [""] * columns)
    return [[cell.decode("utf-8") for cell in row] for row in rows.as_numpy_iterator()]


@pytest.mark.parametrize(("to", "who", "score"), [
    ("canvas", "SIS Login ID", LESSON), ("moodle", "Username", LESSON),
    ("brightspace", "Username", f"{LESSON} Points Grade"), ("csv", "student_id", "score")])
def test_everybody_has_the_points_they_deserve(to, who, score, graded_class, tmp_path):
    text, _ = exported(to, graded_class)
    header, *rows = by_csv(text)
    assert by_tensorflow(text, tmp_path) == [header, *rows], "read the same by a reader in another language"
    assert {len(row) for row in rows} == {len(header)}
    if to == "canvas":
        assert rows.pop(0)[0].strip() == "Points Possible"
    found = {row[header.index(who)].removeprefix("#").removeprefix("'"): row[header.index(score)] for row in rows}
    assert {student: float(points) for student, points in found.items()} == DESERVED


def test_json_has_everything(graded_class):
    text, _ = exported("json", graded_class)
    records = {record["student"]: record for record in json.loads(text)}
    assert {student: record["score"] for student, record in records.items()} == DESERVED
    ada, bo, eve = (records[student] for student in ("ada", "bo", "eve"))
    assert (ada["first_name"], ada["last_name"], ada["email"], ada["number"]) == PEOPLE["ada"]
    assert (bo["raw_score"], bo["late_penalty"], bo["handed_in"]) == (7.75, 1.55, "2026-03-02T13:00:00Z")
    assert (eve["status"], eve["handed_in"], eve["exercises"]) == ("missing", None, [])
    assert records["李雷"]["unread"] == 2 and records["cy"]["unread"] == 0
    why = next(mark for mark in ada["exercises"] if mark["exercise"] == "tiny.why")
    assert (why["manual"], why["written"], why["comment"]) == (1.25, True, "See =me")
    assert next(m for m in ada["exercises"] if m["exercise"] == "tiny.mul")["extra_credit"] == 4


def test_who_still_may_hand_in_has_no_score(graded_class):
    with Writer(graded_class.db_url, "unrolled") as writer:  # noqa: F811
        writer.prepare(LESSON)
        writer.set_due(LESSON, datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1))
    for to, cell in (("canvas", ""), ("moodle", "-"), ("brightspace", ""), ("csv", "")):
        text, said = exported(to, graded_class)
        row = next(row for row in by_csv(text) if any(c in ("eve", "#eve") for c in row))
        assert row[{"brightspace": -2, "csv": 9}.get(to, -1)] == cell
        assert "1 students have handed in nothing and still may" in said
    (eve,) = (record for record in json.loads(exported("json", graded_class)[0]) if record["student"] == "eve")
    assert eve["score"] is eve["raw_score"] is None and eve["max_score"] == 10


def test_what_is_unfinished_and_what_to_do_next_is_said(graded_class):
    _, said = exported("canvas", graded_class)
    assert "written answers of 1 students wait for a reader; until then they count nothing: 李雷" in said
    assert "more than all points, by extra credit (some platforms cut them): ada" in said
    assert "Next, in Canvas: Grades, Import" in said and "without Canvas" not in said


def test_a_platforms_own_name_for_a_lesson(graded_class):
    text, _ = exported("canvas", graded_class, columns={LESSON: "Tiny (98765)"})
    assert by_csv(text)[0][-1] == "Tiny (98765)"
    with pytest.raises(UserError, match="no such lesson is exported"):
        exported("canvas", graded_class, columns={"04_lstm": "x"})


def test_excel_is_given_its_mark_if_asked(graded_class):
    exported("csv", graded_class, mark=True)
    content = (graded_class.output / "export" / "grades.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf\"assignment\"") and "李" in content.decode("utf-8-sig")


# What a platform does with it ------------------------------------------------------------------------------

def test_canvas_finds_header_maxima_and_students(graded_class):
    """The rules of Canvas's gradebook importer: where it looks for ids, the section, maxima and assignments."""
    header, maxima, *rows = by_csv(exported("canvas", graded_class)[0])
    assert "Student" in header[0] and "ID" in header[1] and header[2:5] == ["SIS User ID", "SIS Login ID", "Section"]
    assert header[5:] == [LESSON] and "Points Possible" in maxima[0] and float(maxima[5]) == 10
    assert {row[3].removeprefix("'"): int(row[1]) for row in rows} == {
        student: int(number) for student, (*_, number) in PEOPLE.items()}


def test_brightspace_has_its_number_signs(graded_class):
    header, *rows = by_csv(exported("brightspace", graded_class)[0])
    assert header == ["OrgDefinedId", "Username", f"{LESSON} Points Grade", "End-of-Line Indicator"]
    assert all(row[0][0] == row[1][0] == row[3] == "#" for row in rows)


def play_gradescope(archive: bytes, user: dict, folder: Path) -> dict | None:
    """What Gradescope does: unpack, say whose submission it is, start `run_autograder`, read results.json."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        packed.extractall(folder / "source")
        assert packed.getinfo("run_autograder").external_attr >> 16 & 0o111
        assert packed.read("run_autograder").startswith(b"#!/usr/bin/env python3\n")
    (folder / "submission_metadata.json").write_text(json.dumps({"id": 1, "users": [user]}), encoding="utf-8")
    done = subprocess.run([sys.executable, folder / "source" / "run_autograder", folder], capture_output=True)
    path = folder / "results" / "results.json"
    assert path.exists() == (done.returncode == 0)
    return json.loads(path.read_text("utf-8")) if path.exists() else None


@pytest.mark.parametrize(("user", "score", "says"), [
    ({"email": "ADA@uni.example", "name": "Somebody Else"}, DESERVED["ada"], ""),
    ({"email": "x@y", "sid": "102", "name": "x"}, DESERVED["bo"], "A late penalty of 1.55 points"),
    ({"email": "li@uni.example", "name": "x"}, 6.5, "2 points wait for a person"),
    ({"email": "unknown", "name": "Eve Nobody"}, 0, "Nothing was handed in"),
    ({"email": "unknown", "name": "Unknown"}, None, "")])
def test_gradescope_gives_each_student_their_own_grade(user, score, says, graded_class, tmp_path):
    exported("gradescope", graded_class)
    archive = (graded_class.output / "export" / "gradescope" / f"{LESSON}.zip").read_bytes()
    result = play_gradescope(archive, user, tmp_path / "autograder")
    assert (result and result["score"]) == score
    if result:
        assert says in result["output"]
        assert {test["name"] for test in result["tests"]} <= {"tiny.add", "tiny.mul", "tiny.why"}


# Spreadsheets -------------------------------------------------------------------------------------------------

FORMULA = tuple("=+-@＝＋－＠")


def runs_something(text: str) -> list[str]:
    """Cells that a spreadsheet would take for a formula, whatever it takes for the end of a cell."""
    found = []
    for delimiter in ",;\t":
        cells = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row]
        found += [cell for cell in cells if cell.strip().startswith(FORMULA)]
    return found


@pytest.mark.parametrize("to", ["canvas", "moodle", "brightspace", "csv"])
def test_no_name_is_a_formula(to, graded_class):
    text, _ = exported(to, graded_class)
    assert not runs_something(text)
    assert "cmd" in text or to == "brightspace"


@given(st.lists(st.text(st.sampled_from("=+-@＝ \t\r\n;,\"'a1"), max_size=12), min_size=1, max_size=3))
def test_no_text_is_a_formula_and_the_table_keeps_its_form(texts):
    file = io.StringIO()
    export.write_table(file, [texts, [1.5, *texts[1:]]])
    rows = by_csv(file.getvalue())
    assert [len(row) for row in rows] == [len(texts)] * 2
    assert [cell.replace("'", "") for cell in rows[0]] == [text.replace("'", "") for text in texts]
    assert not runs_something(file.getvalue())


def test_numbers_are_numbers_and_have_no_noise():
    file = io.StringIO()
    export.write_table(file, [[0.1 + 0.2, 8.0, -1.5, None, 7]])
    assert file.getvalue() == '0.3,8,-1.5,"",7\n'


# Rosters ------------------------------------------------------------------------------------------------------

EXPORTS = {
    "Canvas": 'Student,ID,SIS User ID,SIS Login ID,Root Account,Section,Quiz (7),Final Score\n'
              '    Points Possible,,,,,,10,(read only)\n'
              '"Doe, Jane",12345,S1,jdoe,uni,A,3,1\n"李, 雷",777,,li,uni,A,,\n"Student, Test",9,,x,uni,A,,\n',
    "Moodle": '\ufeff"First name","Last name",Username,"ID number","Email address",Groups\n'
              'Jane,Doe,jdoe,12345,jane@uni.example,\n雷,李,li,777,,\n',
    "Gradescope": "First Name,Last Name,SID,Email,Role\nJane,Doe,12345,jane@uni.example,Student\n"
                  "雷,李,777,li@uni.example,Student\nT,A,1,ta@uni.example,TA\n",
    "Brightspace": "OrgDefinedId,Username,Last Name,First Name,Email,LSTM Points Grade <Numeric MaxPoints:60>,"
                   "End-of-Line Indicator\n#12345,#jdoe,Doe,Jane,jane@uni.example,3,#\n#777,#li,李,雷,,,#\n",
    "": "Student;E-mail;First name;Surname;Number\njdoe;jane@uni.example;Jane;Doe;12345\nli;;雷;李;777\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("platform", EXPORTS)
def test_each_platforms_list_is_understood(platform, encoding, tmp_path):
    (tmp_path / "roster.csv").write_text(EXPORTS[platform], encoding=encoding)
    found = roster.read(tmp_path / "roster.csv")
    assert (found.platform, found.problems) == (platform, ())
    ids = ("12345", "777") if platform == "Gradescope" else ("jdoe", "li")
    jane, lei = (found.people[student] for student in ids)
    assert list(found.people) == list(ids)
    assert (jane.first_name, jane.last_name, jane.number) == ("Jane", "Doe", "12345")
    assert (lei.first_name, lei.last_name, lei.number) == ("雷", "李", "777")
    assert jane.email == ("" if platform == "Canvas" else "jane@uni.example")


@pytest.mark.parametrize("to", ["moodle", "brightspace"])
def test_what_is_exported_comes_back_as_the_same_people(to, graded_class):
    exported(to, graded_class)
    found = roster.read(graded_class.output / "export" / f"{to}.csv")
    assert found.platform == to.title() and found.problems == ()
    for student, (first, last, email, number) in PEOPLE.items():
        person = found.people[student]
        assert person.number == number
        if to == "moodle":
            assert (person.first_name, person.email) == (first, email)
            assert person.last_name == last.strip().replace(";=", ";'=")


def test_rows_that_name_nobody_or_somebody_twice_are_listed(tmp_path):
    (tmp_path / "r.csv").write_text(
        "id,first name,email\nada,Ada,a@x\n,Nobody,n@x\nada,Ada,a@x\nada,Adele,a@x\na/b,A,x\n.dot,D,x\n"
        f"long,{'x' * 200},x\n,,\nbo\n", encoding="utf-8")
    found = roster.read(tmp_path / "r.csv")
    assert list(found.people) == ["ada", "bo"] and found.people["ada"].first_name == "Ada"
    said = "\n".join(found.problems)
    for line in ("row 3: no student's id", "row 5: ada again, in other words; the first row counts",
                 "row 6: the id a/b", "row 7: the id .dot begins with a dot", "row 8: xxx"):
        assert line in said, line
    assert len(found.problems) == 5


def test_a_roster_fills_the_gradebook_and_takes_nobody_out(url, tmp_path):  # noqa: F811
    settings = SimpleNamespace(output=tmp_path, db_url=url)
    said = io.StringIO()
    console = Console(file=said, width=400)
    (tmp_path / "r.csv").write_text(EXPORTS["Moodle"], encoding="utf-8")
    assert office.roster_and_show(tmp_path / "r.csv", settings, console, console) == 0
    (tmp_path / "r.csv").write_text("student,first name,email\njdoe,,new@uni.example\nzoe,Zoë,\n", encoding="utf-8")
    assert office.roster_and_show(tmp_path / "r.csv", settings, console, console) == 0
    with Gradebook(url, "unrolled") as book:
        held = {s.id: (s.first_name, s.last_name, s.email, s.lms_user_id) for s in book.students}
    assert held == {"jdoe": ("Jane", "Doe", "new@uni.example", "12345"), "li": ("雷", "李", None, "777"),
                    "zoe": ("Zoë", None, None, None)}
    assert "2 students, 2 new in the gradebook, 0 changed" in said.getvalue()
    assert "2 students, 1 new in the gradebook, 1 changed" in said.getvalue()
    assert "Not in the roster, and left as they are: li" in said.getvalue()


@pytest.mark.parametrize(("content", "says"), [
    (b"", "needs a line of column names"), (b"id,name\n", "needs a line of column names"),
    (b"\xff\xfa", "cannot be read as CSV in UTF-8"), (b'id\n"open', "cannot be read as CSV in UTF-8")])
def test_what_is_no_roster_says_so(content, says, tmp_path):
    (tmp_path / "r.csv").write_bytes(content)
    with pytest.raises(UserError, match=says):
        roster.read(tmp_path / "r.csv")


# The commands -------------------------------------------------------------------------------------------------

def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    wide = os.environ | {"COLUMNS": "200", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run([sys.executable, "-m", "autograde", *arguments, "--output", folder], cwd=course.ROOT,
                          capture_output=True, text=True, env=wide)


def test_the_commands_say_what_is_wrong(tmp_path):
    done = command("export", "--to", "csv", folder=tmp_path)
    assert done.returncode == 2 and "there is no gradebook" in done.stderr and not (tmp_path / "gradebook.db").exists()
    (tmp_path / "r.csv").write_text("id,name\nada,Ada\na/b,x\n", encoding="utf-8")
    done = command("roster", str(tmp_path / "r.csv"), folder=tmp_path)
    assert done.returncode == 2 and "not taken: row 3" in done.stderr and "1 new in the gradebook" in done.stdout
    done = command("export", "--to", "csv", folder=tmp_path)
    assert done.returncode == 2 and "no submission for any lesson yet" in done.stderr
    done = command("export", "--to", "csv", "--column", "04_lstm", folder=tmp_path)
    assert done.returncode == 2 and "is not LESSON=NAME" in done.stderr


def test_the_command_knows_every_target():
    assert typing.get_args(typing.get_type_hints(cli.export)["to"]) == tuple(platforms.TARGETS)
