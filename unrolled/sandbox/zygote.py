"""The warm process: imports Keras once, runs no operation, forks one closed-in child a submission.

Run as ``python -m unrolled.sandbox.zygote FD`` with a JSON plan on the control socket ``FD``. It never
imports `autograde`, so no oracle, case or secret can be in its memory or in a child's.

A process that ran one TensorFlow operation has worker threads, and its forked children hang for ever: a
fork copies no threads. So the warm process counts its threads before each fork and refuses if there are more
than after the imports; the engine then starts a new one.
"""

from __future__ import annotations

import array
import gc
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback

from unrolled.sandbox import channel, isolate
from unrolled.sandbox.isolate import Limits, Plan

_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC", "HOME": isolate.SCRATCH,
    "TMPDIR": f"{isolate.SCRATCH}/tmp",
    "MPLBACKEND": "Agg", "MPLCONFIGDIR": f"{isolate.SCRATCH}/tmp", "IPYTHONDIR": f"{isolate.SCRATCH}/tmp",
    "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "KERAS_BACKEND": "tensorflow",
    "CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    # Small products: oneDNN would compile machine code for them, 15 ms in every child, to save microseconds.
    "TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL": "0",
    "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1",
}


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    request = json.loads(_receive(control))
    plan = Plan(tuple(request["expose"]), tuple(request["cover"]))
    closed_in, reason = False, "not asked for"
    if request["isolate"]:
        try:
            isolate.enter(plan)
            closed_in = True
        except OSError as error:
            reason = str(error)
    if closed_in:
        pid = os.fork()  # the child is process 1 of the new pid namespace: when it dies, all in it die
        if pid:
            control.close()
            _, status = os.waitpid(pid, 0)
            sys.exit(os.waitstatus_to_exitcode(status) and 1)
        isolate.build_root(plan)
    os.environ.clear()
    os.environ.update(_ENVIRONMENT)
    if not closed_in:
        os.environ.update(request["fallback_environment"])
    shell, put_back, library_seconds = _import_libraries(request["modules"], request["probes"])
    if closed_in:
        isolate.seal_root()
    Zygote(control, shell, put_back, Limits(**request["limits"]), closed_in).serve(
        {"ready": True, "isolated": closed_in, "reason": reason, "import_seconds": library_seconds})


def _import_libraries(modules: list[str], own_probes: list[str]):
    """Import what lessons import, and all probes, a course's own among them. Nothing here may run an operation."""
    import importlib
    import pkgutil

    started = time.monotonic()
    gc.disable()  # imports make objects that stay; to look for garbage among them costs a third of the time
    import unrolled.quiet  # noqa: F401

    for name in modules:
        importlib.import_module(name)
    import IPython.core.logger  # noqa: F401 (it would come with a shell's first cell)

    from unrolled import probes
    from unrolled.sandbox import runner, untouched

    probes.__path__ += own_probes
    for module in pkgutil.iter_modules(probes.__path__, "unrolled.probes."):
        importlib.import_module(module.name)
    probes.guard.prepare()

    shell = runner.make_shell()
    _fill_registries()
    _run_operations_directly()
    put_back = untouched.remember()
    # What is there now will stay: a collection in a child that looked at it would copy every page it lies on.
    gc.freeze()
    gc.enable()
    return shell, put_back, round(time.monotonic() - started, 3)


def _fill_registries() -> None:
    """Let TensorFlow build its lists of operations and kernels here, once, and not in every child.

    The lists are built at the first question, and again at the first question about an unknown operation. A
    question runs no operation and starts no thread.
    """
    from tensorflow.python.framework import kernels, op_def_registry

    op_def_registry.get("UnrolledHasNoSuchOperation")
    kernels.get_registered_kernels_for_op("MatMul")


def _run_operations_directly() -> None:
    """Let children run each operation as it is, not wrapped into a graph of its own first.

    TensorFlow wraps, optimises and scans for its compiler every kind of operation at its first use: a quarter of
    what a short-lived child does. The kernels that run are the same. There is no public switch.
    """
    from tensorflow.python import pywrap_tfe

    switch = pywrap_tfe.TFE_ContextOptionsSetRunEagerOpAsFunction
    pywrap_tfe.TFE_ContextOptionsSetRunEagerOpAsFunction = lambda options, wrapped: switch(options, False)


class Zygote:
    """Serves the control socket until its other end is closed."""

    def __init__(self, control: socket.socket, shell, put_back, limits: Limits, closed_in: bool):
        self.control = control
        self.shell = shell
        self.put_back = put_back
        self.limits = limits
        self.closed_in = closed_in
        self.threads = _thread_count()
        self.started = 0
        # A closed-in child has a working folder of its own that ends with it; others get one below this.
        self.scratch = None if closed_in else tempfile.mkdtemp(prefix="unrolled-")

    def serve(self, greeting: dict) -> None:
        self.control.sendall(json.dumps(greeting | {"threads": self.threads}).encode())
        while True:
            self._reap()
            readable, _, _ = select.select([self.control], [], [], 1.0)
            if not readable:
                continue
            message, descriptors = _receive_with_fds(self.control)
            if not message:  # the engine is gone
                if self.scratch:
                    shutil.rmtree(self.scratch, ignore_errors=True)
                os._exit(0)
            self._answer(*descriptors)
            for descriptor in descriptors:
                os.close(descriptor)

    def _reap(self) -> None:
        try:
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                if self.scratch:
                    shutil.rmtree(os.path.join(self.scratch, str(pid)), ignore_errors=True)
        except ChildProcessError:
            pass  # no children at all

    def _answer(self, job: int, out: int, go: int) -> None:
        """Fork one child: `job` is what to run, `out` takes its frames, `go` says that its limits are in place."""
        threads = _thread_count()
        if threads > self.threads:
            self.control.sendall(json.dumps({"refused": f"{threads} threads, {self.threads} expected"}).encode())
            return
        self.started += 1
        try:
            pid = isolate.fork_into_new_pid_namespace() if self.closed_in else os.fork()
        except OSError as error:
            self.control.sendall(json.dumps({"refused": str(error)}).encode())
            return
        if pid == 0:
            self._child(job, out, go)
        handle = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
        message = json.dumps({"started": pid}).encode()
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [handle]))] if handle else []
        self.control.sendmsg([message], ancillary)
        if handle:
            os.close(handle)

    def _child(self, job: int, out: int, go: int) -> None:
        """Everything a child does; never returns."""
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            for standard in (0, 1, 2):
                os.dup2(null, standard)
            content = _read_all(job)
            if go == 3:
                go = os.dup(go)
            os.dup2(out, 3)
            os.dup2(go, 4)
            os.closerange(5, 4096)
            if self.closed_in:
                isolate.confine(self.limits, self.started)
            else:
                own = os.path.join(self.scratch, str(os.getpid()))
                os.mkdir(own)
                os.chdir(own)
                isolate.set_limits(self.limits)
            if os.read(4, 1):  # nothing runs, or forks, before the engine has put this process into its group
                os.close(4)
                _run(self.shell, self.put_back, content, 3, self.limits)
        except BaseException:
            # Told in words; the engine also sees that no `end` arrived.
            text = traceback.format_exc()[-4000:]
            os.write(3, channel.pack("broken", {"error": text}))
        finally:
            os._exit(0)


def _run(shell, put_back, content: bytes, out: int, limits: Limits) -> None:
    """Reseed what a fork copies, then run the job."""
    import random

    import numpy as np

    from unrolled.sandbox.runner import Runner

    random.seed()
    np.random.seed()
    frame, *files = channel.Reader(channel.NUMBERS_AND_TEXT).feed(content)
    for beside in files:
        _put_beside(beside)
    inputs: dict[str, dict[str, dict]] = {}
    for name, value in frame.arrays.items():
        exercise, case, key = name.split("/", 2)
        inputs.setdefault(exercise, {}).setdefault(case, {})[key] = value
    runner = Runner(shell, out, limits, put_back)
    runner.send("ready", {})
    runner.run(frame.data["steps"], inputs)


def _put_beside(frame: channel.Frame) -> None:
    """Write what was handed in beside the notebook into the working folder, from where it can be read and imported.

    First on the path, as where the notebook was written: a student's `random.py` counts there too.
    """
    for number, path in enumerate(frame.data["paths"]):
        folder, _, name = path.rpartition("/")
        if folder:
            os.makedirs(folder, exist_ok=True)
        descriptor = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        with open(descriptor, "wb") as file:
            file.write(frame.arrays[str(number)].tobytes())
    sys.path.insert(0, os.getcwd())


def _read_all(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    chunks = []
    while chunk := os.read(descriptor, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


def _thread_count() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:  # no /proc on this system
        import threading

        return threading.active_count()


def _receive(control: socket.socket) -> bytes:
    return control.recv(1 << 20)


def _receive_with_fds(control: socket.socket) -> tuple[bytes, list[int]]:
    message, ancillary, _, _ = control.recvmsg(1 << 16, socket.CMSG_SPACE(4 * 8))
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    return message, list(descriptors)


if __name__ == "__main__":
    main()
