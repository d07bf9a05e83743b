"""Oracle of lesson 01: sequences before networks.

Counting (bag of words; n-grams with back-off, Witten and Bell 1991; perplexity), looking up (one-hot times a matrix),
windows, the autoregressive model AR(p) by least squares (Yule 1927), and the hidden Markov model: forward algorithm and
Viterbi decoding (Rabiner 1989).

Long because a topic is read as one: cases, references, their wrong variants and what is said of each.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from autograde.judging.common import clear, mistakes, sizes
from autograde.judging.exercise import SHAPES_CLASH, Aspect, Case, Exercise, Raises

LESSON = "01_sequences"


def one_hot(ids, V):
    """(..., V); an id outside 0..V-1 gives a row of zeros."""
    return (np.asarray(ids)[..., None] == np.arange(V)).astype(float)


def logsumexp(a, axis):
    """log of the sum of exp(a) along an axis; minus infinity for the sum of nothing but zeros."""
    top = a.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.squeeze(top + np.log(np.exp(a - top).sum(axis=axis, keepdims=True)), axis)


# --- seq.bag_of_words --------------------------------------------------------------------------------------

def bag_cases(rng):
    (B,), (T,), (V, many) = sizes(rng, 1, 3, 5), sizes(rng, 1, 6, 9), sizes(rng, 2, 11, 15)
    full = rng.integers(1, V, (B, T))
    full[:, 1] = full[:, 0] = rng.permutation(np.arange(2, V - 1))[:B]  # every sentence repeats a word of its own
    full[:, 2] = V - 1  # the last word of the vocabulary has a column too
    full[0, 3] = 1  # and so has the first
    lengths = rng.permutation([T - 1, 0, *rng.integers(3, T, B - 2)])
    padded = np.where(np.arange(T) < lengths[:, None], full[::-1], 0)

    def case(ids, V, about):
        B, T = ids.shape
        return Case({"ids": ids, "V": V}, about=f"{B} sentences of {T} words, vocabulary of {V}, {about}")
    return {"full": case(full, V, "no padding"), "one": case(rng.integers(2, many, (1, 1)), many, "one word in all"),
            "padded": case(padded, V, "with padding (id 0), one sentence all padding")}


def bag_of_words(case, padding=False, cap=np.inf, by="word", column=0, divide="", axis=1, drop=False,
                 repeat=False):
    """How often each word occurs in each sentence; padding (id 0) is not counted."""
    ids, V = case["ids"], int(case["V"])
    counted = np.ones(ids.shape, dtype=bool) if padding else ids > 0
    what = np.broadcast_to(np.arange(ids.shape[1]), ids.shape) if by == "position" else ids - column
    words = one_hot(what, V) * counted[..., None]
    if axis != 1:
        bag = words.sum(axis=axis)
        return {"counts": np.tile(bag, (len(ids), 1)) if repeat else bag}
    counts = np.minimum(words.sum(axis=1), cap)
    if divide:
        n = counted.sum(axis=1, keepdims=True) if divide != "by all places" else np.full((len(ids), 1), ids.shape[1])
        counts = np.divide(counts, n, out=np.full(counts.shape, 0.0 if divide == "carefully" else np.nan), where=n > 0)
    return {"counts": counts[:, 1:] if drop else counts}


BAG_OF_WORDS = Exercise(
    id="seq.bag_of_words",
    title="A bag of words",
    cases=bag_cases,
    reference=bag_of_words,
    aspects=(
        Aspect("shape", 1, shape_only=True, ask="One row a sentence, one column a word of the vocabulary."),
        Aspect("counting", 2, on=("full/*", "one/*"), ask="Take one sentence and count one of its words by hand."),
        Aspect("padding", 1, on=("padded/*",), ask="Id 0 is not a word: its column stays 0."),
    ),
    misconceptions=mistakes(
        bag_of_words,
        ("counts by position", "You count at the word's place in the sentence instead of at the word's id: "
         "column j belongs to word number j.", {"by": "position"}),
        ("repeats counted once", "A word that occurs twice was counted once. In NumPy `counts[ids] += 1` "
         "does that too: it writes each place once; `np.add.at` or a sum of one-hot vectors counts properly.",
         {"cap": 1}),
        ("padding counted", "Padding was counted as a word: id 0 only fills the row up, so column 0 must "
         "stay 0.", {"padding": True}),
        ("one column early", "Every word was counted one column too early. The id is the column: column 0 "
         "belongs to the padding and stays empty.", {"column": 1}),
        ("frequencies instead of counts", "You divided by the sentence's length. A bag of words holds "
         "counts; dividing would hide how long the sentence was.", {"divide": "carefully"}),
        ("frequencies, and 0/0 for no words", "You divided by the sentence's length: that hides how long it was, and "
         "where there are no words it is 0/0. A bag of words holds counts.", {"divide": "carelessly"}),
        ("one bag for the whole batch", "All sentences went into one bag. Sum over the words of a sentence "
         "(axis 1) only: one row a sentence.", {"axis": (0, 1)}),
        ("one bag, repeated for every sentence", "Every row holds the words of all sentences. Sum over the words of a "
         "sentence (axis 1) only: a row belongs to one sentence.", {"axis": (0, 1), "repeat": True}),
        ("shares of all places", "You took the mean over the places of a row, which divides by their number. A bag of "
         "words holds counts: take the sum.", {"divide": "by all places"}),
        ("summed over the sentences", "You summed over the batch axis and kept the positions. Sum over "
         "time: what gets lost in a bag is the order.", {"axis": 0}),
        ("padding's column cut off", "The column of the padding was cut off. Keep it (it holds zeros), so "
         "that a word's id and its column stay the same number.", {"drop": True}),
    ),
)


# --- seq.perplexity ----------------------------------------------------------------------------------------

def perplexity_cases(rng):
    (B, many), (T, long) = sizes(rng, 2, 3, 6), sizes(rng, 2, 7, 11)
    def case(lengths, T, about, cost=2.0, at_padding=None):
        words = np.where(np.arange(T) < np.asarray(lengths)[:, None], rng.integers(1, 50, (len(lengths), T)), 0)
        log_p = -rng.gamma(2.0, cost / 2, words.shape)
        padding = rng.uniform(-30, -20, words.shape) if at_padding is None else at_padding
        return Case({"log_p": np.where(words > 0, log_p, padding), "words": words},
                    about=f"{len(lengths)} sentences of up to {T} words, {about}")
    lengths = [T, *sizes(rng, B - 1, 1, T - 1)]
    ruled_out = case([long] * many, long, "one of which the model held to be impossible")
    ruled_out["log_p"][rng.integers(many), rng.integers(long)] = -np.inf
    return {
        "full": case([T] * B, T, "no padding"),
        "one word": Case({"log_p": [[-rng.uniform(1, 3)]], "words": [[rng.integers(1, 50)]]}, about="a single word"),
        "padded": case(lengths, T, "with padding (id 0)"),
        "no chance at the padding": case([long, *sizes(rng, many - 1, 1, long - 1)], long,
                                         "log_p is minus infinity at the padding", at_padding=-np.inf),
        "unlikely": case([40 + T] * 20, 40 + T, "all so unlikely that the product of their probabilities is below the "
                         "smallest number a computer has", cost=8.0),
        "impossible": ruled_out,
    }


def perplexity(case, padding="left out", average="words", sign=-1, base=np.e, result="perplexity", total="mean",
               impossible="kept", logs=True):
    """e to the minus mean log-probability of the words of all sentences; padding (id 0) is no word."""
    log_p, counted = case["log_p"], case["words"] > 0
    if padding == "counted":
        counted = np.ones_like(counted)
    if impossible == "left out":
        counted = counted & np.isfinite(log_p)
    with np.errstate(all="ignore"):
        costs = sign * (log_p * counted if padding.startswith("times 0") else np.where(counted, log_p, 0.0))
        words = counted.size if padding in ("divided by", "times 0, divided by") else counted.sum()
        if average == "sentence" or result == "one a sentence" or result == "mean of the sentences'":
            mean = costs.sum(axis=1) / counted.sum(axis=1)
            mean = mean.mean() if average == "sentence" else mean
        elif average == "number of sentences":
            mean = costs.sum() / len(costs)
        else:
            mean = costs.sum() / (words if total == "mean" else 1)
        p = np.exp(log_p)
        answers = {
            "perplexity": base ** mean, "cross-entropy": mean, "one a sentence": base ** mean,
            "mean of the sentences'": np.mean(base ** mean), "mean of 1/p": (1 / p)[counted].mean(),
            "1 / mean of p": 1 / p[counted].mean(),
        }
        answer = answers[result]
        if not logs:  # the product of all probabilities, and its root
            answer = np.float64(np.prod(p[counted])) ** (-1 / counted.sum())
    return {"perplexity": answer}


PERPLEXITY = Exercise(
    id="seq.perplexity",
    title="Perplexity",
    cases=perplexity_cases,
    reference=perplexity,
    aspects=(
        Aspect("mean over the words", 2, on=("full/*", "one word/*"), ask="One word of probability 1/8: perplexity 8. "
               "Two words, 1/2 and 1/8: 4."),
        Aspect("padding", 2, on=("padded/*", "no chance at the padding/*"), ask="Change `log_p` where there is no "
               "word: the answer must stay the same."),
        Aspect("extremes", 1, on=("unlikely/*", "impossible/*"), ask="A word that the model ruled out makes the "
               "perplexity infinite; many unlikely words do not."),
    ),
    misconceptions=mistakes(
        perplexity,
        ("padding counted", "The padding was counted as if it were words. Only places whose id is not 0 count, in the "
         "sum and in the number you divide by.", {"padding": "counted"}),
        ("divided by all places", "The sum leaves the padding out, but you divide by the number of all places: divide "
         "by the number of words.", {"padding": "divided by"}),
        ("minus infinity times 0", "You multiplied the padding away, but 0 times minus infinity is not 0, it is nan. "
         "Choose instead of multiplying: `where` the id is a word take log_p, elsewhere 0.", {"padding": "times 0"}),
        ("times the mask, divided by all places", "The mean of `log_p * mask` divides by the number of all places: "
         "divide by the number of words. And 0 times minus infinity is nan: choose with `where` instead.",
         {"padding": "times 0, divided by"}),
        ("mean of the sentences' perplexities", "You averaged the perplexities of the sentences. Perplexity is taken "
         "once, of the mean over all words.", {"result": "mean of the sentences'"}),
        ("every sentence counts the same", "You averaged each sentence first and then the sentences, so a word in a "
         "short sentence weighs more. Every word counts the same.", {"average": "sentence"}),
        ("one number a sentence", "These are the perplexities of the single sentences. One number is asked for: all "
         "words of the batch together.", {"result": "one a sentence"}),
        ("sign forgotten", "The logarithms of probabilities are negative: without the minus sign you get the mean "
         "probability (a number below 1), and perplexity is 1 over it.", {"sign": 1}),
        ("cross-entropy", "This is the cross-entropy, the mean of −log p. Perplexity is e to that power.",
         {"result": "cross-entropy"}),
        ("2 to the power of nats", "You raised 2 to the power. `log_p` holds natural logarithms, so the base is e; 2 "
         "belongs to logarithms of base 2.", {"base": 2.0}),
        ("sum instead of mean", "You took e to the power of the sum: that is 1 over the probability of the whole text, "
         "and grows with its length. Divide by the number of words.", {"total": "sum"}),
        ("mean over the sentences", "You divided by the number of sentences. Perplexity is per word.",
         {"average": "number of sentences"}),
        ("mean of 1/p", "You averaged 1/p. The mean is taken of the logarithms, before e is raised to it; averaging "
         "1/p lets one rare word decide everything.", {"result": "mean of 1/p"}),
        ("1 over the mean of p", "You averaged the probabilities themselves. Take the mean of their logarithms: a "
         "model that gives one word no chance must pay for it.", {"result": "1 / mean of p"}),
        ("product of the probabilities", "You multiply the probabilities. For a long text their product is below the "
         "smallest number there is and becomes 0: add the logarithms.", {"logs": False}),
        ("impossible words left out", "The word that the model held to be impossible was left out. It occurred, so the "
         "model's perplexity is infinite.", {"impossible": "left out"}),
    ),
)


# --- seq.embedding -----------------------------------------------------------------------------------------

def embedding_cases(rng):
    (T,), (B, V, d) = sizes(rng, 1, 6, 9), sizes(rng, 3, 2, 5)
    V += 8
    def case(about, B, T, V, d):
        lengths = np.array([T, *sizes(rng, B - 1, 1, T - 1)])
        ids = np.where(np.arange(T) < lengths[:, None], rng.integers(1, V, (B, T)), 0)
        ids[0, :2] = V - 1, 1
        return Case({"ids": ids, "E": rng.normal(size=(V, d)), "V": V, "d": d}, about=about)
    vectors = case(f"{B} sentences of {T} ids, E of shape ({V}, {d}); in a model, for any number of ids", B, T, V, d)
    return {
        "vectors": Case(vectors | {"direction": rng.normal(size=(B, T, d))}, about=vectors.about),
        "square": case(f"as many words as dimensions, E of shape ({T}, {T})", 2, T - 1, T, T),
        "single": Case({"ids": [[V - 2]], "E": rng.normal(size=(V, d + 1)), "V": V, "d": d + 1}, about="a single word"),
        "weights": Case({"V": V, "d": T, "ids": rng.integers(1, V, (1, B))},
                        about=f"the weights of WordVectors({V}, {T})"),
        "config": Case({"V": T, "d": V}, about=f"WordVectors({T}, {V}).get_config()"),
        "copy": Case({"E": rng.normal(size=(V, B)), "ids": rng.integers(1, V, (B, T)), "V": V, "d": B, "copied": True},
                     about="a layer made again from its configuration"),
    }


def embedding(case, scale=False, transposed=False, shift=0, zero_padding=False, mask="right", config="complete",
              pooled=False, by="id", stops=None, start=1.0, weights="trained", keep_first=False):
    """Row E[id] for every id, which ids are words, and what is worked out of the weights and the configuration."""
    V, d = int(case["V"]), int(case["d"])
    if case.name == "config":
        lost = {"complete": [V, d], "nothing": [-1, -1], "no dimension": [V, -1]}[config]
        return {"vocabulary": lost[0], "dimension": lost[1]}
    if case.name == "copy" and config != "complete":
        return Raises("TypeError", "vocabulary|dimension")
    if stops:
        return stops(case, V, d)
    if case.name == "weights":
        if weights == "numbers only":
            return {"number of weights": [0, 0], "shape of E": [-1, -1], "E at the start": -1.0}
        return {"number of weights": [1, int(weights == "trained")], "shape of E": [V, d], "E at the start": start}
    ids, E = case["ids"], case["E"]
    if transposed and d != V:
        return Raises("ValueError", "not compatible")
    if weights == "numbers only":
        return Raises("ValueError", "expecting 0 weights")
    picked = np.maximum(ids - shift, 0 if keep_first else -shift)
    what = np.broadcast_to(np.arange(ids.shape[1]), ids.shape) if by == "position" else picked
    lookup, factor = one_hot(what, V), np.sqrt(d) if scale else 1.0
    if zero_padding:
        lookup = lookup * (ids != 0)[..., None]
    vectors = lookup @ (E.T if transposed else E) * factor
    words = ids != 0
    answer = {"vectors": vectors.mean(axis=1) if pooled else vectors}
    if case.name == "copy":
        return answer
    answer["mask"] = {"right": words, "inverted": ~words, "none": np.array(-1), "with a third axis": words[..., None],
                      "all words": np.ones_like(words)}[mask]
    if "direction" in case:
        answer["in a model"] = answer["vectors"]
        if pooled:
            return Raises(SHAPES_CLASH, "")
        if weights == "trained":
            answer["d0"] = np.einsum("btv,btd->vd", lookup, case["direction"]) * factor
    return answer


def embedding_facts(case, found):
    """How many weights there are and are trained, and whether E varies at the start."""
    if case.name != "weights":
        return found
    E = found.get("w0")
    return {"number of weights": found["number of weights"], "shape of E": [-1, -1] if E is None else list(E.shape),
            "E at the start": -1.0 if E is None else float(E.min() < E.max())}


EMBEDDING = Exercise(
    id="seq.embedding",
    title="Word vectors: one-hot times a matrix",
    cases=embedding_cases,
    reference=embedding,
    derive=embedding_facts,
    aspects=(
        Aspect("shape", 1, on=("vectors/vectors", "single/vectors"), shape_only=True, ask="(batch, time) of ids "
               "becomes (batch, time, d)."),
        Aspect("vectors", 1, on=("*/vectors",
               "*/in a model"), ask="For an id of 3 the vector is row 3 of E, unchanged."),
        Aspect("weight", 1, on=("weights/*", "*/d0"), ask="E is the layer's one weight, made with `self.add_weight`: "
               "random at the start, trained like any other."),
        Aspect("mask", 1, on=("*/mask",), ask="True where there is a word, False where the id is 0."),
        Aspect("configuration", 1, on=("config/*", "copy/*"), ask="Return everything that `__init__` takes, under "
               "the same names."),
    ),
    misconceptions=mistakes(
        embedding,
        ("transposed", "E is transposed: one row a word, so its shape is (vocabulary, dimension), and "
         "`one_hot @ E` picks the row.", {"transposed": True}),
        ("scaled by the square root of d", "The vectors were multiplied by √d. Transformers do that (lesson "
         "09); a lookup returns the row as it stands.", {"scale": True}),
        ("ids shifted by one", "Every word gets the vector of the word before it in the vocabulary: id 3 "
         "must pick row 3, because row 0 belongs to the padding.", {"shift": 1}),
        ("ids counted from one", "You took 1 off every id, as if E had no row for the padding. It has: id 3 picks row "
         "3.", {"shift": 1, "keep_first": True}),
        ("padding set to zero", "The vectors of the padding were set to zero. The layer returns row 0 for "
         "them like for any id; the mask tells later layers to skip them.", {"zero_padding": True}),
        ("mask inverted", "The mask is upside down: True marks a word, False marks padding.",
         {"mask": "inverted"}),
        ("no mask", "`compute_mask` returns nothing, so later layers cannot tell words from padding: return "
         "`ids != 0`.", {"mask": "none"}),
        ("mask with a third axis", "The mask has a third axis. It says whether a step counts: its "
         "shape is (batch, time).", {"mask": "with a third axis"}),
        ("mask of ones", "The mask says that every step is a word. It must be False where the id is 0.",
         {"mask": "all words"}),
        ("get_config returns nothing of its own", "`get_config` returns neither `vocabulary` nor "
         "`dimension`: a saved model could not be loaded again.", {"config": "nothing"}),
        ("dimension missing from get_config", "`get_config` does not return `dimension`: a saved model "
         "could not be loaded again.", {"config": "no dimension"}),
        ("averaged over the sentence", "The vectors of a sentence were averaged. That is a bag of words "
         "again; keep one vector a word.", {"pooled": True}),
        ("looked up by position", "You looked up the position in the sentence instead of the word's id.",
         {"by": "position"}),
        ("E the same number everywhere", "E starts at the same number everywhere, so all words start alike. Leave "
         "`initializer` out: then it starts at random numbers.", {"start": 0.0}),
        ("E not trained", "With `trainable=False` no training changes the vectors. Leave it out.",
         {"weights": "frozen"}),
        ("indexed like a NumPy array", "A Keras weight cannot be indexed by an array of ids, as in `self.E[ids]`. "
         "Look the rows up with `ops.take(self.E, ids, axis=0)`, or multiply one-hot vectors by E.",
         {"stops": lambda case, V, d: Raises("InvalidArgumentError|TypeError|ValueError", "Expected begin, end|slice|"
                                             "Index|strides")}),
        ("a row for every step", "E has one row a step: `input_shape` is (batch, time) here and knows nothing of the "
         "words. Its shape comes from the layer's two arguments.",
         {"stops": lambda case, V, d: Raises(SHAPES_CLASH, f"[{case['ids'].shape[1]},{d}]|(None, {d})|"
                                                           f"({case['ids'].shape[1]}, {d}) is not")}),
        ("not a weight", "The matrix is an ordinary array, so Keras does not know that it is a weight: it is neither "
         "trained nor saved. Make it with `self.add_weight(...)`.", {"weights": "numbers only"}),
    ),
)


# --- seq.windows -------------------------------------------------------------------------------------------

def windows_cases(rng):
    def case(T, D, width, horizon):
        return Case({"series": rng.normal(size=(T, D)), "width": width} | ({"horizon": horizon} if horizon else {}),
                    about=f"a series of {T} steps with {D} features, width = {width}, horizon "
                          + (f"= {horizon}" if horizon else "not given"))
    (D, few, width, w), h = sizes(rng, 4, 2, 6), sizes(rng, 1, 3, 5)[0]
    return {
        "next": case(width + int(rng.integers(9, 15)), D, width, None),
        "ahead": case(w + h + int(rng.integers(8, 14)), few, w, h),
        "narrow": case(int(rng.integers(7, 10)), 1, 1, 2),
    }


def windows(case, target=0, lost=0, overlap=True, newest_first=False, use_horizon=True, wrap=False, shifted=False,
            flat=False):
    """All windows of `width` steps, and the value `horizon` steps after each window's last."""
    s, w, h = case["series"], int(case["width"]), int(case.get("horizon", 1)) if use_horizon else 1
    n = len(s) - w - h + 1 - lost - max(target, 0)
    starts = np.arange(len(s) if wrap else n)[:: 1 if overlap else w]
    X = s[(starts[:, None] + np.arange(w)) % len(s)]
    y = s[(starts + w + h - 1 + target) % len(s)]
    if shifted:  # a window of targets: each step's value h steps later
        y = s[starts[:, None] + np.arange(w) + h]
    return {"X": X[:, ::-1] if newest_first else X.reshape(len(X), -1) if flat else X, "y": y}


WINDOWS = Exercise(
    id="seq.windows",
    title="From a series to windows and targets",
    cases=windows_cases,
    reference=windows,
    aspects=(
        Aspect("shape", 1, shape_only=True, ask="How many windows fit if the last target is the series' "
               "last value?"),
        Aspect("windows", 1, on=("*/X",), ask="Write the first window and the last one by hand."),
        Aspect("targets", 2, on=("*/y",), ask="The target of series[0:width] with horizon 1 is "
               "series[width]."),
    ),
    misconceptions=mistakes(
        windows,
        ("target inside the window", "The target is one step too early: with horizon 1 it is the window's "
         "own last value, so the model is shown the answer.", {"target": -1}),
        ("one step too far", "The target is one step too late: with horizon 1 it is the value directly "
         "after the window.", {"target": 1}),
        ("last window lost", "One window too few: the last one, whose target is the series' last value, is "
         "missing. Check the end of the range.", {"lost": 1}),
        ("windows do not overlap", "The windows lie side by side. Move on by one step, not by `width`: "
         "nearly all examples are in the overlaps.", {"overlap": False}),
        ("newest first", "The windows run backwards in time. Oldest first, newest last: this is the order "
         "in which a network reads.", {"newest_first": True}),
        ("horizon ignored", "`horizon` plays no part: the target is always the very next value.",
         {"use_horizon": False}),
        ("wrapped around the end", "The last windows go on at the series' beginning (`np.roll` does that): "
         "the future was predicted from the distant past, or the other way round.", {"wrap": True}),
        ("a window of targets", "You return a whole window of targets. Here each window has one target, of "
         "shape (D,).", {"shifted": True}),
        ("features flattened into time", "Time and features were joined into one axis. Keep (windows, "
         "width, D): layers for sequences need the time axis.", {"flat": True}),
    ),
)


# --- seq.ar_fit --------------------------------------------------------------------------------------------

def ar_cases(rng):
    def case(about, p):
        T = int(rng.integers(35, 50) + 5 * p)
        while True:  # until the matrix is so good that the normal equations in float32 are exact to four digits
            radius, angle = rng.uniform(0.5, 0.8, p // 2), rng.uniform(0.6, 2.5, p // 2)
            real = [rng.choice([-0.6, 0.6])] * (p % 2)
            poles = np.r_[radius * np.exp(1j * angle), radius * np.exp(-1j * angle), real]
            a = -np.poly(poles).real[1:]  # all poles lie inside the unit circle: the series is stable
            c = rng.uniform(0.8, 1.6) * rng.choice([-1, 1])
            series = list(rng.normal(size=p) + c / (1 - sum(a)))
            while len(series) < T + 20:
                series.append(c + sum(ak * series[-k] for k, ak in enumerate(a, 1)) + rng.normal())
            series = np.array(series[-T:])
            lags = [series[p - k:T - k] for k in range(1, p + 1)]
            if np.linalg.cond(np.stack([np.ones(T - p), *lags], axis=1)) < 20:
                return Case({"series": series, "p": p}, about=f"{about} of {T} values, p = {p}")
    def drawn(about, p):
        changes = [("a", {"intercept": "mean"}), ("a", {"lost": 1}), ("c", {"lost": 1})]
        if p > 1:
            changes.append(("a", {"intercept": "one mean"}))
        return clear(lambda: case(about, p), ar_fit, *changes)
    return {
        "short": drawn("a noisy oscillation", 2),
        "long": drawn("a noisy series", int(rng.integers(3, 6))),
        "one lag": drawn("a noisy series", 1),
    }


def ar_fit(case, reverse=False, intercept="fitted", lag0=0, wrap=False, backwards=False, lost=0, mixed=False,
           method="least squares"):
    """c and a_1..a_p of x_t = c + a_1 x_{t-1} + ... + a_p x_{t-p} + noise, by least squares."""
    s, p = case["series"], int(case["p"])
    if backwards:
        s = s[::-1]
    if method == "yule-walker":
        z = s - s.mean()
        r = np.array([z[: len(z) - k] @ z[k:] for k in range(p + 1)]) / len(z)
        a = np.linalg.solve(r[np.abs(np.subtract.outer(np.arange(p), np.arange(p)))], r[1:])
        return {"c": s.mean() * (1 - a.sum()), "a": a}
    mean = s.mean() if intercept in ("mean", "forgotten") else 0.0
    z = s - mean
    lags = [np.roll(z, k + lag0) for k in range(1, p + 1)]
    rows = slice(0, None) if wrap else slice(p, len(z) - lost)
    columns = [lag[rows] for lag in lags]
    if intercept == "one mean":  # each column should have its own taken off
        X, y = np.stack(columns, axis=1), z[rows]
        a = np.linalg.lstsq(X - X.mean(), y - y.mean(), rcond=None)[0]
        return {"c": y.mean() - X.mean(axis=0) @ a, "a": a}
    ones = [np.ones(len(columns[0]))] if intercept == "fitted" else []
    w = np.linalg.lstsq(np.stack(ones + columns, axis=1), z[rows], rcond=None)[0]
    c, a = (w[0], w[1:]) if ones else ({"none": 0.0, "mean": mean, "forgotten": 0.0}[intercept], w)
    if mixed:  # the ones stood last, but the first number was taken for the intercept
        c, a = a[0], np.append(a[1:], c)
    return {"c": c, "a": a[::-1] if reverse else a}


AR_FIT = Exercise(
    id="seq.ar_fit",
    title="An autoregressive model by least squares",
    cases=ar_cases,
    reference=ar_fit,
    atol=1e-4,  # normal equations in float32 are a right answer too
    aspects=(
        Aspect("coefficients", 4, on=("*/a",), ask="a has one number a lag: shape (p,). Write the first row of the "
               "matrix by hand: which values come before x_p?"),
        Aspect("intercept", 2, on=("*/c",), ask="c is one number. A column of ones gives the intercept its place in "
               "the matrix."),
    ),
    misconceptions=mistakes(
        ar_fit,
        ("lags reversed", "The coefficients are in the wrong order: a[0] belongs to the value one step "
         "back, a[p-1] to the one p steps back.", {"reverse": True}),
        ("no intercept", "There is no intercept, so the model can only be right for a series whose mean is "
         "0: add a column of ones.", {"intercept": "none"}),
        ("intercept is the mean", "You took the series' mean for the intercept. The mean is c / (1 − a_1 − "
         "… − a_p), so c is smaller or larger than it.", {"intercept": "mean"}),
        ("mean taken off and forgotten", "You took the mean off before fitting; then the intercept is not 0 "
         "but what the mean leaves: mean · (1 − a_1 − … − a_p). A column of ones gives it directly.",
         {"intercept": "forgotten"}),
        ("x_t among its own lags", "One column of the matrix is x_t itself, so the model copies it: the "
         "first lag is x_{t-1}.", {"lag0": -1}),
        ("wrapped around the end", "The first rows use values from the series' end as their past: `np.roll` "
         "is circular. Leave the first p rows out.", {"wrap": True}),
        ("time runs backwards", "You predict each value from the p values after it. The past is on the "
         "right of the equation, the present on the left.", {"backwards": True}),
        ("last row lost", "The last row is missing: the series' last value is a target too. Check the end "
         "of the range.", {"lost": 1}),
        ("intercept read from the wrong end", "The column of ones stands last, yet the first number was "
         "taken for the intercept: each number belongs to its column.", {"mixed": True}),
        ("Yule–Walker instead of least squares", "These are the Yule–Walker estimates (from "
         "autocorrelations): a good method, near the answer, but not least squares, which is asked for here.",
         {"method": "yule-walker"}),
    ),
)


# --- the hidden Markov model -------------------------------------------------------------------------------

def hmm(rng, T, S, stay, level=0.0, spread=1.2):
    """log start (S,), log transitions (S, S) from row to column, log p(what was seen at t | state) (T, S)."""
    trans = rng.dirichlet(np.ones(S) * 2, size=S) * (1 - stay) + np.eye(S) * stay
    emit = -rng.gamma(2.0, spread, size=(T, S)) + level
    return {"log_start": np.log(rng.dirichlet(np.ones(S) * 2)), "log_trans": np.log(trans), "log_emit": emit}


def certain(model, first):
    """The same model if it is known where it begins: every other state has probability 0."""
    start = np.full(len(model["log_start"]), -np.inf)
    start[first] = 0.0
    return model | {"log_start": start}


def forward_cases(rng):
    # The likelihood is one number, and the tolerance grows with it: a mistake could hide in it.
    mistakes = ({"transpose": True}, {"first": "transition"}, {"late": 1}, {"axis": 1}, {"total": "max"})
    def drawn(T, S, level, about):
        return clear(lambda: Case(hmm(rng, T, S, 0.2, level=level), about=about), hmm_forward,
                     *(("log_likelihood", change) for change in mistakes))
    S, many, few = sizes(rng, 3, 2, 5)
    T, long, short = int(rng.integers(7, 12)), int(rng.integers(27, 33)), int(rng.integers(5, 8))
    def unlikely():
        model = hmm(rng, long, many, 0.2, level=-30.0)
        # One state is all but impossible at one step: 1 over its probability is more than a computer holds.
        model["log_emit"][rng.integers(long), rng.integers(many)] -= 800
        return Case(model, about=f"S = {many} states, T = {long} observations so unlikely that their product is below "
                                 "the smallest number a computer has")
    return {
        "random": drawn(T, S, 0.0, f"S = {S} states, T = {T} observations"),
        "one step": Case(hmm(rng, 1, few, 0.2), about=f"S = {few} states, one observation"),
        "certain": Case(certain(hmm(rng, short, many, 0.2), rng.integers(many)),
                        about=f"S = {many} states, T = {short} observations, and its beginning is known"),
        "unlikely": clear(unlikely, hmm_forward, *(("log_likelihood", change) for change in mistakes)),
    }


def hmm_forward(case, emission="every step", transpose=False, logs=True, combine="logsumexp", axis=0, start=True,
                first="emission", scaled=False, total="logsumexp", late=0):
    """log alpha[t, j] = log p(first t observations, state j at t), and the log-likelihood of all."""
    pi, A, e = case["log_start"], case["log_trans"], case["log_emit"]
    A = A.T if transpose else A
    combined = {"logsumexp": logsumexp, "max": lambda m, axis: m.max(axis), "sum": lambda m, axis: m.sum(axis)}
    join = combined[combine]
    e = {"every step": e, "never": np.zeros_like(e), "not at first": np.r_[0 * e[:1], e[1:]]}[emission]
    begin = pi if start else np.zeros_like(pi)
    alpha = [(logsumexp(begin[:, None] + A, 0) if first == "transition" else begin) + e[0]]
    for t in range(1, len(e)):
        if scaled is True:
            alpha[-1] = alpha[-1] - logsumexp(alpha[-1], 0)
        alpha.append(join(alpha[-1][:, None] + A, axis) + e[t - late])
    if scaled == "kept":  # the rows normalised afterwards, so that the likelihood is right
        whole = logsumexp(alpha[-1], 0)
        alpha = [row - logsumexp(row, 0) for row in alpha]
        answer = {"log_likelihood": whole}
        return answer if case.name == "unlikely" else {"log_alpha": np.stack(alpha)} | answer
    if scaled:
        alpha[-1] = alpha[-1] - logsumexp(alpha[-1], 0)
    alpha = np.stack(alpha)
    totals = {"logsumexp": logsumexp(alpha[-1], 0), "max": alpha[-1].max(), "sum": alpha[-1].sum()}
    answer = {"log_alpha": alpha, "log_likelihood": totals["max" if combine == "max" else total]}
    if case.name == "unlikely":
        answer = {"log_likelihood": answer["log_likelihood"] if logs else -np.inf}
    return answer


HMM_FORWARD = Exercise(
    id="seq.hmm_forward",
    title="The forward algorithm in log space",
    cases=forward_cases,
    reference=hmm_forward,
    aspects=(
        Aspect("shape", 1, on=("random/*", "one step/*"), shape_only=True),
        Aspect("forward variables", 2, on=("random/log_alpha", "certain/log_alpha"), ask="Work out the first two rows "
               "by hand for two states."),
        Aspect("log-likelihood", 1, on=("random/log_likelihood", "one step/log_likelihood", "certain/log_likelihood"),
               ask="Whatever state the sequence ended in: sum over it."),
        Aspect("very unlikely sequences", 2, on=("unlikely/*",), ask="Is there an exp whose result is too "
               "small to hold?"),
    ),
    misconceptions=mistakes(
        hmm_forward,
        ("emission missing", "The observations play no part: add `log_emit[t]` at every step.",
         {"emission": "never"}),
        ("first emission missing", "The first observation is missing: log alpha at step 0 is log start plus "
         "`log_emit[0]`.", {"emission": "not at first"}),
        ("transitions transposed", "The transitions are transposed. log_trans[i, j] goes from state i to "
         "state j: the sum runs over i, the rows.", {"transpose": True}),
        ("probabilities instead of logarithms", "You multiply probabilities. Their product falls below the "
         "smallest number there is, becomes 0, and its logarithm is minus infinity: stay with logarithms "
         "all the way.", {"logs": False}),
        ("maximum instead of sum", "You keep only the best predecessor. That is Viterbi; the forward "
         "algorithm sums over all of them.", {"combine": "max"}),
        ("logarithms added where probabilities should be", "You add up logarithms, which multiplies the "
         "probabilities. To add probabilities that are given as logarithms: logsumexp.", {"combine": "sum"}),
        ("summed over the next state", "The sum runs over the state you go to. The transitions from one "
         "state sum to 1, so they drop out: sum over the state you come from.", {"axis": 1}),
        ("start left out", "`log_start` plays no part: it says how likely each state is before anything is "
         "seen.", {"start": False}),
        ("a transition before the first step", "A transition is made before the first observation. The "
         "sequence begins in a state drawn from log_start; the first transition leads to step 1.",
         {"first": "transition"}),
        ("normalised at every step", "Every row was normalised, so it holds p(state | observations), and "
         "the likelihood is lost. Keep log alpha as it is.", {"scaled": True}),
        ("rows normalised", "The likelihood is right, but every row was normalised and holds p(state | observations "
         "so far). log alpha is the joint probability: keep it as it is.", {"scaled": "kept"}),
        ("likelihood of the likeliest last state only", "You took the likeliest last state. The likelihood "
         "sums over all last states.", {"total": "max"}),
        ("last logarithms added up", "The log-likelihood is the logsumexp of the last row, not its sum.",
         {"total": "sum"}),
        ("emission one step late", "Step t uses the observation of step t − 1.", {"late": 1}),
    ),
)


def viterbi_cases(rng):
    def walk(T, S, stay, spread):
        # Draw again until no two candidates are nearly equal, so that float32 and float64 agree on the path, and
        # until the path moves about and ends in another state than 0, so that no mistake is right by chance.
        while True:
            case = hmm(rng, T, S, stay, spread=spread)
            path = viterbi(case)["path"]
            moves = {(i, j) for i, j in pairwise(path) if i != j}
            if margin(case) > 1e-3 and path[-1] != 0 and len(moves) >= 3:
                return case
    S, few, single = *sizes(rng, 2, 3, 6), int(rng.integers(2, 6))
    T, long, short = int(rng.integers(19, 25)), int(rng.integers(28, 34)), int(rng.integers(5, 8))
    def known():
        while True:
            case = certain(hmm(rng, short, single, 0.3), rng.integers(single))
            if margin(case) > 1e-3:
                return Case(case, about=f"S = {single} states, T = {short} observations, and its beginning is known")
    one = hmm(rng, 1, single, 0.2)
    while margin(one) < 1e-3:
        one = hmm(rng, 1, single, 0.2)
    return {
        "random": clear(lambda: Case(walk(T, S, 0.1, 0.7), about=f"S = {S} states, T = {T} observations"), viterbi,
                        ("path", {"start": False}), ("path", {"emission": "not at first"}),
                        ("path", {"transpose": True})),
        "sticky": Case(walk(long, few, 0.6, 0.5), about=f"S = {few} states that tend to stay, T = {long} observations"),
        "one step": Case(one, about=f"S = {single} states, one observation"),
        "certain": known(),
    }


def margin(case):
    """The smallest gap between the best and the second-best candidate anywhere in the search."""
    delta, gap = case["log_start"] + case["log_emit"][0], np.inf
    for e in case["log_emit"][1:]:
        scores = np.sort(delta[:, None] + case["log_trans"], axis=0)
        gap = min(gap, (scores[-1] - scores[-2]).min())
        delta = scores[-1] + e
    last = np.sort(delta)
    return min(gap, last[-1] - last[-2])


def viterbi(case, transpose=False, combine="max", start=True, emission="every step", how="viterbi",
            backtrace="right", result="log"):
    """The likeliest sequence of states, and its log-probability."""
    pi, A, e = case["log_start"], case["log_trans"], case["log_emit"]
    A = A.T if transpose else A
    e = {"every step": e, "never": np.zeros_like(e), "not at first": np.r_[0 * e[:1], e[1:]]}[emission]
    if how == "each step alone":
        return {"path": e.argmax(axis=1), "log_prob": e.max(axis=1).sum()}
    if how == "each step alone, then scored":
        path = e.argmax(axis=1)
        return {"path": path, "log_prob": pi[path[0]] + A[path[:-1], path[1:]].sum() + e[np.arange(len(e)), path].sum()}
    delta, back, deltas = (pi if start else np.zeros_like(pi)) + e[0], [], []
    deltas.append(delta)
    if how == "greedy":
        path, score = [int(delta.argmax())], delta.max()
        for t in range(1, len(e)):
            step = A[path[-1]] + e[t]
            path.append(int(step.argmax()))
            score += step.max()
        return {"path": path, "log_prob": score}
    for t in range(1, len(e)):
        scores = delta[:, None] + A
        back.append(scores.argmax(axis=1 if backtrace == "where to" else 0))
        delta = (scores.max(axis=0) if combine == "max" else logsumexp(scores, 0)) + e[t]
        deltas.append(delta)
    best = delta.max() if combine == "max" else logsumexp(delta, 0)
    if how == "no backtrace":
        return {"path": np.argmax(deltas, axis=1), "log_prob": best}
    path = [0 if backtrace == "from state 0" else int(delta.argmax())]
    if backtrace == "off by one" and back:  # reads the pointers of the step before
        back = [np.zeros_like(back[0]), *back[:-1]]
    for pointers in back[::-1]:
        path.append(int(pointers[path[-1]]))
    return {"path": path if backtrace == "not turned round" else path[::-1],
            "log_prob": np.exp(best) if result == "probability" else best}


VITERBI = Exercise(
    id="seq.viterbi",
    title="Viterbi decoding",
    cases=viterbi_cases,
    reference=viterbi,
    aspects=(
        Aspect("shape", 1, on=("*/path",), shape_only=True),
        Aspect("path", 3, on=("*/path",), ask="Do the pointers of step t say where the best way into each "
               "state came from?"),
        Aspect("log-probability", 2, on=("*/log_prob",), ask="It is the largest entry of the last row of "
               "scores."),
    ),
    misconceptions=mistakes(
        viterbi,
        ("each step on its own", "Each step took the state that explains its observation best; the "
         "transitions play no part.", {"how": "each step alone"}),
        ("each step on its own, then scored", "Each step took the state that explains its observation best, and the "
         "path was scored afterwards. The transitions have to take part in the choice.",
         {"how": "each step alone, then scored"}),
        ("greedy", "You took the best next state at each step and never looked back. The best path may "
         "begin with a step that looks worse: keep the best score into every state, and decide at the end.",
         {"how": "greedy"}),
        ("no backtrace", "The scores are right, but the path was read off step by step. The best state at t "
         "counts only the past; follow the pointers back from the last step.", {"how": "no backtrace"}),
        ("the forward algorithm's argmax", "You sum over predecessors as the forward algorithm does and "
         "take each step's likeliest state. Viterbi keeps the maximum and follows pointers back.",
         {"how": "no backtrace", "combine": "sum"}),
        ("sum instead of maximum", "The scores sum over all predecessors. A path has exactly one "
         "predecessor at each step: take the maximum.", {"combine": "sum"}),
        ("backtrace off by one", "The pointers are read one step off: the pointers stored while going into "
         "step t + 1 say where state path[t + 1] came from.", {"backtrace": "off by one"}),
        ("pointers forwards", "The pointers say where each state would go next: `argmax` ran over the wrong axis. They "
         "say where the best way into each state came from, so `argmax` runs over the same axis as `max`.",
         {"backtrace": "where to"}),
        ("path not turned round", "The path runs from the last step to the first: turn it round.",
         {"backtrace": "not turned round"}),
        ("backtrace from state 0", "The way back starts in state 0. It starts in the state with the best "
         "last score.", {"backtrace": "from state 0"}),
        ("transitions transposed", "The transitions are transposed: log_trans[i, j] goes from state i to "
         "state j.", {"transpose": True}),
        ("start left out", "`log_start` plays no part: it belongs to the score of the first step.",
         {"start": False}),
        ("emission missing", "The observations play no part: add `log_emit[t]` to the scores of step t.",
         {"emission": "never"}),
        ("first emission missing", "The first observation is missing: the first scores are log_start plus "
         "`log_emit[0]`.", {"emission": "not at first"}),
        ("probability instead of its logarithm", "You return the probability itself. It is so small that it "
         "is nearly 0 for every long path: return its logarithm.", {"result": "probability"}),
    ),
)

EXERCISES = [BAG_OF_WORDS, PERPLEXITY, EMBEDDING, WINDOWS, AR_FIT, HMM_FORWARD, VITERBI]
