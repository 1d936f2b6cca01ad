"""Watchers of runs: woken when something was stored, they read it from the store themselves.

Nothing is queued for a watcher, so a slow one costs no memory and slows nobody, and what it reads is what
is stored: no gap between replay and live, no repeat.
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
#: another server of the same database may store events that nobody here is woken for
POLL_S = 2.0


class Fanout:
    """Who waits for news of which run, in this server."""

    def __init__(self) -> None:
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)

    @contextlib.contextmanager
    def watch(self, run_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever something new of the run was stored."""
        news = asyncio.Event()
        self._watchers[run_id].add(news)
        try:
            yield news
        finally:
            self._watchers[run_id].discard(news)
            if not self._watchers[run_id]:
                del self._watchers[run_id]

    def publish(self, run_id: str) -> None:
        """Something new of the run was stored."""
        for news in self._watchers.get(run_id, ()):
            news.set()


async def _news_or_poll(news: asyncio.Event) -> None:
    # not `wait_for`: before Python 3.12 it can swallow a cancellation that comes with the news
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(POLL_S):
            await news.wait()


def _news(session: Session, run_id: str, seq: int) -> tuple[list[Event], str | None]:
    status = session.scalar(select(Run.status).where(Run.id == run_id))
    return events.after(session, run_id, seq, PAGE), status


async def follow(
    store: Store, fanout: Fanout, run_id: str, after_seq: int
) -> AsyncGenerator[tuple[list[Event], str | None], None]:
    """Events with a greater `seq`, page by page as they come, each once and in order.

    Yields `(events, None)` and, when the run has ended and all was yielded, `([], status)` as the last.
    A run that is deleted meanwhile ends with `([], "deleted")`.
    """
    with fanout.watch(run_id) as news:
        while True:
            news.clear()
            page, status = await store.read(_news, run_id, after_seq)
            if page:
                after_seq = page[-1].seq
                yield page, None
            elif status is None or Status(status) in ENDED:
                yield [], status or "deleted"
                return
            else:
                await _news_or_poll(news)


async def wait_for_end(store: Store, fanout: Fanout, run_id: str, timeout_s: float) -> None:
    """Return when the run has ended, or the time is up."""

    def status(session: Session) -> str | None:
        return session.scalar(select(Run.status).where(Run.id == run_id))

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            with fanout.watch(run_id) as news:
                while True:
                    news.clear()
                    found = await store.read(status)
                    if found is None or Status(found) in ENDED:
                        return
                    await _news_or_poll(news)
