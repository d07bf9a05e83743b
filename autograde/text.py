"""Text that a student chose, made fit to be shown on a terminal, in a record or in a sentence."""

from __future__ import annotations

import unicodedata

LONGEST = 60  # characters of a name
MAX_MARKS = 4  # accents on one letter
_JOINERS = "\u200c\u200d"  # Persian, Hindi and others write them within words


def shown(text: str, longest: int = LONGEST) -> str:
    """One printable line of at most `longest` characters; both ends of a longer text are kept.

    No control codes and so no colours, links or movements of a terminal, no marks that turn the direction of what
    follows, no line breaks, no pile of accents, no half characters: each becomes a question mark or is left out.
    """
    kept: list[str] = []
    marks = 0
    for index, character in enumerate(text[:10 * longest] if len(text) <= 20 * longest
                                      else text[:10 * longest] + text[-10 * longest:]):
        marks = marks + 1 if unicodedata.combining(character) else 0
        if character in _JOINERS and _between_letters(text, index):
            kept.append(character)
        elif not character.isprintable():
            kept.append("?")
        elif marks <= MAX_MARKS:
            kept.append(character)
    if len(kept) > longest:
        tail = longest // 3
        kept = [*kept[:longest - tail - 1], "…", *kept[-tail:]]
    return "".join(kept)


def _between_letters(text: str, index: int) -> bool:
    around = text[index - 1:index] + text[index + 1:index + 2]
    return len(around) == 2 and all(unicodedata.category(c)[0] in "LM" for c in around)
