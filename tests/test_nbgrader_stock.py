"""nbgrader's own commands in the course directory: with our preprocessors, and plain without them."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograde import course
from autograde.authoring import samples

LESSON = "04_lstm"
OURS = ("exporter_class", "sanitize_preprocessors", "autograde_preprocessors")

pytestmark = [pytest.mark.slow]


def copy_course(folder: Path, *, plain: bool) -> Path:
    """A course directory with one lesson; `plain` leaves nbgrader's own way of grading in place."""
    for part in ("solutions", "notebooks"):
        shutil.copytree(course.ROOT / part / LESSON, folder / part / LESSON)
    shutil.copy(course.source(LESSON), folder / "solutions")
    config = (course.ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    lines = config.splitlines(keepends=True)
    kept = [line for line in lines if not (plain and line.startswith(tuple(f"c.Autograde.{name}" for name in OURS)))]
    assert len(lines) - len(kept) == (len(OURS) if plain else 0)
    (folder / "nbgrader_config.py").write_text("".join(kept), encoding="utf-8")
    return folder


def environment(folder: Path) -> dict[str, str]:
    """As in an activated environment, in the course directory, without this machine's Jupyter settings."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "UNROLLED_COURSE": str(folder), "PYTHONPATH": str(course.ROOT),
            "JUPYTER_CONFIG_DIR": str(folder / ".jupyter")}


def nbgrader(folder: Path, *arguments: str) -> str:
    """Run the real command there; returns all it printed."""
    done = subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=folder, text=True, timeout=900,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(folder))
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def hand_in(folder: Path, students: dict[str, str]) -> None:
    """Put sample students' notebooks into ``submitted/``, under the names given."""
    notebooks = samples.sample_class(LESSON)
    for name, sample in students.items():
        path = folder / "submitted" / name / LESSON / f"{LESSON}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebooks[sample], path)


def scores(folder: Path) -> dict[str, float]:
    """Each student's points of the checks, as the gradebook has them."""
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
        return {submission.student_id: sum(grade.auto_score or 0.0 for notebook in submission.notebooks
                                           for grade in notebook.grades if grade.auto_score is not None)
                for submission in book.assignment_submissions(LESSON)}


def expected() -> dict[str, dict]:
    return tomllib.loads((course.ROOT / "samples" / LESSON / "expected.toml").read_text(encoding="utf-8"))


def sample_where(condition) -> str:
    """The first sample student for whom a condition on what they deserve holds."""
    return next(name for name, deserved in sorted(expected().items())
                if deserved["status"] == "graded" and condition(deserved))


@pytest.fixture(scope="module")
def full_marks() -> float:
    return max(deserved["score"] for deserved in expected().values())


@pytest.fixture(scope="module")
def honest(full_marks) -> dict[str, str]:
    """Three honest students: one right, one with a misconception, one who handed in what they got."""
    return {"right": sample_where(lambda d: d["score"] == full_marks),
            "wrong": sample_where(lambda d: 0 < d["score"] < full_marks and d["misunderstood"]),
            "untouched": sample_where(lambda d: d["score"] == 0)}


def test_with_the_courses_preprocessors(tmp_path, honest):
    folder = copy_course(tmp_path, plain=False)
    nbgrader(folder, "generate_assignment", LESSON, "--force")
    released = nbformat.read(folder / "notebooks" / LESSON / f"{LESSON}.ipynb", 4)
    assert released.cells == nbformat.read(course.released(LESSON), 4).cells, "what is committed is what nbgrader makes"

    hand_in(folder, {**honest, "aa-duplicated": honest["right"], "ab-broken": honest["right"],
                     "ac-stripped": honest["right"]})
    spoil(folder)
    printed = nbgrader(folder, "autograde", LESSON)
    deserved = {name: expected()[sample]["score"] for name, sample in honest.items()}
    full = deserved["right"]
    assert scores(folder) == {**deserved, "aa-duplicated": full, "ab-broken": 0.0, "ac-stripped": full}, printed[-3000:]
    check_notebooks(folder)

    nbgrader(folder, "generate_feedback", LESSON)
    page = (folder / "feedback" / "wrong" / LESSON / f"{LESSON}.html").read_text(encoding="utf-8")
    assert expected()[honest["wrong"]]["misunderstood"] and "partly right" in page
    nbgrader(folder, "export")
    with (folder / "grades.csv").open(encoding="utf-8") as file:
        rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file) if row["assignment"] == LESSON}
    assert rows == scores(folder)
    check_manual_grades_survive(folder, full)


def spoil(folder: Path) -> None:
    """Faults that end stock nbgrader's batch, or leave a student without a score."""
    def path(student):
        return folder / "submitted" / student / LESSON / f"{LESSON}.ipynb"

    notebook = json.loads(path("aa-duplicated").read_text(encoding="utf-8"))
    where = next(i for i, cell in enumerate(notebook["cells"]) if cell["metadata"].get("nbgrader", {}).get("solution"))
    notebook["cells"].insert(where, json.loads(json.dumps(notebook["cells"][where])))
    path("aa-duplicated").write_text(json.dumps(notebook), encoding="utf-8")
    path("ab-broken").write_text('{"cells": [', encoding="utf-8")
    notebook = json.loads(path("ac-stripped").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["metadata"] = {"nbgrader": "lost"}
    path("ac-stripped").write_text(json.dumps(notebook), encoding="utf-8")


def check_notebooks(folder: Path) -> None:
    """The formgrader's notebooks hold the verdicts, and the broken one says that it could not be read."""
    autograded = folder / "autograded"
    right = nbformat.read(autograded / "right" / LESSON / f"{LESSON}.ipynb", 4)
    nbformat.validate(right)
    panels = [cell.outputs[-1].data["text/plain"] for cell in right.cells
              if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code"]
    assert panels and all("passed" in panel for panel in panels)
    broken = nbformat.read(autograded / "ab-broken" / LESSON / f"{LESSON}.ipynb", 4)
    assert "could not be read" in broken.cells[0].source


def check_manual_grades_survive(folder: Path, full: float) -> None:
    url = f"sqlite:///{folder}/gradebook.db"
    with Gradebook(url) as book:
        notebook = book.find_submission_notebook(LESSON, LESSON, "right")
        grade = next(g for g in notebook.grades if g.cell.max_score > 1)
        name, top = grade.name, grade.cell.max_score
        grade.manual_score, grade.needs_manual_grade = top - 0.5, False
        book.db.commit()
    press_the_formgraders_button(folder, "right")
    with Gradebook(url) as book:
        again = book.find_grade(name, LESSON, LESSON, "right")
        assert (again.manual_score, again.auto_score) == (top - 0.5, top)
    assert scores(folder)["right"] == full


BUTTON = """
import asyncio, sys
from nbgrader.apps import NbGraderAPI
from traitlets.config import PyFileConfigLoader

async def pressed():  # the formgrader calls this inside its server's event loop
    api = NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py").load_config())
    return api.autograde(sys.argv[1], sys.argv[2], force=True, create=False)

result = asyncio.run(pressed())
print(result.get("log"))
sys.exit(not result["success"])
"""


def press_the_formgraders_button(folder: Path, student: str) -> None:
    done = subprocess.run([sys.executable, "-c", BUTTON, LESSON, student], cwd=folder, text=True, timeout=600,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(folder))
    assert done.returncode == 0, done.stdout[-4000:]


def test_plain_nbgrader_gives_honest_students_the_same(tmp_path, honest):
    """In a kernel, judged by what the checks print and raise: partial credit included."""
    folder = copy_course(tmp_path, plain=True)
    nbgrader(folder, "generate_assignment", LESSON, "--force")
    hand_in(folder, honest)
    nbgrader(folder, "autograde", LESSON)
    assert scores(folder) == {name: expected()[sample]["score"] for name, sample in honest.items()}
    nbgrader(folder, "generate_feedback", LESSON)
    assert len(list((folder / "feedback").rglob("*.html"))) == len(honest)


def test_validate_tells_right_from_wrong(tmp_path, honest):
    folder = copy_course(tmp_path, plain=False)
    hand_in(folder, honest)
    right = folder / "submitted" / "right" / LESSON / f"{LESSON}.ipynb"  # a written answer left empty does not validate
    right.write_text(right.read_text(encoding="utf-8").replace("YOUR ANSWER HERE", "Because f is near 1."), "utf-8")
    for student, says in (("right", "Success"), ("wrong", "VALIDATION FAILED")):
        assert says in nbgrader(folder, "validate", f"submitted/{student}/{LESSON}/{LESSON}.ipynb")
