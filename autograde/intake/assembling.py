"""The rebuilt notebook: the lesson's own cells with the student's answers, what runs, and what source rules look at."""

from __future__ import annotations

from collections.abc import Mapping

import nbformat
from nbformat.notebooknode import NotebookNode

from autograde.intake import sources
from autograde.intake.answers import Answer
from autograde.intake.helpers import Helpers
from autograde.intake.skeleton import Part, Skeleton, plain_data
from autograde.intake.written import Written
from autograde.records import Step


def assemble(skeleton: Skeleton, answers: Mapping[int, Answer], written: Mapping[int, Written],
             helpers: Mapping[int, Helpers]) -> tuple[NotebookNode, tuple[Step, ...]]:
    """The notebook, and the steps to run: each is one of its cells."""
    cells: list[NotebookNode] = []
    steps: list[Step] = []

    def add(part: Part | None, source: str, name: str, kind: str = "", exercise: str = "") -> None:
        if kind:
            steps.append(Step(kind, len(cells), source, exercise))
        cells.append(_node(part, source, name, part.attachments if part else {}))

    count = 0
    for index, part in enumerate(skeleton.parts):
        if part.kind == "solution":
            for helper in helpers[index].placed:
                count += 1
                add(None, helper.source, f"helper-{count}", "helper")
            *earlier, last = answers[index].pieces
            for number, piece in enumerate(earlier, 1):
                add(None, piece.source, f"{part.id[:50]}-part-{number}", "solution", part.exercise)
            # The last piece counts, so it has the cell that nbgrader knows.
            add(part, last.source, part.id, "solution", part.exercise)
        elif part.kind == "written":
            cells.append(_node(part, written[index].text, part.id, written[index].attachments))
        else:
            kind = part.kind if part.kind in ("code", "check") else ""
            add(part, part.source, part.id, kind, part.exercise)
    notebook = nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": plain_data(skeleton.metadata),
                                   "cells": []})
    notebook.cells = cells
    return notebook, tuple(steps)


def _node(part: Part | None, source: str, name: str, attachments: Mapping) -> NotebookNode:
    cell_type = part.cell_type if part else "code"
    metadata = plain_data(part.metadata) if part else {}
    data = {"cell_type": cell_type, "id": name, "metadata": metadata, "source": source}
    if cell_type == "code":
        data |= {"outputs": [], "execution_count": None}
    elif attachments:
        data["attachments"] = plain_data(attachments)
    return nbformat.from_dict(data)


def texts_for_rules(skeleton: Skeleton, answers: Mapping[int, Answer],
                    helpers: Mapping[int, Helpers]) -> dict[str, str]:
    """What source rules look at, by exercise: an answer, its helpers, and what it takes from other answers' cells.

    The names that other exercises ask for are theirs to define; any other name that an answer takes from there
    was put there by the student, as a helper is.
    """
    official = {name for part in skeleton.parts for name in part.answers}
    found = {}
    for index, answer in answers.items():
        pieces = [*helpers[index].needs, *answer.pieces]
        needs = {name for piece in pieces for name in piece.names.needs} - official
        others = [piece for other, given in answers.items() if other != index for piece in given.pieces
                  if piece.names.binds & needs]
        found[skeleton.parts[index].exercise] = sources.for_rules([p.source for p in [*others, *pieces]])
    return found
