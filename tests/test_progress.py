"""``python -m unrolled``: what it says of a student's lessons is so, its exit codes are honest, nothing is changed."""

from __future__ import annotations

import json
import shutil
import socket

import nbformat
import pytest

from autograde import course
from autograde.authoring import samples
from autograde.cells import kind_of
from unrolled import desk, panel
from unrolled.__main__ import main
from unrolled.desk import NOTE

LESSON = "00_start_here"


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A student's folder with two lessons, as they are given out; one is in it."""
    for name in (LESSON, "04_lstm"):
        (tmp_path / "work" / name).mkdir(parents=True)
        shutil.copy(course.released(name), tmp_path / "work" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "work"


def edit(work, change) -> None:
    path = work / LESSON / f"{LESSON}.ipynb"
    notebook = nbformat.read(path, 4)
    change(notebook)
    nbformat.write(notebook, path)


def answered(notebook) -> None:
    """Right answers, and a panel saved below each check."""
    answers = iter(samples.load(LESSON).reference.values())
    for cell in notebook.cells:
        if kind_of(cell) == "solution":
            cell.source = next(answers)
        elif kind_of(cell) == "written":
            cell.source = "Because."
        elif kind_of(cell) == "check":
            exercise = cell.metadata.nbgrader.grade_id.removesuffix("-check").replace("-", ".", 1)
            cell.outputs = [
                nbformat.v4.new_output("display_data", {"text/plain": f"✔ {exercise}: passed (2 of 2 points)"})
            ]


def said(capsys, *arguments: str) -> tuple[int, str]:
    code = main([*arguments])
    out, err = capsys.readouterr()
    return code, out + err


@pytest.mark.parametrize("lesson", [path.parent.name for path in sorted(course.ROOT.glob("notebooks/*/*.ipynb"))])
def test_what_an_exercise_takes_is_told_as_the_lesson_shows_it(lesson):
    """Questions too; and a line that ends in a backslash breaks there on the page: it is not part of what is told."""
    exercises = desk.read(course.released(lesson)).exercises
    assert exercises and all(one.about.endswith(("point", "points")) for one in exercises if one.about or not one.words)


def everything(folder) -> dict:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_fresh_copy_has_not_been_begun_and_the_first_exercise_is_next(work, capsys):
    before = everything(work)
    code, text = said(capsys)
    assert code == 0 and text.count("not begun") == 2
    assert "Next: 00_start_here, exercise start.affine (●○○○○ · 5 min · 2 points)." in text
    assert everything(work) == before, "reading leaves no trace"


def test_what_a_notebook_has_saved_is_counted(work, capsys):
    edit(work, answered)
    code, text = said(capsys, "progress", "--folder", str(work))
    assert code == 0 and "✔ 00_start_here" in text
    assert "6 of 6 points, 3 of 3 exercises right, 1 of 1 answers in words written" in text
    assert "Next: 04_lstm, exercise lstm.step" in text


def test_an_answer_changed_since_it_was_checked_is_not_counted(work, capsys, monkeypatch):
    edit(work, answered)
    found = {
        f"start.{name}": {"state": "passed", "points": 2.0, "says": "✔"} for name in ("affine", "layer", "mask_mean")
    }
    monkeypatch.setattr(desk, "_run", lambda path, seconds: (found, []))
    assert said(capsys, "check", "00")[0] == 0

    def change(notebook):
        for cell in notebook.cells:
            if kind_of(cell) == "check":
                cell.outputs = []
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "start-affine":
                cell.source += "\n# better"

    edit(work, change)
    code, text = said(capsys)
    assert code == 0 and "4 of 6 points, 2 of 3 exercises right, 1 ?" in text
    assert "Next: 00_start_here, exercise start.affine" in text and "no check has seen" in text


@pytest.mark.parametrize(
    ("state", "stopped", "code"),
    [("passed", [], 0), ("partly right", [], 1), ("passed", ["NameError: name 'y' is not defined"], 1)],
)
def test_the_exit_code_says_whether_everything_is_right(work, capsys, monkeypatch, state, stopped, code):
    edit(work, answered)
    found = {
        f"start.{name}": {"state": state, "points": 1.0, "says": "Said."} for name in ("affine", "layer", "mask_mean")
    }
    monkeypatch.setattr(desk, "_run", lambda path, seconds: (found, stopped))
    before = everything(work / LESSON)
    got, text = said(capsys, "check", f"{LESSON}/{LESSON}.ipynb")
    assert got == code and text.count("Said.") == 3 and all(line in text for line in stopped)
    assert everything(work / LESSON) == before, "the notebook is not touched"
    assert set(json.loads((work / NOTE).read_text())) == {LESSON}


def test_a_check_that_was_not_reached_is_not_passed(work, capsys, monkeypatch):
    edit(work, answered)
    monkeypatch.setattr(desk, "_run", lambda path, seconds: ({}, []))
    code, text = said(capsys, "check", "00")
    assert code == 1 and text.count("its check was not reached") == 3 and "0 of 6 points" in text


def test_the_file_to_hand_in_is_the_notebook_as_it_was_saved(work, capsys):
    code, text = said(capsys, "submit", "00", "--as-it-is")
    handed_in = work / "hand_in" / f"{LESSON}.ipynb"
    assert code == 1 and handed_in.read_bytes() == (work / LESSON / f"{LESSON}.ipynb").read_bytes()
    assert (
        "exercise start.layer" in text and "the written answer start.silent" in text and "Nothing has been sent" in text
    )
    edit(work, answered)
    code, text = said(capsys, "submit", "00", "--as-it-is")
    assert code == 0 and "Not done" not in text
    assert handed_in.read_bytes() == (work / LESSON / f"{LESSON}.ipynb").read_bytes()
    assert said(capsys)[0] == 0, "what is to be handed in is no lesson of its own"


def test_what_cannot_be_done_is_one_line_and_exit_code_two(work, capsys, tmp_path):
    code, text = said(capsys, "check", "0")
    assert code == 2 and text == "unrolled: which lesson is '0'? There are: 00_start_here, 04_lstm\n"
    (work / "04_lstm" / "04_lstm.ipynb").write_text('{"cells": [\n<<<<<<< HEAD')
    code, text = said(capsys)
    assert code == 2 and "not a notebook any more" in text and text.count("\n") == 1
    empty = tmp_path / "empty"
    empty.mkdir()
    code, text = said(capsys, "progress", "--folder", str(empty))
    assert code == 2 and "autograde lab" in text


def test_a_damaged_note_is_forgotten(work, capsys):
    for content in ("{", "[]", '{"00_start_here": 3}'):
        (work / NOTE).write_text(content)
        assert said(capsys)[0] == 0


def test_a_panel_is_read_as_it_is_written():
    from tests.test_feedback import result

    for verdict in result().verdicts:
        found = desk._PANEL.match(panel.as_text(verdict))
        assert (found["exercise"], found["state"], float(found["points"])) == (
            verdict.exercise,
            verdict.state,
            verdict.points,
        )


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    text = capsys.readouterr().out
    assert stopped.value.code == 0
    for word in ("progress", "check 04_lstm", "submit 04_lstm", "exit codes", "send nothing anywhere"):
        assert word in text


def test_no_connection_is_opened(work, capsys, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was opened")

    for name in ("socket", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    assert said(capsys)[0] == 0 and said(capsys, "submit", "00", "--as-it-is")[0] == 1
