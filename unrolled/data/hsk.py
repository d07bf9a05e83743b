"""Chinese sentences cut into words: 4,349 of them, graded for learners."""

from __future__ import annotations

import gzip
from typing import NamedTuple

from unrolled import data


class Sentence(NamedTuple):
    """`words` joined are `text` without its punctuation; `pinyin` has one reading a word, its syllables
    joined by hyphens."""

    level: int
    text: str
    words: list[str]
    pinyin: list[str]
    english: str


def load() -> list[Sentence]:
    """4,349 sentences of hsk-sentences-audio, HSK levels 1 to 6, 2 to 17 characters each.

    Licence CC-BY-SA-4.0: name the source, and share what you make of the file under the same licence (see
    ``data/hsk/LICENSE``). Caveats: the words are a *silver* standard, cut by forward maximum matching against
    the dictionary CC-CEDICT and repaired by hand; the English is empty for some sentences.
    """
    text = gzip.decompress(data.file("hsk", "sentences.tsv.gz").read_bytes()).decode("utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return [Sentence(int(level), chinese, words.split(), pinyin.split(), english)
            for level, chinese, words, pinyin, english in rows]
