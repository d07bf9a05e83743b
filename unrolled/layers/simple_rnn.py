"""The plain recurrent network."""

from __future__ import annotations

import keras
from keras import ops

from unrolled.layers.recurrent import Cell, Recurrent


@keras.saving.register_keras_serializable("unrolled")
class SimpleRNNCell(Cell):
    """One step of a plain recurrent network (Elman 1990, https://doi.org/10.1207/s15516709cog1402_1).

    ``h_t = tanh(x_t W + h_{t-1} U + b)``

    Weights, in the order of `keras.layers.SimpleRNNCell`: `kernel` W `(features, units)`, `recurrent_kernel` U
    `(units, units)`, `bias` b `(units,)`. One state, h `(batch, units)`, which is also the output.
    """

    def stepper(self, drop=None):
        W, U = ops.convert_to_tensor(self.kernel), ops.convert_to_tensor(self.recurrent_kernel)
        b = ops.convert_to_tensor(self.bias) if self.use_bias else None

        def step(x, states):
            h = states[0] if drop is None else states[0] * drop
            z = ops.matmul(x, W) + ops.matmul(h, U)
            h = self.activation(z if b is None else z + b)
            return h, [h]

        return step

    def get_config(self):
        config = super().get_config()
        config.pop("recurrent_activation")  # no gate
        return config


@keras.saving.register_keras_serializable("unrolled")
class SimpleRNN(Recurrent):
    """A plain recurrent network over `(batch, time, features)`: `SimpleRNNCell` in the loop of `Recurrent`.

    Parameters
    ----------
    units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer : see `Cell`.
    **kwargs : return_sequences, return_state, go_backwards, stateful, dropout, recurrent_dropout, seed: `Recurrent`.
    """

    def __init__(self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
                 recurrent_initializer="orthogonal", bias_initializer="zeros", **kwargs):
        super().__init__(SimpleRNNCell(
            units, activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            dtype=kwargs.get("dtype"), name="cell"), **kwargs)
