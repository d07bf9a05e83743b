"""Parallel couplets of Tang poetry: a many-to-many task with equal lengths."""

from __future__ import annotations

import gzip

from unrolled import data


def load() -> list[tuple[str, str]]:
    """10,305 couplets as ``(upper line, lower line)``, five characters each, in the collection's order.

    1,200 different characters, traditional script. In the second and third couplet of an eight-line poem the two
    lines are meant to answer each other character by character: noun to noun, number to number.

    Source: chinese-poetry 2.0.1, MIT licence; the poems (7th to 10th century) are in the public domain. Couplets
    with rarer characters were left out, and variant readings of a couplet that is there already.
    """
    with gzip.open(data.file("couplets", "couplets.txt.gz"), "rt", encoding="utf-8") as lines:
        return [tuple(line.split()) for line in lines]
