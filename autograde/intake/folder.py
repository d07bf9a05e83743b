"""A student's folder: which file in it is the notebook, its bytes, and what lies beside it.

Nothing here trusts the folder: no link is followed on the way to it or in it, nothing that could block is opened,
sizes are capped before memory is spent, and whatever is wrong becomes one line for student and instructor.
"""

from __future__ import annotations

import mmap
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograde.intake import beside, nofollow, outputs
from autograde.intake.nofollow import FILE, FOLDER, LINK, Entry, Refused
from autograde.intake.notebook import MAX_BYTES, Unreadable
from autograde.intake.roll import ARCHIVES, NOBODY, NOTEBOOKS
from autograde.records import MISSING, UNREADABLE
from autograde.text import shown

MAX_CANDIDATES = 50
MAX_COMPARED = 128 * 2**20  # bytes of notebooks that are compared to choose one
MAX_DEPTH = 3               # folders in folders
MAX_ENTRIES = 2_000
MAX_LARGE = 2**30           # bytes of a notebook whose outputs are left out
NOTHING = "no notebook was handed in"
TOO_LARGE = "is larger than 64 MiB; clear all outputs and hand it in again"

Steps = tuple[str, ...]


@dataclass(frozen=True)
class HandedIn:
    """What lay in a student's folder: the notebook's bytes, or a status (``missing``, ``unreadable``) and why.

    Attributes
    ----------
    files : what lies beside the notebook, by its path with forward slashes.
    folder : steps from the class's directory to where the notebook lies.
    asks : one line that the instructor has to see although there is a status or a notebook; mostly empty.
    """

    content: bytes | None = None
    repairs: tuple[str, ...] = ()
    status: str | None = None
    note: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    folder: Steps = ()
    asks: str = ""


@dataclass(frozen=True)
class Lesson:
    """What is looked for: a lesson's name, its grade ids, the other lessons' names, and how to ask a file's worth.

    `worked` tells how many answers in a notebook's bytes are somebody's work; -1 if it is not this lesson's.
    """

    name: str
    grade_ids: frozenset[str]
    others: frozenset[str]
    worked: Callable[[bytes], int]


@dataclass(frozen=True)
class _Candidate:
    """A file that may be the notebook, and what came of reading it."""

    steps: Steps
    entry: Entry
    content: bytes | None = None
    repairs: tuple[str, ...] = ()
    problem: str = ""
    worked: int = -1

    @property
    def name(self) -> str:
        return shown(self.steps[-1])

    @property
    def merit(self) -> tuple:
        """Most answers, so worked on before untouched and this lesson's before another's; then the newest."""
        return self.worked, self.entry.written


def find(root: Path, folder: str, lesson: Lesson) -> HandedIn:
    """What one of a student's folders below `root` holds for a lesson. Never raises for anything a student did."""
    try:
        return _found(Path(root), folder, lesson)
    except Refused as refused:
        what = "is a symbolic link; hand in the folder itself" if refused.kind == LINK else \
            "is a file, not a folder with a notebook; hand it in again"
        name = "the folder " * (refused.kind == LINK) + shown(refused.name)
        return HandedIn(status=UNREADABLE, note=f"{name} {what}")
    except OSError as error:
        return HandedIn(status=UNREADABLE,
                        note=f"the folder {shown(folder)} cannot be read ({error.strerror}); check its permissions")


def _found(root: Path, folder: str, lesson: Lesson) -> HandedIn:
    own = (folder, lesson.name)
    try:
        inside = _listed(root, own)
    except FileNotFoundError:
        inside = []
    candidates = _notebooks(inside) or _elsewhere(root, folder, lesson)
    if not candidates:
        return _nothing(root, folder, own, inside)
    place = candidates[0].steps[:-1]
    repairs = () if place == own else (f"the notebook lay in {_place(place)} instead of {lesson.name}; "
                                       "it was graded all the same",)
    chosen, said = _chosen(root, candidates, lesson)
    repairs += said
    if chosen.content is None:
        return HandedIn(None, repairs, UNREADABLE, chosen.problem, folder=own)
    files, left_out = beside.gathered(root, chosen.steps[:-1], lesson.others | {lesson.name})
    return HandedIn(chosen.content, (*repairs, *chosen.repairs, *left_out), files=files, folder=own)


def _place(steps: Steps) -> str:
    return shown("/".join(steps[1:])) if len(steps) > 1 else "the student's folder"


# Looking ---------------------------------------------------------------------------------------------------

def _listed(root: Path, steps: Steps, leave: frozenset[str] = NOBODY) -> list[tuple[Steps, Entry]]:
    """Everything in a folder and in those below it that can be opened, the nearest first; not in those to `leave`."""
    found: list[tuple[Steps, Entry]] = []
    waiting = [steps]
    while waiting and len(found) < MAX_ENTRIES:
        here = waiting.pop(0)
        try:
            listed = nofollow.entries(root, here)
        except (Refused, OSError):
            if here == steps:
                raise
            continue
        for entry in listed[:MAX_ENTRIES]:
            found.append(((*here, entry.name), entry))
            if entry.kind == FOLDER and entry.name not in leave and len(here) - len(steps) < MAX_DEPTH:
                waiting.append((*here, entry.name))
    return found


def _notebooks(listed: Sequence[tuple[Steps, Entry]]) -> list[_Candidate]:
    """The notebooks of the uppermost folder that has any."""
    found = [_Candidate(steps, entry) for steps, entry in listed
             if entry.name.lower().endswith(NOTEBOOKS) and not any(step.startswith(".") for step in steps[2:])]
    depth = min((len(one.steps) for one in found), default=0)
    return [one for one in found if len(one.steps) == depth]


def _elsewhere(root: Path, folder: str, lesson: Lesson) -> list[_Candidate]:
    """Notebooks in a student's folder that hold cells of the lesson but do not lie in the lesson's folder."""
    try:
        listed = _listed(root, (folder,))
    except FileNotFoundError:
        return []
    found = [_Candidate(steps, entry) for steps, entry in listed
             if entry.kind == FILE and entry.name.lower().endswith(NOTEBOOKS)
             and not lesson.others & set(steps[1:-1]) and not any(step.startswith(".") for step in steps[1:])]
    read = [_read(root, one) for one in found[:MAX_CANDIDATES]]
    own = [one for one in read if one.content is not None and _is_of(one.content, lesson)]
    return [replace(one, content=None) for one in own if one.steps[:-1] == own[0].steps[:-1]]


def _is_of(content: bytes, lesson: Lesson) -> bool:
    content = content.replace(b"\0", b"")  # without its zero bytes UTF-16 reads like ASCII here
    return any(f'"{grade_id}"'.encode() in content for grade_id in lesson.grade_ids)


def _nothing(root: Path, folder: str, own: Steps, inside: Sequence[tuple[Steps, Entry]]) -> HandedIn:
    """Why there is nothing to grade; a folder that may hold a notebook after all is asked about."""
    packed = [shown(entry.name) for _, entry in inside if entry.name.lower().endswith(ARCHIVES)]
    if packed:
        return HandedIn(None, (), UNREADABLE, f"{packed[0]} is an archive; unpack it, or let `autograde collect` do it",
                        folder=own)
    try:
        listed = _listed(root, (folder,), leave=frozenset())
    except FileNotFoundError:
        listed = []
    others = [shown("/".join(steps[1:])) for steps, entry in listed
              if entry.name.lower().endswith(NOTEBOOKS + ARCHIVES) and not entry.name.startswith("._")
              and (len(steps) == 2 or any(step.startswith(".") for step in steps[1:]))]
    asks = f"{NOTHING}, but there is {others[0]}" if others else ""
    names = [shown(entry.name) for _, entry in inside if entry.kind == FILE and not entry.name.startswith(".")
             and entry.name not in beside.NOT_THEIRS]
    note = f"{NOTHING} (the folder holds {', '.join(names[:3])})" if names else NOTHING
    return HandedIn(None, (), MISSING, note, folder=own, asks=asks)


# Choosing --------------------------------------------------------------------------------------------------

def _chosen(root: Path, candidates: list[_Candidate], lesson: Lesson) -> tuple[_Candidate, tuple[str, ...]]:
    """The notebook to grade, and the choice in words: the exact name, unless only another one is worked on."""
    exact = f"{lesson.name}.ipynb"
    candidates.sort(key=lambda one: (unicodedata.normalize("NFC", one.steps[-1]) != exact, -one.entry.written))
    if len(candidates) == 1:
        best = _read(root, candidates[0])
        return best, () if best.steps[-1] == exact else (_renamed(best, exact),)
    looked, left = [], MAX_COMPARED
    for candidate in candidates[:MAX_CANDIDATES]:
        one = _read(root, candidate) if candidate.entry.size <= left else replace(
            candidate, problem=f"{candidate.name} was not looked at: there is too much in this folder")
        left -= len(one.content or b"")
        looked.append(replace(one, worked=lesson.worked(one.content)) if one.content is not None else one)
    best = max(looked, key=lambda one: one.merit)
    first = looked[0]
    others = [*(one for one in looked if one is not best), *candidates[MAX_CANDIDATES:]]
    if first.steps[-1] == exact:
        if first.worked > 0 or best.worked <= 0:
            return first, _not_graded(one for one in [*others, best] if one is not first)
        why = first.problem or f"{exact} is untouched"
        return best, (f"{why}; {best.name}, which is worked on, was graded in its place",
                      *_not_graded(one for one in others if one is not first))
    return best, (_renamed(best, exact), *_not_graded(others))


def _renamed(best: _Candidate, exact: str) -> str:
    return f"the notebook is called {best.name} instead of {exact}; it was graded all the same"


def _not_graded(others) -> tuple[str, ...]:
    others = list(others)
    listed = ", ".join(f"{one.name}{' (untouched)' * (one.worked == 0)}" for one in others[:3])
    return (f"other notebooks in the folder were not graded: {listed}{' and more' * (len(others) > 3)}",) \
        if others else ()


# Reading ---------------------------------------------------------------------------------------------------

def _read(root: Path, candidate: _Candidate) -> _Candidate:
    try:
        content, repairs = read(root, candidate.steps)
    except Unreadable as problem:
        return replace(candidate, problem=str(problem))
    if not candidate.name.lower().endswith(".ipynb"):
        repairs += (f"the notebook's name ends in {candidate.name.rpartition('.')[2]}; it was read as a notebook",)
    return replace(candidate, content=content, repairs=repairs)


def read(root: Path, steps: Steps) -> tuple[bytes, tuple[str, ...]]:
    """A notebook file's bytes, and what was left out of a large one.

    Raises Unreadable for a link, a pipe, a device, a folder, or a file that is too large without its outputs too.
    """
    name = shown(steps[-1])
    try:
        with nofollow.opened(root, steps) as file:
            content = file.read(MAX_BYTES + 1)
            if len(content) <= MAX_BYTES:
                return content, ()
            size = file.seek(0, 2)
            if size > MAX_LARGE:
                raise Unreadable(f"{name} {TOO_LARGE}")
            del content
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as whole:
                return _lightened(whole, name)
    except Refused as refused:
        what = "a symbolic link; hand in the file itself" if refused.kind == LINK else \
            "not an ordinary file; hand in the notebook file"
        raise Unreadable(f"{name} is {what}") from None
    except OSError as error:
        raise Unreadable(f"{name} cannot be read ({error.strerror}); check its permissions") from None


def _lightened(whole, name: str) -> tuple[bytes, tuple[str, ...]]:
    for keys, what in ((outputs.OUTPUTS, "outputs"), (outputs.OUTPUTS | outputs.PICTURES, "outputs and pictures")):
        content = outputs.without(keys, whole)
        if content is not None and len(content) <= MAX_BYTES:
            return content, (f"{name} is larger than 64 MiB; its {what} were left out",)
    raise Unreadable(f"{name} {TOO_LARGE}")
