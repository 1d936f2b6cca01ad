"""The types of this room's front door. Light: nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jupyter_pycaret_ops.common.protocol import ErrorKind


class SourceUnreadable(Exception):
    """A source cannot be read; `message` names what failed and the way out, never a secret."""

    def __init__(self, message: str, kind: ErrorKind = "user") -> None:
        super().__init__(message)
        self.message = message
        self.kind: ErrorKind = kind


@dataclass(frozen=True, slots=True)
class Loaded:
    """A table that was read whole."""

    #: a pandas DataFrame
    frame: Any
    #: of the object's bytes; of a database, of the rows' texts in the order that they came
    sha256: str
    rows: int


def too_many_rows(what: str, cap: int) -> SourceUnreadable:
    """The refusal of a table with more rows than the cap."""
    return SourceUnreadable(
        f"{what} has more than {cap:,} rows, which is the most that is read. "
        "Narrow it with a query or a smaller file, or raise connector_cap_rows."
    )


def too_many_bytes(what: str, cap: int) -> SourceUnreadable:
    """The refusal of a table with more bytes than the cap."""
    return SourceUnreadable(
        f"{what} is larger than {cap / 2**20:g} MiB, which is the most that is read. "
        "Take fewer rows or columns, or raise connector_cap_bytes."
    )


def too_slow(what: str, seconds: float) -> SourceUnreadable:
    """The refusal of a source that takes longer than its time."""
    return SourceUnreadable(
        f"{what} was not read within {seconds:g} s. "
        "Ask for less, see whether it answers at all, or raise connector_timeout_s.",
        "timeout",
    )
