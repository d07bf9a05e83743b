"""Run a submission's cells in a closed-in child, and send away what its answers return.

The runner shares its process with student code, so nothing depends on its honesty: it can only send
arrays, which are judged elsewhere, and text, which is only ever shown.
"""

from __future__ import annotations

import io
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import contextmanager

from unrolled import checking, probes
from unrolled.sandbox import channel
from unrolled.sandbox.isolate import BUSY, Limits

KEPT_TEXT = 64 << 10  # of what one cell prints, for the student to read


class OutOfTime(BaseException):
    """A cell took longer than it may. Not an Exception, so that `except Exception` does not keep it going."""


class Flooded(BaseException):
    """The submission printed more than any honest one does."""


class CappedText(io.TextIOBase):
    """Standard output of a cell: keeps the beginning, counts the rest."""

    def __init__(self, limit: int):
        self.limit = limit
        self.total = 0
        self.start_cell()

    def start_cell(self) -> None:
        self.kept: list[str] = []
        self.room = KEPT_TEXT

    def write(self, text: str) -> int:
        self.total += len(text)
        if self.total > self.limit:
            raise Flooded
        if self.room > 0:
            self.kept.append(text[: self.room])
            self.room -= len(text)
        return len(text)

    def writable(self) -> bool:
        return True

    def text(self) -> str:
        return "".join(self.kept) + ("\n… (cut here)" if self.room < 0 else "")


def make_shell():
    """An IPython shell without history file, terminal or tracebacks. Made in the warm process, used in the children."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Shell(InteractiveShell):
        """What `%matplotlib` and `!command` in an answer's cell need: no window, and no terminal for the command."""

        system = InteractiveShell.system_raw

        def enable_gui(self, gui=None):
            pass

        def showtraceback(self, *args, **kwargs):  # the cell's error is sent by itself, see `_said`: once, no folders
            pass

        showsyntaxerror = showindentationerror = showtraceback

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.enable_html_pager = False
    config.InteractiveShell.xmode = "Context"
    shell = Shell.instance(config=config)
    shell.user_ns["__name__"] = "__main__"
    return shell


class Runner:
    """Runs the steps of one submission and sends frames to `out`, a file descriptor."""

    def __init__(self, shell, out: int, limits: Limits, put_back: Callable[[], object]):
        self.shell = shell
        self.put_back = put_back  # what cells share, see `untouched`
        self.out = out
        self.limits = limits
        self.stdout = CappedText(limits.printed)

    def send(self, kind: str, data: dict, arrays=None) -> None:
        message = memoryview(channel.pack(kind, data, arrays))
        while message:
            message = message[os.write(self.out, message):]

    def run(self, steps: list[dict], inputs: dict[str, dict[str, dict]]) -> None:
        """Run `steps` in order; `inputs` are the cases by exercise."""
        sys.stdout = sys.stderr = self.stdout
        put_back, touched = self.put_back, ""
        try:
            for step in steps:
                self.send("cell", {"cell": step["cell"], "kind": step["kind"]})
                if step["kind"] == "solution" and touched != step["exercise"]:
                    if touched:
                        put_back()
                    touched = step["exercise"]  # what it replaces itself stays until it was checked
                self.run_step(step, inputs)
                if step["kind"] == "check" and touched:  # an answer may have waited with it until it was tried
                    put_back()
                    touched = ""
            self.send("end", {})
        except Flooded:
            self.send("flooded", {})

    def run_step(self, step: dict, inputs) -> None:
        """Run one cell; whatever happens in it, the next one has its turn."""
        self.stdout.start_cell()
        exercise = step.get("exercise", "")

        def collect(name: str, answers: tuple) -> None:
            # Only the check cell that belongs here: elsewhere a check has nothing to say while grading.
            if step["kind"] == "check" and name == exercise and name in inputs:
                outcome = probes.run(name, answers, inputs[name], tuple(step["forbids"]))
                self.send("answer", {"exercise": name, "errors": outcome.errors, "changed": outcome.changed},
                          outcome.arrays)

        checking.collect_with(collect)
        error, out_of_time = "", False
        try:
            with time_limit(self.limits):
                result = self.shell.run_cell(step["source"], store_history=False)
            problem = result.error_before_exec or result.error_in_exec
            if isinstance(problem, OutOfTime | Flooded):  # the shell catches everything
                raise problem
            if problem is not None:
                error = _said(problem)
        except OutOfTime:
            out_of_time = True
        except Flooded:
            raise
        except BaseException as problem:  # sys.exit, KeyboardInterrupt, or the shell itself broken by the cell
            error = "".join(traceback.format_exception_only(problem))[:2000]
        self.send("done", {"cell": step["cell"], "text": self.stdout.text(), "error": error,
                           "out_of_time": out_of_time})


def _said(problem: BaseException) -> str:
    """An error in words, with the student's own line: ``NameError: name 'y' is not defined (in line 3: `y`)``."""
    # A syntax error says its line itself, beside IPython's name of the cell.
    text = f"{type(problem).__name__}: {problem}"[:2000]
    text, named = re.subn(r"\(<ipython-input[^>]*>, (line \d+)\)", r"(\1)", text)
    line = "" if named else probes.where(problem)
    return f"{text} (in {line})" if line else text


@contextmanager
def time_limit(limits: Limits):
    """Interrupt the block after so much processor time (a busy loop), or wall time in which it computes nothing.

    This is the polite limit, which lets later cells run. Code that ignores it meets the engine's, outside.
    """
    seen = time.process_time()

    def stop(signum, frame):
        # Once may not be enough: a loop with a bare `except` swallows the first one.
        signal.setitimer(signal.ITIMER_REAL, 1.0, 1.0)
        signal.signal(signal.SIGALRM, stop)
        raise OutOfTime

    def look(signum, frame):
        nonlocal seen
        now = time.process_time()
        if now - seen < BUSY * limits.cell_idle:
            stop(signum, frame)
        seen = now

    signal.signal(signal.SIGPROF, stop)
    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_PROF, limits.cell_cpu)
    signal.setitimer(signal.ITIMER_REAL, limits.cell_idle, limits.cell_idle)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
