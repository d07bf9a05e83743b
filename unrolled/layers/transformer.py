"""The parts of a Transformer: positions, the encoder's block, the decoder's block with a cache."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from unrolled.layers.attention import MultiHeadAttention, which_may_look
from unrolled.layers.recurrent import fraction, positive


def positions(length: int, size: int, longest: float = 10_000.0) -> np.ndarray:
    """Sinusoidal positions `(length, size)`, float32 (Vaswani et al. 2017, section 3.5).

    ``PE[p, 2i] = sin(p / longest^(2i/size))``, ``PE[p, 2i+1] = cos(p / longest^(2i/size))``
    """
    angle = np.arange(length)[:, None] / longest ** (np.arange(size) // 2 * 2 / size)
    return np.where(np.arange(size) % 2 == 0, np.sin(angle), np.cos(angle)).astype("float32")


@keras.saving.register_keras_serializable("unrolled")
class SinusoidalPositions(keras.layers.Layer):
    """Adds to each step of `(batch, time, features)` where it stands. No weights; any length.

    Parameters
    ----------
    longest : the longest wavelength is 2 pi times this, in steps.

    Call arguments
    --------------
    x : `(batch, time, features)`.
    start : place of the first step; above 0 when a sequence is made step by step.
    """

    def __init__(self, longest=10_000.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.longest = longest

    def call(self, x, start=0):
        size = x.shape[-1]
        place = ops.cast(ops.arange(ops.shape(x)[1]) + start, "float32")
        column = np.arange(size)
        angle = ops.expand_dims(place, 1) * (self.longest ** -(column // 2 * 2 / size)).astype("float32")
        return x + ops.cast(ops.where(column % 2 == 0, ops.sin(angle), ops.cos(angle)), x.dtype)

    def get_config(self):
        return {**super().get_config(), "longest": self.longest}


class Block(keras.layers.Layer):
    """What both blocks share: residual connections around attention and around two dense layers, with layer norm.

    Parameters
    ----------
    num_heads : heads of each attention; must divide the number of features.
    feedforward_dim : width of the hidden dense layer.
    dropout : share dropped after each part, and of the attention's weights, while training.
    activation : of the hidden dense layer.
    norm_first : layer norm before each part ("pre-norm", Xiong et al. 2020) or, as in the paper of 2017, after the sum.
    epsilon : of layer norm.
    """

    attentions = ("self_attention",)

    def __init__(self, num_heads, feedforward_dim, dropout=0.0, activation="relu", norm_first=False, epsilon=1e-6,
                 seed=None, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.num_heads = positive("num_heads", num_heads)
        self.feedforward_dim = positive("feedforward_dim", feedforward_dim)
        self.dropout = fraction("dropout", dropout)
        self.activation = keras.activations.get(activation)
        self.norm_first, self.epsilon, self.seed = norm_first, epsilon, seed

    def _build(self, x_shape, memory_shape=None):
        size, policy = x_shape[-1], self.dtype_policy
        if size % self.num_heads:
            raise ValueError(f"`num_heads` must divide the number of features: {size} features can't be shared among "
                             f"{self.num_heads} heads.")
        for name in self.attentions:
            layer = MultiHeadAttention(self.num_heads, size // self.num_heads, dropout=self.dropout, seed=self.seed,
                                       dtype=policy, name=name)
            layer.build(x_shape, x_shape if name == "self_attention" else memory_shape)
            setattr(self, name, layer)
        self.hidden = keras.layers.Dense(self.feedforward_dim, activation=self.activation, dtype=policy, name="hidden")
        self.hidden.build(x_shape)
        self.output_dense = keras.layers.Dense(size, dtype=policy, name="output")
        self.output_dense.build((*x_shape[:-1], self.feedforward_dim))
        self.norms = [keras.layers.LayerNormalization(epsilon=self.epsilon, dtype=policy, name=f"norm_{name}")
                      for name in (*self.attentions, "feedforward")]
        for norm in self.norms:
            norm.build(x_shape)
        self.drop = keras.layers.Dropout(self.dropout, seed=self.seed, dtype=policy)

    def _around(self, part, norm, x, training):
        """`x` plus what `part` makes of it."""
        if self.norm_first:
            return x + self.drop(part(norm(x)), training=training)
        return norm(x + self.drop(part(x), training=training))

    def _feedforward(self, x):
        return self.output_dense(self.hidden(x))

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "feedforward_dim": self.feedforward_dim,
                "dropout": self.dropout, "activation": keras.activations.serialize(self.activation),
                "norm_first": self.norm_first, "epsilon": self.epsilon, "seed": self.seed}


@keras.saving.register_keras_serializable("unrolled")
class EncoderBlock(Block):
    """Self-attention, then two dense layers: one block of a Transformer's encoder (Vaswani et al. 2017).

    Parameters: `Block`.

    Call arguments
    --------------
    x : `(batch, time, features)`; the result has the same shape.
    mask : `(batch, time)`, True at real steps; Keras fills it in.
    use_causal_mask : each step sees itself and what was before it: a language model's block.
    return_attention_scores : also returns the weights `(batch, heads, time, time)`.
    """

    def build(self, x_shape):
        self._build(x_shape)

    def call(self, x, mask=None, use_causal_mask=False, return_attention_scores=False, training=False):
        may = which_may_look(mask, causal=(x, x) if use_causal_mask else None)
        seen = []

        def attend(x):
            out, weights = self.self_attention.attend_to(
                x, *self.self_attention.keys_and_values(x), may, training)
            seen.append(weights)
            return out

        x = self._around(attend, self.norms[0], x, training)
        x = self._around(self._feedforward, self.norms[1], x, training)
        return (x, seen[0]) if return_attention_scores else x


@keras.saving.register_keras_serializable("unrolled")
class DecoderBlock(Block):
    """Causal self-attention, attention to the encoder's output, two dense layers (Vaswani et al. 2017).

    Parameters: `Block`.

    Call arguments
    --------------
    x : `(batch, time, features)`: the target so far; the result has the same shape.
    memory : `(batch, source, d)`: the encoder's output.
    x_mask, memory_mask : `(batch, time)`, `(batch, source)`, True at real steps; Keras fills them in.
    return_attention_scores : also returns the weights over the memory `(batch, heads, time, source)`.

    One step at a time
    ------------------
    `start(memory)` makes a cache, `step(x_t, cache)` reads one step `(batch, 1, features)` and returns its result and
    the longer cache. Keys and values of what was read are kept, so that a step costs its own products only; the results
    are those of `call` on the whole target.
    """

    attentions = ("self_attention", "cross_attention")

    def build(self, x_shape, memory_shape):
        self._build(x_shape, memory_shape)

    def call(self, x, memory, x_mask=None, memory_mask=None, return_attention_scores=False, training=False):
        own = self.self_attention
        may = which_may_look(x_mask, causal=(x, x))
        x, weights = self._block(x, lambda x: own.keys_and_values(x), self.cross_attention.keys_and_values(memory),
                                 may, which_may_look(memory_mask), training)
        return (x, weights) if return_attention_scores else x

    def start(self, memory, memory_mask=None) -> dict:
        """An empty cache over `memory` `(batch, source, d)`, for `step`."""
        return {"past": None, "memory": self.cross_attention.keys_and_values(memory),
                "memory_mask": which_may_look(memory_mask)}

    def step(self, x, cache: dict):
        """Reads the next step `x` `(batch, 1, features)`; returns its result and the cache with it."""
        kept = []

        def longer(x):
            new = self.self_attention.keys_and_values(x)
            past = cache["past"]
            kept.append(new if past is None else tuple(ops.concatenate(pair, axis=2)
                                                       for pair in zip(past, new, strict=True)))
            return kept[0]

        x, _ = self._block(x, longer, cache["memory"], None, cache["memory_mask"], False)
        return x, {**cache, "past": kept[0]}

    def _block(self, x, keys_and_values, memory, may, may_memory, training):
        seen = []

        def look_back(x):
            return self.self_attention.attend_to(x, *keys_and_values(x), may, training)[0]

        def look_over(x):
            out, weights = self.cross_attention.attend_to(x, *memory, may_memory, training)
            seen.append(weights)
            return out

        for part, norm in zip((look_back, look_over, self._feedforward), self.norms, strict=True):
            x = self._around(part, norm, x, training)
        return x, seen[0]
