"""How fast a class is graded: stock nbgrader against `autograde grade`, side by side, in one run.

    python benchmarks/grading.py [--count 60] [--json FILE]

Both grade the same real submissions of lesson 04 (right, wrong, half done) from the same released notebook, both skip
the cells that train for show, both end with a gradebook, autograded notebooks and a feedback page a student. Scores
must be equal, submission by submission. Stock nbgrader runs once (it takes minutes); `autograde grade` runs three times
before and after it, and the median counts (a run before them, which reads the libraries from the disk, does not).
Absolute times are this machine's; the ratio is the claim.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from nbgrader.api import Gradebook

from autograde import course
from autograde.authoring import samples

LESSON = "04_lstm"
BIN = Path(sys.executable).parent
STOCK_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "unrolled"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
c.Execute.timeout = 300
c.Execute.skip_cells_with_tag = "demo"
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--count", type=int, default=60, help="submissions (60)")
    arguments.add_argument("--json", type=Path, help="write the figures to this file as well")
    arguments.add_argument("--leave-out", nargs="*", default=["katya", "luca", "mona", "noor"],
                           help="students of the sample class whom stock nbgrader cannot grade, or who cheat")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), options.count, set(options.leave_out))
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def measure(folder: Path, count: int, leave_out: set[str]) -> dict:
    submitted = folder / "class"
    everybody = samples.write_class(LESSON, submitted, count=4 * count)
    kept = [s for s in everybody if s.rsplit("-", 1)[0] not in leave_out][:count]
    for student in set(everybody) - set(kept):
        shutil.rmtree(submitted / student)
    print(f"{count} submissions of {LESSON}; autograde, then stock nbgrader (minutes), then autograde again")
    ours(folder / "first", submitted, workers=2)  # not counted: the libraries come from the disk once
    runs = [ours(folder / f"ours-{n}", submitted, workers=2) for n in range(2)]
    one_worker = ours(folder / "one", submitted, workers=1)
    stock = stock_nbgrader(folder / "stock", submitted)
    runs.append(ours(folder / "ours-2", submitted, workers=2))
    middle = sorted(runs, key=lambda run: run["seconds"])[1]
    different = {s: (stock["scores"].get(s), score) for s, score in middle["scores"].items()
                 if abs(stock["scores"].get(s, -1) - score) > 1e-9}
    compute = middle["watched"]["submissions_cpu"]
    return {
        "count": count, "cores": len(os.sched_getaffinity(0)),
        "stock_seconds": stock["seconds"], "autograde_seconds": [r["seconds"] for r in runs],
        "throughput_ratio": stock["seconds"] / middle["seconds"],
        "stock_per_submission": stock["seconds"] / count, "autograde_per_submission": middle["seconds"] / count,
        "one_worker_seconds": one_worker["seconds"], "speedup_two_workers": one_worker["seconds"] / middle["seconds"],
        "startup_seconds": middle["startup"],
        "parts_mean_seconds": {k: v / count for k, v in middle["parts"].items() if k != "memory"},
        "student_compute_share": compute / (2 * middle["seconds"]),
        "student_compute_share_after_start": compute / (2 * (middle["seconds"] - middle["startup"])),
        "coordinator_peak_mb": middle["watched"]["coordinator"], "warm_process_peak_mb": middle["watched"]["warm"],
        "submission_peak_mb": middle["submission_peak_mb"],
        "scores_equal": not different, "different": different,
    }


def ours(output: Path, submitted: Path, workers: int) -> dict:
    """One whole run of the command, from its start to its end."""
    results = output / "results.json"
    began = time.monotonic()
    process = subprocess.Popen([str(BIN / "autograde"), "grade", LESSON, "--submitted", str(submitted), "--output",
                                str(output), "--workers", str(workers), "--json", str(results)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    watched = _watch(process)
    errors = process.communicate()[1].decode()
    seconds = time.monotonic() - began
    if process.returncode not in (0, 2):
        sys.exit(f"autograde grade failed:\n{errors[-3000:]}")
    records = json.loads(results.read_text())
    parts: dict[str, float] = {}
    for record in records:
        for name, value in record["parts"].items():
            parts[name] = parts.get(name, 0.0) + value
    first = min((output / "autograded").rglob("*.ipynb"), key=lambda p: p.stat().st_mtime).stat().st_mtime
    return {"seconds": seconds, "parts": parts, "scores": {r["student"]: r["score"] for r in records},
            "watched": watched, "startup": max(0.0, seconds - (time.time() - first)),
            "submission_peak_mb": max(r["parts"].get("memory", 0) for r in records) / 2**20}


def stock_nbgrader(root: Path, submitted: Path) -> dict:
    """Plain nbgrader in a course directory of its own: generate (not timed), autograde, generate_feedback."""
    for folder in ("unrolled", "autograde", "data"):
        (root / folder).parent.mkdir(parents=True, exist_ok=True)
        (root / folder).symlink_to(course.ROOT / folder)
    shutil.copytree(course.reference(LESSON).parent, root / "solutions" / LESSON)
    shutil.copytree(submitted, root / "submitted")
    (root / "nbgrader_config.py").write_text(STOCK_CONFIG)
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(course.ROOT)}

    def nbgrader(*arguments: str) -> None:
        done = subprocess.run(["nbgrader", *arguments], cwd=root, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"nbgrader {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")

    nbgrader("generate_assignment", LESSON, "--force")
    began = time.monotonic()
    nbgrader("autograde", LESSON)
    nbgrader("generate_feedback", LESSON)
    seconds = time.monotonic() - began
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        scores = {s.student_id: sum(g.auto_score or 0 for n in s.notebooks for g in n.grades)
                  for s in book.assignment_submissions(LESSON)}
    return {"seconds": seconds, "scores": scores}


def _watch(process: subprocess.Popen) -> dict[str, float]:
    """Sampled while a run lasts: peak resident memory (MB) of the coordinator and of the warm process, and the
    processor time (seconds) of the submissions' own processes, from the start of the program's to its end."""
    peak = {"coordinator": 0.0, "warm": 0.0, "submissions_cpu": 0.0}

    def sample() -> None:
        while process.poll() is None:
            peak["coordinator"] = max(peak["coordinator"], _high_water(process.pid))
            for below in _children(process.pid):
                for warm in [below, *_children(below)]:
                    if "unrolled.sandbox.zygote" in _command(warm):
                        peak["warm"] = max(peak["warm"], _high_water(warm))
                        peak["submissions_cpu"] = max(peak["submissions_cpu"], _ended_children(warm))
            time.sleep(0.1)

    threading.Thread(target=sample, daemon=True).start()
    return peak


def _high_water(pid: int) -> float:
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _ended_children(pid: int) -> float:
    """Processor seconds of the children that have ended."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _children(pid: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in _read(task).split()]


def _command(pid: int) -> str:
    return _read(f"/proc/{pid}/cmdline")


def _read(path) -> str:
    try:
        return Path(path).read_text()
    except OSError:  # it ended meanwhile
        return ""


def show(figures: dict) -> None:
    """The figures as a person reads them."""
    print(f"""
stock nbgrader, autograde + feedback   {figures['stock_seconds']:8.1f} s   {figures['stock_per_submission']:.2f} s each
autograde grade, two workers (median)  {statistics.median(figures['autograde_seconds']):8.1f} s   \
{figures['autograde_per_submission']:.2f} s each
throughput ratio                       {figures['throughput_ratio']:8.1f} ×
of it until the first result           {figures['startup_seconds']:8.1f} s
two workers against one                {figures['speedup_two_workers']:8.2f} ×
submissions' own processes, of both cores   {100 * figures['student_compute_share']:8.0f} % of the run, \
{100 * figures['student_compute_share_after_start']:.0f} % after the start
peak memory: coordinator {figures['coordinator_peak_mb']:.0f} MB, \
warm process {figures['warm_process_peak_mb']:.0f} MB, a submission beside it {figures['submission_peak_mb']:.0f} MB
a submission's seconds: """ + ", ".join(f"{k} {v:.3f}" for k, v in figures["parts_mean_seconds"].items()))
    print("scores: equal" if figures["scores_equal"] else f"scores DIFFER: {figures['different']}")


if __name__ == "__main__":
    main()
