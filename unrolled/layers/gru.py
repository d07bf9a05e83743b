"""The gated recurrent unit, in both of its forms and both conventions of its update gate."""

from __future__ import annotations

import keras
from keras import ops

from unrolled.layers.recurrent import Cell, Recurrent


@keras.saving.register_keras_serializable("unrolled")
class GRUCell(Cell):
    """One step of a GRU (Cho et al. 2014, https://arxiv.org/abs/1406.1078).

    ``z = sigmoid(x_t W_z + h_{t-1} U_z + b_z)``, ``r = sigmoid(x_t W_r + h_{t-1} U_r + b_r)``; the candidate is

    - `reset_after=True` (Keras, cuDNN, PyTorch): ``tanh(x_t W + b + r * (h_{t-1} U + d))``, with two biases b and d;
    - `reset_after=False` (the paper): ``tanh(x_t W + (r * h_{t-1}) U + b)``;

    and the new state ``h_t = z * h_{t-1} + (1 - z) * candidate`` for `z_weighs="old"` (Keras, PyTorch, the paper), or
    ``h_t = (1 - z) * h_{t-1} + z * candidate`` for `z_weighs="new"` (Chung et al. 2014 and many textbooks).

    Weights, in the order of `keras.layers.GRUCell`: `kernel` `(features, 3 units)`, `recurrent_kernel`
    `(units, 3 units)`, `bias` `(2, 3 units)` or `(3 units,)`; the blocks are z, r, candidate. One state, h.
    """

    blocks = 3

    def __init__(self, units, reset_after=True, z_weighs="old", **kwargs):
        super().__init__(units, **kwargs)
        if z_weighs not in ("old", "new"):
            raise ValueError('`z_weighs` says which state the update gate multiplies: "old" (as Keras) or "new". '
                             f"Received: z_weighs={z_weighs!r}")
        self.reset_after = reset_after
        self.z_weighs = z_weighs

    def bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def stepper(self, drop=None):
        gate, squash, old = self.recurrent_activation, self.activation, self.z_weighs == "old"
        W, U = ops.convert_to_tensor(self.kernel), ops.convert_to_tensor(self.recurrent_kernel)
        b = d = None
        if self.use_bias:
            b = ops.convert_to_tensor(self.bias)
            if self.reset_after:
                b, d = ops.unstack(b, 2)
        # Laid out here and not in the step: cut in the loop, U would be copied, and its gradient padded, T times.
        U_gates, U_new = (None, None) if self.reset_after else ops.split(U, [2 * self.units], axis=1)

        def step(x, states):
            h = states[0]
            seen = h if drop is None else h * drop
            x = ops.matmul(x, W)
            x = x if b is None else x + b
            if self.reset_after:
                s = ops.matmul(seen, U)
                x_z, x_r, x_new = ops.split(x, 3, axis=-1)
                s_z, s_r, s_new = ops.split(s if d is None else s + d, 3, axis=-1)
                z, r = gate(x_z + s_z), gate(x_r + s_r)
                new = squash(x_new + r * s_new)
            else:
                x_gates, x_new = ops.split(x, [2 * self.units], axis=-1)
                z, r = ops.split(gate(x_gates + ops.matmul(seen, U_gates)), 2, axis=-1)
                new = squash(x_new + ops.matmul(r * seen, U_new))
            h = z * h + (1 - z) * new if old else (1 - z) * h + z * new
            return h, [h]

        return step

    def get_config(self):
        return {**super().get_config(), "reset_after": self.reset_after, "z_weighs": self.z_weighs}


@keras.saving.register_keras_serializable("unrolled")
class GRU(Recurrent):
    """A GRU over `(batch, time, features)`: `GRUCell` in the loop of `Recurrent`.

    Parameters
    ----------
    units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer :
        see `Cell`.
    reset_after, z_weighs : see `GRUCell`.
    **kwargs : return_sequences, return_state, go_backwards, stateful, dropout, recurrent_dropout, seed: `Recurrent`.
    """

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
                 kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
                 reset_after=True, z_weighs="old", **kwargs):
        super().__init__(GRUCell(
            units, activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, reset_after=reset_after, z_weighs=z_weighs, dtype=kwargs.get("dtype"),
            name="cell"), **kwargs)
