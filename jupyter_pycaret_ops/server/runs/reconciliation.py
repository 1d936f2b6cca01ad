"""What became of runs while nobody looked: servers that are gone, cancels elsewhere, hosts with new names."""

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


class Holder(Protocol):
    """Who holds this server's runs."""

    def holds(self, run_id: str, attempt: int) -> bool:
        """Return whether that attempt is on a kernel of this server."""
        ...

    def cancel(self, run_id: str) -> None:
        """Stop a run whose cancel was written down."""
        ...

    async def settle_loss(self, run_id: str, attempt: int, reason: str) -> None:
        """Requeue or fail an attempt whose worker is gone."""
        ...


@dataclass(frozen=True, slots=True)
class _Findings:
    lost: list[tuple[str, int]]
    cancelled: list[str]


SERVER_LOST = "The server that ran this ended unexpectedly."


class Reconciler:
    """Settles what other servers left, and nothing that a sleep of this machine explains."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        server: ServerId,
        *,
        pool: str,
        lease_s: float,
        holder: Holder,
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
        #: until then a lapsed lease may be one of a server that has slept as this one has
        self._lapses_count_from: datetime | None = None

    async def notice_pause(self) -> None:
        """Look at the clocks; after a pause of this process nobody is lost for having been silent."""
        paused_s = self._pauses.look()
        if paused_s:
            log.warning("this server stood still for %.0f s; leases are extended", paused_s)
            self._lapses_count_from = self._clock.now() + timedelta(seconds=self._lease_s)
            await self._on_pause()

    async def turn(self) -> None:
        """Settle runs whose server is gone, and hear of cancels elsewhere."""
        await self.notice_pause()
        found = await self._store.read(self._findings)
        for run_id in found.cancelled:
            self._holder.cancel(run_id)
        for run_id, attempt in found.lost:
            if not self._holder.holds(run_id, attempt):
                await self._holder.settle_loss(run_id, attempt, SERVER_LOST)
        await self._look_after_other_pools()

    @property
    def adopting_pool(self) -> str | None:
        """The pool that runs of other pools are moved to; None where other hosts may still run them.

        Whoever has the file of a SQLite database is alone with it, though its host may have a new name.
        """
        return self._pool if self._store.is_sqlite else None

    def _findings(self, session: Session) -> _Findings:
        now = self._clock.now()
        dead = [
            holder
            for holder in runs.lease_holders(session)
            if ServerId.parse(holder).is_dead(self._server.host)
        ]
        lapses_count = self._lapses_count_from is None or now >= self._lapses_count_from
        lost = runs.lapsed(
            session,
            None if self._store.is_sqlite else self._pool,
            now if lapses_count else None,
            dead,
        )
        return _Findings(lost, runs.asked_to_stop(session, str(self._server)))

    async def _look_after_other_pools(self) -> None:
        """Take over runs of pools that are gone, or let it be seen what they wait for."""
        now = self._clock.now()
        since = now - timedelta(seconds=self._lease_s)
        gone: Sequence[str] = await self._store.read(runs.deserted_pools, self._pool, now, since)
        if not gone:
            return
        if self.adopting_pool is not None:
            adopted = await self._store.write(runs.adopt, gone, self._pool)
            if adopted:
                log.warning("%d runs of %s are adopted", adopted, ", ".join(gone))
            return
        for run_id in await self._store.write(runs.tell_waiting, gone, now):
            self._on_change(run_id)
