"""Read the columns of a local file before it is uploaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import Invalid
from .csv_scan import CsvScan
from .dialect import count_rows
from .preview import preview_csv
from .workbook import is_workbook

PARQUET = b"PAR1"
CHUNK = 1 << 20


def columns_of_file(
    path: str | Path, dialect: Mapping[str, Any] | None = None
) -> list[dict[str, Any]] | None:
    """Return the columns of a CSV file as in a preview of the server; `dialect` has the fields that a person gave.

    None for any other file: the server reads it after the upload.

    Raises
    ------
    Invalid
        When the file cannot be read, or is not a table to the server.
    """
    try:
        with Path(path).open("rb") as stream:
            first = stream.read(CHUNK)
            if first.startswith(PARQUET) or is_workbook(first, Path(path).name):
                return None
            scan = CsvScan()
            chunk = first
            while chunk:
                scan.feed(chunk)
                chunk = stream.read(CHUNK)
            facts = scan.facts(dialect)
            if facts.recount:
                stream.seek(0)
                count_rows(stream, facts.detection)
            stream.seek(0)
            columns: list[dict[str, Any]] = preview_csv(stream, facts.config(), 1)["columns"]
            return columns
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror or error}.") from None
    except Invalid as error:
        raise Invalid(f"{path}: {error.message}") from None
