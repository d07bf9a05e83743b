"""A lesson's cells as a gradebook has them: the rows that each submission of it gets."""

from __future__ import annotations

from dataclasses import dataclass

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader import api, utils
from nbgrader import preprocessors as stock
from sqlalchemy import select
from sqlalchemy.orm import Session

from autograde import course
from autograde.course import UserError
from autograde.recording.database import Database


@dataclass(frozen=True)
class GradeCell:
    """One cell with points; `written` if a person reads it."""

    id: str
    name: str
    max_score: float
    written: bool


@dataclass(frozen=True)
class Sheet:
    """The rows a submission of one lesson needs, as the gradebook has them."""

    lesson: str
    assignment_id: str
    notebook_id: str
    other_notebooks: tuple[str, ...]
    grades: tuple[GradeCell, ...]
    solutions: tuple[tuple[str, str], ...]  # (id, grade id) of the cells that carry a comment
    stubs: dict[str, str]  # what the cell of a written answer holds before it is written, by grade id


def prepared(database: Database, lesson: str) -> Sheet:
    """The lesson's sheet, after making sure that the gradebook has its cells as the reference has them.

    nbgrader's own steps do the work, so a gradebook made here and one made by `nbgrader generate_assignment` are
    the same. Raises UserError if there are submissions for other cells.
    """
    skeleton = _skeleton(lesson)
    with database.session() as session:
        had = _saved(session, lesson)
    if had != _cells(skeleton):
        with database.explained():
            database.book.update_or_create_assignment(lesson)
            database.book.db.remove()  # or its transaction would lock out the step that follows
            _save(database, lesson, skeleton, had)
    with database.session() as session:
        return _sheet(session, lesson)


def check_id(exercise: str) -> str:
    """The grade id of an exercise's check: ``lstm.step`` -> ``lstm-step-check``."""
    return f"{exercise.replace('.', '-')}-check"


def answer_ids(exercises) -> set[str]:
    """The grade ids of exercises' answers: ``lstm.step`` -> ``lstm-step``."""
    return {exercise.replace(".", "-") for exercise in exercises}


def find_notebook(sheet: Sheet, student: str):
    """A query for the id of a student's notebook row."""
    return (select(api.SubmittedNotebook.id)
            .join(api.SubmittedAssignment, api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id)
            .where(api.SubmittedAssignment.student_id == student,
                   api.SubmittedAssignment.assignment_id == sheet.assignment_id,
                   api.SubmittedNotebook.notebook_id == sheet.notebook_id))


def _skeleton(lesson: str) -> NotebookNode:
    """The reference notebook after nbgrader's own release steps: stubs, locks and checksums."""
    path = course.reference(lesson)
    if not path.exists():
        raise UserError(f"{path} is missing; run: autograde build {lesson}")
    notebook = nbformat.read(path, 4)
    resources: dict = {}
    for step in (stock.LockCells, stock.ClearSolutions, stock.ClearOutput, stock.ComputeChecksums):
        notebook, resources = step().preprocess(notebook, resources)
    return notebook


def _cells(skeleton: NotebookNode) -> dict[str, tuple]:
    """``grade id -> (cell type, checksum, max score or None, has a comment)``."""
    return {
        cell.metadata.nbgrader.grade_id: (
            cell.cell_type, cell.metadata.nbgrader.checksum,
            float(cell.metadata.nbgrader.points) if utils.is_grade(cell) else None, utils.is_solution(cell))
        for cell in skeleton.cells
        if utils.is_grade(cell) or utils.is_solution(cell) or utils.is_locked(cell)
    }


def _lesson_notebook(lesson: str):
    return (select(api.Notebook.id).join(api.Assignment, api.Assignment.id == api.Notebook.assignment_id)
            .where(api.Assignment.name == lesson, api.Notebook.name == lesson))


def _saved(session: Session, lesson: str) -> dict[str, tuple]:
    """The lesson's cells as the gradebook has them, in the form of `_cells`; empty if it has none."""
    notebook = session.scalar(_lesson_notebook(lesson))
    graded = dict(map(tuple, session.execute(
        select(api.GradeCell.name, api.GradeCell.max_score).where(api.GradeCell.notebook_id == notebook))))
    solutions = set(session.scalars(
        select(api.SolutionCell.name).where(api.SolutionCell.notebook_id == notebook)))
    source = session.execute(
        select(api.SourceCell.name, api.SourceCell.cell_type, api.SourceCell.checksum)
        .where(api.SourceCell.notebook_id == notebook)).all()
    return {name: (kind, checksum, graded.get(name), name in solutions) for name, kind, checksum in source}


def _save(database: Database, lesson: str, skeleton: NotebookNode, had: dict[str, tuple]) -> None:
    resources = {"nbgrader": {"notebook": lesson, "assignment": lesson, "db_url": database.url}}
    try:
        stock.SaveCells().preprocess(skeleton, resources)
    except RuntimeError:  # nbgrader's word for: there are submissions, and the cells' names changed
        has = set(_cells(skeleton))
        changed = ", ".join([f"new: {name}" for name in sorted(has - set(had))]
                            + [f"gone: {name}" for name in sorted(set(had) - has)])
        raise UserError(
            f"{database.shown} has submissions for another version of {lesson} ({changed}); grade with the version "
            "that was handed out, or into another gradebook") from None


def _sheet(session: Session, lesson: str) -> Sheet:
    notebook = session.scalar(_lesson_notebook(lesson))
    assignment = session.scalar(select(api.Assignment.id).where(api.Assignment.name == lesson))
    others = session.scalars(select(api.Notebook.id).where(
        api.Notebook.assignment_id == assignment, api.Notebook.id != notebook)).all()
    solutions = session.execute(
        select(api.SolutionCell.id, api.SolutionCell.name).where(api.SolutionCell.notebook_id == notebook)
        .order_by(api.SolutionCell.name)).all()
    written = {name for _, name in solutions}
    grades = session.execute(
        select(api.GradeCell.id, api.GradeCell.name, api.GradeCell.max_score)
        .where(api.GradeCell.notebook_id == notebook).order_by(api.GradeCell.name)).all()
    stubs = dict(map(tuple, session.execute(
        select(api.SourceCell.name, api.SourceCell.source).where(api.SourceCell.notebook_id == notebook))))
    cells = tuple(GradeCell(i, name, float(top), name in written) for i, name, top in grades)
    return Sheet(lesson, assignment, notebook, tuple(others), cells, tuple(map(tuple, solutions)),
                 {cell.name: stubs.get(cell.name) or "" for cell in cells if cell.written})
