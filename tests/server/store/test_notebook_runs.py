"""Runs that somebody's own kernel executes: begun by its word, held by its word, settled without it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import QueueFull, Stale
from jupyter_pycaret_ops.server.lifecycle import Status
from jupyter_pycaret_ops.server.store import runs
from jupyter_pycaret_ops.server.store.models import Run

from ...fakes.records import POOL, World, moment


def invited(world: World, **more: Any) -> Run:
    return world.submit(
        executor="notebook", token_hash="hashed", lease_until=moment(world.clock, 60), **more
    )


def began(world: World) -> Run:
    run = invited(world)
    now = world.clock.now()
    return world.store.write_now(
        runs.begin_notebook_run, run.id, 1, now, now + timedelta(seconds=60)
    )


def lapsed(world: World) -> list[str]:
    return [found for found, _ in world.store.read_now(runs.lapsed, POOL, world.clock.now(), [])]


def lose(world: World, run: Run) -> Run:
    # two attempts are allowed to others
    return world.store.write_now(runs.lose_worker, run.id, 1, 2, world.clock.now(), "Lost.")


def test_a_run_waits_for_the_kernel_that_has_its_token(world: World) -> None:
    run = invited(world)
    assert (run.status, run.progress["label"]) == (Status.QUEUED, "Waiting for its kernel")
    found = world.store.read_now(runs.by_token, run.id, "hashed")
    assert found is not None
    assert found.id == run.id


def test_it_begins_once(world: World) -> None:
    run = began(world)
    assert (run.status, run.started_at) == (Status.RUNNING, world.clock.now())
    world.clock.advance(1)
    now = world.clock.now()
    again = world.store.write_now(runs.begin_notebook_run, run.id, 1, now, now)
    assert again.started_at == run.started_at


def test_one_that_has_ended_does_not_begin(world: World) -> None:
    run = invited(world)
    world.store.write_now(runs.request_cancel, world.ada, run.id, world.clock.now())
    now = world.clock.now()
    with pytest.raises(Stale):
        world.store.write_now(runs.begin_notebook_run, run.id, 1, now, now)


def test_a_kernel_that_never_comes_fails_it(world: World) -> None:
    run = invited(world)
    world.clock.advance(59)
    assert lapsed(world) == []
    world.clock.advance(2)
    assert lapsed(world) == [run.id]
    ended = lose(world, run)
    assert (ended.status, ended.error_kind) == (Status.FAILED, "worker_lost")
    assert ended.error == runs.NOTEBOOK_NEVER_CAME


def test_a_silent_kernel_fails_it_for_good(world: World) -> None:
    """There is no second attempt: the frame was in that kernel."""
    run = began(world)
    world.clock.advance(50)
    world.store.write_now(runs.renew_notebook_lease, run.id, moment(world.clock, 60))
    world.clock.advance(50)
    assert lapsed(world) == []
    world.clock.advance(20)
    assert lapsed(world) == [run.id]
    ended = lose(world, run)
    assert (ended.status, ended.error_kind) == (Status.FAILED, "worker_lost")
    assert ended.error == runs.NOTEBOOK_LOST


def test_a_silent_kernel_that_was_asked_to_stop_is_cancelled(world: World) -> None:
    run = began(world)
    world.store.write_now(runs.request_cancel, world.ada, run.id, world.clock.now())
    assert lose(world, run).status == Status.CANCELLED


def test_one_that_does_not_stop_is_found_after_the_grace_time(world: World) -> None:
    run = began(world)
    assert world.store.read_now(runs.overdue_cancellations, POOL, world.clock.now()) == []
    asked_at = world.clock.now()
    world.store.write_now(runs.request_cancel, world.ada, run.id, asked_at)
    before = asked_at - timedelta(seconds=1)
    assert world.store.read_now(runs.overdue_cancellations, POOL, before) == []
    assert world.store.read_now(runs.overdue_cancellations, POOL, asked_at) == [(run.id, 1)]


def test_a_server_that_was_away_listens_first(world: World) -> None:
    waiting, running, other = invited(world), began(world), invited(world, pool="there/bob")
    world.clock.advance(100)
    world.store.write_now(runs.extend_notebook_leases, POOL, moment(world.clock, 60))
    assert lapsed(world) == []
    world.clock.advance(61)
    assert set(lapsed(world)) == {waiting.id, running.id}
    assert other.pool != POOL


def test_it_takes_no_place_in_the_queue(world: World) -> None:
    for _ in range(3):
        invited(world)
    world.submit(queue_cap=1)
    with pytest.raises(QueueFull):
        world.submit(queue_cap=1)
    assert invited(world, queue_cap=1).status == Status.QUEUED
