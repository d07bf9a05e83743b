"""A handed-in notebook becomes the lesson's own skeleton with only the student's answers put in.

Students move, copy, split, delete and retag cells, and some do it on purpose. So nothing of the handed-in
notebook is kept but the text of answers, and of cells that an answer needs; whatever had to be put right on
the way is said in `Submission.repairs`, one sentence each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from autograde import course
from autograde.intake import beside, folder, notebook, sources
from autograde.intake.answers import find_answers
from autograde.intake.assembling import assemble, texts_for_rules
from autograde.intake.folder import HandedIn
from autograde.intake.helpers import find_helpers, said_of
from autograde.intake.matching import Matched, match
from autograde.intake.notebook import Unreadable
from autograde.intake.repairs import said_of_the_rest
from autograde.intake.skeleton import Skeleton
from autograde.intake.written import find_written
from autograde.records import MISSING, UNREADABLE, Submission


def find(root: Path, folders: Sequence[str], lesson: str | Skeleton) -> HandedIn:
    """What a student handed in for a lesson below the class's directory: bytes, or a status and why; never raises.

    Parameters
    ----------
    root : the class's directory. No link is followed below it.
    folders : the names of the student's folders there (several if the name is spelled in several ways).
    lesson : its name or its `Skeleton`.
    """
    skeleton = _skeleton(lesson)
    wanted = folder.Lesson(skeleton.lesson, frozenset(skeleton.by_grade_id),
                           frozenset(course.lessons()) - {skeleton.lesson}, lambda content: worked(skeleton, content))
    found = [(name, folder.find(root, name, wanted)) for name in folders]
    there = [(name, one) for name, one in found if one.status != MISSING]
    name, first = (there or found)[0]
    if len(there) > 1:
        others = ", ".join(ascii(other) for other, _ in there[1:])
        return replace(first, asks=f"the name is spelled in several ways, and {skeleton.lesson} was handed in under "
                                   f"each; what lies in {name!a} was graded, not {others}; keep one of them")
    return first


def worked(skeleton: Skeleton, content: bytes) -> int:
    """How many answers in a notebook's bytes are somebody's work, code and text; -1 if it is not this lesson's."""
    handed_in = rebuild("", skeleton, content)
    if handed_in.status:
        return -1
    exercises = [part for part in skeleton.parts if part.kind == "solution"]
    text = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in handed_in.notebook.cells}
    written = [part for part in skeleton.parts if part.kind == "written"
               and not sources.same(text[part.grade_id], part.source)]
    return len(exercises) - len(handed_in.untouched) + len(written)


def rebuild(student: str, lesson: str | Skeleton, content: bytes | None, repairs: Iterable[str] = (),
            files: Mapping[str, bytes] | None = None) -> Submission:
    """The skeleton with a student's answers: a pure function of the file's bytes.

    Parameters
    ----------
    student, lesson : whose, and the lesson's name or its `Skeleton`.
    content, repairs, files : what `find` found. Without content the submission is ``missing``.
    """
    skeleton = _skeleton(lesson)
    repairs = tuple(repairs)
    if content is None:
        return Submission(student, skeleton.lesson, repairs=repairs, status=MISSING, note=folder.NOTHING)
    try:
        return _put_together(student, skeleton, notebook.read(content), repairs, dict(files or {}))
    except Unreadable as problem:
        return Submission(student, skeleton.lesson, repairs=repairs, status=UNREADABLE, note=str(problem))
    finally:
        sources.forget()


def _put_together(student: str, skeleton: Skeleton, read: notebook.Read, repairs: tuple[str, ...],
                  files: dict[str, bytes]) -> Submission:
    matched = match(skeleton, read)
    answers = find_answers(matched)
    _must_be_of_the_lesson(matched, answers)
    helpers = find_helpers(matched, answers)
    used = {cell for answer in answers.values() for piece in answer.pieces for cell in piece.cells}
    used |= {cell for helper in helpers.values() for piece in helper.placed for cell in piece.cells}
    written, left_out = find_written(matched, used, files, beside.MAX_ALL - sum(map(len, files.values())))
    for answer in written.values():
        files |= answer.beside
    rebuilt, steps = assemble(skeleton, answers, written, helpers)
    of_parts = [repair for _, found in sorted((answers | written).items()) for repair in found.repairs]
    return Submission(
        student, skeleton.lesson, notebook=rebuilt, steps=steps, answers=texts_for_rules(skeleton, answers, helpers),
        untouched=frozenset(skeleton.parts[i].exercise for i, answer in answers.items() if answer.untouched),
        repairs=(*repairs, *read.repairs, *matched.repairs, *of_parts, *left_out, *said_of(helpers),
                 *said_of_the_rest(matched)),
        rescued=read.rescued, files=files)


def _must_be_of_the_lesson(matched: Matched, answers) -> None:
    """Raises Unreadable if no cell is the lesson's and none answers an exercise."""
    answered = any(piece.cells for answer in answers.values() for piece in answer.pieces)
    if not answered and all(part is None for part in matched.known):
        raise Unreadable(f"the notebook holds nothing of {matched.skeleton.lesson}; hand in that lesson's notebook")


def _skeleton(lesson: str | Skeleton) -> Skeleton:
    return lesson if isinstance(lesson, Skeleton) else Skeleton.load(lesson)
