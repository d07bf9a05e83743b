# Applies tanh twice, resets the state at each chunk, forgets the signs of R.

# %% * solution

# %% bptt.step_backward
def rnn_step_backward(dh, x, h_prev, h, W, U):
    """Back through h = tanh(x W + h_prev U + b), from dh = dL/dh, (B, u).

    Returns dx (B, D), dh_prev (B, u), dW (D, u), dU (u, u), db (u,).
    """
    dz = dh * (1 - np.tanh(h)**2)
    dx, dh_prev = dz @ W.T, dz @ U.T
    dW, dU, db = x.T @ dz, h_prev.T @ dz, dz.sum(axis=0)
    return dx, dh_prev, dW, dU, db

# %% bptt.truncated
def truncated_bptt(x, y, h0, W, U, b, k):
    """Gradients of ½ Σ (h_t − y_t)² where no gradient crosses the borders of chunks of k steps.

    x: (B, T, D), y: (B, T, u); the last chunk may be shorter. Returns dW, dU, db, summed over all chunks.
    """
    h, dW, dU, db = h0, np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    for start in range(0, x.shape[1], k):
        piece = x[:, start:start + k]
        states = forward(piece, h, W, U, b)
        _, _, dW_c, dU_c, db_c = backprop(states[:, 1:] - y[:, start:start + k], piece, states, W, U)
        dW, dU, db = dW + dW_c, dU + dU_c, db + db_c
        h = np.zeros_like(h0)
    return dW, dU, db

# %% bptt.orthogonal_init
def orthogonal(rng, u, gain=1.0):
    """A random orthogonal (u, u) matrix times gain; every one equally likely. rng: a NumPy Generator."""
    Q, R = np.linalg.qr(rng.normal(size=(u, u)))
    return gain * Q
