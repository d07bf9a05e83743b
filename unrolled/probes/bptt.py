"""Probes of lesson 03: backpropagation through time. Everything is NumPy in float64."""

from __future__ import annotations

import numpy as np

BACK = ("dx", "dh_prev", "dW", "dU", "db")
THROUGH = ("dx", "dh0", "dW", "dU", "db")


def forward_cache(rnn_forward, case):
    """The states of a whole sequence, and how many bytes each number has (8 in float64)."""
    states = rnn_forward(*(case[k] for k in ("x", "h0", "W", "U", "b")))
    if states is None:
        raise TypeError("rnn_forward returned None: does it end in `return states`?")
    return {"states": states, "bytes": np.asarray(states).dtype.itemsize}


def step_backward(rnn_step_backward, case):
    """Five gradients of one step."""
    return _named(BACK, rnn_step_backward(*(case[k] for k in ("dh", "x", "h_prev", "h", "W", "U"))))


def through_time(rnn_backward, case):
    """Five gradients of a whole sequence."""
    return _named(THROUGH, rnn_backward(*(case[k] for k in ("dh", "x", "states", "W", "U"))))


def gradcheck(gradcheck, case):
    """Numeric gradient of a small polynomial loss, the error against a claimed gradient, and w afterwards.

    An error that is not a finite number leaves as -1.
    """
    a, b, c, d = (case[k] for k in "abcd")
    w = case["w"]

    def loss(v):
        v = np.asarray(v, dtype=np.float64)
        return float((a * v + b * v**2 + c * v**3).sum() + d * v.sum() ** 2)

    numeric, error = _unpack(gradcheck(loss, w, case["grad"], float(case["eps"])), ("numeric", "error"))
    error = float(np.asarray(error))
    return {"numeric": numeric, "error": error if np.isfinite(error) else -1.0, "w_after": w}


def clip_global_norm(clip_by_global_norm, case):
    """Three clipped gradients, the norm, and the inputs afterwards. What is not finite leaves as 1e9."""
    grads = [case[k] for k in ("g0", "g1", "g2")]
    given = list(grads)
    clipped, norm = _unpack(clip_by_global_norm(grads, float(case["max_norm"])), ("clipped", "norm"))
    clipped = list(clipped)
    if len(clipped) != 3:
        raise ValueError(f"three gradients went in, {len(clipped)} came back")
    found = {f"g{i}": np.nan_to_num(g, nan=1e9, posinf=1e9, neginf=1e9) for i, g in enumerate(clipped)}
    return found | {"norm": norm} | {f"in{i}": g for i, g in enumerate(given)}


def truncated(truncated_bptt, case):
    """Three weight gradients, the sequence cut into chunks of k steps."""
    back = truncated_bptt(*(case[k] for k in ("x", "y", "h0", "W", "U", "b")), int(case["k"]))
    return _named(("dW", "dU", "db"), back)


def orthogonal_init(orthogonal, case):
    """What holds for every random orthogonal matrix, as numbers; -1 stands for "no common value"."""
    seed, u, gain = int(case["seed"]), int(case["u"]), float(case["gain"])
    Q = _square(orthogonal(np.random.default_rng(seed), u, gain), u)
    again = _square(orthogonal(np.random.default_rng(seed), u, gain), u)
    rng = np.random.default_rng(seed + 1)
    many = np.stack([_square(orthogonal(rng, u, gain), u) for _ in range(120)])
    lengths = np.linalg.norm(Q, axis=0)
    cosines = (Q / np.maximum(lengths, 1e-12)).T @ (Q / np.maximum(lengths, 1e-12)) - np.eye(u)
    radius = np.abs(np.linalg.eigvals(Q)).max()
    return {
        "shape": np.asarray(Q.shape),
        "perpendicular": np.abs(cosines).max() < 1e-5,
        "length": lengths.mean() if np.ptp(lengths) < 1e-5 * lengths.mean() else -1.0,
        "radius is gain": abs(radius - gain) < 1e-5,
        "triangular": np.abs(np.tril(Q, -1)).max() < 1e-9,
        "repeats": np.array_equal(Q, again),
        "varies": np.ptp(many, axis=0).max() > 1e-3,
        "both signs": 0.2 < (many[:, 0, 0] > 0).mean() < 0.8,
        "both signs below": 0.2 < (many[:, 1, 0] > 0).mean() < 0.8,
    }


def _named(names, values):
    values = _unpack(values, names)
    return dict(zip(names, values, strict=True))


def _unpack(values, names):
    if values is None:
        raise TypeError(f"your function returned None; it should return {', '.join(names)}")
    if not isinstance(values, tuple | list) or len(values) != len(names):
        raise TypeError(f"your function should return {len(names)} things: {', '.join(names)}")
    return values


def _square(Q, u):
    Q = np.asarray(Q, dtype=np.float64)
    if Q.shape != (u, u):
        raise ValueError(f"orthogonal(rng, {u}, gain) should return shape ({u}, {u}); yours has {Q.shape}")
    return Q
