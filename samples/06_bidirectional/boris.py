# Everything right, in his own style: NumPy where it is enough, and everything flipped together with its mask.

# %% bi.reverse_valid
def reverse_valid(x, mask):
    """Padding has to end up last again, so: flip all, then roll each row back by its padding."""
    x, mask = np.asarray(x), np.asarray(mask)
    return np.stack([np.roll(row[::-1], -int((~valid).sum()), axis=0) for row, valid in zip(x, mask)])

# %% bi.merge
def merge(forward, backward, mode="concat"):
    if mode is None:
        return [forward, backward]
    table = {"concat": lambda: ops.concatenate([forward, backward], -1), "sum": lambda: ops.add(forward, backward),
             "mul": lambda: ops.multiply(forward, backward), "ave": lambda: ops.add(forward, backward) * 0.5}
    return table[mode]()

# %% bi.layer
class BiRNN(keras.layers.Layer):
    def __init__(self, cell, merge_mode="concat", **kwargs):
        super().__init__(**kwargs)
        self.forward_cell = cell
        self.backward_cell = cell.__class__.from_config(cell.get_config())
        self.merge_mode = merge_mode
        self.supports_masking = True
        self.rnns = [keras.layers.RNN(c, return_sequences=True) for c in (self.forward_cell, self.backward_cell)]

    def build(self, input_shape):
        for rnn in self.rnns:
            rnn.build(input_shape)

    def call(self, x, mask=None):
        turned = None if mask is None else mask[:, ::-1]
        left = self.rnns[0](x, mask=mask)
        right = self.rnns[1](x[:, ::-1], mask=turned)[:, ::-1]
        return join(left, right, self.merge_mode)

    def get_config(self):
        config = super().get_config()
        config["merge_mode"] = self.merge_mode
        config["cell"] = keras.layers.serialize(self.forward_cell)
        return config

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        return cls(keras.layers.deserialize(config.pop("cell")), **config)

# %% bi.final_state
def final_state(forward, backward, mask):
    n = np.asarray(mask).sum(1)
    ends = [f[k - 1] for f, k in zip(np.asarray(forward), n)]
    return np.hstack([np.array(ends), np.asarray(backward)[:, 0]])

# %% bi.bmes_decode
def bmes_decode(characters, tags):
    import re
    tags = "".join(tags)
    cut = re.sub(r"(?<=[ES])(?=.)|(?<=.)(?=[BS])", " ", tags)
    words, start = [], 0
    for piece in cut.split():
        words.append(characters[start:start + len(piece)])
        start += len(piece)
    return words

# %% bi.f1
def word_f1(gold, predicted):
    def spans(sentences):
        out = []
        for number, words in enumerate(sentences):
            at = 0
            for word in words:
                out.append((number, at, at + len(word)))
                at += len(word)
        return set(out)
    g, p = spans(gold), spans(predicted)
    hits = len(g & p)
    return hits / len(p), hits / len(g), 2 * hits / (len(p) + len(g))
