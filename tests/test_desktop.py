"""JupyterLab as a student has it, in a real browser: a lesson, its checks, hints, day and night.

One server and one browser for all of it, in the order a student does it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograde import course
from tests.browser import keep_picture, look, look_as_before, served, until

LESSON = "00_start_here"
UNWRITTEN, WRONG, RIGHT = "not written yet", "partly right", "passed"
ANSWERS = {WRONG: "def affine(x, W, b):\n    return x @ W", RIGHT: "def affine(x, W, b):\n    return x @ W + b"}
SECONDS = 180  # a busy machine; on a quiet one nothing here takes more than a few


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

    def panel(self) -> str:
        """What the first exercise's check says now."""
        return self.browser.execute_script("""
            const cell = [...document.querySelectorAll(".jp-CodeCell")].find(
                c => c.querySelector(".cm-content")?.textContent.trim() === 'check("start.affine", affine)');
            return cell?.querySelector("[role=status]")?.textContent || "";""")


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """`autograde lab` with an exchange in which one lesson was given out; the machine's own settings play no part."""
    folder = tmp_path_factory.mktemp("desktop")
    given_out = folder / "exchange" / "unrolled" / "outbound" / LESSON
    given_out.mkdir(parents=True)
    (folder / "exchange" / "unrolled" / "inbound").mkdir()
    shutil.copy(course.released(LESSON), given_out)
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


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
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
    """The target of a figure is drawn on white: in the dark theme it must not shine."""
    lab.theme("JupyterLab Dark")
    look(lab.browser, 1280)
    lab.open()
    lab.browser.execute_script("""
        const box = document.querySelector(".jp-Notebook .jp-RenderedMarkdown");
        box.insertAdjacentHTML("beforeend", "<img alt='' src='data:,'>");""")
    picture = "document.querySelector('.jp-RenderedMarkdown img')"
    assert "brightness" in lab.wait(f"return getComputedStyle({picture}).filter")
