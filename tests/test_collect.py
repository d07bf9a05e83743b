"""Downloads of learning platforms, as they are packed, sorted into folders; and what is handed in to do harm."""

from __future__ import annotations

import io
import os
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograde import course
from autograde.course import UserError
from autograde.intake.collect import collect

LSTM = course.released("04_lstm").read_bytes()
GRU = course.released("05_gru").read_bytes()
ROSTER = '''student,Last name,First name,E-mail,Number
jdoe,Doe,Jane,jane.doe@uni.example,12345
li,李,雷,lilei@uni.example,777
obrien,O'Brien,"Mary Ann",mary@uni.example,42
'''
METADATA = """submission_901:
  :submitters:
  - :name: Jane Doe
    :sid: '12345'
    :email: jane.doe@uni.example
  :created_at: 2026-03-01 10:00:00 Z
submission_902:
  :submitters:
  - :name: Mary Ann O'Brien
    :email: mary@uni.example
"""
LAYOUTS = {
    "Canvas": {"doejane_12345_991_04_lstm-2.ipynb": LSTM, "obrienmaryann_LATE_42_992_04_lstm.ipynb": LSTM,
               "doejane_12345_993_05_gru.ipynb": GRU},
    "Moodle": {"Jane Doe_30001_assignsubmission_file_/04_lstm.ipynb": LSTM,
               "Mary Ann O'Brien_30002_assignsubmission_file_/04_lstm.ipynb.txt": LSTM,
               "Jane Doe_30001_assignsubmission_file_/gru/05_gru.ipynb": GRU},
    "Gradescope": {"assignment_7_export/submission_metadata.yml": METADATA.encode(),
                   "assignment_7_export/submission_901/04_lstm.ipynb": LSTM,
                   "assignment_7_export/submission_901/05_gru.ipynb": GRU,
                   "assignment_7_export/submission_902/my answer.ipynb": LSTM},
    "Brightspace": {"12345-880 - Jane Doe - Mar 3, 2026 1159 PM/04_lstm.ipynb": LSTM,
                    "12345-881 - Jane Doe - Mar 3, 2026 1201 PM/05_gru.ipynb": GRU,
                    "42-882 - Mary Ann O'Brien - Mar 4, 2026 901 AM - 04_lstm.ipynb": LSTM,
                    "index.html": b"<html>"},
    "": {"jdoe/04_lstm/04_lstm.ipynb": LSTM, "jdoe/gru.ipynb": GRU, "obrien/04_lstm.ipynb.json": LSTM},
}


def packed(files: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def unpacked(files: dict[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("form", [packed, unpacked])
@pytest.mark.parametrize("platform", LAYOUTS)
def test_each_platforms_download_goes_to_the_rosters_students(platform, form, tmp_path):
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    done = collect(form(LAYOUTS[platform], tmp_path / "download"), tmp_path / "submitted",
                   roster=tmp_path / "roster.csv")
    assert done.platform == platform
    assert set(done.placed) == {("jdoe", "04_lstm"), ("jdoe", "05_gru"), ("obrien", "04_lstm")}
    assert done.unplaced == []
    for student, lesson in done.placed:
        content = (tmp_path / "submitted" / student / lesson / f"{lesson}.ipynb").read_bytes()
        assert content == (LSTM if lesson == "04_lstm" else GRU)


@pytest.mark.parametrize(("platform", "students"), [
    ("Canvas", {"doejane", "obrienmaryann"}), ("Moodle", {"Jane Doe", "Mary Ann O'Brien"}),
    ("Gradescope", {"12345", "mary@uni.example"}), ("Brightspace", {"Jane Doe", "Mary Ann O'Brien"}),
    ("", {"jdoe", "obrien"}),
])
def test_without_a_roster_students_are_called_as_the_platform_calls_them(platform, students, tmp_path):
    done = collect(packed(LAYOUTS[platform], tmp_path / "download.zip"), tmp_path / "submitted")
    assert {student for student, _ in done.placed} == students


def test_names_in_any_form_find_their_row(tmp_path):
    rows = ["\ufeffid;name;e-mail", "li;李雷;l@x", "zoe;Zo\u00eb, Ana;z@x", "same;A B;1", "same2;A B;2"]
    (tmp_path / "roster.csv").write_text("\n".join(rows), encoding="utf-8")
    files = {"李雷_1_assignsubmission_file_/04_lstm.ipynb": LSTM,
             "ANA  ZOE\u0308_2_assignsubmission_file_/04_lstm.ipynb": LSTM,
             "A B_3_assignsubmission_file_/04_lstm.ipynb": LSTM}
    done = collect(packed(files, tmp_path / "d.zip"), tmp_path / "submitted", roster=tmp_path / "roster.csv")
    assert {student for student, _ in done.placed} == {"li", "zoe"}
    (said,) = done.unplaced
    assert "A B is not, or not clearly, in the roster" in said, "two have that name"


def test_a_name_and_a_number_of_two_students_are_nobodys(tmp_path):
    (tmp_path / "roster.csv").write_text("id,name,number\nann,Ann A,1\nbo,Bo B,2\n", encoding="utf-8")
    done = collect(packed({"aann_2_991_04_lstm.ipynb": LSTM, "aann_1_992_05_gru.ipynb": GRU}, tmp_path / "d.zip"),
                   tmp_path / "submitted", roster=tmp_path / "roster.csv")
    assert set(done.placed) == {("ann", "05_gru")} and len(done.unplaced) == 1


def test_what_cannot_be_placed_is_listed_and_costs_nobody_else(tmp_path):
    files = {"ada/04_lstm.ipynb": LSTM, "ada/notes.txt": b"x", "bo/homework.ipynb": b"{}", "cy/answer.docx": b"PK",
             "loose.ipynb": LSTM, "dee/work.zip": b"no archive", "eve/work.zip": packed(
                 {"in/04_lstm.ipynb": LSTM}, tmp_path / "inner.zip").read_bytes()}
    done = collect(packed(files, tmp_path / "d.zip"), tmp_path / "submitted")
    assert set(done.placed) == {("ada", "04_lstm"), ("eve", "04_lstm")}
    assert (tmp_path / "submitted/ada/04_lstm/notes.txt").read_bytes() == b"x"
    said = "\n".join(done.unplaced)
    for name in ("bo", "cy", "loose.ipynb", "dee/work"):
        assert name in said


def test_an_earlier_hand_in_is_kept_and_the_same_one_is_left(tmp_path):
    first = packed({"ada/04_lstm.ipynb": LSTM}, tmp_path / "1.zip")
    collect(first, tmp_path / "submitted")
    assert collect(first, tmp_path / "submitted").replaced == []
    again = collect(packed({"ada/04_lstm.ipynb": LSTM + b"\n"}, tmp_path / "2.zip"), tmp_path / "submitted")
    assert len(again.replaced) == 1
    (kept,) = (tmp_path / "replaced").glob("*/ada/04_lstm/04_lstm.ipynb")
    assert kept.read_bytes() == LSTM
    assert (tmp_path / "submitted/ada/04_lstm/04_lstm.ipynb").read_bytes() == LSTM + b"\n"


def test_hostile_archives_write_nothing_outside_and_follow_nothing(tmp_path):
    path, link = tmp_path / "d.zip", zipfile.ZipInfo("ada/link.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("../out.ipynb", "ada/../../out.ipynb", "/etc/out.ipynb", "C:\\out.ipynb", "..\\..\\out.ipynb"):
            archive.writestr(name, LSTM)
        archive.writestr(link, "/etc/passwd")
        archive.writestr("bo/bomb.ipynb", b"\0" * (65 << 20))
        archive.writestr("cy/04_lstm.ipynb", LSTM)
        archive.writestr("dee/" + "n" * 300 + "/04_lstm.ipynb", LSTM)
        archive.writestr("eve/a", b"a file")
        archive.writestr("eve/a/04_lstm.ipynb", LSTM)
        archive.writestr(".hidden/04_lstm.ipynb", LSTM)
    done = collect(path, tmp_path / "submitted")
    assert ("cy", "04_lstm") in done.placed
    assert not [p for p in tmp_path.rglob("out.ipynb")] and not Path("/etc/out.ipynb").exists()
    said = "\n".join(done.unplaced)
    assert said.count("leads out of its folder") == 5
    for reason in ("a link is not followed", "larger than 64 MiB", "begins with a dot"):
        assert reason in said


def test_a_folder_with_links_in_it(tmp_path):
    unpacked({"ada/04_lstm.ipynb": LSTM}, tmp_path / "download")
    (tmp_path / "secret.ipynb").write_bytes(LSTM)
    os.symlink(tmp_path / "secret.ipynb", tmp_path / "download" / "ada" / "05_gru.ipynb")
    done = collect(tmp_path / "download", tmp_path / "submitted")
    assert set(done.placed) == {("ada", "04_lstm")}
    assert done.unplaced == ["ada/05_gru.ipynb: a link is not followed"]


@pytest.mark.parametrize(("content", "says"), [
    (b"no archive", "neither a folder nor a zip"), (b"", "neither a folder nor a zip")])
def test_what_is_no_download_says_so(content, says, tmp_path):
    (tmp_path / "d.zip").write_bytes(content)
    with pytest.raises(UserError, match=says):
        collect(tmp_path / "d.zip", tmp_path / "submitted")
    with pytest.raises(UserError, match="cannot be read"):
        collect(tmp_path / "none.zip", tmp_path / "submitted")


def test_the_command_says_what_went_where_and_asks_with_its_exit_code(tmp_path):
    def run(files):
        return subprocess.run([sys.executable, "-m", "autograde", "collect", packed(files, tmp_path / "d.zip"),
                               "--submitted", tmp_path / "submitted"], cwd=course.ROOT, capture_output=True, text=True)

    done = run(LAYOUTS["Moodle"])
    assert done.returncode == 0, done.stderr
    assert "04_lstm: 2 students" in done.stdout and "looks like Moodle" in done.stdout and done.stderr == ""
    done = run(LAYOUTS["Moodle"] | {"\033[31mred\u202e.ipynb": LSTM, ":smile:/x.ipynb": b"{}"})
    assert done.returncode == 2
    assert len(re.findall("^not placed: ", done.stderr, re.M)) == 2
    assert "\033" not in done.stderr and "\u202e" not in done.stderr


def test_a_notebook_is_known_by_its_cells_whatever_it_is_called(tmp_path):
    content = io.BytesIO(GRU).getvalue()
    done = collect(packed({"ada/final FINAL(2).ipynb": content, "bo/04_lstm (1).ipynb": b"{}"}, tmp_path / "d.zip"),
                   tmp_path / "submitted")
    assert set(done.placed) == {("ada", "05_gru"), ("bo", "04_lstm")}, "a broken one goes where its name says"
