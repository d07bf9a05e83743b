"""Jane Austen's novels as sentences: text enough to count in."""

from __future__ import annotations

import gzip

from unrolled import data


def load() -> list[list[str]]:
    """The six novels, in the order of their titles, as sentences: lists of lower-case words without punctuation.

    46,683 sentences (or parts between semicolons or dashes), 723,352 words. English of 1811 to 1818: "like" is
    seldom a verb, "want" often means to lack.

    Source: the texts packed with janeaustenr 1.0.0 (MIT licence); the novels are in the public domain.
    """
    with gzip.open(data.file("austen", "sentences.txt.gz"), "rt", encoding="ascii") as lines:
        return [line.split() for line in lines]
