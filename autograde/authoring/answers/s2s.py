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

# By somebody who had the student notebook alone: the answer, its points, and all that is said of it.
STRANGERS = {
    "s2s.shift_targets": {
        "plain loop over rows": ('''
def shift_targets(y, go, end):
    y = np.asarray(y)
    B, T = y.shape
    given = np.zeros((B, T + 1), y.dtype)
    say = np.zeros((B, T + 1), y.dtype)
    for b in range(B):
        word = [s for s in y[b] if s != 0]
        given[b, :len(word) + 1] = [go] + word
        say[b, :len(word) + 1] = word + [end]
    return given, say
''', 5, set()),
        "tensorflow, one_hot of the length": ('''
import tensorflow as tf
def shift_targets(y, go, end):
    y = tf.convert_to_tensor(y)
    n = tf.math.count_nonzero(y, axis=1)
    inputs = tf.pad(y, [[0, 0], [1, 0]], constant_values=go)
    targets = tf.pad(y, [[0, 0], [0, 1]]) + tf.one_hot(n, y.shape[1] + 1, dtype=y.dtype) * end
    return inputs, targets
''', 5, set()),
        "inputs made out of the targets (END stands in inputs where the target is padding)": ('''
def shift_targets(y, go, end):
    B, T = y.shape
    lengths = ops.sum(ops.cast(y != 0, "int32"), axis=1)
    place = ops.arange(T + 1)[None, :]
    targets = ops.where(place == lengths[:, None], end, ops.pad(y, ((0, 0), (0, 1))))
    inputs = ops.concatenate([ops.full((B, 1), go, dtype=targets.dtype), targets[:, :-1]], axis=1)
    return inputs, targets
''', 5, set()),
        "END in the last column of every row": ('''
def shift_targets(y, go, end):
    g = np.full((len(y), 1), go)
    e = np.full((len(y), 1), end)
    return np.hstack([g, y]), np.hstack([y, e])
''', 3, {"END in the last column"}),
        "first 0 found by argmax (full row: END overwrites its first sound)": ('''
def shift_targets(y, go, end):
    inputs = np.c_[np.full(len(y), go), y]
    targets = np.c_[y, np.zeros(len(y), int)]
    first_zero = np.argmax(y == 0, axis=1)
    targets[np.arange(len(y)), first_zero] = end
    return inputs, targets
''', 3, set()),
        "inputs = the row with END, i.e. not shifted, GO forgotten": ('''
def shift_targets(y, go, end):
    rows = np.concatenate([y, np.zeros((y.shape[0], 1), dtype=int)], axis=1)
    for r in rows:
        r[np.nonzero(r == 0)[0][0]] = end
    return rows, rows.copy()
''', 3, {"not shifted, END and all"}),
        "END replaces the last sound (length - 1)": ('''
def shift_targets(y, go, end):
    n = (y > 0).sum(1)
    x = np.insert(y, 0, go, axis=1)
    t = np.pad(y, ((0, 0), (0, 1)))
    t[range(len(y)), n - 1] = end
    return x, t
''', 3, set()),
        "returned in the wrong order": ('''
def shift_targets(y, go, end):
    t = np.pad(y, ((0, 0), (0, 1)))
    t[range(len(y)), (y > 0).sum(1)] = end
    return t, np.insert(y, 0, go, axis=1)
''', 1, {"returned in the wrong order"}),
        "END filled over all the padding": ('''
def shift_targets(y, go, end):
    x = np.insert(y, 0, go, axis=1)
    t = np.insert(y, y.shape[1], 0, axis=1)
    t[t == 0] = end
    return x, t
''', 3, {"END for the padding"}),
    },
    "s2s.masked_loss": {
        "keras": ('''
def masked_loss(targets, logits):
    each = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    real = ops.cast(ops.not_equal(targets, 0), each.dtype)
    return ops.sum(each * real) / ops.maximum(ops.sum(real), 1)
''', 6, set()),
        "pure NumPy, double loop, log-sum-exp, python float": ('''
def masked_loss(targets, logits):
    targets, logits = np.asarray(targets), np.asarray(logits, dtype="float64")
    total, n = 0.0, 0
    for b in range(targets.shape[0]):
        for t in range(targets.shape[1]):
            if targets[b, t] == 0:
                continue
            z = logits[b, t]
            m = z.max()
            total += m + np.log(np.exp(z - m).sum()) - z[targets[b, t]]
            n += 1
    return total / n if n else 0.0
''', 6, set()),
        "tensorflow boolean_mask, divide_no_nan": ('''
import tensorflow as tf
def masked_loss(targets, logits):
    keep = tf.not_equal(targets, 0)
    t, z = tf.boolean_mask(targets, keep), tf.boolean_mask(logits, keep)
    ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=t, logits=z)
    return tf.math.divide_no_nan(tf.reduce_sum(ce), tf.cast(tf.size(t), ce.dtype))
''', 6, set()),
        "eps in the denominator (count + 1e-7)": ('''
def masked_loss(targets, logits):
    logp = ops.log_softmax(logits, axis=-1)
    picked = ops.take_along_axis(logp, ops.cast(targets, "int32")[..., None], axis=-1)[..., 0]
    m = ops.cast(ops.cast(targets, "bool"), logp.dtype)
    return -ops.sum(picked * m) / (ops.sum(m) + 1e-7)
''', 6, set()),
        "mean over all places": ('''
def masked_loss(targets, logits):
    loss = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    return ops.mean(loss * ops.cast(targets > 0, "float32"))
''', 3, {"divided by all positions"}),
        "mean of the rows' means": ('''
def masked_loss(targets, logits):
    mask = np.asarray(targets) != 0
    loss = np.array(keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True))
    per_row = (loss * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
    return per_row.mean()
''', 3, {"mean of the rows' means"}),
        "softmax + log by hand, no shift, no guard against 0/0": ('''
def masked_loss(targets, logits):
    e = np.exp(np.array(logits))
    p = e / e.sum(axis=-1, keepdims=True)
    t = np.array(targets)
    i, j = np.where(t > 0)
    return float(np.mean(-np.log(p[i, j, t[i, j]])))
''', 4, {"NaN for nothing"}),
        "padding masked in the logits instead of in the loss (counts ln V)": ('''
def masked_loss(targets, logits):
    m = ops.cast(ops.expand_dims(targets, -1) != 0, "float32")
    l = keras.losses.sparse_categorical_crossentropy(targets, logits * m, from_logits=True)
    n = ops.sum(m)
    return ops.sum(l) / ops.maximum(n, 1.0)
''', 2, set()),
        "from_logits forgotten": ('''
def masked_loss(targets, logits):
    l = keras.losses.sparse_categorical_crossentropy(targets, logits)
    m = ops.cast(targets > 0, l.dtype)
    return ops.sum(l * m) / ops.maximum(ops.sum(m), 1)
''', 0, {"scores taken for probabilities"}),
        "softmax then Keras' crossentropy on probabilities (clipped at 1e-7)": ('''
def masked_loss(targets, logits):
    l = keras.losses.sparse_categorical_crossentropy(targets, ops.softmax(logits))
    m = ops.cast(targets > 0, l.dtype)
    return ops.sum(l * m) / ops.maximum(ops.sum(m), 1)
''', 6, set()),
        "the sum, not divided": ('''
def masked_loss(targets, logits):
    l = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    return ops.sum(ops.where(targets > 0, l, 0.0))
''', 1, {"summed only"}),
        "only nan on all padding": ('''
def masked_loss(targets, logits):
    l = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    m = ops.cast(targets > 0, l.dtype)
    return ops.sum(l * m) / ops.sum(m)
''', 5, {"NaN for nothing"}),
        "bits (log2), everything else right": ('''
def masked_loss(targets, logits):
    l = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True) / np.log(2)
    m = ops.cast(targets > 0, l.dtype)
    return ops.sum(l * m) / ops.maximum(ops.sum(m), 1)
''', 0, {"in bits"}),
    },
    "s2s.encoder": {
        "ops loop": ('''
def encode(cell, x, mask=None, states=None):
    if states is None:
        states = [ops.zeros((x.shape[0], u)) for u in state_sizes(cell)]
    states = list(states)
    for t in range(x.shape[1]):
        _, new = cell(x[:, t], states)
        if mask is None:
            states = list(new)
        else:
            m = ops.convert_to_tensor(mask)[:, t][:, None]
            states = [ops.where(m, n, s) for n, s in zip(new, states)]
    return states
''', 7, set()),
        "arithmetic mask m*new+(1-m)*old, tensorflow": ('''
import tensorflow as tf
def encode(cell, x, mask=None, states=None):
    x = tf.convert_to_tensor(x)
    B, n_steps = x.shape[0], x.shape[1]
    h = states if states is not None else [tf.zeros((B, u)) for u in state_sizes(cell)]
    m = tf.ones((B, n_steps)) if mask is None else tf.cast(mask, tf.float32)
    for t, x_t in enumerate(tf.unstack(x, axis=1)):
        keep = m[:, t, tf.newaxis]
        h_new = cell(x_t, list(h))[1]
        h = [keep * a + (1 - keep) * b for a, b in zip(h_new, h)]
    return h
''', 7, set()),
        "one row at a time, skipping padding": ('''
def encode(cell, x, mask=None, states=None):
    x = np.asarray(x)
    rows = []
    for b in range(len(x)):
        if states is None:
            s = [np.zeros((1, u), "float32") for u in state_sizes(cell)]
        else:
            s = [np.asarray(q)[b:b + 1] for q in states]
        for t in range(x.shape[1]):
            if mask is None or np.asarray(mask)[b, t]:
                s = cell(x[b:b + 1, t], s)[1]
        rows.append(s)
    return [np.concatenate([np.asarray(r[k]) for r in rows]) for k in range(len(state_sizes(cell)))]
''', 7, set()),
        "all states kept, then the state at the last letter picked (right for padding behind)": ('''
def encode(cell, x, mask=None, states=None):
    B, S, _ = x.shape
    if states is None:
        states = [np.zeros((B, u), "float32") for u in state_sizes(cell)]
    history = [states]
    for t in range(S):
        _, states = cell(x[:, t], states)
        history.append(states)
    if mask is None:
        return list(states)
    n = np.asarray(mask).sum(axis=1)
    return [np.stack([np.asarray(history[n[b]][k])[b] for b in range(B)]) for k in range(len(states))]
''', 7, set()),
        "mask ignored": ('''
def encode(cell, x, mask=None, states=None):
    s = states or [ops.zeros((len(x), u)) for u in state_sizes(cell)]
    for t in range(x.shape[1]):
        out, s = cell(x[:, t, :], s)
    return s
''', 3, {"mask ignored"}),
        "only h is masked, c runs on": ('''
def encode(cell, x, mask=None, states=None):
    if states is None:
        states = [ops.zeros((x.shape[0], u)) for u in state_sizes(cell)]
    for t in range(x.shape[1]):
        h, new = cell(x[:, t], states)
        if mask is not None:
            h = ops.where(mask[:, t:t + 1], h, states[0])
        states = [h] + list(new[1:])
    return states
''', 5, {"c reads the padding"}),
        "padded letters set to 0, states run on": ('''
def encode(cell, x, mask=None, states=None):
    if mask is not None:
        x = x * np.asarray(mask)[:, :, None]
    st = states
    if st is None:
        st = [np.zeros((x.shape[0], k), dtype="float32") for k in state_sizes(cell)]
    for t in range(x.shape[1]):
        st = cell(x[:, t], st)[1]
    return st
''', 3, {"padding read as zeros"}),
        "states given are overwritten with zeros": ('''
def encode(cell, x, mask=None, states=None):
    B, S, D = x.shape
    states = [ops.zeros((B, u)) for u in state_sizes(cell)]
    if mask is None:
        mask = ops.ones((B, S), dtype="bool")
    for t in range(S):
        _, nxt = cell(x[:, t], states)
        states = [ops.where(mask[:, t:t + 1], a, b) for a, b in zip(nxt, states)]
    return states
''', 1, {"first states ignored"}),
        "state set to zero at padding": ('''
def encode(cell, x, mask=None, states=None):
    states = states if states is not None else [ops.zeros((x.shape[0], u)) for u in state_sizes(cell)]
    mask = np.ones(x.shape[:2]) if mask is None else np.array(mask)
    for t in range(x.shape[1]):
        o, states = cell(x[:, t], states)
        states = [s * mask[:, t:t + 1].astype("float32") for s in states]
    return states
''', 3, {"padding erases the state"}),
        "the output (h) is returned, not the list of states": ('''
def encode(cell, x, mask=None, states=None):
    states = states if states is not None else [ops.zeros((x.shape[0], u)) for u in state_sizes(cell)]
    out = states[0]
    for t in range(x.shape[1]):
        o, new = cell(x[:, t], states)
        m = True if mask is None else mask[:, t:t + 1]
        out = ops.where(m, o, out)
        states = [ops.where(m, n, s) for n, s in zip(new, states)]
    return out
''', 0, {"only h"}),
        "loop stops at the first padding of any row": ('''
def encode(cell, x, mask=None, states=None):
    if states is None:
        states = [ops.zeros((x.shape[0], u)) for u in state_sizes(cell)]
    for t in range(x.shape[1]):
        if mask is not None and not np.all(np.asarray(mask)[:, t]):
            break
        _, states = cell(x[:, t], states)
    return states
''', 3, set()),
    },
    "s2s.decoder_step": {
        "my own": ('''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    v = ops.take(embedding, y, axis=0)
    if context is not None:
        v = ops.concatenate([v, context], axis=-1)
    h, new = cell(v, states)
    return ops.matmul(h, readout) + bias, list(new)
''', 5, set()),
        "one-hot times embedding, tensorflow": ('''
import tensorflow as tf
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    e = tf.one_hot(y, tf.shape(embedding)[0]) @ tf.convert_to_tensor(embedding)
    parts = [e] if context is None else [e, tf.convert_to_tensor(context)]
    out, states = cell(tf.concat(parts, 1), states)
    return tf.nn.bias_add(out @ tf.convert_to_tensor(readout), tf.convert_to_tensor(bias)), states
''', 5, set()),
        "NumPy indexing, h from new_states[0], einsum": ('''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    inp = np.asarray(embedding)[np.asarray(y)]
    if context is not None:
        inp = np.hstack([inp, np.asarray(context)])
    _, new = cell(inp, states)
    h = np.asarray(new[0])
    return np.einsum("bu,uv->bv", h, np.asarray(readout)) + np.asarray(bias), new
''', 5, set()),
        "context before the embedding": ('''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    e = ops.take(embedding, y, axis=0)
    if context is not None:
        e = ops.concatenate([context, e], axis=1)
    h, s = cell(e, states)
    return h @ readout + bias, s
''', 1, {"context in front"}),
        "scores read from the last state (c in an LSTM)": ('''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    e = np.array(embedding)[np.array(y)]
    if context is not None:
        e = np.concatenate([e, np.array(context)], -1)
    out, s = cell(e, states)
    return ops.matmul(s[-1], readout) + bias, s
''', 3, {"scores from c"}),
        "softmax on top": ('''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    e = ops.take(embedding, y, axis=0)
    if context is not None:
        e = ops.concatenate([e, context], axis=-1)
    h, s = cell(e, states)
    return ops.softmax(ops.dot(h, readout) + bias), s
''', 3, {"softmax taken"}),
        "context stands behind the state at the readout? no: added onto h": ('''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    e = ops.take(embedding, y, axis=0)
    if context is None:
        context = ops.zeros((e.shape[0], 0))
    h, s = cell(ops.concatenate([e, context], axis=-1), states)
    return ops.matmul(h, readout), s
''', 3, {"no bias"}),
        "old states returned": ('''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    e = ops.take(embedding, y, axis=0)
    if context is not None:
        e = ops.concatenate([e, context], axis=-1)
    h, new_states = cell(e, states)
    return ops.matmul(h, readout) + bias, states
''', 3, {"old states handed on"}),
        "context forgotten": ('''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    h, states = cell(ops.take(embedding, y, axis=0), states)
    return ops.matmul(h, readout) + bias, states
''', 0, {"context left out"}),
        "if context: (truth of an array)": ('''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    e = ops.take(embedding, y, axis=0)
    if context:
        e = ops.concatenate([e, context], axis=-1)
    h, states = cell(e, states)
    return ops.matmul(h, readout) + bias, states
''', 0, set()),
        "returned the wrong way round": ('''
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    e = ops.take(embedding, y, axis=0)
    if context is not None:
        e = ops.concatenate([e, context], axis=-1)
    h, states = cell(e, states)
    return states, ops.matmul(h, readout) + bias
''', 0, set()),
    },
    "s2s.mix_and_match": {
        "my own": ('''
class Seq2Seq(keras.layers.Layer):
    def __init__(self, encoder, cell, symbols, feed="every", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(symbols)

    def compute_mask(self, x, previous_mask):
        return None  # the letters' mask ends here: it says nothing about the sounds

    def call(self, x, y, mask=None):
        c = self.encoder(x, mask=mask)
        first = [bridge(c) for bridge in self.bridges]
        if self.feed == "every":
            c_all = ops.repeat(ops.expand_dims(c, 1), y.shape[1], axis=1)
            y = ops.concatenate([y, c_all], axis=-1)
        return self.readout(self.decoder(y, initial_state=first))
''', 8, set()),
        "explicit loop over the cell, no self.decoder": ('''
class Seq2Seq(keras.layers.Layer):
    def __init__(self, encoder, cell, symbols, feed="every", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(symbols)

    def compute_mask(self, x, previous_mask):
        return None  # the letters' mask ends here: it says nothing about the sounds

    def call(self, x, y, mask=None):
        c = self.encoder(x, mask=mask)
        s = [b(c) for b in self.bridges]
        outs = []
        for t in range(y.shape[1]):
            inp = y[:, t]
            if self.feed == "every":
                inp = ops.concatenate([inp, c], axis=-1)
            h, s = self.cell(inp, s)
            outs.append(self.readout(h))
        return ops.stack(outs, axis=1)
''', 8, set()),
        "tensorflow tile, shape from tf.shape": ('''
class Seq2Seq(keras.layers.Layer):
    def __init__(self, encoder, cell, symbols, feed="every", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(symbols)

    def compute_mask(self, x, previous_mask):
        return None  # the letters' mask ends here: it says nothing about the sounds

    def call(self, x, y, mask=None):
        import tensorflow as tf
        c = self.encoder(x, mask=mask)
        if self.feed != "start":
            c_rep = tf.tile(c[:, tf.newaxis, :], [1, tf.shape(y)[1], 1])
            y = tf.concat([y, c_rep], axis=2)
        return self.readout(self.decoder(y, initial_state=list(map(lambda b: b(c), self.bridges))))
''', 8, set()),
        "mask not handed to the encoder": ('''
class Seq2Seq(keras.layers.Layer):
    def __init__(self, encoder, cell, symbols, feed="every", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(symbols)

    def compute_mask(self, x, previous_mask):
        return None  # the letters' mask ends here: it says nothing about the sounds

    def call(self, x, y, mask=None):
        c = self.encoder(x)
        states = [b(c) for b in self.bridges]
        if self.feed == "every":
            y = ops.concatenate([y, ops.repeat(c[:, None], y.shape[1], axis=1)], -1)
        return self.readout(self.decoder(y, initial_state=states))
''', 5, {"mask not handed on"}),
        "'start' read as: c only behind the first input (zeros behind the others)": ('''
class Seq2Seq(keras.layers.Layer):
    def __init__(self, encoder, cell, symbols, feed="every", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(symbols)

    def compute_mask(self, x, previous_mask):
        return None  # the letters' mask ends here: it says nothing about the sounds

    def call(self, x, y, mask=None):
        c = self.encoder(x, mask=mask)
        states = [b(c) for b in self.bridges]
        T = y.shape[1]
        rep = ops.repeat(c[:, None, :], T, axis=1)
        if self.feed == "start":
            rep = ops.concatenate([rep[:, :1], ops.zeros_like(rep[:, 1:])], axis=1)
        return self.readout(self.decoder(ops.concatenate([y, rep], axis=-1), initial_state=states))
''', 2, {"always at every step"}),
        "rows mixed up by tile + reshape": ('''
class Seq2Seq(keras.layers.Layer):
    def __init__(self, encoder, cell, symbols, feed="every", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(symbols)

    def compute_mask(self, x, previous_mask):
        return None  # the letters' mask ends here: it says nothing about the sounds

    def call(self, x, y, mask=None):
        c = self.encoder(x, mask=mask)
        B, T = y.shape[0], y.shape[1]
        if self.feed == "every":
            tiled = ops.reshape(ops.tile(c, (T, 1)), (B, T, c.shape[-1]))
            y = ops.concatenate([y, tiled], axis=-1)
        return self.readout(self.decoder(y, initial_state=[b(c) for b in self.bridges]))
''', 4, set()),
        "with 'every' no initial state (c is in the inputs already)": ('''
class Seq2Seq(keras.layers.Layer):
    def __init__(self, encoder, cell, symbols, feed="every", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(symbols)

    def compute_mask(self, x, previous_mask):
        return None  # the letters' mask ends here: it says nothing about the sounds

    def call(self, x, y, mask=None):
        c = self.encoder(x, mask=mask)
        if self.feed == "every":
            c3 = ops.expand_dims(c, axis=1) + ops.zeros((1, y.shape[1], 1))
            out = self.decoder(ops.concatenate([y, c3], axis=-1))
        else:
            out = self.decoder(y, initial_state=[b(c) for b in self.bridges])
        return self.readout(out)
''', 4, set()),
        "first bridge for every state": ('''
class Seq2Seq(keras.layers.Layer):
    def __init__(self, encoder, cell, symbols, feed="every", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(symbols)

    def compute_mask(self, x, previous_mask):
        return None  # the letters' mask ends here: it says nothing about the sounds

    def call(self, x, y, mask=None):
        c = self.encoder(x, mask=mask)
        h0 = self.bridges[0](c)
        if self.feed == "every":
            y = ops.concatenate([y, ops.repeat(c[:, None], y.shape[1], axis=1)], -1)
        return self.readout(self.decoder(y, initial_state=[h0] * len(self.bridges)))
''', 5, {"one bridge for both states"}),
        "feed ignored: always behind": ('''
class Seq2Seq(keras.layers.Layer):
    def __init__(self, encoder, cell, symbols, feed="every", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(symbols)

    def compute_mask(self, x, previous_mask):
        return None  # the letters' mask ends here: it says nothing about the sounds

    def call(self, x, y, mask=None):
        c = self.encoder(x, mask=mask)
        states = [b(c) for b in self.bridges]
        y = ops.concatenate([y, ops.repeat(c[:, None], y.shape[1], axis=1)], -1)
        return self.readout(self.decoder(y, initial_state=states))
''', 2, {"always at every step"}),
        "bridge output (first state) put behind the inputs, not c": ('''
class Seq2Seq(keras.layers.Layer):
    def __init__(self, encoder, cell, symbols, feed="every", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(symbols)

    def compute_mask(self, x, previous_mask):
        return None  # the letters' mask ends here: it says nothing about the sounds

    def call(self, x, y, mask=None):
        c = self.encoder(x, mask=mask)
        states = [b(c) for b in self.bridges]
        if self.feed == "every":
            y = ops.concatenate([y, ops.repeat(states[0][:, None], y.shape[1], axis=1)], -1)
        return self.readout(self.decoder(y, initial_state=states))
''', 3, set()),
        "letters' mask handed to the decoder too": ('''
class Seq2Seq(keras.layers.Layer):
    def __init__(self, encoder, cell, symbols, feed="every", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(symbols)

    def compute_mask(self, x, previous_mask):
        return None  # the letters' mask ends here: it says nothing about the sounds

    def call(self, x, y, mask=None):
        c = self.encoder(x, mask=mask)
        states = [b(c) for b in self.bridges]
        if self.feed == "every":
            y = ops.concatenate([y, ops.repeat(c[:, None], y.shape[1], axis=1)], -1)
        return self.readout(self.decoder(y, initial_state=states, mask=mask))
''', 4, set()),
        "readout forgotten": ('''
class Seq2Seq(keras.layers.Layer):
    def __init__(self, encoder, cell, symbols, feed="every", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.encoder, self.cell, self.feed = encoder, cell, feed
        self.bridges = [keras.layers.Dense(size, activation="tanh") for size in state_sizes(cell)]
        self.decoder = keras.layers.RNN(cell, return_sequences=True)
        self.readout = keras.layers.Dense(symbols)

    def compute_mask(self, x, previous_mask):
        return None  # the letters' mask ends here: it says nothing about the sounds

    def call(self, x, y, mask=None):
        c = self.encoder(x, mask=mask)
        states = [b(c) for b in self.bridges]
        if self.feed == "every":
            y = ops.concatenate([y, ops.repeat(c[:, None], y.shape[1], axis=1)], -1)
        return self.decoder(y, initial_state=states)
''', 0, set()),
    },
    "s2s.error_rate": {
        "table": ('''
def error_rate(said, truth):
    def dist(a, b):
        d = np.zeros((len(a) + 1, len(b) + 1), int)
        d[:, 0] = np.arange(len(a) + 1)
        d[0] = np.arange(len(b) + 1)
        for i in range(len(a)):
            for j in range(len(b)):
                d[i + 1, j + 1] = min(d[i, j + 1] + 1, d[i + 1, j] + 1, d[i, j] + (a[i] != b[j]))
        return d[-1, -1]
    e = [dist(list(a), list(b)) for a, b in zip(said, truth)]
    return sum(e) / sum(len(t) for t in truth), np.mean([k > 0 for k in e])
''', 5, set()),
        "recursion with a cache": ('''
from functools import lru_cache
def error_rate(said, truth):
    total = letters_n = bad = 0
    for a, b in zip(said, truth):
        @lru_cache(None)
        def d(i, j):
            if i == 0 or j == 0:
                return i + j
            if a[i - 1] == b[j - 1]:
                return d(i - 1, j - 1)
            return 1 + min(d(i - 1, j), d(i, j - 1), d(i - 1, j - 1))
        k = d(len(a), len(b))
        total += k
        letters_n += len(b)
        bad += k != 0
    return total / letters_n, bad / len(truth)
''', 5, set()),
        "tf.edit_distance through sparse tensors": ('''
import tensorflow as tf
def error_rate(said, truth):
    def sp(w):
        w = [str(s) for s in w]
        return tf.SparseTensor([[0, i] for i in range(len(w))] or np.zeros((0, 2), "int64"),
                               w or tf.constant([], tf.string), [1, max(len(w), 1)])
    edits = 0
    wrong = 0
    for s, t in zip(said, truth):
        if len(s) == 0 or len(t) == 0:
            k = max(len(s), len(t))
        else:
            k = int(tf.edit_distance(sp(s), sp(t), normalize=False)[0])
        edits += k
        wrong += list(s) != list(t)
    return edits / sum(map(len, truth)), wrong / len(said)
''', 5, set()),
        "place by place, length difference added": ('''
def error_rate(said, truth):
    edits, n, w = 0, 0, 0
    for s, t in zip(said, truth):
        e = sum(a != b for a, b in zip(s, t)) + abs(len(s) - len(t))
        edits += e
        n += len(t)
        w += e > 0
    return edits / n, w / len(truth)
''', 2, {"compared place by place"}),
        "mean of each word's rate": ('''
def error_rate(said, truth):
    def lev(a, b):
        if not a: return len(b)
        if not b: return len(a)
        prev = list(range(len(b) + 1))
        for x in a:
            cur = [prev[0] + 1]
            for j, z in enumerate(b):
                cur.append(min(prev[j] + (x != z), prev[j + 1] + 1, cur[j] + 1))
            prev = cur
        return prev[-1]
    ed = np.array([lev(list(a), list(b)) for a, b in zip(said, truth)])
    ln = np.array([len(b) for b in truth])
    return np.mean(ed / np.maximum(ln, 1)), np.mean(ed > 0)
''', 1, {"mean of the words' rates"}),
        "through difflib's matching blocks": ('''
from difflib import SequenceMatcher
def error_rate(said, truth):
    e, wrong = 0, 0
    for s, t in zip(said, truth):
        ops_ = SequenceMatcher(None, s, t, autojunk=False).get_opcodes()
        k = sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in ops_ if tag != "equal")
        e += k
        wrong += k > 0
    return e / sum(len(t) for t in truth), wrong / len(truth)
''', 2, set()),
        "substitution costs 2 (one out, one in)": ('''
def error_rate(said, truth):
    def lcs(a, b):
        L = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
        for i in range(len(a)):
            for j in range(len(b)):
                L[i + 1][j + 1] = L[i][j] + 1 if a[i] == b[j] else max(L[i][j + 1], L[i + 1][j])
        return L[-1][-1]
    e = [len(a) + len(b) - 2 * lcs(a, b) for a, b in zip(said, truth)]
    return sum(e) / sum(map(len, truth)), sum(k > 0 for k in e) / len(e)
''', 2, {"substitution costs 2"}),
        "divided by the length of what was said": ('''
def error_rate(said, truth):
    def dist(a, b):
        d = np.zeros((len(a) + 1, len(b) + 1), int)
        d[:, 0] = np.arange(len(a) + 1)
        d[0] = np.arange(len(b) + 1)
        for i in range(len(a)):
            for j in range(len(b)):
                d[i + 1, j + 1] = min(d[i, j + 1] + 1, d[i + 1, j] + 1, d[i, j] + (a[i] != b[j]))
        return d[-1, -1]
    e = [dist(list(a), list(b)) for a, b in zip(said, truth)]
    return sum(e) / sum(len(s) for s in said), np.mean([k > 0 for k in e])
''', 1, set()),
        "capped at 1": ('''
def error_rate(said, truth):
    def dist(a, b):
        d = np.zeros((len(a) + 1, len(b) + 1), int)
        d[:, 0] = np.arange(len(a) + 1)
        d[0] = np.arange(len(b) + 1)
        for i in range(len(a)):
            for j in range(len(b)):
                d[i + 1, j + 1] = min(d[i, j + 1] + 1, d[i + 1, j] + 1, d[i, j] + (a[i] != b[j]))
        return d[-1, -1]
    e = [dist(list(a), list(b)) for a, b in zip(said, truth)]
    return min(1.0, sum(e) / sum(len(s) for s in truth)), np.mean([k > 0 for k in e])
''', 4, {"held below 1"}),
        "second number: share of RIGHT words": ('''
def error_rate(said, truth):
    def dist(a, b):
        d = np.zeros((len(a) + 1, len(b) + 1), int)
        d[:, 0] = np.arange(len(a) + 1)
        d[0] = np.arange(len(b) + 1)
        for i in range(len(a)):
            for j in range(len(b)):
                d[i + 1, j + 1] = min(d[i, j + 1] + 1, d[i + 1, j] + 1, d[i, j] + (a[i] != b[j]))
        return d[-1, -1]
    e = [dist(list(a), list(b)) for a, b in zip(said, truth)]
    return sum(e) / sum(len(s) for s in truth), sum(a == b for a, b in zip(said, truth)) / len(truth)
''', 4, {"share of words that are right"}),
        "divided by the longer of the two lengths": ('''
def error_rate(said, truth):
    def dist(a, b):
        d = np.zeros((len(a) + 1, len(b) + 1), int)
        d[:, 0] = np.arange(len(a) + 1)
        d[0] = np.arange(len(b) + 1)
        for i in range(len(a)):
            for j in range(len(b)):
                d[i + 1, j + 1] = min(d[i, j + 1] + 1, d[i + 1, j] + 1, d[i, j] + (a[i] != b[j]))
        return d[-1, -1]
    e = [dist(list(a), list(b)) for a, b in zip(said, truth)]
    return sum(e) / sum(max(len(s), len(t)) for s, t in zip(said, truth)), np.mean([k > 0 for k in e])
''', 1, {"divided by the longer"}),
    },
    "s2s.greedy": {
        "on array": ('''
def greedy(step, states, go, end, longest):
    B = len(states[0])
    y = np.full(B, go)
    on = np.ones(B, bool)
    out = np.zeros((B, longest), int)
    for t in range(longest):
        logits, states = step(y, states)
        y = np.argmax(np.asarray(logits), axis=-1)
        on &= y != end
        out[:, t] = np.where(on, y, 0)
    return out
''', 5, set()),
        "all steps first, cut afterwards with cumsum": ('''
def greedy(step, states, go, end, longest):
    y = ops.full((states[0].shape[0],), go, dtype="int32")
    said = []
    for _ in range(longest):
        logits, states = step(y, states)
        y = ops.argmax(ops.convert_to_tensor(logits), axis=-1)
        said.append(y)
    said = ops.stack(said, axis=1)
    ended = ops.cumsum(ops.cast(said == end, "int32"), axis=1) > 0
    return ops.where(ended, 0, said)
''', 5, set()),
        "row by row, python lists, early stop": ('''
def greedy(step, states, go, end, longest):
    result = []
    for b in range(len(states[0])):
        s = [q[b:b + 1] for q in states]
        word, last = [], go
        while len(word) < longest:
            logits, s = step(np.array([last]), s)
            last = int(np.argmax(logits[0]))
            if last == end:
                break
            word.append(last)
        result.append(word + [0] * (longest - len(word)))
    return np.array(result)
''', 5, set()),
        "a row that ended may talk again (END is only replaced by 0)": ('''
def greedy(step, states, go, end, longest):
    y = np.full(len(states[0]), go)
    cols = []
    for t in range(longest):
        logits, states = step(y, states)
        y = np.argmax(logits, -1)
        cols.append(np.where(y == end, 0, y))
    return np.stack(cols, 1)
''', 0, {"END skipped, then on"}),
        "everything stops when the first row ends": ('''
def greedy(step, states, go, end, longest):
    B = states[0].shape[0]
    out = np.zeros((B, longest), "int32")
    y = np.array([go] * B)
    for t in range(longest):
        logits, states = step(y, states)
        y = np.asarray(logits).argmax(1)
        if (y == end).any():
            break
        out[:, t] = y
    return out
''', 1, {"all stop with the first"}),
        "END itself stays in the output": ('''
def greedy(step, states, go, end, longest):
    B = states[0].shape[0]
    on, y, out = np.ones(B, bool), np.full(B, go), np.zeros((B, longest), int)
    for t in range(longest):
        logits, states = step(y, states)
        y = np.argmax(logits, axis=1)
        out[on, t] = y[on]
        on = on & (y != end)
        if not on.any():
            break
    return out
''', 0, {"END written"}),
        "new states thrown away": ('''
def greedy(step, states, go, end, longest):
    B = states[0].shape[0]
    y = np.full((B,), go)
    done = np.zeros(B, bool)
    out = []
    for _ in range(longest):
        logits, new_states = step(y, states)
        y = np.argmax(logits, -1)
        done = done | (y == end)
        out.append(np.where(done, 0, y))
    return np.array(out).T
''', 0, {"states not carried"}),
        "GO is given at every step": ('''
def greedy(step, states, go, end, longest):
    B = states[0].shape[0]
    done = np.zeros(B, bool)
    out = []
    for _ in range(longest):
        logits, states = step(np.full(B, go), states)
        best = np.argmax(logits, -1)
        done = done | (best == end)
        out.append(np.where(done, 0, best))
    return np.array(out).T
''', 0, {"GO at every step"}),
        "shape (longest, B): transpose forgotten": ('''
def greedy(step, states, go, end, longest):
    B = states[0].shape[0]
    y, done, out = np.full(B, go), np.zeros(B, bool), []
    for _ in range(longest):
        logits, states = step(y, states)
        y = np.argmax(logits, -1)
        done |= y == end
        out.append(np.where(done, 0, y))
    return np.array(out)
''', 0, set()),
        "GO in the first column": ('''
def greedy(step, states, go, end, longest):
    B = states[0].shape[0]
    out = np.zeros((B, longest), int)
    out[:, 0] = go
    done = np.zeros(B, bool)
    for t in range(1, longest):
        logits, states = step(out[:, t - 1], states)
        y = np.argmax(logits, -1)
        done |= y == end
        out[:, t] = np.where(done, 0, y)
    return out
''', 0, {"GO among the symbols"}),
        "whole batch goes on only while row 0 has not ended": ('''
def greedy(step, states, go, end, longest):
    B = states[0].shape[0]
    out = np.zeros((B, longest), int)
    y = np.full(B, go)
    ended = [False] * B
    for t in range(longest):
        logits, states = step(y, states)
        y = np.argmax(logits, -1)
        for b in range(B):
            if y[b] == end:
                ended[b] = True
            if not ended[b]:
                out[b, t] = y[b]
        if y[0] == end:
            break
    return out
''', 1, set()),
    },
    "s2s.beam": {
        "triples": ('''
def beam_search(step, states, go, end, width, longest, alpha):
    live, done = [(0.0, [], states)], []
    for t in range(longest):
        ext = []
        for total, seq, st in live:
            logits, new = step(np.array([seq[-1] if seq else go]), st)
            lp = np.asarray(ops.log_softmax(ops.convert_to_tensor(logits)))[0]
            ext += [(total + float(lp[v]), seq + [v], new) for v in range(len(lp))]
        ext.sort(key=lambda e: -e[0])
        live = []
        for e in ext[:width]:
            (done if e[1][-1] == end else live).append(e)
        if not live:
            break
    best = max(done + live, key=lambda e: e[0] / len(e[1]) ** alpha)
    return [s for s in best[1] if s != end], best[0] / len(best[1]) ** alpha
''', 8, set()),
        "heapq.nlargest, dicts, score kept best so far": ('''
import heapq
def beam_search(step, states, go, end, width, longest, alpha):
    best_word, best_score = [], -float("inf")
    beam = [dict(p=0.0, word=(), st=states)]
    while beam:
        cand = []
        for i, hyp in enumerate(beam):
            y = hyp["word"][-1] if hyp["word"] else go
            z, st = step(np.array([y]), hyp["st"])
            z = np.asarray(z, "float64")[0]
            z = z - z.max()
            z = z - np.log(np.exp(z).sum())
            cand.extend((hyp["p"] + z[k], i, k, st) for k in range(z.size))
        kept = heapq.nlargest(width, cand, key=lambda c: c[0])
        nxt = []
        for p, i, k, st in kept:
            word = beam[i]["word"] + (k,)
            if k == end or len(word) == longest:
                s = p / len(word) ** alpha
                if s > best_score:
                    best_score, best_word = s, [w for w in word if w != end]
            else:
                nxt.append(dict(p=p, word=word, st=st))
        beam = nxt
    return best_word, best_score
''', 8, set()),
        "batched: states of all hypotheses stacked, argsort on the flat scores": ('''
def beam_search(step, states, go, end, width, longest, alpha):
    sums, words, pool = np.zeros(1), [[]], []
    last = np.array([go])
    for _ in range(longest):
        logits, states = step(last, states)
        logits = np.asarray(logits, dtype=float)
        logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        flat = (sums[:, None] + logp).ravel()
        top = np.argsort(-flat, kind="stable")[:width]
        parent, sym = np.divmod(top, logp.shape[1])
        new = [words[p] + [int(s)] for p, s in zip(parent, sym)]
        pool += [(flat[k] / len(w) ** alpha, w[:-1]) for k, w in zip(top, new) if w[-1] == end]
        go_on = np.flatnonzero(sym != end)
        words = [new[i] for i in go_on]
        sums, last = flat[top][go_on], sym[go_on]
        if not len(go_on):
            break
        states = [np.asarray(s)[parent[go_on]] for s in states]
    pool += [(s / len(w) ** alpha, w) for s, w in zip(sums, words)]
    score, word = max(pool)
    return word, score
''', 8, set()),
        "states of the last hypothesis used by all": ('''
def beam_search(step, states, go, end, width, longest, alpha):
    beam, finished = [(0.0, [])], []
    for _ in range(longest):
        every = []
        for p, w in beam:
            logits, new_states = step(np.array([w[-1] if w else go]), states)
            lp = np.array(logits)[0]
            lp = lp - np.log(np.sum(np.exp(lp)))
            for v in range(len(lp)):
                every.append((p + lp[v], w + [v]))
        states = new_states
        every = sorted(every, reverse=True)[:width]
        finished += [e for e in every if e[1][-1] == end]
        beam = [e for e in every if e[1][-1] != end]
        if not beam:
            break
    p, w = max(finished + beam, key=lambda e: e[0] / len(e[1]) ** alpha)
    return [v for v in w if v != end], p / len(w) ** alpha
''', 1, set()),
        "only finished ones may win": ('''
def beam_search(step, states, go, end, width, longest, alpha):
    beam, finished = [(0.0, [], states)], []
    for _ in range(longest):
        every = []
        for p, w, s in beam:
            logits, s2 = step(np.array([w[-1] if w else go]), s)
            lp = np.array(logits)[0]
            lp = lp - np.log(np.sum(np.exp(lp)))
            every += [(p + lp[v], w + [v], s2) for v in range(len(lp))]
        every = sorted(every, key=lambda e: e[0], reverse=True)[:width]
        finished += [e for e in every if e[1][-1] == end]
        beam = [e for e in every if e[1][-1] != end]
    if not finished:
        finished = beam
    p, w, _ = max(finished, key=lambda e: e[0] / len(e[1]) ** alpha)
    return [v for v in w if v != end], p / len(w) ** alpha
''', 6, {"unfinished dropped"}),
        "END not counted in the length": ('''
def beam_search(step, states, go, end, width, longest, alpha):
    beam, finished = [(0.0, [], states)], []
    for _ in range(longest):
        every = []
        for p, w, s in beam:
            logits, s2 = step(np.array([w[-1] if w else go]), s)
            lp = np.array(logits)[0]
            lp = lp - np.log(np.sum(np.exp(lp)))
            for v, l in enumerate(lp):
                every.append((p + l, w + [v], s2))
        every.sort(key=lambda e: e[0], reverse=True)
        beam = []
        for p, w, s in every[:width]:
            if w[-1] == end:
                finished.append((p / max(len(w) - 1, 1) ** alpha, w[:-1]))
            else:
                beam.append((p, w, s))
    finished += [(p / len(w) ** alpha, w) for p, w, s in beam]
    score, word = max(finished)
    return word, score
''', 4, {"END not counted"}),
        "stops at the first hypothesis that ends": ('''
def beam_search(step, states, go, end, width, longest, alpha):
    beam = [(0.0, [], states)]
    for _ in range(longest):
        every = []
        for p, w, s in beam:
            logits, s2 = step(np.array([w[-1] if w else go]), s)
            lp = np.asarray(ops.log_softmax(logits, axis=-1))[0]
            every += [(p + lp[v], w + [v], s2) for v in range(len(lp))]
        beam = sorted(every, key=lambda e: -e[0])[:width]
        for p, w, s in beam:
            if w[-1] == end:
                return w[:-1], p / len(w) ** alpha
    p, w, s = beam[0]
    return w, p / len(w) ** alpha
''', 1, {"stopped at the first END"}),
        "raw logits added up": ('''
def beam_search(step, states, go, end, width, longest, alpha):
    beam, finished = [(0.0, [], states)], []
    for _ in range(longest):
        every = []
        for p, w, s in beam:
            logits, s2 = step(np.array([w[-1] if w else go]), s)
            every += [(p + l, w + [v], s2) for v, l in enumerate(np.asarray(logits)[0])]
        every = sorted(every, key=lambda e: -e[0])[:width]
        finished += [e for e in every if e[1][-1] == end]
        beam = [e for e in every if e[1][-1] != end]
    p, w, _ = max(finished + beam, key=lambda e: e[0] / len(e[1]) ** alpha)
    return [v for v in w if v != end], p / len(w) ** alpha
''', 1, {"scores summed, not log-probabilities"}),
        "width best of EACH hypothesis, never cut over all": ('''
def beam_search(step, states, go, end, width, longest, alpha):
    beam, finished = [(0.0, [], states)], []
    for _ in range(longest):
        every = []
        for p, w, s in beam:
            logits, s2 = step(np.array([w[-1] if w else go]), s)
            lp = np.asarray(ops.log_softmax(logits, axis=-1))[0]
            for v in np.argsort(lp)[::-1][:width]:
                every.append((p + lp[v], w + [int(v)], s2))
        finished += [e for e in every if e[1][-1] == end]
        beam = [e for e in every if e[1][-1] != end]
    p, w, _ = max(finished + beam, key=lambda e: e[0] / len(e[1]) ** alpha)
    return [v for v in w if v != end], p / len(w) ** alpha
''', 5, set()),
        "returns the undivided sum": ('''
def beam_search(step, states, go, end, width, longest, alpha):
    beam, finished = [(0.0, [], states)], []
    for _ in range(longest):
        every = []
        for p, w, s in beam:
            logits, s2 = step(np.array([w[-1] if w else go]), s)
            lp = np.asarray(ops.log_softmax(logits, axis=-1))[0]
            every += [(p + lp[v], w + [v], s2) for v in range(len(lp))]
        every = sorted(every, key=lambda e: -e[0])[:width]
        finished += [e for e in every if e[1][-1] == end]
        beam = [e for e in every if e[1][-1] != end]
    p, w, _ = max(finished + beam, key=lambda e: e[0] / len(e[1]) ** alpha)
    return [v for v in w if v != end], p
''', 4, set()),
        "END left in the word": ('''
def beam_search(step, states, go, end, width, longest, alpha):
    beam, finished = [(0.0, [], states)], []
    for _ in range(longest):
        every = []
        for p, w, s in beam:
            logits, s2 = step(np.array([w[-1] if w else go]), s)
            lp = np.asarray(ops.log_softmax(logits, axis=-1))[0]
            every += [(p + lp[v], w + [v], s2) for v in range(len(lp))]
        every = sorted(every, key=lambda e: -e[0])[:width]
        finished += [e for e in every if e[1][-1] == end]
        beam = [e for e in every if e[1][-1] != end]
    p, w, _ = max(finished + beam, key=lambda e: e[0] / len(e[1]) ** alpha)
    return w, p / len(w) ** alpha
''', 0, {"END written"}),
    },
}
