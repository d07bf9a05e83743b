# Overwrites shared gradients where they should add up, and clips each tensor by its own norm.

# %% * solution

# %% bptt.through_time
def rnn_backward(dh, x, states, W, U):
    """Back through the whole sequence.

    dh: (B, T, u), what the loss itself sends to every h_t; x: (B, T, D); states: (B, T + 1, u), h0 first.
    Returns dx (B, T, D), dh0 (B, u), dW (D, u), dU (u, u), db (u,).
    """
    dx, carried = np.zeros_like(x), np.zeros_like(states[:, 0])
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[0])
    for t in reversed(range(x.shape[1])):
        total = dh[:, t] + carried
        dx[:, t], carried, dW_t, dU_t, db_t = step_back(total, x[:, t], states[:, t], states[:, t + 1], W, U)
        dW = dW_t
        dU = dU_t
        db = db_t
    return dx, carried, dW, dU, db

# %% bptt.clip_global_norm
def clip_by_global_norm(grads, max_norm):
    clipped = []
    for g in grads:
        n = np.linalg.norm(g)
        clipped.append(g * max_norm / n if n > max_norm else g)
    return clipped, np.sqrt(sum((g**2).sum() for g in grads))
