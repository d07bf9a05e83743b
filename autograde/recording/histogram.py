"""The class report's histogram: matplotlib's SVG, stripped to what a page needs, with its text as text."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Sequence
from xml.etree import ElementTree

BINS = 10
_SVG = "{http://www.w3.org/2000/svg}"


def counts(scores: Sequence[float], top: float) -> list[int]:
    """How many scores lie in each tenth of the points; more than all points count as all."""
    found = [0] * BINS
    for score in scores:
        found[min(int(BINS * score / top), BINS - 1) if top else 0] += 1
    return found


def in_words(scores: Sequence[float], top: float) -> str:
    """The histogram for who can't see it."""
    edges = [f"{top * number / BINS:.4g}" for number in range(BINS + 1)]
    said = ", ".join(f"{edges[number]} to {edges[number + 1]} points: {count}"
                     for number, count in enumerate(counts(scores, top)) if count)
    return f"Number of submissions by score. {said or 'None'}."


@functools.lru_cache(maxsize=8)
def drawing(found: tuple[int, ...], top: float) -> str:
    """The histogram of `counts` as an inline ``<svg>``, the same bytes for the same numbers.

    The page's style sheet colours it: ``.bars``, ``.axis`` and text; ``.odd`` is every second number.
    """
    import matplotlib  # a second, so not before a report is written
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "unrolled", "font.size": 10}):
        figure = Figure(figsize=(7.2, 2.9))
        axes = figure.add_axes((0.02, 0.24, 0.96, 0.66))
        bars = axes.bar(range(BINS), found, width=0.9, align="edge")
        for bar in bars:
            bar.set(gid="bars", clip_on=False)
        axes.bar_label(bars, labels=[str(count) if count else "" for count in found], padding=2, fontweight="bold")
        axes.set_xlim(-0.05, BINS)
        axes.set_ylim(0, max([*found, 1]))
        axes.set_xticks([number - 0.05 for number in range(BINS + 1)],
                        [f"{top * number / BINS:.4g}" for number in range(BINS + 1)])
        for tick in axes.xaxis.get_major_ticks()[1::2]:
            tick.label1.set_gid("odd")  # left out where there is little room
        axes.set_xlabel("points; the height is the number of submissions", labelpad=6)
        axes.tick_params(length=0, pad=7)
        axes.yaxis.set_visible(False)
        axes.patch.set_visible(False)
        figure.patch.set_visible(False)
        for side in ("left", "right", "top"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_gid("axis")
        file = io.BytesIO()
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None})
    return _inline(file.getvalue())


def _inline(svg: bytes) -> str:
    """Shapes, text and groups; colours, fonts and identifiers are the page's."""
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.removeprefix(_SVG) not in ("g", "path", "text"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        kind = element.attrib.pop("id", "")
        style = element.attrib.pop("style", "")
        element.attrib.pop("clip-path", None)
        if kind in ("bars", "axis", "odd"):
            element.set("class", kind)
        if element.tag == "text":
            anchor = re.search(r"text-anchor: (\w+)", style)
            element.attrib |= {"text-anchor": anchor[1] if anchor else "start"} | (
                {"class": "count"} if "700" in style or "bold" in style else {})
    root.attrib = {"viewBox": root.get("viewBox")}
    return ElementTree.tostring(root, encoding="unicode")
