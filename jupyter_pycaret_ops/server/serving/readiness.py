"""Whether the server can serve: asked of the database, not remembered from when it last could."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.orm import Session

from ...common.errors import OpsError, Unavailable
from ..store.session import Store

ASK_WITHIN_S = 2.0
#: probes come from anybody; the database is asked no more often than this
FRESH_S = 1.0


class Readiness:
    """Asks the database for a sign of life; probes that come together share one question."""

    def __init__(self, store: Store, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self._asking: asyncio.Task[None] | None = None
        self._asked_at = 0.0

    async def check(self) -> None:
        """Return where the database answers.

        Raises
        ------
        Unavailable
            When it does not, or not in time.
        """
        if self._asking is None or (
            self._asking.done() and self._monotonic() - self._asked_at >= FRESH_S
        ):
            self._asked_at = self._monotonic()
            self._asking = asyncio.create_task(self._ask(), name="readiness")
            self._asking.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(ASK_WITHIN_S):
                await self._store.read(_select_one)
        except TimeoutError:
            raise Unavailable("The database does not answer.", retry_after_s=5) from None
        except OpsError as error:
            raise Unavailable(error.message, retry_after_s=5) from error


def _select_one(session: Session) -> None:
    session.execute(text("select 1"))
