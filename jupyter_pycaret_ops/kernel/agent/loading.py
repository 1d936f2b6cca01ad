"""Where a run's frame comes from: the server's stream, or the place that the spec names."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...common.protocol import JSON, DataSpec, ErrorKind
from .. import reading as sources

if TYPE_CHECKING:
    import pandas as pd


class DataUnreadable(Exception):
    """The data could not be read; the message says what to change."""

    def __init__(self, message: str, kind: ErrorKind = "user") -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind


def load(
    spec: DataSpec, fetch: Callable[[], bytes], checkpoint: Callable[[], None]
) -> tuple[pd.DataFrame, JSON]:
    """The frame of a run, and what the snapshot is to say of it; `fetch` reads what the server streams.

    Raises
    ------
    DataUnreadable
        When it is not the table that it was said to be, or a connector cannot be read.
    """
    if spec.kind == "sklearn":
        return _sklearn(spec.options["name"]), {}
    if spec.kind in sources.CONNECTORS:
        try:
            loaded = sources.read(spec, checkpoint)
        except sources.SourceUnreadable as error:
            raise DataUnreadable(error.message, error.kind) from None
        return loaded.frame, {"data_sha256": loaded.sha256, "data_rows": loaded.rows}
    content = fetch()
    try:
        if spec.kind == "csv_upload":
            return _csv(content, spec.options), {}
        if spec.kind == "parquet_upload":
            return sources.parquet_frame(content), {}
        return _records(content), {}
    except (ValueError, UnicodeError) as error:
        raise DataUnreadable(f"The data could not be read as a table: {error}") from error
    except sources.SourceUnreadable as error:
        raise DataUnreadable(error.message, error.kind) from None


def _csv(content: bytes, options: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(
        io.BytesIO(content),
        encoding=options.get("encoding") or "utf-8-sig",
        sep=options.get("delimiter") or ",",
        low_memory=False,
    )


def _records(content: bytes) -> pd.DataFrame:
    import json

    import pandas as pd

    return pd.DataFrame.from_records(json.loads(content))


def _sklearn(name: str) -> pd.DataFrame:
    from sklearn import datasets

    frame: pd.DataFrame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return frame
