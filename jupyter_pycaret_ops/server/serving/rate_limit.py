"""How many requests a caller may make, and how much of their bodies is held at once; in memory."""

from __future__ import annotations

from collections import Counter, OrderedDict
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


class HeldBytes:
    """How many bytes of bodies are held at once: up to a limit for all callers, half of it for each."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: Counter[Hashable] = Counter()
        self._total = 0

    def take(self, caller: Hashable, size: int) -> bool:
        """Return whether `size` further bytes of this caller may be held; they count from then on."""
        if self._total + size > self._most or self._held[caller] + size > self._most // 2:
            return False
        self._held[caller] += size
        self._total += size
        return True

    def give_back(self, caller: Hashable, size: int) -> None:
        """Say that so many bytes of a caller are no longer held."""
        self._total -= size
        self._held[caller] -= size
        if self._held[caller] <= 0:
            del self._held[caller]
