# Everything right, with NumPy and loops.

# %% start.affine
def affine(x, W, b):
    steps = []
    for t in range(x.shape[1]):
        steps.append(ops.dot(x[:, t], W) + b)
    return ops.stack(steps, axis=1)

# %% start.layer
class Affine(keras.Layer):
    def __init__(self, units, use_bias=True, **rest):
        super().__init__(**rest)
        self.arguments = {"units": int(units), "use_bias": bool(use_bias)}

    def build(self, shape):
        n = self.arguments["units"]
        self.matrix = self.add_weight(shape=[shape[-1], n])
        self.shift = self.add_weight(shape=[n], initializer=keras.initializers.Zeros()) \
            if self.arguments["use_bias"] else 0.0

    def call(self, x):
        return ops.add(ops.matmul(x, self.matrix), self.shift)

    def get_config(self):
        return {**super().get_config(), **self.arguments}

# %% start.mask_mean
def mask_mean(x, mask):
    means = np.zeros((x.shape[0], x.shape[2]))
    for i in range(len(x)):
        if mask[i].any():
            means[i] = x[i][mask[i]].mean(axis=0)
    return means
