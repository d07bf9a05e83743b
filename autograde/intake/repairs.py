"""What else was put right: checks, cells for everybody, grading data, tags and the order of cells, in words."""

from __future__ import annotations

from autograde.intake import sources
from autograde.intake.matching import Matched
from autograde.intake.skeleton import Part
from autograde.text import shown

_SETTINGS = ("grade", "solution", "locked", "points", "task", "cell_type")


def said_of_the_rest(matched: Matched) -> tuple[str, ...]:
    """One sentence for everything of the lesson's own that came changed and was put back."""
    said: list[str] = []
    for index, part in enumerate(matched.skeleton.parts):
        if part.kind == "check":
            said += _of_check(matched, index, part)
        elif part.kind == "code" and not matched.cells_of(index):
            said.append(f"a cell of the lesson was changed or deleted ({_title(part.source)}); the original was used")
    return (*said, *_of_settings(matched), *_of_tags(matched), *_of_order(matched))


def _of_check(matched: Matched, index: int, part: Part) -> list[str]:
    said = []
    copies = matched.cells_of(index)
    if not copies:
        said.append(f"the check of {part.exercise} was deleted; the original was used")
    elif not all(sources.same(matched.cells[i].source, part.source) for i in copies):
        said.append(f"the check of {part.exercise} was edited; the original was used")
    elif len(copies) > 1:
        said.append(f"the check of {part.exercise} was there {len(copies)} times; one was used")
    if any(matched.cells[i].kind != "code" for i in copies):
        said.append(f"the check of {part.exercise} had been turned into text; the original was used")
    return said


def _of_settings(matched: Matched) -> list[str]:
    changed: dict[str, set[str]] = {}
    for cell, known in zip(matched.cells, matched.known, strict=True):
        part = matched.skeleton.parts[known] if known is not None else None
        if part and part.grade_id and cell.settings:
            original = part.metadata["nbgrader"]
            wrong = {k for k, v in cell.settings if k in _SETTINGS and v != original.get(k, v)}
            changed.setdefault(part.grade_id, set()).update(wrong)
    return [f"the grading data of {grade_id} was edited ({', '.join(sorted(keys))}); the original was used"
            for grade_id, keys in changed.items() if keys]


def _of_tags(matched: Matched) -> list[str]:
    added: dict[str, int] = {}
    for cell, known in zip(matched.cells, matched.known, strict=True):
        if known is not None:
            for tag in set(cell.tags) - set(matched.skeleton.parts[known].metadata.get("tags", [])):
                added[tag] = added.get(tag, 0) + 1
    return [f"the tag {shown(tag)} was added to {count} cell{'s' * (count > 1)} and ignored"
            for tag, count in sorted(added.items())[:10]]


def _of_order(matched: Matched) -> list[str]:
    parts = matched.skeleton.parts
    order = list(dict.fromkeys(p for p in matched.known if p is not None and parts[p].kind != "markdown"))
    return ["cells had been moved; the lesson's order was used"] if order != sorted(order) else []


def _title(source: str) -> str:
    """The first telling line of a cell, short."""
    return shown(next((line.strip() for line in source.splitlines() if line.strip()), "empty"))
