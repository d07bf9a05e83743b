"""Figures that several lessons share, and `show`, which gives every figure its alternative text."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

# Colours that stay apart for readers who do not see red and green apart (Okabe & Ito 2008).
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
_STYLE = {
    "figure.figsize": (6.4, 3.6), "figure.dpi": 100, "savefig.bbox": "tight", "font.size": 10,
    "axes.titlesize": 11, "axes.spines.top": False, "axes.spines.right": False,
    "axes.prop_cycle": plt.cycler(color=COLOURS), "legend.frameon": False, "image.cmap": "cividis",
}
plt.rcParams.update(_STYLE)


def show(figure: Figure, alt: str) -> None:
    """Show a figure in the notebook with one line of alternative text, and close it.

    `alt` is what someone who cannot see the figure needs to know. It is also the output's plain text.
    """
    from IPython.display import display

    png = io.BytesIO()
    figure.savefig(png, format="png")
    plt.close(figure)
    display({"image/png": png.getvalue(), "text/plain": alt},
            metadata={"image/png": {"alt": alt}}, raw=True)
