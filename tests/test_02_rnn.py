"""Lesson 02: oracle = solution = Keras's own layer, and the facts the lesson rests on."""

from __future__ import annotations

import keras
import nbformat
import numpy as np
import pytest

from autograde import course, records
from autograde.cells import exercise_of, kind_of
from autograde.judging import oracles
from autograde.judging.oracles.rnn import cells, readout
from tests.classroom import classroom
from unrolled import data
from unrolled.lessons import rnn as helpers


@pytest.fixture(scope="module")
def names():
    return classroom("02_rnn").names


@pytest.fixture
def drawn():
    rng = np.random.default_rng(31)
    B, T, D, u = 3, 6, 5, 7
    weights = {"W": rng.normal(size=(D, u)), "U": rng.normal(size=(u, u)) * 0.6, "b": rng.normal(size=u)}
    return {"x": rng.normal(size=(B, T, D)), "h0": rng.uniform(-1, 1, (B, u))} | weights


def f32(*arrays):
    return [np.asarray(a, "float32") for a in arrays]


def keras_layer(drawn, **arguments):
    layer = keras.layers.SimpleRNN(len(drawn["b"]), return_sequences=True, **arguments)
    layer.build(drawn["x"].shape)
    layer.set_weights([drawn["W"], drawn["U"], drawn["b"]])
    return layer


def own_layer(names, drawn, **arguments):
    layer = names["SimpleRNN"](len(drawn["b"]), return_sequences=True, **arguments)
    layer.build(drawn["x"].shape)
    for weight, value in zip(layer.trainable_weights, (drawn["W"], drawn["U"], drawn["b"]), strict=True):
        weight.assign(value)
    return layer


def test_oracle_solution_and_keras_agree_on_all_states(names, drawn):
    by_oracle = cells.unroll(drawn)["states"]
    x, h0 = f32(drawn["x"], drawn["h0"])
    by_keras = np.asarray(keras_layer(drawn)(x, initial_state=keras.ops.convert_to_tensor(h0)))
    by_solution = np.asarray(names["unroll"](*f32(*(drawn[k] for k in ("x", "h0", "W", "U", "b"))))[0])
    by_layer = np.asarray(own_layer(names, drawn)(x, initial_state=h0))
    for other in (by_keras, by_solution, by_layer):
        np.testing.assert_allclose(by_oracle, other, atol=1e-5)


@pytest.mark.parametrize("valid", ["right", "left", "gap"])
def test_masks_are_kept_as_keras_keeps_them(names, drawn, valid):
    mask = np.array({"right": [[1, 1, 1, 0, 0, 0]], "left": [[0, 0, 1, 1, 1, 1]],
                     "gap": [[1, 0, 1, 1, 0, 1]]}[valid], bool).repeat(3, axis=0)
    [x] = f32(drawn["x"])
    theirs = keras_layer(drawn)(x, mask=keras.ops.convert_to_tensor(mask))
    np.testing.assert_allclose(own_layer(names, drawn)(x, mask=mask), theirs, atol=1e-5)


def test_a_stateful_layer_goes_on_where_keras_goes_on(names, drawn):
    [x] = f32(drawn["x"])
    theirs, own = keras_layer(drawn, stateful=True), own_layer(names, drawn, stateful=True)
    for _ in range(3):
        np.testing.assert_allclose(own(x), theirs(x), atol=1e-5)
    assert len(own.trainable_weights) == 3


def test_reading_in_two_pieces_is_reading_at_once(names, drawn):
    [x] = f32(drawn["x"])
    whole, own = own_layer(names, drawn)(x), own_layer(names, drawn, stateful=True)
    pieces = np.concatenate([np.asarray(own(x[:, :2])), np.asarray(own(x[:, 2:]))], axis=1)
    np.testing.assert_allclose(whole, pieces, atol=1e-6)


def test_the_layer_survives_a_keras_file_and_its_mask_goes_through_a_model(names, tmp_path):
    keras.utils.set_random_seed(5)
    model = keras.Sequential([
        keras.Input((6,), dtype="int32"), keras.layers.Embedding(9, 4, mask_zero=True),
        names["SimpleRNN"](5, return_sequences=True), names["SimpleRNN"](3),
    ])
    ids = np.array([[3, 1, 4, 0, 0, 0], [2, 7, 1, 8, 2, 0]])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(model(ids), loaded(ids), atol=1e-6)
    # What stands at padded places must not matter: the second layer got the mask from the first.
    states = model.layers[1](model.layers[0](ids))
    changed = np.where(ids[..., None] == 0, 9.0, np.asarray(states)).astype("float32")
    masked = model.layers[2](changed, mask=keras.ops.convert_to_tensor(ids != 0))
    np.testing.assert_allclose(model(ids), masked, atol=1e-6)


@pytest.mark.parametrize("B", [6, 4])  # with B = T a mask of steps would pass for a mask of the outputs
def test_a_masked_model_with_the_last_state_can_be_fitted_as_with_keras(names, B):
    ids = np.random.default_rng(3).integers(1, 9, (B, 6))
    ids[:, 4:] = 0
    ids[0] = 0

    def fitted(layer):
        model = keras.Sequential([keras.Input((6,), dtype="int32"), keras.layers.Embedding(9, 4, mask_zero=True),
                                  layer(5), keras.layers.Dense(1)])
        rng = np.random.default_rng(5)
        for weight in model.trainable_weights:
            weight.assign(rng.normal(size=weight.shape) * 0.4)
        model.compile("sgd", "mse")
        return model.fit(ids, np.arange(B) * 1.0, batch_size=B, epochs=2, verbose=0).history["loss"]

    np.testing.assert_allclose(fitted(names["SimpleRNN"]), fitted(keras.layers.SimpleRNN), rtol=1e-4)


def test_both_forms_of_the_cell_are_equal(names, drawn):
    x, h, *weights = f32(drawn["x"][:, 0], drawn["h0"], drawn["W"], drawn["U"], drawn["b"])
    V, joined = names["concat_form"](x, h, *weights)
    assert V.shape == (12, 7)
    np.testing.assert_allclose(joined, names["rnn_step"](x, h, *weights), atol=1e-6)


def test_the_loss_is_keras_s_with_padding_left_out(names):
    rng = np.random.default_rng(3)
    logits, targets = rng.normal(size=(3, 5, 7)).astype("float32"), rng.integers(0, 7, (3, 5))
    mask = np.arange(5) < np.array([[5], [2], [3]])
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    own = names["masked_loss"](targets, logits, mask)
    assert float(own) == pytest.approx(float(theirs(np.where(mask, targets, -1), logits)), abs=1e-6)
    assert float(own) == pytest.approx(float(readout.many_to_many_loss(
        {"targets": targets, "logits": logits, "mask": mask})["loss"]), abs=1e-6)


def test_samples_have_the_frequencies_of_the_probabilities(names):
    n, temperature = 20_000, 0.7
    logits = np.tile(np.array([[1.0, -0.5, 0.3, 2.0]], "float32"), (n, 1))
    p, ids = names["sample"](logits, temperature, np.random.default_rng(4).uniform(size=n).astype("float32"))
    found = np.bincount(np.asarray(ids), minlength=4) / n
    # Four standard deviations of a frequency at n draws.
    assert (np.abs(found - np.asarray(p)[0]) < 4 * np.sqrt(0.25 / n)).all()


def test_no_misconception_of_the_exercises_is_a_right_answer_and_each_teaches_in_a_sentence():
    exercises = oracles.of_lesson("02_rnn")
    assert [ex.id for ex in exercises] == [f"rnn.{name}" for name in (
        "step", "concat_form", "unroll", "layer", "last_valid", "many_to_many_loss", "one_to_many", "sample")]
    assert sum(ex.points for ex in exercises) == 40
    for ex in exercises:
        assert len(ex.misconceptions) >= 8
        assert all(m.says.endswith(".") and len(m.says) < 200 for m in ex.misconceptions)


def test_surnames_have_one_label_and_no_name_is_in_both_splits():
    names = data.load("surnames")
    assert (len(names["train"]), len(names["test"])) == (5943, 1486)
    every = [name for rows in names.values() for name, _ in rows]
    assert len(set(every)) == len(every) and max(map(len, every)) == 16
    assert len({label for _, label in names["train"]}) == 12


def test_couplets_are_parallel_in_length():
    couplets = data.load("couplets")
    assert len(set(couplets)) == len(couplets) == 10_305
    assert all(len(upper) == len(lower) == 5 for upper, lower in couplets)
    assert ("大漠孤煙直", "長河落日圓") in couplets


def test_no_couplet_is_a_variant_reading_of_another():
    """The last 1,000 are held out: a variant of one of them among the others would be a leak."""
    couplets = np.array([list(upper + lower) for upper, lower in data.load("couplets")])
    for held in couplets[-1000:]:
        assert (couplets == held).sum(axis=1).max() == 10
        assert ((couplets == held).sum(axis=1) >= 6).sum() == 1


def test_every_emoji_looks_different_in_every_tone():
    pictures = data.load("emoji").pictures
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_each_held_out_emoji_is_a_new_combination_of_known_words():
    emoji = data.load("emoji")
    assert emoji.pictures.shape == (1565, 16, 16, 3) and emoji.test.sum() == 313
    rows = list(zip(emoji.tones, emoji.names, emoji.test, strict=True))
    seen = {(tone, name) for tone, name, test in rows if not test}
    held = {(tone, name) for tone, name, test in rows if test}
    assert not seen & held and {name for _, name in held} == {name for _, name in seen}


def test_there_are_154_sonnets():
    poems = data.load("sonnets").strip().split("\n\n")
    lines = [len(poem.splitlines()) for poem in poems]
    assert len(poems) == 154 and lines[98] == 15 and lines[125] == 12
    assert {n for k, n in enumerate(lines) if k not in (98, 125)} == {14}


@pytest.mark.parametrize(("number", "words"), [
    (0, "zero"), (12, "twelve"), (40, "forty"), (312, "three hundred and twelve"), (1000, "one thousand"),
    (3005, "three thousand and five"), (9999, "nine thousand nine hundred and ninety nine")])
def test_number_words(number, words):
    assert helpers.number_words(number) == words


@pytest.mark.parametrize(("exercise", "answer"), [
    ("rnn.step", "def rnn_step(x, h, W, U, b):\n    return helpers.cell(x, h, W, U, b)\n"),
    ("rnn.concat_form", "from unrolled.lessons.rnn import cell\n"
                        "def concat_form(x, h, W, U, b):\n    return np.vstack([W, U]), cell(x, h, W, U, b)\n"),
    ("rnn.sample", "def sample(logits, temperature, r):\n"
                   "    return ops.softmax(logits / temperature), helpers.draw(logits, temperature, r)\n"),
    ("rnn.layer", "class SimpleRNN(keras.layers.SimpleRNN):\n    pass\n")])
def test_what_is_given_is_no_answer(exercise, answer):
    verdict = classroom("02_rnn").try_answer(exercise, answer)
    assert verdict.state == records.FORBIDDEN and verdict.points == 0


def test_the_given_draw_is_the_oracle_s():
    case = oracles.get("rnn.sample").draw(9)["warm"]
    np.testing.assert_array_equal(helpers.draw(case["logits"], float(case["temperature"]), case["r"]),
                                  readout.sample(case)["id"])


def test_an_untouched_notebook_says_not_written_yet_everywhere():
    released = nbformat.read(course.released("02_rnn"), 4)
    room, stubs = classroom("02_rnn"), {}
    for cell in released.cells:
        if kind_of(cell) == "solution":
            stubs[exercise_of(cell)] = cell.source
    assert set(stubs) == {ex.id for ex in oracles.of_lesson("02_rnn")}
    for exercise, stub in stubs.items():
        verdict = room.try_answer(exercise, stub)
        assert (verdict.state, verdict.points) == (records.UNWRITTEN, 0), verdict


def test_number_words_are_all_different():
    assert len({helpers.number_words(n) for n in range(10_000)}) == 10_000
