"""How often a request to the server is repeated, and when the agent gives up."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .connection import NotNow, Unreachable

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0


class GaveUp(Exception):
    """The server could not be reached, or could not do it, for too long; the message says what was missing."""


@dataclass(frozen=True, slots=True)
class RetryDeadline:
    """After how many seconds of repeating the agent gives up."""

    #: the server answers, and says what it lacks
    not_now_s: float = 600.0
    #: the server does not answer: it may be restarted, and a notebook's kernel outlives that
    unreachable_s: float = 3600.0

    def begin(self) -> Repeats:
        """Return the pauses of one request."""
        return Repeats(self)


@dataclass(slots=True)
class Repeats:
    """The pauses of one request that is repeated."""

    limits: RetryDeadline
    _pause_s: float = field(default_factory=lambda: FIRST_PAUSE_S)
    _began: float = field(default_factory=time.monotonic)

    def next_pause(self, error: Unreachable) -> float:
        """Return how many seconds to wait after that error.

        Raises
        ------
        GaveUp
            When there has been enough waiting.
        """
        limit_s = self.limits.not_now_s if isinstance(error, NotNow) else self.limits.unreachable_s
        waited_s = time.monotonic() - self._began
        if waited_s > limit_s:
            raise GaveUp(f"{error} (The run waited {waited_s:.0f} s for it.)") from error
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, LONGEST_PAUSE_S)
        return pause_s
