"""The line to the serving kernel: started when first needed, started again when it dies."""

from __future__ import annotations

import asyncio
import logging
import shutil
import struct
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from ..errors import Unavailable
from ..kernels.pool import KernelUnavailable, WorkerPool
from ..kernels.worker import Worker, WorkerDied, WorkerRefused

log = logging.getLogger("jupyter_pycaret_ops")

HEADER = struct.Struct(">I")
PREPARE = "from jupyter_pycaret_ops.in_kernel import predictor as _pycaret_ops_predictor"


class LinkLost(Exception):
    """The serving kernel died with the request under way."""


class PredictFailed(Exception):
    """The pipeline raised; the message is its own."""


class _Frames(asyncio.Protocol):
    """Frames in, answers matched to their requests."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.lost = False
        self._buffer = bytearray()
        self._next = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            (length,) = HEADER.unpack_from(self._buffer)
            end = HEADER.size + length
            if len(self._buffer) < end:
                return
            answer = msgspec.msgpack.decode(memoryview(self._buffer)[HEADER.size : end])
            del self._buffer[:end]
            future = self.waiting.pop(answer["id"], None)
            if future is not None and not future.done():
                future.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        waiting, self.waiting = self.waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(LinkLost("the serving kernel ended"))

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a frame and wait for its answer."""
        if self.lost or self.transport is None:
            raise LinkLost("the serving kernel ended")
        self._next += 1
        number = self._next
        content = msgspec.msgpack.encode({**message, "id": number})
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.waiting[number] = future
        self.transport.write(HEADER.pack(len(content)) + content)
        answer = await future
        if not answer["ok"]:
            raise PredictFailed(answer["error"])
        return answer


class ServingLink:
    """The serving kernel of a server, with the pipelines that are loaded in it."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._starting = asyncio.Lock()
        self._worker: Worker | None = None
        self._frames: _Frames | None = None
        self._loaded: dict[str, asyncio.Future[None]] = {}

    @property
    def pid(self) -> int | None:
        """The serving kernel's process, while it lives."""
        return self._worker.pid if self._worker is not None and self._worker.alive else None

    async def load(self, key: str, content: bytes, sha256: str, schema: dict[str, Any]) -> None:
        """Load a pipeline into the present kernel.

        Raises
        ------
        LinkLost
            When the kernel dies of it.
        PredictFailed
            When the pipeline cannot be loaded.
        """
        frames = await self._up()
        await frames.ask(
            {"op": "load", "key": key, "pipeline": content, "sha256": sha256, "schema": schema}
        )
        if frames is self._frames:
            loaded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            loaded.set_result(None)
            self._loaded[key] = loaded

    def has(self, key: str) -> bool:
        """Whether that pipeline is loaded in the present kernel."""
        return self._frames is not None and not self._frames.lost and key in self._loaded

    async def predict(self, key: str, rows: list[list[Any]], *, proba: bool) -> dict[str, Any]:
        """One batch; `{"predictions": [...], "probabilities": [[...]] | None}`.

        Raises
        ------
        LinkLost
            When the kernel dies meanwhile, or the pipeline is no longer loaded.
        PredictFailed
            When the pipeline raised.
        """
        if self._frames is None or not self.has(key):
            raise LinkLost("the pipeline is not loaded")
        return await self._frames.ask({"op": "predict", "key": key, "rows": rows, "proba": proba})

    def unload(self, key: str) -> None:
        """Let go of a pipeline."""
        if self._loaded.pop(key, None) is not None and self._frames is not None:
            transport = self._frames.transport
            if transport is not None and not self._frames.lost:
                content = msgspec.msgpack.encode({"op": "unload", "key": key, "id": 0})
                transport.write(HEADER.pack(len(content)) + content)

    async def _up(self) -> _Frames:
        async with self._starting:
            if self._frames is not None and not self._frames.lost:
                return self._frames
            await self._end_worker()
            try:
                worker = await self._pool.take("serving")
            except KernelUnavailable as error:
                raise Unavailable(str(error), retry_after_s=10) from error
            self._worker = worker
            folder = tempfile.mkdtemp(
                prefix="pco-", dir=_short_folder(self._pool.settings.runtime_dir)
            )
            path = str(Path(folder) / "serve")
            try:
                await worker.ask(PREPARE)
                await worker.ask(f"_pycaret_ops_predictor.serve({path!r})")
                loop = asyncio.get_running_loop()
                _, frames = await loop.create_unix_connection(_Frames, path)
            except (WorkerDied, OSError) as error:
                raise LinkLost("the serving kernel ended while it started") from error
            except WorkerRefused as error:
                raise Unavailable(f"The serving kernel cannot serve ({error.args[0]}).") from error
            finally:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            self._loaded = {}
            self._frames = frames
            self._pool.refill()
            return frames

    async def _end_worker(self) -> None:
        worker, self._worker, self._frames = self._worker, None, None
        self._loaded = {}
        if worker is not None:
            await self._pool.end(worker)

    async def close(self) -> None:
        """End the serving kernel."""
        if self._frames is not None and self._frames.transport is not None:
            self._frames.transport.abort()
        await self._end_worker()


def _short_folder(preferred: Path) -> str:
    """A folder short enough for a unix socket's path, which may hold some 100 bytes."""
    return str(preferred) if len(str(preferred)) < 70 else tempfile.gettempdir()
