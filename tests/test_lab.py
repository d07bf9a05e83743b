"""The lab as a student has it: JupyterLab opened by the command, and its Validate button, by the request it sends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from autograde.authoring import samples
from tests.test_nbgrader_stock import sample_where

LESSON = "04_lstm"


@pytest.fixture
def server(tmp_path):
    """`autograde lab` on a folder of a student's own; yields the folder and the server's address with its token."""
    folder, runtime = tmp_path / "my work", tmp_path / "runtime"
    environment = os.environ | {"JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
                                "JUPYTER_DATA_DIR": str(tmp_path / "data"), "IPYTHONDIR": str(tmp_path / "ipython")}
    log = (tmp_path / "log").open("w")
    lab = subprocess.Popen([sys.executable, "-m", "autograde", "lab", "--folder", str(folder), "--no-browser",
                            "--allow-root", "--ip=127.0.0.1"], cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        yield folder, _address(runtime, lab, tmp_path / "log")
    finally:
        lab.send_signal(signal.SIGTERM)
        lab.wait(30)
        log.close()


def _address(runtime, lab, log) -> tuple[str, str]:
    until = time.monotonic() + 60
    while time.monotonic() < until and lab.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            described = json.loads(path.read_text() or "{}")
            if "url" in described:
                return described["url"], described["token"]
        time.sleep(0.1)
    raise AssertionError(f"the lab did not start:\n{log.read_text()[-3000:]}")


def press_validate(url: str, token: str, path: str) -> dict:
    request = urllib.request.Request(f"{url}assignments/validate", data=json.dumps({"path": path}).encode(),
                                     headers={"Authorization": f"token {token}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as reply:
        return json.loads(reply.read())


def test_the_validate_button_passes_a_right_lesson_in_seconds(server):
    """Without the course's settings the cells that train for show are run too: more than a minute."""
    folder, (url, token) = server
    path = folder / LESSON / f"{LESSON}.ipynb"
    assert path.is_file(), "laid out by the command"
    notebook = samples.sample_class(LESSON)[sample_where(lambda d: d["score"] == 60)]
    for cell in notebook.cells:
        cell.source = cell.source.replace("YOUR ANSWER HERE", "Because f is near 1.")
    nbformat.write(notebook, path)
    began = time.monotonic()
    reply = press_validate(url, token, f"{LESSON}/{LESSON}.ipynb")
    assert reply == {"success": True, "value": {}}, str(reply)[:2000]
    assert time.monotonic() - began < 60
