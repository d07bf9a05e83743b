"""Oracle of lesson 04: the LSTM.

The cell: Hochreiter & Schmidhuber 1997; its forget gate: Gers, Schmidhuber & Cummins 2000; peepholes and the
backward pass in the notation of Greff et al. 2015, "LSTM: A Search Space Odyssey", section II and appendix.

Weights are laid out as Keras lays them out: the four blocks of ``W (D, 4u)``, ``U (u, 4u)`` and ``b (4u,)``
are input gate i, forget gate f, candidate g, output gate o.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from autograde.exercise import Aspect, Case, Exercise, Misconception, Raises

LESSON = "04_lstm"


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def misconceptions(reference, *rows):
    """One `Misconception` a row: its name, what to say, and the keywords that make `reference` wrong."""
    return tuple(Misconception(name, says, partial(reference, **change)) for name, says, change in rows)


def weights(rng, D, u, scale=0.6):
    return {"W": rng.normal(size=(D, 4 * u)) * scale, "U": rng.normal(size=(u, 4 * u)) * scale,
            "b": rng.normal(size=4 * u) * scale}


# ---------------------------------------------------------------------------------------------- lstm.step


def step_cases(rng):
    B, D, u = 3, 5, 7
    def case(about, **changes):
        drawn = {"x": rng.normal(size=(B, D)), "h": rng.uniform(-0.8, 0.8, (B, u)), "c": rng.normal(size=(B, u))}
        return Case(drawn | weights(rng, D, u) | changes, about=f"B = {B}, D = {D} inputs, u = {u} units, {about}")
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
    forbids=("keras.layers.LSTM", "keras.layers.LSTMCell"),
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("cell state", 2, on=("*/c",), ask="Work out c by hand for one unit: f·c + i·g."),
        Aspect("hidden state", 2, on=("*/h",), ask="Which state does the output gate look at?"),
    ),
    misconceptions=misconceptions(
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
        ("tanh on the gates", "The gates go through tanh. A gate is a fraction that is let through, from 0 to 1, "
         "so i, f and o need the sigmoid; only the candidate takes tanh.", {"gate": np.tanh}),
        ("bias left out", "The bias b is never added.", {"bias": False}),
        ("recurrent part left out", "h does not take part: add h @ U before the gates.", {"recurrent": False}),
        ("h and c returned in the wrong order", "The two states came back in the wrong order: return h first, "
         "then c, as Keras does.", {"returned": "ch"}),
    ),
)

# --------------------------------------------------------------------------------------------- lstm.gates


def gates_cases(rng):
    B, T, D, u = 2, 5, 3, 7
    drawn = {"x": rng.normal(size=(B, T, D)), "h": rng.uniform(-0.8, 0.8, (B, u)), "c": rng.normal(size=(B, u))}
    return {"sequence": Case(drawn | weights(rng, D, u),
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
    forbids=("keras.layers.LSTM", "keras.layers.LSTMCell"),
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("gates", 2, on=("*/[ifgo]",), ask="Which h do the gates of step t look at?"),
        Aspect("states", 2, on=("*/[ch]",), ask="Does each step start from the states the step before left?"),
    ),
    misconceptions=misconceptions(
        gates,
        ("no state carried", "Every step starts from the first h and c again: assign the new h and c to the "
         "names that the next turn of the loop reads.", {"carry": ""}),
        ("hidden state not carried", "c is carried from step to step but h is not: the gates look at the first h "
         "for ever.", {"carry": "c"}),
        ("cell state not carried", "h is carried from step to step but c is not: without the conveyor belt this "
         "is a network without memory cells.", {"carry": "h"}),
        ("before the squashing", "You recorded i, f, g and o before sigmoid and tanh: record the gates "
         "themselves, the fractions between 0 and 1.", {"opened": False}),
        ("states from before the update", "Position t holds the states from before step t: record c and h after "
         "they are updated.", {"recorded": "before"}),
        ("time first", "Your arrays are (time, batch, units): stack the steps along axis 1, because the course's "
         "arrays are (batch, time, units).", {"stack": 0}),
        ("read backwards", "The sequence is read from its end: start at t = 0.", {"backwards": True}),
        ("gates look at the cell state", "The gates look at c: U is applied to the hidden state h. (Gates that "
         "see c come later; they are called peepholes.)", {"gate_input": "c"}),
        ("input and forget gate swapped", "The arrays called i and f hold each other's values: in Keras's order "
         "the input gate's block comes first.", {"order": "figo"}),
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
    misconceptions=misconceptions(
        constant_error,
        ("includes its own gate", "Your product starts with the gate of step t itself: that gate acted on c_{t−1}, "
         "*before* c_t existed. Start with the gate of step t + 1, so that the last entry is 1.",
         {"which": "from"}),
        ("multiplied from the start", "You multiplied the gates up to step t: that is how much of c_0 is left in "
         "c_t. The question runs the other way, from the end back to t.", {"which": "before"}),
        ("from the start, shifted", "You multiplied the gates before step t: that goes from the first step to t. "
         "The gradient comes from the end of the sequence.", {"which": "start"}),
        ("added up", "The gates are added; the chain rule multiplies them.", {"reduce": np.cumsum}),
        ("next gate only", "Only the gate of the next step is in your answer: every step between t and the end "
         "multiplies by its own gate.", {"reduce": _one_gate}),
        ("one gate to a power", "You raised one step's gate to a power: the gates differ from step to step, so "
         "multiply each of them.", {"reduce": _power}),
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
    misconceptions=misconceptions(
        forget_bias,
        ("forget bias 0", "All biases are 0, so the forget gate starts at sigmoid(0) = 0.5 and half of the memory "
         "is lost at every step: put the forget gate's block to the value asked for.",
         {"default": 0.0, "inverse": lambda p: 0.0}),
        ("input gate's block", "The value is in the first block: that is the input gate's. In the order i, f, g, o "
         "the forget gate's is the second, from u to 2u.", {"block": 0}),
        ("candidate's block", "The value is in the third block: that is the candidate's. In the order i, f, g, o "
         "the forget gate's is the second, from u to 2u.", {"block": 2}),
        ("every block", "All four blocks hold the value: only the forget gate should start open, the others "
         "at 0.", {"block": slice(None)}),
        ("gate value as bias", "You wrote the wanted gate value f into the bias: the gate is sigmoid(bias), so the "
         "bias is the inverse, log(f / (1 − f)).", {"inverse": lambda f: f}),
        ("1/e instead of one half", "Your gate lets 1/e remain after n steps: that is a time constant. For a "
         "half-life, f^n = 1/2.", {"remains": lambda n: np.exp(-1 / n)}),
        ("linear loss", "f = 1 − 1/(2n) loses the same *amount* at every step; the gate multiplies, so it loses the "
         "same *fraction*: f^n = 1/2.", {"remains": lambda n: 1 - 1 / (2 * n)}),
        ("half at every step", "This gate halves the memory at each step whatever n is: solve f^n = 1/2 for f.",
         {"remains": lambda n: 0.5}),
        ("half-life ignored", "The half-life makes no difference: with one given, the forget bias must be computed "
         "from it.", {"remains": lambda n: sigmoid(1.0)}),
    ),
)

# --------------------------------------------------------------------------------------------- lstm.latch

GATE_NAMES = {"i": 0, "f": 1, "g": 2, "o": 3}


def latch_cases(rng):
    return {
        "write": Case({"x": np.array([[v, 1.0] for v in rng.uniform(-0.9, 0.9, 3)]), "h": rng.uniform(-0.9, 0.9, (3, 1))},
                      about="three values with the marker at 1"),
        "keep": Case({"x": np.array([[v, 0.0] for v in rng.uniform(-0.9, 0.9, 5)]), "h": rng.uniform(-0.9, 0.9, (5, 1))},
                     about="five values with the marker at 0"),
    }


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
    misconceptions=misconceptions(
        latch,
        ("adds instead of overwriting", "Your forget gate stays open at the marker too, so the new value is added "
         "to the old one: close it when the input gate opens.", {"f": False}),
        ("input gate always open", "Your input gate never closes, so every value gets in: its weight on the marker "
         "must outvote a negative bias.", {"i": False}),
        ("marker the wrong way round", "Your memory keeps at the marker and writes everywhere else: turn the signs "
         "of the marker's weights and biases around.", {"flipped": True}),
        ("gates half open", "The signs are right but the weights are too small: a gate at 0.73 leaks. Make them "
         "larger, so that the sigmoid saturates.", {"k": 2.0}),
        ("output gate at one half", "The output gate's bias is 0, so o = 0.5 and only half of the memory can be "
         "read: give it a large bias.", {"o": False}),
        ("value saturates", "The weight from the value to the candidate is large, so tanh squashes every value to ±1 "
         "and only the sign is kept: use 1.", {"g": 20.0}),
    ),
)
