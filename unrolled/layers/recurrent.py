"""What all recurrent layers of the course share: a cell that says what one step is, and the loop over time."""

from __future__ import annotations

import keras
from keras import ops


def positive(name: str, value: int) -> int:
    """`value`, if it is a whole number above 0; otherwise a `ValueError` that names the argument."""
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    return value


def fraction(name: str, value: float) -> float:
    """`value`, if it is at least 0 and below 1; otherwise a `ValueError` that names the argument."""
    if not 0 <= value < 1:
        raise ValueError(f"`{name}` is the share that is dropped: 0 <= {name} < 1. Received: {name}={value!r}")
    return float(value)


class Cell(keras.layers.Layer):
    """One time step. A subclass says how many columns its weights have, how many states, and what a step is.

    `call(inputs, states)` takes inputs `(batch, features)` and a list of states `(batch, units)`; it returns the
    output `(batch, units)` and the list of new states: the contract of `keras.layers.RNN`, which runs any `Cell`.

    Parameters
    ----------
    units : size of each state and of the output, above 0.
    activation, recurrent_activation : names or functions, for what enters the state and for the gates.
    use_bias : whether the step adds a bias.
    kernel_initializer, recurrent_initializer, bias_initializer : as in Keras.
    """

    blocks = 1  # how many transforms of (x, h) a step computes: columns of the kernels are blocks * units
    number_of_states = 1

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
                 kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
                 **kwargs):
        super().__init__(**kwargs)
        self.units = positive("units", units)
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.state_size = [units] * self.number_of_states if self.number_of_states > 1 else units
        self.output_size = units

    def build(self, input_shape):
        columns = self.blocks * self.units
        self.kernel = self.add_weight(shape=(input_shape[-1], columns), initializer=self.kernel_initializer,
                                      name="kernel")
        self.recurrent_kernel = self.add_weight(shape=(self.units, columns), initializer=self.recurrent_initializer,
                                                name="recurrent_kernel")
        self.bias = self.add_weight(shape=self.bias_shape(), initializer=self._first_bias, name="bias") \
            if self.use_bias else None

    def bias_shape(self) -> tuple[int, ...]:
        return (self.blocks * self.units,)

    def _first_bias(self, shape, dtype=None):
        return self.bias_initializer(shape, dtype=dtype)

    def stepper(self, drop=None):
        """The step as a function `(inputs, states) -> (output, states)`, its weights laid out once for all steps.

        drop : `(batch, units)`, or None: what `recurrent_dropout` multiplies the old state by wherever it enters a
            product. The state that is kept is never dropped.
        """
        raise NotImplementedError(f"{type(self).__name__} must say what a step is: override `stepper`.")

    def call(self, inputs, states):
        return self.stepper()(inputs, states if isinstance(states, (list, tuple)) else [states])

    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype) for _ in range(self.number_of_states)]

    def get_config(self):
        return {
            **super().get_config(), "units": self.units, "use_bias": self.use_bias,
            "activation": keras.activations.serialize(self.activation),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer)}


class Steps:
    """A function `(inputs, states) -> (output, states)` in the form of a cell without weights, for `run`."""

    def __init__(self, step, state_size, output_size=None):
        self.step, self.state_size = step, state_size
        self.output_size = output_size or state_size[0]

    def call(self, inputs, states):
        return self.step(inputs, states)

    __call__ = call


def run(step, sequences, initial_state, mask=None, output_size=None, return_sequences=True, **options):
    """Repeats `step` over axis 1 of `sequences` `(batch, time, ...)`: Keras's own loop, on each backend.

    Returns the last output `(batch, output_size)`, all outputs `(batch, time, output_size)`, and the last states.
    Where `mask` `(batch, time)` is False, states stay as they are and the output is repeated: with a mask the first
    state must be the output, as in Keras's own layers.
    `options` are those of `keras.layers.RNN`: go_backwards, unroll, zero_output_for_mask, stateful.
    """
    sizes = [state.shape[-1] for state in initial_state]
    loop = keras.layers.RNN(Steps(step, sizes, output_size), return_sequences=return_sequences, name="loop", **options)
    return loop.inner_loop(sequences, list(initial_state), mask)


class Recurrent(keras.layers.RNN):
    """The loop around a `Cell`: what is the same in `SimpleRNN`, `LSTM` and `GRU`.

    Parameters
    ----------
    cell : a `Cell`.
    return_sequences : all outputs `(batch, time, units)`, or only the last `(batch, units)`.
    return_state : after the output also each of the last states `(batch, units)`.
    go_backwards : reads from the last step to the first; the outputs stand in the order they were computed.
    stateful : the last states of a batch are the first of the next; the batch size must then be known.
    dropout : share of the input features that is dropped while training: the same ones at each step of a sequence
        (Gal & Ghahramani 2016, https://arxiv.org/abs/1512.05287).
    recurrent_dropout : the same for the state where it enters a product.
    seed : for the two.

    Call arguments
    --------------
    sequences : `(batch, time, features)`; time may be unknown (`keras.Input((None, features))`).
    initial_state : one tensor `(batch, units)` for each state, in a list; zeros if not given.
    mask : `(batch, time)`, True at real steps. Where it is False nothing changes: states stay, the output is repeated.
    training : whether to drop.
    """

    def __init__(self, cell, *, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs):
        super().__init__(cell, **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.dropout = fraction("dropout", dropout)
        self.recurrent_dropout = fraction("recurrent_dropout", recurrent_dropout)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout or recurrent_dropout else None

    @property
    def units(self) -> int:
        return self.cell.units

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if initial_state is not None:
            initial_state = self._states(initial_state)
        if mask is not None:
            self._fits(mask, sequences)
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)

    def inner_loop(self, sequences, initial_state, mask, training=False):
        drop = None
        if training and self.dropout:
            kept = (ops.shape(sequences)[0], 1, sequences.shape[-1])
            sequences = sequences * self._drops(kept, self.dropout)
        if training and self.recurrent_dropout:
            drop = self._drops(ops.shape(initial_state[0]), self.recurrent_dropout)
        return run(self.cell.stepper(drop), sequences, initial_state, mask, self.cell.output_size,
                   self.return_sequences, go_backwards=self.go_backwards, unroll=self.unroll,
                   stateful=self.stateful, zero_output_for_mask=self.zero_output_for_mask)

    def _drops(self, shape, rate):
        return keras.random.dropout(ops.ones(shape, dtype=self.compute_dtype), rate, seed=self.seed_generator)

    def _states(self, given):
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(given) != len(self.state_size):
            raise ValueError(f"{type(self).__name__} has {len(self.state_size)} state(s), each (batch, {self.units}). "
                             f"Received `initial_state` with {len(given)}.")
        for state in given:
            if len(state.shape) != 2 or state.shape[-1] != self.units:
                raise ValueError(f"Each state of {type(self).__name__} has the shape (batch, {self.units}). "
                                 f"Received a state of shape {tuple(state.shape)}.")
        return [ops.cast(state, self.compute_dtype) for state in given]

    @staticmethod
    def _fits(mask, sequences):
        shape, wanted = tuple(mask.shape), tuple(sequences.shape[:2])
        if len(shape) != 2 or any(None not in (m, w) and m != w for m, w in zip(shape, wanted, strict=True)):
            raise ValueError(f"`mask` has one truth value for each step: (batch, time) = {wanted}. "
                             f"Received a mask of shape {shape}.")

    def get_config(self):
        config = super().get_config()  # what the loop takes, and the cell
        config.pop("cell")
        own = self.cell.get_config()
        return {**{k: v for k, v in own.items() if k not in ("name", "trainable", "dtype")}, **config,
                "dropout": self.dropout, "recurrent_dropout": self.recurrent_dropout, "seed": self.seed}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)
