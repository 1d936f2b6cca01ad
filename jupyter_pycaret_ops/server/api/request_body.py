"""Request bodies: read after the caller was let in, up to a limit, and drained after a refusal."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from typing import TYPE_CHECKING, Any, cast

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler, stream_request_body

from ...common.errors import Invalid, OpsError, TooLarge

if TYPE_CHECKING:
    from tornado.http1connection import HTTP1Connection
    from tornado.httputil import HTTPHeaders

LARGEST_JSON_BYTES = 16 * 1024 * 1024
#: a refused client may go on sending this much, so that it gets to read the refusal
LINGER_BYTES = 64 * 1024 * 1024
#: between two pieces of 64 KiB that are dropped: nobody keeps the event loop busy with what is not wanted
LINGER_PAUSE_S = 0.005
#: seconds that a JSON body may take to arrive
BODY_TIMEOUT_S = 60.0
UNBOUNDED = 1 << 62


#: names of the one encoding of bodies that is read
GZIP = ("gzip", "x-gzip")
#: a gzip body is taken in such pieces: the end of each of its members copies what is left of the piece
UNZIPPED_BYTES = 4 * 1024
#: a member without content has 20 bytes, and to begin one costs as much as to read thousands
MOST_MEMBERS = 1_000


def content_encoding(headers: HTTPHeaders) -> str:
    """Return the encoding of a request's body, in lower case; empty for a plain one."""
    encoding = headers.get("Content-Encoding", "").strip().lower()
    return "" if encoding == "identity" else encoding


@stream_request_body
class BoundedBody(RequestHandler):
    """Reads no byte of a body before `prepare` has let the caller in, and never more than `body_limit`.

    A refusal is answered at once. What the client still sends is then read and dropped, because most
    clients read an answer only after they have sent everything; the connection stays usable.
    """

    _received = 0
    _limit = 0
    #: why the rest of the body is not kept; said when the client has sent it
    _refusal: OpsError | None = None

    def body_limit(self) -> int:
        """Return how many bytes the body may have; called once the caller is known."""
        return LARGEST_JSON_BYTES

    def accept_body(self) -> None:
        """Refuse a body that is announced as too large, and bound how long it may take; ends `prepare`.

        Raises
        ------
        TooLarge, Invalid
        """
        # one buffer, for a body may come byte by byte
        self._kept = bytearray()
        self._limit = self.body_limit()
        announced = self.announced_bytes()
        if announced is not None and announced > self._limit:
            raise self._too_large()

    def announced_bytes(self) -> int | None:
        """Return the request's `Content-Length`, or None where it has none.

        Raises
        ------
        Invalid
            When the header is no number.
        """
        text = self.request.headers.get("Content-Length")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise Invalid("The header Content-Length is not a number of bytes.")
        return int(text)

    def allow_streaming(self, timeout_s: float = BODY_TIMEOUT_S) -> None:
        """Let this class, not the connection, judge the size; begins `prepare`."""
        connection = self._connection
        # tests call handlers over other connections than HTTP/1's
        if hasattr(connection, "set_max_body_size"):
            connection.set_max_body_size(UNBOUNDED)
            connection.set_body_timeout(timeout_s)

    def reserve(self, size: int) -> None:
        """Raise an error of ours where so many further bytes of the body may not be kept."""

    def release(self) -> None:
        """Nothing of the body is held any more; called whenever that is so, more than once."""

    async def data_received(self, chunk: bytes) -> None:
        """Keep a piece of the body; after a refusal drop it, and take the next one a little later."""
        self._received += len(chunk)
        wanted = self._received <= self._limit and self._ending is None
        if wanted and self._refusal is None:
            try:
                self.reserve(len(chunk))
            except OpsError as error:
                self._refusal = error
            else:
                self._kept += chunk
                return
        self._kept = bytearray()
        self.release()
        if self._received > self._limit + LINGER_BYTES:
            self._connection.close()
        await asyncio.sleep(LINGER_PAUSE_S)

    def whole_body(self) -> bytes:
        """Return the body that has arrived, in one piece.

        Raises
        ------
        TooLarge
            When more bytes came than the limit allows.
        OpsError
            When `admit` did not let all of it in.
        """
        if self._refusal is not None:
            raise self._refusal
        if self._received > self._limit:
            raise self._too_large()
        if self._kept:
            body = bytes(self._kept)
            self._kept = bytearray()
            if self.is_compressed():
                body = self._unzipped(body)
            self.request.body = body
        return self.request.body

    def is_compressed(self) -> bool:
        """Return whether the body comes in gzip."""
        return content_encoding(self.request.headers) in GZIP

    def _unzipped(self, body: bytes) -> bytes:
        """Return a gzip body's content, of which never more is made than the limit allows.

        Raises
        ------
        Invalid, TooLarge
        """
        content = bytearray()
        most = self._limit + 1
        members = 0
        member: Any = None  # a gzip file is one or more of them
        try:
            for begin in range(0, len(body), UNZIPPED_BYTES):
                piece = body[begin : begin + UNZIPPED_BYTES]
                while piece:
                    if member is None:
                        members += 1
                        if members > MOST_MEMBERS:
                            raise Invalid(
                                f"The gzip body has more than {MOST_MEMBERS:,} members. Compress it "
                                "in one."
                            )
                        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
                    content += member.decompress(piece, most - len(content))
                    if len(content) >= most:
                        raise self._too_large()
                    piece = member.unused_data
                    if member.eof:
                        member = None
        except zlib.error:
            raise Invalid("The body is not gzip, as its Content-Encoding says.") from None
        if member is not None:
            raise Invalid("The gzip body ends in its middle.")
        return bytes(content)

    def _too_large(self) -> TooLarge:
        size = f"{self._limit >> 20} MiB" if self._limit >= 1 << 20 else f"{self._limit:,} bytes"
        return TooLarge(
            f"The body is larger than {size}. Send fewer rows at once, or upload the data as a file."
        )

    def on_finish(self) -> None:
        """The answer is sent."""
        super().on_finish()
        self.release()

    def on_connection_close(self) -> None:
        """The client went away, perhaps in the middle of its body."""
        super().on_connection_close()
        self.release()

    # ---------------------------------------------------------------- answering before the body is read

    #: the end of an answer that was given before the body had arrived
    _ending: asyncio.Task[None] | None = None

    @property
    def _connection(self) -> HTTP1Connection:
        return cast("HTTP1Connection", self.request.connection)

    def finish(self, chunk: Any = None) -> asyncio.Future[None]:
        """Send the answer; where the body is still on its way, the answer first and the end after it."""
        if self._ending is not None:  # Tornado ends an error that has ended by itself
            return self._ending
        arrived = getattr(self.request, "_body_future", None)
        expects = "Expect" in self.request.headers  # such a client sends nothing after a refusal
        if arrived is None or arrived.done() or expects:
            return super().finish(chunk)
        if chunk is not None:
            self.write(chunk)
        self.set_header("Content-Length", str(sum(map(len, self._write_buffer))))
        with contextlib.suppress(StreamClosedError):
            self.flush()
        self._ending = asyncio.create_task(self._finish_after(arrived), name="drain-body")
        return self._ending

    async def _finish_after(self, arrived: asyncio.Future[None]) -> None:
        # Tornado reads the body meanwhile, see `data_received`
        await asyncio.wait({arrived}, timeout=BODY_TIMEOUT_S)
        if arrived.done():
            arrived.exception()
        with contextlib.suppress(StreamClosedError):
            await super().finish()
