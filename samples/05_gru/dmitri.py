# Right but for the second bias, the counts that go with it, and the gates that are given by their value.

# %% * solution

# %% gru.reset_after
def gru_step_reset_after(x, h, W, U, b):
    """One step of a GRU, reset gate after the product.

    x: (batch, D), h: (batch, u), W: (D, 3u), U: (u, 3u); b: (2, 3u), row 0 for x and row 1 for h.
    Returns the new h, (batch, u).
    """
    xz, xr, xh = ops.split(ops.matmul(x, W) + b[0] + b[1], 3, axis=-1)
    hz, hr, hh = ops.split(ops.matmul(h, U), 3, axis=-1)
    z = ops.sigmoid(xz + hz)
    r = ops.sigmoid(xr + hr)
    candidate = ops.tanh(xh + r * hh)
    return z * h + (1 - z) * candidate

# %% gru.count_parameters
def count_parameters(kind, D, u, reset_after=True):
    """The number of weights of a "rnn", "gru" or "lstm" layer of Keras with D inputs and u units, biases included."""
    blocks = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    biases = 1
    return blocks * (D * u + u * u + biases * u)

# %% gru.reduces_to_rnn
def rnn_as_gru(W, U, b):
    """Weights with which a GRU (reset after, Keras's convention) computes h = tanh(x W + h U + b), the plain RNN.

    W: (D, u), U: (u, u), b: (u,). Returns the GRU's W (D, 3u), U (u, 3u) and b (2, 3u).
    """
    D, u = W.shape
    no_W, no_U = np.zeros((D, u)), np.zeros((u, u))
    shut, open_ = np.full(u, 0.0), np.full(u, 1.0)
    b_x = np.concatenate([shut, open_, b])
    return (np.concatenate([no_W, no_W, W], axis=1), np.concatenate([no_U, no_U, U], axis=1),
            np.stack([b_x, np.zeros(3 * u)]))

# %% gru.from_pytorch
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    """Keras's GRU weights from PyTorch's.

    w_ih: (3u, D), w_hh: (3u, u), b_ih and b_hh: (3u,), blocks r, z, n (n is the candidate).
    Returns W (D, 3u), U (u, 3u), b (2, 3u), blocks z, r, candidate.
    """
    def reorder(a):
        r, z, n = np.split(a, 3)
        return np.concatenate([z, r, n])
    return reorder(w_ih).T, reorder(w_hh).T, reorder(b_ih) + reorder(b_hh)
