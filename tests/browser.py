"""A headless Chromium for tests, and a Jupyter server to look at with it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

WIDTHS = (360, 800, 1280)  # a telephone, a narrow window beside another one, a laptop
AXE = Path(__file__).parent / "axe" / "axe.min.js"


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator:
    """A browser that keeps its files in `folder`; the test is skipped where there is none."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no chromium and chromedriver on this machine (Debian: apt-get install chromium chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update",
                     "--window-size=1200,1400", f"--user-data-dir={folder / 'chromium'}"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    browser.implicitly_wait(20)
    browser.set_script_timeout(300)  # a machine may be busy
    try:
        yield browser
    finally:
        browser.quit()


@contextlib.contextmanager
def jupyter(course: Path, folder: Path, environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """A Jupyter server in a course directory, its files in `folder`; yields its address and token."""
    command = [sys.executable, "-m", "jupyter", "server"]
    with served(command, course, folder, environment) as found:
        yield found


@contextlib.contextmanager
def served(command: list[str], where: Path, folder: Path, environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """A command that starts a Jupyter server, run in `where`, its files in `folder`; yields its address and token."""
    runtime, told = folder / "runtime", folder / "jupyter.log"
    with told.open("w") as log:
        server = subprocess.Popen(
            [*command, "--no-browser", "--allow-root", "--ip=127.0.0.1"], cwd=where,
            env=environment | {"JUPYTER_RUNTIME_DIR": str(runtime)}, stdout=log, stderr=log)
        try:
            yield address(runtime, server, told)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def address(runtime: Path, server: subprocess.Popen, log: Path) -> tuple[str, str]:
    """Where a Jupyter server that was just started answers, and its token."""
    until = time.monotonic() + 240
    while time.monotonic() < until and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError, KeyError):  # it is being written
                described = json.loads(path.read_text())
                return described["url"], described["token"]
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()[-3000:]}")


def until(browser, seconds: float, condition: Callable):
    """Wait for something to become true and return it."""
    from selenium.webdriver.support.wait import WebDriverWait

    return WebDriverWait(browser, seconds, 0.1).until(lambda _: condition())


# How a page is looked at ------------------------------------------------------------------------------------------

def look(browser, width: int = 1280, dark: bool = False, height: int = 900, media: str = "") -> None:
    """Show pages in a window of this width in CSS pixels, in a light or dark system, on a screen or in print."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})


def look_as_before(browser) -> None:
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def violations(browser, within: str = "") -> list[str]:
    """What axe, the accessibility checker, finds wrong with the page that is open or a part of it, a line each."""
    if not browser.execute_script("return !!window.axe"):
        browser.execute_script(_axe())
    found = browser.execute_async_script(
        "const [part, done] = arguments; axe.run(part ? {include: [[part]]} : document, {resultTypes: ['violations']})"
        ".then(r => done(r.violations), e => done([{id: 'axe', help: String(e), nodes: []}]))", within)
    return [f"{one['id']}: {one['help']}: " + "; ".join(
        f"{node['target']} {node.get('failureSummary', '')[:300]}" for node in one["nodes"][:3]) for one in found]


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def scrolls_sideways(browser) -> list[str]:
    """What makes the page wider than its window: empty if nothing does."""
    return browser.execute_script("""
        const wide = document.documentElement.scrollWidth, window_ = document.documentElement.clientWidth;
        if (wide <= window_) return [];
        const cut = e => e !== document.body && (getComputedStyle(e).overflowX !== "visible" || cut(e.parentElement));
        return [`${wide} > ${window_}`, ...[...document.body.querySelectorAll("*")]
            .filter(e => e.getBoundingClientRect().right > window_ + 1 && !cut(e)).slice(0, 5)
            .map(e => `<${e.tagName.toLowerCase()} class="${e.className}">`)];""")


def asked_for(browser) -> list[str]:
    """The addresses that pages asked for since the last call, those that hold their own data left out."""
    found = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            address = message["params"].get("request", message["params"])["url"]
            found += [] if address.startswith("data:") else [address]
    return found


def keep_picture(browser, name: str) -> None:
    """A picture of the whole page for who wants to look, if SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        width, height = browser.execute_script(
            "return [innerWidth, Math.min(document.documentElement.scrollHeight, 6000)]")
        made = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": {
            "x": 0, "y": 0, "width": width, "height": height, "scale": 1}})
        Path(folder, f"{name}.png").write_bytes(base64.b64decode(made["data"]))


# What a page must not do ------------------------------------------------------------------------------------------

# Whatever runs or asks is counted, on top of what the browser itself reports.
_WATCH = """
window.ran = [];
for (const name of %s)
    window[name] = function () { ran.push(name); };
document.addEventListener("securitypolicyviolation", e => ran.push("blocked " + e.blockedURI), true);
"""
OUTRIGHT = ("alert", "confirm", "prompt")  # what only an attack calls, on a page with a program of its own
_TOUCH = """
for (const element of (arguments[0] || document).querySelectorAll("*")) {
    if (element.tagName === "DETAILS") element.open = true;
    for (const kind of ["mouseover", "focus", "toggle"]) element.dispatchEvent(new Event(kind));
    const href = element.getAttribute("href") || "javascript:";
    if (element.click && href.startsWith("javascript:")) element.click();
}"""


def watched(browser, address: str, calls: tuple[str, ...] = (
        *OUTRIGHT, "eval", "fetch", "open", "Image", "XMLHttpRequest", "WebSocket"), within: str = "body",
        ready: Callable | None = None) -> tuple[list[str], list[str]]:
    """What ran in a page after a visitor has touched everything there, and the addresses that were asked for.

    Parameters
    ----------
    address : of the page.
    calls : functions of the window that count as something that ran.
    within : a selector of what the visitor touches.
    ready : waits until the page is whole, where loading it is not enough.
    """
    asked_for(browser)
    script = {"source": _WATCH % json.dumps(calls)}
    mine = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)["identifier"]
    try:
        browser.get(address)
        if ready:
            ready()
        for part in browser.find_elements("css selector", within):
            browser.execute_script(_TOUCH, part)
        browser.execute_async_script("setTimeout(arguments[0], 150)")
        ran = browser.execute_script("return ran")
        return ran, [asked for asked in asked_for(browser) if asked.partition("#")[0] != address]
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": mine})


@contextlib.contextmanager
def without_outside(browser) -> Iterator[None]:
    """What a page wants from other machines is noted and does not arrive: the same with and without a network."""
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["https://*", "*elsewhere*"]})
    try:
        yield
    finally:
        browser.get("about:blank")
        browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})


def touching(browser, least: int = 8) -> list[str]:
    """Words in neighbouring cells of a table that stand closer than `least` pixels: they are read as one."""
    return browser.execute_script("""
        const least = arguments[0], found = [];
        const boxes = cell => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            return [...range.getClientRects()].filter(box => box.width > 1 && box.height > 1);
        };
        for (const row of document.querySelectorAll("tr"))
            for (let i = 1; i < row.cells.length; i++) {
                const [left, right] = [row.cells[i - 1], row.cells[i]], [before, after] = [boxes(left), boxes(right)];
                if (!before.length || !after.length) continue;
                const gap = Math.min(...after.map(b => b.left)) - Math.max(...before.map(b => b.right));
                if (gap < least)
                    found.push(`${left.textContent.trim()} | ${right.textContent.trim()}: ${Math.round(gap)} px`);
            }
        return found.slice(0, 5);""", least)


def out_of_reach(browser, within: str = "body") -> list[str]:
    """Controls that are shown and that nobody can click: something lies over them, or no scrolling leads there."""
    return browser.execute_script("""
        const found = [];
        const all = ":is(a[href], button, input:not([type=hidden]), select, textarea, summary)";
        for (const root of document.querySelectorAll(arguments[0])) for (const one of root.querySelectorAll(all)) {
            if (!one.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
            one.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
            const boxes = [...one.getClientRects()].filter(box => box.width > 1 && box.height > 1);
            const reached = boxes.some(box => {
                const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
                return top && (one.contains(top) || top.closest("label")?.control === one);
            });
            if (boxes.length && !reached)
                found.push(`<${one.tagName.toLowerCase()}> ${one.textContent.trim() || one.id || one.className}`);
        }
        scrollTo(0, 0);
        return found;""", within)


def unreadable_on_paper(browser) -> list[str]:
    """What a printed page loses: pale words, dark ground, words that are cut off, and what is folded away."""
    return browser.execute_script("""
        const found = new Set(), name = e => `<${e.tagName.toLowerCase()} class="${e.getAttribute("class") || ""}">`;
        const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
        const shade = colour => {  // [how light, how opaque], each from 0 to 1
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data.map(Number);
            return [(0.2126 * r + 0.7152 * g + 0.0722 * b) / 255, a / 255];
        };
        const shown = e => e.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true});
        for (const e of document.body.querySelectorAll("*")) {
            if (!shown(e) || e.closest("svg")) continue;
            const style = getComputedStyle(e);
            const [ground, opaque] = shade(style.backgroundColor);
            if (opaque > 0.5 && ground < 0.8) found.add(`dark ground: ${name(e)}`);
            const words = [...e.childNodes].filter(n => n.nodeType === 3 && n.textContent.trim());
            if (!words.length || style.clipPath !== "none") continue;
            if (shade(style.color)[0] > 0.45) found.add(`pale: ${name(e)} ${words[0].textContent.trim().slice(0, 40)}`);
            const range = document.createRange();
            for (const word of words) {
                range.selectNodeContents(word);
                const box = range.getBoundingClientRect();
                for (let p = e; p && p !== document.documentElement; p = p.parentElement) {
                    const [over, frame] = [getComputedStyle(p), p.getBoundingClientRect()];
                    if ((over.overflowX !== "visible" && (box.right > frame.right + 2 || box.left < frame.left - 2))
                        || (over.overflowY !== "visible" && box.bottom > frame.bottom + 4))
                        found.add(`cut off by ${name(p)}: ${word.textContent.trim().slice(0, 40)}`);
                }
            }
        }
        for (const one of document.querySelectorAll("details:not([open])"))
            if (shown(one) && [...one.children].some(e => e.tagName !== "SUMMARY" && !shown(e)))
                found.add(`folded away: ${one.querySelector("summary")?.textContent}`);
        return [...found].slice(0, 12);""")
