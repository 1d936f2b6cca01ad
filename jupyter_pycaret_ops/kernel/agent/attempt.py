"""One attempt of a run: fetch specification and data, execute the plan, report the outcome."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from ...common.protocol import DataSpec, Finish, RunSpec
from .connection import Connection, Fenced, Refused, RetryLater, Unreachable
from .event_sender import NOTEBOOK_HEARTBEAT_S, EventSender
from .loading import DataUnreadable, load, with_holdout
from .priority import lower_session_priority, lower_thread_priority
from .retries import RetriesExhausted, RetryDeadline

if TYPE_CHECKING:
    import ssl

    import pandas as pd

    from .. import engine

T = TypeVar("T")
MAX_ERROR_LENGTH = 2_000
FINAL_REQUEST_TIMEOUT_S = 2.0
#: shorter for reading, before any work is done, than for what a run has produced
READ_DEADLINE = RetryDeadline(retry_later_s=60.0)
WRITE_DEADLINE = RetryDeadline()
#: seconds of retrying after which the run reports what it waits for
REPORT_WAITING_AFTER_S = 2.0
KERNEL_SHUT_DOWN = "The notebook's kernel that ran this was shut down or restarted."


class Attempt:
    """Executes one attempt in its own thread; `cancel` may be called from any other."""

    def __init__(
        self,
        server: str,
        run_id: str,
        token: str,
        frame: pd.DataFrame | None = None,
        *,
        own: engine.NotebookObjects | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.run_id = run_id
        self._frame = frame
        self._own = own
        self._is_notebook_run = frame is not None
        self._connection = Connection(server, run_id, token, ssl_context=ssl_context)
        self._sender_connection = Connection(server, run_id, token, ssl_context=ssl_context)
        # a kernel that shuts down has little time
        self._final_connection = Connection(
            server, run_id, token, ssl_context=ssl_context, timeout_s=FINAL_REQUEST_TIMEOUT_S
        )
        #: the number of the attempt, once its specification is fetched
        self._attempt_number: int | None = None
        self._sender: EventSender | None = None
        self._cancelled = threading.Event()
        self._fenced = threading.Event()
        #: why the run cannot continue, if neither the plan failed nor the run was cancelled
        self._failure: str | None = None
        #: digest and size of the data, for the snapshot of every outcome
        self._data_facts: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._is_interruptible = False
        self._thread = threading.Thread(
            target=self._run, name=f"pycaret-ops-run-{run_id[:8]}", daemon=True
        )

    def start(self) -> None:
        """Start the thread; returns at once."""
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of the thread; return whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """Set the flag, and raise `Cancelled` once in the thread if it executes the plan."""
        self._cancelled.set()
        with self._lock:
            if self._is_interruptible:
                self._is_interruptible = False
                _raise_in_thread(self._thread, _cancelled_type())

    @property
    def is_finished(self) -> bool:
        """Whether the thread has ended."""
        return not self._thread.is_alive()

    def abandon(self) -> None:
        """Report the shutdown of the kernel to the server if it can be reached at once."""
        if self.is_finished or self._attempt_number is None:
            return
        finish = (
            Finish(self._attempt_number, "cancelled")
            if self._cancelled.is_set()
            else Finish(self._attempt_number, "failed", KERNEL_SHUT_DOWN, "worker_lost")
        )
        with contextlib.suppress(Fenced, Refused, Unreachable):
            self._final_connection.json("POST", "finish", asdict(finish))

    # ---------------------------------------------------------------- the engine's Reporter

    def event(
        self,
        kind: str,
        message: str,
        payload: dict[str, Any] | None = None,
        duration_ms: float | None = None,
    ) -> None:
        """Send an event; see `engine.Reporter`."""
        if self._sender is not None:
            self._sender.put(kind, message, payload, duration_ms)

    def checkpoint(self) -> None:
        """Raise `Cancelled` when the run was cancelled."""
        if self._cancelled.is_set():
            raise _cancelled_type()

    def artifact(
        self,
        filename: str,
        kind: str,
        content: bytes,
        content_type: str,
        model_id: str | None = None,
    ) -> None:
        """Upload a file; see `engine.Reporter`."""
        headers = {
            "Content-Type": content_type,
            "X-Content-SHA256": hashlib.sha256(content).hexdigest(),
            "X-Artifact-Kind": kind,
            "X-Attempt": str(self._spec.attempt),
        }
        if model_id is not None:
            headers["X-Model-Id"] = model_id

        def send() -> bytes:
            return self._connection.request("PUT", f"artifacts/{quote(filename)}", content, headers)

        with self._shielded():
            try:
                self._with_retries(send, WRITE_DEADLINE)
            except (
                RetriesExhausted
            ) as error:  # a plan could continue without a plot, but not without its pipeline
                self._on_failure(str(error))

    # ---------------------------------------------------------------- the thread

    def _run(self) -> None:
        lower_thread_priority()
        try:
            self._spec = self._fetch_spec()
            self._attempt_number = self._spec.attempt
            self._sender = EventSender(
                self._sender_connection,
                self._spec.attempt,
                on_cancel=self.cancel,
                on_fenced=self._on_fenced,
                on_failure=self._on_failure,
                deadline=WRITE_DEADLINE,
                heartbeat_s=min(
                    self._spec.heartbeat_s,
                    NOTEBOOK_HEARTBEAT_S if self._is_notebook_run else self._spec.heartbeat_s,
                ),
            )
            self._sender.start()
            finish = self._execute()
            finish = replace(finish, snapshot={**finish.snapshot, **self._data_facts})
            self._sender.drain()
            if self._failure is not None:
                finish = self._failed(self._failure)
            if not self._fenced.is_set():
                self._finish(finish)
        except Fenced:
            pass  # the server no longer accepts this attempt
        except (RetriesExhausted, Refused):
            pass  # this cannot be reported; the server notices that heartbeats stop
        finally:
            self._frame = self._own = None
            self._connection.close()
            self._sender_connection.close()

    def _finish(self, finish: Finish) -> None:
        """Report the outcome; when the server refuses it, report that instead."""

        def send() -> None:
            self._with_retries(
                lambda: self._connection.json("POST", "finish", asdict(finish)), WRITE_DEADLINE
            )

        try:
            send()
        except Refused as error:
            finish = self._failed(f"The server refused the results: {error}")
            send()

    def _failed(self, message: str) -> Finish:
        return Finish(self._spec.attempt, "failed", message[:MAX_ERROR_LENGTH], "internal")

    def _fetch_spec(self) -> RunSpec:
        raw = self._with_retries(lambda: self._connection.json("GET", "spec"), READ_DEADLINE)
        holdout = raw.get("holdout")
        parsed = {
            "data": DataSpec.parse(raw["data"]),
            "holdout": None if holdout is None else DataSpec.parse(holdout),
        }
        return RunSpec(**{**raw, **parsed})

    def _execute(self) -> Finish:
        from .. import engine

        attempt = self._spec.attempt
        try:
            if self._is_notebook_run:
                engine.load(self._spec.task)
            # a user's own kernel keeps its priority: the user works in it meanwhile
            priority = (
                contextlib.nullcontext() if self._is_notebook_run else lower_session_priority()
            )
            with priority, self._interruptible():
                self.checkpoint()
                frame = self._load_frame()
                named = {} if self._own is None else {"own": self._own}
                result = engine.run_plan(self._spec, frame, self, **named)
        except engine.Cancelled:
            return Finish(attempt, "cancelled")
        except engine.PlanFailed as error:
            return Finish(attempt, "failed", str(error)[:MAX_ERROR_LENGTH], error.kind)
        except DataUnreadable as error:
            return Finish(attempt, "failed", str(error)[:MAX_ERROR_LENGTH], error.kind)
        except MemoryError:
            return Finish(
                attempt,
                "failed",
                "The plan ran out of memory. Use fewer rows or columns, or lighter models.",
                "engine",
            )
        except (RetriesExhausted, Refused) as error:
            return self._failed(str(error))
        except Fenced:
            raise
        except Exception as error:
            self.event("error", "The engine failed", {"traceback": traceback.format_exc()[-8_000:]})
            text = f"{type(error).__name__}: {error}"
            return Finish(attempt, "failed", text[:MAX_ERROR_LENGTH], "engine")
        return Finish(
            attempt,
            "succeeded",
            leaderboard=result.leaderboard,
            metrics_summary=result.metrics_summary,
            snapshot=result.snapshot,
        )

    def _load_frame(self) -> pd.DataFrame:
        started = time.perf_counter()
        if self._frame is not None:
            frame = self._frame
        else:
            frame, self._data_facts = load(
                self._spec.data, lambda: self._fetch("data"), self.checkpoint
            )
        holdout = self._spec.holdout
        if holdout is not None:
            held, held_facts = load(holdout, lambda: self._fetch("holdout"), self.checkpoint)
            self._data_facts = {**self._data_facts, "held_out": held_facts}
            frame = with_holdout(frame, held)
            holdout = DataSpec(holdout.kind, {"rows": len(held)})
        # third-party code runs from here on: it must not find secrets
        self._spec = replace(self._spec, data=DataSpec(self._spec.data.kind), holdout=holdout)
        n_rows, n_columns = frame.shape
        self.event(
            "run.data_loaded",
            f"{n_rows:,} rows, {n_columns} columns",
            {"rows": int(n_rows), "columns": [str(name) for name in frame.columns]},
            (time.perf_counter() - started) * 1000,
        )
        return frame

    def _fetch(self, path: str) -> bytes:
        with self._shielded():
            return self._with_retries(
                lambda: b"".join(self._connection.stream("GET", path)), READ_DEADLINE
            )

    def _with_retries(self, request: Callable[[], T], deadline: RetryDeadline) -> T:
        """Send a request, and retry it while the server cannot be reached; requests are idempotent.

        Raises
        ------
        RetriesExhausted
            When retrying took longer than `deadline` allows.
        """
        pauses = deadline.begin()
        started_at, is_reported = time.monotonic(), False
        while True:
            try:
                return request()
            except Unreachable as error:
                if (
                    not is_reported
                    and isinstance(error, RetryLater)
                    and time.monotonic() - started_at > REPORT_WAITING_AFTER_S
                ):
                    is_reported = True
                    missing = "space" if "full" in str(error) else "storage"
                    self.event("run.waiting", f"Waiting: {error}", {"for": missing})
                if self._fenced.wait(pauses.next_pause(error)):
                    raise Fenced("the run is over") from None

    def _on_failure(self, message: str) -> None:
        """Stop the plan, because its events cannot be sent, and fail the run with `message`."""
        self._failure = message
        self.cancel()

    def _on_fenced(self) -> None:
        self._fenced.set()
        self.cancel()

    # ---------------------------------------------------------------- interruption

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Allow `cancel` to interrupt the thread in this block, and only there."""
        with self._lock:
            self._is_interruptible = True
        try:
            yield
        finally:
            self._disable_interruption()

    @contextlib.contextmanager
    def _shielded(self) -> Iterator[None]:
        """Keep `cancel` from interrupting a request in this block; raise `Cancelled` after it."""
        was_interruptible = self._is_interruptible
        self._disable_interruption()
        try:
            yield
        finally:
            with self._lock:
                self._is_interruptible = was_interruptible
        self.checkpoint()

    def _disable_interruption(self) -> None:
        with self._lock:
            self._is_interruptible = False
            # a pending exception that has not arrived yet must not arrive later
            _raise_in_thread(threading.current_thread(), None)


def _cancelled_type() -> type[BaseException]:
    from .. import engine

    return engine.Cancelled


def _raise_in_thread(thread: threading.Thread, exception: type[BaseException] | None) -> None:
    """Raise an exception in a thread (between two byte codes), or clear a pending one with None."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), None if exception is None else ctypes.py_object(exception)
        )
