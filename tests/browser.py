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


def violations(browser) -> list[str]:
    """What axe, the accessibility checker, finds wrong with the page that is open, a line each."""
    if not browser.execute_script("return !!window.axe"):
        browser.execute_script(_axe())
    found = browser.execute_async_script(
        "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']})"
        ".then(r => done(r.violations), e => done([{id: 'axe', help: String(e), nodes: []}]))")
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
