"""Quarantine: pipelines that ended the serving kernel are refused for a while, to protect the others."""

from __future__ import annotations

import math
from collections.abc import Callable

from ...common.errors import Unavailable

#: a pipeline is refused after so many deaths of the kernel within `REFUSED_S` seconds
MAX_DEATHS = 2
REFUSED_S = 300.0


class Quarantine:
    """The pipelines that ended the serving kernel, and when."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        #: pipeline id -> when it ended a kernel, in monotonic seconds, and the message about it
        self._deaths: dict[str, list[tuple[float, str]]] = {}

    def record_death(self, pipeline_id: str, reason: str, *, is_certain: bool = False) -> None:
        """Record that a pipeline has ended the kernel; with `is_certain` it is refused after the first time."""
        now = self._monotonic()
        deaths = self._recent(pipeline_id)
        deaths += [(now, reason)] * (MAX_DEATHS if is_certain else 1)
        self._deaths[pipeline_id] = deaths

    def clear(self, pipeline_id: str) -> None:
        """Accept a pipeline again: it was deployed again."""
        self._deaths.pop(pipeline_id, None)

    def check(self, pipeline_id: str) -> None:
        """Raise Unavailable when a pipeline is refused at present."""
        deaths = self._recent(pipeline_id)
        if len(deaths) >= MAX_DEATHS:
            at, reason = deaths[-1]
            left_s = at + REFUSED_S - self._monotonic()
            raise Unavailable(
                f"{reason} It is refused for {math.ceil(left_s / 60)} min. Deploy another version.",
                retry_after_s=max(1, math.ceil(left_s)),
            )

    def _recent(self, pipeline_id: str) -> list[tuple[float, str]]:
        since = self._monotonic() - REFUSED_S
        return [death for death in self._deaths.get(pipeline_id, ()) if death[0] > since]
