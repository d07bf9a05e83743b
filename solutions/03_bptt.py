# %% [markdown]
# # Backpropagation through time

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import numpy as np
import keras
from unrolled import check
from unrolled.lessons.bptt import backprop, forward, step_back

# %% solution="bptt.forward_cache"
def rnn_forward(x, h0, W, U, b):
    """Run a plain RNN, h_t = tanh(x_t W + h_{t-1} U + b), and keep every state.

    x: (B, T, D), h0: (B, u), W: (D, u), U: (u, u), b: (u,), all float64.
    Returns states, (B, T + 1, u): states[:, 0] is h0, states[:, t + 1] is what step t made.
    """
    ### BEGIN SOLUTION
    B, T, _ = x.shape
    states = np.zeros((B, T + 1, U.shape[0]))
    states[:, 0] = h0
    for t in range(T):
        states[:, t + 1] = np.tanh(x[:, t] @ W + states[:, t] @ U + b)
    return states
    ### END SOLUTION

# %% check="bptt.forward_cache"
check("bptt.forward_cache", rnn_forward)

# %% solution="bptt.step_backward"
def rnn_step_backward(dh, x, h_prev, h, W, U):
    """Back through h = tanh(x W + h_prev U + b), from dh = dL/dh, (B, u).

    Returns dx (B, D), dh_prev (B, u), dW (D, u), dU (u, u), db (u,).
    """
    ### BEGIN SOLUTION
    dz = dh * (1 - h**2)
    dx, dh_prev = dz @ W.T, dz @ U.T
    dW, dU, db = x.T @ dz, h_prev.T @ dz, dz.sum(axis=0)
    return dx, dh_prev, dW, dU, db
    ### END SOLUTION

# %% check="bptt.step_backward"
check("bptt.step_backward", rnn_step_backward)

# %% solution="bptt.through_time"
def rnn_backward(dh, x, states, W, U):
    """Back through the whole sequence.

    dh: (B, T, u), what the loss itself sends to every h_t; x: (B, T, D); states: (B, T + 1, u), h0 first.
    Returns dx (B, T, D), dh0 (B, u), dW (D, u), dU (u, u), db (u,).
    """
    ### BEGIN SOLUTION
    dx, carried = np.zeros_like(x), np.zeros_like(states[:, 0])
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[0])
    for t in reversed(range(x.shape[1])):
        total = dh[:, t] + carried
        dx[:, t], carried, dW_t, dU_t, db_t = step_back(total, x[:, t], states[:, t], states[:, t + 1], W, U)
        dW += dW_t
        dU += dU_t
        db += db_t
    return dx, carried, dW, dU, db
    ### END SOLUTION

# %% check="bptt.through_time"
check("bptt.through_time", rnn_backward)

# %% solution="bptt.gradcheck"
def gradcheck(loss, w, grad, eps=1e-5):
    """Compare a gradient with central differences.

    loss: a function of an array like w; w: float64 array of any shape; grad: the gradient to be tested.
    Returns the numeric gradient (shaped like w) and ‖grad − numeric‖ / (‖grad‖ + ‖numeric‖), which is 0 if
    both are zero.
    w is the same afterwards as before.
    """
    ### BEGIN SOLUTION
    numeric = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        old = w[i]
        w[i] = old + eps
        up = loss(w)
        w[i] = old - eps
        down = loss(w)
        w[i] = old
        numeric[i] = (up - down) / (2 * eps)
    size = np.linalg.norm(grad) + np.linalg.norm(numeric)
    return numeric, np.linalg.norm(grad - numeric) / size if size > 0 else 0.0
    ### END SOLUTION

# %% check="bptt.gradcheck"
check("bptt.gradcheck", gradcheck)

# %% solution="bptt.clip_global_norm"
def clip_by_global_norm(grads, max_norm):
    """Shorten gradients together, so that their joint norm is at most max_norm.

    grads: list of arrays, which stay as they are.
    Returns the list of clipped arrays, and the joint norm *before* clipping.
    """
    ### BEGIN SOLUTION
    norm = np.sqrt(sum((g**2).sum() for g in grads))
    factor = max_norm / norm if norm > max_norm else 1.0
    return [g * factor for g in grads], norm
    ### END SOLUTION

# %% check="bptt.clip_global_norm"
check("bptt.clip_global_norm", clip_by_global_norm)

# %% solution="bptt.truncated"
def truncated_bptt(x, y, h0, W, U, b, k):
    """Gradients of ½ Σ (h_t − y_t)² where no gradient crosses the borders of chunks of k steps.

    x: (B, T, D), y: (B, T, u); the last chunk may be shorter. Returns dW, dU, db, summed over all chunks.
    """
    ### BEGIN SOLUTION
    h, dW, dU, db = h0, np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    for start in range(0, x.shape[1], k):
        piece = x[:, start:start + k]
        states = forward(piece, h, W, U, b)
        _, _, dW_c, dU_c, db_c = backprop(states[:, 1:] - y[:, start:start + k], piece, states, W, U)
        dW, dU, db = dW + dW_c, dU + dU_c, db + db_c
        h = states[:, -1]
    return dW, dU, db
    ### END SOLUTION

# %% check="bptt.truncated"
check("bptt.truncated", truncated_bptt)

# %% solution="bptt.orthogonal_init"
def orthogonal(rng, u, gain=1.0):
    """A random orthogonal (u, u) matrix times gain; every one equally likely. rng: a NumPy Generator."""
    ### BEGIN SOLUTION
    Q, R = np.linalg.qr(rng.normal(size=(u, u)))
    return gain * Q * np.sign(np.diag(R))
    ### END SOLUTION

# %% check="bptt.orthogonal_init"
check("bptt.orthogonal_init", orthogonal)
