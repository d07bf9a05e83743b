"""Who is in the class: the students whose folders lie in the class's directory, each once, however it is spelled.

A name comes as a file system, an archive or a learning platform has written it: in another Unicode form, with marks
nobody sees, in bytes that are no text. Folders that spell one name are one student; what cannot be a student is named
with the reason, and what looks like one student but may be two is asked about. Nobody is left out without a word.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograde.course import UserError
from autograde.intake import nofollow
from autograde.intake.nofollow import FILE, FOLDER, LINK, Entry
from autograde.text import shown

LONGEST = 128  # characters of a student's id, nbgrader's own limit
# What systems and programs leave in a folder.
NOBODY = frozenset((".ipynb_checkpoints", ".git", ".svn", ".hg", ".idea", ".vscode", ".Trash", ".Trashes", ".cache",
                    ".Spotlight-V100", ".fseventsd", ".TemporaryItems", ".AppleDouble", "__MACOSX", "lost+found",
                    "@eaDir", "$RECYCLE.BIN", "System Volume Information"))
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar")
NOTEBOOKS = (".ipynb", ".ipynb.txt", ".ipynb.json")
_JOINERS = "\u200c\u200d"
_PLATFORM = re.compile(r"_assignsubmission_|^submission_\d+$|^\d+-\d+ ?- |^[a-z]+_(?:LATE_)?\d+_\d+_", re.IGNORECASE)


@dataclass(frozen=True)
class Enrolled:
    """One student: the id, the folders that spell it (the plainest first), or why it is none (`problem`)."""

    student: str
    folders: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True)
class Roll:
    """The class: its directory, its students by id, and what has to be asked about it, a line each."""

    root: Path
    students: dict[str, Enrolled]
    questions: tuple[str, ...] = ()


def read_roll(submitted: Path) -> Roll:
    """The class in a directory. Raises UserError if there is none, or nobody in it."""
    expected = "<student>/<lesson>/<lesson>.ipynb"
    if not submitted.is_dir():
        raise UserError(f"there is no directory {submitted}; --submitted names the folder that holds {expected}")
    try:
        found = [entry for entry in nofollow.entries(submitted) if entry.name not in NOBODY]
    except OSError as error:
        raise UserError(f"{submitted} cannot be read: {error.strerror or error}") from None
    named: dict[str, list[Entry]] = {}
    for entry in found:
        if entry.kind in (FOLDER, LINK):
            named.setdefault(spelled(entry.name), []).append(entry)
    students = {student: _enrolled(student, folders) for student, folders in sorted(named.items())}
    questions = (*_lying_about(found), *_platform_names(students), *_alike(students))
    if not students:
        raise UserError(f"{submitted} holds no submissions; expected {expected}"
                        + "".join(f"; {question}" for question in questions))
    return Roll(submitted, students, questions)


def spelled(name: str) -> str:
    """The one spelling of a name: composed Unicode, plain spaces, no marks that nobody sees.

    Bytes that are no UTF-8 are written out (``caf\\xe9``), so that what comes back is always text.
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace") if not _is_text(name) else name
    kept = "".join(" " if unicodedata.category(c) == "Zs" else c for i, c in enumerate(text)
                   if unicodedata.category(c) != "Cf" or (c in _JOINERS and _within_word(text, i)))
    return unicodedata.normalize("NFC", kept).strip() or shown(text)


def _within_word(text: str, index: int) -> bool:
    return 0 < index < len(text) - 1 and all(unicodedata.category(text[i])[0] in "LM" for i in (index - 1, index + 1))


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def name_problem(name: str) -> str:
    """Why a folder's name cannot be a student's id, in one line; empty if it can."""
    student = spelled(name)
    if not _is_text(name):
        return "the folder's name is not text in UTF-8; rename the folder"
    if len(student) > LONGEST:
        return f"the student id {shown(student, 20)} is longer than nbgrader's {LONGEST} characters; rename the folder"
    if student.startswith("."):
        return "the folder's name begins with a dot, so nbgrader would not see it; rename the folder"
    if student != (plain := re.sub('[<>"]', "", student)):
        return (f"the folder's name {shown(student)} holds {' '.join(sorted(set(student) - set(plain)))}, which the "
                "formgrader would take for HTML; rename the folder")
    if shown(student, LONGEST) != student:
        return f"the folder's name {shown(student)} holds characters that cannot be shown; rename the folder"
    return ""


def _enrolled(student: str, folders: Sequence[Entry]) -> Enrolled:
    names = sorted((entry.name for entry in folders), key=lambda name: (name != student, name))
    problem = name_problem(names[0])
    if not problem and all(entry.kind == LINK for entry in folders):
        problem = f"the folder {shown(student)} is a symbolic link; hand in the folder itself"
    # A record must hold text that can be written and shown; a name that is none keeps its beginning and its end.
    return Enrolled(shown(student, LONGEST) if problem else student, tuple(names), problem)


def _lying_about(found: Iterable[Entry]) -> list[str]:
    names = [shown(entry.name) for entry in found
             if entry.kind == FILE and entry.name.lower().endswith(NOTEBOOKS + ARCHIVES)]
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return [f"not in any student's folder: {listed}; `autograde collect` sorts downloads into folders"] if names else []


def _platform_names(students: dict[str, Enrolled]) -> list[str]:
    found = [shown(student) for student in students if _PLATFORM.search(student)]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return [f"{found[0]}{more}: a folder as a learning platform names it; `autograde collect` makes it the "
            "student's"] if found else []


def _alike(students: dict[str, Enrolled]) -> list[str]:
    """Names that differ only in capitals, spaces or in how letters are encoded may be one student's."""
    alike: dict[str, list[str]] = {}
    for student in students:
        key = "".join(unicodedata.normalize("NFKC", student).casefold().split())
        alike.setdefault(key, []).append(student)
    return [f"{' and '.join(map(shown, names))}: one student or several? Each folder was graded by itself; "
            "rename them if they are one" for names in alike.values() if len(names) > 1]
