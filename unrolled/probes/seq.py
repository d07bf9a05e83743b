"""Probes of lesson 01: counting, looking up, windows, AR(p), hidden Markov models."""

from __future__ import annotations

import keras
import numpy as np

from unrolled.probes import gradients


def bag_of_words(bag, case):
    """Counts of each word in each sentence."""
    return {"counts": bag(case["ids"], int(case["V"]))}


def perplexity(of, case):
    """The perplexity of a batch of sentences, one number."""
    with np.errstate(all="ignore"):  # an infinite perplexity is an answer
        return {"perplexity": of(case["log_p"], case["words"])}


def embedding(WordVectors, case):
    """The layer with given weights: its vectors and its mask; its own weights; what its configuration holds; a copy."""
    layer = WordVectors(int(case["V"]), int(case["d"]))
    if "ids" not in case:
        config = layer.get_config()
        return {"vocabulary": config.get("vocabulary", -1), "dimension": config.get("dimension", -1)}
    ids = case.watch("ids", case["ids"].astype("int32"))
    if "E" not in case:
        layer(ids)
        found = {f"w{i}": np.asarray(weight) for i, weight in enumerate(layer.weights)}
        return found | {"number of weights": [len(layer.weights), len(layer.trainable_weights)]}
    if "copied" in case:
        layer = WordVectors.from_config(layer.get_config())
    model = None
    if "direction" in case:
        inputs = keras.Input((None,), dtype="int32")
        model = keras.Model(inputs, layer(inputs))
    layer(ids)
    layer.set_weights([case.float32("E")])
    if "copied" in case:
        return {"vectors": layer(ids)}
    mask = layer.compute_mask(ids, None)
    found = {"vectors": layer(ids), "mask": np.array(-1) if mask is None else mask}
    if model is None:
        return found
    return found | {"in a model": model(ids)} | gradients(layer, ids, case.float32("direction"))


def windows(make_windows, case):
    """Windows and targets of a series of shape (time, D)."""
    horizon = [int(case["horizon"])] if "horizon" in case else []
    X, y = make_windows(case["series"], int(case["width"]), *horizon)
    return {"X": X, "y": y}


def ar_fit(fit, case):
    """Intercept and coefficients of a series of shape (time,)."""
    c, a = fit(case["series"], int(case["p"]))
    return {"c": np.reshape(c, np.shape(c) if np.size(c) > 1 else ()), "a": a}


def hmm_forward(forward, case):
    """log alpha (T, S) and the log-likelihood."""
    with np.errstate(all="ignore"):  # whoever takes the logarithm of 0 is told so by the check
        log_alpha, log_likelihood = forward(case["log_start"], case["log_trans"], case["log_emit"])
    return {"log_alpha": log_alpha, "log_likelihood": log_likelihood}


def viterbi(decode, case):
    """The best path (T,) and its log-probability."""
    path, log_prob = decode(case["log_start"], case["log_trans"], case["log_emit"])
    return {"path": path, "log_prob": log_prob}
