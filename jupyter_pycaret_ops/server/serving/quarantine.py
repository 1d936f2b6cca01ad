"""Pipelines that ended the serving kernel: refused for a while, so that they take only themselves down."""

from __future__ import annotations

import math
from collections.abc import Callable

from ...common.errors import Unavailable

#: deaths within the time below that make a pipeline refused
DEADLY = 2
REFUSED_S = 300.0


class Quarantine:
    """Who ended the serving kernel, and when."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        #: pipeline → when it ended a kernel, and what is to be said of it
        self._deaths: dict[str, list[tuple[float, str]]] = {}

    def blame(self, pipeline_id: str, why: str, *, for_certain: bool = False) -> None:
        """Note that a pipeline has ended the kernel; `for_certain` refuses it at the first time."""
        now = self._monotonic()
        deaths = self._recent(pipeline_id)
        deaths += [(now, why)] * (DEADLY if for_certain else 1)
        self._deaths[pipeline_id] = deaths

    def forgive(self, pipeline_id: str) -> None:
        """Give a pipeline another chance: somebody has deployed it again."""
        self._deaths.pop(pipeline_id, None)

    def refuse(self, pipeline_id: str) -> None:
        """Raise Unavailable where a pipeline is refused for now.

        Raises
        ------
        Unavailable
        """
        deaths = self._recent(pipeline_id)
        if len(deaths) >= DEADLY:
            at, why = deaths[-1]
            left_s = at + REFUSED_S - self._monotonic()
            raise Unavailable(
                f"{why} It is not tried again for {math.ceil(left_s / 60)} min. Deploy another version.",
                retry_after_s=max(1, math.ceil(left_s)),
            )

    def _recent(self, pipeline_id: str) -> list[tuple[float, str]]:
        since = self._monotonic() - REFUSED_S
        return [death for death in self._deaths.get(pipeline_id, ()) if death[0] > since]
