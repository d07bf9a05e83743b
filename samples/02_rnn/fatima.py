# A layer that erases its memory at padding and forgets an argument in get_config: two mistakes in one answer.

# %% * solution

# %% rnn.layer
@keras.saving.register_keras_serializable("unrolled_rnn")
class SimpleRNN(keras.layers.Layer):
    def __init__(self, units, return_sequences=False, stateful=False, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.return_sequences = return_sequences
        self.stateful = stateful
        self.supports_masking = True

    def build(self, input_shape):
        self.W = self.add_weight(shape=(input_shape[-1], self.units), name="W")
        self.U = self.add_weight(shape=(self.units, self.units), name="U")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")
        if self.stateful:
            self.memory = self.add_weight(shape=(input_shape[0], self.units), initializer="zeros", trainable=False)

    def call(self, x, initial_state=None, mask=None):
        h = initial_state
        if h is None:
            h = self.memory.value if self.stateful else ops.zeros((ops.shape(x)[0], self.units))
        states = []
        for t in range(x.shape[1]):
            h = cell(x[:, t], h, self.W, self.U, self.b)
            if mask is not None:
                h = h * ops.cast(mask[:, t, None], h.dtype)
            states.append(h)
        if self.stateful:
            self.memory.assign(h)
        return ops.stack(states, axis=1) if self.return_sequences else h

    def get_config(self):
        return super().get_config() | {"units": self.units, "stateful": self.stateful}
