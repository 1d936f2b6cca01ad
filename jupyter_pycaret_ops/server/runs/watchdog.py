"""The watchdog of a run's kernel: does it report, within its time limit, within its memory limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..executors.interface import Execution
from ..sizes import mebibytes

#: leases; a silent kernel that computes may be in one long call of a library that holds the GIL
BUSY_LEASES = 10
#: a kernel computes if it uses so much of one processor; training has the lowest priority, so it gets
#: little on a busy machine, and a stopped process gets none
BUSY_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Violation:
    """The reason why a run's kernel must be ended."""

    kind: Literal["silent", "timeout", "memory"]
    message: str


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """The limits of one attempt."""

    #: seconds without a report
    silence_s: float
    #: seconds that the attempt may take, grace included; None without a limit
    time_s: float | None = None
    #: the limit that the user has set, for the message
    time_limit_s: float | None = None
    memory_bytes: int | None = None


async def first_violation(
    execution: Execution,
    limits: WatchLimits,
    *,
    elapsed_s: Callable[[], float],
    silent_s: Callable[[], float],
) -> Violation:
    """Return the first violation of a limit, as soon as there is one.

    `elapsed_s` and `silent_s` return the seconds since the attempt started and since its last report.
    """
    waits = [
        asyncio.create_task(_silence(execution, limits.silence_s, silent_s), name="watch-silence")
    ]
    if limits.time_s is not None:
        waits.append(asyncio.create_task(_overtime(limits, elapsed_s), name="watch-time"))
    if limits.memory_bytes is not None:
        watching = _excess(execution, limits.memory_bytes)
        waits.append(asyncio.create_task(watching, name="watch-memory"))
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for wait in waits:
            wait.cancel()


async def _silence(
    execution: Execution, silence_s: float, silent_s: Callable[[], float]
) -> Violation:
    pause_s = min(1.0, silence_s / 10)
    cpu_s: float | None = None
    while True:
        await asyncio.sleep(pause_s)
        silent = silent_s()
        if silent <= silence_s / 2:
            cpu_s = None
            continue
        if cpu_s is None:
            cpu_s = await execution.cpu_s()
            measured_at = silent
            continue  # decide at the next check, when a pause of this process has been detected
        if silent <= silence_s:
            continue
        used_s = await execution.cpu_s() - cpu_s
        is_busy = used_s > BUSY_SHARE * (silent - measured_at)
        if not is_busy or silent > BUSY_LEASES * silence_s:
            return Violation(
                "silent",
                f"The kernel of this run did not report for {silent:.0f} s, so it was ended.",
            )


async def _overtime(limits: WatchLimits, elapsed_s: Callable[[], float]) -> Violation:
    assert limits.time_s is not None
    while (left := limits.time_s - elapsed_s()) > 0:  # noqa: ASYNC110 - time passes by a clock
        await asyncio.sleep(min(left + 0.01, 1.0))
    return Violation(
        "timeout",
        f"The run did not end within its time limit of {limits.time_limit_s:g} s, so its kernel was ended. "
        "Scores so far are kept. Raise the time limit, or use fewer or faster models.",
    )


async def _excess(execution: Execution, limit_bytes: int) -> Violation:
    used = await execution.memory_exceeded(limit_bytes)
    return Violation(
        "memory",
        f"The run used {mebibytes(used)} of memory; the limit of a worker kernel is "
        f"{mebibytes(limit_bytes)}. Use fewer rows or columns, or smaller models, or raise "
        "worker_memory_bytes.",
    )
