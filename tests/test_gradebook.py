"""The writer into nbgrader's gradebook and the journal: one transaction each, idempotent, and fast."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograde import course, run
from autograde.course import UserError
from autograde.recording import database, due, gradebook
from autograde.recording.gradebook import Writer
from autograde.recording.journal import Journal, fingerprint, version
from autograde.records import GRADED, MISSING, UNREADABLE, AspectResult, Mark, Result, Submission, Verdict

LESSON = "90_tiny"


def cell(kind: str, grade_id: str, source: str, points: float | None = None):
    """One cell of a reference lesson with the metadata the builder writes."""
    make = nbformat.v4.new_markdown_cell if kind == "written" else nbformat.v4.new_code_cell
    new = make(source, id=grade_id)
    new.metadata["nbgrader"] = {
        "grade": kind != "solution", "solution": kind != "check", "locked": kind == "check", "task": False,
        "grade_id": grade_id, "schema_version": 3, "cell_type": new.cell_type,
        **({} if points is None else {"points": points})}
    return new


def reference(*extra) -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_markdown_cell("# A tiny lesson"),
        cell("solution", "tiny-add", "def add(a, b):\n    ### BEGIN SOLUTION\n    return a + b\n    ### END SOLUTION"),
        cell("check", "tiny-add-check", 'check("tiny.add", add)', 5),
        cell("solution", "tiny-mul", "def mul(a, b):\n    ### BEGIN SOLUTION\n    return a * b\n    ### END SOLUTION"),
        cell("check", "tiny-mul-check", 'check("tiny.mul", mul)', 3),
        cell("written", "tiny-why", "YOUR ANSWER HERE", 2),
        *extra])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def write_reference(folder: Path, notebook: nbformat.NotebookNode) -> None:
    path = folder / LESSON / f"{LESSON}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def verdict(name: str, points: float, top: float) -> Verdict:
    state = "passed" if points == top else "partly right"
    return Verdict(f"tiny.{name}", name, state, points, top, (AspectResult("values", points == top, points, top),))


def graded(student: str, add: float = 5.0, mul: float = 1.5, status: str = GRADED) -> Result:
    return Result(student, LESSON, status, (verdict("add", add, 5.0), verdict("mul", mul, 3.0)))


def submitted(student: str, untouched=(), why: str = "Because of distributivity.", **kwargs) -> Submission:
    notebook = reference()
    notebook.cells[5].source = why
    return Submission(student, LESSON, notebook=notebook, untouched=frozenset(untouched), **kwargs)


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Path:
    """A gradebook with the tiny lesson: made once, because nbgrader starts a process to make one."""
    folder = tmp_path_factory.mktemp("gradebook")
    with pytest.MonkeyPatch.context() as patch:
        write_reference(folder, reference())
        patch.setattr(course, "SOLUTIONS", folder)
        with Writer(f"sqlite:///{folder}/gradebook.db", "unrolled") as writer:
            writer.prepare(LESSON)
    return folder


@pytest.fixture
def url(template, tmp_path, monkeypatch) -> str:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(course, "SOLUTIONS", tmp_path)
    return f"sqlite:///{tmp_path}/gradebook.db"


@pytest.fixture
def writer(url):
    with Writer(url, "unrolled") as writer:
        writer.prepare(LESSON)
        yield writer


def dump(url: str) -> str:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        return "\n".join(connection.iterdump())


def grades(url: str, student: str) -> dict[str, tuple]:
    """What nbgrader's own API reads: (auto, manual, needs a look, score) by grade id."""
    with Gradebook(url, "unrolled") as book:
        notebook = book.find_submission_notebook(LESSON, LESSON, student)
        return {g.name: (g.auto_score, g.manual_score, g.needs_manual_grade, g.score) for g in notebook.grades}


def comments(url: str, student: str) -> dict[str, str | None]:
    with Gradebook(url, "unrolled") as book:
        return {c.name: c.comment for c in book.find_submission_notebook(LESSON, LESSON, student).comments}


# What is written --------------------------------------------------------------------------------------

def test_nbgrader_reads_what_was_written(writer, url):
    writer.record(graded("ada"), submitted("ada"))
    assert grades(url, "ada") == {
        "tiny-add-check": (5.0, None, False, 5.0), "tiny-mul-check": (1.5, None, False, 1.5),
        "tiny-why": (None, None, True, 0.0)}
    with Gradebook(url, "unrolled") as book:
        submission = book.find_submission(LESSON, "ada")
        assert (submission.score, submission.max_score, submission.needs_manual_grade) == (6.5, 10.0, True)
        assert (submission.max_written_score, submission.max_code_score) == (2.0, 8.0)


@pytest.mark.parametrize("text", ["YOUR ANSWER HERE", "YOUR ANSWER HERE\n", " \n"])
def test_an_untouched_answer_needs_no_reader(writer, url, text):
    writer.record(graded("bo", 0, 0), submitted("bo", untouched=("tiny.add",), why=text))
    assert grades(url, "bo")["tiny-why"] == (0.0, None, False, 0.0)
    assert comments(url, "bo") == {"tiny-add": "No response.", "tiny-mul": None, "tiny-why": "No response."}


@pytest.mark.parametrize("status", [MISSING, UNREADABLE])
def test_nothing_to_run_is_a_row_of_zeros(writer, url, status):
    writer.record(Result("cy", LESSON, status, ()), Submission("cy", LESSON, status=status, note="no file"))
    assert {row[:3] for row in grades(url, "cy").values()} == {(0.0, None, False)}


@pytest.mark.parametrize("points, kept", [(math.nan, 0.0), (math.inf, 0.0), (-3, 0.0), (99, 5.0), (2, 2.0)])
def test_a_score_is_finite_and_within_the_cell(writer, url, points, kept):
    writer.record(graded("di", points), submitted("di"))
    score = grades(url, "di")["tiny-add-check"][0]
    assert score == kept and isinstance(score, float)


def test_recording_twice_changes_nothing(writer, url):
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    writer.record(graded("ed"), submitted("ed", ("tiny.mul",)), moment)
    before = dump(url)
    writer.record(graded("ed"), submitted("ed", ("tiny.mul",)), moment)
    assert dump(url) == before
    writer.record(graded("ed", mul=3.0), submitted("ed"))
    assert dump(url) != before


def test_a_submission_is_written_whole_or_not_at_all(writer, url, monkeypatch):
    before = dump(url)

    def power_cut(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(gradebook, "_write_comments", power_cut)
    with pytest.raises(KeyboardInterrupt):
        writer.record(graded("flo"), submitted("flo"))
    assert dump(url) == before


# What people gave is theirs ---------------------------------------------------------------------------

def by_hand(url: str, student: str, cell: str, score: float) -> None:
    """As the formgrader does it."""
    with Gradebook(url, "unrolled") as book:
        grade = book.find_grade(cell, LESSON, LESSON, student)
        grade.manual_score, grade.needs_manual_grade = score, False
        book.find_comment("tiny-why", LESSON, LESSON, student).manual_comment = "Well put."
        book.db.commit()


def test_a_manual_grade_is_never_overwritten(writer, url):
    writer.record(graded("gus"), submitted("gus"))
    by_hand(url, "gus", "tiny-add-check", 4.0)
    by_hand(url, "gus", "tiny-why", 2.0)
    before = dump(url)
    writer.record(graded("gus"), submitted("gus"))
    assert dump(url) == before, "the same again asks nobody to look again"

    writer.record(graded("gus", add=1.0), submitted("gus"))
    assert grades(url, "gus")["tiny-add-check"] == (1.0, 4.0, True, 4.0)
    assert grades(url, "gus")["tiny-why"] == (None, 2.0, False, 2.0)
    assert comments(url, "gus")["tiny-why"] == "Well put."


def test_another_written_answer_asks_for_another_look(writer, url):
    writer.record(graded("hal"), submitted("hal"))
    by_hand(url, "hal", "tiny-why", 2.0)
    writer.record(graded("hal"), submitted("hal"), rewritten=frozenset({"tiny.why"}))
    assert grades(url, "hal")["tiny-why"] == (None, 2.0, True, 2.0)


def test_what_people_gave_can_be_read(writer, url):
    writer.record(graded("ivy"), submitted("ivy"))
    held = writer.standing("ivy", LESSON)
    assert held.marks["tiny-why"] == Mark(2.0, written=True, waits=True)
    assert (held.score, held.max_score, held.unread) == (6.5, 10.0, 2.0)
    by_hand(url, "ivy", "tiny-why", 1.5)
    held = writer.standing("ivy", LESSON)
    assert held.marks["tiny-why"] == Mark(2.0, written=True, manual=1.5, comment="Well put.")
    assert (held.score, held.unread) == (8.0, 0.0)
    assert writer.standing("nobody", LESSON) is None


def test_a_comment_on_code_is_read_with_its_check(writer, url):
    writer.record(graded("ila"), submitted("ila"))
    with Gradebook(url, "unrolled") as book:
        book.find_comment("tiny-add", LESSON, LESSON, "ila").manual_comment = "Shorter: sum."
        book.db.commit()
    assert writer.standing("ila", LESSON).marks["tiny-add-check"].comment == "Shorter: sum."


def test_extra_credit_counts(writer, url):
    writer.record(graded("jim"), submitted("jim"))
    with Gradebook(url, "unrolled") as book:
        book.find_grade("tiny-mul-check", LESSON, LESSON, "jim").extra_credit = 0.5
        book.db.commit()
    writer.record(graded("jim"), submitted("jim"))
    assert writer.standing("jim", LESSON).marks["tiny-mul-check"].score == 2.0
    assert writer.standing("jim", LESSON).score == 7.0
    assert grades(url, "jim")["tiny-mul-check"] == (1.5, None, False, 2.0)


# Time of submission -----------------------------------------------------------------------------------

def test_the_time_of_submission_is_nbgraders(writer, url, tmp_path):
    (tmp_path / "timestamp.txt").write_text("2026-02-02 15:58:23.948203 CET\n")
    moment, problem = gradebook.timestamp_of(tmp_path)
    writer.record(graded("jo"), submitted("jo"), moment)
    writer.record(graded("jo"), submitted("jo"))
    with Gradebook(url, "unrolled") as book:
        assert book.find_submission(LESSON, "jo").timestamp == datetime(2026, 2, 2, 14, 58, 23, 948203)
    assert problem == ""


@pytest.mark.parametrize("content", [b"tomorrow-ish", b"", b"\xff\xfe\x00", b"9" * 500, b"1" * 40])
def test_a_broken_timestamp_is_a_sentence(tmp_path, content):
    (tmp_path / "timestamp.txt").write_bytes(content)
    moment, problem = gradebook.timestamp_of(tmp_path)
    assert moment is None and problem.startswith("timestamp.txt")


def test_a_timestamp_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("2026-02-02")
    (tmp_path / "timestamp.txt").symlink_to(tmp_path / "secret")
    assert gradebook.timestamp_of(tmp_path) == (
        None, "timestamp.txt is not a file, so the time of submission is unknown")
    assert gradebook.timestamp_of(tmp_path / "nowhere") == (None, "")


@pytest.mark.parametrize("asked, given", [(None, None), (1.0, 1.0), (-2.0, 0.0), (50.0, 6.5)])
def test_a_late_penalty_stays_between_nothing_and_the_score(url, asked, given):
    with Gradebook(url, "unrolled") as book:
        book.update_or_create_assignment(LESSON, duedate="2026-02-01")
    with Writer(url, "unrolled", late=lambda student, score, seconds: asked) as writer:
        writer.prepare(LESSON)
        writer.record(graded("kim"), submitted("kim"), datetime(2026, 2, 2))
        writer.record(graded("lou"), submitted("lou"), datetime(2026, 1, 31))
        assert [writer.standing(student, LESSON).penalty for student in ("kim", "lou")] == [given or 0.0, 0.0]
    with Gradebook(url, "unrolled") as book:
        assert book.find_submission_notebook(LESSON, LESSON, "kim").late_submission_penalty == given
        assert book.find_submission_notebook(LESSON, LESSON, "lou").late_submission_penalty is None


def test_penalties_follow_due_dates_extensions_and_marks(url):
    """What was decided after grading counts, without grading again: as nbgrader itself works it out."""
    def tenth(student, score, seconds):
        return score / 10

    with Writer(url, "unrolled", late=tenth) as writer:
        writer.prepare(LESSON)
        for student in ("kim", "lou"):
            writer.record(graded(student), submitted(student), datetime(2026, 2, 2))
        assert writer.standings(LESSON)["kim"].penalty == 0.0 and writer.standings(LESSON)["kim"].due is None
        with Gradebook(url, "unrolled") as book:
            book.update_or_create_assignment(LESSON, duedate="2026-02-01")
        held = writer.standings(LESSON)
        assert {student: h.penalty for student, h in held.items()} == pytest.approx({"kim": 0.65, "lou": 0.65})
        assert held["kim"].score == pytest.approx(5.85) and held["kim"].late.days == 1
        by_hand(url, "kim", "tiny-why", 2.0)
        with Gradebook(url, "unrolled") as book:
            book.grant_extension(LESSON, "lou", days=2)
        held = writer.standings(LESSON)
        assert (held["kim"].penalty, held["lou"].penalty) == (pytest.approx(0.85), 0.0)
        assert held["lou"].due == datetime(2026, 2, 3) and not held["lou"].late
        assert writer.due("lou", LESSON) == datetime(2026, 2, 3) and writer.due("new", LESSON) == datetime(2026, 2, 1)
        before = dump(url)
        assert writer.standings(LESSON) == held and dump(url) == before


def test_a_due_date_is_set_for_everybody_or_for_one(writer, url):
    """Also for who has not handed in yet, for whom nbgrader has no command."""
    writer.record(graded("kim"), submitted("kim"), datetime(2026, 3, 2))
    with Gradebook(url, "unrolled") as book:
        book.add_student("lou")
    with pytest.raises(UserError, match="no due date yet that could be extended"):
        writer.set_due(LESSON, datetime(2026, 3, 5), ["kim"])
    writer.set_due(LESSON, datetime(2026, 3, 1))
    assert writer.due_dates(LESSON) == (datetime(2026, 3, 1), {})
    writer.set_due(LESSON, datetime(2026, 3, 5), ["kim", "lou"])
    assert writer.due_dates(LESSON) == (datetime(2026, 3, 1), dict.fromkeys(("kim", "lou"), datetime(2026, 3, 5)))
    assert [writer.due(student, LESSON).day for student in ("kim", "lou", "new")] == [5, 5, 1]
    assert not writer.standing("kim", LESSON).late and agrees(writer.standing("kim", LESSON), url)
    with pytest.raises(UserError, match="nbgrader db student add mo"):
        writer.set_due(LESSON, datetime(2026, 3, 9), ["kim", "mo"])
    assert writer.due("kim", LESSON).day == 5, "all of the command, or nothing"
    writer.set_due(LESSON, None, ["kim"])
    assert writer.due_dates(LESSON)[1].keys() == {"lou"} and writer.standing("kim", LESSON).late.days == 1
    writer.set_due(LESSON, None)
    assert writer.due_dates(LESSON) == (None, {}) and not writer.standing("kim", LESSON).late


@pytest.mark.parametrize("text, expected", [
    ("2026-03-01 23:59 Europe/Madrid", datetime(2026, 3, 1, 22, 59)), ("none", None),
    ("2026-07-01 23:59 Europe/Madrid", datetime(2026, 7, 1, 21, 59)),
    ("2026-03-01T23:59", datetime(2026, 3, 1, 23, 59))])
def test_a_date_is_read_with_its_zone(text, expected):
    assert due.moment(text) == expected


@pytest.mark.parametrize("text", ["tomorrow", "2026-03-01", "2026-02-30 10:00", "1 March 2026 10:00", "10:00", "",
                                  "2026-03-01 23:59 Europe/Madird", "2026-03-01 23:59 ../../etc/passwd"])
def test_what_is_no_date_is_refused_not_guessed(text):
    with pytest.raises(UserError, match=r"no date and time|no time zone"):
        due.moment(text)


def agrees(held, url: str) -> bool:
    """Whether a standing has the numbers that nbgrader's own API, and so the formgrader and exports, give."""
    with Gradebook(url, "unrolled") as book:
        stock = book.find_submission(LESSON, held.student)
        return (held.raw_score, held.max_score, held.penalty, held.submitted) == (
            stock.score, stock.max_score, stock.late_submission_penalty, stock.timestamp)


@pytest.mark.parametrize("auto", [None, 0.0, 1.5])
@pytest.mark.parametrize("manual", [None, 0.0, 2.0])
@pytest.mark.parametrize("extra", [None, 0.0, 0.5])
def test_points_are_counted_as_nbgrader_counts_them(writer, url, auto, manual, extra):
    writer.record(graded("mo"), submitted("mo"))
    with Gradebook(url, "unrolled") as book:
        grade = book.find_grade("tiny-mul-check", LESSON, LESSON, "mo")
        grade.auto_score, grade.manual_score, grade.extra_credit = auto, manual, extra
        book.db.commit()
    assert agrees(writer.standings(LESSON)["mo"], url)


# Leaving and coming back ------------------------------------------------------------------------------

def test_who_leaves_is_gone_and_gets_everything_back_on_return(writer, url):
    for student in ("nia", "oli"):
        writer.record(graded(student), submitted(student))
    without = dump(url)
    by_hand(url, "nia", "tiny-why", 1.5)
    with Gradebook(url, "unrolled") as book:
        book.update_or_create_student("nia", first_name="Nia", email="nia@school.example")
        book.grant_extension(LESSON, "nia", hours=5)
        book.find_grade("tiny-mul-check", LESSON, LESSON, "nia").extra_credit = 0.25
        book.db.commit()
    before = writer.standing("nia", LESSON)
    given = json.loads(json.dumps(writer.given("nia", LESSON)))
    writer.take_out("nia", LESSON, out_of_class=True)
    assert writer.standings(LESSON).keys() == {"oli"}
    with Gradebook(url, "unrolled") as book:
        assert [student.id for student in book.students] == ["oli"]
    assert "nia" not in dump(url) and "nia" in without

    writer.record(graded("nia"), submitted("nia"))
    writer.give_back("nia", LESSON, given)
    after = writer.standing("nia", LESSON)
    assert after.score == before.score and after.marks["tiny-why"].comment == "Well put."
    assert after.marks["tiny-why"].waits, "it may be another answer: somebody is asked to look"
    with Gradebook(url, "unrolled") as book:
        assert (book.find_student("nia").first_name, book.find_student("nia").email) == ("Nia", "nia@school.example")
        assert book.find_submission(LESSON, "nia").extension.total_seconds() == 5 * 3600
    assert writer.given("nobody", LESSON) is None


def test_who_has_not_handed_in_yet_stays_a_student_with_an_extension(writer, url):
    for student in ("pia", "quy"):
        writer.record(Result(student, LESSON, MISSING, ()), Submission(student, LESSON, status=MISSING))
    with Gradebook(url, "unrolled") as book:
        book.update_or_create_assignment(LESSON, duedate="2026-02-01")
        book.grant_extension(LESSON, "quy", days=1)
    for student in ("pia", "quy"):
        writer.take_out(student, LESSON, out_of_class=False)
    assert writer.standings(LESSON) == {}
    assert [writer.due(student, LESSON).day for student in ("pia", "quy")] == [1, 2]
    with Gradebook(url, "unrolled") as book:
        assert {student.id for student in book.students} == {"pia", "quy"}
    writer.record(graded("quy"), submitted("quy"))
    assert writer.standing("quy", LESSON).due.day == 2


@pytest.fixture
def class_of_two(writer, url, tmp_path, monkeypatch):
    """ada and ben, graded, with a mark by hand each; what `run.rename` takes, and a function that calls it."""
    monkeypatch.setattr(course, "lessons", lambda: [LESSON])
    settings = run.Settings(tmp_path / "submitted", tmp_path, url, 1)
    with Journal(tmp_path) as journal:
        for student, mark in (("ada", 1.5), ("ben", 0.5)):
            (settings.submitted / student).mkdir(parents=True)
            writer.record(graded(student), submitted(student))
            journal.append(student, LESSON, f"of {student}", graded(student).record(), settings.submitted)
            by_hand(url, student, "tiny-why", mark)
        yield journal, settings, lambda old, new: run.rename(old, new, settings, writer, journal)


def test_another_name_takes_everything_along(class_of_two, writer):
    journal, settings, rename = class_of_two
    assert rename("ada", "Ada Lovelace") == [LESSON]
    assert sorted(path.name for path in settings.submitted.iterdir()) == ["Ada Lovelace", "ben"]
    assert writer.standings(LESSON).keys() == {"ben"} and journal.record_of("ada", LESSON) is None
    assert journal.given_before("ada", LESSON) is None, "another ada, who comes later, is not given her marks"
    kept = journal.given_before("Ada Lovelace", LESSON)
    assert kept["marks"]["tiny-why"][0] == 1.5 and "tiny-why" in kept["comments"]
    assert rename("Ada Lovelace", "ada") == [LESSON] and journal.given_before("ada", LESSON) == kept


def test_who_was_graded_under_the_new_name_already_gets_the_marks_at_once(class_of_two, writer):
    journal, settings, rename = class_of_two
    (settings.submitted / "ada").rename(settings.submitted / "lovelace")
    writer.record(graded("lovelace"), submitted("lovelace"))
    journal.append("lovelace", LESSON, "of lovelace", graded("lovelace").record(), settings.submitted)
    assert rename("ada", "lovelace") == [LESSON]
    assert writer.standing("lovelace", LESSON).marks["tiny-why"].comment == "Well put."
    assert writer.standings(LESSON).keys() == {"ben", "lovelace"}


def test_a_rename_that_was_killed_is_finished_by_the_next_one(class_of_two, writer, monkeypatch):
    journal, _, rename = class_of_two
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(journal, "append_ended", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        rename("ada", "lovelace")
    assert writer.given("ada", LESSON) is None
    assert rename("ada", "lovelace") == [LESSON]
    assert journal.given_before("lovelace", LESSON)["marks"]["tiny-why"][0] == 1.5


@pytest.mark.parametrize(("old", "new", "says"), [
    ("ada", "ben", "both have a folder"), ("ida", "eda", "neither ida nor eda has a folder"),
    ("ada", ".ada", "begins with a dot"), ("ada", "a" * 129, "longer than")])
def test_a_name_that_cannot_be_given_changes_nothing(class_of_two, url, old, new, says):
    before = dump(url)
    with pytest.raises(UserError, match=says):
        class_of_two[2](old, new)
    assert dump(url) == before and (class_of_two[1].submitted / "ada").is_dir()


def test_who_left_with_marks_is_recognised_by_what_was_handed_in(class_of_two, writer):
    journal, *_ = class_of_two
    journal.append_taken_out("ada", LESSON, writer.given("ada", LESSON))
    assert journal.who_left_with(LESSON, "of ada") == "ada"
    assert journal.who_left_with(LESSON, "of ben") is None, "ben is here"


@pytest.mark.parametrize("setting, penalty", [("", None), ("c.LateSubmissionPlugin.penalty_method = 'zero'", 6.5)])
def test_the_courses_own_rule_for_late_work_is_used(tmp_path, setting, penalty):
    from autograde.nbgrader import late_penalty

    (tmp_path / "nbgrader_config.py").write_text(f"c = get_config()\n{setting}\n")
    assert late_penalty(tmp_path)("kim", 6.5, 60.0) == penalty


# The lesson's cells -----------------------------------------------------------------------------------

def test_prepare_is_what_generate_assignment_saves(url):
    with Gradebook(url, "unrolled") as book:
        notebook = book.find_notebook(LESSON, LESSON)
        assert {c.name: c.max_score for c in notebook.grade_cells} == {
            "tiny-add-check": 5.0, "tiny-mul-check": 3.0, "tiny-why": 2.0}
        assert {c.name for c in notebook.solution_cells} == {"tiny-add", "tiny-mul", "tiny-why"}
        source = {c.name: c for c in notebook.source_cells}
        assert "raise NotImplementedError()" in source["tiny-add"].source
        assert source["tiny-add-check"].locked and not source["tiny-add"].locked
        assert json.loads(notebook.kernelspec)["name"] == "python3"


def test_prepare_again_writes_nothing(url):
    before = dump(url)
    with Writer(url, "unrolled") as writer:
        writer.prepare(LESSON)
    assert dump(url) == before


def test_changed_points_reach_the_gradebook(writer, url, tmp_path):
    writer.record(graded("mia"), submitted("mia"))
    notebook = reference()
    notebook.cells[2].metadata.nbgrader.points = 4
    write_reference(tmp_path, notebook)
    writer.prepare(LESSON)
    writer.record(graded("mia"), submitted("mia"))
    assert grades(url, "mia")["tiny-add-check"][0] == 4.0


def test_other_cells_are_refused_once_there_are_submissions(writer, url, tmp_path):
    write_reference(tmp_path, reference(cell("written", "tiny-new", "YOUR ANSWER HERE", 1)))
    writer.prepare(LESSON)
    writer.record(graded("ned"), submitted("ned"))
    before = dump(url)
    write_reference(tmp_path, reference())
    with pytest.raises(UserError, match=r"another version of 90_tiny \(gone: tiny-new\)"):
        writer.prepare(LESSON)
    assert dump(url) == before


# Gradebooks that cannot be used -----------------------------------------------------------------------

def refused(url: str) -> str:
    with pytest.raises(UserError) as caught, Writer(url, "unrolled") as writer:
        writer.prepare(LESSON)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_file_that_is_no_database(url, tmp_path):
    (tmp_path / "notes.txt").write_text("milk, eggs, a gradebook\n" * 100)
    assert "not a database" in refused(f"sqlite:///{tmp_path}/notes.txt")
    assert (tmp_path / "notes.txt").read_text().startswith("milk")


def test_a_database_that_is_no_gradebook(url, tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
    assert "not an nbgrader gradebook" in refused(f"sqlite:///{tmp_path}/shop.db")
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


def test_a_gradebook_of_an_older_nbgrader(url):
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("ALTER TABLE grade DROP COLUMN extra_credit")
    assert "nbgrader db upgrade" in refused(url)


def test_a_folder_that_is_not_there(url, tmp_path):
    assert "does its folder exist" in refused(f"sqlite:///{tmp_path}/no/where.db")


@pytest.mark.parametrize("bad", ["gradebook.db", "mysql://x/y", "://"])
def test_an_address_that_is_none(url, bad):
    assert "sqlite:///FILE" in refused(bad)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(url, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    assert "may you write there" in refused(f"sqlite:///{folder}/gradebook.db")
    assert not list(folder.iterdir())


def test_a_gradebook_that_may_only_be_read(url):
    assert "may not write there" in refused(url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true")


def test_a_password_is_never_shown(url):
    message = refused("postgresql://teacher:hunter2@127.0.0.1:1/course")
    assert "hunter2" not in message and "127.0.0.1" in message


def test_a_locked_gradebook_says_so(url, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with Writer(url, "unrolled") as writer:
        writer.prepare(LESSON)
        other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UserError, match="is another program writing"):
            writer.record(graded("oz"), submitted("oz"))
        other.rollback()
        writer.record(graded("oz"), submitted("oz"))
    assert grades(url, "oz")["tiny-add-check"][0] == 5.0


@pytest.mark.parametrize("name", ["x" * 129, "bad\udcffname"])
def test_a_folder_name_that_cannot_be_an_id(writer, url, name):
    with pytest.raises(UserError, match="rename the folder"):
        writer.record(graded(name), submitted(name))


def test_a_gradebook_is_one_file_afterwards(url):
    with Writer(url, "unrolled") as writer:
        writer.prepare(LESSON)
        writer.record(graded("pat"), submitted("pat"))
    path = Path(url.removeprefix("sqlite:///"))
    assert sorted(p.name for p in path.parent.glob("gradebook.db*")) == ["gradebook.db"]


def test_a_new_gradebook_needs_no_activated_environment(url, tmp_path):
    """nbgrader would start the command `alembic` from PATH."""
    code = ("import sys; from pathlib import Path; from autograde import course\n"
            "from autograde.recording import gradebook\n"
            "course.SOLUTIONS = Path(sys.argv[1])\n"
            "with gradebook.Writer('sqlite:///' + sys.argv[1] + '/new.db', 'unrolled') as w: w.prepare('90_tiny')")
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env={**os.environ, "PATH": "/usr/bin:/bin"})
    with sqlite3.connect(tmp_path / "new.db") as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


# Speed ------------------------------------------------------------------------------------------------

def test_recording_is_fast(writer, capsys):
    """Milliseconds a submission: new ones, and the same again."""
    times = {"new": [], "again": []}
    for kind, taken in times.items():
        for number in range(100):
            result, submission = graded(f"s{number}"), submitted(f"s{number}")
            start = time.perf_counter()
            writer.record(result, submission)
            taken.append(1000 * (time.perf_counter() - start))
        with capsys.disabled():
            print(f"\n  gradebook, {kind}: {statistics.median(taken):.1f} ms a submission (median of 100)", end="")
    assert statistics.median(times["new"]) < 50, "stock nbgrader needs about 46 ms; we aim at 10"


# The journal ------------------------------------------------------------------------------------------

def test_a_journal_remembers_what_is_done(tmp_path):
    with Journal(tmp_path) as journal:
        assert not journal.done("ada", LESSON, "f1")
        journal.append("ada", LESSON, "f1", graded("ada").record())
    with Journal(tmp_path) as journal:
        assert journal.done("ada", LESSON, "f1")
        assert not journal.done("ada", LESSON, "f2"), "another file, lesson or secret is another submission"
        assert not journal.done("bo", LESSON, "f1")
        assert journal.record_of("ada", LESSON) == graded("ada").record()
        journal.append("ada", LESSON, "f2", graded("ada", 0).record())
        assert journal.done("ada", LESSON, "f2") and not journal.done("ada", LESSON, "f1")


def test_a_torn_last_line_is_a_submission_not_done(tmp_path):
    with Journal(tmp_path) as journal:
        for student in "abc":
            journal.append(student, LESSON, student, {})
    whole = journal.path.read_bytes()
    for cut in range(1, len(whole.splitlines()[-1]) + 1):
        journal.path.write_bytes(whole[:-cut])
        with Journal(tmp_path) as again:
            assert [again.done(s, LESSON, s) for s in "ab"] == [True, True]
            # Without its newline only, the line is still whole.
            assert again.done("c", LESSON, "c") == (cut == 1)
            again.append("d", LESSON, "d", {})
        with Journal(tmp_path) as last:
            assert last.done("d", LESSON, "d"), f"cut {cut}: what follows a torn line is read"


def test_two_runs_into_one_folder_are_refused(tmp_path):
    with Journal(tmp_path), pytest.raises(UserError, match="another run"), Journal(tmp_path):
        pass
    with Journal(tmp_path):
        pass


def test_a_journal_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"), Journal(tmp_path / "file"):
        pass


def test_a_fingerprint_depends_on_every_part():
    base = fingerprint(b"ab", "c", "d")
    assert base == fingerprint(b"ab", "c", "d")
    assert len({base, fingerprint(b"a", "bc", "d"), fingerprint(b"ab", "c", "e"),
                fingerprint(b"ab", "cd", "")}) == 4


def test_a_version_changes_with_the_lesson(url, tmp_path):
    before = version(LESSON)
    assert before == version(LESSON)
    write_reference(tmp_path, reference(nbformat.v4.new_markdown_cell("more")))
    assert version(LESSON) != before


def test_a_journal_beside_another_gradebook_is_not_believed(writer, url):
    record = graded("ada").record()
    assert not writer.holds("ada", LESSON, record)
    writer.record(graded("ada"), submitted("ada"))
    assert writer.holds("ada", LESSON, record)
    assert not writer.holds("ada", LESSON, graded("ada", add=1).record())


def test_a_journal_keeps_what_people_gave_until_the_student_returns(tmp_path):
    given = {"marks": {"tiny-why": [1.5, None]}}
    with Journal(tmp_path) as journal:
        journal.append("ada", LESSON, "f1", graded("ada").record(), tmp_path / "submitted")
        assert journal.handed_in_below(tmp_path / "submitted") == [("ada", LESSON)]
        assert journal.handed_in_below(tmp_path / "elsewhere") == []
        journal.append_taken_out("ada", LESSON, given)
    with Journal(tmp_path) as journal:
        assert journal.given_before("ada", LESSON) == given and journal.record_of("ada", LESSON) is None
        assert not journal.done("ada", LESSON, "f1") and journal.handed_in_below(tmp_path / "submitted") == []
        journal.append_taken_out("ada", LESSON, None)
        assert journal.given_before("ada", LESSON) == given, "taken out twice, nothing is lost"
        journal.append("ada", LESSON, "f1", graded("ada").record(), tmp_path / "submitted")
        assert journal.given_before("ada", LESSON) is None


# Killed runs ------------------------------------------------------------------------------------------

CLASS = [f"s{number:02d}" for number in range(30)]


def grade_class(url: str, output: Path) -> None:
    """What a run does with results that are ready: skip what is done, else transaction, then journal."""
    with Journal(output) as journal, Writer(url, "unrolled") as writer:
        writer.prepare(LESSON)
        for student in CLASS:
            record = graded(student).record()
            if not (journal.done(student, LESSON, student) and writer.holds(student, LESSON, record)):
                writer.record(graded(student), submitted(student))
                journal.append(student, LESSON, student, record)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_run_killed_anywhere_goes_on(url, tmp_path, monkeypatch):
    """`kill -9` at random moments: nothing half written, the journal behind by one at most, the same end."""
    with Writer(url, "unrolled") as writer:
        writer.prepare(LESSON)
        started = time.perf_counter()
        writer.record(graded(CLASS[0]), submitted(CLASS[0]))
        one = time.perf_counter() - started
    draw, cut_short = random.Random(3), 0
    for _ in range(25):
        child = os.fork()
        if child == 0:
            try:
                grade_class(url, tmp_path)
            finally:
                os._exit(0)
        time.sleep(draw.uniform(0, 8 * one))
        os.kill(child, signal.SIGKILL)
        cut_short += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        with Gradebook(url, "unrolled") as book:
            rows = {s.student_id: [len(n.grades) for n in s.notebooks] for s in book.assignment_submissions(LESSON)}
        assert set(map(tuple, rows.values())) <= {(3,)}, "a submission is there whole or not at all"
        with Journal(tmp_path) as journal:
            done = {student for student in CLASS if journal.done(student, LESSON, student)}
        assert done <= set(rows) and len(set(rows) - done - {CLASS[0]}) <= 1
    assert cut_short >= 5
    grade_class(url, tmp_path)
    before = dump(url)
    assert {student: grades(url, student) for student in CLASS} == dict.fromkeys(CLASS, grades(url, CLASS[0]))
    recorded = []
    monkeypatch.setattr(Writer, "record", lambda self, result, *rest: recorded.append(result.student))
    grade_class(url, tmp_path)
    assert recorded == [] and dump(url) == before, "what is finished is not graded again"


# PostgreSQL -------------------------------------------------------------------------------------------

def postgres_tools() -> Path | None:
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.environ.get("PATH", "").split(os.pathsep))]
    return next((p for p in places if (p / "initdb").exists() and (p / "postgres").exists()), None)


def answers(address: str) -> bool:
    import psycopg

    try:
        psycopg.connect(address).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="module")
def postgres():
    """A server of our own on a Unix socket, from Debian's packages."""
    tools = postgres_tools()
    if tools is None:
        pytest.skip("no PostgreSQL server programs on this machine")
    # Not pytest's folder: that one is closed to the user which the server runs as.
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        demote = unprivileged(folder)
        data = Path(folder, "data")
        subprocess.run([tools / "initdb", "-D", data, "-U", "teacher", "-A", "trust", "--no-sync"], check=True,
                       stdout=subprocess.DEVNULL, cwd=folder, **demote)
        server = subprocess.Popen([tools / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **demote)
        try:
            deadline = time.time() + 60
            address = f"postgresql://teacher@/postgres?host={folder}"
            while not answers(address):
                assert server.poll() is None and time.time() < deadline, "PostgreSQL did not start"
                time.sleep(0.1)
            yield address
        finally:
            server.terminate()
            server.wait(30)


def unprivileged(folder: str) -> dict:
    """How to start a program in `folder` as somebody else than root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    import pwd

    try:
        user = pwd.getpwnam("postgres").pw_uid
    except KeyError:
        pytest.skip("PostgreSQL does not run as root, and there is no user `postgres`")
    os.chown(folder, user, -1)
    return {"user": user}


@pytest.mark.slow
def test_postgresql(postgres, template, monkeypatch):
    monkeypatch.setattr(course, "SOLUTIONS", template)
    for _ in range(2):
        with Writer(postgres, "unrolled") as writer:
            writer.prepare(LESSON)
            writer.record(graded("ada"), submitted("ada"), datetime(2026, 1, 1))
            writer.record(Result("bo", LESSON, MISSING, ()), Submission("bo", LESSON, status=MISSING))
            assert writer.holds("ada", LESSON, graded("ada").record())
    stock_url = postgres.replace("postgresql://", "postgresql+psycopg://")
    assert grades(stock_url, "ada")["tiny-mul-check"] == (1.5, None, False, 1.5)
    by_hand(stock_url, "ada", "tiny-why", 2.0)
    with Writer(postgres, "unrolled") as writer:
        writer.prepare(LESSON)
        writer.record(graded("ada", mul=3), submitted("ada"))
        assert writer.standings(LESSON)["ada"].marks["tiny-why"].score == 2.0
        assert writer.given("ada", LESSON)["marks"] == {"tiny-why": [2.0, None]}
    assert grades(stock_url, "ada")["tiny-why"] == (None, 2.0, False, 2.0)
    with Gradebook(stock_url, "unrolled") as book:
        assert len(book.students) == 2 and book.find_submission(LESSON, "ada").score == 10.0
