"""From outputs to a verdict: what is right, what is not, and which misunderstanding explains it.

The judge sees arrays only. It runs where student code cannot reach, or on a student's own machine where
the student is their own grader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from autograde.judging import rules
from autograde.judging.evidence import close, difference, not_written, stopped
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
from unrolled.probes import Outcome, guard

LEFT_ALONE = "inputs left alone"
CHANGED = ("Your code writes into {}, which belongs to whoever called it: their next step would start from other "
           "numbers. Make a new array (`c = f * c + i * g`) where you changed the given one (`c *= f`, `x[0] = ...`, "
           "`items[0] = ...`).")


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
        return _nothing(exercise, FORBIDDEN, guard.WORDS.format(", ".join(used)))
    for _, message, *_ in outcome.errors.values():
        if note := guard.said_in(message):  # the answer reached for what was out of use
            return _nothing(exercise, FORBIDDEN, note)
    if not outcome.arrays and not outcome.errors:
        return _nothing(exercise, NO_ANSWER, "The cell did not run to its check, so nothing could be tried.")
    if not outcome.arrays and all(map(not_written, outcome.errors.values())):
        return _nothing(exercise, UNWRITTEN, "Replace the line `raise NotImplementedError()` with your code.")

    outcome = _derived(exercise, cases, outcome)
    expected, _ = outputs_of(exercise.reference, cases)
    results = _told_once(_judge_aspect(exercise, a, cases, expected, outcome, reveal) for a in exercise.aspects)
    failed = not all(result.passed for result in results)
    explained = _diagnose(exercise, cases, expected, outcome, results) if failed else {}
    # What a diagnosis explains needs no evidence beside it.
    results = tuple(replace(r, evidence="") if r.name in explained else r for r in results)
    diagnosis = tuple({m.name: Diagnosis(m.name, m.says) for m in explained.values()}.values())
    points = sum(result.points for result in results)
    if names := _changed(exercise, cases, outcome):
        results += (AspectResult(LEFT_ALONE, False, -min(1.0, points), 0.0),)
        diagnosis += (Diagnosis("changes its inputs", CHANGED.format(", ".join(f"`{name}`" for name in names))),)
        points += results[-1].points
    state = (PARTLY if points > 0 else FAILED) if failed or names else PASSED
    return Verdict(exercise.id, exercise.title, state, float(points), exercise.points, results, diagnosis)


def _derived(exercise: Exercise, cases: Mapping[str, Case], outcome: Outcome) -> Outcome:
    """The outcome with each case's arrays replaced by what the exercise works out of them."""
    if exercise.derive is None:
        return outcome
    arrays, errors = {}, dict(outcome.errors)
    for name, case in cases.items():
        found = {key.partition("/")[2]: array for key, array in outcome.arrays.items() if key.startswith(f"{name}/")}
        if found:
            try:
                arrays |= {f"{name}/{key}": np.asarray(value) for key, value in exercise.derive(case, found).items()}
            except (ValueError, KeyError, np.linalg.LinAlgError) as problem:
                errors[name] = (type(problem).__name__, str(problem), "")
    return replace(outcome, arrays=arrays, errors=errors)


def _changed(exercise: Exercise, cases: Mapping[str, Case], outcome: Outcome) -> list[str]:
    """The inputs that the answer wrote into and should have left alone."""
    names = {name for case, changed in outcome.changed.items() if case in cases for name in changed
             if name.isidentifier() and len(name) < 40}
    return sorted(names - set(exercise.may_change))


def _told_once(results) -> tuple[AspectResult, ...]:
    """One exception may fail every aspect: it is told where it is met first."""
    seen: set[str] = set()
    kept = []
    for result in results:
        kept.append(replace(result, evidence="") if result.evidence in seen else result)
        seen.add(result.evidence)
    return tuple(kept)


def unwritten(exercise: Exercise) -> Verdict:
    """The verdict on an exercise whose cell is still the stub."""
    return _nothing(exercise, UNWRITTEN, "This exercise was handed in as it was given.")


def unanswered(exercise: Exercise, why: str = "Nothing was handed in.") -> Verdict:
    """The verdict on an exercise from which nothing arrived; `why` tells the student."""
    return _nothing(exercise, NO_ANSWER, why)


def _nothing(exercise: Exercise, state: str, note: str) -> Verdict:
    aspects = tuple(AspectResult(a.name, False, 0.0, a.points) for a in exercise.aspects)
    return Verdict(exercise.id, exercise.title, state, 0.0, exercise.points, aspects, note=note)


def _judge_aspect(exercise, aspect: Aspect, cases, expected, outcome: Outcome, reveal) -> AspectResult:
    for key, right in expected.items():
        if not aspect.covers(key):
            continue
        case = cases[key.partition("/")[0]]
        if case.name in outcome.errors:
            return AspectResult(aspect.name, False, 0.0, aspect.points, stopped(case, outcome.errors[case.name]))
        problem = difference(exercise, aspect, case, key, right, outcome.arrays.get(key), reveal)
        if problem:
            ask = f" {aspect.ask}" if aspect.ask else ""
            return AspectResult(aspect.name, False, 0.0, aspect.points, problem + ask)
    return AspectResult(aspect.name, True, float(aspect.points), aspect.points)


def _diagnose(exercise, cases, expected, outcome: Outcome, results) -> dict[str, Misconception]:
    """The misconceptions that explain the outputs, by the aspect each explains.

    One that explains everything wins. Otherwise a failed aspect is explained if exactly one misconception fits all of
    it and contradicts nothing else: wherever that misconception changes an output, in whatever aspect, the output
    came out just so. What is left over is another mistake, and the evidence speaks. A diagnosis is never a guess.
    """
    failed = {r.name for r in results if not r.passed}
    wrong = []
    for misconception in exercise.misconceptions:
        arrays, raised = outputs_of(misconception.wrong, cases)
        astray = {key for key in expected if _differs(exercise, arrays, raised, expected, {key})}
        if _matches(exercise, arrays, raised, outcome, astray):
            wrong.append((misconception, arrays, raised, astray))
    whole = [m for m, arrays, raised, _ in wrong if _matches(exercise, arrays, raised, outcome, set(expected))]
    if len(whole) == 1:
        return dict.fromkeys(failed, whole[0])
    explained = {}
    for aspect in exercise.aspects:
        if aspect.name not in failed or aspect.shape_only:
            continue
        keys = {key for key in expected if aspect.covers(key)}
        fits = [m for m, arrays, raised, astray in wrong
                if astray & keys and _matches(exercise, arrays, raised, outcome, keys)]
        if len(fits) == 1:
            explained[aspect.name] = fits[0]
    return explained


def _matches(exercise, arrays, raised: dict[str, Raises], outcome: Outcome, keys: set[str]) -> bool:
    for key in keys:
        case = key.partition("/")[0]
        if case in raised:
            if not raised[case].matches(outcome.errors.get(case, ("", ""))):
                return False
        elif key in arrays:
            if key not in outcome.arrays or not close(exercise, outcome.arrays[key], arrays[key], equal_nan=True):
                return False
        elif key in outcome.arrays or case in outcome.errors:
            return False
    return True


def _differs(exercise, arrays, raised, expected, keys: set[str]) -> bool:
    return any(key.partition("/")[0] in raised or key not in arrays
               or not close(exercise, arrays[key], expected[key]) for key in keys)
