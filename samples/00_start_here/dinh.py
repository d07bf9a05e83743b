# Makes the weights in `call`, and does not look at the mask.

# %% start.affine
def affine(x, W, b):
    """Apply x W + b at every step of every sequence.

    x: (batch, time, D), W: (D, u), b: (u,). Returns (batch, time, u).
    """
    return ops.matmul(x, W) + b


# %% start.layer
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

# %% start.mask_mean
def mask_mean(x, mask):
    return ops.mean(x, axis=1)
