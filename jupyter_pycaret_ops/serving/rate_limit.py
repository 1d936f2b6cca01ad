"""How many requests a caller may make: a token bucket for each, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

#: seconds of the rate that may come at once
BURST_S = 2.0
MOST_CALLERS = 10_000


class RateLimiter:
    """Token buckets by caller (https://en.wikipedia.org/wiki/Token_bucket); the least recent are forgotten."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._per_s = per_minute / 60
        self._capacity = max(1.0, self._per_s * BURST_S)
        self._monotonic = monotonic
        #: caller → tokens left, and when that was so
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, caller: Hashable, cost: float = 1.0) -> float:
        """Return 0 and take `cost` tokens, or take none and return the seconds until there are enough.

        A request that costs more than a full bucket is let through by a full bucket and empties it.
        """
        now = self._monotonic()
        left, at = self._buckets.pop(caller, (self._capacity, now))
        left = min(self._capacity, left + (now - at) * self._per_s)
        cost = min(cost, self._capacity)
        wait_s = 0.0
        if left >= cost:
            left -= cost
        else:
            wait_s = (cost - left) / self._per_s
        self._buckets[caller] = (left, now)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        return wait_s
