"""What lies beside a notebook and belongs to it: helper modules, pictures, small data files."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from autograde.intake import nofollow
from autograde.intake.nofollow import FILE, FOLDER, LINK, Entry, Refused
from autograde.intake.roll import NOBODY, NOTEBOOKS
from autograde.text import shown

MAX_FILES = 100
MAX_FILE = 8 * 2**20
MAX_ALL = 16 * 2**20
MAX_DEPTH = 3
MAX_LOOKED = 2_000
# What nbgrader puts there, and what Python leaves.
NOT_THEIRS = frozenset(("timestamp.txt", "submission_secret.txt", "__pycache__", "desktop.ini", "Thumbs.db"))
TAKEN = frozenset(("tmp", "shm"))  # folders that a child's working folder has itself


def gathered(root: Path, steps: tuple[str, ...], lessons: frozenset[str]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files in and below the notebook's folder, by path with forward slashes, and what was left out, in words.

    No link is followed, small files come before large ones, notebooks and the folders of `lessons` are left alone.
    """
    found, repairs = _listed(root, steps, lessons)
    files: dict[str, bytes] = {}
    left = MAX_ALL
    large: list[str] = []
    for path, entry in sorted(found, key=lambda one: (one[1].size, one[0])):
        if len(files) >= MAX_FILES or entry.size > min(MAX_FILE, left):
            large.append("/".join(path))
            continue
        try:
            with nofollow.opened(root, (*steps, *path)) as file:
                content = file.read(entry.size + 1)
        except (Refused, OSError):
            repairs.append(f"{shown('/'.join(path))} beside the notebook cannot be read; it was left out")
            continue
        if len(content) > entry.size:  # it grew while it was read
            large.append("/".join(path))
            continue
        name = unicodedata.normalize("NFC", "/".join(path))
        if name in TAKEN or any(other.startswith(f"{name}/") or name.startswith(f"{other}/") for other in files):
            repairs.append(f"{shown(name)} beside the notebook has the name of a folder; it was left out")
            continue
        files[name] = content
        left -= len(content)
    if large:
        listed = ", ".join(map(shown, sorted(large)[:3])) + " and more" * (len(large) > 3)
        repairs.append(f"beside the notebook lie more than {MAX_FILES} files or {MAX_ALL >> 20} MiB, or one of more "
                       f"than {MAX_FILE >> 20} MiB; left out: {listed}")
    return files, tuple(repairs)


def _listed(root: Path, steps: tuple[str, ...], lessons: frozenset[str]) -> tuple[list, list[str]]:
    found: list[tuple[tuple[str, ...], Entry]] = []
    repairs: list[str] = []
    waiting: list[tuple[str, ...]] = [()]
    looked = 0
    while waiting and looked < MAX_LOOKED:
        here = waiting.pop(0)
        try:
            entries = nofollow.entries(root, (*steps, *here))
        except (Refused, OSError):
            repairs.append(f"the folder {shown('/'.join(here))} beside the notebook cannot be read; it was left out")
            continue
        for entry in entries[:MAX_LOOKED]:
            looked += 1
            path = (*here, entry.name)
            if entry.name.startswith(".") or entry.name in NOT_THEIRS | NOBODY or not _is_text(entry.name):
                continue
            if entry.kind == FOLDER:
                if len(path) <= MAX_DEPTH and not (entry.name in lessons and not here):
                    waiting.append(path)
            elif entry.kind != FILE or entry.names > 1:
                what = "link" if entry.kind in (LINK, FILE) else "special file"
                repairs.append(f"{shown('/'.join(path))} beside the notebook is a {what}; it was left out")
            elif not entry.name.lower().endswith((*NOTEBOOKS, ".pyc")):
                found.append((path, entry))
    return found, repairs[:5]


def _is_text(name: str) -> bool:
    return name.isprintable()
