"""Oracle of lesson 00: an affine map, a layer made of it, and a mean that knows about padding."""

from __future__ import annotations

import numpy as np

from autograde.judging.common import mistakes
from autograde.judging.exercise import SHAPES_CLASH, Aspect, Case, Exercise, Raises
from unrolled.probes.start import NOT_A_NUMBER

LESSON = "00_start_here"


# --- start.affine ------------------------------------------------------------------------------------------

def affine_cases(rng):
    def case(about, B, T, D, u):
        return Case({"x": rng.normal(size=(B, T, D)), "W": rng.normal(size=(D, u)), "b": rng.normal(size=u) + 0.5},
                    about=f"x of shape ({B}, {T}, {D}), W of shape ({D}, {u}), {about}")
    return {
        "sequence": case("random numbers", 2, 5, 3, 7),
        "square": case("as many outputs as inputs", 3, 7, 5, 5),
    }


def affine(case, transposed=False, bias="after", squash=lambda z: z, keep=lambda y: y):
    """x W + b for every step of every sequence; each keyword is a way to get it wrong."""
    x, W, b = case["x"], case["W"], case["b"]
    square = W.shape[0] == W.shape[1]
    if (transposed or bias == "before") and not square:
        return Raises(SHAPES_CLASH)
    if bias == "before":
        return {"y": (x + b) @ W}
    return {"y": keep(squash(x @ (W.T if transposed else W) + (b if bias == "after" else 0)))}


AFFINE = Exercise(
    id="start.affine",
    title="An affine map over a batch of sequences",
    cases=affine_cases,
    reference=affine,
    aspects=(
        Aspect("shape", 0.5, shape_only=True, ask="Write the three shapes beside each other: (B, T, D) and "
               "(D, u) give (B, T, u). The axis they share, D, is summed away."),
        Aspect("values", 1, on=("sequence/*",), ask="Work out one number of y by hand: one row of x, times "
               "one column of W, plus one entry of b."),
        Aspect("a square W", 0.5, on=("square/*",), ask="When W is square, a swapped axis raises no error."),
    ),
    misconceptions=mistakes(
        affine,
        ("bias left out", "The bias `b` is never added: the map is x W + b.",
         {"bias": "never"}),
        ("W transposed", "W is transposed. It already has the shape (inputs, outputs), so `x @ W` is right "
         "as it stands. Where W is not square this stops with an error; where it is square nothing warns "
         "you.",
         {"transposed": True}),
        ("bias added first", "The bias is added to x before the multiplication. It belongs to the outputs: "
         "multiply first, then add b.", {"bias": "before"}),
        ("an activation too many", "The result went through tanh. An affine map is only x W + b; "
         "activations come later in the course.", {"squash": np.tanh}),
        ("only the last step", "Only the last time step was kept. The map is applied at every step: three "
         "axes go in, three come out.", {"keep": lambda y: y[:, -1]}),
        ("summed over time", "The time steps were added up. The map treats each step on its own; the time "
         "axis stays.", {"keep": lambda y: y.sum(axis=1)}),
    ),
)


# --- start.layer -------------------------------------------------------------------------------------------

def layer_cases(rng):
    B, T, D, u = 2, 7, 3, 5
    x, W, b = rng.normal(size=(B, T, D)), rng.normal(size=(D, u)), rng.normal(size=u) + 0.5
    shared = {"x": x, "units": u}
    return {
        "weights": Case(shared, about=f"Affine({u}) called twice on an x of shape ({B}, {T}, {D})"),
        "call": Case(shared | {"W": W, "b": b, "use_bias": True}, about=f"Affine({u}) with given weights"),
        "no bias": Case(shared | {"W": W, "use_bias": False}, about=f"Affine({u}, use_bias=False) with a given W"),
        "config": Case({"units": u}, about=f"Affine({u}, use_bias=False, name='scores').get_config()"),
        "copy": Case(shared | {"copied": True}, about="a layer made again from its configuration"),
    }


def layer(case, made="build", kernel="(D, u)", kernel_start=1.0, bias_start=0.0, adds_bias="if asked",
          config="complete", keywords=True):
    """Facts about the layer, as numbers; each keyword is a way to get it wrong."""
    D, u = case["x"].shape[-1] if "x" in case else 0, int(case["units"])
    in_call = Raises("ValueError", "already built")
    wrong_axis = Raises("InvalidArgumentError", "Matrix size-incompatible")
    if case.name == "weights":
        if made == "call":
            return in_call
        if kernel == "(T, u)":
            return wrong_axis
        if made == "plain tensors":
            return {"number of weights": 0, "kernel shape": [-1, -1], "kernel at the start": -1.0,
                    "bias at the start": -1.0}
        shape = [D, u] if kernel == "(D, u)" else [u, D]
        biases = adds_bias != "never"
        return {"number of weights": 1 + biases, "kernel shape": shape, "kernel at the start": kernel_start,
                "bias at the start": bias_start if biases else -1.0}
    if case.name in ("call", "no bias"):
        if made == "call":
            return in_call
        if kernel == "(T, u)":
            return wrong_axis
        asked = bool(case["use_bias"])
        has = {"if asked": asked, "always": True, "never": False}[adds_bias]
        if made == "plain tensors" or kernel == "(u, D)" or has != asked:
            return Raises("ValueError", "weight")  # set_weights does not fit
        y = case["x"] @ case["W"]
        return {"y": y + case["b"] if asked else y}
    if not keywords:
        return Raises("TypeError", "unexpected keyword argument")
    if case.name == "config":
        return {"units": u if "units" not in config else -1, "use_bias": 0 if "bias" not in config else -1,
                "name kept": int("name" not in config)}
    if "units" in config:
        return Raises("TypeError", "units")
    if made == "call":
        return in_call
    if kernel == "(T, u)":
        return wrong_axis
    if made == "plain tensors":
        return {"number of weights": 0}
    bias = {"if asked": "bias" in config, "always": True, "never": False}[adds_bias]
    return {"number of weights": 1 + bias}


LAYER = Exercise(
    id="start.layer",
    title="The affine map as a Keras layer",
    cases=layer_cases,
    reference=layer,
    aspects=(
        Aspect("weights", 0.5, on=("weights/*",), ask="Does `build` make every weight with "
               "`self.add_weight`, the bias with initializer='zeros'?"),
        Aspect("call", 0.5, on=("call/*",), ask="Is the matrix the first weight and the bias the second?"),
        Aspect("without a bias", 0.5, on=("no bias/*",), ask="With `use_bias=False` the layer has one "
               "weight."),
        Aspect("configuration", 0.5, on=("config/*", "copy/*"), ask="`get_config` returns everything "
               "`__init__` takes: start from `super().get_config()` and add your own."),
    ),
    misconceptions=mistakes(
        layer,
        ("weights made in call", "The weights are made in `call`, which runs at every call. Make them once, "
         "in `build`, which Keras runs before the first call.", {"made": "call"}),
        ("weights are plain tensors", "The matrix is an ordinary tensor, so Keras does not know that it is "
         "a weight: it is neither trained nor saved. Make it with `self.add_weight(...)`.",
         {"made": "plain tensors"}),
        ("shape from the time axis", "`build` reads the number of time steps instead of the number of "
         "features. The features are the last axis: `input_shape[-1]`.", {"kernel": "(T, u)"}),
        ("kernel stored transposed", "The matrix has shape (units, D). Keras stores it as (D, units), so "
         "that `x @ W` needs no transposing.", {"kernel": "(u, D)"}),
        ("bias starts at random numbers", "The bias starts at random numbers, because that is what "
         "`add_weight` does unless told otherwise: pass `initializer='zeros'` for it.", {"bias_start": 1.0}),
        ("W starts at zero", "W starts at zero. Two such layers on top of each other get no gradient and never learn: "
         "leave `initializer` out for W, so that it starts at random numbers.", {"kernel_start": 0.0}),
        ("bias even if not asked for", "With `use_bias=False` the layer still has a bias: `build` must look "
         "at `self.use_bias`.", {"adds_bias": "always"}),
        ("never a bias", "The layer never makes a bias. With `use_bias=True`, the default, it has two "
         "weights.",
         {"adds_bias": "never"}),
        ("units missing from get_config", "`get_config` does not return `units`, so nobody can make the "
         "layer again from its configuration.", {"config": "no units"}),
        ("use_bias missing from get_config", "`get_config` does not return `use_bias`. No error says so: "
         "the copy silently gets the default, and a bias that the original never had.",
         {"config": "no bias"}),
        ("get_config without super", "The layer's name got lost: start `get_config` from "
         "`super().get_config()`, which knows the name, and add your own arguments to it.",
         {"config": "no name"}),
        ("keywords not passed on", "`__init__` must accept `**kwargs` and hand them to "
         "`super().__init__(**kwargs)`: the name arrives there, and a layer that is loaded from a file is "
         "given one.", {"keywords": False}),
    ),
)


# --- start.mask_mean ---------------------------------------------------------------------------------------

def mask_cases(rng):
    B, T, D = 3, 7, 2
    def case(about, mask):
        return Case({"x": rng.normal(size=(B, T, D)) + 1.5, "mask": np.array(mask, dtype=bool)},
                    about=f"B = {B} sequences of T = {T} steps with D = {D} features, {about}")
    holes = np.array([[0, 1, 0, 1, 1, 0, 1], [1, 0, 0, 0, 1, 0, 0], [0, 0, 1, 0, 1, 1, 0]], dtype=bool)
    return {
        "padded": case("padded at the end to lengths 7, 4 and 2",
         np.arange(T) < np.array([7, 4, 2])[:, None]),
        "holes": case("with valid steps anywhere, not only at the front", rng.permutation(holes)),
        "empty": case("one of them without a single valid step", np.arange(T) < np.array([3, 0, 5])[:, None]),
    }


def mask_mean(case, weights="mask", divide="valid steps", finite=True, keepdims=False):
    """Mean of x over the valid steps; zeros for a sequence that has none."""
    x, mask = case["x"], case["mask"]
    T = x.shape[1]
    if weights == "first steps":  # takes as many steps as are valid, but from the front
        mask = np.arange(T) < mask.sum(axis=1, keepdims=True)
    w = {"mask": mask, "inverted": ~mask, "all": np.ones_like(mask), "first steps": mask}[weights].astype(float)
    total, n = (x * w[:, :, None]).sum(axis=1), w.sum(axis=1, keepdims=True)
    if divide == "pooled":
        return {"mean": total.sum(axis=0) / n.sum()}
    n = {"valid steps": n, "T": np.full_like(n, T), "the batch's steps": np.full_like(n, n.sum()),
         "one more": n + 1, "longest": np.full_like(n, n.max())}[divide]
    mean = np.where(n > 0, total / np.maximum(n, 1), 0.0 if finite else NOT_A_NUMBER)
    return {"mean": mean[:, None] if keepdims else mean}


MASK_MEAN = Exercise(
    id="start.mask_mean",
    title="A mean over the valid steps",
    cases=mask_cases,
    reference=mask_mean,
    aspects=(
        Aspect("shape", 0.5, on=("padded/*",), shape_only=True),
        Aspect("padding", 0.5, on=("padded/*",), ask="Change a padded number of x: your mean should not "
               "move."),
        Aspect("holes",
               0.5, on=("holes/*",), ask="The mask says for each step on its own whether it counts."),
        Aspect("nothing valid", 0.5, on=("empty/*",), ask="A sequence with no valid step should give zeros."),
    ),
    misconceptions=mistakes(
        mask_mean,
        ("mean over padding", "The mask plays no part: the padding is averaged in as if it were data.",
         {"weights": "all"}),
        ("divided by T", "The padding was set to zero, but the sum is still divided by all T steps. Divide "
         "by the number of valid steps, which differs from sequence to sequence.", {"divide": "T"}),
        ("mask inverted", "The mask is upside down: True marks a real step, False marks padding.",
         {"weights": "inverted"}),
        ("divided by the whole batch's steps", "You divide by the number of valid steps in the whole batch. "
         "Each sequence has its own: sum the mask over axis 1 only.", {"divide": "the batch's steps"}),
        ("one mean for the whole batch", "All sequences were pooled into one mean. Sum over the time axis "
         "only, so that one row a sequence is left.", {"divide": "pooled"}),
        ("divided by the longest length", "Every sum is divided by the longest sequence's length. Each "
         "sequence has its own number of valid steps.", {"divide": "longest"}),
        ("one added to the count", "One was added to every count so that nothing is divided by zero. That "
         "makes all means too small: use the larger of the count and 1 instead.", {"divide": "one more"}),
        ("the first steps instead of the valid ones", "You took the first n steps, n being the number of "
         "valid ones. A mask may have holes or start late: weigh each step by its own mask.",
         {"weights": "first steps"}),
        ("not a number where nothing is valid", "A sequence without a valid step gave 0/0, which is not a "
         "number and spreads to everything it touches. Divide by at least 1.", {"finite": False}),
        ("time axis kept", "The result still has a time axis of length 1; it should be (batch, features).",
         {"keepdims": True}),
    ),
)

EXERCISES = [AFFINE, LAYER, MASK_MEAN]
