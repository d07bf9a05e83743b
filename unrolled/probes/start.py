"""Probes of lesson 00: an affine map, a layer, a masked mean."""

from __future__ import annotations

import keras
import numpy as np

from unrolled.probes import codes, gradients, text


def affine(affine_map, case):
    """x W + b on float32 arrays."""
    return {"y": affine_map(*(case.float32(k) for k in ("x", "W", "b")))}


def layer(Affine, case):
    """The layer's weights, its outputs, its configuration or a copy of it, one case at a time."""
    units = int(case["units"])
    if "x" not in case:
        config = Affine(units, use_bias=False, name=text(case["name"])).get_config()
        return {"units": config.get("units", -1), "use_bias": config.get("use_bias", -1),
                "name": codes(config.get("name") or "?")}
    x = case.float32("x")
    if "W" not in case:
        made = Affine(units)
        made(x)
        made(x)
        found = {f"w{i}": np.asarray(weight) for i, weight in enumerate(made.weights)}
        return found | {"number of weights": [len(made.weights), len(made.trainable_weights)]}
    if "use_bias" not in case:
        made = Affine.from_config(Affine(units, use_bias=False, name="scores").get_config())
    else:
        made = Affine(units) if case["use_bias"] else Affine(units, use_bias=False)
    weights = [case.float32(k) for k in ("W", "b") if k in case]
    if "direction" not in case:
        made(x)
        made.set_weights(weights)
        return {"y": made(x)}
    inputs = keras.Input((None, x.shape[-1]))
    model = keras.Model(inputs, made(inputs))
    made.set_weights(weights)
    return {"y": made(x), "any T": model(x)} | gradients(made, x, case.float32("direction"))


def mask_mean(mean, case):
    """The mean over valid steps."""
    return {"mean": mean(case.float32("x"), case["mask"])}
