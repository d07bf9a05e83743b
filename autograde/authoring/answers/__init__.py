"""Answers to every exercise as students write them: one library for tests and for the sample classes.

One module a topic, each with `RIGHT` and `WRONG`: exercise -> name -> answer. A right answer is named after its style,
a wrong one after its misconception. An answer is a cell's text, or a change to the reference answer (`edit`).
Never beside student code.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from autograde import course

__path__ += course.own("answers")

Change = Callable[[str], str]
Answer = str | Change
REFERENCE = "the reference"


def edit(*old_new: str) -> Change:
    """A change to the reference answer: each old text (it must occur) is replaced by the new one after it.

    The change raises ValueError for a text that does not occur.
    """

    def change(answer: str) -> str:
        for old, new in zip(old_new[::2], old_new[1::2], strict=True):
            if old not in answer:
                raise ValueError(f"the reference answer has no {old!r}")
            answer = answer.replace(old, new)
        return answer

    return change


def topic(name: str):
    """The module of a topic, with its `RIGHT` and `WRONG`. Raises ModuleNotFoundError if there is none."""
    return importlib.import_module(f"{__name__}.{name}")


def named(exercise: str) -> dict[str, Answer]:
    """All answers to an exercise by name; `REFERENCE` is the reference's own."""
    name = exercise.partition(".")[0]
    library: dict[str, Answer] = {REFERENCE: edit()}
    if name in {info.name for info in pkgutil.iter_modules(__path__)}:  # a lesson in the making has none yet
        library |= topic(name).RIGHT.get(exercise, {}) | topic(name).WRONG.get(exercise, {})
    return library


def text(answer: Answer, reference: str) -> str:
    """The cell's text of an answer, given the reference's. Raises ValueError for a change that does not fit."""
    source = answer(reference) if callable(answer) else answer
    return source.strip("\n").rstrip()
