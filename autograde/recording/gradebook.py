"""The single writer into nbgrader's gradebook, and the journal that lets a killed run go on.

The gradebook is nbgrader's own (its SQLAlchemy models, SQLite or PostgreSQL), so that the formgrader,
`nbgrader export` and every other stock command see what was written. nbgrader's API opens the database
nine times and commits fifteen times for each submission; here a run opens it once and a submission is
one transaction: it is there whole, or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader import api, utils
from nbgrader import preprocessors as stock
from sqlalchemy import URL, Engine, create_engine, event, func, inspect, make_url, select, update
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from autograde import course
from autograde.course import UserError
from autograde.records import Result, Submission

BUSY_SECONDS = 30  # how long to wait for another program that writes the same gradebook
LONGEST_NAME = 128  # characters of a student's id, nbgrader's own limit
NO_RESPONSE = "No response."  # nbgrader's words for an untouched answer
Late = Callable[[str, float, float], float | None]


@dataclass(frozen=True)
class ByHand:
    """What a person gave a cell in the formgrader, extra credit included; `score` is None if nothing yet."""

    score: float | None
    max_score: float
    comment: str = ""


@dataclass(frozen=True)
class _GradeCell:
    id: str
    name: str
    max_score: float
    written: bool


@dataclass(frozen=True)
class _Sheet:
    """The rows a submission of one lesson needs, as the gradebook has them."""

    assignment_id: str
    notebook_id: str
    other_notebooks: tuple[str, ...]
    grades: tuple[_GradeCell, ...]
    solutions: tuple[tuple[str, str], ...]  # (id, grade id) of the cells that carry a comment
    stubs: dict[str, str]  # what the cell of a written answer holds before it is written, by grade id


class Writer:
    """Writes results into a gradebook. A context manager; one a run, in one thread.

    Parameters
    ----------
    db_url : ``sqlite:///path`` or ``postgresql://user@host/database``.
    course_id : nbgrader's course id.
    late : the penalty for a late submission from (student, score, seconds late), such as the method of an
        nbgrader plugin; None gives none, as nbgrader's own default does.

    Raises
    ------
    UserError : on entering or later, if the database cannot be opened, read or written, or is no gradebook.
    """

    def __init__(self, db_url: str, course_id: str, late: Late | None = None):
        self._url = _url(db_url)
        self._shown = self._url.database if _is_sqlite(self._url) else self._url.render_as_string()
        self._course = course_id
        self._late = late
        self._book: api.Gradebook | None = None
        self._sheets: dict[str, _Sheet] = {}

    def __enter__(self) -> Writer:
        with self._explained():
            self._book = _open(self._url, self._course, self._shown)
            if _is_sqlite(self._url):
                _tune_sqlite(self._book.engine)
        return self

    def __exit__(self, *exc_info) -> None:
        book, self._book = self._book, None
        if _is_sqlite(self._url):
            _leave_one_file(book.engine)
        book.close()

    def prepare(self, lesson: str) -> None:
        """Make sure the gradebook has the lesson's assignment, notebook and cells, as its reference has them.

        nbgrader's own steps do the work, so a gradebook made here and one made by
        `nbgrader generate_assignment` are the same. Raises UserError if there are submissions for other cells.
        """
        skeleton = _skeleton(lesson)
        with self._explained():
            if self._cells(lesson) != _cells(skeleton):
                self._book.update_or_create_assignment(lesson)
                self._book.db.remove()  # or its transaction would lock out the step that follows
                self._save_cells(lesson, skeleton)
            self._sheets[lesson] = self._sheet(lesson)

    def record(self, result: Result, submission: Submission, timestamp: datetime | None = None,
               rewritten: frozenset[str] = frozenset()) -> None:
        """Write one submission in one transaction. Recording the same again changes nothing.

        A manual score or comment is never touched. If the automatic score beside it changes, or the written
        answer it was given for (`rewritten`: exercises), the cell is marked for another look.

        Parameters
        ----------
        result, submission : what was graded, and what was handed in.
        timestamp : when it was handed in; None leaves what the gradebook has.
        rewritten : written exercises whose answer is not the one that was graded by hand.
        """
        problem = student_problem(result.student)
        if problem:
            raise UserError(problem)
        sheet = self._sheets[result.lesson]
        with self._explained(), Session(self._book.engine, expire_on_commit=False) as session, session.begin():
            notebook = _submitted_notebook(session, sheet, result.student, timestamp)
            _write_grades(session, sheet, notebook, result, submission, rewritten)
            _write_comments(session, sheet, notebook, submission)
            _write_penalty(session, notebook, self._late)

    def holds(self, student: str, lesson: str, record: dict) -> bool:
        """Whether the gradebook has the automatic scores of a journalled record.

        It has not if it is another gradebook than the one the journal was written beside, or an older copy.
        """
        sheet = self._sheets[lesson]
        points = {_check_id(e["id"]): e["points"] for e in record["exercises"]}
        with self._explained(), Session(self._book.engine) as session:
            rows = session.execute(
                select(api.Grade.cell_id, api.Grade.auto_score)
                .join(api.SubmittedNotebook, api.SubmittedNotebook.id == api.Grade.notebook_id)
                .join(api.SubmittedAssignment, api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id)
                .where(api.SubmittedNotebook.notebook_id == sheet.notebook_id,
                       api.SubmittedAssignment.student_id == student)).all()
        scores = dict(map(tuple, rows))
        return bool(rows) and all(scores.get(cell.id) == _auto_score(cell, points)
                                  for cell in sheet.grades if not cell.written)

    def by_hand(self, student: str, lesson: str) -> dict[str, ByHand]:
        """What people gave in the formgrader, by grade id: every written cell, and any other with a score."""
        sheet = self._sheets[lesson]
        with self._explained(), Session(self._book.engine) as session:
            notebook = session.scalar(_find_notebook(sheet, student))
            rows = session.execute(
                select(api.Grade.cell_id, api.Grade.auto_score, api.Grade.manual_score, api.Grade.extra_credit)
                .where(api.Grade.notebook_id == notebook)).all()
            comments = dict(map(tuple, session.execute(
                select(api.Comment.cell_id, api.Comment.manual_comment)
                .where(api.Comment.notebook_id == notebook))))
        scores = {row.cell_id: (row.auto_score or 0.0 if row.manual_score is None else row.manual_score)
                  + (row.extra_credit or 0.0) for row in rows if row.manual_score is not None or row.extra_credit}
        comment_of = {name: comments.get(cell_id) for cell_id, name in sheet.solutions}
        return {cell.name: ByHand(scores.get(cell.id), cell.max_score, comment_of.get(cell.name) or "")
                for cell in sheet.grades if cell.written or scores.get(cell.id) is not None}

    def penalty(self, student: str, lesson: str) -> float:
        """The points taken off for being late."""
        sheet = self._sheets[lesson]
        with self._explained(), Session(self._book.engine) as session:
            notebook = session.scalar(_find_notebook(sheet, student))
            return session.scalar(select(api.SubmittedNotebook.late_submission_penalty)
                                  .where(api.SubmittedNotebook.id == notebook)) or 0.0

    def _cells(self, lesson: str) -> dict[str, tuple]:
        """The lesson's cells as the gradebook has them, in the form of `_cells`; empty if it has none."""
        with Session(self._book.engine) as session:
            notebook = session.scalar(_lesson_notebook(lesson))
            graded = dict(map(tuple, session.execute(
                select(api.GradeCell.name, api.GradeCell.max_score).where(api.GradeCell.notebook_id == notebook))))
            solutions = set(session.scalars(
                select(api.SolutionCell.name).where(api.SolutionCell.notebook_id == notebook)))
            source = session.execute(
                select(api.SourceCell.name, api.SourceCell.cell_type, api.SourceCell.checksum)
                .where(api.SourceCell.notebook_id == notebook)).all()
        return {name: (kind, checksum, graded.get(name), name in solutions) for name, kind, checksum in source}

    def _save_cells(self, lesson: str, skeleton: NotebookNode) -> None:
        resources = {"nbgrader": {"notebook": lesson, "assignment": lesson,
                                  "db_url": self._url.render_as_string(hide_password=False)}}
        try:
            stock.SaveCells().preprocess(skeleton, resources)
        except RuntimeError:  # nbgrader's word for: there are submissions, and the cells' names changed
            had, has = set(self._cells(lesson)), set(_cells(skeleton))
            changed = ", ".join([f"new: {name}" for name in sorted(has - had)]
                                + [f"gone: {name}" for name in sorted(had - has)])
            raise UserError(
                f"{self._shown} has submissions for another version of {lesson} ({changed}); grade with the version "
                "that was handed out, or into another gradebook") from None

    def _sheet(self, lesson: str) -> _Sheet:
        with Session(self._book.engine) as session:
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
        cells = tuple(_GradeCell(i, name, float(top), name in written) for i, name, top in grades)
        return _Sheet(assignment, notebook, tuple(others), cells, tuple(map(tuple, solutions)),
                      {cell.name: stubs.get(cell.name) or "" for cell in cells if cell.written})

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what a database says into a line a person can act on."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, api.InvalidEntry) as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise UserError(f"the gradebook {self._shown} cannot be used: {reason}{_advice(reason)}") from error


def student_problem(student: str) -> str:
    """Why a folder's name cannot be a student's id in a gradebook, in one line; empty if it can."""
    shown = student.encode("utf-8", "replace").decode()
    if len(student) > LONGEST_NAME:
        return f"the student id {shown[:20]}… is longer than nbgrader's {LONGEST_NAME} characters; rename the folder"
    if shown != student:
        return f"the student id {shown!r} is not valid text; rename the folder"
    return ""


def timestamp_of(folder: Path) -> tuple[datetime | None, str]:
    """When a submission was handed in (UTC, without zone), from the ``timestamp.txt`` nbgrader leaves beside it.

    Returns None where there is none, and a sentence if there is one that cannot be read.
    """
    path = folder / "timestamp.txt"
    try:
        # The folder is the student's: a link or a device in it is not followed.
        if not stat.S_ISREG(path.lstat().st_mode):
            return None, "timestamp.txt is not a file, so the time of submission is unknown"
        with path.open("rb") as file:
            text = file.read(200).decode("utf-8").strip()
        return (utils.parse_utc(text), "") if text else (None, "timestamp.txt is empty")
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError, OverflowError, TypeError):
        return None, "timestamp.txt does not hold a time, so the time of submission is unknown"


# Opening a gradebook ----------------------------------------------------------------------------------

def _url(db_url: str) -> URL:
    try:
        url = make_url(db_url)
    except (ArgumentError, ValueError):
        raise UserError("--db must be sqlite:///FILE or postgresql://USER@HOST/DATABASE") from None
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")  # the driver that is installed is psycopg 3
    return url


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _open(url: URL, course_id: str, shown: str) -> api.Gradebook:
    try:
        engine = create_engine(url)
    except (NoSuchModuleError, ImportError):
        raise UserError(f"there is no driver for a {url.drivername} gradebook; "
                        "use sqlite:///FILE or postgresql://...") from None
    try:
        tables = set(inspect(engine).get_table_names())
        _refuse_foreign(engine, tables, shown)
        if not tables:
            _make_tables(engine)
    finally:
        engine.dispose()
    return api.Gradebook(url.render_as_string(hide_password=False), course_id)


def _refuse_foreign(engine: Engine, tables: set[str], shown: str) -> None:
    """nbgrader would add its tables to any database it is pointed at; that is never meant."""
    if not tables:
        return
    if "alembic_version" not in tables or "grade" not in tables:
        raise UserError(f"{shown} is a database, but not an nbgrader gradebook")
    for table in api.Base.metadata.sorted_tables:
        if table.name in tables:
            columns = {column["name"] for column in inspect(engine).get_columns(table.name)}
            if not set(table.columns.keys()) <= columns:
                raise UserError(f"{shown} was made by an older nbgrader; back it up, then run: nbgrader db upgrade")


def _make_tables(engine: Engine) -> None:
    """A new gradebook: nbgrader's tables and the mark of their version, all or nothing.

    nbgrader itself commits the tables first, then asks the command `alembic` for the version: three seconds, and a
    gradebook that no later run accepts if this one is killed in between.
    """
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    migrations = ScriptDirectory(str(Path(api.__file__).parent / "alembic"))
    with engine.begin() as connection:
        if _is_sqlite(engine.url):
            connection.exec_driver_sql("BEGIN")  # the driver starts no transaction for a CREATE TABLE
        api.Base.metadata.create_all(connection)
        MigrationContext.configure(connection).stamp(migrations, "head")


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection, _record):
        # sqlite3 would begin a transaction at the first write only, after our reads; SQLAlchemy begins it instead.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        # Readers (the formgrader) go on while we write, and a commit costs one fsync. FULL: the journal says
        # "done" after the commit, which must be true after a power cut as well.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def on_begin(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine.dispose()  # connections opened so far know nothing of this


def _leave_one_file(engine: Engine) -> None:
    """Fold the write-ahead log into the database, so that copying gradebook.db copies everything."""
    # If another program has the gradebook open it stays in WAL mode, which every SQLite reads. If it cannot be
    # written at all, whoever tried has been told.
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA journal_mode = DELETE")


def _advice(reason: str) -> str:
    known = {"locked": "; is another program writing to it?",
             "not a database": "; name another file with --db",
             "unable to open": "; does its folder exist, and may you write there?",
             "readonly": "; you may not write there",
             "read-only": "; you may not write there"}
    return next((advice for sign, advice in known.items() if sign in reason), "")


# A lesson's cells -------------------------------------------------------------------------------------

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


# One submission ---------------------------------------------------------------------------------------

def _check_id(exercise: str) -> str:
    return f"{exercise.replace('.', '-')}-check"


def _find_notebook(sheet: _Sheet, student: str):
    return (select(api.SubmittedNotebook.id)
            .join(api.SubmittedAssignment, api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id)
            .where(api.SubmittedAssignment.student_id == student,
                   api.SubmittedAssignment.assignment_id == sheet.assignment_id,
                   api.SubmittedNotebook.notebook_id == sheet.notebook_id))


def _submitted_notebook(session: Session, sheet: _Sheet, student: str, timestamp: datetime | None) -> str:
    """The id of the student's notebook row; student, submission and notebook are made if they are new."""
    timestamp = utils.parse_utc(timestamp)
    if session.scalar(select(api.Student.id).where(api.Student.id == student)) is None:
        session.add(api.Student(id=student))
        session.flush()
    found = session.execute(
        select(api.SubmittedAssignment.id, api.SubmittedAssignment.timestamp)
        .where(api.SubmittedAssignment.student_id == student,
               api.SubmittedAssignment.assignment_id == sheet.assignment_id)).first()
    if found is None:
        submission = api.SubmittedAssignment(id=api.new_uuid(), assignment_id=sheet.assignment_id,
                                             student_id=student, timestamp=timestamp)
        session.add(submission)
        session.flush()
        submission_id = submission.id
    else:
        submission_id = found.id
        if timestamp is not None and timestamp != found.timestamp:
            session.execute(update(api.SubmittedAssignment), [{"id": submission_id, "timestamp": timestamp}])
    known = set(session.scalars(select(api.SubmittedNotebook.notebook_id)
                                .where(api.SubmittedNotebook.assignment_id == submission_id)))
    session.add_all([api.SubmittedNotebook(id=api.new_uuid(), assignment_id=submission_id, notebook_id=notebook)
                     for notebook in (sheet.notebook_id, *sheet.other_notebooks) if notebook not in known])
    session.flush()
    return session.scalar(_find_notebook(sheet, student))


def _auto_score(cell: _GradeCell, points: dict[str, float]) -> float:
    score = float(points.get(cell.name, 0.0))
    return min(max(score, 0.0), cell.max_score) if math.isfinite(score) else 0.0


def _write_grades(session: Session, sheet: _Sheet, notebook: str, result: Result, submission: Submission,
                  rewritten: frozenset[str]) -> None:
    """A row for every grade cell of the skeleton, whatever the submitted notebook has."""
    points = {_check_id(v.exercise): v.points for v in result.verdicts}
    untouched = _untouched(sheet, submission)
    again = _grade_ids(rewritten)
    rows = {row.cell_id: row for row in session.execute(
        select(api.Grade.id, api.Grade.cell_id, api.Grade.auto_score, api.Grade.manual_score,
               api.Grade.needs_manual_grade)
        .where(api.Grade.notebook_id == notebook).with_for_update())}
    new, changed = [], []
    for cell in sheet.grades:
        to_read = cell.written and cell.name not in untouched
        auto = None if to_read else 0.0 if cell.written else _auto_score(cell, points)
        row = rows.get(cell.id)
        if row is None:
            new.append(api.Grade(cell_id=cell.id, notebook_id=notebook, auto_score=auto, needs_manual_grade=to_read))
            continue
        look = to_read if row.manual_score is None else (
            row.needs_manual_grade or auto != row.auto_score or cell.name in again)
        if (row.auto_score, row.needs_manual_grade) != (auto, look):
            changed.append({"id": row.id, "auto_score": auto, "needs_manual_grade": look})
    session.add_all(new)
    if changed:
        session.execute(update(api.Grade), changed)
    session.flush()


def _write_comments(session: Session, sheet: _Sheet, notebook: str, submission: Submission) -> None:
    untouched = _untouched(sheet, submission)
    rows = {row.cell_id: row for row in session.execute(
        select(api.Comment.id, api.Comment.cell_id, api.Comment.auto_comment)
        .where(api.Comment.notebook_id == notebook).with_for_update())}
    new, changed = [], []
    for cell_id, name in sheet.solutions:
        comment = NO_RESPONSE if name in untouched and submission.notebook is not None else None
        if cell_id not in rows:
            new.append(api.Comment(cell_id=cell_id, notebook_id=notebook, auto_comment=comment))
        elif rows[cell_id].auto_comment != comment:
            changed.append({"id": rows[cell_id].id, "auto_comment": comment})
    session.add_all(new)
    if changed:
        session.execute(update(api.Comment), changed)
    session.flush()


def _write_penalty(session: Session, notebook: str, late: Late | None) -> None:
    """As nbgrader's AssignLatePenalties: between nothing and the whole score."""
    row = session.execute(
        select(api.SubmittedAssignment.student_id, api.SubmittedAssignment.timestamp, api.Assignment.duedate,
               api.SubmittedAssignment.extension, api.SubmittedNotebook.late_submission_penalty.label("penalty"))
        .join(api.SubmittedAssignment, api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id)
        .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
        .where(api.SubmittedNotebook.id == notebook)).one()
    penalty = None
    if late is not None and row.timestamp is not None and row.duedate is not None:
        due = row.duedate + (row.extension or timedelta())
        seconds = (row.timestamp - due).total_seconds()
        if seconds > 0:
            score = session.scalar(select(func.sum(api.Grade.score)).where(api.Grade.notebook_id == notebook))
            penalty = late(row.student_id, score, seconds)
            penalty = None if penalty is None else min(max(float(penalty), 0.0), score)
    if penalty != row.penalty:
        session.execute(update(api.SubmittedNotebook), [{"id": notebook, "late_submission_penalty": penalty}])


def _untouched(sheet: _Sheet, submission: Submission) -> set[str]:
    """The grade ids of answers, coded or written, that are still as they were handed out."""
    cells = submission.notebook.cells if submission.notebook is not None else []
    text = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in cells}
    same = {name for name, stub in sheet.stubs.items() if text.get(name, "").strip() in (stub.strip(), "")}
    return _grade_ids(submission.untouched) | same


def _grade_ids(exercises) -> set[str]:
    return {exercise.replace(".", "-") for exercise in exercises}


# The journal ------------------------------------------------------------------------------------------

class Journal:
    """What a run has finished, one line a submission, so that a killed run goes on where it was.

    A line is appended and synced *after* the submission's transaction is committed. Journal and gradebook so
    disagree by the last submission at most, and that one is recorded again, which changes nothing.
    A context manager: two runs into one folder at the same time are refused with UserError.

    Parameters
    ----------
    output : the folder a run writes to; the journal is ``.unrolled/journal.jsonl`` in it.
    """

    def __init__(self, output: Path):
        self.path = Path(output) / ".unrolled" / "journal.jsonl"
        self._last: dict[tuple[str, str], dict] = {}
        self._file: BinaryIO | None = None

    def __enter__(self) -> Journal:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b")
        except OSError as error:
            raise UserError(f"{self.path.parent.parent} cannot be written to: {error.strerror}") from None
        if not _lock(self._file):
            self._file.close()
            raise UserError(f"another run is grading into {self.path.parent.parent}; wait for it to end")
        self._file.seek(0)
        content = self._file.read()
        for line in content.splitlines():
            entry = _entry(line)
            if entry is not None:
                self._last[entry["student"], entry["lesson"]] = entry
        if content and not content.endswith(b"\n"):
            self._file.write(b"\n")  # a torn last line stays a line of its own, and its submission counts as not done
        return self

    def __exit__(self, *exc_info) -> None:
        self._file.close()
        self._file = None

    def done(self, student: str, lesson: str, fingerprint: str) -> bool:
        """Whether exactly this submission, graded in exactly this way, is finished."""
        return self._last.get((student, lesson), {}).get("fingerprint") == fingerprint

    def record_of(self, student: str, lesson: str) -> dict | None:
        """The latest finished `Result.record` of a student's submission."""
        return self._last.get((student, lesson), {}).get("record")

    def append(self, student: str, lesson: str, fingerprint: str, record: dict) -> None:
        """Note a submission as finished; when this returns the line is on the disk."""
        entry = {"student": student, "lesson": lesson, "fingerprint": fingerprint, "record": record}
        self._file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._last[student, lesson] = entry


def fingerprint(submitted: bytes, version: str, secret_id: str) -> str:
    """What a grade depends on: the bytes handed in, the version of lesson and grader, the course's secret."""
    digest = hashlib.sha256()
    for part in (submitted, version.encode(), secret_id.encode()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def version(lesson: str) -> str:
    """Changes with the lesson's reference notebook and with any line of the grader or of what runs beside answers."""
    import unrolled

    digest = hashlib.sha256(course.reference(lesson).read_bytes())
    for package in (Path(__file__).parent.parent, Path(unrolled.__file__).parent):
        for path in sorted(p for p in package.rglob("*") if p.suffix in (".py", ".j2")):
            digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _entry(line: bytes) -> dict | None:
    try:
        entry = json.loads(line)
        return entry if {"student", "lesson", "fingerprint", "record"} <= entry.keys() else None
    except (ValueError, AttributeError):
        return None  # half a line, from a run that was killed: that submission is graded again


def _lock(file: BinaryIO) -> bool:
    """Take the file for this run; True where the system has no such locks. It ends with the process."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
