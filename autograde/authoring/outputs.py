"""When two notebook outputs are the same: text to the letter, but for numbers that state their tolerance.

``accuracy 0.78 ± 0.03`` in a committed notebook agrees with ``accuracy 0.80 ± 0.03`` in a new run: the
author said how far a trained figure may move between processors. Every other character must be equal.
Image bytes depend on fonts and library versions, so only their presence counts.
"""

from __future__ import annotations

import re

_TOLERANT = re.compile(r"([-+−]?\d+(?:\.\d+)?)(\s*±\s*)(\d+(?:\.\d+)?)")
IMAGES = ("image/png", "image/jpeg", "image/svg+xml")


def same_text(committed: str, new: str) -> bool:
    """Whether `new` repeats `committed`, each ``value ± tolerance`` within the committed tolerance."""
    if committed == new:
        return True
    old_numbers, new_numbers = _TOLERANT.findall(committed), _TOLERANT.findall(new)
    blank = [_TOLERANT.sub(r"#\2\3", text) for text in (committed, new)]
    # Columns may be padded to the width of a number that gained a digit.
    if next(re.sub(r" +", " ", text) for text in blank) != re.sub(r" +", " ", blank[1]) or not old_numbers:
        return False
    return all(abs(_number(a) - _number(b)) <= float(tolerance) + 1e-12
               for (a, _, tolerance), (b, _, _) in zip(old_numbers, new_numbers, strict=True))


def _number(text: str) -> float:
    return float(text.replace("−", "-"))


def differences(committed: list, new: list) -> list[str]:
    """What differs between two lists of notebook outputs, in words; empty if nothing that matters does."""
    if len(committed) != len(new):
        return [f"{len(committed)} outputs are committed, a new run gives {len(new)}"]
    found = []
    for old, now in zip(committed, new, strict=True):
        old_parts, new_parts = _parts(old), _parts(now)
        if set(old_parts) != set(new_parts):
            found.append(f"output has {sorted(new_parts)}, committed is {sorted(old_parts)}")
            continue
        for kind, text in old_parts.items():
            if kind not in IMAGES and not same_text(text, new_parts[kind]):
                found.append(f"{kind} differs: committed {_clip(text)}, new {_clip(new_parts[kind])}")
    return found


def _parts(output) -> dict[str, str]:
    if output["output_type"] == "stream":
        return {output["name"]: output["text"]}
    if output["output_type"] == "error":
        return {"error": f"{output['ename']}: {output['evalue']}"}
    return {kind: text if isinstance(text, str) else repr(text) for kind, text in output["data"].items()}


def _clip(text: str, limit: int = 300) -> str:
    return repr(text if len(text) <= limit else text[:limit] + "…")
