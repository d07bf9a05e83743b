# %% [markdown]
# # GRU: fewer gates

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import numpy as np
import keras
from keras import ops
from unrolled import check
from unrolled.lessons.gru import one_step

# %% solution="gru.step"
def gru_step(x, h, W, U, b):
    """One step of a GRU, reset gate before the product.

    x: (batch, D), h: (batch, u), W: (D, 3u), U: (u, 3u), b: (3u,); blocks in Keras's order z, r, candidate.
    Returns the new h, (batch, u).
    """
    ### BEGIN SOLUTION
    xz, xr, xh = ops.split(ops.matmul(x, W) + b, 3, axis=-1)
    Uz, Ur, Uh = ops.split(U, 3, axis=-1)
    z = ops.sigmoid(xz + ops.matmul(h, Uz))
    r = ops.sigmoid(xr + ops.matmul(h, Ur))
    candidate = ops.tanh(xh + ops.matmul(r * h, Uh))
    return z * h + (1 - z) * candidate
    ### END SOLUTION

# %% check="gru.step"
check("gru.step", gru_step)

# %% solution="gru.convention"
def other_convention(W, U, b):
    """The weights that compute the same states when z changes from the candidate to the old state.

    W: (D, 3u), U: (u, 3u), b: (3u,) or (2, 3u); blocks z, r, candidate. Returns new W, U, b of the same shapes.
    """
    ### BEGIN SOLUTION
    u = U.shape[0]
    sign = np.ones(3 * u, "float32")
    sign[:u] = -1
    return W * sign, U * sign, b * sign
    ### END SOLUTION

# %% check="gru.convention"
check("gru.convention", other_convention)

# %% solution="gru.reset_after"
def gru_step_reset_after(x, h, W, U, b):
    """One step of a GRU, reset gate after the product.

    x: (batch, D), h: (batch, u), W: (D, 3u), U: (u, 3u); b: (2, 3u), row 0 for x and row 1 for h.
    Returns the new h, (batch, u).
    """
    ### BEGIN SOLUTION
    xz, xr, xh = ops.split(ops.matmul(x, W) + b[0], 3, axis=-1)
    hz, hr, hh = ops.split(ops.matmul(h, U) + b[1], 3, axis=-1)
    z = ops.sigmoid(xz + hz)
    r = ops.sigmoid(xr + hr)
    candidate = ops.tanh(xh + r * hh)
    return z * h + (1 - z) * candidate
    ### END SOLUTION

# %% check="gru.reset_after"
check("gru.reset_after", gru_step_reset_after)

# %% solution="gru.cell"
class GRUCell(keras.layers.Layer):
    """One step of a GRU as a cell for `keras.layers.RNN`.

    Weights, made in `build`: "kernel" (D, 3u), "recurrent_kernel" (u, 3u), "bias" (3u,) or (2, 3u).
    `call(inputs, states)` takes inputs (batch, D) and a list with h (batch, u); it returns h and [h].
    """

    def __init__(self, units, reset_after=True, **kwargs):
        super().__init__(**kwargs)
        ### BEGIN SOLUTION
        self.units = units
        self.reset_after = reset_after
        self.state_size = units

    def build(self, input_shape):
        columns = 3 * self.units
        rows = (2,) if self.reset_after else ()
        self.kernel = self.add_weight(shape=(input_shape[-1], columns), name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, columns), initializer="orthogonal", name="recurrent_kernel")
        self.bias = self.add_weight(shape=(*rows, columns), initializer="zeros", name="bias")

    def call(self, inputs, states):
        h = one_step(inputs, states[0], self.kernel, self.recurrent_kernel, self.bias)
        return h, [h]

    def get_config(self):
        return super().get_config() | {"units": self.units, "reset_after": self.reset_after}
        ### END SOLUTION

# %% check="gru.cell"
check("gru.cell", GRUCell)

# %% solution="gru.layer"
class GRU(keras.layers.Layer):
    """A GRU over sequences (batch, T, D): the last state (batch, u), or all of them (batch, T, u).

    Weights as in the cell. `mask` is (batch, T), True at real steps; at a masked step the state stays as it was.
    `initial_state` is (batch, u), zeros if it is not given.
    """

    def __init__(self, units, reset_after=True, return_sequences=False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        ### BEGIN SOLUTION
        self.units = units
        self.reset_after = reset_after
        self.return_sequences = return_sequences

    def build(self, input_shape):
        columns = 3 * self.units
        self.kernel = self.add_weight(shape=(input_shape[-1], columns), name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, columns), initializer="orthogonal", name="recurrent_kernel")
        bias = (2, columns) if self.reset_after else (columns,)
        self.bias = self.add_weight(shape=bias, initializer="zeros", name="bias")

    def call(self, sequences, mask=None, initial_state=None):
        h = initial_state
        if h is None:
            h = ops.zeros((ops.shape(sequences)[0], self.units))
        outputs = []
        for t in range(sequences.shape[1]):
            new = one_step(sequences[:, t], h, self.kernel, self.recurrent_kernel, self.bias)
            h = new if mask is None else ops.where(mask[:, t, None], new, h)
            outputs.append(h)
        return ops.stack(outputs, axis=1) if self.return_sequences else h

    def get_config(self):
        return super().get_config() | {
            "units": self.units, "reset_after": self.reset_after, "return_sequences": self.return_sequences}
        ### END SOLUTION

# %% check="gru.layer"
check("gru.layer", GRU)

# %% solution="gru.count_parameters"
def count_parameters(kind, D, u, reset_after=True):
    """The number of weights of a "rnn", "gru" or "lstm" layer of Keras with D inputs and u units, biases included."""
    ### BEGIN SOLUTION
    blocks = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    biases = 2 if kind == "gru" and reset_after else 1
    return blocks * (D * u + u * u + biases * u)
    ### END SOLUTION

# %% check="gru.count_parameters"
check("gru.count_parameters", count_parameters)

# %% solution="gru.reduces_to_rnn"
def rnn_as_gru(W, U, b):
    """Weights with which a GRU (reset after, Keras's convention) computes h = tanh(x W + h U + b), the plain RNN.

    W: (D, u), U: (u, u), b: (u,). Returns the GRU's W (D, 3u), U (u, 3u) and b (2, 3u).
    """
    ### BEGIN SOLUTION
    D, u = W.shape
    no_W, no_U = np.zeros((D, u)), np.zeros((u, u))
    shut, open_ = np.full(u, -20.0), np.full(u, 20.0)
    b_x = np.concatenate([shut, open_, b])
    return (np.concatenate([no_W, no_W, W], axis=1), np.concatenate([no_U, no_U, U], axis=1),
            np.stack([b_x, np.zeros(3 * u)]))
    ### END SOLUTION

# %% check="gru.reduces_to_rnn"
check("gru.reduces_to_rnn", rnn_as_gru)

# %% solution="gru.from_pytorch"
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    """Keras's GRU weights from PyTorch's.

    w_ih: (3u, D), w_hh: (3u, u), b_ih and b_hh: (3u,), blocks r, z, n (n is the candidate).
    Returns W (D, 3u), U (u, 3u), b (2, 3u), blocks z, r, candidate.
    """
    ### BEGIN SOLUTION
    def reorder(a):
        r, z, n = np.split(a, 3)
        return np.concatenate([z, r, n])
    return reorder(w_ih).T, reorder(w_hh).T, np.stack([reorder(b_ih), reorder(b_hh)])
    ### END SOLUTION

# %% check="gru.from_pytorch"
check("gru.from_pytorch", from_pytorch)
