"""From the executed reference to what students get: nbgrader's own generate steps, and each figure as a target.

`nbgrader_config.py` names `release_preprocessors`, so that `nbgrader generate_assignment` and `autograde build` derive
the same notebook.
"""

from __future__ import annotations

import nbformat
from nbgrader import preprocessors as stock
from nbgrader.preprocessors import NbGraderPreprocessor


class AttachTargets(NbGraderPreprocessor):
    """Put each figure of the reference into the student notebook, below the cell that draws it."""

    def preprocess(self, nb, resources):
        """Insert a Markdown cell with the figure attached after every cell that shows one."""
        cells = []
        for cell in nb.cells:
            cells.append(cell)
            shown = [o for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
            for number, output in enumerate(shown):
                cells.append(_target(cell.id, number, output))
        nb.cells = cells
        return nb, resources


def _target(cell_id: str, number: int, output):
    alt = output.metadata.get("image/png", {}).get("alt", "")
    name = f"target-{number}.png"
    target = nbformat.v4.new_markdown_cell(
        f"**Target.** What the cell above should show:\n\n![{alt}](attachment:{name})",
        attachments={name: {"image/png": output.data["image/png"]}}, metadata={"tags": ["target"]})
    target.id = f"{cell_id[:50]}-target{number}"
    return target


def release_preprocessors(*, save: bool = True) -> list:
    """nbgrader's own generate steps, with the targets attached first; `save` records the cells in a gradebook."""
    return [
        AttachTargets, stock.IncludeHeaderFooter, stock.InstantiateTests, stock.LockCells, stock.ClearSolutions,
        stock.ClearOutput, stock.CheckCellMetadata, stock.ComputeChecksums,
        *([stock.SaveCells] if save else []),
        stock.ClearHiddenTests, stock.ClearMarkScheme, stock.ComputeChecksums, stock.CheckCellMetadata,
    ]
