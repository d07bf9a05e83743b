"""Bars in a row, each with its words above it: an inline ``<svg>`` whose text is text, coloured by the page's style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

STEP, LONGEST = 46, 46  # pixels a bar, and characters of a label


@dataclass(frozen=True)
class Bar:
    """One bar: what it is, how long (any unit), and its value in words."""

    label: str
    value: float
    says: str


def drawing(rows: Sequence[Bar], whole: float = 0.0) -> Markup:
    """The bars, the longest (or `whole`) as wide as there is room.

    Lengths are shares of the page's width, so text keeps its size on a telephone.
    """
    longest = max([whole, *(row.value for row in rows)], default=0.0) or 1.0
    parts = [f'<svg width="100%" height="{STEP * len(rows)}" aria-hidden="true">']
    for number, row in enumerate(rows):
        top, width = STEP * number, round(66 * row.value / longest, 2)
        label = row.label if len(row.label) <= LONGEST else f"{row.label[:LONGEST - 1]}…"
        parts.append(f'<text x="0" y="{top + 18}">{escape(label)}</text>'
                     f'<rect class="track" x="0" y="{top + 25}" width="66%" height="12"/>'
                     f'<rect class="bars" x="0" y="{top + 25}" width="{width}%" height="12"/>'
                     f'<text class="count" x="68%" y="{top + 37}">{escape(row.says)}</text>')
    return Markup("".join([*parts, "</svg>"]))


def in_words(rows: Sequence[Bar]) -> str:
    """The bars for who can't see them."""
    return "; ".join(f"{row.label}: {row.says}" for row in rows) or "none"
