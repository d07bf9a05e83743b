"""The sample class: ``samples/<lesson>/class.toml`` becomes ``<target>/<student>/<lesson>/<lesson>.ipynb``.

The table is described in ``docs/writing-a-lesson.md``, section "The sample class". A mistake in it is a `UserError`
that names the file and the line or the key.
"""

from __future__ import annotations

import copy
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from autograde import course
from autograde.authoring import answers
from autograde.authoring.build import write
from autograde.cells import answer_of, exercise_of, kind_of
from autograde.course import UserError

SAMPLES = course.SAMPLES
EVERYTHING = "*"
# Keys that are no exercise: what is said about a student, and faults of form.
FAULTS = {"delete": list, "duplicate": list, "tag": str, "first": list}


@dataclass(frozen=True)
class Lesson:
    """What sample students start from: the released notebook, and the reference's answer to each exercise."""

    released: NotebookNode
    reference: dict[str, str]


def write_class(name: str, target: Path, count: int | None = None) -> list[str]:
    """Write a lesson's sample class below `target` and return its students.

    With `count` there are so many students, the sample over and over: ``ada-001``, ``ben-001``, ..., ``ada-002``.
    Raises UserError for a mistake in the table, or if the lesson was not built.
    """
    notebooks = sample_class(name)
    students = dict(notebooks) if count is None else _enlarged(notebooks, count)
    for student, notebook in students.items():
        write(Path(target, student, name, f"{name}.ipynb"), notebook)
    return list(students)


def sample_class(name: str) -> dict[str, NotebookNode]:
    """Each sample student's notebook of a lesson, as handed in. Raises UserError."""
    path = table(name)
    place = course.said(path)
    try:
        students = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"there is no sample class for {name}: no {place}") from None
    except UnicodeDecodeError:
        raise UserError(f"{place}: the table is UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{place}: {error}") from None
    for student, given in students.items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", student) or not isinstance(given, dict):
            raise UserError(f"{place}: {student}: a table is named after its student: small letters, digits, - and _")
        if not isinstance(given.get("who"), str):
            raise UserError(f'{place}: {student}: a line `who = "..."` says who the student is')
    start = load(name)
    return {student: hand_in(start, students[student], f"{place}: {student}") for student in sorted(students)}


def table(name: str) -> Path:
    """Where a lesson's sample class is written."""
    return SAMPLES / name / "class.toml"


def load(name: str) -> Lesson:
    """What the sample students of a lesson start from. Raises UserError if it was not built."""
    for path in (course.released(name), course.reference(name)):
        if not path.is_file():
            raise UserError(f"the lesson {name!r} is not built; run: autograde build {name}")
    reference = nbformat.read(course.reference(name), 4)
    return Lesson(nbformat.read(course.released(name), 4),
                  {exercise_of(c): answer_of(c) for c in reference.cells if kind_of(c) == "solution"})


def _enlarged(notebooks: dict[str, NotebookNode], count: int) -> dict[str, NotebookNode]:
    names = list(notebooks)
    rounds = [divmod(number, len(names)) for number in range(count)]
    return {f"{names[which]}-{turn + 1:03d}": notebooks[names[which]] for turn, which in rounds}


# Handing in ----------------------------------------------------------------------------------------------------

def hand_in(lesson: Lesson, given: dict, place: str) -> NotebookNode:
    """The released notebook with one student's answers put in, and then with the faults of form.

    `given` is the student's table, `place` where it stands, for error messages. Raises UserError.
    """
    notebook = copy.deepcopy(lesson.released)
    cells = {_exercise(c): c for c in notebook.cells if kind_of(c) in ("solution", "written")}
    named = {key: value for key, value in given.items() if key != "who" and key not in FAULTS}
    everything = named.pop(EVERYTHING, None)
    if everything not in (None, answers.REFERENCE):
        raise UserError(f'{place}: "{EVERYTHING}" can only be "{answers.REFERENCE}"')
    if everything:
        named = dict.fromkeys(lesson.reference, answers.REFERENCE) | named
    for exercise, value in named.items():
        cell = _cell(cells, exercise, f"{place}: {exercise}")
        cell.source = _answer(lesson, cell, exercise, value, f"{place}: {exercise}")
    for fault, kind in FAULTS.items():
        value = given.get(fault, kind())
        if not isinstance(value, kind) or not all(isinstance(each, str) for each in value):
            raise UserError(f"{place}: {fault}: this is a {'list of texts' if kind is list else 'text'}")
        _fault(notebook, cells, fault, value, f"{place}: {fault}")
    return notebook


def _cell(cells: dict[str, NotebookNode], exercise: str, place: str) -> NotebookNode:
    if exercise not in cells:
        raise UserError(f"{place}: there is no exercise {exercise!r} in this lesson; there are: {', '.join(cells)}")
    return cells[exercise]


def _answer(lesson: Lesson, cell: NotebookNode, exercise: str, value: object, place: str) -> str:
    """A student's cell: a text of several lines, or a written answer, as it is; changes to the reference; or a name."""
    match value:
        case str() if kind_of(cell) == "written" or "\n" in value:
            answer = value
        case str():
            library = answers.named(exercise)
            if value not in library:
                near = get_close_matches(value, library, n=3, cutoff=0.3) or list(library)
                raise UserError(f"{place}: there is no answer {value!r}; there are, for example: {', '.join(near)}")
            answer = library[value]
        case [*pairs] if pairs and all(isinstance(p, list) and [type(t) for t in p] == [str, str] for p in pairs):
            answer = answers.edit(*[text for pair in pairs for text in pair])
        case _:
            raise UserError(f"{place}: an answer is a name, a text of several lines, or a list of [old, new]")
    try:
        return answers.text(answer, lesson.reference.get(exercise, ""))
    except ValueError as error:
        raise UserError(f"{place}: {error}") from None


def _fault(notebook: NotebookNode, cells: dict[str, NotebookNode], fault: str, value: str | list[str], place: str):
    if fault == "delete":
        gone = [_cell(cells, exercise, place) for exercise in value]
        notebook.cells = [cell for cell in notebook.cells if not any(cell is each for each in gone)]
    elif fault == "duplicate":
        for original in [_cell(cells, exercise, place) for exercise in value]:
            index = next(i for i, cell in enumerate(notebook.cells) if cell is original)
            twin = copy.deepcopy(original)
            twin.id = f"{twin.id[:50]}-copy"
            notebook.cells.insert(index + 1, twin)
    elif fault == "tag":
        for cell in notebook.cells:
            if value and kind_of(cell) == "check":
                cell.metadata.tags = [*cell.metadata.get("tags", []), value]
    elif fault == "first":
        new = [nbformat.v4.new_code_cell(source.strip("\n"), id=f"first-{n}") for n, source in enumerate(value, 1)]
        notebook.cells[:0] = new


def _exercise(cell: NotebookNode) -> str:
    return cell.metadata.nbgrader.grade_id.replace("-", ".", 1)
