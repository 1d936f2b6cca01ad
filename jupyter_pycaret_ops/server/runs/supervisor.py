"""The supervisor of a server's runs: claims and executes them, cancels, requeues or fails lost ones.

One task dispatches, one renews leases, one reconciles, one detects pauses; each run has a task of its own.
The state of a run is in the store: this process may be killed at any time, and another server goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from ...common.clock import Clock
from ...common.errors import OpsError, RetryLater, Stale
from ..background import BackgroundTasks
from ..executors.interface import (
    LOST,
    Attempt,
    AttemptRefused,
    Execution,
    ExecutionLost,
    Executor,
    ExecutorUnavailable,
)
from ..executors.server_id import ServerId
from ..lifecycle import Move
from ..store import keys, runs
from ..store.models import Run
from ..store.session import Store
from .agents import Agents
from .fanout import Fanout
from .reconciliation import Reconciler
from .watchdog import Violation, WatchLimits, first_violation

log = logging.getLogger("jupyter_pycaret_ops")

T = TypeVar("T")
#: seconds between two queries for queued runs, and between two reconciliations
POLL_EVERY_S = 5.0
PAUSE_CHECK_EVERY_S = 1.0
SERVER_STOPPED = "The server was stopped."


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The traits about runs."""

    pool: str
    concurrent: int = 2
    attempts: int = 2
    grace_s: float = 5.0
    lease_s: float = 60.0
    #: seconds after its time limit at which the server ends a run
    overtime_s: float = 300.0
    #: returns the bytes that a worker kernel may use, called when a run starts; None for no limit
    memory_limit: Callable[[], int] | None = None


@dataclass(slots=True, eq=False)
class _ActiveAttempt:
    """An attempt that this server executes."""

    run_id: str
    number: int
    #: the time limit of the run's plan, in seconds
    time_limit_s: float | None = None
    execution: Execution | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    cancel: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Supervisor:
    """The runs of one server, from `start` to `stop`.

    `executor` starts queued runs; `others` execute runs that are started elsewhere.
    """

    def __init__(
        self,
        store: Store,
        executor: Executor,
        fanout: Fanout,
        clock: Clock,
        server: ServerId,
        settings: RunSettings,
        others: Sequence[Executor] = (),
    ) -> None:
        self._store = store
        self._executor = executor
        self._executors = (executor, *others)
        self._fanout = fanout
        self._clock = clock
        self._server = server
        self._settings = settings
        #: by run and attempt: a second attempt may start while the kernel of the first is still ending
        self._active: dict[tuple[str, int], _ActiveAttempt] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._background = BackgroundTasks()
        self._stopping = False
        #: silence counts from this moment, in monotonic seconds: nothing could report before
        self._silence_counts_from = clock.monotonic()
        self._reconciler = Reconciler(
            store,
            clock,
            server,
            pool=settings.pool,
            lease_s=settings.lease_s,
            holder=self,
            on_pause=self._after_pause,
            on_change=fanout.publish,
        )
        self.agents: Agents | None = None

    @property
    def live(self) -> int:
        """The number of runs that this server executes."""
        return len(self._active)

    # ---------------------------------------------------------------- start and stop

    async def start(self) -> None:
        """Settle the runs of an earlier server, then start to dispatch."""
        await self._resume()
        await self.reconcile()
        self._tasks = [
            asyncio.create_task(self._repeat("dispatch", self._dispatch), name="run-dispatch"),
            asyncio.create_task(self._repeat("lease", self._renew_leases), name="run-leases"),
            asyncio.create_task(self._repeat("reconcile", self._poll), name="run-reconcile"),
            asyncio.create_task(self._repeat("pause", self._check_for_pause), name="run-pauses"),
        ]
        self.wake()

    async def stop(self) -> None:
        """Stop claiming, end the kernels, and requeue live runs for the next server."""
        self._stopping = True
        await _cancel_and_wait(self._tasks)
        for executor in self._executors:
            await executor.stop()
        await _cancel_and_wait([attempt.task for attempt in self._active.values() if attempt.task])
        await self._background.close()  # after the runs, which may have started some

    async def _repeat(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """Call `step` until the server stops; an error is logged and does not end the loop."""
        while not self._stopping:
            try:
                await step()
            except OpsError as error:
                log.warning("%s of runs: %s", name, error.message)
                await asyncio.sleep(1.0)
            except Exception:
                log.exception("%s of runs failed", name)
                await asyncio.sleep(1.0)

    # ---------------------------------------------------------------- dispatch

    def wake(self) -> None:
        """Dispatch now: a run was queued, or another run has ended."""
        self._wake.set()

    async def _dispatch(self) -> None:
        self._wake.clear()
        while len(self._active) < self._settings.concurrent and not self._stopping:
            claim = asyncio.create_task(self._claim(), name="run-claim")
            try:
                claimed = await asyncio.shield(claim)
            except asyncio.CancelledError:
                await claim  # a claimed run is in `_active`, and `stop` then ends it
                raise
            if not claimed:
                break
        # not `wait_for`: before Python 3.12 it can swallow a cancellation that arrives together with the event
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_EVERY_S):
                await self._wake.wait()

    async def _claim(self) -> bool:
        """Claim the next queued run and start its task; return whether there was one."""
        token = keys.new_secret(keys.RUN_TOKEN_PREFIX)
        now = self._clock.now()
        run = await self._store.write(
            runs.claim_next,
            pool=self._settings.pool,
            server_id=str(self._server),
            token_hash=keys.digest(token),
            now=now,
            lease_until=now + timedelta(seconds=self._settings.lease_s),
        )
        if run is None:
            return False
        self._fanout.publish(run.id)
        attempt = _ActiveAttempt(run.id, run.attempt, _time_limit(run))
        self._active[run.id, run.attempt] = attempt
        attempt.task = asyncio.create_task(
            self._execute_to_end(attempt, token), name=f"run-{run.id}"
        )
        return True

    async def _execute_to_end(self, attempt: _ActiveAttempt, token: str) -> None:
        """Execute a claimed run and record its end, whatever happens."""
        try:
            try:
                await self._execute(attempt, token)
            except (ExecutorUnavailable, AttemptRefused) as error:
                await self._fail(attempt, str(error))
            except ExecutionLost as error:
                await self._lose(attempt, str(error))
            except asyncio.CancelledError:
                # a server that stops uses up no attempt
                await self.settle_loss(
                    attempt.run_id, attempt.number, SERVER_STOPPED, attempts=attempt.number + 1
                )
                raise
            except Exception:
                log.exception("run %s could not be executed", attempt.run_id)
                await self._fail(attempt, "The run could not be started. See the server's log.")
        finally:
            # the end is recorded before the kernel is closed: without a run it may be killed at any time
            try:
                if attempt.execution is not None:
                    await asyncio.shield(attempt.execution.close())
            finally:
                del self._active[attempt.run_id, attempt.number]
                if not self._stopping:
                    self.wake()

    async def _start_execution(self, attempt: _ActiveAttempt, token: str) -> Execution | None:
        """Start the attempt; return None when the run is cancelled before the executor has started it.

        Raises
        ------
        ExecutorUnavailable
        AttemptRefused
        ExecutionLost
        """
        request = Attempt(attempt.run_id, attempt.number, token)
        starting = asyncio.create_task(
            self._executor.start(request), name=f"run-start-{attempt.run_id}"
        )
        cancelled = asyncio.create_task(attempt.cancel.wait())
        try:
            await asyncio.wait({starting, cancelled}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            cancelled.cancel()
            if not starting.done():
                starting.cancel()
                await asyncio.wait({starting})
            if not starting.cancelled() and starting.exception() is None:
                attempt.execution = starting.result()
        return None if starting.cancelled() else starting.result()

    async def _execute(self, attempt: _ActiveAttempt, token: str) -> None:
        execution = await self._start_execution(attempt, token)
        if execution is None:
            await self._settle(attempt, Move.CANCEL, message="Cancelled before its kernel started")
            return
        reason, violation = await self._wait_for_first(
            attempt, execution, self._cancel_or_violation(attempt, execution)
        )
        if violation is not None:
            await execution.kill()
            await self._settle_violation(attempt, violation)
        elif reason == "other":
            execution.cancel()
            reason, _ = await self._wait_for_first(
                attempt, execution, asyncio.sleep(self._settings.grace_s)
            )
            if reason != "ended":
                await execution.kill()
                await self._end_cancelled(attempt)
        elif reason == "lost":
            await self._lose(attempt, LOST)

    @staticmethod
    async def _wait_for_first(
        attempt: _ActiveAttempt, execution: Execution, other: Coroutine[Any, Any, T]
    ) -> tuple[str, T | None]:
        """Return what happens first: the run ends (`ended`), its execution exits (`lost`), or `other` returns."""
        ended = asyncio.ensure_future(attempt.ended.wait())
        awaited = asyncio.ensure_future(other)
        try:
            waits: set[asyncio.Future[Any]] = {ended, awaited, execution.exited}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if attempt.ended.is_set():
                return "ended", None
            return ("other", awaited.result()) if awaited.done() else ("lost", None)
        finally:
            ended.cancel()
            awaited.cancel()

    async def _cancel_or_violation(
        self, attempt: _ActiveAttempt, execution: Execution
    ) -> Violation | None:
        """Return None when the run is cancelled, or the first violation of its limits."""
        settings, monotonic = self._settings, self._clock.monotonic
        started = monotonic()
        limit = attempt.time_limit_s
        limits = WatchLimits(
            silence_s=settings.lease_s,
            time_s=None if limit is None else limit + settings.overtime_s,
            time_limit_s=limit,
            memory_bytes=None if settings.memory_limit is None else settings.memory_limit(),
        )

        def silent_s() -> float:
            seen = self.agents and self.agents.last_seen_at(attempt.run_id, attempt.number)
            return monotonic() - max(started, seen or started, self._silence_counts_from)

        watching = asyncio.create_task(
            first_violation(
                execution, limits, elapsed_s=lambda: monotonic() - started, silent_s=silent_s
            )
        )
        cancelled = asyncio.create_task(attempt.cancel.wait())
        try:
            await asyncio.wait({watching, cancelled}, return_when=asyncio.FIRST_COMPLETED)
            return None if attempt.cancel.is_set() else watching.result()
        finally:
            watching.cancel()
            cancelled.cancel()

    async def _settle_violation(self, attempt: _ActiveAttempt, violation: Violation) -> None:
        """Requeue or fail the run of a silent kernel; fail one over its time or memory limit, as retrying is of no use."""
        if violation.kind == "silent":
            await self._lose(attempt, violation.message)
            return
        kind = "user" if violation.kind == "memory" else "timeout"
        await self._settle(
            attempt, Move.FAIL, message=violation.message, error=violation.message, error_kind=kind
        )

    # ---------------------------------------------------------------- ends

    def ended(self, run_id: str, attempt: int) -> None:
        """Release an attempt whose end its agent has reported."""
        for executor in self._executors:
            executor.forget(run_id)
        active = self._active.get((run_id, attempt))
        if active is not None:
            active.ended.set()

    def cancel(self, run_id: str) -> None:
        """Start the cancel escalation of a running run, whose cancel is recorded."""
        attempts_of_run = [attempt for attempt in self._active.values() if attempt.run_id == run_id]
        for attempt in attempts_of_run:
            attempt.cancel.set()
        if attempts_of_run:
            return
        for executor in self._executors:
            execution = executor.execution(run_id)
            if execution is not None:
                execution.cancel()

    async def _end_cancelled(self, attempt: _ActiveAttempt) -> None:
        await self._settle(attempt, Move.CANCEL, message="Cancelled. Its kernel was ended.")

    async def _fail(self, attempt: _ActiveAttempt, error: str) -> None:
        await self._settle(attempt, Move.FAIL, message=error, error=error, error_kind="internal")

    async def _settle(self, attempt: _ActiveAttempt, move: Move, **values: Any) -> None:
        with contextlib.suppress(Stale):
            await self._persist(
                runs.finish, attempt.run_id, attempt.number, move, self._clock.now(), **values
            )
        self._after_end(attempt.run_id)

    async def _lose(self, attempt: _ActiveAttempt, reason: str) -> None:
        await self.settle_loss(attempt.run_id, attempt.number, reason)

    async def settle_loss(
        self, run_id: str, attempt: int, reason: str, attempts: int | None = None
    ) -> None:
        """Requeue or fail an attempt whose worker is lost.

        `attempts` is the number of attempts that the run may have, by default that of the settings.
        """
        with contextlib.suppress(Stale):
            run: Run = await self._persist(
                runs.lose_worker,
                run_id,
                attempt,
                attempts or self._settings.attempts,
                self._clock.now(),
                reason,
                self._reconciler.adopting_pool,
            )
            log.warning("run %s, attempt %s: %s It is %s now.", run_id, attempt, reason, run.status)
        self._after_end(run_id)

    async def _persist(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        """Record an end; while the database does not answer, try again until the server stops.

        If that never succeeds, the lease lapses and the next reconciliation settles the run.
        """
        pause = 0.2
        while True:
            try:
                return await self._store.write(work, *args, **kwargs)
            except RetryLater as error:
                if self._stopping:
                    raise
                log.warning("the end of a run could not be recorded yet: %s", error.message)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def close_as_cancelled(self, run_id: str, attempt: int, message: str) -> None:
        """Record an attempt that this server does not execute as cancelled.

        Raises
        ------
        Stale
            When the attempt has ended already.
        """
        await self._persist(
            runs.finish, run_id, attempt, Move.CANCEL, self._clock.now(), message=message
        )
        self._after_end(run_id)

    def _after_end(self, run_id: str) -> None:
        for executor in self._executors:
            executor.forget(run_id)
        if self.agents is not None:
            self.agents.forget(run_id)
        self._fanout.publish(run_id)
        self.wake()

    # ---------------------------------------------------------------- leases and reconciliation

    def holds(self, run_id: str, attempt: int) -> bool:
        """Return whether that attempt is on a kernel of this server."""
        return (run_id, attempt) in self._active

    async def _renew_leases(self) -> None:
        await asyncio.sleep(self._settings.lease_s / 3)
        await self._reconciler.notice_pause()
        await self._renew_now()

    async def _renew_now(self) -> None:
        if not self._active:
            return
        until = self._clock.now() + timedelta(seconds=self._settings.lease_s)
        renewed = set(await self._store.write(runs.renew_leases, str(self._server), until))
        for attempt in list(self._active.values()):
            if (attempt.run_id, attempt.number) not in renewed and not attempt.ended.is_set():
                # another server has settled this attempt, so its kernel is not needed any more
                attempt.ended.set()

    async def _poll(self) -> None:
        await asyncio.sleep(POLL_EVERY_S)
        await self.reconcile()

    async def _check_for_pause(self) -> None:
        """Compare the clocks often, to tell a pause from work that takes long."""
        await asyncio.sleep(min(PAUSE_CHECK_EVERY_S, self._settings.lease_s / 12))
        await self._reconciler.notice_pause()

    async def _after_pause(self) -> None:
        """Extend leases: while this server was paused, nothing could report to it."""
        self._silence_counts_from = self._clock.monotonic()
        if self.agents is not None:
            self.agents.reset_last_seen()
        await self._resume()
        await self._renew_now()

    async def _resume(self) -> None:
        for executor in self._executors:
            await executor.resume()

    async def reconcile(self) -> None:
        """Settle runs whose server is gone, end its kernels, and stop runs that other servers cancelled."""
        for executor in self._executors:
            await executor.settle_overdue()
        await self._reconciler.reconcile()


def _time_limit(run: Run) -> float | None:
    """Return the time limit of a run's plan in seconds, None without one."""
    limit = (run.snapshot.get("plan_params") or {}).get("time_limit")
    return float(limit) if isinstance(limit, (int, float)) and limit > 0 else None


async def _cancel_and_wait(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
