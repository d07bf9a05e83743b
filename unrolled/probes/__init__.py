"""How a student's object is exercised.

One module a topic; one function an exercise, named like it: ``lstm.step`` is tried by
``unrolled.probes.lstm.step(*answers, case)``. A probe receives the answer and one case (a `Given`: NumPy
arrays by name) and returns a dict of named numbers or arrays. It knows no expected value and decides nothing:
it may run beside student code, so what it returns are raw arrays and settings, judged elsewhere.
"""

from __future__ import annotations

import importlib
import linecache
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from unrolled.probes import guard

# A probe returns a few small arrays. What is larger than this is a mistake or an attack.
MAX_VALUES = 1 << 20


# Code that a student wrote, by the file name Python knows it under: a notebook's cell, not a library's internals.
_CELL = re.compile(r"^<(?!frozen|string|__array|lambdif)[^<>]*>$|ipykernel_")


@dataclass
class Outcome:
    """What came of trying an answer: arrays by ``"case/name"``, and for cases that raised, the error.

    `errors` maps a case's name to ``(exception type, message, where)``, `where` being the student's own line. The
    text is shown to the student; no points hang on it. `changed` names the inputs of a case that the answer wrote
    into. It can only cost points.
    """

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    errors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    changed: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Given(dict):
    """One case, as a probe gets it: a fresh copy of each array, watched for being changed in place."""

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        super().__init__({name: array.copy() for name, array in arrays.items()})
        self._watched = [(name, self[name], array) for name, array in arrays.items()]

    def float32(self, name: str) -> np.ndarray:
        """The array as float32, what Keras computes in."""
        return self.watch(name, self[name].astype("float32"))

    def watch(self, name: str, value):
        """`value` (an array, or a list, tuple or dict of such) as it is, watched as the input `name` from now on."""
        self._watched.append((name, value, _snapshot(value)))
        return value

    def changed(self) -> tuple[str, ...]:
        """The names of the inputs that are not what they were."""
        return tuple(dict.fromkeys(name for name, value, before in self._watched if not _unchanged(value, before)))


def _snapshot(value):
    """A copy that remembers which objects a container held, and what was in them."""
    if isinstance(value, dict):
        return {key: (item, _snapshot(item)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [(item, _snapshot(item)) for item in value]
    return value.copy() if isinstance(value, np.ndarray) else value


def _unchanged(value, before) -> bool:
    if isinstance(value, np.ndarray):
        return (value.shape == before.shape and value.dtype == before.dtype
                and np.array_equal(value, before, equal_nan=value.dtype.kind == "f"))
    if isinstance(value, dict):
        return value.keys() == before.keys() and all(
            item is before[key][0] and _unchanged(item, before[key][1]) for key, item in value.items())
    if isinstance(value, list | tuple):
        return len(value) == len(before) and all(
            item is was and _unchanged(item, copy) for item, (was, copy) in zip(value, before, strict=True))
    return True


def find(exercise: str):
    """The probe of `exercise` (``"topic.name"``). Raises KeyError for an unknown one."""
    topic, _, name = exercise.partition(".")
    try:
        module = importlib.import_module(f"unrolled.probes.{topic}")
        return getattr(module, name)
    except (ModuleNotFoundError, AttributeError):
        raise KeyError(f"there is no exercise called {exercise!r}") from None


def run(exercise: str, answers: tuple, cases: Mapping[str, Mapping[str, np.ndarray]],
        forbids: tuple[str, ...] = ()) -> Outcome:
    """Try `answers` on every case, with what `forbids` names out of use (see `guard`).

    A case that raises leaves an error; the others still run.
    """
    probe = find(exercise)
    outcome = Outcome()
    with guard.out_of_use(forbids):
        for name, case in cases.items():
            given = Given(case)
            _forget_the_mask_of_none()
            try:
                found = {f"{name}/{key}": to_array(value, key) for key, value in probe(*answers, given).items()}
            except Exception as error:
                outcome.errors[name] = (type(error).__name__, str(error)[:2000], where(error))
            else:
                outcome.arrays.update(found)
            if changed := given.changed():
                outcome.changed[name] = changed
    return outcome


def _forget_the_mask_of_none() -> None:
    """Undo what a layer that returned None under a mask leaves behind in Keras: a mask for every None after it.

    Keras notes a mask by its tensor's id and then fails to watch a None. The note stays, and the next call with an
    argument that is None, in whatever exercise, fails for no fault of its own.
    """
    if "keras" in sys.modules:
        from keras.src.backend import set_keras_mask  # not exported; nothing public takes a note back

        set_keras_mask(None, None)


def where(error: BaseException) -> str:
    """The student's own line that an error came through last: ``line 4: `c = f @ c` ``; empty if there is none."""
    frame, found = error.__traceback__, None
    while frame is not None:
        if _CELL.search(frame.tb_frame.f_code.co_filename):
            found = frame
        frame = frame.tb_next
    if found is None:
        return ""
    text = linecache.getline(found.tb_frame.f_code.co_filename, found.tb_lineno).strip()
    return f"line {found.tb_lineno}" + (f": `{text[:100]}`" if text and "`" not in text else "")


def gradients(layer, x: np.ndarray, direction: np.ndarray, **arguments) -> dict[str, np.ndarray]:
    """The gradient of the sum of `direction` times ``layer(x)`` by each trainable weight: d0, d1, ... in their order.

    `x` and `direction` are arrays; zeros where no gradient arrives.
    """
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, **arguments) * direction)
    found = tape.gradient(loss, [weight.value for weight in layer.trainable_weights], unconnected_gradients="zero")
    return {f"d{i}": tf.convert_to_tensor(gradient) for i, gradient in enumerate(found)}  # a lookup's is sparse


def codes(text: str) -> np.ndarray:
    """A text as Unicode code points: cases and outcomes carry numbers only."""
    return np.array([ord(character) for character in text], np.int64)


def text(codes: np.ndarray) -> str:
    """The text that `codes` stands for."""
    return "".join(map(chr, codes))


def direction(shape: tuple[int, ...]) -> np.ndarray:
    """cos 1, cos 2, ... in this shape: a fixed direction, so that an output or a gradient becomes one number."""
    return np.cos(np.arange(1, int(np.prod(shape)) + 1)).reshape(shape)


def gradients_along(call, weights: Mapping[str, object]) -> tuple[object, dict[str, np.ndarray]]:
    """What ``call()`` returns, and the gradient of its product with `direction` by each of a layer's `weights`.

    The gradient is of the weight's shape; 0 where none arrives.
    """
    import tensorflow as tf

    with tf.GradientTape() as tape:
        output = call()
        total = tf.reduce_sum(output * direction(tuple(output.shape)).astype("float32"))
    found = tape.gradient(total, {name: weight.value for name, weight in weights.items()})
    return output, {f"gradient of {name}": np.zeros(weights[name].shape) if gradient is None else gradient
                    for name, gradient in found.items()}


def to_array(value: object, name: str = "the result") -> np.ndarray:
    """`value` (tensor, variable, number, nested list) as a plain float64, int64 or bool array.

    Raises TypeError, in words a student can use, for what holds anything but such numbers: text, complex numbers,
    times, hidden values of a masked array, rows of different lengths. Nothing is converted on the way.
    """
    if value is None:
        raise TypeError(f"{name} is None: does your function return it?")
    if _hides_values(value):
        raise TypeError(f"{name} is a masked array, and some of its values are hidden: return plain numbers")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} should hold numbers, but it is a {type(value).__name__} that does not fit into one "
                        "array (rows of different lengths?)") from None
    if array.dtype.kind == "O":
        array = _from_objects(array, name)
    if array.dtype.kind not in _KINDS and array.dtype.name not in _SMALL_FLOATS:
        raise TypeError(f"{name} should hold numbers, but it holds {_HOLDS.get(array.dtype.kind, array.dtype.name)}")
    if array.size > MAX_VALUES:
        raise ValueError(f"{name} holds {array.size:,} values; no exercise needs more than {MAX_VALUES:,}")
    array = array.astype(_KINDS.get(array.dtype.kind, np.float64), copy=False)
    return np.ascontiguousarray(array).reshape(array.shape)


_KINDS = {"f": np.float64, "i": np.int64, "u": np.int64, "b": np.bool_}
_SMALL_FLOATS = ("bfloat16",)  # NumPy calls it a void type
_HOLDS = {"U": "text", "S": "text", "T": "text", "c": "complex numbers", "M": "dates", "m": "times"}


def _hides_values(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(_hides_values(item) for item in value)
    return isinstance(value, np.ma.MaskedArray) and bool(np.ma.getmaskarray(value).any())


def _from_objects(array: np.ndarray, name: str) -> np.ndarray:
    """An array of objects (tensors in nested lists) as numbers, if each of them is a number."""
    items = [np.asarray(item) for item in array.ravel()]
    for item in items:
        if item.ndim or (item.dtype.kind not in _KINDS and item.dtype.name not in _SMALL_FLOATS):
            what = type(item).__name__ if item.ndim else _HOLDS.get(item.dtype.kind, "other objects")
            raise TypeError(f"{name} should hold numbers, but it holds {what}")
    return np.array([item.item() for item in items]).reshape(array.shape)
