"""Lesson 06: that oracle, reference answers and Keras agree, and that its data is what it says."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from autograde.judging import oracles
from tests.classroom import classroom
from unrolled import data
from unrolled.probes import codes

LESSON = "06_bidirectional"
CELLS = {"gru": (keras.layers.GRUCell, keras.layers.GRU), "lstm": (keras.layers.LSTMCell, keras.layers.LSTM)}
MODES = ["concat", "sum", "mul", "ave", None]
B, T, D, U = 3, 7, 4, 5


@pytest.fixture(scope="module")
def names():
    """The reference lesson's names: every answer, ready to call."""
    return dict(classroom(LESSON).names)


def inputs(padded: bool):
    rng = np.random.default_rng(1)
    lengths = [T, 4, 2] if padded else [T] * B
    return rng.normal(size=(B, T, D)).astype("float32"), np.arange(T) < np.array(lengths)[:, None]


def built(names, kind: str, mode, seed=3):
    """The reference layer with random weights, biases too (a fresh layer's are all zero)."""
    rng = np.random.default_rng(seed)
    layer = names["BiRNN"](CELLS[kind][0](U), merge_mode=mode)
    layer.build((None, T, D))
    for cell in (layer.forward_cell, layer.backward_cell):
        cell.set_weights([rng.normal(size=w.shape) * 0.5 for w in cell.get_weights()])
    return layer


def keras_twin(layer, kind: str, **options):
    twin = keras.layers.Bidirectional(CELLS[kind][1](U, **options), merge_mode=layer.merge_mode)
    twin.build((None, T, D))
    twin.set_weights(layer.forward_cell.get_weights() + layer.backward_cell.get_weights())
    return twin


def parts(y):
    return [np.array(part) for part in (y if isinstance(y, list | tuple) else [y])]


@pytest.mark.parametrize("padded", [False, True], ids=["unmasked", "masked"])
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("kind", CELLS)
def test_the_layer_is_keras_bidirectional(names, kind, mode, padded):
    """Reference layer, oracle and keras.layers.Bidirectional agree at every valid step."""
    x, mask = inputs(padded)
    layer = built(names, kind, mode)
    mine = parts(layer(x, mask=mask if padded else None))
    theirs = parts(keras_twin(layer, kind, return_sequences=True)(x, mask=mask if padded else None))
    assert len(mine) == len(theirs) == (2 if mode is None else 1)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a[mask], b[mask], atol=1e-5)
    if mode is not None:
        weights = {f"{name}_{way}": w for way in ("forward", "backward")
                   for name, w in zip("WUb", getattr(layer, f"{way}_cell").get_weights(), strict=True)}
        bi = oracles.topic("bi")
        case = bi.Case({"x": x, "mask": mask, "cell": codes(kind), "mode": codes(mode), **weights}, name="any")
        np.testing.assert_allclose(bi.layer(case)["y"][mask], mine[0][mask], atol=1e-5)


@pytest.mark.parametrize("padded", [False, True], ids=["unmasked", "masked"])
@pytest.mark.parametrize("kind", CELLS)
def test_final_state_is_keras_without_sequences(names, kind, padded):
    x, mask = inputs(padded)
    layer = built(names, kind, None)
    mine = names["final_state"](*layer(x, mask=mask), mask)
    twin = keras.layers.Bidirectional(CELLS[kind][1](U), merge_mode="concat")
    twin.build((None, T, D))
    twin.set_weights(layer.forward_cell.get_weights() + layer.backward_cell.get_weights())
    np.testing.assert_allclose(mine, twin(x, mask=mask if padded else None), atol=1e-5)


def test_padding_never_reaches_a_valid_output(names):
    x, mask = inputs(padded=True)
    layer = built(names, "gru", "concat")
    other = np.where(mask[..., None], x, 100.0).astype("float32")
    np.testing.assert_allclose(np.array(layer(x, mask=mask))[mask], np.array(layer(other, mask=mask))[mask], atol=1e-6)


def test_mirror_symmetry(names):
    """Reversed input and exchanged cells give the mirrored output, halves exchanged."""
    x, _ = inputs(padded=False)
    layer, mirrored = built(names, "gru", None), built(names, "gru", None)
    mirrored.forward_cell.set_weights(layer.backward_cell.get_weights())
    mirrored.backward_cell.set_weights(layer.forward_cell.get_weights())
    forward, backward = parts(layer(x))
    f, b = parts(mirrored(x[:, ::-1]))
    np.testing.assert_allclose(f, backward[:, ::-1], atol=1e-6)
    np.testing.assert_allclose(b, forward[:, ::-1], atol=1e-6)


def test_reversing_twice_changes_nothing(names):
    x, mask = inputs(padded=True)
    for turn in (names["reverse_valid"], names["backwards"]):
        np.testing.assert_array_equal(np.array(turn(turn(x, mask), mask))[mask], x[mask])


def test_parameters_double(names):
    one = keras.layers.RNN(keras.layers.GRUCell(U))
    one.build((None, T, D))
    assert built(names, "gru", "concat").count_params() == 2 * one.count_params() == 2 * 3 * U * (D + U + 2)


@pytest.mark.parametrize("kind", CELLS)
def test_a_saved_model_comes_back_the_same(names, kind, tmp_path):
    # Another test may have registered another answer under the same name: the reference's counts again.
    BiRNN = keras.saving.register_keras_serializable("lesson06")(names["BiRNN"])
    model = keras.Sequential([
        keras.layers.Input((T,)), keras.layers.Embedding(11, D, mask_zero=True),
        BiRNN(CELLS[kind][0](U), merge_mode="ave"), keras.layers.Dense(2),
    ])
    ids = np.array([[3, 4, 5, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6, 7]])
    before = model(ids)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again(ids), before, atol=1e-6)
    assert again.layers[1].merge_mode == "ave"


def test_the_mask_goes_through_the_layer(names):
    embedded = keras.layers.Embedding(11, D, mask_zero=True)(np.array([[3, 4, 0, 0]]))
    y = names["BiRNN"](keras.layers.GRUCell(U))(embedded)
    np.testing.assert_array_equal(y._keras_mask, [[True, True, False, False]])


def test_any_cell_will_do(names):
    """A cell that Keras does not know: a leaky integrator with one state."""

    class Leaky(keras.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = self.state_size = self.output_size = units

        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1], self.units))

        def call(self, x, states):
            h = 0.9 * states[0] + keras.ops.matmul(x, self.w)
            return h, [h]

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    x, mask = inputs(padded=True)
    assert names["BiRNN"](Leaky(U))(x, mask=mask).shape == (B, T, 2 * U)


def test_decode_undoes_the_tags_of_every_sentence(names):
    bi = oracles.topic("bi")
    for sentence in data.load("hsk"):
        tags = bi.tags_of(sentence.words)
        assert names["bmes_decode"]("".join(sentence.words), tags) == sentence.words


def test_word_f1_by_hand(names):
    precision, recall, f1 = names["word_f1"]([["我", "爱", "中国"]], [["我爱", "中国"]])
    assert (precision, recall, f1) == pytest.approx((1 / 2, 1 / 3, 2 / 5))
    assert names["word_f1"]([["我", "爱"]], [["我", "爱"]]) == pytest.approx((1, 1, 1))


def test_hsk_is_what_its_docstring_says():
    sentences = data.load("hsk")
    assert len(sentences) == 4349 == len({s.text for s in sentences})
    lengths = [len("".join(s.words)) for s in sentences]
    assert (min(lengths), max(lengths)) == (2, 17)
    assert {s.level for s in sentences} == set(range(1, 7))
    for s in sentences:
        assert "".join(s.words) == "".join(c for c in s.text if c.isalnum())
        assert len(s.words) == len(s.pinyin)


def test_segond_is_what_its_docstring_says():
    verses = data.load("segond")
    assert len(verses) == 4556 == len({v.text for v in verses})
    assert max(len(v.text) for v in verses) <= 80
    assert [(v.book, v.chapter, v.verse) for v in verses] == sorted((v.book, v.chapter, v.verse) for v in verses)


def test_hsk_names_its_source_and_shares_alike():
    text = (data.DATA / "hsk" / "LICENSE").read_text(encoding="utf-8")
    assert "CC BY-SA 4.0" in text and "Attribution" in text and "hsk-sentences-audio" in text and "Share alike" in text
