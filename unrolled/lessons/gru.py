"""What lesson 05 gives its students, so that one wrong answer does not cost the next."""

from __future__ import annotations

from keras import ops


def one_step(x, h, W, U, b):
    """One GRU step in either form: reset before the product for b (3u,), after it for b (2, 3u).

    x: (batch, D), h: (batch, u), W: (D, 3u), U: (u, 3u), blocks z, r, candidate. Returns the new h (batch, u).
    """
    u = h.shape[-1]
    after = len(b.shape) == 2
    from_x = ops.matmul(x, W) + (b[0] if after else b)
    gates = ops.sigmoid(from_x[:, : 2 * u] + ops.matmul(h, U[:, : 2 * u]) + (b[1, : 2 * u] if after else 0))
    z, r = gates[:, :u], gates[:, u:]
    Uh = U[:, 2 * u :]
    from_h = r * (ops.matmul(h, Uh) + b[1, 2 * u :]) if after else ops.matmul(r * h, Uh)
    return z * h + (1 - z) * ops.tanh(from_x[:, 2 * u :] + from_h)


def textbook_step(x, h, W, U, b):
    """One GRU step as many texts write it: z sits on the candidate. Shapes as in `one_step`, b is (3u,)."""
    u = h.shape[-1]
    from_x = ops.matmul(x, W) + b
    gates = ops.sigmoid(from_x[:, : 2 * u] + ops.matmul(h, U[:, : 2 * u]))
    z, r = gates[:, :u], gates[:, u:]
    candidate = ops.tanh(from_x[:, 2 * u :] + ops.matmul(r * h, U[:, 2 * u :]))
    return (1 - z) * h + z * candidate
