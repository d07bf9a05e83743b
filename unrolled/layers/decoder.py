"""A recurrent decoder that looks back at what the encoder read."""

from __future__ import annotations

import keras
from keras import ops

from unrolled.layers.attention import Attention, which_may_look
from unrolled.layers.recurrent import run


@keras.saving.register_keras_serializable("unrolled")
class AttentionDecoder(keras.layers.Layer):
    """A recurrent cell with attention to `memory`, wired in one of two ways.

    - "bahdanau": the **old** state asks, and the context goes **into** the cell:
      ``context = attend(h_{t-1})``, ``h_t = cell([x_t; context])``, output ``[h_t; context]``
      (Bahdanau, Cho & Bengio 2015, https://arxiv.org/abs/1409.0473);
    - "luong": the **new** state asks, and the context joins **behind** the cell:
      ``h_t = cell(x_t)``, ``context = attend(h_t)``, output ``tanh([h_t; context] W)``
      (Luong, Pham & Manning 2015, https://arxiv.org/abs/1508.04025), W `(units + d, units)` without bias.

    Parameters
    ----------
    cell : a cell, such as `unrolled.layers.GRUCell` or `keras.layers.LSTMCell`.
    attention : `AdditiveAttention` or `LuongAttention`.
    wiring : "bahdanau" or "luong".

    Call arguments
    --------------
    x : `(batch, time, features)`: the embedded target, shifted (teacher forcing).
    memory : `(batch, source, d)`: all outputs of the encoder.
    initial_state : the cell's states, each `(batch, units)`, in a list; zeros if not given.
    memory_mask : `(batch, source)`, True at real steps; Keras fills it in.
    return_attention_scores : also returns the weights `(batch, time, source)`.
    return_state : also returns the last states, in a list.

    One step at a time
    ------------------
    `start(memory, memory_mask)` once, then `step(x_t, states, started)` with x_t `(batch, features)`: output
    `(batch, output_size)`, states, weights `(batch, source)`.
    """

    def __init__(self, cell, attention, wiring="bahdanau", **kwargs):
        super().__init__(**kwargs)
        if wiring not in ("bahdanau", "luong"):
            raise ValueError(f'`wiring` is "bahdanau" or "luong". Received: wiring={wiring!r}')
        if not isinstance(attention, Attention):
            raise ValueError("`attention` is a layer of unrolled.layers with scores for one query at a time: "
                             f"AdditiveAttention or LuongAttention. Received: {attention!r}")
        self.supports_masking = True
        self.cell, self.attention, self.wiring = cell, attention, wiring
        self.sizes = list(cell.state_size) if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]

    def build(self, x_shape, memory_shape):
        units, d = self.sizes[0], memory_shape[-1]
        joined = d if self.wiring == "bahdanau" else 0
        for part, shapes in ((self.attention, [(x_shape[0], 1, units), memory_shape]),
                             (self.cell, [(x_shape[0], x_shape[-1] + joined)])):
            if not part.built:  # loaded from a file, it is
                part.build(*shapes)
        self.output_size = units + d if self.wiring == "bahdanau" else units
        if self.wiring == "luong":
            self.join = self.add_weight(shape=(units + d, units), name="join")

    def start(self, memory, memory_mask=None):
        """What each step needs of `memory`, worked out once."""
        return self.attention.prepare(memory), memory, which_may_look(memory_mask)

    def step(self, x, states, started):
        """One step: x `(batch, features)`, a list of states, what `start` gave. Output, states, weights."""
        if self.wiring == "bahdanau":
            context, weights = self._look(states[0], started)
            h, states = self.cell(ops.concatenate([x, context], axis=-1), states)
            output = ops.concatenate([h, context], axis=-1)
        else:
            h, states = self.cell(x, states)
            context, weights = self._look(h, started)
            output = ops.tanh(ops.matmul(ops.concatenate([h, context], axis=-1), self.join))
        return output, list(states), weights

    def _look(self, query, started):
        context, weights = self.attention.attend(ops.expand_dims(query, 1), *started)
        return ops.squeeze(context, 1), ops.squeeze(weights, 1)

    def call(self, x, memory, initial_state=None, x_mask=None, memory_mask=None, return_attention_scores=False,
             return_state=False):
        if initial_state is None:
            initial_state = [ops.zeros((ops.shape(x)[0], size), dtype=self.compute_dtype) for size in self.sizes]
        started = self.start(memory, memory_mask)

        def step(x, states):  # the loop stacks one output: the weights travel behind it
            output, states, weights = self.step(x, list(states[1:]), started)
            both = ops.concatenate([output, weights], axis=-1)
            return both, [both, *states]

        width = self.output_size + ops.shape(memory)[1]
        first = ops.zeros((ops.shape(x)[0], width), dtype=self.compute_dtype)
        _, both, (_, *states) = run(step, x, [first, *initial_state], x_mask)
        result = [both[..., :self.output_size]]
        if return_attention_scores:
            result.append(both[..., self.output_size:])
        if return_state:
            result.append(list(states))
        return tuple(result) if len(result) > 1 else result[0]

    def compute_mask(self, x, mask=None):
        return mask

    def get_config(self):
        return {**super().get_config(), "cell": keras.saving.serialize_keras_object(self.cell),
                "attention": keras.saving.serialize_keras_object(self.attention), "wiring": self.wiring}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        parts = {name: keras.saving.deserialize_keras_object(config[name], custom_objects=custom_objects)
                 for name in ("cell", "attention")}
        return cls(**{**config, **parts})
