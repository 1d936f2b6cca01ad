"""One attempt of a run: fetch the spec and the frame, run the plan, say how it ended."""

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
from .connection import Connection, Fenced, NotNow, Refused, Unreachable
from .event_sender import GUEST_HEARTBEAT_S, Sender
from .loading import DataUnreadable, load
from .priority import give_way, session_behind
from .retries import GaveUp, RetryDeadline

if TYPE_CHECKING:
    import ssl

    import pandas as pd

T = TypeVar("T")
LONGEST_ERROR = 2_000
LAST_WORD_S = 2.0
#: what is read at the beginning is there or not; what a run has made is worth more patience
READ_GIVE_UP = RetryDeadline(not_now_s=60.0)
WRITE_GIVE_UP = RetryDeadline()
#: seconds of waiting after which the run says what it waits for
SAY_AFTER_S = 2.0
SHUT_DOWN = "The notebook's kernel that ran this was shut down or restarted."


class Attempt:
    """Runs in a thread of its own; `cancel` may be called from any other."""

    def __init__(
        self,
        server: str,
        run_id: str,
        token: str,
        frame: pd.DataFrame | None = None,
        *,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.run_id = run_id
        self._frame = frame
        self._is_guest = frame is not None
        self._line = Connection(server, run_id, token, trust=trust)
        self._sender_line = Connection(server, run_id, token, trust=trust)
        # a kernel that shuts down has no time to lose
        self._last_line = Connection(server, run_id, token, trust=trust, timeout_s=LAST_WORD_S)
        #: the number of the attempt, once the server has said it
        self._begun: int | None = None
        self._sender: Sender | None = None
        self._cancelled = threading.Event()
        self._fenced = threading.Event()
        #: why the run cannot go on, where that is neither the plan's fault nor a cancel
        self._failure: str | None = None
        #: what was read, for the snapshot, however the attempt ends
        self._facts: dict[str, Any] = {}
        self._gate = threading.Lock()
        self._interruptible = False
        self._thread = threading.Thread(
            target=self._run, name=f"pycaret-ops-run-{run_id[:8]}", daemon=True
        )

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; whether it has come."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """Set the flag and, once, throw `Cancelled` into the plan's thread if the plan is what it runs."""
        self._cancelled.set()
        with self._gate:
            if self._interruptible:
                self._interruptible = False
                _throw(self._thread, _cancelled_type())

    @property
    def is_over(self) -> bool:
        """Whether the thread has done all that it will do."""
        return not self._thread.is_alive()

    def abandon(self) -> None:
        """The kernel shuts down: say so to the server, if it can be reached at once."""
        if self.is_over or self._begun is None:
            return
        last = (
            Finish(self._begun, "cancelled")
            if self._cancelled.is_set()
            else Finish(self._begun, "failed", SHUT_DOWN, "worker_lost")
        )
        with contextlib.suppress(Fenced, Refused, Unreachable):
            self._last_line.json("POST", "finish", asdict(last))

    # ---------------------------------------------------------------- what the engine sees

    def event(
        self,
        kind: str,
        message: str,
        payload: dict[str, Any] | None = None,
        duration_ms: float | None = None,
    ) -> None:
        """Report something that happened."""
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
        """Send a file to the server, whole."""
        headers = {
            "Content-Type": content_type,
            "X-Content-SHA256": hashlib.sha256(content).hexdigest(),
            "X-Artifact-Kind": kind,
            "X-Attempt": str(self._spec.attempt),
        }
        if model_id is not None:
            headers["X-Model-Id"] = model_id

        def send() -> bytes:
            return self._line.request("PUT", f"artifacts/{quote(filename)}", content, headers)

        with self._shielded():
            try:
                self._persist(send, WRITE_GIVE_UP)
            except GaveUp as error:  # a plan may go on without a plot, but not without its pipeline
                self._on_failure(str(error))

    # ---------------------------------------------------------------- the thread

    def _run(self) -> None:
        give_way()
        try:
            self._spec = self._fetch_spec()
            self._begun = self._spec.attempt
            self._sender = Sender(
                self._sender_line,
                self._spec.attempt,
                on_cancel=self.cancel,
                on_fenced=self._on_fenced,
                on_failure=self._on_failure,
                give_up=WRITE_GIVE_UP,
                heartbeat_s=min(
                    self._spec.heartbeat_s,
                    GUEST_HEARTBEAT_S if self._is_guest else self._spec.heartbeat_s,
                ),
            )
            self._sender.start()
            finish = self._execute()
            finish = replace(finish, snapshot={**finish.snapshot, **self._facts})
            self._sender.drain()
            if self._failure is not None:
                finish = self._failed(self._failure)
            if not self._fenced.is_set():
                self._finish(finish)
        except Fenced:
            pass  # nobody waits for this attempt any more
        except (GaveUp, Refused):
            pass  # nobody can be told: the server notices the silence
        finally:
            self._frame = None
            self._line.close()
            self._sender_line.close()

    def _finish(self, last: Finish) -> None:
        """Say the last word; where it is refused, say that."""

        def send() -> None:
            self._persist(lambda: self._line.json("POST", "finish", asdict(last)), WRITE_GIVE_UP)

        try:
            send()
        except Refused as error:
            last = self._failed(f"The server refused the results: {error}")
            send()

    def _failed(self, message: str) -> Finish:
        return Finish(self._spec.attempt, "failed", message[:LONGEST_ERROR], "internal")

    def _fetch_spec(self) -> RunSpec:
        raw = self._persist(lambda: self._line.json("GET", "spec"), READ_GIVE_UP)
        return RunSpec(**{**raw, "data": DataSpec.parse(raw["data"])})

    def _execute(self) -> Finish:
        from .. import engine

        attempt = self._spec.attempt
        try:
            if self._is_guest:
                engine.load(self._spec.task)
            # a person's own kernel goes on with their own work meanwhile
            behind = contextlib.nullcontext() if self._is_guest else session_behind()
            with behind, self._plan():
                self.checkpoint()
                frame = self._load_frame()
                result = engine.run_plan(self._spec, frame, self)
        except engine.Cancelled:
            return Finish(attempt, "cancelled")
        except engine.PlanFailed as error:
            return Finish(attempt, "failed", str(error)[:LONGEST_ERROR], error.kind)
        except DataUnreadable as error:
            return Finish(attempt, "failed", str(error)[:LONGEST_ERROR], error.kind)
        except MemoryError:
            return Finish(
                attempt,
                "failed",
                "The plan ran out of memory. Use fewer rows or columns, or lighter models.",
                "engine",
            )
        except (GaveUp, Refused) as error:
            return self._failed(str(error))
        except Fenced:
            raise
        except Exception as error:
            self.event("error", "The engine failed", {"traceback": traceback.format_exc()[-8_000:]})
            text = f"{type(error).__name__}: {error}"
            return Finish(attempt, "failed", text[:LONGEST_ERROR], "engine")
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
            frame, self._facts = load(self._spec.data, self._fetch_data, self.checkpoint)
        # libraries that we did not write work from here on: they find no secret
        self._spec = replace(self._spec, data=DataSpec(self._spec.data.kind))
        rows, columns = frame.shape
        self.event(
            "run.data_loaded",
            f"{rows:,} rows, {columns} columns",
            {"rows": int(rows), "columns": [str(name) for name in frame.columns]},
            (time.perf_counter() - started) * 1000,
        )
        return frame

    def _fetch_data(self) -> bytes:
        with self._shielded():
            return self._persist(lambda: b"".join(self._line.stream("GET", "data")), READ_GIVE_UP)

    def _persist(self, request: Callable[[], T], give_up: RetryDeadline) -> T:
        """Repeat a request while the server cannot take it; every one of them may be sent twice.

        Raises
        ------
        GaveUp
            When it could not for too long.
        """
        waits = give_up.begin()
        began, said = time.monotonic(), False
        while True:
            try:
                return request()
            except Unreachable as error:
                if (
                    not said
                    and isinstance(error, NotNow)
                    and time.monotonic() - began > SAY_AFTER_S
                ):
                    said = True
                    what = "space" if "full" in str(error) else "storage"
                    self.event("run.waiting", f"Waiting: {error}", {"for": what})
                if self._fenced.wait(waits.next_pause(error)):
                    raise Fenced("the run is over") from None

    def _on_failure(self, message: str) -> None:
        """Nothing that the run does can be reported: stop the plan, and end with the reason."""
        self._failure = message
        self.cancel()

    def _on_fenced(self) -> None:
        self._fenced.set()
        self.cancel()

    # ---------------------------------------------------------------- interruption

    @contextlib.contextmanager
    def _plan(self) -> Iterator[None]:
        """In here, and only in here, the thread may be interrupted."""
        with self._gate:
            self._interruptible = True
        try:
            yield
        finally:
            self._disarm()

    @contextlib.contextmanager
    def _shielded(self) -> Iterator[None]:
        """Within the plan, a stretch that must not be torn: a request on its way."""
        was = self._interruptible
        self._disarm()
        try:
            yield
        finally:
            with self._gate:
                self._interruptible = was
        self.checkpoint()

    def _disarm(self) -> None:
        with self._gate:
            self._interruptible = False
            # one that was thrown and has not arrived yet must not arrive later
            _throw(threading.current_thread(), None)


def _cancelled_type() -> type[BaseException]:
    from .. import engine

    return engine.Cancelled


def _throw(thread: threading.Thread, kind: type[BaseException] | None) -> None:
    """Throw an exception into a thread (it arrives between two bytecodes), or take back a thrown one."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), None if kind is None else ctypes.py_object(kind)
        )
