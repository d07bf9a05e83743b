"""Attention layers against NumPy, written from the papers' formulas; MultiHeadAttention against Keras's own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from tests.layers import zoo
from unrolled import layers


def softmax(scores, mask):
    """Row by row, over what may be seen; nothing to see: zeros."""
    weights = np.zeros_like(scores)
    for place in np.ndindex(scores.shape[:-1]):
        may = np.flatnonzero(mask[place])
        if len(may):
            e = np.exp(scores[place][may] - scores[place][may].max())
            weights[(*place, may)] = e / e.sum()
    return weights


def scores_of(name, layer, q, k):
    """Scores of each query (rows of q) with each key (rows of k), pair by pair."""
    w = [np.asarray(v, "float64") for v in layer.get_weights()]
    formula = {
        "additive": lambda q, k: w[3] @ np.tanh(q @ w[0] + k @ w[1] + w[2]),
        "dot": lambda q, k: q @ k,
        "scaled_dot": lambda q, k: q @ k / np.sqrt(len(k)),
        "general": lambda q, k: q @ w[0] @ k,
        "concat": lambda q, k: w[1] @ np.tanh(np.concatenate([q, k]) @ w[0]),
    }[name]
    return np.array([[formula(a, b) for b in k] for a in q])


@st.composite
def calls(draw):
    batch, queries, keys = (draw(st.integers(1, 4)) for _ in range(3))
    rows = st.lists(st.lists(st.booleans(), min_size=keys, max_size=keys), min_size=batch, max_size=batch)
    mask = draw(st.one_of(rows, st.just([[False] * keys] * batch), st.just([[True] * keys] * batch)))
    return batch, queries, keys, np.array(mask), draw(st.integers(1, 4)), draw(st.integers(1, 4)), \
        draw(st.integers(0, 2**32 - 1))


@pytest.mark.parametrize("name", ["additive", "dot", "scaled_dot", "general", "concat"])
@settings(max_examples=zoo.EXAMPLES)
@given(call=calls())
def test_one_head_against_numpy(name, call):
    batch, queries, keys, mask, d_q, d_k, seed = call
    d_k = d_q if "dot" in name else d_k
    rng = np.random.default_rng(seed)
    q, k, v = zoo.draw(rng, batch, queries, d_q), zoo.draw(rng, batch, keys, d_k), zoo.draw(rng, batch, keys, 3)
    layer = layers.AdditiveAttention(5) if name == "additive" else layers.LuongAttention(name)
    layer.build(q.shape, v.shape, k.shape)
    zoo.random_weights(layer, rng)
    context, weights = layer(q, v, key=k, value_mask=mask, return_attention_scores=True)
    expected = softmax(np.stack([scores_of(name, layer, q[i], k[i]) for i in range(batch)]),
                       np.repeat(mask[:, None], queries, axis=1))
    assert zoo.gap(weights, expected) < 1e-5
    assert zoo.gap(context, expected @ v) < 1e-5
    if queries == 1:  # the single query of a decoder's step
        assert zoo.gap(layer(q[:, 0], v, key=k, value_mask=mask), (expected @ v)[:, 0]) < 1e-5


@pytest.mark.parametrize("use_bias", [True, False])
@settings(max_examples=zoo.EXAMPLES)
@given(call=calls(), causal=st.booleans())
def test_several_heads_are_those_of_keras(use_bias, call, causal):
    batch, queries, keys, mask, d_q, d_v, seed = call
    mask[:, 0] = True  # where a query may see nothing the two differ, see below
    rng = np.random.default_rng(seed)
    q, v = zoo.draw(rng, batch, queries, d_q), zoo.draw(rng, batch, keys, d_v)
    mine = layers.MultiHeadAttention(2, 3, value_dim=4, use_bias=use_bias)
    theirs = keras.layers.MultiHeadAttention(2, 3, value_dim=4, use_bias=use_bias)
    if causal:
        v, mask = v[:, :1].repeat(queries, 1), mask[:, :1].repeat(queries, 1)
    mine.build(q.shape, v.shape)
    theirs.build(q.shape, v.shape)
    zoo.random_weights(mine, rng)
    layers.weights.copy(mine, theirs)
    options = {"value_mask": mask, "use_causal_mask": causal, "return_attention_scores": True}
    assert zoo.gap(mine(q, v, **options), theirs(q, v, **options)) < 1e-5


def test_gradients_of_several_heads_are_those_of_keras():
    rng = np.random.default_rng(1)
    q, v = zoo.draw(rng, 2, 3, 4), zoo.draw(rng, 2, 5, 6)
    mask = np.arange(5) < np.array([[5], [2]])
    pair = layers.MultiHeadAttention(2, 3), keras.layers.MultiHeadAttention(2, 3)
    for layer in pair:
        layer.build(q.shape, v.shape)
    zoo.random_weights(pair[0], rng)
    layers.weights.copy(*pair)
    found = [zoo.gradients(layer, lambda layer, q, v: layer(q, v, value_mask=mask), q, v) for layer in pair]
    assert max(np.max(np.abs(a - b)) for a, b in zip(*found, strict=True)) < 1e-5


@pytest.mark.parametrize("name", zoo.attending())
def test_a_row_with_nothing_to_see_gives_numbers_and_learns(name):
    rng = np.random.default_rng(2)
    q, v = zoo.draw(rng, 2, 3, zoo.D), zoo.draw(rng, 2, 4, zoo.D)
    mask = np.array([[False] * 4, [True, True, False, True]])
    layer = zoo.attending()[name]
    layer.build(q.shape, v.shape)
    argument = "memory_mask" if "Decoder" in name else "value_mask"
    found = zoo.gradients(layer, lambda layer, q, v: layer(q, v, **{argument: mask}), q, v)
    assert all(np.all(np.isfinite(g)) for g in found)
    assert not np.any(found[-1][0])  # what nobody may see has no influence
    _, weights, *_ = layer(q, v, **{argument: mask}, return_attention_scores=True)
    weights = zoo.numpy(weights)[0]
    assert not np.any(weights[0]) and np.allclose(weights[1].sum(axis=-1), 1, atol=1e-5)


def test_half_precision_does_not_overflow():
    scores = np.array([[60000.0, 60000.0, -60000.0]], "float16")
    assert zoo.gap(layers.masked_softmax(ops.convert_to_tensor(scores)), np.array([[0.5, 0.5, 0.0]])) < 1e-3


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("wiring", ["bahdanau", "luong"])
def test_a_decoder_that_attends_against_numpy(wiring, seed):
    rng = np.random.default_rng(seed)
    x, memory = zoo.draw(rng, 2, 4, 3), zoo.draw(rng, 2, 5, 6)
    mask = np.arange(5) < np.array([[5], [2]])
    h0 = zoo.draw(rng, 2, 4)
    layer = layers.AttentionDecoder(layers.SimpleRNNCell(4), layers.AdditiveAttention(7), wiring)
    layer.build(x.shape, memory.shape)
    zoo.random_weights(layer, rng)
    found = layer(x, memory, initial_state=[ops.convert_to_tensor(h0)], memory_mask=mask,
                  return_attention_scores=True, return_state=True)
    W, U, b = layer.cell.get_weights()

    def look(h):
        scores = np.stack([scores_of("additive", layer.attention, h[i:i + 1], memory[i]) for i in range(2)])
        weights = softmax(scores, mask[:, None])
        return (weights @ memory)[:, 0], weights[:, 0]

    h, outputs, seen = h0, [], []
    for t in range(4):
        if wiring == "bahdanau":
            context, weights = look(h)
            h = np.tanh(np.concatenate([x[:, t], context], -1) @ W + h @ U + b)
            outputs.append(np.concatenate([h, context], -1))
        else:
            h = np.tanh(x[:, t] @ W + h @ U + b)
            context, weights = look(h)
            outputs.append(np.tanh(np.concatenate([h, context], -1) @ np.asarray(layer.join)))
        seen.append(weights)
    assert zoo.gap(found, (np.stack(outputs, 1), np.stack(seen, 1), [h])) < 1e-5
    # Where the target is padded nothing changes: the output is repeated, the state stays.
    two = np.array([[True, True, False, False]] * 2)
    padded = layer(x, memory, initial_state=[ops.convert_to_tensor(h0)], memory_mask=mask, x_mask=two,
                   return_state=True)
    short = layer(x[:, :2], memory, initial_state=[ops.convert_to_tensor(h0)], memory_mask=mask, return_state=True)
    assert zoo.gap(padded, (np.stack([outputs[t] for t in (0, 1, 1, 1)], 1), short[1])) < 1e-5


def test_positions_have_the_papers_frequencies():
    table = layers.positions(50, 6)
    for p in (0, 1, 7, 49):
        for i in range(3):
            angle = p / 10_000 ** (2 * i / 6)
            assert np.allclose(table[p, 2 * i:2 * i + 2], [np.sin(angle), np.cos(angle)], atol=1e-6)
    x = zoo.draw(np.random.default_rng(0), 2, 9, 6)
    assert zoo.gap(layers.SinusoidalPositions()(x), x + table[:9]) < 1e-5
    assert zoo.gap(layers.SinusoidalPositions()(x, start=4), x + table[4:13]) < 1e-5
    assert layers.positions(4, 5).shape == (4, 5)  # an odd size ends with a sine


def test_a_decoder_block_does_not_look_ahead():
    rng = np.random.default_rng(3)
    x, memory = zoo.draw(rng, 2, 6, 4), zoo.draw(rng, 2, 3, 4)
    block = layers.DecoderBlock(2, 8)
    before = zoo.numpy(block(x, memory))[0]
    changed = x.copy()
    changed[:, 4:] += 1
    after = zoo.numpy(block(changed, memory))[0]
    assert np.array_equal(before[:, :4], after[:, :4]) or np.abs(before[:, :4] - after[:, :4]).max() < 1e-6
    assert np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-2


@pytest.mark.parametrize("norm_first", [False, True])
def test_step_by_step_with_a_cache_is_the_full_pass(norm_first):
    rng = np.random.default_rng(4)
    x, memory = zoo.draw(rng, 2, 6, 4), zoo.draw(rng, 2, 3, 4)
    mask = np.array([[True, True, False], [True, True, True]])
    block = layers.DecoderBlock(2, 8, norm_first=norm_first)
    full = block(x, memory, memory_mask=mask)
    cache, steps = block.start(ops.convert_to_tensor(memory), mask), []
    for t in range(6):
        out, cache = block.step(ops.convert_to_tensor(x[:, t:t + 1]), cache)
        steps.append(out)
    assert zoo.gap(ops.concatenate(steps, axis=1), full) < 1e-5


def layer_norm(x, epsilon=1e-6):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon)


@pytest.mark.parametrize("norm_first", [False, True])
def test_an_encoder_block_against_numpy(norm_first):
    rng = np.random.default_rng(5)
    x = zoo.draw(rng, 2, 5, 4)
    mask = np.arange(5) < np.array([[5], [3]])
    block = layers.EncoderBlock(2, 7, norm_first=norm_first)
    block.build(x.shape)
    for layer in (block.self_attention, block.hidden, block.output_dense):  # layer norm stays at 1 and 0
        zoo.random_weights(layer, rng)
    (a, b), (c, d) = block.hidden.get_weights(), block.output_dense.get_weights()
    q, qb, k, kb, v, vb, o, ob = block.self_attention.get_weights()

    def attend(x):
        out = np.zeros_like(x)
        for j in range(2):
            Q, K, V = x @ q[:, j] + qb[j], x @ k[:, j] + kb[j], x @ v[:, j] + vb[j]
            scores = Q @ K.transpose(0, 2, 1) / np.sqrt(2)
            out += softmax(scores, np.repeat(mask[:, None], 5, axis=1)) @ V @ o[j]
        return out + ob

    expected = x
    for part in (attend, lambda x: np.maximum(x @ a + b, 0) @ c + d):
        expected = expected + part(layer_norm(expected)) if norm_first else layer_norm(expected + part(expected))
    assert zoo.gap(block(x, mask=mask), expected) < 1e-4


def test_bad_use_is_answered_in_words():
    x = np.zeros((2, 5, 3), "float32")
    with pytest.raises(ValueError, match="`units` must be a positive integer"):
        layers.AdditiveAttention(0)
    with pytest.raises(ValueError, match="dot, scaled_dot, general, concat"):
        layers.LuongAttention("cosine")
    with pytest.raises(ValueError, match='"general" takes both'):
        layers.LuongAttention("dot")(x, np.zeros((2, 5, 4), "float32"))
    with pytest.raises(ValueError, match='`units` is the width of the "concat" score'):
        layers.LuongAttention("dot", units=3)
    with pytest.raises(ValueError, match="3 features can't be shared among 2 heads"):
        layers.EncoderBlock(2, 8)(x)
    with pytest.raises(ValueError, match='"bahdanau" or "luong"'):
        layers.AttentionDecoder(layers.GRUCell(3), layers.AdditiveAttention(3), wiring="cho")
    with pytest.raises(ValueError, match="AdditiveAttention or LuongAttention"):
        layers.AttentionDecoder(layers.GRUCell(3), keras.layers.Attention())
