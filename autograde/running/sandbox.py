"""The engine's side of the warm process: start it, hand it submissions, watch what it forks.

Nothing a child sends is believed further than the caps of `unrolled.sandbox.channel`; time, memory and the
end of a child are measured from outside.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

import numpy as np

from autograde import course
from autograde.records import CRASHED, TIMEOUT, Step
from autograde.running import cgroup
from autograde.running.child import Child, SandboxError, memory_file, receive_handle
from autograde.running.view import covered, environment, visible
from autograde.running.watch import Transcript, Watch
from unrolled.sandbox import channel, isolate
from unrolled.sandbox.isolate import Limits

START_SECONDS = 120
# What lessons import; the warm process has it ready.
MODULES = ("numpy", "keras", "tensorflow", "matplotlib.pyplot", "unrolled", "unrolled.plot", "unrolled.data")


class Sandbox:
    """One warm process and the children it forks. Safe to use from several threads at once.

    `protections` maps each protection's name to whether it is in force; `reason` says what the system
    refused. Use as a context manager, or call `close`.
    """

    def __init__(self, limits: Limits | None = None, *, isolated: bool = True):
        self.limits = limits or Limits()
        self.isolated = isolated and isolate.supported()
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._control: socket.socket | None = None
        self._groups = cgroup.Groups(self.limits.memory, self.limits.processes)
        self.greeting: dict = {}
        self.starts = 0
        self._closed = False
        self._turns = Turns()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()

    # The warm process --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the warm process if it is not running. Raises SandboxError if it does not come up."""
        with self._lock:
            self._closed = False
            try:
                self._start()
            except SandboxError:
                self._stop()
                self._groups.remove()
                raise

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._stop()
        if self._closed:  # from another thread, while this one waited for its turn
            raise SandboxError("grading was ended")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET if sys.platform == "linux"
                                         else socket.SOCK_STREAM)
        with theirs:
            # A program of its own, never a fork of this one: this process has threads, and secrets.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "unrolled.sandbox.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()], cwd="/", env=environment(), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        ours.settimeout(START_SECONDS)
        expose, cover = visible(), covered()
        ours.sendall(json.dumps({
            "isolate": self.isolated, "expose": expose, "cover": cover, "limits": asdict(self.limits),
            "modules": MODULES, "probes": course.own("probes"), "fallback_environment": environment(),
        }).encode())
        try:
            greeting = ours.recv(1 << 16)
        except OSError as error:
            greeting = b""
            self._process.kill()
            reason = str(error)
        else:
            reason = "it ended at once"
        if not greeting:
            text = self._process.communicate()[1].decode(errors="replace").strip()
            last = text.splitlines()[-1][-500:] if text else f"no message, exit status {self._process.returncode}"
            raise SandboxError(f"the warm process did not start ({reason}): {last}. See for yourself: "
                               f"{sys.executable} -c 'import unrolled.quiet'; if that fails too: make clean setup")
        self._control = ours
        self.greeting = json.loads(greeting)
        self.starts += 1

    def close(self) -> None:
        """End the warm process and everything it forked; what another thread runs in it ends as crashed."""
        with self._lock:
            self._closed = True
            self._stop()
            self._groups.remove()

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()  # its other end sees this and exits; process 1 takes its namespace along
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stderr.close()
            self._process = None

    @property
    def protections(self) -> dict[str, bool]:
        """Each protection and whether it is in force, as the warm process reported it."""
        closed_in = bool(self.greeting.get("isolated"))
        return {name: closed_in for name in isolate.PROTECTIONS} | {
            "memory limit by the kernel": self._groups.available, "limits": True}

    @property
    def reason(self) -> str:
        """Why namespaces are not in force; empty if they are."""
        if self.greeting.get("isolated"):
            return ""
        return self.greeting.get("reason") or "this system has no namespaces"

    # A submission ------------------------------------------------------------------------------------

    def run(self, steps: tuple[Step, ...], inputs: dict[str, np.ndarray],
            files: Mapping[str, bytes] | None = None) -> Transcript:
        """Run `steps` in a new child. `inputs` are the cases' arrays by ``"exercise/case/key"``, `files` what lies in
        its working folder, by path with forward slashes.

        A child that the clock ended while others were running too, and that may only have waited for its turn, is
        run once more with nothing beside it.
        """
        with self._turns.beside_others() as company:
            transcript = self._run(steps, inputs, files)
        if transcript.status == TIMEOUT and transcript.kept_waiting and company():
            with self._turns.alone():
                transcript = self._run(steps, inputs, files)
        return transcript

    def _run(self, steps: tuple[Step, ...], inputs: dict[str, np.ndarray], files: Mapping[str, bytes] | None
             ) -> Transcript:
        """In a new child; one lost with the warm process is run once more in a new warm process."""
        job = channel.pack("job", {"steps": [asdict(step) for step in steps]}, inputs)
        if files:
            contents = {str(number): np.frombuffer(content, np.uint8) for number, content in enumerate(files.values())}
            job += channel.pack("files", {"paths": list(files)}, contents)
        for _ in range(2):
            began = time.monotonic()
            with self._groups.slot() as group:
                try:
                    child, stream, control = self._fork(job, group)
                except SandboxError as error:
                    transcript = Transcript(note=str(error))
                    continue
                forked = time.monotonic()
                transcript = Watch(child, stream, group, self.limits).follow()
            transcript.parts = {"fork": forked - began, "run": time.monotonic() - forked} | transcript.parts
            if transcript.status != CRASHED or not self._is_gone(control):
                break
        return transcript

    def _is_gone(self, control: socket.socket) -> bool:
        """Whether the warm process at the other end of `control` has ended.

        Its socket tells: the kernel closes it before it ends the children, while the exit of the process that
        waits for it outside the namespace may come long after.
        """
        with self._lock:  # no reply is under way: what can be read here is the end
            return control is not self._control or bool(select.select([control], [], [], 0)[0])

    def _fork(self, job: bytes, group) -> tuple[Child, int, socket.socket]:
        descriptor = memory_file(job)
        readable, writable = os.pipe()
        waiting, go = os.pipe()
        try:
            with self._lock:
                for attempt in range(2):
                    try:
                        self._start()
                        self._control.sendmsg([b"run"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                                          array.array("i", [descriptor, writable, waiting]))])
                        reply, handle = receive_handle(self._control)
                        if "started" not in reply:
                            raise SandboxError(f"the warm process refused: {reply.get('refused', 'no reply')}")
                        break
                    except (OSError, SandboxError) as error:
                        self._stop()  # a new warm process, once
                        if attempt:
                            raise SandboxError(str(error)) from None
                control = self._control
            child = Child(handle, reply["started"])
            group.add(child.pid)
            os.write(go, b"g")  # limited from its first moment on: now it may run
            return child, readable, control
        except BaseException:
            os.close(readable)
            raise
        finally:
            for ours in (descriptor, writable, waiting, go):
                os.close(ours)


class Turns:
    """Lets many run beside each other, or one alone."""

    def __init__(self):
        self._changed = threading.Condition()
        self._running = 0
        self._alone = 0
        self._begun = 0

    @contextlib.contextmanager
    def beside_others(self) -> Iterator[Callable[[], bool]]:
        """Wait until nobody runs, or waits to run, alone. What it gives says whether somebody else ran meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            before, others = self._begun, self._running
            self._begun += 1
            self._running += 1
        try:
            yield lambda: others > 0 or self._begun > before + 1
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until everybody else is done; whoever comes meanwhile waits."""
        with self._changed:
            self._alone += 1
            self._changed.wait_for(lambda: not self._running)
            self._running = 1
        try:
            yield
        finally:
            with self._changed:
                self._running = 0
                self._alone -= 1
                self._changed.notify_all()


_shared: Sandbox | None = None
_shared_lock = threading.Lock()


@contextlib.contextmanager
def shared(limits: Limits | None = None):
    """This process's own sandbox, started at first use and kept for the next one."""
    global _shared
    with _shared_lock:
        if _shared is None:
            sandbox = Sandbox(limits)
            sandbox.start()
            atexit.register(close_shared)
            _shared = sandbox
    yield _shared


def start_early(limits: Limits | None = None) -> None:
    """Start this process's sandbox ahead of its first use. Should it fail, that first use fails too, and says why."""
    with contextlib.suppress(SandboxError), shared(limits):
        pass


def close_shared() -> None:
    """End this process's own sandbox, if it has one."""
    global _shared
    with _shared_lock:
        if _shared is not None:
            _shared.close()
            _shared = None
