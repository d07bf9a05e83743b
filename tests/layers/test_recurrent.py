"""Recurrent layers do what Keras's own do, forward and backward, whatever the shapes, masks and states."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from tests.layers import zoo
from unrolled import layers

PAIRS = {
    "SimpleRNN": (layers.SimpleRNN, keras.layers.SimpleRNN, {}),
    "LSTM": (layers.LSTM, keras.layers.LSTM, {}),
    "GRU": (layers.GRU, keras.layers.GRU, {}),
    "GRU, reset before": (layers.GRU, keras.layers.GRU, {"reset_after": False}),
}


@st.composite
def settings_of_a_call(draw):
    batch, time, features, units = (draw(st.integers(1, 5)) for _ in range(4))
    masks = st.lists(st.lists(st.booleans(), min_size=time, max_size=time), min_size=batch, max_size=batch)
    mask = draw(st.one_of(st.none(), masks, st.just([[False] * time] + [[True] * time] * (batch - 1))))
    return batch, time, features, units, None if mask is None else np.array(mask), draw(st.booleans()), \
        draw(st.integers(0, 2**32 - 1))


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=zoo.EXAMPLES)
@given(given_=settings_of_a_call())
def test_equal_to_the_built_in_from_random_weights_and_states(name, given_):
    batch, time, features, units, mask, backwards, seed = given_
    ours, theirs, options = PAIRS[name]
    rng = np.random.default_rng(seed)
    x = zoo.draw(rng, batch, time, features)
    pair = [kind(units, return_sequences=True, return_state=True, go_backwards=backwards, **options)
            for kind in (ours, theirs)]
    for layer in pair:
        layer.build(x.shape)
    zoo.random_weights(pair[0], rng)
    layers.weights.copy(*pair)
    states = [zoo.draw(rng, batch, units) for _ in pair[0].state_size]
    results = [layer(x, mask=mask, initial_state=[ops.convert_to_tensor(s) for s in states]) for layer in pair]
    assert zoo.gap(*results) < 1e-5


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", PAIRS)
def test_gradients_are_those_of_the_built_in(name, backwards, masked):
    ours, theirs, options = PAIRS[name]
    rng = np.random.default_rng(4)
    x = zoo.draw(rng, zoo.B, zoo.T, zoo.D)
    mask = np.arange(zoo.T) < np.array([[5], [2], [0]]) if masked else None
    pair = [kind(zoo.U, return_sequences=True, return_state=True, go_backwards=backwards, **options)
            for kind in (ours, theirs)]
    for layer in pair:
        layer.build(x.shape)
    zoo.random_weights(pair[0], rng)
    layers.weights.copy(*pair)
    states = [zoo.draw(rng, zoo.B, zoo.U) for _ in pair[0].state_size]
    found = [zoo.gradients(layer, lambda layer, x, *states: layer(x, mask=mask, initial_state=list(states)), x, *states)
             for layer in pair]
    assert max(np.max(np.abs(a - b)) for a, b in zip(*found, strict=True)) < 1e-5
    assert max(np.max(np.abs(a)) for a in found[0]) > 1e-3  # gradients of nothing agree as well


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("merge_mode", ["concat", "sum", "ave", "mul", None])
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_both_directions_from_a_cell_are_those_of_the_built_in(name, merge_mode, masked):
    rng = np.random.default_rng(5)
    x = zoo.draw(rng, zoo.B, zoo.T, zoo.D)
    mask = np.arange(zoo.T) < np.array([[5], [2], [0]]) if masked else None
    mine = layers.Bidirectional(getattr(layers, f"{name}Cell")(zoo.U), merge_mode, return_sequences=True,
                                return_state=True)
    theirs = keras.layers.Bidirectional(getattr(keras.layers, name)(zoo.U, return_sequences=True, return_state=True),
                                        merge_mode)
    for layer in (mine, theirs):
        layer.build(x.shape)
    zoo.random_weights(mine, rng)
    layers.weights.copy(mine, theirs)
    assert zoo.gap(mine(x, mask=mask), theirs(x, mask=mask)) < 1e-5


def test_the_two_conventions_of_z_are_one_network_with_z_turned_around():
    rng = np.random.default_rng(6)
    x = zoo.draw(rng, zoo.B, zoo.T, zoo.D)
    old, new = layers.GRU(zoo.U, z_weighs="old"), layers.GRU(zoo.U, z_weighs="new")
    for layer in (old, new):
        layer.build(x.shape)
    zoo.random_weights(old, rng)
    turned = [np.concatenate([-w[..., :zoo.U], w[..., zoo.U:]], axis=-1) for w in old.get_weights()]
    new.set_weights(turned)  # sigmoid(-a) = 1 - sigmoid(a)
    assert zoo.gap(old(x), new(x)) < 1e-5


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


@pytest.mark.parametrize("backwards", [False, True])
def test_peepholes_against_numpy(backwards):
    rng = np.random.default_rng(7)
    x = zoo.draw(rng, zoo.B, zoo.T, zoo.D)
    layer = layers.PeepholeLSTM(zoo.U, return_sequences=True, go_backwards=backwards)
    layer.build(x.shape)
    assert not np.any(layer.get_weights()[3])  # an LSTM in the beginning
    zoo.random_weights(layer, rng)
    W, U, b, p = layer.get_weights()
    h = c = np.zeros((zoo.B, zoo.U))
    expected = []
    for t in reversed(range(zoo.T)) if backwards else range(zoo.T):
        zi, zf, zg, zo = np.split(x[:, t] @ W + h @ U + b, 4, axis=-1)
        old = c
        c = sigmoid(zf + p[1] * old) * old + sigmoid(zi + p[0] * old) * np.tanh(zg)
        h = sigmoid(zo + p[2] * c) * np.tanh(c)
        expected.append(h)
    assert zoo.gap(layer(x), np.stack(expected, axis=1)) < 1e-5


def test_the_forget_gate_starts_open_and_only_if_asked():
    for opens, first in ((True, [0, 1, 0, 0]), (False, [0, 0, 0, 0])):
        layer = layers.LSTM(3, unit_forget_bias=opens)
        layer.build((None, None, 2))
        assert layer.get_weights()[2].tolist() == np.repeat(first, 3).tolist()


@pytest.mark.parametrize("name", PAIRS)
def test_dropout_takes_the_same_features_at_each_step_and_only_while_training(name):
    x = np.ones((8, 6, 5), "float32")
    kind, _, options = PAIRS[name]
    layer = kind(4, dropout=0.5, recurrent_dropout=0.5, seed=1, return_sequences=True, **options)
    assert zoo.gap(layer(x), layer(x)) == 0
    assert zoo.gap(layer(x, training=True), layer(x, training=True)) > 1e-3  # drawn anew for each call
    # With nothing carried on, equal inputs give equal outputs at all steps only if all steps drop the same.
    still = kind(4, dropout=0.5, seed=2, return_sequences=True, recurrent_initializer="zeros", **options)
    if name == "SimpleRNN":
        out = zoo.numpy(still(x, training=True))[0]
        assert np.ptp(out, axis=1).max() < 1e-6
        assert np.ptp(out, axis=0).max() > 1e-3  # but each sequence its own


def test_recurrent_dropout_of_a_gru_does_not_touch_the_state_that_is_kept():
    layer = layers.GRU(4, recurrent_dropout=0.9, bias_initializer=keras.initializers.Constant(50.0), seed=3)
    h = zoo.draw(np.random.default_rng(0), 2, 4)  # biases of 50: z is 1 and all is kept
    out = layer(np.zeros((2, 5, 3), "float32"), initial_state=[ops.convert_to_tensor(h)], training=True)
    assert zoo.gap(out, h) < 1e-5


def test_a_stateful_layer_goes_on_where_it_stopped():
    rng = np.random.default_rng(8)
    x = zoo.draw(rng, 2, 8, 3)
    for kind in (layers.SimpleRNN, layers.LSTM, layers.GRU, layers.PeepholeLSTM):
        layer = kind(4, stateful=True, return_sequences=True)
        layer.build((2, None, 3))
        plain = kind(4, return_sequences=True)
        plain.build((2, None, 3))
        layers.weights.copy(layer, plain)
        halves = [layer(x[:, :4]), layer(x[:, 4:])]
        assert zoo.gap(ops.concatenate(halves, axis=1), plain(x)) < 1e-5
        layer.reset_state()
        assert zoo.gap(layer(x[:, :4]), halves[0]) < 1e-6


def test_torch_order_there_and_back():
    rng = np.random.default_rng(9)
    for layer in (layers.SimpleRNN(4), layers.LSTM(4), layers.GRU(4), layers.Bidirectional(layers.LSTM(4)),
                  layers.Bidirectional(layers.GRU(4))):
        layer.build((2, 5, 3))
        zoo.random_weights(layer, rng)
        before = [w.copy() for w in layer.get_weights()]
        state = layers.weights.to_torch(layer)
        zoo.random_weights(layer, rng)
        layers.weights.from_torch(layer, state)
        assert zoo.gap(before, layer.get_weights()) < 1e-6


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_weights_of_torch_give_the_outputs_of_torch(name, bidirectional):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(zoo.D, zoo.U, batch_first=True, bidirectional=bidirectional)
    kind = {"RNN": layers.SimpleRNN, "LSTM": layers.LSTM, "GRU": layers.GRU}[name]
    mine = kind(zoo.U, return_sequences=True)
    mine = layers.Bidirectional(mine) if bidirectional else mine
    x = zoo.draw(np.random.default_rng(10), zoo.B, zoo.T, zoo.D)
    mine.build(x.shape)
    layers.weights.from_torch(mine, {k: v.detach().numpy() for k, v in theirs.state_dict().items()})
    with torch.no_grad():
        expected = theirs(torch.tensor(x))[0].numpy()
    assert zoo.gap(mine(x), expected) < 1e-5


def fails(message, kind=ValueError):
    return pytest.raises(kind, match=message)


def test_bad_use_is_answered_in_words():
    x = np.zeros((2, 5, 3), "float32")
    for kind in (layers.SimpleRNN, layers.LSTM, layers.PeepholeLSTM, layers.GRU):
        for units in (0, -3, 2.5, True, "4"):
            with fails("`units` must be a positive integer"):
                kind(units)
        with fails("expected ndim=3, found ndim=2"):
            kind(4)(x[0])
        with fails(r"\(batch, time\) = \(2, 5\).*shape \(2, 4\)"):
            kind(4)(x, mask=np.ones((2, 4), bool))
        with fails(r"one truth value for each step.*shape \(5,\)"):
            kind(4)(x, mask=np.ones(5, bool))
        with fails("batch size must be static"):
            kind(4, stateful=True)(keras.Input((5, 3)))
        states = [np.zeros((2, 4), "float32")] * 3
        with fails("Received `initial_state` with 3"):
            kind(4)(x, initial_state=states)
        size = len(kind(4).state_size)
        with fails(r"Each state of .* has the shape \(batch, 4\)"):
            kind(4)(x, initial_state=[np.zeros((2, 5), "float32")] * size)
        for name in ("dropout", "recurrent_dropout"):
            with fails(f"0 <= {name} < 1"):
                kind(4, **{name: 1.0})
    with fails('"old" .as Keras. or "new"'):
        layers.GRU(4, z_weighs="both")
    with fails("say it to the layer"):
        layers.Bidirectional(layers.LSTM(4), return_sequences=True)


def test_weights_that_do_not_fit_are_refused_and_nothing_changes():
    one, two = layers.LSTM(4), keras.layers.GRU(4)
    with fails("Build both first"):
        layers.weights.copy(one, two)
    for layer in (one, two):
        layer.build((None, None, 3))
    before = two.get_weights()
    with fails("can't be copied"):
        layers.weights.copy(one, two)
    assert zoo.gap(before, two.get_weights()) == 0
    with fails("PyTorch has no counterpart of PeepholeLSTM"):
        layers.weights.to_torch(layers.PeepholeLSTM(4))
    with fails("reset_after=True with z on the old state"):
        layers.weights.to_torch(layers.GRU(4, reset_after=False))
