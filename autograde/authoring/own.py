"""A course directory of one's own: made with the course's lessons, and with lessons of one's own beside them.

What belongs to a lesson lies in the folder as `docs/writing-a-lesson.md` shows it: the source in ``solutions/``, the
probe in ``probes/``, oracle and answers in ``oracles/`` and ``answers/``. `autograde.course` finds it by its settings.
"""

from __future__ import annotations

import keyword
import re
import shutil
from importlib.metadata import version
from pathlib import Path

from autograde import course
from autograde.course import SETTINGS, UserError, write_text
from autograde.installed import COURSE
from autograde.judging import oracles

SCAFFOLD = Path(__file__).parent / "scaffold"
LESSON = re.compile(r"\d\d_[a-z][a-z0-9_]*")
# The files of a lesson: where each lies, and what it is made from.
FILES = {"solutions/@lesson@.py": "lesson", "probes/@topic@.py": "probe", "oracles/@topic@.py": "oracle",
         "answers/@topic@.py": "answers", "samples/@lesson@/class.toml": "class",
         "samples/@lesson@/expected.toml": "expected"}


def new_course(folder: Path, lessons: list[str]) -> list[str]:
    """Make a course directory with some of the course's lessons, or bring a directory those it lacks.

    Returns the lessons that were copied. Nothing that is there is overwritten. Raises UserError if the folder holds
    something and is no course directory, or cannot be written to.
    """
    try:
        if folder.is_dir() and any(folder.iterdir()) and not (folder / SETTINGS).is_file():
            raise UserError(f"{folder} is not empty and no course directory (it has no {SETTINGS}); name a new folder")
        for kind in ("solutions", "notebooks", "probes", "oracles", "answers", "samples"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        for name, source in (("README.md", "readme"), (".gitignore", "ignore"), ("tests/test_lessons.py", "tests")):
            _write(folder / name, _text(source))
        _write(folder / "nbgrader_config.py", course.settings(course.BUILT_IN).read_text(encoding="utf-8"))
        copied = [name for name in lessons if _copy(name, folder)]
        _write(folder / SETTINGS, _text("settings", version=version(COURSE)))  # last: now it is a whole one
    except OSError as error:
        raise UserError(f"cannot write to {error.filename or folder}: {error.strerror or error}") from None
    return copied


def _copy(lesson: str, folder: Path) -> bool:
    """Bring one of the course's lessons, unless it is there."""
    target = folder / "solutions" / f"{lesson}.py"
    if target.exists():
        return False
    for part in ("solutions", "notebooks", "samples"):
        source = course.BUILT_IN / part / lesson
        if source.is_dir():
            shutil.copytree(source, folder / part / lesson, dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns(".*", "__pycache__"))
    shutil.copyfile(course.BUILT_IN / "solutions" / f"{lesson}.py", target)
    return True


def new_lesson(name: str, topic: str = "") -> list[str]:
    """Write all files of a small lesson into the course directory, and return their names.

    Parameters
    ----------
    name : such as ``"90_memory"``: two digits say where it stands, the rest what it is about.
    topic : what its exercises' names begin with, such as ``"memory"``; by default the name without its digits.

    Raises UserError if there is no course directory, or lesson or topic are there already or cannot be called so.
    """
    topic = topic or name[3:]
    if course.OWN is None:
        raise UserError("this is no course directory of your own; make one with: autograde new-course DIR")
    if not LESSON.fullmatch(name):
        raise UserError(f"{name!r}: a lesson is called like 90_memory: two digits, _ and small letters")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", topic) or keyword.iskeyword(topic):
        raise UserError(f"{topic!r}: a topic is a name in Python of small letters, such as memory")
    if topic in oracles.topics():
        raise UserError(f"the topic {topic!r} is taken; name another: autograde new-lesson {name} --topic NAME")
    files = {target.replace("@lesson@", name).replace("@topic@", topic): _text(source, lesson=name, topic=topic)
             for target, source in FILES.items()}
    there = [target for target in files if (course.OWN / target).exists()]
    if there:
        raise UserError(f"{there[0]} is there already; nothing was written")
    for target, text in files.items():
        write_text(course.OWN / target, text)
    return list(files)


def _write(path: Path, text: str) -> None:
    if not path.exists():
        write_text(path, text)


def _text(source: str, **words: str) -> str:
    text = (SCAFFOLD / f"{source}.txt").read_text(encoding="utf-8")
    for name, word in words.items():
        text = text.replace(f"@{name}@", word)
    return text
