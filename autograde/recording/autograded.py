"""The autograded notebook: what the formgrader shows of a submission, and all that a student's page is made from.

Everything a student wrote or their code printed is text here: escaped, cut to a number of bytes, and never
interpreted (the formgrader would do it in the instructor's session). Beside what is seen, the notebook's metadata hold
the verdicts, so that a page can be made again, from the gradebook of that day, without running any code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from autograde.recording.sheet import check_id
from autograde.recording.student_text import (
    PRINTED_BYTES,
    SENTENCE_BYTES,
    clean,
    for_formgrader,
    one_line,
    without_places,
)
from autograde.recording.words import STATUSES
from autograde.records import AspectResult, CellOutput, Diagnosis, Result, Submission, Verdict
from unrolled import panel

OURS = "unrolled"  # the key of what this course keeps in metadata
MANY_REPAIRS = 60


def autograded(result: Result, submission: Submission) -> NotebookNode:
    """The rebuilt notebook with what its cells printed and each check's verdict.

    Text outputs are plain streams; the only HTML is ours. Without a notebook to show, one cell says why.
    """
    verdicts = {check_id(verdict.exercise): _short(verdict) for verdict in result.verdicts}
    notebook = _nothing_to_show(result) if submission.notebook is None else NotebookNode(submission.notebook)
    if submission.notebook is not None:
        answers = {step.cell: step.exercise for step in submission.steps if step.kind == "solution"}
        notebook.cells = [_shown(cell, result.outputs.get(index), verdicts, answers.get(index))
                          for index, cell in enumerate(submission.notebook.cells)]
    more = len(result.repairs) - MANY_REPAIRS
    repairs = [_said(repair) for repair in result.repairs[:MANY_REPAIRS]]
    notebook.metadata = NotebookNode(notebook.metadata, **{OURS: {
        "student": result.student, "lesson": result.lesson, "status": result.status,
        "note": one_line(without_places(result.note)), "repairs": repairs + ([f"and {more} more"] if more > 0 else []),
        "verdicts": [verdict.to_dict() for verdict in verdicts.values()]}})
    return notebook


def result_in(notebook: Mapping) -> Result | None:
    """The result an autograded notebook was made from, without outputs; None if another grader made it."""
    kept = notebook["metadata"].get(OURS)
    if kept is None:
        return None
    return Result(kept["student"], kept["lesson"], kept["status"], tuple(map(_verdict, kept["verdicts"])),
                  tuple(kept["repairs"]), kept["note"])


def result_at(path: Path) -> Result | None:
    """The result in the autograded notebook at `path`, see `result_in`; its cells are not read if they need not be."""
    content = path.read_bytes()
    # nbformat and `as_json` put keys in order: metadata come after all cells, at the only line that begins like this.
    start = content.rfind(b'\n "metadata": {')
    try:
        return result_in(json.loads(b"{" + content[start:]))
    except (ValueError, KeyError):  # written by another program
        return result_in(json.loads(content))


def as_json(notebook: NotebookNode) -> str:
    """A notebook as text, without validation: what `autograded` makes is valid, and looking again takes longer."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def rewritten(path: Path, submission: Submission) -> frozenset[str]:
    """Written exercises whose answer differs from the one in the autograded notebook at `path`, if there is one.

    A person may have graded that one in the formgrader; ask before the notebook is written again.
    """
    try:
        before = {name: answer_in(cell) for name, cell in _written(json.loads(path.read_text(encoding="utf-8")))}
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        before = {}  # whatever is there, it is not what was graded by hand
    now = {name: cell.source for name, cell in _written(submission.notebook)} if submission.notebook else {}
    return frozenset(name.replace("-", ".", 1) for name, text in now.items() if before.get(name) != text)


def answer_in(cell: Mapping) -> str:
    """A written answer as it was typed, from its cell in an autograded notebook."""
    return cell["metadata"].get(OURS, {}).get("answer", "".join(cell["source"]))


def _written(notebook: Mapping):
    for cell in notebook["cells"]:
        grader = cell["metadata"].get("nbgrader", {})
        if grader.get("grade") and grader.get("solution"):
            yield grader["grade_id"], cell


def _shown(cell: NotebookNode, output: CellOutput | None, verdicts: Mapping[str, Verdict],
           exercise: str | None) -> NotebookNode:
    grader = cell.metadata.get("nbgrader", {})
    shown = NotebookNode(cell)
    if cell.cell_type == "code":
        shown.outputs = _streams(output) if output else []
        verdict = verdicts.get(grader.get("grade_id")) if grader.get("grade") else None
        if exercise:
            shown.metadata = NotebookNode(cell.metadata, **{OURS: {"exercise": exercise}})
        if verdict:
            # A check's own error is this verdict in other words.
            shown.outputs = [o for o in shown.outputs if o.name == "stdout"] + [_panel(verdict)]
    elif grader.get("solution"):
        shown.source = for_formgrader(cell.source, cell.get("attachments"))
        shown.metadata = NotebookNode(cell.metadata, **{OURS: {"answer": cell.source}})
    return shown


def _streams(output: CellOutput) -> list[NotebookNode]:
    texts = (("stdout", without_places(clean(output.text, PRINTED_BYTES))), ("stderr", _said(output.error)))
    return [nbformat.from_dict({"output_type": "stream", "name": name, "text": text}) for name, text in texts if text]


def _short(verdict: Verdict) -> Verdict:
    """A verdict whose texts are fit for a page: they may quote what a student's code said."""
    return replace(verdict, note=_said(verdict.note), aspects=tuple(
        replace(aspect, evidence=_said(aspect.evidence)) for aspect in verdict.aspects))


def _said(text: str) -> str:
    return without_places(clean(text, SENTENCE_BYTES))


def _verdict(kept: Mapping) -> Verdict:
    return Verdict(**{**kept, "aspects": tuple(AspectResult(**aspect) for aspect in kept["aspects"]),
                      "diagnosis": tuple(Diagnosis(**diagnosis) for diagnosis in kept["diagnosis"])})


def _panel(verdict: Verdict) -> NotebookNode:
    # An error message in the evidence may hold `$...$`: the formgrader's MathJax must not read it.
    html = f'<div class="tex2jax_ignore mathjax_ignore">{panel.as_html(verdict)}</div>'
    return nbformat.from_dict({"output_type": "display_data", "metadata": {},
                               "data": {"text/plain": panel.as_text(verdict), "text/html": html}})


def _nothing_to_show(result: Result) -> NotebookNode:
    status = STATUSES[result.status]
    note = f"\n\n{for_formgrader(f'`{one_line(without_places(result.note))}`')}" if result.note else ""
    cell = nbformat.v4.new_markdown_cell(f"**{status.title}.** {status.means}{note}", id="status")
    return nbformat.v4.new_notebook(cells=[cell])
