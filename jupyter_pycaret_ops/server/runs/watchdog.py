"""A run's kernel under observation: is it heard of, within its time, within its memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..executors.kernel.memory import MemoryWatch, mebibytes
from ..executors.kernel.process import group_cpu_s
from ..executors.kernel.worker import Worker

#: a silent kernel that computes may be in one long call of a library that holds Python's lock
BUSY_LEASES = 10
#: seconds of processor time a second by which a kernel counts as computing: on a busy machine training,
#: which has the lowest priority, gets little; a stopped process gets none
BUSY_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a run's kernel must be ended."""

    kind: Literal["silent", "timeout", "memory"]
    message: str


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """What is asked of the kernel of one attempt."""

    #: seconds without a sign of life
    silence_s: float
    #: seconds that the attempt may take, grace included; None without a limit
    time_s: float | None = None
    #: the limit that the user has set, for the message
    time_limit_s: float | None = None
    memory_bytes: int | None = None


async def trouble_of(
    worker: Worker,
    limits: WatchLimits,
    *,
    elapsed_s: Callable[[], float],
    silent_s: Callable[[], float],
) -> Trouble:
    """Return what is wrong with a kernel, as soon as something is.

    `elapsed_s` and `silent_s` say how long the attempt has taken, and how long it was not heard of.
    """
    waits = [
        asyncio.create_task(_silence(worker, limits.silence_s, silent_s), name="watch-silence")
    ]
    if limits.time_s is not None:
        waits.append(asyncio.create_task(_overtime(limits, elapsed_s), name="watch-time"))
    if limits.memory_bytes is not None:
        watch = MemoryWatch(worker, limits.memory_bytes)
        waits.append(asyncio.create_task(_excess(watch), name="watch-memory"))
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for wait in waits:
            wait.cancel()


async def _silence(worker: Worker, silence_s: float, silent_s: Callable[[], float]) -> Trouble:
    pause_s = min(1.0, silence_s / 10)
    cpu_s: float | None = None
    while True:
        await asyncio.sleep(pause_s)
        silent = silent_s()
        if silent <= silence_s / 2:
            cpu_s = None
            continue
        if cpu_s is None:
            cpu_s = await asyncio.to_thread(
                group_cpu_s, worker.process_group, worker.pid_started_at
            )
            looked_at = silent
            continue  # and judge at the next look, when a pause of this process has been noticed too
        if silent <= silence_s:
            continue
        used_s = (
            await asyncio.to_thread(group_cpu_s, worker.process_group, worker.pid_started_at)
        ) - cpu_s
        is_busy = used_s > BUSY_SHARE * (silent - looked_at)
        if not is_busy or silent > BUSY_LEASES * silence_s:
            return Trouble(
                "silent",
                f"The kernel of this run was not heard of for {silent:.0f} s, and was ended.",
            )


async def _overtime(limits: WatchLimits, elapsed_s: Callable[[], float]) -> Trouble:
    assert limits.time_s is not None
    while (left := limits.time_s - elapsed_s()) > 0:  # noqa: ASYNC110 - time passes by a clock
        await asyncio.sleep(min(left + 0.01, 1.0))
    return Trouble(
        "timeout",
        f"The run did not end within its time limit of {limits.time_limit_s:g} s, and its kernel was "
        "ended. What had been scored is kept. Give it more time, or fewer or lighter models.",
    )


async def _excess(watch: MemoryWatch) -> Trouble:
    used = await watch.exceeded()
    return Trouble(
        "memory",
        f"The run used {mebibytes(used)} of memory, and a worker kernel may use "
        f"{mebibytes(watch.limit_bytes)}. Use fewer rows or columns, or lighter models, or raise "
        "worker_memory_bytes.",
    )
