"""What is read from the states: the last valid one, a loss, a sequence of choices, a draw.

Long because a topic is read as one: cases, references, their wrong variants and what is said of each.
"""

from __future__ import annotations

import numpy as np

from autograde.judging.common import clear, mistake, sizes, softmax, weights
from autograde.judging.exercise import Aspect, Case, Exercise, Raises

LARGEST = np.log(np.finfo("float32").max)  # e to the power of more is infinite in float32
OVERFLOW = ("e to the power of 100 is more than a float32 holds, and your result is no number: take the largest logit "
            "off all of them first. The softmax stays the same.")
GIVEN_DRAW = ("helpers.draw", "unrolled.lessons.rnn.draw")  # given to students after the exercise it would answer

# --- N to 1: the last valid state -----------------------------------------------------------------

def last_valid_cases(rng):
    def case(about, turned=False):
        T, B, u = int(rng.integers(8, 11)), *sizes(rng, 2, 3, 6)
        # All different, none full: every wrong index shows. The first is not the longest, or "the first one's step"
        # and "the longest one's step" would look alike.
        lengths = np.sort(rng.permutation(np.arange(2, T))[:B])
        lengths[:-1] = rng.permutation(lengths[:-1])
        lengths[1:] = rng.permutation(lengths[1:])
        mask = np.arange(T) < lengths[:, None]
        return Case({"states": rng.normal(size=(B, T, u)), "mask": mask[:, ::-1].copy() if turned else mask},
                    about=f"B = {B}, T = {T}, u = {u}, valid lengths {lengths.tolist()}, padding at the {about}")

    def only(step, B, T):
        u = int(rng.integers(3, 7))
        return Case({"states": rng.normal(size=(B, T, u)), "mask": np.tile(np.arange(T) == step, (B, 1))},
                    about=f"B = {B}, T = {T}, u = {u}, only step {step} is valid")

    T = int(rng.integers(4, 8))
    return {"right": case("end"), "left": case("start", turned=True), "only first": only(0, 1, T),
            "only last": only(T - 1, 1, T), "one step": only(0, int(rng.integers(2, 5)), 1)}


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
    if index.max() >= T:
        return Raises("IndexError|InvalidArgumentError", "out of bounds|indices|slice index")
    return {"y": states[np.arange(B), index]}


LAST_VALID = Exercise(
    id="rnn.last_valid",
    title="The last valid state",
    cases=last_valid_cases,
    reference=last_valid,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("padding at the end", 2, on=("right/*", "only first/*", "one step/*"),
               ask="For the first sequence, which step is the last valid one?"),
        Aspect("padding at the start", 1, on=("left/*", "only last/*"),
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
    def case(about, B=None, T=None, padded=False, far=0):
        drawn, V = sizes(rng, 2, 3, 9)
        B = B or drawn
        T = T or B + int(rng.integers(3, 6))
        lengths = rng.permutation(np.arange(2, T))[:B] if padded else np.full(B, T)
        targets = rng.integers(0, V, (B, T))
        targets[:, 0] = 0  # class 0 occurs among the valid targets: it does not mean padding
        targets[:, 1:2] = rng.integers(1, V, (B, T))[:, 1:2]
        # Each position has a level of its own: the largest logit of all says nothing about most of them.
        level = far * rng.permutation(np.resize([1.0, -1.0], B * T)).reshape(B, T, 1)
        logits = rng.normal(size=(B, T, V)) * 1.5 + level
        if far:  # and another class of probability exactly 0
            np.put_along_axis(logits, (targets[..., None] + 1) % V, level - 2 * far, axis=-1)
        return Case({"targets": targets, "logits": logits, "mask": np.arange(T) < lengths[:, None]},
                    about=f"B = {B}, T = {T}, V = {V} classes, "
                          + (f"valid lengths {lengths.tolist()}" if padded else about))

    return {
        "full": case("no padding"),
        "single": case("one position", B=1, T=1),
        "large": case("logits near 100 and near -100", far=100),
        "padded": clear(lambda: case("padded", padded=True), many_to_many_loss, ("loss", {"divide": "rows"}),
                        ("loss", {"by_value": True}), ("loss", {"masked": False}), ("loss", {"inverted": True})),
    }


def many_to_many_loss(case, masked=True, divide="valid", twice=False, base=1.0, sign=-1, axis=-1,
                      inverted=False, by_value=False, likelihood=False, shifted=True):
    """Mean of −ln p(target) over valid positions; each keyword is a way to get it wrong."""
    targets, mask = case["targets"], case["mask"]
    if not shifted and case["logits"].max() > LARGEST:
        return {"loss": np.nan}
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
        Aspect("without padding", 2, on=("full/*", "single/*", "large/*"),
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
        mistake(many_to_many_loss, "exp overflows", OVERFLOW, shifted=False),
    ),
)


# --- 1 to N: feeding the output back --------------------------------------------------------------

def one_to_many_cases(rng):
    return {name: _greedy_case(rng) for name in ("greedy", "again")} | {"one step": _greedy_case(rng, 1, 1)}


def _greedy_case(rng, B=None, T=None):
    B, T = B or int(rng.integers(2, 5)), T or int(rng.integers(5, 9))
    D, u, V = *sizes(rng, 2, 4, 8), int(rng.integers(9, 14))
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
        mistakes = [one_to_many(case, **how) for how in ({"share": "first"}, {"share": "sum"}, {"carry": False},
                                                         {"initial": False})]
        if clear and T == 1:
            return case
        if clear and varied and not any(np.array_equal(wrong["ids"], right["ids"]) for wrong in mistakes):
            return case
    raise RuntimeError("no clear case in 500 draws")


def one_to_many(case, carry=True, initial=True, feed="choice", emit="choice", read="new", probabilities=False,
                share=""):
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
        best = {"worst": z.argmin(axis=-1), "shared": np.full(B, _shared(share, z))}.get(emit, z.argmax(axis=-1))
        if emit != "input":
            chosen.append(best)
        ids = np.full(B, start) if feed == "start" else np.full(B, _shared(share, z)) if share else best
    return {"logits": np.stack(logits, axis=1), "ids": np.stack(chosen, axis=1)}


def _shared(how, logits):
    """One symbol for a whole batch: the first sequence's, or the one with the largest sum."""
    return logits[0].argmax() if how == "first" else logits.sum(axis=0).argmax()


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
              "a sequence.", share="first"),
        mistake(one_to_many, "one choice from the batch's sum",
              "You add the logits of all sequences before choosing, so all read one symbol: take the argmax over the "
              "last axis, one a sequence.", share="sum", emit="shared"),
        mistake(one_to_many, "least likely symbol",
              "You choose the symbol with the smallest logit: greedy means the largest.", emit="worst"),
    ),
)


# --- sampling -------------------------------------------------------------------------------------

def sample_cases(rng):
    cases = {}
    for name, temperature in (("cool", 0.5), ("warm", 2.0)):
        B, V = int(rng.integers(11, 20)), int(rng.integers(5, 11))
        logits = rng.normal(size=(B, V)) * 1.3
        p = softmax(logits / temperature)
        # r lies well inside the interval of the symbol it selects: rounding cannot move it across an edge.
        ids = np.array([rng.choice(V, p=row) for row in p])
        upper = np.take_along_axis(p.cumsum(axis=1), ids[:, None], axis=1)[:, 0]
        width = np.take_along_axis(p, ids[:, None], axis=1)[:, 0]
        cases[name] = Case({"logits": logits, "temperature": np.array(temperature),
                            "r": upper - width * rng.uniform(0.2, 0.8, B)},
                           about=f"B = {B}, V = {V}, temperature {temperature}")
    V = int(rng.integers(5, 11))
    logits = rng.normal(size=(2, V))
    best = rng.integers(1, V, 2)  # not the 0 that argmax makes of a row without numbers
    logits[[0, 1], best] = logits.max() + 3  # so far above the others that all probability is there
    # The rows lie far apart: the largest logit of all says nothing about the other row.
    cases["cold"] = Case({"logits": logits + np.array([[100], [300]]), "temperature": np.array(0.01),
                          "r": rng.uniform(0.2, 0.8, 2)},
                         about=f"B = 2, V = {V}, temperature 0.01, logits near 100 and near 300")
    # The first symbols have no chance at all, and r is 0: not even then is one of them drawn.
    V, none = int(rng.integers(5, 11)), int(rng.integers(1, 4))
    logits = rng.normal(size=(1, V))
    logits[:, :none] = -1e4
    cases["ruled out"] = Case({"logits": logits, "temperature": np.array(1.0), "r": np.array([0.0])},
                              about=f"B = 1, V = {V}, temperature 1, the first {none} of probability 0, r = 0")
    return cases


def sample(case, temper="divide", choose="cdf", axis=-1, shared=False, shifted=True):
    """softmax(logits / temperature), and the symbol in whose interval r falls; keywords are mistakes."""
    logits, T, r = case["logits"], float(case["temperature"]), case["r"]
    if not shifted and (logits / T).max() > LARGEST:
        # No running sum of what is no number is larger than r, and none is at most r.
        return {"p": np.full(logits.shape, np.nan), "id": np.zeros(len(r))}
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
        mistake(sample, "exp overflows", OVERFLOW, shifted=False),
        mistake(sample, "one random number for all",
              "Every row uses r[0]: each row has a random number of its own.", shared=True),
    ),
    forbids=GIVEN_DRAW,
)
