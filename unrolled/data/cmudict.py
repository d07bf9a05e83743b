"""Words and how they are spoken: a part of the CMU Pronouncing Dictionary."""

from __future__ import annotations

import gzip

from unrolled import data

# The 39 sounds of the dictionary. In a pronunciation a vowel carries its stress: 0 none, 1 primary, 2 secondary.
VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split()  # noqa: SIM905 (reads better)
CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split()  # noqa: SIM905

Word = tuple[str, list[str]]


def load() -> dict[str, list[Word]]:
    """Words with their pronunciation, by split: ``{"train": [("gated", ["G", "EY1", "T", "IH0", "D"]), ...], ...}``.

    Splits: ``train`` (18,000 words), ``valid`` (1,000), ``test`` (1,000), and ``new``: 1,569 words that an older
    edition of the dictionary does not have. Words have 3 to 12 letters a-z; only the first pronunciation is given.

    Caveats: many entries are surnames; relatives (walk, walked) can stand in different splits; the words of ``new``
    are not only newer but harder (names, loan words). BSD-2-Clause, Carnegie Mellon University.
    """
    splits: dict[str, list[Word]] = {}
    with gzip.open(data.file("cmudict", "words.tsv.gz"), "rt", encoding="utf-8") as lines:
        for line in lines:
            split, word, sounds = line.rstrip("\n").split("\t")
            splits.setdefault(split, []).append((word, sounds.split()))
    return splits
