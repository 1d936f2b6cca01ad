"""Types of columns and suggestions, guessed from texts."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_pycaret_ops.common.tables.inference import infer_type, is_datetime, suggest


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["1", "2"], "integer"),
        (["-1", "+2", " 3 "], "integer"),
        (["1", "", "NA"], "integer"),
        (["1", "2.5"], "number"),
        (["1e3", "-0.5", ".5"], "number"),
        (["inf", "1"], "number"),
        (["123456789012345678901234567890"], "number"),
        (["1_000"], "string"),
        (["1,5", "2,5"], "string"),
        (["true", "False", "TRUE"], "boolean"),
        (["true", "1"], "string"),
        (["2026-01-02", "2026-01-03T04:05:06Z"], "datetime"),
        (["01/31/2026"], "datetime"),
        (["31.01.2026"], "datetime"),
        (["2026-01-02", "later"], "string"),
        (["red", "1"], "string"),
        (["", "NA", "null"], "string"),
        ([], "string"),
    ],
)
def test_types(values: list[str], dtype: str) -> None:
    assert infer_type(iter(values)) == dtype


@pytest.mark.parametrize("text", ["2026", "12", "1.5", "hello", "", "a-b-c", "12345"])
def test_what_is_no_date(text: str) -> None:
    assert not is_datetime(text)


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
def test_suggestions(columns: list[Any], target: str | None, task: str) -> None:
    found = suggest(columns)
    assert (found["target"], found["task"]) == (target, task)
    assert found["reason"].endswith(".")
