"""What an instructor does with grades beside grading: say who is in the class, report on it, pass grades on."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from autograde import course
from autograde.course import ROOT, UserError, write_bytes
from autograde.intake import roster as rosters
from autograde.nbgrader import late_penalty
from autograde.recording import pages, platforms
from autograde.recording.export import Grade, rounded
from autograde.recording.gradebook import Writer
from autograde.recording.report import People
from autograde.records import Standing
from autograde.running.engine import secret_for
from autograde.text import shown

MOST_NAMES = 10  # listed in one line


def roster_and_show(path: Path, settings, console: Console, errors: Console) -> int:
    """Write a roster into the gradebook and say what changed; returns how many rows could not be taken."""
    roster = rosters.read(path)
    if not roster.people and not roster.problems:
        raise UserError(f"the roster {path} names no student")
    settings.output.mkdir(parents=True, exist_ok=True)
    with Writer(settings.db_url, "unrolled") as writer:
        new, changed = writer.enrol(roster.people.values())
        others = [student for student in writer.students() if student not in roster.people]
    console.print(f"The roster looks like {roster.platform or 'a table'}: {len(roster.people)} students, "
                  f"{len(new)} new in the gradebook, {len(changed)} changed.", soft_wrap=True)
    if others:
        console.print(f"Not in the roster, and left as they are: {_names(others)}", soft_wrap=True)
    for problem in roster.problems:
        errors.print(f"not taken: {problem}", soft_wrap=True)
    return len(roster.problems)


def export_and_show(to: str, names: Sequence[str] | None, settings, file: Path | None, columns: Mapping[str, str],
                    console: Console, errors: Console, *, mark: bool = False) -> None:
    """Write the grades of now for a platform, and say where, what is unfinished in them, and what to do next.

    Parameters
    ----------
    names : lessons; None means every assignment that the gradebook has a submission for.
    file : where to; by default ``export/`` in the output folder.
    columns : what the platform calls an assignment, where that is not its name here.
    mark : begin a CSV file with the mark by which Excel knows UTF-8.
    """
    grades, standings = _read(names, settings)
    wrong = sorted(set(columns) - {grade.assignment for grade in grades})
    if wrong:
        raise UserError(f"--column {wrong[0]}=...: no such lesson is exported")
    path = file or settings.output / "export" / platforms.TARGETS[to].file
    try:
        for place, content in _files(to, path, grades, standings, settings, columns, mark):
            write_bytes(place, content)
            console.print(f"{place}", soft_wrap=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from None
    console.print(f"{len({grade.student_id for grade in grades})} students, "
                  f"{', '.join(dict.fromkeys(grade.assignment for grade in grades))}", soft_wrap=True)
    console.print(f"Next, {platforms.TARGETS[to].then}.", soft_wrap=True)
    for line in _unfinished(to, grades):
        errors.print(f"note: {line}", soft_wrap=True)


def report_and_show(names: Sequence[str] | None, settings, console: Console, *, anonymous: bool = False) -> None:
    """Write the class reports of lessons, and the course's if none is named; of everybody by name or by a number."""
    _require_gradebook(settings.db_url)
    now = datetime.now(UTC).replace(tzinfo=None)
    with Writer(settings.db_url, "unrolled", late=late_penalty(ROOT)) as writer:
        lessons = {}
        for name in _recorded(names, [name for name in writer.recorded() if name in course.lessons()]):
            writer.prepare(name)
            lessons[name] = pages.records(settings.output, name), writer.standings(name), writer.due_dates(name)
        enrolled = writer.students()
    people = People(_numbers(settings.output, enrolled), anonymous)
    for name, (records, standings, (common, own)) in lessons.items():
        nothing = [student for student in enrolled if student not in standings]
        absent = [student for student in nothing if (due := own.get(student, common)) is not None and now < due]
        console.print(str(pages.write_report(settings.output, name, records, standings, absent, [
            student for student in nothing if student not in absent], people)), soft_wrap=True)
    if not names:
        console.print(str(pages.write_course_report(
            settings.output, {name: found[:2] for name, found in lessons.items()}, enrolled, people)), soft_wrap=True)


def _numbers(output: Path, students: Sequence[str]) -> dict[str, str]:
    """A number for each student, the same in every report, in an order that only the course's secret gives."""
    secret = secret_for(output)
    shuffled = sorted(students, key=lambda student: hmac.digest(secret, student.encode(), "sha256"))
    return {student: f"student {number}" for number, student in enumerate(shuffled, 1)}


def _recorded(names: Sequence[str] | None, recorded: Sequence[str]) -> list[str]:
    """The assignments asked for; all that the gradebook has something of if none is. Raises UserError without any."""
    missing = [name for name in names or [] if name not in recorded]
    if missing or not recorded:
        raise UserError(f"the gradebook has no submission for {missing[0] if missing else 'any lesson'} yet; "
                        + (f"there are: {', '.join(recorded)}" if recorded else "grade first: autograde grade"))
    return list(dict.fromkeys(names or recorded))


def _read(names: Sequence[str] | None, settings) -> tuple[list[Grade], dict[str, dict[str, Standing]]]:
    """The grades of now, and the lessons' standings by lesson and student."""
    _require_gradebook(settings.db_url)
    with Writer(settings.db_url, "unrolled", late=late_penalty(ROOT)) as writer:
        chosen = _recorded(names, writer.recorded())
        standings = {}
        for name in chosen:
            if name in course.lessons():
                writer.prepare(name)
                standings[name] = writer.standings(name)
        grades = writer.grades(chosen, datetime.now(UTC).replace(tzinfo=None))
    return sorted(grades, key=lambda grade: chosen.index(grade.assignment)), standings


def _require_gradebook(db_url: str) -> None:
    """A file that is not there is no gradebook: opening it would make an empty one."""
    try:
        url = make_url(db_url)
    except (ArgumentError, ValueError):
        return  # said where it is opened
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise UserError(f"there is no gradebook {url.database}; grade first, or name it with --db")


def _files(to: str, path: Path, grades: Sequence[Grade], standings, settings, columns: Mapping[str, str],
           mark: bool) -> list[tuple[Path, bytes]]:
    marks = {(student, lesson): _marks(standing) for lesson, those in standings.items()
             for student, standing in those.items()}
    if to == "json":
        statuses = {(record["student"], lesson): record["status"] for lesson in standings
                    for record in pages.records(settings.output, lesson)}
        return [(path, platforms.everything(grades, marks, statuses, columns).encode())]
    if to == "gradescope":
        lessons = dict.fromkeys(grade.assignment for grade in grades)
        return [(path / f"{lesson}.zip", platforms.gradescope(
            [grade for grade in grades if grade.assignment == lesson],
            {student: found for (student, of), found in marks.items() if of == lesson})) for lesson in lessons]
    return [(path, platforms.table(to, grades, columns).encode("utf-8-sig" if mark else "utf-8"))]


def _marks(standing: Standing) -> list[dict]:
    """Each exercise's marks as plain JSON types."""
    return [{"exercise": name.removesuffix("-check").replace("-", ".", 1), "written": mark.written,
             "auto": mark.auto, "manual": mark.manual, "extra_credit": mark.extra, "score": rounded(mark.score),
             "max_score": rounded(mark.max_score), "waits": mark.waits, "comment": mark.comment}
            for name, mark in standing.marks.items()]


def _unfinished(to: str, grades: Sequence[Grade]) -> list[str]:
    """What an instructor should know before these grades are given out, a line each."""
    def those(condition) -> list[str]:
        return sorted({grade.student_id for grade in grades if condition(grade)})

    lines = []
    if unread := those(lambda grade: grade.unread):
        lines.append(f"written answers of {len(unread)} students wait for a reader; until then they count nothing: "
                     + _names(unread))
    if open_yet := those(lambda grade: grade.score is None):
        lines.append(f"{len(open_yet)} students have handed in nothing and still may; no score is written for that: "
                     + _names(open_yet))
    if above := those(lambda grade: grade.score is not None and grade.score > grade.max_score):
        lines.append(f"more than all points, by extra credit (some platforms cut them): {_names(above)}")
    needed = {"canvas": ("number", "Canvas's own ID"), "moodle": ("email", "e-mail address"),
              "gradescope": ("email", "e-mail address")}.get(to)
    if needed and (without := those(lambda grade: not getattr(grade, needed[0]))):
        lines.append(f"{len(without)} students without {needed[1]}, so only their id tells the platform who they are; "
                     f"take in the platform's own list with `autograde roster FILE`: {_names(without)}")
    return lines


def _names(students: Sequence[str]) -> str:
    more = len(students) - MOST_NAMES
    return ", ".join(map(shown, students[:MOST_NAMES])) + (f" and {more} more" if more > 0 else "")
