"""The locks, made again from pyproject.toml: which versions, with hashes, for every platform and Python.

    python -m tests.locks              # after a change of pyproject.toml; needs uv
    python -m tests.locks --upgrade    # newer versions of everything

`requirements.lock` is what ``make setup`` installs: the extra [test]. The others keep to its versions, so that a
student has what the course was tested with.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from autograde import course

WHOLE = "requirements.lock"


@dataclass(frozen=True)
class Lock:
    """One lock: its file, the extra it installs, and whether TensorFlow comes without code for graphics cards."""

    file: str
    extra: str
    cpu: bool = False


LOCKS = (Lock(WHOLE, "test"), Lock("requirements-lab.lock", "lab"), Lock("requirements-grade.lock", "grade"),
         Lock("requirements-cluster.lock", "cluster"), Lock("requirements-lab-cpu.lock", "lab", cpu=True),
         Lock("requirements-grade-cpu.lock", "grade", cpu=True))
# Where TensorFlow without code for graphics cards has packages of its own; elsewhere the usual one is taken.
CPU = "(sys_platform == 'linux' and platform_machine == 'x86_64') or sys_platform == 'win32'"
NOT_CPU = "(sys_platform != 'linux' or platform_machine != 'x86_64') and sys_platform != 'win32'"


def asked(extra: str) -> list[str]:
    """What pyproject.toml asks for with an extra, the extras it names included."""
    project = tomllib.loads((course.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = []
    for line in project["optional-dependencies"][extra]:
        own = line.startswith("unrolled[")
        found += asked(line.removeprefix("unrolled[").removesuffix("]")) if own else [line]
    return list(dict.fromkeys([*project["dependencies"], *found]))


def wanted(lock: Lock) -> list[str]:
    """The requirements that a lock pins."""
    found = asked(lock.extra)
    if lock.cpu:
        [tensorflow] = [line for line in found if line.startswith("tensorflow>")]
        limits = tensorflow.removeprefix("tensorflow")
        found[found.index(tensorflow)] = f"tensorflow-cpu{limits} ; {CPU}"
        found.append(f"{tensorflow} ; {NOT_CPU}")
    return found


def make(lock: Lock, *more: str) -> None:
    """Write a lock anew. Versions that it or `requirements.lock` names already are kept."""
    target = course.ROOT / lock.file
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "pyproject")
        listed.write_text("\n".join(wanted(lock)) + "\n", encoding="utf-8")
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url",
                   "--no-annotate", "--python-version", "3.11", "--custom-compile-command", "python -m tests.locks",
                   "--output-file", target, *more]
        if lock.file != WHOLE:
            command += ["--constraint", course.ROOT / WHOLE]
        subprocess.run([*command, listed], check=True, cwd=course.ROOT)


if __name__ == "__main__":
    for each in LOCKS:
        make(each, *sys.argv[1:])
