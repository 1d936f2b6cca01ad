"""The supervisor of a server's runs: claims them, drives each on a kernel, cancels, settles losses.

One task dispatches, one renews leases, one reconciles; each run has a task of its own. What is true of a
run is what the store says: everything here may be killed at any moment and be taken up by another server.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

from ...common.clock import Clock
from ...common.errors import OpsError, RetryLater, Stale
from ..executors.kernel.pool import KernelUnavailable, WorkerPool
from ..executors.kernel.sweep import ServerId
from ..executors.kernel.worker import Worker, WorkerDied, WorkerRefused
from ..lifecycle import Move
from ..store import keys, runs, workers
from ..store.models import Run
from ..store.session import Store
from .agents import Agents
from .fanout import Fanout
from .reconciliation import Reconciler
from .watchdog import Trouble, WatchLimits, trouble_of

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
    """A run on its kernel."""

    run_id: str
    attempt: int
    #: the time limit of the run's plan, in seconds
    time_limit_s: float | None = None
    worker: Worker | None = None
    #: it was cancelled before its kernel had started, and the next run may have that
    kernel_comes_back: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    cancel: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Supervisor:
    """Runs of one server. `start` and `stop` bracket its life; `agent_url` is where kernels report."""

    def __init__(
        self,
        store: Store,
        pool: WorkerPool,
        fanout: Fanout,
        clock: Clock,
        server: ServerId,
        settings: RunSettings,
    ) -> None:
        self._store = store
        self._pool = pool
        self._fanout = fanout
        self._clock = clock
        self._server = server
        self._settings = settings
        #: by run and attempt: a second attempt may begin while the kernel of the first still ends
        self._drives: dict[tuple[str, int], _Drive] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        #: what goes on beside the runs, and ends with the server
        self._asides: set[asyncio.Task[None]] = set()
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
        self.agent_url = ""

    @property
    def live(self) -> int:
        """How many runs are on kernels of this server."""
        return len(self._drives)

    # ---------------------------------------------------------------- start and stop

    async def start(self) -> None:
        """Settle what an earlier server left, then begin to dispatch."""
        await self._wait_for_guests()
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
        await _end([drive.task for drive in self._drives.values() if drive.task])
        await _end(list(self._asides))  # after the runs, which may have begun some

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
            except KernelUnavailable as error:
                await self._fail(drive, str(error))
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
                if drive.worker is not None:
                    await asyncio.shield(self._pool.end(drive.worker))
            finally:
                del self._drives[drive.run_id, drive.attempt]
                if not self._stopping:
                    if not drive.kernel_comes_back:
                        self._pool.refill()
                    self.wake()

    async def _kernel(self, drive: _Drive) -> Worker | None:
        """A kernel for the run, or none where the run is cancelled before one has started.

        Raises
        ------
        KernelUnavailable
        """
        taking = asyncio.create_task(self._pool.take("run"), name=f"run-kernel-{drive.run_id}")
        asked = asyncio.create_task(drive.cancel.wait())
        try:
            await asyncio.wait({taking, asked}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            taking.cancel()
            await asyncio.wait({taking})
            if not taking.cancelled() and taking.exception() is None:
                drive.worker = taking.result()  # it had just come, and is ended with the drive
            raise
        finally:
            asked.cancel()
        if taking.done():
            return taking.result()
        drive.kernel_comes_back = True
        self._later(self._give_back(taking), f"run-unneeded-{drive.run_id}")
        return None

    async def _give_back(self, taking: asyncio.Task[Worker]) -> None:
        """Keep a kernel, once it has started, for the next run."""
        with contextlib.suppress(KernelUnavailable):
            self._pool.give_back(await taking)
        self._pool.refill()

    def _later(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    async def _execute(self, drive: _Drive, token: str) -> None:
        worker = drive.worker = await self._kernel(drive)
        if worker is None:
            await self._settle(
                drive, Move.CANCEL, message="Cancelled before its kernel had started"
            )
            return
        if drive.cancel.is_set():
            await self._end_cancelled(drive)
            return
        try:
            await worker.ask(
                f"_pycaret_ops_agent.begin({self.agent_url!r}, {drive.run_id!r}, {token!r})"
            )
        except WorkerDied:
            await self._lose(drive, LOST)
            return
        except WorkerRefused as error:
            await self._fail(drive, f"The worker kernel refused the run ({error.args[0]}).")
            return
        noting = asyncio.create_task(
            self._store.write(workers.assign, worker.kernel_id, "run", drive.run_id)
        )
        noting.add_done_callback(lambda done: done.cancelled() or done.exception())
        how, trouble = await self._first_of(drive, worker, self._cancel_or_trouble(drive, worker))
        if trouble is not None:
            await worker.end()
            await self._settle_trouble(drive, trouble)
        elif how == "wanted":
            worker.tell(f"_pycaret_ops_agent.cancel({drive.run_id!r})")
            how, _ = await self._first_of(drive, worker, asyncio.sleep(self._settings.grace_s))
            if how != "ended":
                await worker.end()
                await self._end_cancelled(drive)
        elif how == "lost":
            await self._lose(drive, LOST)

    @staticmethod
    async def _first_of(
        drive: _Drive, worker: Worker, wanted: Coroutine[Any, Any, T]
    ) -> tuple[str, T | None]:
        """What comes first: the run's end (`ended`), its kernel's (`lost`), or `wanted`, with its result."""
        ended = asyncio.ensure_future(drive.ended.wait())
        asked = asyncio.ensure_future(wanted)
        try:
            await asyncio.wait({ended, asked, worker.exited}, return_when=asyncio.FIRST_COMPLETED)
            if drive.ended.is_set():
                return "ended", None
            return ("wanted", asked.result()) if asked.done() else ("lost", None)
        finally:
            ended.cancel()
            asked.cancel()

    async def _cancel_or_trouble(self, drive: _Drive, worker: Worker) -> Trouble | None:
        """Wait for a cancel, which gives None, or for a reason to end the kernel."""
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
            trouble_of(worker, limits, elapsed_s=lambda: monotonic() - began, silent_s=silent_s)
        )
        cancelled = asyncio.create_task(drive.cancel.wait())
        try:
            await asyncio.wait({watching, cancelled}, return_when=asyncio.FIRST_COMPLETED)
            return None if drive.cancel.is_set() else watching.result()
        finally:
            watching.cancel()
            cancelled.cancel()

    async def _settle_trouble(self, drive: _Drive, trouble: Trouble) -> None:
        """A silent kernel counts as a lost one; time and memory are the user's, and there is no second try."""
        if trouble.kind == "silent":
            await self._lose(drive, trouble.message)
            return
        kind = "user" if trouble.kind == "memory" else "timeout"
        await self._settle(
            drive, Move.FAIL, message=trouble.message, error=trouble.message, error_kind=kind
        )

    # ---------------------------------------------------------------- runs in people's own kernels

    def invite(self, new: runs.NewRun) -> tuple[runs.NewRun, str]:
        """The run with a token for the caller's own kernel, which begins it by asking for its spec."""
        token = keys.new_secret(keys.RUN_TOKEN_PREFIX)
        until = self._clock.now() + timedelta(seconds=self._settings.lease_s)
        return replace(new, token_hash=keys.digest(token), lease_until=until), token

    async def _close_guest(self, run_id: str, attempt: int) -> None:
        """The ladder's last step where the kernel is not ours: close the run; its agent is fenced off."""
        with contextlib.suppress(Stale):
            await self._persist(
                runs.finish,
                run_id,
                attempt,
                Move.CANCEL,
                self._clock.now(),
                message="Cancelled; what its kernel still does is not heard any more",
            )
        self._closed(run_id)

    async def _close_guests_in_time(self) -> None:
        await asyncio.sleep(self._settings.grace_s)
        await self._close_uncancelled()

    async def _close_uncancelled(self) -> None:
        before = self._clock.now() - timedelta(seconds=self._settings.grace_s)
        for run_id, attempt in await self._store.read(
            runs.overdue_cancellations, self._settings.pool, before
        ):
            await self._close_guest(run_id, attempt)

    # ---------------------------------------------------------------- ends

    def ended(self, run_id: str, attempt: int) -> None:
        """The agent of a run has said its last word."""
        drive = self._drives.get((run_id, attempt))
        if drive is not None:
            drive.ended.set()

    def cancel(self, run_id: str) -> None:
        """A cancel of a running run was written down: climb the ladder."""
        drives = [drive for drive in self._drives.values() if drive.run_id == run_id]
        for drive in drives:
            drive.cancel.set()
        if drives:
            return
        # perhaps one in somebody's own kernel: it hears of the cancel by itself, and has the grace time
        self._later(self._close_guests_in_time(), f"run-grace-{run_id}")

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

    def _closed(self, run_id: str) -> None:
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
        await self._wait_for_guests()
        await self._renew_now()

    async def _wait_for_guests(self) -> None:
        until = self._clock.now() + timedelta(seconds=self._settings.lease_s)
        await self._store.write(runs.extend_notebook_leases, self._settings.pool, until)

    async def reconcile(self) -> None:
        """Settle runs whose server is gone, end the kernels that it left, and hear of cancels elsewhere."""
        await self._close_uncancelled()
        await self._reconciler.turn()


def _time_limit(run: Run) -> float | None:
    """The time limit of a run's plan in seconds, as it was asked for."""
    limit = (run.snapshot.get("plan_params") or {}).get("time_limit")
    return float(limit) if isinstance(limit, (int, float)) and limit > 0 else None


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
