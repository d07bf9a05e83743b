"""The student's desk, ``python -m unrolled``: what is done, what comes next, and the file to hand in.

It reads the notebooks as they are saved, and what `check` found is kept beside them in ``.progress.json``. Nothing is
sent anywhere, and nothing here counts for a grade: that comes from fresh inputs, on the instructor's machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from unrolled import checking

NOTE = ".progress.json"
UNWRITTEN, PASSED = "not written yet", "passed"
NO_WORDS = ("", "YOUR ANSWER HERE")  # a written answer that nobody has begun
# The first line of a panel, as `unrolled.panel` writes it and a notebook saves it.
_PANEL = re.compile(r"^\S+ (?P<exercise>[\w.]+): (?P<state>.+?) \((?P<points>[\d.]+) of [\d.]+ points\)")
_HEADER = re.compile(r"\*\*[^*`\n]*`(?P<id>[\w.]+)`\*\*[ ·]*(?P<about>(?:[●○]{5} · )?\d+ min · \S+ points?)")


class DeskError(Exception):
    """Something the student can put right: printed as one line, exit code 2."""


@dataclass(frozen=True)
class Exercise:
    """One exercise as it stands.

    Attributes
    ----------
    id : such as ``"lstm.step"``.
    about : how hard it is, how long it may take, and its points, in the lesson's words.
    points, max_points : what the answer would earn as far as is known; 0 where nothing is.
    state : ``passed``, ``partly right``, ..., ``not written yet``; empty if the answer was changed or never checked.
    answer : digest of the answer's source; empty for an answer in words.
    words : whether a person reads the answer.
    says : the panel's text, after `check`.
    """

    id: str
    about: str
    max_points: float
    state: str
    points: float = 0.0
    answer: str = ""
    words: bool = False
    says: str = ""

    @property
    def done(self) -> bool:
        return self.state == PASSED


@dataclass(frozen=True)
class Lesson:
    """A lesson in the student's folder: its name, its notebook's path, its exercises in order."""

    name: str
    path: Path
    exercises: tuple[Exercise, ...]

    @property
    def done(self) -> bool:
        return all(exercise.done for exercise in self.exercises)

    @property
    def begun(self) -> bool:
        return any(exercise.state != UNWRITTEN for exercise in self.exercises)

    def of(self, words: bool) -> list[Exercise]:
        return [exercise for exercise in self.exercises if exercise.words == words]


def lessons(folder: Path) -> list[Lesson]:
    """The lessons in a student's folder, in order: ``04_lstm/04_lstm.ipynb``, or ``04_lstm.ipynb`` itself.

    Raises DeskError if there is none.
    """
    note = _read_note(folder)
    found = {
        path.stem: path
        for path in (*folder.glob("*.ipynb"), *folder.glob("*/*.ipynb"))
        if re.fullmatch(r"\d\d_\w+", path.stem) and path.parent.name in (path.stem, folder.name)
    }
    if not found:
        raise DeskError(
            f"no lessons in {folder.absolute()}. Go to the folder with your notebooks, or name it with "
            "--folder; where the course is installed, `autograde lab` lays the lessons out in work/"
        )
    return [read(path, note.get(name, {})) for name, path in sorted(found.items())]


def home(named: Path | None) -> Path:
    """The folder with the student's notebooks: the one that was named, else this one, else ``work`` in it."""
    if named is not None:
        return named
    here = Path.cwd()
    return here / "work" if (here / "work").is_dir() and not any(here.glob("[0-9][0-9]_*/*.ipynb")) else here


def chosen(found: list[Lesson], name: str) -> Lesson:
    """The lesson that is named, by its name, its beginning or its file. Raises DeskError if it is not one."""
    stem = Path(name).stem if name.endswith(".ipynb") else name.strip("/")
    fits = [lesson for lesson in found if lesson.name == stem] or [
        lesson for lesson in found if stem and lesson.name.startswith(stem)
    ]
    if len(fits) != 1:
        raise DeskError(f"which lesson is {name!r}? There are: {', '.join(lesson.name for lesson in found)}")
    return fits[0]


def read(path: Path, known: dict | None = None) -> Lesson:
    """A lesson as its notebook was saved; `known` is what `check` found earlier, by exercise.

    Raises DeskError for a file that is no notebook.
    """
    cells = _cells(path)
    about = {
        found["id"]: found["about"]
        for cell in cells
        if cell.get("cell_type") == "markdown"
        for found in _HEADER.finditer(_source(cell))
    }
    answers = {_exercise(cell): _source(cell) for cell in cells if _kind(cell) == "solution"}
    exercises = []
    for cell in cells:
        kind, exercise = _kind(cell), _exercise(cell)
        top = float(_grader(cell).get("points") or 0)
        if kind == "written":
            state = UNWRITTEN if _source(cell).strip() in NO_WORDS else PASSED
            exercises.append(Exercise(exercise, about.get(exercise, ""), top, state, words=True))
        elif kind == "check":
            source = answers.get(exercise, "")
            one = Exercise(exercise, about.get(exercise, ""), top, *_as_saved(cell, exercise, source), _digest(source))
            earlier = (known or {}).get(exercise, {})
            if earlier.get("answer") == one.answer:
                one = replace(one, state=str(earlier.get("state", "")), points=float(earlier.get("points", 0)))
            exercises.append(one)
    return Lesson(path.stem, path, tuple(exercises))


def check(lesson: Lesson, folder: Path, seconds: int = 180) -> tuple[Lesson, list[str]]:
    """Run a lesson from the top in a process of its own; returns it with what the checks said, and what else stopped.

    Cells that train for show are left out, as when grading. What was found is kept in `NOTE` in `folder`.

    Raises DeskError where notebooks cannot be run, or if a cell takes longer than `seconds`.
    """
    verdicts, stopped = _run(lesson.path, seconds)
    exercises = tuple(
        one
        if one.words
        else replace(
            one,
            **verdicts.get(
                one.id, {"state": "no answer", "points": 0.0, "says": f"✘ {one.id}: its check was not reached"}
            ),
        )
        for one in lesson.exercises
    )
    note = _read_note(folder)
    note[lesson.name] = {
        one.id: {"state": one.state, "points": one.points, "answer": one.answer} for one in exercises if not one.words
    }
    _write(folder / NOTE, json.dumps(note, indent=1, sort_keys=True).encode() + b"\n")
    return replace(lesson, exercises=exercises), stopped


def hand_in(lesson: Lesson, folder: Path) -> Path:
    """Copy a lesson's notebook, as it is saved, to where files to hand in are kept; returns the copy."""
    target = folder / "hand_in" / f"{lesson.name}.ipynb"
    _write(target, lesson.path.read_bytes())
    return target


def listen(path: str) -> None:
    """Let every `check` of this process add a line of JSON to a file, and show nothing."""

    def judged(exercise: str, answers: tuple) -> None:
        verdict = checking.judged_here(exercise, answers)
        with open(path, "a", encoding="utf-8") as file:
            file.write(
                json.dumps(
                    {
                        "id": exercise,
                        "state": verdict.state,
                        "points": verdict.points,
                        "says": checking.panel.as_text(verdict),
                    }
                )
                + "\n"
            )
        if not verdict.passed:
            raise checking.CheckFailed(verdict.headline)

    checking.collect_with(judged)


def _run(path: Path, seconds: int) -> tuple[dict[str, dict], list[str]]:
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellTimeoutError, DeadKernelError
    except ModuleNotFoundError as error:
        raise DeskError(
            f"running a notebook needs {error.name}, which comes with JupyterLab: pip install jupyterlab"
        ) from None
    notebook = nbformat.read(path, 4)
    notebook.cells = [
        cell for cell in notebook.cells if cell.cell_type == "code" and "demo" not in cell.metadata.get("tags", [])
    ]
    with tempfile.TemporaryDirectory() as place:
        told = Path(place, "verdicts")
        front = f"import unrolled.quiet\nfrom unrolled import desk\ndesk.listen({str(told)!r})\ndel desk, unrolled"
        notebook.cells.insert(0, nbformat.v4.new_code_cell(front))
        client = NotebookClient(
            notebook,
            timeout=seconds,
            kernel_name="python3",
            allow_errors=True,
            resources={"metadata": {"path": str(path.parent)}},
        )
        try:
            client.execute()
        except CellTimeoutError:
            raise DeskError(
                f"a cell of {path.name} runs longer than {seconds} seconds; run it by hand to see "
                "which, or allow more with --seconds"
            ) from None
        except DeadKernelError:
            raise DeskError(f"the process that ran {path.name} ended in the middle: out of memory?") from None
        lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    verdicts = {one.pop("id"): one for one in map(json.loads, lines)}
    return verdicts, list(dict.fromkeys(_errors(notebook.cells)))


def _errors(cells: list) -> Iterator[str]:
    """What stopped that no check has told about, a line each."""
    for cell in cells:
        for output in cell.outputs:
            if output.output_type == "error" and output.ename not in ("CheckFailed", "NotImplementedError"):
                where = f" in the cell of {_exercise(cell)}" if _kind(cell) else ""
                yield f"{output.ename}{where}: {output.evalue.partition(chr(10))[0][:200]}"


# Reading a notebook -------------------------------------------------------------------------------------------------


def _cells(path: Path) -> list[dict]:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [cell for cell in cells if isinstance(cell, dict)]
    except OSError as error:
        raise DeskError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise DeskError(
            f"{path} is not a notebook any more. Is it half saved, or does it hold marks of a merge?"
        ) from None


def _source(cell: dict) -> str:
    return "".join(cell.get("source", ""))


def _grader(cell: dict) -> dict:
    return cell.get("metadata", {}).get("nbgrader", {})


def _kind(cell: dict) -> str:
    """``solution``, ``check``, ``written``, or empty for what is no part of an exercise."""
    grader = _grader(cell)
    if grader.get("solution"):
        return "written" if grader.get("grade") else "solution"
    return "check" if grader.get("grade") else ""


def _exercise(cell: dict) -> str:
    return str(_grader(cell).get("grade_id", "")).removesuffix("-check").replace("-", ".", 1)


def _digest(source: str) -> str:
    return hashlib.sha256(source.strip().encode()).hexdigest()[:32]


def _as_saved(cell: dict, exercise: str, source: str) -> tuple[str, float]:
    """State and points by the panel that is saved below a check; it may be older than the answer above it."""
    for output in cell.get("outputs", []):
        text = "".join(output.get("data", {}).get("text/plain", "") or output.get("text", ""))
        found = _PANEL.match(text)
        if found and found["exercise"] == exercise:
            return found["state"], float(found["points"])
    return UNWRITTEN if "raise NotImplementedError()" in source else "", 0.0


def _read_note(folder: Path) -> dict[str, dict]:
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return {name: {key: dict(entry) for key, entry in about.items()} for name, about in note.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}  # then it is what the notebooks say


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all. Raises DeskError if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{os.getpid()}.partial")
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise DeskError(f"cannot write {path}: {error.strerror}") from None


def speak_utf8() -> None:
    """What a terminal cannot print is written out, never an error."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
