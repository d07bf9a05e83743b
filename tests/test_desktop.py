"""JupyterLab as a student has it, in a real browser: a lesson, its checks, hints, day and night.

One server and one browser for all of it, in the order a student does it.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from autograde import course
from autograde.authoring import samples
from tests.browser import (
    WIDTHS,
    keep_picture,
    look,
    look_as_before,
    out_of_reach,
    served,
    until,
    violations,
)

LESSON, GIVEN = "00_start_here", "90_given"  # what is laid out, and what the exchange alone has
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
STUB = "def affine(x, W, b):\n    raise NotImplementedError()"
UNWRITTEN, WRONG, RIGHT = "not written yet", "partly right", "passed"
ANSWERS = {WRONG: "def affine(x, W, b):\n    return x @ W", RIGHT: "def affine(x, W, b):\n    return x @ W + b"}
SECONDS = 180  # a busy machine; on a quiet one nothing here takes more than a few
# The Validate button, wherever the bar has room for it.
VALIDATE = """
    const shown = e => e.checkVisibility() && e.getBoundingClientRect().width > 0;
    return [...document.querySelectorAll(
        ".jp-NotebookPanel-toolbar > [data-jp-item-name=runAll] jp-button")].find(shown);"""


@dataclass
class Lab:
    """A browser that is signed in to a student's JupyterLab."""

    browser: object
    url: str
    token: str
    folder: Path

    def open(self, place: str = f"tree/{LESSON}/{LESSON}.ipynb") -> None:
        """A fresh workspace with a lesson, or with what `place` names."""
        self.browser.get(f"{self.url}lab/{place}?token={self.token}&reset")
        wanted = ".jp-Notebook .jp-Cell" if place.endswith(".ipynb") else ".jp-FileBrowser"
        self.wait(f"return document.querySelector({wanted!r}) && !document.querySelector('#jupyterlab-splash')")

    def wait(self, script: str, *arguments):
        return until(self.browser, SECONDS, lambda: self.browser.execute_script(script, *arguments))

    def theme(self, name: str) -> None:
        """Chosen as *Settings, Theme* does; seen when a page is opened."""
        request = urllib.request.Request(
            f"{self.url}lab/api/settings/@jupyterlab/apputils-extension:themes", method="PUT",
            data=json.dumps({"raw": json.dumps({"theme": name})}).encode(),
            headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(request, timeout=60):
            pass

    def press(self, *keys: str, shift: bool = False, control: bool = False) -> None:
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        held = [key for key, wanted in ((Keys.SHIFT, shift), (Keys.CONTROL, control)) if wanted]
        for key in keys:
            chain = ActionChains(self.browser)
            for one in held:
                chain.key_down(one)
            chain.send_keys({"Enter": Keys.ENTER, "Escape": Keys.ESCAPE}.get(key, key))
            for one in held:
                chain.key_up(one)
            chain.perform()

    def menu(self, *labels: str) -> list[str]:
        """Choose from a menu, one label after the other; returns what stood beside the last one."""
        opened: list[str] = []
        for label in labels:
            item = self.wait("""
                const all = ".lm-MenuBar-item:not(.lm-mod-hidden), .lm-Menu-item:not(.lm-mod-hidden)";
                return [...document.querySelectorAll(all)].find(e => e.checkVisibility() && arguments[0] ===
                    e.querySelector(".lm-MenuBar-itemLabel, .lm-Menu-itemLabel")?.textContent);""", label)
            opened = self.browser.execute_script("""
                return [...document.querySelectorAll(".lm-Menu-item[data-type=command]:not(.lm-mod-hidden)")]
                    .filter(e => e.checkVisibility()).map(e => e.querySelector(".lm-Menu-itemLabel").textContent);""")
            item.click()
        return opened

    def write(self, *tags: str, **answers: str) -> None:
        """Put a right notebook of the lesson in the student's folder, but for these answers; `tags` are the checks'."""
        notebook = samples.sample_class(LESSON)["ada"]
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "").removeprefix("start-")
            if name.endswith("-check"):
                cell.metadata["tags"] = list(tags)
            cell.source = answers.get(name, cell.source).replace("YOUR ANSWER HERE", "It would say nothing.")
        nbformat.write(notebook, self.folder / "my work" / LESSON / f"{LESSON}.ipynb")

    def validate(self) -> tuple[str, list[str]]:
        """Press Validate, there after it as before; what the dialog says, and what of it nobody can read or reach."""
        found = self.wait(VALIDATE)
        assert not out_of_reach(self.browser, "[data-jp-item-name=runAll]")
        found.click()
        said = self.wait("return document.querySelector('.jp-Dialog #validation-message')?.textContent")
        hidden = out_of_reach(self.browser, ".jp-Dialog") + self.browser.execute_script("""
            return [...document.querySelectorAll("#validation-message, #validation-message *")].filter(e => {
                const box = e.getBoundingClientRect();
                return box.left < 0 || box.right > innerWidth || e.scrollWidth > e.clientWidth + 1 && e.clientWidth;
            }).map(e => e.textContent);""")
        keep_picture(self.browser, f"lab-said-{self.browser.execute_script('return innerWidth')}")
        self.browser.find_element("css selector", ".jp-Dialog .jp-mod-accept").click()
        self.wait(f"{VALIDATE.replace('return', 'const one =')} return one?.textContent.trim() === 'Validate'")
        return said, hidden

    def panel(self) -> str:
        """What the first exercise's check says now."""
        return self.browser.execute_script("""
            const cell = [...document.querySelectorAll(".jp-CodeCell")].find(
                c => c.querySelector(".cm-content")?.textContent.trim() === 'check("start.affine", affine)');
            return cell?.querySelector("[role=status]")?.textContent || "";""")


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """`autograde lab` with an exchange in which two lessons were given out; the machine's own settings play no part."""
    folder = tmp_path_factory.mktemp("desktop")
    for name in (LESSON, GIVEN):
        given_out = folder / "exchange" / "unrolled" / "outbound" / name
        given_out.mkdir(parents=True)
        shutil.copy(course.released(LESSON), given_out / f"{name}.ipynb")
    (folder / "exchange" / "unrolled" / "inbound").mkdir()
    (folder / "config").mkdir()
    (folder / "config" / "nbgrader_config.py").write_text(
        f'c = get_config()\nc.CourseDirectory.course_id = "unrolled"\nc.Exchange.root = "{folder}/exchange"\n'
        f'c.Exchange.cache = "{folder}/cache"\n', encoding="utf-8")
    environment = os.environ | {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA")} | {
        "IPYTHONDIR": str(folder / "ipython")}
    command = [sys.executable, "-m", "autograde", "lab", "--folder", str(folder / "my work")]
    with served(command, folder, folder, environment) as (url, token):
        look(browser, 1280)
        yield Lab(browser, url, token, folder)
        browser.get("about:blank")
        look_as_before(browser)


def test_a_check_says_what_it_sees_and_looks_calm(lab):
    """Cells run one after the other; the first answer is not written, then wrong, then right."""
    lab.open()
    browser = lab.browser
    browser.execute_script("document.querySelector('.jp-Notebook .jp-Cell .jp-Cell-inputWrapper').dispatchEvent("
                           "new MouseEvent('mousedown', {bubbles: true}))")
    browser.find_element("css selector", ".jp-Notebook .jp-Cell").click()
    lab.press("Escape")
    lab.wait("return document.querySelector(\".jp-Notebook-ExecutionIndicator[data-status='idle']\")")
    lab.press(*["Enter"] * 9, shift=True)
    until(browser, SECONDS, lambda: UNWRITTEN in lab.panel())
    colours = browser.execute_script("""
        return [...document.querySelectorAll(".jp-OutputArea-output[data-mime-type$='.error'], "
            + ".jp-OutputArea-output[data-mime-type$='.stderr']")].map(e => getComputedStyle(e).backgroundColor);""")
    assert colours and set(colours) == {"rgba(0, 0, 0, 0)"}, "no alarm below a panel that says what to do"
    keep_picture(browser, "lab-unwritten")
    for state, answer in ANSWERS.items():
        lab.press("k", "k", "Enter")
        lab.press("a", control=True)
        browser.execute_cdp_cmd("Input.insertText", {"text": answer})
        lab.press("Enter", "Enter", shift=True)
        until(browser, SECONDS, lambda state=state: state in lab.panel())
        keep_picture(browser, f"lab-{state.replace(' ', '-')}")
        if state == WRONG:
            assert "The bias b is never added" in lab.panel() and "0.5 of 2 points" in lab.panel()


def test_hints_unfold(lab):
    opened = lab.browser.execute_script("""
        const hint = [...document.querySelectorAll(".jp-Notebook summary")].find(e => e.textContent === "Hint 1");
        const before = hint.parentElement.open; hint.click(); return [before, hint.parentElement.open];""")
    assert opened == [False, True]


def test_a_student_sees_nothing_that_is_an_instructors(lab):
    """No *Create Assignment* beside the notebook, and in the menu nothing but the list of assignments."""
    lab.open()
    beside = lab.browser.execute_script("""
        return [...document.querySelectorAll(".jp-SideBar .lm-TabBar-tab")].map(
            e => `${e.dataset.id} ${e.title} ${e.textContent}`);""")
    assert len(beside) >= 4 and not [one for one in beside if "nbgrader" in one.lower() or "create" in one.lower()]
    assert lab.menu("Nbgrader", "Assignment List") == ["Assignment List"]


def test_the_assignment_list_fetches_opens_and_hands_in(lab):
    """Through a real exchange: what was given out is fetched, opened, and lies where the instructor collects it."""
    lab.theme("JupyterLab Light")
    look(lab.browser, 1280)
    lab.open("")
    lab.menu("Nbgrader", "Assignment List")

    def row(kind: str) -> str:
        return (f"[...document.querySelectorAll('#{kind}_assignments_list .list_item')]"
                f".find(e => e.textContent.includes('{GIVEN}') && e.querySelector('button'))")

    def press(kind: str, what: str) -> None:
        button = lab.wait(f"return {row(kind)}?.querySelector('button')")
        assert button.text == what
        button.click()

    for width in WIDTHS[::-1]:
        look(lab.browser, width)
        lab.wait(f"return {row('released')}")
        assert not out_of_reach(lab.browser, "#assignments"), width
    look(lab.browser, 1280)
    press("released", "Fetch")
    lab.wait(f"return {row('fetched')}")
    assert (lab.folder / "my work" / GIVEN / f"{GIVEN}.ipynb").is_file()
    keep_picture(lab.browser, "lab-assignments")
    lab.wait(f"return {row('fetched')}.querySelector('.assignment-notebooks-link')").click()
    lab.wait(f"return {row('fetched')}.querySelector('.collapse.in .item_name a')").click()
    lab.wait(f"return document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell') && "
             f"[...document.querySelectorAll('.lm-TabBar-tab.lm-mod-current')].some("
             f"e => e.textContent.includes('{GIVEN}.ipynb'))")
    lab.menu("Nbgrader", "Assignment List")
    press("fetched", "Submit")
    lab.wait(f"return document.querySelector('#submitted_assignments_list').textContent.includes('{GIVEN}')")
    (handed_in,) = (lab.folder / "exchange" / "unrolled" / "inbound").iterdir()
    assert f"+{GIVEN}+" in handed_in.name and (handed_in / f"{GIVEN}.ipynb").is_file()


@pytest.mark.parametrize(("width", "theme", "answers", "says"), [
    pytest.param(1280, LIGHT, {"affine": ANSWERS[WRONG]}, "cell failed", marks=pytest.mark.slow),
    pytest.param(1280, DARK, {}, "Success!", marks=pytest.mark.slow),
    pytest.param(800, LIGHT, {}, "Success!", marks=pytest.mark.slow),
    pytest.param(800, DARK, {"affine": STUB}, "cell failed", marks=pytest.mark.slow),
    pytest.param(360, LIGHT, {"affine": ANSWERS[WRONG]}, "cell failed"),
    pytest.param(360, DARK, {}, "Success!"),
])
def test_validate_is_there_and_answers(lab, width, theme, answers, says):
    lab.write(**answers)
    lab.theme(theme)
    look(lab.browser, width)
    lab.open()
    if width < 800:
        lab.press("b", control=True)
    said, hidden = lab.validate()
    keep_picture(lab.browser, f"lab-validate-{width}-{theme.split()[1].lower()}")
    assert says in said and not hidden, said
    if answers:
        assert 'check("start.affine", affine)' in said
        word = WRONG if answers["affine"] == ANSWERS[WRONG] else UNWRITTEN
        assert word in said, "and what the check said"


def test_panels_are_readable_at_every_width_by_day_and_by_night(lab):
    """A passed, a partly right and an unwritten exercise, as the whole lesson is run."""
    stub = "def mask_mean(x, mask):\n    raise NotImplementedError()"
    lab.write("raises-exception", affine=ANSWERS[WRONG], mask_mean=stub)
    lab.theme(LIGHT)
    look(lab.browser, 1280)
    lab.open()
    browser = lab.browser
    lab.wait("return document.querySelector(\".jp-Notebook-ExecutionIndicator[data-status='idle']\")")
    lab.menu("Run", "Run All Cells")  # on and on, by that tag: a check that fails stops what follows it
    panels = "[...document.querySelectorAll('.jp-Notebook [role=status]')]"
    said = lab.wait(f"const all = {panels}.map(e => e.textContent);"
                    "return all.some(text => text.includes('start.mask_mean:')) && all;")
    assert all(any(state in one for one in said) for state in (UNWRITTEN, WRONG, RIGHT))
    lab.press("s", control=True)
    lab.wait("return !document.querySelector('.jp-mod-dirty')")
    found = []
    for theme in (LIGHT, DARK):
        lab.theme(theme)
        look(browser, 1280)
        lab.open()
        for width in WIDTHS[::-1]:
            look(browser, width)
            lab.wait(f"return {panels}.length === {len(said)}")
            if width < 800:
                lab.press("b", control=True)
            for number in range(len(said)):
                browser.execute_script(f"{panels}[arguments[0]].scrollIntoView({{block: 'center'}})", number)
                keep_picture(browser, f"lab-panel-{number}-{theme.split()[1].lower()}-{width}")
            cut = browser.execute_script(f"""
                return {panels}.filter(e => e.scrollWidth > e.clientWidth + 1 ||
                    e.getBoundingClientRect().right > innerWidth).map(e => e.textContent);""")
            found += [f"{theme} {width}: {line}" for line in (*cut, *violations(browser, ".jp-Notebook [role=status]"))]
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_lesson_is_readable_at_every_width_by_day_and_by_night(lab, theme):
    lab.theme(theme)
    for width in (1280, 800, 360):
        look(lab.browser, width)
        lab.open()
        if width < 800:
            lab.press("b", control=True)  # the list of files folds away, as one does in a narrow window
        lab.wait("return [...document.querySelectorAll('.jp-NotebookPanel-toolbar *')].some("
                 "e => ['Validate', 'More commands'].includes(e.textContent.trim()) || e.title === 'More commands')")
        seen = lab.wait("""
            const button = [...document.querySelectorAll(".jp-NotebookPanel-toolbar :is(button, jp-button)")].find(
                e => e.textContent.trim() === "Validate");
            const text = document.querySelector(".jp-Notebook .jp-RenderedMarkdown h1");
            if (!text) return false;
            const bar = document.querySelector(".jp-NotebookPanel-toolbar").getBoundingClientRect();
            const box = button && button.getBoundingClientRect();
            return {validate: !!box && box.width > 0 && box.right <= bar.right + 1 && box.top < bar.bottom,
                    text: text.getBoundingClientRect().width,
                    dark: document.body.dataset.jpThemeLight === "false"};""")
        keep_picture(lab.browser, f"lab-{theme.split()[1].lower()}-{width}")
        assert seen["dark"] == theme.endswith("Dark")
        assert seen["text"] > (150 if width == 360 else 300), (width, seen)
        assert seen["validate"] or width < 800, (width, seen)


def test_figures_are_dimmed_by_night(lab):
    """The target of a figure is drawn on white, and so is what a cell draws: in the dark theme neither may shine."""
    lab.theme(DARK)
    look(lab.browser, 1280)
    lab.open()
    picture = "[...document.querySelectorAll('.jp-RenderedMarkdown img')].find(e => e.naturalWidth > 100)"
    lab.wait(f"const e = {picture}; if (!e) return false; e.scrollIntoView({{block: 'center'}}); return true;")
    keep_picture(lab.browser, "lab-figure-dark")
    x, y, width, height = lab.browser.execute_script(
        f"const b = {picture}.getBoundingClientRect(); return [b.x, b.y, b.width, b.height];")
    shot = lab.browser.execute_cdp_cmd("Page.captureScreenshot", {"clip": {
        "x": x, "y": max(y, 0), "width": width, "height": min(height, 500), "scale": 1}})
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("L"))
    assert 120 < np.median(pixels) < 215, "its ground is neither white nor lost"
    lab.browser.execute_script("""
        const box = document.querySelector(".jp-Notebook .jp-RenderedMarkdown");
        box.insertAdjacentHTML("beforeend", "<div class='jp-RenderedImage'><img alt='' src='data:,'></div>");""")
    assert "brightness" in lab.wait("return getComputedStyle(document.querySelector('.jp-RenderedImage img')).filter")
