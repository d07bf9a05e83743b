"""The `autograde` command. Each subcommand imports what it needs, so that `--help` answers at once."""

from __future__ import annotations

import inspect
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from autograde import author
from autograde.author import Lessons
from autograde.course import ROOT, WORK, UserError
from autograde.starting import console, errors, quick_imports, speak_utf8, warm_up

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Submitted = Annotated[Path, typer.Option(help="The class: <student>/<lesson>/<lesson>.ipynb below this folder.")]
Output = Annotated[Path, typer.Option(help="Where autograded/, feedback/, report/ and the gradebook go.")]
Db = Annotated[str, typer.Option(help="The gradebook: sqlite:///FILE or postgresql://USER@HOST/DATABASE. "
                                 "[default: gradebook.db in the output folder]", show_default=False)]
Workers = Annotated[int, typer.Option(min=1, help="Submissions graded at once on this machine.")]
Scheduler = Annotated[str, typer.Option(help="Address of a Dask scheduler, to grade on its workers: tcp://HOST:8786.",
                                        show_default=False)]
Unprotected = Annotated[bool, typer.Option("--unprotected", help="Go on although student code cannot be closed in.")]
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _print_version(asked: bool) -> None:
    if asked:
        from autograde.installed import versions

        console.print(versions(), soft_wrap=True)
        raise typer.Exit


@app.callback()
def autograde(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True,
                                          help="Say which versions are installed, and stop.")] = False,
) -> None:
    """Build the course's lessons and grade whole classes.

    A first class:  autograde grade 04_lstm   (submissions in submitted/, results in feedback/ and the formgrader).
    """


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    context: typer.Context,
    folder: Annotated[Path, typer.Option(help="Where your copy of the lessons is kept.")] = WORK,
) -> None:
    """Open your own copy of the lessons in JupyterLab; other options, such as --no-browser, are JupyterLab's.

    Nothing you saved is ever overwritten: a lesson that changed since you began it arrives beside yours. What an
    instructor needs of nbgrader is not shown here; `jupyter lab` in the course directory shows it.
    """
    from jupyterlab.labapp import LabApp

    from autograde.authoring import desk

    for line in desk.in_words(desk.lay_out(folder), folder):
        console.print(line, soft_wrap=True)
    os.chdir(folder)
    paths = [str(desk.LAB), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(paths)

    LabApp.launch_instance(argv=context.args)


for _name, _command in author.COMMANDS.items():
    app.command(_name)(_command)


@app.command()
def collect(
    download: Annotated[Path, typer.Argument(help="A zip archive or a folder, as the platform gave it.")],
    submitted: Submitted = ROOT / "submitted",
    roster: Annotated[Path | None, typer.Option(help="CSV: the student's id, and what the platform calls them "
                                                "(name, e-mail, number).")] = None,
    lesson: Annotated[str, typer.Option(help="What all of it belongs to, if the notebooks do not say it.")] = "",
) -> None:
    """Sort a download of Canvas, Moodle, Gradescope or Brightspace into submitted/<student>/<lesson>/.

    An archive with a folder a student works too. What was handed in before and differs is kept in replaced/. Exit
    code 2: something could not be placed; it is listed, and everything else was.
    """
    from autograde import course
    from autograde.show import collect_and_show

    if lesson:
        course.chosen([lesson])
    if collect_and_show(download, submitted, lesson, roster, console, errors):
        raise typer.Exit(2)


@app.command()
def grade(
    names: Lessons = None,
    submitted: Submitted = ROOT / "submitted",
    output: Output = ROOT,
    db: Db = "",
    workers: Workers = CORES,
    scheduler: Scheduler = "",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write a record a submission to this file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what an earlier run has finished.")] = False,
    unprotected: Unprotected = False,
    cell_seconds: Annotated[float, typer.Option(min=1, help="Processor time one cell may take.")] = 10.0,
    memory_mb: Annotated[int, typer.Option("--memory-mb", min=256, help="Memory one submission may take.")] = 2048,
) -> None:
    """Grade a class, closed in and judged from outside.

    Writes nbgrader's gradebook, autograded/ and feedback/ (so the formgrader shows everything) and report/, and
    prints a table. A run that was killed goes on where it was. Exit code 2: something needs your eye, such as a file
    that cannot be read; all other submissions are graded all the same.
    """
    from autograde import course

    chosen, limits = course.chosen(names), _limits(cell_seconds, memory_mb)
    warm_up(limits, scheduler)
    with quick_imports():
        from autograde.authoring import derived
        from autograde.show import grade_and_show

    derived.require(chosen)
    problems = grade_and_show(chosen, _settings(submitted, output, db, workers, scheduler, force, limits), console,
                              errors, json_file=json_file, unprotected=unprotected)
    if problems:
        raise typer.Exit(2)


@app.command()
def feedback(names: Lessons = None, submitted: Submitted = ROOT / "submitted", output: Output = ROOT, db: Db = "",
             ) -> None:
    """Bring pages, reports and late penalties up to what the gradebook holds now; runs no student's code.

    After grading by hand in the formgrader, or after a change of due dates. `grade` does the same at its end.
    """
    from autograde import course

    with quick_imports():
        from autograde.show import refresh_and_show

    refresh_and_show(course.chosen(names), _settings(submitted, output, db, 1, ""), console)


@app.command()
def due(
    lesson: Annotated[str, typer.Argument(help="A lesson such as 04_lstm.", show_default=False)],
    date: Annotated[str, typer.Argument(help="Such as '2026-03-01 23:59 Europe/Madrid'; UTC if no zone is named; "
                                        "'none' takes the date away.", show_default=False)] = "",
    student: Annotated[list[str] | None, typer.Option(help="Set it for this student alone; may be repeated.",
                                                      show_default=False)] = None,
    submitted: Submitted = ROOT / "submitted",
    output: Output = ROOT,
    db: Db = "",
) -> None:
    """Show or set when a lesson is due, for everybody or for one student; penalties and pages follow at once."""
    from autograde import course

    with quick_imports():
        from autograde.recording.due import moment
        from autograde.show import due_and_show

    [name] = course.chosen([lesson])
    if student and not date:
        raise UserError("a date of their own is written before the students: "
                        f"autograde due {name} '2026-03-03 23:59' --student {student[0]}")
    due_and_show(name, (moment(date),) if date else (), student or [],
                 _settings(submitted, output, db, 1, ""), console)


@app.command()
def rename(
    old: Annotated[str, typer.Argument(help="The student's id so far.", show_default=False)],
    new: Annotated[str, typer.Argument(help="The student's id from now on.", show_default=False)],
    submitted: Submitted = ROOT / "submitted",
    output: Output = ROOT,
    db: Db = "",
) -> None:
    """Give a student another id, in all lessons: folder, marks given by hand, comments and dates of their own.

    If you have renamed the folder in submitted/ already, that is noticed. Grade again afterwards: pages, report and
    points under the new id come from there.
    """
    with quick_imports():
        from autograde.show import rename_and_show

    rename_and_show(old, new, _settings(submitted, output, db, 1, ""), console)


@app.command()
def report(
    names: Lessons = None,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Numbers in place of names, no links to pages and no "
                                            "notes; into report/anonymous/.")] = False,
    output: Output = ROOT,
    db: Db = "",
) -> None:
    """Write the class reports: one HTML page a lesson, and one for the course if no lesson is named.

    Who needs your eye, scores, the misconceptions met most often as a chart to open the next lecture with, how hard
    each exercise was and whether it separates, wrong answers that nobody has a name for yet, and every student with a
    link to their page. `grade` and `feedback` write the lessons' reports too.

    With --anonymous it can be shown in a lecture: a student has the same number in every lesson, and who has which
    says only the course's secret. In a class of a few, points alone may tell who it is.
    """
    from autograde import course

    with quick_imports():
        from autograde.office import report_and_show

    report_and_show(course.chosen(names) if names else None, _settings(ROOT, output, db, 1, ""), console,
                    anonymous=anonymous)


@app.command()
def roster(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8: a line of column names, then a row a student.",
                                         show_default=False)],
    output: Output = ROOT,
    db: Db = "",
) -> None:
    """Say who is in the class: names, e-mail addresses and the platform's numbers, written into the gradebook.

    The platform's own file is understood: Canvas (Grades, Export), Moodle (Participants, Download as CSV), Gradescope
    (Roster, Download), Brightspace (Grades, Export, both key fields). Any other table needs a column `student`, `id`,
    `login` or `username` with the name of the student's folder, and may have `first name`, `last name`, `email`,
    `number`.

    Then exports have everybody in them, also who hands in nothing, under the names that the platform knows. Nobody
    is taken out, and an empty cell changes nothing. The same file serves `autograde collect --roster`. Exit code 2: a
    row could not be taken; it is listed, and everybody else was.
    """
    with quick_imports():
        from autograde.office import roster_and_show

    if roster_and_show(file, _settings(ROOT, output, db, 1, ""), console, errors):
        raise typer.Exit(2)


@app.command()
def export(
    names: Lessons = None,
    to: Annotated[Literal["canvas", "moodle", "gradescope", "brightspace", "csv", "json"], typer.Option(
        help="Who is to read it: a learning platform; csv for spreadsheets, with nbgrader's columns; json for "
             "programs, with the marks of each exercise.", show_default=False)] = ...,
    file: Annotated[Path | None, typer.Option(help="Where to. [default: export/ in the output folder]",
                                              show_default=False)] = None,
    column: Annotated[list[str] | None, typer.Option(
        metavar="LESSON=NAME", show_default=False,
        help="What the platform calls a lesson, such as '04_lstm=LSTM (98765)'; may be repeated.")] = None,
    mark: Annotated[bool, typer.Option("--bom", help="Begin a CSV file with a byte order mark: Excel then knows "
                                       "that it is UTF-8 when you double-click it.")] = False,
    output: Output = ROOT,
    db: Db = "",
) -> None:
    """Write the grades of now for a learning platform, a spreadsheet or a program.

    Points are the gradebook's: checks, marks by hand, extra credit, less late penalties. Who has handed in nothing has
    0 once it is due; until then there is no score. What is unfinished, such as unread answers, is said.

    For instance:  autograde export --to canvas   and   autograde export 04_lstm --to moodle

    No text in a CSV file is run by a spreadsheet: before a name such as =cmd stands an apostrophe. Take in the
    platform's list of students first, with `autograde roster FILE`: then it finds everybody again.
    """
    from autograde import course

    with quick_imports():
        from autograde.office import export_and_show

    pairs = [said.partition("=") for said in column or []]
    if wrong := [name for name, _, called in pairs if not called.strip()]:
        raise UserError(f"--column {wrong[0]!r} is not LESSON=NAME")
    export_and_show(to, course.chosen(names) if names else None, _settings(ROOT, output, db, 1, ""), file,
                    {name: called for name, _, called in pairs}, console, errors, mark=mark)


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="The folder for the class and its results.")] = ROOT / "build" / "class",
    workers: Workers = CORES,
    unprotected: Unprotected = False,
) -> None:
    """Grade the sample class that comes with the course: right, wrong, half done and hostile submissions."""
    warm_up(_limits())
    with quick_imports():
        from autograde import course
        from autograde.authoring import samples
        from autograde.show import grade_and_show

    names = [name for name in course.lessons() if samples.table(name).exists()]
    for name in names:
        samples.write_class(name, output / "submitted")
    grade_and_show(names, _settings(output / "submitted", output, "", workers, ""), console, errors,
                   json_file=output / "results.json", unprotected=unprotected, only_handed_in=True)


@app.command()
def regrade(
    names: Lessons = None,
    submitted: Submitted = ROOT / "submitted",
    output: Output = ROOT,
    db: Db = "",
    workers: Workers = CORES,
    write: Annotated[bool, typer.Option("--write", help="Also record the new grades.")] = False,
    unprotected: Unprotected = False,
) -> None:
    """Show who would change by how much, and why, if the class were graded again; write nothing without --write."""
    warm_up(_limits())
    with quick_imports():
        from autograde import course
        from autograde.authoring import derived
        from autograde.show import regrade_and_show

    chosen = course.chosen(names)
    derived.require(chosen)
    regrade_and_show(chosen, _settings(submitted, output, db, workers, ""), console, errors,
                     write=write, unprotected=unprotected)


@app.command()
def doctor() -> None:
    """Say which protections are in force on this machine; exit code 1 if student code would run unprotected."""
    from autograde.running.sandbox import Sandbox, SandboxError
    from autograde.show import print_protections

    try:
        with errors.status("starting the warm process ..."), Sandbox() as sandbox:
            isolated = print_protections(console, sandbox, whole=True)
    except SandboxError as error:
        console.print(f"✘ Nothing can be graded here: {error}", soft_wrap=True)
        raise typer.Exit(1) from None
    if not isolated:
        raise typer.Exit(1)


def _limits(cell_seconds: float = 10.0, memory_mb: int = 2048):
    from unrolled.sandbox.isolate import Limits

    return Limits(cell_cpu=cell_seconds, cell_idle=3 * cell_seconds, memory=memory_mb << 20)


def _settings(submitted, output, db, workers, scheduler, force=False, limits=None):
    from autograde.run import Settings

    return Settings(submitted.absolute(), output.absolute(), db or f"sqlite:///{output.absolute() / 'gradebook.db'}",
                    workers, scheduler or None, limits or _limits(), force)


for _command in app.registered_commands:  # a docstring's lines are no lines of the help: the terminal breaks them
    _command.help = re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.getdoc(_command.callback))


def main() -> None:
    """Run the command; what a person can put right is one line and exit code 2."""
    speak_utf8()
    try:
        app()
    except UserError as error:
        print(f"autograde: {error}", file=sys.stderr)
        sys.exit(2)
    except ModuleNotFoundError as error:
        from autograde.installed import what_is_missing

        if not (says := what_is_missing(error.name or "")):
            raise
        print(f"autograde: {says}", file=sys.stderr)
        sys.exit(2)
