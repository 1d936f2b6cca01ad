"""Frames of the notebook: found by name, described, sent."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..client.records import JSON, JSONs
from ..common.errors import Invalid

if TYPE_CHECKING:
    import pandas as pd

#: rows that a guess looks at
EXAMINED_ROWS = 5_000


def is_frame(value: Any) -> bool:
    """Whether it is a pandas frame; asked without importing pandas."""
    kind = type(value)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"


def named_frames(names: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Frames that the notebook has under a name of its own."""
    return {
        name: value for name, value in names.items() if is_frame(value) and not name.startswith("_")
    }


def described(frame: pd.DataFrame) -> JSON:
    """A frame as a submission tells of it."""
    return {"rows": len(frame), "columns": [str(name) for name in frame.columns]}


def columns_of(frame: pd.DataFrame) -> JSONs:
    """Columns as a preview has them: name, type, distinct values among the first rows."""
    head = frame.head(EXAMINED_ROWS)
    found: JSONs = []
    for place, name in enumerate(frame.columns):
        column = head.iloc[:, place]
        found.append(
            {
                "name": str(name),
                "dtype": _dtype(column),
                "missing": int(column.isna().sum()),
                "distinct": _distinct(column),
                "examined": len(head),
            }
        )
    return found


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


def as_parquet(frame: pd.DataFrame) -> bytes:
    """A frame as a Parquet file; an index that says something becomes columns.

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
    target = io.BytesIO()
    try:
        frame.to_parquet(target, index=False)
    except ImportError:
        raise Invalid(
            "Sending a frame to a worker needs pyarrow: pip install 'jupyter-pycaret-ops[parquet]'."
        ) from None
    except (ValueError, TypeError) as error:
        said = str(error).split("\n")[0]
        raise Invalid(f"The frame cannot be sent as Parquet: {said}") from None
    return target.getvalue()


def as_rows(frame: pd.DataFrame) -> JSONs:
    """A frame as rows of JSON: missing values are null, times are text."""
    text = frame.to_json(orient="records", date_format="iso", double_precision=15)
    rows: JSONs = json.loads(text)
    return rows
