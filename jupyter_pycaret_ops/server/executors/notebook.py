"""Runs in somebody's own kernel: a notebook comes for the attempt with its token, and reports by itself.

The server can neither start nor end that kernel. It knows of it by a lease that each report extends, and
ends an attempt by closing its record: the agent is refused from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from ...common.clock import Clock
from ...common.errors import Stale
from ..background import BackgroundTasks
from ..store import keys, runs
from ..store.models import Run
from ..store.session import Store
from .interface import Attempt

CLOSED = "Cancelled; what its kernel still does is not heard any more"


class NotebookExecution:
    """An attempt in a notebook's kernel."""

    def __init__(self, executor: NotebookExecutor, attempt: Attempt) -> None:
        self._executor = executor
        self._attempt = attempt
        self._exited: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def exited(self) -> asyncio.Future[None]:
        """Done when the attempt is over, or its kernel is known to be gone."""
        return self._exited

    def cancel(self) -> None:
        """Give the agent the grace time: it hears of the cancel in the answer to its next report."""
        self._executor.close_after_grace(self._attempt.run_id)

    async def kill(self) -> None:
        """Close the record of the attempt: the agent is refused from now on."""
        await self._executor.close_record(self._attempt.run_id, self._attempt.number)

    async def close(self) -> None:
        """Nothing of this server's was used."""
        if not self._exited.done():
            self._exited.set_result(None)

    async def cpu_s(self) -> float:
        """Return 0: the kernel is not ours to measure."""
        return 0.0

    async def memory_exceeded(self, limit_bytes: int) -> int:
        """Never return: the kernel is not ours to limit."""
        never: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        return await never


class NotebookExecutor:
    """Attempts in kernels of other people, for one pool of servers."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        pool: str,
        lease_s: float,
        grace_s: float,
    ) -> None:
        self._store = store
        self._clock = clock
        self._pool = pool
        self._lease_s = lease_s
        self._grace_s = grace_s
        #: closes the record of an attempt as cancelled, with a message; raises Stale where it is over
        self.finish: Callable[[str, int, str], Awaitable[None]] | None = None
        self._background = BackgroundTasks()
        self._executions: dict[str, NotebookExecution] = {}
        #: when the lease of each run was last extended
        self._extended: dict[str, datetime] = {}

    # ---------------------------------------------------------------- the kernel's side

    def invite(self, new: runs.NewRun) -> tuple[runs.NewRun, str]:
        """Return the run with a token for the caller's kernel, which begins it by asking for its spec."""
        token = keys.new_secret(keys.RUN_TOKEN_PREFIX)
        return replace(new, token_hash=keys.digest(token), lease_until=self._lease()), token

    async def start(self, attempt: Attempt) -> NotebookExecution:
        """The kernel that the run waits for has come: the run is running.

        Raises
        ------
        Stale
            When the attempt is over.
        """
        await self._store.write(
            runs.begin_notebook_run,
            attempt.run_id,
            attempt.number,
            self._clock.now(),
            self._lease(),
        )
        self._extended[attempt.run_id] = self._clock.now()
        known = self._executions.get(attempt.run_id)
        if known is None:
            known = self._executions[attempt.run_id] = NotebookExecution(self, attempt)
        return known

    async def heard(self, run: Run) -> None:
        """Extend the lease of a run whose kernel has reported, now and then."""
        now = self._clock.now()
        before = self._extended.get(run.id)
        if before is not None and now - before < timedelta(seconds=self._lease_s / 6):
            return
        await self._store.write(runs.renew_notebook_lease, run.id, self._lease())
        self._extended[run.id] = now
        if run.id not in self._executions:  # an earlier server began it
            self._executions[run.id] = NotebookExecution(self, Attempt(run.id, run.attempt))

    @property
    def live(self) -> int:
        """The number of runs whose kernel has reported within a lease."""
        since = self._clock.now() - timedelta(seconds=self._lease_s)
        return sum(at > since for at in self._extended.values())

    # ---------------------------------------------------------------- the supervisor's side

    def execution(self, run_id: str) -> NotebookExecution | None:
        """Return the execution of a run that is in a notebook's kernel, None where none is known."""
        return self._executions.get(run_id)

    async def resume(self) -> None:
        """Extend all leases: until now nobody could be heard."""
        await self._store.write(runs.extend_notebook_leases, self._pool, self._lease())

    def close_after_grace(self, run_id: str) -> None:
        """Close what was cancelled and has not ended by itself, after the grace time."""
        self._background.start(self._close_after_grace(), f"cancel-grace-{run_id}")

    async def _close_after_grace(self) -> None:
        await asyncio.sleep(self._grace_s)
        await self.settle_overdue()

    async def settle_overdue(self) -> None:
        """Close the records of attempts that were cancelled, and whose grace time is over."""
        before = self._clock.now() - timedelta(seconds=self._grace_s)
        for run_id, attempt in await self._store.read(
            runs.overdue_cancellations, self._pool, before
        ):
            await self.close_record(run_id, attempt)

    async def close_record(self, run_id: str, attempt: int) -> None:
        """End an attempt that the server cannot end otherwise."""
        assert self.finish is not None
        with contextlib.suppress(Stale):
            await self.finish(run_id, attempt, CLOSED)

    def forget(self, run_id: str) -> None:
        """The run is over: its execution has exited."""
        self._extended.pop(run_id, None)
        execution = self._executions.pop(run_id, None)
        if execution is not None and not execution.exited.done():
            execution.exited.set_result(None)

    async def stop(self) -> None:
        """End what goes on beside the runs; the runs go on in their kernels."""
        await self._background.close()

    def _lease(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self._lease_s)
