"""The rebuild: from whatever a student handed in to the lesson's skeleton with the student's answers."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from zlib import crc32

import nbformat
import pytest

from autograde.authoring import samples
from autograde.course import UserError
from autograde.intake import notebook as reading
from autograde.intake import sources, submission
from autograde.intake.skeleton import Skeleton
from autograde.judging import oracles, rules

ROOT = Path(__file__).resolve().parent.parent


# A lesson of two exercises and a question -------------------------------------------------------------------------

def cell(kind: str, source: str, grade_id: str = "", tags=()) -> dict:
    metadata: dict = {"tags": list(tags)} if tags else {}
    if grade_id:
        metadata["nbgrader"] = {
            "grade_id": grade_id, "grade": kind in ("check", "written"), "solution": kind in ("solution", "written"),
            "locked": kind == "check", "task": False, "schema_version": 3,
            "cell_type": "markdown" if kind == "written" else "code"}
        if kind != "solution":
            metadata["nbgrader"]["points"] = 2.0
    made = {"cell_type": "markdown" if kind in ("markdown", "written") else "code", "metadata": metadata,
            "source": source, "id": grade_id or f"cell-{crc32(ascii(source).encode()):x}"}
    return made | ({"outputs": [], "execution_count": None} if made["cell_type"] == "code" else {})


AREA = 'def area(r):\n    """The area of a disc."""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
BOX = "class Box:\n    # YOUR CODE HERE\n    raise NotImplementedError()"
WHY = "YOUR ANSWER HERE"
RIGHT_AREA = "def area(r):\n    return np.pi * r ** 2"
RIGHT_BOX = "class Box:\n    def __init__(self, a):\n        self.a = a\n\n    def cube(self):\n        return self.a"
SET_UP = "import numpy as np\nfrom unrolled import check"
DEMO = "import matplotlib.pyplot as plt\ncurve = plt.plot([1, 2])"


def lesson() -> list[dict]:
    return [
        cell("markdown", "# Shapes"),
        cell("code", SET_UP),
        cell("solution", AREA, "shapes-area"),
        cell("check", 'check("shapes.area", area)', "shapes-area-check"),
        cell("code", DEMO, tags=["demo"]),
        cell("markdown", "![target](attachment:target-0.png)", tags=["target"]),
        cell("code", "def given_area(r):\n    return 3.14 * r * r"),
        cell("solution", BOX, "shapes-box"),
        cell("check", 'check("shapes.box", Box)', "shapes-box-check"),
        cell("markdown", "Why is the area what it is?"),
        cell("written", WHY, "shapes-why"),
    ]


def notebook(cells: list[dict], **extra) -> dict:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells} | extra


SKELETON = Skeleton.of("09_shapes", nbformat.from_dict(notebook(lesson())))


def answered(area: str | None = RIGHT_AREA, box: str | None = RIGHT_BOX) -> list[dict]:
    cells = lesson()
    for answer, grade_id in ((area, "shapes-area"), (box, "shapes-box")):
        if answer is not None:
            by_id(cells, grade_id)["source"] = answer
    return cells


def by_id(cells: list[dict], grade_id: str) -> dict:
    return next(c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def where(cells: list[dict], grade_id: str) -> int:
    return cells.index(by_id(cells, grade_id))


def hand_in(cells: list[dict], **extra) -> submission.Submission:
    return submission.rebuild("ada", SKELETON, json.dumps(notebook(cells, **extra)).encode())


def run(result: submission.Submission, kind: str) -> list[str]:
    return [step.source for step in result.steps if step.kind == kind]


def test_untouched_lesson():
    result = hand_in(lesson())
    assert result.status is None and result.repairs == () and not result.rescued
    assert result.untouched == {"shapes.area", "shapes.box"}
    assert [s.kind for s in result.steps] == ["code", "solution", "check", "code", "solution", "check"]
    assert [s.exercise for s in result.steps if s.kind != "code"] == ["shapes.area"] * 2 + ["shapes.box"] * 2
    assert "target-0.png" not in json.dumps(result.notebook)  # figures for the student at work are not carried


def test_right_lesson():
    result = hand_in(answered())
    assert result.repairs == () and not result.untouched
    assert result.answers == {"shapes.area": RIGHT_AREA, "shapes.box": RIGHT_BOX}
    assert [result.notebook.cells[s.cell].source for s in result.steps] == [s.source for s in result.steps]


def test_skeleton_and_submission_travel():
    skeleton = pickle.loads(pickle.dumps(SKELETON))
    content = json.dumps(notebook(answered())).encode()
    result = submission.rebuild("ada", skeleton, content)
    assert pickle.loads(pickle.dumps(result)) == result == submission.rebuild("ada", SKELETON, content)


def test_space_makes_no_answer():
    assert hand_in(answered(area=AREA.replace("\n", "  \n\n") + "\n", box=None)).untouched == {
        "shapes.area", "shapes.box"}


def test_nothing_of_the_student_but_answers_is_kept():
    cells = answered()
    cells[0]["source"] = "<script>alert(1)</script>"
    cells[2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "leak"}]
    cells[2]["attachments"] = {"leak.png": {"image/png": "bGVhaw=="}}
    cells[2]["metadata"] |= {"tags": ["leak"], "leak": 1}
    cells[3]["source"] = "print('leak')"
    cells[-1]["source"] = "Because."
    cells.insert(4, cell("code", "leak = 1"))
    result = hand_in(cells, metadata={"leak": 1})
    text = json.dumps(result.notebook)
    assert "leak" not in text and "script" not in text
    assert run(result, "check") == ['check("shapes.area", area)', 'check("shapes.box", Box)']
    assert "the check of shapes.area was edited; the original was used" in result.repairs
    assert any("tag leak" in repair for repair in result.repairs)


# Copies, halves, strays --------------------------------------------------------------------------------------------

def test_all_copies_run_and_the_last_one_has_the_graded_cell():
    cells = answered()
    older = "def area(r):\n    return 0"
    cells.insert(2, cell("solution", older, "shapes-area"))
    result = hand_in(cells)
    assert run(result, "solution")[:2] == [older, RIGHT_AREA]
    assert by_id(result.notebook.cells, "shapes-area").source == RIGHT_AREA
    nbformat.validate(result.notebook)
    assert any("answered in 2 cells" in repair for repair in result.repairs)


def test_untouched_copy_is_left_out():
    cells = answered()
    cells.append(cell("solution", AREA, "shapes-area"))
    assert run(hand_in(cells), "solution") == [RIGHT_AREA, RIGHT_BOX]


@pytest.mark.parametrize(("first_has_id", "second_has_id"), [(True, True), (True, False), (False, True)])
def test_split_in_the_middle_of_a_class(first_has_id, second_has_id):
    cells = answered()
    at = where(cells, "shapes-box")
    first, second = RIGHT_BOX.split("\n\n")
    cells[at:at + 1] = [cell("solution" if has else "code", text, "shapes-box" if has else "")
                        for has, text in ((first_has_id, first), (second_has_id, second))]
    result = hand_in(cells)
    assert run(result, "solution") == [RIGHT_AREA, f"{first}\n{second}"]
    assert "the answer to shapes.box was split over 2 cells; they were joined" in result.repairs


def test_split_within_a_line():
    cells = answered(area="def area(r):\n    return np.pi * r *")
    cells.insert(3, cell("solution", "* 2", "shapes-area"))
    assert run(hand_in(cells), "solution")[0] == RIGHT_AREA


def test_halves_that_parse_alone_run_one_after_the_other():
    cells = answered(area="def half(r):\n    return r * r")
    cells.insert(3, cell("code", "def area(r):\n    return half(r) * 3"))
    result = hand_in(cells)
    assert run(result, "solution")[:2] == ["def half(r):\n    return r * r", "def area(r):\n    return half(r) * 3"]


def test_a_scratch_cell_is_not_swallowed_by_a_broken_answer():
    cells = answered(area="def area(r)\n    return r")
    cells.insert(3, cell("code", "print(area(3))"))
    assert run(hand_in(cells), "solution")[0] == "def area(r)\n    return r"


def test_answer_found_by_name():
    cells = [c for c in answered() if c["id"] not in ("shapes-area", "shapes-box")]
    cells.append(cell("code", RIGHT_AREA))
    cells.append(cell("code", "class Box:\n    broken("))
    result = hand_in(cells)
    assert run(result, "solution") == [RIGHT_AREA, "class Box:\n    broken("]
    assert not result.untouched
    assert sum("by the name it defines" in repair for repair in result.repairs) == 2


def test_answer_found_by_cell_id():
    cells = answered()
    for c in cells:
        c["metadata"] = {}
    by_source = next(c for c in cells if c["source"] == RIGHT_AREA)
    by_source["source"] = "area = lambda r: np.pi * r ** 2"
    result = hand_in(cells)
    assert run(result, "solution")[0] == by_source["source"]
    assert any("found by the cell's id" in repair for repair in result.repairs)


def test_redefinition_counts_only_before_the_check():
    cells = answered()
    cells.insert(where(cells, "shapes-area") + 1, cell("code", "def area(r):\n    return 1"))
    cells.insert(where(cells, "shapes-area-check") + 1, cell("code", "def area(r):\n    return 2"))
    assert run(hand_in(cells), "solution")[:2] == [RIGHT_AREA, "def area(r):\n    return 1"]


def test_deleted_answer_is_untouched():
    result = hand_in([c for c in answered() if c["id"] != "shapes-area"])
    assert result.untouched == {"shapes.area"}
    assert run(result, "solution") == [AREA, RIGHT_BOX]
    assert "the cell of shapes.area was deleted; its empty form was put back" in result.repairs


def test_emptied_answer_is_no_untouched_one():
    result = hand_in(answered(area=""))
    assert result.untouched == frozenset() and run(result, "solution")[0] == ""


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_answer_turned_into_text(kind):
    cells = answered()
    cells[2]["cell_type"] = kind
    result = hand_in(cells)
    assert run(result, "solution")[0] == RIGHT_AREA
    assert "the cell of shapes.area had been turned into text; it was run as code" in result.repairs


def test_prose_in_a_solution_cell_is_no_answer():
    cells = answered()
    cells[2] |= {"cell_type": "markdown", "source": "I could not do this."}
    assert hand_in(cells).untouched == {"shapes.area"}


def test_moved_cells_take_the_lessons_order():
    result = hand_in(list(reversed(answered())))
    assert run(result, "solution") == [RIGHT_AREA, RIGHT_BOX]
    assert "cells had been moved; the lesson's order was used" in result.repairs


def test_grading_data_are_the_skeletons():
    cells = answered()
    cells[3]["metadata"]["nbgrader"] |= {"points": 1000, "grade": False}
    cells[3]["metadata"]["tags"] = ["skip-execution"]
    result = hand_in(cells)
    check = next(c for c in result.notebook.cells if c.id == "shapes-area-check")
    assert check.metadata.nbgrader.points == 2.0 and check.metadata.nbgrader.grade and "tags" not in check.metadata
    assert "the grading data of shapes-area-check was edited (grade, points); the original was used" in result.repairs
    assert "the tag skip-execution was added to 1 cell and ignored" in result.repairs


def test_unknown_grade_id_is_an_ordinary_cell():
    cells = answered()
    cells.insert(4, cell("solution", "leak = 1", "mine"))
    assert hand_in(cells).repairs == ()


# Written answers ---------------------------------------------------------------------------------------------------

def written(result) -> str:
    return next(c for c in result.notebook.cells if c.id == "shapes-why").source


def test_written_answer():
    cells = answered()
    by_id(cells, "shapes-why")["source"] = "Because *integrals*."
    assert written(hand_in(cells)) == "Because *integrals*." and hand_in(cells).repairs == ()


def test_written_answer_without_any_id_is_found_by_its_place():
    cells = answered()
    by_id(cells, "shapes-why")["source"] = "Because."
    cells[-1] |= {"metadata": {}, "id": "x"}
    result = hand_in(cells)
    assert written(result) == "Because." and any("found by its place" in repair for repair in result.repairs)


def test_two_written_answers_are_both_kept():
    cells = [*answered(), cell("written", "First.", "shapes-why"), cell("written", "Second.", "shapes-why")]
    assert written(hand_in(cells)) == "First.\n\nSecond."


def test_written_answer_as_code():
    cells = answered()
    cells[-1] |= {"cell_type": "code", "source": "because of r", "outputs": []}
    assert written(hand_in(cells)) == "because of r"


# Helpers -----------------------------------------------------------------------------------------------------------

def with_extras(area: str, *extras: str) -> submission.Submission:
    return hand_in([*answered(area=area), *(cell("code", extra) for extra in extras)])


@pytest.mark.parametrize(("answer", "extras", "kept"), [
    ("def area(r):\n    return math.pi", ["import math", "junk = 1"], ["import math"]),
    ("def area(r):\n    return rearrange(r)", ["from einops import rearrange"], ["from einops import rearrange"]),
    ("def area(r):\n    return r.sum", ["from einops import *"], []),
    ("def area(r):\n    return reduce(r)", ["from einops import *"], ["from einops import *"]),
    ("def area(r):\n    return f(r)", ["def f(x):\n    return g(x)", "def g(x):\n    return K", "K = 2"],
     ["K = 2", "def g(x):\n    return K", "def f(x):\n    return g(x)"]),
    ("def area(r):\n    return f(r)", ["def f(x):\n    return g(x)", "def g(x):\n    return f(x)"],
     ["def g(x):\n    return f(x)", "def f(x):\n    return g(x)"]),
    ("def area(r):\n    h = r\n    return [h for q in r]", ["h = 1", "q = 2", "r = 3"], []),
    ("class area:\n    h = H", ["H = 1"], ["H = 1"]),
    ("def area(r):\n    return table[r]", ["table = {}", "table[1] = 2", "table.update(a=1)", "other[1] = 2"],
     ["table = {}", "table[1] = 2", "table.update(a=1)"]),
    ("def area(r):\n    return np.pi", ["import numpy as np\nnp.pi = 3"], []),
    ("%time\ndef area(r):\n    !ls\n    return K", ["%matplotlib inline\nK = 1"], ["%matplotlib inline\nK = 1"]),
    ("def area(r):\n    return listing", ["listing = !ls"], ["listing = !ls"]),
    ("def area(r):\n    return timed", ["%time timed = 1"], ["%time timed = 1"]),
    ("def area(r):\n    return timed", ["%%time\ntimed = 1"], ["%%time\ntimed = 1"]),
    ("def area(r):\n    return shell", ["%%bash\nshell = 1"], []),
    ("def area(r):\n    return missing", ["def f():\n    global missing\n    missing = 1", "f()"],
     ["def f():\n    global missing\n    missing = 1"]),
])
def test_helpers_are_kept_if_needed(answer, extras, kept):
    result = with_extras(answer, *extras)
    assert run(result, "helper") == kept
    if kept:
        first = next(s.cell for s in result.steps if s.exercise == "shapes.area")
        assert [s.cell for s in result.steps if s.kind == "helper"] == list(range(first - len(kept), first))
        assert any("needed by an answer and kept" in repair for repair in result.repairs)


def test_a_helper_is_put_before_the_first_answer_that_needs_it():
    cells = [*answered(box="class Box:\n    side = SIDE"), cell("code", "SIDE = 3")]
    result = hand_in(cells)
    assert [s.kind for s in result.steps] == ["code", "solution", "check", "code", "helper", "solution", "check"]
    both = answered(area="def area(r):\n    return SIDE", box="class Box:\n    side = SIDE")
    result = hand_in([*both, cell("code", "SIDE = 3")])
    assert run(result, "helper") == ["SIDE = 3"] and result.steps[1].kind == "helper"
    assert all("SIDE = 3" in answer for answer in result.answers.values())


def test_changed_set_up_is_kept_where_an_answer_needs_it():
    cells = answered(area="def area(r):\n    return math.pi * r * r")
    cells[1]["source"] = SET_UP + "\nimport math"
    result = hand_in(cells)
    assert run(result, "code")[0] == SET_UP and run(result, "helper") == [SET_UP + "\nimport math"]


def test_imports_of_skipped_cells_are_kept_where_an_answer_needs_them():
    result = hand_in(answered(area="def area(r):\n    plt.plot([r])\n    return np.pi * r ** 2"))
    assert run(result, "helper") == ["import matplotlib.pyplot as plt"]


def test_what_a_student_cannot_use_yet_does_not_hide_a_helper():
    """`given_area` is the lesson's only below the first check; a student's own of that name stands above."""
    result = with_extras("def area(r):\n    return given_area(r)", "def given_area(r):\n    return r")
    assert run(result, "helper") == ["def given_area(r):\n    return r"]


# Source rules ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("answer", [
    "%time x = keras.layers.LSTM\ndef area(r): pass",
    "%%time\nx = keras.layers.LSTM\ndef area(r): pass",
    ">>> x = keras.layers.LSTM\n>>> def area(r): return x",
    "x = " + "(" * 120 + "keras.layers.LSTM" + ")" * 120 + "\ndef area(r): return x",
    "from keras.layers import LSTM as L\nx = " + "-" * 100 + "1\ndef area(r): return L",
])
def test_rules_see_through_what_does_not_parse(answer):
    text = hand_in(answered(area=answer)).answers["shapes.area"]
    assert rules.forbidden_names(text, ("keras.layers.LSTM",)) == ["keras.layers.LSTM"]


def test_rules_see_all_pieces_and_helpers():
    cells = answered(area="def area(r): return Mine(r)")
    cells.insert(2, cell("solution", "def broken(:", "shapes-area"))
    cells.append(cell("code", "import keras\nMine = keras.layers.LSTM"))
    text = hand_in(cells).answers["shapes.area"]
    assert rules.forbidden_names(text, ("keras.layers.LSTM",)) == ["keras.layers.LSTM"]


def test_rules_see_names_smuggled_through_another_answer():
    result = hand_in(answered(area=RIGHT_AREA + "\nimport keras\nMine = keras.layers.LSTM",
                              box="class Box:\n    layer = Mine"))
    assert rules.forbidden_names(result.answers["shapes.box"], ("keras.layers.LSTM",)) == ["keras.layers.LSTM"]
    assert "Box" not in result.answers["shapes.area"]


@pytest.mark.parametrize("answer", [
    "import keras\nL = keras.layers\nx = L.LSTM(3)",
    "import keras\nx = [keras.layers][0].LSTM(3)",
    "import keras\nx = getattr(keras.layers, 'LSTM')",
    "from keras.src.layers.rnn.lstm import LSTM as Mine\nx = Mine(3)",
    "import keras.src.layers.rnn.lstm as m\nx = m.LSTM",
    "import tensorflow as tf\nx = tf.keras.layers.LSTM",
    "from keras.layers import *\nx = LSTM(3)",
])
def test_rules_see_other_ways_to_say_a_name(answer):
    assert rules.forbidden_names(answer, ("keras.layers.LSTM",)) == ["keras.layers.LSTM"]


@pytest.mark.parametrize("answer", [
    "from unrolled.layers import PeepholeLSTM as Mine\nx = Mine(3)",
    "from unrolled import layers\nx = layers.GRU(3)",
    "import unrolled.layers as ours\nx = ours.recurrent.run",
    "import unrolled\nx = unrolled.layers.lstm.LSTMCell(3)",
    "from unrolled.layers import *\nx = AdditiveAttention(3)",
])
def test_rules_see_a_whole_package(answer):
    assert rules.forbidden_names(answer, ("unrolled.layers",)) == ["unrolled.layers"]
    assert rules.forbidden_names(answer.replace("unrolled", "my_own"), ("unrolled.layers",)) == []


@pytest.mark.parametrize("exercise", ["rnn.layer", "lstm.cell", "lstm.layer", "gru.cell", "gru.layer", "bi.layer"])
def test_where_a_layer_of_keras_may_not_be_used_the_courses_own_may_not(exercise):
    assert "unrolled.layers" in oracles.get(exercise).forbids


@pytest.mark.parametrize("answer", [
    "class LSTM:\n    pass\nx = LSTM()",
    "class Net:\n    def build(self, shape):\n        self.LSTM = Mine()\n        self.LSTM.build(shape)",
    "def get_config(self):\n    return {name: getattr(self, name) for name in ('units',)}",
    "activation = getattr(ops, 'tanh')\nother = getattr(ops, activation)",
    "def call(self, x):\n    return self.__dict__['kernel'] @ locals()['x']",
    "cell = keras.layers.RNN(MyCell(3))",
    "def f(LSTM):\n    return LSTM\nfor LSTM in (f,):\n    LSTM(1)",
    "model.compile('adam', 'mse')\nimport re\npattern = re.compile('a')",
    "label = 'LSTM'\nif x: pass\n" + "elif x: pass\n" * 900,
    "# an LSTM would do this with eval\nlabel = 'LSTM'",
])
def test_rules_leave_honest_answers_alone(answer):
    assert rules.forbidden_names(answer, ("keras.layers.LSTM", "tf.GradientTape")) == []


@pytest.mark.parametrize("name", ["forward", "backprop", "one_step"])
@pytest.mark.parametrize("own", [
    "{} = [h0]\n{}.append(1)", "{} = 0\nx = {} + 1", "{} = lambda x: x\n{}(1)", "def f({}):\n    return {}(1)",
    "for {} in range(3):\n    print({})", "x = [{} for {} in range(3)]", "if ({} := 3) > 2:\n    print({})",
    "with open('x') as {}:\n    {}.read()", "try:\n    x = 1\nexcept ValueError as {}:\n    print({})",
    "{}, other = 1, 2\nprint({})", "def {}(x):\n    return x\n{}(1)", "self.{} = 1\nself.{}(x)",
])
def test_a_name_that_the_answer_assigns_is_the_students_own(own, name):
    forbids = (name, f"unrolled.lessons.bptt.{name}")
    assert rules.forbidden_names(own.replace("{}", name), forbids) == []
    assert rules.forbidden_names(f"y = {name}(1)", forbids) != []
    assert rules.forbidden_names(f"from unrolled.lessons.bptt import {name}\n{name} = {name}", forbids) != []


# Text --------------------------------------------------------------------------------------------------------------

def test_line_ends_and_invisible_characters():
    cells = answered(area="\ufeffdef area(r):\r\n\u00a0   return np.pi * r ** 2\r\n")
    result = hand_in(cells)
    assert run(result, "solution")[0] == RIGHT_AREA + "\n"
    assert "line ends from another system were made uniform" in result.repairs
    assert any("no-break spaces" in repair for repair in result.repairs)


def test_spaces_in_a_string_stay():
    answer = 'def area(r):\n    return "1\u00a0m\u00b2 \u200d"'
    result = hand_in(answered(area=answer))
    assert run(result, "solution")[0] == answer and result.repairs == ()


def test_lone_surrogates_can_be_written_again():
    result = hand_in(answered(area="def area(r):\n    return '\ud800'"))
    assert run(result, "solution")[0] == "def area(r):\n    return '?'"
    nbformat.writes(result.notebook).encode("utf-8")
    assert any("question marks" in repair for repair in result.repairs)


# Files that are no notebooks --------------------------------------------------------------------------------------

UNREADABLE = {
    "empty": b"", "blank": b" \n\t ", "text": b"hello", "number": b"12", "list": b"[]", "null": b"null",
    "no cells": b'{"nbformat": 4}', "empty cells": b'{"cells": []}', "cells a dict": b'{"cells": {"a": 1}}',
    "cells a string": b'{"cells": "abc"}', "cell a number": b'{"cells": [1]}', "cell null": b'{"cells": [null]}',
    "source a number": b'{"cells": [{"cell_type": "code", "source": 1}]}',
    "source null": b'{"cells": [{"cell_type": "code", "source": null}]}',
    "source mixed": b'{"cells": [{"cell_type": "code", "source": ["a", 1]}]}',
    "worksheets a number": b'{"nbformat": 3, "worksheets": 3}', "worksheets broken": b'{"worksheets": [1]}',
    "worksheet without cells": b'{"worksheets": [{}]}', "worksheet cells broken": b'{"worksheets": [{"cells": 1}]}',
    "deep": b"[" * 100_000, "deep closed": b"[" * 50_000 + b"]" * 50_000, "deep objects": b'{"a":' * 100_000,
    "broken off": b'{"cells": [{"cell_type": "code", "sour', "zero bytes": b"\0" * 1000, "a zip": b"PK\3\4\0\0",
    "broken utf-16": "{}".encode("utf-16") + b"\0", "many cells": b'{"cells": [' + b"{}," * 5000 + b"{}]}",
    "too much data": b"[" * 1_000_001, "too many items": b"," * 5_000_001,
    "huge cell": json.dumps(notebook([cell("solution", "x" * 200_001, "shapes-area")])).encode(),
    "much code": json.dumps(notebook([cell("code", "x = 1\n" * 10_000)] * 30)).encode(),
    "another lesson": json.dumps(notebook([cell("code", "something = 1")])).encode(),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_unreadable(what):
    result = submission.rebuild("ada", SKELETON, UNREADABLE[what], ("renamed",))
    assert result.status == "unreadable" and result.notebook is None and result.steps == ()
    assert result.note and "\n" not in result.note and len(result.note) < 200
    assert result.repairs == ("renamed",)


def test_a_notebook_of_too_many_cells_is_not_parsed(monkeypatch):
    monkeypatch.setattr(reading, "_json", None)
    cells = b'{"cells": [' + b'{"cell_type": "code"},' * 10_001
    assert "more than 5,000 cells" in submission.rebuild("ada", SKELETON, cells).note


def test_too_large_a_file_is_not_even_parsed():
    assert "64 MiB" in submission.rebuild("ada", SKELETON, b" " * (reading.MAX_BYTES + 1)).note


def test_missing():
    result = submission.rebuild("ada", SKELETON, None)
    assert (result.status, result.note) == ("missing", "no notebook was handed in")


@pytest.mark.parametrize("odd", [
    {"metadata": None}, {"metadata": [1]}, {"metadata": {"nbgrader": 7}},
    {"metadata": {"nbgrader": {"grade_id": [1]}}}, {"metadata": {"nbgrader": {"grade_id": {}}}},
    {"metadata": {"tags": "abc"}}, {"metadata": {"tags": [1, {}, "a\nb"]}},
    {"id": 5}, {"id": None}, {"cell_type": 3}, {"cell_type": None}, {"outputs": 3}, {"source": []}, {"extra": {"a": 1}},
])
def test_odd_cells_are_read(odd):
    cells = answered()
    cells.append(cells[2] | odd)
    result = hand_in(cells)
    assert result.status is None and RIGHT_AREA in run(result, "solution")
    assert all("\n" not in repair for repair in result.repairs)


def test_duplicate_keys_and_huge_numbers():
    content = json.dumps(notebook(answered())).encode()
    content = content.replace(b'"nbformat": 4', b'"nbformat": ' + b"9" * 100_000 + b', "x": NaN, "nbformat": 1e999')
    content = content.replace(b'"metadata": {}', b'"metadata": {}, "metadata": {"kernelspec": 5}', 1)
    assert submission.rebuild("ada", SKELETON, content).status is None


def test_a_giant_note_is_not_the_submissions_end():
    cells = [*answered(), {"cell_type": "markdown", "metadata": {}, "source": "x" * 3_000_000}]
    assert hand_in(cells).status is None


# Hostile code never reaches the parser, or the parser is up to it -------------------------------------------------

def hostile(n: int) -> list[str]:
    """Sources of about `n` characters that cost Python's parser its stack, its memory or minutes."""
    return [
        # brackets
        "(" * n, "[" * n + "]" * n, "{" * n, "(" * 199 + ")" * 199, "[" * 150, "class A(" * 90, "{**" * 90,
        "(a := " * 80, "match a:\n case " + "[" * 90, "x = " + "{'a': " * 88 + "1" + "}" * 88,
        # chains: the parser or what follows it recurses once for each link
        "-" * n + "1", "not " * (n // 4) + "1", "~" * 5900 + "1", "await " * (n // 6) + "a", "a" + ".b" * (n // 2),
        "a" + "()" * (n // 2), "a" + "[0]" * (n // 3), "a" + "+a" * (n // 2), "a" + "**a" * (n // 3),
        "lambda:" * (n // 7) + "1", "a if b else " * (n // 12) + "a", "if a:0\n" + "elif a:0\n" * (n // 9),
        "a" + "+a" * 2900, "(a" + ".b" * 2900 + ")()", "a = " * (n // 4) + "1", "@a\n" * (n // 3),
        # f-strings and strings
        "f'" + "{a!r:{a}}" * (n // 9) + "'", "f'" + "{" * 90 + "a" + "}" * 90 + "'", "f'{f\"{" * 40, "'" * n,
        '"' * 3 + "'" * n, "\\" * n, "'\\" * (n // 2), "\\\n" * (n // 2), "x = 'a' " + "'b' " * (n // 4),
        # characters
        "a\0b", "a" + chr(0x345) * (n // 4) + chr(0x334) * (n // 4) + " = 1", chr(0xfdfa) * (n // 4),
        chr(0x3000) * n, chr(0xd800) * n, chr(0x202e) + "a = 1", "\f" * n, "\r" * n, "\t" * n + "a", " " * n + "a",
        "a" * n, "_" * n, "a = 1" + "1" * 9000, "0x" + "f" * n, "1_" * (n // 2), "#" + "-" * n, "\n" * n,
        # much of something
        "\n".join(" " * i + "if 1:" for i in range(min(n, 440))), "a, " * (n // 3), "a;" * (n // 2),
        "a = 1\n" * (n // 6), "def f(): pass\n" * (n // 14), "def f():\n return a\n" * (n // 19),
        # IPython's own lines
        "a" + " " * n + "b = !", "%time " + "- " * (n // 2), "%" * n, "!\n" * (n // 2), "x?\n" * (n // 3), "%%" * n,
        "%%time\n" * (n // 7), "from " * (n // 5), "from a import " * (n // 14), "a . " * (n // 4) + "(",
        # what is refused late
        "global a\na = 1\nglobal a", "return", "nonlocal x", "def f(a, a): pass", "type X = int", "print 1",
        "async def f(): [await a async for b in c]", "def f():\n from a import *", "yield", "*a", "x: int = yield",
    ]


CRASH = """
import json, sys, threading, time
from autograde.intake import submission
from tests.test_submission import SKELETON, answered, cell, hostile, notebook

def hand_in(source, number):
    cells = answered(area=source)
    cells += [cell("code", source + f"\\n# {number}"), cell("solution", source, "shapes-area")]
    started = time.process_time()
    result = submission.rebuild("ada", SKELETON, json.dumps(notebook(cells)).encode())
    seconds = time.process_time() - started
    assert result.status in (None, "unreadable"), result.status
    if result.status is None:
        assert any(step.source.strip() and step.kind == "solution" for step in result.steps)
        json.dumps(result.notebook, ensure_ascii=False).encode("utf-8")
    assert seconds < 8, (source[:40], seconds)

def work():
    for size in map(int, sys.argv[2:]):
        for number, source in enumerate(hostile(size)):
            hand_in(source, number)
    done.append(True)

done = []
threading.stack_size(2**19 if sys.argv[1] == "thread" else 2**23)  # macOS gives threads 512 kB
thread = threading.Thread(target=work)
thread.start()
thread.join()
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")] if sys.platform == "linux" else []
assert done and (not peak or int(peak[0].split()[1]) < 2**20)  # kB; ru_maxrss would count the parent's memory too
print("survived")
"""


@pytest.mark.parametrize(("stack", "sizes"), [
    ("thread", ["30000"]),
    pytest.param("thread", ["60000", "150000"], marks=pytest.mark.slow),
    pytest.param("main", ["60000", "150000"], marks=pytest.mark.slow),
])
def test_hostile_code_crashes_nothing(stack, sizes):
    command = [sys.executable, "-c", CRASH, stack, *sizes]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert ran.returncode == 0 and "survived" in ran.stdout, (ran.returncode, ran.stderr[-2000:])


def test_many_hostile_cells_take_bounded_time():
    """What is quick once must not be slow five thousand times: halves, copies and helpers in one notebook."""
    halves = [cell("solution", f"x{i} = (\n" * 20, "shapes-area") for i in range(700)]
    helpers = [cell("code", f"h{i} = h{i + 1}, h{i + 2}, area") for i in range(1900)]
    rivals = [cell("code", f"h{i % 7} = h{(i * 3) % 1900}; h{i % 5} = 1") for i in range(1900)]
    names = ", ".join(f"h{i}" for i in range(1900))
    script = ("import sys, json, time\nfrom autograde.intake import submission\n"
              "from tests.test_submission import SKELETON\n"
              "content = sys.stdin.buffer.read()\nstarted = time.process_time()\n"
              "result = submission.rebuild('ada', SKELETON, content)\n"
              "assert result.status is None, result.note\nprint(time.process_time() - started)\n")
    content = json.dumps(notebook([*answered(box=f"class Box:\n    a = {names}"), *halves, *helpers, *rivals])).encode()
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, input=content, capture_output=True, timeout=200)
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    assert float(ran.stdout) < 15


def test_ordinary_code_passes_the_screen():
    for path in sorted((ROOT / "solutions").glob("*.py")) + sorted((ROOT / "autograde").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert sources.acceptable(text), path
        assert sources.acceptable("#" + "-" * 200 + "\n" + text + '\n"' + "(" * 200 + '"')


# Files and folders -------------------------------------------------------------------------------------------------

@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "submitted" / "ada" / "09_shapes"
    made.mkdir(parents=True)
    return made


def find(folder: Path):
    """What lies in the folder of a student and a lesson, as a run finds it."""
    return submission.find(folder.parents[1], [folder.parent.name], SKELETON)


def content(cells=None) -> bytes:
    return json.dumps(notebook(answered() if cells is None else cells)).encode()


def test_exact_name_wins(folder):
    (folder / "09_shapes.ipynb").write_bytes(content())
    (folder / "09_shapes-Copy1.ipynb").write_bytes(b"{}")
    found = find(folder)
    assert (found.status, found.content) == (None, content())
    assert found.repairs == ("other notebooks in the folder were not graded: 09_shapes-Copy1.ipynb",)


def test_most_answers_win_then_the_newest(folder):
    (folder / "notes.ipynb").write_bytes(content([cell("code", "x = 1")]))
    for name, when in (("old.ipynb", 1_000), ("new.ipynb", 2_000), ("also old.ipynb", 1_500)):
        (folder / name).write_bytes(content() + b" " * when)
        os.utime(folder / name, (when, when))
    (folder / "half.ipynb").write_bytes(content(answered()[:4]))
    (folder / "untouched.ipynb").write_bytes(content(lesson()))
    found = find(folder)
    assert found.content == content() + b" " * 2_000
    assert found.repairs[0] == "the notebook is called new.ipynb instead of 09_shapes.ipynb; it was graded all the same"


def test_nothing_there(folder):
    (folder / "readme.txt").write_text("hello")
    (folder / "._09_shapes.ipynb").write_bytes(b"\0\5\26\7")
    (folder / ".ipynb_checkpoints").mkdir()
    assert (find(folder).content, find(folder).status) == (None, "missing")
    assert find(folder).note == "no notebook was handed in (the folder holds readme.txt)"
    found = submission.find(folder.parents[1], ["nobody"], SKELETON)
    assert (found.content, found.status, found.note) == (None, "missing", "no notebook was handed in")


def unreadable(found) -> str:
    assert found.content is None and found.status == "unreadable" and "\n" not in found.note
    return found.note


def test_links_are_never_followed(folder, tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(content())
    (folder / "09_shapes.ipynb").symlink_to(secret)
    assert "symbolic link" in unreadable(find(folder))
    (folder / "09_shapes.ipynb").unlink()
    (folder / "other.ipynb").symlink_to(secret)
    assert "symbolic link" in unreadable(find(folder))
    (folder / "own.ipynb").write_bytes(content([cell("code", "x = 1")]))
    assert "own.ipynb" in find(folder).repairs[0]


@pytest.mark.parametrize("which", ["lesson", "student"])
def test_folders_that_are_links(folder, which):
    """Another student's work is not handed in by a link, wherever on the way it stands."""
    (folder / "09_shapes.ipynb").write_bytes(content())
    other = folder.parents[1] / "mallory"
    if which == "lesson":
        other.mkdir()
        (other / "09_shapes").symlink_to(folder, target_is_directory=True)
    else:
        other.symlink_to(folder.parent, target_is_directory=True)
    assert "symbolic link" in unreadable(find(other / "09_shapes"))


def test_pipes_folders_and_files_in_the_wrong_place(folder):
    os.mkfifo(folder / "09_shapes.ipynb")
    assert "not an ordinary file" in unreadable(find(folder))
    (folder / "09_shapes.ipynb").unlink()
    (folder / "09_shapes.ipynb").mkdir()
    assert "not an ordinary file" in unreadable(find(folder))
    (folder / "09_shapes.ipynb").rmdir()
    folder.rmdir()
    folder.write_text("x")
    assert "is a file" in unreadable(find(folder))


def test_large_files_are_not_read(folder):
    with (folder / "09_shapes.ipynb").open("wb") as file:
        file.truncate(reading.MAX_BYTES + 1)
    assert "larger than 64 MiB" in unreadable(find(folder))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(folder):
    (folder / "09_shapes.ipynb").write_bytes(content())
    (folder / "09_shapes.ipynb").chmod(0)
    assert "permissions" in unreadable(find(folder))


def test_names_that_break_lines(folder):
    (folder / ("x\n\x1b[31m" + "y" * 100 + ".ipynb")).write_bytes(content())
    repair = find(folder).repairs[0]
    assert repair.isprintable() and len(repair) < 150


# The sample class --------------------------------------------------------------------------------------------------

@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one lesson; returns a function that writes its sample class."""
    from autograde import course as module

    signature, body = RIGHT_AREA.split("\n")
    reference = answered(area=f"{signature}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION")
    for folder, cells in (("notebooks", lesson()), ("solutions", reference)):
        path = tmp_path / folder / "09_shapes" / "09_shapes.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook(cells)))
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(module, "SOLUTIONS", tmp_path / "solutions")
    monkeypatch.setattr(samples, "SAMPLES", tmp_path / "samples")
    (tmp_path / "samples" / "09_shapes").mkdir(parents=True)
    return (tmp_path / "samples" / "09_shapes" / "class.toml").write_text


def handed_in_by(target: Path, student: str) -> submission.Submission:
    found = submission.find(target, [student], SKELETON)
    return submission.rebuild(student, SKELETON, found.content, found.repairs)


def test_sample_class(course, tmp_path):
    course('''
[ada]
who = "Everything right."
"*" = "the reference"

[ben]
who = "Half done."
"shapes.area" = """

def area(r):
    return 1

"""

[cem]
who = "Untouched."

[dua]
who = "Careless."
"*" = "the reference"
"shapes.why" = """
Because

of r.
"""
delete = ["shapes.area"]
duplicate = ["shapes.box"]
tag = "skip-execution"
first = ["import math", "x = 1"]

[emi]
who = "Squares the wrong thing."
"shapes.area" = [["r ** 2", "r"], ["np.pi", "3"]]
"shapes.box" = "the reference"
''')
    target = tmp_path / "submitted"
    assert samples.write_class("09_shapes", target) == ["ada", "ben", "cem", "dua", "emi"]
    assert run(handed_in_by(target, "ada"), "solution") == [RIGHT_AREA, RIGHT_BOX]
    assert run(handed_in_by(target, "ben"), "solution") == ["def area(r):\n    return 1", BOX]
    assert run(handed_in_by(target, "emi"), "solution") == ["def area(r):\n    return 3 * r", RIGHT_BOX]
    assert handed_in_by(target, "cem").untouched == {"shapes.area", "shapes.box"}
    careless = handed_in_by(target, "dua")
    assert careless.untouched == {"shapes.area"} and run(careless, "solution") == [AREA, RIGHT_BOX, RIGHT_BOX]
    assert written(careless) == "Because\n\nof r."
    raw = nbformat.read(target / "dua" / "09_shapes" / "09_shapes.ipynb", 4)
    nbformat.validate(raw)
    assert [c.source for c in raw.cells[:2]] == ["import math", "x = 1"]
    assert sum("skip-execution" in c.metadata.get("tags", []) for c in raw.cells) == 2


def test_sample_class_made_larger(course, tmp_path):
    course('ben.who = "Two."\nada.who = "One."')
    students = samples.write_class("09_shapes", tmp_path / "submitted", count=5)
    assert students == ["ada-001", "ben-001", "ada-002", "ben-002", "ada-003"]
    assert sorted(p.name for p in (tmp_path / "submitted").iterdir()) == sorted(students)


@pytest.mark.parametrize(("line", "place", "message"), [
    ("x = ", "", "Invalid value (at line 3, column 5)"),
    ("who = 2", "", "Cannot overwrite a value (at line 3"),
    ('[Ben]\nwho = "B."', "Ben", "named after its student"),
    ("[ben]", "ben", "says who the student is"),
    ('"shapes.volume" = "the reference"', "ada: shapes.volume",
     "there is no exercise 'shapes.volume' in this lesson; there are: shapes.area"),
    ('delete = ["shapes.volume"]', "ada: delete", "there is no exercise 'shapes.volume'"),
    ('duplicate = "shapes.area"', "ada: duplicate", "this is a list of texts"),
    ("first = [1]", "ada: first", "this is a list of texts"),
    ("tag = []", "ada: tag", "this is a text"),
    ('"*" = "half"', "ada", '"*" can only be "the reference"'),
    ('"shapes.area" = "refrence"', "ada: shapes.area",
     "there is no answer 'refrence'; there are, for example: the reference"),
    ('"shapes.area" = [["r ** 3", "r"]]', "ada: shapes.area", "the reference answer has no 'r ** 3'"),
    ('"shapes.area" = ["r ** 2", "r"]', "ada: shapes.area", "a list of [old, new]"),
    ('"shapes.area" = 1', "ada: shapes.area", "a list of [old, new]"),
])
def test_mistakes_in_a_sample_class_name_their_place(course, line, place, message):
    course(f'[ada]\nwho = "A."\n{line}\n')
    with pytest.raises(UserError) as error:
        samples.sample_class("09_shapes")
    assert str(error.value).startswith(f"samples/09_shapes/class.toml: {place}") and message in str(error.value)


def test_missing_samples_and_notebooks(course, tmp_path):
    with pytest.raises(UserError, match="there is no sample class for 09_shapes"):
        samples.sample_class("09_shapes")
    course('ada.who = "A."')
    (tmp_path / "notebooks" / "09_shapes" / "09_shapes.ipynb").unlink()
    with pytest.raises(UserError, match="autograde build 09_shapes"):
        samples.sample_class("09_shapes")
    with pytest.raises(UserError, match="autograde build 09_shapes"):
        Skeleton.load("09_shapes")
