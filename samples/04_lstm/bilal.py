# Everything right, in his own style: einsum, and all four gates on an axis of their own.

# %% lstm.step
def lstm_step(x, h, c, W, U, b):
    D, u = x.shape[1], h.shape[1]
    z = (ops.einsum("bd,dgu->gbu", x, ops.reshape(W, (D, 4, u)))
         + ops.einsum("bv,vgu->gbu", h, ops.reshape(U, (u, 4, u))) + ops.reshape(b, (4, 1, u)))
    c = ops.sigmoid(z[1]) * c + ops.sigmoid(z[0]) * ops.tanh(z[2])
    return ops.sigmoid(z[3]) * ops.tanh(c), c

# %% lstm.gates
def lstm_gates(x, h, c, W, U, b):
    xs = ops.einsum("btd,dk->tbk", x, W) + b
    rows = []
    for z in xs:
        zi, zf, zg, zo = ops.split(z + h @ U, 4, axis=-1)
        i, f, g, o = ops.sigmoid(zi), ops.sigmoid(zf), ops.tanh(zg), ops.sigmoid(zo)
        c = c * f + g * i
        h = ops.tanh(c) * o
        rows.append(ops.stack([i, f, g, o, c, h]))
    everything = ops.stack(rows, axis=2)
    return dict(zip("ifgoch", everything))

# %% lstm.constant_error
def constant_error(f):
    total = ops.flip(ops.cumsum(ops.flip(ops.log(f), 1), 1), 1) - ops.log(f)
    return ops.exp(total)

# %% lstm.forget_bias
def forget_bias(units, half_life=None):
    beta = 1.0 if half_life is None else -np.log(2 ** (1 / half_life) - 1)
    return np.repeat([0, beta, 0, 0], units)

# %% lstm.latch
def latch_weights():
    W = [[0, 0, 1, 0], [60, -60, 0, 0]]
    U = [[0, 0, 0, 0]]
    b = [-30, 30, 0, 30]
    return np.array(W), np.array(U), np.array(b)

# %% lstm.cell
class LSTMCell(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.state_size = [units, units]

    def build(self, input_shape):
        u = self.state_size[0]
        self.W = self.add_weight(shape=(input_shape[1], 4 * u), initializer="glorot_normal")
        self.U = self.add_weight(shape=(u, 4 * u), initializer="orthogonal")
        bias = np.zeros(4 * u)
        bias[u:2 * u] = 1
        self.b = self.add_weight(shape=bias.shape, initializer="zeros")
        self.b.assign(bias)

    def call(self, x, states):
        h, c = states
        h, c = lstm_step(x, h, c, self.W, self.U, self.b)
        return h, [h, c]

# %% lstm.layer
class LSTM(keras.layers.Layer):
    def __init__(self, units, return_sequences=False, return_state=False, **kwargs):
        super().__init__(**kwargs)
        self.units, self.return_sequences, self.return_state = units, return_sequences, return_state
        self.cell = keras.layers.LSTMCell(units)

    def build(self, input_shape):
        self.cell.build((None, input_shape[-1]))
        self.built = True

    def call(self, x, mask=None, initial_state=None):
        if initial_state is None:
            zero = ops.zeros((ops.shape(x)[0], self.units), dtype=x.dtype)
            initial_state = (zero, zero)
        if mask is None:
            mask = ops.ones(ops.shape(x)[:2], dtype="bool")

        def one(state, now):
            x_t, m = now
            _, new = self.cell(x_t, list(state))
            state = tuple(ops.where(m[:, None], n, s) for n, s in zip(new, state))
            return state, state

        last, (hs, _) = ops.scan(one, tuple(ops.convert_to_tensor(s) for s in initial_state),
                            (ops.transpose(x, (1, 0, 2)), ops.transpose(mask)))
        out = ops.transpose(hs, (1, 0, 2)) if self.return_sequences else last[0]
        return (out, *last) if self.return_state else out

    def compute_mask(self, x, mask=None):
        return mask if self.return_sequences else None

# %% lstm.peephole_step
def peephole_step(x, h, c, W, U, b, P):
    u = h.shape[-1]
    z = ops.matmul(ops.concatenate([x, h], -1), ops.concatenate([W, U], 0)) + b
    early = ops.sigmoid(z[:, :2 * u] + ops.concatenate([P[0] * c, P[1] * c], axis=-1))
    c = early[:, u:] * c + early[:, :u] * ops.tanh(z[:, 2 * u:3 * u])
    return ops.sigmoid(z[:, 3 * u:] + c * P[2]) * ops.tanh(c), c

# %% lstm.step_backward
def step_backward(dh, dc, cache):
    x, h0, c0 = cache["x"], cache["h_prev"], cache["c_prev"]
    i, f, g, o, c = (cache[k] for k in ["i", "f", "g", "o", "c"])
    pi, pf, po = cache["P"]
    slope = {"i": i - i * i, "f": f - f * f, "g": 1 - g * g, "o": o - o * o}
    th = np.tanh(c)
    d_o = dh * th * slope["o"]
    total = dc + dh * o * (1 - th * th) + d_o * po
    d_i, d_f, d_g = total * g * slope["i"], total * c0 * slope["f"], total * i * slope["g"]
    d = np.hstack([d_i, d_f, d_g, d_o])
    return dict(x=np.einsum("bk,dk->bd", d, cache["W"]), h_prev=np.einsum("bk,uk->bu", d, cache["U"]),
                c_prev=total * f + d_i * pi + d_f * pf,
                W=np.einsum("bd,bk->dk", x, d), U=np.einsum("bu,bk->uk", h0, d), b=np.sum(d, 0),
                P=np.einsum("kbu,kbu->ku", np.stack([d_i, d_f, d_o]), np.stack([c0, c0, c])))

# %% lstm.to_pytorch
def to_pytorch(E, W, U, b):
    state = {"embedding.weight": np.array(E)}
    state["lstm.weight_ih_l0"] = np.concatenate([block.T for block in np.split(W, 4, axis=1)], axis=0)
    state["lstm.weight_hh_l0"] = np.concatenate([block.T for block in np.split(U, 4, axis=1)], axis=0)
    state["lstm.bias_ih_l0"] = state["lstm.bias_hh_l0"] = b / 2
    return state

# %% lstm.from_pytorch
def from_pytorch(state):
    part = lambda name: ops.convert_to_tensor(state[f"lstm.{name}_l0"])
    W = ops.stack([row for row in part("weight_ih")], axis=1)
    U = ops.einsum("ku->uk", part("weight_hh"))
    return [state["embedding.weight"], W, U, ops.sum(ops.stack([part("bias_ih"), part("bias_hh")]), axis=0)]
