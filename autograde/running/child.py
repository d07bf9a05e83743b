"""A forked child as the engine holds it, and what is handed over the control socket to have one."""

from __future__ import annotations

import array
import json
import os
import signal
import socket

from autograde import course


class SandboxError(course.UserError):
    """The warm process could not be started, or went away."""


class Child:
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


def memory_file(content: bytes) -> int:
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


def receive_handle(control: socket.socket) -> tuple[dict, int | None]:
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
