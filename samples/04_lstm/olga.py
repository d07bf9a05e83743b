# Good with formulas, careless with padding and configuration; forgets the peepholes on the way back.

# %% * solution

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
        self.b.assign(np.repeat([0.0, 1.0, 0.0, 0.0], u))

    def call(self, x, states):
        h, c = states
        z = ops.matmul(x, self.W) + ops.matmul(h, self.U) + self.b
        i, f, g, o = ops.split(z, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [h, c]

    def get_config(self):
        return super().get_config()

# %% lstm.layer
@keras.saving.register_keras_serializable("lesson04")
class LSTM(keras.layers.Layer):
    """An LSTM over (batch, T, D), with Keras's conventions.

    return_sequences=False: the last h (batch, units); True: all of them (batch, T, units).
    return_state=True: output, h, c. Where mask (batch, T) is False, nothing changes.
    Write __init__, build, call(x, mask=None, initial_state=None), compute_mask(x, mask=None) and get_config;
    initial_state is [h, c].
    """

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
            if True:
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

# %% lstm.peephole_step
def peephole_step(x, h, c, W, U, b, P):
    """One step of an LSTM with peepholes.

    P: (3, u), the peephole weights of i, f and o. The other arguments and the result are as in lstm_step.
    """
    zi, zf, zg, zo = ops.split(ops.matmul(x, W) + ops.matmul(h, U) + b, 4, axis=-1)
    i = ops.sigmoid(zi + P[0] * c)
    f = ops.sigmoid(zf + P[1] * c)
    o = ops.sigmoid(zo + P[2] * c)
    c = f * c + i * ops.tanh(zg)
    return o * ops.tanh(c), c

# %% lstm.step_backward
def step_backward(dh, dc, cache):
    """The gradients of one peephole step, given those of its results.

    dh, dc: gradients that arrive at h_t and, from step t + 1, at c_t; each (batch, u).
    cache: what the forward step kept: x, h_prev, c_prev, i, f, g, o, c, h and the weights W, U, P.
    Returns a dict of gradients: x, h_prev, c_prev, W, U, b, P, each of its variable's shape.
    """
    i, f, g, o, c, P = (cache[name] for name in "ifgocP")
    dzo = dh * np.tanh(c) * o * (1 - o)
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    dzi = dc * g * i * (1 - i)
    dzf = dc * cache["c_prev"] * f * (1 - f)
    dzg = dc * i * (1 - g ** 2)
    dz = np.concatenate([dzi, dzf, dzg, dzo], axis=1)
    return {
        "x": dz @ cache["W"].T, "h_prev": dz @ cache["U"].T, "c_prev": dc * f,
        "W": cache["x"].T @ dz, "U": cache["h_prev"].T @ dz, "b": dz.sum(axis=0),
        "P": np.stack([(dzi * cache["c_prev"]).sum(0), (dzf * cache["c_prev"]).sum(0), (dzo * c).sum(0)]),
    }

# %% lstm.from_pytorch
def from_pytorch(state):
    """The way back: E, W, U, b from a PyTorch state dictionary with those five keys."""
    return (state["embedding.weight"], state["lstm.weight_ih_l0"].T, state["lstm.weight_hh_l0"].T,
            state["lstm.bias_ih_l0"])
