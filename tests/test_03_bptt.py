"""Lesson 03, BPTT: oracle = solution = Keras and GradientTape; clipping = Keras's optimisers; what the text claims."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from autograde.authoring import lesson
from autograde.judging.oracles import bptt as oracle
from tests.classroom import classroom
from unrolled import probes
from unrolled.lessons import bptt as given

LESSON = "03_bptt"
CASES = {ex.id: ex.draw(11) for ex in oracle.EXERCISES}
NAMES = ("dx", "dh0", "dW", "dU", "db")


@pytest.fixture(scope="module")
def names():
    return classroom(LESSON).names


def random_problem(T=6):
    rng = np.random.default_rng(4)
    case = oracle.Case({"x": rng.normal(size=(2, T, 3)), "h0": rng.uniform(-0.8, 0.8, (2, 5)),
                        **oracle.weights(rng, 3, 5)})
    return case, rng.uniform(-1, 1, (2, T, 5))


def simple_rnn(case, **settings):
    layer = keras.layers.SimpleRNN(len(case["U"]), return_sequences=True, dtype="float64", **settings)
    layer.build(case["x"].shape)
    layer.set_weights([case[k] for k in "WUb"])
    return layer


def tape_gradients(layer, x, h0, target):
    x, h0 = tf.constant(x), tf.constant(h0)
    with tf.GradientTape() as tape:
        tape.watch([x, h0])
        loss = tf.reduce_sum((layer(x, initial_state=h0) - target) ** 2) / 2
    return [g.numpy() for g in tape.gradient(loss, [x, h0, *[v.value for v in layer.trainable_variables]])]


def test_forward_of_oracle_solution_and_helper_is_keras_own(names):
    case, _ = random_problem()
    expected = np.asarray(simple_rnn(case)(case["x"], initial_state=case["h0"]))
    arguments = [case[k] for k in ("x", "h0", "W", "U", "b")]
    for states in (oracle.forward(case)["states"], names["rnn_forward"](*arguments), given.forward(*arguments)):
        np.testing.assert_allclose(states[:, 1:], expected, atol=1e-12)
        np.testing.assert_array_equal(states[:, 0], case["h0"])


def test_bptt_of_oracle_solution_and_helper_is_gradient_tape(names):
    case, target = random_problem()
    expected = tape_gradients(simple_rnn(case), case["x"], case["h0"], target)
    states = oracle.forward(case)["states"]
    arguments = {"dh": states[:, 1:] - target, "x": case["x"], "states": states, "W": case["W"], "U": case["U"]}
    found = oracle.through(arguments)
    for gradients in ([found[k] for k in NAMES], names["rnn_backward"](*arguments.values()),
                      given.backprop(*arguments.values())):
        for mine, theirs in zip(gradients, expected, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-10)


@pytest.mark.parametrize("activation", sorted(given.SLOPES))
def test_helper_gradients_pass_the_solutions_own_gradient_check(names, activation):
    case, target = random_problem(T=5)
    x, h0, W, U, b = (case[k].copy() for k in ("x", "h0", "W", "U", "b"))
    states = given.forward(x, h0, W, U, b, activation)
    _, _, dW, dU, db = given.backprop(states[:, 1:] - target, x, states, W, U, activation)
    def loss(W=W, U=U, b=b):
        return ((given.forward(x, h0, W, U, b, activation)[:, 1:] - target) ** 2).sum() / 2
    for name, grad in zip("WUb", (dW, dU, db), strict=True):
        _, error = names["gradcheck"](lambda w, name=name: loss(**{name: w}), case[name].copy(), grad)
        assert error < 1e-7, (name, error)


def test_step_back_is_one_step_of_backprop():
    case, target = random_problem(T=1)
    states = given.forward(*(case[k] for k in ("x", "h0", "W", "U", "b")))
    dh = states[:, 1:] - target
    whole = given.backprop(dh, case["x"], states, case["W"], case["U"])
    step = given.step_back(dh[:, 0], case["x"][:, 0], states[:, 0], states[:, 1], case["W"], case["U"])
    for a, b in zip(whole, step, strict=True):
        np.testing.assert_allclose(a.reshape(b.shape), b, atol=1e-14)


def test_a_gradient_check_of_one_step_cannot_see_a_missing_carry():
    """What the lesson says of T = 1, on the oracle's own misconception."""
    cases = CASES["bptt.through_time"]
    for name, same in (("one step", True), ("every step", False)):
        right, wrong = oracle.through(cases[name]), oracle.through(cases[name], carry="none")
        assert all(np.allclose(right[k], wrong[k]) for k in NAMES) is same


@pytest.mark.parametrize(("way", "argument", "c"), [
    ("global", "global_clipnorm", 1.0), ("each", "clipnorm", 1.0), ("value", "clipvalue", 0.1)])
def test_clipping_is_what_keras_optimisers_do(names, way, argument, c):
    large = CASES["bptt.clip_global_norm"]["large"]
    grads = [np.float32(large[name]) for name in sorted(large) if name.startswith("g")]
    variables = [keras.Variable(np.zeros_like(g)) for g in grads]
    keras.optimizers.SGD(1.0, **{argument: c}).apply([tf.constant(g) for g in grads], variables)
    mine = {"global": lambda: names["clip_by_global_norm"](grads, c)[0], "each": lambda: names["clip_each"](grads, c),
            "value": lambda: names["clip_values"](grads, c)}[way]()
    for got, variable in zip(mine, variables, strict=True):
        np.testing.assert_allclose(got, -variable.numpy(), atol=1e-5)


def test_truncated_is_a_stateful_keras_layer_chunk_by_chunk(names):
    case = CASES["bptt.truncated"]["chunks"]
    case, k = case | {"h0": np.zeros_like(case["h0"])}, int(case["k"])
    layer, total = simple_rnn(case, stateful=True), 0
    for s in range(0, case["x"].shape[1], k):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((layer(case["x"][:, s:s + k]) - case["y"][:, s:s + k]) ** 2) / 2
        total = total + tape.gradient(loss, layer.trainable_variables[1].value).numpy()
    np.testing.assert_allclose(oracle.truncated(case)["dU"], total, atol=1e-10)
    arguments = [case[k] for k in ("x", "y", "h0", "W", "U", "b")]
    np.testing.assert_allclose(names["truncated_bptt"](*arguments, k)[1], total, atol=1e-10)


def test_one_long_chunk_is_full_bptt():
    case = CASES["bptt.truncated"]["whole"]
    full = oracle.truncated(case, cut=False)
    for name, value in oracle.truncated(case).items():
        np.testing.assert_allclose(value, full[name], atol=1e-10)


def test_orthogonal_keeps_lengths_and_its_entries_have_no_sign(names):
    rng = np.random.default_rng(0)
    Q = names["orthogonal"](rng, 7, 1.5)
    np.testing.assert_allclose(Q.T @ Q, 1.5**2 * np.eye(7), atol=1e-12)
    many = np.stack([names["orthogonal"](rng, 3) for _ in range(400)])
    assert np.abs(many.mean(axis=0)).max() < 5 / np.sqrt(3 * 400)  # five standard errors
    plain = np.stack([np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(100)])
    assert np.ptp(np.sign(plain[:, 0, 0])) == 0  # what the correction of the signs repairs


def test_own_initialiser_survives_a_keras_file(tmp_path, names):
    demo = next(c.source for c in lesson.read(LESSON).cells if "class MyOrthogonal" in c.source)
    scope = dict(names)
    exec(demo.split("layer = ")[0], scope)
    model = keras.Sequential([keras.Input((4, 2)), keras.layers.SimpleRNN(
        3, recurrent_initializer=scope["MyOrthogonal"](gain=0.5, seed=3))])
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert again.layers[0].cell.recurrent_initializer.get_config() == {"gain": 0.5, "seed": 3}
    U = again.layers[0].get_weights()[1]
    np.testing.assert_allclose(U.T @ U, 0.25 * np.eye(3), atol=1e-6)


def test_adding_problem_baseline_is_a_sixth(names):
    x, y = names["adding_batch"](np.random.default_rng(1), 100_000, 6)
    assert abs(np.mean((y - 1) ** 2) - 1 / 6) < 0.003
    assert (x[:, :3, 1].sum(axis=1) == 1).all() and (x[:, 3:, 1].sum(axis=1) == 1).all()


def test_squashing_bounds_states_and_not_gradients(names):
    U = 3 * np.random.default_rng(2).normal(size=(64, 64)) / 8
    lengths, largest = names["gradient_by_lag"]("tanh", U)
    assert largest <= 1 and lengths[100] > 1e5
    vanishing, _ = names["gradient_by_lag"]("sigmoid", names["random_orthogonal"](64))
    assert vanishing[100] <= 0.25**100 * (1 + 1e-6)


@pytest.mark.parametrize(("exercise", "source"), [
    ("forward_cache", "def rnn_forward(*a): return forward(*a)"),
    ("forward_cache", "import unrolled.lessons.bptt as ready\ndef rnn_forward(*a): return ready.forward(*a)"),
    ("step_backward", "def rnn_step_backward(*a): return step_back(*a)"),
    ("through_time", "from unrolled.lessons.bptt import backprop as easy\ndef rnn_backward(*a): return easy(*a)"),
])
def test_the_ready_made_answer_is_no_answer(exercise, source):
    verdict = classroom(LESSON).try_answer(f"bptt.{exercise}", source)
    assert verdict.points == 0 and verdict.state == "not allowed here"


def test_probes_take_a_fraction_of_a_second(names):
    import time

    answers = {"forward_cache": "rnn_forward", "step_backward": "rnn_step_backward", "through_time": "rnn_backward",
               "gradcheck": "gradcheck", "clip_global_norm": "clip_by_global_norm", "truncated": "truncated_bptt",
               "orthogonal_init": "orthogonal"}
    start = time.process_time()
    for name, answer in answers.items():
        assert not probes.run(f"bptt.{name}", (names[answer],), CASES[f"bptt.{name}"]).errors
    assert time.process_time() - start < 1.0  # in fact about 0.02
