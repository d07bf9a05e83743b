"""What a child may see of this machine: folders, read-only, and a few names of the environment."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from autograde import course


def environment() -> dict[str, str]:
    """What a Python program needs to start, and nothing of what this environment may hold besides."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return kept | {"HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1",
                   "OPENBLAS_NUM_THREADS": "1"}


def visible() -> list[str]:
    """The folders and files a child may see, read-only."""
    import unrolled
    from unrolled.data import DATA

    system = ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/localtime"]
    python = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix,
              sysconfig.get_paths()["stdlib"], os.path.dirname(os.path.realpath(sys.executable))]
    own = [str(Path(unrolled.__file__).parent), str(DATA), *course.own("probes")]
    inside_usr = [p for p in python if not p.startswith(("/usr/", "/usr")) or p == "/usr"]
    return [p for p in dict.fromkeys([*system, *inside_usr, *own]) if os.path.lexists(p) and p != "/"]


def covered() -> list[str]:
    """Folders that must not show, should an exposed one contain them."""
    from unrolled import data

    package = Path(__file__).parent.parent
    covered = {package, course.SOLUTIONS, course.NOTEBOOKS, course.ROOT / "submitted", course.ROOT / "autograded",
               course.ROOT / "feedback", course.SAMPLES, course.ROOT / "tests", course.ROOT / ".unrolled",
               course.ROOT / ".git", course.BUILD, course.WORK}
    covered |= {Path(folder) for kind in ("oracles", "answers") for folder in course.own(kind)}
    exposed = visible()
    return sorted(str(p) for p in covered if p != data.DATA and any(str(p).startswith(e + "/") for e in exposed))
