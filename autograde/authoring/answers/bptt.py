"""Answers to lesson 03 as students write them: right ones in other styles, one for each misconception, and strangers'.

Long because it holds texts, one after the other, and next to no code.
"""

from autograde.authoring.answers import edit

RIGHT = {
    "bptt.forward_cache": {
        "list, then stack": '''
def rnn_forward(x, h0, W, U, b):
    h = h0
    hs = [h0]
    for t in range(x.shape[1]):
        h = np.tanh(np.dot(x[:, t, :], W) + np.dot(h, U) + b)
        hs.append(h)
    return np.stack(hs, axis=1)
''',
        "time first, input part at once, einsum": '''
def rnn_forward(x, h0, W, U, b):
    drive = np.einsum("btd,du->tbu", x, W) + b
    states = [h0]
    for z in drive:
        states.append(np.tanh(z + states[-1] @ U))
    return np.transpose(states, (1, 0, 2))
''',
        "functools.reduce": '''
from functools import reduce
def rnn_forward(x, h0, W, U, b):
    def one(states, x_t):
        return states + [np.tanh(x_t.dot(W) + states[-1].dot(U) + b)]
    hs = reduce(one, np.swapaxes(x, 0, 1), [h0])
    return np.concatenate([h[:, None, :] for h in hs], axis=1)
''',
        "loops over everything, Python's own tanh": '''
import math
def rnn_forward(x, h0, W, U, b):
    B, T, D = x.shape
    u = len(b)
    states = np.empty((B, T + 1, u))
    for n in range(B):
        for j in range(u):
            states[n, 0, j] = h0[n, j]
        for t in range(T):
            for j in range(u):
                z = b[j]
                for d in range(D):
                    z += x[n, t, d] * W[d, j]
                for k in range(u):
                    z += states[n, t, k] * U[k, j]
                states[n, t + 1, j] = math.tanh(z)
    return states
''',
        "keras.ops in float64": '''
from keras import ops
def rnn_forward(x, h0, W, U, b):
    states = [ops.convert_to_tensor(h0)]
    WU = np.concatenate([W, U])
    for t in range(x.shape[1]):
        xh = ops.concatenate([x[:, t], states[-1]], axis=-1)
        states.append(ops.tanh(ops.matmul(xh, WU) + b))
    return ops.stack(states, axis=1)
''',
    },
    "bptt.step_backward": {
        "through the inverse hyperbolic slope, in two halves": '''
def rnn_step_backward(dh, x, h_prev, h, W, U):
    def through_sum(dz):
        return np.matmul(dz, np.transpose(W)), np.matmul(dz, np.transpose(U))
    def through_weights(dz):
        ones = np.ones((1, len(x)))
        return np.transpose(x).dot(dz), np.transpose(h_prev).dot(dz), (ones @ dz).ravel()
    dz = np.multiply(dh, 1.0 - np.power(h, 2))
    return (*through_sum(dz), *through_weights(dz))
''',
        "einsum": '''
def rnn_step_backward(dh, x, h_prev, h, W, U):
    dz = (1 - h) * (1 + h) * dh
    dW = np.einsum("bd,bu->du", x, dz)
    dU = np.einsum("bi,bj->ij", h_prev, dz)
    return np.einsum("bu,du->bd", dz, W), np.einsum("bj,ij->bi", dz, U), dW, dU, np.einsum("bu->u", dz)
''',
        "one example at a time": '''
def rnn_step_backward(dh, x, h_prev, h, W, U):
    dx, dh_prev = np.empty_like(x), np.empty_like(h_prev)
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[1])
    for n in range(len(x)):
        slope = np.diag(1 - np.square(h[n]))
        dz = slope @ dh[n]
        dx[n] = W @ dz
        dh_prev[n] = U @ dz
        dW += np.outer(x[n], dz)
        dU += np.outer(h_prev[n], dz)
        db += dz
    return dx, dh_prev, dW, dU, db
''',
        "slope through arctanh and cosh": '''
def rnn_step_backward(dh, x, h_prev, h, W, U):
    z = np.arctanh(h)
    dz = dh / np.cosh(z) ** 2
    back = np.dot(dz, np.vstack([W, U]).T)
    D = x.shape[1]
    dWU = np.dot(np.hstack([x, h_prev]).T, dz)
    return [back[:, :D], back[:, D:], dWU[:D], dWU[D:], np.sum(dz, 0)]
''',
    },
    "bptt.through_time": {
        "all by hand, weight gradients at the end": '''
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
''',
        "recursion on the first steps": '''
def rnn_backward(dh, x, states, W, U):
    if x.shape[1] == 0:
        return np.zeros_like(x), np.zeros_like(states[:, 0]), W * 0, U * 0, U[0] * 0
    last = step_back(dh[:, -1], x[:, -1], states[:, -2], states[:, -1], W, U)
    dx_t, down, dW, dU, db = last
    dh = dh[:, :-1].copy()
    if dh.shape[1]:
        dh[:, -1] += down
    dx, dh0, dW_, dU_, db_ = rnn_backward(dh, x[:, :-1], states[:, :-1], W, U)
    dx = np.concatenate([dx, dx_t[:, None]], axis=1)
    return dx, (dh0 if x.shape[1] > 1 else down), dW + dW_, dU + dU_, db + db_
''',
        "slopes for all steps, time reversed by a flip": '''
def rnn_backward(dh, x, states, W, U):
    slopes = 1 - states[:, 1:] ** 2
    back, dzs = np.zeros_like(dh[:, 0]), []
    for own, slope in zip(np.flip(dh, 1).swapaxes(0, 1), np.flip(slopes, 1).swapaxes(0, 1)):
        dzs.append((own + back) * slope)
        back = np.dot(dzs[-1], U.T)
    dz = np.stack(dzs[::-1], axis=1)
    flat = dz.reshape(-1, dz.shape[-1])
    dW = x.reshape(-1, x.shape[-1]).T @ flat
    dU = states[:, :-1].reshape(-1, U.shape[0]).T @ flat
    return np.tensordot(dz, W, axes=(2, 1)), back, dW, dU, flat.sum(0)
''',
        "lists and deque": '''
from collections import deque
def rnn_backward(dh, x, states, W, U):
    steps = deque()
    back = np.zeros(states[:, 0].shape)
    for t in range(x.shape[1])[::-1]:
        out = step_back(dh[:, t] + back, x[:, t], states[:, t], states[:, t + 1], W, U)
        back = out[1]
        steps.appendleft(out)
    dxs, _, dWs, dUs, dbs = zip(*steps)
    return np.stack(dxs, 1), back, sum(dWs), sum(dUs), sum(dbs)
''',
    },
    "bptt.gradcheck": {
        "copies with one bump": '''
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
''',
        "nditer and a tiny number below": '''
def gradcheck(loss, w, grad, eps=1e-5):
    numeric = np.zeros(w.shape)
    it = np.nditer(w, flags=["multi_index"])
    for value in it:
        plus, minus = w.copy(), w.copy()
        plus[it.multi_index] += eps
        minus[it.multi_index] -= eps
        numeric[it.multi_index] = (loss(plus) - loss(minus)) / eps / 2
    norm = np.linalg.norm
    return numeric, norm(grad - numeric) / (norm(grad) + norm(numeric) + 1e-12)
''',
        "shifted up and down in place, back to within rounding": '''
def gradcheck(loss, w, grad, eps=1e-5):
    numeric = np.zeros(w.shape)
    for index, _ in np.ndenumerate(w):
        w[index] += eps
        numeric[index] = loss(w)
        w[index] -= 2 * eps
        numeric[index] -= loss(w)
        w[index] += eps
    numeric /= 2 * eps
    if not np.any(grad) and not np.any(numeric):
        return numeric, 0.0
    return numeric, np.linalg.norm(grad - numeric) / (np.linalg.norm(grad) + np.linalg.norm(numeric))
''',
        "through a flat view": '''
def gradcheck(loss, w, grad, eps=1e-5):
    flat = w.reshape(-1)
    numeric = np.empty(flat.shape)
    for n, old in enumerate(flat.copy()):
        values = []
        for sign in (+1, -1):
            flat[n] = old + sign * eps
            values.append(loss(w))
        flat[n] = old
        numeric[n] = 0.5 * (values[0] - values[1]) / eps
    numeric = numeric.reshape(w.shape)
    both = np.linalg.norm(grad) + np.linalg.norm(numeric)
    return numeric, (0.0 if both == 0 else np.linalg.norm(numeric - grad) / both)
''',
    },
    "bptt.clip_global_norm": {
        "max below": '''
def clip_by_global_norm(grads, max_norm):
    flat = np.concatenate([g.ravel() for g in grads])
    norm = np.linalg.norm(flat)
    return [max_norm * g / max(norm, max_norm) for g in grads], norm
''',
        "early return": '''
import math
def clip_by_global_norm(grads, max_norm):
    total = 0.0
    for g in grads:
        total += float(np.sum(np.square(g)))
    norm = math.sqrt(total)
    if norm <= max_norm:
        return grads, norm
    return tuple(max_norm / norm * g for g in grads), norm
''',
        "norm of the norms, np.where": '''
def clip_by_global_norm(grads, max_norm):
    norm = np.linalg.norm([np.linalg.norm(g) for g in grads])
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(norm > max_norm, np.divide(max_norm, norm), 1.0)
    return [np.multiply(factor, g) for g in grads], float(norm)
''',
        "copies, shortened in place": '''
def clip_by_global_norm(grads, max_norm):
    out = [np.array(g, copy=True) for g in grads]
    norm = sum((g ** 2).sum() for g in out) ** 0.5
    if norm > max_norm:
        for g in out:
            g /= norm
            g *= max_norm
    return out, norm
''',
        "keras.ops, factor at most 1": '''
from keras import ops
def clip_by_global_norm(grads, max_norm):
    norm = ops.sqrt(ops.sum(ops.stack([ops.sum(ops.square(g)) for g in grads])))
    factor = ops.minimum(1.0, max_norm / (norm + 1e-12))
    return [g * factor for g in grads], norm
''',
    },
    "bptt.truncated": {
        "one forward pass, then pieces of it": '''
def truncated_bptt(x, y, h0, W, U, b, k):
    states = forward(x, h0, W, U, b)
    grads = [np.zeros_like(w) for w in (W, U, b)]
    s = 0
    while s < x.shape[1]:
        e = min(s + k, x.shape[1])
        dh = states[:, s + 1:e + 1] - y[:, s:e]
        for total, g in zip(grads, backprop(dh, x[:, s:e], states[:, s:e + 1], W, U)[2:]):
            total += g
        s = e
    return tuple(grads)
''',
        "by hand: the carried gradient is cleared at each border": '''
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
''',
        "np.split at the borders": '''
def truncated_bptt(x, y, h0, W, U, b, k):
    borders = list(range(k, x.shape[1], k))
    grads, h = [0.0, 0.0, 0.0], h0
    for xs, ys in zip(np.split(x, borders, axis=1), np.split(y, borders, axis=1)):
        states = forward(xs, h, W, U, b)
        h = states[:, -1].copy()
        new = backprop(np.subtract(states[:, 1:], ys), xs, states, W, U)
        grads = [g + n for g, n in zip(grads, new[-3:])]
    return grads[0], grads[1], grads[2]
''',
        "recursion on the rest": '''
def truncated_bptt(x, y, h0, W, U, b, k):
    states = forward(x[:, :k], h0, W, U, b)
    mine = backprop(states[:, 1:] - y[:, :k], x[:, :k], states, W, U)[2:]
    if x.shape[1] <= k:
        return mine
    rest = truncated_bptt(x[:, k:], y[:, k:], states[:, -1], W, U, b, k)
    return [m + r for m, r in zip(mine, rest)]
''',
    },
    "bptt.orthogonal_init": {
        "singular vectors": '''
def orthogonal(rng, u, gain=1.0):
    left, _, right = np.linalg.svd(rng.normal(size=(u, u)))
    return gain * left @ right
''',
        "Gram and Schmidt": '''
def orthogonal(rng, u, gain=1.0):
    columns = []
    for _ in range(u):
        v = rng.standard_normal(u)
        for _ in range(2):
            for q in columns:
                v = v - (q @ v) * q
        columns.append(v / np.linalg.norm(v))
    return gain * np.stack(columns, axis=1)
''',
        "Householder reflections and random signs": '''
def orthogonal(rng, u, gain=1.0):
    Q = np.eye(u)
    for k in range(u):
        v = np.zeros(u)
        v[k:] = rng.normal(size=u - k)
        sign = 1.0 if v[k] > 0 else -1.0
        v[k] += sign * np.linalg.norm(v)
        Q = -sign * (Q - 2 * np.outer(Q @ v, v) / (v @ v))
    return gain * Q * rng.choice([-1.0, 1.0], size=u)
''',
        "signs as a diagonal matrix": '''
def orthogonal(rng, u, gain=1.0):
    A = rng.standard_normal((u, u))
    q, r = np.linalg.qr(A)
    D = np.diag(np.diag(r) / np.abs(np.diag(r)))
    return np.dot(q, D) * gain
''',
    },
}

WRONG = {
    "bptt.forward_cache": {
        "state not carried": edit("states[:, t] @ U", "h0 @ U"),
        "h0 ignored": edit("    states[:, 0] = h0\n", ""),
        "h0 used but not kept": '''
def rnn_forward(x, h0, W, U, b):
    B, T, D = x.shape
    states = np.zeros((B, T + 1, U.shape[0]))
    h = h0
    for t in range(T):
        h = np.tanh(x[:, t] @ W + h @ U + b)
        states[:, t + 1] = h
    return states
''',
        "h0 left out of the states": '''
def rnn_forward(x, h0, W, U, b):
    h, states = h0, []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W + h @ U + b)
        states.append(h)
    return np.stack(states, axis=1)
''',
        "bias left out": edit(" + b)", ")"),
        "U transposed": edit("@ U +", "@ U.T +"),
        "pre-activation kept": '''
def rnn_forward(x, h0, W, U, b):
    h, cache = h0, [h0]
    for t in range(x.shape[1]):
        z = x[:, t] @ W + h @ U + b
        cache.append(z)
        h = np.tanh(z)
    return np.stack(cache, axis=1)
''',
        "sigmoid in place of tanh": edit("np.tanh(x[:, t] @ W + states[:, t] @ U + b)",
                                         "1 / (1 + np.exp(-(x[:, t] @ W + states[:, t] @ U + b)))"),
        "a tanh for each part": edit("np.tanh(x[:, t] @ W + states[:, t] @ U + b)",
                                     "np.tanh(x[:, t] @ W + b) + np.tanh(states[:, t] @ U)"),
        "time axis first": '''
def rnn_forward(x, h0, W, U, b):
    states = [h0]
    for t in range(x.shape[1]):
        states.append(np.tanh(x[:, t] @ W + states[-1] @ U + b))
    return np.array(states)
''',
        "float32": edit("np.zeros((B, T + 1, U.shape[0]))", "np.zeros((B, T + 1, U.shape[0]), 'float32')"),
        "one array for all steps": '''
def rnn_forward(x, h0, W, U, b):
    h = h0.copy()
    states = [h]
    for t in range(x.shape[1]):
        h[:] = np.tanh(x[:, t] @ W + h @ U + b)
        states.append(h)
    return np.stack(states, axis=1)
''',
        "bias outside the tanh": edit("@ U + b)", "@ U) + b"),
        "bias added twice": edit("@ W +", "@ W + b +"),
    },
    "bptt.step_backward": {
        "tanh′ of the previous state": edit("1 - h**2", "1 - h_prev**2"),
        "tanh applied twice": edit("1 - h**2", "1 - np.tanh(h)**2"),
        "tanh′ left out": edit("dh * (1 - h**2)", "dh"),
        "the sigmoid's slope": edit("1 - h**2", "h * (1 - h)"),
        "square forgotten": edit("1 - h**2", "1 - h"),
        "W not transposed": edit("dz @ W.T", "dz @ W"),
        "U not transposed": edit("dz @ U.T", "dz @ U"),
        "h_t for h_{t-1}": edit("h_prev.T @ dz", "h.T @ dz"),
        "averaged over the batch": edit("x.T @ dz, h_prev.T @ dz, dz.sum(axis=0)",
                                        "x.T @ dz / len(x), h_prev.T @ dz / len(x), dz.mean(axis=0)"),
        "bias gradient not summed": edit("dz.sum(axis=0)", "dz"),
        "bias gradient averaged": edit("dz.sum(axis=0)", "dz.mean(axis=0)"),
        "bias gradient without the slope": edit("dz.sum(axis=0)", "dh.sum(axis=0)"),
        "slope missing on the way down": edit("dz @ W.T, dz @ U.T", "dh @ W.T, dh @ U.T"),
        "weight gradients transposed": edit("x.T @ dz, h_prev.T @ dz", "dz.T @ x, dz.T @ h_prev"),
        "dU transposed": edit("h_prev.T @ dz", "dz.T @ h_prev"),
    },
    "bptt.through_time": {
        "= for +=": edit("dW += ", "dW = ", "dU += ", "dU = ", "db += ", "db = "),
        "gradient not carried": edit("dh[:, t] + carried", "dh[:, t]"),
        "only the last step's loss": edit(
            "    for t in rev", "    carried = dh[:, -1]\n    for t in rev", "dh[:, t] + carried", "carried"),
        "carried gradient piles up": edit(
            "dx[:, t], carried, dW_t", "dx[:, t], back, dW_t",
            "        dW += dW_t", "        carried += back\n        dW += dW_t",
            "return dx, carried", "return dx, back"),
        "averaged over time": edit("return dx, carried, dW, dU, db",
                                   "T = x.shape[1]\n    return dx, carried, dW / T, dU / T, db / T"),
        "averaged over the batch": edit("return dx, carried, dW, dU, db",
                                        "B = len(x)\n    return dx, carried, dW / B, dU / B, db / B"),
        "walks forward in time": edit("reversed(range(x.shape[1]))", "range(x.shape[1])"),
        "h_t for h_{t-1}": '''
def rnn_backward(dh, x, states, W, U):
    h = states[:, 1:]
    dx, dW, dU, db, carry = np.zeros_like(x), 0, 0, 0, 0
    for t in range(x.shape[1] - 1, -1, -1):
        dz = (dh[:, t] + carry) * (1 - h[:, t] ** 2)
        dx[:, t] = dz @ W.T
        dW, dU, db = dW + x[:, t].T @ dz, dU + h[:, t].T @ dz, db + dz.sum(0)
        carry = dz @ U.T
    return dx, carry, dW, dU, db
''',
        "tanh′ of the previous state": edit("states[:, t + 1], W, U", "states[:, t], W, U"),
        "dx in reversed order": '''
def rnn_backward(dh, x, states, W, U):
    dxs, dW, dU, db, carry = [], 0, 0, 0, 0
    for t in range(x.shape[1] - 1, -1, -1):
        dx, carry, a, b, c = step_back(dh[:, t] + carry, x[:, t], states[:, t], states[:, t + 1], W, U)
        dW, dU, db = dW + a, dU + b, db + c
        dxs.append(dx)
    return np.stack(dxs, axis=1), carry, dW, dU, db
''',
        "dh0 one step short": edit("return dx, carried,", "return dx, total,"),
        "dU transposed": edit("dU += dU_t", "dU += dU_t.T"),
        "U not transposed": edit("states[:, t + 1], W, U)", "states[:, t + 1], W, U.T)"),
    },
    "bptt.gradcheck": {
        "forward difference": edit("w[i] = old - eps", "w[i] = old", "(2 * eps)", "eps"),
        "divided by eps": edit("(2 * eps)", "eps"),
        "w not put back": edit("        w[i] = old\n        numeric", "        numeric"),
        "all weights at once": '''
def gradcheck(loss, w, grad, eps=1e-5):
    slope = (loss(w + eps) - loss(w - eps)) / (2 * eps)
    numeric = np.full_like(w, slope)
    size = np.linalg.norm(grad) + np.linalg.norm(numeric)
    return numeric, np.linalg.norm(grad - numeric) / size if size else 0.0
''',
        "eps fixed": edit("    numeric = np.zeros", "    eps = 1e-5\n    numeric = np.zeros"),
        "a row at a time": edit("np.ndindex(w.shape)", "range(len(w))", "old = w[i]", "old = w[i].copy()"),
        "sign flipped": edit("(up - down)", "(down - up)"),
        "absolute error": edit("np.linalg.norm(grad - numeric) / size if size > 0 else 0.0",
                               "np.linalg.norm(grad - numeric)"),
        "divided by one norm only": edit(" + np.linalg.norm(numeric)", ""),
        "difference of the norms": edit("np.linalg.norm(grad - numeric) /",
                                        "abs(np.linalg.norm(grad) - np.linalg.norm(numeric)) /"),
        "norm of the sum": edit("np.linalg.norm(grad) + np.linalg.norm(numeric)", "np.linalg.norm(grad + numeric)"),
        "largest entries compared": edit("np.linalg.norm(grad) + np.linalg.norm(numeric)",
                                         "np.abs(grad).max() + np.abs(numeric).max()",
                                         "np.linalg.norm(grad - numeric)", "np.abs(grad - numeric).max()"),
        "0 / 0": edit(" if size > 0 else 0.0", ""),
    },
    "bptt.clip_global_norm": {
        "always rescaled": edit(" if norm > max_norm else 1.0", ""),
        "each tensor by its own norm": '''
def clip_by_global_norm(grads, max_norm):
    clipped = []
    for g in grads:
        n = np.linalg.norm(g)
        clipped.append(g * max_norm / n if n > max_norm else g)
    return clipped, np.sqrt(sum((g**2).sum() for g in grads))
''',
        "clipped by value": edit("g * factor", "np.clip(g, -max_norm, max_norm)"),
        "sum of the norms": edit("np.sqrt(sum((g**2).sum() for g in grads))",
                                 "sum(np.linalg.norm(g) for g in grads)"),
        "sum of the absolute values": edit("np.sqrt(sum((g**2).sum() for g in grads))",
                                           "sum(np.abs(g).sum() for g in grads)"),
        "square root forgotten": edit("np.sqrt(sum((g**2).sum() for g in grads))",
                                      "sum((g**2).sum() for g in grads)"),
        "largest of the norms": edit("np.sqrt(sum((g**2).sum() for g in grads))",
                                     "max(np.linalg.norm(g) for g in grads)"),
        "mean instead of sum": edit("np.sqrt(sum((g**2).sum() for g in grads))",
                                    "np.sqrt(np.mean(np.concatenate([g.ravel() for g in grads])**2))"),
        "norm after clipping": edit("return [g * factor for g in grads], norm",
                                    "return [g * factor for g in grads], norm * factor"),
        "factor upside down": edit("max_norm / norm", "norm / max_norm"),
        "never clipped": edit("g * factor", "g"),
        "scaled to length 1": edit("max_norm / norm if", "1 / norm if"),
        "division by a zero norm": '''
import math
def clip_by_global_norm(grads, max_norm):
    norm = math.sqrt(sum(float((g**2).sum()) for g in grads))
    factor = min(1.0, max_norm / norm)
    return [g * factor for g in grads], norm
''',
    },
    "bptt.truncated": {
        "forward state cut too": edit("        h = states[:, -1]", "        h = np.zeros_like(h0)"),
        "every chunk starts from h0": edit("        h = states[:, -1]\n", ""),
        "state one step too old": edit("        h = states[:, -1]", "        h = states[:, -2]"),
        "not truncated": '''
def truncated_bptt(x, y, h0, W, U, b, k):
    states = forward(x, h0, W, U, b)
    return backprop(states[:, 1:] - y, x, states, W, U)[2:]
''',
        "sliding window": '''
def truncated_bptt(x, y, h0, W, U, b, k):
    states = forward(x, h0, W, U, b)
    dW, dU, db = 0, 0, 0
    for t in range(x.shape[1]):
        back = states[:, t + 1] - y[:, t]
        for s in range(t, max(-1, t - k), -1):
            _, back, a, c, d = step_back(back, x[:, s], states[:, s], states[:, s + 1], W, U)
            dW, dU, db = dW + a, dU + c, db + d
    return dW, dU, db
''',
        "last chunk dropped": edit("range(0, x.shape[1], k)", "range(0, x.shape[1] // k * k, k)"),
        "= for +=": edit("dW + dW_c, dU + dU_c, db + db_c", "dW_c, dU_c, db_c"),
        "averaged over the chunks": edit("    return dW, dU, db",
                                         "    n = -(-x.shape[1] // k)\n    return dW / n, dU / n, db / n"),
        "the factor ½ overlooked": '''
def truncated_bptt(x, y, h0, W, U, b, k):
    h, total = h0, [0, 0, 0]
    for s in range(0, x.shape[1], k):
        states = forward(x[:, s:s + k], h, W, U, b)
        dh = 2 * (states[:, 1:] - y[:, s:s + k])
        total = [old + new for old, new in zip(total, backprop(dh, x[:, s:s + k], states, W, U)[2:])]
        h = states[:, -1]
    return total
''',
        "loss at the end of a chunk only": '''
def truncated_bptt(x, y, h0, W, U, b, k):
    h, dW, dU, db = h0, 0, 0, 0
    for start in range(0, x.shape[1], k):
        xs, ys = x[:, start:start + k], y[:, start:start + k]
        states = forward(xs, h, W, U, b)
        dh = np.zeros_like(ys)
        dh[:, -1] = states[:, -1] - ys[:, -1]
        grads = backprop(dh, xs, states, W, U)
        dW, dU, db = dW + grads[2], dU + grads[3], db + grads[4]
        h = states[:, -1]
    return dW, dU, db
''',
    },
    "bptt.orthogonal_init": {
        "Gaussian, not orthogonal": '''
def orthogonal(rng, u, gain=1.0):
    return gain * rng.normal(size=(u, u)) / np.sqrt(u)
''',
        "columns only normalised": '''
def orthogonal(rng, u, gain=1.0):
    A = rng.normal(size=(u, u))
    return gain * A / np.linalg.norm(A, axis=0)
''',
        "scaled to the spectral radius": '''
def orthogonal(rng, u, gain=1.0):
    A = rng.normal(size=(u, u))
    return gain * A / np.abs(np.linalg.eigvals(A)).max()
''',
        "R in place of Q": edit("Q, R = ", "_, R = ", "gain * Q * np.sign(np.diag(R))", "gain * R"),
        "gain ignored": edit("gain * Q", "Q"),
        "gain squared": edit("gain * Q", "gain**2 * Q"),
        "signs of R not undone": edit(" * np.sign(np.diag(R))", ""),
        "uniform, not normal": edit("rng.normal", "rng.random"),
        "a generator of its own": edit("rng.normal", "np.random.normal"),
        "rotations only": '''
def orthogonal(rng, u, gain=1.0):
    Q, R = np.linalg.qr(rng.normal(size=(u, u)))
    Q = Q * np.sign(np.diag(R))
    Q[:, 0] *= np.sign(np.linalg.det(Q))
    return gain * Q
''',
        "always the same matrix": edit("rng.normal", "np.random.default_rng(0).normal"),
    },
}

# By people who never saw the oracle: the answer, its points, and the names of all that may be said of it.
STRANGERS = {
    "bptt.forward_cache": {
        "products in float32": ('''
def rnn_forward(x, h0, W, U, b):
    hs = [h0]
    x, W, U = (a.astype("float32") for a in (x, W, U))
    for t in range(x.shape[1]):
        hs.append(np.tanh(x[:, t] @ W + hs[-1].astype("float32") @ U + b))
    return np.stack(hs, axis=1)
''', 3, {"float32"}),
        "hard-coded five steps": ('''
def rnn_forward(x, h0, W, U, b):
    hs = [h0]
    for t in range(5):
        hs.append(np.tanh(x[:, t] @ W + hs[-1] @ U + b))
    return np.stack(hs, 1)
''', 0, set()),
        "squeeze": ('''
def rnn_forward(x, h0, W, U, b):
    hs = [h0]
    for t in range(x.shape[1]):
        hs.append(np.tanh(x[:, t] @ W + hs[-1] @ U + b))
    return np.squeeze(np.stack(hs, 1))
''', 1, set()),
        "h0 changed": ('''
def rnn_forward(x, h0, W, U, b):
    states = [h0.copy()]
    for t in range(x.shape[1]):
        h0[:] = np.tanh(x[:, t] @ W + h0 @ U + b)
        states.append(h0.copy())
    return np.stack(states, axis=1)
''', 3, {"changes its inputs"}),
        "x reversed": ('''
def rnn_forward(x, h0, W, U, b):
    hs = [h0]
    for t in range(x.shape[1] - 1, -1, -1):
        hs.append(np.tanh(x[:, t] @ W + hs[-1] @ U + b))
    return np.stack(hs, 1)
''', 3, set()),
    },
    "bptt.step_backward": {
        "einsum W untransposed": ('''
def rnn_step_backward(dh, x, h_prev, h, W, U):
    dz = dh * (1 - h**2)
    return np.einsum("bu,ud->bd", dz, W), dz @ U.T, x.T @ dz, h_prev.T @ dz, dz.sum(0)
''', 0, {"W not transposed"}),
        "np.dot W untransposed": ('''
def rnn_step_backward(dh, x, h_prev, h, W, U):
    dz = dh * (1 - h**2)
    return np.dot(dz, W), np.dot(dz, U.T), x.T @ dz, h_prev.T @ dz, dz.sum(0)
''', 0, {"W not transposed"}),
        "dW without transpose": ('''
def rnn_step_backward(dh, x, h_prev, h, W, U):
    dz = dh * (1 - h**2)
    return dz @ W.T, dz @ U.T, x @ dz, h_prev @ dz, dz.sum(0)
''', 0, set()),
        "dh changed in place": ('''
def rnn_step_backward(dh, x, h_prev, h, W, U):
    dh *= 1 - h**2
    return dh @ W.T, dh @ U.T, x.T @ dh, h_prev.T @ dh, dh.sum(0)
''', 5, {"changes its inputs"}),
        "recomputes z, drops bias": ('''
def rnn_step_backward(dh, x, h_prev, h, W, U):
    dz = dh / np.cosh(x @ W + h_prev @ U) ** 2
    return dz @ W.T, dz @ U.T, x.T @ dz, h_prev.T @ dz, dz.sum(0)
''', 1, set()),
        "tf W untransposed": ('''
def rnn_step_backward(dh, x, h_prev, h, W, U):
    dz = tf.multiply(dh, 1 - tf.square(h))
    return (tf.matmul(dz, W), tf.matmul(dz, U, transpose_b=True), tf.matmul(x, dz, transpose_a=True),
            tf.matmul(h_prev, dz, transpose_a=True), tf.reduce_sum(dz, axis=0))
''', 0, {"W not transposed"}),
    },
    "bptt.through_time": {
        "dh changed in place": ('''
def rnn_backward(dh, x, states, W, U):
    dx = np.zeros_like(x); dW = 0*W; dU = 0*U; db = np.zeros(len(U)); c = 0
    for t in range(x.shape[1]-1, -1, -1):
        dh[:, t] += c
        dx[:, t], c, a, b_, d = step_back(dh[:, t], x[:, t], states[:, t], states[:, t+1], W, U)
        dW += a; dU += b_; db += d
    return dx, c, dW, dU, db
''', 7, {"changes its inputs"}),
        "dW only overwritten": ('''
def rnn_backward(dh, x, states, W, U):
    dx = np.zeros_like(x); dW = 0*W; dU = 0*U; db = np.zeros(len(U)); c = 0
    for t in range(x.shape[1]-1, -1, -1):
        dx[:, t], c, dW, b_, d = step_back(dh[:, t]+c, x[:, t], states[:, t], states[:, t+1], W, U)
        dU += b_; db += d
    return dx, c, dW, dU, db
''', 5, set()),
        "sizes written into the code": ('''
def rnn_backward(dh, x, states, W, U):
    dx = np.zeros_like(x); dW = 0*W; dU = 0*U; db = np.zeros(7); c = np.zeros((2, 7))
    for t in range(x.shape[1]-1, -1, -1):
        dx[:, t], c, a, b_, d = step_back(dh[:, t]+c, x[:, t], states[:, t], states[:, t+1], W, U)
        dW += a; dU += b_; db += d
    return dx, c, dW, dU, db
''', 0, set()),
    },
    "bptt.gradcheck": {
        "never restores": ('''
def gradcheck(loss, w, grad, eps=1e-5):
    n = np.zeros_like(w)
    for i in np.ndindex(*w.shape):
        w[i] += eps; up = loss(w)
        w[i] -= 2*eps; down = loss(w)
        n[i] = (up-down)/(2*eps)
    s = np.linalg.norm(grad)+np.linalg.norm(n)
    return n, np.linalg.norm(grad-n)/s if s else 0.0
''', 1, {"w not put back"}),
        "two loops over a matrix": ('''
def gradcheck(loss, w, grad, eps=1e-5):
    n = np.zeros_like(w)
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            p, m = w.copy(), w.copy()
            p[i, j] += eps; m[i, j] -= eps
            n[i, j] = (loss(p)-loss(m))/(2*eps)
    s = np.linalg.norm(grad)+np.linalg.norm(n)
    return n, np.linalg.norm(grad-n)/s if s else 0.0
''', 1, set()),
        "math.sqrt zero division": ('''
import math
def gradcheck(loss, w, grad, eps=1e-5):
    n = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        p, m = w.copy(), w.copy()
        p[i] += eps; m[i] -= eps
        n[i] = (loss(p)-loss(m))/(2*eps)
    length = lambda a: math.sqrt(float((a*a).sum()))
    return n, length(grad-n)/(length(grad)+length(n))
''', 4, {"0 / 0"}),
        "grad changed in place": ('''
def gradcheck(loss, w, grad, eps=1e-5):
    n = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        p, m = w.copy(), w.copy()
        p[i] += eps; m[i] -= eps
        n[i] = (loss(p)-loss(m))/(2*eps)
    s = np.linalg.norm(grad) + np.linalg.norm(n)
    grad -= n
    return n, np.linalg.norm(grad)/s if s else 0.0
''', 4, {"changes its inputs"}),
    },
    "bptt.clip_global_norm": {
        "list items replaced": ('''
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in grads))
    if norm > max_norm:
        for i in range(len(grads)):
            grads[i] = grads[i] * max_norm / norm
    return grads, norm
''', 4, {"changes its inputs"}),
        "g *= in place": ('''
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    if norm > max_norm:
        for g in grads:
            g *= max_norm / norm
    return grads, norm
''', 4, {"changes its inputs"}),
        "three gradients unpacked": ('''
def clip_by_global_norm(grads, max_norm):
    a, b, c = grads
    norm = np.sqrt((a**2).sum() + (b**2).sum() + (c**2).sum())
    f = min(1, max_norm / max(norm, 1e-12))
    return [a*f, b*f, c*f], norm
''', 0, set()),
        "L1": ('''
def clip_by_global_norm(grads, max_norm):
    norm = sum(np.abs(g).sum() for g in grads)
    f = max_norm / norm if norm > max_norm else 1.0
    return [g * f for g in grads], norm
''', 1, {"sum of the absolute values"}),
    },
    "bptt.truncated": {
        "np.split equal": ('''
def truncated_bptt(x, y, h0, W, U, b, k):
    h = h0; dW, dU, db = 0, 0, 0
    n = max(1, x.shape[1] // k)
    for xs, ys in zip(np.array_split(x, n, axis=1), np.array_split(y, n, axis=1)):
        st = forward(xs, h, W, U, b)
        g = backprop(st[:, 1:] - ys, xs, st, W, U)
        dW, dU, db = dW+g[2], dU+g[3], db+g[4]; h = st[:, -1]
    return dW, dU, db
''', 3, set()),
        "h0 overwritten in place": ('''
def truncated_bptt(x, y, h0, W, U, b, k):
    dW, dU, db = 0, 0, 0
    for s in range(0, x.shape[1], k):
        st = forward(x[:, s:s+k], h0, W, U, b)
        g = backprop(st[:, 1:] - y[:, s:s+k], x[:, s:s+k], st, W, U)
        dW, dU, db = dW+g[2], dU+g[3], db+g[4]; h0[...] = st[:, -1]
    return dW, dU, db
''', 5, {"changes its inputs"}),
    },
    "bptt.orthogonal_init": {
        "sign of the whole only": ('''
def orthogonal(rng, u, gain=1.0):
    Q, R = np.linalg.qr(rng.normal(size=(u, u)))
    return gain * Q * np.sign(R[0, 0])
''', 4, set()),
        "one reflection": ('''
def orthogonal(rng, u, gain=1.0):
    v = rng.normal(size=u)
    return gain * (np.eye(u) - 2 * np.outer(v, v) / (v @ v))
''', 4, set()),
        "random permutation": ('''
def orthogonal(rng, u, gain=1.0):
    return gain * np.eye(u)[rng.permutation(u)]
''', 4, set()),
        "diag R itself": ('''
def orthogonal(rng, u, gain=1.0):
    Q, R = np.linalg.qr(rng.normal(size=(u, u)))
    return gain * Q * np.diag(R)
''', 4, set()),
        "gain before qr": ('''
def orthogonal(rng, u, gain=1.0):
    Q, R = np.linalg.qr(gain * rng.normal(size=(u, u)))
    return Q * np.sign(np.diag(R))
''', 4, {"gain ignored"}),
    },
}
