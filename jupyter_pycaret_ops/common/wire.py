"""Frames on the socket between the server and a serving kernel: a length, then MessagePack."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

#: bytes of the body, big-endian
HEADER = struct.Struct(">I")


def frame(message: dict[str, Any]) -> bytes:
    """Return a message as one frame.

    Raises
    ------
    TypeError
    OverflowError
        When it holds something that MessagePack has no type for.
    """
    body = msgspec.msgpack.encode(message)
    return HEADER.pack(len(body)) + body


def read_frames(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield the messages of a blocking stream until its end.

    Raises
    ------
    struct.error
    msgspec.DecodeError
        When the stream ends within a frame.
    """
    while header := stream.read(HEADER.size):
        (length,) = HEADER.unpack(header)
        yield msgspec.msgpack.decode(stream.read(length))


class FrameBuffer:
    """Collects bytes as they arrive, and yields complete messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Add bytes of the stream, and yield each message that they complete."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            (length,) = HEADER.unpack_from(self._buffer)
            end = HEADER.size + length
            if len(self._buffer) < end:
                return
            message = msgspec.msgpack.decode(memoryview(self._buffer)[HEADER.size : end])
            del self._buffer[:end]
            yield message
