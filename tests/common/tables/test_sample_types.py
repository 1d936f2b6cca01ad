"""Types of the first rows are those of all rows, where the first rows have what decides."""

from __future__ import annotations

import pytest

from jupyter_pycaret_ops.common.tables.sample_types import typed_columns


@pytest.mark.parametrize(
    ("texts", "kind", "dtype"),
    [
        (["1", "2", "2"], "number", "integer"),
        (["1.5", "2", ""], "number", "number"),
        (["1.200,50", "62,50", "n/a"], "number", "number"),
        (["$1,200", "$80", "$80"], "number", "number"),
        (["007", "042", "007"], "category", "string"),
        (["yes", "no", "yes"], "boolean", "boolean"),
        (["2024-01-31", "2024-02-29", "2024-01-31"], "date", "datetime"),
        (["1:30:00", "0:10:00", "1:30:00"], "duration", "number"),
        (["None", "Apnea", "Apnea"], "category", "string"),
        (["7", "7", "7"], "constant", "integer"),
        (["a", "b", "c"], "identifier", "string"),
        (["n/a", "?", "?"], "category", "string"),
        (["", "", ""], "empty", "string"),
    ],
)
def test_types_of_a_column(texts: list[str], kind: str, dtype: str) -> None:
    (column,) = typed_columns(["x"], [[text] for text in texts])
    assert (column["type"], column["dtype"]) == (kind, dtype)


def test_other_columns_and_the_delimiter_decide_about_one_separator() -> None:
    rows = [["1,234", "0,5"], ["2,345", "1,5"]]
    assert [c["type"] for c in typed_columns(["a", "b"], rows)] == ["number", "number"]


def test_short_rows_have_missing_cells() -> None:
    columns = typed_columns(["a", "b"], [["1", "x"], ["2"], ["3", "x"], ["3", "y"]])
    assert [c["type"] for c in columns] == ["number", "category"]
