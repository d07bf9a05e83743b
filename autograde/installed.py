"""What is installed here: versions of the course and of what it stands on, and what an extra would add."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

COURSE = "unrolled"  # the distribution's name


def versions() -> str:
    """The course's version, and in brackets those of Python, Keras and TensorFlow, as a bug report needs them."""
    found = [f"Python {platform.python_version()}", f"Keras {version('keras')}",
             f"TensorFlow {_version_of('tensorflow', 'tensorflow-cpu')}", f"{platform.system()} {platform.machine()}"]
    return f"{COURSE} {version(COURSE)} ({', '.join(found)})"


# Packages that an install without extras does not have, by the name they are imported by.
EXTRAS = {"lab": ("jupyterlab", "jupyter_server", "ipykernel"), "cluster": ("distributed", "dask"),
          "grade": ("nbgrader", "nbformat", "nbclient", "nbconvert", "jupytext", "jinja2", "markdown_it",
                    "mdit_py_plugins", "sqlalchemy", "psycopg", "traitlets", "alembic")}


def what_is_missing(module: str) -> str:
    """What to install for a module that was not found; empty if it belongs to no extra."""
    for extra, modules in EXTRAS.items():
        if module.partition(".")[0] in modules:
            return (f"this needs {module.partition('.')[0]}, which is not installed here; it comes with the extra "
                    f"[{extra}]: pip install '{wheel()}[{extra}]'")
    return ""


def wheel() -> str:
    """The name of the file that this version of the course is installed from."""
    return f"{COURSE}-{version(COURSE)}-py3-none-any.whl"


def _version_of(*names: str) -> str:
    """The version of the first of these packages that is installed: TensorFlow comes under two names."""
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "not installed"
