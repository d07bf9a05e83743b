"""What lesson 04 draws, generates and is given: the cell's diagram, heat maps, toy tasks, cells to compare with."""

from __future__ import annotations

import re

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops

from unrolled.plot import COLOURS

# Country -> language: where the answer of "I live in China ... I speak ___" comes from.
LANGUAGES = {
    "china": "Chinese", "france": "French", "japan": "Japanese", "brazil": "Portuguese", "egypt": "Arabic",
    "russia": "Russian", "germany": "German", "italy": "Italian", "poland": "Polish", "turkey": "Turkish",
    "greece": "Greek", "finland": "Finnish",
}


def words(text: str) -> list[str]:
    """Lower-case words, numbers and punctuation marks of a text, in order."""
    return re.findall(r"[a-z]+(?:'[a-z]+)?|[0-9]+|[^\sa-z0-9]", text.lower())


def draw_cell(peepholes: bool = False):
    """The LSTM cell as a figure: the conveyor belt on top, the four transforms below it."""
    figure, axis = plt.subplots(figsize=(7.2, 3.9))
    axis.set(xlim=(0, 10), ylim=(0, 5.4), aspect="equal")
    axis.axis("off")
    belt, read = 4.4, 0.8
    columns = {"f": 2.2, "i": 3.7, "g": 5.0, "o": 6.5}
    arrow = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "color": "#444444", "lw": 1.3}

    def line(*points, head=True, **style):
        style = {"color": "#444444", "lw": 1.3} | style
        axis.plot(*zip(*points, strict=True), **style)
        if head:
            axis.annotate("", points[-1], points[-2], arrowprops=arrow | {"color": style["color"], "lw": style["lw"]})

    def node(x, y, text):
        axis.text(x, y, text, ha="center", va="center", fontsize=13, zorder=5,
                  bbox={"boxstyle": "circle,pad=0.22", "fc": "white", "ec": "#444444"})

    line((0.3, belt), (9.7, belt), color=COLOURS[0], lw=4)
    line((0.3, read), (columns["o"], read), head=False)
    line((1.2, 0.1), (1.2, read), head=False)
    for name, x in columns.items():
        line((x, read), (x, 1.45))
        axis.text(x, 1.75, "tanh" if name == "g" else "σ", ha="center", va="center", fontsize=12, zorder=5,
                  bbox={"boxstyle": "round,pad=0.35", "fc": "#fff3dc" if name == "g" else "#dcebf7", "ec": "#444444"})
        where = (x + 0.55, 1.98) if name == "o" else (x + 0.12, 2.3)
        axis.text(*where, f"${name}_t$", fontsize=12, ha="left", va="center")
    line((2.2, 2.05), (2.2, belt - 0.3))
    line((3.7, 2.05), (3.7, 3.1), (4.1, 3.1))
    line((5.0, 2.05), (5.0, 3.1), (4.65, 3.1))
    line((4.37, 3.35), (4.37, belt - 0.3))
    line((8.0, belt), (8.0, 3.35))
    line((8.0, 2.9), (8.0, 2.1))
    line((6.8, 1.75), (7.7, 1.75))
    line((8.0, 1.5), (8.0, read), (9.7, read))
    for x, y, text in ((2.2, belt, "×"), (4.37, belt, "+"), (4.37, 3.1, "×"), (8.0, 1.75, "×")):
        node(x, y, text)
    axis.text(8.0, 3.1, "tanh", ha="center", va="center", fontsize=11, zorder=5,
              bbox={"boxstyle": "round,pad=0.3", "fc": "#fff3dc", "ec": "#444444"})
    if peepholes:
        dashes = {"color": COLOURS[1], "lw": 1.4, "ls": (0, (4, 2))}
        line((1.3, belt), (1.3, 1.75), (1.85, 1.75), **dashes)
        line((1.3, 2.75), (3.25, 2.75), (3.25, 1.9), (3.4, 1.9), **dashes)
        line((7.2, belt), (7.2, 2.75), (6.2, 2.75), (6.2, 2.05), **dashes)
    for x, y, text in ((0.1, belt + 0.35, "$c_{t-1}$"), (9.3, belt + 0.35, "$c_t$"), (0.1, read + 0.3, "$h_{t-1}$"),
                       (9.3, read + 0.3, "$h_t$"), (1.35, 0.15, "$x_t$")):
        axis.text(x, y, text, fontsize=13)
    titles = {"f": "forget", "i": "input", "g": "candidate", "o": "output"}
    for name, x in columns.items():
        axis.text(x, 0.45, titles[name], ha="center", fontsize=9, color="#555555")
    extra = ", seen through peepholes" if peepholes else ""
    axis.set_title(f"One LSTM step: a belt that carries the cell state{extra}")
    return figure


def draw_rows(rows: dict[str, np.ndarray], labels: list[str], title: str, *, limits=(0, 1), cmap="cividis"):
    """Heat maps one above the other: each array is (units, words), all on one colour scale."""
    heights = [len(a) for a in rows.values()]
    size = max(6.4, 0.55 * len(labels) + 1.5), 0.055 * sum(heights) + 0.3 * len(rows) + 0.9
    figure, axes = plt.subplots(len(rows), 1, sharex=True, squeeze=False, layout="constrained", figsize=size,
                                gridspec_kw={"height_ratios": heights})
    for axis, (name, values) in zip(axes[:, 0], rows.items(), strict=True):
        image = axis.imshow(values, aspect="auto", vmin=limits[0], vmax=limits[1], cmap=cmap, interpolation="nearest")
        axis.set_ylabel(name)
        axis.set_yticks([])
        figure.colorbar(image, ax=axis, pad=0.01)
    axes[-1, 0].set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    figure.suptitle(title, fontsize=11)
    return figure


def adding_problem(n: int, T: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """`n` sequences (T, 2) of (value in [0, 1], marker); two markers, one in each half; the target is the sum
    of the two marked values, (n, 1). After Hochreiter & Schmidhuber (1997), experiment 4, simplified."""
    x = np.zeros((n, T, 2), "float32")
    x[..., 0] = rng.uniform(size=(n, T))
    for low, high in ((0, T // 2), (T // 2, T)):
        x[np.arange(n), rng.integers(low, high, n), 1] = 1
    return x, np.sum(x[..., 0] * x[..., 1], axis=1, keepdims=True)


def adding_with_reset(n: int, T: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """`n` sequences (T, 3) of (value, take it, start again); the target is the sum of the values taken since the
    last start, (n, 1). Taking and starting again happen with probability 0.3 and 0.08 at each step."""
    x = np.zeros((n, T, 3), "float32")
    x[..., 0] = rng.uniform(size=(n, T))
    x[..., 1] = rng.uniform(size=(n, T)) < 0.3
    x[..., 2] = rng.uniform(size=(n, T)) < 0.08
    total = np.zeros(n, "float32")
    for t in range(T):
        total = total * (1 - x[:, t, 2]) + x[:, t, 0] * x[:, t, 1]
    return x, total[:, None]


def live_and_speak(n: int, gap, stream: list[str], rng) -> tuple[list[list[str]], np.ndarray]:
    """`n` word lists "i live in X . … she lives in Y . … i speak" (the two sentences in either order) and the index
    of X in `LANGUAGES`. `gap` words of `stream` lie between; a pair (low, high) draws their number each time."""
    countries, texts, answers = list(LANGUAGES), [], np.zeros(n, "int64")
    for k in range(n):
        mine, hers = rng.choice(len(countries), 2, replace=False)
        size = gap if np.isscalar(gap) else int(rng.integers(*gap))
        start, cut = int(rng.integers(len(stream) - size)), int(rng.integers(size + 1))
        filler = stream[start:start + size]
        parts = [["i", "live", "in", countries[mine], "."], ["she", "lives", "in", countries[hers], "."]]
        first, second = parts if rng.uniform() < 0.5 else parts[::-1]
        texts.append([*first, *filler[:cut], *second, *filler[cut:], "i", "speak"])
        answers[k] = mine
    return texts, answers


def encode(texts: list[list[str]], vocabulary: dict[str, int], length: int | None = None) -> np.ndarray:
    """Word lists as int32 ids (n, length), padded with 0 at the end; 1 stands for any unknown word."""
    length = length or max(map(len, texts))
    ids = np.zeros((len(texts), length), "int32")
    for row, text in zip(ids, texts, strict=True):
        known = [vocabulary.get(word, 1) for word in text[:length]]
        row[:len(known)] = known
    return ids


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(x, h, c, W, U, b, P):
    """An LSTM with peepholes over x (batch, T, D), in NumPy: all hidden states (T, batch, u) and, for each step, the
    cache that its backward step needs."""
    caches = []
    for t in range(x.shape[1]):
        zi, zf, zg, zo = np.split(x[:, t] @ W + h @ U + b, 4, axis=1)
        i, f, g = sigmoid(zi + P[0] * c), sigmoid(zf + P[1] * c), np.tanh(zg)
        new_c = f * c + i * g
        o = sigmoid(zo + P[2] * new_c)
        caches.append({"x": x[:, t], "h_prev": h, "c_prev": c, "i": i, "f": f, "g": g, "o": o, "c": new_c,
                       "h": o * np.tanh(new_c), "W": W, "U": U, "P": P})
        h, c = caches[-1]["h"], new_c
    return np.stack([cache["h"] for cache in caches]), caches


class VariantCell(keras.layers.Layer):
    """Several LSTM cells side by side, each with the same part taken out and its own random start.

    without : "input gate", "forget gate", "output gate", "own forget gate (f = 1 − i)", "tanh of the candidate",
        "tanh of the output", or None.
    copies : how many; they read the same inputs (batch, D) and know nothing of each other.
    peepholes : whether the gates see the cell state.

    One program for all copies costs little more than one copy. States and output are (batch, copies * units).
    """

    def __init__(self, units, without=None, copies=1, peepholes=False, **kwargs):
        super().__init__(**kwargs)
        self.units, self.without, self.copies, self.peepholes = units, without, copies, peepholes
        self.state_size = [copies * units] * 2

    def build(self, input_shape):
        u, n = self.units, self.copies
        self.W = self.add_weight(shape=(n, input_shape[-1], 4 * u), name="W")
        self.U = self.add_weight(shape=(n, u, 4 * u), name="U")
        self.b = self.add_weight(shape=(n, 1, 4 * u), name="b")
        for weight, kind in ((self.W, "glorot_uniform"), (self.U, "orthogonal")):
            weight.assign(ops.stack([keras.initializers.get(kind)(weight.shape[1:]) for _ in range(n)]))
        self.b.assign(np.tile(np.repeat([0.0, 1.0, 0.0, 0.0], u), (n, 1, 1)))
        self.P = self.add_weight(shape=(3, n, 1, u), initializer="zeros", name="P") if self.peepholes else np.zeros(3)

    def call(self, x, states):
        P = self.P
        h, c = (ops.transpose(ops.reshape(s, (-1, self.copies, self.units)), (1, 0, 2)) for s in states)
        zi, zf, zg, zo = ops.split(ops.matmul(x, self.W) + ops.matmul(h, self.U) + self.b, 4, axis=-1)
        i = 1.0 if self.without == "input gate" else ops.sigmoid(zi + P[0] * c)
        f = {"forget gate": 1.0, "own forget gate (f = 1 − i)": 1 - i}.get(self.without, ops.sigmoid(zf + P[1] * c))
        c = f * c + i * (zg if self.without == "tanh of the candidate" else ops.tanh(zg))
        o = 1.0 if self.without == "output gate" else ops.sigmoid(zo + P[2] * c)
        h = o * (c if self.without == "tanh of the output" else ops.tanh(c))
        h, c = (ops.reshape(ops.transpose(s, (1, 0, 2)), (-1, self.copies * self.units)) for s in (h, c))
        return h, [h, c]

    def get_config(self):
        return {**super().get_config(), "units": self.units, "without": self.without, "copies": self.copies,
                "peepholes": self.peepholes}


class Readouts(keras.layers.Layer):
    """One number for each of the networks side by side: (batch, copies * units) to (batch, copies)."""

    def __init__(self, copies, **kwargs):
        super().__init__(**kwargs)
        self.copies = copies

    def build(self, input_shape):
        self.w = self.add_weight(shape=(self.copies, input_shape[-1] // self.copies), name="w")
        self.b = self.add_weight(shape=(self.copies,), initializer="zeros", name="b")

    def call(self, h):
        return ops.sum(ops.reshape(h, (-1, *self.w.shape)) * self.w, axis=-1) + self.b


def pytorch_lstm(state, ids: np.ndarray) -> np.ndarray:
    """The hidden states (batch, T, u) that PyTorch's nn.Embedding and nn.LSTM give for ids (batch, T), from their state
    dictionary and the equations of their documentation."""
    w = {name.split(".")[-1]: np.asarray(array) for name, array in state.items()}
    x = w["weight"][ids]
    h = c = np.zeros((len(ids), w["weight_hh_l0"].shape[1]))
    hs = []
    for t in range(ids.shape[1]):
        gates = x[:, t] @ w["weight_ih_l0"].T + w["bias_ih_l0"] + h @ w["weight_hh_l0"].T + w["bias_hh_l0"]
        i, f, g, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return np.stack(hs, axis=1)
