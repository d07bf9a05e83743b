"""What each layer can do: every cell of the table that is printed at the end is one of these tests."""

from __future__ import annotations

import os

import keras
import numpy as np
import pytest
from keras import ops

from tests.layers import zoo
from unrolled import layers

RECURRENT, ATTENDING, OTHER = zoo.recurrent(), zoo.attending(), zoo.other()
ALL = {**RECURRENT, **ATTENDING, **OTHER}
HAS_BUILT_IN = {**zoo.built_in(), "MultiHeadAttention": None}
WITH_WEIGHTS = [name for name in ALL if name != "SinusoidalPositions"]
MASK = np.arange(zoo.T) < np.array([[5], [2], [3]])
MEMORY_MASK = np.arange(zoo.SOURCE) < np.array([[4], [7], [2]])


def fresh(name, **options):
    for kind in (zoo.recurrent, zoo.attending, zoo.other):
        if name in kind():
            return kind(**options)[name]
    raise KeyError(name)


def inputs(name, time=zoo.T, seed=0):
    rng = np.random.default_rng(seed)
    x = zoo.draw(rng, zoo.B, time, zoo.D)
    return (x, zoo.draw(rng, zoo.B, zoo.SOURCE, zoo.D)) if name in ATTENDING else (x,)


def drawn(name, **options):
    """The layer with random weights, and its inputs."""
    layer, given = fresh(name, **options), inputs(name)
    layer.build(*(x.shape for x in given))
    zoo.random_weights(layer, np.random.default_rng(1))
    return layer, given


def functional(layer, name, time=zoo.T, source=zoo.SOURCE):
    """A model of the layer alone; its input is one array, or a list of two: what `fed` gives."""
    given = [keras.Input((time, zoo.D))] + ([keras.Input((source, zoo.D))] if name in ATTENDING else [])
    return keras.Model(given if len(given) > 1 else given[0], layer(*given))


def fed(given):
    return list(given) if len(given) > 1 else given[0]


def feature(title, names):
    """Marks a test as one row of the table: `title`, for the layers `names`."""
    def decorate(test):
        test = pytest.mark.parametrize("name", list(names))(test)
        return pytest.mark.feature(title)(test)
    return decorate


@feature("T unknown", ALL)
def test_any_length(name):
    layer, _ = drawn(name, **({"return_sequences": True} if name in RECURRENT else {}))
    model = functional(layer, name, None, None)
    for time in (1, 4, 7):
        x, *memory = inputs(name, time)
        assert zoo.gap(model(fed([x, *memory])), layer(x, *memory)) < 1e-5
    assert model.output_shape[1] is None


@feature("mask in", [name for name in ALL if name != "SinusoidalPositions"])
def test_what_is_masked_does_not_matter(name):
    layer, (x, *memory) = drawn(name, **({"return_sequences": True} if name in RECURRENT else {}))
    mask = MEMORY_MASK if memory else MASK
    noise = np.where(mask[:, :, None], 0, 5).astype("float32")
    argument = ("memory_mask" if "Decoder" in name else "value_mask") if memory else "mask"
    given = [x, *memory]
    before = zoo.numpy(layer(*given, **{argument: mask}))[0]
    given[-1] = given[-1] + noise
    after = zoo.numpy(layer(*given, **{argument: mask}))[0]
    real = slice(None) if memory else MASK
    assert np.abs(before[real] - after[real]).max() < 1e-5
    assert np.abs(before - zoo.numpy(layer(*given))[0]).max() > 1e-3


@feature("mask out", ALL)
def test_the_mask_goes_on_where_the_result_has_steps(name):
    """Embedding, layer, masked mean: what was padding at the start is still padding behind the layer."""
    options = {"return_sequences": True} if name in RECURRENT else {}
    layer = fresh(name, **options)
    tokens = keras.Input((None,))
    x = keras.layers.Embedding(9, zoo.D, mask_zero=True)(tokens)
    y = layer(x, x) if name in ATTENDING else layer(x)
    model = keras.Model(tokens, keras.layers.GlobalAveragePooling1D()(y))
    short, padded = np.array([[3, 1, 4]]), np.array([[3, 1, 4, 0, 0]])
    assert zoo.gap(model(short), model(padded)) < 1e-5


@feature("fits a model without steps", RECURRENT)
def test_the_mask_ends_where_the_steps_end(name):
    model = keras.Sequential([keras.layers.Embedding(9, 4, mask_zero=True), fresh(name), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.array([[1, 2, 0], [3, 0, 0], [4, 5, 6]]), np.zeros((3, 1)), verbose=0)  # batch = time


@feature("return_sequences", RECURRENT)
def test_all_outputs_end_with_the_last(name):
    layer, (x,) = drawn(name, return_sequences=True)
    last = fresh(name)
    last.build(x.shape)
    last.set_weights(layer.get_weights())
    outputs = zoo.numpy(layer(x, mask=MASK))[0]
    if name.startswith("Bidirectional"):
        lengths = MASK.sum(axis=1) - 1
        end = np.concatenate([outputs[np.arange(zoo.B), lengths, :zoo.U], outputs[:, 0, zoo.U:]], axis=-1)
    else:
        end = outputs[:, -1]
    assert zoo.gap(last(x, mask=MASK), end) < 1e-5


@feature("return_state", RECURRENT)
def test_states_come_back(name):
    layer, (x,) = drawn(name, return_state=True)
    output, *states = zoo.numpy(layer(x))
    assert all(state.shape == (zoo.B, zoo.U) for state in states)
    assert len(states) == {"L": 2, "P": 2, "B": 4}.get(name[0], 1)
    assert np.abs(output[:, :zoo.U] - states[0]).max() < 1e-6


@feature("initial_state", [*RECURRENT, *(name for name in ATTENDING if "AttentionDecoder" in name)])
def test_two_halves_make_a_whole(name):
    layer, (x, *memory) = drawn(name, **({"return_state": True} if name in RECURRENT else {}))
    if name.startswith("Bidirectional"):  # the way back has no first half: other states, other output
        rng = np.random.default_rng(2)
        states = [ops.convert_to_tensor(zoo.draw(rng, zoo.B, zoo.U)) for _ in range(4)]
        assert np.abs(zoo.numpy(layer(x))[0] - zoo.numpy(layer(x, initial_state=states))[0]).max() > 1e-3
        return
    asks = {} if name in RECURRENT else {"return_state": True}
    whole = keras.tree.flatten(layer(x, *memory, **asks))
    half = keras.tree.flatten(layer(x[:, :2], *memory, **asks))
    rest = keras.tree.flatten(layer(x[:, 2:], *memory, initial_state=half[1:], **asks))
    assert zoo.gap(whole[1:], rest[1:]) < 1e-5


@feature("stateful", [name for name in RECURRENT])
def test_goes_on_from_batch_to_batch(name):
    layer, (x,) = drawn(name, stateful=True)
    first = zoo.numpy(layer(x))
    second = zoo.numpy(layer(x))
    (layer.reset_state if hasattr(layer, "reset_state") else layer.reset_states)()
    assert zoo.gap(layer(x), first[0]) < 1e-6
    assert zoo.gap(first, second) > 1e-3


@feature("go_backwards", [name for name in RECURRENT if not name.startswith("Bidirectional")])
def test_reads_from_the_end(name):
    layer, (x,) = drawn(name, go_backwards=True, return_sequences=True)
    forward = fresh(name, return_sequences=True)
    forward.build(x.shape)
    forward.set_weights(layer.get_weights())
    assert zoo.gap(layer(x), forward(x[:, ::-1].copy())) < 1e-5


def drops_while_training_only(name, **dropout):
    layer, given = drawn(name, seed=1, **dropout)
    plain = fresh(name)
    plain.build(*(x.shape for x in given))
    layers.weights.copy(layer, plain)
    assert zoo.gap(layer(*given), plain(*given)) < 1e-6
    assert zoo.gap(layer(*given, training=True), plain(*given)) > 1e-3


@feature("dropout", [name for name in ALL if name != "SinusoidalPositions" and "AttentionDecoder" not in name])
def test_inputs_are_dropped_while_training_only(name):
    drops_while_training_only(name, dropout=0.5)


@feature("recurrent_dropout", RECURRENT)
def test_the_state_is_dropped_while_training_only(name):
    drops_while_training_only(name, recurrent_dropout=0.5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@feature("half precision", ALL)
def test_half_precision(name, policy):
    """The weights stay in float32, the result is half and close to the whole; a gradient step is finite."""
    layer, given = drawn(name)
    half = fresh(name, dtype=policy)
    half.build(*(x.shape for x in given))
    if name in WITH_WEIGHTS:
        layers.weights.copy(layer, half)
    result = half(*given)
    assert {keras.backend.standardize_dtype(part.dtype) for part in keras.tree.flatten(result)} == {policy[6:]}
    assert {keras.backend.standardize_dtype(w.dtype) for w in half.trainable_weights} <= {"float32"}
    assert zoo.gap(result, layer(*given)) < (0.02 if policy == "mixed_float16" else 0.15)
    if name in WITH_WEIGHTS:
        model = functional(half, name, None, None)
        model.compile("sgd", "mse", run_eagerly=True)
        assert np.isfinite(model.train_on_batch(fed(given), np.zeros(result.shape, "float32")))


@feature("compiled", ALL)
def test_compiled_is_the_same(name):
    """XLA on TensorFlow and JAX."""
    if keras.backend.backend() == "torch":
        pytest.skip("torch.compile writes out every step of a loop: minutes for a layer, and nothing of ours in it")
    layer, given = drawn(name)
    expected = layer(*given)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        result = tf.function(lambda *x: layer(*x), jit_compile=True)(*map(tf.constant, given))
    else:
        import jax

        result = jax.jit(lambda *x: layer(*x))(*given)
    assert zoo.gap(result, expected) < 1e-5


@feature("get_config", ALL)
def test_made_again_from_its_config(name):
    layer, given = drawn(name)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()
    if not again.built:
        again.build(*(x.shape for x in given))
    again.set_weights(layer.get_weights())
    assert zoo.gap(again(*given), layer(*given)) < 1e-6


@feature("every argument is in the config", [name for name in RECURRENT if not name.startswith("Bidirectional")])
def test_no_argument_is_lost(name):
    kind = type(fresh(name))
    other = {"units": 5, "activation": "relu", "use_bias": False, "kernel_initializer": "ones",
             "recurrent_initializer": "ones", "bias_initializer": "ones", "dropout": 0.25, "recurrent_dropout": 0.5,
             "return_sequences": True, "return_state": True, "go_backwards": True, "stateful": True,
             "zero_output_for_mask": True, "name": "mine", "seed": 7}
    other |= {"recurrent_activation": "hard_sigmoid"} if kind is not layers.SimpleRNN else {}
    other |= {"unit_forget_bias": False} if issubclass(kind, layers.LSTM) else {}
    other |= {"reset_after": False, "z_weighs": "new"} if kind is layers.GRU else {}
    config = kind(**other).get_config()
    again = kind.from_config(config).get_config()
    assert again == config
    for key, value in other.items():
        said = config[key]
        said = said["class_name"].lower() if isinstance(said, dict) and "class_name" in said else said
        assert said == value, key


@feature(".keras file", ALL)
def test_saved_and_loaded(name, tmp_path):
    layer, given = drawn(name)
    model = functional(layer, name, None, None)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    x = fed(given)
    assert zoo.gap(model(x), again(x)) < 1e-6


@feature("weights from and to Keras", HAS_BUILT_IN)
def test_weights_there_and_back(name):
    layer, given = drawn(name)
    theirs = keras.layers.MultiHeadAttention(2, 3) if name == "MultiHeadAttention" else zoo.built_in()[name]
    theirs.build(*(x.shape for x in given))
    layers.weights.copy(layer, theirs)
    expected = theirs(*given)
    assert zoo.gap(layer(*given), expected) < 1e-5
    zoo.random_weights(layer, np.random.default_rng(5))
    assert zoo.gap(layer(*given), expected) > 1e-3
    layers.weights.copy(theirs, layer)
    assert zoo.gap(layer(*given), expected) < 1e-5


@feature("file of other backends", ALL)
def test_a_file_of_one_backend_opens_under_the_others(name, tmp_path):
    """`make test-backends` has each backend leave its files in a folder; whoever comes later reads them all."""
    folder = os.environ.get("UNROLLED_LAYERS_FILES")
    if not folder:
        pytest.skip("one backend only: `make test-backends` runs all three")
    layer, given = drawn(name)
    model = functional(layer, name, None, None)
    x = fed(given)
    place = os.path.join(folder, f"{name}-{keras.backend.backend()}".replace(" ", "_"))
    model.save(f"{place}.keras")
    np.save(f"{place}.npy", zoo.numpy(model(x))[0])
    for file in sorted(os.listdir(folder)):
        if file.startswith(f"{name}-".replace(" ", "_")) and file.endswith(".keras"):
            path = os.path.join(folder, file)
            loaded = keras.saving.load_model(path)
            assert zoo.gap(loaded(x), np.load(path.removesuffix("keras") + "npy")) < 1e-5, file
