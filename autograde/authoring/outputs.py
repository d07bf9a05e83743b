"""When two outputs of a notebook cell are the same: text to the letter, numbers as near as the cell's metadata says.

A trained figure differs between processors, so its cell states how far: ``# %% tolerance=0.03`` in the source. What is
printed as ± is for the reader, the spread of an experiment; it is a number like any other here. Text that a trained
model wrote cannot be held to anything: its cell carries nbval's own tag and asserts what is claimed of it. Image
bytes depend on fonts and library versions, so only their presence counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NUMBER = re.compile(r"[-+−]?\d+(?:\.\d+)?")
IMAGES = ("image/png", "image/jpeg", "image/svg+xml")
# The tag of a cell whose text a model writes: on another processor it writes another.
UNCOMPARED = "nbval-ignore-output"


def same_text(committed: str, new: str, tolerance: float | None = None) -> bool:
    """Whether `new` repeats `committed`: no number moved by more than `tolerance`, and all else is equal."""
    if committed == new or tolerance is None:
        return committed == new
    olds, news = ([float(number.replace("−", "-")) for number in _NUMBER.findall(text)] for text in (committed, new))
    # Columns may be padded to the width of a number that gained or lost a digit or a sign.
    blank = [re.sub(r" +", " ", _NUMBER.sub(" # ", text)) for text in (committed, new)]
    return bool(olds) and blank[0] == blank[1] and all(
        abs(old - now) <= tolerance + 1e-12 for old, now in zip(olds, news, strict=True))


def differences(committed: list, new: list, metadata: Mapping | None = None) -> list[str]:
    """What differs between two lists of a cell's outputs, in words; empty if nothing that matters does.

    metadata : the cell's; its `tolerance` and tags say what matters.
    """
    metadata = metadata or {}
    if len(committed) != len(new):
        return [f"{len(committed)} outputs are committed, a new run gives {len(new)}"]
    found = []
    for old, now in zip(committed, new, strict=True):
        old_parts, new_parts = _parts(old), _parts(now)
        if set(old_parts) != set(new_parts):
            found.append(f"output has {sorted(new_parts)}, committed is {sorted(old_parts)}")
            continue
        if UNCOMPARED in metadata.get("tags", []):
            continue
        for kind, text in old_parts.items():
            if kind not in IMAGES and not same_text(text, new_parts[kind], metadata.get("tolerance")):
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
