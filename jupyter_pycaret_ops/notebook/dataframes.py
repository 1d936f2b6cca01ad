"""DataFrames of the notebook: find them by name, describe and convert them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..client.records import JSON, JSONs
from ..common.errors import Invalid

if TYPE_CHECKING:
    import pandas as pd

#: number of first rows that columns are described by
EXAMINED_ROWS = 5_000


def is_frame(value: Any) -> bool:
    """Return whether `value` is a pandas DataFrame, without importing pandas."""
    kind = type(value)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"


def named_frames(names: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the DataFrames among variables of the notebook, without names that begin with `_`."""
    return {
        name: value for name, value in names.items() if is_frame(value) and not name.startswith("_")
    }


def frame_summary(frame: pd.DataFrame) -> JSON:
    """Return number of rows and column names of a DataFrame, as a submission contains them."""
    return {"rows": len(frame), "columns": [str(name) for name in frame.columns]}


def columns_of(frame: pd.DataFrame) -> JSONs:
    """Return the columns as in a preview: name, type, missing and distinct values in the first rows."""
    head = frame.head(EXAMINED_ROWS)
    columns: JSONs = []
    for position, name in enumerate(frame.columns):
        column = head.iloc[:, position]
        columns.append(
            {
                "name": str(name),
                "dtype": _dtype(column),
                "missing": int(column.isna().sum()),
                "distinct": _distinct(column),
                "examined": len(head),
            }
        )
    return columns


def _dtype(column: pd.Series[Any]) -> str:
    from pandas.api import types

    if types.is_bool_dtype(column.dtype):
        return "boolean"
    if types.is_integer_dtype(column.dtype):
        return "integer"
    if types.is_numeric_dtype(column.dtype):
        return "number"
    if types.is_datetime64_any_dtype(column.dtype):
        return "datetime"
    return "string"


def _distinct(column: pd.Series[Any]) -> int:
    try:
        return int(column.nunique())
    except TypeError:  # lists and the like
        return int(column.astype(str).nunique())


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Return a DataFrame as a Parquet file; an index with names or times becomes columns.

    Raises
    ------
    Invalid
        When the library is missing, or a column holds what Parquet has no type for.
    """
    import pandas as pd

    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index(
            drop=all(name is None for name in frame.index.names)
            and not isinstance(frame.index, (pd.DatetimeIndex, pd.PeriodIndex))
        )
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    buffer = io.BytesIO()
    try:
        frame.to_parquet(buffer, index=False)
    except ImportError:
        raise Invalid(
            "Sending a DataFrame to a worker kernel needs pyarrow: pip install 'jupyter-pycaret-ops[parquet]'."
        ) from None
    except (ValueError, TypeError) as error:
        reason = str(error).split("\n")[0]
        raise Invalid(f"The DataFrame cannot be sent as Parquet: {reason}") from None
    return buffer.getvalue()


def to_records(frame: pd.DataFrame) -> JSONs:
    """Return the rows of a DataFrame as JSON records; missing values are null, times are text."""
    text = frame.to_json(orient="records", date_format="iso", double_precision=15)
    records: JSONs = json.loads(text)
    return records
