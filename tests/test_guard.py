"""What an answer has to write itself is out of use while it is tried, on whatever road it is reached."""

from __future__ import annotations

import importlib
import sys

import keras
import nbformat
import numpy as np
import pytest
import tensorflow as tf

import unrolled.quiet  # noqa: F401  (before Keras)
from autograde import course
from autograde.authoring.lesson import EXERCISE
from autograde.judging import judge, oracles, rules
from tests.classroom import classroom
from unrolled import layers, probes
from unrolled.probes import guard

X = np.ones((1, 3, 2), "float32")
RULES = sorted({name for topic in oracles.topics().values() for ex in topic.EXERCISES for name in ex.forbids})
# Names of the notebook itself, which only the text can tell, and of libraries that the course does not install.
ELSEWHERE = {"forward", "backprop", "step_back", "one_step", "helpers.cell", "helpers.draw", "jax.grad",
             "torch.autograd"}


@pytest.mark.parametrize("name", RULES)
def test_every_forbidden_name_stands_for_something_that_can_be_put_out_of_use(name):
    if name in ELSEWHERE and name.partition(".")[0] in sys.modules:
        pytest.skip("installed here, for `make test-backends`")
    assert bool(list(guard._functions_behind(name))) != (name in ELSEWHERE)


@pytest.mark.parametrize("lesson", sorted({topic.LESSON for topic in oracles.topics().values()}))
def test_every_rule_is_stated_in_the_released_notebook(lesson):
    said = {}
    for cell in nbformat.read(course.released(lesson), 4).cells:
        if found := EXERCISE.search(cell.source):
            said[found[1]] = cell.source[found.start():]
    for exercise in oracles.of_lesson(lesson):
        for name in exercise.forbids:
            short = name.removeprefix("unrolled.lessons.").rpartition(".")[2]
            assert f"{short}`" in said[exercise.id].split("\n\n")[0], (exercise.id, name)


def test_a_rule_in_words():
    assert rules.in_words(()) == ""
    tape = ("tensorflow.GradientTape", "tf.GradientTape")
    assert rules.in_words(tape) == "*Write it yourself, without `tf.GradientTape`.*"
    cell = ("keras.layers.GRU", "keras.layers.GRUCell", "one_step", "unrolled.lessons.gru.one_step")
    assert rules.in_words(cell) == (
        "*Write it yourself, without `keras.layers.GRU`, `keras.layers.GRUCell` or the lesson's own `one_step`.*")


@pytest.mark.parametrize(("name", "road"), [
    ("keras.layers.LSTM", lambda: keras.layers.LSTM(2)(X)),
    ("keras.layers.LSTM", lambda: tf.keras.layers.LSTM(2)(X)),
    ("keras.layers.LSTM", lambda: type("Mine", (keras.layers.LSTM,), {})(2)(X)),
    ("keras.layers.LSTM", lambda: MADE["LSTM"](X)),
    ("keras.layers.LSTM", lambda: tf.raw_ops.BlockLSTM(seq_len_max=1)),
    ("unrolled.layers", lambda: layers.LSTM(2)(X)),
    ("unrolled.layers", lambda: layers.PeepholeLSTMCell(2)(X[0], [X[0], X[0]])),
    ("unrolled.layers", lambda: MADE["ours"](X)),
    ("unrolled.layers", lambda: layers.masked_softmax(X)),
    ("keras.layers.GRU", lambda: MADE["GRU"](X)),
    ("keras.layers.GRU", lambda: tf.raw_ops.GRUBlockCell(x=X)),
    ("keras.layers.RNN", lambda: keras.layers.RNN(keras.layers.SimpleRNNCell(2))(X)),
    ("keras.layers.RNN", lambda: keras.layers.GRU(2)(X)),
    ("keras.layers.Bidirectional", lambda: keras.layers.Bidirectional(keras.layers.GRU(2))),
    ("tf.GradientTape", lambda: tf.GradientTape()),
    ("tf.GradientTape", lambda: tf.autodiff.ForwardAccumulator(1.0, 1.0)),
    ("np.gradient", lambda: np.gradient(X[0])),
    ("tf.reverse_sequence", lambda: tf.reverse_sequence(X, [1], 1)),
    ("tf.reverse_sequence", lambda: tf.raw_ops.ReverseSequence(input=X, seq_lengths=[1], seq_dim=1)),
    ("tf.clip_by_global_norm", lambda: tf.clip_by_global_norm([X], 1.0)),
    ("keras.initializers.Orthogonal", lambda: keras.initializers.get("orthogonal")((2, 2))),
    ("keras.initializers.Orthogonal", lambda: tf.compat.v1.orthogonal_initializer()((2, 2))),
])
def test_it_raises_while_it_is_out_of_use_and_works_again_after(name, road):
    def outcome():
        try:
            road()
        except Exception as error:
            return guard.said_in(str(error)) or type(error)
        return "worked"

    before = outcome()
    with guard.out_of_use((name,)):
        assert outcome() == guard.WORDS.format(name)
    assert outcome() == before != guard.WORDS.format(name)


MADE = {"LSTM": keras.layers.LSTM(2), "GRU": keras.layers.GRU(2), "ours": layers.GRU(2)}


@pytest.mark.parametrize("word", sorted(guard.RELATIVES))
def test_nothing_of_pythons_own_library_goes_out_of_use(word):
    """Other threads go on while an answer is tried: without Enum.__new__ the kernel's sockets died now and then."""
    owners = {function.__module__ for function in guard._functions_behind(f"nowhere.{word}")}
    assert owners and not owners & sys.stdlib_module_names


def test_what_is_not_forbidden_keeps_working():
    with guard.out_of_use(("keras.layers.LSTM", "keras.layers.LSTMCell", "tf.reverse_sequence")):
        assert keras.layers.RNN(keras.layers.GRUCell(2))(X).shape == (1, 2)
        assert tf.reverse(X, [1]).shape == X.shape
        with tf.GradientTape() as tape:
            v = tf.Variable(1.0)
            y = v * v
        assert float(tape.gradient(y, v)) == 2.0


NAMED = {name.rpartition(".")[2] for name in RULES} | {"gradients", "hessians"}  # so these may say no
ORDINARY = [(package, name) for package in ("keras.ops", "keras.activations", "keras.losses", "tensorflow",
                                            "tensorflow.math", "tensorflow.nn", "tensorflow.linalg", "numpy",
                                            "numpy.linalg")
            for name, value in sorted(vars(importlib.import_module(package)).items())
            if callable(value) and not isinstance(value, type) and name[0] != "_" and name not in NAMED]
KINDS = {
    "an array of Python's precision": lambda: np.eye(3) + 0.5,
    "an array of Keras's": lambda: np.eye(3, dtype="float32") + 0.5,
    "a tensor": lambda: tf.eye(3) + 0.5,
    "a variable": lambda: keras.Variable(np.eye(3, dtype="float32")),
    "integers": lambda: np.array([[1, 0, 2], [2, 1, 0], [0, 0, 1]]),
    "a list": lambda: [[1.0, 2.0, 0.0], [0.0, 1.0, 2.0], [0.0, 0.0, 3.0]],
}
UNSUITED = {"breakpoint", "fromfile", "save", "savez", "savez_compressed", "savetxt", "print", "memmap", "info",
            "show_config", "show_runtime", "device", "fori_loop", "while_loop", "tofile", "get_logger", "py_function",
            "numpy_function"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_no_ordinary_function_is_out_of_use_whatever_is_forbidden(kind):
    """`tf.square(array)` asks whether a tape is listening, which is not to use one: 0 points for a right answer."""
    make = KINDS[kind]
    refused, worked = set(), 0
    with guard.out_of_use(tuple(RULES)):
        for package, name in ORDINARY:
            if name in UNSUITED:
                continue
            function = getattr(sys.modules[package], name)
            for arguments in ((make(),), (make(), make()), ([make(), make()],)):
                try:
                    function(*arguments)
                    worked += 1
                except Exception as error:
                    if guard.said_in(str(error)):
                        refused.add(f"{package}.{name}")
    assert refused == set()
    assert worked > 500


def test_the_verdict_says_what_may_not_be_used_and_takes_this_exercises_points_only():
    room = classroom("04_lstm")
    sneaky = ("import keras\nclass LSTMCell(keras.layers.Layer):\n    def __new__(cls, *a, **k):\n"
              "        return getattr(keras.layers, 'LS' + 'TMCell')(*a, **k)")
    verdict = room.try_answer("lstm.cell", sneaky)
    assert (verdict.state, verdict.points) == ("not allowed here", 0)
    assert verdict.note == guard.WORDS.format("keras.layers.LSTMCell")


def test_a_rule_ends_with_the_try_even_if_the_answer_stops():
    exercise = oracles.get("lstm.step")
    cases = exercise.draw(1)

    def answer(*inputs):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        probes.run("lstm.step", (answer,), cases, exercise.forbids)
    assert keras.layers.LSTM(2)(X).shape == (1, 2)


@pytest.mark.parametrize(("value", "says"), [
    ("0.5", "it holds text"), ([["0.5", "1"]], "it holds text"), (b"1", "it holds text"),
    (np.array([1 + 2j]), "it holds complex numbers"), (1j, "it holds complex numbers"),
    (np.array(["2026-01-01"], "datetime64[D]"), "it holds dates"), (np.array([5], "timedelta64[s]"), "it holds times"),
    (np.ma.masked_array([1.0, 2.0], [False, True]), "some of its values are hidden"),
    ([np.ma.masked_array([1.0], [True])], "some of its values are hidden"),
    (np.array(["0.5", 1.0], object), "it holds text"), ([None, 1.0], "it holds other objects"),
    ([[1.0], [1.0, 2.0]], "rows of different lengths"), ({"a": 1}, "it holds other objects"),
    (np.zeros(3, [("points", "f8")]), "it holds"), (None, "is None"),
])
def test_what_is_no_number_is_a_wrong_type_in_words(value, says):
    with pytest.raises(TypeError, match=says):
        probes.to_array(value)


@pytest.mark.parametrize(("value", "kind"), [
    (1, "i"), (True, "b"), (np.float16(0.5), "f"), (np.uint8(3), "i"), ([tf.constant(1.0), tf.constant(2.0)], "f"),
    ([[tf.constant(1.0)], [2.0]], "f"), (tf.constant([1.0], tf.bfloat16), "f"), (keras.Variable([1.0, 2.0]), "f"),
    (np.ma.masked_array([1.0], [False]), "f"), ([], "f"), (np.array([1, 2.5], object), "f"),
])
def test_numbers_are_taken_as_they_are(value, kind):
    assert probes.to_array(value).dtype.kind == kind


def test_judging_knows_the_words_of_the_guard():
    exercise = oracles.get("lstm.step")
    cases = exercise.draw(1)
    said = guard.WORDS.format("keras.layers.LSTM")
    error = ("TypeError", f"could not be deserialised:\n\033[1m{said}\033[0m\nArguments received: x", "")
    verdict = judge.judge(exercise, cases, probes.Outcome(errors=dict.fromkeys(cases, error)))
    assert verdict.note == said
