"""Batches of requests: one request when idle, all that wait when busy, one by one after the kernel died.

Predicting one row takes as long as predicting 512 rows. So an idle deployment predicts at once; requests
that come while a batch is being predicted are the next batch. There is no timer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...common.errors import RowsInvalid, Unavailable
from .kernel_link import ROWS_PER_LIMIT, LinkInterrupted, LinkLost, PredictFailed

LARGEST_BATCH_ROWS = 10_000
LONGEST_QUEUE_ROWS = 40_000
#: seconds; the first request may have to wait for the serving kernel to start
DEADLINE_S = 60.0
#: a request that ended the serving kernel so many times is refused
MAX_DEATHS = 2


@dataclass(frozen=True, slots=True)
class PredictionResult:
    """The predictions of one request: lists of length n_rows."""

    predictions: list[Any]
    #: shape (n_rows, n_labels), None unless asked for
    probabilities: list[list[float]] | None
    #: further outputs of some tasks: `score` of an anomaly, `time` of a step
    more: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Request:
    rows: list[list[Any]]
    proba: bool
    future: asyncio.Future[PredictionResult]
    deaths: int = 0
    alone: bool = False


Predict = Callable[[list[list[Any]], bool], Awaitable[dict[str, Any]]]


@dataclass(slots=True)
class BatcherLimits:
    """How many rows may wait, and for how long."""

    batch_rows: int = LARGEST_BATCH_ROWS
    queue_rows: int = LONGEST_QUEUE_ROWS
    deadline_s: float = DEADLINE_S


class Batcher:
    """The queue of one deployment.

    `predict` predicts one batch of rows; it raises `PredictFailed` when the pipeline raised and `LinkLost`
    when the kernel died. The future of each request is settled on its own, unless it is done.
    """

    def __init__(self, predict: Predict, limits: BatcherLimits | None = None) -> None:
        self._predict = predict
        self._limits = limits or BatcherLimits()
        self._queue: deque[_Request] = deque()
        self._queued_rows = 0
        self._worker: asyncio.Task[None] | None = None
        self._closed: Exception | None = None

    @property
    def queued_rows(self) -> int:
        """The number of rows that wait for the next batch."""
        return self._queued_rows

    async def submit(self, rows: list[list[Any]], *, proba: bool) -> PredictionResult:
        """Predict validated rows, together with other requests that wait.

        `rows` has n_rows lists of values in the order of the input schema.

        Raises
        ------
        Unavailable
            When the queue is full, the deadline passes, or no kernel can be started.
        RowsInvalid
            When the pipeline cannot predict these rows, or they ended the serving kernel twice.
        """
        if self._closed is not None:
            raise self._closed
        if self._queued_rows + len(rows) > self._limits.queue_rows:
            raise Unavailable("Too many rows wait for this deployment. Try again soon.")
        loop = asyncio.get_running_loop()
        request = _Request(rows, proba, loop.create_future())
        self._queue.append(request)
        self._queued_rows += len(rows)
        if self._worker is None:
            self._worker = asyncio.create_task(self._run(), name="predict-batches")
        # the deadline grows with the number of rows
        deadline_s = self._limits.deadline_s * (1 + len(rows) / ROWS_PER_LIMIT)
        deadline = loop.call_later(deadline_s, _expire, request)
        try:
            return await request.future
        finally:
            deadline.cancel()

    def close(self, reason: Exception) -> None:
        """Fail all waiting and later requests with `reason`."""
        self._closed = reason
        while self._queue:
            _refuse(self._queue.popleft(), reason)
        self._queued_rows = 0

    async def drained(self) -> None:
        """Return when no batch is being predicted."""
        while self._worker is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(self._worker)

    async def _run(self) -> None:
        try:
            while batch := self._next_batch():
                await self._settle(batch)
        finally:
            self._worker = None

    def _next_batch(self) -> list[_Request]:
        """Return the waiting requests that fit into one batch; after a death of the kernel, a single one."""
        batch: list[_Request] = []
        rows = 0
        while self._queue:
            request = self._queue[0]
            if batch and (
                request.alone
                or batch[0].alone
                or rows + len(request.rows) > self._limits.batch_rows
            ):
                break
            self._queue.popleft()
            self._queued_rows -= len(request.rows)
            if request.future.done():  # its deadline has passed, or its client has disconnected
                continue
            batch.append(request)
            rows += len(request.rows)
        return batch

    async def _settle(self, batch: Sequence[_Request]) -> None:
        rows = [row for request in batch for row in request.rows]
        proba = any(request.proba for request in batch)
        try:
            result = await self._predict(rows, proba)
        except LinkInterrupted:
            self._put_back(batch)  # the kernel was ended because of another pipeline
            return
        except LinkLost:
            self._after_death(batch)
            return
        except PredictFailed as error:
            await self._bisect(batch, error)
            return
        except Exception as error:
            for request in batch:
                _refuse(request, error)
            return
        begin = 0
        for request in batch:
            end = begin + len(request.rows)
            if not request.future.done():
                probabilities = result["probabilities"]
                request.future.set_result(
                    PredictionResult(
                        result["predictions"][begin:end],
                        probabilities[begin:end] if request.proba and probabilities else None,
                        {
                            name: values[begin:end]
                            for name, values in result.get("more", {}).items()
                        },
                    )
                )
            begin = end

    async def _bisect(self, batch: Sequence[_Request], error: PredictFailed) -> None:
        """Predict the halves of a batch, so that only the request that cannot be predicted fails."""
        if len(batch) == 1:
            _refuse(batch[0], RowsInvalid(f"The pipeline cannot predict these rows: {error}"))
            return
        middle = len(batch) // 2
        await self._settle(batch[:middle])
        await self._settle(batch[middle:])

    def _after_death(self, batch: Sequence[_Request]) -> None:
        """Predict the requests again, one by one; refuse one that has ended the kernel twice."""
        for request in batch:
            # in a batch of several the cause is not known, so only deaths in a batch of one are counted
            request.deaths += 1 if len(batch) == 1 else 0
            request.alone = True
            if request.deaths >= MAX_DEATHS:
                _refuse(
                    request,
                    RowsInvalid("These rows ended the serving kernel twice, so they are refused."),
                )
        self._put_back(batch)

    def _put_back(self, batch: Sequence[_Request]) -> None:
        for request in reversed(batch):
            if not request.future.done():
                self._queue.appendleft(request)
                self._queued_rows += len(request.rows)


def _refuse(request: _Request, reason: Exception) -> None:
    if not request.future.done():
        request.future.set_exception(reason)


def _expire(request: _Request) -> None:
    _refuse(request, Unavailable("The prediction took too long. Try again.", retry_after_s=5))
