"""nbval, with one more thing it understands: how far a cell's numbers may move (``tolerance`` in its metadata).

nbval compares text to the letter. Trained figures differ between processors, so a cell that prints them states
a tolerance; `autograde.authoring.outputs.same_text` holds the new values to it. All other text must be equal, as nbval
has it.
"""

from __future__ import annotations

import copy

from nbval.plugin import IPyNbCell

from autograde.authoring.outputs import same_text

_compare = IPyNbCell.compare_outputs


def compare_outputs(self, test, ref, skip_compare=None):
    """Give a new text that agrees with the committed one its committed form, then compare as nbval does."""
    test = copy.deepcopy(list(test))
    new, committed = _texts(test), _texts(ref)
    for kind, places in new.items():
        if len(places) == len(committed.get(kind, [])):
            for (holder, key), (old_holder, old_key) in zip(places, committed[kind], strict=True):
                if same_text(old_holder[old_key], holder[key], self.cell.metadata.get("tolerance")):
                    holder[key] = old_holder[old_key]
    return _compare(self, test, ref, skip_compare)


def _texts(outputs) -> dict[str, list[tuple[dict, str]]]:
    """Where the texts of a cell's outputs stand, by kind: stream name or MIME type."""
    found: dict[str, list[tuple[dict, str]]] = {}
    for output in outputs:
        if output["output_type"] == "stream":
            found.setdefault(output["name"], []).append((output, "text"))
        for kind, value in output.get("data", {}).items():
            if isinstance(value, str):
                found.setdefault(kind, []).append((output["data"], kind))
    return found


IPyNbCell.compare_outputs = compare_outputs
