"""Shakespeare's sonnets, one text: for a character language model."""

from __future__ import annotations

from unrolled import data


def load() -> str:
    """154 sonnets (94,000 characters) in order, one line a verse, a blank line between sonnets.

    Source: the package "shakespeare" 0.6 (Open Knowledge Foundation, CC-BY-2.5); the text is in the public domain.
    Titles and numbers were removed. No. 99 has fifteen lines, No. 126 twelve.
    """
    return data.file("sonnets", "sonnets.txt").read_text(encoding="utf-8")
