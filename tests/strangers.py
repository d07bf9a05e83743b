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
COLUMNS = "right: accepted / all", "wrong: rejected / all", "of these named", "false sentences"


def measure(topic: str, module, seeds) -> tuple[int, int, int, int, int, int]:
    """Right and accepted, right, wrong and rejected, wrong, wrong and named, false sentences."""
    accepted = right = rejected = wrong = named = false = 0
    room = classroom(module.LESSON)
    for exercise, known in getattr(answers.topic(topic), "STRANGERS", {}).items():
        full = oracles.get(exercise).points
        for answer, points, said in known.values():
            verdicts = [_quietly(room, exercise, answers.text(answer, room.answers[exercise]), seed) for seed in seeds]
            false += len({d.name for verdict in verdicts for d in verdict.diagnosis} - said)
            if points == full:
                right += 1
                accepted += all(verdict.passed for verdict in verdicts)
            else:
                wrong += 1
                rejected += not any(verdict.passed for verdict in verdicts)
                named += all(verdict.diagnosis for verdict in verdicts)
    return accepted, right, rejected, wrong, named, false


def _quietly(room, exercise: str, source: str, seed: int):
    with (warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()),
          contextlib.redirect_stderr(io.StringIO())):
        warnings.simplefilter("ignore")
        return room.try_answer(exercise, source, seed)


def main(seeds) -> None:
    print(f"{'topic':8}" + "".join(f"{column:>24}" for column in COLUMNS))
    total = [0] * 6
    for topic, module in oracles.topics().items():
        with contextlib.redirect_stdout(io.StringIO()):
            found = measure(topic, module, seeds)
        total = [a + b for a, b in zip(total, found, strict=True)]
        print(_row(topic, found), flush=True)
    print(_row("all", total))


def _row(name: str, found) -> str:
    accepted, right, rejected, wrong, named, false = found
    return f"{name:8}{f'{accepted} / {right}':>24}{f'{rejected} / {wrong}':>24}{named:>24}{false:>24}"


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or SEEDS)
