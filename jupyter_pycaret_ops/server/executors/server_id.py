"""The identity of a server process, which leases and worker kernels refer to."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from .kernel import process


@dataclass(frozen=True, slots=True)
class ServerId:
    """One server process: host, process id and the time at which it started, in seconds since the epoch."""

    host: str
    pid: int
    pid_started_at: float

    @classmethod
    def current(cls) -> ServerId:
        """Return the id of this process."""
        pid = os.getpid()
        return cls(socket.gethostname(), pid, process.started_at(pid) or 0.0)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.pid_started_at:.2f}"

    @classmethod
    def parse(cls, text: str) -> ServerId:
        """Parse what `str` returns."""
        host, pid, start = text.rsplit(":", 2)
        return cls(host, int(pid), float(start))

    def is_dead(self, host: str) -> bool:
        """Return whether the server is certainly gone; False for other hosts, which cannot be checked."""
        return self.host == host and not process.is_same(self.pid, self.pid_started_at)
