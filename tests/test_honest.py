"""Honest students lose nothing: whatever happens to the form of a right notebook, every answer arrives.

These tests hold the rebuild; that the rebuilt notebooks earn full marks is held where they are run.
"""

from __future__ import annotations

import ast
import base64
from functools import cache

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograde.intake import sources, submission
from autograde.intake.skeleton import Skeleton
from autograde.intake.sources import as_python
from tests.mutations import FILES, LESSON, MUTATIONS, QUESTION, SKETCH, WORDS, mutated, right_notebook


@cache
def right() -> dict:
    return right_notebook()


@cache
def wanted() -> dict[str, dict[str, str]]:
    """Exercise -> name -> the right definition, as a syntax tree in text."""
    skeleton = Skeleton.load(LESSON)
    whole = submission.rebuild("right", skeleton, FILES["utf-8"][0](right()))
    assert whole.status is None and not whole.repairs and not whole.untouched
    return {exercise: definitions(whole, exercise) for exercise in whole.answers}


def definitions(handed_in, exercise: str) -> dict[str, str]:
    """The last definition of each name in the solution steps of an exercise."""
    found: dict[str, str] = {}
    for step in handed_in.steps:
        if step.kind == "solution" and step.exercise == exercise:
            for node in ast.parse(as_python(step.source) or "").body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    found[node.name] = ast.dump(node)
    return found


def assert_whole(handed_in, pictures: bool = True) -> None:
    assert handed_in.status is None, handed_in.note
    assert not handed_in.untouched
    for exercise, right_definitions in wanted().items():
        got = definitions(handed_in, exercise)
        assert {name: got.get(name) for name in right_definitions} == right_definitions, exercise
        ast.parse(handed_in.answers[exercise])
    assert_words_arrived(handed_in, pictures)
    assert_well_formed(handed_in)


def assert_words_arrived(handed_in, pictures: bool) -> None:
    """The answer in words, and its picture unless the file's format has none."""
    [cell] = [c for c in handed_in.notebook.cells if c.id == QUESTION]
    read = sources.plain(cell.source)
    assert all(words in read for words in WORDS), read
    held = {base64.b64decode(data) for kinds in cell.get("attachments", {}).values() for data in kinds.values()}
    assert held == ({SKETCH} if pictures else set())
    assert all(f"(attachment:{name})" in cell.source for name in cell.get("attachments", {}))


def assert_well_formed(handed_in) -> None:
    """The notebook is valid, every step is its cell, and nothing but answers and helpers is the student's."""
    nbformat.validate(handed_in.notebook)
    skeleton = Skeleton.load(LESSON)
    own = {step.cell for step in handed_in.steps if step.kind in ("helper", "solution")}
    assert [step.cell for step in handed_in.steps] == sorted(step.cell for step in handed_in.steps)
    for step in handed_in.steps:
        assert handed_in.notebook.cells[step.cell].source == step.source
    rest = [c for i, c in enumerate(handed_in.notebook.cells) if i not in own]
    questions = {p.id for p in skeleton.parts if p.kind == "written"}  # words from anywhere may be an answer to these
    assert [c.source for c in rest if c.id not in questions] == [
        p.source for p in skeleton.parts if p.kind not in ("solution", "written")]
    for cell in handed_in.notebook.cells:
        assert not cell.get("outputs")
        assert cell.metadata in ({}, *(p.metadata for p in skeleton.parts if p.id == cell.id))
    checks = [step.exercise for step in handed_in.steps if step.kind == "check"]
    assert checks == [p.exercise for p in skeleton.parts if p.kind == "check"]
    for exercise in checks:  # every answer stands before its check
        order = [step.kind for step in handed_in.steps if step.exercise == exercise]
        assert order == ["solution"] * (len(order) - 1) + ["check"]


def rebuilt(names, seed=0, encoding="utf-8"):
    notebook, applied = mutated(right(), names, seed)
    encode, rescued = FILES[encoding]
    handed_in = submission.rebuild("student", LESSON, encode(notebook))
    assert handed_in.rescued == rescued
    return handed_in, applied


def has_pictures(encoding: str) -> bool:
    """The formats before 4 have no attachments."""
    return not encoding.startswith("nbformat")


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("seed", range(6))
def test_one_mutation(name, seed):
    handed_in, applied = rebuilt([name], seed)
    assert_whole(handed_in)
    if applied and MUTATIONS[name].says:
        assert handed_in.repairs


@pytest.mark.parametrize("encoding", FILES)
def test_one_file_format(encoding):
    handed_in, _ = rebuilt([], encoding=encoding)
    assert_whole(handed_in, has_pictures(encoding))
    assert bool(handed_in.repairs) == FILES[encoding][1]


@st.composite
def several(draw) -> tuple[list[str], int]:
    """Mutations that a student's notebook can meet together."""
    names = draw(st.lists(st.sampled_from(sorted(MUTATIONS)), min_size=2, max_size=5, unique=True))
    if "turns_an_answer_into_text" in names:  # text without any id may be anything, so it is not taken for an answer
        names = [n for n in names if n != "loses_grading_data" and not MUTATIONS[n].loses_ids]
    return names, draw(st.integers(0, 2**32))


@settings(max_examples=150, deadline=None)
@given(several(), st.sampled_from(sorted(FILES)))
def test_several_mutations(chosen, encoding):
    names, seed = chosen
    handed_in, applied = rebuilt(names, seed, encoding)
    assert_whole(handed_in, has_pictures(encoding) or "pastes_the_picture_as_colab_does" in applied)
    if any(MUTATIONS[name].says for name in applied):
        assert handed_in.repairs


def test_an_answer_right_between_two_questions_reaches_both():
    """The prose between them is gone: only a reader can tell whose it is."""
    handed_in, _ = rebuilt(["writes_in_a_cell_beside_the_question", "deletes_the_prose"], seed=0)
    assert_words_arrived(handed_in, pictures=True)
    [other] = [c for c in handed_in.notebook.cells if c.id == "lstm-own"]
    assert all(words in sources.plain(other.source) for words in WORDS)


def test_helpers_come_first():
    handed_in, _ = rebuilt(["moves_a_helper_out"], seed=3)
    helpers = [step for step in handed_in.steps if step.kind == "helper"]
    assert [h.source.split()[0] for h in helpers].count("def") == 1 and len(helpers) == 3
    user = next(step for step in handed_in.steps if "student_value" in step.source)
    assert max(h.cell for h in helpers) < user.cell
    assert "student_math" in handed_in.answers[user.exercise]


@pytest.mark.parametrize("name", ["04_lstm (1).ipynb", "04_lstm-Copy1.ipynb", "lstm final FINAL.ipynb",
                                  "04_LSTM.IPYNB", "李雷.ipynb"])
def test_renamed_file(tmp_path, name):
    folder = tmp_path / "ada" / LESSON
    folder.mkdir(parents=True)
    (folder / name).write_bytes(FILES["utf-8"][0](right()))
    found = submission.find(tmp_path, ["ada"], LESSON)
    assert found.status is None and name in found.repairs[0]
    handed_in = submission.rebuild("ada", LESSON, found.content, found.repairs)
    assert_whole(handed_in)
    assert handed_in.repairs == found.repairs
