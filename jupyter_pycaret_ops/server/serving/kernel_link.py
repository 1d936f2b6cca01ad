"""The connection to the serving kernel, which is started when first needed and after its death."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...common.errors import Unavailable
from ...common.wire import FrameBuffer, frame
from ..background import BackgroundTasks
from ..executors.kernel.memory import MemoryWatch
from ..executors.kernel.pool import KernelUnavailable, WorkerPool
from ..executors.kernel.worker import Worker, WorkerDied, WorkerRefused
from ..sizes import mebibytes
from ..threads import in_thread

log = logging.getLogger("jupyter_pycaret_ops")

PREPARE = "from jupyter_pycaret_ops.kernel import predictor as _pycaret_ops_predictor"


#: seconds for a batch of up to 5,000 rows; each further 5,000 rows may take as long again
PREDICT_WITHIN_S = 20.0
ROWS_PER_LIMIT = 5_000
#: loading may take so many times as long as a batch, and a second more for each 20 MiB
LOAD_TIMES = 3
LOAD_BYTES_PER_S = 20 << 20
#: seconds for the end of a serving kernel when the server stops
END_WITHIN_S = 5.0
#: seconds for the answer to a ping
PING_WITHIN_S = 2.0
#: seconds for which the answer to a ping is reused
PING_FRESH_S = 1.0
#: larger frames are packed in a thread
IN_THREAD_ROWS = 2_000


class LinkLost(Exception):
    """The serving kernel ended before it answered the request."""


class LinkTimeout(LinkLost):
    """The request was not answered in time, so the serving kernel was ended."""


class LinkInterrupted(LinkLost):
    """The serving kernel was ended because of another request; this one may be tried again."""


class LinkOutOfMemory(LinkLost):
    """The serving kernel exceeded its memory limit and was ended; the message has the figures."""


class PredictFailed(Exception):
    """The pipeline raised; the message is that of the exception."""


class _Frames(asyncio.Protocol):
    """Sends frames, and matches answers to requests by their id."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.lost = False
        self._buffer = FrameBuffer()
        self._next = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for answer in self._buffer.feed(data):
            future = self.waiting.pop(answer["id"], None)
            if future is not None and not future.done():
                future.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        self.abandon(LinkLost("the serving kernel ended"))

    def abandon(self, reason: LinkLost) -> None:
        """Fail all waiting and later requests with `reason`."""
        self.lost = True
        waiting, self.waiting = self.waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(reason)

    async def request(self, message: dict[str, Any], within_s: float) -> dict[str, Any]:
        """Send a frame and wait for its answer.

        Raises
        ------
        LinkLost
        LinkTimeout
            When it does not come within `within_s` seconds; the caller must end the kernel.
        PredictFailed
        """
        self._next += 1
        number = self._next
        numbered = {**message, "id": number}
        if len(message.get("rows", ())) > IN_THREAD_ROWS:
            content = await in_thread(frame, numbered)
        else:
            content = frame(numbered)
        if self.lost or self.transport is None:
            raise LinkLost("the serving kernel ended")
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.waiting[number] = future
        self.transport.write(content)
        # not `wait_for`, which creates a task for each batch
        deadline = asyncio.get_running_loop().call_later(within_s, _expire, future, within_s)
        try:
            answer = await future
        finally:
            deadline.cancel()
            self.waiting.pop(number, None)
        if not answer["ok"]:
            raise PredictFailed(answer["error"])
        return answer


async def _ping(frames: _Frames) -> bool:
    try:
        await frames.request({"op": "ping"}, PING_WITHIN_S)
    except LinkLost:
        return False
    return True


def _expire(future: asyncio.Future[dict[str, Any]], within_s: float) -> None:
    if not future.done():
        future.set_exception(LinkTimeout(f"no answer within {within_s:g} s"))


class KernelLink:
    """The serving kernel of a server, and the pipelines that are loaded in it."""

    def __init__(
        self,
        pool: WorkerPool,
        *,
        predict_within_s: float = PREDICT_WITHIN_S,
        memory_limit: Callable[[], int] | None = None,
    ) -> None:
        self._pool = pool
        self._predict_within_s = predict_within_s
        self._memory_limit = memory_limit
        self._starting = asyncio.Lock()
        self._worker: Worker | None = None
        self._frames: _Frames | None = None
        self._loaded: set[str] = set()
        self._watching: asyncio.Task[None] | None = None
        #: the last ping: connection, time and answer
        self._last_ping: tuple[_Frames, float, asyncio.Task[bool]] | None = None
        self._ending = BackgroundTasks()

    @property
    def pid(self) -> int | None:
        """The process id of the serving kernel, None when it does not run."""
        return self._worker.pid if self._worker is not None and self._worker.alive else None

    async def load(
        self, key: str, path: Path, size_bytes: int, sha256: str, schema: dict[str, Any]
    ) -> None:
        """Load the pipeline in a local file into the serving kernel, which is started if necessary.

        Raises
        ------
        LinkLost
            When the loading ends the kernel, or takes too long.
        PredictFailed
            When the pipeline cannot be loaded.
        """
        frames = await self._connected()
        await self._request(
            frames,
            {"op": "load", "key": key, "path": str(path), "sha256": sha256, "schema": schema},
            LOAD_TIMES * self._predict_within_s + size_bytes / LOAD_BYTES_PER_S,
        )
        if frames is self._frames:
            self._loaded.add(key)

    def has(self, key: str) -> bool:
        """Return whether that pipeline is loaded in the serving kernel."""
        return self._frames is not None and not self._frames.lost and key in self._loaded

    async def predict(self, key: str, rows: list[list[Any]], *, proba: bool) -> dict[str, Any]:
        """Predict one batch: n_rows lists of values in the order of the input schema.

        Returns `predictions` of length n_rows, `probabilities` of shape (n_rows, n_labels) or None, and for
        some tasks `more`, lists of length n_rows by name.

        Raises
        ------
        LinkLost
            When the kernel ends before it has answered, or the pipeline is no longer loaded.
        PredictFailed
            When the pipeline raised.
        """
        if self._frames is None or not self.has(key):
            raise LinkLost("the pipeline is not loaded")
        return await self._request(
            self._frames,
            {"op": "predict", "key": key, "rows": rows, "proba": proba},
            self._predict_within_s * (1 + len(rows) / ROWS_PER_LIMIT),
        )

    async def is_responsive(self) -> bool:
        """Return whether the serving kernel answers a ping; it does so while it predicts, too.

        The answer is reused for a second.
        """
        frames = self._frames
        if frames is None or frames.lost:
            return False
        now = asyncio.get_running_loop().time()
        if (
            self._last_ping is None
            or self._last_ping[0] is not frames
            or now - self._last_ping[1] > PING_FRESH_S
        ):
            self._last_ping = (frames, now, asyncio.create_task(_ping(frames), name="serving-ping"))
        return await asyncio.shield(self._last_ping[2]) and not frames.lost

    async def _request(
        self, frames: _Frames, message: dict[str, Any], within_s: float
    ) -> dict[str, Any]:
        try:
            return await frames.request(message, within_s)
        except LinkTimeout as error:
            log.warning("the serving kernel did not answer in time and is ended: %s", error)
            self._end_soon(frames, LinkInterrupted("the serving kernel was ended and starts again"))
            raise

    def _end_soon(self, frames: _Frames, reason: LinkLost) -> None:
        """End the kernel of this connection; requests that wait for it fail with `reason`."""
        frames.abandon(reason)
        if frames is self._frames:
            self._ending.start(self._end_worker(), "end-serving-kernel")

    def unload(self, key: str) -> None:
        """Unload a pipeline; does nothing when it is not loaded."""
        if key in self._loaded and self._frames is not None:
            transport = self._frames.transport
            if transport is not None and not self._frames.lost:
                transport.write(frame({"op": "unload", "key": key, "id": 0}))
        self._loaded.discard(key)

    async def _connected(self) -> _Frames:
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
            within_s = self._pool.settings.answer_s
            try:
                await worker.execute(PREPARE, within_s=within_s)
                await worker.execute(f"_pycaret_ops_predictor.serve({path!r})", within_s=within_s)
                loop = asyncio.get_running_loop()
                _, frames = await loop.create_unix_connection(_Frames, path)
            except (WorkerDied, OSError) as error:
                raise LinkLost("the serving kernel ended while it started") from error
            except WorkerRefused as error:
                raise Unavailable(f"The serving kernel cannot serve ({error.args[0]}).") from error
            finally:
                await in_thread(shutil.rmtree, folder, ignore_errors=True)
            self._loaded = set()
            self._frames = frames
            if self._memory_limit is not None:
                watch = MemoryWatch(worker, self._memory_limit())
                self._watching = asyncio.create_task(
                    self._watch_memory(frames, watch), name="serving-memory"
                )
            self._pool.refill()
            return frames

    async def _watch_memory(self, frames: _Frames, watch: MemoryWatch) -> None:
        used = await watch.exceeded()
        log.warning("the serving kernel used %s and is ended", mebibytes(used))
        if frames is self._frames:
            self._watching = None  # `_end_worker` cancels this task otherwise
            self._end_soon(
                frames,
                LinkOutOfMemory(
                    f"The serving kernel used {mebibytes(used)} of memory; its limit is "
                    f"{mebibytes(watch.limit_bytes)}. Deploy a smaller pipeline, or raise "
                    "worker_memory_bytes."
                ),
            )

    async def _end_worker(self) -> None:
        worker, self._worker, self._frames = self._worker, None, None
        self._loaded = set()
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
        if worker is not None:
            await self._pool.end(worker)

    async def close(self) -> None:
        """End the serving kernel."""
        if self._frames is not None and self._frames.transport is not None:
            self._frames.transport.abort()
        await self._end_worker()
        await self._ending.close(END_WITHIN_S)


def _short_folder(preferred: Path) -> str:
    """Return a folder short enough for the path of a unix socket, which may have about 100 bytes."""
    return str(preferred) if len(str(preferred)) < 70 else tempfile.gettempdir()
