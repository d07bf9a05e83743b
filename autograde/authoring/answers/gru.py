"""Answers to lesson 05 as students write them: right ones in other styles, and one for each misconception.

Long because it holds texts, one after the other, and next to no code.
"""

from autograde.authoring.answers import edit

RIGHT = {
    "gru.step": {
        "numpy, blocks sliced by hand": '''
def gru_step(x, h, W, U, b):
    u = h.shape[1]
    sig = lambda a: 1 / (1 + np.exp(-a))
    z = sig(x @ W[:, :u] + h @ U[:, :u] + b[:u])
    r = sig(x @ W[:, u:2*u] + h @ U[:, u:2*u] + b[u:2*u])
    h_new = np.tanh(x @ W[:, 2*u:] + np.dot(h * r, U[:, 2*u:]) + b[2*u:])
    return h_new + z * (h - h_new)
''',
        "gates from concatenated inputs": '''
def gru_step(x, h, W, U, b):
    u = ops.shape(h)[-1]
    WU = ops.concatenate([W, U], axis=0)
    gates = keras.activations.sigmoid(ops.matmul(ops.concatenate([x, h], -1), WU[:, :2 * u]) + b[:2 * u])
    z, r = gates[:, :u], gates[:, u:]
    new = ops.tanh(ops.concatenate([x, r * h], -1) @ WU[:, 2 * u:] + b[2 * u:])
    return (1 - z) * new + z * h
''',
        "einsum, the weights as (D, 3, u)": '''
def gru_step(x, h, W, U, b):
    (B, D), u = x.shape, h.shape[1]
    from_x = np.einsum("bd,dku->kbu", x, W.reshape(D, 3, u)) + b.reshape(3, 1, u)
    U = U.reshape(u, 3, u)
    z, r = 0.5 + 0.5 * np.tanh(0.5 * (from_x[:2] + np.einsum("bv,vku->kbu", h, U[:, :2])))
    return np.where(z == 1, h, z * h + (1 - z) * np.tanh(from_x[2] + np.einsum("bv,vu->bu", r * h, U[:, 2])))
''',
        "TensorFlow": '''
import tensorflow as tf

def gru_step(x, h, W, U, b):
    xz, xr, xc = tf.split(tf.nn.bias_add(tf.matmul(x, W), b), 3, axis=1)
    Uz, Ur, Uc = tf.split(U, 3, axis=1)
    update = tf.nn.sigmoid(tf.add(xz, tf.matmul(h, Uz)))
    reset = tf.nn.sigmoid(tf.add(xr, tf.matmul(h, Ur)))
    candidate = tf.nn.tanh(xc + tf.matmul(tf.multiply(reset, h), Uc))
    return candidate + update * (h - candidate)
''',
    },
    "gru.convention": {
        "a copy, changed in place": '''
def other_convention(W, U, b):
    u = U.shape[0]
    W, U, b = np.copy(W), np.copy(U), np.copy(b)
    for a in (W, U, b):
        a[..., :u] = -a[..., :u]
    return W, U, b
''',
        "split and join": '''
def other_convention(W, U, b):
    def turn(a):
        z, r, c = ops.split(a, 3, axis=-1)
        return ops.concatenate([-z, r, c], axis=-1)
    return [turn(a) for a in (W, U, b)]
''',
        "blocks as an axis": '''
def other_convention(W, U, b):
    sign = np.array([-1, 1, 1])[:, None]
    return tuple((a.reshape(*a.shape[:-1], 3, -1) * sign).reshape(a.shape) for a in (W, U, b))
''',
    },
    "gru.reset_after": {
        "numpy, blocks sliced by hand": '''
def gru_step_reset_after(x, h, W, U, b):
    u = h.shape[1]
    from_x = x @ W + b[0]
    from_h = h @ U + b[1]
    gates = 1 / (1 + np.exp(-(from_x + from_h)[:, :2*u]))
    z, r = gates[:, :u], gates[:, u:]
    n = np.tanh(from_x[:, 2*u:] + r * from_h[:, 2*u:])
    return n - z * n + z * h
''',
        "reset before the product of each row": '''
def gru_step_reset_after(x, h, W, U, b):
    Wz, Wr, Wh = ops.split(W, 3, axis=1)
    Uz, Ur, Uh = ops.split(U, 3, axis=1)
    (az, ar, ah), (cz, cr, ch) = np.split(b[0], 3), np.split(b[1], 3)
    update = ops.sigmoid(ops.dot(x, Wz) + ops.dot(h, Uz) + az + cz)
    reset = ops.sigmoid(ops.dot(x, Wr) + ops.dot(h, Ur) + ar + cr)
    candidate = ops.tanh(ops.dot(x, Wh) + ah + ops.multiply(reset, ops.dot(h, Uh) + ch))
    return ops.add(update * h, (1 - update) * candidate)
''',
        "one example after the other": '''
import math

def gru_step_reset_after(x, h, W, U, b):
    sigmoid = lambda a: 1 / (1 + math.exp(-a))
    u, rows = len(U), []
    for x_i, h_i in zip(np.float64(x), np.float64(h)):
        a, s = x_i @ W + b[0], h_i @ U + b[1]
        row = []
        for k in range(u):
            z, r = sigmoid(a[k] + s[k]), sigmoid(a[u + k] + s[u + k])
            row.append(z * h_i[k] + (1 - z) * math.tanh(a[2 * u + k] + r * s[2 * u + k]))
        rows.append(row)
    return np.array(rows)
''',
    },
    "gru.cell": {
        "own arithmetic, get_config left to Keras": '''
@keras.saving.register_keras_serializable("lesson05")
class GRUCell(keras.layers.Layer):
    def __init__(self, units, reset_after=True, **kwargs):
        super().__init__(**kwargs)
        self.state_size = units
        self.after = reset_after

    def build(self, shape):
        u = self.state_size
        self.b = self.add_weight(shape=(2, 3 * u) if self.after else (3 * u,), initializer="zeros", name="bias")
        self.U = self.add_weight(shape=(u, 3 * u), name="recurrent_kernel")
        self.W = self.add_weight(shape=(shape[-1], 3 * u), name="kernel")

    def call(self, inputs, states):
        step = gru_step_reset_after if self.after else gru_step
        h = step(inputs, states[0], self.W, self.U, self.b)
        return h, [h]
''',
        "the config as a dictionary": '''
@keras.saving.register_keras_serializable("lesson05")
class GRUCell(keras.layers.Layer):
    def __init__(self, units, reset_after=True, **kwargs):
        super().__init__(**kwargs)
        self.units, self.reset_after = int(units), bool(reset_after)

    @property
    def state_size(self):
        return [self.units]

    def build(self, input_shape):
        D, u = input_shape[-1], self.units
        make = self.add_weight
        self.kernel = make(name="kernel", shape=(D, 3 * u), initializer="glorot_uniform")
        self.recurrent_kernel = make(name="recurrent_kernel", shape=(u, 3 * u), initializer="orthogonal")
        shape = (2, 3 * u) if self.reset_after else (3 * u,)
        self.bias = make(name="bias", shape=shape, initializer="zeros")
        super().build(input_shape)

    def call(self, x, states):
        [h] = states
        h = one_step(x, h, self.kernel, self.recurrent_kernel, self.bias)
        return h, (h,)

    def get_config(self):
        config = super().get_config()
        config["units"] = self.units
        config["reset_after"] = self.reset_after
        return config
''',
        "two classes in one": '''
@keras.saving.register_keras_serializable("lesson05")
class GRUCell(keras.Layer):
    def __init__(self, units, reset_after=True, name=None, dtype=None, trainable=True):
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self.units, self.reset_after, self.state_size = units, reset_after, (units,)

    def build(self, shape):
        def weight(name, rows, initializer):
            return self.add_weight(shape=rows + (3 * self.units,), initializer=initializer, name=name)
        self.w = [weight("kernel", (shape[-1],), "he_normal"), weight("recurrent_kernel", (self.units,), "he_normal"),
                  weight("bias", (2,) if self.reset_after else (), "zeros")]

    def call(self, x, states):
        h = self.after(x, states[0]) if self.reset_after else self.before(x, states[0])
        return h, [h]

    def before(self, x, h):
        W, U, b = self.w
        (xz, xr, xh), (Uz, Ur, Uh) = ops.split(x @ W + b, 3, -1), ops.split(U, 3, -1)
        z, r = ops.sigmoid(xz + h @ Uz), ops.sigmoid(xr + h @ Ur)
        return z * h + (1 - z) * ops.tanh(xh + (r * h) @ Uh)

    def after(self, x, h):
        W, U, b = self.w
        (xz, xr, xh), (hz, hr, hh) = ops.split(x @ W + b[0], 3, -1), ops.split(h @ U + b[1], 3, -1)
        z = ops.sigmoid(xz + hz)
        return z * h + (1 - z) * ops.tanh(xh + ops.sigmoid(xr + hr) * hh)

    def get_config(self):
        return dict(super().get_config(), units=self.units, reset_after=self.reset_after)
''',
    },
    "gru.layer": {
        "a cell inside": '''
@keras.saving.register_keras_serializable("lesson05")
class GRU(keras.layers.Layer):
    def __init__(self, units, reset_after=True, return_sequences=False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.units, self.reset_after, self.return_sequences = units, reset_after, return_sequences
        self.cell = GRUCell(units, reset_after=reset_after)

    def build(self, input_shape):
        self.cell.build((input_shape[0], input_shape[-1]))

    def call(self, x, mask=None, initial_state=None):
        h = ops.zeros((ops.shape(x)[0], self.units)) if initial_state is None else initial_state
        steps = []
        for t in range(x.shape[1]):
            _, [new] = self.cell(x[:, t, :], [h])
            if mask is not None:
                m = ops.cast(ops.expand_dims(mask[:, t], -1), new.dtype)
                new = m * new + (1 - m) * h
            h = new
            steps.append(ops.expand_dims(h, 1))
        return ops.concatenate(steps, axis=1) if self.return_sequences else h

    def compute_mask(self, inputs, mask=None):
        if self.return_sequences:
            return mask

    def get_config(self):
        config = super().get_config()
        config.update(units=self.units, reset_after=self.reset_after, return_sequences=self.return_sequences)
        return config
''',
        "a scan over time": '''
class GRU(keras.layers.Layer):
    def __init__(self, units, reset_after=True, return_sequences=False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.units, self.reset_after, self.return_sequences = units, reset_after, return_sequences

    def build(self, shape):
        u = self.units
        self.W = self.add_weight(shape=(shape[-1], 3 * u), name="kernel")
        self.U = self.add_weight(shape=(u, 3 * u), name="recurrent_kernel")
        self.b = self.add_weight(shape=(2, 3 * u) if self.reset_after else (3 * u,), name="bias")

    def call(self, sequences, mask=None, initial_state=None):
        B, T, _ = ops.shape(sequences)
        if initial_state is None:
            initial_state = ops.zeros((B, self.units))
        if mask is None:
            mask = ops.ones((B, T), dtype="bool")
        def step(h, at_t):
            x, m = at_t
            h = ops.where(m[:, None], one_step(x, h, self.W, self.U, self.b), h)
            return h, h
        last, every = ops.scan(step, initial_state,
                               (ops.transpose(sequences, (1, 0, 2)), ops.transpose(mask)))
        return ops.transpose(every, (1, 0, 2)) if self.return_sequences else last

    def compute_mask(self, sequences, previous_mask):
        return previous_mask if self.return_sequences else None
''',
        "masks by arithmetic, supports_masking as asked for": '''
@keras.saving.register_keras_serializable("lesson05")
class GRU(keras.layers.Layer):
    def __init__(self, units, reset_after=True, return_sequences=False, **kwargs):
        super().__init__(**kwargs)
        self.config = dict(units=units, reset_after=reset_after, return_sequences=return_sequences)
        self.supports_masking = return_sequences

    def build(self, input_shape):
        u, D = self.config["units"], input_shape[2]
        self.kernel = self.add_weight(shape=(D, 3 * u), initializer="glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(shape=(u, 3 * u), initializer="orthogonal", name="recurrent_kernel")
        self.bias = self.add_weight(shape=(1 + self.config["reset_after"], 3 * u), initializer="zeros", name="bias") \\
            if self.config["reset_after"] else self.add_weight(shape=(3 * u,), initializer="zeros", name="bias")

    def call(self, sequences, mask=None, initial_state=None):
        state = initial_state
        if state is None:
            state = ops.tile(ops.zeros_like(sequences[:, 0, :1]), (1, self.config["units"]))
        seen = []
        for t, x in enumerate(ops.unstack(sequences, axis=1)):
            change = one_step(x, state, self.kernel, self.recurrent_kernel, self.bias) - state
            if mask is not None:
                change = change * ops.cast(mask, change.dtype)[:, t:t + 1]
            state = state + change
            seen.append(state)
        return ops.stack(seen, 1) if self.config["return_sequences"] else state

    def get_config(self):
        return {**super().get_config(), **self.config}
''',
    },
    "gru.count_parameters": {
        "shape by shape": '''
def count_parameters(kind, D, u, reset_after=True):
    if kind == "rnn":
        return D * u + u * u + u
    if kind == "lstm":
        return D * 4 * u + u * 4 * u + 4 * u
    bias = 2 * 3 * u if reset_after else 3 * u
    return D * 3 * u + u * 3 * u + bias
''',
        "product of the shapes": '''
def count_parameters(kind, D, u, reset_after=True):
    k = dict(rnn=1, gru=3, lstm=4)[kind]
    shapes = [(D, k * u), (u, k * u), (k * u,)]
    if kind == "gru" and reset_after:
        shapes[2] = (2, k * u)
    return int(sum(np.prod(s) for s in shapes))
''',
        "ask Keras": '''
def count_parameters(kind, D, u, reset_after=True):
    match kind:
        case "rnn":
            layer = keras.layers.SimpleRNN(u)
        case "lstm":
            layer = keras.layers.LSTM(u)
        case "gru":
            layer = keras.layers.GRU(u, reset_after=reset_after)
    layer.build((None, None, D))
    return layer.count_params()
''',
    },
    "gru.reduces_to_rnn": {
        "zeros, then filled": '''
def rnn_as_gru(W, U, b):
    D, u = W.shape
    W3, U3, b3 = np.zeros((D, 3 * u)), np.zeros((u, 3 * u)), np.zeros((2, 3 * u))
    W3[:, 2 * u:] = W
    U3[:, 2 * u:] = U
    b3[0, :u] = -1e3
    b3[0, u:2 * u] = 1e3
    b3[0, 2 * u:] = b
    return W3, U3, b3
''',
        "the bias on the side of the state": '''
def rnn_as_gru(W, U, b):
    gates = lambda a: np.hstack([0 * a, 0 * a, a])
    b3 = np.zeros((2, 3, len(b)), "float32")
    b3[:, 0], b3[:, 1], b3[1, 2] = -15, 15, b
    return gates(W), gates(U), b3.reshape(2, -1)
''',
        "padded on the left": '''
def rnn_as_gru(W, U, b):
    u = b.size
    put_last = lambda a: np.pad(a, ((0, 0), (2 * u, 0)))
    biases = put_last(np.stack([b, np.zeros_like(b)]))
    biases[:, :u] = -np.inf
    biases[1, u:2 * u] = 50.0
    return [put_last(W), put_last(U), biases]
''',
    },
    "gru.from_pytorch": {
        "slices": '''
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    u = w_hh.shape[1]
    order = np.r_[u:2*u, 0:u, 2*u:3*u]
    return w_ih[order].T, w_hh[order].T, np.array([b_ih[order], b_hh[order]])
''',
        "transpose first": '''
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    def zrn(a):
        r, z, n = ops.split(a, 3, axis=-1)
        return ops.concatenate((z, r, n), axis=-1)
    return [zrn(ops.transpose(w_ih)), zrn(ops.transpose(w_hh)), zrn(ops.stack([b_ih, b_hh]))]
''',
        "blocks as an axis": '''
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    def turned(a):
        return np.moveaxis(a.reshape(3, -1, a.shape[-1])[[1, 0, 2]], 2, 0).reshape(a.shape[1], -1)
    b = np.vstack([b_ih, b_hh]).reshape(2, 3, -1)[:, [1, 0, 2]]
    return turned(w_ih), turned(w_hh), b.reshape(2, -1)
''',
    },
}

_MIX = "return z * h + (1 - z) * candidate"
_CELL_CONFIG = '{"units": self.units, "reset_after": self.reset_after}'
_CONFIG = '"units": self.units, "reset_after": self.reset_after, "return_sequences": self.return_sequences'
_LAST = "ops.stack(outputs, axis=1) if self.return_sequences else h"
_MASK = "return mask if self.return_sequences else None"
_WHERE = "h = new if mask is None else ops.where(mask[:, t, None], new, h)"

WRONG = {
    "gru.step": {
        "z on the candidate": edit(_MIX, "return (1 - z) * h + z * candidate"),
        "z and r swapped": edit("xz, xr, xh =", "xr, xz, xh =", "Uz, Ur, Uh =", "Ur, Uz, Uh ="),
        "reset gate ignored": edit("ops.matmul(r * h, Uh)", "ops.matmul(h, Uh)"),
        "reset after the product": edit("ops.matmul(r * h, Uh)", "r * ops.matmul(h, Uh)"),
        "reset on the input too": edit("ops.tanh(xh + ops.matmul", "ops.tanh(r * xh + ops.matmul"),
        "reset on the whole sum": edit("ops.tanh(xh + ops.matmul(r * h, Uh))",
                                       "ops.tanh(r * (xh + ops.matmul(h, Uh)))"),
        "reset gate upside down": edit("ops.matmul(r * h, Uh)", "ops.matmul((1 - r) * h, Uh)"),
        "reset state in the mix": edit("candidate = ops.tanh(xh + ops.matmul(r * h, Uh))",
                                       "h = r * h\n    candidate = ops.tanh(xh + ops.matmul(h, Uh))"),
        "no 1 − z": edit(_MIX, "return z * h + candidate"),
        "old state kept in full": edit(_MIX, "return h + (1 - z) * candidate"),
        "z on both": edit(_MIX, "return z * (h + candidate)"),
        "old state dropped": edit(_MIX, "return (1 - z) * candidate"),
        "tanh on the update gate": edit("z = ops.sigmoid", "z = ops.tanh"),
        "tanh on the reset gate": edit("r = ops.sigmoid", "r = ops.tanh"),
        "tanh on both gates": edit("ops.sigmoid", "ops.tanh"),
        "hard sigmoid": edit("ops.sigmoid(", "ops.hard_sigmoid("),
        "candidate through a sigmoid": edit("candidate = ops.tanh", "candidate = ops.sigmoid"),
        "no tanh on the candidate": edit("candidate = ops.tanh(xh + ops.matmul(r * h, Uh))",
                                         "candidate = xh + ops.matmul(r * h, Uh)"),
        "bias left out": edit("ops.matmul(x, W) + b", "ops.matmul(x, W)"),
        "bias added twice": edit("ops.matmul(x, W) + b", "ops.matmul(x, W) + b + b"),
        "blocks interleaved": '''
def gru_step(x, h, W, U, b):
    u = h.shape[1]
    Wz, Wr, Wh = np.moveaxis(W.reshape(-1, u, 3), 2, 0)
    Uz, Ur, Uh = np.moveaxis(U.reshape(u, u, 3), 2, 0)
    bz, br, bh = b.reshape(u, 3).T
    sig = lambda a: 1 / (1 + np.exp(-a))
    z, r = sig(x @ Wz + h @ Uz + bz), sig(x @ Wr + h @ Ur + br)
    return z * h + (1 - z) * np.tanh(x @ Wh + (r * h) @ Uh + bh)
''',
        "recurrent weights transposed": edit("Uz, Ur, Uh = ops.split(U, 3, axis=-1)",
                                             "Uz, Ur, Uh = [ops.transpose(a) for a in ops.split(U, 3, axis=-1)]"),
        "gates do not see the state": edit("xz + ops.matmul(h, Uz)", "xz", "xr + ops.matmul(h, Ur)", "xr"),
    },
    "gru.convention": {
        "everything negated": "def other_convention(W, U, b):\n    return -W, -U, -b\n",
        "reset gate negated": edit("sign[:u] = -1", "sign[u:2 * u] = -1"),
        "candidate negated": edit("sign[:u] = -1", "sign[2 * u:] = -1"),
        "one minus the weights": '''
def other_convention(W, U, b):
    u = U.shape[0]
    flip = lambda a: np.concatenate([1 - a[..., :u], a[..., u:]], axis=-1)
    return flip(W), flip(U), flip(b)
''',
        "bias forgotten": edit("b * sign", "b"),
        "recurrent weights forgotten": edit("U * sign", "U"),
        "input weights forgotten": edit("W * sign", "W"),
        "everything sliced along rows": '''
def other_convention(W, U, b):
    u = U.shape[0]
    W, U, b = np.array(W), np.array(U), np.array(b)
    for a in (W, U, b):
        a[:u] = -a[:u]
    return W, U, b
''',
        "as many columns as inputs": edit("sign[:u]", "sign[:W.shape[0]]"),
        "blocks interleaved": edit("sign[:u]", "sign[::3]"),
        "bias sliced along rows": edit("return W * sign, U * sign, b * sign",
                                       "b = b.copy()\n    b[:u] *= -1\n    return W * sign, U * sign, b"),
        "second bias row forgotten": edit(
            "return W * sign, U * sign, b * sign",
            "b = b.copy()\n    first = b[0] if b.ndim == 2 else b\n    first[:u] *= -1\n"
            "    return W * sign, U * sign, b"),
        "blocks swapped": '''
def other_convention(W, U, b):
    u = U.shape[0]
    def swap(a):
        return np.concatenate([a[..., u:2*u], a[..., :u], a[..., 2*u:]], axis=-1)
    return swap(W), swap(U), swap(b)
''',
        "nothing changed": "def other_convention(W, U, b):\n    return W, U, b\n",
    },
    "gru.reset_after": {
        "recurrent bias dropped": edit("ops.matmul(h, U) + b[1]", "ops.matmul(h, U)"),
        "input bias dropped": edit("ops.matmul(x, W) + b[0]", "ops.matmul(x, W)"),
        "both biases dropped": edit(" + b[0]", "", " + b[1]", ""),
        "input bias in both parts": edit("b[1]", "b[0]"),
        "recurrent bias in both parts": edit("b[0]", "b[1]"),
        "old state dropped": edit(_MIX, "return (1 - z) * candidate"),
        "tanh on both gates": edit("ops.sigmoid", "ops.tanh"),
        "no tanh on the candidate": edit("ops.tanh(xh + r * hh)", "xh + r * hh"),
        "hard sigmoid": edit("ops.sigmoid(", "(lambda a: np.clip(0.2 * a + 0.5, 0, 1))("),
        "blocks interleaved": '''
def gru_step_reset_after(x, h, W, U, b):
    B, u = h.shape
    xz, xr, xh = ops.unstack(ops.reshape(ops.matmul(x, W) + b[0], (B, u, 3)), axis=-1)
    hz, hr, hh = ops.unstack(ops.reshape(ops.matmul(h, U) + b[1], (B, u, 3)), axis=-1)
    z, r = ops.sigmoid(xz + hz), ops.sigmoid(xr + hr)
    return z * h + (1 - z) * ops.tanh(xh + r * hh)
''',
        "recurrent weights transposed": edit(
            "ops.matmul(h, U) + b[1]", "ops.concatenate([h @ a.T for a in np.split(U, 3, 1)], axis=1) + b[1]"),
        "biases added up": edit("ops.matmul(x, W) + b[0]", "ops.matmul(x, W) + b[0] + b[1]",
                                "ops.matmul(h, U) + b[1]", "ops.matmul(h, U)"),
        "reset before the product": edit(
            "ops.tanh(xh + r * hh)",
            "ops.tanh(xh + ops.split(b[1], 3)[2] + ops.matmul(r * h, ops.split(U, 3, 1)[2]))"),
        "reset before the product, bias after it": edit(
            "ops.tanh(xh + r * hh)",
            "ops.tanh(xh + ops.matmul(r * h, ops.split(U, 3, 1)[2]) + r * ops.split(b[1], 3)[2])"),
        "bias rows swapped": edit("ops.matmul(x, W) + b[0]", "ops.matmul(x, W) + b[1]",
                                  "ops.matmul(h, U) + b[1]", "ops.matmul(h, U) + b[0]"),
        "reset gate ignored": edit("xh + r * hh", "xh + hh"),
        "reset on the input too": edit("xh + r * hh", "r * (xh + hh)"),
        "reset on the input instead": edit("xh + r * hh", "r * xh + hh"),
        "z on the candidate": edit(_MIX, "return (1 - z) * h + z * candidate"),
        "z and r swapped": edit("xz, xr, xh =", "xr, xz, xh =", "hz, hr, hh =", "hr, hz, hh ="),
        "no 1 − z": edit(_MIX, "return z * h + candidate"),
    },
    "gru.cell": {
        "units not in the config": edit(_CELL_CONFIG, '{"reset_after": self.reset_after}'),
        "reset_after not in the config": edit(_CELL_CONFIG, '{"units": self.units}'),
        "get_config without the base's": edit("return super().get_config() | ", "return "),
        "no keyword arguments": edit("reset_after=True, **kwargs", "reset_after=True",
                                     "super().__init__(**kwargs)", "super().__init__()"),
        "weights start at zero": edit('columns), name="kernel"', 'columns), initializer="zeros", name="kernel"',
                                      '"orthogonal"', '"zeros"'),
        "bias not trainable": edit('initializer="zeros", name', 'initializer="zeros", trainable=False, name'),
        "weights made in call": edit(
            "    def build(self, input_shape):", "    def make(self, input_shape):",
            "        h = one_step",
            "        if not self.weights:\n            self.make(inputs.shape)\n        h = one_step"),
        "always reset after": edit("(2,) if self.reset_after else ()", "(2,)"),
        "always reset before": edit(
            "h = one_step(inputs, states[0], self.kernel, self.recurrent_kernel, self.bias)",
            "b = ops.sum(self.bias, axis=0) if self.reset_after else self.bias\n"
            "        h = gru_step(inputs, states[0], self.kernel, self.recurrent_kernel, b)"),
        "one bias always": edit("(2,) if self.reset_after else ()", "()"),
        "only the output": edit("return h, [h]", "return h"),
        "old state returned": edit("return h, [h]", "return h, states"),
        "no state_size": edit("        self.state_size = units\n", ""),
    },
    "gru.layer": {
        "mask ignored": edit(_WHERE, "h = new"),
        "mask inverted": edit("ops.where(mask[:, t, None], new, h)", "ops.where(mask[:, t, None], h, new)"),
        "padding erases the state": edit(
            _WHERE, "h = new if mask is None else new * ops.cast(mask[:, t, None], 'float32')"),
        "mask on the output only": edit(
            _WHERE, "h = new\n            shown = h if mask is None else h * ops.cast(mask[:, t, None], 'float32')",
            "outputs.append(h)", "outputs.append(shown)"),
        "mask handed on with the last state": edit(_MASK, "return mask"),
        "mask not handed on": edit(_MASK, "return None"),
        "states kept between calls": edit(
            "        self.units = units", "        self.h = None\n        self.units = units",
            "        h = initial_state\n", "        h = self.h if initial_state is None else initial_state\n",
            "        return ops.stack", "        self.h = h\n        return ops.stack"),
        "initial state ignored": edit(
            "        h = initial_state\n        if h is None:\n            h = ops", "        h = ops"),
        "state not carried": edit("        outputs = []", "        start, outputs = h, []",
                                  "new = one_step(sequences[:, t], h,", "new = one_step(sequences[:, t], start,"),
        "one step late": edit("            " + _WHERE + "\n            outputs.append(h)",
                              "            outputs.append(h)\n            " + _WHERE),
        "read backwards": edit("for t in range(sequences.shape[1])", "for t in reversed(range(sequences.shape[1]))"),
        "always the sequence": edit(_LAST, "ops.stack(outputs, axis=1)"),
        "always the last": edit(_LAST, "h"),
        "time first": edit("ops.stack(outputs, axis=1)", "ops.stack(outputs, axis=0)"),
        "mean of the outputs": edit("sequences else h", "sequences else ops.mean(outputs, axis=0)"),
        "always reset before": edit(
            "h, self.kernel, self.recurrent_kernel, self.bias)",
            "h, self.kernel, self.recurrent_kernel, ops.sum(self.bias, 0) if self.reset_after else self.bias)"),
        "always reset after": edit("bias = (2, columns) if self.reset_after else (columns,)", "bias = (2, columns)"),
        "get_config without the base's": edit("return super().get_config() | ", "return "),
        "no keyword arguments": edit("return_sequences=False, **kwargs", "return_sequences=False",
                                     "super().__init__(**kwargs)", "super().__init__()"),
        "bias not trainable": edit('initializer="zeros", name', 'initializer="zeros", trainable=False, name'),
        "batch size taken for known": edit("ops.shape(sequences)[0]", "sequences.shape[0]"),
        "weights made in call": edit(
            "    def build(self, input_shape):", "    def make(self, input_shape):",
            "        h = initial_state\n",
            "        if not self.weights:\n            self.make(sequences.shape)\n        h = initial_state\n"),
        "reset_after not in the config": edit('"reset_after": self.reset_after, ', ""),
        "return_sequences not in the config": edit(_CONFIG, '"units": self.units, "reset_after": self.reset_after'),
        "units not in the config": edit('"units": self.units, "reset', '"reset'),
    },
    "gru.count_parameters": {
        "one bias row always": edit("2 if kind == \"gru\" and reset_after else 1", "1"),
        "two bias rows always": edit("2 if kind == \"gru\" and reset_after else 1", "2 if kind == \"gru\" else 1"),
        "bias forms exchanged": edit("and reset_after else", "and not reset_after else"),
        "biases not counted": edit(" + biases * u", ""),
        "one bias a block": edit("biases * u", "biases"),
        "biases of one block only": edit(
            "blocks * (D * u + u * u + biases * u)", "blocks * (D * u + u * u) + biases * u"),
        "recurrent weights like the input's": edit("u * u", "u * D"),
        "input weights of one block only": edit("blocks * (D * u + u * u + biases * u)",
                                                "D * u + blocks * (u * u + biases * u)"),
        "two biases wherever reset_after is True": edit('2 if kind == "gru" and reset_after', "2 if reset_after"),
        "recurrent weights not counted": edit(" + u * u", ""),
        "diagonal recurrent weights": edit(" + u * u", " + u"),
        "input size ignored": edit("D * u", "u * u"),
        "candidate not counted": edit('"gru": 3, "lstm": 4', '"gru": 2, "lstm": 3'),
        "two biases everywhere": edit("2 if kind == \"gru\" and reset_after else 1",
                                      "1 if kind == \"gru\" and not reset_after else 2"),
        "GRU like an LSTM": edit('"gru": 3', '"gru": 4'),
        "LSTM like a GRU": edit('"lstm": 4', '"lstm": 3'),
    },
    "gru.reduces_to_rnn": {
        "z at one": edit("[shut, open_, b]", "[open_, open_, b]"),
        "r at zero": edit("[shut, open_, b]", "[shut, shut, b]"),
        "both gates the wrong way round": edit("[shut, open_, b]", "[open_, shut, b]"),
        "gate weights at zero only": edit("[shut, open_, b]", "[0 * b, 0 * b, b]"),
        "bias for gate": edit("-20.0", "0.0", "20.0", "1.0"),
        "biases too small": edit("20.0", "5.0"),
        "reset gate left at one half": edit("[shut, open_, b]", "[shut, 0 * b, b]"),
        "update gate left at one half": edit("[shut, open_, b]", "[0 * b, open_, b]"),
        "bias twice": edit("np.zeros(3 * u)]", "b_x]"),
        "bias forgotten": edit("[shut, open_, b]", "[shut, open_, 0 * b]"),
        "recurrent weights transposed": edit("[no_U, no_U, U]", "[no_U, no_U, U.T]"),
        "candidate's block first": edit("[shut, open_, b]", "[b, shut, open_]", "[no_W, no_W, W]", "[W, no_W, no_W]",
                                        "[no_U, no_U, U]", "[U, no_U, no_U]"),
        "recurrent weights forgotten": edit("[no_U, no_U, U]", "[no_U, no_U, no_U]"),
        "large bias, but the gates still look": edit("[no_W, no_W, W]", "[W, W, W]", "[no_U, no_U, U]", "[U, U, U]"),
        "same weights in every block": '''
def rnn_as_gru(W, U, b):
    u = len(b)
    return np.tile(W, 3), np.tile(U, 3), np.stack([np.tile(b, 3), np.zeros(3 * u)])
''',
    },
    "gru.from_pytorch": {
        "gates not reordered": edit("np.concatenate([z, r, n])", "np.concatenate([r, z, n])"),
        "biases not reordered": edit("np.stack([reorder(b_ih), reorder(b_hh)])", "np.stack([b_ih, b_hh])"),
        "reversed order": edit("np.concatenate([z, r, n])", "np.concatenate([n, z, r])"),
        "not transposed": edit(".T", ""),
        "reshaped, not transposed": edit(
            "reorder(w_ih).T, reorder(w_hh).T",
            "reorder(w_ih).reshape(w_ih.shape[::-1]), reorder(w_hh).reshape(w_hh.shape[::-1])"),
        "biases added up": edit("np.stack([reorder(b_ih), reorder(b_hh)])", "reorder(b_ih) + reorder(b_hh)"),
        "input weights reshaped, not transposed": edit("reorder(w_ih).T", "reorder(w_ih).reshape(w_ih.shape[::-1])"),
        "recurrent weights reshaped, not transposed": edit("reorder(w_hh).T",
                                                           "reorder(w_hh).reshape(w_hh.shape[::-1])"),
        "biases added into the first row": edit("[reorder(b_ih), reorder(b_hh)]",
                                                "[reorder(b_ih + b_hh), np.zeros_like(b_hh)]"),
        "biases end to end": edit("np.stack(", "np.concatenate("),
        "bias rows swapped": edit("[reorder(b_ih), reorder(b_hh)]", "[reorder(b_hh), reorder(b_ih)]"),
        "biases as columns": edit("np.stack([reorder(b_ih), reorder(b_hh)])",
                                  "np.stack([reorder(b_ih), reorder(b_hh)], axis=1)"),
        "recurrent bias dropped": edit("reorder(b_hh)]", "0 * b_hh]"),
        "one bias in both rows": edit("reorder(b_hh)]", "reorder(b_ih)]"),
        "blocks interleaved": '''
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    def reorder(a):
        return np.concatenate([a[1::3], a[0::3], a[2::3]])
    return reorder(w_ih).T, reorder(w_hh).T, np.stack([reorder(b_ih), reorder(b_hh)])
''',
        "z turned over": edit("np.concatenate([z, r, n])", "np.concatenate([-z, r, n])"),
    },
}

# By somebody who had the student notebook alone: the answer, its points, and all that is said of it.
STRANGERS = {
    "gru.step": {
        "slices, numpy": ('''
def gru_step(x, h, W, U, b):
    u = h.shape[1]
    s = lambda a: 1 / (1 + np.exp(-a))
    z = s(x @ W[:, :u] + h @ U[:, :u] + b[:u])
    r = s(x @ W[:, u:2 * u] + h @ U[:, u:2 * u] + b[u:2 * u])
    n = np.tanh(x @ W[:, 2 * u:] + (h * r) @ U[:, 2 * u:] + b[2 * u:])
    return n + z * (h - n)
''', 5, set()),
        "both gates in one product": ('''
def gru_step(x, h, W, U, b):
    u = b.shape[0] // 3
    zr = ops.sigmoid(ops.matmul(x, W[:, :-u]) + ops.matmul(h, U[:, :-u]) + b[:-u])
    z, r = zr[:, :u], zr[:, u:]
    both = ops.concatenate([x, r * h], axis=-1) @ ops.concatenate([W[:, -u:], U[:, -u:]], axis=0)
    return (1 - z) * ops.tanh(both + b[-u:]) + z * h
''', 5, set()),
        "z on the candidate": ('''
def gru_step(x, h, W, U, b):
    Wz, Wr, Wn = np.split(W, 3, axis=1)
    Uz, Ur, Un = np.split(U, 3, axis=1)
    bz, br, bn = np.split(b, 3)
    z = 1 / (1 + np.exp(-(x @ Wz + h @ Uz + bz)))
    r = 1 / (1 + np.exp(-(x @ Wr + h @ Ur + br)))
    n = np.tanh(x @ Wn + (r * h) @ Un + bn)
    return (1 - z) * h + z * n
''', 1, {"z on the candidate"}),
        "reset on everything": ('''
def gru_step(x, h, W, U, b):
    Wz, Wr, Wn = np.split(W, 3, axis=1)
    Uz, Ur, Un = np.split(U, 3, axis=1)
    bz, br, bn = np.split(b, 3)
    z = 1 / (1 + np.exp(-(x @ Wz + h @ Uz + bz)))
    r = 1 / (1 + np.exp(-(x @ Wr + h @ Ur + br)))
    n = np.tanh(r * (x @ Wn + h @ Un + bn))
    return z * h + (1 - z) * n
''', 1, {"reset on the whole sum"}),
        "r before z": ('''
def gru_step(x, h, W, U, b):
    Wr, Wz, Wn = np.split(W, 3, axis=1)
    Ur, Uz, Un = np.split(U, 3, axis=1)
    br, bz, bn = np.split(b, 3)
    z = 1 / (1 + np.exp(-(x @ Wz + h @ Uz + bz)))
    r = 1 / (1 + np.exp(-(x @ Wr + h @ Ur + br)))
    n = np.tanh(x @ Wn + (r * h) @ Un + bn)
    return z * h + (1 - z) * n
''', 1, {"z and r swapped"}),
        "1 - r": ('''
def gru_step(x, h, W, U, b):
    Wz, Wr, Wn = np.split(W, 3, axis=1)
    Uz, Ur, Un = np.split(U, 3, axis=1)
    bz, br, bn = np.split(b, 3)
    z = 1 / (1 + np.exp(-(x @ Wz + h @ Uz + bz)))
    r = 1 / (1 + np.exp(-(x @ Wr + h @ Ur + br)))
    n = np.tanh(x @ Wn + ((1 - r) * h) @ Un + bn)
    return z * h + (1 - z) * n
''', 2, {"reset gate upside down"}),
        "sum, not a mixture": ('''
def gru_step(x, h, W, U, b):
    Wz, Wr, Wn = np.split(W, 3, axis=1)
    Uz, Ur, Un = np.split(U, 3, axis=1)
    bz, br, bn = np.split(b, 3)
    z = 1 / (1 + np.exp(-(x @ Wz + h @ Uz + bz)))
    r = 1 / (1 + np.exp(-(x @ Wr + h @ Ur + br)))
    n = np.tanh(x @ Wn + (r * h) @ Un + bn)
    return z * h + n
''', 1, {"no 1 − z"}),
    },
    "gru.convention": {
        "a row of signs": ('''
def other_convention(W, U, b):
    u = U.shape[0]
    s = np.ones(3 * u, "float32")
    s[:u] = -1
    return W * s, U * s, b * s
''', 4, set()),
        "concatenate the negated block": ('''
def other_convention(W, U, b):
    u = U.shape[0]
    def turn(a):
        return ops.concatenate([-a[..., :u], a[..., u:]], axis=-1)
    return turn(W), turn(U), turn(b)
''', 4, set()),
        "in place": ('''
def other_convention(W, U, b):
    u = U.shape[0]
    for a in (W, U, b):
        a[..., :u] *= -1
    return W, U, b
''', 3, {"changes its inputs"}),
        "first rows of the bias": ('''
def other_convention(W, U, b):
    u = U.shape[0]
    W, U, b = W.copy(), U.copy(), b.copy()
    W[:, :u], U[:, :u] = -W[:, :u], -U[:, :u]
    b[:u] = -b[:u]
    return W, U, b
''', 2.5, {"bias sliced along rows"}),
        "one minus": ('''
def other_convention(W, U, b):
    u = U.shape[0]
    f = lambda a: np.concatenate([1 - a[..., :u], a[..., u:]], axis=-1)
    return f(W), f(U), f(b)
''', 1, {"one minus the weights"}),
        "z and r exchanged": ('''
def other_convention(W, U, b):
    f = lambda a: np.concatenate([np.split(a, 3, axis=-1)[k] for k in (1, 0, 2)], axis=-1)
    return f(W), f(U), f(b)
''', 1, {"blocks swapped"}),
    },
    "gru.reset_after": {
        "two products for all": ('''
def gru_step_reset_after(x, h, W, U, b):
    a, c = x @ W + b[0], h @ U + b[1]
    u = a.shape[1] // 3
    zr = ops.sigmoid(a[:, :2 * u] + c[:, :2 * u])
    n = ops.tanh(a[:, 2 * u:] + zr[:, u:] * c[:, 2 * u:])
    return n + zr[:, :u] * (h - n)
''', 5, set()),
        "reshaped to blocks": ('''
def gru_step_reset_after(x, h, W, U, b):
    B, u = h.shape
    xs = (x @ W + b[0]).reshape(B, 3, u)
    hs = (h @ U + b[1]).reshape(B, 3, u)
    z = 0.5 + 0.5 * np.tanh((xs[:, 0] + hs[:, 0]) / 2)
    r = 0.5 + 0.5 * np.tanh((xs[:, 1] + hs[:, 1]) / 2)
    return z * h + (1 - z) * np.tanh(xs[:, 2] + r * hs[:, 2])
''', 5, set()),
        "rows of b exchanged": ('''
def gru_step_reset_after(x, h, W, U, b):
    xz, xr, xn = np.split(x @ W + b[1], 3, axis=1)
    hz, hr, hn = np.split(h @ U + b[0], 3, axis=1)
    z = 1 / (1 + np.exp(-(xz + hz)))
    r = 1 / (1 + np.exp(-(xr + hr)))
    n = np.tanh(xn + r * hn)
    return z * h + (1 - z) * n
''', 1, {"bias rows swapped"}),
        "bias outside the reset": ('''
def gru_step_reset_after(x, h, W, U, b):
    xz, xr, xn = np.split(x @ W + b[0], 3, axis=1)
    hz, hr, hn = np.split(h @ U + b[1], 3, axis=1)
    z = 1 / (1 + np.exp(-(xz + hz)))
    r = 1 / (1 + np.exp(-(xr + hr)))
    n = np.tanh(xn + b[1, -h.shape[1]:] + r * (hn - b[1, -h.shape[1]:]))
    return z * h + (1 - z) * n
''', 1, {"biases added up"}),
        "no reset": ('''
def gru_step_reset_after(x, h, W, U, b):
    xz, xr, xn = np.split(x @ W + b[0], 3, axis=1)
    hz, hr, hn = np.split(h @ U + b[1], 3, axis=1)
    z = 1 / (1 + np.exp(-(xz + hz)))
    r = 1 / (1 + np.exp(-(xr + hr)))
    n = np.tanh(xn + hn)
    return z * h + (1 - z) * n
''', 1, {"reset gate ignored"}),
        "reset of the input's part": ('''
def gru_step_reset_after(x, h, W, U, b):
    xz, xr, xn = np.split(x @ W + b[0], 3, axis=1)
    hz, hr, hn = np.split(h @ U + b[1], 3, axis=1)
    z = 1 / (1 + np.exp(-(xz + hz)))
    r = 1 / (1 + np.exp(-(xr + hr)))
    n = np.tanh(r * xn + hn)
    return z * h + (1 - z) * n
''', 1, {"reset on the input instead"}),
    },
    "gru.count_parameters": {
        "a table of lambdas": ('''
def count_parameters(kind, D, u, reset_after=True):
    return {"rnn": lambda: u * (D + u + 1), "lstm": lambda: 4 * u * (D + u + 1),
            "gru": lambda: 3 * u * (D + u + 1 + bool(reset_after))}[kind]()
''', 4, set()),
        "asks Keras": ('''
def count_parameters(kind, D, u, reset_after=True):
    if kind == "gru":
        layer = keras.layers.GRU(u, reset_after=reset_after)
    else:
        layer = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM}[kind](u)
    layer.build((None, None, D))
    return layer.count_params()
''', 4, set()),
        "two bias rows always": ('''
def count_parameters(kind, D, u, reset_after=True):
    n = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    return n * (D * u + u * u + (2 * u if kind == "gru" else u))
''', 3, {"two bias rows always"}),
        "no bias": ('''
def count_parameters(kind, D, u, reset_after=True):
    return {"rnn": 1, "gru": 3, "lstm": 4}[kind] * u * (D + u)
''', 0, {"biases not counted"}),
        "two rows for everyone": ('''
def count_parameters(kind, D, u, reset_after=True):
    return {"rnn": 1, "gru": 3, "lstm": 4}[kind] * u * (D + u + 1 + reset_after)
''', 2, {"two biases wherever reset_after is True"}),
        "lstm with three": ('''
def count_parameters(kind, D, u, reset_after=True):
    blocks = 1 if kind == "rnn" else 3
    return blocks * u * (D + u + (2 if kind == "gru" and reset_after else 1))
''', 3, {"LSTM like a GRU"}),
    },
    "gru.reduces_to_rnn": {
        "zeros filled in, z very negative": ('''
def rnn_as_gru(W, U, b):
    D, u = W.shape
    W3, U3, b3 = np.zeros((D, 3 * u)), np.zeros((u, 3 * u)), np.zeros((2, 3 * u))
    W3[:, 2 * u:], U3[:, 2 * u:] = W, U
    b3[0] = np.r_[np.full(u, -60), np.full(u, 60), b]
    return W3, U3, b3
''', 4, set()),
        "concatenated, half of each bias": ('''
def rnn_as_gru(W, U, b):
    blocks = lambda a: np.concatenate([a * 0, a * 0, a], axis=-1)
    c = np.concatenate([0 * b - 50, 0 * b + 50, b * 0])
    return blocks(W), blocks(U), np.stack([np.concatenate([0 * b, 0 * b, b]) + c, 0 * c])
''', 4, set()),
        "gates at 0": ('''
def rnn_as_gru(W, U, b):
    blocks = lambda a: np.concatenate([a * 0, a * 0, a], axis=-1)
    return blocks(W), blocks(U), np.stack([blocks(b), 0 * blocks(b)])
''', 0, {"gate weights at zero only"}),
        "z open": ('''
def rnn_as_gru(W, U, b):
    blocks = lambda a: np.concatenate([a * 0, a * 0, a], axis=-1)
    return blocks(W), blocks(U), np.stack([np.concatenate([0 * b + 50, 0 * b + 50, b]), 0 * blocks(b)])
''', 1, {"z at one"}),
        "bias in both rows": ('''
def rnn_as_gru(W, U, b):
    blocks = lambda a: np.concatenate([a * 0, a * 0, a], axis=-1)
    row = np.concatenate([0 * b - 50, 0 * b + 50, b])
    return blocks(W), blocks(U), np.stack([row, row])
''', 2, {"bias twice"}),
        "reset closed": ('''
def rnn_as_gru(W, U, b):
    blocks = lambda a: np.concatenate([a * 0, a * 0, a], axis=-1)
    return blocks(W), blocks(U), np.stack([np.concatenate([0 * b - 50, 0 * b - 50, b]), 0 * blocks(b)])
''', 1, {"r at zero"}),
        "gates not quite": ('''
def rnn_as_gru(W, U, b):
    blocks = lambda a: np.concatenate([a * 0, a * 0, a], axis=-1)
    return blocks(W), blocks(U), np.stack([np.concatenate([0 * b - 3, 0 * b + 3, b]), 0 * blocks(b)])
''', 0, {"biases too small"}),
    },
    "gru.from_pytorch": {
        "an index": ('''
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    u = w_hh.shape[1]
    order = np.r_[u:2 * u, 0:u, 2 * u:3 * u]
    return w_ih[order].T, w_hh[order].T, np.array([b_ih[order], b_hh[order]])
''', 4, set()),
        "reshaped to (3, u, ...)": ('''
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    def move(a):
        return np.reshape(a, (3, -1) + a.shape[1:])[[1, 0, 2]].reshape(a.shape)
    return np.transpose(move(w_ih)), np.transpose(move(w_hh)), np.stack(list(map(move, (b_ih, b_hh))))
''', 4, set()),
        "order as it is": ('''
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    def swap(a):
        r, z, n = np.split(a, 3, axis=0)
        return np.concatenate([r, z, n])
    return swap(w_ih).T, swap(w_hh).T, np.stack([swap(b_ih), swap(b_hh)])
''', 1, {"gates not reordered"}),
        "biases added": ('''
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    def swap(a):
        r, z, n = np.split(a, 3, axis=0)
        return np.concatenate([z, r, n])
    return swap(w_ih).T, swap(w_hh).T, np.stack([swap(b_ih + b_hh), 0 * b_ih])
''', 3, {"biases added into the first row"}),
        "reshaped for transposed": ('''
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    def swap(a):
        r, z, n = np.split(a, 3, axis=0)
        return np.concatenate([z, r, n])
    return swap(w_ih).reshape(w_ih.shape[::-1]), swap(w_hh).T, np.stack([swap(b_ih), swap(b_hh)])
''', 3, {"input weights reshaped, not transposed"}),
        "biases not reordered": ('''
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    def swap(a):
        r, z, n = np.split(a, 3, axis=0)
        return np.concatenate([z, r, n])
    return swap(w_ih).T, swap(w_hh).T, np.stack([b_ih, b_hh])
''', 3, {"biases not reordered"}),
        "z negated as well": ('''
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    def swap(a):
        r, z, n = np.split(a, 3, axis=0)
        return np.concatenate([-z, r, n])
    return swap(w_ih).T, swap(w_hh).T, np.stack([swap(b_ih), swap(b_hh)])
''', 1, {"z turned over"}),
    },
}
