"""Answers to lesson 06 as students write them: right ones in other styles, and one for each misconception.

Long because it holds texts, one after the other, and next to no code.
"""

from autograde.authoring.answers import edit

RIGHT = {
    "bi.reverse_valid": {
        "numpy, row by row": '''
def reverse_valid(x, mask):
    x, mask = np.asarray(x), np.asarray(mask)
    out = x.copy()
    for row in range(len(x)):
        n = int(mask[row].sum())
        out[row, :n] = x[row, :n][::-1]
    return out
''',
        "flip everything, then roll the padding back": '''
def reverse_valid(x, mask):
    T = x.shape[1]
    flipped = ops.flip(ops.convert_to_tensor(x), axis=1)
    padding = T - ops.sum(ops.cast(mask, "int32"), axis=1)
    places = (ops.arange(T)[None, :] + padding[:, None]) % T
    return ops.take_along_axis(flipped, places[:, :, None], axis=1)
''',
        "a stable sort puts the padding last": '''
def reverse_valid(x, mask):
    t = np.arange(mask.shape[1])
    order = np.argsort(np.where(mask, -t, 1), axis=1, kind="stable")
    return np.take_along_axis(x, order[:, :, None], axis=1)
''',
        "a permutation matrix": '''
def reverse_valid(x, mask):
    T = x.shape[1]
    t = ops.arange(T)
    n = ops.sum(ops.cast(mask, "int32"), axis=1)
    source = n[:, None] - 1 - t[None, :]
    permute = ops.one_hot(source, T, dtype="float32")   # a negative index gives a row of zeros
    return ops.einsum("bts,bsd->btd", permute, x)
''',
        "all flipped, then each row rolled": '''
def reverse_valid(x, mask):
    """Padding has to end up last again, so: flip all, then roll each row back by its padding."""
    x, mask = np.asarray(x), np.asarray(mask)
    return np.stack([np.roll(row[::-1], -int((~valid).sum()), axis=0) for row, valid in zip(x, mask)])
''',
        "numpy take_along_axis": '''
def reverse_valid(x, mask):
    T = x.shape[1]
    t = np.arange(T)
    n = np.sum(mask, axis=1, keepdims=True)
    order = np.where(t < n, n - 1 - t, t)
    return np.take_along_axis(np.asarray(x), order[:, :, None], axis=1)
''',
        "TensorFlow's gather": '''
def reverse_valid(x, mask):
    import tensorflow as tf
    steps = tf.range(tf.shape(x)[1])
    length = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True)
    return tf.gather(x, tf.where(mask, length - 1 - steps, steps), batch_dims=1)
''',
        "rows taken apart and put together": '''
def reverse_valid(x, mask):
    rows = []
    for row, valid in zip(x, mask):
        n = np.count_nonzero(valid)
        rows.append(ops.concatenate([ops.flip(row[:n], axis=0), row[n:]], axis=0))
    return ops.stack(rows)
''',
        "two index arrays": '''
def reverse_valid(x, mask):
    out = np.zeros_like(x)
    rows, steps = np.nonzero(mask)
    out[rows, mask.sum(axis=1)[rows] - 1 - steps] = x[rows, steps]
    return out
''',
        "one step at a time": '''
def reverse_valid(x, mask):
    T = x.shape[1]
    n = ops.sum(ops.cast(mask, "int32"), axis=1)
    steps = []
    for t in range(T):
        source = ops.where(n > t, n - 1 - t, t)
        steps.append(ops.sum(x * ops.expand_dims(ops.one_hot(source, T), -1), axis=1))
    return ops.stack(steps, axis=1)
''',
    },
    "bi.merge": {
        "a dictionary of functions": '''
def merge(forward, backward, mode="concat"):
    ways = {
        "concat": lambda f, b: np.concatenate([f, b], -1), "sum": lambda f, b: f + b,
        "mul": lambda f, b: f * b, "ave": lambda f, b: 0.5 * f + 0.5 * b, None: lambda f, b: [f, b],
    }
    return ways[mode](forward, backward)
''',
        "stacked first": '''
def merge(forward, backward, mode="concat"):
    both = ops.stack([forward, backward], axis=2)
    match mode:
        case None:
            return both[:, :, 0], both[:, :, 1]
        case "concat":
            B, T, _, u = both.shape
            return ops.reshape(both, (B, T, 2 * u))
        case "sum":
            return ops.sum(both, axis=2)
        case "mul":
            return ops.prod(both, axis=2)
        case "ave":
            return ops.mean(both, axis=2)
''',
        "a table of lambdas": '''
def merge(forward, backward, mode="concat"):
    if mode is None:
        return [forward, backward]
    table = {"concat": lambda: ops.concatenate([forward, backward], -1), "sum": lambda: ops.add(forward, backward),
             "mul": lambda: ops.multiply(forward, backward), "ave": lambda: ops.add(forward, backward) * 0.5}
    return table[mode]()
''',
        "Keras's merging layers": '''
def merge(forward, backward, mode="concat"):
    layers = {"concat": keras.layers.Concatenate, "sum": keras.layers.Add, "mul": keras.layers.Multiply,
              "ave": keras.layers.Average}
    return layers[mode]()([forward, backward]) if mode else (forward, backward)
''',
        "each unit written into its place": '''
def merge(forward, backward, mode="concat"):
    if mode is None:
        return forward, backward
    forward, backward = np.asarray(forward), np.asarray(backward)
    if mode != "concat":
        total = forward + backward
        return {"sum": total, "ave": total * 0.5, "mul": forward * backward}[mode]
    u = forward.shape[-1]
    y = np.empty(forward.shape[:-1] + (2 * u,), forward.dtype)
    y[..., :u], y[..., u:] = forward, backward
    return y
''',
    },
    "bi.layer": {
        "everything flipped, the mask too": '''
class BiRNN(keras.layers.Layer):
    def __init__(self, cell, merge_mode="concat", **kwargs):
        super().__init__(**kwargs)
        self.cell = cell
        self.merge_mode = merge_mode
        self.supports_masking = True
        self.forward_cell = cell
        self.backward_cell = cell.__class__.from_config(cell.get_config())
        self.fwd = keras.layers.RNN(self.forward_cell, return_sequences=True)
        self.bwd = keras.layers.RNN(self.backward_cell, return_sequences=True)

    def build(self, input_shape):
        self.fwd.build(input_shape)
        self.bwd.build(input_shape)
        super().build(input_shape)

    def call(self, x, mask=None):
        flipped = None if mask is None else ops.flip(mask, axis=1)
        b = ops.flip(self.bwd(ops.flip(x, axis=1), mask=flipped), axis=1)
        f = self.fwd(x, mask=mask)
        return join(f, b, self.merge_mode)

    def get_config(self):
        config = super().get_config()
        config["cell"] = keras.saving.serialize_keras_object(self.cell)
        config["merge_mode"] = self.merge_mode
        return config

    @classmethod
    def from_config(cls, config):
        config["cell"] = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**config)
''',
        "a loop of its own, no mask needed": '''
class BiRNN(keras.layers.Layer):
    def __init__(self, cell, merge_mode="concat", **kwargs):
        super().__init__(**kwargs)
        if isinstance(cell, dict):
            cell = keras.layers.deserialize(cell)
        self.forward_cell = cell
        self.backward_cell = keras.layers.deserialize(keras.layers.serialize(cell))
        self.merge_mode = merge_mode
        self.supports_masking = True

    def build(self, input_shape):
        for cell in (self.forward_cell, self.backward_cell):
            if not cell.built:
                cell.build((input_shape[0], input_shape[-1]))

    def read(self, cell, x):
        # With the padding behind the valid steps, no valid output can see it.
        states, outputs = cell.get_initial_state(x.shape[0]), []
        for t in range(x.shape[1]):
            y, states = cell(x[:, t], states)
            outputs.append(y)
        return ops.stack(outputs, axis=1)

    def call(self, x, mask=None):
        b = backwards(self.read(self.backward_cell, backwards(x, mask)), mask)
        f = self.read(self.forward_cell, x)
        if self.merge_mode == "concat":
            return ops.concatenate([f, b], -1)
        return {"sum": f + b, "mul": f * b, "ave": (f + b) / 2, None: (f, b)}[self.merge_mode]

    def get_config(self):
        cell = keras.layers.serialize(self.forward_cell)
        return dict(super().get_config(), cell=cell, merge_mode=self.merge_mode)
''',
        "layers made in build": '''
class BiRNN(keras.layers.Layer):
    def __init__(self, cell, merge_mode="concat", **kwargs):
        super().__init__(**kwargs)
        config = cell.get_config()
        self.forward_cell = type(cell).from_config({**config, "name": "forward"})
        self.backward_cell = type(cell).from_config({**config, "name": "backward"})
        self.merge_mode = merge_mode
        self.supports_masking = True

    def build(self, shape):
        self.left_to_right = keras.layers.RNN(self.forward_cell, return_sequences=True)
        self.right_to_left = keras.layers.RNN(self.backward_cell, return_sequences=True)
        for rnn in (self.left_to_right, self.right_to_left):
            rnn.build(shape)

    def call(self, x, mask=None):
        h = self.left_to_right(x, mask=mask)
        g = self.right_to_left(reverse_valid(x, mask) if mask is not None else ops.flip(x, 1), mask=mask)
        g = reverse_valid(g, mask) if mask is not None else ops.flip(g, 1)
        return merge(h, g, self.merge_mode)

    def compute_mask(self, inputs, mask=None):
        return mask

    def get_config(self):
        config = super().get_config()
        config.update(cell=keras.layers.serialize(self.forward_cell), merge_mode=self.merge_mode)
        return config

    @classmethod
    def from_config(cls, config):
        cell = keras.layers.deserialize(config.pop("cell"))
        return cls(cell, **config)
''',
        "an RNN that goes backwards": '''
class BiRNN(keras.layers.Layer):
    def __init__(self, cell, merge_mode="concat", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.merge_mode = merge_mode
        self.forward_cell = cell
        self.backward_cell = keras.layers.deserialize(keras.layers.serialize(cell))
        settings = {"return_sequences": True}
        self.reader = keras.layers.RNN(self.forward_cell, **settings)
        self.other_reader = keras.layers.RNN(self.backward_cell, go_backwards=True, **settings)

    def build(self, input_shape):
        self.reader.build(input_shape)
        self.other_reader.build(input_shape)

    def call(self, x, mask=None):
        from_the_end = self.other_reader(x, mask=mask)     # its first output speaks about the last step
        return join(self.reader(x, mask=mask), from_the_end[:, ::-1], self.merge_mode)

    def get_config(self):
        return super().get_config() | {"merge_mode": self.merge_mode,
                                       "cell": keras.saving.serialize_keras_object(self.forward_cell)}

    @classmethod
    def from_config(cls, config):
        cell = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**(config | {"cell": cell}))
''',
        "two layers in a list, mask turned by slicing": '''
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
''',
    },
    "bi.final_state": {
        "numpy indices": '''
def final_state(forward, backward, mask):
    forward, backward = np.asarray(forward), np.asarray(backward)
    last = np.asarray(mask).sum(axis=1) - 1
    return np.concatenate([forward[np.arange(len(last)), last], backward[:, 0]], axis=1)
''',
        "picked with a one-hot": '''
def final_state(forward, backward, mask):
    T = mask.shape[1]
    last = ops.sum(ops.cast(mask, "int32"), axis=1) - 1
    pick = ops.one_hot(last, T)[:, :, None]
    return ops.concatenate([ops.sum(forward * pick, axis=1), backward[:, 0, :]], axis=-1)
''',
        "the step before the padding": '''
def final_state(forward, backward, mask):
    rows = []
    for f, b, m in zip(forward, backward, mask):
        steps = np.flatnonzero(m)
        rows.append(ops.concatenate([f[steps[-1]], b[steps[0]]]))
    return ops.stack(rows)
''',
        "the last True, from the right": '''
def final_state(forward, backward, mask):
    last = mask.shape[1] - 1 - np.argmax(mask[:, ::-1], axis=1)
    ends = np.stack([forward[row, step] for row, step in enumerate(last)])
    return np.concatenate((ends, backward[:, 0]), axis=-1)
''',
        "the step whose successor is padding": '''
def final_state(forward, backward, mask):
    mask = ops.cast(mask, "float32")
    following = ops.concatenate([mask[:, 1:], ops.zeros_like(mask[:, :1])], axis=1)
    is_last = mask - following
    return ops.concatenate([ops.einsum("bt,btu->bu", is_last, forward), backward[:, 0]], axis=1)
''',
        "TensorFlow's gather_nd": '''
def final_state(forward, backward, mask):
    import tensorflow as tf
    last = tf.reduce_sum(tf.cast(mask, tf.int32), axis=-1) - 1
    where = tf.stack([tf.range(tf.size(last)), last], axis=1)
    return tf.concat([tf.gather_nd(forward, where), backward[:, 0, :]], -1)
''',
        "each row cut at its length": '''
def final_state(forward, backward, mask):
    n = np.asarray(mask).sum(1)
    ends = [f[k - 1] for f, k in zip(np.asarray(forward), n)]
    return np.hstack([np.array(ends), np.asarray(backward)[:, 0]])
''',
    },
    "bi.bmes_decode": {
        "cuts between neighbours": '''
def bmes_decode(characters, tags):
    out = ""
    for i, (c, t) in enumerate(zip(characters, tags)):
        if i and (t in "BS" or tags[i - 1] in "ES"):
            out += " "
        out += c
    return out.split()
''',
        "a buffer": '''
def bmes_decode(characters, tags):
    words, word = [], ""
    for c, t in zip(characters, tags):
        if t in ("B", "S") and word:
            words.append(word)
            word = ""
        word = word + c
        if t == "E" or t == "S":
            words.append(word)
            word = ""
    if word:
        words.append(word)
    return words
''',
        "slices": '''
def bmes_decode(characters, tags):
    starts = [i for i in range(len(tags)) if i == 0 or tags[i] in "BS" or tags[i - 1] in "ES"]
    ends = starts[1:] + [len(tags)]
    return [characters[a:b] for a, b in zip(starts, ends) if b > a]
''',
        "pieces between cut places": '''
def bmes_decode(characters, tags):
    cuts = [0]
    for i in range(1, len(tags)):
        if tags[i - 1] + tags[i] not in ("BM", "BE", "MM", "ME"):
            cuts.append(i)
    cuts.append(len(tags))
    return [characters[a:b] for a, b in zip(cuts, cuts[1:]) if a < b]
''',
        "a dictionary of what follows what": '''
def bmes_decode(characters, tags):
    goes_on = {"B": "ME", "M": "ME", "E": "", "S": "", "": ""}
    words, before = [], ""
    for character, tag in zip(characters, tags):
        if tag in goes_on[before] and words:
            words[-1] = words[-1] + character
        else:
            words += [character]
        before = tag
    return words
''',
        "a generator": '''
def bmes_decode(characters, tags):
    def words():
        start = 0
        for end in range(1, len(tags) + 1):
            if end == len(tags) or tags[end] in "BS" or tags[end - 1] in "ES":
                yield characters[start:end]
                start = end
    return list(words())
''',
        "a regular expression cuts the tags": '''
def bmes_decode(characters, tags):
    import re
    tags = "".join(tags)
    cut = re.sub(r"(?<=[ES])(?=.)|(?<=.)(?=[BS])", " ", tags)
    words, start = [], 0
    for piece in cut.split():
        words.append(characters[start:start + len(piece)])
        start += len(piece)
    return words
''',
    },
    "bi.f1": {
        "loops and lists": '''
def word_f1(gold, predicted):
    def places(sentence):
        start, result = 0, []
        for word in sentence:
            result.append((start, start + len(word)))
            start += len(word)
        return result

    tp = n_gold = n_pred = 0
    for g, p in zip(gold, predicted):
        g, p = places(g), places(p)
        tp += sum(1 for span in p if span in g)
        n_gold += len(g)
        n_pred += len(p)
    if tp == 0:
        return 0.0, 0.0, 0.0
    return tp / n_pred, tp / n_gold, 2 * tp / (n_pred + n_gold)
''',
        "one set with sentence numbers": '''
def word_f1(gold, predicted):
    def collect(sentences):
        found = set()
        for k, words in enumerate(sentences):
            end = 0
            for word in words:
                found.add((k, end, word))
                end += len(word)
        return found
    g, p = collect(gold), collect(predicted)
    precision, recall = len(g & p) / len(p), len(g & p) / len(g)
    total = precision + recall
    return precision, recall, (2 * precision * recall / total if total > 0 else 0)
''',
        "two pointers": '''
def word_f1(gold, predicted):
    from itertools import accumulate
    tp = 0
    for g, p in zip(gold, predicted):
        g_ends, p_ends = [0, *accumulate(map(len, g))], [0, *accumulate(map(len, p))]
        i = j = 1
        while i < len(g_ends) and j < len(p_ends):
            if g_ends[i] == p_ends[j]:
                tp += g_ends[i - 1] == p_ends[j - 1]
                i, j = i + 1, j + 1
            elif g_ends[i] < p_ends[j]:
                i += 1
            else:
                j += 1
    P, R = tp / sum(len(p) for p in predicted), tp / sum(len(g) for g in gold)
    return P, R, 0.0 if tp == 0 else 2 / (1 / P + 1 / R)
''',
        "errors counted": '''
def word_f1(gold, predicted):
    tp, fp, fn = 0, 0, 0
    for g, p in zip(gold, predicted):
        g = {(len("".join(g[:i])), word) for i, word in enumerate(g)}
        p = {(len("".join(p[:i])), word) for i, word in enumerate(p)}
        tp, fp, fn = tp + len(g & p), fp + len(p - g), fn + len(g - p)
    return np.array([tp / (tp + fp), tp / (tp + fn), tp / (tp + (fp + fn) / 2)])
''',
        "spans in one set": '''
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
''',
    },
}

REBUILD = '''
    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "cell": keras.layers.deserialize(config["cell"])})
'''
SERIAL = '"cell": keras.layers.deserialize(config["cell"])'
OWN_LOOP = RIGHT["bi.layer"]["a loop of its own, no mask needed"]
BUFFER = RIGHT["bi.bmes_decode"]["a buffer"]
ONE_SET = RIGHT["bi.f1"]["one set with sentence numbers"]
LOOPS = RIGHT["bi.f1"]["loops and lists"]


def change(source, *old_new):
    """A given text with some of it replaced: a student who wrote it in that style, with a mistake."""
    return edit(*old_new)(source)


WRONG = {
    "bi.reverse_valid": {
        "padding flipped to the front": '''
def reverse_valid(x, mask):
    return ops.flip(x, axis=1)
''',
        "one length for every row, the longest": edit(
            "n = ops.sum(ops.cast(mask, \"int32\"), axis=1, keepdims=True)",
            "n = ops.max(ops.sum(ops.cast(mask, \"int32\"), axis=1, keepdims=True))",
            "index[:, :, None]", "ops.broadcast_to(index[None, :, None], (x.shape[0], T, 1))"),
        "one length for every row, the first row's": '''
def reverse_valid(x, mask):
    n = int(ops.sum(ops.cast(mask[0], "int32")))
    return ops.concatenate([ops.flip(x[:, :n], axis=1), x[:, n:]], axis=1)
''',
        "off by one": edit("n - 1 - t", "n - t"),
        "mask read the wrong way round": edit("ops.cast(mask,", "ops.cast(ops.logical_not(mask),"),
        "length looked up as the first False": '''
def reverse_valid(x, mask):
    n = np.argmin(mask, axis=1)[:, None]
    t = np.arange(x.shape[1])[None]
    return np.take_along_axis(x, np.where(t < n, n - 1 - t, t)[:, :, None], axis=1)
''',
        "branches swapped": edit("n - 1 - t, t)", "t, n - 1 - t)"),
        "batch reversed": '''
def reverse_valid(x, mask):
    return x[::-1] * mask[:, :, None]
''',
        "features reversed": '''
def reverse_valid(x, mask):
    return ops.where(mask[:, :, None], ops.flip(x, axis=-1), x)
''',
    },
    "bi.merge": {
        "backward first": edit("[forward, backward]", "[backward, forward]"),
        "joined along time": edit("axis=-1", "axis=1"),
        "joined along the batch": edit(", axis=-1", ", axis=0"),
        "stacked, not joined": edit("ops.concatenate", "ops.stack"),
        "average without the half": edit("(forward + backward) / 2", "ops.add(forward, backward)"),
        "only the backward half is halved": edit("(forward + backward) / 2", "forward + backward / 2"),
        "averaged over the units": edit(
            "(forward + backward) / 2", "ops.mean(ops.concatenate([forward, backward], axis=-1), axis=-1)"),
        "mul as a matrix product": edit("forward * backward", "ops.matmul(forward, backward)"),
        "mul as an inner product": edit("forward * backward", "ops.sum(forward * backward, axis=-1)"),
        "None, backward first": edit("return forward, backward", "return backward, forward"),
        "None stacks the two": edit("return forward, backward", "return ops.stack([forward, backward])"),
        "None treated as concat": '''
def merge(forward, backward, mode="concat"):
    if mode == "sum":
        return forward + backward
    elif mode == "mul":
        return forward * backward
    elif mode == "ave":
        return (forward + backward) / 2
    else:
        return ops.concatenate([forward, backward], axis=-1)
''',
    },
    "bi.layer": {
        "both cells read forwards": edit("self.backward_rnn(backwards(x, mask)", "self.backward_rnn(x",
                                         "backwards(backward, mask)", "backward"),
        "backward outputs left reversed": edit("backwards(backward, mask)", "backward"),
        "reversed after reading only": edit("self.backward_rnn(backwards(x, mask)", "self.backward_rnn(x"),
        "one set of weights for both": edit("type(cell).from_config(cell.get_config())", "cell"),
        "the second cell made from the units alone": edit("type(cell).from_config(cell.get_config())",
                                                          "type(cell)(cell.units)"),
        "mask not flipped with the sequence": edit("backwards(x, mask)", "ops.flip(x, axis=1)",
                                                   "backwards(backward, mask)", "ops.flip(backward, axis=1)"),
        "mask flipped, sequence not": edit(
            "self.backward_rnn(backwards(x, mask), mask=mask)",
            "self.backward_rnn(backwards(x, mask), mask=None if mask is None else ops.flip(mask, axis=1))"),
        "padding read first": edit("self.backward_rnn(backwards(x, mask), mask=mask)",
                                   "self.backward_rnn(x[:, ::-1])",
                                   "backwards(backward, mask)", "backward[:, ::-1]"),
        "flipped back with the padding": edit("backwards(backward, mask)", "ops.flip(backward, axis=1)"),
        "merge mode ignored": edit(
            "join(forward, backwards(backward, mask), self.merge_mode)",
            "ops.concatenate([forward, backwards(backward, mask)], -1)"),
        "backward first": edit("join(forward, backwards(backward, mask)",
                               "join(backwards(backward, mask), forward"),
        "the mask ends here": edit("        self.supports_masking = True\n", ""),
        "states kept between calls": edit("return_sequences=True", "return_sequences=True, stateful=True"),
        "NumPy in call": edit("backwards(backward, mask)", "backwards(np.asarray(backward), mask)"),
        "config without super": edit("{**super().get_config(), ", "{"),
        "another kind of cell after loading": edit(
            'keras.layers.deserialize(config["cell"])',
            'keras.layers.GRUCell(config["cell"]["config"]["units"])'),
        "config without the merge mode": edit(', "merge_mode": self.merge_mode}', "}"),
        "config without the cell": edit('"cell": cell, ', "", "**{**config, " + SERIAL + "}", "**config"),
        "cell not rebuilt from its config": edit(REBUILD, ""),
        "cell built twice": change(OWN_LOOP, """            if not cell.built:
                cell.build""", """            cell.build"""),
    },
    "bi.final_state": {
        "out[:, -1]": '''
def final_state(forward, backward, mask):
    return ops.concatenate([forward, backward], axis=-1)[:, -1]
''',
        "both at the last valid step": edit(
            "take_along_axis(forward,", "take_along_axis(ops.concatenate([forward, backward], axis=-1),",
            "ops.concatenate([end, backward[:, 0]], axis=-1)", "end"),
        "the last step times the mask": '''
def final_state(forward, backward, mask):
    kept = [states * np.expand_dims(mask, 2) for states in (forward, backward)]
    return np.concatenate((kept[0][:, -1], kept[1][:, 0]), axis=-1)
''',
        "forward at the last padded step": '''
def final_state(forward, backward, mask):
    return ops.concatenate([forward[:, -1], backward[:, 0]], axis=-1)
''',
        "both at the first step": '''
def final_state(forward, backward, mask):
    return ops.concatenate([forward[:, 0], backward[:, 0]], axis=-1)
''',
        "ends swapped": edit("take_along_axis(forward", "take_along_axis(backward",
                             "[end, backward[:, 0]]", "[forward[:, 0], end]"),
        "backward first": edit("[end, backward[:, 0]]", "[backward[:, 0], end]"),
        "one length for every row": '''
def final_state(forward, backward, mask):
    last = int(ops.max(ops.sum(ops.cast(mask, "int32"), axis=1))) - 1
    return ops.concatenate([forward[:, last], backward[:, 0]], axis=-1)
''',
        "off by one": edit(", axis=1) - 1", ", axis=1)"),
        "added, not joined": edit("ops.concatenate([end, backward[:, 0]], axis=-1)", "end + backward[:, 0]"),
        "mean over the valid steps": '''
def final_state(forward, backward, mask):
    both = ops.concatenate([forward, backward], axis=-1)
    valid = ops.cast(mask, "float32")[:, :, None]
    return ops.sum(both * valid, axis=1) / ops.sum(valid, axis=1)
''',
    },
    "bi.bmes_decode": {
        "cuts only after E and S": change(BUFFER, '''        if t in ("B", "S") and word:
            words.append(word)
            word = ""
''', ""),
        "cuts only before B and S": '''
def bmes_decode(characters, tags):
    words = []
    for c, t in zip(characters, tags):
        if t in "BS" or not words:
            words.append(c)
        else:
            words[-1] += c
    return words
''',
        "the last word lost": change(BUFFER, '''    if word:
        words.append(word)
    return''', "    return"),
        "middle characters lost": change(BUFFER, "        word = word + c\n",
                                         '        if t != "M":\n            word = word + c\n'),
        "S does not cut": change(BUFFER, 't in ("B", "S") and word', 't == "B" and word',
                                 'if t == "E" or t == "S"', 'if t == "E"'),
        "cuts before E": '''
def bmes_decode(characters, tags):
    words, word = [], ""
    for c, t in zip(characters, tags):
        if t in "ES" and word:
            words.append(word)
            word = ""
        word += c
    return words + [word] if word else words
''',
        "unfinished words dropped": '''
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
        else:
            words.append(word + c)
            word = ""
    return words
''',
        "a sentence must begin with B or S": edit(
            'if tag in "BS" or not open_word:', 'if tag in "BS" or (words and not open_word):'),
        "an empty word at the end": change(BUFFER, '''    if word:
        words.append(word)
''', "    words.append(word)\n"),
    },
    "bi.f1": {
        "characters, not words": '''
def word_f1(gold, predicted):
    def tags(words):
        return "".join("S" if len(w) == 1 else "B" + "M" * (len(w) - 2) + "E" for w in words)
    right = total = 0
    for g, p in zip(gold, predicted):
        right += sum(a == b for a, b in zip(tags(g), tags(p)))
        total += len(tags(g))
    if right == 0:
        return 0.0, 0.0, 0.0
    precision = recall = right / total
    return precision, recall, 2 * precision * recall / (precision + recall)
''',
        "words without their places": '''
def word_f1(gold, predicted):
    right = sum(len(set(g) & set(p)) for g, p in zip(gold, predicted))
    precision = right / sum(len(set(p)) for p in predicted)
    recall = right / sum(len(set(g)) for g in gold)
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0
''',
        "words without their places, over all words": '''
def word_f1(gold, predicted):
    right = sum(len(set(g) & set(p)) for g, p in zip(gold, predicted))
    precision = right / sum(len(p) for p in predicted)
    recall = right / sum(len(g) for g in gold)
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0
''',
        "bag of words": '''
def word_f1(gold, predicted):
    from collections import Counter
    right = sum((Counter(g) & Counter(p)).total() for g, p in zip(gold, predicted))
    precision = right / sum(len(p) for p in predicted)
    recall = right / sum(len(g) for g in gold)
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0
''',
        "the i-th word against the i-th word": '''
def word_f1(gold, predicted):
    right = sum(a == b for g, p in zip(gold, predicted) for a, b in zip(g, p))
    precision = right / sum(len(p) for p in predicted)
    recall = right / sum(len(g) for g in gold)
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0
''',
        "cuts, not words": edit("{(end - len(word), end) for word, end in zip(words, ends, strict=True)}",
                                "set(ends.tolist())"),
        "geometric mean": edit("2 * precision * recall / (precision + recall) if right else 0.0",
                               "(precision * recall) ** 0.5"),
        "the 2 forgotten": edit("2 * precision", "precision"),
        "averaged over sentences": '''
def word_f1(gold, predicted):
    def spans(words):
        ends = np.cumsum([len(word) for word in words])
        return {(end - len(word), end) for word, end in zip(words, ends)}

    scores = []
    for g, p in zip(gold, predicted):
        right = len(spans(g) & spans(p))
        precision, recall = right / len(p), right / len(g)
        scores.append((precision, recall, 2 * precision * recall / (precision + recall) if right else 0))
    return np.mean(scores, axis=0)
''',
        "all sentences in one set": change(ONE_SET, "(k, end, word)", "(end, end + len(word))"),
        "precision and recall swapped": edit("return precision, recall, f1", "return recall, precision, f1"),
        "arithmetic mean": edit("2 * precision * recall / (precision + recall) if right else 0.0",
                                "(precision + recall) / 2"),
        "right over all": change(LOOPS, "2 * tp / (n_pred + n_gold)", "tp / (n_pred + n_gold - tp)"),
        "nothing right divides by zero": edit(" if right else 0.0", ""),
        "nothing right is not a number": '''
def word_f1(gold, predicted):
    def spans(words):
        ends = np.cumsum([len(w) for w in words])
        return {(int(e) - len(w), int(e)) for w, e in zip(words, ends)}
    right = np.sum([len(spans(g) & spans(p)) for g, p in zip(gold, predicted)])
    precision = right / np.sum([len(p) for p in predicted])
    recall = right / np.sum([len(g) for g in gold])
    return precision, recall, 2 * precision * recall / (precision + recall)
''',
    },
}

STRANGERS = {
    "bi.reverse_valid": {
        "one step too far, in NumPy": ('''
def reverse_valid(x, mask):
    n = mask.sum(axis=1)[:, None]
    t = np.arange(x.shape[1])
    return np.take_along_axis(x, np.where(t < n, n - t, t)[..., None], axis=1)
''', 0, {"off by one"}),
        "a list of lists turned": ('''
def reverse_valid(x, mask):
    rows = x.tolist()
    return np.array([row[::-1] for row in rows], "float32")
''', 1, {"padding flipped to the front"}),
        "written into x": ('''
def reverse_valid(x, mask):
    for row, n in enumerate(mask.sum(1)):
        x[row, :n] = x[row, :n][::-1].copy()
    return x
''', 3, {"changes its inputs"}),
    },
    "bi.merge": {
        "@ in NumPy": ('''
def merge(forward, backward, mode="concat"):
    if mode is None:
        return [forward, backward]
    return {"concat": lambda: np.concatenate([forward, backward], 2), "sum": lambda: forward + backward,
            "mul": lambda: forward @ backward, "ave": lambda: np.mean([forward, backward], axis=0)}[mode]()
''', 2, {"mul as a matrix product"}),
        "added in place": ('''
def merge(forward, backward, mode="concat"):
    if mode is None:
        return forward, backward
    if mode == "concat":
        return np.append(forward, backward, axis=-1)
    if mode == "mul":
        forward *= backward
    else:
        forward += backward
    return forward / 2 if mode == "ave" else forward
''', 3, {"changes its inputs"}),
    },
    "bi.final_state": {
        "one step too far, in NumPy": ('''
def final_state(forward, backward, mask):
    n = np.count_nonzero(mask, axis=1)
    return np.hstack([forward[np.arange(len(n)), n], backward[:, 0]])
''', 0, {"off by one"}),
        "mask times output, last position": ('''
def final_state(forward, backward, mask):
    m = mask[:, :, None]
    return np.concatenate([(forward * m)[:, -1], (backward * m)[:, 0]], axis=1)
''', 1, {"the last step times the mask"}),
    },
    "bi.bmes_decode": {
        "two lists, the tags looked at first": ('''
def bmes_decode(characters, tags):
    import re
    words, at = [], 0
    for piece in re.findall("BM*E|S", "".join(tags)):
        words.append(characters[at:at + len(piece)])
        at += len(piece)
    return words
''', 2, set()),
        "needs a first word": ('''
def bmes_decode(characters, tags):
    result, is_open = [], True
    for c, t in zip(characters, tags):
        if t in ["B", "S"] or not is_open:
            result.append(c)
        else:
            result[len(result) - 1] = result[len(result) - 1] + c
        is_open = t not in ["E", "S"]
    return result
''', 2, {"a sentence must begin with B or S"}),
    },
    "bi.f1": {
        "starts": (edit("{(end - len(word), end) for word, end in zip(words, ends, strict=True)}",
                        "{int(end) - len(word) for word, end in zip(words, ends)}"), 0, {"cuts, not words"}),
        "words taken out of the list": ('''
def word_f1(gold, predicted):
    def spans(words):
        found, start = set(), 0
        while words:
            word = words.pop(0)
            found.add((start, start + len(word)))
            start += len(word)
        return found
    right = n_gold = n_predicted = 0
    for g, p in zip(gold, predicted):
        g, p = spans(g), spans(p)
        right, n_gold, n_predicted = right + len(g & p), n_gold + len(g), n_predicted + len(p)
    return right / n_predicted, right / n_gold, 2 * right / (n_predicted + n_gold)
''', 4, {"changes its inputs"}),
        "0 / 0 in NumPy": ('''
def word_f1(gold, predicted):
    def ends(sentence):
        return np.cumsum([len(w) for w in sentence])
    hit = 0
    for g, p in zip(gold, predicted):
        g, p = ends(g), ends(p)
        hit += len(set(zip(np.r_[0, g[:-1]], g)) & set(zip(np.r_[0, p[:-1]], p)))
    P = np.float64(hit) / sum(len(p) for p in predicted)
    R = np.float64(hit) / sum(len(g) for g in gold)
    return P, R, 2 * P * R / (P + R)
''', 4, {"nothing right is not a number"}),
    },
}
