"""What an exercise is to the judge: cases, a reference, named aspects with points, and misconceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np


class Case(dict):
    """One input: named arrays, with `name` (its place in the outputs) and `about` (one line for a student)."""

    def __init__(self, arrays: Mapping[str, object], *, name: str = "", about: str = ""):
        super().__init__({key: np.asarray(value) for key, value in arrays.items()})
        self.name = name
        self.about = about


@dataclass(frozen=True)
class Raises:
    """The outcome of a case that stops with an exception: its type and a part of its message.

    Several may be given of each, separated by ``|``: the same mistake stops NumPy, Keras and TensorFlow with
    different words. Only ever used to recognise a misconception; points never depend on what an exception says.
    """

    type: str
    contains: str = ""

    def matches(self, error: tuple[str, ...]) -> bool:
        """Whether an error, ``(type, message, ...)``, is one of these."""
        return error[0] in self.type.split("|") and any(part in error[1] for part in self.contains.split("|"))


# How NumPy, Keras and TensorFlow each call shapes that do not fit together.
SHAPES_CLASH = "ValueError|InvalidArgumentError"

Outputs = Mapping[str, object]  # key -> array-like
Reference = Callable[[Case], Outputs | Raises]


@dataclass(frozen=True)
class Aspect:
    """A part of an exercise that is right or wrong on its own.

    `on` are patterns over ``"case/key"``. `shape_only` compares shapes and not values. `ask` is a question
    that helps a student whose mistake was not recognised.
    """

    name: str
    points: float
    on: tuple[str, ...] = ("*",)
    shape_only: bool = False
    ask: str = ""

    def covers(self, key: str) -> bool:
        return any(fnmatchcase(key, pattern) for pattern in self.on)


LIBRARY = "unrolled.layers"


@dataclass(frozen=True)
class Misconception:
    """A plausible wrong version of the reference, and the one sentence that teaches whoever holds it."""

    name: str
    says: str
    wrong: Reference


@dataclass(frozen=True)
class Exercise:
    """Everything the judge knows of an exercise.

    Attributes
    ----------
    id : ``"topic.name"``; the probe of that name exercises the answer.
    title : what is built, for reports.
    cases : draws the inputs from a seeded generator: a dict from a case's name to its `Case`.
    reference : the right outputs of a case, in NumPy float64, independent of the Keras solution.
    aspects : what is judged; their points add up to the notebook cell's.
    misconceptions : wrong versions that are recognised by their outputs.
    derive : what is worked out of a case's returned arrays before they are compared, from (case, arrays): that a
        matrix is orthogonal, how far a sample's mean lies off. It runs on the judge's side, so a probe returns
        the matrix and the sample, not an opinion. A ValueError in it is told to the student.
    forbids : dotted names the answer may not use, such as ``"keras.layers.LSTM"``, and all that is below them. Where
        a layer of Keras is among them, the course's library `unrolled.layers`, which has the same, is added.
    may_change : inputs that the exercise's text allows an answer to change in place. All others must be left alone.
    rtol, atol : how near is right. Student code computes in float32.
    """

    id: str
    title: str
    cases: Callable[[np.random.Generator], dict[str, Case]]
    reference: Reference
    aspects: tuple[Aspect, ...]
    misconceptions: tuple[Misconception, ...] = ()
    derive: Callable[[Case, dict[str, np.ndarray]], Outputs] | None = None
    forbids: tuple[str, ...] = ()
    may_change: tuple[str, ...] = ()
    rtol: float = 1e-4
    atol: float = 1e-5
    points: float = field(init=False)

    def __post_init__(self):
        if any(name.startswith("keras.layers.") for name in self.forbids):
            object.__setattr__(self, "forbids", (*self.forbids, LIBRARY))
        object.__setattr__(self, "points", sum(aspect.points for aspect in self.aspects))

    @property
    def grade_id(self) -> str:
        """The nbgrader id of the solution cell (nbgrader allows no dot)."""
        return self.id.replace(".", "-")

    def draw(self, seed: int) -> dict[str, Case]:
        """The cases of one seed; each knows its own name."""
        cases = self.cases(np.random.default_rng(seed))
        for name, case in cases.items():
            case.name = name
        return cases


def outputs_of(function: Reference, cases: Mapping[str, Case]) -> tuple[dict, dict]:
    """Run a reference or a misconception on all cases: arrays by ``"case/key"``, and `Raises` by case."""
    arrays: dict[str, np.ndarray] = {}
    raised: dict[str, Raises] = {}
    for name, case in cases.items():
        result = function(case)
        if isinstance(result, Raises):
            raised[name] = result
        else:
            arrays.update({f"{name}/{key}": np.asarray(value) for key, value in result.items()})
    return arrays, raised
