"""Answers to lesson 01 as students write them: right ones in other styles, and one for each misconception.

Long because it holds texts, one after the other, and next to no code.
"""

from autograde.authoring.answers import edit

RIGHT = {
    "seq.bag_of_words": {
        "bincount, sentence by sentence": '''
def bag_of_words(ids, V):
    bag = np.stack([np.bincount(row, minlength=V) for row in ids])
    bag[:, 0] = 0
    return bag
''',
        "two loops": '''
def bag_of_words(ids, V):
    counts = [[0] * V for _ in range(len(ids))]
    for i, sentence in enumerate(ids):
        for word in sentence:
            if word != 0:
                counts[i][word] += 1
    return np.array(counts)
''',
        "compared with all words at once": '''
def bag_of_words(ids, V):
    found = ops.equal(ops.expand_dims(ids, -1), ops.arange(V))
    return ops.sum(ops.cast(found, "int32"), axis=-2) * ops.cast(ops.arange(V) > 0, "int32")
''',
    },
    "seq.perplexity": {
        "a boolean index": '''
def perplexity(log_p, words):
    return np.exp(-log_p[words > 0].mean())
''',
        "two loops": '''
import math


def perplexity(log_p, words):
    total = 0.0
    count = 0
    for row, ids in zip(log_p, words):
        for lp, word in zip(row, ids):
            if word != 0:
                total -= lp
                count += 1
    return math.exp(total / count)
''',
        "keras.ops in float32": '''
def perplexity(log_p, words):
    is_word = ops.cast(words, "bool")
    costs = ops.where(is_word, -ops.cast(log_p, "float32"), 0.0)
    return ops.exp(ops.sum(costs) / ops.sum(ops.cast(is_word, "float32")))
''',
        "a masked array": '''
def perplexity(log_p, words):
    kept = np.ma.masked_array(log_p, mask=(words == 0))
    return float(np.exp(-kept.compressed().sum() / kept.count()))
''',
        "a sum with where": '''
def perplexity(log_p, words):
    return np.exp(-np.sum(log_p, where=words > 0) / np.count_nonzero(words))
''',
    },
    "seq.embedding": {
        "take instead of one-hot": '''
class WordVectors(keras.layers.Layer):
    def __init__(self, vocabulary, dimension, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary = vocabulary
        self.dimension = dimension

    def build(self, shape):
        self.table = self.add_weight(shape=(self.vocabulary, self.dimension), initializer="uniform", name="table")

    def call(self, ids):
        return ops.take(self.table, ops.cast(ids, "int32"), axis=0)

    def compute_mask(self, inputs, previous_mask):
        return inputs != 0

    def get_config(self):
        config = super().get_config()
        config["vocabulary"] = self.vocabulary
        config["dimension"] = self.dimension
        return config
''',
        "einsum, weight made in __init__": '''
class WordVectors(keras.Layer):
    def __init__(self, vocabulary, dimension, **kw):
        super().__init__(**kw)
        self.sizes = {"vocabulary": vocabulary, "dimension": dimension}
        self.E = self.add_weight(shape=(vocabulary, dimension), initializer="random_normal")

    def call(self, ids):
        return ops.einsum("btv,vd->btd", ops.one_hot(ids, self.sizes["vocabulary"]), self.E)

    def compute_mask(self, ids, mask=None):
        return ops.cast(ids, "bool")

    def get_config(self):
        return {**super().get_config(), **self.sizes}
''',
    },
    "seq.windows": {
        "append in a loop": '''
def windows(series, width, horizon=1):
    X, y = [], []
    for start in range(len(series)):
        target = start + width + horizon - 1
        if target < len(series):
            X.append(series[start:start + width])
            y.append(series[target])
    return np.array(X), np.array(y)
''',
        "sliding_window_view": '''
def windows(series, width, horizon=1):
    view = np.lib.stride_tricks.sliding_window_view(series, width, axis=0)
    view = np.moveaxis(view, -1, 1)
    return view[:-horizon], series[width + horizon - 1:]
''',
        "a matrix of indices": '''
def windows(series, width, horizon=1):
    first = np.arange(series.shape[0] - (width + horizon) + 1)
    return series[first[:, None] + np.arange(width)[None]], series[first + width - 1 + horizon]
''',
    },
    "seq.ar_fit": {
        "normal equations": '''
def ar_fit(series, p):
    rows = []
    for t in range(p, len(series)):
        rows.append(np.concatenate([series[t - p:t][::-1], [1.0]]))
    A = np.array(rows)
    w = np.linalg.solve(A.T @ A, A.T @ series[p:])
    return w[-1], w[:-1]
''',
        "keras.ops in float32": '''
def ar_fit(series, p):
    s = ops.convert_to_tensor(series, dtype="float32")
    T = len(series)
    columns = [ops.ones(T - p)]
    for lag in range(1, p + 1):
        columns.append(s[p - lag:T - lag])
    X = ops.stack(columns, axis=1)
    w = ops.matmul(ops.matmul(ops.inv(ops.matmul(ops.transpose(X), X)), ops.transpose(X)), s[p:, None])[:, 0]
    return w[0], w[1:]
''',
        "centred columns, intercept afterwards": '''
def ar_fit(series, p):
    n = len(series)
    X = np.column_stack([series[p - k: n - k] for k in range(1, p + 1)])
    y = series[p:]
    a = np.linalg.pinv(X - X.mean(axis=0)) @ (y - y.mean())
    return y.mean() - X.mean(axis=0) @ a, a
''',
    },
    "seq.hmm_forward": {
        "keras.ops.logsumexp": '''
def hmm_forward(log_start, log_trans, log_emit):
    T, S = log_emit.shape
    alpha = log_start + log_emit[0]
    rows = [alpha]
    for t in range(1, T):
        alpha = ops.logsumexp(ops.expand_dims(alpha, 1) + log_trans, axis=0) + log_emit[t]
        rows.append(alpha)
    return ops.stack(rows), ops.logsumexp(alpha)
''',
        "state by state with logaddexp": '''
def hmm_forward(log_start, log_trans, log_emit):
    T, S = log_emit.shape
    alpha = np.full((T, S), -np.inf)
    for j in range(S):
        alpha[0, j] = log_start[j] + log_emit[0, j]
    for t in range(1, T):
        for j in range(S):
            for i in range(S):
                alpha[t, j] = np.logaddexp(alpha[t, j], alpha[t - 1, i] + log_trans[i, j])
            alpha[t, j] += log_emit[t, j]
    return alpha, np.logaddexp.reduce(alpha[-1])
''',
        "probabilities, rescaled at every step": '''
def hmm_forward(log_start, log_trans, log_emit):
    A = np.exp(log_trans)
    rows, shift = [], 0.0
    for t in range(len(log_emit)):
        a = np.exp(log_start) if t == 0 else a @ A
        top = log_emit[t].max()
        a = a * np.exp(log_emit[t] - top)
        shift += top + np.log(a.sum())
        a = a / a.sum()
        rows.append(np.log(a) + shift)
    return np.array(rows), shift
''',
    },
    "seq.viterbi": {
        "tables filled state by state": '''
def viterbi(log_start, log_trans, log_emit):
    T, S = log_emit.shape
    delta = np.zeros((T, S))
    psi = np.zeros((T, S), dtype=int)
    delta[0] = log_start + log_emit[0]
    for t in range(1, T):
        for j in range(S):
            options = delta[t - 1] + log_trans[:, j]
            psi[t, j] = np.argmax(options)
            delta[t, j] = options[psi[t, j]] + log_emit[t, j]
    path = np.zeros(T, dtype=int)
    path[-1] = np.argmax(delta[-1])
    for t in range(T - 2, -1, -1):
        path[t] = psi[t + 1, path[t + 1]]
    return path, delta[-1].max()
''',
        "whole paths carried along": '''
def viterbi(log_start, log_trans, log_emit):
    S = len(log_start)
    best = [(log_start[j] + log_emit[0, j], [j]) for j in range(S)]
    for e in log_emit[1:]:
        best = [max((best[i][0] + log_trans[i, j] + e[j], [*best[i][1], j]) for i in range(S)) for j in range(S)]
    log_prob, path = max(best)
    return path, log_prob
''',
        "keras.ops in float32": '''
def viterbi(log_start, log_trans, log_emit):
    start, trans, emit = (ops.cast(a, "float32") for a in (log_start, log_trans, log_emit))
    score = start + emit[0]
    came_from = []
    for t in range(1, emit.shape[0]):
        through = ops.transpose(trans) + score
        came_from.append(ops.argmax(through, axis=1))
        score = ops.max(through, axis=1) + emit[t]
    state = int(ops.argmax(score))
    path = [state]
    while came_from:
        state = int(came_from.pop()[state])
        path.insert(0, state)
    return path, ops.max(score)
''',
    },
}

WRONG = {
    "seq.bag_of_words": {
        "counts by position": '''
def bag_of_words(ids, V):
    counts = np.zeros((len(ids), V))
    for i, sentence in enumerate(ids):
        for t, word in enumerate(sentence):
            if word > 0:
                counts[i, t] += 1
    return counts
''',
        "repeats counted once": '''
def bag_of_words(ids, V):
    counts = np.zeros((len(ids), V))
    for i, sentence in enumerate(ids):
        counts[i, sentence] += 1
    counts[:, 0] = 0
    return counts
''',
        "padding counted": edit("words = words * ops.cast(ids > 0, words.dtype)[..., None]", ""),
        "one column early": edit("ops.one_hot(ids, V)", "ops.one_hot(ids - 1, V)"),
        "frequencies instead of counts": edit("return ops.sum(words, axis=1)",
                                              "n = ops.sum(words, axis=(1, 2))[:, None]\n"
                                              "    return ops.sum(words, axis=1) / ops.maximum(n, 1)"),
        "one bag, repeated for every sentence": '''
def bag_of_words(ids, V):
    words, counts = ops.reshape(ids, (-1,)), np.zeros(V)
    for word in words:
        if word != 0:
            counts[int(word)] += 1
    return np.array([counts for _ in ids])
''',
        "shares of all places": edit("return ops.sum(words, axis=1)", "return ops.mean(words, axis=1)"),
        "one bag for the whole batch": '''
def bag_of_words(ids, V):
    return np.bincount(ids[ids > 0], minlength=V)
''',
        "frequencies, and 0/0 for no words": '''
def bag_of_words(ids, V):
    counts = np.stack([np.bincount(row, minlength=V) for row in ids]).astype(float)
    counts[:, 0] = 0
    return counts / counts.sum(axis=1, keepdims=True)
''',
        "summed over the sentences": edit("axis=1", "axis=0"),
        "padding's column cut off": '''
def bag_of_words(ids, V):
    return ops.sum(ops.one_hot(ids, V), axis=1)[:, 1:]
''',
    },
    "seq.perplexity": {
        "padding counted": '''
def perplexity(log_p, words):
    return np.exp(-np.mean(log_p))
''',
        "divided by all places": '''
def perplexity(log_p, words):
    return np.exp(-np.mean(np.where(words > 0, log_p, 0.0)))
''',
        "minus infinity times 0": '''
def perplexity(log_p, words):
    mask = ops.cast(words > 0, "float32")
    return ops.exp(-ops.sum(ops.cast(log_p, "float32") * mask) / ops.sum(mask))
''',
        "times the mask, divided by all places": '''
def perplexity(log_p, words):
    return np.exp(-np.mean(np.where(words != 0, 1.0, 0.0) * log_p))
''',
        "mean of the sentences' perplexities": '''
def perplexity(log_p, words):
    return np.mean([np.exp(-row[ids > 0].mean()) for row, ids in zip(log_p, words)])
''',
        "every sentence counts the same": '''
def perplexity(log_p, words):
    return np.exp(-np.mean([row[ids > 0].mean() for row, ids in zip(log_p, words)]))
''',
        "one number a sentence": '''
def perplexity(log_p, words):
    costs = np.where(words > 0, -log_p, 0).sum(axis=1)
    return np.exp(costs / (words > 0).sum(axis=1))
''',
        "sign forgotten": edit("np.exp(-", "np.exp("),
        "cross-entropy": edit("np.exp(-total / is_word.sum())", "-total / is_word.sum()"),
        "2 to the power of nats": edit("np.exp(-total / is_word.sum())", "2 ** (-total / is_word.sum())"),
        "sum instead of mean": edit("-total / is_word.sum()", "-total"),
        "mean over the sentences": edit("is_word.sum()", "len(words)"),
        "mean of 1/p": '''
def perplexity(log_p, words):
    p = np.exp(log_p[words != 0])
    return np.mean(1 / p)
''',
        "1 over the mean of p": '''
def perplexity(log_p, words):
    return 1 / np.exp(log_p[words != 0]).mean()
''',
        "product of the probabilities": '''
def perplexity(log_p, words):
    p = np.exp(log_p[words > 0])
    return np.prod(p) ** (-1 / len(p))
''',
        "impossible words left out": edit("is_word = words > 0", "is_word = (words > 0) & np.isfinite(log_p)"),
    },
    "seq.embedding": {
        "transposed": edit("shape=(self.vocabulary, self.dimension)", "shape=(self.dimension, self.vocabulary)",
                           "self.vocabulary), self.E)", "self.vocabulary), ops.transpose(self.E))"),
        "scaled by the square root of d": edit("return ops.matmul(", "return self.dimension ** 0.5 * ops.matmul("),
        "ids shifted by one": edit("ops.one_hot(ids,", "ops.one_hot(ids - 1,"),
        "ids counted from one": edit("ops.one_hot(ids,", "ops.one_hot(ops.maximum(ids - 1, 0),"),
        "padding set to zero": edit("return ops.matmul(ops.one_hot(ids, self.vocabulary), self.E)",
                                    "vectors = ops.matmul(ops.one_hot(ids, self.vocabulary), self.E)\n"
                                    "        return vectors * ops.cast(ids != 0, 'float32')[..., None]"),
        "mask inverted": edit("ops.not_equal(ids, 0)", "ops.equal(ids, 0)"),
        "no mask": edit("return ops.not_equal(ids, 0)", "pass"),
        "mask with a third axis": edit("ops.not_equal(ids, 0)", "ops.not_equal(ids, 0)[..., None]"),
        "get_config returns nothing of its own": edit(
            ' | {"vocabulary": self.vocabulary, "dimension": self.dimension}', ""),
        "dimension missing from get_config": edit(', "dimension": self.dimension', ""),
        "averaged over the sentence": edit("return ops.matmul(ops.one_hot(ids, self.vocabulary), self.E)",
                                           "return ops.mean(ops.matmul(ops.one_hot(ids, self.vocabulary), self.E), 1)"),
        "looked up by position": edit("ops.one_hot(ids,", "ops.one_hot(ops.cumsum(ops.ones_like(ids), axis=1) - 1,"),
        "mask of ones": edit("ops.not_equal(ids, 0)", "ops.ones_like(ids, dtype='bool')"),
        "E the same number everywhere": edit("self.dimension))\n", "self.dimension), initializer='zeros')\n"),
        "E not trained": edit('name="E", ', 'name="E", trainable=False, '),
        "indexed like a NumPy array": edit("ops.matmul(ops.one_hot(ids, self.vocabulary), self.E)", "self.E[ids]"),
        "a row for every step": edit("shape=(self.vocabulary, self.dimension)",
                                     "shape=(input_shape[-1], self.dimension)"),
        "not a weight": edit('self.add_weight(name="E", shape=(self.vocabulary, self.dimension))',
                             "keras.random.normal((self.vocabulary, self.dimension))"),
    },
    "seq.windows": {
        "target inside the window": edit("y = series[width + horizon - 1:]",
                                         "y = series[width + horizon - 2:len(series) - 1]"),
        "one step too far": '''
def windows(series, width, horizon=1):
    X, y = [], []
    for i in range(len(series) - width - horizon):
        X.append(series[i:i + width])
        y.append(series[i + width + horizon])
    return np.array(X), np.array(y)
''',
        "last window lost": '''
def windows(series, width, horizon=1):
    starts = range(len(series) - width - horizon)
    return (np.array([series[i:i + width] for i in starts]),
            np.array([series[i + width + horizon - 1] for i in starts]))
''',
        "windows do not overlap": '''
def windows(series, width, horizon=1):
    starts = np.arange(0, len(series) - width - horizon + 1, width)
    return np.stack([series[i:i + width] for i in starts]), series[starts + width + horizon - 1]
''',
        "newest first": edit("series[i:i + width]", "series[i:i + width][::-1]"),
        "horizon ignored": edit("- horizon + 1", "", "width + horizon - 1", "width"),
        "wrapped around the end": '''
def windows(series, width, horizon=1):
    X = np.stack([np.roll(series, -k, axis=0) for k in range(width)], axis=1)
    return X, np.roll(series, -(width + horizon - 1), axis=0)
''',
        "a window of targets": edit("y = series[width + horizon - 1:]",
                                    "y = np.stack([series[i + horizon:i + horizon + width] for i in range(n)])"),
        "features flattened into time": edit("return X, y", "return X.reshape(n, -1), y"),
    },
    "seq.ar_fit": {
        "lags reversed": edit("return w[0], w[1:]", "return w[0], w[:0:-1]"),
        "no intercept": edit("np.ones(n - p), ", "", "return w[0], w[1:]", "return 0.0, w"),
        "intercept is the mean": '''
def ar_fit(series, p):
    c = series.mean()
    x = series - c
    X = np.stack([x[p - k:len(x) - k] for k in range(1, p + 1)], axis=1)
    return c, np.linalg.lstsq(X, x[p:], rcond=None)[0]
''',
        "mean taken off and forgotten": '''
def ar_fit(series, p):
    x = series - series.mean()
    X = np.stack([x[p - k:len(x) - k] for k in range(1, p + 1)], axis=1)
    return 0.0, np.linalg.lstsq(X, x[p:], rcond=None)[0]
''',
        "x_t among its own lags": edit("range(1, p + 1)", "range(p)"),
        "wrapped around the end": '''
def ar_fit(series, p):
    X = np.stack([np.ones(len(series)), *[np.roll(series, k) for k in range(1, p + 1)]], axis=1)
    w = np.linalg.lstsq(X, series, rcond=None)[0]
    return w[0], w[1:]
''',
        "time runs backwards": edit("lags = [series[p - k:n - k] for k in range(1, p + 1)]",
                                    "lags = [series[k:n - p + k] for k in range(1, p + 1)]",
                                    "series[p:]", "series[:n - p]"),
        "last row lost": '''
def ar_fit(series, p):
    rows, targets = [], []
    for t in range(p, len(series) - 1):
        rows.append([1.0, *[series[t - k] for k in range(1, p + 1)]])
        targets.append(series[t])
    w = np.linalg.lstsq(np.array(rows), np.array(targets), rcond=None)[0]
    return w[0], w[1:]
''',
        "intercept read from the wrong end": edit("[np.ones(n - p), *lags]", "[*lags, np.ones(n - p)]"),
        "Yule–Walker instead of least squares": '''
def ar_fit(series, p):
    n, m = len(series), series.mean()
    r = [np.sum((series[:n - k] - m) * (series[k:] - m)) / n for k in range(p + 1)]
    R = np.array([[r[abs(i - j)] for j in range(p)] for i in range(p)])
    a = np.linalg.solve(R, r[1:])
    return m * (1 - a.sum()), a
''',
    },
    "seq.hmm_forward": {
        "emission missing": edit("[log_start + log_emit[0]]", "[log_start]", "arrive + log_emit[t]", "arrive"),
        "first emission missing": edit("[log_start + log_emit[0]]", "[log_start]"),
        "transitions transposed": edit("log_alpha[-1][:, None] + log_trans", "log_alpha[-1][:, None] + log_trans.T"),
        "probabilities instead of logarithms": '''
def hmm_forward(log_start, log_trans, log_emit):
    start, A, B = np.exp(log_start), np.exp(log_trans), np.exp(log_emit)
    alpha = [start * B[0]]
    for t in range(1, len(B)):
        alpha.append((alpha[-1] @ A) * B[t])
    alpha = np.array(alpha)
    return np.log(alpha), np.log(alpha[-1].sum())
''',
        "maximum instead of sum": edit(
            "logsumexp(log_alpha[-1][:, None] + log_trans, axis=0)",
            "(log_alpha[-1][:, None] + log_trans).max(axis=0)",
            "logsumexp(log_alpha[-1], axis=0)", "log_alpha[-1].max()"),
        "logarithms added where probabilities should be": edit(
            "logsumexp(log_alpha[-1][:, None] + log_trans, axis=0)",
            "(log_alpha[-1][:, None] + log_trans).sum(axis=0)"),
        "summed over the next state": edit("log_trans, axis=0)", "log_trans, axis=1)"),
        "start left out": edit("[log_start + log_emit[0]]", "[log_emit[0]]"),
        "a transition before the first step": edit(
            "[log_start + log_emit[0]]", "[logsumexp(log_start[:, None] + log_trans, axis=0) + log_emit[0]]"),
        "rows normalised": '''
def hmm_forward(log_start, log_trans, log_emit):
    log_alpha = [log_start + log_emit[0]]
    for e in log_emit[1:]:
        log_alpha.append(logsumexp(log_alpha[-1][:, None] + log_trans, axis=0) + e)
    totals = [logsumexp(row, axis=0) for row in log_alpha]
    return np.array([row - total for row, total in zip(log_alpha, totals)]), totals[-1]
''',
        "normalised at every step": '''
def hmm_forward(log_start, log_trans, log_emit):
    alpha = []
    for t in range(len(log_emit)):
        a = log_start if t == 0 else logsumexp(alpha[-1][:, None] + log_trans, axis=0)
        a = a + log_emit[t]
        alpha.append(a - logsumexp(a, axis=0))
    return np.stack(alpha), logsumexp(alpha[-1], axis=0)
''',
        "likelihood of the likeliest last state only": edit("logsumexp(log_alpha[-1], axis=0)", "log_alpha[-1].max()"),
        "last logarithms added up": edit("logsumexp(log_alpha[-1], axis=0)", "log_alpha[-1].sum()"),
        "emission one step late": edit("arrive + log_emit[t]", "arrive + log_emit[t - 1]"),
    },
    "seq.viterbi": {
        "each step on its own": '''
def viterbi(log_start, log_trans, log_emit):
    return log_emit.argmax(axis=1), log_emit.max(axis=1).sum()
''',
        "each step on its own, then scored": '''
def viterbi(log_start, log_trans, log_emit):
    path = [int(np.argmax(e)) for e in log_emit]
    score = log_start[path[0]] + sum(e[s] for e, s in zip(log_emit, path))
    return path, score + sum(log_trans[i, j] for i, j in zip(path, path[1:]))
''',
        "greedy": '''
def viterbi(log_start, log_trans, log_emit):
    scores = log_start + log_emit[0]
    path, total = [scores.argmax()], scores.max()
    for t in range(1, len(log_emit)):
        scores = log_trans[path[-1]] + log_emit[t]
        path.append(scores.argmax())
        total = total + scores.max()
    return np.array(path), total
''',
        "no backtrace": '''
def viterbi(log_start, log_trans, log_emit):
    score = log_start + log_emit[0]
    path = [score.argmax()]
    for t in range(1, len(log_emit)):
        score = (score[:, None] + log_trans).max(axis=0) + log_emit[t]
        path.append(score.argmax())
    return np.array(path), score.max()
''',
        "the forward algorithm's argmax": '''
def viterbi(log_start, log_trans, log_emit):
    alpha = [log_start + log_emit[0]]
    for t in range(1, len(log_emit)):
        alpha.append(logsumexp(alpha[-1][:, None] + log_trans, axis=0) + log_emit[t])
    return np.argmax(alpha, axis=1), logsumexp(alpha[-1], axis=0)
''',
        "sum instead of maximum": edit("candidates.max(axis=0)", "logsumexp(candidates, axis=0)",
                                       "score.max()", "logsumexp(score, axis=0)"),
        "backtrace off by one": '''
def viterbi(log_start, log_trans, log_emit):
    T, S = log_emit.shape
    score, back = log_start + log_emit[0], np.zeros((T, S), dtype=int)
    for t in range(1, T):
        candidates = score[:, None] + log_trans
        back[t] = candidates.argmax(axis=0)
        score = candidates.max(axis=0) + log_emit[t]
    path = np.zeros(T, dtype=int)
    path[-1] = score.argmax()
    for t in range(T - 2, -1, -1):
        path[t] = back[t, path[t + 1]]
    return path, score.max()
''',
        "pointers forwards": edit("candidates.argmax(axis=0)", "candidates.argmax(axis=1)"),
        "path not turned round": edit("path[::-1]", "path"),
        "backtrace from state 0": edit("path = [score.argmax()]", "path = [0]"),
        "transitions transposed": edit("score[:, None] + log_trans", "score[:, None] + log_trans.T"),
        "start left out": edit("score, back = log_start + log_emit[0], []", "score, back = log_emit[0], []"),
        "emission missing": edit("log_start + log_emit[0], []", "log_start, []",
                                 "candidates.max(axis=0) + log_emit[t]", "candidates.max(axis=0)"),
        "first emission missing": edit("log_start + log_emit[0], []", "log_start, []"),
        "probability instead of its logarithm": edit("score.max()", "np.exp(score.max())"),
    },
}

# By somebody who had the student notebook alone: the answer, its points, and all that is said of it.
STRANGERS = {
    "seq.bag_of_words": {
        "bincount over flattened rows": ('''
def bag_of_words(ids, V):
    B = len(ids)
    flat = (np.asarray(ids) + V * np.arange(B)[:, None]).ravel()
    counts = np.bincount(flat, minlength=B * V).reshape(B, V)
    counts[:, 0] = 0
    return counts
''', 4, set()),
        "a Counter a sentence": ('''
def bag_of_words(ids, V):
    table = []
    for row in ids:
        seen = Counter(int(i) for i in row if i != 0)
        table.append([seen[j] for j in range(V)])
    return np.array(table)
''', 4, set()),
        "present or absent": ('''
def bag_of_words(ids, V):
    out = np.zeros((ids.shape[0], V))
    for i, row in enumerate(ids):
        out[i, row] = 1
    out[:, 0] = 0
    return out
''', 1, {"repeats counted once"}),
        "fancy indexing adds once": ('''
def bag_of_words(ids, V):
    out = np.zeros((ids.shape[0], V))
    rows = np.arange(ids.shape[0])[:, None]
    out[rows, ids] += 1
    out[:, 0] = 0
    return out
''', 1, {"repeats counted once"}),
        "one sentence for all": ('''
def bag_of_words(ids, V):
    words = [w for row in ids for w in row if w]
    return np.tile(np.bincount(words, minlength=V), (len(ids), 1))
''', 1, {"one bag, repeated for every sentence"}),
        "shares instead of counts": ('''
def bag_of_words(ids, V):
    hot = ops.one_hot(ids, V)
    return ops.mean(hot, axis=1) * np.array([0] + [1] * (V - 1))
''', 1, {"shares of all places"}),
    },
    "seq.perplexity": {
        "masked array style": ('''
def perplexity(log_p, words):
    real = np.asarray(words) > 0
    return np.exp(-np.asarray(log_p)[real].sum() / np.count_nonzero(real))
''', 5, set()),
        "a plain loop": ('''
def perplexity(log_p, words):
    total, n = 0.0, 0
    for row_p, row_w in zip(log_p, words):
        for lp, w in zip(row_p, row_w):
            if w != 0:
                total += lp
                n += 1
    return float(np.exp(-total / n))
''', 5, set()),
        "mean of sentences": ('''
def perplexity(log_p, words):
    out = []
    for lp, w in zip(log_p, words):
        out.append(np.exp(-np.mean(lp[w != 0])) if (w != 0).any() else 1.0)
    return np.mean(out)
''', 0, {"mean of the sentences' perplexities"}),
        "times the mask and mean over all": ('''
def perplexity(log_p, words):
    m = ops.cast(ops.not_equal(words, 0), "float32")
    return ops.exp(-ops.mean(log_p * m))
''', 3, {"times the mask, divided by all places"}),
        "base two": ('''
def perplexity(log_p, words):
    keep = words != 0
    return 2 ** (-log_p[keep].mean())
''', 0, {"2 to the power of nats"}),
        "sign lost": ('''
def perplexity(log_p, words):
    keep = words != 0
    return np.exp(log_p[keep].mean())
''', 0, {"sign forgotten"}),
    },
    "seq.windows": {
        "sliding_window_view": ('''
def windows(series, width, horizon=1):
    n = len(series) - width - horizon + 1
    v = np.lib.stride_tricks.sliding_window_view(series, width, axis=0)[:n]
    return v.transpose(0, 2, 1), series[width + horizon - 1:]
''', 4, set()),
        "appending while it fits": ('''
def windows(series, width, horizon=1):
    X, y = [], []
    start = 0
    while start + width + horizon <= len(series):
        X.append(series[start:start + width])
        y.append(series[start + width + horizon - 1])
        start = start + 1
    return np.array(X), np.array(y)
''', 4, set()),
        "target one too late": ('''
def windows(series, width, horizon=1):
    n = len(series) - width - horizon
    X = np.stack([series[i:i + width] for i in range(n)])
    y = np.stack([series[i + width + horizon] for i in range(n)])
    return X, y
''', 0, {"one step too far"}),
        "no overlap": ('''
def windows(series, width, horizon=1):
    starts = range(0, len(series) - width - horizon + 1, width)
    return (np.array([series[s:s + width] for s in starts]),
            np.array([series[s + width + horizon - 1] for s in starts]))
''', 0, {"windows do not overlap"}),
        "all the values up to the horizon": ('''
def windows(series, width, horizon=1):
    n = len(series) - width - horizon + 1
    X = np.stack([series[i:i + width] for i in range(n)])
    y = np.stack([series[i + width:i + width + horizon].mean(axis=0) for i in range(n)])
    return X, y
''', 2, set()),
        "only the first column as target": ('''
def windows(series, width, horizon=1):
    n = len(series) - width - horizon + 1
    X = np.stack([series[i:i + width] for i in range(n)])
    return X, series[width + horizon - 1:, :1]
''', 1, set()),
    },
    "seq.ar_fit": {
        "normal equations": ('''
def ar_fit(series, p):
    x = np.asarray(series, float)
    T = len(x)
    cols = [np.ones(T - p)] + [x[p - k:T - k] for k in range(1, p + 1)]
    A = np.array(cols).T
    w = np.linalg.solve(A.T @ A, A.T @ x[p:])
    return w[0], w[1:]
''', 6, set()),
        "row by row with pinv": ('''
def ar_fit(series, p):
    rows, targets = [], []
    for t in range(p, len(series)):
        rows.append(np.append(series[t - p:t][::-1], 1.0))
        targets.append(series[t])
    solution = np.linalg.pinv(np.array(rows)) @ np.array(targets)
    return solution[-1], solution[:p]
''', 6, set()),
        "oldest first": ('''
def ar_fit(series, p):
    A = np.array([np.r_[1, series[t - p:t]] for t in range(p, len(series))])
    w, *_ = np.linalg.lstsq(A, series[p:], rcond=None)
    return w[0], w[1:]
''', 2, {"lags reversed"}),
        "mean removed, c forgotten": ('''
def ar_fit(series, p):
    x = series - series.mean()
    A = np.stack([x[p - k:len(x) - k] for k in range(1, p + 1)], axis=1)
    a, *_ = np.linalg.lstsq(A, x[p:], rcond=None)
    return 0.0, a
''', 0, {"mean taken off and forgotten"}),
        "mean as the constant": ('''
def ar_fit(series, p):
    x = series - series.mean()
    A = np.stack([x[p - k:len(x) - k] for k in range(1, p + 1)], axis=1)
    a, *_ = np.linalg.lstsq(A, x[p:], rcond=None)
    return series.mean(), a
''', 0, {"intercept is the mean"}),
        "the value itself among its past": ('''
def ar_fit(series, p):
    A = np.array([np.r_[1, series[t - p + 1:t + 1][::-1]] for t in range(p, len(series))])
    w, *_ = np.linalg.lstsq(A, series[p:], rcond=None)
    return w[0], w[1:]
''', 0, {"x_t among its own lags"}),
    },
    "seq.hmm_forward": {
        "logaddexp.reduce": ('''
def hmm_forward(log_start, log_trans, log_emit):
    rows = [log_start + log_emit[0]]
    for e in log_emit[1:]:
        rows.append(np.logaddexp.reduce(rows[-1][:, None] + log_trans, axis=0) + e)
    return np.array(rows), np.logaddexp.reduce(rows[-1])
''', 6, set()),
        "states one by one": ('''
def hmm_forward(log_start, log_trans, log_emit):
    T, S = log_emit.shape
    la = np.full((T, S), -np.inf)
    for s in range(S):
        la[0, s] = log_start[s] + log_emit[0, s]
    for t in range(1, T):
        for s in range(S):
            la[t, s] = logsumexp(np.array([la[t - 1, r] + log_trans[r, s] for r in range(S)]), axis=0) + log_emit[t, s]
    return la, logsumexp(la[-1], axis=0)
''', 6, set()),
        "from column to row": ('''
def hmm_forward(log_start, log_trans, log_emit):
    rows = [log_start + log_emit[0]]
    for e in log_emit[1:]:
        rows.append(logsumexp(rows[-1][None, :] + log_trans.T * 0 + log_trans, axis=1) + e)
    return np.array(rows), logsumexp(rows[-1], axis=0)
''', 1, {"transitions transposed"}),
        "likelihood over all rows": ('''
def hmm_forward(log_start, log_trans, log_emit):
    rows = [log_start + log_emit[0]]
    for e in log_emit[1:]:
        rows.append(logsumexp(rows[-1][:, None] + log_trans, axis=0) + e)
    rows = np.array(rows)
    return rows, logsumexp(rows.ravel(), axis=0)
''', 3, set()),
        "plain numbers and a log at the end": ('''
def hmm_forward(log_start, log_trans, log_emit):
    a = np.exp(log_start) * np.exp(log_emit[0])
    out = [a]
    for e in log_emit[1:]:
        a = (a @ np.exp(log_trans)) * np.exp(e)
        out.append(a)
    with np.errstate(divide="ignore"):
        return np.log(out), np.log(a.sum())
''', 4, {"probabilities instead of logarithms"}),
        "each row normalised": ('''
def hmm_forward(log_start, log_trans, log_emit):
    rows, total = [], 0.0
    now = log_start
    for t, e in enumerate(log_emit):
        now = now + e if t == 0 else logsumexp(now[:, None] + log_trans, axis=0) + e
        n = logsumexp(now, axis=0)
        total, now = total + n, now - n
        rows.append(now)
    return np.array(rows), total
''', 4, {"rows normalised"}),
    },
    "seq.viterbi": {
        "whole paths carried along": ('''
def viterbi(log_start, log_trans, log_emit):
    best = {s: (log_start[s] + log_emit[0, s], [s]) for s in range(len(log_start))}
    for e in log_emit[1:]:
        best = {s: max(((v + log_trans[r, s] + e[s], path + [s]) for r, (v, path) in best.items()),
                       key=lambda pair: pair[0]) for s in range(len(e))}
    value, path = max(best.values(), key=lambda pair: pair[0])
    return path, value
''', 6, set()),
        "backward, then forward": ('''
def viterbi(log_start, log_trans, log_emit):
    T, S = log_emit.shape
    rest = np.zeros((T, S))
    for t in range(T - 2, -1, -1):
        rest[t] = (log_trans + log_emit[t + 1] + rest[t + 1]).max(axis=1)
    s = int(np.argmax(log_start + log_emit[0] + rest[0]))
    value = (log_start + log_emit[0] + rest[0])[s]
    path = [s]
    for t in range(1, T):
        s = int(np.argmax(log_trans[s] + log_emit[t] + rest[t]))
        path.append(s)
    return np.array(path), value
''', 6, set()),
        "each day for itself": ('''
def viterbi(log_start, log_trans, log_emit):
    path = log_emit.argmax(axis=1)
    value = log_start[path[0]] + log_emit[0, path[0]]
    for t in range(1, len(path)):
        value += log_trans[path[t - 1], path[t]] + log_emit[t, path[t]]
    return path, value
''', 1, {"each step on its own, then scored"}),
        "greedy": ('''
def viterbi(log_start, log_trans, log_emit):
    s = int(np.argmax(log_start + log_emit[0]))
    path, value = [s], (log_start + log_emit[0])[s]
    for e in log_emit[1:]:
        scores = log_trans[s] + e
        s = int(np.argmax(scores))
        path.append(s)
        value += scores[s]
    return path, value
''', 1, {"greedy"}),
        "path from the end not turned round": ('''
def viterbi(log_start, log_trans, log_emit):
    d, back = log_start + log_emit[0], []
    for e in log_emit[1:]:
        scores = d[:, None] + log_trans
        back.append(scores.argmax(axis=0))
        d = scores.max(axis=0) + e
    path = [int(d.argmax())]
    for b in back[::-1]:
        path.append(int(b[path[-1]]))
    return path, d.max()
''', 3, {"path not turned round"}),
        "argmax of every delta": ('''
def viterbi(log_start, log_trans, log_emit):
    d = log_start + log_emit[0]
    path = [int(d.argmax())]
    for e in log_emit[1:]:
        d = (d[:, None] + log_trans).max(axis=0) + e
        path.append(int(d.argmax()))
    return path, d.max()
''', 3, {"no backtrace"}),
    },
    "seq.embedding": {
        "one-hot times E, with einsum": ('''
class WordVectors(keras.layers.Layer):
    def __init__(self, vocabulary, dimension, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary = vocabulary
        self.dimension = dimension
        self.supports_masking = True

    def build(self, shape):
        self.E = self.add_weight(shape=(self.vocabulary, self.dimension), initializer="normal")

    def call(self, ids):
        return ops.einsum("btv,vd->btd", ops.one_hot(ids, self.vocabulary), self.E)

    def compute_mask(self, ids, mask=None):
        return ops.greater(ids, 0)

    def get_config(self):
        config = super().get_config()
        config.update({"vocabulary": self.vocabulary, "dimension": self.dimension})
        return config
''', 5, set()),
        "rows taken": ('''
class WordVectors(keras.layers.Layer):
    def __init__(self, vocabulary, dimension, **kw):
        super().__init__(**kw)
        self.v, self.d = vocabulary, dimension

    def build(self, input_shape):
        self.table = self.add_weight(name="table", shape=(self.v, self.d), initializer="uniform", trainable=True)
        super().build(input_shape)

    def call(self, ids):
        return ops.take(self.table, ops.cast(ids, "int32"), axis=0)

    def compute_mask(self, ids, mask=None):
        return ids != 0

    def get_config(self):
        return dict(super().get_config(), vocabulary=self.v, dimension=self.d)
''', 5, set()),
        "padding's vector forced to zero": ('''
class WordVectors(keras.layers.Layer):
    def __init__(self, vocabulary, dimension, **kw):
        super().__init__(**kw)
        self.v, self.d = vocabulary, dimension
    def build(self, input_shape):
        self.table = self.add_weight(name="table", shape=(self.v, self.d), initializer="uniform", trainable=True)
    def call(self, ids):
        return ops.take(self.table, ids, axis=0) * ops.cast(ids != 0, 'float32')[..., None]
    def compute_mask(self, ids, mask=None):
        return ids != 0
    def get_config(self):
        return dict(super().get_config(), vocabulary=self.v, dimension=self.d)
''', 3, {"padding set to zero"}),
        "ids counted from 1": ('''
class WordVectors(keras.layers.Layer):
    def __init__(self, vocabulary, dimension, **kw):
        super().__init__(**kw)
        self.v, self.d = vocabulary, dimension
    def build(self, input_shape):
        self.table = self.add_weight(name="table", shape=(self.v, self.d), initializer="uniform", trainable=True)
    def call(self, ids):
        return ops.take(self.table, ops.maximum(ids - 1, 0), axis=0)
    def compute_mask(self, ids, mask=None):
        return ids != 0
    def get_config(self):
        return dict(super().get_config(), vocabulary=self.v, dimension=self.d)
''', 2, {"ids counted from one"}),
        "mask with floats the wrong way": ('''
class WordVectors(keras.layers.Layer):
    def __init__(self, vocabulary, dimension, **kw):
        super().__init__(**kw)
        self.v, self.d = vocabulary, dimension
    def build(self, input_shape):
        self.table = self.add_weight(name="table", shape=(self.v, self.d), initializer="uniform", trainable=True)
    def call(self, ids):
        return ops.take(self.table, ids, axis=0)
    def compute_mask(self, ids, mask=None):
        return ids == 0
    def get_config(self):
        return dict(super().get_config(), vocabulary=self.v, dimension=self.d)
''', 4, {"mask inverted"}),
        "not trainable": ('''
class WordVectors(keras.layers.Layer):
    def __init__(self, vocabulary, dimension, **kw):
        super().__init__(**kw)
        self.v, self.d = vocabulary, dimension
    def build(self, input_shape):
        self.table = self.add_weight(name="table", shape=(self.v, self.d), initializer="uniform", trainable=False)
    def call(self, ids):
        return ops.take(self.table, ids, axis=0)
    def compute_mask(self, ids, mask=None):
        return ids != 0
    def get_config(self):
        return dict(super().get_config(), vocabulary=self.v, dimension=self.d)
''', 4, {"E not trained"}),
        "numpy inside call": ('''
class WordVectors(keras.layers.Layer):
    def __init__(self, vocabulary, dimension, **kw):
        super().__init__(**kw)
        self.v, self.d = vocabulary, dimension
    def build(self, input_shape):
        self.table = self.add_weight(name="table", shape=(self.v, self.d), initializer="uniform", trainable=True)
    def call(self, ids):
        return np.asarray(self.table)[np.asarray(ids)]
    def compute_mask(self, ids, mask=None):
        return ids != 0
    def get_config(self):
        return dict(super().get_config(), vocabulary=self.v, dimension=self.d)
''', 1, set()),
    },
}
