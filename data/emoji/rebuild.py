"""Make pictures.npy.gz and names.tsv again, byte for byte: python data/emoji/rebuild.py (needs Pillow, NumPy)

Noto emoji of people in five skin tones, 16 x 16 pixels, with their names. Each person's picture is held out for
test in one of the tones: the words of its name are known from training, the combination is not.
"""

import gzip
import io
import json
import random
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fetch  # noqa: E402 (it lies in the folder above)

ARCHIVE = ("emoji-datasource-google", "16.0.0",
           "fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438")
TONES = {"1F3FB": "light", "1F3FC": "medium-light", "1F3FD": "medium", "1F3FE": "medium-dark", "1F3FF": "dark"}
SIDE, CELL = 16, 18


def picture(sheet: np.ndarray, entry: dict) -> np.ndarray:
    """One emoji cut out of the sheet, on white: (16, 16, 3), uint8."""
    x, y = entry["sheet_x"] * CELL + 1, entry["sheet_y"] * CELL + 1
    cut = sheet[y:y + SIDE, x:x + SIDE].astype(float)
    alpha = cut[..., 3:] / 255
    return np.rint(cut[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def main():
    archive = fetch.npm(*ARCHIVE)
    entries = json.loads(fetch.member(archive, "package/emoji.json"))
    png = fetch.member(archive, "img/google/sheets-clean/16.png")
    sheet = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))
    rng, people = random.Random(2), []
    for entry in sorted(entries, key=lambda e: e["unified"]):
        toned = {tone: variant for code, tone in TONES.items()
                 if (variant := entry.get("skin_variations", {}).get(code)) and variant["has_img_google"]}
        if entry["category"] == "People & Body" and len(toned) == len(TONES):
            words = entry["name"].lower().replace(":", "").replace(",", "").replace(" sign", "")
            drawn = {tone: picture(sheet, variant) for tone, variant in toned.items()}
            people.append((words, rng.choice(list(TONES.values())), drawn))
    times, lines, pictures = Counter(words for words, _, _ in people), [], []
    for words, held_out, drawn in people:
        # Two emoji of one name would put a held-out name into training; a tone that cannot be seen cannot be named.
        if times[words] == 1 and len({p.tobytes() for p in drawn.values()}) == len(TONES):
            lines += [f"{'test' if tone == held_out else 'train'}\t{words}\t{tone}\n" for tone in drawn]
            pictures += drawn.values()
    (HERE / "names.tsv").write_text("".join(lines), encoding="utf-8")
    array = io.BytesIO()
    np.save(array, np.stack(pictures))
    with open(HERE / "pictures.npy.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(array.getvalue())
    print(len(lines))
    print(fetch.describe(HERE, "pictures.npy.gz", "names.tsv"))


if __name__ == "__main__":
    main()
