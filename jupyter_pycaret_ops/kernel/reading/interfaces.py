"""The types of the reading interface, and its errors. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jupyter_pycaret_ops.common.protocol import ErrorKind


class SourceUnreadable(Exception):
    """A data source cannot be read; `message` says what failed and what to do, without secrets."""

    def __init__(self, message: str, kind: ErrorKind = "user") -> None:
        super().__init__(message)
        self.message = message
        self.kind: ErrorKind = kind


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A table that was read completely."""

    #: DataFrame of shape (n_rows, n_columns)
    frame: Any
    #: digest of the object's bytes, or of the texts of all rows as the database sent them
    sha256: str
    n_rows: int
    #: how a text file was read (`Dialect.to_json`); None for other tables
    dialect: dict[str, Any] | None = None


def too_many_rows(source: str, cap: int) -> SourceUnreadable:
    """Return the error for a table with more than `cap` rows."""
    return SourceUnreadable(
        f"{source} has more than {cap:,} rows, the limit for data sources. "
        "Narrow it with a query or a smaller file, or raise connector_cap_rows."
    )


def too_many_bytes(source: str, cap: int) -> SourceUnreadable:
    """Return the error for a table with more than `cap` bytes."""
    return SourceUnreadable(
        f"{source} is larger than {cap / 2**20:g} MiB, the limit for data sources. "
        "Select fewer rows or columns, or raise connector_cap_bytes."
    )


def too_slow(source: str, seconds: float) -> SourceUnreadable:
    """Return the error for a source that takes longer than its time limit."""
    return SourceUnreadable(
        f"{source} was not read within {seconds:g} s. "
        "Select less, check that it responds at all, or raise connector_timeout_s.",
        "timeout",
    )
