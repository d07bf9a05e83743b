# %% [markdown]
# # Start here: how this course works
#
# Welcome to **Unrolled**, a course on sequence models in Keras: from counting words to a pretrained Transformer. You
# will write every layer yourself, see it agree with Keras's own, and use it on real data. This first lesson is short.
# It shows how a lesson reads, how a check answers, and the three things that every later lesson uses: tensors with a
# time axis, layers of your own, and masks.
#
# | | |
# |---|---|
# | you build | an affine map · a Keras layer · a mean that knows about padding |
# | time and points | {minutes} minutes, {points} points |
# | you should know | Python, a little NumPy, what a matrix product is |
# | at the end | you can read a check's answer, and hand your work in |
#
# **How to read a lesson.** Run the cells one after the other: <kbd>Shift</kbd>+<kbd>Enter</kbd> runs a cell and goes
# to the next. Text, a small example, then an exercise: a cell with `raise NotImplementedError()` that you replace by
# your code, and under it a check. If something looks odd, restart: *Kernel → Restart Kernel and Run All Cells*.

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import contextlib
import numpy as np
import keras
from keras import ops
import matplotlib.pyplot as plt
from unrolled import CheckFailed, check, data, plot

# %% [markdown]
# ## 1 · Tensors, and the axes of a sequence
#
# A tensor is an array of numbers. `keras.ops` does with tensors what NumPy does with arrays, under mostly the same
# names; what it computes can also be differentiated, and run on a GPU. NumPy arrays go in; tensors come out;
# `np.asarray` turns them back.

# %%
x = np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
              [[0.0, 1.0], [0.0, 1.0], [2.0, 2.0]]])
print("shape", x.shape, "= 2 sequences of 3 steps with 2 features")
print("the first sequence's last step:", x[0, -1])
print("summed over time:", np.asarray(ops.sum(x, axis=1)).tolist())

# %% [markdown]
# **Everywhere in this course a batch of sequences has the axes `(batch, time, features)`.** The letters are the same
# in every lesson (the states, $h_t$ and $c_t$, are explained when they come, in lessons 02 and 04):
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | `B` | sequences in a batch | `x_t` | input at step t |
# | `T` | time steps | `h_t` | hidden state at step t |
# | `D` | features of an input | `c_t` | cell state (LSTM) |
# | `u` | units of a layer | `W`, `U`, `b` | weights on the input, weights on the state, bias |
#
# Nearly every mistake with sequences is a mistake with an axis. So get into the habit of writing shapes down.

# %% [markdown]
# ## 2 · Your first exercise
#
# The commonest building block of all: multiply by a matrix, add a bias, at every step of every sequence,
#
# $$y_{i,t} = x_{i,t}\, W + b, \qquad (B, T, D) \cdot (D, u) + (u) \;\to\; (B, T, u) ,$$
#
# where $i$ numbers the sequences of the batch and $t$ the steps.
#
# By hand, for one step with $D = 2$ and $u = 3$:
#
# $$\begin{pmatrix} 1 & 2 \end{pmatrix}
# \begin{pmatrix} 1 & 0 & 2 \\ 0 & 1 & 3 \end{pmatrix} +
# \begin{pmatrix} 10 & 20 & 30 \end{pmatrix} = \begin{pmatrix} 11 & 22 & 38 \end{pmatrix} .$$

# %% [markdown]
# **Exercise `start.affine`** · ●○○○○ · 5 min · {points} points
#
# First run the next two cells as they are. The check will say *not written yet*: no harm done. Then write the
# formula above in place of the line `raise NotImplementedError()` and run both again. Every exercise starts like
# this one: its name, how hard it is (one to five dots), how long it may take, and hints that unfold when you click
# them. Try it without them first.
#
# <details><summary>Hint 1</summary>
# <code>ops.matmul</code>, or the operator <code>@</code>, sums over the last axis of the first factor and the first
# axis of the second, for all sequences and steps at once. No loop is needed.
# </details>
# <details><summary>Hint 2</summary>
# Adding b of shape (u,) to an array of shape (B, T, u) adds it at every step: the last axes are matched. This is
# called broadcasting.
# </details>
# <details><summary>If you see <code>Matrix size-incompatible</code> or
# <code>mismatch in its core dimension</code></summary>
# The last axis of the first factor and the first axis of the second must be equally long. Print both shapes.
# </details>

# %% solution="start.affine"
def affine(x, W, b):
    """Apply x W + b at every step of every sequence.

    x: (batch, time, D), W: (D, u), b: (u,). Returns (batch, time, u).
    """
    ### BEGIN SOLUTION
    return ops.matmul(x, W) + b
    ### END SOLUTION

# %% check="start.affine"
check("start.affine", affine)

# %% [markdown]
# ## 3 · How a check answers
#
# A check tries your code on a few small inputs and says what it saw. It knows the mistakes that people really make,
# and when it recognises one, it says which. Here are its four kinds of answer, each to another attempt. Read the
# attempt first: what is wrong with it, and what would *you* tell its author?
#
# *Not written yet.* Nothing has been replaced:

# %% tags=["demo"]
def untouched(x, W, b):
    raise NotImplementedError()

with contextlib.suppress(CheckFailed):  # only here: so that the notebook runs on after a failed check
    check("start.affine", untouched)

# %% [markdown]
# *Not right yet, and recognised.* The arrow → says in one sentence what was misunderstood. Some parts may be right
# already: they earn their points.

# %% tags=["demo"]
def no_bias(x, W, b):
    return np.matmul(x, W)

with contextlib.suppress(CheckFailed):
    check("start.affine", no_bias)

# %% [markdown]
# *Not right yet, and not recognised.* Then it shows the evidence: what was tried, what it expected, what it got,
# where first. An error in your code is shown in the same place.

# %% tags=["demo"]
def half(x, W, b):
    return 0.5 * np.matmul(x, W) + b

with contextlib.suppress(CheckFailed):
    check("start.affine", half)

# %% [markdown]
# *Passed.* Any right answer passes, however it is written:

# %% tags=["demo"]
def one_step_at_a_time(x, W, b):
    return np.stack([x[:, t] @ W + b for t in range(x.shape[1])], axis=1)

check("start.affine", one_step_at_a_time)

# %% [markdown]
# Check as often as you like: it costs nothing. One rule holds everywhere: leave the arrays you are given as they are.
# `x *= 2` or `x[0] = 1` changes the caller's array too; the check looks at it afterwards, and takes off a point.
#
# The inputs that your work is *graded* on are others of the same kind,
# so code that is right passes both, and code that is made for the numbers shown here does not. Exercises do not build
# on each other's marks: what a later one needs of an earlier one is given to you.

# %% [markdown]
# ## 4 · A layer of your own
#
# A Keras layer is a function with weights. It has four methods:
#
# | method | runs | does |
# |---|---|---|
# | `__init__` | when you write `Scale(...)` | remembers its arguments; hands `**kwargs` to `super()` |
# | `build` | once, before the first call | makes the weights with `self.add_weight`, now that the shape is known |
# | `call` | at every call | computes |
# | `get_config` | when a model is saved | returns all arguments of `__init__`, so that the layer can be made again |
#
# This one multiplies every feature by a weight that can be learned:

# %%
class Scale(keras.layers.Layer):
    """Multiply each feature by a weight that starts at `start`."""

    def __init__(self, start=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):  # (batch, time, features)
        self.s = self.add_weight(name="s", shape=(input_shape[-1],),
                                 initializer=keras.initializers.Constant(self.start))

    def call(self, x):
        return x * self.s

    def get_config(self):
        return super().get_config() | {"start": self.start}

# %%
scale = Scale(start=3.0, name="triple")
print(np.asarray(scale(x))[0].tolist())
print("weights:", [(w.name, tuple(w.shape)) for w in scale.weights])

# %% [markdown]
# **Exercise `start.layer`** · ●●○○○ · 12 min · {points} points
#
# Turn your affine map into a layer, `Affine(units, use_bias=True)`. The line `def __init__` is given: write its
# body, and below it `build`, `call` and `get_config`. The layer's first weight is W of shape (D, units); its
# second, if `use_bias`, is b of shape (units,), which starts at zero. A layer works in a model for any number of
# sequences and steps, so there is no loop in `call`, and no NumPy: `ops` only.
#
# <details><summary>Hint 1</summary>
# Copy <code>Scale</code> and change it. <code>self.add_weight(name="W", shape=(input_shape[-1], self.units))</code>
# starts at random numbers, which is right for W; b needs <code>initializer="zeros"</code>.
# </details>
# <details><summary>Hint 2</summary>
# Make b only <code>if self.use_bias</code>, and add it in <code>call</code> only then. Both arguments belong in
# <code>get_config</code>.
# </details>
# <details><summary>If you see <code>You cannot add new elements of state</code></summary>
# A weight was made in <code>call</code>. Weights are made in <code>build</code> (or in <code>__init__</code>).
# </details>
# <details><summary>If you see <code>got an unexpected keyword argument 'name'</code></summary>
# <code>__init__</code> must hand its <code>**kwargs</code> on: <code>super().__init__(**kwargs)</code>.
# </details>

# %% solution="start.layer"
class Affine(keras.layers.Layer):
    """x W + b at every step, with weights of its own.

    units: the number of outputs u. use_bias: whether there is a b.
    Weights, in this order: W of shape (D, units), random at the start;
    b of shape (units,), zeros at the start.
    """

    def __init__(self, units, use_bias=True, **kwargs):
        ### BEGIN SOLUTION
        super().__init__(**kwargs)
        self.units = units
        self.use_bias = use_bias

    def build(self, input_shape):
        self.W = self.add_weight(name="W", shape=(input_shape[-1], self.units))
        if self.use_bias:
            self.b = self.add_weight(name="b", shape=(self.units,), initializer="zeros")

    def call(self, x):
        y = ops.matmul(x, self.W)
        return y + self.b if self.use_bias else y

    def get_config(self):
        return super().get_config() | {"units": self.units, "use_bias": self.use_bias}
        ### END SOLUTION

# %% check="start.layer"
check("start.layer", Affine)

# %% [markdown]
# You have just written `keras.layers.Dense`. With the same weights the two agree, and a model with your layer in it
# can be saved and loaded. This pattern (write it, compare it, save it) comes back in every lesson.

# %% tags=["demo"]
import os
import tempfile

keras.utils.set_random_seed(1)
yours, built_in = Affine(4), keras.layers.Dense(4)
model = keras.Sequential([keras.Input((None, 2)), yours])
built_in.build((None, None, 2))
built_in.set_weights(yours.get_weights())
gap = float(ops.max(ops.abs(model(x) - built_in(x))))
with tempfile.TemporaryDirectory() as folder:
    model.save(os.path.join(folder, "affine.keras"))
    loaded = keras.saving.load_model(os.path.join(folder, "affine.keras"), custom_objects={"Affine": Affine})
assert gap < 1e-5 and np.allclose(loaded(x), model(x))
print("the same numbers as keras.layers.Dense; the same again after saving and loading")

# %% [markdown]
# ## 5 · Masks: which steps are real
#
# Sentences differ in length, but an array is a rectangle. So short sequences are filled up with **padding**, and a
# second array, the **mask**, of shape `(batch, time)`, says which steps are real: True is a step, False is padding.
# Whoever forgets the mask averages, sums and learns from numbers that mean nothing. It is the mistake behind more
# silently wrong models than any other in this course.
#
# The mean over the valid steps of sequence $i$, with the mask as numbers, $m_{i,t} = 1$ or $0$:
#
# $$\bar x_i = \frac{\sum_t m_{i,t}\, x_{i,t}}{\max\bigl(1, \sum_t m_{i,t}\bigr)} .$$
#
# The maximum with 1 makes the mean of nothing zero: 0/0 would be *not a number*, and spread.
#
# By hand: the values 4, 2, **9** with the mask True, True, False have the mean (4 + 2) / 2 = 3. The 9 is padding; it
# could be any number.

# %% [markdown]
# **Exercise `start.mask_mean`** · ●●○○○ · 8 min · {points} points
#
# Write this mean for a whole batch. No loop is needed here either.
#
# <details><summary>Hint 1</summary>
# Turn the mask into numbers, <code>ops.cast(mask, x.dtype)</code>, and give it a last axis of length 1,
# <code>ops.expand_dims(..., axis=-1)</code>: then it can be multiplied with x.
# </details>
# <details><summary>Hint 2</summary>
# Sum the products over axis 1; sum the mask over axis 1; divide, but never by less than 1:
# <code>ops.maximum(..., 1)</code>.
# </details>
# <details><summary>If you see <code>Incompatible shapes</code> or <code>could not be broadcast</code></summary>
# (B, T, D) and (B, T) do not match: shapes are compared from the right. The mask needs its last axis.
# </details>

# %% solution="start.mask_mean"
def mask_mean(x, mask):
    """Mean over the valid steps of each sequence.

    x: (batch, time, D). mask: (batch, time) of True (a real step) and False (padding).
    Returns (batch, D); zeros for a sequence that has no valid step.
    """
    ### BEGIN SOLUTION
    w = ops.expand_dims(ops.cast(mask, x.dtype), axis=-1)
    return ops.sum(x * w, axis=1) / ops.maximum(ops.sum(w, axis=1), 1)
    ### END SOLUTION

# %% check="start.mask_mean"
check("start.mask_mean", mask_mean)

# %% [markdown]
# Now on real data: sentences of Jane Austen's, each word replaced by its length. **Predict first:** two sentences
# with words of about the same length, one long and one short. Which one suffers more if the padding is counted?

# %% tags=["demo"]
sentences = [s for s in data.load("austen") if 3 <= len(s) <= 12][:300]
chosen = [next(s for s in sentences if len(s) == n) for n in (12, 9, 7, 5, 4, 3)]
lengths = np.zeros((len(chosen), 12, 1), "float32")
for row, sentence in zip(lengths, chosen, strict=True):
    row[:len(sentence), 0] = [len(word) for word in sentence]
valid = np.arange(12) < np.array([len(s) for s in chosen])[:, None]
careless, careful = lengths.mean(axis=1)[:, 0], np.asarray(mask_mean(lengths, valid))[:, 0]
for sentence, wrong, right in zip(chosen, careless, careful, strict=True):
    print(f"{wrong:.2f} with padding, {right:.2f} without:  {' '.join(sentence)}")
assert np.allclose(careful, [np.mean([len(word) for word in s]) for s in chosen])

# %% tags=["demo"]
figure, axes = plt.subplots(2, 1, figsize=(9, 5.4), layout="constrained", height_ratios=[1.2, 1])
axes[0].imshow(np.where(valid, lengths[:, :, 0], np.nan), vmin=0, vmax=14, cmap="cividis_r", aspect="auto")
axes[0].set_facecolor("0.85")
for i, sentence in enumerate(chosen):
    for t in range(12):
        text = sentence[t] if t < len(sentence) else "·"
        axes[0].text(t, i, text, ha="center", va="center", fontsize=8, color="black" if len(text) < 7 else "white")
axes[0].set(title="A batch: words, and padding in grey", xlabel="time step", ylabel="sentence", xticks=range(12),
            yticks=range(6))
place = np.arange(6)
axes[1].bar(place - 0.2, careful, 0.4, label="with the mask")
axes[1].bar(place + 0.2, careless, 0.4, label="padding counted", color=plot.COLOURS[1])
axes[1].set(title="Mean word length", xlabel="sentence", ylabel="letters", xticks=place, ylim=(0, 8))
axes[1].legend(loc="upper right", ncols=2)
plot.show(figure, alt="Top: six sentences of 12 to 3 words in one batch, shorter ones filled up with grey padding. "
          "Bottom: with the mask the mean word length is right; counting padding makes it smaller, most of all for "
          "the shortest sentences.")

# %% [markdown]
# **What to conclude.** Without the mask the "mean word length" mostly measures how long the *sentence* is. Nothing
# crashed, no warning came. From now on ask of every sum, mean, loss and state: does it see the padding?
#
# **Written answer `start.silent`** · 8 min · 2 points
#
# Some questions are answered in words; a person reads them. This one has many right answers. Invent a *silent* mistake
# of your own: a wrong `mask_mean` that is right on many batches (another one than "padding counted"). Give its code,
# three lines are enough; a small batch, with numbers and mask, on which it is right; one on which it is wrong, with
# both results; and one sentence on how its author could have noticed.

# %% [markdown] written="start.silent" points=2
# One of many:
#
#     def mask_mean(x, mask):
#         n = ops.sum(ops.cast(mask, "int32"), axis=1)
#         return ops.stack([ops.mean(x[i, :n[i]], axis=0) for i in range(len(x))])
#
# It takes the first n steps, n being how many are valid. Right for 4, 2, 9 with the mask True, True, False: 3. Wrong
# for 4, 2, 9 with False, True, True: it gives (4 + 2) / 2 = 3, and (2 + 9) / 2 = 5.5 is right. Its author could have
# tried one batch in which the padding stands in front. (One point for a mistake that is truly silent, with a batch
# where it is right; one for the batch that betrays it, both results worked out correctly.)

# %% [markdown]
# ## 6 · Handing in
#
# 1. **Run everything once more from the top**: *Kernel → Restart Kernel and Run All Cells*. This catches a cell that
#    only worked because of something you had typed and deleted since. A check that fails stops the run there; go on
#    below it by hand.
# 2. **Validate**: press the *Validate* button above the notebook. It runs the notebook from the top in the same way
#    and lists the checks that do not pass. In a terminal the same is
#    `nbgrader validate notebooks/00_start_here/00_start_here.ipynb`. You may hand in work that is not finished: what
#    passes, counts, and parts of an exercise can earn part of its points.
# 3. **Hand in** in the way your course says: with *Nbgrader → Assignment List → Submit* if your class uses it, or by
#    uploading the `.ipynb` file. Keep the file's name.
#
# Please write your answers in the cells that are there, and leave the check cells as they are: grading finds your
# answers by their cells. You may add as many cells of your own as you like. After grading you get a page of feedback
# with the same panels as here.
#
# **Where next?** Lesson 01 meets sequences with the tools from before neural networks: counting, regression, hidden
# states. You will see what each does well, and what they all lack.
