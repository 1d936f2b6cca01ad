"""Repeated rows, counted column by column, against `DataFrame.duplicated`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.kernel.reading.distinct_texts import distinct_texts
from jupyter_pycaret_ops.kernel.reading.repeated_rows import RepeatedRows

COLUMNS: dict[str, list[Any]] = {
    "float64": [0.0, -0.0, np.nan, -np.nan, 1.0, np.inf],
    "int64": [0, -1, 2**62, 1, 2, 3],
    "uint64": [0, 2**64 - 1, 2**63, 1, 2, 3],
    "bool": [True, False],
    "object": [None, np.nan, 1, 1.0, True, "1"],
    "str": ["a", " a", "a ", None, "", "b"],
    "Int64": [1, None, 2, 3, 4, 5],
    "float32": [0.1, np.nan, 0.0, -0.0, 1.0, 2.0],
    "category": ["a", None, "b", "c", "d", "e"],
    "datetime64[us]": [pd.Timestamp("2024-01-02"), pd.NaT, pd.Timestamp("2024-01-03")],
}


def counted(frame: pd.DataFrame) -> int | None:
    repeated = RepeatedRows(frame)
    for name in frame.columns:
        repeated.add(frame[name], distinct_texts(name, frame[name]))
    return repeated.count()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=4), st.data())
def test_repeated_rows_are_those_of_pandas(dtypes: list[str], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 30))
    frame = pd.DataFrame(
        {
            f"c{place}": pd.Series(
                data.draw(st.lists(st.sampled_from(COLUMNS[dtype]), min_size=size, max_size=size)),
                dtype=dtype,
            )
            for place, dtype in enumerate(dtypes)
        }
    )
    assert counted(frame) == int(frame.duplicated().sum())


@pytest.mark.parametrize("value", [[1], {"a": 1}])
def test_rows_with_values_that_cannot_be_compared_are_not_counted(value: Any) -> None:
    assert counted(pd.DataFrame({"a": [1, 2], "b": [value, value]})) is None
