"""Who executes which run, and for how long it is theirs."""

from __future__ import annotations

import pytest

from jupyter_pycaret_ops.common.errors import QueueFull
from jupyter_pycaret_ops.server.lifecycle import Status
from jupyter_pycaret_ops.server.store import runs

from ...fakes.records import POOL, SERVER, World, moment


def test_the_oldest_run_is_claimed_first(world: World) -> None:
    submitted = [world.submit().id for _ in range(4)]
    claimed = [world.claim() for _ in range(4)]
    assert [run.id for run in claimed if run] == submitted
    assert world.claim() is None


def test_a_claim_writes_down_who_until_when_and_with_which_token(world: World) -> None:
    world.submit()
    run = world.claim(server="there:7:2.00", token_hash="hashed", lease_s=60)
    assert run is not None
    assert (run.status, run.attempt, run.leased_by) == (Status.RUNNING, 1, "there:7:2.00")
    assert run.lease_expires_at == moment(world.clock, 60)
    assert run.started_at == world.clock.now()
    assert world.store.read_now(runs.by_token, run.id, "hashed").id == run.id  # type: ignore[union-attr]
    assert world.store.read_now(runs.by_token, run.id, "another") is None


def test_a_server_claims_only_runs_of_its_own_pool(world: World) -> None:
    world.submit(pool="there/bob")
    assert world.claim(pool=POOL) is None
    assert world.claim(pool="there/bob") is not None


def test_a_run_in_a_persons_own_kernel_is_not_claimed(world: World) -> None:
    world.submit(executor="notebook")
    assert world.claim() is None


def test_a_requeued_run_keeps_its_place_and_its_first_start(world: World) -> None:
    first = world.running()
    later = world.submit()
    started_at = first.started_at
    world.clock.advance(10)
    world.store.write_now(runs.lose_worker, first.id, 1, 2, world.clock.now(), "Lost.")
    again = world.claim()
    assert again is not None
    assert (again.id, again.attempt, again.started_at) == (first.id, 2, started_at)
    following = world.claim()
    assert following is not None
    assert following.id == later.id


def test_the_token_of_an_attempt_dies_with_it(world: World) -> None:
    world.submit()
    run = world.claim(token_hash="first")
    assert run is not None
    world.store.write_now(runs.lose_worker, run.id, 1, 2, world.clock.now(), "Lost.")
    assert world.store.read_now(runs.by_token, run.id, "first") is None
    again = world.claim(token_hash="second")
    assert again is not None
    assert world.store.read_now(runs.by_token, run.id, "first") is None
    world.finish(again)
    assert world.store.read_now(runs.by_token, run.id, "second") is None


def lapsed(world: World, *dead: str, pool: str = POOL) -> list[str]:
    found = world.store.read_now(runs.lapsed, pool, world.clock.now(), dead)
    return [run_id for run_id, _ in found]


def test_a_lease_holds_to_its_last_moment_and_is_over_after_it(world: World) -> None:
    run = world.running()
    world.clock.advance(60)
    assert lapsed(world) == []
    world.clock.advance(0.001)
    assert lapsed(world) == [run.id]
    assert lapsed(world, pool="there/bob") == []


def test_renewing_prolongs_what_the_server_holds_and_nothing_else(world: World) -> None:
    mine = world.running()
    world.submit()
    theirs = world.claim(server="there:7:2.00")
    assert theirs is not None
    updated_at = world.run(mine.id).updated_at
    world.clock.advance(40)
    held = world.store.write_now(runs.renew_leases, SERVER, moment(world.clock, 60))
    assert held == [(mine.id, 1)]
    assert world.run(mine.id).updated_at == updated_at
    world.clock.advance(30)
    assert lapsed(world) == [theirs.id]


def test_what_a_dead_server_held_is_found_at_once(world: World) -> None:
    run = world.running()
    assert world.store.read_now(runs.lease_holders) == [SERVER]
    assert lapsed(world, SERVER) == [run.id]
    world.finish(run)
    assert world.store.read_now(runs.lease_holders) == []
    assert lapsed(world, SERVER) == []


def test_a_lost_run_is_queued_again_then_fails_as_worker_lost(world: World) -> None:
    run = world.running()
    again = world.store.write_now(
        runs.lose_worker, run.id, 1, 2, world.clock.now(), "The kernel ended."
    )
    assert (again.status, again.attempt, again.leased_by) == (Status.QUEUED, 2, None)
    assert world.claim() is not None
    over = world.store.write_now(
        runs.lose_worker, run.id, 2, 2, world.clock.now(), "The kernel ended."
    )
    assert (over.status, over.error_kind, over.error) == (
        Status.FAILED,
        "worker_lost",
        "The kernel ended.",
    )
    assert world.kinds(run.id) == [
        "run.queued",
        "run.started",
        "run.requeued",
        "run.started",
        "run.failed",
    ]


def test_a_run_lost_while_it_was_being_cancelled_is_cancelled(world: World) -> None:
    run = world.running()
    world.store.write_now(runs.request_cancel, world.ada, run.id, world.clock.now())
    over = world.store.write_now(runs.lose_worker, run.id, 1, 2, world.clock.now(), "Lost.")
    assert over.status == Status.CANCELLED


def test_cancelling_twice_is_written_down_once(world: World) -> None:
    run = world.running()
    for _ in range(2):
        world.store.write_now(runs.request_cancel, world.ada, run.id, world.clock.now())
        world.clock.advance(1)
    assert world.kinds(run.id).count("run.cancel_requested") == 1
    world.finish(run)
    after = world.store.write_now(runs.request_cancel, world.ada, run.id, world.clock.now())
    assert after.status == Status.SUCCEEDED


def test_a_full_queue_takes_no_more(world: World) -> None:
    for _ in range(3):
        world.submit(queue_cap=3)
    with pytest.raises(QueueFull, match="3 runs wait") as refused:
        world.submit(queue_cap=3)
    assert refused.value.retry_after_s > 0
    world.submit(queue_cap=3, pool="there/bob")  # a queue of its own
    assert world.claim() is not None
    world.submit(queue_cap=3)
    counts = world.store.read_now(runs.count_by_status, POOL)
    assert counts == {"queued": 3, "running": 1, "succeeded": 0, "failed": 0, "cancelled": 0}
    assert set(world.store.read_now(runs.count_by_status, "elsewhere").values()) == {0}
