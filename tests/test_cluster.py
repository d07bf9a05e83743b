"""On a cluster of separate worker processes: the same scores, and a worker killed in mid-run loses nothing."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import yaml

from autograde import course
from autograde.authoring import samples
from tests.gradebooks import contents
from tests.test_kill import below, command, finish, finished, start

LESSON = "04_lstm"
pytestmark = pytest.mark.slow
needs_dask = pytest.mark.skipif(not importlib.util.find_spec("distributed"),
                                reason="Dask is not installed: pip install -r requirements-cluster.lock")


@pytest.fixture(scope="module")
def tls(tmp_path_factory) -> dict[str, str]:
    """An environment with the certificate and the settings that docs/cluster.md describes."""
    folder = tmp_path_factory.mktemp("tls")
    page = (course.ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    make = re.search(r"^    (openssl .*)$", page, re.M)[1]
    subprocess.run(make, shell=True, check=True, cwd=folder, capture_output=True)
    settings = re.search(r"```yaml\n(.*?)```", page, re.S)[1].replace("/home/me", str(folder))
    assert yaml.safe_load(settings)["distributed"]["comm"]["require-encryption"]
    (folder / "tls.yaml").write_text(settings)
    return os.environ | {"DASK_CONFIG": str(folder)}


@pytest.fixture
def cluster(tmp_path, tls):
    """A Dask scheduler and two workers, each a process of its own, in a folder of their own."""
    address = tmp_path / "scheduler.json"
    away = tmp_path / "elsewhere"  # nothing of the class is in the workers' folder
    away.mkdir()
    run = lambda *words: subprocess.Popen(  # noqa: E731
        [sys.executable, "-m", "dask", *words, "--scheduler-file", str(address)], cwd=away, env=tls,
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


@needs_dask
def test_cluster_gives_the_same_gradebook_also_when_a_worker_dies(cluster, tls, tmp_path):
    address, workers = cluster
    for student in samples.write_class(LESSON, tmp_path / "submitted", count=20):
        if student.startswith("katya"):
            shutil.rmtree(tmp_path / "submitted" / student)
    finish(start(tmp_path / "submitted", tmp_path / "here"))
    (tmp_path / "there" / ".unrolled").mkdir(parents=True)
    shutil.copy(tmp_path / "here" / ".unrolled" / "secret", tmp_path / "there" / ".unrolled" / "secret")
    process = subprocess.Popen(command(tmp_path / "submitted", tmp_path / "there", "--scheduler", address),
                               env=tls, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while finished(tmp_path / "there") < 3 and process.poll() is None:
        time.sleep(0.05)
    workers[0].kill()
    finish(process)
    book = f"sqlite:///{tmp_path}/{{}}/gradebook.db"
    assert contents(book.format("there"), LESSON) == contents(book.format("here"), LESSON)


@needs_dask
def test_who_has_no_certificate_is_turned_away(cluster, tmp_path):
    address, _ = cluster
    assert address.startswith("tls://")
    samples.write_class(LESSON, tmp_path / "submitted", count=1)
    for tried in (address, address.replace("tls://", "tcp://")):
        done = subprocess.run(command(tmp_path / "submitted", tmp_path / "out", "--scheduler", tried),
                              capture_output=True, text=True, timeout=180)
        assert done.returncode == 2
        assert f"at {tried}" in done.stderr and "docs/cluster.md" in done.stderr and "Traceback" not in done.stderr


@needs_dask
def test_a_scheduler_that_is_not_there(tmp_path):
    samples.write_class(LESSON, tmp_path / "submitted", count=1)
    done = subprocess.run(command(tmp_path / "submitted", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9"),
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_dask_a_scheduler_is_answered_in_words(tmp_path):
    samples.write_class(LESSON, tmp_path / "submitted", count=1)
    (tmp_path / "hidden" / "dask").mkdir(parents=True)
    (tmp_path / "hidden" / "dask" / "__init__.py").write_text("raise ImportError('No module named dask')")
    done = subprocess.run(command(tmp_path / "submitted", tmp_path / "out", "--scheduler", "tls://127.0.0.1:9"),
                          capture_output=True, text=True, timeout=120,
                          env=os.environ | {"PYTHONPATH": str(tmp_path / "hidden")})
    assert done.returncode == 2
    assert "needs Dask, which is not installed here" in done.stderr and "requirements-cluster.lock" in done.stderr
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


