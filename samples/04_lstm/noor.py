# Everything right, but every cell warns about something.

# %% * solution

# %% lstm.step
import logging
import sys
import warnings

def lstm_step(x, h, c, W, U, b):
    warnings.warn("lstm_step is slow, better use keras.layers.LSTM")
    z = ops.matmul(x, W) + ops.matmul(h, U) + b
    logging.warning("z has shape %s", z.shape)
    i, f, g, o = ops.split(z, 4, axis=-1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    print("new c ready", file=sys.stderr)
    return ops.sigmoid(o) * ops.tanh(c), c

# %% lstm.constant_error
import sys
import warnings

def constant_error(f):
    warnings.warn("products of many gates underflow")
    print("f:", f.shape, file=sys.stderr)
    return np.stack([np.prod(f[:, t + 1:], axis=1) for t in range(f.shape[1])], axis=1)

# %% lstm.cell
import logging

@keras.saving.register_keras_serializable("lesson04")
class LSTMCell(keras.layers.Layer):
    """One LSTM step as a layer: what keras.layers.RNN calls at each time step.

    state_size is [units, units]; call(x, [h, c]) returns h, [h, c]; x: (batch, D), h and c: (batch, units).
    Write __init__, build, call and get_config.
    """

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
        logging.warning("one step")
        z = ops.matmul(x, self.W) + ops.matmul(h, self.U) + self.b
        i, f, g, o = ops.split(z, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [h, c]

    def get_config(self):
        return {**super().get_config(), "units": self.units}
