"""Killed at any moment and started again, a run ends in the same gradebook as an undisturbed one.

``KILLS`` says how often (default 4 a target; `make soak` kills more than fifty times).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograde.authoring import samples
from autograde.recording.journal import Journal
from autograde.running import engine
from tests.gradebooks import contents

LESSON = "04_lstm"
KILLS = int(os.environ.get("KILLS", "4"))
pytestmark = pytest.mark.slow


def command(submitted: Path, output: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "autograde", "grade", LESSON, "--submitted", str(submitted), "--output", str(output),
            "--workers", "2", *more]


def start(*arguments) -> subprocess.Popen:
    return subprocess.Popen(command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> None:
    _, errors = process.communicate(timeout=600)
    assert process.returncode in (0, 2), errors[-3000:]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[Path, Path, dict]:
    """A class, the folder of an undisturbed run, and its gradebook."""
    folder = tmp_path_factory.mktemp("kill")
    everybody = samples.write_class(LESSON, folder / "submitted", count=24)
    for student in everybody:
        if student.startswith("katya"):  # her endless loop would be most of the time
            shutil.rmtree(folder / "submitted" / student)
    finish(start(folder / "submitted", folder / "calm"))
    return folder / "submitted", folder / "calm", contents(f"sqlite:///{folder / 'calm' / 'gradebook.db'}", LESSON)


def new_output(calm: Path, name: str) -> Path:
    """An output folder of its own with the same secret, so that everybody gets the same inputs."""
    output = calm.parent / name
    (output / ".unrolled").mkdir(parents=True)
    shutil.copy(calm / ".unrolled" / "secret", output / ".unrolled" / "secret")
    return output


def finished(output: Path) -> int:
    journal = output / ".unrolled" / "journal.jsonl"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def below(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *below(child)]
    return found


def is_warm(pid: int) -> bool:
    try:
        return b"unrolled.sandbox.zygote" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_coordinator_killed_at_random_moments(undisturbed):
    submitted, calm, expected = undisturbed
    generator = random.Random(5)
    output, killed, rounds = new_output(calm, "killed"), [], 0
    while len(killed) < KILLS:
        process = start(submitted, output)
        # Half of them in the start, half after the first result of this run.
        before, patience = finished(output), time.monotonic() + 120
        if generator.random() < 0.5:
            while finished(output) == before and process.poll() is None and time.monotonic() < patience:
                time.sleep(0.01)
            time.sleep(generator.uniform(0, 1.5))
        else:
            time.sleep(generator.uniform(0, 8))
        warm = [pid for pid in below(process.pid) if is_warm(pid)]
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed.append(process.pid)
        process.communicate()
        deadline = time.monotonic() + 10
        while any(is_warm(pid) for pid in warm) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(is_warm(pid) for pid in warm), "a warm process outlived its engine"
        if process.returncode == 0 or finished(output) >= len(expected):
            rounds += 1
            finish(start(submitted, output))
            assert contents(f"sqlite:///{output / 'gradebook.db'}", LESSON) == expected
            output = new_output(calm, f"killed-{rounds}")
    finish(start(submitted, output))
    assert contents(f"sqlite:///{output / 'gradebook.db'}", LESSON) == expected
    left = {path.name for path in Path("/sys/fs/cgroup").rglob("unrolled-*")}
    assert not {name for name in left if int(name.split("-")[2]) in killed}, "the run that follows removes them"


def test_nothing_is_graded_twice(undisturbed):
    submitted, calm, expected = undisturbed
    output = new_output(calm, "once")
    process = start(submitted, output)
    while finished(output) < 5 and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    done = finished(output)
    finish(start(submitted, output))
    with Journal(output) as journal:
        lines = journal.path.read_bytes().splitlines()
    # At most the submission that was being recorded at the moment of the kill is there a second time.
    assert len(lines) <= len(expected) + 1
    assert done >= 5


def test_warm_processes_killed_at_random_moments(undisturbed):
    """The run goes on with a new warm process; each submission is tried again once."""
    submitted, calm, expected = undisturbed
    generator = random.Random(6)
    output, kills, rounds = new_output(calm, "warm"), 0, 0
    while kills < KILLS:
        process = start(submitted, output)
        while process.poll() is None:
            before = finished(output)
            patience = time.monotonic() + 120
            while finished(output) < before + 4 and process.poll() is None and time.monotonic() < patience:
                time.sleep(0.02)
            warm = [pid for pid in below(process.pid) if is_warm(pid)]
            if warm and kills < KILLS:
                try:
                    os.kill(generator.choice(warm[:2]), signal.SIGKILL)
                    kills += 1
                except ProcessLookupError:
                    pass
        finish(process)
        assert contents(f"sqlite:///{output / 'gradebook.db'}", LESSON) == expected
        rounds += 1
        output = new_output(calm, f"warm-{rounds}")


def test_secret_stays_the_same(undisturbed):
    _, calm, _ = undisturbed
    assert engine.secret_for(calm) == (calm / ".unrolled" / "secret").read_bytes()
