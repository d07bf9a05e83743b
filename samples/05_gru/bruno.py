# Everything right, in NumPy wherever it goes.

# %% gru.step
def gru_step(x, h, W, U, b):
    u = h.shape[1]
    sig = lambda a: 1 / (1 + np.exp(-a))
    z = sig(x @ W[:, :u] + h @ U[:, :u] + b[:u])
    r = sig(x @ W[:, u:2*u] + h @ U[:, u:2*u] + b[u:2*u])
    h_new = np.tanh(x @ W[:, 2*u:] + np.dot(h * r, U[:, 2*u:]) + b[2*u:])
    return h_new + z * (h - h_new)

# %% gru.convention
def other_convention(W, U, b):
    u = U.shape[0]
    W, U, b = np.copy(W), np.copy(U), np.copy(b)
    for a in (W, U, b):
        a[..., :u] = -a[..., :u]
    return W, U, b

# %% gru.reset_after
def gru_step_reset_after(x, h, W, U, b):
    u = h.shape[1]
    from_x = x @ W + b[0]
    from_h = h @ U + b[1]
    gates = 1 / (1 + np.exp(-(from_x + from_h)[:, :2*u]))
    z, r = gates[:, :u], gates[:, u:]
    n = np.tanh(from_x[:, 2*u:] + r * from_h[:, 2*u:])
    return n - z * n + z * h

# %% gru.cell
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

# %% gru.layer
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
        h = ops.zeros((x.shape[0], self.units)) if initial_state is None else initial_state
        steps = []
        for t in range(x.shape[1]):
            _, [new] = self.cell(x[:, t, :], [h])
            if mask is not None:
                m = ops.cast(ops.expand_dims(mask[:, t], -1), new.dtype)
                new = m * new + (1 - m) * h
            h = new
            steps.append(ops.expand_dims(h, 1))
        return ops.concatenate(steps, axis=1) if self.return_sequences else h

    def get_config(self):
        config = super().get_config()
        config.update(units=self.units, reset_after=self.reset_after, return_sequences=self.return_sequences)
        return config

# %% gru.count_parameters
def count_parameters(kind, D, u, reset_after=True):
    if kind == "rnn":
        return D * u + u * u + u
    if kind == "lstm":
        return D * 4 * u + u * 4 * u + 4 * u
    bias = 2 * 3 * u if reset_after else 3 * u
    return D * 3 * u + u * 3 * u + bias

# %% gru.reduces_to_rnn
def rnn_as_gru(W, U, b):
    D, u = W.shape
    W3, U3, b3 = np.zeros((D, 3 * u)), np.zeros((u, 3 * u)), np.zeros((2, 3 * u))
    W3[:, 2 * u:] = W
    U3[:, 2 * u:] = U
    b3[0, :u] = -1e3
    b3[0, u:2 * u] = 1e3
    b3[0, 2 * u:] = b
    return W3, U3, b3

# %% gru.from_pytorch
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    u = w_hh.shape[1]
    order = np.r_[u:2*u, 0:u, 2*u:3*u]
    return w_ih[order].T, w_hh[order].T, np.array([b_ih[order], b_hh[order]])
