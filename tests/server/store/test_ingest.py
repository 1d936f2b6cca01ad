"""What agents say, taken into the records: once, in order, in step with the run's row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from jupyter_pycaret_ops.common.errors import Invalid, Stale
from jupyter_pycaret_ops.common.protocol import AgentEvent
from jupyter_pycaret_ops.server.lifecycle import EVENT_OF
from jupyter_pycaret_ops.server.store import artifacts, ingest, runs
from jupyter_pycaret_ops.server.store.ingest import RESERVED, rank
from jupyter_pycaret_ops.server.store.models import Run
from jupyter_pycaret_ops.server.store.paging import PageRequest

from ...fakes.records import World, said, scored


def take(world: World, run: Run, *batch: AgentEvent) -> Run:
    return world.store.write_now(ingest.take_events, run.id, run.attempt, batch)


def test_seq_counts_over_the_servers_events_and_the_agents_without_a_gap(world: World) -> None:
    run = world.running()
    take(world, run, said(1), said(2))
    world.store.write_now(runs.request_cancel, world.ada, run.id, world.clock.now())
    take(world, run, said(3))
    world.finish(run)
    assert [(event.seq, event.n, event.kind) for event in world.events(run.id)] == [
        (1, None, "run.queued"),
        (2, None, "run.started"),
        (3, 1, "message"),
        (4, 2, "message"),
        (5, None, "run.cancel_requested"),
        (6, 3, "message"),
        (7, None, "run.succeeded"),
    ]


def test_a_batch_sent_twice_is_stored_once(world: World) -> None:
    run = world.running()
    assert take(world, run, said(1), said(2)).last_n == 2
    assert take(world, run, said(1), said(2)).last_n == 2
    assert take(world, run, said(2), said(3)).last_n == 3
    assert [event.n for event in world.events(run.id)] == [None, None, 1, 2, 3]


def test_a_batch_may_come_in_any_order(world: World) -> None:
    run = world.running()
    take(world, run, said(3), said(1), said(2))
    assert [event.n for event in world.events(run.id)][2:] == [1, 2, 3]


@pytest.mark.parametrize("numbers", [(2,), (1, 3), (1, 2, 4, 5)])
def test_a_missing_number_is_refused_and_nothing_is_stored(
    world: World, numbers: tuple[int, ...]
) -> None:
    run = world.running()
    missing = next(n for n in range(1, 9) if n not in numbers)
    with pytest.raises(Invalid, match=f"Send from {missing} on"):
        take(world, run, *(said(n) for n in numbers))
    assert len(world.events(run.id)) == 2
    assert world.run(run.id).last_n == 0


@pytest.mark.parametrize("numbers", [(1, 1), (1, 2, 2)])
def test_a_number_twice_in_one_batch_is_refused(world: World, numbers: tuple[int, ...]) -> None:
    run = world.running()
    with pytest.raises(Invalid):
        take(world, run, *(said(n) for n in numbers))
    assert len(world.events(run.id)) == 2


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cuts=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=8),
)
def test_however_batches_overlap_each_event_is_stored_once(
    world: World, cuts: list[tuple[int, int]]
) -> None:
    """Any slices of 1, 2, 3, …, as a sender that retries makes them: stored is a prefix without a gap."""
    run = world.running()
    for first, length in cuts:
        try:
            take(world, run, *(said(first + offset) for offset in range(1, length + 1)))
        except Invalid:
            continue
    numbers = [event.n for event in world.events(run.id) if event.n is not None]
    assert numbers == list(range(1, len(numbers) + 1))
    assert world.run(run.id).last_n == len(numbers)
    world.finish(run)


def test_kinds_that_are_the_servers_are_refused(world: World) -> None:
    assert set(EVENT_OF.values()) <= RESERVED
    run = world.running()
    for kind in sorted(RESERVED):
        with pytest.raises(Invalid, match=kind):
            take(world, run, said(1), said(2, kind))
    assert len(world.events(run.id)) == 2


def test_a_time_that_is_none_is_refused(world: World) -> None:
    run = world.running()
    with pytest.raises(Invalid, match="RFC 3339"):
        take(world, run, AgentEvent(1, "message", "", {}, "yesterday"))


def test_an_attempt_that_is_over_is_not_heard(world: World) -> None:
    run = world.running()
    world.store.write_now(runs.lose_worker, run.id, 1, 2, world.clock.now(), "Lost.")
    with pytest.raises(Stale):
        take(world, run, said(1))


def test_a_new_attempt_numbers_from_one_again_and_its_events_say_whose_they_are(
    world: World,
) -> None:
    run = world.running()
    take(world, run, said(1), said(2))
    world.store.write_now(runs.lose_worker, run.id, 1, 2, world.clock.now(), "Lost.")
    second = world.claim()
    assert second is not None
    take(world, second, said(1))
    told = [(event.seq, event.attempt, event.n) for event in world.events(run.id)]
    assert told == [
        (1, 1, None),
        (2, 1, None),
        (3, 1, 1),
        (4, 1, 2),
        (5, 2, None),  # run.requeued
        (6, 2, None),  # run.started
        (7, 2, 1),
    ]


# ---------------------------------------------------------------- leaderboard


def test_the_leaderboard_is_best_first_while_models_are_scored(world: World) -> None:
    run = world.running()
    take(world, run, scored(1, "lr", Accuracy=0.8), scored(2, "dt", Accuracy=0.9))
    after = take(world, run, scored(3, "nb", Accuracy=0.85))
    assert [(row["rank"], row["model_id"]) for row in after.leaderboard] == [
        (1, "dt"),
        (2, "nb"),
        (3, "lr"),
    ]
    assert after.metrics_summary == {
        "metric": "Accuracy",
        "best": {"model_id": "dt", "name": "dt", "value": 0.9},
        "models": 3,
    }


def test_a_model_scored_again_takes_its_own_place(world: World) -> None:
    run = world.running()
    after = take(
        world,
        run,
        scored(1, "lr", Accuracy=0.8, fold_metrics={"Accuracy": [0.7, 0.9]}),
        scored(2, "lr", Accuracy=0.6, fold_metrics={"Accuracy": [0.5, 0.6, 0.7]}),
    )
    assert [(row["model_id"], row["Accuracy"]) for row in after.leaderboard] == [("lr", 0.6)]
    page = world.store.read_now(artifacts.fold_metrics, world.ada, run.id, PageRequest())
    assert sorted((row.fold_idx, row.value) for row in page.rows) == [(0, 0.5), (1, 0.6), (2, 0.7)]
    assert "fold_metrics" not in after.leaderboard[0]


def test_where_less_is_better_the_least_is_first(world: World) -> None:
    run = world.running(metric="MAE", greater_is_better=False)
    after = take(world, run, scored(1, "lr", MAE=3.0), scored(2, "dt", MAE=1.0))
    assert [row["model_id"] for row in after.leaderboard] == ["dt", "lr"]


def test_progress_is_on_the_row(world: World) -> None:
    run = world.running()
    payload: dict[str, Any] = {"done": 2, "total": 9, "label": "Ridge", "model_id": "ridge"}
    assert take(world, run, said(1, "run.progress", payload)).progress == {
        "done": 2,
        "total": 9,
        "label": "Ridge",
    }


values = st.none() | st.floats(allow_nan=False) | st.integers(-5, 5)


@given(values=st.lists(values, max_size=8), greater=st.booleans())
def test_ranking_sorts_by_the_metric_and_puts_those_without_a_value_last(
    values: list[Any], greater: bool
) -> None:
    records = [{"model_id": str(place), "A": value} for place, value in enumerate(values)]
    ranked = rank(records, "A", greater_is_better=greater)
    assert [row["rank"] for row in ranked] == list(range(1, len(values) + 1))
    assert sorted(row["model_id"] for row in ranked) == sorted(row["model_id"] for row in records)
    found = [row["A"] for row in ranked]
    known = [value for value in found if value is not None]
    assert found[: len(known)] == known
    assert known == sorted(known, reverse=greater)


def test_a_run_without_a_metric_keeps_the_order_of_scoring(world: World) -> None:
    run = world.running(metric=None)
    after = take(world, run, scored(1, "kmeans"), scored(2, "hclust"))
    assert [row["model_id"] for row in after.leaderboard] == ["kmeans", "hclust"]


def test_a_long_message_is_cut_and_a_long_kind_too(world: World) -> None:
    run = world.running()
    event = AgentEvent(1, "k" * 100, "m" * 9_000, {}, "2026-01-02T03:04:05Z")
    take(world, run, event)
    stored = world.events(run.id)[-1]
    assert len(stored.kind) == 64
    assert len(stored.message) == 4_000


def test_of_a_transaction_that_fails_nothing_is_stored(world: World) -> None:
    run = world.running()

    def work(session: Session) -> None:
        ingest.take_events(session, run.id, 1, [said(1)])
        raise Invalid("something later in the same transaction")

    with pytest.raises(Invalid):
        world.store.write_now(work)
    assert world.run(run.id).last_n == 0
    assert len(world.events(run.id)) == 2
