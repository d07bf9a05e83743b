# Came half way: the three steps and the cell, the rest untouched.

# %% gru.step
def gru_step(x, h, W, U, b):
    """One step of a GRU, reset gate before the product.

    x: (batch, D), h: (batch, u), W: (D, 3u), U: (u, 3u), b: (3u,); blocks in Keras's order z, r, candidate.
    Returns the new h, (batch, u).
    """
    xz, xr, xh = ops.split(ops.matmul(x, W) + b, 3, axis=-1)
    Uz, Ur, Uh = ops.split(U, 3, axis=-1)
    z = ops.sigmoid(xz + ops.matmul(h, Uz))
    r = ops.sigmoid(xr + ops.matmul(h, Ur))
    candidate = ops.tanh(xh + ops.matmul(r * h, Uh))
    return z * h + (1 - z) * candidate

# %% gru.convention
def other_convention(W, U, b):
    """The weights that compute the same states when z changes from the candidate to the old state.

    W: (D, 3u), U: (u, 3u), b: (3u,) or (2, 3u); blocks z, r, candidate. Returns new W, U, b of the same shapes.
    """
    u = U.shape[0]
    sign = np.ones(3 * u, "float32")
    sign[:u] = -1
    return W * sign, U * sign, b * sign

# %% gru.reset_after
def gru_step_reset_after(x, h, W, U, b):
    """One step of a GRU, reset gate after the product.

    x: (batch, D), h: (batch, u), W: (D, 3u), U: (u, 3u); b: (2, 3u), row 0 for x and row 1 for h.
    Returns the new h, (batch, u).
    """
    xz, xr, xh = ops.split(ops.matmul(x, W) + b[0], 3, axis=-1)
    hz, hr, hh = ops.split(ops.matmul(h, U) + b[1], 3, axis=-1)
    z = ops.sigmoid(xz + hz)
    r = ops.sigmoid(xr + hr)
    candidate = ops.tanh(xh + r * hh)
    return z * h + (1 - z) * candidate

# %% gru.cell
@keras.saving.register_keras_serializable("lesson05")
class GRUCell(keras.layers.Layer):
    def __init__(self, units, reset_after=True, **kwargs):
        super().__init__(**kwargs)
        self.units, self.reset_after = int(units), bool(reset_after)

    @property
    def state_size(self):
        return [self.units]

    def build(self, input_shape):
        D, u = input_shape[-1], self.units
        make = self.add_weight
        self.kernel = make(name="kernel", shape=(D, 3 * u), initializer="glorot_uniform")
        self.recurrent_kernel = make(name="recurrent_kernel", shape=(u, 3 * u), initializer="orthogonal")
        shape = (2, 3 * u) if self.reset_after else (3 * u,)
        self.bias = make(name="bias", shape=shape, initializer="zeros")
        super().build(input_shape)

    def call(self, x, states):
        [h] = states
        h = one_step(x, h, self.kernel, self.recurrent_kernel, self.bias)
        return h, (h,)

    def get_config(self):
        config = super().get_config()
        config["units"] = self.units
        config["reset_after"] = self.reset_after
        return config
