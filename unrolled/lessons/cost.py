"""What a layer costs beside another: in the first call, which TensorFlow spends on reading it, and in later steps."""

from __future__ import annotations

import time

import keras
import numpy as np


def compare(mine: keras.layers.Layer, theirs: keras.layers.Layer, batch=32, steps=100, features=32, runs=9):
    """How many times as long as `theirs` the layer `mine` takes, over inputs `(batch, steps, features)`.

    Returns two ratios of processor time: of the first training step, which TensorFlow begins by reading the layer's
    code ("tracing"), and of a later one: the median over `runs` pairs, taken in turn.
    """
    import tensorflow as tf

    x = tf.constant(np.random.default_rng(0).normal(size=(batch, steps, features)), "float32")

    def training_step(layer):
        layer.build(x.shape)

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(layer(x) ** 2)
            return tape.gradient(loss, layer.trainable_variables)

        return step

    def first(layer):
        """The step as TensorFlow has read it, and what reading it and running it once took."""
        started = time.process_time()
        step = training_step(layer).get_concrete_function()
        step()
        return step, time.process_time() - started

    first(keras.layers.RNN(keras.layers.SimpleRNNCell(2)))  # what only the very first tracing costs
    (ours, our_first), (others, their_first) = first(mine), first(theirs)
    later = np.median([_spent(ours) / _spent(others) for _ in range(runs)])
    return our_first / their_first, float(later)


def _spent(step) -> float:
    started = time.process_time()
    step()
    return time.process_time() - started
