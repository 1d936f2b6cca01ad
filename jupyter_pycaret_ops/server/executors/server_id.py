"""Who holds a lease or a kernel: one process of a server on one host."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from .kernel import process


@dataclass(frozen=True, slots=True)
class ServerId:
    """A server instance, as leases and workers name it: host, process and when it started."""

    host: str
    pid: int
    pid_started_at: float

    @classmethod
    def mine(cls) -> ServerId:
        """This process."""
        pid = os.getpid()
        return cls(socket.gethostname(), pid, process.started_at(pid) or 0.0)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.pid_started_at:.2f}"

    @classmethod
    def parse(cls, text: str) -> ServerId:
        """The inverse of `str`."""
        host, pid, start = text.rsplit(":", 2)
        return cls(host, int(pid), float(start))

    def is_dead(self, host: str) -> bool:
        """Whether the server is certainly gone; for other hosts that cannot be known."""
        return self.host == host and not process.is_same(self.pid, self.pid_started_at)
