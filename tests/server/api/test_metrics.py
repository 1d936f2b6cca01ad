"""What Jupyter's `/metrics` says of us."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from jupyter_pycaret_ops.server.prometheus import BUCKETS_S, Metrics

from ...fakes import HandClock, in_loop
from .conftest import TOKEN


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in metrics.collect()
        for sample in family.samples
    }


def made(
    clock: HandClock, count: Callable[[], Awaitable[dict[str, int]]], warm: int = 0
) -> Metrics:
    return Metrics(count, lambda: warm, clock.monotonic)


async def nothing() -> dict[str, int]:
    return {}


@in_loop
async def test_predictions_are_counted_by_deployment() -> None:
    metrics = made(HandClock(), nothing)
    for seconds in (0.004, 0.005, 0.3, 99.0):
        metrics.count_answered("iris", seconds)
    metrics.count_refused("iris")
    metrics.count_refused("coffee")
    found = samples(metrics)
    name = "pycaret_ops_predict_requests_total"
    assert found[name, ("iris", "answered")] == 4
    assert found[name, ("iris", "refused")] == 1
    assert found[name, ("coffee", "answered")] == 0
    name = "pycaret_ops_predict_latency_seconds"
    assert found[f"{name}_sum", ("iris",)] == 99.309
    assert found[f"{name}_count", ("iris",)] == 4
    by_bound = [found[f"{name}_bucket", ("iris", str(bound))] for bound in BUCKETS_S]
    assert by_bound == [2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3]
    assert found[f"{name}_bucket", ("iris", "+Inf")] == 4
    metrics.forget("iris")
    assert not [key for key in samples(metrics) if "iris" in key[1]]


@in_loop
async def test_a_scrape_does_not_wait_for_the_database() -> None:
    clock = HandClock()
    asked = 0

    async def count() -> dict[str, int]:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise OSError("the database is gone")
        return {"queued": asked, "running": 2}

    metrics = made(clock, count, warm=1)
    await metrics.refresh()
    for _ in range(3):
        assert samples(metrics)["pycaret_ops_queue_length", ()] == 1
    assert asked == 1  # fresh enough
    clock.advance(6)
    samples(metrics)
    assert metrics._reading is not None
    await metrics._reading
    assert asked == 2
    assert samples(metrics)["pycaret_ops_runs", ("running",)] == 2  # the last that is known
    clock.advance(6)
    samples(metrics)
    await metrics._reading
    found = samples(metrics)
    assert found["pycaret_ops_queue_length", ()] == 3
    assert found["pycaret_ops_warm_kernels", ()] == 1


async def test_they_stand_in_jupyters_own_page(api: Any, jp_fetch: Any) -> None:
    await api.get("/auth/me")
    answer = await jp_fetch("metrics", headers={"Authorization": f"token {TOKEN}"})
    names = {family.name for family in text_string_to_metric_families(answer.body.decode())}
    assert {
        *("pycaret_ops_predict_requests", "pycaret_ops_predict_latency_seconds"),
        *("pycaret_ops_runs", "pycaret_ops_queue_length", "pycaret_ops_warm_kernels"),
    } <= names
