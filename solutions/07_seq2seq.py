# %% [markdown]
# # Sequence to sequence: an encoder and a decoder
#
# **You will build** a network that reads a word letter by letter and then says it, sound by sound: an encoder, a
# decoder, the loss, and two ways to get a word out. At the end you type a name that nobody has ever borne, and it
# tells you how to pronounce it.
#
# **About {minutes} minutes · {points} points · know first:** cells and masks (lessons 02, 04, 05).
#
# Until now an output had as many steps as the input, or one. But *thought* has seven letters and three sounds,
# *fox* three letters and four sounds. Which letter belongs to which sound nobody tells us. The way out (Sutskever
# et al., Cho et al., both 2014): read everything first, keep **one vector** of it, and then write from that vector.
#
# | | meaning | shape |
# |---|---|---|
# | `x`, `mask` | letters (as vectors); True where there is one | `(B, S, D)`, `(B, S)` |
# | `c` | the context: all that the decoder will know of the word | `(B, C)` |
# | `y` | sounds as numbers, 0 for padding; in section 5 as vectors, `(B, T, E)` | `(B, T)` |
# | `V` | how many symbols can be said | |
#
# Three symbols are no sounds: 0 is padding, GO is what the decoder is given first, END is what it says last.

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import numpy as np
import keras
import matplotlib.pyplot as plt
from keras import ops
from unrolled import check, plot
from unrolled.lessons.s2s import state_sizes  # [u] for an RNN or GRU cell, [u, u] for an LSTM cell

# %% [markdown]
# ## 1. What the decoder is given, and what it has to say
#
# A decoder is a recurrent network that is given its own last word. While it learns we do better: we give it the
# *right* last symbol, whatever it would have said. That is **teacher forcing**. So for *walk*, W AO K:
#
# | step | 1 | 2 | 3 | 4 |
# |---|---|---|---|---|
# | it is given | GO | W | AO | K |
# | it has to say | W | AO | K | END |
#
# One row is the other, shifted by one. It looks like nothing. But give it the lower row twice, and it learns in a
# minute to copy what it is given; its loss is wonderful and it cannot say a single word by itself.
#
# **Exercise `s2s.shift_targets`** · ●●○○○ · 10 min · {points} points
#
# Mind the padding: END stands right behind the last sound of each row, wherever that is. (What the *inputs* hold
# where the target is padding does not matter: nothing is counted there.)
#
# <details><summary>Hint 1</summary>
#
# The inputs are a column of GO and then `y`. The targets are `y` and then a column of 0, in which each row's END
# has still to be put.
# </details>
# <details><summary>Hint 2</summary>
#
# `np.sum(y > 0, axis=1)` is each row's length, and so the place of its END. `targets[np.arange(len(y)), lengths]`
# is one place a row.
# </details>
# <details><summary>If you see "index 4 is out of bounds for axis 1 with size 4"</summary>
#
# A full row has no room for END: the targets need T + 1 columns.
# </details>

# %% solution="s2s.shift_targets"
def shift_targets(y, go, end):
    """The decoder's inputs and its targets.

    y: (B, T) symbols, each row followed by 0 as padding; go, end: two more symbols.
    Returns inputs and targets, each (B, T + 1): GO before each row of inputs, END right after each row of targets.
    """
    ### BEGIN SOLUTION
    y = np.asarray(y)
    nothing = np.zeros_like(y[:, :1])
    inputs = np.concatenate([nothing + go, y], axis=1)
    targets = np.concatenate([y, nothing], axis=1)
    lengths = np.sum(y > 0, axis=1)
    targets[np.arange(len(y)), lengths] = end
    return inputs, targets
    ### END SOLUTION

# %% check="s2s.shift_targets"
check("s2s.shift_targets", shift_targets)

# %%
from unrolled.lessons.s2s import with_go_and_end  # shift_targets for the rest of the lesson

# %% [markdown]
# ## 2. A loss that does not count the padding
#
# At each step the decoder gives V scores, and the loss is −log of the probability of the right symbol. Mean over
# what? Words are padded to one length; after END there is nothing to say. Sum up what is there, divide by how much
# is there.
#
# **By hand.** Two rows with losses 1, 2, 3 and 4, –, – (– is padding). The mean is (1 + 2 + 3 + 4) / 4 = **2.5**.
# Divided by all six places it would be 1.67; as a mean of the rows' means, (2 + 4) / 2 = 3. All three train.
# Only one of them means "nats per symbol" (the unit of a natural logarithm; END is a symbol, too).
#
# **Exercise `s2s.masked_loss`** · ●●○○○ · 10 min · {points} points
#
# If a batch holds nothing but padding, the loss is 0.
#
# <details><summary>Hint</summary>
#
# `keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)` gives the loss of each place,
# `(B, T)`. The rest is a sum, a count and `ops.maximum(count, 1)`.
# </details>
# <details><summary>If you see nan or inf</summary>
#
# 0 / 0, if there is nothing to count; or the logarithm of a probability that was rounded to 0. With
# `from_logits=True` Keras never takes that logarithm.
# </details>

# %% solution="s2s.masked_loss"
def masked_loss(targets, logits):
    """Mean cross-entropy in nats over the targets that are not padding; 0 if all are.

    targets: (B, T) symbols, 0 for padding. logits: (B, T, V) scores, before any softmax. Returns a number.
    """
    ### BEGIN SOLUTION
    each = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    counts = ops.cast(ops.not_equal(targets, 0), each.dtype)
    return ops.sum(each * counts) / ops.maximum(ops.sum(counts), 1)
    ### END SOLUTION

# %% check="s2s.masked_loss"
check("s2s.masked_loss", masked_loss)

# %% [markdown]
# ### The noise test
#
# How do you find out whether your decoder is shown something it should not see? Give it **nothing to learn**: a
# target of random symbols, eight of them, each as likely as the next. The best anybody can honestly do is to say
# "one in eight" every time, a loss of ln 8 = 2.08. *Whoever beats ln 8 here is cheating.*
#
# **Predict first.** Three decoders on random targets: one with the shift; one without; one shifted to the wrong
# side, so that it sees the symbol *after* the one it has to say. What will their losses on fresh noise be?

# %% tags=["demo"]
from unrolled.lessons.s2s import GO, Pair, loss_per_symbol, train

rng = np.random.default_rng(7)
def noise(rows=2000, T=5):
    """Letters that say nothing, and targets of eight symbols at random."""
    return rng.integers(1, 27, (rows, 4)).astype("int32"), rng.integers(3, 11, (rows, T)).astype("int32")

def given(y, how):
    column = np.zeros((len(y), 1), "int32")
    return {"shifted": np.hstack([column + GO, y[:, :-1]]), "not shifted": y,
            "shifted the wrong way": np.hstack([y[:, 1:], column])}[how]

# %% tags=["demo"] tolerance=0.1
keras.utils.set_random_seed(7)
model = Pair(keras.layers.SimpleRNN(16), keras.layers.GRUCell(48), embed=16)
(x, y), (x_new, y_new) = noise(), noise(500)
model([x[:2], y[:2]])
untrained, noise_loss = model.get_weights(), {}
for how in ("shifted", "not shifted", "shifted the wrong way"):
    model.set_weights(untrained)
    train(model, x, given(y, how), y, epochs=3, rate=0.015, batch=50)
    noise_loss[how] = float(loss_per_symbol(y_new, model([x_new, given(y_new, how)])))
    print(f"{how:<22} loss on fresh noise {noise_loss[how]:.2f} nats; ln 8 = {np.log(8):.2f}")
assert noise_loss["shifted"] > np.log(8) - 0.02 and noise_loss["not shifted"] < 0.1
assert noise_loss["shifted the wrong way"] < 1

# %% [markdown]
# The honest one does not beat ln 8. The second copies. The third is the interesting one: at step t it sees symbol
# t + 1, keeps it in its state, and says it one step later. Only the first symbol and nothing else is still a
# guess: that would be ln 8 / 5 = 0.42. **Do this test with every decoder you ever write.** It needs a minute, and
# it finds leaks that no shape and no accuracy shows: masks the wrong way round, targets in the inputs, a reader of
# both directions where there must be only one.

# %% [markdown]
# ## 3. The encoder
#
# Any cell will do. It reads the letters; what we want is not its outputs but its **states after the last letter**:
# h for an RNN or a GRU, h *and* c for an LSTM. A short word in a padded batch has its last letter earlier. So at
# padding every state stays as it was.
#
# **Exercise `s2s.encoder`** · ●●●○○ · 20 min · {points} points
#
# Write the loop. A Keras cell takes `(x_t, states)` and returns `output, new_states`; `states` is a list.
# `state_sizes(cell)`, imported above, is the list of their widths.
#
# <details><summary>Hint 1</summary>
#
# `for t in range(x.shape[1])`, and inside `_, new = cell(x[:, t], states)`.
# </details>
# <details><summary>Hint 2</summary>
#
# `ops.where(mask[:, t:t + 1], n, old)` for each pair of new and old state. `mask[:, t]` has shape `(B,)` and would
# be laid along the units; `t:t + 1` keeps the axis.
# </details>

# %% solution="s2s.encoder"
def encode(cell, x, mask=None, states=None):
    """The final states of a cell after it has read x.

    cell: a Keras cell: `output, states = cell(x_t, states)`. x: (B, S, D). mask: (B, S), True where a letter is, or
    None. states: list of the first states, each (B, u); None means zeros. Returns the list of final states.
    """
    ### BEGIN SOLUTION
    if states is None:
        states = [ops.zeros((x.shape[0], size)) for size in state_sizes(cell)]
    for t in range(x.shape[1]):
        _, new = cell(x[:, t], states)
        if mask is not None:
            new = [ops.where(mask[:, t:t + 1], n, old) for n, old in zip(new, states, strict=True)]
        states = new
    return states
    ### END SOLUTION

# %% check="s2s.encoder"
check("s2s.encoder", encode)

# %% [markdown]
# ## 4. One step of the decoder
#
# Now the other half, one step of it. The symbol that was just said becomes a vector (a row of `embedding`); the
# cell makes new states of it; scores are read from its output h:
#
# $$h_t, \text{states}_t = \text{cell}([e(y_{t-1});\; c],\ \text{states}_{t-1}) \qquad \text{logits}_t = h_t W + b$$
#
# The context c (not the cell state of an LSTM, which is also called c) can come in at two places. **At the start
# only** (Sutskever): c makes the first states, and the step has to carry it along. **At every step** (Cho): c makes
# the first states as well, and stands behind each input. In section 7 we measure which is better.
#
# **Exercise `s2s.decoder_step`** · ●●○○○ · 10 min · {points} points
#
# <details><summary>Hint</summary>
#
# `ops.take(embedding, y, axis=0)`, then, if there is a context, `ops.concatenate([…, context], axis=-1)`.
# </details>
# <details><summary>If you see "Matrix size-incompatible"</summary>
#
# The cell was built for the embedding *with* the context behind it. Print the shape of what you give it.
# </details>

# %% solution="s2s.decoder_step"
def decoder_step(cell, y, states, embedding, readout, bias, context=None):
    """One step of a decoder.

    cell: a Keras cell: `h, states = cell(input, states)`. y: (B,) symbols just said. states: list of (B, u).
    embedding: (V, E). readout: (u, V) and bias: (V,) make scores of h. context: (B, C) or None.
    Returns logits (B, V) and the list of new states.
    """
    ### BEGIN SOLUTION
    x = ops.take(embedding, y, axis=0)
    if context is not None:
        x = ops.concatenate([x, context], axis=-1)
    h, states = cell(x, states)
    return ops.matmul(h, readout) + bias, states
    ### END SOLUTION

# %% check="s2s.decoder_step"
check("s2s.decoder_step", decoder_step)

# %% [markdown]
# ## 5. Any encoder with any decoder
#
# An encoder is anything that makes `(B, C)` of `(B, S, D)` and a mask. A decoder is any cell. Between them stands a
# **bridge**: one small layer for each state of the cell, `tanh(c W + b)`, which turns c into a first state of the
# right width. So every encoder fits every cell, whether it has one state or two, and nobody needs to know about the
# other.
#
# **Exercise `s2s.mix_and_match`** · ●●●●○ · 20 min · {points} points
#
# `__init__` is given; write `call`. While training all of `y` is known, so `self.decoder`, a
# `keras.layers.RNN`, can run over all steps at once: `self.decoder(inputs, initial_state=states)`.
#
# <details><summary>Hint 1</summary>
#
# Four lines: the context from `self.encoder`, the states from `self.bridges`, perhaps the context behind `y`, and
# the readout of what the decoder returns.
# </details>
# <details><summary>Hint 2</summary>
#
# c is `(B, C)` and has to stand behind each of the T inputs: `ops.repeat(ops.expand_dims(c, 1), T, axis=1)`.
# </details>

# %% solution="s2s.mix_and_match"
class Seq2Seq(keras.layers.Layer):
    """Any encoder with any decoder cell.

    encoder: a layer, `encoder(x, mask=mask)` -> context (B, C). cell: a Keras cell. symbols: how many can be said.
    feed: "start": c only makes the first states; "every": it also stands behind each decoder input.
    """

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
        """x: (B, S, D) letters; y: (B, T, E), what the decoder is given; mask: (B, S). Returns (B, T, symbols)."""
        ### BEGIN SOLUTION
        c = self.encoder(x, mask=mask)
        states = [bridge(c) for bridge in self.bridges]
        if self.feed == "every":
            again = ops.repeat(ops.expand_dims(c, 1), ops.shape(y)[1], axis=1)
            y = ops.concatenate([y, again], axis=-1)
        return self.readout(self.decoder(y, initial_state=states))
        ### END SOLUTION

# %% check="s2s.mix_and_match"
check("s2s.mix_and_match", Seq2Seq)

# %% [markdown]
# ## 6. How wrong is a word?
#
# The dictionary says W AO K, the network says W AA K S. The **edit distance** is the least number of insertions,
# deletions and substitutions that turn one into the other: here 2. The **phoneme error rate** (PER) is the
# sum of all words' edits over the sum of all right lengths; the **word error rate** (WER) is the share of words
# with any edit at all. Note that PER can exceed 1: whoever talks too much makes more errors than there are sounds.
#
# **Exercise `s2s.error_rate`** · ●●●○○ · 15 min · {points} points
#
# <details><summary>Hint 1</summary>
#
# Let d(i, j) be the distance between the first i symbols of one row and the first j of the other. d(0, j) = j,
# d(i, 0) = i, and d(i, j) is the least of d(i − 1, j) + 1, d(i, j − 1) + 1, and d(i − 1, j − 1) plus 1 if the two
# symbols differ.
# </details>
# <details><summary>Hint 2</summary>
#
# Add up edits and lengths over *all* words before you divide once.
# </details>

# %% solution="s2s.error_rate"
def error_rate(said, truth):
    """Phoneme error rate and word error rate.

    said, truth: lists of words, each a list of symbols, in the same order. Returns (edits / symbols of the truth,
    wrong words / words).
    """
    ### BEGIN SOLUTION
    def edits(a, b):
        row = list(range(len(b) + 1))
        for i, x in enumerate(a, 1):
            diagonal, row[0] = row[0], i
            for j, y in enumerate(b, 1):
                diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
        return row[-1]

    counts = [edits(a, b) for a, b in zip(said, truth, strict=True)]
    return sum(counts) / sum(map(len, truth)), sum(n > 0 for n in counts) / len(truth)
    ### END SOLUTION

# %% check="s2s.error_rate"
check("s2s.error_rate", error_rate)

# %% [markdown]
# ## 7. Real words: which encoder, which decoder, and where does c go?
#
# The CMU dictionary again: words and their sounds, without the stress. One thing is different from lesson 05. If
# *walked* is in training and *walking* in the test, half of the test is memory. Here whole **families** are kept
# together: walk, walks, walking are all in training or all held out.

# %% tags=["demo"]
from unrolled.data.cmudict import by_family
from unrolled.lessons.s2s import END, ConvEncoder, follow, in_words, letters, sounds

words = by_family()
print({split: len(rows) for split, rows in words.items()})

# %% tags=["demo"]
def arrays(rows, backwards=False):
    """Letters, decoder inputs and targets of (word, sounds) rows."""
    spelt, said = zip(*rows, strict=True)
    return letters([w[::-1] if backwards else w for w in spelt]), *with_go_and_end(sounds(said))

def edits(a, b):
    row = list(range(len(b) + 1))
    for i, p in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, q in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (p != q))
    return row[-1]

def symbols(table):
    return [[int(i) for i in row if i not in (0, GO, END)] for row in table]

# %% tags=["demo"]
def score(model, rows, backwards=False):
    """PER and WER of what the model says by itself, and the edits of each word."""
    x, _, y = arrays(rows, backwards)
    truth = symbols(y)
    wrong = np.array([edits(a, b) for a, b in zip(symbols(follow(*model.stepper(x))), truth, strict=True)])
    return wrong.sum() / sum(map(len, truth)), (wrong > 0).mean(), wrong

short = {split: [(w, s) for w, s in rows if max(len(w), len(s)) <= 6] for split, rows in words.items()}
print("words of at most 6 letters and 6 sounds:", {split: len(rows) for split, rows in short.items()})

# %% [markdown]
# First a quick race: the same short words, the same four rounds through them, 64 units each. That is far too
# little to get good; it shows who learns *fast*. **Predict first:** which pair wins? And what does it matter where c
# goes in: GRU–GRU runs with both.

# %% tags=["demo"]
layers, u = keras.layers, 64
ENCODERS = {"CNN": lambda: ConvEncoder(u), "RNN": lambda: layers.SimpleRNN(u), "GRU": lambda: layers.GRU(u),
            "Bi-RNN": lambda: layers.Bidirectional(layers.SimpleRNN(u // 2)), "LSTM": lambda: layers.LSTM(u)}
CELLS = {"RNN": layers.SimpleRNNCell, "GRU": layers.GRUCell, "LSTM": layers.LSTMCell}
RACE = [("CNN", "GRU", "every"), ("RNN", "RNN", "every"), ("Bi-RNN", "GRU", "every"), ("CNN", "RNN", "every"),
        ("LSTM", "LSTM", "every"), ("GRU", "GRU", "every"), ("GRU", "GRU", "start")]

# %% tags=["demo"] tolerance=0.12
def run(encoder, decoder, feed):
    """One runner: trained and scored, a line in the table."""
    keras.utils.set_random_seed(1)
    racer = Pair(ENCODERS[encoder](), CELLS[decoder](u), feed)
    train(racer, *arrays(short["train"]), epochs=4, rate=1.2e-2, batch=256)
    per, wer, _ = score(racer, short["test"])
    print(f"{encoder:<8} {decoder:<8} {feed:<8} {racer.count_params():>7,}   {per:.2f}   {wer:.2f}")
    return per

print("encoder  decoder  c         weights   PER    WER")
rates = {pair: run(*pair) for pair in RACE[:4]}

# %% tags=["demo"] tolerance=0.12
rates |= {pair: run(*pair) for pair in RACE[4:]}
assert rates["GRU", "GRU", "every"] < rates["GRU", "GRU", "start"] - 0.05

# %% tags=["demo"]
figure, axis = plt.subplots(figsize=(6.4, 3.2))
order = sorted(rates, key=rates.get, reverse=True)
for i, pair in enumerate(order):
    axis.barh(i, rates[pair], color=plot.COLOURS[pair[2] == "start"])
    axis.text(rates[pair] + 0.01, i, f"{rates[pair]:.2f}", va="center")
axis.set(title="A short race: the same words, four rounds, 64 units", xlim=(0, 1), yticks=range(len(order)),
         yticklabels=[f"{e} → {d}" for e, d, _ in order],
         xlabel="phoneme error rate on held-out words (lower is better)")
axis.legend(handles=[plt.Rectangle((0, 0), 1, 1, color=plot.COLOURS[k]) for k in (0, 1)],
            labels=["c at every step", "c at the start only"], loc="upper right", bbox_to_anchor=(1.02, 1.02))
plot.show(figure, alt="Bars of the phoneme error rate of seven runs, six pairs of encoder and decoder, after a short "
                      "training. GRU to GRU with the context at every step is far below the same pair with the "
                      "context at the start only.")

# %% [markdown]
# Look at the two lines of GRU → GRU: the same pair, the same words, and c at another place. A state that has to
# carry the whole word through every step, and keep track of how far it has come, learns slowly. With c before its
# eyes it only has to keep track. (One seed each: a few hundredths between two pairs say little.)
#
# ## 8. A better one, and what it costs to remember everything in one vector
#
# Now one pair for longer: GRU–GRU, c at every step, 96 units, all words up to twelve letters.

# %% tags=["demo"]
keras.utils.set_random_seed(2)
speaker = Pair(keras.layers.GRU(96), keras.layers.GRUCell(96), "every")
losses = train(speaker, *arrays(words["train"]), epochs=5, rate=8e-3)
assert losses[-1] < 0.75
print(f"{speaker.count_params():,} weights; the loss fell in each round:", bool(np.all(np.diff(losses) < 0)))

# %% tags=["demo"] tolerance=0.03
per, wer, wrong = score(speaker, words["test"])
print(f"held-out families: PER {per:.3f}, WER {wer:.3f}")
per_train, wer_train, _ = score(speaker, words["train"][::9])
print(f"every ninth word of training: PER {per_train:.3f}, WER {wer_train:.3f}")
assert per < 0.36 and per_train < per

# %% [markdown]
# Published systems get about one word in four or five wrong (WER 24.4 % for Phonetisaurus, 20.6 % for a
# Transformer, as the readme of cmusphinx/g2p-seq2seq reports). They are bigger, they have read all 120,000 words,
# many times, and their test is another one. Ours has had five rounds through 18,000 words; what it does better on
# those is memory.
#
# **Predict first.** The context has 96 numbers, for a word of four letters and for one of twelve. How does the
# error grow with length?

# %% tags=["demo"] tolerance=0.05
size = np.array([len(w) for w, _ in words["test"]])
said_length = np.array([len(s) for _, s in words["test"]])
lengths = np.arange(4, 13)
by_length = [wrong[size == n].sum() / said_length[size == n].sum() for n in lengths]
figure, axis = plt.subplots()
axis.plot(lengths, by_length, "o-")
axis.set(title="One vector for every word: the longer, the worse", xlabel="letters in the word",
         ylabel="phoneme error rate", ylim=(0, None))
plot.show(figure, alt="The phoneme error rate on held-out words rises steadily with the number of letters, to more "
                      "than twice its value from words of four letters to words of twelve.")
print("letters          ", "  ".join(f"{n:>4}" for n in lengths))
print("phoneme error rate", "  ".join(f"{rate:.2f}" for rate in by_length))
assert np.mean(by_length[-3:]) > 1.5 * np.mean(by_length[:3])

# %% [markdown]
# This is the **bottleneck**, in our own measurement. Careful with the reason: long words may also be harder in
# themselves, or rarer in training. A second look tells more. If the vector runs full, the errors should not lie
# everywhere in a long word alike.

# %% tags=["demo"] tolerance=0.05
x, y_in, y_out = arrays(words["test"])
forced = np.argmax(speaker([x, y_in]), axis=-1)          # the right last sound is given at every step
long_ones = said_length >= 8
place = (forced[long_ones] == y_out[long_ones])[:, :8].mean(axis=0)
figure, axis = plt.subplots()
axis.bar(range(1, 9), 1 - place)
axis.set(title="Where the errors lie in words of eight sounds and more", xlabel="place of the sound",
         ylabel="share that is wrong, right past given", ylim=(0, None))
plot.show(figure, alt="Share of wrong sounds by place in words of eight or more sounds, the right past given: the "
                      "first sounds are nearly always right, those in the middle and later are often wrong.")
print("wrong by place:", "  ".join(f"{1 - p:.2f}" for p in place))
assert np.mean(1 - place[4:]) > 2 * (1 - place[0])

# %% [markdown]
# The decoder had the right past at every step, so these are not mistakes that follow from mistakes. The vector
# knows best how a long word begins; the middle is worst, the end lies in between (endings like *-ing* and *-tion* are
# easy). Lesson 08 lets the decoder look at the letters again.
#
# ### Turned round
#
# Sutskever et al. fed their encoder the sentence **backwards**, and the loss fell (perplexity 5.8 → 4.7 in their
# paper): then the first letter is read last and lies fresh in the state when the first sound is due. Does it help
# here? The last runner of the race again, from the same first weights, with the letters turned round.

# %% tags=["demo"] tolerance=0.12
keras.utils.set_random_seed(1)
racer = Pair(ENCODERS["GRU"](), CELLS["GRU"](u), "start")
train(racer, *arrays(short["train"], backwards=True), epochs=4, rate=1.2e-2, batch=256)
turned = score(racer, short["test"], backwards=True)[0]
print(f"c at the start only: read forwards PER {rates['GRU', 'GRU', 'start']:.2f}, read backwards PER {turned:.2f}")
assert turned < rates["GRU", "GRU", "start"] - 0.03

# %% [markdown]
# It does: whoever has to carry the word along in its state is better off if the beginning, which is due first, was
# read last. (One seed each, and far from trained.)
#
# ## 9. Getting a word out: greedy
#
# While learning, the decoder was given the right last sound. Alone, it is given what it has just said. The simplest
# way: always say the likeliest, until END.
#
# **Exercise `s2s.greedy`** · ●●○○○ · 15 min · {points} points
#
# The decoder comes to you as a function, `logits, states = step(y, states)`; you need not know what is inside. A
# whole batch goes at once, and the words end at different times.
#
# <details><summary>Hint</summary>
#
# Keep an array `on` of B truths: which rows have not ended yet. A row that has ended stays ended, whatever the
# decoder says after its END.
# </details>

# %% solution="s2s.greedy"
def greedy(step, states, go, end, longest):
    """Say the likeliest symbol, give it to the decoder, and so on.

    step: a function, `logits, states = step(y, states)`, with y (B,) and logits (B, V). states: a list of arrays with
    B rows. go, end: symbols. Returns (B, longest) symbols, with 0 from the place where a row says END.
    """
    ### BEGIN SOLUTION
    B = len(states[0])
    y, on = np.full(B, go), np.ones(B, bool)
    said = np.zeros((B, longest), int)
    for t in range(longest):
        logits, states = step(y, states)
        y = np.argmax(logits, axis=-1)
        on = on & (y != end)
        said[:, t] = np.where(on, y, 0)
    return said
    ### END SOLUTION

# %% check="s2s.greedy"
check("s2s.greedy", greedy)

# %% [markdown]
# ### Exposure bias
#
# Here is a weakness of teacher forcing. The decoder has never seen its own mistakes. What happens after one? We
# make one for it: in held-out words the third thing it is given is a *wrong* sound. **Predict first.** It does not
# have to repair anything, only to go on with the rest of the word. How many of the following sounds are still right?

# %% tags=["demo"] tolerance=0.04
disturbed = y_in.copy()
rng = np.random.default_rng(9)
disturbed[:, 2] = np.where(y_in[:, 2] > 0, rng.integers(3, 42, len(y_in)), 0)
long_enough = said_length >= 6
right = {}
for name, inputs in {"right past": y_in, "one wrong sound": disturbed}.items():
    out = np.argmax(speaker([x, inputs]), axis=-1)
    right[name] = (out == y_out)[long_enough, :7].mean(axis=0)
    print(f"{name:<16}", "  ".join(f"{share:.2f}" for share in right[name]))
assert right["one wrong sound"][2] < right["right past"][2] - 0.1

# %% tags=["demo"]
figure, axis = plt.subplots()
for (name, shares), style in zip(right.items(), ("o-", "s--"), strict=True):
    axis.plot(range(1, 8), shares, style, label=name)
axis.axvline(3, color="grey", lw=0.8, ls=":")
axis.set(title="One wrong sound is given at step 3", xlabel="step", ylabel="share of sounds that are right",
         ylim=(0, 1))
axis.legend(loc="lower left")
plot.show(figure, alt="Share of right sounds by step. With one wrong sound given at step 3 the share falls at that "
                      "step and is still lower at the steps after it.")

# %% [markdown]
# At step 3 it is given nonsense and says nonsense: no wonder. But the steps behind suffer, too, although they are
# given the right past again: the state has heard something that never happened while it learnt. That is **exposure
# bias**.
#
# ## 10. Beam search
#
# Greedy decoding never takes a decision back. **Beam search** keeps several beginnings, *hypotheses*, in play. The
# score of a hypothesis is the sum of its log-probabilities. At each step:
#
# 1. extend every hypothesis that still goes on by every symbol;
# 2. keep the `width` best of *all* these extensions;
# 3. those that end in END are finished and put aside; the others go on, each with **its own** states.
#
# At the end (nothing goes on, or `longest` steps are done) the best of all, finished or not, wins. But best by what?
# Every symbol makes the sum smaller, so short words would win. So divide by length: score = sum / lengthᵅ, with END
# counted in the length.
#
# **By hand.** α = 1. A: two symbols with log-probabilities −0.5 and −0.9, sum −1.4, score **−0.70**. B: three
# symbols, −0.5 each, sum −1.5, score **−0.50**. Without the division A wins, with it B.
#
# **Exercise `s2s.beam`** · ●●●●○ · 30 min · {points} points
#
# One word at a time: `states` are arrays with one row.
#
# <details><summary>Hint 1</summary>
#
# A hypothesis is a triple: sum, list of symbols, states. Begin with `[(0.0, [], states)]`.
# </details>
# <details><summary>Hint 2</summary>
#
# Collect all extensions in one list, sort it, cut it. Each extension takes along the states that *its* parent's step
# returned.
# </details>
# <details><summary>Hint 3</summary>
#
# `ops.log_softmax(logits)` turns scores into log-probabilities. Divide by lengthᵅ only at the end: within one step
# all have the same length.
# </details>

# %% solution="s2s.beam"
def beam_search(step, states, go, end, width, longest, alpha):
    """The best of the hypotheses that a beam finds for one word, and its score.

    step, go, end: as in `greedy`; states: arrays with one row. width: extensions that are kept at each step.
    Score of a hypothesis: sum of its log-probabilities / length ** alpha; END counts in the length.
    Returns the symbols without END (a list), and the score.
    """
    ### BEGIN SOLUTION
    live, finished = [(0.0, [], states)], []
    for _ in range(longest):
        extensions = []
        for total, ids, states in live:
            logits, new = step(np.array([ids[-1] if ids else go]), states)
            logp = np.asarray(ops.log_softmax(logits))[0]
            extensions += [(total + p, [*ids, v], new) for v, p in enumerate(logp)]
        extensions.sort(key=lambda e: e[0], reverse=True)
        kept = extensions[:width]
        finished += [e for e in kept if e[1][-1] == end]
        live = [e for e in kept if e[1][-1] != end]

    def score(hypothesis):
        return hypothesis[0] / len(hypothesis[1]) ** alpha

    best = max(finished + live, key=score)
    return [v for v in best[1] if v != end], score(best)
    ### END SOLUTION

# %% check="s2s.beam"
check("s2s.beam", beam_search)

# %% [markdown]
# ### Does it find the best there is?
#
# On a tiny vocabulary we can try *everything*: three symbols, four steps, every sequence that exists. The best of
# them is the truth, and a beam can be measured against it. (`toy` makes a small random decoder.)

# %% tags=["demo"]
from itertools import product
from unrolled.probes.toy import decoder as toy

def exhaustive(step, states, go, end, longest, alpha, symbols):
    """The best of all sequences: each is scored symbol by symbol."""
    best = (-np.inf, [])
    ways = [[*w, end] for n in range(longest) for w in product(symbols, repeat=n)] + list(
        map(list, product(symbols, repeat=longest)))
    for way in ways:
        total, y, now = 0.0, go, states
        for symbol in way:
            logits, now = step(np.array([y]), now)
            total, y = total + logits[0, symbol] - np.logaddexp.reduce(logits[0]), symbol
        best = max(best, (total / len(way) ** alpha, [s for s in way if s != end]))
    return best

# %% tags=["demo"]
def tiny_decoder(seed, V=5, n=6):
    rng = np.random.default_rng(seed)
    drift = np.array([-20.0, -20.0, 0.3, 0.0, 0.0])      # 0 and GO are never said; END becomes likelier
    step = toy({"A": rng.normal(size=(n, n)) * 0.5, "embedding": rng.normal(size=(V, n)),
                "readout": rng.normal(size=(n, V)) * 0.7, "drift": drift})
    return step, [rng.uniform(-1, 1, (1, n)), np.zeros((1, 1))]

from unrolled.lessons.s2s import search

found = {width: 0 for width in (1, 2, 3, 5, 100)}
for seed in range(100):
    step, states = tiny_decoder(seed)
    best, _ = exhaustive(step, states, 1, 2, 4, 0.7, (3, 4))
    for width in found:
        found[width] += bool(np.isclose(search(step, states, 1, 2, width, 4, 0.7)[1], best))
print("beam width:", "  ".join(f"{w:>4}" for w in found))
print("best found:", "  ".join(f"{n:>3}%" for n in found.values()))
assert found[100] == 100 and found[1] < found[3]

# %% [markdown]
# With room for all, the beam *is* the exhaustive search; a small beam finds the best nearly always, at a
# fraction of the price. (`search` is a finished `beam_search`.)
#
# ### A beam, drawn
#
# Now our speaker and a word it has never read. Each node is a sound; thicker lines lead to the winner.

# %% tags=["demo"]
from unrolled.lessons.s2s import SOUNDS, beam_tree

def draw_beam(word, width=3, alpha=0.7):
    step, states = speaker.stepper(letters([word]))
    nodes = beam_tree(step, states, width, longest=len(word) + 1)
    steps, row = {}, {}
    for k, node in enumerate(nodes):
        row[k] = steps[node["t"]] = steps.get(node["t"], 0) + 1
    ends = [k for k, node in enumerate(nodes) if node["sound"] == END]
    winner, path = max(ends, key=lambda k: nodes[k]["total"] / nodes[k]["t"] ** alpha), set()
    while winner is not None:
        path.add(winner)
        winner = nodes[winner]["parent"]
    return nodes, row, path

# %% tags=["demo"]
def show_beam(word, nodes, row, path):
    figure, axis = plt.subplots(figsize=(8, 3))
    for k, node in enumerate(nodes):
        t0, r0 = (0, 2) if node["parent"] is None else (nodes[node["parent"]]["t"], row[node["parent"]])
        axis.plot([t0, node["t"]], [-r0, -row[k]], color=plot.COLOURS[k in path], lw=2.5 if k in path else 0.8,
                  zorder=1)
        label = "END" if node["sound"] == END else SOUNDS[node["sound"]]
        axis.text(node["t"], -row[k], f"{label}\n{node['total']:.1f}", ha="center", va="center", fontsize=8,
                  bbox={"boxstyle": "round,pad=0.25", "fc": "white", "ec": plot.COLOURS[k in path]})
    axis.text(0, -2, "GO", ha="center", va="center", fontsize=8, bbox={"boxstyle": "round", "fc": "white"})
    axis.set(title=f"Beam of width 3 over “{word}”; numbers: sum of log-probabilities", xlabel="step", yticks=[],
             ylim=(-3.6, -0.4))
    axis.spines["left"].set_visible(False)
    plot.show(figure, alt=f"A tree that grows from GO to the right: at each step the three best beginnings of how to "
                          f"say {word}, with their sums of log-probabilities; the winner's path is thick.")

# %% tags=["demo", "nbval-ignore-output"]
nodes, row, path = draw_beam("mortice")
show_beam("mortice", nodes, row, path)
assert max(row.values()) == 3 and any(nodes[k]["sound"] == END for k in path)

# %% [markdown]
# ### Is it worth it?
#
# **Predict first.** 120 held-out words, greedy against beams, with and without the division by length. How many
# phoneme errors fewer does a beam make?

# %% tags=["demo"] tolerance=0.05
some = words["test"][::18]
truth = symbols(arrays(some)[2])
ways = {"greedy": (1, 0.0), "beam of 4, α = 0": (4, 0.0), "beam of 4, α = 1": (4, 1.0)}
beam_rates = {}
step, states = speaker.stepper(letters([w for w, _ in some]))
for name, (width, alpha) in ways.items():
    said = [search(step, [s[[i]] for s in states], GO, END, width, 16, alpha)[0] for i in range(len(some))]
    beam_rates[name] = sum(map(edits, said, truth)) / sum(map(len, truth))
    print(f"{name:<18} PER {beam_rates[name]:.3f}, sounds a word {np.mean([len(s) for s in said]):.2f}")
print(f"right sounds a word {np.mean([len(s) for s in truth]):.2f}, {len(some)} words")
assert max(beam_rates.values()) - min(beam_rates.values()) < 0.06

# %% [markdown]
# Less than one might hope: about one error in fifteen fewer, for four times the work. When we had trained the same
# pair a little less, a beam made as many errors as greedy. Dividing by length lengthens what is said a
# little; that helps where words come out too short. A beam finds what the *model* thinks likely; it cannot be
# better than the model.
#
# ## 11. Your turn: name it
#
# Type any name, real or not: your own, a planet's, a dragon's. Each line is a name, and what a beam of four says of it.

# %% tags=["demo", "nbval-ignore-output"]
from unrolled.lessons.s2s import respelt

names = ["zorvana", "blixley", "quandor", "mirabelle", "drogath", "thistlebee"]      # type yours here
for name in names:
    said = search(*speaker.stepper(letters([name])), GO, END, 4, 16, 0.7)[0]
    print(f"{name:<12} {in_words(said):<32} {respelt(said)}")
    assert 3 <= len(said) <= 14

# %% [markdown]
# Not one of these is in any dictionary. What it says, right or funny, it has worked out from other words.
#
# ## 12. Think
#
# **`s2s.why`** · 10 min · 3 points, graded by hand. A friend's sequence-to-sequence network has a training loss of
# 0.02 and a validation loss of 0.03 after two epochs, and writes nonsense when it is used. Name two causes from
# this lesson that fit
# *all* of this, and for each the one experiment that would prove it.

# %% [markdown] written="s2s.why" points=3
# The decoder sees its target: inputs not shifted, or shifted the wrong way. Then both losses are tiny, because
# copying works on new words, too; used alone it has nothing to copy. Proof: the noise test; a loss below ln V on
# random targets. Or the decoding differs from the training: states not carried from step to step, or the loop
# begins with another symbol than GO. Proof: run the loop but give it the right last symbol each time; its scores
# must equal those of the training pass. (Padding that is counted also makes both losses small, but then the loss
# without padding is not small: print it per real symbol.)

# %% [markdown]
# ## What to remember
#
# - One vector between two networks: any encoder, any decoder, a bridge in between.
# - Teacher forcing is a shift by one. The **noise test** proves that it is one.
# - Count symbols, not places: in the loss and in the error rate.
# - The context at every step makes learning much faster; the bottleneck stays.
# - Greedy never takes anything back; a beam keeps several ways open, each with its own states. Divide by length.
#
# **Next:** lesson 08 keeps all the encoder's states and lets the decoder look back.
#
# *Sources.* Sutskever, Vinyals and Le 2014, "Sequence to Sequence Learning with Neural Networks" (reversal, beam);
# Cho et al. 2014, "Learning Phrase Representations using RNN Encoder–Decoder" (context at every step). Words:
# CMUdict.
