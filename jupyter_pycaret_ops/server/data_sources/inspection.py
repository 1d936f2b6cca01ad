"""Inspection of data sources in worker kernels, which connect to networks and parse untrusted files.

Each inspection has its own kernel, which is ended afterwards, as it has read a secret or an untrusted file.
Spare kernels are left to runs: an inspection needs nothing that they preload. The secret reaches the kernel
over its signed shell channel, in a request that is stored in no history and sent to no other client.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from ...common.errors import Unavailable
from ...common.protocol import DataSpec
from ..executors.kernel.memory import MemoryWatch
from ..executors.kernel.pool import KernelUnavailable, WorkerPool
from ..executors.kernel.worker import Worker, WorkerDied, WorkerRefused
from ..sizes import mebibytes
from ..threads import in_thread

#: seconds after which the kernel of an inspection is ended
INSPECTION_WITHIN_S = 30.0
#: seconds for reading in the kernel; shorter, so that the kernel reports what took so long
SOURCE_WITHIN_S = 20.0
#: seconds between two looks at how far a kernel is
PROGRESS_EVERY_S = 0.5
#: inspections at once: of all users, and of each
MAX_INSPECTIONS, MAX_INSPECTIONS_PER_USER = 4, 2


@dataclass(frozen=True, slots=True)
class _Request:
    """A function of the agent that reads a source, with its other arguments and time limits in seconds."""

    function: str
    arguments: dict[str, Any]
    within_s: float
    #: for reading in the kernel; None for the same
    source_within_s: float | None = None
    #: is told how far the kernel is
    on_progress: Callable[[dict[str, Any]], None] | None = None


@dataclass(slots=True)
class _Inspection:
    """An inspection in progress, shared by all callers who want the same."""

    task: asyncio.Task[dict[str, Any]]
    n_waiting: int = 0


class SourceInspector:
    """Inspects data sources in worker kernels, a few at once, and each source once."""

    def __init__(
        self,
        pool: WorkerPool,
        within_s: float = INSPECTION_WITHIN_S,
        *,
        memory_limit: Callable[[], int] | None = None,
    ) -> None:
        self._pool = pool
        self._within_s = within_s
        self._memory_limit = memory_limit
        self._slots = asyncio.Semaphore(MAX_INSPECTIONS)
        self._user_slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._running: dict[tuple[str, int], _Inspection] = {}

    async def inspect(
        self,
        spec: DataSpec,
        n_rows: int,
        *,
        source_id: str,
        user: str,
        fetch: Callable[[Path], Awaitable[None]] | None = None,
    ) -> dict[str, Any]:
        """Return the preview of a source with its first `n_rows` rows, or `error` and `error_kind`.

        `fetch` copies an upload to a path that the kernel reads. Callers who want the same while the inspection
        is in progress share its result.

        Raises
        ------
        Unavailable
            When no kernel can be started, it takes too long, or the user has too many inspections in
            progress.
        """
        key = (source_id, n_rows)
        inspection = self._running.get(key)
        if inspection is None:
            request = _Request("inspect_json", {"rows": n_rows}, self._within_s, SOURCE_WITHIN_S)
            work = self._in_kernel(spec, request, user, fetch)
            inspection = _Inspection(asyncio.create_task(work, name=f"inspect-{source_id}"))
            self._running[key] = inspection
            inspection.task.add_done_callback(lambda done: self._forget(key, done))
        inspection.n_waiting += 1
        try:
            return dict(await asyncio.shield(inspection.task))
        finally:
            inspection.n_waiting -= 1
            if (
                not inspection.n_waiting and not inspection.task.done()
            ):  # all callers were cancelled
                inspection.task.cancel()
                await asyncio.wait({inspection.task})

    async def profile(
        self,
        spec: DataSpec,
        within_s: float,
        *,
        user: str,
        types: dict[str, str] | None = None,
        target: str | None = None,
        n_rows: int | None = None,
        fetch: Callable[[Path], Awaitable[None]] | None = None,
        on_progress: Callable[[dict[str, Any]], None] | None = None,
    ) -> dict[str, Any]:
        """Return the profile of a source, made of all of its rows, or `error` and `error_kind`.

        `types` are those that a person has set, `target` the column that others are compared with, `n_rows` how many
        rows it has, None where nobody has counted. `on_progress` is told from time to time how far it is: `done` of
        `total`, None where that is not known, and `label`.

        Raises
        ------
        Unavailable
            As `inspect`; it may take `within_s` seconds.
        """
        arguments = {"types": types or {}, "target": target, "n_rows": n_rows}
        request = _Request("profile_json", arguments, within_s, on_progress=on_progress)
        return await self._in_kernel(spec, request, user, fetch)

    def _forget(self, key: tuple[str, int], done: asyncio.Task[dict[str, Any]]) -> None:
        self._running.pop(key, None)
        if not done.cancelled():
            done.exception()  # also raised in those who wait

    async def _in_kernel(
        self,
        spec: DataSpec,
        request: _Request,
        user: str,
        fetch: Callable[[Path], Awaitable[None]] | None,
    ) -> dict[str, Any]:
        async with self._slot(user):
            try:
                worker = await self._pool.take("inspection")
            except KernelUnavailable as error:
                raise Unavailable(str(error), retry_after_s=10) from None
            try:
                async with asyncio.timeout(request.within_s):
                    return await self._read_within_memory(worker, spec, request, fetch)
            except TimeoutError:
                raise Unavailable(
                    f"The source was not read within {request.within_s:g} s. Try again later.",
                    retry_after_s=10,
                ) from None
            except (WorkerDied, WorkerRefused):
                # their messages are left out: they could contain the request
                raise Unavailable(
                    "The worker kernel ended while it inspected the source. Its table may be too "
                    "large for the memory of this machine.",
                    retry_after_s=10,
                ) from None
            finally:
                await asyncio.shield(self._pool.end(worker))

    @contextlib.asynccontextmanager
    async def _slot(self, user: str) -> AsyncIterator[None]:
        """Wait for a slot of the user, then for one of all: who waits for their own slots blocks nobody else."""
        user_slots = self._user_slots.get(user)
        if user_slots is None:
            user_slots = self._user_slots[user] = asyncio.Semaphore(MAX_INSPECTIONS_PER_USER)
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._within_s):
                    await stack.enter_async_context(user_slots)
                    await stack.enter_async_context(self._slots)
            except TimeoutError:
                raise Unavailable(
                    "Too many sources are being inspected. Try again when they are done.",
                    retry_after_s=10,
                ) from None
            yield

    async def _read_within_memory(
        self,
        worker: Worker,
        spec: DataSpec,
        request: _Request,
        fetch: Callable[[Path], Awaitable[None]] | None,
    ) -> dict[str, Any]:
        reading = asyncio.create_task(self._read(worker, spec, request, fetch))
        waits: set[asyncio.Task[Any]] = {reading}
        if self._memory_limit is not None:
            limit = self._memory_limit()
            waits.add(asyncio.create_task(MemoryWatch(worker, limit).exceeded()))
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if reading in done:
                return reading.result()
            used = mebibytes(done.pop().result())
            return {
                "error": f"The inspection used {used} of memory; the limit of a worker kernel is "
                f"{mebibytes(limit)}. Leave out rows or columns, or raise worker_memory_bytes.",
                "error_kind": "user",
            }
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.wait(waits)

    async def _read(
        self,
        worker: Worker,
        spec: DataSpec,
        request: _Request,
        fetch: Callable[[Path], Awaitable[None]] | None,
    ) -> dict[str, Any]:
        source_within_s = request.source_within_s or request.within_s
        limits = replace(spec.limits, timeout_s=min(spec.limits.timeout_s, source_within_s))
        spec = replace(spec, limits=limits)
        copy = worker.scratch / f"inspect-{secrets.token_hex(6)}"
        progress = copy.with_suffix(".progress")
        arguments, watching = request.arguments, None
        if request.on_progress is not None:
            arguments = {**arguments, "progress": str(progress)}
            watching = asyncio.create_task(_watch(progress, request.on_progress))
        try:
            if fetch is not None:
                await fetch(copy)
                spec = replace(spec, options={**spec.options, "path": str(copy)})
            message = json.dumps({"data": asdict(spec), **arguments})
            result: dict[str, Any] = json.loads(
                await worker.execute("", f"_pycaret_ops_agent.{request.function}({message!r})")
            )
            return result
        finally:
            if watching is not None:
                watching.cancel()
            copy.unlink(missing_ok=True)
            progress.unlink(missing_ok=True)


async def _watch(path: Path, on_progress: Callable[[dict[str, Any]], None]) -> None:
    """Hand on what a kernel writes into a file of its own, which is small."""
    while True:
        await asyncio.sleep(PROGRESS_EVERY_S)
        with contextlib.suppress(OSError, ValueError, Unavailable):
            found = json.loads(await in_thread(path.read_text))
            if isinstance(found, dict):
                on_progress(found)
