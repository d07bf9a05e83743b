"""Surnames and the list each stands in: a small many-to-one task."""

from __future__ import annotations

import gzip

from unrolled import data


def load() -> dict[str, list[tuple[str, str]]]:
    """Surnames with their labels: ``{"train": [(name, label), ...], "test": [...]}``.

    5,943 and 1,486 names of 2 to 16 characters (lower case, with accents) in 12 classes of at most 700 names.

    Source: Faker 40.54.0, MIT licence. A label says in which of Faker's lists a name stands. It does not say
    what nationality or mother tongue a person of that name has; the lists differ in size and in how they were
    made. Names in more than one list are left out, so the task is easier than life.
    """
    splits: dict[str, list[tuple[str, str]]] = {"train": [], "test": []}
    with gzip.open(data.file("surnames", "surnames.tsv.gz"), "rt", encoding="utf-8") as lines:
        for line in lines:
            split, label, name = line.rstrip("\n").split("\t")
            splits[split].append((name, label))
    return splits
