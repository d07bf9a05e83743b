"""From the executed reference to what students get: nbgrader's own generate steps, and each figure as a target.

`nbgrader_config.py` names `release_preprocessors`, so that `nbgrader generate_assignment` and `autograde build` derive
the same notebook.
"""

from __future__ import annotations

import nbformat
from nbgrader import preprocessors as stock
from nbgrader.preprocessors import NbGraderPreprocessor

# The tag of a cell whose figure is the same for everybody.
DIAGRAM = "diagram"


class AttachTargets(NbGraderPreprocessor):
    """Put the figures of the reference into the student notebook, below the cell that draws them.

    A cell tagged `diagram` draws the same whatever the student wrote, so it has nothing to be compared with.
    """

    def preprocess(self, nb, resources):
        """Insert a Markdown cell with the figures attached after every cell that shows some."""
        cells = []
        for cell in nb.cells:
            cells.append(cell)
            shown = [o for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
            if shown and DIAGRAM not in cell.metadata.get("tags", []):
                cells.append(_target(cell.id, shown))
        nb.cells = cells
        return nb, resources


def _target(cell_id: str, shown: list):
    images, attachments = [], {}
    for number, output in enumerate(shown):
        name = f"target-{number}.png"
        images.append(f"![{output.metadata.get('image/png', {}).get('alt', '')}](attachment:{name})")
        attachments[name] = {"image/png": output.data["image/png"]}
    target = nbformat.v4.new_markdown_cell(
        "\n\n".join(["**Target.** What the cell above should show:", *images]),
        attachments=attachments, metadata={"tags": ["target"]})
    target.id = f"{cell_id[:50]}-target0"
    return target


def release_preprocessors(*, save: bool = True) -> list:
    """nbgrader's own generate steps, with the targets attached first; `save` records the cells in a gradebook."""
    return [
        AttachTargets, stock.IncludeHeaderFooter, stock.InstantiateTests, stock.LockCells, stock.ClearSolutions,
        stock.ClearOutput, stock.CheckCellMetadata, stock.ComputeChecksums,
        *([stock.SaveCells] if save else []),
        stock.ClearHiddenTests, stock.ClearMarkScheme, stock.ComputeChecksums, stock.CheckCellMetadata,
    ]
