# Believes that an LSTM only adds to its memory: no forget gate anywhere.

# %% * solution

# %% lstm.step
def lstm_step(x, h, c, W, U, b):
    """One step of an LSTM.

    x: (batch, D), h and c: (batch, u), W: (D, 4u), U: (u, 4u), b: (4u,); blocks in Keras's order i, f, g, o.
    Returns the new h and the new c, each (batch, u).
    """
    z = ops.matmul(x, W) + ops.matmul(h, U) + b
    i, f, g, o = ops.split(z, 4, axis=-1)
    i, f, o = ops.sigmoid(i), ops.sigmoid(f), ops.sigmoid(o)
    c = c + i * ops.tanh(g)
    h = o * ops.tanh(c)
    return h, c

# %% lstm.gates
def lstm_gates(x, h, c, W, U, b):
    keep = {k: [] for k in "ifgoch"}
    for t in range(x.shape[1]):
        z = x[:, t] @ W + h @ U + b
        i, f, g, o = ops.split(z, 4, axis=-1)
        i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
        c = c + i * g
        h = o * ops.tanh(c)
        for k, v in zip("ifgoch", [i, f, g, o, c, h]):
            keep[k].append(v)
    return {k: ops.stack(v, 1) for k, v in keep.items()}

# %% lstm.forget_bias
def forget_bias(units, half_life=None):
    return np.zeros(4 * units)

# %% lstm.cell
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

    def call(self, x, states):
        h, c = states
        z = ops.matmul(x, self.W) + ops.matmul(h, self.U) + self.b
        i, f, g, o = ops.split(z, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [h, c]

    def get_config(self):
        return {**super().get_config(), "units": self.units}
