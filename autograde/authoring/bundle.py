"""What students are given: notebooks without solutions, and the course without lessons, as one file to install.

::

    04_lstm.ipynb                              as released; a cell in front installs the course where it is missing
    unrolled-0.2.0+student-py3-none-any.whl    what notebooks import and `check` needs, with the data
    README.md                                  what to do with them

References and misconceptions of the lessons in question are in the wheel, packed so that nobody reads them by accident.
They are no secret: whoever can run a check can unpack them. Grades come from fresh inputs, judged elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from importlib.metadata import metadata, version
from pathlib import Path

import nbformat

import autograde
import unrolled
from autograde import course
from autograde.authoring.build import as_bytes
from autograde.course import UserError
from autograde.installed import COURSE
from autograde.judging import oracles
from unrolled.data import DATA

# What `check` needs of this package: the judge, and what it imports. The oracles come beside them, packed.
JUDGE = ("__init__.py", "course.py", "records.py", "intake/__init__.py", "intake/sources.py", "judging/*.py",
         "judging/oracles/__init__.py")
FRONT = "get-the-course"  # the id of the cell in front of a notebook
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes


def write(lessons: list[str], target: Path) -> list[str]:
    """Write the bundle of some lessons to a folder, or to one file if `target` ends in ``.zip``; returns its files.

    Raises UserError if the folder holds anything already, or if nothing can be written there.
    """
    files = contents(lessons)
    try:
        if target.suffix.lower() == ".zip":
            course.write_bytes(target, _zip(files, zipfile.ZIP_STORED))
        elif target.is_dir() and any(target.iterdir()):
            raise UserError(f"{target} is not empty; name a new folder, or a file that ends in .zip")
        else:
            for name, content in files.items():
                course.write_bytes(target / name, content)
    except OSError as error:
        raise UserError(f"cannot write to {error.filename or target}: {error.strerror or error}") from None
    return sorted(files)


def contents(lessons: list[str]) -> dict[str, bytes]:
    """The bundle's files by name."""
    wheel = f"{COURSE}-{_version()}-py3-none-any.whl"
    notebooks = {f"{name}.ipynb": _notebook(name, wheel) for name in lessons}
    readme = README.format(notebooks="\n".join(f"    {name}" for name in notebooks), first=next(iter(notebooks)),
                           wheel=wheel)
    return notebooks | {wheel: student_wheel(lessons), "README.md": readme.encode()}


def _notebook(lesson: str, wheel: str) -> bytes:
    notebook = nbformat.read(course.released(lesson), 4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(FIRST_CELL.format(wheel=wheel), id=FRONT))
    return as_bytes(notebook)


# The wheel ------------------------------------------------------------------------------------------------------

def student_wheel(lessons: Iterable[str]) -> bytes:
    """The course as a student installs it: an ordinary wheel without lessons, graders or commands."""
    files = dict(_code(lessons)) | dict(_data())
    about = f"{COURSE}-{_version()}.dist-info"
    files |= {f"{about}/METADATA": _metadata().encode(),
              f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: autograde\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    lines = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[f"{about}/RECORD"] = "\n".join([*lines, f"{about}/RECORD,,", ""]).encode()
    return _zip(files, zipfile.ZIP_DEFLATED)


def _code(lessons: Iterable[str]):
    notebook, judge = Path(unrolled.__file__).parent, Path(autograde.__file__).parent
    for path in sorted(notebook.rglob("*.py")):
        inside = path.relative_to(notebook)
        if inside.parts[0] != "sandbox" and not path.is_relative_to(DATA):
            yield f"unrolled/{inside.as_posix()}", path.read_bytes()
    for pattern in JUDGE:
        for path in sorted(judge.glob(pattern)):
            yield f"autograde/{path.relative_to(judge).as_posix()}", path.read_bytes()
    for topic, module in oracles.topics().items():
        if module.LESSON in lessons:
            file = Path(module.__file__)
            parts = sorted(file.parent.glob("*.py")) if file.stem == "__init__" else [file]
            inside = f"autograde/judging/oracles/{topic}" if file.stem == "__init__" else "autograde/judging/oracles"
            for path in parts:
                yield f"{inside}/{path.name}", packed(path.read_bytes(), module.LESSON)
    # Of a course directory of one's own the probes, which every student may read.
    for topic, module in oracles.own_topics().items():
        for folder in course.own("probes") if module.LESSON in lessons else ():
            yield f"unrolled/probes/{topic}.py", Path(folder, f"{topic}.py").read_bytes()


def _data():
    for path in sorted(p for p in DATA.glob("*/*") if p.is_file() and p.suffix not in (".py", ".pyc")):
        yield f"unrolled/data/files/{path.relative_to(DATA).as_posix()}", path.read_bytes()


def packed(source: bytes, lesson: str) -> bytes:
    """A module that does what `source` does and cannot be read without meaning to."""
    text = base64.b85encode(zlib.compress(source, 9)).decode()
    return PACKED.format(lesson=lesson, text=text).encode()


def _metadata() -> str:
    """The course's own, with the packages for a lesson and the extra [lab]."""
    known = metadata(COURSE)
    needs = [line for line in known.get_all("Requires-Dist") or () if "extra ==" not in line or '"lab"' in line]
    return "\n".join(["Metadata-Version: 2.1", f"Name: {COURSE}", f"Version: {_version()}",
                      f"Summary: {known['Summary']}", f"Requires-Python: {known['Requires-Python']}",
                      "Provides-Extra: lab", *(f"Requires-Dist: {line}" for line in needs), ""])


def _version() -> str:
    return f"{version(COURSE).partition('+')[0]}+student"


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _zip(files: Mapping[str, bytes], how: int) -> bytes:
    """One archive; `how` is zipfile's way to compress."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", how) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.external_attr = 0o644 << 16
            entry.compress_type = how
            archive.writestr(entry, content)
    return whole.getvalue()


# What is written into them --------------------------------------------------------------------------------------

FIRST_CELL = """\
# Where the course is not installed (Colab, VS Code), this installs it from the file that came with the notebook.
import importlib.util, pathlib
if importlib.util.find_spec("unrolled") is None:
    assert pathlib.Path("{wheel}").exists(), "put {wheel} beside this notebook, then run this cell again"
    %pip install --quiet "{wheel}\""""

PACKED = '''\
"""What the checks of {lesson} compare with, and the mistakes they know by name.

Packed, so that nobody reads it by accident. It is no secret, only a spoiler: you are graded on other inputs.
"""
import base64
import zlib

exec(compile(zlib.decompress(base64.b85decode({text!r})), "<packed>", "exec", dont_inherit=True))
'''

README = """\
# Your lessons

{notebooks}

You need Python 3.11, 3.12 or 3.13. In this folder:

    python -m venv environment
    environment/bin/python -m pip install "{wheel}[lab]"
    environment/bin/jupyter lab {first}

(On Windows `environment\\Scripts\\python` and `environment\\Scripts\\jupyter`.) With VS Code or Colab open the
notebook, put the file `{wheel}` beside it and run its first cell: that installs the rest.

Replace `raise NotImplementedError()` by your code and run the check below it. It says what is right and, for mistakes
that it knows, what was misunderstood. Hand in the notebook under the name it has, nothing else.

Everything works offline once it is installed. The checks' reference values are in the course's file, packed so that
nobody reads them by accident. They are no secret: your work is graded on other inputs, elsewhere.
"""
