# Everything right, in a style of his own: lists, einsum, a bump, singular vectors.

# %% bptt.forward_cache
def rnn_forward(x, h0, W, U, b):
    drive = np.einsum("btd,du->tbu", x, W) + b
    states = [h0]
    for z in drive:
        states.append(np.tanh(z + states[-1] @ U))
    return np.transpose(states, (1, 0, 2))

# %% bptt.step_backward
def rnn_step_backward(dh, x, h_prev, h, W, U):
    dz = (1 - h) * (1 + h) * dh
    dW = np.einsum("bd,bu->du", x, dz)
    dU = np.einsum("bi,bj->ij", h_prev, dz)
    return np.einsum("bu,du->bd", dz, W), np.einsum("bj,ij->bi", dz, U), dW, dU, np.einsum("bu->u", dz)

# %% bptt.through_time
def rnn_backward(dh, x, states, W, U):
    B, T, D = x.shape
    h_prev, h = states[:, :-1], states[:, 1:]
    dz = np.zeros_like(h)
    carry = 0
    for t in range(T - 1, -1, -1):
        dz[:, t] = (dh[:, t] + carry) * (1 - h[:, t] ** 2)
        carry = dz[:, t] @ U.T
    dx = dz @ W.T
    dW = np.einsum("btd,btu->du", x, dz)
    dU = np.einsum("bti,btj->ij", h_prev, dz)
    return dx, carry, dW, dU, dz.sum(axis=(0, 1))

# %% bptt.gradcheck
def gradcheck(loss, w, grad, eps=1e-5):
    numeric = []
    for n in range(w.size):
        bump = np.zeros(w.size)
        bump[n] = eps
        bump = bump.reshape(w.shape)
        numeric.append((loss(w + bump) - loss(w - bump)) / (2 * eps))
    numeric = np.array(numeric).reshape(w.shape)
    top = np.sqrt(((grad - numeric) ** 2).sum())
    bottom = np.sqrt((grad ** 2).sum()) + np.sqrt((numeric ** 2).sum())
    return numeric, top / max(bottom, 1e-30)

# %% bptt.clip_global_norm
def clip_by_global_norm(grads, max_norm):
    flat = np.concatenate([g.ravel() for g in grads])
    norm = np.linalg.norm(flat)
    return [max_norm * g / max(norm, max_norm) for g in grads], norm

# %% bptt.truncated
def truncated_bptt(x, y, h0, W, U, b, k):
    T = x.shape[1]
    hs = [h0]
    for t in range(T):
        hs.append(np.tanh(x[:, t] @ W + hs[-1] @ U + b))
    dW, dU, db, carry = 0, 0, 0, 0
    for t in range(T - 1, -1, -1):
        if (t + 1) % k == 0:
            carry = 0
        dz = (hs[t + 1] - y[:, t] + carry) * (1 - hs[t + 1] ** 2)
        dW, dU, db = dW + x[:, t].T @ dz, dU + hs[t].T @ dz, db + dz.sum(0)
        carry = dz @ U.T
    return dW, dU, db

# %% bptt.orthogonal_init
def orthogonal(rng, u, gain=1.0):
    left, _, right = np.linalg.svd(rng.normal(size=(u, u)))
    return gain * left @ right
