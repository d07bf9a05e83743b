"""Trying one answer leaves nothing behind for the next one."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import unrolled.quiet  # noqa: F401
from autograde.judging import oracles
from unrolled import probes
from unrolled.sandbox import untouched

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


def test_what_a_cell_replaced_is_put_back(monkeypatch):
    """Functions, classes, methods and code; a setting, a random state and what a cell added stay."""
    put_back = untouched.remember()
    tanh, call, asarray = np.tanh, keras.layers.LSTM.call, np.asarray
    code = probes.to_array.__code__
    np.tanh, keras.layers.LSTM.call, probes.run.__globals__["to_array"] = None, None, None
    to_array = keras.ops.tanh
    keras.ops.tanh = lambda x: x
    monkeypatch.setattr(np, "added", 3, raising=False)
    np.asarray = lambda *a: 1 / 0
    probes.text.__code__ = (lambda codes: "").__code__
    keras.config.set_floatx("float16")
    np.random.seed(4)
    first = np.random.random()
    np.random.seed(4)
    try:
        assert sorted(put_back()) == sorted([
            "numpy.tanh", "numpy.asarray", "LSTM.call", "unrolled.probes.to_array", "keras.ops.tanh",
            "unrolled.probes.text"])
        assert keras.config.floatx() == "float16" and np.added == 3 and np.random.random() == first
    finally:
        keras.config.set_floatx("float32")
    assert (np.tanh, keras.layers.LSTM.call, np.asarray, keras.ops.tanh) == (tanh, call, asarray, to_array)
    assert probes.to_array.__code__ is code and probes.text(probes.codes("a")) == "a"
    assert put_back() == []


def test_ordinary_work_replaces_nothing():
    """Training, saving and loading a model, and a plot, are nothing that would be put back."""
    import matplotlib.pyplot as plt

    put_back = untouched.remember()
    model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.ones((4, 5, 3)), np.ones((4, 1)), epochs=1, verbose=0)
    keras.models.model_from_json(model.to_json())
    plt.close(plt.figure())
    assert put_back() == []
