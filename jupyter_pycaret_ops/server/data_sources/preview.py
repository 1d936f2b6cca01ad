"""The preview of an uploaded CSV file, read with the csv module."""

from __future__ import annotations

from typing import Any

from ...common.tables import preview
from ..files.file_store import FileStore


def preview_csv(
    files: FileStore, storage_key: str, config: dict[str, Any], n_rows: int
) -> dict[str, Any]:
    """Return columns with types and counts, the first `n_rows` rows and a suggestion; blocks."""
    with files.open(storage_key) as stream:
        return preview.preview_csv(stream, config, n_rows)
