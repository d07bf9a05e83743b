"""The course as people install it: the wheel, in an environment of its own, in a folder with a space in its name."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from autograde import course
from tests.test_sandbox import BECOME

PARTS = ("autograde", "unrolled", "solutions", "notebooks", "samples", "data", "pyproject.toml", "setup.py",
         "MANIFEST.in", "README.md", "LICENSE", "nbgrader_config.py", "Makefile", "environment.yml", "CHANGELOG.md",
         "CITATION.cff")
NOBODY = 65534
EXECUTE = """
import sys, nbformat
from pathlib import Path
from nbclient import NotebookClient
path = Path(sys.argv[1])
notebook = nbformat.read(path, 4)
NotebookClient(notebook, timeout=300, kernel_name="python3", allow_errors=True,
               resources={"metadata": {"path": str(path.parent)}}).execute()
nbformat.write(notebook, path)
"""


def build_wheel(folder: Path, parts: tuple[str, ...] = PARTS) -> Path:
    """``pip wheel .`` in a copy of these parts of the repository below `folder`; returns the wheel."""
    repository = folder / "a clone"
    repository.mkdir()
    for part in parts:
        source = course.ROOT / part
        if source.is_dir():
            shutil.copytree(source, repository / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, repository / part)
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps",
                    "--no-build-isolation", "--wheel-dir", folder / "wheels", "."], cwd=repository, check=True,
                   timeout=300)
    [wheel] = (folder / "wheels").glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Place:
    """A folder away from the repository: ``environment/`` with the wheel, ``home/``, and ``course/`` to work in."""

    folder: Path

    @classmethod
    def make(cls, wheel: Path | None, lock: str) -> Place:
        """With the packages that a lock names, the same files as here, and the wheel; or without, but with pip."""
        place = cls(Path(tempfile.mkdtemp(prefix="away from home ")))
        place.folder.chmod(0o755)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", place.folder / "environment"], check=True,
                       timeout=60)
        for name in re.findall(r"^([a-z0-9._-]+)==", (course.ROOT / lock).read_text(encoding="utf-8"), re.M):
            place._bring(name)
        if wheel is None:
            place._bring("pip")
        else:
            subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "--python",
                            place.program("python"), "install", "--quiet", "--no-deps", "--no-index", wheel],
                           check=True, timeout=300)
        for own in ("home", "course"):
            (place.folder / own).mkdir()
        return place

    def _bring(self, name: str) -> None:
        """The files of one package, as they are here, but its programs, whose first line names this environment."""
        try:
            found = distribution(name)
        except PackageNotFoundError:
            return  # for another platform
        site = self.folder / "environment" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
        for file in found.files or ():
            source, target = Path(found.locate_file(file)), Path(os.path.normpath(site / file))
            if "/bin/" not in file.as_posix() and file.suffix != ".pyc" and source.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(source, target)
                except OSError:
                    shutil.copyfile(source, target)

    def program(self, name: str) -> Path:
        return self.folder / "environment" / "bin" / name

    def run(self, *command: str | Path, nobody: bool = False, timeout: int = 600) -> subprocess.CompletedProcess:
        """Run a program of the environment in ``course/``, with nothing of this session's environment variables.

        With `nobody`, as a user without any privilege, to whom ``home/`` and ``course/`` belong.
        """
        whole = [str(self.program(str(command[0]))), *map(str, command[1:])]
        where = self.folder / "course"
        if nobody:
            for own in ("home", "course"):
                os.chown(self.folder / own, NOBODY, NOBODY)
            script = BECOME.format(open=sys.base_prefix, root=shlex.quote(str(where)))
            whole = ["unshare", "--mount", "bash", "-c", script, "bash", *whole]
        own = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "COLUMNS": "200", "LANG": "C.UTF-8",
               "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
        return subprocess.run(whole, cwd=where, env=own, capture_output=True, text=True, timeout=timeout)

    def execute(self, notebook: Path, seconds: int = 600) -> None:
        """Run a notebook in place, in its own folder, by a kernel of this environment, past cells that fail."""
        done = self.run("python", "-c", EXECUTE, notebook, timeout=seconds)
        assert done.returncode == 0, done.stderr[-3000:]

    def results(self) -> dict[tuple[str, str], dict]:
        """What ``autograde demo`` found, by lesson and student."""
        found = json.loads((self.folder / "course" / "build" / "class" / "results.json").read_text(encoding="utf-8"))
        return {(record["lesson"], record["student"]): record for record in found}

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
