"""Many submissions at once, on Dask: this machine's cores by default, any cluster by its scheduler's address.

Each worker process owns one warm process (`autograde.running.sandbox`). Submissions, skeletons and oracles travel with
the tasks, so workers need the course's packages but no shared file system; the course secret stays here, only
seeds drawn from it travel.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from autograde.course import UserError
from autograde.intake.skeleton import Skeleton
from autograde.intake.submission import rebuild
from autograde.judging import oracles
from autograde.judging.exercise import Exercise
from autograde.records import CRASHED, Result, Submission
from autograde.running import engine
from unrolled.sandbox.isolate import Limits

IN_FLIGHT = 3  # tasks a worker may have waiting: enough to keep it busy, few enough to keep memory flat


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
    """What every submission of a lesson is graded against. Sent to each worker once."""

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
    scheduler : address of a running Dask scheduler; its workers are used in place of local ones.
    limits : limits of one submission.
    """

    def __init__(self, workers: int, scheduler: str | None = None, limits: Limits | None = None):
        self.workers = workers
        self.scheduler = scheduler
        self.limits = limits
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Pool:
        import dask
        from distributed import Client, LocalCluster

        logging.getLogger("distributed").setLevel(logging.ERROR)
        # A worker busy with student code is not lost, and one bad submission must not be tried for ever.
        self._stack.enter_context(dask.config.set({
            "distributed.scheduler.allowed-failures": 2, "distributed.admin.tick.limit": "1h",
            "distributed.worker.daemon": False, "distributed.scheduler.active-memory-manager.start": False,
            "distributed.scheduler.work-stealing": True, "distributed.worker.profile.enabled": False,
            # Dask remembers its last thousand messages for debugging: here they hold whole notebooks.
            "distributed.admin.low-level-log-length": 0, "distributed.admin.log-length": 0,
            # A notebook full of pictures is a large task, and nothing an instructor can change.
            "distributed.admin.large-graph-warning-threshold": "1GiB",
        }))
        address = self.scheduler
        if address is None:
            # Threads suffice: student code runs in processes of its own, forked by one warm process.
            cluster = self._stack.enter_context(LocalCluster(
                n_workers=self.workers, threads_per_worker=1, processes=False, memory_limit=0,
                dashboard_address=None, worker_dashboard_address=None, silence_logs=logging.ERROR))
            address = cluster
        else:
            _pickle_oracles_by_value()
        try:
            self._client = self._stack.enter_context(Client(address, set_as_default=False, timeout=30))
        except OSError:
            raise UserError(f"no Dask scheduler answers at {address}; start one with: dask scheduler") from None
        if self.scheduler is not None:
            from distributed.diagnostics.plugin import WorkerPlugin

            self._client.register_plugin(_warm_plugin(WorkerPlugin, self.limits))
            try:
                self._client.wait_for_workers(1, timeout=60)
            except TimeoutError:
                raise UserError(f"the scheduler at {address} has no workers; start some with: dask worker") from None
            self.workers = sum(self._client.nthreads().values())
        return self

    def __exit__(self, *details):
        return self._stack.__exit__(*details)

    def grade(self, tasks: Iterable[Task], lesson: Lesson) -> Iterator[tuple[Task, Result, Submission]]:
        """Grade `tasks` and yield each as it is ready. Only a few are in memory at any time."""
        from distributed import as_completed

        tasks = iter(tasks)
        shared = self._client.scatter(lesson, broadcast=True, hash=False)
        waiting: dict = {}
        ready = as_completed(loop=self._client.loop)

        def submit_next() -> None:
            task = next(tasks, None)
            if task is not None:
                # What breaks is the grader, not the student's code: that has ended as a status. So try once more.
                future = self._client.submit(grade_task, task, shared, self.limits, pure=False, retries=1)
                waiting[future.key] = task
                ready.add(future)

        for _ in range(max(2, self.workers * IN_FLIGHT)):
            submit_next()
        for future in ready:
            task = waiting.pop(future.key)
            if future.status == "finished":
                result, submission = future.result()
            else:
                result, submission = _lost(task, lesson, future.exception())
            future.release()
            submit_next()
            yield task, result, submission


def _lost(task: Task, lesson: Lesson, error: BaseException) -> tuple[Result, Submission]:
    """A submission whose workers were lost, or that broke the grader itself: marked, and named."""
    from autograde.judging import judge

    note = f"the grader could not finish this one ({type(error).__name__}: {str(error)[:200]})"
    verdicts = tuple(judge.unanswered(exercise, note) for exercise in lesson.exercises)
    return (Result(task.student, task.lesson, CRASHED, verdicts, task.repairs, note),
            Submission(task.student, task.lesson, status=CRASHED, note=note, repairs=task.repairs))


def _pickle_oracles_by_value() -> None:
    """Let oracles travel as they are here, whatever version a worker has installed."""
    import cloudpickle

    for module in oracles.topics().values():
        cloudpickle.register_pickle_by_value(module)


def _warm_plugin(base, limits):
    """A worker plugin that starts the warm process with the worker and ends it with it."""
    from autograde.running import sandbox

    class Warm(base):
        name = "unrolled-warm-process"

        def setup(self, worker):
            with sandbox.shared(limits) as warm:
                if not warm.greeting.get("isolated"):
                    raise RuntimeError(f"this worker cannot close student code in: {warm.reason}")

        def teardown(self, worker):
            sandbox.close_shared()

    return Warm()
