"""Suggestions of target and task."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_pycaret_ops.common.tables.suggestion import suggest


def column(name: str, dtype: str = "number", distinct: int = 100, examined: int = 150) -> Any:
    return {"name": name, "dtype": dtype, "distinct": distinct, "examined": examined}


@pytest.mark.parametrize(
    ("columns", "target", "task"),
    [
        ([column("x"), column("species", "string", 3)], "species", "classification"),
        ([column("Survived", "integer", 2), column("x")], "Survived", "classification"),
        ([column("price"), column("x")], "price", "regression"),
        ([column("x"), column("y2", "integer", 100)], "y2", "regression"),
        ([column("x"), column("id", "integer", 150)], "x", "regression"),
        ([column("x"), column("customer_id", "integer", 150)], "x", "regression"),
        ([column("x"), column("when", "datetime")], "x", "regression"),
        ([column("when", "datetime", 80)], None, "clustering"),
        ([column("when", "datetime", 150), column("x")], "x", "time_series"),
        ([column("when", "datetime", 150), column("x"), column("z")], "z", "regression"),
        ([column("when", "datetime", 150), column("x", "string", 3)], "x", "classification"),
        ([column("id", "integer", 150)], None, "clustering"),
    ],
)
def test_target_and_task_are_suggested_from_columns(
    columns: list[Any], target: str | None, task: str
) -> None:
    suggestion = suggest(columns)
    assert (suggestion["target"], suggestion["task"]) == (target, task)
    assert suggestion["reason"].endswith(".")


def test_series_has_its_column_of_time() -> None:
    found = suggest([column("when", "datetime", 150), column("x")])
    assert (found["task"], found["target"], found["index"]) == ("time_series", "x", "when")
    assert "index" not in suggest([column("a"), column("x")])
