"""One submission, graded: run closed in, its outputs judged here, one status at the end."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from autograde import records
from autograde.judging import judge, oracles
from autograde.judging.exercise import Case, Exercise
from autograde.records import (
    CRASHED,
    FLOODED,
    GRADED,
    OUT_OF_MEMORY,
    TAMPERED,
    TIMEOUT,
    Result,
    Step,
    Submission,
    Verdict,
)
from autograde.running.sandbox import Sandbox
from autograde.running.watch import Transcript
from unrolled.probes import Outcome

NOTES = {
    TIMEOUT: "a cell ran longer than it may (an endless loop?)",
    OUT_OF_MEMORY: "it took more memory than it may",
    FLOODED: "it printed more than it may",
    CRASHED: "its process ended in mid-run",
}


def grade(
    submission: Submission,
    seed_of: Callable[[str], int],
    sandbox: Sandbox | None = None,
    exercises: Sequence[Exercise] | None = None,
) -> Result:
    """Grade one submission. Never raises for anything a student wrote.

    Parameters
    ----------
    submission : rebuilt, see `autograde.intake.submission`.
    seed_of : the seed of an exercise's hidden inputs for this student, see `seeds`.
    sandbox : the warm process to use; this process's own by default.
    exercises : the lesson's oracles; the installed ones by default.
    """
    if sandbox is None:
        from autograde.running.sandbox import shared

        with shared() as sandbox:
            return grade(submission, seed_of, sandbox, exercises)
    began = time.monotonic()
    exercises = oracles.of_lesson(submission.lesson) if exercises is None else exercises
    if submission.status:
        return Result(submission.student, submission.lesson, submission.status,
                      tuple(judge.unanswered(ex) for ex in exercises), submission.repairs, submission.note)
    checked = {step.exercise for step in submission.steps if step.kind == "check"}
    asked = [ex for ex in exercises if ex.id in checked and ex.id not in submission.untouched]
    cases = {ex.id: ex.draw(seed_of(ex.id)) for ex in asked}
    drawn = time.monotonic()
    transcript = Transcript(status=GRADED)
    if asked:
        transcript = sandbox.run(needed(submission, asked), inputs(cases), submission.files)
    ran = time.monotonic()
    verdicts = tuple(_verdict(ex, cases.get(ex.id), transcript, submission) for ex in exercises)
    now = time.monotonic()
    parts = transcript.parts | {"judge": (drawn - began) + (now - ran), "memory": transcript.peak_memory}
    note = transcript.note or NOTES.get(transcript.status, "")
    return Result(submission.student, submission.lesson, transcript.status, verdicts, submission.repairs,
                  note if transcript.status != GRADED else "", now - began, parts, transcript.outputs)


def needed(submission: Submission, asked: Sequence[Exercise]) -> tuple[Step, ...]:
    """The steps to run, each check with its exercise's rules; checks of untouched exercises have nothing to try."""
    forbids = {exercise.id: exercise.forbids for exercise in asked}
    return tuple(replace(step, forbids=forbids[step.exercise]) if step.kind == "check" else step
                 for step in submission.steps if step.kind != "check" or step.exercise in forbids)


def inputs(cases: dict[str, dict[str, Case]]) -> dict:
    """All cases' arrays by ``"exercise/case/key"``: what a child may know."""
    return {f"{exercise}/{name}/{key}": value for exercise, drawn in cases.items()
            for name, case in drawn.items() for key, value in case.items()}


def _verdict(exercise, cases, transcript: Transcript, submission: Submission) -> Verdict:
    if cases is None:
        return judge.unwritten(exercise)
    outcome = transcript.answers.get(exercise.id, Outcome())
    verdict = judge.judge(exercise, cases, outcome, source=submission.answers.get(exercise.id, ""))
    if verdict.state == records.NO_ANSWER:
        return judge.unanswered(exercise, _why_no_answer(exercise, transcript, submission))
    return verdict


def _why_no_answer(exercise, transcript: Transcript, submission: Submission) -> str:
    """What a student needs to hear when nothing arrived: the error of the answer's cell, or of the check."""
    for kind in ("solution", "check"):
        for step in submission.steps:
            output = transcript.outputs.get(step.cell)
            if step.exercise == exercise.id and step.kind == kind and output and output.error:
                return f"The {'cell' if kind == 'solution' else 'check'} stopped: {output.error[:300]}"
    note = NOTES.get(transcript.status, "the run ended before this check")
    return f"Nothing could be tried: {transcript.note if transcript.status == TAMPERED else note}."


# Hidden inputs --------------------------------------------------------------------------------------------

def secret_for(root: Path) -> bytes:
    """The course's secret, made at first use: 32 random bytes, readable by the instructor only."""
    path = Path(root) / ".unrolled" / "secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"secret.{os.getpid()}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(32))
        try:
            os.link(partial, path)  # fails if another run made one meanwhile: that one counts
        except FileExistsError:
            pass
        finally:
            os.unlink(partial)
    return path.read_bytes()


def seeds(secret: bytes, student: str) -> Callable[[str], int]:
    """The seed of each exercise's inputs for one student: fresh for each, the same again on a regrade."""

    def seed_of(exercise: str) -> int:
        digest = hmac.new(secret, f"{student}\0{exercise}".encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:8], "big")

    return seed_of
