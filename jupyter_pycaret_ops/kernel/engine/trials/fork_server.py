"""A process that waits with the engine imported, and forks itself into child processes.

An interpreter takes seconds to import the engine; a fork of one that has, next to nothing, and it
shares its memory. Whoever forks a process with threads risks that a lock held by another thread stays
held in the fork. So a template is made only by `engine.preload`, where a worker kernel does nothing
else; has to answer before it counts; and whatever it does not do in time, a fresh interpreter does.
Linux only. Never made of a person's own kernel, whose libraries are not ours to know.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import struct
import sys
import threading
from typing import NoReturn

#: seconds in which a template has to answer; it does so in milliseconds, or hangs
ANSWER_S = 5.0
_PID = struct.Struct("=i")
_lock = threading.Lock()
_template: Template | None = None


def start() -> None:
    """Have a template from now on, where the system can; the engine has to be imported already."""
    global _template
    if sys.platform != "linux":
        return
    with _lock, contextlib.suppress(OSError):
        if _template is None:
            _template = Template()


def stop() -> None:
    """Have none any more, and give back its memory."""
    global _template
    with _lock:
        if _template is not None:
            _template.close()
        _template = None


def is_there() -> bool:
    """Whether children are forked."""
    return _template is not None


def forked(descriptor: int) -> Forked | None:
    """A child that serves the line `descriptor` (see `child`); None where a fresh one has to be started."""
    global _template
    with _lock:
        if _template is None:
            return None
        try:
            return _template.fork(descriptor)
        except OSError:
            _template.close()
            _template = None
            return None


class Template:
    """The template as this process holds it; raises `OSError` when it cannot be made."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            _wait_as_template(theirs)
        theirs.close()
        self._line.settimeout(ANSWER_S)
        try:
            self._hear(1)
        except OSError:
            self.close()
            raise

    def fork(self, descriptor: int) -> Forked:
        """See `forked`; raises `OSError` when it does not answer, or the child is gone at once."""
        socket.send_fds(self._line, [b"f"], [descriptor])
        (pid,) = _PID.unpack(self._hear(_PID.size))
        return Forked(pid)

    def close(self) -> None:
        """End it; its children go on."""
        self._line.close()
        with contextlib.suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def _hear(self, size: int) -> bytes:
        said = self._line.recv(size, socket.MSG_WAITALL)
        if len(said) < size:
            raise ConnectionResetError("the template ended")
        return said


class Forked:
    """A child of the template. Held by a descriptor of the process, which no other can come to bear."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process = os.pidfd_open(pid)

    def kill(self) -> None:
        """End it, whatever it does; does nothing when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def wait(self) -> None:
        """Return when it has ended."""
        select.select([self._process], [], [])

    def __del__(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            os.close(self._process)


def _wait_as_template(line: socket.socket) -> NoReturn:
    try:
        _forget_parent(line.fileno())
        gc.freeze()  # a collection would write to all pages, and share none
        line.sendall(b"!")
        while True:
            asked, descriptors, _, _ = socket.recv_fds(line, 1, 1)
            if not asked or not descriptors:
                break
            pid = os.fork()
            if pid == 0:
                _serve_as_child(line, descriptors[0])
            os.close(descriptors[0])
            line.sendall(_PID.pack(pid))
    finally:
        os._exit(0)  # nothing of what the parent wanted done at its end is ours to do


def _forget_parent(kept: int) -> None:
    """Let go of the parent's sockets, output and signals: a kernel's ports have to be free when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt of the kernel goes to its group
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are waited for by nobody else
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
    # a kernel's own streams lead to sockets that are closed
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - for good
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def _serve_as_child(line: socket.socket, descriptor: int) -> NoReturn:
    try:
        line.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        from . import process_main

        process_main.main(descriptor)
    finally:
        os._exit(1)
