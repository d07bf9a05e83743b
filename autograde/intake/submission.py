"""A handed-in notebook becomes the lesson's own skeleton with only the student's answers put in.

Students move, copy, split, delete and retag cells, and some do it on purpose. So nothing of the handed-in
notebook is kept but the text of answers, and of cells that an answer needs; whatever had to be put right on
the way is said in `Submission.repairs`, one sentence each.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from autograde import course
from autograde.cells import exercise_of, kind_of
from autograde.intake import handed_in, sources
from autograde.intake.handed_in import Cell, HandedIn, Unreadable, shown
from autograde.intake.sources import Names
from autograde.records import MISSING, UNREADABLE, Step, Submission

MAX_CODE = 1_000_000  # characters of code in one notebook; more is no student's work and takes long to look at
MAX_COPIES = 20       # cells with the id of one exercise
MAX_WINDOW = 5        # a split answer is joined from so many neighbouring cells
MAX_SORTED = 60       # helpers that are put into the order of their needs
PATIENCE = 1_000_000  # characters of joined cells that the parser is asked about in one notebook
_SETTINGS = ("grade", "solution", "locked", "points", "task", "cell_type")


# The skeleton ------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Part:
    """One cell of the released notebook. `answers` are the names a solution cell must define."""

    kind: str
    cell_type: str
    source: str
    id: str
    metadata: dict
    attachments: dict
    grade_id: str = ""
    exercise: str = ""
    names: Names = field(default_factory=lambda: sources.names(""))
    answers: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        return self.exercise or self.grade_id


@dataclass(frozen=True)
class Skeleton:
    """A lesson as it was released: plain data that travels to workers.

    Cells with the tag ``target`` (figures for the student at work) are left out: nobody grades them, and they are
    most of a notebook's bytes.
    """

    lesson: str
    parts: tuple[Part, ...]
    metadata: dict

    @staticmethod
    def load(lesson: str) -> Skeleton:
        """The skeleton of a lesson, read once. Raises UserError if the lesson was not built."""
        return _load(lesson, course.released(lesson))

    @staticmethod
    def of(lesson: str, notebook: NotebookNode) -> Skeleton:
        """The skeleton of a released notebook."""
        cells = [c for c in notebook.cells if "target" not in c.metadata.get("tags", [])]
        checks = {exercise_of(c): sources.names(c.source).needs for c in cells if kind_of(c) == "check"}
        parts = tuple(_part(cell, checks) for cell in cells)
        return Skeleton(lesson, parts, _plain_data(notebook.metadata))

    @cached_property
    def by_grade_id(self) -> dict[str, int]:
        return {part.grade_id: index for index, part in enumerate(self.parts) if part.grade_id}

    @cached_property
    def by_id(self) -> dict[str, int]:
        return {part.id: index for index, part in enumerate(self.parts) if part.grade_id}

    @cached_property
    def by_source(self) -> dict[str, int]:
        """Parts by their text, as it is and as `sources.plain` has it."""
        found: dict[str, int] = {}
        for index, part in enumerate(self.parts):
            found.setdefault(sources.plain(part.source), index)
        return {part.source: found[sources.plain(part.source)] for part in self.parts} | found

    @cached_property
    def demo_imports(self) -> dict[str, str]:
        """The import statement behind each name that only cells for show import: grading skips those cells."""
        found: dict[str, str] = {}
        for part in self.parts:
            tree = sources.tree(part.source) if part.kind == "demo" else None
            for node in ast.walk(tree) if tree else ():
                if isinstance(node, ast.Import | ast.ImportFrom):
                    line = ast.unparse(node)
                    found |= {(a.asname or a.name).partition(".")[0]: line for a in node.names}
        return found


@cache
def _load(lesson: str, path: Path) -> Skeleton:
    if not path.is_file():
        raise course.UserError(f"the lesson {lesson!r} has no released notebook; run: autograde build {lesson}")
    return Skeleton.of(lesson, nbformat.read(path, 4))


def _part(cell: NotebookNode, checks: dict[str, frozenset[str]]) -> Part:
    kind = kind_of(cell)
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    exercise = exercise_of(cell) if kind in ("solution", "check") else ""
    names = sources.names(cell.source if cell.cell_type == "code" else "")
    defined = names.defines or names.binds
    return Part(
        kind=kind, cell_type=cell.cell_type, source=cell.source, id=cell.id, grade_id=grade_id, exercise=exercise,
        metadata=_plain_data(cell.metadata), attachments=_plain_data(cell.get("attachments", {})), names=names,
        answers=(defined & checks.get(exercise, frozenset())) or defined if kind == "solution" else frozenset())


def _plain_data(value):
    if isinstance(value, dict):
        return {key: _plain_data(item) for key, item in value.items()}
    return [_plain_data(item) for item in value] if isinstance(value, list) else value


# The way in --------------------------------------------------------------------------------------------------

def find(folder: Path, lesson: str | Skeleton) -> HandedIn:
    """What a student handed in, from ``submitted/<student>/<lesson>/``: bytes, or a status and why; never raises.

    ``<lesson>.ipynb``, else the notebook with most of the lesson's cells. Links are never followed.
    """
    skeleton = _skeleton(lesson)
    return handed_in.find(Path(folder), skeleton.lesson, frozenset(skeleton.by_grade_id))


def rebuild(student: str, lesson: str | Skeleton, content: bytes | None, repairs: Iterable[str] = ()) -> Submission:
    """The skeleton with a student's answers: a pure function of the file's bytes.

    Parameters
    ----------
    student, lesson : whose, and the lesson's name or its `Skeleton`.
    content, repairs : what `find` found. Without content the submission is ``missing``.
    """
    skeleton = _skeleton(lesson)
    repairs = tuple(repairs)
    if content is None:
        return Submission(student, skeleton.lesson, repairs=repairs, status=MISSING, note=handed_in.NOTHING)
    try:
        read = handed_in.notebook(content)
        desk = _Desk(skeleton, read)
        desk.put_together()
        notebook, steps = _assemble(desk)
        return Submission(
            student, skeleton.lesson, notebook=notebook, steps=tuple(steps), answers=_answers(desk),
            untouched=frozenset(skeleton.parts[i].exercise for i, a in desk.answers.items() if a.untouched),
            repairs=(*repairs, *read.repairs, *desk.repairs), rescued=read.rescued)
    except Unreadable as problem:
        return Submission(student, skeleton.lesson, repairs=repairs, status=UNREADABLE, note=str(problem))
    finally:
        sources.forget()


def _skeleton(lesson: str | Skeleton) -> Skeleton:
    return lesson if isinstance(lesson, Skeleton) else Skeleton.load(lesson)


# Putting together ----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Piece:
    """Code that runs as one cell: the handed-in cells it came from, and its source."""

    cells: tuple[int, ...]
    source: str

    @property
    def names(self) -> Names:
        return sources.names(self.source)


@dataclass
class Answer:
    """What was handed in for one solution cell: pieces that run in order, and helpers put before them.

    `reaches` are all helpers that the answer needs, also those already put before an earlier one.
    """

    pieces: list[Piece]
    untouched: bool = False
    helpers: list[Piece] = field(default_factory=list)
    reaches: list[Piece] = field(default_factory=list)


class _Desk:
    """The handed-in cells beside the skeleton, while the one is put into the other.

    Attributes
    ----------
    cells : as handed in, with tidy text.
    known : for each of them the skeleton's part it is a copy of, or None for a cell the student added or changed.
    answers, written : by the part's index, filled by `put_together`.
    """

    def __init__(self, skeleton: Skeleton, read: handed_in.Read):
        self.skeleton = skeleton
        self.repairs: list[str] = []
        self.made_visible: set[int] = set()
        self.patience = PATIENCE
        self.answers: dict[int, Answer] = {}
        self.written: dict[int, str] = {}
        self.cells = [self._tidy(cell) for cell in read.cells]
        self._must_be_moderate()
        self._say_line_ends(read)
        self._make_visible()
        self.known = self._identify()

    # Looking ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _tidy(cell: Cell) -> Cell:
        source = sources.tidy(cell.source)
        return cell if source == cell.source else replace(cell, source=source)

    def _make_visible(self) -> None:
        for index, cell in enumerate(self.cells):
            source = sources.without_invisible(cell.source) if cell.kind == "code" else cell.source
            if source != cell.source:
                self.cells[index] = replace(cell, source=source)
                self.made_visible.add(index)

    def _must_be_moderate(self) -> None:
        sizes = [len(cell.source) for cell in self.cells if cell.kind == "code" or cell.grade_id]
        if max(sizes, default=0) > sources.MAX_CHARACTERS:
            raise Unreadable("a cell holds more than 200 kB of text; remove what is pasted there and hand it in again")
        if sum(sizes) > MAX_CODE:
            raise Unreadable("the notebook holds more than 1 MB of code; remove what is not yours and hand it in again")

    def _say_line_ends(self, read: handed_in.Read) -> None:
        if any("\r" in cell.source for cell in read.cells):
            self.repairs.append("line ends from another system were made uniform")
        if any(new.source != sources.uniform(old.source) for new, old in zip(self.cells, read.cells, strict=True)):
            self.repairs.append("characters that no file can hold were replaced by question marks")
        if read.language not in ("", "python"):
            self.repairs.append(f"the notebook's language was set to {shown(read.language)}; it was run as Python")

    def _identify(self) -> list[int | None]:
        """Which part each cell is: by its grade id, its cell id, or its unchanged text, in this order of trust."""
        skeleton = self.skeleton
        known = [skeleton.by_grade_id.get(cell.grade_id) for cell in self.cells]
        present = set(known)
        for index, cell in enumerate(self.cells):
            if known[index] is None and (part := skeleton.by_id.get(cell.id)) not in present:
                known[index] = part
        lost = sorted({p for i, p in enumerate(known) if p is not None and p not in present})
        for index, cell in enumerate(self.cells):
            if known[index] is None and len(cell.source) <= sources.MAX_CHARACTERS:
                same = skeleton.by_source.get(cell.source)
                known[index] = skeleton.by_source.get(sources.plain(cell.source)) if same is None else same
        for part in lost:
            self.repairs.append(f"the grading data of {skeleton.parts[part].label} was lost; "
                                "its cell was found by the cell's id")
        return known

    def _cells_of(self, part: int) -> list[int]:
        return [index for index, known in enumerate(self.known) if known == part]

    def _is_free(self, index: int) -> bool:
        """A code cell that is none of the lesson's: the student added it, or changed one for everybody."""
        return 0 <= index < len(self.cells) and self.known[index] is None and self.cells[index].kind == "code"

    def _piece(self, *cells: int, source: str | None = None) -> Piece:
        return Piece(cells, self.cells[cells[0]].source if source is None else source)

    # Answers ---------------------------------------------------------------------------------------------------

    def put_together(self) -> None:
        """Fill `answers`, `written` and `repairs`. Raises Unreadable if nothing here is of this lesson."""
        used: set[int] = set()
        for index, part in enumerate(self.skeleton.parts):
            if part.kind == "solution":
                self.answers[index] = answer = self._answer(index, part)
                used.update(cell for piece in answer.pieces for cell in piece.cells)
            elif part.kind == "written":
                self.written[index] = self._written(index, part)
        if not used and all(part is None for part in self.known):
            raise Unreadable(f"the notebook holds nothing of {self.skeleton.lesson}; hand in that lesson's notebook")
        extras = [self._piece(i) for i in range(len(self.cells)) if self._is_free(i) and i not in used]
        _Helpers(self, [piece for piece in extras if piece.names.parses]).place()
        self._say_what_else_was_put_right()

    def _answer(self, index: int, part: Part) -> Answer:
        copies = self._cells_of(index)
        code = [i for i in copies if self.cells[i].kind == "code"]
        if len(code) > MAX_COPIES:
            code = [i for i in code if not sources.same(self.cells[i].source, part.source)][-MAX_COPIES:]
            self.repairs.append(f"{len(copies)} cells have the id of {part.label}; the last {len(code)} were used")
        pieces = self._joined(code)
        for piece in pieces:
            if len(piece.cells) > 1:
                self.repairs.append(f"the answer to {part.label} was split over {len(piece.cells)} cells; "
                                    "they were joined")
        own = [piece for piece in pieces if not sources.same(piece.source, part.source)]
        own = self._with_definitions_below(own, part)
        if not any(self._defines(piece, part) for piece in own):
            own = self._defined_elsewhere(own, part, copies)
        if not own:
            if not copies:
                self.repairs.append(f"the cell of {part.label} was deleted; its empty form was put back")
            return Answer([Piece((), part.source)], untouched=True)
        if len(pieces) > len(own) and len(pieces) > 1:
            self.repairs.append(f"an untouched copy of the cell of {part.label} was left out")
        if len(own) > 1:
            self.repairs.append(f"{part.label} was answered in {len(own)} cells; "
                                "all run in their order, so the last one counts")
        if any(cell in self.made_visible for piece in own for cell in piece.cells):
            self.repairs.append(f"no-break spaces or invisible characters in the answer to {part.label} were replaced")
        return Answer(own)

    @staticmethod
    def _defines(piece: Piece, part: Part) -> bool:
        return bool(part.answers & (piece.names.defines | piece.names.binds))

    def _joined(self, copies: list[int]) -> list[Piece]:
        """The cells as pieces; where one is broken and only makes sense with its neighbours, joined with them."""
        pieces: list[Piece] = []
        for index in copies:
            if not any(index in piece.cells for piece in pieces):
                pieces.append(self._grown(index, set(copies)))
        merged: list[Piece] = []
        for piece in pieces:  # halves that were moved apart
            both = merged and self._join([merged[-1], piece])
            if both:
                merged[-1] = both
            else:
                merged.append(piece)
        return merged

    def _grown(self, index: int, copies: set[int]) -> Piece:
        first = last = index
        piece = self._piece(index)
        grown = True
        while grown:
            grown = False
            for low, high in _windows(first, last):
                new = [i for i in range(low, high + 1) if not first <= i <= last]
                if not all(i in copies or self._is_free(i) for i in new):
                    continue
                before = [self._piece(i) for i in new if i < first]
                after = [self._piece(i) for i in new if i > last]
                both = self._join([*before, piece, *after])
                if both:
                    piece, first, last, grown = both, low, high, True
                    break
        return piece

    def _join(self, pieces: list[Piece]) -> Piece | None:
        """The pieces as one, if one of them does not parse alone and all together do."""
        magic = any(piece.source.lstrip().startswith("%%") for piece in pieces[1:])  # stands at the top of a cell
        if magic or all(piece.names.parses for piece in pieces):
            return None
        cells = tuple(cell for piece in pieces for cell in piece.cells)
        for glue in ("\n", ""):  # Jupyter splits at the cursor, which may stand within a line
            joined = Piece(cells, glue.join(piece.source for piece in pieces))
            self.patience -= len(joined.source)
            if self.patience > 0 and joined.names.parses:
                return joined
        return None

    def _with_definitions_below(self, own: list[Piece], part: Part) -> list[Piece]:
        """Also what the student added below an answer and that defines its name again before it is checked."""
        taken = {cell for piece in own for cell in piece.cells}
        for piece in own[-1:]:
            start = piece.cells[-1] + 1
            new = [i for i in range(start, self._end_of(start, part))
                   if i not in taken and self._is_free(i) and self._defines(self._piece(i), part)]
            own = own + [self._piece(i) for i in new[-MAX_COPIES:]]
        return own

    def _end_of(self, start: int, part: Part) -> int:
        """Where the cells end that belong to the answer above `start`: at its check, else at the lesson's next cell."""
        parts = self.skeleton.parts
        known = [(i, parts[p]) for i, p in enumerate(self.known) if p is not None and i >= start]
        checks = [i for i, other in known if other.kind == "check" and other.exercise == part.exercise]
        return next(iter(checks or [i for i, _ in known]), len(self.cells))

    def _defined_elsewhere(self, own: list[Piece], part: Part, copies: list[int]) -> list[Piece]:
        """No cell that was handed in for this exercise defines its name: one without an id may."""
        taken = {cell for piece in own for cell in piece.cells}
        found: list[Piece] = []
        for index in range(len(self.cells)):
            if self._is_free(index) and index not in taken and self._defines(self._piece(index), part):
                piece = self._grown(index, set())
                if taken.isdisjoint(piece.cells):
                    found.append(piece)
                    taken.update(piece.cells)
        if found:
            names = ", ".join(sorted(part.answers))
            self.repairs.append(f"the answer to {part.label} was found in a cell without its grading id, "
                                f"by the name it defines ({names})")
            return sorted([*own, *found], key=lambda piece: piece.cells)
        texts = [self._piece(i) for i in copies if self.cells[i].kind != "code"]
        texts = [piece for piece in texts if piece.names.parses and self._defines(piece, part)
                 and not sources.same(piece.source, part.source)]
        if texts:
            self.repairs.append(f"the cell of {part.label} had been turned into text; it was run as code")
        return [*own, *texts]

    def _written(self, index: int, part: Part) -> str:
        copies = self._cells_of(index) or self._neighbour(index, part)
        texts = [self.cells[i].source for i in copies]
        own = list(dict.fromkeys(text for text in texts if not sources.same(text, part.source)))
        if not copies:
            self.repairs.append(f"the cell of {part.label} was deleted; its empty form was put back")
        if len(own) > 1:
            self.repairs.append(f"{part.label} was answered in {len(own)} cells; all texts were kept")
        if any(self.cells[i].kind == "code" for i in copies):
            self.repairs.append(f"the cell of {part.label} had been turned into code; it was kept as text")
        return "\n\n".join(own) if own else part.source

    def _neighbour(self, index: int, part: Part) -> list[int]:
        """A written answer that lost its ids: the student's text directly below the cell that stands above it."""
        for above in self._cells_of(index - 1):
            below = above + 1
            if below == len(self.cells) or self.known[below] is not None:
                continue
            cell = self.cells[below]
            if cell.kind == "text" and len(cell.source) <= sources.MAX_CHARACTERS:
                self.repairs.append(f"the grading data of {part.label} was lost; its cell was found by its place")
                return [below]
        return []

    # What else -------------------------------------------------------------------------------------------------

    def _say_what_else_was_put_right(self) -> None:
        for index, part in enumerate(self.skeleton.parts):
            if part.kind == "check":
                self._say_check(index, part)
            elif part.kind == "code" and not self._cells_of(index):
                self.repairs.append(f"a cell of the lesson was changed or deleted ({_title(part.source)}); "
                                    "the original was used")
        self._say_settings()
        self._say_tags()
        parts = self.skeleton.parts
        order = list(dict.fromkeys(p for p in self.known if p is not None and parts[p].kind != "markdown"))
        if order != sorted(order):
            self.repairs.append("cells had been moved; the lesson's order was used")

    def _say_check(self, index: int, part: Part) -> None:
        copies = self._cells_of(index)
        if not copies:
            self.repairs.append(f"the check of {part.exercise} was deleted; the original was used")
        elif not all(sources.same(self.cells[i].source, part.source) for i in copies):
            self.repairs.append(f"the check of {part.exercise} was edited; the original was used")
        elif len(copies) > 1:
            self.repairs.append(f"the check of {part.exercise} was there {len(copies)} times; one was used")
        if any(self.cells[i].kind != "code" for i in copies):
            self.repairs.append(f"the check of {part.exercise} had been turned into text; the original was used")

    def _say_settings(self) -> None:
        changed: dict[str, set[str]] = {}
        for cell, known in zip(self.cells, self.known, strict=True):
            part = self.skeleton.parts[known] if known is not None else None
            if part and part.grade_id and cell.settings:
                original = part.metadata["nbgrader"]
                wrong = {k for k, v in cell.settings if k in _SETTINGS and v != original.get(k, v)}
                changed.setdefault(part.grade_id, set()).update(wrong)
        for grade_id, keys in changed.items():
            if keys:
                self.repairs.append(f"the grading data of {grade_id} was edited ({', '.join(sorted(keys))}); "
                                    "the original was used")

    def _say_tags(self) -> None:
        added: dict[str, int] = {}
        for cell, known in zip(self.cells, self.known, strict=True):
            if known is not None:
                for tag in set(cell.tags) - set(self.skeleton.parts[known].metadata.get("tags", [])):
                    added[tag] = added.get(tag, 0) + 1
        for tag, count in sorted(added.items())[:10]:
            self.repairs.append(f"the tag {shown(tag)} was added to {count} cell{'s' * (count > 1)} and ignored")


def _windows(first: int, last: int):
    """Ranges of neighbouring cells around one, nearest first; below comes before above."""
    for extra in range(1, MAX_WINDOW):
        for below in range(extra, -1, -1):
            yield first - (extra - below), last + below


def _title(source: str) -> str:
    """The first telling line of a cell, short."""
    return shown(next((line.strip() for line in source.splitlines() if line.strip()), "empty"))


# Helpers -------------------------------------------------------------------------------------------------------

class _Helpers:
    """Which of the cells a student added are kept: those that an answer needs, and what these need in turn."""

    def __init__(self, desk: _Desk, extras: list[Piece]):
        self.desk = desk
        self.extras = extras
        self.binders: dict[str, list[Piece]] = {}
        self.changers: dict[str, list[Piece]] = {}
        for helper in extras:
            for name in helper.names.binds:
                self.binders.setdefault(name, []).append(helper)
            for name in helper.names.changes:
                self.changers.setdefault(name, []).append(helper)
        self.placed: set[Piece] = set()

    def place(self) -> None:
        """Put every needed helper before the first answer that needs it."""
        defined: set[str] = set()
        kept = 0
        for index, part in enumerate(self.desk.skeleton.parts):
            if part.kind == "code":
                defined |= part.names.binds
            elif part.kind == "solution":
                answer = self.desk.answers[index]
                for piece in answer.pieces:
                    defined |= piece.names.binds | piece.names.defines
                answer.reaches = self._reached(answer, defined)
                answer.helpers = [helper for helper in answer.reaches if helper not in self.placed]
                self.placed.update(answer.helpers)
                kept += len(answer.helpers)
        if kept:
            self.desk.repairs.append(f"{kept} cell{'s that you added are' if kept > 1 else ' that you added is'} "
                                     "needed by an answer and kept")

    def _reached(self, answer: Answer, defined: set[str]) -> list[Piece]:
        """The helpers of one answer, in the order they were handed in, but each after what it needs."""
        needs = {name for piece in answer.pieces for name in piece.names.needs} - defined
        reached, missing = self._closure(needs, defined)
        if missing:
            stars = [helper for helper in self.extras if helper.names.star]  # they may bring any name
            reached |= set(stars)
        lines = {line for name in missing if (line := self.desk.skeleton.demo_imports.get(name))}
        imports = [Piece((), "\n".join(sorted(lines)))] if lines else []
        return imports + self._ordered([helper for helper in self.extras if helper in reached])

    def _closure(self, needs: set[str], defined: set[str]) -> tuple[set[Piece], set[str]]:
        """Who provides these names, and what the providers need in turn; and the names that nobody provides."""
        reached: set[Piece] = set()
        missing: set[str] = set()
        waiting, asked = list(needs), set(needs)
        while waiting:
            name = waiting.pop()
            if name not in self.binders:
                missing.add(name)
                continue
            for helper in self.binders[name] + self.changers.get(name, []):
                if helper not in reached:
                    reached.add(helper)
                    new = helper.names.needs - defined - asked
                    asked |= new
                    waiting += new
        return reached, missing

    def _ordered(self, helpers: list[Piece]) -> list[Piece]:
        """Each helper after those whose names it needs (cells get moved); circles stay as handed in."""
        if len(helpers) > MAX_SORTED:
            return helpers
        order: list[Piece] = []
        visited: set[Piece] = set()

        def visit(helper: Piece) -> None:
            visited.add(helper)
            for other in helpers:
                if other not in visited and other.names.binds & helper.names.needs:
                    visit(other)
            order.append(helper)

        for helper in helpers:
            if helper not in visited:
                visit(helper)
        return order


def _answers(desk: _Desk) -> dict[str, str]:
    """The text that source rules look at: an answer, its helpers, and what it takes from other answers' cells.

    The names that other exercises ask for are theirs to define; any other name that an answer takes from there
    was put there by the student, as a helper is.
    """
    official = {name for part in desk.skeleton.parts for name in part.answers}
    found = {}
    for index, answer in desk.answers.items():
        pieces = [*answer.reaches, *answer.pieces]
        needs = {name for piece in pieces for name in piece.names.needs} - official
        others = [piece for other, given in desk.answers.items() if other != index for piece in given.pieces
                  if piece.names.binds & needs]
        found[desk.skeleton.parts[index].exercise] = sources.for_rules([p.source for p in [*others, *pieces]])
    return found


# The rebuilt notebook -------------------------------------------------------------------------------------------

def _assemble(desk: _Desk) -> tuple[NotebookNode, list[Step]]:
    cells: list[NotebookNode] = []
    steps: list[Step] = []

    def add(part: Part | None, source: str, name: str, kind: str = "", exercise: str = "") -> None:
        if kind:
            steps.append(Step(kind, len(cells), source, exercise))
        cells.append(_node(part, source, name))

    helpers = 0
    for index, part in enumerate(desk.skeleton.parts):
        if part.kind == "solution":
            answer = desk.answers[index]
            for helper in answer.helpers:
                helpers += 1
                add(None, helper.source, f"helper-{helpers}", "helper")
            for number, piece in enumerate(answer.pieces[:-1], 1):
                add(None, piece.source, f"{part.id[:50]}-part-{number}", "solution", part.exercise)
            # The last piece counts, so it has the cell that nbgrader knows.
            add(part, answer.pieces[-1].source, part.id, "solution", part.exercise)
        elif part.kind == "written":
            add(part, desk.written[index], part.id)
        else:
            kind = part.kind if part.kind in ("code", "check") else ""
            add(part, part.source, part.id, kind, part.exercise)
    notebook = nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": _plain_data(desk.skeleton.metadata),
                                   "cells": []})
    notebook.cells = cells
    return notebook, steps


def _node(part: Part | None, source: str, name: str) -> NotebookNode:
    cell_type = part.cell_type if part else "code"
    metadata = _plain_data(part.metadata) if part else {}
    data = {"cell_type": cell_type, "id": name, "metadata": metadata, "source": source}
    if cell_type == "code":
        data |= {"outputs": [], "execution_count": None}
    elif part and part.attachments:
        data["attachments"] = _plain_data(part.attachments)
    return nbformat.from_dict(data)
