"""Lesson 05, the GRU: oracle = solution = Keras's own layers; files, masks, weights from another framework, data."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from autograde.judging.oracles import gru as oracle
from tests.classroom import classroom
from unrolled import data
from unrolled.data.cmudict import CONSONANTS, VOWELS
from unrolled.data.g2p_en import END, LETTERS, SOUNDS, START
from unrolled.lessons.gru import one_step, textbook_step

LESSON = "05_gru"
B, T, D, U = 3, 11, 5, 7
RAGGED = np.array([[True] * 11, [True] * 6 + [False] * 5, [False] * 2 + [True] * 3 + [False] + [True] * 5])


@pytest.fixture(scope="module")
def names():
    return classroom(LESSON).names


@pytest.fixture
def xs():
    return np.random.default_rng(3).normal(size=(B, T, D)).astype("float32")


def keras_gru(reset_after, **settings):
    layer = keras.layers.GRU(U, reset_after=reset_after, return_sequences=True, **settings)
    layer.build((B, T, D))
    rng = np.random.default_rng(8)
    layer.set_weights([rng.normal(size=w.shape) * 0.6 for w in layer.get_weights()])
    return layer


@pytest.mark.parametrize("reset_after", [True, False])
def test_step_oracle_and_helper_are_keras_own_cell(names, reset_after):
    case = oracle.draw(np.random.default_rng(4), "", reset_after)
    x, h, W, U_, b = (case[k].astype("float32") for k in ("x", "h", "W", "U", "b"))
    cell = keras.layers.GRUCell(h.shape[-1], reset_after=reset_after)
    cell.build(x.shape)
    cell.set_weights([W, U_, b])
    expected = np.asarray(cell(x, [h])[0])
    reference = (oracle.reset_after if reset_after else oracle.step)(case)["h"]
    student = names["gru_step_reset_after" if reset_after else "gru_step"](x, h, W, U_, b)
    for mine in (reference, student, one_step(x, h, W, U_, b)):
        np.testing.assert_allclose(mine, expected, atol=1e-5)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("mask", [None, RAGGED], ids=["no mask", "ragged"])
def test_layer_is_keras_own_layer(names, xs, reset_after, mask):
    theirs = keras_gru(reset_after)
    mine = names["GRU"](U, reset_after=reset_after, return_sequences=True)
    mine.build(xs.shape)
    mine.set_weights(theirs.get_weights())
    start = np.random.default_rng(5).uniform(-1, 1, (B, U)).astype("float32")
    expected = theirs(xs, mask=mask, initial_state=start)
    # Before the first real step Keras shows 0, whatever the initial state; ours shows the state.
    begun = np.ones((B, T), bool) if mask is None else np.logical_or.accumulate(mask, axis=1)
    got = np.asarray(mine(xs, mask=mask, initial_state=start))
    np.testing.assert_allclose(got[begun], np.asarray(expected)[begun], atol=1e-5)
    np.testing.assert_allclose(mine(xs, mask=mask), theirs(xs, mask=mask), atol=1e-5)
    last = names["GRU"](U, reset_after=reset_after)
    last.build(xs.shape)
    last.set_weights(theirs.get_weights())
    np.testing.assert_allclose(last(xs, mask=mask, initial_state=start), expected[:, -1], atol=1e-5)


@pytest.mark.parametrize("reset_after", [True, False])
def test_cell_runs_in_keras_rnn(names, xs, reset_after):
    theirs = keras_gru(reset_after)
    mine = keras.layers.RNN(names["GRUCell"](U, reset_after=reset_after), return_sequences=True)
    mine.build(xs.shape)
    mine.set_weights(theirs.get_weights())
    np.testing.assert_allclose(mine(xs, mask=RAGGED), theirs(xs, mask=RAGGED), atol=1e-5)


@pytest.mark.parametrize("reset_after", [True, False])
def test_models_survive_a_file(names, tmp_path, reset_after):
    letters = np.array([[3, 1, 20, 0, 0], [2, 9, 18, 4, 19]])
    model = keras.Sequential([
        keras.layers.Input((5,)), keras.layers.Embedding(27, 8, mask_zero=True),
        names["GRU"](6, reset_after=reset_after, return_sequences=True),
        keras.layers.RNN(names["GRUCell"](4, reset_after=reset_after)), keras.layers.Dense(2)])
    model.save(tmp_path / "gru.keras")
    again = keras.models.load_model(tmp_path / "gru.keras")
    np.testing.assert_allclose(again(letters), model(letters), atol=1e-6)
    np.testing.assert_allclose(model(letters[:1, :3]), model(letters)[:1], atol=1e-6)


def test_padding_content_cannot_matter(names, xs):
    layer = names["GRU"](U)
    changed = np.where(RAGGED[..., None], xs, 1e3).astype("float32")
    np.testing.assert_allclose(layer(changed, mask=RAGGED), layer(xs, mask=RAGGED), atol=1e-6)


def test_conventions_compute_the_same_after_conversion(names):
    case = oracle.draw(np.random.default_rng(6), "")
    x, h, W, U_, b = (case[k].astype("float32") for k in ("x", "h", "W", "U", "b"))
    wanted = textbook_step(x, h, W, U_, b)
    converted = names["other_convention"](W, U_, b)
    np.testing.assert_allclose(one_step(x, h, *converted), wanted, atol=1e-5)
    assert np.abs(np.asarray(one_step(x, h, W, U_, b)) - np.asarray(wanted)).max() > 0.1
    for once, twice in zip((W, U_, b), names["other_convention"](*converted), strict=True):
        np.testing.assert_allclose(twice, once)


def test_counts_are_keras_own(names):
    count = names["count_parameters"]
    for kind, make, settings in [("rnn", keras.layers.SimpleRNN, {}), ("lstm", keras.layers.LSTM, {}),
                                 ("gru", keras.layers.GRU, {"reset_after": True}),
                                 ("gru", keras.layers.GRU, {"reset_after": False})]:
        layer = make(U, **settings)
        layer.build((None, None, D))
        assert count(kind, D, U, **settings) == layer.count_params()


def test_rnn_inside_a_gru_is_keras_own_rnn(names, xs):
    plain = keras.layers.SimpleRNN(U, return_sequences=True, bias_initializer="glorot_normal")
    expected = plain(xs)
    gated = keras.layers.GRU(U, return_sequences=True)
    gated.build(xs.shape)
    gated.set_weights(names["rnn_as_gru"](*plain.get_weights()))
    np.testing.assert_allclose(gated(xs), expected, atol=1e-5)


def pytorch_cell(published, part, x, h):
    """One step of the published GRU in its own layout: gates r, z, n, weights (out, in), two biases."""
    a = published[f"{part}_w_ih"] @ x + published[f"{part}_b_ih"]
    s = published[f"{part}_w_hh"] @ h + published[f"{part}_b_hh"]
    r, z = np.split(oracle.sigmoid(a + s)[:512], 2)
    return z * h + (1 - z) * np.tanh(a[512:] + r * s[512:])


def say(published, word):
    """A word's sounds by the published weights, in plain NumPy."""
    h, said = np.zeros(256), [START]
    for letter in [*word, END]:
        h = pytorch_cell(published, "enc", published["enc_emb"][LETTERS.index(letter)], h)
    while said[-1] != END and len(said) < 20:
        h = pytorch_cell(published, "dec", published["dec_emb"][SOUNDS.index(said[-1])], h)
        said.append(SOUNDS[np.argmax(published["fc_w"] @ h + published["fc_b"])])
    return " ".join(said[1:-1])


def test_published_weights_speak_in_numpy_and_in_the_student_layers(names):
    published = data.load("g2p_en")
    assert sum(array.size for array in published.values()) == 834_890
    assert say(published, "transformer") == "T R AE0 N S F AO1 R M ER0"
    layer = names["GRU"](256, return_sequences=True)
    layer.build((None, None, 256))
    layer.set_weights(names["from_pytorch"](*(published[f"enc_{k}"] for k in ("w_ih", "w_hh", "b_ih", "b_hh"))))
    letters = published["enc_emb"][[LETTERS.index(letter) for letter in "attention"]]
    h = np.zeros(256)
    for x in letters:
        h = pytorch_cell(published, "enc", x, h)
    np.testing.assert_allclose(layer(letters[None])[0, -1], h, atol=1e-4)


def test_cmudict_splits_share_no_word():
    splits = data.load("cmudict")
    assert {name: len(rows) for name, rows in splits.items()} == {
        "train": 18_000, "valid": 1_000, "test": 1_000, "new": 1_569}
    words = [word for rows in splits.values() for word, _ in rows]
    assert len(words) == len(set(words))
    assert all(3 <= len(word) <= 12 and word.isascii() and word.isalpha() and word.islower() for word in words)
    sounds = {sound for rows in splits.values() for _, said in rows for sound in said}
    assert {sound.rstrip("012") for sound in sounds} == {*VOWELS, *CONSONANTS}
    assert all(sound[-1].isdigit() == (sound.rstrip("012") in VOWELS) for sound in sounds)


def test_the_given_helper_is_no_answer_to_the_steps():
    room = classroom(LESSON)
    verdict = room.try_answer("gru.step", "def gru_step(x, h, W, U, b):\n    return one_step(x, h, W, U, b)\n")
    assert verdict.state == "not allowed here"
    built_in = room.answers["gru.layer"].replace("class GRU(keras.layers.Layer)", "class GRU(keras.layers.GRU)")
    assert room.try_answer("gru.layer", built_in).state == "not allowed here"
