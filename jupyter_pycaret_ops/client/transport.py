"""The line to the server: requests, and its own words in the errors."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

import httpx

from ..common import errors
from ..common.errors import OpsError
from ..common.protocol import API_PREFIX
from .discovery import LOOPBACK, Address, NoServer

KEY_PREFIX = "pck_"
#: names a file, or a folder, of certificates that are trusted besides the system's
CA_VARIABLE = "PYCARET_OPS_CA"
CONNECT_S = 10.0
#: the first question about the engine waits until a kernel is up
ANSWER_S = 180.0
LARGEST_PAGE = 1000

#: what an answer's status says; the mirror of the server's own table
BY_STATUS: dict[int, type[OpsError]] = {
    400: errors.Invalid,
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.TooLarge,
    415: errors.UnsupportedMedia,
    422: errors.RowsInvalid,
    429: errors.QueueFull,
    503: errors.Unavailable,
}
#: what a proxy says while the server behind it is away
GATEWAY = frozenset({502, 503, 504})


class Untrusted(NoServer):
    """The server shows a certificate that nothing here vouches for; the message says what to do."""

    reason = "untrusted"


class Unreachable(errors.Unavailable):
    """The server could not be reached; the same request may go through later."""

    reason = "unreachable"


class ServerFault(OpsError):
    """The server failed, or answered what no server of ours answers."""

    reason = "server_fault"


class Transport:
    """Requests to one server with one credential. May be used from several threads at once."""

    def __init__(self, address: Address, verify: bool | str | Path | ssl.SSLContext = True) -> None:
        self.address = address
        self.context = _trust(verify)
        #: whether the server is on this machine
        self.is_here = urlsplit(address.api).hostname in LOOPBACK
        self._http = httpx.Client(
            base_url=address.api,
            headers=self.headers,
            # a cookie would make the server ask for an XSRF token
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            verify=self.context,
            trust_env=not self.is_here,  # no proxy leads to this machine
        )

    @property
    def headers(self) -> dict[str, str]:
        """The credential as a header."""
        token = self.address.token
        if not token:
            return {}
        scheme = "Bearer" if token.startswith(KEY_PREFIX) else "token"
        return {"Authorization": f"{scheme} {token}"}

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._http.is_closed

    # ---------------------------------------------------------------- requests

    def get(self, path: str, **query: Any) -> Any:
        """GET; the answer's JSON."""
        return self.send("GET", path, query=query).json()

    def post(
        self, path: str, body: Any = None, *, within_s: float | None = None, **query: Any
    ) -> Any:
        """POST; the answer's JSON."""
        return self.send("POST", path, query=query, body=body, within_s=within_s).json()

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """PATCH; the answer's JSON."""
        return self.send("PATCH", path, body=body).json()

    def delete(self, path: str, **query: Any) -> None:
        """DELETE."""
        self.send("DELETE", path, query=query)

    def pages(self, path: str, limit: int | None, **query: Any) -> list[Any]:
        """A list, newest first: at most `limit` rows, all of them with None; read page by page."""
        rows: list[Any] = []
        cursor: str | None = None
        while limit is None or len(rows) < limit:
            most = LARGEST_PAGE if limit is None else min(LARGEST_PAGE, limit - len(rows))
            answer = self.send("GET", path, query={**query, "limit": most, "cursor": cursor})
            rows += answer.json()
            cursor = answer.headers.get("X-Next-Cursor")
            if cursor is None:
                break
        return rows

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        within_s: float | None = None,
        **more: Any,
    ) -> httpx.Response:
        """One request; its answer, which is a success.

        Raises
        ------
        OpsError
            The kind that the status stands for, with the server's message, reason and field errors.
        """
        if body is not None:
            more["content"] = _encode(body)
            more["headers"] = {"Content-Type": "application/json"}
        if within_s is not None:
            more["timeout"] = httpx.Timeout(within_s, connect=CONNECT_S)
        params = {key: _text(value) for key, value in (query or {}).items() if value is not None}
        if self.is_closed:
            raise Unreachable("This client is closed.")
        with self._translated():
            answer = self._http.request(method, path, params=params, **more)
        self._check(answer)
        return answer

    def download(self, path: str, target: IO[bytes]) -> None:
        """Write an answer's bytes to `target` as they come."""
        with self._translated(), self._http.stream("GET", path) as answer:
            if answer.status_code >= 300:
                answer.read()
                self._check(answer)
            for piece in answer.iter_bytes():
                target.write(piece)

    def upload(
        self,
        path: str,
        file: IO[bytes],
        filename: str,
        fields: Mapping[str, str],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Any:
        """POST a file as multipart, streamed; `on_progress` hears of bytes read and bytes in all."""
        source: Any = file if on_progress is None else _Watched(file, on_progress)
        answer = self.send(
            "POST", path, data=dict(fields), files={"file": (Path(filename).name, source)}
        )
        return answer.json()

    # ---------------------------------------------------------------- errors

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException:
            raise Unreachable(f"The server at {self.where} did not answer in time.") from None
        except httpx.TransportError as error:
            fault = _certificate_fault(error)
            if fault is not None:
                raise Untrusted(
                    f"The certificate of the server at {self.where} is not trusted here ({fault}). Name the "
                    f"file that vouches for it, in verify=… or {CA_VARIABLE}; verify=False asks for none."
                ) from None
            raise Unreachable(
                f"The server at {self.where} could not be reached ({_short(error)})."
            ) from None

    @property
    def where(self) -> str:
        """The server's address, for people."""
        return self.address.api.removesuffix(API_PREFIX)

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        body = _body(answer)
        if "reason" in body and "message" in body:
            raise error_of(answer.status_code, body, answer.headers)
        if answer.status_code in GATEWAY:
            raise Unreachable(f"The server at {self.where} is not there at the moment.")
        if answer.status_code == 404 or answer.is_redirect:
            raise NoServer(
                f"What answers at {self.where} is not a Jupyter server with PyCaret Ops, or not at this address."
            )
        raise error_of(
            answer.status_code, {"message": f"The server answered {answer.status_code}."}, {}
        )


def error_of(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> OpsError:
    """The error that an answer stands for."""
    message, reason, faults = str(body["message"]), body.get("reason"), body.get("errors")
    kind = BY_STATUS.get(status)
    if kind is None:
        return ServerFault(message, reason=reason)
    if issubclass(kind, errors.RetryLater):
        after = headers.get("Retry-After", "1")
        return kind(message, reason=reason, retry_after_s=int(after) if after.isdigit() else 1)
    return kind(message, reason=reason, errors=faults)


def segment(value: str) -> str:
    """A value as one segment of a path."""
    return quote(value, safe="")


def _trust(verify: bool | str | Path | ssl.SSLContext) -> ssl.SSLContext:
    """What vouches for servers: what was said, else the environment, else the system.

    Raises
    ------
    Invalid
        When the file that is named cannot be read, or holds no certificate.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    named = os.environ.get(CA_VARIABLE) if verify is True else verify
    # the system's certificates and SSL_CERT_FILE, as the agent in a kernel trusts them
    context = ssl.create_default_context()
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif named:
        path = Path(str(named)).expanduser()
        try:
            if path.is_dir():
                context.load_verify_locations(capath=str(path))
            else:
                context.load_verify_locations(cafile=str(path))
        except OSError as error:  # an SSLError is one too
            said = "holds no certificate" if isinstance(error, ssl.SSLError) else "cannot be read"
            raise errors.Invalid(f"The file of certificates “{named}” {said}.") from None
    return context


def _certificate_fault(error: BaseException | None) -> str | None:
    """What is wrong with the server's certificate, where that is what was wrong."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message.rstrip(".")
        error = error.__cause__ or error.__context__
    return None


def _encode(body: Any) -> bytes:
    try:
        return json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise errors.Invalid(f"This cannot be sent as JSON: {error}.") from None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _short(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.removeprefix("[").split("\n")[0][:120]


class _Watched:
    """A file that says how much of it was read."""

    def __init__(self, file: IO[bytes], on_progress: Callable[[int, int], None]) -> None:
        self._file = file
        self._on_progress = on_progress
        self._total = file.seek(0, 2)
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._on_progress(self._file.tell(), self._total)
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
