"""What crosses the boundaries of a grading run: a rebuilt submission goes in, a result comes out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the warm process is started before anything that takes long to import
    from nbformat.notebooknode import NotebookNode


# Every submission ends in exactly one of these.
GRADED = "graded"
TIMEOUT = "timeout"
OUT_OF_MEMORY = "out_of_memory"
CRASHED = "crashed"
FLOODED = "flooded"
TAMPERED = "tampered"
MISSING = "missing"
UNREADABLE = "unreadable"
STATUSES = (GRADED, TIMEOUT, OUT_OF_MEMORY, CRASHED, FLOODED, TAMPERED, MISSING, UNREADABLE)


@dataclass(frozen=True)
class Step:
    """One cell to run. `kind` is ``code`` (everybody's), ``helper`` (a cell the student added and an
    answer needs), ``solution`` or ``check``; `cell` is its index in the rebuilt notebook. `forbids` are the names that
    are out of use while a check tries its answer."""

    kind: str
    cell: int
    source: str
    exercise: str = ""
    forbids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Submission:
    """What a student handed in, put into the lesson's skeleton.

    Attributes
    ----------
    notebook : the skeleton with the student's solution and written cells; None if `status` is set.
    steps : what to run, in the skeleton's order.
    answers : the source of each exercise's answer, with the helpers it needs: for source rules.
    untouched : exercises whose cell is still the stub.
    repairs : what was put right on the way in, one sentence each; shown to student and instructor.
    status : ``missing`` or ``unreadable`` if there is nothing to run, else None; `note` says why in one line.
    rescued : it could be read, but not as handed in (another encoding, an old format).
    files : what lay beside the notebook, by its path with forward slashes: there when it runs and when it is read.
    """

    student: str
    lesson: str
    notebook: NotebookNode | None = None
    steps: tuple[Step, ...] = ()
    answers: dict[str, str] = field(default_factory=dict)
    untouched: frozenset[str] = frozenset()
    repairs: tuple[str, ...] = ()
    status: str | None = None
    note: str = ""
    rescued: bool = False
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class CellOutput:
    """What a cell printed and how it ended: text a student wrote, shown escaped and capped, never parsed."""

    text: str = ""
    error: str = ""


# What an exercise's verdict can be, in the words a student reads.
PASSED, PARTLY, FAILED = "passed", "partly right", "not right yet"
UNWRITTEN, FORBIDDEN, NO_ANSWER = "not written yet", "not allowed here", "no answer arrived"


@dataclass(frozen=True)
class AspectResult:
    """One aspect of one answer. `evidence` says what was seen where it failed."""

    name: str
    passed: bool
    points: float
    max_points: float
    evidence: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """A recognised misconception: its name (for the class report) and what to tell the student."""

    name: str
    says: str


@dataclass(frozen=True)
class Verdict:
    """What the judge says of one exercise. `to_dict` gives plain JSON types."""

    exercise: str
    title: str
    state: str
    points: float
    max_points: float
    aspects: tuple[AspectResult, ...] = ()
    diagnosis: tuple[Diagnosis, ...] = ()
    note: str = ""

    @property
    def passed(self) -> bool:
        return self.state == PASSED

    @property
    def headline(self) -> str:
        return f"{self.exercise}: {self.state} ({self.points:g} of {self.max_points:g} points)"

    def to_dict(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Result:
    """One submission, graded. `seconds` is wall time; `parts` splits it.

    The parts, in seconds: ``rebuild`` (reading the notebook), ``fork`` (until the child exists), ``run`` (its whole
    life), of which ``isolate`` (until it is closed in), ``setup``, ``code``, ``solution``, ``check`` (the kinds of
    cells: the student's own compute); ``judge`` (drawing inputs and judging), ``write`` (gradebook, notebook and
    page); and ``memory``, the peak in bytes.
    """

    student: str
    lesson: str
    status: str
    verdicts: tuple[Verdict, ...]
    repairs: tuple[str, ...] = ()
    note: str = ""
    seconds: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    outputs: dict[int, CellOutput] = field(default_factory=dict)

    @property
    def score(self) -> float:
        return sum(v.points for v in self.verdicts)

    @property
    def max_score(self) -> float:
        return sum(v.max_points for v in self.verdicts)

    def record(self) -> dict:
        """One record of ``autograde grade --json``."""
        return {
            "student": self.student, "lesson": self.lesson, "status": self.status,
            "score": self.score, "max_score": self.max_score, "seconds": round(self.seconds, 3),
            "parts": {name: round(value, 4) for name, value in self.parts.items()},
            "note": self.note, "repairs": list(self.repairs),
            "exercises": [{
                "id": v.exercise, "points": v.points, "max_points": v.max_points, "state": v.state,
                "aspects": [{"name": a.name, "passed": a.passed, "points": a.points,
                             "max_points": a.max_points} for a in v.aspects],
                "diagnosis": [d.name for d in v.diagnosis],
            } for v in self.verdicts],
        }


@dataclass(frozen=True)
class Mark:
    """One cell in the gradebook: what its check gave (`auto`), what people gave; None where nobody has yet.

    `written` cells are read by a person; `waits` says that one is asked to look, or to look again.
    """

    max_score: float
    written: bool = False
    auto: float | None = None
    manual: float | None = None
    extra: float | None = None
    waits: bool = False
    comment: str = ""

    @property
    def by_hand(self) -> bool:
        return self.manual is not None or bool(self.extra)

    @property
    def unread(self) -> bool:
        return self.written and self.waits and self.manual is None

    @property
    def score(self) -> float:
        """As nbgrader counts it: a person's mark before the check's, and extra credit on top of either."""
        given = self.auto if self.manual is None else self.manual
        return 0.0 if given is None else given + (self.extra or 0.0)


@dataclass(frozen=True)
class Standing:
    """What the gradebook holds of one submission now.

    Attributes
    ----------
    marks : by grade id, every cell that gives points.
    penalty : points taken off for being late.
    submitted, due : UTC without zone, as nbgrader keeps them; `due` includes the student's extension.
    """

    student: str
    lesson: str
    marks: dict[str, Mark]
    penalty: float = 0.0
    submitted: datetime | None = None
    due: datetime | None = None

    @property
    def raw_score(self) -> float:
        return sum(mark.score for mark in self.marks.values())

    @property
    def score(self) -> float:
        return max(self.raw_score - self.penalty, 0.0)

    @property
    def max_score(self) -> float:
        return sum(mark.max_score for mark in self.marks.values())

    @property
    def unread(self) -> float:
        """Points that wait for a person to read an answer."""
        return sum(mark.max_score for mark in self.marks.values() if mark.unread)

    @property
    def late(self) -> timedelta:
        """How long after the due date it was handed in; zero if in time, or if nobody knows."""
        if self.submitted is None or self.due is None:
            return timedelta()
        return max(self.submitted - self.due, timedelta())
