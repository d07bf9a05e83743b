# Multiplies probabilities, and decodes step by step.

# %% seq.bag_of_words
def bag_of_words(ids, V):
    counts = np.zeros((len(ids), V))
    for i, sentence in enumerate(ids):
        counts[i, sentence] += 1
    counts[:, 0] = 0
    return counts

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
    X = np.stack([series[i:i + width] for i in range(n)])
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
    return w[0], w[1:]


# %% seq.hmm_forward
def hmm_forward(log_start, log_trans, log_emit):
    start, A, B = np.exp(log_start), np.exp(log_trans), np.exp(log_emit)
    alpha = [start * B[0]]
    for t in range(1, len(B)):
        alpha.append((alpha[-1] @ A) * B[t])
    alpha = np.array(alpha)
    return np.log(alpha), np.log(alpha[-1].sum())

# %% seq.viterbi
def viterbi(log_start, log_trans, log_emit):
    scores = log_start + log_emit[0]
    path, total = [scores.argmax()], scores.max()
    for t in range(1, len(log_emit)):
        scores = log_trans[path[-1]] + log_emit[t]
        path.append(scores.argmax())
        total = total + scores.max()
    return np.array(path), total
