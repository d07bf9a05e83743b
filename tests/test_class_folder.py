"""A class's directory as people, platforms and systems leave it, graded by the command: everybody has a status,
nobody else's work counts, and no name reaches a terminal or a record raw."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograde import course
from autograde.authoring import samples
from autograde.course import UserError
from autograde.intake.roll import name_problem, read_roll, spelled
from autograde.text import shown

LESSON = "04_lstm"
COMPOSED, DECOMPOSED = "Jos\u00e9", "Jose\u0301"
ESCAPES = "\x1b[31mred\x1b]8;;mailto:a@example.org\x07"
LONG, TOO_LONG = "y" * 100, "x" * 200
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def autograde(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "autograde", *arguments], capture_output=True, timeout=300,
                          env=os.environ | {"COLUMNS": "80"} | environment)


@pytest.fixture(scope="module")
def right(tmp_path_factory) -> bytes:
    """A right notebook of the lesson."""
    folder = tmp_path_factory.mktemp("samples")
    samples.write_class(LESSON, folder)
    return (folder / "ada" / LESSON / f"{LESSON}.ipynb").read_bytes()


def put(submitted: Path, path: str, content: bytes) -> None:
    target = submitted / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


@pytest.fixture(scope="module")
def graded(tmp_path_factory, right):
    """A class with every kind of folder; the command's end, and the records by student."""
    tmp = tmp_path_factory.mktemp("class")
    submitted = tmp / "submitted"
    exact = f"{LESSON}/{LESSON}.ipynb"
    for student in ("ada", "Ada", COMPOSED, "\u674e\u96f7 \U0001f98a", ".dot", LONG, TOO_LONG, ESCAPES,
                    "[bold]:smile: a\u202eb", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"):
        put(submitted, f"{student}/{exact}", right)
    put(submitted, f"{DECOMPOSED}/00_start_here/00_start_here.ipynb", b"{}")
    put(submitted, f"nested/{LESSON}/{exact}", right)
    put(submitted, f"txt/{LESSON}/{LESSON}.ipynb.txt", right)
    put(submitted, f"json/{LESSON}/my.ipynb.json", right)
    put(submitted, f"flat/{LESSON}.ipynb", right)
    put(submitted, f"capitals/LSTM homework/{LESSON}.ipynb", right)
    put(submitted, f"checkpoint/{LESSON}/.ipynb_checkpoints/{LESSON}-checkpoint.ipynb", right)
    put(submitted, f"pdf/{LESSON}/{LESSON}.pdf", b"%PDF")
    put(submitted, f"other/00_start_here/{LESSON}.ipynb", right)
    (submitted / "zipped" / LESSON).mkdir(parents=True)
    with zipfile.ZipFile(submitted / "zipped" / LESSON / "all.zip", "w") as archive:
        archive.writestr(f"{LESSON}.ipynb", right)
    os.makedirs(os.fsencode(submitted) + b"/caf\xe9/" + LESSON.encode())
    (submitted / "mallory").symlink_to(submitted / "ada", target_is_directory=True)
    (submitted / "moss").mkdir()
    (submitted / "moss" / LESSON).symlink_to(submitted / "ada" / LESSON, target_is_directory=True)
    put(submitted, f"pictures/{LESSON}/{LESSON}.ipynb", large(right))
    put(submitted, "lovelaceada_12345_678901_04_lstm.ipynb", right)
    done = autograde("grade", LESSON, "--submitted", str(submitted), "--output", str(tmp / "out"),
                     "--json", str(tmp / "r.json"))
    records = {record["student"]: record for record in json.loads((tmp / "r.json").read_text(encoding="utf-8"))}
    return done, records, submitted, tmp / "out"


def large(notebook: bytes) -> bytes:
    """The same notebook with more pictures in it than a file may hold."""
    data = json.loads(notebook)
    for cell in data["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * 6_000_000}}]
    return json.dumps(data).encode()


def asked(graded) -> list[str]:
    return [line.removeprefix("autograde: ") for line in graded[0].stderr.decode().splitlines()
            if line.startswith("autograde: ")]


@pytest.mark.parametrize("student", [
    "ada", "Ada", COMPOSED, "\u674e\u96f7 \U0001f98a", LONG, "[bold]:smile: ab",
    "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "nested", "txt", "json", "flat", "capitals", "pictures"])
def test_right_work_counts_wherever_it_lies(graded, student):
    record = graded[1][student]
    assert (record["status"], record["score"]) == ("graded", 60)
    said = {"nested": "lay in 04_lstm/04_lstm", "txt": "ends in txt", "json": "called my.ipynb.json",
            "flat": "the student's folder", "capitals": "lay in LSTM homework", "pictures": "outputs were left out"}
    if student in said:
        assert any(said[student] in repair for repair in record["repairs"])


@pytest.mark.parametrize(("student", "status", "why"), [
    (".dot", "unreadable", "begins with a dot"),
    (r"caf\xe9", "unreadable", "not text in UTF-8"),
    ("mallory", "unreadable", "symbolic link"),
    ("moss", "unreadable", "symbolic link"),
    ("zipped", "unreadable", "all.zip is an archive"),
    (shown(TOO_LONG, 128), "unreadable", "longer than nbgrader's 128 characters"),
    (shown(ESCAPES, 128), "unreadable", "cannot be shown"),
    ("checkpoint", "missing", f"but there is {LESSON}/.ipynb_checkpoints/{LESSON}-checkpoint.ipynb"),
])
def test_what_cannot_be_graded_has_a_status_and_is_asked_about(graded, student, status, why):
    assert graded[1][student]["status"] == status
    assert graded[0].returncode == 2
    assert any(line.startswith(f"{shown(student)}: ") and why in line for line in asked(graded)), asked(graded)


def test_nothing_handed_in_is_told_in_words(graded):
    record = graded[1]["pdf"]
    assert record["status"] == "missing" and "the folder holds 04_lstm.pdf" in record["note"]


def test_a_notebook_in_another_lessons_folder_is_that_lessons(graded):
    assert graded[1]["other"]["status"] == "missing"


def test_two_spellings_are_one_student(graded):
    _, records, _, out = graded
    assert COMPOSED in records and DECOMPOSED not in records
    assert [p.name for p in (out / "autograded").iterdir() if p.name.startswith("Jos")] == [COMPOSED]


def test_what_may_be_one_student_is_asked(graded):
    assert any(line.startswith("Ada and ada: one student or several?") for line in asked(graded))


def test_a_download_that_lies_about_is_asked_about(graded):
    assert any("lovelaceada_12345_678901_04_lstm.ipynb" in line and "autograde collect" in line
               for line in asked(graded))


def test_names_reach_nothing_raw(graded):
    done, records, _, out = graded
    printed = done.stdout.decode() + done.stderr.decode()
    assert not CONTROL.search(printed.replace("\n", ""))
    assert "\U0001f604" not in printed and "[bold]:smile:" in printed  # no emoji was made of it
    for path in (*out.rglob("*.html"), out / ".unrolled" / "journal.jsonl"):
        assert not CONTROL.search(re.sub(r"[\n\t]", "", path.read_text(encoding="utf-8"))), path
    assert not CONTROL.search(json.dumps(list(records.values()), ensure_ascii=False))


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_no_name_hides_a_score(graded, columns):
    _, _, submitted, out = graded
    done = autograde("grade", LESSON, "--submitted", str(submitted), "--output", str(out), COLUMNS=columns)
    lines = done.stdout.decode().splitlines()
    top = sum(cell.metadata.nbgrader.get("points", 0) for cell in nbformat.read(course.released(LESSON), 4).cells
              if "nbgrader" in cell.metadata)
    assert sum(f"60/{top:g}" in line and "graded" in line for line in lines) == 13
    assert max(map(len, lines)) < 400


@pytest.mark.parametrize(("environment", "expected"), [
    ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, rb"Jos\xe9"),
    ({"LC_ALL": "C"}, COMPOSED.encode()),
    ({"PYTHONIOENCODING": "latin-1"}, COMPOSED.encode("latin-1")),
    ({"PYTHONIOENCODING": "ascii"}, rb"Jos\xe9"),
])
def test_every_locale_and_output_encoding(graded, environment, expected, tmp_path):
    """Finished work stands: whatever the locale, a folder means the same student."""
    _, records, submitted, out = graded
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    done = subprocess.run([sys.executable, "-m", "autograde", "grade", LESSON, "--submitted", str(submitted),
                           "--output", str(out), "--json", str(tmp_path / "r.json")], capture_output=True,
                          env=clean | {"COLUMNS": "100"} | environment)
    assert done.returncode == 2 and b"Traceback" not in done.stderr
    assert expected in done.stdout
    again = {r["student"]: r for r in json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))}
    assert {s: r["score"] for s, r in again.items()} == {s: r["score"] for s, r in records.items()}


def test_both_spellings_handed_in_is_a_question(tmp_path, right):
    for name in (COMPOSED, DECOMPOSED):
        put(tmp_path, f"{name}/{LESSON}/{LESSON}.ipynb", right)
    from autograde.intake import submission

    [enrolled] = read_roll(tmp_path).students.values()
    found = submission.find(tmp_path, enrolled.folders, LESSON)
    assert enrolled.folders == (COMPOSED, DECOMPOSED)
    assert found.content == right and "keep one of them" in found.asks


# The pieces --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("name", "student"), [
    (DECOMPOSED, COMPOSED), (" ada\u00a0", "ada"), ("ada\u200e", "ada"), ("\ufeffada", "ada"), ("a\u3000b", "a b"),
    ("\u0646\u0645\u06cc\u200c\u062f\u0627\u0646\u0645",) * 2, ("ada\u200d", "ada"),
    (os.fsdecode(b"caf\xe9"), r"caf\xe9"), (os.fsdecode("caf\u00e9".encode()), "caf\u00e9"), ("\u202e", "?"),
])
def test_one_spelling(name, student):
    assert spelled(name) == student
    assert spelled(student) == student


@pytest.mark.parametrize("name", ["a\nb", "a\x00b", "\x1b[2J", ".ada", "z" * 129, "a" + "\u0301" * 40,
                                  "<img src=x onerror=alert(1)>", "\" onmouseover=\"alert(1)", "a>b",
                                  os.fsdecode(b"caf\xe9")])
def test_what_is_no_name(name):
    assert name_problem(name).isprintable() and name_problem(name)


@pytest.mark.parametrize("name", ["ada", "Zo\u00eb O'Brien-\u0141", "\u674e\u96f7", "s2041234@example.org", "z" * 128,
                                  "\U0001f98a"])
def test_what_is_a_name(name):
    assert name_problem(name) == ""


@pytest.mark.parametrize("text", ["a" * 500, "\x1b[31m" * 100, "\u0301" * 300, "a\r\nb", "\ud800", "\u202eabc", ""])
def test_shown_is_one_short_printable_line(text):
    line = shown(text)
    assert len(line) <= 60 and line.isprintable() and "\n" not in line
    line.encode("utf-8")


def test_shown_keeps_both_ends():
    assert shown("begin" + "x" * 500 + "end").startswith("begin") and shown("begin" + "x" * 500 + "end").endswith("end")
    assert shown("short") == "short"


def test_an_empty_class_says_what_lies_there(tmp_path):
    put(tmp_path, "submissions.zip", b"PK")
    with pytest.raises(UserError, match=r"holds no submissions.*submissions\.zip.*autograde collect"):
        read_roll(tmp_path)


def test_system_folders_are_nobody(tmp_path, right):
    put(tmp_path, f"ada/{LESSON}/{LESSON}.ipynb", right)
    for name in (".ipynb_checkpoints", "__MACOSX", ".git"):
        put(tmp_path, f"{name}/{LESSON}/{LESSON}.ipynb", right)
    assert list(read_roll(tmp_path).students) == ["ada"]


def test_no_disk_is_needed_for_a_name_that_fills_it(tmp_path):
    """A file name as long as a file system allows can still be written: what is partial has a short one."""
    from autograde.course import write_bytes

    write_bytes(tmp_path / ("n" * 255), b"x")
    assert shutil.disk_usage(tmp_path) and (tmp_path / ("n" * 255)).read_bytes() == b"x"
