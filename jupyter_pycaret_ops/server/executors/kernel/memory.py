"""How much memory kernels may use, and how much a kernel with all of its processes does use."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from pathlib import Path

import psutil

from . import process
from .worker import Worker

#: of what is free, for all runs together; the rest is for notebooks and for the server
FREE_SHARE = 0.75
#: a kernel with PyCaret imported needs half of it
LEAST_BYTES = 1 << 30
LOOK_EVERY_S = 0.25
#: the members of a process group are looked for less often: that reads the whole table of processes
MEMBERS_EVERY_S = 2.0
_CGROUP = Path("/sys/fs/cgroup")
_PSS = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)


def available_bytes() -> int:
    """Return the memory that is free on this machine, or in this container where that is less."""
    free = int(psutil.virtual_memory().available)
    for limit, used in (("memory.max", "memory.current"), _VERSION_1):
        with contextlib.suppress(OSError, ValueError):
            most = int((_CGROUP / limit).read_text(encoding="ascii"))
            free = min(free, most - int((_CGROUP / used).read_text(encoding="ascii")))
    return max(0, free)


#: the same files of the first version of control groups
_VERSION_1 = ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")


def default_limit(concurrent_runs: int) -> int:
    """Return how many bytes one worker kernel may use: three quarters of what is free, shared by the runs."""
    return max(LEAST_BYTES, int(available_bytes() * FREE_SHARE) // max(1, concurrent_runs))


def resident_bytes(pids: list[int]) -> int:
    """Return the resident memory of processes, in which what forks share counts more than once."""
    total = 0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            total += int(psutil.Process(pid).memory_info().rss)
    return total


def proportional_bytes(pids: list[int]) -> int:
    """Return the resident memory of processes, each shared page divided among those that share it.

    Where the system does not tell (it is Linux's `Pss`), the same as `resident_bytes`.
    """
    total = 0
    for pid in pids:
        try:
            match = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
            total += int(match[1]) * 1024 if match else resident_bytes([pid])
        except OSError:
            total += resident_bytes([pid])
    return total


class MemoryWatch:
    """Looks how much a kernel and its child processes use, cheaply while it is little."""

    def __init__(self, worker: Worker, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._worker = worker
        self._members = [worker.pid]
        self._looked_at = 0.0

    def used(self) -> int:
        """Return the bytes in use, exact where they are near or above the limit; blocks."""
        now = time.monotonic()
        if now - self._looked_at > MEMBERS_EVERY_S:
            self._looked_at = now
            self._members = process.group_members(
                self._worker.process_group, self._worker.pid_started_at
            )
        used = resident_bytes(self._members)
        return proportional_bytes(self._members) if used > self.limit_bytes else used

    async def exceeded(self) -> int:
        """Return how many bytes are in use, as soon as they are more than the limit."""
        while (used := await asyncio.to_thread(self.used)) <= self.limit_bytes:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(LOOK_EVERY_S)
        return used
