"""Every layer of the library at a small size, its counterpart in Keras, and gradients on each backend."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from unrolled import layers

B, T, D, U = 3, 5, 4, 6
SOURCE = 7  # steps of the memory that a decoder looks back at
# Examples of a property: JAX compiles every operation for every new shape, so it sees fewer.
EXAMPLES = 4 if keras.backend.backend() == "jax" else 15


def recurrent(**options) -> dict[str, keras.layers.Layer]:
    """The layers over `(batch, time, features)`, newly drawn; `options` are those of `Recurrent`."""
    both = {name: options.pop(name) for name in ("merge_mode",) if name in options}
    forward = {name: value for name, value in options.items() if name != "go_backwards"}
    return {
        "SimpleRNN": layers.SimpleRNN(U, **options),
        "LSTM": layers.LSTM(U, **options),
        "PeepholeLSTM": layers.PeepholeLSTM(U, **options),
        "GRU": layers.GRU(U, **options),
        "GRU, reset before": layers.GRU(U, reset_after=False, **options),
        "GRU, z on the new": layers.GRU(U, z_weighs="new", **options),
        "Bidirectional(LSTM)": layers.Bidirectional(layers.LSTM(U, **forward), **both,
                                                    **{k: v for k, v in options.items() if k == "dtype"}),
    }


def built_in(**options) -> dict[str, keras.layers.Layer]:
    """Keras's own, for those that have a counterpart."""
    forward = {name: value for name, value in options.items() if name != "go_backwards"}
    return {
        "SimpleRNN": keras.layers.SimpleRNN(U, **options),
        "LSTM": keras.layers.LSTM(U, **options),
        "GRU": keras.layers.GRU(U, **options),
        "GRU, reset before": keras.layers.GRU(U, reset_after=False, **options),
        "Bidirectional(LSTM)": keras.layers.Bidirectional(keras.layers.LSTM(U, **forward)),
    }


def attending(**options) -> dict[str, keras.layers.Layer]:
    """The layers that take a query `(batch, time, D)` and a memory `(batch, SOURCE, D)`."""
    dtype = {"dtype": options["dtype"]} if "dtype" in options else {}
    return {
        "AdditiveAttention": layers.AdditiveAttention(U, **options),
        "LuongAttention, dot": layers.LuongAttention("dot", **options),
        "LuongAttention, scaled_dot": layers.LuongAttention("scaled_dot", **options),
        "LuongAttention, general": layers.LuongAttention("general", **options),
        "LuongAttention, concat": layers.LuongAttention("concat", **options),
        "MultiHeadAttention": layers.MultiHeadAttention(2, 3, **options),
        "DecoderBlock": layers.DecoderBlock(2, U, **options),
        "AttentionDecoder, bahdanau": layers.AttentionDecoder(
            layers.GRUCell(U, **dtype), layers.AdditiveAttention(U, **dtype), "bahdanau", **dtype),
        "AttentionDecoder, luong": layers.AttentionDecoder(
            layers.LSTMCell(U, **dtype), layers.LuongAttention("general", **dtype), "luong", **dtype),
    }


def other(**options) -> dict[str, keras.layers.Layer]:
    """The layers over `(batch, time, features)` without a state."""
    dtype = {"dtype": options["dtype"]} if "dtype" in options else {}
    return {"SinusoidalPositions": layers.SinusoidalPositions(**dtype),
            "EncoderBlock": layers.EncoderBlock(2, U, **options)}


def draw(rng, *shape):
    return rng.normal(size=shape).astype("float32")


def random_weights(layer, rng) -> None:
    """Every weight drawn: zeros would hide a mistake."""
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))


def numpy(x):
    """Arrays of a result, in a flat list."""
    return [np.asarray(ops.convert_to_numpy(part), dtype="float32") for part in keras.tree.flatten(x)]


def gap(a, b) -> float:
    """The largest difference between two results of the same structure."""
    a, b = numpy(a), numpy(b)
    assert [x.shape for x in a] == [x.shape for x in b]
    return max(float(np.max(np.abs(x - y), initial=0)) for x, y in zip(a, b, strict=True))


def gradients(layer, call, *inputs) -> list[np.ndarray]:
    """Of the mean square of all that `call(layer, *inputs)` gives, by the layer's weights and by the inputs."""
    def loss(result):
        return sum(ops.mean(ops.square(ops.cast(part, "float32"))) for part in keras.tree.flatten(result))

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tensors = [tf.constant(x) for x in inputs]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = loss(call(layer, *tensors))
        found = tape.gradient(value, [w.value for w in layer.trainable_weights] + tensors)
    elif keras.backend.backend() == "jax":
        import jax

        def by(weights, tensors):
            with keras.StatelessScope(list(zip(layer.trainable_variables, weights, strict=True))):
                return loss(call(layer, *tensors))

        found = keras.tree.flatten(jax.grad(by, argnums=(0, 1))(
            [w.value for w in layer.trainable_variables], [ops.convert_to_tensor(x) for x in inputs]))
    else:
        tensors = [ops.convert_to_tensor(x).clone().requires_grad_(True) for x in inputs]
        layer.zero_grad()
        loss(call(layer, *tensors)).backward()
        found = [w.value.grad for w in layer.trainable_weights] + [t.grad for t in tensors]
    return [np.asarray(ops.convert_to_numpy(g)) for g in found]
