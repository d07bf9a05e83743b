"""Probes of lesson 00: an affine map, a layer, a masked mean."""

from __future__ import annotations

import numpy as np

NOT_A_NUMBER = 999.0  # stands in for what is not finite, so that it can be told apart from a missing value


def affine(affine_map, case):
    """x W + b on float32 arrays."""
    return {"y": affine_map(*(case.float32(k) for k in ("x", "W", "b")))}


def layer(Affine, case):
    """Facts about the layer as numbers, one case at a time: weights, values, configuration, a copy."""
    units = int(case["units"])
    if "x" not in case:
        config = Affine(units, use_bias=False, name="scores").get_config()
        return {"units": config.get("units", -1), "use_bias": int(config.get("use_bias", -1)),
                "name kept": int(config.get("name") == "scores")}
    x = case.float32("x")
    if "copied" in case:
        copy = Affine.from_config(Affine(units, use_bias=False, name="scores").get_config())
        copy(x)
        return {"number of weights": len(copy.weights)}
    if "W" not in case:
        return _weights(Affine(units), x)
    made = Affine(units) if case["use_bias"] else Affine(units, use_bias=False)
    made(x)
    made.set_weights([case.float32(k) for k in ("W", "b") if k in case])
    return {"y": made(x)}


def _weights(made, x):
    made(x)
    made(x)
    matrices = [w for w in made.weights if len(w.shape) == 2]
    biases = [np.asarray(w) for w in made.weights if len(w.shape) == 1]
    return {"number of weights": len(made.weights),
            "kernel shape": list(matrices[0].shape) if matrices else [-1, -1],
            "kernel at the start": float(np.any(np.asarray(matrices[0]))) if matrices else -1.0,
            "bias at the start": float(np.any(biases[0])) if biases else -1.0}


def mask_mean(mean, case):
    """The mean over valid steps; what is not a number becomes 999, so that it can be named."""
    result = np.asarray(mean(case.float32("x"), case["mask"]))
    return {"mean": np.nan_to_num(result, nan=NOT_A_NUMBER, posinf=NOT_A_NUMBER, neginf=NOT_A_NUMBER)}
