"""Trying one answer leaves nothing behind for the next one."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import unrolled.quiet  # noqa: F401
from autograde.judging import oracles
from unrolled import probes

CASES = {exercise.id: exercise.draw(3) for exercise in oracles.of_lesson("05_gru")}


class Nothing(keras.layers.Layer):
    """An answer without its return."""

    def __init__(self, units, **settings):
        super().__init__()
        self.supports_masking = True

    def call(self, x, mask=None, **more):
        return None


def test_an_answer_that_returns_none_under_a_mask_spoils_no_later_one():
    """Keras keeps a mask for None then, and every later layer with an argument that is None fails."""
    x, state = np.ones((2, 3, 4), "float32"), np.ones((2, 5), "float32")
    layer = keras.layers.GRU(5)
    with pytest.raises(TypeError, match="weak reference"):  # if this ends, so may the mending
        Nothing(5)(x, mask=np.ones((2, 3), bool))
    with pytest.raises(TypeError, match="weak reference"):
        layer(x, mask=None, initial_state=state)

    def step(*arguments):
        return layer(x, mask=None, initial_state=state), None

    assert not [words for _, words, *_ in probes.run("gru.step", (step,), CASES["gru.step"]).errors.values()
                if "weak reference" in words]
    assert layer(x, mask=None, initial_state=state).shape == (2, 5)
