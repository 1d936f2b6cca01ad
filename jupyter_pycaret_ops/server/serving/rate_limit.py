"""Limits for callers: requests per minute, and bytes of request bodies in memory at once."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable

#: capacity of a bucket, in seconds of the rate
BURST_S = 2.0
MOST_CALLERS = 10_000


class RateLimiter:
    """Token buckets by caller (https://en.wikipedia.org/wiki/Token_bucket); the least recent are dropped."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._per_s = per_minute / 60
        self._capacity = max(1.0, self._per_s * BURST_S)
        self._monotonic = monotonic
        #: caller -> tokens left, and the time of that count in monotonic seconds
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, caller: Hashable, cost: float = 1.0) -> float:
        """Return 0 and take `cost` tokens, or take none and return the seconds until there are enough.

        A request that costs more than the capacity is allowed when the bucket is full, and empties it.
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


class BufferedBytes:
    """The bytes of request bodies in memory: up to a limit for all callers, and half of it for each."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_caller: Counter[Hashable] = Counter()
        self._total = 0

    def reserve(self, caller: Hashable, size: int) -> bool:
        """Reserve `size` bytes for a caller; return False when that would exceed a limit."""
        if self._total + size > self._most or self._by_caller[caller] + size > self._most // 2:
            return False
        self._by_caller[caller] += size
        self._total += size
        return True

    def release(self, caller: Hashable, size: int) -> None:
        """Release `size` reserved bytes of a caller."""
        self._total -= size
        self._by_caller[caller] -= size
        if self._by_caller[caller] <= 0:
            del self._by_caller[caller]
