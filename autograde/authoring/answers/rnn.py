"""Answers to lesson 02 as students write them: right ones in other styles, and one for each misconception.

Long because it holds texts, one after the other, and next to no code.
"""

from autograde.authoring.answers import edit

RIGHT = {
    "rnn.step": {
        "numpy": '''
def rnn_step(x, h, W, U, b):
    z = x @ W + h @ U + b
    return np.tanh(z)
''',
        "the joined form": '''
def rnn_step(x, h, W, U, b):
    both = ops.concatenate([x, h], axis=1)
    return ops.tanh(both @ ops.concatenate([W, U], axis=0) + b)
''',
        "tanh from exponentials, einsum": '''
def rnn_step(x, h, W, U, b):
    z = ops.einsum("bd,du->bu", x, W) + ops.einsum("bv,vu->bu", h, U) + b[None, :]
    return 1 - 2 / (ops.exp(2 * z) + 1)
''',
    },
    "rnn.concat_form": {
        "numpy vstack and hstack": '''
def concat_form(x, h, W, U, b):
    V = np.vstack([W, U])
    return V, np.tanh(np.hstack([x, h]) @ V + b)
''',
        "filled row by row, taken apart again": '''
def concat_form(x, h, W, U, b):
    D, u = W.shape
    V = np.empty((D + u, u), "float32")
    V[:D] = W
    V[D:] = U
    return V, ops.tanh(ops.matmul(x, V[:D]) + ops.matmul(h, V[D:]) + b)
''',
        "the bias as one more row": '''
def concat_form(x, h, W, U, b):
    V = ops.concatenate([W, U], axis=0)
    with_bias = ops.concatenate([V, b[None]], axis=0)
    one = ops.ones((x.shape[0], 1))
    return V, ops.tanh(ops.concatenate([x, h, one], axis=1) @ with_bias)
''',
    },
    "rnn.unroll": {
        "an array filled step by step": '''
def unroll(x, h0, W, U, b):
    B, T, D = x.shape
    states = np.zeros((B, T, h0.shape[1]), "float32")
    for t in range(T):
        before = h0 if t == 0 else states[:, t - 1]
        states[:, t] = np.tanh(x[:, t] @ W + before @ U + b)
    return states, states[:, -1]
''',
        "time first, then transposed": '''
def unroll(x, h0, W, U, b):
    h = h0
    out = []
    for x_t in ops.transpose(x, (1, 0, 2)):
        h = cell(x_t, h, W, U, b)
        out.append(h)
    return ops.transpose(ops.stack(out), (1, 0, 2)), out[-1]
''',
        "all inputs multiplied at once": '''
def unroll(x, h0, W, U, b):
    from_x = ops.matmul(x, W) + b
    states = [h0]
    for t in range(x.shape[1]):
        states.append(ops.tanh(from_x[:, t] + states[-1] @ U))
    return ops.stack(states[1:], axis=1), states[-1]
''',
    },
    "rnn.layer": {
        "arithmetic mask, input part first": '''
@keras.saving.register_keras_serializable("unrolled_rnn_other")
class SimpleRNN(keras.layers.Layer):
    def __init__(self, units, return_sequences=False, stateful=False, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.return_sequences = return_sequences
        self.stateful = stateful

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform")
        self.recurrent = self.add_weight(shape=(self.units, self.units), initializer="orthogonal")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")
        if self.stateful:
            shape = (input_shape[0], self.units)
            self.kept = self.add_weight(shape=shape, initializer="zeros", trainable=False)
        super().build(input_shape)

    def compute_mask(self, x, mask=None):
        return mask if self.return_sequences else None

    def call(self, x, initial_state=None, mask=None):
        z = ops.matmul(x, self.kernel) + self.bias
        if initial_state is not None:
            h = initial_state
        elif self.stateful:
            h = self.kept.value
        else:
            h = ops.zeros_like(z[:, 0])
        hs = []
        for t in range(x.shape[1]):
            new = ops.tanh(z[:, t] + ops.matmul(h, self.recurrent))
            if mask is not None:
                m = ops.cast(mask[:, t:t + 1], new.dtype)
                new = m * new + (1 - m) * h
            h = new
            hs.append(h)
        if self.stateful:
            self.kept.assign(h)
        if self.return_sequences:
            return ops.stack(hs, axis=1)
        return hs[-1]

    def get_config(self):
        config = super().get_config()
        config.update(units=self.units, return_sequences=self.return_sequences, stateful=self.stateful)
        return config
''',
        "joined matrix made from W and U, Keras's own config": '''
class SimpleRNN(keras.layers.Layer):
    def __init__(self, units, return_sequences=False, stateful=False, **kwargs):
        super().__init__(**kwargs)
        self.units, self.return_sequences, self.stateful = units, return_sequences, stateful
        self.supports_masking = True

    def compute_mask(self, inputs, previous_mask):
        if self.return_sequences:
            return previous_mask

    def build(self, input_shape):
        u = self.units
        self.W = self.add_weight(shape=(input_shape[-1], u))
        self.U = self.add_weight(shape=(u, u))
        self.b = self.add_weight(shape=(u,), initializer="zeros")
        if self.stateful:
            self.h = self.add_weight(shape=(input_shape[0], u), initializer="zeros", trainable=False)

    def call(self, x, initial_state=None, mask=None):
        V = ops.concatenate([self.W, self.U], axis=0)
        h = initial_state
        if h is None and self.stateful:
            h = self.h + 0.0
        elif h is None:
            h = ops.zeros((ops.shape(x)[0], self.units))
        out = []
        for t in range(x.shape[1]):
            new_h = ops.tanh(ops.concatenate([x[:, t], h], axis=-1) @ V + self.b)
            h = new_h if mask is None else ops.where(ops.expand_dims(mask[:, t], 1), new_h, h)
            out += [h]
        if self.stateful:
            self.h.assign(h)
        return ops.stack(out, 1) if self.return_sequences else h
''',
    },
    "rnn.last_valid": {
        "a loop over the batch": '''
def last_valid(states, mask):
    rows = []
    for row, valid in zip(states, mask):
        rows.append(row[np.flatnonzero(valid)[-1]])
    return np.stack(rows)
''',
        "argmax of the reversed mask": '''
def last_valid(states, mask):
    T = mask.shape[1]
    last = T - 1 - np.argmax(mask[:, ::-1], axis=1)
    return states[np.arange(len(states)), last]
''',
        "a one-hot row and a product": '''
def last_valid(states, mask):
    after = ops.cumsum(ops.cast(mask, "int32")[:, ::-1], axis=1)[:, ::-1]
    here = ops.cast(ops.logical_and(mask, after == 1), states.dtype)
    return ops.einsum("bt,btu->bu", here, states)
''',
    },
    "rnn.many_to_many_loss": {
        "keras.losses and a weighted mean": '''
def masked_loss(targets, logits, mask):
    losses = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    weights = ops.cast(mask, "float32")
    return ops.sum(losses * weights) / ops.sum(weights)
''',
        "boolean indexing in numpy": '''
def masked_loss(targets, logits, mask):
    z = logits[mask]
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(z)), targets[mask]].mean()
''',
        "one-hot targets": '''
def masked_loss(targets, logits, mask):
    wanted = ops.one_hot(targets, logits.shape[-1])
    p = ops.sum(wanted * ops.softmax(logits), axis=-1)
    nll = ops.where(mask, -ops.log(p), 0.0)
    return ops.sum(nll) / np.sum(mask)
''',
    },
    "rnn.one_to_many": {
        "numpy": '''
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    ids = np.full(len(h), start)
    logits, chosen = [], []
    for _ in range(steps):
        h = np.tanh(E[ids] @ W + h @ U + b)
        logits.append(h @ Wo + bo)
        ids = logits[-1].argmax(axis=1)
        chosen.append(ids)
    return np.stack(logits, axis=1), np.stack(chosen, axis=1)
''',
        "one-hot times the table, choices from the stacked logits": '''
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    x = ops.ones((h.shape[0], 1)) * E[start]
    out = []
    while len(out) < steps:
        h = ops.tanh(x @ W + h @ U + b)
        out.append(h @ Wo + bo)
        x = ops.one_hot(ops.argmax(out[-1], axis=1), E.shape[0]) @ E
    logits = ops.stack(out, axis=1)
    return logits, ops.argmax(logits, axis=2)
''',
        "each sequence by itself": '''
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    logits, ids = [], []
    for state in h:
        symbol, row, chosen = start, [], []
        for _ in range(steps):
            state = np.tanh(E[symbol] @ W + state @ U + b)
            row.append(state @ Wo + bo)
            symbol = int(np.argmax(row[-1]))
            chosen.append(symbol)
        logits.append(row)
        ids.append(chosen)
    return np.array(logits), np.array(ids)
''',
    },
    "rnn.sample": {
        "numpy, argmax of a comparison": '''
def sample(logits, temperature, r):
    e = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    p = e / e.sum(axis=1, keepdims=True)
    return p, (np.cumsum(p, axis=1) > r[:, None]).argmax(axis=1)
''',
        "searchsorted row by row": '''
def sample(logits, temperature, r):
    p = np.asarray(ops.softmax(logits / temperature))
    ids = [np.searchsorted(np.cumsum(row), value, side="right") for row, value in zip(p, r)]
    return p, np.array(ids)
''',
        "powers of the probabilities": '''
def sample(logits, temperature, r):
    p = ops.softmax(logits) ** (1 / temperature)
    p = p / ops.sum(p, axis=-1, keepdims=True)
    ids = []
    for row, point in zip(np.asarray(p), r):
        k = 0
        while row[:k + 1].sum() <= point:
            k += 1
        ids.append(k)
    return p, ids
''',
    },
}

WRONG = {
    "rnn.step": {
        "recurrent part left out": edit(" + ops.matmul(h, U)", ""),
        "input left out": edit("ops.matmul(x, W) + ", ""),
        "bias left out": edit(" + b)", ")"),
        "bias outside the tanh": edit(" + b)", ") + b"),
        "state outside the tanh": '''
def rnn_step(x, h, W, U, b):
    return ops.tanh(ops.matmul(x, W) + b) + ops.matmul(h, U)
''',
        "bias added twice": '''
def rnn_step(x, h, W, U, b):
    from_input = ops.matmul(x, W) + b
    from_state = ops.matmul(h, U) + b
    return ops.tanh(from_input + from_state)
''',
        "recurrent weights transposed": edit("ops.matmul(h, U)", "ops.matmul(h, ops.transpose(U))"),
        "sum of two tanhs": '''
def rnn_step(x, h, W, U, b):
    return ops.tanh(x @ W) + ops.tanh(h @ U + b)
''',
        "no tanh": edit("return ops.tanh(", "return ("),
        "sigmoid for tanh": edit("ops.tanh", "ops.sigmoid"),
        "old state added": edit("return ops.tanh", "return h + ops.tanh"),
        "half precision": '''
def rnn_step(x, h, W, U, b):
    x, h, W, U, b = (ops.cast(a, "float16") for a in (x, h, W, U, b))
    return ops.tanh(x @ W + h @ U + b)
''',
    },
    "rnn.concat_form": {
        "rows of U first": edit("[W, U]", "[U, W]"),
        "state before input": edit("[x, h]", "[h, x]"),
        "both in the order [h; x]": edit("[W, U]", "[U, W]", "[x, h]", "[h, x]"),
        "joined matrix transposed": edit(
            "ops.concatenate([W, U], axis=0)", "ops.transpose(ops.concatenate([W, U], axis=0))"),
        "joined matrix on its side": '''
def concat_form(x, h, W, U, b):
    V = np.hstack([W.T, U.T])
    return V, np.tanh(np.hstack([x, h]) @ V.T + b)
''',
        "block diagonal": '''
def concat_form(x, h, W, U, b):
    D, u = W.shape
    top = ops.concatenate([W, ops.zeros((D, u))], axis=1)
    bottom = ops.concatenate([ops.zeros((u, u)), U], axis=1)
    V = ops.concatenate([top, bottom], axis=0)
    return V, ops.tanh(ops.concatenate([x, h], axis=1) @ V + b)
''',
        "bias left out": edit(" + b)", ")"),
        "bias added twice": edit(" + b)", " + 2 * b)  # one for each matrix"),
        "no tanh": edit("ops.tanh(ops.matmul(xh, V) + b)", "ops.matmul(xh, V) + b"),
        "state left out": edit("ops.matmul(xh, V)", "ops.matmul(x, V[:x.shape[1]])"),
    },
    "rnn.unroll": {
        "state not carried": edit("h = cell(x[:, t], h,", "h = cell(x[:, t], h0,"),
        "initial state ignored": edit("h, states = h0, []", "h, states = ops.zeros_like(h0), []"),
        "emits the state before the step": edit(
            "        h = cell(x[:, t], h, W, U, b)\n        states.append(h)",
            "        states.append(h)\n        h = cell(x[:, t], h, W, U, b)"),
        "time axis first": edit("axis=1", "axis=0"),
        "reads backwards": edit("range(x.shape[1])", "reversed(range(x.shape[1]))"),
        "outputs in reverse order": edit("states.append(h)", "states.insert(0, h)"),
        "the same input at every step": edit("x[:, t]", "x[:, 0]"),
        "first step skipped": edit("range(x.shape[1])", "range(1, x.shape[1])"),
        "h0 among the outputs": edit("h, states = h0, []", "h, states = h0, [h0]"),
        "returns the first state as the last": edit("axis=1), h", "axis=1), states[0]"),
        "one array for all steps": '''
def unroll(x, h0, W, U, b):
    h, states = h0.copy(), []
    for t in range(x.shape[1]):
        h[:] = np.tanh(x[:, t] @ W + h @ U + b)
        states.append(h)
    return np.stack(states, axis=1), h
''',
        "loops over the batch": edit("range(x.shape[1])", "range(x.shape[0])", "x[:, t]", "x[t]"),
    },
    "rnn.layer": {
        "initial state ignored": edit("h = initial_state\n", "h = None\n"),
        "mask ignored": edit("h = new if mask is None else ops.where(mask[:, t, None], new, h)", "h = new"),
        "mask multiplies the state": edit(
            "ops.where(mask[:, t, None], new, h)", "new * ops.cast(mask[:, t, None], new.dtype)"),
        "mask multiplies the input": edit(
            "new = cell(x[:, t],",
            "x_t = x[:, t] if mask is None else x[:, t] * ops.cast(mask[:, t, None], x.dtype)\n"
            "            new = cell(x_t,",
            "h = new if mask is None else ops.where(mask[:, t, None], new, h)", "h = new"),
        "mask inverted": edit("ops.where(mask[:, t, None], new, h)", "ops.where(mask[:, t, None], h, new)"),
        "outputs at masked steps set to zero": edit(
            "states.append(h)",
            "states.append(h if mask is None else h * ops.cast(mask[:, t, None], h.dtype))"),
        "mask not passed on": edit(
            "    def compute_mask(self, x, mask=None):\n"
            "        return mask if self.return_sequences else None\n\n", ""),
        "mask passed on with the last state": edit("return mask if self.return_sequences else None", "return mask"),
        "remembers without being stateful": edit(
            "    def build", "        self.last = {}\n\n    def build",
            "self.memory.value if self.stateful else ops.zeros((ops.shape(x)[0], self.units))",
            "self.memory.value if self.stateful else "
            "self.last.get(x.shape[0], ops.zeros((ops.shape(x)[0], self.units)))",
            "        return ops.stack",
            "        if x.shape[0]:\n            self.last[x.shape[0]] = h\n        return ops.stack"),
        "memory is not a weight": edit(
            "            self.memory = self.add_weight(\n"
            "                shape=(B, self.units), initializer=\"zeros\", trainable=False, name=\"memory\")\n",
            "            self.memory = np.zeros((B, self.units), \"float32\")\n",
            "self.memory.value", "self.memory", "self.memory.assign(h)", "self.memory = np.asarray(h)"),
        "weights in another order": edit(
            "self.W = self.add_weight(shape=(D, self.units), name=\"W\")", "first = self.add_weight",
            "self.U = self.add_weight", "self.U = first",
            "first = self.add_weight", "first = self.add_weight(shape=(self.units, self.units), name=\"U\")\n"
            "        self.W = self.add_weight(shape=(D, self.units), name=\"W\")",
            "first(shape=(self.units, self.units), initializer=\"orthogonal\", name=\"U\")", "first"),
        "built for one batch size": edit("ops.shape(x)[0]", "x.shape[0]"),
        "state not carried": edit(
            "        states = []\n", "        states, first = [], h\n",
            "cell(x[:, t], h,", "cell(x[:, t], first,"),
        "always the last state": edit(
            "return ops.stack(states, axis=1) if self.return_sequences else h", "return h"),
        "always all states": edit(" if self.return_sequences else h", ""),
        "stateful without memory": edit("        if self.stateful:\n            self.memory.assign(h)\n", ""),
        "memory is trainable": edit(', trainable=False, name="memory"', ', name="memory"'),
        "no bias weight": edit(
            '        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")\n', "",
            "self.U, self.b)", "self.U, 0.0)"),
        "return_sequences missing from get_config": edit('"return_sequences": self.return_sequences, ', ""),
        "stateful missing from get_config": edit(', "stateful": self.stateful}', "}"),
        "only units in get_config": edit(
            '"return_sequences": self.return_sequences, "stateful": self.stateful}', "}"),
        "get_config without super": edit("return super().get_config() | {", "return {"),
    },
    "rnn.last_valid": {
        "last padded step": '''
def last_valid(states, mask):
    return states[:, -1]
''',
        "length as an index": edit(
            "last = ops.max(steps, axis=1)", "last = ops.sum(ops.cast(mask, \"int32\"), axis=1)"),
        "length minus one as an index": edit(
            "last = ops.max(steps, axis=1)", "last = ops.sum(ops.cast(mask, \"int32\"), axis=1) - 1"),
        "first valid step": '''
def last_valid(states, mask):
    return states[np.arange(len(states)), mask.argmax(axis=1)]
''',
        "one step too early": edit("last = ops.max(steps, axis=1)", "last = ops.max(steps, axis=1) - 1"),
        "one step for the whole batch": '''
def last_valid(states, mask):
    last = np.flatnonzero(mask.any(axis=0))[-1]
    return states[:, last]
''',
        "the first sequence's step for all": '''
def last_valid(states, mask):
    last = np.flatnonzero(mask[0])[-1]
    return states[:, last]
''',
        "mask inverted": edit(
            "ops.where(mask, ops.arange(mask.shape[1]), -1)",
            "ops.where(mask, -1, ops.arange(mask.shape[1]))"),
        "mean over valid steps": '''
def last_valid(states, mask):
    m = ops.cast(mask[..., None], states.dtype)
    return ops.sum(states * m, axis=1) / ops.sum(m, axis=1)
''',
        "mean over all steps": '''
def last_valid(states, mask):
    return ops.mean(states, axis=1)
''',
        "maximum over valid steps": '''
def last_valid(states, mask):
    return ops.max(ops.where(mask[..., None], states, -1e9), axis=1)
''',
        "last step times the mask": '''
def last_valid(states, mask):
    return (states * mask[..., None])[:, -1]
''',
    },
    "rnn.many_to_many_loss": {
        "mask ignored": edit("mask = ops.cast(mask, losses.dtype)", "mask = ops.ones_like(losses)"),
        "averaged over padding": edit("ops.sum(losses * mask) / ops.sum(mask)", "ops.mean(losses * mask)"),
        "mean of the rows' means": edit(
            "ops.sum(losses * mask) / ops.sum(mask)",
            "ops.mean(ops.sum(losses * mask, axis=1) / ops.sum(mask, axis=1))"),
        "sum, not mean": edit(" / ops.sum(mask)", ""),
        "divided by the batch": edit(" / ops.sum(mask)", " / mask.shape[0]"),
        "softmax twice": edit("log_softmax(logits, axis=-1)", "log_softmax(ops.softmax(logits))"),
        "sign missing": edit("losses = -ops", "losses = ops"),
        "base 2": edit("ops.log_softmax(logits, axis=-1)", "ops.log2(ops.softmax(logits))"),
        "softmax over time": edit("log_softmax(logits, axis=-1)", "log_softmax(logits, axis=1)"),
        "mask inverted": edit(
            "ops.cast(mask, losses.dtype)", "1 - ops.cast(mask, losses.dtype)  # True is padding"),
        "class 0 taken for padding": edit(
            "ops.cast(mask, losses.dtype)", "ops.cast(targets != 0, losses.dtype)"),
        "probability, not its logarithm": edit(
            "ops.log_softmax(logits, axis=-1)", "ops.softmax(logits)", "losses = -ops", "losses = ops"),
        "exp overflows": '''
def masked_loss(targets, logits, mask):
    e = np.exp(logits)
    p = np.take_along_axis(e, targets[..., None], axis=-1)[..., 0] / e.sum(axis=-1)
    return -np.log(p[mask]).mean()
''',
    },
    "rnn.one_to_many": {
        "state not carried": edit(
            "h = cell(ops.take", "new = cell(ops.take", "ops.matmul(h, Wo)", "ops.matmul(new, Wo)"),
        "first state ignored": edit("    all_logits, all", "    h = ops.zeros_like(h)\n    all_logits, all"),
        "start symbol at every step": edit(
            "symbols = ops.argmax", "chosen = ops.argmax", "append(symbols)", "append(chosen)"),
        "start symbol among the outputs": edit(
            "        all_symbols.append(symbols)\n", "",
            "    for _ in range(steps):\n",
            "    for _ in range(steps):\n        all_symbols.append(ops.cast(symbols, \"int32\"))\n"),
        "output from the old state": edit(
            "        h = cell(ops.take(E, symbols, axis=0), h, W, U, b)\n", "",
            "ops.matmul(h, Wo) + bo\n",
            "ops.matmul(h, Wo) + bo\n        h = cell(ops.take(E, symbols, axis=0), h, W, U, b)\n"),
        "probabilities for logits": edit("ops.matmul(h, Wo) + bo", "ops.softmax(ops.matmul(h, Wo) + bo)"),
        "one choice from the batch's sum": '''
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    ids = np.full(len(h), start)
    all_logits, all_symbols = [], []
    for _ in range(steps):
        h = cell(E[ids], h, W, U, b)
        all_logits.append(h @ Wo + bo)
        ids = np.full(len(h), np.argmax(np.sum(all_logits[-1], axis=0)))
        all_symbols.append(ids)
    return np.stack(all_logits, axis=1), np.stack(all_symbols, axis=1)
''',
        "one choice for the whole batch": '''
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    symbol, all_logits, all_symbols = start, [], []
    for _ in range(steps):
        h = cell(np.tile(E[symbol], (len(h), 1)), h, W, U, b)
        logits = h @ Wo + bo
        all_logits.append(logits)
        all_symbols.append(np.argmax(logits, axis=-1))
        symbol = int(np.argmax(logits[0]))
    return ops.stack(all_logits, axis=1), ops.stack(all_symbols, axis=1)
''',
        "least likely symbol": edit("ops.argmax", "ops.argmin"),
    },
    "rnn.sample": {
        "temperature multiplied": edit("logits / temperature", "logits * temperature"),
        "temperature ignored": edit("logits / temperature", "logits"),
        "temperature after the softmax": edit(
            "ops.softmax(logits / temperature, axis=-1)", "ops.softmax(logits, axis=-1) / temperature"),
        "always the most likely": edit(
            'ops.sum(ops.cast(running <= r[:, None], "int32"), axis=-1)', "ops.argmax(p, axis=-1)"),
        "no running sum": '''
def sample(logits, temperature, r):
    p = ops.softmax(logits / temperature, axis=-1)
    return p, ops.argmax(ops.cast(p > r[:, None], "int32"), axis=-1)
''',
        "nearest probability": '''
def sample(logits, temperature, r):
    p = ops.softmax(logits / temperature, axis=-1)
    return p, ops.argmin(ops.abs(p - r[:, None]), axis=-1)
''',
        "one symbol too far": edit('"int32"), axis=-1)', '"int32"), axis=-1) + 1'),
        "entries above r counted": edit("running <= r", "running > r"),
        "rank for symbol": edit("ops.cumsum(p, axis", "ops.cumsum(ops.sort(p, axis=-1)[:, ::-1], axis"),
        "softmax over the batch": edit("logits / temperature, axis=-1", "logits / temperature, axis=0"),
        "exp overflows": '''
def sample(logits, temperature, r):
    e = np.exp(logits / temperature)
    p = e / e.sum(axis=1, keepdims=True)
    return p, (np.cumsum(p, axis=1) > r[:, None]).argmax(axis=1)
''',
        "one random number for all": edit("r[:, None]", "r[0]"),
    },
}

# By somebody who had the student notebook alone: the answer, its points, and all that is said of it.
STRANGERS = {
    "rnn.step": {
        "einsum": ('''
def rnn_step(x, h, W, U, b):
    return np.tanh(np.einsum("bi,ij->bj", x, W) + np.einsum("bi,ij->bj", h, U) + b)
''', 4, set()),
        "exponentials by hand, row by row": ('''
def rnn_step(x, h, W, U, b):
    rows = []
    for xi, hi in zip(np.asarray(x, float), np.asarray(h, float)):
        z = W.T @ xi + U.T @ hi + b
        rows.append(1 - 2 / (np.exp(2 * z) + 1))
    return np.stack(rows)
''', 4, set()),
        "U transposed": ('''
def rnn_step(x, h, W, U, b):
    return ops.tanh(x @ W + h @ U.T + b)
''', 2, {"recurrent weights transposed"}),
        "bias outside": ('''
def rnn_step(x, h, W, U, b):
    return ops.tanh(x @ W + h @ U) + b
''', 1, {"bias outside the tanh"}),
        "average of both": ('''
def rnn_step(x, h, W, U, b):
    return np.tanh((x @ W + h @ U) / 2 + b)
''', 1, set()),
        "h written over": ('''
def rnn_step(x, h, W, U, b):
    h[:] = np.tanh(x @ W + h @ U + b)
    return h
''', 3, {"changes its inputs"}),
    },
    "rnn.concat_form": {
        "block by assignment": ('''
def concat_form(x, h, W, U, b):
    D, u = W.shape
    V = np.empty((D + u, u))
    V[:D], V[D:] = W, U
    xh = np.hstack((x, h))
    return V, np.tanh(xh.dot(V) + b)
''', 4, set()),
        "tensorflow concat": ('''
def concat_form(x, h, W, U, b):
    import tensorflow as tf
    V = tf.concat((W, U), 0)
    return V, tf.tanh(tf.linalg.matmul(tf.concat((x, h), 1), V) + b)
''', 4, set()),
        "U above W, h before x": ('''
def concat_form(x, h, W, U, b):
    V = np.vstack([U, W])
    return V, np.tanh(np.hstack([h, x]) @ V + b)
''', 3, {"both in the order [h; x]"}),
        "only V joined": ('''
def concat_form(x, h, W, U, b):
    V = np.vstack([W, U])
    return V, np.hstack([x, h]) @ V + b
''', 2, {"no tanh"}),
        "returned the other way round": ('''
def concat_form(x, h, W, U, b):
    V = np.vstack([W, U])
    return np.tanh(np.hstack([x, h]) @ V + b), V
''', 0, set()),
    },
    "rnn.unroll": {
        "accumulate": ('''
def unroll(x, h0, W, U, b):
    import itertools
    steps = ops.unstack(x, axis=1)
    hs = list(itertools.accumulate(steps, lambda h, s: cell(s, h, W, U, b), initial=h0))[1:]
    return ops.stack(hs, 1), hs[-1]
''', 4, set()),
        "into zeros, own arithmetic": ('''
def unroll(x, h0, W, U, b):
    B, T, D = x.shape
    out = np.zeros((B, T, len(b)))
    h = np.array(h0)
    xw = x @ W
    for t in range(T):
        h = np.tanh(xw[:, t] + h @ U + b)
        out[:, t, :] = h
    return out, out[:, -1]
''', 4, set()),
        "h0 among the states": ('''
def unroll(x, h0, W, U, b):
    hs = [h0]
    for t in range(x.shape[1] - 1):
        hs.append(cell(x[:, t], hs[-1], W, U, b))
    return ops.stack(hs, 1), hs[-1]
''', 1, {"emits the state before the step"}),
        "along the batch": ('''
def unroll(x, h0, W, U, b):
    hs, h = [], h0
    for row in x:
        h = cell(row, h[:1], W, U, b)
        hs.append(h)
    return ops.stack(hs, 0), h
''', 0, set()),
        "always from h0": ('''
def unroll(x, h0, W, U, b):
    hs = [cell(x[:, t], h0, W, U, b) for t in range(x.shape[1])]
    return ops.stack(hs, 1), hs[-1]
''', 1, {"state not carried"}),
        "same buffer": ('''
def unroll(x, h0, W, U, b):
    h, hs = np.array(h0), []
    for t in range(x.shape[1]):
        h[...] = np.asarray(cell(x[:, t], h, W, U, b))
        hs.append(h)
    return np.stack(hs, 1), h
''', 2, {"one array for all steps"}),
    },
    "rnn.last_valid": {
        "max of the numbered mask": ('''
def last_valid(states, mask):
    n = np.where(mask, np.arange(mask.shape[1]), -1).max(1)
    return np.asarray(states)[np.arange(len(n)), n]
''', 4, set()),
        "overwriting as one goes": ('''
def last_valid(states, mask):
    h = ops.zeros_like(states[:, 0])
    for t in range(states.shape[1]):
        h = ops.where(ops.expand_dims(mask[:, t], 1), states[:, t], h)
    return h
''', 4, set()),
        "as many as the mask counts": ('''
def last_valid(states, mask):
    n = mask.sum(axis=1) - 1
    return states[np.arange(len(states)), n]
''', 3, {"length minus one as an index"}),
        "the end of time": ('''
def last_valid(states, mask):
    return states[:, -1] * mask[:, -1:]
''', 2, {"last step times the mask"}),
        "mean of the valid": ('''
def last_valid(states, mask):
    m = mask[:, :, None]
    return (states * m).sum(1) / m.sum(1)
''', 1, {"mean over valid steps"}),
        "first padded minus one": ('''
def last_valid(states, mask):
    first_pad = np.argmin(mask, axis=1)
    return states[np.arange(len(states)), first_pad - 1]
''', 4, set()),
    },
    "rnn.many_to_many_loss": {
        "logsumexp minus the target's logit": ('''
def masked_loss(targets, logits, mask):
    logits = np.asarray(logits, float)
    top = logits.max(-1, keepdims=True)
    lse = np.log(np.exp(logits - top).sum(-1)) + top[..., 0]
    hit = np.take_along_axis(logits, np.asarray(targets)[..., None], -1)[..., 0]
    return (lse - hit)[np.asarray(mask)].mean()
''', 4, set()),
        "Keras's loss with weights": ('''
def masked_loss(targets, logits, mask):
    every = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    w = ops.cast(mask, every.dtype)
    return ops.sum(every * w) / ops.sum(w)
''', 4, set()),
        "divided by all": ('''
def masked_loss(targets, logits, mask):
    every = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    return ops.mean(every * ops.cast(mask, "float32"))
''', 2, {"averaged over padding"}),
        "a mean a row": ('''
def masked_loss(targets, logits, mask):
    every = np.asarray(keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True))
    return np.mean([e[m].mean() for e, m in zip(every, mask) if m.any()])
''', 2, {"mean of the rows' means"}),
        "softmax forgotten": ('''
def masked_loss(targets, logits, mask):
    every = np.asarray(keras.losses.sparse_categorical_crossentropy(targets, np.abs(logits) + 1e-7))
    return every[mask].mean()
''', 0, set()),
        "in bits": ('''
def masked_loss(targets, logits, mask):
    p = np.asarray(ops.softmax(logits))
    hit = np.take_along_axis(p, targets[..., None], -1)[..., 0]
    return -np.log2(hit[mask]).mean()
''', 0, {"base 2"}),
    },
    "rnn.one_to_many": {
        "numpy throughout": ('''
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    now = np.full(len(h), start, dtype=int)
    L, Y = np.zeros((len(h), steps, len(bo))), np.zeros((len(h), steps), dtype=int)
    for t in range(steps):
        h = np.tanh(E[now] @ W + h @ U + b)
        L[:, t] = h @ Wo + bo
        now = Y[:, t] = L[:, t].argmax(-1)
    return L, Y
''', 5, set()),
        "lists of ops, one-hot lookup": ('''
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    symbol, all_logits, chosen = ops.ones((h.shape[0],), dtype="int32") * start, [], []
    while len(chosen) < steps:
        v = ops.matmul(ops.one_hot(symbol, E.shape[0]), E)
        h = cell(v, h, W, U, b)
        all_logits.append(ops.add(ops.matmul(h, Wo), bo))
        symbol = ops.argmax(all_logits[-1], axis=1)
        chosen.append(symbol)
    return ops.stack(all_logits, axis=1), ops.transpose(ops.stack(chosen))
''', 5, set()),
        "reads start at every step": ('''
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    now = np.full(len(h), start)
    L, Y = [], []
    for t in range(steps):
        h = np.tanh(E[now] @ W + h @ U + b)
        L.append(h @ Wo + bo)
        new = L[-1].argmax(axis=-1)
        Y.append(new)
    return np.stack(L, 1), np.stack(Y, 1)
''', 1, {"start symbol at every step"}),
        "first symbol is start": ('''
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    now = np.full(len(h), start)
    L, Y = [], []
    for t in range(steps):
        Y.append(now)
        h = np.tanh(E[now] @ W + h @ U + b)
        L.append(h @ Wo + bo)
        now = L[-1].argmax(axis=-1)
    return np.stack(L, 1), np.stack(Y, 1)
''', 3, {"start symbol among the outputs"}),
        "state not kept": ('''
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    now = np.full(len(h), start)
    L, Y = [], []
    for t in range(steps):
        s = np.tanh(E[now] @ W + h @ U + b)
        L.append(s @ Wo + bo)
        now = L[-1].argmax(axis=-1)
        Y.append(now)
    return np.stack(L, 1), np.stack(Y, 1)
''', 1, {"state not carried"}),
        "readout without bias": ('''
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    now = np.full(len(h), start)
    L, Y = [], []
    for t in range(steps):
        h = np.tanh(E[now] @ W + h @ U + b)
        L.append(h @ Wo)
        now = L[-1].argmax(axis=-1)
        Y.append(now)
    return np.stack(L, 1), np.stack(Y, 1)
''', 1, set()),
        "one argmax for the whole batch": ('''
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    now = np.full(len(h), start)
    L, Y = [], []
    for t in range(steps):
        h = np.tanh(E[now] @ W + h @ U + b)
        L.append(h @ Wo + bo)
        now = np.full(len(h), L[-1].sum(0).argmax())
        Y.append(now)
    return np.stack(L, 1), np.stack(Y, 1)
''', 1, {"one choice from the batch's sum"}),
    },
    "rnn.sample": {
        "searchsorted a row": ('''
def sample(logits, temperature, r):
    z = np.asarray(logits, float) / temperature
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    found = [np.searchsorted(np.cumsum(row), one, side="right") for row, one in zip(p, r)]
    return p, np.minimum(found, len(p[0]) - 1)
''', 5, set()),
        "counting sums that are not larger": ('''
def sample(logits, temperature, r):
    p = ops.softmax(logits / temperature, axis=-1)
    sums = ops.cumsum(p, axis=-1)
    return p, ops.sum(ops.cast(sums <= ops.expand_dims(r, 1), "int32"), axis=-1)
''', 5, set()),
        "times the temperature": ('''
def sample(logits, temperature, r):
    p = np.asarray(ops.softmax(logits * temperature))
    return p, (p.cumsum(1) > r[:, None]).argmax(1)
''', 1, {"temperature multiplied"}),
        "after the softmax": ('''
def sample(logits, temperature, r):
    p = np.asarray(ops.softmax(logits)) / temperature
    p = p / p.sum(1, keepdims=True)
    return p, (p.cumsum(1) > r[:, None]).argmax(1)
''', 1, {"temperature ignored"}),
        "overflow": ('''
def sample(logits, temperature, r):
    e = np.exp(logits / temperature)
    p = e / e.sum(axis=1, keepdims=True)
    return p, (p.cumsum(1) > r[:, None]).argmax(1)
''', 1, {"exp overflows"}),
        "the likeliest": ('''
def sample(logits, temperature, r):
    p = np.asarray(ops.softmax(logits / temperature))
    return p, p.argmax(1)
''', 3, {"always the most likely"}),
        "own random numbers": ('''
def sample(logits, temperature, r):
    p = np.asarray(ops.softmax(logits / temperature))
    return p, np.array([np.random.choice(len(q), p=q / q.sum()) for q in p.astype(float)])
''', 3, set()),
    },
}
