"""The layer: states, masks, a memory between calls, its place in a model, its config."""

from __future__ import annotations

import numpy as np

from autograde.judging.common import mistake, random_word, sizes, told, weights
from autograde.judging.exercise import Aspect, Case, Exercise, Raises
from unrolled.probes import codes


def layer_cases(rng):
    def case(about, B=None, T=None, **more):
        drawn = sizes(rng, 4, 3, 6)
        B, T, (D, u) = B or drawn[0], T or drawn[1], drawn[2:]
        given = {"x": rng.normal(size=(B, T, D))} | weights(rng, D, u) | {"sequences": True, "stateful": False}
        for name, value in more.items():
            given[name] = value(B, T, D, u) if callable(value) else value
        return Case(given, about=f"{told(B=B, T=T, D=D, u=u)}, {about}")

    def state(B, T, D, u):
        return rng.uniform(-0.8, 0.8, (B, u))

    def other(B, T, D, u):
        return rng.normal(size=(B, T + 1, D))

    def mask(B, T, D, u):
        """A gap and padding behind it; a row of padding only; padding in front; the rest at random."""
        valid = rng.random((B, T)) < 0.6
        valid[0], valid[1], valid[2] = True, False, True
        valid[0, 1] = valid[0, -1] = valid[2, 0] = False
        return valid

    def name(B, T, D, u):
        return codes(random_word(rng))

    def symbols(B, T, D, u):
        ids = rng.integers(1, 9, (B, T))
        ids[0, -1] = ids[1, 1:] = 0
        return ids

    return {
        "sequences": case("return_sequences=True, the same layer called twice", x2=other),
        "last": case("return_sequences=False, a batch of one", B=1, sequences=False),
        "initial": case("an initial_state, sequences of a single step", T=1, initial=state),
        "mask": case("an initial_state and a mask: a gap, padding at either end, one sequence all padding",
                     initial=state, mask=mask),
        "last mask": case("return_sequences=False, a mask", sequences=False, mask=mask),
        "stateful": case("stateful=True, called four times: plainly, with a mask, with an initial_state, plainly",
                         stateful=True, initial=state, mask=mask),
        "sequences config": case("made from the get_config() of a layer with return_sequences=True", name=name),
        "stateful config": case("made from the get_config() of a layer with stateful=True, called twice",
                                sequences=False, stateful=True, name=name),
        "model": case("in a model after Embedding(mask_zero=True), built for any batch size, and its gradients",
                      sequences=False, ids=symbols, E=lambda B, T, D, u: rng.normal(size=(9, D)),
                      R=lambda B, T, D, u: rng.normal(size=(B, u))),
    }


def states_of(case, x, h, valid, mask="hold", carry=True):
    """All states over x, those shown and the last one; `mask` and `carry` are ways to get them wrong."""
    start, states, shown = h, [], []
    for t in range(x.shape[1]):
        keep = valid[:, t, None]
        x_t = x[:, t] * keep if mask == "input" else x[:, t]
        new = np.tanh(x_t @ case["W"] + (h if carry else start) @ case["U"] + case["b"])
        if mask in ("hold", "inverted", "zero output"):
            new = np.where(keep, new, h)
        elif mask == "zero state":
            new = new * keep
        h = new
        states.append(h)
        shown.append(h * keep if mask == "zero output" else h)
    return np.stack(shown, axis=1), states


def along(array):
    """An array as one number that every entry has a part in."""
    return (array * np.cos(np.arange(1, array.size + 1)).reshape(array.shape)).sum()


def slope(output, case, name, eps=1e-6):
    """The gradient of the sum of R times output(case) by the weight `name`, seen `along`: a central difference."""
    step = eps * np.cos(np.arange(1, case[name].size + 1)).reshape(case[name].shape)
    up, down = ((case["R"] * output(case | {name: case[name] + s})).sum() for s in (step, -step))
    return (up - down) / (2 * eps)


def layer(case, initial=True, mask="hold", carry=True, sequences=None, remembers="stateful", memory="weight",
          config=True, trainable=3, order="W, U, b", passed_on="sequences", any_batch=True,
          keeps_name=True):
    """What the probe collects from the layer; each keyword is a way to get it wrong."""
    x, u = case["x"], len(case["b"])
    B = len(x)
    if trainable < 3 or (trainable > 3 and case["stateful"]):
        return Raises("ValueError", f"{trainable} trainable weights")
    if order != "W, U, b":
        return Raises("ValueError", "in the order W, U, b")
    if case.name == "model" and not any_batch:
        return Raises("ValueError|TypeError", "None")
    stateful, shows_all = bool(case["stateful"]), bool(case["sequences"])
    if case.name == "sequences config" and config in (False, "sequences"):
        shows_all = False
    if case.name == "stateful config" and config in (False, "stateful"):
        stateful = False
    kept = np.zeros((B, u))

    def call(x, given=None, valid=None):
        nonlocal kept
        start = given if given is not None and initial else kept
        seen = np.ones(x.shape[:2], bool) if valid is None else valid ^ (mask == "inverted")
        shown, states = states_of(case, x, start, seen, mask, carry)
        if remembers == "always" or (remembers == "stateful" and stateful):
            kept = states[-1]
        return shown if (shows_all if sequences is None else sequences) else states[-1]

    def last(case, x, valid):
        return states_of(case, x, np.zeros((B, u)), valid ^ (mask == "inverted"), mask, carry)[1][-1]

    given, valid = case.get("initial"), case.get("mask")
    found = {}
    if case.name == "stateful":
        found = {"first": call(x), "masked": call(x, valid=valid), "given": call(x, given), "fourth": call(x)}
        memory_kept = {"weight": kept.ravel(), "unused": np.zeros(B * u), "none": np.zeros(0)}[memory]
        return found | {"memory": memory_kept}
    if case.name.endswith("config"):
        found = {"y": call(x)} | ({"again": call(x)} if case["stateful"] else {})
        return found | {"name kept": keeps_name}
    if case.name == "model":
        x, valid = case["E"][case["ids"]], case["ids"] != 0
        found = {"y": call(x, valid=valid)}
        return found | {f"d{name}": slope(lambda moved: last(moved, x, valid), case, name) for name in "WUb"}
    found["y"] = call(x, given, valid)
    if "x2" in case:
        found["again"] = call(case["x2"])
    if "mask" in case:
        goes_on = passed_on == "always" or (passed_on == "sequences" and bool(case["sequences"]))
        found["mask"] = valid if goes_on else np.zeros(0)
    return found


def facts(case, arrays):
    """The gradients in the model as one number each, and whether the name survived its config; the rest as it came."""
    found = {key: value for key, value in arrays.items() if key != "name"}
    if case.name.endswith("config"):
        found["name kept"] = np.array_equal(arrays["name"], case["name"])
    if case.name == "model":
        for name in "WUb":
            if arrays[f"d{name}"].shape != case[name].shape:
                raise ValueError(f"the gradient of {name} should have shape {case[name].shape}")
            found[f"d{name}"] = along(arrays[f"d{name}"])
    return found


LAYER = Exercise(
    id="rnn.layer",
    title="A SimpleRNN layer",
    cases=layer_cases,
    reference=layer,
    derive=facts,
    aspects=(
        Aspect("states", 2, on=("sequences/*",),
               ask="Copy W, U and b into `unroll` and compare step by step."),
        Aspect("last state only", 1, on=("last/*",)),
        Aspect("initial state", 1, on=("initial/*",), ask="Where does `initial_state` enter the loop?"),
        Aspect("mask", 2, on=("mask/y", "last mask/y"),
               ask="At a step that does not count, what should h be afterwards?"),
        Aspect("mask for the next layer", 1, on=("*mask/mask",),
               ask="Which mask belongs to all states, and which to the last one alone?"),
        Aspect("stateful", 1, on=("stateful/*",),
               ask="Where does each call's first step start, and where is that kept?"),
        Aspect("in a model", 1, on=("model/*",), ask="A model is built before it knows how many sequences will come."),
        Aspect("get_config round trip", 1, on=("*config/*",),
               ask="Does get_config return all that __init__ took, what `super()` took included?"),
    ),
    misconceptions=(
        mistake(layer, "initial state ignored",
              "`initial_state` is accepted but not used: start the loop from it when it is given.",
              initial=False),
        mistake(layer, "mask ignored",
              "The mask changes nothing: at a step where it is False, h has to stay as it was.",
              mask="ignored"),
        mistake(layer, "mask multiplies the state",
              "You multiply h by the mask, so a masked step erases the memory; it must *keep* the state "
              "before it.", mask="zero state"),
        mistake(layer, "mask multiplies the input",
              "You set masked inputs to zero, but a step on zeros still changes h: keep the old state "
              "instead.", mask="input"),
        mistake(layer, "mask inverted",
              "The mask is read the wrong way round: in Keras True marks a step that counts.",
              mask="inverted"),
        mistake(layer, "outputs at masked steps set to zero",
              "The state is held, but the output at a masked step is zero; like Keras, repeat the last "
              "valid state.", mask="zero output"),
        mistake(layer, "mask not passed on",
              "Later layers lose the mask: set `self.supports_masking = True` in __init__, or return the mask from "
              "compute_mask.", passed_on="never"),
        mistake(layer, "mask passed on with the last state",
              "With return_sequences=False there are no steps left, yet the mask of T steps goes on: compute_mask has "
              "to return None then.", passed_on="always"),
        mistake(layer, "state not carried",
              "Every step starts from the initial state again: hand the new h to the next step.",
              carry=False),
        mistake(layer, "always the last state",
              "`return_sequences=True` has to give all T states, (B, T, u).", sequences=False),
        mistake(layer, "always all states",
              "`return_sequences=False` has to give the last state only, (B, u).", sequences=True),
        *(mistake(layer, "stateful without memory",
                "With `stateful=True` the second call has to start where the first one ended: store h in a "
                "non-trainable weight.", remembers="never", memory=memory) for memory in ("unused", "none")),
        mistake(layer, "remembers without being stateful",
              "The second call of a layer that is not stateful starts where the first one ended: keep h only if "
              "`stateful` is True.", remembers="always"),
        mistake(layer, "memory is not a weight",
              "The stored state is an attribute, not a weight, so it is neither saved nor seen by Keras: make it with "
              "`self.add_weight(..., trainable=False)`.", memory="none"),
        mistake(layer, "memory is trainable",
              "The stored state is a trainable weight, so the optimiser would change it: use "
              "`trainable=False`.", trainable=4),
        mistake(layer, "no bias weight",
              "The layer has only two trainable weights: `build` must make all three, W, U and b.", trainable=2),
        mistake(layer, "weights in another order",
              "Make the weights in the order W, U, b: first the one for the input (D, u).", order="other"),
        mistake(layer, "built for one batch size",
              "Your layer needs to know the batch size while a model is built, when it is None: use ops.shape(x)[0], "
              "or start from ops.zeros_like of something (B, u).", any_batch=False),
        mistake(layer, "return_sequences missing from get_config",
              "get_config leaves out `return_sequences`, so a loaded layer falls back to the default.",
              config="sequences"),
        mistake(layer, "stateful missing from get_config",
              "get_config leaves out `stateful`, so a loaded layer forgets between calls.", config="stateful"),
        mistake(layer, "only units in get_config",
              "get_config leaves out `return_sequences` and `stateful`, so a loaded layer falls back to the defaults.",
              config=False),
        mistake(layer, "get_config without super",
              "get_config drops what every Keras layer has, such as its name: start from `super().get_config()`.",
              keeps_name=False),
    ),
    forbids=("keras.layers.SimpleRNN", "keras.layers.SimpleRNNCell", "keras.layers.RNN"),
)
