"""What a grading run shows a person: protections, progress, the table, what changed on a regrade."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from autograde import run
from autograde.authoring.desk import Laid
from autograde.course import ROOT, UserError, write_text
from autograde.judging import oracles
from autograde.nbgrader import late_penalty
from autograde.recording import report
from autograde.recording.gradebook import Journal, Writer
from autograde.records import GRADED
from autograde.running import sandbox
from autograde.running.pool import Lesson, Pool


def print_protections(console: Console, box, *, whole: bool = False) -> bool:
    """Say what is in force; returns whether student code is closed in."""
    isolated = bool(box.greeting.get("isolated"))
    if whole:
        for name, on in box.protections.items():
            console.print(f"{'✔ on ' if on else '✘ OFF'}  {name}")
        watchdog = "by the kernel" if box.protections["memory limit by the kernel"] else "measured from outside"
        console.print(f"       memory is limited {watchdog}; libraries imported in {box.greeting['import_seconds']} s")
        if not isolated:
            console.print(f"Student code would run UNPROTECTED here: {box.reason}", markup=False, soft_wrap=True)
        return isolated
    off = [name for name, on in box.protections.items() if not on]
    line = "Protections in force: " + ("all" if not off else "all but " + ", ".join(off)) if isolated else (
        f"Student code is NOT closed in here ({box.reason}); off: {', '.join(off)}")
    console.print(line, markup=False, soft_wrap=True)
    return isolated


def print_desk(console: Console, laid: list[Laid], folder: Path) -> None:
    """Say where a student's own copy lies and what changed in it."""
    console.print(f"Your own copy of the course: {folder.absolute()}", markup=False, soft_wrap=True)
    for what, words in (("new", "laid out"), ("replaced", "brought up to date; you had not begun them")):
        names = [one.lesson for one in laid if one.what == what]
        if names:
            console.print(f"  {words}: {', '.join(names)}", markup=False, soft_wrap=True)
    for one in laid:
        if one.says:
            console.print(f"  {one.says}.", markup=False, soft_wrap=True)


def grade_and_show(names, settings, console: Console, errors: Console, *, json_file: Path | None = None,
                   unprotected: bool = False, only_handed_in: bool = False) -> list[str]:
    """Grade lessons, print table and places; returns one line for everything that needs an instructor's eye."""
    run.students(settings.submitted)
    run.prepare_output(settings.output)
    records: list[dict] = []
    problems: list[str] = []
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(settings.output))
        writer = stack.enter_context(Writer(settings.db_url, "unrolled", late=late_penalty(ROOT)))
        for name in names:
            writer.prepare(name)
        pool = _start(stack, settings, errors, unprotected)
        for name in names:
            with _bar(errors, name, settings) as advance:
                for progress in run.grade_lesson(name, settings, pool, writer, journal, only_handed_in=only_handed_in):
                    records.append(progress.record)
                    problems += [progress.problem] if progress.problem else []
                    advance(progress)
            write_report(settings.output, name, [r for r in records if r["lesson"] == name])
    records.sort(key=lambda r: (r["lesson"], r["student"]))
    if json_file is not None:
        try:
            write_text(json_file, json.dumps(records, indent=1, ensure_ascii=False) + "\n")
        except OSError as error:
            raise UserError(f"cannot write {json_file}: {error.strerror or error}") from None
    print_table(console, records)
    console.print(f"\nfeedback: {settings.output / 'feedback'}\nreport:   {settings.output / 'report'}"
                  f"\ngradebook: {settings.db_url.rsplit('@')[-1]}", markup=False, soft_wrap=True)
    problems.sort()
    for problem in problems:
        errors.print(f"autograde: {problem}", markup=False, soft_wrap=True)
    return problems


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
                   TextColumn("{task.fields[last]}"))
        with Progress(*columns, console=errors, transient=True) as progress:
            task = progress.add_task(name, total=len(run.students(settings.submitted)), last="")
            yield lambda done: progress.update(task, advance=1, last=done.record["student"][:30])

    return bar()


def write_report(output: Path, lesson: str, records: list[dict]) -> None:
    """The class report of one lesson, whole or not at all."""
    write_text(output / "report" / f"{lesson}.html",
               report.class_report(lesson, records, oracles.of_lesson(lesson)))


def print_table(console: Console, records: list[dict]) -> None:
    """One row a submission; then what the class misunderstood most often."""
    table = Table(header_style="bold", box=None, pad_edge=False)
    for title in ("student", "lesson"):
        table.add_column(title, no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("misunderstood", ratio=1)
    table.add_column("repairs", justify="right")
    misunderstood: Counter = Counter()
    for record in records:
        names = [f"{e['id']}: {name}" for e in record["exercises"] for name in e["diagnosis"]]
        misunderstood.update(names)
        status = record["status"] if record["status"] == GRADED else f"! {record['status']}"
        table.add_row(_plain(record["student"]), record["lesson"], f"{record['score']:g}/{record['max_score']:g}",
                      status, "; ".join(names), str(len(record["repairs"]) or ""))
    console.print(table)
    if misunderstood:
        console.print("\nMost often misunderstood:")
        for name, count in misunderstood.most_common(5):
            console.print(f"  {count} × {name}", markup=False)


def _plain(text: str) -> str:
    """A student's folder name without control characters or markup."""
    return "".join(c if c.isprintable() else "?" for c in text).replace("[", "(")


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
                        console.print("\n".join(lines), markup=False, soft_wrap=True)
        console.print(f"{len(changed)} of {len(run.students(settings.submitted)) * len(names)} would change."
                      + ("" if write or not changed else " Nothing was written; add --write to record them."))
        if write:
            forced = replace(settings, force=True)
            for name in names:
                only = {student for student, lesson in changed if lesson == name}
                for _ in run.grade_lesson(name, forced, pool, writer, journal, only=only):
                    pass


def changes(old: dict | None, new: dict) -> list[str]:
    """How a submission's grade changes, exercise by exercise, in words; empty if it does not."""
    if old is None:
        return [f"{new['student']}: not graded before, now {new['score']:g}/{new['max_score']:g} ({new['status']})"]
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
    return [f"{new['student']}: {new['score'] - old['score']:+g} points{status}", *lines]
