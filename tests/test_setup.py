"""What stands before the first command: a Python and a machine that TensorFlow has packages for, and conda's file."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
import yaml
from traitlets.config import PyFileConfigLoader

from autograde import course, supported

LINUX, MAC = ("Linux", "x86_64"), ("Darwin", "arm64")


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 7), (3, 13, 9)])
@pytest.mark.parametrize("machine", [LINUX, ("Linux", "aarch64"), MAC, ("Windows", "AMD64")])
def test_where_tensorflow_has_packages(version, machine):
    assert supported.problem(version, *machine) == ""


@pytest.mark.parametrize(("version", "machine", "more", "says"), [
    ((3, 10, 12), LINUX, {}, "this is Python 3.10; TensorFlow 2.21 runs on Python 3.11, 3.12 and 3.13"),
    ((3, 14, 0), MAC, {}, "make PYTHON=python3.12"),
    ((3, 13, 1), LINUX, {"standard": False}, "this kind of Python"),
    ((3, 12, 1), ("Darwin", "x86_64"), {}, "Macs with an Intel processor"),
    ((3, 12, 1), LINUX, {"glibc": False}, "Linux x86_64, musl"),
    ((3, 12, 1), ("Linux", "riscv64"), {}, "Linux riscv64"),
    ((3, 12, 1), ("Windows", "ARM64"), {}, "Windows ARM64"),
])
def test_where_it_has_none_the_reason_is_said(version, machine, more, says):
    assert says in supported.problem(version, *machine, **more)


def test_the_same_pythons_are_named_everywhere():
    project = tomllib.loads((course.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    newest = supported.NEWEST[0], supported.NEWEST[1] + 1
    assert project["requires-python"] == ">={}.{},<{}.{}".format(*supported.OLDEST, *newest)
    tensorflow = next(d for d in project["dependencies"] if d.startswith("tensorflow"))
    named = re.search(r"TensorFlow (\d+\.\d+) runs", supported.problem((3, 14), *LINUX))[1]
    assert tensorflow == f"tensorflow>={named},<2.{int(named.partition('.')[2]) + 1}"
    assert re.search(r"Python \(?3\.11, 3\.12 or 3\.13", (course.ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.mark.skipif(not shutil.which("make"), reason="make is not here")
def test_make_says_so_before_anything_is_downloaded(tmp_path):
    """With a Python that says it is 3.14."""
    fake = tmp_path / "python3.14"
    fake.write_text(f"""#!/bin/sh
exec {shlex.quote(sys.executable)} -c 'import sys; sys.version_info = (3, 14, 0); import runpy
runpy.run_module("autograde.supported", run_name="__main__")'
""")
    fake.chmod(0o755)
    done = subprocess.run(["make", "setup", f"PYTHON={fake}", f"VENV={tmp_path}/venv"], cwd=course.ROOT, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode != 0 and "this is Python 3.14" in done.stderr
    assert "Setting up" not in done.stdout and not (tmp_path / "venv").exists()


def test_it_runs_with_nothing_installed():
    done = subprocess.run([sys.executable, "-I", "-S", str(course.ROOT / "autograde" / "supported.py")])
    assert done.returncode == 0


def test_condas_file_asks_for_what_conda_can_give():
    """A Python the course runs on and make; no part for pip, which conda would hand to a client of its own."""
    described = yaml.safe_load((course.ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert described["channels"] == ["conda-forge"]
    assert all(isinstance(entry, str) for entry in described["dependencies"])
    packages = dict(entry.partition("=")[::2] for entry in described["dependencies"])
    assert packages.keys() == {"python", "make"}
    assert supported.problem(tuple(map(int, packages["python"].split("."))), *LINUX) == ""


# Validating -------------------------------------------------------------------------------------------------------

def test_nbgrader_finds_the_courses_settings_from_any_folder(tmp_path, monkeypatch):
    """``make setup`` puts them where nbgrader looks whatever folder it is started from."""
    from nbgrader.apps import NbGrader

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "a student's own settings"))
    app = NbGrader()
    app.load_config_file()  # as the Validate button does
    own = PyFileConfigLoader("nbgrader_config.py", path=str(course.ROOT)).load_config()
    assert app.config.Execute.timeout == own.Execute.timeout == 180
    assert app.config.Execute.skip_cells_with_tag == own.Execute.skip_cells_with_tag == "demo"


def test_programs_start_from_a_path_with_a_space(tmp_path):
    """What ``make setup`` does after the download, in a folder with a space in its name."""
    root = tmp_path / "my course"
    root.mkdir()
    for part in ("autograde", "unrolled", "pyproject.toml", "README.md", "LICENSE"):
        (root / part).symlink_to(course.ROOT / part)
    python, program = root / ".venv" / "bin" / "python", root / ".venv" / "bin" / "autograde"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True, timeout=60)
    packages = subprocess.run([python, "-c", "import site; print(site.getsitepackages()[0])"], check=True, text=True,
                              capture_output=True).stdout.strip()
    Path(packages, "downloaded.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--ignore-installed", "--editable", root], check=True,
                   timeout=120)
    done = subprocess.run([program, "--help"], text=True, capture_output=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0 and "Usage: autograde" in done.stdout, done.stderr
    where = subprocess.run([python, "-c", "import autograde; print(autograde.__file__)"], text=True, cwd=tmp_path,
                           capture_output=True).stdout
    assert where.startswith(str(root)), "the packages are used from their folder, as they are"
