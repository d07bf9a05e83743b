"""The class report of the whole course: how each lesson went, what was misunderstood, and who falls behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from autograde.judging.exercise import Exercise
from autograde.recording import bars, histogram, report
from autograde.recording.bars import Bar
from autograde.recording.feedback import environment
from autograde.recording.report import HELP_BELOW, People
from autograde.records import GRADED, MISSING, UNREADABLE, Standing

CHARTED = 15  # misconceptions in the chart
BEHIND = 60  # students listed as falling behind


@dataclass(frozen=True)
class LessonClass:
    """What a class did in one lesson: see `report.class_report`."""

    lesson: str
    records: Sequence[Mapping]
    exercises: Sequence[Exercise]
    standings: Mapping[str, Standing]


def course_report(lessons: Sequence[LessonClass], enrolled: Sequence[str] = (), people: People | None = None) -> str:
    """The report of a course as a whole HTML page: no script, no network; it links to the lessons' reports.

    Parameters
    ----------
    enrolled : who is in the class beside those who have handed something in.
    people : what students are called; by default by their names.
    """
    people = people or People()
    students = sorted({student for one in lessons for student in one.standings}.union(enrolled))
    if people.anonymous:
        students.sort(key=lambda student: (len(people.name(student)), people.name(student)))
    rows = [_lesson(one) for one in lessons]
    tops = {row["lesson"]: row["top"] for row in rows}
    statuses = {(one.lesson, record["student"]): record["status"] for one in lessons for record in one.records}
    lines = [_student(student, lessons, statuses, tops, people) for student in students]
    chart = [Bar(f"{row['lesson']} · {row['tried']} submissions", row["share"], f"{100 * row['share']:.0f} %")
             for row in rows]
    found = _misconceptions(lessons)
    often = [one.bar(tried) for tried, _, one in found[:CHARTED]]
    whole = sum(tops.values())
    totals = [line["score"] for line in lines]
    behind = sorted((line for line in lines if line["nothing"] or line["low"]),
                    key=lambda line: (-line["nothing"] - line["low"], line["score"]))
    return environment().get_template("course.html.j2").render(
        rows=rows, students=lines, whole=whole, mean=sum(totals) / len(totals) if totals else 0.0,
        median=median(totals) if totals else 0.0, anonymous=people.anonymous,
        chart=bars.drawing(chart, 1.0), chart_in_words=bars.in_words(chart),
        totals=Markup(histogram.drawing(tuple(histogram.counts(totals, whole)), whole)),
        totals_in_words=histogram.in_words(totals, whole),
        often=bars.drawing(often), often_in_words=bars.in_words(often),
        misconceptions=[{"lesson": lesson, "found": one} for _, lesson, one in found[:CHARTED]],
        behind=behind[:BEHIND], more_behind=max(len(behind) - BEHIND, 0), below=f"{100 * HELP_BELOW:.0f} %")


def _lesson(one: LessonClass) -> dict:
    records = [record for record in one.records if record["student"] in one.standings]
    tried = report.tried_of(records)
    top = max((standing.max_score for standing in one.standings.values()), default=0.0)
    shares = [one.standings[record["student"]].score / top for record in tried if top]
    named, wrong = report.named_share(tried)
    first = report.misconceptions(tried, one.exercises)[:1]
    return {"lesson": one.lesson, "tried": len(tried), "top": top,
            "share": sum(shares) / len(shares) if shares else 0.0,
            "median": median(shares) if shares else 0.0, "named": named, "wrong": wrong,
            "missing": sum(record["status"] == MISSING for record in records),
            "other": sum(record["status"] not in (GRADED, MISSING) for record in records),
            "late": sum(bool(standing.late) for standing in one.standings.values()),
            "unread": sum(bool(standing.unread) for standing in one.standings.values()),
            "first": first[0] if first else None}


def _student(student: str, lessons: Sequence[LessonClass], statuses: Mapping[tuple[str, str], str],
             tops: Mapping[str, float], people: People) -> dict:
    """A student's line: the score of each lesson, and in how many there is nothing, or few of the points."""
    cells, nothing, low = [], 0, 0
    for one in lessons:
        standing = one.standings.get(student)
        status = statuses.get((one.lesson, student)) if standing else None
        gone = standing is None or status in (MISSING, UNREADABLE)
        few = not gone and standing.raw_score < HELP_BELOW * (tops[one.lesson] - standing.unread)
        nothing, low = nothing + gone, low + few
        cells.append({"score": standing.score if standing else None, "unread": bool(standing and standing.unread),
                      "link": people.linked(student, one.lesson)["link"] if standing else "",
                      "status": "" if status in (None, GRADED) else status.replace("_", " ")})
    return {"name": people.name(student), "cells": cells, "score": sum(cell["score"] or 0.0 for cell in cells),
            "nothing": nothing, "low": low}


def _misconceptions(lessons: Sequence[LessonClass]) -> list[tuple[int, str, report.Misconception]]:
    """(how many submissions were tried, lesson, misconception) of all lessons, the largest share first."""
    found = []
    for one in lessons:
        tried = report.tried_of([record for record in one.records if record["student"] in one.standings])
        found += [(len(tried), one.lesson, each) for each in report.misconceptions(tried, one.exercises)]
    return sorted(found, key=lambda entry: (-entry[2].count / entry[0], entry[1], entry[2].exercise, entry[2].name))
