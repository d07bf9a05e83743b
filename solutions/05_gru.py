# %% [markdown]
# # GRU: fewer gates
#
# **You will build** a gated recurrent unit with your own hands, in both forms that exist, equal to
# `keras.layers.GRU` to 1e-5; then put the published weights of a real network into it and let it pronounce words,
# among them some that do not exist.
#
# **About {minutes} minutes · {points} points · know first:** lesson 02 (the plain RNN); lesson 04 (LSTM) helps.
#
# By the end you will have drawn a picture of a gate while a network reads *photographer*, and you will know why
# a GRU beats a plain RNN that has as many weights.
#
# | | meaning | shape |
# |---|---|---|
# | `x_t`, `h_t` | input, state at step t | `(B, D)`, `(B, u)` |
# | `z`, `r` | update gate, reset gate: numbers between 0 and 1 | `(B, u)` |
# | `ĥ` | candidate: what the new state could be | `(B, u)` |
# | `W`, `U`, `b` | on input and state, bias; three blocks: z, r, ĥ | `(D, 3u)`, `(u, 3u)`, `(3u,)` or `(2, 3u)` |
# | σ, ⊙ | sigmoid; product element by element | |

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import numpy as np
import keras
import matplotlib.pyplot as plt
from keras import ops
from unrolled import check, plot
from unrolled.lessons.gru import one_step, textbook_step

# %% [markdown]
# ## 1. One state, two gates
#
# The LSTM protects its memory with two states and three gates. Cho et al. (2014) need one state and two gates:
#
# $$z = \sigma(x_t W_z + h_{t-1} U_z + b_z) \qquad r = \sigma(x_t W_r + h_{t-1} U_r + b_r)$$
# $$\hat h = \tanh\big(x_t W_h + (r \odot h_{t-1})\, U_h + b_h\big)$$
# $$h_t = z \odot h_{t-1} + (1 - z) \odot \hat h$$
#
# Read it from the end. The new state is an **average** of the old state and a candidate. The *update gate* z says
# how much of the old one stays. The *reset gate* r says how much of the old state the candidate may look at. So
# keeping and writing are one decision: what is not kept is overwritten. (The LSTM takes two decisions: f and i.)
#
# **By hand.** One unit, x = 1, h = 0.5. Let z = 0.75 and r = 0.25, and for the candidate W = 1, U = 2, b = 0.
# Then ĥ = tanh(1 · 1 + 0.25 · 0.5 · 2) = tanh(1.25) = 0.848, and the new state is 0.75 · 0.5 + 0.25 · 0.848 =
# 0.587. Check it with a pocket calculator; the cell below checks it with a finished step (you will write your own)
# and weights whose gates have just these values: σ(ln 3) = 0.75, σ(−ln 3) = 0.25.

# %%
tiny = {"x": [[1.0]], "h": [[0.5]], "W": [[0.0, 0.0, 1.0]], "U": [[0.0, 0.0, 2.0]], "b": [np.log(3), -np.log(3), 0.0]}
tiny = {name: np.array(value, "float32") for name, value in tiny.items()}
print("new state:", round(float(one_step(**tiny)[0, 0]), 3))

# %% [markdown]
# **Exercise `gru.step`** · ●●○○○ · 15 min · 5 points
#
# Write one step. The blocks of `W`, `U` and `b` stand side by side in the order z, r, candidate.
#
# <details><summary>Hint 1</summary>
#
# `ops.split(a, 3, axis=-1)` cuts the last axis into three equal blocks.
# </details>
# <details><summary>Hint 2</summary>
#
# `x W + b` can be computed once for all three blocks. `h U` cannot: the gates see h, the candidate sees r · h,
# and r has to be known first.
# </details>
# <details><summary>If you see "Incompatible shapes" or "could not be broadcast together"</summary>
#
# A block of width u meets one of width 3u: something has not been split yet. Print the shapes of both.
# </details>

# %% solution="gru.step"
def gru_step(x, h, W, U, b):
    """One step of a GRU, reset gate before the product.

    x: (batch, D), h: (batch, u), W: (D, 3u), U: (u, 3u), b: (3u,); blocks in Keras's order z, r, candidate.
    Returns the new h, (batch, u).
    """
    ### BEGIN SOLUTION
    xz, xr, xh = ops.split(ops.matmul(x, W) + b, 3, axis=-1)
    Uz, Ur, Uh = ops.split(U, 3, axis=-1)
    z = ops.sigmoid(xz + ops.matmul(h, Uz))
    r = ops.sigmoid(xr + ops.matmul(h, Ur))
    candidate = ops.tanh(xh + ops.matmul(r * h, Uh))
    return z * h + (1 - z) * candidate
    ### END SOLUTION

# %% check="gru.step"
check("gru.step", gru_step)

# %% [markdown]
# ### What the update gate is for
#
# Suppose the candidate stays at 0 and z is the same at every step. Then h shrinks by the factor z each time:
# after k steps zᵏ of it is left. A gate at ½ forgets in a few steps; a gate near 1 remembers for hundreds.
#
# **Predict first.** With nothing but a bias of 4 on the update gate, how much of a state is left after 50 steps?

# %% tags=["demo"]
steps = np.arange(101)
figure, axis = plt.subplots()
for bias in (0, 2, 4, 6):
    z = 1 / (1 + np.exp(-bias))
    axis.plot(steps, z**steps, label=f"bias {bias}: z = {z:.3f}")
    half = np.log(0.5) / np.log(z)
    print(f"bias {bias}: z = {z:.3f}; left after 50 steps: {z**50:.2f}; steps until half is left: {half:.0f}")
axis.set(title="How long a GRU remembers depends on its update gate", xlabel="steps", ylabel="share of h left")
axis.legend()
plot.show(figure, alt="Share of the state left over 100 steps for update gate biases 0, 2, 4 and 6: the first "
          "is gone after a few steps, the last keeps four fifths.")

# %% [markdown]
# ## 2. Two conventions, one network
#
# Many texts write the last line the other way round. You will meet both:
#
# | | last line | z = 1 means |
# |---|---|---|
# | Cho et al. 2014, Keras, PyTorch | $h_t = z \odot h_{t-1} + (1 - z) \odot \hat h$ | keep the old state |
# | many texts | $h_t = (1 - z) \odot h_{t-1} + z \odot \hat h$ | take the candidate |
#
# Neither is wrong. But weights trained under one convention and loaded under the other give a network that keeps
# what it should replace. The error is silent: every shape fits. The cure is one identity, 1 − σ(a) = σ(−a).
#
# **Exercise `gru.convention`** · ●●○○○ · 10 min · 4 points
#
# You are given the weights of a GRU in which z sits on the *candidate*. Return weights with which a GRU that has
# z on the *old state* computes the same. `b` may be `(3u,)` or `(2, 3u)`, one row or two (section 3 says what a second
# row is for); your function should not care.
#
# <details><summary>Hint 1</summary>
#
# The new gate must be 1 − σ(a), where $a = x W_z + h U_z + b_z$. Which c has σ(c) = 1 − σ(a)?
# </details>
# <details><summary>Hint 2</summary>
#
# Only one block changes. `array[..., :u]` is the first block of the *last* axis, however many axes there are.
# Change a copy, `np.array(W)`, not the weights you were given.
# </details>

# %% solution="gru.convention"
def other_convention(W, U, b):
    """The weights that compute the same states when z changes from the candidate to the old state.

    W: (D, 3u), U: (u, 3u), b: (3u,) or (2, 3u); blocks z, r, candidate. Returns new W, U, b of the same shapes.
    """
    ### BEGIN SOLUTION
    u = U.shape[0]
    sign = np.ones(3 * u, "float32")
    sign[:u] = -1
    return W * sign, U * sign, b * sign
    ### END SOLUTION

# %% check="gru.convention"
check("gru.convention", other_convention)

# %% [markdown]
# Here is one unit of a random GRU over 20 steps: as a textbook with z on the candidate runs it, as
# Keras runs the *same* weights, and as Keras runs the converted ones.

# %% tags=["demo"]
rng = np.random.default_rng(5)
xs = rng.normal(size=(1, 20, 5)).astype("float32")
W, U, b = (rng.normal(size=shape).astype("float32") for shape in ((5, 21), (7, 21), (21,)))

def run(step, xs, *weights):
    h, states = np.zeros((len(xs), 7), "float32"), []
    for t in range(xs.shape[1]):
        h = step(xs[:, t], h, *weights)
        states.append(h)
    return np.stack(states, axis=1)

textbook, mixed = run(textbook_step, xs, W, U, b), run(one_step, xs, W, U, b)
converted = run(one_step, xs, *other_convention(W, U, b))
print(f"largest difference, same weights: {abs(textbook - mixed).max():.2f}")
print("converted weights agree to 1e-5:", bool(abs(textbook - converted).max() < 1e-5))

# %% tags=["demo"]
figure, axis = plt.subplots()
axis.plot(textbook[0, :, 0], color=plot.COLOURS[0], lw=5, alpha=0.35, label="textbook")
axis.plot(mixed[0, :, 0], "--", color=plot.COLOURS[1], label="Keras, same weights")
axis.plot(converted[0, :, 0], "o", ms=4, color=plot.COLOURS[0], label="Keras, converted weights")
axis.set(title="The same weights are another network under the other convention", xlabel="step t",
         ylabel="state of one unit", xticks=range(0, 20, 5), ylim=(-1.15, 1.15))
axis.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, -0.36))
plot.show(figure, alt="The state of one unit over 20 steps: the converted weights follow the textbook's curve "
          "exactly, the unconverted ones wander elsewhere.")
assert abs(textbook - mixed).max() > 0.5 and abs(textbook - converted).max() < 1e-5

# %% [markdown]
# ## 3. Where the reset gate stands
#
# In `(r ⊙ h) U` the reset comes *before* the product, so the candidate's product has to wait for r. Put the gate
# *after* the product, and all of `h U` is one big multiplication that waits for nothing:
#
# $$\hat h = \tanh\big(x_t W_h + b_h + r \odot (h_{t-1}\, U_h + b'_h)\big)$$
#
# This is `reset_after=True`, the default in Keras (its fast path on graphics processors needs it) and the form of
# PyTorch. Mind the second bias: `b` is now `(2, 3u)`, row 0 for the input and row 1 for the state. In the gates
# the two rows are simply added. In the candidate they are not the same: $b'_h$ is *inside* the reset gate.
#
# **By hand.** The tiny cell again, now with b' = 1 for the candidate: ĥ = tanh(1 + 0.25 · (0.5 · 2 + 1)) =
# tanh(1.5) = 0.905. Had the two biases been added up outside: tanh(1 + 1 + 0.25 · 1) = tanh(2.25) = 0.978.
#
# The two forms are different functions. With a single unit, the first form's weights can be rewritten for the
# second. With two units nothing helps: `(r ⊙ h) U` scales the *rows* of U, `r ⊙ (h U)` its *columns*.
#
# **Exercise `gru.reset_after`** · ●●○○○ · 10 min · 5 points
#
# Write the step once more, in this form. New are the candidate and the second row of `b`.
#
# <details><summary>Hint 1</summary>
#
# Make two lists of three blocks: one from x and `b[0]`, one from h and `b[1]`.
# </details>
# <details><summary>Hint 2</summary>
#
# z and r are sigmoids of the sums. The candidate's block from h is multiplied by r before it is added.
# </details>

# %% solution="gru.reset_after"
def gru_step_reset_after(x, h, W, U, b):
    """One step of a GRU, reset gate after the product.

    x: (batch, D), h: (batch, u), W: (D, 3u), U: (u, 3u); b: (2, 3u), row 0 for x and row 1 for h.
    Returns the new h, (batch, u).
    """
    ### BEGIN SOLUTION
    xz, xr, xh = ops.split(ops.matmul(x, W) + b[0], 3, axis=-1)
    hz, hr, hh = ops.split(ops.matmul(h, U) + b[1], 3, axis=-1)
    z = ops.sigmoid(xz + hz)
    r = ops.sigmoid(xr + hr)
    candidate = ops.tanh(xh + r * hh)
    return z * h + (1 - z) * candidate
    ### END SOLUTION

# %% check="gru.reset_after"
check("gru.reset_after", gru_step_reset_after)

# %% [markdown]
# **Written answer** · 3 points. With `reset_after=True`, why may the two rows of the bias be added up for z and
# r, but not for the candidate? And what would you see in a network that was *just created* by Keras if you added
# them up all the same?

# %% [markdown] written="gru.two_biases" points=3
# z and r are sigmoids of a plain sum, x W + b[0] + h U + b[1], so only the sum of the two rows matters. In the
# candidate b[1] stands inside the reset gate: it counts r · b[1], which changes from step to step, while b[0]
# counts in full. In a network that was just created nothing would show: both rows start at zero. The mistake
# appears only with trained weights.

# %% [markdown]
# ## 4. As a Keras cell
#
# A *cell* is one step; `keras.layers.RNN(cell)` runs it over time, carries the states and handles masks. It
# asks three things of a cell: `state_size` (how many units the state has; set it in `__init__`), `build`, and
# `call(inputs, states)`, which returns the output and the *list* of new states.
#
# So that a slip in the steps above costs you nothing here, `one_step(x, h, W, U, b)` is given. It looks at
# the shape of `b`: `(3u,)` means reset before the product, `(2, 3u)` after.
#
# **Exercise `gru.cell`** · ●●●○○ · 15 min · 6 points
#
# Complete `__init__` and add three methods to the class. The names of the weights count: `"kernel"`,
# `"recurrent_kernel"`, `"bias"`, as in Keras.
#
# ```python
#     def build(self, input_shape): ...      # makes the three weights
#     def call(self, inputs, states): ...    # one step
#     def get_config(self): ...              # what __init__ took, as a dict, for files
# ```
#
# <details><summary>Hint 1</summary>
#
# `self.add_weight(shape=..., name="kernel")` in `build`; the number of inputs is `input_shape[-1]`.
# Give the bias `initializer="zeros"`; else it starts at random.
# </details>
# <details><summary>Hint 2</summary>
#
# `call` ends in `return h, [h]`: for a GRU the output is the state.
# </details>
# <details><summary>If you see "__init__() missing 1 required positional argument: 'units'"</summary>
#
# `get_config` must return everything `__init__` takes: start from `super().get_config()` and add yours.
# </details>

# %% solution="gru.cell"
@keras.saving.register_keras_serializable("lesson05")
class GRUCell(keras.layers.Layer):
    """One step of a GRU as a cell for `keras.layers.RNN`.

    Weights, made in `build`: "kernel" (D, 3u), "recurrent_kernel" (u, 3u), "bias" (3u,) or (2, 3u).
    `call(inputs, states)` takes inputs (batch, D) and a list with h (batch, u); it returns h and [h].
    """

    def __init__(self, units, reset_after=True, **kwargs):
        super().__init__(**kwargs)
        ### BEGIN SOLUTION
        self.units = units
        self.reset_after = reset_after
        self.state_size = units

    def build(self, input_shape):
        columns = 3 * self.units
        rows = (2,) if self.reset_after else ()
        self.kernel = self.add_weight(shape=(input_shape[-1], columns), name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, columns), initializer="orthogonal", name="recurrent_kernel")
        self.bias = self.add_weight(shape=(*rows, columns), initializer="zeros", name="bias")

    def call(self, inputs, states):
        h = one_step(inputs, states[0], self.kernel, self.recurrent_kernel, self.bias)
        return h, [h]

    def get_config(self):
        return super().get_config() | {"units": self.units, "reset_after": self.reset_after}
        ### END SOLUTION

# %% check="gru.cell"
check("gru.cell", GRUCell)

# %% [markdown]
# Now Keras's own machinery runs your cell. With the weights copied, it must say what Keras's own GRU says.
# (Here the biases start at random: zeros would hide a mistake.)

# %% tags=["demo"]
xs = np.random.default_rng(1).normal(size=(3, 11, 5)).astype("float32")
for reset_after in (True, False):
    theirs = keras.layers.GRU(7, reset_after=reset_after, return_sequences=True, bias_initializer="glorot_normal")
    mine = keras.layers.RNN(GRUCell(7, reset_after=reset_after), return_sequences=True)
    expected = theirs(xs)
    mine.build(xs.shape)
    mine.set_weights(theirs.get_weights())
    gap = float(ops.max(ops.abs(mine(xs) - expected)))
    print(f"reset_after={reset_after!s:<5}  bias {theirs.get_weights()[2].shape}  agrees to 1e-5: {gap < 1e-5}")
    assert gap < 1e-5

# %% [markdown]
# ## 5. As a Keras layer, with masks
#
# What `keras.layers.RNN` did for you is a loop. Write it once yourself, and you will never again wonder what a
# mask does: at a masked step **nothing happens**. The state stays as it was, so the last state is the state after
# the last *real* step, wherever the padding is.
#
# **Exercise `gru.layer`** · ●●●●○ · 25 min · 8 points
#
# Complete `__init__` and add `build(self, input_shape)`, `call(self, sequences, mask=None, initial_state=None)`,
# `compute_mask(self, sequences, mask=None)` and `get_config(self)`, with `one_step` inside the loop over time. The
# layer has to work in a model on `keras.Input((T, D))` too, which knows how many steps there are, but not how many
# sequences.
#
# `compute_mask` says which mask the *next* layer gets: with `return_sequences` the same one; without, the output has
# no time axis left that a mask could belong to, so it is `None`.
#
# <details><summary>Hint 1</summary>
#
# `sequences[:, t]` is step t of every sequence. Collect the states in a list, `ops.stack(..., axis=1)` at the
# end.
# </details>
# <details><summary>Hint 2</summary>
#
# `ops.where(mask[:, t, None], new, h)`: the `None` makes (B, 1) of (B,), so that one truth value decides for all
# units.
# </details>
# <details><summary>Hint 3</summary>
#
# `mask` and `initial_state` may be `None`. Ask `if mask is None`, never `if mask`.
# </details>
# <details><summary>If you see "Expected int32, but got None" or "len is not well defined"</summary>
#
# A model is built before it knows how many sequences will come, and then `sequences.shape[0]` is `None`.
# `ops.zeros((ops.shape(sequences)[0], self.units))` works in both cases.
# </details>

# %% solution="gru.layer"
@keras.saving.register_keras_serializable("lesson05")
class GRU(keras.layers.Layer):
    """A GRU over sequences (batch, T, D): the last state (batch, u), or all of them (batch, T, u).

    Weights as in the cell. `mask` is (batch, T), True at real steps; at a masked step the state stays as it was.
    `initial_state` is (batch, u), zeros if it is not given.
    """

    def __init__(self, units, reset_after=True, return_sequences=False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        ### BEGIN SOLUTION
        self.units = units
        self.reset_after = reset_after
        self.return_sequences = return_sequences

    def build(self, input_shape):
        columns = 3 * self.units
        self.kernel = self.add_weight(shape=(input_shape[-1], columns), name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, columns), initializer="orthogonal", name="recurrent_kernel")
        bias = (2, columns) if self.reset_after else (columns,)
        self.bias = self.add_weight(shape=bias, initializer="zeros", name="bias")

    def call(self, sequences, mask=None, initial_state=None):
        h = initial_state
        if h is None:
            h = ops.zeros((ops.shape(sequences)[0], self.units))
        outputs = []
        for t in range(sequences.shape[1]):
            new = one_step(sequences[:, t], h, self.kernel, self.recurrent_kernel, self.bias)
            h = new if mask is None else ops.where(mask[:, t, None], new, h)
            outputs.append(h)
        return ops.stack(outputs, axis=1) if self.return_sequences else h

    def compute_mask(self, sequences, mask=None):
        return mask if self.return_sequences else None

    def get_config(self):
        return super().get_config() | {
            "units": self.units, "reset_after": self.reset_after, "return_sequences": self.return_sequences}
        ### END SOLUTION

# %% check="gru.layer"
check("gru.layer", GRU)

# %% [markdown]
# Both forms, with and without padding, against Keras's own layer:

# %% tags=["demo"]
mask = np.ones((3, 11), bool)
mask[1, 6:] = False  # padded at the end
mask[2, :4] = False  # padded at the start
for reset_after in (True, False):
    for name, m in (("no mask", None), ("masked", mask)):
        theirs = keras.layers.GRU(7, reset_after=reset_after, return_sequences=True, bias_initializer="glorot_normal")
        expected = theirs(xs, mask=m)
        mine = GRU(7, reset_after=reset_after, return_sequences=True)
        mine.build(xs.shape)
        mine.set_weights(theirs.get_weights())
        gap = float(ops.max(ops.abs(mine(xs, mask=m) - expected)))
        print(f"reset_after={reset_after!s:<5}  {name:<7}  agrees to 1e-5: {gap < 1e-5}")
        assert gap < 1e-5

# %% [markdown]
# And a model with your layer in it survives a file. The embedding makes the mask (0 is padding), and Keras hands
# it to your layer.

# %% tags=["demo"]
import tempfile
from pathlib import Path

letters = np.array([[3, 1, 20, 0, 0], [2, 9, 18, 4, 19]])
model = keras.Sequential([
    keras.layers.Input((5,)), keras.layers.Embedding(27, 8, mask_zero=True),
    GRU(6, reset_after=False), keras.layers.Dense(2)])
with tempfile.TemporaryDirectory() as folder:
    model.save(Path(folder, "gru.keras"))
    again = keras.models.load_model(Path(folder, "gru.keras"))
print("the same after saving and loading:", np.allclose(model(letters), again(letters)))
short = model(letters[:1, :3])
print("padding changes nothing:", np.allclose(model(letters)[:1], short, atol=1e-6))

# %% [markdown]
# ## 6. What it costs
#
# One *block* is what a plain RNN has: `W (D, u)`, `U (u, u)`, and a bias. The GRU has a block for each gate and
# one for the candidate; the LSTM has one more gate.
#
# **Exercise `gru.count_parameters`** · ●○○○○ · 5 min · 4 points
#
# <details><summary>Hint</summary>
#
# Blocks × (input weights + recurrent weights + biases). Of RNN, LSTM and the GRU's two
# forms, only one has two rows of bias.
# </details>

# %% solution="gru.count_parameters"
def count_parameters(kind, D, u, reset_after=True):
    """The number of weights of a "rnn", "gru" or "lstm" layer of Keras with D inputs and u units, biases included."""
    ### BEGIN SOLUTION
    blocks = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    biases = 2 if kind == "gru" and reset_after else 1
    return blocks * (D * u + u * u + biases * u)
    ### END SOLUTION

# %% check="gru.count_parameters"
check("gru.count_parameters", count_parameters)

# %% [markdown]
# A step also multiplies each weight of `W` and `U` once for each sequence, so the multiplications stand in the
# same proportion. Counted, for 64 inputs and 64 units:

# %% tags=["demo"]
LAYERS = {"RNN": keras.layers.SimpleRNN, "GRU": keras.layers.GRU, "LSTM": keras.layers.LSTM}
COLOUR = dict(zip(LAYERS, plot.COLOURS, strict=False))  # one colour a layer in every figure
print("         weights  multiply-adds a step   ratio")
for name, make in LAYERS.items():
    layer = make(64)
    layer.build((None, None, 64))
    kernel, recurrent, bias = layer.get_weights()
    assert layer.count_params() == count_parameters(name.lower(), 64, 64)
    print(f"{name:<6}{layer.count_params():>10,}{kernel.size + recurrent.size:>22,}{kernel.size // 64**2:>8}")

# %% [markdown]
# **Predict first.** Does the GRU also *take* three times as long as the plain RNN, and the LSTM four times?
#
# Below, each layer reads 64 sequences of 20 steps (it does not train). The three take turns, so that a busy moment of
# the computer hits all of them; what counts is the processor time beside the RNN's of the same turn, and of nine turns
# the median. Another computer draws another curve; what is printed should hold on yours, too.

# %% tags=["demo"]
import time

import tensorflow as tf

def processor_time(u, turns=9):
    """How many times the plain RNN's time each layer takes: the median over turns in which all three read."""
    xs = tf.random.normal((64, 20, u))
    runs = {name: tf.function(make(u)) for name, make in LAYERS.items()}
    spent = {name: [] for name in LAYERS}
    for turn in range(turns + 1):
        for name, layer in runs.items():
            start = time.process_time()
            for _ in range(max(1, 64 // u)):
                layer(xs)
            if turn:  # the first call compiles
                spent[name].append(time.process_time() - start)
    return {name: np.median(np.divide(seconds, spent["RNN"])) for name, seconds in spent.items()}

sizes = [8, 64, 256, 512]
ratios = {u: processor_time(u) for u in sizes}

# %% tags=["demo"]
figure, axis = plt.subplots()
for name, counted, style in (("GRU", 3, "o-"), ("LSTM", 4, "s-")):
    axis.plot(sizes, [ratios[u][name] for u in sizes], style, color=COLOUR[name], label=f"{name}, measured")
    axis.axhline(counted, ls=":", color=COLOUR[name], label=f"{name}, counted")
axis.axhline(1, color=COLOUR["RNN"], label="RNN")
axis.set(title="Large cells cost what their weights say; small ones do not", ylabel="time ÷ time of the RNN",
         xlabel="units u (logarithmic)", xscale="log", ylim=(0, 6.4), xticks=sizes, xticklabels=sizes)
axis.minorticks_off()
axis.legend(ncols=3, loc="upper left", fontsize=9)
plot.show(figure, alt="Time of GRU and LSTM relative to the plain RNN against the number of units: near 1.5 for "
          "8 units, rising towards the counted 3 and 4 for 512.")
costly = ratios[512]["GRU"] > 1.5 and ratios[512]["LSTM"] > 2
hidden = ratios[8]["LSTM"] < 0.75 * ratios[512]["LSTM"]
print("with 512 units the GRU takes more than 1.5 times the RNN's time, the LSTM more than twice:", costly)
print("with 8 units the LSTM's extra blocks cost less than three quarters of that:", hidden)
assert costly and hidden

# %% [markdown]
# With many units the products dominate, and you pay what was counted or nearly so. With few units most of the time
# goes into starting each small operation, and the gates are nearly free. "Lighter than an LSTM" is true of weights; of
# time only when the cell is large.

# %% [markdown]
# ## 7. The plain RNN inside
#
# A GRU can do whatever a plain RNN can. Fix r = 1 and let nothing of the old state stay, and the last two formulas
# of section 1 become $h_t = \tanh(x_t W + h_{t-1} U + b)$. (In Keras's convention that is z = 0. With z on the
# candidate it is z = 1.)
#
# **Exercise `gru.reduces_to_rnn`** · ●●●○○ · 15 min · 4 points
#
# Given the weights of a plain RNN, return GRU weights (reset after, Keras's convention) that compute the same
# states.
#
# <details><summary>Hint 1</summary>
#
# A gate you want to hold still must not look at x or h: what do its blocks of `W` and `U` have to be?
# </details>
# <details><summary>Hint 2</summary>
#
# A sigmoid never reaches 0 or 1, but σ(−20) is 0.000000002. A bias is not a gate: a bias of 1 gives a gate of
# 0.73.
# </details>

# %% solution="gru.reduces_to_rnn"
def rnn_as_gru(W, U, b):
    """Weights with which a GRU (reset after, Keras's convention) computes h = tanh(x W + h U + b), the plain RNN.

    W: (D, u), U: (u, u), b: (u,). Returns the GRU's W (D, 3u), U (u, 3u) and b (2, 3u).
    """
    ### BEGIN SOLUTION
    D, u = W.shape
    no_W, no_U = np.zeros((D, u)), np.zeros((u, u))
    shut, open_ = np.full(u, -20.0), np.full(u, 20.0)
    b_x = np.concatenate([shut, open_, b])
    return (np.concatenate([no_W, no_W, W], axis=1), np.concatenate([no_U, no_U, U], axis=1),
            np.stack([b_x, np.zeros(3 * u)]))
    ### END SOLUTION

# %% check="gru.reduces_to_rnn"
check("gru.reduces_to_rnn", rnn_as_gru)

# %% [markdown]
# Keras agrees, layer against layer:

# %% tags=["demo"]
plain = keras.layers.SimpleRNN(7, return_sequences=True, bias_initializer="glorot_normal")
expected = plain(xs)
gated = keras.layers.GRU(7, return_sequences=True)
gated.build(xs.shape)
gated.set_weights(rnn_as_gru(*plain.get_weights()))
gap = float(ops.max(ops.abs(gated(xs) - expected)))
print("a GRU with its gates held still is the plain RNN, to 1e-5:", gap < 1e-5)
assert gap < 1e-5

# %% [markdown]
# ## 8. A real GRU, in your cell
#
# The Python package *g2p_en* (Kyubyong Park and Jongseok Kim, Apache-2.0) carries the weights of a trained pair
# of GRUs. The first, the *encoder*, reads a word letter by letter; its last state is all it hands on. The second,
# the *decoder*, starts from that state and says the sounds one after another, each time told what it said last.
# (Lesson 07 is about such pairs.)
#
# Its weights come in PyTorch's layout, and moving weights between frameworks is daily work:
#
# | | PyTorch | Keras |
# |---|---|---|
# | order of the blocks | r, z, n | z, r, candidate |
# | input weights | `w_ih (3u, D)` | `W (D, 3u)` |
# | recurrent weights | `w_hh (3u, u)` | `U (u, 3u)` |
# | biases | `b_ih (3u,)`, `b_hh (3u,)` | `b (2, 3u)` |
# | reset gate | after the product | after, with `reset_after=True` |
# | update gate | on the old state | on the old state |
#
# **Exercise `gru.from_pytorch`** · ●●○○○ · 10 min · 4 points
#
# <details><summary>Hint 1</summary>
#
# Split each array into three along axis 0, put the pieces together in the new order, then transpose the matrices.
# </details>
# <details><summary>Hint 2</summary>
#
# `np.stack([a, b])` makes two rows of two vectors.
# </details>

# %% solution="gru.from_pytorch"
def from_pytorch(w_ih, w_hh, b_ih, b_hh):
    """Keras's GRU weights from PyTorch's.

    w_ih: (3u, D), w_hh: (3u, u), b_ih and b_hh: (3u,), blocks r, z, n (n is the candidate).
    Returns W (D, 3u), U (u, 3u), b (2, 3u), blocks z, r, candidate.
    """
    ### BEGIN SOLUTION
    def reorder(a):
        r, z, n = np.split(a, 3)
        return np.concatenate([z, r, n])
    return reorder(w_ih).T, reorder(w_hh).T, np.stack([reorder(b_ih), reorder(b_hh)])
    ### END SOLUTION

# %% check="gru.from_pytorch"
check("gru.from_pytorch", from_pytorch)

# %% [markdown]
# Now the real thing goes into *your* layer and *your* cell.

# %% tags=["demo"]
from unrolled import data
from unrolled.data.g2p_en import END, LETTERS, SOUNDS, START

published = data.load("g2p_en")
encoder, decoder = GRU(256), GRUCell(256)
encoder.build((None, None, 256))
decoder.build((None, 256))
for layer, name in ((encoder, "enc"), (decoder, "dec")):
    layer.set_weights(from_pytorch(*(published[f"{name}_{part}"] for part in ("w_ih", "w_hh", "b_ih", "b_hh"))))
print(f"{sum(array.size for array in published.values()):,} numbers loaded")

# %% tags=["demo"]
def read(words):
    """The encoder's last state for each word, (words, 256). Short words are padded and masked."""
    symbols = [[*word, END] for word in words]
    longest = max(map(len, symbols))
    ids = np.array([[LETTERS.index(s) for s in row] + [0] * (longest - len(row)) for row in symbols])
    return encoder(published["enc_emb"][ids], mask=ids > 0)

def pronounce(words, longest=20):
    """The sounds of each word: always the likeliest next sound, until the decoder says END."""
    h, sound, said = read(words), np.full(len(words), SOUNDS.index(START)), []
    for _ in range(longest):
        h, _ = decoder(published["dec_emb"][sound], [h])
        sound = np.argmax(h @ published["fc_w"].T + published["fc_b"], axis=1)
        said.append(sound)
    rows = [[SOUNDS[i] for i in row] for row in np.transpose(said)]
    return [row[:row.index(END)] if END in row else row for row in rows]

# %% [markdown]
# **Predict first.** The last two words below do not exist. Will it say something an English speaker would?

# %% tags=["demo"]
words = ["transformer", "attention", "recurrent", "unrolled", "keras", "blorfing", "snazzleton"]
for word, said in zip(words, pronounce(words), strict=True):
    print(f"{word:<12} {' '.join(said)}")
assert pronounce(["transformer"]) == [["T", "R", "AE0", "N", "S", "F", "AO1", "R", "M", "ER0"]]

# %% [markdown]
# It speaks. (A digit after a vowel is its stress: 1 primary, 2 secondary, 0 none.) How well? The measure is the
# **phoneme error rate**: how many sounds must be inserted, deleted or replaced to get from what was said to what
# the dictionary says, divided by the number of sounds in the dictionary.
#
# A number needs something to beat. A simple rule: learn from 18,000 words which sound each letter makes most
# often (from the words with as many sounds as letters, so that they pair up). A better rule: the same for a
# letter *together with its neighbours*.

# %% tags=["demo"]
def edits(a, b):
    """The least number of insertions, deletions and replacements that turn a into b."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]

def error_rate(truth, said):
    return sum(map(edits, said, truth)) / sum(map(len, truth))

# %% tags=["demo"]
from collections import Counter, defaultdict

dictionary = data.load("cmudict")

def windows(word, width):
    padded = "." * width + word + "." * width
    return [padded[i:i + 2 * width + 1] for i in range(len(word))]

def rule(width):
    """For each letter with `width` neighbours on both sides, its most frequent sound."""
    seen = defaultdict(Counter)
    for word, sounds in dictionary["train"]:
        if len(word) == len(sounds):
            for window, sound in zip(windows(word, width), sounds, strict=True):
                seen[window][sound] += 1
    return {window: counts.most_common(1)[0][0] for window, counts in seen.items()}

alone, together = rule(0), rule(1)
print({letter: alone[letter] for letter in "abcdexyz"})

# %% [markdown]
# Now the network: 1,000 words of today's dictionary that an edition of some years earlier has too, and 1,000 that
# the older one lacks. **Predict first.** Will the network do equally well on both?

# %% tags=["demo"] tolerance=0.004
def spell(word, width):
    return [together.get(wide, alone[letter]) if width else alone[letter]
            for wide, letter in zip(windows(word, 1), word, strict=True)]

splits = {"words it has\nprobably seen": dictionary["test"],
          "words new in a\nlater edition": dictionary["new"][:1000]}
rates = {}
for split, rows in splits.items():
    words, truth = zip(*rows, strict=True)
    rates[split] = {"letter alone": error_rate(truth, [spell(w, 0) for w in words]),
                    "letter and neighbours": error_rate(truth, [spell(w, 1) for w in words]),
                    "the GRU pair": error_rate(truth, pronounce(words))}
    print(split.replace("\n", " "))
    for name, rate in rates[split].items():
        print(f"    {name:<22} {rate:.3f}")
    assert rates[split]["the GRU pair"] < rates[split]["letter and neighbours"] - 0.15

# %% tags=["demo"]
figure, axis = plt.subplots()
for i, name in enumerate(["letter alone", "letter and neighbours", "the GRU pair"]):
    heights = [rates[split][name] for split in splits]
    bars = axis.bar(np.arange(2) + (i - 1) * 0.27, heights, 0.25, label=name, color=plot.COLOURS[i])
    axis.bar_label(bars, fmt="%.2f")
axis.set(title="Saying words: rules against a trained GRU", xticks=range(2), xticklabels=list(splits), ylim=(0, 0.75),
         ylabel="phoneme error rate (lower is better)")
axis.legend(ncols=3, loc="upper center", columnspacing=1)
plot.show(figure, alt="Phoneme error rates on known and new words: letter rule 0.54 and 0.57, with neighbours "
          "0.43 and 0.50, the GRU pair 0.10 and 0.29.")
known, new = (rates[split]["the GRU pair"] for split in splits)
assert new > 2 * known

# %% [markdown]
# Two things to take home. The pair of GRUs is far better than either rule. And it makes **nearly three times as many
# errors** on the words that an older edition of the dictionary lacks. Its authors do not say what it was trained
# on; their package looks words up in this very dictionary first. The new words are harder (the rules get worse on
# them, too), but by a sixth at most, not threefold. So a good part of the low number on the left is *memory*:
# whoever tests a network on what it has read measures that.
#
# ### Watching the update gate
#
# What does the encoder do with its gates? Below, each column is a letter of *photographer*, each row a unit (64 of
# the 256, sorted by their mean z); the colour is z. Yellow keeps the old state, blue overwrites it.

# %% tags=["demo"]
def gates_over(word):
    """z and r at each letter of a word and at END, (2, letters + 1, 256)."""
    W, U, b = (np.asarray(w) for w in encoder.get_weights())
    h, gates = np.zeros((1, 256), "float32"), []
    for letter in [*word, END]:
        x = published["enc_emb"][[LETTERS.index(letter)]]
        a = (x @ W + h @ U + b.sum(axis=0))[0, :512]
        gates.append(1 / (1 + np.exp(-a.reshape(2, 256))))
        h = np.asarray(one_step(x, h, W, U, b))
    return np.stack(gates, axis=1)

word = "photographer"
z, r = gates_over(word)

# %% tags=["demo"]
figure, (top, bottom) = plt.subplots(2, 1, figsize=(6.4, 5.2), sharex=True, height_ratios=[3, 1],
                                     layout="constrained")
order = np.argsort(z.mean(axis=0))[::4]
image = top.imshow(z[:, order].T, aspect="auto", vmin=0, vmax=1)
top.set(title=f"The update gate while the encoder reads “{word}”", ylabel="64 of 256 units, sorted")
figure.colorbar(image, ax=[top, bottom], label="z: 1 keeps the old state")
bottom.bar(range(len(z)), 1 - z.mean(axis=1), color=plot.COLOURS[0])
bottom.set(xticks=range(len(z)), xticklabels=[*word, "end"], xlabel="letter read", ylabel="mean 1 − z", ylim=(0, 1))
plot.show(figure, alt="Heat map of the update gate over the letters of photographer: early letters overwrite "
          "most units, late ones few; the bars below fall from about 0.65 to 0.2.")
for name, gate in (("1 − z, the share that is overwritten", 1 - z), ("r, the share the candidate sees", r)):
    print(f"{name:<36} first three letters {gate[:3].mean():.2f}, last three steps {gate[-3:].mean():.2f}")
assert (1 - z[:3]).mean() > 2 * (1 - z[-3:]).mean() and r[-3:].mean() > r[:3].mean()

# %% [markdown]
# **Predict first.** Is that this one word, or a habit? Out of 300 words, those of 5, 7 and 9 letters: the
# mean by the place of the letter.

# %% tags=["demo"]
gates = [gates_over(word)[0] for word, _ in dictionary["test"][:300]]
figure, axis = plt.subplots()
for length, colour in zip((5, 7, 9), plot.COLOURS, strict=False):
    mean = np.mean([1 - g.mean(axis=1) for g in gates if len(g) == length + 1], axis=0)
    axis.plot(range(1, length + 2), mean, "o-", color=colour, label=f"words of {length} letters")
    axis.annotate("end", (length + 1, mean[-1]), textcoords="offset points", xytext=(4, 6))
    assert mean[-1] < 0.6 * mean[0]
axis.set(title="The longer the word so far, the less is overwritten", xlabel="place in the word",
         ylabel="share overwritten, mean of 1 − z", ylim=(0, 0.8))
axis.legend()
plot.show(figure, alt="Mean share of the state overwritten by place in the word, for words of 5, 7 and 9 letters: "
          "it falls from about 0.6 to 0.25.")

# %% [markdown]
# Nobody programmed this. The network learnt to fill its memory at the start of a word and to guard it afterwards;
# meanwhile the reset gate opens, so that the late letters are read in the light of all that came before. A plain
# RNN has no such choice: it overwrites every unit at every step.
#
# ### Names that no dictionary has
#
# **An open question `gru.own`** · 20 min · 4 points
#
# Let it say twenty words that *you* choose, of one kind: first names from where you live, dishes, street names,
# brands, words you made up. **Before you run it**, write down how an English speaker would say each, as well as you
# can in these symbols, and where you expect it to go wrong. Then compare: compute `error_rate`, sort the mistakes into
# kinds, and look at the update gate (`gates_over`) for one word that it says well and one that it spoils.
#
# Hand in, in the next cell: the kind of words, and ten of them with both versions; the error rate beside those of
# section 8; two or three kinds of mistakes, with how many of each; what you think the network has learnt from, and
# one thing you could measure to find out whether you are right.

# %% [markdown] written="gru.own" points=4
# One point each, for any kind of words. (1) Twenty words of one kind, with the student's own version written before.
# (2) An error rate, computed, and set beside those for known and for new words. (3) Mistakes sorted into kinds and
# counted, not only listed. (4) An explanation that could be wrong, and a measurement that would show it; twenty words
# and one person's ear are named as the limits they are.

# %% [markdown]
# ## 9. The race: RNN, GRU, LSTM with as many weights
#
# A task that needs memory, on real words: read the letters of a word and then `|`, and say its sounds, all in *one*
# network. The text is `c a t | K AE T |`; at each step from the first `|` on the network must give what comes next,
# and by then the letters are gone, except in its state. Units are chosen so that each recurrent layer has about
# 21,000 weights. The loss is in *nats*: minus the natural logarithm of the probability that the right sound was given.
#
# **Predict first.** Which is best at equal size? And what will the plain RNN's curve look like?

# %% tags=["demo"]
from unrolled.data.cmudict import CONSONANTS, VOWELS

symbols = ["", *(chr(code) for code in range(ord("a"), ord("z") + 1)), "|", *VOWELS, *CONSONANTS]
index = {symbol: i for i, symbol in enumerate(symbols)}

def spoken(rows, longest=8, T=18):
    """Inputs and targets (words, T). Targets are 0, and do not count, while the letters are read."""
    rows = [(w, s) for w, s in rows if len(w) <= longest and len(w) + len(s) < T]
    x, y = np.zeros((2, len(rows), T), "int32")
    for i, (word, sounds) in enumerate(rows):
        text = [index[s] for s in [*word, "|", *(s.rstrip("012") for s in sounds), "|"]]  # without the stress
        x[i, :len(text) - 1] = text[:-1]
        y[i, len(word):len(text) - 1] = text[len(word) + 1:]
    return x, y

train, valid = spoken(dictionary["train"]), spoken(dictionary["valid"])
counts = np.bincount(train[1][train[1] > 0], minlength=len(symbols)) + 1
baseline = float(-np.log(counts / counts.sum())[valid[1][valid[1] > 0]].mean())
print(f"{len(train[0]):,} words, {len(symbols)} symbols; always guessing by frequency: {baseline:.2f} nats a sound")

# %% tags=["demo"]
def loss(y, scores):
    """Mean cross entropy in nats over the positions that count."""
    each = keras.losses.sparse_categorical_crossentropy(y, scores, from_logits=True)
    counts = ops.cast(y > 0, "float32")
    return ops.sum(each * counts) / ops.sum(counts)

class Clock(keras.callbacks.Callback):
    """Processor seconds of training up to the end of each epoch."""

    def on_train_begin(self, logs=None):
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.process_time() - self.start)

# %% tags=["demo"] tolerance=0.08
UNITS, EPOCHS = {"RNN": 128, "GRU": 70, "LSTM": 60}, 6
history, seconds = {}, {}
for name, make in LAYERS.items():
    keras.utils.set_random_seed(5)
    recurrent, clock = make(UNITS[name], return_sequences=True), Clock()
    model = keras.Sequential([keras.layers.Input((None,)), keras.layers.Embedding(len(symbols), 32), recurrent,
                              keras.layers.Dense(len(symbols))])
    model.compile(keras.optimizers.Adam(5e-3), loss, jit_compile=False)
    fitted = model.fit(*train, batch_size=64, epochs=EPOCHS, validation_data=valid, callbacks=[clock], verbose=0)
    history[name], seconds[name] = fitted.history["val_loss"], np.median(clock.seconds)
    print(f"{name:<5} {recurrent.count_params():,} weights, loss on unseen words",
          f"{history[name][-1]:.2f} nats")
assert max(history.values())[-1] < baseline
assert history["GRU"][-1] < 0.8 * history["RNN"][-1] and history["LSTM"][-1] < 0.85 * history["RNN"][-1]

# %% tags=["demo"]
figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.4), sharey=True, layout="constrained")
epochs = np.arange(1, EPOCHS + 1)
for name, style in zip(LAYERS, ("^-", "o-", "s-"), strict=True):
    looks = {"color": COLOUR[name], "ms": 4, "label": name}
    axes[0].plot(epochs * len(train[0]) // 64, history[name], style, **looks)
    axes[1].plot(epochs * seconds[name] / seconds["RNN"], history[name], style, **looks)
axes[0].set(title="by steps", xlabel="training steps", ylabel="loss on unseen words (nats a sound)", ylim=(0, 2.3))
axes[1].set(title="by processor time", xlabel="time (1 = an epoch of the RNN)")
axes[0].legend()
figure.suptitle("Saying a word from memory, about 21,000 weights each")
plot.show(figure, alt="Loss of RNN, GRU and LSTM against training steps and against processor time: in both the "
          "RNN falls first and then stays far above; the GRU ends lowest, the LSTM close to it.")
reached = next(i for i, value in enumerate(history["GRU"]) if value < history["RNN"][-1]) + 1
print("the GRU passes the RNN's final loss sooner, in steps and in time:", reached < EPOCHS,
      reached * seconds["GRU"] < EPOCHS * seconds["RNN"])
assert reached * seconds["GRU"] < EPOCHS * seconds["RNN"]

# %% [markdown]
# The plain RNN starts well and soon hardly gets better. At equal weights the GRU has little more than half of the
# RNN's units, and still it wins, by steps and by time. What counts here is not how much state there is but whether
# it can be *kept*. Between GRU and LSTM the gap is small, and one task with one seed says little about the next:
# Chung et al. (2014) found both better than a plain tanh network, and the GRU comparable to the LSTM.
#
# ## 10. From the notebook to a layer you would ship
#
# Put your `GRU` where a model has to work tomorrow: sequences of any length, and numbers in **half precision**
# (`mixed_float16`: products in 16 bits, weights in 32), which is how large models are trained.

# %% tags=["demo"]
def works(make, length, policy="float32"):
    try:
        keras.Sequential([keras.Input((length, 5), dtype=policy.removeprefix("mixed_")), make(dtype=policy)])
        return "works"
    except Exception as error:
        return type(error).__name__

print(f"{'':36}{'any length':14}half precision")
for name, make in (("your GRU", lambda **k: GRU(7, **k)),
                   ("your GRUCell in keras.layers.RNN", lambda **k: keras.layers.RNN(GRUCell(7, **k), **k))):
    print(f"{name:36}{works(make, None):14}{works(make, 9, 'mixed_float16')}")

# %% [markdown]
# `range` can't count to a length that is not known. And your first state is `ops.zeros((B, u))`: 32 bits, beside a step
# that computes in 16. Written as `ops.zeros((B, u), dtype=self.compute_dtype)`, it fits. `keras.layers.RNN` knows both,
# and takes your cell as it is. (Where your own answer already works, better still.)
#
# One thing is left: the products. The step of this lesson makes one for each block, which reads well. But
# $h_{t-1}U_z$, $h_{t-1}U_r$ and $h_{t-1}U_h$ are three parts of *one* product $h_{t-1}U$, as long as the reset gate
# comes behind it (`reset_after=True`): multiply once, then cut.

# %% tags=["demo"]
class LeanGRUCell(GRUCell):
    """Your cell, with one product of the state instead of three (`reset_after=True`)."""

    def call(self, inputs, states):
        h = states[0]
        x_z, x_r, x_h = ops.split(ops.matmul(inputs, self.kernel) + self.bias[0], 3, axis=-1)
        s_z, s_r, s_h = ops.split(ops.matmul(h, self.recurrent_kernel) + self.bias[1], 3, axis=-1)
        z = ops.sigmoid(x_z + s_z)
        new = z * h + (1 - z) * ops.tanh(x_h + ops.sigmoid(x_r + s_r) * s_h)
        return new, [new]

# %% tags=["demo"]
from unrolled.lessons import cost

plain, lean = keras.layers.RNN(GRUCell(64)), keras.layers.RNN(LeanGRUCell(64))
reading, running = cost.compare(GRU(64), keras.layers.GRU(64))
print("your loop: three times as long to read as Keras's, or more:", reading > 3)
assert reading > 3
_, saved = cost.compare(lean, plain)
_, running = cost.compare(lean, keras.layers.GRU(64))
print("one product instead of three makes a training step quicker:", saved < 1,
      "· then at most twice Keras's:", running < 2)
assert saved < 1 and running < 2

# %% [markdown]
# On a graphics card there is a third way. Keras hands the whole sequence to one **fused kernel**, a program of the
# card's maker that does all steps at once. On an H200 (PyTorch behind Keras, batch 64, 100 steps, 64 → 256 units) that
# trained 9 to 15 times faster than any loop of steps, with outputs within 0.0002 (`docs/layers.md`). So: Keras's own
# layer where there is one, your own cell in `keras.layers.RNN` where there is none, your own loop to understand.
# (For a GRU that kernel needs `reset_after=True`: it is why Keras's default is not the paper's form.) `unrolled.layers`
# has `GRU` in both forms and both conventions of $z$, as one ships it.
#
# ## What to remember
#
# - One state; an average of old and candidate. Keeping and writing are one decision.
# - Ask of any GRU: **on which side is z**, and **where is the reset**? Wrong answers have the right shapes.
# - `reset_after=True` has a bias of `(2, 3u)`; the second row stands inside the reset gate.
# - RNN : GRU : LSTM = 1 : 3 : 4 in weights and multiplications; in time only when the cell is large.
# - A mask means: at this step nothing happens.
#
# **Next:** lesson 06 reads from both sides.
#
# *Sources.* Cho et al. 2014, "Learning Phrase Representations using RNN Encoder–Decoder" (the cell); Chung et al.
# 2014, "Empirical Evaluation of Gated Recurrent Neural Networks on Sequence Modeling", abstract (the comparison).
# Weights: g2p_en 2.1.0. Words: CMUdict.
