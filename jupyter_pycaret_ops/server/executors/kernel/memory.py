"""Memory of worker kernels: the limit, and what a kernel uses with all of its processes."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from pathlib import Path

import psutil

from ...threads import in_thread
from . import process
from .worker import Worker

#: share of the free memory for all runs together; the rest is for notebooks and the server
FREE_SHARE = 0.75
#: no limit is lower: a kernel with PyCaret imported needs half of it
LEAST_BYTES = 1 << 30
SAMPLE_EVERY_S = 0.25
#: seconds; the processes of a group are listed less often, as that reads the whole process table
MEMBERS_EVERY_S = 2.0
_CGROUP = Path("/sys/fs/cgroup")
_PSS = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)


def available_bytes() -> int:
    """Return the bytes that are free on this machine, or in this container if that is less."""
    free = int(psutil.virtual_memory().available)
    for limit, used in (("memory.max", "memory.current"), _CGROUP_V1):
        with contextlib.suppress(OSError, ValueError):
            most = int((_CGROUP / limit).read_text(encoding="ascii"))
            free = min(free, most - int((_CGROUP / used).read_text(encoding="ascii")))
    return max(0, free)


#: the same files in version 1 of control groups
_CGROUP_V1 = ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")


def default_limit(concurrent_runs: int) -> int:
    """Return the bytes that one worker kernel may use: three quarters of the free memory, divided by the runs."""
    return max(LEAST_BYTES, int(available_bytes() * FREE_SHARE) // max(1, concurrent_runs))


def resident_bytes(pids: list[int]) -> int:
    """Return the resident memory of processes in bytes; memory that forks share counts several times."""
    total = 0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            total += int(psutil.Process(pid).memory_info().rss)
    return total


def proportional_bytes(pids: list[int]) -> int:
    """Return the memory of processes in bytes, each shared page divided by the processes that share it.

    This is `Pss` of Linux; on other systems the same as `resident_bytes`.
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
    """Measure the memory of a kernel and its child processes; exactly only near the limit, which is slow."""

    def __init__(self, worker: Worker, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._worker = worker
        self._members = [worker.pid]
        self._listed_at = 0.0

    def used(self) -> int:
        """Return the bytes in use, exact when they may be above the limit; blocks."""
        now = time.monotonic()
        if now - self._listed_at > MEMBERS_EVERY_S:
            self._listed_at = now
            self._members = process.group_members(
                self._worker.process_group, self._worker.pid_started_at
            )
        used = resident_bytes(self._members)
        return proportional_bytes(self._members) if used > self.limit_bytes else used

    async def exceeded(self) -> int:
        """Return the bytes in use as soon as they exceed the limit."""
        while (used := await in_thread(self.used)) <= self.limit_bytes:  # noqa: ASYNC110 - no event exists
            await asyncio.sleep(SAMPLE_EVERY_S)
        return used
