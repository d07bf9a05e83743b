"""A headless Chromium for tests, and a Jupyter server to look at with it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


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
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     "--window-size=1200,1400", f"--user-data-dir={folder / 'chromium'}"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    browser.implicitly_wait(20)
    try:
        yield browser
    finally:
        browser.quit()


@contextlib.contextmanager
def jupyter(course: Path, folder: Path, environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """A Jupyter server in a course directory, its files in `folder`; yields its address and token."""
    runtime = folder / "runtime"
    log = (folder / "jupyter.log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", "--ip=127.0.0.1"], cwd=course,
        env=environment | {"JUPYTER_RUNTIME_DIR": str(runtime)}, stdout=log, stderr=log)
    try:
        yield address(runtime, server, folder / "jupyter.log")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        log.close()


def address(runtime: Path, server: subprocess.Popen, log: Path) -> tuple[str, str]:
    """Where a Jupyter server that was just started answers, and its token."""
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError, KeyError):  # it is being written
                described = json.loads(path.read_text())
                return described["url"], described["token"]
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()[-3000:]}")


def keep_picture(browser, name: str) -> None:
    """A picture of the whole page for who wants to look, if SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        height = browser.execute_script("return document.documentElement.scrollHeight")
        browser.set_window_size(1200, min(height + 150, 6000))
        browser.save_screenshot(str(Path(folder, f"{name}.png")))
        browser.set_window_size(1200, 1400)
