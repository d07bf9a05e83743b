"""Probes of lesson 02: the recurrent cell and its four architectures."""

from __future__ import annotations


def _f32(case, *names):
    return [case.float32(name) for name in names]


def step(rnn_step, case):
    """One step: h from (x, h, W, U, b)."""
    return {"h": rnn_step(*_f32(case, "x", "h", "W", "U", "b"))}


def concat_form(concat_form, case):
    """The joined matrix and the new state from (x, h, W, U, b)."""
    V, h = concat_form(*_f32(case, "x", "h", "W", "U", "b"))
    return {"V": V, "h": h}


def unroll(unroll, case):
    """All states and the last one from (x, h0, W, U, b)."""
    states, last = unroll(*_f32(case, "x", "h0", "W", "U", "b"))
    return {"states": states, "last": last}


def layer(cls, case):
    """The layer in one of its uses, with W, U and b copied into it."""
    x, W, U, b = _f32(case, "x", "W", "U", "b")
    use = str(case["use"])

    def made(**arguments):
        new = cls(b.size, **arguments)
        new.build(x.shape)
        return _with_weights(new, W, U, b)

    if use == "last":
        return {"y": made()(x)}
    if use == "initial":
        return {"y": made(return_sequences=True)(x, initial_state=case.float32("initial"))}
    if use == "mask":
        rnn = made(return_sequences=True)
        passed_on = bool(rnn.supports_masking) and rnn.compute_mask(x, case["mask"]) is not None
        return {"y": rnn(x, mask=case["mask"]), "passed on": float(passed_on)}
    if use == "stateful":
        rnn = made(return_sequences=True, stateful=True)
        return {"first": rnn(x), "second": rnn(x)}
    if use == "config":
        first = made(return_sequences=True, stateful=True)
        second = cls.from_config(first.get_config())
        second.build(x.shape)
        return {"y": _with_weights(second, W, U, b)(x), "units": second.units,
                "return_sequences": float(second.return_sequences), "stateful": float(second.stateful)}
    return {"y": made(return_sequences=True)(x)}


def _with_weights(layer, *values):
    found = layer.trainable_weights
    if len(found) != len(values):
        raise ValueError(f"the layer should have 3 trainable weights (W, U, b) after build; "
                         f"it has {len(found)} trainable weights")
    for weight, value in zip(found, values, strict=True):
        weight.assign(value)
    return layer


def last_valid(last_valid, case):
    """One state a sequence from (states, mask)."""
    return {"y": last_valid(case.float32("states"), case["mask"])}


def many_to_many_loss(masked_loss, case):
    """The mean loss from (targets, logits, mask)."""
    return {"loss": masked_loss(case["targets"], case.float32("logits"), case["mask"])}


def one_to_many(one_to_many, case):
    """Logits and symbols of a greedy run."""
    weights = _f32(case, "E", "W", "U", "b", "Wo", "bo")
    logits, ids = one_to_many(case.float32("h"), int(case["start"]), int(case["steps"]), *weights)
    return {"logits": logits, "ids": ids}


def sample(sample, case):
    """Probabilities and chosen symbols from (logits, temperature, r)."""
    p, ids = sample(case.float32("logits"), float(case["temperature"]), case.float32("r"))
    return {"p": p, "id": ids}
