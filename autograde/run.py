"""Grade a class: from the folder of submissions to gradebook, notebooks, feedback and report."""

from __future__ import annotations

import hashlib
import os
import shlex
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from autograde import course
from autograde.course import UserError
from autograde.intake import submission
from autograde.intake.roll import Enrolled, Roll, name_problem, read_roll
from autograde.recording import autograded, pages
from autograde.recording import journal as journals
from autograde.recording.gradebook import Writer, timestamp_of
from autograde.recording.journal import Journal
from autograde.records import CRASHED, MISSING, UNREADABLE, Result, Submission
from autograde.running import engine
from autograde.running.pool import Lesson, Pool, Task
from autograde.text import shown
from unrolled.sandbox.isolate import Limits


@dataclass(frozen=True)
class Settings:
    """One grading run. What it writes lies below `output`, in nbgrader's layout."""

    submitted: Path
    output: Path
    db_url: str
    workers: int
    scheduler: str | None = None
    limits: Limits = field(default_factory=Limits)
    force: bool = False


@dataclass(frozen=True)
class Progress:
    """One student done. `record` is `Result.record()`, None if nothing was handed in and nothing is due yet; `resumed`
    if an earlier run had finished it."""

    student: str
    record: dict | None = None
    resumed: bool = False
    problem: str = ""


def students(submitted: Path) -> list[str]:
    """The students of the class in a directory. Raises UserError if it is missing or empty."""
    return list(read_roll(submitted).students)


def prepare_output(output: Path) -> None:
    """Make the output directory, or say why it cannot be written: before anything is graded."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        probe = output / f".write-test-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise UserError(f"cannot write to {output}: {error.strerror or error}") from None


def read_task(roll: Roll, student: str, lesson: str, secret: bytes, exercises) -> Task:
    """What a student handed in for a lesson, read but not interpreted. Links are never followed."""
    seed_of = engine.seeds(secret, student)
    seeds = {exercise.id: seed_of(exercise.id) for exercise in exercises}
    enrolled = roll.students.get(student, Enrolled(student, (student,)))  # one who left the class while it is graded
    if enrolled.problem:
        return Task(enrolled.student, lesson, None, seeds, status=UNREADABLE, note=enrolled.problem)
    found = submission.find(roll.root, enrolled.folders, lesson)
    return Task(student, lesson, found.content, seeds, found.repairs, found.status, found.note, found.files,
                found.folder, found.asks)


def grade_lesson(name: str, settings: Settings, pool: Pool, writer: Writer, journal: Journal, *,
                 only: Collection[str] | None = None, only_handed_in: bool = False) -> Iterator[Progress]:
    """Grade all submissions of one lesson; yields each as it is recorded, the ones of an earlier run first.

    `only` limits it to some students; with `only_handed_in`, who has handed in nothing is left out, not
    recorded as missing. Who has handed in nothing and still may is absent: neither graded nor recorded.
    """
    lesson = Lesson.load(name)
    writer.prepare(name)
    secret = engine.secret_for(settings.output)
    version = journals.version(name)
    secret_id = hashlib.sha256(secret).hexdigest()

    roll = read_roll(settings.submitted)
    nameless = {one.student for one in roll.students.values() if name_problem(one.folders[0])}

    def read(student: str) -> tuple[Task, str]:
        task = read_task(roll, student, name, secret, lesson.exercises)
        content = task.content if task.content is not None else task.note.encode()
        files = {path: hashlib.sha256(held).hexdigest() for path, held in task.files.items()}
        about = repr((task.repairs, timestamp_of(_handed_in_at(settings, task)), files))
        return task, journals.fingerprint(content + about.encode(), version, secret_id)

    fingerprints: dict[str, str] = {}
    renamed: dict[str, str] = {}
    todo: list[str] = []
    for student in roll.students if only is None else sorted(only):
        task, fingerprint = read(student)
        if only_handed_in and task.status == MISSING:
            continue
        fingerprints[task.student] = fingerprint
        if task.status == MISSING and _still_may(writer.due(student, name)):
            _take_out(student, name, settings, writer, journal, out_of_class=False)
            yield Progress(student, problem=_asked(task))
            continue
        record = _finished(student, name, fingerprint, settings, writer, journal)
        if record is None:
            todo.append(student)
            left = journal.who_left_with(name, fingerprint)
            if left is not None and journal.record_of(student, name) is None and left not in roll.students:
                renamed[student] = (f"{shown(student)}: handed in what {shown(left)} had, who has left; if it is one "
                                    f"person: autograde rename {shlex.quote(left)} {shlex.quote(student)}")
        else:
            yield Progress(student, record, resumed=True, problem=_problem(record) or _asked(task))
    for task, result, handed_in in pool.grade((read(student)[0] for student in todo), lesson):
        warning, can_be_recorded = "", task.student not in nameless
        if can_be_recorded:
            began = time.monotonic()
            warning = record_one(settings, writer, task, result, handed_in, journal.given_before(task.student, name))
            result = replace(result, parts=result.parts | {"write": time.monotonic() - began})
        record = result.record()  # once: journal and table keep the same one, for everybody in the class
        if can_be_recorded and handed_in.status != CRASHED:  # else the grader failed: the next run tries again
            journal.append(task.student, name, fingerprints[task.student], record, settings.submitted)
        yield Progress(task.student, record, problem=_problem(record, handed_in) or _asked(task)
                       or renamed.get(task.student, "") or (f"{shown(task.student)}: {warning}" if warning else ""))


def take_out_removed(settings: Settings, writer: Writer, journal: Journal) -> list[str]:
    """Take students out whose folder is gone from the class's directory; returns their names.

    Only those whose work was graded from this very directory. What people gave them comes back with the folder.
    """
    there = set(students(settings.submitted))
    gone = [(student, lesson) for student, lesson in journal.handed_in_below(settings.submitted)
            if student not in there and lesson in course.lessons()]
    for student, lesson in gone:
        writer.prepare(lesson)
        _take_out(student, lesson, settings, writer, journal, out_of_class=True)
    return sorted({student for student, _ in gone})


def rename(old: str, new: str, settings: Settings, writer: Writer, journal: Journal) -> list[str]:
    """Make a student's name another one: the folder, if that was not done, and what people gave, lesson by lesson.

    Code that was graded under the old name is graded again under the new one, with inputs of its own: the next run
    does it. Returns the lessons it concerns. Raises UserError, and changes nothing, if either name will not do.
    """
    roll = read_roll(settings.submitted)
    if problem := name_problem(new):
        raise UserError(f"{shown(new)}: {problem.replace('; rename the folder', '')}")
    if old in roll.students and new in roll.students:
        raise UserError(f"{shown(old)} and {shown(new)} both have a folder; a name that is taken cannot be given")
    if old not in roll.students and new not in roll.students:
        raise UserError(f"neither {shown(old)} nor {shown(new)} has a folder in {course.said(settings.submitted)}")
    if old in roll.students:
        folders = roll.students[old].folders
        if len(folders) > 1:
            raise UserError(f"{shown(old)} has {len(folders)} folders; put their contents into one first")
        (settings.submitted / folders[0]).rename(settings.submitted / new)
    concerned = []
    for lesson in course.lessons():
        writer.prepare(lesson)
        given = writer.given(old, lesson) or journal.given_before(old, lesson)
        if given is None and journal.record_of(old, lesson) is None:
            continue
        concerned.append(lesson)
        if journal.record_of(new, lesson) is None:
            journal.append_kept(new, lesson, given)  # first: a killed run must not lose what people gave
        elif given:
            writer.give_back(new, lesson, given)
        writer.take_out(old, lesson, out_of_class=True)
        journal.append_ended(old, lesson)
        pages.remove(settings.output, old, lesson)
    return concerned


def _take_out(student: str, lesson: str, settings: Settings, writer: Writer, journal: Journal, *,
              out_of_class: bool) -> None:
    given = writer.given(student, lesson)
    if given is not None or journal.record_of(student, lesson) is not None:
        journal.append_taken_out(student, lesson, given)  # first: a killed run must not lose what people gave
        writer.take_out(student, lesson, out_of_class=out_of_class)
    pages.remove(settings.output, student, lesson)


def _still_may(due: datetime | None) -> bool:
    return due is not None and datetime.now(UTC).replace(tzinfo=None) < due


def try_again(lesson: Lesson, settings: Settings, pool: Pool) -> Iterator[Progress]:
    """Grade a lesson's submissions and write nothing: what a regrade would give."""
    secret = engine.secret_for(settings.output)
    roll = read_roll(settings.submitted)
    tasks = (read_task(roll, student, lesson.name, secret, lesson.exercises) for student in roll.students)
    for _, result, handed_in in pool.grade(tasks, lesson):
        yield Progress(result.student, result.record(), problem=_problem(result.record(), handed_in))


def _finished(student: str, lesson: str, fingerprint: str, settings: Settings, writer: Writer, journal: Journal):
    """The record of an earlier run, if it stands: same bytes, same grader, and what it wrote still there."""
    if settings.force or not journal.done(student, lesson, fingerprint):
        return None
    record = journal.record_of(student, lesson)
    there = pages.notebook_path(settings.output, student, lesson).exists()  # a page is made from it
    return record if there and writer.holds(student, lesson, record) else None


def record_one(settings: Settings, writer: Writer, task: Task, result: Result, handed_in: Submission,
               given: dict | None = None) -> str:
    """Write one submission: its transaction, then its pages; returns a sentence if its timestamp is odd.

    A run killed in between writes them again: the journal's line comes last. `given` is what people gave it before
    it was taken out, if it was.
    """
    student, lesson = result.student, result.lesson
    folder = _handed_in_at(settings, task)
    notebook_path = pages.notebook_path(settings.output, student, lesson)
    timestamp, warning = timestamp_of(folder)
    writer.record(result, handed_in, timestamp, rewritten=autograded.rewritten(notebook_path, handed_in))
    if given:
        writer.give_back(student, lesson, given)
    notebook = autograded.autograded(result, handed_in)
    course.write_text(notebook_path, autograded.as_json(notebook))
    pages.write_beside(notebook_path.parent, handed_in.files)
    pages.write_page(settings.output, notebook, writer.standing(student, lesson))
    for path in (notebook_path, pages.page_path(settings.output, student, lesson)):
        pages.copy_for_exchange(folder, path.parent)
    return warning


def _handed_in_at(settings: Settings, task: Task) -> Path:
    return settings.submitted.joinpath(*task.folder or (task.student, task.lesson))


def _asked(task: Task) -> str:
    """One line about a folder that the instructor has to look at, empty for all others."""
    return f"{shown(task.student)}: {task.asks}" if task.asks else ""


def _problem(record: dict, handed_in: Submission | None = None) -> str:
    """One line for a submission the instructor has to ask about, empty for all others."""
    student = shown(record["student"])
    if record["status"] == UNREADABLE or (handed_in is not None and handed_in.status == CRASHED):
        return f"{student}: {record['note']}"
    if handed_in is not None and handed_in.rescued:
        return f"{student}: {handed_in.note or '; '.join(handed_in.repairs)}"
    return ""
