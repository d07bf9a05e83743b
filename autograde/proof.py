"""What the checks are worth, as tests: every misconception rejected and named, every right answer accepted.

Tests of the course's lessons, or, in a course directory of one's own, of the lessons written there. A file of pytest's
takes them over with ``from autograde.proof import *``.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest

from autograde import course
from autograde.authoring import answers, build, samples
from autograde.authoring.classroom import classroom
from autograde.intake import submission
from autograde.judging import judge, oracles
from autograde.judging.exercise import Raises, outputs_of
from autograde.running import engine, sandbox
from unrolled.probes import Outcome
from unrolled.sandbox import channel

TOPICS = oracles.topics() if course.OWN is None else oracles.own_topics()
ANSWERS = {topic: answers.topic(topic) for topic in TOPICS}
EXERCISES = [pytest.param(topic, ex, id=ex.id) for topic, m in TOPICS.items() for ex in m.EXERCISES]
RIGHT = [pytest.param(topic, ex, style, id=f"{ex.id}: {style}") for topic, m in TOPICS.items()
         for ex in m.EXERCISES for style in [answers.REFERENCE, *ANSWERS[topic].RIGHT.get(ex.id, {})]]
WRONG = [pytest.param(topic, ex, m, id=f"{ex.id}: {m.name}") for topic, module in TOPICS.items()
         for ex in module.EXERCISES for m in ex.misconceptions]
STRANGERS = [pytest.param(topic, ex, name, id=f"{ex.id}: {name}") for topic, m in TOPICS.items()
             for ex in m.EXERCISES for name in getattr(ANSWERS[topic], "STRANGERS", {}).get(ex.id, {})]
# The course itself has these two in tests of their own, for every lesson at once.
WRITTEN_HERE = sorted({module.LESSON for module in TOPICS.values()}) if course.OWN is not None else []
SEEDS = [None, 7]  # the public inputs, and a set nobody has seen


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("topic", "exercise", "style"), RIGHT)
def test_right_answer_earns_full_marks(topic, exercise, style, seed):
    room = classroom(TOPICS[topic].LESSON)
    source = answers.text(answers.named(exercise.id)[style], room.answers[exercise.id])
    verdict = room.try_answer(exercise.id, source, seed)
    assert verdict.passed, verdict
    assert verdict.points == exercise.points


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("topic", "exercise", "misconception"), WRONG)
def test_misconception_is_rejected_and_named(topic, exercise, misconception, seed):
    """Real student code with this mistake loses points, and the verdict says which mistake it is."""
    room = classroom(TOPICS[topic].LESSON)
    wrong = ANSWERS[topic].WRONG.get(exercise.id, {}).get(misconception.name)
    assert wrong is not None, f"{answers.__name__}.{topic} has no answer with this misconception"
    verdict = room.try_answer(exercise.id, answers.text(wrong, room.answers[exercise.id]), seed)
    assert not verdict.passed
    assert [d.name for d in verdict.diagnosis] == [misconception.name], verdict


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("topic", "exercise", "name"), STRANGERS)
def test_a_strangers_answer_earns_what_it_is_worth_and_is_told_nothing_false(topic, exercise, name, seed):
    """Answers by people who never saw the oracle: the points, and the names of all that is said of them."""
    answer, points, said = ANSWERS[topic].STRANGERS[exercise.id][name]
    room = classroom(TOPICS[topic].LESSON)
    verdict = room.try_answer(exercise.id, answers.text(answer, room.answers[exercise.id]), seed)
    assert (verdict.points, {d.name for d in verdict.diagnosis}) == (points, said), verdict


@pytest.mark.parametrize(("topic", "exercise"), EXERCISES)
def test_misconceptions_are_told_apart_and_luck_earns_nothing(topic, exercise, monkeypatch):
    """On any inputs, no misconception looks right and no two look alike, and each is worth the same points."""
    points: dict[str, set] = {}
    exercise = replace(exercise, derive=None)  # a misconception gives what the judge would derive
    for seed in range(30):
        cases = exercise.draw(seed)
        once = cache(partial(outputs_of, cases=cases))  # the judge tries every misconception on each of them
        monkeypatch.setattr(judge, "outputs_of", lambda function, cases, once=once: once(function))
        for misconception in exercise.misconceptions:
            arrays, raised = once(misconception.wrong)
            errors = {name: (r.type.split("|")[0], r.contains.split("|")[0]) for name, r in raised.items()}
            outcome = Outcome(arrays, errors)
            verdict = judge.judge(exercise, cases, outcome)
            assert not verdict.passed, misconception.name
            assert [d.name for d in verdict.diagnosis] == [misconception.name]
            points.setdefault(misconception.name, set()).add(verdict.points)
    assert {name: found for name, found in points.items() if len(found) > 1} == {}


@pytest.mark.parametrize(("topic", "exercise"), EXERCISES)
def test_every_output_is_judged_and_the_same_seed_draws_the_same_cases(topic, exercise):
    first, again = exercise.draw(5), exercise.draw(5)
    job = channel.pack("job", {}, engine.inputs({exercise.id: first}))
    [frame] = channel.Reader(channel.NUMBERS_AND_TEXT).feed(job)
    assert len(frame.arrays) == sum(len(case) for case in first.values()), "the inputs must survive the channel"
    for name, case in first.items():
        assert all(np.array_equal(case[k], again[name][k]) for k in case)
        assert case.about, f"case {name!r} has no line that says what was tried"
    arrays, raised = outputs_of(exercise.reference, first)
    assert not any(isinstance(r, Raises) for r in raised.values())
    for key in arrays:
        assert any(a.covers(key) for a in exercise.aspects), f"no aspect judges {key}"
    for aspect in exercise.aspects:
        assert any(aspect.covers(key) for key in arrays), f"aspect {aspect.name!r} judges nothing"


if WRITTEN_HERE:

    @pytest.mark.parametrize("lesson", WRITTEN_HERE)
    def test_its_notebooks_are_what_the_source_gives_and_keep_the_rules(lesson):
        assert build.check(lesson, run=False) == []

    @pytest.mark.parametrize("lesson", WRITTEN_HERE)
    def test_its_sample_class_gets_what_it_deserves(lesson):
        """Graded as a class is: rebuilt, closed in, judged from outside."""
        expected = tomllib.loads((samples.table(lesson).parent / "expected.toml").read_text(encoding="utf-8"))
        notebooks = samples.sample_class(lesson)
        assert notebooks.keys() == expected.keys()
        with sandbox.Sandbox() as box:
            for student, notebook in notebooks.items():
                rebuilt = submission.rebuild(student, lesson, build.as_bytes(notebook))
                result = engine.grade(rebuilt, engine.seeds(b"a secret of tests", student), box)
                said = sorted(f"{v.exercise}: {d.name}" for v in result.verdicts for d in v.diagnosis)
                assert {"status": result.status, "score": result.score, "misunderstood": said} == expected[student], (
                    student)
