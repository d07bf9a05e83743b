# Order is the trouble: lags reversed, transitions transposed, the path back to front.

# %% seq.bag_of_words
def bag_of_words(ids, V):
    """How often each word occurs in each sentence.

    ids: (batch, time) integers from 0 to V - 1; 0 is padding and is not counted.
    Returns counts of shape (batch, V); column j counts word number j, and column 0 is all zeros.
    """
    words = ops.one_hot(ids, V)
    words = words * ops.cast(ids > 0, words.dtype)[..., None]
    return ops.sum(words, axis=1)


# %% seq.embedding
class WordVectors(keras.layers.Layer):
    """Row `id` of a matrix E (vocabulary, dimension) for every id; its one weight is E.

    call: ids (batch, time) to vectors (batch, time, dimension), as one-hot times E.
    compute_mask: True where the id is a word, False where it is 0 (padding).
    """

    def __init__(self, vocabulary, dimension, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary, self.dimension = vocabulary, dimension

    def build(self, input_shape):
        self.E = self.add_weight(name="E", shape=(self.vocabulary, self.dimension))

    def call(self, ids):
        return ops.matmul(ops.one_hot(ids, self.vocabulary), self.E)

    def compute_mask(self, ids, mask=None):
        return ops.not_equal(ids, 0)

    def get_config(self):
        return super().get_config() | {"vocabulary": self.vocabulary, "dimension": self.dimension}


# %% seq.windows
def windows(series, width, horizon=1):
    """All windows of a series, and for each the value `horizon` steps after the window's last.

    series: (time, D). Returns X of shape (n, width, D), oldest step first, and y of shape (n, D).
    The last target is the series' last value.
    """
    n = len(series) - width - horizon + 1
    X = np.stack([series[i:i + width][::-1] for i in range(n)])
    y = series[width + horizon - 1:]
    return X, y

# %% seq.ar_fit
def ar_fit(series, p):
    """Fit x_t = c + a_1 x_{t-1} + ... + a_p x_{t-p} by least squares.

    series: (time,). Returns the number c and a of shape (p,), where a[k - 1] belongs to the value k steps back.
    """
    n = len(series)
    lags = [series[p - k:n - k] for k in range(1, p + 1)]
    X = np.stack([np.ones(n - p), *lags], axis=1)
    w = np.linalg.lstsq(X, series[p:], rcond=None)[0]
    return w[0], w[:0:-1]

# %% seq.hmm_forward
def hmm_forward(log_start, log_trans, log_emit):
    """The forward algorithm, in logarithms.

    log_start: (S,). log_trans: (S, S), from the row's state to the column's.
    log_emit: (T, S), the log-probability of what was seen at step t, in each state.
    Returns log_alpha (T, S) and the log-likelihood of the whole sequence.
    """
    log_alpha = [log_start + log_emit[0]]
    for t in range(1, len(log_emit)):
        arrive = logsumexp(log_alpha[-1][:, None] + log_trans.T, axis=0)
        log_alpha.append(arrive + log_emit[t])
    return np.stack(log_alpha), logsumexp(log_alpha[-1], axis=0)

# %% seq.viterbi
def viterbi(log_start, log_trans, log_emit):
    """The likeliest sequence of states.

    Arguments as for `hmm_forward`. Returns the path, T state numbers, and its log-probability.
    """
    score, back = log_start + log_emit[0], []
    for t in range(1, len(log_emit)):
        candidates = score[:, None] + log_trans
        back.append(candidates.argmax(axis=0))
        score = candidates.max(axis=0) + log_emit[t]
    path = [score.argmax()]
    for pointers in reversed(back):
        path.append(pointers[path[-1]])
    return np.array(path), score.max()
