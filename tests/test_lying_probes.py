"""No aspect hangs on something that a liar beside student code could know: a probe that lies at will earns nothing.

The liar has no answer, but it knows the public inputs and everything the reference gave on them, truth values
included. On inputs it has not seen that must be worth 0 points in every exercise.
"""

from __future__ import annotations

import numpy as np
import pytest

from autograde.judging import judge, oracles
from tests.classroom import classroom
from unrolled.probes import Outcome

EXERCISES = [pytest.param(module.LESSON, exercise, id=exercise.id)
             for module in oracles.topics().values() for exercise in module.EXERCISES]
SEEDS = range(100, 112)


def replayed(array):
    """What was right on the public inputs."""
    return array


def zeros(array):
    return np.zeros_like(array)


def ones(array):
    return np.ones_like(array)


def true(array):
    return np.array(True)


def nothing(array):
    return np.zeros(0)


LIES = {lie.__name__: lie for lie in (replayed, zeros, ones, true, nothing)}


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES)
@pytest.mark.parametrize("lie", LIES)
def test_a_probe_that_lies_earns_nothing(lesson, exercise, lie):
    room = classroom(lesson)
    told = room.collect(exercise.id, room.answers[exercise.id]).arrays
    assert told, "the reference's answer must leave outputs to replay"
    for seed in SEEDS:
        cases = exercise.draw(seed)
        outcome = Outcome({key: LIES[lie](array) for key, array in told.items()})
        verdict = judge.judge(exercise, cases, outcome)
        assert verdict.points == 0, f"seed {seed}: {[(a.name, a.points) for a in verdict.aspects if a.passed]}"
