# %% [markdown]
# # Backpropagation through time
#
# A recurrent network is one small step, repeated. Training it means sending the error back through every one of those
# repetitions. In this lesson you write that backward pass by hand, prove that it is right, and then measure what
# happens to the gradient on its way: it dies out, or it blows up. Then you repair it, and measure each repair.
#
# | | |
# |---|---|
# | time | {minutes} minutes |
# | points | {points}, 4 of them for two short written answers, 4 for an open question |
# | know first | the chain rule; lesson 02 (the recurrent cell, its hidden state) |
# | you build | BPTT for a whole sequence, a gradient check, clipping, truncated BPTT, an orthogonal start |
# | by the end | two networks of one size read the same 100 steps: one learns soon, one very late. You know why. |
#
# **Notation**, the same in the whole course. Arrays are `(batch, time, features)`; vectors are rows, so weights stand
# on the right.
#
# | symbol | shape | meaning |
# |---|---|---|
# | `B`, `T`, `D`, `u` | | batch, time steps, inputs, units |
# | $x_t$, $h_t$ | `(B, D)`, `(B, u)` | input and hidden state at step $t$; $h_0$ is given |
# | $W$, $U$, $b$ | `(D, u)`, `(u, u)`, `(u,)` | weights on the input, weights on the state, bias |
# | $z_t$ | `(B, u)` | what goes into the activation: $z_t = x_t W + h_{t-1} U + b$ |
# | $\mathrm{d}h_t$ | `(B, u)` | gradient of the loss, $\partial L/\partial h_t$; likewise $\mathrm{d}W$ |

# %%
import os
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: a second thread gets in the way

import unrolled.quiet  # TensorFlow starts without its messages
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from unrolled import check, data, plot
from unrolled.lessons.bptt import SLOPES, Adam, backprop, forward, step_back

# %% [markdown]
# The last line imports ready-made versions of what you are about to write, fast and tested. They are there so that a
# later section never waits for an earlier exercise. Using them *inside* the exercise they answer is noticed by the
# check.
#
# ## 1 · Forward, and what to remember
#
# The plain RNN: $\;h_t = \tanh(z_t),\quad z_t = x_t W + h_{t-1} U + b,\quad t = 1, \dots, T.$
#
# Going back through step $t$ we shall need three things that the forward pass had in its hands: $x_t$, $h_{t-1}$, and
# the slope of tanh at $z_t$. The slope looks as if we had to keep $z_t$ as well, but tanh has a kind property:
#
# $$\tanh'(z) = 1 - \tanh^2(z), \qquad\text{so}\qquad \tanh'(z_t) = 1 - h_t^2 .$$
#
# The states alone are enough. Keep all of them, with $h_0$ in front, and the cache is complete.
#
# **By hand.** One unit, one input: $W = 1$, $U = 0.5$, $b = 0$, $h_0 = 0$, inputs $x = (1, 0)$. Then
# $h_1 = \tanh(1) = 0.762$, $h_2 = \tanh(0.5 \cdot 0.762) = 0.363$, and the states are $(0,\ 0.762,\ 0.363)$: three
# numbers for two steps.
#
# **Exercise `bptt.forward_cache`** · ●○○○○ · 10 min · 4 points
#
# Run the RNN and return all states, `(B, T + 1, u)`, in float64.
#
# <details><summary>Hint 1</summary>Make the array first: <code>states = np.zeros((B, T + 1, u))</code>. NumPy's
# default is float64.</details>
# <details><summary>Hint 2</summary>Step <code>t</code> of the loop (from 0) reads <code>x[:, t]</code> and
# <code>states[:, t]</code>, and writes <code>states[:, t + 1]</code>.</details>
# <details><summary>If you see <code>could not broadcast input array</code></summary>The right-hand side is not
# <code>(B, u)</code>. Print the shapes of <code>x[:, t] @ W</code> and <code>states[:, t] @ U</code>.</details>

# %% solution="bptt.forward_cache"
def rnn_forward(x, h0, W, U, b):
    """Run a plain RNN, h_t = tanh(x_t W + h_{t-1} U + b), and keep every state.

    x: (B, T, D), h0: (B, u), W: (D, u), U: (u, u), b: (u,), all float64.
    Returns states, (B, T + 1, u): states[:, 0] is h0, states[:, t + 1] is what step t made.
    """
    ### BEGIN SOLUTION
    B, T, _ = x.shape
    states = np.zeros((B, T + 1, U.shape[0]))
    states[:, 0] = h0
    for t in range(T):
        states[:, t + 1] = np.tanh(x[:, t] @ W + states[:, t] @ U + b)
    return states
    ### END SOLUTION

# %% check="bptt.forward_cache"
check("bptt.forward_cache", rnn_forward)

# %% [markdown]
# The same numbers as Keras's own layer? We copy our weights into a `SimpleRNN` that computes in float64. From here
# on, `example(T)` gives a small random problem: two sequences, three inputs, five units.

# %%
def example(T, seed=0):
    """A small random problem in float64: x, h0, W, U, b, and one target for each state."""
    rng = np.random.default_rng(seed)
    B, D, u = 2, 3, 5
    x, h0, target = rng.normal(size=(B, T, D)), rng.uniform(-0.8, 0.8, (B, u)), rng.uniform(-1, 1, (B, T, u))
    W, U, b = rng.normal(size=(D, u)), rng.normal(size=(u, u)) / np.sqrt(u), rng.normal(size=u) / 2
    return x, h0, W, U, b, target

# %% tags=["demo"]
x, h0, W, U, b, target = example(T=7)
layer = keras.layers.SimpleRNN(5, return_sequences=True, dtype="float64")
layer.build(x.shape)
layer.set_weights([W, U, b])
theirs, ours = np.asarray(layer(x, initial_state=h0)), rnn_forward(x, h0, W, U, b)[:, 1:]
assert np.abs(theirs - ours).max() < 1e-12
two_steps, one = np.array([[[1.0], [0.0]]]), np.ones((1, 1))
print("by hand:", np.round(np.ravel(rnn_forward(two_steps, 0 * one, one, one / 2, np.zeros(1))), 3))
print("equal to keras.layers.SimpleRNN:", np.allclose(theirs, ours, atol=1e-12))

# %% [markdown]
# ## 2 · Back through one step
#
# Suppose somebody hands us $\mathrm{d}h$, the gradient that arrives at this step's output. The chain rule takes it
# backwards through the three things the step did, in reverse order.
#
# 1. **through tanh**, entry by entry: $\;\mathrm{d}z = \mathrm{d}h \odot (1 - h^2)$
# 2. **through the sum** $z = xW + h_{t-1}U + b$: every part receives $\mathrm{d}z$ unchanged
# 3. **through each product**: $\;\mathrm{d}x = \mathrm{d}z\,W^\top,\quad \mathrm{d}h_{t-1} =
#    \mathrm{d}z\,U^\top,\quad \mathrm{d}W = x^\top \mathrm{d}z,\quad \mathrm{d}U = h_{t-1}^\top \mathrm{d}z,\quad
#    \mathrm{d}b = \sum_{\text{batch}} \mathrm{d}z$
#
# There is no need to learn the transposes by heart. A gradient has the shape of what it belongs to, and for $W$ only
# one product of $x$ `(B, D)` and $\mathrm{d}z$ `(B, u)` has shape `(D, u)`. It sums over the batch by itself, as it
# must: the same $W$ served every row. **One trap:** $U$ is square, so with a wrong transpose the shapes still fit.
# Only numbers can tell.
#
# **By hand**, the second step of the example above, with $\mathrm{d}h_2 = 1$: the slope is $1 - 0.363^2 = 0.868$, so
# $\mathrm{d}z_2 = 0.868$, $\mathrm{d}U = 0.762 \cdot 0.868 = 0.661$, $\mathrm{d}W = 0$ (the input was 0), and
# $0.868 \cdot 0.5 = 0.434$ goes on to $h_1$.
#
# **Exercise `bptt.step_backward`** · ●●○○○ · 15 min · 6 points
#
# <details><summary>Hint 1</summary>Compute <code>dz</code> once; all five results need it.</details>
# <details><summary>Hint 2</summary><code>h</code> is already tanh(z): no second tanh.</details>
# <details><summary>If you see <code>matmul: Input operand 1 has a mismatch</code></summary>A transpose is missing, or
# on the wrong factor. Write the two shapes next to each other: the inner ones must be equal.</details>

# %% solution="bptt.step_backward"
def rnn_step_backward(dh, x, h_prev, h, W, U):
    """Back through h = tanh(x W + h_prev U + b), from dh = dL/dh, (B, u).

    Returns dx (B, D), dh_prev (B, u), dW (D, u), dU (u, u), db (u,).
    """
    ### BEGIN SOLUTION
    dz = dh * (1 - h**2)
    dx, dh_prev = dz @ W.T, dz @ U.T
    dW, dU, db = x.T @ dz, h_prev.T @ dz, dz.sum(axis=0)
    return dx, dh_prev, dW, dU, db
    ### END SOLUTION

# %% check="bptt.step_backward"
check("bptt.step_backward", rnn_step_backward)

# %% [markdown]
# ## 3 · Back through the whole sequence
#
# Unrolled in time the RNN is a deep network, one layer a step, with two peculiarities. All layers share their
# weights. And the loss may look at *every* state, not only the last.

# %% tags=["demo", "diagram"]
def arrow(ax, start, end, colour, style="-"):
    look = {"arrowstyle": "-|>", "color": colour, "linestyle": style, "shrinkA": 13, "shrinkB": 13}
    ax.annotate("", end, start, arrowprops=look)

figure, ax = plt.subplots(figsize=(7.2, 3.1))
for t in range(4):
    for y, name in [(1, f"$h_{t}$")] + ([(0, f"$x_{t}$"), (2, f"$L_{t}$")] if t else []):
        ax.text(2 * t, y, name, ha="center", va="center", size=13)
    if t:
        arrow(ax, (2 * t - 2, 1.07), (2 * t, 1.07), plot.COLOURS[0])
        arrow(ax, (2 * t, 0.93), (2 * t - 2, 0.93), plot.COLOURS[1], "--")
        for low, high in ((0, 1), (1, 2)):
            arrow(ax, (2 * t - 0.07, low), (2 * t - 0.07, high), plot.COLOURS[0])
            arrow(ax, (2 * t + 0.07, high), (2 * t + 0.07, low), plot.COLOURS[1], "--")
ax.set(xlim=(-0.5, 6.6), ylim=(-0.3, 2.3), title="Three steps, unrolled: forward (solid blue) and back (dashed orange)")
ax.axis("off")
plot.show(figure, alt="Unrolled RNN: states h0 to h3 in a row, inputs below, losses above. At h1 and h2 two "
          "gradients meet: from the loss above and from the next state.")

# %% [markdown]
# Look at $h_2$: two dashed arrows meet there, one from its own loss and one from the future. Gradients that meet add
# up:
#
# $$\mathrm{d}h_t \;=\; \underbrace{\partial L_t/\partial h_t}_{\text{the loss's own}}
# \;+\; \underbrace{\mathrm{d}z_{t+1} U^\top}_{\text{carried back from } t+1},$$
#
# $$\mathrm{d}U = \sum_{t=1}^{T} h_{t-1}^\top\, \mathrm{d}z_t, \qquad
# \mathrm{d}W = \sum_t x_t^\top\, \mathrm{d}z_t, \qquad \mathrm{d}b = \sum_t \mathrm{d}z_t .$$
#
# So: start at the last step, carry one array backwards, and add up what each step says about the shared weights. This
# is *backpropagation through time* (BPTT). There is nothing else to it.
#
# **By hand**, the example to its end, with a loss on $h_2$ only: 0.434 arrives at $h_1$, where the slope is
# $1 - 0.762^2 = 0.420$, so $\mathrm{d}z_1 = 0.182$. Summed over both steps:
# $\mathrm{d}W = 0.182 \cdot 1 + 0.868 \cdot 0 = 0.182$, $\ \mathrm{d}U = 0.182 \cdot 0 + 0.868 \cdot 0.762 = 0.661$,
# $\ \mathrm{d}b = 0.182 + 0.868 = 1.050$.
#
# **Exercise `bptt.through_time`** · ●●●○○ · 25 min · 8 points
#
# The argument `dh` is only the first term of the sum above: `dh[:, t]` is what the loss itself sends to the state made
# by step `t` (from 0). Use `step_back(dh, x, h_prev, h, W, U)`, which is `rnn_step_backward` ready-made and wants the
# whole sum, or write the formulas out.
#
# <details><summary>Hint 1</summary>Before the loop: <code>carried = 0</code>. In the loop: <code>total = dh[:, t] +
# carried</code>. After the step: <code>carried</code> is that step's <code>dh_prev</code>. It is replaced, not added
# to.</details>
# <details><summary>Hint 2</summary>Step <code>t</code> went from <code>states[:, t]</code> to <code>states[:, t +
# 1]</code>, because <code>states[:, 0]</code> is $h_0$.</details>
# <details><summary>Hint 3</summary>After the loop, <code>carried</code> is <code>dh0</code>.</details>

# %% solution="bptt.through_time"
def rnn_backward(dh, x, states, W, U):
    """Back through the whole sequence.

    dh: (B, T, u), what the loss itself sends to every h_t; x: (B, T, D);
    states: (B, T + 1, u), h0 first.
    Returns dx (B, T, D), dh0 (B, u), dW (D, u), dU (u, u), db (u,).
    """
    ### BEGIN SOLUTION
    dx, carried = np.zeros_like(x), np.zeros_like(states[:, 0])
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[0])
    for t in reversed(range(x.shape[1])):
        total = dh[:, t] + carried
        dx[:, t], carried, dW_t, dU_t, db_t = step_back(total, x[:, t], states[:, t], states[:, t + 1], W, U)
        dW += dW_t
        dU += dU_t
        db += db_t
    return dx, carried, dW, dU, db
    ### END SOLUTION

# %% check="bptt.through_time"
check("bptt.through_time", rnn_backward)

# %% [markdown]
# First the example by hand, then the judge that wrote none of it: TensorFlow's `GradientTape` records the forward
# pass and differentiates it automatically. It gets Keras's `SimpleRNN`; you get nothing but NumPy. The loss is
# $\tfrac12 \sum (h_t - \text{target}_t)^2$, so $\partial L_t/\partial h_t = h_t - \text{target}_t$.

# %% tags=["demo"]
states = rnn_forward(two_steps, 0 * one, one, one / 2, np.zeros(1))
by_hand = rnn_backward(two_steps[:, ::-1].copy(), two_steps, states, one, one / 2)  # dh = (0, 1): a loss on h_2 only
print("dW, dU, db:", *(f"{g.item():.3f}" for g in by_hand[2:]))

x, h0, W, U, b, target = example(T=7)
layer.set_weights([W, U, b])
inputs, start = tf.constant(x), tf.constant(h0)
with tf.GradientTape() as tape:
    tape.watch([inputs, start])
    loss = tf.reduce_sum((layer(inputs, initial_state=start) - target) ** 2) / 2
theirs = tape.gradient(loss, [inputs, start, *[v.value for v in layer.trainable_variables]])
states = rnn_forward(x, h0, W, U, b)
ours = rnn_backward(states[:, 1:] - target, x, states, W, U)
for name, mine, tape_s in zip(["dx", "dh0", "dW", "dU", "db"], ours, theirs, strict=True):
    assert np.abs(mine - tape_s.numpy()).max() < 1e-10
    print(f"{name:>4} {mine.shape!s:>10}: equal to GradientTape's")

# %% [markdown]
# ## 4 · Never trust a gradient: check it
#
# A wrong gradient rarely crashes. The loss even falls, only more slowly. So before any training, compare it with a
# number that needs no calculus, the *central difference*: nudge one weight up and down and see what the loss does,
#
# $$\frac{\partial L}{\partial w_i} \;\approx\; \frac{L(w_i + \varepsilon) - L(w_i - \varepsilon)}{2\varepsilon},
# \qquad \text{error} = \frac{\lVert g - n \rVert}{\lVert g \rVert + \lVert n \rVert} .$$
#
# Two points and not one: a one-sided difference is wrong by a multiple of $\varepsilon$, upwards and downwards with
# opposite signs. Together these errors cancel, and what is left is a multiple of $\varepsilon^2$. The error is
# *relative*, because 0.001 is splendid for gradients of size 1000 and hopeless for gradients of size 0.001.
#
# **By hand.** $L(w) = w^3$ at $w = 1$, where the gradient is 3. With $\varepsilon = 0.1$:
# $(1.331 - 0.729)/0.2 = 3.01$. One-sided: $(1.331 - 1)/0.1 = 3.31$.
#
# **Exercise `bptt.gradcheck`** · ●●○○○ · 15 min · 5 points
#
# <details><summary>Hint 1</summary><code>for i in np.ndindex(w.shape):</code> visits every index of an array with any
# number of axes.</details>
# <details><summary>Hint 2</summary>Remember the old value of <code>w[i]</code>, and put it back before you go
# on.</details>

# %% solution="bptt.gradcheck"
def gradcheck(loss, w, grad, eps=1e-5):
    """Compare a gradient with central differences.

    loss: a function of an array like w; w: float64 array of any shape; grad: what is to be tested.
    Returns the numeric gradient (shaped like w) and ‖grad − numeric‖ / (‖grad‖ + ‖numeric‖),
    which is 0 if both are zero. w is the same afterwards as before.
    """
    ### BEGIN SOLUTION
    numeric = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        old = w[i]
        w[i] = old + eps
        up = loss(w)
        w[i] = old - eps
        down = loss(w)
        w[i] = old
        numeric[i] = (up - down) / (2 * eps)
    size = np.linalg.norm(grad) + np.linalg.norm(numeric)
    return numeric, np.linalg.norm(grad - numeric) / size if size > 0 else 0.0
    ### END SOLUTION

# %% check="bptt.gradcheck"
check("bptt.gradcheck", gradcheck)

# %% [markdown]
# Now put your own BPTT to the test: every weight, every input and the first state, with a loss at every step.

# %% tags=["demo"]
def sequence_loss(x, h0, W, U, b, target):
    return ((rnn_forward(x, h0, W, U, b)[:, 1:] - target) ** 2).sum() / 2

def check_all(backward, T):
    """The relative error of every gradient that `backward` gives for a random problem of T steps."""
    *values, target = example(T)
    states = rnn_forward(*values)
    gradients = backward(states[:, 1:] - target, values[0], states, values[2], values[3])
    def loss_of(i):
        return lambda changed: sequence_loss(*values[:i], changed, *values[i + 1:], target)
    return {name: gradcheck(loss_of(i), values[i], g)[1]
            for i, (name, g) in enumerate(zip(["dx", "dh0", "dW", "dU", "db"], gradients, strict=True))}

errors = check_all(rnn_backward, T=7)
assert max(errors.values()) < 1e-8
print("your BPTT, T = 7: all relative errors below 1e-8:", max(errors.values()) < 1e-8)

# %% [markdown]
# **Predict first.** Here is a backward pass with a bad mistake: nothing is carried from step to step. Would a
# gradient check with `T = 1` notice?

# %% tags=["demo"]
def forgets_the_future(dh, x, states, W, U):
    """Each step by itself: wrong, because no gradient comes back from the next step."""
    steps = [rnn_backward(dh[:, t:t + 1], x[:, t:t + 1], states[:, t:t + 2], W, U) for t in range(x.shape[1])]
    dx, dh0, dW, dU, db = zip(*steps, strict=True)
    return np.concatenate(dx, axis=1), dh0[0], sum(dW), sum(dU), sum(db)

for T in (1, 2, 5):
    errors = check_all(forgets_the_future, T)
    print(f"T = {T}: " + ", ".join(f"{name} {'ok' if e < 1e-8 else f'wrong by {e:.0%}'}" for name, e in errors.items()))
assert max(check_all(forgets_the_future, 1).values()) < 1e-8 < check_all(forgets_the_future, 5)["dU"]

# %% [markdown]
# It would not. A check is only as good as the problem it runs on: several steps, a batch of two or more, a first
# state that is not zero, a loss at every step. (And every width different, so that a wrong transpose shows.)
#
# How should $\varepsilon$ be chosen? Too large, and the curve between the two points is not straight. Too small, and
# subtracting two nearly equal numbers leaves only rounding. **Predict first:** where is the best $\varepsilon$ for
# float64 (16 digits)? For float32 (7 digits)?

# %% tags=["demo"]
*values, target = example(T=7)
states = rnn_forward(*values)
dU = rnn_backward(states[:, 1:] - target, values[0], states, values[2], values[3])[3]
scales, errors = np.logspace(-1, -11, 21), {}
for dtype in ("float32", "float64"):
    x, h0, W, _, b, y = (a.astype(dtype) for a in (*values, target))
    def loss_of_U(U, x=x, h0=h0, W=W, b=b, y=y, dtype=dtype):
        return ((forward(x, h0, W, U.astype(dtype), b)[:, 1:] - y) ** 2).sum() / 2
    errors[dtype] = [gradcheck(loss_of_U, values[3].copy(), dU, eps)[1] for eps in scales]

figure, ax = plt.subplots()
for (dtype, error), marker in zip(errors.items(), "os", strict=True):
    ax.loglog(scales, error, marker=marker, markersize=4, label=f"{dtype}: best {min(error):.0e}")
ax.set(xlabel="nudge ε", ylabel="relative error of the check", title="A gradient check needs float64")
ax.invert_xaxis(); ax.legend()
plot.show(figure, alt="Relative error of the gradient check against the nudge: float32 never gets far below "
          "1e-4; float64 reaches about 1e-10 near 1e-5 and rises on both sides.")
assert min(errors["float64"]) < 1e-8 < 1e-5 < min(errors["float32"])

# %% [markdown]
# In float32 even a *correct* gradient fails any strict test: the best it can do is about one part in ten thousand.
# That is why everything up to here is float64, and why $\varepsilon = 10^{-5}$ is a good choice there.

# %% [markdown]
# ## 5 · A product of Jacobians
#
# The gradient is right. Is it any *use*? Follow one gradient from the last state back to a state $k$ steps earlier.
# Each step multiplies it by the step's Jacobian:
#
# $$\mathrm{d}h_{t-1} = \mathrm{d}h_t\, J_t, \qquad J_t = \operatorname{diag}\!\big(f'(z_t)\big)\, U^\top, \qquad
# \mathrm{d}h_{T-k} = \mathrm{d}h_T\, J_T J_{T-1} \cdots J_{T-k+1} .$$
#
# A product of $k$ matrices of about the same size behaves like a number to the power of $k$. One unit shows it all:
# $0.9^{100} = 0.00003$, $1^{100} = 1$, $1.1^{100} = 13\,781$. Two things decide which of the three it is:
#
# * **the slopes** $f'(z_t)$. For tanh at most 1, and only at $z = 0$. For the sigmoid
#   $\sigma' = \sigma(1 - \sigma) \le \tfrac14$, because a number times its distance to 1 is largest at one half. A
#   sigmoid RNN therefore loses *at least* three quarters of its gradient at each step, unless $U$ makes up for it.
# * **the matrix** $U$. Its *spectral radius* $\rho$, the largest absolute value of an eigenvalue, says how fast its
#   powers grow in the long run; its largest singular value $s_{\max}$ bounds one step: no gradient grows
#   there by more than the factor $s_{\max}(U)\, \max f'$.
#
# First see that the product formula and your backward pass are the same thing. (`SLOPES` has two functions for each
# activation: $f$ itself, and $f'$ computed from the *output* $h = f(z)$.)

# %% tags=["demo"]
z = np.linspace(-6, 6, 1201)
slopes = {name: slope(f(z)) for name, (f, slope) in SLOPES.items() if name in ("tanh", "sigmoid")}
print("largest slope:", {name: round(float(s.max()), 4) for name, s in slopes.items()})

x, h0, W, U, b, target = example(T=7)
states, dh = rnn_forward(x, h0, W, U, b), np.zeros((2, 7, 5))
dh[:, -1] = np.random.default_rng(1).normal(size=(2, 5))
dh0 = rnn_backward(dh.copy(), x, states, W, U)[1]
for n in range(2):  # each example of the batch has Jacobians of its own
    g = dh[n, -1]
    for t in range(7, 0, -1):
        g = g @ (np.diag(1 - states[n, t] ** 2) @ U.T)
    assert np.allclose(g, dh0[n], atol=1e-12)
print("dh_7 · J_7 · J_6 ··· J_1 equals the dh0 of your backward pass")

# %% [markdown]
# Now measure. The network has 64 units and reads 100 random inputs; a random gradient of length 1 arrives at the last
# state; how long is what arrives $k$ steps earlier? $U$ is $\rho$ times a random orthogonal matrix (one that keeps the
# length of every vector; section 8). *All* its singular values, and all its eigenvalues in absolute value, are then
# exactly $\rho$, and nothing but $\rho$ and the activation differs.
#
# **Predict first**, for $k = 100$: tanh with $\rho = 0.8$, with $\rho = 1$, with $\rho = 2$; the sigmoid with
# $\rho = 1$; no activation at all with $\rho = 1$. Which shrink, which grow, which stay?

# %%
def gradient_by_lag(activation, U, T=100, scale=0.1, seed=0):
    """Length of the gradient k = 0 ... T steps before the last, (T + 1,), and the largest |h| on the way."""
    rng, u = np.random.default_rng(seed), U.shape[0]
    slope = SLOPES[activation][1]
    drive = scale * rng.normal(size=(8, T, 3)) @ rng.normal(size=(3, u))
    states = forward(drive, np.zeros((8, u)), np.eye(u), U, np.zeros(u), activation)
    g = rng.normal(size=(8, u))
    g, lengths = g / np.linalg.norm(g, axis=1, keepdims=True), [1.0]
    for t in range(T, 0, -1):
        g = (g * slope(states[:, t])) @ U.T
        lengths.append(np.exp(np.log(np.linalg.norm(g, axis=1)).mean()))
    return np.array(lengths), np.abs(states).max()

def random_orthogonal(u, seed=1):
    return keras.ops.convert_to_numpy(keras.initializers.Orthogonal(seed=seed)((u, u), dtype="float64"))

# %% tags=["demo"]
Q = random_orthogonal(64)
settings = [("linear", 1.0), ("tanh", 2.0), ("tanh", 1.0), ("tanh", 0.8), ("sigmoid", 1.0)]
faded = {}
figure, ax = plt.subplots(figsize=(7, 4))
print("gradient k steps back      k = 10        k = 50       k = 100    largest |h|    a millionth left at k =")
for (activation, rho), style in zip(settings, ["-", "--", "-", "-.", ":"], strict=True):
    lengths, largest = gradient_by_lag(activation, rho * Q)
    ax.semilogy(lengths, style, label=f"{activation}, ρ = {rho:g}")
    row = "".join(f"{lengths[k]:>13.0e}" for k in (10, 50, 100))
    faded[activation, rho] = int(np.argmax(lengths < 1e-6)) or "-"
    print(f"{activation:>8}, ρ = {rho:<10g}{row}{largest:>12.2f}{faded[activation, rho]:>19}")
    if (activation, rho) == ("linear", 1.0):
        assert np.allclose(lengths, 1)
ax.set(xlabel="lag k (steps back from the last)", ylabel="gradient length (1 at the last step)", xlim=(0, 100),
       ylim=(1e-20, 1e10), title="What is left of a gradient after k steps back")
ax.legend(loc="center left", bbox_to_anchor=(1, 0.6))
plot.show(figure, alt="Gradient length against lag, log scale: linear with rho 1 stays at 1; tanh with rho 2 "
          "grows above 1e6; tanh with rho 1 falls below 1e-4, with 0.8 below 1e-11; the sigmoid leaves the "
          "picture after 30 steps.")

# %% [markdown]
# Straight lines on a logarithmic axis: growth and decay are exponential, as the product promised.
#
# * **Vanishing.** The sigmoid's gradient has shrunk to a millionth after 10 steps, as at most $\tfrac14$ per step
#   predicts ($4^{-10} \approx 10^{-6}$). tanh with $\rho = 0.8$ gets there after 50, five times as many. What an error
#   at the end says about the beginning is drowned by what it says about the last steps.
#   Note what *is* learnt: $\mathrm{d}U$ is a sum over lags, and the short lags dominate it. The network trains
#   happily, and short-sightedly.
# * **Exploding.** tanh with $\rho = 2$ multiplies the gradient by millions, although no state ever leaves $[-1, 1]$.
# * **In between.** Only the line without activation stays level. Even at $\rho = 1$ the slopes of tanh, slightly
#   below 1, eat the gradient up.
#
# ### From exploding to NaN
#
# Exploding has an end: the largest float32 is about $3 \cdot 10^{38}$. Beyond it lies `inf`, and `inf · 0` is `nan`.
# A ReLU unit that is off has slope 0, so the product is never far away.

# %% tags=["demo"]
rng = np.random.default_rng(0)
u, U = 64, 1.2 * np.eye(64, dtype="float32")
W, b = 0.1 * rng.normal(size=(3, u)).astype("float32"), np.zeros(u, "float32")
for T in (50, 100, 200, 300):
    x = np.random.default_rng(1).normal(size=(1, T, 3)).astype("float32")
    with np.errstate(all="ignore"):
        states = forward(x, np.zeros((1, u), "float32"), W, U, b, "relu")
        dh = np.zeros_like(states[:, 1:])
        dh[:, -1] = states[:, -1] - 1
        dU = backprop(dh, x, states, W, U, "relu")[3]
        norm = np.linalg.norm(dU)
    size = f"{norm:.0e}" if np.isfinite(norm) else str(norm)
    print(f"T = {T:>3}: forward pass {'finite' if np.isfinite(states).all() else 'not finite'}, norm of dU {size}")
    last = norm
assert np.isnan(last) and np.isfinite(states).all()

# %% [markdown]
# In the last line the forward pass is still finite; only the gradient is `nan`. One update with it, and every weight
# is `nan` for ever.
#
# ### "tanh squashes, so it solves it" is half true
#
# A common thought: ReLU explodes because it has no upper limit; take tanh, and nothing can explode. **Predict
# first:** which half of it is true? We make $U$ Gaussian, in two sizes, and watch states and gradients of a tanh
# network with weak and with strong inputs.

# %% tags=["demo"]
G = np.random.default_rng(2).normal(size=(64, 64)) / 8  # entries of variance 1/u: spectral radius about 1
print("U = gain · G    inputs    largest |h|    gradient 100 steps back")
kept = {}
for gain in (1.0, 3.0):
    for inputs, scale in (("weak", 0.1), ("strong", 10.0)):
        lengths, largest = gradient_by_lag("tanh", gain * G, scale=scale)
        kept[gain, inputs] = lengths[100]
        print(f"gain {gain:g}          {inputs:<10}{largest:>10.2f}{lengths[100]:>24.0e}")
lengths, largest = gradient_by_lag("linear", 3.0 * G)
print(f"gain 3, linear  weak      {largest:>10.0e}{lengths[100]:>24.0e}")
assert kept[3.0, "weak"] > 1e5 and kept[3.0, "strong"] < 1e-3

# %% [markdown]
# The true half: the *states* are bounded, so the forward pass cannot overflow, and compared with the linear network
# the gradient grows far less. The false half: a bounded state does not mean a bounded gradient. The slope at $z = 0$
# is 1, so wherever units work near zero, the factor per step is that of $U$, and the gradient explodes (third line).
# And where they do not work near zero, they are saturated, the slope is almost 0, and the gradient vanishes instead
# (fourth line). Squashing does not remove the problem. It chooses, step by step, between the two forms of it.

# %% [markdown]
# **Written answer `bptt.squash`** · 5 min · 2 points
#
# A friend trains a tanh RNN and sees the loss jump from 0.3 to 40 within one update. "Impossible," she says, "all my
# states are between −1 and 1." Explain to her in three or four sentences how it can happen, and name one quantity she
# should plot during training.

# %% [markdown] written="bptt.squash" points=2
# The bound is on the states, not on the gradient. Going back through time the gradient is multiplied by
# $\operatorname{diag}(1 - h_t^2)\,U^\top$ at every step; if U is large and some units work near zero, where the slope
# is close to 1, that product grows exponentially with the number of steps. One such gradient makes one giant step in
# the weights, and the loss jumps, even though the next forward pass still has states between −1 and 1 (the read-out
# on top is not bounded either). She should plot the global norm of the gradient before clipping: the jump is preceded
# by a spike of it.

# %% [markdown]
# ## 6 · A task that needs a long memory
#
# To compare remedies we need a task where *only* the long lag is hard. The **adding problem** (Hochreiter &
# Schmidhuber 1997; this form as in Arjovsky et al. 2015) is made for it. Each step brings two numbers: one drawn
# uniformly from $[0, 1]$, and a marker. Exactly two steps are marked, one in each half. At the end the network must say
# the sum of the two marked numbers.

# %%
def adding_batch(rng, B, T):
    """Inputs (B, T, 2), a number from [0, 1] and a marker, and targets (B,): the sum of the two marked numbers."""
    x, rows = np.zeros((B, T, 2), "float32"), np.arange(B)
    x[..., 0] = rng.random((B, T))
    x[rows, rng.integers(0, T // 2, B), 1] = 1
    x[rows, rng.integers(T // 2, T, B), 1] = 1
    return x, (x[..., 0] * x[..., 1]).sum(axis=1)

# %% tags=["demo"]
x, y = adding_batch(np.random.default_rng(3), 1, 8)
print("number", *(f"{v:5.2f}" for v in x[0, :, 0]))
print("marker", *(f"{v:5.0f}" for v in x[0, :, 1]), f"   target {y[0]:.2f}")
_, y = adding_batch(np.random.default_rng(1), 200_000, 20)
print(f"always saying 1: mean squared error {np.mean((y - 1) ** 2):.3f}; 1/6 = {1 / 6:.3f}")
assert abs(np.mean((y - 1) ** 2) - 1 / 6) < 0.002

# %% [markdown]
# **The baseline.** Someone who has read nothing says the mean, $\tfrac12 + \tfrac12 = 1$, every time. The squared
# error is then the variance of the sum. One number from $[0, 1]$ has variance
# $\int_0^1 (v - \tfrac12)^2\,\mathrm{d}v = \tfrac1{12}$, and variances of independent numbers add:
# $\tfrac1{12} + \tfrac1{12} = \tfrac16 = 0.167$. A network at 0.167 makes no use of its input, or not yet. Remember
# the number.
#
# **Written answer `bptt.baseline`** · 5 min · 2 points
#
# Three steps are marked instead of two, and the numbers are drawn uniformly from $[-1, 1]$. What should one always say,
# and what mean squared error does it give? Derive it.

# %% [markdown] written="bptt.baseline" points=2
# Always say the mean, which is 0 for each number and so 0 for the sum. One number from $[-1, 1]$ has variance
# $\tfrac12\int_{-1}^1 v^2\,\mathrm{d}v = \tfrac13$; three independent ones have $3 \cdot \tfrac13 = 1$. The baseline
# is a mean squared error of 1.

# %% [markdown]
# The network: a plain RNN of 32 units, a linear read-out of its last state, and the backward pass of this lesson in
# float32. Nothing but NumPy trains here.

# %%
def new_weights(rng, U, scale=0.1):
    """Weights of a plain RNN with recurrent matrix U and a linear read-out (V, c), in float32."""
    u = len(U)
    weights = {"W": scale * rng.normal(size=(2, u)), "U": U, "b": np.zeros(u),
               "V": 0.3 * rng.normal(size=u) / np.sqrt(u), "c": np.zeros(1)}
    return {name: np.array(value, "float32") for name, value in weights.items()}

def loss_and_gradients(w, x, y, activation):
    """Mean squared error of the read-out after the last step, and the gradient of every weight, by BPTT."""
    h0 = np.zeros((len(x), len(w["U"])), "float32")
    states = forward(x, h0, w["W"], w["U"], w["b"], activation)
    error = states[:, -1] @ w["V"] + w["c"] - y
    d_out = 2 * error / len(y)
    dh = np.zeros_like(states[:, 1:])
    dh[:, -1] = d_out[:, None] * w["V"]
    _, _, dW, dU, db = backprop(dh, x, states, w["W"], w["U"], activation)
    gradients = dW, dU, db, states[:, -1].T @ d_out, d_out.sum(keepdims=True)
    return np.mean(error**2), dict(zip("WUbVc", gradients, strict=True))

# %%
def train(U, activation, T, clip=None, steps=1200, rate=2e-3, seed=0, scale=0.1):
    """Train on the adding problem with Adam, the rate falling to 0. `clip` maps a list of gradients to another.

    Returns the loss and the global gradient norm of every step (before clipping), and the final error on 2,000 new
    sequences.
    """
    rng = np.random.default_rng(seed)
    w = new_weights(rng, U, scale)
    adam, losses, norms = Adam(w, rate), np.full(steps, np.nan), np.full(steps, np.nan)
    with np.errstate(all="ignore"):  # some of these runs are meant to overflow
        for n in range(steps):
            losses[n], g = loss_and_gradients(w, *adding_batch(rng, 32, T), activation)
            if not np.isfinite(losses[n]):
                break  # it would stay so for ever
            norms[n] = np.sqrt(sum(float((v**2).sum()) for v in g.values()))
            adam.rate = rate * (1 - n / steps)
            adam.apply(dict(zip(g, clip(list(g.values())) if clip else g.values(), strict=True)))
        final, _ = loss_and_gradients(w, *adding_batch(np.random.default_rng(99), 2000, T), activation)
    return losses, norms, float(final)

# %% [markdown]
# ## 7 · First remedy: clip the gradient
#
# The direction of an exploding gradient is still right; only its *length* is absurd. So shorten it (Pascanu,
# Mikolov & Bengio 2013): if the norm exceeds $c$, scale the gradient to length $c$,
# $\;g \leftarrow g \cdot c / \lVert g \rVert$. There are three ways to do it, and Keras has an argument for each:
#
# | | what is limited | Keras optimiser | direction |
# |---|---|---|---|
# | by value | every single entry, to $[-c, c]$ | `clipvalue` | changes |
# | by norm | the norm of each tensor ($W$, $U$, $b$, ...) | `clipnorm` | changes: tensors are scaled differently |
# | by **global** norm | the norm of all tensors laid end to end | `global_clipnorm` | kept |
#
# **By hand.** Gradients $(3)$ and $(4, 0)$, $c = 1$. Global norm: $\sqrt{9 + 16} = 5$, factor $0.2$, result $(0.6)$
# and $(0.8, 0)$. Each tensor by itself: $(1)$ and $(1, 0)$; the first counted less than the second, and now they
# count the same.
#
# **Exercise `bptt.clip_global_norm`** · ●●○○○ · 10 min · 5 points
#
# <details><summary>Hint 1</summary>One number for all tensors: the root of the sum of <em>all</em> squares.</details>
# <details><summary>Hint 2</summary>Gradients that are short enough come back as they are. Make new arrays with
# <code>g * factor</code>; <code>g *= factor</code> would change the caller's.</details>

# %% solution="bptt.clip_global_norm"
def clip_by_global_norm(grads, max_norm):
    """Shorten gradients together, so that their joint norm is at most max_norm.

    grads: list of arrays, which stay as they are.
    Returns the list of clipped arrays, and the joint norm *before* clipping.
    """
    ### BEGIN SOLUTION
    norm = np.sqrt(sum((g**2).sum() for g in grads))
    factor = max_norm / norm if norm > max_norm else 1.0
    return [g * factor for g in grads], norm
    ### END SOLUTION

# %% check="bptt.clip_global_norm"
check("bptt.clip_global_norm", clip_by_global_norm)

# %% [markdown]
# We take one real gradient from an exploding network (ReLU, $\rho = 1.1$, 50 steps of the adding problem), clip it in
# the three ways, and ask in which direction the result points: 1 means the same as before. The same three clippings
# by Keras must agree: plain gradient descent with rate 1 changes a weight by exactly minus the clipped gradient.

# %%
def clip_each(grads, c):
    """By norm: every tensor by its own (Keras: clipnorm)."""
    return [g * min(1.0, c / max(float(np.linalg.norm(g)), 1e-12)) for g in grads]

def clip_values(grads, c):
    """By value: every entry (Keras: clipvalue)."""
    return [np.clip(g, -c, c) for g in grads]

# %% tags=["demo"]
def by_keras(grads, **clipping):
    variables = [keras.Variable(np.zeros_like(g)) for g in grads]
    keras.optimizers.SGD(1.0, **clipping).apply([tf.constant(g) for g in grads], variables)
    return [-v.numpy() for v in variables]

rng = np.random.default_rng(0)
weights = new_weights(rng, 1.1 * np.eye(32))
_, gradients = loss_and_gradients(weights, *adding_batch(rng, 32, 50), "relu")
raw = list(gradients.values())
flat = np.concatenate([g.ravel() for g in raw])
print(f"before: norm {np.linalg.norm(flat):.0e}")
for name, clipped, theirs in [
        ("by value, c = 0.1", clip_values(raw, 0.1), by_keras(raw, clipvalue=0.1)),
        ("by norm, c = 1", clip_each(raw, 1.0), by_keras(raw, clipnorm=1.0)),
        ("by global norm, c = 1", clip_by_global_norm(raw, 1.0)[0], by_keras(raw, global_clipnorm=1.0))]:
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(clipped, theirs, strict=True))
    after = np.concatenate([g.ravel() for g in clipped])
    cosine = flat @ after / np.linalg.norm(flat) / np.linalg.norm(after)
    print(f"{name:<22} norm {np.linalg.norm(after):5.2f}   direction kept {cosine:.2f}   equal to Keras's")
assert cosine > 0.9999

# %% [markdown]
# Now a run that explodes. The network is made of ReLU units with $U = I$ (section 8 says why one would want that),
# reading 100 steps of the adding problem, trained with Adam. **Predict first:** Adam divides each step by the recent
# size of the gradients. Does that make clipping unnecessary? (Each way is trained from three random starts; as in
# lesson 02, the number after ± is the standard deviation over them.)

# %% tags=["demo"] tolerance=0.1
ways = {"no clipping": None, "by value, 0.1": lambda g: clip_values(g, 0.1),
        "by global norm, 1": lambda g: clip_by_global_norm(g, 1.0)[0]}
SEEDS = range(3)
runs = {(name, seed): train(np.eye(32), "relu", 100, clip, seed=seed) for name, clip in ways.items() for seed in SEEDS}
finals = {name: np.array([runs[name, seed][2] for seed in SEEDS]) for name in ways}
print("baseline, always saying 1: 0.167")
for name, way in ways.items():
    if way is None:
        print(f"{name:<18} better than the baseline in {(finals[name] < 0.12).sum()} of {len(SEEDS)} runs")
    else:
        print(f"{name:<18} error {finals[name].mean():.2f} ± {finals[name].std(ddof=1):.2f}")
assert finals["by global norm, 1"].mean() < 0.08
assert not (finals["no clipping"] < 0.12).any()  # also true for nan
assert finals["by value, 0.1"].mean() > finals["by global norm, 1"].mean()

# %% tags=["demo"]
figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.6), sharex=True)
for name, colour in (("no clipping", plot.COLOURS[1]), ("by global norm, 1", plot.COLOURS[0])):
    losses, norms, _ = runs[name, 0]
    good = int(np.isfinite(losses).cumprod().sum())  # steps before the first inf or NaN
    middle = np.array([np.median(losses[n:n + 20]) for n in range(0, good, 20)])
    axes[0].semilogy(np.arange(len(middle)) * 20 + 10, middle, color=colour, label=name)
    axes[1].semilogy(norms[:good], color=colour, linewidth=0.6)
    if good < len(losses):
        axes[0].annotate("× NaN", (good, middle[-1]), color=colour, weight="bold")
axes[0].axhline(1 / 6, color="black", linestyle=":", label="baseline 1/6")
axes[1].axhline(1, color="black", linestyle=":", label="c = 1")
axes[0].set(xlabel="training step", ylabel="squared error", title="Loss (median of 20 steps)")
axes[1].set(xlabel="training step", ylabel="global norm", title="Gradient norm, before any clipping")
axes[0].legend(); axes[1].legend(loc="upper right")
figure.tight_layout()
plot.show(figure, alt="Left: without clipping the loss explodes and does not come back to the baseline of 1/6; "
          "with clipping it falls far below. Right: gradient norms with and without clipping, with spikes of "
          "many orders of magnitude.")

# %% [markdown]
# Adam does not replace clipping. Without it one giant gradient throws the weights far away, and it also enters
# Adam's running average of squares, which then makes every later step tiny for hundreds of updates (unless
# everything has become `nan` before). With clipping the right-hand panel still shows spikes (we plot the norm
# *before* clipping), but each of them costs one step of ordinary length.
#
# Two more things worth knowing. Clipping by value, which bends the direction whenever it acts, ended with a larger
# error in these runs. And no clipping can rescue a gradient that is already `inf` or `nan`:

# %% tags=["demo"]
with np.errstate(all="ignore"):
    clipped, norm = clip_by_global_norm([np.array([np.inf, 1.0]), np.array([2.0])], 1.0)
print("norm:", norm, "  clipped:", *clipped)
assert np.isnan(clipped[0][0])

# %% [markdown]
# The norm is infinite, the factor is 0, and $0 \cdot \infty$ is `nan`. Test `np.isfinite(norm)` and skip such a step.
#
# Above all: **clipping does nothing about vanishing.** It can make long gradients short. It cannot make a gradient of
# $10^{-15}$ carry information. For that, the product of Jacobians itself must change.
#
# ## 8 · Second remedy: a better start
#
# If $U$ is **orthogonal**, $U^\top U = I$, every vector keeps its length: $\lVert hU \rVert = \lVert h \rVert$, all
# singular values are 1, and so are the absolute values of all eigenvalues. The matrix then adds neither vanishing nor
# exploding; only the slopes are left. Spectral radius 1 alone does not give that: it tames the largest eigenvalue
# only, and most others are smaller.
#
# How to draw one? Take a matrix of independent normal numbers and decompose it, $A = QR$, with $Q$ orthogonal and $R$
# upper triangular. $Q$ is what we want, with one detail: the algorithm chooses the signs on the diagonal of $R$ as it
# likes, and so prefers some $Q$ to others. Multiply each column of $Q$ by the sign of its diagonal entry of $R$, and
# every orthogonal matrix is equally likely.
#
# **By hand.** For $u = 1$: $A = (-2.5)$ has $Q = (-1), R = (2.5)$ or $Q = (1), R = (-2.5)$. After the correction $Q$
# is $+1$ or $-1$ as $A$ is positive or negative: a fair coin.
#
# **Exercise `bptt.orthogonal_init`** · ●●○○○ · 10 min · 5 points
#
# <details><summary>Hint 1</summary><code>rng.normal(size=(u, u))</code>, then <code>np.linalg.qr</code>.</details>
# <details><summary>Hint 2</summary>Multiplying a matrix by a vector of length u with <code>*</code> scales its
# <em>columns</em>.</details>

# %% solution="bptt.orthogonal_init"
def orthogonal(rng, u, gain=1.0):
    """A random orthogonal (u, u) matrix, each equally likely, times gain. rng: NumPy Generator."""
    ### BEGIN SOLUTION
    Q, R = np.linalg.qr(rng.normal(size=(u, u)))
    return gain * Q * np.sign(np.diag(R))
    ### END SOLUTION

# %% check="bptt.orthogonal_init"
check("bptt.orthogonal_init", orthogonal)

# %% [markdown]
# In Keras an initialiser is a small class. This one puts *your* function into any layer, and a saved model remembers
# it. (Keras has `Orthogonal` too, and makes it the default for the recurrent weights of all its RNN layers. Now you
# know why.)

# %% tags=["demo"]
@keras.saving.register_keras_serializable("unrolled")
class MyOrthogonal(keras.initializers.Initializer):
    def __init__(self, gain=1.0, seed=0):
        self.gain, self.seed = gain, seed

    def __call__(self, shape, dtype=None):
        matrix = orthogonal(np.random.default_rng(self.seed), shape[0], self.gain)
        return keras.ops.convert_to_tensor(matrix, dtype or "float32")

    def get_config(self):
        return {"gain": self.gain, "seed": self.seed}

layer = keras.layers.SimpleRNN(32, recurrent_initializer=MyOrthogonal(gain=0.9, seed=1))
layer.build((None, 100, 2))
values = np.abs(np.linalg.eigvals(layer.get_weights()[1]))
print(f"absolute eigenvalues of the layer's U: from {values.min():.3f} to {values.max():.3f}")
others = np.abs(np.linalg.eigvals(G))
print(f"Gaussian, scaled to spectral radius 1: from {others.min() / others.max():.3f} to 1.000")
again = keras.layers.SimpleRNN.from_config(layer.get_config())
print("the configuration survives:", again.cell.recurrent_initializer.get_config())

# %% [markdown]
# **ReLU and the identity.** The slopes are left. A ReLU unit that is on has slope exactly 1, and $U = I$ is the
# simplest orthogonal matrix. Together (the *IRNN* of Le, Jaitly & Hinton 2015): as long as nothing arrives, every
# unit that is on keeps its value for ever, and its gradient too. The price is known from section 7: nothing bounds
# the states, so it explodes easily and must be clipped.
#
# **Gated cells**, the next two lessons, go further: at every step they *compute* how much to keep, a factor between
# 0 and 1 called a *gate*. Before training, how do all these compare? **Predict first:** GRU and LSTM were invented
# against vanishing gradients. Do they start with better gradients than a plain RNN?

# %%
def gradient_through(layer, starts=None):
    """How much of the gradient reaches the input k steps before the last, relative to k = 0: (starts, 100).

    starts: one list of weights for each random start; the layer's present ones if none are given.
    """
    @tf.function(autograph=False)  # traced once, for all starts
    def gradient(x, direction):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x) * direction)
        return tape.gradient(loss, x)
    curves = []
    for seed, weights in enumerate(starts or [layer.get_weights()]):
        layer.set_weights(weights)
        rng = np.random.default_rng(seed)
        x, direction = adding_batch(rng, 16, 100)[0], rng.normal(size=(16, 32)).astype("float32")
        curves.append(np.linalg.norm(gradient(tf.constant(x), tf.constant(direction)), axis=2).mean(axis=0)[::-1])
    return np.array(curves) / np.array(curves)[:, :1]

# %%
def random_start(make, seed):
    """The weights that a fresh layer begins with."""
    keras.utils.set_random_seed(seed)
    layer = make(seed)
    layer.build((16, 100, 2))
    return layer.get_weights()

# %% tags=["demo"] tolerance=0.5
RNN, normal = keras.layers.SimpleRNN, keras.initializers.RandomNormal
cells = {"tanh, Gaussian U": lambda s: RNN(32, recurrent_initializer=normal(stddev=32**-0.5, seed=s)),
         "tanh, orthogonal U": lambda s: RNN(32, recurrent_initializer=MyOrthogonal(seed=s)),
         "ReLU, U = I (IRNN)": lambda s: RNN(32, activation="relu", recurrent_initializer="identity"),
         "LSTM": lambda s: keras.layers.LSTM(32), "GRU": lambda s: keras.layers.GRU(32)}
DRAWS, untrained, powers = 16, {}, {}
print(f"gradient that arrives 99 steps back, as a power of ten: mean ± standard deviation of {DRAWS} random starts")
for name, make in cells.items():
    layer = make(0)
    layer.build((16, 100, 2))
    untrained[name] = gradient_through(layer, [random_start(make, seed) for seed in range(DRAWS)])
    powers[name] = np.log10(untrained[name][:, 99])
    print(f"{name:<20} {powers[name].mean():6.1f} ± {powers[name].std(ddof=1):.1f}   "
          f"from {powers[name].min():.1f} to {powers[name].max():.1f}")
assert powers["tanh, Gaussian U"].std() > 1.5 * powers["tanh, orthogonal U"].std()
assert powers["ReLU, U = I (IRNN)"].min() > -1 and powers["GRU"].max() < powers["LSTM"].min()

# %% [markdown]
# * **Gaussian** $U$ is a lottery: between the unluckiest of sixteen draws and the luckiest lie more than ten powers of
#   ten. The lucky one passes even more than any orthogonal $U$; you cannot know beforehand. (Four draws would not have
# shown it: a spread is itself a guess until there are enough of them.) **Orthogonal** $U$ makes the outcome
# repeatable.   It does not make it good: on average it passes no more than the Gaussian. The slopes of tanh still take
# their   share at each step. * **The IRNN** passes almost everything. * A surprise: the *untrained* **GRU** is the
# worst of all. Its gates are half open, so little more than half of   the gradient gets through each step, and
# $0.6^{99} \approx 10^{-22}$. An LSTM's gate for keeping (the *forget   gate*) starts at $\sigma(1) = 0.73$ in Keras,
# which is better and still vanishes. Gates are no good *start*.   What they can do is **learn** to keep, as the next
# experiment shows.

# %% [markdown]
# ## 9 · The adding problem, all together
#
# Four networks of 32 units. The plain tanh RNN with an orthogonal start first gets 10 steps, then 100. Then the IRNN
# with clipping, and a GRU, also with clipping, both with 100 steps
# (the GRU gets 700 updates, the others 1,200). **Predict first:** who beats 0.167?

# %% tags=["demo"] tolerance=0.06
start, clip = orthogonal(np.random.default_rng(7), 32), ways["by global norm, 1"]
results = {"tanh RNN, T = 10": train(start, "tanh", 10, clip, scale=0.4),
           "tanh RNN, T = 100": train(start, "tanh", 100, clip, scale=0.4),
           "IRNN, T = 100": runs["by global norm, 1", 0]}
keras.utils.set_random_seed(0)
rng, gru = np.random.default_rng(0), keras.layers.GRU(32)
model = keras.Sequential([keras.Input((100, 2)), gru, keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(5e-3, global_clipnorm=1.0), "mse")
gru_losses = [model.fit(*adding_batch(rng, 1600, 100), batch_size=32, verbose=0).history["loss"][0] for _ in range(14)]
x, y = adding_batch(np.random.default_rng(99), 2000, 100)
gru_error = float(np.mean((model(x).numpy()[:, 0] - y) ** 2))
print("baseline                0.167")
for name, error in [(name, result[2]) for name, result in results.items()] + [("GRU, T = 100", gru_error)]:
    print(f"{name:<22}  {error:.3f}")
assert abs(results["tanh RNN, T = 100"][2] - 1 / 6) < 0.02
assert max(results["tanh RNN, T = 10"][2], results["IRNN, T = 100"][2], gru_error) < 0.1

# %% [markdown]
# With 100 steps the plain tanh RNN scores no better than someone who reads nothing. Is it *unable* to learn the task,
# or has it not learnt it *yet*? From 1,200 updates alone nobody can tell the two apart. **Predict first:** the same
# network, from the same start, gets five times as many updates, 6,000, and a second time with other sequences to learn
# from. What happens?

# %% tags=["demo"] tolerance=0.15
long = [train(start, "tanh", 100, clip, steps=6000, scale=0.4, seed=seed) for seed in range(2)]
ends = np.array([error for _, _, error in long])
print("tanh RNN, T = 100, after 6,000 updates:", ", ".join(f"{error:.2f}" for error in ends))
print(f"mean and standard deviation of the two: {ends.mean():.2f} ± {ends.std(ddof=1):.2f}; baseline 0.17")
assert ends.min() < 0.12 and gru_error < 0.5 * ends.min()

# %% tags=["demo"]
figure, ax = plt.subplots()
for (name, (losses, _, _)), colour in zip(results.items(), plot.COLOURS, strict=False):
    ax.loglog(np.arange(0, 1200, 50) + 25, np.median(losses.reshape(-1, 50), axis=1), color=colour, label=name)
ax.loglog(np.arange(14) * 50 + 25, gru_losses, color=plot.COLOURS[3], label="GRU, T = 100")
for (losses, _, _), style in zip(long, ("-", "--"), strict=True):
    ax.loglog(np.arange(0, 6000, 100) + 50, np.median(losses.reshape(-1, 100), axis=1), style, linewidth=1,
              color=plot.COLOURS[5], label="tanh RNN, T = 100, 6,000 updates" if style == "-" else None)
ax.axhline(1 / 6, color="black", linestyle=":", label="baseline 1/6")
ax.set(xlabel="training step (32 sequences each)", ylabel="squared error", title="Learning to add two numbers",
       ylim=(3e-4, 2))
ax.set_xticks([30, 100, 300, 1000, 3000], ["30", "100", "300", "1,000", "3,000"]); ax.minorticks_off()
ax.legend(loc="lower left", fontsize=8)
plot.show(figure, alt="Squared error against training step, both axes logarithmic: the tanh RNN learns with 10 steps; "
          "with 100 it stays at the baseline for a thousand updates and more, then falls in most runs; "
          "the IRNN learns slowly with 100; the GRU waits there for hundreds of updates and falls lowest.")

# %% tags=["demo"]
trained = gradient_through(gru)[0]
figure, ax = plt.subplots(figsize=(6.8, 4))
for (name, curves), colour in zip(untrained.items(), [*plot.COLOURS[4:7], *plot.COLOURS[2:4]], strict=True):
    ax.semilogy(np.median(curves, axis=0), color=colour, label=name)
    ax.fill_between(range(100), curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.2, linewidth=0)
ax.semilogy(trained, color=plot.COLOURS[3], linestyle="--", linewidth=2.2, label="GRU, trained")
ax.set(xlabel="lag k (steps back from the last)", ylabel="gradient at the input (1 at k = 0)", ylim=(1e-22, 1e2),
       title="What reaches the input k steps back")
ax.legend(loc="lower left", fontsize=8)
before = untrained["GRU"][:, 99].max()
print(f"GRU, 99 steps back: untrained below 1e-15: {before < 1e-15}; trained above 1e-3: {trained[99] > 1e-3}")
assert before < 1e-15 and trained[99] > 1e-3
plot.show(figure, alt="Gradient at the input against lag, for five untrained cells with the range of sixteen "
          "draws: the IRNN stays near 1, the Gaussian start spreads widely, the GRU falls to 1e-20. The trained "
          "GRU, dashed, stays above 1e-3.")

# %% [markdown]
# * The plain tanh RNN adds over 10 steps. Over 100 it sits at the baseline for more than a thousand updates, and then
#   leaves it, sooner or later. It is not unable, it is **slow**: what arrives from 99 steps back is thousands of times
#   weaker than what arrives from the last step (section 8). In one batch that drowns in the noise of 32 random
#   sequences; over thousands of batches it adds up. How many thousands depends on luck: of the two long runs in the
#   figure, one leaves the baseline clearly later than the other. And after 6,000 updates neither is where the GRU was
#   after 700.
# * The IRNN learns, at the price of the explosions you saw.
# * The GRU begins with the worst gradient of all, waits at the baseline for hundreds of steps, and then falls far
#   below it. In that time its gates learn to keep: after training, a gradient that used to shrink by twenty orders of
#   magnitude gets through (dashed line). How a gate does that is the subject of the next two lessons.
#
# ## 10 · Truncated BPTT
#
# A long sequence has another problem: BPTT keeps every state until the backward pass comes by, and nothing is
# learnt before the end is reached. The usual way out is to cut the sequence into *chunks* of $k$ steps ($k$ was a
# lag so far; from here on it is the length of a chunk). After each chunk, go back through that chunk only. **The
# state is carried on; the gradient is not.** Memory then grows with $k$, not with $T$.
#
# **Exercise `bptt.truncated`** · ●●●○○ · 15 min · 6 points
#
# The loss is $\tfrac12 \sum_t (h_t - y_t)^2$. `forward(x, h0, W, U, b)` and `backprop(dh, x, states, W, U)` are your
# functions ready-made; the second returns `dx, dh0, dW, dU, db`.
#
# <details><summary>Hint 1</summary><code>for start in range(0, T, k):</code> and <code>x[:, start:start + k]</code>.
# Slices that reach beyond the end are simply shorter.</details>
# <details><summary>Hint 2</summary>What does the next chunk start from? With <code>h0</code> in front, the last state
# is <code>states[:, -1]</code>.</details>

# %% solution="bptt.truncated"
def truncated_bptt(x, y, h0, W, U, b, k):
    """Gradients of ½ Σ (h_t − y_t)², none of them crossing a border of the chunks of k steps.

    x: (B, T, D), y: (B, T, u); the last chunk may be shorter.
    Returns dW, dU, db, summed over all chunks.
    """
    ### BEGIN SOLUTION
    h, dW, dU, db = h0, np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    for start in range(0, x.shape[1], k):
        piece = x[:, start:start + k]
        states = forward(piece, h, W, U, b)
        _, _, dW_c, dU_c, db_c = backprop(states[:, 1:] - y[:, start:start + k], piece, states, W, U)
        dW, dU, db = dW + dW_c, dU + dU_c, db + db_c
        h = states[:, -1]
    return dW, dU, db
    ### END SOLUTION

# %% check="bptt.truncated"
check("bptt.truncated", truncated_bptt)

# %% [markdown]
# Keras does this with `stateful=True`: the layer starts each call from the state in which the last call left it, and
# a `GradientTape` sees only what is computed inside it.

# %% tags=["demo"]
x, _, W, U, b, target = example(T=11)
h0 = np.zeros((2, 5))
layer = keras.layers.SimpleRNN(5, return_sequences=True, stateful=True, dtype="float64")
layer.build((2, None, 3))
layer.set_weights([W, U, b])
total = [0, 0, 0]
for start in range(0, 11, 4):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((layer(x[:, start:start + 4]) - target[:, start:start + 4]) ** 2) / 2
    chunk = tape.gradient(loss, [v.value for v in layer.trainable_variables])
    total = [old + new.numpy() for old, new in zip(total, chunk, strict=True)]
ours, full = truncated_bptt(x, target, h0, W, U, b, 4), truncated_bptt(x, target, h0, W, U, b, 11)
assert all(np.allclose(a, b, atol=1e-10) for a, b in zip(ours, total, strict=True))
cosine = (ours[1] * full[1]).sum() / np.linalg.norm(ours[1]) / np.linalg.norm(full[1])
print("equal to a stateful SimpleRNN, chunk by chunk; k = 11 would be full BPTT")
print(f"direction of dU, truncated against full: cosine {cosine:.2f}")

# %% [markdown]
# ### What it cannot learn
#
# The truncated gradient is *not* the gradient of the loss, even where, as above, it points almost the same way (at a
# random start the short lags dominate both). What it leaves out is every influence that crosses a border. To see what
# that costs, take an **echo**: the inputs are random signs, and at each step the network must say the sign of $d = 6$
# steps ago. Sequences have 60 steps, and the first 6 answers cannot be known, so the best possible error is
# $6/60 = 0.1$; always saying 0 gives 1. $U$ starts small, so that the state forgets quickly and
# nothing is kept by accident.
#
# The cell below has no loop over the chunks. Within one update the weights do not change, so all states are known
# after one forward pass, and the backward passes of all chunks run side by side, as one large batch. The gradient is
# that of your function.
#
# **Predict first:** at which $k$ does it become learnable? A chunk of 7 steps shows the network only *one* complete
# question and answer. Is that enough?

# %%
def chunked_gradients(w, x, y, k):
    """Squared error of a linear read-out (V, c) of every state, and its gradients, truncated after k steps."""
    def chunks(a):  # (B, T, n) to (B · chunks, k, n); what the last one lacks is filled up with zeros
        return np.pad(a, ((0, 0), (0, -a.shape[1] % k), (0, 0))).reshape(-1, k, a.shape[2])

    states = forward(x, np.zeros((len(x), len(w["U"])), "float32"), w["W"], w["U"], w["b"])
    error = states[:, 1:] @ w["V"] + w["c"] - y
    d_out = 2 * error / y.size
    inside = np.concatenate([chunks(states[:, :-1])[:, :1], chunks(states[:, 1:])], axis=1)
    _, _, dW, dU, db = backprop(chunks(d_out @ w["V"].T), chunks(x), inside, w["W"], w["U"])
    dV = np.einsum("btu,bto->uo", states[:, 1:], d_out)
    return np.mean(error**2), dict(zip("WUbVc", (dW, dU, db, dV, d_out.sum(axis=(0, 1))), strict=True))

# %%
def learn_echo(k, U, delay=6, T=60, steps=600, seed=0):
    """Squared error (mean of the last 50 steps) after training on the echo with chunks of k steps."""
    rng, u = np.random.default_rng(seed), len(U)
    w = {"W": rng.normal(size=(1, u)) / 2, "U": U, "b": np.zeros(u), "V": np.zeros((u, 1)), "c": np.zeros(1)}
    w = {name: np.array(value, "float32") for name, value in w.items()}
    adam, losses = Adam(w, 5e-3), []
    for _ in range(steps):
        signs = rng.choice(np.array([-1, 1], "float32"), size=(16, T + delay, 1))
        loss, g = chunked_gradients(w, signs[:, delay:], signs[:, :-delay], k)
        adam.apply(dict(zip(g, clip_values(g.values(), 1.0), strict=True)))
        losses.append(loss)
    return np.mean(losses[-50:])

# %% tags=["demo"] tolerance=0.3
chunks = [1, 3, 6, 7, 8, 20, 60]
small = [0.1 * np.random.default_rng(seed).normal(size=(16, 16)) / 4 for seed in range(3)]
errors = np.array([[learn_echo(k, U, seed=seed) for seed, U in enumerate(small)] for k in chunks])
lucky = np.array([learn_echo(1, orthogonal(np.random.default_rng(seed), 16)) for seed in range(DRAWS)])
print("error, mean ± standard deviation of three starts")
for k, error in zip(chunks, errors, strict=True):
    print(f"k = {k:>2}: {error.mean():.2f} ± {error.std(ddof=1):.2f}")
print(f"k =  1, {DRAWS} starts with an orthogonal U: {lucky.mean():.2f} ± {lucky.std(ddof=1):.2f}, "
      f"from {lucky.min():.2f} to {lucky.max():.2f}")
assert errors[:3].min() > 0.7 and errors[3:].max() < 0.25 and lucky.min() < 0.5 < lucky.max()

# %% tags=["demo"]
figure, ax = plt.subplots()
ax.semilogx(chunks, errors.mean(axis=1), "o-", label="truncated after k steps")
ax.axvline(7, color="black", linestyle=":", label="k = d + 1 = 7")
ax.axhline(0.1, color=plot.COLOURS[2], linestyle="--", label="best possible, 6/60")
ax.set(xlabel="chunk length k (steps)", ylabel="squared error", ylim=(0, 1.1),
       title="An echo of 6 steps needs chunks of 7")
ax.set_xticks(chunks, chunks); ax.minorticks_off(); ax.legend(loc="center right")
plot.show(figure, alt="Squared error of the echo task against chunk length: near 1, as if nothing were read, "
          "for k up to 6; close to the optimum 0.1 from k = 7 on.")

# %% [markdown]
# A cliff, exactly at $d + 1$. One complete question and answer per chunk is enough, because the weights are shared:
# what works there works everywhere. One step less, and no gradient ever connects an answer with its input.
#
# Be fair to truncation, though: it cuts the *gradient*, not the state. An orthogonal $U$ keeps traces of old inputs
# by itself, and with $k = 1$ the read-out can learn to use them: in the last printed line the luckiest of sixteen
# starts comes close to the optimum, the unluckiest has nothing. "Cannot learn" means: no gradient teaches the network
# *to keep* something for longer than a chunk. What it keeps by accident, it may use.
#
# ### A real series
#
# How much does truncation cost in practice? The yearly sunspot numbers of lesson 01 swing with a period of about
# eleven years. A small tanh RNN reads 220 years, forecasts the next year at each step, and is tested on the 88 years
# from 1921 on. **Predict first:** will chunks of 1, 2, 10 years do worse than the whole 220?

# %%
def forecast_error(series, k, train=220, steps=300, seed=0):
    """Root mean squared error of one-step forecasts after the first `train` values, trained with chunks of k."""
    rng, u = np.random.default_rng(seed), 12
    w = {"W": rng.normal(size=(1, u)) / 2, "U": 0.3 * rng.normal(size=(u, u)) / np.sqrt(u), "b": np.zeros(u),
         "V": np.zeros((u, 1)), "c": np.zeros(1)}
    w = {name: np.array(value, "float32") for name, value in w.items()}
    x, y = series[None, :-1, None], series[None, 1:, None]
    adam = Adam(w, 1e-2)
    for n in range(steps):
        _, g = chunked_gradients(w, x[:, :train], y[:, :train], k)
        adam.rate = 1e-2 * (1 - n / steps)
        adam.apply(dict(zip(g, clip_by_global_norm(list(g.values()), 1.0)[0], strict=True)))
    states = forward(x, np.zeros((1, u), "float32"), w["W"], w["U"], w["b"])
    return np.sqrt(np.mean((states[:, 1:] @ w["V"] + w["c"] - y)[:, train:] ** 2))

# %% tags=["demo"] tolerance=1.5
series = (data.load("sunspots")["sunspots"] / 100).astype("float32")
persistence = 100 * np.sqrt(np.mean((series[221:] - series[220:-1]) ** 2))
lags = np.stack([series[i:len(series) - 9 + i] for i in range(9)] + [np.ones(len(series) - 9)], axis=1)
weights = np.linalg.lstsq(lags[:212], series[9:221], rcond=None)[0]
ar = 100 * np.sqrt(np.mean((lags[212:] @ weights - series[221:]) ** 2))
print(f"next year = this year       {persistence:.1f}")
errors = {}
for k in (1, 2, 10, 220):
    errors[k] = np.array([100 * forecast_error(series, k, seed=seed) for seed in range(4)])
    print(f"RNN, chunks of {k:>3} years    {errors[k].mean():.1f} ± {errors[k].std(ddof=1):.1f}")
print(f"AR(9) of lesson 01          {ar:.1f}")
assert max(e.max() for e in errors.values()) < 0.8 * persistence
assert abs(errors[2].mean() - errors[220].mean()) < 0.8 and errors[1].mean() - errors[220].mean() > 0.3

# %% [markdown]
# All beat the naive forecast by far. (After ± stands the standard deviation of four starts.) Chunks of one year cost
# something; between chunks of two years, of ten, and full BPTT there is next to no difference. Two years need to
# remember two states in place of 220. What helps to forecast *one* year ahead lies in the last few years, the state
# hands it on, and so the short lags are all there is to learn. (The linear AR model of lesson 01 is a little better
# still: with 220 numbers to learn from, a linear rule is hard to beat.) Truncation costs what your data have to say
# beyond the chunk. On the echo that was everything. Here it is almost nothing. You have to measure it.
#
# ### The sonnets, by your own hands
#
# In lesson 02 your layer learnt to write verse, and Keras did the training. Here *you* do it, with your
# `rnn_backward`, your `clip_by_global_norm`, an orthogonal start, and truncation. (Only the way forward is the
# ready-made `forward`: your `rnn_forward`, with one large product in place of many small ones.) Sixteen places of the
# text are read side by side, 25 letters an update, and the state is carried on. A letter comes in as a one-hot vector,
# so $W$ is also the table of letter vectors. One formula is new: for $p = \operatorname{softmax}(\text{logits})$ the
# gradient of $-\ln p_{\text{right}}$ with respect to the logits is $p$ minus the one-hot vector of the right letter.
#
# **Predict first:** lesson 02 counted pairs of letters (perplexity 10.63 on the held-out tenth) and triples (7.16).
# Where will your own network stand after 1,000 updates, not quite five readings of the text?

# %% tags=["demo"]
sonnets = data.load("sonnets")
alphabet = sorted(set(sonnets))
letters, V = np.array([alphabet.index(letter) for letter in sonnets]), len(alphabet)
learn, held = np.split(letters, [len(letters) * 9 // 10])  # as in lesson 02

def read(w, symbols, h):
    """States (B, T + 1, u) and log-probabilities (B, T, V) of the letters to come, for symbols (B, T)."""
    states = forward(np.eye(V)[symbols], h, w["W"], w["U"], w["b"])
    logits = states[:, 1:] @ w["V"] + w["c"]
    top = logits.max(axis=2, keepdims=True)
    return states, logits - top - np.log(np.exp(logits - top).sum(axis=2, keepdims=True))

def letter_gradients(w, x, y, h):
    """Gradients of the mean cross-entropy of the letters y (B, T) that follow x, and the state to go on from."""
    states, log_p = read(w, x, h)
    d_logits = (np.exp(log_p) - np.eye(V)[y]) / y.size
    _, _, dW, dU, db = rnn_backward(d_logits @ w["V"].T, np.eye(V)[x], states, w["W"], w["U"])
    dV = np.einsum("btu,btv->uv", states[:, 1:], d_logits, optimize=True)
    return dict(zip("WUbVc", (dW, dU, db, dV, d_logits.sum(axis=(0, 1))), strict=True)), states[:, -1]

# %% tags=["demo"]
u, B, k, updates = 96, 16, 25, 1000
rng = np.random.default_rng(0)
w = {"W": rng.normal(size=(V, u)) / 2, "U": orthogonal(rng, u), "b": np.zeros(u),
     "V": 0.3 * rng.normal(size=(u, V)) / np.sqrt(u), "c": np.zeros(V)}
adam, rows = Adam(w, 1e-2), learn[:len(learn) // B * B].reshape(B, -1)
pieces, h = (rows.shape[1] - 1) // k, None
for n in range(updates):
    start = n % pieces * k
    h = np.zeros((B, u)) if start == 0 else h
    g, h = letter_gradients(w, rows[:, start:start + k], rows[:, start + 1:start + k + 1], h)
    adam.rate = 1e-2 * (1 - n / updates)
    clipped, _ = clip_by_global_norm(list(g.values()), 1.0)
    adam.apply(dict(zip(g, map(np.asarray, clipped), strict=True)))

# %% tags=["demo"] tolerance=0.3
table, perplexity = np.full(V, 1 / V), {}
for n, name in enumerate(("single letters", "letter pairs", "letter triples")):
    counts = np.zeros((V,) * (n + 1))
    np.add.at(counts, tuple(learn[i:len(learn) - n + i] for i in range(n + 1)), 1)
    kinds, total = (counts > 0).sum(axis=-1, keepdims=True), counts.sum(axis=-1, keepdims=True)
    table = np.where(kinds > 0, (counts + kinds * table) / np.maximum(total + kinds, 1), table)  # backed off
    perplexity[name] = np.exp(-np.log(table[tuple(held[i:len(held) - n + i] for i in range(n + 1))]).mean())
_, log_p = read(w, held[None, :-1], np.zeros((1, u)))
perplexity["your BPTT, your clipping"] = np.exp(-log_p[0, np.arange(len(held) - 1), held[1:]].mean())
print("perplexity per character on the held-out sonnets")
for name, value in perplexity.items():
    print(f"{name:<26}{value:6.2f}")
assert perplexity["your BPTT, your clipping"] < 0.95 * perplexity["letter triples"]

# %% tags=["demo", "nbval-ignore-output"]
h, symbol, verse = np.zeros((1, u)), alphabet.index("\n"), ""
for r in np.random.default_rng(1).random(400):
    states, log_p = read(w, np.array([[symbol]]), h)
    p = np.exp(log_p[0, 0] / 0.7)  # temperature 0.7
    symbol, h = int(np.searchsorted(np.cumsum(p / p.sum()), r)), states[:, -1]
    verse += alphabet[symbol]
print(verse.strip())
assert len(verse) == 400 and len(set(verse)) > 15

# %% [markdown]
# Better than triples, with no table of triples, and every gradient of it is yours. The best of lesson 02 is still
# ahead (four letters, backed off: 5.83; your layer with 128 units, trained by Keras for ten readings: 5.88): more
# units and more readings should help here, too. Try it, or try what happens without the clipping, or with $k = 1$.
#
# ### An experiment of your own
#
# **An open question `bptt.own`** · 25 min · 4 points
#
# Section 9 ends with a number: how many updates it takes until the tanh RNN leaves the baseline. What does that number
# depend on? Choose **one** thing to change: the length T (20, 40, 80), the units, the learning rate, the start of $U$,
# the clipping, or something of your own. **Before you run it**, write down what you expect and why, in a way that can
# turn out wrong. Use `train(...)`, at least three random starts for each setting, and the baseline.
#
# Hand in, in the next cell: your question and expectation; what you changed and what you kept; a table or figure with
# mean ± standard deviation over the starts; what you conclude, and what your runs cannot tell. If you stopped before a
# network had learnt, say how long you waited.

# %% [markdown] written="bptt.own" points=4
# One point each, for any question. (1) One thing is changed, the rest kept, and the expectation was written before and
# could have failed. (2) At least three starts for each setting, with their spread, and the baseline beside them. (3)
# The measure fits the question (updates until the error is below some value, or the error after a fixed number, said
# which). (4) The conclusion follows from the numbers: differences smaller than the spread are called undecided, and
# "not yet" is not called "cannot". A refuted expectation, well shown, earns all four.

# %% [markdown]
# ## What to conclude
#
# | trouble | remedy | what it does | what it does not do |
# |---|---|---|---|
# | exploding, NaN | clip by the global norm | shortens, keeps the direction | nothing against vanishing |
# | vanishing through $U$ | orthogonal start | $U$ keeps every length | slopes of tanh still shrink it |
# | vanishing through slopes | ReLU with $U = I$ | passes everything at the start | states explode: clip |
# | both of these | gates (lessons 04, 05) | *learn* what to keep | no better before training |
# | memory, waiting | truncated BPTT | stores $k$ states, not $T$ | teaches no lag beyond a chunk |
#
# Three things to take along. **Check** a gradient before you believe it, in float64 and with several steps. **Plot**
# its norm while you train. And when a recurrent network does not learn, compare its score with that of
# someone who reads nothing: a network that stays at the baseline is often not too small. It is hard of hearing: what
# is far back reaches it so faintly that it needs thousands of updates to notice. So do not write *cannot* after 1,200
# of them. Write *not yet*, and say how long you waited.
#
# Next: the LSTM, a cell in which the factor per step is a number the network chooses for itself.
