"""A run on this machine, watched from outside: it opens no socket to anywhere, leaves nothing, and is quiet."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import psutil

from autograde.authoring import samples
from tests.test_kill import command

LESSON = "04_lstm"


def tree(process: subprocess.Popen) -> list[psutil.Process]:
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def sockets(process: subprocess.Popen) -> set[tuple[str, str]]:
    """Internet sockets of a process and of all below it, listening or not: (status, address)."""
    found = set()
    for one in tree(process):
        try:
            found |= {(c.status, f"{c.laddr.ip}:{c.laddr.port}") for c in one.net_connections("inet")}
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue  # it ended meanwhile
    return found


def test_a_run_listens_nowhere_leaves_nothing_and_is_quiet(tmp_path):
    """Children have a network of their own with nothing in it: what they open reaches nobody."""
    samples.write_class(LESSON, tmp_path / "submitted", count=6)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with (tmp_path / "errors").open("w+") as errors:
        process = subprocess.Popen(command(tmp_path / "submitted", tmp_path / "out"), stdout=subprocess.DEVNULL,
                                   stderr=errors, cwd=tmp_path, env=os.environ | {"TMPDIR": str(temporary)})
        seen = set()
        while process.poll() is None:
            seen |= sockets(process)
            time.sleep(0.05)
        errors.seek(0)
        said = errors.read().splitlines()
    assert process.returncode in (0, 2), said
    assert seen == set()
    assert list(temporary.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"submitted", "temporary", "errors", "out"}
    noise = [line for line in said if line and not line.startswith(("autograde: ", "Protections in force: "))]
    assert noise == []


def test_an_interrupted_run_ends_at_once_and_takes_everything_along(tmp_path):
    samples.write_class(LESSON, tmp_path / "submitted", count=30)
    process = subprocess.Popen(command(tmp_path / "submitted", tmp_path / "out"), stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "out" / "feedback").is_dir() and process.poll() is None:
        time.sleep(0.05)
    below = tree(process)
    assert len(below) > 2, "the warm process and its children"
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    process.communicate(timeout=60)
    assert time.monotonic() - began < 10
    _, alive = psutil.wait_procs(below, timeout=5)
    assert not alive
