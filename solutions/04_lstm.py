# %% [markdown]
# # LSTM: gates and the cell state

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import numpy as np
import keras
from keras import ops
from unrolled import check

# %% [markdown]
# ## One step

# %% solution="lstm.step"
def lstm_step(x, h, c, W, U, b):
    """One step of an LSTM.

    x: (batch, D), h and c: (batch, u), W: (D, 4u), U: (u, 4u), b: (4u,); blocks in Keras's order i, f, g, o.
    Returns the new h and the new c, each (batch, u).
    """
    ### BEGIN SOLUTION
    z = ops.matmul(x, W) + ops.matmul(h, U) + b
    i, f, g, o = ops.split(z, 4, axis=-1)
    i, f, o = ops.sigmoid(i), ops.sigmoid(f), ops.sigmoid(o)
    c = f * c + i * ops.tanh(g)
    h = o * ops.tanh(c)
    return h, c
    ### END SOLUTION

# %% check="lstm.step"
check("lstm.step", lstm_step)

# %% solution="lstm.gates"
def lstm_gates(x, h, c, W, U, b):
    """Run an LSTM over whole sequences and keep everything it does.

    x: (batch, T, D), the other arguments as in lstm_step.
    Returns a dict with keys "i", "f", "g", "o", "c", "h"; each value is (batch, T, u).
    """
    ### BEGIN SOLUTION
    record = {name: [] for name in "ifgoch"}
    for t in range(x.shape[1]):
        z = ops.matmul(x[:, t], W) + ops.matmul(h, U) + b
        i, f, g, o = ops.split(z, 4, axis=-1)
        i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
        c = f * c + i * g
        h = o * ops.tanh(c)
        for name, value in zip("ifgoch", (i, f, g, o, c, h), strict=True):
            record[name].append(value)
    return {name: ops.stack(values, axis=1) for name, values in record.items()}
    ### END SOLUTION

# %% check="lstm.gates"
check("lstm.gates", lstm_gates)

# %% solution="lstm.constant_error"
def constant_error(f):
    """How much of the cell state at each step is left at the end: the derivative of c_T by c_t, unit by unit.

    f: forget gates (batch, T, u). Returns (batch, T, u); the last entry, t = T, is 1.
    """
    ### BEGIN SOLUTION
    kept = np.ones_like(f)
    for t in range(f.shape[1] - 2, -1, -1):
        kept[:, t] = kept[:, t + 1] * f[:, t + 1]
    return kept
    ### END SOLUTION

# %% check="lstm.constant_error"
check("lstm.constant_error", constant_error)

# %% solution="lstm.forget_bias"
def forget_bias(units, half_life=None):
    """The bias vector (4 * units,) a new LSTM starts with: 0, but for the forget gate's block.

    half_life: None for the usual forget bias 1; else the number of steps after which half of the
    cell state is left, if nothing but the bias reaches the gate.
    """
    ### BEGIN SOLUTION
    b = np.zeros(4 * units)
    if half_life is None:
        b[units:2 * units] = 1.0
    else:
        f = 0.5 ** (1 / half_life)
        b[units:2 * units] = np.log(f / (1 - f))
    return b
    ### END SOLUTION

# %% check="lstm.forget_bias"
check("lstm.forget_bias", forget_bias)

# %% solution="lstm.latch"
def latch_weights():
    """Weights of an LSTM with one unit that stores a value at the marker and keeps it until the next marker.

    Inputs are (value, marker). Returns W (2, 4), U (1, 4), b (4,): columns i, f, g, o.
    """
    ### BEGIN SOLUTION
    k = 20.0
    W = np.array([[0.0, 0.0, 1.0, 0.0],   # value: only the candidate looks at it
                  [k, -k, 0.0, 0.0]])     # marker: opens the input gate, closes the forget gate
    U = np.zeros((1, 4))
    b = np.array([-k / 2, k / 2, 0.0, k])
    return W, U, b
    ### END SOLUTION

# %% check="lstm.latch"
check("lstm.latch", latch_weights)

# %% solution="lstm.cell"
@keras.saving.register_keras_serializable("lesson04")
class LSTMCell(keras.layers.Layer):
    """One LSTM step as a layer: what keras.layers.RNN calls at each time step.

    call(x, [h, c]) returns h, [h, c]; x: (batch, D), h and c: (batch, units).
    """
    ### BEGIN SOLUTION
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, units]

    def build(self, input_shape):
        D, u = input_shape[-1], self.units
        self.W = self.add_weight(shape=(D, 4 * u), initializer="glorot_uniform", name="W")
        self.U = self.add_weight(shape=(u, 4 * u), initializer="orthogonal", name="U")
        self.b = self.add_weight(shape=(4 * u,), initializer="zeros", name="b")
        self.b.assign(np.repeat([0.0, 1.0, 0.0, 0.0], u))

    def call(self, x, states):
        h, c = states
        z = ops.matmul(x, self.W) + ops.matmul(h, self.U) + self.b
        i, f, g, o = ops.split(z, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [h, c]

    def get_config(self):
        return {**super().get_config(), "units": self.units}
    ### END SOLUTION

# %% check="lstm.cell"
check("lstm.cell", LSTMCell)

# %% solution="lstm.layer"
@keras.saving.register_keras_serializable("lesson04")
class LSTM(keras.layers.Layer):
    """An LSTM over (batch, T, D), with Keras's conventions.

    return_sequences=False: the last h (batch, units); True: all of them (batch, T, units).
    return_state=True: output, h, c. Where mask (batch, T) is False, nothing changes.
    """
    ### BEGIN SOLUTION
    def __init__(self, units, return_sequences=False, return_state=False, **kwargs):
        super().__init__(**kwargs)
        self.units, self.return_sequences, self.return_state = units, return_sequences, return_state
        self.cell = keras.layers.LSTMCell(units)
        self.supports_masking = True

    def build(self, input_shape):
        self.cell.build((input_shape[0], input_shape[2]))

    def call(self, x, mask=None, initial_state=None):
        h, c = initial_state or [ops.zeros((ops.shape(x)[0], self.units))] * 2
        outputs = []
        for t in range(x.shape[1]):
            _, (new_h, new_c) = self.cell(x[:, t], [h, c])
            if mask is None:
                h, c = new_h, new_c
            else:
                m = mask[:, t, None]
                h, c = ops.where(m, new_h, h), ops.where(m, new_c, c)
            outputs.append(h)
        output = ops.stack(outputs, axis=1) if self.return_sequences else h
        return (output, h, c) if self.return_state else output

    def compute_mask(self, x, mask=None):
        passed = mask if self.return_sequences else None
        return (passed, None, None) if self.return_state else passed

    def get_config(self):
        return {**super().get_config(), "units": self.units, "return_sequences": self.return_sequences,
                "return_state": self.return_state}
    ### END SOLUTION

# %% check="lstm.layer"
check("lstm.layer", LSTM)

# %% solution="lstm.peephole_step"
def peephole_step(x, h, c, W, U, b, P):
    """One step of an LSTM with peepholes.

    P: (3, u), the peephole weights of i, f and o. The other arguments and the result are as in lstm_step.
    """
    ### BEGIN SOLUTION
    zi, zf, zg, zo = ops.split(ops.matmul(x, W) + ops.matmul(h, U) + b, 4, axis=-1)
    i = ops.sigmoid(zi + P[0] * c)
    f = ops.sigmoid(zf + P[1] * c)
    c = f * c + i * ops.tanh(zg)
    o = ops.sigmoid(zo + P[2] * c)
    return o * ops.tanh(c), c
    ### END SOLUTION

# %% check="lstm.peephole_step"
check("lstm.peephole_step", peephole_step)

# %% solution="lstm.step_backward"
def step_backward(dh, dc, cache):
    """The gradients of one peephole step, given those of its results.

    dh, dc: gradients that arrive at h_t and, from step t + 1, at c_t; each (batch, u).
    cache: what the forward step kept: x, h_prev, c_prev, i, f, g, o, c, h and the weights W, U, P.
    Returns a dict of gradients: x, h_prev, c_prev, W, U, b, P, each of its variable's shape.
    """
    ### BEGIN SOLUTION
    i, f, g, o, c, P = (cache[name] for name in "ifgocP")
    dzo = dh * np.tanh(c) * o * (1 - o)
    dc = dc + dh * o * (1 - np.tanh(c) ** 2) + dzo * P[2]
    dzi = dc * g * i * (1 - i)
    dzf = dc * cache["c_prev"] * f * (1 - f)
    dzg = dc * i * (1 - g ** 2)
    dz = np.concatenate([dzi, dzf, dzg, dzo], axis=1)
    return {
        "x": dz @ cache["W"].T, "h_prev": dz @ cache["U"].T, "c_prev": dc * f + dzi * P[0] + dzf * P[1],
        "W": cache["x"].T @ dz, "U": cache["h_prev"].T @ dz, "b": dz.sum(axis=0),
        "P": np.stack([(dzi * cache["c_prev"]).sum(0), (dzf * cache["c_prev"]).sum(0), (dzo * c).sum(0)]),
    }
    ### END SOLUTION

# %% check="lstm.step_backward"
check("lstm.step_backward", step_backward)

# %% solution="lstm.to_pytorch"
def to_pytorch(E, W, U, b):
    """Keras weights as a PyTorch state dictionary.

    E: embedding (words, D), W: (D, 4u), U: (u, 4u), b: (4u,). Keys: "embedding.weight",
    "lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.bias_ih_l0", "lstm.bias_hh_l0".
    """
    ### BEGIN SOLUTION
    return {"embedding.weight": E, "lstm.weight_ih_l0": W.T, "lstm.weight_hh_l0": U.T,
            "lstm.bias_ih_l0": b, "lstm.bias_hh_l0": np.zeros_like(b)}
    ### END SOLUTION

# %% check="lstm.to_pytorch"
check("lstm.to_pytorch", to_pytorch)

# %% solution="lstm.from_pytorch"
def from_pytorch(state):
    """The way back: E, W, U, b from a PyTorch state dictionary with those five keys."""
    ### BEGIN SOLUTION
    return (state["embedding.weight"], state["lstm.weight_ih_l0"].T, state["lstm.weight_hh_l0"].T,
            state["lstm.bias_ih_l0"] + state["lstm.bias_hh_l0"])
    ### END SOLUTION

# %% check="lstm.from_pytorch"
check("lstm.from_pytorch", from_pytorch)
