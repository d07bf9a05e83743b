"""Every page that people get, in a browser: for all eyes, at every width, and inert whatever was handed in."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from autograde.authoring import samples
from autograde.intake import submission as intake
from autograde.judging import oracles
from autograde.recording import feedback, report
from autograde.recording.autograded import as_json, autograded
from autograde.recording.course_report import LessonClass, course_report
from autograde.recording.sheet import check_id
from autograde.records import (
    FAILED,
    NO_ANSWER,
    PARTLY,
    PASSED,
    UNWRITTEN,
    AspectResult,
    CellOutput,
    Diagnosis,
    Mark,
    Result,
    Standing,
    Step,
    Submission,
    Verdict,
)
from tests import test_feedback, test_report
from tests.browser import (
    AXE,
    WIDTHS,
    asked_for,
    keep_picture,
    look,
    look_as_before,
    scrolls_sideways,
    touching,
    unreadable_on_paper,
    violations,
    watched,
)
from tests.hostile.texts import ALL
from tests.test_feedback import EVIL

LESSON, WRITTEN = "06_bidirectional", "bi-why"
STATES = [PASSED, PARTLY, FAILED, UNWRITTEN, NO_ANSWER]


# The pages ----------------------------------------------------------------------------------------------------------


def a_lesson_handed_in(student: str, written: str) -> tuple[dict, Standing]:
    """A real notebook with every state of an exercise in it: its autograded form and what the gradebook holds."""
    notebook = samples.sample_class(LESSON)["amara"]
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == WRITTEN:
            cell.source = written
    handed_in = intake.rebuild(student, LESSON, json.dumps(notebook).encode())
    verdicts, marks = [], {}
    for number, exercise in enumerate(oracles.of_lesson(LESSON)):
        state = STATES[number % len(STATES)]
        tops = {aspect.name: aspect.points for aspect in exercise.aspects}
        top = sum(tops.values())
        aspects = tuple(
            AspectResult(
                name,
                state == PASSED or (state == PARTLY and not place),
                points * (state == PASSED or (state == PARTLY and not place)),
                points,
                "" if state == PASSED else "Tried: B = 2, T = 5. Expected 0.25 at [0, 3, 1], got -0.5.",
            )
            for place, (name, points) in enumerate(tops.items())
        )
        named = (
            (Diagnosis(exercise.misconceptions[0].name, exercise.misconceptions[0].says),) if state == PARTLY else ()
        )
        points = sum(aspect.points for aspect in aspects)
        verdicts.append(
            Verdict(
                exercise.id,
                exercise.title,
                state,
                points,
                top,
                aspects,
                named,
                note="The cell stopped: NameError: name 'y' is not defined." if state == NO_ANSWER else "",
            )
        )
        marks[check_id(exercise.id)] = Mark(top, auto=points)
    marks[WRITTEN] = Mark(3.0, True, manual=1.5, comment="Say *which* gate: $f_t$.")
    outputs = {step.cell: CellOutput("shape (2, 3)\n" * 3, "") for step in handed_in.steps if step.kind == "solution"}
    graded = Result(student, LESSON, "graded", tuple(verdicts), ("the check was deleted",), outputs=outputs)
    return json.loads(as_json(autograded(graded, handed_in))), Standing(student, LESSON, marks, penalty=1.0)


def a_class(of: str = "student") -> list[LessonClass]:
    """A class of twelve in two lessons, of every kind, named `of` and a number."""
    lessons = []
    for lesson in ("00_one", "01_two"):
        those = [
            test_report.answered(
                f"{of}-{n:02d}",
                5.0 * (n % 3 > 0),
                3.0 * (n % 2),
                None if n % 4 else 1.0,
                "subtracts",
                seconds=n + 1.0,
                status="timeout" if n == 7 else "graded",
            )
            for n in range(12)
        ]
        lessons.append(test_report.lesson_of(lesson, those))
    return lessons


@pytest.fixture(scope="module")
def surfaces(tmp_path_factory) -> dict[str, Path]:
    """One page of every kind, as files: what people open."""
    why = (
        "Because $f_t \\approx 1$:\n\n$$\\frac{\\partial c_t}{\\partial c_{t-1}} = f_t$$\n\n| | near |\n|---|---|\n"
        "| f | 1 |\n\n> said `once`\n\n1. and\n2. again"
    )
    lessons = a_class()
    first = lessons[0]
    made = {
        "feedback": feedback.page(*a_lesson_handed_in("ada", why)),
        "nothing-handed-in": feedback.page(
            json.loads(
                as_json(
                    autograded(
                        Result("ada", test_feedback.LESSON, "missing", ()),
                        Submission("ada", test_feedback.LESSON, status="missing"),
                    )
                )
            ),
            Standing("ada", test_feedback.LESSON, {}),
        ),
        "class": report.class_report("00_one", first.records, first.exercises, first.standings, silent=["zoë"]),
        "course": course_report(lessons, ["zoë"]),
    }
    folder = tmp_path_factory.mktemp("surfaces")
    for name, html in made.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.fixture
def looked_at(browser):
    """The browser, its window and its log as they were afterwards."""
    browser.get("about:blank")
    asked_for(browser)
    browser.get_log("browser")
    yield browser
    look_as_before(browser)
    browser.get("about:blank")


# For all eyes -------------------------------------------------------------------------------------------------------


def test_the_checker_is_the_one_that_is_described():
    digest = hashlib.sha256(AXE.read_bytes()).hexdigest()
    assert digest in (AXE.parent / "README.md").read_text(encoding="utf-8")


def test_the_checker_finds_what_is_wrong(looked_at, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!DOCTYPE html><title>x</title><main><img src='data:,'><p style='color:#bbb;background:#fff'>pale</p>"
        "<div style='width:2000px'>wide</div></main>"
    )
    look(looked_at, 360)
    looked_at.get(bad.as_uri())
    found = " ".join(violations(looked_at))
    assert "image-alt" in found and "color-contrast" in found and "html-has-lang" in found
    assert scrolls_sideways(looked_at)


@pytest.mark.parametrize("name", ["feedback", "nothing-handed-in", "class", "course"])
def test_a_page_is_for_everybody_at_every_width_by_day_and_by_night(name, surfaces, looked_at):
    found = []
    looked_at.get(surfaces[name].as_uri())
    for dark in (False, True):
        for width in WIDTHS:
            look(looked_at, width, dark)
            seen = f"{width} {'dark' if dark else 'light'}"
            keep_picture(looked_at, f"{name}-{seen.replace(' ', '-')}")
            looked_at.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
            wrong = (*violations(looked_at), *scrolls_sideways(looked_at), *touching(looked_at))
            found += [f"{seen}: {line}" for line in wrong]
    assert not found, "\n".join(found)
    assert {address.partition(":")[0] for address in asked_for(looked_at)} == {"file"}, (
        "nothing is asked for but the page"
    )
    assert not looked_at.get_log("browser"), "and nothing has gone wrong"


# On paper, and without colours -----------------------------------------------------------------------------------


def test_what_a_printer_loses_is_noticed(looked_at, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!DOCTYPE html><html lang=en><title>x</title><main><p style='background:#222;color:#eee'>night</p>"
        "<pre style='overflow:auto;width:9em'>a line that is longer than its box</pre>"
        "<details><summary>Hint</summary><p>folded</p></details>"
        "<table><tr><th style='padding:0'>Points<th style='padding:0'>Status</table></main>"
    )
    look(looked_at, 700, media="print")
    looked_at.get(bad.as_uri())
    found = " ".join(unreadable_on_paper(looked_at))
    assert all(what in found for what in ("dark ground", "pale", "cut off", "folded away: Hint"))
    assert touching(looked_at) and not touching(looked_at, -10)


@pytest.mark.parametrize("name", ["feedback", "nothing-handed-in", "class", "course"])
def test_a_page_can_be_printed(name, surfaces, looked_at):
    """By day and by night, on A4 and on letter paper with a browser's margins (about 718 and 740 pixels)."""
    looked_at.get(surfaces[name].as_uri())
    for dark in (False, True):
        for width in (718, 740):
            look(looked_at, width, dark, media="print")
            assert not unreadable_on_paper(looked_at), (dark, width)
            assert not scrolls_sideways(looked_at)
    keep_picture(looked_at, f"{name}-print-{width}")


@pytest.mark.parametrize("name", ["feedback", "nothing-handed-in", "class", "course"])
def test_nothing_is_told_by_colour_alone(name, surfaces, looked_at):
    """Whatever has a state's colour says it in words, or is a bar beside which the numbers stand."""
    looked_at.get(surfaces[name].as_uri())
    look(looked_at, 1280)
    looked_at.execute_cdp_cmd("Emulation.setEmulatedVisionDeficiency", {"type": "achromatopsia"})
    keep_picture(looked_at, f"{name}-grey")
    looked_at.execute_cdp_cmd("Emulation.setEmulatedVisionDeficiency", {"type": "none"})
    silent = looked_at.execute_script("""
        const looks = ["passed", "partly", "failed", "none", "wait"].map(l => `.${l}, .is-${l}`).join(", ");
        const spoken = e => [...e.querySelectorAll("*"), e].some(
            one => /[a-z]{3}|\\d/i.test([...one.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join("")));
        return [...document.querySelectorAll(looks)].filter(e => {
            const picture = e.closest("svg");
            return !spoken(picture ? picture.closest("tr, .chart, section") : e);
        }).map(e => e.outerHTML.slice(0, 120));""")
    assert not silent
    if name == "feedback":
        assert len(looked_at.find_elements("css selector", ".state")) > 10


# Inert --------------------------------------------------------------------------------------------------------------


def hostile_pages() -> dict[str, str]:
    """All of the corpus in every place where something that people wrote, are called or caused is shown."""
    whole = "\n\n".join(ALL)
    hand = {"tiny-why": Mark(2.0, True, manual=1, comment=whole)}
    handed_in = test_feedback.submission(code=whole, why=whole)
    made = {"each": feedback.page(*each_by_itself())}
    for status in ("graded", "tampered"):
        graded = test_feedback.result(
            student=EVIL, status=status, text=whole, error=whole, evidence=whole, note=whole, repairs=ALL
        )
        made[status] = feedback.page(
            json.loads(as_json(autograded(graded, handed_in))), test_feedback.standing(graded, handed_in, hand)
        )
    those = [
        (record | {"note": text, "repairs": [text]}, standing)
        for text in ALL
        for record, standing in [test_report.answered(text, 2, 0, None, "subtracts", status="tampered")]
    ]
    those += [test_report.answered(text + " ", 2, 0, None, "subtracts") for text in ALL]
    one = test_report.lesson_of("00_one", those)
    made["class"] = report.class_report("00_one", one.records, one.exercises, one.standings, absent=ALL, silent=ALL)
    made["course"] = course_report([one], ALL)
    return made


def each_by_itself() -> tuple[dict, Standing]:
    """A notebook in which no text can close or swallow another: each is an answer in words, in code and all it causes.

    In a row they would not do: after a fence that nobody closes, everything is code.
    """
    handed_in = test_feedback.submission()
    verdicts, outputs, steps, marks = [], {}, [], {}
    for number, text in enumerate(ALL):
        handed_in.notebook.cells += [
            nbformat.v4.new_markdown_cell(f"## Question {number}"),
            test_feedback.cell("written", f"why-{number}", text, 2),
            test_feedback.cell("solution", f"add-{number}", text),
            test_feedback.cell("check", f"add-{number}-check", "check()", 1),
        ]
        handed_in.notebook.cells[-3]["attachments"] = {text: {"image/svg+xml": text, "image/png": text}}
        last = len(handed_in.notebook.cells)
        name = f"add.{number}"
        steps += [Step("solution", last - 2, text, name), Step("check", last - 1, "check()", name)]
        outputs |= {last - 2: CellOutput(text, text), last - 1: CellOutput(text, text)}
        aspects = (AspectResult("values", False, 0, 1, text), AspectResult(text, False, 0, 0, text))
        verdicts += [
            Verdict(f"add.{number}", text, FAILED, 0.0, 1.0, aspects, (Diagnosis("named", f"You wrote `{text}`."),))
        ]
        marks |= {
            f"why-{number}": Mark(2.0, True, manual=1.0, comment=text),
            f"add-{number}-check": Mark(1.0, auto=0.0, comment=text),
        }
    handed_in = replace(handed_in, steps=tuple(steps))
    graded = Result(EVIL, test_feedback.LESSON, "graded", tuple(verdicts), outputs=outputs)
    made = json.loads(as_json(autograded(graded, handed_in)))
    return made, Standing(EVIL, test_feedback.LESSON, marks)


def test_each_text_stands_where_it_could_do_harm():
    html = feedback.page(*each_by_itself())
    assert html.count("Your answer") == html.count("Your code</summary>") == len(ALL)
    assert html.count("Your instructor writes") == 2 * len(ALL)


def test_what_runs_or_asks_is_noticed(looked_at, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!DOCTYPE html><title>x</title><img src='http://elsewhere.invalid/i'><img src=x onerror=alert(1)>"
        "<a href='javascript:prompt(1)'>x</a>"
    )
    ran, asked = watched(looked_at, bad.as_uri())
    assert "alert" in ran and "prompt" in ran and "http://elsewhere.invalid/i" in asked


@pytest.mark.parametrize("policy", ["with its policy", "without"])
def test_nothing_runs_and_nothing_is_asked_for(policy, looked_at, tmp_path):
    """The page's own policy forbids both; it is inert without it too."""
    for name, html in hostile_pages().items():
        if policy == "without":
            html, count = re.subn(r"<meta http-equiv=[^>]*>", "", html)
            assert count == 1
        path = tmp_path / f"{name}.html"
        path.write_text(html, encoding="utf-8")
        assert watched(looked_at, path.as_uri()) == ([], []), name
        assert not looked_at.get_log("browser"), name
        assert (
            looked_at.execute_script(
                "return document.querySelectorAll('script, iframe, object, embed, form, base').length"
            )
            == 0
        )
        for width in WIDTHS[::2]:
            look(looked_at, width)
            assert not scrolls_sideways(looked_at), (name, width)
        keep_picture(looked_at, f"hostile-{name}")
