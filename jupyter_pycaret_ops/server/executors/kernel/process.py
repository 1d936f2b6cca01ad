"""Processes of the operating system: identity, process groups, waiting for the exit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable

import psutil

#: the process table has start times in hundredths of a second
START_TOLERANCE_S = 0.05
POLL_S = 0.25


def started_at(pid: int) -> float | None:
    """Return when the process started, in seconds since the epoch; None when it is gone or a zombie."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None


def is_same(pid: int, start: float) -> bool:
    """Return whether `pid` is still the process that started at `start`; process ids are reused."""
    found = started_at(pid)
    return found is not None and abs(found - start) < START_TOLERANCE_S


def group_members(group: int, since: float) -> list[int]:
    """Return the ids of the processes of a group that started at `since` or later."""
    found = []
    for process in psutil.process_iter(["pid", "create_time", "status"]):
        info = process.info
        if info["status"] == psutil.STATUS_ZOMBIE or info["create_time"] is None:
            continue
        with contextlib.suppress(OSError):
            if (
                os.getpgid(info["pid"]) == group
                and info["create_time"] >= since - START_TOLERANCE_S
            ):
                found.append(int(info["pid"]))
    return found


def group_cpu_s(group: int, since: float) -> float:
    """Return the processor time that the processes of a group have used, in seconds; blocks."""
    total = 0.0
    for pid in group_members(group, since):
        with contextlib.suppress(psutil.Error):
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system
    return total


def kill_group(group: int, since: float) -> int:
    """Kill the processes of a group that started at `since` or later; return how many there were.

    The id of a group may have been reused: processes that started earlier are not touched.
    """
    members = group_members(group, since)
    for pid in members:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    return len(members)


def _settle(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


async def wait_for_exit(pid: int, poll: Callable[[], Awaitable[int | None]]) -> None:
    """Return when the child process `pid` has ended; with a pidfd if possible, else by polling.

    `poll` reaps the child: it returns its exit code, or None while the child is alive.
    """
    loop = asyncio.get_running_loop()
    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):
        while await poll() is None:  # noqa: ASYNC110 - no event exists
            await asyncio.sleep(POLL_S)
        return
    ended: asyncio.Future[None] = loop.create_future()
    loop.add_reader(handle, _settle, ended)
    try:
        await ended
    finally:
        loop.remove_reader(handle)
        os.close(handle)
    await poll()
