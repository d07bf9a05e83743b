"""Probes of lesson 05: the GRU."""

from __future__ import annotations

import keras
import numpy as np


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


def _three(result):
    if not isinstance(result, tuple | list) or len(result) != 3:
        raise TypeError("return three arrays, W, U and b")
    return result


def cell(GRUCell, case):
    """A cell with the case's weights makes one step; or what a cell rebuilt from its config looks like."""
    x, h = _f32(case, "x", "h")
    made = GRUCell(h.shape[-1], reset_after=bool(case["reset_after"]))
    if "restore" in case:
        made = type(made).from_config(made.get_config())
        made.build((None, x.shape[-1]))
        weights = _weights_of(made)
        return {"kernel shape": tuple(weights["kernel"].shape),
                "recurrent shape": tuple(weights["recurrent_kernel"].shape),
                "bias shape": tuple(weights["bias"].shape)}
    if not hasattr(made, "state_size"):
        raise AttributeError("the cell has no attribute state_size")
    made.build((None, x.shape[-1]))
    _fill(made, case)
    result = made(keras.ops.convert_to_tensor(x), [keras.ops.convert_to_tensor(h)])
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise TypeError("call should return two things: (h, [h])")
    output, states = result
    state = states[0] if isinstance(states, tuple | list) else states
    return {"output": output, "state": state, "state size": _size(made.state_size)}


def layer(GRU, case):
    """A layer with the case's weights reads sequences; or what a layer rebuilt from its config looks like."""
    x, h = _f32(case, "x", "h")
    made = GRU(h.shape[-1], reset_after=bool(case["reset_after"]), return_sequences=bool(case["sequences"]))
    x = keras.ops.convert_to_tensor(x)
    if "restore" in case:
        made = type(made).from_config(made.get_config())
        made.build(x.shape)
        output = made(x)
        return {"bias shape": tuple(_weights_of(made)["bias"].shape), "output axes": len(output.shape)}
    made.build(x.shape)
    _fill(made, case)
    wanted = {}
    if "mask" in case:
        wanted["mask"] = keras.ops.convert_to_tensor(case["mask"])
    if "started" in case:
        wanted["initial_state"] = keras.ops.convert_to_tensor(h)
    return {"h": made(x, **wanted)}


def _size(state_size):
    return int(state_size[0]) if isinstance(state_size, tuple | list) else int(state_size)


def _weights_of(made):
    weights = {w.name: w for w in made.weights}
    missing = [name for name in ("kernel", "recurrent_kernel", "bias") if name not in weights]
    if missing:
        raise ValueError(f"after build there is no weight named {', '.join(missing)}; "
                         f"there are: {', '.join(weights) or 'none'}")
    return weights


def _fill(made, case):
    weights = _weights_of(made)
    for name, key in (("kernel", "W"), ("recurrent_kernel", "U"), ("bias", "b")):
        if tuple(weights[name].shape) != case[key].shape:
            raise ValueError(f"the weight {name} has shape {tuple(weights[name].shape)}; it should be "
                             f"{case[key].shape}")
        weights[name].assign(case.float32(key))


def count_parameters(count_parameters, case):
    """The number of weights of all four cells of one size."""
    D, u = int(case["D"]), int(case["u"])
    return {"rnn": count_parameters("rnn", D, u), "gru before": count_parameters("gru", D, u, reset_after=False),
            "gru after": count_parameters("gru", D, u, reset_after=True), "lstm": count_parameters("lstm", D, u)}


def reduces_to_rnn(rnn_as_gru, case):
    """Run the weights in a plain GRU (reset after, z on the old state), and say what the gates did."""
    given = _three(rnn_as_gru(*_f32(case, "W", "U", "b")))
    W, U, b = (np.asarray(a, "float64") for a in given)
    D, u = case["W"].shape
    for name, array, shape in (("W", W, (D, 3 * u)), ("U", U, (u, 3 * u)), ("b", b, (2, 3 * u))):
        if array.shape != shape:
            raise ValueError(f"the GRU's {name} has shape {array.shape}; it should be {shape}")
    h, hs, zs, rs = case["h"], [], [], []
    for t in range(case["x"].shape[1]):
        from_x, from_h = case["x"][:, t] @ W + b[0], h @ U + b[1]
        z, r = np.split(_sigmoid(from_x + from_h)[:, : 2 * u], 2, axis=1)
        h = z * h + (1 - z) * np.tanh(from_x[:, 2 * u:] + r * from_h[:, 2 * u:])
        hs.append(h), zs.append(z), rs.append(r)
    return {"h": np.stack(hs, 1), "z": np.stack(zs, 1), "r": np.stack(rs, 1)}


def _sigmoid(a):
    return 0.5 * (1 + np.tanh(0.5 * a))  # no overflow, however large the bias
