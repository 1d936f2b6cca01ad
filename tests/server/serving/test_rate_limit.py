"""Rate limits and buffered bytes of callers."""

from __future__ import annotations

from jupyter_pycaret_ops.server.serving.rate_limit import (
    BURST_S,
    MOST_CALLERS,
    BufferedBytes,
    RateLimiter,
)

from ...fakes import HandClock


def test_burst_is_allowed_and_then_the_rate() -> None:
    clock = HandClock()
    limiter = RateLimiter(60, clock.monotonic)
    assert [limiter.take("a") for _ in range(int(BURST_S))] == [0.0] * int(BURST_S)
    assert limiter.take("a") == 1.0
    assert limiter.take("b") == 0.0, "callers have buckets of their own"
    clock.advance(0.5)
    assert limiter.take("a") == 0.5
    clock.advance(0.5)
    assert limiter.take("a") == 0.0


def test_refused_request_costs_no_tokens() -> None:
    clock = HandClock()
    limiter = RateLimiter(60, clock.monotonic)
    while not limiter.take("a"):
        pass
    assert all(limiter.take("a") == 1.0 for _ in range(100))
    clock.advance(1.0)
    assert limiter.take("a") == 0.0


def test_request_above_the_capacity_needs_a_full_bucket() -> None:
    clock = HandClock()
    limiter = RateLimiter(60, clock.monotonic)
    assert limiter.take("a", 1000) == 0.0
    assert limiter.take("a", 1000) == BURST_S
    clock.advance(BURST_S)
    assert limiter.take("a", 1000) == 0.0


def test_least_recent_callers_are_dropped() -> None:
    limiter = RateLimiter(60, HandClock().monotonic)
    for caller in range(2 * MOST_CALLERS):
        limiter.take(caller)
    assert len(limiter._buckets) == MOST_CALLERS


def test_buffered_bytes_are_limited_in_total_and_to_half_per_caller() -> None:
    buffered = BufferedBytes(100)
    assert buffered.reserve("a", 50)
    assert not buffered.reserve("a", 1)
    assert buffered.reserve("b", 30)
    assert not buffered.reserve("c", 21)
    assert buffered.reserve("c", 20)
    buffered.release("a", 50)
    assert buffered.reserve("c", 30)
    for caller, size in (("b", 30), ("c", 50)):
        buffered.release(caller, size)
    assert not buffered._by_caller
    assert buffered.reserve("a", 50)
