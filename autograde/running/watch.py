"""One child, watched until it ends or is ended: its frames read, its time and memory measured from outside.

Nothing a child sends is believed further than the caps of `unrolled.sandbox.channel`.
"""

from __future__ import annotations

import os
import select
import time
from dataclasses import dataclass, field

from autograde.records import CRASHED, FLOODED, GRADED, OUT_OF_MEMORY, TAMPERED, TIMEOUT, CellOutput
from autograde.running.child import Child
from unrolled.probes import Outcome
from unrolled.sandbox import channel
from unrolled.sandbox.isolate import BUSY, Limits

STOPPED = "stopped: it ran longer than a cell may"


@dataclass
class Transcript:
    """What one run left: answers by exercise, cell outputs, how it ended and where the time went (seconds).

    `kept_waiting` marks a time-out of something that may only have waited for a busy machine.
    """

    answers: dict[str, Outcome] = field(default_factory=dict)
    outputs: dict[int, CellOutput] = field(default_factory=dict)
    status: str = CRASHED
    note: str = ""
    parts: dict[str, float] = field(default_factory=dict)
    peak_memory: int = 0
    kept_waiting: bool = False


class Watch:
    """Follows one child: reads its frames, measures time and memory, ends it."""

    POLL = 0.05
    TICK = 0.5  # seconds over which a child computes or does not
    GRACE = 5.0  # the child's own limits come first and let later cells run; these are for code that ignores them

    def __init__(self, child: Child, stream: int, group, limits: Limits):
        self.child = child
        self.stream = stream
        self.group = group
        self.limits = limits
        self.transcript = Transcript()
        self.reader = channel.Reader()
        self.started = self.ticked = time.monotonic()
        self.cell = -1
        self.computed = self.computed_before = 0.0  # processor time: in all, and until this cell began
        self.idle = self.idle_before = 0.0
        self.out_of_time = False
        self.ended: str | None = None
        self.marks: dict[str, float] = {}

    def follow(self) -> Transcript:
        """Until the child ends or is ended. The child is always killed, also after an orderly end."""
        try:
            while self.ended is None:
                readable, _, _ = select.select([self.stream], [], [], self.POLL)
                if readable:
                    self._read()
                else:
                    self._measure()
                self._check_time()
        finally:
            self.child.kill()
            self.child.close()
            os.close(self.stream)
        self._settle()
        return self.transcript

    def _read(self) -> None:
        chunk = os.read(self.stream, 1 << 20)
        if not chunk:
            self.ended = CRASHED
            return
        try:
            for frame in self.reader.feed(chunk):
                self._take(frame)
        except channel.ChannelError as error:
            self.ended = TAMPERED
            self.transcript.note = f"the submission wrote to the grader's channel: {error}"

    def _take(self, frame: channel.Frame) -> None:
        data, now = frame.data, time.monotonic()
        if frame.kind == "cell":
            self.cell = _integer(data.get("cell"))
            self.computed_before, self.idle_before = self.computed, self.idle
            self._mark(str(data.get("kind")), now)
        elif frame.kind == "answer":
            self._answer(data, frame.arrays)
        elif frame.kind == "done":
            if data.get("out_of_time") is True:
                self.out_of_time = True
                self._tick(now)
                self._note_waiting()
            error = STOPPED if data.get("out_of_time") is True else _text(data, "error")
            self.transcript.outputs[_integer(data.get("cell"))] = CellOutput(_text(data, "text"), error)
        elif frame.kind == "end":
            self.ended = GRADED
        elif frame.kind == "flooded":
            self.ended = FLOODED
        elif frame.kind == "broken":
            self.ended = CRASHED
            self.transcript.note = _text(data, "error").strip().rpartition("\n")[2]
        elif frame.kind == "ready":
            self._mark("ready", now)
        else:
            raise channel.ChannelError("a frame of an unknown kind")

    def _answer(self, data: dict, arrays: dict) -> None:
        exercise = data.get("exercise")
        if not isinstance(exercise, str):
            raise channel.ChannelError("an answer without its names")
        errors = {case: (kind[:100], message, where[:200])
                  for case, (kind, message, where) in _words(data, "errors", 3).items()}
        self.transcript.answers[exercise[:100]] = Outcome(arrays, errors, _words(data, "changed"))

    def _mark(self, kind: str, now: float) -> None:
        last = self.marks.setdefault("_last", self.started)
        before = self.marks.get("_kind", "isolate")
        if before in ("isolate", "code", "helper", "solution", "check", "ready"):
            key = {"ready": "setup", "helper": "code"}.get(str(before), str(before))
            self.marks[key] = self.marks.get(key, 0.0) + now - last
        self.marks["_last"], self.marks["_kind"] = now, kind if isinstance(kind, str) else "code"

    def _measure(self) -> None:
        used = self.group.memory(self.child.pid)
        self.transcript.peak_memory = max(self.transcript.peak_memory, used)
        if used > self.limits.memory:
            self.ended = OUT_OF_MEMORY

    def _check_time(self) -> None:
        now = time.monotonic()
        if self.ended is not None or now - self.ticked < self.TICK:
            return
        self._tick(now)
        limits = self.limits
        too_long = (self.computed - self.computed_before > limits.cell_cpu + self.GRACE
                    or self.computed > limits.total_cpu + self.GRACE
                    or self.idle - self.idle_before > limits.cell_idle + self.GRACE
                    or self.idle > limits.total_idle + self.GRACE)
        if too_long or now - self.started > limits.total_wall:
            self.ended = TIMEOUT
            self._note_waiting(shared_out=not too_long)
            if self.cell >= 0:
                self.transcript.outputs[self.cell] = CellOutput("", STOPPED)

    def _tick(self, now: float) -> None:
        """Measure the processor time since the last tick: the child computed, or it did not."""
        computed = max(self.computed, self.group.seconds(self.child.pid))
        if computed - self.computed < BUSY * (now - self.ticked):
            self.idle += now - self.ticked
        self.computed, self.ticked = computed, now

    def _note_waiting(self, shared_out: bool = False) -> None:
        """Whether a neighbour could be why the clock ran out: not where the processor time itself is used up, and not
        where the kernel gives each its share, unless that share was too small."""
        computed_enough = self.computed - self.computed_before > 0.8 * self.limits.cell_cpu
        self.transcript.kept_waiting |= shared_out or not (computed_enough or self.group.shares)

    def _settle(self) -> None:
        self._mark("end", time.monotonic())
        self.transcript.peak_memory = max(self.transcript.peak_memory, self.group.peak())
        if self.ended == CRASHED and self.group.out_of_memory():
            self.ended = OUT_OF_MEMORY
        if self.ended == GRADED and self.out_of_time:
            self.ended = TIMEOUT
        self.transcript.status = self.ended
        self.transcript.parts = {k: v for k, v in self.marks.items() if not k.startswith("_")}


def _integer(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 100_000:
        raise channel.ChannelError("a frame without its number")
    return value


def _words(data: dict, key: str, count: int | None = None) -> dict[str, tuple[str, ...]]:
    """A few short texts for each case; `count` of them, or any number."""
    found = data.get(key)
    if not isinstance(found, dict):
        raise channel.ChannelError("an answer without its names")
    kept = {}
    for case, texts in list(found.items())[:100]:
        if not (isinstance(texts, list) and all(isinstance(e, str) for e in texts) and count in (None, len(texts))):
            raise channel.ChannelError("an answer without its names")
        kept[case[:100]] = tuple(e[:2000] for e in texts[:100])
    return kept


def _text(data: dict, key: str) -> str:
    value = data.get(key, "")
    return value[:80_000] if isinstance(value, str) else ""
