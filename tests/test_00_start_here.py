"""Lesson 00: oracle = solution = Keras's own layer; files; masks; the panels that the lesson shows."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from autograde.authoring import lesson
from autograde.cells import kind_of
from autograde.judging import oracles
from autograde.judging.oracles import start as oracle
from tests.classroom import classroom
from unrolled import CheckFailed, checking

LESSON = "00_start_here"


@pytest.fixture(scope="module")
def names():
    return classroom(LESSON).names


def test_the_lesson_is_worth_six_points():
    assert sum(exercise.points for exercise in oracles.of_lesson(LESSON)) == 6


def test_affine_oracle_and_layer_are_keras_dense(names):
    case = oracle.affine_cases(np.random.default_rng(1))["sequence"]
    dense = keras.layers.Dense(case["W"].shape[1])
    dense.build(case["x"].shape)
    dense.set_weights([case["W"], case["b"]])
    layer = names["Affine"](case["W"].shape[1])
    layer.build(case["x"].shape)
    layer.set_weights([case["W"], case["b"]])
    x = case["x"].astype("float32")
    expected = oracle.affine(case)["y"]
    for y in (dense(x), layer(x), names["affine"](x, case["W"].astype("float32"), case["b"].astype("float32"))):
        np.testing.assert_allclose(y, expected, atol=1e-5)


@pytest.mark.parametrize("use_bias", [True, False])
def test_affine_survives_a_keras_file(names, tmp_path, use_bias):
    model = keras.Sequential([keras.Input((None, 3)), names["Affine"](5, use_bias=use_bias, name="scores")])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects={"Affine": names["Affine"]})
    x = np.random.default_rng(2).normal(size=(2, 7, 3)).astype("float32")
    np.testing.assert_allclose(loaded(x), model(x), atol=1e-6)
    assert loaded.layers[-1].name == "scores"
    assert len(loaded.layers[-1].weights) == 1 + use_bias


def test_mask_mean_does_not_see_the_padding_and_agrees_with_keras_pooling(names):
    case = oracle.mask_cases(np.random.default_rng(3))["padded"]
    x, mask = case["x"].astype("float32"), case["mask"]
    mean = np.asarray(names["mask_mean"](x, mask))
    np.testing.assert_allclose(mean, keras.layers.GlobalAveragePooling1D()(x, mask=mask), atol=1e-5)
    np.testing.assert_allclose(mean, oracle.mask_mean(case)["mean"], atol=1e-5)
    other = np.where(mask[..., None], x, 1e3).astype("float32")
    np.testing.assert_array_equal(names["mask_mean"](other, mask), mean)


def test_the_checks_that_the_lesson_shows_answer_as_it_says(names, capsys):
    shown = dict(names)
    for cell in lesson.read(LESSON).cells:
        if kind_of(cell) == "demo" and 'check("start.affine"' in cell.source:
            exec(cell.source, shown)
    printed = capsys.readouterr().out
    for word in ("not written yet", "The bias `b` is never added", "largest gap", "passed"):
        assert word in printed, word
    for answer, word in (("untouched", "not written yet"), ("no_bias", "partly right"), ("half", "partly right")):
        with pytest.raises(CheckFailed, match=word):
            checking.check_here("start.affine", (shown[answer],))
    checking.check_here("start.affine", (shown["one_step_at_a_time"],))


@pytest.mark.parametrize(("product", "says"), [
    ("np.tanh(x) @ self.W", "use `ops` everywhere"),
    ("ops.stack([row @ self.W for row in x])", "use `ops` everywhere"),
    ("ops.stack([x[:, t] @ self.W for t in range(x.shape[1])], axis=1)", "is not known while a model is built"),
    ("ops.matmul(x, self.W.numpy())", "turn W into plain numbers"),
])
def test_what_stops_in_a_model_is_told_in_words_and_never_as_not_written(product, says):
    room = classroom(LESSON)
    source = room.answers["start.layer"].replace("ops.matmul(x, self.W)", product)
    verdict = room.try_answer("start.layer", source)
    told = [aspect.evidence for aspect in verdict.aspects if not aspect.passed] + [d.says for d in verdict.diagnosis]
    assert not verdict.passed
    assert "not written" not in " ".join(told)
    assert says.lower() in " ".join(told).lower()
