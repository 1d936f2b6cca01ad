"""A look at a source: its columns, its first rows, and what they suggest."""

from __future__ import annotations

from pathlib import Path

from jupyter_pycaret_ops.common.protocol import JSON, DataSpec

from . import files, postgres, s3
from .interfaces import SourceUnreadable
from .redaction import guarded


def look(spec: DataSpec, rows: int) -> JSON:
    """The preview of a connector or of an uploaded file.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached or is no table.
    """
    with guarded(spec):
        if spec.kind == "s3":
            return s3.look(spec, rows)
        if spec.kind == "postgres":
            return postgres.look(spec, rows)
        if spec.kind == "parquet_upload":
            file = Path(spec.options["path"])
            with file.open("rb") as stream:
                return files.look(stream, file.stat().st_size, "parquet", "The file", rows)
        raise SourceUnreadable(f"A source of kind {spec.kind} is not looked at in a kernel.")
