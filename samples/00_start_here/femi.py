# Nearly there: forgets use_bias in get_config, and divides by zero where nothing is valid.

# %% start.affine
def affine(x, W, b):
    """Apply x W + b at every step of every sequence.

    x: (batch, time, D), W: (D, u), b: (u,). Returns (batch, time, u).
    """
    return ops.matmul(x, W) + b


# %% start.layer
class Affine(keras.layers.Layer):
    """x W + b at every step, with weights of its own.

    units: the number of outputs u. use_bias: whether there is a b.
    Weights, in this order: W of shape (D, units), random at the start; b of shape (units,), zeros at the start.
    """

    def __init__(self, units, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.use_bias = use_bias

    def build(self, input_shape):
        self.W = self.add_weight(name="W", shape=(input_shape[-1], self.units))
        if self.use_bias:
            self.b = self.add_weight(name="b", shape=(self.units,), initializer="zeros")

    def call(self, x):
        y = ops.matmul(x, self.W)
        return y + self.b if self.use_bias else y

    def get_config(self):
        return super().get_config() | {"units": self.units}

# %% start.mask_mean
def mask_mean(x, mask):
    """Mean over the valid steps of each sequence.

    x: (batch, time, D). mask: (batch, time) of True (a real step) and False (padding).
    Returns (batch, D); zeros for a sequence that has no valid step.
    """
    w = ops.expand_dims(ops.cast(mask, x.dtype), axis=-1)
    return ops.sum(x * w, axis=1) / ops.sum(w, axis=1)
