"""A process with the engine imported that forks the scoring processes.

A new interpreter takes seconds to import the engine. A fork of a process that has imported it takes
milliseconds and shares its memory. Forking a process with threads is unsafe: a lock that another thread
holds stays locked in the fork. So the server is started only by `engine.preload`, when a worker kernel
runs nothing else; it counts only once it has replied; and when it fails to reply in time, a new
interpreter is started instead. Linux only. Never started in a user's own kernel, whose libraries are
unknown.
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

#: seconds in which the server has to reply; it takes milliseconds unless it hangs
REPLY_TIMEOUT_S = 5.0
_PID = struct.Struct("=i")
_lock = threading.Lock()
_server: ForkServer | None = None


def start() -> None:
    """Start the fork server if the system supports it; the engine has to be imported already."""
    global _server
    if sys.platform != "linux":
        return
    with _lock, contextlib.suppress(OSError):
        if _server is None:
            _server = ForkServer()


def stop() -> None:
    """Stop the fork server and free its memory; does nothing when there is none."""
    global _server
    with _lock:
        if _server is not None:
            _server.close()
        _server = None


def is_running() -> bool:
    """Return whether scoring processes are forked."""
    return _server is not None


def fork_process(descriptor: int) -> ForkedProcess | None:
    """Fork a process that serves the connection `descriptor` (see `process_main`).

    Return None where a new interpreter has to be started instead.
    """
    global _server
    with _lock:
        if _server is None:
            return None
        try:
            return _server.fork(descriptor)
        except OSError:
            _server.close()
            _server = None
            return None


class ForkServer:
    """The parent's handle of the fork server; raises `OSError` when it cannot be started."""

    def __init__(self) -> None:
        self._socket, server_end = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            _serve_forks(server_end)
        server_end.close()
        self._socket.settimeout(REPLY_TIMEOUT_S)
        try:
            self._receive(1)
        except OSError:
            self.close()
            raise

    def fork(self, descriptor: int) -> ForkedProcess:
        """Fork a process (see `fork_process`).

        Raises `OSError` when the server does not reply or the new process has ended already.
        """
        socket.send_fds(self._socket, [b"f"], [descriptor])
        (pid,) = _PID.unpack(self._receive(_PID.size))
        return ForkedProcess(pid)

    def close(self) -> None:
        """Kill the server; the processes that it forked go on."""
        self._socket.close()
        with contextlib.suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def _receive(self, size: int) -> bytes:
        content = self._socket.recv(size, socket.MSG_WAITALL)
        if len(content) < size:
            raise ConnectionResetError("the fork server ended")
        return content


class ForkedProcess:
    """A process forked by the server, identified by a pidfd: a pid could be reused by another process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._pidfd = os.pidfd_open(pid)

    def kill(self) -> None:
        """Kill the process; does nothing when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def wait(self) -> None:
        """Wait until the process has ended."""
        select.select([self._pidfd], [], [])

    def __del__(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            os.close(self._pidfd)


def _serve_forks(parent: socket.socket) -> NoReturn:
    try:
        _detach_from_parent(parent.fileno())
        gc.freeze()  # a collection would write to all pages, so that none is shared
        parent.sendall(b"!")
        while True:
            request, descriptors, _, _ = socket.recv_fds(parent, 1, 1)
            if not request or not descriptors:
                break
            pid = os.fork()
            if pid == 0:
                _run_scoring_process(parent, descriptors[0])
            os.close(descriptors[0])
            parent.sendall(_PID.pack(pid))
    finally:
        os._exit(0)  # the exit handlers of the parent must not run here


def _detach_from_parent(kept_descriptor: int) -> None:
    """Close the parent's sockets and output, reset its signals: a kernel's ports must be free when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt of the kernel goes to its group
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forked processes are reaped by the system
    devnull = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(devnull, standard)
    os.closerange(3, kept_descriptor)
    os.closerange(kept_descriptor + 1, os.sysconf("SC_OPEN_MAX"))
    # a kernel's own streams write to sockets that are closed now
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - never closed
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def _run_scoring_process(server: socket.socket, descriptor: int) -> NoReturn:
    try:
        server.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        from . import process_main

        process_main.main(descriptor)
    finally:
        os._exit(1)
