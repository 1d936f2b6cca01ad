"""Usage statistics are written in the background, and a failed write loses none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.errors import Unavailable
from jupyter_pycaret_ops.server.serving.usage_statistics import UsageStatistics, percentile
from jupyter_pycaret_ops.server.store import deployments
from jupyter_pycaret_ops.server.store.deployments import KEPT_LATENCIES
from jupyter_pycaret_ops.server.store.models import Deployment
from jupyter_pycaret_ops.server.store.session import Store

from ...fakes import HandClock, in_loop
from ...fakes.records import World


class Reluctant:
    """A store whose writes wait for a gate."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.answers = False

    async def write(self, *arguments: Any) -> Any:
        if not self.answers:
            raise Unavailable("The database did not answer.")
        return await self.store.write(*arguments)


def now(world: World, deployment: Deployment) -> Deployment:
    return world.store.read_now(deployments.read, world.ada, deployment.id)


@in_loop
async def test_flush_writes_counts_to_the_database(world: World) -> None:
    deployment = world.deploy()
    statistics = UsageStatistics(world.store, world.clock)
    for latency in (3.0, 1.0, 2.0):
        statistics.count_answered(deployment.id, latency)
        world.clock.advance(1)
    statistics.count_refused(deployment.id)
    await statistics.flush()
    after = now(world, deployment)
    assert (after.inference_count, after.error_count) == (3, 1)
    assert after.recent_latencies_ms == [3.0, 1.0, 2.0]
    assert after.last_inference_at is not None
    assert (world.clock.now() - after.last_inference_at).total_seconds() == 1
    await statistics.flush()
    assert now(world, deployment).inference_count == 3


@in_loop
async def test_counts_of_a_failed_write_are_merged_with_later_ones(world: World) -> None:
    deployment = world.deploy()
    reluctant = Reluctant(world.store)
    statistics = UsageStatistics(reluctant, world.clock)  # type: ignore[arg-type]
    statistics.count_answered(deployment.id, 1.0)
    statistics.count_refused(deployment.id)
    await statistics.flush()
    world.clock.advance(5)
    statistics.count_answered(deployment.id, 2.0)
    await statistics.flush()
    assert now(world, deployment).inference_count == 0
    reluctant.answers = True
    await statistics.flush()
    after = now(world, deployment)
    assert (after.inference_count, after.error_count) == (2, 1)
    assert after.recent_latencies_ms == [1.0, 2.0]
    assert after.last_inference_at == world.clock.now()


@in_loop
async def test_counts_of_two_servers_are_added(world: World) -> None:
    deployment = world.deploy()
    servers = [UsageStatistics(world.store, HandClock()) for _ in range(2)]
    for statistics in servers:
        statistics.count_answered(deployment.id, 1.0)
    for statistics in servers:
        await statistics.flush()
    assert now(world, deployment).inference_count == 2


@in_loop
async def test_number_of_latencies_in_memory_is_limited(world: World) -> None:
    deployment = world.deploy()
    statistics = UsageStatistics(world.store, world.clock)
    for number in range(1_000):
        statistics.count_answered(deployment.id, float(number))
    assert len(statistics._pending[deployment.id].latencies_ms) <= 2 * KEPT_LATENCIES
    await statistics.flush()
    after = now(world, deployment)
    assert after.inference_count == 1_000
    assert after.recent_latencies_ms == [float(number) for number in range(900, 1_000)]


@pytest.mark.parametrize(
    ("latencies", "share", "value"),
    [
        ([], 0.5, None),
        ([7], 0.5, 7),
        ([7], 0.95, 7),
        ([2, 1], 0.5, 1),
        ([3, 1, 2], 0.5, 2),
        ([4, 1, 2, 3], 0.5, 2),
        (range(1, 101), 0.5, 50),
        (range(1, 101), 0.95, 95),
        (range(1, 21), 0.95, 19),
        (range(1, 11), 0.95, 10),
    ],
)
def test_percentiles_by_nearest_rank(latencies: Any, share: float, value: float | None) -> None:
    assert percentile(list(latencies), share) == value


@given(
    latencies=st.lists(st.integers(0, 50).map(float), min_size=1, max_size=100),
    share=st.sampled_from([0.5, 0.95]),
)
def test_percentile_is_the_smallest_value_with_that_share_at_or_below(
    latencies: list[float], share: float
) -> None:
    found = percentile(latencies, share)
    assert found in latencies
    needed = share * len(latencies)
    assert sum(value <= found for value in latencies) >= needed - 1e-9
    below = [value for value in latencies if value < found]
    assert len(below) < needed
