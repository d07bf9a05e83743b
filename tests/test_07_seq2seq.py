"""Lesson 07, sequence to sequence: oracle = solution = Keras's own layers; families kept together; beams and leaks."""

from __future__ import annotations

from itertools import product

import keras
import numpy as np
import pytest

from autograde.judging.oracles import s2s as oracle
from tests.classroom import classroom
from unrolled import data
from unrolled.data.cmudict import ENDINGS, by_family, families
from unrolled.lessons import s2s
from unrolled.probes.toy import decoder as toy

LESSON = "07_seq2seq"
CELLS = {"rnn": keras.layers.SimpleRNNCell, "gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell}


@pytest.fixture(scope="module")
def names():
    return classroom(LESSON).names


@pytest.fixture(scope="module")
def splits():
    return by_family()


def test_walk_and_its_family_stay_together():
    family = families(["walk", "walks", "walked", "walking", "walkers", "talk", "bake", "baker", "baking", "deny",
                       "denied", "stop", "stopped", "stops", "photograph", "photographic"])
    for relatives in (("walk", "walks", "walked", "walking", "walkers"), ("bake", "baker", "baking"),
                      ("deny", "denied"), ("stop", "stopped", "stops"), ("photograph", "photographic")):
        assert len({family[word] for word in relatives}) == 1, relatives
    assert len(set(family.values())) == 6
    assert family.keys() >= {"walk", "talk"} and not any(word.startswith("-") for word in family)


def test_no_held_out_word_has_a_relative_in_training(splits):
    """Looked for the other way round: by making every form of every word."""
    lies_in = {word: split for split, rows in splits.items() for word, _ in rows}
    met = 0
    for word, split in lies_in.items():
        if len(word) < 4:  # of a shorter root (ane, rue) the rule says: too short to tell
            continue
        stems = {word, word[:-1] if word[-1] in "ey" else word, word + word[-1],
                 word[:-1] + "i" if word[-1] == "y" else word}
        for form in {stem + ending for stem in stems for ending in ENDINGS} & lies_in.keys():
            met += 1
            assert lies_in[form] == split, (word, form)
    assert met > 1500


def test_the_new_split_loses_and_doubles_no_word(splits):
    rows = [row for part in splits.values() for row in part]
    assert sorted(rows) == sorted(row for part in data.load("cmudict").values() for row in part)
    assert {split: len(part) for split, part in splits.items()} == {"train": 18_332, "valid": 1_065, "test": 2_172}


@pytest.mark.parametrize("kind", CELLS)
def test_the_encoder_is_keras_own_layer(names, kind):
    rng = np.random.default_rng(3)
    x, mask = rng.normal(size=(4, 6, 3)).astype("float32"), np.arange(6) < np.array([[6], [2], [0], [4]])
    cell = CELLS[kind](5)
    layer = keras.layers.RNN(cell, return_state=True)
    layer.build(x.shape)
    start = [rng.uniform(-1, 1, (4, 5)).astype("float32") for _ in range(1 + (kind == "lstm"))]
    mine = names["encode"](cell, x, mask=keras.ops.convert_to_tensor(mask), states=start)
    theirs = layer(x, mask=mask, initial_state=start)[1:]
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("feed", ["start", "every"])
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("make", [keras.layers.GRU, keras.layers.LSTM, keras.layers.SimpleRNN, s2s.ConvEncoder,
                                  lambda u: keras.layers.Bidirectional(keras.layers.SimpleRNN(u))])
def test_every_encoder_fits_every_decoder(names, make, kind, feed):
    """The student's layer, and the lesson's own; and padding is never read."""
    x = np.array([[3, 1, 20, 0, 0], [2, 9, 18, 4, 19]])
    y = np.array([[1, 7, 8], [1, 9, 9]])
    pair = s2s.Pair(make(6), CELLS[kind](4), feed, embed=3)
    scores = pair([x, y])
    np.testing.assert_allclose(pair([x[:1, :3], y[:1]]), scores[:1], atol=1e-5)
    mine = names["Seq2Seq"](pair.encoder, pair.cell, len(s2s.SOUNDS), feed=feed)
    mine.bridges, mine.readout = pair.bridges, pair.readout
    given = pair.from_letters(x), pair.from_sounds(y)
    np.testing.assert_allclose(mine(*given, mask=keras.ops.convert_to_tensor(x > 0)), scores, atol=1e-5)


def test_step_by_step_with_the_right_past_is_the_training_pass():
    x, y = np.array([[3, 1, 20, 0], [2, 9, 18, 4]]), np.array([[1, 7, 8], [1, 9, 9]])
    for feed in ("start", "every"):
        pair = s2s.Pair(keras.layers.GRU(6), keras.layers.LSTMCell(5), feed, embed=3)
        whole = np.asarray(pair([x, y]))
        step, states = pair.stepper(x)
        for t in range(3):
            logits, states = step(y[:, t], states)
            np.testing.assert_allclose(logits, whole[:, t], atol=1e-5)


def test_loss_and_its_gradient_do_not_know_of_padding(names):
    rng = np.random.default_rng(5)
    targets, logits = np.array([[3, 1, 0], [2, 0, 0]]), rng.normal(size=(2, 3, 5)).astype("float32")
    longer = np.pad(targets, ((0, 1), (0, 4))), np.pad(logits, ((0, 1), (0, 4), (0, 0)), constant_values=3.0)
    for loss in (names["masked_loss"], s2s.loss_per_symbol):
        np.testing.assert_allclose(loss(*longer), loss(targets, logits), rtol=1e-6)
        np.testing.assert_allclose(loss(targets, logits), np.mean([
            -logits[b, t, targets[b, t]] + np.log(np.exp(logits[b, t]).sum()) for b, t in ((0, 0), (0, 1), (1, 0))]),
            rtol=1e-5)
    compiled = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    full = np.where(targets == 0, 4, targets)
    np.testing.assert_allclose(names["masked_loss"](full, logits), compiled(full, logits), rtol=1e-5)


def everything(step, states, go, end, longest, alpha, symbols):
    """The best of all sequences there are."""
    best = -np.inf, None
    for n in range(longest + 1):
        for way in product(symbols, repeat=n):
            said = [*way, end] if n < longest else list(way)
            total, y, now = 0.0, go, states
            for symbol in said:
                logits, now = step(np.array([y]), now)
                total += logits[0, symbol] - np.log(np.exp(logits[0]).sum())
                y = symbol
            best = max(best, (total / len(said) ** alpha, list(way)))
    return best


@pytest.mark.parametrize("seed", range(5))
def test_a_beam_wide_enough_is_the_exhaustive_search(names, seed):
    case = oracle.toy_decoder(np.random.default_rng(seed), 5, 4, sharp=0.7)
    case |= {"s": np.random.default_rng(seed + 50).uniform(-1, 1, (1, 4)), "k": np.zeros((1, 1))}
    go, end = int(case["go"]), int(case["end"])
    others = [i for i in range(5) if i not in (go, end, 0)]
    score, best = everything(toy(case), [case["s"], case["k"]], go, end, 4, 0.6, others)
    for search in (names["beam_search"], s2s.search):
        ids, got = search(toy(case), [case["s"], case["k"]], go, end, 300, 4, 0.6)
        assert list(ids) == best
        np.testing.assert_allclose(got, score, rtol=1e-5)
    reference = oracle.search(case | {"width": 300, "longest": 4, "alpha": 0.6})
    assert reference["ids"].tolist() == best


def test_a_beam_of_one_is_greedy_and_the_tree_is_the_beam(names):
    case = oracle.toy_decoder(np.random.default_rng(8), 7, 5)
    states = [np.random.default_rng(9).uniform(-1, 1, (1, 5)), np.zeros((1, 1))]
    go, end = int(case["go"]), int(case["end"])
    said = names["greedy"](toy(case), states, go, end, 6)[0]
    ids, _ = names["beam_search"](toy(case), states, go, end, 1, 6, 0.7)
    assert ids == [i for i in said if i]


def test_error_rate_knows_deletions_insertions_and_the_pool(names):
    rate = names["error_rate"]
    assert rate([[]], [[1, 2, 3]]) == (1, 1)
    assert rate([[1, 2, 3]], [[1, 2, 3]]) == (0, 0)
    assert rate([[1, 1, 2, 3, 3, 3, 3]], [[1, 2]])[0] > 1
    np.testing.assert_allclose(rate([[1], [1, 2, 3, 4]], [[2], [1, 2, 3, 4]]), (1 / 5, 1 / 2))


def test_respelling_covers_every_sound():
    ids = range(3, len(s2s.SOUNDS))
    assert len(s2s.respelt(list(ids)).split("-")) == 39
    assert s2s.in_words([s2s.SOUNDS.index("W"), s2s.SOUNDS.index("AO"), s2s.SOUNDS.index("K"), s2s.END, 7]) == "W AO K"
