"""Inspect a data source: columns, first rows and suggestion."""

from __future__ import annotations

from pathlib import Path

from jupyter_pycaret_ops.common.protocol import JSON, DataSpec

from . import files, postgres, s3
from .interfaces import SourceUnreadable
from .redaction import errors_redacted


def inspect_source(spec: DataSpec, rows: int) -> JSON:
    """Return the preview of a connector, or of an uploaded Parquet file or workbook, with its first `rows` rows.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached or is not a table.
    """
    with errors_redacted(spec):
        if spec.kind == "s3":
            return s3.preview(spec, rows)
        if spec.kind == "postgres":
            return postgres.preview(spec, rows)
        if spec.kind == "parquet_upload":
            file = Path(spec.options["path"])
            with file.open("rb") as stream:
                return files.preview(stream, file.stat().st_size, "parquet", "The file", rows)
        if spec.kind == "excel_upload":
            content = Path(spec.options["path"]).read_bytes()
            return files.workbook_preview(content, spec.options, rows)
        raise SourceUnreadable(f"A source of kind {spec.kind} is not inspected in a kernel.")
