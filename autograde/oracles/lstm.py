"""Oracle of lesson 04: the LSTM (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

Weights are laid out as Keras lays them out: the four blocks of ``W (D, 4u)``, ``U (u, 4u)`` and ``b (4u,)``
are input gate, forget gate, candidate, output gate.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from autograde.exercise import Aspect, Case, Exercise, Misconception

LESSON = "04_lstm"


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step_cases(rng):
    B, D, u = 3, 5, 7
    def case(about, scale=0.6, **changes):
        drawn = {
            "x": rng.normal(size=(B, D)), "h": rng.uniform(-0.8, 0.8, (B, u)), "c": rng.normal(size=(B, u)),
            "W": rng.normal(size=(D, 4 * u)) * scale, "U": rng.normal(size=(u, 4 * u)) * scale,
            "b": rng.normal(size=4 * u) * scale,
        }
        return Case(drawn | changes, about=f"B = {B}, D = {D} inputs, u = {u} units, {about}")
    return {
        "random": case("random weights, biases and states"),
        "first": case("the first step, h = c = 0", h=np.zeros((B, u)), c=np.zeros((B, u))),
    }


def step(case, order="ifgo", forget=True, squash=np.tanh, output_from="new", coupled=False,
         candidate=np.tanh, bias=True, recurrent=True):
    """One LSTM step; each keyword is a way to get it wrong."""
    c = case["c"]
    z = case["x"] @ case["W"] + (case["h"] @ case["U"] if recurrent else 0) + (case["b"] if bias else 0)
    blocks = dict(zip(order, np.split(z, 4, axis=-1), strict=True))
    i, f, o = (sigmoid(blocks[name]) for name in "ifo")
    f = 1 - i if coupled else f if forget else np.ones_like(f)
    new_c = f * c + i * candidate(blocks["g"])
    return {"h": o * squash(new_c if output_from == "new" else c), "c": new_c}


def _wrong(name, says, **change):
    return Misconception(name, says, partial(step, **change))


STEP = Exercise(
    id="lstm.step",
    title="One LSTM step",
    cases=step_cases,
    reference=step,
    aspects=(
        Aspect("shape", 1, shape_only=True),
        Aspect("cell state", 2, on=("*/c",), ask="Work out c by hand for one unit: f·c + i·g."),
        Aspect("hidden state", 2, on=("*/h",), ask="Which state does the output gate look at?"),
    ),
    misconceptions=(
        _wrong("no forget gate", "The forget gate is missing: the old cell state must be multiplied by f "
               "before anything is added to it.", forget=False),
        _wrong("input and forget gate swapped", "i and f have changed places: in Keras's order the first "
               "block of weights is the input gate, the second the forget gate.", order="figo"),
        _wrong("order i, f, o, g", "The last two blocks have changed places: Keras orders them i, f, c, o, "
               "with the candidate third and the output gate last.", order="ifog"),
        _wrong("no tanh of the cell state", "The hidden state is o · tanh(c): without the tanh it leaves "
               "the range from −1 to 1.", squash=lambda c: c),
        _wrong("output from the old cell", "The output looks at the cell state *before* the update; it must "
               "look at the new one.", output_from="old"),
        _wrong("coupled gates", "You used 1 − i in place of the forget gate. That is a variant (coupled "
               "gates); here f has weights of its own.", coupled=True),
        _wrong("candidate through a sigmoid", "The candidate g goes through tanh, not sigmoid: it must be "
               "able to lower the cell state as well.", candidate=sigmoid),
        _wrong("bias left out", "The bias b is never added.", bias=False),
        _wrong("recurrent part left out", "h does not take part: add h @ U before the gates.",
               recurrent=False),
    ),
)

EXERCISES = [STEP]
