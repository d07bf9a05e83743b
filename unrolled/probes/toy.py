"""Models so small that probes and oracles both compute with them. NumPy only: oracles run where Keras is not loaded."""

from __future__ import annotations

import numpy as np


def decoder(case):
    """A small decoder with two states, `s` (N, n) and a clock `k` (N, 1), that takes any number N of rows."""

    def step(y, states):
        if not isinstance(states, tuple | list) or len(states) != 2:
            raise TypeError("step takes all states as a list; here there are two")
        s, k = (np.asarray(state, np.float64) for state in states)
        y = np.asarray(y)
        if y.shape != s.shape[:1]:
            raise ValueError(f"step got symbols of shape {y.shape} for {len(s)} rows of states")
        s = np.tanh(s @ case["A"] + case["embedding"][y])
        k = k + 1
        return s @ case["readout"] + k * case["drift"], [s, k]

    return step
