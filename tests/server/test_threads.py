"""Threads: bounded in number, in those who wait, and in time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from jupyter_pycaret_ops.common.errors import Unavailable
from jupyter_pycaret_ops.server.threads import ThreadPool, in_thread, in_thread_within

from ..fakes import in_loop, settle


@in_loop
async def test_work_is_done_in_a_thread_of_the_pool() -> None:
    pool = ThreadPool("test", 1)
    try:
        name = await pool.run(lambda: threading.current_thread().name)
        assert name.startswith("pycaret-ops-test")
        with pytest.raises(ValueError, match="wrong"):
            await pool.run(int, "wrong")
    finally:
        pool.close()


@in_loop
async def test_calls_beyond_the_limit_are_refused() -> None:
    pool = ThreadPool("test", 1, most_waiting=2, busy="Busy. Try again.")
    release = threading.Event()
    try:
        calls = [asyncio.create_task(pool.run(release.wait, 60)) for _ in range(2)]
        await settle()
        with pytest.raises(Unavailable, match="Busy"):
            await pool.run(int, "1")
        release.set()
        assert await asyncio.gather(*calls) == [True, True]
        assert await pool.run(int, "1") == 1
    finally:
        release.set()
        pool.close()


@in_loop
async def test_work_that_was_begun_is_done_when_its_caller_is_cancelled() -> None:
    pool = ThreadPool("test", 1)
    release, done = threading.Event(), threading.Event()

    def work() -> None:
        release.wait(60)
        done.set()

    call = asyncio.create_task(pool.run(work))
    await settle()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    release.set()
    pool.close(wait=True)
    assert done.is_set()


@in_loop
async def test_late_work_does_not_hold_up_its_caller() -> None:
    pool = ThreadPool("test", 1)
    release = threading.Event()
    try:
        with pytest.raises(TimeoutError):
            await pool.run_within(0.01, release.wait, 60)
        with pytest.raises(Unavailable, match="does not answer"):
            await in_thread_within(0.01, release.wait, 60)
    finally:
        release.set()
        pool.close()
    assert await in_thread(int, "7") == 7
