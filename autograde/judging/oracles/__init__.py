"""One module a topic, each with `LESSON` and `EXERCISES`. Never beside student code."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from functools import cache

from autograde import course
from autograde.judging.exercise import Exercise
from unrolled import probes

# A course of one's own has its topics outside the packages: modules of the same name as if they lay inside.
__path__ += course.own("oracles")
probes.__path__ += course.own("probes")


@cache
def topic(name: str):
    """The oracle module of a topic. Raises KeyError for an unknown one."""
    try:
        return importlib.import_module(f"autograde.judging.oracles.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"autograde.judging.oracles.{name}":
            raise
        raise KeyError(f"there is no topic called {name!r}") from None


def get(exercise: str) -> Exercise:
    """The exercise called ``"topic.name"``. Raises KeyError, naming it, if there is none."""
    module = topic(exercise.partition(".")[0])
    for candidate in module.EXERCISES:
        if candidate.id == exercise:
            return candidate
    raise KeyError(f"there is no exercise called {exercise!r}")


def topics() -> dict[str, object]:
    """All oracle modules by topic."""
    return {info.name: topic(info.name) for info in pkgutil.iter_modules(__path__)}


def own_topics() -> dict[str, object]:
    """The oracle modules that lie in a course directory of one's own, by topic."""
    return {info.name: topic(info.name) for info in pkgutil.iter_modules(course.own("oracles"))}


def of_lesson(lesson: str) -> list[Exercise]:
    """The exercises of a lesson, in the order of their module."""
    return [ex for module in topics().values() if lesson == module.LESSON for ex in module.EXERCISES]


def public_seed(exercise: str) -> int:
    """The seed of the inputs everybody gets on their own machine."""
    return int.from_bytes(hashlib.sha256(exercise.encode()).digest()[:8], "big")
