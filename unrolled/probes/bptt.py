"""Probes of lesson 03: backpropagation through time. Everything is NumPy in float64."""

from __future__ import annotations

import numpy as np

BACK = ("dx", "dh_prev", "dW", "dU", "db")
THROUGH = ("dx", "dh0", "dW", "dU", "db")


def forward_cache(rnn_forward, case):
    """The states of a whole sequence."""
    states = rnn_forward(*(case[k] for k in ("x", "h0", "W", "U", "b")))
    if states is None:
        raise TypeError("rnn_forward returned None: does it end in `return states`?")
    return {"states": states}


def step_backward(rnn_step_backward, case):
    """Five gradients of one step."""
    return _named(BACK, rnn_step_backward(*(case[k] for k in ("dh", "x", "h_prev", "h", "W", "U"))))


def through_time(rnn_backward, case):
    """Five gradients of a whole sequence."""
    return _named(THROUGH, rnn_backward(*(case[k] for k in ("dh", "x", "states", "W", "U"))))


def gradcheck(gradcheck, case):
    """Numeric gradient of a small polynomial loss, the error against a claimed gradient, and w afterwards."""
    a, b, c, d = (case[k] for k in "abcd")
    w = case["w"]

    def loss(v):
        v = np.asarray(v, dtype=np.float64)
        return float((a * v + b * v**2 + c * v**3).sum() + d * v.sum() ** 2)

    numeric, error = _unpack(gradcheck(loss, w, case["grad"], float(case["eps"])), ("numeric", "error"))
    return {"numeric": numeric, "error": error, "w_after": w}


def clip_global_norm(clip_by_global_norm, case):
    """The clipped gradients and the norm."""
    grads = case.watch("grads", [case[name] for name in sorted(case) if name.startswith("g")])
    clipped, norm = _unpack(clip_by_global_norm(grads, float(case["max_norm"])), ("clipped", "norm"))
    clipped = list(clipped)
    if len(clipped) != len(grads):
        raise ValueError(f"{len(grads)} gradients went in, {len(clipped)} came back")
    return {f"g{i}": g for i, g in enumerate(clipped)} | {"norm": norm}


def truncated(truncated_bptt, case):
    """Three weight gradients, the sequence cut into chunks of k steps."""
    back = truncated_bptt(*(case[k] for k in ("x", "y", "h0", "W", "U", "b")), int(case["k"]))
    return _named(("dW", "dU", "db"), back)


def orthogonal_init(orthogonal, case):
    """A matrix, the same call once more, and many draws from one generator."""
    seed, u, gain = int(case["seed"]), int(case["u"]), float(case["gain"])
    Q, again = (orthogonal(np.random.default_rng(seed), u, gain) for _ in range(2))
    rng = np.random.default_rng(seed + 1)
    return {"Q": Q, "again": again, "many": [orthogonal(rng, u, gain) for _ in range(int(case["draws"]))]}


def _named(names, values):
    values = _unpack(values, names)
    return dict(zip(names, values, strict=True))


def _unpack(values, names):
    if values is None:
        raise TypeError(f"your function returned None; it should return {', '.join(names)}")
    if not isinstance(values, tuple | list) or len(values) != len(names):
        raise TypeError(f"your function should return {len(names)} things: {', '.join(names)}")
    return values
