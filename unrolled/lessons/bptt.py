"""Given in lesson 03: the plain RNN forward and backward, so that no exercise waits for an earlier one.

Everything is NumPy and keeps the dtype it is given. Shapes: x ``(B, T, D)``, h0 ``(B, u)``, W ``(D, u)``,
U ``(u, u)``, b ``(u,)``; states ``(B, T + 1, u)`` with h0 first.
"""

from __future__ import annotations

import numpy as np

# The activation and its derivative, the latter written in terms of the activation's *output* h.
SLOPES = {
    "tanh": (np.tanh, lambda h: 1 - h * h),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda h: h * (1 - h)),
    "relu": (lambda z: np.maximum(z, 0), lambda h: (h > 0).astype(h.dtype)),
    "linear": (lambda z: z, np.ones_like),
}


def forward(x, h0, W, U, b, activation="tanh"):
    """All hidden states of a plain RNN, ``(B, T + 1, u)``; ``states[:, 0]`` is h0."""
    f, _ = SLOPES[activation]
    drive = _by_time(x @ W + b)  # one large product in place of T small ones
    states = _by_time(np.empty((x.shape[0], x.shape[1] + 1, U.shape[0]), drive.dtype))
    states[:, 0] = h0
    for t in range(x.shape[1]):
        z = states[:, t] @ U
        z += drive[:, t]
        states[:, t + 1] = f(z)
    return states


def _by_time(array):
    """The same array ``(B, T, ...)``, each time step in one piece of memory: the loops over time are faster so."""
    return np.ascontiguousarray(array.swapaxes(0, 1)).swapaxes(0, 1)


def step_back(dh, x, h_prev, h, W, U, activation="tanh"):
    """Back through one step: dx, dh_prev, dW, dU, db from dh, the gradient that arrives at h."""
    dz = dh * SLOPES[activation][1](h)
    return dz @ W.T, dz @ U.T, x.T @ dz, h_prev.T @ dz, dz.sum(axis=0)


def backprop(dh, x, states, W, U, activation="tanh"):
    """Back through the whole sequence: dx ``(B, T, D)``, dh0 ``(B, u)``, dW, dU, db.

    dh ``(B, T, u)`` holds what the loss itself sends to every h_t.
    """
    dz = pre_activation_gradients(dh, states, U, activation)
    h_prev = states[:, :-1].reshape(-1, U.shape[0])
    flat = dz.reshape(-1, U.shape[0])
    return dz @ W.T, dz[:, 0] @ U.T, x.reshape(-1, W.shape[0]).T @ flat, h_prev.T @ flat, flat.sum(axis=0)


def pre_activation_gradients(dh, states, U, activation="tanh"):
    """The gradient that arrives at z_t = x_t W + h_{t-1} U + b, for every t: ``(B, T, u)``."""
    slope, dh = SLOPES[activation][1](_by_time(states[:, 1:])), _by_time(dh)
    dz, carried = _by_time(np.empty_like(slope)), 0.0
    for t in reversed(range(slope.shape[1])):
        dz[:, t] = (dh[:, t] + carried) * slope[:, t]
        carried = dz[:, t] @ U.T
    return dz


class Adam:
    """Adam (Kingma & Ba 2015) on a dict of NumPy arrays, which it changes in place."""

    def __init__(self, weights, rate=1e-3, decay=(0.9, 0.999)):
        self.weights, self.rate, self.decay, self.steps = weights, rate, decay, 0
        self.mean = {k: np.zeros_like(w) for k, w in weights.items()}
        self.square = {k: np.zeros_like(w) for k, w in weights.items()}

    def apply(self, gradients):
        """One step down the gradients, a dict with the keys of the weights."""
        self.steps += 1
        (a, b), n = self.decay, self.steps
        rate = self.rate * np.sqrt(1 - b**n) / (1 - a**n)
        for k, g in gradients.items():
            self.mean[k] += (1 - a) * (g - self.mean[k])
            self.square[k] += (1 - b) * (g * g - self.square[k])
            self.weights[k] -= rate * self.mean[k] / (np.sqrt(self.square[k]) + 1e-8)
