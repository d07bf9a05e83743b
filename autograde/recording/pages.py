"""The files of a class beside its gradebook: autograded notebooks, students' pages, class reports.

Notebooks are written when a submission is graded. Pages and reports show what the gradebook holds now: `refresh`
rewrites those that are older, at the price of writing them; no code of a student runs.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograde.course import write_bytes, write_text
from autograde.judging import oracles
from autograde.recording import feedback, journal
from autograde.recording.autograded import result_at, result_in
from autograde.recording.course_report import LessonClass, course_report
from autograde.recording.report import People, class_report
from autograde.records import Standing

# What nbgrader's exchange needs to give a page back to who handed in, and only to them.
OF_THE_EXCHANGE = ("timestamp.txt", "submission_secret.txt")


def notebook_path(output: Path, student: str, lesson: str) -> Path:
    """Where nbgrader and the formgrader expect a student's autograded notebook."""
    return output / "autograded" / student / lesson / f"{lesson}.ipynb"


def page_path(output: Path, student: str, lesson: str) -> Path:
    """Where nbgrader's exchange expects a student's feedback."""
    return output / "feedback" / student / lesson / f"{lesson}.html"


def write_page(output: Path, notebook: Mapping, standing: Standing) -> None:
    """A student's page, whole or not at all, after the same in Markdown beside it."""
    path = page_path(output, standing.student, standing.lesson)
    html, markdown = feedback.both(notebook, standing, state_of(standing))
    write_text(path.with_suffix(".md"), markdown)
    write_text(path, html)


def state_of(standing: Standing) -> str:
    """Changes with everything in the gradebook that a page shows, and with how pages are made."""
    return hashlib.sha256(f"{_maker()}\0{standing!r}".encode()).hexdigest()[:32]


@functools.cache
def _maker() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in (".py", ".j2"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def refresh(output: Path, lesson: str, standings: Mapping[str, Standing]) -> int:
    """Rewrite the pages of a lesson that do not show what the gradebook holds; returns how many.

    Whoever has an autograded notebook has a page. Those of students whom the gradebook does not know go away.
    """
    rewritten = 0
    for path in sorted(output.glob(f"autograded/*/{lesson}/{lesson}.ipynb")):
        student = path.parts[-3]
        standing = standings.get(student)
        if standing is None:
            remove(output, student, lesson)
        elif not _shows(page_path(output, student, lesson), state_of(standing)):
            notebook = json.loads(path.read_text(encoding="utf-8"))
            if result_in(notebook) is not None:  # else stock nbgrader made it, and its page is nbgrader's
                write_page(output, notebook, standing)
                copy_for_exchange(path.parent, page_path(output, student, lesson).parent)
                rewritten += 1
    return rewritten


def _shows(path: Path, state: str) -> bool:
    try:
        with path.open("rb") as file:
            return f'content="{state}"'.encode() in file.read(2_000) and path.with_suffix(".md").exists()
    except FileNotFoundError:
        return False


def records(output: Path, lesson: str) -> list[dict]:
    """`Result.record()` of every submission of a lesson that has an autograded notebook, as it was graded last.

    How long that took says the journal, where it has the same verdict.
    """
    kept = journal.records(output)
    found = []
    for path in sorted(output.glob(f"autograded/*/{lesson}/{lesson}.ipynb")):
        result = result_at(path)
        if result is not None:
            record = result.record()
            before = kept.get((result.student, lesson), {})
            same = all(before.get(key) == record[key] for key in ("status", "score"))
            found.append(record | ({key: before[key] for key in ("seconds", "parts")} if same else {}))
    return found


def write_report(output: Path, lesson: str, records: Sequence[Mapping], standings: Mapping[str, Standing],
                 absent: Sequence[str] = (), silent: Sequence[str] = (), people: People | None = None) -> Path:
    """The class report of one lesson, see `report.class_report`; returns where it is."""
    path = report_folder(output, people) / f"{lesson}.html"
    write_text(path, class_report(lesson, records, oracles.of_lesson(lesson), standings, absent, silent,
                                  people))
    return path


def write_course_report(output: Path, lessons: Mapping[str, tuple[Sequence[Mapping], Mapping[str, Standing]]],
                        enrolled: Sequence[str] = (), people: People | None = None) -> Path:
    """The report of the course, see `course_report`; returns where it is.

    Parameters
    ----------
    lessons : each lesson's records and standings, as for `write_report`.
    """
    path = report_folder(output, people) / "course.html"
    write_text(path, course_report([LessonClass(lesson, records, oracles.of_lesson(lesson), standings)
                                    for lesson, (records, standings) in lessons.items()], enrolled, people))
    return path


def report_folder(output: Path, people: People | None = None) -> Path:
    """Where reports go: those without names into a folder of their own, so that it can be handed on whole."""
    folder = output / "report"
    return folder / "anonymous" if people is not None and people.anonymous else folder


def remove(output: Path, student: str, lesson: str) -> None:
    """Take a student's autograded notebook and page of a lesson away."""
    for path in (notebook_path(output, student, lesson), page_path(output, student, lesson)):
        shutil.rmtree(path.parent, ignore_errors=True)
        with contextlib.suppress(OSError):  # other lessons are still in there
            path.parent.parent.rmdir()


def write_beside(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put what a student handed in beside a notebook beside it again, and take away what an earlier hand-in left.

    Parameters
    ----------
    folder : where the autograded notebook lies.
    files : by path below it, with forward slashes, as `intake.beside.gathered` found them.
    """
    keep = {folder / path for path in files}
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder comes before the folder
        if path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):  # it holds something
                path.rmdir()
        elif path not in keep and path.suffix != ".ipynb" and path.name not in OF_THE_EXCHANGE:
            path.unlink()
    for path in sorted(keep):
        write_bytes(path, files[path.relative_to(folder).as_posix()])


def copy_for_exchange(source: Path, target: Path) -> None:
    """Put what the exchange needs beside a notebook or page, as nbgrader's own converters do.

    The source may be a student's folder: only small ordinary files are taken, and no link is followed.
    """
    for name in OF_THE_EXCHANGE:
        content = _small_file(source / name)
        if content is None:
            (target / name).unlink(missing_ok=True)
        else:
            write_text(target / name, content)


def _small_file(path: Path) -> str | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        # The mode is asked first because merely opening some devices has effects.
        if stat.S_ISREG(os.lstat(path).st_mode):
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            with open(descriptor, "rb") as file:
                return file.read(1_000).decode("utf-8")
    return None
