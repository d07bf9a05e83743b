"""Lesson 04: that oracle, reference answers and Keras agree, and that its data and toy tasks are what they say."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from autograde.authoring import lesson
from autograde.judging import oracles
from tests.classroom import classroom
from unrolled import data
from unrolled.data.sentiment import in_test
from unrolled.lessons import lstm as tasks

LESSON = "04_lstm"


@pytest.fixture(scope="module")
def names():
    """The reference lesson's names: every answer, ready to call; and the peephole cell from its demonstration."""
    names = dict(classroom(LESSON).names)
    [cell] = [c.source for c in lesson.read(LESSON).cells if "class PeepholeLSTMCell" in c.source]
    exec(cell, names)
    return names


def case_of(exercise: str, name: str, seed: int = 11):
    oracle = oracles.get(exercise)
    case = oracle.draw(seed)[name]
    return oracle, case


def float32(case, *keys):
    return [case[key].astype("float32") for key in keys]


def keras_weights(layer, case):
    layer.build((None, *case["x"].shape[1:]))
    layer.set_weights([case["W"], case["U"], case["b"]])
    return layer


def test_a_step_is_that_of_keras(names):
    oracle, case = case_of("lstm.step", "random")
    x, h, c = float32(case, "x", "h", "c")
    _, (h_keras, c_keras) = keras_weights(keras.layers.LSTMCell(h.shape[1]), case)(x, [h, c])
    h_mine, c_mine = names["lstm_step"](*float32(case, "x", "h", "c", "W", "U", "b"))
    expected = oracle.reference(case)
    for ours in ((h_mine, c_mine), (expected["h"], expected["c"])):
        np.testing.assert_allclose(ours[0], h_keras, atol=1e-5)
        np.testing.assert_allclose(ours[1], c_keras, atol=1e-5)


@pytest.mark.parametrize("name", ["sequence", "last", "states", "mask"])
def test_the_layer_is_that_of_keras(names, name):
    """Oracle, reference layer, reference cell in keras.layers.RNN, and keras.layers.LSTM: outputs and states."""
    oracle, case = case_of("lstm.layer", name)
    u = case["U"].shape[0]
    options = {"return_sequences": bool(case["return_sequences"]), "return_state": True}
    inputs = {"mask": case["mask"]} if "mask" in case else {}
    if "h" in case:
        inputs["initial_state"] = float32(case, "h", "c")
    x = case["x"].astype("float32")
    built_in = keras_weights(keras.layers.LSTM(u, **options), case)(x, **inputs)
    mine = keras_weights(names["LSTM"](u, **options), case)(x, **inputs)
    in_rnn = keras_weights(keras.layers.RNN(names["LSTMCell"](u), **options), case)(x, **inputs)
    for ours in (mine, in_rnn):
        for a, b in zip(ours, built_in, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
    np.testing.assert_allclose(oracle.reference(case)["output"], built_in[0], atol=1e-5)


def test_what_is_in_the_padding_does_not_matter(names):
    _, case = case_of("lstm.layer", "mask")
    layer = keras_weights(names["LSTM"](case["U"].shape[0]), case)
    x = case["x"].astype("float32")
    other = np.where(case["mask"][..., None], x, 1e3).astype("float32")
    np.testing.assert_allclose(layer(x, mask=case["mask"]), layer(other, mask=case["mask"]), atol=1e-6)


def test_layers_survive_a_keras_file(names, tmp_path):
    def model_of(layer):
        return keras.Sequential([keras.Input((5, 3)), layer])

    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    layers = {"layer": names["LSTM"](4, return_sequences=True),
              "cell": keras.layers.RNN(names["LSTMCell"](4)),
              "peephole": keras.layers.RNN(names["PeepholeLSTMCell"](4), return_sequences=True)}
    for name, layer in layers.items():
        model = model_of(layer)
        model.set_weights([np.random.default_rng(1).normal(size=w.shape) for w in model.weights])
        model.save(tmp_path / f"{name}.keras")
        loaded = keras.saving.load_model(tmp_path / f"{name}.keras")
        np.testing.assert_allclose(loaded(x), model(x), atol=1e-6)


def test_without_peephole_weights_it_is_an_lstm(names):
    _, case = case_of("lstm.peephole_step", "none")
    arrays = float32(case, "x", "h", "c", "W", "U", "b")
    for a, b in zip(names["peephole_step"](*arrays, case["P"].astype("float32")), names["lstm_step"](*arrays),
                    strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_peephole_shows_a_gate_its_own_unit_only(names):
    _, case = case_of("lstm.peephole_step", "random")
    x, h, c, W, U, b, P = (case[k] for k in ("x", "h", "c", "W", "U", "b", "P"))
    other = c.copy()
    other[:, 2] += 1
    _, first = names["peephole_step"](x, h, c, W, U, b, P)
    _, second = names["peephole_step"](x, h, other, W, U, b, P)
    changed = np.abs(np.asarray(first) - np.asarray(second)).max(axis=0) > 1e-9
    assert changed.tolist() == [unit == 2 for unit in range(len(U))]


@pytest.mark.parametrize("name", ["plain", "peephole"])
def test_the_backward_step_is_what_a_tape_finds(names, name):
    oracle, case = case_of("lstm.step_backward", name)
    keys = ("x", "h_prev", "c_prev", "W", "U", "b", "P")
    variables = {key: tf.Variable(case[key]) for key in keys}
    with tf.GradientTape() as tape:
        h, c = names["peephole_step"](*variables.values())
        loss = tf.reduce_sum(h * case["dh"]) + tf.reduce_sum(c * case["dc"])
    taped = dict(zip(keys, tape.gradient(loss, list(variables.values())), strict=True))
    by_hand = names["step_backward"](case["dh"], case["dc"], case)
    expected = oracle.reference(case)
    for key in keys:
        np.testing.assert_allclose(by_hand[key], taped[key], atol=1e-10)
        np.testing.assert_allclose(expected[key], taped[key], atol=1e-10)


def test_the_belt_s_gradient_is_what_a_tape_finds(names):
    f = np.random.default_rng(3).uniform(0.2, 1, (1, 6, 2))
    kept = names["constant_error"](f)
    for t in range(6):
        c = tf.Variable(np.ones((1, 2)))
        with tf.GradientTape() as tape:
            end = c * 1.0
            for later in range(t + 1, 6):
                end = f[:, later] * end + 0.3
        np.testing.assert_allclose(tape.gradient(end, c), kept[:, t], atol=1e-12)


@pytest.mark.parametrize("half_life", [1, 7, 50, 1000])
def test_after_a_half_life_one_half_is_left(names, half_life):
    gate = 1 / (1 + np.exp(-names["forget_bias"](3, half_life)[3:6]))
    np.testing.assert_allclose(gate**half_life, 0.5, rtol=1e-9)


def test_the_latch_holds_a_value_for_200_steps(names):
    rng = np.random.default_rng(4)
    x = np.zeros((1, 201, 2))
    x[..., 0] = rng.uniform(-1, 1, (1, 201))
    x[0, 0] = 0.7, 1
    c = np.asarray(names["lstm_gates"](x, np.zeros((1, 1)), np.full((1, 1), -3.0), *names["latch_weights"]())["c"])
    np.testing.assert_allclose(c[0, [0, 200], 0], np.tanh(0.7), rtol=0.02)


def test_what_the_lesson_is_given_agrees_with_its_answers(names):
    rng = np.random.default_rng(9)
    x, h, c = (rng.normal(size=s) for s in ((2, 4, 3), (2, 5), (2, 5)))
    W, U, b, P = (rng.normal(size=s) * 0.5 for s in ((3, 20), (5, 20), (20,), (3, 5)))
    hs, caches = tasks.forward(x, h, c, W, U, b, P)
    for t in range(4):
        h, c = names["peephole_step"](x[:, t], h, c, W, U, b, P)
        np.testing.assert_allclose(hs[t], h, atol=1e-12)
        np.testing.assert_allclose(caches[t]["c"], c, atol=1e-12)
    full = tasks.VariantCell(5, copies=2)
    full.build((None, 3))
    full.set_weights([np.stack([np.zeros_like(W), W]), np.stack([U, U]), np.stack([b, b])[:, None]])
    first = [a.astype("float32") for a in (x[:, 0], np.ones((2, 5)), np.ones((2, 5)))]
    expected = names["lstm_step"](*first, *(a.astype("float32") for a in (W, U, b)))
    both = full(first[0], [np.concatenate([np.zeros_like(s), s], axis=1) for s in first[1:]])[0]
    np.testing.assert_allclose(both[:, 5:], expected[0], atol=1e-5)


def test_weights_go_to_pytorch_and_come_back(names):
    rng = np.random.default_rng(5)
    arrays = [rng.normal(size=shape) for shape in ((11, 3), (3, 20), (5, 20), (20,))]
    for a, b in zip(names["from_pytorch"](names["to_pytorch"](*arrays)), arrays, strict=True):
        np.testing.assert_array_equal(a, b)


def test_sentiment_data_is_what_its_loader_says():
    collections = data.load("sentiment")
    assert {name: len(s.texts) for name, s in collections.items()} == {"movie": 10602, "tweets": 4197, "amazon": 3697}
    for snippets in collections.values():
        assert len(set(snippets.texts)) == len(snippets.texts) == len(snippets.ratings)
        assert np.abs(snippets.ratings).max() <= 4
        texts, labels = snippets.clear()
        assert set(labels) == {0, 1} and 0.15 < np.mean([in_test(t) for t in texts]) < 0.25
    assert 0.45 < collections["movie"].clear()[1].mean() < 0.55


def test_the_adding_problem_s_baseline_is_one_sixth():
    x, y = tasks.adding_problem(20_000, 12, np.random.default_rng(6))
    assert (x[:, :6, 1].sum(1) == 1).all() and (x[:, 6:, 1].sum(1) == 1).all()
    assert np.mean((y - 1) ** 2) == pytest.approx(1 / 6, abs=0.004)


def test_adding_with_reset_forgets_what_came_before():
    x, y = tasks.adding_with_reset(50, 20, np.random.default_rng(7))
    for row, target in zip(x, y[:, 0], strict=True):
        start = max([t for t in range(20) if row[t, 2]], default=0)
        assert target == pytest.approx((row[start:, 0] * row[start:, 1]).sum(), abs=1e-5)


def test_who_lives_where_decides_what_i_speak():
    texts, answers = tasks.live_and_speak(40, (0, 9), ["film"] * 30, np.random.default_rng(8))
    for text, answer in zip(texts, answers, strict=True):
        sentence = " ".join(text)
        country = list(tasks.LANGUAGES)[answer]
        assert f"i live in {country} ." in sentence and sentence.endswith("i speak")
        assert len(set(text) & set(tasks.LANGUAGES)) == 2
