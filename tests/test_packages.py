"""An installed course works away from its repository: what `pip wheel .` gives, for an instructor and for a student."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import nbformat
import pytest

from autograde import course
from autograde.authoring import samples
from autograde.cells import exercise_of, kind_of
from autograde.recording import journal
from tests.away import Place, build_wheel

SHIPPED = {"solutions": "autograde/shipped/solutions", "notebooks": "autograde/shipped/notebooks",
           "samples": "autograde/shipped/samples", "data": "unrolled/data/files"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def instructor(wheel):
    place = Place.make(wheel, "requirements-grade.lock")
    yield place
    place.remove()


@pytest.fixture(scope="module")
def student(wheel):
    place = Place.make(wheel, "requirements-lab.lock")
    yield place
    place.remove()


# What is in it --------------------------------------------------------------------------------------------------

def tracked(folder: str) -> set[str]:
    done = subprocess.run(["git", "ls-files", "-z", folder], cwd=course.ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this is no git repository")
    return set(done.stdout.split("\0")) - {""}


def test_the_wheel_holds_the_course_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        expected = {name for package in ("autograde", "unrolled") for name in tracked(package)}
        for folder, inside in SHIPPED.items():
            expected |= {inside + name.removeprefix(folder) for name in tracked(folder)}
        expected.add("autograde/shipped/nbgrader_config.py")
        assert names == expected
        for name in course.lessons():
            inside = archive.read(f"autograde/shipped/notebooks/{name}/{name}.ipynb")
            assert inside == course.released(name).read_bytes()
    assert wheel.stat().st_size < 20e6


def test_the_archive_of_the_sources_gives_the_same_wheel(wheel):
    clone, built = wheel.parents[1] / "a clone", wheel.parents[1] / "from sources"
    make = "import sys; from setuptools import build_meta; print(build_meta.build_sdist(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", make, built], cwd=clone, check=True, capture_output=True, timeout=120)
    [archive] = built.glob("*.tar.gz")
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps",
                    "--no-build-isolation", "--wheel-dir", built, archive], check=True, timeout=300)
    [again] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert {i.filename: i.CRC for i in one.infolist() if ".dist-info/" not in i.filename} == {
            i.filename: i.CRC for i in other.infolist() if ".dist-info/" not in i.filename}


def test_what_was_deleted_is_not_built_again(wheel):
    clone = wheel.parents[1] / "a clone"
    stale = clone / "build" / "lib" / "autograde" / "deleted.py"
    stale.parent.mkdir(parents=True, exist_ok=True)
    stale.write_text("")
    subprocess.run([sys.executable, "setup.py", "-q", "build_py"], cwd=clone, check=True, timeout=120)
    assert not stale.exists() and (stale.parent / "cli.py").exists()


def test_what_the_containerfile_takes_is_enough(wheel, tmp_path):
    """Built from the files that go into the image alone, and of those the ignore file lets through, it is the same."""
    text = (course.ROOT / "Containerfile").read_text(encoding="utf-8")
    copied = {part for line in re.findall(r"^COPY (.+) \S+$", text, re.M) for part in line.split()}
    ignored = (course.ROOT / ".containerignore").read_text(encoding="utf-8")
    assert ignored == (course.ROOT / ".dockerignore").read_text(encoding="utf-8")
    assert copied == set(re.findall(r"^!(\S+)$", ignored, re.M))
    assert re.search(r"--require-hashes -r (\S+)", text)[1] in copied
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(build_wheel(tmp_path, tuple(sorted(copied)))) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


# An instructor's ------------------------------------------------------------------------------------------------

@pytest.mark.skipif(os.geteuid() == 0 and not (shutil.which("setpriv") and shutil.which("unshare")),
                    reason="this test becomes another user, with util-linux")
def test_the_sample_class_is_graded_from_an_install_by_an_ordinary_user(instructor):
    """In a folder with a space in its path; points, statuses and names as in the repository."""
    done = instructor.run("autograde", "demo", nobody=os.geteuid() == 0)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    expected = {(name, student): result for name in course.lessons() for student, result in tomllib.loads(
        (samples.table(name).parent / "expected.toml").read_text(encoding="utf-8")).items()}
    found = {who: {"status": record["status"], "score": record["points"] if "points" in record else sum(
        e["points"] for e in record["exercises"]), "misunderstood": sorted(
            f"{e['id']}: {name}" for e in record["exercises"] for name in e["diagnosis"])}
        for who, record in instructor.results().items()}
    assert found == expected
    assert f"feedback: {instructor.folder}/course/build/class/feedback" in done.stdout
    assert sorted(path.name for path in (instructor.folder / "course").iterdir()) == ["build"], "nothing beside it"


def test_a_grade_depends_on_the_same_things_in_clone_and_install(instructor):
    """Who moves from one to the other grades nobody again for it."""
    asks = "from autograde.recording.journal import version; print(version('04_lstm'))"
    assert instructor.run("python", "-c", asks).stdout.strip() == journal.version("04_lstm")


def test_student_code_sees_no_lesson_of_the_installed_course(instructor):
    asks = ("from autograde.running.view import covered; from autograde import course; "
            "print(course.SHIPPED, any(str(course.SHIPPED).startswith(path) for path in covered()))")
    where, hidden = instructor.run("python", "-c", asks).stdout.strip().rsplit(" ", 1)
    assert where.endswith("site-packages/autograde/shipped") and hidden == "True"


def test_an_instructor_owns_a_course_directory_without_a_clone(instructor):
    """Made from the installed course; what is typed in it works on it, below it too."""
    assert "00_start_here" in instructor.run("autograde", "new-course", "mine", "00_start_here").stdout
    asks = ("import os; os.chdir('mine/submitted'); from autograde import course; "
            "print(course.lessons(), course.comes_with_the_package('00_start_here'))")
    (instructor.folder / "course" / "mine" / "submitted").mkdir()
    done = instructor.run("python", "-c", asks)
    assert done.stdout == "['00_start_here'] False\n", done.stderr
    shutil.rmtree(instructor.folder / "course" / "mine")


def test_an_installed_lesson_is_not_built_over(instructor):
    done = instructor.run("autograde", "build", "04_lstm", "--no-run")
    assert done.returncode == 2 and "04_lstm came with the installed package" in done.stderr


def test_damaged_data_of_an_installed_course_asks_for_the_course_again(instructor):
    [path] = instructor.folder.glob("environment/lib/*/site-packages/unrolled/data/files/sunspots/sunspots.csv")
    content = path.read_bytes()
    path.unlink()
    done = instructor.run("python", "-c", "from unrolled import data; data.load('sunspots')")
    path.write_bytes(content)
    assert done.stderr.strip().endswith("pip install --force-reinstall --no-deps unrolled-....whl")


# A student's ----------------------------------------------------------------------------------------------------

def test_a_students_install_imports_without_what_grades(student):
    done = student.run("python", "-c", "import unrolled, sys; print('autograde' in sys.modules)")
    assert done.stdout == "False\n", done.stderr
    told = student.run("autograde", "grade", "04_lstm")
    assert told.returncode == 2 and "-py3-none-any.whl[grade]'" in told.stderr
    assert student.run("autograde", "--version").stdout.startswith("unrolled ")


def test_a_student_opens_a_lesson_and_all_checks_answer(student):
    """Laid out from the installed course and run there, with right answers and one that is not written yet."""
    lay_out = "from pathlib import Path; from autograde.authoring import desk; desk.lay_out(Path('work'))"
    assert student.run("python", "-c", lay_out).returncode == 0
    path = student.folder / "course" / "work" / "00_start_here" / "00_start_here.ipynb"
    assert path.read_bytes() == course.released("00_start_here").read_bytes()
    notebook, expected = nbformat.read(path, 4), {}
    answers = samples.load("00_start_here").reference
    for cell in notebook.cells:
        if kind_of(cell) == "solution":
            expected[exercise_of(cell)] = "passed" if expected else "not written yet"
            if len(expected) > 1:
                cell.source = answers[exercise_of(cell)]
    nbformat.write(notebook, path)
    student.execute(path)
    checks = {exercise_of(cell): cell.outputs for cell in nbformat.read(path, 4).cells if kind_of(cell) == "check"}
    assert checks.keys() == expected.keys() and len(checks) == 3
    for exercise, says in expected.items():
        [panel] = [o.data["text/plain"] for o in checks[exercise] if o.output_type == "display_data"]
        assert says in panel
        assert any(o.output_type == "error" for o in checks[exercise]) == (says != "passed")


def test_a_students_desk_says_what_is_done_and_runs_a_lesson_without_what_grades(student):
    """After the first answer of lesson 00: one right, two not written; the exit codes of a script."""
    path = student.folder / "course" / "work" / "00_start_here" / "00_start_here.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(course.released("00_start_here"), 4)
    cell = next(cell for cell in notebook.cells if kind_of(cell) == "solution")
    cell.source = samples.load("00_start_here").reference[exercise_of(cell)]
    nbformat.write(notebook, path)
    handed_out = path.read_bytes()
    done = student.run("python", "-m", "unrolled", "submit", "00")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "✔ start.affine: passed (2 of 2 points)" in done.stdout and done.stdout.count("✎ start.") == 2
    assert "2 of 6 points, 1 of 3 exercises right, 0 of 1 answers in words written" in done.stdout
    assert path.read_bytes() == handed_out == (student.folder / "course/work/hand_in/00_start_here.ipynb").read_bytes()
    told = student.run("python", "-m", "unrolled")
    assert told.returncode == 0 and "Next: 00_start_here, exercise start.layer" in told.stdout
    assert student.run("python", "-m", "unrolled", "check", "99").returncode == 2
