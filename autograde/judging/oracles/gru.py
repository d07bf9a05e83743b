"""Oracle of lesson 05: the GRU (Cho et al. 2014).

Weights are laid out as Keras lays them out: the three blocks of ``W (D, 3u)``, ``U (u, 3u)`` and ``b`` are the
update gate z, the reset gate r and the candidate. With the reset *before* the product ``b`` is ``(3u,)``; with
the reset *after* it, ``b`` is ``(2, 3u)``: row 0 belongs to the input, row 1 to the state. z stays on the *old*
state: ``h_t = z · h_{t-1} + (1 - z) · candidate``.

Long because a topic is read as one: cases, references, their wrong variants and what is said of each.
"""

from __future__ import annotations

import numpy as np

from autograde.judging.common import (
    HARD_SIGMOIDS,
    along,
    mistakes,
    random_word,
    sigmoid,
    sizes,
    slope,
    told,
    weights,
)
from autograde.judging.exercise import Aspect, Case, Exercise, Raises
from unrolled.probes import codes

LESSON = "05_gru"


def side_by_side(a):
    return np.split(a, 3, axis=-1)


def interleaved(a):
    """Three blocks taken as every third number, as if each unit's three sums stood side by side."""
    return [a[..., k::3] for k in range(3)]


def blocks(a, order="zrh", cut=side_by_side):
    """The three blocks of the last axis, by name; always returned as z, r, candidate."""
    parts = dict(zip(order, cut(a), strict=True))
    return parts["z"], parts["r"], parts["h"]


def draw(rng, about="", two_biases=False, B=None, T=0, least=2, most=8, **more):
    """A GRU's weights, a state h and one step of inputs x, or T steps (None: as many as are drawn).

    All sizes differ, but for those that are given. `more` replaces or adds an array, or changes it if it is a function.
    """
    drawn = sizes(rng, 4, least, most)
    B, T, D, u = B or drawn[0], drawn[1] if T is None else T, *drawn[2:]
    arrays = {"x": rng.normal(size=(B, T, D) if T else (B, D)), "h": rng.uniform(-0.9, 0.9, (B, u)),
              **weights(rng, D, u, blocks=3)}
    if two_biases:
        arrays["b"] = rng.normal(size=(2, 3 * u)) * 0.6
    arrays |= {name: value(arrays[name]) if callable(value) else value for name, value in more.items()}
    return Case(arrays, about=f"{told(B=B, T=T or None, D=D, u=u)}, {about}")


BUILT_IN = ("keras.layers.GRU", "keras.layers.GRUCell")
HELPER = ("one_step", "unrolled.lessons.gru.one_step")  # given for the layers; in the steps it would be the answer

INTERLEAVED = ("blocks interleaved", "You take every third column for a block, as reshape(batch, u, 3) does: the three "
               "blocks stand one after the other, z from 0 to u, r from u to 2u, the candidate from 2u to 3u.",
               {"cut": interleaved})
HARD = tuple(("hard sigmoid", "Your gates are straight lines with corners (a hard sigmoid), a fast approximation: here "
              "the gates are the sigmoid itself, 1 / (1 + exp(−a)).", {"gate": gate}) for gate in HARD_SIGMOIDS)


# gru.step: the reset gate before the product, one bias

def step_cases(rng, two_biases=False):
    def saturated(b):
        """Gates of exactly 0 and exactly 1, candidates as they were."""
        gates = np.arange(b.shape[-1]) < b.shape[-1] * 2 // 3
        return b + gates * 40 * rng.choice([-1, 1], b.shape[-1])
    return {"random": draw(rng, "random weights, bias and state", two_biases),
            "first": draw(rng, "a batch of one at its first step, h = 0", two_biases, B=1, h=np.zeros_like),
            "saturated": draw(rng, "biases so large that every gate is open or shut", two_biases, b=saturated)}


def step(case, order="zrh", z_on="old", reset="state", z_gate=None, r_gate=None, gate=sigmoid, candidate=np.tanh,
         bias=1, gates_see_state=True, mix_reset=False, cut=side_by_side, transposed=False):
    """One GRU step with the reset before the product; each keyword is a way to get it wrong."""
    h = case["h"]
    Wz, Wr, Wh = blocks(case["x"] @ case["W"] + bias * case["b"], order, cut)
    Uz, Ur, Uh = blocks(case["U"], order, cut)
    if transposed:
        Uz, Ur, Uh = Uz.T, Ur.T, Uh.T
    seen = h if gates_see_state else np.zeros_like(h)
    z, r = (z_gate or gate)(Wz + seen @ Uz), (r_gate or gate)(Wr + seen @ Ur)
    recurrent = {"state": (r * h) @ Uh, "product": r * (h @ Uh), "no": h @ Uh, "all": (r * h) @ Uh, "sum": r * (h @ Uh),
                 "upside down": ((1 - r) * h) @ Uh}[reset]
    new = candidate((r * Wh if reset in ("all", "sum") else Wh) + recurrent)
    old = r * h if mix_reset else h
    return {"h": _mixed(z_on, z, old, new)}


def _mixed(z_on, z, old, new):
    return {"old": z * old + (1 - z) * new, "new": (1 - z) * old + z * new, "both": z * old + z * new,
            "no 1-z": z * old + new, "forget": (1 - z) * new, "half": old + (1 - z) * new}[z_on]


STEP = Exercise(
    id="gru.step",
    title="One GRU step",
    cases=step_cases,
    reference=step,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("first step", 1, on=("first/h",),
               ask="With h = 0 only (1 − z) · candidate is left. Is that what you get?"),
        Aspect("new state", 3, on=("random/h", "saturated/h"), ask="Work out z, r and the candidate by hand for one "
               "unit."),
    ),
    misconceptions=mistakes(
        step,
        ("z on the candidate",
         "The update gate sits on the new candidate. Many texts write it so; in Keras, as in Cho et "
         "al. 2014, z keeps the *old* state and 1 − z lets the candidate in.", {"z_on": "new"}),
        ("z and r swapped", "z and r have changed places: in Keras's order the first block of the "
         "weights is the update gate, the second the reset gate.", {"order": "rzh"}),
        ("reset gate ignored", "r is computed but never used: it must scale h before h meets the "
         "candidate's U.", {"reset": "no"}),
        ("reset after the product",
         "You compute r · (h U). Here the reset comes *before* the product: (r · h) U. (The other "
         "form is a later exercise.)", {"reset": "product"}),
        ("reset on the input too", "r scales the input part as well; it may only scale what comes "
         "from the old state.", {"reset": "all"}),
        ("reset on the whole sum", "r scales everything that goes into the candidate. It may only scale the old "
         "state, before that meets its weights.", {"reset": "sum"}),
        ("reset gate upside down", "You scale the old state by 1 − r. The reset gate lets it through where r is 1: "
         "r · h.", {"reset": "upside down"}),
        ("reset state in the mix",
         "The reset state r · h is for the candidate only. The last line mixes the candidate with the"
         " *whole* old state h.", {"mix_reset": True}),
        ("no 1 − z",
         "The candidate is added in full. It needs the weight 1 − z, so that the new state is an "
         "average and stays between −1 and 1.", {"z_on": "no 1-z"}),
        ("old state kept in full",
         "The old state is kept in full and (1 − z) · candidate comes on top. It needs the weight z, so that the "
         "new state is an average and stays between −1 and 1.", {"z_on": "half"}),
        ("z on both",
         "Both terms are multiplied by z. The two weights must add up to 1: z for the old state, 1 − "
         "z for the candidate.", {"z_on": "both"}),
        ("old state dropped",
         "Only (1 − z) · candidate is returned: the part z · h that remembers is missing.",
         {"z_on": "forget"}),
        ("tanh on the update gate",
         "z goes through tanh. A gate is a share between 0 and 1, so it needs a sigmoid.",
         {"z_gate": np.tanh}),
        ("tanh on the reset gate", "r goes through tanh. A gate is a share between 0 and 1, so it "
         "needs a sigmoid.", {"r_gate": np.tanh}),
        ("tanh on both gates", "z and r go through tanh. A gate is a share between 0 and 1, so it needs a sigmoid; "
         "only the candidate takes tanh.", {"gate": np.tanh}),
        *HARD,
        ("candidate through a sigmoid",
         "The candidate goes through tanh, not sigmoid: a state must be able to become negative.",
         {"candidate": sigmoid}),
        ("no tanh on the candidate",
         "The candidate never goes through tanh: nothing keeps the state between −1 and 1.",
         {"candidate": lambda a: a}),
        ("bias left out", "The bias b is never added.", {"bias": 0}),
        ("bias added twice", "The bias is in both parts: add x W and h U, and b once.", {"bias": 2}),
        ("gates do not see the state",
         "z and r look at x only. Each gate also has its own block of U, which looks at h.",
         {"gates_see_state": False}),
        INTERLEAVED,
        ("recurrent weights transposed", "Each block of U is transposed. It is square, so nothing complains; but h "
         "stands on the left, h U, and U is used as it is.", {"transposed": True}),
    ),
    forbids=BUILT_IN + HELPER,
)


# gru.convention: z on the candidate -> z on the old state

def convention_cases(rng):
    def case(rows, about, u=None):
        drawn = draw(rng, two_biases=rows == 2)
        if u:
            D = drawn["W"].shape[0]
            drawn |= weights(rng, D, u, blocks=3) | {"b": rng.normal(size=(rows, 3 * u))}
        D, columns = drawn["W"].shape
        return Case({name: drawn[name] for name in "WUb"}, about=f"{told(D=D, u=columns // 3)}, {about}")
    return {"one bias": case(1, "a bias of shape (3u,)"), "two biases": case(2, "a bias of shape (2, 3u)"),
            "one unit": case(2, "a bias of shape (2, 3u)", u=1)}


def convention(case, change=None):
    """Weights of the same function in the other convention: σ(−a) = 1 − σ(a). `change` is a wrong way to rewrite an
    array, from (the array, its name, D, u)."""
    D, u = case["W"].shape[0], case["U"].shape[0]
    change = change or (lambda a, what, D, u: _negate(a, 0, u))
    return {name: change(case[name].copy(), name, D, u) for name in "WUb"}


def _negate(a, block, u):
    a[..., block * u:(block + 1) * u] *= -1
    return a


def _only(*names):
    """Negate the update gate's block in these arrays."""
    return lambda a, what, D, u: _negate(a, 0, u) if what in names else a


def _one_minus(a, what, D, u):
    a[..., :u] = 1 - a[..., :u]
    return a


def _rows(*names):
    """In these arrays, take the first u rows where the first u columns are meant."""
    def change(a, what, D, u):
        if what not in names or a.ndim == 1:
            return _negate(a, 0, u)
        a[:u] *= -1
        return a
    return change


def _first_bias_row(a, what, D, u):
    if what == "b" and a.ndim == 2:
        a[0, :u] *= -1
        return a
    return _negate(a, 0, u)


def _columns_of_inputs(a, what, D, u):
    a[..., :D] *= -1
    return a


def _every_third(a, what, D, u):
    a[..., ::3] *= -1
    return a


CONVENTION = Exercise(
    id="gru.convention",
    title="From one convention of z to the other",
    cases=convention_cases,
    reference=convention,
    aspects=(
        Aspect("shapes", 1, shape_only=True),
        Aspect("one bias", 1.5, on=("one bias/*",), ask="What is 1 − σ(a), written as one sigmoid?"),
        Aspect("two biases", 1.5, on=("two biases/*", "one unit/*"), ask="Does your slice take the first block of "
               "the *last* axis?"),
    ),
    misconceptions=mistakes(
        convention,
        ("everything negated",
         "Every block changed its sign. Only the update gate differs between the "
         "conventions; r and the candidate stay as they are.", {"change": lambda a, what, D, u: -a}),
        ("reset gate negated",
         "You negated the second block, the reset gate. The update gate is the first.",
         {"change": lambda a, what, D, u: _negate(a, 1, u)}),
        ("candidate negated",
         "You negated the third block, the candidate. The gate z is the first.",
         {"change": lambda a, what, D, u: _negate(a, 2, u)}),
        ("one minus the weights", "1 − W is not it: the *gate* becomes 1 − z, and "
         "1 − σ(a) = σ(−a), so the weights change sign.", {"change": _one_minus}),
        ("bias forgotten",
         "W and U changed sign but the bias did not; all of a = xW + hU + b must.", {"change": _only("W", "U")}),
        ("recurrent weights forgotten",
         "U kept its sign; all of a = xW + hU + b must change it.", {"change": _only("W", "b")}),
        ("input weights forgotten",
         "W kept its sign; all of a = xW + hU + b must change it.", {"change": _only("U", "b")}),
        ("bias sliced along rows",
         "`b[:u]` takes *rows* when b is (2, 3u), so it changed every block. Slice the "
         "last axis: `b[..., :u]`.", {"change": _rows("b")}),
        ("everything sliced along rows",
         "`W[:u]` takes the first u *rows*, and the blocks stand side by side in the columns. Slice the "
         "last axis: `W[..., :u]`.", {"change": _rows("W", "U", "b")}),
        ("second bias row forgotten",
         "With b of shape (2, 3u) the update gate has a bias in each row; only row 0 "
         "changed sign.", {"change": _first_bias_row}),
        ("blocks swapped",
         "You exchanged the blocks of z and r. The conventions agree on the order; what "
         "differs is on which state z sits.",
         {"change": lambda a, what, D, u: np.concatenate([a[..., u:2 * u], a[..., :u], a[..., 2 * u:]], axis=-1)}),
        ("as many columns as inputs", "You changed the first D columns, D being the number of inputs. A block is as "
         "wide as there are units: u columns.", {"change": _columns_of_inputs}),
        ("blocks interleaved", "You changed every third column: the blocks stand one after the other, z from 0 to u.",
         {"change": _every_third}),
        ("nothing changed",
         "The weights came back as they went in. What must happen to a so that σ(a) "
         "becomes 1 − σ(a)?", {"change": lambda a, what, D, u: a}),
    ),
)


# gru.reset_after: the reset gate after the product, two biases

def reset_after_cases(rng):
    return step_cases(rng, two_biases=True)


def reset_after(case, order="zrh", z_on="old", reset="product", rows=(0, 1), bias=(1, 1), gate=sigmoid,
                candidate=np.tanh, cut=side_by_side, transposed=False):
    """One GRU step with the reset after the product; each keyword is a way to get it wrong."""
    h, b = case["h"], case["b"][list(rows)] * np.array(bias)[:, None]
    U = case["U"]
    if transposed:
        U = np.concatenate([block.T for block in side_by_side(U)], axis=1)
    az, ar, ah = blocks(case["x"] @ case["W"] + b[0], order, cut)
    sz, sr, sh = blocks(h @ U + b[1], order, cut)
    z, r = gate(az + sz), gate(ar + sr)
    recurrent_bias = blocks(b[1], order, cut)[2]
    inside = {"product": ah + r * sh, "bias outside": ah + recurrent_bias + r * (sh - recurrent_bias),
              "state": ah + recurrent_bias + (r * h) @ blocks(U, order, cut)[2],
              "state, then bias": ah + r * recurrent_bias + (r * h) @ blocks(U, order, cut)[2],
              "no": ah + sh, "all": r * (ah + sh), "input": r * ah + sh}[reset]
    return {"h": _mixed(z_on, z, h, candidate(inside))}


RESET_AFTER = Exercise(
    id="gru.reset_after",
    title="One GRU step, reset after the product",
    cases=reset_after_cases,
    reference=reset_after,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("first step", 1, on=("first/h",),
               ask="With h = 0 the recurrent bias is still there: what does r do to it?"),
        Aspect("new state", 3, on=("random/h", "saturated/h"), ask="Write down separately what comes from x and what "
               "comes from h."),
    ),
    misconceptions=mistakes(
        reset_after,
        ("recurrent bias dropped",
         "b[1], the bias of the recurrent part, is never added. Keras starts it at zero, so nobody "
         "notices until trained weights are loaded.", {"bias": (1, 0)}),
        ("input bias dropped",
         "b[0], the bias of the input part, is never added.", {"bias": (0, 1)}),
        ("both biases dropped", "The biases are never added: b[0] goes with x, b[1] with h.", {"bias": (0, 0)}),
        ("biases added up",
         "Both biases stand outside the reset gate. The candidate's recurrent bias belongs *inside*: "
         "r · (h U + b[1]).", {"reset": "bias outside"}),
        ("reset before the product",
         "This is (r · h) U, the other form. Here the gate scales the finished product: r · (h U + "
         "b[1]).", {"reset": "state"}),
        ("reset before the product, bias after it",
         "Only the bias is in the new form; the product is still (r · h) U. Here r scales the finished "
         "product and its bias together: r · (h U + b[1]).", {"reset": "state, then bias"}),
        ("bias rows swapped",
         "The two rows of b have changed places: row 0 goes with x, row 1 with h.", {"rows": (1, 0)}),
        ("input bias in both parts", "b[0] stands in both parts: row 0 goes with x, row 1 with h.", {"rows": (0, 0)}),
        ("recurrent bias in both parts", "b[1] stands in both parts: row 0 goes with x, row 1 with h.",
         {"rows": (1, 1)}),
        ("reset gate ignored",
         "r is computed but never used in the candidate.", {"reset": "no"}),
        ("reset on the input too",
         "r multiplies the whole sum; it may only scale the part that comes from h.", {"reset": "all"}),
        ("reset on the input instead",
         "r scales the part that comes from x; it must scale the part that comes from h.",
         {"reset": "input"}),
        ("z on the candidate",
         "In Keras's convention z keeps the *old* state and 1 − z lets the candidate in; here it is "
         "the other way round.", {"z_on": "new"}),
        ("z and r swapped",
         "z and r have changed places: the first block is the update gate, the second the reset gate.",
         {"order": "rzh"}),
        ("no 1 − z",
         "The candidate is added in full. It needs the weight 1 − z.", {"z_on": "no 1-z"}),
        ("old state dropped",
         "Only (1 − z) · candidate is returned: the part z · h that remembers is missing.", {"z_on": "forget"}),
        ("tanh on both gates", "z and r go through tanh. A gate is a share between 0 and 1, so it needs a sigmoid; "
         "only the candidate takes tanh.", {"gate": np.tanh}),
        ("no tanh on the candidate",
         "The candidate never goes through tanh: nothing keeps the state between −1 and 1.",
         {"candidate": lambda a: a}),
        *HARD,
        INTERLEAVED,
        ("recurrent weights transposed", "Each block of U is transposed. It is square, so nothing complains; but h "
         "stands on the left, h U, and U is used as it is.", {"transposed": True}),
    ),
    forbids=BUILT_IN + HELPER,
)


# gru.cell and gru.layer: the same as Keras layers

CONFIG_BASE = ("get_config without the base's", "get_config holds your own arguments only; start from "
               "super().get_config(), or the name and dtype are lost.", {"config": "own"})
NO_KEYWORDS = ("no keyword arguments", "Your __init__ takes no **kwargs, so Keras cannot hand the layer its name and "
               "dtype: accept **kwargs and pass them to super().__init__.", {"config": "no kwargs"})
WEIGHTS = {"kernel": "W", "recurrent_kernel": "U", "bias": "b"}


def forward(x, h, case, form=None):
    """One step in the case's form, or in `form`, "after" or "before"."""
    given = {"x": x, "h": h} | {name: case[name] for name in "WUb"}
    after = case["b"].ndim == 2
    if form == "before" and after:
        return step(given | {"b": case["b"].sum(axis=0)})["h"]
    return (reset_after if after else step)(given)["h"]


def slopes(output, case, trained=tuple(WEIGHTS)):
    """The gradient of a layer's output by each weight, as one number each."""
    return {f"gradient of {name}": slope(output, case, key) if name in trained else 0.0
            for name, key in WEIGHTS.items()}


def raw_facts(case, arrays):
    """Gradients as one number each; how a new cell's weights begin; whether a restored layer's name is kept."""
    found = dict(arrays)
    for name in [name for name in arrays if name.startswith("gradient of ")]:
        right = case[WEIGHTS[name.removeprefix("gradient of ")]].shape
        if arrays[name].shape != right:
            raise ValueError(f"the {name} has shape {arrays[name].shape}; it should be {right}")
        found[name] = along(arrays[name])
    if "name" in case:
        found["name kept"] = np.array_equal(found.pop("name"), case["name"])
    if "units" in case:
        shapes = _shapes(case)
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise ValueError(f"the weight {name} has shape {arrays[name].shape}; it should be {shape}")
        found["kernels vary"] = [found.pop(name).std() > 1e-3 for name in ("kernel", "recurrent_kernel")]
    return found


def _shapes(case):
    D, u = int(case["D"]), int(case["units"])
    rows = (2,) if case["reset_after"] else ()
    return {"kernel": (D, 3 * u), "recurrent_kernel": (u, 3 * u), "bias": (*rows, 3 * u)}


def cell_cases(rng):
    def one(about, after, **more):
        return draw(rng, f"reset_after={after}, {about}", after, most=7, reset_after=after, **more)
    D, u = sizes(rng, 2, 3, 20)
    name = random_word(rng)
    return {
        "after": one("one step", True),
        "before": one("a batch of one, one step and the gradients of its weights", False, B=1, trains=True),
        "in RNN": one("keras.layers.RNN(GRUCell(u)) in a model on keras.Input((None, D))", True,
                      T=int(rng.integers(2, 4)), least=3),
        "new": Case({"D": D, "units": u, "reset_after": False}, about=f"a new cell of {u} units with "
                    f"reset_after=False, built for {D} inputs"),
        "restored": one(f'GRUCell(u, reset_after=False, name="{name}") made again from its get_config()', False,
                        name=codes(name)),
    }


def cell(case, form=None, config="all", bias_rows=None, returns="both", state_size=True, zeros=(),
         trained=tuple(WEIGHTS), built=True):
    """What the probe reads of a cell; each keyword is a way to get it wrong."""
    after = bool(case["reset_after"])
    if not built:
        return Raises("ValueError", "there is no weight named kernel, recurrent_kernel, bias")
    if "name" in case and config == "no units":
        return Raises("TypeError", "units")
    if "name" in case and config == "no kwargs":
        return Raises("TypeError", "unexpected keyword")
    rows = (2 if after or form == "after" else 1) if bias_rows is None else bias_rows
    if "name" in case and config == "no reset_after":
        rows = 2  # the default of __init__
    if "x" not in case:
        if not state_size:
            return Raises("AttributeError", "state_size")
        if rows != 1:
            return Raises("ValueError", "weight bias has shape")
        u = int(case["units"])
        count = {name: int(np.prod(shape)) for name, shape in _shapes(case).items()}
        return {"bias": np.full(3 * u, 0.0) if "bias" not in zeros else np.full(3 * u, np.nan),
                "kernels vary": [name not in zeros for name in ("kernel", "recurrent_kernel")], "state size": [u],
                "trainable": sorted(count[name] for name in trained)}
    if "RNN" in case.name and not state_size:
        return Raises("ValueError|AttributeError", "state_size")
    if rows != case["b"].ndim:
        return Raises("ValueError", "weight bias has shape")
    if returns == "output":
        return Raises("TypeError|ValueError", "(h, [h])|to unpack|iterate|tuple|list")
    if case.name == "in RNN":
        h = state = np.zeros_like(case["h"])
        for x in np.moveaxis(case["x"], 1, 0):
            h = forward(x, state, case, form)
            state = state if returns == "old state" else h
        return {"output": h}
    h = forward(case["x"], case["h"], case, form)
    found = {"output": h, "state": case["h"] if returns == "old state" else h}
    if "trains" in case:
        found |= slopes(lambda changed: forward(changed["x"], changed["h"], changed, form), case, trained)
    return found | ({"name kept": config != "own"} if "name" in case else {})


CELL = Exercise(
    id="gru.cell",
    title="A GRU cell for keras.layers.RNN",
    cases=cell_cases,
    reference=cell,
    derive=raw_facts,
    aspects=(
        Aspect("reset_after=True", 2, on=("after/*",), ask="Compare with your function: same weights, same h?"),
        Aspect("reset_after=False", 1, on=("before/*",), ask="Which bias shape does this form have? Does a gradient "
               "reach every weight?"),
        Aspect("in keras.layers.RNN", 1, on=("in RNN/*",), ask="There `call` works on tensors without values: only "
               "keras.ops can."),
        Aspect("at birth", 1, on=("new/*",), ask="Are the bias zero, the kernels random, all three trainable, and is "
               "state_size the number of units?"),
        Aspect("get_config round trip", 1, on=("restored/*",), ask="Does get_config return everything __init__ took?"),
    ),
    misconceptions=mistakes(
        cell,
        ("units not in the config",
         "get_config does not return `units`, so the cell cannot be made again from a file.",
         {"config": "no units"}),
        ("reset_after not in the config",
         "get_config does not return `reset_after`: a cell saved with False comes back with the "
         "default True, and its weights no longer fit.", {"config": "no reset_after"}),
        CONFIG_BASE,
        NO_KEYWORDS,
        ("always reset after",
         "The cell ignores `reset_after=False`: it always makes the (2, 3u) bias.", {"form": "after"}),
        ("always reset before",
         "The bias is right, but with `reset_after=True` the cell still computes (r · h) U.",
         {"form": "before"}),
        ("one bias always",
         "With `reset_after=True` the bias needs two rows, shape (2, 3u): one for the input, one for "
         "the state.", {"bias_rows": 1}),
        ("only the output",
         "`call` returns h alone. `keras.layers.RNN` wants two things: the output, and the list of "
         "new states, `h, [h]`.", {"returns": "output"}),
        ("old state returned",
         "The output is right, but the state handed on is the one that came in: the next step would "
         "start from the past.", {"returns": "old state"}),
        ("no state_size", "`keras.layers.RNN` asks the cell how large its state is: set "
         "`self.state_size` in __init__.", {"state_size": False}),
        ("weights start at zero", "A kernel starts at 0: then every unit does the same for ever, because each gets the "
         "same gradient. Keep a random initialiser for both.", {"zeros": ("kernel", "recurrent_kernel")}),
        ("bias not trainable", "Your bias is not among the trainable weights: training would leave it where it starts.",
         {"trained": ("kernel", "recurrent_kernel")}),
        ("weights made in call", "The cell has no weights after build: make them in build(self, input_shape). Made in "
         "call they do not exist yet when a saved model is loaded.", {"built": False}),
    ),
    forbids=BUILT_IN,
)


def layer_cases(rng):
    def one(about, after=True, sequences=True, state=False, mask=None, T=None, **more):
        T = T or int(rng.integers(3, 5))
        case = draw(rng, f"reset_after={after}, return_sequences={sequences}, {about}", after, T=T, least=3, most=6,
                    reset_after=after, sequences=sequences, **more)
        if mask:
            case["mask"] = mask(*case["x"].shape[:2])
        if not state:
            del case["h"]
        return case

    def padded(B, T):
        """A full row, one with a hole, one padded at the end; the others padded at the start, the last one wholly."""
        steps = np.arange(T)
        mask = steps >= rng.integers(1, T, B)[:, None]
        mask[0], mask[1], mask[2] = True, steps != rng.integers(1, T - 1), steps < rng.integers(1, T)
        mask[3:][-1:] = False
        return mask

    name = random_word(rng)
    return {
        "sequence": one("called a second time", twice=True),
        "before": one("a batch of one", after=False, B=1),
        "started": one("an initial state and a single step", state=True, T=1),
        "masked": one("a mask: padding at the end, at the start, in the middle", mask=padded),
        "masked last": one("a mask and an initial state", after=False, sequences=False, state=True, mask=padded),
        "model": one("in a model on keras.Input, with a mask", sequences=False, T=2, symbolic=True,
                     mask=lambda B, T: np.arange(T) < 2 - np.arange(B)[:, None] % 2),
        "last": one("and the gradients of the weights", sequences=False, T=2, trains=True),
        "restored": one(f'name="{name}", made again from its get_config()', after=False, T=2, name=codes(name)),
    }


def read(case, mask="hold", initial=True, carry=True, late=False, backwards=False, sequences=None, stack=1,
         last="state", start=None, form=None):
    """What a layer makes of sequences; each keyword is a way to get it wrong."""
    wants = bool(case["sequences"]) if sequences is None else sequences
    B, T, _ = case["x"].shape
    if start is None:
        start = case["h"] if "h" in case and initial else np.zeros((B, case["U"].shape[0]))
    valid = case.get("mask", np.ones((B, T), bool))
    h, out = start, []
    for t in (range(T)[::-1] if backwards else range(T)):
        new = forward(case["x"][:, t], h if carry else start, case, form)
        keep = valid[:, t, None]
        new = {"hold": np.where(keep, new, h), "ignored": new, "zero": np.where(keep, new, 0),
               "inverted": np.where(keep, h, new) if "mask" in case else new, "output only": new}[mask]
        out.append(h if late else np.where(keep, new, 0) if mask == "output only" else new)
        h = new
    if wants:
        return np.stack(out, axis=stack)
    return np.mean(out, axis=0) if last == "mean" else h


def layer(case, config="all", handed_on="right", leaks=False, trained=tuple(WEIGHTS), built=True,
          in_model=True, **change):
    """What the probe reads of a layer; each keyword is a way to get it wrong, those of `read` among them."""
    if not built and "symbolic" not in case:
        return Raises("ValueError", "there is no weight named kernel, recurrent_kernel, bias")
    if not in_model and "symbolic" in case:
        return Raises("TypeError|ValueError", "got None of|'NoneType' object cannot be interpreted|a value (None)")
    if "name" in case:
        if config in ("no units", "no kwargs"):
            return Raises("TypeError", {"no units": "units", "no kwargs": "unexpected keyword"}[config])
        if config == "no reset_after":
            return Raises("ValueError", "weight bias has shape")
        if config == "no return_sequences":
            change["sequences"] = False
    if change.get("form") == "after" and not case["reset_after"]:
        return Raises("ValueError", "weight bias has shape")
    if leaks and "twice" in case:
        change["start"] = read(Case(case | {"x": -case["x"], "sequences": False}))
    found = {"h": read(case, **change)}
    if "mask" in case and "symbolic" not in case:
        goes_on = {"right": bool(case["sequences"]), "always": True, "never": False}[handed_on]
        found["mask handed on"] = case["mask"] if goes_on else np.zeros(0)
    if "trains" in case:
        found |= slopes(lambda changed: read(changed, **change), case, trained)
    return found | ({"name kept": config != "own"} if "name" in case else {})


LAYER = Exercise(
    id="gru.layer",
    title="A GRU layer with masks",
    cases=layer_cases,
    reference=layer,
    derive=raw_facts,
    aspects=(
        Aspect("carries the state", 2, on=("sequence/*", "before/*"), ask="Which h goes into step t?"),
        Aspect("last and first state", 1, on=("last/h", "started/*"), ask="Without return_sequences the answer is the "
               "state after the last step. And where does h come from when `initial_state` is given?"),
        Aspect("mask", 2, on=("masked/h", "masked last/h"),
               ask="At a masked step nothing may change: h stays what it was."),
        Aspect("mask handed on", 1, on=("*/mask handed on",), ask="With return_sequences the next layer needs the "
               "mask. Without, the output has no time axis left to mask."),
        Aspect("in a model, trained", 1, on=("model/*", "last/gradient*"), ask="Only keras.ops work in a model and let "
               "gradients through. Are all three weights trainable?"),
        Aspect("get_config round trip", 1, on=("restored/*",), ask="Does get_config return everything __init__ took?"),
    ),
    misconceptions=mistakes(
        layer,
        ("mask ignored",
         "The mask is not used: padding is read as if it were input, and changes the state.",
         {"mask": "ignored"}),
        ("mask inverted",
         "The mask is used the wrong way round: True means a *real* step.", {"mask": "inverted"}),
        ("padding erases the state",
         "At a masked step the state becomes 0. It must stay what it was before.", {"mask": "zero"}),
        ("mask on the output only",
         "The output at padding is hidden, but the state behind it has read the padding all the same."
         " Choose the state: `where(mask, new, h)`.", {"mask": "output only"}),
        ("mask handed on with the last state",
         "Your layer hands its (B, T) mask on although its output is one state, (B, u): the next layer or the loss "
         "stops, or with B = T masks whole sequences in silence. `compute_mask` must return None when "
         "return_sequences is False.", {"handed_on": "always"}),
        ("mask not handed on",
         "With return_sequences=True the next layer needs the mask as well: `compute_mask` returns it then.",
         {"handed_on": "never"}),
        ("initial state ignored",
         "`initial_state` is never used: the layer always starts from zeros.", {"initial": False}),
        ("state not carried",
         "Every step starts from the first state again: put the new h back into h inside the loop.",
         {"carry": False}),
        ("states kept between calls", "A second call starts where the first one ended: a state belongs to one call. "
         "Start from zeros unless initial_state is given.", {"leaks": True}),
        ("one step late",
         "The outputs lag by one: append the state *after* the step, not the one before.", {"late": True}),
        ("read backwards", "The steps are read from the last to the first.", {"backwards": True}),
        ("always the sequence",
         "`return_sequences=False` is ignored: the layer must then return (B, u), the last state "
         "only.", {"sequences": True}),
        ("always the last",
         "`return_sequences=True` is ignored: the layer must then return (B, T, u).", {"sequences": False}),
        ("time first",
         "The outputs are stacked along axis 0, so time comes first: (T, B, u). Stack along axis 1.",
         {"stack": 0}),
        ("mean of the outputs",
         "Without return_sequences you return the mean over time; wanted is the state after the last "
         "step.", {"last": "mean"}),
        ("always reset before",
         "The bias is right, but with `reset_after=True` the layer still computes (r · h) U.", {"form": "before"}),
        ("always reset after",
         "The layer ignores `reset_after=False`: it always makes the (2, 3u) bias.", {"form": "after"}),
        ("reset_after not in the config",
         "get_config does not return `reset_after`: a layer saved with False comes back with the "
         "default True.", {"config": "no reset_after"}),
        ("return_sequences not in the config",
         "get_config does not return `return_sequences`: a layer that gave all steps comes back "
         "giving one.", {"config": "no return_sequences"}),
        ("units not in the config",
         "get_config does not return `units`, so the layer cannot be made again from a file.",
         {"config": "no units"}),
        CONFIG_BASE,
        NO_KEYWORDS,
        ("bias not trainable", "Your bias is not among the trainable weights: training would leave it where it starts.",
         {"trained": ("kernel", "recurrent_kernel")}),
        ("batch size taken for known", "A model is built before anybody knows how many sequences will come: "
         "`sequences.shape[0]` is None then. `ops.shape(sequences)[0]` works there too.", {"in_model": False}),
        ("weights made in call", "The layer has no weights after build: make them in build(self, input_shape). Made in "
         "call they do not exist yet when a saved model is loaded.", {"built": False}),
    ),
    forbids=BUILT_IN,
)


# gru.count_parameters

def count_cases(rng):
    def case(D, u, after):
        return Case({"D": D, "u": u, "reset_after": after}, about=f"D = {D} inputs, u = {u} units")
    D, u, more, other = sizes(rng, 4, 2, 40)
    return {"size": case(D, u, True), "another size": case(more, other, False), "one input": case(1, sum((D, u)), True)}


def count(case, blocks=(1, 3, 4), bias="units", gru_rows=(1, 2), other_rows=1, recurrent="uu", kernel="Du"):
    """Weights of the three cells; each keyword is a way to get it wrong."""
    D, u, after = int(case["D"]), int(case["u"]), bool(case["reset_after"])
    from_h = {"uu": u * u, "none": 0, "u": u, "Du": D * u}[recurrent]

    def weights(k, rows):
        from_x = {"Du": k * D * u, "uu": k * u * u, "once": D * u}[kernel]
        return from_x + k * from_h + rows * {"units": k * u, "block": k, "none": 0, "once": u}[bias]

    rnn, gru, lstm = blocks
    rows = other_rows if isinstance(other_rows, int) else 2 if after else 1
    return {"rnn": weights(rnn, rows), "gru before": weights(gru, gru_rows[0]), "gru after": weights(gru, gru_rows[1]),
            "gru": weights(gru, gru_rows[1]), "lstm": weights(lstm, rows)}


COUNT = Exercise(
    id="gru.count_parameters",
    title="Count the weights of RNN, GRU and LSTM",
    cases=count_cases,
    reference=count,
    aspects=(
        Aspect("plain RNN", 1, on=("*/rnn",), ask="One block: W, U and b. What are their shapes?"),
        Aspect("GRU, reset before", 1, on=("*/gru before",), ask="How many blocks, and how long is b?"),
        Aspect("GRU, reset after", 1, on=("*/gru after", "*/gru"), ask="How many rows does b have in this form?"),
        Aspect("LSTM", 1, on=("*/lstm",), ask="How many blocks of weights has it?"),
    ),
    misconceptions=mistakes(
        count,
        ("one bias row always",
         "With reset_after=True the bias is (2, 3u): it counts twice.", {"gru_rows": (1, 1)}),
        ("two bias rows always",
         "With reset_after=False the bias is (3u,): only the other form has two rows.", {"gru_rows": (2, 2)}),
        ("bias forms exchanged",
         "The two forms have changed places: reset_after=True is the one with two rows of bias.",
         {"gru_rows": (2, 1)}),
        ("biases not counted",
         "The biases are weights too: one number for each unit of each block.", {"bias": "none"}),
        ("one bias a block", "A block has one bias for *each unit*, not one in all.", {"bias": "block"}),
        ("biases of one block only", "Every block has biases of its own: k blocks have k · u.", {"bias": "once"}),
        ("recurrent weights not counted",
         "Only the input's weights are counted: U adds u × u for each block.", {"recurrent": "none"}),
        ("diagonal recurrent weights",
         "You count u recurrent weights a block; every unit sees *every* unit, so U has u × u.", {"recurrent": "u"}),
        ("recurrent weights like the input's",
         "You count D × u recurrent weights a block; U acts on the state, so it has u × u.", {"recurrent": "Du"}),
        ("input size ignored",
         "W is (D, u) for each block: the number of inputs must appear.", {"kernel": "uu"}),
        ("input weights of one block only",
         "Every block has input weights of its own: W is (D, k · u).", {"kernel": "once"}),
        ("candidate not counted",
         "You count the gates only. The candidate has weights too: the GRU has 3 blocks, the LSTM 4.",
         {"blocks": (1, 2, 3)}),
        ("two biases everywhere",
         "Only Keras's GRU with reset_after=True has two rows of bias; the RNN and the LSTM have one "
         "(two is PyTorch's way).", {"other_rows": 2}),
        ("two biases wherever reset_after is True",
         "reset_after concerns the GRU only: the RNN and the LSTM have one row of bias, whatever it is.",
         {"other_rows": "reset_after"}),
        ("GRU like an LSTM",
         "The GRU has 3 blocks (z, r, candidate), one fewer than the LSTM.", {"blocks": (1, 4, 4)}),
        ("LSTM like a GRU", "The LSTM has 4 blocks (i, f, candidate, o), one more than the GRU.",
         {"blocks": (1, 3, 3)}),
    ),
)


# gru.reduces_to_rnn

def reduces_cases(rng):
    def case(about, loud=1, B=None, T=None, u=None):
        drawn = sizes(rng, 4, 2, 8)
        B, T, D, u = B or drawn[0], T or drawn[1], drawn[2], u or drawn[3]
        x = rng.normal(size=(B, T, D))
        x[0] *= loud
        return Case({"x": x, "h": rng.uniform(-0.9, 0.9, (B, u)), **weights(rng, D, u)},
                    about=f"an RNN with D = {D} inputs and u = {u} units, run T = {T} steps as a GRU, {about}")
    for _ in range(500):
        # Large inputs move a gate that looks at them, whatever its bias.
        random = case("some inputs large", loud=10)
        right = reduces(random)
        looking = reduces(random, gate_weights=True, gate_bias=False, z_bias=-20.0, r_bias=20.0)
        if all(np.abs(looking[name] - right[name]).max() > 0.02 for name in right):  # or chance hides that they look
            return {"random": random, "one unit": case("a batch of one", B=1, u=1),
                    "one step": case("a single step", T=1)}
    raise RuntimeError("no case in 500 draws that tells")


def run_gru(case, weights):
    """The states of a plain GRU (reset after, z on the old state) that has these weights, and its gates."""
    (D, u), (W, U, b) = case["W"].shape, (weights[name] for name in "WUb")
    for name, array, shape in (("W", W, (D, 3 * u)), ("U", U, (u, 3 * u)), ("b", b, (2, 3 * u))):
        if array.shape != shape:
            raise ValueError(f"the GRU's {name} should have shape {shape}; yours has {array.shape}")
    h, hs, zs, rs = case["h"], [], [], []
    for x in np.moveaxis(case["x"], 1, 0):
        from_x, from_h = x @ W + b[0], h @ U + b[1]
        z, r = np.split(sigmoid(from_x + from_h)[:, :2 * u], 2, axis=1)
        h = z * h + (1 - z) * np.tanh(from_x[:, 2 * u:] + r * from_h[:, 2 * u:])
        hs.append(h), zs.append(z), rs.append(r)
    return {"h": np.stack(hs, 1), "z": np.stack(zs, 1), "r": np.stack(rs, 1)}


def reduces(case, z=0.0, r=1.0, bias=1, recurrent=True, gate_weights=False, gate_bias=True, z_bias=None,
            r_bias=None, U_turned=False, block=2):
    """The GRU that the weights make, run over the inputs; each keyword is a way to get it wrong."""
    if block == 0:  # the RNN's weights in the first block, the large biases in the other two
        u = len(case["b"])
        W, U, b = (np.concatenate([case[name], np.zeros((*case[name].shape[:-1], 2 * u))], axis=-1) for name in "WUb")
        b[u:] = np.repeat([-20.0, 20.0], u)
        return run_gru(case, {"W": W, "U": U, "b": np.stack([b, 0 * b])})
    h, hs, zs, rs = case["h"], [], [], []
    W, U, b = case["W"], case["U"] if recurrent else 0 * case["U"], bias * case["b"]
    U = U.T if U_turned else U
    for x in np.moveaxis(case["x"], 1, 0):
        seen = x @ W + h @ U + (b if gate_bias else 0) if gate_weights else np.zeros_like(h)
        zt = np.broadcast_to(sigmoid(seen + z_bias) if z_bias is not None else z, h.shape)
        rt = np.broadcast_to(sigmoid(seen + r_bias) if r_bias is not None else r, h.shape)
        new = np.tanh(x @ W + b + rt * (h @ U))
        h = zt * h + (1 - zt) * new
        for record, value in ((hs, h), (zs, zt), (rs, rt)):
            record.append(value)
    return {"h": np.stack(hs, 1), "z": np.stack(zs, 1), "r": np.stack(rs, 1)}


REDUCES = Exercise(
    id="gru.reduces_to_rnn",
    title="A plain RNN inside a GRU",
    cases=reduces_cases,
    reference=reduces,
    derive=run_gru,
    aspects=(
        Aspect("update gate", 1, on=("*/z",), ask="Which value of z makes h_t the candidate alone?"),
        Aspect("reset gate", 1, on=("*/r",), ask="Which value of r leaves the old state whole inside the candidate?"),
        Aspect("same states as the RNN", 2, on=("*/h",), ask="With the gates fixed, what is the candidate?"),
    ),
    misconceptions=mistakes(
        reduces,
        ("z at one",
         "z is 1: in Keras's convention that keeps the old state for ever. To be an RNN the GRU must "
         "take the candidate alone: z = 0.", {"z": 1.0}),
        ("r at zero",
         "r is 0: the candidate then never sees the old state. An RNN always does: r = 1.", {"r": 0.0}),
        ("both gates the wrong way round",
         "Both gates are the wrong way round: z = 1 keeps everything, r = 0 hides the past. You need "
         "z = 0 and r = 1.", {"z": 1.0, "r": 0.0}),
        ("gate weights at zero only",
         "With weights and biases 0 a gate is σ(0) = ½, half open. A large bias opens or shuts it.",
         {"z_bias": 0.0, "r_bias": 0.0}),
        ("bias for gate",
         "You wrote the gate's value into the bias: σ(0) = 0.5 and σ(1) = 0.73. To have r = 1 and z = 0 the biases "
         "must be large, +20 and −20 say.", {"z_bias": 0.0, "r_bias": 1.0}),
        *(("biases too small",
           "The gates are not quite shut: σ(−1) is still 0.27, σ(−5) still 0.007. Take 20 or more.",
           {"z_bias": -size, "r_bias": size}) for size in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)),
        ("reset gate left at one half",
         "z is right; r is still σ(0) = ½, so only half of the old state comes through.", {"r_bias": 0.0}),
        ("update gate left at one half",
         "r is right; z is still σ(0) = ½, so half of the old state stays.", {"z_bias": 0.0}),
        ("bias twice",
         "The RNN's bias stands in both rows, so the candidate gets it twice (r is 1). One row is "
         "enough.", {"bias": 2}),
        ("bias forgotten", "The RNN's bias is missing from the candidate.", {"bias": 0}),
        ("recurrent weights forgotten",
         "The candidate's block of the recurrent weights is empty: put the RNN's U there.",
         {"recurrent": False}),
        ("recurrent weights transposed", "The candidate's block holds Uᵀ. It is square, so nothing complains; a GRU "
         "computes h U as the RNN does, so U goes in as it is.", {"U_turned": True}),
        ("same weights in every block",
         "The RNN's weights stand in all three blocks, so the gates move with the input. Put zeros in"
         " the gates' blocks and hold them with a large bias.",
         {"gate_weights": True, "z_bias": 0.0, "r_bias": 0.0}),
        ("large bias, but the gates still look",
         "The biases are right, but the gates' blocks of W and U are not zero: a large input opens what "
         "the bias holds shut.", {"gate_weights": True, "gate_bias": False, "z_bias": -20.0, "r_bias": 20.0}),
        ("candidate's block first", "The RNN's weights stand in the first block, which is the update gate's. The order "
         "is z, r, candidate: they belong in the last.", {"block": 0}),
    ),
    rtol=1e-3,
    atol=1e-3,
)


# gru.from_pytorch

def pytorch_cases(rng):
    def case(D, u):
        return Case({"w_ih": rng.normal(size=(3 * u, D)), "w_hh": rng.normal(size=(3 * u, u)),
                     "b_ih": rng.normal(size=3 * u), "b_hh": rng.normal(size=3 * u)},
                    about=f"D = {D} inputs, u = {u} units, blocks in PyTorch's order r, z, n")
    drawn = sizes(rng, 4, 2, 9)
    return {"random": case(*drawn[:2]), "another size": case(*drawn[2:]), "one unit": case(drawn[0], 1)}


def from_pytorch(case, order=(1, 0, 2), bias_order=None, rows=(0, 1), bias="stack", turn=np.transpose, sign=1,
                 cut=side_by_side, turn_state=None):
    """Keras's three arrays from PyTorch's four; each keyword is a way to get it wrong."""
    def reordered(a, order=order):  # the blocks of the first axis
        parts = [part.T for part in cut(a.T)]
        return np.concatenate([sign * parts[order[0]], *(parts[k] for k in order[1:])])
    biases = [reordered(case[k], bias_order or order) for k in ("b_ih", "b_hh")]
    biases = [biases[k] if k is not None else 0 * biases[0] for k in rows]
    b = {"stack": np.stack, "sum": sum, "concatenate": np.concatenate, "columns": np.transpose,
         "sum first": lambda both: np.stack([sum(both), 0 * both[0]])}[bias](biases)
    return {"W": turn(reordered(case["w_ih"])), "U": (turn_state or turn)(reordered(case["w_hh"])), "b": b}


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
    misconceptions=mistakes(
        from_pytorch,
        ("gates not reordered",
         "The blocks are still in PyTorch's order r, z, n; Keras wants z, r, candidate.", {"order": (0, 1, 2)}),
        ("biases not reordered",
         "The weights are in the right order but the biases are still r, z, n.", {"bias_order": (0, 1, 2)}),
        ("reversed order",
         "You reversed the three blocks. Only the first two change places; the candidate stays last.",
         {"order": (2, 1, 0)}),
        ("not transposed",
         "PyTorch stores (out, in); Keras wants (in, out): transpose both.", {"turn": lambda a: a}),
        ("reshaped, not transposed",
         "`reshape` gives the right shape and mixes up the numbers: use a transpose.",
         {"turn": lambda a: a.reshape(a.shape[::-1])}),
        ("input weights reshaped, not transposed",
         "`reshape` gives the input weights the right shape and mixes up the numbers: use a transpose.",
         {"turn": lambda a: a.reshape(a.shape[::-1]), "turn_state": np.transpose}),
        ("recurrent weights reshaped, not transposed",
         "`reshape` gives the recurrent weights the right shape and mixes up the numbers: use a transpose.",
         {"turn_state": lambda a: a.reshape(a.shape[::-1])}),
        ("biases added up",
         "You added the two biases. With reset_after=True they do different things: stack them, shape"
         " (2, 3u).", {"bias": "sum"}),
        ("biases added into the first row",
         "You added the two biases into the first row. With reset_after=True they do different things: r scales the"
         " second one and not the first. Keep each in its row.", {"bias": "sum first"}),
        ("biases end to end",
         "The biases stand end to end, shape (6u,). Stack them as two rows: (2, 3u).", {"bias": "concatenate"}),
        ("biases as columns", "The biases stand as two columns, (3u, 2). Stack them as two rows: (2, 3u).",
         {"bias": "columns"}),
        ("bias rows swapped",
         "The rows have changed places: b_ih (input) is row 0, b_hh (state) row 1.", {"rows": (1, 0)}),
        ("recurrent bias dropped", "Row 1 is zero: b_hh, the state's bias, belongs there.", {"rows": (0, None)}),
        ("one bias in both rows", "Both rows hold b_ih: row 1 is the state's, b_hh.", {"rows": (0, 0)}),
        ("z turned over",
         "You changed the sign of z's block. PyTorch and Keras both keep z on the old state: only the"
         " order differs.", {"sign": -1}),
        ("blocks interleaved", "You take every third row for a block: the blocks stand one after the other, r from 0 "
         "to u, z from u to 2u, n from 2u to 3u.", {"cut": interleaved}),
    ),
)

EXERCISES = [STEP, CONVENTION, RESET_AFTER, CELL, LAYER, COUNT, REDUCES, FROM_PYTORCH]
