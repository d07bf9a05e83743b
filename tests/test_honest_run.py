"""Right notebooks, stored and rearranged as people do, really run: full marks, with the repairs listed."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograde.intake.skeleton import Skeleton
from autograde.intake.submission import rebuild
from autograde.records import GRADED
from autograde.running import engine
from autograde.running.sandbox import Sandbox
from tests.mutations import LESSON, MUTATIONS, mutated, right_notebook

SEEDS = engine.seeds(b"honest", "ada")


@pytest.fixture(scope="module")
def box():
    with Sandbox() as box:
        if not box.greeting["isolated"]:
            pytest.skip(f"student code cannot be closed in here: {box.reason}")
        yield box


def grade(box, notebook: dict):
    submission = rebuild("ada", Skeleton.load(LESSON), json.dumps(notebook).encode())
    return engine.grade(submission, SEEDS, box)


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_each_change_alone(name, box):
    notebook, changed = mutated(right_notebook(), [name], seed=3)
    result = grade(box, notebook)
    assert result.status == GRADED, result.note
    assert result.score == result.max_score, [(v.exercise, v.note) for v in result.verdicts if not v.passed]
    if MUTATIONS[name].says and changed:
        assert result.repairs


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(names=st.lists(st.sampled_from(sorted(MUTATIONS)), min_size=2, max_size=4, unique=True),
       seed=st.integers(0, 2**16))
def test_several_changes_at_once(box, names, seed):
    notebook, _ = mutated(right_notebook(), names, seed)
    result = grade(box, notebook)
    assert (result.status, result.score) == (GRADED, result.max_score), [
        (v.exercise, v.note) for v in result.verdicts if not v.passed]
