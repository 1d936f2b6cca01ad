"""A Parquet file while it passes by: digest and size; what it holds is told by its footer, at the end."""

from __future__ import annotations

import hashlib

from ...common.errors import Invalid
from ...common.tables.parquet import MAGIC

#: magic at both ends, and the length of a footer
SMALLEST = 12


class ParquetScan:
    """Feed it chunks in order, then ask for the whole."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        self._tail = b""

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk.

        Raises
        ------
        Invalid
            When the file does not begin as Parquet does.
        """
        if self._size == 0 and not chunk.startswith(MAGIC):
            raise Invalid("The file is named like Parquet and is none. Was it renamed?")
        self._digest.update(chunk)
        self._size += len(chunk)
        self._tail = (self._tail + chunk)[-len(MAGIC) :]

    def whole(self) -> tuple[str, int]:
        """SHA-256 and size.

        Raises
        ------
        Invalid
            When the end is missing.
        """
        if self._size < SMALLEST or self._tail != MAGIC:
            raise Invalid("The Parquet file was cut off: its end is missing. Write it again.")
        return self._digest.hexdigest(), self._size
