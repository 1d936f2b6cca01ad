"""The first rows of an uploaded CSV, read in a thread by the csv module."""

from __future__ import annotations

from typing import Any

from ...common.tables import preview
from ..files.file_store import FileStore


def preview_csv(
    artifacts: FileStore, storage_key: str, config: dict[str, Any], rows: int
) -> dict[str, Any]:
    """Columns with types, missing and distinct counts over the first rows, those rows, and a suggestion."""
    with artifacts.open(storage_key) as stream:
        return preview.preview_csv(stream, config, rows)
