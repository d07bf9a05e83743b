"""Long short-term memory, plain and with peepholes."""

from __future__ import annotations

import keras
from keras import ops

from unrolled.layers.recurrent import Cell, Recurrent


@keras.saving.register_keras_serializable("unrolled")
class LSTMCell(Cell):
    """One step of an LSTM (Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735; forget gate:
    Gers, Schmidhuber & Cummins 2000).

    ``i, f, o = sigmoid(x_t W + h_{t-1} U + b)``, ``g = tanh(x_t W + h_{t-1} U + b)``, each with its own block;
    ``c_t = f * c_{t-1} + i * g``, ``h_t = o * tanh(c_t)``.

    Weights, in the order of `keras.layers.LSTMCell`: `kernel` `(features, 4 units)`, `recurrent_kernel`
    `(units, 4 units)`, `bias` `(4 units,)`; the blocks are i, f, g, o. Two states, h and c, each `(batch, units)`;
    the output is h.

    Parameters
    ----------
    unit_forget_bias : the forget gate's bias starts at 1: in the beginning the cell keeps what it has
        (Jozefowicz et al. 2015).
    """

    blocks = 4
    number_of_states = 2

    def __init__(self, units, unit_forget_bias=True, **kwargs):
        super().__init__(units, **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def _first_bias(self, shape, dtype=None):
        first = super()._first_bias(shape, dtype)
        if not self.unit_forget_bias:
            return first
        u = self.units
        return ops.concatenate([first[:u], ops.ones((u,), dtype=dtype), first[2 * u:]], axis=0)

    def stepper(self, drop=None):
        W, U = ops.convert_to_tensor(self.kernel), ops.convert_to_tensor(self.recurrent_kernel)
        b = ops.convert_to_tensor(self.bias) if self.use_bias else None
        after_c = self._gates()

        def step(x, states):
            h, c = states
            z = ops.matmul(x, W) + ops.matmul(h if drop is None else h * drop, U)
            h, c = after_c(*ops.split(z if b is None else z + b, 4, axis=-1), c)
            return h, [h, c]

        return step

    def _gates(self):
        """The step behind the products: `(z_i, z_f, z_g, z_o, c) -> (h, c)`."""
        gate, squash = self.recurrent_activation, self.activation

        def after_products(z_i, z_f, z_g, z_o, c):
            c = gate(z_f) * c + gate(z_i) * squash(z_g)
            return gate(z_o) * squash(c), c

        return after_products

    def get_config(self):
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


@keras.saving.register_keras_serializable("unrolled")
class PeepholeLSTMCell(LSTMCell):
    """An LSTM whose gates see the cell state (Gers & Schmidhuber 2000; "vanilla LSTM" of Greff et al. 2015,
    https://arxiv.org/abs/1503.04069). Keras has none.

    ``i, f`` see ``p * c_{t-1}``, ``o`` sees ``p * c_t``: unit 3's gates see unit 3's cell only.

    One more weight than `LSTMCell`: `peepholes` `(3, units)`, for i, f and o; they start at 0, as an LSTM without.
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.peepholes = self.add_weight(shape=(3, self.units), initializer="zeros", name="peepholes")

    def _gates(self):
        gate, squash = self.recurrent_activation, self.activation
        p_i, p_f, p_o = ops.unstack(ops.convert_to_tensor(self.peepholes), 3)

        def after_products(z_i, z_f, z_g, z_o, c):
            c = gate(z_f + p_f * c) * c + gate(z_i + p_i * c) * squash(z_g)
            return gate(z_o + p_o * c) * squash(c), c

        return after_products


@keras.saving.register_keras_serializable("unrolled")
class LSTM(Recurrent):
    """An LSTM over `(batch, time, features)`: `LSTMCell` in the loop of `Recurrent`.

    Parameters
    ----------
    units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer :
        see `Cell`.
    unit_forget_bias : see `LSTMCell`.
    **kwargs : return_sequences, return_state, go_backwards, stateful, dropout, recurrent_dropout, seed: `Recurrent`.
    """

    cell_class = LSTMCell

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
                 kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
                 unit_forget_bias=True, **kwargs):
        super().__init__(self.cell_class(
            units, activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, unit_forget_bias=unit_forget_bias, dtype=kwargs.get("dtype"),
            name="cell"), **kwargs)


@keras.saving.register_keras_serializable("unrolled")
class PeepholeLSTM(LSTM):
    """An LSTM with peepholes over `(batch, time, features)`: `PeepholeLSTMCell` in the loop of `Recurrent`.

    Parameters: those of `LSTM`.
    """

    cell_class = PeepholeLSTMCell
