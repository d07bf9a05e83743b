"""Oracle of lesson 03: backpropagation through time for h_t = tanh(x_t W + h_{t-1} U + b).

The formulas are those of Werbos (1990), written with row vectors as Keras keeps them: W ``(D, u)`` acts on
the input, U ``(u, u)`` on the state. Everything is float64, because a gradient check needs it.

Long because a topic is read as one: cases, references, their wrong variants and what is said of each.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from autograde.judging.common import mistake, no_such_product, sigmoid, sizes, told
from autograde.judging.exercise import Aspect, Case, Exercise, Raises

LESSON = "03_bptt"


def weights(rng, D, u):
    """Moderate weights: U has spectral radius near 1, so gradients neither vanish nor explode at once."""
    return {"W": rng.normal(size=(D, u)) * 0.7, "U": rng.normal(size=(u, u)) * (0.9 / np.sqrt(u)),
            "b": rng.normal(size=u) * 0.4}


def dimensions(rng, most=8):
    """B, T, D and u from 3 to `most`, all different, and none of them equal to the T + 1 states."""
    while True:
        B, T, D, u = sizes(rng, 4, 3, most)
        if T + 1 not in (B, D, u):
            return B, T, D, u


# bptt.forward_cache -----------------------------------------------------------------------------------

def forward_cases(rng):
    def case(about, B=None, T=None):
        drawn = dimensions(rng)
        B, T, D, u = B or drawn[0], T or drawn[1], *drawn[2:]
        x, h0 = rng.normal(size=(B, T, D)), rng.uniform(-0.8, 0.8, (B, u))
        return Case({"x": x, "h0": h0, **weights(rng, D, u)}, about=f"{told(B=B, T=T, D=D, u=u)}, {about}")
    return {"sequence": case("random weights, bias and first state"),
            "one sequence": case("a batch of one", B=1),
            "one step": case("a sequence of a single step", T=1)}


def all_states(case, carry=True, start="h0", bias=True, transpose=False, squash=np.tanh, keep="h", one_tanh=True,
               first="kept", time_first=False, dtype=np.float64, aliased=False, bias_outside=False):
    """The states of the whole sequence; each keyword is a way to get them wrong."""
    x, h0, W, b = case["x"], case["h0"], case["W"], case["b"] * bias
    U = case["U"].T if transpose else case["U"]
    h = h0 if start == "h0" else np.zeros_like(h0)
    states = [h if first == "kept" else np.zeros_like(h)]
    for t in range(x.shape[1]):
        before = h if carry else h0
        z = x[:, t] @ W + before @ U + b
        if bias_outside:
            h = squash(x[:, t] @ W + before @ U) + b
        else:
            h = squash(z) if one_tanh else squash(x[:, t] @ W + b) + squash(before @ U)
        h = h.astype(dtype)
        states.append(h if keep == "h" else z)
    if first == "left out":
        states = states[1:]
    if aliased:
        states = [states[-1]] * len(states)
    return np.stack(states, axis=0 if time_first else 1).astype(dtype)


def forward(case, **change):
    """The states and what `with_precision` finds in them."""
    return with_precision(case, {"states": all_states(case, **change)})


def with_precision(case, arrays):
    """The states, and to how many digits those that are right (h0 if nothing else) are: 16, 7 or none."""
    states, right = arrays["states"], all_states(case)
    gap = np.abs(states - right) if states.shape == right.shape else np.full(1, np.inf)
    near, exact = (gap < 1e-5).sum(), (gap < 1e-10).sum()
    return {"states": states, "digits": 16 if exact > 0.6 * near else 7 if near else 0}


_wrong = partial(mistake, forward)
FORWARD = Exercise(
    id="bptt.forward_cache",
    title="Forward pass that keeps what backward needs",
    cases=forward_cases,
    reference=forward,
    derive=with_precision,
    aspects=(
        Aspect("shape", 1, on=("*/states",), shape_only=True, ask="T + 1 states: h0 and one for every step."),
        Aspect("one step", 1, on=("one step/states",), ask="Work out states[:, 1] by hand."),
        Aspect("sequence", 1, on=("*sequence/states",), ask="Which state does step 2 start from?"),
        Aspect("float64", 1, on=("*/digits",), ask="Are your states right to 16 digits? Look at their dtype."),
    ),
    misconceptions=(
        _wrong("state not carried", "Every step starts from h0 again: step t must start from the state "
               "that step t − 1 made.", carry=False),
        _wrong("h0 ignored", "You start from zeros: the first step must start from h0, and states[:, 0] "
               "keeps it.", start="zeros"),
        _wrong("h0 used but not kept", "You compute with h0, but states[:, 0] stays zero: the backward "
               "pass through the first step needs h0 there.", first="zeros"),
        _wrong("h0 left out of the states", "You keep T states. Keep T + 1, h0 in front: the step t of "
               "the backward pass needs the state before it too.", first="left out"),
        _wrong("bias left out", "The bias b is never added.", bias=0),
        _wrong("U transposed", "h @ U.T: with row vectors the state stands on the left of U as it is, h @ "
               "U.", transpose=True),
        _wrong("pre-activation kept", "You keep z, what goes into tanh. Keep h, what comes out: h_t is "
               "what step t + 1 reads, and tanh′(z) = 1 − h² needs only h.", keep="z"),
        _wrong("sigmoid in place of tanh", "The activation here is tanh, not the sigmoid.", squash=sigmoid),
        _wrong("a tanh for each part", "tanh(a) + tanh(b) is not tanh(a + b): add the two parts and the "
               "bias first, then apply one tanh.", one_tanh=False),
        _wrong("time axis first", "Your states are (T + 1, B, u). Stack them along axis 1: arrays are "
               "(batch, time, features).", time_first=True),
        _wrong("float32", "Your states are right to seven digits only, so rounding is as large as the differences a "
               "gradient check looks at: compute in float64 and keep it, the dtype of x.", dtype=np.float32),
        _wrong("one array for all steps", "All your states are the last one: the list holds the same array again and "
               "again, and each step writes into it. Append a new array, or fill states[:, t + 1].", aliased=True),
        _wrong("bias outside the tanh", "The bias is added after the tanh: it belongs inside, to what goes into it.",
               bias_outside=True),
        _wrong("bias added twice", "The bias is in both parts: add the two products, and b once.", bias=2),
    ),
    forbids=("keras.layers.SimpleRNN", "forward", "unrolled.lessons.bptt.forward"),
)


# bptt.step_backward -----------------------------------------------------------------------------------

def step_cases(rng):
    def case(about, B=None):
        drawn = dimensions(rng)
        B, D, u = B or drawn[0], *drawn[2:]
        w = weights(rng, D, u)
        x, h_prev = rng.normal(size=(B, D)), rng.uniform(-0.8, 0.8, (B, u))
        h = np.tanh(x @ w["W"] + h_prev @ w["U"] + w["b"])
        h[:, 0] = 0  # where the slope is exactly 1
        dh = rng.normal(size=(B, u))
        return Case({"dh": dh, "x": x, "h_prev": h_prev, "h": h, "W": w["W"], "U": w["U"]},
                    about=f"{told(B=B, D=D, u=u)}, {about}")
    return {"batch": case("random gradient from above"), "one example": case("a batch of one", B=1)}


def step_back(case, slope="h", W_transposed=True, U_transposed=True, dU_from="h_prev", average=False,
              below="dz", flipped=None, bias="sum"):
    dh, x, h_prev, h, W, U = (case[k] for k in ("dh", "x", "h_prev", "h", "W", "U"))
    dz = dh * {"h": 1 - h**2, "h_prev": 1 - h_prev**2, "tanh(h)": 1 - np.tanh(h)**2, "none": 1.0,
               "sigmoid": h * (1 - h), "1 - h": 1 - h}[slope]
    if not W_transposed:
        return no_such_product(dz, W)
    down = dz if below == "dz" else dh
    dW, dU, db = x.T @ dz, (h_prev if dU_from == "h_prev" else h).T @ dz, dz.sum(axis=0)
    if average:
        dW, dU, db = dW / len(x), dU / len(x), db / len(x)
    return {"dx": down @ W.T, "dh_prev": down @ (U.T if U_transposed else U),
            "dW": dW.T if flipped == "both" else dW, "dU": dU.T if flipped else dU,
            "db": {"sum": db, "each": dz, "mean": dz.mean(axis=0), "before": dh.sum(axis=0)}[bias]}


_wrong = partial(mistake, step_back)
STEP = Exercise(
    id="bptt.step_backward",
    title="Back through one step",
    cases=step_cases,
    reference=step_back,
    aspects=(
        Aspect("shape", 1, shape_only=True, ask="A gradient has the shape of what it is the gradient of."),
        Aspect("to input and state", 2, on=("*/dx", "*/dh_prev"), ask="Which matrix brought x into z, and "
               "how do you go back through it?"),
        Aspect("to the weights", 2, on=("*/dW", "*/dU"), ask="The same weights served every row of the "
               "batch: what happens to their gradients?"),
        Aspect("to the bias", 1, on=("*/db",)),
    ),
    misconceptions=(
        _wrong("tanh′ of the previous state", "tanh′ was taken at h_prev: the tanh of this step made h, "
               "so its slope is 1 − h².", slope="h_prev"),
        _wrong("tanh applied twice", "1 − tanh(h)² applies tanh a second time: h is already tanh(z), so "
               "the slope is 1 − h².", slope="tanh(h)"),
        _wrong("tanh′ left out", "The gradient passes the tanh unchanged: multiply dh by the slope 1 − h² "
               "before it goes anywhere else.", slope="none"),
        _wrong("the sigmoid's slope", "h (1 − h) is the slope of the sigmoid; that of tanh is 1 − h².",
               slope="sigmoid"),
        _wrong("square forgotten", "1 − h is not the slope of tanh: h must be squared, 1 − h².",
               slope="1 - h"),
        _wrong("W not transposed", "dz @ W does not fit: z was x @ W, so on the way back W is transposed, "
               "dz @ W.T.", W_transposed=False),
        _wrong("U not transposed", "dz @ U fits only because U is square: on the way back it is "
               "transposed, dz @ U.T.", U_transposed=False),
        _wrong("h_t for h_{t-1}", "dU was made with h. U multiplied the state *before* the step, so dU = "
               "h_prev.T @ dz.", dU_from="h"),
        _wrong("averaged over the batch", "You divide by B: the loss already decides how examples are "
               "weighted, a backward pass only adds them up.", average=True),
        _wrong("bias gradient not summed", "db has a row for each example: the one bias served them all, "
               "so its gradient is the sum over the batch.", bias="each"),
        _wrong("bias gradient averaged", "db is the mean over the batch: like dW and dU it is the sum, for the "
               "one bias served every row.", bias="mean"),
        _wrong("bias gradient without the slope", "db was made from dh: the bias too lies below the tanh, so it is the "
               "sum of dz = dh · (1 − h²).", bias="before"),
        _wrong("slope missing on the way down", "dx and dh_prev were made from dh; they too lie below the "
               "tanh, so use dz = dh · (1 − h²) for them.", below="dh"),
        _wrong("weight gradients transposed", "dz.T @ x has the shape of W.T: the gradient of W is x.T @ "
               "dz, and likewise h_prev.T @ dz for U.", flipped="both"),
        _wrong("dU transposed", "dz.T @ h_prev is the transpose of dU, and fits only because U is square: "
               "as in dW, what came in stands on the left, h_prev.T @ dz.", flipped="U"),
    ),
    forbids=("tensorflow.GradientTape", "tf.GradientTape", "step_back", "backprop",
             "unrolled.lessons.bptt.step_back", "unrolled.lessons.bptt.backprop"),
)


# bptt.through_time ------------------------------------------------------------------------------------

def through_cases(rng):
    def case(about, B=None, T=None, last_only=False):
        drawn = dimensions(rng)
        B, T, D, u = B or drawn[0], T or drawn[1], *drawn[2:]
        w = weights(rng, D, u)
        x, dh = rng.normal(size=(B, T, D)), rng.normal(size=(B, T, u))
        if last_only:
            dh[:, :-1] = 0
        given = Case({"x": x, "h0": rng.uniform(-0.8, 0.8, (B, u)), **w})
        return Case({"dh": dh, "x": x, "states": all_states(given), "W": w["W"], "U": w["U"]},
                    about=f"{told(B=B, T=T, D=D, u=u)}, {about}")
    return {
        "every step": case("a loss at every step"),
        "last step": case("a batch of one, a loss at the last step only", B=1, last_only=True),
        "one step": case("a sequence of a single step", T=1),
    }


def through(case, add=True, carry="replace", own="every", divide=1, order="back", dU_from="h_prev", slope="h",
            dx_order="time", start="h0", transpose=True, flipped=False):
    dh, x, states, W, U = (case[k] for k in ("dh", "x", "states", "W", "U"))
    B, T, _ = x.shape
    dx, dW, dU, db = np.zeros(x.shape), np.zeros(W.shape), np.zeros(U.shape), np.zeros(U.shape[0])
    carried = np.zeros_like(states[:, 0])
    steps = range(T) if order == "forward" else range(T - 1, -1, -1)
    for n, t in enumerate(steps):
        h_prev, h = states[:, t], states[:, t + 1]
        total = dh[:, t] + carried if own == "every" else (dh[:, t] if n == 0 else carried)
        dz = total * (1 - (h if slope == "h" else h_prev) ** 2)
        down = dz @ (U.T if transpose else U)
        carried = {"replace": down, "pile up": carried + down, "none": np.zeros_like(down)}[carry]
        dx[:, t if dx_order == "time" else n] = dz @ W.T
        new = x[:, t].T @ dz, (h_prev if dU_from == "h_prev" else h).T @ dz, dz.sum(axis=0)
        dW, dU, db = (old + n for old, n in zip((dW, dU, db), new, strict=True)) if add else new
    n = {"T": T, "B": B}.get(divide, 1)
    return {"dx": dx, "dh0": down if start == "h0" else total, "dW": dW / n,
            "dU": (dU.T if flipped else dU) / n, "db": db / n}


_wrong = partial(mistake, through)
THROUGH = Exercise(
    id="bptt.through_time",
    title="Back through the whole sequence",
    cases=through_cases,
    reference=through,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("one step", 1, on=("one step/*",), ask="Compare with your step_backward."),
        Aspect("to inputs and h0", 3, on=("every step/dx", "every step/dh0", "last step/dx", "last step/dh0"),
               ask="Two gradients meet at h_t: the loss's own, and the one carried back from step t + 1."),
        Aspect("to the weights", 3, on=("every step/d[WUb]", "last step/d[WUb]"),
               ask="The same W, U and b served every step."),
    ),
    misconceptions=(
        _wrong("= for +=", "The weight gradients are overwritten at every step, so only step 0 counts: W, "
               "U and b serve all steps, and their gradients add up (+=).", add=False),
        _wrong("gradient not carried", "Each step sees only the loss's own gradient dh[:, t]; add the one "
               "that comes back from step t + 1. Without it there is no backpropagation through *time*.",
               carry="none"),
        _wrong("only the last step's loss", "dh counts at the last step only. The loss may look at every "
               "h_t: at each step add dh[:, t] to the gradient carried back.", own="last"),
        _wrong("carried gradient piles up", "The carried gradient is added to the one before (+=). It "
               "must be replaced at every step: what passed through step t is already in it.",
               carry="pile up"),
        _wrong("averaged over time", "You divide by T: gradients of shared weights add up over the steps; "
               "any averaging belongs to the loss.", divide="T"),
        _wrong("averaged over the batch", "You divide by B: the loss already decides how examples are "
               "weighted, a backward pass only adds them up.", divide="B"),
        _wrong("walks forward in time", "The loop runs from t = 0 up. The gradient of h_t needs what "
               "comes back from h_{t+1}, so start at the last step.", order="forward"),
        _wrong("h_t for h_{t-1}", "dU was made with the state *after* the step; U multiplied the one "
               "before it, states[:, t].", dU_from="h"),
        _wrong("tanh′ of the previous state", "The slope was taken at states[:, t]. Step t made states[:, "
               "t + 1]: h0 in front shifts every index by one.", slope="h_prev"),
        _wrong("dx in reversed order", "dx is in the order you computed it, last step first: write it to "
               "dx[:, t].", dx_order="computed"),
        _wrong("dh0 one step short", "dh0 is the gradient that arrives at h_1. Take it back through the "
               "first step too, to h_0.", start="h1"),
        _wrong("U not transposed", "dz @ U fits only because U is square: on the way back it is "
               "transposed, dz @ U.T.", transpose=False),
        _wrong("dU transposed", "dz.T @ h_prev is the transpose of dU, and fits only because U is square: "
               "as in dW, what came in stands on the left, h_prev.T @ dz.", flipped=True),
    ),
    forbids=("tensorflow.GradientTape", "tf.GradientTape", "backprop", "unrolled.lessons.bptt.backprop"),
)


# bptt.gradcheck ---------------------------------------------------------------------------------------

def gradcheck_cases(rng):
    def case(shape, eps, about, flat=False):
        a, b, c = (rng.uniform(0.3, 1, shape) * rng.choice([-1, 1], shape) for _ in range(3))
        w, d = rng.uniform(-1, 1, shape), rng.uniform(0.2, 0.4)
        if flat:
            a, b, c, d = a * 0, b * 0, c * 0, 0.0
        claimed = a + 2 * b * w + 3 * c * w**2 + 2 * d * w.sum()
        bent = rng.random(shape) < 0.5
        bent.flat[[0, -1]] = True, False  # so that the claim points in another direction, not only farther
        claimed = claimed * np.where(bent, -0.6, 1.0) + 0.2 * (not flat)
        return Case({"w": w, "a": a, "b": b, "c": c, "d": d, "grad": claimed, "eps": eps},
                    about=f"{about}: w of shape {tuple(shape)}, eps = {eps:g}")
    eps = round(float(rng.uniform(0.2, 0.4)), 3)
    return {
        "matrix": case(sizes(rng, 2, 2, 6), eps, "a loss with curvature, a large nudge"),
        "vector": case(sizes(rng, 1, 2, 9), 1e-4, "a vector of weights"),
        "flat": case(sizes(rng, 3, 1, 7), 1e-3, "a loss that does not depend on w, so both gradients are zero",
                     flat=True),
    }


def gradcheck(case, difference="central", per="2 eps", restore=True, one_at_a_time=True, eps=None, rows=False,
              sign=1, error="relative", guard=True, raises=False):
    w, grad = case["w"].copy(), case["grad"]
    eps = float(case["eps"]) if eps is None else eps
    a, b, c, d = (case[k] for k in "abcd")

    def loss(v):
        return (a * v + b * v**2 + c * v**3).sum() + d * v.sum() ** 2

    numeric = np.zeros_like(w)
    places = range(len(w)) if rows else np.ndindex(w.shape)
    for i in places:
        step = np.zeros_like(w)
        step[i if one_at_a_time else ...] = eps
        up, down = loss(w + step), loss(w - step) if difference == "central" else loss(w)
        width = 2 * eps if difference == "central" and per == "2 eps" else eps
        numeric[i] = sign * (up - down) / width
        if not restore:
            w = w - step
    gap, size = np.linalg.norm(grad - numeric), np.linalg.norm(grad) + np.linalg.norm(numeric)
    if error == "by one":
        size = np.linalg.norm(grad)
    elif error == "entries":
        gap, size = np.abs(grad - numeric).sum(), np.abs(grad + numeric).sum()
    elif error == "of the norms":
        gap = abs(np.linalg.norm(grad) - np.linalg.norm(numeric))
    elif error == "norm of the sum":
        size = np.linalg.norm(grad + numeric)
    elif error == "largest entry":
        gap, size = np.abs(grad - numeric).max(), np.abs(grad).max() + np.abs(numeric).max()
    if size == 0 and raises:
        return Raises("ZeroDivisionError")
    relative = gap if error == "absolute" else gap / size if size > 0 else 0.0 if guard else np.nan
    after = {} if case.name == "flat" else {"w_after": w}  # there any w gives the same numbers
    return {"numeric": numeric, "error": relative} | after


_wrong = partial(mistake, gradcheck)
GRADCHECK = Exercise(
    id="bptt.gradcheck",
    title="Gradient check by central differences",
    cases=gradcheck_cases,
    reference=gradcheck,
    may_change=("w",),  # while it is at work; what is left of that is an aspect of its own
    aspects=(
        Aspect("numeric gradient", 2, on=("matrix/numeric", "vector/numeric"),
               ask="Work out (loss(w + eps) − loss(w − eps)) / (2 eps) for one weight."),
        Aspect("relative error", 1, on=("matrix/error", "vector/error"),
               ask="Three norms: of the difference, divided by those of both gradients added."),
        Aspect("zero against zero", 1, on=("flat/*",), ask="Both norms are 0 here; the error should "
               "be 0."),
        Aspect("w as it was", 1, on=("*/w_after",), ask="Is w the same after your function as before?"),
    ),
    misconceptions=(
        _wrong("forward difference", "(loss(w + eps) − loss(w)) / eps is the one-sided difference, wrong "
               "by a multiple of eps; the central one is wrong only by eps².", difference="forward"),
        _wrong("divided by eps", "The two points are 2 eps apart: divide by 2 eps, not by eps.", per="eps"),
        _wrong("w not put back", "Each weight stays shifted after its turn, so later ones are measured at "
               "another point and the caller's w has changed: put the old value back.", restore=False),
        _wrong("all weights at once", "You shift all weights together: that gives one slope along the "
               "diagonal, not a gradient. Shift one weight at a time.", one_at_a_time=False),
        _wrong("eps fixed", "The eps that was passed is not used; a fixed 1e-5 took its place.", eps=1e-5),
        _wrong("a row at a time", "w[i] of a matrix is a whole row: loop over every index, for example "
               "with np.ndindex(w.shape).", rows=True),
        _wrong("sign flipped", "loss(w − eps) − loss(w + eps) has the opposite sign: the gradient points "
               "uphill.", sign=-1),
        _wrong("absolute error", "‖grad − numeric‖ alone says nothing: 0.001 is superb for gradients of "
               "size 1000 and hopeless for 0.001. Divide by ‖grad‖ + ‖numeric‖.", error="absolute"),
        _wrong("divided by one norm only", "You divide by ‖grad‖ alone, so a gradient that is wrongly "
               "zero divides by zero; divide by ‖grad‖ + ‖numeric‖.", error="by one"),
        _wrong("difference of the norms", "‖grad‖ − ‖numeric‖ compares lengths only: two gradients in "
               "different directions would pass. Subtract first, then take the norm.", error="of the norms"),
        _wrong("norm of the sum", "You divide by ‖grad + numeric‖, which is tiny when the two point in opposite "
               "directions; take both norms first, then add: ‖grad‖ + ‖numeric‖.", error="norm of the sum"),
        _wrong("largest entries compared", "You compare the largest entries: the error asked for is made of norms, "
               "which every entry takes part in.", error="largest entry"),
        *(_wrong("0 / 0", "If both gradients are zero they agree, but you divide 0 by 0: return 0 then, or "
                 "add a tiny number below.", **how)  # NumPy's numbers give nan, Python's own raise
          for how in ({"guard": False}, {"raises": True})),
    ),
    forbids=("tensorflow.GradientTape", "tf.GradientTape", "np.gradient", "numpy.gradient"),
)


# bptt.clip_global_norm --------------------------------------------------------------------------------

def clip_cases(rng):
    def case(share, count, about):
        shapes = [sizes(rng, axes, 2, 6) for axes in rng.permutation([2, 2, 1, 1])[:count]]
        grads = [rng.normal(size=shape) for shape in shapes]
        grads = [g * rng.uniform(0.7, 1) / np.linalg.norm(g) for g in grads]  # no tensor is nearly all of it
        max_norm = round(float(rng.uniform(1.5, 6)), 2)
        norm = share * max_norm
        size = np.sqrt(sum((g**2).sum() for g in grads))
        return Case({f"g{i}": g * norm / size for i, g in enumerate(grads)} | {"max_norm": max_norm},
                    about=f"{count} gradient{'s' * (count > 1)} with joint norm {norm:.3g}, max_norm = {max_norm:g}: "
                          f"{about}")
    counts = [int(n) for n in rng.permutation([2, 3, 4])]
    return {"large": case(9.0, counts[0], "far too long"),
            "slightly large": case(1.1, counts[1], "each tensor by itself is short enough"),
            "small": case(0.9, counts[2], "just short enough"),
            "very small": case(0.2, counts[0], "short enough"),
            "zero": case(0.0, 1, "all zero")}


def clip(case, how="global", always=False, norm_is="root of squares", report="before", scale="right", zero="nan"):
    grads, c = [case[name] for name in sorted(case) if name.startswith("g")], float(case["max_norm"])
    each = [np.linalg.norm(g) for g in grads]
    squares = sum(n**2 for n in each)
    norm = {"root of squares": np.sqrt(squares), "sum": sum(each), "squared": squares,
            "largest": max(each), "absolute": sum(np.abs(g).sum() for g in grads),
            "mean": np.sqrt(squares / sum(g.size for g in grads))}[norm_is]
    if norm == 0 and zero == "raises":
        return Raises("ZeroDivisionError")
    if how == "value":
        clipped = [np.clip(g, -c, c) for g in grads]
    elif how == "each":
        clipped = [g * min(1.0, c / n) if n else g for g, n in zip(grads, each, strict=True)]
    elif how == "never":
        clipped = grads
    elif always and norm == 0:
        clipped = [np.full_like(g, np.nan) for g in grads]  # 0 / 0
    else:
        factor = c / norm if norm > c or always else 1.0
        clipped = [g * (factor if scale == "right" else factor / c if scale == "to one" else 1 / factor)
                   if norm > c or always else g for g in grads]
    if report == "after":
        norm = np.sqrt(sum((g**2).sum() for g in clipped))
    return {f"g{i}": g for i, g in enumerate(clipped)} | {"norm": norm}


_wrong = partial(mistake, clip)
CLIP = Exercise(
    id="bptt.clip_global_norm",
    title="Clipping by the global norm",
    cases=clip_cases,
    reference=clip,
    aspects=(
        Aspect("long gradients", 2, on=("*large/g*",),
               ask="Is the direction the same as before, and the joint norm equal to max_norm?"),
        Aspect("short gradients", 1, on=("*small/g*",), ask="What happens to gradients that are short enough?"),
        Aspect("norm", 1, on=("*large/norm", "*small/norm"), ask="One number: the length of all gradients laid end to "
               "end."),
        Aspect("all zero", 1, on=("zero/*",), ask="What does your code divide by when every gradient is 0?"),
    ),
    misconceptions=(
        *(_wrong("always rescaled", "Short gradients are stretched to max_norm as well: clipping changes "
                 "only those that are longer.", always=True, zero=zero) for zero in ("nan", "raises")),
        _wrong("never clipped", "Your gradients come back as long as they were: compare the joint norm with max_norm, "
               "and scale all of them by max_norm / norm where it is larger.", how="never"),
        _wrong("scaled to length 1", "Long gradients come back with norm 1: they should have length max_norm, so the "
               "factor is max_norm / norm.", scale="to one"),
        _wrong("each tensor by its own norm", "Every tensor is clipped by its own norm (clipnorm in "
               "Keras), which turns the joint direction: use one norm over all and one factor for all.",
               how="each"),
        _wrong("clipped by value", "You clip entry by entry (clipvalue in Keras): that changes the "
               "direction, and it is not the norm that is limited.", how="value"),
        _wrong("sum of the norms", "Norms do not add up: the global norm is the root of the sum of their "
               "*squares*.", norm_is="sum"),
        _wrong("sum of the absolute values", "That is the L1 norm, the sum of absolute values. Asked for is the length "
               "of the whole: the root of the sum of squares.", norm_is="absolute"),
        _wrong("square root forgotten", "That is the squared norm: take the root of the sum of squares.",
               norm_is="squared"),
        _wrong("largest of the norms", "You compare the longest single tensor with max_norm; the global "
               "norm is the root of the sum of all squares.", norm_is="largest"),
        _wrong("mean instead of sum", "The mean of the squares shrinks with the number of weights: the "
               "norm takes their sum.", norm_is="mean"),
        _wrong("norm after clipping", "You return the norm of the clipped gradients; the one before "
               "clipping is what you want to plot, it tells you how often clipping acts.", report="after"),
        _wrong("factor upside down", "norm / max_norm makes long gradients longer: the factor is max_norm "
               "/ norm.", scale="upside down"),
        _wrong("division by a zero norm", "All gradients zero make the norm 0, and max_norm / 0 stops: "
               "divide only when the norm is larger than max_norm.", zero="raises"),
    ),
    forbids=("tf.clip_by_global_norm", "tensorflow.clip_by_global_norm"),
)


# bptt.truncated ---------------------------------------------------------------------------------------

def truncated_cases(rng):
    def case(T, k, about, B=None):
        B, _, D, u = (B, *dimensions(rng)[1:]) if B else dimensions(rng)
        return Case({"x": rng.normal(size=(B, T, D)), "y": rng.uniform(-0.9, 0.9, (B, T, u)),
                     "h0": rng.uniform(-0.8, 0.8, (B, u)), **weights(rng, D, u), "k": k},
                    about=f"{told(B=B, T=T, D=D, u=u)}, k = {k}, {about}")
    k, T = int(rng.integers(3, 6)), int(rng.integers(4, 9))
    rest = int(rng.integers(1, k))
    return {"chunks": case(2 * k + rest, k, f"chunks of {k}, {k} and {rest} steps"),
            "single steps": case(int(rng.integers(3, 6)), 1, "a batch of one, every step is a chunk", B=1),
            "whole": case(T, T + int(rng.integers(0, 5)), "k is not shorter than the sequence, so this is full BPTT"),
            "one step": case(1, k, "a sequence of a single step")}


def truncated(case, state="carried", cut=True, rest=True, add=True, average=False, window=False,
              loss="every", half=True):
    x, y, W, U, k = case["x"], case["y"], case["W"], case["U"], int(case["k"])
    T = x.shape[1]
    starts = [s for s in range(0, T, k) if rest or s + k <= T]
    h, total, n = case["h0"], {"dW": W * 0, "dU": U * 0, "db": U[0] * 0}, 0
    whole = all_states(case)
    if window or not cut:  # no chunks: the loss of step t reaches back k steps, or to the beginning
        for t in range(T):
            first = max(0, t + 1 - k) if window else 0
            dh = np.zeros_like(whole[:, first + 1:t + 2])
            dh[:, -1] = whole[:, t + 1] - y[:, t]
            back = through(dict(dh=dh, x=x[:, first:t + 1], states=whole[:, first:t + 2], W=W, U=U))
            total = {key: total[key] + back[key] for key in total}
        return total
    for s in starts:
        piece = x[:, s:s + k]
        states = all_states(case | {"x": piece, "h0": h})
        dh = (states[:, 1:] - y[:, s:s + k]) * (1 if half else 2)
        if loss == "last":
            dh[:, :-1] = 0
        back = through(dict(dh=dh, x=piece, states=states, W=W, U=U))
        total = {key: (total[key] if add else 0) + back[key] for key in total}
        h = {"carried": states[:, -1], "zeros": h * 0, "h0": case["h0"], "old": states[:, -2]}[state]
        n += 1
    return {key: value / (n if average else 1) for key, value in total.items()}


_wrong = partial(mistake, truncated)
TRUNCATED = Exercise(
    id="bptt.truncated",
    title="Truncated backpropagation through time",
    cases=truncated_cases,
    reference=truncated,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("chunks", 3, on=("chunks/*",), ask="What passes from one chunk to the next, and what does "
               "not?"),
        Aspect("chunks of one step", 1, on=("single steps/*",)),
        Aspect("one chunk is full BPTT", 1, on=("whole/*", "one step/*")),
    ),
    misconceptions=(
        _wrong("forward state cut too", "Every chunk starts from zeros. Truncation cuts the *gradient* "
               "only: the state itself goes on from chunk to chunk.", state="zeros"),
        _wrong("every chunk starts from h0", "Every chunk starts from h0 again: a chunk must start from "
               "the last state of the chunk before.", state="h0"),
        _wrong("state one step too old", "The state you carry on is the one before last; with h0 in "
               "front, the last one is states[:, -1].", state="old"),
        _wrong("not truncated", "This is full BPTT: the gradient still flows across the borders. Go back "
               "inside each chunk separately.", cut=False),
        _wrong("sliding window", "Here every step's loss reaches back k steps whatever the borders (a "
               "costlier variant). With chunks, the gradient stops at the border of the chunk.",
               window=True),
        _wrong("last chunk dropped", "If k does not divide T, the steps after the last full chunk are "
               "lost: the last chunk may be shorter.", rest=False),
        _wrong("= for +=", "Only the last chunk's gradients are returned: the chunks' gradients add up "
               "(+=).", add=False),
        _wrong("averaged over the chunks", "You divide by the number of chunks: the loss is a sum over "
               "steps, so the chunks' gradients add up.", average=True),
        _wrong("loss at the end of a chunk only", "Only the last step of each chunk counts, but the loss "
               "looks at every step: dh = h − y for all of them.", loss="last"),
        _wrong("the factor ½ overlooked", "2 (h − y) is the gradient of Σ (h − y)²; this loss has ½ in "
               "front, and the two cancel: dh = h − y.", half=False),
    ),
    forbids=("tensorflow.GradientTape", "tf.GradientTape"),
)


# bptt.orthogonal_init ---------------------------------------------------------------------------------

def orthogonal_cases(rng):
    def case(u, gain):
        draws = int(rng.integers(110, 140))
        return Case({"u": u, "gain": gain, "seed": rng.integers(1 << 30), "draws": draws},
                    about=f"u = {u}, gain = {gain:g}, and {draws} draws from one rng")
    even, odd = int(rng.choice([4, 6])), int(rng.choice([3, 5, 7]))  # signs of determinants tell other mistakes apart
    return {"gain 1": case(even, 1.0), "other gain": case(odd, round(float(rng.uniform(1.3, 2.5)), 2))}


def orthogonal(case, length="gain", perpendicular=True, radius=True, triangular=False, repeats=True,
               varies=True, both_signs=True, below=True, turns=True, centred=True):
    """What holds for every random orthogonal matrix; each keyword is a way to get it wrong."""
    gain = float(case["gain"])
    length = {"gain": gain, "one": 1.0, "squared": gain**2, "none": -1.0}[length]
    return {"perpendicular": perpendicular, "triangular": triangular, "symmetric": False, "length": length,
            "radius is gain": radius and length in (gain, -1.0),
            "repeats": repeats, "varies": varies, "both signs": both_signs, "both signs below": below,
            "both orientations": turns, "centred": centred}


def facts(case, arrays):
    """What holds of the matrices that came back: Q, the same call again, and many draws from one generator.

    A length of -1 means that the columns have no common one.
    """
    u, n = int(case["u"]), int(case["draws"])
    Q, again, many = (arrays[name] for name in ("Q", "again", "many"))
    for matrix, shape in ((Q, (u, u)), (again, (u, u)), (many, (n, u, u))):
        if matrix.shape != shape:
            raise ValueError(f"orthogonal(rng, {u}, gain) should return shape ({u}, {u}); "
                             f"yours has {matrix.shape[len(shape) - 2:]}")
    lengths = np.linalg.norm(Q, axis=0)
    directions = Q / np.maximum(lengths, 1e-12)

    def fair(positive):
        return 0.15 < positive.mean() < 0.85  # more than five standard deviations to either side

    return {
        "perpendicular": np.abs(directions.T @ directions - np.eye(u)).max() < 1e-5,
        "triangular": np.abs(np.tril(Q, -1)).max() < 1e-9,
        "symmetric": np.abs(many - many.transpose(0, 2, 1)).max() < 1e-9,
        "length": lengths.mean() if np.ptp(lengths) < 1e-5 * lengths.mean() else -1.0,
        "radius is gain": abs(np.abs(np.linalg.eigvals(Q)).max() - float(case["gain"])) < 1e-5,
        "repeats": np.array_equal(Q, again),
        "varies": np.ptp(many, axis=0).max() > 1e-3,
        "both signs": fair(many[:, 0, 0] > 0),
        "both signs below": fair(many[:, 1, 0] > 0),
        "both orientations": fair(np.linalg.det(many) > 0),
        "centred": (np.abs(many.mean(axis=0)) <= 6 * many.std(axis=0) / np.sqrt(n)).all(),
    }


_wrong = partial(mistake, orthogonal)
ORTHOGONAL = Exercise(
    id="bptt.orthogonal_init",
    title="A random orthogonal matrix",
    cases=orthogonal_cases,
    reference=orthogonal,
    derive=facts,
    aspects=(
        Aspect("orthogonal", 2, on=("*/perpendicular", "*/triangular"),
               ask="Is Q.T @ Q a multiple of the identity?"),
        Aspect("gain", 1, on=("*/length", "*/radius is gain"), ask="How long is each column?"),
        Aspect("random", 1, on=("*/repeats", "*/varies"), ask="Do all random numbers come from rng?"),
        Aspect("no preferred direction", 1, on=("*/both *", "*/centred", "*/symmetric"), ask="Draw a "
               "hundred matrices: which signs does Q[0, 0] have? What is the mean of each entry, and of "
               "the determinant?"),
    ),
    misconceptions=(
        _wrong("Gaussian, not orthogonal", "A Gaussian matrix divided by √u keeps lengths only on "
               "average: some directions still grow and others vanish. Take the Q of its QR "
               "decomposition.", perpendicular=False, length="none", radius=False),
        _wrong("columns only normalised", "The columns have the right length but are not perpendicular to "
               "each other: normalising is not orthogonalising.", perpendicular=False, radius=False),
        _wrong("scaled to the spectral radius", "The largest eigenvalue is the gain, but all others are "
               "smaller, and lengths still change: spectral radius 1 is not orthogonality.",
               perpendicular=False, length="none"),
        _wrong("R in place of Q", "This is R, the triangular factor; the orthogonal one is Q, the first "
               "that np.linalg.qr returns.", perpendicular=False, length="none", radius=False,
               triangular=True, below=False),
        _wrong("gain ignored", "The gain is lost: multiply Q by it *after* the decomposition (before, QR "
               "puts it into R).", length="one"),
        _wrong("gain squared", "Q was multiplied by the gain twice: its columns should have length gain.",
               length="squared"),
        _wrong("signs of R not undone", "Q is orthogonal, but QR fixes the signs of R's diagonal, so some "
               "matrices never come up: multiply each column of Q by the sign of R's diagonal entry.",
               both_signs=False, turns=False, centred=False),
        _wrong("uniform, not normal", "Your random numbers are all positive, so Q's first column is too: "
               "the entries of A must be normal, rng.normal, for every direction to be equally likely.",
               both_signs=False, below=False,
               centred=False),
        _wrong("a generator of its own", "Random numbers come from a source other than rng, so the same "
               "seed does not give the same matrix: use rng.normal.", repeats=False),
        _wrong("always the same matrix", "Every call returns the same matrix: draw from the rng that was "
               "passed, not from a new one with a fixed seed, and no identity.", varies=False,
               both_signs=False, below=False, turns=False, centred=False),
        _wrong("rotations only", "Every matrix you draw has determinant +1: those are the rotations, half of all "
               "orthogonal matrices. Mirrored ones keep lengths too; undo the signs column by column.", turns=False),
    ),
    forbids=("keras.initializers.Orthogonal", "keras.initializers.OrthogonalInitializer"),
)

EXERCISES = [FORWARD, STEP, THROUGH, GRADCHECK, CLIP, TRUNCATED, ORTHOGONAL]
