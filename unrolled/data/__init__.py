"""The course's data sets: small, real, shipped with it, each with its licence and the recipe that rebuilds it.

``load("sentiment")`` calls ``unrolled.data.sentiment.load()``, whose docstring gives shapes, units, source
and licence. Files are verified against ``data/<name>/dataset.toml`` before they are read.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import tomllib
from functools import cache
from pathlib import Path

# Inside an installed package; in a clone of the repository beside the packages.
_SHIPPED = Path(__file__).resolve().parent / "files"
DATA = Path(os.environ.get("UNROLLED_DATA", _SHIPPED if _SHIPPED.is_dir() else _SHIPPED.parents[2] / "data"))


class DataError(Exception):
    """A data file is missing or damaged; the message names the command that repairs it."""


def names() -> list[str]:
    """All data sets there are."""
    return sorted(p.parent.name for p in DATA.glob("*/dataset.toml"))


def load(name: str):
    """Load a data set by name. Raises DataError if it is unknown, missing or damaged."""
    if name not in names():
        raise DataError(f"there is no data set called {name!r}; there are: {', '.join(names())}")
    return importlib.import_module(f"unrolled.data.{name}").load()


@cache
def about(name: str) -> dict:
    """What ``dataset.toml`` says of a data set: title, licence, source, files."""
    return tomllib.loads((DATA / name / "dataset.toml").read_text(encoding="utf-8"))


def file(name: str, filename: str) -> Path:
    """The path of one verified file of a data set. Raises DataError if it is missing or damaged."""
    path = DATA / name / filename
    repair = ("install the course again: pip install --force-reinstall --no-deps unrolled-....whl" if DATA == _SHIPPED
              else f"repair it with: python data/{name}/rebuild.py")
    if not path.exists():
        raise DataError(f"data file {path} is missing; {repair}")
    if hashlib.sha256(path.read_bytes()).hexdigest() != about(name)["files"][filename]["sha256"]:
        raise DataError(f"data file {path} is damaged (its checksum differs); {repair}")
    return path
