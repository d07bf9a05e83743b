# Everything right, in his own style: plain NumPy and loops.

# %% seq.bag_of_words
def bag_of_words(ids, V):
    counts = [[0] * V for _ in range(len(ids))]
    for i, sentence in enumerate(ids):
        for word in sentence:
            if word != 0:
                counts[i][word] += 1
    return np.array(counts)

# %% seq.embedding
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

# %% seq.windows
def windows(series, width, horizon=1):
    X, y = [], []
    for start in range(len(series)):
        target = start + width + horizon - 1
        if target < len(series):
            X.append(series[start:start + width])
            y.append(series[target])
    return np.array(X), np.array(y)

# %% seq.ar_fit
def ar_fit(series, p):
    rows = []
    for t in range(p, len(series)):
        rows.append(np.concatenate([series[t - p:t][::-1], [1.0]]))
    A = np.array(rows)
    w = np.linalg.solve(A.T @ A, A.T @ series[p:])
    return w[-1], w[:-1]

# %% seq.hmm_forward
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

# %% seq.viterbi
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
