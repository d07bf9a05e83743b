"""The student's page, the autograded notebook and the class report: readable, accessible, and inert."""

from __future__ import annotations

import json
import random
import re
import statistics
import subprocess
import sys
import time
from datetime import datetime
from html.parser import HTMLParser
from itertools import pairwise

import nbformat
import numpy as np
import pytest

from autograde import course, records
from autograde.judging import judge
from autograde.judging.exercise import Aspect, Case, Exercise, Misconception
from autograde.recording import feedback, histogram, report, student_text, words
from autograde.recording.autograded import as_json, autograded, rewritten
from autograde.recording.sheet import check_id
from autograde.records import (
    GRADED,
    MISSING,
    STATUSES,
    TIMEOUT,
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


def standing(graded: Result, handed_in: Submission | None = None, by_hand: dict[str, Mark] | None = None,
             **more) -> Standing:
    """What the gradebook holds after `graded` was recorded and people gave `by_hand`."""
    marks = {check_id(v.exercise): Mark(v.max_points, auto=v.points) for v in graded.verdicts}
    text = handed_in.notebook.cells[7].source if handed_in and handed_in.notebook else ""
    unread = text not in ("", "YOUR ANSWER HERE")
    marks["tiny-why"] = Mark(2.0, written=True, auto=None if unread else 0.0, waits=unread)
    return Standing(graded.student, LESSON, marks | (by_hand or {}), **more)


def page(graded: Result, handed_in: Submission, by_hand: dict[str, Mark] | None = None, **more) -> str:
    """The page, made from the autograded notebook as it is read from its file."""
    return feedback.page(json.loads(as_json(autograded(graded, handed_in))),
                         standing(graded, handed_in, by_hand, **more))


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


def text_of(html: str) -> str:
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
        assert tag not in ("script", "iframe", "object", "embed", "link", "form", "input", "base")
        assert not any(name.startswith("on") for name in attrs), f"<{tag}> has a handler"
        # Links lead to a place on the page or, from a report, to a page beside it.
        assert re.match(r"#|\.\./feedback/[^/:]+/\w+/\w+\.html$|\d\d_\w+\.html$", attrs.get("href", "#")), attrs
        assert tag != "img" or (attrs["src"].startswith("data:image/") and "svg" not in attrs["src"][:30])
        assert tag == "img" or "src" not in attrs
    regions = [attrs.get("aria-label") or attrs["aria-labelledby"] for tag, attrs in page.tags
               if tag == "section" or attrs.get("role") == "region"]
    assert len(regions) == len(set(regions)), "every landmark has a name of its own"
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in page.all("a") if a["href"][0] == "#"} <= set(ids), "every link leads somewhere"
    assert not re.search(r"url\(|@import|https?://", html)


# The page ---------------------------------------------------------------------------------------------

def test_a_page_says_what_a_student_needs(tmp_path):
    graded = result(text="shape (2, 3)", error="NameError: x", repairs=["the check was deleted"])
    html = page(graded, submission())
    must_be_accessible_and_inert(html)
    text = text_of(html)
    for expected in ("A tiny lesson", "Feedback for ada", "5 of 10 points", "1 partly right", "1 waits for a reader",
                     "2 of these points wait for a person", "You wrote a - b; a sum has a plus.", "Tried: 2 + 3.",
                     "return a - b", "shape (2, 3)", "NameError: x", "The check was deleted.", "Why is that so?",
                     "Because."):
        assert expected in text, expected
    assert "<code>a - b</code>" in html


def test_no_state_is_told_by_colour_alone():
    html = page(result(), submission())
    states = re.findall(r'<span class="state \w+"><span class="icon" aria-hidden="true">(.+?)</span>(.*?)</span>', html)
    assert len(states) >= 6
    assert all(icon.strip() and word.strip() for icon, word in states)
    looks = {word: icon for icon, word in words.LOOKS.items()}
    assert len(looks) == len(words.LOOKS)


@pytest.mark.parametrize("state", [records.PASSED, records.PARTLY, records.FAILED, records.UNWRITTEN, records.FORBIDDEN,
                                   records.NO_ANSWER])
def test_every_state_of_a_verdict_has_its_look(state):
    verdict = Verdict("tiny.add", "Adding", state, 0.0, 5.0, (AspectResult("values", False, 0.0, 5.0),), note="Why.")
    html = page(Result("ada", LESSON, GRADED, (verdict,)), submission())
    must_be_accessible_and_inert(html)
    assert state in text_of(html) and "Why." in text_of(html)


@pytest.mark.parametrize("status", [s for s in STATUSES if s != GRADED])
def test_every_status_is_explained(status):
    html = page(result(status=status, note="what `was` seen"), submission())
    must_be_accessible_and_inert(html)
    text = text_of(html)
    assert words.STATUSES[status].title in text and "What to do:" in text and "what was seen" in text
    empty = page(Result("ada", LESSON, status, ()), Submission("ada", LESSON, status=status))
    must_be_accessible_and_inert(empty)
    assert "0 of 2 points" in text_of(empty), "the maximum is that of everybody"


def test_a_graded_page_has_no_status():
    assert "What to do" not in page(result(), submission())


def test_what_a_person_gave_is_shown():
    hand = {"tiny-why": Mark(2.0, True, manual=1.5, comment="Nice. <b>But</b> *why*?"),
            "tiny-add-check": Mark(5.0, auto=2.0, manual=4.0, comment="See me."),
            "tiny-mul-check": Mark(3.0, auto=3.0, extra=0.5)}
    html = page(result(), submission(), by_hand=hand, submitted=datetime(2026, 3, 1, 9, 5),
                due=datetime(2026, 2, 28, 7), penalty=1.0)
    must_be_accessible_and_inert(html)
    text = text_of(html)
    assert "8 of 10 points" in text, "4 + 3 + 0.5 + 1.5 - 1"
    assert "Nice. <b>But</b> why?" in text and "<em>why</em>" in html and "See me." in text
    assert "3 graded by hand" in text and "0.5 of these points are extra credit" in text
    assert "01 March 2026, 09:05 UTC" in text and "due 28 February 2026, 07:00 UTC" in text
    assert "Handed in 1 day and 2 hours late. A late penalty of 1 points" in text


def test_an_untouched_written_answer_waits_for_nobody():
    assert "1 not written yet" in text_of(page(result(), submission(why="YOUR ANSWER HERE")))
    assert "1 waits for a reader" in text_of(page(result(), submission(why="Because.")))


def test_nothing_a_student_wrote_becomes_html():
    html = page(
        result(student=EVIL, status=TIMEOUT, text=EVIL, error=EVIL, evidence=EVIL, note=EVIL, repairs=[EVIL]),
        submission(code=EVIL, why=EVIL), by_hand={"tiny-why": Mark(2.0, True, waits=True, comment=EVIL)})
    must_be_accessible_and_inert(html)
    assert text_of(html).count("<script>alert(1)</script>") == 10
    assert text_of(html).count("{{ 7 * 7 }}") == 10, "nor a template"


def test_output_is_cut_by_bytes_not_lines():
    huge = "界" * 5_000_000  # one line, 15 MB
    html = page(result(text=huge, error=huge, evidence=huge, note=huge, status=TIMEOUT, repairs=[huge] * 1000),
                         submission(code=huge[:200_000], why=huge[:200_000]))
    assert len(html.encode()) < 400_000
    assert "more characters are not shown" in html and "And 940 more" in html


@pytest.mark.parametrize("raw, shown", [
    ("\x1b[31mred\x1b[0m", "red"), ("\x1b]0;title\x07text", "text"), ("a\x00b\x08c", "a�b�c"),
    ("10%\r20%\r\n", "10%\n20%"),
    ("safe \u202egnp.exe", "safe �gnp.exe"), ("\ud800", "?"), ("tab\tstays", "tab\tstays"), ("x" * 9, "x" * 9)])
def test_invisible_characters_are_not_let_through(raw, shown):
    assert student_text.clean(raw, 100) == shown


def test_a_cut_never_splits_a_character():
    for limit in range(1, 12):
        kept = student_text.clean("aé界😀b", limit).split("\n")[0]
        assert "aé界😀b".startswith(kept) and len(kept.encode()) <= limit


def test_a_page_is_written_whole(tmp_path):
    path = tmp_path / "feedback" / "ada" / f"{LESSON}.html"
    course.write_text(path, "one")
    course.write_text(path, "two")
    assert path.read_text() == "two" and [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_page_takes_milliseconds(capsys):
    times = []
    for _ in range(50):
        start = time.process_time()
        page(result(), submission())
        times.append(1000 * (time.process_time() - start))
    with capsys.disabled():
        print(f"\n  feedback page: {statistics.median(times):.1f} ms (median of 50)", end="")
    assert min(times) < 20, "we aim at 5 ms"


# The autograded notebook ------------------------------------------------------------------------------

def test_the_formgrader_gets_outputs_and_verdicts():
    notebook = autograded(result(text="shape (2, 3)", error="NameError: x"), submission())
    nbformat.validate(notebook)
    assert [(o.output_type, o.name, o.text) for o in notebook.cells[2].outputs] == [
        ("stream", "stdout", "shape (2, 3)"), ("stream", "stderr", "NameError: x")]
    (panel,) = notebook.cells[3].outputs
    assert "partly right (2 of 5 points)" in panel.data["text/plain"] and "a sum has a plus" in panel.data["text/html"]
    assert "mathjax_ignore" in panel.data["text/html"]
    assert notebook.cells[3].metadata.nbgrader.points == 5
    assert notebook.cells[7].metadata.unrolled["answer"] == "Because."
    assert nbformat.reads(as_json(notebook), 4).cells == notebook.cells


def test_making_it_leaves_the_submission_as_it_was():
    handed_in = submission(why="<b>x</b>")
    before = json.dumps(handed_in.notebook)
    autograded(result(text="x"), handed_in)
    assert json.dumps(handed_in.notebook) == before


@pytest.mark.parametrize("status", [MISSING, "unreadable"])
def test_nothing_handed_in_is_a_notebook_that_says_so(status):
    notebook = autograded(Result("ada", LESSON, status, (), note="```\n<script>alert(1)</script>"),
                                   Submission("ada", LESSON, status=status))
    nbformat.validate(notebook)
    assert words.STATUSES[status].title in notebook.cells[0].source
    assert "<script" not in notebook.cells[0].source


def test_a_rewritten_answer_is_noticed(tmp_path):
    path = tmp_path / "autograded.ipynb"
    assert rewritten(path, submission()) == frozenset()
    for why in ("Because.", "Because of <b>this</b>."):
        course.write_text(path, as_json(autograded(result(), submission(why=why))))
        assert rewritten(path, submission(why=why)) == frozenset()
        assert rewritten(path, submission(why="For another reason.")) == {"tiny.why"}
    path.write_text("{half a noteb")
    assert rewritten(path, submission()) == {"tiny.why"}
    assert rewritten(path, Submission("ada", LESSON, status=MISSING)) == frozenset()


# Written answers -------------------------------------------------------------------------------------

def in_formgrader(text: str, attachments: dict | None = None) -> str:
    """The HTML that nbgrader's formgrader makes of an answer's Markdown cell: it lets HTML through."""
    from nbconvert.filters import markdown2html

    return str(markdown2html(student_text.for_formgrader(text, attachments)))


PLAIN = {
    "Because $f_t$ is near 1, *mostly*.": "mathjax_process\">$f_t$</span> is near 1, <em>mostly</em>.",
    "- one\n- two\n\n**bold** `x < 3`": "<strong>bold</strong> <code>x &lt; 3</code>",
    "$$\\frac{a}{b}$$": "mathjax_process\">$$\\frac{a}{b}$$</span>",
    "$$\n\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}\n$$": "mathjax_process",
    "The token `PAD`; h_t-1 & c_t-1; 100 %": "h_t-1 &amp; c_t-1; 100 %",
    "| a | b |\n|---|--:|\n| 1 | 2 |": "<td style=\"text-align:right\">2</td>",
    "```python\nx = 1\n\ny = 2\n```": "<pre><code>x = 1",
    "> quoted\n\n1. first\n\n---": "<blockquote>", "a line  \nand ~~wrong~~": "<s>wrong</s>", "我爱中国": "我爱中国"}


@pytest.mark.parametrize("text", PLAIN)
def test_an_ordinary_answer_is_shown_as_the_markdown_it_is(text):
    """The same on the page and in the formgrader, but for formulas: MathML here, for MathJax there."""
    assert PLAIN[text] in in_formgrader(text).replace("&#36;", "$").replace("&#92;", "\\")
    html = str(student_text.rendered(text))
    assert ("<math" in html) == ("$" in text) and ("$" in text or PLAIN[text] in html)
    as_typed = re.sub(r"<math[^>]*>.*?</math>", "", html, flags=re.S)
    there = re.sub(r'<span class="formula[^>]*>.*?</span>', "", in_formgrader(text), flags=re.S)
    assert " ".join(Outline(there).text.split()) == " ".join(Outline(f"<div>{as_typed}</div>").text.split())


def test_an_answers_own_picture_is_shown_and_nothing_else_is():
    dot = "iVBORw0KGgo="
    attachments = {"a b.png": {"image/png": dot}, "evil.svg": {"image/svg+xml": "PHN2Zz4="},
                   "no.png": {"image/png": "not base64 \" onerror=x"}, "big.png": {"image/png": "A" * 4_000_000}}
    text = "![two lines](attachment:a%20b.png) ![](attachment:evil.svg) ![](attachment:no.png) ![](attachment:big.png)"
    for html in (student_text.rendered(text, attachments), in_formgrader(text, attachments)):
        (picture,) = Outline(html).all("img")
        assert picture == {"alt": "two lines", "src": f"data:image/png;base64,{dot}"}
        assert "[the picture evil.svg is not attached as" in html and "[the picture big.png is too large" in html


ATTACKS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "a <b onclick='x'>b</b>",
    "[click](javascript:alert(1))", "[click] (javascript:x)", "![x](http://elsewhere/track.png)",
    "<javascript:alert(1)>", "[click][1]\n\n[1]: javascript:alert(1)", "[click][1]\n\n[1] : javascript:alert(1)",
    "$\\href{javascript:alert(1)}{x}$",
    "```\n</code></pre><script>alert(1)</script>\n```", "````\n```\n<script>\n```\n````", "`````\n<script>",
    "$$\\require{html}\\href{javascript:x}{y}$$", "<!--", "</div></div><form>",
    "<a href='javascript&colon;alert(1)'>x</a>",
    "$\\def\\x{\\csname href\\endcsname}\\x{javascript:1}{a}$", "\n    <script>alert(1)</script>", "<?php",
    "<style>*{display:none}", "see http://elsewhere.example or www.elsewhere.example", "<http://elsewhere.example>",
    "<me@elsewhere.example>", "- [ ] click me\n- [x] done", "```mermaid\ngraph TD; A-->B\n```",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)", "![x](attachment:none.png)", "# A heading\n\nunder\n=====",
    "$$\\rlap{\\raise 40em{\\Huge you have full marks}}$$", "$\\hspace{-90em}x$", "$$\\begin{picture}x\\end{picture}$$",
    "costs 5\\$ and $ 6", "\\(\\unicode{x41}\\) \\[\\mmlToken{mi}[href=x]{y}\\]",
    "\\begin{align}\\href{x}{y}\\end{align}",
    "$a$ <b>$\\style{position:fixed}{x}$</b>"]


ALLOWED = {"p", "em", "strong", "code", "pre", "div", "span", "ul", "ol", "li", "blockquote", "hr", "table", "thead",
           "tbody", "tr", "th", "td", "br", "s"}


MATHML = {"math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup",
          "munder", "mover", "munderover", "mtable", "mtr", "mtd"}


def must_be_inert(html: str) -> None:
    for tag, attrs in Outline(html).tags:
        assert tag in ALLOWED | MATHML, (tag, html)
        assert set(attrs) <= ({"class", "alttext", "display", "stretchy", "accent", "width", "linethickness",
                               "mathvariant"} if tag in MATHML else {"class", "style", "start"}), (attrs, html)
        assert attrs.get("style", "text-align:x").startswith(("text-align", "contain:paint")), html


@pytest.mark.parametrize("text", [*ATTACKS, *(f"{a}\n{b}" for a, b in pairwise(ATTACKS))])
def test_an_answer_is_inert_on_the_page_and_in_the_formgrader(text):
    for html in (student_text.rendered(text), in_formgrader(text)):
        must_be_inert(html)
        assert "".join(Outline(html).text.split()), "and it is still seen"


@pytest.mark.parametrize("text", [a for a in ATTACKS if "$" in a or "\\" in a])
def test_mathjax_is_given_nothing_but_formulas(text):
    html = in_formgrader(text)
    assert html.lstrip().startswith('<div class="tex2jax_ignore')
    given = re.findall(r'mathjax_process">(.*?)</span>', html)
    assert all("\\" not in piece for piece in given), given


def test_random_answers_are_inert():
    """Pieces of Markdown and HTML in any order: no tag but those of plain Markdown, and no link."""
    pieces = ["<", ">", "script", "a", " ", "\n", "\n\n", "`", "```", "~~~", "[", "]", "(", ")", ":", "!", "$", "$$",
              "\\", "href", "javascript:x", "&lt;", "&#60;", "b", "/", "=", "'", '"', "*", "_", "    ", "- ", "> ", "#",
              "|", "1. ", "http://x.y", "[ ] ", "\\begin{align}", "\\end{align}", "\\[", "\\]", "attachment:"]
    draw = random.Random(7)
    for _ in range(3000):
        text = "".join(draw.choices(pieces, k=draw.randint(1, 30)))
        must_be_inert(student_text.rendered(text))
        must_be_inert(in_formgrader(text))


@pytest.mark.parametrize("piece", ["*a_ ", "[", "![", "`", "> ", "- ", "$", "|", "<", "&", "\\", "~~", "a\n=\n",
                                   "[a]: b\n"])
def test_an_answer_made_to_take_long_does_not(piece):
    started = time.process_time()
    student_text.rendered(piece * (100_000 // len(piece)))
    assert time.process_time() - started < 5, "20 kB are looked at, whatever was handed in"


# The class report -------------------------------------------------------------------------------------

def exercises() -> list[Exercise]:
    def values(case):
        return {"y": case["x"]}

    return [Exercise(id=f"tiny.{name}", title=title, cases=lambda rng: {"a": Case({"x": np.ones(3)})}, reference=values,
                     aspects=(Aspect("values", points),),
                     misconceptions=(Misconception("subtracts", "A sum has a `plus`.", values),))
            for name, title, points in (("add", "Adding", 5), ("mul", "Multiplying", 3))]


def missing(student: str) -> Result:
    return Result(student, LESSON, MISSING, tuple(judge.unanswered(exercise) for exercise in exercises()))


def report_on(results: list[Result], given: dict[str, dict] | None = None, absent=()) -> str:
    """The report on results that were recorded; `given` is what people and the clock did, by student."""
    standings = {r.student: standing(r, **(given or {}).get(r.student, {})) for r in results}
    return report.class_report(LESSON, [r.record() for r in results], exercises(), standings, absent)


def test_a_report_shows_what_needs_the_instructor():
    results = [result(name) for name in ("ada", "bo", "cy")]
    results += [result("di", status=TIMEOUT, note="a cell ran too long", repairs=["the check was deleted"]),
                missing("ed")]
    html = report_on(results, {"ada": {"penalty": 1.0}, "bo": {"by_hand": {"tiny-why": Mark(2.0, True, manual=1.5)}}},
                     absent=["flo"])
    must_be_accessible_and_inert(html)
    text = text_of(html)
    for expected in ("5 submissions", "Needs your eye", "Ran out of time (timeout, 1)",
                     "di: 5 of 10 points; a cell ran too long", "Handed nothing in",
                     "Adding tiny.add 0 4 0 0 2 of 5", "Multiplying tiny.mul 4 0 0 0 3 of 3",
                     "Written answer tiny.why 0 1 0 3 0.38 of 2", "ada 4 of 10 −1 graded", "bo 6.5 of 10 graded",
                     "Not handed in yet, and not due: flo.",
                     "4 × subtracts · Adding (tiny.add)", "A sum has a plus.", "ada, bo, cy, di",
                     "The check was deleted. 1: di"):
        assert expected in text, expected
    assert text.index("Needs your eye") < text.index("Scores")
    assert 'aria-label="Number of submissions by score. 4 to 5 points: 1, 5 to 6 points: 2, 6 to 7 points: 1."' in html


def test_a_class_without_trouble_has_no_warning():
    html = report_on([result("ada")])
    assert "Needs your eye" not in html and "Put right" not in html
    must_be_accessible_and_inert(report_on([]))


def test_a_report_is_inert_and_bounded():
    html = report_on([result(EVIL + str(number), status="tampered", note=EVIL * 1000, repairs=[EVIL + str(number)])
                      for number in range(300)])
    must_be_accessible_and_inert(html)
    assert len(html.encode()) < 1_500_000 and "and 260 more" in html


def test_the_histogram_counts_everybody():
    assert histogram.counts([0.0, 4.0, 8.0, 8.0, 9.5], 8.0) == [1, 0, 0, 0, 0, 1, 0, 0, 0, 3]
    assert histogram.counts([], 8.0) == histogram.counts([], 0.0) == [0] * 10


def test_the_histogram_is_the_same_bytes_and_has_its_text_as_text():
    found = (1, 0, 0, 0, 0, 1, 0, 0, 0, 3)
    drawing = histogram.drawing(found, 62.0)
    histogram.drawing.cache_clear()
    assert histogram.drawing(found, 62.0) == drawing
    picture = Outline(drawing)
    assert {tag for tag, _ in picture.tags} == {"svg", "g", "path", "text"}
    written = picture.text.split()
    assert written[:11] == [f"{6.2 * n:.4g}" for n in range(11)] and written[-3:] == ["1", "1", "3"]
    heights = [float(path.split()[2]) - float(path.split()[8])
               for path in re.findall(r'class="bars">\s*<path d="(.+?)"', drawing)]
    assert heights[9] == pytest.approx(3 * heights[0]) and heights[1] == 0


def test_grading_does_not_wait_for_matplotlib():
    code = "import sys, autograde.show; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
