"""The cell in its two forms, and the cell unrolled over time."""

from __future__ import annotations

import numpy as np

from autograde.judging.common import mistake, no_such_product, sigmoid, sizes, told, weights
from autograde.judging.exercise import SHAPES_CLASH, Aspect, Case, Exercise, Raises

GIVEN_CELL = ("helpers.cell", "unrolled.lessons.rnn.cell")  # given to students after the exercises it would answer


# --- one step -------------------------------------------------------------------------------------

def step_cases(rng):
    def case(about, B=None, first=False):
        drawn, D, u = sizes(rng, 3)
        B = B or drawn
        h = np.zeros((B, u)) if first else rng.uniform(-0.8, 0.8, (B, u))
        return Case({"x": rng.normal(size=(B, D)), "h": h} | weights(rng, D, u),
                    about=f"{told(B=B, D=D, u=u)}, {about}")
    return {
        "first": case("the first step, h = 0", first=True),
        "later": case("a later step, random h"),
        "one": case("a batch of one, random h", B=1),
    }


def in_half_precision(reference):
    """A `derive`: outputs that have the digits of float16 and are right as far as those reach, as float16 has them."""
    def derive(case, arrays):
        found = dict(arrays)
        for key, right in reference(case).items():
            got = np.asarray(arrays.get(key, 0.0), np.float64)
            half = got.astype(np.float16)
            if got.shape == right.shape and np.array_equal(got, half) and np.allclose(got, right, 0, 0.01):
                found[key] = right.astype(np.float16)
        return found
    return derive


def step(case, squash=np.tanh, inputs=True, recurrent=True, bias=1, bias_outside=False,
         transposed=False, separate=False, residual=False, state_outside=False, dtype=np.float64):
    """tanh(x W + h U + b); each keyword is a way to get it wrong."""
    x, h, b = case["x"], case["h"], case["b"]
    from_x = x @ case["W"] if inputs else 0
    from_h = h @ (case["U"].T if transposed else case["U"]) if recurrent else 0
    if separate:
        new = np.tanh(from_x) + np.tanh(from_h + b)
    elif bias_outside:
        new = np.tanh(from_x + from_h) + b
    elif state_outside:
        new = np.tanh(from_x + b) + from_h
    else:
        new = squash(from_x + from_h + bias * b)
    return {"h": (new + h if residual else new).astype(dtype)}


STEP = Exercise(
    id="rnn.step",
    title="One step of the recurrent cell",
    cases=step_cases,
    reference=step,
    derive=in_half_precision(step),
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("input and bias", 1, on=("first/*",),
               ask="With h = 0 only x @ W + b is left inside the tanh."),
        Aspect("state", 2, on=("later/*", "one/*"),
               ask="Work out one unit by hand: which row of U meets which entry of h?"),
    ),
    misconceptions=(
        mistake(step, "recurrent part left out",
              "h does not take part: without h @ U every step forgets all steps before it.", recurrent=False),
        mistake(step, "input left out",
              "x does not take part: the cell has to read its input, x @ W.", inputs=False),
        mistake(step, "bias left out",
              "The bias b is never added.", bias=0),
        mistake(step, "bias outside the tanh",
              "b belongs inside the tanh: added after it, the state can leave the range from −1 to 1.",
              bias_outside=True),
        mistake(step, "state outside the tanh",
              "h @ U is added after the tanh: add all three first, then squash the sum once.",
              state_outside=True),
        mistake(step, "bias added twice",
              "b is added twice, once with the input and once with the state: this cell has one bias.",
              bias=2),
        mistake(step, "recurrent weights transposed",
              "The state meets U transposed: h is a row, so it is h @ U, as in x @ W.", transposed=True),
        mistake(step, "sum of two tanhs",
              "You squash the two parts separately; first add x @ W, h @ U and b, then take one tanh of "
              "the sum.", separate=True),
        mistake(step, "no tanh",
              "The tanh is missing: a linear cell can grow without limit, and many linear steps are no "
              "more than one.", squash=lambda z: z),
        mistake(step, "sigmoid for tanh",
              "This cell squashes with tanh (−1 to 1), not with a sigmoid (0 to 1).", squash=sigmoid),
        mistake(step, "old state added",
              "You add the new value to the old state; here the new state *replaces* it.", residual=True),
        mistake(step, "half precision",
              "Your numbers have three digits: something turns them into float16 on the way. Leave them as they come, "
              "in float32.", dtype=np.float16),
    ),
    forbids=GIVEN_CELL,
)


# --- the concatenated form ------------------------------------------------------------------------

def concat_form(case, join_order="xh", step_order="xh", transposed=False, squash=np.tanh, bias=1,
                recurrent=True, diagonal=False, lying=False):
    """V = [W; U] and tanh([x; h] V + b); each keyword is a way to get it wrong."""
    if diagonal:
        return Raises(SHAPES_CLASH, "Incompatible shapes|could not be broadcast")
    blocks = {"x": case["W"], "h": case["U"]}
    V = np.concatenate([blocks[name] for name in join_order])
    parts = {"x": case["x"], "h": case["h"] if recurrent else np.zeros_like(case["h"])}
    xh = np.concatenate([parts[name] for name in step_order], axis=-1)
    if transposed:
        return no_such_product(xh, V.T)
    return {"V": V.T if lying else V, "h": squash(xh @ V + bias * case["b"])}


CONCAT = Exercise(
    id="rnn.concat_form",
    title="The same cell with one joined matrix",
    cases=step_cases,
    reference=concat_form,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("joined matrix", 1, on=("*/V",), ask="V has D + u rows: which rows meet x, which meet h?"),
        Aspect("new state", 2, on=("*/h",), ask="Compare with tanh(x @ W + h @ U + b)."),
    ),
    misconceptions=(
        mistake(concat_form, "rows of U first",
              "Your step reads [x; h], but your V has the rows of U on top: the first D rows must be W, "
              "because they meet x.", join_order="hx"),
        mistake(concat_form, "state before input",
              "Your step concatenates [h; x], while V's first D rows are meant for x: the order has to be "
              "[x; h].", step_order="hx"),
        mistake(concat_form, "both in the order [h; x]",
              "Your two functions agree with one another, so the cell works; but here the order is fixed "
              "as [x; h] with W's rows on top.", join_order="hx", step_order="hx"),
        mistake(concat_form, "joined matrix transposed",
              "V is transposed: it needs D + u rows, one for each entry of [x; h], and u columns, one for "
              "each unit.", transposed=True),
        mistake(concat_form, "joined matrix on its side",
              "You join W and U side by side as (u, D + u) and turn that round in your step; asked for is V itself, "
              "with W's rows on top: (D + u, u).", lying=True),
        mistake(concat_form, "block diagonal",
              "You put W and U on a diagonal, so their results stand side by side (2u columns); stack "
              "them as rows, and the product *adds* the two parts.", diagonal=True),
        mistake(concat_form, "bias left out",
              "The bias b is never added.", bias=0),
        mistake(concat_form, "bias added twice",
              "b is added twice. Joining the matrices does not double the bias: there is one.", bias=2),
        mistake(concat_form, "no tanh",
              "The tanh is missing in the joined form: tanh([x; h] @ V + b).", squash=lambda z: z),
        mistake(concat_form, "state left out",
              "h does not take part: only the rows of V that meet x are used.", recurrent=False),
    ),
    forbids=GIVEN_CELL,
)


# --- unrolling ------------------------------------------------------------------------------------

def unroll_cases(rng):
    def case(about, B=None, T=None, first=False):
        drawn = sizes(rng, 4)
        B, T, (D, u) = B or drawn[0], T or drawn[1], drawn[2:]
        h0 = np.zeros((B, u)) if first else rng.uniform(-0.8, 0.8, (B, u))
        return Case({"x": rng.normal(size=(B, T, D)), "h0": h0} | weights(rng, D, u),
                    about=f"{told(B=B, T=T, D=D, u=u)}, {about}")
    return {
        "zero": case("a batch of one, h0 = 0", B=1, first=True),
        "random": case("a random initial state"),
        "one step": case("a single step from a random initial state", T=1),
    }


def unroll(case, carry=True, initial=True, emit="new", axis=1, reverse_in=False, reverse_out=False,
           same_input=False, skip=0, with_h0=False, last="new", over_batch=False, aliased=False):
    """All states h_1 … h_T and the last one; each keyword is a way to get it wrong."""
    x = np.swapaxes(case["x"], 0, 1) if over_batch else case["x"]
    T = x.shape[1]
    if over_batch and 1 < len(x) != len(case["h0"]) > 1:
        return Raises(SHAPES_CLASH, "Incompatible shapes|could not be broadcast")
    h0 = case["h0"] if initial else np.zeros_like(case["h0"])
    h, states = h0, [h0] if with_h0 else []
    for t in list(range(skip, T))[::-1 if reverse_in else 1]:
        new = np.tanh(x[:, 0 if same_input else t] @ case["W"] + (h if carry else h0) @ case["U"] + case["b"])
        states.append(new if emit == "new" else h)
        h = new
    if reverse_out:
        states = states[::-1]
    if aliased:
        states = [h] * T
    if not states:
        return Raises(f"{SHAPES_CLASH}|IndexError", "need at least one|empty|non-empty|>= 1|list index")
    return {"states": np.stack(states, axis=axis), "last": h if last == "new" else states[0]}


UNROLL = Exercise(
    id="rnn.unroll",
    title="Unrolling over time",
    cases=unroll_cases,
    reference=unroll,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("all states", 2, on=("*/states",),
               ask="Which state does step 2 start from, and which input does it read?"),
        Aspect("last state", 1, on=("*/last",), ask="The last state is the one after x_T has been read."),
    ),
    misconceptions=(
        mistake(unroll, "state not carried",
              "Every step starts from h0 again: hand the new h to the next step.", carry=False),
        mistake(unroll, "initial state ignored",
              "You start from zeros; the first step has to start from the h0 that was given.", initial=False),
        mistake(unroll, "emits the state before the step",
              "Your output at step t is h_{t−1}: update h first, then store it.", emit="old"),
        mistake(unroll, "time axis first",
              "The states are stacked as (T, B, u); the batch comes first, so stack them on axis 1.", axis=0),
        mistake(unroll, "reads backwards",
              "You read the sequence from its end: start at t = 0.", reverse_in=True),
        mistake(unroll, "outputs in reverse order",
              "The states are right but stand in reverse order: append each new one at the end.",
              reverse_out=True),
        mistake(unroll, "the same input at every step",
              "Every step reads x[:, 0]: step t reads x[:, t].", same_input=True),
        mistake(unroll, "first step skipped",
              "The loop starts at t = 1, so x_0 is never read and one state is missing.", skip=1),
        mistake(unroll, "h0 among the outputs",
              "h0 stands in front of the outputs, so there are T + 1 of them: outputs begin with the "
              "state after the first input.", with_h0=True),
        mistake(unroll, "returns the first state as the last",
              "The second value you return is the first state; it must be the state after the last step.",
              last="first"),
        mistake(unroll, "one array for all steps",
              "All your states are the last one: the list holds the same array again and again, and each step writes "
              "into it. Make a new array at each step.", aliased=True),
        mistake(unroll, "loops over the batch",
              "The loop runs over the batch axis: time is axis 1, so step t takes x[:, t].", over_batch=True),
    ),
)
