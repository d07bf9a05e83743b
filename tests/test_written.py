"""Written answers: whatever a student wrote, drew, attached or put beside the notebook reaches the reader."""

from __future__ import annotations

import base64
import json
import re
import sqlite3

import pytest

from autograde.authoring import samples
from autograde.intake.pictures import MAX_SHOWN
from tests.test_class_folder import autograde, put
from tests.test_submission import SKELETON, answered, by_id, notebook, submission

PNG = base64.b64encode(b"\x89PNG drawn by hand").decode()
QUESTION = "Why is the area what it is?"
ANSWER = "Because *integrals* add up rings."


def place(cells: list[dict]) -> int:
    return next(i for i, c in enumerate(cells) if c["id"] == "shapes-why")


def text(source: str = ANSWER, **more) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "id": "new", "source": source} | more


def code(source: str, *outputs: dict) -> dict:
    return {"cell_type": "code", "metadata": {}, "id": "new", "source": source, "execution_count": None,
            "outputs": list(outputs)}


def handed_in(change, files=None):
    """The lesson with right answers in code, changed; its written cell and the submission."""
    cells = answered()
    change(cells)
    result = submission.rebuild("ada", SKELETON, json.dumps(notebook(cells)).encode(), files=files)
    assert result.status is None, result.note
    return next(c for c in result.notebook.cells if c.id == "shapes-why"), result


def below(cells):
    cells.insert(place(cells) + 1, text())


def above(cells):
    cells.insert(place(cells), text())


def above_the_question(cells):
    cells.insert(place(cells) - 1, text())


def in_the_question(cells):
    cells[place(cells) - 1]["source"] += f"\n\n{ANSWER}"


def in_the_question_without_ids(cells):
    cells[place(cells) - 1]["source"] += f" \n\n{ANSWER}"
    for one in cells:
        if one["id"].startswith("cell-"):
            del one["id"]


def on_the_line_of_the_question(cells):
    cells[place(cells) - 1]["source"] += f" {ANSWER}"


def in_place_of_the_question(cells):
    cells[place(cells) - 1]["source"] = ANSWER


def at_the_top(cells):
    cells.insert(0, text())


def in_the_title(cells):
    cells[0]["source"] += f"\n{ANSWER}"


def in_a_comment(cells):
    cells.insert(place(cells) + 1, code(f"# {ANSWER}"))


def in_a_string(cells):
    cells.insert(place(cells) + 1, code(f'"""{ANSWER}"""'))


def in_code_that_is_none(cells):
    cells.insert(place(cells) + 1, code(ANSWER))


def in_a_raw_cell(cells):
    cells.insert(place(cells) + 1, text() | {"cell_type": "raw"})


def beside_the_deleted_cell(cells):
    cells[place(cells)] = text()


WHERE = [below, above, above_the_question, in_the_question, on_the_line_of_the_question,
         in_the_question_without_ids, in_place_of_the_question, at_the_top,
         in_the_title, in_a_comment, in_a_string, in_code_that_is_none, in_a_raw_cell,
         beside_the_deleted_cell]


@pytest.mark.parametrize("change", WHERE)
def test_an_answer_is_found_wherever_it_stands(change):
    found, result = handed_in(change)
    assert found.source == ANSWER
    assert any("shapes-why" in repair for repair in result.repairs)


def test_an_untouched_question_stays_untouched():
    found, result = handed_in(lambda cells: None)
    assert found.source == "YOUR ANSWER HERE" and result.repairs == ()


def test_texts_in_several_cells_are_all_kept_in_their_order():
    def change(cells):
        by_id(cells, "shapes-why")["source"] = "Second."
        cells.insert(place(cells) + 1, text("Third."))
        cells.insert(place(cells), text("First."))
    found, result = handed_in(change)
    assert found.source == "First.\n\nSecond.\n\nThird."
    assert any("answered in 3 cells" in repair for repair in result.repairs)


def test_a_note_far_from_an_answered_question_is_said_to_be_left_out():
    def change(cells):
        by_id(cells, "shapes-why")["source"] = ANSWER
        cells.insert(1, text("A note."))
    found, result = handed_in(change)
    assert found.source == ANSWER
    assert result.repairs == ("1 text that you wrote far from every question was left out",)


def test_code_for_an_answer_is_shown_with_what_it_drew():
    picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": [PNG[:5], PNG[5:]]}}
    found, _ = handed_in(lambda cells: cells.insert(place(cells) + 1, code("plt.plot(r, area(r))", picture)))
    assert found.source.startswith("```python\nplt.plot(r, area(r))\n```\n\n![output-1.png](attachment:output-1-")
    assert [*found.attachments.values()] == [{"image/png": PNG}]


def test_code_that_answers_something_is_no_text():
    found, result = handed_in(lambda cells: cells.insert(place(cells) + 1, code("import math")) or by_id(
        cells, "shapes-area").update(source="def area(r):\n    return math.pi * r * r"))
    assert found.source == "YOUR ANSWER HERE" and "1 cell that you added is needed" in result.repairs[0]


def test_the_lessons_own_pictures_and_texts_are_nobodys_answer():
    """Targets are no part of the skeleton, and lose their tags on the way."""
    def change(cells):
        target = next(c for c in cells if c["metadata"].get("tags") == ["target"])
        target |= {"metadata": {}, "id": "lost", "attachments": {"target-0.png": {"image/png": PNG}}}
        cells.append(cells.pop(cells.index(target)))
    found, result = handed_in(change)
    assert found.source == "YOUR ANSWER HERE" and not found.get("attachments") and result.repairs == ()


# Pictures ----------------------------------------------------------------------------------------------------------

def attached_to(name: str, source: str, data: dict):
    def change(cells):
        by_id(cells, "shapes-why").update(source=source, attachments={name: data})
    return change


@pytest.mark.parametrize(("change", "files"), [
    (attached_to("image.png", "See ![image.png](attachment:image.png).", {"image/png": PNG}), {}),
    (attached_to("my pic.png", "See ![x](attachment:my%20pic.png).", {"image/png": PNG}), {}),
    (attached_to("image.png", '<img src="attachment:image.png" width=300 alt="rings">', {"image/png": PNG}), {}),
    (attached_to("image.png", "Nothing refers to it.", {"image/png": PNG}), {}),
    (attached_to("image.png", "YOUR ANSWER HERE", {"image/png": PNG}), {}),
    (lambda cells: cells.append(text(f"Colab: ![image.png](data:image/png;base64,{PNG})")), {}),
    (lambda cells: cells.append(text("", attachments={"image.png": {"image/png": PNG}})), {}),
    (lambda cells: cells.append(text("![a file](./pictures/a%20b.PNG)")),
     {"pictures/a b.PNG": base64.b64decode(PNG)}),
    (lambda cells: cells.append(text("<IMG width='3' SRC=drawing.png>")), {"drawing.png": base64.b64decode(PNG)}),
    (lambda cells: None, {"drawing.png": base64.b64decode(PNG)}),
])
def test_a_picture_is_shown_wherever_it_was(change, files):
    found, _ = handed_in(change, files)
    [name] = found.attachments
    assert found.attachments[name] == {"image/png": PNG}
    assert f"](attachment:{name.replace(' ', '%20')})" in found.source


def test_pictures_of_one_name_in_two_cells_are_two_pictures():
    other = base64.b64encode(b"another").decode()

    def change(cells):
        cells += [text("![image.png](attachment:image.png)", attachments={"image.png": {"image/png": data}})
                  for data in (PNG, other)]
    found, _ = handed_in(change)
    assert sorted(data["image/png"] for data in found.attachments.values()) == sorted([PNG, other])
    assert len(set(re.findall(r"attachment:([^)]+)", found.source))) == 2


def test_another_picture_is_another_answer():
    """What was graded by hand is looked at again: an answer is compared by its text."""
    change = [attached_to("image.png", "![a](attachment:image.png)", {"image/png": base64.b64encode(data).decode()})
              for data in (b"one", b"two")]
    assert handed_in(change[0])[0].source != handed_in(change[1])[0].source


@pytest.mark.parametrize(("name", "kind", "size", "why"), [
    ("photo.png", "image/png", MAX_SHOWN, "too large to be shown"),
    ("drawing.svg", "image/svg+xml", 100, "no PNG, JPEG, GIF or WebP"),
    ("derivation.pdf", "application/pdf", 100, "no PNG, JPEG, GIF or WebP"),
])
def test_what_no_page_shows_is_put_beside_the_notebook(name, kind, size, why):
    content = b"x" * size
    found, result = handed_in(attached_to(name, "See.", {kind: base64.b64encode(content).decode()}))
    [path] = result.files
    assert result.files[path] == content and path in found.source and path.startswith("shapes-why-")
    assert any(why in repair and path in repair for repair in result.repairs)


@pytest.mark.parametrize(("change", "says"), [
    (attached_to("image.png", "![x](attachment:other.png)", {}), "other.png that shapes-why shows was not handed in"),
    (attached_to("image.png", "![x](drawing.png)", {}), "drawing.png that shapes-why shows was not handed in"),
    (attached_to("image.png", "x", {"image/png": "no base64!"}), "image.png of shapes-why is damaged"),
    (attached_to("image.png", "x", {"image/png": "A" * 24_000_000}), "was left out; make it smaller"),
])
def test_what_cannot_be_shown_is_said(change, says):
    _, result = handed_in(change)
    assert any(says in repair for repair in result.repairs), result.repairs


def test_a_picture_pasted_into_the_text_is_not_too_much_text():
    """Colab writes pictures into the text: a photo is a megabyte of it."""
    found, _ = handed_in(lambda cells: by_id(cells, "shapes-why").update(
        source=f"![photo](data:image/jpeg;base64,{'A' * 1_000_000})"))
    assert len(found.source) < 100 and len(found.attachments) == 1


# Files -------------------------------------------------------------------------------------------------------------

def test_an_answer_in_a_text_file():
    found, result = handed_in(lambda cells: None, {"why.md": ANSWER.encode()})
    assert found.source == ANSWER and "answered in files beside the notebook" in result.repairs[0]


def test_documents_are_named_next_to_the_question_and_code_is_not():
    found, _ = handed_in(lambda cells: by_id(cells, "shapes-why").update(source="See my scan."),
                         {"scan.pdf": b"%PDF", "helper.py": b"", "values.csv": b"1"})
    assert found.source == "See my scan.\n\nHanded in beside the notebook: `scan.pdf` (4 bytes)"


def test_data_beside_the_notebook_is_no_answer():
    assert handed_in(lambda cells: None, {"values.csv": b"1", "m.keras": b"2"})[0].source == "YOUR ANSWER HERE"


# Seen by the reader ------------------------------------------------------------------------------------------------

LESSON = "04_lstm"


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of which each wrote the answer somewhere else, graded by the command."""
    tmp = tmp_path_factory.mktemp("written")
    samples.write_class(LESSON, tmp / "samples")
    given = json.loads((tmp / "samples" / "ada" / LESSON / f"{LESSON}.ipynb").read_text(encoding="utf-8"))
    why = next(i for i, c in enumerate(given["cells"]) if c["id"] == "lstm-why")
    given["cells"][why]["source"] = "YOUR ANSWER HERE"
    classmates = {"below": [*given["cells"][:why + 1], text(), *given["cells"][why + 1:]],
                  "above": [*given["cells"][:why], text(), *given["cells"][why:]],
                  "own": [{**c, "source": "".join(c["source"]) + f"\n\n{ANSWER}"} if i == why - 1 else c
                          for i, c in enumerate(given["cells"])],
                  "file": given["cells"], "nothing": given["cells"]}
    for student, cells in classmates.items():
        put(tmp / "submitted", f"{student}/{LESSON}/{LESSON}.ipynb", json.dumps({**given, "cells": cells}).encode())
    put(tmp / "submitted", f"file/{LESSON}/answer.txt", ANSWER.encode())
    put(tmp / "submitted", f"below/{LESSON}/scan.png", base64.b64decode(PNG))
    done = autograde("grade", LESSON, "--submitted", str(tmp / "submitted"), "--output", str(tmp / "out"))
    assert done.returncode == 0, done.stderr.decode()
    return tmp / "out"


@pytest.mark.parametrize("student", ["below", "above", "own", "file"])
def test_the_command_brings_the_answer_to_the_reader(graded, student):
    page = (graded / "feedback" / student / LESSON / f"{LESSON}.html").read_text(encoding="utf-8")
    read = json.loads((graded / "autograded" / student / LESSON / f"{LESSON}.ipynb").read_text(encoding="utf-8"))
    shown = next("".join(c["source"]) for c in read["cells"] if c["id"] == "lstm-why")
    for where in (page, shown):
        assert "Because <em>integrals</em> add up rings." in where
    assert waiting(graded, student)


def test_the_command_leaves_an_unanswered_question_alone(graded):
    assert not waiting(graded, "nothing")


def test_a_file_beside_is_there_when_the_notebook_is_read(graded):
    assert (graded / "autograded" / "below" / LESSON / "scan.png").read_bytes() == base64.b64decode(PNG)
    page = (graded / "feedback" / "below" / LESSON / f"{LESSON}.html").read_text(encoding="utf-8")
    assert "Handed in beside the notebook: <code>scan.png</code>" in page


def waiting(out, student: str) -> bool:
    with sqlite3.connect(out / "gradebook.db") as book:
        [(needs,)] = book.execute("""
            select grade.needs_manual_grade from grade
            join submitted_notebook on submitted_notebook.id = grade.notebook_id
            join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
            join base_cell on base_cell.id = grade.cell_id
            where submitted_assignment.student_id = ? and base_cell.name = 'lstm-why'""", (student,))
    return bool(needs)
