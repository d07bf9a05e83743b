# Her loop in lstm.layer never ends, because t never grows; what comes before it is right.

# %% * solution

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
        t = 0
        while t < x.shape[1]:
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
