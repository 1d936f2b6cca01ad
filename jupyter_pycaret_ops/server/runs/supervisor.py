"""The supervisor of a server's runs: claims them, drives each on a kernel, cancels, settles losses.

One task dispatches, one renews leases, one reconciles; each run has a task of its own. What is true of a
run is what the store says: everything here may be killed at any moment and be taken up by another server.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from ...common.clock import Clock
from ...common.errors import OpsError, RetryLater, Stale
from ..background import BackgroundTasks
from ..executors.interface import (
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
LOOK_EVERY_S = 5.0
TICK_S = 1.0
LOST = "The kernel of this run ended unexpectedly: it was killed, or the machine ran out of memory."
SERVER_STOPPED = "The server was stopped."


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What the traits say of runs."""

    pool: str
    concurrent: int = 2
    attempts: int = 2
    grace_s: float = 5.0
    lease_s: float = 60.0
    #: seconds beyond its time limit after which the server ends a run itself
    overtime_s: float = 300.0
    #: how many bytes a worker kernel may use, asked when a run begins; None for no limit
    memory_limit: Callable[[], int] | None = None


@dataclass(slots=True, eq=False)
class _Drive:
    """An attempt that this server executes."""

    run_id: str
    attempt: int
    #: the time limit of the run's plan, in seconds
    time_limit_s: float | None = None
    execution: Execution | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    cancel: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Supervisor:
    """Runs of one server. `start` and `stop` bracket its life.

    Queued runs are begun by `executor`; `others` execute runs that somebody else began.
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
        #: by run and attempt: a second attempt may begin while the kernel of the first still ends
        self._drives: dict[tuple[str, int], _Drive] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._background = BackgroundTasks()
        self._stopping = False
        #: silence before this moment, in monotonic seconds, is nobody's
        self._excused_at = clock.monotonic()
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
        return len(self._drives)

    # ---------------------------------------------------------------- start and stop

    async def start(self) -> None:
        """Settle what an earlier server left, then begin to dispatch."""
        await self._resume()
        await self.reconcile()
        self._tasks = [
            asyncio.create_task(self._keep_going("dispatch", self._dispatch), name="run-dispatch"),
            asyncio.create_task(self._keep_going("lease", self._renew), name="run-leases"),
            asyncio.create_task(self._keep_going("reconcile", self._look), name="run-reconcile"),
            asyncio.create_task(self._keep_going("pause", self._tick), name="run-pauses"),
        ]
        self.wake()

    async def stop(self) -> None:
        """Stop claiming, end the kernels, and leave live runs to whoever comes next."""
        self._stopping = True
        await _end(self._tasks)
        for executor in self._executors:
            await executor.stop()
        await _end([drive.task for drive in self._drives.values() if drive.task])
        await self._background.close()  # after the runs, which may have begun some

    async def _keep_going(self, name: str, turn: Any) -> None:
        """Repeat `turn`; an error in it is logged and does not end the loop."""
        while not self._stopping:
            try:
                await turn()
            except OpsError as error:
                log.warning("%s of runs: %s", name, error.message)
                await asyncio.sleep(1.0)
            except Exception:
                log.exception("%s of runs failed", name)
                await asyncio.sleep(1.0)

    # ---------------------------------------------------------------- dispatch

    def wake(self) -> None:
        """A run was queued, or a place has become free."""
        self._wake.set()

    async def _dispatch(self) -> None:
        self._wake.clear()
        while len(self._drives) < self._settings.concurrent and not self._stopping:
            claim = asyncio.create_task(self._claim(), name="run-claim")
            try:
                claimed = await asyncio.shield(claim)
            except asyncio.CancelledError:
                await claim  # a run that was claimed has a drive, which `stop` then ends
                raise
            if not claimed:
                break
        # not `wait_for`: before Python 3.12 it can swallow a cancellation that comes with the event
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._wake.wait()

    async def _claim(self) -> bool:
        """Take the next queued run and set it going; whether there was one."""
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
        drive = _Drive(run.id, run.attempt, _time_limit(run))
        self._drives[run.id, run.attempt] = drive
        drive.task = asyncio.create_task(self._drive(drive, token), name=f"run-{run.id}")
        return True

    async def _drive(self, drive: _Drive, token: str) -> None:
        """From a claimed run to its end, whatever happens on the way."""
        try:
            try:
                await self._execute(drive, token)
            except (ExecutorUnavailable, AttemptRefused) as error:
                await self._fail(drive, str(error))
            except ExecutionLost as error:
                await self._lose(drive, str(error))
            except asyncio.CancelledError:
                # a server that stops uses up no attempt
                await self.settle_loss(
                    drive.run_id, drive.attempt, SERVER_STOPPED, attempts=drive.attempt + 1
                )
                raise
            except Exception:
                log.exception("run %s could not be driven", drive.run_id)
                await self._fail(drive, "The run could not be started; the server's log says why.")
        finally:
            # the record before the kernel: a kernel whose run is over may be killed at any time
            try:
                if drive.execution is not None:
                    await asyncio.shield(drive.execution.close())
            finally:
                del self._drives[drive.run_id, drive.attempt]
                if not self._stopping:
                    self.wake()

    async def _begun(self, drive: _Drive, token: str) -> Execution | None:
        """Begin the attempt; None where the run is cancelled before it has begun.

        Raises
        ------
        ExecutorUnavailable
        AttemptRefused
        ExecutionLost
        """
        attempt = Attempt(drive.run_id, drive.attempt, token)
        starting = asyncio.create_task(
            self._executor.start(attempt), name=f"run-start-{drive.run_id}"
        )
        asked = asyncio.create_task(drive.cancel.wait())
        try:
            await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            if not starting.done():
                starting.cancel()
                await asyncio.wait({starting})
            if not starting.cancelled() and starting.exception() is None:
                drive.execution = starting.result()
        return None if starting.cancelled() else starting.result()

    async def _execute(self, drive: _Drive, token: str) -> None:
        execution = await self._begun(drive, token)
        if execution is None:
            await self._settle(
                drive, Move.CANCEL, message="Cancelled before its kernel had started"
            )
            return
        how, violation = await self._first_of(
            drive, execution, self._cancel_or_violation(drive, execution)
        )
        if violation is not None:
            await execution.kill()
            await self._settle_violation(drive, violation)
        elif how == "wanted":
            execution.cancel()
            how, _ = await self._first_of(drive, execution, asyncio.sleep(self._settings.grace_s))
            if how != "ended":
                await execution.kill()
                await self._end_cancelled(drive)
        elif how == "lost":
            await self._lose(drive, LOST)

    @staticmethod
    async def _first_of(
        drive: _Drive, execution: Execution, wanted: Coroutine[Any, Any, T]
    ) -> tuple[str, T | None]:
        """Return what comes first: the run's end (`ended`), its execution's (`lost`), or `wanted` with its result."""
        ended = asyncio.ensure_future(drive.ended.wait())
        asked = asyncio.ensure_future(wanted)
        try:
            waits: set[asyncio.Future[Any]] = {ended, asked, execution.exited}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if drive.ended.is_set():
                return "ended", None
            return ("wanted", asked.result()) if asked.done() else ("lost", None)
        finally:
            ended.cancel()
            asked.cancel()

    async def _cancel_or_violation(self, drive: _Drive, execution: Execution) -> Violation | None:
        """Wait for a cancel, which gives None, or for a reason to end the execution."""
        settings, monotonic = self._settings, self._clock.monotonic
        began = monotonic()
        limit = drive.time_limit_s
        limits = WatchLimits(
            silence_s=settings.lease_s,
            time_s=None if limit is None else limit + settings.overtime_s,
            time_limit_s=limit,
            memory_bytes=None if settings.memory_limit is None else settings.memory_limit(),
        )

        def silent_s() -> float:
            heard = self.agents and self.agents.heard_at(drive.run_id, drive.attempt)
            return monotonic() - max(began, heard or began, self._excused_at)

        watching = asyncio.create_task(
            first_violation(
                execution, limits, elapsed_s=lambda: monotonic() - began, silent_s=silent_s
            )
        )
        cancelled = asyncio.create_task(drive.cancel.wait())
        try:
            await asyncio.wait({watching, cancelled}, return_when=asyncio.FIRST_COMPLETED)
            return None if drive.cancel.is_set() else watching.result()
        finally:
            watching.cancel()
            cancelled.cancel()

    async def _settle_violation(self, drive: _Drive, violation: Violation) -> None:
        """A silent kernel counts as a lost one; time and memory are the user's, and there is no second try."""
        if violation.kind == "silent":
            await self._lose(drive, violation.message)
            return
        kind = "user" if violation.kind == "memory" else "timeout"
        await self._settle(
            drive, Move.FAIL, message=violation.message, error=violation.message, error_kind=kind
        )

    # ---------------------------------------------------------------- ends

    def ended(self, run_id: str, attempt: int) -> None:
        """The agent of a run has said its last word."""
        for executor in self._executors:
            executor.forget(run_id)
        drive = self._drives.get((run_id, attempt))
        if drive is not None:
            drive.ended.set()

    def cancel(self, run_id: str) -> None:
        """A cancel of a running run was written down: begin the escalation."""
        drives = [drive for drive in self._drives.values() if drive.run_id == run_id]
        for drive in drives:
            drive.cancel.set()
        if drives:
            return
        for executor in self._executors:
            execution = executor.execution(run_id)
            if execution is not None:
                execution.cancel()

    async def _end_cancelled(self, drive: _Drive) -> None:
        await self._settle(drive, Move.CANCEL, message="Cancelled; its kernel was ended")

    async def _fail(self, drive: _Drive, error: str) -> None:
        await self._settle(drive, Move.FAIL, message=error, error=error, error_kind="internal")

    async def _settle(self, drive: _Drive, move: Move, **values: Any) -> None:
        with contextlib.suppress(Stale):
            await self._persist(
                runs.finish, drive.run_id, drive.attempt, move, self._clock.now(), **values
            )
        self._closed(drive.run_id)

    async def _lose(self, drive: _Drive, reason: str) -> None:
        await self.settle_loss(drive.run_id, drive.attempt, reason)

    async def settle_loss(
        self, run_id: str, attempt: int, reason: str, attempts: int | None = None
    ) -> None:
        """Requeue or fail an attempt whose worker is gone."""
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
        self._closed(run_id)

    async def _persist(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        """Write an end down; a database that does not answer is asked again until the server stops.

        Should that never succeed, the lease lapses and whoever reconciles next settles the run.
        """
        pause = 0.2
        while True:
            try:
                return await self._store.write(work, *args, **kwargs)
            except RetryLater as error:
                if self._stopping:
                    raise
                log.warning("the end of a run could not be written yet: %s", error.message)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def close_as_cancelled(self, run_id: str, attempt: int, message: str) -> None:
        """Close the record of an attempt that this server does not hold.

        Raises
        ------
        Stale
            When it is over already.
        """
        await self._persist(
            runs.finish, run_id, attempt, Move.CANCEL, self._clock.now(), message=message
        )
        self._closed(run_id)

    def _closed(self, run_id: str) -> None:
        for executor in self._executors:
            executor.forget(run_id)
        if self.agents is not None:
            self.agents.forget(run_id)
        self._fanout.publish(run_id)
        self.wake()

    # ---------------------------------------------------------------- leases and reconciliation

    def holds(self, run_id: str, attempt: int) -> bool:
        """Return whether that attempt is on a kernel of this server."""
        return (run_id, attempt) in self._drives

    async def _renew(self) -> None:
        await asyncio.sleep(self._settings.lease_s / 3)
        await self._reconciler.notice_pause()
        await self._renew_now()

    async def _renew_now(self) -> None:
        if not self._drives:
            return
        until = self._clock.now() + timedelta(seconds=self._settings.lease_s)
        held = await self._store.write(runs.renew_leases, str(self._server), until)
        still = set(held)
        for drive in list(self._drives.values()):
            if (drive.run_id, drive.attempt) not in still and not drive.ended.is_set():
                # somebody else has settled this attempt: its kernel works for nobody
                drive.ended.set()

    async def _look(self) -> None:
        await asyncio.sleep(LOOK_EVERY_S)
        await self.reconcile()

    async def _tick(self) -> None:
        """Look at the clocks often, so that a pause is told from work that takes long."""
        await asyncio.sleep(min(TICK_S, self._settings.lease_s / 12))
        await self._reconciler.notice_pause()

    async def _after_pause(self) -> None:
        """This server stood still: nobody whom it could not hear has been silent."""
        self._excused_at = self._clock.monotonic()
        if self.agents is not None:
            self.agents.excuse_silence()
        await self._resume()
        await self._renew_now()

    async def _resume(self) -> None:
        for executor in self._executors:
            await executor.resume()

    async def reconcile(self) -> None:
        """Settle runs whose server is gone, end the kernels that it left, and hear of cancels elsewhere."""
        for executor in self._executors:
            await executor.settle_overdue()
        await self._reconciler.turn()


def _time_limit(run: Run) -> float | None:
    """The time limit of a run's plan in seconds, as it was asked for."""
    limit = (run.snapshot.get("plan_params") or {}).get("time_limit")
    return float(limit) if isinstance(limit, (int, float)) and limit > 0 else None


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
