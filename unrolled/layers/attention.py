"""Attention: scores between a query and keys, weights that sum to 1, and the mixture of values they make."""

from __future__ import annotations

import keras
from keras import ops

from unrolled.layers.recurrent import fraction, positive


def masked_softmax(scores, mask=None, axis=-1):
    """Softmax over `axis` among the places where `mask` is True; the others get exactly 0.

    scores : float, any shape. mask : bool, broadcastable to it; None means everywhere.
    Where no place is True, all weights are 0: there is nothing to look at. (Keras spreads the weight over everything.)
    Worked out in float32 whatever the precision of the scores: in float16 a sum of exponentials overflows at 65504.
    """
    dtype = scores.dtype
    scores = ops.cast(scores, "float32")
    if mask is None and scores.shape[axis] != 1:  # a single key has all the weight, and Keras warns of it
        return ops.cast(ops.softmax(scores, axis=axis), dtype)
    may = ops.broadcast_to(True if mask is None else ops.cast(mask, "bool"), ops.shape(scores))
    scores = ops.where(may, scores, -1e30)
    e = ops.where(may, ops.exp(scores - ops.stop_gradient(ops.max(scores, axis=axis, keepdims=True))), 0.0)
    total = ops.sum(e, axis=axis, keepdims=True)
    return ops.cast(e / ops.where(total > 0, total, 1.0), dtype)


def causal_mask(queries: int, keys: int):
    """`(1, queries, keys)`, True where a query may look: at its own place and before it.

    With more keys than queries the queries are the last ones, as in step-by-step generation with a cache.
    """
    rows = ops.expand_dims(ops.arange(queries), 1) + (keys - queries)
    return ops.expand_dims(rows >= ops.expand_dims(ops.arange(keys), 0), 0)


class Attention(keras.layers.Layer):
    """What attention layers with one head share: a subclass says what the score of a query and a key is.

    Call arguments
    --------------
    query : `(batch, queries, d_q)`, or `(batch, d_q)` for the single query of a decoder's step.
    value : `(batch, keys, d_v)`: what is mixed.
    key : `(batch, keys, d_k)`: what is compared; `value` if not given.
    query_mask : `(batch, queries)`; where False the result is not used. Keras fills it in.
    value_mask : `(batch, keys)`, True at real places; the others get weight 0. Keras fills it in.
    attention_mask : `(batch, queries, keys)`: True where this query may look at this key.
    use_causal_mask : a query looks at its own place and before it only.
    return_attention_scores : also returns the weights `(batch, queries, keys)`.

    Returns the context `(batch, queries, d_v)`; without the axis of queries if `query` had none.
    """

    def __init__(self, dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.dropout = fraction("dropout", dropout)
        self.seed = seed
        self.drop = keras.layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy) if dropout else None

    def prepare(self, key):
        """What of the score depends on the keys alone: worked out once for all queries. `(batch, keys, ...)`"""
        return key

    def scores(self, query, prepared):
        """`(batch, queries, d_q)` and what `prepare` made, to `(batch, queries, keys)`."""
        raise NotImplementedError(f"{type(self).__name__} must say what a score is: override `scores`.")

    def attend(self, query, prepared, value, mask=None, training=False):
        """Context `(batch, queries, d_v)` and weights `(batch, queries, keys)` for keys that are already prepared."""
        weights = masked_softmax(self.scores(query, prepared), mask)
        kept = self.drop(weights, training=training) if self.drop is not None else weights
        return ops.matmul(kept, value), weights

    def call(self, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
             use_causal_mask=False, return_attention_scores=False, training=False):
        single = len(query.shape) == 2
        query = ops.expand_dims(query, 1) if single else query
        mask = which_may_look(value_mask if value_mask is not None else key_mask, attention_mask,
                              causal=(query, value) if use_causal_mask else None)
        context, weights = self.attend(query, self.prepare(value if key is None else key), value, mask, training)
        if single:
            context, weights = ops.squeeze(context, 1), ops.squeeze(weights, 1)
        return (context, weights) if return_attention_scores else context

    def compute_mask(self, query, mask=None):
        return mask if len(query.shape) > 2 else None

    def get_config(self):
        return {**super().get_config(), "dropout": self.dropout, "seed": self.seed}


def which_may_look(value_mask=None, attention_mask=None, causal=None):
    """One mask `(batch or 1, queries or 1, keys)` of all that forbid something; None if nothing does.

    causal : queries `(batch, queries, ...)` and keys `(batch, keys, ...)`, if a query may not look ahead.
    """
    if causal is not None:
        causal = causal_mask(*(ops.shape(x)[1] for x in causal))
    mask = None if value_mask is None else ops.expand_dims(ops.cast(value_mask, "bool"), 1)
    for other in (attention_mask, causal):
        if other is not None:
            other = ops.cast(other, "bool")
            mask = other if mask is None else ops.logical_and(mask, other)
    return mask


@keras.saving.register_keras_serializable("unrolled")
class AdditiveAttention(Attention):
    """Bahdanau's attention (Bahdanau, Cho & Bengio 2015, https://arxiv.org/abs/1409.0473).

    ``score(q, k) = v . tanh(q W + k U + b)``

    `keras.layers.AdditiveAttention` is not this: it has no W and no U, so that query and key must have one size, and
    the network can't learn what to compare.

    Weights: `query_kernel` W `(d_q, units)`, `key_kernel` U `(d_k, units)`, `bias` b `(units,)`, `v` `(units,)`.

    Parameters
    ----------
    units : size of the space in which query and key meet.
    use_bias : whether there is a b.
    """

    def __init__(self, units, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.units = positive("units", units)
        self.use_bias = use_bias

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = key_shape or value_shape
        self.query_kernel = self.add_weight(shape=(query_shape[-1], self.units), name="query_kernel")
        self.key_kernel = self.add_weight(shape=(key_shape[-1], self.units), name="key_kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias") if self.use_bias else None
        self.v = self.add_weight(shape=(self.units,), initializer=keras.initializers.VarianceScaling(), name="v")

    def prepare(self, key):
        key = ops.matmul(key, self.key_kernel)
        return key if self.bias is None else key + self.bias

    def scores(self, query, prepared):
        query = ops.expand_dims(ops.matmul(query, self.query_kernel), 2)
        return ops.sum(ops.tanh(query + ops.expand_dims(prepared, 1)) * self.v, axis=-1)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "use_bias": self.use_bias}


@keras.saving.register_keras_serializable("unrolled")
class LuongAttention(Attention):
    """Luong's attention (Luong, Pham & Manning 2015, https://arxiv.org/abs/1508.04025).

    ======================  ==============================================================
    `score`                 score(q, k)
    ======================  ==============================================================
    "dot"                   ``q . k``
    "scaled_dot"            ``q . k / sqrt(d_k)`` (Vaswani et al. 2017)
    "general"               ``q W . k``, `kernel` W `(d_q, d_k)`
    "concat"                ``v . tanh([q; k] W)``, `kernel` W `(d_q + d_k, units)`, `v` `(units,)`
    ======================  ==============================================================

    `keras.layers.Attention` with `score_mode="concat"` has no W.

    Parameters
    ----------
    score : one of the four.
    units : for "concat" only; the size of the query if not given.
    """

    SCORES = "dot", "scaled_dot", "general", "concat"

    def __init__(self, score="general", units=None, **kwargs):
        super().__init__(**kwargs)
        if score not in self.SCORES:
            raise ValueError(f"`score` is one of {', '.join(self.SCORES)}. Received: score={score!r}")
        if units is not None and score != "concat":
            raise ValueError(f'`units` is the width of the "concat" score; {score!r} has none. Received: units={units}')
        self.score = score
        self.units = units if units is None else positive("units", units)

    def build(self, query_shape, value_shape, key_shape=None):
        d_q, d_k = query_shape[-1], (key_shape or value_shape)[-1]
        if self.score in ("dot", "scaled_dot") and d_q != d_k:
            raise ValueError(f'The score "{self.score}" multiplies query and key number by number: they must have one '
                             f'size. Received: query of size {d_q}, key of size {d_k}. "general" takes both.')
        if self.score == "general":
            self.kernel = self.add_weight(shape=(d_q, d_k), name="kernel")
        if self.score == "concat":
            width = self.units or d_q
            self.kernel = self.add_weight(shape=(d_q + d_k, width), name="kernel")
            self.v = self.add_weight(shape=(width,), initializer=keras.initializers.VarianceScaling(), name="v")

    def prepare(self, key):
        if self.score == "concat":  # [q; k] W is q times the upper rows plus k times the lower
            return ops.matmul(key, self.kernel[-key.shape[-1]:])
        return key

    def scores(self, query, prepared):
        if self.score == "concat":
            query = ops.matmul(query, self.kernel[:query.shape[-1]])
            return ops.sum(ops.tanh(ops.expand_dims(query, 2) + ops.expand_dims(prepared, 1)) * self.v, axis=-1)
        if self.score == "general":
            query = ops.matmul(query, self.kernel)
        elif self.score == "scaled_dot":
            query = query * (1 / prepared.shape[-1] ** 0.5)
        return ops.matmul(query, ops.transpose(prepared, (0, 2, 1)))

    def get_config(self):
        return {**super().get_config(), "score": self.score, "units": self.units}


@keras.saving.register_keras_serializable("unrolled")
class MultiHeadAttention(Attention):
    """Several scaled-dot attentions side by side (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762).

    Head j: ``softmax(Q_j K_j^T / sqrt(key_dim)) V_j`` with ``Q_j = q W^Q_j`` and so on; the heads are joined and go
    through one more matrix.

    Weights, in the order and shapes of `keras.layers.MultiHeadAttention`: query kernel `(d_q, heads, key_dim)` and bias
    `(heads, key_dim)`, the same for key and value, output kernel `(heads, value_dim, d_out)` and bias `(d_out,)`.

    The weights that `return_attention_scores` gives are `(batch, heads, queries, keys)`.

    Parameters
    ----------
    num_heads, key_dim : how many heads, and how wide each is.
    value_dim : width of a head's values; `key_dim` if not given.
    output_dim : d_out; the size of the query if not given.
    use_bias : whether the four products have a bias.
    dropout : share of the weights that is dropped while training.
    """

    def __init__(self, num_heads, key_dim, value_dim=None, output_dim=None, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = positive("num_heads", num_heads)
        self.key_dim = positive("key_dim", key_dim)
        self.value_dim = key_dim if value_dim is None else positive("value_dim", value_dim)
        self.output_dim = output_dim if output_dim is None else positive("output_dim", output_dim)
        self.use_bias = use_bias

    def build(self, query_shape, value_shape, key_shape=None):
        sizes = {"query": (query_shape[-1], self.key_dim), "key": ((key_shape or value_shape)[-1], self.key_dim),
                 "value": (value_shape[-1], self.value_dim)}
        for name, (features, width) in sizes.items():
            setattr(self, f"{name}_kernel", self._kernel(name, (features, self.num_heads, width)))
            setattr(self, f"{name}_bias", self._bias(name, (self.num_heads, width)))
        out = self.output_dim or query_shape[-1]
        self.output_kernel = self._kernel("output", (self.num_heads, self.value_dim, out))
        self.output_bias = self._bias("output", (out,))

    def _kernel(self, name, shape):
        # Glorot for the matrix that it is, not for its three axes.
        flat = (shape[0], shape[1] * shape[2]) if name != "output" else (shape[0] * shape[1], shape[2])
        glorot = keras.initializers.GlorotUniform()
        return self.add_weight(shape=shape, name=f"{name}_kernel",
                               initializer=lambda shape, dtype: ops.reshape(glorot(flat, dtype=dtype), shape))

    def _bias(self, name, shape):
        return self.add_weight(shape=shape, initializer="zeros", name=f"{name}_bias") if self.use_bias else None

    def _heads(self, name, x):
        """`(batch, T, features)` to `(batch, heads, T, width)`."""
        heads = ops.einsum("btd,dhw->bhtw", x, getattr(self, f"{name}_kernel"))
        bias = getattr(self, f"{name}_bias")
        return heads if bias is None else heads + ops.expand_dims(bias, 1)

    def keys_and_values(self, value, key=None):
        """What of the layer depends on keys and values alone: two tensors `(batch, heads, keys, width)`, to be kept."""
        return self._heads("key", value if key is None else key), self._heads("value", value)

    def attend_to(self, query, keys, values, mask=None, training=False):
        """Result `(batch, queries, d_out)` and weights for keys and values that `keys_and_values` made.

        mask : `(batch or 1, queries or 1, keys)`.
        """
        scores = ops.matmul(self._heads("query", query) * (1 / self.key_dim ** 0.5), ops.transpose(keys, (0, 1, 3, 2)))
        weights = masked_softmax(scores, None if mask is None else ops.expand_dims(mask, 1))
        kept = self.drop(weights, training=training) if self.drop is not None else weights
        out = ops.einsum("bhtw,hwd->btd", ops.matmul(kept, values), self.output_kernel)
        return (out if self.output_bias is None else out + self.output_bias), weights

    def prepare(self, key):
        raise NotImplementedError("MultiHeadAttention prepares keys and values together: `keys_and_values`.")

    def call(self, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
             use_causal_mask=False, return_attention_scores=False, training=False):
        mask = which_may_look(value_mask if value_mask is not None else key_mask, attention_mask,
                              causal=(query, value) if use_causal_mask else None)
        out, weights = self.attend_to(query, *self.keys_and_values(value, key), mask, training)
        return (out, weights) if return_attention_scores else out

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "key_dim": self.key_dim,
                "value_dim": self.value_dim, "output_dim": self.output_dim, "use_bias": self.use_bias}
