"""Through the real exchange and the real formgrader: hand in, collect, grade, grade by hand, give back, fetch.

Everything lies in a temporary folder; the commands are nbgrader's own, the buttons are pressed in a headless Chromium.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.utils import get_username

from autograde import course
from autograde.authoring import samples
from tests.browser import (
    OUTRIGHT,
    WIDTHS,
    chromium,
    jupyter,
    keep_picture,
    look,
    look_as_before,
    out_of_reach,
    watched,
    without_outside,
)
from tests.hostile.texts import ALL
from tests.test_accessible import each_by_itself
from tests.test_feedback import EVIL
from tests.test_nbgrader_stock import copy_course, environment, expected, nbgrader

LESSON, WHY = "04_lstm", "lstm-why"
EVE = "eve"
ANSWER = "Because $f_t$ is **near 1**."
HOSTILE = """See http://elsewhere.example and <http://elsewhere.example>, [here](http://elsewhere.example).

- [ ] click me
- [x] me too

$$\\rlap{\\raise 40em{\\Huge FULL MARKS}}$$ $\\hspace{-50em}x$

<input name="score"> <img src=x onerror="document.title='owned'">
"""

HANDED_IN = {"mailed": "Short.", "mallory": HOSTILE, EVE: "Because."}  # by mail

@dataclass
class Term:
    """A course directory, a student's folder, and where both meet."""

    course: Path
    student: Path
    name: str

    def page(self, name: str = "") -> str:
        return (self.course / "feedback" / (name or self.name) / LESSON / f"{LESSON}.html").read_text("utf-8")

    def fetched(self) -> str:
        """What the student has got back: one page for each time something was handed in."""
        nbgrader(self.student, "fetch_feedback", LESSON)
        (page,) = self.student.glob(f"{LESSON}/feedback/*/{LESSON}.html")
        return page.read_text("utf-8")

    def grade(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "autograde", "grade", LESSON, "--submitted", "submitted", "--output", ".",
             "--unprotected"], cwd=self.course, env=environment(self.course), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]

    def by_hand(self, score: float, comment: str, student: str = "") -> None:
        """As the formgrader writes it."""
        with Gradebook(f"sqlite:///{self.course}/gradebook.db") as book:
            grade = book.find_grade(WHY, LESSON, LESSON, student or self.name)
            grade.manual_score, grade.needs_manual_grade = score, False
            book.find_comment(WHY, LESSON, LESSON, student or self.name).manual_comment = comment
            book.db.commit()


def answered(sample: str, text: str) -> nbformat.NotebookNode:
    notebook = samples.sample_class(LESSON)[sample]
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == WHY:
            cell.source = text
    return notebook


@pytest.fixture(scope="module")
def term(tmp_path_factory) -> Term:
    """A lesson given out through the exchange; one student handed in there, three by mail."""
    folder = tmp_path_factory.mktemp("term")
    for name in ("course", "student", "exchange"):
        (folder / name).mkdir()
    copy_course(folder / "course", plain=False)
    config = folder / "course" / "nbgrader_config.py"
    places = f'c.Exchange.root = "{folder}/exchange"\nc.Exchange.cache = "{folder}/cache"\n'
    config.write_text(config.read_text("utf-8") + places, "utf-8")
    (folder / "student" / "nbgrader_config.py").write_text(
        f'c = get_config()\nc.CourseDirectory.course_id = "unrolled"\n{places}', "utf-8")
    term = Term(folder / "course", folder / "student", get_username())
    nbgrader(term.course, "generate_assignment", LESSON, "--force")
    nbgrader(term.course, "release_assignment", LESSON)
    nbgrader(term.student, "fetch_assignment", LESSON)
    nbformat.write(answered("ada", ANSWER), term.student / LESSON / f"{LESSON}.ipynb")
    nbgrader(term.student, "submit", LESSON)
    nbgrader(term.course, "collect", LESSON)
    for name, text in HANDED_IN.items():
        path = term.course / "submitted" / name / LESSON / f"{LESSON}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(answered("ada", text), path)
    term.grade()
    return term


def full_marks() -> float:
    return max(deserved["score"] for deserved in expected().values())


def worth() -> float:
    """The points of the lesson, answers in words included."""
    cells = nbformat.read(course.released(LESSON), 4).cells
    return sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in cells)


def test_what_was_graded_reaches_the_student_and_shows_marks_given_since(term):
    """No command between the formgrader and the release but the release itself."""
    term.by_hand(1.5, "Say *which* gate.")
    printed = nbgrader(term.course, "release_feedback", LESSON)
    assert "mailed did not hand in through the exchange" in printed
    page = term.fetched()
    assert f"{full_marks() + 1.5:g}</b> <span>of {worth():g} points" in page
    assert "Say <em>which</em> gate." in page and "near 1" in page
    assert page == term.page()


def test_stock_generate_feedback_makes_the_courses_page_again_each_time(term):
    for score in (0.5, 1.0):
        term.by_hand(score, f"{score} points", "mailed")
        nbgrader(term.course, "generate_feedback", LESSON)
        page = term.page("mailed")
        assert f"{full_marks() + score:g}</b>" in page and f"{score} points" in page
        assert len(page) < 100_000 and "http:" not in page and "https:" not in page and "<script" not in page


@pytest.fixture(scope="module")
def formgrader(term, tmp_path_factory):
    """The formgrader in a browser, signed in; yields the browser and the formgrader's address."""
    folder = tmp_path_factory.mktemp("browser")
    with chromium(folder) as browser, jupyter(term.course, folder, environment(term.course)) as (url, token):
        browser.get(f"{url}formgrader/manage_assignments?token={token}")
        yield browser, f"{url}formgrader"


def press(browser, address: str, student: str, button: str) -> None:
    """Press a student's button in Manage Submissions and read what the formgrader says came of it."""
    browser.get(f"{address}/manage_submissions/{LESSON}")
    row = f"//tr[td[contains(@class, 'student-id')][normalize-space()='{student}']]"
    browser.find_element("xpath", f"{row}//td[contains(@class, '{button}')]/a").click()
    until(browser, 120, lambda: "uccess" in "".join(box.text for box in browser.find_elements("class name", "modal")))
    keep_picture(browser, f"button-{button}")


def until(browser, seconds: float, condition) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(browser, seconds).until(lambda _: condition())


def submission_address(term: Term, address: str, student: str) -> str:
    with Gradebook(f"sqlite:///{term.course}/gradebook.db") as book:
        return f"{address}/submissions/{book.find_submission_notebook(LESSON, LESSON, student).id}/"


def held(term: Term) -> tuple:
    """The mark and the comment by hand, as the gradebook has them."""
    with Gradebook(f"sqlite:///{term.course}/gradebook.db") as book:
        return (book.find_grade(WHY, LESSON, LESSON, term.name).manual_score,
                book.find_comment(WHY, LESSON, LESSON, term.name).manual_comment)


def test_the_formgraders_buttons_give_the_same_page(term, formgrader):
    browser, address = formgrader
    press(browser, address, term.name, "autograde")
    browser.get(submission_address(term, address, term.name))
    score = browser.find_element("id", WHY)
    until(browser, 20, lambda: score.get_attribute("value") == "1.5")  # the marks have been loaded
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", score)
    score.clear()
    score.send_keys("2\t")
    comment = browser.find_element("id", f"{WHY}-comment")
    comment.clear()
    comment.send_keys("Now it is said.\t")
    until(browser, 20, lambda: held(term) == (2.0, "Now it is said."))
    keep_picture(browser, "formgrader")
    press(browser, address, term.name, "generate-feedback")
    assert "Now it is said." in term.page() and "made-from" in term.page()
    press(browser, address, term.name, "release-feedback")
    page = term.fetched()
    assert f"{full_marks() + 2:g}</b> <span>of {worth():g} points" in page and "Now it is said." in page


# The formgrader, as an instructor uses it -----------------------------------------------------------------------

PAGES = ("manage_assignments", f"manage_submissions/{LESSON}", "gradebook", f"gradebook/{LESSON}",
         f"gradebook/{LESSON}/{LESSON}", "manage_students", "an answer")
NBGRADERS_OWN = {("an answer", 800, "<a> ← Prev")}  # the bar's second line lies over it; said in docs/formgrader.md


def open_page(term: Term, formgrader, page: str, student: str = "") -> None:
    """Open one of the formgrader's pages and wait for what it loads."""
    browser, address = formgrader
    browser.get(submission_address(term, address, student or term.name) if page == "an answer" else f"{address}/{page}")
    whole(browser)


def whole(browser) -> None:
    """Wait until a page has what it asks its server for: the tables, the marks of a submission."""
    until(browser, 60, lambda: browser.execute_script("""
        return document.readyState === "complete" && (!window.jQuery || jQuery.active === 0)
            && !document.body.textContent.includes("Loading, please wait");"""))


def test_from_the_overview_to_an_answer_and_on_to_the_next(term, formgrader):
    """The way of an evening's reading, by what is there to be clicked."""
    browser, _ = formgrader
    open_page(term, formgrader, "manage_assignments")
    row = browser.find_element("xpath", f"//tr[td[contains(@class, 'name')][normalize-space()='{LESSON}']]")
    assert row.find_element("css selector", ".status").text == "released"
    keep_picture(browser, "formgrader-overview")
    submissions = row.find_element("css selector", ".num-submissions a")
    assert submissions.text == str(len(HANDED_IN) + 1)
    submissions.click()
    whole(browser)
    names, states = ([one.text for one in browser.find_elements("css selector", f"#main-table td.{kind}")]
                     for kind in ("student-id", "status"))
    assert set(names) == {*HANDED_IN, term.name}
    assert "needs manual grading" in states and set(states) <= {"graded", "needs manual grading"}
    keep_picture(browser, "formgrader-submissions")
    for name in ("Manual Grading", LESSON, LESSON):
        browser.find_element("xpath", f"//*[self::a][normalize-space()='{name}']").click()
        whole(browser)
    keep_picture(browser, "formgrader-to-read")
    assert browser.find_elements("css selector", "td.needs-manual-grade .glyphicon-ok"), "which of them wait"
    browser.find_element("css selector", "td.name a.name-hidden").click()
    whole(browser)
    first = browser.current_url
    assert browser.find_elements("id", WHY), "an answer, with the place for its mark"
    browser.find_element("css selector", "li.next a").click()
    until(browser, 60, lambda: browser.current_url != first)
    whole(browser)
    assert browser.find_elements("id", WHY)


@pytest.mark.parametrize("page", PAGES)
def test_no_control_of_the_formgrader_is_hidden_at_any_width(term, formgrader, page):
    """It has one look, a light one, also on a dark system: what is promised is that everything can be reached."""
    browser, _ = formgrader
    open_page(term, formgrader, page)
    try:
        for dark in (False, True):
            for width in WIDTHS:
                look(browser, width, dark)
                hidden = [one for one in out_of_reach(browser) if (page, width, one) not in NBGRADERS_OWN]
                keep_picture(browser, f"formgrader-{page.replace('/', '-').replace(' ', '-')}-{width}")
                assert not hidden, (width, dark, hidden)
    finally:
        look_as_before(browser)


# Hostile texts in the formgrader --------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def eve(term) -> str:
    """A student with hostile names whose notebook has every hostile text by itself in every place it can have."""
    notebook, _ = each_by_itself()
    folder = term.course / "autograded" / EVE / LESSON
    (folder / f"{LESSON}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    with Gradebook(f"sqlite:///{term.course}/gradebook.db") as book:
        book.update_or_create_student(EVE, first_name="<img src=x onerror=alert(1)>", last_name=EVIL, email=EVIL)
        book.find_comment(WHY, LESSON, LESSON, EVE).manual_comment = "\n".join(ALL)
        book.db.commit()
    return EVE


def asked_by(browser, formgrader, address: str, within: str) -> tuple[list[str], set[str]]:
    """What ran in one of the formgrader's pages, and what it asked for, whoever's submission it is."""
    ran, asked = watched(browser, address, OUTRIGHT, within, lambda: whole(browser))
    return ran, {re.sub(r"[0-9a-f]{32}", "ID", one.partition("?")[0]) for one in asked}


def test_nothing_runs_and_nothing_is_asked_for_in_the_formgrader(term, formgrader, eve):
    """Beyond what it does for an honest student's notebook: it looks for MathJax on another machine."""
    browser, address = formgrader
    answers = ".nbgrader_cell .panel-body, .output_wrapper, .output, .text_cell_render"
    with without_outside(browser):
        nothing, asked = asked_by(browser, formgrader, submission_address(term, address, term.name), answers)
        assert nothing == [] and any("athJax" in one or "mathjax" in one for one in asked)
        ran, more = asked_by(browser, formgrader, submission_address(term, address, eve), answers)
        assert ran == [] and more - asked == set()
        keep_picture(browser, "formgrader-hostile")
        shown = browser.find_element("css selector", "body").text
        assert shown.count("onerror=alert(1)") > 20 and browser.title != "owned", "all of it is there, as text"
        assert "img src=x" in browser.find_element("css selector", ".breadcrumb").get_attribute("textContent")
        for page in ("manage_students", f"manage_students/{eve}", f"manage_submissions/{LESSON}",
                     f"gradebook/{LESSON}/{LESSON}"):
            ran, asked = asked_by(browser, formgrader, f"{address}/{page}", "table")
            assert ran == [], page
            assert not [one for one in asked if not one.startswith(address.removesuffix("formgrader"))], page


def test_a_hostile_answer_is_only_read_in_the_formgrader(term, formgrader):
    browser, address = formgrader
    browser.get(submission_address(term, address, "mallory"))
    box = browser.find_element("xpath", "//div[contains(@class, 'nbgrader_cell')][.//textarea[@id='lstm-why-comment']]"
                                        "//div[contains(@class, 'tex2jax_ignore')]")
    assert "FULL MARKS" in box.text and "elsewhere.example" in box.text and "<input" in box.text
    browser.implicitly_wait(0)
    try:
        assert not box.find_elements("css selector", "a, input, img, iframe, form, [onerror]")
        links = browser.execute_script("return [...document.querySelectorAll('a')].map(a => a.href)")
        assert not [link for link in links if "elsewhere" in link] and browser.title != "owned"
        # Whatever a formula draws stays in the answer's own box: here something that would cover the window.
        covered = browser.execute_script("""
            const box = arguments[0], cover = document.createElement("div");
            cover.style = "position:fixed;inset:0;z-index:99999;background:red";
            box.append(cover);
            const inside = box.getBoundingClientRect(), top = box.ownerDocument.elementFromPoint(600, 5);
            return [top === cover, cover.getBoundingClientRect().height <= inside.height + 1];""", box)
        assert covered == [False, True]
    finally:
        browser.implicitly_wait(20)


def test_pages_are_inert_and_complete_in_a_browser(term, formgrader):
    browser, _ = formgrader
    browser.get_log("browser")  # emptied of what the formgrader says, which looks for MathJax outside
    for name in (term.name, "mallory"):
        browser.get((term.course / "feedback" / name / LESSON / f"{LESSON}.html").as_uri())
        assert browser.find_element("css selector", "h1").text and browser.title.startswith("Feedback")
        assert not browser.execute_script("return performance.getEntriesByType('resource').length")
        assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        keep_picture(browser, f"page-{name}")
    browser.get((term.course / "report" / f"{LESSON}.html").as_uri())
    keep_picture(browser, "report")
