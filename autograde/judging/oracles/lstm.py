"""Oracle of lesson 04: the LSTM.

The cell: Hochreiter & Schmidhuber 1997; its forget gate: Gers, Schmidhuber & Cummins 2000; peepholes and the
backward pass in the notation of Greff et al. 2015, "LSTM: A Search Space Odyssey", section II and appendix.

Weights are laid out as Keras lays them out: the four blocks of ``W (D, 4u)``, ``U (u, 4u)`` and ``b (4u,)``
are input gate i, forget gate f, candidate g, output gate o.

Long because a topic is read as one: cases, references, their wrong variants and what is said of each.
"""

from __future__ import annotations

import numpy as np

from autograde.judging.common import mistakes, sigmoid, weights
from autograde.judging.exercise import Aspect, Case, Exercise, Raises

LESSON = "04_lstm"


# Cells that the lesson is given for its demonstrations; an answer writes its own.
GIVEN = tuple(f"unrolled.lessons.lstm{name}" for name in ("", ".forward", ".VariantCell", ".pytorch_lstm"))


# ---------------------------------------------------------------------------------------------- lstm.step


def step_cases(rng):
    B, D, u = 3, 5, 7
    def case(about, **changes):
        drawn = {"x": rng.normal(size=(B, D)), "h": rng.uniform(-0.8, 0.8, (B, u)), "c": rng.normal(size=(B, u))}
        return Case(drawn | weights(rng, D, u, blocks=4) | changes,
                    about=f"B = {B}, D = {D} inputs, u = {u} units, {about}")
    return {
        "random": case("random weights, biases and states"),
        "first": case("the first step, h = c = 0", h=np.zeros((B, u)), c=np.zeros((B, u))),
    }


def step(case, order="ifgo", forget=True, squash=np.tanh, output_from="new", coupled=False, candidate=np.tanh,
         gate=sigmoid, bias=True, recurrent=True, input_gate=True, returned="hc"):
    """One LSTM step; each keyword is a way to get it wrong."""
    c = case["c"]
    z = case["x"] @ case["W"] + (case["h"] @ case["U"] if recurrent else 0) + (case["b"] if bias else 0)
    blocks = dict(zip(order, np.split(z, 4, axis=-1), strict=True))
    i, f, o = (gate(blocks[name]) for name in "ifo")
    f = 1 - i if coupled else f if forget else np.ones_like(f)
    new_c = f * c + (i if input_gate else 1) * candidate(blocks["g"])
    h = o * squash(new_c if output_from == "new" else c)
    return dict(zip(returned, (h, new_c), strict=True))


STEP = Exercise(
    id="lstm.step",
    title="One LSTM step",
    cases=step_cases,
    reference=step,
    forbids=("keras.layers.LSTM", "keras.layers.LSTMCell", *GIVEN),
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("cell state", 2, on=("*/c",), ask="Work out c by hand for one unit: f·c + i·g."),
        Aspect("hidden state", 2, on=("*/h",), ask="Which state does the output gate look at?"),
    ),
    misconceptions=mistakes(
        step,
        ("no forget gate", "The forget gate is missing: the old cell state must be multiplied by f "
         "before anything is added to it.", {"forget": False}),
        ("no input gate", "The candidate is added at full strength: multiply it by the input gate i, "
         "which decides how much of it may enter the cell.", {"input_gate": False}),
        ("input and forget gate swapped", "i and f have changed places: in Keras's order the first "
         "block of weights is the input gate, the second the forget gate.", {"order": "figo"}),
        ("order i, f, o, g", "The last two blocks have changed places: Keras orders them i, f, c, o, "
         "with the candidate third and the output gate last.", {"order": "ifog"}),
        ("no tanh of the cell state", "The hidden state is o · tanh(c): without the tanh it leaves "
         "the range from −1 to 1.", {"squash": lambda c: c}),
        ("output from the old cell", "The output looks at the cell state *before* the update; it must "
         "look at the new one.", {"output_from": "old"}),
        ("coupled gates", "You used 1 − i in place of the forget gate. That is a variant (coupled "
         "gates); here f has weights of its own.", {"coupled": True}),
        ("candidate through a sigmoid", "The candidate g goes through tanh, not sigmoid: it must be "
         "able to lower the cell state as well.", {"candidate": sigmoid}),
        ("tanh on the gates", "The gates go through tanh. A gate is a fraction that is let through, from 0 "
         "to 1, so i, f and o need the sigmoid; only the candidate takes tanh.", {"gate": np.tanh}),
        ("bias left out", "The bias b is never added.", {"bias": False}),
        ("recurrent part left out", "h does not take part: add h @ U before the gates.", {"recurrent": False}),
        ("h and c returned in the wrong order", "The two states came back in the wrong order: return h "
         "first, then c, as Keras does.", {"returned": "ch"}),
    ),
)

# --------------------------------------------------------------------------------------------- lstm.gates


def gates_cases(rng):
    B, T, D, u = 2, 5, 3, 7
    drawn = {"x": rng.normal(size=(B, T, D)), "h": rng.uniform(-0.8, 0.8, (B, u)), "c": rng.normal(size=(B, u))}
    return {"sequence": Case(drawn | weights(rng, D, u, blocks=4),
                             about=f"B = {B} sequences of T = {T} steps, D = {D}, u = {u}, random states")}


def gates(case, carry="hc", opened=True, recorded="after", stack=1, backwards=False, gate_input="h", order="ifgo"):
    """Everything an LSTM does over a sequence; each keyword is a way to get it wrong."""
    h, c = case["h"], case["c"]
    start = {"h": h, "c": c}
    record = {name: [] for name in "ifgoch"}
    steps = range(case["x"].shape[1])
    for t in reversed(steps) if backwards else steps:
        z = case["x"][:, t] @ case["W"] + (c if gate_input == "c" else h) @ case["U"] + case["b"]
        blocks = dict(zip(order, np.split(z, 4, axis=-1), strict=True))
        i, f, o = (sigmoid(blocks[name]) for name in "ifo")
        g = np.tanh(blocks["g"])
        old = {"h": h, "c": c}
        c = f * c + i * g
        h = o * np.tanh(c)
        seen = {"i": i, "f": f, "g": g, "o": o, "c": c, "h": h} if opened else blocks | {"c": c, "h": h}
        for name, value in (seen | old if recorded == "before" else seen).items():
            record[name].append(value)
        h, c = (h if "h" in carry else start["h"]), (c if "c" in carry else start["c"])
    return {name: np.stack(values, axis=stack) for name, values in record.items()}


GATES = Exercise(
    id="lstm.gates",
    title="Everything an LSTM does over a sequence",
    cases=gates_cases,
    reference=gates,
    forbids=("keras.layers.LSTM", "keras.layers.LSTMCell", *GIVEN),
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("gates", 2, on=("*/[ifgo]",), ask="Which h do the gates of step t look at?"),
        Aspect("states", 2, on=("*/[ch]",), ask="Does each step start from the states the step before left?"),
    ),
    misconceptions=mistakes(
        gates,
        ("no state carried", "Every step starts from the first h and c again: assign the new h and c to the "
         "names that the next turn of the loop reads.", {"carry": ""}),
        ("hidden state not carried", "c is carried from step to step but h is not: the gates look at the "
         "first h for ever.", {"carry": "c"}),
        ("cell state not carried", "h is carried from step to step but c is not: without the conveyor belt "
         "this is a network without memory cells.", {"carry": "h"}),
        ("before the squashing", "You recorded i, f, g and o before sigmoid and tanh: record the gates "
         "themselves, the fractions between 0 and 1.", {"opened": False}),
        ("states from before the update", "Position t holds the states from before step t: record c and h "
         "after they are updated.", {"recorded": "before"}),
        ("time first", "Your arrays are (time, batch, units): stack the steps along axis 1, because the "
         "course's arrays are (batch, time, units).", {"stack": 0}),
        ("read backwards", "The sequence is read from its end: start at t = 0.", {"backwards": True}),
        ("gates look at the cell state", "The gates look at c: U is applied to the hidden state h. (Gates "
         "that see c come later; they are called peepholes.)", {"gate_input": "c"}),
        ("input and forget gate swapped", "The arrays called i and f hold each other's values: in Keras's "
         "order the input gate's block comes first.", {"order": "figo"}),
    ),
)

# ------------------------------------------------------------------------------------- lstm.constant_error


def constant_error_cases(rng):
    B, T, u = 3, 7, 5
    return {
        "random": Case({"f": rng.uniform(0.3, 0.95, (B, T, u))}, about=f"forget gates of B = {B}, T = {T}, u = {u}"),
        "open": Case({"f": np.ones((2, 11, 3))}, about="a forget gate that is 1 all the time"),
    }


def constant_error(case, which="after", reduce=np.cumprod, slope=None, log=False):
    """How much of ``c_t`` is left in ``c_T``: the product of the forget gates after step t.

    `which` picks the gates of the product: those ``after`` t, those from t on, or those up to t.
    """
    f = case["f"]
    if slope:
        f = slope(f)
    ones = np.ones_like(f[:, :1])
    if which == "before":
        return {"kept": reduce(f, axis=1)}
    if which == "start":
        return {"kept": np.concatenate([ones, reduce(f[:, :-1], axis=1)], axis=1)}
    if which == "from":
        return {"kept": reduce(f[:, ::-1], axis=1)[:, ::-1]}
    kept = np.concatenate([reduce(f[:, :0:-1], axis=1)[:, ::-1], ones], axis=1)
    return {"kept": np.log(kept) if log else kept}


def _one_gate(f, axis):
    """Only the gate of the next step, no product at all."""
    return f


def _power(f, axis):
    """One gate to the power of the number of steps, as if the gate were the same at all of them."""
    return f ** np.arange(1, f.shape[1] + 1)[:, None]


CONSTANT_ERROR = Exercise(
    id="lstm.constant_error",
    title="How the cell state's gradient travels",
    cases=constant_error_cases,
    reference=constant_error,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("a gate that stays open", 1, on=("open/kept",), ask="With f = 1 all the time, what is lost?"),
        Aspect("gradient", 3, on=("random/kept",), ask="Write the product out for T = 3 and t = 1."),
    ),
    misconceptions=mistakes(
        constant_error,
        ("includes its own gate", "Your product starts with the gate of step t itself: that gate acted on "
         "c_{t−1}, *before* c_t existed. Start with the gate of step t + 1, so that the last entry is 1.",
         {"which": "from"}),
        ("multiplied from the start", "You multiplied the gates up to step t: that is how much of c_0 is "
         "left in c_t. The question runs the other way, from the end back to t.", {"which": "before"}),
        ("from the start, shifted", "You multiplied the gates before step t: that goes from the first step "
         "to t. The gradient comes from the end of the sequence.", {"which": "start"}),
        ("added up", "The gates are added; the chain rule multiplies them.", {"reduce": np.cumsum}),
        ("next gate only", "Only the gate of the next step is in your answer: every step between t and the "
         "end multiplies by its own gate.", {"reduce": _one_gate}),
        ("one gate to a power", "You raised one step's gate to a power: the gates differ from step to step, "
         "so multiply each of them.", {"reduce": _power}),
        ("sigmoid's slope", "You multiplied slopes f·(1 − f): along the cell state no sigmoid is passed; "
         "∂c_t/∂c_{t−1} is the gate f_t itself.", {"slope": lambda f: f * (1 - f)}),
        ("log of the product", "This is the sum of logarithms, a good way to compute it; take exp at the end.",
         {"log": True}),
    ),
)

# ----------------------------------------------------------------------------------------- lstm.forget_bias


def forget_bias_cases(rng):
    u = int(rng.choice([3, 5, 7]))
    half_life = float(rng.uniform(10, 60))
    return {
        "default": Case({"units": u}, about=f"{u} units, no half-life asked for"),
        "half_life": Case({"units": u + 1, "half_life": half_life},
                          about=f"{u + 1} units, half-life {half_life:.1f} steps"),
    }


def logit(p):
    return np.log(p / (1 - p))


def forget_bias(case, block=1, default=1.0, remains=lambda n: 0.5 ** (1 / n), inverse=logit, rest=0.0):
    """The first bias of an LSTM: zero but for the forget gate; each keyword is a way to get it wrong."""
    u = int(case["units"])
    value = inverse(remains(float(case["half_life"]))) if "half_life" in case else default
    b = np.full((4, u), rest)
    b[block] = value
    return {"b": b.reshape(-1)}


FORGET_BIAS = Exercise(
    id="lstm.forget_bias",
    title="The forget gate's first bias",
    cases=forget_bias_cases,
    reference=forget_bias,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("forget bias 1", 1, on=("default/*",), ask="Which quarter of b belongs to the forget gate?"),
        Aspect("half-life", 2, on=("half_life/*",), ask="Which f gives f^n = 1/2, and which bias gives that f?"),
    ),
    misconceptions=mistakes(
        forget_bias,
        ("forget bias 0", "All biases are 0, so the forget gate starts at sigmoid(0) = 0.5 and half of the "
         "memory is lost at every step: put the forget gate's block to the value asked for.",
         {"default": 0.0, "inverse": lambda p: 0.0}),
        ("input gate's block", "The value is in the first block: that is the input gate's. In the order i, "
         "f, g, o the forget gate's is the second, from u to 2u.", {"block": 0}),
        ("candidate's block", "The value is in the third block: that is the candidate's. In the order i, f, "
         "g, o the forget gate's is the second, from u to 2u.", {"block": 2}),
        ("every block", "All four blocks hold the value: only the forget gate should start open, the others "
         "at 0.", {"block": slice(None)}),
        ("gate value as bias", "You wrote the wanted gate value f into the bias: the gate is sigmoid(bias), "
         "so the bias is the inverse, log(f / (1 − f)).", {"inverse": lambda f: f}),
        ("1/e instead of one half", "Your gate lets 1/e remain after n steps: that is a time constant. For a "
         "half-life, f^n = 1/2.", {"remains": lambda n: np.exp(-1 / n)}),
        ("linear loss", "f = 1 − 1/(2n) loses the same *amount* at every step; the gate multiplies, so it "
         "loses the same *fraction*: f^n = 1/2.", {"remains": lambda n: 1 - 1 / (2 * n)}),
        ("half at every step", "This gate halves the memory at each step whatever n is: solve f^n = 1/2 for f.",
         {"remains": lambda n: 0.5}),
        ("half-life ignored", "The half-life makes no difference: with one given, the forget bias must be "
         "computed from it.", {"remains": lambda n: sigmoid(1.0)}),
    ),
)

# --------------------------------------------------------------------------------------------- lstm.latch

GATE_NAMES = {"i": 0, "f": 1, "g": 2, "o": 3}


def latch_cases(rng):
    def case(n, marker, about):
        x = np.stack([rng.uniform(-0.9, 0.9, n), np.full(n, marker)], axis=1)
        return Case({"x": x, "h": rng.uniform(-0.9, 0.9, (n, 1))}, about=about)
    return {"write": case(3, 1.0, "three values with the marker at 1"),
            "keep": case(5, 0.0, "five values with the marker at 0")}


def latch(case, k=20.0, i=True, f=True, o=True, flipped=False, g=1.0, uses_h=0.0, i_follows=True):
    """The gates of a one-unit memory that overwrites at the marker and keeps otherwise, rounded to 0.01."""
    value, marker = case["x"][:, :1], case["x"][:, 1:]
    write = k * ((1 - marker if flipped else marker) - 0.5)
    open_ = np.full_like(value, k)
    return {
        "i": np.round(sigmoid(write if i else open_), 2),
        "f": np.round(sigmoid(-write if f else open_), 2),
        "g": np.tanh(g * value + uses_h * case["h"]),
        "o": np.round(sigmoid(open_ if o else 0 * open_), 2),
    }


LATCH = Exercise(
    id="lstm.latch",
    title="A memory with weights set by hand",
    cases=latch_cases,
    reference=latch,
    rtol=0, atol=0.015,
    aspects=(
        Aspect("writes at the marker", 1, on=("write/[if]",), ask="At a marker: which gate opens, which closes?"),
        Aspect("keeps otherwise", 1, on=("keep/[if]",), ask="Without a marker: which gate opens, which closes?"),
        Aspect("candidate and output", 1, on=("*/[go]",), ask="g should be tanh(value); o should be 1."),
    ),
    misconceptions=mistakes(
        latch,
        ("adds instead of overwriting", "Your forget gate stays open at the marker too, so the new value is "
         "added to the old one: close it when the input gate opens.", {"f": False}),
        ("input gate always open", "Your input gate never closes, so every value gets in: its weight on the "
         "marker must outvote a negative bias.", {"i": False}),
        ("marker the wrong way round", "Your memory keeps at the marker and writes everywhere else: turn the "
         "signs of the marker's weights and biases around.", {"flipped": True}),
        ("gates half open", "The signs are right but the weights are too small: a gate at 0.73 leaks. Make "
         "them larger, so that the sigmoid saturates.", {"k": 2.0}),
        ("output gate at one half", "The output gate's bias is 0, so o = 0.5 and only half of the memory can "
         "be read: give it a large bias.", {"o": False}),
        ("value saturates", "The weight from the value to the candidate is large, so tanh squashes every "
         "value to ±1 and only the sign is kept: use 1.", {"g": 20.0}),
    ),
)

# ---------------------------------------------------------------------------------------------- lstm.cell

ZERO_WEIGHTS = Raises("ValueError", "has 0 weights after build")


def cell_cases(rng):
    B, D, u = 3, 5, 7
    drawn = {"x": rng.normal(size=(B, D)), "h": rng.uniform(-0.8, 0.8, (B, u)), "c": rng.normal(size=(B, u))}
    return {
        "step": Case(drawn | weights(rng, D, u, blocks=4),
                     about=f"one step with your weights replaced: B = {B}, D = {D}, u = {u}"),
        "new": Case({"D": D, "units": u}, about=f"a new cell of {u} units, built for {D} inputs"),
        "config": Case({"D": D, "units": u, "again": True},
                       about='LSTMCell(..., name="memory") made again from its get_config()'),
    }


def cell(case, forget=1.0, states="hc", unpack="hc", output="h", config="all", kernel=True, built=True):
    """The `LSTMCell` layer; each keyword is a way to get it wrong."""
    if not built:
        return ZERO_WEIGHTS
    if case.name == "config":
        if config == "units":
            return {"state_size": [case["units"]] * 2, "name_kept": False}
        if config != "all":
            return Raises("TypeError", config)
        return {"state_size": [case["units"]] * 2, "name_kept": True}
    if case.name == "new":
        u = int(case["units"])
        return {"bias": np.repeat([0.0, forget, 0.0, 0.0], u), "varies": [kernel, kernel], "state_size": [u, u]}
    given = Case(case | dict(zip(unpack, (case["h"], case["c"]), strict=True)))
    new = step(given)
    return {"output": new[output]} | {name: new[kind] for name, kind in zip("hc", states, strict=True)}


CELL = Exercise(
    id="lstm.cell",
    title="A cell for keras.layers.RNN",
    cases=cell_cases,
    reference=cell,
    forbids=("keras.layers.LSTM", "keras.layers.LSTMCell", *GIVEN),
    aspects=(
        Aspect("one step", 3, on=("step/*",), ask="What does your call return, and in which order?"),
        Aspect("at birth", 2, on=("new/*",), ask="Where does a new cell's forget bias start?"),
        Aspect("get_config", 2, on=("config/*",), ask="Does get_config hold every argument of __init__?"),
    ),
    misconceptions=mistakes(
        cell,
        ("forget bias 0", "Your new cell's bias is 0 everywhere, so it forgets half of everything at each "
         "step: let the forget gate's block start at 1.", {"forget": 0.0}),
        ("states returned as c, h", "The new states come back as [c, h]: keras.layers.RNN hands them to the "
         "next step in the order you return them, and that order is [h, c].", {"states": "ch"}),
        ("states unpacked as c, h", "You read the states as c, h: they arrive in the order you return them, [h, c].",
         {"unpack": "ch"}),
        ("output is the cell state", "The cell's output is its cell state: what leaves the cell is h; c "
         "stays inside.", {"output": "c"}),
        ("get_config without units", "get_config does not hold `units`, so a saved model cannot make this "
         "cell again.", {"config": "required positional argument"}),
        ("no keyword arguments", "Your __init__ takes no **kwargs, so Keras cannot hand the layer its name "
         "and dtype: accept **kwargs and pass them to super().__init__.", {"config": "unexpected keyword"}),
        ("get_config without the base's", "get_config holds your own argument only; start from "
         "super().get_config(), or the name and dtype are lost.", {"config": "units"}),
        ("weights start at zero", "Both weight matrices start at 0: then every unit does the same for ever, "
         "because each gets the same gradient. Keep random initialisers for them.", {"kernel": False}),
        ("weights made in call", "Your cell has no weights after build: make them in build(self, "
         "input_shape). Made in call they do not exist yet when a saved model is loaded.", {"built": False}),
    ),
)

# --------------------------------------------------------------------------------------------- lstm.layer


def layer_cases(rng):
    B, T, D, u = 3, 5, 2, 7
    def case(about, **more):
        drawn = {"x": rng.normal(size=(B, T, D)), "return_sequences": True, "return_state": False}
        return Case(drawn | weights(rng, D, u, blocks=4) | more, about=f"B = {B}, T = {T}, D = {D}, u = {u}, {about}")
    mask = np.arange(T) < np.array([[5], [3], [2]])
    mask[0, 2] = False  # a hole, so that "count the valid steps" is told apart from a mask
    return {
        "sequence": case("return_sequences=True"),
        "last": case("return_sequences=False", return_sequences=False),
        "states": case("return_state=True, and an initial state", return_sequences=False, return_state=True,
                       h=rng.uniform(-0.8, 0.8, (B, u)), c=rng.normal(size=(B, u))),
        "mask": case("a mask (padding at the end, and one gap)", mask=mask, return_state=True),
        "passes": Case({"mask": mask}, about="compute_mask with return_sequences=True, then with False"),
        "config": Case({"units": u, "D": D}, about="LSTM(..., return_sequences=True, return_state=True) made "
                       "again from its get_config()"),
    }


def layer(case, mask="hold", initial="hc", states="hc", stack=1, sequences_kept=True, passes_last=False,
          built=True, output="h", last="last"):
    """The `LSTM` layer; each keyword is a way to get it wrong."""
    if case.name == "passes":
        return {"sequences": True, "last": passes_last}
    if not built:
        return ZERO_WEIGHTS
    if case.name == "config":
        return {"outputs": 3, "axes": 3 if sequences_kept else 2}
    B, T, _ = case["x"].shape
    given = [case[k] if k in case and initial else np.zeros((B, case["U"].shape[0])) for k in (initial or "hc")]
    h, c = given
    out, outputs = np.zeros_like(h), []
    for t in range(T):
        new = step(Case(case | {"x": case["x"][:, t], "h": h, "c": c}))
        valid = case["mask"][:, t, None] if "mask" in case and mask != "ignored" else np.ones((B, 1), bool)
        if mask == "inverted" and "mask" in case:
            valid = ~valid
        if mask == "reset":
            h, c = new["h"] * valid, new["c"] * valid
        else:
            h = np.where(valid, new["h"], h)
            c = new["c"] if mask == "h only" else np.where(valid, new["c"], c)
        out = np.where(valid, new["h"], 0) if mask == "zero output" else (h if output == "h" else c)
        outputs.append(out)
    result = np.stack(outputs, axis=stack) if case["return_sequences"] else outputs[0 if last == "first" else -1]
    end = dict(zip(states, (h, c), strict=True)) if case["return_state"] else {}
    return {"output": result} | end


LAYER = Exercise(
    id="lstm.layer",
    title="The LSTM layer, with masks",
    cases=layer_cases,
    reference=layer,
    forbids=("keras.layers.LSTM", "keras.layers.RNN", *GIVEN),
    aspects=(
        Aspect("outputs", 3, on=("sequence/*", "last/*"), ask="Do both states travel from step to step?"),
        Aspect("states", 2, on=("states/*",), ask="In which order do states arrive and leave?"),
        Aspect("mask", 3, on=("mask/*", "passes/*"), ask="What must happen to h and to c where the mask is False?"),
        Aspect("get_config", 2, on=("config/*",), ask="Does get_config hold every argument of __init__?"),
    ),
    misconceptions=mistakes(
        layer,
        ("mask ignored", "The mask makes no difference: where it is False, h and c must stay what they were.",
         {"mask": "ignored"}),
        ("mask the wrong way round", "Your layer skips the valid steps and reads the padding: True means a "
         "real step.", {"mask": "inverted"}),
        ("states zeroed at padding", "At a masked step your states become 0, so the memory is gone: keep the "
         "old ones with ops.where(m, new, old).", {"mask": "reset"}),
        ("mask on h only", "At a masked step h stays but c runs on: hold both states.", {"mask": "h only"}),
        ("outputs zeroed at padding", "Your states are right, but masked steps output 0: Keras repeats the "
         "last valid output there, so that the last position holds the result.", {"mask": "zero output"}),
        ("initial state ignored", "initial_state makes no difference: start from it when it is given.",
         {"initial": ""}),
        ("initial state read as c, h", "initial_state is [h, c]; you read it as c, h.", {"initial": "ch"}),
        ("states returned as c, h", "With return_state=True the order is output, h, c.", {"states": "ch"}),
        ("time first", "Your sequence is (time, batch, units): stack the outputs along axis 1.", {"stack": 0}),
        ("first step returned", "Without return_sequences your layer returns its first output: it must "
         "return the last.", {"last": "first"}),
        ("output is the cell state", "Your outputs are the cell states: what leaves the layer is h.", {"output": "c"}),
        ("get_config without return_sequences", "The layer made from get_config returns one step instead of "
         "the sequence: return_sequences is missing from the dictionary.", {"sequences_kept": False}),
        ("mask passed on after the last step", "With return_sequences=False there is no time axis left, so "
         "the mask must end here: compute_mask returns None then.", {"passes_last": True}),
        ("cell not built", "After build the layer has no weights: call self.cell.build(...) in build, or a "
         "saved model's weights find no place when it is loaded.", {"built": False}),
    ),
)

# ------------------------------------------------------------------------------------- lstm.peephole_step


def peephole_cases(rng):
    B, D, u = 2, 3, 5
    def case(about, **changes):
        drawn = {"x": rng.normal(size=(B, D)), "h": rng.uniform(-0.8, 0.8, (B, u)), "c": rng.normal(size=(B, u)),
                 "P": rng.normal(size=(3, u))}
        return Case(drawn | weights(rng, D, u, blocks=4) | changes, about=f"B = {B}, D = {D}, u = {u}, {about}")
    return {"random": case("random peepholes"), "none": case("all peepholes 0", P=np.zeros((3, u)))}


def peephole(case, early="old", late="new", full=False, rows="ifo", looks_at=lambda c, h: c, inside=True,
             candidate=False, output=True, inputs=True):
    """One step of an LSTM whose gates see the cell state; each keyword is a way to get it wrong."""
    h, c = case["h"], case["c"]
    p = dict(zip(rows, case["P"], strict=True))
    zi, zf, zg, zo = np.split(case["x"] @ case["W"] + h @ case["U"] + case["b"], 4, axis=-1)

    def gate(z, name, state):
        seen = p[name] * looks_at(state, h)
        if full:
            seen = seen.sum(axis=-1, keepdims=True)
        return sigmoid(z + seen) if inside else sigmoid(z) + seen

    def update(seen):
        i, f = (gate(zi, "i", seen), gate(zf, "f", seen)) if inputs else (sigmoid(zi), sigmoid(zf))
        return f * c + i * np.tanh(zg + (p["i"] * c if candidate else 0))

    new_c = update(c)
    if early == "new":
        new_c = update(sigmoid(zf) * c + sigmoid(zi) * np.tanh(zg))
    o = gate(zo, "o", new_c if late == "new" else c) if output else sigmoid(zo)
    return {"h": o * np.tanh(new_c), "c": new_c}


PEEPHOLE = Exercise(
    id="lstm.peephole_step",
    title="One step with peepholes",
    cases=peephole_cases,
    reference=peephole,
    forbids=("keras.layers.LSTM", "keras.layers.LSTMCell", *GIVEN),
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("without peepholes an LSTM", 1, on=("none/*",), ask="With P = 0 this is lstm_step."),
        Aspect("cell state", 2, on=("random/c",), ask="Which c exists when i and f are computed?"),
        Aspect("hidden state", 2, on=("random/h",), ask="Which c exists when o is computed?"),
    ),
    misconceptions=mistakes(
        peephole,
        ("output gate sees the old cell", "The output gate looks at c_{t−1}: it opens after the update, so "
         "it looks at the new c_t.", {"late": "old"}),
        ("input and forget gate see the new cell", "i and f look at a cell state that they are about to "
         "make: they can only see the old one, c_{t−1}.", {"early": "new"}),
        ("full instead of diagonal", "Every unit's gate sees the sum over all units: a peephole is one "
         "weight a unit, so it is an elementwise product and nothing is summed.", {"full": True}),
        ("rows in the order f, i, o", "The peephole rows of i and f have changed places: P holds them in the "
         "order i, f, o.", {"rows": "fio"}),
        ("looks at h", "The peephole weights are applied to h: the whole point is that the gates see the "
         "cell state c itself, which a closed output gate hides from them.", {"looks_at": lambda c, h: h}),
        ("looks at tanh(c)", "The peepholes see tanh(c): they look at the cell state as it is, not squashed.",
         {"looks_at": lambda c, h: np.tanh(c)}),
        ("added after the sigmoid", "The peephole is added to the finished gate, which can then leave the "
         "range from 0 to 1: add it before the sigmoid.", {"inside": False}),
        ("peephole on the candidate", "The candidate g sees the cell state as well: peepholes go to the "
         "three gates only.", {"candidate": True}),
        ("output gate without peephole", "i and f have their peepholes, the output gate has none: it sees P[2] · c_t.",
         {"output": False}),
        ("input and forget gate without peephole", "Only the output gate has its peephole: i and f see P[0] "
         "· c_{t−1} and P[1] · c_{t−1}.", {"inputs": False}),
    ),
)

# -------------------------------------------------------------------------------------- lstm.step_backward


def backward_cases(rng):
    B, D, u = 3, 5, 2
    def case(about, P):
        w = weights(rng, D, u, blocks=4)
        x, h_prev, c_prev = rng.normal(size=(B, D)), rng.uniform(-0.8, 0.8, (B, u)), rng.normal(size=(B, u))
        zi, zf, zg, zo = np.split(x @ w["W"] + h_prev @ w["U"] + w["b"], 4, axis=-1)
        i, f, g = sigmoid(zi + P[0] * c_prev), sigmoid(zf + P[1] * c_prev), np.tanh(zg)
        c = f * c_prev + i * g
        o = sigmoid(zo + P[2] * c)
        return Case(w | {"x": x, "h_prev": h_prev, "c_prev": c_prev, "P": P, "i": i, "f": f, "g": g, "o": o, "c": c,
                         "h": o * np.tanh(c), "dh": rng.normal(size=(B, u)), "dc": rng.normal(size=(B, u))},
                    about=f"B = {B}, D = {D}, u = {u}, {about}")
    return {"plain": case("all peepholes 0", np.zeros((3, u))),
            "peephole": case("random peepholes", rng.normal(size=(3, u)))}


def step_backward(case, carry=True, output_peephole=True, input_peepholes=True, forget=True, squash=True,
                  gate_slope=lambda a: a * (1 - a), candidate_slope=lambda g: 1 - g**2, dU_from="h_prev",
                  dP_from="c", average=False, order="ifgo", overwrite=False):
    """Gradients of one peephole step; each keyword is a way to get it wrong."""
    x, c_prev, i, f, g, o, c, P = (case[k] for k in ("x", "c_prev", "i", "f", "g", "o", "c", "P"))
    dz = {"o": case["dh"] * np.tanh(c) * gate_slope(o)}
    dc = case["dh"] * o * (1 - np.tanh(c) ** 2 if squash else 1)
    dc = dc + (case["dc"] if carry else 0)
    dc = dc + (dz["o"] * P[2] if output_peephole else 0)
    dz["i"] = dc * g * gate_slope(i)
    dz["f"] = dc * c_prev * gate_slope(f)
    dz["g"] = dc * i * candidate_slope(g)
    dc_prev = dc * (f if forget else 1) + (dz["i"] * P[0] + dz["f"] * P[1] if input_peepholes else 0)
    total = np.concatenate([dz[name] for name in order], axis=-1)
    size = x.shape[0] if average else 1
    dP = np.stack([(dz["i"] * c_prev).sum(0), (dz["f"] * c_prev).sum(0), (dz["o"] * case[dP_from]).sum(0)])
    return {"x": total @ case["W"].T, "h_prev": total @ case["U"].T, "c_prev": dc_prev,
            "W": x.T @ total / size, "U": case[dU_from].T @ total / size, "b": total.sum(0) / size, "P": dP / size}


STEP_BACKWARD = Exercise(
    id="lstm.step_backward",
    title="One step backward, peepholes included",
    cases=backward_cases,
    reference=step_backward,
    forbids=("tensorflow.GradientTape", "tf.GradientTape", "jax.grad", "torch.autograd"),
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("inputs and states", 3, on=("plain/x", "plain/*_prev"), ask="Two paths lead into c_t: which?"),
        Aspect("weights", 2, on=("plain/[WUbP]",), ask="Each weight gradient is what the weight multiplied, "
               "transposed, times dz."),
        Aspect("with peepholes", 3, on=("peephole/*",), ask="Follow every arrow that leaves c_{t−1} and c_t."),
    ),
    misconceptions=mistakes(
        step_backward,
        ("peephole paths left out", "The gradient does not pass the peepholes: c_t also acts through the "
         "output gate (add dz_o · p_o to dc), and c_{t−1} through i and f (add dz_i · p_i + dz_f · p_f to "
         "dc_prev).",
         {"output_peephole": False, "input_peepholes": False}),
        ("output gate's peephole path left out", "c_t also acts on the output gate through its peephole: add "
         "dz_o · p_o to dc before you use it.", {"output_peephole": False}),
        ("input and forget peephole paths left out", "c_{t−1} also acts on i and f through their peepholes: "
         "add dz_i · p_i + dz_f · p_f to dc_prev.", {"input_peepholes": False}),
        ("cell path not carried", "The incoming dc makes no difference: two paths lead back into c_t, one "
         "through h_t and one from c_{t+1}; add them.", {"carry": False}),
        ("no forget gate on the way back", "The gradient reaches c_{t−1} without the factor f: "
         "∂c_t/∂c_{t−1} = f_t.", {"forget": False}),
        ("slope of tanh(c) missing", "On the way from h_t into c_t stands a tanh: multiply by 1 − tanh²(c_t).",
         {"squash": False}),
        ("slope of the sigmoid missing", "The three gates are sigmoids: multiply by their slope, a · (1 − "
         "a), on the way from a gate to its z.", {"gate_slope": lambda a: 1.0}),
        ("slope of the candidate missing", "The candidate is a tanh: multiply by 1 − g² on the way from g to its z.",
         {"candidate_slope": lambda g: 1.0}),
        ("sigmoid's slope for the candidate", "The candidate is a tanh, so its slope is 1 − g², not g · (1 − g).",
         {"candidate_slope": lambda g: g * (1 - g)}),
        ("dU from the new hidden state", "U multiplied h_{t−1}, so its gradient is h_{t−1}ᵀ dz; you used h_t.",
         {"dU_from": "h"}),
        ("output peephole from the old cell", "The output gate saw c_t, so the gradient of its peephole is "
         "the sum of dz_o · c_t; you used c_{t−1}.", {"dP_from": "c_prev"}),
        ("averaged over the batch", "The weight gradients are divided by the batch size: the chain rule adds "
         "over the batch. If the loss is a mean, dh holds the 1/B already.", {"average": True}),
        ("order i, f, o, g", "The four parts of dz stand in the order i, f, o, g; the weights' blocks are "
         "i, f, g, o.", {"order": "ifog"}),
    ),
)

# ----------------------------------------------------------------------- lstm.to_pytorch, lstm.from_pytorch

def _arrays(rng):
    V, D, u = 11, 3, 5
    return {"E": rng.normal(size=(V, D))} | weights(rng, D, u, blocks=4), f"{V} words, D = {D}, u = {u}"


def to_pytorch_cases(rng):
    arrays, sizes = _arrays(rng)
    return {"to": Case(arrays, about=f"Keras to PyTorch: {sizes}")}


def from_pytorch_cases(rng):
    a, sizes = _arrays(rng)
    state = {"E": a["E"], "w_ih": a["W"].T, "w_hh": a["U"].T, "b_ih": a["b"], "b_hh": rng.normal(size=a["b"].shape)}
    return {"from": Case(state, about=f"PyTorch to Keras: {sizes}, two random biases")}


def _reordered(a):
    i, f, g, o = np.split(a, 4, axis=-1)
    return np.concatenate([i, f, o, g], axis=-1)


def _reshape(a):
    return a.reshape(a.shape[::-1])


def _same(a):
    return a


def to_pytorch(case, turn=np.transpose, order=_same, biases=1, turn_embedding=_same):
    """Keras arrays to a PyTorch state dictionary; each keyword is a way to get it wrong."""
    b = order(case["b"])
    return {"embedding": turn_embedding(case["E"]), "weight_ih": turn(order(case["W"])),
            "weight_hh": turn(order(case["U"])), "bias": b * biases, "bias_lengths": [b.size, b.size]}


def from_pytorch(case, turn=np.transpose, order=_same, biases=(1, 1), turn_embedding=_same):
    """A PyTorch state dictionary to Keras arrays; each keyword is a way to get it wrong."""
    b = case["b_ih"] * biases[0] + case["b_hh"] * biases[1]
    return {"E": turn_embedding(case["E"]), "W": order(turn(case["w_ih"])), "U": order(turn(case["w_hh"])),
            "b": order(b)}


NOT_TRANSPOSED = ("not transposed", "The matrices have kept their shapes: PyTorch stores (out, in) and Keras "
                  "(in, out), so transpose both.", {"turn": _same})
RESHAPED = ("reshaped instead of transposed", "reshape gives the right shape with the numbers in the wrong "
            "places: use .T.", {"turn": _reshape})
REORDERED = ("reordered to i, f, o, g", "You moved the blocks, but the orders are the same: PyTorch's g is "
             "the candidate, which Keras calls c.", {"order": _reordered})
EMBEDDING_TURNED = ("embedding transposed", "The embedding is a table to look up, (words, D) in both "
                    "frameworks: only the matrices that multiply are "
                    "transposed.", {"turn_embedding": np.transpose})

TO_PYTORCH = Exercise(
    id="lstm.to_pytorch",
    title="Weights from Keras to PyTorch",
    cases=to_pytorch_cases,
    reference=to_pytorch,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("matrices", 1, on=("to/embedding", "to/weight_*"), ask="PyTorch computes x @ weight.T + biases."),
        Aspect("biases", 1, on=("to/bias*",), ask="PyTorch adds bias_ih and bias_hh: what must their sum be?"),
    ),
    misconceptions=mistakes(
        to_pytorch, NOT_TRANSPOSED, RESHAPED, REORDERED, EMBEDDING_TURNED,
        ("bias counted twice", "Both PyTorch biases hold b, so it is added twice: put b in one and zeros in "
         "the other.", {"biases": 2}),
    ),
)

FROM_PYTORCH = Exercise(
    id="lstm.from_pytorch",
    title="Weights from PyTorch to Keras",
    cases=from_pytorch_cases,
    reference=from_pytorch,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("matrices", 1, on=("from/[EWU]",), ask="Keras computes x @ W + h @ U + b."),
        Aspect("bias", 1, on=("from/b",), ask="What is the one bias that does what the two did?"),
    ),
    misconceptions=mistakes(
        from_pytorch, NOT_TRANSPOSED, RESHAPED, REORDERED, EMBEDDING_TURNED,
        ("second bias dropped", "bias_hh is lost on the way: PyTorch adds both biases, so Keras's one bias "
         "is their sum.", {"biases": (1, 0)}),
        ("biases averaged", "The biases are averaged: PyTorch adds both, so Keras's one bias is their sum.",
         {"biases": (0.5, 0.5)}),
    ),
)

EXERCISES = [STEP, GATES, CONSTANT_ERROR, FORGET_BIAS, LATCH, CELL, LAYER, PEEPHOLE, STEP_BACKWARD, TO_PYTORCH,
             FROM_PYTORCH]
