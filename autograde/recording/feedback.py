"""What a student and the formgrader see of a graded submission: one HTML page, and the autograded notebook.

Everything a student wrote or their code printed is text here: escaped, cut to a number of bytes, and never
interpreted, neither as HTML nor as Markdown with HTML in it (the formgrader would run it in the instructor's
session).
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import nbformat
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from nbformat.notebooknode import NotebookNode

from autograde import records
from autograde.recording.gradebook import ByHand
from autograde.records import (
    FAILED,
    FORBIDDEN,
    GRADED,
    NO_ANSWER,
    PARTLY,
    PASSED,
    UNWRITTEN,
    Result,
    Submission,
    Verdict,
)
from unrolled import panel

# Bytes of UTF-8 of one piece of text from a student; a page has a bounded number of pieces.
CODE_BYTES = 20_000
PRINTED_BYTES = 8_000
SENTENCE_BYTES = 2_000
MANY_REPAIRS = 60

BY_HAND, WAITING = "graded by hand", "waits for a reader"
# (icon, look): an icon always stands beside its word, so no colour is needed.
LOOKS = {
    PASSED: ("✔︎", "passed"), PARTLY: ("◐", "partly"), FAILED: ("✘︎", "failed"), FORBIDDEN: ("⊘", "failed"),
    UNWRITTEN: ("✎", "none"), NO_ANSWER: ("⚠︎", "failed"), BY_HAND: ("✔︎", "wait"), WAITING: ("◷", "wait"),
}


@dataclass(frozen=True)
class Status:
    """A status in words: `title`, `means` and `do` for the student, `about` for the instructor."""

    about: str
    title: str
    means: str
    do: str


STATUSES = {
    records.TIMEOUT: Status(
        "Ran out of time",
        "Your notebook ran out of time",
        "A cell ran for longer than it may, so it was stopped. What was checked before it keeps its points.",
        "look for a loop that never ends, or one that works element by element where one array operation would do. "
        "Restart the kernel and run all cells; the one that does not come back is the one."),
    records.OUT_OF_MEMORY: Status(
        "Needed too much memory",
        "Your notebook needed too much memory",
        "A cell asked for more memory than one submission may have, so it was stopped. "
        "What was checked before it keeps its points.",
        "look for an array that grows in a loop, or a shape with one axis too many; print the shapes as you go."),
    records.CRASHED: Status(
        "Ended in the middle",
        "Python stopped in the middle",
        "The process that ran your notebook ended on its own. What was checked before that keeps its points.",
        "take out calls such as exit(), quit() or os._exit(), restart the kernel, and run all cells from the top."),
    records.FLOODED: Status(
        "Printed too much",
        "Your notebook printed too much",
        "A cell printed more than anyone can read, so it was stopped. What was checked before it keeps its points.",
        "remove prints from inside loops, then run all cells once more."),
    records.TAMPERED: Status(
        "Interfered with the grading",
        "Your notebook interfered with the grading",
        "What came back from your notebook was not what its checks send. Your instructor sees this too.",
        "use `check(...)` as it stands in the lesson, and leave `unrolled` and IPython as they are. If you do not know "
        "what this is about, talk to your instructor."),
    records.MISSING: Status(
        "Handed nothing in",
        "Nothing was handed in",
        "There was no notebook for this lesson in your folder.",
        "hand in the notebook under its own name, or tell your instructor if you did."),
    records.UNREADABLE: Status(
        "Cannot be read",
        "Your notebook could not be read",
        "The file that was handed in could not be read as this lesson's notebook, so nothing in it could be tried.",
        "open it in JupyterLab, save it, check that it opens again, and hand it in once more."),
}


@dataclass(frozen=True)
class _Item:
    """One exercise on the page. `points` is None while a person has yet to read it."""

    anchor: str
    exercise: str
    title: str
    word: str
    points: float | None
    max_points: float
    written: bool = False
    note: str = ""
    says: tuple[str, ...] = ()
    aspects: tuple = ()
    comment: str = ""
    answer: str = ""
    printed: str = ""
    error: str = ""

    @property
    def icon(self) -> str:
        return LOOKS[self.word][0]

    @property
    def look(self) -> str:
        return LOOKS[self.word][1]


# The student's page -----------------------------------------------------------------------------------

def page(result: Result, submission: Submission, *, by_hand: Mapping[str, ByHand] | None = None,
         submitted: datetime | None = None, penalty: float = 0.0) -> str:
    """One student's feedback as a whole HTML page that needs nothing else: no script, no network.

    Parameters
    ----------
    result, submission : what was graded, and what was handed in.
    by_hand : what people gave in the formgrader, by grade id (`gradebook.Writer.by_hand`).
    submitted : when it was handed in (UTC), shown if given.
    penalty : points taken off for being late.
    """
    items = _items(result, submission, by_hand or {})
    total = max(sum(item.points or 0.0 for item in items) - penalty, 0.0)
    return environment().get_template("page.html.j2").render(
        title=_title(submission), student=clean(result.student, 200), lesson=result.lesson,
        submitted=submitted and f"{submitted:%d %B %Y, %H:%M} UTC", items=items, total=total,
        max_total=sum(item.max_points for item in items), penalty=penalty, bar=_bar(items), in_words=_in_words(items),
        waiting=sum(item.max_points for item in items if item.points is None),
        status=None if result.status == GRADED else STATUSES[result.status],
        note=clean(result.note, SENTENCE_BYTES), repairs=_repairs(result.repairs))


def _items(result: Result, submission: Submission, by_hand: Mapping[str, ByHand]) -> list[_Item]:
    """The exercises in the notebook's order; without a notebook, in the oracles'."""
    verdicts = {verdict.exercise: verdict for verdict in result.verdicts}
    items = []
    for cell in submission.notebook.cells if submission.notebook is not None else []:
        grader = cell.metadata.get("nbgrader", {})
        exercise = str(grader.get("grade_id", "")).removesuffix("-check").replace("-", ".", 1)
        if grader.get("grade") and grader.get("solution"):
            items.append(_written(cell, exercise, submission, by_hand.get(grader["grade_id"])))
        elif grader.get("grade") and exercise in verdicts:
            items.append(_coded(verdicts.pop(exercise), result, submission, by_hand.get(grader["grade_id"])))
    items += [_coded(verdict, result, submission, by_hand.get(f"{_anchor(verdict.exercise)}-check"))
              for verdict in verdicts.values()]
    titles = [item.title for item in items]
    return [replace(item, title=f"{item.title} ({item.exercise})") if titles.count(item.title) > 1 else item
            for item in items]


def _coded(verdict: Verdict, result: Result, submission: Submission, hand: ByHand | None) -> _Item:
    steps = [step for step in submission.steps if step.exercise == verdict.exercise]
    solution = [step for step in steps if step.kind == "solution"]
    outputs = [result.outputs[step.cell] for step in solution if step.cell in result.outputs]
    graded_by_hand = hand is not None and hand.score is not None
    untouched = verdict.state == UNWRITTEN
    return _Item(
        anchor=_anchor(verdict.exercise), exercise=verdict.exercise, title=verdict.title,
        word=BY_HAND if graded_by_hand else verdict.state,
        points=hand.score if graded_by_hand else verdict.points, max_points=verdict.max_points,
        note=clean(verdict.note, SENTENCE_BYTES), says=tuple(d.says for d in verdict.diagnosis),
        aspects=() if verdict.note else _aspects(verdict), comment=clean(hand.comment, CODE_BYTES) if hand else "",
        answer="" if untouched else clean("\n\n".join(step.source for step in solution), CODE_BYTES),
        printed=clean("\n".join(o.text for o in outputs if o.text), PRINTED_BYTES),
        error=clean("\n".join(o.error for o in outputs if o.error), SENTENCE_BYTES))


def _aspects(verdict: Verdict) -> tuple[dict, ...]:
    """The aspects, each different evidence said once."""
    seen: set[str] = set()
    rows = []
    for aspect in verdict.aspects:
        evidence = "" if aspect.evidence in seen else clean(aspect.evidence, SENTENCE_BYTES)
        seen.add(aspect.evidence)
        rows.append({"name": aspect.name, "passed": aspect.passed, "points": aspect.points,
                     "max_points": aspect.max_points, "evidence": evidence})
    return tuple(rows)


def _written(cell: NotebookNode, exercise: str, submission: Submission, hand: ByHand | None) -> _Item:
    points = float(cell.metadata.nbgrader.points)
    title = _heading_above(submission.notebook, cell) or "Written answer"
    common = {"anchor": _anchor(exercise), "exercise": exercise, "title": title, "max_points": points, "written": True,
              "comment": clean(hand.comment, CODE_BYTES) if hand else ""}
    if hand is not None and hand.score is not None:
        return _Item(word=BY_HAND, points=hand.score, answer=clean(cell.source, CODE_BYTES), **common)
    if untouched_text(cell):
        return _Item(word=UNWRITTEN, points=0.0, note="This answer was handed in as it was given.", **common)
    return _Item(word=WAITING, points=None, answer=clean(cell.source, CODE_BYTES), **common)


def untouched_text(cell: NotebookNode) -> bool:
    """Whether a written answer is still its stub, as nbgrader decides it: by the released cell's checksum."""
    from nbgrader.utils import compute_checksum

    return not cell.source.strip() or cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)


def _heading_above(notebook: NotebookNode, cell: NotebookNode) -> str:
    """The nearest heading over a cell, in the lesson's own words."""
    index = next(i for i, other in enumerate(notebook.cells) if other is cell)
    for above in reversed(notebook.cells[:index]):
        if above.cell_type == "markdown" and not above.metadata.get("nbgrader"):
            headings = re.findall(r"^#{1,6} +(.+)$", above.source, re.M)
            if headings:
                return headings[-1].strip().replace("`", "")
    return ""


def _title(submission: Submission) -> str:
    cells = submission.notebook.cells if submission.notebook is not None else []
    for cell in cells:
        heading = re.search(r"^# +(.+)$", cell.source, re.M) if cell.cell_type == "markdown" else None
        if heading and not cell.metadata.get("nbgrader"):
            return heading[1].strip().replace("`", "")
    return submission.lesson


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


def _in_words(items: list[_Item]) -> str:
    """``5 passed · 2 partly right · 1 not right yet``: the bar's equivalent."""
    counts = {word: sum(item.word == word for item in items) for word in LOOKS}
    return " · ".join(f"{count} {word}" for word, count in counts.items() if count)


def _repairs(repairs: tuple[str, ...]) -> list[str]:
    shown = [clean(repair, SENTENCE_BYTES) for repair in repairs[:MANY_REPAIRS]]
    more = len(repairs) - len(shown)
    return [sentence(text) for text in shown] + ([f"And {more} more."] if more > 0 else [])


# The autograded notebook ------------------------------------------------------------------------------

def autograded(result: Result, submission: Submission) -> NotebookNode:
    """The rebuilt notebook with what its cells printed and each check's verdict, as the formgrader shows it.

    Text outputs are plain streams; the only HTML is ours. Written answers that Markdown would turn into HTML,
    links or macros are shown as they were typed. Without a notebook to show, one cell says why.
    """
    if submission.notebook is None:
        return _nothing_to_show(result)
    verdicts = {f"{_anchor(verdict.exercise)}-check": verdict for verdict in result.verdicts}
    notebook = NotebookNode(submission.notebook)
    notebook.cells = [_shown(index, cell, result, verdicts) for index, cell in enumerate(submission.notebook.cells)]
    return notebook


def as_json(notebook: NotebookNode) -> str:
    """A notebook as text, without validation: what `autograded` makes is valid, and looking again takes longer."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def rewritten(path: Path, submission: Submission) -> frozenset[str]:
    """Written exercises whose answer differs from the one in the autograded notebook at `path`, if there is one.

    A person may have graded that one in the formgrader; ask before the notebook is written again.
    """
    try:
        before = _written_text(json.loads(path.read_text(encoding="utf-8"))["cells"])
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        before = {}  # whatever is there, it is not what was graded by hand
    now = _written_text(_shown(0, cell, None, {}) for cell in submission.notebook.cells) if submission.notebook else {}
    return frozenset(name.replace("-", ".", 1) for name, text in now.items() if before.get(name) != text)


def _written_text(cells) -> dict[str, str]:
    found = {}
    for cell in cells:
        grader = cell["metadata"].get("nbgrader", {})
        if grader.get("grade") and grader.get("solution"):
            found[grader["grade_id"]] = "".join(cell["source"])
    return found


def _shown(index: int, cell: NotebookNode, result: Result | None, verdicts: dict[str, Verdict]) -> NotebookNode:
    grader = cell.metadata.get("nbgrader", {})
    shown = NotebookNode(cell)
    if cell.cell_type == "code":
        output = result.outputs.get(index) if result else None
        shown.outputs = _streams(output) if output else []
        verdict = verdicts.get(grader.get("grade_id")) if grader.get("grade") else None
        if verdict:
            # A check's own error is this verdict in other words.
            shown.outputs = [o for o in shown.outputs if o.name == "stdout"] + [_panel(verdict)]
    elif grader.get("solution"):
        shown.source = harmless(cell.source)
    return shown


def _streams(output: records.CellOutput) -> list[NotebookNode]:
    texts = (("stdout", clean(output.text, PRINTED_BYTES)), ("stderr", clean(output.error, SENTENCE_BYTES)))
    return [nbformat.from_dict({"output_type": "stream", "name": name, "text": text}) for name, text in texts if text]


def _panel(verdict: Verdict) -> NotebookNode:
    verdict = replace(verdict, note=clean(verdict.note, SENTENCE_BYTES), aspects=tuple(
        replace(aspect, evidence=clean(aspect.evidence, SENTENCE_BYTES)) for aspect in verdict.aspects))
    # An error message in the evidence may hold `$...$`: the formgrader's MathJax must not read it.
    html = f'<div class="tex2jax_ignore mathjax_ignore">{panel.as_html(verdict)}</div>'
    return nbformat.from_dict({"output_type": "display_data", "metadata": {},
                               "data": {"text/plain": panel.as_text(verdict), "text/html": html}})


def _nothing_to_show(result: Result) -> NotebookNode:
    status = STATUSES[result.status]
    note = f"\n\n{verbatim(result.note)}" if result.note else ""
    cell = nbformat.v4.new_markdown_cell(f"**{status.title}.** {status.means}{note}", id="status")
    return nbformat.v4.new_notebook(cells=[cell])


# Text from a student ----------------------------------------------------------------------------------

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# Control characters, and those that change the direction of the text around them.
_INVISIBLE = {c: "�" for c in (*range(32), 127, *range(128, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
              if chr(c) not in "\n\t"}
# Tags, links and images, link definitions, and the TeX macros with which MathJax makes links or new macros.
_NOT_PLAIN = re.compile(
    r"<[a-zA-Z/!?]|\]\s*[(\[:]|\\(?:href|url|require|html|class|cssId|style|bbox|action|toggle|tooltip|texttip|mmlToken"
    r"|data|def|let|gdef|edef|csname|newcommand|renewcommand|newenvironment|renewenvironment|unicode|enclose)")


def clean(text: str, limit: int) -> str:
    """Text of at most about `limit` bytes that shows as what it is: no terminal codes, no invisible characters."""
    kept = text[:limit].encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")
    left_out = len(text) - len(kept)
    kept = _ESCAPES.sub("", kept).replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE).strip("\n")
    return f"{kept}\n… {left_out:,} more characters are not shown" if left_out > 0 else kept


def harmless(markdown: str) -> str:
    """A written answer for the formgrader: as Markdown if that can only be text and formulas, else as typed."""
    text = clean(markdown, CODE_BYTES)
    return verbatim(text) if _NOT_PLAIN.search(text) else text


def verbatim(text: str) -> str:
    """A Markdown code block that shows `text` and cannot be left by it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{clean(text, CODE_BYTES)}\n{fence}"


def sentence(text: str) -> str:
    """The first letter large and a full stop at the end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "…")) else ".")


@functools.cache
def environment() -> Environment:
    """The templates of the feedback page and the class report: everything is escaped unless said otherwise."""
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False)
    environment.filters |= {"inline": _inline, "number": _number}
    return environment


def _inline(text: str) -> Markup:
    """Escaped, and what stands between backticks as code."""
    pieces = str(escape(text)).split("`")
    if len(pieces) % 2 == 0:  # a single backtick is just that
        pieces[-2:] = ["`".join(pieces[-2:])]
    return Markup("".join(f"<code>{piece}</code>" if i % 2 else piece for i, piece in enumerate(pieces)))


def _number(value: float) -> str:
    """Points as people write them: ``3``, ``2.5``, ``1.33``."""
    return f"{round(float(value), 2):g}"
