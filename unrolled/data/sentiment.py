"""Short English texts with the sentiment that people read in them."""

from __future__ import annotations

import gzip
import hashlib
from typing import NamedTuple

import numpy as np

from unrolled import data

COLLECTIONS = ("movie", "tweets", "amazon")


class Snippets(NamedTuple):
    """Texts, and each text's mean rating from −4 (most negative) to 4 (most positive)."""

    texts: list[str]
    ratings: np.ndarray

    def clear(self, threshold: float = 0.5) -> tuple[list[str], np.ndarray]:
        """The texts rated beyond ±`threshold`, and their labels: 1 positive, 0 negative (int64)."""
        kept = np.flatnonzero(np.abs(self.ratings) > threshold)
        return [self.texts[k] for k in kept], (self.ratings[kept] > 0).astype(np.int64)


def load() -> dict[str, Snippets]:
    """Three collections: ``"movie"`` (10,602 texts), ``"tweets"`` (4,197) and ``"amazon"`` (3,697).

    Ratings are float64, the mean of at least 20 people's. Of the movie texts about half are negative; of the
    tweets rated beyond ±0.5 two thirds are positive. Source: the VADER data of Hutto & Gilbert (2014), MIT licence;
    the texts are sentences of published reviews and anonymised tweets, and some of them swear.
    """
    return {name: _read(name) for name in COLLECTIONS}


def _read(name: str) -> Snippets:
    with gzip.open(data.file("sentiment", f"{name}.tsv.gz"), "rt", encoding="utf-8") as lines:
        ratings, texts = zip(*(line.rstrip("\n").split("\t") for line in lines), strict=True)
    return Snippets(list(texts), np.array(ratings, dtype=np.float64))


def in_test(text: str, fifth: int = 0) -> bool:
    """Whether a text belongs to the test fifth: a property of the text itself, the same in every lesson."""
    return hashlib.sha256(text.encode()).digest()[0] % 5 == fifth
