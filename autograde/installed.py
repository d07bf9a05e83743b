"""Which versions of the course and of what it stands on are installed here."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

COURSE = "unrolled"  # the distribution's name


def versions() -> str:
    """The course's version, and in brackets those of Python, Keras and TensorFlow, as a bug report needs them."""
    found = [f"Python {platform.python_version()}", f"Keras {version('keras')}",
             f"TensorFlow {_version_of('tensorflow', 'tensorflow-cpu')}", f"{platform.system()} {platform.machine()}"]
    return f"{COURSE} {version(COURSE)} ({', '.join(found)})"


def _version_of(*names: str) -> str:
    """The version of the first of these packages that is installed: TensorFlow comes under two names."""
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "not installed"
