"""The agent's HTTP connection: over a Unix socket on the server's host, else over the network."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 60.0
CHUNK = 1 << 20


class Fenced(Exception):
    """The server no longer accepts this attempt: it ended, was cancelled or was superseded."""


class Refused(Exception):
    """The server refused a request permanently; the message is the server's."""


class Unreachable(Exception):
    """The server could not be reached; the request may succeed later."""


class RetryLater(Unreachable):
    """The server cannot handle the request now; the message is the server's and says what is missing."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Connection:
    """One keep-alive connection, for one thread."""

    def __init__(
        self,
        server: str,
        run_id: str,
        token: str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._server = server
        self._ssl_context = ssl_context
        self._timeout_s = timeout_s
        prefix = "" if server.startswith("unix:") else urlsplit(server).path.rstrip("/")
        self._base = f"{prefix}/agent/runs/{run_id}"
        self._token = token
        self._http: http.client.HTTPConnection | None = None

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request with a JSON body, and return the JSON of the response.

        Raises
        ------
        Fenced, Refused, Unreachable
        """
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        content_received = self.request(method, path, content, {"Content-Type": "application/json"})
        return json.loads(content_received) if content_received else None

    def request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        """Send a request, and return the body of the response.

        Raises
        ------
        Fenced, Refused, Unreachable
        """
        return b"".join(self.stream(method, path, body, headers))

    def stream(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Iterator[bytes]:
        """Send a request, and yield the body of the response in chunks.

        Raises
        ------
        Fenced, Refused, Unreachable
        """
        try:
            if self._http is None:
                self._http = self._open()
            self._http.request(
                method,
                f"{self._base}/{path}",
                body,
                {**(headers or {}), "Authorization": f"Bearer {self._token}"},
            )
            response = self._http.getresponse()
            if response.status >= 400:
                _raise(response.status, response.read())
            while chunk := response.read(CHUNK):
                yield chunk
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _open(self) -> http.client.HTTPConnection:
        if self._server.startswith("unix:"):
            return _UnixConnection(self._server.removeprefix("unix:"))
        parts = urlsplit(self._server)
        host = parts.hostname or "localhost"
        if parts.scheme == "https":
            return http.client.HTTPSConnection(
                host,
                parts.port,
                timeout=self._timeout_s,
                context=self._ssl_context or ssl.create_default_context(),
            )
        return http.client.HTTPConnection(host, parts.port, timeout=self._timeout_s)


def _raise(status: int, body: bytes) -> None:
    try:
        message = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        message = f"the server answered {status}"
    if status in (401, 409):  # the token expired with the attempt, or the run was deleted
        raise Fenced(message)
    if status in (429, 503):
        raise RetryLater(message)
    if status >= 500:  # an error of a proxy or of the server, which may be temporary
        raise Unreachable(message)
    raise Refused(message)
