"""What lesson 07 gives its students: letters and sounds as numbers, a way to train, and parts that later cells need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from unrolled.data.cmudict import CONSONANTS, VOWELS

PAD, GO, END = 0, 1, 2
SOUNDS = ["", "GO", "END", *VOWELS, *CONSONANTS]
_SOUND = {sound: i for i, sound in enumerate(SOUNDS)}


def letters(words: Sequence[str]) -> np.ndarray:
    """Words of small letters a-z as numbers 1-26, padded with 0: (words, longest)."""
    return _table([[ord(letter) - ord("a") + 1 for letter in word] for word in words])


def sounds(said: Sequence[Sequence[str]]) -> np.ndarray:
    """Pronunciations as places in `SOUNDS`, without the stress, padded with 0: (words, longest)."""
    return _table([[_SOUND[sound.rstrip("012")] for sound in row] for row in said])


def in_words(ids: Sequence[int]) -> str:
    """A row of sounds as text, up to END or padding: ``"W AO K"``."""
    kept = []
    for i in ids:
        if i in (PAD, END):
            break
        kept.append(SOUNDS[i])
    return " ".join(kept)


def _table(rows: list[list[int]]) -> np.ndarray:
    table = np.zeros((len(rows), max(map(len, rows), default=0)), "int32")
    for to, row in zip(table, rows, strict=True):
        to[:len(row)] = row
    return table


def with_go_and_end(y, go: int = GO, end: int = END):
    """Decoder inputs and targets (B, T + 1) from padded rows (B, T): GO in front of one, END behind the other."""
    y = np.asarray(y)
    nothing = np.zeros((len(y), 1), y.dtype)
    inputs, targets = np.hstack([nothing + go, y]), np.hstack([y, nothing])
    targets[np.arange(len(y)), (y > 0).sum(axis=1)] = end
    return inputs * (targets > 0), targets


def loss_per_symbol(targets, logits):
    """Mean cross-entropy in nats over the targets that are not padding; 0 if all are."""
    losses = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    losses *= (valid := ops.cast(ops.not_equal(targets, PAD), losses.dtype))
    return ops.sum(losses) / ops.maximum(ops.sum(valid), 1)


class ConvEncoder(keras.layers.Layer):
    """Three letters at a time, twice, then the largest value of each feature over the word: (B, S, D) -> (B, units)."""

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.convolutions = [keras.layers.Conv1D(units, 3, padding="same", activation="tanh") for _ in range(2)]

    def compute_mask(self, x, previous_mask):
        """The context has no letters left to mask."""

    def call(self, x, mask=None):
        """x: (B, S, D); mask: (B, S) or None. Padding is 0 before each convolution and never the largest after."""
        valid = ops.ones_like(x[..., :1]) if mask is None else ops.cast(mask, x.dtype)[..., None]
        for convolve in self.convolutions:
            x = convolve(x * valid)
        return ops.max(x * valid - 2 * (1 - valid), axis=1)  # tanh is above -1, padding at -2


class Pair(keras.Model):
    """Letters in, scores of the sounds out: an encoder and a decoder cell, joined as in `s2s.mix_and_match`.

    encoder: a layer, `encoder(x, mask=mask)` -> (B, C); cell: a Keras cell; feed: "start" or "every".
    """

    def __init__(self, encoder, cell, feed: str = "every", embed: int = 32):
        super().__init__()
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.from_letters = keras.layers.Embedding(27, embed)
        self.from_sounds = keras.layers.Embedding(len(SOUNDS), embed)
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(len(SOUNDS))
        self._quick = tf.function(self._one_step, reduce_retracing=True)

    def call(self, inputs):
        """inputs: letters (B, S) and decoder inputs (B, T). Returns scores (B, T, symbols)."""
        x, y = inputs
        c, states = self.start(x)
        y = self.from_sounds(y)
        if self.feed == "every":
            y = ops.concatenate([y, ops.repeat(c[:, None], ops.shape(y)[1], axis=1)], axis=-1)
        return self.readout(self.decoder(y, initial_state=states))

    def start(self, x):
        """The context c (B, C) and the decoder's first states of padded letters (B, S)."""
        c = self.encoder(self.from_letters(x), mask=ops.not_equal(x, 0))
        return c, [bridge(c) for bridge in self.bridges]

    def _one_step(self, y, states, c):
        y = self.from_sounds(y)
        if self.feed == "every":
            y = ops.concatenate([y, c], axis=-1)
        h, states = self.cell(y, states)
        return self.readout(h), states

    def stepper(self, x) -> tuple[Callable, list[np.ndarray]]:
        """A function `step(y, states) -> (logits, states)` for `greedy` and `beam`, and its first states.

        The context travels as the last of the states, so that a hypothesis takes it along.
        """
        c, states = self.start(np.asarray(x))

        def step(y, states):
            *states, c = map(tf.convert_to_tensor, states)
            logits, states = self._quick(tf.convert_to_tensor(y, "int32"), states, c)
            return logits.numpy(), [state.numpy() for state in [*states, c]]

        return step, [np.asarray(s) for s in [*states, c]]


def state_sizes(cell) -> list[int]:
    """The width of each state of a Keras cell: [u] for RNN and GRU, [u, u] for LSTM."""
    return [int(size) for size in np.ravel(cell.state_size)]


def train(model, x, y_in, y_out, epochs: int, rate: float = 4e-3, batch: int = 128, seed: int = 1):
    """Train on batches of words of nearly one length, so that little is computed on padding.

    x: letters (N, S); y_in, y_out: (N, T), 0 for padding. The rate falls along a half cosine to a tenth. A model that
    has been trained before starts with a fresh optimizer, from the weights it has. Returns the loss of each epoch, nats
    per sound.
    """
    rng = np.random.default_rng(seed)
    steps = -(-len(x) // batch)
    if model.compiled:
        for variable in model.optimizer.variables:
            variable.assign(ops.zeros_like(variable))
    else:
        falling = keras.optimizers.schedules.CosineDecay(rate, steps * epochs, alpha=0.1)
        optimizer = keras.optimizers.Adam(falling, global_clipnorm=1.0)
        # With all variables there before, the training step is traced once and not twice: seconds less.
        model([x[:1], y_in[:1]])
        optimizer.build(model.trainable_variables)
        model.compile(optimizer, loss_per_symbol, jit_compile=False)
    shape = tf.TensorSpec((None, None), "int32")
    data = tf.data.Dataset.from_generator(lambda: _batches(rng, x, y_in, y_out, batch),
                                          output_signature=((shape, shape), shape))
    # TensorFlow's search for a better graph takes longer than what it saves here.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        history = model.fit(data.repeat(), epochs=epochs, steps_per_epoch=steps, shuffle=False, verbose=0)
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
    return history.history["loss"]


def _batches(rng, x, y_in, y_out, size: int) -> Iterator:
    n = (x > 0).sum(axis=1) * 100 + (y_out > 0).sum(axis=1)
    order = np.argsort(n + rng.uniform(0, 50, len(n)))
    cuts = [order[i:i + size] for i in range(0, len(order), size)]
    for k in rng.permutation(len(cuts)):
        rows = cuts[k]
        S, T = (x[rows] > 0).any(axis=0).sum(), (y_out[rows] > 0).any(axis=0).sum()
        yield (x[rows, :S], y_in[rows, :T]), y_out[rows, :T]


def follow(step, states, longest: int = 20) -> np.ndarray:
    """Always the likeliest next sound, a batch at a time: ids (B, longest), 0 behind the last sound."""
    y = np.full(len(states[0]), GO)
    said, on = np.zeros((len(y), longest), int), np.ones(len(y), bool)
    for t in range(longest):
        logits, states = step(y, states)
        y = np.argmax(logits, axis=-1)
        on &= y != END
        if not on.any():
            break
        said[:, t] = y * on
    return said


def beam_tree(step, states, width: int, longest: int = 12) -> list[dict]:
    """The hypotheses that a beam of this width keeps for one word, as a tree.

    Each node is a dict: `sound` (an id), `t` (its step, from 1), `parent` (the place of its parent in the list, None at
    the first step), `total` (the sum of its log-probabilities).
    """
    nodes: list[dict] = []
    live = [(None, 0.0, states)]
    for t in range(1, longest + 1):
        grown = []
        for parent, total, now in live:
            logits, new = step(np.array([GO if parent is None else nodes[parent]["sound"]]), now)
            logp = logits[0] - np.logaddexp.reduce(logits[0])
            grown += [(total + p, parent, int(sound), new) for sound, p in enumerate(logp)]
        grown.sort(key=lambda g: -g[0])
        live = []
        for total, parent, sound, new in grown[:width]:
            nodes.append({"sound": sound, "t": t, "parent": parent, "total": float(total)})
            if sound != END:
                live.append((len(nodes) - 1, total, new))
    return nodes


# How a reader of English might write each sound down.
_VOWELS = dict(zip(VOWELS, "ah a uh aw ow eye e er ay i ee oh oy oo oo".split(), strict=True))  # noqa: SIM905
_SPELT = _VOWELS | {sound: sound.lower() for sound in CONSONANTS} | {"DH": "th", "HH": "h", "JH": "j"}


def respelt(ids: Sequence[int]) -> str:
    """A row of sounds as a reader of English might write it: ``"w-aw-k"``."""
    return "-".join(_SPELT[sound] for sound in in_words(ids).split())


def search(step, states, go: int, end: int, width: int, longest: int, alpha: float) -> tuple[list[int], float]:
    """Beam search of one word, all hypotheses in one batch: the best one's symbols and its score, as `s2s.beam` has it.

    states: arrays with one row. The score is the sum of log-probabilities over length ** alpha, END counted.
    """
    ids, totals, done = np.zeros((1, 0), int), np.zeros(1), []
    for _ in range(longest):
        if not len(ids):
            break
        logits, new = step(ids[:, -1] if ids.size else np.array([go]), states)
        table = totals[:, None] + logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        parent, symbol = np.unravel_index(np.argsort(-table, axis=None)[:width], table.shape)
        ids, totals = np.column_stack([ids[parent], symbol]), table[parent, symbol]
        done += [(t / ids.shape[1] ** alpha, row[:-1]) for t, row in zip(totals, ids, strict=True) if row[-1] == end]
        on = symbol != end
        ids, totals, states = ids[on], totals[on], [np.asarray(s)[parent][on] for s in new]
    done += [(t / longest ** alpha, row) for t, row in zip(totals, ids, strict=True)]
    score, best = max(done, key=lambda d: d[0])
    return best.tolist(), float(score)
