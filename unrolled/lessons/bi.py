"""What lesson 06 gives after an exercise, so that a mistake in one costs nothing in the next."""

from __future__ import annotations

from keras import ops


def backwards(x, mask=None):
    """Each row's valid steps reversed in time, its padding behind them; without a mask, the whole row.

    x: (batch, time, features); mask: (batch, time), valid steps first.
    """
    if mask is None:
        return ops.flip(x, axis=1)
    t = ops.arange(ops.shape(x)[1], dtype="int32")
    n = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)
    return ops.take_along_axis(x, ops.where(t < n, n - 1 - t, t)[:, :, None], axis=1)


def join(forward, backward, mode):
    """Two outputs (batch, time, u) merged: mode is "concat", "sum", "mul", "ave" or None (the pair as it is)."""
    ways = {
        "concat": lambda: ops.concatenate([forward, backward], axis=-1), "sum": lambda: forward + backward,
        "mul": lambda: forward * backward, "ave": lambda: (forward + backward) / 2, None: lambda: (forward, backward),
    }
    return ways[mode]()
