"""Readiness of the server: whether the database answers now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.orm import Session

from ...common.errors import OpsError, Unavailable
from ..store.session import Store

QUERY_WITHIN_S = 2.0
#: seconds between two queries; probes need no credential, so they must cost little
FRESH_S = 1.0


class Readiness:
    """Queries the database; probes that arrive together share one query."""

    def __init__(self, store: Store, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self._query_task: asyncio.Task[None] | None = None
        self._queried_at = 0.0

    async def check(self) -> None:
        """Return when the database answers.

        Raises
        ------
        Unavailable
            When it does not answer in time.
        """
        if self._query_task is None or (
            self._query_task.done() and self._monotonic() - self._queried_at >= FRESH_S
        ):
            self._queried_at = self._monotonic()
            self._query_task = asyncio.create_task(self._query(), name="readiness")
            self._query_task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(self._query_task)

    async def _query(self) -> None:
        try:
            async with asyncio.timeout(QUERY_WITHIN_S):
                await self._store.read(_select_one)
        except TimeoutError:
            raise Unavailable("The database does not answer.", retry_after_s=5) from None
        except OpsError as error:
            raise Unavailable(error.message, retry_after_s=5) from error


def _select_one(session: Session) -> None:
    session.execute(text("select 1"))
