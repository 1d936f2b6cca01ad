"""Convert rows of a predict request into the DataFrame that a stored pipeline takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON

from .interfaces import Frame


def to_frame(schema: JSON, rows: Sequence[Sequence[Any]]) -> Frame:
    """Return a DataFrame of shape (len(rows), len(schema["columns"])) of checked values.

    Each row lists its values in the order of the schema's columns; None is missing. Numbers and
    booleans become float64; texts, dates, and numbers of which some are texts ("1,200"), object: the
    pipeline's first step reads them as it read the training data, so predictions equal those of the same rows
    read by pandas.
    """
    arrays: dict[str, Any] = {}
    for column, values in zip(schema["columns"], _by_column(schema, rows), strict=True):
        if column["type"] in ("string", "datetime"):
            texts = np.empty(len(rows), dtype=object)
            texts[:] = values
            arrays[column["name"]] = pd.Series(texts, dtype=object)
        else:
            arrays[column["name"]] = _numbers(values)
    return pd.DataFrame(arrays, index=range(len(rows)))


def _numbers(values: Sequence[Any]) -> Any:
    if any(isinstance(value, str) for value in values):
        texts = np.empty(len(values), dtype=object)
        texts[:] = values
        return pd.Series(texts, dtype=object)
    # numpy reads None as NaN here
    return np.array(values, dtype="float64")


def _by_column(schema: JSON, rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    if not rows:
        return [() for _ in schema["columns"]]
    return list(zip(*rows, strict=True))
