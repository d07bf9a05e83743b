"""Answers to lesson 04 as students write them: right ones in other styles, and one for each misconception."""

from tests.answers import edit

RIGHT = {
    "lstm.step": {
        "numpy, gates sliced by hand": '''
def lstm_step(x, h, c, W, U, b):
    u = h.shape[-1]
    z = x @ W + h @ U + b
    sig = lambda a: 1 / (1 + np.exp(-a))
    i, f, g, o = z[:, :u], z[:, u:2*u], z[:, 2*u:3*u], z[:, 3*u:]
    c_new = sig(f) * c + sig(i) * np.tanh(g)
    return sig(o) * np.tanh(c_new), c_new
''',
        "concatenated weights": '''
def lstm_step(x, h, c, W, U, b):
    z = ops.concatenate([x, h], axis=-1) @ ops.concatenate([W, U], axis=0) + b
    i, f, g, o = ops.split(z, 4, axis=1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c), c
''',
    },
}

WRONG = {
    "lstm.step": {
        "no forget gate": edit("f * c +", "c +"),
        "input and forget gate swapped": edit("i, f, g, o = ops.split", "f, i, g, o = ops.split"),
        "order i, f, o, g": edit("i, f, g, o = ops.split", "i, f, o, g = ops.split"),
        "no tanh of the cell state": edit("o * ops.tanh(c)", "o * c"),
        "output from the old cell": edit(
            "    c = f * c + i * ops.tanh(g)\n    h = o * ops.tanh(c)",
            "    h = o * ops.tanh(c)\n    c = f * c + i * ops.tanh(g)"),
        "coupled gates": edit("f * c +", "(1 - i) * c +"),
        "candidate through a sigmoid": edit("i * ops.tanh(g)", "i * ops.sigmoid(g)"),
        "bias left out": edit(" + b\n", "\n"),
        "recurrent part left out": edit(" + ops.matmul(h, U)", ""),
    },
}
