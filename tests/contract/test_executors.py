"""One contract for every way to execute runs: start, exit, cancel, kill, loss.

The supervisor relies on nothing else. Kernels here do as they are told; `tests/faults` has real ones.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from jupyter_pycaret_ops.common.errors import Stale
from jupyter_pycaret_ops.server.executors.interface import Attempt, Execution, Executor
from jupyter_pycaret_ops.server.store import runs

from ..fakes import in_loop, settle
from ..fakes.fixtures import clock, store, world
from ..fakes.records import World
from ..server.runs.test_supervisor import SupervisorAtWork, at_work

__all__ = ["clock", "store", "world"]


class ExecutorContract:
    """Subclasses say how their attempts come about and how what executes them goes away."""

    def executor(self, work: SupervisorAtWork) -> Executor:
        raise NotImplementedError

    async def begun(self, work: SupervisorAtWork) -> tuple[str, Execution]:
        """A run that is executed, and its execution."""
        raise NotImplementedError

    async def lose(self, work: SupervisorAtWork, run_id: str, execution: Execution) -> None:
        """What executes the run goes away without a word."""
        raise NotImplementedError

    @in_loop
    async def test_started_attempt_is_running_and_has_not_exited(self, world: World) -> None:
        async with at_work(world, concurrent=0) as work:
            run_id, execution = await self.begun(work)
            assert world.run(run_id).status == "running"
            assert not execution.exited.done()
            assert await execution.cpu_s() >= 0
            await execution.close()

    @in_loop
    async def test_execution_has_exited_when_the_run_is_over_and_it_was_closed(
        self, world: World
    ) -> None:
        async with at_work(world, concurrent=0) as work:
            run_id, execution = await self.begun(work)
            await work.succeed(run_id)
            await execution.close()
            await asyncio.wait_for(asyncio.shield(execution.exited), 10)
            assert world.run(run_id).status == "succeeded"
            assert self.executor(work).execution(run_id) is None

    @in_loop
    async def test_cancel_returns_at_once_and_leaves_the_end_to_the_agent(
        self, world: World
    ) -> None:
        async with at_work(world, concurrent=0, grace_s=3600.0) as work:
            run_id, execution = await self.begun(work)
            await world.store.write(runs.request_cancel, world.ada, run_id, world.clock.now())
            execution.cancel()
            await settle()
            assert world.run(run_id).status == "running"
            assert not execution.exited.done()
            await work.succeed(run_id)  # the plan was done before it heard
            await execution.close()
            assert world.run(run_id).status == "succeeded"

    @in_loop
    async def test_killed_execution_has_exited_and_can_report_nothing(self, world: World) -> None:
        async with at_work(world, concurrent=0) as work:
            run_id, execution = await self.begun(work)
            await execution.kill()
            await asyncio.wait_for(asyncio.shield(execution.exited), 10)
            await execution.close()
            await self.refuses(work, run_id)

    async def refuses(self, work: SupervisorAtWork, run_id: str) -> None:
        """Whatever is left of the execution has no effect on the run."""
        raise NotImplementedError

    @in_loop
    async def test_lost_execution_exits_without_a_word(self, world: World) -> None:
        async with at_work(world, concurrent=0) as work:
            run_id, execution = await self.begun(work)
            await self.lose(work, run_id, execution)
            await asyncio.wait_for(asyncio.shield(execution.exited), 10)
            await execution.close()

    @in_loop
    async def test_nothing_exceeds_a_limit_that_is_never_reached(self, world: World) -> None:
        async with at_work(world, concurrent=0) as work:
            _, execution = await self.begun(work)
            watching = asyncio.ensure_future(execution.memory_exceeded(1 << 60))
            await settle()
            assert not watching.done()
            watching.cancel()
            await execution.close()


class TestKernelExecutor(ExecutorContract):
    def executor(self, work: SupervisorAtWork) -> Executor:
        return work.kernel

    async def begun(self, work: SupervisorAtWork) -> tuple[str, Execution]:
        work.world.submit()
        run = work.world.claim()
        assert run is not None
        return run.id, await work.kernel.start(Attempt(run.id, run.attempt, "pcr_token"))

    async def lose(self, work: SupervisorAtWork, run_id: str, execution: Execution) -> None:
        next(iter(work.pool.live)).die()

    async def refuses(self, work: SupervisorAtWork, run_id: str) -> None:
        assert not any(worker.alive for worker in work.pool.live)


class TestNotebookExecutor(ExecutorContract):
    def executor(self, work: SupervisorAtWork) -> Executor:
        return work.notebook

    async def begun(self, work: SupervisorAtWork) -> tuple[str, Execution]:
        until = work.world.clock.now() + timedelta(seconds=60)
        run = work.world.submit(executor="notebook", lease_until=until)
        return run.id, await work.notebook.start(Attempt(run.id, run.attempt))

    async def lose(self, work: SupervisorAtWork, run_id: str, execution: Execution) -> None:
        await work.pass_time(61)  # the kernel has not reported for longer than a lease
        await work.supervisor.reconcile()
        assert work.world.run(run_id).error_kind == "worker_lost"

    async def refuses(self, work: SupervisorAtWork, run_id: str) -> None:
        assert work.world.run(run_id).status == "cancelled"
        with pytest.raises(Stale):
            await work.world.store.write(runs.current_attempt, run_id, 1)
