"""What lesson 02 gives ready-made: texts as numbers, numbers as words, and its longer drawings."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from keras import ops

from unrolled.plot import COLOURS

ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def cell(x, h, W, U, b):
    """One step of a recurrent cell: (batch, D) and (batch, u) -> (batch, u)."""
    return ops.tanh(ops.matmul(x, W) + ops.matmul(h, U) + b)


def draw(logits, temperature, r) -> np.ndarray:
    """One symbol a row from softmax(logits / temperature); r holds a random number from 0 to 1 for each row."""
    z = logits / temperature
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    running = np.cumsum(p / p.sum(axis=-1, keepdims=True), axis=-1)
    # Rounding may leave the last sum just below 1, and r above it.
    return np.minimum((running <= r[:, None]).sum(axis=-1), logits.shape[-1] - 1)


def number_words(n: int) -> str:
    """A number from 0 to 9999 in English words, without hyphens: 312 → "three hundred and twelve"."""
    if n < 20:
        return ONES[n]
    if n < 100:
        return f"{TENS[n // 10]} {ONES[n % 10]}" if n % 10 else TENS[n // 10]
    if n < 1000:
        return f"{ONES[n // 100]} hundred" + (f" and {number_words(n % 100)}" if n % 100 else "")
    rest = n % 1000
    return f"{ONES[n // 1000]} thousand" + (f"{' and' if rest < 100 else ''} {number_words(rest)}" if rest else "")


def encode(sequences, symbols, length: int) -> np.ndarray:
    """Rows of symbol numbers (n, length), counted from 1; 0 is padding and stands for unknown symbols too."""
    index = {symbol: i for i, symbol in enumerate(symbols, start=1)}
    rows = np.zeros((len(sequences), length), "int32")
    for row, sequence in zip(rows, sequences, strict=True):
        row[:len(sequence)] = [index.get(symbol, 0) for symbol in sequence]
    return rows


def ngrams(name: str, longest: int) -> set[str]:
    """All pieces of 1 to `longest` letters of a name between its two marks ^ and $."""
    text = f"^{name}$"
    return {text[i:i + k] for k in range(1, longest + 1) for i in range(len(text) - k + 1)}


def _box(axis, x, y, text, colour):
    axis.add_patch(plt.Rectangle((x - 0.37, y - 0.25), 0.74, 0.5, facecolor=colour, edgecolor="black", lw=0.8))
    axis.text(x, y, text, ha="center", va="center", fontsize=8)


def _arrow(axis, start, end, colour, style="-"):
    arrow = {"arrowstyle": "->", "color": colour, "lw": 1.6, "linestyle": style, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", end, start, arrowprops=arrow)


def draw_unrolled(axis, title, inputs, outputs, feed_back=(), second_cell=99, first_state="$h_0$"):
    """A cell unrolled over time.

    inputs and outputs hold a label for each step, None where nothing is read or shown; the steps in
    `feed_back` send their output to the next step's input. One colour is one weight: W, U or W_o. From the
    step `second_cell` on, a cell with weights of its own takes over (a darker box).
    """
    for t, (x, o) in enumerate(zip(inputs, outputs, strict=True)):
        _box(axis, t, 1, f"$h_{t + 1}$", "#EEEEEE" if t < second_cell else "#BBBBBB")
        _arrow(axis, (t - 0.63, 1), (t - 0.37, 1), COLOURS[1])
        if x:
            _box(axis, t, 0, x, "white")
            _arrow(axis, (t, 0.25), (t, 0.75), COLOURS[0])
        if o:
            _box(axis, t, 2, o, "white")
            _arrow(axis, (t, 1.25), (t, 1.75), COLOURS[2])
        if t in feed_back:
            _arrow(axis, (t + 0.37, 1.9), (t + 0.72, 0.27), "#777777", "--")
    axis.text(-0.66, 1, first_state, ha="right", va="center", fontsize=8)
    axis.set(xlim=(-1.5, 4.45), ylim=(-0.35, 2.35), aspect="equal")
    axis.set_title(title, fontsize=10)
    axis.axis("off")


def weight_legend(figure):
    """What the colours of `draw_unrolled` mean."""
    names = ["W: input to state", "U: state to state", "$W_o$: state to output"]
    handles = [plt.Line2D([], [], color=colour, lw=2) for colour in COLOURS[:3]]
    handles.append(plt.Line2D([], [], color="#777777", lw=1.6, linestyle="--"))
    figure.legend(handles, [*names, "an output read as the next input"], loc="lower center", ncol=2, fontsize=9)
