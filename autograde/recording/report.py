"""The class report of a lesson: what needs the instructor's eye, how it went, and what was misunderstood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from autograde.judging.exercise import Exercise
from autograde.recording import histogram
from autograde.recording.feedback import environment
from autograde.recording.sheet import check_id
from autograde.recording.student_text import one_line, sentence
from autograde.recording.words import STATUSES
from autograde.records import GRADED, MISSING, PARTLY, PASSED, TAMPERED, UNREADABLE, UNWRITTEN, Mark, Standing

NAMES_SHOWN = 40  # students listed at one place; how many more there are is said

# The pieces of an exercise's bar: (word, look). What is neither passed, partly right nor untouched failed.
PIECES = ((PASSED, "passed"), (PARTLY, "partly"), ("failed", "failed"), (UNWRITTEN, "none"))


@dataclass(frozen=True)
class _Row:
    """One exercise in the class: how many submissions ended how, and the mean of its points."""

    exercise: str
    title: str
    counts: dict[str, int]
    mean: float
    max_points: float
    bar: list[dict]
    unread: int


@dataclass(frozen=True)
class _Misconception:
    exercise: str
    title: str
    name: str
    says: str
    students: tuple[str, ...]
    more: int
    count: int


def class_report(lesson: str, records: Sequence[Mapping], exercises: Sequence[Exercise],
                 standings: Mapping[str, Standing], absent: Sequence[str] = ()) -> str:
    """One lesson's class report as a whole HTML page: no script, no network.

    Parameters
    ----------
    lesson : its name.
    records : `Result.record()` of each submission, in any order.
    exercises : the lesson's oracles, for titles and for what a misconception says.
    standings : what the gradebook holds of each submission, by student.
    absent : who has not handed in yet, and still may.
    """
    records = sorted((record for record in records if record["student"] in standings), key=lambda r: r["student"])
    tried = [record for record in records if record["status"] not in (MISSING, UNREADABLE)]
    scores = sorted(standings[record["student"]].score for record in tried)
    top = max((standing.max_score for standing in standings.values()), default=0.0)
    return environment().get_template("report.html.j2").render(
        lesson=lesson, records=[_line(record, standings[record["student"]]) for record in records], tried=len(tried),
        rows=_rows(tried, exercises, standings), eye=_eye(records, standings),
        misconceptions=_misconceptions(tried, exercises), repairs=_repairs(records), top=top,
        mean=sum(scores) / len(scores) if scores else 0.0, median=median(scores) if scores else 0.0,
        chart=Markup(histogram.drawing(tuple(histogram.counts(scores, top)), top)),
        chart_in_words=histogram.in_words(scores, top), pieces=PIECES, absent=[_name(student) for student in absent],
        unread=sum(bool(standing.unread) for standing in standings.values()),
        late=any(standing.penalty for standing in standings.values()))


def _line(record: Mapping, standing: Standing) -> dict:
    return {"student": _name(record["student"]), "score": standing.score, "max_score": standing.max_score,
            "penalty": standing.penalty, "unread": standing.unread,
            "status": record["status"].replace("_", " "), "graded": record["status"] == GRADED,
            "repairs": len(record["repairs"]),
            "misunderstood": ", ".join(f"{e['id']}: {name}" for e in record["exercises"] for name in e["diagnosis"])}


def _name(student: str) -> str:
    return one_line(student, 200)


def _eye(records: Sequence[Mapping], standings: Mapping[str, Standing]) -> list[dict]:
    """Every status but `graded`, the ones that say most first."""
    found = []
    for status in (TAMPERED, *(status for status in STATUSES if status != TAMPERED)):
        those = [record for record in records if record["status"] == status]
        if those:
            found.append({"word": status.replace("_", " "), "title": STATUSES[status].about,
                          "students": [{"name": _name(r["student"]), "note": one_line(r["note"], 500),
                                        "score": standings[r["student"]].score,
                                        "max_score": standings[r["student"]].max_score} for r in those]})
    return found


def _rows(records: Sequence[Mapping], exercises: Sequence[Exercise], standings: Mapping[str, Standing]) -> list[_Row]:
    """The exercises, then what a person reads."""
    those = [standings[record["student"]] for record in records]
    states = {exercise.id: Counter(_state(record, exercise.id) for record in records) for exercise in exercises}
    rows = [_row(exercise.id, exercise.title, states[exercise.id], [s.marks[check_id(exercise.id)] for s in those])
            for exercise in exercises]
    written = [name for name, mark in those[0].marks.items() if mark.written] if those else []
    for name in written:
        marks = [standing.marks[name] for standing in those]
        rows.append(_row(name.replace("-", ".", 1), "Written answer", Counter(map(_read_state, marks)), marks))
    return rows


def _state(record: Mapping, exercise: str) -> str:
    state = next((entry["state"] for entry in record["exercises"] if entry["id"] == exercise), "failed")
    return state if state in (PASSED, PARTLY, UNWRITTEN) else "failed"


def _read_state(mark: Mark) -> str:
    """What a written answer is, as far as a person has said; not one of `PIECES` while it is unread."""
    if mark.unread:
        return "unread"
    if not mark.by_hand:
        return UNWRITTEN
    return PASSED if mark.score >= mark.max_score else PARTLY if mark.score > 0 else "failed"


def _row(exercise: str, title: str, states: Counter, marks: Sequence[Mark]) -> _Row:
    counts = {word: states[word] for word, _ in PIECES}
    mean = sum(mark.score for mark in marks) / len(marks) if marks else 0.0
    return _Row(exercise, title, counts, mean, marks[0].max_score if marks else 0.0, _pieces(counts),
                sum(mark.unread for mark in marks))


def _pieces(counts: Mapping[str, int]) -> list[dict]:
    whole, x, pieces = sum(counts.values()) or 1, 0.0, []
    for word, look in PIECES:
        width = 1000 * counts[word] / whole
        if width:
            pieces.append({"x": round(x, 1), "width": round(max(width - 3, 1.0), 1), "look": look})
        x += width
    return pieces


def _misconceptions(records: Sequence[Mapping], exercises: Sequence[Exercise]) -> list[_Misconception]:
    """The recognised ones, most frequent first."""
    says = {(exercise.id, m.name): (exercise.title, m.says) for exercise in exercises for m in exercise.misconceptions}
    students: dict[tuple[str, str], list[str]] = {}
    for record in records:
        for entry in record["exercises"]:
            for name in entry["diagnosis"]:
                students.setdefault((entry["id"], name), []).append(_name(record["student"]))
    found = []
    for (exercise, name), who in sorted(students.items(), key=lambda item: (-len(item[1]), item[0])):
        title, sentence = says.get((exercise, name), (exercise, ""))
        found.append(_Misconception(exercise, title, name, sentence, tuple(who[:NAMES_SHOWN]),
                                    max(len(who) - NAMES_SHOWN, 0), len(who)))
    return found


def _repairs(records: Sequence[Mapping]) -> list[dict]:
    students: dict[str, list[str]] = {}
    for record in records:
        for repair in record["repairs"]:
            students.setdefault(one_line(repair, 500), []).append(_name(record["student"]))
    return [{"what": sentence(what), "students": who[:NAMES_SHOWN], "more": max(len(who) - NAMES_SHOWN, 0),
             "count": len(who)} for what, who in sorted(students.items(), key=lambda item: (-len(item[1]), item[0]))]
