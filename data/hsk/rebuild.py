"""Make sentences.tsv.gz again, byte for byte: python data/hsk/rebuild.py

Level, sentence, its words, their pinyin and the English of each sentence of hsk-sentences-audio.
"""

import gzip
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fetch  # noqa: E402 (it lies in the folder above)

SHA256 = "9bf16cc7b48a24a10af83d377439d3c6f7571a380937f4645a1cd1590d5d0335"


def row(sentence: dict) -> tuple[str, ...]:
    words = " ".join(token["word"] for token in sentence["tokens"])
    pinyin = " ".join(token["pinyin"].replace(" ", "-") for token in sentence["tokens"])
    english = sentence["translation"]["en"]
    if english.startswith("placeholder"):
        english = ""
    return str(sentence["hsk_level"]), sentence["chinese"], words, pinyin, english


def main() -> None:
    wheel = fetch.pip("hsk-sentences-audio", "1.0.0", SHA256)
    sentences = json.loads(fetch.member(wheel, "hsk_sentences_audio/data/sentences.json"))
    rows = {row(s)[1]: row(s) for s in sentences}  # a sentence that occurs twice is kept once
    text = "".join("\t".join(fields) + "\n" for fields in rows.values())
    (HERE / "sentences.tsv.gz").write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))


if __name__ == "__main__":
    main()
