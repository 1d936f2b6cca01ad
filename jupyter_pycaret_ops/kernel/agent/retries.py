"""Pauses between retries of a request, and when to stop retrying."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .connection import RetryLater, Unreachable

FIRST_PAUSE_S, MAX_PAUSE_S = 0.1, 2.0


class RetriesExhausted(Exception):
    """A request could not be sent for too long; the message says why."""


@dataclass(frozen=True, slots=True)
class RetryDeadline:
    """For how many seconds a request is retried."""

    #: when the server responds that it cannot handle it now
    retry_later_s: float = 600.0
    #: when the server does not respond: it may be restarted, which a notebook's kernel survives
    unreachable_s: float = 3600.0

    def begin(self) -> RetryPauses:
        """Return the pauses between retries of one request; the time starts now."""
        return RetryPauses(self)


@dataclass(slots=True)
class RetryPauses:
    """The pauses between retries of one request."""

    limits: RetryDeadline
    _pause_s: float = field(default_factory=lambda: FIRST_PAUSE_S)
    _started_at: float = field(default_factory=time.monotonic)

    def next_pause(self, error: Unreachable) -> float:
        """Return the seconds to wait before the next retry.

        Raises
        ------
        GaveUp
            When the request was retried for longer than `limits` allow.
        """
        limit_s = (
            self.limits.retry_later_s
            if isinstance(error, RetryLater)
            else self.limits.unreachable_s
        )
        waited_s = time.monotonic() - self._started_at
        if waited_s > limit_s:
            raise RetriesExhausted(f"{error} (The run waited {waited_s:.0f} s for it.)") from error
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, MAX_PAUSE_S)
        return pause_s
