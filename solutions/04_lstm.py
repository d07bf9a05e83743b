# %% [markdown]
# # LSTM: gates and the cell state
#
# *I live in China. […] I speak ___.* A plain RNN has to carry "China" through every word in between, and each step
# squeezes its memory through the same matrix and the same tanh. In the lesson on backpropagation through time you
# measured what that does to the gradient. Here you build the network that was made against it: a memory that is kept
# **by doing nothing**, and gates that learn when to write, when to erase and when to read.
#
# | | |
# |---|---|
# | **You build** | an LSTM step, an `LSTMCell`, an `LSTM` layer equal to Keras's, peepholes, its backward pass |
# | **Time** | about {minutes} minutes, in two sittings (sections 1 to 8, and the rest) · **{points} points** |
# | **You need** | the plain RNN (lesson 02) and backpropagation through time (lesson 03) |
# | **At the end** | you watch your own network change its mind after the word *but*, which no bag of words can do |
#
# The letters are the course's: `B` batch, `T` time steps, `D` inputs, `u` units; $x_t$ input, $h_t$ hidden state,
# $c_t$ cell state; $W$ acts on the input, $U$ on the hidden state, $b$ is the bias. Arrays are `(batch, time,
# features)`.

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import numpy as np
import keras
from keras import ops
from unrolled import check

# %% tags=["demo", "diagram"]
import matplotlib.pyplot as plt
import tensorflow as tf
from unrolled import plot
from unrolled.lessons import lstm as lesson

plot.show(lesson.draw_cell(), alt="Diagram of one LSTM step: the cell state runs straight through, past a "
          "multiplication by the forget gate and an addition of input gate times candidate; the output gate "
          "reads it through a tanh")

# %% [markdown]
# ## 1 · Two states, four transforms
#
# An LSTM (Hochreiter & Schmidhuber 1997; its forget gate: Gers, Schmidhuber & Cummins 2000) carries **two** states
# from step to step. The thick line is the **cell state** $c_t$: a conveyor belt. Only two things happen to it: it is
# multiplied by a number between 0 and 1, and something is added. The **hidden state** $h_t$ is what the cell shows
# to the outside.
#
# Each step computes four transforms of the same two vectors:
#
# $$
# \begin{aligned}
# i_t &= \sigma(x_t W_i + h_{t-1} U_i + b_i) && \text{input gate: how much of the new enters} \\
# f_t &= \sigma(x_t W_f + h_{t-1} U_f + b_f) && \text{forget gate: how much of the old stays} \\
# g_t &= \tanh(x_t W_g + h_{t-1} U_g + b_g) && \text{candidate: what the new is} \\
# o_t &= \sigma(x_t W_o + h_{t-1} U_o + b_o) && \text{output gate: how much is shown}
# \end{aligned}
# $$
#
# and then, with $\odot$ for "element by element":
#
# $$ c_t = f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t). $$
#
# Gates go through the **sigmoid** $\sigma$, because a gate is a fraction. The candidate goes through **tanh**,
# because it must be able to lower the memory as well as raise it. In practice the four blocks lie side by side in
# one matrix, and one multiplication computes them all. Keras's order is $i, f, c, o$; Keras calls the candidate `c`,
# we call it $g$ so that it is not mistaken for the cell state.
#
# **By hand first.** One unit, with the four sums already computed: the gates are $i = 0.5$, $f = 0.9$, $o = 0.5$, the
# candidate is $g = 0.5$, and the old cell state is 2. Work out $c_t$ and $h_t$ on paper, then run the cell.

# %%
c_before = 2.0
z_i, z_f, z_g, z_o = 0.0, np.log(9), np.log(3) / 2, 0.0  # chosen so that the gates are round numbers

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

i, f, g, o = sigmoid(z_i), sigmoid(z_f), np.tanh(z_g), sigmoid(z_o)
c_after = f * c_before + i * g
print(f"i = {i:.2f}   f = {f:.2f}   g = {g:.2f}   o = {o:.2f}")
print(f"c = {f:.2f} · {c_before:.2f} + {i:.2f} · {g:.2f} = {c_after:.2f}")
print(f"h = {o:.2f} · tanh({c_after:.2f}) = {o * np.tanh(c_after):.3f}")

# %% [markdown]
# **Exercise `lstm.step`** · ●●○○○ · 10 min · 5 points
#
# Write one step for a whole batch. Use `keras.ops` (`ops.matmul`, `ops.split`, `ops.sigmoid`, `ops.tanh`) or NumPy.
#
# <details><summary>Hint 1</summary>
#
# All four transforms at once: `z` has shape `(batch, 4u)`. Then `ops.split(z, 4, axis=-1)`.
# </details>
# <details><summary>Hint 2</summary>
#
# The output gate looks at the **new** cell state. Compute `c` first, then `h`.
# </details>
# <details><summary>If you see <i>Matrix size-incompatible</i></summary>
#
# `x` is multiplied by `W`, `h` by `U`. The shapes in the docstring tell which fits which.
# </details>

# %% solution="lstm.step"
def lstm_step(x, h, c, W, U, b):
    """One step of an LSTM.

    x: (batch, D), h and c: (batch, u), W: (D, 4u), U: (u, 4u), b: (4u,); blocks in Keras's order i, f, g, o.
    Returns the new h and the new c, each (batch, u).
    """
    ### BEGIN SOLUTION
    z = ops.matmul(x, W) + ops.matmul(h, U) + b
    i, f, g, o = ops.split(z, 4, axis=-1)
    i, f, o = ops.sigmoid(i), ops.sigmoid(f), ops.sigmoid(o)
    c = f * c + i * ops.tanh(g)
    h = o * ops.tanh(c)
    return h, c
    ### END SOLUTION

# %% check="lstm.step"
check("lstm.step", lstm_step)

# %% [markdown]
# Is it the LSTM that everybody uses? Give Keras's cell random weights, give yours the same ones, and compare.

# %% tags=["demo"]
keras.utils.set_random_seed(4)
B, D, u = 3, 5, 7
x, h, c = (keras.random.normal((B, size)) for size in (D, u, u))
cell = keras.layers.LSTMCell(u)
cell.build((B, D))
cell.set_weights([np.random.normal(size=w.shape) for w in cell.weights])
_, (h_keras, c_keras) = cell(x, [h, c])
h_mine, c_mine = lstm_step(x, h, c, *cell.weights)
print("same h:", np.allclose(h_mine, h_keras, atol=1e-5), "  same c:", np.allclose(c_mine, c_keras, atol=1e-5))
assert np.allclose(h_mine, h_keras, atol=1e-5) and np.allclose(c_mine, c_keras, atol=1e-5)

# %% [markdown]
# ## 2 · Open the box
#
# A trained LSTM is only as mysterious as you let it be: its gates are numbers between 0 and 1, and we can look at
# all of them at all times. For that we need a version of the loop over time that throws nothing away.
#
# **Exercise `lstm.gates`** · ●●○○○ · 10 min · 5 points
#
# Run an LSTM over whole sequences and record $i_t, f_t, g_t, o_t$, and the states $c_t, h_t$ *after* each step.
#
# <details><summary>Hint 1</summary>
#
# `for t in range(x.shape[1])`: compute the step from `x[:, t]`, `h` and `c`, and let `h` and `c` be the *new* ones
# before the next turn.
# </details>
# <details><summary>Hint 2</summary>
#
# Collect one list for each name and end with `ops.stack(values, axis=1)`, which puts time on axis 1.
# </details>

# %% solution="lstm.gates"
def lstm_gates(x, h, c, W, U, b):
    """Run an LSTM over whole sequences and keep everything it does.

    x: (batch, T, D), the other arguments as in lstm_step; h and c are the states before the first step.
    Returns a dict with keys "i", "f", "g", "o", "c", "h"; each value is (batch, T, u).
    """
    ### BEGIN SOLUTION
    record = {name: [] for name in "ifgoch"}
    for t in range(x.shape[1]):
        z = ops.matmul(x[:, t], W) + ops.matmul(h, U) + b
        i, f, g, o = ops.split(z, 4, axis=-1)
        i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
        c = f * c + i * g
        h = o * ops.tanh(c)
        for name, value in zip("ifgoch", (i, f, g, o, c, h), strict=True):
            record[name].append(value)
    return {name: ops.stack(values, axis=1) for name, values in record.items()}
    ### END SOLUTION

# %% check="lstm.gates"
check("lstm.gates", lstm_gates)

# %% [markdown]
# ## 3 · Why the belt carries the error
#
# Now the reason for all this. In a plain RNN the way from $h_T$ back to $h_t$ passes a matrix and a tanh at *every*
# step. Along the belt of the LSTM there is neither. Hold the gates still for a moment and differentiate $c_t = f_t
# \odot c_{t-1} + i_t \odot g_t$:
#
# $$ \frac{\partial c_t}{\partial c_{t-1}} = f_t, \qquad\text{so}\qquad
#    \frac{\partial c_T}{\partial c_t} = f_{t+1} \odot f_{t+2} \odot \dots \odot f_T . $$
#
# If the forget gates stay at 1, the product is 1 whatever the distance: Hochreiter and Schmidhuber called it the
# **constant error carousel**. And where a gate is 0, the past is cut off, *because the network has learnt to*.
#
# (The gates depend on $h_{t-1}$ and so, a little, on $c_{t-1}$ too. Those side paths are the rest of the gradient;
# you will compute all of it in section 8.)
#
# **Exercise `lstm.constant_error`** · ●●○○○ · 10 min · 5 points
#
# By hand first: $T = 3$ and gates $f = (0.9,\ 0.5,\ 0.8)$. How much of $c_1$ is left in $c_3$? Of $c_2$? Of $c_3$?
#
# <details><summary>Answer</summary>
#
# Of $c_1$: $f_2 f_3 = 0.4$. Of $c_2$: $f_3 = 0.8$. Of $c_3$: all, 1. The first gate does not take part: it acted on
# $c_0$.
# </details>
# <details><summary>Hint</summary>
#
# Go backwards: what is left of $c_t$ is what is left of $c_{t+1}$, times $f_{t+1}$. Start with ones at the end.
# </details>

# %% solution="lstm.constant_error"
def constant_error(f):
    """How much of the cell state at each step is left at the end: the derivative of c_T by c_t, unit by unit.

    f: forget gates (batch, T, u). Returns (batch, T, u); the last entry, t = T, is 1.
    """
    ### BEGIN SOLUTION
    kept = np.ones_like(f)
    for t in range(f.shape[1] - 2, -1, -1):
        kept[:, t] = kept[:, t + 1] * f[:, t + 1]
    return kept
    ### END SOLUTION

# %% check="lstm.constant_error"
check("lstm.constant_error", constant_error)

# %% [markdown]
# **Predict first.** A new network knows nothing: its gates are about $\sigma(b_f)$ everywhere. With the bias $b_f =
# 0$, how much of a memory is left after 20 steps? And with $b_f = 1$?

# %% tags=["demo"]
figure, axis = plt.subplots()
lags = np.arange(100)
for bias in (0.0, 1.0, 3.0, 5.0):
    gate = sigmoid(bias)
    kept = np.asarray(constant_error(np.full((1, 100, 1), gate)))[0, ::-1, 0]
    axis.semilogy(lags, kept, label=f"$b_f$ = {bias:g},  f = {gate:.3f}")
    print(f"bias {bias:g}: gate {gate:.3f}, left after 20 steps {kept[20]:.6f}, after 99 steps {kept[99]:.6f}")
axis.set(title="What is left of the cell state if every forget gate is σ(bias)", xlabel="lag (steps)",
         ylabel="share left", ylim=(1e-10, 2))
axis.legend(loc="center right")
plot.show(figure, alt="Share of the cell state left against lag on a log scale, for forget biases 0, 1, 3 and 5: "
          "straight lines, the steeper the smaller the bias; at bias 0 a millionth is left after 20 steps")

# %% [markdown]
# ## 4 · Start with an open gate
#
# At bias 0 half of everything is lost at each step: after 20 steps a millionth is left, and no gradient arrives that
# could tell the gate to open. So the forget gate's bias starts **at 1**; Jozefowicz et al. (2015) report that this
# alone closes the gap between the LSTM and the GRU, the simpler cell of the next lesson. It is Keras's default
# (`unit_forget_bias=True`).
#
# If you know how long your memory should last, you can do better than 1: choose the bias by its **half-life**, the
# number of steps after which half of the cell state is left.
#
# **Exercise `lstm.forget_bias`** · ●●●○○ · 10 min · 4 points
#
# Return the whole bias vector $(b_i, b_f, b_g, b_o)$ a new LSTM starts with.
#
# <details><summary>Hint 1</summary>
#
# First the gate: which $f$ gives $f^n = \tfrac12$ for a half-life of $n$ steps?
# </details>
# <details><summary>Hint 2</summary>
#
# Then the bias: $f = \sigma(b)$, so $b = \ln\frac{f}{1-f}$. Its place in the vector is the second quarter.
# </details>

# %% solution="lstm.forget_bias"
def forget_bias(units, half_life=None):
    """The bias vector (4 * units,) a new LSTM starts with: 0, but for the forget gate's block.

    half_life: None for the usual forget bias 1; else the number of steps after which half of the
    cell state is left, if nothing but the bias reaches the gate.
    """
    ### BEGIN SOLUTION
    b = np.zeros(4 * units)
    if half_life is None:
        b[units:2 * units] = 1.0
    else:
        f = 0.5 ** (1 / half_life)
        b[units:2 * units] = np.log(f / (1 - f))
    return b
    ### END SOLUTION

# %% check="lstm.forget_bias"
check("lstm.forget_bias", forget_bias)

# %% [markdown]
# The picture above assumed that nothing but the bias reaches the gates. Let us measure the *true* gradient, all paths
# included, in layers fresh from Keras: how strongly does the last output depend on the input so many steps earlier?
#
# **Predict first.** Is an untrained LSTM always better than an untrained plain RNN?

# %% tags=["demo"]
def input_gradients(layer, T=100, D=8, batch=64):
    """The norm of the gradient of a random mix of the last output with respect to each input; lag 0 first."""
    keras.utils.set_random_seed(1)
    x = tf.constant(np.random.normal(size=(batch, T, D)), "float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        last = layer(x)
        loss = tf.reduce_sum(last * tf.random.stateless_normal(last.shape, seed=(1, 2)))
    return np.linalg.norm(tape.gradient(loss, x), axis=(0, 2))[::-1]

def fresh(kind, bias=None, units=32):
    keras.utils.set_random_seed(0)
    layer = kind(units)
    layer.build((None, None, 8))
    if bias is not None:
        layer.set_weights([*layer.get_weights()[:2], bias])
    return layer

# %% tags=["demo"] tolerance=0.2
lines = {
    "plain RNN": fresh(keras.layers.SimpleRNN),
    "LSTM, forget bias 0": fresh(keras.layers.LSTM, np.zeros(4 * 32)),
    "LSTM, forget bias 1": fresh(keras.layers.LSTM, forget_bias(32)),
    "LSTM, half-life 50 steps": fresh(keras.layers.LSTM, forget_bias(32, half_life=50)),
}
figure, axis = plt.subplots()
norms = {name: input_gradients(layer) for name, layer in lines.items()}
for name, norm in norms.items():
    axis.semilogy(norm / norm[0], label=name)
    print(f"{name:25s} gradient at lag 50 / at lag 0: ten to the power {np.log10(norm[50] / norm[0]):.1f}")
axis.set(title="How far back the gradient reaches, before any training", xlabel="lag (steps)",
         ylabel="gradient norm, relative to lag 0", ylim=(1e-14, 100))
axis.legend(loc="lower left")
plot.show(figure, alt="Gradient norm against lag on a log scale for a plain RNN and LSTMs of three forget biases: "
          "the LSTM with bias 0 falls fastest, the plain RNN next; the one with half-life 50 does not fall at all")
reach = {name: norm[50] / norm[0] for name, norm in norms.items()}
assert reach["LSTM, forget bias 0"] < reach["plain RNN"] < reach["LSTM, half-life 50 steps"]

# %% [markdown]
# The answer to the question is *no*: with forget bias 0 the LSTM forgets faster than the plain RNN, whose recurrent
# matrix Keras starts orthogonal. The belt helps only if the gate is open. With the right bias the same layer reaches
# back a hundred steps before it has learnt anything (with the side paths through $h$, its gradient even grows a
# little).
#
# ## 5 · A memory set by hand
#
# To see that you have understood the gates, be the optimiser yourself. One unit, two inputs: a **value**, and a
# **marker** that is 0 or 1. At a marker the cell must *overwrite* its memory with the value; otherwise it must
# keep it, for ever.
#
# | | input gate | forget gate | candidate | output gate |
# |---|---|---|---|---|
# | marker = 1 | open (1) | closed (0) | $\tanh(\text{value})$ | open |
# | marker = 0 | closed (0) | open (1) | whatever | open |
#
# **Exercise `lstm.latch`** · ●●●○○ · 15 min · 3 points
#
# Choose the weights so that every gate is within 0.01 of the table. The demonstration after it holds a value for 200
# steps, and asks more: there $i$ and $f$ must be within 0.0001 of 0 or 1.
#
# <details><summary>Hint 1</summary>
#
# A gate is never exactly 0 or 1, but $\sigma(10) \approx 0.99995$. The input gate's sum must be near $+10$ with the
# marker and near $-10$ without.
# </details>
# <details><summary>Hint 2</summary>
#
# Input gate: weight 20 on the marker, bias −10. The forget gate is the same with the signs turned round.
# </details>

# %% solution="lstm.latch"
def latch_weights():
    """Weights of an LSTM with one unit that stores a value at the marker and keeps it until the next marker.

    Inputs are (value, marker). Returns W (2, 4), U (1, 4), b (4,): columns i, f, g, o.
    """
    ### BEGIN SOLUTION
    k = 20.0
    W = np.array([[0.0, 0.0, 1.0, 0.0],   # value: only the candidate looks at it
                  [k, -k, 0.0, 0.0]])     # marker: opens the input gate, closes the forget gate
    U = np.zeros((1, 4))
    b = np.array([-k / 2, k / 2, 0.0, k])
    return W, U, b
    ### END SOLUTION

# %% check="lstm.latch"
check("lstm.latch", latch_weights)

# %% [markdown]
# Now let it hold a value (or rather its tanh) for 200 steps, while a new value arrives at every one of them.

# %% tags=["demo"]
keras.utils.set_random_seed(2)
stream = np.zeros((1, 300, 2))
stream[0, :, 0] = np.random.uniform(-1, 1, 300)
stream[0, [10, 210], 1] = 1  # write twice, 200 steps apart
record = lstm_gates(*(a.astype("float32") for a in (stream, np.zeros((1, 1)), np.zeros((1, 1)), *latch_weights())))
memory = np.asarray(record["c"])[0, :, 0]
figure, axis = plt.subplots()
axis.plot(stream[0, :, 0], ".", markersize=3, color="#aaaaaa", label="value")
axis.plot(memory, lw=2.5, label="cell state $c_t$")
axis.plot([10, 210], stream[0, [10, 210], 0], "o", mfc="none", ms=9, color=plot.COLOURS[1], label="marker = 1")
axis.set(title="A cell state that keeps a value for 200 steps", xlabel="time step", ylabel="value", ylim=(-1.1, 1.6))
axis.legend(loc="upper center", ncols=3)
plot.show(figure, alt="Cell state over 300 steps: flat at the first marked value for 200 steps, then flat at the "
          "second, while the input values scatter at random")
print(f"written {memory[10]:.3f}, after 199 steps still {memory[209]:.3f}; then overwritten with {memory[210]:.3f}")
assert abs(memory[209] - memory[10]) < 0.03 * abs(memory[10])

# %% [markdown]
# Why has it lost a hundredth? Because $f = \sigma(10)$ is not quite 1, and 199 factors of 0.99995 are 0.991. An LSTM
# that is *trained* finds such weights by itself when a task needs them.
#
# ## 6 · From a function to layers
#
# ### The cell
#
# `keras.layers.RNN(cell)` runs any cell over a sequence, and takes care of masks, initial states and the loop. A
# cell is a layer that offers:
#
# * `state_size`: the sizes of its states, here `[units, units]`;
# * `build(input_shape)`: makes the weights, once, from `(batch, D)`;
# * `call(x, states)`: one step; returns the output and the list of new states, here `h, [h, c]`;
# * `get_config()`: every argument of `__init__`, so that a saved model can make the layer again.
#
# **Exercise `lstm.cell`** · ●●●○○ · 15 min · 7 points
#
# Weights, in this order: `self.W` of shape `(D, 4u)` and `self.U` of shape `(u, 4u)` with random initialisers (good
# ones: `"glorot_uniform"`, `"orthogonal"`), and `self.b` of shape `(4u,)`, which starts as your `forget_bias` would:
# 0, and 1 for the forget gate.
#
# <details><summary>Hint 1: making a weight</summary>
#
# `self.W = self.add_weight(shape=(...), initializer="glorot_uniform", name="W")`, in `build`. After making `b` with
# zeros, `self.b.assign(...)` sets its first value.
# </details>
# <details><summary>Hint 2: get_config</summary>
#
# `return {**super().get_config(), "units": self.units}`
# </details>
# <details><summary>If you see <i>unexpected keyword argument 'name'</i></summary>
#
# `__init__` must accept `**kwargs` and hand them to `super().__init__(**kwargs)`: name and dtype travel there.
# </details>

# %% solution="lstm.cell"
@keras.saving.register_keras_serializable("lesson04")
class LSTMCell(keras.layers.Layer):
    """One LSTM step as a layer: what keras.layers.RNN calls at each time step.

    state_size is [units, units]; call(x, [h, c]) returns h, [h, c]; x: (batch, D), h and c: (batch, units).
    Write __init__, build, call and get_config.
    """

    def __init__(self, units, **kwargs):
        ### BEGIN SOLUTION
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, units]

    def build(self, input_shape):
        D, u = input_shape[-1], self.units
        self.W = self.add_weight(shape=(D, 4 * u), initializer="glorot_uniform", name="W")
        self.U = self.add_weight(shape=(u, 4 * u), initializer="orthogonal", name="U")
        self.b = self.add_weight(shape=(4 * u,), initializer="zeros", name="b")
        self.b.assign(np.repeat([0.0, 1.0, 0.0, 0.0], u))

    def call(self, x, states):
        h, c = states
        z = ops.matmul(x, self.W) + ops.matmul(h, self.U) + self.b
        i, f, g, o = ops.split(z, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [h, c]

    def get_config(self):
        return {**super().get_config(), "units": self.units}
        ### END SOLUTION

# %% check="lstm.cell"
check("lstm.cell", LSTMCell)

# %% [markdown]
# ### The layer
#
# Once in your life, write the loop yourself. So that a slip in your cell costs nothing here, the layer may use
# Keras's own *cell* (`keras.layers.LSTMCell`); swap in yours if it passed. What the layer adds is the loop, the
# states and the **mask**.
#
# A batch holds sequences of different lengths, padded at the end. `mask` is `(batch, T)`, `True` at real steps.
# Keras's rule: **where the mask is `False`, nothing changes**. Both states stay as they are and the output is
# repeated, so that the last position always holds the result of the last *real* step.
#
# **Exercise `lstm.layer`** · ●●●●○ · 25 min · 10 points
#
# If no `initial_state` is given, both states start at 0; if no `mask` is given, every step is real.
#
# <details><summary>Hint 1: holding a state</summary>
#
# `ops.where(m, new_h, h)` with `m = mask[:, t, None]`, and the same for `c`.
# </details>
# <details><summary>Hint 2: the cell's weights</summary>
#
# Build the cell in your `build`: `self.cell.build((batch, D))`, where `input_shape` is `(batch, T, D)`. If you leave
# it to the first call, a saved model finds no weights to fill.
# </details>
# <details><summary>Hint 3: where the mask ends</summary>
#
# `compute_mask(self, x, mask=None)` says which mask the *next* layer gets. Without `return_sequences` the output has
# no time axis, so there is no mask any more: return `None`. (With `return_state` there are three outputs, so three
# masks: the one above, and `None` for each state.)
# </details>

# %% solution="lstm.layer"
@keras.saving.register_keras_serializable("lesson04")
class LSTM(keras.layers.Layer):
    """An LSTM over (batch, T, D), with Keras's conventions.

    return_sequences=False: the last h (batch, units); True: all of them (batch, T, units).
    return_state=True: output, h, c. Where mask (batch, T) is False, nothing changes.
    Write __init__, build, call(x, mask=None, initial_state=None), compute_mask(x, mask=None) and get_config;
    initial_state is [h, c].
    """

    def __init__(self, units, return_sequences=False, return_state=False, **kwargs):
        ### BEGIN SOLUTION
        super().__init__(**kwargs)
        self.units, self.return_sequences, self.return_state = units, return_sequences, return_state
        self.cell = keras.layers.LSTMCell(units)
        self.supports_masking = True

    def build(self, input_shape):
        self.cell.build((input_shape[0], input_shape[2]))

    def call(self, x, mask=None, initial_state=None):
        h, c = initial_state or [ops.zeros((ops.shape(x)[0], self.units))] * 2
        outputs = []
        for t in range(x.shape[1]):
            _, (new_h, new_c) = self.cell(x[:, t], [h, c])
            if mask is None:
                h, c = new_h, new_c
            else:
                m = mask[:, t, None]
                h, c = ops.where(m, new_h, h), ops.where(m, new_c, c)
            outputs.append(h)
        output = ops.stack(outputs, axis=1) if self.return_sequences else h
        return (output, h, c) if self.return_state else output

    def compute_mask(self, x, mask=None):
        passed = mask if self.return_sequences else None
        return (passed, None, None) if self.return_state else passed

    def get_config(self):
        return {**super().get_config(), "units": self.units, "return_sequences": self.return_sequences,
                "return_state": self.return_state}
        ### END SOLUTION

# %% check="lstm.layer"
check("lstm.layer", LSTM)

# %% [markdown]
# Three LSTMs with the same weights: your layer, your cell inside `keras.layers.RNN`, and Keras's own. And your layer
# again, after it was saved to a file and loaded.

# %% tags=["demo"]
import tempfile

keras.utils.set_random_seed(3)
x, mask = keras.random.normal((4, 6, 5)), np.arange(6) < np.array([[6], [4], [2], [5]])
mine = LSTM(7, return_sequences=True)
model = keras.Sequential([keras.Input((6, 5)), mine])
theirs = keras.layers.LSTM(7, return_sequences=True)
in_rnn = keras.layers.RNN(LSTMCell(7), return_sequences=True)
for layer in (theirs, in_rnn):
    layer.build((4, 6, 5))
    layer.set_weights(mine.get_weights())
with tempfile.TemporaryDirectory() as folder:
    model.save(f"{folder}/model.keras")
    loaded = keras.saving.load_model(f"{folder}/model.keras").layers[-1]
outputs = [np.asarray(layer(x, mask=mask)) for layer in (theirs, mine, in_rnn, loaded)]
names = "your layer", "your cell in keras.layers.RNN", "your layer, loaded"
for name, output in zip(names, outputs[1:], strict=True):
    print(f"{name:30s} equals keras.layers.LSTM to 1e-5: {np.allclose(output, outputs[0], atol=1e-5)}")
    assert np.allclose(output, outputs[0], atol=1e-5)

# %% [markdown]
# Which one to use? Keras's. Yours writes its loop out in Python (section 14 measures what that costs); but you now know
# what theirs does, and you can change it, which is what comes next.
#
# ## 7 · Peepholes
#
# The gates look at $x_t$ and $h_{t-1}$. But $h_{t-1} = o_{t-1} \odot \tanh(c_{t-1})$: while the output gate is
# closed, the gates are blind to the very memory that they control. Gers & Schmidhuber (2000) gave each gate a
# **peephole**: one weight per unit, through which the unit sees its own cell state.

# %% tags=["demo", "diagram"]
plot.show(lesson.draw_cell(peepholes=True), alt="The same diagram with three dashed arrows: from the old cell state "
          "to the input and forget gates, and from the new cell state to the output gate")

# %% [markdown]
# $$
# \begin{aligned}
# i_t &= \sigma(x_t W_i + h_{t-1} U_i + p_i \odot c_{t-1} + b_i) \\
# f_t &= \sigma(x_t W_f + h_{t-1} U_f + p_f \odot c_{t-1} + b_f) \\
# o_t &= \sigma(x_t W_o + h_{t-1} U_o + p_o \odot c_t + b_o)
# \end{aligned}
# $$
#
# Mind the indices: $i$ and $f$ open *before* the belt moves and see $c_{t-1}$; $o$ opens after and sees $c_t$. And
# mind the $\odot$: unit 3's gates see unit 3's cell only. This is the "vanilla LSTM" of Greff et al. (2015).
#
# **Exercise `lstm.peephole_step`** · ●●○○○ · 10 min · 6 points
#
# <details><summary>Hint</summary>
#
# Four lines in the right order: `i` and `f` from the old `c`; the new `c`; `o` from the new `c`; `h`.
# </details>

# %% solution="lstm.peephole_step"
def peephole_step(x, h, c, W, U, b, P):
    """One step of an LSTM with peepholes.

    P: (3, u), the peephole weights of i, f and o. The other arguments and the result are as in lstm_step.
    """
    ### BEGIN SOLUTION
    zi, zf, zg, zo = ops.split(ops.matmul(x, W) + ops.matmul(h, U) + b, 4, axis=-1)
    i = ops.sigmoid(zi + P[0] * c)
    f = ops.sigmoid(zf + P[1] * c)
    c = f * c + i * ops.tanh(zg)
    o = ops.sigmoid(zo + P[2] * c)
    return o * ops.tanh(c), c
    ### END SOLUTION

# %% check="lstm.peephole_step"
check("lstm.peephole_step", peephole_step)

# %% [markdown]
# Keras has no peephole cell. Now there is one: *your* cell, with one more weight and your new step.

# %% tags=["demo"]
@keras.saving.register_keras_serializable("lesson04")
class PeepholeLSTMCell(LSTMCell):
    """Your LSTMCell with peepholes; they start at 0, so that it starts as an LSTM."""

    def build(self, input_shape):
        super().build(input_shape)
        self.P = self.add_weight(shape=(3, self.state_size[0]), initializer="zeros", name="P")

    def call(self, x, states):
        h, c = peephole_step(x, *states, self.W, self.U, self.b, self.P)
        return h, [h, c]

# %% tags=["demo"]
with_peepholes = keras.layers.RNN(PeepholeLSTMCell(7), return_sequences=True)
with_peepholes.build((4, 6, 5))
with_peepholes.set_weights([*mine.get_weights(), np.zeros((3, 7))])
closed = np.asarray(with_peepholes(x, mask=mask))
with_peepholes.set_weights([*mine.get_weights(), np.ones((3, 7))])
opened = np.asarray(with_peepholes(x, mask=mask))
print("with P = 0 it equals keras.layers.LSTM:", np.allclose(closed, outputs[0], atol=1e-5))
print("with P = 1 it does not:", not np.allclose(opened, outputs[0], atol=1e-2))
assert np.allclose(closed, outputs[0], atol=1e-5) and not np.allclose(opened, outputs[0], atol=1e-2)

# %% [markdown]
# ## 8 · The whole backward pass
#
# Lesson 03 did this for the plain RNN. The LSTM's has more lines and no new idea: **walk every arrow of the diagram
# backwards, and where arrows meet, add.** With $\delta y$ for $\partial L/\partial y$ and $\hat z$ for the sum
# inside a gate, one step back is (after Greff et al. 2015, who give the same pass without batches):
#
# $$
# \begin{aligned}
# \delta \hat o &= \delta h_t \odot \tanh(c_t) \odot o_t (1 - o_t) \\
# \delta c_t &\mathrel{+}= \delta h_t \odot o_t \odot (1 - \tanh^2 c_t) + p_o \odot \delta \hat o
#   && \text{from } h_t\text{, and through } o\text{'s peephole} \\
# \delta \hat f &= \delta c_t \odot c_{t-1} \odot f_t (1 - f_t) \\
# \delta \hat \imath &= \delta c_t \odot g_t \odot i_t (1 - i_t) \\
# \delta \hat g &= \delta c_t \odot i_t \odot (1 - g_t^2) \\
# \delta c_{t-1} &= \delta c_t \odot f_t + p_i \odot \delta \hat \imath + p_f \odot \delta \hat f
#   && \text{the belt, and two peepholes} \\
# \delta z &= [\delta \hat \imath,\ \delta \hat f,\ \delta \hat g,\ \delta \hat o] \\
# \delta x_t &= \delta z\, W^\top, \quad \delta h_{t-1} = \delta z\, U^\top \\
# \delta W &= x_t^\top \delta z, \quad \delta U = h_{t-1}^\top \delta z, \quad
# \delta b = \textstyle\sum_{\text{batch}} \delta z \\
# \delta p_i &= \textstyle\sum_{\text{batch}} c_{t-1} \odot \delta \hat \imath, \ \dots,\
# \delta p_o = \sum_{\text{batch}} c_t \odot \delta \hat o
# \end{aligned}
# $$
#
# The "+=" in the second line is the point of the whole lesson: $\delta c_t$ *already holds* what came along the belt
# from step $t+1$.
#
# **Exercise `lstm.step_backward`** · ●●●●● · 30 min · 9 points
#
# One step, in NumPy (no `GradientTape`). Six of the nine points are tested with all peepholes at 0: then nothing flows
# *through* them, but their own gradients $\delta p$ are still asked for.
#
# <details><summary>Hint 1: the order</summary>
#
# `o` first: its gradient needs only `dh`. Then `dc`, complete, before you use it for `i`, `f` and `g`.
# </details>
# <details><summary>Hint 2: the slopes</summary>
#
# Everything is known from the forward step: $\sigma' = a(1-a)$ with the gate's own value $a$, and $\tanh' = 1 - g^2$.
# </details>
# <details><summary>Hint 3: the weights</summary>
#
# Join the four parts to `dz` of shape `(batch, 4u)`; then `W`, `U` and `b` are one line each. `P` is three rows,
# each summed over the batch.
# </details>

# %% solution="lstm.step_backward"
def step_backward(dh, dc, cache):
    """The gradients of one peephole step, given those of its results.

    dh, dc: gradients that arrive at h_t and, from step t + 1, at c_t; each (batch, u).
    cache: what the forward step kept: x, h_prev, c_prev, i, f, g, o, c, h and the weights W, U, P.
    Returns a dict of gradients: x, h_prev, c_prev, W, U, b, P, each of its variable's shape.
    """
    ### BEGIN SOLUTION
    i, f, g, o, c, P = (cache[name] for name in "ifgocP")
    dzo = dh * np.tanh(c) * o * (1 - o)
    dc = dc + dh * o * (1 - np.tanh(c) ** 2) + dzo * P[2]
    dzi = dc * g * i * (1 - i)
    dzf = dc * cache["c_prev"] * f * (1 - f)
    dzg = dc * i * (1 - g ** 2)
    dz = np.concatenate([dzi, dzf, dzg, dzo], axis=1)
    return {
        "x": dz @ cache["W"].T, "h_prev": dz @ cache["U"].T, "c_prev": dc * f + dzi * P[0] + dzf * P[1],
        "W": cache["x"].T @ dz, "U": cache["h_prev"].T @ dz, "b": dz.sum(axis=0),
        "P": np.stack([(dzi * cache["c_prev"]).sum(0), (dzf * cache["c_prev"]).sum(0), (dzo * c).sum(0)]),
    }
    ### END SOLUTION

# %% check="lstm.step_backward"
check("lstm.step_backward", step_backward)

# %% [markdown]
# Through time it is the loop you know: forwards, keeping a cache for each step (`lesson.forward`
# does that with the formulas of section 7); then backwards, with **two** gradients carried from step to step and the
# weights' gradients added up.

# %% tags=["demo"]
def backward(dhs, caches):
    """The weights' gradients over the whole sequence; dhs (T, batch, u) is what the loss sends to each h_t."""
    total = {"W": 0, "U": 0, "b": 0, "P": 0}
    from_h, from_c = 0, np.zeros_like(dhs[0])
    for dh, cache in zip(dhs[::-1], caches[::-1], strict=True):
        grads = step_backward(dh + from_h, from_c, cache)
        from_h, from_c = grads["h_prev"], grads["c_prev"]
        total = {name: total[name] + grads[name] for name in total}
    return total

# %% [markdown]
# Is it right? Two independent witnesses: **central differences**, which know nothing but the forward pass, and
# TensorFlow's `GradientTape`, which differentiates *your* `peephole_step`.

# %% tags=["demo"]
keras.utils.set_random_seed(5)
B, T, D, u = 2, 6, 3, 4
shapes = {"W": (D, 4 * u), "U": (u, 4 * u), "b": (4 * u,), "P": (3, u)}
weights = {name: np.random.normal(size=shape) * 0.5 for name, shape in shapes.items()}
x, h, c, R = (np.random.normal(size=s) for s in ((B, T, D), (B, u), (B, u), (T, B, u)))

def loss():
    return np.sum(R * lesson.forward(x, h, c, **weights)[0])

by_hand = backward(R, lesson.forward(x, h, c, **weights)[1])

# %% tags=["demo"]
by_differences = {name: np.zeros(shape) for name, shape in shapes.items()}
for name, weight in weights.items():
    for index in np.ndindex(weight.shape):
        kept = weight[index]
        ends = []
        for step in (1e-5, -1e-5):
            weight[index] = kept + step
            ends.append(loss())
        weight[index] = kept
        by_differences[name][index] = (ends[0] - ends[1]) / 2e-5

# %% tags=["demo"]
variables = {name: tf.Variable(value) for name, value in weights.items()}
with tf.GradientTape() as tape:
    state, total = (tf.constant(h), tf.constant(c)), 0.0
    for t in range(T):
        state = peephole_step(tf.constant(x[:, t]), *state, *variables.values())
        total += tf.reduce_sum(R[t] * state[0])
by_tape = dict(zip(variables, tape.gradient(total, list(variables.values())), strict=True))
for name in weights:
    scale = np.abs(by_hand[name]).max()
    far = [np.abs(by_hand[name] - np.asarray(other[name])).max() / scale for other in (by_differences, by_tape)]
    print(f"δ{name}: within 1e-7 of central differences: {far[0] < 1e-7}, within 1e-12 of the tape: {far[1] < 1e-12}")
    assert far[0] < 1e-7 and far[1] < 1e-12

# %% [markdown]
# ## 9 · The adding problem again
#
# At each step a random value between 0 and 1 arrives, with a marker that is 1 at two steps only, one in each half of
# the sequence. At the end: what is the **sum of the two marked values**? Everything else is distraction. This is a task
# that Hochreiter & Schmidhuber made for the LSTM in 1997.
#
# A network that always answers 1 has a mean squared error of
# $\operatorname{Var}(X_1 + X_2) = 2 \cdot \tfrac{1}{12} = \tfrac16 \approx 0.167$. That is the baseline: a network
# that has not got below it does not use the sequence yet.
#
# **Predict first.** Three networks of 24 units see the same 24,000 sequences once, at lengths 10, 20 and 40. Which
# of them get below 1/6, and where?

# %% tags=["demo"]
BASELINE = 1 / 6

def train_adding(make, T, updates=480, learning_rate=0.01):
    """The test error after each sixth of the training."""
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    x, y = lesson.adding_problem(50 * updates, T, rng)
    test = lesson.adding_problem(1000, T, rng)
    inputs = keras.Input((T, 2))
    model = keras.Model(inputs, keras.layers.Dense(1)(make(24)(inputs)))
    model.compile(keras.optimizers.Adam(learning_rate, global_clipnorm=1.0), "mse")
    errors = []
    for part in np.array_split(np.arange(len(x)), 6):
        model.fit(x[part], y[part], batch_size=50, verbose=0)
        errors.append(model.evaluate(*test, batch_size=500, verbose=0))
    return errors

# %% tags=["demo"]
networks = {
    "plain RNN": keras.layers.SimpleRNN,
    "LSTM (your cell)": lambda units: keras.layers.RNN(LSTMCell(units)),
    "with peepholes": lambda units: keras.layers.RNN(PeepholeLSTMCell(units)),
}
LENGTHS = 10, 20, 40
errors = {(name, T): train_adding(make, T) for T in LENGTHS for name, make in networks.items()}

# %% tags=["demo"]
figure, axes = plt.subplots(1, 3, sharey=True, figsize=(9, 3.3), layout="constrained")
colours = [plot.COLOURS[k] for k in (1, 0, 2)]
for axis, T in zip(axes, LENGTHS, strict=True):
    axis.axhline(BASELINE, color="#888888", ls="--", lw=1, label="always answer 1")
    for name, marker, colour in zip(networks, "so^", colours, strict=True):
        axis.semilogy(range(4, 28, 4), errors[name, T], marker=marker, ms=4, color=colour, label=name)
    axis.set(title=f"length {T}", xlabel="sequences seen (thousands)", ylim=(1e-4, 0.4))
axes[0].set_ylabel("test error (MSE)")
axes[2].legend(loc="lower left", fontsize=8)
figure.suptitle("The adding problem: what a belt is worth", fontsize=11)
plot.show(figure, alt="Test error against sequences seen for lengths 10, 20 and 40: the plain RNN stays at the "
          "baseline 1/6 at length 40; both LSTMs fall far below it at every length, later the longer the sequences")
for name, T in (("plain RNN", 10), ("plain RNN", 40), ("LSTM (your cell)", 40), ("with peepholes", 40)):
    verdict = "learnt" if errors[name, T][-1] < BASELINE / 2 else "no better than always answering 1"
    print(f"length {T}, {name:17s} {verdict}")
assert all(errors[name, T][-1] < BASELINE / 4 for name in list(networks)[1:] for T in LENGTHS)
assert errors["plain RNN", 10][-1] < BASELINE / 2 and errors["plain RNN", 40][-1] > 0.9 * BASELINE

# %% [markdown]
# The plain RNN learns the short task, struggles at length 20, and at length 40 it has not begun after 480 updates. (As
# in lesson 03: that says *slow*, not *unable*.) Both LSTMs learn all three, and the longer the sequence, the later the
# curve falls: for a long while nothing seems to happen, and then it goes quickly. Peepholes make little difference
# *here*; they were made for counting and timing.
#
# ## 10 · Which parts does it need?
#
# Greff et al. (2015) trained eight variants of the LSTM on three tasks, 5,400 runs in all. None was significantly
# better than the standard one; the forget gate and the output's tanh were the parts it could least do without. Let
# us take our LSTM apart on *one* task: as in section 9, add up the marked values, but a third input now says **start
# again from zero**.
#
# **Predict first.** Which parts does *this* task need? (Write, read, erase: which of them must be
# decided step by step?)
#
# `lesson.VariantCell(units, without="forget gate", copies=5)` is your cell with one part taken out, five times side by
# side, each with a random start of its own: a gate that is taken out is 1, a tanh that is taken out is left away.
# Without its *own* forget gate a cell uses $f = 1 - i$. Five starts, because a single one can't tell merit from luck.

# %% tags=["demo"]
STARTS = 5

def train_variant(without=None, peepholes=False, T=20):
    """Test error of each start, divided by the variance of the answers: 1 is the best constant answer."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    test_x, test_y = lesson.adding_with_reset(1000, T, rng)
    inputs = keras.Input((T, 3))
    cells = lesson.VariantCell(16, without, copies=STARTS, peepholes=peepholes)
    model = keras.Model(inputs, lesson.Readouts(STARTS)(keras.layers.RNN(cells)(inputs)))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    x, y = lesson.adding_with_reset(30_000, T, rng)
    model.fit(x, np.repeat(y, STARTS, axis=1), batch_size=50, verbose=0)
    return np.mean((np.array(model(test_x)) - test_y) ** 2, axis=0) / test_y.var()

parts = ["input gate", "forget gate", "own forget gate (f = 1 − i)", "output gate", "tanh of the candidate",
         "tanh of the output"]
left = {"nothing taken out": train_variant(), "peepholes added": train_variant(peepholes=True)}
left |= {f"without {part}": train_variant(part) for part in parts}

# %% tags=["demo"] tolerance=0.09
means = {name: values.mean() for name, values in left.items()}
order, deciding = sorted(left, key=means.get), ("without input gate", "without forget gate")
figure, axis = plt.subplots(figsize=(6.8, 3.4))
axis.barh(order, [means[name] for name in order], color=[plot.COLOURS[name in deciding] for name in order], alpha=0.5)
for row, name in enumerate(order):
    axis.plot(left[name], [row] * STARTS, "o", ms=4, color="black")
axis.set(title="Adding with “start again”: what is missed when it is gone", xscale="log", xlim=(1e-3, 1),
         xlabel="test error / variance of the answers (1 = best constant answer); dots: five starts")
plot.show(figure, alt="Horizontal bars of relative test error by variant, a dot for each of five starts: without input "
          "gate and without forget gate the bars are clearly longer than the full LSTM's; without a tanh the dots "
          "are spread wide")
print(f"{'':38s} mean ± spread over {STARTS} starts")
for name, values in left.items():
    print(f"{name:38s} {values.mean():.2f} ± {values.std(ddof=1):.2f}")
middle = {name: np.median(values) for name, values in left.items()}
spared = middle["nothing taken out"], middle["without own forget gate (f = 1 − i)"]
assert all(middle[name] > 1.3 * max(spared) for name in deciding) and max(means.values()) < 1

# %% [markdown]
# **What to conclude.** Where the task asks for a decision (take this value or not; erase or not), the gate that can
# decide it must be there: without it the error is clearly larger. Coupling the gates ($f = 1 - i$) costs nothing here
# and would save a quarter of the weights: that is half of the step to the GRU, the next lesson. And look at the dots.
# The same network from another random start may end several times better or worse. About the parts in the middle of
# the figure five starts decide nothing, and with the single run that one is tempted to make, you could have "shown"
# almost anything. Greff's 5,400 runs are why the standard LSTM stayed the standard.
#
# ## 11 · Weights that move between frameworks
#
# A trained LSTM is three arrays. People publish them for PyTorch, so you need to know what PyTorch calls what:
#
# | | Keras | PyTorch |
# |---|---|---|
# | embedding | `(words, D)` | `embedding.weight`, `(words, D)` |
# | acts on the input | `W (D, 4u)`, used as `x @ W` | `weight_ih_l0`, `(4u, D)`, used as `x @ weight.T` |
# | acts on the state | `U (u, 4u)` | `weight_hh_l0`, `(4u, u)` |
# | bias | one, `(4u,)` | **two**, `bias_ih_l0` and `bias_hh_l0`, added |
# | order of the blocks | i, f, **c**, o | i, f, **g**, o |
#
# Look twice at the last row before you write anything.
#
# **Exercise `lstm.to_pytorch`** · ●●○○○ · 10 min · 3 points
#
# <details><summary>Hint</summary>
#
# $c$ and $g$ are two names for the same block, the candidate. Only two matrices have to be turned; and of the two
# biases, only the sum matters.
# </details>

# %% solution="lstm.to_pytorch"
def to_pytorch(E, W, U, b):
    """Keras weights as a PyTorch state dictionary.

    E: embedding (words, D), W: (D, 4u), U: (u, 4u), b: (4u,). Keys: "embedding.weight",
    "lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.bias_ih_l0", "lstm.bias_hh_l0".
    """
    ### BEGIN SOLUTION
    return {"embedding.weight": E, "lstm.weight_ih_l0": W.T, "lstm.weight_hh_l0": U.T,
            "lstm.bias_ih_l0": b, "lstm.bias_hh_l0": np.zeros_like(b)}
    ### END SOLUTION

# %% check="lstm.to_pytorch"
check("lstm.to_pytorch", to_pytorch)

# %% [markdown]
# **Exercise `lstm.from_pytorch`** · ●●○○○ · 5 min · 3 points
#
# And the way back. Here both biases hold numbers.

# %% solution="lstm.from_pytorch"
def from_pytorch(state):
    """The way back: E, W, U, b from a PyTorch state dictionary with those five keys."""
    ### BEGIN SOLUTION
    return (state["embedding.weight"], state["lstm.weight_ih_l0"].T, state["lstm.weight_hh_l0"].T,
            state["lstm.bias_ih_l0"] + state["lstm.bias_hh_l0"])
    ### END SOLUTION

# %% check="lstm.from_pytorch"
check("lstm.from_pytorch", from_pytorch)

# %% [markdown]
# PyTorch itself is not needed to test this. `lesson.pytorch_lstm` computes what `nn.Embedding` and
# `nn.LSTM` do, from the equations of their documentation, in NumPy. It reads the state dictionary, Keras reads the
# arrays, and they must agree.

# %% tags=["demo"]
keras.utils.set_random_seed(6)
ids = np.random.randint(0, 11, (2, 6))
model = keras.Sequential([keras.layers.Embedding(11, 3), keras.layers.LSTM(5, return_sequences=True)])
in_keras = np.asarray(model(ids))
state = to_pytorch(*model.get_weights())
state["lstm.bias_hh_l0"] = state["lstm.bias_hh_l0"] + 0.1  # as if PyTorch had trained it
model.set_weights(from_pytorch(state))
there, back = lesson.pytorch_lstm(to_pytorch(*model.get_weights()), ids), np.asarray(model(ids))
print("Keras → PyTorch agrees:", np.allclose(there, back, atol=1e-5))
print("PyTorch → Keras agrees:", np.allclose(lesson.pytorch_lstm(state, ids), back, atol=1e-5))
print("and the second bias counted:", not np.allclose(back, in_keras, atol=1e-3))
assert np.allclose(there, back, atol=1e-5) and np.allclose(lesson.pytorch_lstm(state, ids), back, atol=1e-5)

# %% [markdown]
# ## 12 · Is it good? Sentiment of real sentences
#
# Real data at last: single sentences of film reviews, tweets and product reviews, each rated by at least 20 people
# from −4 to 4 (Hutto & Gilbert 2014, the data behind VADER). We keep those rated beyond ±0.5 and call them positive
# or negative; a fifth of the film sentences is the test set.
#
# The rival is not chance but a **bag of words**: a logistic regression that only knows which words occur.

# %% tags=["demo"]
from collections import Counter
from unrolled import data
from unrolled.data.sentiment import in_test

clear = {name: snippets.clear() for name, snippets in data.load("sentiment").items()}
texts = [lesson.words(text) for some, _ in clear.values() for text in some]
labels = np.concatenate([y for _, y in clear.values()])
film = len(clear["movie"][0])
is_test = np.array([k < film and in_test(text) for k, text in enumerate(t for some, _ in clear.values() for t in some)])
LENGTH, WORDS = 32, 4000
counted = Counter(word for text, held_out in zip(texts, is_test, strict=True) if not held_out for word in text)
vocabulary = {word: k + 2 for k, (word, _) in enumerate(counted.most_common(WORDS - 2))}
ids = lesson.encode(texts, vocabulary, LENGTH)
x_train, y_train, x_test, y_test = ids[~is_test], labels[~is_test], ids[is_test], labels[is_test]
majority = max(y_test.mean(), 1 - y_test.mean())
print(f"{len(x_train):,} sentences to learn from, {len(x_test):,} film sentences to test; vocabulary {WORDS:,}")
print(f"always the more frequent answer: {majority:.3f}")
for k in np.flatnonzero(is_test)[:3]:
    print("+" if labels[k] else "−", " ".join(texts[k]))

# %% tags=["demo"]
def bag(ids):
    """Which words occur: (n, words) of 0 and 1, whatever their order."""
    present = np.zeros((len(ids), WORDS), "float32")
    np.put_along_axis(present, ids, 1, axis=1)
    present[:, 0] = 0  # padding is no word
    return present

keras.utils.set_random_seed(0)
bag_of_words = keras.Sequential([keras.Input((WORDS,)), keras.layers.Dense(1, activation="sigmoid")])
bag_of_words.compile(keras.optimizers.Adam(5e-3), "binary_crossentropy", metrics=["accuracy"])
_ = bag_of_words.fit(bag(x_train), y_train, batch_size=256, epochs=6, verbose=0)

keras.utils.set_random_seed(1)
inputs = keras.Input((None,), dtype="int32")
embedding = keras.layers.Embedding(WORDS, 32, mask_zero=True)
memory, classify = keras.layers.RNN(LSTMCell(32)), keras.layers.Dense(1, activation="sigmoid")
h = memory(keras.layers.SpatialDropout1D(0.4)(embedding(inputs)))
reader = keras.Model(inputs, classify(keras.layers.Dropout(0.5)(h)))
reader.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy", metrics=["accuracy"])
_ = reader.fit(x_train, y_train, batch_size=128, epochs=4, verbose=0)

# %% tags=["demo"] tolerance=0.02
right = {"bag of words": bag_of_words.evaluate(bag(x_test), y_test, verbose=0)[1],
         "embedding + LSTM": reader.evaluate(x_test, y_test, verbose=0)[1]}
print(f"{'majority':18s} {majority:.3f}")
for name, accuracy in right.items():
    print(f"{name:18s} {accuracy:.3f}")
assert min(right.values()) > majority + 0.2

# %% [markdown]
# Read that honestly: with 14,000 sentences **the bag of words is as good or better**. "Terrible" is bad wherever it
# stands, and 4,000 weights for 4,000 words are quickly learnt. An LSTM that starts from nothing has to learn what
# the words mean *and* how order works. (The lesson on pretraining gives it the first for free.)
#
# So what did order buy? Ask both about sentences in which **only** the order differs.

# %% tags=["demo"] tolerance=0.15
good = ["it is good", "the acting is great", "i like the story", "the film is funny", "it looks beautiful",
        "the cast is wonderful", "i enjoy the jokes", "the idea is clever", "it starts well", "the music is lovely"]
bad = ["it is bad", "the acting is terrible", "i hate the story", "the film is boring", "it looks ugly",
       "the cast is awful", "i dislike the jokes", "the idea is stupid", "it ends badly", "the music is dull"]
pairs = [(f"{b} , but {g} .", f"{g} , but {b} .") for g in good for b in bad]
ends_well, ends_badly = (lesson.encode([lesson.words(pair[k]) for pair in pairs], vocabulary) for k in (0, 1))
gap = {"bag of words": [bag_of_words.predict(bag(s), verbose=0)[:, 0] for s in (ends_well, ends_badly)],
       "embedding + LSTM": [reader.predict(s, verbose=0)[:, 0] for s in (ends_well, ends_badly)]}
for name, (well, badly) in gap.items():
    tied, higher = np.mean(np.abs(well - badly) < 1e-6), np.mean(well > badly + 1e-6)
    print(f"{name:18s} the 100 pairs tie: {tied:.2f}; the sentence that ends well scores higher: {higher:.2f}")
assert np.abs(np.subtract(*gap["bag of words"])).max() < 1e-6
assert np.mean(gap["embedding + LSTM"][0] > gap["embedding + LSTM"][1]) > 0.75

# %% [markdown]
# A bag of words *cannot* tell them apart: the two sentences are the same bag. Your LSTM sides with what follows
# **but**, in nearly every pair, and nobody told it to: it picked that up from how people write. Is it the *but*, or
# simply what comes last? Perhaps both: put *and* in its place in the cell above and see how the gap between the two
# orders changes.
#
# Watch it happen. After each word we ask the network what it would answer if the sentence ended here.

# %% tags=["demo"]
read_weights = [np.asarray(w) for w in (memory.cell.W, memory.cell.U, memory.cell.b)]

def read_along(sentence):
    """The words, everything the LSTM does at each, and P(positive) if the sentence ended there."""
    text = lesson.words(sentence)
    vectors = np.asarray(embedding(lesson.encode([text], vocabulary)))
    nothing = np.zeros((1, 32), "float32")
    record = {k: np.asarray(v)[0] for k, v in lstm_gates(vectors, nothing, nothing, *read_weights).items()}
    return text, record, np.asarray(classify(record["h"]))[:, 0]

# %% tags=["demo"] tolerance=0.25
sentences = ["The idea is stupid, but the cast is wonderful.", "The cast is wonderful, but the idea is stupid."]
figure, axes = plt.subplots(1, 2, sharey=True, figsize=(9, 3.2), layout="constrained")
for axis, sentence in zip(axes, sentences, strict=True):
    text, record, answers = read_along(sentence)
    axis.axhline(0.5, color="#aaaaaa", lw=1)
    axis.plot(answers, "o-")
    axis.axvline(text.index("but"), color=plot.COLOURS[1], ls=":")
    axis.set_xticks(range(len(text)), text, rotation=45, ha="right")
    print(f"{sentence:48s} at the end P(positive) = {answers[-1]:.2f}")
axes[0].set(ylabel="P(positive) so far", ylim=(0, 1))
figure.suptitle("The network changes its mind while it reads", fontsize=11)
plot.show(figure, alt="P(positive) after each word of two sentences: in the first it falls at stupid and rises again "
          "at wonderful; in the second it is high until stupid, and ends near 0")

# %% [markdown]
# And the gates that do it:

# %% tags=["demo"] tolerance=0.15
text, record, answers = read_along(sentences[0])
by_direction = np.argsort(classify.get_weights()[0][:, 0])  # from units that vote negative to those that vote positive
rows = {label: record[name].T[by_direction] for label, name in (("input gate i", "i"), ("forget gate f", "f"),
                                                                ("output gate o", "o"))}
plot.show(lesson.draw_rows(rows, text, "Gates over a sentence (32 units each; 0 = closed, 1 = open)"),
          alt="Heat maps of the input, forget and output gates of 32 units over the words of a sentence: the forget "
          "gates are mostly open, and close at the word but and at words that carry sentiment")
plot.show(lesson.draw_rows({"cell state c": record["c"].T[by_direction]}, text, "Cell state (units sorted by their "
                           "vote, negative at the top)", limits=(-1.5, 1.5), cmap="PuOr"),
          alt="Heat map of the cell state of 32 units over the same words: "
          "signs turn at the words stupid and wonderful")
for word, opened in zip(text, record["f"].mean(axis=1), strict=True):
    print(f"mean forget gate at {word:10s} {opened:.2f}")

# %% [markdown]
# At *but* the forget gates close a little: part of what was gathered is let go, to make room for what comes next. One
# sentence is an illustration and no proof, though. Here is the mean forget gate at every word that occurs at least 20
# times in the test sentences: the ten lowest and the five highest.

# %% tags=["demo"] tolerance=0.1
nothing = np.zeros((len(x_test), 32), "float32")
gates = lstm_gates(np.asarray(embedding(x_test)), nothing, nothing, *read_weights)
forget = np.asarray(gates["f"]).mean(axis=2)
often = [word for word, k in vocabulary.items() if word.isalpha() and (x_test == k).sum() >= 20]
at = {word: forget[x_test == vocabulary[word]].mean() for word in often}
ordered = sorted(at, key=at.get)
shown = [*ordered[:10], *ordered[-5:]]
figure, axis = plt.subplots(figsize=(6.4, 3.8))
axis.barh(shown[::-1], [at[word] for word in shown[::-1]], color=plot.COLOURS[0])
axis.axvline(forget[x_test > 1].mean(), color="#888888", ls="--", lw=1, label="mean over all words")
axis.set(title="Where the network lets go", xlabel="mean forget gate (0 = erase, 1 = keep)", xlim=(0, 1))
axis.legend(loc="upper right")
plot.show(figure, alt="Mean forget gate by word, the ten lowest and five highest: but is among the lowest, "
          "words of praise such as great and entertaining among the highest")
print(f"{len(often)} words; at 'but' {at['but']:.2f}, over all words {forget[x_test > 1].mean():.2f}; "
      f"'but' is among the ten lowest: {'but' in ordered[:10]}")
assert "but" in ordered[:10]

# %% [markdown]
# So it is a habit and not one lucky sentence: *but* is among the words at which the network lets go most.
#
# ## 13 · “I live in China. … I speak ___”
#
# Back to the beginning. Somewhere in the text stands *I live in X*, somewhere *she lives in Y*, in either order;
# around and between them, words from film reviews. Then: *I speak* ___. The network must pick the right country,
# hold it across all the other words and ignore the second one. A bag of words can only toss a coin between the two,
# so its best is 0.5.

# %% tags=["demo"]
filler = [word for text in texts[:film] for word in text if word.isalpha() and word not in lesson.LANGUAGES]
known = [word for word, _ in Counter(filler).most_common(800)]
own = ["i", "live", "in", "she", "lives", "speak", ".", *lesson.LANGUAGES]
lexicon = {word: k + 2 for k, word in enumerate(dict.fromkeys([*own, *known]))}

# %% tags=["demo"]
def train_speaker(layer, learning_rate):
    keras.utils.set_random_seed(0)
    texts, answers = lesson.live_and_speak(6000, (0, 25), filler, np.random.default_rng(0))
    inputs = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(len(lexicon) + 2, 24, mask_zero=True)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(len(lesson.LANGUAGES), activation="softmax")(layer(vectors)))
    adam = keras.optimizers.Adam(learning_rate, clipnorm=0.5)
    model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(lesson.encode(texts, lexicon), answers, batch_size=64, epochs=4, verbose=0)
    return model

speakers = {"plain RNN": train_speaker(keras.layers.SimpleRNN(32), 0.001),  # with 0.005 it learns even less
            "LSTM (your cell)": train_speaker(keras.layers.RNN(LSTMCell(32)), 0.005)}

# %% tags=["demo"] tolerance=0.12
GAPS = (0, 10, 20, 40, 60)
tests = {gap: lesson.live_and_speak(400, gap, filler, np.random.default_rng(9)) for gap in GAPS}
figure, axis = plt.subplots()
found = {}
for (name, model), colour in zip(speakers.items(), plot.COLOURS[1::-1], strict=True):
    accuracy = [model.evaluate(lesson.encode(texts, lexicon), y, verbose=0)[1] for texts, y in tests.values()]
    found[name] = accuracy
    axis.plot(GAPS, accuracy, "o-", color=colour, label=name)
    print(name, *(f"  gap {gap}: {value:.2f}" for gap, value in zip(GAPS, accuracy, strict=True)))
axis.axhline(0.5, color="#888888", ls="--", lw=1, label="toss a coin between the two countries")
axis.axvspan(25, 62, color="#eeeeee", zorder=0)
axis.text(43.5, 0.06, "longer than any gap in training", ha="center", fontsize=9)
axis.set(title="“I live in China … I speak ___”", xlabel="words in between", ylabel="accuracy (chance 1/12)",
         ylim=(0, 1.03))
axis.legend(loc=(0.02, 0.6), fontsize=9)
plot.show(figure, alt="Accuracy against the number of words in between: the LSTM stays near 1 up to 25 words and "
          "high beyond, the plain RNN does not get past the coin toss line")
assert max(found["plain RNN"]) < 0.6 and min(found["LSTM (your cell)"]) > 0.85

# %% tags=["demo"]
sentence = "i live in china . the film is long and sad . she lives in france . i speak"
scores = speakers["LSTM (your cell)"].predict(lesson.encode([sentence.split()], lexicon), verbose=0)[0]
print(sentence, "→", list(lesson.LANGUAGES.values())[scores.argmax()])
assert list(lesson.LANGUAGES.values())[scores.argmax()] == "Chinese"

# %% [markdown]
# The LSTM finds the right country nearly always, also across gaps more than twice as long as any that it was trained
# on: what it learnt is not "how long to wait" but **when to write and to keep**. In the same four epochs the plain
# RNN does not get past the coin.

# %% [markdown]
# ## 14 · From the notebook to a layer you would ship
#
# Two of your answers are layers: the `LSTMCell`, and the `LSTM` with its own loop. Which would you put into a model
# that has to work tomorrow, on sequences of any length? Try both on `keras.Input((None, 5))`.

# %% tags=["demo"]
for name, layer in (("your LSTM", LSTM(7)), ("your cell in keras.layers.RNN", keras.layers.RNN(LSTMCell(7)))):
    try:
        keras.Sequential([keras.Input((None, 5)), layer])
        print(f"{name:30} takes any length")
    except Exception as error:
        print(f"{name:30} {type(error).__name__}: range() can't count to a length that is not known")

# %% [markdown]
# One line mends it: `keras.layers.RNN(LSTMCell(7), return_sequences=True)`. The step stays yours, the loop is Keras's,
# and with it come the mask, `initial_state`, `return_state`, `stateful` and `go_backwards`. The same line makes a layer
# of your `PeepholeLSTMCell`, which Keras does not have.
#
# **Predict first.** TensorFlow reads a layer's code before it runs it (*tracing*). Of your `LSTM` over 100 steps it
# reads 100 copies of the step. How much longer does that take than reading Keras's loop? And how much slower is a
# training step afterwards?

# %% tags=["demo"]
from unrolled.lessons import cost

theirs = keras.layers.LSTM(64)
reading, running = cost.compare(LSTM(64), theirs)
print("your loop:               three times as long to read, or more:", reading > 3,
      "· a step at most twice:", running < 2)
assert reading > 3 and running < 2
reading, running = cost.compare(keras.layers.RNN(LSTMCell(64)), theirs)
print("your cell, Keras's loop: at most twice as long to read:", reading < 2, "· a step at most twice:", running < 2)
assert reading < 2 and running < 2

# %% [markdown]
# So on this machine your cell is no slower than Keras's: what you wrote is what it does.
#
# On a graphics card there is a third way. Keras hands the whole sequence to one **fused kernel**, a program of the
# card's maker that does all steps at once. On an H200 (PyTorch behind Keras, batch 64, 100 steps, 64 → 256 units) that
# trained 9 to 15 times faster than any loop of steps, with outputs within 0.0002 (`docs/layers.md`). So: Keras's own
# layer where there is one, your own cell in `keras.layers.RNN` where there is none, your own loop to understand.
# `unrolled.layers` has `LSTM` and `PeepholeLSTM` in that second form, with dropout, half precision and a way for the
# weights from and to PyTorch.

# %% [markdown]
# ## 15 · A memory task of your own
#
# **An open question `lstm.own`** · 25 min · 4 points
#
# Invent a small task that needs a memory, one that you can make as many examples of as you like: are all brackets
# closed? how many *a* since the last *b*? which of two numbers came first? what was said before the interruption?
# **Before you train:** what does the baseline score that reads nothing, and which gate will have to do what, at which
# step? Then train your `LSTMCell` and a plain RNN of the same size, from three starts each, and look at the gates with
# `lstm_gates`, as section 12 does.
#
# Hand in, in the next cell: the task, with one example; what you expected; a table with the baseline and both networks
# (mean ± standard deviation over the starts); what the gates really do, in words or numbers; what you conclude, and
# how sure you are. "The gates do something else" is a fine answer, if you show it.

# %% [markdown] written="lstm.own" points=4
# One point each, for any task. (1) The task needs memory, an example is given, and the baseline is right for it.
# (2) An expectation about the gates that could have turned out wrong, written before. (3) A table with the baseline and
# both networks, each from at least three starts, on examples that were not trained on. (4) The gates are shown and
# compared with what was expected, and the conclusion claims no more than three starts of one task can say. A refuted
# expectation, well shown, earns all four.

# %% [markdown]
# ## 16 · In your own words
#
# **Question `lstm.why`** · 10 min · 2 points · graded by a person
#
# A friend says: *"The LSTM solves vanishing gradients because of its gates."* In about five sentences: what in the
# LSTM really lets the gradient pass, what part the gates play in it, and one situation in which it vanishes all the
# same.

# %% [markdown] written="lstm.why" points=2
# ### BEGIN SOLUTION
# The cell state is updated by *addition*, so the path from $c_T$ back to $c_t$ passes no weight matrix and no
# squashing function: its derivative is the product of the forget gates between them. If those are near 1 the
# gradient arrives undiminished (the constant error carousel). The gates themselves do not make gradients large; they
# are fractions, and they decide *when* the path is open. So it vanishes all the same when forget gates are well
# below 1, for example with forget bias 0, where it halves at each step; and along $h$, where every step has a matrix
# and a tanh, it vanishes as in a plain RNN. (1 point: the additive path and ∂c_t/∂c_{t−1} = f_t. 1 point: a case in
# which it vanishes, with the reason.)
# ### END SOLUTION

# %% [markdown]
# ## What to take with you
#
# * Two states: a **belt** $c_t$ that changes by multiplication with $f$ and addition of $i \odot g$, and a **view**
#   of it, $h_t$.
# * The gradient along the belt is a product of forget gates. **Open gates carry it; the bias decides how open they
#   start.**
# * Masks hold *both* states. `get_config` holds every argument. Keras and PyTorch differ by a transpose and a bias,
#   not in order.
# * An LSTM does not beat a bag of words by being an LSTM. It wins where **order** decides, and where something must
#   be **held**.
#
# **Further reading.** Hochreiter & Schmidhuber (1997), *Long Short-Term Memory*. Gers, Schmidhuber & Cummins (2000),
# *Learning to Forget*. Greff et al. (2015), *LSTM: A Search Space Odyssey*: its section II is this notebook on one
# page.
#
# **Hand in:** run `Kernel → Restart & Run All`, look at every panel, save. Next: can two gates do the work of three?
