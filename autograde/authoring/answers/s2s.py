"""Answers to lesson 07 as students write them: right ones in other styles, and one for each misconception.

Long because it holds texts, one after the other, and next to no code.
"""

from autograde.authoring.answers import edit

RIGHT = {
    "s2s.shift_targets": {
        "row by row": '''
def shift_targets(y, go, end):
    B, T = y.shape
    inputs, targets = np.zeros((B, T + 1), int), np.zeros((B, T + 1), int)
    for i, row in enumerate(y):
        symbols = [int(s) for s in row if s != 0]
        inputs[i, :len(symbols) + 1] = [go] + symbols
        targets[i, :len(symbols) + 1] = symbols + [end]
    return inputs, targets
''',
        "inputs from the targets": '''
def shift_targets(y, go, end):
    n = (y != 0).sum(axis=1, keepdims=True)
    t = np.arange(y.shape[1] + 1)
    targets = np.where(t < n, np.pad(y, ((0, 0), (0, 1))), np.where(t == n, end, 0))
    inputs = np.concatenate([np.full((len(y), 1), go), targets[:, :-1]], axis=1)
    return inputs, targets
''',
        "keras.ops": '''
def shift_targets(y, go, end):
    y = ops.convert_to_tensor(y)
    column = ops.zeros_like(y[:, :1])
    padded = ops.concatenate([y, column], axis=1)
    first_pad = ops.cast(ops.equal(ops.cumsum(ops.cast(ops.equal(padded, 0), "int32"), axis=1), 1), y.dtype)
    return ops.concatenate([column + go, y], axis=1), padded + end * first_pad
''',
    },
    "s2s.masked_loss": {
        "log-softmax and one-hot": '''
def masked_loss(targets, logits):
    logp = ops.log_softmax(logits, axis=-1)
    picked = ops.sum(ops.one_hot(targets, logits.shape[-1]) * logp, axis=-1)
    mask = ops.cast(targets != 0, "float32")
    return -ops.sum(picked * mask) / ops.maximum(ops.sum(mask), 1.0)
''',
        "only the symbols that are there": '''
def masked_loss(targets, logits):
    there = targets != 0
    if not there.any():
        return 0.0
    z = np.asarray(logits, "float64")[there]
    z = z - z.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(z)), targets[there]].mean()
''',
        "logsumexp": '''
def masked_loss(targets, logits):
    right = ops.take_along_axis(logits, ops.expand_dims(targets, -1), axis=-1)[..., 0]
    each = ops.logsumexp(logits, axis=-1) - right
    weight = ops.cast(ops.greater(targets, 0), each.dtype)
    n = ops.sum(weight)
    return ops.where(n > 0, ops.sum(each * weight) / ops.maximum(n, 1), 0.0)
''',
    },
    "s2s.encoder": {
        "by arithmetic": '''
def encode(cell, x, mask=None, states=None):
    if states is None:
        sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
        states = [np.zeros((len(x), size), "float32") for size in sizes]
    states = list(states)
    for t, x_t in enumerate(ops.unstack(x, axis=1)):
        new = cell(x_t, states)[1]
        m = 1.0 if mask is None else ops.cast(mask, "float32")[:, t, None]
        states = [m * n + (1 - m) * s for n, s in zip(new, states)]
    return states
''',
        "folded": '''
from functools import reduce

def encode(cell, x, mask=None, states=None):
    if states is None:
        states = cell.get_initial_state(batch_size=x.shape[0])
    if mask is None:
        mask = ops.ones(x.shape[:2], dtype="bool")

    def read(states, t):
        _, new = cell(x[:, t], states)
        return [ops.where(mask[:, t, None], n, s) for n, s in zip(new, states)]

    return reduce(read, range(x.shape[1]), states)
''',
        "all states kept, the last valid one taken": '''
def encode(cell, x, mask=None, states=None):
    B, S, _ = x.shape
    if states is None:
        states = [ops.zeros((B, size)) for size in state_sizes(cell)]
    history = [list(states)]
    for t in range(S):
        history.append(list(cell(x[:, t, :], history[-1])[1]))
    n = np.full(B, S) if mask is None else np.asarray(mask).sum(axis=1)
    rows = np.arange(B)
    return [np.stack([np.asarray(s[k]) for s in history])[n, rows] for k in range(len(states))]
''',
    },
    "s2s.decoder_step": {
        "one-hot times the table": '''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    given = ops.matmul(ops.one_hot(y, len(embedding)), embedding)
    if context is not None:
        given = ops.concatenate([given, context], axis=1)
    output, new_states = cell(given, list(states))
    return output @ readout + bias, list(new_states)
''',
        "numpy around the cell": '''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    x = embedding[y] if context is None else np.hstack([embedding[y], context])
    _, states = cell(x, states)
    return np.dot(states[0], readout) + bias, [np.asarray(s) for s in states]
''',
        "parts in a list": '''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    parts = [ops.take(embedding, ops.cast(y, "int32"), axis=0)]
    parts += [] if context is None else [context]
    h, states = cell(ops.concatenate(parts, axis=-1), states)
    return ops.add(ops.dot(h, readout), bias), states
''',
    },
    "s2s.greedy": {
        "lists, cut at the end": '''
def greedy(step, states, go, end, longest):
    y, columns = np.array([go] * len(states[0])), []
    for _ in range(longest):
        logits, states = step(y, states)
        y = np.asarray(ops.argmax(logits, axis=1))
        columns.append(y)
    rows = np.stack(columns, axis=1).tolist()
    for row in rows:
        if end in row:
            n = row.index(end)
            row[n:] = [0] * (longest - n)
    return rows
''',
        "stops when all have ended": '''
def greedy(step, states, go, end, longest):
    B = states[0].shape[0]
    y = np.full((B,), go)
    ended = np.zeros((B,), dtype=bool)
    result = []
    while len(result) < longest and not ended.all():
        logits, states = step(y, states)
        y = logits.argmax(-1)
        ended |= y == end
        result.append(np.where(ended, 0, y))
    return np.stack(result, axis=1)
''',
        "a running product": '''
def greedy(step, states, go, end, longest):
    out = []
    previous = np.repeat(go, len(states[0]))
    for t in range(longest):
        scores, states = step(previous, states)
        previous = np.argsort(scores, axis=-1)[:, -1]
        out.append(previous)
    out = np.array(out).T
    return out * np.cumprod(out != end, axis=1)
''',
    },
    "s2s.beam": {
        "all hypotheses in one batch": '''
def beam_search(step, states, go, end, width, longest, alpha):
    ids, totals, states, finished = np.zeros((1, 0), int), np.zeros(1), list(states), []
    for _ in range(longest):
        if not len(ids):
            break
        y = ids[:, -1] if ids.shape[1] else np.array([go])
        logits, new = step(y, states)
        logp = np.asarray(logits) - np.log(np.exp(np.asarray(logits)).sum(axis=1, keepdims=True))
        table = totals[:, None] + logp
        order = np.argsort(-table, axis=None)[:width]
        parent, symbol = np.unravel_index(order, table.shape)
        ids, totals = np.column_stack([ids[parent], symbol]), table[parent, symbol]
        states = [np.asarray(s)[parent] for s in new]
        ended = symbol == end
        finished += [(t / ids.shape[1] ** alpha, row[:-1].tolist()) for t, row in zip(totals[ended], ids[ended])]
        ids, totals, states = ids[~ended], totals[~ended], [s[~ended] for s in states]
    finished += [(t / longest ** alpha, row.tolist()) for t, row in zip(totals, ids)]
    score, best = max(finished)
    return best, score
''',
        "heapq, a class": '''
import heapq
from dataclasses import dataclass

@dataclass
class Hypothesis:
    total: float
    symbols: list
    states: list

def beam_search(step, states, go, end, width, longest, alpha):
    alive, done = [Hypothesis(0.0, [], states)], []
    for t in range(longest):
        grown = []
        for h in alive:
            logits, new = step(np.array([h.symbols[-1] if h.symbols else go]), h.states)
            logp = keras.ops.convert_to_numpy(keras.ops.log_softmax(logits[0]))
            for v in range(len(logp)):
                grown.append(Hypothesis(h.total + logp[v], h.symbols + [v], new))
        best = heapq.nlargest(width, grown, key=lambda h: h.total)
        done.extend(h for h in best if h.symbols[-1] == end)
        alive = [h for h in best if h.symbols[-1] != end]
        if not alive:
            break
    value = lambda h: h.total / len(h.symbols) ** alpha
    winner = max(done + alive, key=value)
    return [s for s in winner.symbols if s != end], value(winner)
''',
        "the best so far": '''
def beam_search(step, states, go, end, width, longest, alpha):
    best_score, best = -np.inf, []
    beam = {(): (0.0, states)}
    for length in range(1, longest + 1):
        candidates = {}
        for word, (total, s) in beam.items():
            logits, new = step(np.array([word[-1]]) if word else np.array([go]), s)
            z = np.asarray(logits[0], "float64")
            logp = z - z.max() - np.log(np.sum(np.exp(z - z.max())))
            candidates.update({word + (v,): (total + lp, new) for v, lp in enumerate(logp)})
        beam = {}
        for word in sorted(candidates, key=lambda w: -candidates[w][0])[:width]:
            total, s = candidates[word]
            if word[-1] == end or length == longest:
                if total / length ** alpha > best_score:
                    best_score, best = total / length ** alpha, [v for v in word if v != end]
            if word[-1] != end:
                beam[word] = total, s
    return best, best_score
''',
    },
    "s2s.error_rate": {
        "the whole table": '''
def error_rate(said, truth):
    edits = symbols = wrong = 0
    for a, b in zip(said, truth):
        d = np.zeros((len(a) + 1, len(b) + 1), int)
        d[:, 0] = range(len(a) + 1)
        d[0, :] = range(len(b) + 1)
        for i in range(len(a)):
            for j in range(len(b)):
                d[i + 1, j + 1] = min(d[i, j + 1] + 1, d[i + 1, j] + 1, d[i, j] + (a[i] != b[j]))
        edits += d[-1, -1]
        symbols += len(b)
        wrong += a != b
    return edits / symbols, wrong / len(truth)
''',
        "recursion with memory": '''
from functools import cache

def error_rate(said, truth):
    def distance(a, b):
        @cache
        def d(i, j):
            if i == 0 or j == 0:
                return i + j
            if a[i - 1] == b[j - 1]:
                return d(i - 1, j - 1)
            return 1 + min(d(i - 1, j), d(i, j - 1), d(i - 1, j - 1))
        return d(len(a), len(b))
    total = np.sum([distance(a, b) for a, b in zip(said, truth)])
    return total / np.sum([len(b) for b in truth]), np.mean([list(a) != list(b) for a, b in zip(said, truth)])
''',
        "longest common subsequence only for whole words": '''
def error_rate(said, truth):
    def edits(a, b):
        if not a or not b:
            return len(a) + len(b)
        last = np.arange(len(b) + 1)
        for i, s in enumerate(a):
            now = [i + 1]
            for j, t in enumerate(b):
                now.append(min(now[j] + 1, last[j + 1] + 1, last[j] + (s != t)))
            last = now
        return last[-1]
    n = len(truth)
    e = [edits(said[k], truth[k]) for k in range(n)]
    return float(sum(e)) / sum(len(t) for t in truth), len([k for k in e if k]) / n
''',
    },
    "s2s.mix_and_match": {
        "the cell in a loop": edit(
            '''        c = self.encoder(x, mask=mask)
        states = [bridge(c) for bridge in self.bridges]
        if self.feed == "every":
            again = ops.repeat(ops.expand_dims(c, 1), ops.shape(y)[1], axis=1)
            y = ops.concatenate([y, again], axis=-1)
        return self.readout(self.decoder(y, initial_state=states))''',
            '''        c = self.encoder(x, mask=mask)
        states = []
        for bridge in self.bridges:
            states.append(bridge(c))
        scores = []
        for t in range(y.shape[1]):
            given = y[:, t]
            if self.feed == "every":
                given = ops.concatenate([given, c], axis=1)
            h, states = self.cell(given, states)
            scores.append(self.readout(h))
        return ops.stack(scores, axis=1)'''),
        "the context by broadcasting": edit(
            "again = ops.repeat(ops.expand_dims(c, 1), ops.shape(y)[1], axis=1)",
            "again = ops.zeros_like(y[:, :, :1]) + c[:, None, :]"),
        "RepeatVector and Concatenate": edit(
            '''            again = ops.repeat(ops.expand_dims(c, 1), ops.shape(y)[1], axis=1)
            y = ops.concatenate([y, again], axis=-1)''',
            '''            y = keras.layers.Concatenate()([y, keras.layers.RepeatVector(y.shape[1])(c)])'''),
    },
}

_ENCODE = "_, new = cell(x[:, t], states)"
_HOLD = "new = [ops.where(mask[:, t:t + 1], n, old) for n, old in zip(new, states, strict=True)]"
_FROM_LOGITS = "each = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)"
_COUNTS = "counts = ops.cast(ops.not_equal(targets, 0), each.dtype)"
_DIVIDED = "ops.sum(each * counts) / ops.maximum(ops.sum(counts), 1)"
_LOGP = "np.asarray(ops.log_softmax(logits))[0]"

WRONG = {
    "s2s.shift_targets": {
        "not shifted": edit("inputs = np.concatenate([nothing + go, y], axis=1)",
                            "inputs = np.concatenate([y, nothing], axis=1)"),
        "not shifted, END and all": edit("return inputs, targets", "return targets, targets"),
        "returned in the wrong order": edit("return inputs, targets", "return targets, inputs"),
        "rolled": edit("return inputs, targets", "return np.roll(targets, 1, axis=1), targets"),
        "no GO": edit("nothing + go", "nothing"),
        "GO twice": edit("[nothing + go, y]", "[nothing + go, nothing + go, y[:, :-1]]"),
        "shifted the other way": edit("[nothing + go, y]", "[y[:, 1:], nothing, nothing]"),
        "GO and END exchanged": edit("nothing + go", "nothing + end", "lengths] = end", "lengths] = go"),
        "END in the last column": edit("lengths] = end", "-1] = end"),
        "no END": edit("    targets[np.arange(len(y)), lengths] = end\n", ""),
        "END for the padding": edit("targets[np.arange(len(y)), lengths] = end", "targets[targets == 0] = end"),
        "END over the last symbol": edit("lengths] = end", "np.maximum(lengths - 1, 0)] = end"),
        "GO in the targets": edit("return inputs, targets", "return inputs, inputs"),
        "cut to T": edit("return inputs, targets", "return inputs[:, :-1], targets[:, :-1]"),
    },
    "s2s.masked_loss": {
        "padding counted": edit(_COUNTS, "counts = ops.ones_like(each)"),
        "divided by all positions": edit(_DIVIDED, "ops.mean(each * counts)"),
        "mean of the rows' means": edit(_DIVIDED, "ops.mean(ops.sum(each * counts, axis=1) / "
                                        "ops.maximum(ops.sum(counts, axis=1), 1))"),
        "summed only": edit(_DIVIDED, "ops.sum(each * counts)"),
        "divided by the rows": edit(_DIVIDED, "ops.sum(each * counts) / len(targets)"),
        "masked by the prediction": edit("ops.not_equal(targets, 0)", "ops.not_equal(ops.argmax(logits, axis=-1), 0)"),
        "mask inverted": edit("not_equal", "equal"),
        "no minus": edit("return ops.sum", "return -ops.sum"),
        "in bits": edit(_DIVIDED, _DIVIDED + " / np.log(2)"),
        "no logarithm": edit(_FROM_LOGITS, "each = -ops.take_along_axis(ops.softmax(logits), targets[..., None], "
        "-1)[..., 0]"),
        "softmax over time": edit(_FROM_LOGITS, "each = -ops.take_along_axis(ops.log_softmax(logits, axis=1), "
                                  "targets[..., None], -1)[..., 0]"),
        "scores taken for probabilities": edit(", from_logits=True", ""),
        "NaN for nothing": edit("ops.maximum(ops.sum(counts), 1)", "ops.sum(counts)"),
        "log of a rounded softmax": edit(_FROM_LOGITS, "each = -ops.log(ops.take_along_axis(ops.softmax(logits), "
                                         "targets[..., None], -1)[..., 0])"),
        "probabilities held above a floor": edit(_FROM_LOGITS, "each = "
        "-ops.log(ops.take_along_axis(ops.softmax(logits), targets[..., None], -1)[..., 0] + 1e-9)"),
    },
    "s2s.encoder": {
        "mask ignored": edit("mask is not None", "False"),
        "mask inverted": edit("ops.where(mask[:, t:t + 1], n, old)", "ops.where(mask[:, t:t + 1], old, n)"),
        "padding read as zeros": edit(_ENCODE, _ENCODE.replace("x[:, t]", "x[:, t] * (1.0 if mask is None else "
                                      "ops.cast(mask[:, t:t + 1], 'float32'))"), _HOLD, "pass"),
        "padding erases the state": edit("n, old) for", "n, 0 * old) for"),
        "c reads the padding": edit(_HOLD, "new = [ops.where(mask[:, t:t + 1], new[0], states[0]), *new[1:]]"),
        "first row's mask for all": edit("mask[:, t:t + 1]", "mask[0, t]"),
        "state not carried": edit("    for t in", "    first = states\n    for t in", "cell(x[:, t], states)",
                                  "cell(x[:, t], first)"),
        "first states ignored": edit("if states is None:", "if True:"),
        "h and c exchanged at the end": edit("return states", "return states[::-1]"),
        "h and c exchanged on the way": edit("cell(x[:, t], states)", "cell(x[:, t], states[::-1])",
                                             "zip(new, states,", "zip(new, states[::-1],"),
        "read backwards": edit("in range(x.shape[1])", "in reversed(range(x.shape[1]))"),
        "last letter missed": edit("range(x.shape[1])", "range(x.shape[1] - 1)"),
        "all outputs for the state": edit("    for t in", "    seen = []\n    for t in", "states = new\n",
                                          "states = new\n        seen.append(states[0])\n",
                                          "return states", "return [ops.stack(seen, axis=1), *states[1:]]"),
        "only h": edit("return states", "return states[:1]"),
    },
    "s2s.decoder_step": {
        "states ignored": edit("cell(x, states)", "cell(x, [ops.zeros_like(s) for s in states])"),
        "old states handed on": edit("h, states = cell", "h, _ = cell"),
        "scores from the old state": edit("h, states = cell", "h = states[0]\n    _, states = cell"),
        "scores from c": edit("h, states = cell(x, states)", "_, states = cell(x, states)\n    h = states[-1]"),
        "h and c exchanged on the way in": edit("cell(x, states)", "cell(x, states[::-1])"),
        "h and c exchanged on the way out": edit("+ bias, states", "+ bias, states[::-1]"),
        "h in both places": edit("+ bias, states", "+ bias, [h] * len(states)"),
        "context in front": edit("[x, context]", "[context, x]"),
        "context left out": edit("context is not None", "False"),
        "context set to zero": edit("[x, context]", "[x, ops.zeros_like(context)]"),
        "context averaged over the batch": edit("[x, context]", "[x, context * 0 + ops.mean(context, axis=0)]"),
        "no bias": edit(" + bias", ""),
        "softmax taken": edit("ops.matmul(h, readout) + bias", "ops.softmax(ops.matmul(h, readout) + bias)"),
        "log-softmax taken": edit("ops.matmul(h, readout) + bias", "ops.log_softmax(ops.matmul(h, readout) + bias)"),
        "scores through tanh": edit("ops.matmul(h, readout) + bias", "ops.tanh(ops.matmul(h, readout) + bias)"),
    },
    "s2s.greedy": {
        "no stop at END": edit("np.where(on, y, 0)", "y"),
        "END skipped, then on": edit("np.where(on, y, 0)", "np.where(y != end, y, 0)"),
        "END written": edit("        on = on & (y != end)\n        said[:, t] = np.where(on, y, 0)\n",
                            "        said[:, t] = np.where(on, y, 0)\n        on = on & (y != end)\n"),
        "all stop with the first": edit("on = on & (y != end)", "on = on & np.all(y != end)"),
        "the first row decides": edit("        on = on", "        if y[0] == end:\n            break\n        on = on"),
        "states not carried": edit("logits, states = step", "logits, _ = step"),
        "GO at every step": edit("step(y, states)", "step(np.full(B, go), states)"),
        "begun with END": edit("np.full(B, go)", "np.full(B, end)"),
        "begun with padding": edit("np.full(B, go)", "np.full(B, 0)"),
        "one symbol too few": edit("range(longest)", "range(longest - 1)"),
        "GO among the symbols": edit("return said", "return np.hstack([np.full((B, 1), go), said[:, :-1]])"),
    },
    "s2s.beam": {
        "no length normalisation": edit(" / len(hypothesis[1]) ** alpha", ""),
        "alpha ignored": edit(" ** alpha", ""),
        "END not counted": edit("len(hypothesis[1]) ** alpha",
                                "max(len([v for v in hypothesis[1] if v != end]), 1) ** alpha"),
        "finished dropped": edit("max(finished + live", "max(live"),
        "stopped at the first END": edit("        live = [e for e in kept if e[1][-1] != end]\n",
                                         "        live = [e for e in kept if e[1][-1] != end]\n        if finished:\n"
                                         "            live = []\n            break\n"),
        "unfinished dropped": edit("max(finished + live", "max(finished or live"),
        "finished take up room": edit("extensions[:width]", "extensions[:max(width - len(finished), 0)]"),
        "ended hypotheses go on": edit("live = [e for e in kept if e[1][-1] != end]", "live = kept"),
        "one symbol too many": edit("range(longest)", "range(longest + 1)"),
        "states of another hypothesis": edit(
            "        extensions = []\n", "        extensions, all_new = [], []\n",
            "            logp =", "            all_new.append(new)\n            logp =",
            "        live = [e for e in kept if e[1][-1] != end]\n",
            "        live = [e for e in kept if e[1][-1] != end]\n"
            "        live = [(t, ids, all_new[min(j, len(all_new) - 1)]) for j, (t, ids, _) in enumerate(live)]\n"),
        "scores summed, not log-probabilities": edit(_LOGP, "np.asarray(logits)[0]"),
        "probabilities, not their logarithms": edit(_LOGP, "np.asarray(ops.softmax(logits))[0]", "(total + p,",
                                                    "(total * p,", "(0.0, [], states)", "(1.0, [], states)"),
        "last symbol's score only": edit("total + p", "p"),
        "each keeps its own best": edit(
            "            extensions += [(total + p, [*ids, v], new) for v, p in enumerate(logp)]\n",
            "            own = [(total + p, [*ids, v], new) for v, p in enumerate(logp)]\n"
            "            extensions += own if not ids else [max(own, key=lambda e: e[0])]\n"),
        "greedy": edit("extensions[:width]", "extensions[:1]"),
        "begun with END": edit("else go]", "else end]"),
        "END written": edit("[v for v in best[1] if v != end]", "best[1]"),
        "one symbol too few": edit("range(longest)", "range(longest - 1)"),
    },
    "s2s.error_rate": {
        "divided by what was said": edit("sum(map(len, truth)), ", "max(sum(map(len, said)), 1), "),
        "divided by the longer": edit("sum(map(len, truth)), ", "sum(max(len(a), len(b)) for a, b in zip(said, "
        "truth)), "),
        "divided by both": edit("sum(map(len, truth)), ", "(sum(map(len, truth)) + sum(map(len, said))), "),
        "mean of the words' rates": edit("sum(counts) / sum(map(len, truth))",
                                         "np.mean([n / len(b) for n, b in zip(counts, truth)])"),
        "divided by the number of words": edit("sum(counts) / sum(map(len, truth))", "sum(counts) / len(truth)"),
        "compared place by place": edit("counts = [edits(a, b)",
                                        "counts = [sum(x != y for x, y in zip(a, b)) + abs(len(a) - len(b))"),
        "shared places only": edit("counts = [edits(a, b) for a, b in zip(said, truth, strict=True)]",
                                   "counts = [sum(x != y for x, y in zip(a, b)) for a, b in zip(said, truth)]",
                                   "sum(n > 0 for n in counts)", "sum(a != b for a, b in zip(said, truth))"),
        "order ignored": edit("counts = [edits(a, b) for a, b in zip(said, truth, strict=True)]",
                              '''from collections import Counter
    def unlike(a, b):
        return max((Counter(a) - Counter(b)).total(), (Counter(b) - Counter(a)).total())

    counts = [unlike(a, b) for a, b in zip(said, truth)]''',
                              "sum(n > 0 for n in counts)", "sum(a != b for a, b in zip(said, truth))"),
        "substitution costs 2": edit("diagonal + (x != y)", "diagonal + 2 * (x != y)"),
        "insertions cost nothing": edit(
            "            diagonal, row[0] = row[0], i\n", "            diagonal, row[0] = row[0], 0\n",
            "min(row[j] + 1, row[j - 1] + 1,", "min(row[j], row[j - 1] + 1,",
            "sum(n > 0 for n in counts)", "sum(a != b for a, b in zip(said, truth))"),
        "deletions cost nothing": edit(
            "row = list(range(len(b) + 1))", "row = [0] * (len(b) + 1)",
            "row[j - 1] + 1,", "row[j - 1],",
            "sum(n > 0 for n in counts)", "sum(a != b for a, b in zip(said, truth))"),
        "one long text": edit("    return sum(counts)", "    whole = edits(sum(said, []), sum(truth, []))\n"
                              "    return whole"),
        "share that is right": edit("return sum(counts)", "return 1 - sum(counts)"),
        "share of words that are right": edit("sum(n > 0 for n in counts)", "sum(n == 0 for n in counts)"),
        "words counted": edit("sum(n > 0 for n in counts) / len(truth)", "sum(n > 0 for n in counts)"),
        "words of the right length": edit("sum(n > 0 for n in counts)",
                                          "sum(len(a) != len(b) for a, b in zip(said, truth))"),
        "held below 1": edit("return sum(counts) / sum(map(len, truth))",
                             "return min(1, sum(counts) / sum(map(len, truth)))"),
    },
    "s2s.mix_and_match": {
        "mask not handed on": edit("self.encoder(x, mask=mask)", "self.encoder(x)"),
        "mask inverted": edit("mask=mask", "mask=None if mask is None else ops.logical_not(mask)"),
        "states not given": edit("self.decoder(y, initial_state=states)", "self.decoder(y)"),
        "c of the LSTM starts at zero": edit("        if self.feed ==",
                                             "        states[1:] = [ops.zeros_like(s) for s in states[1:]]\n"
                                             "        if self.feed =="),
        "one bridge for both states": edit("[bridge(c) for bridge in self.bridges]",
                                           "[self.bridges[0](c) for bridge in self.bridges]"),
        "bridges exchanged": edit("[bridge(c) for bridge in self.bridges]",
                                  "[bridge(c) for bridge in self.bridges[::-1]]"),
        "never at every step": edit('if self.feed == "every":', "if False:"),
        "always at every step": edit('if self.feed == "every":', "if True:"),
        "context at the first step only": edit("y = ops.concatenate([y, again]", "again = ops.concatenate([again[:, "
        ":1], "
                                               "0 * again[:, 1:]], axis=1)\n            y = ops.concatenate([y, "
                                               "again]"),
        "context in front": edit("[y, again]", "[again, y]"),
        "state reset at every step": edit("return self.readout(self.decoder(y, initial_state=states))", '''outputs = []
        for t in range(y.shape[1]):
            h, _ = self.cell(y[:, t], states)
            outputs.append(h)
        return self.readout(ops.stack(outputs, axis=1))'''),
        "softmax taken": edit("return self.readout(self.decoder(y, initial_state=states))",
                              "return ops.softmax(self.readout(self.decoder(y, initial_state=states)))"),
        "only the last step": edit("return self.readout(self.decoder(y, initial_state=states))",
                                   "return self.readout(self.decoder(y, initial_state=states)[:, -1])"),
        "scores one step late": edit("return self.readout(self.decoder(y, initial_state=states))",
                                     "h = self.decoder(y, initial_state=states)\n        return self.readout("
                                     "ops.concatenate([states[0][:, None], h[:, :-1]], axis=1))"),
    },
}
