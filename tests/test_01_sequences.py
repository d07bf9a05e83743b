"""Lesson 01: oracle = solution = Keras's layer or a brute-force sum; files, masks; the data sets."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest

from autograde.judging.oracles import seq as oracle
from tests.classroom import classroom
from unrolled import data

LESSON = "01_sequences"


@pytest.fixture(scope="module")
def names():
    return classroom(LESSON).names


@pytest.fixture(scope="module")
def small():
    """A hidden Markov model whose sequences of states can all be listed, and their log-probabilities."""
    model = oracle.hmm(np.random.default_rng(4), T=7, S=3, stay=0.2)
    pi, A, e = model["log_start"], model["log_trans"], model["log_emit"]
    paths = list(itertools.product(range(3), repeat=7))
    joint = [pi[z[0]] + e[0, z[0]] + sum(A[i, j] for i, j in itertools.pairwise(z))
             + sum(e[t, z[t]] for t in range(1, 7)) for z in paths]
    return oracle.Case(model, name="random"), paths, np.array(joint)


def test_forward_is_the_sum_over_all_paths(names, small):
    case, _, joint = small
    expected = np.log(np.exp(joint).sum())
    assert oracle.hmm_forward(case)["log_likelihood"] == pytest.approx(expected, abs=1e-9)
    assert names["hmm_forward"](*case.values())[1] == pytest.approx(expected, abs=1e-9)


def test_viterbi_is_the_best_of_all_paths(names, small):
    case, paths, joint = small
    for path, log_prob in (names["viterbi"](*case.values()), oracle.viterbi(case).values()):
        assert tuple(path) == paths[joint.argmax()]
        assert log_prob == pytest.approx(joint.max(), abs=1e-9)


def test_bag_of_words_forgets_the_order_and_only_that(names):
    ids = np.random.default_rng(5).integers(0, 9, (4, 7))
    bag = np.asarray(names["bag_of_words"](ids, 9))
    np.testing.assert_array_equal(names["bag_of_words"](ids[:, ::-1], 9), bag)
    np.testing.assert_array_equal(bag.sum(axis=1), (ids > 0).sum(axis=1))
    np.testing.assert_array_equal(oracle.bag_of_words({"ids": ids, "V": 9})["counts"], bag)


def test_perplexity_is_keras_cross_entropy_and_a_uniform_guess_counts_the_words(names):
    rng = np.random.default_rng(3)
    logits, words = rng.normal(size=(3, 5, 9)), np.array([[2, 4, 1, 0, 0], [8, 1, 2, 3, 5], [7, 0, 0, 0, 0]])
    log_p = np.take_along_axis(np.asarray(keras.ops.log_softmax(logits)), words[..., None], axis=2)[..., 0]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0, reduction=None)
    expected = np.exp(np.asarray(loss(words, logits))[words > 0].mean())
    case = oracle.Case({"log_p": log_p, "words": words})
    for found in (names["perplexity"](log_p, words), oracle.perplexity(case)["perplexity"]):
        assert found == pytest.approx(expected, rel=1e-5)
    assert names["perplexity"](np.full((2, 4), -np.log(50)), np.ones((2, 4))) == pytest.approx(50)


def test_word_vectors_are_keras_embedding_and_survive_a_file(names, tmp_path):
    ids = np.array([[3, 1, 4, 1, 0], [5, 0, 0, 0, 0]])
    layer, built_in = names["WordVectors"](6, 5), keras.layers.Embedding(6, 5, mask_zero=True)
    model = keras.Sequential([keras.Input((None,), dtype="int32"), layer])
    built_in.build()
    built_in.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(ids), built_in(ids), atol=1e-6)
    np.testing.assert_array_equal(layer.compute_mask(ids, None), built_in.compute_mask(ids))
    case = oracle.Case({"ids": ids, "E": layer.get_weights()[0], "V": 6, "d": 5})
    np.testing.assert_allclose(oracle.embedding(case)["vectors"], layer(ids), atol=1e-5)
    model.save(tmp_path / "words.keras")
    custom = {"WordVectors": names["WordVectors"]}
    loaded = keras.saving.load_model(tmp_path / "words.keras", custom_objects=custom)
    np.testing.assert_allclose(loaded(ids), model(ids), atol=1e-6)


def test_the_mask_of_word_vectors_reaches_the_next_layer(names):
    ids, layer = np.array([[2, 1, 0, 0]]), names["WordVectors"](3, 4)
    pooled = keras.layers.GlobalAveragePooling1D()(layer(ids))
    np.testing.assert_allclose(pooled[0], layer.get_weights()[0][[2, 1]].mean(axis=0), atol=1e-6)


def test_windows_are_keras_timeseries(names):
    series = np.random.default_rng(6).normal(size=(23, 3))
    X, y = names["windows"](series, 5, 2)
    batches = list(keras.utils.timeseries_dataset_from_array(series, series[6:], 5, batch_size=None))
    assert len(X) == len(batches) == 17
    np.testing.assert_allclose(X, [np.asarray(window) for window, _ in batches])
    np.testing.assert_allclose(y, [np.asarray(target) for _, target in batches])


def test_least_squares_finds_the_process_that_made_the_series(names):
    rng, c, a = np.random.default_rng(7), 1.5, np.array([1.2, -0.6])
    series = [0.0, 0.0]
    for _ in range(20_000):
        series.append(c + a @ series[:-3:-1] + rng.normal())
    fitted_c, fitted_a = names["ar_fit"](np.array(series), 2)
    np.testing.assert_allclose(fitted_a, a, atol=0.02)
    assert fitted_c == pytest.approx(c, abs=0.05)


def test_the_error_band_is_as_wide_as_simulated_errors(names):
    rng, c, a, sigma = np.random.default_rng(8), 0.7, np.array([0.9, -0.5, 0.2]), 1.3
    past = np.array([2.0, 1.0, 0.5])
    futures = np.tile(past, (20_000, 1))
    for _ in range(6):
        new = c + futures[:, :-4:-1] @ a + rng.normal(size=len(futures)) * sigma
        futures = np.concatenate([futures, new[:, None]], axis=1)
    np.testing.assert_allclose(names["forecast"](past, c, a, 6), futures[:, 3:].mean(axis=0), atol=0.06)
    np.testing.assert_allclose(names["spread"](a, sigma, 6), futures[:, 3:].std(axis=0), rtol=0.03)


def test_logsumexp_stays_in_range(names):
    a = np.array([[-1000.0, -1001.0], [3.0, 800.0]])
    np.testing.assert_allclose(names["logsumexp"](a, 1), [-1000 + np.log1p(np.exp(-1)), 800.0])


def test_data_is_what_its_docstring_says():
    sun, weather, novels = data.load("sunspots"), data.load("seattle_weather"), data.load("austen")
    assert list(sun["year"][[0, -1]]) == [1700, 2008] and np.all(np.diff(sun["year"]) == 1)
    assert sun["sunspots"].shape == (309,) and sun["sunspots"].max() == 190.2
    assert all(column.shape == (1461,) for column in weather.values())
    assert np.all(np.diff(weather["date"]).astype(int) == 1) and np.all(weather["temp_max"] >= weather["temp_min"])
    assert len(novels) == 46_683 and sum(map(len, novels)) == 723_352
    assert novels[0][:2] == ["emma", "woodhouse"]
