"""Profiles: counts, ranges and levels of columns, against pandas and hand-worked figures."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.reading.columns import ReadingSettings
from jupyter_pycaret_ops.kernel.reading.profiling import N_BINS, profile


def made(frame: pd.DataFrame, **settings: Any) -> dict[str, dict[str, Any]]:
    found = profile(frame, ReadingSettings(**settings))
    json.dumps(found, allow_nan=False)
    for column in found["columns"]:
        total = column["values"] + column["missing"] + column["unreadable"]["count"]
        assert total == len(frame), column["name"]
    return {column["name"]: column for column in found["columns"]}


def test_numbers_have_the_figures_of_pandas() -> None:
    values = pd.Series(np.random.default_rng(1).gamma(2.0, 30.0, size=500))
    values[::50] = np.nan
    column = made(pd.DataFrame({"x": values, "y": range(500)}))["x"]
    assert (column["type"], column["values"], column["missing"]) == ("number", 490, 10)
    assert column["mean"] == pytest.approx(values.mean())
    assert column["std"] == pytest.approx(values.std())
    assert (column["min"], column["max"]) == (values.min(), values.max())
    assert column["quantiles"]["0.25"] == pytest.approx(values.quantile(0.25))
    counts, edges = np.histogram(values.dropna(), bins=N_BINS)
    assert column["histogram"]["counts"] == counts.tolist()
    assert column["histogram"]["edges"] == pytest.approx(edges.tolist())


def test_spelled_numbers_are_profiled_as_numbers() -> None:
    frame = pd.DataFrame({"price": ["$1,200.00", "$80.00", "n/a", "$20.00"] * 30})
    column = made(frame)["price"]
    assert (column["min"], column["max"]) == (20.0, 1200.0)
    assert (column["missing"], column["missing_words"]) == (30, {"n/a": 30})
    assert column["top"][0] == {"value": "$1,200.00", "count": 30}


def test_few_unreadable_cells_are_shown_with_row_and_text() -> None:
    frame = pd.DataFrame({"n": [str(n) for n in range(99)] + ["many"]})
    column = made(frame)["n"]
    assert column["unreadable"] == {"count": 1, "examples": [{"row": 100, "text": "many"}]}


def test_dates_are_shown_in_their_own_offset() -> None:
    frame = pd.DataFrame({"at": [f"2024-07-0{day}T19:30:00-05:00" for day in range(1, 10)] * 9})
    column = made(frame)["at"]
    assert column["type"] == "date"
    assert (column["min"], column["max"]) == (
        "2024-07-01T19:30:00-05:00",
        "2024-07-09T19:30:00-05:00",
    )
    assert sum(column["histogram"]["counts"]) == 81


def test_levels_are_counted_most_frequent_first() -> None:
    column = made(pd.DataFrame({"town": ["Bern", "Lyon", "Bern", None] * 5}))["town"]
    assert column["top"] == [{"value": "Bern", "count": 10}, {"value": "Lyon", "count": 5}]
    assert (column["distinct"], column["min"], column["histogram"]) == (2, None, None)


def test_types_that_a_person_has_set() -> None:
    frame = pd.DataFrame({"zip": [8001, 3011, 1200] * 9})
    column = made(frame, types={"zip": "category"})["zip"]
    assert (column["type"], column["set_by_person"]) == ("category", True)
    assert {item["value"] for item in column["top"]} == {"8001", "3011", "1200"}


def test_table_counts_repeated_rows_and_suggests() -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5, 1.5] * 10, "species": ["x", "y", "x"] * 10})
    found = profile(frame, ReadingSettings())
    assert found["rows"] == 30
    assert found["duplicates"] == 28
    assert (found["suggestion"]["target"], found["suggestion"]["task"]) == (
        "species",
        "classification",
    )


def test_empty_constant_and_identifier_columns_have_counts() -> None:
    columns = made(
        pd.DataFrame({"nothing": [None] * 30, "country": ["CH"] * 30, "user_id": range(1000, 1030)})
    )
    assert [column["type"] for column in columns.values()] == ["empty", "constant", "identifier"]
    assert (columns["user_id"]["min"], columns["user_id"]["max"]) == (1000.0, 1029.0)


def test_old_dates_and_numbers_near_the_largest_float_have_a_profile() -> None:
    frame = pd.DataFrame({"day": ["0999-01-01", "2024-05-06"] * 5, "big": [1.7e308, -1.7e308] * 5})
    day, big = profile(frame, ReadingSettings())["columns"]
    assert (day["min"], day["max"]) == ("0999-01-01T00:00:00", "2024-05-06T00:00:00")
    assert (big["max"], big["std"], big["histogram"]) == (1.7e308, None, None)
