"""Limits by the kernel on memory, processes and share of the machine, where a control group can be made.

Elsewhere memory and processor time are measured from outside, over the process tree.

``RLIMIT_AS`` is no help: TensorFlow reserves gigabytes of addresses that it never touches.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
from pathlib import Path

PERIOD = 100_000  # microseconds, of which a submission may compute as many: one core
_numbers = itertools.count(1)


class Groups:
    """A pool of control groups, one a running submission, reused from one to the next.

    `available` says whether the kernel enforces the memory limit, `shares` whether it gives each submission one core
    at most, and as much as every other. Version 1 (a hierarchy each for `memory`, `cpu` and `cpuacct`) and version 2
    (controllers delegated to us) are used where they are writable.
    """

    def __init__(self, memory: int, processes: int):
        self.memory = memory
        self.processes = processes
        self._free: queue.SimpleQueue = queue.SimpleQueue()
        self._made: list[dict[str, Path]] = []
        self._version, self._parents = _find_parents()
        self.available = self.shares = False
        for parent in set(self._parents.values()):
            _remove_stale(parent)
        if "memory" in self._parents:
            with contextlib.suppress(OSError):
                self._free.put(self._make())
                self.available = True
                self.shares = "cpu" in self._parents

    @contextlib.contextmanager
    def slot(self):
        """A group for one submission, as a context manager."""
        if not self.available:
            yield Unlimited()
            return
        try:
            paths = self._free.get_nowait()
        except queue.Empty:
            paths = self._make()
        group = Group(paths, self._version)
        try:
            group.reset()
            yield group
        finally:
            self._free.put(paths)

    def _make(self) -> dict[str, Path]:
        name = f"{_prefix()}{os.getpid()}-{next(_numbers)}"
        paths = {controller: parent / name for controller, parent in self._parents.items()}
        self._made.append(paths)
        for path in set(paths.values()):
            path.mkdir()
        if self._version == 1:
            (paths["memory"] / "memory.limit_in_bytes").write_text(str(self.memory))
            if "cpu" in paths:
                (paths["cpu"] / "cpu.cfs_period_us").write_text(str(PERIOD))
                (paths["cpu"] / "cpu.cfs_quota_us").write_text(str(PERIOD))
        else:
            (paths["memory"] / "memory.max").write_text(str(self.memory))
            (paths["memory"] / "memory.swap.max").write_text("0")
            if "cpu" in paths:
                (paths["cpu"] / "cpu.max").write_text(f"{PERIOD} {PERIOD}")
            if (paths["memory"] / "pids.max").exists():
                (paths["memory"] / "pids.max").write_text(str(self.processes))
        return paths

    def remove(self) -> None:
        """Remove the groups; one that still holds a dying process is tried a few times."""
        import time

        for path in {path for paths in self._made for path in paths.values()}:
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
    """One control group while it holds one submission. Sizes in bytes, times in seconds."""

    def __init__(self, paths: dict[str, Path], version: int):
        self.paths = paths
        self.version = version
        self.shares = "cpu" in paths
        self._kills = 0
        self._used = 0.0

    def reset(self) -> None:
        if self.version == 1:
            with contextlib.suppress(OSError):  # refused while a process of the last submission is dying
                (self.paths["memory"] / "memory.max_usage_in_bytes").write_text("0")
        self._kills = self._oom_kills()
        self._used = self._processor_time()

    def add(self, pid: int) -> None:
        if pid:
            for path in set(self.paths.values()):
                with contextlib.suppress(ProcessLookupError):  # ended already
                    (path / "cgroup.procs").write_text(str(pid))

    def memory(self, pid: int) -> int:
        return 0  # the kernel watches

    def seconds(self, pid: int) -> float:
        """Processor time of the submission so far, of all its processes."""
        return (self._processor_time() if "cpuacct" in self.paths else _processor_time(pid)) - self._used

    def _processor_time(self) -> float:
        if "cpuacct" not in self.paths:
            return 0.0
        if self.version == 1:
            return int((self.paths["cpuacct"] / "cpuacct.usage").read_text()) / 1e9
        first = (self.paths["cpuacct"] / "cpu.stat").read_text().split()
        return int(first[first.index("usage_usec") + 1]) / 1e6

    def peak(self) -> int:
        name = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        path = self.paths["memory"] / name
        return int(path.read_text()) if path.exists() else 0

    def out_of_memory(self) -> bool:
        return self._oom_kills() > self._kills

    def _oom_kills(self) -> int:
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        for line in (self.paths["memory"] / name).read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
        return 0


class Unlimited:
    """No control group: memory and processor time are measured over the process tree; the engine ends what takes too
    much. Nothing then holds a submission to its share of the machine."""

    shares = False

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

    def seconds(self, pid: int) -> float:
        return _processor_time(pid) if pid else 0.0

    def peak(self) -> int:
        return self._peak

    def out_of_memory(self) -> bool:
        return False


def _find_parents() -> tuple[int, dict[str, Path]]:
    """Where a group can be made: the hierarchies' version, and the folder for each controller; empty if nowhere."""
    try:
        own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:
        return 0, {}
    first: dict[str, Path] = {}
    for _, controllers, path in own:
        for mount in mounts:
            for name in {"memory", "cpu", "cpuacct"} & set(controllers.split(",")):
                if mount[2] == "cgroup" and name in mount[3].split(",") and (found := _writable(Path(mount[1]), path)):
                    first[name] = found
            if not controllers and mount[2] == "cgroup2" and (found := _writable(Path(mount[1]), path)):
                enabled = (found / "cgroup.subtree_control").read_text().split()
                if "memory" in enabled:
                    # A group counts its processor time whether or not the controller is there.
                    return 2, {name: found for name in ("memory", "cpu", "cpuacct") if name in (*enabled, "cpuacct")}
    return (1, first) if "memory" in first else (0, {})


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


def _processor_time(pid: int) -> float:
    """Seconds that a process and everything below it have taken, those that ended and were waited for included."""
    ticks = 0
    for one in _tree(pid):
        with contextlib.suppress(OSError):
            ticks += sum(map(int, Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


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
