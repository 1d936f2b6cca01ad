"""Time limits that also end a fit in the middle."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

LimitKind: TypeAlias = Literal["model", "run"]


class TimeLimitExceeded(BaseException):
    """A limit has passed; a `BaseException`, else the engine counts it as a failed fold."""


class Limits:
    """The two limits of a run, and the watch over the thread that fits.

    A limit is looked at between folds (`check`). Within a fit a watchdog thread throws `TimeUp`
    into the fitting thread, once for each `watched` block. The exception arrives at the next
    byte code, so a long call into C ends first.

    Reports to the outside happen under `shielded`: the watchdog never throws into the middle of
    them, so that an event is either told or not told.
    """

    def __init__(
        self,
        run_s: float | None = None,
        model_s: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self.run_s = run_s
        self.model_s = model_s
        self._run_deadline = None if run_s is None else monotonic() + run_s
        self._lock = threading.RLock()
        self._deadline: float | None = None
        self._exceeded: LimitKind = "run"
        self._thread = 0
        self._stop_event = threading.Event()
        self._has_raised = False

    @property
    def exceeded(self) -> LimitKind:
        """Whose limit the last `TimeUp` was about."""
        return self._exceeded

    def is_run_limit_exceeded(self) -> bool:
        """Whether the run's own limit has passed."""
        return self._run_deadline is not None and self._monotonic() >= self._run_deadline

    @contextmanager
    def enforced(self) -> Iterator[None]:
        """A block (one model) that ends with `TimeUp` when a limit passes.

        Who catches `TimeUp` calls `stop`: the exception may have come while the block was ending.
        """
        self._start()
        if self._deadline is None:
            yield
            return
        watchdog = threading.Thread(
            target=self._watch, args=(self._stop_event,), name="pycaret-ops-time-limit", daemon=True
        )
        watchdog.start()
        try:
            yield
        finally:
            self.stop()

    def stop(self) -> None:
        """End the watch: from here on nothing is thrown, and what has not arrived is taken back.

        Does no harm when there is no watch.
        """
        self._stop_event.set()
        with self._lock:
            self._deadline = None
            self._clear_pending()

    def check(self) -> None:
        """Raise `TimeUp` when the limit of the present block has passed."""
        if self._deadline is not None and self._monotonic() >= self._deadline:
            raise TimeLimitExceeded

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """A block that the watchdog does not interrupt."""
        with self._lock:
            if self._has_raised and self._deadline is not None:
                self._clear_pending()
                raise TimeLimitExceeded
            yield

    def _start(self) -> None:
        now = self._monotonic()
        model_ends = None if self.model_s is None else now + self.model_s
        self._exceeded = "model"
        self._deadline = model_ends
        if self._run_deadline is not None and (
            model_ends is None or self._run_deadline <= model_ends
        ):
            self._exceeded, self._deadline = "run", self._run_deadline
        self._thread = threading.get_ident()
        self._stop_event = threading.Event()
        self._has_raised = False

    def _watch(self, over: threading.Event) -> None:
        ends = self._deadline
        while ends is not None and not over.is_set():
            left = ends - self._monotonic()
            if left > 0:
                over.wait(left)
                continue
            with self._lock:
                if self._deadline is not None and not over.is_set():
                    self._has_raised = True
                    _raise_in_thread(self._thread, TimeLimitExceeded)
            return

    def _clear_pending(self) -> None:
        # a cancel that the agent threw in the same instant would go as well; its flag stays up and
        # is seen at the next checkpoint, which follows every model
        if self._has_raised:
            self._has_raised = False
            _raise_in_thread(self._thread, None)


def _raise_in_thread(thread: int, exception: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if exception is None else ctypes.py_object(exception)
    )
