"""A handed-in notebook becomes the lesson's own skeleton with only the student's answers put in.

Students move, copy, split, delete and retag cells, and some do it on purpose. So nothing of the handed-in
notebook is kept but the text of answers, and of cells that an answer needs; whatever had to be put right on
the way is said in `Submission.repairs`, one sentence each.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from autograde.intake import folder, notebook, sources
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


def find(path: Path, lesson: str | Skeleton) -> HandedIn:
    """What a student handed in, from ``submitted/<student>/<lesson>/``: bytes, or a status and why; never raises.

    ``<lesson>.ipynb``, else the notebook with most of the lesson's cells. Links are never followed.
    """
    skeleton = _skeleton(lesson)
    return folder.find(Path(path), skeleton.lesson, frozenset(skeleton.by_grade_id))


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
        return Submission(student, skeleton.lesson, repairs=repairs, status=MISSING, note=folder.NOTHING)
    try:
        return _put_together(student, skeleton, notebook.read(content), repairs)
    except Unreadable as problem:
        return Submission(student, skeleton.lesson, repairs=repairs, status=UNREADABLE, note=str(problem))
    finally:
        sources.forget()


def _put_together(student: str, skeleton: Skeleton, read: notebook.Read, repairs: tuple[str, ...]) -> Submission:
    matched = match(skeleton, read)
    answers, written = find_answers(matched), find_written(matched)
    _must_be_of_the_lesson(matched, answers)
    helpers = find_helpers(matched, answers)
    rebuilt, steps = assemble(skeleton, answers, written, helpers)
    of_parts = [repair for _, found in sorted((answers | written).items()) for repair in found.repairs]
    return Submission(
        student, skeleton.lesson, notebook=rebuilt, steps=steps, answers=texts_for_rules(skeleton, answers, helpers),
        untouched=frozenset(skeleton.parts[i].exercise for i, answer in answers.items() if answer.untouched),
        repairs=(*repairs, *read.repairs, *matched.repairs, *of_parts, *said_of(helpers), *said_of_the_rest(matched)),
        rescued=read.rescued)


def _must_be_of_the_lesson(matched: Matched, answers) -> None:
    """Raises Unreadable if no cell is the lesson's and none answers an exercise."""
    answered = any(piece.cells for answer in answers.values() for piece in answer.pieces)
    if not answered and all(part is None for part in matched.known):
        raise Unreadable(f"the notebook holds nothing of {matched.skeleton.lesson}; hand in that lesson's notebook")


def _skeleton(lesson: str | Skeleton) -> Skeleton:
    return lesson if isinstance(lesson, Skeleton) else Skeleton.load(lesson)
