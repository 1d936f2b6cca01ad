"""What an upload turned out to be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table that was uploaded whole."""

    kind: Literal["csv_upload", "parquet_upload"]
    sha256: str
    size_bytes: int
    rows: int
    columns: list[dict[str, str]]
    #: None where the format settles it
    encoding: str | None
    delimiter: str | None

    def config(self, filename: str | None) -> dict[str, Any]:
        """The data source's `config`."""
        facts = asdict(self)
        del facts["kind"]
        return {"filename": filename, **facts}
