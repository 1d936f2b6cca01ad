"""Validation of rows against an input schema."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from jupyter_pycaret_ops.common.errors import Invalid, RowsInvalid
from jupyter_pycaret_ops.server.serving.row_validation import MOST_ERRORS, RowValidator

from ...fakes.records import INPUT_SCHEMA

GOOD = INPUT_SCHEMA["example"]


def check(*rows: Any, ignore_extra: bool = False) -> tuple[list[list[Any]], list[str]]:
    return RowValidator(INPUT_SCHEMA).check(rows, ignore_extra=ignore_extra)


def test_values_are_in_the_order_of_the_schema() -> None:
    turned = dict(reversed(GOOD.items()))
    assert check(turned) == ([[1.5, 2, True, "red", "2026-01-02"]], [])


FITS: dict[str, list[Any]] = {
    "length": [1, 1.5, -3, 0, 2**62],
    "count": [1, -1, 2.0],
    "fresh": [True, False],
    "colour": ["red", ""],
    "picked": [
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04+02:00",
    ],
}
FITS_NOT: dict[str, list[Any]] = {
    "length": ["1.5", True, [], {}, 2**63, 10**30],
    "count": ["2", 2.5, True, 2**63],
    "fresh": [1, 0, "true", "false"],
    "colour": [1, True, ["red"]],
    "picked": ["yesterday", 5, "", "2026-13-01", True],
}


@pytest.mark.parametrize(
    ("column", "value"), [(name, value) for name, values in FITS.items() for value in values]
)
def test_value_of_its_type_is_accepted(column: str, value: Any) -> None:
    rows, _ = check({**GOOD, column: value})
    assert value in rows[0]


@pytest.mark.parametrize(
    ("column", "value"), [(name, value) for name, values in FITS_NOT.items() for value in values]
)
def test_value_of_another_type_is_refused_with_row_and_column(column: str, value: Any) -> None:
    with pytest.raises(RowsInvalid, match=f"row 1, column “{column}” must be") as refused:
        check(GOOD, {**GOOD, column: value})
    assert refused.value.errors is not None
    assert refused.value.errors[0]["loc"] == ["rows", 1, column]


@pytest.mark.parametrize("column", list(FITS))
def test_null_is_accepted_as_missing_value(column: str) -> None:
    rows, warnings = check({**GOOD, column: None})
    assert None in rows[0]
    assert warnings == []


@pytest.mark.parametrize("column", list(FITS))
def test_missing_column_is_refused(column: str) -> None:
    row = {name: value for name, value in GOOD.items() if name != column}
    with pytest.raises(RowsInvalid, match=f"column “{column}” is missing"):
        check(row)


def test_unknown_column_is_refused_unless_ignored() -> None:
    row = {**GOOD, "weight": 3}
    with pytest.raises(RowsInvalid, match="column “weight” is not a column"):
        check(row)
    assert check(row, ignore_extra=True) == check(GOOD)


def test_unknown_column_does_not_replace_a_missing_one() -> None:
    row = {("weight" if name == "length" else name): value for name, value in GOOD.items()}
    with pytest.raises(RowsInvalid) as refused:
        check(row)
    places = {tuple(error["loc"]) for error in refused.value.errors or ()}
    assert places == {("rows", 0, "length"), ("rows", 0, "weight")}
    with pytest.raises(RowsInvalid, match="length"):
        check(row, ignore_extra=True)


@pytest.mark.parametrize("row", [None, 1, "row", [1, 2], True])
def test_row_that_is_not_an_object_is_invalid(row: Any) -> None:
    with pytest.raises(Invalid, match="Row 1 is not an object"):
        check(GOOD, row)


def test_unseen_categories_are_warnings() -> None:
    rows, warnings = check({**GOOD, "colour": "blue"}, {**GOOD, "colour": "red"})
    assert [row[3] for row in rows] == ["blue", "red"]
    assert warnings == ["Column “colour”: 'blue' was not in the training data"]


def test_number_of_errors_is_limited() -> None:
    with pytest.raises(RowsInvalid) as refused:
        check(*[{**GOOD, "length": "x"}] * 10_000)
    assert refused.value.errors is not None
    assert len(refused.value.errors) == MOST_ERRORS


def test_json_schema_accepts_what_the_validator_accepts() -> None:
    """Except integers beyond 64 bits and dates, which JSON Schema does not distinguish."""
    schema = RowValidator(INPUT_SCHEMA).json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid(GOOD)
    for name, values in FITS.items():
        assert all(validator.is_valid({**GOOD, name: value}) for value in [*values, None])
    for name, values in FITS_NOT.items():
        for value in values:
            if not isinstance(value, int) and name != "picked":
                assert not validator.is_valid({**GOOD, name: value}), (name, value)
    assert not validator.is_valid({**GOOD, "weight": 1})
    assert schema["properties"]["colour"]["examples"] == ["red", "green"]
