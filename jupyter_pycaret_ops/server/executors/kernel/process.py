"""Processes as the operating system knows them: is it still the same one, and end its whole group."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable

import psutil

#: clocks of the process table tick in hundredths of a second
START_TOLERANCE_S = 0.05
POLL_S = 0.25


def started_at(pid: int) -> float | None:
    """Seconds since the epoch at which the process started, or None where it is gone or a zombie."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None


def is_same(pid: int, start: float) -> bool:
    """Whether `pid` is still the process that started then: numbers come round again."""
    found = started_at(pid)
    return found is not None and abs(found - start) < START_TOLERANCE_S


def group_members(group: int, since: float) -> list[int]:
    """Processes of a process group that are not older than `since`."""
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
    """Return the seconds of processor time that the processes of a group have used; blocks."""
    total = 0.0
    for pid in group_members(group, since):
        with contextlib.suppress(psutil.Error):
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system
    return total


def kill_group(group: int, since: float) -> int:
    """End every process of a group that is not older than `since`; returns how many there were.

    A group whose number has come round again, with older or other processes in it, is left alone.
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
    """Return when the child process `pid` has ended; by a pidfd where there is one, else by polling.

    `poll` reaps the child: it returns its exit code, or None while it lives.
    """
    loop = asyncio.get_running_loop()
    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):
        while await poll() is None:  # noqa: ASYNC110 - there is nothing to be woken by
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
