"""A cluster to grade on: the workers of a running Dask scheduler (optional: the extra ``cluster``).

Each worker process owns one warm process (`autograde.running.sandbox`). Submissions, skeletons and oracles travel with
the tasks, so workers need the course's packages but no shared file system; the course secret stays here, only
seeds drawn from it travel. This process connects and never listens; certificates are found in Dask's configuration.
"""

from __future__ import annotations

import contextlib
import logging

from autograde.course import UserError
from autograde.judging import oracles
from unrolled.sandbox.isolate import Limits

try:
    import cloudpickle
    import dask
    from distributed import Client
    from distributed.cfexecutor import ClientExecutor
    from distributed.diagnostics.plugin import WorkerPlugin
    from distributed.security import Security
except ImportError as error:
    raise UserError(f"grading on a cluster needs Dask, which is not installed here ({error}); "
                    "pip install --require-hashes -r requirements-cluster.lock (see docs/cluster.md)") from None


class Cluster:
    """The workers of a scheduler, warm, as an executor of `concurrent.futures`. Use as a context manager.

    `executor` runs tasks on them, `workers` says how many it runs at once.
    """

    def __init__(self, scheduler: str, limits: Limits | None):
        self.scheduler = scheduler
        self.limits = limits
        self._stack = contextlib.ExitStack()
        self.workers = 0

    def __enter__(self) -> Cluster:
        logging.getLogger("distributed").setLevel(logging.ERROR)
        # A notebook full of pictures is a large task, and nothing an instructor can change.
        self._stack.enter_context(dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GiB"}))
        for module in oracles.topics().values():  # oracles travel as they are here, whatever a worker has installed
            cloudpickle.register_pickle_by_value(module)
        client = self._stack.enter_context(self._connect())
        client.register_plugin(WarmProcess(self.limits))
        try:
            client.wait_for_workers(1, timeout=60)
        except TimeoutError:
            raise UserError(f"the scheduler at {self.scheduler} has no workers; start some with: dask worker") from None
        self.executor = _Executor(client, pure=False, retries=1)
        self.workers = sum(client.nthreads().values())
        return self

    def __exit__(self, *details):
        return self._stack.__exit__(*details)

    def _connect(self) -> Client:
        try:
            security = Security()  # from Dask's configuration
            if self.scheduler.startswith("tls://") and not security.get_connection_args("client").get("ssl_context"):
                raise UserError(f"to speak to a scheduler at {self.scheduler}, Dask needs a certificate, and none is "
                                "configured: docs/cluster.md")
            return Client(self.scheduler, security=security, set_as_default=False, timeout=30)
        except (OSError, ValueError) as error:
            raise UserError(f"no Dask scheduler answers at {self.scheduler} ({error}); how to start one: "
                            "docs/cluster.md") from None


class _Executor(ClientExecutor):
    """Dask's own executor, and a way to send once to every worker what many tasks need."""

    def send(self, value: object):
        return self._client.scatter(value, broadcast=True, hash=False)


class WarmProcess(WorkerPlugin):
    """Starts the warm process with the worker and ends it with it."""

    name = "unrolled-warm-process"

    def __init__(self, limits: Limits | None):
        self.limits = limits

    def setup(self, worker) -> None:
        """Refuse to work where student code cannot be closed in."""
        from autograde.running import sandbox

        with sandbox.shared(self.limits) as warm:
            if not warm.greeting.get("isolated"):
                raise RuntimeError(f"this worker cannot close student code in: {warm.reason}")

    def teardown(self, worker) -> None:
        from autograde.running import sandbox

        sandbox.close_shared()
