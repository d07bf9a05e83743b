"""Words and how they are spoken: a part of the CMU Pronouncing Dictionary."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable

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


# What is put behind a word to make a relative of it: walks, walking, walker, slowly, national, nationalised ...
ENDINGS = tuple("""s es d ed n en in ing ings r er ers or ors st est ly ness nesses ment ments ful fully less al ally
    able ably ible ion ions ation ations ative ive ives ic ical ist ists ism ity ities ize izes ized izing izer ise
    ised ising ant ants ent ents ance ances ence ency ancy ship hood ian ians an ans man men son sen sons""".split())  # noqa: SIM905 (reads better)


def families(words: Iterable[str]) -> dict[str, str]:
    """A name for each word's family: relatives (walk, walks, walking; bake, baker; deny, denied) have the same one.

    Two words are relatives if they share a root of three letters or more once `ENDINGS` are taken off, as many as
    there are, or if one of five letters or more begins the other. Coarse on purpose: it calls some strangers
    relatives (car, caring), which harms no test; a missed relative would.
    """
    words = sorted(set(words))
    head = {}

    def find(word: str) -> str:
        while head.setdefault(word, word) != word:
            word = head[word]
        return word

    def join(a: str, b: str) -> None:
        head[find(a)] = find(b)

    for word in words:
        known, roots = {word}, [word]
        while roots:
            root = roots.pop()
            join(word, "-" + _bare(root))  # a hyphen: the root need not be a word, and is not taken for one
            found = {root.removesuffix(e) for e in ENDINGS if root.endswith(e) and len(root) - len(e) >= 3} - known
            known |= found
            roots.extend(found)
    start = None
    for word in words:  # sorted, so what begins with `start` follows it
        if start and word.startswith(start):
            join(word, start)
        elif len(word) >= 5:
            start = word
    name: dict[str, str] = {}
    for word in words:
        name.setdefault(find(word), word)  # the first of the family
    return {word: name[find(word)] for word in words}


def _bare(root: str) -> str:
    """A root without what an ending changes in it: bak(e), den(y), stop(p), den(i)(ed)."""
    while len(root) > 3 and (root[-1] in "eyi" or root[-1] == root[-2]):
        root = root[:-1]
    return root


def by_family() -> dict[str, list[Word]]:
    """All words of `load`, divided anew so that no held-out word has a relative in training (see `families`).

    Splits: ``train``, ``valid``, ``test``, each sorted. A family goes where a hash of its name says: 5 of 100 to
    valid, 10 to test.
    """
    rows = sorted(row for split in load().values() for row in split)
    family = families(word for word, _ in rows)
    splits: dict[str, list[Word]] = {"train": [], "valid": [], "test": []}
    for word, sounds in rows:
        # Not the hash of the name alone: the words were chosen by it, so it is low for all of them.
        draw = hashlib.sha256(f"family {family[word]}".encode()).digest()[0] / 256
        splits["valid" if draw < 0.05 else "test" if draw < 0.15 else "train"].append((word, sounds))
    return splits
