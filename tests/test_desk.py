"""A student's own copy of the lessons, and grading that refuses notebooks that are not what the source gives."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograde import course
from autograde.authoring import build, derived, desk, lesson
from autograde.cells import kind_of
from autograde.course import UserError
from tests.test_build import TINY

NAME = "90_tiny"


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A course of one small lesson, derived from its source without running it."""
    for constant, folder in (("ROOT", "."), ("SOLUTIONS", "solutions"), ("NOTEBOOKS", "notebooks"), ("WORK", "work")):
        monkeypatch.setattr(course, constant, tmp_path / folder)
    monkeypatch.setattr(build.oracles, "of_lesson", lambda name: [build.oracles.get("start.affine")])
    release(TINY)
    return NAME


def release(source: str) -> None:
    """The lesson as it stands in this version of the course."""
    course.write_text(course.source(NAME), source)
    reference = lesson.read(NAME)
    build.write(course.reference(NAME), reference)
    build.write(course.released(NAME), build.derive_student(NAME, reference))


def upgrade(word: str) -> None:
    release(TINY.replace("A tiny lesson", word))


def mine(folder=None):
    return (folder or course.WORK) / NAME / f"{NAME}.ipynb"


def change(path, edit) -> bytes:
    """Change a notebook as an editor would, and return the bytes it has now."""
    notebook = nbformat.read(path, 4)
    edit(notebook)
    nbformat.write(notebook, path)
    return path.read_bytes()


def solve(notebook) -> None:
    cell = next(c for c in notebook.cells if kind_of(c) == "solution")
    cell.source = cell.source.replace("raise NotImplementedError()", "return x @ W + b")


def run_cells(notebook) -> None:
    """What JupyterLab leaves in a notebook that was only run and saved."""
    for number, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
        cell.execution_count = number
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="checked\n")]
        cell.metadata |= {"scrolled": True, "collapsed": False, "jupyter": {"outputs_hidden": False}}
    notebook.metadata |= {"language_info": {"name": "python", "version": "3.12.4"}, "toc-autonumbering": False}


# The student's copy ----------------------------------------------------------------------------------------------

def lay_out(folder=None) -> desk.Laid:
    [laid] = desk.lay_out(folder or course.WORK)
    return laid


def test_the_first_time_every_lesson_is_laid_out_and_the_second_time_nothing_happens(tiny):
    assert lay_out() == desk.Laid(tiny, "new", mine())
    assert mine().read_bytes() == course.released(tiny).read_bytes()
    before = mine().stat().st_mtime_ns
    assert lay_out().what == "same"
    assert mine().stat().st_mtime_ns == before
    assert sorted(p.name for p in course.WORK.iterdir()) == [desk.NOTE, tiny]


def test_a_lesson_not_begun_follows_the_course(tiny):
    lay_out()
    for word in ("A better lesson", "The best lesson"):
        upgrade(word)
        assert lay_out().what == "replaced"
        assert mine().read_bytes() == course.released(tiny).read_bytes()
    assert [p.name for p in course.WORK.iterdir() if p.is_dir()] == [tiny]


@pytest.mark.parametrize("touch", [solve, run_cells])
def test_what_a_student_saved_stays_and_a_changed_lesson_arrives_beside_it(tiny, touch):
    lay_out()
    saved = change(mine(), touch)
    assert lay_out().what == "same", "the course has not changed"

    upgrade("A better lesson")
    laid = lay_out()
    new = course.WORK / f"{tiny} (new)" / f"{tiny}.ipynb"
    assert (laid.what, laid.path) == ("beside", new) and "still counts" in laid.says and f"{tiny} (new)" in laid.says
    assert (mine().read_bytes(), new.read_bytes()) == (saved, course.released(tiny).read_bytes())
    assert lay_out() == desk.Laid(tiny, "same", mine()), "said once"

    upgrade("The best lesson")  # the new one was not begun, so it follows the course
    assert lay_out().path == new
    assert (mine().read_bytes(), new.read_bytes()) == (saved, course.released(tiny).read_bytes())

    also_saved = change(new, touch)
    upgrade("The very best lesson")
    laid = lay_out()
    assert laid.path.parent.name == f"{tiny} (new 2)"
    assert (mine().read_bytes(), new.read_bytes()) == (saved, also_saved)


def test_who_moves_on_to_the_new_one_keeps_it(tiny):
    lay_out()
    change(mine(), solve)
    upgrade("A better lesson")
    new = lay_out().path
    mine().rename(mine().with_name("old.ipynb"))
    change(new, solve)
    saved = new.read_bytes()
    new.rename(mine())
    assert lay_out().what == "same"
    assert mine().read_bytes() == saved


def test_a_deleted_lesson_is_laid_out_again(tiny):
    lay_out()
    change(mine(), solve)
    mine().unlink()
    assert lay_out().what == "new"
    assert mine().read_bytes() == course.released(tiny).read_bytes()


@pytest.mark.parametrize("note", [None, "", "{", "[]", '{"90_tiny": 3}', '{"90_tiny": {"delivered": ""}}'])
def test_a_lost_note_costs_nobody_their_work(tiny, note):
    lay_out()
    saved = change(mine(), solve)
    (course.WORK / desk.NOTE).unlink()
    if note is not None:
        (course.WORK / desk.NOTE).write_text(note)
    upgrade("A better lesson")
    assert lay_out().what == "beside"
    assert mine().read_bytes() == saved


def test_work_done_in_the_courses_own_notebook_moves_to_the_students_copy(tiny):
    pristine = course.released(tiny).read_bytes()
    saved = change(course.released(tiny), solve)
    laid = lay_out()
    assert laid.what == "new" and f"autograde build --no-run {tiny}" in laid.says
    assert mine().read_bytes() == saved
    course.released(tiny).write_bytes(pristine)
    assert lay_out().what == "beside", "the student's work stays, the course's own arrives beside it"
    assert mine().read_bytes() == saved


def test_work_done_in_the_courses_own_notebook_is_no_upgrade(tiny):
    lay_out()
    before = mine().read_bytes()
    change(course.released(tiny), solve)
    laid = lay_out()
    assert laid.what == "same" and f"autograde build --no-run {tiny}" in laid.says
    assert mine().read_bytes() == before


@pytest.mark.parametrize("folder", [".", "notebooks", "notebooks/mine", "solutions", "submitted/ada"])
def test_the_courses_own_folders_are_no_desk(tiny, folder):
    before = course.released(tiny).read_bytes()
    with pytest.raises(UserError, match="belongs to the course"):
        desk.lay_out(course.ROOT / folder)
    assert course.released(tiny).read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write to .*file.*autograde lab --folder"):
        desk.lay_out(tmp_path / "file" / "work")


def test_a_copy_may_lie_anywhere(tiny, tmp_path):
    folder = tmp_path / "Eigene Dateien é" / "Kurs"
    assert lay_out(folder).path == mine(folder)
    assert mine(folder).is_file()


# What a class is graded against ----------------------------------------------------------------------------------

def test_what_the_source_gives_is_graded_against(tiny):
    derived.require([tiny])


def add_checkpoints(notebook) -> None:
    folder = course.released(NAME).parent / ".ipynb_checkpoints"
    folder.mkdir()
    (folder / f"{NAME}-checkpoint.ipynb").write_text("{}")


def drop_targets(notebook) -> None:
    notebook.cells = [c for c in notebook.cells if "target" not in c.metadata.get("tags", [])]


def add_target(notebook) -> None:
    notebook.cells.insert(2, nbformat.v4.new_markdown_cell("**Target.**", metadata={"tags": ["target"]}))


@pytest.mark.parametrize("which", [course.reference, course.released], ids=["reference", "released"])
@pytest.mark.parametrize("edit", [run_cells, add_checkpoints, drop_targets, add_target])
def test_what_changes_no_grade_does_not_matter(tiny, which, edit):
    change(path_of(which), edit)
    derived.require([tiny])


def path_of(which):
    """`course` is patched: the function is looked up again."""
    return getattr(course, which.__name__)(NAME)


def more_points(notebook) -> None:
    next(c for c in notebook.cells if kind_of(c) == "check").metadata.nbgrader.points = 20.0


def tag_check(notebook) -> None:
    next(c for c in notebook.cells if kind_of(c) == "check").metadata.tags = ["skip-execution"]


def drop_check(notebook) -> None:
    notebook.cells = [c for c in notebook.cells if kind_of(c) != "check"]


def swap(notebook) -> None:
    notebook.cells[1], notebook.cells[2] = notebook.cells[2], notebook.cells[1]


def append(notebook) -> None:
    notebook.cells.append(nbformat.v4.new_code_cell("import os"))


def misspell(notebook) -> None:
    cell = next(c for c in notebook.cells if kind_of(c) == "solution")
    cell.source = cell.source.replace("def affine", "def afine")


@pytest.mark.parametrize("which", [course.reference, course.released], ids=["reference", "released"])
@pytest.mark.parametrize(("edit", "names"), [
    (misspell, "start-affine differs"), (more_points, "start-affine-check differs"),
    (tag_check, "start-affine-check differs"), (drop_check, "start-affine-check differs"), (swap, "number 1 differs"),
    (append, "it has 6 cells, not 5"),
])
def test_what_may_change_a_grade_is_refused_with_the_command_that_repairs_it(tiny, which, edit, names):
    change(path_of(which), edit)
    with pytest.raises(UserError) as caught:
        derived.require([tiny])
    says = str(caught.value)
    assert names in says and str(path_of(which).relative_to(course.ROOT)) in says
    assert says.endswith("run: autograde build --no-run 90_tiny" if which is course.released
                         else "Run: autograde build 90_tiny")


@pytest.mark.parametrize("fault", ["missing", "cut", "empty", "not a notebook"])
@pytest.mark.parametrize("which", [course.reference, course.released], ids=["reference", "released"])
def test_a_notebook_that_cannot_be_read_is_refused(tiny, which, fault):
    path = path_of(which)
    content = path.read_bytes()
    path.unlink()
    if fault != "missing":
        path.write_bytes({"cut": content[:100], "empty": b"", "not a notebook": b"[1]"}[fault])
    with pytest.raises(UserError, match="is missing" if fault == "missing" else "cannot be read"):
        derived.require([tiny])


def test_a_source_changed_since_is_refused_and_the_command_named_repairs_it(tiny):
    course.write_text(course.source(tiny), TINY.replace("import numpy as np", "import numpy as np\n\nrate = 2"))
    with pytest.raises(UserError, match="Run: autograde build 90_tiny"):
        derived.require([tiny])
    build.build(tiny)
    derived.require([tiny])


def test_the_command_named_for_a_worked_in_notebook_repairs_it(tiny):
    change(course.released(tiny), solve)
    build.build(tiny, run=False)
    derived.require([tiny])


def test_every_lesson_is_what_its_source_gives():
    derived.require(course.lessons())


def test_the_formgraders_button_refuses_too(tiny):
    from autograde.nbgrader import Rebuild

    change(course.released(tiny), solve)
    resources = {"nbgrader": {"assignment": tiny, "notebook": tiny, "student": "ada"}, "metadata": {"path": "."}}
    with pytest.raises(UserError, match="autograde build --no-run"):
        Rebuild().preprocess(nbformat.v4.new_notebook(), copy.deepcopy(resources))


@pytest.mark.parametrize("command", ["grade", "regrade"])
def test_the_command_refuses_before_anything_is_written(tiny, tmp_path, command):
    change(course.released(tiny), solve)
    (tmp_path / "submitted" / "ada" / tiny).mkdir(parents=True)
    environment = os.environ | {"UNROLLED_COURSE": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-m", "autograde", command, tiny], cwd=tmp_path, env=environment, text=True,
                          capture_output=True, timeout=120)
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip().startswith("autograde: notebooks/90_tiny/90_tiny.ipynb is not what")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notebooks", "solutions", "submitted"]
