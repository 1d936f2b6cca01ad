"""Counts and latencies of deployments: collected in memory, written to the store in the background."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime

from ...common.clock import Clock
from ..store import deployments
from ..store.deployments import KEPT_LATENCIES, Tally
from ..store.session import Store

log = logging.getLogger("jupyter_pycaret_ops")

WRITE_EVERY_S = 0.5


def percentile(latencies_ms: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile in ms, None without latencies.

    That is the smallest latency with at least `share` of all latencies at or below it.
    """
    if not latencies_ms:
        return None
    ordered = sorted(latencies_ms)
    rank = max(1, -(-len(ordered) * round(share * 100) // 100))
    return round(float(ordered[rank - 1]), 3)


class UsageStatistics:
    """Counts of this server that are not written to the store yet."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._pending: dict[str, Tally] = {}
        self._writing = asyncio.Lock()
        self._wake = asyncio.Event()

    def count_answered(self, deployment_id: str, latency_ms: float) -> None:
        """Count an answered request."""
        tally = self._tally(deployment_id)
        tally.answered += 1
        tally.last_at = self._clock.now()
        tally.latencies_ms.append(latency_ms)
        if len(tally.latencies_ms) > 2 * KEPT_LATENCIES:
            del tally.latencies_ms[:-KEPT_LATENCIES]

    def count_refused(self, deployment_id: str) -> None:
        """Count a request that was refused with 400, 413, 422 or 5xx."""
        self._tally(deployment_id).refused += 1

    def _tally(self, deployment_id: str) -> Tally:
        tally = self._pending.get(deployment_id)
        if tally is None:
            tally = self._pending[deployment_id] = Tally()
            self._wake.set()
        return tally

    async def flush(self) -> None:
        """Write pending counts; counts that cannot be written are kept for the next time."""
        async with self._writing:
            pending, self._pending = self._pending, {}
            if not pending:
                return
            try:
                await self._store.write(deployments.add_counts, pending)
            except Exception as error:
                log.warning("counts of deployments could not be written yet: %s", error)
                for deployment_id, tally in pending.items():
                    self._merge_back(deployment_id, tally)

    def _merge_back(self, deployment_id: str, old: Tally) -> None:
        tally = self._tally(deployment_id)
        tally.answered += old.answered
        tally.refused += old.refused
        tally.latencies_ms[:0] = old.latencies_ms
        times: list[datetime] = [at for at in (old.last_at, tally.last_at) if at is not None]
        tally.last_at = max(times, default=None)

    async def write_behind(self) -> None:
        """Write pending counts every half second; runs until cancelled."""
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await self._wake.wait()
                await asyncio.sleep(WRITE_EVERY_S)
                self._wake.clear()
                await self.flush()
