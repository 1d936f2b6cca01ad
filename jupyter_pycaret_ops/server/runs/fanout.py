"""Watchers of runs: they are woken when something was stored, and read it from the store.

Nothing is queued for a watcher, so a slow one uses no memory and delays no other. As it reads what is
stored, there is no gap and no repetition between replayed and live events.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..lifecycle import ENDED, Status
from ..store import events
from ..store.models import Event, Run
from ..store.session import Store

PAGE = 500
#: seconds; another server on the same database stores events that wake nobody here
POLL_S = 2.0


class Fanout:
    """The watchers of each run, in this server."""

    def __init__(self) -> None:
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)

    @contextlib.contextmanager
    def watch(self, run_id: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set whenever something about the run was stored."""
        changed = asyncio.Event()
        self._watchers[run_id].add(changed)
        try:
            yield changed
        finally:
            self._watchers[run_id].discard(changed)
            if not self._watchers[run_id]:
                del self._watchers[run_id]

    def publish(self, run_id: str) -> None:
        """Wake the watchers of a run: something about it was stored."""
        for changed in self._watchers.get(run_id, ()):
            changed.set()


async def _wait_for_change(changed: asyncio.Event) -> None:
    # not `wait_for`: before Python 3.12 it can swallow a cancellation that arrives together with the event
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(POLL_S):
            await changed.wait()


def _read_page(session: Session, run_id: str, seq: int) -> tuple[list[Event], str | None]:
    status = session.scalar(select(Run.status).where(Run.id == run_id))
    return events.after(session, run_id, seq, PAGE), status


async def follow(
    store: Store, fanout: Fanout, run_id: str, after_seq: int
) -> AsyncGenerator[tuple[list[Event], str | None], None]:
    """Yield the events with a greater `seq`, page by page as they are stored, each once and in order.

    Yields `(events, None)` and, when the run has ended and all events were yielded, `([], status)`.
    A run that is deleted meanwhile ends with `([], "deleted")`.
    """
    with fanout.watch(run_id) as changed:
        while True:
            changed.clear()
            page, status = await store.read(_read_page, run_id, after_seq)
            if page:
                after_seq = page[-1].seq
                yield page, None
            elif status is None or Status(status) in ENDED:
                yield [], status or "deleted"
                return
            else:
                await _wait_for_change(changed)


async def wait_for_end(store: Store, fanout: Fanout, run_id: str, timeout_s: float) -> None:
    """Return when the run has ended, or after `timeout_s` seconds."""

    def status(session: Session) -> str | None:
        return session.scalar(select(Run.status).where(Run.id == run_id))

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            with fanout.watch(run_id) as changed:
                while True:
                    changed.clear()
                    found = await store.read(status)
                    if found is None or Status(found) in ENDED:
                        return
                    await _wait_for_change(changed)
