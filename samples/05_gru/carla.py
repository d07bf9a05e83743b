# Learnt the GRU from a text that has z on the candidate, and carried that into both steps.

# %% * solution

# %% gru.step
def gru_step(x, h, W, U, b):
    """One step of a GRU, reset gate before the product.

    x: (batch, D), h: (batch, u), W: (D, 3u), U: (u, 3u), b: (3u,); blocks in Keras's order z, r, candidate.
    Returns the new h, (batch, u).
    """
    xz, xr, xh = ops.split(ops.matmul(x, W) + b, 3, axis=-1)
    Uz, Ur, Uh = ops.split(U, 3, axis=-1)
    z = ops.sigmoid(xz + ops.matmul(h, Uz))
    r = ops.sigmoid(xr + ops.matmul(h, Ur))
    candidate = ops.tanh(xh + ops.matmul(r * h, Uh))
    return (1 - z) * h + z * candidate

# %% gru.reset_after
def gru_step_reset_after(x, h, W, U, b):
    """One step of a GRU, reset gate after the product.

    x: (batch, D), h: (batch, u), W: (D, 3u), U: (u, 3u); b: (2, 3u), row 0 for x and row 1 for h.
    Returns the new h, (batch, u).
    """
    xz, xr, xh = ops.split(ops.matmul(x, W) + b[0], 3, axis=-1)
    hz, hr, hh = ops.split(ops.matmul(h, U) + b[1], 3, axis=-1)
    z = ops.sigmoid(xz + hz)
    r = ops.sigmoid(xr + hr)
    candidate = ops.tanh(xh + r * hh)
    return (1 - z) * h + z * candidate

# %% gru.convention
def other_convention(W, U, b):
    return -W, -U, -b
