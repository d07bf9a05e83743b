"""What students' pages cost while a class is graded: the same command with and without them, side by side.

    python benchmarks/pages.py [--count 24] [--rounds 3]

Grades the same submissions of lesson 04 in turns, with the pages (HTML and Markdown) and with nothing written in their
place, and compares wall time and the processor time of all processes together. Rounds alternate, so that whatever else
the machine does meets both; the medians are compared. Feedback may cost at most a tenth of the throughput.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from autograde.authoring import samples

LESSON = "04_lstm"
WITHOUT = """
from autograde.recording import pages
pages.write_page = lambda *arguments: None
pages.refresh = lambda *arguments: 0
"""
RUN = "import sys\nfrom autograde import cli\ncli.main()"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--count", type=int, default=24, help="submissions (24)")
    arguments.add_argument("--rounds", type=int, default=3, help="runs of each kind (3)")
    options = arguments.parse_args()
    took: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples.write_class(LESSON, folder / "class", count=options.count)
        for number in range(options.rounds):
            for with_pages in (True, False):
                output = folder / f"{number}-{with_pages}"
                took[with_pages].append(graded(folder / "class", output, with_pages))
                written = len(list(output.glob("feedback/*/*/*.html")))
                assert (written >= options.count) == with_pages, written
    wall, work = ({kind: statistics.median(pair[i] for pair in pairs) for kind, pairs in took.items()} for i in (0, 1))
    print(f"{options.count} submissions of {LESSON}, {options.rounds} rounds, load {os.getloadavg()[0]:.1f}\n"
          f"                 with pages   without   ratio\n"
          f"wall, median      {wall[True]:8.1f} s {wall[False]:8.1f} s   {wall[True] / wall[False]:.3f}\n"
          f"processor, median {work[True]:8.1f} s {work[False]:8.1f} s   {work[True] / work[False]:.3f}")


def graded(submitted: Path, output: Path, with_pages: bool) -> tuple[float, float]:
    """Wall and processor seconds of one run of `autograde grade`, all of its processes together."""
    before, began = os.times(), time.monotonic()
    done = subprocess.run([sys.executable, "-c", ("" if with_pages else WITHOUT) + RUN, "grade", LESSON, "--submitted",
                           str(submitted), "--output", str(output)], capture_output=True, text=True)
    seconds, after = time.monotonic() - began, os.times()
    if done.returncode not in (0, 2):
        sys.exit(f"grading failed:\n{done.stderr[-3000:]}")
    return seconds, (after.children_user - before.children_user) + (after.children_system - before.children_system)


if __name__ == "__main__":
    main()
