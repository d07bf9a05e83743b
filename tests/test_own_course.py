"""A course directory of one's own: lessons outside the packages, found, closed in, proven, graded with the others."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograde import course
from autograde.authoring import own
from autograde.cells import kind_of
from autograde.course import UserError

BUILT_IN, FROM_THE_DOCS, SCAFFOLDED = "00_start_here", "90_memory", "91_echo"
PAGE = course.ROOT / "docs" / "writing-a-lesson.md"


def shown() -> dict[str, str]:
    """The files of the example in the docs: by name, the block that follows the line which names it."""
    page = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r"^`([\w/.]+)`, [^\n]*:\n\n```\w+\n(.*?)^```$", page, re.M | re.S))


class Directory:
    """A course directory, and commands run in it as an instructor types them."""

    def __init__(self, folder: Path):
        self.folder = folder

    def run(self, *arguments: str, expect: int = 0) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "UNROLLED_COURSE"}
        done = subprocess.run([sys.executable, "-m", *arguments], cwd=self.folder, text=True, timeout=600,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=environment | {"COLUMNS": "200", "OMP_NUM_THREADS": "1"})
        assert done.returncode == expect, done.stdout[-4000:]
        return done.stdout


@pytest.fixture(scope="module")
def mine(tmp_path_factory) -> Directory:
    """With one lesson of the course, one written from the docs alone, and one from the scaffold, changed."""
    above = Directory(tmp_path_factory.mktemp("away from home"))
    above.run("autograde", "new-course", "my course", BUILT_IN)
    directory = Directory(above.folder / "my course")
    for name, text in shown().items():
        course.write_text(directory.folder / name, text)
    directory.run("autograde", "build", FROM_THE_DOCS)
    directory.run("autograde", "new-lesson", SCAFFOLDED, "--topic", "echo")
    for path in directory.folder.rglob("*echo*.py"):  # it becomes a lesson of its own
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("A memory that fades", "An echo"), encoding="utf-8")
    directory.run("autograde", "build", SCAFFOLDED)
    return directory


# Made -----------------------------------------------------------------------------------------------------------

def test_the_docs_show_the_lesson_that_the_command_writes():
    files = {target.replace("@lesson@", FROM_THE_DOCS).replace("@topic@", "memory"):
             own._text(source, lesson=FROM_THE_DOCS, topic="memory") for target, source in own.FILES.items()}
    assert shown() == files


def test_what_is_there_is_never_overwritten(mine):
    path = mine.folder / "solutions" / f"{BUILT_IN}.py"
    before = path.read_bytes()
    path.write_bytes(before + b"\n# mine\n")
    assert "no lesson was missing" in mine.run("autograde", "new-course", ".", BUILT_IN)
    assert path.read_bytes() == before + b"\n# mine\n"
    path.write_bytes(before)
    said = mine.run("autograde", "new-lesson", FROM_THE_DOCS, "--topic", "other", expect=2)
    assert f"solutions/{FROM_THE_DOCS}.py is there already; nothing was written" in said
    assert not (mine.folder / "oracles" / "other.py").exists()


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("all of it")
    with pytest.raises(UserError, match="no course directory"):
        own.new_course(tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(("name", "topic", "says"), [
    ("memory", "", "is called like 90_memory"), ("90_Memory", "memory", "is called like"),
    ("92_other", "lstm", "'lstm' is taken"), ("92_other", "a-b", "is a name in Python"),
    ("92_class", "", "is a name in Python"),
])
def test_names_that_will_not_do_are_refused_in_words(tmp_path, monkeypatch, name, topic, says):
    monkeypatch.setattr(course, "OWN", tmp_path)
    with pytest.raises(UserError, match=says):
        own.new_lesson(name, topic)
    assert not list(tmp_path.iterdir())


def test_outside_a_course_directory_the_command_says_how_to_make_one():
    with pytest.raises(UserError, match="autograde new-course DIR"):
        own.new_lesson("90_memory")


def root_seen_from(folder: Path, **more: str) -> list[str]:
    asks = "from autograde import course; print(course.ROOT, course.OWN)"
    environment = {name: value for name, value in os.environ.items() if name != "UNROLLED_COURSE"} | more
    return subprocess.run([sys.executable, "-c", asks], cwd=folder, env=environment, check=True, text=True,
                          stdout=subprocess.PIPE).stdout.split()


def test_a_course_directory_is_found_from_any_folder_in_it_and_only_if_it_is_ones_own(tmp_path):
    """What a student hands in, or somebody left in a folder that all may write to, never becomes the course."""
    outer, handed_in = tmp_path / "course", tmp_path / "course" / "submitted" / "eve"
    handed_in.mkdir(parents=True)
    for folder in (outer, handed_in):
        (folder / course.SETTINGS).touch()
    assert root_seen_from(handed_in) == [str(outer), str(outer)]
    in_the_clone = course.BUILD / "a folder of the clone"
    in_the_clone.mkdir(parents=True, exist_ok=True)
    (in_the_clone / course.SETTINGS).touch()
    assert root_seen_from(in_the_clone) == [str(course.BUILT_IN), "None"]
    shutil.rmtree(in_the_clone)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.chown(outer / course.SETTINGS, 65534, 65534)
        os.chown(handed_in / course.SETTINGS, 65534, 65534)
        assert root_seen_from(handed_in) == [str(course.BUILT_IN), "None"]
        assert root_seen_from(handed_in, UNROLLED_COURSE=str(outer)) == [str(outer), str(outer)]


# Proven and graded ----------------------------------------------------------------------------------------------

def test_lessons_written_there_are_proven_like_the_courses(mine):
    said = mine.run("pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert " passed" in said and "failed" not in said
    oracle = mine.folder / "oracles" / "echo.py"
    right = oracle.read_text(encoding="utf-8")
    oracle.write_text(right.replace("else (a, 1 - a)", "else (a, 1 + a)"), encoding="utf-8")
    said = mine.run("pytest", "-q", "-x", "-p", "no:cacheprovider", "tests", "-k", "right_answer", expect=1)
    assert "echo.trace: the reference" in said
    oracle.write_text(right, encoding="utf-8")


def test_the_lint_holds_for_them(mine):
    source = mine.folder / "solutions" / f"{SCAFFOLDED}.py"
    right = source.read_text(encoding="utf-8")
    source.write_text(right.replace('check("echo.trace", trace)', 'print("no check")'), encoding="utf-8")
    said = mine.run("autograde", "build", SCAFFOLDED, "--no-run", expect=2)
    assert "the check does not call check('echo.trace', ...)" in said
    source.write_text(right, encoding="utf-8")


LOOK = '''
def trace(x, a):
    import pathlib
    mine = pathlib.Path({folder!r})
    seen = sorted(path.name for path in mine.iterdir())
    assert seen == ["probes"], seen
    h = np.zeros(len(x))
    return np.stack([h := a * h + (1 - a) * x[:, t] for t in range(x.shape[1])], axis=1)
'''


def test_all_are_graded_together_and_closed_in(mine):
    """The sample classes, and one student more, who looks for the oracles and finds the probes alone."""
    said = mine.run("autograde", "demo", "--output", "build/class")
    for lesson in (BUILT_IN, FROM_THE_DOCS, SCAFFOLDED):
        assert lesson in said
    records = json.loads((mine.folder / "build" / "class" / "results.json").read_text(encoding="utf-8"))
    for lesson in (BUILT_IN, FROM_THE_DOCS, SCAFFOLDED):
        expected = tomllib.loads((mine.folder / "samples" / lesson / "expected.toml").read_text(encoding="utf-8"))
        found = {r["student"]: {
            "status": r["status"], "score": sum(e["points"] for e in r["exercises"]),
            "misunderstood": sorted(f"{e['id']}: {n}" for e in r["exercises"] for n in e["diagnosis"])}
            for r in records if r["lesson"] == lesson}
        assert found == expected

    notebook = nbformat.read(mine.folder / "notebooks" / FROM_THE_DOCS / f"{FROM_THE_DOCS}.ipynb", 4)
    [answer] = [cell for cell in notebook.cells if kind_of(cell) == "solution"]
    answer.source = LOOK.format(folder=str(mine.folder))
    path = mine.folder / "submitted" / "eve" / FROM_THE_DOCS / f"{FROM_THE_DOCS}.ipynb"
    course.write_text(path, nbformat.writes(notebook))
    mine.run("autograde", "grade", FROM_THE_DOCS, "--json", "eve.json")
    [eve] = json.loads((mine.folder / "eve.json").read_text(encoding="utf-8"))
    assert (eve["status"], eve["score"]) == ("graded", 3), eve


def test_a_changed_probe_or_oracle_is_another_version_of_the_grader(mine):
    asks = "from autograde.recording.journal import version; print(version('90_memory'))"
    environment = {name: value for name, value in os.environ.items() if name != "UNROLLED_COURSE"}

    def version() -> str:
        return subprocess.run([sys.executable, "-c", asks], cwd=mine.folder, env=environment, check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    before = version()
    for kind in ("probes", "oracles"):
        path = mine.folder / kind / "memory.py"
        right = path.read_text(encoding="utf-8")
        path.write_text(f"{right}# changed\n", encoding="utf-8")
        assert version() != before
        path.write_text(right, encoding="utf-8")
    assert version() == before


def test_students_are_given_them_too(mine):
    mine.run("autograde", "release", FROM_THE_DOCS, "--to", "given.zip")
    with zipfile.ZipFile(mine.folder / "given.zip") as archive:
        assert f"{FROM_THE_DOCS}.ipynb" in archive.namelist()
        [wheel] = [name for name in archive.namelist() if name.endswith(".whl")]
        archive.extract(wheel, mine.folder / "build")
    with zipfile.ZipFile(mine.folder / "build" / wheel) as archive:
        oracle = archive.read("autograde/judging/oracles/memory.py").decode()
        assert "Packed" in oracle and "swapped" not in oracle
        assert archive.read("unrolled/probes/memory.py") == (mine.folder / "probes" / "memory.py").read_bytes()
        assert "unrolled/probes/echo.py" not in archive.namelist()
