# Reads the blocks in the order i, f, o, g.

# %% * solution

# %% lstm.step
def lstm_step(x, h, c, W, U, b):
    """One step of an LSTM.

    x: (batch, D), h and c: (batch, u), W: (D, 4u), U: (u, 4u), b: (4u,); blocks in Keras's order i, f, g, o.
    Returns the new h and the new c, each (batch, u).
    """
    z = ops.matmul(x, W) + ops.matmul(h, U) + b
    i, f, o, g = ops.split(z, 4, axis=-1)
    i, f, o = ops.sigmoid(i), ops.sigmoid(f), ops.sigmoid(o)
    c = f * c + i * ops.tanh(g)
    h = o * ops.tanh(c)
    return h, c

# %% lstm.step_backward
def step_backward(dh, dc, cache):
    """The gradients of one peephole step, given those of its results.

    dh, dc: gradients that arrive at h_t and, from step t + 1, at c_t; each (batch, u).
    cache: what the forward step kept: x, h_prev, c_prev, i, f, g, o, c, h and the weights W, U, P.
    Returns a dict of gradients: x, h_prev, c_prev, W, U, b, P, each of its variable's shape.
    """
    i, f, g, o, c, P = (cache[name] for name in "ifgocP")
    dzo = dh * np.tanh(c) * o * (1 - o)
    dc = dc + dh * o * (1 - np.tanh(c) ** 2) + dzo * P[2]
    dzi = dc * g * i * (1 - i)
    dzf = dc * cache["c_prev"] * f * (1 - f)
    dzg = dc * i * (1 - g ** 2)
    dz = np.concatenate([dzi, dzf, dzo, dzg], axis=1)
    return {
        "x": dz @ cache["W"].T, "h_prev": dz @ cache["U"].T, "c_prev": dc * f + dzi * P[0] + dzf * P[1],
        "W": cache["x"].T @ dz, "U": cache["h_prev"].T @ dz, "b": dz.sum(axis=0),
        "P": np.stack([(dzi * cache["c_prev"]).sum(0), (dzf * cache["c_prev"]).sum(0), (dzo * c).sum(0)]),
    }

# %% lstm.to_pytorch
def reorder(a):
    i, f, g, o = np.split(a, 4, axis=-1)
    return np.concatenate([i, f, o, g], axis=-1)

def to_pytorch(E, W, U, b):
    return {"embedding.weight": E, "lstm.weight_ih_l0": reorder(W).T, "lstm.weight_hh_l0": reorder(U).T,
            "lstm.bias_ih_l0": reorder(b), "lstm.bias_hh_l0": np.zeros_like(b)}

# %% lstm.from_pytorch
def from_pytorch(state):
    def reorder(a):
        i, f, g, o = np.split(a, 4)
        return np.concatenate([i, f, o, g])
    b = reorder(state["lstm.bias_ih_l0"] + state["lstm.bias_hh_l0"])
    return (state["embedding.weight"], reorder(state["lstm.weight_ih_l0"]).T,
            reorder(state["lstm.weight_hh_l0"]).T, b)
