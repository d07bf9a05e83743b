"""A term: week after week everybody's points are the same in gradebook, pages, table, report and export, and right.

Nobody's ledger is kept by the grader: `tests/term.py` adds up what was handed in and what people gave. A short term
runs in every test run; the long one, three lessons and thirty students, in `make soak`.
"""

from __future__ import annotations

import shlex
from datetime import timedelta

import pytest

from tests import term as terms
from tests.term import OWN, Term, now

NAMES = ["ada", "Bo Li", "carla", "dinh", "ÉLODIE", "fatima", "gustavo", "hana", "李雷", "o'brien"]


def students(count: int) -> list[str]:
    turns = range(-(-count // len(NAMES)))
    return [name if turn == 0 else f"{name}-{turn}" for turn in turns for name in NAMES][:count]


def week(term: Term, lesson: str, number: int, compare: bool = True) -> None:
    """Give out, hand in (some late, one not at all), grade, read, extend, hand in again; with `compare`, what is
    shown is compared after every step and not after the last alone.
    """
    due = now() - timedelta(days=3)
    samples = list(term.worth(lesson))
    *present, absent = term.students
    for turn, student in enumerate(present):
        at = due + timedelta(hours=29 if turn % 4 == 1 else -1)
        term.hand_in(student, lesson, samples[turn % len(samples)], "because " * (turn % 3), at=at)
    term.autograde("grade", lesson)
    term.set_due(lesson, due)
    if compare:
        term.must_agree(lesson)
    assert term.deserved(lesson)[absent][0] == 0

    term.read_everything(lesson)
    if compare:
        term.must_agree(lesson)

    again, extended = present[number], present[1]
    term.hand_in(again, lesson, samples[0], "written anew")
    term.set_due(lesson, now() + timedelta(days=1), student=extended)
    term.autograde("grade", lesson)
    if compare:
        term.must_agree(lesson)
    term.read_everything(lesson)
    term.must_agree(lesson)


def who_leaves_is_gone_and_can_return(term: Term, lesson: str) -> None:
    kept = term.leave(term.students[2])
    term.autograde("feedback", lesson)
    term.must_agree(lesson)
    term.come_back(kept)
    term.autograde("grade", lesson)
    term.must_agree(lesson)


def who_is_renamed_keeps_everything(term: Term, lesson: str, turn: int) -> None:
    """By the command; or in the folder, which is noticed and said, and then by the command."""
    old = term.students[0]
    new = f"{old} {turn}"
    if turn % 2:
        term.autograde("rename", old, new)
    else:
        below = term.folder / "submitted"
        (below / old).rename(below / new)
        assert f"autograde rename {shlex.quote(old)} {shlex.quote(new)}" in term.autograde("grade", lesson, expect=(2,))
        term.autograde("rename", old, new)
    term.is_called(old, new)
    for each in term.lessons[:term.lessons.index(lesson) + 1]:
        term.autograde("grade", each)
        term.must_agree(each)
        term.read_everything(each)
        term.must_agree(each)


def an_oracle_was_wrong_and_is_mended(term: Term) -> None:
    """It took the swapped shares for right. The instructor sees who would change before anything does."""
    oracle = term.folder / "oracles" / "memory.py"
    right = oracle.read_text(encoding="utf-8")
    oracle.write_text(right.replace("(1 - a, a) if swapped", "(1 - a, a) if not swapped"), encoding="utf-8")
    term.as_graded[OWN] = dict(zip(("ben", "ada", "cleo"), term.worth(OWN).values(), strict=True))
    for turn, student in enumerate(term.students):
        term.hand_in(student, OWN, ("ada", "ben", "cleo")[turn % 3], at=now() - timedelta(days=1))
    term.autograde("grade", OWN)
    term.set_due(OWN, now() - timedelta(days=2))
    term.must_agree(OWN)
    [check] = term.cells(OWN)
    term.by_hand(term.students[1], OWN, check, 1.5)
    term.must_agree(OWN)

    oracle.write_text(right, encoding="utf-8")
    concerned = sum(work.sample != "cleo" for (_, lesson), work in term.ledger.items() if lesson == OWN)
    said = term.autograde("regrade", OWN)
    assert f"{concerned} of {len(term.students)} would change. Nothing was written" in said
    assert "memory.trace: 0/3 → 3/3 (one step is now right; carries the memory on is now right)" in said
    term.must_agree(OWN)
    term.autograde("regrade", OWN, "--write")
    del term.as_graded[OWN]
    term.must_agree(OWN)


def test_a_short_term(tmp_path):
    term = Term.begin(tmp_path, ("00_start_here",), students(5))
    week(term, "00_start_here", 0, compare=False)
    who_is_renamed_keeps_everything(term, "00_start_here", 0)


@pytest.mark.slow
def test_a_term(tmp_path):
    lessons = ("00_start_here", "02_rnn", "04_lstm")
    term = Term.begin(tmp_path, (*lessons, OWN), students(30))
    for number, lesson in enumerate(lessons):
        week(term, lesson, number)
        for earlier in lessons[:number]:
            term.must_agree(earlier)
        who_leaves_is_gone_and_can_return(term, lesson)
        who_is_renamed_keeps_everything(term, lesson, number)
    an_oracle_was_wrong_and_is_mended(term)
    for lesson in lessons:
        term.must_agree(lesson)


def test_the_rule_for_late_work_is_the_readmes():
    assert "late_submission_penalty" in terms.LATE_RULE
    assert terms.penalty(10, timedelta(hours=25)) == 2.0 and terms.penalty(10, timedelta(days=30)) == 10
    assert terms.penalty(10, -timedelta(hours=1)) == 0.0
