"""A look at data sources through a worker kernel: what touches the network, or unpacks a foreign file.

Each look has a kernel of its own, which is ended after it: it has known a secret, or had a foreign file in
its hands. Spares are left to runs, for a look needs nothing of what they are warmed up with. The secret reaches
the kernel over its own signed channel, in a request that no history keeps and no other client hears of.
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

#: a kernel that has not answered by then is ended
LOOK_WITHIN_S = 30.0
#: the kernel's own limit is shorter, so that it says what took so long
SOURCE_WITHIN_S = 20.0
#: looks at once: of all, and of one person, so that nobody holds up the others
AT_ONCE, AT_ONCE_EACH = 4, 2


@dataclass(slots=True)
class _Look:
    """A look under way, shared by all who ask the same."""

    task: asyncio.Task[dict[str, Any]]
    waiting: int = 0


class SourceInspector:
    """Asks worker kernels what is in a source; a few at a time, and one for each source."""

    def __init__(
        self,
        pool: WorkerPool,
        within_s: float = LOOK_WITHIN_S,
        *,
        memory_limit: Callable[[], int] | None = None,
    ) -> None:
        self._pool = pool
        self._within_s = within_s
        self._memory_limit = memory_limit
        self._places = asyncio.Semaphore(AT_ONCE)
        self._people: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._under_way: dict[tuple[str, int], _Look] = {}

    async def look(
        self,
        spec: DataSpec,
        rows: int,
        *,
        source_id: str,
        person: str,
        fetch: Callable[[Path], Awaitable[None]] | None = None,
    ) -> dict[str, Any]:
        """The preview of a source, or `error` and `error_kind`.

        `fetch` copies an upload to a path, for the kernel to look at. Who asks the same of the same source
        meanwhile shares the answer.

        Raises
        ------
        Unavailable
            When no kernel can be asked, it has not answered in time, or the person has too many looks
            under way.
        """
        key = (source_id, rows)
        look = self._under_way.get(key)
        if look is None:
            work = self._look(spec, rows, person, fetch)
            look = _Look(asyncio.create_task(work, name=f"look-{source_id}"))
            self._under_way[key] = look
            look.task.add_done_callback(lambda done: self._forget(key, done))
        look.waiting += 1
        try:
            return dict(await asyncio.shield(look.task))
        finally:
            look.waiting -= 1
            if not look.waiting and not look.task.done():  # nobody wants it any more
                look.task.cancel()
                await asyncio.wait({look.task})

    def _forget(self, key: tuple[str, int], done: asyncio.Task[dict[str, Any]]) -> None:
        self._under_way.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever waits has it too

    async def _look(
        self,
        spec: DataSpec,
        rows: int,
        person: str,
        fetch: Callable[[Path], Awaitable[None]] | None,
    ) -> dict[str, Any]:
        async with self._place(person):
            try:
                worker = await self._pool.take("inspection")
            except KernelUnavailable as error:
                raise Unavailable(str(error), retry_after_s=10) from None
            try:
                async with asyncio.timeout(self._within_s):
                    return await self._ask_within_memory(worker, spec, rows, fetch)
            except TimeoutError:
                raise Unavailable(
                    f"The source was not read within {self._within_s:g} s. Try again later.",
                    retry_after_s=10,
                ) from None
            except (WorkerDied, WorkerRefused):
                # not a word of theirs: it could repeat what was asked
                raise Unavailable(
                    "The worker kernel ended while it looked at the source. Its table may be too "
                    "large for this machine's memory.",
                    retry_after_s=10,
                ) from None
            finally:
                await asyncio.shield(self._pool.end(worker))

    @contextlib.asynccontextmanager
    async def _place(self, person: str) -> AsyncIterator[None]:
        """A place for a look: of the person's own first, so that who waits for it holds up nobody."""
        own = self._people.get(person)
        if own is None:
            own = self._people[person] = asyncio.Semaphore(AT_ONCE_EACH)
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._within_s):
                    await stack.enter_async_context(own)
                    await stack.enter_async_context(self._places)
            except TimeoutError:
                raise Unavailable(
                    "Too many sources are being looked at. Try again when they have answered.",
                    retry_after_s=10,
                ) from None
            yield

    async def _ask_within_memory(
        self,
        worker: Worker,
        spec: DataSpec,
        rows: int,
        fetch: Callable[[Path], Awaitable[None]] | None,
    ) -> dict[str, Any]:
        asking = asyncio.create_task(self._ask(worker, spec, rows, fetch))
        waits: set[asyncio.Task[Any]] = {asking}
        if self._memory_limit is not None:
            limit = self._memory_limit()
            waits.add(asyncio.create_task(MemoryWatch(worker, limit).exceeded()))
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if asking in done:
                return asking.result()
            used = mebibytes(done.pop().result())
            return {
                "error": f"Looking at the source took {used} of memory, and a kernel may use "
                f"{mebibytes(limit)}. Leave out rows or columns, or raise worker_memory_bytes.",
                "error_kind": "user",
            }
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.wait(waits)

    async def _ask(
        self,
        worker: Worker,
        spec: DataSpec,
        rows: int,
        fetch: Callable[[Path], Awaitable[None]] | None,
    ) -> dict[str, Any]:
        limits = replace(spec.limits, timeout_s=min(spec.limits.timeout_s, SOURCE_WITHIN_S))
        spec = replace(spec, limits=limits)
        copy = worker.scratch / f"look-{secrets.token_hex(6)}"
        try:
            if fetch is not None:
                await fetch(copy)
                spec = replace(spec, options={**spec.options, "path": str(copy)})
            message = json.dumps({"data": asdict(spec), "rows": rows})
            seen: dict[str, Any] = json.loads(
                await worker.execute("", f"_pycaret_ops_agent.look_json({message!r})")
            )
            return seen
        finally:
            copy.unlink(missing_ok=True)
