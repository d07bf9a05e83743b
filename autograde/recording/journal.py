"""What a run has finished, so that a killed run goes on where it was: one line a submission."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import BinaryIO

from autograde import course
from autograde.course import UserError


class Journal:
    """What a run has finished, one line a submission, so that a killed run goes on where it was.

    A line is appended and synced *after* the submission's transaction is committed. Journal and gradebook so
    disagree by the last submission at most, and that one is recorded again, which changes nothing.
    A context manager: two runs into one folder at the same time are refused with UserError.

    Parameters
    ----------
    output : the folder a run writes to; the journal is ``.unrolled/journal.jsonl`` in it.
    """

    def __init__(self, output: Path):
        self.path = Path(output) / ".unrolled" / "journal.jsonl"
        self._last: dict[tuple[str, str], dict] = {}
        self._file: BinaryIO | None = None

    def __enter__(self) -> Journal:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b")
        except OSError as error:
            raise UserError(f"{self.path.parent.parent} cannot be written to: {error.strerror}") from None
        if not _lock(self._file):
            self._file.close()
            raise UserError(f"another run is grading into {self.path.parent.parent}; wait for it to end")
        self._file.seek(0)
        content = self._file.read()
        for line in content.splitlines():
            entry = _entry(line)
            if entry is not None:
                self._last[entry["student"], entry["lesson"]] = entry
        if content and not content.endswith(b"\n"):
            self._file.write(b"\n")  # a torn last line stays a line of its own, and its submission counts as not done
        return self

    def __exit__(self, *exc_info) -> None:
        self._file.close()
        self._file = None

    def done(self, student: str, lesson: str, fingerprint: str) -> bool:
        """Whether exactly this submission, graded in exactly this way, is finished."""
        return self._last.get((student, lesson), {}).get("fingerprint") == fingerprint

    def record_of(self, student: str, lesson: str) -> dict | None:
        """The latest finished `Result.record` of a student's submission."""
        return self._last.get((student, lesson), {}).get("record")

    def append(self, student: str, lesson: str, fingerprint: str, record: dict, submitted: Path | str = "") -> None:
        """Note a submission from the folder `submitted` as finished; when this returns the line is on the disk."""
        self._append({"student": student, "lesson": lesson, "fingerprint": fingerprint, "record": record,
                      "submitted": str(submitted)})

    def handed_in_below(self, submitted: Path) -> list[tuple[str, str]]:
        """(student, lesson) of everything finished that lay in the folder `submitted`."""
        return [key for key, entry in self._last.items()
                if entry["record"] is not None and entry.get("submitted") == str(submitted)]

    def append_taken_out(self, student: str, lesson: str, given: dict | None) -> None:
        """Note that a submission leaves the gradebook, and what people gave it."""
        last = self._last.get((student, lesson), {})
        self._append({"student": student, "lesson": lesson, "fingerprint": None, "record": None,
                      "given": given or last.get("given"), "was": last.get("fingerprint") or last.get("was")})

    def append_kept(self, student: str, lesson: str, given: dict | None) -> None:
        """Note what people gave a submission that is not graded under this name yet."""
        self._append({"student": student, "lesson": lesson, "fingerprint": None, "record": None,
                      "given": given or self.given_before(student, lesson)})

    def append_ended(self, student: str, lesson: str) -> None:
        """Note that nothing is left under this name: it was passed on."""
        self._append({"student": student, "lesson": lesson, "fingerprint": None, "record": None})

    def who_left_with(self, lesson: str, fingerprint: str) -> str | None:
        """Who was taken out with marks given by hand and had handed in exactly this."""
        return next((student for (student, of), entry in self._last.items() if of == lesson and entry.get("given")
                     and entry["record"] is None and entry.get("was") == fingerprint), None)

    def given_before(self, student: str, lesson: str) -> dict | None:
        """What people gave a submission that was taken out and is not graded again yet."""
        return self._last.get((student, lesson), {}).get("given")

    def _append(self, entry: dict) -> None:
        self._file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._last[entry["student"], entry["lesson"]] = entry


def records(output: Path) -> dict[tuple[str, str], dict]:
    """The latest finished record by (student, lesson), read without waiting for a run that is going on."""
    try:
        content = (output / ".unrolled" / "journal.jsonl").read_bytes()
    except OSError:
        return {}
    entries = filter(None, map(_entry, content.splitlines()))
    found = {(entry["student"], entry["lesson"]): entry["record"] for entry in entries}
    return {key: record for key, record in found.items() if record}


def fingerprint(submitted: bytes, version: str, secret_id: str) -> str:
    """What a grade depends on: the bytes handed in, the version of lesson and grader, the course's secret."""
    digest = hashlib.sha256()
    for part in (submitted, version.encode(), secret_id.encode()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def version(lesson: str) -> str:
    """Changes with the lesson's reference notebook and with any line of the grader or of what runs beside answers."""
    import unrolled

    digest = hashlib.sha256(course.reference(lesson).read_bytes())
    own = [Path(folder) for kind in ("oracles", "probes") for folder in course.own(kind)]
    for package in (Path(__file__).parent.parent, Path(unrolled.__file__).parent, *own):
        for path in sorted(p for p in package.rglob("*") if p.suffix in (".py", ".j2") and not _is_content(p)):
            digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _is_content(path: Path) -> bool:
    """Lessons and data that lie inside an installed package: of these only a lesson's own reference counts."""
    from unrolled.data import DATA

    return path.is_relative_to(course.SHIPPED) or path.is_relative_to(DATA)


def _entry(line: bytes) -> dict | None:
    try:
        entry = json.loads(line)
        return entry if {"student", "lesson", "fingerprint", "record"} <= entry.keys() else None
    except (ValueError, AttributeError):
        return None  # half a line, from a run that was killed: that submission is graded again


def _lock(file: BinaryIO) -> bool:
    """Take the file for this run; True where the system has no such locks. It ends with the process."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
