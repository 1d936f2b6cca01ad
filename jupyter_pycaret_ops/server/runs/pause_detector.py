"""Notices that this process stood still: the machine slept, or somebody stopped it."""

from __future__ import annotations

from ...common.clock import Clock


class PauseDetector:
    """Compares what the clocks say between two looks. Look often, and before anything is judged by time.

    Of the two clocks the one that went further counts: while a machine sleeps, `CLOCK_MONOTONIC` of Linux
    stands still and the wall clock does not; while a process is stopped, both go on.
    """

    def __init__(self, clock: Clock, longest_s: float) -> None:
        self._clock = clock
        self._longest_s = longest_s
        self._seen = (clock.monotonic(), clock.now())

    def look(self) -> float:
        """Return for how many seconds nobody has looked, or 0 where that is no longer than expected."""
        monotonic, wall = self._seen
        self._seen = (self._clock.monotonic(), self._clock.now())
        gap = max(self._seen[0] - monotonic, (self._seen[1] - wall).total_seconds())
        return gap if gap > self._longest_s else 0.0
