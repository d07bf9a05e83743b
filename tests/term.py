"""A term in a course directory of its own: every week's steps by the real commands, and a ledger of what is due.

The ledger is kept here, from what each student handed in and what people gave, so that gradebook, pages, table, report
and export are compared with the truth and not with one another.
"""

from __future__ import annotations

import csv
import html
import math
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from autograde.authoring import samples
from tests.test_nbgrader_stock import environment

REPOSITORY = Path(__file__).resolve().parents[1]
OWN = "90_memory"  # a lesson of the course directory's own
SAMPLES = "left/samples"
# What the README gives as a rule for late work.
LATE_RULE = re.search(r"\n\n((?:    .*\n|\n)*?    c\.AssignLatePenalties.*\n)",
                      (REPOSITORY / "README.md").read_text(encoding="utf-8"))[1].replace("\n    ", "\n").strip()


def penalty(score: float, late: timedelta) -> float:
    """A tenth of the points for every day begun, at most all of them: the README's rule, in other words."""
    return score * min(1.0, 0.1 * math.ceil(late / timedelta(days=1))) if late > timedelta() else 0.0


@dataclass
class Work:
    """What one student handed in for a lesson, and what people gave: the ledger's line."""

    sample: str
    text: str
    at: datetime
    due: datetime | None = None  # a date of their own
    by_hand: dict[str, float] = field(default_factory=dict)  # by grade id
    extra: float = 0.0


@dataclass(eq=False)
class Term:
    """A course directory in `folder`."""

    folder: Path
    lessons: tuple[str, ...]
    students: list[str]
    ledger: dict[tuple[str, str], Work] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)
    as_graded: dict[str, dict[str, float]] = field(default_factory=dict)  # by lesson, while its oracle is wrong

    @classmethod
    def begin(cls, folder: Path, lessons: tuple[str, ...], students: list[str]) -> Term:
        """A course directory with lessons of the course, and one of its own (`OWN`) if that is among them."""
        term = cls(folder / "course", lessons, list(students))
        term.folder.mkdir()
        built_in = [lesson for lesson in lessons if lesson != OWN]
        term.run("autograde", "new-course", ".", *built_in)
        if OWN in lessons:
            term.run("autograde", "new-lesson", OWN, "--topic", "memory")
        with (term.folder / "nbgrader_config.py").open("a", encoding="utf-8") as settings:
            settings.write(f"\n{LATE_RULE}\n")
        for student in students:
            (term.folder / "submitted" / student).mkdir(parents=True)
        for lesson in lessons:  # by a process that knows the course directory, as `autograde demo` does
            term.run("tests.term", lesson)
        return term

    # Commands -----------------------------------------------------------------------------------------

    def run(self, *arguments: str, expect: tuple[int, ...] = (0,)) -> str:
        """Run a module's command in the course directory; returns all it printed."""
        done = subprocess.run([sys.executable, "-m", *arguments], cwd=self.folder, text=True,
                              env=environment(self.folder) | {"COLUMNS": "220"},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
        assert done.returncode in expect, f"{arguments} ended with {done.returncode}:\n{done.stdout[-4000:]}"
        return done.stdout

    def autograde(self, *arguments: str, expect: tuple[int, ...] = (0,)) -> str:
        more = ["--unprotected"] if arguments[0] in ("grade", "regrade") else []
        return self.run("autograde", *arguments, *more, expect=expect)

    def nbgrader(self, *arguments: str) -> str:
        return self.run("nbgrader", *arguments)

    # What students do ---------------------------------------------------------------------------------

    def hand_in(self, student: str, lesson: str, sample: str, text: str = "", at: datetime | None = None,
                name: str = "") -> None:
        """Hand in a sample's notebook with `text` as every written answer, through no exchange."""
        folder = self.folder / "submitted" / student / lesson
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        nbformat.write(self.answered(lesson, sample, text), folder / (name or f"{lesson}.ipynb"))
        at = at or now()
        (folder / "timestamp.txt").write_text(f"{at:%Y-%m-%d %H:%M:%S} UTC\n")
        before = self.ledger.get((student, lesson))
        self.ledger[student, lesson] = Work(sample, text, at, by_hand=before.by_hand if before else {},
                                            extra=before.extra if before else 0.0, due=before.due if before else None)

    def leave(self, student: str) -> Path:
        """Take a student's folder away; returns where it is kept."""
        kept = self.folder / "left" / student
        kept.parent.mkdir(exist_ok=True)
        shutil.move(self.folder / "submitted" / student, kept)
        self.students.remove(student)
        return kept

    def come_back(self, kept: Path) -> None:
        shutil.move(kept, self.folder / "submitted" / kept.name)
        self.students.append(kept.name)

    def is_called(self, old: str, new: str) -> None:
        """From now on a student has another name."""
        self.students[self.students.index(old)] = new
        for lesson in self.lessons:
            if (old, lesson) in self.ledger:
                self.ledger[new, lesson] = self.ledger.pop((old, lesson))

    # What the instructor does -------------------------------------------------------------------------

    def set_due(self, lesson: str, date: datetime, student: str = "") -> str:
        if student:
            self.ledger[student, lesson].due = date
        else:
            self.due[lesson] = date
        whose = ["--student", student] if student else []
        return self.autograde("due", lesson, f"{date:%Y-%m-%d %H:%M:%S} UTC", *whose)

    def by_hand(self, student: str, lesson: str, name: str, score: float, extra: float = 0.0) -> None:
        """A mark and a comment, as the formgrader writes them."""
        with self._book() as book:
            grade = book.find_grade(name, lesson, lesson, student)
            grade.manual_score, grade.needs_manual_grade = score, False
            grade.extra_credit = extra or None
            comment = book.find_comment(name.removesuffix("-check"), lesson, lesson, student)
            comment.manual_comment = f"{score:g} points, said a person"
            book.db.commit()
        self.ledger[student, lesson].by_hand[name] = score
        self.ledger[student, lesson].extra = extra or self.ledger[student, lesson].extra

    def read_everything(self, lesson: str) -> int:
        """Grade by hand whatever waits for it; returns how many answers that were."""
        with self._book() as book:
            waiting = sorted((s.student_id, grade.name) for s in book.assignment_submissions(lesson)
                             for notebook in s.notebooks for grade in notebook.grades if grade.needs_manual_grade)
        for student, name in waiting:
            top = self.cells(lesson)[name]
            work = self.ledger[student, lesson]
            mark = round(top * (len(work.text) % 5) / 4, 2) if name in self.written(lesson) else work.by_hand[name]
            self.by_hand(student, lesson, name, mark, self.ledger[student, lesson].extra)
        return len(waiting)

    def _book(self) -> Gradebook:
        return Gradebook(f"sqlite:///{self.folder}/gradebook.db")

    # The lessons --------------------------------------------------------------------------------------

    def cells(self, lesson: str) -> dict[str, float]:
        """Points by grade id, of everything that gives points."""
        return {cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points)
                for cell in self._released(lesson).cells if cell.metadata.get("nbgrader", {}).get("grade")}

    def written(self, lesson: str) -> frozenset[str]:
        """The grade ids of what a person reads."""
        return frozenset(cell.metadata.nbgrader.grade_id for cell in self._released(lesson).cells
                         if cell.metadata.get("nbgrader", {}).get("grade") and cell.metadata.nbgrader.solution)

    def worth(self, lesson: str) -> dict[str, float]:
        """What each sample student's code is worth, the best first; those that end early are left out."""
        if lesson in self.as_graded:
            return self.as_graded[lesson]
        expected = tomllib.loads((self.folder / "samples" / lesson / "expected.toml").read_text(encoding="utf-8"))
        graded = [(name, one["score"]) for name, one in expected.items() if one["status"] == "graded"]
        return dict(sorted(graded, key=lambda item: -item[1]))

    def _by_check(self, lesson: str, sample: str, name: str) -> float:
        """What a cell's check gave: marks by hand are only put on cells that were right, or on a lesson's only one."""
        if name in self.written(lesson):
            return 0.0
        return self.worth(lesson)[sample] if len(self.cells(lesson)) == 1 else self.cells(lesson)[name]

    def answered(self, lesson: str, sample: str, text: str) -> nbformat.NotebookNode:
        """A sample's notebook; every written answer is `text`, or as it was handed out if that is empty."""
        notebook = nbformat.read(self.folder / SAMPLES / sample / lesson / f"{lesson}.ipynb", 4)
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") in self.written(lesson):
                cell.source = text or "YOUR ANSWER HERE"
        return notebook

    def _released(self, lesson: str) -> nbformat.NotebookNode:
        return _notebook(self.folder / "notebooks" / lesson / f"{lesson}.ipynb")

    # The truth, and what is shown ---------------------------------------------------------------------

    def deserved(self, lesson: str) -> dict[str, tuple[float, float]]:
        """(points, of how many) by student, from the ledger."""
        found = {}
        for student in self.students:
            work = self.ledger.get((student, lesson))
            raw = 0.0
            if work is not None:
                raw = self.worth(lesson)[work.sample] + work.extra
                for name, mark in work.by_hand.items():
                    raw += mark - self._by_check(lesson, work.sample, name)
                raw -= penalty(raw, work.at - (work.due or self.due[lesson]))
            found[student] = round(raw, 6), sum(self.cells(lesson).values())
        return found

    def shown(self, lesson: str) -> dict[str, dict[str, tuple[float, float]]]:
        """The same from everywhere that it is shown, by the name of the place."""
        self.nbgrader("export")
        table = self.autograde("feedback", lesson)
        report = (self.folder / "report" / f"{lesson}.html").read_text(encoding="utf-8")
        with (self.folder / "grades.csv").open(encoding="utf-8", newline="") as file:
            export = {row["student_id"]: (row["score"], row["max_score"]) for row in csv.DictReader(file)
                      if row["assignment"] == lesson and row["score"]}
        with self._book() as book:
            held = {s.student_id: (max(s.score - s.late_submission_penalty, 0.0), s.max_score)
                    for s in book.assignment_submissions(lesson) if s.notebooks}
        total = re.compile(r"<b>([\d.]+)</b> <span>of ([\d.]+) points")
        pages = {path.parts[-3]: total.search(path.read_text("utf-8")).groups()
                 for path in self.folder.glob(f"feedback/*/{lesson}/{lesson}.html")}
        rows = re.findall(r'<tr><th scope="row"><a [^>]+>([^<]+)</a></th><td class="number">([\d.]+) of ([\d.]+)</td>',
                          report)
        lines = re.findall(rf"^(\S.*?) +{lesson} +([\d.]+)/([\d.]+)", table, re.M)
        places = {"gradebook": held, "pages": pages, "export": export,
                  "report": {html.unescape(name): pair for name, *pair in rows},
                  "table": {name: pair for name, *pair in lines}}
        return {place: {name: (round(float(score), 6), float(top)) for name, (score, top) in found.items()}
                for place, found in places.items()}

    def must_agree(self, lesson: str) -> None:
        """Everywhere the points that everybody deserves, and nobody else."""
        deserved = self.deserved(lesson)
        for place, found in self.shown(lesson).items():
            assert found == deserved, f"{lesson}: the {place} is not what the ledger says"


@cache
def _notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, 4)


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


if __name__ == "__main__":  # in a course directory: what the sample students of a lesson hand in
    samples.write_class(sys.argv[1], Path(SAMPLES))
