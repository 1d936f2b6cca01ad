"""Threads for work that blocks; no other module of the server starts threads or calls `asyncio.to_thread`."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from ..common.errors import Unavailable

#: larger bodies of requests are decoded in a thread
IN_THREAD_BYTES = 256 * 1024
#: seconds for work on local files and processes, for example on a home folder that hangs
LOCAL_WITHIN_S = 300.0

P = ParamSpec("P")
T = TypeVar("T")


class ThreadPool:
    """Threads for one kind of work, so that work that hangs holds up nothing of another kind."""

    def __init__(
        self, name: str, n_threads: int, *, most_waiting: int | None = None, busy: str = ""
    ) -> None:
        """`most_waiting` bounds the calls of `run` that are not done; `busy` is said to those beyond it."""
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix=f"pycaret-ops-{name}")
        self._most_waiting = most_waiting
        self._busy = busy
        self._waiting = 0

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of `work`. It is done to its end, also when the caller is cancelled.

        Raises
        ------
        Unavailable
            When too many calls wait already.
        """
        if self._most_waiting is not None and self._waiting >= self._most_waiting:
            raise Unavailable(self._busy)
        self._waiting += 1
        try:
            return await asyncio.shield(self._start(work, *args, **kwargs))
        finally:
            self._waiting -= 1

    async def run_within(
        self, timeout_s: float, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do the same as `run`; raise TimeoutError after `timeout_s` seconds, when the thread goes on."""
        return await _within(timeout_s, self._start(work, *args, **kwargs))

    def submit(self, work: Callable[[], object]) -> None:
        """Do work without waiting for it."""
        self._threads.submit(work)

    def close(self, *, wait: bool = False) -> None:
        """Do what waits, and return when it is done (`wait`); otherwise drop what has not begun."""
        self._threads.shutdown(wait=wait, cancel_futures=not wait)

    def _start(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        call = functools.partial(work, *args, **kwargs)
        return asyncio.get_running_loop().run_in_executor(self._threads, call)


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return the result of short work on local files or processes, done in a thread of the event loop.

    Raises
    ------
    Unavailable
        When it takes longer than five minutes.
    """
    return await in_thread_within(LOCAL_WITHIN_S, work, *args, **kwargs)


async def in_thread_within(
    timeout_s: float, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do the same as `in_thread`, within `timeout_s` seconds."""
    call = functools.partial(work, *args, **kwargs)
    try:
        return await _within(timeout_s, asyncio.ensure_future(asyncio.to_thread(call)))
    except TimeoutError:
        raise Unavailable(
            "The server's disk or a process does not answer. Try again.", retry_after_s=30
        ) from None


async def _within(timeout_s: float, future: asyncio.Future[T]) -> T:
    done, _ = await asyncio.wait({future}, timeout=timeout_s)
    if not done:
        # a thread cannot be stopped; what it raises later is nobody's
        future.add_done_callback(lambda late: late.cancelled() or late.exception())
        raise TimeoutError
    return future.result()
