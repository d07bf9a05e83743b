"""The class report of a lesson: what needs the instructor's eye, how it went, and what was misunderstood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograde.judging.exercise import Exercise
from autograde.recording import feedback
from autograde.records import GRADED, PARTLY, PASSED, UNWRITTEN

BINS = 10
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


@dataclass(frozen=True)
class _Misconception:
    exercise: str
    title: str
    name: str
    says: str
    students: tuple[str, ...]
    more: int
    count: int


def class_report(lesson: str, records: Sequence[Mapping], exercises: Sequence[Exercise]) -> str:
    """One lesson's class report as a whole HTML page: no script, no network.

    Parameters
    ----------
    lesson : its name.
    records : `Result.record()` of each submission, in any order.
    exercises : the lesson's oracles, for titles and for what a misconception says.
    """
    records = sorted(records, key=lambda record: record["student"])
    tried = [record for record in records if record["status"] not in ("missing", "unreadable")]
    rows = [_row(exercise, tried) for exercise in exercises]
    scores = sorted(record["score"] for record in tried)
    top = sum(exercise.points for exercise in exercises)
    return feedback.environment().get_template("report.html.j2").render(
        lesson=lesson, records=[_line(record) for record in records], tried=len(tried), rows=rows,
        eye=_eye(records), misconceptions=_misconceptions(tried, exercises), repairs=_repairs(records), top=top,
        mean=sum(scores) / len(scores) if scores else 0.0, median=_median(scores), chart=_chart(scores, top),
        pieces=PIECES)


def _line(record: Mapping) -> dict:
    return {"student": _name(record["student"]), "score": record["score"], "max_score": record["max_score"],
            "status": record["status"].replace("_", " "), "graded": record["status"] == GRADED,
            "repairs": len(record["repairs"]),
            "misunderstood": ", ".join(f"{e['id']}: {name}" for e in record["exercises"] for name in e["diagnosis"])}


def _name(student: str) -> str:
    return feedback.clean(student, 200)


def _eye(records: Sequence[Mapping]) -> list[dict]:
    """Every status but `graded`, the ones that say most first."""
    order = list(feedback.STATUSES)
    order = ["tampered", *(status for status in order if status != "tampered")]
    found = []
    for status in order:
        those = [record for record in records if record["status"] == status]
        if those:
            found.append({"word": status.replace("_", " "), "title": feedback.STATUSES[status].about,
                          "students": [{"name": _name(r["student"]), "note": feedback.clean(r["note"], 500),
                                        "score": r["score"], "max_score": r["max_score"]} for r in those]})
    return found


def _row(exercise: Exercise, records: Sequence[Mapping]) -> _Row:
    states: Counter[str] = Counter()
    points = 0.0
    for record in records:
        entry = next((e for e in record["exercises"] if e["id"] == exercise.id), None)
        state = entry["state"] if entry else "failed"
        states[state if state in (PASSED, PARTLY, UNWRITTEN) else "failed"] += 1
        points += entry["points"] if entry else 0.0
    counts = {word: states[word] for word, _ in PIECES}
    return _Row(exercise.id, exercise.title, counts, points / len(records) if records else 0.0, exercise.points,
                _pieces(counts))


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
            students.setdefault(feedback.clean(repair, 500), []).append(_name(record["student"]))
    return [{"what": feedback.sentence(what), "students": who[:NAMES_SHOWN], "more": max(len(who) - NAMES_SHOWN, 0),
             "count": len(who)} for what, who in sorted(students.items(), key=lambda item: (-len(item[1]), item[0]))]


def _median(values: Sequence[float]) -> float:
    middle = len(values) // 2
    if not values:
        return 0.0
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def _chart(scores: Sequence[float], top: float) -> dict:
    """A histogram in tenths of the points: geometry for the template, and the same in words."""
    counts = [0] * BINS
    for score in scores:
        counts[min(int(BINS * score / top), BINS - 1) if top else 0] += 1
    most = max(counts, default=0) or 1
    width, height, left, base = 60, 180, 44, 210
    bars = []
    for number, count in enumerate(counts):
        tall = round(height * count / most, 1)
        bars.append({"x": left + number * width + 3, "y": round(base - tall, 1), "width": width - 6, "height": tall,
                     "count": count, "middle": left + number * width + width / 2})
    edges = [{"x": left + number * width, "label": f"{round(top * number / BINS, 1):g}"} for number in range(BINS + 1)]
    words = ", ".join(f"{edges[i]['label']} to {edges[i + 1]['label']} points: {count}"
                      for i, count in enumerate(counts) if count)
    return {"bars": bars, "edges": edges, "base": base, "right": left + BINS * width,
            "words": f"Number of submissions by score. {words or 'None'}."}
