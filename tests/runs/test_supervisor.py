"""The supervisor with kernels that do as they are told: the cap, the ladder of a cancel, losses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from jupyter_pycaret_ops.kernels.pool import KernelUnavailable
from jupyter_pycaret_ops.kernels.sweep import ServerId
from jupyter_pycaret_ops.kernels.worker import WorkerDied, WorkerRefused
from jupyter_pycaret_ops.lifecycle import Move
from jupyter_pycaret_ops.runs.fanout import Fanout, wait_for_end
from jupyter_pycaret_ops.runs.supervisor import RunSettings, Supervisor
from jupyter_pycaret_ops.store import runs
from jupyter_pycaret_ops.store.models import Run

from ..fakes import Gate, in_loop, settle
from ..fakes.records import POOL, World


class FakeWorker:
    """A kernel that was begun with a run and then does nothing by itself."""

    pid = process_group = 1
    pid_started_at = 1.0

    def __init__(self, kernel_id: str, refuses: Exception | None) -> None:
        self.kernel_id = kernel_id
        self.refuses = refuses
        self.told: list[str] = []
        self.begun = asyncio.Event()
        self.was_told = asyncio.Event()
        self.exited: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def alive(self) -> bool:
        return not self.exited.done()

    async def ask(self, _code: str, *, within_s: float = 60.0) -> None:
        self.begun.set()
        if self.refuses is not None:
            raise self.refuses

    def tell(self, code: str) -> None:
        self.told.append(code)
        self.was_told.set()

    async def end(self) -> None:
        self.die()

    def die(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)


class FakePool:
    """Makes kernels; each is announced on `workers`."""

    def __init__(self) -> None:
        self.workers: asyncio.Queue[FakeWorker] = asyncio.Queue()
        self.live: set[FakeWorker] = set()
        self.most = 0
        self.made = 0
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
        self.made += 1
        worker = FakeWorker(f"kernel-{self.made}", self.refuses)
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


class Desk:
    """A supervisor at work."""

    def __init__(self, world: World, **settings: float) -> None:
        self.world = world
        self.pool = FakePool()
        self.fanout = Fanout()
        self.supervisor = Supervisor(
            world.store,
            self.pool,  # type: ignore[arg-type]
            self.fanout,
            world.clock,
            ServerId.mine(),
            RunSettings(pool=POOL, **settings),  # type: ignore[arg-type]
        )

    def submit(self) -> str:
        run = self.world.submit()
        self.supervisor.wake()
        return run.id

    async def begun(self) -> FakeWorker:
        worker = await self.pool.workers.get()
        await worker.begun.wait()
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

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(0)


@asynccontextmanager
async def at_work(world: World, **settings: float) -> AsyncIterator[Desk]:
    """A supervisor that has reconciled and dispatches, until it is stopped."""
    desk = Desk(world, **settings)
    await desk.supervisor.start()
    try:
        yield desk
    finally:
        desk.supervisor.wake()  # a stop that comes with news stops all the same
        await desk.supervisor.stop()
        await desk.until(lambda: not desk.pool.live)


@in_loop
async def test_as_many_runs_as_the_cap_says_and_the_next_when_one_has_ended(world: World) -> None:
    async with at_work(world, concurrent=2) as desk:
        submitted = [desk.submit() for _ in range(4)]
        for _ in range(2):
            await desk.begun()
        states = [world.run(run_id).status for run_id in submitted]
        assert states == ["running", "running", "queued", "queued"]
        for place, run_id in enumerate(submitted):
            await desk.succeed(run_id)
            if place < 2:
                await desk.begun()
        await desk.until(lambda: not desk.pool.live)
        assert desk.pool.most == 2
        assert {world.run(run_id).status for run_id in submitted} == {"succeeded"}


@in_loop
async def test_a_cancel_is_told_first(world: World) -> None:
    async with at_work(world, grace_s=3600.0) as desk:
        run_id = desk.submit()
        worker = await desk.begun()
        await desk.cancel(run_id)
        await worker.was_told.wait()
        assert worker.told == [f"_pycaret_ops_agent.cancel({run_id!r})"]
        assert worker.alive
        await desk.succeed(run_id)  # it had ended before it heard
        await desk.until(lambda: not worker.alive)
        assert world.run(run_id).status == "succeeded"


@in_loop
async def test_a_cancel_does_not_wait_for_a_kernel_to_start(world: World) -> None:
    async with at_work(world, grace_s=3600.0) as desk:
        desk.pool.may_start.clear()
        run_id = desk.submit()
        await desk.until(lambda: world.run(run_id).status == "running")
        await desk.cancel(run_id)
        assert (await desk.ended(run_id)).status == "cancelled"
        await desk.until(lambda: not desk.supervisor.live)
        desk.pool.may_start.set()
        await desk.until(lambda: bool(desk.pool.given_back))
        assert desk.pool.given_back[0].alive


@in_loop
async def test_what_does_not_stop_within_its_grace_is_killed_and_cancelled(world: World) -> None:
    async with at_work(world, grace_s=0.01) as desk:
        run_id = desk.submit()
        worker = await desk.begun()
        await desk.cancel(run_id)
        assert (await desk.ended(run_id)).status == "cancelled"
        await desk.until(lambda: not desk.pool.live)
        assert not worker.alive
        assert world.kinds(run_id)[-2:] == ["run.cancel_requested", "run.cancelled"]


@in_loop
async def test_a_lost_kernel_is_tried_again_then_fails_as_worker_lost(world: World) -> None:
    async with at_work(world, attempts=2) as desk:
        run_id = desk.submit()
        (await desk.begun()).die()
        second = await desk.begun()
        assert world.run(run_id).attempt == 2
        second.die()
        run = await desk.ended(run_id)
        assert (run.status, run.error_kind, run.attempt) == ("failed", "worker_lost", 2)


@in_loop
async def test_a_second_attempt_is_held_though_the_first_kernel_ends_after_it_has_begun(
    world: World,
) -> None:
    async with at_work(world, attempts=2, concurrent=2, grace_s=3600.0) as desk:
        desk.pool.may_end.clear()
        run_id = desk.submit()
        first = await desk.begun()
        first.die()
        second = await desk.begun()
        desk.pool.may_end.set()
        await desk.until(lambda: desk.supervisor.live == 1)

        world.clock.advance(
            3600.0
        )  # its lease is over; a server that holds it does not take it for lost
        await desk.supervisor.reconcile()
        assert world.run(run_id).status == "running"
        await desk.cancel(run_id)
        await second.was_told.wait()
        await desk.succeed(run_id)
        await desk.ended(run_id)


@in_loop
async def test_a_kernel_that_dies_while_it_is_begun_is_lost_too(world: World) -> None:
    async with at_work(world, attempts=1) as desk:
        desk.pool.refuses = WorkerDied("kernel 7 ended")
        run = await desk.ended(desk.submit())
        assert (run.status, run.error_kind) == ("failed", "worker_lost")


@in_loop
async def test_what_cannot_be_started_fails_and_says_why(world: World) -> None:
    async with at_work(world) as desk:
        desk.pool.unavailable = True
        run = await desk.ended(desk.submit())
        assert (run.status, run.error) == ("failed", "No kernel: see `jupyter kernelspec list`.")
        desk.pool.unavailable = False
        desk.pool.refuses = WorkerRefused("NameError: no agent", "")
        run = await desk.ended(desk.submit())
        assert run.status == "failed"
        assert "NameError" in (run.error or "")


@in_loop
async def test_stopping_leaves_live_runs_to_whoever_comes_next(world: World) -> None:
    async with at_work(world) as desk:
        run_id = desk.submit()
        await desk.begun()
    assert world.run(run_id).status == "queued"
    async with at_work(world) as desk:
        await desk.begun()
        assert world.run(run_id).attempt == 2
        await desk.succeed(run_id)
        await desk.until(lambda: not desk.pool.live)


@in_loop
async def test_a_stop_in_the_middle_of_a_claim_leaves_no_run_without_a_kernel(world: World) -> None:
    desk = Desk(world)
    claiming = Gate()
    claim = world.store.write

    async def slow(work: Callable[..., object], *args: object, **kwargs: object) -> object:
        found = await claim(work, *args, **kwargs)
        if work is runs.claim_next and found is not None:
            await claiming()
        return found

    world.store.write = slow  # type: ignore[method-assign, assignment]
    await desk.supervisor.start()
    run_id = desk.submit()
    await claiming.reached.wait()
    stopping = asyncio.create_task(desk.supervisor.stop())
    await settle()
    claiming.open.set()
    await stopping
    assert world.run(run_id).status == "queued"
    assert not desk.supervisor.live


@in_loop
async def test_what_a_dead_server_left_running_is_settled_at_the_start(world: World) -> None:
    mine = ServerId.mine()
    dead = ServerId(mine.host, mine.pid, mine.pid_started_at - 3600)
    world.submit()
    left = world.claim(server=str(dead))
    assert left is not None
    async with at_work(world, attempts=1):
        run = world.run(left.id)
        assert (run.status, run.error_kind) == ("failed", "worker_lost")


@in_loop
async def test_what_a_live_server_runs_is_not_touched(world: World) -> None:
    world.submit()
    theirs = world.claim(server="elsewhere:7:1.00")
    assert theirs is not None
    async with at_work(world) as desk:
        assert world.run(theirs.id).status == "running"
        world.clock.advance(61)
        await desk.supervisor.reconcile()
        assert world.run(theirs.id).attempt == 2
