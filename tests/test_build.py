"""The builder: derived notebooks follow their source, and any difference that matters is found and named."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys

import nbformat
import pytest

from autograde import course
from autograde.authoring import build, lesson, outputs
from autograde.authoring.release import AttachTargets
from autograde.cells import kind_of

TINY = '''# %% [markdown]
# # A tiny lesson
#
# {minutes} minutes, {points} points
#
# **Exercise `start.affine`** · ●○○○○ · 20 min · {points} points

# %%
import numpy as np

# %% solution="start.affine"
def affine(x, W, b):
    """x W + b"""
    ### BEGIN SOLUTION
    return x @ W + b
    ### END SOLUTION

# %% check="start.affine"
print("checked")  # check("start.affine", affine)

# %%
print("accuracy 0.78, of 40 rows")
'''


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A course of one small lesson, built."""
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(course, "SOLUTIONS", tmp_path / "solutions")
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(build.oracles, "of_lesson", lambda name: [build.oracles.get("start.affine")])
    (tmp_path / "solutions").mkdir()
    course.source("90_tiny").write_text(TINY, encoding="utf-8")
    build.build("90_tiny")
    return "90_tiny"


def test_a_fresh_build_agrees_with_itself(tiny):
    assert build.check(tiny) == []


@pytest.mark.parametrize("path", [course.reference, course.released], ids=["reference", "student"])
def test_one_changed_character_is_found_and_its_cell_is_named(tiny, path):
    path = {"reference": course.reference, "released": course.released}[path.__name__](tiny)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("A tiny lesson", "A tiny lessom"), encoding="utf-8")
    [problem] = build.check(tiny, run=False)
    assert "cell 0" in problem and "source differs" in problem


def test_a_changed_output_is_found(tiny):
    path = course.reference(tiny)
    path.write_text(path.read_text(encoding="utf-8").replace("of 40 rows\\n", "of 41 rows\\n"), encoding="utf-8")
    assert any("stdout differs" in problem for problem in build.check(tiny))


def test_released_notebook_has_the_stub_and_not_the_solution(tiny):
    text = course.released(tiny).read_text(encoding="utf-8")
    assert "raise NotImplementedError()" in text
    assert "return x @ W + b" not in text


def test_totals_are_filled_in(tiny):
    """20 minutes for the exercise, and a little over one to read what there is."""
    for path in (course.reference(tiny), course.released(tiny)):
        text = nbformat.read(path, 4).cells[0].source
        assert "20 minutes, 2 points" in text and "20 min · 2 points" in text


def test_a_written_question_counts(tiny):
    more = '# %% [markdown] written="start.why" points=3\n# YOUR ANSWER HERE\n'
    course.source(tiny).write_text(TINY.replace("# **Ex", "# %% [markdown]\n# **Ex") + more, encoding="utf-8")
    cells = lesson.read(tiny).cells
    assert "minutes, 5 points" in cells[0].source and "20 min · 2 points" in cells[1].source


@pytest.mark.parametrize(("old", "new", "says"), [
    ("20 min · {points} points", "20 min · 3 points", "says 3 points and its oracle gives 2"),
    ('# %%\nprint("accuracy', '# %% tolerance="much"\nprint("accuracy', "not a number"),
    ('# %% check="start.affine"', '# %% check="start.nothing"', "no oracle has an exercise called 'start.nothing'"),
    ("    ### END SOLUTION\n", "", "needs one pair of SOLUTION markers"),
    ('# %% check="start.affine"\nprint("checked")  # check("start.affine", affine)\n', "", "has no check"),
    ("import numpy as np\n", "import numpy as np\n" + "x = 1\n" * 25, "26 lines"),
    ('def affine(x, W, b):\n    """x W + b"""\n    ### BEGIN', "### BEGIN", "leave no name defined"),
])
def test_lint(tiny, old, new, says):
    assert old in TINY
    course.source(tiny).write_text(TINY.replace(old, new), encoding="utf-8")
    before = course.reference(tiny).read_bytes()
    with pytest.raises(course.UserError, match=says):
        build.build(tiny)
    assert course.reference(tiny).read_bytes() == before, "a lesson that breaks a rule must leave what is there"


@pytest.mark.parametrize(("committed", "new", "same"), [
    ("right 0.78", "right 0.80", True),
    ("right 0.78", "right 0.82", False),
    ("right 0.78 ± 0.02 of 3", "right 0.75 ± 0.03 of 3", True),
    ("right 0.78 ± 0.02 of 3", "right 0.78 ± 0.06 of 3", False),
    ("right 0.78 ± 0.02 of 3", "right 0.78 ± 0.02 of 4", False),
    ("left 0.78", "right 0.78", False),
    ("x  0.01 y", "x -0.01 y", True),
    ("0.1 0.2", "0.1", False),
    ("no number", "no number!", False),
])
def test_numbers_may_move_as_far_as_their_cell_says(committed, new, same):
    assert outputs.same_text(committed, new, 0.03) is same


def test_what_is_not_compared_is_claimed_in_the_cell(tiny):
    cell = '# %% tags=["demo", "nbval-ignore-output"]\nprint("a line of verse")\n'
    course.source(tiny).write_text(TINY + cell, encoding="utf-8")
    with pytest.raises(course.UserError, match="must assert what is claimed"):
        build.build(tiny)
    course.source(tiny).write_text(TINY + cell + "assert True\n", encoding="utf-8")
    build.build(tiny)
    path = course.reference(tiny)
    path.write_text(path.read_text(encoding="utf-8").replace('"a line of verse\\n"', '"another\\n"'), encoding="utf-8")
    assert "another" in path.read_text(encoding="utf-8")
    assert build.check(tiny) == []


@pytest.mark.parametrize(("committed", "new", "same"), [
    ("0.78", "0.78", True),
    ("0.78", "0.79", False),
    ("0.78 ± 0.03", "0.80 ± 0.03", False),
])
def test_without_a_tolerance_no_number_may_move(committed, new, same):
    assert outputs.same_text(committed, new) is same


@pytest.mark.parametrize("name", course.lessons())
def test_plus_minus_is_a_spread(name):
    """It is computed, never typed; and because a spread differs between processors, its cell says how far."""
    for cell in nbformat.read(course.reference(name), 4).cells:
        if cell.cell_type == "code":
            assert not re.search(r"± ?[\d.]", cell.source), f"{name}, cell {cell.id}: a typed number after ±"
            printed = "".join(output.get("text", "") for output in cell.outputs)
            assert not re.search(r"± *\d", printed) or "tolerance" in cell.metadata, f"{name}, cell {cell.id}"


def test_figures_of_a_cell_are_one_target_and_a_diagram_is_none():
    def drawn(*tags, figures=1):
        figure = {"output_type": "display_data", "data": {"image/png": "aGk="},
                  "metadata": {"image/png": {"alt": "what it shows"}}}
        return nbformat.v4.new_code_cell("plot.show(figure)", metadata={"tags": list(tags)},
                                         outputs=[nbformat.from_dict(figure)] * figures)

    notebook = nbformat.v4.new_notebook(cells=[drawn("demo", figures=2), drawn("demo", "diagram"), drawn("demo")])
    cells = AttachTargets().preprocess(notebook, {})[0].cells
    assert [cell.cell_type for cell in cells] == ["code", "markdown", "code", "code", "markdown"]
    assert sorted(cells[1].attachments) == ["target-0.png", "target-1.png"]
    assert cells[1].source.count("attachment:") == 2 and cells[1].source.count("what it shows") == 2


@pytest.mark.parametrize("name", course.lessons())
def test_no_target_is_shown_twice(name):
    """And each says in words what it shows."""
    cells = nbformat.read(course.released(name), 4).cells
    pictures = [data for cell in cells for kinds in cell.get("attachments", {}).values() for data in kinds.values()]
    assert len(pictures) == len(set(pictures))
    targets = [cell.source for cell in cells if "target" in cell.metadata.get("tags", [])]
    assert targets and all(re.search(r"!\[[^\]]{20,}\]", source) for source in targets)
    assert not any(re.search(r"!\[\]", cell.source) for cell in cells if cell.cell_type == "markdown")


def test_every_lesson_is_derived_from_its_source():
    for name in course.lessons():
        assert build.check(name, run=False) == []


def test_no_released_file_holds_a_solution():
    for name in course.lessons():
        released = course.released(name)
        # JupyterLab's checkpoints are neither committed nor handed out.
        assert {p.name for p in released.parent.iterdir()} - {".ipynb_checkpoints"} == {f"{name}.ipynb"}
        text = "\n".join(cell.source for cell in nbformat.read(released, 4).cells)
        for cell in lesson.read(name).cells:
            if kind_of(cell) == "solution":
                assert build.solution_body(cell) not in text, cell.id


def test_checkpoints_of_jupyterlab_are_no_difference_and_other_files_are(tiny):
    for path in (course.reference(tiny), course.released(tiny)):
        (path.parent / ".ipynb_checkpoints").mkdir()
        (path.parent / ".ipynb_checkpoints" / f"{tiny}-checkpoint.ipynb").write_bytes(path.read_bytes())
    assert build.check(tiny, run=False) == []
    (course.reference(tiny).parent / "notes.txt").write_text("the solutions")
    with pytest.raises(build.LessonError, match=r"would hand out \['notes.txt'\]"):
        build.check(tiny, run=False)


def test_nbval_passes_and_fails_with_one_printed_number(tmp_path):
    """The comparison CI uses: right on the committed outputs, wrong if one number in them is changed."""
    notebook = nbformat.v4.new_notebook(metadata=nbformat.read(course.reference("00_start_here"), 4).metadata)
    cell = nbformat.v4.new_code_cell('print("beats 12 by 0.78")', execution_count=1, metadata={"tolerance": 0.03})
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="beats 12 by 0.80\n")]
    changed = copy.deepcopy(cell)
    changed.outputs[0].text = "beats 13 by 0.80\n"
    for name, content in (("good", cell), ("bad", changed)):
        notebook.cells = [content]
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tests.nbval_tolerance", "--nbval", "--nbval-current-env",
             "--nbval-sanitize-with", "tests/nbval.cfg", "-p", "no:cacheprovider", "-q",
             str(tmp_path / f"{name}.ipynb")],
            cwd=course.ROOT, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(course.ROOT)})
        assert (done.returncode == 0) is (name == "good"), done.stdout[-2000:]
