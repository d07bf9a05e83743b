"""A lesson run from its first cell to its last with other right answers in it, as *Run All* does for a student.

An answer that earns full marks must not break a later cell. Training is cut short: `fit` takes one batch an epoch, and
a loop of the lesson's own two rounds.
From the first cut on, a demo's claim about a trained model is not held (an AssertionError there is let pass); every
other exception, anywhere, is the answer's or the lesson's fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import keras
import matplotlib
import matplotlib.pyplot as plt

from autograde.authoring import answers, lesson
from autograde.cells import answer_of, exercise_of, kind_of
from autograde.judging import oracles
from unrolled import checking, plot

# A loop that a lesson trains with itself, as its signature gives the length.
OWN_LOOPS = re.compile(r"(?<=\brounds=)\d{2,}(?=\))")


def styles(name: str) -> list[dict[str, str]]:
    """Sets of answers, one for each exercise, in which every right answer of the library occurs at least once.

    Each set is exercise -> style. A set takes one style of every exercise, so that few runs try them all.
    """
    found = {}
    for exercise in oracles.of_lesson(name):
        topic = answers.topic(exercise.id.partition(".")[0])
        found[exercise.id] = [*topic.RIGHT.get(exercise.id, {})] or [answers.REFERENCE]
    most = max(len(names) for names in found.values())
    return [{exercise: names[turn % len(names)] for exercise, names in found.items()} for turn in range(most)]


class Broken(Exception):
    """A cell of the lesson stopped: which one, and with which answers above it."""


def run(name: str, chosen: dict[str, str]) -> dict[str, object]:
    """Run all cells of a lesson with the chosen styles of answer; returns the names it leaves.

    Raises Broken at the first cell that stops.
    """
    names: dict[str, object] = {"__name__": "__main__"}
    with _short() as cut:
        for number, cell in enumerate(lesson.read(name).cells):
            kind = kind_of(cell)
            if kind in ("markdown", "written"):
                continue
            source, loops = OWN_LOOPS.subn("2", cell.source)
            cut += ["a loop"] * loops
            if kind == "solution":
                exercise = exercise_of(cell)
                source = answers.text(answers.named(exercise)[chosen[exercise]], answer_of(cell))
            try:
                exec(compile(source, f"<cell {number} of {name}>", "exec"), names)
            except AssertionError as error:
                if not (cut and kind == "demo") or isinstance(error, checking.CheckFailed):
                    raise Broken(f"cell {number} ({kind}) of {name} with {chosen}:\n{source}") from error
            except Exception as error:
                raise Broken(f"cell {number} ({kind}) of {name} with {chosen}:\n{source}") from error
    return names


@contextmanager
def _short() -> Iterator[list]:
    """Training takes one batch an epoch; figures are drawn and thrown away. Yields what was cut."""
    cut: list[str] = []
    fit = keras.Model.fit

    def one_batch(model, *arguments, **settings):
        cut.append(model.name)
        return fit(model, *arguments, **settings | {"steps_per_epoch": 1, "validation_steps": 1})

    backend = matplotlib.get_backend()
    plt.switch_backend("agg")
    try:
        with mock.patch.object(keras.Model, "fit", one_batch), \
                mock.patch.object(plot, "show", lambda figure, alt: plt.close(figure)):
            yield cut
    finally:
        plt.close("all")
        plt.switch_backend(backend)
