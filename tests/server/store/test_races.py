"""Two transactions at once: what one decides rests on what the other has done, never on a guess."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jupyter_pycaret_ops.common.errors import Conflict, NotFound
from jupyter_pycaret_ops.server.lifecycle import ENDED, Move, Status
from jupyter_pycaret_ops.server.store import (
    data_sources,
    deployments,
    ingest,
    pipelines,
    projects,
    runs,
    users,
    workspaces,
)
from jupyter_pycaret_ops.server.store.deployments import Tally
from jupyter_pycaret_ops.server.store.models import Project, Run, User
from jupyter_pycaret_ops.server.store.session import Store

from ...fakes.records import INPUT_SCHEMA, POOL, World, said
from ...live import until

Work = Callable[[Session], Any]


def waits_for_a_lock(store: Store) -> bool:
    """Whether a transaction stands behind another; SQLite's writers always do."""
    if store.is_sqlite:
        return True
    query = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(store.read_now(lambda session: session.scalar(query)))


def overlapping(store: Store, first: Work, second: Work) -> tuple[Any, Any]:
    """What each comes to, or fails with, when `second` runs before `first` is committed."""
    acted, go_on = threading.Event(), threading.Event()

    def held_open(session: Session) -> Any:
        try:
            return first(session)
        finally:
            acted.set()
            assert go_on.wait(20)

    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(store.write_now, held_open)
        assert acted.wait(20)
        other = threads.submit(store.write_now, second)
        try:
            until(lambda: other.done() or waits_for_a_lock(store), "the second transaction", 20)
        finally:
            go_on.set()
        return outcome(one), outcome(other)


def outcome(future: Future[Any]) -> Any:
    return future.exception(20) or future.result()


def test_a_run_is_claimed_once_however_many_ask(world: World) -> None:
    submitted = {world.submit().id for _ in range(24)}
    claimed: list[str] = []

    def claim_all(server: str) -> None:
        while (run := world.claim(server=server)) is not None:
            claimed.append(run.id)

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(claim_all, f"here:{n}:1.00") for n in range(4)]:
            done.result(60)
    assert len(claimed) == 24
    assert set(claimed) == submitted


def test_who_claims_does_not_wait_for_another_claim(world: World) -> None:
    first, second = world.submit(), world.submit()

    def claim(session: Session) -> str | None:
        now = world.clock.now()
        run = runs.claim_next(
            session,
            pool=POOL,
            server_id="here:1:1.00",
            token_hash="t",
            now=now,
            lease_until=now + timedelta(seconds=60),
        )
        return run and run.id

    assert overlapping(world.store, claim, claim) == (first.id, second.id)


def test_seq_has_no_gap_when_agent_server_and_people_write_at_once(world: World) -> None:
    run = world.running()

    def batches() -> None:
        for n in range(1, 40, 3):
            batch = [said(n), said(n + 1), said(n + 2)]
            world.store.write_now(ingest.take_events, run.id, 1, batch)
            world.store.write_now(ingest.take_events, run.id, 1, batch)  # sent twice

    def cancel() -> None:
        for _ in range(5):
            world.store.write_now(runs.request_cancel, world.ada, run.id, world.clock.now())

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work) for work in (batches, cancel, batches, cancel)]:
            done.result(60)
    world.finish(world.run(run.id), Move.CANCEL)
    events = world.events(run.id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.n for event in events if event.n] == list(range(1, 40))
    kinds = [event.kind for event in events]
    assert kinds.count("run.cancel_requested") == 1
    assert kinds[-1] == "run.cancelled"


@pytest.mark.parametrize("late", [Move.SUCCEED, Move.CANCEL, Move.FAIL])
def test_of_two_ends_one_counts(world: World, late: Move) -> None:
    run = world.running()

    def end(move: Move) -> Work:
        return lambda session: runs.finish(
            session, run.id, 1, move, world.clock.now(), message="Done"
        )

    first, second = overlapping(world.store, end(Move.SUCCEED), end(late))
    assert first.status == Status.SUCCEEDED
    assert isinstance(second, Conflict)
    assert world.kinds(run.id) == ["run.queued", "run.started", "run.succeeded"]


def test_a_cancel_meets_a_claim_in_one_of_two_ways(world: World) -> None:
    run = world.submit()
    now = world.clock.now()

    def claim(session: Session) -> Any:
        return runs.claim_next(
            session, pool=POOL, server_id="s", token_hash="t", now=now, lease_until=now
        )

    def cancel(session: Session) -> Any:
        return runs.request_cancel(session, world.ada, run.id, now)

    claimed, cancelled = overlapping(world.store, claim, cancel)
    assert claimed.id == run.id
    assert cancelled.status == Status.RUNNING
    assert world.kinds(run.id)[-1] == "run.cancel_requested"
    other = world.submit()
    cancelled, claimed = overlapping(
        world.store,
        lambda session: runs.request_cancel(session, world.ada, other.id, now),
        claim,
    )
    assert (cancelled.status, claimed) == (Status.CANCELLED, None)


def test_of_two_admins_who_leave_at_once_one_stays(world: World) -> None:
    bob = world.person("bob", "admin")

    def leaves(caller: Any) -> Work:
        return lambda session: workspaces.remove_member(
            session, caller, world.workspace.id, caller.user_id
        )

    first, second = overlapping(world.store, leaves(world.ada), leaves(bob))
    assert first is None
    assert isinstance(second, Conflict)
    assert "last admin" in second.message


def test_versions_of_one_name_are_counted_one_after_the_other(world: World) -> None:
    fields = {
        "name": "iris",
        "description": None,
        "tags": [],
        "model_id": "lr",
        "origin_run_id": None,
        "task": "classification",
        "labels": None,
        "metrics": {},
        "versions": {},
        "input_schema": INPUT_SCHEMA,
        "sha256": "0" * 64,
        "signature": "1" * 64,
        "size_bytes": 3,
        "storage_key": "pipelines/1.pkl",
    }

    def promote(session: Session) -> int:
        return pipelines.create(session, world.ada, world.workspace.id, fields).version

    assert overlapping(world.store, promote, promote) == (1, 2)


def test_a_person_whom_two_servers_see_at_once_is_one_user(store: Store) -> None:
    def see(session: Session) -> str:
        return users.ensure_user(session, "ada").id

    first, second = overlapping(store, see, see)
    assert first == second


def test_first_use_on_two_servers_at_once_makes_one_workspace(store: Store) -> None:
    from jupyter_pycaret_ops.server.api.identity import _ensure

    def use(session: Session) -> str:
        return _ensure(session, "ada", "ada", bootstrap=True).user_id

    first, second = overlapping(store, use, use)
    assert first == second
    assert store.read_now(users.counts) == (1, 1)


def test_a_name_goes_to_one_of_two(world: World) -> None:
    def make(session: Session) -> Any:
        return projects.create(session, world.ada, world.workspace.id, "ours", None, [])

    first, second = overlapping(world.store, make, make)
    assert isinstance(first, Project)
    assert isinstance(second, Conflict)


def new_run(world: World, source_id: str | None = None) -> runs.NewRun:
    return runs.NewRun(
        experiment_id=world.experiment.id,
        plan="compare",
        model_id=None,
        executor="kernel",
        data={},
        data_source_id=source_id,
        metric=None,
        greater_is_better=True,
        snapshot={},
        pool=POOL,
    )


def test_a_source_goes_or_is_trained_on(world: World) -> None:
    source, other = world.make_source(), world.make_source()

    def delete(source_id: str) -> Work:
        return lambda session: data_sources.delete(session, world.ada, source_id)

    def submit(source_id: str) -> Work:
        return lambda session: runs.submit(
            session, world.ada, new_run(world, source_id), now=world.clock.now(), queue_cap=10
        )

    queued, refused = overlapping(world.store, submit(source.id), delete(source.id))
    assert isinstance(queued, Run)
    assert isinstance(refused, Conflict)
    assert world.run(queued.id).data_source_id == source.id
    keys, refused = overlapping(world.store, delete(other.id), submit(other.id))
    assert keys == [other.storage_key]
    assert isinstance(refused, Conflict)


def test_a_project_in_which_a_run_is_being_queued_stays(world: World) -> None:
    _, refused = overlapping(
        world.store,
        lambda session: runs.submit(
            session, world.ada, new_run(world), now=world.clock.now(), queue_cap=10
        ),
        lambda session: projects.delete(session, world.ada, world.project.id),
    )
    assert isinstance(refused, Conflict)


def test_a_row_that_is_changed_while_it_goes_is_gone(world: World) -> None:
    project = world.make_project()
    _, refused = overlapping(
        world.store,
        lambda session: projects.delete(session, world.ada, project.id),
        lambda session: projects.update(session, world.ada, project.id, {"tags": ["x"]}),
    )
    assert isinstance(refused, NotFound)


def test_counts_of_two_servers_add_up_in_whatever_order_they_come(world: World) -> None:
    one, two = world.deploy(), world.deploy()
    now = world.clock.now()

    def count(*order: str) -> Work:
        tallies = {key: Tally(1, 2, now, [1.0]) for key in order}
        return lambda session: deployments.add_counts(session, tallies)

    for _ in range(3):
        assert overlapping(world.store, count(one.id, two.id), count(two.id, one.id)) == (
            None,
            None,
        )
    for row in (one, two):
        found = world.store.read_now(deployments.read, world.ada, row.id)
        assert (found.inference_count, found.error_count) == (6, 12)
        assert found.recent_latencies_ms == [1.0] * 6


def test_a_run_lost_and_finished_at_once_has_one_end(world: World) -> None:
    run = world.running()
    now = world.clock.now()
    lost, finished = overlapping(
        world.store,
        lambda session: runs.lose_worker(session, run.id, 1, 1, now, "Lost."),
        lambda session: runs.finish(session, run.id, 1, Move.SUCCEED, now, message="Done"),
    )
    assert lost.status == Status.FAILED
    assert isinstance(finished, Conflict)
    assert world.run(run.id).status in ENDED


def test_users_of_other_names_do_not_wait(store: Store) -> None:
    def see(name: str) -> Work:
        return lambda session: users.ensure_user(session, name)

    first, second = overlapping(store, see("ada"), see("bob"))
    assert isinstance(first, User)
    assert isinstance(second, User)
