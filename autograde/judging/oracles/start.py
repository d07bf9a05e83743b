"""Oracle of lesson 00: an affine map, a layer made of it, and a mean that knows about padding."""

from __future__ import annotations

import numpy as np

from autograde.judging.common import mistakes, sizes
from autograde.judging.exercise import SHAPES_CLASH, Aspect, Case, Exercise, Raises

LESSON = "00_start_here"


# --- start.affine ------------------------------------------------------------------------------------------

def affine_cases(rng):
    def case(about, B, T, D, u):
        return Case({"x": rng.normal(size=(B, T, D)), "W": rng.normal(size=(D, u)), "b": rng.normal(size=u) + 0.5},
                    about=f"x of shape ({B}, {T}, {D}), W of shape ({D}, {u}), {about}")
    B, T, D, u = sizes(rng, 4)
    few, many = sorted(sizes(rng, 2, 2, 5))
    return {
        "sequence": case("random numbers", B, T, D, u),
        "single": case("one sequence of one step", 1, 1, many, few),
        "square": case("as many outputs as inputs", T, B, u, u),
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
        Aspect("values", 1, on=("sequence/*", "single/*"), ask="Work out one number of y by hand: one row of x, times "
               "one column of W, plus one entry of b."),
        Aspect("a square W", 0.5, on=("square/*", "single/*"), ask="When W is square, a swapped axis raises no error."),
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
        ("a ReLU too many", "The result went through ReLU, which cuts off everything below zero. An affine map is only "
         "x W + b; activations come later in the course.", {"squash": lambda y: np.maximum(y, 0)}),
        ("only the last step", "Only the last time step was kept. The map is applied at every step: three "
         "axes go in, three come out.", {"keep": lambda y: y[:, -1]}),
        ("summed over time", "The time steps were added up. The map treats each step on its own; the time "
         "axis stays.", {"keep": lambda y: y.sum(axis=1)}),
    ),
)


# --- start.layer -------------------------------------------------------------------------------------------

def layer_cases(rng):
    B, T, D, u = sizes(rng, 4)
    bare = {"x": rng.normal(size=(T, B, u)), "units": D}
    given = {"x": rng.normal(size=(B, T, D)), "W": rng.normal(size=(D, u)), "units": u}
    return {
        "weights": Case({"x": rng.normal(size=(1, 1, T)), "units": B},
                        about=f"Affine({B}) called twice on an x of shape (1, 1, {T})"),
        "call": Case(given | {"b": rng.normal(size=u) + 0.5, "use_bias": True,
                              "direction": rng.normal(size=(B, T, u))},
                     about=f"Affine({u}) with given weights, on an x of shape ({B}, {T}, {D}); in a model, for any T"),
        "no bias": Case(given | {"use_bias": False}, about=f"Affine({u}, use_bias=False) with a given W"),
        "config": Case({"units": B, "name": rng.integers(ord("a"), ord("z") + 1, 6)},
                       about=f"Affine({B}, use_bias=False, name=...).get_config()"),
        "copy": Case(bare | {"W": rng.normal(size=(u, D))}, about="a layer made again from its configuration"),
    }


def layer(case, made="build", kernel="(D, u)", kernel_start=1.0, bias_start=0.0, adds_bias="if asked",
          config="complete", keywords=True, reaches=True, adds=True, numpy="", order="W first"):
    """What is worked out of the layer's weights, outputs and configuration; each keyword is a way to get it wrong."""
    D, u = case["x"].shape[-1] if "x" in case else 0, int(case["units"])
    if "x" in case and made == "call":
        return Raises("ValueError", "already built")
    if "x" in case and kernel == "(T, u)":  # in a model T is None
        return Raises(SHAPES_CLASH, f"[{case['x'].shape[1]},{u}]|(None, {u})")
    if "x" in case and kernel == "transposed in call":
        return Raises(SHAPES_CLASH, f"[{u},{D}]|but are {D} and {u}")
    if case.name == "call" and numpy:
        return Raises("NotImplementedError|AttributeError", {"x": "symbolic|SymbolicTensor", "W": "numpy()"}[numpy])
    if "b" in case and order == "b first":
        return Raises("ValueError", f"weight shape ({u},) is not")
    if case.name == "weights":
        if made == "plain tensors":
            return {"number of weights": [0, 0], "kernel shape": [-1, -1], "kernel at the start": -1.0, "axes of b": -1,
                    "b at the start": -1.0}
        shape, biases = [D, u] if kernel == "(D, u)" else [u, D], adds_bias != "never"
        return {"number of weights": [1 + biases, 0 if made == "frozen" else 1 + biases], "kernel shape": shape,
                "kernel at the start": kernel_start, "axes of b": 1 if biases else -1,
                "b at the start": bias_start if biases else -1.0}
    if not keywords and case.name in ("config", "copy"):
        return Raises("TypeError", "unexpected keyword argument|positional argument")
    if case.name == "config":
        return {"units": u if "units" not in config else -1, "use_bias": 0 if "bias" not in config else -1,
                "name": case["name"] if "name" not in config else [ord("?")]}
    if case.name == "copy" and "units" in config:
        return Raises("TypeError", "units")
    asked = bool(case.get("use_bias", "bias" in config))
    has = {"if asked": asked, "always": True, "never": False}[adds_bias]
    if made == "plain tensors" or kernel == "(u, D)" or has != ("b" in case):
        n = 0 if made == "plain tensors" else 1 + has  # set_weights does not fit
        return Raises("ValueError", f"weight shape ({u}, {D})" if n == 1 + ("b" in case) else f"expecting {n} weights")
    y = case["x"] @ case["W"] + case.get("b", 0) * adds
    if "direction" not in case:
        return {"y": y}
    if made == "frozen":
        return {"y": y, "any T": y}
    direction = case["direction"] * reaches
    return {"y": y, "any T": y, "d0": np.einsum("btd,btu->du", case["x"], direction),
            "d1": direction.sum(axis=(0, 1)) * adds}


def layer_facts(case, found):
    """The weights at the start: how many there are and are trained, and what they hold."""
    if case.name != "weights":
        return found
    made = [v for k, v in found.items() if k.startswith("w")]  # in either order here: "call" judges the order
    kernels = [w for w in made if w.ndim == 2]
    biases = [w for w in made if not (kernels and w is kernels[0])]
    return {"number of weights": found["number of weights"],
            "kernel shape": list(kernels[0].shape) if kernels else [-1, -1],
            "kernel at the start": _variety(kernels[0]) if kernels else -1.0,
            "axes of b": biases[0].ndim if biases else -1,
            "b at the start": float(np.any(biases[0])) if biases else -1.0}


def _variety(start):
    """1 for numbers that differ, as random ones do; 0 for zeros; 0.5 for another number everywhere."""
    return 1.0 if start.min() < start.max() else 0.5 * float(np.any(start))


LAYER = Exercise(
    id="start.layer",
    title="The affine map as a Keras layer",
    cases=layer_cases,
    reference=layer,
    derive=layer_facts,
    aspects=(
        Aspect("weights", 0.5, on=("weights/*",), ask="Does `build` make every weight with "
               "`self.add_weight`, b with shape (units,) and initializer='zeros'?"),
        Aspect("call", 0.5, on=("call/*",), ask="Is the matrix the first weight and the bias the second? Is every step "
               "done with `ops`, so that gradients pass?"),
        Aspect("without a bias", 0.5, on=("no bias/*",), ask="With `use_bias=False` the layer has one "
               "weight."),
        Aspect("configuration", 0.5, on=("config/*", "copy/*"), ask="`get_config` returns everything "
               "`__init__` takes: start from `super().get_config()` and add your own."),
    ),
    misconceptions=mistakes(
        layer,
        ("weights made in call", "The weights are made in `call`, which runs at every call. Make them once, "
         "in `build`, which Keras runs before the first call.", {"made": "call"}),
        ("weights that Keras does not know", "Keras knows no weight of this layer: an array, a tensor or a "
         "`tf.Variable` kept in `self` is neither trained nor saved. Make weights with `self.add_weight(...)`.",
         {"made": "plain tensors"}),
        ("shape from the time axis", "`build` reads the number of time steps instead of the number of "
         "features. The features are the last axis: `input_shape[-1]`.", {"kernel": "(T, u)"}),
        ("kernel stored transposed", "The matrix has shape (units, D). Keras stores it as (D, units), so "
         "that `x @ W` needs no transposing.", {"kernel": "(u, D)"}),
        ("bias does not start at zero", "The bias does not start at zero: pass `initializer='zeros'` for it, because "
         "`add_weight` draws random numbers unless told otherwise.", {"bias_start": 1.0}),
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
        ("W the same number everywhere", "W starts at the same number everywhere: all units compute the same, get the "
         "same gradient and stay alike for good. Leave `initializer` out for W, so that it starts at random numbers.",
         {"kernel_start": 0.5}),
        ("weights not trained", "The weights are there, but with `trainable=False` no training changes them. Leave it "
         "out.", {"made": "frozen"}),
        ("transposed in call", "W is made with shape (D, units), as it should be, but `call` multiplies by its "
         "transpose: (B, T, D) times (D, units) needs no transposing.", {"kernel": "transposed in call"}),
        ("bias before the matrix", "The bias is the layer's first weight: whoever sets or loads weights in Keras's "
         "order, W first and b second, gets them mixed up. Make W first.", {"order": "b first"}),
        ("bias never added", "The bias is made, but `call` never adds it: y = x W + b.", {"adds": False}),
        ("NumPy inside call", "`call` uses NumPy, which works on numbers only: Keras builds a model from symbols "
         "first, and no gradient passes through NumPy. Use `ops` everywhere in `call`.", {"numpy": "x"}),
        ("no gradient", "The numbers are right, but no gradient reaches the weights: something between them and the "
         "result, such as `ops.stop_gradient`, cut it off.", {"reaches": False}),
        ("W turned into an array", "`np.array(self.W)` and the like turn W into plain numbers: no gradient reaches it, "
         "so it cannot be trained. Use `self.W` itself.", {"numpy": "W"}),
        ("keywords not passed on", "`__init__` must accept `**kwargs` and hand them to "
         "`super().__init__(**kwargs)`: the name arrives there, and a layer that is loaded from a file is "
         "given one.", {"keywords": False}),
    ),
)


# --- start.mask_mean ---------------------------------------------------------------------------------------

def mask_cases(rng):
    def case(about, mask, D):
        B, T = mask.shape
        x = rng.normal(size=(B, T, D)) + 1.5
        fullest = mask.sum(axis=1).argmax()
        x[fullest, mask[fullest].argmax(), 0] = 0  # a valid step may hold a zero
        return Case({"x": x, "mask": mask},
                    about=f"B = {B} sequences of T = {T} steps with D = {D} features, {about}")
    def padded(lengths, T):
        return np.arange(T) < np.array(lengths)[:, None]
    (T,), (B, D) = sizes(rng, 1, 8, 10), sizes(rng, 2, 4, 6)
    lengths = [T, 1, *sizes(rng, B - 2, 2, T - 1)]
    # With holes: another number of valid steps in each, among them one; the first step never counts, the last always.
    some = np.arange(T - 2) < np.array([0, *sizes(rng, B - 1, 1, T - 3)])[:, None]
    holes = np.pad(rng.permuted(some, axis=1), ((0, 0), (1, 1)), constant_values=((0, 0), (False, True)))
    few = sizes(rng, 2, 2, 5)
    return {
        "padded": case(f"padded at the end to lengths {', '.join(map(str, lengths))}", padded(lengths, T), D),
        "single": case("a single step", np.ones((1, 1), bool), *sizes(rng, 1)),
        "holes": case("with valid steps anywhere, not only at the front", holes, B),
        "empty": case("one of them without a single valid step", padded([few[0], 0, few[1]], T - 1), *sizes(rng, 1)),
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
    mean = np.where(n > 0, total / np.maximum(n, 1), 0.0 if finite else np.nan)
    return {"mean": mean[:, None] if keepdims else mean}


MASK_MEAN = Exercise(
    id="start.mask_mean",
    title="A mean over the valid steps",
    cases=mask_cases,
    reference=mask_mean,
    aspects=(
        Aspect("shape", 0.5, shape_only=True),
        Aspect("padding", 0.5, on=("padded/*", "single/*"), ask="Change a padded number of x: your mean should not "
               "move."),
        Aspect("holes", 0.5, on=("holes/*",), ask="The mask says for each step on its own whether it counts."),
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
