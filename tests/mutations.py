"""What happens to right notebooks on their way from a student: each a small function, for tests of the grader.

A mutation changes a notebook (parsed JSON) in place and says whether it found something to change. None
of them changes what an answer means. Apply several in the order of `phase`: a cell is moved before it is split.
"""

from __future__ import annotations

import base64
import codecs
import copy
import json
import random
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import nbformat

from autograde import course
from autograde.authoring import samples
from autograde.authoring.answers import REFERENCE
from autograde.cells import kind_of
from autograde.intake import sources

LESSON = "04_lstm"
MARKER = "# the student's own line"
QUESTION = "lstm-why"
WORDS = ("The belt $c_t$ carries the error: **its Jacobian is** $f_t$.", "So Zoë's belt fades where $f_t < 1$.")
SKETCH = b"\x89PNG of a belt"


@dataclass(frozen=True)
class Mutation:
    """`says`: whether the rebuild has to list a repair. `loses_ids`: answers can then only be found by name."""

    name: str
    apply: Callable[[dict, random.Random], bool]
    phase: int
    says: bool
    loses_ids: bool = False


MUTATIONS: dict[str, Mutation] = {}


def mutation(phase: int, *, says: bool, loses_ids: bool = False):
    def register(function):
        name = function.__name__
        MUTATIONS[name] = Mutation(name, function, phase, says, loses_ids)
        return function
    return register


def right_notebook(name: str = LESSON) -> dict:
    """The released notebook of a lesson with the reference's answers and one in words, as parsed JSON."""
    given = {samples.EVERYTHING: REFERENCE}
    notebook = json.loads(nbformat.writes(samples.hand_in(samples.load(name), given, name)))
    for cell in question(notebook):
        cell |= {"source": f"{WORDS[0]}\n\n![sketch.png](attachment:sketch.png)\n\n{WORDS[1]}",
                 "attachments": {"sketch.png": {"image/png": base64.b64encode(SKETCH).decode()}}}
    return notebook


def mutated(notebook: dict, names: Iterable[str], seed: int) -> tuple[dict, list[str]]:
    """A copy of `notebook` after the named mutations, and the names of those that changed something."""
    result, rng = copy.deepcopy(notebook), random.Random(seed)
    for cell in result["cells"]:
        cell["source"] = text(cell)
    ordered = sorted(set(names), key=lambda name: (MUTATIONS[name].phase, name))
    return result, [name for name in ordered if _applied(MUTATIONS[name], result, rng)]


class NothingToChange(Exception):
    """An earlier mutation left no cell for this one."""


def _applied(change: Mutation, notebook: dict, rng: random.Random) -> bool:
    try:
        return change.apply(notebook, rng)
    except NothingToChange:
        return False


def pick(rng: random.Random, cells: list[dict]) -> dict:
    if not cells:
        raise NothingToChange
    return rng.choice(cells)


def text(cell: dict) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def code(source: str, **metadata) -> dict:
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def kind(cell: dict) -> str:
    return kind_of(nbformat.from_dict({"cell_type": cell["cell_type"], "metadata": cell["metadata"]}))


def of_kind(notebook: dict, *kinds: str) -> list[dict]:
    return [cell for cell in notebook["cells"] if kind(cell) in kinds]


def answers(notebook: dict) -> list[dict]:
    """The solution cells that hold an answer; not an empty form, an older attempt or half an answer."""
    return [c for c in of_kind(notebook, "solution")
            if text(c) != _stubs()[c["metadata"]["nbgrader"]["grade_id"]] and "(*arguments)" not in text(c)
            and (_alone(c) or MARKER in text(c)) and text(c) != "1 / 0"]


def question(notebook: dict) -> list[dict]:
    """The cells for the answer in words."""
    return [c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == QUESTION]


def place(notebook: dict, cell: dict) -> int:
    return next(i for i, other in enumerate(notebook["cells"]) if other is cell)


def somewhere(notebook: dict, rng: random.Random, cell: dict) -> None:
    notebook["cells"].insert(rng.randint(0, len(notebook["cells"])), cell)


# Cells move and vanish -----------------------------------------------------------------------------------------

@mutation(1, says=False)
def moves_one_cell(notebook, rng):
    cell = notebook["cells"].pop(rng.randrange(len(notebook["cells"])))
    somewhere(notebook, rng, cell)
    return True


@mutation(1, says=True)
def shuffles_everything(notebook, rng):
    before = list(notebook["cells"])
    while notebook["cells"] == before:
        rng.shuffle(notebook["cells"])
    return sum(kind(c) in ("solution", "check") for c in before) > 4  # fewer may keep their order by chance


@mutation(1, says=True)
def deletes_a_check(notebook, rng):
    notebook["cells"].remove(pick(rng, of_kind(notebook, "check")))
    return True


@mutation(1, says=True)
def deletes_the_set_up(notebook, rng):
    notebook["cells"].remove(of_kind(notebook, "code")[0])
    return True


@mutation(1, says=False)
def deletes_the_prose(notebook, rng):
    notebook["cells"] = [cell for cell in notebook["cells"] if kind(cell) not in ("markdown", "demo")]
    return True


# Cells are changed around the answers ---------------------------------------------------------------------------

@mutation(2, says=True)
def edits_a_check(notebook, rng):
    pick(rng, of_kind(notebook, "check"))["source"] = "print('all right')"
    return True


@mutation(2, says=True)
def turns_a_check_into_text(notebook, rng):
    pick(rng, of_kind(notebook, "check"))["cell_type"] = "raw"
    return True


@mutation(2, says=True)
def copies_a_check(notebook, rng):
    somewhere(notebook, rng, copy.deepcopy(pick(rng, of_kind(notebook, "check"))))
    return True


@mutation(2, says=True)
def edits_the_set_up(notebook, rng):
    for cell in of_kind(notebook, "code")[:1]:
        cell["source"] += "\nimport warnings\nwarnings.simplefilter('ignore')"
        return True
    return False


@mutation(2, says=True)
def tags_all_cells(notebook, rng):
    tag = rng.choice(["skip-execution", "raises-exception", "demo", "remove_cell", "solution"])
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = [*cell["metadata"].get("tags", []), tag]
    return True


@mutation(2, says=True)
def edits_grading_data(notebook, rng):
    for cell in of_kind(notebook, "check"):
        cell["metadata"]["nbgrader"] |= rng.choice([{"points": 1000.0}, {"grade": False}, {"solution": True}])
    return True


@mutation(2, says=False)
def adds_cell_metadata(notebook, rng):
    for cell in notebook["cells"]:
        cell["metadata"] |= {"collapsed": True, "scrolled": False, "vscode": {"languageId": "python"}, "id": "colab"}
    return True


# Cells are added -----------------------------------------------------------------------------------------------

_EXTRAS = {
    "warnings": "import warnings\nwarnings.warn('careful')",
    "logging": "import logging\nlogging.warning('still careful')",
    "plots": "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.show()",
    "magics": "%matplotlib inline\n%load_ext autoreload\n!ls\n%timeit 1 + 1",
    "cell_magic": "%%html\n<b>note</b>",
    "input": "name = input('Who are you? ')",
    "broken": "def half(:\n",
    "empty": "",
    "endless": "while True:\n    pass",
    "output": "print('x' * 10**6)",
    "question": "ops.split?",
}


def _adds(what: str):
    def adds(notebook, rng):
        for _ in range(rng.randint(1, 3)):
            somewhere(notebook, rng, code(_EXTRAS[what]))
        return True
    adds.__name__ = f"adds_{what}"
    return adds


for _what in _EXTRAS:
    mutation(3, says=False)(_adds(_what))


@mutation(3, says=False)
def adds_a_note(notebook, rng):
    somewhere(notebook, rng, {"cell_type": "markdown", "metadata": {}, "source": "My notes: def lstm_step is clear."})
    return True


@mutation(3, says=False)
def adds_a_cell_with_an_id_of_its_own(notebook, rng):
    grader = {"grade_id": "mine", "grade": True, "solution": True, "points": 100, "locked": False, "schema_version": 3}
    somewhere(notebook, rng, code("mine = 1", nbgrader=grader))
    return True


@mutation(3, says=True)
def moves_a_helper_out(notebook, rng):
    """An answer uses a function, a constant and an import that stand in cells of their own."""
    answer = pick(rng, answers(notebook))
    somewhere(notebook, rng, code("import math as student_math"))
    somewhere(notebook, rng, code("student_constant = 3\n# used below"))
    somewhere(notebook, rng, code("def student_helper(x):\n    return student_math.floor(x) + student_constant"))
    answer["source"] = f"student_value = student_helper(2.5)  {MARKER}\n{answer['source']}"
    return True


# Answers are copied, split, decorated ----------------------------------------------------------------------------

@mutation(4, says=True)
def copies_an_answer(notebook, rng):
    answer = pick(rng, answers(notebook))
    notebook["cells"].insert(place(notebook, answer) + 1, copy.deepcopy(answer))
    return True


@mutation(4, says=True)
def keeps_the_empty_form(notebook, rng):
    answer = pick(rng, answers(notebook))
    stub = copy.deepcopy(answer) | {"source": _stubs()[answer["metadata"]["nbgrader"]["grade_id"]]}
    somewhere(notebook, rng, stub)
    return True


@mutation(4, says=True)
def keeps_an_older_attempt(notebook, rng):
    answer = pick(rng, answers(notebook))
    older = copy.deepcopy(answer) | {"source": rng.choice(["def broken(:", "1 / 0", _wrong(text(answer))])}
    notebook["cells"].insert(rng.randint(0, place(notebook, answer)), older)
    return True


@mutation(4, says=True)
def answers_in_a_new_cell(notebook, rng):
    """The given cell stays as it was; the answer stands in a cell of the student's own."""
    answer = pick(rng, answers(notebook))
    notebook["cells"].insert(place(notebook, answer) + rng.randint(0, 1), code(answer["source"]))
    answer["source"] = _stubs()[answer["metadata"]["nbgrader"]["grade_id"]]
    return True


@mutation(4, says=True)
def improves_in_a_new_cell_below(notebook, rng):
    """Above the check, as a student does who runs the notebook from top to bottom."""
    checks = {c["metadata"]["nbgrader"]["grade_id"]: place(notebook, c) for c in of_kind(notebook, "check")}
    answer = pick(rng, [c for c in answers(notebook) if place(notebook, c) < checks.get(
        f"{c['metadata']['nbgrader']['grade_id']}-check", -1)])
    notebook["cells"].insert(place(notebook, answer) + 1, code(answer["source"]))
    answer["source"] = _wrong(text(answer))
    return True


@mutation(4, says=True)
def turns_an_answer_into_text(notebook, rng):
    answer = pick(rng, answers(notebook))
    answer["cell_type"] = rng.choice(["raw", "markdown"])
    for key in ("outputs", "execution_count"):
        answer.pop(key, None)
    return True


def _splits(name: str, ids: tuple[bool, ...]):
    def splits(notebook, rng):
        """Cut where Jupyter's split command may cut: at any line within the answer."""
        answer = pick(rng, [c for c in answers(notebook) if c["cell_type"] == "code"])
        lines = text(answer).split("\n")
        inner = [n for n in range(1, len(lines)) if lines[n].strip() and not _in_a_string(lines, n)]
        if len(inner) < len(ids) - 1:
            return False
        cuts = sorted(rng.sample(inner, len(ids) - 1))
        bounds = [0, *cuts, len(lines)]
        halves = []
        for number, keeps in enumerate(ids):
            half = copy.deepcopy(answer) if keeps else code("")
            half["source"] = "\n".join(lines[bounds[number]:bounds[number + 1]])
            halves.append(half)
        index = place(notebook, answer)
        notebook["cells"][index:index + 1] = halves
        return True
    splits.__name__ = name
    mutation(6, says=True)(splits)


def _in_a_string(lines: list[str], number: int) -> bool:
    return "\n".join(lines[:number]).count('"""') % 2 == 1


_splits("splits_an_answer_both_with_id", (True, True))
_splits("splits_an_answer_first_with_id", (True, False))
_splits("splits_an_answer_second_with_id", (False, True))
_splits("splits_an_answer_in_three", (True, True, True))
_splits("splits_an_answer_in_three_first_with_id", (True, False, False))


@mutation(5, says=False)
def decorates_answers(notebook, rng):
    """Magics, warnings, prints and questions in the answer's own cell."""
    lines = ["%matplotlib inline", "import warnings; warnings.warn('hm')", "!pip --version", "print('working')",
             "import logging; logging.error('no error')"]
    for cell in answers(notebook):
        if cell["cell_type"] == "code" and _alone(cell):
            cell["source"] = f"{rng.choice(lines)}\n{text(cell)}\ninput('done?')\n"
    return True


@mutation(5, says=False)
def times_answers(notebook, rng):
    for cell in answers(notebook):
        if cell["cell_type"] == "code" and _alone(cell):
            cell["source"] = f"%%time\n{text(cell)}"
    return True


@mutation(7, says=False)
def adds_space_at_line_ends(notebook, rng):
    for cell in notebook["cells"]:
        if '"""' not in text(cell):
            cell["source"] = "\n".join(line + " " * rng.randint(0, 2) for line in text(cell).split("\n")) + "\n\n"
    return True


@mutation(7, says=True)
def has_windows_line_ends(notebook, rng):
    for cell in notebook["cells"]:
        cell["source"] = text(cell).replace("\r\n", "\n").replace("\n", "\r\n")
    return any("\r" in cell["source"] for cell in notebook["cells"])


@mutation(7, says=True)
def has_no_break_spaces(notebook, rng):
    cells = [c for c in of_kind(notebook, "solution") if "    " in text(c) and c["cell_type"] == "code" and _alone(c)]
    for cell in cells:
        cell["source"] = re.sub(r"^( {4})(?=\w+ = |return )", "\u00a0\u00a0\u00a0 ", text(cell), flags=re.M)
    return any("\u00a0" in text(cell) for cell in cells)


@mutation(7, says=True)
def has_invisible_characters(notebook, rng):
    cells = [c for c in of_kind(notebook, "solution") if c["cell_type"] == "code" and _alone(c)]
    for cell in cells:
        cell["source"] = rng.choice("\ufeff\u200b\u2060") + text(cell)
    return bool(cells)


@mutation(7, says=False)
def is_in_another_unicode_form(notebook, rng):
    for cell in notebook["cells"]:
        cell["source"] = unicodedata.normalize(rng.choice(["NFC", "NFD"]), text(cell))
    return True


# The answer in words stands somewhere else --------------------------------------------------------------------------

def _emptied(notebook: dict, rng) -> tuple[dict, dict]:
    """The question's cell, empty again, and one of the student's own with what it held."""
    cell = pick(rng, [c for c in question(notebook) if WORDS[0] in text(c)])
    own = {"cell_type": "markdown", "metadata": {}, "source": cell["source"], "attachments": cell.pop("attachments")}
    cell["source"] = "YOUR ANSWER HERE"
    return cell, own


@mutation(5, says=True)
def writes_in_a_cell_beside_the_question(notebook, rng):
    cell, own = _emptied(notebook, rng)
    own["cell_type"] = rng.choice(["markdown", "raw"])
    notebook["cells"].insert(place(notebook, cell) + rng.randint(0, 1), own)
    return True


@mutation(5, says=True)
def writes_on_in_a_second_cell(notebook, rng):
    cell, own = _emptied(notebook, rng)
    first, _, second = text(own).partition(WORDS[1])
    cell |= {"source": first, "attachments": own["attachments"]}
    notebook["cells"].insert(place(notebook, cell) + 1,
                             {"cell_type": "markdown", "metadata": {}, "source": f"{WORDS[1]}{second}"})
    return True


@mutation(5, says=True)
def writes_into_the_question(notebook, rng):
    asked = [c for c in notebook["cells"] if f"`{QUESTION.replace('-', '.')}`" in text(c)]
    if not asked:
        return False
    _, own = _emptied(notebook, rng)
    asked[0] |= {"source": f"{text(asked[0])}{rng.choice([' ', chr(10), chr(10) * 2])}{text(own)}",
                 "attachments": own["attachments"]}
    return True


@mutation(5, says=True)
def writes_at_the_top_of_the_notebook(notebook, rng):
    _, own = _emptied(notebook, rng)
    notebook["cells"].insert(0, own)
    return True


@mutation(5, says=True)
def writes_a_comment_in_code(notebook, rng):
    cell, own = _emptied(notebook, rng)
    comment = "\n".join(f"# {line}" for line in text(own).split("\n") if "attachment:" not in line)
    picture = {"output_type": "display_data", "metadata": {}, "data": own["attachments"]["sketch.png"]}
    notebook["cells"].insert(place(notebook, cell) + 1, code(comment) | {"outputs": [picture]})
    return True


@mutation(6, says=False)
def pastes_the_picture_as_colab_does(notebook, rng):
    cell = pick(rng, [c for c in notebook["cells"] if "attachment:sketch.png" in text(c) and "attachments" in c])
    data = cell.pop("attachments")["sketch.png"]["image/png"]
    cell["source"] = text(cell).replace("attachment:sketch.png", f"data:image/png;base64,{data}")
    return True


@mutation(7, says=True)
def turns_the_answer_in_words_into_code(notebook, rng):
    cell = pick(rng, [c for c in question(notebook) if "attachments" not in c])
    cell |= {"cell_type": "code", "outputs": [], "execution_count": None}
    return True


# Metadata are lost -----------------------------------------------------------------------------------------------

@mutation(8, says=False)
def changes_the_kernel(notebook, rng):
    notebook["metadata"]["kernelspec"] = rng.choice([
        {"name": "conda-env-tf-py", "display_name": "Python [conda env:tf]", "language": "python"},
        {"name": "python2", "display_name": "Python 2"}, {"name": "", "display_name": ""}, None, {}])
    return True


@mutation(8, says=True)
def changes_the_language(notebook, rng):
    notebook["metadata"]["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    return True


@mutation(7, says=False)
def loses_notebook_metadata(notebook, rng):
    notebook["metadata"] = {}
    return True


@mutation(8, says=True)
def loses_grading_data(notebook, rng):
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    return True


@mutation(8, says=True, loses_ids=True)
def loses_grading_data_and_ids(notebook, rng):
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)
    notebook["nbformat_minor"] = 4
    return True


@mutation(9, says=False)
def stores_lines(notebook, rng):
    for cell in notebook["cells"]:
        cell["source"] = text(cell).splitlines(keepends=True)
    return True


@cache
def _stubs() -> dict[str, str]:
    released = nbformat.read(course.released(LESSON), 4)
    return {c.metadata.nbgrader.grade_id: c.source for c in released.cells if kind_of(c) == "solution"}


def _wrong(source: str) -> str:
    """An attempt that defines the same names and is not right."""
    names = re.findall(r"^(?:def|class) (\w+)", source, re.M)
    return "\n".join(f"def {name}(*arguments):\n    return None" for name in names) or "pass"


def _alone(cell: dict) -> bool:
    """Whether a cell's source is whole, not one half of a split one."""
    return sources.parses(text(cell))


# Files -----------------------------------------------------------------------------------------------------------

def _ascii(notebook: dict) -> bytes:
    return json.dumps(notebook).encode("ascii")


def _utf8(notebook: dict) -> bytes:
    return json.dumps(notebook, ensure_ascii=False, indent=1).encode("utf-8")


def _western(notebook: dict) -> bytes:
    """As an editor saves it that knows no UTF-8, with at least one letter that shows it."""
    noted = {**notebook, "metadata": {**notebook["metadata"], "author": "Zoë"}}
    written = json.dumps(noted, ensure_ascii=False)
    return "".join(c if _fits(c) else json.dumps(c)[1:-1] for c in written).encode("cp1252")


def _fits(character: str) -> bool:
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _old(version: int):
    def encode(notebook: dict) -> bytes:
        node = nbformat.from_dict(notebook)
        node.metadata.pop("kernelspec", None)
        for cell in node.cells:
            cell.setdefault("metadata", {})
            if isinstance(cell.source, list):
                cell.source = "".join(cell.source)
            cell.pop("attachments", None)
        node.nbformat, node.nbformat_minor = 4, 5
        for step in range(3, version - 1, -1):
            node = nbformat.convert(node, step)
        return json.dumps(node).encode()
    return encode


# name -> (encode, whether it counts as rescued)
FILES: dict[str, tuple[Callable[[dict], bytes], bool]] = {
    "ascii": (_ascii, False),
    "utf-8": (_utf8, False),
    "crlf": (lambda nb: _utf8(nb).replace(b"\n", b"\r\n"), False),
    "space around": (lambda nb: b"\n\n" + _utf8(nb) + b"\n  \n", False),
    "utf-8 with mark": (lambda nb: codecs.BOM_UTF8 + _utf8(nb), True),
    "utf-16": (lambda nb: _utf8(nb).decode().encode("utf-16"), True),
    "utf-16-be": (lambda nb: codecs.BOM_UTF16_BE + _utf8(nb).decode().encode("utf-16-be"), True),
    "utf-32": (lambda nb: _utf8(nb).decode().encode("utf-32"), True),
    "cp1252": (_western, True),
    "nbformat 3": (_old(3), True),
    "nbformat 2": (_old(2), True),
}
