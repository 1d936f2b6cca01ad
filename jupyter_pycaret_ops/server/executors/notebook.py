"""Notebook runs: the caller's own kernel fetches the attempt with its run token, executes it and reports.

The server can neither start nor end that kernel. Each report renews the lease of the run. The server ends
an attempt by closing its record; requests of the agent are refused from then on.
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

CLOSED = "Cancelled. Later reports from its kernel are refused."


class NotebookExecution:
    """An attempt in a notebook's kernel."""

    def __init__(self, executor: NotebookExecutor, attempt: Attempt) -> None:
        self._executor = executor
        self._attempt = attempt
        self._exited: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def exited(self) -> asyncio.Future[None]:
        """Done when the attempt has ended."""
        return self._exited

    def cancel(self) -> None:
        """Give the agent the grace time; the answer to its next report says that the run is cancelled."""
        self._executor.close_after_grace(self._attempt.run_id)

    async def kill(self) -> None:
        """Close the record of the attempt; requests of the agent are refused from then on."""
        await self._executor.close_record(self._attempt.run_id, self._attempt.number)

    async def close(self) -> None:
        """Mark the execution as exited; there is nothing to release."""
        if not self._exited.done():
            self._exited.set_result(None)

    async def cpu_s(self) -> float:
        """Return 0: the server does not measure the kernel."""
        return 0.0

    async def memory_exceeded(self, limit_bytes: int) -> int:
        """Never return: the server does not limit the kernel."""
        never: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        return await never


class NotebookExecutor:
    """Executor of notebook runs, for one pool of servers."""

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
        #: closes the record of an attempt as cancelled, with a message; raises Stale when it has ended
        self.finish: Callable[[str, int, str], Awaitable[None]] | None = None
        self._background = BackgroundTasks()
        self._executions: dict[str, NotebookExecution] = {}
        #: run id -> when its lease was last renewed
        self._renewed_at: dict[str, datetime] = {}

    # ---------------------------------------------------------------- called for the agent

    def issue_token(self, new: runs.NewRun) -> tuple[runs.NewRun, str]:
        """Return the run with the hash of a new run token, and the token; the caller's kernel starts the run with it."""
        token = keys.new_secret(keys.RUN_TOKEN_PREFIX)
        return replace(new, token_hash=keys.digest(token), lease_until=self._lease()), token

    async def start(self, attempt: Attempt) -> NotebookExecution:
        """Record the run as running: its kernel has asked for the spec.

        Raises
        ------
        Stale
            When the attempt has ended.
        """
        await self._store.write(
            runs.begin_notebook_run,
            attempt.run_id,
            attempt.number,
            self._clock.now(),
            self._lease(),
        )
        self._renewed_at[attempt.run_id] = self._clock.now()
        execution = self._executions.get(attempt.run_id)
        if execution is None:
            execution = self._executions[attempt.run_id] = NotebookExecution(self, attempt)
        return execution

    async def renew_lease(self, run: Run) -> None:
        """Renew the lease of a run whose kernel has reported, at most six times per lease."""
        now = self._clock.now()
        renewed_at = self._renewed_at.get(run.id)
        if renewed_at is not None and now - renewed_at < timedelta(seconds=self._lease_s / 6):
            return
        await self._store.write(runs.renew_notebook_lease, run.id, self._lease())
        self._renewed_at[run.id] = now
        if run.id not in self._executions:  # an earlier server started it
            self._executions[run.id] = NotebookExecution(self, Attempt(run.id, run.attempt))

    @property
    def live(self) -> int:
        """The number of runs whose kernel has reported within the last `lease_s` seconds."""
        since = self._clock.now() - timedelta(seconds=self._lease_s)
        return sum(at > since for at in self._renewed_at.values())

    # ---------------------------------------------------------------- called by the supervisor

    def execution(self, run_id: str) -> NotebookExecution | None:
        """Return the execution of a notebook run, None where there is none."""
        return self._executions.get(run_id)

    async def resume(self) -> None:
        """Extend all leases: until now no kernel could report."""
        await self._store.write(runs.extend_notebook_leases, self._pool, self._lease())

    def close_after_grace(self, run_id: str) -> None:
        """Close the record of a cancelled run, unless it ends within the grace time."""
        self._background.start(self._close_after_grace(), f"cancel-grace-{run_id}")

    async def _close_after_grace(self) -> None:
        await asyncio.sleep(self._grace_s)
        await self.settle_overdue()

    async def settle_overdue(self) -> None:
        """Close the records of attempts that were cancelled before the grace time."""
        before = self._clock.now() - timedelta(seconds=self._grace_s)
        for run_id, attempt in await self._store.read(
            runs.overdue_cancellations, self._pool, before
        ):
            await self.close_record(run_id, attempt)

    async def close_record(self, run_id: str, attempt: int) -> None:
        """Record an attempt as cancelled; does nothing when it has ended."""
        assert self.finish is not None
        with contextlib.suppress(Stale):
            await self.finish(run_id, attempt, CLOSED)

    def forget(self, run_id: str) -> None:
        """Drop the state of a run that has ended; its execution counts as exited."""
        self._renewed_at.pop(run_id, None)
        execution = self._executions.pop(run_id, None)
        if execution is not None and not execution.exited.done():
            execution.exited.set_result(None)

    async def stop(self) -> None:
        """End background tasks; the runs go on in their kernels."""
        await self._background.close()

    def _lease(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self._lease_s)
