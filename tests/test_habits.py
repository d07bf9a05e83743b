"""What a repository is expected to have, held to what it says: versions, locks, CI, forms for issues."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version

import pytest
import yaml
from packaging.requirements import Requirement

from autograde import course, supported
from tests import locks

PROJECT = tomllib.loads((course.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((course.ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (course.ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")


def text(name: str) -> str:
    return (course.ROOT / name).read_text(encoding="utf-8")


# Versions -------------------------------------------------------------------------------------------------------

def test_one_version_everywhere():
    cited = yaml.safe_load(text("CITATION.cff"))
    released = re.findall(r"^## (\d\S+) - (\S+)$", text("CHANGELOG.md"), re.M)
    assert PROJECT["version"] == str(cited["version"]) == released[0][0]
    assert str(cited["date-released"]) == released[0][1]
    assert cited["license"] == PROJECT["license"]
    assert released == sorted(released, key=lambda one: [int(part) for part in one[0].split(".")], reverse=True)


def test_a_tag_names_the_version_of_its_commit():
    done = subprocess.run(["git", "tag", "--points-at", "HEAD"], cwd=course.ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this is no git repository")
    assert {tag for tag in done.stdout.split() if tag.startswith("v")} <= {f"v{PROJECT['version']}"}


def test_the_command_says_which_versions_are_installed():
    said = subprocess.run([sys.executable, "-m", "autograde", "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith(f"unrolled {PROJECT['version']} (Python {sys.version.split()[0]}, ")
    assert f"Keras {version('keras')}" in said.stdout and f"TensorFlow {version('tensorflow')}" in said.stdout
    assert said.stdout.count("\n") == 1


# Locks ----------------------------------------------------------------------------------------------------------

def pinned(file: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", text(file), re.M))


@pytest.mark.parametrize("lock", locks.LOCKS, ids=lambda lock: lock.file)
def test_a_lock_gives_what_is_asked_for(lock):
    has, whole = pinned(lock.file), pinned(locks.WHOLE)
    for line in locks.wanted(lock):
        wanted = Requirement(line)
        assert wanted.specifier.contains(has[wanted.name.lower()]), f"{line}: run python -m tests.locks"
    # What the course was tested with is what students and instructors get.
    assert not {name: (old, whole[name]) for name, old in has.items() if name in whole and whole[name] != old}
    assert len(re.findall(r"^[a-z0-9].*==", text(lock.file), re.M)) <= text(lock.file).count("--hash=sha256:")


def test_a_students_packages_grade_nothing_test_nothing_and_keep_no_marks():
    for file in ("requirements-lab.lock", "requirements-lab-cpu.lock"):
        assert not pinned(file).keys() & {
            "nbgrader", "sqlalchemy", "alembic", "psycopg", "jupytext", "distributed", "dask", "pytest", "nbval",
            "hypothesis", "selenium", "ruff", "grimp", "mdit-py-plugins"}
    assert {"distributed"} == pinned("requirements-cluster.lock").keys() & {"distributed", "pytest"}


def test_no_lock_names_where_packages_come_from():
    for lock in locks.LOCKS:
        assert "://" not in text(lock.file) and "index-url" not in text(lock.file)


# CI -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_can_write_nothing_and_runs_only_what_it_names(path):
    content = path.read_text(encoding="utf-8")
    workflow = yaml.safe_load(content)
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in content and "secrets." not in content
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 90 and "permissions" not in job, name
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"]), f"{name}: {step['uses']} is not pinned"
                if step["uses"].startswith("actions/checkout"):
                    assert step["with"]["persist-credentials"] is False
            # What others may write (a branch's name, a title) never becomes part of a command.
            assert "${{" not in step.get("run", ""), name


def test_ci_tries_every_python_the_course_runs_on():
    jobs = yaml.safe_load(text(".github/workflows/test.yml"))["jobs"]
    first, last = supported.OLDEST[1], supported.NEWEST[1]
    assert jobs["test"]["strategy"]["matrix"]["python"] == [f"3.{minor}" for minor in range(first, last + 1)]
    assert any("bash .ci/run" in step.get("run", "") for step in jobs["test"]["steps"])
    assert any("conda env create" in step.get("run", "") for step in jobs["conda"]["steps"])


# Issues ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_can_be_filled_in(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"] and form["description"]
    ids = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert len(ids) == len(set(ids)) >= 2
    for field in form["body"]:
        assert field["type"] in {"markdown", "input", "textarea", "dropdown", "checkboxes"}
        assert set(field) <= {"type", "id", "attributes", "validations"}
        assert field["attributes"].get("label") or field["type"] == "markdown"


def places(page: str) -> set[str]:
    """What a page's headings can be linked to as, in GitHub's way."""
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} +(.+)$", re.sub(r"^```.*?^```", "", text(page), flags=re.M | re.S), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.append(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return {place if n == 0 else f"{place}-{n}" for i, place in enumerate(found) for n in [found[:i].count(place)]}


@pytest.mark.parametrize("page", sorted(path.relative_to(course.ROOT).as_posix() for folder in ("", "docs", "data")
                                        for path in (course.ROOT / folder).glob("*.md")))
def test_links_of_a_page_lead_somewhere(page):
    for target in re.findall(r"(?<!\\)\]\(([^)\s]+)\)", text(page)):
        if "://" in target:
            continue
        file, _, place = target.partition("#")
        there = (course.ROOT / page).parent / file if file else course.ROOT / page
        assert there.exists(), target
        if place and there.suffix == ".md":
            assert place in places(there.resolve().relative_to(course.ROOT.resolve()).as_posix()), target
