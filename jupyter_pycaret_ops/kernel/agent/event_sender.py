"""Send events to the server: numbered, in batches, kept until acknowledged."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ...common.protocol import HEARTBEAT_S
from .connection import Connection, Fenced, Refused, Unreachable
from .retries import RetriesExhausted, RetryDeadline

#: in a user's own kernel, a cancel from elsewhere arrives only with the response to a heartbeat
NOTEBOOK_HEARTBEAT_S = 1.0
#: seconds between two posts: each costs the server a transaction. The first ones follow faster, because
#: users wait for the first events: the pause doubles from `FIRST_PAUSE_S`
POST_INTERVAL_S, FIRST_PAUSE_S = 0.25, 0.01
MAX_BATCH_SIZE = 500


class EventSender:
    """Posts events from its own thread.

    `put` may be interrupted anywhere by an exception raised in the plan's thread, so it does one atomic
    operation only; events are numbered in the sender's thread. The first event is posted at once; the
    next batch is collected during a post and a short pause after it. Without events a heartbeat is
    posted every `heartbeat_s` seconds.
    """

    def __init__(
        self,
        connection: Connection,
        attempt: int,
        *,
        on_cancel: Callable[[], None],
        on_fenced: Callable[[], None],
        on_failure: Callable[[str], None],
        deadline: RetryDeadline,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._connection = connection
        self._attempt = attempt
        self._on_cancel = on_cancel
        self._on_fenced = on_fenced
        self._on_failure = on_failure
        self._deadline = deadline
        self._incoming: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._unacknowledged: deque[dict[str, Any]] = deque()
        self._heartbeat_s = heartbeat_s
        self._n = 0
        self._pause_s = FIRST_PAUSE_S
        self._stop = threading.Event()
        self._drained = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pycaret-ops-sender", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(
        self, kind: str, message: str, payload: dict[str, Any] | None, duration_ms: float | None
    ) -> None:
        """Queue one event."""
        self._incoming.put(
            {
                "kind": kind,
                "message": message,
                "payload": payload or {},
                "duration_ms": duration_ms,
                "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            }
        )

    def drain(self) -> None:
        """Return when all events are acknowledged, or the server accepts none any more; call it last."""
        self._incoming.put(None)
        self._drained.wait()

    def _run(self) -> None:
        try:
            draining = False
            while not (draining and not self._unacknowledged):
                draining = self._collect(wait=not self._unacknowledged and not draining) or draining
                self._post(list(self._unacknowledged)[:MAX_BATCH_SIZE])
                if not draining:
                    draining = self._pause()
        except Fenced:
            self._on_fenced()
        except Refused as error:
            # refused events are a bug on one side; the run must not hang because of it
            self._on_failure(f"The server refused what the run reported: {error}")
        except RetriesExhausted as error:
            self._on_failure(str(error))
        finally:
            self._drained.set()

    def _pause(self) -> bool:
        """Collect events during the pause; return early, and True, when no more will come."""
        until = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, POST_INTERVAL_S)
        while (left := until - time.monotonic()) > 0:
            try:
                item = self._incoming.get(timeout=left)
            except queue.Empty:
                return False
            if item is None:
                return True
            self._number(item)
        return False

    def _number(self, item: dict[str, Any]) -> None:
        self._n += 1
        self._unacknowledged.append({"n": self._n, **item})

    def _collect(self, *, wait: bool) -> bool:
        """Number the queued events, with `wait` after waiting for one or the next heartbeat.

        Return whether no more will come.
        """
        is_last = False
        try:
            item = (
                self._incoming.get(timeout=self._heartbeat_s)
                if wait
                else self._incoming.get_nowait()
            )
            while True:
                if item is None:
                    is_last = True
                else:
                    self._number(item)
                item = self._incoming.get_nowait()
        except queue.Empty:
            return is_last

    def _post(self, batch: list[dict[str, Any]]) -> None:
        pauses = self._deadline.begin()
        while True:
            try:
                acknowledgement = self._connection.json(
                    "POST", "events", {"attempt": self._attempt, "events": batch}
                )
                break
            except Unreachable as error:
                self._stop.wait(pauses.next_pause(error))
        while (
            self._unacknowledged and self._unacknowledged[0]["n"] <= acknowledgement["acknowledged"]
        ):
            self._unacknowledged.popleft()
        if acknowledgement["cancel"]:
            self._on_cancel()
