"""Column types inferred from texts."""

from __future__ import annotations

import pytest

from jupyter_pycaret_ops.common.tables.column_types import infer_type, is_datetime


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
def test_column_type_is_inferred_from_values(values: list[str], dtype: str) -> None:
    assert infer_type(iter(values)) == dtype


@pytest.mark.parametrize("text", ["2026", "12", "1.5", "hello", "", "a-b-c", "12345"])
def test_text_is_not_a_datetime(text: str) -> None:
    assert not is_datetime(text)
