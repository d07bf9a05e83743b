# %% [markdown]
# # Both directions
#
# **{minutes} minutes · {points} points · you should know:** masks and `keras.layers.RNN` (lesson 02), an LSTM or GRU
# cell (04, 05).
#
# A recurrent network reads like a listener: at word five it knows words one to five. Often the answer lies in
# word six. In this lesson you let a second cell read from the end, and put the two together:
#
# - `reverse_valid`: turn a padded sequence round without turning its padding to the front;
# - `merge` and `BiRNN`: a bidirectional layer from *any* cell, equal to `keras.layers.Bidirectional`;
# - `final_state`: one vector for a whole sequence, taken at the right ends;
# - `bmes_decode` and `word_f1`: cut Chinese sentences into words, and measure how well.
#
# At the end you will have the figure of section 6: a network that reads one way only cannot know whether a longer
# word *begins* here, and one that reads both ways can. You will also know when you must not use it.

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import numpy as np
import keras
from keras import ops
from unrolled import check

# %% [markdown]
# ## 1 · The future decides
#
# Chinese is written without spaces. To find the words of 我爱中国 (wǒ ài zhōngguó, *I love China*), each
# character gets one of four tags: **B**egin, **M**iddle or **E**nd of a longer word, or **S** for a word of one
# character.
#
# | step | character | alone it means | read from the left | read from the right | tag |
# |---|---|---|---|---|---|
# | 1 | 我 wǒ | I | 我 | 国中爱我 | S |
# | 2 | 爱 ài | love | 我爱 | 国中爱 | S |
# | 3 | 中 zhōng | middle | 我爱中 | 国中 | B |
# | 4 | 国 guó | country | 我爱中国 | 国 | E |
#
# Take it apart slowly, as a reader from the left:
#
# 1. **我.** A word by itself, or the start of 我们 (*we*)? Mostly by itself, so S. A guess.
# 2. **爱.** S, if the next word starts at the next character. But 我爱人是医生 means *my spouse is a doctor*:
#    there 爱 is the beginning of 爱人 (*spouse*). The character that decides has not been read yet.
# 3. **中.** It could be a word (*middle*), or begin 中国 (*China*), 中午 (*noon*), 中学 (*middle school*).
#    Again the next character decides.
# 4. **国.** After 中 there is no doubt: 中国 ends here, so E. What has been read is enough.
#
# So an E is easy from the left, and B against S is a guess. From the right B against S is easy, for what follows has
# been read, and S against E is the guess. Who reads both ways has the whole sentence at every character: at 中, 我爱中
# from one side and 国中 from the other.
#
# **Predict first.** Two real sentences begin alike: 我很累想睡觉 (*I am tired and want to sleep*) ends with the
# word 睡觉, 我很累想睡了 (*I am tired, I want to sleep now*) with the two words 睡 and 了. A cell reads both
# from the left. At which of the first five characters can its states differ? And those of a cell that reads
# from the right?

# %% tags=["demo"]
keras.utils.set_random_seed(6)
pair = ["我很累想睡觉", "我很累想睡了"]
letters = sorted(set("".join(pair)))
reader = keras.layers.RNN(keras.layers.GRUCell(5), return_sequences=True)  # untrained: any weights will do

def states(sentence):
    one_hot = np.eye(len(letters), dtype="float32")[[letters.index(c) for c in sentence]]
    return np.array(reader(one_hot[None])[0])

from_left = [states(s)[:5] for s in pair]
from_right = [states(s[::-1])[::-1][:5] for s in pair]
print("character   from the left   from the right")
for t, character in enumerate(pair[0][:5]):
    left, right = ["the same" if np.allclose(a[t], b[t], atol=1e-6) else "different"
                   for a, b in (from_left, from_right)]
    print(f"{character}          {left:16}{right}")
assert np.allclose(*from_left, atol=1e-6) and not np.isclose(*from_right, atol=1e-6).all(axis=1).any()

# %% [markdown]
# Up to 睡 the reader from the left is in the same state in both sentences, whatever its weights. So any tagger
# on top of it gives 睡 the same tag in both, and is wrong in one of them. No training can help; another
# direction can.
#
# ## 2 · Turning a padded sequence round
#
# A bidirectional network runs the same recurrence twice, with two sets of weights:
#
# $$\overrightarrow{h}_t = f(x_t,\ \overrightarrow{h}_{t-1};\ \overrightarrow{\theta}), \qquad
# \overleftarrow{h}_t = f(x_t,\ \overleftarrow{h}_{t+1};\ \overleftarrow{\theta}), \qquad
# y_t = \mathrm{merge}(\overrightarrow{h}_t, \overleftarrow{h}_t)$$
#
# The second one needs no new code: reverse the sequence, run the cell as usual, reverse the outputs. Only the
# padding is a trap. Say two sentences have 3 and 5 steps, and `·` is padding:
#
# | | as they are | flipped whole | valid part reversed |
# |---|---|---|---|
# | row 1 | `a b c · ·` | `· · c b a` | `c b a · ·` |
# | row 2 | `d e f g h` | `h g f e d` | `h g f e d` |
#
# Flipped whole, the padding of row 1 comes first: the cell would read two steps of nothing before the sentence
# begins. Position by position, row 1 on the right takes steps 2, 1, 0 and then leaves 3, 4 where they are:
# position `t` takes `n − 1 − t` as long as `t < n`, where `n` is the row's number of valid steps.
#
# **Exercise `bi.reverse_valid`** · ●●○○○ · 10 min · {points} points
#
# Reverse each row's valid steps. What the padding holds afterwards does not matter, as long as it stays
# *behind* the valid steps.
#
# <details><summary>Hint 1</summary>
#
# `ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)` is `n`, of shape `(batch, 1)`. Compare it with
# `ops.arange(T)` and you have a `(batch, T)` table of what is valid.
# </details>
# <details><summary>Hint 2</summary>
#
# Make a table of positions with `ops.where(t < n, n - 1 - t, t)`, then fetch with `ops.take_along_axis(x,
# table[:, :, None], axis=1)`.
# </details>
#
# If you see `indices[0,0] = 7 is not in [0, 7)`: you ask for the step behind the last one. Count from 0.

# %% solution="bi.reverse_valid"
def reverse_valid(x, mask):
    """Reverse each row's valid steps in time; the padding stays behind them.

    x: (batch, time, features). mask: (batch, time), True where a step is valid; valid steps come first. All steps of
    a row may be valid, or none.
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
from unrolled.lessons.bi import backwards  # reverse_valid for the rest of the lesson; without a mask, it flips the row

# %% tags=["demo"]
import matplotlib.pyplot as plt

from unrolled import data, plot

lengths = np.array([8, 5, 3, 6])
mask = np.arange(8) < lengths[:, None]
steps = np.where(mask, np.arange(8), -1).astype("float32")
turned = {"as it is": steps, "flipped whole: padding first": steps[:, ::-1],
          "valid part reversed": np.array(reverse_valid(steps[:, :, None], mask))[:, :, 0]}
figure, axes = plt.subplots(1, 3, figsize=(9, 2.3), sharey=True)
for ax, (title, table) in zip(axes, turned.items(), strict=True):
    shown = np.ma.masked_less(table, 0)
    ax.imshow(shown, vmin=-3, vmax=8, cmap=plt.get_cmap("cividis").with_extremes(bad="white"))
    for row, t in np.ndindex(table.shape):
        ax.text(t, row, "·" if table[row, t] < 0 else int(table[row, t]), ha="center", va="center",
                color="black" if table[row, t] > 4 or table[row, t] < 0 else "white", fontsize=9)
    ax.set(title=title, xlabel="position", yticks=range(4), ylabel="row of the batch" if ax is axes[0] else "")
plot.show(figure, alt="Three tables of a padded batch: as it is; flipped whole, with the padding in front; and with "
                      "only the valid part reversed, the padding still behind.")

# %% tags=["demo"]
assert np.array_equal(np.array(backwards(backwards(steps[:, :, None], mask), mask))[:, :, 0], steps)
print("reversed twice, the batch is as it was")

# %% [markdown]
# The last line is worth remembering: reversing the valid part twice changes nothing. That is why the same
# function brings the outputs back into reading order.
#
# ## 3 · Two outputs, one answer
#
# At each step there are now two vectors of `u` numbers. Keras knows five ways to merge them: `"concat"` (the
# usual one; forward first, `2u` features), `"sum"`, `"mul"` (element by element), `"ave"`, and `None`, which
# returns both as they are. For one unit with forward output 0.6 and backward output −0.2 that is `[0.6, −0.2]`,
# `0.4`, `−0.12`, `0.2`, and the pair.
#
# **Exercise `bi.merge`** · ●○○○○ · 5 min · {points} points
#
# Write `merge` for the five modes.
#
# <details><summary>Hint</summary>
#
# Test `mode is None` first. The feature axis is the last one: `axis=-1`.
# </details>

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
from unrolled.lessons.bi import join  # merge for the rest of the lesson: join(forward, backward, mode)

# %% [markdown]
# ## 4 · A bidirectional layer from any cell
#
# Now the layer. It takes *one* cell, GRU, LSTM or your own, and makes the second from the first one's config:
# `type(cell).from_config(cell.get_config())` is a new cell of the same kind and size with weights of its own.
# `keras.layers.RNN(cell, return_sequences=True)` runs a cell over a sequence and respects a mask: at a masked
# step it holds the state and repeats its output.
#
# Five things to think of:
#
# 1. `self.supports_masking = True`, or the mask ends at your layer and the loss counts the padding. (With
#    `merge_mode=None` two outputs leave the layer, and Keras gives the mask to the first only. That is enough here. If
#    you ever need it on both, write a `compute_mask` that returns it twice.)
# 2. The padding: reverse with `backwards(x, mask)`. It leaves the padding behind, so the second `RNN` gets the
#    mask as it is. (Or flip the whole row, *and the mask too*.)
# 3. `build`: build both `RNN`s, so that the weights exist before the first call (and a saved model can be
#    loaded).
# 4. `call` runs on symbols when a model is built: `ops`, `backwards` and `join` work on them, NumPy does not.
# 5. `get_config` and `from_config`: all that `__init__` took must be in the config, what `super()` took included. A
#    cell is no plain value: `keras.layers.serialize(cell)` writes it as a dictionary, `keras.layers.deserialize` makes
#    it a cell again, of the same kind and with the same settings.
#
# **Exercise `bi.layer`** · ●●●●○ · 25 min · {points} points
#
# Write `BiRNN`. Use `backwards(x, mask)` and `join(forward, backward, mode)` from above; for both, `None` will
# do where you have no mask or do not want to merge.
#
# <details><summary>Hint 1: the shape of it</summary>
#
# `__init__` makes two cells and two `keras.layers.RNN`; `call` runs one on `x` and one on `backwards(x, mask)`,
# brings the second one's outputs back with `backwards(…, mask)`, and joins.
# </details>
# <details><summary>Hint 2: saving</summary>
#
# `get_config` returns `{**super().get_config(), "cell": keras.layers.serialize(self.forward_cell),
# "merge_mode": …}`, and the class method `from_config(cls, config)` replaces `config["cell"]` by
# `keras.layers.deserialize(config["cell"])`.
# </details>
#
# If you see `You cannot add new elements of state … to a layer that is already built`: you build a cell that
# arrived built from a file. Ask `cell.built` first, or let `keras.layers.RNN` build it.

# %% solution="bi.layer"
@keras.saving.register_keras_serializable("lesson06")
class BiRNN(keras.layers.Layer):
    """Read a sequence in both directions with two cells of one kind.

    cell: any cell, such as keras.layers.GRUCell(32); the second one is made from its config.
    merge_mode: "concat", "sum", "mul", "ave" or None.
    Input (batch, time, D), mask (batch, time) or None; output (batch, time, 2u) for "concat".
    Write __init__, build, call, get_config and from_config; keep the cells as self.forward_cell and self.backward_cell.
    """

    def __init__(self, cell, merge_mode="concat", **kwargs):
        ### BEGIN SOLUTION
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

# %% [markdown]
# ### Does it agree with Keras?
#
# Both cells, all merge modes, with and without padding: your weights go into `keras.layers.Bidirectional`, and
# the outputs are compared at the valid steps. (At padded steps they differ, and may: nobody reads them.)

# %% tags=["demo"]
KINDS = {"GRU": (keras.layers.GRUCell, keras.layers.GRU), "LSTM": (keras.layers.LSTMCell, keras.layers.LSTM)}
x = np.random.default_rng(6).normal(size=(3, 7, 4)).astype("float32")
padded = np.arange(7) < np.array([[7], [4], [2]])

def gap(kind, mode, mask):
    """Largest difference between your layer and Keras's at the valid steps."""
    cell, keras_layer = KINDS[kind]
    mine = BiRNN(cell(5), merge_mode=mode)
    theirs = keras.layers.Bidirectional(keras_layer(5, return_sequences=True), merge_mode=mode)
    valid = np.ones((3, 7), bool) if mask is None else mask
    a = mine(x, mask=mask)
    theirs.build(x.shape)
    theirs.set_weights(mine.forward_cell.get_weights() + mine.backward_cell.get_weights())
    b = theirs(x, mask=mask)
    pairs = zip(a, b, strict=True) if mode is None else [(a, b)]
    return max(np.abs(np.array(p) - np.array(q))[valid].max() for p, q in pairs)

# %% tags=["demo"]
print("cell   merge mode   no padding   padding")
for kind in KINDS:
    for mode in ("concat", "sum", "mul", "ave", None):
        gaps = gap(kind, mode, None), gap(kind, mode, padded)
        assert max(gaps) < 1e-5
        print(f"{kind:6} {mode!s:12} {'agrees':12} agrees")
print("agrees: no output differs by 0.00001 or more")

# %% tags=["demo"]
import tempfile
from pathlib import Path

model = keras.Sequential([
    keras.layers.Input((None,)), keras.layers.Embedding(10, 4, mask_zero=True),
    BiRNN(keras.layers.LSTMCell(5), merge_mode="ave"), keras.layers.Dense(4),
])
ids = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 0, 0]])
with tempfile.TemporaryDirectory() as folder:
    model.save(Path(folder, "tagger.keras"))
    loaded = keras.models.load_model(Path(folder, "tagger.keras"))
assert np.allclose(model(ids), loaded(ids), atol=1e-6)
print("saved and loaded: the same outputs; merge mode", loaded.layers[1].merge_mode)

# %% [markdown]
# ### What each output has seen
#
# Change one input and see which outputs move. For the forward cell, output *t* may depend on inputs up to *t*:
# a triangle. For the backward cell it is the other triangle. **Predict first:** what will the picture of the
# two together be?

# %% tags=["demo"]
keras.utils.set_random_seed(6)
T = 8
x = np.random.default_rng(1).normal(size=(1, T, 4)).astype("float32")
same = np.repeat(x, T, axis=0)
changed = same.copy()
changed[np.arange(T), np.arange(T)] += 1.0          # row s: input s is another one
both = BiRNN(keras.layers.GRUCell(6), merge_mode=None)
moved = [np.abs(np.array(new) - np.array(old)).max(axis=-1).T
         for new, old in zip(both(changed), both(same), strict=True)]   # [output t, input s]
moved = {"forward": moved[0], "backward": moved[1], "both (concat)": np.maximum(*moved)}

# %% tags=["demo"]
figure, axes = plt.subplots(1, 3, figsize=(9, 3.0), sharey=True)
for ax, (title, table) in zip(axes, moved.items(), strict=True):
    picture = ax.imshow(np.ma.masked_equal(table, 0), vmin=0, vmax=max(m.max() for m in moved.values()))
    ax.set(title=title, xlabel="input changed, s")
axes[0].set_ylabel("output, t")
figure.colorbar(picture, ax=axes, label="largest change of a unit", fraction=0.02)
plot.show(figure, alt="Three 8 by 8 tables: forward outputs move only for inputs at or before them, backward outputs "
                      "only for inputs at or after them, both together for every input.")
assert not np.triu(moved["forward"], 1).any() and not np.tril(moved["backward"], -1).any()
for name, table in moved.items():
    print(f"{name}: {(table > 0).all(axis=1).sum()} of 8 outputs have seen every input")

# %% [markdown]
# White means: this input does not move this output at all. The two triangles make a full square: every output
# has seen everything. Look at the colours as well. What is far away moves an output little; a second direction
# gives each step a *near* view of its future, not only a view.
#
# ### What the padding would do
#
# And if you flip the whole row, padding and all, and give the cell no mask? The backward cell then reads the
# padding first, and starts the sentence in whatever state that left. Measure it: one sentence of 8 steps, more
# and more padding behind it. (The padding is a constant vector, as an embedding's row 0 is.)

# %% tags=["demo"]
keras.utils.set_random_seed(6)
layer = BiRNN(keras.layers.GRUCell(6), merge_mode=None)
alone = np.array(layer(x)[1])
filling = np.random.default_rng(2).normal(size=(1, 1, 4)).astype("float32")
amounts, harm = list(range(0, 21, 2)), {"flipped whole, no mask": [], "valid part reversed": []}
for padding in amounts:
    longer = np.concatenate([x, np.repeat(filling, padding, axis=1)], axis=1)
    valid = np.arange(T + padding)[None] < T
    naive = ops.flip(layer.backward_rnn(ops.flip(longer, axis=1)), axis=1)
    for name, y in zip(harm, (naive, layer(longer, mask=valid)[1]), strict=True):
        harm[name].append(np.abs(np.array(y)[:, :T] - alone).max())

# %% tags=["demo"]
figure, ax = plt.subplots()
for (name, values), style in zip(harm.items(), ("o-", "s--"), strict=True):
    ax.plot(amounts, values, style, label=name)
ax.set(title="How much the padding changes the backward outputs", xlabel="padded steps behind the sentence",
       ylabel="largest change of a valid output", ylim=(-0.03, None))
ax.legend()
plot.show(figure, alt="Flipped whole, padding changes valid outputs more the more of it there is, then levels off; "
                      "with the valid part reversed the change is zero.")
print(f"20 padded steps: flipped whole {harm['flipped whole, no mask'][-1]:.2f}, "
      f"valid part reversed {harm['valid part reversed'][-1]:.2f}")
assert max(harm["valid part reversed"]) < 1e-6 < 0.1 < harm["flipped whole, no mask"][-1]

# %% [markdown]
# One and the same sentence gives other outputs when it stands in a batch with a longer one. Such a model
# trains, and its scores look fair. Nothing tells you, until you ask with a test such as this one.
#
# ### The price
#
# Two cells, twice the parameters. A GRU cell with `D` inputs and `u` units has $3u(D + u + 2)$ of them.

# %% tags=["demo"]
D, u = 48, 64
one_way, both_ways = keras.layers.RNN(keras.layers.GRUCell(u)), BiRNN(keras.layers.GRUCell(u))
for layer in (one_way, both_ways):
    layer.build((None, None, D))
print(f"by the formula {3 * u * (D + u + 2):,}; one direction {one_way.count_params():,}; "
      f"both {both_ways.count_params():,}")
assert both_ways.count_params() == 2 * one_way.count_params() == 2 * 3 * u * (D + u + 2)

# %% [markdown]
# ## 5 · N→1: one vector for the whole sequence
#
# To classify a sentence you need one vector. The tempting `y[:, -1]` is wrong twice. In a padded row it is
# what the layer happens to leave in the padding (Keras's `Bidirectional`: zeros); and even without padding, at the
# last position the backward cell has only just *begun*: it has read one step.
#
# Each direction has read everything at its own end: forward at the **last valid** step, backward at the
# **first**. Counting the steps from 0, with $n$ valid ones:
#
# $$h = \overrightarrow{h}_{n-1} \oplus \overleftarrow{h}_0, \qquad \oplus \text{ for concatenation}$$
#
# By hand, with one unit, forward outputs `[1, 2, 3, ·]` and backward outputs `[9, 8, 7, ·]`, both in reading
# order: the answer is `[3, 9]`, not `[·, ·]` and not `[3, 7]`.
#
# **Exercise `bi.final_state`** · ●●○○○ · 10 min · {points} points
#
# Write `final_state` for a whole padded batch; no row is all padding.
#
# <details><summary>Hint</summary>
#
# With `last = n − 1` of shape `(batch,)`, `ops.take_along_axis(forward, last[:, None, None], axis=1)` is
# `(batch, 1, u)`.
# </details>

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

# %% tags=["demo"]
keras.utils.set_random_seed(6)
layer = BiRNN(keras.layers.GRUCell(6), merge_mode=None)
whole = np.ones((T, T), bool)
ends = {"y[:, −1]": lambda x: np.concatenate([np.array(y)[:, -1] for y in layer(x)], axis=-1),
        "forward[last valid] ⊕ backward[0]": lambda x: np.array(final_state(*layer(x), whole[:len(x)]))}

# %% tags=["demo"]
figure, axes = plt.subplots(1, 2, figsize=(9, 2.8), sharey=True)
seen = {}
for ax, (name, end) in zip(axes, ends.items(), strict=True):
    change = np.abs(end(changed) - end(same))
    halves = {"forward half": change[:, :6].max(1), "backward half": change[:, 6:].max(1)}
    for k, (half, values) in enumerate(halves.items()):
        ax.bar(np.arange(T) + 0.4 * k - 0.2, values, 0.4, label=half)
    ax.set(title=name, xlabel="input changed, s")
    seen[name] = [int((values > 0).sum()) for values in halves.values()]
axes[0].set_ylabel("largest change of a unit")
axes[1].legend()
plot.show(figure, alt="Bars of how much each of 8 inputs moves the final vector. At the last position the backward "
                      "half sees only the last input; at the right ends both halves see all inputs.")
for name, (f, b) in seen.items():
    print(f"{name}: the forward half has seen {f} of 8 inputs, the backward half {b}")
assert list(seen.values()) == [[8, 1], [8, 8]]

# %% [markdown]
# `keras.layers.Bidirectional(…, return_sequences=False)` does what you wrote: the test file of this lesson
# compares them.

# %% [markdown]
# ## 6 · Cutting Chinese sentences into words
#
# The data: 4,349 sentences for learners from *hsk-sentences-audio* (CC-BY-SA-4.0, © its contributors; see
# `data/hsk/LICENSE`, and share what you make of them under the same licence). One thing to know before you
# trust a score: the words are a *silver* standard. The project cut its sentences with the dictionary CC-CEDICT,
# always taking the longest word that fits, and then repaired cuts by hand. Our network does not get the
# dictionary, only 3,700 cut sentences; about one word in six of the test sentences never occurs in them.
#
# ### From tags to words
#
# The tags of `我 / 爱 / 中国` are `S S B E`, those of `图书馆 / 在 / 学校` are `B M E S B E`. Back again, two
# rules say where to cut:
#
# - **before** every B and every S, and
# - **after** every E and every S.
#
# For correct tags either rule would do. A network writes what it likes: `B B`, `E M`, a sentence that begins with `E`
# or ends with `M`. Both rules together give words for any tags, and no character is ever lost.
#
# **Exercise `bi.bmes_decode`** · ●●○○○ · 10 min · {points} points
#
# Write `bmes_decode`. An empty sentence has no words.
#
# <details><summary>Hint</summary>
#
# Keep a list of words and one flag: is the last word still open? A character joins the last word only if that
# word is open *and* its own tag is M or E. After B and M the word is open, after E and S it is not.
# </details>

# %% solution="bi.bmes_decode"
def bmes_decode(characters, tags):
    """Cut a sentence into words.

    characters: a string. tags: one of B, M, E, S for each character, in any order a model may give.
    Returns the list of words; joined, they are the characters again.
    """
    ### BEGIN SOLUTION
    words = []
    open_word = False
    for character, tag in zip(characters, tags, strict=True):
        if tag in "BS" or not open_word:
            words.append(character)
        else:
            words[-1] += character
        open_word = tag in "BM"
    return words
    ### END SOLUTION

# %% check="bi.bmes_decode"
check("bi.bmes_decode", bmes_decode)

# %% [markdown]
# ### How many words are right?
#
# Tags are the wrong thing to count: many characters are S anyway, and one wrong tag can spoil two words. Count
# words. A word is right if it starts *and* ends where a word of the gold standard does. With gold `我/爱/中国`
# and prediction `我爱/中国`, the spans are
#
# - gold (0,1) (1,2) (2,4): 3 words; predicted (0,2) (2,4): 2 words; in both: 1.
# - precision P = 1/2 (of the words predicted), recall R = 1/3 (of the gold words), and one number for both, their
#   harmonic mean: F1 = 2PR / (P + R) = 2/5.
#
# Over several sentences, add up the three counts (words in both, predicted, gold) first and divide once. If no word is
# right, all three scores are 0.
#
# **Exercise `bi.f1`** · ●●●○○ · 15 min · {points} points
#
# Write `word_f1` for a list of sentences.
#
# <details><summary>Hint 1</summary>
#
# `np.cumsum([len(w) for w in words])` gives the ends; start = end − length. A set of `(start, end)` for each
# sentence makes the comparison one `&`.
# </details>
# <details><summary>Hint 2</summary>
#
# If nothing is right, P + R is 0 and the formula divides 0 by 0: ask first whether anything is right.
# </details>

# %% solution="bi.f1"
def word_f1(gold, predicted):
    """Precision, recall and F1 of words, pooled over sentences.

    gold, predicted: lists of sentences; a sentence is a list of words, and both spell the same characters.
    A word is right if it starts and ends at the same places in both. Returns (precision, recall, f1).
    """
    ### BEGIN SOLUTION
    def spans(words):
        ends = np.cumsum([len(word) for word in words])
        return {(end - len(word), end) for word, end in zip(words, ends, strict=True)}

    right = sum(len(spans(g) & spans(p)) for g, p in zip(gold, predicted, strict=True))
    precision = right / sum(map(len, predicted))
    recall = right / sum(map(len, gold))
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return precision, recall, f1
    ### END SOLUTION

# %% check="bi.f1"
check("bi.f1", word_f1)

# %% [markdown]
# ### Data, split and two baselines
#
# Thirteen sentences are set aside besides the test set, to be looked at one by one: 我爱中国, three pairs of
# sentences that begin alike, and six others. Nothing is trained on them.

# %% tags=["demo"]
from collections import Counter, defaultdict

PAIRS = [("我 很 累 想 睡觉", "我 很 累 想 睡 了"), ("请 给 我 一 杯 茶", "请 给 我 一点儿 水"),
         ("很 多 人 收看 这 个 节目", "很 多 人士 都 来 参加 了 典礼")]
SHOWN = ["他似乎不高兴", "他帮我拿东西", "他为祖国做出了贡献", "我来自中国东北", "他随手关了门", "老师找我谈话"]
ASIDE = {line.replace(" ", "") for pair in PAIRS for line in pair} | {"我爱中国", *SHOWN}

def bmes(words):
    """The tags of a cut sentence: S, BE, BME, BMME, …"""
    return "".join("S" if len(w) == 1 else "B" + "M" * (len(w) - 2) + "E" for w in words)

sentences = [s for s in data.load("hsk") if "".join(s.words) not in ASIDE]
order = np.random.default_rng(6).permutation(len(sentences))
train = [sentences[i].words for i in order[600:]]
test = [sentences[i].words for i in order[:600]]
known = {w for words in train for w in words}
unseen = np.mean([w not in known for words in test for w in words])
print(f"{len(train):,} sentences to train on, {len(test)} to test; {unseen:.0%} of the test words are new")
print(" · ".join(f"{'/'.join(w)} {bmes(w)}" for w in test[:3]))

# %% [markdown]
# The first baseline knows no context at all: each character gets the tag that it has most often. The second is
# the classic of the field and needs no learning either: take the longest word from the training sentences that
# fits, then go on behind it.

# %% tags=["demo"]
seen_tags = defaultdict(Counter)
for words in train:
    for character, tag in zip("".join(words), bmes(words), strict=True):
        seen_tags[character][tag] += 1
majority = {c: tags.most_common(1)[0][0] for c, tags in seen_tags.items()}

def longest_match(text, longest=4):
    words = []
    while text:
        n = next((n for n in range(longest, 1, -1) if text[:n] in known), 1)
        words.append(text[:n])
        text = text[n:]
    return words

# %% tags=["demo"]
texts = ["".join(words) for words in test]
scores = {
    "every character a word": word_f1(test, [list(t) for t in texts])[2],
    "majority tag of the character": word_f1(
        test, [bmes_decode(t, "".join(majority.get(c, "S") for c in t)) for t in texts])[2],
    "longest known word": word_f1(test, [longest_match(t) for t in texts])[2],
}
for name, f1 in scores.items():
    print(f"{name:32} word F1 {f1:.3f}")

# %% [markdown]
# ### Two networks
#
# The same tagger twice: embedding, one recurrent layer, four logits for each character. Once the layer reads
# forwards only, once it is *your* `BiRNN`. To be fair the forward one gets more units, so that both have about
# the same number of parameters. Each is trained from three random starts, because one run says nothing about luck:
# after ± stands the standard deviation over the three.

# %% tags=["demo"]
T_MAX = 17
train_texts = ["".join(words) for words in train]
counts = Counter("".join(train_texts))
number = {c: i + 2 for i, (c, n) in enumerate(counts.most_common()) if n > 1}   # 0 is padding, 1 a rare character

def encode(texts):
    table = np.zeros((len(texts), T_MAX), "int32")
    for row, text in zip(table, texts, strict=True):
        row[:len(text)] = [number.get(c, 1) for c in text]
    return table

# %% tags=["demo"]
def tagger(reader):
    return keras.Sequential([
        keras.layers.Embedding(len(number) + 2, 48, mask_zero=True), keras.layers.Dropout(0.4),
        reader, keras.layers.Dropout(0.4), keras.layers.Dense(4),
    ])

X = encode(train_texts)
Y = np.zeros_like(X)
for row, words in zip(Y, train, strict=True):
    row[:len(bmes(words))] = ["BMES".index(tag) for tag in bmes(words)]

# %% tags=["demo"]
readers = {
    "forward only": lambda: keras.layers.RNN(keras.layers.GRUCell(112), return_sequences=True),
    "both directions": lambda: BiRNN(keras.layers.GRUCell(64)),
}

def trained(reader, seed):
    keras.utils.set_random_seed(seed)
    model = tagger(reader())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)   # the mask leaves the padding out
    rate = keras.optimizers.schedules.CosineDecay(8e-3, decay_steps=5 * (len(X) // 64 + 1))
    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(X, Y, batch_size=64, epochs=5, verbose=0)
    return model

starts = {name: [trained(reader, seed) for seed in (6, 7, 8)] for name, reader in readers.items()}
models = {name: three[0] for name, three in starts.items()}   # the figures below show the first start

# %% tags=["demo"]
def tags_of(model, texts):
    best = np.array(model(encode(texts))).argmax(-1)
    return ["".join("BMES"[k] for k in row[:len(t)]) for row, t in zip(best, texts, strict=True)]

def tag(name, texts):
    return tags_of(models[name], texts)

def f1_of(tags):
    return word_f1(test, [bmes_decode(t, g) for t, g in zip(texts, tags, strict=True)])[2]

predicted = {name: [tags_of(model, texts) for model in three] for name, three in starts.items()}
networks = {name: np.array([f1_of(tags) for tags in three]) for name, three in predicted.items()}

# %% tags=["demo"] tolerance=0.015
for name, f1 in scores.items():
    print(f"{name:32} word F1 {f1:.3f}")
for name, f1 in networks.items():
    print(f"{name:32} word F1 {f1.mean():.3f} ± {f1.std(ddof=1):.3f}, {models[name].count_params():,} parameters")
assert networks["both directions"].min() > max(networks["forward only"].max(), *scores.values()) + 0.03
assert networks["forward only"].min() > scores["majority tag of the character"] + 0.05
print("reading both ways is better than anything else here, from every start")

# %% [markdown]
# The network that reads forwards does about as well as looking words up; the one that reads both ways is
# clearly better than either, with fewer parameters. (Longest match looks ahead as well: to try 图书馆 it must
# see 馆.)
#
# **Predict first.** M is rare. Of B, E and S, of which does the forward-only network find the smallest share?
# Section 1 has the answer.

# %% tags=["demo"] tolerance=0.08
gold = "".join(bmes(words) for words in test)
recall = {name: np.array([[np.mean([p == g for p, g in zip("".join(tags), gold, strict=True) if g == t])
                           for t in "BMES"] for tags in three]) for name, three in predicted.items()}
figure, ax = plt.subplots(figsize=(6.4, 3.2))
for k, (name, values) in enumerate(recall.items()):
    bars = ax.bar(np.arange(4) + 0.38 * k - 0.19, values.mean(axis=0), 0.38, label=name)
    ax.bar_label(bars, fmt="%.2f", fontsize=8)
ax.set(title="Which tags are found", xlabel="true tag", ylabel="share found (recall)", ylim=(0, 1.15),
       xticks=range(4), xticklabels=[f"{t} ({gold.count(t):,})" for t in "BMES"])
ax.legend(ncols=2, loc="upper center")
plot.show(figure, alt="Bars of recall for the tags B, M, E, S: forward-only is far behind on B and M; the two are "
                      "close on E and S.")
for k, t in enumerate("BMES"):
    print(f"{t}: " + ", ".join(f"{name} {values[:, k].mean():.2f} ± {values[:, k].std(ddof=1):.2f}"
                              for name, values in recall.items()))
assert recall["both directions"][:, 0].min() > recall["forward only"][:, 0].max() + 0.1

# %% [markdown]
# As section 1 said: an E can be told from what has been read; B against S depends on what follows. In doubt S,
# the more frequent of the two, is the better bet, so it is B that is missed. (M is rare, as the axis says: few
# words have three characters.)
#
# ### 我爱中国, taken apart once more
#
# This time with the trained networks. Each column is one character, each colour the probability of a tag.

# %% tags=["demo"]
def probabilities(name, text):
    return np.array(ops.softmax(models[name](encode([text]))[0, :len(text)]))

figure, axes = plt.subplots(1, 2, figsize=(8, 2.6), sharey=True)
for ax, name in zip(axes, models, strict=True):
    p = probabilities(name, "我爱中国")
    picture = ax.imshow(p.T, vmin=0, vmax=1, aspect="auto")
    for t, k in np.ndindex(p.shape):
        ax.text(t, k, f"{p[t, k]:.2f}", ha="center", va="center", color="black" if p[t, k] > 0.5 else "white")
    ax.set(title=name, xlabel="character (pinyin)", xticks=range(4), xticklabels=["wǒ", "ài", "zhōng", "guó"],
           yticks=range(4), yticklabels="BMES")
axes[0].set_ylabel("tag")
figure.colorbar(picture, ax=axes, label="probability", fraction=0.03)
plot.show(figure, alt="Tag probabilities for wo ai zhong guo: the forward-only network spreads its bets at ai and "
                      "zhong, the bidirectional one is sure of S S B E.")
print("both directions:", " / ".join(bmes_decode("我爱中国", tag("both directions", ["我爱中国"])[0])))
assert tag("both directions", ["我爱中国"]) == ["SSBE"]
sure = {name: probabilities(name, "我爱中国").max(axis=1)[1:3].mean() for name in models}
assert sure["both directions"] > sure["forward only"] + 0.2

# %% [markdown]
# At 爱 and 中 the forward-only network can only bet; one character later it would know. Now the pairs, which it
# cannot get right both.

# %% tags=["demo"]
for pair in PAIRS:
    texts_pair = [line.replace(" ", "") for line in pair]
    golds = [bmes(line.split()) for line in pair]
    t = next(t for t, (a, b) in enumerate(zip(*golds, strict=True)) if a != b)   # the same characters up to t
    assert texts_pair[0][:t + 1] == texts_pair[1][:t + 1]
    one_way, both_ways = tag("forward only", texts_pair), tag("both directions", texts_pair)
    assert one_way[0][t] == one_way[1][t], "the same past, the same tag"
    verdict = "right in both" if [tags[t] for tags in both_ways] == [g[t] for g in golds] else "wrong"
    print(f"{' / '.join(pair[0].split())}   |   {' / '.join(pair[1].split())}")
    print(f"    {texts_pair[0][t]} is {golds[0][t]} in the first and {golds[1][t]} in the second sentence")
    print(f"    forward only: one and the same tag in both, so wrong in one; both directions: {verdict}")
    assert verdict == "right in both"

# %% [markdown]
# And six whole sentences, chosen to show how the forward-only network goes wrong. The figure has the tags of
# both networks under the pinyin of each character; wrong tags stand in a box.

# %% tags=["demo"] tolerance=6
entries = {"".join(s.words): s for s in data.load("hsk")}
for text in SHOWN:
    print(f"{' / '.join(entries[text].words)}   {' '.join(bmes(entries[text].words))}   {entries[text].english}")
mistakes = {name: sum(p != g for text, tags in zip(SHOWN, tag(name, SHOWN), strict=True)
                      for p, g in zip(tags, bmes(entries[text].words), strict=True)) for name in models}
print(f"wrong tags among {len(''.join(SHOWN))}: forward only {mistakes['forward only']}, "
      f"both directions {mistakes['both directions']}")
assert mistakes["forward only"] >= mistakes["both directions"] + 4

# %% tags=["demo"]
WRONG = {"color": "#D55E00", "weight": "bold", "bbox": {"boxstyle": "square,pad=0.25", "fc": "none", "ec": "#D55E00"}}
figure, axes = plt.subplots(3, 2, figsize=(9.5, 4.4))
for ax, text in zip(axes.flat, SHOWN, strict=True):
    gold_tags = bmes(entries[text].words)
    rows = {"": "-".join(entries[text].pinyin).split("-"), "true": gold_tags,
            **{name.split()[0]: tag(name, [text])[0] for name in models}}
    for k, (name, marks) in enumerate(rows.items()):
        ax.text(-0.7, -k, name, ha="right", va="center", fontsize=9, color="0.35")
        for t, mark in enumerate(marks):
            wrong = k > 1 and mark != gold_tags[t]
            ax.text(t, -k, mark, ha="center", va="center", fontsize=9 if k else 7.5, **(WRONG if wrong else {}))
    ax.set(xlim=(-2.0, 8.3), ylim=(-3.6, 0.6))
    ax.axis("off")
figure.suptitle("Six sentences nobody was trained on: wrong tags in boxes", fontsize=11)
plot.show(figure, alt="Six sentences in pinyin with true tags, the forward-only network's and the bidirectional one's; "
                      "the boxes that mark wrong tags are in the forward-only rows, many at the beginning of a word.")

# %% [markdown]
# Read along a forward row: where it goes wrong, the next character would have helped. Often the mistake even
# shows: after its B comes an S, a beginning without an end. It *noticed*, one step late, and cannot take back
# what it said.
#
# ## 7 · The same layer, another language: French accents
#
# Another N→N task. Someone typed French without accents; put them back: *a parle a Moise* → *a parlé à Moïse*.
# Each letter gets one of six marks: none, acute, grave, circumflex, diaeresis, cedilla. The text: 4,556 short
# verses of the Bible of Louis Segond (1910, public domain); Proverbs and the Gospel of John are held out.
#
# Is *a* the verb (*a*, has) or the preposition (*à*, to)? Is *parle* the present, or is it *parlé*? Read as far
# as the letter itself, you often cannot know.

# %% tags=["demo"]
import re
import unicodedata

MARKS = ["", "\u0301", "\u0300", "\u0302", "\u0308", "\u0327"]   # Unicode's combining accents

def take_apart(text):
    """Bare letters, and the number of each one's mark."""
    parts = [unicodedata.normalize("NFD", c) for c in text.lower()]
    return "".join(p[0] for p in parts), [MARKS.index(p[1:]) for p in parts]

def put_back(letters, marks):
    return unicodedata.normalize("NFC", "".join(c + MARKS[m] for c, m in zip(letters, marks, strict=True)))

verses = data.load("segond")
fr_train = [take_apart(v.text) for v in verses if v.book not in (20, 43)]
fr_test = [take_apart(v.text) for v in verses if v.book in (20, 43)]
letters, marks = take_apart("Nous savons que Dieu a parlé à Moïse")
print(letters, "→", put_back(letters, marks))
print(f"{len(fr_train):,} verses to train on, {len(fr_test)} to test")

# %% [markdown]
# Two baselines. The first gives each *letter* its most frequent form, which for every letter is: no mark. The
# second gives each *word* the form that it had most often in training, and leaves new words bare. For French
# that is strong.

# %% tags=["demo"]
def words_of(verse):
    letters, marks = verse
    return [(letters[m.start():m.end()], tuple(marks[m.start():m.end()])) for m in re.finditer("[a-z]+", letters)]

forms = defaultdict(Counter)
for verse in fr_train:
    for word, mark in words_of(verse):
        forms[word][mark] += 1
usual = {word: counts.most_common(1)[0][0] for word, counts in forms.items()}
two_spellings = {word for word, counts in forms.items() if len(counts) > 1 and counts.most_common(2)[1][1] >= 3}

# %% tags=["demo"]
frequent = sorted(two_spellings, key=lambda w: -forms[w].total())[:5]
print("words with two spellings: " + ", ".join(
    " / ".join(put_back(word, mark) for mark, _ in forms[word].most_common(2)) for word in frequent))
truth = [word for verse in fr_test for word in words_of(verse)]
kinds = {"all words": [True] * len(truth), "new words": [w not in forms for w, _ in truth],
         "two spellings": [w in two_spellings for w, _ in truth]}
answers = {"usual form of the letter": [(0,) * len(w) for w, _ in truth],
           "usual form of the word": [usual.get(w, (0,) * len(w)) for w, _ in truth]}

# %% tags=["demo"]
alphabet = sorted({c for letters, _ in fr_train for c in letters})

def to_arrays(verses, length=80):
    x, y = np.zeros((2, len(verses), length), "int32")
    for k, (letters, marks) in enumerate(verses):
        x[k, :len(letters)] = [alphabet.index(c) + 1 for c in letters]
        y[k, :len(letters)] = marks
    return x, y

# %% tags=["demo"]
def restore(reader, epochs):
    """Train a letter tagger and return its marks for every test word."""
    keras.utils.set_random_seed(6)
    x, y = to_arrays(fr_train)
    embedding = keras.layers.Embedding(len(alphabet) + 1, 24, mask_zero=True)
    model = keras.Sequential([embedding, reader, keras.layers.Dense(len(MARKS))])
    steps = epochs * -(-len(x) // 64)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-2, steps)),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)
    guess = np.array(model(to_arrays(fr_test)[0])).argmax(-1)
    return [mark for row, (letters, _) in zip(guess, fr_test, strict=True) for _, mark in words_of((letters, row))]

# %% [markdown]
# For 80 steps we take the built-in layers, which are faster than a loop over a cell, and which you know to be
# the same.

# %% tags=["demo"] tolerance=0.03
answers["forward only"] = restore(keras.layers.GRU(100, return_sequences=True), epochs=3)
answers["both directions"] = restore(keras.layers.Bidirectional(keras.layers.GRU(64, return_sequences=True)), epochs=5)
answers["word if sure, else both directions"] = [
    usual[w] if w in usual and w not in two_spellings else tuple(mark)
    for (w, _), mark in zip(truth, answers["both directions"], strict=True)]
right = {name: {kind: np.mean([tuple(a) == m for a, (_, m), yes in zip(marks, truth, chosen, strict=True) if yes])
                for kind, chosen in kinds.items()} for name, marks in answers.items()}
print(f"{'share of words right':36}" + "".join(f"{kind + f' ({sum(chosen):,})':>22}" for kind, chosen in kinds.items()))
for name, row in right.items():
    print(f"{name:36}" + "".join(f"{value:>22.3f}" for value in row.values()))

# %% tags=["demo"]
figure, ax = plt.subplots(figsize=(8, 3.4))
for k, (name, row) in enumerate(right.items()):
    bars = ax.bar(np.arange(3) + 0.17 * k - 0.34, list(row.values()), 0.16, label=name)
    ax.bar_label(bars, fmt="%.2f", fontsize=7)
ax.set(title="French words whose accents are all right (two held-out books)", ylabel="share of words", ylim=(0, 1.08),
       xticks=range(3), xticklabels=[f"{kind} ({sum(chosen):,})" for kind, chosen in kinds.items()])
ax.legend(fontsize=8, ncols=1, loc="upper left", bbox_to_anchor=(1.0, 1.0))
plot.show(figure, alt="Grouped bars: forward only equals no accents at all; both directions is far better, best on new "
                      "words and on words with two spellings; the table of words wins over all; combined they win.")

# %% tags=["demo"]
both_fr, bare, table, hybrid = (right[n]["all words"] for n in (
    "both directions", "usual form of the letter", "usual form of the word", "word if sure, else both directions"))
assert both_fr > bare + 0.03 and both_fr > right["forward only"]["all words"] + 0.03
assert abs(right["forward only"]["all words"] - bare) < 0.01
assert right["both directions"]["two spellings"] > right["usual form of the word"]["two spellings"] - 0.01
assert right["both directions"]["new words"] > right["usual form of the word"]["new words"] + 0.05
assert hybrid > max(table, both_fr)

# %% [markdown]
# Three things to read off:
#
# 1. **Forward only learnt to write next to no accents**: its row is that of the first baseline. When a letter
#    and what stands before it is all that was read, “no mark” is nearly always the best bet. The same cell in
#    both directions is far better.
# 2. **Over all words the table of words wins.** With so few verses to learn from, a word that was seen is best
#    looked up. It would have been easy not to print that row.
# 3. **Each is good at what the other cannot do.** For a new word the table has nothing to say, and a word with
#    two spellings gets always the same one from it; there the network is better or at least as good. So let the
#    table answer when it is sure and the network otherwise: that beats both. A baseline is not only there to be
#    beaten.

# %% [markdown]
# ## 8 · When you may not look ahead
#
# A bidirectional network needs the end of the sequence before it can say anything about the beginning.
# Sometimes there is no end yet.
#
# ### Generation
#
# A language model predicts the *next* symbol. Give it a backward cell, and the answer is in its input. There is
# a cheap test for such a leak: train on **noise**. The next of 10 symbols, drawn at random, cannot be predicted
# better than 1 time in 10. Who does better has seen it.
#
# **Predict first.** A sequence has 12 symbols, and at each position the target is the next one. How often will
# each network be right at positions 1 to 11? And at position 12?

# %% tags=["demo"] tolerance=0.04
V, T = 10, 12
noise = np.random.default_rng(6).integers(1, V + 1, size=(4000, T + 1))
x, y = noise[:, :-1], noise[:, 1:] - 1
hits = {}
for name, reader in {"forward only": keras.layers.RNN(keras.layers.GRUCell(32), return_sequences=True),
                     "both directions": BiRNN(keras.layers.GRUCell(32))}.items():
    keras.utils.set_random_seed(6)
    model = keras.Sequential([keras.layers.Embedding(V + 1, 16), reader, keras.layers.Dense(V)])
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x[:3000], y[:3000], batch_size=100, epochs=4, verbose=0)
    hits[name] = (np.array(model(x[3000:])).argmax(-1) == y[3000:]).mean(axis=0)
for name, share in hits.items():
    print(f"{name}: right at positions 1 to 11 {share[:-1].mean():.2f}, at position 12 {share[-1]:.2f}")
assert hits["both directions"][:-1].mean() > 0.95 and hits["both directions"][-1] < 0.15
assert hits["forward only"].mean() < 0.13

# %% tags=["demo"]
figure, ax = plt.subplots(figsize=(6.4, 3.0))
for (name, share), style in zip(hits.items(), ("o-", "s--"), strict=True):
    ax.plot(np.arange(1, T + 1), share, style, label=name)
ax.axhline(1 / V, color="0.5", lw=1)
ax.annotate("chance, 1 in 10", (1, 0.13), color="0.35")
ax.set(title="Predicting the next symbol of pure noise", xlabel="position in the sequence", ylabel="share right",
       ylim=(0, 1.05), xticks=range(1, T + 1))
ax.legend(loc="center left")
plot.show(figure, alt="On noise the forward-only network stays at chance; the bidirectional one is right nearly "
                      "always, except at the last position, where it falls to chance.")

# %% [markdown]
# Whoever beats chance on noise is cheating. And the last position shows how it ends: it is the only one that
# counts when you generate, because there the future does not exist yet, and the network that scored 100 % has
# learnt nothing at all. So: **encoders may read both ways, decoders may not.** (Lesson 07 uses a bidirectional
# encoder for exactly this reason, and lesson 10's BERT reads both ways and hides the words it must guess.)
#
# ### Streaming
#
# Live captions, a keyboard, a microphone: the future comes, but late. How much of it do you need? Let the
# segmenter tag each character when it has seen only `k` characters more.

# %% tags=["demo"] tolerance=0.02
gold_tags = [tag_ for words in test for tag_ in bmes(words)]

def tags_with_lookahead(name, k):
    """Each character's tag, decided when k more characters have been read."""
    prefixes = [(text[:i + k + 1], i) for text in texts for i in range(len(text))]
    tagged = tag(name, [prefix for prefix, _ in prefixes])
    return [tags[i] for tags, (_, i) in zip(tagged, prefixes, strict=True)]

waits = list(range(5))
accuracy = [np.mean([a == b for a, b in zip(tags_with_lookahead("both directions", k), gold_tags, strict=True)])
            for k in waits]
one_way, whole = (np.mean([a == b for a, b in zip("".join(predicted[name][0]), gold_tags, strict=True)])
                  for name in models)
for k, share in zip(waits, accuracy, strict=True):
    print(f"{k} characters later: {share:.3f}")
print(f"whole sentence: {whole:.3f}; forward only, at once: {one_way:.3f}")
assert accuracy[0] < one_way - 0.05 and accuracy[1] > one_way - 0.01 and accuracy[3] > whole - 0.02

# %% tags=["demo"]
figure, ax = plt.subplots(figsize=(6.4, 3.0))
ax.plot(waits, accuracy, "o-", label="both directions, after a wait")
ax.axhline(whole, color="0.4", ls="--", lw=1, label="both directions, whole sentence")
ax.axhline(one_way, color="#D55E00", ls=":", label="forward only, at once")
ax.set(title="How long must a segmenter wait?", xlabel="characters read after the one to be tagged",
       ylabel="share of tags right", xticks=waits)
ax.legend(loc="lower right")
plot.show(figure, alt="Tag accuracy of the bidirectional network against characters of lookahead: low without any, "
                      "most of the way up after one, nearly at the level of the whole sentence after two or three.")

# %% [markdown]
# With no look ahead the bidirectional network is *worse* than the forward one: it was trained on whole
# sentences, and now its backward cell starts in the middle. One character of patience makes up for that, and
# after two or three nearly everything is gained: few Chinese words are longer. So “with a short delay” is a
# third answer, between yes and no.

# %% [markdown]
# **Your turn** · `bi.why` · 5 min · 3 points
#
# May these use a bidirectional layer? Yes, no, or only with a delay, and why: (a) a spam filter for e-mail; (b)
# a keyboard that suggests the next word; (c) live captions for a lecture; (d) the part of a translation system
# that writes the French sentence. Two sentences each at most.

# %% [markdown] written="bi.why" points=3
# (a) Yes: the whole e-mail is there before anybody asks. (b) No: the next word is what is to be guessed, and a backward
# cell would have read it in training; when it is used there is nothing to read. (c) With a delay: after one or two
# words more most of the gain is there, and nobody wants to wait for the end of the lecture. (d) No: the French sentence
# is being written, its end does not exist yet (the English one may be read both ways). One point for (a) and (b)
# together, one for (c), one for (d) with a reason; a right word without a reason earns half.

# %% [markdown]
# ### What your language leaves out
#
# **An open question `bi.own`** · 25 min · 4 points
#
# Take away from text in *your* language something that a reader can put back: accents, umlauts, tones, capitals,
# spaces, commas, vowel signs. Find a text of at least 100,000 characters that you may use, put it beside this
# notebook, and in a new cell below do with it what section 7 does with the verses. **Predict first:** how much of it
# does the future decide? Name one case that only the next letters or words can settle.
#
# Hand in, in the next cell: what you took away, and from what text; what you expected; a table with one strong
# baseline, the forward-only network and the one that reads both ways, on text that was held out (two starts each, if
# you have the patience); your case, and what each network says to it; what you conclude, and how sure you are.

# %% [markdown] written="bi.own" points=4
# One point each, for any language. (1) Text and task are named, and the held-out part was never trained on. (2) A table
# with a baseline that had a chance (the most frequent form of each word, say) and both networks. (3) The chosen case
# is shown with both answers, and says something about the future. (4) A conclusion that follows from the numbers and
# names its limits: one text, so many starts. If reading both ways gains nothing, and it is shown well, that earns all
# four.

# %% [markdown]
# ## 9 · From the notebook to a layer you would ship
#
# Your `BiRNN` stands on `keras.layers.RNN`, so it already takes sequences of any length. Three things would still be
# mended before it is shipped. It always returns all steps, so that N→1 needs the work of section 5. It turns the
# sequence round by *picking* each step, twice, where less will do. And the turning counts the valid steps and takes
# them from the start: where the padding stands in *front*, it takes the wrong ones. Instead, read **backwards with the
# mask**: let the backward cell start in the padding. At a masked step nothing happens, so it arrives at the last valid
# step with a state of zeros, as if it had started there. Then no picking is needed, only a flip of the outputs:
#
# ```python
# self.backward_rnn = keras.layers.RNN(self.backward_cell, return_sequences=True, go_backwards=True)
# ...
# backward = ops.flip(self.backward_rnn(x, mask=mask), axis=1)
# ```
#
# **Predict first.** Each sequence is read alone, without padding, and then in a batch, padded behind or in front. Where
# do the two ways of reading a batch give what each sequence gives alone?

# %% tags=["demo"]
keras.utils.set_random_seed(9)
x = np.random.default_rng(9).normal(size=(3, 7, 4)).astype("float32")
mine = BiRNN(keras.layers.GRUCell(5))
mine.build(x.shape)
there = keras.layers.RNN(mine.forward_cell, return_sequences=True)
back = keras.layers.RNN(mine.backward_cell, return_sequences=True, go_backwards=True)
for where, mask in (("behind", padded), ("in front", padded[:, ::-1])):
    alone = np.concatenate([np.array(mine(row[None, real]))[0] for row, real in zip(x, mask, strict=True)])
    lean = ops.concatenate([there(x, mask=mask), ops.flip(back(x, mask=mask), axis=1)], axis=-1)
    right = [np.allclose(np.array(y)[mask], alone, atol=1e-5) for y in (mine(x, mask=mask), lean)]
    print(f"padding {where:9} your layer as alone: {right[0]!s:6} with the mask, backwards: {right[1]}")
    assert right[1]

# %% tags=["demo"]
from unrolled.lessons import cost

theirs = keras.layers.Bidirectional(keras.layers.GRU(64, return_sequences=True))
reading, running = cost.compare(BiRNN(keras.layers.GRUCell(64)), theirs)
print("your layer beside Keras's: at most twice as long to read:", reading < 2, "· a training step:", running < 2)
assert reading < 2 and running < 2

# %% [markdown]
# On a graphics card there is a third way. Keras hands the whole sequence to one **fused kernel**, a program of the
# card's maker that does all steps at once. On an H200 (PyTorch behind Keras, batch 64, 100 steps, 64 → 256 units) that
# trained 9 to 15 times faster than any loop of steps, with outputs within 0.0002 (`docs/layers.md`). So: Keras's own
# layer where there is one, your own cell in `keras.layers.RNN` where there is none, your own loop to understand.
# `unrolled.layers.Bidirectional` is Keras's wrapper, taught to take a bare cell as yours does.

# %% [markdown]
# ## 10 · What to keep
#
# - The future often decides. A second cell that reads from the end gives every output the whole sequence, for
#   twice the parameters.
# - Reverse the **valid part**. Test it: change the padding, and no valid output may move.
# - Bring the backward outputs back into reading order before you merge them. Each direction has weights of its
#   own.
# - One vector for a sequence: forward at the last valid step, backward at the first. Never `y[:, -1]`.
# - Score words, not characters, and pool the counts. Look at a strong simple baseline before you are proud of a
#   network.
# - Not for generation, and for streaming only with a delay. If a model beats chance on noise, it has seen the
#   answer.
#
# **Further.** M. Schuster and K. Paliwal, *Bidirectional recurrent neural networks*, IEEE Transactions on
# Signal Processing, 1997, is the paper this layer comes from. A layer that scores whole tag *sequences* (a
# conditional random field) on top of your tagger would forbid `S E`: Z. Huang, W. Xu and K. Yu, *Bidirectional
# LSTM-CRF models for sequence tagging*, 2015.
#
# Data: *hsk-sentences-audio* 1.0.0, CC-BY-SA-4.0, words after CC-CEDICT; Louis Segond's Bible of 1910, public
# domain.
