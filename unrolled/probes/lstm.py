"""Probes of lesson 04: the LSTM."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from unrolled.probes import codes, text


def _arrays(case, *names):
    return [case.float32(name) for name in names]


def _give(layer, *arrays):
    """Copy weights into a student's layer: each finds its place by its shape."""
    places = list(layer.weights)
    if not places:
        raise ValueError(f"{type(layer).__name__} has 0 weights after build; build should make W, U and b.")
    for array in arrays:
        place = next((w for w in places if tuple(w.shape) == array.shape), None)
        if place is None:
            raise ValueError(f"{type(layer).__name__} has no weight of shape {array.shape} after build; "
                             f"its weights: {[tuple(w.shape) for w in layer.weights]}.")
        place.assign(array)
        places = [w for w in places if w is not place]


def step(lstm_step, case):
    """One step on float32 arrays: (h, c) from (x, h, c) and the three weights."""
    h, c = lstm_step(*_arrays(case, "x", "h", "c", "W", "U", "b"))
    return {"h": h, "c": c}


def gates(lstm_gates, case):
    """A sequence: the dictionary of everything that happened, each (batch, time, units)."""
    record = lstm_gates(*_arrays(case, "x", "h", "c", "W", "U", "b"))
    missing = [name for name in "ifgoch" if name not in record]
    if missing:
        raise KeyError(f"the dictionary has no entry {', '.join(map(repr, missing))}")
    return {name: record[name] for name in "ifgoch"}


def constant_error(constant_error, case):
    """The share of c_t that is left in c_T, for every t, from the forget gates."""
    return {"kept": constant_error(*_arrays(case, "f"))}


def forget_bias(forget_bias, case):
    """The first bias of `units` units, with a half-life in steps or without."""
    more = [float(case["half_life"])] if "half_life" in case else []
    return {"b": forget_bias(int(case["units"]), *more)}


def latch(latch_weights, case):
    """The gates that a one-unit LSTM with these weights has at each (value, marker), each (n, 1)."""
    W, U, b = (np.asarray(a, dtype=np.float64) for a in latch_weights())
    if (W.shape, U.shape, b.shape) != ((2, 4), (1, 4), (4,)):
        raise ValueError(f"W, U and b should have shapes (2, 4), (1, 4) and (4,); "
                         f"yours have {W.shape}, {U.shape} and {b.shape}.")
    zi, zf, zg, zo = np.split(case["x"] @ W + case["h"] @ U + b, 4, axis=-1)
    gates = {name: 0.5 * (1 + np.tanh(z / 2)) for name, z in (("i", zi), ("f", zf), ("o", zo))}
    return gates | {"g": np.tanh(zg)}


def _gradients(layer, loss, tape, arrays):
    """The gradients of the loss by the layer's weights of these arrays' shapes; 0 where none arrives."""
    free = list(layer.weights)
    places = [free.pop(next(n for n, w in enumerate(free) if tuple(w.shape) == array.shape)) for array in arrays]
    found = tape.gradient(loss, [weight.value for weight in places])
    return {name: np.zeros_like(array) if gradient is None else gradient
            for name, array, gradient in zip(("dW", "dU", "db"), arrays, found, strict=True)}


def cell(LSTMCell, case):
    """A cell as `keras.layers.RNN` uses it: build, call(x, [h, c]), state_size, get_config."""
    if "x" not in case:
        D, u = int(case["D"]), int(case["units"])
        cell = LSTMCell(u)
        cell.build((None, D))
        _give(cell)
        of_shape = {tuple(w.shape): w for w in cell.weights}
        shapes = {"W": (D, 4 * u), "U": (u, 4 * u), "b": (4 * u,)}
        return {name: of_shape.get(shape, np.zeros(0)) for name, shape in shapes.items()} | {
            "state_size": list(cell.state_size), "trainable": sorted(np.size(w) for w in cell.trainable_weights)}
    units, arrays = len(case["U"]), _arrays(case, "W", "U", "b")
    if "name" in case:
        cell = LSTMCell.from_config(LSTMCell(units, name=text(case["name"])).get_config())
    else:
        cell = LSTMCell(units)
    if case["x"].ndim == 3:
        layer, inputs = keras.layers.RNN(cell), keras.Input((None, case["x"].shape[2]))
        model = keras.Model(inputs, layer(inputs))
        _give(cell, *arrays)
        return {"output": model(case.float32("x"))}
    cell.build(case["x"].shape)
    _give(cell, *arrays)
    x, h, c = _arrays(case, "x", "h", "c")
    with tf.GradientTape() as tape:
        output, states = cell(x, [h, c])
        loss = tf.reduce_sum(output * case.float32("R")) if "R" in case else None
    found = {"output": output, "h": states[0], "c": states[1]}
    if "R" in case:
        found |= _gradients(cell, loss, tape, arrays)
    if "name" in case:
        found |= {"name": codes(cell.name), "state_size": list(cell.state_size)}
    return found


def layer(LSTM, case):
    """The layer on sequences: outputs, states, masks, get_config."""
    if "x" not in case:
        x = np.zeros((*case["mask"].shape, 2), "float32")
        found = {name: _first(LSTM(3, return_sequences=flag).compute_mask(x, case["mask"]))
                 for name, flag in (("sequences", True), ("last", False))}
        return {name: np.zeros(0) if mask is None else mask for name, mask in found.items()}
    arrays = _arrays(case, "W", "U", "b")
    settings = {name: bool(case[name]) for name in ("return_sequences", "return_state")}
    if "name" in case:
        layer = LSTM.from_config(LSTM(len(case["U"]), name=text(case["name"]), **settings).get_config())
    else:
        layer = LSTM(len(case["U"]), **settings)
    x = case.float32("x")
    more = {"initial_state": _arrays(case, "h", "c")} if "h" in case else {}
    if "mask" in case:
        more["mask"] = case["mask"]
    if "symbolic" in case:
        inputs, mask = keras.Input(batch_shape=x.shape), keras.Input(batch_shape=x.shape[:2], dtype="bool")
        model = keras.Model([inputs, mask], layer(inputs, mask=mask))
        _give(layer, *arrays)
        return {"output": model([x, more["mask"]])}
    layer.build(x.shape)
    _give(layer, *arrays)
    if "twice" in case:
        layer(-x)
    if "R" in case:
        with tf.GradientTape() as tape:
            output = layer(x)
            loss = tf.reduce_sum(output * case.float32("R"))
        return {"output": output} | _gradients(layer, loss, tape, arrays)
    result = layer(x, **more)
    output, *states = result if settings["return_state"] else [result]
    found = {"output": output} | dict(zip("hc", states, strict=True) if settings["return_state"] else {})
    return found | ({"name": codes(layer.name)} if "name" in case else {})


def _first(mask):
    return mask[0] if isinstance(mask, list | tuple) else mask


def peephole_step(peephole_step, case):
    """One step of the peephole cell: (h, c) from (x, h, c) and four weights."""
    h, c = peephole_step(*_arrays(case, "x", "h", "c", "W", "U", "b", "P"))
    return {"h": h, "c": c}


def step_backward(step_backward, case):
    """All gradients of one step, in float64, from what the forward step kept."""
    cache = case.watch("cache", {key: value for key, value in case.items() if key not in ("dh", "dc")})
    gradients = step_backward(case["dh"], case["dc"], cache)
    names = ("x", "h_prev", "c_prev", "W", "U", "b", "P")
    missing = [name for name in names if name not in gradients]
    if missing:
        raise KeyError(f"the dictionary has no gradient for {', '.join(map(repr, missing))}")
    return {name: gradients[name] for name in names}


STATE = ("embedding.weight", "lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.bias_ih_l0", "lstm.bias_hh_l0")


def to_pytorch(to_pytorch, case):
    """Keras arrays to a PyTorch state dictionary."""
    state = to_pytorch(*_arrays(case, "E", "W", "U", "b"))
    missing = [name for name in STATE if name not in state]
    if missing:
        raise KeyError(f"the state dictionary has no {', '.join(missing)}")
    return dict(zip(("embedding", "weight_ih", "weight_hh", "bias_ih", "bias_hh"), map(state.get, STATE), strict=True))


def from_pytorch(from_pytorch, case):
    """A PyTorch state dictionary to Keras arrays."""
    arrays = _arrays(case, "E", "w_ih", "w_hh", "b_ih", "b_hh")
    E, W, U, b = from_pytorch(case.watch("state", dict(zip(STATE, arrays, strict=True))))
    return {"E": E, "W": W, "U": U, "b": b}
