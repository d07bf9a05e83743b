# %% [markdown]
# # The recurrent cell and its four architectures

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import numpy as np
import keras
from keras import ops
from unrolled import check, data, plot

# %% solution="rnn.step"
def rnn_step(x, h, W, U, b):
    """One step of a recurrent cell.

    x: (batch, D), h: (batch, u), W: (D, u), U: (u, u), b: (u,).
    Returns the new state, (batch, u).
    """
    ### BEGIN SOLUTION
    return ops.tanh(ops.matmul(x, W) + ops.matmul(h, U) + b)
    ### END SOLUTION

# %% check="rnn.step"
check("rnn.step", rnn_step)

# %% solution="rnn.concat_form"
def concat_form(x, h, W, U, b):
    """The same step with one matrix: x (batch, D), h (batch, u), W (D, u), U (u, u), b (u,).

    Returns the joined matrix V (D + u, u), whose first D rows meet x, and the new state (batch, u).
    """
    ### BEGIN SOLUTION
    V = ops.concatenate([W, U], axis=0)
    xh = ops.concatenate([x, h], axis=-1)
    return V, ops.tanh(ops.matmul(xh, V) + b)
    ### END SOLUTION

# %% check="rnn.concat_form"
check("rnn.concat_form", concat_form)

# %%
def cell(x, h, W, U, b):
    """One step, as in `rnn_step`: given here so that your next answers do not depend on your first."""
    return ops.tanh(ops.matmul(x, W) + ops.matmul(h, U) + b)

# %% solution="rnn.unroll"
def unroll(x, h0, W, U, b):
    """Apply the cell to every step of x (batch, T, D), starting from h0 (batch, u).

    Returns all states (batch, T, u) and the last one (batch, u).
    """
    ### BEGIN SOLUTION
    h, states = h0, []
    for t in range(x.shape[1]):
        h = cell(x[:, t], h, W, U, b)
        states.append(h)
    return ops.stack(states, axis=1), h
    ### END SOLUTION

# %% check="rnn.unroll"
check("rnn.unroll", unroll)

# %% solution="rnn.layer"
@keras.saving.register_keras_serializable("unrolled_rnn")
class SimpleRNN(keras.layers.Layer):
    """(batch, T, D) -> all states (batch, T, units), or the last one (batch, units)."""

    ### BEGIN SOLUTION
    def __init__(self, units, return_sequences=False, stateful=False, **kwargs):
        super().__init__(**kwargs)
        self.units, self.return_sequences, self.stateful = units, return_sequences, stateful
        self.supports_masking = True

    def build(self, input_shape):
        B, _, D = input_shape
        self.W = self.add_weight(shape=(D, self.units), name="W")
        self.U = self.add_weight(shape=(self.units, self.units), initializer="orthogonal", name="U")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")
        if self.stateful:
            self.memory = self.add_weight(
                shape=(B, self.units), initializer="zeros", trainable=False, name="memory")

    def call(self, x, initial_state=None, mask=None):
        h = initial_state
        if h is None:
            h = self.memory.value if self.stateful else ops.zeros((ops.shape(x)[0], self.units))
        states = []
        for t in range(x.shape[1]):
            new = cell(x[:, t], h, self.W, self.U, self.b)
            h = new if mask is None else ops.where(mask[:, t, None], new, h)
            states.append(h)
        if self.stateful:
            self.memory.assign(h)
        return ops.stack(states, axis=1) if self.return_sequences else h

    def get_config(self):
        return super().get_config() | {
            "units": self.units, "return_sequences": self.return_sequences, "stateful": self.stateful}
    ### END SOLUTION

# %% check="rnn.layer"
check("rnn.layer", SimpleRNN)

# %% solution="rnn.last_valid"
def last_valid(states, mask):
    """Each sequence's last valid state, (batch, u).

    states: (batch, T, u); mask: (batch, T), True where a step counts. Padding may stand at either end.
    """
    ### BEGIN SOLUTION
    steps = ops.where(mask, ops.arange(mask.shape[1]), -1)
    last = ops.max(steps, axis=1)
    return ops.take_along_axis(states, last[:, None, None], axis=1)[:, 0]
    ### END SOLUTION

# %% check="rnn.last_valid"
check("rnn.last_valid", last_valid)

# %% solution="rnn.many_to_many_loss"
def masked_loss(targets, logits, mask):
    """Mean cross-entropy in nats over the positions where mask (batch, T) is True.

    targets: (batch, T) integers, logits: (batch, T, V). Returns one number.
    """
    ### BEGIN SOLUTION
    log_p = ops.log_softmax(logits, axis=-1)
    losses = -ops.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]
    mask = ops.cast(mask, losses.dtype)
    return ops.sum(losses * mask) / ops.sum(mask)
    ### END SOLUTION

# %% check="rnn.many_to_many_loss"
check("rnn.many_to_many_loss", masked_loss)

# %% solution="rnn.one_to_many"
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    """From one state to a sequence: each symbol chosen is the next step's input.

    h: (batch, u); start: the first symbol that is read; E: (V, D) embedding table;
    Wo: (u, V) and bo: (V,) read the state out.
    Returns the logits (batch, steps, V) and the symbols with the largest ones (batch, steps).
    """
    ### BEGIN SOLUTION
    symbols = ops.full((h.shape[0],), start, dtype="int32")
    all_logits, all_symbols = [], []
    for _ in range(steps):
        h = cell(ops.take(E, symbols, axis=0), h, W, U, b)
        logits = ops.matmul(h, Wo) + bo
        symbols = ops.argmax(logits, axis=-1)
        all_logits.append(logits)
        all_symbols.append(symbols)
    return ops.stack(all_logits, axis=1), ops.stack(all_symbols, axis=1)
    ### END SOLUTION

# %% check="rnn.one_to_many"
check("rnn.one_to_many", one_to_many)

# %% solution="rnn.sample"
def sample(logits, temperature, r):
    """Draw one symbol a row from softmax(logits / temperature).

    logits: (batch, V); r: (batch,) random numbers between 0 and 1. A row's symbol is the first whose running
    sum of probabilities is larger than r. Returns the probabilities (batch, V) and the symbols (batch,).
    """
    ### BEGIN SOLUTION
    p = ops.softmax(logits / temperature, axis=-1)
    running = ops.cumsum(p, axis=-1)
    return p, ops.sum(ops.cast(running <= r[:, None], "int32"), axis=-1)
    ### END SOLUTION

# %% check="rnn.sample"
check("rnn.sample", sample)
