"""Probes of lesson 06: reading in both directions, and word segmentation."""

from __future__ import annotations

import numpy as np

from unrolled.probes import text

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


def layer(BiRNN, case):
    """The layer's outputs at the valid steps, or facts about it: parameters, what loading restores."""
    import keras

    made = {"gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell}[text(case["cell"])]
    if "x" not in case:
        return _facts(BiRNN, made, case)
    made = BiRNN(made(case["U_forward"].shape[0]), merge_mode=text(case["mode"]))
    x = keras.ops.convert_to_tensor(case.float32("x"))
    _build(made, x)
    for way in WAYS:
        getattr(made, f"{way}_cell").set_weights([case[f"{name}_{way}"] for name in "WUb"])
    if "mask" not in case:
        return {"y": made(x)}
    y = made(x, mask=keras.ops.convert_to_tensor(case["mask"]))
    # Keras keeps a tensor's mask on the tensor.
    return {"y": _valid(y, case["mask"]), "mask_goes_on": getattr(y, "_keras_mask", None) is not None}


def _build(layer, x):
    """Build without reading anything, if the layer's `build` makes its cells' weights; else by a call."""
    for way in WAYS:
        if not hasattr(layer, f"{way}_cell"):
            raise AttributeError("keep your cells as self.forward_cell and self.backward_cell: "
                                 f"{way}_cell is missing")
    layer.build(x.shape)
    if not (layer.forward_cell.built and layer.backward_cell.built):
        layer.built = False
        layer(x)


def _facts(BiRNN, make_cell, case):
    import keras

    layer = BiRNN(make_cell(int(case["u"])), merge_mode=text(case["mode"]))
    _build(layer, np.zeros((1, 2, int(case["D"])), "float32"))
    # The way a .keras file goes: objects to plain dictionaries and back.
    written = keras.saving.serialize_keras_object(layer)
    # An older class of that name may be registered, from a cell that was run before.
    with keras.saving.custom_object_scope({keras.saving.get_registered_name(BiRNN): BiRNN}):
        again = keras.saving.deserialize_keras_object(written)
    return {
        "parameters": layer.count_params(),
        "units_restored": again.forward_cell.units,
        "merge_mode_restored": again.merge_mode == layer.merge_mode,
    }


def final_state(final_state, case):
    """One vector a row from the two directions' outputs."""
    return {"h": final_state(*(case.float32(way) for way in WAYS), case["mask"])}


def bmes_decode(bmes_decode, case):
    """The words' lengths, and whether every character is still there."""
    characters = text(case["characters"])
    words = bmes_decode(characters, text(case["tags"]))
    if words is None:
        raise TypeError("bmes_decode returned None: does it return the list of words?")
    words = list(words)
    if not all(isinstance(word, str) for word in words):
        raise TypeError("bmes_decode should return a list of words, each a string")
    return {"lengths": np.array([len(word) for word in words], int), "all_kept": "".join(words) == characters}


def f1(word_f1, case):
    """Precision, recall and F1 over several sentences, each a list of words."""
    gold, predicted = ([line.split("/") for line in text(case[key]).split("\n")] for key in ("gold", "predicted"))
    precision, recall, f1 = word_f1(gold, predicted)
    return {"precision": precision, "recall": recall, "f1": f1}


def _valid(y, mask):
    """`y` with zeros in the padding; as it is, if its shape is another."""
    y = np.asarray(y)
    return np.where(mask[..., None], y, 0) if y.ndim == 3 and y.shape[:2] == mask.shape else y
