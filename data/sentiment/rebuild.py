"""Make the files of this data set again, byte for byte: ``python data/sentiment/rebuild.py``."""

from __future__ import annotations

import gzip
import hashlib
import html
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fetch  # noqa: E402

SDIST = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
FILES = {"movie": "movieReviewSnippets", "tweets": "tweets", "amazon": "amazonReviewSnippets"}
# Texts with slurs, by the start of their sha256.
LEFT_OUT = {"f2cefeb8", "aed3879a", "97aa507a", "bbddc012"}


def rows(text: str) -> list[str]:
    """``rating<TAB>text`` lines: entities and spaces tidied, the second of two equal texts and slurs left out."""
    kept: dict[str, str] = {}
    for line in text.splitlines():
        _, rating, snippet = line.split("\t")
        snippet = " ".join(html.unescape(snippet).replace("''", '"').split())
        if hashlib.sha256(snippet.encode()).hexdigest()[:8] not in LEFT_OUT:
            kept.setdefault(snippet, f"{float(rating):.3f}\t{snippet}")
    return list(kept.values())


def main() -> None:
    sdist = fetch.pip("vaderSentiment", "3.3.2", SDIST, sdist=True)
    inner = fetch.member(sdist, "additional_resources/hutto_ICWSM_2014.tar.gz")
    (HERE / "LICENSE").write_bytes(fetch.member(sdist, "/LICENSE.txt"))
    for name, source in FILES.items():
        text = fetch.member(inner, f"{source}_GroundTruth.txt").decode("utf-8")
        content = "\n".join(rows(text)).encode() + b"\n"
        (HERE / f"{name}.tsv.gz").write_bytes(gzip.compress(content, mtime=0))
    print(fetch.describe(HERE, *(f"{name}.tsv.gz" for name in FILES)))


if __name__ == "__main__":
    main()
