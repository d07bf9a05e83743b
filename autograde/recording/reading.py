"""What to read again: for each exercise the section of the lesson that it belongs to, set once for a whole class."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from autograde.recording import student_text


@dataclass(frozen=True)
class Section:
    """A section of a lesson, without exercises, hints, code and pictures; `source` is its Markdown."""

    anchor: str
    title: str
    source: str

    @property
    def html(self) -> Markup:
        """The section as a page shows it."""
        return _set(self.source)


def sections(notebook: Mapping) -> dict[str, Section]:
    """The section of each exercise in an autograded notebook, by exercise; none for what stands under no heading."""
    outline = []
    for cell in notebook["cells"]:
        grader = cell["metadata"].get("nbgrader", {})
        if grader:
            outline.append((str(grader["grade_id"]), ""))
        elif cell["cell_type"] == "markdown":
            outline.append(("", "".join(cell["source"])))
    return _sections(tuple(outline))


@functools.lru_cache(maxsize=32)
def _sections(outline: tuple[tuple[str, str], ...]) -> dict[str, Section]:
    """From a lesson's cells that matter, the same for a whole class: (grade id, or nothing; Markdown)."""
    found: dict[str, int] = {}
    titles, texts = [], []
    for grade_id, source in outline:
        if not grade_id:
            if headings := re.findall(r"^#{2,6} +(.+)$", source, re.M):
                titles.append(headings[-1].strip().replace("`", ""))
                texts.append([])
            if titles:
                texts[-1].append(source)
        elif titles:
            found.setdefault(grade_id.removesuffix("-check").replace("-", ".", 1), len(titles) - 1)
    made = [Section(f"read-{number + 1}", title, _prose(text)) for number, (title, text) in enumerate(
        zip(titles, texts, strict=True))]
    return {exercise: made[number] for exercise, number in found.items() if made[number].source}


def _prose(cells: list[str]) -> str:
    """What is read of a section's cells: up to each exercise, and without what a page has no use for.

    What follows an exercise leads on to something else, unless it leads to another one.
    """
    kept, met = [], False
    for source in cells:
        text, *exercise = re.split(r"^\*\*Exercise `", source, maxsplit=1, flags=re.M)
        if met and not exercise:
            continue
        met |= bool(exercise)
        text = re.sub(r"<details>.*?</details>", "", text, flags=re.S)
        text = re.sub(r"^#{2,6} +.+$|^!\[[^\]]*\]\([^)]*\)$", "", text, flags=re.M)
        text = re.sub(r"</?[a-zA-Z][^<>\n]*>", "", text)  # what little HTML lessons have
        kept.append(re.sub(r"(?<!!)\[([^\[\]]+)\]\([^()\s]*\)", r"\1", text).strip())
    return "\n\n".join(filter(None, kept))


@functools.lru_cache(maxsize=512)
def _set(source: str) -> Markup:
    return student_text.rendered(source)
