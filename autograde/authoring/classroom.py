"""A lesson with its cells run once, so that tests can try answer after answer in one process: trusted code only."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import unrolled.quiet  # noqa: F401
from autograde import records
from autograde.authoring import lesson
from autograde.cells import answer_of, exercise_of, kind_of
from autograde.judging import judge, oracles
from unrolled import checking, probes
from unrolled.probes import guard


class Classroom:
    """The reference lesson's names, and a way to try another answer in place of the reference's."""

    def __init__(self, name: str):
        self.name = name
        self.answers: dict[str, str] = {}
        self.checks: dict[str, str] = {}
        self.names: dict[str, object] = {"__name__": "__main__"}
        # One namespace that grows cell by cell; each exercise remembers the names that stood above it.
        self.before: dict[str, dict] = {}
        for cell in lesson.read(name).cells:
            kind = kind_of(cell)
            if kind == "check":
                self.checks[exercise_of(cell)] = cell.source
            elif kind in ("solution", "code"):
                if kind == "solution":
                    self.before[exercise_of(cell)] = dict(self.names)
                    self.answers[exercise_of(cell)] = answer_of(cell)
                exec(compile(answer_of(cell), f"<{name}>", "exec"), self.names)

    def try_answer(self, exercise: str, source: str, seed: int | None = None) -> records.Verdict:
        """Run `source` in place of the reference answer and judge what its check collects."""
        outcome = self.collect(exercise, source, seed)
        return judge.judge(oracles.get(exercise), self._cases(exercise, seed), outcome, source=source)

    def passes(self, exercise: str, source: str, seed: int) -> bool:
        """Whether `source` would earn full marks: as `try_answer`, but the first case that fails ends it."""
        oracle = replace(oracles.get(exercise), misconceptions=())
        given, cases = self._given(exercise, source), _drawn(exercise, seed)
        with guard.out_of_use(oracle.forbids):
            return all(judge.judge(oracle, {name: case}, probes.run(exercise, given, {name: case}),
                                   source=source).passed for name, case in cases.items())

    def _cases(self, exercise: str, seed: int | None) -> dict:
        return oracles.get(exercise).draw(oracles.public_seed(exercise) if seed is None else seed)

    def collect(self, exercise: str, source: str, seed: int | None = None) -> probes.Outcome:
        """Run `source` in place of the reference answer: what its check would send to the judge."""
        forbids = oracles.get(exercise).forbids
        return probes.run(exercise, self._given(exercise, source), self._cases(exercise, seed), forbids)

    def _given(self, exercise: str, source: str) -> tuple:
        """What the check gets when `source` stands in place of the reference answer: functions, classes."""
        names = dict(self.before[exercise])
        exec(compile(source, f"<{exercise}>", "exec"), names)
        given = []
        checking.collect_with(lambda name, answers: given.append(answers))
        try:
            exec(self.checks[exercise], names)
        finally:
            checking.collect_with(checking.check_here)
        return given[0]


@cache
def _drawn(exercise: str, seed: int) -> dict:
    return oracles.get(exercise).draw(seed)


@cache
def classroom(name: str) -> Classroom:
    return Classroom(name)
