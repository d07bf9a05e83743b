"""Probes of lesson 02: the recurrent cell and its four architectures."""

from __future__ import annotations

import keras
import numpy as np

from unrolled.probes import codes, text


def _f32(case, *names):
    return [case.float32(name) for name in names]


def step(rnn_step, case):
    """One step: h from (x, h, W, U, b)."""
    return {"h": rnn_step(*_f32(case, "x", "h", "W", "U", "b"))}


def concat_form(concat_form, case):
    """The joined matrix and the new state from (x, h, W, U, b)."""
    V, h = concat_form(*_f32(case, "x", "h", "W", "U", "b"))
    return {"V": V, "h": h}


def unroll(unroll, case):
    """All states and the last one from (x, h0, W, U, b)."""
    states, last = unroll(*_f32(case, "x", "h0", "W", "U", "b"))
    return {"states": states, "last": last}


class _MaskOf(keras.layers.Layer):
    """The next layer after a student's: what mask does it get?"""

    supports_masking = True

    def call(self, x, mask=None):
        return np.zeros(0) if mask is None else mask


def layer(SimpleRNN, case):
    """The layer in one of its uses, with W, U and b copied into it."""
    settings = {"return_sequences": bool(case["sequences"]), "stateful": bool(case["stateful"])}
    if "name" in case:
        first = SimpleRNN(len(case["b"]), name=text(case["name"]), **settings)
        rnn = SimpleRNN.from_config(first.get_config())
    else:
        rnn = SimpleRNN(len(case["b"]), **settings)
    if "ids" in case:
        return _in_a_model(rnn, case)
    x = case.float32("x")
    rnn.build(x.shape)
    _fill(rnn, case)
    given = {"initial_state": case.float32("initial")} if "initial" in case else {}
    masked = {"mask": case["mask"]} if "mask" in case else {}
    if "name" in case:
        found = {"y": rnn(x), "name": codes(rnn.name)}
        return found | ({"again": rnn(x)} if case["stateful"] else {})
    if case["stateful"]:
        found = {"first": rnn(x), "masked": rnn(x, **masked), "given": rnn(x, **given), "fourth": rnn(x)}
        kept = [np.ravel(weight) for weight in rnn.non_trainable_weights]
        return found | {"memory": np.concatenate([np.zeros(0), *kept])}
    found = {"y": rnn(x, **given, **masked)}
    if "x2" in case:
        found["again"] = rnn(case.float32("x2"))
    if masked:
        found["mask"] = _MaskOf()(found["y"])
    return found


def _in_a_model(rnn, case):
    """The last state in a model that masks symbol 0, and the gradients of the sum of R times it."""
    import tensorflow as tf

    embedding = keras.layers.Embedding(*case["E"].shape, mask_zero=True)
    ids = keras.Input(case["ids"].shape[1:], dtype="int32")
    model = keras.Model(ids, rnn(embedding(ids)))
    embedding.embeddings.assign(case.float32("E"))
    weights = _fill(rnn, case)
    with tf.GradientTape() as tape:
        y = model(case["ids"])
        last = y if len(y.shape) == 2 else y[:, -1]
        loss = tf.reduce_sum(last * case.float32("R"))
    found = tape.gradient(loss, [weight.value for weight in weights], unconnected_gradients="zero")
    return {"y": y} | dict(zip(("dW", "dU", "db"), found, strict=True))


def _fill(layer, case):
    """Copy W, U and b into a student's layer; returns its trainable weights."""
    found, wanted = layer.trainable_weights, [case[name].shape for name in "WUb"]
    shapes = [tuple(weight.shape) for weight in found]
    if len(found) != len(wanted):
        raise ValueError(f"the layer should have 3 trainable weights (W, U, b) after build; "
                         f"it has {len(found)} trainable weights")
    if shapes != wanted and sorted(shapes) == sorted(wanted):
        raise ValueError(f"the weights should stand in the order W, U, b; yours have shapes {shapes}")
    for weight, name in zip(found, "WUb", strict=True):
        weight.assign(case.float32(name))
    return found


def last_valid(last_valid, case):
    """One state a sequence from (states, mask)."""
    return {"y": last_valid(case.float32("states"), case["mask"])}


def many_to_many_loss(masked_loss, case):
    """The mean loss from (targets, logits, mask)."""
    return {"loss": masked_loss(case["targets"], case.float32("logits"), case["mask"])}


def one_to_many(one_to_many, case):
    """Logits and symbols of a greedy run."""
    weights = _f32(case, "E", "W", "U", "b", "Wo", "bo")
    logits, ids = one_to_many(case.float32("h"), int(case["start"]), int(case["steps"]), *weights)
    return {"logits": logits, "ids": ids}


def sample(sample, case):
    """Probabilities and chosen symbols from (logits, temperature, r)."""
    p, ids = sample(case.float32("logits"), float(case["temperature"]), case.float32("r"))
    return {"p": p, "id": ids}
