"""Moving weights: between these layers and Keras's own, and from and to PyTorch's order."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np


def copy(source: keras.layers.Layer, target: keras.layers.Layer) -> None:
    """Gives `target` the weights of `source`: one of these layers and its Keras counterpart, either way.

    Both must be built. Raises `ValueError`, and changes nothing, if their weights differ in number or shape.
    """
    theirs = [tuple(w.shape) for w in source.weights if not _is_state(w)]
    ours = [tuple(w.shape) for w in target.weights if not _is_state(w)]
    built = source.built and target.built
    if not built or theirs != ours:
        raise ValueError(f"{type(source).__name__} has weights of the shapes {theirs}, {type(target).__name__} of the "
                         f"shapes {ours}: they can't be copied. " + ("" if built else "Build both first."))
    given = (w for w in source.weights if not _is_state(w))
    for place, weight in zip((w for w in target.weights if not _is_state(w)), given, strict=True):
        place.assign(weight)


def from_torch(layer: keras.layers.Layer, state: Mapping[str, np.ndarray], number: int = 0) -> None:
    """Fills a built SimpleRNN, LSTM, GRU (reset_after) or Bidirectional from a state dict of PyTorch's counterpart.

    state : names as PyTorch has them, such as `weight_ih_l0` `(blocks * units, features)`; arrays or CPU tensors.
    number : which of PyTorch's stacked layers.

    PyTorch's kernels are transposed. Its LSTM orders the blocks i, f, g, o as here, its GRU r, z, n where Keras has
    z, r, n. It keeps two biases: their sum here, but in a GRU, where the reset gate stands between them.
    """
    for part, suffix in _directions(layer):
        arrays = {name: np.asarray(state[f"{name}_l{number}{suffix}"]) for name in
                  ("weight_ih", "weight_hh", "bias_ih", "bias_hh") if f"{name}_l{number}{suffix}" in state}
        cell = part.cell
        kernels = [_blocks(arrays[name].T, cell) for name in ("weight_ih", "weight_hh")]
        if "bias_ih" in arrays:
            two = np.stack([_blocks(arrays[name], cell) for name in ("bias_ih", "bias_hh")])
            kernels.append(two if len(cell.bias.shape) == 2 else two.sum(axis=0))
        cell.set_weights(kernels)


def to_torch(layer: keras.layers.Layer, number: int = 0) -> dict[str, np.ndarray]:
    """The weights of a built SimpleRNN, LSTM, GRU (reset_after) or Bidirectional as PyTorch names and orders them.

    Where there is one bias here, it becomes `bias_ih`, and `bias_hh` is 0.
    """
    state = {}
    for part, suffix in _directions(layer):
        cell = part.cell
        kernel, recurrent, *bias = cell.get_weights()
        state[f"weight_ih_l{number}{suffix}"] = _blocks(kernel, cell).T
        state[f"weight_hh_l{number}{suffix}"] = _blocks(recurrent, cell).T
        if bias:
            two = bias[0] if bias[0].ndim == 2 else np.stack([bias[0], np.zeros_like(bias[0])])
            state[f"bias_ih_l{number}{suffix}"], state[f"bias_hh_l{number}{suffix}"] = (_blocks(b, cell) for b in two)
    return state


def _directions(layer):
    halves = hasattr(layer, "forward_layer")
    parts = [(layer.forward_layer, ""), (layer.backward_layer, "_reverse")] if halves else [(layer, "")]
    for part, _ in parts:
        cell = getattr(part, "cell", None)
        kinds = [kind.__name__ for kind in type(cell).__mro__]
        if not {"SimpleRNNCell", "LSTMCell", "GRUCell"} & set(kinds) or "PeepholeLSTMCell" in kinds:
            raise ValueError(f"PyTorch has no counterpart of {type(layer).__name__}: SimpleRNN, LSTM, GRU and "
                             "Bidirectional of these have one.")
        if "GRUCell" in kinds and not (cell.reset_after and getattr(cell, "z_weighs", "old") == "old"):
            raise ValueError('PyTorch\'s GRU is reset_after=True with z on the old state (z_weighs="old").')
        if not cell.built:
            raise ValueError(f"{type(layer).__name__} has no weights yet: build it first.")
    return parts


def _blocks(array, cell):
    """Exchanges the first two of three blocks along the last axis for a GRU: z, r, n and r, z, n."""
    if "GRUCell" not in [kind.__name__ for kind in type(cell).__mro__]:
        return array
    first, second, third = np.split(array, 3, axis=-1)
    return np.concatenate([second, first, third], axis=-1)


def _is_state(weight) -> bool:
    """Seeds of dropout and the states of a stateful layer are kept among the weights, but are none."""
    return not weight.trainable and ("seed" in weight.path or "rnn_state" in weight.path)
