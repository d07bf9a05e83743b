"""Small pictures of people and their names: a one-to-many task."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

import numpy as np

from unrolled import data


@dataclass(frozen=True)
class Emoji:
    """Pictures (n, 16, 16, 3), uint8, on white; names such as ``"man surfing"``; tones such as ``"medium"``;
    `test` (n,) is True for the pictures that are held out."""

    pictures: np.ndarray
    names: list[str]
    tones: list[str]
    test: np.ndarray


def load() -> Emoji:
    """1,565 pictures: 313 people and body parts, each in five skin tones, one of them held out for test.

    Source: Noto Emoji (Google, Apache-2.0) with names from emoji-datasource-google 16.0.0 (MIT). The names are
    older Unicode names, and some are odd ("merperson", "sleeping accommodation").
    """
    with gzip.open(data.file("emoji", "pictures.npy.gz")) as packed:
        pictures = np.load(packed)
    lines = data.file("emoji", "names.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return Emoji(pictures, [row[1] for row in rows], [row[2] for row in rows],
                 np.array([row[0] == "test" for row in rows]))
