"""Close a process in: namespaces, a small read-only file system, limits, a system-call filter.

Why direct namespace calls and no ready-made tool: bubblewrap and nsjail start a *new* program inside, and it has to
import Keras there: ``bwrap --ro-bind / / --dev /dev --unshare-all python -c 'import unrolled.quiet, keras'`` took 4.5
to 9.4 s on two shared, busy cores, where a fork of the warm process that enters namespaces of its own is ready in
0.04 s (``fork`` and ``isolate`` among the parts of ``autograde grade --json``). The warm process has to enter the
namespaces itself, and a forked child has to enter further ones, so the calls are made from here.

Order matters. `enter` runs once, in a fresh single-threaded process, before Keras is imported: new
user (unless root), mount, pid, net, ipc and uts namespaces and a root file system that holds the
interpreter, the libraries, `unrolled/` and `data/`, all read-only, and nothing else. `confine` runs in every
forked child before student code: namespaces of its own, private scratch space, limits, no privileges.

Each returns the names of the protections that are truly in force; nothing is assumed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from dataclasses import dataclass

_libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP = 0x10000000, 0x20000000, 0x40000000, 0x02000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 4096, 16384, 1 << 18, 2
_PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP, _PR_SET_SECCOMP = 38, 24, 22

# The names a report uses, in the order a person wants to read them.
PROTECTIONS = ("user namespace or own uid", "file system", "network", "processes", "shared memory",
               "no new privileges", "system calls", "limits")
BUSY = 0.02  # of a core: one of forty on two cores has more than that
SCRATCH = "/student"  # a name no checkout is likely to live under


@dataclass(frozen=True)
class Plan:
    """What the closed-in process may see. All paths are absolute and exist.

    `expose` are visible, read-only; `cover` are emptied where an exposed folder would show them.
    """

    expose: tuple[str, ...]
    cover: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """Limits of one submission. Sizes in bytes, times in seconds.

    `cell_cpu` is processor time: a busy neighbour takes nothing of it. `cell_idle` is wall time during which a cell
    does not compute (less than `BUSY` of a core): it sleeps, or waits for ever. The totals are those of the whole
    submission; `total_wall` is far away, for who computes too little for the one limit and too much for the other.
    """

    cell_cpu: float = 10.0
    cell_idle: float = 30.0
    total_cpu: float = 120.0
    total_idle: float = 120.0
    total_wall: float = 600.0
    memory: int = 2 << 30
    scratch: int = 256 << 20
    processes: int = 128
    open_files: int = 256
    printed: int = 16 << 20


def supported() -> bool:
    """Whether this is a system on which namespaces can exist at all."""
    return sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")


def enter(plan: Plan) -> None:
    """Enter new namespaces and a new root. Call before any thread exists; the caller must fork afterwards
    for the pid namespace. Raises OSError, naming the step, where the system forbids one."""
    flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
    if os.geteuid() == 0:
        _call("unshare", _libc.unshare(flags))
        return
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare (user namespace)", _libc.unshare(CLONE_NEWUSER | flags))
    _map_ids(0, uid, 0, gid)


def build_root(plan: Plan) -> None:
    """Build the small root and move into it. Runs inside the new pid namespace, so that ``/proc`` is its own."""
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=64m")
    os.mkdir("/tmp/.old")
    _call("pivot_root", _libc.syscall(_nr("pivot_root"), b"/tmp", b"/tmp/.old"))
    os.chdir("/")
    for path in plan.expose:
        _bind(path)
    for path in plan.cover:
        if os.path.isdir(path):
            _mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m")
            # What must stay visible under a covered folder is bound again, on top.
            for again in plan.expose:
                if again.startswith(path + "/"):
                    _bind(again)
    for device in ("null", "zero", "random", "urandom"):
        _bind(f"/dev/{device}", devices=True)
    for folder in (SCRATCH, f"{SCRATCH}/tmp", "/tmp", "/proc", "/dev/shm"):
        os.makedirs(folder, exist_ok=True)
    _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    _call("umount", _libc.umount2(b"/.old", MNT_DETACH))
    os.rmdir("/.old")


def seal_root() -> None:
    """Make the root itself read-only, once the warm process has written its caches."""
    _mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def fork_into_new_pid_namespace() -> int:
    """`os.fork`, with the child as process 1 of a pid namespace of its own."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("unshare (pid)", _libc.unshare(CLONE_NEWPID))
        pid = os.fork()
        if pid:
            _call("setns", _libc.setns(own, CLONE_NEWPID))
        return pid
    finally:
        os.close(own)


def confine(limits: Limits, number: int) -> None:
    """Close in a forked child: from here on it has nothing to gain and little to spend."""
    _call("unshare", _libc.unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS))
    space = f"mode=700,size={limits.scratch},nr_inodes=20000"
    root = os.stat("/proc/self").st_uid == 0 and _really_root()
    uid = 200_000 + number % 50_000
    owner = f",uid={uid},gid={uid}" if root else ""
    _mount("tmpfs", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV, space + owner)
    os.mkdir(f"{SCRATCH}/tmp")
    os.mkdir(f"{SCRATCH}/shm")
    if root:
        os.chown(f"{SCRATCH}/tmp", uid, uid)
        os.chown(f"{SCRATCH}/shm", uid, uid)
    if not os.listdir("/tmp"):  # a checkout that lies below /tmp must stay visible; TMPDIR is set in any case
        _mount(f"{SCRATCH}/tmp", "/tmp", None, MS_BIND)
    _mount(f"{SCRATCH}/shm", "/dev/shm", None, MS_BIND)
    _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.chdir(SCRATCH)
    drop_privileges(uid if root else None)
    set_limits(limits)
    filter_system_calls()


def _really_root() -> bool:
    """Whether uid 0 here is uid 0 outside (no user namespace of ours in between)."""
    with open("/proc/self/uid_map") as file:
        return file.read().split() == ["0", "0", "4294967295"]


def drop_privileges(uid: int | None) -> None:
    """Give up every capability for good: with real root by taking an unused uid, else in a user namespace."""
    if uid is None:
        outer_uid, outer_gid = os.geteuid(), os.getegid()
        _call("unshare (user)", _libc.unshare(CLONE_NEWUSER))
        _map_ids(65534, outer_uid, 65534, outer_gid)
    for capability in range(64):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # those the kernel does not know are refused
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    header = struct.pack("II", 0x20080522, 0)
    _call("capset", _libc.syscall(_nr("capset"), header, bytes(24)))
    _call("no new privileges", _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def set_limits(limits: Limits) -> None:
    """Resource limits. Memory is limited from outside: TensorFlow reserves address space it never uses."""
    cpu = int(limits.total_cpu) + 5
    wanted = {
        resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_FSIZE: limits.scratch, resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_NPROC: limits.processes,
    }
    for what, value in wanted.items():
        _, hard = resource.getrlimit(what)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))


# System calls -------------------------------------------------------------------------------------------

# name: (x86_64, aarch64). What a lesson never needs and an attack on the kernel or a neighbour would start with.
_NUMBERS = {
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "open_by_handle_at": (304, 265), "kexec_load": (246, 104), "init_module": (175, 105),
    "finit_module": (313, 273), "mount_setattr": (442, 442), "fsopen": (430, 430), "fsmount": (432, 432),
    "open_tree": (428, 428), "move_mount": (429, 429), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    "syslog": (103, 116), "quotactl": (179, 60), "acct": (163, 89), "swapon": (167, 224), "reboot": (169, 142),
}
_CALLED_HERE = {"pivot_root": (155, 41), "capset": (126, 91), "mount_setattr": (442, 442), "clone": (56, 220),
                "clone3": (435, 435)}
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NAMESPACE_FLAGS = 0x7E020080  # every CLONE_NEW* flag, CLONE_NEWTIME included


def _nr(name: str) -> int:
    return _CALLED_HERE[name][platform.machine() == "aarch64"]


def filter_system_calls() -> None:
    """Install a seccomp filter: namespaces, mounts, tracing, kernel interfaces answer EPERM."""
    column = int(platform.machine() == "aarch64")
    deny, no_such, allow = 0x00050000 | 1, 0x00050000 | 38, 0x7FFF0000
    program = [
        (0x20, 0, 0, 4),  # A = architecture
        (0x15, 1, 0, _AUDIT[platform.machine()]),
        (0x06, 0, 0, 0x80000000),  # another one: kill
        (0x20, 0, 0, 0),  # A = number
    ]
    if column == 0:
        program += [(0x35, 0, 1, 0x40000000), (0x06, 0, 0, deny)]  # the x32 numbers reach the same calls
    for numbers in _NUMBERS.values():
        program += [(0x15, 0, 1, numbers[column]), (0x06, 0, 0, deny)]
    # clone3 hides its flags in memory: "no such call" makes the C library use clone, whose flags are seen.
    program += [(0x15, 0, 1, _CALLED_HERE["clone3"][column]), (0x06, 0, 0, no_such)]
    program += [(0x15, 0, 3, _CALLED_HERE["clone"][column]), (0x20, 0, 0, 16),
                (0x45, 0, 1, _NAMESPACE_FLAGS), (0x06, 0, 0, deny), (0x06, 0, 0, allow)]
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    buffer = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    description = Program(len(program), ctypes.cast(buffer, ctypes.c_void_p))
    _call("seccomp", _libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(description), 0, 0))


# Small things -------------------------------------------------------------------------------------------

def _call(what: str, result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    encode = lambda text: text.encode() if text is not None else None  # noqa: E731
    _call(f"mount {target}", _libc.mount(encode(source), encode(target), encode(kind), flags,
                                         encode(options) if options else None))


def _bind(path: str, devices: bool = False) -> None:
    """Show `path` of the old root at the same place, read-only with everything mounted below it."""
    old = f"/.old{path}"
    if os.path.islink(old):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.lexists(path):
            os.symlink(os.readlink(old), path)
        return
    if os.path.isdir(old):
        os.makedirs(path, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.exists(path):
            open(path, "w").close()
    _mount(old, path, None, MS_BIND | MS_REC)
    # mount_setattr with AT_RECURSIVE: RDONLY | NOSUID (| NODEV) on the whole tree; it only ever adds.
    flags = MS_NOSUID if devices else MS_RDONLY | MS_NOSUID | MS_NODEV
    attributes = struct.pack("QQQQ", flags, 0, 0, 0)
    _call(f"read-only {path}", _libc.syscall(_nr("mount_setattr"), -100, path.encode(), 0x8000, attributes, 32))


def _map_ids(uid: int, outer_uid: int, gid: int, outer_gid: int) -> None:
    with open("/proc/self/setgroups", "w") as file:
        file.write("deny")
    with open("/proc/self/uid_map", "w") as file:
        file.write(f"{uid} {outer_uid} 1")
    with open("/proc/self/gid_map", "w") as file:
        file.write(f"{gid} {outer_gid} 1")
