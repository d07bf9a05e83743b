"""Memory and process limits by the kernel, where a control group can be made; measured from outside otherwise.

``RLIMIT_AS`` is no help: TensorFlow reserves gigabytes of addresses that it never touches.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
from pathlib import Path

_numbers = itertools.count(1)


class Groups:
    """A pool of control groups, one a running submission, reused from one to the next.

    `available` says whether the kernel enforces the memory limit. Version 1 (a `memory` hierarchy) and
    version 2 (`memory` among the controllers delegated to us) are used where they are writable.
    """

    def __init__(self, memory: int, processes: int):
        self.memory = memory
        self.processes = processes
        self._free: queue.SimpleQueue = queue.SimpleQueue()
        self._made: list[Path] = []
        self._version, self._parent = _find_parent()
        self.available = False
        if self._parent is not None:
            _remove_stale(self._parent)
            with contextlib.suppress(OSError):
                self._free.put(self._make())
                self.available = True

    @contextlib.contextmanager
    def slot(self):
        """A group for one submission, as a context manager."""
        if not self.available:
            yield Unlimited()
            return
        try:
            path = self._free.get_nowait()
        except queue.Empty:
            path = self._make()
        group = Group(path, self._version)
        try:
            group.reset()
            yield group
        finally:
            self._free.put(path)

    def _make(self) -> Path:
        path = self._parent / f"{_prefix()}{os.getpid()}-{next(_numbers)}"
        path.mkdir()
        self._made.append(path)
        if self._version == 1:
            (path / "memory.limit_in_bytes").write_text(str(self.memory))
        else:
            (path / "memory.max").write_text(str(self.memory))
            (path / "memory.swap.max").write_text("0")
            if (path / "pids.max").exists():
                (path / "pids.max").write_text(str(self.processes))
        return path

    def remove(self) -> None:
        """Remove the groups; one that still holds a dying process is tried a few times."""
        import time

        for path in self._made:
            for _ in range(50):
                try:
                    path.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)
        self._made.clear()
        self._free = queue.SimpleQueue()


class Group:
    """One control group while it holds one submission. Sizes in bytes."""

    def __init__(self, path: Path, version: int):
        self.path = path
        self.version = version
        self._kills = 0

    def reset(self) -> None:
        if self.version == 1:
            with contextlib.suppress(OSError):  # refused while a process of the last submission is dying
                (self.path / "memory.max_usage_in_bytes").write_text("0")
        self._kills = self._oom_kills()

    def add(self, pid: int) -> None:
        if pid:
            with contextlib.suppress(ProcessLookupError):  # ended already
                (self.path / "cgroup.procs").write_text(str(pid))

    def memory(self, pid: int) -> int:
        return 0  # the kernel watches

    def peak(self) -> int:
        name = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        path = self.path / name
        return int(path.read_text()) if path.exists() else 0

    def out_of_memory(self) -> bool:
        return self._oom_kills() > self._kills

    def _oom_kills(self) -> int:
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        for line in (self.path / name).read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
        return 0


class Unlimited:
    """No control group: memory is measured over the process tree, and the engine ends what takes too much."""

    def __init__(self):
        self._peak = 0
        self._base: int | None = None

    def add(self, pid: int) -> None:
        # What the child shares with the warm process is there from the first moment and is not its own.
        self._base = _anonymous(pid) if pid else 0

    def memory(self, pid: int) -> int:
        used = sum(max(0, _anonymous(p) - (self._base or 0)) + _shared(p) for p in _tree(pid)) if pid else 0
        self._peak = max(self._peak, used)
        return used

    def peak(self) -> int:
        return self._peak

    def out_of_memory(self) -> bool:
        return False


def _find_parent() -> tuple[int, Path | None]:
    """Where a group can be made: the hierarchy's version and the folder, or None."""
    try:
        own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:
        return 0, None
    for _, controllers, path in own:
        for mount in mounts:
            if "memory" in controllers.split(",") and mount[2] == "cgroup" and "memory" in mount[3].split(","):
                found = _writable(Path(mount[1]), path)
                if found:
                    return 1, found
            if not controllers and mount[2] == "cgroup2":
                found = _writable(Path(mount[1]), path)
                if found and "memory" in (found / "cgroup.subtree_control").read_text().split():
                    return 2, found
    return 0, None


def _prefix() -> str:
    """How the groups of this pid namespace are called: only here do the process ids in their names mean anything."""
    return f"unrolled-{os.stat('/proc/self/ns/pid').st_ino}-"


def _remove_stale(parent: Path) -> None:
    """Remove the groups of engines that were killed and could not do it themselves."""
    prefix = _prefix()
    for path in parent.glob(f"{prefix}*"):
        engine = path.name.removeprefix(prefix).partition("-")[0]
        if not Path("/proc", engine).exists():
            with contextlib.suppress(OSError):  # another run that starts now removes it as well
                path.rmdir()


def _writable(mount: Path, path: str) -> Path | None:
    for candidate in (mount / path.lstrip("/"), mount):
        if candidate.is_dir() and os.access(candidate, os.W_OK):
            return candidate
    return None


def _tree(pid: int) -> list[int]:
    """A process and everything below it."""
    found, waiting = [], [pid]
    while waiting and len(found) < 10_000:
        current = waiting.pop()
        found.append(current)
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{current}/task"):
                children = Path(f"/proc/{current}/task/{task}/children").read_text().split()
                waiting += [int(child) for child in children]
    return found


def _status(pid: int, field: str) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    return 0


def _anonymous(pid: int) -> int:
    return _status(pid, "RssAnon:")


def _shared(pid: int) -> int:
    return _status(pid, "RssShmem:")
