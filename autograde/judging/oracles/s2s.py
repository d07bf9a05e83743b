"""Oracle of lesson 07: from one sequence to another through a context vector.

Symbols are numbers, 0 is padding; GO begins a decoder's input, END ends its target. Cells are laid out as Keras lays
them out: the blocks of ``W (D, ku)``, ``U (u, ku)`` and ``b (ku,)`` are z, r, candidate for a GRU with the reset before
the product, and i, f, c, o for an LSTM.

Long because a topic is read as one: cases, references, their wrong variants and what is said of each.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import chain

import numpy as np

from autograde.judging.common import mistake, mistakes, sigmoid, sizes, softmax, told, weights
from autograde.judging.exercise import Aspect, Case, Exercise, Raises
from unrolled.probes import codes, text, toy

LESSON = "07_seq2seq"


def ragged(rng, B, T):
    """B lengths from 0 to T: one row is full, but not the first, one is empty, and with B > 2 one is neither."""
    lengths = rng.integers(1, T, B) if T > 1 else np.ones(B, int)
    lengths[0] = T
    if B > 1:
        lengths[1] = 0
    lengths = rng.permutation(lengths)
    return np.roll(lengths, 1) if lengths[0] == T else lengths


def valid(lengths, T):
    return np.arange(T) < np.asarray(lengths)[:, None]


# s2s.shift_targets: GO in front of the inputs, END behind the targets

def shift_cases(rng):
    def case(B, T, about, lengths=None):
        go, end, *_ = symbols = rng.permutation(np.arange(1, 20))
        y = rng.choice(symbols[2:], (B, T)) * valid([T] * B if lengths is None else lengths, T)
        return Case({"y": y, "go": go, "end": end}, about=f"{told(B=B, T=T)}, {about}; GO is {go}, END is {end}")
    B, T = sizes(rng, 2, 4, 8)
    return {"padded": case(B, T, "rows of different lengths, one of them empty", ragged(rng, B, T)),
            "full": case(*sizes(rng, 2, 2, 8), "no padding"),
            "one": case(1, 1, "one row with one symbol")}


def shift_targets(case, inputs="GO, y", targets="y, END", swap=False, width="T + 1"):
    """Inputs and targets; each keyword is a way to get them wrong."""
    y, go, end = case["y"], int(case["go"]), int(case["end"])
    if swap:
        go, end = end, go
    n, rows, column = (y > 0).sum(axis=1), np.arange(len(y)), np.ones((len(y), 1), int)
    right = np.hstack([y, 0 * column])
    right[rows, n] = end
    over = np.hstack([y, 0 * column])
    over[rows, np.maximum(n - 1, 0)] = end
    filled = np.hstack([y, 0 * column])
    out = {"y, END": right, "END at the row's end": np.hstack([y, end * column]), "y": np.hstack([y, 0 * column]),
           "END over the last": over, "END for padding": np.where(filled == 0, end, filled),
           "GO, y, END": np.hstack([go * column, right]), "GO, y": np.hstack([go * column, y])}[targets]
    into = {"GO, y": np.hstack([go * column, y]), "y": np.hstack([y, 0 * column]), "targets": right,
            "rolled": np.roll(right, 1, axis=1), "0, y": np.hstack([0 * column, y]),
            "GO, GO, y": np.hstack([go * column, go * column, y[:, :-1]]),
            "y ahead": np.hstack([y[:, 1:], 0 * column, 0 * column])}[inputs]
    if width == "T":
        into, out = into[:, :-1], out[:, :-1]
    return counted(case, {"inputs": into, "targets": out})


def counted(case, found):
    """The inputs where something is to be said; what they hold where the target is padding does not matter."""
    counts = np.hstack([np.ones((len(case["y"]), 1), bool), case["y"] > 0])
    inputs = found["inputs"]
    return found | {"inputs": inputs * counts if inputs.shape == counts.shape else inputs}


SHIFT = Exercise(
    id="s2s.shift_targets",
    title="The decoder's inputs and targets",
    cases=shift_cases,
    reference=shift_targets,
    derive=counted,
    aspects=(
        Aspect("shapes", 1, shape_only=True, ask="GO and END each need a place: one more than T."),
        Aspect("inputs", 2, on=("*/inputs",), ask="What has the decoder just said when it has to say the first "
        "symbol?"),
        Aspect("targets", 2, on=("*/targets",), ask="Where does a short row end?"),
    ),
    misconceptions=mistakes(
        shift_targets,
        ("not shifted", "The inputs are the symbols in the places of the targets: at each step the decoder is shown "
         "the very symbol it has to say. It learns to copy, and cannot write a word alone. GO pushes them one step "
         "later.", {"inputs": "y"}),
        ("not shifted, END and all", "Inputs and targets are the same rows. The decoder is shown what it has to say. "
         "Put GO in front of the inputs, and END behind the targets only.", {"inputs": "targets"}),
        ("returned in the wrong order", "Inputs and targets have changed places: the inputs come first, they are the "
         "rows that begin with GO.", {"inputs": "targets", "targets": "GO, y"}),
        ("rolled", "`roll` brings the end of a row round to its front: a full row begins with END, a short one with "
         "padding, and none with GO.", {"inputs": "rolled"}),
        ("no GO", "The inputs begin with 0, which is padding. They begin with GO.", {"inputs": "0, y"}),
        ("GO twice", "The inputs are shifted by two: they begin with GO twice, and the decoder never sees the symbol "
         "before the one it has to say.", {"inputs": "GO, GO, y"}),
        ("shifted the other way", "The inputs are shifted to the *left*: the decoder is shown the symbol after the one "
         "it has to say. Shift to the right.", {"inputs": "y ahead"}),
        ("GO and END exchanged", "GO stands where END belongs and END where GO does.", {"swap": True}),
        ("END in the last column", "END stands in the last column, behind the padding. It comes right after a row's "
         "last symbol: a decoder stops there, not at the length of the longest word in the batch.",
         {"targets": "END at the row's end"}),
        ("no END", "The targets have no END: the decoder would never learn to stop.", {"targets": "y"}),
        ("END for the padding", "All the padding of the targets has become END. One END a row; the rest stays 0 and "
         "does not count in the loss.", {"targets": "END for padding"}),
        ("END over the last symbol", "END has replaced the last symbol. It comes behind it.",
         {"targets": "END over the last"}),
        ("GO in the targets", "The targets begin with GO, as the inputs do: the decoder is shown what it has to say. "
         "The targets begin with the first symbol.", {"targets": "GO, y"}),
        ("cut to T", "You cut both to T columns: a full row then loses its END. Both have T + 1.", {"width": "T"}),
    ),
    forbids=("unrolled.lessons.s2s.with_go_and_end",),
)


# s2s.masked_loss: the mean over the symbols that are there

def loss_cases(rng):
    def case(B, T, V, about, lengths=None, scale=1.5, around=0.0, targets=None):
        logits = around + rng.normal(size=(B, T, V)) * scale
        targets = rng.integers(1, V, (B, T)) if targets is None else targets(logits)
        targets = targets * valid([T] * B if lengths is None else lengths, T)
        return Case({"targets": targets, "logits": logits}, about=f"{told(B=B, T=T, V=V)}, {about}")

    def unlikely(logits):
        return 1 + logits[..., 1:].argmin(axis=-1)
    B, T, V = sizes(rng, 3, 5, 9)
    return {"full": case(*sizes(rng, 3, 4, 9), "no padding"),
            "one": case(1, 1, int(rng.integers(4, 9)), "one symbol"),
            "padded": case(B, T, V, "rows of different lengths, one of them all padding", ragged(rng, B, T)),
            "all padding": case(2, T, V, "nothing but padding", [0, 0]),
            "large": case(*sizes(rng, 3, 4, 9), "scores of a thousand, the right symbol with the smallest", scale=400,
                          around=1000, targets=unlikely)}


def masked_loss(case, over="valid", by="all", log="natural", axis=-1, sign=1, empty=0.0, single=False):
    """Mean cross-entropy in nats; each keyword is a way to get it wrong."""
    targets, logits = case["targets"], case["logits"]
    each = sign * _cross_entropy(targets, logits, log, axis)
    m = {"valid": targets > 0, "all": np.ones_like(targets, bool), "padding": targets == 0,
         "predicted": logits.argmax(axis=-1) > 0}[over].astype(float)
    total = np.where(m > 0, each, 0)
    if by == "rows":
        return {"loss": np.mean(total.sum(axis=1) / np.maximum(m.sum(axis=1), 1))}
    count = {"all": m.sum(), "positions": m.size, "batch": len(m), "one": 1, "steps": m.shape[1],
             "symbols": m.sum() * logits.shape[-1]}[by]
    return {"loss": total.sum() / count if count else empty}


def _cross_entropy(targets, logits, log, axis):
    def pick(table):
        return np.take_along_axis(table, targets[..., None], axis=-1)[..., 0]
    if log == "Keras, of probabilities":  # clipped, then taken for probabilities
        logits, log = np.log(np.clip(logits, 1e-7, 1 - 1e-7)), "natural"
    shifted = logits - logits.max(axis=axis, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    if log == "rounded":  # in float32 a small probability is 0
        with np.errstate(divide="ignore"):
            logp = np.where(np.exp(logp) < 1e-45, -np.inf, logp)
    if isinstance(log, float):
        logp = np.log(np.maximum(np.exp(logp), log))
    return -pick(logp) / (np.log(2) if log == "bits" else 1) if log != "no log" else -pick(np.exp(logp))


MASKED_LOSS = Exercise(
    id="s2s.masked_loss",
    title="The loss without the padding",
    cases=loss_cases,
    reference=masked_loss,
    aspects=(
        Aspect("without padding", 1, on=("full/*",), ask="Mean of −log p(target), natural logarithm. What do you get "
        "for one symbol?"),
        Aspect("with padding", 3, on=("padded/*",), ask="Add up over the symbols that are there; divide by how many "
               "there are."),
        Aspect("one symbol and none", 1, on=("one/*", "all padding/*"), ask="With nothing to say the loss is 0."),
        Aspect("large scores", 1, on=("large/*",), ask="exp(−300) is 0 in float32, and log 0 is minus infinity: take "
               "log-softmax in one step."),
    ),
    misconceptions=mistakes(
        masked_loss,
        ("padding counted", "The padding is counted as if 0 were a symbol to be said. Most of a batch is padding, and "
         "it is easy: the loss looks good for the wrong reason.", {"over": "all"}),
        ("divided by all positions", "The padding's losses are left out of the sum, but its places are still counted: "
         "the loss is too small, and the smaller the more padding there is.", {"by": "positions"}),
        ("mean of the rows' means", "You take each row's mean and then their mean. A symbol in a short row weighs more "
         "then than one in a long row. Add up everything, divide once.", {"by": "rows"}),
        ("summed only", "The losses are summed but not divided: the number grows with the batch.", {"by": "one"}),
        ("divided by the rows", "You divide by the number of rows; divide by the number of symbols.", {"by": "batch"}),
        ("masked by the prediction", "Your mask asks where the *prediction* is 0. The targets know what is padding; a "
         "model could escape its loss by saying 0.", {"over": "predicted"}),
        ("mask inverted", "You keep the padding and leave out the symbols.", {"over": "padding"}),
        ("no minus", "The sign is missing: the loss is minus log p.", {"sign": -1}),
        ("in bits", "You take the logarithm to base 2. Here it is the natural one, as Keras's losses have it.",
         {"log": "bits"}),
        ("no logarithm", "You average −p, not −log p.", {"log": "no log"}),
        ("softmax over time", "The softmax runs over the steps. The symbols are on the last axis.", {"axis": 1}),
        ("scores taken for probabilities", "The scores are taken for probabilities. They have not been through a "
         "softmax: `from_logits=True`.", {"log": "Keras, of probabilities"}),
        ("NaN for nothing", "With nothing but padding you divide 0 by 0. Divide by max(count, 1).", {"empty": np.nan}),
        ("log of a rounded softmax", "You take the softmax first and its logarithm after. A small probability is 0 in "
         "float32 and its logarithm minus infinity. Use log-softmax, or a loss `from_logits`.", {"log": "rounded"}),
    ) + tuple(mistake(masked_loss, "probabilities held above a floor", "You keep the probabilities away from 0 before "
    "you take the logarithm. That hides how wrong the model is, and gives no gradient there. Use "
    "log-softmax.", log=eps) for eps in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12)),
    forbids=("unrolled.lessons.s2s.loss_per_symbol",),
)


# Cells in NumPy, for the encoder and the decoder

def cell_step(kind, x, states, W, U, b):
    """One step of a Keras cell: the new states, the first of them being the output."""
    h = states[0]
    u = len(U)
    if kind == "rnn":
        return [np.tanh(x @ W + h @ U + b)]
    if kind == "gru":
        a, s = x @ W + b, h @ U[:, :2 * u]
        z, r = sigmoid(a[:, :u] + s[:, :u]), sigmoid(a[:, u:2 * u] + s[:, u:])
        return [z * h + (1 - z) * np.tanh(a[:, 2 * u:] + (r * h) @ U[:, 2 * u:])]
    i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=1)
    c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


BLOCKS = {"rnn": 1, "gru": 3, "lstm": 4}


def given_states(rng, kind, B, u):
    return {f"state {i}": rng.uniform(-0.9, 0.9, (B, u)) for i in range(2 if kind == "lstm" else 1)}


# s2s.encoder: the states after the last letter

def encoder_cases(rng):
    def case(kind, about, B=None, T=None, lengths=None, started=False):
        drawn = sizes(rng, 4, 3, 8)
        B, T, D, u = B or drawn[0], T or max(drawn[1], 5), *drawn[2:]
        arrays = {"cell": codes(kind), "x": rng.normal(size=(B, T, D)), **weights(rng, D, u, BLOCKS[kind])}
        if lengths:
            arrays["mask"] = valid(ragged(rng, B, T), T)
        if started:
            arrays |= given_states(rng, kind, B, u)
        return Case(arrays, about=f"{kind.upper()}, {told(B=B, T=T, D=D, u=u)}, {about}")
    return {"plain": case("gru", "no mask, states from 0"),
            "one letter": case("rnn", "one row of one letter, with a state to start from", B=1, T=1, started=True),
            "masked": case("gru", "rows of different lengths, one all padding, with states to start from", lengths=True,
                           started=True),
            "masked, from 0": case("rnn", "rows of different lengths, one all padding, states from 0", lengths=True),
            "two states": case("lstm", "no mask, with states h and c to start from", started=True),
            "two states, from 0": case("lstm", "no mask, states h and c from 0"),
            "two states, masked": case("lstm", "rows of different lengths, one all padding, with states h and c to "
                                       "start from", lengths=True, started=True)}


def encode(case, mask="hold", carried=True, started=True, order=None, within=False, backwards=False, steps=None,
           sequence=False, only_h=False, short=False):
    """The final states; each keyword is a way to get them wrong."""
    kind, x, W, U, b = text(case["cell"]), *(case[name] for name in ("x", "W", "U", "b"))
    B, T, _ = x.shape
    count = 2 if kind == "lstm" else 1
    if only_h and count == 2:
        return Raises("TypeError", "return the states as a list")
    zeros = [np.zeros((B, len(U)))] * count
    first = [case[f"state {i}"] for i in range(count)] if "state 0" in case and started else zeros
    m = case.get("mask", np.ones((B, T), bool))
    m = {"first row": np.repeat(m[:1], B, axis=0), "inverted": m != ("mask" in case)}.get(mask, m)
    states, outputs = first, []
    for t in list(range(T))[::-1 if backwards else 1][:T - 1 if short else T]:
        now = x[:, t] * m[:, t:t + 1] if mask == "input" else x[:, t]
        old = states if carried else first
        if within:
            old = old[::-1]
        new = cell_step(kind, now, old, W, U, b)
        keep = [mask not in ("ignored", "input")] * count
        if mask == "h only" and count == 2:
            keep[1] = False
        gone = [np.zeros_like(s) for s in old] if mask == "zero" else old if within else states
        states = [np.where(m[:, t:t + 1], n, g) if k else n for n, g, k in zip(new, gone, keep, strict=True)]
        outputs.append(states[0])
    if order and count == 2:
        states = states[::-1]
    if sequence:
        states = [np.stack(outputs, axis=1), *states[1:]]
    return {f"state {i}": s for i, s in enumerate(states)}


ENCODER = Exercise(
    id="s2s.encoder",
    title="An encoder from any cell",
    cases=encoder_cases,
    reference=encode,
    aspects=(
        Aspect("shapes", 1, shape_only=True),
        Aspect("carries the states", 2, on=("plain/*", "one letter/*", "two states/*", "two states, from 0/*"), ask=
               "Which states go into step t? And where does the first one come from?"),
        Aspect("padding, one state", 2, on=("masked/*", "masked, from 0/*"), ask="Where the mask is False a row's "
               "state stays as it was."),
        Aspect("padding, two states", 2, on=("two states, masked/*",), ask="*Each* of the states stays as it was."),
    ),
    misconceptions=mistakes(
        encode,
        ("mask ignored", "The mask is not used: the padding of a short word is read as if it were letters.",
         {"mask": "ignored"}),
        ("mask inverted", "The mask is used the wrong way round: True means a letter is there.", {"mask": "inverted"}),
        ("padding read as zeros", "You set the inputs to 0 at padding, and the cell reads the zeros: its biases and "
         "its old state still change it. The *state* has to stay.", {"mask": "input"}),
        ("padding erases the state", "At padding the state becomes 0. It must stay what it was.", {"mask": "zero"}),
        ("c reads the padding", "The mask holds h, but c runs on through the padding. An LSTM has two states; hold "
         "each.",
         {"mask": "h only"}),
        ("first row's mask for all", "Every row gets the mask of the first. Take `mask[:, t]`, and give it a last "
         "axis.",
         {"mask": "first row"}),
        ("state not carried", "Each step starts from the first states again. The states that came out of a step go "
         "into the next.", {"carried": False}),
        ("first states ignored", "You start from 0 though `states` were given.", {"started": False}),
        ("h and c exchanged at the end", "The states come back in the wrong order: Keras's LSTM has [h, c].",
         {"order": "ch"}),
        ("h and c exchanged on the way", "h and c change places at each step. Hand the list of states on as it comes.",
         {"within": True}),
        ("read backwards", "You read from the last letter to the first. (A trick for later, but it was not asked for.)",
         {"backwards": True}),
        ("last letter missed", "The last step is missing: range(T) ends at T − 1.", {"short": True}),
        ("all outputs for the state", "You return the outputs of all steps. The context is the state after the last.",
         {"sequence": True}),
        ("only h", "An LSTM has two states, h and c. A decoder that is to start from them needs both: return the whole "
         "list.", {"only_h": True}),
    ),
    forbids=("keras.layers.RNN",),
)


# s2s.decoder_step: a symbol and states in, scores and states out

def decoder_cases(rng):
    def case(kind, about, B=None, context=True):
        drawn = sizes(rng, 5, 2, 8)
        B, E, C, u, V = B or drawn[0], *drawn[1:]
        arrays = {"cell": codes(kind), "y": rng.permutation(np.arange(B) % V), **given_states(rng, kind, B, u),
                  "embedding": rng.normal(size=(V, E)), **weights(rng, E + C * context, u, BLOCKS[kind]),
                  "readout": rng.normal(size=(u, V)), "readout_bias": rng.normal(size=V)}
        if context:
            arrays["context"] = rng.normal(size=(B, C))
        return Case(arrays, about=f"{kind.upper()}, {told(B=B, E=E, C=C if context else None, u=u, V=V)}, {about}")
    return {"start": case("gru", "no context at the steps", context=False),
            "every": case("gru", "with the context"),
            "one row": case("rnn", "one row, with the context", B=1),
            "two states": case("lstm", "states h and c, with the context"),
            "two states, no context": case("lstm", "states h and c, no context at the steps", context=False)}


def decoder_step(case, context="behind", symbol=0, old=False, read="h", bias=1, scores="logits", reset=False,
                 returned="new", within=False):
    """One step; each keyword is a way to get it wrong."""
    kind, V = text(case["cell"]), len(case["embedding"])
    states = [case[f"state {i}"] for i in range(2 if kind == "lstm" else 1)]
    if reset:
        states = [np.zeros_like(s) for s in states]
    x = case["embedding"][(case["y"] + symbol) % V]
    if "context" in case:
        if context == "none":
            return Raises("InvalidArgumentError|ValueError", "In[0]: [|Matrix size-incompatible|incompatible|size")
        c = {"zero": 0 * case["context"], "mean": 0 * case["context"] + case["context"].mean(axis=0)}.get(
            context, case["context"])
        x = np.hstack([c, x] if context == "in front" else [x, c])
    new = cell_step(kind, x, states[::-1] if within else states, case["W"], case["U"], case["b"])
    h = {"h": new, "last": new[-1:], "old": states}[read][0]
    logits = h @ case["readout"] + bias * case["readout_bias"]
    logits = {"logits": lambda a: a, "softmax": softmax, "log": lambda a: np.log(softmax(a)), "tanh": np.tanh}[scores](
        logits)
    new = {"new": new, "old": states, "exchanged": new[::-1], "h twice": [new[0]] * len(new)}[returned]
    return {"logits": logits} | {f"state {i}": s for i, s in enumerate(new)}


DECODER_STEP = Exercise(
    id="s2s.decoder_step",
    title="One step of a decoder",
    cases=decoder_cases,
    reference=decoder_step,
    aspects=(
        Aspect("shapes", 1, shape_only=True),
        Aspect("scores", 2, on=("*/logits",), ask="Embed, put the context behind, run the cell, then h · readout + "
        "bias."),
        Aspect("states", 2, on=("*/state*",), ask="Which states go into the cell, and which come out?"),
    ),
    misconceptions=mistakes(
        decoder_step,
        ("states ignored", "The cell starts from 0 at this step. It must go on from the states it is given, or every "
         "step is the first.", {"reset": True}),
        ("old states handed on", "You return the states you were given. The next step needs the new ones.",
         {"returned": "old"}),
        ("scores from the old state", "The scores come from the state *before* the step: they do not know the symbol "
         "that was just said.", {"read": "old"}),
        ("scores from c", "The scores of an LSTM come from its output h, not from its cell state c.", {"read": "last"}),
        ("h and c exchanged on the way in", "h and c have changed places before the step: Keras's order is [h, c].",
         {"within": True}),
        ("h and c exchanged on the way out", "h and c have changed places after the step: hand on the list as it "
         "comes.",
         {"returned": "exchanged"}),
        ("h in both places", "You return h for both states. The second one is c.", {"returned": "h twice"}),
        ("context in front", "The context stands in front of the embedding. Here it comes behind: first y, then c.",
         {"context": "in front"}),
        ("context left out", "The context never reaches the cell, so its matrix does not fit: the cell was built for "
         "embedding and context together.", {"context": "none"}),
        ("context set to zero", "The context has become zeros on its way to the cell.", {"context": "zero"}),
        ("context averaged over the batch", "Every row gets the mean context of the batch. Each word has its own.",
         {"context": "mean"}),
        ("no bias", "The bias of the readout is missing.", {"bias": 0}),
        ("softmax taken", "You return probabilities. Scores are wanted: the loss and the beam take the log-softmax "
         "themselves.", {"scores": "softmax"}),
        ("log-softmax taken", "You return log-probabilities. Scores are wanted, as they come from the readout.",
         {"scores": "log"}),
        ("scores through tanh", "The scores have been through a tanh: then none can be larger than 1, and the decoder "
         "can never be sure.", {"scores": "tanh"}),
    ),
)


# s2s.greedy: always the likeliest next symbol

def toy_decoder(rng, V, n, sharp=1.5):
    """A random decoder (see `probes.toy.decoder`) whose END becomes likelier with time; GO and 0 are never said.

    sharp: how far apart its scores are.
    """
    go, end = (int(i) for i in rng.permutation(np.arange(1, V))[:2])
    drift = rng.normal(size=V) * 0.1
    drift[end] = rng.uniform(0.2, 0.5)
    drift[[0, go]] = -20
    return {"A": rng.normal(size=(n, n)) * 1.1 / np.sqrt(n), "embedding": rng.normal(size=(V, n)),
            "readout": rng.normal(size=(n, V)) * sharp, "drift": drift, "go": go, "end": end}


def greedy_cases(rng):
    def case(about, wanted, longest):
        while True:
            V, n = sizes(rng, 2, 6, 9)
            arrays = toy_decoder(rng, V, n) | {"s": rng.uniform(-1, 1, (300, n)), "k": rng.uniform(-2, 0, (300, 1)),
                                               "longest": longest}
            lengths = (follow(arrays)["ids"] > 0).sum(axis=1)
            if all(length in lengths for length in wanted):
                break
        rows = [rng.choice(np.flatnonzero(lengths == length)) for length in wanted]
        arrays |= {"s": arrays["s"][rows], "k": arrays["k"][rows]}
        return Case(arrays, about=f"{told(B=len(rows), V=V)}, at most {longest} symbols, {about}")

    def settled(make):
        """Cases in which every wrong way leads somewhere else, so that none is right by luck.

        With one word alone those that concern several rows, or the last step, come out right.
        """
        while True:
            cases = make()
            right = [follow(case)["ids"].tolist() for case in cases.values()]
            outcomes = {name: [follow(case, **change)["ids"].tolist() for case in cases.values()]
                        for name, _, change in GREEDY_MISTAKES}
            found = list(outcomes.values())
            if all(found.count(o) == 1 and o[1] != right[1] and (o[0] == right[0]) == (name in RIGHT_ALONE)
                   for name, o in outcomes.items()):
                return cases
    longest = int(rng.integers(6, 9))
    return settled(lambda: {
        "one word": case("one word", [3], longest),
        "several": case("words of different lengths, one empty, one that is cut off",
                        list(rng.permutation([0, 2, longest - 1, longest])), longest),
        "cut off": case("words that do not end in time", [4, 4, 1], 4),
        "one symbol": case("words that may have one symbol", [1, 0, 1], 1)})


def follow(case, stop="each", carried=True, fed="said", first="go", keep_end=False, short=False, go_shown=False):
    """Greedy decoding; each keyword is a way to get it wrong."""
    step, states = toy.decoder(case), [case["s"], case["k"]]
    go, end, longest = (int(case[name]) for name in ("go", "end", "longest"))
    B = len(case["s"])
    y = np.full(B, {"go": go, "end": end, "0": 0}[first])
    ids, on = np.zeros((B, longest), int), np.ones(B, bool)
    for t in range(longest - short):
        logits, new = step(y, states)
        states = new if carried else states
        y = logits.argmax(axis=1)
        ended = y == end
        said = np.where(on & (~ended | keep_end), y, 0)
        if stop == "never":
            said = y
        elif stop == "this step":
            said = np.where(ended, 0, y)
        elif stop == "all with the first":
            on &= not ended.any()
            said = np.where(on, y, 0)
        elif stop == "first row":
            if ended[0]:
                break
            said = np.where(on & ~ended, y, 0)
        on &= ~ended
        ids[:, t] = said
        if fed == "go":
            y = np.full(B, go)
        elif fed == "written":
            y = said
    if go_shown:
        ids = np.hstack([np.full((B, 1), go), ids[:, :-1]])
    return {"ids": ids}


def widened(case, found):
    """Rows as wide as `longest`: whether the zeros behind the last symbol are returned does not matter."""
    ids = found["ids"]
    longest = int(case["longest"])
    if ids.ndim == 2 and ids.shape[1] < longest:
        ids = np.pad(ids, ((0, 0), (0, longest - ids.shape[1])))
    return {"ids": ids}


GREEDY_MISTAKES = (
    ("no stop at END", "A word goes on after its END. What comes behind END is 0.", {"stop": "never"}),
    ("END skipped, then on", "END itself is left out, but after it the word goes on. Once a row has ended it stays "
     "ended: remember which rows still go on.", {"stop": "this step"}),
    ("END written", "END is among the symbols that are returned. It ends a word and is no part of it.",
     {"keep_end": True}),
    ("all stop with the first", "All words stop when the first of them ends. Each has its own END.",
     {"stop": "all with the first"}),
    ("the first row decides", "All words stop when the first *row* ends. Each has its own END.", {"stop": "first row"}),
    ("states not carried", "Every step starts from the first states. Hand the new ones to the next step.",
     {"carried": False}),
    ("GO at every step", "The decoder is given GO at every step. After the first step it is given what it has just "
     "said.",
     {"fed": "go"}),
    ("begun with END", "The first symbol you give the decoder is END. It begins with GO.", {"first": "end"}),
    ("begun with padding", "The first symbol you give the decoder is 0. It begins with GO.", {"first": "0"}),
    ("one symbol too few", "You take one step too few: `longest` symbols may be said.", {"short": True}),
    ("GO among the symbols", "The rows begin with GO. It is given to the decoder, not said by it.", {"go_shown": True}),
)
RIGHT_ALONE = ("all stop with the first", "the first row decides", "one symbol too few")

GREEDY = Exercise(
    id="s2s.greedy",
    title="Greedy decoding",
    cases=greedy_cases,
    reference=follow,
    derive=widened,
    aspects=(
        Aspect("one word", 1, on=("one word/*",), ask="What is the decoder given, and what does it say, step by step?"),
        Aspect("several words", 4, on=("several/*", "cut off/*", "one symbol/*"), ask="Follow one word by hand: what "
               "is the decoder given, what does it say, and when does it stop?"),
    ),
    misconceptions=mistakes(follow, *GREEDY_MISTAKES),
    forbids=("unrolled.lessons.s2s.follow", "unrolled.lessons.s2s.search"),
)


# s2s.beam: several hypotheses at once

def beam_cases(rng):
    def case(about, width, longest, V, ends, alpha):
        while True:
            arrays = toy_decoder(rng, V, V + 2, sharp=0.5) | {
                "s": rng.uniform(-1, 1, (1, V + 2)), "k": rng.uniform(-2, 0, (1, 1)), "width": width,
                "longest": longest, "alpha": alpha}
            n = len(search(arrays)["ids"])
            if 2 <= n < longest - 1 if ends else n == longest:
                return Case(arrays, about=f"{told(V=V, width=width)}, alpha {alpha:.2f}, at most {longest} symbols, "
                                          f"{about}")

    def apart(other, same, *how, alike=_alike):
        """A case in which some wrong ways, by their names, lead somewhere else, and some to the same."""
        changes = {name: change for name, _, change in BEAM_MISTAKES}
        while True:
            drawn = case(*how)
            right = search(drawn)
            if all(alike(search(drawn, **changes[name]), right) == (name in same) for name in (*other, *same)):
                return drawn

    narrow, alpha = int(rng.integers(2, 4)), rng.uniform(0.4, 0.9)
    ends, cut = "the best ends in time", "the best does not end in time"
    own, late, lost = "each keeps its own best", "unfinished dropped", "states of another hypothesis"
    few, many = "one symbol too few", "one symbol too many"
    room, on = "finished take up room", "ended hypotheses go on"  # the second can do harm only where length counts

    def tempting():
        """One step more would find something better."""
        while True:
            drawn = apart((late, few, many), (room, on), cut, 3, 4, 6, False, alpha)
            more = search(drawn, short=-1)
            if more["score"] > search(drawn)["score"] + 1e-3 and len(more["ids"]) == drawn["longest"]:
                return drawn
    return {"width one": apart(("begun with END",), (on,), ends, 1, 8, 7, True, alpha, alike=_same_symbols),
            "one symbol": apart((many,), (late,), "one symbol and no more", narrow, 1, 6, False, 0.0),
            "narrow": apart(("greedy", "stopped at the first END"), (own, late), ends, narrow, 6, 6, True, 0.0),
            "crowded": apart((room,), (late,), ends, 3, 6, 6, True, 0.0),
            "crossed": apart((own, lost), (late,), ends, 3, 6, 6, True, 0.0),
            "long or short": apart(("no length normalisation", "END not counted", "greedy", own, lost, on), (room,),
                                   ends, 3, 6, 6, True, alpha),
            "cut off": tempting(),
            "everything": apart(("greedy", own, lost), (few, many, late, room, on), "wide enough for all that can be "
                                "said", 20, 4, 5, True, alpha)}


def _same_symbols(a, b):
    return np.array_equal(a["ids"], b["ids"])


def _alike(a, b):
    return not isinstance(a, Raises) and _same_symbols(a, b) and bool(np.isclose(a["score"], b["score"]))


def search(case, alpha=None, count_end=True, finished="kept", unfinished="kept", parents="own", score="log",
           total="sum", compete="all", width=None, first="go", end_shown=False, short=False):
    """Beam search of one word, all hypotheses in one batch; each keyword is a way to get it wrong."""
    step, states = toy.decoder(case), [case["s"], case["k"]]
    go, end, longest = (int(case[name]) for name in ("go", "end", "longest"))
    width = width or int(case["width"])
    alpha = float(case["alpha"]) if alpha is None else alpha
    live: list[tuple[float, list[int]]] = [(1.0 if score == "p" else 0.0, [])]
    done: list[tuple[float, list[int]]] = []

    def value(hypothesis):
        t, ids = hypothesis
        length = len(ids) - (not count_end and ids[-1:] == [end])
        return t / max(length, 1) ** alpha
    for _ in range(longest - short):
        if not live:
            break
        logits, new = step(np.array([ids[-1] if ids else {"go": go, "end": end}[first] for _, ids in live]), states)
        each = logits if score == "logits" else np.log(softmax(logits))
        before = np.array([[t if total == "sum" else 0.0] for t, _ in live])
        table = before * np.exp(each) if score == "p" else before + each
        if compete == "own" and live[0][1]:
            places = [(p, int(v)) for p, v in enumerate(table.argmax(axis=1))]
        else:
            places = list(np.ndindex(table.shape))
        places.sort(key=lambda place: -table[place])
        room = width - (len(done) if finished == "take room" else 0)
        kept = [(float(table[p, v]), [*live[p][1], v], p) for p, v in places[:max(room, 0)]]
        done += [(t, ids) for t, ids, _ in kept if ids[-1] == end]
        kept = [k for k in kept if k[1][-1] != end or finished == "go on"]
        live, parent = [(t, ids) for t, ids, _ in kept], [p for *_, p in kept]
        if parents == "slot":
            parent = [min(j, len(logits) - 1) for j in range(len(live))]
        states = [state[parent] for state in new]
        if finished == "first" and done:
            live = []
    if finished == "dropped":
        done = []
    pool = done + (live if unfinished == "kept" or not done else [])
    if not pool:
        return Raises("ValueError|IndexError", "empty|out of range")
    best = max(pool, key=value)
    ids = best[1] if end_shown else [i for i in best[1] if i != end]
    return {"ids": np.array(ids, int), "score": value(best)}


BEAM_MISTAKES = (
    ("no length normalisation", "The scores are not divided by length**alpha. Each symbol makes a sum of logarithms "
     "smaller, so short words win.", {"alpha": 0.0}),
    ("alpha ignored", "You divide by the length itself; the exercise says length**alpha.", {"alpha": 1.0}),
    ("END not counted", "END is a decision, too: it counts in the length.", {"count_end": False}),
    ("finished dropped", "Hypotheses that have said END are lost. Put them aside with their score: one of them may be "
     "the best.", {"finished": "dropped"}),
    ("stopped at the first END", "You stop as soon as a hypothesis ends. A longer one may be better.",
     {"finished": "first"}),
    ("unfinished dropped", "Hypotheses that have not ended after `longest` symbols count, too.",
     {"unfinished": "dropped"}),
    ("finished take up room", "Finished hypotheses take up places in the beam. They are put aside; each step keeps "
     "`width` extensions of those that go on.", {"finished": "take room"}),
    ("ended hypotheses go on", "What has said END is extended further, in the place of a hypothesis that still goes "
     "on. Once it has ended it is put aside for good.", {"finished": "go on"}),
    ("states of another hypothesis", "After the sort the hypotheses stand in a new order, but their states do not: "
     "each must take the state of the hypothesis it grew from.", {"parents": "slot"}),
    ("scores summed, not log-probabilities", "You add up the scores as they come. Take their log-softmax first: scores "
     "of different steps cannot be compared.", {"score": "logits"}),
    ("probabilities, not their logarithms", "You multiply probabilities. Add their logarithms: a product of many small "
     "numbers becomes 0, and length**alpha works the other way round on it.", {"score": "p"}),
    ("last symbol's score only", "A hypothesis keeps the score of its last symbol only. Add it to what it had.",
     {"total": "last"}),
    ("each keeps its own best", "Each hypothesis goes on with its own best symbol, without competing: they are `width` "
     "greedy searches. Put all extensions of all hypotheses together, then keep the best.", {"compete": "own"}),
    ("greedy", "Only the best extension is kept: that is greedy decoding, width 1.", {"width": 1}),
    ("begun with END", "The first symbol you give the decoder is END. It begins with GO.", {"first": "end"}),
    ("END written", "END is among the symbols that are returned. It ends a word and is no part of it.",
     {"end_shown": True}),
    ("one symbol too few", "You take one step too few: `longest` symbols may be said.", {"short": True}),
    ("one symbol too many", "You take one step too many: at most `longest` symbols may be said, END with them.",
     {"short": -1}),
)


BEAM = Exercise(
    id="s2s.beam",
    title="Beam search",
    cases=beam_cases,
    reference=search,
    aspects=(
        Aspect("width one", 1, on=("width one/ids",), ask="With one hypothesis it is greedy decoding."),
        Aspect("several hypotheses", 3, on=("narrow/*", "crowded/*", "crossed/*", "one symbol/*"), ask="Here alpha is "
               "0: the score is the sum. Draw the tree of two steps by hand: which `width` extensions are kept, and "
               "which state goes with each?"),
        Aspect("divided by length", 2, on=("width one/score", "long or short/*", "cut off/*"), ask="Take the symbols "
               "that come back, END with them: what is their sum, and their number to the power of alpha?"),
        Aspect("equal to trying everything", 2, on=("everything/*",), ask="With room for all hypotheses the answer is "
               "the best of all there are."),
    ),
    misconceptions=mistakes(search, *BEAM_MISTAKES),
    forbids=("unrolled.lessons.s2s.search", "unrolled.lessons.s2s.beam_tree", "unrolled.lessons.s2s.follow"),
)


# s2s.error_rate: edits over symbols

def rate_cases(rng):
    def case(about, make):
        truth, said = make()
        longest = max(map(len, truth + said))
        arrays = {name: np.array([row + [0] * (longest - len(row)) for row in rows])
                  for name, rows in (("truth", truth), ("said", said))}
        return Case(arrays, about=f"{told(words=len(truth))}, {about}")

    def word(least=2, most=8, of=6):
        return [int(i) for i in rng.integers(1, of, rng.integers(least, most))]

    def several():
        """A right word, one in another order, one with another symbol, one whose last opens the next, and more."""
        rows = [word(4) for _ in range(7)]
        i = int(rng.integers(1, 3))
        said = [rows[0], rows[1][1:] + rows[1][:1], [*rows[2][:i], 6, *rows[2][i + 1:]], rows[3][:-1],
                rows[3][-1:] + rows[4], rows[5][:i], [*rows[6], 6, 7]]
        order = [0, 1, 2, 5, 3, 4, 6] if rng.integers(2) else [3, 4, 6, 2, 0, 5, 1]
        return [rows[k] for k in order], [said[k] for k in order]

    def apart():
        while True:
            drawn = case("some right, some with symbols too many, too few or other ones", several)
            right, *outcomes = (tuple(round(v, 6) for v in error_rate(drawn, **change).values())
                                for change in [{}, *(change for _, _, change in RATE_MISTAKES)])
            if len({*outcomes, right}) == len(outcomes) + 1:
                return drawn
    def unlike():
        """Words that have little in common, words behind some symbols too many, and right ones."""
        rows = [word(1, 8, of=4) for _ in range(rng.integers(12, 25))]
        right = [word(7, 8) for _ in range(rng.integers(8, 18))]
        return rows + right, [word(1, 8, of=4) + (row if i % 2 else []) for i, row in enumerate(rows)] + right

    def too_long():
        rows = [word(5, 8), word(8, 12)]
        return rows, [row * 4 + word(1, 10) for row in rows]
    return {"several": apart(), "unlike": case("some words right, the others with hardly a symbol right", unlike),
            "one word": case("one word, nothing said", lambda: ([word()], [[]])),
            "right": case("all right", lambda: (lambda rows: (rows, rows))([word(), word()])),
            "too long": case("much more said than there is", too_long)}


def edits(a, b, substitution=1, insertion=1, deletion=1):
    """The least cost that turns what was said, a, into what is right, b. An insertion is a symbol said too many."""
    return _edits(tuple(a), tuple(b), substitution, insertion, deletion)


@lru_cache(4096)  # the wrong ways to count differ in what they do with the edits, hardly in the edits
def _edits(a, b, substitution, insertion, deletion):
    above = [deletion * j for j in range(len(b) + 1)]
    for i, x in enumerate(a, 1):
        row = [insertion * i]
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + insertion, row[j - 1] + deletion, above[j - 1] + substitution * (x != y)))
        above = row
    return above[-1]


def error_rate(case, cost=None, count="edits", by="truth", mean="pooled", cap=False, words="wrong", right=False):
    """Phoneme and word error rate; each keyword is a way to get them wrong."""
    said, truth = ([[int(i) for i in row if i] for row in case[name]] for name in ("said", "truth"))
    if mean == "one text":
        wrong = [edits(list(chain(*said)), list(chain(*truth)))]
    else:
        wrong = [_counted(count, a, b, cost or {}) for a, b in zip(said, truth, strict=True)]
    lengths = [{"truth": len(b), "said": len(a), "longer": max(len(a), len(b)), "both": len(a) + len(b)}[by]
               for a, b in zip(said, truth, strict=True)]
    if mean == "of words":
        phonemes = np.mean([w / max(n, 1) for w, n in zip(wrong, lengths, strict=True)])
    else:
        phonemes = sum(wrong) / max(sum(lengths), 1) if mean != "a word" else sum(wrong) / len(truth)
    wrong_words = np.mean([a != b for a, b in zip(said, truth, strict=True)])
    wrong_words = {"wrong": wrong_words, "right": 1 - wrong_words, "count": wrong_words * len(truth),
                   "length": np.mean([len(a) != len(b) for a, b in zip(said, truth, strict=True)])}[words]
    phonemes = min(phonemes, 1) if cap else phonemes
    return {"phonemes": 1 - phonemes if right else phonemes, "words": wrong_words}


def _counted(count, a, b, cost):
    if count == "places":
        return sum(x != y for x, y in zip(a, b, strict=False)) + abs(len(a) - len(b))
    if count == "shared places":
        return sum(x != y for x, y in zip(a, b, strict=False))
    if count == "bag":
        return max(sum((Counter(a) - Counter(b)).values()), sum((Counter(b) - Counter(a)).values()))
    return edits(a, b, **cost)


RATE_MISTAKES = (
    ("divided by what was said", "You divide by the number of symbols that were *said*. Whoever says much then looks "
     "good. Divide by the number that should have been said.", {"by": "said"}),
    ("divided by the longer", "You divide by the longer of the two. Divide by the number of symbols that should have "
     "been said, even if the rate comes out above 1.", {"by": "longer"}),
    ("divided by both", "You divide by the symbols of both rows together. Divide by those that should have been said.",
     {"by": "both"}),
    ("mean of the words' rates", "You average the words' rates: an error in a short word weighs more then. Add up all "
     "edits, add up all lengths, divide once.", {"mean": "of words"}),
    ("divided by the number of words", "You divide the edits by the number of words; divide by the number of symbols.",
     {"mean": "a word"}),
    ("compared place by place", "You compare place by place. One symbol too many at the front, and all the rest counts "
     "as wrong. Count edits: insertions, deletions, substitutions.", {"count": "places"}),
    ("shared places only", "You compare the places that both rows have; what is missing or too much costs nothing.",
     {"count": "shared places"}),
    ("order ignored", "You count which symbols are there, not in what order.", {"count": "bag"}),
    ("substitution costs 2", "A substitution costs 1, not a deletion plus an insertion.",
     {"cost": {"substitution": 2}}),
    ("insertions cost nothing", "A symbol said too many costs nothing in your count. It costs 1.",
     {"cost": {"insertion": 0}}),
    ("deletions cost nothing", "A symbol that is missing costs nothing in your count. It costs 1.",
     {"cost": {"deletion": 0}}),
    ("one long text", "You put all words together into one long row: symbols of one word are then matched with the "
     "next word's. Count the edits word by word.", {"mean": "one text"}),
    ("share that is right", "You return 1 minus the phoneme error rate.", {"right": True}),
    ("share of words that are right", "The second number is the share of words that are right; the share that is "
     "*wrong* is wanted.", {"words": "right"}),
    ("words counted", "The second number counts the wrong words; divide by how many words there are.",
     {"words": "count"}),
    ("words of the right length", "A word is wrong unless *every* symbol is right; you only compare lengths.",
     {"words": "length"}),
)

ERROR_RATE = Exercise(
    id="s2s.error_rate",
    title="Phoneme and word error rate",
    cases=rate_cases,
    reference=error_rate,
    aspects=(
        Aspect("phoneme error rate", 3, on=("several/phonemes", "unlike/phonemes", "one word/phonemes",
                                               "right/phonemes"),
               ask="Take one word and count the edits by hand. What do you divide by?"),
        Aspect("above 1", 1, on=("too long/phonemes",), ask="Whoever says four times as much makes more errors than "
        "there are symbols."),
        Aspect("word error rate", 1, on=("*/words",), ask="The share of words that are not right from beginning to "
        "end."),
    ),
    misconceptions=mistakes(error_rate, *RATE_MISTAKES, (
        "held below 1", "You cut the rate off at 1. More can be wrong than there is: symbols too many count.",
        {"cap": True})),
)


# s2s.mix_and_match: any encoder, any cell

def mix_cases(rng):
    def case(kind, feed, about, B=None, S=None, T=None, padded=False):
        drawn = sizes(rng, 8, 2, 10)
        B, S, T = B or drawn[0], S or max(drawn[1], 5), T or max(drawn[2], 5)
        S += (S == T and S > 1)
        D, E, C, u, V = drawn[3:]
        arrays = {"cell": codes(kind), "feed": codes(feed), "x": rng.normal(size=(B, S, D)),
                  "y": rng.normal(size=(B, T, E)),
                  "bag": rng.normal(size=(D, C)) * 0.4, **weights(rng, E + C * (feed == "every"), u, BLOCKS[kind]),
                  "readout": rng.normal(size=(u, V)), "readout_bias": rng.normal(size=V)}
        for i in range(2 if kind == "lstm" else 1):
            arrays |= {f"bridge {i}": rng.normal(size=(C, u)) * 0.4, f"bridge bias {i}": rng.normal(size=u) * 0.4}
        if padded:
            arrays["mask"] = valid(ragged(rng, B, S), S)
        return Case(arrays, about=f"{kind.upper()}, feed={feed!r}, "
                            f"{told(B=B, S=S, T=T, D=D, E=E, C=C, u=u, V=V)}, {about}")
    return {"start": case("gru", "start", "no padding"),
            "start, padded": case("gru", "start", "padding among the letters, one word all padding", padded=True),
            "every": case("rnn", "every", "no padding"),
            "every, padded": case("gru", "every", "padding among the letters, one word all padding", padded=True),
            "two states": case("lstm", "start", "padding among the letters", padded=True),
            "one step": case("rnn", "start", "one word of one letter, one sound", B=1, S=1, T=1),
            "two states, every": case("lstm", "every", "no padding", T=int(rng.integers(6, 11)))}


def mix(case, mask="passed", feed="own", bridges="each", order=None, at="every", scores="logits", reset=False,
        in_front=False, cut=False, lag=False, source=False):
    """The scores (B, T, V); each keyword is a way to get them wrong."""
    kind, wanted = text(case["cell"]), text(case["feed"])
    used = wanted if feed == "own" else feed
    if used != wanted:
        fed = case["y"].shape[-1] + (case["bag"].shape[1] if used == "every" else 0)
        return Raises("ValueError", f"the cell is fed {fed} numbers a step")
    x, y = case["x"], case["y"]
    B, S, _ = x.shape
    T = y.shape[1]
    m = case["mask"] if "mask" in case else np.ones((B, S), bool)
    if mask == "ignored":
        m = np.ones_like(m)
    if mask == "inverted" and "mask" in case:
        m = ~m
    if mask == "first row":
        m = np.repeat(m[:1], B, axis=0)
    c = np.einsum("bsd,bs->bd", x, m * np.arange(1, S + 1) / 5) @ case["bag"]
    count = 2 if kind == "lstm" else 1
    states = [np.tanh(c @ case[f"bridge {i}"] + case[f"bridge bias {i}"]) for i in range(count)]
    if bridges == "none":
        states = [0 * s for s in states]
    if bridges == "h only":
        states[1:] = [0 * s for s in states[1:]]
    if bridges == "first for all":
        states = [states[0]] * count
    if order:
        states = states[::-1]
    first, outputs = states, []
    for t in range(T):
        now = y[:, t]
        if used == "every":
            here = c if at == "every" or t == 0 else 0 * c
            now = np.hstack([here, now] if in_front else [now, here])
        old = states
        states = cell_step(kind, now, first if reset else states, case["W"], case["U"], case["b"])
        outputs.append(old[0] if lag else states[0])
    logits = np.stack(outputs, axis=1) @ case["readout"] + case["readout_bias"]
    if cut:
        logits = logits[:, -1]
    return {"logits": softmax(logits) if scores == "softmax" else logits}


MIX = Exercise(
    id="s2s.mix_and_match",
    title="Any encoder with any decoder",
    cases=mix_cases,
    reference=mix,
    aspects=(
        Aspect("shapes", 1, shape_only=True),
        Aspect("context at the start", 2, on=("start/*", "one step/*"), ask="Encode, build the first state with the "
        "bridge, run the decoder, read out."),
        Aspect("context at every step", 2, on=("every/*", "two states, every/*"), ask="Each decoder input is the sound "
        "with c behind it."),
        Aspect("two states", 1, on=("two states/*",), ask="An LSTM starts from h and c; each has its bridge."),
        Aspect("padding", 2, on=("start, padded/*", "every, padded/*"), ask="Does the encoder get the mask?"),
    ),
    misconceptions=mistakes(
        mix,
        ("mask not handed on", "The encoder never gets the mask, so it reads the padding.", {"mask": "ignored"}),
        ("mask inverted", "The encoder gets the mask the wrong way round: True means a letter is there.",
         {"mask": "inverted"}),
        ("states not given", "The decoder starts from 0. Its first states are what the bridges make of c: "
         "`initial_state=...`.", {"bridges": "none"}),
        ("c of the LSTM starts at zero", "Only h is built from the context; the second state starts at 0. Use both "
         "bridges.",
         {"bridges": "h only"}),
        ("one bridge for both states", "Both states are built by the first bridge. Each has its own.",
         {"bridges": "first for all"}),
        ("bridges exchanged", "The first bridge makes the first state, h; the second one c. Yours are exchanged.",
         {"order": "ch"}),
        ("never at every step", "`feed=\"every\"` changes nothing: the context has to stand behind each decoder input.",
         {"feed": "start"}),
        ("always at every step", "With `feed=\"start\"` the context only makes the first state; you give it to each "
         "step.",
         {"feed": "every"}),
        ("context at the first step only", "The context stands behind the first input only, and zeros behind the "
         "others. Repeat it T times.", {"at": "first"}),
        ("context in front", "The context stands in front of the sound. Here it comes behind: first y, then c.",
         {"in_front": True}),
        ("state reset at every step", "Every step starts from the first states. The decoder carries them on.",
         {"reset": True}),
        ("softmax taken", "You return probabilities. Scores are wanted: the loss takes the softmax itself.",
         {"scores": "softmax"}),
        ("only the last step", "Only the scores of the last step come back. Each step has its target: "
         "`return_sequences=True`.", {"cut": True}),
        ("scores one step late", "The scores at step t come from the state before it: they do not know the sound that "
         "was just given.", {"lag": True}),
    ),
    forbids=("unrolled.lessons.s2s.Pair",),
)

EXERCISES = [SHIFT, MASKED_LOSS, ENCODER, DECODER_STEP, GREEDY, BEAM, ERROR_RATE, MIX]
