"""Written answers: what a student wrote, drew, attached or put beside the notebook for a question, wherever it stands.

Students answer in the cell that is given, in a new one above or below it, in the question's own cell, in code, in a
picture or in a file. Nobody but a reader can tell what of it is the answer, so all of it goes there. What stands far
from every question goes to the questions that are otherwise unanswered, what stands right between two to both.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from autograde.intake import sources
from autograde.intake.matching import Matched
from autograde.intake.notebook import Cell
from autograde.intake.pictures import SUFFIXES, Bundle, Gallery, taken_out
from autograde.intake.skeleton import Prose, Skeleton
from autograde.text import shown

MAX_DIFFERED = 2_000  # lines of a cell that are compared with the lesson's own
MIN_SHARED = 20       # characters of a line by which a cell of the lesson is recognised
MIN_WORDS = 30        # characters for each of Python's symbols in what is no Python but words
MAX_LISTED = 20
MAX_READ = 20_000     # bytes of a text file that are shown as an answer
TEXTS = ("txt", "md")
# What people put an answer into. Code and data are there for the notebook.
DOCUMENTS = frozenset((*SUFFIXES, *TEXTS, "svg", "heic", "heif", "bmp", "tif", "tiff", "pdf", "rst", "tex", "rtf",
                       "doc", "docx", "odt", "pages", "ppt", "pptx", "odp", "key", "html", "htm", "drawio"))


@dataclass(frozen=True)
class Written:
    """The answer to one question: its text and pictures, what is put beside the notebook, and what was put right."""

    text: str
    attachments: Bundle
    beside: dict[str, bytes]
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Told:
    """What a student's cell tells: `cell` is its index, `place` the part whose text it was before, if any.

    `text` is Markdown with its `pictures`, `words` whether it is anything but code.
    """

    cell: int
    place: int | None
    text: str
    pictures: Bundle
    words: bool = True


def find_written(matched: Matched, used: Iterable[int], files: Mapping[str, bytes],
                 room: int) -> tuple[dict[int, Written], tuple[str, ...]]:
    """The answer to each question of the lesson, by the part's index; and a repair for what reached none of them.

    Parameters
    ----------
    used : cells that are part of an answer in code.
    files : what lies beside the notebook; `room` is how many bytes more may be put there.
    """
    questions = [index for index, part in enumerate(matched.skeleton.parts) if part.kind == "written"]
    if not questions:
        return {}, ()
    told, too_long = _told(matched, frozenset(used))
    near = _near(matched, questions, told)
    far = near.pop(None, [])
    loose = [one for one in told if one.words and one.place is None]
    written, lost = {}, far
    for index in questions:
        pieces = sorted([*_in_place(matched, index), *near.get(index, [])], key=lambda one: one.cell)
        in_place = any(one.words for one in pieces)
        # Where its cell is gone too, what stands beside another question may be its answer.
        others = far if matched.cells_of(index) else [*far, *(one for one in loose if one not in far)]
        written[index] = _written(matched, index, pieces if in_place else [*others, *pieces], in_place, files, room)
        room -= sum(map(len, written[index].beside.values()))
        lost = lost if in_place else []
    return written, (*too_long, *_said(len(lost), "that you wrote far from every question"))


def _said(count: int, where: str) -> list[str]:
    return [f"{count} text{'s' * (count > 1)} {where} {'were' if count > 1 else 'was'} left out"] if count else []


def _written(matched: Matched, index: int, pieces: list[_Told], in_place: bool, files: Mapping[str, bytes],
             room: int) -> Written:
    part = matched.skeleton.parts[index]
    gallery = Gallery(part.label, files, room)
    texts = dict.fromkeys(gallery.hung(one.text, one.pictures)
                          for one in _moderate(pieces, gallery))
    texts.pop("", None)
    repairs = _said_of(matched, index, pieces, in_place, len(texts))
    documents = [path for path in sorted(files) if path.rpartition(".")[2].lower() in DOCUMENTS]
    if not texts and documents:
        texts |= dict.fromkeys(text for path in documents if (text := _shown_file(path, files[path], gallery)))
        repairs.append(f"{part.label} was answered in files beside the notebook; they were put there")
    listed = [path for path in documents if path not in gallery.referred]
    if listed:
        names = ", ".join(f"`{shown(path).replace('`', '?')}` ({len(files[path]):,} bytes)"
                          for path in listed[:MAX_LISTED])
        texts[f"Handed in beside the notebook: {names}{' and more' * (len(listed) > MAX_LISTED)}"] = None
    return Written("\n\n".join(texts) or part.source, gallery.attachments, gallery.beside,
                   (*repairs, *gallery.repairs))


def _moderate(pieces: list[_Told], gallery: Gallery) -> Iterator[_Told]:
    """The pieces, as far as a person could have written them."""
    left = sources.MAX_CHARACTERS
    for one in pieces:
        left -= len(one.text)
        if left < 0:
            gallery.repairs.append(f"an answer in words of more than 200 kB was cut off at cell {one.cell + 1}")
            return
        yield one


def _said_of(matched: Matched, index: int, pieces: list[_Told], in_place: bool, count: int) -> list[str]:
    """Where the answer was found, if it was not where it belongs."""
    label = matched.skeleton.parts[index].label
    copies = matched.cells_of(index)
    others = [one for one in pieces if one.cell not in copies]
    said = []
    if not copies:
        said.append(f"the grading data of {label} was lost; its cell was found by its place" if in_place
                    else f"the cell of {label} was deleted; its empty form was put back")
    elif others and (in_place or not any(one.words for one in pieces)):
        said.append(f"an answer to {label} stood in {'another cell' if len(others) == 1 else 'other cells'}; "
                    "it was kept")
    if any(one.words for one in pieces) and not in_place:
        said.append(f"{label} was not answered in its place; what you wrote elsewhere was put there")
    if count > 1:
        said.append(f"{label} was answered in {count} cells; all texts were kept")
    if any(matched.cells[i].kind == "code" for i in copies):
        said.append(f"the cell of {label} had been turned into code; it was kept as text")
    return said


def _shown_file(path: str, content: bytes, gallery: Gallery) -> str:
    """A picture or a short text as an answer; empty for what can only be listed."""
    suffix = path.rpartition(".")[2].lower()
    if suffix in SUFFIXES:
        return gallery.hung(f"![{path.replace(']', ' ')}]({quote(path)})", {})
    if suffix in TEXTS and len(content) <= MAX_READ:
        gallery.referred.add(path)
        return sources.tidy(content.decode("utf-8", "replace"))
    return ""


# Where it stands -------------------------------------------------------------------------------------------

def _in_place(matched: Matched, index: int) -> list[_Told]:
    """The cells of a question that say something."""
    stub = matched.skeleton.parts[index].source
    cells = ((i, matched.cells[i]) for i in matched.cells_of(index))
    told = [_Told(i, index, "", cell.pictures) if sources.same(cell.source, stub) else _of(i, index, cell)
            for i, cell in cells]
    return [one for one in told if one.text.strip() or one.pictures]


def _near(matched: Matched, questions: list[int], told: list[_Told]) -> dict[int | None, list[_Told]]:
    """What was told, by the question whose cell or text stands directly above or below it; None is far from all."""
    parts = matched.skeleton.parts
    asked = {index - 1: index for index in questions if index and parts[index - 1].kind == "markdown"}
    places = list(matched.known)
    for one in told:
        places[one.cell] = one.place
    found: dict[int | None, list[_Told]] = {}
    above: list[int | None] = [None]  # the nearest part at or above each cell
    for place in places:
        above.append(above[-1] if place is None else place)
    below: int | None = None
    following = [None] * (len(places) + 1)
    for cell in range(len(places) - 1, -1, -1):
        following[cell] = below
        below = below if places[cell] is None else places[cell]
    for one in told:
        before, after = above[one.cell], following[one.cell]
        spots = [before, asked.get(before), after, asked.get(after) if one.words else None]
        if one.place is not None:
            spots = [asked.get(one.place), one.place - 1]
        question = next((spot for spot in spots if spot in questions), None)
        if question is not None or one.words:
            found.setdefault(question, []).append(one)
        if one.words and one.place is None and question == before and after in questions:
            found.setdefault(after, []).append(one)  # between two answers, nothing else there: it may be either's
    return found


def _told(matched: Matched, used: frozenset[int]) -> tuple[list[_Told], list[str]]:
    """What the student's own cells say, and the lesson's own where they were written into; and what was too long."""
    found, too_long = [], 0
    for index, cell in enumerate(matched.cells):
        if matched.known[index] is not None or index in used:
            continue
        if len(cell.source) > sources.MAX_CHARACTERS:
            too_long += 1
            continue
        prose = _prose(matched.skeleton, cell) if cell.kind == "text" else None
        one = _of(index, None, cell) if prose is None else _Told(
            index, prose.place, _added(prose.source, cell.source), cell.pictures)
        # The pictures of the lesson's own text are the lesson's.
        if one.text.strip() or (prose is None and one.pictures):
            found.append(one)
    return found, _said(too_long, "of more than 200 kB")


def _prose(skeleton: Skeleton, cell: Cell) -> Prose | None:
    """The text of the lesson that a cell was before a student wrote into it."""
    if cell.id in skeleton.prose_by_id:
        return skeleton.prose_by_id[cell.id]
    shared: Counter[Prose] = Counter()
    for line in sources.plain(cell.source).splitlines():
        if len(line) >= MIN_SHARED and (prose := skeleton.prose_by_line.get(line)) is not None:
            shared[prose] += len(line)
    return shared.most_common(1)[0][0] if shared else None


def _added(given: str, text: str) -> str:
    """What a text says that the lesson's own, which it was before, does not."""
    lines = text.splitlines()
    if len(lines) > MAX_DIFFERED:
        return text
    before, after = ([sources.plain(line) for line in one] for one in (given.splitlines(), lines))
    kept: list[str] = []
    for what, i, end, j, stop in difflib.SequenceMatcher(None, before, after).get_opcodes():
        if what in ("insert", "replace"):
            kept += [_rest(lines[k], after[k], before[i:end]) for k in range(j, stop)]
    return "\n".join(kept).strip("\n")


def _rest(line: str, plain: str, given: list[str]) -> str:
    """A line without the lesson's own line that it begins with."""
    own = max((one for one in given if one and plain.startswith(one)), key=len, default="")
    return plain[len(own):].lstrip() if own else line


# What it says ----------------------------------------------------------------------------------------------

def _of(index: int, place: int | None, cell: Cell) -> _Told:
    """What a cell says: of code, comments, strings and what is no Python are words."""
    if cell.kind == "text":
        return _Told(index, place, cell.source, cell.pictures)
    tree = sources.tree(cell.source)
    if tree is None and not cell.source.lstrip().startswith(("%", "!")):
        text, pasted = taken_out(cell.source)
        symbols = sum(map(text.count, "=()[]{}"))
        return _Told(index, place, text, cell.pictures | pasted, symbols * MIN_WORDS < len(text))
    if tree is not None and all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                                and isinstance(node.value.value, str) for node in tree.body):
        strings = [node.value.value for node in tree.body]
        text, pasted = taken_out("\n\n".join(strings) or re.sub(r"^[ \t]*#+ ?", "", cell.source, flags=re.M))
        return _Told(index, place, text, cell.pictures | pasted)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", cell.source)), default=0))
    return _Told(index, place, f"{fence}python\n{cell.source}\n{fence}", cell.pictures, words=False)
