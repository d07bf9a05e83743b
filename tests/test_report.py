"""The class report: what it counts is right, what it shows is readable, anonymous where asked, and quick."""

from __future__ import annotations

import random
import re
import statistics
import time
from datetime import datetime, timedelta
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pytest
from rich.console import Console

from autograde import course, office
from autograde.course import UserError
from autograde.judging import oracles
from autograde.recording import bars, items, pages, report, student_text
from autograde.recording.autograded import as_json, autograded, result_at, result_in
from autograde.recording.bars import Bar
from autograde.recording.course_report import LessonClass, course_report
from autograde.recording.gradebook import Writer
from autograde.recording.journal import Journal
from autograde.recording.report import People
from autograde.recording.sheet import check_id
from autograde.records import (
    FAILED,
    NO_ANSWER,
    PARTLY,
    PASSED,
    AspectResult,
    Diagnosis,
    Mark,
    Result,
    Standing,
    Verdict,
)
from tests import test_feedback, test_gradebook
from tests.test_feedback import EVIL, Outline, exercises, must_be_accessible_and_inert, text_of
from tests.test_gradebook import template, url  # noqa: F401

LESSON = "90_tiny"


def answered(student: str, add: float, mul: float, why: float | None = None, name: str = "", state: str = "",
             seconds: float = 0.0, **more) -> tuple[dict, Standing]:
    """One submission: points for two exercises of 5 and 3, a mark for what is written, perhaps a misconception."""
    def verdict(exercise: str, points: float, top: float) -> Verdict:
        how = PASSED if points == top else state or (PARTLY if points else FAILED)
        named = (Diagnosis(name, ""),) if name and how != PASSED else ()
        return Verdict(exercise, exercise, how, points, top, (
            AspectResult("shape", points > 0, 0, 0), AspectResult("values", points == top, points, top)), named)

    graded = Result(student, LESSON, more.pop("status", "graded"),
                    (verdict("tiny.add", add, 5), verdict("tiny.mul", mul, 3)), seconds=seconds)
    marks = {"tiny-add-check": Mark(5, auto=add), "tiny-mul-check": Mark(3, auto=mul),
             "tiny-why": Mark(2, True, manual=why, waits=why is None)}
    return graded.record(), Standing(student, LESSON, marks, **more)


def shown(those: list[tuple[dict, Standing]], **more) -> str:
    html = report.class_report(LESSON, [record for record, _ in those], exercises(),
                               {standing.student: standing for _, standing in those}, **more)
    must_be_accessible_and_inert(html)
    return html


# Numbers --------------------------------------------------------------------------------------------------

def test_difficulty_and_discrimination_are_the_textbooks():
    draw = np.random.default_rng(3)
    points, rest = draw.integers(0, 6, 40).astype(float), draw.normal(size=40)
    rest += points
    assert items.difficulty(list(points), 5) == pytest.approx(points.mean() / 5)
    assert items.discrimination(list(points), list(points + rest)) == pytest.approx(np.corrcoef(points, rest)[0, 1])


def test_where_chance_would_speak_nothing_is_said():
    assert items.difficulty([], 5) is None
    assert items.discrimination([1.0] * 9, list(range(9))) is None, "too few"
    assert items.discrimination([5.0] * 30, list(range(30))) is None, "the same for everybody"
    assert items.discrimination([float(n % 2) for n in range(30)], [float(n % 2) for n in range(30)]) is None, "no rest"


def test_an_exercise_that_separates_badly_is_marked():
    those = [answered(f"s{n:02d}", 5 if n % 2 else 0, 3 if n < 10 else 0, 2 if n < 10 else 0) for n in range(20)]
    text = text_of(shown(those))
    assert "tiny.add 10 0 10 0 2.5 of 5 50 % 0.00 ⚠︎ look at this one" in text
    assert "tiny.mul 10 0 10 0 1.5 of 3 50 % 0.37" in text, "by hand: 1 / √7.25"
    unread = text_of(shown([answered(f"s{n:02d}", 5 if n % 2 else 0, 0) for n in range(20)]))
    assert "Written answer tiny.why · 20 unread 0 0 0 0 0 of 2 – –" in unread, "what nobody has read says nothing"


# What an instructor looks for -----------------------------------------------------------------------------------

def test_the_chart_has_the_misconceptions_by_frequency_and_its_text_as_text():
    those = [answered(f"s{n}", 0, 3, name="subtracts" if n < 3 else "adds twice") for n in range(4)]
    html = shown(those)
    assert ('aria-label="Submissions with each misconception: subtracts (add): 3 (75 %); adds twice (add): 1 (25 %)."'
            in html)
    svg = re.search(r'<div class="chart rows".*?(<svg.*?</svg>)', html, re.S)[1]
    assert re.findall(r"<text[^>]*>([^<]+)", svg) == ["subtracts (add)", "3 (75 %)", "adds twice (add)", "1 (25 %)"]
    widths = [float(width) for width in re.findall(r'class="bars"[^>]*width="([\d.]+)%"', svg)]
    assert widths == [66, 22]


def test_bars_are_cut_and_escaped():
    drawing = bars.drawing([Bar(EVIL * 3, 1, EVIL)])
    picture = Outline(str(drawing))
    assert {tag for tag, _ in picture.tags} == {"svg", "text", "rect"} and "…" in picture.text
    assert bars.drawing([]) == '<svg width="100%" height="0" aria-hidden="true"></svg>' and bars.in_words([]) == "none"


def test_what_stayed_unnamed_is_put_together_by_what_is_wrong():
    those = [answered("ada", 2, 3), answered("bo", 2, 3), answered("cy", 0, 3), answered("di", 0, 3, name="subtracts"),
             answered("ed", 0, 3, state=NO_ANSWER), answered("flo", 5, 3)]
    text = text_of(shown(those))
    assert "1 of 5 answers that were not right have a name above." in text
    for line in ("2 × Adding (tiny.add), wrong: values ada, bo", "1 × Adding (tiny.add), wrong: shape, values cy",
                 "1 × Adding (tiny.add), no answer arrived ed"):
        assert line in text, line
    assert "Every answer that was written is right." in text_of(shown([answered("ada", 5, 3)]))


def test_who_needs_a_look_is_listed_with_the_reason():
    those = [answered("ada", 5, 3, 2), answered("bo", 0, 3, name="subtracts"), answered("cy", 2, 1),
             answered("di", 5, 3)]
    record, standing = answered("eve", 5, 3, 1)
    standing.marks["tiny-why"] = Mark(2, True, manual=1, waits=True)
    html = shown([*those, (record, standing)], silent=["zoë"])
    text = text_of(html)
    assert "Written answers wait for a reader in the formgrader (3): bo, cy, di" in text
    assert "A mark by hand asks for another look, its answer has changed (1): eve" in text
    assert "bo: 3 of 8 · tiny.add: subtracts" in text and "cy: 3 of 8" in text, "unread points count for nobody"
    assert "In the roster, and nothing handed in (1): zoë" in text
    assert "Nobody: everything is read" in text_of(shown([answered("ada", 5, 3, 2)]))


def test_time_says_when_work_came_in_and_what_ran_long():
    due = datetime(2026, 3, 1, 12)
    those = [answered(f"s{n}", 5, 3, seconds=n + 1.0, due=due, submitted=due - timedelta(hours=hours))
             for n, hours in enumerate((50, 26, -2))]
    text = text_of(shown(those))
    assert "Half of the 3 dated submissions had come in 1 day and 2 hours before the due date; 1 came late." in text
    assert "A notebook took 2 s to grade (median); longest: s2 3 s, s1 2 s, s0 1 s." in text
    assert "Time" not in text_of(shown([answered("ada", 5, 3)]))


def test_students_are_linked_to_their_pages(tmp_path):
    names = ["ada", "Bo Li", "李雷", "50% #1?", "a&b"]
    html = shown([answered(name, 2, 3) for name in names])
    links = {link["href"] for link in Outline(html).all("a") if link["href"][0] == "."}
    assert {unquote(link) for link in links} == {f"../feedback/{name}/{LESSON}/{LESSON}.html" for name in names}
    for name in names:
        assert pages.page_path(tmp_path, name, LESSON).relative_to(tmp_path).as_posix() in {
            unquote(link).removeprefix("../") for link in links}


def test_an_anonymous_report_has_nobody_in_it():
    names = ["Ada Lovelace", "Bo Li", "李雷"]
    those = [answered(name, 2, 3, name="subtracts", status="timeout") for name in names]
    for record, _ in those:
        record["note"], record["repairs"] = f"from {record['student']}.ipynb", [f"{record['student']}.ipynb renamed"]
    people = People({name: f"student {3 - n}" for n, name in enumerate(names)}, anonymous=True)
    html = shown(those, people=people, absent=["Zoë"])
    whole = course_report([LessonClass(LESSON, [r for r, _ in those], exercises(), {s.student: s for _, s in those})],
                          people=people)
    must_be_accessible_and_inert(whole)
    for page in (html, whole):
        assert not [name for name in (*names, "Zoë") if name in page] and "../feedback" not in page
        assert re.findall(r'<th scope="row">(student \d)', page) == ["student 1", "student 2", "student 3"]


def test_emphasis_of_an_author_is_shown():
    assert student_text.prose("must *keep* `a*b*c` and a * b * c, 2*3*4") == (
        "must <em>keep</em> <code>a*b*c</code> and a * b * c, 2*3*4")
    assert "<script" not in student_text.prose("*<script>*")


# The course ----------------------------------------------------------------------------------------------------

def lesson_of(name: str, those: list[tuple[dict, Standing]]) -> LessonClass:
    records = [record | {"lesson": name} for record, _ in those]
    return LessonClass(name, records, exercises(), {s.student: s for _, s in those})


def test_the_courses_report_adds_up():
    first = lesson_of("00_one", [answered("ada", 5, 3, 2), answered("bo", 0, 3, 0, name="subtracts")])
    second = lesson_of("01_two", [answered("ada", 5, 3, 0), answered("cy", 0, 0, 0, status="missing")])
    html = course_report([first, second], enrolled=["zoë"])
    must_be_accessible_and_inert(html)
    text = text_of(html)
    for line in ("The course · 2 lessons · 4 students", "00_one 2 65 % 65 % 1 of 1 subtracts (tiny.add, 1 ×)",
                 "01_two 1 80 % 80 % 1", "ada 18 10 8", "bo 3 3 –", "cy 0 – 0 missing", "zoë 0 – –",
                 "cy: 0 of 20 points, nothing in 2", "zoë: 0 of 20 points, nothing in 2",
                 "bo: 3 of 20 points, nothing in 1, little in 1"):
        assert line in text, line
    assert {"00_one.html", "01_two.html"} <= {link["href"] for link in Outline(html).all("a")}
    assert 'aria-label="Mean share of the points: 00_one · 2 submissions: 65 %; 01_two · 1 submissions: 80 %."' in html
    assert text.index("cy: 0 of 20") < text.index("bo: 3 of 20"), "who has least stands first"
    must_be_accessible_and_inert(course_report([]))


def test_a_whole_course_is_quick_and_small(capsys):
    """Five hundred students in twelve lessons: as many exercises, misconceptions and links as there will be."""
    draw, lessons, took = random.Random(1), [], []
    for number in range(12):
        name = course.lessons()[number % len(course.lessons())]
        of = oracles.of_lesson(name)
        records, standings = [], {}
        for student in (f"student-{n:03d}" for n in range(500)):
            entries, marks = [], {}
            for exercise in of:
                top = sum(aspect.points for aspect in exercise.aspects)
                state = draw.choices([PASSED, PARTLY, FAILED], [6, 2, 2])[0]
                points = {PASSED: top, PARTLY: top / 2, FAILED: 0.0}[state]
                names = [draw.choice(exercise.misconceptions).name] if state == PARTLY else []
                entries.append({"id": exercise.id, "points": points, "max_points": top, "state": state, "aspects": [
                    {"name": a.name, "passed": draw.random() < 0.5} for a in exercise.aspects], "diagnosis": names})
                marks[check_id(exercise.id)] = Mark(top, auto=points)
            records.append({"student": student, "lesson": name, "status": "graded", "score": 0.0, "max_score": 0.0,
                            "seconds": 1.0, "note": "", "repairs": [], "exercises": entries})
            standings[student] = Standing(student, name, marks)
        lessons.append(LessonClass(f"{number:02d}_{name[3:]}", records, of, standings))
    sizes = []
    for one in lessons:
        start = time.process_time()
        sizes.append(len(report.class_report(one.lesson, one.records, one.exercises, one.standings).encode()))
        took.append(time.process_time() - start)
    start = time.process_time()
    sizes.append(len(course_report(lessons).encode()))
    took.append(time.process_time() - start)
    with capsys.disabled():
        print(f"\n  500 x 12: {sum(took):.1f} s for 13 reports, a lesson's {statistics.median(took[:-1]):.2f} s, "
              f"the largest {max(sizes) / 1e6:.2f} MB", end="")
    assert max(sizes) < 2_000_000 and sum(took) < 20


# Files ---------------------------------------------------------------------------------------------------------

def test_a_result_is_read_from_the_end_of_a_notebook(tmp_path):
    notebook = autograded(test_feedback.result(text='\n "metadata": {\n', error=EVIL), test_feedback.submission(
        code='x = """\n "metadata": {"unrolled": {}}\n"""'))
    path = tmp_path / "n.ipynb"
    path.write_text(as_json(notebook), encoding="utf-8")
    assert result_at(path) == result_in(notebook) and result_at(path).score == 5
    path.write_text(as_json({"metadata": notebook["metadata"], "cells": []}).replace("\n", ""), encoding="utf-8")
    assert result_at(path) == result_in(notebook), "written by another program"
    path.write_text('{"metadata": {}, "cells": []}', encoding="utf-8")
    assert result_at(path) is None


@pytest.fixture
def graded_class(url, tmp_path, monkeypatch) -> SimpleNamespace:  # noqa: F811
    """Two students graded, one of them in the journal, and one in the roster."""
    (tmp_path / f"{LESSON}.py").write_text("")
    monkeypatch.setattr(oracles, "of_lesson", lambda lesson: exercises())
    monkeypatch.setattr(office, "late_penalty", lambda root: None)
    with Writer(url, "unrolled") as writer, Journal(tmp_path) as journal:
        writer.prepare(LESSON)
        writer.enrol([office.rosters.Person("zoë")])
        for student in ("ada", "bo"):
            graded, handed_in = test_gradebook.graded(student), test_gradebook.submitted(student)
            writer.record(graded, handed_in)
            path = pages.notebook_path(tmp_path, student, LESSON)
            path.parent.mkdir(parents=True)
            path.write_text(as_json(autograded(graded, handed_in)), encoding="utf-8")
        journal.append("ada", LESSON, "f", graded.record() | {"student": "ada", "seconds": 7.5})
    return SimpleNamespace(output=tmp_path, db_url=url)


def test_the_command_writes_lessons_and_course_by_name_and_without(graded_class, capsys):
    console = Console(width=300)
    office.report_and_show(None, graded_class, console)
    folder = graded_class.output / "report"
    lesson = (folder / f"{LESSON}.html").read_text(encoding="utf-8")
    assert "longest: ada 7.5 s." in text_of(lesson)
    assert "In the roster, and nothing handed in (1): zoë" in text_of(lesson)
    assert "zoë" in (folder / "course.html").read_text(encoding="utf-8")
    office.report_and_show([LESSON], graded_class, console, anonymous=True)
    hidden = (folder / "anonymous" / f"{LESSON}.html").read_text(encoding="utf-8")
    assert "zoë" not in hidden and re.search(r"student [123]\b", hidden)
    assert not (folder / "anonymous" / "course.html").exists()
    printed = capsys.readouterr().out.split()
    assert [path.removeprefix(str(folder)) for path in printed] == [
        f"/{LESSON}.html", "/course.html", f"/anonymous/{LESSON}.html"]


def test_numbers_stay_with_a_student_and_follow_no_order(graded_class):
    names = [f"s{n:02d}" for n in range(40)]
    numbers = office._numbers(graded_class.output, names)
    assert numbers == office._numbers(graded_class.output, names[::-1])
    assert sorted(numbers.values()) == sorted(f"student {n + 1}" for n in range(40))
    assert [numbers[name] for name in names] != [f"student {n + 1}" for n in range(40)]


def test_without_a_gradebook_or_the_lesson_it_says_so(graded_class, tmp_path_factory):
    with pytest.raises(UserError, match="no submission for 04_lstm yet; there are: 90_tiny"):
        office.report_and_show(["04_lstm"], graded_class, Console())
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(UserError, match="there is no gradebook"):
        office.report_and_show(None, SimpleNamespace(output=empty, db_url=f"sqlite:///{empty}/gradebook.db"), Console())
    assert not list(empty.iterdir())
