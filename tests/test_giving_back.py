"""Through the real exchange and the real formgrader: hand in, collect, grade, grade by hand, give back, fetch.

Everything lies in a temporary folder; the commands are nbgrader's own, the buttons are pressed in a headless Chromium.
"""

from __future__ import annotations

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
from tests.browser import chromium, jupyter, keep_picture
from tests.test_nbgrader_stock import copy_course, environment, expected, nbgrader

LESSON, WHY = "04_lstm", "lstm-why"
ANSWER = "Because $f_t$ is **near 1**."
HOSTILE = """See http://elsewhere.example and <http://elsewhere.example>, [here](http://elsewhere.example).

- [ ] click me
- [x] me too

$$\\rlap{\\raise 40em{\\Huge FULL MARKS}}$$ $\\hspace{-50em}x$

<input name="score"> <img src=x onerror="document.title='owned'">
"""


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
    """A lesson given out through the exchange; one student handed in there, two by mail."""
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
    for name, text in (("mailed", "Short."), ("mallory", HOSTILE)):
        path = term.course / "submitted" / name / LESSON / f"{LESSON}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(answered("ada", text), path)
    term.grade()
    return term


def full_marks() -> float:
    return max(deserved["score"] for deserved in expected().values())


def whole() -> float:
    """The points of the lesson, answers in words included."""
    cells = nbformat.read(course.released(LESSON), 4).cells
    return sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in cells)


def test_what_was_graded_reaches_the_student_and_shows_marks_given_since(term):
    """No command between the formgrader and the release but the release itself."""
    term.by_hand(1.5, "Say *which* gate.")
    printed = nbgrader(term.course, "release_feedback", LESSON)
    assert "mailed did not hand in through the exchange" in printed
    page = term.fetched()
    assert f"{full_marks() + 1.5:g}</b> <span>of {whole():g} points" in page
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
    assert f"{full_marks() + 2:g}</b> <span>of {whole():g} points" in page and "Now it is said." in page


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
