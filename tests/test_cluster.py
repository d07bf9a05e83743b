"""On a cluster of separate worker processes: the same scores, and a worker killed in mid-run loses nothing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from autograde.authoring import samples
from tests.gradebooks import contents
from tests.test_kill import below, command, finish, finished, start

LESSON = "04_lstm"
pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler and two workers, each a process of its own, in a folder of their own."""
    address = tmp_path / "scheduler.json"
    away = tmp_path / "elsewhere"  # nothing of the class is in the workers' folder
    away.mkdir()
    run = lambda *words: subprocess.Popen(  # noqa: E731
        [sys.executable, "-m", "dask", *words, "--scheduler-file", str(address)], cwd=away,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    processes = [run("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
    deadline = time.monotonic() + 60
    while not address.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    processes += [run("worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--no-nanny")
                  for _ in range(2)]
    yield json.loads(address.read_text())["address"], processes[1:]
    for process in processes:
        for pid in [*below(process.pid), process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def test_cluster_gives_the_same_gradebook_also_when_a_worker_dies(cluster, tmp_path):
    address, workers = cluster
    for student in samples.write_class(LESSON, tmp_path / "submitted", count=20):
        if student.startswith("katya"):
            shutil.rmtree(tmp_path / "submitted" / student)
    finish(start(tmp_path / "submitted", tmp_path / "here"))
    (tmp_path / "there" / ".unrolled").mkdir(parents=True)
    shutil.copy(tmp_path / "here" / ".unrolled" / "secret", tmp_path / "there" / ".unrolled" / "secret")
    process = subprocess.Popen(command(tmp_path / "submitted", tmp_path / "there", "--scheduler", address),
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while finished(tmp_path / "there") < 3 and process.poll() is None:
        time.sleep(0.05)
    workers[0].kill()
    finish(process)
    book = f"sqlite:///{tmp_path}/{{}}/gradebook.db"
    assert contents(book.format("there"), LESSON) == contents(book.format("here"), LESSON)


def test_a_scheduler_that_is_not_there(tmp_path):
    samples.write_class(LESSON, tmp_path / "submitted", count=1)
    done = subprocess.run(command(tmp_path / "submitted", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9"),
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_workers_agree(tmp_path):
    """1, 2 and 8 workers: the same scores."""
    for student in samples.write_class(LESSON, tmp_path / "submitted", count=16):
        if student.startswith("katya"):
            shutil.rmtree(tmp_path / "submitted" / student)
    books = []
    for workers in (1, 2, 8):
        output = tmp_path / f"out-{workers}"
        (output / ".unrolled").mkdir(parents=True)
        (output / ".unrolled" / "secret").write_bytes(b"s" * 32)
        finish(start(tmp_path / "submitted", output, "--workers", str(workers)))
        books.append(contents(f"sqlite:///{output}/gradebook.db", LESSON))
    assert books[0] == books[1] == books[2]


