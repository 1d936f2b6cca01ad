"""Objects in S3, or in a store that speaks its protocol, read by ranges that belong to one version of them.

Credentials are the source's own: those of the server's user, its files and environment variables are left
alone, and so are proxies, behind which nobody could tell what is connected to.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON, DataSpec

from . import files
from .addresses import AddressRefused, guarded_socket, refusal
from .interfaces import Loaded, SourceUnreadable, too_many_bytes, too_slow

CONNECT_S = 10.0
PIECE = 8 << 20
DEFAULT_REGION = "us-east-1"


def read(spec: DataSpec, checkpoint: Callable[[], None]) -> Loaded:
    """The table in an object.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached, is no table, or is beyond the limits.
    """
    with opened(spec) as source:
        if source.size > spec.limits.cap_bytes:
            raise too_many_bytes(source.what, spec.limits.cap_bytes)
        content = bytearray()
        while piece := source.read(PIECE):
            content += piece
            checkpoint()
    sha256 = hashlib.sha256(content).hexdigest()
    frame = files.frame(bytes(content), format_of(spec), source.what, spec.limits.cap_rows)
    return Loaded(frame, sha256, len(frame))


def look(spec: DataSpec, rows: int) -> JSON:
    """A preview of it.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached or is no table.
    """
    with opened(spec) as source:
        seen = files.look(source, source.size, format_of(spec), source.what, rows)
        return {**seen, "size_bytes": source.size}


def format_of(spec: DataSpec) -> str:
    """`csv` or `parquet`: what the source says, else what the key ends with."""
    named = spec.options.get("format")
    key = str(spec.options["key"]).lower()
    return named or ("parquet" if key.endswith((".parquet", ".pq")) else "csv")


class Object(io.RawIOBase):
    """An object as a file; each read is one request for a range, and never takes more than that."""

    def __init__(self, spec: DataSpec, call: Callable[[str, JSON], tuple[JSON, bytes]]) -> None:
        super().__init__()
        self._name = {"Bucket": spec.options["bucket"], "Key": spec.options["key"]}
        self.what = what(spec)
        self._call = call
        head, _ = call("head_object", self._name)
        self.size = int(head["ContentLength"])
        self._version = head["ETag"]
        self._at = 0
        if not self.size:
            raise SourceUnreadable(f"{self.what} is empty.")

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The next read's place."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, as far as there is something."""
        view = memoryview(buffer).cast("B")
        length = min(len(view), self.size - self._at)
        if length <= 0:
            return 0
        wanted = {
            **self._name,
            "Range": f"bytes={self._at}-{self._at + length - 1}",
            "IfMatch": self._version,
        }
        _, content = self._call("get_object", wanted)
        if len(content) != length:
            raise SourceUnreadable(f"{self.what} answered another range than it was asked for.")
        view[:length] = content
        self._at += length
        return length


def what(spec: DataSpec) -> str:
    """The object's name for people."""
    return f"The object “{spec.options['key']}” in bucket “{spec.options['bucket']}”"


@contextlib.contextmanager
def opened(spec: DataSpec) -> Iterator[Object]:
    """The object of a source, open within the source's time.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached.
    """
    try:
        from aiobotocore.session import get_session
    except ImportError:
        raise SourceUnreadable(
            "S3 sources need s3fs in the worker kernel's environment: "
            "pip install 'jupyter-pycaret-ops[s3]'."
        ) from None
    line = _Line(spec)
    with asyncio.Runner() as runner:
        client = None
        made = get_session().create_client("s3", **line.options())
        try:
            with line.explained():
                client = runner.run(made.__aenter__())

            def call(method: str, arguments: JSON) -> tuple[JSON, bytes]:
                with line.explained():
                    return runner.run(line.ask(getattr(client, method), arguments))

            yield Object(spec, call)
        finally:
            if client is not None:
                runner.run(made.__aexit__(None, None, None))


class _Line:
    """The connection of one source: how it is made, how long it may take, what its errors mean."""

    def __init__(self, spec: DataSpec) -> None:
        self._spec = spec
        self._refused = False
        self._deadline = time.monotonic() + spec.limits.timeout_s

    def options(self) -> JSON:
        """Arguments of the client."""
        from aiobotocore.config import AioConfig
        from aiobotocore.httpsession import AIOHTTPSession
        from botocore import UNSIGNED

        options = self._spec.options
        has_key = bool(options.get("access_key_id"))
        endpoint = options.get("endpoint_url")
        config = AioConfig(
            connector_args={"socket_factory": self._socket},
            http_session_cls=AIOHTTPSession,
            # without a key of its own a source is read as anybody reads it
            signature_version="s3v4" if has_key else UNSIGNED,
            connect_timeout=CONNECT_S,
            read_timeout=CONNECT_S * 3,
            retries={"total_max_attempts": 2, "mode": "standard"},
            proxies={},
            # stores that are not Amazon's have no name server for buckets
            s3={"addressing_style": "path" if endpoint else "auto"},
        )
        return {
            "region_name": options.get("region") or DEFAULT_REGION,
            "endpoint_url": endpoint,
            "aws_access_key_id": options.get("access_key_id"),
            "aws_secret_access_key": options.get("secret_access_key"),
            "config": config,
        }

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        try:
            return guarded_socket(info, allow_private=self._spec.limits.allow_private)
        except AddressRefused:
            self._refused = True
            raise

    async def ask(self, method: Any, arguments: JSON) -> tuple[JSON, bytes]:
        """One request within the time that is left, with its body, where it has one."""
        async with asyncio.timeout_at(
            asyncio.get_running_loop().time() + self._deadline - time.monotonic()
        ):
            answer = await method(**arguments)
            if "Body" not in answer or method.__name__ == "head_object":
                return answer, b""
            length = int(answer["ContentLength"])
            if length > PIECE:
                raise SourceUnreadable(f"{what(self._spec)} answered more than it was asked for.")
            content = bytearray()
            async with answer["Body"] as body:
                while len(content) < length and (piece := await body.read(length - len(content))):
                    content += piece
            return answer, bytes(content)

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Errors of the library as sentences."""
        from botocore import exceptions as known

        name = what(self._spec)
        host = self._host()
        try:
            yield
        except SourceUnreadable:
            raise
        except TimeoutError:
            raise too_slow(name, self._spec.limits.timeout_s) from None
        except known.ClientError as error:
            raise SourceUnreadable(self._refusal(error)) from None
        except (known.ConnectTimeoutError, known.ReadTimeoutError):
            raise SourceUnreadable(
                f"{host} does not answer. Check endpoint_url and region, and whether this machine may "
                "reach it.",
                "timeout",
            ) from None
        except known.SSLError:
            raise SourceUnreadable(
                f"{host} speaks no TLS that can be trusted. Check endpoint_url and its certificate."
            ) from None
        except (known.HTTPClientError, known.ConnectionError, OSError):
            if self._refused:
                raise refusal(self._host()) from None
            raise SourceUnreadable(
                f"{host} cannot be connected to. Check endpoint_url and region, and whether this "
                "machine may reach it."
            ) from None
        except (known.BotoCoreError, ValueError) as error:
            raise SourceUnreadable(
                f"{name} cannot be asked for ({type(error).__name__}). "
                "Check bucket, key, region and endpoint_url."
            ) from None

    def _host(self) -> str:
        from urllib.parse import urlsplit

        endpoint = self._spec.options.get("endpoint_url")
        return (urlsplit(endpoint).netloc if endpoint else None) or "Amazon S3"

    def _refusal(self, error: Any) -> str:
        name = what(self._spec)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == 404:
            return f"{name} does not exist, or the bucket does not. Check both names."
        if status in (401, 403):
            if self._spec.options.get("access_key_id"):
                return f"{name} may not be read with this key. Check key id, secret and rights."
            return (
                f"{name} may not be read by everybody. "
                "Register the source with access_key_id and secret_access_key."
            )
        if status == 412:
            return f"{name} was changed while it was read. Try again."
        return f"{name} cannot be read: the store answered {status}. Check region and endpoint_url."
