"""Runs in worker kernels of this server: one kernel per run, from the pool."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.orm import Session

from ...background import BackgroundTasks
from ...store import workers
from ...store.session import Store
from ...threads import in_thread
from ..interface import LOST, Attempt, AttemptRefused, ExecutionLost, ExecutorUnavailable
from ..server_id import ServerId
from .memory import MemoryWatch
from .pool import KernelUnavailable, WorkerPool
from .process import group_cpu_s
from .sweep import OrphanedKernel, sweep
from .worker import Worker, WorkerDied, WorkerRefused

log = logging.getLogger("jupyter_pycaret_ops")


class KernelExecution:
    """An attempt in a worker kernel."""

    def __init__(self, executor: KernelExecutor, worker: Worker, run_id: str) -> None:
        self._executor = executor
        self._worker = worker
        self._run_id = run_id

    @property
    def exited(self) -> asyncio.Future[None]:
        """Done when the kernel's process has ended."""
        return self._worker.exited

    def cancel(self) -> None:
        """Call the agent's `cancel` through the kernel's shell channel."""
        self._worker.execute_nowait(f"_pycaret_ops_agent.cancel({self._run_id!r})")

    async def kill(self) -> None:
        """Kill the kernel with its process group."""
        await self._worker.end()

    async def close(self) -> None:
        """End the kernel, and start another spare."""
        await self._executor.end(self._worker)

    async def cpu_s(self) -> float:
        """Return the processor time of the kernel's process group, in seconds."""
        return await in_thread(group_cpu_s, self._worker.process_group, self._worker.pid_started_at)

    async def memory_exceeded(self, limit_bytes: int) -> int:
        """Return the bytes in use as soon as they exceed `limit_bytes`."""
        return await MemoryWatch(self._worker, limit_bytes).exceeded()


class KernelExecutor:
    """Start attempts in kernels of the pool. `agent_url` is where agents report."""

    def __init__(self, pool: WorkerPool, store: Store, server: ServerId) -> None:
        self._pool = pool
        self._store = store
        self._server = server
        self._background = BackgroundTasks()
        self._is_stopping = False
        self.agent_url = ""

    async def start(self, attempt: Attempt) -> KernelExecution:
        """Start an attempt in a kernel; a start that is cancelled leaves the kernel to the next run.

        Raises
        ------
        ExecutorUnavailable
            When no kernel can be started.
        AttemptRefused
            When the kernel cannot run plans.
        ExecutionLost
            When the kernel ends before the attempt has started.
        """
        worker = await self._take(attempt)
        try:
            await worker.execute(
                f"_pycaret_ops_agent.begin({self.agent_url!r}, {attempt.run_id!r}, {attempt.token!r})"
            )
        except BaseException as error:
            await asyncio.shield(self.end(worker))
            if isinstance(error, WorkerDied):
                raise ExecutionLost(LOST) from error
            if isinstance(error, WorkerRefused):
                raise AttemptRefused(
                    f"The worker kernel refused the run ({error.args[0]})."
                ) from error
            raise
        self._background.start(self._record(worker, attempt.run_id), f"record-run-{attempt.run_id}")
        return KernelExecution(self, worker, attempt.run_id)

    async def _take(self, attempt: Attempt) -> Worker:
        taking = asyncio.create_task(self._pool.take("run"), name=f"run-kernel-{attempt.run_id}")
        try:
            return await asyncio.shield(taking)
        except KernelUnavailable as error:
            raise ExecutorUnavailable(str(error)) from error
        except asyncio.CancelledError:
            if self._is_stopping:
                taking.cancel()
                await asyncio.wait({taking})
                if not taking.cancelled() and taking.exception() is None:
                    await asyncio.shield(self._pool.end(taking.result()))  # it had just started
            else:
                self._background.start(self._give_back(taking), f"unused-kernel-{attempt.run_id}")
            raise

    async def _give_back(self, taking: asyncio.Task[Worker]) -> None:
        """Keep a kernel, once it has started, for the next run."""
        with contextlib.suppress(KernelUnavailable):
            self._pool.give_back(await taking)
        self._pool.refill()

    async def _record(self, worker: Worker, run_id: str) -> None:
        """Record which run the kernel executes; the run goes on when that fails."""
        try:
            await self._store.write(workers.assign, worker.kernel_id, "run", run_id)
        except Exception as error:
            log.warning("the kernel of run %s could not be recorded: %s", run_id, error)

    async def end(self, worker: Worker) -> None:
        """End a kernel with all of its processes."""
        await self._pool.end(worker)
        if not self._is_stopping:
            self._pool.refill()

    def execution(self, run_id: str) -> None:
        """Return None: the supervisor starts every run in a worker kernel."""

    async def resume(self) -> None:
        """Do nothing: kernels of this server were paused with it."""

    async def settle_overdue(self) -> None:
        """End the kernels of servers on this host that are gone."""

        def read(session: Session) -> list[OrphanedKernel]:
            return [
                OrphanedKernel(
                    row.kernel_id, row.server_id, row.pid, row.process_group, row.pid_started_at
                )
                for row in workers.on_host(session, self._server.host)
                if row.server_id != str(self._server)
            ]

        orphans = await self._store.read(read)
        if orphans:
            for kernel_id in await in_thread(sweep, orphans, self._server.host):
                await self._store.write(workers.forget, kernel_id)

    def forget(self, run_id: str) -> None:
        """Do nothing: `close` ends the kernel."""

    async def stop(self) -> None:
        """Start nothing more."""
        self._is_stopping = True
        await self._background.close()
