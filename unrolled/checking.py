"""`check(...)`: the only grading name a lesson uses.

On a student's machine it tries the answer on a few small inputs, shows a panel and raises `CheckFailed`
if something is not right yet. While a class is graded the same call only *collects*: the answer meets
fresh inputs, its outputs leave the process, and the judging happens where student code cannot reach.
"""

from __future__ import annotations

import ast
import contextlib
import os
import sys
from collections.abc import Callable

from unrolled import panel, probes


class CheckFailed(AssertionError):
    """An answer is not right yet. The panel above it says why; no traceback is shown in a notebook."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for this
        return [f"CheckFailed: {self}"]


def check(exercise: str, *answers: object) -> None:
    """Check your answer to `exercise` and say what is right, what is not, and what to look at next.

    Parameters
    ----------
    exercise : the exercise's name, such as ``"lstm.step"``.
    answers : what you wrote: usually one function or one class.

    Raises
    ------
    CheckFailed : if the answer is not written yet or not right yet.
    """
    _handler(exercise, answers)


def judged_here(exercise: str, answers: tuple):
    """The verdict on an answer, found in this process on inputs everybody gets."""
    # The one arrow from `unrolled` to `autograde`, and only where the student is their own grader.
    from autograde.judging import judge, oracles

    oracle = oracles.get(exercise)
    cases = oracle.draw(oracles.public_seed(exercise))
    # Warnings are no mistakes, yet a plain `nbgrader autograde` reads anything on stderr as one.
    with contextlib.redirect_stderr(sys.stdout):
        outcome = probes.run(exercise, answers, cases, oracle.forbids)
    return judge.judge(oracle, cases, outcome, source=_source_of(answers), reveal=True)


def check_here(exercise: str, answers: tuple) -> None:
    """Judge in this process and show the panel: what `check` does on a student's own machine."""
    verdict = judged_here(exercise, answers)
    panel.show(verdict)
    if not verdict.passed:
        if os.environ.get("NBGRADER_EXECUTION") == "autograde" and verdict.points > 0:
            _publish_partial_credit(verdict.points)
        raise CheckFailed(verdict.headline)


_handler: Callable[[str, tuple], None] = check_here


def collect_with(handler: Callable[[str, tuple], None]) -> None:
    """Let `handler` receive every later `check`: how the grader takes the place of local judging."""
    global _handler
    _handler = handler


def _publish_partial_credit(points: float) -> None:
    """Plain nbgrader reads a cell's first `execute_result` as its points, also before an error."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.displayhook(float(points))


def _source_of(answers: tuple) -> str:
    """The source of the cells that defined the answers: the last input that defines each name.

    `inspect` cannot find classes defined in a notebook, so IPython's own history is read instead.
    """
    try:
        from IPython import get_ipython
    except ImportError:
        return ""
    shell = get_ipython()
    if shell is None:
        return ""
    wanted = {getattr(answer, "__name__", None) for answer in answers} - {None}
    found = []
    for cell in reversed(shell.history_manager.input_hist_raw):
        try:
            body = ast.parse(cell).body
        except (SyntaxError, ValueError):
            continue  # magics and cells with a syntax error define nothing
        names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        if names & wanted:
            found.append(cell)
            wanted -= names
    return "\n".join(found)
