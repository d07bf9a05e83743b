"""What a grading run shows a person: protections, progress, the table, what changed on a regrade."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from autograde import course, run
from autograde.course import ROOT, UserError, write_text
from autograde.intake.roll import read_roll
from autograde.nbgrader import late_penalty
from autograde.recording import pages
from autograde.recording.feedback import moment
from autograde.recording.gradebook import Writer
from autograde.recording.journal import Journal
from autograde.records import GRADED, Standing
from autograde.running import sandbox
from autograde.running.pool import Lesson, Pool
from autograde.text import shown

LONGEST_NAME = 40  # characters of a student's name in the table


def print_protections(console: Console, box, *, whole: bool = False) -> bool:
    """Say what is in force; returns whether student code is closed in."""
    isolated = bool(box.greeting.get("isolated"))
    if whole:
        for name, on in box.protections.items():
            console.print(f"{'✔ on ' if on else '✘ OFF'}  {name}")
        watchdog = "by the kernel" if box.protections["memory limit by the kernel"] else "measured from outside"
        console.print(f"       memory is limited {watchdog}; libraries imported in {box.greeting['import_seconds']} s")
        if not isolated:
            console.print(f"Student code would run UNPROTECTED here: {box.reason}", soft_wrap=True)
        return isolated
    off = [name for name, on in box.protections.items() if not on]
    line = "Protections in force: " + ("all" if not off else "all but " + ", ".join(off)) if isolated else (
        f"Student code is NOT closed in here ({box.reason}); off: {', '.join(off)}")
    console.print(line, soft_wrap=True)
    return isolated


def grade_and_show(names, settings, console: Console, errors: Console, *, json_file: Path | None = None,
                   unprotected: bool = False, only_handed_in: bool = False) -> list[str]:
    """Grade lessons, print table and places; returns one line for everything that needs an instructor's eye."""
    problems = list(read_roll(settings.submitted).questions)
    run.prepare_output(settings.output)
    graded: list[Shown] = []
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(settings.output))
        writer = stack.enter_context(Writer(settings.db_url, "unrolled", late=late_penalty(ROOT)))
        for name in names:
            writer.prepare(name)
        if not only_handed_in:
            problems += [_was_taken_out(student) for student in run.take_out_removed(settings, writer, journal)]
        pool = _start(stack, settings, errors, unprotected)
        for name in names:
            records, absent = [], []
            with _bar(errors, name, settings) as advance:
                for progress in run.grade_lesson(name, settings, pool, writer, journal, only_handed_in=only_handed_in):
                    problems += [progress.problem] if progress.problem else []
                    if progress.record is None:
                        absent.append(progress.student)
                    else:
                        records.append(progress.record)
                    advance(progress)
            graded.append(refresh(settings.output, name, writer, records, absent))
        _write_course_report(settings.output, writer, graded)
    if json_file is not None:
        try:
            write_text(json_file, json.dumps([line for one in graded for line in one.lines()], indent=1,
                                             ensure_ascii=False) + "\n")
        except OSError as error:
            raise UserError(f"cannot write {json_file}: {error.strerror or error}") from None
    print_class(console, graded, settings)
    problems.sort()
    for problem in problems:
        errors.print(f"autograde: {problem}", soft_wrap=True)
    return problems


def refresh_and_show(names, settings, console: Console) -> None:
    """Bring pages, reports and penalties up to what the gradebook holds now, and print the table. Runs no code."""
    run.prepare_output(settings.output)
    graded = []
    with (Journal(settings.output) as journal,
          Writer(settings.db_url, "unrolled", late=late_penalty(ROOT)) as writer):
        if settings.submitted.is_dir():
            for student in run.take_out_removed(settings, writer, journal):
                console.print(_was_taken_out(student), soft_wrap=True)
        for name in names:
            writer.prepare(name)
            graded.append(refresh(settings.output, name, writer, pages.records(settings.output, name)))
        _write_course_report(settings.output, writer, graded)
    print_class(console, graded, settings)


def rename_and_show(old: str, new: str, settings, console: Console) -> None:
    """Give a student another name and say what is left to do."""
    run.prepare_output(settings.output)
    with (Journal(settings.output) as journal,
          Writer(settings.db_url, "unrolled", late=late_penalty(ROOT)) as writer):
        lessons = run.rename(old, new, settings, writer, journal)
        for lesson in lessons:
            refresh(settings.output, lesson, writer, pages.records(settings.output, lesson))
    console.print(f"{shown(old)} is now {shown(new)}." + (
        f" Marks by hand, comments and dates of {', '.join(lessons)} went along; the code is graded under the new name "
        f"by: autograde grade {' '.join(lessons)}" if lessons else " Nothing was graded yet."), soft_wrap=True)


def due_and_show(lesson: str, date: tuple, students: Sequence[str], settings, console: Console) -> None:
    """Set when a lesson is due, if there is a `date`, bring what is shown up to it, and print the dates."""
    run.prepare_output(settings.output)
    with Writer(settings.db_url, "unrolled", late=late_penalty(ROOT)) as writer:
        writer.prepare(lesson)
        if date:
            writer.set_due(lesson, *date, students)
            if records := pages.records(settings.output, lesson):
                refresh(settings.output, lesson, writer, records)
        common, own = writer.due_dates(lesson)
    said = f"due {moment(common)}" if common else (
        "has no due date: nothing is late, and who hands in nothing has 0 points")
    lines = [f"{lesson}: {said}", *(f"  {student}: {moment(date)}" for student, date in sorted(own.items()))]
    console.print("\n".join(lines), soft_wrap=True)


def refresh(output: Path, lesson: str, writer: Writer, records: list[dict], absent: Sequence[str] = ()) -> Shown:
    """Rewrite what is stale of a lesson's pages and report; returns what the gradebook holds."""
    standings = writer.standings(lesson)
    rewritten = pages.refresh(output, lesson, standings)
    pages.write_report(output, lesson, records, standings, absent)
    return Shown(lesson, sorted(records, key=lambda record: record["student"]), standings, tuple(absent), rewritten)


def _write_course_report(output: Path, writer: Writer, graded: Sequence[Shown]) -> None:
    """Bring the course's report up to date if all its lessons were shown; `autograde report` does it at any time."""
    shown_here = {one.lesson: (one.records, one.standings) for one in graded if one.records}
    if len(shown_here) > 1 and set(writer.recorded()) & set(course.lessons()) <= shown_here.keys():
        pages.write_course_report(output, shown_here)


@dataclass(frozen=True)
class Shown:
    """A lesson as it is shown: what the checks said (`records`) beside what the gradebook holds."""

    lesson: str
    records: list[dict]
    standings: Mapping[str, Standing]
    absent: tuple[str, ...] = ()
    rewritten: int = 0

    def lines(self) -> list[dict]:
        """The records with the gradebook's points: what ``--json`` writes and the table prints."""
        found = []
        for record in self.records:
            held = self.standings.get(record["student"])
            found.append(record if held is None else record | {
                "score": held.score, "max_score": held.max_score, "penalty": held.penalty, "unread": held.unread})
        return found


def _was_taken_out(student: str) -> str:
    name = shown(student)
    return (f"{name}: has no folder any more, so pages and gradebook have no {name} either; "
            "marks given by hand come back with the folder")


def _start(stack: ExitStack, settings, errors: Console, unprotected: bool) -> Pool:
    with errors.status("starting the warm process (it imports Keras once) ..."):
        if settings.scheduler is None:
            with sandbox.shared(settings.limits) as box:
                isolated = print_protections(errors, box)
            if not isolated and not unprotected:
                raise UserError("student code would run unprotected; see `autograde doctor`, or pass --unprotected")
        return stack.enter_context(Pool(settings.workers, settings.scheduler, settings.limits))


def _bar(errors: Console, name: str, settings):
    """A progress bar as a context manager; yields the function that advances it."""
    from contextlib import contextmanager

    @contextmanager
    def bar():
        columns = (TextColumn(f"{name}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                   TextColumn("{task.fields[last]}", markup=False))
        with Progress(*columns, console=errors, transient=True) as progress:
            task = progress.add_task(name, total=len(run.students(settings.submitted)), last="")
            yield lambda done: progress.update(task, advance=1, last=shown(done.student, 30))

    return bar()


def print_class(console: Console, graded: Sequence[Shown], settings) -> None:
    """The table, who is still to hand in, and where everything is."""
    print_table(console, [line for one in graded for line in one.lines()])
    for one in graded:
        if one.absent:
            names = ", ".join(map(shown, one.absent[:20])) + (" and more" if len(one.absent) > 20 else "")
            console.print(f"\n{one.lesson}: {len(one.absent)} have not handed in, and still may: {names}",
                          soft_wrap=True)
    rewritten = sum(one.rewritten for one in graded)
    console.print(f"\nfeedback: {settings.output / 'feedback'}"
                  + (f" ({rewritten} pages brought up to date)" if rewritten else "")
                  + f"\nreport:   {settings.output / 'report'}\ngradebook: {settings.db_url.rsplit('@')[-1]}",
                  soft_wrap=True)


def print_table(console: Console, lines: list[dict]) -> None:
    """One row a submission, with the gradebook's points; then what the class misunderstood most often."""
    table = Table(header_style="bold", box=None, pad_edge=False)
    # Names give way to scores: on a narrow terminal they are cut, and what is misunderstood wraps.
    table.add_column("student", max_width=LONGEST_NAME, overflow="ellipsis", no_wrap=True)
    table.add_column("lesson", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True, min_width=max(
        [len(_score(line)) for line in lines], default=0))
    late, unread = (any(line.get(key) for line in lines) for key in ("penalty", "unread"))
    for title in ("late",) * late + ("unread",) * unread:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True, min_width=max([len(_status(line)) for line in lines], default=0))
    table.add_column("misunderstood", ratio=1)
    table.add_column("repairs", justify="right")
    misunderstood: Counter = Counter()
    for line in lines:
        names = [f"{e['id']}: {name}" for e in line["exercises"] for name in e["diagnosis"]]
        misunderstood.update(names)
        more = [f"−{line['penalty']:g}" if line.get("penalty") else ""] * late
        more += [f"{line['unread']:g}" if line.get("unread") else ""] * unread
        # As text: square brackets and colons in a name are no markup and no emoji.
        table.add_row(Text(shown(line["student"], LONGEST_NAME)), line["lesson"], _score(line), *more,
                      _status(line), "; ".join(names), str(len(line["repairs"]) or ""))
    console.print(table)
    if misunderstood:
        console.print("\nMost often misunderstood:")
        for name, count in misunderstood.most_common(5):
            console.print(f"  {count} × {name}")


def _score(line: dict) -> str:
    return f"{line['score']:g}/{line['max_score']:g}"


def _status(line: dict) -> str:
    return line["status"] if line["status"] == GRADED else f"! {line['status']}"


def regrade_and_show(names, settings, console: Console, errors: Console, *, write: bool, unprotected: bool) -> None:
    """Grade again without writing, show each change with its reason; with `write`, record the changed ones."""
    from dataclasses import replace

    run.students(settings.submitted)
    changed: list[tuple[str, str]] = []
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(settings.output))
        writer = stack.enter_context(Writer(settings.db_url, "unrolled", late=late_penalty(ROOT)))
        pool = _start(stack, settings, errors, unprotected)
        for name in names:
            writer.prepare(name)
            with _bar(errors, name, settings) as advance:
                for progress in run.try_again(Lesson.load(name), settings, pool):
                    advance(progress)
                    old = journal.record_of(progress.record["student"], name)
                    lines = changes(old, progress.record)
                    if lines:
                        changed.append((progress.record["student"], name))
                        console.print("\n".join(lines), soft_wrap=True)
        console.print(f"{len(changed)} of {len(run.students(settings.submitted)) * len(names)} would change."
                      + ("" if write or not changed else " Nothing was written; add --write to record them."))
        if write:
            forced = replace(settings, force=True)
            for name in names:
                only = {student for student, lesson in changed if lesson == name}
                for _ in run.grade_lesson(name, forced, pool, writer, journal, only=only):
                    pass
                refresh(settings.output, name, writer, pages.records(settings.output, name))


def changes(old: dict | None, new: dict) -> list[str]:
    """How a submission's grade changes, exercise by exercise, in words; empty if it does not."""
    if old is None:
        return [f"{shown(new['student'])}: not graded before, now {new['score']:g} points ({new['status']})"]
    before = {e["id"]: e for e in old["exercises"]}
    lines = []
    for exercise in new["exercises"]:
        was = before.get(exercise["id"])
        if was is None or (was["points"], was["max_points"]) == (exercise["points"], exercise["max_points"]):
            continue
        passed = {a["name"]: a["passed"] for a in was["aspects"]}
        reasons = [f"{a['name']} is now {'right' if a['passed'] else 'wrong'}" for a in exercise["aspects"]
                   if passed.get(a["name"], not a["passed"]) != a["passed"]]
        lines.append(f"    {exercise['id']}: {was['points']:g}/{was['max_points']:g} → "
                     f"{exercise['points']:g}/{exercise['max_points']:g} ({'; '.join(reasons) or 'other points'})")
    if not lines and (old["status"], old["score"]) == (new["status"], new["score"]):
        return []
    status = f", {old['status']} → {new['status']}" if old["status"] != new["status"] else ""
    return [f"{shown(new['student'])}: {new['score'] - old['score']:+g} points{status}", *lines]


def collect_and_show(download: Path, submitted: Path, lesson: str, roster: Path | None, console: Console,
                     errors: Console) -> int:
    """Sort a download and say what went where; returns how many things could not be placed."""
    from autograde.intake.collect import collect

    done = collect(download, submitted, lesson, roster)
    lessons = Counter(name for _, name in done.placed)
    for name, count in sorted(lessons.items()):
        console.print(f"{name}: {count} student{'s' * (count != 1)} → {submitted}", soft_wrap=True)
    console.print(f"The download looks like {done.platform or 'a folder a student'}.", soft_wrap=True)
    for line in done.replaced:
        console.print(line, soft_wrap=True)
    for line in done.unplaced:
        errors.print(f"not placed: {line}", soft_wrap=True)
    return len(done.unplaced)
