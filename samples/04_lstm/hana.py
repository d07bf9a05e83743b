# Came half way: the first five exercises, the rest untouched.

# %% lstm.step
def lstm_step(x, h, c, W, U, b):
    """One step of an LSTM.

    x: (batch, D), h and c: (batch, u), W: (D, 4u), U: (u, 4u), b: (4u,); blocks in Keras's order i, f, g, o.
    Returns the new h and the new c, each (batch, u).
    """
    z = ops.matmul(x, W) + ops.matmul(h, U) + b
    i, f, g, o = ops.split(z, 4, axis=-1)
    i, f, o = ops.sigmoid(i), ops.sigmoid(f), ops.sigmoid(o)
    c = f * c + i * ops.tanh(g)
    h = o * ops.tanh(c)
    return h, c

# %% lstm.gates
def lstm_gates(x, h, c, W, U, b):
    """Run an LSTM over whole sequences and keep everything it does.

    x: (batch, T, D), the other arguments as in lstm_step; h and c are the states before the first step.
    Returns a dict with keys "i", "f", "g", "o", "c", "h"; each value is (batch, T, u).
    """
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

# %% lstm.constant_error
def constant_error(f):
    """How much of the cell state at each step is left at the end: the derivative of c_T by c_t, unit by unit.

    f: forget gates (batch, T, u). Returns (batch, T, u); the last entry, t = T, is 1.
    """
    kept = np.ones_like(f)
    for t in range(f.shape[1] - 2, -1, -1):
        kept[:, t] = kept[:, t + 1] * f[:, t + 1]
    return kept

# %% lstm.forget_bias
def forget_bias(units, half_life=None):
    """The bias vector (4 * units,) a new LSTM starts with: 0, but for the forget gate's block.

    half_life: None for the usual forget bias 1; else the number of steps after which half of the
    cell state is left, if nothing but the bias reaches the gate.
    """
    b = np.zeros(4 * units)
    if half_life is None:
        b[units:2 * units] = 1.0
    else:
        f = 0.5 ** (1 / half_life)
        b[units:2 * units] = np.log(f / (1 - f))
    return b

# %% lstm.latch
def latch_weights():
    """Weights of an LSTM with one unit that stores a value at the marker and keeps it until the next marker.

    Inputs are (value, marker). Returns W (2, 4), U (1, 4), b (4,): columns i, f, g, o.
    """
    k = 20.0
    W = np.array([[0.0, 0.0, 1.0, 0.0],   # value: only the candidate looks at it
                  [k, -k, 0.0, 0.0]])     # marker: opens the input gate, closes the forget gate
    U = np.zeros((1, 4))
    b = np.array([-k / 2, k / 2, 0.0, k])
    return W, U, b
