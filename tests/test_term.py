"""A term: week after week everybody's points are the same in gradebook, pages, table, report and export, and right.

Nobody's ledger is kept by the grader: `tests/term.py` adds up what was handed in and what people gave. A short term
runs in every test run; the long one, three lessons and thirty students, in `make soak`.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests import term as terms
from tests.term import Term, deserved_of, now

NAMES = ["ada", "Bo Li", "carla", "dinh", "ÉLODIE", "fatima", "gustavo", "hana", "李雷", "o'brien"]


def students(count: int) -> list[str]:
    turns = range(-(-count // len(NAMES)))
    return [name if turn == 0 else f"{name}-{turn}" for turn in turns for name in NAMES][:count]


def week(term: Term, lesson: str, number: int) -> None:
    """Give out, hand in (some late, one not at all), grade, read, extend, hand in again."""
    due = now() - timedelta(days=3)
    samples = list(deserved_of(lesson))
    *present, absent = term.students
    for turn, student in enumerate(present):
        at = due + timedelta(hours=29 if turn % 4 == 1 else -1)
        term.hand_in(student, lesson, samples[turn % len(samples)], "because " * (turn % 3), at=at)
    term.autograde("grade", lesson)
    term.set_due(lesson, due)
    term.must_agree(lesson)
    assert term.deserved(lesson)[absent][0] == 0

    term.read_everything(lesson)
    term.must_agree(lesson)

    again, extended = present[number], present[1]
    term.hand_in(again, lesson, samples[0], "written anew")
    term.set_due(lesson, now() + timedelta(days=1), student=extended)
    term.autograde("grade", lesson)
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


def test_a_short_term(tmp_path):
    term = Term.begin(tmp_path, ("00_start_here",), students(5))
    week(term, "00_start_here", 0)
    who_leaves_is_gone_and_can_return(term, "00_start_here")


@pytest.mark.slow
def test_a_term(tmp_path):
    lessons = ("00_start_here", "02_rnn", "04_lstm")
    term = Term.begin(tmp_path, lessons, students(30))
    for number, lesson in enumerate(lessons):
        week(term, lesson, number)
        for earlier in lessons[:number]:
            term.must_agree(earlier)
        who_leaves_is_gone_and_can_return(term, lesson)


def test_the_rule_for_late_work_is_the_readmes():
    assert "late_submission_penalty" in terms.LATE_RULE
    assert terms.penalty(10, timedelta(hours=25)) == 2.0 and terms.penalty(10, timedelta(days=30)) == 10
    assert terms.penalty(10, -timedelta(hours=1)) == 0.0
