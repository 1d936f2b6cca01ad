"""Load the DataFrame of a run from the server, a connector or a sample set."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...common.protocol import JSON, DataSpec, ErrorKind
from .. import reading

if TYPE_CHECKING:
    import pandas as pd


class DataUnreadable(Exception):
    """The data cannot be read; the message says what to change."""

    def __init__(self, message: str, kind: ErrorKind = "user") -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind


def load(
    spec: DataSpec, fetch: Callable[[], bytes], checkpoint: Callable[[], None]
) -> tuple[pd.DataFrame, JSON]:
    """Return the DataFrame of a run, and digest and size of the data for the snapshot.

    The DataFrame has shape (n_rows, n_columns). `fetch` returns the file or records that the server
    has; `checkpoint` is called between batches and may raise.

    Raises
    ------
    DataUnreadable
        When the content is not a table of the given kind, or a connector cannot be read.
    """
    if spec.kind == "sklearn":
        return _sklearn(spec.options["name"]), {}
    if spec.kind in reading.CONNECTORS:
        try:
            loaded = reading.read(spec, checkpoint)
        except reading.SourceUnreadable as error:
            raise DataUnreadable(error.message, error.kind) from None
        return loaded.frame, {"data_sha256": loaded.sha256, "data_rows": loaded.n_rows}
    content = fetch()
    try:
        if spec.kind == "csv_upload":
            return _csv(content, spec.options), {}
        if spec.kind == "parquet_upload":
            return reading.parquet_frame(content), {}
        return _records(content), {}
    except (ValueError, UnicodeError) as error:
        raise DataUnreadable(f"The data could not be read as a table: {error}") from error
    except reading.SourceUnreadable as error:
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
