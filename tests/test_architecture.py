"""The house: rooms in the order data flows, nothing that runs back up, and a picture that is never stale."""

from __future__ import annotations

import graphlib
import re
import subprocess
import sys

import pytest

from autograde import course
from tests import architecture
from tests.architecture import EXCEPTION, FLOORS, imports, room_of, rooms

MOST = 400  # lines


def test_the_picture_and_the_table_are_what_the_imports_give():
    stale = [path.name for path, new in ((architecture.DRAWING, architecture.drawing()),
                                         (architecture.PAGE, architecture.page()))
             if path.read_text(encoding="utf-8") != new]
    assert not stale, f"{stale} are older than the imports; run: python -m tests.architecture"


def test_no_module_takes_part_in_a_circle():
    try:
        graphlib.TopologicalSorter(imports()).prepare()
    except graphlib.CycleError as circle:
        pytest.fail(" imports ".join(reversed(circle.args[1])))


def test_every_room_of_autograde_has_a_floor():
    assert {room.name for room in rooms() if room.name.startswith("autograde")} == FLOORS.keys()


def test_no_arrow_runs_back_up():
    found = [f"{module} imports {used}" for module, uses in imports().items() for used in uses
             if (here := FLOORS.get(room_of(module))) is not None and (there := FLOORS.get(room_of(used))) is not None
             and room_of(module) != room_of(used) and there >= here]
    assert not found


def test_what_student_code_may_see_imports_nothing_that_it_may_not():
    found = {(module, room_of(used)) for module, uses in imports().items() for used in uses
             if module.startswith("unrolled") and used.startswith("autograde")}
    assert found == {EXCEPTION}


def test_the_process_that_grades_loads_no_keras():
    """It takes seconds and half a gigabyte, and nothing that judges needs it: probes do, in the sandbox."""
    program = ("import sys; sys.modules['keras'] = sys.modules['tensorflow'] = None\n"
               "import autograde.run, autograde.recording.gradebook, autograde.recording.report\n"
               "from autograde.judging import oracles; print(len(oracles.topics()))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-800:]
    assert int(done.stdout) == len(list((course.ROOT / "autograde/judging/oracles").glob("[!_]*")))


def test_imports_inside_functions_count():
    assert "autograde.judging.judge" in imports()["unrolled.checking"]


def too_long() -> set[str]:
    """Files of more than 400 lines that do not say why in their first lines."""
    found = set()
    for package in ("autograde", "unrolled"):
        for path in (course.ROOT / package).rglob("*.py"):
            lines = path.read_text(encoding="utf-8").splitlines()
            if len(lines) > MOST and not re.search(r"\bLong because \w", "\n".join(lines[:12])):
                found.add(path.relative_to(course.ROOT).as_posix())
    return found


def test_no_file_is_long_without_a_reason():
    assert not too_long(), "split it, or say `Long because ...` in its first lines"
