"""The table of moves, and the one function that makes them."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from jupyter_pycaret_ops.common.errors import Conflict, OpsError, Stale
from jupyter_pycaret_ops.server import lifecycle
from jupyter_pycaret_ops.server.lifecycle import ENDED, EVENT_OF, NEXT, IllegalMove, Move, Status
from jupyter_pycaret_ops.server.store import ingest, runs
from jupyter_pycaret_ops.server.store.models import Run

from ...fakes.records import World, said

EVERY = sorted(product(Status, Move))
ILLEGAL = [step for step in EVERY if step not in NEXT]


def test_no_move_leaves_an_end() -> None:
    assert not [status for status, _ in NEXT if status in ENDED]


def test_every_move_has_an_event_and_every_state_but_the_first_an_arrow_to_it() -> None:
    assert set(EVENT_OF) == set(Move)
    assert len(set(EVENT_OF.values())) == len(Move)
    assert set(NEXT.values()) == set(Status)


@pytest.mark.parametrize("move", Move)
def test_may_leave_is_the_table_read_backwards(move: Move) -> None:
    assert set(lifecycle.may_leave(move)) == {status for status, name in NEXT if name is move}


@pytest.mark.parametrize(
    ("attempt", "cancel_requested", "move"),
    [
        (1, False, Move.REQUEUE),
        (2, False, Move.FAIL),
        (3, False, Move.FAIL),
        (1, True, Move.CANCEL),
        (2, True, Move.CANCEL),
    ],
)
def test_a_lost_worker_means_another_attempt_while_some_are_left(
    attempt: int, cancel_requested: bool, move: Move
) -> None:
    assert lifecycle.when_worker_lost(attempt, 2, cancel_requested=cancel_requested) is move


def make_move(world: World, run: Run, move: Move) -> Run:
    def work(session: Session) -> Run:
        return runs._move(session, session.get_one(Run, run.id), move, world.clock.now(), "moved")

    return world.store.write_now(work)


@pytest.mark.parametrize(("status", "move"), list(NEXT))
def test_every_move_of_the_table_leaves_its_event(world: World, status: Status, move: Move) -> None:
    run = world.in_state(status)
    before = world.events(run.id)
    moved = make_move(world, run, move)
    assert moved.status == world.run(run.id).status == NEXT[(status, move)]
    new = world.events(run.id)[len(before) :]
    assert [(event.kind, event.message) for event in new] == [(EVENT_OF[move], "moved")]
    assert new[0].seq == len(before) + 1


@pytest.mark.parametrize(("status", "move"), ILLEGAL)
def test_what_is_not_in_the_table_cannot_happen(world: World, status: Status, move: Move) -> None:
    run = world.in_state(status)
    events = world.kinds(run.id)
    with pytest.raises(IllegalMove, match=f"{status} cannot {move}"):
        make_move(world, run, move)
    assert world.run(run.id).status == status
    assert world.kinds(run.id) == events


def test_illegal_move_carries_the_last_events_of_the_run(world: World) -> None:
    run = world.submit()
    claimed = world.claim()
    assert claimed is not None
    make_move(world, claimed, Move.SUCCEED)
    with pytest.raises(IllegalMove) as caught:
        make_move(world, run, Move.REQUEUE)
    kinds = [line.split()[4].rstrip(":") for line in caught.value.story]
    assert kinds == ["run.queued", "run.started", "run.succeeded"]
    assert str(caught.value).startswith("a run that is succeeded cannot requeue; its last events:")
    assert str(caught.value).endswith("run.succeeded: moved")


def test_an_end_takes_lease_and_token_with_it_and_says_how_long_it_took(world: World) -> None:
    run = world.running()
    world.clock.advance(2.5)
    ended = world.finish(run)
    assert (ended.leased_by, ended.lease_expires_at, ended.token_hash) == (None, None, None)
    assert ended.finished_at == world.clock.now()
    assert ended.duration_ms == 2500


def test_a_run_cancelled_before_it_started_has_no_duration(world: World) -> None:
    run = world.submit()
    world.store.write_now(runs.request_cancel, world.ada, run.id, world.clock.now())
    ended = world.run(run.id)
    assert (ended.status, ended.started_at, ended.duration_ms) == (Status.CANCELLED, None, None)


def test_of_two_finishers_the_second_gets_stale(world: World) -> None:
    run = world.running()
    world.finish(run, Move.SUCCEED)
    with pytest.raises(Stale):
        world.finish(run, Move.FAIL, error="too late", error_kind="engine")
    now = world.run(run.id)
    assert (now.status, now.error) == (Status.SUCCEEDED, None)
    assert world.kinds(run.id) == ["run.queued", "run.started", "run.succeeded"]


def test_the_update_judges_where_the_caller_saw_an_older_state(world: World) -> None:
    """Somebody who read the run before another one moved it loses, even past every earlier check."""
    seen = world.run(world.running().id)
    world.finish(seen)

    def work(session: Session) -> None:
        runs._move(session, seen, Move.FAIL, world.clock.now(), "late")

    with pytest.raises(Stale, match="no longer running in attempt 1"):
        world.store.write_now(work)
    assert world.kinds(seen.id)[-1] == "run.succeeded"


def test_an_earlier_attempt_cannot_end_a_later_one(world: World) -> None:
    first = world.running()
    world.store.write_now(runs.lose_worker, first.id, 1, 2, world.clock.now(), "Lost.")
    second = world.claim()
    assert second is not None
    assert second.attempt == 2
    with pytest.raises(Stale):
        world.finish(first)
    assert world.finish(second).status == Status.SUCCEEDED


def test_what_a_run_had_is_kept_when_it_fails_without_saying_more(world: World) -> None:
    run = world.running()
    record = said(1, "model.scored", {"model_id": "lr", "name": "LR", "Accuracy": 0.9})
    world.store.write_now(ingest.take_events, run.id, 1, [record])
    ended = world.finish(run, Move.FAIL, error="memory", error_kind="engine")
    assert [row["model_id"] for row in ended.leaderboard] == ["lr"]
    assert ended.metrics_summary["best"] == {"model_id": "lr", "name": "LR", "value": 0.9}
    assert (ended.error, ended.error_kind) == ("memory", "engine")


ACTS = ("claim", "succeed", "fail", "cancelled", "cancel", "lose", "events", "delete")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=st.lists(st.sampled_from(ACTS), max_size=12))
def test_random_lists_of_acts_never_leave_an_end(world: World, acts: list[str]) -> None:
    run = world.submit()
    history = [run.status]
    refusals: list[Exception] = []
    for act in acts:
        now = world.run(run.id)
        try:
            _act(world, now, act)
        except (OpsError, IllegalMove) as error:
            refusals.append(error)
        after = world.run(run.id)
        if after.status != now.status:
            history.append(after.status)
        if Status(now.status) in ENDED:
            assert after.status == now.status
    assert all(isinstance(refusal, Stale) for refusal in refusals), refusals
    events = world.events(run.id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    ends = [event.kind for event in events if event.kind in _END_KINDS]
    assert len(ends) == (1 if Status(history[-1]) in ENDED else 0)
    if ends:
        assert events[-1].kind == ends[0] == f"run.{history[-1]}"
    else:  # nothing is left waiting for the next example
        world.store.write_now(runs.request_cancel, world.ada, run.id, world.clock.now())
        current = world.run(run.id)
        if current.status == Status.RUNNING:
            world.finish(current, Move.CANCEL)


_END_KINDS = {EVENT_OF[move] for move in (Move.SUCCEED, Move.FAIL, Move.CANCEL)}


def _act(world: World, run: Run, act: str) -> None:
    store, now = world.store, world.clock.now()
    outcomes = {"succeed": Move.SUCCEED, "fail": Move.FAIL, "cancelled": Move.CANCEL}
    if act == "claim":
        world.claim()
    elif act in outcomes:
        world.finish(run, outcomes[act])
    elif act == "cancel":
        store.write_now(runs.request_cancel, world.ada, run.id, now)
    elif act == "lose":
        store.write_now(runs.lose_worker, run.id, run.attempt, 3, now, "Lost.")
    elif act == "events":
        store.write_now(ingest.take_events, run.id, run.attempt, [said(run.last_n + 1)])
    elif Status(run.status) not in ENDED:
        with pytest.raises(Conflict):
            store.write_now(runs.delete, world.ada, run.id)
    world.clock.advance(timedelta(seconds=1).total_seconds())
