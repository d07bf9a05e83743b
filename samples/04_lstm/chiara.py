# Everything right, in her own style: x and h joined, W and U joined.

# %% lstm.step
def lstm_step(x, h, c, W, U, b):
    z = ops.concatenate([x, h], axis=-1) @ ops.concatenate([W, U], axis=0) + b
    i, f, g, o = ops.split(z, 4, axis=1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c), c

# %% lstm.gates
def lstm_gates(x, h, c, W, U, b):
    B, T, _ = x.shape
    u = h.shape[1]
    out = {k: np.zeros((B, T, u)) for k in ["i", "f", "g", "o", "c", "h"]}
    for t in range(T):
        z = (x[:, t, :] @ W + h @ U + b).reshape(B, 4, u)
        i, f, o = 1 / (1 + np.exp(-z[:, [0, 1, 3]].transpose(1, 0, 2)))
        g = np.tanh(z[:, 2])
        c = f * c + i * g
        h = o * np.tanh(c)
        for k, v in dict(i=i, f=f, g=g, o=o, c=c, h=h).items():
            out[k][:, t] = v
    return out

# %% lstm.constant_error
def constant_error(f):
    later = np.concatenate([f[:, 1:], np.ones_like(f[:, :1])], axis=1)
    return np.cumprod(later[:, ::-1], axis=1)[:, ::-1]

# %% lstm.forget_bias
def forget_bias(units, half_life=None):
    nothing = ops.zeros((units,))
    if half_life:
        f = ops.exp(ops.log(0.5) / half_life)
        value = ops.log(f) - ops.log(1 - f)
    else:
        value = 1.0
    return ops.concatenate([nothing, ops.full((units,), value), nothing, nothing])

# %% lstm.latch
def latch_weights():
    i, f, g, o = range(4)
    W, U, b = np.zeros((2, 4)), np.zeros((1, 4)), np.zeros(4)
    W[0, g] = 1
    W[1, i], b[i] = 16, -8
    W[1, f], b[f] = -17, 9
    b[o] = 10
    return W, U, b

# %% lstm.cell
class LSTMCell(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    @property
    def state_size(self):
        return (self.units, self.units)

    def build(self, shape):
        u = self.units
        start = lambda shape, dtype=None: ops.concatenate([ops.zeros(u), ops.ones(u), ops.zeros(2 * u)])
        self.bias = self.add_weight(shape=(4 * u,), initializer=start)
        self.recurrent = self.add_weight(shape=(u, 4 * u))
        self.kernel = self.add_weight(shape=(shape[-1], 4 * u))

    def call(self, inputs, states, training=None):
        z = ops.concatenate([inputs, states[0]], 1) @ ops.concatenate([self.kernel, self.recurrent], 0) + self.bias
        i, f, g, o = ops.split(z, 4, axis=1)
        c = ops.sigmoid(f) * states[1] + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, (h, c)

    def get_config(self):
        config = super().get_config()
        config.update(units=self.units)
        return config

# %% lstm.layer
class LSTM(keras.layers.Layer):
    def __init__(self, units, return_sequences=False, return_state=False, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.return_sequences = return_sequences
        self.return_state = return_state

    def build(self, shape):
        u = self.units
        self.W = self.add_weight(shape=(shape[-1], 4 * u))
        self.U = self.add_weight(shape=(u, 4 * u), initializer="orthogonal")
        self.b = self.add_weight(shape=(4 * u,), initializer="zeros")
        self.b.assign(forget_bias(u))

    def call(self, inputs, mask=None, initial_state=None):
        if initial_state is None:
            initial_state = [ops.zeros((inputs.shape[0], self.units)), ops.zeros((inputs.shape[0], self.units))]
        h, c = initial_state
        sequence = []
        for t, x in enumerate(ops.unstack(inputs, axis=1)):
            new_h, new_c = lstm_step(x, h, c, self.W, self.U, self.b)
            keep = 1.0 if mask is None else ops.cast(ops.expand_dims(mask[:, t], -1), "float32")
            h = keep * new_h + (1 - keep) * h
            c = keep * new_c + (1 - keep) * c
            sequence.append(h)
        result = ops.stack(sequence, axis=1) if self.return_sequences else sequence[-1]
        return [result, h, c] if self.return_state else result

    def compute_mask(self, inputs, mask=None):
        if not self.return_sequences:
            return None
        return [mask, None, None] if self.return_state else mask

    def get_config(self):
        config = super().get_config()
        for name in ("units", "return_sequences", "return_state"):
            config[name] = getattr(self, name)
        return config

# %% lstm.peephole_step
def peephole_step(x, h, c, W, U, b, P):
    def sigma(a):
        return 1 / (1 + np.exp(-a))
    u = h.shape[1]
    z = x @ W + h @ U + b
    Di, Df, Do = (np.diag(p) for p in P)
    i = sigma(z[:, :u] + c @ Di)
    f = sigma(z[:, u:2*u] + c @ Df)
    c_t = i * np.tanh(z[:, 2*u:3*u]) + f * c
    o = sigma(z[:, 3*u:] + c_t @ Do)
    return o * np.tanh(c_t), c_t

# %% lstm.step_backward
def step_backward(dh, dc, cache):
    W, U, P = cache["W"], cache["U"], cache["P"]
    B, u = dh.shape
    grads = {"x": np.zeros_like(cache["x"]), "h_prev": np.zeros((B, u)), "c_prev": np.zeros((B, u)),
             "W": np.zeros_like(W), "U": np.zeros_like(U), "b": np.zeros(4 * u), "P": np.zeros_like(P)}
    for n in range(B):
        i, f, g, o, c, c_prev = (cache[k][n] for k in ("i", "f", "g", "o", "c", "c_prev"))
        zo = dh[n] * np.tanh(c) * o * (1 - o)
        s = dc[n] + dh[n] * o / np.cosh(c) ** 2 + P[2] * zo
        zi, zf, zg = s * g * i * (1 - i), s * c_prev * f * (1 - f), s * i * (1 - g) * (1 + g)
        z = np.concatenate([zi, zf, zg, zo])
        grads["x"][n], grads["h_prev"][n] = W @ z, U @ z
        grads["c_prev"][n] = f * s + P[0] * zi + P[1] * zf
        grads["W"] += np.outer(cache["x"][n], z)
        grads["U"] += np.outer(cache["h_prev"][n], z)
        grads["b"] += z
        grads["P"] += np.stack([zi * c_prev, zf * c_prev, zo * c])
    return grads

# %% lstm.to_pytorch
def to_pytorch(E, W, U, b):
    names = ["embedding.weight"] + [f"lstm.{n}_l0" for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    return dict(zip(names, [E, ops.transpose(W), ops.transpose(U), ops.zeros_like(b), b]))

# %% lstm.from_pytorch
def from_pytorch(state):
    E, w_ih, w_hh, b_ih, b_hh = state.values()
    return E, np.transpose(w_ih), np.transpose(w_hh), np.add(b_ih, b_hh)
