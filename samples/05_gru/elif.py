# Good steps; the layer forgets its mask and its config.

# %% * solution

# %% gru.cell
@keras.saving.register_keras_serializable("lesson05")
class GRUCell(keras.layers.Layer):
    """One step of a GRU as a cell for `keras.layers.RNN`.

    Weights, made in `build`: "kernel" (D, 3u), "recurrent_kernel" (u, 3u), "bias" (3u,) or (2, 3u).
    `call(inputs, states)` takes inputs (batch, D) and a list with h (batch, u); it returns h and [h].
    """

    def __init__(self, units, reset_after=True, **kwargs):
        super().__init__(**kwargs)
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
        return super().get_config() | {"units": self.units}

# %% gru.layer
@keras.saving.register_keras_serializable("lesson05")
class GRU(keras.layers.Layer):
    """A GRU over sequences (batch, T, D): the last state (batch, u), or all of them (batch, T, u).

    Weights as in the cell. `mask` is (batch, T), True at real steps; at a masked step the state stays as it was.
    `initial_state` is (batch, u), zeros if it is not given.
    """

    def __init__(self, units, reset_after=True, return_sequences=False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
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
            h = new
            outputs.append(h)
        return ops.stack(outputs, axis=1) if self.return_sequences else h

    def get_config(self):
        return super().get_config() | {
            "units": self.units, "reset_after": self.reset_after, "return_sequences": self.return_sequences}
