"""Oracle of lesson 05: the GRU (Cho et al. 2014).

Weights are laid out as Keras lays them out: the three blocks of ``W (D, 3u)``, ``U (u, 3u)`` and ``b`` are the
update gate z, the reset gate r and the candidate. With the reset *before* the product ``b`` is ``(3u,)``; with
the reset *after* it, ``b`` is ``(2, 3u)``: row 0 belongs to the input, row 1 to the state. z stays on the *old*
state: ``h_t = z · h_{t-1} + (1 - z) · candidate``.

Long because a topic is read as one: cases, references, their wrong variants and what is said of each.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from autograde.judging.common import sigmoid
from autograde.judging.exercise import Aspect, Case, Exercise, Misconception, Raises

LESSON = "05_gru"

B, D, U, T = 3, 7, 11, 5  # pairwise distinct: a swapped axis never fits by chance


def blocks(a, order="zrh"):
    """The three blocks of the last axis, by name; always returned as z, r, candidate."""
    parts = dict(zip(order, np.split(a, 3, axis=-1), strict=True))
    return parts["z"], parts["r"], parts["h"]


def draw(rng, about, bias_rows=None, scale=0.6, **changes):
    bias = 3 * U if bias_rows is None else (bias_rows, 3 * U)
    arrays = {"x": rng.normal(size=(B, D)), "h": rng.uniform(-0.9, 0.9, (B, U)),
              "W": rng.normal(size=(D, 3 * U)) * scale, "U": rng.normal(size=(U, 3 * U)) * scale,
              "b": rng.normal(size=bias) * scale}
    return Case(arrays | changes, about=f"B = {B}, D = {D} inputs, u = {U} units, {about}")


def named(function, name, says, **change):
    return Misconception(name, says, partial(function, **change))


BUILT_IN = ("keras.layers.GRU", "keras.layers.GRUCell")
HELPER = ("one_step", "unrolled.lessons.gru.one_step")  # given for the layers; in the steps it would be the answer


# gru.step: the reset gate before the product, one bias

def step_cases(rng):
    return {"random": draw(rng, "random weights, bias and state"),
            "first": draw(rng, "the first step, h = 0", h=np.zeros((B, U)))}


def step(case, order="zrh", z_on="old", reset="state", z_gate=sigmoid, r_gate=sigmoid, candidate=np.tanh,
         bias=True, gates_see_state=True, mix_reset=False):
    """One GRU step with the reset before the product; each keyword is a way to get it wrong."""
    h, U = case["h"], case["U"]
    Wz, Wr, Wh = blocks(case["x"] @ case["W"] + (case["b"] if bias else 0), order)
    Uz, Ur, Uh = blocks(U, order)
    seen = h if gates_see_state else np.zeros_like(h)
    z, r = z_gate(Wz + seen @ Uz), r_gate(Wr + seen @ Ur)
    recurrent = {"state": (r * h) @ Uh, "product": r * (h @ Uh), "no": h @ Uh, "all": (r * h) @ Uh}[reset]
    new = candidate((r * Wh if reset == "all" else Wh) + recurrent)
    old = r * h if mix_reset else h
    mixed = {"old": z * old + (1 - z) * new, "new": (1 - z) * old + z * new,
             "both": z * old + z * new, "no 1-z": z * old + new, "forget": (1 - z) * new}[z_on]
    return {"h": mixed}


STEP = Exercise(
    id="gru.step",
    title="One GRU step",
    cases=step_cases,
    reference=step,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("first step", 1, on=("first/h",),
               ask="With h = 0 only (1 − z) · candidate is left. Is that what you get?"),
        Aspect("new state", 3, on=("random/h",), ask="Work out z, r and the candidate by hand for one unit."),
    ),
    misconceptions=(
        named(step, "z on the candidate",
              "The update gate sits on the new candidate. Many texts write it so; in Keras, as in Cho et "
              "al. 2014, z keeps the *old* state and 1 − z lets the candidate in.", z_on="new"),
        named(step, "z and r swapped", "z and r have changed places: in Keras's order the first block of the "
              "weights is the update gate, the second the reset gate.", order="rzh"),
        named(step, "reset gate ignored", "r is computed but never used: it must scale h before h meets the "
              "candidate's U.", reset="no"),
        named(step, "reset after the product",
              "You compute r · (h U). Here the reset comes *before* the product: (r · h) U. (The other "
              "form is a later exercise.)", reset="product"),
        named(step, "reset on the input too", "r scales the input part as well; it may only scale what comes "
              "from the old state.", reset="all"),
        named(step, "reset state in the mix",
              "The reset state r · h is for the candidate only. The last line mixes the candidate with the"
              " *whole* old state h.", mix_reset=True),
        named(step, "no 1 − z",
              "The candidate is added in full. It needs the weight 1 − z, so that the new state is an "
              "average and stays between −1 and 1.", z_on="no 1-z"),
        named(step, "z on both",
              "Both terms are multiplied by z. The two weights must add up to 1: z for the old state, 1 − "
              "z for the candidate.", z_on="both"),
        named(step, "old state dropped",
              "Only (1 − z) · candidate is returned: the part z · h that remembers is missing.",
              z_on="forget"),
        named(step, "tanh on the update gate",
              "z goes through tanh. A gate is a share between 0 and 1, so it needs a sigmoid.",
              z_gate=np.tanh),
        named(step, "tanh on the reset gate", "r goes through tanh. A gate is a share between 0 and 1, so it "
              "needs a sigmoid.", r_gate=np.tanh),
        named(step, "candidate through a sigmoid",
              "The candidate goes through tanh, not sigmoid: a state must be able to become negative.",
              candidate=sigmoid),
        named(step, "no tanh on the candidate",
              "The candidate never goes through tanh: nothing keeps the state between −1 and 1.",
              candidate=lambda a: a),
        named(step, "bias left out", "The bias b is never added.", bias=False),
        named(step, "gates do not see the state",
              "z and r look at x only. Each gate also has its own block of U, which looks at h.",
              gates_see_state=False),
    ),
    forbids=BUILT_IN + HELPER,
)


# gru.convention: z on the candidate -> z on the old state

def convention_cases(rng):
    return {"one bias": draw(rng, "a bias of shape (3u,)"),
            "two biases": draw(rng, "a bias of shape (2, 3u)", bias_rows=2)}


def convention(case, change=lambda a, what: a):
    """Weights of the same function in the other convention: σ(−a) = 1 − σ(a)."""
    def flipped(a, what):
        a = a.copy()
        a[..., :U] *= -1
        return change(a, what)
    return {name: flipped(case[name], name) for name in "WUb"}


def _convention_wrong(name, says, rewrite):
    def wrong(case):
        return {name: rewrite(case[name].copy(), name) for name in "WUb"}
    return Misconception(name, says, wrong)


def _negate(a, block):
    a[..., block * U:(block + 1) * U] *= -1
    return a


def _one_minus(a, what):
    a[..., :U] = 1 - a[..., :U]
    return a


def _first_rows(a, what):
    if what == "b" and a.ndim == 2:
        a[:U] *= -1  # both rows, every block
        return a
    return _negate(a, 0)


def _first_bias_row(a, what):
    if what == "b" and a.ndim == 2:
        a[0, :U] *= -1
        return a
    return _negate(a, 0)


CONVENTION = Exercise(
    id="gru.convention",
    title="From one convention of z to the other",
    cases=convention_cases,
    reference=convention,
    aspects=(
        Aspect("shapes", 1, shape_only=True),
        Aspect("one bias", 1.5, on=("one bias/*",), ask="What is 1 − σ(a), written as one sigmoid?"),
        Aspect("two biases", 1.5, on=("two biases/*",), ask="Does your slice take the first block of the *last* axis?"),
    ),
    misconceptions=(
        _convention_wrong("everything negated",
                          "Every block changed its sign. Only the update gate differs between the "
                          "conventions; r and the candidate stay as they are.", lambda a, what: -a),
        _convention_wrong("reset gate negated",
                          "You negated the second block, the reset gate. The update gate is the first.",
                          lambda a, what: _negate(a, 1)),
        _convention_wrong("candidate negated",
                          "You negated the third block, the candidate. The gate z is the first.",
                          lambda a, what: _negate(a, 2)),
        _convention_wrong("one minus the weights", "1 − W is not it: the *gate* becomes 1 − z, and "
                          "1 − σ(a) = σ(−a), so the weights change sign.", _one_minus),
        _convention_wrong("bias forgotten",
                          "W and U changed sign but the bias did not; all of a = xW + hU + b must.",
                          lambda a, what: a if what == "b" else _negate(a, 0)),
        _convention_wrong("recurrent weights forgotten",
                          "U kept its sign; all of a = xW + hU + b must change it.",
                          lambda a, what: a if what == "U" else _negate(a, 0)),
        _convention_wrong("bias sliced along rows",
                          "`b[:u]` takes *rows* when b is (2, 3u), so it changed every block. Slice the "
                          "last axis: `b[..., :u]`.", _first_rows),
        _convention_wrong("second bias row forgotten",
                          "With b of shape (2, 3u) the update gate has a bias in each row; only row 0 "
                          "changed sign.", _first_bias_row),
        _convention_wrong("blocks swapped",
                          "You exchanged the blocks of z and r. The conventions agree on the order; what "
                          "differs is on which state z sits.",
                          lambda a, what: np.concatenate([a[..., U:2 * U], a[..., :U], a[..., 2 * U:]], axis=-1)),
        _convention_wrong("nothing changed",
                          "The weights came back as they went in. What must happen to a so that σ(a) "
                          "becomes 1 − σ(a)?", lambda a, what: a),
    ),
)


# gru.reset_after: the reset gate after the product, two biases

def reset_after_cases(rng):
    return {"random": draw(rng, "random weights, biases and state", bias_rows=2),
            "first": draw(rng, "the first step, h = 0", bias_rows=2, h=np.zeros((B, U)))}


def reset_after(case, order="zrh", z_on="old", reset="product", rows=(0, 1), bias=(True, True), swap=None):
    """One GRU step with the reset after the product; each keyword is a way to get it wrong."""
    h, b = case["h"], case["b"][list(rows)]
    a = case["x"] @ case["W"] + (b[0] if bias[0] else 0)
    s = h @ case["U"] + (b[1] if bias[1] else 0)
    az, ar, ah = blocks(a, order)
    sz, sr, sh = blocks(s, order)
    z, r = sigmoid(az + sz), sigmoid(ar + sr)
    recurrent_bias = blocks(b[1], order)[2] if bias[1] else 0
    inside = {"product": ah + r * sh, "bias outside": ah + recurrent_bias + r * (sh - recurrent_bias),
              "state": ah + recurrent_bias + (r * h) @ blocks(case["U"], order)[2],
              "state, then bias": ah + r * recurrent_bias + (r * h) @ blocks(case["U"], order)[2],
              "no": ah + sh, "all": r * (ah + sh), "input": r * ah + sh}[reset]
    new = np.tanh(inside)
    mixed = {"old": z * h + (1 - z) * new, "new": (1 - z) * h + z * new, "no 1-z": z * h + new}[z_on]
    return {"h": mixed}


RESET_AFTER = Exercise(
    id="gru.reset_after",
    title="One GRU step, reset after the product",
    cases=reset_after_cases,
    reference=reset_after,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("first step", 1, on=("first/h",),
               ask="With h = 0 the recurrent bias is still there: what does r do to it?"),
        Aspect("new state", 3, on=("random/h",), ask="Write down separately what comes from x and what comes from h."),
    ),
    misconceptions=(
        named(reset_after, "recurrent bias dropped",
              "b[1], the bias of the recurrent part, is never added. Keras starts it at zero, so nobody "
              "notices until trained weights are loaded.", bias=(True, False)),
        named(reset_after, "input bias dropped",
              "b[0], the bias of the input part, is never added.", bias=(False, True)),
        named(reset_after, "biases added up",
              "Both biases stand outside the reset gate. The candidate's recurrent bias belongs *inside*: "
              "r · (h U + b[1]).", reset="bias outside"),
        named(reset_after, "reset before the product",
              "This is (r · h) U, the other form. Here the gate scales the finished product: r · (h U + "
              "b[1]).", reset="state"),
        named(reset_after, "reset before the product, bias after it",
              "Only the bias is in the new form; the product is still (r · h) U. Here r scales the finished "
              "product and its bias together: r · (h U + b[1]).", reset="state, then bias"),
        named(reset_after, "bias rows swapped",
              "The two rows of b have changed places: row 0 goes with x, row 1 with h.", rows=(1, 0)),
        named(reset_after, "reset gate ignored",
              "r is computed but never used in the candidate.", reset="no"),
        named(reset_after, "reset on the input too",
              "r multiplies the whole sum; it may only scale the part that comes from h.", reset="all"),
        named(reset_after, "reset on the input instead",
              "r scales the part that comes from x; it must scale the part that comes from h.",
              reset="input"),
        named(reset_after, "z on the candidate",
              "In Keras's convention z keeps the *old* state and 1 − z lets the candidate in; here it is "
              "the other way round.", z_on="new"),
        named(reset_after, "z and r swapped",
              "z and r have changed places: the first block is the update gate, the second the reset gate.",
              order="rzh"),
        named(reset_after, "no 1 − z",
              "The candidate is added in full. It needs the weight 1 − z.", z_on="no 1-z"),
    ),
    forbids=BUILT_IN + HELPER,
)


# gru.cell and gru.layer: the same as Keras layers

def forward(x, h, W, U, b, after):
    case = {"x": x, "h": h, "W": W, "U": U, "b": b}
    return (reset_after(case) if after else step(case))["h"]


def cell_cases(rng):
    def one(about, after, **changes):
        return draw(rng, about, bias_rows=2 if after else None, reset_after=after, **changes)
    return {"after": one("reset_after=True", True), "before": one("reset_after=False", False),
            "restored": one("reset_after=False, rebuilt from its own get_config()", False, restore=True)}


def cell(case, form=None, config=(), bias_rows=None, returns="both", state_size=True, step_wrong=None):
    """What the probe reads of a cell; each keyword is a way to get it wrong."""
    after = bool(case["reset_after"])
    if "restore" in case:
        if "units" in config:
            return Raises("TypeError", "units")
        if "reset_after" in config:
            after = True  # the default of __init__
        after = after or form == "after"
        return {"kernel shape": (D, 3 * U), "recurrent shape": (U, 3 * U),
                "bias shape": (2, 3 * U) if after and bias_rows is None else (3 * U,)}
    if not state_size:
        return Raises("AttributeError", "state_size")
    if returns == "output":
        return Raises("TypeError", "(h, [h])")
    if after and bias_rows == 1:
        return Raises("ValueError", "bias has shape")
    arrays = {k: case[k] for k in ("x", "h", "W", "U")} | {"b": case["b"]}
    if form == "after" and not after:
        return Raises("ValueError", "bias has shape")
    if form == "before" and after:
        h = step(arrays | {"b": case["b"].sum(axis=0)})["h"]
    else:
        h = forward(after=after, **arrays)
    state = case["h"] if returns == "old state" else h
    return {"output": h, "state": state, "state size": U}


CELL = Exercise(
    id="gru.cell",
    title="A GRU cell for keras.layers.RNN",
    cases=cell_cases,
    reference=cell,
    aspects=(
        Aspect("reset_after=True", 2, on=("after/output", "after/state"),
               ask="Compare with your function: same weights, same h?"),
        Aspect("reset_after=False", 2, on=("before/output", "before/state"),
               ask="Which bias shape does this form have?"),
        Aspect("state size", 1, on=("*/state size",)),
        Aspect("get_config round trip", 1, on=("restored/*",), ask="Does get_config return everything __init__ took?"),
    ),
    misconceptions=(
        named(cell, "units not in the config",
              "get_config does not return `units`, so the cell cannot be made again from a file.",
              config=("units",)),
        named(cell, "reset_after not in the config",
              "get_config does not return `reset_after`: a cell saved with False comes back with the "
              "default True, and its weights no longer fit.", config=("reset_after",)),
        named(cell, "always reset after",
              "The cell ignores `reset_after=False`: it always makes the (2, 3u) bias.", form="after"),
        named(cell, "always reset before",
              "The bias is right, but with `reset_after=True` the cell still computes (r · h) U.",
              form="before"),
        named(cell, "one bias always",
              "With `reset_after=True` the bias needs two rows, shape (2, 3u): one for the input, one for "
              "the state.", bias_rows=1),
        named(cell, "only the output",
              "`call` returns h alone. `keras.layers.RNN` wants two things: the output, and the list of "
              "new states, `h, [h]`.", returns="output"),
        named(cell, "old state returned",
              "The output is right, but the state handed on is the one that came in: the next step would "
              "start from the past.", returns="old state"),
        named(cell, "no state_size", "`keras.layers.RNN` asks the cell how large its state is: set "
              "`self.state_size` in __init__.", state_size=False),
    ),
    forbids=BUILT_IN,
)


def layer_cases(rng):
    def one(about, after=True, **changes):
        case = draw(rng, f"T = {T} steps, {about}", bias_rows=2 if after else None, x=rng.normal(size=(B, T, D)),
                    reset_after=after, sequences=True)
        case.update({key: np.asarray(value) for key, value in changes.items()})
        return case
    # A full row, one padded at the end, one padded at the start and with a hole.
    mask = np.ones((B, T), bool)
    mask[1, 3:] = False
    mask[2, [0, 2]] = False
    return {"sequence": one("all outputs, reset_after=True"),
            "before": one("all outputs, reset_after=False", after=False),
            "last": one("return_sequences=False", sequences=False),
            "started": one("an initial state", started=True),
            "masked": one("a mask with padding at the end, at the start and in the middle", mask=mask),
            "masked last": one("a mask, return_sequences=False", mask=mask, sequences=False),
            "restored": one("reset_after=False, return_sequences=True, rebuilt from its own get_config()", after=False,
                            restore=True)}


def layer(case, mask="hold", initial=True, carry=True, late=False, backwards=False, sequences=None, stack=1,
          config=(), last="state"):
    """What the probe reads of a layer; each keyword is a way to get it wrong."""
    wants = bool(case["sequences"]) if sequences is None else sequences
    if "restore" in case:
        if "units" in config:
            return Raises("TypeError", "units")
        bias = (2, 3 * U) if "reset_after" in config else (3 * U,)
        return {"bias shape": bias, "output axes": 3 if wants and "return_sequences" not in config else 2}
    start = case["h"] if "started" in case and initial else np.zeros((B, U))
    valid = case.get("mask", np.ones((B, T), bool))
    h, out = start, []
    for t in (range(T)[::-1] if backwards else range(T)):
        old = h if carry else start
        new = forward(case["x"][:, t], old, case["W"], case["U"], case["b"], bool(case["reset_after"]))
        keep = valid[:, t, None]
        new = {"hold": np.where(keep, new, h), "ignored": new, "zero": np.where(keep, new, 0),
               "inverted": np.where(keep, h, new) if "mask" in case else new, "output only": new}[mask]
        out.append(h if late else np.where(keep, new, 0) if mask == "output only" else new)
        h = new
    out = np.stack(out, axis=1)
    if stack == 0:
        out = out.swapaxes(0, 1)
    if wants:
        return {"h": out}
    return {"h": out.mean(axis=1) if last == "mean" else h}


LAYER = Exercise(
    id="gru.layer",
    title="A GRU layer with masks",
    cases=layer_cases,
    reference=layer,
    aspects=(
        Aspect("shape", 1, on=("*/h",), shape_only=True),
        Aspect("carries the state", 2, on=("sequence/h", "before/h"), ask="Which h goes into step t?"),
        Aspect("last state", 1, on=("last/h",),
               ask="Without return_sequences the answer is the state after the last step."),
        Aspect("initial state", 1, on=("started/h",), ask="Where does h come from when `initial_state` is given?"),
        Aspect("mask", 2, on=("masked/h", "masked last/h"),
               ask="At a masked step nothing may change: h stays what it was."),
        Aspect("get_config round trip", 1, on=("restored/*",), ask="Does get_config return everything __init__ took?"),
    ),
    misconceptions=(
        named(layer, "mask ignored",
              "The mask is not used: padding is read as if it were input, and changes the state.",
              mask="ignored"),
        named(layer, "mask inverted",
              "The mask is used the wrong way round: True means a *real* step.", mask="inverted"),
        named(layer, "padding erases the state",
              "At a masked step the state becomes 0. It must stay what it was before.", mask="zero"),
        named(layer, "mask on the output only",
              "The output at padding is hidden, but the state behind it has read the padding all the same."
              " Choose the state: `where(mask, new, h)`.", mask="output only"),
        named(layer, "initial state ignored",
              "`initial_state` is never used: the layer always starts from zeros.", initial=False),
        named(layer, "state not carried",
              "Every step starts from the first state again: put the new h back into h inside the loop.",
              carry=False),
        named(layer, "one step late",
              "The outputs lag by one: append the state *after* the step, not the one before.", late=True),
        named(layer, "read backwards", "The steps are read from the last to the first.", backwards=True),
        named(layer, "always the sequence",
              "`return_sequences=False` is ignored: the layer must then return (B, u), the last state "
              "only.", sequences=True),
        named(layer, "always the last",
              "`return_sequences=True` is ignored: the layer must then return (B, T, u).", sequences=False),
        named(layer, "time first",
              "The outputs are stacked along axis 0, so time comes first: (T, B, u). Stack along axis 1.",
              stack=0),
        named(layer, "mean of the outputs",
              "Without return_sequences you return the mean over time; wanted is the state after the last "
              "step.", last="mean"),
        named(layer, "reset_after not in the config",
              "get_config does not return `reset_after`: a layer saved with False comes back with the "
              "default True.", config=("reset_after",)),
        named(layer, "return_sequences not in the config",
              "get_config does not return `return_sequences`: a layer that gave all steps comes back "
              "giving one.", config=("return_sequences",)),
        named(layer, "units not in the config",
              "get_config does not return `units`, so the layer cannot be made again from a file.",
              config=("units",)),
    ),
    forbids=BUILT_IN,
)


# gru.count_parameters

def count_cases(rng):
    return {f"size {i}": Case({"D": d, "u": u}, about=f"D = {d} inputs, u = {u} units")
            for i, (d, u) in enumerate(zip(rng.choice([5, 11, 17, 23], 2, replace=False),
                                           rng.choice([7, 13, 19, 29], 2, replace=False), strict=True))}


def count(case, blocks=(1, 3, 4), bias=lambda k, u, after: k * u, gru_rows=(1, 2), recurrent="uu", kernel="Du"):
    """Weights of the three cells; each keyword is a way to get it wrong."""
    d, u = int(case["D"]), int(case["u"])
    shared = {"uu": u * u, "none": 0, "u": u}[recurrent] + {"Du": d * u, "uu": u * u}[kernel]
    rnn, gru, lstm = blocks
    def gru_weights(rows):
        return gru * shared + (bias(gru, u, rows) if rows is None else rows * bias(gru, u, rows))
    return {"rnn": rnn * shared + bias(rnn, u, None), "gru before": gru_weights(gru_rows[0]),
            "gru after": gru_weights(gru_rows[1]), "lstm": lstm * shared + bias(lstm, u, None)}


def _two_biases(k, u, rows):
    return 2 * k * u if rows is None else k * u


COUNT = Exercise(
    id="gru.count_parameters",
    title="Count the weights of RNN, GRU and LSTM",
    cases=count_cases,
    reference=count,
    aspects=(
        Aspect("plain RNN", 1, on=("*/rnn",), ask="One block: W, U and b. What are their shapes?"),
        Aspect("GRU, reset before", 1, on=("*/gru before",), ask="How many blocks, and how long is b?"),
        Aspect("GRU, reset after", 1, on=("*/gru after",), ask="How many rows does b have in this form?"),
        Aspect("LSTM", 1, on=("*/lstm",), ask="How many blocks of weights has it?"),
    ),
    misconceptions=(
        named(count, "one bias row always",
              "With reset_after=True the bias is (2, 3u): it counts twice.", gru_rows=(1, 1)),
        named(count, "two bias rows always",
              "With reset_after=False the bias is (3u,): only the other form has two rows.", gru_rows=(2, 2)),
        named(count, "bias forms exchanged",
              "The two forms have changed places: reset_after=True is the one with two rows of bias.",
              gru_rows=(2, 1)),
        named(count, "biases not counted",
              "The biases are weights too: one number for each unit of each block.",
              bias=lambda k, u, rows: 0),
        named(count, "one bias a block", "A block has one bias for *each unit*, not one in all.",
              bias=lambda k, u, rows: k),
        named(count, "recurrent weights not counted",
              "Only the input's weights are counted: U adds u × u for each block.", recurrent="none"),
        named(count, "diagonal recurrent weights",
              "You count u recurrent weights a block; every unit sees *every* unit, so U has u × u.",
              recurrent="u"),
        named(count, "input size ignored",
              "W is (D, u) for each block: the number of inputs must appear.", kernel="uu"),
        named(count, "candidate not counted",
              "You count the gates only. The candidate has weights too: the GRU has 3 blocks, the LSTM 4.",
              blocks=(1, 2, 3)),
        named(count, "two biases everywhere",
              "Only Keras's GRU with reset_after=True has two rows of bias; the RNN and the LSTM have one "
              "(two is PyTorch's way).", bias=_two_biases),
        named(count, "GRU like an LSTM",
              "The GRU has 3 blocks (z, r, candidate), one fewer than the LSTM.", blocks=(1, 4, 4)),
    ),
)


# gru.reduces_to_rnn

def reduces_cases(rng):
    for _ in range(500):
        x = rng.normal(size=(B, T, D))
        x[0] *= 8  # large inputs move a gate that looks at them, whatever its bias
        case = Case({
            "W": rng.normal(size=(D, U)) * 0.6, "U": rng.normal(size=(U, U)) * 0.6, "b": rng.normal(size=U) * 0.6,
            "x": x, "h": rng.uniform(-0.9, 0.9, (B, U)),
        }, about=f"an RNN with D = {D} inputs and u = {U} units, run T = {T} steps as a GRU")
        right = reduces(case)
        looking = reduces(case, gate_weights=True, gate_bias=False, z_bias=-20.0, r_bias=20.0)
        if all(np.abs(looking[name] - right[name]).max() > 0.02 for name in right):  # or chance hides that they look
            return {"random": case}
    raise RuntimeError("no case in 500 draws that tells")


def reduces(case, z=0.0, r=1.0, bias=1, recurrent=True, gate_weights=False, gate_bias=True, z_bias=None,
            r_bias=None):
    """The GRU that the weights make, run over the inputs; each keyword is a way to get it wrong."""
    h, hs, zs, rs = case["h"], [], [], []
    W, U, b = case["W"], case["U"] if recurrent else 0 * case["U"], bias * case["b"]
    for t in range(T):
        x = case["x"][:, t]
        seen = x @ W + h @ U + (b if gate_bias else 0) if gate_weights else np.zeros_like(h)
        zt = np.broadcast_to(sigmoid(seen + z_bias) if z_bias is not None else z, h.shape)
        rt = np.broadcast_to(sigmoid(seen + r_bias) if r_bias is not None else r, h.shape)
        h = zt * h + (1 - zt) * np.tanh(x @ W + b + rt * (h @ U))
        for record, value in ((hs, h), (zs, zt), (rs, rt)):
            record.append(value)
    return {"h": np.stack(hs, 1), "z": np.stack(zs, 1), "r": np.stack(rs, 1)}


REDUCES = Exercise(
    id="gru.reduces_to_rnn",
    title="A plain RNN inside a GRU",
    cases=reduces_cases,
    reference=reduces,
    aspects=(
        Aspect("update gate", 1, on=("*/z",), ask="Which value of z makes h_t the candidate alone?"),
        Aspect("reset gate", 1, on=("*/r",), ask="Which value of r leaves the old state whole inside the candidate?"),
        Aspect("same states as the RNN", 2, on=("*/h",), ask="With the gates fixed, what is the candidate?"),
    ),
    misconceptions=(
        named(reduces, "z at one",
              "z is 1: in Keras's convention that keeps the old state for ever. To be an RNN the GRU must "
              "take the candidate alone: z = 0.", z=1.0),
        named(reduces, "r at zero",
              "r is 0: the candidate then never sees the old state. An RNN always does: r = 1.", r=0.0),
        named(reduces, "both gates the wrong way round",
              "Both gates are the wrong way round: z = 1 keeps everything, r = 0 hides the past. You need "
              "z = 0 and r = 1.", z=1.0, r=0.0),
        named(reduces, "gate weights at zero only",
              "With weights and biases 0 a gate is σ(0) = ½, half open. A large bias opens or shuts it.",
              z_bias=0.0, r_bias=0.0),
        named(reduces, "bias for gate",
              "You wrote the gate's value into the bias: σ(0) = 0.5 and σ(1) = 0.73. To have r = 1 and z ="
              " 0 the biases must be large, +20 and −20 say.", z_bias=0.0, r_bias=1.0),
        named(reduces, "biases too small",
              "The gates are almost but not quite shut: σ(−5) is still 0.007. Take 20 or more.",
              z_bias=-5.0, r_bias=5.0),
        named(reduces, "reset gate left at one half",
              "z is right; r is still σ(0) = ½, so only half of the old state comes through.", r_bias=0.0),
        named(reduces, "update gate left at one half",
              "r is right; z is still σ(0) = ½, so half of the old state stays.", z_bias=0.0),
        named(reduces, "bias twice",
              "The RNN's bias stands in both rows, so the candidate gets it twice (r is 1). One row is "
              "enough.", bias=2),
        named(reduces, "bias forgotten", "The RNN's bias is missing from the candidate.", bias=0),
        named(reduces, "recurrent weights forgotten",
              "The candidate's block of the recurrent weights is empty: put the RNN's U there.",
              recurrent=False),
        named(reduces, "same weights in every block",
              "The RNN's weights stand in all three blocks, so the gates move with the input. Put zeros in"
              " the gates' blocks and hold them with a large bias.",
              gate_weights=True, z_bias=0.0, r_bias=0.0),
        named(reduces, "large bias, but the gates still look",
              "The biases are right, but the gates' blocks of W and U are not zero: a large input opens what "
              "the bias holds shut.", gate_weights=True, gate_bias=False, z_bias=-20.0, r_bias=20.0),
    ),
    rtol=1e-3,
    atol=1e-3,
)


# gru.from_pytorch

def pytorch_cases(rng):
    return {"random": Case({
        "w_ih": rng.normal(size=(3 * U, D)), "w_hh": rng.normal(size=(3 * U, U)),
        "b_ih": rng.normal(size=3 * U), "b_hh": rng.normal(size=3 * U),
    }, about=f"D = {D} inputs, u = {U} units, gates in PyTorch's order r, z, n")}


def from_pytorch(case, order=(1, 0, 2), bias_order=None, rows=(0, 1), bias="stack", reshape=False, transpose=True,
                 one_minus=False):
    """Keras's three arrays from PyTorch's four; each keyword is a way to get it wrong."""
    def reordered(a, order=order):
        parts = np.split(a, 3, axis=0)
        return np.concatenate([parts[i] for i in order], axis=0)
    def turned(a):
        return (a.reshape(a.shape[::-1]) if reshape else a.T) if transpose else a
    biases = [reordered(case[k], bias_order or order) for k in ("b_ih", "b_hh")]
    b = np.stack([biases[i] for i in rows]) if bias == "stack" else (
        sum(biases) if bias == "sum" else np.concatenate(biases))
    W, U_ = turned(reordered(case["w_ih"])), turned(reordered(case["w_hh"]))
    if one_minus:
        W, U_, b = _negate(W.copy(), 0), _negate(U_.copy(), 0), _negate(b.copy(), 0)
    return {"W": W, "U": U_, "b": b}


FROM_PYTORCH = Exercise(
    id="gru.from_pytorch",
    title="Weights from another framework",
    cases=pytorch_cases,
    reference=from_pytorch,
    aspects=(
        Aspect("shapes", 1, shape_only=True),
        Aspect("input weights", 1, on=("*/W",), ask="Which block comes first in each framework?"),
        Aspect("recurrent weights", 1, on=("*/U",), ask="A square block looks right even when it is not transposed."),
        Aspect("biases", 1, on=("*/b",), ask="Two rows: input first, then state; each in the order z, r, candidate."),
    ),
    misconceptions=(
        named(from_pytorch, "gates not reordered",
              "The blocks are still in PyTorch's order r, z, n; Keras wants z, r, candidate.",
              order=(0, 1, 2)),
        named(from_pytorch, "biases not reordered",
              "The weights are in the right order but the biases are still r, z, n.", bias_order=(0, 1, 2)),
        named(from_pytorch, "reversed order",
              "You reversed the three blocks. Only the first two change places; the candidate stays last.",
              order=(2, 1, 0)),
        named(from_pytorch, "not transposed",
              "PyTorch stores (out, in); Keras wants (in, out): transpose both.", transpose=False),
        named(from_pytorch, "reshaped, not transposed",
              "`reshape` gives the right shape and mixes up the numbers: use a transpose.", reshape=True),
        named(from_pytorch, "biases added up",
              "You added the two biases. With reset_after=True they do different things: stack them, shape"
              " (2, 3u).", bias="sum"),
        named(from_pytorch, "biases end to end",
              "The biases stand end to end, shape (6u,). Stack them as two rows: (2, 3u).",
              bias="concatenate"),
        named(from_pytorch, "bias rows swapped",
              "The rows have changed places: b_ih (input) is row 0, b_hh (state) row 1.", rows=(1, 0)),
        named(from_pytorch, "z turned over",
              "You changed the sign of z's block. PyTorch and Keras both keep z on the old state: only the"
              " order differs.", one_minus=True),
    ),
)

EXERCISES = [STEP, CONVENTION, RESET_AFTER, CELL, LAYER, COUNT, REDUCES, FROM_PYTORCH]
