"""The supervisor with fake kernels: concurrency, cancel escalation, lost kernels and servers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from jupyter_pycaret_ops.server.executors.kernel.executor import KernelExecutor
from jupyter_pycaret_ops.server.executors.kernel.pool import KernelUnavailable
from jupyter_pycaret_ops.server.executors.kernel.worker import WorkerDied, WorkerRefused
from jupyter_pycaret_ops.server.executors.notebook import NotebookExecutor
from jupyter_pycaret_ops.server.executors.server_id import ServerId
from jupyter_pycaret_ops.server.lifecycle import Move
from jupyter_pycaret_ops.server.runs.fanout import Fanout, wait_for_end
from jupyter_pycaret_ops.server.runs.supervisor import RunSettings, Supervisor
from jupyter_pycaret_ops.server.store import runs
from jupyter_pycaret_ops.server.store.models import Run

from ...fakes import Gate, in_loop, settle
from ...fakes.backends import POSTGRESQL_ONLY, SQLITE_ONLY
from ...fakes.records import POOL, World


class FakeWorker:
    """A kernel that accepts a run and then does nothing by itself."""

    pid = 1
    #: no process has it: a kernel that uses neither processor nor memory
    process_group = 2**30
    pid_started_at = 1.0

    def __init__(self, kernel_id: str, refuses: Exception | None) -> None:
        self.kernel_id = kernel_id
        self.refuses = refuses
        self.sent: list[str] = []
        self.started = asyncio.Event()
        self.was_sent = asyncio.Event()
        self.exited: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def alive(self) -> bool:
        return not self.exited.done()

    async def execute(self, _code: str, *, within_s: float = 60.0) -> None:
        self.started.set()
        if self.refuses is not None:
            raise self.refuses

    def execute_nowait(self, code: str) -> None:
        self.sent.append(code)
        self.was_sent.set()

    async def end(self) -> None:
        self.die()

    def die(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)


class FakePool:
    """Creates kernels and puts each in the queue `workers`."""

    def __init__(self) -> None:
        self.workers: asyncio.Queue[FakeWorker] = asyncio.Queue()
        self.live: set[FakeWorker] = set()
        self.most = 0
        self.n_started = 0
        self.unavailable = False
        self.refuses: Exception | None = None
        self.given_back: list[FakeWorker] = []
        #: a kernel starts when it is set
        self.may_start = asyncio.Event()
        self.may_start.set()
        #: an end waits for it, as it does for a kernel with much memory to give back
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def take(self, _purpose: str) -> FakeWorker:
        if self.unavailable:
            raise KernelUnavailable("No kernel: see `jupyter kernelspec list`.")
        await self.may_start.wait()
        self.n_started += 1
        worker = FakeWorker(f"kernel-{self.n_started}", self.refuses)
        self.live.add(worker)
        self.most = max(self.most, len(self.live))
        self.workers.put_nowait(worker)
        return worker

    async def end(self, worker: FakeWorker) -> None:
        worker.die()
        await self.may_end.wait()
        self.live.discard(worker)

    def give_back(self, worker: FakeWorker) -> None:
        self.given_back.append(worker)
        self.live.discard(worker)

    def refill(self) -> None:
        pass


class FakeAgents:
    """The times at which attempts were last seen."""

    def __init__(self, last_seen: dict[tuple[str, int], float]) -> None:
        self._last_seen = last_seen

    def last_seen_at(self, run_id: str, attempt: int) -> float | None:
        return self._last_seen.get((run_id, attempt))

    def reset_last_seen(self) -> None:
        pass

    def forget(self, _run_id: str) -> None:
        pass


class SupervisorAtWork:
    """A supervisor with a fake pool."""

    def __init__(self, world: World, **settings: Any) -> None:
        self.world = world
        self.pool = FakePool()
        self.fanout = Fanout()
        server = ServerId.current()
        self.kernel = KernelExecutor(self.pool, world.store, server)  # type: ignore[arg-type]
        self.notebook = NotebookExecutor(
            world.store,
            world.clock,
            pool=POOL,
            lease_s=settings.get("lease_s", 60.0),
            grace_s=settings.get("grace_s", 5.0),
        )
        self.supervisor = Supervisor(
            world.store,
            self.kernel,
            self.fanout,
            world.clock,
            server,
            RunSettings(pool=POOL, **settings),
            others=[self.notebook],
        )
        self.notebook.finish = self.supervisor.close_as_cancelled

    def submit(self) -> str:
        run = self.world.submit()
        self.supervisor.wake()
        return run.id

    async def next_worker(self) -> FakeWorker:
        worker = await self.pool.workers.get()
        await worker.started.wait()
        return worker

    async def succeed(self, run_id: str) -> None:
        """As the agent's last word does it."""
        run = self.world.run(run_id)
        await self.world.store.write(
            runs.finish, run_id, run.attempt, Move.SUCCEED, self.world.clock.now(), message="Done"
        )
        self.supervisor.ended(run_id, run.attempt)

    async def cancel(self, run_id: str) -> None:
        await self.world.store.write(
            runs.request_cancel, self.world.ada, run_id, self.world.clock.now()
        )
        self.supervisor.cancel(run_id)

    async def ended(self, run_id: str) -> Run:
        await wait_for_end(self.world.store, self.fanout, run_id, 10)
        return self.world.run(run_id)

    async def pass_time(self, seconds: float) -> None:
        """Let the clock go on in small steps, as it does for a server that is awake."""
        step = min(1.0, self.supervisor._settings.lease_s / 12)
        await settle(20)  # tasks that were started before go on
        for _ in range(int(seconds / step) + 1):
            self.world.clock.advance(step)
            await self.supervisor._reconciler.notice_pause()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(0)


@asynccontextmanager
async def at_work(world: World, **settings: Any) -> AsyncIterator[SupervisorAtWork]:
    """Start a supervisor, and stop it at the end."""
    work = SupervisorAtWork(world, **settings)
    await work.supervisor.start()
    try:
        yield work
    finally:
        work.supervisor.wake()  # a stop that comes with news stops all the same
        await work.supervisor.stop()
        await work.until(lambda: not work.pool.live)


@in_loop
async def test_concurrent_runs_are_limited_and_the_next_starts_when_one_ends(world: World) -> None:
    async with at_work(world, concurrent=2) as work:
        submitted = [work.submit() for _ in range(4)]
        for _ in range(2):
            await work.next_worker()
        states = [world.run(run_id).status for run_id in submitted]
        assert states == ["running", "running", "queued", "queued"]
        for place, run_id in enumerate(submitted):
            await work.succeed(run_id)
            if place < 2:
                await work.next_worker()
        await work.until(lambda: not work.pool.live)
        assert work.pool.most == 2
        assert {world.run(run_id).status for run_id in submitted} == {"succeeded"}


@in_loop
async def test_cancel_is_first_sent_to_the_kernel(world: World) -> None:
    async with at_work(world, grace_s=3600.0) as work:
        run_id = work.submit()
        worker = await work.next_worker()
        await work.cancel(run_id)
        await worker.was_sent.wait()
        assert worker.sent == [f"_pycaret_ops_agent.cancel({run_id!r})"]
        assert worker.alive
        await work.succeed(run_id)  # it ended before the cancel reached it
        await work.until(lambda: not worker.alive)
        assert world.run(run_id).status == "succeeded"


@in_loop
async def test_cancel_does_not_wait_for_a_kernel_to_start(world: World) -> None:
    async with at_work(world, grace_s=3600.0) as work:
        work.pool.may_start.clear()
        run_id = work.submit()
        await work.until(lambda: world.run(run_id).status == "running")
        await work.cancel(run_id)
        assert (await work.ended(run_id)).status == "cancelled"
        await work.until(lambda: not work.supervisor.live)
        work.pool.may_start.set()
        await work.until(lambda: bool(work.pool.given_back))
        assert work.pool.given_back[0].alive


@in_loop
async def test_run_that_does_not_stop_within_the_grace_time_is_killed_and_cancelled(
    world: World,
) -> None:
    async with at_work(world, grace_s=0.01) as work:
        run_id = work.submit()
        worker = await work.next_worker()
        await work.cancel(run_id)
        assert (await work.ended(run_id)).status == "cancelled"
        await work.until(lambda: not work.pool.live)
        assert not worker.alive
        assert world.kinds(run_id)[-2:] == ["run.cancel_requested", "run.cancelled"]


@in_loop
async def test_lost_kernel_is_requeued_then_fails_as_worker_lost(world: World) -> None:
    async with at_work(world, attempts=2) as work:
        run_id = work.submit()
        (await work.next_worker()).die()
        second = await work.next_worker()
        assert world.run(run_id).attempt == 2
        second.die()
        run = await work.ended(run_id)
        assert (run.status, run.error_kind, run.attempt) == ("failed", "worker_lost", 2)


@in_loop
async def test_second_attempt_goes_on_when_the_first_kernel_ends_after_its_start(
    world: World,
) -> None:
    async with at_work(world, attempts=2, concurrent=2, grace_s=3600.0) as work:
        work.pool.may_end.clear()
        run_id = work.submit()
        first = await work.next_worker()
        first.die()
        second = await work.next_worker()
        work.pool.may_end.set()
        await work.until(lambda: work.supervisor.live == 1)

        world.clock.advance(
            3600.0
        )  # its lease is over; a server that holds it does not take it for lost
        await work.supervisor.reconcile()
        assert world.run(run_id).status == "running"
        await work.cancel(run_id)
        await second.was_sent.wait()
        await work.succeed(run_id)
        await work.ended(run_id)


@in_loop
async def test_kernel_that_dies_during_the_start_is_lost(world: World) -> None:
    async with at_work(world, attempts=1) as work:
        work.pool.refuses = WorkerDied("kernel 7 ended")
        run = await work.ended(work.submit())
        assert (run.status, run.error_kind) == ("failed", "worker_lost")


@in_loop
async def test_run_without_a_kernel_fails_with_the_reason(world: World) -> None:
    async with at_work(world) as work:
        work.pool.unavailable = True
        run = await work.ended(work.submit())
        assert (run.status, run.error) == ("failed", "No kernel: see `jupyter kernelspec list`.")
        work.pool.unavailable = False
        work.pool.refuses = WorkerRefused("NameError: no agent", "")
        run = await work.ended(work.submit())
        assert run.status == "failed"
        assert "NameError" in (run.error or "")


@in_loop
async def test_stop_requeues_live_runs_for_the_next_server(world: World) -> None:
    async with at_work(world) as work:
        run_id = work.submit()
        await work.next_worker()
    assert world.run(run_id).status == "queued"
    async with at_work(world) as work:
        await work.next_worker()
        assert world.run(run_id).attempt == 2
        await work.succeed(run_id)
        await work.until(lambda: not work.pool.live)


@in_loop
async def test_stop_during_a_claim_leaves_no_run_without_a_kernel(world: World) -> None:
    work = SupervisorAtWork(world)
    claiming = Gate()
    claim = world.store.write

    async def slow(work: Callable[..., object], *args: object, **kwargs: object) -> object:
        found = await claim(work, *args, **kwargs)
        if work is runs.claim_next and found is not None:
            await claiming()
        return found

    world.store.write = slow  # type: ignore[method-assign, assignment]
    await work.supervisor.start()
    run_id = work.submit()
    await claiming.reached.wait()
    stopping = asyncio.create_task(work.supervisor.stop())
    await settle()
    claiming.open.set()
    await stopping
    assert world.run(run_id).status == "queued"
    assert not work.supervisor.live


@in_loop
async def test_runs_of_a_dead_server_are_settled_at_start(world: World) -> None:
    current = ServerId.current()
    dead = ServerId(current.host, current.pid, current.pid_started_at - 3600)
    world.submit()
    left = world.claim(server=str(dead))
    assert left is not None
    async with at_work(world, attempts=1):
        run = world.run(left.id)
        assert (run.status, run.error_kind) == ("failed", "worker_lost")


@in_loop
async def test_runs_of_a_live_server_are_not_touched(world: World) -> None:
    world.submit()
    other = world.claim(server="elsewhere:7:1.00")
    assert other is not None
    async with at_work(world) as work:
        assert world.run(other.id).status == "running"
        await work.pass_time(61)
        await work.supervisor.reconcile()
        assert world.run(other.id).attempt == 2


@in_loop
async def test_silent_kernel_is_ended_and_counts_as_lost(world: World) -> None:
    async with at_work(world, attempts=2, lease_s=0.5) as work:
        run_id = work.submit()
        first = await work.next_worker()
        await work.pass_time(0.6)
        await work.until(lambda: not first.alive)
        second = await work.next_worker()
        assert world.run(run_id).attempt == 2
        assert "did not report" in world.events(run_id)[-2].message
        await work.pass_time(0.6)
        await work.until(lambda: not second.alive)
        run = await work.ended(run_id)
        assert (run.status, run.error_kind) == ("failed", "worker_lost")


@in_loop
async def test_reporting_kernel_is_not_ended(world: World) -> None:
    async with at_work(world, lease_s=0.5) as work:
        last_seen: dict[tuple[str, int], float] = {}
        work.supervisor.agents = FakeAgents(last_seen)  # type: ignore[assignment]
        run_id = work.submit()
        worker = await work.next_worker()
        for _ in range(4):
            await work.pass_time(0.4)
            last_seen[run_id, 1] = world.clock.monotonic()
        assert worker.alive
        await work.succeed(run_id)


@in_loop
async def test_paused_server_counts_no_kernel_as_silent(world: World) -> None:
    """The machine slept: all leases have lapsed, and no run is lost."""
    world.submit()
    notebook_run = world.submit(
        executor="notebook", lease_until=world.clock.now() + timedelta(seconds=60)
    )
    sibling = world.claim(server="elsewhere:7:1.00")
    assert sibling is not None
    async with at_work(world, concurrent=2) as work:
        run_id = work.submit()
        worker = await work.next_worker()
        world.clock.advance(3600)
        await work.supervisor.reconcile()
        assert worker.alive
        assert [world.run(each).status for each in (run_id, sibling.id)] == ["running", "running"]
        assert world.run(notebook_run.id).status == "queued", "its kernel may still come"
        # a server that did not come back within a lease is gone all the same
        await work.pass_time(61)
        await work.supervisor.reconcile()
        assert world.run(sibling.id).attempt == 2
        await work.succeed(run_id)


@in_loop
async def test_run_whose_kernel_ignores_the_time_limit_is_ended(world: World) -> None:
    async with at_work(world, overtime_s=10.0) as work:
        snapshot = {"task": "regression", "plan_params": {"time_limit": 20}}
        run_id = world.submit(snapshot=snapshot).id
        work.supervisor.wake()
        worker = await work.next_worker()
        await work.pass_time(29)
        assert worker.alive
        await work.pass_time(2)
        await work.until(lambda: not worker.alive)
        run = await work.ended(run_id)
        assert (run.status, run.error_kind, run.attempt) == ("failed", "timeout", 1)
        assert "time limit of 20 s" in (run.error or "")


@in_loop
async def test_run_over_its_memory_limit_fails_with_the_figures(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeWorker, "process_group", os.getpgrp())
    async with at_work(world, attempts=2, memory_limit=lambda: 1) as work:
        run = await work.ended(work.submit())
        assert (run.status, run.error_kind, run.attempt) == ("failed", "user", 1)
        assert "limit of a worker kernel is 0 MiB" in (run.error or "")
        assert "worker_memory_bytes" in (run.error or "")


# ---------------------------------------------------------------- pools that are gone


@SQLITE_ONLY
@in_loop
async def test_runs_of_a_renamed_host_are_adopted_on_sqlite(world: World) -> None:
    """A container was created again, with the same files and another host name, so another pool."""
    queued = world.submit(pool="old-host/ada")
    async with at_work(world, concurrent=3) as work:
        running = world.submit(pool="old-host/ada")
        assert world.claim(pool="old-host/ada", server="old-host:7:1.00") is not None
        await work.supervisor.reconcile()
        assert world.run(running.id).status == "queued", "the older one was claimed"
        assert world.run(queued.id).status == "running"
        await work.pass_time(61)
        await work.supervisor.reconcile()
        await work.pass_time(1)
        await work.supervisor.reconcile()
        for _ in range(2):
            await work.next_worker()
        assert [world.run(run.id).pool for run in (queued, running)] == [POOL, POOL]
        assert world.run(queued.id).attempt == 2


@POSTGRESQL_ONLY
@in_loop
async def test_runs_of_a_silent_host_show_what_they_wait_for_on_a_shared_database(
    world: World,
) -> None:
    running = world.submit(pool="away/ada")
    assert world.claim(pool="away/ada", server="away:7:1.00") is not None
    queued = world.submit(pool="away/ada")
    async with at_work(world) as work:
        await work.supervisor.reconcile()
        assert "run.waiting" not in world.kinds(queued.id), "it may be busy"
        await work.pass_time(130)
        for _ in range(2):
            await work.supervisor.reconcile()
        for run in (running, queued):
            assert "away/ada" in world.run(run.id).progress["label"]
            assert world.kinds(run.id).count("run.waiting") == 1
            assert world.run(run.id).pool == "away/ada"


@in_loop
async def test_cancel_ends_a_run_whose_server_is_silent(world: World) -> None:
    run = world.submit(pool="away/ada")
    assert world.claim(pool="away/ada", server="away:7:1.00") is not None
    world.clock.advance(61)
    row = await world.store.write(runs.request_cancel, world.ada, run.id, world.clock.now())
    assert row.status == "cancelled"
    assert world.kinds(run.id)[-1] == "run.cancelled"
