"""What the oracles share: sizes and weights drawn from a seed, the functions of every gate, the form of a mistake."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from autograde.judging.exercise import SHAPES_CLASH, Case, Misconception, Raises, Reference
from unrolled.probes import direction


def sizes(rng: np.random.Generator, count: int, least: int = 2, most: int = 9) -> list[int]:
    """`count` sizes that are all different, so that no two axes can be mistaken for each other.

    Parameters
    ----------
    least, most : the smallest and the largest size, both possible.
    """
    return [int(n) for n in rng.permutation(np.arange(least, most + 1))[:count]]


def weights(rng: np.random.Generator, D: int, u: int, blocks: int = 1, scale: float = 0.6) -> dict[str, np.ndarray]:
    """The weights of a cell whose gates stand side by side: W (D, blocks·u), U (u, blocks·u) and b (blocks·u,)."""
    shapes = {"W": (D, blocks * u), "U": (u, blocks * u), "b": (blocks * u,)}
    return {name: rng.normal(size=shape) * scale for name, shape in shapes.items()}


def clear(draw, reference, *mistakes, rtol=1.5e-4):
    """A drawn case on which no mistake ``(key, change)`` is right by chance: all students are asked equally much.

    rtol: half as wide again as the exercise's own.
    """
    while True:
        case = draw()
        right = reference(case)
        if not any(np.allclose(reference(case, **change)[key], right[key], rtol=rtol, atol=rtol)
                   for key, change in mistakes):
            return case


def told(**named: int | None) -> str:
    """Sizes in words, those that are None left out: ``told(B=2, T=None, D=3)`` is ``"B = 2, D = 3"``."""
    return ", ".join(f"{name} = {size}" for name, size in named.items() if size is not None)


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(−z)), for any z: tanh does not overflow."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(z, np.float64)))


def softmax(z: np.ndarray, axis: int = -1) -> np.ndarray:
    """exp(z) over its sum along `axis`, for any z."""
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def hard_sigmoid(slope: float) -> Callable[[np.ndarray], np.ndarray]:
    """The straight line with corners that is sometimes put in place of the sigmoid."""
    return lambda z: np.clip(slope * np.asarray(z) + 0.5, 0, 1)


HARD_SIGMOIDS = hard_sigmoid(0.2), hard_sigmoid(1 / 6)  # Keras's before version 3, and Keras's now


def random_word(rng: np.random.Generator, length: int = 8) -> str:
    """A name that nobody can guess: `length` small letters."""
    return "".join(chr(ord("a") + int(k)) for k in rng.integers(0, 26, length))


def along(array: np.ndarray) -> float:
    """An array as one number that every entry has a part in: its product with `probes.direction`."""
    return float((np.asarray(array, np.float64) * direction(array.shape)).sum())


def slope(output: Callable[[Case], np.ndarray], case: Case, *names: str, eps: float = 1e-6) -> float:
    """The gradient of ``along(output(case))`` by the arrays of these `names`, seen `along` the same direction.

    A central difference in float64: what a right gradient of any output looks like, without deriving one by hand.
    """
    steps = {name: eps * direction(case[name].shape) for name in names}
    up, down = (along(output(Case(case | {name: case[name] + sign * step for name, step in steps.items()},
                                  name=case.name))) for sign in (1, -1))
    return (up - down) / (2 * eps)


def mistake(reference: Reference, name: str, says: str, **change: object) -> Misconception:
    """The misconception that makes `reference` wrong by the keywords `change`."""
    return Misconception(name, says, partial(reference, **change))


def mistakes(reference: Reference, *rows: tuple[str, str, dict]) -> tuple[Misconception, ...]:
    """One `mistake` a row: its name, what to say, and the keywords."""
    return tuple(mistake(reference, name, says, **change) for name, says, change in rows)


def no_such_product(left, right):
    """The error of a matrix product that does not exist, as NumPy (@ and dot), einsum and TensorFlow tell it."""
    (B, n), (m, k) = left.shape, right.shape
    return Raises(SHAPES_CLASH, f"(size {m} is different from {n})|shapes ({B},{n}) and ({m},{k}) not aligned|"
                                f"({B},{n})->({B},newaxis,{n}) ({m},{k})->({k},{m})|In[0]: [{B},{n}], In[1]: [{m},{k}]")
