"""Deployments: their names, what they may be changed to, and counts that add up."""

from __future__ import annotations

from datetime import datetime

import pytest

from jupyter_pycaret_ops.common.errors import Conflict, Invalid
from jupyter_pycaret_ops.server.store import deployments
from jupyter_pycaret_ops.server.store.deployments import KEPT_LATENCIES, Tally, check_slug
from jupyter_pycaret_ops.server.store.ids import new_id
from jupyter_pycaret_ops.server.store.models import Deployment

from ...fakes.records import World, moment


@pytest.mark.parametrize("slug", ["abc", "a-b", "a1c", "0-0", "iris-v2", "a" * 64, "a--b"])
def test_good_slugs(slug: str) -> None:
    check_slug(slug)


@pytest.mark.parametrize(
    "slug",
    [
        *("", "a", "ab", "-ab", "ab-", "Abc", "a b", "a_b", "äbc", "a" * 65, " abc", "abc "),
        *("abc\n", "a/b", "a.b", "٣٣٣", "01a210a1-eaf4-7000-91c7-66f009e5294f"),
    ],
)
def test_bad_slugs_are_refused_as_sent(slug: str) -> None:
    with pytest.raises(Invalid, match="endpoint name") as refused:
        check_slug(slug)
    assert refused.value.errors is not None
    assert refused.value.errors[0]["loc"] == ["endpoint_slug"]


def test_a_slug_is_taken_on_the_whole_server(world: World) -> None:
    world.deploy(slug="iris")
    with pytest.raises(Conflict, match="iris"):
        world.deploy(slug="iris")


def test_a_deployment_is_found_by_slug_and_by_id(world: World) -> None:
    made = world.deploy(slug="iris")
    for name in ("iris", made.id):
        assert world.store.read_now(deployments.read, world.ada, name).id == made.id
    found = world.store.read_now(deployments.served, "iris")
    assert found is not None
    assert found[1].id == made.pipeline_id
    assert world.store.read_now(deployments.served, new_id()) is None


def test_a_deployment_moves_between_pipelines_of_its_workspace_only(world: World) -> None:
    deployment = world.deploy()
    second = world.make_pipeline()
    changed = world.store.write_now(
        deployments.update, world.ada, deployment.id, {"pipeline_id": second.id}
    )
    assert changed.pipeline_id == second.id
    with pytest.raises(Invalid, match="not one of this workspace"):
        world.store.write_now(
            deployments.update, world.ada, deployment.id, {"pipeline_id": new_id()}
        )


def add(world: World, deployment: Deployment, *tallies: Tally) -> Deployment:
    for tally in tallies:
        world.store.write_now(deployments.add_counts, {deployment.id: tally, new_id(): Tally(5)})
    return world.store.read_now(deployments.read, world.ada, deployment.id)


def test_counts_of_several_servers_add_up(world: World) -> None:
    """A tally of a deployment that is gone meanwhile does no harm."""
    later: datetime = moment(world.clock, 5)
    after = add(
        world,
        world.deploy(),
        Tally(3, 1, later, [1.0, 2.0, 3.0]),
        Tally(2, 0, world.clock.now(), [4.0, 5.0]),
        Tally(0, 4),
    )
    assert (after.inference_count, after.error_count) == (5, 5)
    assert after.last_inference_at == later
    assert after.recent_latencies_ms == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_the_last_hundred_latencies_are_kept(world: World) -> None:
    after = add(
        world,
        world.deploy(),
        Tally(90, latencies_ms=[1.0] * 90),
        Tally(30, latencies_ms=[2.0] * 30),
    )
    assert len(after.recent_latencies_ms) == KEPT_LATENCIES
    assert after.recent_latencies_ms.count(2.0) == 30
