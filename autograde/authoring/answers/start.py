"""Answers to lesson 00 as students write them: right ones in other styles, and one for each misconception."""

from autograde.authoring.answers import edit

RIGHT = {
    "start.affine": {
        "numpy operators": '''
def affine(x, W, b):
    return x @ W + b
''',
        "einsum": '''
def affine(x, W, b):
    return ops.einsum("btd,du->btu", x, W) + ops.reshape(b, (1, 1, -1))
''',
        "all rows at once, reshaped": '''
def affine(x, W, b):
    B, T, D = x.shape
    rows = x.reshape(B * T, D).dot(W)
    rows += b
    return rows.reshape(B, T, -1)
''',
        "step by step, stacked": '''
def affine(x, W, b):
    steps = []
    for t in range(x.shape[1]):
        steps.append(ops.dot(x[:, t], W) + b)
    return ops.stack(steps, axis=1)
''',
    },
    "start.layer": {
        "use_bias through an if, shapes written out": '''
class Affine(keras.layers.Layer):
    def __init__(self, units, use_bias=True, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.units = units
        self.use_bias = use_bias

    def build(self, input_shape):
        batch, time, features = input_shape
        self.w = self.add_weight(name="w", shape=(features, self.units), initializer="glorot_uniform")
        if self.use_bias:
            self.b = self.add_weight(name="b", shape=(self.units,), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs):
        out = inputs @ self.w
        if self.use_bias:
            out = out + self.b
        return out

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units, "use_bias": self.use_bias})
        return config
''',
        "keras.layers.Dense inside": '''
class Affine(keras.layers.Layer):
    def __init__(self, units, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.units, self.use_bias = units, use_bias
        self.dense = keras.layers.Dense(units, use_bias=use_bias)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "use_bias": self.use_bias}
''',
        "the two arguments kept in a dict": '''
class Affine(keras.Layer):
    def __init__(self, units, use_bias=True, **rest):
        super().__init__(**rest)
        self.arguments = {"units": int(units), "use_bias": bool(use_bias)}

    def build(self, shape):
        n = self.arguments["units"]
        self.matrix = self.add_weight(shape=[shape[-1], n])
        self.shift = self.add_weight(shape=[n], initializer=keras.initializers.Zeros()) \\
            if self.arguments["use_bias"] else 0.0

    def call(self, x):
        return ops.add(ops.matmul(x, self.matrix), self.shift)

    def get_config(self):
        return {**super().get_config(), **self.arguments}
''',
    },
    "start.mask_mean": {
        "numpy, one sequence at a time": '''
def mask_mean(x, mask):
    means = np.zeros((x.shape[0], x.shape[2]))
    for i in range(len(x)):
        if mask[i].any():
            means[i] = x[i][mask[i]].mean(axis=0)
    return means
''',
        "where, and a tiny number below": '''
def mask_mean(x, mask):
    kept = ops.where(mask[:, :, None], x, 0.0)
    n = ops.sum(ops.cast(mask, "float32"), axis=1)
    return ops.sum(kept, axis=1) / (n[:, None] + 1e-9)
''',
        "a matrix product over time": '''
def mask_mean(x, mask):
    m = ops.cast(mask, "float32")[:, None, :]
    total = ops.matmul(m, x)[:, 0]
    return total / ops.clip(ops.sum(m, axis=-1), 1.0, 1e9)
''',
        "weights that add up to one": '''
def mask_mean(x, mask):
    w = mask.astype("float32")
    w = w / np.maximum(w.sum(axis=1, keepdims=True), 1)
    return ops.einsum("bt,btd->bd", w, x)
''',
    },
}

WRONG = {
    "start.affine": {
        "bias left out": edit("ops.matmul(x, W) + b", "ops.matmul(x, W)"),
        "W transposed": edit("ops.matmul(x, W)", "ops.matmul(x, ops.transpose(W))"),
        "bias added first": edit("ops.matmul(x, W) + b", "ops.matmul(x + b, W)"),
        "an activation too many": edit("ops.matmul(x, W) + b", "ops.tanh(ops.matmul(x, W) + b)"),
        "a ReLU too many": edit("ops.matmul(x, W) + b", "ops.relu(ops.matmul(x, W) + b)"),
        "only the last step": edit("ops.matmul(x, W)", "ops.matmul(x[:, -1], W)"),
        "summed over time": '''
def affine(x, W, b):
    return sum(ops.matmul(x[:, t], W) + b for t in range(x.shape[1]))
''',
    },
    "start.layer": {
        "weights made in call": '''
class Affine(keras.layers.Layer):
    def __init__(self, units, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.units, self.use_bias = units, use_bias

    def call(self, x):
        W = self.add_weight(shape=(x.shape[-1], self.units))
        y = ops.matmul(x, W)
        return y + self.add_weight(shape=(self.units,), initializer="zeros") if self.use_bias else y

    def get_config(self):
        return super().get_config() | {"units": self.units, "use_bias": self.use_bias}
''',
        "weights that Keras does not know": edit(
            'self.add_weight(name="W", shape=(input_shape[-1], self.units))',
            "keras.random.normal((input_shape[-1], self.units))",
            'self.add_weight(name="b", shape=(self.units,), initializer="zeros")', "ops.zeros(self.units)"),
        "shape from the time axis": edit("input_shape[-1]", "input_shape[1]"),
        "kernel stored transposed": edit("shape=(input_shape[-1], self.units)", "shape=(self.units, input_shape[-1])",
                                         "ops.matmul(x, self.W)", "ops.matmul(x, ops.transpose(self.W))"),
        "bias does not start at zero": edit(', initializer="zeros"', ""),
        "W starts at zero": edit("self.units))\n", "self.units), initializer='zeros')\n"),
        "W the same number everywhere": edit("self.units))\n", "self.units), initializer='ones')\n"),
        "weights not trained": edit('name="W", ', 'name="W", trainable=False, ', 'name="b", ',
                                    'name="b", trainable=False, '),
        "bias even if not asked for": edit("if self.use_bias:", "if True:",
                                            "if self.use_bias else y", "if True else y"),
        "never a bias": edit("if self.use_bias:", "if False:", "if self.use_bias else y", "if False else y"),
        "units missing from get_config": edit('"units": self.units, ', ""),
        "use_bias missing from get_config": edit(', "use_bias": self.use_bias', ""),
        "get_config without super": edit("super().get_config() | ", ""),
        "transposed in call": edit("ops.matmul(x, self.W)", "ops.matmul(x, ops.transpose(self.W))"),
        "bias before the matrix": edit(
            'self.W = self.add_weight(name="W", shape=(input_shape[-1], self.units))\n        if', "if",
            'initializer="zeros")\n', 'initializer="zeros")\n'
            '        self.W = self.add_weight(name="W", shape=(input_shape[-1], self.units))\n'),
        "bias never added": edit("return y + self.b if self.use_bias else y", "return y"),
        "NumPy inside call": edit("ops.matmul(x, self.W)", "np.matmul(x, self.W)"),
        "no gradient": edit("y = ops.matmul(x, self.W)", "y = ops.matmul(x, ops.stop_gradient(self.W))",
                            "y + self.b", "y + ops.stop_gradient(self.b)"),
        "W turned into an array": edit("ops.matmul(x, self.W)", "ops.matmul(x, np.array(self.W))"),
        "keywords not passed on": edit("use_bias=True, **kwargs", "use_bias=True", "__init__(**kwargs)", "__init__()"),
    },
    "start.mask_mean": {
        "mean over padding": '''
def mask_mean(x, mask):
    return ops.mean(x, axis=1)
''',
        "divided by T": '''
def mask_mean(x, mask):
    return ops.mean(x * ops.expand_dims(ops.cast(mask, x.dtype), -1), axis=1)
''',
        "mask inverted": edit("ops.cast(mask, x.dtype)", "1 - ops.cast(mask, x.dtype)"),
        "divided by the whole batch's steps": edit("ops.sum(w, axis=1)", "ops.sum(w)"),
        "one mean for the whole batch": '''
def mask_mean(x, mask):
    return x[mask].mean(axis=0)
''',
        "divided by the longest length": edit("ops.sum(w, axis=1)", "ops.max(ops.sum(w, axis=1))"),
        "one added to the count": edit("ops.maximum(ops.sum(w, axis=1), 1)", "(ops.sum(w, axis=1) + 1)"),
        "the first steps instead of the valid ones": '''
def mask_mean(x, mask):
    n = mask.sum(axis=1)
    return np.stack([x[i, :n[i]].sum(axis=0) / max(n[i], 1) for i in range(len(x))])
''',
        "not a number where nothing is valid": edit("ops.maximum(ops.sum(w, axis=1), 1)", "ops.sum(w, axis=1)"),
        "time axis kept": edit("ops.sum(x * w, axis=1)", "ops.sum(x * w, axis=1, keepdims=True)",
                               "ops.sum(w, axis=1)", "ops.sum(w, axis=1, keepdims=True)"),
    },
}

# By people who never saw the oracle: the answer, its points, and the names of all that may be said of it.
STRANGERS = {
    "start.affine": {
        "five steps": ('''
def affine(x, W, b):
    return np.stack([x[:, t] @ W + b for t in range(5)], axis=1)
''', 0, set()),
        "squeezed": (edit("ops.matmul(x, W) + b", "ops.squeeze(ops.matmul(x, W) + b)"), 0, set()),
        "x wiped out afterwards": ('''
def affine(x, W, b):
    y = x @ W + b
    x[:] = 0
    return y
''', 1, {"changes its inputs"}),
        "time before batch": ('''
def affine(x, W, b):
    B, T, D = x.shape
    return (x.transpose(1, 0, 2).reshape(-1, D) @ W + b).reshape(B, T, -1)
''', 0.5, set()),
        "lists": ('''
def affine(x, W, b):
    return [[[sum(xi * w for xi, w in zip(xt, col)) + bj for col, bj in zip(W.T, b)] for xt in s] for s in x]
''', 2, set()),
    },
    "start.layer": {
        "bias made in __init__": (edit(
            "self.use_bias = use_bias", "self.use_bias = use_bias\n        if use_bias:\n"
            '            self.b = self.add_weight(name="b", shape=(units,), initializer="zeros")',
            '        if self.use_bias:\n            self.b = self.add_weight(name="b", shape=(self.units,), '
            'initializer="zeros")\n\n    def call', "\n    def call"), 1.5, {"bias before the matrix"}),
        "tf.Variable": (edit(
            'self.add_weight(name="W", shape=(input_shape[-1], self.units))',
            "__import__('tensorflow').Variable(keras.random.normal((input_shape[-1], self.units)))",
            'self.add_weight(name="b", shape=(self.units,), initializer="zeros")',
            "__import__('tensorflow').Variable(ops.zeros(self.units))"), 0, {"weights that Keras does not know"}),
        "keras.Variable": (edit(
            'self.add_weight(name="W", shape=(input_shape[-1], self.units))',
            "keras.Variable(np.random.randn(input_shape[-1], self.units))",
            'self.add_weight(name="b", shape=(self.units,), initializer="zeros")',
            "keras.Variable(np.zeros(self.units))"), 2, set()),
        "the bias starts at one": (edit('initializer="zeros"', 'initializer="ones"'), 1.5,
                                   {"bias does not start at zero"}),
        "a bias of two axes": (edit("shape=(self.units,)", "shape=(1, self.units)"), 1, set()),
        "counts its calls": (edit("y = ops.matmul(x, self.W)", "self.n = getattr(self, 'n', -1) + 1\n"
                                  "        y = ops.matmul(x, self.W) + self.n"), 0.5, set()),
        "a loop over steps": (edit("ops.matmul(x, self.W)", "ops.stack([ops.matmul(x[:, t], self.W) "
                                   "for t in range(x.shape[1])], axis=1)"), 1.5, set()),
        "features from the batch axis": (edit("input_shape[-1]", "input_shape[0]"), 0, set()),
        "the name kept by hand": (edit("super().get_config() | {", '{"name": self.name, '), 2, set()),
    },
    "start.mask_mean": {
        "masked arrays": ('''
def mask_mean(x, mask):
    m = np.ma.array(x, mask=np.repeat(~mask[..., None], x.shape[-1], axis=-1))
    return m.mean(axis=1).filled(0)
''', 2, set()),
        "what is not zero is valid": ('''
def mask_mean(x, mask):
    x = x * mask[..., None]
    return x.sum(axis=1) / np.maximum((x != 0).sum(axis=1), 1)
''', 0.5, set()),
        "padding overwritten": ('''
def mask_mean(x, mask):
    x[~mask] = 0
    return x.sum(axis=1) / np.maximum(mask.sum(axis=1), 1)[:, None]
''', 1, {"changes its inputs"}),
        "ends at the first padding": ('''
def mask_mean(x, mask):
    n = np.cumprod(mask, axis=1)
    return (x * n[..., None]).sum(axis=1) / np.maximum(n.sum(axis=1), 1)[:, None]
''', 1.5, set()),
        "nanmean": ('''
def mask_mean(x, mask):
    return np.nanmean(np.where(mask[..., None], x, np.nan), axis=1)
''', 1.5, {"not a number where nothing is valid"}),
        "divided by at least two": (edit("ops.sum(w, axis=1), 1)", "ops.sum(w, axis=1), 2)"), 1, set()),
        "the plain mean where nothing is valid": ('''
def mask_mean(x, mask):
    n = mask.sum(axis=1)[:, None]
    return np.where(n > 0, (x * mask[..., None]).sum(axis=1) / np.maximum(n, 1), x.mean(axis=1))
''', 1.5, set()),
    },
}
