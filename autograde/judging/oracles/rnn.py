"""Oracle of lesson 02: the recurrent cell (Elman 1990) and its four architectures.

Notation: ``x (B, T, D)``, ``h (B, u)``; ``W (D, u)`` acts on the input, ``U (u, u)`` on the state.

Long because a topic is read as one: cases, references, their wrong variants and what is said of each.
"""

from __future__ import annotations

import numpy as np

from autograde.judging.common import mistake, sigmoid, softmax, weights
from autograde.judging.exercise import Aspect, Case, Exercise, Raises

LESSON = "02_rnn"
# Given to students after the exercise that they would answer.
GIVEN_CELL = ("helpers.cell", "unrolled.lessons.rnn.cell")
GIVEN_DRAW = ("helpers.draw", "unrolled.lessons.rnn.draw")


# --- one step -------------------------------------------------------------------------------------

def step_cases(rng):
    B, D, u = 3, 5, 7
    about = f"B = {B}, D = {D} inputs, u = {u} units"
    def case(text, h):
        return Case({"x": rng.normal(size=(B, D)), "h": h} | weights(rng, D, u), about=f"{about}, {text}")
    return {
        "first": case("the first step, h = 0", np.zeros((B, u))),
        "later": case("a later step, random h", rng.uniform(-0.8, 0.8, (B, u))),
    }


def step(case, squash=np.tanh, inputs=True, recurrent=True, bias=1, bias_outside=False,
         transposed=False, separate=False, residual=False, state_outside=False):
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
    return {"h": new + h if residual else new}


STEP = Exercise(
    id="rnn.step",
    title="One step of the recurrent cell",
    cases=step_cases,
    reference=step,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("input and bias", 1, on=("first/*",),
               ask="With h = 0 only x @ W + b is left inside the tanh."),
        Aspect("state", 2, on=("later/*",),
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
    ),
    forbids=GIVEN_CELL,
)


# --- the concatenated form ------------------------------------------------------------------------

def concat_cases(rng):
    B, D, u = 3, 5, 7
    about = f"B = {B}, D = {D} inputs, u = {u} units"
    def case(text, h):
        return Case({"x": rng.normal(size=(B, D)), "h": h} | weights(rng, D, u), about=f"{about}, {text}")
    return {
        "first": case("the first step, h = 0", np.zeros((B, u))),
        "later": case("a later step, random h", rng.uniform(-0.8, 0.8, (B, u))),
    }


def concat_form(case, join_order="xh", step_order="xh", transposed=False, squash=np.tanh, bias=1,
                recurrent=True, diagonal=False):
    """V = [W; U] and tanh([x; h] V + b); each keyword is a way to get it wrong."""
    if transposed:
        return Raises("InvalidArgumentError", "Matrix size-incompatible")
    if diagonal:
        return Raises("InvalidArgumentError", "Incompatible shapes")
    blocks = {"x": case["W"], "h": case["U"]}
    V = np.concatenate([blocks[name] for name in join_order])
    parts = {"x": case["x"], "h": case["h"] if recurrent else np.zeros_like(case["h"])}
    z = np.concatenate([parts[name] for name in step_order], axis=-1) @ V
    return {"V": V, "h": squash(z + bias * case["b"])}


CONCAT = Exercise(
    id="rnn.concat_form",
    title="The same cell with one joined matrix",
    cases=concat_cases,
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
    B, T, D, u = 2, 5, 3, 7
    about = f"B = {B}, T = {T} steps, D = {D} inputs, u = {u} units"
    def case(text, h0):
        return Case({"x": rng.normal(size=(B, T, D)), "h0": h0} | weights(rng, D, u),
                    about=f"{about}, {text}")
    return {
        "zero": case("h0 = 0", np.zeros((B, u))),
        "random": case("a random initial state", rng.uniform(-0.8, 0.8, (B, u))),
    }


def unroll(case, carry=True, initial=True, emit="new", axis=1, reverse_in=False, reverse_out=False,
           same_input=False, skip=0, with_h0=False, last="new", over_batch=False):
    """All states h_1 … h_T and the last one; each keyword is a way to get it wrong."""
    if over_batch:
        return Raises("InvalidArgumentError", "Incompatible shapes")
    x, T = case["x"], case["x"].shape[1]
    h0 = case["h0"] if initial else np.zeros_like(case["h0"])
    h, states = h0, [h0] if with_h0 else []
    for t in list(range(skip, T))[::-1 if reverse_in else 1]:
        new = np.tanh(x[:, 0 if same_input else t] @ case["W"] + (h if carry else h0) @ case["U"] + case["b"])
        states.append(new if emit == "new" else h)
        h = new
    if reverse_out:
        states = states[::-1]
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
        mistake(unroll, "loops over the batch",
              "The loop runs over the batch axis: time is axis 1, so step t takes x[:, t].", over_batch=True),
    ),
)


# --- the layer ------------------------------------------------------------------------------------

def layer_cases(rng):
    B, T, D, u = 2, 5, 3, 7
    shared = f"B = {B}, T = {T}, D = {D}, u = {u}"
    mask = np.ones((B, T), bool)
    mask[0, 3:] = mask[1, 4:] = mask[0, 1] = False
    def case(use, about, **more):
        return Case({"use": use, "x": rng.normal(size=(B, T, D))} | weights(rng, D, u) | more,
                    about=f"{shared}, {about}")
    cases = [
        case("sequences", "return_sequences=True"),
        case("last", "return_sequences=False"),
        case("initial", "an initial_state", initial=rng.uniform(-0.8, 0.8, (B, u))),
        case("mask", "a mask: a gap in the first sequence, padding after both", mask=mask),
        case("stateful", "stateful=True, the same layer called twice"),
        case("config", "a second layer made from get_config()"),
    ]
    return {str(c["use"]): c for c in cases}


def layer(case, initial=True, mask="hold", carry=True, sequences=True, memory=True, config=True,
          weights_made=3, mask_passed=True, last=True):
    """What the probe collects from the layer; each keyword is a way to get it wrong."""
    if weights_made == 2:
        return Raises("ValueError", "2 trainable weights")
    if weights_made == 4 and case.name in ("stateful", "config"):
        return Raises("ValueError", "4 trainable weights")
    x, b = case["x"], case["b"]
    B, T, _ = x.shape
    zeros = np.zeros((B, b.size))
    start = case["initial"] if "initial" in case and initial else zeros
    valid = case["mask"] ^ (mask == "inverted") if "mask" in case else np.ones((B, T), bool)
    def run(h):
        start, states, shown = h, [], []
        for t in range(T):
            keep = valid[:, t, None]
            x_t = x[:, t] * keep if mask == "input" else x[:, t]
            new = np.tanh(x_t @ case["W"] + (h if carry else start) @ case["U"] + b)
            if mask in ("hold", "inverted", "zero output"):
                new = np.where(keep, new, h)
            elif mask == "zero state":
                new = new * keep
            h = new
            states.append(h)
            shown.append(h * keep if mask == "zero output" else h)
        return np.stack(shown, axis=1), h
    states, h = run(start)
    if case.name == "last":
        return {"y": h if last else states}
    if case.name == "stateful":
        again, h_again = run(h if memory else zeros)
        return {"first": states, "second": again} if sequences else {"first": h, "second": h_again}
    if not sequences:
        states = h
    if case.name == "config":
        return {"y": states if config else h, "units": b.size, "return_sequences": float(config),
                "stateful": 1.0}
    if case.name == "mask":
        return {"y": states, "passed on": float(mask_passed)}
    return {"y": states}


LAYER = Exercise(
    id="rnn.layer",
    title="A SimpleRNN layer",
    cases=layer_cases,
    reference=layer,
    aspects=(
        Aspect("states", 2, on=("sequences/*",),
               ask="Copy W, U and b into `unroll` and compare step by step."),
        Aspect("last state only", 1, on=("last/*",)),
        Aspect("initial state", 1, on=("initial/*",), ask="Where does `initial_state` enter the loop?"),
        Aspect("mask", 2, on=("mask/*",), ask="At a step that does not count, what should h be afterwards?"),
        Aspect("stateful", 1, on=("stateful/*",), ask="Where does the second call's first step start?"),
        Aspect("get_config round trip", 1, on=("config/*",),
               ask="Does get_config return all that __init__ took?"),
    ),
    misconceptions=(
        mistake(layer, "initial state ignored",
              "`initial_state` is accepted but not used: start the loop from it when it is given.",
              initial=False),
        mistake(layer, "mask ignored",
              "The mask changes nothing: at a step where it is False, h has to stay as it was.",
              mask="ignored"),
        mistake(layer, "mask multiplies the state",
              "You multiply h by the mask, so a masked step erases the memory; it must *keep* the state "
              "before it.", mask="zero state"),
        mistake(layer, "mask multiplies the input",
              "You set masked inputs to zero, but a step on zeros still changes h: keep the old state "
              "instead.", mask="input"),
        mistake(layer, "mask inverted",
              "The mask is read the wrong way round: in Keras True marks a step that counts.",
              mask="inverted"),
        mistake(layer, "outputs at masked steps set to zero",
              "The state is held, but the output at a masked step is zero; like Keras, repeat the last "
              "valid state.", mask="zero output"),
        mistake(layer, "mask not passed on",
              "Later layers lose the mask: set `self.supports_masking = True` in __init__.",
              mask_passed=False),
        mistake(layer, "state not carried",
              "Every step starts from the initial state again: hand the new h to the next step.",
              carry=False),
        mistake(layer, "always the last state",
              "`return_sequences=True` has to give all T states, (B, T, u).", sequences=False, config=True),
        mistake(layer, "always all states",
              "`return_sequences=False` has to give the last state only, (B, u).", last=False),
        mistake(layer, "stateful without memory",
              "With `stateful=True` the second call has to start where the first one ended: store h in a "
              "non-trainable weight.", memory=False),
        mistake(layer, "memory is trainable",
              "The stored state is a trainable weight, so the optimiser would change it: use "
              "`trainable=False`.", weights_made=4),
        mistake(layer, "no bias weight",
              "The layer has only W and U: `build` must add the bias b as well.", weights_made=2),
        mistake(layer, "return_sequences missing from get_config",
              "get_config leaves out `return_sequences`, so a loaded layer falls back to the default.",
              config=False),
    ),
    forbids=("keras.layers.SimpleRNN", "keras.layers.SimpleRNNCell", "keras.layers.RNN"),
)


# --- N to 1: the last valid state -----------------------------------------------------------------

def last_valid_cases(rng):
    B, T, u = 4, 7, 3
    lengths = rng.permutation([2, 3, 5, 6])  # all different, none full: every wrong index shows
    while lengths[0] == 6:  # or "the first one's step" and "the longest one's step" would look alike
        lengths = rng.permutation(lengths)
    right = np.arange(T) < lengths[:, None]
    def case(mask, about):
        return Case({"states": rng.normal(size=(B, T, u)), "mask": mask},
                    about=f"B = {B}, T = {T}, u = {u}, {about}")
    return {
        "right": case(right, f"valid lengths {lengths.tolist()}, padding at the end"),
        "left": case(right[:, ::-1].copy(), f"valid lengths {lengths.tolist()}, padding at the start"),
    }


def last_valid(case, pick="last valid"):
    """The state at each sequence's last valid step; `pick` is a way to get it wrong."""
    states, mask = case["states"], case["mask"]
    B, T, _ = states.shape
    lengths = mask.sum(axis=1)
    steps = np.arange(T)
    keep = mask[:, :, None]
    pooled = {
        "mean": lambda: (states * keep).sum(axis=1) / lengths[:, None],
        "mean of all": lambda: states.mean(axis=1),
        "max": lambda: np.where(keep, states, -np.inf).max(axis=1),
        "product": lambda: states[:, -1] * mask[:, -1:],
    }
    if pick in pooled:
        return {"y": pooled[pick]()}
    index = {
        "last valid": np.where(mask, steps, -1).max(axis=1),
        "last": np.full(B, T - 1),
        "length": lengths,
        "length - 1": lengths - 1,
        "first valid": mask.argmax(axis=1),
        "longest": np.full(B, np.where(mask, steps, -1).max()),
        "first sequence": np.full(B, np.where(mask, steps, -1).max(axis=1)[0]),
        "inverted": np.where(~mask, steps, -1).max(axis=1),
        "one too early": np.where(mask, steps, -1).max(axis=1) - 1,
    }[pick]
    return {"y": states[np.arange(B), index]}


LAST_VALID = Exercise(
    id="rnn.last_valid",
    title="The last valid state",
    cases=last_valid_cases,
    reference=last_valid,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("padding at the end", 2, on=("right/*",),
               ask="For the first sequence, which step is the last valid one?"),
        Aspect("padding at the start", 1, on=("left/*",),
               ask="With padding at the start, which step is the last valid one?"),
    ),
    misconceptions=(
        mistake(last_valid, "last padded step",
              "You take the last step, which for a padded sequence is padding: take each sequence's last "
              "*valid* step.", pick="last"),
        mistake(last_valid, "length as an index",
              "The number of valid steps is not the index of the last one: counting starts at 0, and "
              "padding may stand at the start.", pick="length"),
        mistake(last_valid, "length minus one as an index",
              "`length - 1` is right only if padding stands at the end: look for the last True in the "
              "mask instead.", pick="length - 1"),
        mistake(last_valid, "first valid step",
              "You take the *first* valid step (argmax of the mask finds the first True); look for the "
              "last.", pick="first valid"),
        mistake(last_valid, "one step too early",
              "Your step is one before the last valid one.", pick="one too early"),
        mistake(last_valid, "one step for the whole batch",
              "Every sequence gets the step where the longest one ends: the index is different in each "
              "row.", pick="longest"),
        mistake(last_valid, "the first sequence's step for all",
              "Every sequence gets the first one's step: the index is different in each row.",
              pick="first sequence"),
        mistake(last_valid, "mask inverted",
              "You look for the last False: in Keras True marks a step that counts.", pick="inverted"),
        mistake(last_valid, "mean over valid steps",
              "You average the valid states; asked for is the last one, which has read the whole "
              "sequence.", pick="mean"),
        mistake(last_valid, "mean over all steps",
              "You average over all steps, padding included; asked for is each sequence's last valid "
              "state.", pick="mean of all"),
        mistake(last_valid, "maximum over valid steps",
              "You take the maximum over time; asked for is the state at the last valid step.", pick="max"),
        mistake(last_valid, "last step times the mask",
              "Multiplying by the mask turns the padded last step into zeros; it does not find the last "
              "valid one.", pick="product"),
    ),
)


# --- N to N: the loss -----------------------------------------------------------------------------

def loss_cases(rng):
    B, T, V = 3, 7, 5
    lengths = rng.permutation([2, 4, 6])
    mask = np.arange(T) < lengths[:, None]
    def case(mask, about):
        targets = rng.integers(0, V, (B, T))
        targets[:, 0] = 0  # class 0 occurs among the valid targets: it does not mean padding
        targets[:, 1] = rng.integers(1, V, B)
        return Case({"targets": targets, "logits": rng.normal(size=(B, T, V)) * 1.5, "mask": mask},
                    about=f"B = {B}, T = {T}, V = {V} classes, {about}")
    return {
        "full": case(np.ones((B, T), bool), "no padding"),
        "padded": case(mask, f"valid lengths {lengths.tolist()}"),
    }


def many_to_many_loss(case, masked=True, divide="valid", twice=False, base=1.0, sign=-1, axis=-1,
                      inverted=False, by_value=False, likelihood=False):
    """Mean of −ln p(target) over valid positions; each keyword is a way to get it wrong."""
    targets, mask = case["targets"], case["mask"]
    p = softmax(case["logits"], axis=axis)
    if twice:
        p = softmax(p)
    chosen = np.take_along_axis(p, targets[..., None], axis=-1)[..., 0]
    losses = chosen if likelihood else sign * np.log(chosen) / base
    if inverted:
        mask = ~mask
    elif by_value:
        mask = targets != 0
    elif not masked:
        mask = np.ones_like(mask)
    total, B = (losses * mask).sum(), len(targets)
    if divide == "rows":
        return {"loss": ((losses * mask).sum(axis=1) / mask.sum(axis=1)).mean()}
    count = {"valid": mask.sum(), "all": mask.size, "batch": B, "one": 1}[divide]
    return {"loss": total / count if count else np.nan}


LOSS = Exercise(
    id="rnn.many_to_many_loss",
    title="A loss over valid positions",
    cases=loss_cases,
    reference=many_to_many_loss,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("without padding", 1, on=("full/*",),
               ask="For one position: −ln of the softmax at the target."),
        Aspect("with padding", 2, on=("padded/*",), ask="What do you divide by?"),
    ),
    misconceptions=(
        mistake(many_to_many_loss, "mask ignored",
              "Padded positions count in your loss: the model would be trained to predict padding.",
              masked=False),
        mistake(many_to_many_loss, "averaged over padding",
              "You zero the padded losses but still divide by all B · T positions: divide by the number "
              "of valid ones.", divide="all"),
        mistake(many_to_many_loss, "mean of the rows' means",
              "You average each sequence first, then the sequences: so a character in a short line weighs "
              "more than one in a long line.", divide="rows"),
        mistake(many_to_many_loss, "sum, not mean",
              "You return the sum; divide by the number of valid positions, or the loss grows with length "
              "and batch.", divide="one"),
        mistake(many_to_many_loss, "divided by the batch",
              "You divide by the number of sequences; divide by the number of valid positions.",
              divide="batch"),
        mistake(many_to_many_loss, "softmax twice",
              "Softmax is applied twice: the logits are turned into probabilities and these are then "
              "taken for logits.", twice=True),
        mistake(many_to_many_loss, "sign missing",
              "The minus is missing: ln p is negative, and the loss is −ln p.", sign=1),
        mistake(many_to_many_loss, "base 2",
              "You measure in bits (log base 2); asked for are nats (natural logarithm), as in Keras.",
              base=np.log(2)),
        mistake(many_to_many_loss, "softmax over time",
              "Softmax runs over the time axis; at each position it has to run over the classes, the last "
              "axis.", axis=1),
        mistake(many_to_many_loss, "mask inverted",
              "You average over the padding: in Keras True marks a position that counts.", inverted=True),
        mistake(many_to_many_loss, "class 0 taken for padding",
              "You drop all targets equal to 0; which positions count is what the mask says, and class 0 "
              "is a class.", by_value=True),
        mistake(many_to_many_loss, "probability, not its logarithm",
              "You average the probabilities of the targets; the cross-entropy averages −ln of them.",
              likelihood=True),
    ),
)


# --- 1 to N: feeding the output back --------------------------------------------------------------

def one_to_many_cases(rng):
    B, T, D, u, V = 3, 6, 5, 7, 11
    # Redrawn until greedy choices are clear and change over time, so that float32 cannot tip one over.
    for _ in range(500):
        case = Case({"h": rng.uniform(-0.9, 0.9, (B, u)), "start": rng.integers(V), "steps": T,
                     "E": rng.normal(size=(V, D)) * 1.5, "Wo": rng.normal(size=(u, V)) * 1.2,
                     "bo": rng.normal(size=V) * 0.3} | weights(rng, D, u),
                    about=f"B = {B}, {T} steps, D = {D}, u = {u}, V = {V} symbols")
        right = one_to_many(case)
        ordered = np.sort(right["logits"], axis=-1)
        clear = (ordered[..., -1] - ordered[..., -2]).min() > 0.02
        varied = all(len(set(row)) >= 3 for row in right["ids"]) and len(set(right["ids"][:, 0])) >= 2
        # Now and then a mistake leads to the same symbols by chance.
        mistakes = [one_to_many(case, **how) for how in ({"share": True}, {"carry": False}, {"initial": False})]
        if clear and varied and not any(np.array_equal(wrong["ids"], right["ids"]) for wrong in mistakes):
            return {"greedy": case}
    raise RuntimeError("no clear case in 500 draws")


def one_to_many(case, carry=True, initial=True, feed="choice", emit="choice", read="new", probabilities=False,
                share=False):
    """Logits and greedy choices, each choice fed back; each keyword is a way to get it wrong."""
    h0 = case["h"] if initial else np.zeros_like(case["h"])
    B, start = len(h0), int(case["start"])
    h, ids = h0, np.full(B, start)
    logits, chosen = [], []
    for _ in range(int(case["steps"])):
        if emit == "input":
            chosen.append(ids)
        new = np.tanh(case["E"][ids] @ case["W"] + (h if carry else h0) @ case["U"] + case["b"])
        z = (new if read == "new" else h) @ case["Wo"] + case["bo"]
        h = new
        logits.append(softmax(z) if probabilities else z)
        best = {"worst": z.argmin(axis=-1)}.get(emit, z.argmax(axis=-1))
        if emit != "input":
            chosen.append(best)
        ids = np.full(B, start) if feed == "start" else np.full(B, best[0]) if share else best
    return {"logits": np.stack(logits, axis=1), "ids": np.stack(chosen, axis=1)}


ONE_TO_MANY = Exercise(
    id="rnn.one_to_many",
    title="One vector in, a sequence out",
    cases=one_to_many_cases,
    reference=one_to_many,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("logits", 2, on=("*/logits",),
               ask="What does step 2 read, and which state does it start from?"),
        Aspect("symbols", 2, on=("*/ids",), ask="Symbol t is the argmax of the logits of step t."),
    ),
    misconceptions=(
        mistake(one_to_many, "state not carried",
              "Every step starts from the first state again: keep the new h for the next step.", carry=False),
        mistake(one_to_many, "first state ignored",
              "You start from zeros, so the one input has no influence: h, which was made from it, is the "
              "first state.", initial=False),
        mistake(one_to_many, "start symbol at every step",
              "Every step reads the start symbol: from the second step on, read the symbol that was just "
              "chosen.", feed="start"),
        mistake(one_to_many, "start symbol among the outputs",
              "Your symbols begin with the start symbol and are one step late: output what each step "
              "chooses, not what it reads.", emit="input"),
        mistake(one_to_many, "output from the old state",
              "The logits come from the state *before* the step: update h first, then read it out.",
              read="old"),
        mistake(one_to_many, "probabilities for logits",
              "You return probabilities (after softmax) where logits are asked for; the argmax is the "
              "same, the loss would not be.", probabilities=True),
        mistake(one_to_many, "one choice for the whole batch",
              "All sequences read the symbol the first one chose: take the argmax over the last axis, one "
              "a sequence.", share=True),
        mistake(one_to_many, "least likely symbol",
              "You choose the symbol with the smallest logit: greedy means the largest.", emit="worst"),
    ),
)


# --- sampling -------------------------------------------------------------------------------------

def sample_cases(rng):
    B, V = 13, 7
    cases = {}
    for name, temperature in (("cool", 0.5), ("warm", 2.0)):
        logits = rng.normal(size=(B, V)) * 1.3
        p = softmax(logits / temperature)
        # r lies well inside the interval of the symbol it selects: rounding cannot move it across an edge.
        ids = np.array([rng.choice(V, p=row) for row in p])
        upper = np.take_along_axis(p.cumsum(axis=1), ids[:, None], axis=1)[:, 0]
        width = np.take_along_axis(p, ids[:, None], axis=1)[:, 0]
        cases[name] = Case({"logits": logits, "temperature": np.array(temperature),
                            "r": upper - width * rng.uniform(0.2, 0.8, B)},
                           about=f"B = {B}, V = {V}, temperature {temperature}")
    return cases


def sample(case, temper="divide", choose="cdf", axis=-1, shared=False):
    """softmax(logits / temperature), and the symbol in whose interval r falls; keywords are mistakes."""
    logits, T, r = case["logits"], float(case["temperature"]), case["r"]
    z = {"divide": logits / T, "multiply": logits * T}.get(temper, logits)
    p = softmax(z, axis=axis)
    if temper == "after":
        p = p / T
    if shared:
        r = np.full_like(r, r[0])
    if choose == "argmax":
        ids = p.argmax(axis=1)
    elif choose == "no cumsum":
        ids = (p > r[:, None]).argmax(axis=1)
    elif choose == "nearest":
        ids = np.abs(p - r[:, None]).argmin(axis=1)
    elif choose == "sorted":
        ids = (np.sort(p, axis=1)[:, ::-1].cumsum(axis=1) <= r[:, None]).sum(axis=1)
    else:
        ids = (p.cumsum(axis=1) <= r[:, None]).sum(axis=1) + (choose == "next")
    if choose == "above":
        ids = (p.cumsum(axis=1) > r[:, None]).sum(axis=1)
    return {"p": p, "id": ids}


SAMPLE = Exercise(
    id="rnn.sample",
    title="Sampling with a temperature",
    cases=sample_cases,
    reference=sample,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("probabilities", 2, on=("*/p",),
               ask="Should temperature 0.5 make the largest probability larger or smaller?"),
        Aspect("symbol", 2, on=("*/id",),
               ask="Lay the probabilities end to end from 0 to 1: on whose piece does r fall?"),
    ),
    misconceptions=(
        mistake(sample, "temperature multiplied",
              "You multiply the logits by the temperature; divide by it, so that a low temperature "
              "sharpens.", temper="multiply"),
        mistake(sample, "temperature ignored",
              "The temperature changes nothing: divide the logits by it before the softmax.", temper="none"),
        mistake(sample, "temperature after the softmax",
              "You divide the probabilities, so they no longer add up to 1: divide the logits, then take "
              "the softmax.", temper="after"),
        mistake(sample, "always the most likely",
              "You take the argmax and never use r: sampling has to be able to choose the less likely as "
              "well.", choose="argmax"),
        mistake(sample, "no running sum",
              "You compare r with the single probabilities; compare it with their running sum (cumsum).",
              choose="no cumsum"),
        mistake(sample, "nearest probability",
              "You look for the probability nearest to r; r marks a point on the running sum.",
              choose="nearest"),
        mistake(sample, "one symbol too far",
              "Your symbol is one too far: it is the first whose running sum is larger than r.",
              choose="next"),
        mistake(sample, "entries above r counted",
              "You count the entries of the running sum *above* r; the symbol is how many are not, ≤ r.",
              choose="above"),
        mistake(sample, "rank for symbol",
              "You sort the probabilities and return the place in the sorted list, which is a rank, not "
              "the symbol.", choose="sorted"),
        mistake(sample, "softmax over the batch",
              "Softmax runs over the batch; each row has to add up to 1 by itself.", axis=0),
        mistake(sample, "one random number for all",
              "Every row uses r[0]: each row has a random number of its own.", shared=True),
    ),
    forbids=GIVEN_DRAW,
)

EXERCISES = [STEP, CONCAT, UNROLL, LAYER, LAST_VALID, LOSS, ONE_TO_MANY, SAMPLE]
