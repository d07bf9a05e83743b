"""What the checks make of answers by people who had the student notebook alone.

    python -m tests.strangers [SEED ...]       by topic: right ones accepted, wrong ones rejected, and what was said

Each answer of ``STRANGERS`` in `autograde.authoring.answers` runs on every seed. Whoever added it read what is said of
it and kept it beside the answer if it was true; anything else that is said counts as false.
"""

from __future__ import annotations

import contextlib
import io
import sys
import warnings

from autograde.authoring import answers
from autograde.judging import oracles
from tests.classroom import classroom

SEEDS = range(20, 25)
COLUMNS = ("right: accepted / all", "wrong: rejected / all", "of these named", "known mistakes: named / all",
           "false sentences")
# Mistakes on the exercise's list that are not recognised in this form: whoever added the answer looked for its kind.
UNRECOGNISED = {("seq.embedding", "numpy inside call")}


def measure(topic: str, module, seeds) -> tuple[int, ...]:
    """Right and accepted, right, wrong and rejected, wrong, wrong and named, known mistakes, false sentences."""
    accepted = right = rejected = wrong = named = known = false = 0
    room = classroom(module.LESSON)
    for exercise, given in getattr(answers.topic(topic), "STRANGERS", {}).items():
        full = oracles.get(exercise).points
        for name, (answer, points, said) in given.items():
            verdicts = [_quietly(room, exercise, answers.text(answer, room.answers[exercise]), seed) for seed in seeds]
            false += len({d.name for verdict in verdicts for d in verdict.diagnosis} - said)
            if points == full:
                right += 1
                accepted += all(verdict.passed for verdict in verdicts)
            else:
                wrong += 1
                rejected += not any(verdict.passed for verdict in verdicts)
                named += all(verdict.diagnosis for verdict in verdicts)
                known += bool(said) or (exercise, name) in UNRECOGNISED
    return accepted, right, rejected, wrong, named, known, false


def _quietly(room, exercise: str, source: str, seed: int):
    with (warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()),
          contextlib.redirect_stderr(io.StringIO())):
        warnings.simplefilter("ignore")
        return room.try_answer(exercise, source, seed)


def main(seeds) -> None:
    print(f"{'topic':8}" + "".join(f"{c:>{30 if 'known' in c else 24}}" for c in COLUMNS))
    total = [0] * 7
    for topic, module in oracles.topics().items():
        with contextlib.redirect_stdout(io.StringIO()):
            found = measure(topic, module, seeds)
        total = [a + b for a, b in zip(total, found, strict=True)]
        print(_row(topic, found), flush=True)
    print(_row("all", total))


def _row(name: str, found) -> str:
    accepted, right, rejected, wrong, named, known, false = found
    return (f"{name:8}{f'{accepted} / {right}':>24}{f'{rejected} / {wrong}':>24}{named:>24}"
            f"{f'{named} / {known}':>30}{false:>24}")


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or SEEDS)
