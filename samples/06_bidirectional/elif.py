# Came half way: reversing and merging are right; her layer leaves the outputs reversed and has no get_config.

# %% bi.reverse_valid
def reverse_valid(x, mask):
    T = x.shape[1]
    t = np.arange(T)
    n = np.sum(mask, axis=1, keepdims=True)
    order = np.where(t < n, n - 1 - t, t)
    return np.take_along_axis(np.asarray(x), order[:, :, None], axis=1)

# %% bi.merge
def merge(forward, backward, mode="concat"):
    if mode == "concat":
        return ops.concatenate([forward, backward], axis=2)
    if mode == "sum":
        return forward + backward
    if mode == "mul":
        return forward * backward
    if mode == "ave":
        return forward / 2 + backward / 2
    return forward, backward

# %% bi.layer
class BiRNN(keras.layers.Layer):
    def __init__(self, cell, merge_mode="concat", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.merge_mode = merge_mode
        self.forward_cell = cell
        self.backward_cell = type(cell).from_config(cell.get_config())
        self.f = keras.layers.RNN(self.forward_cell, return_sequences=True)
        self.b = keras.layers.RNN(self.backward_cell, return_sequences=True)

    def build(self, shape):
        self.f.build(shape)
        self.b.build(shape)

    def call(self, x, mask=None):
        return join(self.f(x, mask=mask), self.b(backwards(x, mask), mask=mask), self.merge_mode)
