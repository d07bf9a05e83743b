"""What a student sees of a graded submission: one HTML page that needs nothing else, no script, no network.

A page is a view of two things: the autograded notebook (what was handed in, what the checks said) and what the
gradebook holds now (points, marks and comments by hand, penalties). It is made again whenever one of them changes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autograde.recording import reading, student_text
from autograde.recording.autograded import OURS, answer_in, result_in
from autograde.recording.reading import Section
from autograde.recording.sheet import check_id
from autograde.recording.student_text import CODE_BYTES, PRINTED_BYTES, SENTENCE_BYTES, clean, one_line
from autograde.recording.words import BY_HAND, LOOKS, STATUSES, WAITING
from autograde.records import GRADED, UNWRITTEN, Mark, Standing, Verdict


@dataclass(frozen=True)
class _Item:
    """One exercise on the page. `points` is None while a person has yet to read it."""

    anchor: str
    exercise: str
    title: str
    word: str
    points: float | None
    max_points: float
    extra: float = 0.0
    note: str = ""
    says: tuple[str, ...] = ()
    aspects: tuple = ()
    comment_text: str = ""
    written_text: str = ""
    attachments: Mapping | None = None
    code: str = ""
    printed: str = ""
    error: str = ""
    section: Section | None = None  # what to read again

    @property
    def comment(self) -> Markup:
        """The instructor's words, rendered."""
        return student_text.rendered(self.comment_text)

    @property
    def written(self) -> Markup:
        """The written answer, rendered."""
        return student_text.rendered(self.written_text, self.attachments)

    @property
    def icon(self) -> str:
        return LOOKS[self.word][0]

    @property
    def look(self) -> str:
        return LOOKS[self.word][1]


def page(notebook: Mapping, standing: Standing, made_from: str = "") -> str:
    """One student's feedback as a whole HTML page.

    Parameters
    ----------
    notebook : what `autograded.autograded` made.
    standing : what the gradebook holds of the submission.
    made_from : what the page was made from, in short; kept in it so that a stale page can be told.
    """
    return both(notebook, standing, made_from)[0]


def both(notebook: Mapping, standing: Standing, made_from: str = "") -> tuple[str, str]:
    """The `page`, and the same as Markdown: for a mail or a terminal; what people wrote stands in code blocks there."""
    seen = _seen(notebook, standing)
    return (environment().get_template("page.html.j2").render(made_from=made_from, **seen),
            environment().get_template("page.md.j2").render(**seen))


def _seen(notebook: Mapping, standing: Standing) -> dict:
    """All that a page shows, by the names that the templates use."""
    result = result_in(notebook)
    sections = reading.sections(notebook)
    items = _items(notebook, {verdict.exercise: verdict for verdict in result.verdicts}, standing)
    items = [replace(item, section=sections.get(item.exercise)) for item in items]
    wanted = {item.section for item in items}
    return dict(
        sections=[one for one in dict.fromkeys(sections.values()) if one in wanted],
        title=_title(notebook, result.lesson), student=one_line(result.student, 200), lesson=result.lesson,
        submitted=standing.submitted, due=standing.due, late=in_words(standing.late), items=items,
        total=standing.score, max_total=standing.max_score, penalty=standing.penalty, bar=_bar(items),
        counts=_counts(items), waiting=standing.unread,
        status=None if result.status == GRADED else STATUSES[result.status], note=result.note,
        repairs=[student_text.sentence(repair) for repair in result.repairs])


def _items(notebook: Mapping, verdicts: dict[str, Verdict], standing: Standing) -> list[_Item]:
    """The exercises in the notebook's order; without a notebook, in the oracles'. Written answers come where asked."""
    marks = dict(standing.marks)
    answers: dict[str, list[Mapping]] = {}
    for cell in notebook["cells"]:
        if exercise := cell["metadata"].get(OURS, {}).get("exercise"):
            answers.setdefault(exercise, []).append(cell)
    items, heading = [], ""
    for cell in notebook["cells"]:
        grader = cell["metadata"].get("nbgrader", {})
        exercise = str(grader.get("grade_id", "")).removesuffix("-check").replace("-", ".", 1)
        if cell["cell_type"] == "markdown" and not grader:
            heading = _heading(cell) or heading
        elif grader.get("grade") and grader.get("solution") and grader["grade_id"] in marks:
            items.append(_written(exercise, heading, cell, marks.pop(grader["grade_id"])))
        elif grader.get("grade") and exercise in verdicts:
            items.append(_coded(verdicts.pop(exercise), answers.get(exercise, []), marks.pop(grader["grade_id"])))
    items += [_coded(verdict, [], marks.pop(check_id(exercise))) for exercise, verdict in verdicts.items()]
    items += [_written(name.replace("-", ".", 1), "", None, mark) for name, mark in marks.items()]
    titles = [item.title for item in items]
    return [replace(item, title=f"{item.title} ({item.exercise})") if titles.count(item.title) > 1 else item
            for item in items]


def _coded(verdict: Verdict, cells: list[Mapping], mark: Mark) -> _Item:
    texts: dict[str, list[str]] = {"stdout": [], "stderr": []}
    for cell in cells:
        for output in cell.get("outputs", []):
            if output.get("name") in texts:
                texts[output["name"]].append("".join(output["text"]))
    code = "" if verdict.state == UNWRITTEN else "\n\n".join("".join(cell["source"]) for cell in cells)
    return _Item(
        anchor=_anchor(verdict.exercise), exercise=verdict.exercise, title=verdict.title,
        word=BY_HAND if mark.by_hand else verdict.state, points=mark.score, max_points=mark.max_score,
        extra=mark.extra or 0.0, note=verdict.note, says=tuple(d.says for d in verdict.diagnosis),
        aspects=() if verdict.note else _aspects(verdict), comment_text=mark.comment,
        code=clean(code, CODE_BYTES), printed=clean("\n".join(texts["stdout"]), PRINTED_BYTES),
        error=_unless_said(clean("\n".join(texts["stderr"]), SENTENCE_BYTES), verdict.note))


def _unless_said(error: str, note: str) -> str:
    """How the code stopped, if the verdict does not say it already."""
    return "" if error and error[:200] in note else error


def _aspects(verdict: Verdict) -> tuple[dict, ...]:
    """The aspects, each different evidence said once; and an exception once, whatever was tried."""
    seen: set[str] = set()
    rows = []
    for aspect in verdict.aspects:
        _, stopped, how = aspect.evidence.partition("Your code stopped")
        said = stopped + how or aspect.evidence
        evidence = "" if said in seen else aspect.evidence
        seen.add(said)
        rows.append({"name": aspect.name, "passed": aspect.passed, "points": aspect.points,
                     "max_points": aspect.max_points, "evidence": evidence})
    return tuple(rows)


def _written(exercise: str, heading: str, cell: Mapping | None, mark: Mark) -> _Item:
    word = BY_HAND if mark.by_hand else WAITING if mark.unread else UNWRITTEN
    shown = cell is not None and word != UNWRITTEN
    note = "This answer was handed in as it was given." if cell and word == UNWRITTEN else ""
    return _Item(
        anchor=_anchor(exercise), exercise=exercise, title=heading or "Written answer", word=word,
        points=None if word == WAITING else mark.score, max_points=mark.max_score, extra=mark.extra or 0.0, note=note,
        comment_text=mark.comment, written_text=clean(answer_in(cell), CODE_BYTES) if shown else "",
        attachments=cell.get("attachments") if shown else None)


def _heading(cell: Mapping) -> str:
    """The last heading in a cell, in the lesson's own words."""
    headings = re.findall(r"^#{1,6} +(.+)$", "".join(cell["source"]), re.M)
    return headings[-1].strip().replace("`", "") if headings else ""


def _title(notebook: Mapping, lesson: str) -> str:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown" and not cell["metadata"].get("nbgrader"):
            heading = re.search(r"^# +(.+)$", "".join(cell["source"]), re.M)
            if heading:
                return heading[1].strip().replace("`", "")
    return lesson


def _anchor(exercise: str) -> str:
    return exercise.replace(".", "-")


def _bar(items: list[_Item]) -> list[dict]:
    """One piece an exercise, as wide as its points, filled as far as it was earned (1000 wide in all)."""
    whole = sum(item.max_points for item in items) or 1.0
    gap, x, parts = 4.0, 0.0, []
    for item in items:
        width = 1000 * item.max_points / whole
        room = max(width - gap, 1.0)
        filled = room * min(max((item.points or 0.0) / item.max_points, 0.0), 1.0) if item.max_points else 0.0
        parts.append({"x": round(x, 1), "width": round(room, 1), "filled": round(filled, 1), "look": item.look})
        x += width
    return parts


def _counts(items: list[_Item]) -> str:
    """``5 passed · 2 partly right · 1 not right yet``: the bar's equivalent."""
    counts = {word: sum(item.word == word for item in items) for word in LOOKS}
    return " · ".join(f"{count} {word}" for word, count in counts.items() if count)


def in_words(span: timedelta) -> str:
    """``2 days and 3 hours``; empty for no time at all."""
    minutes = -(-int(span.total_seconds()) // 60)
    parts = [(minutes // 1440, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute")]
    said = [f"{number} {word}{'s' * (number != 1)}" for number, word in parts if number]
    return " and ".join(said[:2])


@functools.cache
def environment() -> Environment:
    """The templates of the feedback page and the class report: everything is escaped unless said otherwise."""
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False)
    environment.filters |= {"inline": student_text.inline, "prose": student_text.prose, "number": _number,
                            "moment": moment, "fence": student_text.fenced, "plain": student_text.as_plain_markdown}
    return environment


def _number(value: float) -> str:
    """Points as people write them: ``3``, ``2.5``, ``1.33``."""
    return f"{round(float(value), 2):g}"


def moment(time: datetime) -> str:
    """``01 March 2026, 23:59 UTC``."""
    return f"{time:%d %B %Y, %H:%M} UTC"
