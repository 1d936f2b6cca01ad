"""The events of a run as they happen: each once and in order, even when the connection is lost."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from socket import SHUT_RDWR
from typing import Any, cast
from urllib.parse import urlsplit

import websocket

from .records import ENDED, Event, Run
from .transport import Transport, Unreachable, segment

#: seconds; the server sends a ping every 30 seconds, so the connection is lost after this time
SOCKET_TIMEOUT_S = 75.0
CONNECT_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
PAGE = 1000


class EventStream:
    """An iterator over the events of a run; it ends with the run, or with `close`.

    Events come over a WebSocket. When that is lost or cannot be opened, they are fetched over HTTP, and the
    WebSocket is opened again after the last event. `on_state` is called with True when the server is reached,
    and with False when it is not.
    """

    def __init__(
        self,
        transport: Transport,
        run_id: str,
        after_seq: int = 0,
        on_state: Callable[[bool], None] | None = None,
    ) -> None:
        self._transport = transport
        self._run_id = run_id
        self._on_state = on_state or (lambda _: None)
        self._socket: websocket.WebSocket | None = None
        self._closed = threading.Event()
        #: `seq` of the last event that was yielded
        self.seq = after_seq
        #: status of the run when it has ended, None before
        self.status: str | None = None

    def __iter__(self) -> Iterator[Event]:
        pause = FIRST_PAUSE_S
        while not (self._closed.is_set() or self._transport.is_closed or self.status):
            before = self.seq
            try:
                yield from self._over_socket()
                if self.status is None and not self._closed.is_set():
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
        """End the iteration; may be called from any thread."""
        self._closed.set()
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(Exception):
                if socket.sock is not None:
                    # else a thread that reads goes on until something comes
                    socket.sock.shutdown(SHUT_RDWR)
            with contextlib.suppress(Exception):
                socket.shutdown()  # type: ignore[no-untyped-call]

    # ---------------------------------------------------------------- WebSocket and HTTP

    def _over_socket(self) -> Iterator[Event]:
        """Yield events until the run ends or the connection is lost."""
        try:
            self._socket = self._open()
            self._socket.settimeout(SOCKET_TIMEOUT_S)
        except (websocket.WebSocketException, OSError):
            return  # HTTP works instead, or raises with the reason
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
                yield self._seen(cast("Event", message))
        except (websocket.WebSocketException, OSError, ValueError, AttributeError):
            return  # AttributeError: closed from another thread
        finally:
            self._close_socket()

    def _open(self) -> websocket.WebSocket:
        address = self._transport.address.api
        is_https = address.startswith("https")
        url = ("wss" if is_https else "ws") + address[address.index("://") :]
        return websocket.create_connection(
            f"{url}/runs/{segment(self._run_id)}/events/ws?after_seq={self.seq}",
            timeout=CONNECT_S,
            header=[f"{name}: {value}" for name, value in self._transport.headers.items()],
            sslopt={"context": self._transport.ssl_context} if is_https else None,
            # a proxy cannot reach this machine; for others that of the environment is used
            http_no_proxy=[urlsplit(address).hostname] if self._transport.is_local else None,
            enable_multithread=True,
        )

    def _close_socket(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(Exception):
                socket.close(timeout=1)

    def _fetched(self) -> Iterator[Event]:
        """Yield the stored events after the last one; set `status` when the run has ended."""
        path = f"/runs/{segment(self._run_id)}"
        run: Run = self._transport.get(path)
        while page := self._transport.get(f"{path}/events", after_seq=self.seq, limit=PAGE):
            for event in page:
                yield self._seen(event)
        if run["status"] in ENDED:
            self.status = run["status"]

    def _seen(self, event: Event) -> Event:
        self.seq = event["seq"]
        return event
