"""Many submissions at once: on threads of this process, or on a cluster by its scheduler's address.

Threads suffice here: student code runs in processes of its own, forked by one warm process, and nothing listens to
anybody. A cluster is asked through the same interface, `concurrent.futures`, see `autograde.running.cluster`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from autograde.intake.skeleton import Skeleton
from autograde.intake.submission import rebuild
from autograde.judging import oracles
from autograde.judging.exercise import Exercise
from autograde.records import CRASHED, Result, Submission
from autograde.running import engine
from unrolled.sandbox.isolate import Limits

IN_FLIGHT = 3  # tasks a worker may have waiting: enough to keep it busy, few enough to keep memory flat
ATTEMPTS = 2  # what breaks is the grader, not the student's code, which ends as a status: so it is tried once more


@dataclass(frozen=True)
class Task:
    """One submission to grade: its bytes as handed in (or why there are none), and the seeds of its hidden inputs.

    `files`, `folder` and `asks` are those of `intake.folder.HandedIn`.
    """

    student: str
    lesson: str
    content: bytes | None
    seeds: dict[str, int]
    repairs: tuple[str, ...] = ()
    status: str | None = None
    note: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    folder: tuple[str, ...] = ()
    asks: str = ""


@dataclass(frozen=True)
class Lesson:
    """What every submission of a lesson is graded against."""

    name: str
    skeleton: Skeleton
    exercises: tuple[Exercise, ...]

    @classmethod
    def load(cls, name: str) -> Lesson:
        return cls(name, Skeleton.load(name), tuple(oracles.of_lesson(name)))


def rebuilt(task: Task, lesson: Lesson) -> Submission:
    """The submission of a task, put into the lesson's skeleton."""
    if task.status:
        return Submission(task.student, task.lesson, status=task.status, note=task.note, repairs=task.repairs)
    return rebuild(task.student, lesson.skeleton, task.content, task.repairs, task.files)


def grade_task(task: Task, lesson: Lesson, limits: Limits | None = None) -> tuple[Result, Submission]:
    """Rebuild and grade one submission, in whatever process this is."""
    from autograde.running.sandbox import shared

    began = time.monotonic()
    submission = rebuilt(task, lesson)
    taken = {"rebuild": time.monotonic() - began}
    with shared(limits) as sandbox:
        result = engine.grade(submission, task.seeds.__getitem__, sandbox, lesson.exercises)
    return replace(result, parts=taken | result.parts), submission


class Pool:
    """Workers that grade. Use as a context manager.

    Parameters
    ----------
    workers : how many submissions are graded at once on this machine.
    scheduler : address of a running Dask scheduler; its workers are used in place of threads of this process.
    limits : limits of one submission.
    """

    def __init__(self, workers: int, scheduler: str | None = None, limits: Limits | None = None):
        self.workers = workers
        self.scheduler = scheduler
        self.limits = limits
        self._stack = contextlib.ExitStack()
        self._executor: Executor
        self._attempts = ATTEMPTS

    def __enter__(self) -> Pool:
        if self.scheduler is None:
            self._executor = ThreadPoolExecutor(self.workers, "grading")
            self._stack.push(self._end_threads)
        else:
            from autograde.running.cluster import Cluster

            cluster = self._stack.enter_context(Cluster(self.scheduler, self.limits))
            self._executor, self.workers = cluster.executor, cluster.workers
            self._attempts = 1  # a cluster tries again by itself, elsewhere
        return self

    def __exit__(self, *details):
        return self._stack.__exit__(*details)

    def _end_threads(self, kind: type[BaseException] | None, *_) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        if kind is not None:  # interrupted: else what runs now would be waited for at the program's end
            from autograde.running.sandbox import close_shared

            close_shared()

    def grade(self, tasks: Iterable[Task], lesson: Lesson) -> Iterator[tuple[Task, Result, Submission]]:
        """Grade `tasks` and yield each as it is ready. Only a few are in memory at any time."""
        tasks = iter(tasks)
        given = lesson if self.scheduler is None else self._executor.send(lesson)
        waiting: dict[Future, tuple[Task, int]] = {}

        def submit(task: Task | None, attempt: int = 1) -> None:
            if task is not None:
                waiting[self._executor.submit(grade_task, task, given, self.limits)] = (task, attempt)

        for _ in range(max(2, self.workers * IN_FLIGHT)):
            submit(next(tasks, None))
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                task, attempt = waiting.pop(future)
                error = future.exception()
                if error is not None and attempt < self._attempts:
                    submit(task, attempt + 1)
                    continue
                submit(next(tasks, None))
                yield task, *(future.result() if error is None else _lost(task, lesson, error))


def _lost(task: Task, lesson: Lesson, error: BaseException) -> tuple[Result, Submission]:
    """A submission whose workers were lost, or that broke the grader itself: marked, and named."""
    from autograde.judging import judge

    note = f"the grader could not finish this one ({type(error).__name__}: {str(error)[:200]})"
    verdicts = tuple(judge.unanswered(exercise, note) for exercise in lesson.exercises)
    return (Result(task.student, task.lesson, CRASHED, verdicts, task.repairs, note),
            Submission(task.student, task.lesson, status=CRASHED, note=note, repairs=task.repairs))
