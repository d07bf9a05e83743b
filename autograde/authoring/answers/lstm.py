"""Answers to lesson 04 as students write them: right ones in other styles, and one for each misconception.

Long because it holds texts, one after the other, and next to no code.
"""

from autograde.authoring.answers import edit

RIGHT = {
    "lstm.step": {
        "numpy, gates sliced by hand": '''
def lstm_step(x, h, c, W, U, b):
    u = h.shape[-1]
    z = x @ W + h @ U + b
    sig = lambda a: 1 / (1 + np.exp(-a))
    i, f, g, o = z[:, :u], z[:, u:2*u], z[:, 2*u:3*u], z[:, 3*u:]
    c_new = sig(f) * c + sig(i) * np.tanh(g)
    return sig(o) * np.tanh(c_new), c_new
''',
        "concatenated weights": '''
def lstm_step(x, h, c, W, U, b):
    z = ops.concatenate([x, h], axis=-1) @ ops.concatenate([W, U], axis=0) + b
    i, f, g, o = ops.split(z, 4, axis=1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c), c
''',
        "einsum, four gates on an axis of their own": '''
def lstm_step(x, h, c, W, U, b):
    D, u = x.shape[1], h.shape[1]
    z = (ops.einsum("bd,dgu->gbu", x, ops.reshape(W, (D, 4, u)))
         + ops.einsum("bv,vgu->gbu", h, ops.reshape(U, (u, 4, u))) + ops.reshape(b, (4, 1, u)))
    c = ops.sigmoid(z[1]) * c + ops.sigmoid(z[0]) * ops.tanh(z[2])
    return ops.sigmoid(z[3]) * ops.tanh(c), c
''',
        "a loop over every number": '''
import math

def lstm_step(x, h, c, W, U, b):
    B, u = h.shape
    new_h, new_c = np.zeros((B, u)), np.zeros((B, u))
    for n in range(B):
        for j in range(u):
            z = []
            for gate in range(4):
                k = gate * u + j
                total = b[k]
                for d in range(x.shape[1]):
                    total += x[n, d] * W[d, k]
                for v in range(u):
                    total += h[n, v] * U[v, k]
                z.append(total)
            i, f, o = (1 / (1 + math.exp(-z[k])) for k in (0, 1, 3))
            new_c[n, j] = f * c[n, j] + i * math.tanh(z[2])
            new_h[n, j] = o * math.tanh(new_c[n, j])
    return new_h, new_c
''',
    },
    "lstm.gates": {
        "numpy, arrays filled in place": '''
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
''',
        "inputs multiplied for all steps at once": '''
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
''',
        "loops over examples, steps and units": '''
def lstm_gates(x, h, c, W, U, b):
    # one example, one step and one unit at a time; slow, but I can follow it
    B, T, D = x.shape
    u = h.shape[1]
    res = {}
    for k in "ifgoch":
        res[k] = np.zeros((B, T, u))
    for n in range(B):
        hn, cn = np.array(h[n]), np.array(c[n])
        for t in range(T):
            z = np.array(b, dtype=float)
            for d in range(D):
                z = z + x[n, t, d] * W[d]
            for v in range(u):
                z = z + hn[v] * U[v]
            for j in range(u):
                i = 1 / (1 + np.exp(-z[j]))
                f = 1 / (1 + np.exp(-z[u + j]))
                g = np.tanh(z[2 * u + j])
                o = 1 / (1 + np.exp(-z[3 * u + j]))
                cn[j] = f * cn[j] + i * g
                hn[j] = o * np.tanh(cn[j])
                for k, value in zip("ifgoch", [i, f, g, o, cn[j], hn[j]]):
                    res[k][n, t, j] = value
    return res
''',
    },
    "lstm.constant_error": {
        "cumulative product from the end": '''
def constant_error(f):
    later = np.concatenate([f[:, 1:], np.ones_like(f[:, :1])], axis=1)
    return np.cumprod(later[:, ::-1], axis=1)[:, ::-1]
''',
        "sum of logarithms": '''
def constant_error(f):
    later = ops.concatenate([f[:, 1:], ops.ones_like(f[:, :1])], axis=1)
    return ops.exp(ops.flip(ops.cumsum(ops.flip(ops.log(later), 1), 1), 1))
''',
        "a product for every step": '''
def constant_error(f):
    return np.stack([np.prod(f[:, t + 1:], axis=1) for t in range(f.shape[1])], axis=1)
''',
    },
    "lstm.forget_bias": {
        "logit written the other way": '''
def forget_bias(units, half_life=None):
    beta = 1.0 if half_life is None else -np.log(2 ** (1 / half_life) - 1)
    return np.repeat([0, beta, 0, 0], units)
''',
        "keras ops, blocks concatenated": '''
def forget_bias(units, half_life=None):
    nothing = ops.zeros((units,))
    if half_life:
        f = ops.exp(ops.log(0.5) / half_life)
        value = ops.log(f) - ops.log(1 - f)
    else:
        value = 1.0
    return ops.concatenate([nothing, ops.full((units,), value), nothing, nothing])
''',
    },
    "lstm.latch": {
        "even larger weights, nested lists": '''
def latch_weights():
    W = [[0, 0, 1, 0], [60, -60, 0, 0]]
    U = [[0, 0, 0, 0]]
    b = [-30, 30, 0, 30]
    return np.array(W), np.array(U), np.array(b)
''',
        "filled in gate by gate": '''
def latch_weights():
    i, f, g, o = range(4)
    W, U, b = np.zeros((2, 4)), np.zeros((1, 4)), np.zeros(4)
    W[0, g] = 1
    W[1, i], b[i] = 16, -8
    W[1, f], b[f] = -17, 9
    b[o] = 10
    return W, U, b
''',
    },
    "lstm.cell": {
        "concatenated kernel calls, tuple states, an initializer for the bias": '''
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
''',
        "get_config left to Keras, step function reused": '''
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
''',
    },
    "lstm.layer": {
        "own weights, arithmetic mask, unstacked time": '''
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
''',
        "ops.scan, one way for mask and no mask": '''
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
''',
    },
    "lstm.peephole_step": {
        "numpy, peepholes as diagonal matrices": '''
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
''',
        "both early gates in one go": '''
def peephole_step(x, h, c, W, U, b, P):
    u = h.shape[-1]
    z = ops.matmul(ops.concatenate([x, h], -1), ops.concatenate([W, U], 0)) + b
    early = ops.sigmoid(z[:, :2 * u] + ops.concatenate([P[0] * c, P[1] * c], axis=-1))
    c = early[:, u:] * c + early[:, :u] * ops.tanh(z[:, 2 * u:3 * u])
    return ops.sigmoid(z[:, 3 * u:] + c * P[2]) * ops.tanh(c), c
''',
    },
    "lstm.step_backward": {
        "slopes first, one row a gate": '''
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
''',
        "one example after another": '''
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
''',
    },
    "lstm.to_pytorch": {
        "bias halved, blocks named": '''
def to_pytorch(E, W, U, b):
    state = {"embedding.weight": np.array(E)}
    state["lstm.weight_ih_l0"] = np.concatenate([block.T for block in np.split(W, 4, axis=1)], axis=0)
    state["lstm.weight_hh_l0"] = np.concatenate([block.T for block in np.split(U, 4, axis=1)], axis=0)
    state["lstm.bias_ih_l0"] = state["lstm.bias_hh_l0"] = b / 2
    return state
''',
        "keras ops, bias in the second": '''
def to_pytorch(E, W, U, b):
    names = ["embedding.weight"] + [f"lstm.{n}_l0" for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    return dict(zip(names, [E, ops.transpose(W), ops.transpose(U), ops.zeros_like(b), b]))
''',
    },
    "lstm.from_pytorch": {
        "values in their order": '''
def from_pytorch(state):
    E, w_ih, w_hh, b_ih, b_hh = state.values()
    return E, np.transpose(w_ih), np.transpose(w_hh), np.add(b_ih, b_hh)
''',
        "keras ops, one row after another": '''
def from_pytorch(state):
    part = lambda name: ops.convert_to_tensor(state[f"lstm.{name}_l0"])
    W = ops.stack([row for row in part("weight_ih")], axis=1)
    U = ops.einsum("ku->uk", part("weight_hh"))
    return [state["embedding.weight"], W, U, ops.sum(ops.stack([part("bias_ih"), part("bias_hh")]), axis=0)]
''',
    },
}

WRONG = {
    "lstm.step": {
        "no forget gate": edit("f * c +", "c +"),
        "no input gate": edit("i * ops.tanh(g)", "ops.tanh(g)"),
        "input and forget gate swapped": edit("i, f, g, o = ops.split", "f, i, g, o = ops.split"),
        "order i, f, o, g": edit("i, f, g, o = ops.split", "i, f, o, g = ops.split"),
        "no tanh of the cell state": edit("o * ops.tanh(c)", "o * c"),
        "output from the old cell": edit(
            "    c = f * c + i * ops.tanh(g)\n    h = o * ops.tanh(c)",
            "    h = o * ops.tanh(c)\n    c = f * c + i * ops.tanh(g)"),
        "coupled gates": edit("f * c +", "(1 - i) * c +"),
        "candidate through a sigmoid": edit("i * ops.tanh(g)", "i * ops.sigmoid(g)"),
        "tanh on the gates": edit("ops.sigmoid(i), ops.sigmoid(f), ops.sigmoid(o)",
                                  "ops.tanh(i), ops.tanh(f), ops.tanh(o)"),
        "bias left out": edit(" + b\n", "\n"),
        "bias added twice": edit("ops.matmul(x, W)", "ops.matmul(x, W) + b"),
        "blocks interleaved": '''
def lstm_step(x, h, c, W, U, b):
    z = np.reshape(x @ W + h @ U + b, (len(x), h.shape[1], 4))
    i, f, g, o = (z[:, :, k] for k in range(4))
    sig = lambda a: 1 / (1 + np.exp(-a))
    c = sig(f) * c + sig(i) * np.tanh(g)
    return sig(o) * np.tanh(c), c
''',
        "1 added to the forget gate": edit("ops.sigmoid(f)", "ops.sigmoid(f + 1.0)"),
        "no output gate": edit("h = o * ops.tanh(c)", "h = ops.tanh(c)"),
        "hard sigmoid": edit("ops.sigmoid(", "ops.hard_sigmoid("),
        "recurrent part left out": edit(" + ops.matmul(h, U)", ""),
        "h and c returned in the wrong order": edit("return h, c", "return c, h"),
    },
    "lstm.gates": {
        "no state carried": edit("        c = f * c + i * g\n        h = o * ops.tanh(c)",
                                 "        c_new = f * c + i * g\n        h_new = o * ops.tanh(c_new)",
                                 "(i, f, g, o, c, h)", "(i, f, g, o, c_new, h_new)"),
        "hidden state not carried": edit("        h = o * ops.tanh(c)", "        out = o * ops.tanh(c)",
                                         "(i, f, g, o, c, h)", "(i, f, g, o, c, out)"),
        "cell state not carried": edit("        c = f * c + i * g\n        h = o * ops.tanh(c)",
                                       "        new = f * c + i * g\n        h = o * ops.tanh(new)",
                                       "(i, f, g, o, c, h)", "(i, f, g, o, new, h)"),
        "before the squashing": '''
def lstm_gates(x, h, c, W, U, b):
    record = {name: [] for name in "ifgoch"}
    for t in range(x.shape[1]):
        i, f, g, o = ops.split(x[:, t] @ W + h @ U + b, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        for name, value in zip("ifgoch", (i, f, g, o, c, h)):
            record[name].append(value)
    return {name: ops.stack(values, axis=1) for name, values in record.items()}
''',
        "states from before the update": edit(
            "        c = f * c + i * g\n        h = o * ops.tanh(c)\n", "",
            "append(value)\n", "append(value)\n        c = f * c + i * g\n        h = o * ops.tanh(c)\n"),
        "time first": edit("ops.stack(values, axis=1)", "ops.stack(values)"),
        "read backwards": edit("range(x.shape[1])", "range(x.shape[1] - 1, -1, -1)"),
        "gates look at the cell state": edit("ops.matmul(h, U)", "ops.matmul(c, U)"),
        "input and forget gate swapped": edit("i, f, g, o = ops.split", "f, i, g, o = ops.split"),
        "blocks interleaved": '''
def lstm_gates(x, h, c, W, U, b):
    B, T, _ = x.shape
    record = {name: [] for name in "ifgoch"}
    for t in range(T):
        z = ops.reshape(ops.matmul(x[:, t], W) + ops.matmul(h, U) + b, (B, -1, 4))
        i, f, o = (ops.sigmoid(z[..., k]) for k in (0, 1, 3))
        g = ops.tanh(z[..., 2])
        c = f * c + i * g
        h = o * ops.tanh(c)
        for name, value in zip("ifgoch", (i, f, g, o, c, h)):
            record[name].append(value)
    return {name: ops.stack(values, axis=1) for name, values in record.items()}
''',
        "hard sigmoid": edit("ops.sigmoid(", "(lambda z: ops.clip(0.2 * z + 0.5, 0, 1))("),
        "one array for all steps": '''
def lstm_gates(x, h, c, W, U, b):
    h, c = h.copy(), c.copy()
    sig = lambda a: 1 / (1 + np.exp(-a))
    out = {name: [] for name in "ifgoch"}
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ W + h @ U + b, 4, axis=1)
        i, f, g, o = sig(i), sig(f), np.tanh(g), sig(o)
        c *= f
        c += i * g
        h[:] = o * np.tanh(c)
        for name, value in zip("ifgoch", [i, f, g, o, c, h]):
            out[name].append(value)
    return {name: np.stack(values, axis=1) for name, values in out.items()}
''',
    },
    "lstm.constant_error": {
        "includes its own gate": '''
def constant_error(f):
    return np.cumprod(f[:, ::-1], axis=1)[:, ::-1]
''',
        "multiplied from the start": '''
def constant_error(f):
    return np.cumprod(f, axis=1)
''',
        "from the start, shifted": '''
def constant_error(f):
    kept = np.ones_like(f)
    for t in range(1, f.shape[1]):
        kept[:, t] = kept[:, t - 1] * f[:, t - 1]
    return kept
''',
        "added up": '''
def constant_error(f):
    return np.stack([f[:, t + 1:].sum(1) if t + 1 < f.shape[1] else f[:, 0] * 0 + 1
                     for t in range(f.shape[1])], axis=1)
''',
        "next gate only": edit("kept[:, t + 1] * f[:, t + 1]", "f[:, t + 1]"),
        "one gate to a power": '''
def constant_error(f):
    T = f.shape[1]
    kept = np.ones_like(f)
    for t in range(T - 1):
        kept[:, t] = f[:, t + 1] ** (T - 1 - t)
    return kept
''',
        "sigmoid's slope": edit("* f[:, t + 1]", "* f[:, t + 1] * (1 - f[:, t + 1])"),
        "own gate divided out again": '''
def constant_error(f):
    return np.cumprod(f[:, ::-1], axis=1)[:, ::-1] / f
''',
        "log of the product": '''
def constant_error(f):
    total = np.zeros_like(f)
    for t in range(f.shape[1] - 2, -1, -1):
        total[:, t] = total[:, t + 1] + np.log(f[:, t + 1])
    return total
''',
    },
    "lstm.forget_bias": {
        "forget bias 0": '''
def forget_bias(units, half_life=None):
    return np.zeros(4 * units)
''',
        "input gate's block": edit("units:2 * units", ":units"),
        "candidate's block": edit("units:2 * units", "2 * units:3 * units"),
        "every block": edit("units:2 * units", ":"),
        "gate value as bias": edit("np.log(f / (1 - f))", "f"),
        "1/e instead of one half": edit("0.5 ** (1 / half_life)", "np.exp(-1 / half_life)"),
        "linear loss": edit("0.5 ** (1 / half_life)", "1 - 0.5 / half_life"),
        "half at every step": edit("0.5 ** (1 / half_life)", "0.5"),
        "half-life ignored": '''
def forget_bias(units, half_life=None):
    b = np.zeros(4 * units)
    b[units:2 * units] = 1
    return b
''',
    },
    "lstm.latch": {
        "adds instead of overwriting": edit("[k, -k, 0.0, 0.0]", "[k, 0.0, 0.0, 0.0]",
                                           "[-k / 2, k / 2,", "[-k / 2, k,"),
        "input gate always open": edit("[k, -k, 0.0, 0.0]", "[0.0, -k, 0.0, 0.0]", "[-k / 2, k / 2,", "[k, k / 2,"),
        "marker the wrong way round": edit("[k, -k,", "[-k, k,", "[-k / 2, k / 2,", "[k / 2, -k / 2,"),
        "gates half open": edit("k = 20.0", "k = 3.0", "0.0, k])", "0.0, 20.0])"),
        "all gates half open": edit("k = 20.0", "k = 2.5"),
        "output gate at one half": edit("0.0, k])", "0.0, 0.0])"),
        "value saturates": edit("[[0.0, 0.0, 1.0, 0.0]", "[[0.0, 0.0, k, 0.0]"),
    },
    "lstm.cell": {
        "forget bias 0": edit("        self.b.assign(np.repeat([0.0, 1.0, 0.0, 0.0], u))\n", ""),
        "states returned as c, h": edit("return h, [h, c]", "return h, [c, h]"),
        "states unpacked as c, h": edit("h, c = states", "c, h = states"),
        "output is the cell state": edit("return h, [h, c]", "return c, [h, c]"),
        "get_config without units": edit('{**super().get_config(), "units": self.units}', "super().get_config()"),
        "no keyword arguments": edit("units, **kwargs):", "units):", "__init__(**kwargs)", "__init__()"),
        "get_config without the base's": edit('{**super().get_config(), "units": self.units}',
                                              '{"units": self.units}'),
        "weights start at zero": edit('"glorot_uniform"', '"zeros"', '"orthogonal"', '"zeros"'),
        "bias added twice": edit("ops.matmul(x, self.W)", "ops.matmul(x, self.W) + self.b"),
        "blocks interleaved": edit("        i, f, g, o = ops.split(z, 4, axis=-1)\n",
                                   "        z = ops.reshape(z, (-1, self.units, 4))\n"
                                   "        i, f, g, o = (z[..., k] for k in range(4))\n"),
        "1 added to the forget gate": edit("        self.b.assign(np.repeat([0.0, 1.0, 0.0, 0.0], u))\n", "",
                                           "ops.sigmoid(f)", "ops.sigmoid(f + 1)"),
        "bias not trainable": edit('initializer="zeros", name="b"', 'initializer="zeros", trainable=False, name="b"'),
        "weights made in call": edit(
            "    def build(self, input_shape):\n        D, u = input_shape[-1], self.units\n",
            "    def make(self, D, u):\n",
            "        h, c = states\n",
            "        h, c = states\n        if not self.weights:\n            self.make(x.shape[-1], self.units)\n"),
    },
    "lstm.layer": {
        "mask ignored": edit("if mask is None:", "if True:"),
        "mask the wrong way round": edit("m = mask[:, t, None]", "m = ops.logical_not(mask[:, t, None])"),
        "states zeroed at padding": edit("h, c = ops.where(m, new_h, h), ops.where(m, new_c, c)",
                                         "h, c = ops.where(m, new_h, 0.0), ops.where(m, new_c, 0.0)"),
        "mask on h only": edit("ops.where(m, new_c, c)", "new_c"),
        "outputs zeroed at padding": edit("            outputs.append(h)",
                                          "            outputs.append(h if mask is None else ops.where(m, h, 0.0))"),
        "initial state ignored": edit("initial_state or ", ""),
        "initial state read as c, h": edit("        h, c = initial_state", "        c, h = initial_state"),
        "states returned as c, h": edit("(output, h, c)", "(output, c, h)"),
        "time first": edit("ops.stack(outputs, axis=1)", "ops.stack(outputs)"),
        "first step returned": edit("if self.return_sequences else h\n", "if self.return_sequences else outputs[0]\n"),
        "output is the cell state": edit("outputs.append(h)", "outputs.append(c)", "self.return_sequences else h",
                                         "self.return_sequences else c"),
        "get_config without return_sequences": edit(' "return_sequences": self.return_sequences,', ""),
        "mask passed on after the last step": edit("passed = mask if self.return_sequences else None", "passed = mask"),
        "states kept between calls": edit(
            "self.supports_masking = True\n", "self.supports_masking = True\n        self.states = None\n",
            "        h, c = initial_state or ", "        h, c = initial_state or self.states or ",
            "        output = ops.stack", "        self.states = [h, c]\n        output = ops.stack"),
        "get_config without the base's": edit('{**super().get_config(), "units"', '{"units"'),
        "cell not built": edit("self.cell.build((input_shape[0], input_shape[2]))", "pass"),
    },
    "lstm.peephole_step": {
        "output gate sees the old cell": edit("    c = f * c + i * ops.tanh(zg)\n    o = ops.sigmoid(zo + P[2] * c)",
                                              "    o = ops.sigmoid(zo + P[2] * c)\n    c = f * c + i * ops.tanh(zg)"),
        "input and forget gate see the new cell": edit(
            "    i = ops.sigmoid(zi + P[0] * c)\n    f = ops.sigmoid(zf + P[1] * c)",
            "    new = ops.sigmoid(zf) * c + ops.sigmoid(zi) * ops.tanh(zg)\n"
            "    i = ops.sigmoid(zi + P[0] * new)\n    f = ops.sigmoid(zf + P[1] * new)"),
        "full instead of diagonal": edit(
            "P[0] * c", "ops.matmul(c, P[0][:, None])", "P[1] * c", "ops.matmul(c, P[1][:, None])",
            "P[2] * c", "ops.matmul(c, P[2][:, None])"),
        "rows in the order f, i, o": edit("zi + P[0]", "zi + P[1]", "zf + P[1]", "zf + P[0]"),
        "looks at h": edit("P[0] * c", "P[0] * h", "P[1] * c", "P[1] * h", "P[2] * c", "P[2] * h"),
        "looks at tanh(c)": edit("P[0] * c", "P[0] * ops.tanh(c)", "P[1] * c", "P[1] * ops.tanh(c)",
                                 "P[2] * c", "P[2] * ops.tanh(c)"),
        "added after the sigmoid": edit("(zi + P[0] * c)", "(zi) + P[0] * c", "(zf + P[1] * c)", "(zf) + P[1] * c",
                                        "(zo + P[2] * c)", "(zo) + P[2] * c"),
        "peephole on the candidate": edit("ops.tanh(zg)", "ops.tanh(zg + P[0] * c)"),
        "output gate without peephole": edit("zo + P[2] * c", "zo"),
        "input and forget gate without peephole": edit("zi + P[0] * c", "zi", "zf + P[1] * c", "zf"),
    },
    "lstm.step_backward": {
        "peephole paths left out": edit(" + dzo * P[2]", "", " + dzi * P[0] + dzf * P[1]", ""),
        "output gate's peephole path left out": edit(" + dzo * P[2]", ""),
        "input and forget peephole paths left out": edit(" + dzi * P[0] + dzf * P[1]", ""),
        "cell path not carried": edit("dc = dc + dh * o", "dc = dh * o"),
        "no forget gate on the way back": edit('"c_prev": dc * f', '"c_prev": dc'),
        "slope of tanh(c) missing": edit("dh * o * (1 - np.tanh(c) ** 2)", "dh * o"),
        "slope of the sigmoid missing": edit(" * i * (1 - i)", "", " * f * (1 - f)", "", " * o * (1 - o)", ""),
        "slope of the candidate missing": edit(" * (1 - g ** 2)", ""),
        "sigmoid's slope for the candidate": edit("(1 - g ** 2)", "g * (1 - g)"),
        "dU from the new hidden state": edit('cache["h_prev"].T @ dz', 'cache["h"].T @ dz'),
        "output peephole from the old cell": edit("(dzo * c).sum", '(dzo * cache["c_prev"]).sum'),
        "averaged over the batch": edit("    return {", '    n = len(dh)\n    grads = {',
                                        "(dzo * c).sum(0)]),\n    }",
                                        '(dzo * c).sum(0)]),\n    }\n'
                                        '    return {k: v / n if k in "WUbP" else v for k, v in grads.items()}'),
        "order i, f, o, g": edit("[dzi, dzf, dzg, dzo]", "[dzi, dzf, dzo, dzg]"),
    },
    "lstm.to_pytorch": {
        "not transposed": edit("W.T", "W", "U.T", "U"),
        "reshaped instead of transposed": edit("W.T", "W.reshape(-1, W.shape[0])", "U.T", "U.reshape(-1, U.shape[0])"),
        "reordered to i, f, o, g": '''
def reorder(a):
    i, f, g, o = np.split(a, 4, axis=-1)
    return np.concatenate([i, f, o, g], axis=-1)

def to_pytorch(E, W, U, b):
    return {"embedding.weight": E, "lstm.weight_ih_l0": reorder(W).T, "lstm.weight_hh_l0": reorder(U).T,
            "lstm.bias_ih_l0": reorder(b), "lstm.bias_hh_l0": np.zeros_like(b)}
''',
        "bias counted twice": edit("np.zeros_like(b)", "b"),
        "embedding transposed": edit('"embedding.weight": E', '"embedding.weight": E.T'),
    },
    "lstm.from_pytorch": {
        "not transposed": edit('_ih_l0"].T', '_ih_l0"]', '_hh_l0"].T', '_hh_l0"]'),
        "reshaped instead of transposed": '''
def from_pytorch(state):
    W = state["lstm.weight_ih_l0"]
    U = state["lstm.weight_hh_l0"]
    W, U = W.reshape(W.shape[1], -1), U.reshape(U.shape[1], -1)
    return state["embedding.weight"], W, U, state["lstm.bias_ih_l0"] + state["lstm.bias_hh_l0"]
''',
        "reordered to i, f, o, g": '''
def from_pytorch(state):
    def reorder(a):
        i, f, g, o = np.split(a, 4)
        return np.concatenate([i, f, o, g])
    b = reorder(state["lstm.bias_ih_l0"] + state["lstm.bias_hh_l0"])
    return (state["embedding.weight"], reorder(state["lstm.weight_ih_l0"]).T,
            reorder(state["lstm.weight_hh_l0"]).T, b)
''',
        "second bias dropped": edit(' + state["lstm.bias_hh_l0"]', ""),
        "biases averaged": edit('state["lstm.bias_ih_l0"] + state["lstm.bias_hh_l0"]',
                                '(state["lstm.bias_ih_l0"] + state["lstm.bias_hh_l0"]) / 2'),
        "embedding transposed": edit('state["embedding.weight"],', 'state["embedding.weight"].T,'),
    },
}
