"""Time limits that can interrupt a fit."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

LimitKind: TypeAlias = Literal["model", "run"]


class TimeLimitExceeded(BaseException):
    """A time limit has passed; a `BaseException`, or else the engine counts it as a failed fold."""


class Limits:
    """Enforces the time limits of a run and of each model, both in seconds.

    Limits are checked between folds (`check`). During a fit a watchdog thread raises
    `TimeLimitExceeded` in the fitting thread, at most once for each `enforced` block. It arrives at the
    next byte code, so a long call into C ends first.

    Calls of the reporter are `shielded`: the watchdog does not interrupt them, so that an event is
    reported completely or not at all.
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
        self._started_at = monotonic()
        #: seconds of the run's limit that are put aside for what follows
        self._reserve_s = 0.0
        self._lock = threading.RLock()
        self._deadline: float | None = None
        self._exceeded: LimitKind = "run"
        self._thread = 0
        self._stop_event = threading.Event()
        self._has_raised = False

    @property
    def exceeded(self) -> LimitKind:
        """Which limit the last `TimeLimitExceeded` was raised for: `"model"` or `"run"`."""
        return self._exceeded

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run has begun."""
        return self._monotonic() - self._started_at

    @property
    def left_s(self) -> float | None:
        """Seconds that are left of the run's limit without those that are put aside; None without a limit."""
        deadline = self._run_deadline
        return None if deadline is None else deadline - self._monotonic()

    def put_aside(self, seconds: float) -> None:
        """Let the run's limit pass so many seconds earlier, for what has to follow then."""
        self._reserve_s = seconds

    def is_run_limit_exceeded(self) -> bool:
        """Return whether the limit of the run has passed."""
        left_s = self.left_s
        return left_s is not None and left_s <= 0

    @property
    def _run_deadline(self) -> float | None:
        return None if self.run_s is None else self._started_at + self.run_s - self._reserve_s

    @contextmanager
    def enforced(self) -> Iterator[None]:
        """Raise `TimeLimitExceeded` in this block (one model) when a limit passes.

        Call `stop` after catching it: it may have arrived while the block was ending.
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
        """Stop the watchdog: nothing is raised afterwards, and a pending exception is cleared.

        Does nothing when no limit is enforced.
        """
        self._stop_event.set()
        with self._lock:
            self._deadline = None
            self._clear_pending()

    def check(self) -> None:
        """Raise `TimeLimitExceeded` when the limit of the present block has passed."""
        if self._deadline is not None and self._monotonic() >= self._deadline:
            raise TimeLimitExceeded

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Keep the watchdog from interrupting this block."""
        with self._lock:
            if self._has_raised and self._deadline is not None:
                self._clear_pending()
                raise TimeLimitExceeded
            yield

    def _start(self) -> None:
        now = self._monotonic()
        model_deadline = None if self.model_s is None else now + self.model_s
        self._exceeded = "model"
        self._deadline = model_deadline
        if self._run_deadline is not None and (
            model_deadline is None or self._run_deadline <= model_deadline
        ):
            self._exceeded, self._deadline = "run", self._run_deadline
        self._thread = threading.get_ident()
        self._stop_event = threading.Event()
        self._has_raised = False

    def _watch(self, stop_event: threading.Event) -> None:
        deadline = self._deadline
        while deadline is not None and not stop_event.is_set():
            seconds_left = deadline - self._monotonic()
            if seconds_left > 0:
                stop_event.wait(seconds_left)
                continue
            with self._lock:
                if self._deadline is not None and not stop_event.is_set():
                    self._has_raised = True
                    _raise_in_thread(self._thread, TimeLimitExceeded)
            return

    def _clear_pending(self) -> None:
        # this clears a cancel that the agent raised at the same moment as well; its flag stays set
        # and is checked at the next checkpoint, which follows every model
        if self._has_raised:
            self._has_raised = False
            _raise_in_thread(self._thread, None)


def _raise_in_thread(thread: int, exception: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if exception is None else ctypes.py_object(exception)
    )
