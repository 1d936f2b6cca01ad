"""Pages by cursor, and the ids that make them cheap."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import pytest
from sqlalchemy import event

from jupyter_pycaret_ops.common.errors import Invalid
from jupyter_pycaret_ops.server.store import ids, runs, workspaces
from jupyter_pycaret_ops.server.store.access import Caller, KeyGrant, Role
from jupyter_pycaret_ops.server.store.ids import new_id
from jupyter_pycaret_ops.server.store.paging import PageRequest
from jupyter_pycaret_ops.server.store.runs import RunFilter

from ...fakes.backends import SQLITE_ONLY
from ...fakes.records import World


def test_pages_are_newest_first_and_meet_without_gap_or_repeat(world: World) -> None:
    made = [world.submit().id for _ in range(7)]
    narrow = RunFilter(experiment_id=world.experiment.id)
    seen: list[str] = []
    cursor = None
    sizes = []
    while True:
        page = world.store.read_now(runs.list_page, world.ada, narrow, PageRequest(3, cursor))
        seen += [run.id for run in page.rows]
        sizes.append(len(page.rows))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == made[::-1]
    assert sizes == [3, 3, 1]


def test_a_page_that_is_just_full_has_no_next(world: World) -> None:
    for _ in range(2):
        world.submit()
    narrow = RunFilter(experiment_id=world.experiment.id)
    page = world.store.read_now(runs.list_page, world.ada, narrow, PageRequest(2))
    assert page.next_cursor is None


def test_a_row_made_between_two_pages_shifts_nothing(world: World) -> None:
    made = [world.submit().id for _ in range(4)]
    narrow = RunFilter(workspace_id=world.workspace.id)
    first = world.store.read_now(runs.list_page, world.ada, narrow, PageRequest(2))
    world.submit()
    second = world.store.read_now(
        runs.list_page, world.ada, narrow, PageRequest(2, first.next_cursor)
    )
    assert [run.id for run in [*first.rows, *second.rows]] == made[::-1]


@pytest.mark.parametrize(
    "cursor", ["", "1", "' or 1=1", "30EDEB32-B68B-410B-9FF4-FF7D361D4BB4", "x" * 36]
)
def test_a_cursor_that_nobody_gave_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        world.store.read_now(workspaces.list_page, world.ada, PageRequest(2, cursor))


def test_filters_narrow_and_without_one_nobody_sees_more_than_is_theirs(world: World) -> None:
    other = world.make_experiment()
    mine, theirs = world.submit(), world.submit(experiment_id=other.id, plan="create")
    world.claim()

    def listed(**narrow: str) -> list[str]:
        page = world.store.read_now(runs.list_page, world.ada, RunFilter(**narrow), PageRequest())
        return [run.id for run in page.rows]

    assert listed(workspace_id=world.workspace.id) == [theirs.id, mine.id]
    assert listed(project_id=world.project.id, status="running") == [mine.id]
    assert listed(workspace_id=world.workspace.id, plan="create") == [theirs.id]
    assert listed(experiment_id=other.id, status="running") == []
    assert listed() == [theirs.id, mine.id]
    assert listed(status="running") == [mine.id]

    def seen_by(caller: Caller) -> list[str]:
        page = world.store.read_now(runs.list_page, caller, RunFilter(), PageRequest())
        return [run.id for run in page.rows]

    assert seen_by(world.person("eve")) == []
    elsewhere = world.make_workspace(world.ada)
    for workspace_id, expected in (
        (elsewhere.id, []),
        (world.workspace.id, [theirs.id, mine.id]),
    ):
        grant = KeyGrant("k", workspace_id, None, frozenset({"read"}), Role.ADMIN)
        assert seen_by(Caller(world.ada.user_id, "ada", grant)) == expected


def test_pages_of_all_workspaces_meet_without_gap_or_repeat(world: World) -> None:
    elsewhere = world.make_workspace(world.ada)
    other = world.make_experiment(world.make_project(elsewhere.id).id)
    made = [
        world.submit(experiment_id=place).id
        for place in (world.experiment.id, other.id, other.id, world.experiment.id, other.id)
    ]
    seen: list[str] = []
    cursor = None
    for size in (2, 2, 1):
        page = world.store.read_now(runs.list_page, world.ada, RunFilter(), PageRequest(2, cursor))
        assert len(page.rows) == size
        seen += [run.id for run in page.rows]
        cursor = page.next_cursor
    assert cursor is None
    assert seen == made[::-1]
    nobody = world.person("eve")
    with pytest.raises(Invalid, match="cursor"):
        world.store.read_now(runs.list_page, nobody, RunFilter(), PageRequest(2, "1"))


@SQLITE_ONLY
def test_no_list_of_runs_sorts_or_passes_by_the_rows_of_others(
    world: World, subtests: pytest.Subtests
) -> None:
    """Each is read from an index that gives it newest first, however it is narrowed."""
    places: list[dict[str, str]] = [
        {},
        {"workspace_id": world.workspace.id},
        {"project_id": world.project.id},
        {"experiment_id": world.experiment.id},
    ]
    asked: list[tuple[str, Any]] = []
    event.listen(
        world.store.engine,
        "before_cursor_execute",
        lambda _c, _k, statement, parameters, *_: asked.append((statement, parameters)),
    )
    for place in places:
        for narrow in ({}, {"status": "failed"}, {"plan": "tune"}, {"data_source_id": "x"}):
            with subtests.test(**place, **narrow):
                asked.clear()
                world.store.read_now(
                    runs.list_page, world.ada, RunFilter(**place, **narrow), PageRequest()
                )
                statement, parameters = next(
                    item for item in asked if "ORDER BY runs.id" in item[0]
                )
                with world.store.engine.connect() as connection:
                    found = connection.exec_driver_sql(
                        f"EXPLAIN QUERY PLAN {statement}", parameters
                    )
                    steps = [str(row[-1]) for row in found]
                # a source belongs to one place, so that its own index is narrow enough
                used = narrow if "data_source_id" in narrow else {**(place or places[1]), **narrow}
                assert all(f"{name}=?" in steps[0] for name in used), steps
                assert not any("TEMP B-TREE" in step for step in steps), steps


def test_a_list_of_runs_reads_neither_leaderboard_nor_snapshot(world: World) -> None:
    world.submit()
    asked: list[str] = []
    event.listen(
        world.store.engine,
        "before_cursor_execute",
        lambda _c, _k, statement, *_: asked.append(statement),
    )
    narrow = RunFilter(experiment_id=world.experiment.id)
    world.store.read_now(runs.list_page, world.ada, narrow, PageRequest())
    listing = next(statement for statement in asked if "ORDER BY runs.id" in statement)
    assert "leaderboard" not in listing
    assert "snapshot" not in listing


# ---------------------------------------------------------------- ids


def test_ids_of_one_thread_are_in_the_order_of_making() -> None:
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    parsed = uuid.UUID(made[0])
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert str(parsed) == made[0]


def test_ids_of_several_threads_are_unique_and_each_threads_own_are_in_order() -> None:
    made: list[list[str]] = [[] for _ in range(4)]
    start = threading.Barrier(4)

    def work(mine: list[str]) -> None:
        start.wait()
        mine.extend(new_id() for _ in range(2_000))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine == sorted(mine) for mine in made)
    assert len({one for mine in made for one in mine}) == 8_000


def test_ids_go_on_when_the_machines_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = new_id()
    earlier = time.time_ns() - 3_600_000_000_000
    monkeypatch.setattr(ids.time, "time_ns", lambda: earlier)
    after = [new_id() for _ in range(5_000)]  # more than the counter of one millisecond holds
    assert [before, *after] == sorted([before, *after])
