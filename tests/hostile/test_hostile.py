"""Every attack of the corpus against the real grader: no points, no reads, nobody else hurt, always a status.

The table at the end is also kept in ``docs/hostile.md``; a test holds the two to agree.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from pathlib import Path

import nbformat
import pytest
from markdown_it import MarkdownIt
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers

from autograde import course
from autograde.authoring import lesson
from autograde.cells import answer_of
from autograde.intake.roll import read_roll
from autograde.judging import oracles
from autograde.recording import feedback
from autograde.recording.autograded import as_json, autograded
from autograde.recording.sheet import check_id
from autograde.records import GRADED, STATUSES, Mark, Standing
from autograde.run import read_task
from autograde.running import engine
from autograde.running.pool import Lesson, rebuilt
from autograde.running.sandbox import Sandbox
from tests.browser import OUTRIGHT, watched, without_outside
from tests.hostile.corpus import CORPUS, Attack
from unrolled.sandbox.isolate import Limits

LESSON, EXERCISE = "04_lstm", "lstm.step"
LIMITS = Limits(cell_cpu=2, cell_idle=10, total_cpu=40, total_idle=40, total_wall=80, memory=600 << 20,
                scratch=64 << 20, processes=80)
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


def hand_in(attack: Attack, folder: Path, other: Path) -> None:
    """Write what an attacker hands in for the lesson below `folder`; `other` is a file that is not theirs."""
    notebook = handed_in("import os\nimport numpy as np\n" + attack.answer + attack.code)
    changed = attack.change(notebook) if attack.change else None
    path = folder / LESSON / f"{LESSON}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(changed or json.dumps(notebook).encode())
    if attack.place:
        attack.place(path.parent, other)


def graded(sandbox, submitted: Path, student: str = "mallory"):
    """One student's folder, read and graded as a run does it: the result, and what was rebuilt from it."""
    the_lesson = Lesson.load(LESSON)
    task = read_task(read_roll(submitted), student, LESSON, SECRET, the_lesson.exercises)
    work = rebuilt(task, the_lesson)
    return engine.grade(work, task.seeds.__getitem__, sandbox, the_lesson.exercises), work


def grade(sandbox, submitted: Path, student: str = "mallory"):
    return graded(sandbox, submitted, student)[0]


def points(result) -> float:
    return next(v.points for v in result.verdicts if v.exercise == EXERCISE)


@pytest.fixture(scope="module")
def submitted(tmp_path_factory) -> Path:
    """A class with one honest student, Ada."""
    cell = next(c for c in lesson.read(LESSON).cells if c.metadata.get("nbgrader", {}).get("grade_id") == "lstm-step")
    folder = tmp_path_factory.mktemp("class")
    hand_in(Attack("-", "none", "", answer=answer_of(cell)), folder / "ada", folder)
    return folder


@pytest.mark.parametrize("attack", [pytest.param(a, id=f"{a.id} {a.title}") for a in CORPUS])
def test_attack_earns_nothing_and_hurts_nobody(attack: Attack, sandbox, submitted, pages):
    mallory = submitted / "mallory"
    mallory.unlink() if mallory.is_symlink() else shutil.rmtree(mallory, ignore_errors=True)
    hand_in(attack, submitted / "mallory", submitted / "ada" / LESSON / f"{LESSON}.ipynb")
    result, work = graded(sandbox, submitted)
    (pages / f"{attack.id}.html").write_text(as_it_is_read(result, work), encoding="utf-8")
    outcomes[attack.id] = (result.status, points(result))
    assert result.status in attack.statuses, result.note
    assert points(result) <= attack.earns
    assert sum(v.points for v in result.verdicts) <= attack.earns
    if attack.says:
        shown = "\n".join(o.text + o.error for o in result.outputs.values())
        assert attack.says in shown, shown[-2000:]
    # The next student, from the same warm process, gets what is theirs.
    after = grade(sandbox, submitted, "ada")
    assert after.status == GRADED, after.note
    assert points(after) == oracles.get(EXERCISE).points


# Where it is read -------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    """A folder with what people read of every attack that was graded in this run."""
    return tmp_path_factory.mktemp("pages")


def as_it_is_read(result, work) -> str:
    """The feedback page, its Markdown as a program shows it that lets HTML through, and the formgrader's page, in one.

    The page's own policy, which forbids scripts and requests, is left out: it must be inert without.
    """
    released = nbformat.read(course.released(LESSON), 4).cells
    written = [cell.metadata.nbgrader for cell in released if cell.cell_type == "markdown"
               and cell.metadata.get("nbgrader", {}).get("grade")]
    marks = {check_id(verdict.exercise): Mark(verdict.max_points, auto=verdict.points) for verdict in result.verdicts}
    marks |= {one.grade_id: Mark(one.points, True, waits=True) for one in written}
    made = autograded(result, work)
    page, text = feedback.both(json.loads(as_json(made)), Standing(result.student, LESSON, marks))
    page, count = re.subn(r"<meta http-equiv=[^>]*>", "", page)
    assert count == 1
    resources = {"base_url": "", "submission_id": "s", "notebook_id": LESSON, "assignment_id": LESSON, "index": 0,
                 "total": 1, "student": result.student, "notebook_path": "x"}
    shown, _ = HTMLExporter(template_name="formgrade", extra_template_basedirs=[handlers.template_path]
                            ).from_notebook_node(made, resources=resources)
    return "\n".join((page, MarkdownIt("commonmark", {"html": True}).enable("table").render(text), shown))


def test_no_attack_runs_anything_or_asks_for_anything_where_it_is_read(browser, pages, sandbox, submitted):
    """In a browser: nothing but what an honest student's page does there, which is the formgrader's own."""
    if not outcomes:
        pytest.skip("no attack was graded in this run")
    (pages / "honest.html").write_text(as_it_is_read(*graded(sandbox, submitted, "ada")), encoding="utf-8")
    assert {path.stem for path in pages.glob("*.html")} == {"honest", *outcomes}

    def seen(name: str) -> tuple[list[str], set[str], dict[str, int]]:
        ran, asked = watched(browser, (pages / f"{name}.html").as_uri(), OUTRIGHT)
        return ran, set(asked), browser.execute_script("""
            return Object.fromEntries(["script", "iframe", "object", "embed", "form", "base", "link", "meta", "img"]
                .map(tag => [tag, document.querySelectorAll(tag).length]));""")

    with without_outside(browser):
        nothing, asked, tags = seen("honest")
        assert nothing == [] and tags["script"]
        for name in outcomes:
            ran, more, there = seen(name)
            assert not ran and more <= asked, (name, ran, more - asked)
            assert all(there[tag] <= tags[tag] for tag in tags), (name, there, tags)


def test_nothing_is_left_behind(sandbox, tmp_path):
    """No process, no descriptor, no mount, no file: after the whole corpus as before it."""
    hand_in(Attack("-", "fork, then loop", "", code="os.fork() or os.setsid()\nwhile True: pass"),
            tmp_path / "mallory", tmp_path)
    grade(sandbox, tmp_path)
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
    # B6 (the exchange's folders) and C7 (zip-slip) are tried where downloads are sorted: tests/test_collect.py.
    assert {f"A{i}" for i in range(1, 21)} | {f"B{i}" for i in range(1, 6)} <= ids
    assert {f"C{i}" for i in range(1, 15)} - {"C7"} <= ids
    own = [i for i in ids if i[0] in "WKRT"]
    assert len(own) >= 25
    assert {f"G{i}" for i in range(1, 10)} | {f"N{i}" for i in range(1, 6)} <= ids
    assert {f"X{i}" for i in range(1, 5)} <= ids
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
    page = Path("docs/hostile.md").read_text(encoding="utf-8")
    assert table() + "\n" + WHAT_HOLDS in page, "run: python -m tests.hostile.test_hostile"


WHAT_HOLDS = """
## "Write it yourself": what holds and what does not

While an answer is tried, what its exercise forbids is out of use in that process: every Python function of the
forbidden class, its relatives (TensorFlow's raw operations, Keras's backend functions) and the lesson's own helpers
raises an error that says so (`unrolled/probes/guard.py`). That closes every road on which a forbidden function is
*called* (G1 to G9). It is a barrier inside the student's process, so it cannot close these:

- a copy of a function's code made before the try (`types.FunctionType(f.__code__, ...)`), or code that puts the old
  code back during it;
- a graph that TensorFlow traced before the try, or an operation run by name through its C interface;
- a built-in written out again from memory or from its source. That is writing it oneself.

The first two need more knowledge than the exercise; the text of the answer is kept, and a reader sees them.

## One cell and another's check: what holds and what does not

All cells of a submission share a process, since later answers build on earlier ones. Between two exercises the public
functions, classes and methods of the course, NumPy, Keras and TensorFlow are put back as they were, and the code of
the functions too (`unrolled/sandbox/untouched.py`): a probe replaced by an earlier cell, or by an earlier answer while
it was tried, is not what tries the next one (X1 to X4), and an honest slip (`np.sum = 6`) costs one exercise and no
other. This too is a barrier inside the process. It does not close a thread that replaces a probe again later, or code
that finds the barrier's own memory. What either gains are numbers that it computed from inputs it had not seen.
"""


if __name__ == "__main__":
    Path("docs/hostile.md").write_text(
        "# Attacks and faults\n\nWhat `tests/hostile/` tries on the grader in every test run, and what comes of it. "
        "Points are those of one exercise\nwhose answer is wrong; the column for stock nbgrader says what such a "
        "submission gets there, with ordinary\nasserts as tests: measured where it names a score or a time, "
        "otherwise what its code allows, or not measured.\n\n" + table() + "\n" + WHAT_HOLDS, encoding="utf-8")
