# A bracket too few in lstm.gates; the rest is right.

# %% * solution

# %% lstm.gates
def lstm_gates(x, h, c, W, U, b):
    """Run an LSTM over whole sequences and keep everything it does.

    x: (batch, T, D), the other arguments as in lstm_step; h and c are the states before the first step.
    Returns a dict with keys "i", "f", "g", "o", "c", "h"; each value is (batch, T, u).
    """
    record = {name: [] for name in "ifgoch"}
    for t in range(x.shape[1]):
        z = ops.matmul(x[:, t], W + ops.matmul(h, U) + b
        i, f, g, o = ops.split(z, 4, axis=-1)
        i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
        c = f * c + i * g
        h = o * ops.tanh(c)
        for name, value in zip("ifgoch", (i, f, g, o, c, h), strict=True):
            record[name].append(value)
    return {name: ops.stack(values, axis=1) for name, values in record.items()}
