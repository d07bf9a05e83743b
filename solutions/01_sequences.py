# %% [markdown]
# # Sequences before networks
#
# A sentence, a series of measurements, a melody: what they have in common is that **order matters**. This lesson
# meets sequences with the tools that were there before neural networks, and that are still the ones to beat:
# counting, looking up, regressing on the past, and hidden Markov models. Each does something well, and each breaks at
# a point that you will see for yourself. Those points are what a recurrent network is for.
#
# | | |
# |---|---|
# | you build | a bag of words · perplexity · word vectors · windows · AR(p) · the forward algorithm · Viterbi |
# | time and points | {minutes} minutes, {points} points |
# | you should know | lesson 00; least squares; what a conditional probability is |
# | at the end | a twelve-year sunspot forecast with its error band, and four years of Seattle's weather decoded |
#
# Notation, as in the whole course: `B` batch, `T` time steps, `D` features, `V` words in the vocabulary, `S` hidden
# states; arrays of sequences are `(batch, time, features)`.

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import itertools
from collections import Counter
import numpy as np
import keras
from keras import ops
import matplotlib.pyplot as plt
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from unrolled import check, data, plot

# %% [markdown]
# ## 1 · A bag of words forgets the order
#
# The simplest thing to do with a sentence is to count its words. Give every word a number, its **id**; keep 0 for
# *padding*, which fills short sentences up to the length of the longest. The **bag of words** of a sentence is the
# vector whose entry $j$ says how often word $j$ occurs (the bracket is 1 if what it says is true, else 0):
#
# $$\text{bag}_j = \sum_{t=1}^{T} [\,\text{id}_t = j\,], \qquad j = 1, \dots, V-1 .$$
#
# By hand, with the vocabulary *0 padding, 1 an, 2 is, 3 this*:
#
# | sentence | ids | bag |
# |---|---|---|
# | this is an | 3 2 1 | 0 1 1 1 |
# | an is this | 1 2 3 | 0 1 1 1 |
# | is is this | 2 2 3 | 0 0 2 1 |
#
# The first two sentences have the same bag. Whatever model reads it, it cannot tell them apart.

# %% [markdown]
# **Exercise `seq.bag_of_words`** · ●○○○○ · 10 min · 4 points
#
# Count the words of every sentence of a batch. Padding is not counted.
#
# <details><summary>Hint 1</summary>
# <code>ops.one_hot(ids, V)</code> turns ids of shape (B, T) into vectors of shape (B, T, V): all zeros but for a one at
# the word's place. What do you get when you add up these vectors along the time axis?
# </details>
# <details><summary>Hint 2</summary>
# Padding gives one-hot vectors too, with their one in column 0. Multiply them away before you add up: by 1 where there
# is a word and by 0 where there is padding.
# </details>
# <details><summary>If you see <code>object does not support item assignment</code></summary>
# <code>ops</code> gives tensors, and a tensor's entries cannot be set. Multiply by zeros and ones in place of setting
# zeros, or turn the result into an array first: <code>np.array(counts)</code>.
# </details>
# <details><summary>If you see <code>InvalidArgumentError: Incompatible shapes</code></summary>
# You are multiplying (B, T, V) with (B, T). Give the second a last axis of length 1: <code>m[..., None]</code>.
# </details>

# %% solution="seq.bag_of_words"
def bag_of_words(ids, V):
    """How often each word occurs in each sentence.

    ids: (batch, time) integers from 0 to V - 1; 0 is padding and is not counted.
    Returns counts of shape (batch, V); column j counts word number j, and column 0 is all zeros.
    """
    ### BEGIN SOLUTION
    words = ops.one_hot(ids, V)
    words = words * ops.cast(ids > 0, words.dtype)[..., None]
    return ops.sum(words, axis=1)
    ### END SOLUTION

# %% check="seq.bag_of_words"
check("seq.bag_of_words", bag_of_words)

# %% [markdown]
# Does the lost order matter in real text? Here are Jane Austen's six novels, cut into sentences. **Predict first:**
# of all sentences of three to eight words, will there be any two *different* ones with the same bag?

# %% tags=["demo"]
novels = data.load("austen")
bags = {}
for sentence in novels:
    if 3 <= len(sentence) <= 8:
        bags.setdefault(tuple(sorted(sentence)), set()).add(" ".join(sentence))
twins = [sorted(group) for group in bags.values() if len(group) > 1]
print(f"{len(novels):,} sentences, {sum(map(len, novels)):,} words; {len(twins)} bags hold several sentences:\n")
for group in sorted(twins, key=lambda g: (-len(g[0].split()), g))[:8]:
    print("  ", "  |  ".join(group))
assert len(twins) >= 10

# %% [markdown]
# Not many, but look at the third line: *you know what I mean* and *I know what you mean* are different claims, and a
# bag cannot tell who knows. The longer the sentence, the more of its meaning lies in the order.

# %% [markdown]
# ## 2 · Counting what comes next, and where it fails
#
# Put the order back in the most direct way: look at the last $n$ words and count which word came next,
#
# $$p(w_t \mid w_{t-n}, \dots, w_{t-1}) \approx
# \frac{\text{count}(w_{t-n} \dots w_{t-1} w_t)}{\text{count}(w_{t-n} \dots w_{t-1})} .$$
#
# This is an *n-gram* model, and the oldest model of this lesson. In 1913 A. A. Markov counted 20,000 letters of
# Pushkin's verse novel *Eugene Onegin* by hand, vowels and consonants, to show that a letter depends on the one before
# it: what follows whom is a **Markov chain**. You can repeat his count on Austen in a second.

# %% tags=["demo"]
letters = "".join(itertools.chain(*novels))
vowel = np.isin(np.array([letter for letter in letters if letter.isalpha()]), list("aeiou"))
print(f"{len(vowel):,} letters; a vowel {vowel.mean():.0%}, after a vowel {vowel[1:][vowel[:-1]].mean():.0%}, "
      f"after a consonant {vowel[1:][~vowel[:-1]].mean():.0%}")
assert vowel[1:][vowel[:-1]].mean() < 0.5 * vowel[1:][~vowel[:-1]].mean()

# %% [markdown]
# After a vowel the next one is rare, after a consonant it is likely: knowing one letter is worth a lot. Back to words.
# **Predict first:** which words will follow "this is an ___" in 723,352 words of Austen?

# %% tags=["demo"]
def words_after(context, sentences, n_best=6):
    context, found = context.split(), Counter()
    for s in sentences:
        for t in range(len(context), len(s)):
            if s[t - len(context):t] == context:
                found[s[t]] += 1
    best = ", ".join(f"{word} {count}" for word, count in found.most_common(n_best))
    print(f"{' '.join(context) + ' ___':<18}{found.total():>6} times   {best}")
    return found

for context in ("an", "is an", "this is an", "i like", "i enjoy"):
    words_after(context, novels)

# %% [markdown]
# With one word of context the counts are rich and vague: *an hour*, *an end*. With three there are five examples and
# five different words, each seen once: nothing to choose between them. And *i enjoy* never occurs at all, so the
# model has nothing to say about it, although it has seen *i like* 35 times and the two mean nearly the same. To a
# counter, two words are as different as any other two.
#
# How bad is it in general? Keep every tenth sentence for testing, count in the others, and ask with contexts of 0 to
# 4 words: has this context been seen? Is the word that followed it most often the right one?

# %% tags=["demo"]
test, train = novels[::10], [s for i, s in enumerate(novels) if i % 10]
LONGEST = 4
seen, right = np.zeros(LONGEST + 1), np.zeros(LONGEST + 1)
places = sum(max(len(s) - LONGEST, 0) for s in test)
for n in range(LONGEST + 1):
    grams = Counter(tuple(s[t - n:t + 1]) for s in train for t in range(n, len(s)))
    best = {}
    for gram, count in grams.items():
        if count > best.get(gram[:-1], (0, ""))[0]:
            best[gram[:-1]] = (count, gram[-1])
    guesses = [(best.get(tuple(s[t - n:t])), s[t]) for s in test for t in range(LONGEST, len(s))]
    seen[n] = sum(guess is not None for guess, _ in guesses) / places
    right[n] = sum(guess is not None and guess[1] == word for guess, word in guesses) / places
    print(f"{n} words of context: seen before {seen[n]:.1%}, next word right {right[n]:.1%} of all places, "
          f"{right[n] / seen[n]:.1%} of those where it was seen")
assert right.argmax() == 1 and right[1] > 3 * right[0] and seen[4] < 0.25
assert np.all(np.diff(right / seen) > 0)  # where a context was seen, a longer one is the better guide

# %% tags=["demo"]
figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.2), layout="constrained")
axes[0].plot(100 * seen, "o-")
axes[0].set(title="How often was this context seen before?", ylabel="% of places in the test text", ylim=(0, 105))
axes[1].plot(100 * right / seen, "s:", color=plot.COLOURS[2], label="where the context was seen")
axes[1].plot(100 * right, "o-", color=plot.COLOURS[1], label="everywhere")
axes[1].axhline(100 * right[0], color="grey", ls="--", label="baseline: always the commonest word")
axes[1].set(title="How often is the best guess right?", ylabel="%", ylim=(0, 33))
axes[1].legend(loc="upper left")
for ax in axes:
    ax.set(xlabel="words of context n", xticks=range(LONGEST + 1))
plot.show(figure, alt="Left: the share of contexts seen before falls steeply with their length. Right: where the "
          "context was seen, longer is better; over all places one word of context is best and four are worst.")

# %% [markdown]
# More context gives better guesses where it was seen before, and it was seen before less and less often: there are
# $V^n$ contexts of $n$ words. Used like this, one word of context does best, and four do worse than none. But nobody
# who counts in earnest uses it like this.
#
# ### Back off: a context never seen asks a shorter one
#
# If "this is an" tells too little, ask "is an"; if that does, too, ask "an". Better still, never ask one alone, but
# mix: let the prediction of a context of $n$ words be made of what was counted after it, and of what the context one
# word shorter says. How much for whom? A context seen $N$ times, with $k$ *different* words after it, has surprised us
# $k$ times with a new word. So (Witten and Bell, 1991) the shorter one gets the share $k / (N + k)$:
#
# $$p_n(w) = \frac{\text{count}(w) + k\; p_{n-1}(w)}{N + k} .$$
#
# By hand: after "is an", seen $N = 4$ times, came *honour* 3 times and *hour* once, so $k = 2$. If "an" alone gives
# *end* 0.03, then after "is an" it has $(0 + 2 \cdot 0.03)/6 = 0.01$: never seen here, and yet possible. A context
# never seen says nothing: everything is left to the shorter one. At the bottom stands the empty context, and below it
# "all $V$ words alike", $1/V$. (Words that were seen less than twice, or never, count as one word, `·`.)

# %% tags=["demo"]
KNOWN = {word for word, count in Counter(itertools.chain(*train)).items() if count > 1}
learn, held = ([[w if w in KNOWN else "·" for w in s] for s in part] for part in (train, test))
after = [{} for _ in range(LONGEST + 1)]  # after[n]: context of n words -> Counter of what followed
for s in learn:
    for n in range(LONGEST + 1):
        for t in range(n, len(s)):
            after[n].setdefault(tuple(s[t - n:t]), Counter())[s[t]] += 1


def backed_off(s, t):
    """p(word t of the sentence s | the n words before it) for n = 0 to LONGEST, or fewer at the sentence's start."""
    p = [1 / (len(KNOWN) + 1)]
    for n in range(min(t, LONGEST) + 1):
        seen = after[n].get(tuple(s[t - n:t]))
        p.append((seen[s[t]] + len(seen) * p[-1]) / (seen.total() + len(seen)) if seen else p[-1])
    return p[1:]

for word in ("hour", "end", "is"):
    print(f"{word:<5} after 'this is an': {backed_off(['this', 'is', 'an', word], 3)[3]:.5f}, "
          f"after 'an': {backed_off(['an', word], 1)[1]:.5f}")

# %% [markdown]
# ### Perplexity: how good is a model that gives probabilities?
#
# "How often is its best guess right?" wastes most of what such a model says. Better: how much probability did it give
# to the words that really came? Multiply them all and you have the probability of the text; take logarithms (the
# product of 70,000 such numbers is 0 for any computer), and their mean, so that the length of the text does not matter,
# and go back:
#
# $$\text{perplexity} = \exp\Bigl(-\frac1N \sum_{i=1}^{N} \log p_i\Bigr) .$$
#
# It is a number of words: a model with perplexity 100 is, on average, as unsure as one that has to choose among 100
# equally likely words. Smaller is better; 1 is a model that knows everything beforehand. **By hand:** two words, given
# 1/2 and 1/8: $\log \tfrac12 + \log \tfrac18 = -\log 16$, half of it is $-\log 4$, and the perplexity is 4. A
# model that gives probability 0 to a single word that does come has perplexity $\infty$, however good it is elsewhere.

# %% [markdown]
# **Exercise `seq.perplexity`** · ●●○○○ · 10 min · {points} points
#
# The perplexity of a batch of sentences, all their words together. Padding is no word, whatever stands there.
#
# <details><summary>Hint 1</summary>
# Which places hold a word? <code>words > 0</code>. You need the sum of <code>log_p</code> over these places, and their
# number.
# </details>
# <details><summary>Hint 2</summary>
# The <code>log_p</code> of the padding may be anything, even <code>-inf</code>, and 0 times that is <code>nan</code>.
# So do not multiply it away: pick (<code>log_p[is_word]</code>) or choose (<code>np.where(is_word, log_p, 0)</code>).
# </details>

# %% solution="seq.perplexity"
def perplexity(log_p, words):
    """e to the minus mean log-probability of all words of a batch.

    log_p: (batch, time), the natural logarithm of the probability that a model gave to the word at this place.
    words: (batch, time), the words' ids; 0 is padding: it is not counted, and its log_p may be anything.
    Returns one number.
    """
    ### BEGIN SOLUTION
    is_word = words > 0
    total = log_p[is_word].sum()
    return np.exp(-total / is_word.sum())
    ### END SOLUTION

# %% check="seq.perplexity"
check("seq.perplexity", perplexity)

# %% [markdown]
# Now the held-out sentences again, all their words, with 0 to 4 words of context, with back-off. **Predict first:**
# which $n$ is best now? And what is the perplexity *without* back-off?

# %% tags=["demo"]
T = max(map(len, held))
ids = np.array([[1] * len(s) + [0] * (T - len(s)) for s in held])  # only which places hold a word matters here
log_p = np.full((LONGEST + 1, len(held), T), -np.inf)
for row, s in enumerate(held):
    for t in range(len(s)):
        p = backed_off(s, t)
        log_p[:, row, t] = np.log(p + p[-1:] * (LONGEST + 1 - len(p)))
scores = [float(perplexity(rows, ids)) for rows in log_p]
print(f"{ids.sum():,} words; all {len(KNOWN) + 1:,} words alike: perplexity {len(KNOWN) + 1:,}")
for n, score in enumerate(scores):
    without = "" if n == 0 else f"   without: infinite, {1 - seen[n]:.0%} of the contexts were never seen"
    print(f"{n} words of context: perplexity {score:6.1f} with back-off{without}")
assert np.argmin(scores) == 2 and scores[4] < 0.5 * scores[0]

# %% [markdown]
# **What to conclude.** Without back-off, four words of context were worse than none. With it they are nearly three
# times as good, and two words are the best. That three and four lose a little is the mixture's fault: it trusts a
# context that it has seen once too much (Kneser and Ney's, 1995, does so less). Counting, done well, is a strong
# opponent; in lesson 02 your network plays against it. Two things it cannot do: know that *like* and *enjoy*
# are alike (next), and remember without a list of the last $n$ words (the rest of the course).

# %% [markdown]
# ## 3 · Word vectors: one-hot times a matrix
#
# A one-hot vector $o_t \in \{0,1\}^V$ times a matrix $E$ of shape $(V, d)$ picks one row of $E$:
#
# $$v_t = o_t\, E = E_{\text{id}_t} .$$
#
# So a *lookup table* of word vectors is a linear layer without bias, its input is one-hot, and its rows can be
# learned like any other weights. In practice nobody multiplies by all those zeros; the result is the same:

# %%
E = np.array([[0.0, 0.0], [1.0, 5.0], [2.0, 6.0], [3.0, 7.0]])  # V = 4 words, d = 2
o = np.array([[0, 0, 0, 1], [0, 0, 1, 0]])                       # word 3, then word 2
print(o @ E, E[[3, 2]], sep="\n\n")

# %% [markdown]
# **Exercise `seq.embedding`** · ●●○○○ · 12 min · 5 points
#
# Write this as a layer, `WordVectors(vocabulary, dimension)`, with `build`, `call`, `compute_mask` and
# `get_config`. `call` multiplies one-hot vectors by the matrix (or looks rows up with `ops.take`: same result).
# `compute_mask(ids, mask=None)` returns True where there is a word and False where the id is 0: this is how Keras
# tells later layers what is padding.
#
# <details><summary>Hint 1</summary>
# The layer of lesson 00 is nearly this one. <code>build</code> makes one weight of shape (vocabulary, dimension).
# </details>
# <details><summary>Hint 2</summary>
# <code>compute_mask</code> is one line: compare the ids with 0. <code>get_config</code> starts from
# <code>super().get_config()</code> and adds both arguments of <code>__init__</code>.
# </details>

# %% solution="seq.embedding"
class WordVectors(keras.layers.Layer):
    """Row `id` of a matrix E (vocabulary, dimension) for every id; its one weight is E.

    call: ids (batch, time) to vectors (batch, time, dimension), as one-hot times E.
    compute_mask: True where the id is a word, False where it is 0 (padding).
    """

    def __init__(self, vocabulary, dimension, **kwargs):
        ### BEGIN SOLUTION
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
        ### END SOLUTION

# %% check="seq.embedding"
check("seq.embedding", WordVectors)

# %% [markdown]
# Keras has this layer: `keras.layers.Embedding`. With the same matrix it gives the same vectors and the same mask,
# and yours survives being saved and loaded.

# %% tags=["demo"]
import os
import tempfile

keras.utils.set_random_seed(1)
ids = np.array([[3, 2, 1, 0, 0], [1, 1, 4, 2, 3]])
yours, built_in = WordVectors(5, 3), keras.layers.Embedding(5, 3, mask_zero=True)
model = keras.Sequential([keras.Input((None,), dtype="int32"), yours])
built_in.build()
built_in.set_weights(yours.get_weights())
gap = np.abs(np.asarray(yours(ids)) - np.asarray(built_in(ids))).max()
assert gap < 1e-6 and np.array_equal(yours.compute_mask(ids, None), built_in.compute_mask(ids))
with tempfile.TemporaryDirectory() as folder:
    model.save(os.path.join(folder, "words.keras"))
    loaded = keras.saving.load_model(os.path.join(folder, "words.keras"), custom_objects={"WordVectors": WordVectors})
assert np.allclose(loaded(ids), model(ids))
print("the same vectors and mask as keras.layers.Embedding; the same again after saving and loading")

# %% [markdown]
# ### Vectors that know that *like* is near *enjoy*
#
# Where do good rows of $E$ come from? From the company a word keeps. Count for every pair of words how often one
# stands at most two places from the other. *like* and *enjoy* hardly ever stand together, but they stand next to the
# same words. From the counts take the **positive pointwise mutual information**: how much more often does a pair
# occur than chance would have it,
#
# $$M_{ij} = \max\Bigl(0,\; \log \frac{p(i, j)}{p(i)\, p(j)}\Bigr),$$
#
# and then the best approximation of $M$ by 100 dimensions (a singular value decomposition): its rows are the word
# vectors. In the cell below $p(j)$ is raised to the power 0.75, a common trick: without it rare words get too much
# weight.

# %% tags=["demo"]
V, WINDOW = 2000, 2
vocabulary = ["·"] + [word for word, _ in Counter(itertools.chain(*novels)).most_common(V - 1)]
number = {word: i for i, word in enumerate(vocabulary)}
text = np.array([i for s in novels for i in [number.get(w, 0) for w in s] + [0] * WINDOW])  # 0: rare word, or a gap
counts = np.zeros((V, V))
for distance in range(1, WINDOW + 1):
    np.add.at(counts, (text[:-distance], text[distance:]), 1)
counts = counts + counts.T
counts[0] = counts[:, 0] = 0
together = counts / counts.sum()
alone = together.sum(axis=1, keepdims=True)
by_chance = alone * (alone.T ** 0.75 / (alone ** 0.75).sum())
pmi = np.log(np.divide(together, by_chance, out=np.ones_like(together), where=counts > 0))
M = np.maximum(pmi, 0)
print(f"{V} words, {int((counts > 0).sum() / 2):,} pairs seen, {(M > 0).mean():.1%} of the matrix is not zero")

# %% tags=["demo"]
eigenvalues, axes_of_M = np.linalg.eigh(M @ M.T)  # ascending: the leading singular vectors of M are the last columns
leading = axes_of_M[:, :-101:-1] * np.sqrt(eigenvalues[:-101:-1])

def cosines(E):
    unit = E / np.maximum(np.linalg.norm(E, axis=1, keepdims=True), 1e-9)
    return unit @ unit.T

keras.utils.set_random_seed(1)
learned = WordVectors(V, 100)
learned.build((None, None))
random_start = np.asarray(learned.get_weights()[0])
learned.set_weights([leading])
before, after = cosines(random_start), cosines(learned.get_weights()[0])

# %% tags=["demo"]
def neighbours(word, cosine, n=6):
    return [vocabulary[i] for i in np.argsort(-cosine[number[word]])[1:n + 1]]

def rank(word, other, cosine):
    """1 if `other` is the nearest word to `word`."""
    return int((cosine[number[word]] > cosine[number[word], number[other]]).sum())

for word in ("enjoy", "like", "father", "two", "walk", "good"):
    print(f"{word:<8}{', '.join(neighbours(word, after))}")
print(f"\n'like' among the neighbours of 'enjoy': number {rank('enjoy', 'like', after)} of {V - 2:,} "
      f"(random vectors: number {rank('enjoy', 'like', before):,})")
print(f"'enjoy' among the neighbours of 'like': number {rank('like', 'enjoy', after)}")
assert rank("enjoy", "like", after) <= 10 and rank("father", "mother", after) <= 3

# %% tags=["demo"]
shown = ["father", "mother", "sister", "brother", "two", "three", "four", "like", "enjoy", "walk", "drive", "summer",
         "winter"]
rows = [number[w] for w in shown]
figure, axes = plt.subplots(1, 2, figsize=(9, 4.3), layout="constrained", sharey=True)
for ax, cosine, title in zip(axes, (before, after), ("random vectors", "learned from 723,352 words"), strict=True):
    picture = ax.imshow(cosine[np.ix_(rows, rows)], vmin=0, vmax=1)
    ax.set_title(title)
    ax.set_xticks(range(len(shown)), shown, rotation=60, ha="right")
    ax.set_yticks(range(len(shown)), shown)
figure.colorbar(picture, ax=axes, label="cosine similarity", shrink=0.8)
plot.show(figure, alt="Cosine similarities of thirteen words. With random vectors only the diagonal is bright; with "
          "learned vectors family, numbers, walk and drive, summer and winter, like and enjoy form bright blocks.")

# %% [markdown]
# **What to conclude.** Nobody told the matrix what a word means. Words that could stand in for each other got similar
# rows, so what a model learns about *like* carries over to *enjoy*: this is what counting could not do. Notice what
# goes wrong, too. *good* is near *ill*, because opposites keep the same company. And *like* is one row but two words
# (*I like it*, *he looks like her*): its row is a compromise, and *enjoy* is far down its list. A vector that depends
# on the sentence around it needs a model that reads the sentence, in order.

# %% [markdown]
# ## 4 · Windows: from one long series to many examples
#
# Now numbers instead of words. A series has one value (or $D$ of them) a step. To learn to predict it, cut it into
# overlapping **windows** of `width` steps; the **target** of a window is the value `horizon` steps after its last
# one. With width 3 and horizon 1 the series 10 11 12 13 14 gives
#
# | window | target |
# |---|---|
# | 10 11 12 | 13 |
# | 11 12 13 | 14 |

# %% [markdown]
# **Exercise `seq.windows`** · ●●○○○ · 10 min · 4 points
#
# Cut a series of shape `(time, D)` into windows `(n, width, D)`, oldest step first, and targets `(n, D)`. Use every
# window whose target exists.
#
# <details><summary>Hint 1</summary>
# The last target is the last value of the series. So where does the last window start, and how many are there?
# </details>
# <details><summary>Hint 2</summary>
# Window number i is <code>series[i:i + width]</code>; its target stands at index
# <code>i + width + horizon - 1</code>.
# </details>

# %% solution="seq.windows"
def windows(series, width, horizon=1):
    """All windows of a series, and for each the value `horizon` steps after the window's last.

    series: (time, D). Returns X of shape (n, width, D), oldest step first, and y of shape (n, D).
    The last target is the series' last value.
    """
    ### BEGIN SOLUTION
    n = len(series) - width - horizon + 1
    X = np.stack([series[i:i + width] for i in range(n)])
    y = series[width + horizon - 1:]
    return X, y
    ### END SOLUTION

# %% check="seq.windows"
check("seq.windows", windows)

# %% [markdown]
# The series of this section: how many spots the Sun showed in each year from 1700 to 2008.

# %% tags=["demo"]
sun = data.load("sunspots")
year, spots = sun["year"], sun["sunspots"]
X, y = map(np.asarray, windows(spots[:, None], width=11))
print(f"{len(spots)} years; windows of 11 years: X {X.shape}, y {y.shape}")
figure, ax = plt.subplots(figsize=(8.4, 2.8), layout="constrained")
ax.plot(year, spots, lw=1)
ax.axvspan(year[200], year[210], color=plot.COLOURS[4], alpha=0.4, label="one window of 11 years")
ax.plot(year[211], spots[211], "o", color=plot.COLOURS[1], label="its target")
ax.set(title="Sunspot numbers, 1700 to 2008", xlabel="year", ylabel="yearly mean (index)")
ax.legend(loc="upper left", ncols=2)
ax.set_ylim(0, 225)
plot.show(figure, alt="The yearly sunspot number rises and falls every eleven years or so; the peaks differ.")

# %% [markdown]
# ## 5 · The autoregressive model AR(p)
#
# This model was made for this very series (Yule, 1927), fourteen years after Markov had counted letters: predict the
# next value as a weighted sum of the last $p$,
#
# $$x_t = c + a_1 x_{t-1} + a_2 x_{t-2} + \dots + a_p x_{t-p} + \varepsilon_t ,$$
#
# where $\varepsilon_t$, the **residual**, is what the sum leaves unexplained. The model is linear in $c$ and $a$,
# so ordinary least squares finds them. One row of the matrix for every $t$ that has $p$ values before it. For the
# series 10 11 12 13 14 and $p = 2$:
#
# | 1 | $x_{t-1}$ | $x_{t-2}$ | target $x_t$ |
# |---|---|---|---|
# | 1 | 11 | 10 | 12 |
# | 1 | 12 | 11 | 13 |
# | 1 | 13 | 12 | 14 |

# %% [markdown]
# **Exercise `seq.ar_fit`** · ●●●○○ · 12 min · 6 points
#
# Fit $c$ and $a$ by least squares. Mind the order: `a[0]` belongs to the value one step back.
#
# <details><summary>Hint 1</summary>
# Let n be <code>len(series)</code>. The column for lag k is <code>series[p - k : n - k]</code>: for k = 1 it starts at
# index p − 1 and ends one before the last value.
# </details>
# <details><summary>Hint 2</summary>
# <code>np.linalg.lstsq(matrix, targets, rcond=None)[0]</code> solves least squares. The column of ones is what gives
# you c.
# </details>
# <details><summary>If you see <code>all input arrays must have the same shape</code></summary>
# Your columns differ in length. Each has n − p entries: one for every t from p to n − 1.
# </details>

# %% solution="seq.ar_fit"
def ar_fit(series, p):
    """Fit x_t = c + a_1 x_{t-1} + ... + a_p x_{t-p} by least squares.

    series: (time,). Returns the number c and a of shape (p,), where a[k - 1] belongs to the value k steps back.
    """
    ### BEGIN SOLUTION
    n = len(series)
    lags = [series[p - k:n - k] for k in range(1, p + 1)]
    X = np.stack([np.ones(n - p), *lags], axis=1)
    w = np.linalg.lstsq(X, series[p:], rcond=None)[0]
    return w[0], w[1:]
    ### END SOLUTION

# %% check="seq.ar_fit"
check("seq.ar_fit", ar_fit)

# %% [markdown]
# ### A forecast that says how sure it is
#
# To look further than one step, feed each prediction back in. Errors are fed back too, so they grow: an error made
# $j$ steps ago has grown by the factor $\psi_j$, where $\psi_0 = 1$ and $\psi_j = \sum_{k=1}^{\min(j,p)} a_k
# \psi_{j-k}$. With residuals of standard deviation $\sigma$, the forecast $h$ steps ahead has the standard
# deviation $\sigma \sqrt{\psi_0^2 + \dots + \psi_{h-1}^2}$. For AR(1) with $a_1 = 0.8$, say, $\psi$ is 1, 0.8, 0.64:
# three steps ahead the error has the size $\sigma\sqrt{1 + 0.64 + 0.41} = 1.43\,\sigma$.

# %%
def forecast(past, c, a, steps):
    """The next `steps` values, each computed from the p before it: (steps,)."""
    c, a, values = float(c), np.asarray(a), list(past)
    for _ in range(steps):
        latest_first = values[:-len(a) - 1:-1]
        values.append(c + np.dot(a, latest_first))
    return np.array(values[len(past):])


def spread(a, sigma, steps):
    """Standard deviation of the forecast's error 1 to `steps` steps ahead: (steps,)."""
    a, psi = np.asarray(a), [1.0]
    for j in range(1, steps):
        psi.append(sum(a[k - 1] * psi[j - k] for k in range(1, min(j, len(a)) + 1)))
    return sigma * np.sqrt(np.cumsum(np.square(psi)))

# %% [markdown]
# How many lags? Let the years 1910 to 1959 choose, and keep 1960 to 2008 for the test. The baseline is
# **persistence**: every coming year will be as the last one.

# %% tags=["demo"]
def rmse(errors, axis=None):
    return np.sqrt(np.mean(np.square(errors), axis=axis))

def one_step_error(p, first, last):
    c, a = ar_fit(spots[year < first], p)
    guesses = [forecast(spots[year < y], c, a, 1)[0] for y in range(first, last)]
    return rmse(np.array(guesses) - spots[(year >= first) & (year < last)])

errors = {p: one_step_error(p, 1910, 1960) for p in range(1, 16)}
p = min(errors, key=errors.get)
print("one-step error 1910 to 1959: " + ", ".join(f"AR({q}) {errors[q]:.1f}" for q in (1, 2, 3, 6, 9, 12, 15)))
print(f"chosen: p = {p}")

# %% tags=["demo"]
STEPS, before_test = 12, spots[year < 1960]
c, a = ar_fit(before_test, p)
fitted = np.array([forecast(before_test[:t], c, a, 1)[0] for t in range(p, len(before_test))])
sigma = np.sqrt(np.sum((before_test[p:] - fitted) ** 2) / (len(fitted) - p - 1))
origins = range(len(before_test), len(spots) - STEPS + 1)
truth = np.array([spots[t:t + STEPS] for t in origins])
ar_error = np.array([forecast(spots[:t], c, a, STEPS) for t in origins]) - truth
still_error = np.array([np.repeat(spots[t - 1], STEPS) for t in origins]) - truth
mean_error = before_test.mean() - truth
for h in (1, 3, 6, 9, 12):
    print(f"{h:>2} years ahead: AR({p}) {rmse(ar_error[:, h - 1]):5.1f}   "
          f"persistence {rmse(still_error[:, h - 1]):5.1f}   long-term mean {rmse(mean_error[:, h - 1]):5.1f}")
inside = np.mean(np.abs(ar_error) < 1.96 * spread(a, sigma, STEPS))
print(f"{inside:.0%} of the true values lie inside the 95% band")
assert all(rmse(ar_error, 0) < rmse(still_error, 0)) and all(rmse(ar_error, 0) < rmse(mean_error, 0))

# %% tags=["demo"]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained", width_ratios=[1.6, 1])
t = int(np.searchsorted(year, 1986))
ahead, band = forecast(spots[:t], c, a, STEPS), 1.96 * spread(a, sigma, STEPS)
axes[0].plot(year[t - 26:t + STEPS], spots[t - 26:t + STEPS], "k.-", lw=1, label="observed")
axes[0].fill_between(year[t:t + STEPS], ahead - band, ahead + band, alpha=0.25, label="95% band")
axes[0].plot(year[t:t + STEPS], ahead, "o-", ms=3, label=f"AR({p}), made in 1985")
axes[0].plot(year[t:t + STEPS], np.repeat(spots[t - 1], STEPS), "--", label="persistence")
axes[0].set(title="One forecast of twelve years", xlabel="year", ylabel="sunspots (yearly mean)", ylim=(-50, 265))
axes[0].legend(ncols=2, loc="upper left")
for name, error in ((f"AR({p})", ar_error), ("persistence", still_error), ("long-term mean", mean_error)):
    axes[1].plot(range(1, STEPS + 1), rmse(error, 0), "o-", ms=3, label=name)
axes[1].set(title="All forecasts, 1960 to 2008", xlabel="years ahead", ylabel="error (RMSE)", ylim=(0, 145),
            xticks=(1, 3, 6, 9, 12))
axes[1].legend(loc="upper right")
plot.show(figure, alt="Left: the AR forecast made in 1985 follows the next cycle inside a widening band; persistence "
          "stays flat. Right: the AR model's error is below those of persistence and the mean at every distance.")

# %% [markdown]
# **What to conclude.** Ten numbers, fitted by one call to `lstsq`, follow the cycle, beat persistence and the mean at
# every distance, and know how unsure they are: nearly as often as promised, the truth lies inside the band. But look
# at the band's lower edge. It goes below zero, where no sunspot number can be: the model is *linear*, with errors of
# one size at minimum and maximum, and it knows nothing beyond its $p$ last values.

# %% [markdown]
# ## 6 · The hidden Markov model
#
# An AR model remembers the last values as they were. A **hidden Markov model** (HMM) remembers something it never
# sees: a *state* $z_t$, one of $S$. Three tables describe it:
#
# | table | meaning | shape |
# |---|---|---|
# | start | $p(z_1 = i)$ | $(S,)$ |
# | transitions | $p(z_{t+1} = j \mid z_t = i)$: from the row's state to the column's | $(S, S)$ |
# | emissions | $p(x_t \mid z_t = j)$: one row a state, one column for each of $K$ things to be seen | $(S, K)$ |
#
# Example: the weather is *settled* (state 0) or *unsettled* (state 1), and all we write down each day is whether it
# was dry or wet.

# %%
start = np.array([0.5, 0.5])
trans = np.array([[0.9, 0.1],   # settled today: settled again tomorrow with probability 0.9
                  [0.2, 0.8]])
emit = np.array([[0.8, 0.2],    # settled: dry 0.8, wet 0.2
                 [0.3, 0.7]])   # unsettled: dry 0.3, wet 0.7
days = np.array([0, 0, 1, 1, 1, 0])  # dry dry wet wet wet dry
log_emit = np.log(emit[:, days].T)   # (T, S): how likely is what was seen, in each state
print(np.exp(log_emit))

# %% [markdown]
# ### How likely is a sequence? The forward algorithm
#
# The states are unknown, so sum over all of them: $p(x) = \sum_z p(x, z)$. There are $S^T$ sequences of states, too
# many to list, but the sum can be done step by step. Let $\alpha_t(j) = p(x_1, \dots, x_t,\, z_t = j)$. Then,
# writing $p(j \mid i)$ and $p(x_t \mid j)$ for the entries of the tables,
#
# $$\alpha_1(j) = p(z_1 = j)\, p(x_1 \mid j), \qquad
# \alpha_{t+1}(j) = \Bigl(\sum_i \alpha_t(i)\, p(j \mid i)\Bigr)\, p(x_{t+1} \mid j), \qquad
# p(x) = \sum_j \alpha_T(j) .$$
#
# By hand, for *dry dry* above: $\alpha_1 = (0.5 \cdot 0.8,\; 0.5 \cdot 0.3) = (0.40, 0.15)$; arriving in *settled*:
# $0.40 \cdot 0.9 + 0.15 \cdot 0.2 = 0.39$; times 0.8: $\alpha_2(0) = 0.312$.
#
# One thing spoils it on a computer: these products shrink at every step. **Predict first:** after about how many
# days, 100, 1,000 or 10,000, does the product of such probabilities become exactly 0?

# %%
alpha, step = start * emit[:, 0], 1
while alpha.sum() > 0:
    alpha, step = (alpha @ trans) * emit[:, step % 2], step + 1
print(f"alpha is exactly 0 after {step} days")

# %% [markdown]
# So keep **logarithms** throughout. Products become sums. The sum over $i$ becomes
# $\log \sum_i e^{s_i} = s_{\max} + \log \sum_i e^{s_i - s_{\max}}$: the largest term is $e^0 = 1$, so nothing is
# lost. This function is given:

# %%
def logsumexp(a, axis):
    """log of the sum of exp(a) along an axis, without leaving the range of numbers."""
    top = a.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)  # log 0 is minus infinity, and minus infinity minus itself is no number
    with np.errstate(divide="ignore"):
        return np.squeeze(top, axis) + np.log(np.exp(a - top).sum(axis=axis))


print(f"{logsumexp(np.log([0.1, 0.2, 0.3]), axis=0):.6f} = log 0.6 = {np.log(0.6):.6f}")
print(f"{logsumexp(np.array([-1000.0, -1000.0]), axis=0):.6f} = -1000 + log 2")

# %% [markdown]
# **Exercise `seq.hmm_forward`** · ●●●○○ · 15 min · 6 points
#
# Write the recursion for $\alpha$ in logarithms: one row a step.
#
# <details><summary>Hint 1</summary>
# <code>log_alpha[:, None] + log_trans</code> has shape (S, S): entry (i, j) is the log-probability of being in i
# and going to j. Over which axis do you sum to arrive in j?
# </details>
# <details><summary>Hint 2</summary>
# Start with <code>log_start + log_emit[0]</code>; loop over t from 1; collect the rows; stack them.
# </details>
# <details><summary>If you see <code>RuntimeWarning: divide by zero encountered in log</code></summary>
# Somewhere you left the logarithms (<code>np.exp</code>) and came back. What came back was log 0.
# </details>

# %% solution="seq.hmm_forward"
def hmm_forward(log_start, log_trans, log_emit):
    """The forward algorithm, in logarithms.

    log_start: (S,). log_trans: (S, S), from the row's state to the column's.
    log_emit: (T, S), the log-probability of what was seen at step t, in each state.
    Returns log_alpha (T, S) and the log-likelihood of the whole sequence.
    """
    ### BEGIN SOLUTION
    log_alpha = [log_start + log_emit[0]]
    for t in range(1, len(log_emit)):
        arrive = logsumexp(log_alpha[-1][:, None] + log_trans, axis=0)
        log_alpha.append(arrive + log_emit[t])
    return np.stack(log_alpha), logsumexp(log_alpha[-1], axis=0)
    ### END SOLUTION

# %% check="seq.hmm_forward"
check("seq.hmm_forward", hmm_forward)

# %% [markdown]
# Six days and two states make only $2^6 = 64$ sequences: few enough to list. The sum over the list must agree with
# your function.

# %% tags=["demo"]
def log_joint(path):
    """log p(x, z) for one given sequence of states."""
    total = np.log(start[path[0]]) + log_emit[0, path[0]]
    for t in range(1, len(path)):
        total += np.log(trans[path[t - 1], path[t]]) + log_emit[t, path[t]]
    return total

paths = list(itertools.product(range(2), repeat=len(days)))
listed = np.log(sum(np.exp(log_joint(path)) for path in paths))
log_alpha, log_likelihood = map(np.asarray, hmm_forward(np.log(start), np.log(trans), log_emit))
print(f"sum over {len(paths)} sequences {listed:.6f}, forward algorithm {log_likelihood:.6f}")
print("p(settled) after each day:", np.exp(log_alpha[:, 0] - logsumexp(log_alpha, axis=1)).round(2))
assert abs(listed - log_likelihood) < 1e-10

# %% [markdown]
# ### Which states were they? Viterbi decoding
#
# Replace the sum by a maximum: let $\delta_t(j)$ be the log-probability of the best sequence of states that ends in
# $j$ at step $t$. For each $j$ remember which $i$ it came from. At the end take the best last state and follow these
# pointers back.
#
# **Predict first:** on a day whose own observation points to one state, can the best sequence be in the other?

# %% [markdown]
# **Exercise `seq.viterbi`** · ●●●●○ · 18 min · 6 points
#
# <details><summary>Hint 1</summary>
# It is the forward algorithm with <code>max</code> in place of <code>logsumexp</code>, and <code>argmax</code> over
# the same axis for the pointers.
# </details>
# <details><summary>Hint 2</summary>
# The pointers made at step t say where the best way into each state at t came from, at t − 1. Walk through them from
# the last to the first, and turn the path round.
# </details>
# <details><summary>Hint 3</summary>
# Try it on the six days above: there are only 64 sequences, and <code>max(paths, key=log_joint)</code> is the right
# answer.
# </details>

# %% solution="seq.viterbi"
def viterbi(log_start, log_trans, log_emit):
    """The likeliest sequence of states.

    Arguments as for `hmm_forward`. Returns the path, T state numbers, and its log-probability.
    """
    ### BEGIN SOLUTION
    score, back = log_start + log_emit[0], []
    for t in range(1, len(log_emit)):
        candidates = score[:, None] + log_trans
        back.append(candidates.argmax(axis=0))
        score = candidates.max(axis=0) + log_emit[t]
    path = [score.argmax()]
    for pointers in reversed(back):
        path.append(pointers[path[-1]])
    return np.array(path[::-1]), score.max()
    ### END SOLUTION

# %% check="seq.viterbi"
check("seq.viterbi", viterbi)

# %% tags=["demo"]
path, log_prob = viterbi(np.log(start), np.log(trans), log_emit)
best = max(paths, key=log_joint)
print("days            ", " ".join("dry" if d == 0 else "wet" for d in days))
print("each day alone  ", "   ".join(str(i) for i in log_emit.argmax(axis=1)))
print("Viterbi         ", "   ".join(str(i) for i in path))
assert tuple(path) == best and abs(log_prob - log_joint(best)) < 1e-10

# %% [markdown]
# The last day was dry, and taken alone it looks *settled*. In its place in the sequence it is not: one dry day is
# easier to explain by an unsettled spell with a pause than by a change of the weather. Order matters.

# %% [markdown]
# ### Seattle's weather, 2012 to 2015
#
# Real measurements: daily rain in Seattle, in three classes: *dry*, *light* (up to 5 mm) and *heavy*. Nobody wrote
# down a hidden state. The tables can be learned from the observations alone: start with rough ones, compute how
# likely each state is on each day, count transitions and emissions weighted by these probabilities, and repeat
# (Baum and Welch's algorithm, an instance of expectation–maximisation). It needs your forward algorithm, and the
# same thing backwards.

# %% tags=["demo"]
weather = data.load("seattle_weather")
rain = np.digitize(weather["precipitation"], [0.05, 5.0])  # 0 dry, 1 light, 2 heavy
in_year = weather["date"].astype("datetime64[Y]").astype(int) + 1970
print(f"{len(rain)} days: dry {np.mean(rain == 0):.0%}, light {np.mean(rain == 1):.0%}, heavy {np.mean(rain == 2):.0%}")

# %% tags=["demo"]
def learn(seen, S, rounds=50):
    """Baum–Welch: (start, transitions, emissions) of an HMM with S states for observations seen (T,)."""
    start, trans = np.full(S, 1 / S), np.full((S, S), 0.1 / (S - 1))
    np.fill_diagonal(trans, 0.9)
    wetter = np.linspace(0, 1, S)[:, None]
    emit = (1 - wetter) * np.array([0.9, 0.05, 0.05]) + wetter * np.array([0.1, 0.45, 0.45])
    for _ in range(rounds):
        log_trans, log_emit = np.log(trans), np.log(emit[:, seen].T)
        log_alpha, total = map(np.asarray, hmm_forward(np.log(start), log_trans, log_emit))
        log_beta = [np.zeros(S)]
        for e in log_emit[:0:-1]:
            log_beta.append(logsumexp(log_trans + e + log_beta[-1], axis=1))
        log_beta = np.stack(log_beta[::-1])
        state = np.exp(log_alpha + log_beta - total)  # (T, S)
        pairs = log_alpha[:-1, :, None] + log_trans + (log_emit + log_beta)[1:, None, :] - total
        trans = np.exp(pairs).sum(axis=0) + 0.01  # a hundredth of a day: nothing becomes impossible
        emit = np.stack([state[seen == k].sum(axis=0) for k in range(3)], axis=1) + 0.01
        start, trans, emit = state[0] + 0.01, trans / trans.sum(1, keepdims=True), emit / emit.sum(1, keepdims=True)
        start = start / start.sum()
    return start, trans, emit

# %% [markdown]
# Is the hidden state worth anything? Judge each model by how well it predicts a year it has not seen, in *nats a day*
# (mean of $-\log p$, smaller is better), each year in turn. Baselines: every day independent of the others; and a
# plain Markov chain, which remembers yesterday's class and nothing else.

# %% tags=["demo"]
def independent(seen, new):
    p = np.bincount(seen) / len(seen)
    return -np.log(p[new]).mean()

def markov_chain(seen, new):
    counts = np.ones((3, 3))
    np.add.at(counts, (seen[:-1], seen[1:]), 1)
    p = counts / counts.sum(axis=1, keepdims=True)
    first = np.bincount(seen)[new[0]] / len(seen)
    return -(np.log(first) + np.log(p[new[:-1], new[1:]]).sum()) / len(new)

def hidden_markov(seen, new, S=3):
    start, trans, emit = learn(seen, S)
    return -float(hmm_forward(np.log(start), np.log(trans), np.log(emit[:, new].T))[1]) / len(new)

scores = {name: np.array([model(rain[in_year != y], rain[in_year == y]) for y in range(2012, 2016)]) for name, model in
          (("independent days", independent), ("Markov chain", markov_chain), ("HMM, 3 states", hidden_markov))}
for name, score in scores.items():
    print(f"{name:<18}{score.mean():.3f} nats a day   (2012 to 2015: {', '.join(f'{s:.3f}' for s in score)})")
assert scores["HMM, 3 states"].mean() < scores["Markov chain"].mean() - 0.005 < scores["independent days"].mean()

# %% [markdown]
# Now learn from 2012 to 2014 and let Viterbi decode all four years. What do the states turn out to mean?

# %% tags=["demo"]
start3, trans3, emit3 = learn(rain[in_year < 2015], 3)
order = np.argsort(-emit3[:, 0])  # driest state first
start3, trans3, emit3 = start3[order], trans3[np.ix_(order, order)], emit3[order]
states = np.asarray(viterbi(np.log(start3), np.log(trans3), np.log(emit3[:, rain].T))[0])
month = weather["date"].astype("datetime64[M]").astype(int) % 12
summer, winter = (month >= 6) & (month <= 8), (month >= 10) | (month <= 1)
for s, name in enumerate("ABC"):
    print(f"state {name}: dry {emit3[s, 0]:.2f}, light {emit3[s, 1]:.2f}, heavy {emit3[s, 2]:.2f}; "
          f"lasts {1 / (1 - trans3[s, s]):.1f} days; {np.mean(states[summer] == s):.0%} of July to September, "
          f"{np.mean(states[winter] == s):.0%} of November to February")
alone = np.log(emit3[:, rain].T).argmax(axis=1)
changes, flicker = (np.mean(np.diff(z) != 0) * 365 for z in (states, alone))
print(f"changes of state in a year: Viterbi {changes:.0f}, each day on its own {flicker:.0f}")
assert np.mean(states[summer] == 0) > np.mean(states[winter] == 0) + 0.3 and changes < 0.8 * flicker

# %% tags=["demo"]
figure, axes = plt.subplots(4, 1, figsize=(8.4, 4.8), layout="constrained", sharex=True, sharey=True)
colours = ListedColormap(["#f3cf80", "#b5dbf5", "#73add6"])
for ax, y in zip(axes, range(2012, 2016), strict=True):
    day = np.arange((in_year == y).sum())
    ax.imshow(states[in_year == y][None], extent=(-0.5, len(day) - 0.5, 0, 60), aspect="auto", cmap=colours, vmin=0,
              vmax=2, interpolation="nearest")
    ax.bar(day, weather["precipitation"][in_year == y], width=1, color="black")
    ax.set(ylabel=f"{y}\nrain (mm)", xlim=(-0.5, 365.5), ylim=(0, 60))
axes[0].set_title("Decoded weather states (colour) and measured rain (bars); 2015 was not used for learning")
axes[-1].set_xticks(np.arange(0, 366, 30.5), [*"JFMAMJJASOND"], ha="left")
axes[-1].set_xlabel("month")
boxes = [Patch(color=colours(s), label=f"state {'ABC'[s]}") for s in range(3)]
figure.legend(handles=boxes, loc="outside lower center", ncols=3)
plot.show(figure, alt="Four years of daily rain as bars over coloured bands of decoded states. The dry state fills the "
          "summers; the two wet ones alternate from October to April, in spells of several days.")

# %% [markdown]
# **What to conclude.** From rain in three classes, without a calendar, the model found spells of weather: a dry one
# that fills the summers and two wet ones. It predicts unseen years better than a chain that remembers only yesterday,
# if not by much. And Viterbi gives spells, not a flicker, because it weighs each day against its neighbours.

# %% [markdown]
# ## 7 · What they all lack
#
# Ask each model of this lesson one question: *how far back can it look?* For the hidden Markov model, start it in
# two different states, show both copies the same days, and watch how long their beliefs differ (half the sum of the
# absolute differences, called *total variation*: 1 is opposite beliefs, 0 the same). **Predict first:** after how
# many days is the difference below 1 %?

# %% tags=["demo"]
def beliefs(first_state, days):
    """p(state | the days so far) if the state before them was first_state: (days, S)."""
    belief = np.log(trans3[first_state])
    rows = []
    for e in np.log(emit3[:, days].T):
        belief = belief + e
        belief = belief - logsumexp(belief, axis=0)
        rows.append(np.exp(belief))
        belief = logsumexp(belief[:, None] + np.log(trans3), axis=0)
    return np.array(rows)

# %% tags=["demo"]
starts = range(0, len(rain) - 40, 20)
gap = np.mean([np.abs(beliefs(0, rain[d:d + 40]) - beliefs(2, rain[d:d + 40])).sum(axis=1) / 2 for d in starts], axis=0)
gone = int(np.argmax(gap < 0.01)) + 1
factor = (gap[14] / gap[4]) ** 0.1
shifted = spots.copy()
shifted[-p - 1] += 1000  # one value, just outside the last p
change = forecast(shifted, c, a, 1)[0] - forecast(spots, c, a, 1)[0]
print(f"HMM: the first state's trace is below 1% after {gone} days; it shrinks by a factor of {factor:.2f} a day")
print(f"AR({p}): the value {p + 1} years back, changed by 1000, changes the next forecast by {change:.1f}")
assert change == 0 and gone < 40

# %% tags=["demo"]
figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
ax.semilogy(range(1, 16), gap[:15], "o-", ms=3)
ax.axhline(0.01, color="grey", ls="--", label="1%")
ax.set(title="A hidden Markov model forgets where it started", xlabel="days since then",
       ylabel="difference of beliefs\n(total variation)")
ax.legend()
plot.show(figure, alt="On a logarithmic axis the difference between two hidden Markov models that started in different "
          "states falls along a straight line: it shrinks by about the same factor every day.")

# %% [markdown]
# | model | what it remembers | what it cannot do |
# |---|---|---|
# | bag of words | which words, how often | order |
# | n-gram counts, backed off | the last $n$ words, exactly | look further back; see that like is like enjoy |
# | AR(p) | the last $p$ values, linearly | anything older, anything not linear |
# | HMM | one of $S$ states: at most $\log_2 S$ bits | keep much, or keep it long |
#
# The hidden Markov model has the right idea: a **state** that is carried along and updated at each step. What if the
# state were not one of three, but a *vector* of a hundred real numbers, and the update not a table but a function
# with weights, learned for the task at hand,
#
# $$h_t = f(h_{t-1}, x_t) \;?$$
#
# With word vectors for $x_t$, this is a recurrent network. You write one in the next lesson. And keep the straight
# line of the last figure in mind: a memory that fades by a constant factor a day will come back in lesson 03, as the
# vanishing gradient.
#
# ## 8 · A series of your own
#
# **An open question `seq.own`** · 20 min · 4 points
#
# Take a series that *you* care about, with at least 150 values: the river in your town, a share, your steps, the visits
# to a page, births by month. Put it beside this notebook, and in a new cell below do with it what section 5 does with
# the sunspots. Write down **before you look** which order $p$ you expect, and why. Choose $p$ on one part of the series
# and test on a later one. When does AR(p) beat "as the last value", and by how much? Where does it fail, and what does
# it not know?
#
# Hand in, in the next cell: what the series is; what you expected; a table of errors, with units, for your $p$ and two
# baselines, at two distances at least; three or four sentences on what you conclude, and how sure you are. A model that
# loses to "as the last value" is a result: many series are like that.

# %% [markdown] written="seq.own" points=4
# One point each, for any series. (1) The series is named, long enough, and the expectation came before the result.
# (2) Nothing of the test part was used to fit, or to choose p. (3) A table of errors with units at two distances,
# with two baselines (the last value, the mean, the same month of last year, ...). (4) A conclusion that follows from
# the numbers and says how far it reaches: one series, so many test values, what the model cannot know. A lost
# comparison, well shown, earns all four.
