"""Probes of lesson 06: reading in both directions, and word segmentation."""

from __future__ import annotations

import keras
import numpy as np

from unrolled.probes import codes, gradients_along, text

WAYS = ("forward", "backward")


def reverse_valid(reverse_valid, case):
    """The reversed sequence."""
    return {"y": reverse_valid(case.float32("x"), case["mask"])}


def merge(merge, case):
    """Two outputs merged; for None, both of them, or what came in their place."""
    mode = text(case["mode"])
    forward, backward = (case.float32(way) for way in WAYS)
    y = merge(forward, backward, None if mode == "None" else mode)
    if mode != "None":
        return {"y": y}
    if not isinstance(y, list | tuple):
        return {"forward": y}
    if len(y) != 2:
        raise ValueError(f"merge returned {len(y)} things; two outputs were expected")
    return dict(zip(WAYS, y, strict=True))


@keras.saving.register_keras_serializable("unrolled")
class Leaky(keras.layers.Layer):
    """A cell that Keras does not know, with one state and one setting: h = leak · h + tanh(x W + h U + b)."""

    def __init__(self, units, leak=0.5, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units
        self.leak = leak

    def build(self, shape):
        for name, rows in (("W", shape[-1]), ("U", self.units)):
            setattr(self, name, self.add_weight(shape=(rows, self.units), name=name))
        self.b = self.add_weight(shape=(self.units,), name="b")

    def call(self, x, states, training=None):
        (h,) = states
        h = self.leak * h + keras.ops.tanh(keras.ops.matmul(x, self.W) + keras.ops.matmul(h, self.U) + self.b)
        return h, [h]

    def get_initial_state(self, batch_size=None):
        return [keras.ops.zeros((batch_size, self.units))]

    def get_config(self):
        return {**super().get_config(), "units": self.units, "leak": self.leak}


KINDS = {"gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell, "leaky": Leaky}


def layer(BiRNN, case):
    """The layer in one of its uses, with all weights copied into it."""
    x, mode = case.float32("x"), text(case["mode"])
    settings = {"leak": float(case["leak"])} if "leak" in case else {}
    if "sigmoid" in case:
        settings["activation"] = "sigmoid"
    cell = KINDS[text(case["cell"])](case["U_forward"].shape[0], **settings)
    named = {"name": text(case["name"])} if "name" in case else {}
    made = BiRNN(cell, merge_mode=None if mode == "None" else mode, **named)
    if "symbolic" in case:
        inputs, mask = keras.Input(batch_shape=x.shape), keras.Input(batch_shape=x.shape[:2], dtype="bool")
        model = keras.Model([inputs, mask], made(inputs, mask=mask))
        y, found = gradients_along(lambda: model([x, case["mask"]]), _fill(made, case))
        return {"y": y, "trainable": sorted(np.size(w) for w in made.trainable_weights)} | found
    _build(made, x.shape)
    if named:
        made = _restored(made)
    _fill(made, case)
    x = keras.ops.convert_to_tensor(x)
    if "twice" in case:
        made(-x[:, :1])
    y = made(x, **({"mask": keras.ops.convert_to_tensor(case["mask"])} if "mask" in case else {}))
    found = {"name": codes(made.name)} if named else {}
    if mode == "None":
        return dict(zip(WAYS, y if isinstance(y, list | tuple) else [y], strict=False)) | found
    if "mask" in case:
        handed_on = getattr(y, "_keras_mask", None)  # Keras keeps a tensor's mask on the tensor
        found["mask handed on"] = np.zeros(0) if handed_on is None else handed_on
    return {"y": y} | found


def _cells(layer):
    missing = [f"{way}_cell" for way in WAYS if not hasattr(layer, f"{way}_cell")]
    if missing:
        raise AttributeError(f"keep your cells as self.forward_cell and self.backward_cell: {missing[0]} is missing")
    return layer.forward_cell, layer.backward_cell


def _build(layer, shape):
    """Build without reading anything, if the layer's `build` makes its cells' weights; else by a call."""
    cells = _cells(layer)
    layer.build(shape)
    if not all(cell.built for cell in cells):
        layer.built = False
        layer(np.zeros(shape, "float32"))


def _fill(layer, case):
    """Copy the case's weights into both cells; returns the layer's, by their names in the case."""
    found = {}
    for way, cell in zip(WAYS, _cells(layer), strict=True):
        names = [f"{name}_{way}" for name in "WUb"]
        cell.set_weights([case.float32(name) for name in names])
        found |= dict(zip(names, cell.weights, strict=True))
    return found


def _restored(layer):
    """The layer as it comes back from a .keras file: objects to plain dictionaries and back."""
    written = keras.saving.serialize_keras_object(layer)
    # An older class of that name may be registered, from a cell that was run before.
    with keras.saving.custom_object_scope({keras.saving.get_registered_name(type(layer)): type(layer)}):
        return keras.saving.deserialize_keras_object(written)


def final_state(final_state, case):
    """One vector a row from the two directions' outputs."""
    return {"h": final_state(*(case.float32(way) for way in WAYS), case["mask"])}


def bmes_decode(bmes_decode, case):
    """The words, one after the other, each followed by a slash."""
    words = bmes_decode(text(case["characters"]), text(case["tags"]))
    if words is None:
        raise TypeError("bmes_decode returned None: does it return the list of words?")
    words = list(words)
    if not all(isinstance(word, str) for word in words):
        raise TypeError("bmes_decode should return a list of words, each a string")
    return {"words": codes("".join(f"{word}/" for word in words))}


def f1(word_f1, case):
    """Precision, recall and F1 over several sentences, each a list of words."""
    gold, predicted = (case.watch(name, [line.split("/") for line in text(case[name]).split("\n")])
                       for name in ("gold", "predicted"))
    precision, recall, f1 = word_f1(gold, predicted)
    return {"precision": precision, "recall": recall, "f1": f1}
