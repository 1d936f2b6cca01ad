"""Digest and size of a workbook while it is received; it is examined afterwards."""

from __future__ import annotations

import hashlib


class WorkbookScan:
    """Scan a file: call `feed` with its chunks in order, then `finish`."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Scan the next chunk."""
        self._digest.update(chunk)
        self._size += len(chunk)

    def finish(self) -> tuple[str, int]:
        """Return the SHA-256 as hex, and the size in bytes."""
        return self._digest.hexdigest(), self._size
