"""Digest, size and completeness of a Parquet file while it is received; its footer is read afterwards."""

from __future__ import annotations

import hashlib

from ...common.errors import Invalid
from ...common.tables.parquet import MAGIC

#: bytes: the magic number at both ends, and the length of the footer
MIN_BYTES = 12


class ParquetScan:
    """Scan a file: call `feed` with its chunks in order, then `finish`."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        self._tail = b""

    def feed(self, chunk: bytes) -> None:
        """Scan the next chunk.

        Raises
        ------
        Invalid
            When the file does not start with the magic number of Parquet.
        """
        if self._size == 0 and not chunk.startswith(MAGIC):
            raise Invalid("The file has a name of a Parquet file, but is none. Was it renamed?")
        self._digest.update(chunk)
        self._size += len(chunk)
        self._tail = (self._tail + chunk)[-len(MAGIC) :]

    def finish(self) -> tuple[str, int]:
        """Return the SHA-256 as hex, and the size in bytes.

        Raises
        ------
        Invalid
            When the end is missing.
        """
        if self._size < MIN_BYTES or self._tail != MAGIC:
            raise Invalid("The Parquet file was cut off: its end is missing. Write it again.")
        return self._digest.hexdigest(), self._size
