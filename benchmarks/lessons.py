"""How long each lesson's reference notebook takes, and how much memory.

    python benchmarks/lessons.py [LESSON]... [--json FILE]

Executes them one after the other, each in a fresh kernel, as `autograde build` does. Exit code 1 if one takes longer
than 120 s or more than 3 GB: what a student's own computer should never have to.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from autograde import course
from autograde.authoring import build, lesson

SECONDS, MEGABYTES = 120, 3000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("lessons", nargs="*", help="such as 04_lstm; all if none is named")
    arguments.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = arguments.parse_args()
    figures = {}
    print(f"{'lesson':<20}{'seconds':>10}{'peak MB':>10}")
    for name in course.chosen(options.lessons):
        # A process of its own: the peak of its children is then the peak of this lesson's kernel.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            figures[name] = alone.submit(measure, name).result()
        print(f"{name:<20}{figures[name]['seconds']:>10.0f}{figures[name]['peak_mb']:>10.0f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    if any(f["seconds"] > SECONDS or f["peak_mb"] > MEGABYTES for f in figures.values()):
        sys.exit(f"a lesson may take {SECONDS} s and {MEGABYTES} MB")


def measure(name: str) -> dict[str, float]:
    """Execute one reference notebook: wall time from the kernel's start to its end, and its peak resident memory."""
    notebook = lesson.read(name)
    began = time.monotonic()
    build.execute(notebook)
    return {"seconds": time.monotonic() - began,
            "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}


if __name__ == "__main__":
    main()
