# %% [markdown]
# # Both directions

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import numpy as np
import keras
from keras import ops
from unrolled import check

# %% solution="bi.reverse_valid"
def reverse_valid(x, mask):
    """Reverse each row's valid steps in time; the padding stays behind them.

    x: (batch, time, features). mask: (batch, time), True where a step is valid; valid steps come first.
    Returns (batch, time, features).
    """
    ### BEGIN SOLUTION
    T = ops.shape(x)[1]
    t = ops.arange(T, dtype="int32")
    n = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)
    index = ops.where(t < n, n - 1 - t, t)
    return ops.take_along_axis(x, index[:, :, None], axis=1)
    ### END SOLUTION

# %% check="bi.reverse_valid"
check("bi.reverse_valid", reverse_valid)

# %%
def backwards(x, mask=None):
    """The valid part backwards, padding behind it; without a mask, the whole row. For the rest of the lesson."""
    if mask is None:
        return ops.flip(x, axis=1)
    t = ops.arange(ops.shape(x)[1], dtype="int32")
    n = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)
    return ops.take_along_axis(x, ops.where(t < n, n - 1 - t, t)[:, :, None], axis=1)

# %% solution="bi.merge"
def merge(forward, backward, mode="concat"):
    """Merge the outputs of the two directions, each (batch, time, u).

    mode: "concat" -> (batch, time, 2u), forward first; "sum", "mul", "ave" -> (batch, time, u);
    None -> the pair (forward, backward).
    """
    ### BEGIN SOLUTION
    if mode is None:
        return forward, backward
    if mode == "concat":
        return ops.concatenate([forward, backward], axis=-1)
    if mode == "sum":
        return forward + backward
    if mode == "mul":
        return forward * backward
    if mode == "ave":
        return (forward + backward) / 2
    raise ValueError(f"unknown merge mode {mode!r}")
    ### END SOLUTION

# %% check="bi.merge"
check("bi.merge", merge)

# %%
MERGES = {
    "concat": lambda f, b: ops.concatenate([f, b], axis=-1), "sum": ops.add, "mul": ops.multiply,
    "ave": lambda f, b: (f + b) / 2, None: lambda f, b: (f, b),
}

def join(forward, backward, mode):
    """The two directions' outputs in one of the five ways; for the rest of the lesson."""
    return MERGES[mode](forward, backward)

# %% solution="bi.layer"
class BiRNN(keras.layers.Layer):
    """Read a sequence in both directions with two cells of one kind.

    cell: any cell, such as keras.layers.GRUCell(32); the second one is made from its config.
    merge_mode: "concat", "sum", "mul", "ave" or None.
    Keeps its cells as self.forward_cell and self.backward_cell.
    Input (batch, time, D), mask (batch, time); output (batch, time, 2u) for "concat".
    """

    ### BEGIN SOLUTION
    def __init__(self, cell, merge_mode="concat", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.merge_mode = merge_mode
        self.forward_cell = cell
        self.backward_cell = type(cell).from_config(cell.get_config())
        self.forward_rnn = keras.layers.RNN(self.forward_cell, return_sequences=True)
        self.backward_rnn = keras.layers.RNN(self.backward_cell, return_sequences=True)

    def build(self, shape):
        self.forward_rnn.build(shape)
        self.backward_rnn.build(shape)

    def call(self, x, mask=None):
        forward = self.forward_rnn(x, mask=mask)
        backward = self.backward_rnn(backwards(x, mask), mask=mask)
        return join(forward, backwards(backward, mask), self.merge_mode)

    def get_config(self):
        cell = keras.layers.serialize(self.forward_cell)
        return {**super().get_config(), "cell": cell, "merge_mode": self.merge_mode}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "cell": keras.layers.deserialize(config["cell"])})
    ### END SOLUTION

# %% check="bi.layer"
check("bi.layer", BiRNN)

# %% solution="bi.final_state"
def final_state(forward, backward, mask):
    """What each direction knows once it has read everything.

    forward, backward: (batch, time, u), position t of both speaks about step t. mask: (batch, time).
    Returns (batch, 2u), the forward half first.
    """
    ### BEGIN SOLUTION
    last = ops.sum(ops.cast(mask, "int32"), axis=1) - 1
    end = ops.take_along_axis(forward, last[:, None, None], axis=1)[:, 0]
    return ops.concatenate([end, backward[:, 0]], axis=-1)
    ### END SOLUTION

# %% check="bi.final_state"
check("bi.final_state", final_state)

# %% solution="bi.bmes_decode"
def bmes_decode(characters, tags):
    """Cut a sentence into words.

    characters: a string. tags: one of B, M, E, S for each character, in any order a model may give.
    Returns the list of words; joined, they are the characters again.
    """
    ### BEGIN SOLUTION
    words = []
    open_word = False
    for character, tag in zip(characters, tags):
        if tag in "BS" or not open_word:
            words.append(character)
        else:
            words[-1] += character
        open_word = tag in "BM"
    return words
    ### END SOLUTION

# %% check="bi.bmes_decode"
check("bi.bmes_decode", bmes_decode)

# %% solution="bi.f1"
def word_f1(gold, predicted):
    """Precision, recall and F1 of words, pooled over sentences.

    gold, predicted: lists of sentences; a sentence is a list of words, and both spell the same characters.
    A word is right if it starts and ends at the same places in both. Returns (precision, recall, f1).
    """
    ### BEGIN SOLUTION
    def spans(words):
        ends = np.cumsum([len(word) for word in words])
        return {(end - len(word), end) for word, end in zip(words, ends)}

    right = sum(len(spans(g) & spans(p)) for g, p in zip(gold, predicted))
    precision = right / sum(map(len, predicted))
    recall = right / sum(map(len, gold))
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return precision, recall, f1
    ### END SOLUTION

# %% check="bi.f1"
check("bi.f1", word_f1)
