# Uses keras.layers.Bidirectional where he was asked to build it, and throws unfinished words away.

# %% * solution

# %% bi.layer
class BiRNN(keras.layers.Layer):
    def __init__(self, cell, merge_mode="concat", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.merge_mode = merge_mode
        self.inner = keras.layers.Bidirectional(keras.layers.RNN(cell, return_sequences=True), merge_mode=merge_mode)
        self.forward_cell = self.inner.forward_layer.cell
        self.backward_cell = self.inner.backward_layer.cell

    def build(self, shape):
        self.inner.build(shape)

    def call(self, x, mask=None):
        return self.inner(x, mask=mask)

# %% bi.bmes_decode
def bmes_decode(characters, tags):
    words, word = [], ""
    for c, t in zip(characters, tags):
        if t == "S":
            words.append(c)
            word = ""
        elif t == "B":
            word = c
        elif t == "M":
            word += c
        elif t == "E":
            words.append(word + c)
            word = ""
    return words
