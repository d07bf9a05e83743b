"""What an exercise tells about a class: how hard it was, and whether it tells those who know from those who don't."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

FEWEST = 10  # submissions below which the numbers would be chance


def difficulty(points: Sequence[float], top: float) -> float | None:
    """The share of its points that an exercise gave on average (0: nobody had any); None without submissions.

    Classical test theory calls it the item's difficulty, although it is high where an exercise is easy.
    """
    return sum(points) / len(points) / top if points and top else None


def discrimination(points: Sequence[float], totals: Sequence[float]) -> float | None:
    """The correlation of an exercise's points with those of all the others, from -1 to 1.

    The exercise itself is taken out of the total (the "corrected item-total correlation"), or it would agree with
    itself. Above 0.3 is good, below 0.1 the exercise asks something else than the rest does, or it is chance
    (R. L. Ebel, Measuring Educational Achievement, 1965). None for fewer than `FEWEST` submissions, and where either
    side is the same for everybody.

    Parameters
    ----------
    points, totals : the exercise's points and the whole score of each submission, in the same order.
    """
    if len(points) < FEWEST:
        return None
    rest = [total - own for own, total in zip(points, totals, strict=True)]
    mean, mean_rest = sum(points) / len(points), sum(rest) / len(rest)
    spread, spread_rest = (sum((x - middle) ** 2 for x in values) for values, middle in ((points, mean),
                                                                                         (rest, mean_rest)))
    if min(spread, spread_rest) < 1e-12:
        return None
    together = sum((x - mean) * (y - mean_rest) for x, y in zip(points, rest, strict=True))
    return together / sqrt(spread * spread_rest)
