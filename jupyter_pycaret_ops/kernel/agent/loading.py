"""Load the DataFrame of a run from the server, a connector or a sample set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...common.protocol import JSON, DataSpec, ErrorKind
from .. import reading
from ..reading.content import open_content

if TYPE_CHECKING:
    import pandas as pd

    from ..reading import Content


class DataUnreadable(Exception):
    """The data cannot be read; the message says what to change."""

    def __init__(self, message: str, kind: ErrorKind = "user") -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind


def load(
    spec: DataSpec, fetch: Callable[[], Content], checkpoint: Callable[[], None]
) -> tuple[pd.DataFrame, JSON]:
    """Return the DataFrame of a run, and for the snapshot digest and size of the data and how it was read.

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
        facts: JSON = {"data_sha256": loaded.sha256, "data_rows": loaded.n_rows}
        return loaded.frame, facts | _reading_facts(loaded.dialect, loaded.frame)
    content = fetch()
    try:
        if spec.kind == "csv_upload":
            frame = _csv(content, spec.options)
            return frame, _reading_facts(spec.options.get("dialect"), frame)
        if spec.kind == "parquet_upload":
            return reading.parquet_frame(content), {}
        if spec.kind == "excel_upload":
            dialect, names = spec.options["dialect"], spec.options["columns"]
            frame = reading.workbook_frame(content, dialect, names)
            return frame, {"dialect": dialect, "data_columns": list(frame.columns)}
        return _records(content), {}
    except (ValueError, UnicodeError) as error:
        raise DataUnreadable(f"The data could not be read as a table: {error}") from error
    except reading.SourceUnreadable as error:
        raise DataUnreadable(error.message, error.kind) from None


def with_holdout(frame: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table and, after them, those of a table to hold out, with the columns of the first.

    Raises
    ------
    DataUnreadable
        When the second lacks columns.
    """
    import pandas as pd

    missing = [str(name) for name in frame.columns if name not in set(held.columns)]
    if missing:
        listed = ", ".join(f"“{name}”" for name in missing[:10])
        raise DataUnreadable(f"The table to hold out lacks columns of the other: {listed}.")
    return pd.concat([frame, held[list(frame.columns)]], ignore_index=True)


def _reading_facts(dialect: JSON | None, frame: pd.DataFrame) -> JSON:
    """Return how a text file was read, for the snapshot: its notebook reads the file in the same way."""
    if not dialect:
        return {}
    is_text = [getattr(dtype, "kind", "") not in "iufb" for dtype in frame.dtypes]
    text_columns = [name for name, text in zip(frame.columns, is_text, strict=True) if text]
    return {"dialect": dialect, "data_columns": list(frame.columns), "text_columns": text_columns}


def _csv(content: Content, options: dict[str, Any]) -> pd.DataFrame:
    if options.get("dialect"):
        frame: pd.DataFrame = reading.delimited_frame(
            content, options["dialect"], options["columns"]
        )
        return frame
    # an upload that was stored before there were dialects is read as it was then
    import pandas as pd

    with open_content(content) as stream:
        return pd.read_csv(
            stream,
            encoding=options.get("encoding") or "utf-8-sig",
            sep=options.get("delimiter") or ",",
            low_memory=False,
        )


def _records(content: Content) -> pd.DataFrame:
    import json

    import pandas as pd

    with open_content(content) as stream:
        return pd.DataFrame.from_records(json.load(stream))


def _sklearn(name: str) -> pd.DataFrame:
    from sklearn import datasets

    frame: pd.DataFrame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return frame
