"""HTTP connections to the server; errors carry the message of the server."""

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
#: environment variable with a file or folder of certificates that are trusted besides those of the system
CA_VARIABLE = "PYCARET_OPS_CA"
CONNECT_S = 10.0
#: seconds; the first request about the engine waits until a kernel has started
ANSWER_S = 180.0
LARGEST_PAGE = 1000

#: errors by HTTP status; the same as in the server
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
#: statuses of a proxy while the server behind it does not answer
GATEWAY = frozenset({502, 503, 504})


#: in a class that has a method `list`, the type has no name
Records = list[Any]


class Untrusted(NoServer):
    """The certificate of the server is not trusted; the message says what to do."""

    reason = "untrusted"


class Unreachable(errors.Unavailable):
    """The server could not be reached; the request may succeed later."""

    reason = "unreachable"


class ServerFault(OpsError):
    """The server failed, or sent an unexpected answer."""

    reason = "server_fault"


class Transport:
    """Sends requests to one server with one credential; may be used from several threads at once."""

    def __init__(self, address: Address, verify: bool | str | Path | ssl.SSLContext = True) -> None:
        self.address = address
        self.ssl_context = _ssl_context(verify)
        #: whether the server is on this machine
        self.is_local = urlsplit(address.api).hostname in LOOPBACK
        self._http = httpx.Client(
            base_url=address.api,
            headers=self.headers,
            # with a cookie, the server would require an XSRF token
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            verify=self.ssl_context,
            trust_env=not self.is_local,  # a proxy cannot reach this machine
        )

    @property
    def headers(self) -> dict[str, str]:
        """The headers with the credential."""
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
        """Whether the connections are closed."""
        return self._http.is_closed

    # ---------------------------------------------------------------- requests

    def get(self, path: str, **query: Any) -> Any:
        """Send a GET request and return the JSON of the answer."""
        return self.send("GET", path, query=query).json()

    def post(
        self, path: str, body: Any = None, *, within_s: float | None = None, **query: Any
    ) -> Any:
        """Send a POST request and return the JSON of the answer."""
        return self.send("POST", path, query=query, body=body, within_s=within_s).json()

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send a PATCH request and return the JSON of the answer."""
        return self.send("PATCH", path, body=body).json()

    def delete(self, path: str, **query: Any) -> None:
        """Send a DELETE request."""
        self.send("DELETE", path, query=query)

    def list(self, path: str, limit: int | None, **query: Any) -> Records:
        """Return a list of records, newest first, at most `limit`, or all with None; page by page."""
        records: Records = []
        cursor: str | None = None
        while limit is None or len(records) < limit:
            most = LARGEST_PAGE if limit is None else min(LARGEST_PAGE, limit - len(records))
            answer = self.send("GET", path, query={**query, "limit": most, "cursor": cursor})
            records += answer.json()
            cursor = answer.headers.get("X-Next-Cursor")
            if cursor is None:
                break
        return records

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
        """Send a request and return the answer, whose status is a success.

        Raises
        ------
        OpsError
            The subclass for the status, with the message, reason and field errors of the server.
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
        """Send a GET request and write the bytes of the answer to `target` as they are received."""
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
        """Send a file with a POST request; `on_progress` is called with the bytes read and the size in bytes."""
        source: Any = file if on_progress is None else _FileWithProgress(file, on_progress)
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
            raise Unreachable(f"The server at {self.server_url} did not answer in time.") from None
        except httpx.TransportError as error:
            problem = _certificate_problem(error)
            if problem is not None:
                raise Untrusted(
                    f"The certificate of the server at {self.server_url} is not trusted ({problem}). Pass the file "
                    f"of its certificate in verify=… or {CA_VARIABLE}, or trust any with verify=False."
                ) from None
            raise Unreachable(
                f"The server at {self.server_url} could not be reached ({_short(error)})."
            ) from None

    @property
    def server_url(self) -> str:
        """The URL of the server, for messages."""
        return self.address.api.removesuffix(API_PREFIX)

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        body = _body(answer)
        if "reason" in body and "message" in body:
            raise error_of(answer.status_code, body, answer.headers)
        if answer.status_code in GATEWAY:
            raise Unreachable(f"The server at {self.server_url} does not answer at the moment.")
        if answer.status_code == 404 or answer.is_redirect:
            raise NoServer(f"There is no Jupyter server with PyCaret Ops at {self.server_url}.")
        raise error_of(
            answer.status_code, {"message": f"The server answered {answer.status_code}."}, {}
        )


def error_of(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> OpsError:
    """Return the error for an answer."""
    message, reason, field_errors = str(body["message"]), body.get("reason"), body.get("errors")
    kind = BY_STATUS.get(status)
    if kind is None:
        return ServerFault(message, reason=reason)
    if issubclass(kind, errors.RetryLater):
        after = headers.get("Retry-After", "1")
        return kind(message, reason=reason, retry_after_s=int(after) if after.isdigit() else 1)
    return kind(message, reason=reason, errors=field_errors)


def segment(value: str) -> str:
    """Quote a value as one segment of a path."""
    return quote(value, safe="")


def _ssl_context(verify: bool | str | Path | ssl.SSLContext) -> ssl.SSLContext:
    """Return the SSL context: of `verify`, else with the certificates of the environment, else of the system.

    Raises
    ------
    Invalid
        When the file of certificates cannot be read, or has none.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    ca_file = os.environ.get(CA_VARIABLE) if verify is True else verify
    # the certificates of the system and SSL_CERT_FILE, as for the agent in a kernel
    context = ssl.create_default_context()
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file:
        path = Path(str(ca_file)).expanduser()
        try:
            if path.is_dir():
                context.load_verify_locations(capath=str(path))
            else:
                context.load_verify_locations(cafile=str(path))
        except OSError as error:  # also ssl.SSLError
            problem = "has no certificate" if isinstance(error, ssl.SSLError) else "cannot be read"
            raise errors.Invalid(f"The file of certificates “{ca_file}” {problem}.") from None
    return context


def _certificate_problem(error: BaseException | None) -> str | None:
    """Return what is wrong with the certificate of the server, None for another error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message.rstrip(".")
        error = error.__cause__ or error.__context__
    return None


def _encode(body: Any) -> bytes:
    try:
        return json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise errors.Invalid(f"The request cannot be sent as JSON: {error}.") from None


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


class _FileWithProgress:
    """A file that reports how much of it was read."""

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
