"""Probes of lesson 04: the LSTM."""

from __future__ import annotations

import numpy as np


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
    """The gates a one-unit LSTM with these weights has at each (value, marker), to two decimals."""
    W, U, b = (np.asarray(a, dtype=np.float64) for a in latch_weights())
    if (W.shape, U.shape, b.shape) != ((2, 4), (1, 4), (4,)):
        raise ValueError(f"W, U and b should have shapes (2, 4), (1, 4) and (4,); "
                         f"yours have {W.shape}, {U.shape} and {b.shape}.")
    zi, zf, zg, zo = np.split(case["x"] @ W + case["h"] @ U + b, 4, axis=-1)
    gates = {name: np.round(1 / (1 + np.exp(-z)), 2) for name, z in (("i", zi), ("f", zf), ("o", zo))}
    return gates | {"g": np.tanh(zg)}


def cell(LSTMCell, case):
    """A cell as `keras.layers.RNN` uses it: build, call(x, [h, c]), state_size, get_config."""
    if "x" in case:
        cell = LSTMCell(case["h"].shape[1])
        cell.build(case["x"].shape)
        _give(cell, *_arrays(case, "W", "U", "b"))
        x, h, c = _arrays(case, "x", "h", "c")
        output, states = cell(x, [h, c])
        return {"output": output, "h": states[0], "c": states[1]}
    units, D = int(case["units"]), int(case["D"])
    if "again" in case:
        first = LSTMCell(units, name="memory")
        again = LSTMCell.from_config(first.get_config())
        again.build((None, D))
        _give(again)
        return {"state_size": list(again.state_size), "name_kept": again.name == "memory"}
    cell = LSTMCell(units)
    cell.build((None, D))
    _give(cell)
    of_shape = {tuple(w.shape): np.asarray(w) for w in cell.weights}
    kernels = [of_shape.get((rows, 4 * units)) for rows in (D, units)]
    return {"bias": of_shape.get((4 * units,)), "state_size": list(cell.state_size),
            "varies": [k is not None and k.std() > 1e-3 for k in kernels]}


def layer(LSTM, case):
    """The layer on sequences: outputs, states, masks, get_config."""
    if "x" not in case and "mask" in case:
        x = np.zeros((*case["mask"].shape, 2), "float32")
        return {name: _first(LSTM(3, return_sequences=flag).compute_mask(x, case["mask"])) is not None
                for name, flag in (("sequences", True), ("last", False))}
    if "x" not in case:
        first = LSTM(int(case["units"]), return_sequences=True, return_state=True)
        again = LSTM.from_config(first.get_config())
        x = np.zeros((2, 3, int(case["D"])), "float32")
        again.build(x.shape)
        _give(again)
        outputs = again(x)
        return {"outputs": len(outputs), "axes": len(outputs[0].shape)}
    layer = LSTM(case["U"].shape[0], return_sequences=bool(case["return_sequences"]),
                 return_state=bool(case["return_state"]))
    layer.build(case["x"].shape)
    _give(layer, *_arrays(case, "W", "U", "b"))
    more = {"initial_state": _arrays(case, "h", "c")} if "h" in case else {}
    if "mask" in case:
        more["mask"] = case["mask"]
    result = layer(case.float32("x"), **more)
    if not case["return_state"]:
        return {"output": result}
    output, h, c = result
    return {"output": output, "h": h, "c": c}


def _first(mask):
    return mask[0] if isinstance(mask, list | tuple) else mask


def peephole_step(peephole_step, case):
    """One step of the peephole cell: (h, c) from (x, h, c) and four weights."""
    h, c = peephole_step(*_arrays(case, "x", "h", "c", "W", "U", "b", "P"))
    return {"h": h, "c": c}


def step_backward(step_backward, case):
    """All gradients of one step, in float64, from what the forward step kept."""
    cache = {key: value for key, value in case.items() if key not in ("dh", "dc")}
    gradients = step_backward(case["dh"], case["dc"], cache)
    names = ("x", "h_prev", "c_prev", "W", "U", "b", "P")
    missing = [name for name in names if name not in gradients]
    if missing:
        raise KeyError(f"the dictionary has no gradient for {', '.join(map(repr, missing))}")
    return {name: gradients[name] for name in names}


STATE = ("embedding.weight", "lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.bias_ih_l0", "lstm.bias_hh_l0")


def to_pytorch(to_pytorch, case):
    """Keras arrays to a PyTorch state dictionary. How the bias is split in two is free: their sum counts."""
    state = to_pytorch(*_arrays(case, "E", "W", "U", "b"))
    missing = [name for name in STATE if name not in state]
    if missing:
        raise KeyError(f"the state dictionary has no {', '.join(missing)}")
    E, w_ih, w_hh, b_ih, b_hh = (np.asarray(state[name]) for name in STATE)
    return {"embedding": E, "weight_ih": w_ih, "weight_hh": w_hh, "bias": b_ih + b_hh,
            "bias_lengths": [b_ih.size, b_hh.size]}


def from_pytorch(from_pytorch, case):
    """A PyTorch state dictionary to Keras arrays."""
    arrays = _arrays(case, "E", "w_ih", "w_hh", "b_ih", "b_hh")
    E, W, U, b = from_pytorch(dict(zip(STATE, arrays, strict=True)))
    return {"E": E, "W": W, "U": U, "b": b}
