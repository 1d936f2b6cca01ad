"""Reconciliation: runs of servers that are gone, cancels by other servers, hosts that were renamed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from ...common.clock import Clock
from ..executors.server_id import ServerId
from ..store import runs
from ..store.session import Store
from .pause_detector import PauseDetector

log = logging.getLogger("jupyter_pycaret_ops")


class RunHolder(Protocol):
    """What executes the runs of this server."""

    def holds(self, run_id: str, attempt: int) -> bool:
        """Return whether that attempt is on a kernel of this server."""
        ...

    def cancel(self, run_id: str) -> None:
        """Stop a run whose cancel is recorded."""
        ...

    async def settle_loss(self, run_id: str, attempt: int, reason: str) -> None:
        """Requeue or fail an attempt whose worker is gone."""
        ...


@dataclass(frozen=True, slots=True)
class _Findings:
    lost: list[tuple[str, int]]
    cancelled: list[str]


SERVER_LOST = "The server that executed this run ended unexpectedly."


class Reconciler:
    """Settle runs of servers that are gone; a lapsed lease after a pause of this machine does not count."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        server: ServerId,
        *,
        pool: str,
        lease_s: float,
        holder: RunHolder,
        on_pause: Callable[[], Awaitable[None]],
        on_change: Callable[[str], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._server = server
        self._pool = pool
        self._lease_s = lease_s
        self._holder = holder
        self._on_pause = on_pause
        self._on_change = on_change
        self._pauses = PauseDetector(clock, lease_s / 3)
        #: before this time a lapsed lease may belong to a server that was paused as well
        self._ignore_lapses_until: datetime | None = None

    async def notice_pause(self) -> None:
        """Compare the clocks; after a pause of this process, extend leases instead of losing runs."""
        paused_s = self._pauses.check()
        if paused_s:
            log.warning("this server was paused for %.0f s; leases are extended", paused_s)
            self._ignore_lapses_until = self._clock.now() + timedelta(seconds=self._lease_s)
            await self._on_pause()

    async def reconcile(self) -> None:
        """Settle runs whose server is gone, and stop runs that other servers cancelled."""
        await self.notice_pause()
        findings = await self._store.read(self._findings)
        for run_id in findings.cancelled:
            self._holder.cancel(run_id)
        for run_id, attempt in findings.lost:
            if not self._holder.holds(run_id, attempt):
                await self._holder.settle_loss(run_id, attempt, SERVER_LOST)
        await self._handle_deserted_pools()

    @property
    def adopting_pool(self) -> str | None:
        """The pool that runs of deserted pools are moved to; None where other hosts may still execute them.

        A SQLite database is used by one host only, even when that host has a new name.
        """
        return self._pool if self._store.is_sqlite else None

    def _findings(self, session: Session) -> _Findings:
        now = self._clock.now()
        dead = [
            holder
            for holder in runs.lease_holders(session)
            if ServerId.parse(holder).is_dead(self._server.host)
        ]
        lapses_count = self._ignore_lapses_until is None or now >= self._ignore_lapses_until
        lost = runs.lapsed(
            session,
            None if self._store.is_sqlite else self._pool,
            now if lapses_count else None,
            dead,
        )
        return _Findings(lost, runs.with_cancel_request(session, str(self._server)))

    async def _handle_deserted_pools(self) -> None:
        """Adopt the runs of pools without a server, or show in the runs what they wait for."""
        now = self._clock.now()
        since = now - timedelta(seconds=self._lease_s)
        deserted: Sequence[str] = await self._store.read(
            runs.deserted_pools, self._pool, now, since
        )
        if not deserted:
            return
        if self.adopting_pool is not None:
            adopted = await self._store.write(runs.adopt, deserted, self._pool)
            if adopted:
                log.warning("adopted %d runs of %s", adopted, ", ".join(deserted))
            return
        for run_id in await self._store.write(runs.record_waiting, deserted, now):
            self._on_change(run_id)
