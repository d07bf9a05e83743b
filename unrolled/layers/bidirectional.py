"""Both directions, from any recurrent layer or cell."""

from __future__ import annotations

import keras


@keras.saving.register_keras_serializable("unrolled")
class Bidirectional(keras.layers.Bidirectional):
    """Reads a sequence from both ends, with two sets of weights (Schuster & Paliwal 1997,
    https://doi.org/10.1109/78.650093).

    Keras's wrapper of the same name does the work; this one also takes a bare *cell*: ``Bidirectional(GRUCell(32),
    return_sequences=True)``. Padding is left out on both sides: the backward half starts at the last real step.

    Parameters
    ----------
    layer : a recurrent layer, or a cell (anything with `state_size` and `call(inputs, states)`).
    merge_mode : "concat", "sum", "ave", "mul", or None for the two outputs apart.
    backward_layer : a layer or cell of another kind for the way back; otherwise the same kind, newly drawn.
    return_sequences, return_state, stateful : for a cell; a layer already has them.
    """

    def __init__(self, layer, merge_mode="concat", backward_layer=None, *, return_sequences=None, return_state=None,
                 stateful=None, **kwargs):
        options = {name: value for name, value in (("return_sequences", return_sequences),
                   ("return_state", return_state), ("stateful", stateful)) if value is not None}
        if options and not _is_cell(layer):
            raise ValueError(f"{', '.join(f'`{name}`' for name in options)}: say it to the layer, not to "
                             "`Bidirectional`, which takes it for a bare cell only.")
        if _is_cell(layer):
            layer = keras.layers.RNN(layer, dtype=layer.dtype_policy, **options)
        if backward_layer is not None and _is_cell(backward_layer):
            backward_layer = keras.layers.RNN(backward_layer, go_backwards=True, dtype=backward_layer.dtype_policy,
                                              **options)
        super().__init__(layer, merge_mode=merge_mode, backward_layer=backward_layer, **kwargs)


def _is_cell(layer) -> bool:
    return hasattr(layer, "state_size") and not hasattr(layer, "return_sequences")
