"""The sample class: ``samples/<lesson>/<student>.py`` becomes ``<target>/<student>/<lesson>/<lesson>.ipynb``.

The format is in ``docs/writing-a-lesson.md``, section "The sample class". A mistake in a sample is a `UserError`
that names file and line.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from autograde import course
from autograde.authoring.build import write
from autograde.cells import answer_of, exercise_of, kind_of
from autograde.course import UserError

SAMPLES = course.ROOT / "samples"

_HEADER = re.compile(r"^# %%(?:\s+(.*?))?\s*$")


@dataclass(frozen=True)
class Block:
    """One ``# %%`` block: what it asks for (``answer``, ``solution``, ``delete``, ``duplicate``, ``tag``,
    ``first``), of what, with which text, and its line for error messages."""

    action: str
    of: str
    text: str
    line: int


def write_class(name: str, target: Path, count: int | None = None) -> list[str]:
    """Write a lesson's sample class below `target` and return its students.

    With `count` there are so many students, the sample over and over: ``ada-001``, ``ben-001``, ..., ``ada-002``.
    Raises UserError for a mistake in a sample, or if the lesson was not built.
    """
    notebooks = sample_class(name)
    students = dict(notebooks) if count is None else _enlarged(notebooks, count)
    for student, notebook in students.items():
        write(Path(target, student, name, f"{name}.ipynb"), notebook)
    return list(students)


def sample_class(name: str) -> dict[str, NotebookNode]:
    """Each sample student's notebook of a lesson, as handed in. Raises UserError."""
    paths = sorted(SAMPLES.joinpath(name).glob("*.py"))
    if not paths:
        raise UserError(f"there is no sample class for {name}: samples/{name}/ holds no <student>.py")
    released, reference = _notebook(name, course.released(name)), _notebook(name, course.reference(name))
    answers = {exercise_of(c): answer_of(c).rstrip("\n") for c in reference.cells
               if kind_of(c) == "solution"}
    return {_student(path): hand_in(released, answers, blocks(path), path) for path in paths}


def _enlarged(notebooks: dict[str, NotebookNode], count: int) -> dict[str, NotebookNode]:
    names = list(notebooks)
    rounds = [divmod(number, len(names)) for number in range(count)]
    return {f"{names[which]}-{turn + 1:03d}": notebooks[names[which]] for turn, which in rounds}


def _notebook(name: str, path: Path) -> NotebookNode:
    if not path.is_file():
        raise UserError(f"the lesson {name!r} is not built; run: autograde build {name}")
    return nbformat.read(path, 4)


def _student(path: Path) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", path.stem):
        raise UserError(f"{_place(path)}: a sample is named after its student, in small letters, digits, - and _")
    return path.stem


def _place(path: Path, line: int | None = None) -> str:
    shown = path.relative_to(course.ROOT) if path.is_relative_to(course.ROOT) else path
    return f"{shown}:{line}" if line else str(shown)


# The format ----------------------------------------------------------------------------------------------------

def blocks(path: Path) -> list[Block]:
    """The blocks of one sample file. Raises UserError for what is no block of the format."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{_place(path)}: a sample is UTF-8 text") from None
    headers = [number for number, line in enumerate(lines) if line.startswith("# %%")]
    preface = [line for line in lines[:headers[0] if headers else None] if line.strip()]
    if not preface or not all(line.startswith("#") for line in preface):
        raise UserError(f"{_place(path, 1)}: a sample starts with a line of comment that says who the student is, "
                        "then come `# %%` blocks")
    return [_block(path, lines, start, end) for start, end in pairwise([*headers, len(lines)])]


def _block(path: Path, lines: list[str], start: int, end: int) -> Block:
    place = _place(path, start + 1)
    found = _HEADER.match(lines[start])
    words = (found[1] or "").split() if found else []
    text = "\n".join(lines[start + 1:end]).strip("\n").rstrip()
    match words:
        case ["*", "solution"]:
            block = Block("solution", "*", "", start + 1)
        case [("delete" | "duplicate" | "tag") as fault, of]:
            block = Block(fault, of, "", start + 1)
        case ["first"]:
            block = Block("first", "", text, start + 1)
        case [exercise] if re.fullmatch(r"\w+\.\w+", exercise):
            block = Block("answer", exercise, text, start + 1)
        case _:
            raise UserError(f"{place}: {lines[start]!r} is no block; write `# %% topic.exercise`, `# %% * solution`, "
                            "`# %% delete|duplicate topic.exercise`, `# %% tag NAME` or `# %% first`")
    if text and not (block.text or block.action in ("answer", "first")):
        raise UserError(f"{place}: nothing may stand below `{lines[start]}`")
    if block.action in ("answer", "first") and not text:
        raise UserError(f"{place}: the student's cell is missing below `{lines[start]}`")
    return block


# Handing in ----------------------------------------------------------------------------------------------------

def hand_in(released: NotebookNode, answers: dict[str, str], given: list[Block], path: Path) -> NotebookNode:
    """The released notebook with one student's blocks put in.

    Parameters
    ----------
    released : the student notebook.
    answers : the reference's answer to each exercise, for ``* solution``.
    given, path : the blocks, and the file they are from, for error messages.
    """
    notebook = copy.deepcopy(released)
    cells = {_exercise(c): c for c in notebook.cells if kind_of(c) in ("solution", "written")}
    if any(block.action == "solution" for block in given):
        for exercise, source in answers.items():
            cells[exercise].source = source
    seen: set[tuple[str, str]] = set()
    for block in given:
        if (block.action, block.of) in seen and block.action != "first":
            raise UserError(f"{_place(path, block.line)}: `{block.action} {block.of}` is there twice")
        seen.add((block.action, block.of))
        if block.action in ("answer", "delete", "duplicate") and block.of not in cells:
            raise UserError(f"{_place(path, block.line)}: there is no exercise {block.of!r} in this lesson; "
                            f"there are: {', '.join(cells)}")
        if block.action == "answer":
            cell = cells[block.of]
            cell.source = _prose(block.text) if cell.cell_type == "markdown" else block.text
    for block in given:  # faults of form happen to a notebook that is written
        _fault(notebook, cells, block)
    return notebook


def _fault(notebook: NotebookNode, cells: dict[str, NotebookNode], block: Block) -> None:
    if block.action == "delete":
        notebook.cells = [cell for cell in notebook.cells if cell is not cells[block.of]]
    elif block.action == "duplicate":
        index = next(i for i, cell in enumerate(notebook.cells) if cell is cells[block.of])
        twin = copy.deepcopy(cells[block.of])
        twin.id = f"{twin.id[:50]}-copy"
        notebook.cells.insert(index + 1, twin)
    elif block.action == "tag":
        for cell in notebook.cells:
            if kind_of(cell) == "check":
                cell.metadata.tags = [*cell.metadata.get("tags", []), block.of]
    elif block.action == "first":
        number = sum(cell.id.startswith("first") for cell in notebook.cells)
        notebook.cells.insert(number, nbformat.v4.new_code_cell(block.text, id=f"first-{number + 1}"))


def _exercise(cell: NotebookNode) -> str:
    return cell.metadata.nbgrader.grade_id.replace("-", ".", 1)


def _prose(text: str) -> str:
    """A written answer: in a Python file it may stand in comment lines."""
    lines = text.split("\n")
    if all(line.startswith("#") or not line.strip() for line in lines):
        lines = [re.sub(r"^# ?", "", line) for line in lines]
    return "\n".join(lines)
