"""Facts about an uploaded table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class TableFacts:
    """Facts about a table that was uploaded completely."""

    kind: Literal["csv_upload", "parquet_upload"]
    sha256: str
    size_bytes: int
    rows: int
    columns: list[dict[str, str]]
    #: both None for Parquet
    encoding: str | None
    delimiter: str | None

    def config(self, filename: str | None) -> dict[str, Any]:
        """Return the `config` of the data source."""
        facts = asdict(self)
        del facts["kind"]
        return {"filename": filename, **facts}
