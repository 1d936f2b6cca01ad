"""A look at data sources through a worker kernel: what touches the network, or unpacks a foreign file.

Each look has a kernel of its own, which is ended after it: it has known a secret, or had a foreign file in
its hands. Spares are left to runs, for a look needs nothing of what they are warmed up with. The secret reaches
the kernel over its own signed channel, in a request that no history keeps and no other client hears of.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import Unavailable
from ..protocol import DataSpec
from .pool import KernelUnavailable, WorkerPool
from .worker import Worker, WorkerDied, WorkerRefused

#: a kernel that has not answered by then is ended
LOOK_WITHIN_S = 30.0
#: the kernel's own limit is shorter, so that it says what took so long
SOURCE_WITHIN_S = 20.0
AT_ONCE = 2


class SourceLooker:
    """Asks worker kernels what is in a source; a few at a time."""

    def __init__(self, pool: WorkerPool, within_s: float = LOOK_WITHIN_S) -> None:
        self._pool = pool
        self._within_s = within_s
        self._places = asyncio.Semaphore(AT_ONCE)

    async def look(
        self,
        spec: DataSpec,
        rows: int,
        *,
        file: Callable[[], BinaryIO] | None = None,
    ) -> dict[str, Any]:
        """The preview of a source, or `error` and `error_kind`.

        `file` opens an upload, which the kernel is given a copy of.

        Raises
        ------
        Unavailable
            When no kernel can be asked, or it has not answered in time.
        """
        async with self._places:
            try:
                worker = await self._pool.take("look")
            except KernelUnavailable as error:
                raise Unavailable(str(error), retry_after_s=10) from None
            try:
                async with asyncio.timeout(self._within_s):
                    return await self._ask(worker, spec, rows, file)
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

    async def _ask(
        self,
        worker: Worker,
        spec: DataSpec,
        rows: int,
        file: Callable[[], BinaryIO] | None,
    ) -> dict[str, Any]:
        limits = replace(spec.limits, timeout_s=min(spec.limits.timeout_s, SOURCE_WITHIN_S))
        spec = replace(spec, limits=limits)
        copy = worker.scratch / f"look-{secrets.token_hex(6)}"
        try:
            if file is not None:
                await asyncio.to_thread(_copy, file, copy)
                spec = replace(spec, options={**spec.options, "path": str(copy)})
            message = json.dumps({"data": asdict(spec), "rows": rows})
            seen: dict[str, Any] = json.loads(
                await worker.ask("", f"_pycaret_ops_agent.look_json({message!r})")
            )
            return seen
        finally:
            copy.unlink(missing_ok=True)


def _copy(file: Callable[[], BinaryIO], target: Path) -> None:
    with file() as stream, target.open("wb") as copy:
        shutil.copyfileobj(stream, copy, 1 << 20)
