"""A run's events as they happen: each once and in order, whatever happens to the connection."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast
from urllib.parse import urlsplit

import websocket

from .records import ENDED, Event, Run
from .transport import Transport, Unreachable, segment

#: the server sends a ping every 30 seconds; longer silence is a lost connection
SILENCE_S = 75.0
CONNECT_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
PAGE = 1000


class EventStream:
    """Iterate over it for the events of a run; it ends with the run, or with `close`.

    Events come over the WebSocket. When it breaks, or nothing lets it through, they are fetched, and the
    WebSocket is tried again, from the last event that was seen. `on_state` hears `True` when the server
    is reached and `False` when it is not.
    """

    def __init__(
        self,
        line: Transport,
        run_id: str,
        after_seq: int = 0,
        on_state: Callable[[bool], None] | None = None,
    ) -> None:
        self._line = line
        self._run_id = run_id
        self._on_state = on_state or (lambda _: None)
        self._socket: websocket.WebSocket | None = None
        self._closed = threading.Event()
        #: the last event that was handed out
        self.seq = after_seq
        #: how the run has ended, once it has
        self.status: str | None = None

    def __iter__(self) -> Iterator[Event]:
        pause = FIRST_PAUSE_S
        while not (self._closed.is_set() or self._line.is_closed or self.status):
            before = self.seq
            try:
                yield from self._over_socket()
                if self.status is None:
                    yield from self._fetched()
                self._on_state(True)
            except Unreachable:
                self._on_state(False)
            if self.seq > before:
                pause = FIRST_PAUSE_S
            if self.status is None and self._closed.wait(pause):
                return
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def close(self) -> None:
        """End the iteration, from whichever thread."""
        self._closed.set()
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(Exception):
                socket.shutdown()  # type: ignore[no-untyped-call]

    # ---------------------------------------------------------------- the two ways

    def _over_socket(self) -> Iterator[Event]:
        """Events until the run ends or the connection does."""
        try:
            self._socket = self._open()
            self._socket.settimeout(SILENCE_S)
        except (websocket.WebSocketException, OSError):
            return  # fetching says why, or does as well
        self._on_state(True)
        try:
            while not self._closed.is_set():
                text = self._socket.recv()
                if not text:
                    return
                message: dict[str, Any] = json.loads(text)
                if message["kind"] == "run.closed":
                    self.status = message["status"]
                    return
                yield self._taken(cast("Event", message))
        except (websocket.WebSocketException, OSError, ValueError, AttributeError):
            return  # AttributeError: closed from another thread
        finally:
            self._hang_up()

    def _open(self) -> websocket.WebSocket:
        address = self._line.address.api
        is_https = address.startswith("https")
        url = ("wss" if is_https else "ws") + address[address.index("://") :]
        return websocket.create_connection(
            f"{url}/runs/{segment(self._run_id)}/events/ws?after_seq={self.seq}",
            timeout=CONNECT_S,
            header=[f"{name}: {value}" for name, value in self._line.headers.items()],
            sslopt={"context": self._line.context} if is_https else None,
            # no proxy leads to this machine; elsewhere the environment's is used
            http_no_proxy=[urlsplit(address).hostname] if self._line.is_here else None,
            enable_multithread=True,
        )

    def _hang_up(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(Exception):
                socket.close(timeout=1)

    def _fetched(self) -> Iterator[Event]:
        """What is stored after the last event that was seen, and whether the run has ended."""
        path = f"/runs/{segment(self._run_id)}"
        run: Run = self._line.get(path)
        while page := self._line.get(f"{path}/events", after_seq=self.seq, limit=PAGE):
            for event in page:
                yield self._taken(event)
        if run["status"] in ENDED:
            self.status = run["status"]

    def _taken(self, event: Event) -> Event:
        self.seq = event["seq"]
        return event
