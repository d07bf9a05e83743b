"""Every right answer lets the whole lesson run: what earns full marks breaks no later cell."""

from __future__ import annotations

import pytest

from autograde import course
from tests import whole_lesson

QUICK = {"00_start_here"}
RUNS = [pytest.param(name, turn, id=f"{name}-{turn + 1}", marks=[] if name in QUICK else [pytest.mark.slow])
        for name in course.chosen([]) for turn in range(len(whole_lesson.styles(name)))]


@pytest.mark.parametrize(("name", "turn"), RUNS)
def test_a_lesson_runs_to_its_end_with_other_right_answers(name, turn):
    whole_lesson.run(name, whole_lesson.styles(name)[turn])


@pytest.mark.parametrize("name", course.chosen([]))
def test_every_right_answer_has_its_turn(name):
    turns = whole_lesson.styles(name)
    for exercise in turns[0]:
        topic = whole_lesson.answers.topic(exercise.partition(".")[0])
        assert {turn[exercise] for turn in turns} >= set(topic.RIGHT.get(exercise, {}))


def test_an_answer_that_breaks_a_later_cell_is_found(monkeypatch):
    """It passes its own check, and takes away what the next cell draws from."""
    answers = whole_lesson.answers
    library = answers.topic("start").RIGHT["start.mask_mean"]
    monkeypatch.setitem(library, "takes the data away", lambda reference: f"{reference}\n\ndel data")
    chosen = dict.fromkeys(whole_lesson.styles("00_start_here")[0], answers.REFERENCE)
    with pytest.raises(whole_lesson.Broken, match=r"demo.*takes the data away"):
        whole_lesson.run("00_start_here", chosen | {"start.mask_mean": "takes the data away"})
