"""Make surnames.tsv.gz again, byte for byte: python data/surnames/rebuild.py

Surnames in Latin script from twelve of Faker's lists, at most 700 a list, lower case, split into train and test.
A name that stands in more than one list is left out: it would have no single right answer.
"""

import ast
import gzip
import random
import sys
import unicodedata
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fetch  # noqa: E402 (it lies in the folder above)

WHEEL = ("faker", "40.54.0", "2dd88ee8cb63a9149e19ef48bdd73879bc3854d8ba2d6c1535e902a762e603f7")
LISTS = {  # label: Faker's locales
    "Croatian": ["hr_HR"], "Dutch": ["nl_NL"], "English": ["en_GB", "en_US"], "Finnish": ["fi_FI"],
    "French": ["fr_FR"], "German": ["de_AT", "de_DE"], "Irish": ["ga_IE"], "Italian": ["it_IT"],
    "Slovak": ["sk_SK"], "Spanish": ["es_CL", "es_ES"], "Swedish": ["sv_SE"], "Zulu": ["zu_ZA"],
}
VARIABLES = {"last_names", "last_names_male"}  # not the female forms: most differ by a suffix only
MOST, TEST = 700, 0.2


def surnames(source: str) -> set[str]:
    """The strings assigned to `last_names` (or `last_names_male`) in a provider's source, lower case, NFC."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and VARIABLES & {getattr(t, "id", "") for t in node.targets}:
            found |= {c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant)
                      and isinstance(c.value, str)}
    return {unicodedata.normalize("NFC", name.lower().replace("’", "'").strip()) for name in found}


def main():
    wheel = fetch.pip(*WHEEL)
    lists = {}
    for label, locales in LISTS.items():
        sources = [fetch.member(wheel, f"faker/providers/person/{locale}/__init__.py") for locale in locales]
        lists[label] = set().union(*(surnames(source.decode("utf-8")) for source in sources))
    places = Counter(name for names in lists.values() for name in names)
    rng, lines = random.Random(2), []
    for label, names in sorted(lists.items()):
        kept = sorted(name for name in names if places[name] == 1 and 2 <= len(name) <= 16)
        rng.shuffle(kept)
        kept = kept[:MOST]
        first = round(len(kept) * TEST)
        lines += [f"{'test' if i < first else 'train'}\t{label}\t{name}" for i, name in enumerate(kept)]
    with open(HERE / "surnames.tsv.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write("".join(f"{line}\n" for line in sorted(lines)).encode("utf-8"))
    (HERE / "LICENSE").write_bytes(fetch.member(wheel, "licenses/LICENSE.txt"))
    print(fetch.describe(HERE, "surnames.tsv.gz"))


if __name__ == "__main__":
    main()
