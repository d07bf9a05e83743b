"""Lesson source → executed reference notebook + student notebook, and the lint that keeps lessons honest."""

from __future__ import annotations

import os
import re
import tempfile
from fnmatch import fnmatch
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from autograde import course
from autograde.authoring import lesson, outputs
from autograde.cells import BEGIN, END, exercise_of, kind_of
from autograde.course import UserError
from autograde.judging import oracles

CELL_LINES = 20
CELL_TIMEOUT = 600  # seconds; a solution notebook should take 120 in all


class LessonError(UserError):
    """A lesson breaks a rule of the course; the message names the cell."""


def build(name: str, *, run: bool = True) -> None:
    """Derive a lesson: execute its reference notebook and generate the student's.

    With ``run=False`` the committed outputs are kept where a cell's source is unchanged. Nothing is
    written unless everything succeeded.
    """
    if course.comes_with_the_package(name):
        raise LessonError(f"{name} came with the installed package; to change it, take the repository")
    reference = derive_reference(name, run=run)
    student = derive_student(name, reference)
    write(course.reference(name), reference)
    write(course.released(name), student)


def check(name: str, *, run: bool = True) -> list[str]:
    """What differs between the committed notebooks of a lesson and newly derived ones, naming the cell."""
    for path in (course.reference(name), course.released(name)):
        if not path.exists():
            return [f"{name}: {course.said(path)} is missing; run: autograde build {name}"]
    reference = derive_reference(name, run=run)
    student = derive_student(name, reference)
    found = []
    for path, new in ((course.reference(name), reference), (course.released(name), student)):
        where = course.said(path)
        found += [f"{where}: {problem}" for problem in differences(nbformat.read(path, 4), new)]
    return found


def differences(committed: NotebookNode, new: NotebookNode) -> list[str]:
    """What differs between two notebooks and matters: everything but the bytes of images."""
    found = []
    if committed.metadata != new.metadata:
        found.append("the notebook's metadata differs")
    if len(committed.cells) != len(new.cells):
        found.append(f"{len(committed.cells)} cells are committed, the source gives {len(new.cells)}")
    for index, (old, now) in enumerate(zip(committed.cells, new.cells, strict=False)):
        where = f"cell {index} ({now.get('id')})"
        for part in ("cell_type", "id", "source", "metadata"):
            if old.get(part) != now.get(part):
                found.append(f"{where}: its {part} differs")
        if sorted(old.get("attachments", {})) != sorted(now.get("attachments", {})):
            found.append(f"{where}: its attachments differ")
        if now.cell_type == "code":
            found += [f"{where}: {p}" for p in outputs.differences(old.get("outputs", []), now.outputs, now.metadata)]
    return found


def derive_reference(name: str, *, run: bool = True) -> NotebookNode:
    """The reference notebook, executed (or with the committed outputs), and linted."""
    notebook = lesson.read(name)
    problems = lint_source(name, notebook)
    if problems:
        raise LessonError("\n".join(problems))
    if run:
        execute(notebook)
    else:
        keep_outputs(notebook, course.reference(name))
    problems = lint_outputs(name, notebook)
    if problems:
        raise LessonError("\n".join(problems))
    return notebook


def execute(notebook: NotebookNode, timeout: int = CELL_TIMEOUT) -> None:
    """Run all cells in place, as a student's machine would, and leave outputs that repeat."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    client = NotebookClient(notebook, timeout=timeout, kernel_name="python3", record_timing=False,
                            extra_arguments=["--log-level=ERROR"],
                            resources={"metadata": {"path": str(course.ROOT)}})
    try:
        client.execute(env={**os.environ, "PYTHONHASHSEED": "0"})
    except CellExecutionError as error:
        raise LessonError(f"a cell of the reference lesson fails:\n{error}") from None
    notebook.metadata = nbformat.from_dict({
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    })
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _merge_streams(cell.outputs)


def keep_outputs(notebook: NotebookNode, committed: Path) -> None:
    """Take over the committed outputs of cells whose source did not change."""
    if not committed.exists():
        raise LessonError(f"{committed} is missing, so there are no outputs to keep; build without --no-run")
    known = {cell.source: cell for cell in nbformat.read(committed, 4).cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source in known:
            cell.outputs = known[cell.source].outputs
            cell.execution_count = known[cell.source].execution_count


def _merge_streams(cell_outputs: list) -> list:
    """Neighbouring pieces of one stream become one: where the kernel cut them is chance."""
    merged: list = []
    for output in cell_outputs:
        last = merged[-1] if merged else None
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def derive_student(name: str, reference: NotebookNode) -> NotebookNode:
    """The student notebook, through nbgrader's own generate step with the course's preprocessors."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    from autograde.authoring.release import release_preprocessors

    with tempfile.TemporaryDirectory() as folder:
        config = Config()
        config.CourseDirectory.root = folder
        config.CourseDirectory.assignment_id = name
        config.CourseDirectory.source_directory = "solutions"
        config.CourseDirectory.release_directory = "notebooks"
        config.GenerateAssignment.preprocessors = release_preprocessors(save=False)
        config.GenerateAssignment.no_database = True
        source = Path(folder, "solutions", name, f"{name}.ipynb")
        write(source, reference)
        converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
        converter.log.setLevel("ERROR")
        converter.start()
        student = nbformat.read(Path(folder, "notebooks", name, f"{name}.ipynb"), 4)
    problems = lint_student(name, reference, student)
    if problems:
        raise LessonError("\n".join(problems))
    return student


def as_bytes(notebook: NotebookNode) -> bytes:
    """A notebook as its file holds it."""
    return (nbformat.writes(notebook, version=4) + "\n").encode()


def write(path: Path, notebook: NotebookNode) -> None:
    """Write a notebook, whole or not at all."""
    course.write_bytes(path, as_bytes(notebook))


# The lint ---------------------------------------------------------------------------------------------

def lint_source(name: str, notebook: NotebookNode) -> list[str]:
    """Rules a lesson's source must keep: each problem names its cell."""
    problems, ids, pending = [], set(), None
    points = {ex.id: ex.points for ex in oracles.of_lesson(name)}
    worth = dict(points)
    for index, cell in enumerate(notebook.cells):
        where, kind = f"{name}, cell {index}", kind_of(cell)
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in ids:
            problems.append(f"{where}: the grade id {grade_id!r} is used twice")
        ids.add(grade_id) if grade_id else None
        if pending and kind != "check":
            problems.append(f"{where}: a check must follow the solution cell of {pending!r} directly")
        pending = None
        if kind == "solution":
            pending = exercise_of(cell)
            if cell.source.count(BEGIN) != 1 or cell.source.count(END) != 1:
                problems.append(f"{where}: {pending!r} needs one pair of SOLUTION markers")
            if re.match(rf"\s*{re.escape(BEGIN)}", cell.source):
                problems.append(f"{where}: the stub of {pending!r} would leave no name defined; "
                                "put the signature above the marker")
        elif kind == "check":
            exercise = exercise_of(cell)
            if cell.metadata.nbgrader.points != points.pop(exercise, None):
                problems.append(f"{where}: {exercise!r} is not one of this lesson's oracles, or is checked twice")
            if f'check("{exercise}"' not in cell.source:
                problems.append(f"{where}: the check does not call check({exercise!r}, ...)")
        elif BEGIN in cell.source and kind != "written":
            problems.append(f"{where}: SOLUTION markers outside a solution cell")
        for exercise, _, stated in lesson.EXERCISE.findall(cell.source) if cell.cell_type == "markdown" else ():
            if exercise in worth and stated != f"{worth[exercise]:g}":
                problems.append(f"{where}: {exercise!r} says {stated} points and its oracle gives "
                                f"{worth[exercise]:g}; write {{points}}")
        tolerance = cell.metadata.get("tolerance")
        if tolerance is not None and not isinstance(tolerance, int | float):
            problems.append(f"{where}: its tolerance is {tolerance!r}, not a number")
        if outputs.UNCOMPARED in cell.metadata.get("tags", []) and "assert " not in cell.source:
            problems.append(f"{where}: nobody compares what it shows, so it must assert what is claimed of it")
        lines = cell.source.count("\n") + 1
        may_be_long = kind == "solution" or "long" in cell.metadata.get("tags", [])
        if cell.cell_type == "code" and lines > CELL_LINES and not may_be_long:
            problems.append(f"{where}: {lines} lines; split it, or tag it `long` if it reads better whole")
    problems += [f"{name}: the oracle's exercise {missing!r} has no check" for missing in points]
    return problems


def lint_outputs(name: str, notebook: NotebookNode) -> list[str]:
    """Rules the executed reference must keep."""
    problems = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            where = f"{name}, cell {index}"
            if output.output_type == "stream" and output.name == "stderr":
                problems.append(f"{where}: writes to stderr: {output.text[:200]!r}")
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
                problems.append(f"{where}: ends in {output.ename}")
            if "image/png" in output.get("data", {}) and not alt_text(output):
                problems.append(f"{where}: a figure without alternative text; use plot.show(figure, alt=...)")
            if re.search(r"0x[0-9a-f]{6,}", str(output.get("text", output.get("data", {}).get("text/plain", "")))):
                problems.append(f"{where}: prints a memory address")
    return problems


def lint_student(name: str, reference: NotebookNode, student: NotebookNode) -> list[str]:
    """No released cell holds a solution, and every exercise has its stub."""
    from nbgrader.coursedir import CourseDirectory

    problems = []
    text = "\n".join(cell.source for cell in student.cells)
    if BEGIN in text or END in text:
        problems.append(f"{name}: a SOLUTION marker is left in the student notebook")
    stubs = {c.metadata.nbgrader.grade_id: c.source for c in student.cells if kind_of(c) == "solution"}
    for cell in reference.cells:
        if kind_of(cell) == "solution":
            grade_id = cell.metadata.nbgrader.grade_id
            if "raise NotImplementedError()" not in stubs.get(grade_id, ""):
                problems.append(f"{name}: {grade_id!r} has no stub in the student notebook")
            if solution_body(cell) in text:
                problems.append(f"{name}: the solution of {grade_id!r} is in the student notebook")
    extra = [p.name for p in course.reference(name).parent.glob("*") if not p.name.endswith((".ipynb", ".partial"))
             and not any(fnmatch(p.name, pattern) for pattern in CourseDirectory().ignore)]
    if extra:
        problems.append(f"{name}: nbgrader would hand out {extra} from {course.reference(name).parent.name}/")
    return problems


def solution_body(cell: NotebookNode) -> str:
    """The text between the markers of a solution cell."""
    return cell.source.split(BEGIN)[1].split(END)[0].strip()


def alt_text(output) -> str:
    """A figure's alternative text, from the output's metadata."""
    return output.get("metadata", {}).get("image/png", {}).get("alt", "")
