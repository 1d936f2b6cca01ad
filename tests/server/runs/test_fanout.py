"""Watchers of runs see each event once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from jupyter_pycaret_ops.server.lifecycle import Move
from jupyter_pycaret_ops.server.runs import fanout as fanout_room
from jupyter_pycaret_ops.server.runs.fanout import Fanout, follow, wait_for_end
from jupyter_pycaret_ops.server.store import events as event_rows
from jupyter_pycaret_ops.server.store import ingest, runs
from jupyter_pycaret_ops.server.store.models import Event, Run
from jupyter_pycaret_ops.server.store.session import Store

from ...fakes import Gate, in_loop, settle
from ...fakes.records import World, said


@pytest.fixture(autouse=True)
def no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polling is turned off: only a publish wakes a watcher."""
    monkeypatch.setattr(fanout_room, "POLL_S", 3600.0)


class Sayer:
    """An agent: its events are stored, and watchers are woken."""

    def __init__(self, world: World, fanout: Fanout) -> None:
        self.world = world
        self.fanout = fanout
        self.run = world.running()
        self.n = 0

    async def say(self, number: int = 1) -> None:
        batch = [said(self.n + offset) for offset in range(1, number + 1)]
        self.n += number
        await self.world.store.write(ingest.take_events, self.run.id, 1, batch)
        self.fanout.publish(self.run.id)

    async def end(self, move: Move = Move.SUCCEED) -> None:
        await self.world.store.write(
            runs.finish, self.run.id, 1, move, self.world.clock.now(), message="Done"
        )
        self.fanout.publish(self.run.id)


@pytest.fixture
def fanout() -> Fanout:
    return Fanout()


@pytest.fixture
def sayer(world: World, fanout: Fanout) -> Sayer:
    return Sayer(world, fanout)


class Watcher:
    """Follows a run and records the `seq` of each event."""

    def __init__(self, sayer: Sayer, after_seq: int = 0) -> None:
        self.seen: list[int] = []
        self.status: str | None = None
        self.news = asyncio.Event()
        self.task = asyncio.create_task(
            self._watch(follow(sayer.world.store, sayer.fanout, sayer.run.id, after_seq))
        )

    async def _watch(self, feed: AsyncIterator[tuple[list[Event], str | None]]) -> None:
        async for page, status in feed:
            assert self.status is None, "something came after the end"
            self.seen += [event.seq for event in page]
            self.status = status
            self.news.set()

    async def saw(self, seq: int) -> None:
        while not self.seen or self.seen[-1] < seq:
            self.news.clear()
            await self.news.wait()


@in_loop
async def test_two_watchers_see_each_event_once_and_in_order(sayer: Sayer) -> None:
    early = Watcher(sayer)
    await sayer.say(3)
    await early.saw(5)
    late = Watcher(sayer)
    await sayer.say(2)
    await sayer.end()
    await asyncio.gather(early.task, late.task)
    assert early.seen == late.seen == list(range(1, 9))
    assert early.status == late.status == "succeeded"


@in_loop
async def test_watcher_that_reconnects_has_no_gap_and_no_repetition(sayer: Sayer) -> None:
    first = Watcher(sayer)
    await sayer.say(3)
    await first.saw(5)
    first.task.cancel()
    await asyncio.gather(first.task, return_exceptions=True)
    await sayer.say(2)
    second = Watcher(sayer, after_seq=first.seen[-1])
    await sayer.say(1)
    await sayer.end(Move.FAIL)
    await second.task
    assert first.seen + second.seen == list(range(1, 10))
    assert second.status == "failed"


@in_loop
async def test_event_stored_between_replay_and_live_is_not_missed(
    sayer: Sayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event is stored after the page was read and before the watcher waits."""
    gate = Gate()
    store = sayer.world.store
    read = store.read
    turn = 0

    async def reading(work: Any, *arguments: Any) -> Any:
        nonlocal turn
        found = await read(work, *arguments)
        turn += 1
        if turn == 2:  # the replay is over: nothing was found, and the watcher is about to wait
            assert found[0] == []
            await gate()
        return found

    monkeypatch.setattr(store, "read", reading)
    watcher = Watcher(sayer)
    await gate.reached.wait()
    await sayer.say(1)
    gate.open.set()
    await watcher.saw(3)
    await sayer.end()
    await watcher.task
    assert watcher.seen == [1, 2, 3, 4]


@in_loop
async def test_slow_watcher_delays_no_other_and_holds_one_page(
    sayer: Sayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout_room, "PAGE", 10)
    feed = follow(sayer.world.store, sayer.fanout, sayer.run.id, 0)
    first, _ = await anext(feed)  # and now this reader does not come back for a while
    quick = Watcher(sayer)
    for _ in range(10):
        await sayer.say(10)
    await quick.saw(102)
    pages = [first]
    await sayer.end()
    async for page, _status in feed:
        assert len(page) <= 10
        pages.append(page)
    await quick.task
    slow = [event.seq for page in pages for event in page]
    assert slow == quick.seen == list(range(1, 104))


@in_loop
async def test_ended_run_is_replayed_and_closed(sayer: Sayer) -> None:
    await sayer.say(2)
    await sayer.end(Move.CANCEL)
    watcher = Watcher(sayer)
    await watcher.task
    assert watcher.seen == [1, 2, 3, 4, 5]
    assert watcher.status == "cancelled"
    nothing = Watcher(sayer, after_seq=5)
    await nothing.task
    assert (nothing.seen, nothing.status) == ([], "cancelled")


@in_loop
async def test_deleted_run_ends_its_watchers(sayer: Sayer) -> None:
    await sayer.end()
    feed = follow(sayer.world.store, sayer.fanout, sayer.run.id, 0)
    await anext(feed)
    await sayer.world.store.write(runs.delete, sayer.world.ada, sayer.run.id)
    assert [item async for item in feed] == [([], "deleted")]


@in_loop
async def test_events_of_another_server_are_found_by_polling(
    sayer: Sayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing wakes the watcher for events of another server, so it polls."""
    monkeypatch.setattr(fanout_room, "POLL_S", 0.01)
    watcher = Watcher(sayer)
    await watcher.saw(2)
    sayer.fanout = Fanout()
    await sayer.say(1)
    await sayer.end()
    await watcher.task
    assert watcher.seen == [1, 2, 3, 4]


@in_loop
async def test_closed_watchers_are_forgotten(sayer: Sayer) -> None:
    watchers = [Watcher(sayer) for _ in range(3)]
    await watchers[-1].saw(2)
    for watcher in watchers:
        watcher.task.cancel()
    await asyncio.gather(*(watcher.task for watcher in watchers), return_exceptions=True)
    await settle()
    assert not sayer.fanout._watchers
    sayer.fanout.publish(sayer.run.id)
    assert not sayer.fanout._watchers


# ---------------------------------------------------------------- waiting for the end


@in_loop
async def test_wait_returns_when_the_run_ends(sayer: Sayer) -> None:
    store, run_id = sayer.world.store, sayer.run.id
    waiting = asyncio.create_task(wait_for_end(store, sayer.fanout, run_id, 3600))
    await sayer.say(1)
    await settle()
    assert not waiting.done()
    await sayer.end()
    await waiting
    await wait_for_end(store, sayer.fanout, run_id, 3600)  # at once, when it has ended


@in_loop
async def test_wait_returns_after_the_timeout(sayer: Sayer) -> None:
    store = sayer.world.store
    await wait_for_end(store, sayer.fanout, sayer.run.id, 0)
    await wait_for_end(store, sayer.fanout, sayer.run.id, 0.05)
    assert sayer.world.run(sayer.run.id).status == "running"


@in_loop
async def test_wait_for_a_deleted_run_returns(store: Store, fanout: Fanout) -> None:
    await wait_for_end(store, fanout, "no-such-run", 3600)


@in_loop
async def test_events_after_a_seq_are_read_page_by_page(sayer: Sayer) -> None:
    await sayer.say(6)

    async def page(after: int, limit: int) -> list[int]:
        rows = await sayer.world.store.read(event_rows.after, sayer.run.id, after, limit)
        return [row.seq for row in rows]

    assert await page(0, 3) == [1, 2, 3]
    assert await page(3, 3) == [4, 5, 6]
    assert await page(8, 3) == []


def test_publish_wakes_only_watchers_of_the_run(world: World, fanout: Fanout) -> None:
    first: Run = world.running()
    with fanout.watch(first.id) as news:
        fanout.publish("another")
        assert not news.is_set()
        fanout.publish(first.id)
        assert news.is_set()
