"""Yearly sunspot numbers: a series with a rhythm of about eleven years."""

from __future__ import annotations

import numpy as np

from unrolled import data


def load() -> dict[str, np.ndarray]:
    """Yearly means of the sunspot number: ``{"year": (309,) int, "sunspots": (309,) float}``.

    1700 to 2008, no gaps; the number is an index (groups and single spots, weighted), not a count. The oldest
    part was put together afterwards from scattered observations.

    Source: National Geophysical Data Center, as packed with statsmodels 0.15.0; public domain.
    """
    table = np.loadtxt(data.file("sunspots", "sunspots.csv"), delimiter=",", skiprows=1)
    return {"year": table[:, 0].astype(int), "sunspots": table[:, 1]}
