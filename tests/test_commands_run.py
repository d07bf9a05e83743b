"""Every command that README and docs show a person is run: here as it stands on the page, or in the test that is named.

Here a person works in a copy of the clone, from unpacking to the end of a term's week. The quick test makes sure that
no command of a page is forgotten; the slow one types them.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from autograde import course
from tests.browser import address
from tests.test_commands_shown import PAGES, shown_in
from tests.test_nbgrader_stock import environment

LESSON = "04_lstm"
CANVAS = "lovelaceada_12345_678901_04_lstm.ipynb"

# In this order. A word in capitals and what stands in <> or {} is a person's own; FOR says what is typed here instead.
TYPED = (
    "autograde --version", ".venv/bin/autograde doctor", "autograde doctor", "make setup", "make grade", "make lab",
    "make lab FOLDER=~/course", "autograde lab", "nbgrader validate",
    ".venv/bin/python -m unrolled", "python -m unrolled", ".venv/bin/python -m unrolled check 04_lstm",
    ".venv/bin/python -m unrolled submit 04_lstm", "make site",
    ".venv/bin/autograde collect download.zip", "autograde collect", ".venv/bin/autograde grade 04_lstm",
    "autograde grade 04_lstm", "autograde grade", ".venv/bin/autograde due 04_lstm '2026-03-01 23:59 Europe/Madrid'",
    "autograde due", "autograde rename OLD NEW", "autograde rename", ".venv/bin/autograde roster FILE",
    "autograde roster", ".venv/bin/autograde feedback 04_lstm", "autograde feedback", ".venv/bin/autograde report",
    "autograde report", ".venv/bin/autograde export --to canvas", "autograde export",
    ".venv/bin/autograde regrade 04_lstm", "autograde release 04_lstm --to lstm.zip", "autograde release",
    "autograde demo", "autograde build", ".venv/bin/autograde build <lesson>", "autograde build <lesson>",
    "pytest tests/test_architecture.py", "pytest tests/test_answers.py -k lstm",
    ".venv/bin/python -m pytest tests/test_answers.py -k lstm",
    "autograde new-course my-course", "autograde new-course my-course 00_start_here 02_rnn", "autograde new-course",
    "autograde new-course .", "autograde new-lesson 90_memory", "autograde new-lesson 90_memory --topic memory",
    "autograde new-lesson", "autograde build 90_memory", "pytest tests",
)
FOR = {
    "nbgrader validate": "nbgrader validate work/00_start_here/00_start_here.ipynb",
    ".venv/bin/python -m unrolled check 04_lstm": ".venv/bin/python -m unrolled check 00_start_here",
    "autograde collect": "autograde collect download.zip", "autograde due": "autograde due 04_lstm",
    "autograde rename OLD NEW": "autograde rename lovelaceada 'Ada Lovelace'",
    "autograde rename": "autograde rename 'Ada Lovelace' ada",
    ".venv/bin/autograde roster FILE": ".venv/bin/autograde roster class.csv",
    "autograde roster": "autograde roster class.csv", "autograde export": "autograde export --to csv",
    "autograde release": "autograde release --to released", "autograde build": "autograde build --no-run",
    "autograde demo": "autograde demo --output build/sample",
    ".venv/bin/autograde build <lesson>": ".venv/bin/autograde build 00_start_here",
    "autograde build <lesson>": "autograde build 00_start_here --no-run",
    "autograde grade": "autograde grade 00_start_here 04_lstm",
    "pytest tests/test_answers.py -k lstm": "pytest tests/test_answers.py -k lstm.gates",
    ".venv/bin/python -m pytest tests/test_answers.py -k lstm":
        ".venv/bin/python -m pytest tests/test_answers.py -k lstm.forget_bias",
    "autograde new-course my-course": "autograde new-course others",
    "autograde new-course": "autograde new-course more 00_start_here",
    "autograde new-lesson": "autograde new-lesson 91_echo",
    "autograde new-lesson 90_memory --topic memory": "autograde new-lesson 92_echo --topic sounds",
}
OWN_COURSE = {"autograde new-course .", "autograde new-lesson 90_memory", "autograde new-lesson",
              "autograde new-lesson 90_memory --topic memory", "autograde build 90_memory", "pytest tests"}
GOES_ON = ("make lab", "autograde lab")  # until it is ended
# Not everything was handed in, or is solved, and the command says so.
EXPECTED = {"unrolled check": (1,), "unrolled submit": (1,), "autograde grade": (0, 2), "autograde doctor": (0, 1),
            "autograde roster": (0, 2)}

# What is run elsewhere: the file, and what in it does that.
ELSEWHERE = {
    "make test": (".ci/run", "exec make test"), "make soak": ("Makefile", "scale.py"),
    "make bench": ("Makefile", "benchmarks/layers.py"), "make test-backends": ("tests/layers/backends.sh", "jax"),
    "conda env create -f environment.yml": (".github/workflows/test.yml", "conda env create"),
    "conda activate unrolled": (".github/workflows/test.yml", "conda run"),
    "nbgrader autograde": ("tests/test_nbgrader_stock.py", '"autograde"'),
    "nbgrader collect 04_lstm": ("tests/test_giving_back.py", '"collect", LESSON'),
    "nbgrader release_assignment 04_lstm": ("tests/test_giving_back.py", '"release_assignment", LESSON'),
    "nbgrader release_feedback 04_lstm": ("tests/test_giving_back.py", '"release_feedback", LESSON'),
    "autograde grade 04_lstm --scheduler tls://scheduler.example:8786": ("tests/test_cluster.py", "--scheduler"),
    "pytest tests/test_cluster.py": ("tests/test_cluster.py", "pytest.mark.slow"),
    "pytest tests/test_answers.py": ("Makefile", "pytest -q"), "pytest tests/layers": ("Makefile", "pytest -q"),
    "pytest tests/test_site.py": ("Makefile", "-m \"not slow\""),
    "python benchmarks/pages.py --rounds 2": ("Makefile", "benchmarks/pages.py"),
    "python -m tests.architecture": ("tests/test_architecture.py", "architecture"),
    "python -m venv environment": ("tests/away.py", "venv"),
    ".venv/bin/python -m tests.locks": ("CONTRIBUTING.md", "needs uv"),
    "python benchmarks/grading.py --count 24": ("Makefile", "benchmarks/grading.py"),
    "python benchmarks/lessons.py": ("Makefile", "benchmarks/lessons.py"),
    "python benchmarks/layers.py": ("Makefile", "benchmarks/layers.py"),
    "python benchmarks/scale.py": ("Makefile", "benchmarks/scale.py"),
}


def test_no_command_of_a_page_is_forgotten():
    shown = {command for page in PAGES for command in shown_in(page.read_text(encoding="utf-8"))}
    assert shown - {*TYPED, *ELSEWHERE} == set()
    assert {*TYPED, *ELSEWHERE} - shown == set(), "no page shows these any more"


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_is_run_elsewhere_is_still_there(command):
    file, what = ELSEWHERE[command]
    assert what in (course.ROOT / file).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A copy of what git tracks, with the environment that is there, and a class of two."""
    folder = tmp_path_factory.mktemp("home") / "unrolled"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=course.ROOT, check=True, text=True, stdout=subprocess.PIPE)
    for name in filter(None, tracked.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(course.ROOT / name, folder / name)
        os.utime(folder / name, (0, 0))  # older than the environment
    (folder / ".venv").symlink_to(course.ROOT / ".venv")
    with zipfile.ZipFile(folder / "download.zip", "w") as archive:
        archive.write(course.reference(LESSON), CANVAS)
    (folder / "submitted" / "ben" / LESSON).mkdir(parents=True)
    shutil.copy(course.released(LESSON), folder / "submitted" / "ben" / LESSON)
    with (folder / "class.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["Student", "ID", "SIS Login ID", "Section"], ["Lovelace, Ada", "1", "ada", "1"],
                                    ["Ben", "2", "ben", "1"]])
    return folder


def type_in(folder: Path, command: str, home: Path) -> None:
    """Run a line as a shell runs it. What opens a server is ended when that answers."""
    variables = environment(folder) | {"HOME": str(home), "JUPYTER_RUNTIME_DIR": str(home / "runtime")}
    (folder / ".jupyter").mkdir(exist_ok=True)
    (folder / ".jupyter" / "jupyter_server_config.json").write_text(
        '{"ServerApp": {"allow_root": true, "open_browser": false, "port": 0}}')
    log = home / "typed.log"
    with log.open("w") as file:
        process = subprocess.Popen(["bash", "-c", command], cwd=folder, env=variables, stdout=file, stderr=file,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        if command.startswith(GOES_ON):
            shutil.rmtree(home / "runtime", ignore_errors=True)
            address(home / "runtime", process, log)
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)
            return
        code = process.wait(900)
    expected = next((codes for start, codes in EXPECTED.items() if start in command), (0,))
    assert code in expected, f"{command} ended with {code}:\n{log.read_text(encoding='utf-8')[-4000:]}"


@pytest.mark.slow
def test_every_command_runs_as_it_stands(clone):
    home = clone.parent
    for command in TYPED:
        own = command in OWN_COURSE
        began = time.monotonic()
        type_in(clone / "my-course" if own else clone, FOR.get(command, command), home)
        print(f"{time.monotonic() - began:6.1f} s  {command}")
    assert (clone / "report" / f"{LESSON}.html").exists() and (clone / "lstm.zip").exists()
    assert re.search(r"\bada\b", (clone / "report" / f"{LESSON}.html").read_text(encoding="utf-8"))
