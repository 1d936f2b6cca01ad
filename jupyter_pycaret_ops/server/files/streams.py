"""Files of the store that are being read or written."""

from __future__ import annotations

import contextlib
import io
import logging
import secrets
from typing import Any, BinaryIO, cast

from .storage_errors import translated

log = logging.getLogger("jupyter_pycaret_ops")


class _Reader(io.RawIOBase):
    """A file of the store opened for reading; errors are translated."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with translated():
            return self._stream.seek(offset, whence)

    def tell(self) -> int:
        with translated():
            return self._stream.tell()

    def read(self, size: int = -1) -> bytes:
        with translated():
            return self._stream.read(size)

    def readinto(self, buffer: Any) -> int:
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        if not self.closed:
            with contextlib.suppress(Exception):
                self._stream.close()
        super().close()


def reader(stream: BinaryIO) -> BinaryIO:
    """Return a buffered stream whose errors are translated."""
    return cast("BinaryIO", io.BufferedReader(_Reader(stream)))


class Writer:
    """A file that is being written; it is discarded on leaving the context, unless it was committed."""

    def __init__(self, fs: Any, path: str) -> None:
        self._fs = fs
        self._path = path
        self._temporary = f"{path}.{secrets.token_hex(6)}.part"
        self._stream: BinaryIO = fs.open(self._temporary, "wb")
        self._open = True

    def write(self, content: bytes) -> None:
        """Append bytes."""
        with translated():
            self._stream.write(content)

    def commit(self) -> None:
        """Close the file and rename it to its key."""
        with translated():
            self._stream.close()
            self._open = False
            try:
                self._fs.mv(self._temporary, self._path)
            except BaseException:
                self._open = True  # so that `discard` removes it
                raise

    def discard(self) -> None:
        """Remove what was written; does nothing after `commit`."""
        if self._open:
            self._open = False
            with contextlib.suppress(Exception):
                self._stream.close()
            try:
                self._fs.rm_file(self._temporary)
            except FileNotFoundError:
                pass
            except Exception as error:
                log.warning("a part of a file could not be removed from the file store: %s", error)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()
