"""Probes of lesson 05: the GRU."""

from __future__ import annotations

import keras
import numpy as np

from unrolled.probes import codes, gradients_along, text


def _f32(case, *names):
    return [case.float32(name) for name in names]


def step(gru_step, case):
    """One step on float32 arrays: h from (x, h) and the three weights, b is (3u,)."""
    return {"h": gru_step(*_f32(case, "x", "h", "W", "U", "b"))}


def reset_after(gru_step_reset_after, case):
    """One step on float32 arrays, b is (2, 3u)."""
    return {"h": gru_step_reset_after(*_f32(case, "x", "h", "W", "U", "b"))}


def convention(other_convention, case):
    """The three weights, rewritten."""
    return dict(zip("WUb", _three(other_convention(*_f32(case, "W", "U", "b"))), strict=True))


def from_pytorch(from_pytorch, case):
    """Keras's three arrays from PyTorch's four."""
    return dict(zip("WUb", _three(from_pytorch(*_f32(case, "w_ih", "w_hh", "b_ih", "b_hh"))), strict=True))


def reduces_to_rnn(rnn_as_gru, case):
    """The GRU's three weights for a plain RNN's."""
    return dict(zip("WUb", _three(rnn_as_gru(*_f32(case, "W", "U", "b"))), strict=True))


def _three(result):
    if not isinstance(result, tuple | list) or len(result) != 3:
        raise TypeError("return three arrays, W, U and b")
    return result


def count_parameters(count_parameters, case):
    """The number of weights of all four cells of one size; RNN and LSTM have no two forms."""
    D, u, after = int(case["D"]), int(case["u"]), bool(case["reset_after"])
    return {"rnn": count_parameters("rnn", D, u, reset_after=after),
            "gru before": count_parameters("gru", D, u, reset_after=False),
            "gru after": count_parameters("gru", D, u, reset_after=True), "gru": count_parameters("gru", D, u),
            "lstm": count_parameters("lstm", D, u, reset_after=after)}


WEIGHTS = {"kernel": "W", "recurrent_kernel": "U", "bias": "b"}


def cell(GRUCell, case):
    """A cell as `keras.layers.RNN` uses it: build, call(x, [h]), state_size, get_config."""
    after = bool(case["reset_after"])
    if "x" not in case:
        made = GRUCell(int(case["units"]), reset_after=after)
        made.build((None, int(case["D"])))
        return _weights_of(made) | {"state size": _size(made),
                                    "trainable": sorted(np.size(w) for w in made.trainable_weights)}
    units = case["h"].shape[-1]
    if case["x"].ndim == 3:
        made = GRUCell(units, reset_after=after)
        layer, inputs = keras.layers.RNN(made), keras.Input((None, case["x"].shape[2]))
        model = keras.Model(inputs, layer(inputs))
        _fill(made, case)
        return {"output": model(case.float32("x"))}
    if "name" in case:
        made = GRUCell.from_config(GRUCell(units, reset_after=after, name=text(case["name"])).get_config())
    else:
        made = GRUCell(units, reset_after=after)
    made.build((None, case["x"].shape[-1]))
    weights = _fill(made, case)
    x, h = _f32(case, "x", "h")
    kept = {}

    def call():
        result = made(x, [h])
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise TypeError("call should return two things: (h, [h])")
        kept["state"] = result[1][0] if isinstance(result[1], tuple | list) else result[1]
        return result[0]

    output, found = gradients_along(call, weights) if "trains" in case else (call(), {})
    return {"output": output} | kept | found | ({"name": codes(made.name)} if "name" in case else {})


def layer(GRU, case):
    """The layer on sequences: all states or the last, masks, a first state, in a model, its config, its gradients."""
    settings = {"reset_after": bool(case["reset_after"]), "return_sequences": bool(case["sequences"])}
    x, units = case.float32("x"), case["U"].shape[0]
    if "name" in case:
        made = GRU.from_config(GRU(units, name=text(case["name"]), **settings).get_config())
    else:
        made = GRU(units, **settings)
    if "symbolic" in case:
        inputs, mask = keras.Input(x.shape[1:]), keras.Input(x.shape[1:2], dtype="bool")
        model = keras.Model([inputs, mask], made(inputs, mask=mask))
        _fill(made, case)
        return {"h": model([x, case["mask"]])}
    made.build(x.shape)
    weights = _fill(made, case)
    given = {}
    if "mask" in case:
        given["mask"] = keras.ops.convert_to_tensor(case["mask"])
    if "h" in case:
        given["initial_state"] = keras.ops.convert_to_tensor(case.float32("h"))
    if "twice" in case:
        made(-x)
    output, found = gradients_along(lambda: made(x, **given), weights) if "trains" in case else (made(x, **given), {})
    if "mask" in case:
        handed_on = getattr(output, "_keras_mask", None)  # Keras keeps a tensor's mask on the tensor
        found["mask handed on"] = np.zeros(0) if handed_on is None else handed_on
    return {"h": output} | found | ({"name": codes(made.name)} if "name" in case else {})


def _size(cell):
    if not hasattr(cell, "state_size"):
        raise AttributeError("the cell has no attribute state_size")
    return np.ravel(cell.state_size)


def _weights_of(made):
    weights = {w.name: w for w in made.weights}
    missing = [name for name in WEIGHTS if name not in weights]
    if missing:
        raise ValueError(f"after build there is no weight named {', '.join(missing)}; "
                         f"there are: {', '.join(weights) or 'none'}")
    return {name: weights[name] for name in WEIGHTS}


def _fill(made, case):
    """Copy the case's weights into a student's layer; returns the layer's."""
    weights = _weights_of(made)
    for name, key in WEIGHTS.items():
        if tuple(weights[name].shape) != case[key].shape:
            raise ValueError(f"the weight {name} has shape {tuple(weights[name].shape)}; it should be "
                             f"{case[key].shape}")
        weights[name].assign(case.float32(key))
    return weights
