"""Read objects in S3, or a compatible store, by ranges of one version.

Credentials are those of the data source; files and environment variables of the server's user are not
used, nor are proxies, behind which the address of the connection could not be checked.
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
from .addresses import AddressRefused, checked_socket, private_address_error
from .interfaces import LoadedTable, SourceUnreadable, too_many_bytes, too_slow

CONNECT_S = 10.0
CHUNK_BYTES = 8 << 20
DEFAULT_REGION = "us-east-1"


def read(spec: DataSpec, checkpoint: Callable[[], None]) -> LoadedTable:
    """Read the table in an object.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached, is not a table, or exceeds a limit.
    """
    with opened(spec) as source:
        if source.size > spec.limits.cap_bytes:
            raise too_many_bytes(source.name, spec.limits.cap_bytes)
        content = bytearray()
        while batch := source.read(CHUNK_BYTES):
            content += batch
            checkpoint()
    sha256 = hashlib.sha256(content).hexdigest()
    frame, dialect = files.read_table(
        bytes(content),
        format_of(spec),
        source.name,
        spec.limits.cap_rows,
        spec.options.get("dialect_fields"),
    )
    return LoadedTable(frame, sha256, len(frame), dialect)


def preview(spec: DataSpec, rows: int) -> JSON:
    """Return the preview of the table with its first `rows` rows.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached or is not a table.
    """
    with opened(spec) as source:
        given = spec.options.get("dialect_fields")
        result = files.preview(source, source.size, format_of(spec), source.name, rows, given)
        return {**result, "size_bytes": source.size}


def format_of(spec: DataSpec) -> str:
    """Return `csv` or `parquet`, as the source or else the suffix of the key says."""
    file_format = spec.options.get("format")
    key = str(spec.options["key"]).lower()
    return file_format or ("parquet" if key.endswith((".parquet", ".pq")) else "csv")


class S3Object(io.RawIOBase):
    """An object as a file; each read requests one range and accepts no more than that."""

    def __init__(self, spec: DataSpec, call: Callable[[str, JSON], tuple[JSON, bytes]]) -> None:
        super().__init__()
        self._location = {"Bucket": spec.options["bucket"], "Key": spec.options["key"]}
        self.name = source_name(spec)
        self._call = call
        head, _ = call("head_object", self._location)
        self.size = int(head["ContentLength"])
        self._version = head["ETag"]
        self._position = 0
        if not self.size:
            raise SourceUnreadable(f"{self.name} is empty.")

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position of the next read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position of the next read, and return it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read into `buffer`, and return the number of bytes."""
        view = memoryview(buffer).cast("B")
        length = min(len(view), self.size - self._position)
        if length <= 0:
            return 0
        arguments = {
            **self._location,
            "Range": f"bytes={self._position}-{self._position + length - 1}",
            "IfMatch": self._version,
        }
        _, content = self._call("get_object", arguments)
        if len(content) != length:
            raise SourceUnreadable(f"{self.name} returned another range than requested.")
        view[:length] = content
        self._position += length
        return length


def source_name(spec: DataSpec) -> str:
    """Return the name of the object for messages."""
    return f"The object “{spec.options['key']}” in bucket “{spec.options['bucket']}”"


@contextlib.contextmanager
def opened(spec: DataSpec) -> Iterator[S3Object]:
    """Open the object of a source within its time limit.

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
    s3_client = _S3Client(spec)
    with asyncio.Runner() as runner:
        client = None
        context = get_session().create_client("s3", **s3_client.options())
        try:
            with s3_client.errors_translated():
                client = runner.run(context.__aenter__())

            def call(method: str, arguments: JSON) -> tuple[JSON, bytes]:
                with s3_client.errors_translated():
                    return runner.run(s3_client.request(getattr(client, method), arguments))

            yield S3Object(spec, call)
        finally:
            if client is not None:
                runner.run(context.__aexit__(None, None, None))


class _S3Client:
    """The client of one source: its configuration, time limit and error messages."""

    def __init__(self, spec: DataSpec) -> None:
        self._spec = spec
        self._is_address_refused = False
        self._deadline = time.monotonic() + spec.limits.timeout_s

    def options(self) -> JSON:
        """Return the arguments of `create_client`."""
        from aiobotocore.config import AioConfig
        from aiobotocore.httpsession import AIOHTTPSession
        from botocore import UNSIGNED

        options = self._spec.options
        has_key = bool(options.get("access_key_id"))
        endpoint = options.get("endpoint_url")
        config = AioConfig(
            connector_args={"socket_factory": self._socket},
            http_session_cls=AIOHTTPSession,
            # without a key, the source is read anonymously
            signature_version="s3v4" if has_key else UNSIGNED,
            connect_timeout=CONNECT_S,
            read_timeout=CONNECT_S * 3,
            retries={"total_max_attempts": 2, "mode": "standard"},
            proxies={},
            # compatible stores often have no DNS names for buckets
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
            return checked_socket(info, allow_private=self._spec.limits.allow_private)
        except AddressRefused:
            self._is_address_refused = True
            raise

    async def request(self, method: Any, arguments: JSON) -> tuple[JSON, bytes]:
        """Send a request within the remaining time, and return the response and its body, if any."""
        async with asyncio.timeout_at(
            asyncio.get_running_loop().time() + self._deadline - time.monotonic()
        ):
            response = await method(**arguments)
            if "Body" not in response or method.__name__ == "head_object":
                return response, b""
            length = int(response["ContentLength"])
            if length > CHUNK_BYTES:
                raise SourceUnreadable(f"{source_name(self._spec)} returned more than requested.")
            content = bytearray()
            async with response["Body"] as body:
                while len(content) < length and (batch := await body.read(length - len(content))):
                    content += batch
            return response, bytes(content)

    @contextlib.contextmanager
    def errors_translated(self) -> Iterator[None]:
        """Convert errors of the library in this block to `SourceUnreadable`."""
        from botocore import exceptions as known

        name = source_name(self._spec)
        host = self._host()
        try:
            yield
        except SourceUnreadable:
            raise
        except TimeoutError:
            raise too_slow(name, self._spec.limits.timeout_s) from None
        except known.ClientError as error:
            raise SourceUnreadable(self._read_error(error)) from None
        except (known.ConnectTimeoutError, known.ReadTimeoutError):
            raise SourceUnreadable(
                f"{host} does not respond. Check endpoint_url and region, and whether this machine may "
                "reach it.",
                "timeout",
            ) from None
        except known.SSLError:
            raise SourceUnreadable(
                f"{host} has no trusted TLS certificate. Check endpoint_url and its certificate."
            ) from None
        except (known.HTTPClientError, known.ConnectionError, OSError):
            if self._is_address_refused:
                raise private_address_error(self._host()) from None
            raise SourceUnreadable(
                f"{host} cannot be connected to. Check endpoint_url and region, and whether this "
                "machine may reach it."
            ) from None
        except (known.BotoCoreError, ValueError) as error:
            raise SourceUnreadable(
                f"{name} cannot be requested ({type(error).__name__}). "
                "Check bucket, key, region and endpoint_url."
            ) from None

    def _host(self) -> str:
        from urllib.parse import urlsplit

        endpoint = self._spec.options.get("endpoint_url")
        return (urlsplit(endpoint).netloc if endpoint else None) or "Amazon S3"

    def _read_error(self, error: Any) -> str:
        name = source_name(self._spec)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == 404:
            return f"{name} does not exist, or the bucket does not. Check both names."
        if status in (401, 403):
            if self._spec.options.get("access_key_id"):
                return f"{name} cannot be read with this key. Check key id, secret and permissions."
            return (
                f"{name} is not public. "
                "Register the source with access_key_id and secret_access_key."
            )
        if status == 412:
            return f"{name} was changed while it was read. Try again."
        return f"{name} cannot be read: the store returned status {status}. Check region and endpoint_url."
