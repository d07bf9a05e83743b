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
         Lock("requirements-grade-cpu.lock", "grade", cpu=True), Lock("requirements-backends.lock", "backends"),
         Lock("requirements-site.lock", "site"))
# PyTorch for the processor alone. On Linux most indexes offer a build of several GB for graphics cards under the same
# version: only the hashes of the small ones are in the lock, so pip takes those or says that it found none.
TORCH = {"2.13.0": [
    "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",  # Linux, x86_64, Python 3.11
    "e76f9bcecc52b8ff711239a2f7547d5353df95878ab232f0773c1d95928b92f8",  # Macs with an Apple processor, Python 3.11
    "2fe228aba290d14b9f31b049be550dbd469c3fd3013d7a19705b30454da97027",  # the same, Python 3.12
    "33449899ce5496c1b84b4853179d94fd102028ae1407314d9fb956bb79e70d09",  # the same, Python 3.13
]}
TORCH_NEEDS = ["filelock", "fsspec>=0.8.5", "jinja2", "networkx>=2.5.1", "setuptools<85", "sympy>=1.13.3",
               "typing-extensions>=4.10"]
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
    if lock.extra == "backends":
        found = [line for line in found if not line.startswith("torch")] + TORCH_NEEDS
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
    if lock.extra == "backends":
        [(version, hashes)] = TORCH.items()
        with open(target, "a", encoding="utf-8") as file:
            file.write(" \\\n    ".join([f"torch=={version}", *(f"--hash=sha256:{h}" for h in hashes)]) + "\n")


if __name__ == "__main__":
    for each in LOCKS:
        make(each, *sys.argv[1:])
