"""Events on their way to the server: numbered, kept until acknowledged, sent in batches."""

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
from .retries import GaveUp, RetryDeadline

#: in somebody's own kernel an answer is the only way to hear of a cancel that came from elsewhere
GUEST_HEARTBEAT_S = 1.0
#: posts follow one another no faster, for each costs the server a transaction beside people's requests;
#: the first ones do, for people wait for a sign of life: the pause doubles from `FIRST_PAUSE_S`
POST_EVERY_S, FIRST_PAUSE_S = 0.25, 0.01
LARGEST_BATCH = 500


class Sender:
    """A thread that posts events as they come.

    `put` may be interrupted anywhere by an exception thrown into the plan's thread, so it does one
    atomic thing only; numbering happens in the sender's thread. The first event goes at once; while a post
    is under way, and for a moment after it, the next batch gathers. Without events a heartbeat goes out
    every few seconds.
    """

    def __init__(
        self,
        connection: Connection,
        attempt: int,
        *,
        on_cancel: Callable[[], None],
        on_fenced: Callable[[], None],
        on_failure: Callable[[str], None],
        give_up: RetryDeadline,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._connection = connection
        self._attempt = attempt
        self._on_cancel = on_cancel
        self._on_fenced = on_fenced
        self._on_failure = on_failure
        self._give_up = give_up
        self._incoming: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._unacknowledged: deque[dict[str, Any]] = deque()
        self._heartbeat_s = heartbeat_s
        self._n = 0
        self._pause_s = FIRST_PAUSE_S
        self._stop = threading.Event()
        self._drained = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pycaret-ops-sender", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def put(
        self, kind: str, message: str, payload: dict[str, Any] | None, duration_ms: float | None
    ) -> None:
        """Hand over one event."""
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
        """Stop taking events and return when every one is acknowledged, or nobody wants them."""
        self._incoming.put(None)
        self._drained.wait()

    def _run(self) -> None:
        try:
            draining = False
            while not (draining and not self._unacknowledged):
                draining = self._gather(wait=not self._unacknowledged and not draining) or draining
                self._post(list(self._unacknowledged)[:LARGEST_BATCH])
                if not draining:
                    draining = self._rest()
        except Fenced:
            self._on_fenced()
        except Refused as error:
            # a server that takes none of our events is a bug on one side; the run must not hang on it
            self._on_failure(f"The server refused what the run reported: {error}")
        except GaveUp as error:
            self._on_failure(str(error))
        finally:
            self._drained.set()

    def _rest(self) -> bool:
        """Let events gather for a moment; cut short, and true, when there is nothing more to come."""
        until = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, POST_EVERY_S)
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

    def _gather(self, *, wait: bool) -> bool:
        """Number what has come; with `wait`, until something comes or a heartbeat is due."""
        last = False
        try:
            item = (
                self._incoming.get(timeout=self._heartbeat_s)
                if wait
                else self._incoming.get_nowait()
            )
            while True:
                if item is None:
                    last = True
                else:
                    self._number(item)
                item = self._incoming.get_nowait()
        except queue.Empty:
            return last

    def _post(self, batch: list[dict[str, Any]]) -> None:
        waits = self._give_up.begin()
        while True:
            try:
                answer = self._connection.json(
                    "POST", "events", {"attempt": self._attempt, "events": batch}
                )
                break
            except Unreachable as error:
                self._stop.wait(waits.next_pause(error))
        while self._unacknowledged and self._unacknowledged[0]["n"] <= answer["acknowledged"]:
            self._unacknowledged.popleft()
        if answer["cancel"]:
            self._on_cancel()
