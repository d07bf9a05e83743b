"""A thousand submissions, a tenth of them hostile and a tenth busy, in one run.

    python benchmarks/scale.py [--count 1000] [--json FILE]

Prints the time, the coordinator's memory over the run, what is left behind, and whether anybody's grade depends on
company: the whole class is graded again by eight workers, and a sample of students once more, each in a class of one.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat

from autograde.authoring import samples
from tests.hostile.corpus import CORPUS
from tests.hostile.test_hostile import hand_in

LESSON = "04_lstm"
ALONE = 24
CELL_SECONDS = 3
# Right answers under a cell that computes for half of what it may; and, each fifth of them, forty processes that
# compute until they are ended. The first kind must get all its points beside the second.
COMPUTES = f"""
import time
began = time.process_time()
while time.process_time() < began + {CELL_SECONDS / 2}:
    pass
"""
FORTY = """
import os
for _ in range(40):
    if os.fork() == 0:
        while True: pass
while True: pass
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--count", type=int, default=1000, help="submissions (1000)")
    arguments.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), options.count)
    for name, value in figures.items():
        print(f"{name:<32} {value}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    grows = figures["coordinator_mb_last_third"] > 1.2 * figures["coordinator_mb_first_third"] + 20
    wrong = ("busy_and_right_but_robbed", "different_alone", "different_with_8_workers", "left_behind")
    if grows or any(figures[name] for name in wrong):
        sys.exit(1)


def measure(folder: Path, count: int) -> dict:
    submitted = folder / "submitted"
    # Endless loops and sleepers wait for the clock: a few of each are enough.
    quick = [a for a in CORPUS if "timeout" not in a.statuses]
    slow = [a for a in CORPUS if "timeout" in a.statuses]
    hostile = [(slow if i % 25 == 0 else quick)[i % len(slow if i % 25 == 0 else quick)] for i in range(count // 10)]
    busy = count // 10
    honest = count - len(hostile) - busy
    everybody = samples.write_class(LESSON, submitted, count=2 * honest)
    kept = [student for student in everybody if not student.startswith("katya")]  # an endless loop: like some below
    for student in set(everybody) - set(kept[:honest]):
        shutil.rmtree(submitted / student)
    for number, attack in enumerate(hostile):
        hand_in(attack, submitted / f"hostile-{number:03d}", submitted / kept[0] / LESSON / f"{LESSON}.ipynb")
    right = nbformat.read(submitted / next(s for s in kept if s.startswith("ada")) / LESSON / f"{LESSON}.ipynb", 4)
    for number in range(busy):
        notebook = copy.deepcopy(right)
        notebook.cells.insert(0, nbformat.v4.new_code_cell(COMPUTES if number % 5 else FORTY))
        path = submitted / f"busy-{number:03d}" / LESSON / f"{LESSON}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    before = _state()
    began = time.monotonic()
    records, memory = grade(submitted, folder / "out")
    seconds = time.monotonic() - began
    with_eight, _ = grade(submitted, folder / "eight", workers=8, secret=folder / "out" / ".unrolled" / "secret")
    time.sleep(3)
    kinds = [sorted(s for s in records if _kind(s) == kind) for kind in ("hostile", "busy", "honest")]
    chosen = [s for kind in kinds for s in random.Random(1).sample(kind, min(len(kind), ALONE // 3))]
    robbed = [s for s in records if s.startswith("busy") and int(s[-3:]) % 5 and not _has_everything(records[s])]
    different = [student for student in chosen if alone(folder, submitted, student) != _what_counts(records[student])]
    third = len(memory) // 3
    statuses: dict[str, int] = {}
    for record in records.values():
        statuses[record["status"]] = statuses.get(record["status"], 0) + 1
    return {
        "submissions": len(records), "hostile": len(hostile), "busy": busy, "seconds": round(seconds, 1),
        "seconds_per_submission": round(seconds / len(records), 3), "statuses": statuses,
        "coordinator_mb_first_third": round(max(memory[:third] or [0])),
        "coordinator_mb_last_third": round(max(memory[-third:] or [0])),
        "different_with_8_workers": [student for student, record in records.items()
                                     if _what_counts(record) != _what_counts(with_eight[student])],
        "graded_alone_as_well": len(chosen), "different_alone": different, "busy_and_right_but_robbed": robbed,
        "left_behind": {k: v for k, v in _state().items() if v > before[k]},
    }


def grade(submitted: Path, output: Path, workers: int = 2, secret: Path | None = None
          ) -> tuple[dict[str, dict], list[float]]:
    """Grade a folder; the records by student and the coordinator's resident memory (MB), sampled every second."""
    if secret is not None:
        (output / ".unrolled").mkdir(parents=True)
        shutil.copy(secret, output / ".unrolled" / "secret")
    process = subprocess.Popen(
        [sys.executable, "-m", "autograde", "grade", LESSON, "--submitted", str(submitted), "--output", str(output),
         "--cell-seconds", str(CELL_SECONDS), "--memory-mb", "700", "--workers", str(workers),
         "--json", str(output / "results.json")],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    memory: list[float] = []

    def sample() -> None:
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
                memory.append(int(status.split("VmRSS:")[1].split()[0]) / 1024)
            except (OSError, IndexError):
                return
            time.sleep(1)

    threading.Thread(target=sample, daemon=True).start()
    errors = process.communicate()[1]
    if process.returncode not in (0, 2):
        sys.exit(errors[-3000:])
    return {r["student"]: r for r in json.loads((output / "results.json").read_text())}, memory


def alone(folder: Path, submitted: Path, student: str) -> dict:
    """What a student gets in a class of one, with the same secret."""
    output = folder / f"alone-{student}"
    shutil.copytree(submitted / student, folder / f"one-{student}" / student, symlinks=True)
    records, _ = grade(folder / f"one-{student}", output, secret=folder / "out" / ".unrolled" / "secret")
    return _what_counts(records[student])


def _kind(student: str) -> str:
    return next((kind for kind in ("hostile", "busy") if student.startswith(kind)), "honest")


def _has_everything(record: dict) -> bool:
    return record["status"] == "graded" and all(e["points"] == e["max_points"] for e in record["exercises"])


def _what_counts(record: dict) -> dict:
    return {"status": record["status"], "score": record["score"],
            "exercises": [(e["id"], e["points"], e["diagnosis"]) for e in record["exercises"]]}


def _state() -> dict[str, int]:
    """Processes of the warm kind, mounts, control groups and shared memory on this machine."""
    warm = 0
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            warm += b"unrolled.sandbox.zygote" in command.read_bytes()
        except OSError:
            continue
    return {
        "warm processes": warm,
        "mounts": len(Path("/proc/self/mounts").read_text().splitlines()),
        "control groups": len(list(Path("/sys/fs/cgroup").rglob("unrolled-*"))),
        "shared memory": len(list(Path("/dev/shm").iterdir())),
        "temporary files": len(list(Path(tempfile.gettempdir()).glob("unrolled*"))),
    }


if __name__ == "__main__":
    main()
