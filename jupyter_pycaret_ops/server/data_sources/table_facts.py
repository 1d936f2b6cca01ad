"""Facts about an uploaded table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class TableFacts:
    """Facts about a table that was uploaded completely."""

    kind: Literal["csv_upload", "parquet_upload", "excel_upload"]
    sha256: str
    size_bytes: int
    rows: int
    columns: list[dict[str, str]]
    #: both None but for text files
    encoding: str | None
    delimiter: str | None
    #: how a text file or a sheet is read, as JSON, and what was decided about it; None for Parquet
    dialect: dict[str, Any] | None = None
    reported: list[dict[str, Any]] | None = None
    #: fields of the dialect that a person gave
    dialect_fields: dict[str, Any] | None = None

    def config(self, filename: str | None) -> dict[str, Any]:
        """Return the `config` of the data source."""
        facts = asdict(self)
        del facts["kind"]
        if self.dialect is None:
            del facts["dialect"], facts["reported"]
        if not self.dialect_fields:
            del facts["dialect_fields"]
        # until a profile has read all rows
        return {"filename": filename, **facts, "types_final": False}
