"""The student's page, the autograded notebook and the class report: readable, accessible, and inert."""

from __future__ import annotations

import json
import random
import re
import statistics
import time
from datetime import datetime
from html.parser import HTMLParser
from itertools import pairwise

import nbformat
import numpy as np
import pytest

from autograde import course, records
from autograde.judging.exercise import Aspect, Case, Exercise, Misconception
from autograde.recording import feedback, report
from autograde.recording.gradebook import ByHand
from autograde.records import (
    GRADED,
    MISSING,
    STATUSES,
    TIMEOUT,
    AspectResult,
    CellOutput,
    Diagnosis,
    Result,
    Step,
    Submission,
    Verdict,
)

LESSON = "90_tiny"
EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">&lt;{{ 7 * 7 }}'


def cell(kind: str, grade_id: str, source: str, points: float | None = None):
    make = nbformat.v4.new_markdown_cell if kind == "written" else nbformat.v4.new_code_cell
    new = make(source, id=grade_id)
    new.metadata["nbgrader"] = {
        "grade": kind != "solution", "solution": kind != "check", "locked": kind == "check", "task": False,
        "grade_id": grade_id, "schema_version": 3, "cell_type": new.cell_type,
        **({} if points is None else {"points": points})}
    return new


WRONG = "def add(a, b):\n    return a - b"


def submission(student: str = "ada", code: str = WRONG, why: str = "Because.") -> Submission:
    notebook = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_markdown_cell("# A `tiny` lesson\nProse."),
        nbformat.v4.new_markdown_cell("## Sums"),
        cell("solution", "tiny-add", code),
        cell("check", "tiny-add-check", 'check("tiny.add", add)', 5),
        cell("solution", "tiny-mul", "def mul(a, b):\n    return a * b"),
        cell("check", "tiny-mul-check", 'check("tiny.mul", mul)', 3),
        nbformat.v4.new_markdown_cell("## Why is that so?"),
        cell("written", "tiny-why", why, 2)])
    steps = (Step("solution", 2, code, "tiny.add"), Step("check", 3, "check()", "tiny.add"),
             Step("solution", 4, notebook.cells[4].source, "tiny.mul"), Step("check", 5, "check()", "tiny.mul"))
    return Submission(student, LESSON, notebook, steps)


def result(student: str = "ada", status: str = GRADED, text: str = "", error: str = "", evidence: str = "Tried: 2 + 3.",
           repairs=(), note: str = "") -> Result:
    add = Verdict("tiny.add", "Adding", "partly right", 2.0, 5.0, (
        AspectResult("shape", True, 2.0, 2.0), AspectResult("values", False, 0.0, 3.0, evidence)),
        (Diagnosis("subtracts", "You wrote `a - b`; a sum has a plus."),))
    mul = Verdict("tiny.mul", "Multiplying", "passed", 3.0, 3.0, (AspectResult("values", True, 3.0, 3.0),))
    return Result(student, LESSON, status, (add, mul), tuple(repairs), note, outputs={2: CellOutput(text, error)})


class Outline(HTMLParser):
    """What matters of a page: tags with attributes, text, headings, and whether the tags close in order."""

    VOID = {"meta", "br", "img", "hr", "link", "input"}

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.headings: list[int] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"
        self.text += " " * (tag in ("td", "th", "li", "p", "dt", "dd"))

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def all(self, tag: str) -> list[dict]:
        return [attrs for name, attrs in self.tags if name == tag]


def words(html: str) -> str:
    return " ".join(Outline(html).text.split())


def must_be_accessible_and_inert(html: str) -> None:
    page = Outline(html)
    assert page.all("html") == [{"lang": "en"}]
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "script-src" not in policy
    assert page.headings[0] == 1 and page.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(page.headings)), "no heading level is skipped"
    assert all("scope" in attrs for attrs in page.all("th"))
    for tag, attrs in page.tags:
        assert tag not in ("script", "iframe", "object", "embed", "link", "form", "img", "base")
        assert not any(name.startswith("on") for name in attrs), f"<{tag}> has a handler"
        assert attrs.get("href", "#").startswith("#") and "src" not in attrs
        assert tag != "svg" or attrs.get("aria-hidden") == "true" or attrs.get("aria-label")
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in page.all("a")} <= set(ids), "every link leads somewhere"
    assert not re.search(r"url\(|@import|https?://", html)


# The page ---------------------------------------------------------------------------------------------

def test_a_page_says_what_a_student_needs(tmp_path):
    graded = result(text="shape (2, 3)", error="NameError: x", repairs=["the check was deleted"])
    html = feedback.page(graded, submission())
    must_be_accessible_and_inert(html)
    text = words(html)
    for expected in ("A tiny lesson", "Feedback for ada", "5 of 10 points", "1 partly right", "1 waits for a reader",
                     "2 of these points wait for a person", "You wrote a - b; a sum has a plus.", "Tried: 2 + 3.",
                     "return a - b", "shape (2, 3)", "NameError: x", "The check was deleted.", "Why is that so?",
                     "Because."):
        assert expected in text, expected
    assert "<code>a - b</code>" in html


def test_no_state_is_told_by_colour_alone():
    html = feedback.page(result(), submission())
    states = re.findall(r'<span class="state \w+"><span class="icon" aria-hidden="true">(.+?)</span>(.*?)</span>', html)
    assert len(states) >= 6
    assert all(icon.strip() and word.strip() for icon, word in states)
    looks = {word: icon for icon, word in feedback.LOOKS.items()}
    assert len(looks) == len(feedback.LOOKS)


@pytest.mark.parametrize("state", [records.PASSED, records.PARTLY, records.FAILED, records.UNWRITTEN, records.FORBIDDEN,
                                   records.NO_ANSWER])
def test_every_state_of_a_verdict_has_its_look(state):
    verdict = Verdict("tiny.add", "Adding", state, 0.0, 5.0, (AspectResult("values", False, 0.0, 5.0),), note="Why.")
    html = feedback.page(Result("ada", LESSON, GRADED, (verdict,)), submission())
    must_be_accessible_and_inert(html)
    assert state in words(html) and "Why." in words(html)


@pytest.mark.parametrize("status", [s for s in STATUSES if s != GRADED])
def test_every_status_is_explained(status):
    html = feedback.page(result(status=status, note="what `was` seen"), submission())
    must_be_accessible_and_inert(html)
    text = words(html)
    assert feedback.STATUSES[status].title in text and "What to do:" in text and "what was seen" in text
    empty = feedback.page(Result("ada", LESSON, status, ()), Submission("ada", LESSON, status=status))
    must_be_accessible_and_inert(empty)
    assert "0 of 0 points" in words(empty)


def test_a_graded_page_has_no_status():
    assert "What to do" not in feedback.page(result(), submission())


def test_what_a_person_gave_is_shown():
    hand = {"tiny-why": ByHand(1.5, 2.0, "Nice. <b>But</b> why?"), "tiny-add-check": ByHand(4.0, 5.0)}
    html = feedback.page(result(), submission(), by_hand=hand, submitted=datetime(2026, 3, 1, 9, 5), penalty=1.0)
    text = words(html)
    assert "8.5 of 10 points" not in text and "7.5 of 10 points" in text, "4 + 3 + 1.5 - 1"
    assert "Nice. <b>But</b> why?" in text and "2 graded by hand" in text
    assert "01 March 2026, 09:05 UTC" in text and "late penalty of 1 points" in text


def test_an_untouched_written_answer_waits_for_nobody():
    handed_in = submission(why="YOUR ANSWER HERE")
    from nbgrader.utils import compute_checksum
    written = handed_in.notebook.cells[7]
    written.metadata.nbgrader["checksum"] = compute_checksum(written)
    assert "1 not written yet" in words(feedback.page(result(), handed_in))
    written.source = "Because."
    assert "1 waits for a reader" in words(feedback.page(result(), handed_in))


def test_nothing_a_student_wrote_becomes_html():
    html = feedback.page(
        result(student=EVIL, status=TIMEOUT, text=EVIL, error=EVIL, evidence=EVIL, note=EVIL, repairs=[EVIL]),
        submission(code=EVIL, why=EVIL), by_hand={"tiny-why": ByHand(None, 2.0, EVIL)})
    must_be_accessible_and_inert(html)
    assert words(html).count("<script>alert(1)</script>") == 10
    assert words(html).count("{{ 7 * 7 }}") == 10, "nor a template"


def test_output_is_cut_by_bytes_not_lines():
    huge = "界" * 5_000_000  # one line, 15 MB
    html = feedback.page(result(text=huge, error=huge, evidence=huge, note=huge, status=TIMEOUT, repairs=[huge] * 1000),
                         submission(code=huge[:200_000], why=huge[:200_000]))
    assert len(html.encode()) < 400_000
    assert "more characters are not shown" in html and "And 940 more" in html


@pytest.mark.parametrize("raw, shown", [
    ("\x1b[31mred\x1b[0m", "red"), ("\x1b]0;title\x07text", "text"), ("a\x00b\x08c", "a�b�c"),
    ("10%\r20%\r\n", "10%\n20%"),
    ("safe \u202egnp.exe", "safe �gnp.exe"), ("\ud800", "?"), ("tab\tstays", "tab\tstays"), ("x" * 9, "x" * 9)])
def test_invisible_characters_are_not_let_through(raw, shown):
    assert feedback.clean(raw, 100) == shown


def test_a_cut_never_splits_a_character():
    for limit in range(1, 12):
        kept = feedback.clean("aé界😀b", limit).split("\n")[0]
        assert "aé界😀b".startswith(kept) and len(kept.encode()) <= limit


def test_a_page_is_written_whole(tmp_path):
    path = tmp_path / "feedback" / "ada" / f"{LESSON}.html"
    course.write_text(path, "one")
    course.write_text(path, "two")
    assert path.read_text() == "two" and [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_page_takes_milliseconds(capsys):
    times = []
    for _ in range(50):
        start = time.perf_counter()
        feedback.page(result(), submission())
        times.append(1000 * (time.perf_counter() - start))
    with capsys.disabled():
        print(f"\n  feedback page: {statistics.median(times):.1f} ms (median of 50)", end="")
    assert min(times) < 20, "we aim at 5 ms"


# The autograded notebook ------------------------------------------------------------------------------

def test_the_formgrader_gets_outputs_and_verdicts():
    notebook = feedback.autograded(result(text="shape (2, 3)", error="NameError: x"), submission())
    nbformat.validate(notebook)
    assert [(o.output_type, o.name, o.text) for o in notebook.cells[2].outputs] == [
        ("stream", "stdout", "shape (2, 3)"), ("stream", "stderr", "NameError: x")]
    (panel,) = notebook.cells[3].outputs
    assert "partly right (2 of 5 points)" in panel.data["text/plain"] and "a sum has a plus" in panel.data["text/html"]
    assert "mathjax_ignore" in panel.data["text/html"]
    assert notebook.cells[3].metadata.nbgrader.points == 5
    assert nbformat.reads(feedback.as_json(notebook), 4).cells == notebook.cells


def test_making_it_leaves_the_submission_as_it_was():
    handed_in = submission(why="<b>x</b>")
    before = json.dumps(handed_in.notebook)
    feedback.autograded(result(text="x"), handed_in)
    assert json.dumps(handed_in.notebook) == before


@pytest.mark.parametrize("status", [MISSING, "unreadable"])
def test_nothing_handed_in_is_a_notebook_that_says_so(status):
    notebook = feedback.autograded(Result("ada", LESSON, status, (), note="```\n<script>alert(1)</script>"),
                                   Submission("ada", LESSON, status=status))
    nbformat.validate(notebook)
    assert feedback.STATUSES[status].title in notebook.cells[0].source
    assert "<script" not in rendered(notebook.cells[0].source)


def test_a_rewritten_answer_is_noticed(tmp_path):
    path = tmp_path / "autograded.ipynb"
    assert feedback.rewritten(path, submission()) == frozenset()
    for why in ("Because.", "Because of <b>this</b>."):
        course.write_text(path, feedback.as_json(feedback.autograded(result(), submission(why=why))))
        assert feedback.rewritten(path, submission(why=why)) == frozenset()
        assert feedback.rewritten(path, submission(why="For another reason.")) == {"tiny.why"}
    path.write_text("{half a noteb")
    assert feedback.rewritten(path, submission()) == {"tiny.why"}
    assert feedback.rewritten(path, Submission("ada", LESSON, status=MISSING)) == frozenset()


# Written answers in the formgrader --------------------------------------------------------------------

def rendered(markdown: str) -> str:
    """As nbgrader's formgrader renders a Markdown cell: HTML in it is let through."""
    from nbconvert.filters import markdown2html

    return markdown2html(markdown)


PLAIN = [
    "Because $f_t$ is near 1, *mostly*.", "- one\n- two\n\n**bold** `x < 3` and 2 < 3 > 1", "$$\\frac{a}{b}$$",
    "The token `PAD`; h_t-1 & c_t-1; 100 % \\alpha", "| a | b |\n|---|---|\n| 1 | 2 |"]


@pytest.mark.parametrize("text", PLAIN)
def test_an_ordinary_answer_stays_markdown(text):
    assert feedback.harmless(text) == text


ATTACKS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "a <b onclick='x'>b</b>",
    "[click](javascript:alert(1))", "[click] (javascript:x)", "![x](http://elsewhere/track.png)",
    "<javascript:alert(1)>", "[click][1]\n\n[1]: javascript:alert(1)", "[click][1]\n\n[1] : javascript:alert(1)",
    "$\\href{javascript:alert(1)}{x}$",
    "```\n</code></pre><script>alert(1)</script>\n```", "````\n```\n<script>\n```\n````", "`````\n<script>",
    "$$\\require{html}\\href{javascript:x}{y}$$", "<!--", "</div></div><form>",
    "<a href='javascript&colon;alert(1)'>x</a>",
    "$\\def\\x{\\csname href\\endcsname}\\x{javascript:1}{a}$", "\n    <script>alert(1)</script>", "<?php",
    "<style>*{display:none}"]


@pytest.mark.parametrize("text", [*ATTACKS, *(f"{a}\n{b}" for a, b in pairwise(ATTACKS))])
def test_an_answer_cannot_become_html_in_the_formgrader(text):
    """Rendered as the formgrader does, only a code block with the text comes out."""
    tags = [(tag, attrs) for tag, attrs in Outline(rendered(feedback.harmless(text))).tags]
    assert {tag for tag, _ in tags} <= {"div", "pre", "span", "code"}, tags
    assert all(set(attrs) <= {"class"} for _, attrs in tags)
    assert "pre" in {tag for tag, _ in tags}, "and MathJax reads nothing inside <pre>"


def test_random_answers_cannot_become_html_in_the_formgrader():
    """Pieces of Markdown and HTML in any order: no tag but those of plain Markdown, and no link."""
    pieces = ["<", ">", "script", "a", " ", "\n", "\n\n", "`", "```", "~~~", "[", "]", "(", ")", ":", "!", "$", "$$",
              "\\", "href", "javascript:x", "&lt;", "&#60;", "b", "/", "=", "'", '"', "*", "_", "    ", "- ", "> ", "#",
              "|", "1. "]
    allowed = {"p", "em", "strong", "code", "pre", "div", "span", "ul", "ol", "li", "blockquote", "h1", "h2", "h3",
               "h4", "h5", "h6", "hr", "table", "thead", "tbody", "tr", "th", "td", "br", "a", "del"}
    draw = random.Random(7)
    for _ in range(3000):
        text = "".join(draw.choices(pieces, k=draw.randint(1, 30)))
        found = Outline(rendered(feedback.harmless(text)))
        for tag, attrs in found.tags:
            assert tag in allowed, (tag, text)
            assert set(attrs) <= {"class", "id", "href", "style", "start"}, (attrs, text)
            assert tag != "a" or attrs.get("class") == "anchor-link", text
            assert attrs.get("style", "text-align:left").startswith("text-align"), text


# The class report -------------------------------------------------------------------------------------

def exercises() -> list[Exercise]:
    def values(case):
        return {"y": case["x"]}

    return [Exercise(id=f"tiny.{name}", title=title, cases=lambda rng: {"a": Case({"x": np.ones(3)})}, reference=values,
                     aspects=(Aspect("values", points),),
                     misconceptions=(Misconception("subtracts", "A sum has a `plus`.", values),))
            for name, title, points in (("add", "Adding", 5), ("mul", "Multiplying", 3))]


def test_a_report_shows_what_needs_the_instructor():
    records = [result(name).record() for name in ("ada", "bo", "cy")]
    records += [result("di", status=TIMEOUT, note="a cell ran too long", repairs=["the check was deleted"]).record(),
                Result("ed", LESSON, MISSING, ()).record()]
    html = report.class_report(LESSON, records, exercises())
    must_be_accessible_and_inert(html)
    text = words(html)
    for expected in ("5 submissions", "Needs your eye", "Ran out of time (timeout, 1)",
                     "di: 5 of 8 points; a cell ran too long", "Handed nothing in",
                     "Adding tiny.add 0 4 0 0 2 of 5", "Multiplying tiny.mul 4 0 0 0 3 of 3",
                     "4 × subtracts · Adding (tiny.add)", "A sum has a plus.", "ada, bo, cy, di",
                     "The check was deleted. 1: di"):
        assert expected in text, expected
    assert text.index("Needs your eye") < text.index("Scores")
    assert 'aria-label="Number of submissions by score. 4.8 to 5.6 points: 4."' in html


def test_a_class_without_trouble_has_no_warning():
    html = report.class_report(LESSON, [result("ada").record()], exercises())
    assert "Needs your eye" not in html and "Put right" not in html
    must_be_accessible_and_inert(report.class_report(LESSON, [], exercises()))


def test_a_report_is_inert_and_bounded():
    records = [result(EVIL + str(number), status="tampered", note=EVIL * 1000, repairs=[EVIL + str(number)]).record()
               for number in range(300)]
    html = report.class_report(LESSON, records, exercises())
    must_be_accessible_and_inert(html)
    assert len(html.encode()) < 1_500_000 and "and 260 more" in html


def test_the_histogram_counts_everybody():
    chart = report._chart([0.0, 4.0, 8.0, 8.0], 8.0)
    assert [bar["count"] for bar in chart["bars"]] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 2]
    assert report._median([1, 2, 3]) == 2 and report._median([1, 2]) == 1.5 and report._median([]) == 0
