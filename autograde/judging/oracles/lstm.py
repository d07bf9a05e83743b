"""Oracle of lesson 04: the LSTM.

The cell: Hochreiter & Schmidhuber 1997; its forget gate: Gers, Schmidhuber & Cummins 2000; peepholes and the
backward pass in the notation of Greff et al. 2015, "LSTM: A Search Space Odyssey", section II and appendix.

Weights are laid out as Keras lays them out: the four blocks of ``W (D, 4u)``, ``U (u, 4u)`` and ``b (4u,)``
are input gate i, forget gate f, candidate g, output gate o.

Long because a topic is read as one: cases, references, their wrong variants and what is said of each.
"""

from __future__ import annotations

import numpy as np

from autograde.judging.common import mistakes, sigmoid, sizes, told, weights
from autograde.judging.exercise import Aspect, Case, Exercise, Raises
from unrolled.probes import codes

LESSON = "04_lstm"


# Cells that the lesson is given for its demonstrations; an answer writes its own.
GIVEN = tuple(f"unrolled.lessons.lstm{name}" for name in (".forward", ".VariantCell", ".pytorch_lstm"))


def steps_of(rng, B=None, T=None, least=3, most=8):
    """Random inputs and states for a sequence, or for one step if T is 0, with sizes that are all different."""
    drawn = sizes(rng, 4, least, most)
    B, T, D, u = B or drawn[0], drawn[1] if T is None else T, *drawn[2:]
    states = {"h": rng.uniform(-0.8, 0.8, (B, u)), "c": rng.normal(size=(B, u))}
    x = rng.normal(size=(B, T, D) if T else (B, D))
    return {"x": x} | states | weights(rng, D, u, blocks=4), told(B=B, T=T or None, D=D, u=u)


# ---------------------------------------------------------------------------------------------- lstm.step


def step_cases(rng):
    def case(about, B=None, **change):
        drawn, named = steps_of(rng, B, T=0)
        return Case(drawn | {key: how(drawn[key]) for key, how in change.items()}, about=f"{named}, {about}")
    return {
        "random": case("random weights, biases and states"),
        "first": case("a batch of one at its first step, h = c = 0", B=1, h=np.zeros_like, c=np.zeros_like),
        "saturated": case("biases so large that every gate is all but open or closed",
                          b=lambda b: 100 * np.sign(b), W=lambda W: W / 5, U=lambda U: U / 5),
    }


def interleaved(z):
    """Four blocks taken as every fourth number, as if each unit's four sums stood side by side."""
    return [z[..., k::4] for k in range(4)]


def blocks_of(z):
    return np.split(z, 4, axis=-1)


def step(case, order="ifgo", forget=True, squash=np.tanh, output_from="new", coupled=False, candidate=np.tanh,
         gate=sigmoid, bias=1, recurrent=True, input_gate=True, returned="hc", blocks=blocks_of, more=0, output=True):
    """One LSTM step; each keyword is a way to get it wrong."""
    c = case["c"]
    z = case["x"] @ case["W"] + (case["h"] @ case["U"] if recurrent else 0) + bias * case["b"]
    blocks = dict(zip(order, blocks(z), strict=True))
    blocks["f"] = blocks["f"] + more
    i, f, o = (gate(blocks[name]) for name in "ifo")
    f = 1 - i if coupled else f if forget else np.ones_like(f)
    new_c = f * c + (i if input_gate else 1) * candidate(blocks["g"])
    h = (o if output else 1) * squash(new_c if output_from == "new" else c)
    return dict(zip(returned, (h, new_c), strict=True))


def _hard(slope):
    return lambda z: np.clip(slope * z + 0.5, 0, 1)


HARD_SIGMOIDS = _hard(0.2), _hard(1 / 6)  # Keras's before version 3, and Keras's now

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
        ("bias left out", "The bias b is never added.", {"bias": 0}),
        ("bias added twice", "The bias is in both parts: add x @ W and h @ U, and b once.", {"bias": 2}),
        ("blocks interleaved", "You take every fourth column for a gate, as reshape(batch, u, 4) does: the four "
         "blocks stand one after the other, i from 0 to u, f from u to 2u, and so on.", {"blocks": interleaved}),
        ("1 added to the forget gate", "1 is added to the forget gate's sum at every step: the forget bias of 1 is "
         "where b *starts*; here b is given, with it or without.", {"more": 1}),
        ("no output gate", "The hidden state is tanh(c), all of it: multiply it by the output gate o.",
         {"output": False}),
        *(("hard sigmoid", "Your gates are straight lines with corners (a hard sigmoid), a fast approximation: here "
           "the gates are the sigmoid itself, 1 / (1 + exp(−z)).", {"gate": hard}) for hard in HARD_SIGMOIDS),
        ("recurrent part left out", "h does not take part: add h @ U before the gates.", {"recurrent": False}),
        ("h and c returned in the wrong order", "The two states came back in the wrong order: return h "
         "first, then c, as Keras does.", {"returned": "ch"}),
    ),
)

# --------------------------------------------------------------------------------------------- lstm.gates


def gates_cases(rng):
    sequence, named = steps_of(rng)
    one, single = steps_of(rng, B=1, T=1)
    return {"sequence": Case(sequence, about=f"{named}, random states"),
            "one step": Case(one, about=f"{single}, a batch of one and a single step")}


def gates(case, carry="hc", opened=True, recorded="after", stack=1, backwards=False, gate_input="h", order="ifgo",
          blocks=blocks_of, gate=sigmoid, aliased=False):
    """Everything an LSTM does over a sequence; each keyword is a way to get it wrong."""
    h, c = case["h"], case["c"]
    start = {"h": h, "c": c}
    record = {name: [] for name in "ifgoch"}
    steps = range(case["x"].shape[1])
    for t in reversed(steps) if backwards else steps:
        z = case["x"][:, t] @ case["W"] + (c if gate_input == "c" else h) @ case["U"] + case["b"]
        sums = dict(zip(order, blocks(z), strict=True))
        i, f, o = (gate(sums[name]) for name in "ifo")
        g = np.tanh(sums["g"])
        old = {"h": h, "c": c}
        c = f * c + i * g
        h = o * np.tanh(c)
        seen = {"i": i, "f": f, "g": g, "o": o, "c": c, "h": h} if opened else sums | {"c": c, "h": h}
        for name, value in (seen | old if recorded == "before" else seen).items():
            record[name].append(value)
        h, c = (h if "h" in carry else start["h"]), (c if "c" in carry else start["c"])
    if aliased:
        record |= {name: [record[name][-1]] * len(record[name]) for name in "ch"}
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
        ("blocks interleaved", "You take every fourth column for a gate, as reshape(batch, u, 4) does: the four "
         "blocks stand one after the other, i from 0 to u, f from u to 2u, and so on.", {"blocks": interleaved}),
        *(("hard sigmoid", "Your gates are straight lines with corners (a hard sigmoid), a fast approximation: here "
           "the gates are the sigmoid itself, 1 / (1 + exp(−z)).", {"gate": hard}) for hard in HARD_SIGMOIDS),
        ("one array for all steps", "c and h hold their last values at every step: you append the same array again "
         "and again and write into it. Make a new one at each step, or append a copy.", {"aliased": True}),
        ("input and forget gate swapped", "The arrays called i and f hold each other's values: in Keras's "
         "order the input gate's block comes first.", {"order": "figo"}),
    ),
)

# ------------------------------------------------------------------------------------- lstm.constant_error


def constant_error_cases(rng):
    def case(about, B=None, T=None, low=0.3, high=0.95, closed=0.0):
        drawn = sizes(rng, 3, 3, 12)
        B, T, u = B or drawn[0], T or drawn[1], drawn[2]
        f = rng.uniform(low, high, (B, T, u))
        if closed:
            f[:, int(rng.integers(1, T - 1)), 0] = 0
        return Case({"f": f}, about=f"{told(B=B, T=T, u=u)}, {about}")
    return {
        "random": case("random forget gates"),
        "one sequence": case("random forget gates, a batch of one", B=1),
        "one step": case("a single step: nothing comes after it", T=1),
        "open": case("gates that are 1 all the time", low=1, high=1),
        "closed": case("random forget gates, one of them exactly 0 for a step", closed=True),
    }


def constant_error(case, which="after", reduce=np.cumprod, slope=None, log=False, divided=False):
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
    if divided:
        kept = np.where(f == 0, np.nan, kept)
    with np.errstate(divide="ignore"):
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
        Aspect("gates open or closed", 1, on=("open/kept", "closed/kept"), ask="With f = 1 all the time, what is "
               "lost? And with f = 0 at one step, what is left of all that came before it?"),
        Aspect("gradient", 3, on=("random/kept", "one */kept"), ask="Write the product out for T = 3 and t = 1."),
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
        ("own gate divided out again", "Where a gate is exactly 0 your answer is nan: the product from t on, divided "
         "by the gate of t (or the difference of their logarithms), is 0/0 there. Leave that gate out from the "
         "beginning.", {"divided": True}),
        ("log of the product", "This is the sum of logarithms, a good way to compute it; take exp at the end.",
         {"log": True}),
    ),
)

# ----------------------------------------------------------------------------------------- lstm.forget_bias


def forget_bias_cases(rng):
    units = sizes(rng, 4, 2, 40)
    half_life = float(rng.uniform(10, 60))
    return {
        "default": Case({"units": units[0]}, about=f"{units[0]} units, no half-life asked for"),
        "default again": Case({"units": units[1]}, about=f"{units[1]} units, no half-life asked for"),
        "half_life": Case({"units": units[2], "half_life": half_life},
                          about=f"{units[2]} units, half-life {half_life:.1f} steps"),
        "one step": Case({"units": units[3], "half_life": 1.0}, about=f"{units[3]} units, half-life 1 step"),
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
        Aspect("forget bias 1", 1, on=("default*/*",), ask="Which quarter of b belongs to the forget gate?"),
        Aspect("half-life", 2, on=("half_life/*", "one step/*"), ask="Which f gives f^n = 1/2, and which bias "
               "gives that f?"),
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
    n = int(rng.integers(14, 26))
    value, marker = rng.uniform(0.3, 0.9, n) * rng.choice([-1, 1], n), rng.permutation(np.arange(n) % 2)
    return {"stream": Case({"x": np.stack([value, marker], axis=1), "h": rng.uniform(-0.9, 0.9, (n, 1))},
                           about=f"{n} random values and states, with the marker at 1 or at 0")}


def opening(gate):
    """A gate as 0 (closed) or 1 (open, to 0.01), and where it is neither, 0.25, 0.5 or 0.75 for its side."""
    side = np.sign(np.round(gate - 0.5, 6))
    return np.where(np.abs(gate - 0.5) >= 0.49, 0.5 + 0.5 * side, 0.5 + 0.25 * side)


def sorted_by_marker(case, gates):
    """The gates at markers, and those between them."""
    for name, gate in gates.items():
        if gate.shape != case["h"].shape:
            raise ValueError(f"gate {name} should have shape {case['h'].shape}; it has {gate.shape}")
    marked = case["x"][:, 1] == 1
    found = {f"{name} {when}": opening(gates[name][here]) for name in "if"
             for when, here in (("at markers", marked), ("between markers", ~marked))}
    return found | {"g": gates["g"], "o": opening(gates["o"])}


def latch(case, k=20.0, i=True, f=True, o=20.0, flipped=False, g=1.0, uses_h=0.0):
    """The gates of a one-unit memory that overwrites at the marker and keeps otherwise."""
    value, marker = case["x"][:, :1], case["x"][:, 1:]
    write = k * ((1 - marker if flipped else marker) - 0.5)
    open_ = np.full_like(value, k)
    return sorted_by_marker(case, {
        "i": sigmoid(write if i else open_), "f": sigmoid(-write if f else open_),
        "g": np.tanh(g * value + uses_h * case["h"]), "o": sigmoid(np.full_like(value, o))})


LATCH = Exercise(
    id="lstm.latch",
    title="A memory with weights set by hand",
    cases=latch_cases,
    reference=latch,
    derive=sorted_by_marker,
    rtol=0, atol=0.01,
    aspects=(
        Aspect("writes at the marker", 1, on=("*/? at markers",), ask="At a marker: which gate opens, which closes?"),
        Aspect("keeps otherwise", 1, on=("*/? between markers",), ask="Without a marker: which gate opens, which "
               "closes?"),
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
        ("all gates half open", "The signs are right but weights and biases are too small, the output gate's too: a "
         "gate at 0.73 leaks. Make them larger, so that the sigmoid saturates.", {"k": 2.0, "o": 2.0}),
        ("output gate at one half", "The output gate's bias is 0, so o = 0.5 and only half of the memory can "
         "be read: give it a large bias.", {"o": 0.0}),
        ("value saturates", "The weight from the value to the candidate is large, so tanh squashes every "
         "value to ±1 and only the sign is kept: use 1.", {"g": 20.0}),
    ),
)

# ---------------------------------------------------------------------------------------------- lstm.cell

ZERO_WEIGHTS = Raises("ValueError", "has 0 weights after build")


def cell_cases(rng):
    def sized():
        D, units = sizes(rng, 2, 2, 20)
        return {"D": D, "units": units}, f"{units} units, built for {D} inputs"

    def given(about, B=None, T=0, **more):
        drawn, named = steps_of(rng, B, T, most=7)
        return Case(drawn | more, about=f"{named}, {about}")

    name = "".join(chr(97 + int(k)) for k in rng.integers(0, 26, 8))
    new, described = sized()
    one = given("a batch of one, and the gradient of Σ R · output", B=1)
    return {
        "step": given("one step with your weights replaced"),
        "one example": Case(one | {"R": rng.normal(size=one["h"].shape)}, about=one.about),
        "in RNN": given("keras.layers.RNN(LSTMCell(u)) in a model on keras.Input((None, D))",
                        T=int(rng.integers(2, 4))),
        "new": Case(new, about=f"a new cell of {described}"),
        "config": given(f'LSTMCell(..., name="{name}") made again from its get_config()', name=codes(name)),
    }


def gradients(case, R, output="h", at=-1):
    """Gradients of Σ R · output by W, U and b; the sequence x (B, T, D) from states h and c, the output that of step
    `at`, which may also be the cell state ("c")."""
    W, U, b, h, c = (case[k] for k in ("W", "U", "b", "h", "c"))
    P, caches = np.zeros((3, len(U))), []
    for x in np.moveaxis(case["x"], 1, 0):
        zi, zf, zg, zo = blocks_of(x @ W + h @ U + b)
        kept = {"x": x, "h_prev": h, "c_prev": c, "W": W, "U": U, "P": P, "i": sigmoid(zi), "f": sigmoid(zf),
                "g": np.tanh(zg), "o": sigmoid(zo)}
        c = kept["f"] * c + kept["i"] * kept["g"]
        h = kept["o"] * np.tanh(c)
        caches.append(kept | {"h": h, "c": c})
    total = {"dW": np.zeros_like(W), "dU": np.zeros_like(U), "db": np.zeros_like(b)}
    back = {"h": np.zeros_like(h), "c": np.zeros_like(h)}
    last = caches[at]
    for kept in reversed(caches):
        if kept is last:
            back[output] = back[output] + R
        found = step_backward(kept | {"dh": back["h"], "dc": back["c"]})
        total = {key: total[key] + found[key[1]] for key in total}
        back = {"h": found["h_prev"], "c": found["c_prev"]}
    return total


def cell(case, forget=1.0, states="hc", unpack="hc", output="h", config="all", kernel=True, built=True, trained="WUb",
         **change):
    """The `LSTMCell` layer; each keyword is a way to get it wrong, those of `step` among them."""
    if not built:
        return ZERO_WEIGHTS
    if case.name == "config" and config not in ("all", "units"):
        return Raises("TypeError", config)
    if case.name == "new":
        D, u = int(case["D"]), int(case["units"])
        trainable = sorted({"W": 4 * u * D, "U": 4 * u * u, "b": 4 * u}[name] for name in trained)
        return {"bias": np.repeat([0.0, forget, 0.0, 0.0], u), "varies": [kernel, kernel], "state_size": [u, u],
                "trainable": trainable}
    x, now, u = case["x"], [case["h"], case["c"]], len(case["U"])
    if case.name == "in RNN":
        now = [np.zeros_like(case["h"])] * 2
    for x_t in np.moveaxis(x, 1, 0) if x.ndim == 3 else [x]:
        new = step(Case(case | {"x": x_t} | dict(zip(unpack, now, strict=True))), **change)
        now = [new[name] for name in states]
    if case.name == "in RNN":
        return {"output": new[output]}
    found = {"output": new[output], "h": now[0], "c": now[1]}
    if "R" in case:
        read = Case(case | {"x": x[:, None]} | dict(zip(unpack, (case["h"], case["c"]), strict=True)))
        found |= gradients(read, case["R"], output)
    if case.name == "config":
        found |= {"state_size": [u, u], "name kept": config == "all"}
    return found


def cell_facts(case, arrays):
    """Of a new cell: its bias, whether both kernels are random, what is trainable. Of one made again: its name."""
    if case.name == "config":
        return arrays | {"name kept": np.array_equal(arrays["name"], case["name"])}
    if case.name == "new":
        D, u = int(case["D"]), int(case["units"])
        kernels = [arrays[name] for name in "WU"]
        for kernel, rows in zip(kernels, (D, u), strict=True):
            if kernel.shape != (rows, 4 * u):
                raise ValueError(f"your cell has no weight of shape {(rows, 4 * u)} after build")
        return arrays | {"bias": arrays["b"], "varies": [kernel.std() > 1e-3 for kernel in kernels]}
    return arrays


CELL = Exercise(
    id="lstm.cell",
    title="A cell for keras.layers.RNN",
    cases=cell_cases,
    reference=cell,
    derive=cell_facts,
    forbids=("keras.layers.LSTM", "keras.layers.LSTMCell", *GIVEN),
    aspects=(
        Aspect("one step", 2, on=("step/*", "one example/*"), ask="What does your call return, and in which order? "
               "Does a gradient reach every weight?"),
        Aspect("in keras.layers.RNN", 1, on=("in RNN/*",), ask="There call works on tensors without values: only "
               "keras.ops can."),
        Aspect("at birth", 2, on=("new/*",), ask="Where does a new cell's forget bias start? Are all three weights "
               "trainable?"),
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
        ("bias added twice", "The bias is in both parts: add x @ W and h @ U, and b once.", {"bias": 2}),
        ("blocks interleaved", "You take every fourth column for a gate, as reshape(batch, u, 4) does: the four "
         "blocks stand one after the other, i from 0 to u, f from u to 2u, and so on.", {"blocks": interleaved}),
        ("1 added to the forget gate", "1 is added to the forget gate's sum at every step: let the bias *start* at 1 "
         "there instead, so that training can change it and saved weights mean the same everywhere.",
         {"more": 1, "forget": 0.0}),
        ("bias not trainable", "Your bias is not among the trainable weights: training would leave it where it "
         "starts. Make it with add_weight, and trainable.", {"trained": "WU"}),
        ("weights made in call", "Your cell has no weights after build: make them in build(self, "
         "input_shape). Made in call they do not exist yet when a saved model is loaded.", {"built": False}),
    ),
)

# --------------------------------------------------------------------------------------------- lstm.layer


def layer_cases(rng):
    def case(about, B=None, T=None, states=False, mask=None, sequences=True, state=False, **more):
        # Every step of every case costs time: few steps, and all other sizes larger.
        drawn, named = steps_of(rng, B, T or int(rng.integers(2, 4) + (mask is not None)), least=5)
        if not states:
            del drawn["h"], drawn["c"]
        if mask:
            drawn["mask"] = mask(*drawn["x"].shape[:2])
        flags = {"return_sequences": sequences, "return_state": state}
        return Case(drawn | flags | more, about=f"{named}, {about}")

    def padded(B, T):
        mask = np.arange(T) < rng.integers(2, T, B)[:, None]
        mask[0], mask[1, 1], mask[2] = True, False, np.arange(T) < 2  # full; a gap; two steps
        mask[2, 1] = T % 2 == 0
        return mask

    def with_empty_row(B, T):
        mask = padded(B, T)
        mask[2] = False
        return mask

    last = case("return_sequences=False, a batch of one, and the gradient of Σ R · output", B=1, sequences=False)
    passed = rng.random(sizes(rng, 2, 3, 9)) < 0.6
    name = "".join(chr(97 + int(k)) for k in rng.integers(0, 26, 8))
    return {
        "sequence": case("return_sequences=True, called a second time", twice=True),
        "last": Case(last | {"R": rng.normal(size=(1, len(last["U"])))}, about=last.about),
        "states": case("a single step, return_state=True, and an initial state", T=1, sequences=False, state=True,
                       states=True),
        "mask": case("a mask: padding at the end, one gap, and one row that is all padding", mask=with_empty_row,
                     state=True),
        "mask and states": case("a mask and an initial state, return_sequences=False", mask=padded, sequences=False,
                                state=True, states=True),
        "passes": Case({"mask": passed}, about="compute_mask with return_sequences=True, then with False"),
        "model": case("one step in a model on keras.Input, with a mask", T=1, mask=lambda B, T: np.eye(B, 1) < 1,
                      symbolic=True),
        "config": case(f'LSTM(u, return_sequences=True, return_state=True, name="{name}") made again from its '
                       "get_config()", T=2, state=True, name=codes(name)),
    }


def layer(case, mask="hold", initial="hc", states="hc", stack=1, sequences_kept=True, passes_last=False,
          built=True, output="h", last="last", leaks=False, config="all"):
    """The `LSTM` layer; each keyword is a way to get it wrong."""
    if case.name == "passes":
        return {"sequences": case["mask"], "last": case["mask"] if passes_last else np.zeros(0)}
    if not built and "symbolic" not in case:  # a model builds all that is in it
        return ZERO_WEIGHTS
    if case.name == "config" and config not in ("all", "own"):
        return Raises("TypeError", config)
    sequences = case["return_sequences"] and (sequences_kept or case.name != "config")
    B, T, _ = case["x"].shape
    zero = np.zeros((B, case["U"].shape[0]))
    h, c = [case[k] if k in case and initial else zero for k in (initial or "hc")]
    if leaks and "twice" in case:
        first = layer(Case(case | {"x": -case["x"], "return_sequences": False, "return_state": True}))
        h, c = first["h"], first["c"]
    start = Case(case | {"h": h, "c": c})
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
        zeroed = mask in ("zero output", "zero sequence")
        out = np.where(valid, new["h"], 0) if zeroed else (h if output == "h" else c)
        outputs.append(out)
    ends = h if mask == "zero sequence" else outputs[0 if last == "first" else -1]
    result = np.stack(outputs, axis=stack) if sequences else ends
    found = {"output": result} | (dict(zip(states, (h, c), strict=True)) if case["return_state"] else {})
    if "R" in case:
        found |= gradients(start, case["R"], output, at=0 if last == "first" else -1)
    if case.name == "config":
        found["name kept"] = config == "all"
    return found


def layer_facts(case, arrays):
    """Of a layer made again: whether it has its name."""
    return arrays | {"name kept": np.array_equal(arrays["name"], case["name"])} if case.name == "config" else arrays


LAYER = Exercise(
    id="lstm.layer",
    title="The LSTM layer, with masks",
    cases=layer_cases,
    reference=layer,
    derive=layer_facts,
    forbids=("keras.layers.LSTM", "keras.layers.RNN", *GIVEN),
    aspects=(
        Aspect("outputs", 3, on=("sequence/*", "last/output"), ask="Do both states travel from step to step, "
               "and not from call to call?"),
        Aspect("states", 2, on=("states/*",), ask="In which order do states arrive and leave?"),
        Aspect("mask", 2, on=("mask*/*", "passes/*"), ask="What must happen to h and to c where the mask is False?"),
        Aspect("in a model", 1, on=("model/*", "last/d?"), ask="There call works on tensors without values: only "
               "keras.ops can. Does a gradient reach every weight?"),
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
        *(("outputs zeroed at padding", "Your states are right, but masked steps output 0: Keras repeats the "
           "last valid output there, so that the last position holds the result.", {"mask": zeroed})
          for zeroed in ("zero output", "zero sequence")),
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
        ("states kept between calls", "A second call starts where the first one ended: states belong to one call. "
         "Start from zeros unless initial_state is given.", {"leaks": True}),
        ("get_config without the base's", "get_config holds your own arguments only; start from "
         "super().get_config(), or the name and dtype are lost.", {"config": "own"}),
        ("cell not built", "After build the layer has no weights: call self.cell.build(...) in build, or a "
         "saved model's weights find no place when it is loaded.", {"built": False}),
    ),
)

# ------------------------------------------------------------------------------------- lstm.peephole_step


def peephole_cases(rng):
    def case(about, B=None, scale=1.0):
        drawn, named = steps_of(rng, B, T=0)
        return Case(drawn | {"P": scale * rng.normal(size=(3, drawn["c"].shape[1]))}, about=f"{named}, {about}")
    return {"random": case("random peepholes"), "one example": case("a batch of one, random peepholes", B=1),
            "none": case("all peepholes 0", scale=0.0)}


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
        Aspect("cell state", 2, on=("random/c", "one example/c"), ask="Which c exists when i and f are computed?"),
        Aspect("hidden state", 2, on=("random/h", "one example/h"), ask="Which c exists when o is computed?"),
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
    def case(about, B=None, scale=1.0, saturated=False):
        drawn, named = steps_of(rng, B, T=0)
        w, x, h_prev, c_prev = {k: drawn[k] for k in ("W", "U", "b")}, drawn["x"], drawn["h"], drawn["c"]
        P, u = scale * rng.normal(size=(3, len(w["U"]))), len(w["U"])
        if saturated:  # one unit's input and forget gate, one fully open and one fully closed
            w["b"][[0, u]] = rng.permutation([-100.0, 100.0])
        zi, zf, zg, zo = blocks_of(x @ w["W"] + h_prev @ w["U"] + w["b"])
        i, f, g = sigmoid(zi + P[0] * c_prev), sigmoid(zf + P[1] * c_prev), np.tanh(zg)
        c = f * c_prev + i * g
        o = sigmoid(zo + P[2] * c)
        return Case(w | {"x": x, "h_prev": h_prev, "c_prev": c_prev, "P": P, "i": i, "f": f, "g": g, "o": o, "c": c,
                         "h": o * np.tanh(c), "dh": rng.normal(size=c.shape), "dc": rng.normal(size=c.shape)},
                    about=f"{named}, {about}")
    return {"plain": case("all peepholes 0, a gate of 0 and one of 1", scale=0.0, saturated=True),
            "plain one": case("a batch of one, all peepholes 0", B=1, scale=0.0),
            "peephole": case("random peepholes")}


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
        Aspect("inputs and states", 3, on=("plain*/x", "plain*/*_prev"), ask="Two paths lead into c_t: which?"),
        Aspect("weights", 2, on=("plain*/[WUbP]",), ask="Each weight gradient is what the weight multiplied, "
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
    V, D, u = sizes(rng, 3, 2, 12)
    return {"E": rng.normal(size=(V, D))} | weights(rng, D, u, blocks=4), f"{V} words, D = {D}, u = {u}"


def to_pytorch_cases(rng):
    def case():
        arrays, named = _arrays(rng)
        return Case(arrays, about=f"Keras to PyTorch: {named}")
    return {"to": case(), "to again": case()}


def from_pytorch_cases(rng):
    def case():
        a, named = _arrays(rng)
        state = {"E": a["E"], "w_ih": a["W"].T, "w_hh": a["U"].T, "b_ih": a["b"],
                 "b_hh": rng.normal(size=a["b"].shape)}
        return Case(state, about=f"PyTorch to Keras: {named}, two random biases")
    return {"from": case(), "from again": case()}


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
            "weight_hh": turn(order(case["U"])), "bias": b * biases}


def sum_of_biases(case, arrays):
    """How the bias is split in two is free: their sum counts."""
    two = [arrays.pop(name) for name in ("bias_ih", "bias_hh")]
    if two[0].shape != two[1].shape:
        raise ValueError(f"PyTorch's two biases have one shape; yours have {two[0].shape} and {two[1].shape}")
    return arrays | {"bias": two[0] + two[1]}


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
    derive=sum_of_biases,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("matrices", 1, on=("*/embedding", "*/weight_*"), ask="PyTorch computes x @ weight.T + biases."),
        Aspect("biases", 1, on=("*/bias",), ask="PyTorch adds bias_ih and bias_hh: what must their sum be?"),
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
        Aspect("matrices", 1, on=("*/[EWU]",), ask="Keras computes x @ W + h @ U + b."),
        Aspect("bias", 1, on=("*/b",), ask="What is the one bias that does what the two did?"),
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
