"""Every attack of the corpus against the real grader: no points, no reads, nobody else hurt, always a status.

The table at the end is also kept in ``docs/hostile.md``; a test holds the two to agree.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import nbformat
import pytest

from autograde import course, engine, lesson, oracles
from autograde.records import GRADED, STATUSES
from autograde.sandbox import Sandbox
from autograde.submission import Skeleton, rebuild
from tests.hostile.corpus import CORPUS, Attack
from unrolled.sandbox.isolate import Limits

LESSON, EXERCISE = "04_lstm", "lstm.step"
LIMITS = Limits(cell_cpu=2, cell_wall=10, total_wall=40, memory=600 << 20, scratch=64 << 20, processes=80)
SECRET = b"the course's secret, for tests only"
outcomes: dict[str, tuple[str, float]] = {}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(LIMITS) as box:
        if not box.greeting["isolated"]:
            pytest.skip(f"student code cannot be closed in here: {box.reason}")
        yield box


def handed_in(code: str) -> dict:
    """The released lesson with `code` as the answer to one exercise, as JSON."""
    notebook = nbformat.read(course.released(LESSON), 4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == EXERCISE.replace(".", "-"):
            cell.source = code
    return json.loads(nbformat.writes(notebook))


def grade(sandbox, content: bytes, student: str = "mallory"):
    submission = rebuild(student, Skeleton.load(LESSON), content)
    return engine.grade(submission, engine.seeds(SECRET, student), sandbox)


def points(result) -> float:
    return next(v.points for v in result.verdicts if v.exercise == EXERCISE)


@pytest.fixture(scope="module")
def right_answer() -> bytes:
    cell = next(c for c in lesson.read(LESSON).cells if c.metadata.get("nbgrader", {}).get("grade_id") == "lstm-step")
    return json.dumps(handed_in(lesson.answer(cell))).encode()


@pytest.mark.parametrize("attack", [pytest.param(a, id=f"{a.id} {a.title}") for a in CORPUS])
def test_attack_earns_nothing_and_hurts_nobody(attack: Attack, sandbox, right_answer):
    notebook = handed_in("import os\nimport numpy as np\n" + attack.answer + attack.code)
    changed = attack.change(notebook) if attack.change else None
    result = grade(sandbox, changed or json.dumps(notebook).encode())
    outcomes[attack.id] = (result.status, points(result))
    assert result.status in attack.statuses, result.note
    assert points(result) <= attack.earns
    assert sum(v.points for v in result.verdicts) <= attack.earns
    if attack.says:
        shown = "\n".join(o.text + o.error for o in result.outputs.values())
        assert attack.says in shown, shown[-2000:]
    # The next student, from the same warm process, gets what is theirs.
    after = grade(sandbox, right_answer, "ada")
    assert after.status == GRADED, after.note
    assert points(after) == oracles.get(EXERCISE).points


def test_nothing_is_left_behind(sandbox):
    """No process, no descriptor, no mount, no file: after the whole corpus as before it."""
    grade(sandbox, json.dumps(handed_in("import os\nos.fork() or os.setsid()\nwhile True: pass")).encode())
    own, deadline = sandbox._process.pid, time.monotonic() + 5
    while len(_below(own)) > 2 and time.monotonic() < deadline:  # itself and its process 1, which reaps every second
        time.sleep(0.1)
    assert len(_below(own)) == 2
    assert not list(Path("/dev/shm").glob("for-you"))
    assert not Path("/tmp/poisoned").exists()
    assert len(os.listdir("/proc/self/fd")) < 60


def _below(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += _below(int(child))
    return found


def test_corpus_covers_what_it_must():
    ids = {attack.id for attack in CORPUS}
    assert len(ids) == len(CORPUS)
    assert {f"A{i}" for i in range(1, 21)} <= ids
    own = [i for i in ids if i[0] in "WKRT"]
    assert len(own) >= 25
    assert all(set(a.statuses) <= set(STATUSES) for a in CORPUS)


def table() -> str:
    """The corpus with both graders' answers, in Markdown."""
    lines = ["| id | attack or fault | stock nbgrader 0.9.6 | this grader |", "|---|---|---|---|"]
    for attack in CORPUS:
        statuses = " or ".join(f"`{s}`" for s in attack.statuses)
        statuses = "any status" if len(attack.statuses) == len(STATUSES) else statuses
        most = f", at most {attack.earns:g} point for what is right" if attack.earns else ", 0 points"
        lines.append(f"| {attack.id} | {attack.title} | {attack.stock} | {statuses}{most} |")
    return "\n".join(lines)


def test_table_in_the_docs_is_this_one():
    assert table() in Path("docs/hostile.md").read_text(encoding="utf-8"), "run: python -m tests.hostile.test_hostile"


if __name__ == "__main__":
    Path("docs/hostile.md").write_text(
        "# Attacks and faults\n\nWhat `tests/hostile/` tries on the grader in every test run, and what comes of it. "
        "Points are those of one exercise\nwhose answer is wrong; the column for stock nbgrader says what such a "
        "submission gets there, with ordinary\nasserts as tests: measured where it names a score or a time, "
        "otherwise what its code allows, or not measured.\n\n" + table() + "\n", encoding="utf-8")
