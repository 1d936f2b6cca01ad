"""Prometheus metrics in `/metrics` of Jupyter: predictions by deployment, runs by state, queue, spare kernels.

Counting is cheap: a request increments plain numbers, which become samples when they are scraped.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Metric

log = logging.getLogger("jupyter_pycaret_ops")

#: upper bounds in seconds, from a single row with a loaded pipeline to a start of the serving kernel
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: seconds for which the counts of runs are reused
FRESH_S = 5.0


@dataclass(slots=True)
class _Deployment:
    answered: int = 0
    refused: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))


class Metrics:
    """A collector for the client library of Prometheus, from `register` to `unregister`.

    `count_runs` reads the number of runs by state from the database. A scrape happens on the event loop and
    does not wait for it: it returns the last counts, and starts to read new ones.
    """

    def __init__(
        self,
        count_runs: Callable[[], Awaitable[Mapping[str, int]]],
        spare_kernels: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._count_runs = count_runs
        self._spare_kernels = spare_kernels
        self._monotonic = monotonic
        self._deployments: dict[str, _Deployment] = {}
        self._runs: Mapping[str, int] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    def count_answered(self, slug: str, seconds: float) -> None:
        """Count an answered prediction that took `seconds`."""
        counts = self._counts(slug)
        counts.answered += 1
        counts.seconds += seconds
        counts.buckets[bisect_left(BUCKETS_S, seconds)] += 1

    def count_refused(self, slug: str) -> None:
        """Count a prediction refused with 400, 413, 422 or 5xx."""
        self._counts(slug).refused += 1

    def forget(self, slug: str) -> None:
        """Drop the series of a deployment that was deleted."""
        self._deployments.pop(slug, None)

    def _counts(self, slug: str) -> _Deployment:
        counts = self._deployments.get(slug)
        if counts is None:
            counts = self._deployments[slug] = _Deployment()
        return counts

    # ---------------------------------------------------------------- scraping

    async def refresh(self) -> None:
        """Read the counts of runs; keep the last ones when the database does not answer."""
        self._read_at = self._monotonic()
        try:
            self._runs = await self._count_runs()
        except Exception as error:
            log.debug("runs could not be counted for /metrics: %s", error)

    def register(self) -> None:
        """Add the metrics to `/metrics`."""
        from prometheus_client import REGISTRY

        REGISTRY.register(self)

    def unregister(self) -> None:
        """Remove the metrics from `/metrics`."""
        from prometheus_client import REGISTRY

        if self._reading is not None:
            self._reading.cancel()
        with contextlib.suppress(KeyError):
            REGISTRY.unregister(self)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the names of the metrics cannot conflict with others."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return the current samples."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        self._start_reading()
        requests = CounterMetricFamily(
            "pycaret_ops_predict_requests",
            "Requests to deployments since the start of this server",
            labels=["deployment", "outcome"],
        )
        latency = HistogramMetricFamily(
            "pycaret_ops_predict_latency_seconds",
            "Seconds from the arrival of a request to its answer",
            labels=["deployment"],
        )
        for slug, counts in list(self._deployments.items()):
            requests.add_metric([slug, "answered"], counts.answered)
            requests.add_metric([slug, "refused"], counts.refused)
            total = 0
            buckets = []
            for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), counts.buckets, strict=True):
                total += count
                buckets.append((bound, total))
            latency.add_metric([slug], buckets, counts.seconds)
        runs = GaugeMetricFamily("pycaret_ops_runs", "Runs by state", labels=["state"])
        for state, count in self._runs.items():
            runs.add_metric([state], count)
        queue = GaugeMetricFamily("pycaret_ops_queue_length", "Queued runs")
        queue.add_metric([], self._runs.get("queued", 0))
        spares = GaugeMetricFamily("pycaret_ops_warm_kernels", "Spare kernels ready to be taken")
        spares.add_metric([], self._spare_kernels())
        return [requests, latency, runs, queue, spares]

    def _start_reading(self) -> None:
        if self._monotonic() - self._read_at < FRESH_S:
            return
        with contextlib.suppress(RuntimeError):  # scraped outside of the event loop
            asyncio.get_running_loop()
            self._reading = asyncio.create_task(self.refresh(), name="count-runs")
