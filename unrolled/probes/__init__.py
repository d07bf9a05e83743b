"""How a student's object is exercised.

One module a topic; one function an exercise, named like it: ``lstm.step`` is tried by
``unrolled.probes.lstm.step(*answers, case)``. A probe receives the answer and one case (a dict of NumPy
arrays) and returns a dict of named numbers or arrays. It knows no expected value: it may run beside
student code.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

# A probe returns a few small arrays. What is larger than this is a mistake or an attack.
MAX_VALUES = 1 << 20


@dataclass
class Outcome:
    """What came of trying an answer: arrays by ``"case/name"``, and for cases that raised, the error.

    `errors` maps a case's name to ``(exception type, message)``. The text is shown to the student; no
    points hang on it.
    """

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    errors: dict[str, tuple[str, str]] = field(default_factory=dict)


def find(exercise: str):
    """The probe of `exercise` (``"topic.name"``). Raises KeyError for an unknown one."""
    topic, _, name = exercise.partition(".")
    try:
        module = importlib.import_module(f"unrolled.probes.{topic}")
        return getattr(module, name)
    except (ModuleNotFoundError, AttributeError):
        raise KeyError(f"there is no exercise called {exercise!r}") from None


def run(exercise: str, answers: tuple, cases: Mapping[str, Mapping[str, np.ndarray]]) -> Outcome:
    """Try `answers` on every case. A case that raises leaves an error; the others still run."""
    probe = find(exercise)
    outcome = Outcome()
    for name, case in cases.items():
        try:
            # A fresh copy each: an answer that changes its inputs in place must not change the next case.
            result = probe(*answers, {key: value.copy() for key, value in case.items()})
            for key, value in result.items():
                outcome.arrays[f"{name}/{key}"] = to_array(value, key)
        except Exception as error:
            for key in [key for key in outcome.arrays if key.startswith(f"{name}/")]:
                del outcome.arrays[key]
            outcome.errors[name] = (type(error).__name__, str(error)[:2000])
    return outcome


def to_array(value: object, name: str = "the result") -> np.ndarray:
    """`value` (tensor, variable, number, nested list) as a plain float64, int64 or bool array.

    Raises TypeError, in words a student can use, if it holds no numbers.
    """
    if value is None:
        raise TypeError(f"{name} is None: does your function return it?")
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":  # bfloat16 arrives as a void type, nested tensors as objects
            array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} should hold numbers, but it is a {type(value).__name__}") from None
    if array.size > MAX_VALUES:
        raise ValueError(f"{name} holds {array.size:,} values; no exercise needs more than {MAX_VALUES:,}")
    kind = {"f": np.float64, "i": np.int64, "u": np.int64, "b": np.bool_}[array.dtype.kind]
    return np.ascontiguousarray(array.astype(kind, copy=False)).reshape(array.shape)
