"""Four years of daily weather in Seattle."""

from __future__ import annotations

import csv

import numpy as np

from unrolled import data


def load() -> dict[str, np.ndarray]:
    """Daily measurements, 1 January 2012 to 31 December 2015: arrays of shape (1461,).

    ``date`` (datetime64[D]), ``precipitation`` (mm), ``temp_max`` and ``temp_min`` (°C), ``wind`` (m/s).

    Source: NOAA (public domain), as packed with vega_datasets 0.9.0 (MIT licence). The package's column of words
    for the weather is left out: what they mean changes from year to year.
    """
    with open(data.file("seattle_weather", "weather.csv"), encoding="ascii") as lines:
        rows = list(csv.DictReader(lines))
    table = {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name != "date"}
    return {"date": np.array([row["date"] for row in rows], dtype="datetime64[D]")} | table
