"""The class report of a lesson: what needs the instructor's eye, how it went, and what was misunderstood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from urllib.parse import quote

from markupsafe import Markup

from autograde.judging.exercise import Exercise
from autograde.recording import bars, histogram, items
from autograde.recording.bars import Bar
from autograde.recording.feedback import environment, in_words
from autograde.recording.sheet import check_id
from autograde.recording.student_text import one_line, sentence, without_places
from autograde.recording.words import STATUSES
from autograde.records import (
    FAILED,
    GRADED,
    MISSING,
    NO_ANSWER,
    PARTLY,
    PASSED,
    TAMPERED,
    UNREADABLE,
    UNWRITTEN,
    Mark,
    Standing,
)

NAMES_SHOWN = 40  # students listed at one place; how many more there are is said
CHARTED = 10  # misconceptions in the chart
UNNAMED_SHOWN = 20  # kinds of wrong answers without a name
HELP_BELOW = 0.4  # of the points: who has less may need help

# The pieces of an exercise's bar: (word, look). What is neither passed, partly right nor untouched failed.
PIECES = ((PASSED, "passed"), (PARTLY, "partly"), ("failed", "failed"), (UNWRITTEN, "none"))


@dataclass(frozen=True)
class People:
    """What a report calls students: by name and with a link to their page, or all of them by a number (`numbers`)."""

    numbers: Mapping[str, str] = field(default_factory=dict)
    anonymous: bool = False

    def name(self, student: str) -> str:
        return self.numbers.get(student, "somebody") if self.anonymous else one_line(student, 200)

    def linked(self, student: str, lesson: str) -> dict[str, str]:
        """Name and address of the page, from the folder of reports; no address for the anonymous."""
        folder = quote(student, safe="")
        link = "" if self.anonymous else f"../feedback/{folder}/{lesson}/{lesson}.html"
        return {"name": self.name(student), "link": link}

    def listed(self, students: Sequence[str], lesson: str) -> dict:
        """Some of them by name, and how many more there are."""
        return {"students": [self.linked(student, lesson) for student in students[:NAMES_SHOWN]],
                "more": max(len(students) - NAMES_SHOWN, 0), "count": len(students)}


@dataclass(frozen=True)
class _Row:
    """One exercise in the class: how many submissions ended how, and the mean of its points.

    `difficulty` and `discrimination` are explained in `items`.
    """

    exercise: str
    title: str
    counts: dict[str, int]
    mean: float
    max_points: float
    bar: list[dict]
    unread: int
    difficulty: float | None
    discrimination: float | None


@dataclass(frozen=True)
class Misconception:
    """A recognised misconception and the students who had it."""

    exercise: str
    title: str
    name: str
    says: str
    students: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many had it."""
        return len(self.students)

    def bar(self, tried: int) -> Bar:
        """Its bar in a chart, of so many submissions."""
        return Bar(f"{self.name} ({self.exercise.partition('.')[2]})", self.count / tried,
                   f"{self.count} ({100 * self.count / tried:.0f} %)")


def class_report(lesson: str, records: Sequence[Mapping], exercises: Sequence[Exercise],
                 standings: Mapping[str, Standing], absent: Sequence[str] = (), silent: Sequence[str] = (),
                 people: People | None = None) -> str:
    """One lesson's class report as a whole HTML page: no script, no network.

    Parameters
    ----------
    lesson : its name.
    records : `Result.record()` of each submission, in any order.
    exercises : the lesson's oracles, for titles and for what a misconception says.
    standings : what the gradebook holds of each submission, by student.
    absent : who has not handed in yet, and still may.
    silent : who is known from a roster, has nothing recorded, and may not hand in any more.
    people : what students are called; by default by their names.
    """
    people = people or People()
    records = sorted((record for record in records if record["student"] in standings), key=lambda r: r["student"])
    if people.anonymous:
        records.sort(key=lambda record: (len(people.name(record["student"])), people.name(record["student"])))
    tried = tried_of(records)
    scores = sorted(standings[record["student"]].score for record in tried)
    top = max((standing.max_score for standing in standings.values()), default=0.0)
    found = misconceptions(tried, exercises)
    chart = [one.bar(len(tried)) for one in found[:CHARTED]]
    return environment().get_template("report.html.j2").render(
        lesson=lesson, records=[_line(record, standings[record["student"]], people) for record in records],
        tried=len(tried), rows=_rows(tried, exercises, standings), eye=_eye(records, standings, people),
        misconceptions=[{"found": one, **people.listed(one.students, lesson)} for one in found],
        chart_of_misconceptions=bars.drawing(chart), misconceptions_in_words=bars.in_words(chart),
        unnamed=_unnamed(tried, exercises, people), named=named_share(tried), help=_help(tried, standings, people),
        help_below=f"{100 * HELP_BELOW:.0f} %", time=_time(tried, standings, people),
        repairs=[] if people.anonymous else _repairs(records, people), top=top,
        mean=sum(scores) / len(scores) if scores else 0.0, median=median(scores) if scores else 0.0,
        chart=Markup(histogram.drawing(tuple(histogram.counts(scores, top)), top)),
        chart_in_words=histogram.in_words(scores, top), pieces=PIECES, anonymous=people.anonymous,
        absent=[] if people.anonymous else [people.name(student) for student in absent], absent_count=len(absent),
        silent=people.listed(silent, ""),
        unread=people.listed([r["student"] for r in records if standings[r["student"]].unread], lesson),
        again=people.listed([r["student"] for r in records if again(standings[r["student"]])], lesson),
        late=any(standing.penalty for standing in standings.values()))


def tried_of(records: Sequence[Mapping]) -> list[Mapping]:
    """The records of submissions that there was something to try of."""
    return [record for record in records if record["status"] not in (MISSING, UNREADABLE)]


def again(standing: Standing) -> bool:
    """Whether a mark by hand asks for another look: what it was given for has changed since."""
    return any(mark.waits and mark.manual is not None for mark in standing.marks.values())


def _line(record: Mapping, standing: Standing, people: People) -> dict:
    return {"student": people.linked(record["student"], record["lesson"]),
            "score": standing.score, "max_score": standing.max_score,
            "penalty": standing.penalty, "unread": standing.unread,
            "status": record["status"].replace("_", " "), "graded": record["status"] == GRADED,
            "repairs": len(record["repairs"]), "misunderstood": misunderstood(record)}


def misunderstood(record: Mapping) -> str:
    """``lstm.step: forget gate left out, lstm.layer: ...``"""
    return ", ".join(f"{e['id']}: {name}" for e in record["exercises"] for name in e["diagnosis"])


def _eye(records: Sequence[Mapping], standings: Mapping[str, Standing], people: People) -> list[dict]:
    """Every status but `graded`, the ones that say most first."""
    found = []
    for status in (TAMPERED, *(status for status in STATUSES if status != TAMPERED)):
        those = [record for record in records if record["status"] == status]
        if those:
            found.append({"word": status.replace("_", " "), "title": STATUSES[status].about,
                          "students": [people.linked(r["student"], r["lesson"]) | {
                              "note": "" if people.anonymous else one_line(without_places(r["note"]), 500),
                              "score": standings[r["student"]].score,
                              "max_score": standings[r["student"]].max_score} for r in those]})
    return found


def _help(records: Sequence[Mapping], standings: Mapping[str, Standing], people: People) -> list[dict]:
    """Who has few of the points, the fewest first; what waits for a reader is not held against anybody."""
    found = []
    for record in records:
        standing = standings[record["student"]]
        read = standing.max_score - standing.unread
        if read > 0 and standing.raw_score < HELP_BELOW * read:
            found.append(people.linked(record["student"], record["lesson"]) | {
                "score": standing.raw_score, "max_score": read, "misunderstood": misunderstood(record),
                "unwritten": sum(entry["state"] == UNWRITTEN for entry in record["exercises"])})
    found.sort(key=lambda one: one["score"])
    return found


def _time(records: Sequence[Mapping], standings: Mapping[str, Standing], people: People) -> dict:
    """How long notebooks ran, and how they were handed in; empty where nobody knows."""
    seconds = sorted(((record["seconds"], record["student"]) for record in records if record.get("seconds")),
                     reverse=True)
    those = [standings[record["student"]] for record in records]
    dated = [standing for standing in those if standing.submitted and standing.due]
    early = sorted(standing.due - standing.submitted for standing in dated)
    middle = early[len(early) // 2] if early else timedelta()
    lesson = records[0]["lesson"] if records else ""
    return {
        "median": median(second for second, _ in seconds) if seconds else 0.0,
        "longest": [people.linked(student, lesson) | {"seconds": second} for second, student in seconds[:3]],
        "dated": len(dated), "late": sum(bool(standing.late) for standing in dated),
        "middle": (f"{in_words(abs(middle)) or 'no time'} {'after' if middle < timedelta() else 'before'}"
                   if early else "")}


def _rows(records: Sequence[Mapping], exercises: Sequence[Exercise], standings: Mapping[str, Standing]) -> list[_Row]:
    """The exercises, then what a person reads."""
    those = [standings[record["student"]] for record in records]
    states = {exercise.id: Counter(_state(record, exercise.id) for record in records) for exercise in exercises}
    totals = [standing.raw_score for standing in those]
    rows = [_row(exercise.id, exercise.title, states[exercise.id], [s.marks[check_id(exercise.id)] for s in those],
                 totals) for exercise in exercises]
    written = [name for name, mark in those[0].marks.items() if mark.written] if those else []
    for name in written:
        marks = [standing.marks[name] for standing in those]
        rows.append(_row(name.replace("-", ".", 1), "Written answer", Counter(map(_read_state, marks)), marks, totals))
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


def _row(exercise: str, title: str, states: Counter, marks: Sequence[Mark], totals: Sequence[float]) -> _Row:
    counts = {word: states[word] for word, _ in PIECES}
    mean = sum(mark.score for mark in marks) / len(marks) if marks else 0.0
    top = marks[0].max_score if marks else 0.0
    read = [(mark.score, total) for mark, total in zip(marks, totals, strict=True) if not mark.unread]
    points, whole = [score for score, _ in read], [total for _, total in read]
    return _Row(exercise, title, counts, mean, top, _pieces(counts), sum(mark.unread for mark in marks),
                items.difficulty(points, top), items.discrimination(points, whole))


def _pieces(counts: Mapping[str, int]) -> list[dict]:
    whole, x, pieces = sum(counts.values()) or 1, 0.0, []
    for word, look in PIECES:
        width = 1000 * counts[word] / whole
        if width:
            pieces.append({"x": round(x, 1), "width": round(max(width - 3, 1.0), 1), "look": look})
        x += width
    return pieces


def misconceptions(records: Sequence[Mapping], exercises: Sequence[Exercise]) -> list[Misconception]:
    """The recognised ones, most frequent first."""
    says = {(exercise.id, m.name): (exercise.title, m.says) for exercise in exercises for m in exercise.misconceptions}
    students: dict[tuple[str, str], list[str]] = {}
    for record in records:
        for entry in record["exercises"]:
            for name in entry["diagnosis"]:
                students.setdefault((entry["id"], name), []).append(record["student"])
    return [Misconception(exercise, says.get((exercise, name), (exercise, ""))[0], name,
                          says.get((exercise, name), ("", ""))[1], tuple(who))
            for (exercise, name), who in sorted(students.items(), key=lambda item: (-len(item[1]), item[0]))]


def _wrong(records: Sequence[Mapping]):
    """(record, exercise's entry) of every answer that was tried and is not right."""
    for record in records:
        for entry in record["exercises"]:
            if entry["state"] in (FAILED, PARTLY, NO_ANSWER):
                yield record, entry


def named_share(records: Sequence[Mapping]) -> tuple[int, int]:
    """How many wrong answers were recognised, and how many there are."""
    wrong = [bool(entry["diagnosis"]) for _, entry in _wrong(records)]
    return sum(wrong), len(wrong)


def _unnamed(records: Sequence[Mapping], exercises: Sequence[Exercise], people: People) -> list[dict]:
    """Wrong answers that no misconception explains, those together in which the same is wrong; the most first.

    For the authors of a lesson: what many get wrong in one way deserves a sentence.
    """
    titles = {exercise.id: exercise.title for exercise in exercises}
    students: dict[tuple[str, str], list[str]] = {}
    for record, entry in _wrong(records):
        if not entry["diagnosis"]:
            wrong = ", ".join(aspect["name"] for aspect in entry["aspects"] if not aspect["passed"])
            what = entry["state"] if entry["state"] == NO_ANSWER or not wrong else f"wrong: {wrong}"
            students.setdefault((entry["id"], what), []).append(record["student"])
    lesson = records[0]["lesson"] if records else ""
    return [{"exercise": exercise, "title": titles.get(exercise, exercise), "what": what, **people.listed(who, lesson)}
            for (exercise, what), who in sorted(students.items(), key=lambda item: (-len(item[1]), item[0]))
            ][:UNNAMED_SHOWN]


def _repairs(records: Sequence[Mapping], people: People) -> list[dict]:
    students: dict[str, list[str]] = {}
    for record in records:
        for repair in record["repairs"]:
            students.setdefault(one_line(repair, 500), []).append(record["student"])
    lesson = records[0]["lesson"] if records else ""
    return [{"what": sentence(what), **people.listed(who, lesson)}
            for what, who in sorted(students.items(), key=lambda item: (-len(item[1]), item[0]))]
