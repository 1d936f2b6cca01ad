"""The training profile of a pipeline: counts by hand, and of whole runs."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.engine.training_profile import MAX_LEVELS, count_ranges


@pytest.fixture
def mixed(frame):
    rows = len(frame)
    frame["count"] = range(rows)
    frame["flag"] = [True, False, None] * (rows // 3)
    frame["day"] = pd.date_range("2024-01-30", periods=rows).strftime("%m/%d/%Y")
    frame.loc[5, ["a", "town"]] = None
    return frame


def profile_of(recorder):
    return json.loads(recorder.artifacts["training_profile.json"])


def test_each_row_is_counted_once_in_each_column(plan, recorder, mixed):
    plan(mixed, "label", model_id="lr")
    profile = profile_of(recorder)
    schema = json.loads(recorder.artifacts["input_schema.json"])
    names = [column["name"] for column in profile["columns"]]
    assert names == [column["name"] for column in schema["columns"]]
    for column in [*profile["columns"], profile["target"]]:
        counted = column.get("counts") or [
            *(level["count"] for level in column["levels"]),
            column["other"],
        ]
        assert sum(counted) + column["missing"] == profile["n_rows"] == len(mixed), column["name"]
    by_name = {column["name"]: column for column in profile["columns"]}
    assert by_name["a"]["missing"] == by_name["town"]["missing"] == 1
    assert by_name["town"]["levels"] == [
        {"value": value, "count": count}
        for value, count in sorted(
            mixed["town"].value_counts().items(), key=lambda item: (-item[1], item[0])
        )
    ]
    assert profile["target"]["name"] == "label"


def test_ranges_hold_as_many_values_each_as_numpy_counts(plan, recorder, mixed):
    plan(mixed, "label", model_id="lr")
    column = {c["name"]: c for c in profile_of(recorder)["columns"]}["count"]
    assert (column["min"], column["max"]) == (0, len(mixed) - 1)
    borders = [-np.inf, *column["edges"], np.inf]
    assert column["counts"] == np.histogram(mixed["count"], bins=borders)[0].tolist()
    assert max(column["counts"]) - min(column["counts"]) <= 1


def test_a_value_on_a_border_counts_above_it():
    assert count_ranges(np.array([0.0, 1.0, 1.5, 2.0, 9.0]), [1.0, 2.0]) == [1, 2, 2]
    assert count_ranges(np.array([]), [1.0]) == [0, 0]


def test_many_levels_are_counted_together(plan, recorder, frame):
    frame = pd.concat([frame] * 4, ignore_index=True)
    frame["code"] = [f"c{row % (MAX_LEVELS + 5)}" for row in range(len(frame))]
    plan(frame, "label", model_id="lr")
    column = {c["name"]: c for c in profile_of(recorder)["columns"]}["code"]
    counts = frame["code"].value_counts()
    assert len(column["levels"]) == MAX_LEVELS
    assert column["other"] == counts.sort_values(ascending=False)[MAX_LEVELS:].sum() > 0
