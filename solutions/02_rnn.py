# %% [markdown]
# # The recurrent cell and its four architectures
#
# **You will build** the recurrent cell, unroll it over time, turn it into a Keras layer with masks and a memory,
# and use that one cell in four ways: to sort surnames, to answer a line of Tang poetry, to name a picture, and to
# turn number words into digits. At the end your own layer writes verse, letter by letter.
#
# ⏱ about {minutes} minutes · {points} points · **know first:** lessons 00 and 01
#
# | symbol | is | shape |
# |---|---|---|
# | `B`, `T`, `D`, `u` | batch, time steps, inputs, units | |
# | $x_t$ | the input at step $t$ | `(B, D)` |
# | $h_t$ | the state after step $t$ | `(B, u)` |
# | $W$, $U$, $b$ | weights on the input, weights on the state, bias | `(D, u)`, `(u, u)`, `(u,)` |
# | $W_o$, $b_o$ | weights and bias that read an output from the state | `(u, V)`, `(V,)` for `V` outputs |

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import functools
import math
import re
import tempfile
import textwrap
from collections import Counter, defaultdict
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops
from unrolled import check, data, plot
from unrolled.lessons import rnn as helpers
from unrolled.lessons.glosses import GLOSSES, gloss

# %% [markdown]
# ## 1 · A state that is carried
#
# Lesson 01 ended with a wish: a model that reads a sequence of *any* length and remembers what mattered. Counting
# pairs and triples looks back one or two steps; a longer memory needs a larger table.
#
# A recurrent cell (Elman, 1990) keeps a **state** instead, a vector of fixed size, and rewrites it at every step
# from two things: what it was, and what comes in.
#
# $$h_t = \tanh(x_t W + h_{t-1} U + b)$$
#
# Take one unit with $W = 1$, $U = 0.5$, $b = 0$. It starts from $h_0 = 0$; a single 1 comes in, then zeros. By
# hand: $h_1 = \tanh(1) = 0.762$, then $h_2 = \tanh(0.5 \cdot 0.762) = 0.363$, then
# $h_3 = \tanh(0.5 \cdot 0.363) = 0.180$. The 1 is long gone, and the state still knows of it, less and less.

# %%
h, echo = 0.0, []
for x in [1, 0, 0, 0, 0]:
    h = np.tanh(1.0 * x + 0.5 * h)
    echo.append(round(float(h), 3))
print("x:", [1, 0, 0, 0, 0])
print("h:", echo)

# %% [markdown]
# **Exercise `rnn.step`** · ●○○○○ · 5 min · {points} points
#
# Write the formula for a whole batch: rows are sequences, so `x` meets `W` from the left.
#
# <details><summary>Hint 1</summary>`ops.matmul(x, W)` has shape (B, u). So has the state's part. Add first,
# squash once.</details>
# <details><summary>Hint 2</summary>The new state is `ops.tanh(... + ... + b)`, with all three inside.</details>
#
# If you see *Matrix size-incompatible*: the two factors stand in the wrong order, `W` with `x`.

# %% solution="rnn.step"
def rnn_step(x, h, W, U, b):
    """One step of a recurrent cell.

    x: (batch, D), h: (batch, u), W: (D, u), U: (u, u), b: (u,).
    Returns the new state, (batch, u).
    """
    ### BEGIN SOLUTION
    return ops.tanh(ops.matmul(x, W) + ops.matmul(h, U) + b)
    ### END SOLUTION

# %% check="rnn.step"
check("rnn.step", rnn_step)

# %% [markdown]
# ## 2 · Two ways to write the same cell
#
# Many books write the cell with *one* matrix, $\tanh([x; h]\, V + b)$, where $[x; h]$ is the input and the state
# side by side. It is the same cell. Put $W$ on top of $U$; then a row times a column is a sum over $D + u$
# places, and the sum falls into the first $D$ and the last $u$ of them:
#
# $$\big([x; h]\, V\big)_j = \sum_{k=1}^{D+u} [x; h]_k V_{kj} = \sum_{k=1}^{D} x_k W_{kj} + \sum_{k=1}^{u} h_k U_{kj}
# = \big(x W + h U\big)_j , \qquad V = \begin{bmatrix} W \\ U \end{bmatrix}.$$
#
# This holds for every $j$, so the two forms are equal: not nearly, but term by term. The joined form is one
# product instead of two; the split form shows what acts on what. In this course we write the split form, as Keras
# does.
#
# **Exercise `rnn.concat_form`** · ●○○○○ · 5 min · {points} points
#
# Join the matrices, and take the step with the joined one. Return both.
#
# <details><summary>Hint 1</summary>`V` has D + u rows and u columns: `W` and `U` are stacked as rows, axis
# 0.</details>
# <details><summary>Hint 2</summary>`x` and `h` stand side by side, in that order: axis −1.</details>

# %% solution="rnn.concat_form"
def concat_form(x, h, W, U, b):
    """The same step with one matrix: x (batch, D), h (batch, u), W (D, u), U (u, u), b (u,).

    Returns the joined matrix V (D + u, u), whose first D rows meet x, and the new state (batch, u).
    """
    ### BEGIN SOLUTION
    V = ops.concatenate([W, U], axis=0)
    xh = ops.concatenate([x, h], axis=-1)
    return V, ops.tanh(ops.matmul(xh, V) + b)
    ### END SOLUTION

# %% check="rnn.concat_form"
check("rnn.concat_form", concat_form)

# %% [markdown]
# From here on a `cell` is given (it is your `rnn_step`), so that nothing you do next depends on what you did above.

# %%
cell = helpers.cell

# %% [markdown]
# The proof at work, on numbers drawn at random: your joined form against the split one.

# %% tags=["demo"]
rng = np.random.default_rng(2)
x, h, W, U, b = (rng.normal(size=size) for size in [(3, 5), (3, 7), (5, 7), (7, 7), (7,)])
V, joined = concat_form(x, h, W, U, b)
gap = np.abs(np.asarray(cell(x, h, W, U, b)) - np.asarray(joined)).max()
assert V.shape == (12, 7) and gap < 1e-5
print("split and joined form agree to 5 decimals:", bool(gap < 1e-5))

# %% [markdown]
# ## 3 · Unrolling: the same weights at every step
#
# To read a sequence, apply the cell again and again. Written out step by step the network looks deep, one layer
# per time step; but every "layer" is the *same* one. Nothing in $W$, $U$ and $b$ knows how long the sequence is. An
# output, where one is wanted, is read from the state: $h_t = f(h_{t-1}, x_t)$ and $o_t = g(h_t) = h_t W_o + b_o$.
#
# **Predict first.** A cell with 64 units reads letters as vectors of 32 numbers. How many weights does it need
# for words of 5 letters, and how many for words of 500?

# %%
D, u = 32, 64
for T in (5, 500):
    print(f"{T:>3} steps: {D * u} in W + {u * u} in U + {u} in b = {D * u + u * u + u} weights")

# %% [markdown]
# **Exercise `rnn.unroll`** · ●●○○○ · 10 min · {points} points
#
# Apply `cell` to every step. Collect the states, and return the last one as well.
#
# <details><summary>Hint 1</summary>Time is axis 1: step t reads `x[:, t]`, which has shape (B, D).</details>
# <details><summary>Hint 2</summary>Keep one variable `h`. Start it at `h0`, overwrite it at each step, append it
# to a list *after* the step.</details>
# <details><summary>Hint 3</summary>`ops.stack(states, axis=1)` puts time where it belongs.</details>
#
# If you see *Incompatible shapes*: your loop may run over the batch (axis 0) instead of over time (axis 1).

# %% solution="rnn.unroll"
def unroll(x, h0, W, U, b):
    """Apply the cell to every step of x (batch, T, D), starting from h0 (batch, u).

    Returns all states (batch, T, u) and the last one (batch, u).
    """
    ### BEGIN SOLUTION
    h, states = h0, []
    for t in range(x.shape[1]):
        h = cell(x[:, t], h, W, U, b)
        states.append(h)
    return ops.stack(states, axis=1), h
    ### END SOLUTION

# %% check="rnn.unroll"
check("rnn.unroll", unroll)

# %% [markdown]
# ## 4 · A layer: masks and a memory
#
# Four things turn the loop into a layer one can use.
#
# **Lengths differ.** A batch is a rectangle, so short sequences are padded. A **mask** `(B, T)` says which steps
# count: True counts. At a step that does not, the state stays as it was. So the last state is the last *valid*
# one.
#
# **The next layer.** Keras hands a mask on from layer to layer, for a mask belongs to the *steps*. If all T states go
# on, their mask goes with them. If only the last state does, there are no steps left to mask: its shape is `(B, u)`,
# and a `(B, T)` mask beside it would be nonsense (fitting such a model stops, or, with B = T, is silently wrong).
# Each layer says so in `compute_mask(x, mask)`: it returns the mask that belongs to its output, or `None`.
#
# **A given start.** `initial_state` hands in $h_0$: from an encoder, or from a picture.
#
# **A memory between calls.** With `stateful=True` the layer keeps its last state and starts the next call from
# it: a long text can come in pieces. That stored state is a weight the optimiser must not touch:
# `trainable=False`.
#
# **Exercise `rnn.layer`** · ●●●●○ · 30 min · {points} points
#
# Write `SimpleRNN(units, return_sequences=False, stateful=False)`. Make the weights in `build`, in the order W,
# U, b; for `stateful` also a memory `(B, units)` of zeros. `call(x, initial_state=None, mask=None)` runs the
# loop. The memory has one row per sequence, so a stateful layer works for one batch size only; any other layer has to
# work for every batch size, also while a model is built and B is not known yet (`x.shape[0]` is `None` then). How the
# weights start is up to you; Keras starts $U$ as `"orthogonal"` and $b$ as `"zeros"`. `compute_mask` says which mask
# goes on. `get_config` returns what `__init__` took, and what every layer has: `super().get_config()`.
#
# <details><summary>Hint 1</summary>In `build(self, input_shape)`, `B, _, D = input_shape`. A weight comes from
# `self.add_weight(shape=..., initializer=..., name=...)`.</details>
# <details><summary>Hint 2</summary>Compute the new state at every step, then choose: `ops.where(mask[:, t, None],
# new, h)`.</details>
# <details><summary>Hint 3</summary>Where does `h` start? From `initial_state` if there is one; else from the
# memory if there is one; else from zeros.</details>
# <details><summary>Hint 4</summary>After the loop: `self.memory.assign(h)`.</details>
# <details><summary>Hint 5</summary>Zeros for a batch of any size: `ops.zeros((ops.shape(x)[0],
# self.units))`.</details>
#
# If you see *missing 1 required positional argument: 'units'*: `get_config` does not return the units.

# %% solution="rnn.layer"
@keras.saving.register_keras_serializable("unrolled_rnn")
class SimpleRNN(keras.layers.Layer):
    """(batch, T, D) -> all states (batch, T, units), or the last one (batch, units).

    call(x, initial_state=None, mask=None). Write __init__, build, call, compute_mask and get_config.
    """

    def __init__(self, units, return_sequences=False, stateful=False, **kwargs):
        ### BEGIN SOLUTION
        super().__init__(**kwargs)
        self.units, self.return_sequences, self.stateful = units, return_sequences, stateful

    def build(self, input_shape):
        B, _, D = input_shape
        self.W = self.add_weight(shape=(D, self.units), name="W")
        self.U = self.add_weight(shape=(self.units, self.units), initializer="orthogonal", name="U")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")
        if self.stateful:
            self.memory = self.add_weight(
                shape=(B, self.units), initializer="zeros", trainable=False, name="memory")

    def call(self, x, initial_state=None, mask=None):
        h = initial_state
        if h is None:
            h = self.memory.value if self.stateful else ops.zeros((ops.shape(x)[0], self.units))
        states = []
        for t in range(x.shape[1]):
            new = cell(x[:, t], h, self.W, self.U, self.b)
            h = new if mask is None else ops.where(mask[:, t, None], new, h)
            states.append(h)
        if self.stateful:
            self.memory.assign(h)
        return ops.stack(states, axis=1) if self.return_sequences else h

    def compute_mask(self, x, mask=None):
        return mask if self.return_sequences else None

    def get_config(self):
        return super().get_config() | {
            "units": self.units, "return_sequences": self.return_sequences, "stateful": self.stateful}
    ### END SOLUTION

# %% check="rnn.layer"
check("rnn.layer", SimpleRNN)

# %% [markdown]
# Does it agree with Keras's own layer? Copy the weights over and compare, with a mask and a given start.

# %% tags=["demo"]
keras.utils.set_random_seed(2)
rng = np.random.default_rng(2)
x, start = rng.normal(size=(4, 9, 5)).astype("float32"), rng.normal(size=(4, 7)).astype("float32")
mask = np.arange(9) < np.array([[9], [6], [3], [1]])
theirs, yours = keras.layers.SimpleRNN(7, return_sequences=True), SimpleRNN(7, return_sequences=True)
theirs.build(x.shape)
yours.build(x.shape)
values = [rng.normal(size=w.shape) * 0.5 for w in theirs.get_weights()]
theirs.set_weights(values)
yours.set_weights(values)
a = np.asarray(theirs(x, initial_state=ops.convert_to_tensor(start), mask=ops.convert_to_tensor(mask)))
gap = np.abs(a - np.asarray(yours(x, initial_state=start, mask=mask))).max()
assert gap < 1e-5
print("your layer and keras.layers.SimpleRNN agree to 5 decimals:", bool(gap < 1e-5))

# %% [markdown]
# And it can be saved in a file and loaded again, weights and settings alike. This is what `get_config` is for.

# %% tags=["demo"]
model = keras.Sequential([keras.Input((9, 5)), SimpleRNN(7, return_sequences=True), keras.layers.Dense(2)])
with tempfile.TemporaryDirectory() as folder:
    model.save(f"{folder}/reader.keras")
    loaded = keras.models.load_model(f"{folder}/reader.keras")
assert loaded.layers[0].return_sequences and np.allclose(model(x), loaded(x), atol=1e-6)
print("the loaded model gives the same outputs")

# %% [markdown]
# Now the whole chain, fitted: symbols, an `Embedding` that makes a mask of the zeros, your layer, a `Dense` layer.
# The task is to remember. Each sequence has 3 to 9 symbols, and the answer is the first of them; behind it come
# other symbols, and then padding.
#
# **Predict first.** After training, the vector of symbol 0 is replaced by hundreds. What happens to the answers?

# %% tags=["demo"]
keras.utils.set_random_seed(2)
rng = np.random.default_rng(2)
symbols = rng.integers(1, 10, (2000, 9))
symbols[np.arange(9) >= rng.integers(3, 10, 2000)[:, None]] = 0
embedding = keras.layers.Embedding(10, 8, mask_zero=True)
model = keras.Sequential([keras.Input((9,), dtype="int32"), embedding, SimpleRNN(32), keras.layers.Dense(10)])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"], jit_compile=False)
model.fit(symbols[:1500], symbols[:1500, 0], batch_size=50, epochs=15, verbose=0)
right = model.evaluate(symbols[1500:], symbols[1500:, 0], verbose=0)[1]
answers = model(symbols[1500:])
E = embedding.get_weights()[0]
E[0] = 100.0
embedding.set_weights([E])
assert right > 0.9 and np.allclose(answers, model(symbols[1500:]), atol=1e-5)
print("the first symbol is remembered in more than nine of ten new sequences:", right > 0.9)
print("and no answer changes when the vector of the padding does")

# %% [markdown]
# Your layer can be built in, fitted, saved. It agrees with Keras's, so for the next five sections we take Keras's,
# and you know what is inside; for the verse at the end yours comes back. `unroll=True` tells Keras to write the
# steps out, as you did; for short sequences that is quicker than a loop.

# %%
Recurrent = functools.partial(keras.layers.SimpleRNN, unroll=True)

# %% [markdown]
# ## 5 · One cell, four architectures
#
# What goes in and what comes out may each be one thing or many. Four diagrams, one cell: a colour is one weight,
# and it is the same at every step. (Only N→M has a second cell, drawn darker, with weights of its own.)

# %% tags=["demo"]
figure, axes = plt.subplots(2, 2, figsize=(8.4, 5.2))
helpers.draw_unrolled(axes[0, 0], "N→1: a surname, its list", list("aalto"), [None] * 4 + ["Finnish"])
helpers.draw_unrolled(axes[0, 1], "N→N: upper line, lower line",
                      [f"$x_{t}$" for t in range(1, 6)], [f"$o_{t}$" for t in range(1, 6)])
helpers.draw_unrolled(axes[1, 0], "1→N: a picture, its name", ["start", "dark", "woman", "surfing"],
                      ["dark", "woman", "surfing", "end"], feed_back=(0, 1, 2), first_state="picture")
helpers.draw_unrolled(axes[1, 1], "N→M: number words, digits (two cells)", ["sixty", "two", "start", "6", "2"],
                      [None, None, "6", "2", "end"], feed_back=(2, 3), second_cell=2)
helpers.weight_legend(figure)
figure.tight_layout(rect=(0, 0.1, 1, 1))
plot.show(figure, alt="Four unrolled diagrams of the same cell: many to one, many to many of equal length, one to "
                      "many with outputs fed back, and many to many with a second cell that takes over the state.")

# %% [markdown]
# In code they are just as near to each other. This is the whole API of the lesson: four small functions around
# one cell; the last two share a `decoder`. Symbols come in as numbers, an `Embedding` gives each its vector
# (lesson 01), a `Dense` layer reads the state out.

# %%
def n_to_1(symbols, classes, T, u):
    """(B, T) symbol numbers, 0 for padding -> (B, classes): read all, then answer once."""
    x = keras.Input((T,), dtype="int32")
    last = Recurrent(u)(keras.layers.Embedding(symbols, 32, mask_zero=True)(x))
    return keras.Model(x, keras.layers.Dense(classes)(last))


def n_to_n(symbols, classes, T, u):
    """(B, T) -> (B, T, classes): an answer at every step."""
    x = keras.Input((T,), dtype="int32")
    states = Recurrent(u, return_sequences=True)(keras.layers.Embedding(symbols, 32)(x))
    return keras.Model(x, keras.layers.Dense(classes)(states))

# %%
def decoder(h, symbols, T, u):
    """A cell that starts from the state h, reads the previous symbol, and predicts the next."""
    before = keras.Input((T,), dtype="int32")
    embedded = keras.layers.Embedding(symbols, 32)(before)
    return before, keras.layers.Dense(symbols)(Recurrent(u, return_sequences=True)(embedded, initial_state=h))


def one_to_n(features, symbols, T, u):
    """(B, features) and the symbols before (B, T) -> (B, T, symbols)."""
    x = keras.Input((features,))
    before, logits = decoder(keras.layers.Dense(u, activation="tanh")(x), symbols, T, u)
    return keras.Model([x, before], logits)


def n_to_m(symbols_in, T_in, symbols, T, u):
    """(B, T_in) and the symbols before (B, T) -> (B, T, symbols): one cell reads, a second one writes."""
    x = keras.Input((T_in,), dtype="int32")
    last = Recurrent(u)(keras.layers.Embedding(symbols_in, 32, mask_zero=True)(x))
    before, logits = decoder(last, symbols, T, u)
    return keras.Model([x, before], logits)

# %% [markdown]
# All four are trained alike: cross-entropy, Adam, a learning rate that sinks to zero. Targets of −1 are left out.

# %%
def train(model, inputs, targets, epochs, rate, **more):
    """Fit a model; targets of -1 (padding) do not count."""
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * math.ceil(len(targets) / 64))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    # Compiling models this small to XLA would take longer than it saves.
    model.compile(keras.optimizers.Adam(schedule, global_clipnorm=1.0), loss, jit_compile=False)
    return model.fit(inputs, targets, batch_size=64, epochs=epochs, verbose=0, **more)

# %% [markdown]
# ## 6 · N→1: in which list does a surname stand?
#
# The cell reads a name letter by letter, and only the last state is used. With padding, "last" needs care.
#
# **Exercise `rnn.last_valid`** · ●●○○○ · 10 min · {points} points
#
# From all states `(B, T, u)` and a mask `(B, T)`, take each sequence's state at its last valid step. Padding may
# stand at the end or at the start.
#
# <details><summary>Hint 1</summary>By hand: mask T T F F → step 1. Mask F F T T → step 3. It is the largest step
# number where the mask is True.</details>
# <details><summary>Hint 2</summary>`ops.where(mask, ops.arange(T), -1)`, then a maximum over time.</details>
# <details><summary>Hint 3</summary>One step a row: `ops.take_along_axis(states, last[:, None, None], axis=1)` has
# shape (B, 1, u).</details>

# %% solution="rnn.last_valid"
def last_valid(states, mask):
    """Each sequence's last valid state, (batch, u).

    states: (batch, T, u); mask: (batch, T), True where a step counts: at least once in each row.
    Padding may stand at either end.
    """
    ### BEGIN SOLUTION
    steps = ops.where(mask, ops.arange(mask.shape[1]), -1)
    last = ops.max(steps, axis=1)
    return ops.take_along_axis(states, last[:, None, None], axis=1)[:, 0]
    ### END SOLUTION

# %% check="rnn.last_valid"
check("rnn.last_valid", last_valid)

# %% [markdown]
# Now real names, from twelve lists of Faker, a Python package that invents test data. A word on what these labels
# are. **A label says in which list a name stands, no more.** People move, marry and are named after saints; names
# that stand in two lists were taken out here. A model trained on them learns the lists and their biases. It does
# not learn anyone's language, nationality or origin, and must not be used as if it did.

# %%
names = data.load("surnames")
lists = sorted({label for _, label in names["train"]})
letters = ["^", "$", *sorted({letter for name, _ in names["train"] for letter in name})]
for name, label in names["train"][::743]:
    print(f"{name:<12} {label}")
print(len(names["train"]), "names to learn from,", len(names["test"]), "held out,", len(lists), "lists")

# %% [markdown]
# Three opponents. Always the largest class. **A bag of letters**: a linear model that sees which letters a name
# has and how often, not their order. And a strong one, **letter triples**: a linear model that sees every piece
# of one to three letters, the marks `^` (start) and `$` (end) included. All read the same names. The network begins
# with random weights, so it is trained three times from different starts: what is printed is the mean of the three,
# and after ± their standard deviation. (A linear model ends up at the same place from everywhere.)
#
# **Predict first.** Which of these will the recurrent network beat?

# %% tags=["demo"]
def linear(features):
    """Held-out accuracy of a linear model on counts of the features of each name."""
    known = sorted({f for name, _ in names["train"] for f in features(name)})
    index = {feature: i for i, feature in enumerate(known)}
    table = {split: np.zeros((len(rows), len(known)), "float32") for split, rows in names.items()}
    for split, rows in names.items():
        for row, (name, _) in zip(table[split], rows, strict=True):
            for feature in features(name):
                if feature in index:
                    row[index[feature]] += 1
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((len(known),)), keras.layers.Dense(len(lists))])
    train(model, table["train"], y["train"], epochs=10, rate=0.01)
    return np.mean(model.predict(table["test"], verbose=0).argmax(-1) == y["test"]), model.count_params()


y = {split: np.array([lists.index(label) for _, label in rows]) for split, rows in names.items()}
bag, bag_weights = linear(list)
triples, triples_weights = linear(lambda name: helpers.ngrams(name, 3))

# %% tags=["demo"] tolerance=0.03
T = 18
x = {split: helpers.encode([f"^{name}$" for name, _ in rows], letters, T) for split, rows in names.items()}
runs = []
for seed in (4, 3, 2):
    keras.utils.set_random_seed(seed)
    reader = n_to_1(len(letters) + 1, len(lists), T, u=64)
    train(reader, x["train"], y["train"], epochs=12, rate=0.004)
    guess = reader.predict(x["test"], verbose=0).argmax(-1)
    runs.append(np.mean(guess == y["test"]))
print(f"largest class   {np.bincount(y['test']).max() / len(guess):.2f}")
print(f"bag of letters  {bag:.2f}          {bag_weights} weights")
print(f"recurrent       {np.mean(runs):.2f} ± {np.std(runs, ddof=1):.2f}   {reader.count_params()} weights")
print(f"letter triples  {triples:.2f}          {triples_weights} weights")
assert min(runs) > bag + 0.05 and triples > max(runs) + 0.03

# %% tags=["demo"] tolerance=0.12
confusion = np.zeros((len(lists), len(lists)))
np.add.at(confusion, (y["test"], guess), 1)
confusion /= confusion.sum(axis=1, keepdims=True)
figure, axis = plt.subplots(figsize=(6.2, 5.2))
image = axis.imshow(confusion, vmin=0, vmax=1)
axis.set(xticks=range(len(lists)), yticks=range(len(lists)), yticklabels=lists,
         xlabel="list the network chooses", ylabel="list the name stands in", title="Held-out surnames, row by row")
axis.set_xticklabels(lists, rotation=45, ha="right")
figure.colorbar(image, label="share of the row")
plot.show(figure, alt="Confusion matrix of twelve lists of surnames; the diagonal is brightest.")
for label in ("Irish", "Zulu", "English", "French"):
    print(f"{label:<8} {confusion[lists.index(label), lists.index(label)]:.2f} right")

# %% [markdown]
# The network beats the bag of letters clearly: **order carries information, and the state holds it.** But it
# loses to letter triples, and that is an honest result, not a bug. The triples model is given each ending as a
# feature of its own, with many more weights to learn what it means; the network has to find out from a few
# thousand names *that* endings matter. Where data are few and short patterns decide, count first. On running text,
# in section 10, the network gets ahead of the triples, and meets a stronger opponent.
#
# What goes on inside? Let it read one held-out name, and look at all states on the way.

# %% tags=["demo"]
def states_of(model, row):
    """All states of a trained N→1 model over one row of symbol numbers, and the class probabilities there."""
    E, W, U, b, Wo, bo = model.get_weights()
    h, states = np.zeros(U.shape[0]), []
    for symbol in row:
        h = np.tanh(E[symbol] @ W + h @ U + b)
        states.append(h)
    logits = np.array(states) @ Wo + bo
    return np.array(states), np.asarray(ops.softmax(logits))

# %% tags=["demo"]
name = "karlović"
assert (name, "Croatian") in names["test"]
text = f"^{name}$"
states, p = states_of(reader, helpers.encode([text], letters, len(text))[0])
order = states[-1].argsort()
figure, (above, below) = plt.subplots(2, 1, figsize=(6.8, 5.6), sharex=True, height_ratios=[3, 2],
                                      layout="constrained")
image = above.imshow(states[:, order].T, aspect="auto", vmin=-1, vmax=1, cmap="RdBu_r")
above.set(ylabel="unit (sorted by last value)", title=f"The state while reading {name}")
figure.colorbar(image, ax=above, label="state, −1 to 1")
for k in p.max(axis=0).argsort()[::-1][:4]:
    below.plot(p[:, k], marker="o", label=lists[k])
below.set(xticks=range(len(text)), xticklabels=list(text), ylim=(0, 1.05),
          xlabel="letter that has just been read", ylabel="probability")
below.legend(ncol=4, loc="upper center", bbox_to_anchor=(0.5, 1.25), fontsize=9)
plot.show(figure, alt=f"Heat map of 64 units over the letters of {name}; below, the probability of four lists after "
                      "each letter, with Croatian highest at the end.")
assert lists[p[-1].argmax()] == "Croatian"
print("after the last letter:", lists[p[-1].argmax()])

# %% tags=["demo"] tolerance=0.1
flips = np.mean(states[1:] * states[:-1] < 0)
print(f"from one letter to the next, a unit changes its sign in {flips:.2f} of all cases")

# %% [markdown]
# Every column is one state. Most of it is rewritten letter by letter: a plain cell has nothing that would protect a
# value, and lesson 04 gives it that. The lower part is what the read-out would say if the name ended there. On
# the way it is wild, for it was trained to answer after the end mark `$` only, and there it is sure.
#
# **Your turn.** Type any names, in small letters (a letter that it never met is skipped). Try your own. The last one
# here nobody ever had; what will it say to that?

# %% tags=["demo", "nbval-ignore-output"]
my_names = ["novak", "okafor", "schumacher", "xqzt"]
for name in my_names:
    text = "".join(letter for letter in f"^{name}$" if letter in letters)
    _, p = states_of(reader, helpers.encode([text], letters, len(text))[0])
    assert abs(p[-1].sum() - 1) < 1e-4
    best = p[-1].argsort()[::-1][:3]
    print(f"{name:<12}", "   ".join(f"{lists[k]} {p[-1, k]:.2f}" for k in best))

# %% [markdown]
# It must choose one of its twelve lists, whatever you type. The numbers say which list fits *best*, not whether any
# of them fits.
#
# **A question in words `rnn.labels`** · 5 min · 2 points
#
# A company wants to use this network to guess customers' nationality from their surnames: "It is right seven times
# in ten." Give two reasons, from how the labels were made or from what was measured above, why that sentence does
# not mean what they think. Answer in the next cell.

# %% [markdown] written="rnn.labels" points=2
# Any two of these, one point each. (1) A label says in which list of a package for test data a name stands, not
# which passport a person holds: people move and marry, so "right" here means "found the list". (2) Names that stand
# in two lists were taken out, and only twelve lists exist; real customers have shared names and names from
# everywhere else, so the task was made easier than theirs. (3) "Seven in ten" is a mean over lists of much the same
# size: for French names it is about four in ten, for Irish ones more than nine. Other customers mean another share,
# and the mistakes fall on some groups far more than on others.

# %% [markdown]
# ## 7 · N→N: answering a line of Tang poetry
#
# Eight-line poems of the Tang dynasty have couplets in which the lower line answers the upper one *character by
# character*. Wang Wei, on his way to the frontier:
#
# | upper | 大 | 漠 | 孤 | 煙 | 直 |
# |---|---|---|---|---|---|
# | | great | desert | lone | smoke | straight |
# | **lower** | 長 | 河 | 落 | 日 | 圓 |
# | | long | river | setting | sun | round |
#
# (If you see empty boxes, your system has no Chinese font; everything runs all the same.)
#
# Adjective under adjective, noun under noun. Both lines have five characters, so an answer at every step is just
# what is needed. How good an answer is, a loss says: the mean of $-\ln p(\text{right character})$. Other N→N
# tasks have lines of different lengths, so write the loss with a mask at once.
#
# **Exercise `rnn.many_to_many_loss`** · ●●○○○ · 10 min · {points} points
#
# The mean cross-entropy, in nats (the unit of $-\ln p$), over all positions of the batch whose mask is True. By hand:
# two valid positions with $p = 0.5$ and $p = 0.25$ cost $(0.693 + 1.386) / 2 = 1.040$, however many padded ones stand
# behind them. Logits may be as large as 100, and $e^{100}$ is more than a float32 can hold.
#
# <details><summary>Hint 1</summary>`ops.log_softmax` over the last axis, then pick each target's entry.</details>
# <details><summary>Hint 2</summary>`ops.take_along_axis(log_p, targets[..., None], axis=-1)` picks them; the last
# axis is then 1.</details>
# <details><summary>Hint 3</summary>Multiply by the mask as numbers, add up, and divide by how many positions are
# valid, not by B · T.</details>

# %% solution="rnn.many_to_many_loss"
def masked_loss(targets, logits, mask):
    """Mean cross-entropy in nats over the positions where mask (batch, T) is True.

    targets: (batch, T) integers from 0 to V − 1, under the padding as well; logits: (batch, T, V).
    Returns one number.
    """
    ### BEGIN SOLUTION
    log_p = ops.log_softmax(logits, axis=-1)
    losses = -ops.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]
    mask = ops.cast(mask, losses.dtype)
    return ops.sum(losses * mask) / ops.sum(mask)
    ### END SOLUTION

# %% check="rnn.many_to_many_loss"
check("rnn.many_to_many_loss", masked_loss)

# %% [markdown]
# Two opponents again, both by counting. **How often** a character stands in a lower line at all. And **pairs**:
# how often it stands right below this upper character, mixed with the former where pairs are rare. And the
# pairs have an advantage: how much to mix is chosen on the very lines they are tested on.

# %% tags=["demo"]
couplets = data.load("couplets")
characters = sorted(set("".join(upper + lower for upper, lower in couplets)))
V = len(characters)
upper = helpers.encode([upper for upper, _ in couplets], characters, 5) - 1
lower = helpers.encode([lower for _, lower in couplets], characters, 5) - 1
x, y = upper[:-1000], lower[:-1000]
x_test, y_test = upper[-1000:], lower[-1000:]
often = np.bincount(y.ravel(), minlength=V) + 1
often = often / often.sum()
pairs = np.zeros((V, V))
np.add.at(pairs, (x.ravel(), y.ravel()), 1)
by_pairs = []
for mix in (20, 50, 100, 200, 500):
    table = (pairs + mix * often) / (pairs.sum(axis=1, keepdims=True) + mix)
    by_pairs.append(-np.log(table[x_test, y_test]).mean(axis=0))
by_pairs = min(by_pairs, key=np.mean)

# %% tags=["demo"] tolerance=0.05
keras.utils.set_random_seed(2)
answerer = n_to_n(V, V, T=5, u=96)
train(answerer, x, y, epochs=5, rate=0.004)
logits = answerer.predict(x_test, batch_size=500, verbose=0)
log_p = np.asarray(ops.log_softmax(logits))
costs = -np.take_along_axis(log_p, y_test[..., None], axis=-1)[..., 0]
by_network = costs.mean(axis=0)
print(f"cross-entropy per character, in nats, on {len(x_test)} held-out couplets")
print(f"any of {V} characters  {math.log(V):.2f}")
print(f"how often            {-np.log(often[y_test]).mean():.2f}")
print(f"pairs                {by_pairs.mean():.2f}")
print(f"recurrent            {by_network.mean():.2f}")
assert by_network.mean() < by_pairs.mean() - 0.25

# %% tags=["demo"]
figure, axis = plt.subplots()
steps = np.arange(1, 6)
axis.plot(steps, -np.log(often[y_test]).mean(axis=0), marker="s", label="how often")
axis.plot(steps, by_pairs, marker="^", label="pairs")
axis.plot(steps, by_network, marker="o", label="recurrent")
axis.set(xticks=steps, xlabel="position in the line", ylabel="cross-entropy (nats per character)", ylim=(5, 7.1),
         title="Answering a line: every position is a gain")
axis.legend(ncol=3, loc="upper center")
plot.show(figure, alt="Cross-entropy at each of the five positions: the recurrent network is below the pairs, and "
                      "the pairs are below plain frequency, at every position.")
assert (by_network < by_pairs).all()

# %% [markdown]
# The network is better than pairs at *every* position, also at the first, where it has seen nothing but the one
# character that pairs see too. One reason may be its vectors: characters that are used alike get similar ones, so
# a rare character can borrow from a common one, and a table of pairs cannot. What has it learnt? Ask for the
# likeliest answer to a character, averaged over all lines it stands in:

# %% tags=["demo"]
p = np.asarray(ops.softmax(answerer.predict(upper, batch_size=500, verbose=0)))
meanings = {"山": "mountain", "水": "water", "東": "east", "南": "south", "來": "come", "去": "go", "新": "new",
            "舊": "old", "有": "there is", "無": "there is not", "金": "gold", "玉": "jade"}
for character in "山東來新有金":
    answer = characters[p[upper == characters.index(character)].mean(axis=0).argmax()]
    print(f"{character} {meanings[character]:<9} → {answer} {meanings.get(answer, '')}")

# %% [markdown]
# Water under mountain, jade under gold: nobody told it what an antithesis is. And whole lines? Here are ten
# held-out upper lines, with the poet's answer and the network's (at each position its likeliest character). The
# words beside them are glosses, one a character, so that you can judge without knowing Chinese. Of all held-out
# couplets whose characters have a gloss, these are the five where the network found the poet's answer least
# surprising, and the five where most.

# %% tags=["demo", "nbval-ignore-output"]
readable = [k for k, couplet in enumerate(couplets[-1000:]) if set("".join(couplet)) <= set(GLOSSES)]
by_cost = sorted(readable, key=lambda k: costs[k].mean())
replies = ["".join(characters[i] for i in row) for row in logits.argmax(-1)]
for title, chosen in (("least surprising", by_cost[:5]), ("most surprising", by_cost[-5:])):
    print(f"--- {title}")
    for k in chosen:
        for who, line in zip(("upper", "poet", "network"), (*couplets[-1000 + k], replies[k]), strict=True):
            print(f"{who:<8} {line}   {gloss(line)}")
        print()
assert len(readable) > 100 and costs[by_cost[:5]].mean() + 2 < costs[by_cost[-5:]].mean()

# %% tags=["demo"] tolerance=0.03
same = np.mean(logits.argmax(-1) == y_test)
copied = np.mean([len(set(a) & set(reply)) > 0 for (a, _), reply in zip(couplets[-1000:], replies, strict=True)])
repeated = np.mean([len(set(reply)) < 5 for reply in replies])
print(f"the poet's own character at a position: {same:.2f}")
print(f"answers that say some character twice: {repeated:.2f}")
print(f"answers that take a character from the upper line: {copied:.2f}")
assert same < 0.2 and repeated > 0.05

# %% [markdown]
# Look at them word by word, and many answers are right *in kind* where the poet chose another word: a colour under
# a colour, a moon under a mountain, "not" under "there is". Read them as *lines* and many fail: a word twice, a
# word for the sake of its place, no thought that runs through. It answers at once, while it reads: it cannot look
# at the characters still to come, nor at what it has answered itself. Lessons 06 and 07 change that.
#
# **Your turn.** Five characters of your own, or of a poem you know (traditional script, from the 1,200 it has met).

# %% tags=["demo", "nbval-ignore-output"]
my_line = "明月照高樓"
assert len(my_line) == 5 and set(my_line) <= set(characters), "five of the 1,200 characters in `characters`, please"
numbers = helpers.encode([my_line], characters, 5) - 1
my_logits = answerer.predict(numbers, verbose=0)[0]
for character, row in zip(my_line, my_logits, strict=True):
    best = [characters[k] for k in row.argsort()[::-1][:4]]
    print(f"{character} {gloss(character):<12}", "  ".join(f"{answer} {gloss(answer)}" for answer in best))

# %% [markdown]
# ## 8 · 1→N: a picture goes in, a name comes out
#
# Now the input is *one* thing. It becomes the first state; then the cell runs on its own, and each symbol it
# chooses is the next step's input.
#
# **Exercise `rnn.one_to_many`** · ●●●○○ · 15 min · {points} points
#
# The first step reads the symbol `start`. At every step: look up the vector of the symbol, take a step, read the
# state out, choose the symbol with the largest logit, feed it back.
#
# <details><summary>Hint 1</summary>`ops.take(E, symbols, axis=0)` gives one row of the table for each symbol, (B,
# D). </details>
# <details><summary>Hint 2</summary>Two variables live through the loop: `h` and `symbols`, (B,). Both are
# overwritten at each step.</details>
# <details><summary>Hint 3</summary>Logits come from the *new* state: `ops.matmul(h, Wo) + bo`.</details>

# %% solution="rnn.one_to_many"
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    """From one state to a sequence: each symbol chosen is the next step's input.

    h: (batch, u); start: one integer, the first symbol every sequence reads; E: (V, D) embedding table;
    Wo: (u, V) and bo: (V,) read the state out.
    Returns the logits (batch, steps, V) and the symbols with the largest ones (batch, steps).
    """
    ### BEGIN SOLUTION
    symbols = ops.full((h.shape[0],), start, dtype="int32")
    all_logits, all_symbols = [], []
    for _ in range(steps):
        h = cell(ops.take(E, symbols, axis=0), h, W, U, b)
        logits = ops.matmul(h, Wo) + bo
        symbols = ops.argmax(logits, axis=-1)
        all_logits.append(logits)
        all_symbols.append(symbols)
    return ops.stack(all_logits, axis=1), ops.stack(all_symbols, axis=1)
    ### END SOLUTION

# %% check="rnn.one_to_many"
check("rnn.one_to_many", one_to_many)

# %% [markdown]
# The pictures are 313 emoji of people, each in five skin tones, 16 × 16 pixels. Of each person one tone is held
# out. So at test the network has to say words it knows in a combination that it has never seen: *dark* from one
# place, *woman surfing* from another.
#
# In training the input of a step is the *right* previous symbol, whatever the network would have chosen (this is
# called teacher forcing; lesson 07 has more). Pixels are centred: their mean over the training pictures is taken
# off.

# %% tags=["demo"]
emoji = data.load("emoji")
captions = [[tone, *name.split()] for name, tone in zip(emoji.names, emoji.tones, strict=True)]
words = sorted({word for caption in captions for word in caption})
END, T = len(words) + 1, max(map(len, captions)) + 1          # 0 is the start symbol
targets = helpers.encode(captions, words, T)
targets[targets == 0] = -1
targets[np.arange(len(captions)), [len(caption) for caption in captions]] = END
before = np.concatenate([np.zeros((len(targets), 1), "int32"), np.maximum(targets[:, :-1], 0)], axis=1)
held, seen = emoji.test, ~emoji.test
pixels = emoji.pictures.reshape(len(targets), -1) / 255
centred = (pixels - pixels[seen].mean(axis=0)) / pixels[seen].std() / 3
print(len(words), "words; a name has", min(map(len, captions)), "to", max(map(len, captions)), "of them")

# %% tags=["demo"]
keras.utils.set_random_seed(2)
namer = one_to_n(centred.shape[1], len(words) + 2, T, u=128)
train(namer, [centred[seen], before[seen]], targets[seen], epochs=40, rate=0.003)


def greedy(model, inputs, start, T):
    """What a model with a decoder says: each symbol chosen is read at the next step."""
    said = np.full((len(inputs), T + 1), start)
    for t in range(T):
        said[:, t + 1] = np.asarray(model([inputs, said[:, :T]]))[:, t].argmax(-1)
    return said[:, 1:]


def as_words(row):
    """Symbol numbers up to the end symbol, as words."""
    return [words[i - 1] if i else "?" for i in row[:list(row).index(END) if END in row else None]]

# %% [markdown]
# The opponent must have a chance, and the *nearest* training picture alone has none: the right combination is
# never among them. So it is put together: the nearest training picture gives the person, and a linear model of
# the pixels, trained for nothing else, gives the tone.

# %% tags=["demo"] tolerance=0.08
right = [caption for caption, test in zip(captions, held, strict=True) if test]
said = [as_words(row) for row in greedy(namer, centred[held], 0, T)]
distance = (pixels[seen] ** 2).sum(axis=1) - 2 * pixels[held] @ pixels[seen].T
nearest = np.array(emoji.names)[seen][distance.argmin(axis=1)]
tones = sorted(set(emoji.tones))
tone = np.array([tones.index(t) for t in emoji.tones])
keras.utils.set_random_seed(2)
linear_tone = keras.Sequential([keras.Input((centred.shape[1],)), keras.layers.Dense(5)])
train(linear_tone, centred[seen], tone[seen], epochs=40, rate=0.003)
put_together = [[tones[k], *name.split()] for k, name in
                zip(linear_tone.predict(centred[held], verbose=0).argmax(-1), nearest, strict=True)]
for who, names_said in (("nearest + linear", put_together), ("recurrent", said)):
    exact, of_tone, of_person = (np.mean([part(a) == part(b) for a, b in zip(names_said, right, strict=True)])
                                 for part in (lambda c: c, lambda c: c[:1], lambda c: c[1:]))
    print(f"{who:<17} whole name {exact:.2f}   tone {of_tone:.2f}   person {of_person:.2f}")
assert exact > np.mean([a == b for a, b in zip(put_together, right, strict=True)]) + 0.05

# %% tags=["demo"] tolerance=0.15
shades = ["light", "medium-light", "medium", "medium-dark", "dark"]
slips = [abs(shades.index(a[0]) - shades.index(b[0])) for a, b in zip(said, right, strict=True) if a[0] != b[0]]
print(f"of its wrong tones, {np.mean(np.array(slips) == 1):.2f} are the shade next to the right one")

# %% tags=["demo"]
figure, axes = plt.subplots(2, 4, figsize=(9, 6), layout="constrained")
for axis, k in zip(axes.flat, range(5, 313, 40), strict=False):
    axis.imshow(emoji.pictures[held][k])
    text = " ".join(said[k]) if said[k] == right[k] else f"{' '.join(said[k])}\n(right: {' '.join(right[k])})"
    axis.set_title("\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, 21)), fontsize=8)
    axis.axis("off")
figure.suptitle("Held-out pictures and what the network calls them")
plot.show(figure, alt="Eight small pictures of people, each with the name the network gives it, and the right name "
                      "where it is wrong.")

# %% [markdown]
# One vector of 128 numbers is all that passes from the picture to the words. It is enough to keep *who* and
# *which tone* apart, and to put them together anew. It knows the person far more often than the shade, and when
# the shade is wrong it is mostly the one beside it.
#
# ## 9 · N→M: a first look at encoder and decoder
#
# The last of the four puts N→1 and 1→N together: one cell reads, its last state becomes the first state of a
# second cell, which writes. Input and output may differ in length: *three thousand and five* → 3005.
#
# The opponent reads **word by word**: "three" writes 3, "twelve" writes 12, "forty" writes 4, "hundred",
# "thousand" and "and" write nothing. **Predict first:** for which numbers does this fail?

# %% tags=["demo"]
order = np.random.default_rng(2).permutation(10_000)
phrases = [helpers.number_words(n).split() for n in order]
vocabulary = sorted({word for phrase in phrases for word in phrase})
x = helpers.encode(phrases, vocabulary, max(map(len, phrases)))
digits = helpers.encode([[*str(n), "end"] for n in order], [*"0123456789", "end"], 5) - 1    # −1 is padding
before = np.concatenate([np.full((len(order), 1), 11), np.maximum(digits[:, :-1], 0)], axis=1)
keras.utils.set_random_seed(2)
translator = n_to_m(len(vocabulary) + 1, x.shape[1], 12, 5, u=64)
train(translator, [x[:2000], before[:2000]], digits[:2000], epochs=40, rate=0.004)
test = slice(2000, 4000)
said = greedy(translator, x[test], 11, 5)
exact = ((said == digits[test]) | (digits[test] < 0)).all(axis=1)

# %% tags=["demo"] tolerance=0.03
writes = {word: str(k) for k, word in enumerate(helpers.ONES)}
writes |= {word: str(k) for k, word in enumerate(helpers.TENS) if word}
by_word = np.array(["".join(writes.get(word, "") for word in phrase) == str(n)
                    for phrase, n in zip(phrases[test], order[test], strict=True)])
zero = np.array(["0" in str(n) for n in order[test]])
figure, axis = plt.subplots()
for shift, values, label in ((-0.2, by_word, "word by word"), (0.2, exact, "recurrent, encoder and decoder")):
    heights = [values[~zero].mean(), values[zero].mean()]
    axis.bar_label(axis.bar(np.arange(2) + shift, heights, 0.4, label=label), fmt="%.2f")
axis.set(xticks=[0, 1], xticklabels=["without a digit 0", "with a digit 0"], ylim=(0, 1.3),
         xlabel="held-out numbers", ylabel="share exactly right", title="A zero is not in the words")
axis.legend(loc="upper right")
plot.show(figure, alt="Share of held-out numbers exactly right. Word by word: all without a zero, few with one. The "
                      "recurrent network: nearly all of both.")
assert by_word[~zero].all() and by_word[zero].mean() < 0.5 and exact[zero].mean() > 0.85
print(f"word by word  {by_word.mean():.2f}\nrecurrent     {exact.mean():.2f}")
assert exact.mean() > by_word.mean() + 0.15

# %% [markdown]
# Nobody says the zeros of 3005 (only *ten* brings its zero along: the small bar): they follow from *which* words
# are missing, so a word cannot be translated by itself. The decoder knows, because the state it starts from was
# made from the whole phrase. That this one state must hold everything is also the weakness of the design; lesson
# 07 measures it, lesson 08 removes it.
#
# **Your turn.** Say a number, or something that is none: this network has never refused an answer.

# %% tags=["demo", "nbval-ignore-output"]
my_numbers = ["three thousand and five", "seventy two", "nine hundred", "two and two", "thousand thousand"]
known = {word for phrase in my_numbers for word in phrase.split()} <= set(vocabulary)
assert known, f"please use these words: {' '.join(vocabulary)}"
phrases_said = helpers.encode([phrase.split() for phrase in my_numbers], vocabulary, x.shape[1])
for phrase, row in zip(my_numbers, greedy(translator, phrases_said, 11, 5), strict=True):
    print(f"{phrase:<26} → {''.join(str(k) for k in row if k < 10)}")
print("\nheld out, and wrong:")
for k in np.flatnonzero(~exact)[:5]:
    print(f"{' '.join(phrases[test][k])} → {''.join(str(i) for i in said[k] if i < 10)}, not {order[test][k]}")

# %% [markdown]
# ## 10 · A language model that writes
#
# Last, N→N once more with a twist: the target at each step is the *next input*. A network that has learnt this
# can be asked for the next letter, and then be fed its own answer. Taking the largest logit each time would
# always give the same text, so we draw: from $\operatorname{softmax}(\text{logits} / \tau)$. The **temperature**
# $\tau$ says how daring: for $\tau \to 0$ the likeliest letter always wins, for large $\tau$ all letters become
# equally likely.
#
# How does one draw a symbol with a given probability? Lay the probabilities end to end: they fill the line from 0
# to 1. A random point $r$ falls on one of the pieces. With $p = (0.5, 0.3, 0.2)$ the running sum is $0.5, 0.8,
# 1.0$; the point $r = 0.6$ lies on the second piece.
#
# **Exercise `rnn.sample`** · ●●○○○ · 10 min · {points} points
#
# Return the probabilities, and for each row the first symbol whose running sum is larger than its `r`. The temperature
# may be as low as 0.01, and a logit of 100 divided by it is more than `np.exp` can take.
#
# <details><summary>Hint 1</summary>Divide the logits by the temperature *before* the softmax.</details>
# <details><summary>Hint 2</summary>`ops.cumsum(p, axis=-1)` is the running sum. How many of its entries are ≤ r?
# </details>
# <details><summary>Hint 3</summary>That number *is* the symbol: comparisons can be cast to integers and added up.
# </details>

# %% solution="rnn.sample"
def sample(logits, temperature, r):
    """Draw one symbol per row from softmax(logits / temperature).

    logits: (batch, V); temperature: one number; r: (batch,) random numbers, 0 ≤ r < 1. A row's symbol is the
    first whose running sum of probabilities is larger than r. Returns the probabilities (batch, V) and the symbols
    (batch,).
    """
    ### BEGIN SOLUTION
    p = ops.softmax(logits / temperature, axis=-1)
    running = ops.cumsum(p, axis=-1)
    return p, ops.sum(ops.cast(running <= r[:, None], "int32"), axis=-1)
    ### END SOLUTION

# %% check="rnn.sample"
check("rnn.sample", sample)

# %% [markdown]
# The text: Shakespeare's 154 sonnets, letter by letter; the last tenth is held out. One number says how well a
# model knows it. The mean of $-\ln p(\text{next letter})$ is its cross-entropy, and $e$ to that power its
# **perplexity**: a model with perplexity 10 is, on average, as unsure as if it had to choose among ten equally
# likely letters. Lower is better.
#
# The first opponents count: how often does a letter follow the 0, 1, 2, ... letters before it? Long contexts say
# more and are seldom seen, so each **backs off** to the one that is a letter shorter: of a context seen $n$ times,
# with $k$ different letters after it, the share $k/(n+k)$ of the prediction is left to the shorter one (Witten and
# Bell, 1991). A context never seen leaves everything to it.

# %% tags=["demo"]
sonnets = data.load("sonnets")
alphabet = sorted(set(sonnets))
V, T = len(alphabet), 40
text = helpers.encode([sonnets], alphabet, len(sonnets))[0] - 1
cut = len(text) * 9 // 10
learn, held = text[:cut], text[cut:]
LONGEST = 4
after = [defaultdict(Counter) for _ in range(LONGEST + 1)]
for k, table in enumerate(after):
    for i in range(k, cut):
        table[sonnets[i - k:i]][sonnets[i]] += 1

# %% tags=["demo"]
def by_counting(context, letter):
    """The probability of a letter after a context, mixed from all its ends, the empty one included."""
    p = 1 / V
    for k in range(len(context) + 1):
        seen = after[k].get(context[len(context) - k:])
        if seen:
            p = (seen[letter] + len(seen) * p) / (seen.total() + len(seen))
    return p


perplexity = {f"any of {V} characters": V}
for k, name in enumerate(("single letters", "letter pairs", "letter triples", "four letters", "five letters")):
    costs = [-math.log(by_counting(sonnets[i - k:i], sonnets[i])) for i in range(cut + LONGEST, len(sonnets))]
    perplexity[name] = math.exp(np.mean(costs))
stored = sum(len(seen) for table in after[:4] for seen in table.values())
for name, value in perplexity.items():
    print(f"{name:<22} {value:6.2f}")
print(f"four letters needs {stored} counts")

# %% [markdown]
# More context helps, until there are too few examples of each. The next opponent is a network **without** a state,
# the first neural language model (Bengio and others, 2003): the vectors of the last five letters side by side, one
# hidden layer, the next letter. A `Conv1D` of width 5 does that at every position at once. It cannot know what
# stood six letters ago.
#
# And then *your* network: your `SimpleRNN`, between an embedding and a read-out. It learns from pieces of 40
# letters. Watch it learn to write; the loop is the one of `rnn.one_to_many`, with a draw in the place of the argmax
# (`helpers.draw` does what your `sample` does).

# %% tags=["demo"]
def windows(text, step):
    """Pieces of T letters (n, T) that begin every `step` letters, and the same pieces one letter on."""
    starts = np.arange(0, len(text) - T, step)[:, None] + np.arange(T)
    return text[starts], text[starts + 1]


def write(model, temperature, copies, length, start="\n", seed=0):
    """`copies` texts of `length` letters that continue `start`."""
    E, W, U, b, Wo, bo = model.get_weights()
    rng = np.random.default_rng(seed)
    h, out = np.zeros((copies, U.shape[0])), []
    for k in range(len(start) + length):
        symbol = (np.full(copies, alphabet.index(start[k])) if k < len(start) else
                  helpers.draw(h @ Wo + bo, temperature, rng.uniform(size=copies)))
        h = np.tanh(E[symbol] @ W + h @ U + b)
        out.append(symbol)
    return ["".join(alphabet[i] for i in row).strip("\n") for row in np.stack(out, axis=1)]

# %% tags=["demo", "nbval-ignore-output"]
def show_sample(epoch, logs):
    if epoch in (0, 1, 3, 9):
        sample = write(poet, 0.7, copies=1, length=120)[0]
        print(f"after {epoch + 1} of 10 rounds, loss {logs['loss']:.2f}:", " / ".join(sample.split("\n")), "\n")


x, y = windows(learn, 10)
keras.utils.set_random_seed(2)
window = keras.Sequential([keras.Input((None,), dtype="int32"), keras.layers.Embedding(V, 32),
                           keras.layers.Conv1D(128, 5, padding="causal", activation="tanh"), keras.layers.Dense(V)])
train(window, x, y, epochs=10, rate=0.005)
poet = keras.Sequential([keras.Input((T,), dtype="int32"), keras.layers.Embedding(V, 32),
                         SimpleRNN(128, return_sequences=True), keras.layers.Dense(V)])
samples = keras.callbacks.LambdaCallback(on_epoch_end=show_sample)
history = train(poet, x, y, epochs=10, rate=0.005, callbacks=[samples])
assert history.history["loss"][0] > history.history["loss"][-1] + 0.5

# %% [markdown]
# First letters that occur, then words of likely length, then real words, then line ends and capitals where they
# belong: the state learns the frequent before the rare.
#
# Now the table, on the same held-out letters for all. The network reads them in one go, its state carried on from
# letter to letter, just as your `stateful` layer would.

# %% tags=["demo"] tolerance=0.2
def perplexity_of(logits):
    """exp of the mean cross-entropy of logits for the second held-out letter, the third, ..."""
    log_p = np.asarray(ops.log_softmax(logits))[np.arange(len(held) - 1), held[1:]]
    return math.exp(-log_p[LONGEST - 1:].mean())


E, W, U, b, Wo, bo = poet.get_weights()
h, states = np.zeros(U.shape[0]), []
for symbol in held[:-1]:
    h = np.tanh(E[symbol] @ W + h @ U + b)
    states.append(h)
perplexity["window of 5 letters"] = perplexity_of(window.predict(held[None, :-1], verbose=0)[0])
perplexity["your recurrent layer"] = perplexity_of(np.array(states) @ Wo + bo)
print(f"perplexity per character on the held-out {len(held)} characters")
for name, value in perplexity.items():
    print(f"{name:<22} {value:6.2f}")
assert perplexity["your recurrent layer"] < 0.87 * perplexity["letter triples"]
assert perplexity["your recurrent layer"] < perplexity["window of 5 letters"]
assert abs(perplexity["your recurrent layer"] / perplexity["four letters"] - 1) < 0.05

# %% [markdown]
# With 85,000 letters to learn from, your network is well ahead of pairs, triples and the window, and level with four
# letters and well-made back-off: counting, done well, is a strong opponent on little text. What differs is what
# grows. To look one letter further back, the counts need a larger table, most of it empty; the network's state has no
# such horizon, and how far it really reaches is a question of training, which is lesson 03. There you write that
# training by hand, from the gradient to the clipping. This table goes on growing: LSTM, attention, Transformer.
#
# Now let it write, at three temperatures. First its words, then whole verses.

# %% tags=["demo"] tolerance=0.06
temperatures = (0.3, 0.7, 1.0, 1.5)
texts = {temperature: write(poet, temperature, copies=40, length=250) for temperature in temperatures}
known = set(re.findall(r"[a-z']+", sonnets.lower()))
for temperature in temperatures:
    written = [word for text in texts[temperature] for word in re.findall(r"[a-z']+", text.lower())[:-1]]
    real = np.mean([word in known for word in written])
    varied = len(set(written)) / len(written)
    print(f"temperature {temperature}: {real:.2f} of its words are in the sonnets, {varied:.2f} are different ones")

# %% tags=["demo", "nbval-ignore-output"]
for temperature in (0.3, 0.7, 1.5):
    print(f"--- temperature {temperature}\n")
    for text in texts[temperature][:3]:
        print("\n".join(textwrap.fill(line, 78, subsequent_indent="    ") for line in text.split("\n")), "…\n")
assert all(len(text) > 200 for text in texts[0.7])

# %% [markdown]
# **Your turn.** Begin a line, and it goes on. Try a word that Shakespeare did not know.

# %% tags=["demo", "nbval-ignore-output"]
my_start, my_temperature = "Shall I compare thee to a computer", 0.6
assert set(my_start) <= set(alphabet), "only characters that stand in the sonnets, please"
for text in write(poet, my_temperature, copies=2, length=160, start="\n" + my_start, seed=7):
    print(textwrap.fill(text, 78, replace_whitespace=False), "…\n")

# %% [markdown]
# Spaces, line ends, commas before them, capitals after them: all learnt from letters alone. The sense does not
# reach beyond a few words. A cold network repeats itself, a hot one invents words.
#
# Why is that, in one picture? The distribution of the next letter after *"And th"*:

# %% tags=["demo"]
E, W, U, b, Wo, bo = poet.get_weights()
h = np.zeros(U.shape[0])
for letter in "\nAnd th":
    h = np.tanh(E[alphabet.index(letter)] @ W + h @ U + b)
logits = h @ Wo + bo
top = logits.argsort()[::-1][:10]
figure, axis = plt.subplots(figsize=(6.8, 3.4))
highest = []
for k, temperature in enumerate((0.3, 1.0, 3.0)):
    p = np.asarray(ops.softmax(logits / temperature))
    axis.bar(np.arange(10) + (k - 1) * 0.27, p[top], 0.27, label=f"temperature {temperature}")
    highest.append(p.max())
assert highest[0] > highest[1] > highest[2]
shown = {" ": "␣", "\n": "⏎"}
axis.set(xticks=range(10), xticklabels=[shown.get(alphabet[i], alphabet[i]) for i in top], ylabel="probability",
         xlabel="next letter after “And th”", title="A low temperature sharpens, a high one flattens")
axis.legend()
plot.show(figure, alt="Probabilities of the ten likeliest next letters at three temperatures: one tall bar at 0.3, "
                      "nearly equal bars at 3.")
print("likeliest next letter:", alphabet[top[0]])

# %% [markdown]
# ## 11 · A text of your own
#
# **An open question `rnn.own`** · 25 min · 4 points
#
# Teach it something *you* care about: poems or songs in your language, recipes, chess games, folk tunes in letters,
# source code, the names of all villages of a country. Find a text of at least 20,000 characters that you may use,
# put the file beside this notebook, and in a new cell below do with it what section 10 does with the sonnets (you
# need `alphabet`, `V`, `text`, `cut`, `learn` and `held` of your own; everything else can stay as it is). Ask one
# question that you find interesting, and try to answer it: does it learn to close brackets? to rhyme? from how much
# text on does it beat the counts? does a larger state help, or a longer piece?
#
# Hand in, in the next cell: what the text is; your question; a table of perplexities with at least two opponents and
# your network; ten lines that it wrote, good and bad; and three or four sentences on what you conclude, and how sure
# you are. A result that contradicts what you hoped is as good as any other.

# %% [markdown] written="rnn.own" points=4
# One point each, for any text and any question. (1) The text is named, long enough, and held-out letters were never
# trained on. (2) A table on the same held-out letters with the network and at least two opponents that had a
# chance; numbers with a unit (perplexity per character), nothing like 2.71828. (3) Samples that are shown as they
# came, bad ones too, with a word on what they get right and wrong. (4) A conclusion that follows from the numbers
# and says how far it can be trusted: one text, one run or several, differences smaller than the spread of repeated
# runs called undecided. A negative result, well shown, earns all four.

# %% [markdown]
# ## 12 · From the notebook to a layer you would ship
#
# Could you use your `SimpleRNN` in earnest? Give it texts of *any* length: `keras.Input((None, 5))`.
#
# **Predict first.** What is `x.shape[1]` then, and what does `range` say to it?

# %% tags=["demo"]
try:
    keras.Sequential([keras.Input((None, 5)), SimpleRNN(7)])
except Exception as error:
    print(type(error).__name__, "at a length that is not known")

# %% [markdown]
# Your loop is written out step by step while the model is built, so the number of steps must be known. The mend: keep
# the **step**, and leave the loop to `keras.layers.RNN`. It takes any layer with a `state_size` whose `call(x, states)`
# returns an output and the new states. Such a layer is called a **cell**, and the next lessons build cells.

# %% tags=["demo"]
class SimpleRNNCell(keras.layers.Layer):
    """One step: the weights of your layer, and no loop."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.W = self.add_weight(shape=(input_shape[-1], self.units), name="W")
        self.U = self.add_weight(shape=(self.units, self.units), initializer="orthogonal", name="U")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, x, states):
        h = ops.tanh(ops.matmul(x, self.W) + ops.matmul(states[0], self.U) + self.b)
        return h, [h]

# %% tags=["demo"]
keras.utils.set_random_seed(2)
reader = keras.Sequential([keras.Input((None, 5)), keras.layers.RNN(SimpleRNNCell(7))])
yours = SimpleRNN(7)
yours.build((None, 9, 5))
yours.set_weights(reader.get_weights())
for steps in (1, 9, 40):
    x = rng.normal(size=(3, steps, 5)).astype("float32")
    print(f"{steps:2} steps: the same as your layer:", np.allclose(reader(x), yours(x), atol=1e-5))
    assert np.allclose(reader(x), yours(x), atol=1e-5)

# %% [markdown]
# What does each cost? TensorFlow reads a layer's code once before it runs it (**tracing**). Your loop hands it a
# hundred copies of the step to read; `keras.layers.RNN` hands it one, and a loop. Here are both beside Keras's own
# `SimpleRNN`, at 100 steps and 64 units.

# %% tags=["demo"]
from unrolled.lessons import cost

theirs = keras.layers.SimpleRNN(64)
reading, running = cost.compare(SimpleRNN(64), theirs)
print("your loop:              three times as long to read, or more:", reading > 3)
assert reading > 3
reading, running = cost.compare(keras.layers.RNN(SimpleRNNCell(64)), theirs)
print("your step, Keras's loop: at most twice as long to read:", reading < 2, "· to train a step:", running < 2)
assert reading < 2 and running < 2

# %% [markdown]
# On a graphics card there is a third way. Keras hands the whole sequence to one **fused kernel**, a program of the
# card's maker that does all steps at once. On an H200 (PyTorch behind Keras, batch 64, 100 steps, 64 → 256 units) that
# trained 9 to 15 times faster than any loop of steps, with outputs within 0.0002 (`docs/layers.md`). So: Keras's own
# layer where there is one, your own cell in `keras.layers.RNN` where there is none, your own loop to understand.
# `unrolled.layers` has this lesson's layer in that second form, with everything one expects of it (masks, states,
# half precision, saving), and you may read it: it is short.

# %% [markdown]
# ## What to take with you
#
# - One cell, $h_t = \tanh(x_t W + h_{t-1} U + b)$, with the same weights at every step; the joined form is the
#   same sum.
# - N→1, N→N, 1→N and N→M differ only in where something is read in and read out.
# - A mask says which steps count: for the state, for "the last one", and for the loss.
# - A result counts against an opponent: the network beat bags and pairs everywhere, lost to letter triples on short
#   names, and on running text only just kept up with well-mixed counts of four letters.
# - Temperature divides the logits: low repeats, high invents.
#
# How such a network *learns*, how the error travels back through all those equal steps, and why that goes wrong
# on long sequences, is lesson 03.
