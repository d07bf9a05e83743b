"""`autograde grade`, from a folder of submissions to scores: real submissions, the real sandbox, a real gradebook."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograde import course
from autograde.authoring import samples
from autograde.cli import app
from autograde.course import UserError

LESSON = "04_lstm"
WITH_SAMPLES = [name for name in course.lessons() if samples.table(name).exists()]


def grade(*arguments: str):
    """Run the command in this process; returns its exit code and what it printed (a UserError is exit code 2)."""
    result = CliRunner().invoke(app, ["grade", *arguments])
    if isinstance(result.exception, UserError):
        return 2, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def graded(lesson: str, submitted: Path, output: Path, *more: str) -> tuple[int, dict[str, dict]]:
    """Grade a class; returns the exit code and the records by student."""
    code, printed = grade(lesson, "--submitted", str(submitted), "--output", str(output),
                          "--json", str(output / "results.json"), *more)
    assert code in (0, 2), printed
    return code, {r["student"]: r for r in json.loads((output / "results.json").read_text())}


@pytest.mark.parametrize("lesson", WITH_SAMPLES)
def test_sample_class(lesson, tmp_path):
    """Every student of the sample class gets what their file's comment says they deserve."""
    students = samples.write_class(lesson, tmp_path / "submitted")
    _, records = graded(lesson, tmp_path / "submitted", tmp_path / "out")
    expected = tomllib.loads((course.ROOT / "samples" / lesson / "expected.toml").read_text(encoding="utf-8"))
    assert set(records) == set(students) == set(expected)
    for student, record in records.items():
        found = {"status": record["status"], "score": record["score"], "misunderstood": sorted(
            f"{e['id']}: {name}" for e in record["exercises"] for name in e["diagnosis"])}
        assert found == expected[student], student
    with Gradebook(f"sqlite:///{tmp_path / 'out' / 'gradebook.db'}") as book:
        stored = {s.student_id: sum(g.auto_score or 0 for n in s.notebooks for g in n.grades)
                  for s in book.assignment_submissions(lesson)}
    assert stored == {student: record["score"] for student, record in records.items()}
    for student in students:
        assert (tmp_path / "out" / "autograded" / student / lesson / f"{lesson}.ipynb").exists()
        assert (tmp_path / "out" / "feedback" / student / lesson / f"{lesson}.html").exists()


@pytest.fixture
def ada(tmp_path) -> Path:
    """A class of one: the path of her right notebook."""
    samples.write_class(LESSON, tmp_path / "all")
    target = tmp_path / "submitted" / "ada" / LESSON / f"{LESSON}.ipynb"
    target.parent.mkdir(parents=True)
    shutil.copy(tmp_path / "all" / "ada" / LESSON / f"{LESSON}.ipynb", target)
    return target


def hand_in(ada: Path, student: str, content: bytes | str, name: str = f"{LESSON}.ipynb") -> None:
    path = ada.parents[2] / student / LESSON / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_bad_files_are_named_and_cost_nobody_else_anything(ada, tmp_path):
    right = ada.read_text(encoding="utf-8")
    old = nbformat.writes(nbformat.convert(nbformat.reads(right, 4), 3), version=3)
    hand_in(ada, "b-not-json", "this is no notebook")
    hand_in(ada, "c-empty", "")
    hand_in(ada, "d-old-format", old)
    hand_in(ada, "e-utf16", right.encode("utf-16"))
    hand_in(ada, "f-no-cells", json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    hand_in(ada, "g-renamed", right, f"{LESSON} (1).ipynb")
    (ada.parents[2] / "h-nothing" / LESSON).mkdir(parents=True)
    code, records = graded(LESSON, ada.parents[2], tmp_path / "out")
    assert code == 2
    full = sum(exercise["max_points"] for exercise in records["ada"]["exercises"])
    assert records["ada"]["score"] == full
    assert {s: r["status"] for s, r in records.items() if r["status"] != "graded"} == {
        "b-not-json": "unreadable", "c-empty": "unreadable", "f-no-cells": "unreadable", "h-nothing": "missing"}
    for student in ("d-old-format", "e-utf16", "g-renamed"):
        assert records[student]["score"] == full, student
        assert records[student]["repairs"], student
    for record in records.values():
        assert "\n" not in record["note"]


def test_errors_are_one_line_each(ada, tmp_path):
    for student, content in {"b": "no JSON", "c": "", "d": json.dumps({"cells": []})}.items():
        hand_in(ada, student, content)
    done = subprocess.run(
        [sys.executable, "-m", "autograde", "grade", LESSON, "--submitted", str(ada.parents[2]),
         "--output", str(tmp_path / "out")], capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"})
    assert done.returncode == 2
    told = [line for line in done.stderr.splitlines() if line.startswith("autograde: ")]
    assert [line.split(": ")[1] for line in told] == ["b", "c", "d"]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("arguments", "says"), [
    (["99_nothing"], "unknown lesson '99_nothing'"),
    ([LESSON, "--submitted", "/nowhere/at/all"], "no directory /nowhere/at/all"),
    ([LESSON, "--db", "mongodb://somewhere"], "driver"),
])
def test_wrong_arguments(arguments, says, ada, tmp_path):
    given = {"--submitted": str(ada.parents[2]), "--output": str(tmp_path / "out")}
    more = [word for option, value in given.items() if option not in arguments for word in (option, value)]
    code, printed = grade(*arguments, *more)
    assert code == 2
    assert says in printed
    assert "\n" not in printed.strip()
    assert not (tmp_path / "out" / "gradebook.db").exists()


def test_output_that_cannot_be_written(ada, tmp_path):
    (tmp_path / "file").write_text("")
    code, printed = grade(LESSON, "--submitted", str(ada.parents[2]), "--output", str(tmp_path / "file" / "out"))
    assert code == 2
    assert "cannot write to" in printed


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_output(ada, tmp_path):
    (tmp_path / "out").mkdir(mode=0o555)
    code, printed = grade(LESSON, "--submitted", str(ada.parents[2]), "--output", str(tmp_path / "out"))
    assert code == 2
    assert "cannot write to" in printed


def test_gradebook_that_is_no_database(ada, tmp_path):
    (tmp_path / "book.db").write_text("dear gradebook")
    code, printed = grade(LESSON, "--submitted", str(ada.parents[2]), "--output", str(tmp_path / "out"),
                          "--db", f"sqlite:///{tmp_path / 'book.db'}")
    assert code == 2
    assert "book.db" in printed
    assert (tmp_path / "book.db").read_text() == "dear gradebook"


def test_a_finished_run_grades_nothing_again(ada, tmp_path):
    _, first = graded(LESSON, ada.parents[2], tmp_path / "out")
    page = tmp_path / "out" / "feedback" / "ada" / LESSON / f"{LESSON}.html"
    written = page.stat().st_mtime_ns
    _, again = graded(LESSON, ada.parents[2], tmp_path / "out")
    assert again == first
    assert page.stat().st_mtime_ns == written


def test_inputs_are_fresh_for_each_student_and_the_same_on_a_regrade(tmp_path):
    from autograde.running import engine

    secret = engine.secret_for(tmp_path)
    assert engine.secret_for(tmp_path) == secret
    assert (tmp_path / ".unrolled" / "secret").stat().st_mode & 0o777 == 0o600
    ada, ben = engine.seeds(secret, "ada"), engine.seeds(secret, "ben")
    assert ada("lstm.step") == engine.seeds(secret, "ada")("lstm.step")
    assert len({ada("lstm.step"), ben("lstm.step"), ada("lstm.gates")}) == 3
