"""What a page adds to a verdict: what to read again, formulas without a network, an error once; and it in Markdown."""

from __future__ import annotations

import json
import re
import sys
import time
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from autograde import course
from autograde.recording import feedback, mathml, pages, reading, student_text
from autograde.recording.autograded import as_json, autograded
from autograde.records import NO_ANSWER, AspectResult, CellOutput, Mark, Result, Verdict
from tests.test_feedback import (
    ATTACKS,
    EVIL,
    LESSON,
    MATHML,
    Outline,
    must_be_accessible_and_inert,
    result,
    standing,
    submission,
    text_of,
)


def both(graded: Result, handed_in, by_hand=None, **more) -> tuple[str, str]:
    """The page and its Markdown, from the notebook as it is read from its file."""
    notebook = json.loads(as_json(autograded(graded, handed_in)))
    return feedback.both(notebook, standing(graded, handed_in, by_hand, **more))


def markdown_cell(text: str):
    return nbformat.v4.new_markdown_cell(text)


# What to read again --------------------------------------------------------------------------------------------

def test_each_exercise_leads_to_its_section():
    handed_in = submission()
    handed_in.notebook.cells[1] = markdown_cell(
        "## 1 · Sums\nA **sum** has a plus: $a + b$. See [there](#x).\n\n![two](attachment:two.png)\n\n"
        "**Exercise `tiny.add`** · 5 points\n\nAdd.\n<details><summary>Hint</summary>\nNo minus.\n</details>")
    handed_in.notebook.cells.insert(4, markdown_cell("Do they agree?"))
    handed_in.notebook.cells.insert(5, markdown_cell("And products?\n\n**Exercise `tiny.mul`** · 3 points"))
    html, text = both(result(), handed_in)
    must_be_accessible_and_inert(html)
    assert html.count('Read again: <a href="#read-1">1 · Sums</a>') == 2 and "Read again: 1 · Sums" in text
    section = re.search(r'<div class="answer" id="read-1" tabindex="0">(.*?)</div>', html, re.S)[1]
    assert "A <strong>sum</strong> has a plus: <math" in section and "See there." in section
    assert "And products?" in section, "what leads to the next exercise"
    for left_out in ("Exercise", "No minus", "Do they agree", "two.png", "Hint"):
        assert left_out not in section, left_out


def test_a_section_is_named_even_if_headings_repeat_and_set_once_for_a_class():
    notebooks = [json.loads(as_json(autograded(result(name), submission(name)))) for name in ("ada", "bo")]
    first, second = map(reading.sections, notebooks)
    assert first is second, "the same cells are looked at once"
    assert {one.title for one in first.values()} <= {"Sums", "Why is that so?"}


@pytest.mark.parametrize("lesson", course.lessons())
def test_every_exercise_of_the_course_has_something_to_read(lesson):
    notebook = nbformat.read(course.released(lesson), 4)
    graded = {cell.metadata.nbgrader.grade_id.removesuffix("-check").replace("-", ".", 1) for cell in notebook.cells
              if cell.metadata.get("nbgrader", {}).get("grade")}
    found = reading.sections(notebook)
    assert graded <= found.keys()
    for section in set(found.values()):
        assert len(section.source) > 40 and "Exercise `" not in section.source and "<details" not in section.source
        left = re.findall(r"<code>\$.*?</code>", str(section.html), re.S)
        assert len(left) <= 1, f"formulas that stay as they were typed: {left}"


# Formulas -----------------------------------------------------------------------------------------------------

SET = {
    r"c_{t-1}": "<msub><mi>c</mi><mrow><mi>t</mi><mo>−</mo><mn>1</mn></mrow></msub>",
    r"x_t'^2": "<msubsup><mi>x</mi><mi>t</mi><mrow><mo>′</mo><mn>2</mn></mrow></msubsup>",
    r"\frac12": "<mfrac><mn>1</mn><mn>2</mn></mfrac>",
    r"\sqrt[3]{x}": "<mroot><mi>x</mi><mn>3</mn></mroot>",
    r"\mathbf{W}": "<mi>𝐖</mi>", r"\mathbb R": "<mi>ℝ</mi>", r"\mathcal{L}": "<mi>ℒ</mi>",
    r"\mathfrak{C}": "<mi>ℭ</mi>",
    r"\mathrm{softmax}": "<mi>softmax</mi>", r"\text{if } x": "<mtext>if\xa0</mtext>",
    r"\left(\frac{a}{b}\right.": '<mrow><mo stretchy="true">(</mo><mfrac>',
    r"\hat y": '<mover accent="true"><mi>y</mi>',
    r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}": "<mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr>",
    r"\begin{cases} 1 & x > 0 \\ 0 \end{cases}": '<mtable class="left">', r"a \odot b \le \infty": "<mo>⊙</mo>",
    r"\hat \imath": "<mi>ı</mi>", "a,\\\nb": '<mspace width="0.25em">',
    r"f(x) = \|x\|": '<mo stretchy="false">‖</mo>', r"\operatorname{diag}(f)": "<mi>diag</mi>",
}


@pytest.mark.parametrize("tex", SET)
def test_formulas_are_set(tex):
    made = mathml.convert(tex)
    assert SET[tex] in made
    assert {element.tag for element in ElementTree.fromstring(made).iter()} <= MATHML


def test_limits_stand_below_and_above_only_on_a_line_of_their_own():
    assert "<munderover><mo>∑</mo>" in mathml.convert(r"\sum_{t=1}^T x_t", display=True)
    assert "<msubsup><mo>∑</mo>" in mathml.convert(r"\sum_{t=1}^T x_t")
    assert mathml.convert(r"\argmax_k z_k", display=True).startswith('<math display="block"')


@pytest.mark.parametrize("tex", ["x^", "{", "}", "a & b", r"\left(", r"\left( a", r"\begin{matrix} a", "x_1_2",
                                 r"\href{a}{b}", r"\begin{picture}x\end{picture}", r"\text{\href{x}}",
                                 r"\begin{matrix}a\end{cases}",
                                 "{" * 40 + "}" * 40, r"\frac{a}", r"\left a b \right c", r"\mathbf"])
def test_what_is_no_formula_is_shown_as_it_was_typed(tex):
    assert mathml.convert(tex) is None
    assert text_of(str(student_text.rendered(f"${tex}$"))).replace(" ", "") == f"${tex}$".replace(" ", "")


@given(st.lists(st.sampled_from([
    "{", "}", "^", "_", "&", "\\\\", "'", "x", "12", "<", '"', "\\frac", "\\sqrt", "[", "]", "\\left", "\\right", "(",
    ")", ".", "\\begin{matrix}", "\\end{matrix}", "\\begin{cases}", "\\end{cases}", "\\mathbf", "\\text", "\\hat",
    "\\sum", " ",
    "\\overset", "\\|", "\\{", "$", "\\operatorname", "\\big", "界", "<script>"]), max_size=25))
def test_whatever_is_typed_is_well_formed_and_of_mathml_alone(pieces):
    made = mathml.convert(" ".join(pieces))
    if made is not None:
        assert {element.tag for element in ElementTree.fromstring(made).iter()} <= MATHML


@pytest.mark.parametrize("tex", ["{" * 2000, "x^" * 1000, "\\frac" * 400, "\\left(" * 300, "x'" * 1000,
                                 "\\begin{matrix}" * 99])
def test_a_formula_made_to_take_long_does_not(tex):
    started = time.process_time()
    mathml.convert(tex)
    assert time.process_time() - started < 1


# Errors and places --------------------------------------------------------------------------------------------

def test_an_exception_is_said_once_with_the_students_own_line():
    said = "NameError: name 'y' is not defined (in line 2: `return y`)"
    verdict = Verdict("tiny.add", "Adding", NO_ANSWER, 0.0, 5.0, note=f"The cell stopped: {said}")
    html, text = both(Result("ada", LESSON, "graded", (verdict,), outputs={2: CellOutput("", said)}), submission())
    for page in (text_of(html), text):
        assert page.replace("\\", "").count("NameError") == 1 and "line 2" in page
    stopped = "Your code stopped in line 2: `return y`, with NameError: name y is not defined."
    verdict = Verdict("tiny.add", "Adding", "not right yet", 0.0, 5.0, tuple(
        AspectResult(name, False, 0, 1, f"Tried: {name}. {stopped}") for name in ("shape", "values", "mask")))
    html, text = both(Result("ada", LESSON, "graded", (verdict,)), submission())
    assert text_of(html).count("NameError") == text.count("NameError") == 1


PLACES = [sys.prefix, str(Path.home() / ".local"), str(course.ROOT), "/opt/venv/lib/python3.12/site-packages",
          "/usr/lib/python3/dist-packages", "C:\\Users\\prof\\venv\\Lib\\site-packages"]


@pytest.mark.parametrize("place", PLACES)
def test_no_folder_of_the_machine_is_shown(place):
    said = f"ImportError: cannot import name 'x' from 'keras' ({place}/keras/__init__.py)"
    verdict = Verdict("tiny.add", "Adding", "not right yet", 0.0, 5.0, (AspectResult("values", False, 0, 5, said),),
                      note="")
    graded = Result("ada", LESSON, "timeout", (verdict,), (f"from {place}/a.txt",), f"in {place}/b.txt",
                    outputs={2: CellOutput(f"{said}\n", said)})
    for page in both(graded, submission()):
        assert place not in page and "keras/" in page
    notebook = as_json(autograded(graded, submission()))
    assert json.dumps(place)[1:-1] not in notebook


def test_a_students_own_paths_and_words_stay():
    for text in ("/home/ada/data.csv is missing", "and/or/not", "/usr/share/dict/words", "a/b/c", "/tmp/x",
                 "1/2/3 site-packages"):
        assert student_text.without_places(text) == text
    started = time.process_time()
    student_text.without_places("/a" * 4000)
    assert time.process_time() - started < 1


# Markdown -----------------------------------------------------------------------------------------------------

def test_the_markdown_says_what_the_page_says():
    hand = {"tiny-why": Mark(2.0, True, manual=1.5, comment="Say *which* gate."),
            "tiny-mul-check": Mark(3.0, auto=3.0, extra=0.5)}
    _, text = both(result(text="shape (2, 3)", error="OSError: x", repairs=["the check was deleted"]), submission(),
                   hand, penalty=1.0)
    for expected in ("# A tiny lesson", "Feedback for **ada** · 90\\_tiny", "**6 of 10 points**",
                     "A late penalty of 1 points",
                     "## Adding", "◐ partly right · 2 of 5 points · `tiny.add`",
                     "What happened: You wrote `a - b`; a sum has a plus.", "- ✔ right: shape (2 of 2)",
                     "- ✘ wrong: values (0 of 3). Tried: 2 + 3.", "```python\ndef add(a, b):\n    return a - b\n```",
                     "```\nshape (2, 3)\n```", "- The check was deleted.", "0.5 of these points are extra credit.",
                     "Your instructor writes:\n\n```markdown\nSay *which* gate.\n```",
                     "Your answer:\n\n```markdown\nBecause.\n```"):
        assert expected in text, expected
    assert "\n\n\n\n" not in text


@pytest.mark.parametrize("evil", [EVIL, *ATTACKS, "```\n# out\n```", "````\n~~~~~\n```", "\n# heading\n- item",
                                  "[x](http://elsewhere.example)"])
def test_nothing_that_people_wrote_is_markdown_there(evil):
    def outline(what: str) -> tuple[set[str], list[str]]:
        _, text = both(result(student=what, status="timeout", text=what, error=what, evidence=what, note=what,
                              repairs=[what]), submission(code=what, why=what),
                       {"tiny-why": Mark(2.0, True, manual=1, comment=what)})
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
        kinds = {token.type for token in (*tokens, *(child for token in tokens for child in token.children or []))}
        return kinds, [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]

    kinds, headings = outline(evil)
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "blockquote_open", "table_open"}
    assert headings == outline("harmless")[1] and headings[0] == "A tiny lesson" and len(headings) == 6


def test_pages_are_written_together_and_made_again_if_one_is_gone(tmp_path):
    graded, handed_in = result(), submission()
    held = standing(graded, handed_in)
    path = pages.notebook_path(tmp_path, "ada", LESSON)
    path.parent.mkdir(parents=True)
    path.write_text(as_json(autograded(graded, handed_in)), encoding="utf-8")
    assert pages.refresh(tmp_path, LESSON, {"ada": held}) == 1
    page = pages.page_path(tmp_path, "ada", LESSON)
    assert sorted(one.suffix for one in page.parent.iterdir()) == [".html", ".md"]
    assert pages.refresh(tmp_path, LESSON, {"ada": held}) == 0
    page.with_suffix(".md").unlink()
    assert pages.refresh(tmp_path, LESSON, {"ada": held}) == 1
    pages.remove(tmp_path, "ada", LESSON)
    assert not page.parent.exists()


def test_a_page_may_be_nested_in_no_heading():
    assert Outline(both(Result("ada", LESSON, "missing", ()), submission())[0]).headings[0] == 1
