# Has the input and the forget gate the wrong way round.

# %% * solution

# %% lstm.step
def lstm_step(x, h, c, W, U, b):
    """One step of an LSTM.

    x: (batch, D), h and c: (batch, u), W: (D, 4u), U: (u, 4u), b: (4u,); blocks in Keras's order i, f, g, o.
    Returns the new h and the new c, each (batch, u).
    """
    z = ops.matmul(x, W) + ops.matmul(h, U) + b
    f, i, g, o = ops.split(z, 4, axis=-1)
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
        f, i, g, o = ops.split(z, 4, axis=-1)
        i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
        c = f * c + i * g
        h = o * ops.tanh(c)
        for name, value in zip("ifgoch", (i, f, g, o, c, h), strict=True):
            record[name].append(value)
    return {name: ops.stack(values, axis=1) for name, values in record.items()}

# %% lstm.forget_bias
def forget_bias(units, half_life=None):
    """The bias vector (4 * units,) a new LSTM starts with: 0, but for the forget gate's block.

    half_life: None for the usual forget bias 1; else the number of steps after which half of the
    cell state is left, if nothing but the bias reaches the gate.
    """
    b = np.zeros(4 * units)
    if half_life is None:
        b[:units] = 1.0
    else:
        f = 0.5 ** (1 / half_life)
        b[:units] = np.log(f / (1 - f))
    return b

# %% lstm.peephole_step
def peephole_step(x, h, c, W, U, b, P):
    """One step of an LSTM with peepholes.

    P: (3, u), the peephole weights of i, f and o. The other arguments and the result are as in lstm_step.
    """
    zi, zf, zg, zo = ops.split(ops.matmul(x, W) + ops.matmul(h, U) + b, 4, axis=-1)
    i = ops.sigmoid(zi + P[1] * c)
    f = ops.sigmoid(zf + P[0] * c)
    c = f * c + i * ops.tanh(zg)
    o = ops.sigmoid(zo + P[2] * c)
    return o * ops.tanh(c), c
