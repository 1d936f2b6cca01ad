"""Detection of pauses of this process: the machine slept, or the process was stopped."""

from __future__ import annotations

from ...common.clock import Clock


class PauseDetector:
    """Compare the clocks with those of the last check. Check often, and before each decision that depends on time.

    Of the two clocks the one that advanced more counts: while a machine sleeps, `CLOCK_MONOTONIC` of Linux
    does not advance, but the wall clock does; while a process is stopped, both advance.
    """

    def __init__(self, clock: Clock, longest_s: float) -> None:
        self._clock = clock
        self._longest_s = longest_s
        self._last = (clock.monotonic(), clock.now())

    def check(self) -> float:
        """Return the seconds since the last check, or 0 when they are not more than `longest_s`."""
        monotonic, wall = self._last
        self._last = (self._clock.monotonic(), self._clock.now())
        gap = max(self._last[0] - monotonic, (self._last[1] - wall).total_seconds())
        return gap if gap > self._longest_s else 0.0
