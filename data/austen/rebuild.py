"""Make sentences.txt.gz again, byte for byte (on Debian or Ubuntu): python data/austen/rebuild.py

Jane Austen's six novels out of a Debian package, one sentence (or part between
semicolons or dashes) a line, lower-case words only.
"""

import gzip
import hashlib
import io
import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fetch  # noqa: E402 (it lies in the folder above)

PACKAGE, VERSION = "r-cran-janeaustenr", "1.0.0-1"
SHA256 = "df6bddf211906d1ff404f8ff662c21b34e6660e7f54a311084e749050c019c95"
HEADING = re.compile(r"(chapter|volume|vol\.|finis|the end|emma|mansfield park|northanger abbey|persuasion|"
                     r"pride and prejudice|sense and sensibility|by|by jane austen|jane austen|"
                     r"\(1811\)|\(1814\)|\(1818\)|"
                     r"jane austen \(1803\))\b[ .\divxlc]*", re.I)
END = "A NOTE ON THE TEXT"  # an editor's words


def package() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["apt-get", "download", "-qq", f"{PACKAGE}={VERSION}"], cwd=folder, check=True)
        [path] = Path(folder).glob("*.deb")
        if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
            sys.exit(f"{PACKAGE} {VERSION}: the download is not the expected one; nothing was changed")
        return subprocess.run(["dpkg-deb", "--fsys-tarfile", str(path)], check=True, capture_output=True).stdout


def character_vectors(database: bytes) -> list[list[str]]:
    """The character vectors in one of R's lazy-load databases: length, zlib stream, length, zlib stream, ..."""
    vectors, place = [], 0
    while place < len(database):
        stream = zlib.decompressobj()
        vectors.append(character_vector(stream.decompress(database[place + 4:])))
        place = len(database) - len(stream.unused_data)
    return vectors


def character_vector(serialised: bytes) -> list[str]:
    """One character vector in R's serialisation (XDR, version 2 or 3): flags, count, then flags, length, bytes."""
    place = 14
    if struct.unpack_from(">i", serialised, 2)[0] == 3:  # the name of an encoding follows
        place += 4 + struct.unpack_from(">i", serialised, place)[0]
    kind, count = struct.unpack_from(">ii", serialised, place)
    assert kind & 0xFF == 16, "not a character vector"
    place, strings = place + 8, []
    for _ in range(count):
        length = struct.unpack_from(">i", serialised, place + 4)[0]
        strings.append(serialised[place + 8:place + 8 + length].decode("utf-8"))
        place += 8 + length
    return strings


def sentences(lines: list[str]) -> list[list[str]]:
    """A novel's sentences as lists of lower-case words; headings are left out."""
    lines = lines[:lines.index(END)] if END in lines else lines
    kept = [line.replace("_", "") for line in lines if not HEADING.fullmatch(line.strip())]
    text = re.sub(r"\b(Mr|Mrs|Dr|St)\.", r"\1", " ".join(kept))
    found = []
    for sentence in re.split(r"(?<=[.!?;])[\"')]*\s+|--", text):
        words = [word.strip("'") for word in re.findall(r"[a-z']+", sentence.lower().replace("’", "'"))]
        found.append([word for word in words if word])
    return [words for words in found if len(words) > 1]


def main():
    with tarfile.open(fileobj=io.BytesIO(package())) as files:
        database = files.extractfile("./usr/lib/R/site-library/janeaustenr/data/Rdata.rdb").read()
        licence = files.extractfile("./usr/share/doc/r-cran-janeaustenr/copyright").read()
    lines = [" ".join(words) for novel in character_vectors(database) for words in sentences(novel)]
    with open(HERE / "sentences.txt.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write("".join(f"{line}\n" for line in lines).encode("ascii"))
    about = "The novels are in the public domain. The package they were taken from:\n\n"
    (HERE / "LICENSE").write_bytes(about.encode("ascii") + licence)
    print(len(lines), sum(line.count(" ") + 1 for line in lines))
    print(fetch.describe(HERE, "sentences.txt.gz"))


if __name__ == "__main__":
    main()
