"""What Jupyter's `/metrics` tells of us: predictions by deployment, runs by state, the queue, warm kernels.

Counting costs a request next to nothing: plain numbers, which become samples when somebody scrapes.
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

#: upper bounds in seconds: from a warm single row to a cold start
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: so long the counts of runs are not read again
FRESH_S = 5.0


@dataclass(slots=True)
class _Deployment:
    answered: int = 0
    refused: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))


class Metrics:
    """A collector for Prometheus' client library; `register` and `unregister` bracket its life.

    `count_runs` reads runs by state from the database; a scrape happens on the event loop and does not
    wait for it: it is answered with what was read last, and starts the next reading.
    """

    def __init__(
        self,
        count_runs: Callable[[], Awaitable[Mapping[str, int]]],
        warm_kernels: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._count_runs = count_runs
        self._warm_kernels = warm_kernels
        self._monotonic = monotonic
        self._deployments: dict[str, _Deployment] = {}
        self._runs: Mapping[str, int] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    def answered(self, slug: str, seconds: float) -> None:
        """Count an answered prediction."""
        counted = self._of(slug)
        counted.answered += 1
        counted.seconds += seconds
        counted.buckets[bisect_left(BUCKETS_S, seconds)] += 1

    def refused(self, slug: str) -> None:
        """Count a prediction refused with 400, 413, 422 or 5xx."""
        self._of(slug).refused += 1

    def forget(self, slug: str) -> None:
        """A deployment is gone: its series end."""
        self._deployments.pop(slug, None)

    def _of(self, slug: str) -> _Deployment:
        counted = self._deployments.get(slug)
        if counted is None:
            counted = self._deployments[slug] = _Deployment()
        return counted

    # ---------------------------------------------------------------- scraping

    async def refresh(self) -> None:
        """Read the counts of runs; a database that does not answer leaves the last ones."""
        self._read_at = self._monotonic()
        try:
            self._runs = await self._count_runs()
        except Exception as error:
            log.debug("runs could not be counted for /metrics: %s", error)

    def register(self) -> None:
        """Appear in `/metrics`."""
        from prometheus_client import REGISTRY

        REGISTRY.register(self)

    def unregister(self) -> None:
        """Disappear from it."""
        from prometheus_client import REGISTRY

        if self._reading is not None:
            self._reading.cancel()
        with contextlib.suppress(KeyError):
            REGISTRY.unregister(self)

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names are ours alone."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The samples of now."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        self._read_soon()
        requests = CounterMetricFamily(
            "pycaret_ops_predict_requests",
            "Requests to deployments since this server has started",
            labels=["deployment", "outcome"],
        )
        latency = HistogramMetricFamily(
            "pycaret_ops_predict_latency_seconds",
            "From a request's arrival to its answer",
            labels=["deployment"],
        )
        for slug, counted in list(self._deployments.items()):
            requests.add_metric([slug, "answered"], counted.answered)
            requests.add_metric([slug, "refused"], counted.refused)
            total = 0
            buckets = []
            for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), counted.buckets, strict=True):
                total += count
                buckets.append((bound, total))
            latency.add_metric([slug], buckets, counted.seconds)
        runs = GaugeMetricFamily("pycaret_ops_runs", "Runs by state", labels=["state"])
        for state, count in self._runs.items():
            runs.add_metric([state], count)
        queue = GaugeMetricFamily("pycaret_ops_queue_length", "Runs that wait for a kernel")
        queue.add_metric([], self._runs.get("queued", 0))
        warm = GaugeMetricFamily("pycaret_ops_warm_kernels", "Spare kernels ready to be taken")
        warm.add_metric([], self._warm_kernels())
        return [requests, latency, runs, queue, warm]

    def _read_soon(self) -> None:
        if self._monotonic() - self._read_at < FRESH_S:
            return
        with contextlib.suppress(RuntimeError):  # scraped from outside of the server's loop
            asyncio.get_running_loop()
            self._reading = asyncio.create_task(self.refresh(), name="count-runs")
