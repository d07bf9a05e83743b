"""Probes of lesson 07: an encoder, a decoder, and how to get words out of them."""

from __future__ import annotations

import keras

from unrolled.probes import text, toy


def shift_targets(shift_targets, case):
    """Decoder inputs and targets of padded rows."""
    inputs, targets = _pair(shift_targets(case["y"], int(case["go"]), int(case["end"])), "inputs, targets")
    return {"inputs": inputs, "targets": targets}


def masked_loss(masked_loss, case):
    """The loss of scores (B, T, V)."""
    return {"loss": masked_loss(case["targets"], case.float32("logits"))}


def encoder(encode, case):
    """The final states of a cell with given weights, after padded rows."""
    given = {}
    if "mask" in case:
        given["mask"] = keras.ops.convert_to_tensor(case["mask"])
    if "state 0" in case:
        given["states"] = case.watch("states", [case.float32(f"state {i}") for i in range(_states(case))])
    return _named(encode(_cell(case, case["x"].shape[-1]), case.float32("x"), **given), case)


def decoder_step(decoder_step, case):
    """One step of a decoder: scores and new states."""
    E, C = case["embedding"].shape[1], case["context"].shape[1] if "context" in case else 0
    states = case.watch("states", [case.float32(f"state {i}") for i in range(_states(case))])
    given = {"context": case.float32("context")} if C else {}
    readout = [case.float32(name) for name in ("embedding", "readout", "readout_bias")]
    y = case.watch("y", case["y"].astype("int32"))
    logits, new = _pair(decoder_step(_cell(case, E + C), y, states, *readout, **given), "logits, states")
    return {"logits": logits} | _named(new, case)


def greedy(greedy, case):
    """The symbols that are written, (B, longest)."""
    go, end, longest = (int(case[name]) for name in ("go", "end", "longest"))
    return {"ids": greedy(toy.decoder(case), case.watch("states", [case["s"], case["k"]]), go, end, longest)}


def beam(beam_search, case):
    """The best hypothesis and its score."""
    go, end, width, longest = (int(case[name]) for name in ("go", "end", "width", "longest"))
    states = case.watch("states", [case["s"], case["k"]])
    ids, score = _pair(beam_search(toy.decoder(case), states, go, end, width, longest, float(case["alpha"])),
                       "ids, score")
    return {"ids": ids, "score": score}


def error_rate(error_rate, case):
    """Phoneme and word error rate of lists of symbols."""
    said, truth = (case.watch(name, [[int(i) for i in row if i] for row in case[name]]) for name in ("said", "truth"))
    phonemes, words = _pair(error_rate(said, truth), "phoneme error rate, word error rate")
    return {"phonemes": phonemes, "words": words}


def mix_and_match(Seq2Seq, case):
    """The scores of an encoder and a cell with given weights."""
    x, y, symbols = case.float32("x"), case.float32("y"), case["readout"].shape[1]
    encoder, feed = _Bag(case["bag"].shape[1]), text(case["feed"])
    cell = CELLS[text(case["cell"])](case["U"].shape[0], **SETTINGS.get(text(case["cell"]), {}))
    made = Seq2Seq(encoder, cell, symbols, feed=feed)
    encoder.build(x.shape)
    encoder.set_weights([case.float32("bag")])
    cell.build((None, len(case["W"])))
    cell.set_weights([case.float32(name) for name in ("W", "U", "b")])
    for i, bridge in enumerate(made.bridges):
        bridge.build((None, case["bag"].shape[1]))
        bridge.set_weights([case.float32(f"bridge {i}"), case.float32(f"bridge bias {i}")])
    made.readout.build((None, None, case["U"].shape[0]))
    made.readout.set_weights([case.float32("readout"), case.float32("readout_bias")])
    # All parts have their weights: Keras need not trace `call` to find out about them.
    made.built = type(made).build is keras.layers.Layer.build
    inputs = _watched_inputs(cell, len(case["W"]), feed)
    given = {"mask": keras.ops.convert_to_tensor(case["mask"])} if "mask" in case else {}
    logits = made(x, y, **given)
    if not inputs:
        raise ValueError("the decoder's cell was never used")
    return {"logits": logits}


def _watched_inputs(cell, width, feed):
    """The widths of what a cell is fed, a list that grows; another width than `width` stops it, in words."""
    inside, seen = cell.call, []

    def call(inputs, *states, **settings):
        seen.append(inputs.shape[-1])
        if inputs.shape[-1] != width:
            raise ValueError(f"the cell is fed {inputs.shape[-1]} numbers a step; with feed={feed!r} it should be "
                             f"{width}")
        return inside(inputs, *states, **settings)

    cell.call = call
    return seen


class _Bag(keras.layers.Layer):
    """An encoder: the valid inputs' sum, later ones weighing more, through one matrix. (B, S, D) -> (B, units)."""

    def __init__(self, units):
        super().__init__()
        self.units = units
        self.supports_masking = True

    def compute_mask(self, x, previous_mask=None):
        """The context has no time axis left to mask."""

    def build(self, shape):
        self.bag = self.add_weight(shape=(shape[-1], self.units), name="bag")

    def call(self, x, mask=None):
        if len(x.shape) != 3:
            raise ValueError(f"the encoder takes (batch, letters, features); it got {tuple(x.shape)}")
        weight = keras.ops.arange(1, x.shape[1] + 1, dtype=x.dtype) / 5
        if mask is not None:
            weight = weight * keras.ops.cast(mask, x.dtype)
        return keras.ops.matmul(keras.ops.sum(x * keras.ops.reshape(weight, (-1, x.shape[1], 1)), axis=1), self.bag)


CELLS = {"rnn": keras.layers.SimpleRNNCell, "gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell}
SETTINGS = {"gru": {"reset_after": False}}


def _cell(case, inputs):
    kind = text(case["cell"])
    cell = CELLS[kind](case["U"].shape[0], **SETTINGS.get(kind, {}))
    cell.build((None, inputs))
    cell.set_weights([case.float32(name) for name in ("W", "U", "b")])
    return cell


def _states(case):
    return 2 if text(case["cell"]) == "lstm" else 1


def _named(states, case):
    if not isinstance(states, tuple | list) or len(states) != _states(case):
        raise TypeError(f"return the states as a list; this cell has {_states(case)}")
    return {f"state {i}": state for i, state in enumerate(states)}


def _pair(result, names):
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise TypeError(f"return two things: {names}")
    return result
