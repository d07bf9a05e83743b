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
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from autograde import course
from autograde.records import CRASHED, FLOODED, GRADED, OUT_OF_MEMORY, TAMPERED, TIMEOUT, CellOutput, Step
from autograde.running import cgroup
from unrolled.probes import Outcome
from unrolled.sandbox import channel, isolate
from unrolled.sandbox.isolate import Limits

START_SECONDS = 120
STOPPED = "stopped: it ran longer than a cell may"
# What lessons import; the warm process has it ready.
MODULES = ("numpy", "keras", "tensorflow", "matplotlib.pyplot", "unrolled", "unrolled.plot", "unrolled.data")


class SandboxError(course.UserError):
    """The warm process could not be started, or went away."""


@dataclass
class Transcript:
    """What one run left: answers by exercise, cell outputs, how it ended and where the time went (seconds)."""

    answers: dict[str, Outcome] = field(default_factory=dict)
    outputs: dict[int, CellOutput] = field(default_factory=dict)
    status: str = CRASHED
    note: str = ""
    parts: dict[str, float] = field(default_factory=dict)
    peak_memory: int = 0


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
                pass_fds=[theirs.fileno()], cwd="/", env=_environment(), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        ours.settimeout(START_SECONDS)
        expose, cover = _visible(), _covered()
        ours.sendall(json.dumps({
            "isolate": self.isolated, "expose": expose, "cover": cover, "limits": asdict(self.limits),
            "modules": MODULES, "fallback_environment": _environment(),
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

        A child lost with the warm process is run once more in a new one.
        """
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
                transcript = _Watch(child, stream, group, self.limits).follow()
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

    def _fork(self, job: bytes, group) -> tuple[_Child, int, socket.socket]:
        descriptor = _memory_file(job)
        readable, writable = os.pipe()
        waiting, go = os.pipe()
        try:
            with self._lock:
                for attempt in range(2):
                    try:
                        self._start()
                        self._control.sendmsg([b"run"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                                          array.array("i", [descriptor, writable, waiting]))])
                        reply, handle = _receive_handle(self._control)
                        if "started" not in reply:
                            raise SandboxError(f"the warm process refused: {reply.get('refused', 'no reply')}")
                        break
                    except (OSError, SandboxError) as error:
                        self._stop()  # a new warm process, once
                        if attempt:
                            raise SandboxError(str(error)) from None
                control = self._control
            child = _Child(handle, reply["started"])
            group.add(child.pid)
            os.write(go, b"g")  # limited from its first moment on: now it may run
            return child, readable, control
        except BaseException:
            os.close(readable)
            raise
        finally:
            for ours in (descriptor, writable, waiting, go):
                os.close(ours)


class _Child:
    """A forked child, held by a descriptor that cannot come to mean another process."""

    def __init__(self, handle: int | None, pid: int):
        self.handle = handle
        self.pid = _pid_of(handle) if handle is not None else pid

    def kill(self) -> None:
        """End the child; as process 1 of its namespace it takes everything it started along."""
        try:
            if self.handle is not None:
                signal.pidfd_send_signal(self.handle, signal.SIGKILL)
            else:
                os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it is gone already

    def close(self) -> None:
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None


class _Watch:
    """Follows one child: reads its frames, measures time and memory, ends it."""

    POLL = 0.05

    def __init__(self, child: _Child, stream: int, group, limits: Limits):
        self.child = child
        self.stream = stream
        self.group = group
        self.limits = limits
        self.transcript = Transcript()
        self.reader = channel.Reader()
        self.started = self.cell_started = time.monotonic()
        self.cell = -1
        self.out_of_time = False
        self.ended: str | None = None
        self.marks: dict[str, float] = {}

    def follow(self) -> Transcript:
        """Until the child ends or is ended. The child is always killed, also after an orderly end."""
        try:
            while self.ended is None:
                readable, _, _ = select.select([self.stream], [], [], self.POLL)
                if readable:
                    self._read()
                else:
                    self._measure()
                self._check_time()
        finally:
            self.child.kill()
            self.child.close()
            os.close(self.stream)
        self._settle()
        return self.transcript

    def _read(self) -> None:
        chunk = os.read(self.stream, 1 << 20)
        if not chunk:
            self.ended = CRASHED
            return
        try:
            for frame in self.reader.feed(chunk):
                self._take(frame)
        except channel.ChannelError as error:
            self.ended = TAMPERED
            self.transcript.note = f"the submission wrote to the grader's channel: {error}"

    def _take(self, frame: channel.Frame) -> None:
        data, now = frame.data, time.monotonic()
        if frame.kind == "cell":
            self.cell, self.cell_started = _integer(data.get("cell")), now
            self._mark(str(data.get("kind")), now)
        elif frame.kind == "answer":
            self._answer(data, frame.arrays)
        elif frame.kind == "done":
            self.out_of_time |= data.get("out_of_time") is True
            error = STOPPED if data.get("out_of_time") is True else _text(data, "error")
            self.transcript.outputs[_integer(data.get("cell"))] = CellOutput(_text(data, "text"), error)
        elif frame.kind == "end":
            self.ended = GRADED
        elif frame.kind == "flooded":
            self.ended = FLOODED
        elif frame.kind == "broken":
            self.ended = CRASHED
            self.transcript.note = _text(data, "error").strip().rpartition("\n")[2]
        elif frame.kind == "ready":
            self._mark("ready", now)
        else:
            raise channel.ChannelError("a frame of an unknown kind")

    def _answer(self, data: dict, arrays: dict) -> None:
        exercise = data.get("exercise")
        if not isinstance(exercise, str):
            raise channel.ChannelError("an answer without its names")
        errors = {case: (kind[:100], message, where[:200])
                  for case, (kind, message, where) in _words(data, "errors", 3).items()}
        self.transcript.answers[exercise[:100]] = Outcome(arrays, errors, _words(data, "changed"))

    def _mark(self, kind: str, now: float) -> None:
        last = self.marks.setdefault("_last", self.started)
        before = self.marks.get("_kind", "isolate")
        if before in ("isolate", "code", "helper", "solution", "check", "ready"):
            key = {"ready": "setup", "helper": "code"}.get(str(before), str(before))
            self.marks[key] = self.marks.get(key, 0.0) + now - last
        self.marks["_last"], self.marks["_kind"] = now, kind if isinstance(kind, str) else "code"

    def _measure(self) -> None:
        used = self.group.memory(self.child.pid)
        self.transcript.peak_memory = max(self.transcript.peak_memory, used)
        if used > self.limits.memory:
            self.ended = OUT_OF_MEMORY

    def _check_time(self) -> None:
        now = time.monotonic()
        # The child's own alarm comes first and lets later cells run; this one is for code that ignores it.
        if self.ended is None and (now - self.cell_started > self.limits.cell_wall + 5
                                   or now - self.started > self.limits.total_wall):
            self.ended = TIMEOUT
            if self.cell >= 0:
                self.transcript.outputs[self.cell] = CellOutput("", STOPPED)

    def _settle(self) -> None:
        self._mark("end", time.monotonic())
        self.transcript.peak_memory = max(self.transcript.peak_memory, self.group.peak())
        if self.ended == CRASHED and self.group.out_of_memory():
            self.ended = OUT_OF_MEMORY
        if self.ended == GRADED and self.out_of_time:
            self.ended = TIMEOUT
        self.transcript.status = self.ended
        self.transcript.parts = {k: v for k, v in self.marks.items() if not k.startswith("_")}


def _integer(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 100_000:
        raise channel.ChannelError("a frame without its number")
    return value


def _words(data: dict, key: str, count: int | None = None) -> dict[str, tuple[str, ...]]:
    """A few short texts for each case; `count` of them, or any number."""
    found = data.get(key)
    if not isinstance(found, dict):
        raise channel.ChannelError("an answer without its names")
    kept = {}
    for case, texts in list(found.items())[:100]:
        if not (isinstance(texts, list) and all(isinstance(e, str) for e in texts) and count in (None, len(texts))):
            raise channel.ChannelError("an answer without its names")
        kept[case[:100]] = tuple(e[:2000] for e in texts[:100])
    return kept


def _text(data: dict, key: str) -> str:
    value = data.get(key, "")
    return value[:80_000] if isinstance(value, str) else ""


def _memory_file(content: bytes) -> int:
    """A file in memory that holds `content`: no pipe that could fill up, nothing on disk."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("job", os.MFD_CLOEXEC)
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view):]
    return descriptor


def _receive_handle(control: socket.socket) -> tuple[dict, int | None]:
    message, ancillary, _, _ = control.recvmsg(1 << 16, socket.CMSG_SPACE(4))
    handles = array.array("i")
    for _, _, data in ancillary:
        handles.frombytes(data)
    if not message:
        raise SandboxError("the warm process went away")
    return json.loads(message), handles[0] if handles else None


def _pid_of(handle: int) -> int:
    """The process id, as this process sees it, of the process a pidfd stands for (0 if it is gone)."""
    with open(f"/proc/self/fdinfo/{handle}") as file:
        for line in file:
            if line.startswith("Pid:"):
                return max(0, int(line.split()[1]))
    return 0


def _environment() -> dict[str, str]:
    """What a Python program needs to start, and nothing of what this environment may hold besides."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return kept | {"HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1",
                   "OPENBLAS_NUM_THREADS": "1"}


def _visible() -> list[str]:
    """The folders and files a child may see, read-only."""
    import unrolled
    from unrolled.data import DATA

    system = ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/localtime"]
    python = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix,
              sysconfig.get_paths()["stdlib"], os.path.dirname(os.path.realpath(sys.executable))]
    own = [str(Path(unrolled.__file__).parent), str(DATA)]
    inside_usr = [p for p in python if not p.startswith(("/usr/", "/usr")) or p == "/usr"]
    return [p for p in dict.fromkeys([*system, *inside_usr, *own]) if os.path.lexists(p) and p != "/"]


def _covered() -> list[str]:
    """Folders that must not show, should an exposed one contain them."""
    from unrolled import data

    package = Path(__file__).parent.parent
    covered = {package, course.SOLUTIONS, course.NOTEBOOKS, course.ROOT / "submitted", course.ROOT / "autograded",
               course.ROOT / "feedback", course.ROOT / "samples", course.ROOT / "tests", course.ROOT / ".unrolled",
               course.ROOT / ".git", course.BUILD, course.WORK}
    exposed = _visible()
    return sorted(str(p) for p in covered if p != data.DATA and any(str(p).startswith(e + "/") for e in exposed))


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
