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

from autograde.judging.common import mistake, mistakes, sigmoid, sizes
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
            if key != "mask" and mask is not None and array.ndim == 3 and array.shape[:2] == mask.shape else array
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


def lstm_step(x, states, W, U, b):
    h, c = states
    i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, [h, c]


STEPS = {"gru": (gru_step, 1, 3), "lstm": (lstm_step, 2, 4)}


def read(case, weights, x, mask):
    """All outputs of one cell; a masked step holds the states and repeats the output."""
    step, n_states, _ = STEPS[text(case["cell"])]
    B, T, _ = x.shape
    u = weights[1].shape[0]
    states, y, out = [np.zeros((B, u))] * n_states, np.zeros((B, u)), np.zeros((B, T, u))
    for t in range(T):
        keep = mask[:, t, None]
        new_y, new = step(x[:, t], states, *weights)
        y = np.where(keep, new_y, y)
        states = [np.where(keep, n, s) for n, s in zip(new, states, strict=True)]
        out[:, t] = y
    return out


def layer_cases(rng):
    B, T, D, u = 3, 5, 2, 3

    def case(about, cell="gru", mode="concat", lengths=None, scale=0.8):
        blocks = STEPS[cell][2] * u
        bias = (2, blocks) if cell == "gru" else (blocks,)
        weights = {f"{name}_{way}": rng.normal(size=shape) * scale for way in ("forward", "backward")
                   for name, shape in (("W", (D, blocks)), ("U", (u, blocks)), ("b", bias))}
        padding = {} if lengths is None else {"mask": mask_of(lengths, T)}
        x = rng.normal(size=(B, T, D))
        return Case({"x": x, "cell": codes(cell), "mode": codes(mode)} | padding | weights, about=about)

    lengths = np.array([3, 4, 2])[rng.permutation(3)]
    return {
        "gru": case(f"a GRU cell with u = {u}, B = {B}, T = {T}, D = {D}, no padding, concat"),
        "lstm": case("an LSTM cell (two states), no padding, concat", cell="lstm"),
        "mode": case("a GRU cell, merge_mode mul", mode="mul"),
        "padded": case(f"a GRU cell, valid lengths {', '.join(map(str, lengths))}", lengths=lengths),
        "facts": Case({"cell": codes("gru"), "mode": codes("ave"), "D": D, "u": u},
                      about=f"counting, saving, loading: a GRU cell with u = {u}, D = {D}, merge_mode ave"),
    }


def layer(case, before="valid", after="valid", mask_flipped=None, shared=False, backward_first=False,
          mode_used=True, passes_mask=True, config="whole"):
    """Both directions; each keyword is a way to get it wrong."""
    mode = text(case["mode"])
    if case.name == "facts":
        D, u = int(case["D"]), int(case["u"])
        if config == "no cell":
            return Raises("TypeError", "missing 1 required positional argument")
        if config == "cell left as a dict":
            return Raises("TypeError", "Error when deserializing")
        if config == "cell built twice":
            return Raises("ValueError", "already built")
        one_way = 3 * u * (D + u + 2)
        return {"parameters": one_way * (1 if shared else 2), "units_restored": u,
                "merge_mode_restored": config != "no merge_mode"}
    x = case["x"]
    mask = case.get("mask", np.ones(x.shape[:2], bool))
    turn = {"valid": lambda a: reverse_valid({"x": a, "mask": np.asarray(mask)})["y"],
            "all": lambda a: a[:, ::-1], "none": lambda a: a}
    W = {way: [case[f"{name}_{way}"] for name in "WUb"] for way in ("forward", "backward")}
    forward = read(case, W["backward" if shared else "forward"], x, mask)
    seen = {None: mask, "not flipped": mask, "flipped": mask[:, ::-1],
            "ignored": np.ones_like(mask)}[mask_flipped]
    backward = turn[after](read(case, W["backward"], turn[before](x), seen))
    valid = mask[..., None]
    joined = merge({"forward": forward, "backward": backward, "mode": codes(mode if mode_used else "concat")},
                   backward_first=backward_first)
    result = {"y": joined["y"] * valid}
    return result | ({"mask_goes_on": passes_mask} if case.name == "padded" else {})


_wrong = partial(mistake, layer)

LAYER = Exercise(
    id="bi.layer",
    title="A bidirectional layer from any cell",
    cases=layer_cases,
    reference=layer,
    forbids=("keras.layers.Bidirectional",),
    aspects=(
        Aspect("both directions", 3, on=("gru/y",),
               ask="Test by hand: must output 0 change when only the last input changes?"),
        Aspect("a cell with two states", 1, on=("lstm/y",)),
        Aspect("merge mode", 1, on=("mode/y",)),
        Aspect("padding", 3, on=("padded/y",), ask="Change what stands in the padding: does any valid "
               "output move?"),
        Aspect("the mask goes on", 1, on=("padded/mask_goes_on",),
               ask="Which attribute tells Keras that a layer takes and hands on a mask?"),
        Aspect("saved and loaded", 1, on=("facts/*",), ask="get_config must hold everything __init__ was "
               "given."),
    ),
    misconceptions=(
        _wrong("both cells read forwards", "Both cells read from left to right. The second must get the "
               "reversed sequence.", before="none", after="none"),
        _wrong("backward outputs left reversed", "The backward outputs are still in the order in which "
               "they were made: reverse them again, so that output t speaks about step t.", after="none"),
        _wrong("reversed after reading only", "The second cell read forwards and only its outputs were "
               "reversed. Reverse the input first, then the outputs.", before="none"),
        _wrong("one set of weights for both", "The two directions share one cell. Each direction learns "
               "weights of its own: make the second cell from the first one's config.", shared=True),
        _wrong("mask not flipped with the sequence", "You flipped the whole row, padding first, but gave the "
               "backward cell the mask in the old order: it reads padding and skips words.",
               before="all", after="all", mask_flipped="not flipped"),
        _wrong("mask flipped, sequence not", "backwards(x, mask) leaves the padding behind, so the mask stays as "
               "it is. You flipped it: the backward cell skips words and reads padding.", mask_flipped="flipped"),
        _wrong("padding read first", "The backward cell starts with the padding and carries it into every "
               "output. Reverse the valid part only (or flip the mask too).",
               before="all", after="all", mask_flipped="ignored"),
        _wrong("flipped back with the padding", "The input was reversed over its valid part, the outputs "
               "over the whole row: in rows with padding, output t now speaks about another step.",
               after="all"),
        _wrong("merge mode ignored", "merge_mode is taken but not used: the outputs are always concatenated.",
               mode_used=False),
        _wrong("backward first", "The halves have changed places: the forward output comes first.",
               backward_first=True),
        _wrong("the mask ends here", "Without self.supports_masking = True the mask ends at your layer, "
               "and the next layer and the loss count the padding.", passes_mask=False),
        _wrong("config without the merge mode", "get_config does not hold merge_mode: a loaded model "
               "falls back to the default, and nothing says so.", config="no merge_mode"),
        _wrong("config without the cell", "get_config does not hold the cell, so a saved model cannot be "
               "loaded: put keras.layers.serialize(cell) in.", config="no cell"),
        _wrong("cell not rebuilt from its config", "After loading, cell is still the dictionary that "
               "get_config wrote: from_config must call keras.layers.deserialize on it.", config="cell "
               "left as a dict"),
        _wrong("cell built twice", "A cell that comes out of a saved model is built already: call "
               "cell.build only if not cell.built (keras.layers.RNN looks first).", config="cell built "
               "twice"),
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


def final_state(case, forward="last valid", backward="first", order=(0, 1), longest=False, joined=True, pooled=False):
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

SENTENCES = ("我/爱/中国", "图书馆/在/学校/里", "他/的/计算机/坏/了", "我们/去/火车站/接/人",
             "她/想/买/自行车")


def tags_of(words):
    return "".join("S" if len(w) == 1 else "B" + "M" * (len(w) - 2) + "E" for w in words)


def decode_cases(rng):
    words = str(rng.choice(SENTENCES[1:])).split("/")

    def case(characters, tags, about):
        return Case({"characters": codes(characters), "tags": codes(tags)}, about=about)

    # Every odd pair of tags occurs; the sentence ends in the middle of a word.
    middle = "".join(rng.choice(list("BMES"), size=6))
    odd = f"BBEMMESMBSEE{middle}SBM"
    characters = "".join(chr(0x4E00 + int(k)) for k in rng.choice(2000, size=len(odd), replace=False))
    return {
        "china": case("我爱中国", "SSBE", "characters 我爱中国, tags S S B E"),
        "sentence": case("".join(words), tags_of(words), f"tags {' '.join(tags_of(words))}"),
        "odd": case(characters, odd, f"tags as a model may give them: {' '.join(odd)}"),
        "empty": case("", "", "an empty sentence"),
    }


def bmes_decode(case, starts="BS", ends="ES", rule="cut"):
    """Word lengths; each keyword is a way to get it wrong."""
    characters, tags = text(case["characters"]), text(case["tags"])
    words = {"cut": _cut, "last lost": _cut, "empty at the end": _cut,
             "no M": _without_m, "unfinished dropped": _finished_only}[rule](characters, tags, starts, ends)
    if rule == "last lost" and tags and tags[-1] not in "ES":
        words = words[:-1]
    if rule == "empty at the end" and (not tags or tags[-1] in "ES"):
        words = [*words, ""]
    return {"lengths": np.array([len(w) for w in words], int), "all_kept": "".join(words) == characters}


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


_wrong = partial(mistake, bmes_decode)

DECODE = Exercise(
    id="bi.bmes_decode",
    title="From tags to words",
    cases=decode_cases,
    reference=bmes_decode,
    aspects=(
        Aspect("sentences", 2, on=("china/*", "sentence/*", "empty/*"),
               ask="Take 我爱中国 with S S B E: after which characters do you cut?"),
        Aspect("tags in any order", 2, on=("odd/*",),
               ask="A model may write B B or end with M. Which two rules say where to cut?"),
    ),
    misconceptions=(
        _wrong("cuts only after E and S", "You cut after E and S only. A model also writes B B or M S: a "
               "B or S always starts a new word.", starts=""),
        _wrong("cuts only before B and S", "You cut before B and S only. A model also writes E E or S M: "
               "after E or S the word is over.", ends=""),
        _wrong("the last word lost", "A sentence that ends with B or M loses its last word: hand in what "
               "is still being built after the loop.", rule="last lost"),
        _wrong("middle characters lost", "Characters tagged M disappear: they belong to the word that is "
               "being built.", rule="no M"),
        _wrong("S does not cut", "S is a whole word: cut before it and after it.", starts="B", ends="E"),
        _wrong("cuts before E", "You cut before the character with E; it is the last one of its word, so "
               "the cut comes after it.", starts="ES", ends=""),
        _wrong("unfinished words dropped", "A word that was begun and never got its E disappears, and its "
               "characters with it. Every character must stay.", rule="unfinished dropped"),
        _wrong("an empty word at the end", "There is an empty word at the end: hand in the rest after the "
               "loop only if there is one.", rule="empty at the end"),
    ),
)


# --- bi.f1 -------------------------------------------------------------------------------------------------

def f1_cases(rng):
    while True:
        case = _f1_case(rng)
        values = [np.array([*m.wrong(case).values()], float) for m in F1_MISTAKES if m.name != NAN]
        values.append(np.array([*word_f1(case).values()], float))
        # Scores are fractions of small numbers: draw again until no two versions agree by chance.
        apart = all(np.abs(a - b).max() > 0.005 for a, b in combinations(values, 2))
        # Nor may one aspect of a wrong way to count come out right by chance.
        counted = [np.array([*word_f1(case, unit=unit).values()], float) for unit in UNITS if unit != "spans"]
        gaps = [np.abs(values[-1] - other) for other in counted]
        if apart and all(gap[:2].max() > 0.005 and gap[2] > 0.005 for gap in gaps):
            break
    nothing = Case({"gold": codes("我/爱/中国"), "predicted": codes("我爱/中/国")},
                   about="gold 我/爱/中国, predicted 我爱/中/国: no word is right")
    return {"pooled": case, "nothing": nothing}


def _f1_case(rng):
    gold, predicted = [], []
    for n in rng.permutation([5, 7, 11, 13]):
        characters = rng.choice(list("的一是不"), size=n)
        cuts = rng.random(n - 1) < 0.6
        guess = np.where(rng.random(n - 1) < 0.25, ~cuts, cuts)
        for sentences, where in ((gold, cuts), (predicted, guess)):
            slashes = ["/" if cut else "" for cut in [*where, False]]
            sentences.append("".join(c + s for c, s in zip(characters, slashes, strict=True)))
    return Case({"gold": codes("\n".join(gold)), "predicted": codes("\n".join(predicted))},
                about=f"{len(gold)} sentences: gold {' · '.join(gold)}; predicted {' · '.join(predicted)}")


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
    f1 = {"harmonic": f1, "arithmetic": (precision + recall) / 2,
          "union": right / (n_predicted + n_gold - right)}[mean]
    if swapped:
        precision, recall = recall, precision
    return {"precision": np.mean(precision), "recall": np.mean(recall), "f1": np.mean(f1)}


_wrong = partial(mistake, word_f1)
NAN = "nothing right divides by zero"

F1_MISTAKES = (
    _wrong("characters, not words", "You counted tags that are right, character by character. A word "
           "counts only if both its ends are right.", unit="tags"),
    _wrong("words without their places", "You compared which words occur, as sets. A word is right only "
           "at its place: compare (start, end).", unit="types"),
    _wrong("words without their places, over all words", "You compared which words occur, as sets. A word is "
           "right only at its place: compare (start, end).", unit="types", all_words=True),
    _wrong("bag of words", "You counted how often each word occurs, wherever it stands. A word is right "
           "only at its place: compare (start, end).", unit="bag"),
    _wrong("the i-th word against the i-th word", "After one missing cut all later words have another "
           "number, and are counted wrong although they are right. Compare (start, end).", unit="same "
           "index"),
    _wrong("cuts, not words", "You compared the cuts. A word is right only if the cut before it *and* the "
           "cut after it are right.", unit="cuts"),
    _wrong("averaged over sentences", "You averaged the scores of the sentences, so a short one weighs as "
           "much as a long one. Add up the counts first, then divide once.", pooled=False),
    _wrong("all sentences in one set", "Spans of different sentences fell together in one set: (0, 1) "
           "occurs in nearly every sentence. Count sentence by sentence.", one_set=True),
    _wrong("precision and recall swapped", "Precision divides by the words predicted, recall by the words "
           "in the gold standard; yours are the other way round.", swapped=True),
    _wrong("arithmetic mean", "F1 is the harmonic mean, 2PR / (P + R); you took (P + R) / 2.",
           mean="arithmetic"),
    _wrong("right over all", "You divided the right words by all different words, gold and predicted "
           "together (the Jaccard index). F1 is 2PR / (P + R).", mean="union"),
    _wrong(NAN, "If no word is right, P + R is 0 and the division fails: F1 is 0 then.", zero=None),
)

F1 = Exercise(
    id="bi.f1",
    title="Word F1",
    cases=f1_cases,
    reference=word_f1,
    aspects=(
        Aspect("precision and recall", 2, on=("pooled/precision", "pooled/recall"),
               ask="Write each word of one sentence as (start, end) and count by hand."),
        Aspect("F1", 2, on=("pooled/f1",), ask="2PR / (P + R), from the pooled counts."),
        Aspect("nothing right", 1, on=("nothing/*",), ask="What should F1 be when no word is right?"),
    ),
    misconceptions=F1_MISTAKES,
)

EXERCISES = [REVERSE, MERGE, LAYER, FINAL, DECODE, F1]
