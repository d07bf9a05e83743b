"""What students are given by `autograde release`: it spoils nothing by accident, and works where the course is not."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import nbformat
import pytest
from typer.testing import CliRunner

from autograde import course
from autograde.authoring import build, bundle, samples
from autograde.cells import exercise_of, kind_of
from autograde.cli import app
from autograde.course import UserError
from autograde.intake import submission
from autograde.judging import oracles
from tests.away import Place

FIRST, OTHER = "00_start_here", "02_rnn"  # of the second the oracles are a package


@pytest.fixture(scope="module")
def given() -> dict[str, bytes]:
    return bundle.contents([FIRST, OTHER])


@pytest.fixture(scope="module")
def wheel(given) -> dict[str, bytes]:
    [name] = [name for name in given if name.endswith(".whl")]
    with zipfile.ZipFile(io.BytesIO(given[name])) as archive:
        return {entry: archive.read(entry) for entry in archive.namelist()}


@pytest.fixture(scope="module")
def elsewhere():
    """A machine with a student's packages, and without the course."""
    place = Place.make(None, "requirements-lab.lock")
    yield place
    place.remove()


def answered(lesson: str, notebook: bytes) -> nbformat.NotebookNode:
    """With the reference's answers put in."""
    found, answers = nbformat.reads(notebook.decode(), 4), samples.load(lesson).reference
    for cell in found.cells:
        if kind_of(cell) == "solution":
            cell.source = answers[exercise_of(cell)]
    return found


# What is in it --------------------------------------------------------------------------------------------------

def test_notebooks_are_those_released_with_one_cell_in_front(given):
    for lesson in (FIRST, OTHER):
        front, *cells = nbformat.reads(given[f"{lesson}.ipynb"].decode(), 4).cells
        assert cells == nbformat.read(course.released(lesson), 4).cells
        assert front.cell_type == "code" and "nbgrader" not in front.metadata
    assert len(given) == 4 and "README.md" in given


def test_no_solution_and_no_misconception_can_be_read_in_it(given, wheel):
    readable = b"\0".join([*given.values(), *wheel.values()]).decode("utf-8", "replace")
    for lesson in course.lessons():
        for cell in nbformat.read(course.reference(lesson), 4).cells:
            if kind_of(cell) == "solution" and len(build.solution_body(cell)) > 60:
                assert build.solution_body(cell) not in readable
        for exercise in oracles.of_lesson(lesson):
            for misconception in exercise.misconceptions:
                assert misconception.says not in readable


def test_the_wheel_knows_the_lessons_given_out_and_no_other(wheel):
    inside = {name.split("/")[3].removesuffix(".py") for name in wheel if name.startswith("autograde/judging/oracles/")}
    assert inside == {"__init__", "start", "rnn"}
    assert {name.split("/")[1] for name in wheel if name.startswith("autograde/")} == {
        "__init__.py", "course.py", "records.py", "intake", "judging"}
    assert not [name for name in wheel if "sandbox" in name or "shipped" in name or "rebuild" in name]


def test_the_same_lessons_give_the_same_bytes(given):
    assert bundle.contents([FIRST, OTHER]) == given


def test_the_command_writes_a_folder_or_a_file(tmp_path, given):
    assert CliRunner().invoke(app, ["release", FIRST, OTHER, "--to", str(tmp_path / "all.zip")]).exit_code == 0
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == given
    done = CliRunner().invoke(app, ["release", FIRST, OTHER, "--to", str(tmp_path / "for students")])
    assert done.exit_code == 0 and f"{FIRST}.ipynb" in done.output
    assert {path.name: path.read_bytes() for path in (tmp_path / "for students").iterdir()} == given


def test_a_folder_with_something_in_it_is_left_as_it_is(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        bundle.write([FIRST], tmp_path)
    with pytest.raises(UserError, match="cannot write to"):
        bundle.write([FIRST], tmp_path / "mine.txt" / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


# What comes of it -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("lesson", [FIRST, OTHER])
def test_what_was_handed_in_from_it_needs_no_repair(given, lesson):
    notebook = answered(lesson, given[f"{lesson}.ipynb"])
    rebuilt = submission.rebuild("ada", lesson, nbformat.writes(notebook).encode())
    assert rebuilt.notebook is not None and not rebuilt.repairs
    assert bundle.FRONT not in [cell.id for cell in rebuilt.notebook.cells]


def test_a_notebook_alone_installs_the_course_and_its_checks_answer(given, elsewhere):
    """On a machine where it is not: without the file beside it one line says which; with it, everything runs."""
    folder = elsewhere.folder / "course"
    path = folder / f"{FIRST}.ipynb"
    front = nbformat.reads(given[f"{FIRST}.ipynb"].decode(), 4)
    front.cells = front.cells[:1]
    nbformat.write(front, path)
    elsewhere.execute(path)
    [error] = nbformat.read(path, 4).cells[0].outputs
    [name] = [name for name in given if name.endswith(".whl")]
    assert error.evalue == f"put {name} beside this notebook, then run this cell again"

    (folder / name).write_bytes(given[name])
    nbformat.write(answered(FIRST, given[f"{FIRST}.ipynb"]), path)
    elsewhere.execute(path)
    cells = nbformat.read(path, 4).cells
    assert not [o for cell in cells if cell.cell_type == "code" for o in cell.outputs if o.output_type == "error"]
    panels = [o.data["text/plain"] for cell in cells if kind_of(cell) == "check" for o in cell.outputs]
    assert len(panels) == 3 and all(panel.startswith("✔") for panel in panels)


ASKS = """
import hashlib, json
from autograde.judging import oracles
from autograde.judging.exercise import outputs_of
found = {}
for name, module in oracles.topics().items():
    for ex in module.EXERCISES:
        arrays, _ = outputs_of(ex.reference, ex.draw(oracles.public_seed(ex.id)))
        text = repr([(key, value.shape, value.tobytes()) for key, value in sorted(arrays.items())])
        found[ex.id] = [ex.points, ex.forbids, len(ex.misconceptions), hashlib.sha256(text.encode()).hexdigest()]
print(json.dumps(found, sort_keys=True))
"""


def test_packed_oracles_are_the_courses_own(tmp_path):
    """For each exercise of each lesson the same cases, references, points and rules."""
    bundle.write(course.lessons(), tmp_path / "all")
    [wheel] = (tmp_path / "all").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    said = [subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(where)!r}){ASKS}"], check=True,
                           stdout=subprocess.PIPE, text=True, cwd=tmp_path, timeout=600).stdout
            for where in (course.ROOT, tmp_path / "unpacked")]
    assert said[0] == said[1]
    assert json.loads(said[1]).keys() == {ex.id for name in course.lessons() for ex in oracles.of_lesson(name)}
