"""Oracle of lesson 06: reading in both directions (Schuster & Paliwal 1997), and word segmentation.

Weights are laid out as Keras lays them out: a GRU's blocks are z, r, candidate with a bias ``(2, 3u)``
(``reset_after=True``), an LSTM's are i, f, candidate, o. The valid steps of a row come first, then its
padding; what an output holds at a padded step is never judged.

Long because a topic is read as one: cases, references, their wrong variants and what is said of each.
"""

from __future__ import annotations

from functools import partial
from itertools import combinations

import numpy as np

from autograde.judging.common import along, mistakes, random_word, sigmoid, sizes, slope, told
from autograde.judging.exercise import SHAPES_CLASH, Aspect, Case, Exercise, Raises
from unrolled.probes import codes, text

LESSON = "06_bidirectional"
BEHIND_THE_END = "InvalidArgumentError|IndexError", "is not in [0|is out of bounds"  # as TensorFlow and NumPy say it


def ragged(rng, T, B):
    """B lengths below T, all different, the longest not first, none of them half of T."""
    others = rng.permutation([n for n in range(2, T - 1) if 2 * n != T])[:B - 1]
    return np.array([others[0], *rng.permutation([T - 1, *others[1:]])])


def mask_of(lengths, T):
    return np.arange(T) < np.asarray(lengths)[:, None]


def padded_masks(rng):
    """Three masks of other sizes, each with a line that says so: no row full; one row full; a batch of one."""
    T, longer, alone = (int(n) for n in rng.permutation(np.arange(7, 11))[:3])
    B, more = sizes(rng, 2, 3, 5)
    lengths = {"padded": (T, ragged(rng, T, B)), "one row": (alone, ragged(rng, alone, 2)[:1]),
               "one full": (longer, rng.permutation([longer, *ragged(rng, longer, more - 1)]))}
    return {name: (mask_of(n, T), f"T = {T}, {in_words(n)}") for name, (T, n) in lengths.items()}


def in_words(lengths):
    return f"valid lengths {', '.join(map(str, lengths))}"


def seen_at_valid_steps(case, arrays):
    """A `derive`: what stands at padded steps becomes 0, for nobody reads it."""
    mask = case.get("mask")
    return {key: np.where(mask[..., None], array, 0)
            if mask is not None and array.ndim == 3 and array.shape[:2] == mask.shape else array
            for key, array in arrays.items()}


# --- bi.reverse_valid --------------------------------------------------------------------------------------

def reverse_cases(rng):
    def case(mask, about):
        B, T = mask.shape
        D = int(rng.choice([n for n in range(2, 7) if n not in (B, T)]))
        return Case({"x": rng.normal(size=(B, T, D)), "mask": mask}, about=f"B = {B}, D = {D}, {about}")

    B, T = sizes(rng, 2, 3, 8)
    empty = np.insert(ragged(rng, 7, 2), 1, 0)
    cases = {"full": case(np.ones((B, T), bool), f"T = {T}, no padding"),
             "one step": case(np.ones((B, 1), bool), "T = 1, no padding")}
    cases |= {name: case(*given) for name, given in padded_masks(rng).items()}
    return cases | {"empty row": case(mask_of(empty, 7), f"T = 7, {in_words(empty)}")}


def reverse_valid(case, length="own", offset=-1, axis=1, swap=False):
    """The valid steps backwards; each keyword is a way to get it wrong."""
    x, mask = case["x"], case["mask"]
    if axis != 1:
        return {"y": np.flip(x, axis) * mask[..., None]}
    T = x.shape[1]
    n = mask.sum(axis=1)
    n = {"own": n, "all": np.full_like(n, T), "longest": np.full_like(n, n.max()),
         "first": np.full_like(n, n[0]), "padding": T - n, "argmin": mask.argmin(axis=1)}[length]
    if offset == 0 and (n == T).any():
        return Raises(*BEHIND_THE_END)
    t = np.arange(T)
    valid = t < n[:, None]
    index = np.where(valid != swap, n[:, None] + offset - t, t)
    return {"y": np.take_along_axis(x, index[..., None], axis=1) * mask[..., None]}


REVERSE = Exercise(
    id="bi.reverse_valid",
    title="Reverse the valid part",
    cases=reverse_cases,
    reference=reverse_valid,
    derive=seen_at_valid_steps,
    forbids=("tensorflow.reverse_sequence", "tf.reverse_sequence", "unrolled.lessons.bi.backwards"),
    aspects=(
        Aspect("without padding", 1, on=("full/*", "one step/*"), ask="What stands at t = 0 after the reversal?"),
        Aspect("with padding", 3, on=("padded/*", "one full/*", "one row/*", "empty row/*"),
               ask="Write down, for one row with 3 valid steps of 5, which step each position must take."),
    ),
    misconceptions=mistakes(
        reverse_valid,
        ("padding flipped to the front", "You flipped the whole row, so its padding now comes first: "
         "reverse only the valid steps and leave the padding behind them.", {"length": "all"}),
        ("one length for every row, the longest", "Every row was reversed over the longest row's "
         "length; each row has a length of its own, the number of True in its mask.", {"length": "longest"}),
        ("one length for every row, the first row's", "Every row was reversed over the first row's "
         "length; count the valid steps of each row by itself.", {"length": "first"}),
        ("off by one", "Position 0 must take step length − 1, the last valid one; you take step "
         "length, which is the first padded one.", {"offset": 0}),
        ("mask read the wrong way round", "You counted the padding: in Keras True means valid "
         "(in PyTorch's key_padding_mask it means padding).", {"length": "padding"}),
        ("length looked up as the first False", "argmin looks for the first False. A row without padding has none, and "
         "argmin answers 0: count the True instead.", {"length": "argmin"}),
        ("branches swapped", "The two branches have changed places: the valid steps stay and the "
         "padding is reversed. It must be the other way round.", {"swap": True}),
        ("batch reversed", "You reversed the batch: row 0 became the last row. Time is axis 1.", {"axis": 0}),
        ("features reversed", "You reversed the features within each step. Time is axis 1.", {"axis": 2}),
    ),
)


# --- bi.merge ----------------------------------------------------------------------------------------------

MODES = ("concat", "sum", "mul", "ave", "None")


def merge_cases(rng):
    def case(mode, *shape):
        outputs = {way: rng.normal(size=shape) for way in ("forward", "backward")}
        return Case({**outputs, "mode": codes(mode)},
                    about=f"merge_mode {mode}, two outputs of shape (B, T, u) = {shape}")

    cases = {mode: case(mode, *sizes(rng, 3, 2, 8)) for mode in MODES}
    return cases | {f"{mode}, one step": case(mode, 1, 1, int(rng.integers(2, 9))) for mode in MODES}


def merge(case, axis=-1, backward_first=False, ave="half", mul=np.multiply, none="pair", stacked=False):
    """Two outputs into one; each keyword is a way to get it wrong."""
    f, b = case["forward"], case["backward"]
    mode = text(case["mode"])
    if mode == "None" and none == "pair":
        return {"forward": f, "backward": b}
    if mode == "None" and none == "other way round":
        return {"forward": b, "backward": f}
    if mode == "None" and none != "concat":
        return {"forward": np.stack([f, b], axis=none)}
    if mode in ("concat", "None"):
        pair = [b, f] if backward_first else [f, b]
        joined = np.stack(pair, axis=-1) if stacked else np.concatenate(pair, axis=axis)
        return {"forward" if mode == "None" else "y": joined}
    if mode == "sum":
        return {"y": f + b}
    if mode == "mul":
        return mul if isinstance(mul, Raises) else {"y": mul(f, b)}
    return {"y": {"half": (f + b) / 2, "sum": f + b, "precedence": f + b / 2,
                  "units": np.mean(np.concatenate([f, b], axis=-1), axis=-1)}[ave]}


MERGE = Exercise(
    id="bi.merge",
    title="Merge the two directions",
    cases=merge_cases,
    reference=merge,
    forbids=("unrolled.lessons.bi.join",),
    aspects=(
        Aspect("concat", 1, on=("concat*/*",), ask="With u units each way, what is the last dimension?"),
        Aspect("sum, mul and ave", 2, on=("sum*/*", "mul*/*", "ave*/*"), ask="All three work element by "
               "element."),
        Aspect("None keeps both", 1, on=("None*/*",), ask="merge_mode=None returns a pair, forward first."),
    ),
    misconceptions=mistakes(
        merge,
        ("backward first", "The halves have changed places: Keras puts the forward output first, so "
         "the first u features are the forward ones.", {"backward_first": True}),
        ("joined along time", "You laid the two outputs one after the other in time: the result has 2T "
         "steps. Join the features, the last axis.", {"axis": 1}),
        ("joined along the batch", "You joined along axis 0, so the batch doubled. Join the "
         "features, the last axis.", {"axis": 0}),
        ("stacked, not joined", "Stacking makes a new axis of length 2; concatenation makes the "
         "feature axis twice as long.", {"stacked": True}),
        ("average without the half", "ave is (forward + backward) / 2; yours is still the sum.", {"ave": "sum"}),
        ("only the backward half is halved", "Division binds before addition: forward + backward / "
         "2 halves the backward output only. It needs brackets.", {"ave": "precedence"}),
        ("averaged over the units", "You averaged away the feature axis. ave takes the mean of the two "
         "directions, unit by unit, and keeps (B, T, u).", {"ave": "units"}),
        ("mul as a matrix product", "mul multiplies element by element; a matrix product wants inner "
         "dimensions that agree.",
         {"mul": Raises(SHAPES_CLASH, "Matrix size-incompatible|mismatch in its core dimension")}),
        ("mul as an inner product", "You multiply and then add up over the units: one number a step is left. mul keeps "
         "(B, T, u).", {"mul": lambda f, b: (f * b).sum(axis=-1)}),
        ("None treated as concat", "merge_mode=None means “do not merge”: return the two outputs "
         "as they are.", {"none": "concat"}),
        ("None, backward first", "The pair has changed places: return forward, then backward.",
         {"none": "other way round"}),
        *(("None stacks the two", "merge_mode=None means “do not merge”: return two outputs, `forward, backward`. You "
           "stacked them into one.", {"none": axis}) for axis in (0, -1)),
    ),
)


# --- bi.layer ----------------------------------------------------------------------------------------------

def gru_step(x, states, W, U, b):
    (h,) = states
    u = h.shape[-1]
    zx, zh = x @ W + b[0], h @ U + b[1]
    z, r = sigmoid(zx[:, :u] + zh[:, :u]), sigmoid(zx[:, u:2 * u] + zh[:, u:2 * u])
    h = z * h + (1 - z) * np.tanh(zx[:, 2 * u:] + r * zh[:, 2 * u:])
    return h, [h]


def lstm_step(x, states, W, U, b, activation=np.tanh):
    h, c = states
    i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * activation(g)
    h = sigmoid(o) * activation(c)
    return h, [h, c]


def leaky_step(x, states, W, U, b, leak=0.5):
    h = leak * states[0] + np.tanh(x @ W + states[0] @ U + b)
    return h, [h]


STEPS = {"gru": (gru_step, 1, 3), "lstm": (lstm_step, 2, 4), "leaky": (leaky_step, 1, 1)}
CELLS = {"gru": "a GRU cell", "lstm": "an LSTM cell",
         "leaky": "a cell of our own, h = leak · h + tanh(x W + h U + b)"}
WAYS = "forward", "backward"


def layer_cases(rng):
    def case(about, cell="gru", mode="concat", B=None, T=None, lengths=None, **more):
        drawn, D, u = sizes(rng, 3, 2, 5)
        B, T = B or (drawn if lengths is None else len(lengths)), T or int(rng.integers(3, 5))
        blocks = STEPS[cell][2] * u
        shapes = {"W": (D, blocks), "U": (u, blocks), "b": (2, blocks) if cell == "gru" else (blocks,)}
        given = {f"{name}_{way}": rng.normal(size=shapes[name]) * 0.8 for way in WAYS for name in "WUb"}
        given |= {"x": rng.normal(size=(B, T, D)), "cell": codes(cell), "mode": codes(mode)} | more
        if lengths is not None:
            given["mask"] = mask_of(lengths, T)
        return Case(given, about=f"{CELLS[cell]}, merge_mode {mode}, {told(B=B, T=T, D=D, u=u)}, {about}")

    leak = float(np.round(rng.uniform(0.7, 0.9), 2))
    lengths = rng.permutation([5, 0, *rng.permutation([1, 2, 3, 4])[:2]])
    name = random_word(rng)
    # A single step looks the same from both ends: who reads it in the wrong order may still merge and save it rightly.
    return {
        "gru": case("no padding"),
        "lstm": case("no padding, called a second time", "lstm", B=1, twice=True),
        "own": case(f"leak = {leak}", "leaky", leak=leak),
        "sum": case("no padding", mode="sum", T=1),
        "mul": case("a mask, but no padding", mode="mul", T=1, lengths=[1, 1, 1]),
        "ave": case("no padding", mode="ave", T=1),
        "None": case("a mask, but no padding", mode="None", T=1, lengths=[1, 1]),
        "padded": case(in_words(lengths), T=5, lengths=lengths),
        "model": case("in a model on keras.Input, and its gradients", T=2, lengths=[2, 2, 2], symbolic=True),
        "restored": case(f'activation="sigmoid", name="{name}", saved and loaded', "lstm", mode="ave", T=1,
                         name=codes(name), sigmoid=True),
    }


def read(case, weights, x, mask, start=None, **settings):
    """All outputs of one cell, and its states behind them; a masked step holds the states and repeats the output."""
    step, n_states, _ = STEPS[text(case["cell"])]
    B, T, _ = x.shape
    u = weights[1].shape[0]
    states, y, out = start or [np.zeros((B, u))] * n_states, np.zeros((B, u)), np.zeros((B, T, u))
    for t in range(T):
        keep = mask[:, t, None]
        new_y, new = step(x[:, t], states, *weights, **settings)
        y = np.where(keep, new_y, y)
        states = [np.where(keep, n, s) for n, s in zip(new, states, strict=True)]
        out[:, t] = y
    return out, states


def both_ways(case, before="valid", after="valid", mask_flipped=None, shared=False, settings=True, leaks=False):
    """The outputs of the two directions, in reading order; each keyword is a way to get it wrong."""
    x, mask = case["x"], case.get("mask", np.ones(case["x"].shape[:2], bool))
    own = {"leak": float(case["leak"])} if "leak" in case else {"activation": sigmoid} if "sigmoid" in case else {}
    turn = {"valid": lambda a: reverse_valid({"x": a, "mask": mask})["y"],
            "all": lambda a: a[:, ::-1], "none": lambda a: a}
    seen = {None: mask, "not flipped": mask, "flipped": mask[:, ::-1], "ignored": np.ones_like(mask)}[mask_flipped]
    outputs = {}
    for way, way_in, steps in (("forward", turn["none"], mask), ("backward", turn[before], seen)):
        weights = [case[f"{name}_{'backward' if shared else way}"] for name in "WUb"]
        kept = own if settings or way == "forward" else {}
        start = None
        if leaks and "twice" in case:
            _, start = read(case, weights, -x[:, :1], np.ones_like(mask[:, :1]), **kept)
        outputs[way], _ = read(case, weights, way_in(x), steps, start, **kept)
    return outputs["forward"], turn[after](outputs["backward"])


LOADING = {
    "no cell": ("TypeError", "missing 1 required positional argument"),
    "cell left as a dict": ("TypeError", "Error when deserializing"),
    "cell built twice": ("ValueError", "already built"),
    "always a GRU": ("ValueError", "is not compatible with provided weight shape"),
}


def layer(case, backward_first=False, mode_used=True, passes_mask=True, config="whole", in_model=True, **change):
    """What the probe collects from the layer; each keyword is a way to get it wrong, those of `both_ways` too."""
    mode = text(case["mode"])
    if case.name == "model" and not in_model:
        return Raises("NotImplementedError|ValueError|TypeError", "symbolic|KerasTensor")
    if "name" in case and config in LOADING:
        return Raises(*LOADING[config])
    if not mode_used or ("name" in case and config == "no merge_mode"):
        mode = "concat"

    def outputs(case):
        forward, backward = both_ways(case, **change)
        if backward_first:
            forward, backward = backward, forward
        joined = merge({"forward": forward, "backward": backward, "mode": codes(mode)})
        if text(case["mode"]) == "None" and mode == "concat":  # one where two were expected
            return {"forward": joined["y"]}
        return joined

    found = {key: y * case["mask"][..., None] if "mask" in case else y for key, y in outputs(case).items()}
    if case.name == "model":
        made = [case[f"{name}_{way}"].size for way in WAYS[:1 if change.get("shared") else 2] for name in "WUb"]
        found["trainable"] = sorted(made)
        for way in WAYS:
            moved = "backward" if change.get("shared") else way
            found[f"gradients, {way} cell"] = slope(lambda changed: outputs(changed)["y"], case,
                                                    *(f"{name}_{moved}" for name in "WUb"))
    elif "mask" in case and text(case["mode"]) != "None":
        found["mask handed on"] = case["mask"] if passes_mask else np.zeros(0)
    return found | ({"name kept": config != "own"} if "name" in case else {})


def layer_facts(case, arrays):
    """Outputs at valid steps; the gradients of each cell as one number; whether a restored layer's name is kept."""
    found = seen_at_valid_steps(case, arrays)
    for way in WAYS if case.name == "model" else ():
        gradients = {name: found.pop(f"gradient of {name}_{way}") for name in "WUb"}
        for name, gradient in gradients.items():
            if gradient.shape != case[f"{name}_{way}"].shape:
                raise ValueError(f"the gradient of {name} has shape {gradient.shape}")
        found[f"gradients, {way} cell"] = sum(map(along, gradients.values()))
    if "name" in case:
        found["name kept"] = np.array_equal(found.pop("name"), case["name"])
    return found


LAYER = Exercise(
    id="bi.layer",
    title="A bidirectional layer from any cell",
    cases=layer_cases,
    reference=layer,
    derive=layer_facts,
    forbids=("keras.layers.Bidirectional",),
    aspects=(
        Aspect("both directions", 2, on=("gru/y",),
               ask="Test by hand: must output 0 change when only the last input changes?"),
        Aspect("any cell", 1, on=("lstm/y", "own/y"), ask="How many states has the cell, and what is in its config?"),
        Aspect("merge mode", 1, on=("sum/y", "mul/y", "ave/y", "None/*")),
        Aspect("padding", 3, on=("padded/y",), ask="Change what stands in the padding: does any valid output move?"),
        Aspect("the mask goes on", 1, on=("*/mask handed on",),
               ask="Which attribute tells Keras that a layer takes and hands on a mask?"),
        Aspect("in a model, trained", 1, on=("model/*",), ask="Only keras.ops work in a model and let "
               "gradients through. Which weights has each direction?"),
        Aspect("saved and loaded", 1, on=("restored/*",), ask="get_config must hold everything "
               "__init__ was given."),
    ),
    misconceptions=mistakes(
        layer,
        ("both cells read forwards", "Both cells read from left to right. The second must get the "
         "reversed sequence.", {"before": "none", "after": "none"}),
        ("backward outputs left reversed", "The backward outputs are still in the order in which "
         "they were made: reverse them again, so that output t speaks about step t.", {"after": "none"}),
        ("reversed after reading only", "The second cell read forwards and only its outputs were "
         "reversed. Reverse the input first, then the outputs.", {"before": "none"}),
        ("one set of weights for both", "The two directions share one cell. Each direction learns "
         "weights of its own: make the second cell from the first one's config.", {"shared": True}),
        ("the second cell made from the units alone", "The second cell has the first one's units and nothing else of "
         "it. What else a cell was given is in its config: type(cell).from_config(cell.get_config()).",
         {"settings": False}),
        ("mask not flipped with the sequence", "You flipped the whole row, padding first, but gave the "
         "backward cell the mask in the old order: it reads padding and skips words.",
         {"before": "all", "after": "all", "mask_flipped": "not flipped"}),
        ("mask flipped, sequence not", "backwards(x, mask) leaves the padding behind, so the mask stays as "
         "it is. You flipped it: the backward cell skips words and reads padding.", {"mask_flipped": "flipped"}),
        ("padding read first", "The backward cell starts with the padding and carries it into every "
         "output. Reverse the valid part only (or flip the mask too).",
         {"before": "all", "after": "all", "mask_flipped": "ignored"}),
        ("flipped back with the padding", "The input was reversed over its valid part, the outputs "
         "over the whole row: in rows with padding, output t now speaks about another step.", {"after": "all"}),
        ("merge mode ignored", "merge_mode is taken but not used: the outputs are always concatenated.",
         {"mode_used": False}),
        ("backward first", "The halves have changed places: the forward output comes first.",
         {"backward_first": True}),
        ("the mask ends here", "Without self.supports_masking = True the mask ends at your layer, "
         "and the next layer and the loss count the padding.", {"passes_mask": False}),
        ("states kept between calls", "A second call starts where the first one ended: a state belongs to one call. "
         "Leave `stateful` out.", {"leaks": True}),
        ("NumPy in call", "A model is built from symbols before there are numbers, and NumPy cannot compute with "
         "these: use `ops`, `backwards` and `join` in `call`.", {"in_model": False}),
        ("config without the merge mode", "get_config does not hold merge_mode: a loaded model "
         "falls back to the default, and nothing says so.", {"config": "no merge_mode"}),
        ("config without the cell", "get_config does not hold the cell, so a saved model cannot be "
         "loaded: put keras.layers.serialize(cell) in.", {"config": "no cell"}),
        ("config without super", "get_config drops what every Keras layer has, such as its name: start from "
         "`super().get_config()`.", {"config": "own"}),
        ("cell not rebuilt from its config", "After loading, cell is still the dictionary that "
         "get_config wrote: from_config must call keras.layers.deserialize on it.", {"config": "cell left as a dict"}),
        ("another kind of cell after loading", "Whatever cell was saved, a GRU comes back. keras.layers.serialize "
         "writes down which kind it is, and keras.layers.deserialize makes that kind again.",
         {"config": "always a GRU"}),
        ("cell built twice", "A cell that comes out of a saved model is built already: call "
         "cell.build only if not cell.built (keras.layers.RNN looks first).", {"config": "cell built twice"}),
    ),
)


# --- bi.final_state ----------------------------------------------------------------------------------------

def final_cases(rng):
    def case(mask, about):
        B, T = mask.shape
        u = int(rng.choice([n for n in range(2, 7) if n not in (B, T)]))
        outputs = {way: rng.normal(size=(B, T, u)) for way in ("forward", "backward")}
        return Case({**outputs, "mask": mask}, about=f"B = {B}, u = {u}, {about}")

    B, T = sizes(rng, 2, 3, 8)
    cases = {"full": case(np.ones((B, T), bool), f"T = {T}, no padding"),
             "one step": case(np.ones((B, 1), bool), "T = 1, no padding")}
    return cases | {name: case(*given) for name, given in padded_masks(rng).items()}


def final_state(case, forward="last valid", backward="first", order=(0, 1), longest=False, joined=True, pooled=False,
                masked=False):
    """What each direction knows when it has read everything; each keyword is a way to get it wrong."""
    mask = case["mask"]
    n = mask.sum(axis=1)
    n = np.full_like(n, n.max()) if longest else n
    T = mask.shape[1]
    at = {"last valid": n - 1, "first": n * 0, "last": n * 0 + T - 1, "off by one": n}
    if forward == "off by one" and (n == T).any():
        return Raises(*BEHIND_THE_END)
    rows = np.arange(len(n))
    parts = case["forward"][rows, at[forward]], case["backward"][rows, at[backward]]
    if masked:
        parts = [part * mask[:, at[where][:1]] for part, where in zip(parts, (forward, backward), strict=True)]
    if pooled:
        parts = [(case[way] * mask[..., None]).sum(axis=1) / n[:, None] for way in ("forward", "backward")]
    return {"h": np.concatenate([parts[i] for i in order], axis=-1) if joined else parts[0] + parts[1]}


FINAL = Exercise(
    id="bi.final_state",
    title="N→1: one vector for the whole sequence",
    cases=final_cases,
    reference=final_state,
    aspects=(
        Aspect("without padding", 1, on=("full/*", "one step/*"), ask="At which position has the backward cell read "
               "everything?"),
        Aspect("with padding", 3, on=("padded/*", "one full/*", "one row/*"), ask="At which position has the forward "
               "cell just read the last valid step of its row?"),
    ),
    misconceptions=mistakes(
        final_state,
        ("out[:, -1]", "You take both outputs at the last position. There the backward cell has "
         "only just begun: it has read everything at position 0.", {"forward": "last", "backward": "last"}),
        ("both at the last valid step", "At the last valid step the backward cell has read that one "
         "step. Take its output at position 0.", {"backward": "last valid"}),
        ("forward at the last padded step", "The forward output is taken at T − 1, behind the "
         "padding. Each row ends at its own last valid step.", {"forward": "last"}),
        ("the last step times the mask", "The forward output is taken at T − 1 and multiplied by the mask: shorter "
         "rows get zeros. Each row ends at its own last valid step.", {"forward": "last", "masked": True}),
        ("both at the first step", "At position 0 the forward cell has read one step only. Take it "
         "at the last valid step.", {"forward": "first"}),
        ("ends swapped", "The ends have changed places: forward is complete at the last valid step, "
         "backward at position 0.", {"forward": "first", "backward": "last valid"}),
        ("backward first", "Both vectors are right but in the wrong order: forward first, then "
         "backward.", {"order": (1, 0)}),
        ("one length for every row", "Every row is read at the longest row's last step; each row "
         "has a last valid step of its own.", {"longest": True}),
        ("off by one", "A row with n valid steps ends at position n − 1; you look at position n.",
         {"forward": "off by one"}),
        ("added, not joined", "The two vectors were added. ⊕ here means concatenation: (B, 2u).", {"joined": False}),
        ("mean over the valid steps", "You average over the valid steps. Asked for is one step of each direction, the "
         "one where it has read everything.", {"pooled": True}),
    ),
)


# --- bi.bmes_decode ----------------------------------------------------------------------------------------

def tags_of(words):
    return "".join("S" if len(w) == 1 else "B" + "M" * (len(w) - 2) + "E" for w in words)


def some_characters(rng, count):
    """So many Chinese characters, all different."""
    return "".join(chr(0x4E00 + int(k)) for k in rng.choice(2000, size=count, replace=False))


def every_pair(rng):
    """17 tags in which each tag follows each, itself too: a walk over all 16 pairs, with B and M at its ends."""
    while True:
        walk, left = "B", {a + b for a in "BMES" for b in "BMES"}
        while ways := [tag for tag in "BMES" if walk[-1] + tag in left]:
            tag = str(rng.choice(ways))
            left.remove(walk[-1] + tag)
            walk += tag
        if not left:  # it is a circle, so it may begin anywhere
            start = int(rng.choice([i for i in range(16) if walk[i] in "BM"]))
            return walk[start:] + walk[1:start + 1]


def decode_cases(rng):
    def case(tags, about, characters=None):
        characters = characters or some_characters(rng, len(tags))
        return Case({"characters": codes(characters), "tags": codes(tags)}, about=about)

    def sentence(lengths):
        tags = tags_of(["x" * int(n) for n in lengths])
        return case(tags, f"tags {' '.join(tags)}")

    def odd(tags):
        return case(tags, f"tags as a model may give them: {' '.join(tags)}")

    pairs = every_pair(rng)
    return {
        "china": case("SSBE", "characters 我爱中国, tags S S B E", "我爱中国"),
        "sentence": sentence(rng.permutation([1, 1, 2, 2, 3, 4, 5][:int(rng.integers(5, 8))])),
        "another": sentence(rng.integers(1, 4, int(rng.integers(3, 6)))),
        "one character": sentence([1]),
        "empty": sentence([]),
        "odd": odd(f"B{pairs}{rng.choice(list('BM'))}"),
        "begun before": odd(f"{rng.choice(list('ME'))}{''.join(rng.choice(list('BMES'), int(rng.integers(2, 7))))}SB"),
        "one tag": odd(str(rng.choice(list("BM")))),
    }


def bmes_decode(case, starts="BS", ends="ES", rule="cut"):
    """The words; each keyword is a way to get it wrong."""
    characters, tags = text(case["characters"]), text(case["tags"])
    if rule == "needs a beginning" and tags and tags[0] in "ME":
        return Raises("IndexError", "list index out of range")
    words = {"no M": _without_m, "unfinished dropped": _finished_only}.get(rule, _cut)(characters, tags, starts, ends)
    if rule == "last lost" and tags and tags[-1] not in "ES":
        words = words[:-1]
    if rule == "empty at the end" and (not tags or tags[-1] in "ES"):
        words = [*words, ""]
    return word_facts(case, {"words": codes("".join(f"{word}/" for word in words))})


def word_facts(case, arrays):
    """A `derive`: the words' lengths, and whether every character is still there."""
    ends = arrays["words"].ravel() == ord("/")
    lengths = np.diff(np.flatnonzero([True, *ends])) - 1
    return {"lengths": lengths, "all kept": np.array_equal(arrays["words"].ravel()[~ends], case["characters"])}


def _cut(characters, tags, starts, ends):
    words = []
    for i, character in enumerate(characters):
        if i == 0 or tags[i] in starts or tags[i - 1] in ends:
            words.append("")
        words[-1] += character
    return words


def _without_m(characters, tags, starts, ends):
    kept = [i for i, tag in enumerate(tags) if tag != "M"]
    return _cut([characters[i] for i in kept], [tags[i] for i in kept], starts, ends)


def _finished_only(characters, tags, starts, ends):
    words, word = [], ""
    for character, tag in zip(characters, tags, strict=True):
        word = character if tag in "BS" else word + character
        if tag in "ES":
            words.append(word)
            word = ""
    return words


DECODE = Exercise(
    id="bi.bmes_decode",
    title="From tags to words",
    cases=decode_cases,
    reference=bmes_decode,
    derive=word_facts,
    aspects=(
        Aspect("sentences", 2, on=("china/*", "sentence/*", "another/*", "one character/*", "empty/*"),
               ask="Take 我爱中国 with S S B E: after which characters do you cut?"),
        Aspect("tags in any order", 2, on=("odd/*", "begun before/*", "one tag/*"),
               ask="A model may write B B or end with M. Which two rules say where to cut?"),
    ),
    misconceptions=mistakes(
        bmes_decode,
        ("cuts only after E and S", "You cut after E and S only. A model also writes B B or M S: a "
         "B or S always starts a new word.", {"starts": ""}),
        ("cuts only before B and S", "You cut before B and S only. A model also writes E E or S M: "
         "after E or S the word is over.", {"ends": ""}),
        ("the last word lost", "A sentence that ends with B or M loses its last word: hand in what "
         "is still being built after the loop.", {"rule": "last lost"}),
        ("middle characters lost", "Characters tagged M disappear: they belong to the word that is "
         "being built.", {"rule": "no M"}),
        ("S does not cut", "S is a whole word: cut before it and after it.", {"starts": "B", "ends": "E"}),
        ("cuts before E", "You cut before the character with E; it is the last one of its word, so "
         "the cut comes after it.", {"starts": "ES", "ends": ""}),
        ("unfinished words dropped", "A word that was begun and never got its E disappears, and its "
         "characters with it. Every character must stay.", {"rule": "unfinished dropped"}),
        ("an empty word at the end", "There is an empty word at the end: hand in the rest after the "
         "loop only if there is one.", {"rule": "empty at the end"}),
        ("a sentence must begin with B or S", "A sentence whose first tag is M or E stops your code: there is no word "
         "yet to add to. A model may write that; the first character begins a word, whatever its tag.",
         {"rule": "needs a beginning"}),
    ),
)


# --- bi.f1 -------------------------------------------------------------------------------------------------

def f1_cases(rng):
    while True:
        lengths = {"pooled": rng.permutation([5, 7, 11, 13]), "one": [int(rng.integers(12, 18))],
                   "short": [1, *rng.permutation([2, 9, 12])[:int(rng.integers(2, 4))]]}
        cases = {name: _f1_case(rng, n) for name, n in lengths.items()}
        # Scores are fractions of small numbers: draw again until no two versions agree by chance, nor one aspect of a
        # wrong way to count.
        pooled = {m.name: _scores(m.wrong, cases["pooled"]) for m in F1_MISTAKES if m.name not in NOTHING_RIGHT}
        pooled["right"] = _scores(word_f1, cases["pooled"])
        counted = [np.abs(_scores(partial(word_f1, unit=unit), cases["pooled"]) - pooled["right"])
                   for unit in UNITS if unit != "spans"]
        if (all(np.abs(a - b).max() > 0.001 for a, b in combinations(pooled.values(), 2))
                and all(gap[:2].max() > 0.005 and gap[2] > 0.005 for gap in counted)
                and all(_scores(word_f1, case).min() > 0 for case in cases.values())):
            break
    nothing = _f1_pair("我/爱/中国", "我爱/中/国", "gold 我/爱/中国, predicted 我爱/中/国: no word is right")
    few, right, wrong = (int(rng.integers(*ends)) for ends in ((3, 10), (4, 13), (13, 25)))
    return cases | {"one right": _partly(rng, 0, few, [some_characters(rng, 1)]), "nothing": nothing,
                    "in part": _partly(rng, right, wrong)}


def _scores(scores, case):
    return np.array([*scores(case).values()], float)


def _f1_pair(gold, predicted, about):
    return Case({"gold": codes(gold), "predicted": codes(predicted)}, about=about)


def _f1_case(rng, lengths):
    gold, predicted = [], []
    for n in lengths:
        characters = rng.choice(list("的一是不"), size=n)
        cuts = rng.random(n - 1) < 0.6
        guess = np.where(rng.random(n - 1) < 0.25, ~cuts, cuts)
        for sentences, where in ((gold, cuts), (predicted, guess)):
            slashes = ["/" if cut else "" for cut in [*where, False]]
            sentences.append("".join(c + s for c, s in zip(characters, slashes, strict=True)))
    return _f1_pair("\n".join(gold), "\n".join(predicted),
                    f"{len(gold)} sentence{'s' * (len(gold) > 1)}: gold {' · '.join(gold)}; "
                    f"predicted {' · '.join(predicted)}")


def _partly(rng, right, wrong, more=()):
    """Sentences of four characters and three words: in some all words are right, in the others none. And `more`.

    However words are counted, and over whatever they are averaged, the share that is right is the same: whether an
    answer can do with a sentence in which nothing is right does not depend on that.
    """
    gold, predicted = [*more], [*more]
    for k in rng.permutation(right + wrong):
        a, b, c, d = some_characters(rng, 4)
        gold.append(f"{a}/{b}/{c}{d}")
        predicted.append(gold[-1] if k < right else f"{a}{b}/{c}/{d}")
    others = "one other word is" if more else "in the others all are"
    return _f1_pair("\n".join(gold), "\n".join(predicted),
                    f"{len(gold)} sentences; in {wrong} of them, of 3 words each, no word is right, {others}")


def _spans(words):
    ends = np.cumsum([len(w) for w in words])
    return {(int(end - len(word)), int(end)) for word, end in zip(words, ends, strict=True)}


def _counts(words):
    return {(w, k) for i, w in enumerate(words) for k in [words[:i].count(w)]}


UNITS = {
    "spans": _spans,
    "types": set,
    "bag": _counts,
    "same index": lambda words: set(enumerate(words)),
    "cuts": lambda words: {end for _, end in _spans(words)},
    "tags": lambda words: set(enumerate(tags_of(words))),
}


def word_f1(case, unit="spans", pooled=True, one_set=False, swapped=False, mean="harmonic", zero=0.0,
            all_words=False):
    """Precision, recall and F1 of words; each keyword is a way to get it wrong."""
    words = [[line.split("/") for line in text(case[key]).split("\n")] for key in ("gold", "predicted")]
    gold, predicted = ([UNITS[unit](line) for line in lines] for lines in words)
    if one_set:
        gold, predicted = [set().union(*gold)], [set().union(*predicted)]
    right = np.array([len(g & p) for g, p in zip(gold, predicted, strict=True)])
    n_gold, n_predicted = np.array([len(g) for g in gold]), np.array([len(p) for p in predicted])
    if all_words:
        n_gold, n_predicted = (np.array([len(line) for line in lines]) for lines in words)
    if pooled:
        right, n_gold, n_predicted = right.sum(), n_gold.sum(), n_predicted.sum()
    precision, recall = right / n_predicted, right / n_gold
    if zero is not None:
        f1 = np.where(right > 0, 2 * precision * recall / np.where(right > 0, precision + recall, 1), zero)
    elif np.any(right == 0):
        return Raises("ZeroDivisionError")
    else:
        f1 = 2 * precision * recall / (precision + recall)
    f1 = {"harmonic": f1, "half": f1 / 2, "arithmetic": (precision + recall) / 2,
          "geometric": np.sqrt(precision * recall), "union": right / (n_predicted + n_gold - right)}[mean]
    if swapped:
        precision, recall = recall, precision
    return {"precision": np.mean(precision), "recall": np.mean(recall), "f1": np.mean(f1)}


NOTHING_RIGHT = "nothing right divides by zero", "nothing right is not a number"

F1_MISTAKES = mistakes(
    word_f1,
    ("characters, not words", "You counted tags that are right, character by character. A word "
     "counts only if both its ends are right.", {"unit": "tags"}),
    ("words without their places", "You compared which words occur, as sets. A word is right only "
     "at its place: compare (start, end).", {"unit": "types"}),
    ("words without their places, over all words", "You compared which words occur, as sets. A word is "
     "right only at its place: compare (start, end).", {"unit": "types", "all_words": True}),
    ("bag of words", "You counted how often each word occurs, wherever it stands. A word is right "
     "only at its place: compare (start, end).", {"unit": "bag"}),
    ("the i-th word against the i-th word", "After one missing cut all later words have another "
     "number, and are counted wrong although they are right. Compare (start, end).", {"unit": "same index"}),
    ("cuts, not words", "You compared the cuts, one end of each word. A word is right only if the cut before it *and* "
     "the cut after it are right.", {"unit": "cuts"}),
    ("averaged over sentences", "You averaged the scores of the sentences, so a short one weighs as "
     "much as a long one. Add up the counts first, then divide once.", {"pooled": False}),
    ("all sentences in one set", "Spans of different sentences fell together in one set: (0, 1) "
     "occurs in nearly every sentence. Count sentence by sentence.", {"one_set": True}),
    ("precision and recall swapped", "Precision divides by the words predicted, recall by the words "
     "in the gold standard; yours are the other way round.", {"swapped": True}),
    ("arithmetic mean", "F1 is the harmonic mean, 2PR / (P + R); you took (P + R) / 2.", {"mean": "arithmetic"}),
    ("geometric mean", "F1 is the harmonic mean, 2PR / (P + R); you took the geometric one, √(PR).",
     {"mean": "geometric"}),
    ("the 2 forgotten", "F1 is 2PR / (P + R): without the 2 it never passes 0.5.", {"mean": "half"}),
    ("right over all", "You divided the right words by all different words, gold and predicted "
     "together (the Jaccard index). F1 is 2PR / (P + R).", {"mean": "union"}),
    (NOTHING_RIGHT[0], "If no word is right, P + R is 0 and the division fails: F1 is 0 then.", {"zero": None}),
    (NOTHING_RIGHT[1], "If no word is right, P + R is 0, and NumPy's 0 / 0 is nan: F1 is 0 then.", {"zero": np.nan}),
)

F1 = Exercise(
    id="bi.f1",
    title="Word F1",
    cases=f1_cases,
    reference=word_f1,
    aspects=(
        Aspect("precision and recall", 2, on=tuple(f"{case}/{score}" for case in ("pooled", "one", "short", "one right")
                                                   for score in ("precision", "recall")),
               ask="Write each word of one sentence as (start, end) and count by hand."),
        Aspect("F1", 2, on=("pooled/f1", "one/f1", "short/f1", "one right/f1"),
               ask="2PR / (P + R), from the pooled counts."),
        Aspect("nothing right", 1, on=("nothing/*", "in part/*"), ask="What should F1 be when no word is right, in all "
               "sentences or in one?"),
    ),
    misconceptions=F1_MISTAKES,
)

EXERCISES = [REVERSE, MERGE, LAYER, FINAL, DECODE, F1]
