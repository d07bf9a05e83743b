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
        "weights are plain tensors": edit(
            'self.add_weight(name="W", shape=(input_shape[-1], self.units))',
            "keras.random.normal((input_shape[-1], self.units))",
            'self.add_weight(name="b", shape=(self.units,), initializer="zeros")', "ops.zeros(self.units)"),
        "shape from the time axis": edit("input_shape[-1]", "input_shape[1]"),
        "kernel stored transposed": edit("shape=(input_shape[-1], self.units)", "shape=(self.units, input_shape[-1])",
                                         "ops.matmul(x, self.W)", "ops.matmul(x, ops.transpose(self.W))"),
        "bias starts at random numbers": edit(', initializer="zeros"', ""),
        "W starts at zero": edit("self.units))\n", "self.units), initializer='zeros')\n"),
        "bias even if not asked for": edit("if self.use_bias:", "if True:",
                                            "if self.use_bias else y", "if True else y"),
        "never a bias": edit("if self.use_bias:", "if False:", "if self.use_bias else y", "if False else y"),
        "units missing from get_config": edit('"units": self.units, ', ""),
        "use_bias missing from get_config": edit(', "use_bias": self.use_bias', ""),
        "get_config without super": edit("super().get_config() | ", ""),
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
