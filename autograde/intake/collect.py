"""Downloads of a learning platform, sorted into ``submitted/<student>/<lesson>/``.

What Canvas, Moodle, Gradescope and Brightspace pack is known by its names; any other archive or folder with a folder
a student works too. Whose a file is says the platform's name for it, which a roster turns into the student's id; which
lesson it is says the notebook. Nothing is guessed: what cannot be placed is listed with the reason, and an earlier
hand-in that is replaced is kept.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from autograde import course
from autograde.course import UserError
from autograde.intake import nofollow
from autograde.intake import roster as rosters
from autograde.intake.roll import NOBODY, NOTEBOOKS, name_problem, spelled
from autograde.intake.roster import Person
from autograde.intake.skeleton import Skeleton
from autograde.text import shown

MAX_FILE, MAX_TOTAL, MAX_FILES, MAX_NESTED = 64 << 20, 4 << 30, 20_000, 2
# What systems leave in an archive or a folder.
_LEFT_BEHIND = NOBODY | {".DS_Store", "Thumbs.db", "desktop.ini"}
# What each platform makes of a student and a file. `key` is what a roster may know the student by, `rest` the file.
PLATFORMS = {
    "Canvas": re.compile(r"^(?P<name>[^/_]+)_(?:LATE_)?(?P<key>\d+)_\d+_(?P<rest>[^/]+)$"),
    "Moodle": re.compile(r"^(?P<name>[^/]+?)_(?P<key>\d+)_assignsubmission_(?:file|onlinetext)_?/?(?P<rest>.+)$"),
    "Gradescope": re.compile(r"^(?P<key>submission_\d+)/(?P<rest>.+)$"),
    "Brightspace": re.compile(r"^(?P<key>\d+)-\d+ ?- (?P<name>[^/]+?) ?- [^/]*?\d{3,4} [AP]M(?: - |/)(?P<rest>.+)$"),
}


@dataclass(frozen=True)
class Download:
    """One file of a download: its path in it, with forward slashes, and its bytes."""

    path: str
    content: bytes


@dataclass
class Collected:
    """What came of it: notebooks by (student, lesson), the platform's name, what was not placed, what was replaced."""

    platform: str = ""
    placed: dict[tuple[str, str], str] = field(default_factory=dict)
    unplaced: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)


def collect(source: Path, submitted: Path, lesson: str = "", roster: Path | None = None) -> Collected:
    """Sort a download (an archive or a folder) into ``submitted/``.

    Parameters
    ----------
    lesson : what everything in it belongs to; by default each notebook says it itself.
    roster : a CSV file with a row a student, see `roster.read`: the id, and what platforms call that student.

    Raises UserError if the source cannot be read or holds no file at all.
    """
    done, known = Collected(), _known(rosters.read(roster).people.values()) if roster else None
    files, room = [], MAX_TOTAL
    for file in _files(source, done.unplaced):
        files.append(file)
        room -= len(file.content)
        if room < 0:
            raise UserError(f"{source} holds more than {MAX_TOTAL >> 30} GiB; collect it in parts")
    if not files:
        raise UserError(f"{source} holds no file" + "".join(f"; {why}" for why in done.unplaced[:3]))
    files = _below_common_folder(files)
    done.platform = _platform(files)
    names = _gradescope_names(files) if done.platform == "Gradescope" else {}
    theirs: dict[str, dict[str, bytes]] = {}
    for file in files:
        owner, rest = _owner(file.path, done.platform, names)
        if owner is None:
            if file.path.lower().endswith((*NOTEBOOKS, ".zip")):
                done.unplaced.append(f"{shown(file.path)}: nothing says whose it is")
            continue
        student = _id(owner, known)
        problem = name_problem(student) if student is not None else (
            f"{shown(owner[0])} is not, or not clearly, in the roster")
        if problem or "/" in student:
            done.unplaced.append(f"{shown(file.path)}: {problem or f'{shown(student)} is no folder name'}")
            continue
        theirs.setdefault(student, {})[rest] = file.content
    for student, content in sorted(theirs.items()):
        _place(student, content, submitted, lesson, done)
    return done


# Reading -----------------------------------------------------------------------------------------------------

def _files(source: Path, unplaced: list[str]) -> Iterator[Download]:
    if source.is_dir():
        yield from _in_folder(source, (), unplaced)
        return
    try:
        content = source.read_bytes()
    except OSError as error:
        raise UserError(f"{source} cannot be read: {error.strerror or error}") from None
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise UserError(f"{source} is neither a folder nor a zip archive; unpack it and name the folder")
    yield from _in_archive(content, "", unplaced, 0)


def _is_left_behind(path: str) -> bool:
    return any(step in _LEFT_BEHIND or step.startswith("._") for step in path.split("/"))


def _in_folder(root: Path, steps: tuple[str, ...], unplaced: list[str]) -> Iterator[Download]:
    for entry in nofollow.entries(root, steps):
        path = "/".join((*steps, entry.name))
        if _is_left_behind(path):
            continue
        if entry.kind == nofollow.FOLDER:
            yield from _in_folder(root, (*steps, entry.name), unplaced)
        elif entry.kind != nofollow.FILE:
            unplaced.append(f"{shown(path)}: a {entry.kind} is not followed")
        elif entry.size > MAX_FILE:
            unplaced.append(f"{shown(path)}: larger than {MAX_FILE >> 20} MiB")
        else:
            with nofollow.opened(root, (*steps, entry.name)) as file:
                content = file.read(MAX_FILE + 1)
            yield from _unpacked(path, content, unplaced, 0)


def _in_archive(content: bytes, above: str, unplaced: list[str], depth: int) -> Iterator[Download]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        unplaced.append(f"{shown(above)}: an archive that cannot be read")
        return
    if len(members) > MAX_FILES:
        unplaced.append(f"{shown(above or 'the archive')}: more than {MAX_FILES:,} files")
        return
    for member in members:
        name = member.filename.replace("\\", "/")
        path = f"{above}/{name}" if above else name
        if member.is_dir() or _is_left_behind(name):
            continue
        if any(step in ("", ".", "..") for step in name.split("/")) or re.match(r"[A-Za-z]:", name):
            unplaced.append(f"{shown(path)}: a name that leads out of its folder")
        elif (member.external_attr >> 16) & 0o170000 == 0o120000:
            unplaced.append(f"{shown(path)}: a link is not followed")
        else:
            try:
                with archive.open(member) as file:
                    inner = file.read(MAX_FILE + 1)  # what the archive says of its sizes is not believed
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
                unplaced.append(f"{shown(path)}: cannot be unpacked ({type(error).__name__})")
                continue
            if len(inner) > MAX_FILE:
                unplaced.append(f"{shown(path)}: larger than {MAX_FILE >> 20} MiB")
            else:
                yield from _unpacked(path, inner, unplaced, depth)


def _unpacked(path: str, content: bytes, unplaced: list[str], depth: int) -> Iterator[Download]:
    """A file, or what is in it if it is an archive that somebody handed in."""
    if path.lower().endswith(".zip") and depth < MAX_NESTED:
        yield from _in_archive(content, path[:-4], unplaced, depth + 1)
    else:
        yield Download(path, content)


def _below_common_folder(files: Sequence[Download]) -> list[Download]:
    """The same without a folder around everything, unless that folder is a student's."""
    while True:
        tops = {file.path.split("/")[0] for file in files}
        nested = all("/" in file.path for file in files)
        if len(tops) > 1 or not nested or _platform(files):
            return list(files)
        below = [Download(file.path.split("/", 1)[1], file.content) for file in files]
        if not any("/" in file.path for file in below):
            return list(files)  # one student's folder
        if any(file.path.split("/")[0] in course.lessons() for file in below):
            return list(files)  # <student>/<lesson>/...
        files = below


# Whose -------------------------------------------------------------------------------------------------------

def _platform(files: Sequence[Download]) -> str:
    """The platform that most of the files look like; empty for none."""
    counts = {name: sum(bool(pattern.match(file.path)) for file in files) for name, pattern in PLATFORMS.items()}
    best = max(counts, key=counts.get)
    return best if 2 * counts[best] >= len([f for f in files if "/" in f.path or f.path.endswith(NOTEBOOKS)]) \
        and counts[best] else ""


def _owner(path: str, platform: str, names: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...] | None, str]:
    """What a platform calls the student of a file (the best name first), and the file's path below that."""
    if not platform:
        top, _, rest = path.partition("/")
        return ((top,), rest) if rest else (None, path)
    found = PLATFORMS[platform].match(path)
    if not found:
        return None, path
    said = found.groupdict()
    if platform == "Gradescope":
        return names.get(said["key"]), said["rest"]
    if platform == "Moodle":  # its number is the hand-in's, not the student's
        return (said["name"],), said["rest"]
    return (said["name"], said["key"]), said["rest"]


def _gradescope_names(files: Sequence[Download]) -> dict[str, tuple[str, ...]]:
    """By ``submission_<n>``, the student's id, e-mail and name, from the export's ``submission_metadata.yml``."""
    found: dict[str, tuple[str, ...]] = {}
    for file in files:
        if file.path.rpartition("/")[2] != "submission_metadata.yml":
            continue
        for block in re.split(r"^(?=submission_\d+:)", file.content.decode("utf-8", "replace"), flags=re.M):
            key = re.match(r"submission_\d+", block)
            said = {name: value.strip().strip("'\"") for name, value in
                    re.findall(r"^\s*-?\s*:(sid|email|name):\s*(.*)$", block, re.M)[:3]}
            if key and any(said.values()):
                found[key[0]] = tuple(said[name] for name in ("sid", "email", "name") if said.get(name))
    return found


def _known(people: Iterable[Person]) -> dict[str, str]:
    """Ids by everything that a roster's row calls a student; what two are called is nobody's."""
    known: dict[str, str] = {}
    twice: set[str] = set()
    for person in people:
        for key in {key for call in person.calls for key in _keys(call)}:
            twice |= {key} if known.setdefault(key, person.id) != person.id else set()
    return {key: student for key, student in known.items() if key not in twice}


def _keys(name: str) -> set[str]:
    """The ways in which platforms write one name: as it is, without spaces and marks, the family name first."""
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    ways = {plain}
    if "," in plain:
        last, _, first = plain.partition(",")
        ways |= {f"{first.strip()} {last.strip()}"}
    for way in list(ways):
        words = way.split()
        ways.add(" ".join([words[-1], *words[:-1]]) if words else "")
    return {key for way in ways for key in (way, re.sub(r"[^\w@.]|_", "", way)) if key}


def _id(owner: tuple[str, ...], known: Mapping[str, str] | None) -> str | None:
    """The student's id; None if the roster does not have it, or has different ones for the name and the number."""
    if known is None:
        return spelled(owner[0])
    found = {known[key] for name in owner for key in _keys(name) if key in known}
    return found.pop() if len(found) == 1 else None


# Placing -----------------------------------------------------------------------------------------------------

def _place(student: str, files: Mapping[str, bytes], submitted: Path, lesson: str, done: Collected) -> None:
    """One student's files: each notebook's folder goes to its lesson; files without a notebook go with all."""
    notebooks = {path: lesson or _lesson_of(path, content) for path, content in files.items()
                 if path.lower().endswith(NOTEBOOKS)}
    for path in [path for path, found in notebooks.items() if not found]:
        done.unplaced.append(f"{shown(path)} of {shown(student)}: it is no lesson's notebook")
        del notebooks[path]
    if not notebooks and not any(path.lower().endswith(NOTEBOOKS) for path in files):
        done.unplaced.append(f"{shown(student)} handed in no notebook, but {shown(next(iter(files)))}")
    for found in sorted(set(notebooks.values())):
        own = [path for path, of in notebooks.items() if of == found]
        base = own[0].rpartition("/")[0] if len(own) == 1 else ""
        inside = {path: content for path, content in files.items()
                  if (path in own or path not in notebooks) and path.startswith(f"{base}/" if base else "")}
        target = submitted / student / found
        _keep_earlier(target, inside, base, done)
        for path, content in inside.items():
            name = path[len(base):].lstrip("/")
            if path in own and len(own) == 1:
                name = f"{found}.ipynb"
            try:
                course.write_bytes(target / name, content)
            except OSError as error:  # a name too long, or a file where a folder has to be
                done.unplaced.append(f"{shown(path)} of {shown(student)}: {error.strerror or error}")
        done.placed[student, found] = ", ".join(shown(path) for path in own)


def _keep_earlier(target: Path, inside: Mapping[str, bytes], base: str, done: Collected) -> None:
    """Move what was handed in before out of the way, unless it is the same notebook."""
    if not target.exists():
        return
    had = {path.read_bytes() for path in target.rglob("*.ipynb") if path.is_file() and not path.is_symlink()}
    if {content for path, content in inside.items() if path.lower().endswith(NOTEBOOKS)} <= had:
        return
    _, student, lesson = target.parts[-3:]
    kept = target.parents[2] / "replaced" / f"{datetime.now():%Y-%m-%d %H%M%S}" / student / lesson
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(target, kept)
    done.replaced.append(f"{shown(student)}: the earlier {lesson} is kept in {kept}")


def _lesson_of(path: str, content: bytes) -> str:
    """The lesson whose cells a notebook holds, else the one its name begins with; empty for none."""
    try:
        cells = json.loads(content).get("cells", [])
        said = Counter(cell["metadata"]["nbgrader"]["grade_id"] for cell in cells
                       if isinstance(cell, dict) and "nbgrader" in cell.get("metadata", {}))
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        said = Counter()
    best = max(course.lessons(), key=lambda lesson: len(Skeleton.load(lesson).by_grade_id.keys() & said.keys()))
    if Skeleton.load(best).by_grade_id.keys() & said.keys():
        return best
    name = path.rpartition("/")[2]
    return next((lesson for lesson in course.lessons() if lesson in (name[:len(lesson)], path.rpartition("/")[0])), "")
