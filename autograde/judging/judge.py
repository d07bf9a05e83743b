"""From outputs to a verdict: what is right, what is not, and which misunderstanding explains it.

The judge sees arrays only. It runs where student code cannot reach, or on a student's own machine where
the student is their own grader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from autograde.judging import rules
from autograde.judging.exercise import Aspect, Case, Exercise, Misconception, Raises, outputs_of
from autograde.records import (
    FAILED,
    FORBIDDEN,
    NO_ANSWER,
    PARTLY,
    PASSED,
    UNWRITTEN,
    AspectResult,
    Diagnosis,
    Verdict,
)
from unrolled.probes import Outcome


def judge(
    exercise: Exercise,
    cases: Mapping[str, Case],
    outcome: Outcome,
    *,
    source: str = "",
    reveal: bool = False,
) -> Verdict:
    """Judge the outputs of one answer.

    Parameters
    ----------
    exercise, cases : the oracle and the inputs the answer was given.
    outcome : arrays by ``"case/key"`` and errors by case, as the probe left them.
    source : the source of the answer's cells, for rules such as "write it yourself".
    reveal : show expected and returned values. Never for inputs that are used to grade.
    """
    used = rules.forbidden_names(source, exercise.forbids)
    if used:
        note = f"Here you write it yourself: {', '.join(used)} may not be used in this answer."
        return _nothing(exercise, FORBIDDEN, note)
    if not outcome.arrays and not outcome.errors:
        return _nothing(exercise, NO_ANSWER, "The cell did not run to its check, so nothing could be tried.")
    if not outcome.arrays and all(kind == "NotImplementedError" for kind, _ in outcome.errors.values()):
        return _nothing(exercise, UNWRITTEN, "Replace the line `raise NotImplementedError()` with your code.")

    expected, _ = outputs_of(exercise.reference, cases)
    results = tuple(_judge_aspect(exercise, a, cases, expected, outcome, reveal) for a in exercise.aspects)
    points = float(sum(result.points for result in results))
    if all(result.passed for result in results):
        return Verdict(exercise.id, exercise.title, PASSED, points, exercise.points, results)
    state = PARTLY if points > 0 else FAILED
    explained = _diagnose(exercise, cases, expected, outcome, results)
    # What a diagnosis explains needs no evidence beside it.
    results = tuple(replace(r, evidence="") if r.name in explained else r for r in results)
    diagnosis = tuple({m.name: Diagnosis(m.name, m.says) for m in explained.values()}.values())
    return Verdict(exercise.id, exercise.title, state, points, exercise.points, results, diagnosis)


def unwritten(exercise: Exercise) -> Verdict:
    """The verdict on an exercise whose cell is still the stub."""
    return _nothing(exercise, UNWRITTEN, "This exercise was handed in as it was given.")


def unanswered(exercise: Exercise, why: str = "Nothing was handed in.") -> Verdict:
    """The verdict on an exercise from which nothing arrived; `why` tells the student."""
    return _nothing(exercise, NO_ANSWER, why)


def _nothing(exercise: Exercise, state: str, note: str) -> Verdict:
    aspects = tuple(AspectResult(a.name, False, 0.0, a.points) for a in exercise.aspects)
    return Verdict(exercise.id, exercise.title, state, 0.0, exercise.points, aspects, note=note)


def _judge_aspect(exercise, aspect: Aspect, cases, expected, outcome, reveal) -> AspectResult:
    for key, right in expected.items():
        if not aspect.covers(key):
            continue
        case = cases[key.partition("/")[0]]
        problem = _difference(exercise, aspect, case, key, right, outcome, reveal)
        if problem:
            ask = f" {aspect.ask}" if aspect.ask else ""
            return AspectResult(aspect.name, False, 0.0, aspect.points, problem + ask)
    return AspectResult(aspect.name, True, float(aspect.points), aspect.points)


def _difference(exercise, aspect, case: Case, key, right, outcome: Outcome, reveal) -> str:
    """Why this output is not the expected one, in words; empty if it is."""
    tried = f"Tried: {case.about or case.name}."
    name = key.partition("/")[2]
    if case.name in outcome.errors:
        kind, message = outcome.errors[case.name]
        if kind == "NotImplementedError":
            return f"{tried} This part is not written yet."
        return f"{tried} Your code stopped with {kind}: {_short(message)}"
    got = outcome.arrays.get(key)
    if got is None:
        return f"{tried} Nothing came back for `{name}`."
    if got.shape != right.shape:
        return f"{tried} `{name}` should have shape {right.shape}; yours has {got.shape}."
    if aspect.shape_only or _close(exercise, got, right):
        return ""
    got, right = np.asarray(got, np.float64), np.asarray(right, np.float64)
    if not np.isfinite(got).all():
        bad = int((~np.isfinite(got)).sum())
        return f"{tried} `{name}` holds {bad} value{'s' * (bad > 1)} that {'are' if bad > 1 else 'is'} not finite."
    gap = np.abs(got - right)
    wrong = gap > exercise.atol + exercise.rtol * np.abs(right)
    if not right.shape:
        return f"{tried} `{name}` should be {right:.6g}; yours is {got:.6g}." if reveal else (
            f"{tried} `{name}` is not the expected number.")
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    text = f"{tried} `{name}` differs in {int(wrong.sum())} of {wrong.size} places, first at {list(first)}"
    if reveal:
        text += f": expected {right[first]:.6g}, got {got[first]:.6g}"
    return f"{text}; largest gap {gap.max():.2g}."


def _short(message: str, limit: int = 200) -> str:
    # Keras wraps an exception in its own account of the call; the student's own words stand between.
    plain = re.sub(r"\x1b\[[0-9;]*m|\{\{function_node [^}]*\}\} ?", "", message).strip()
    plain = re.sub(r"^(Exception encountered when calling [^\n]*\n+)+", "", plain)
    first = plain.split("\n\n")[0].replace("\n", " ").strip()
    first = first if len(first) <= limit else first[: limit - 1] + "…"
    return first if first.endswith((".", "!", "?", "…")) else f"{first}."


def _close(exercise: Exercise, got: np.ndarray, right: np.ndarray) -> bool:
    return got.shape == right.shape and bool(
        np.allclose(np.asarray(got, np.float64), np.asarray(right, np.float64),
                    rtol=exercise.rtol, atol=exercise.atol)
    )


def _diagnose(exercise, cases, expected, outcome: Outcome, results) -> dict[str, Misconception]:
    """The misconceptions that explain the outputs, by the aspect each explains.

    One that explains everything wins. Otherwise each failed aspect is explained by itself, and only if
    exactly one misconception fits it: a diagnosis is never a guess.
    """
    wrong = [(m, *outputs_of(m.wrong, cases)) for m in exercise.misconceptions]
    failed = {r.name for r in results if not r.passed}
    whole = [m for m, arrays, raised in wrong if _matches(exercise, arrays, raised, outcome, set(expected))]
    if len(whole) == 1:
        return dict.fromkeys(failed, whole[0])
    explained = {}
    for aspect in exercise.aspects:
        if aspect.name not in failed or aspect.shape_only:
            continue
        keys = {key for key in expected if aspect.covers(key)}
        fits = [m for m, arrays, raised in wrong
                if _differs(exercise, arrays, raised, expected, keys)
                and _matches(exercise, arrays, raised, outcome, keys)]
        if len(fits) == 1:
            explained[aspect.name] = fits[0]
    return explained


def _matches(exercise, arrays, raised: dict[str, Raises], outcome: Outcome, keys: set[str]) -> bool:
    for key in keys:
        case = key.partition("/")[0]
        if case in raised:
            kind, message = outcome.errors.get(case, ("", ""))
            if kind != raised[case].type or raised[case].contains not in message:
                return False
        elif key in arrays:
            if key not in outcome.arrays or not _close(exercise, outcome.arrays[key], arrays[key]):
                return False
        elif key in outcome.arrays or case in outcome.errors:
            return False
    return True


def _differs(exercise, arrays, raised, expected, keys: set[str]) -> bool:
    return any(key.partition("/")[0] in raised or key not in arrays
               or not _close(exercise, arrays[key], expected[key]) for key in keys)
