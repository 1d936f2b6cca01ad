"""Validation of rows against the input schema of a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

from ...common.errors import FieldError, Invalid, RowsInvalid
from ...common.tables import spellings
from ...common.task_types import TASK_TYPES

MOST_ERRORS = 20
MOST_WARNINGS = 20
#: characters of a value or a name from a request, in messages
LONGEST_QUOTED = 200
INT64 = 2**63


def _is_number(value: Any) -> bool:
    return type(value) is float or (type(value) is int and abs(value) < INT64)


def _is_integer(value: Any) -> bool:
    return (type(value) is int and abs(value) < INT64) or (
        type(value) is float and value.is_integer()
    )


def _is_boolean(value: Any) -> bool:
    return type(value) is bool


def _is_string(value: Any) -> bool:
    return type(value) is str


def _is_datetime(value: Any) -> bool:
    if type(value) is not str:
        return False
    for parse in (datetime.fromisoformat, date.fromisoformat):
        try:
            parse(value)
        except ValueError:
            continue
        return True
    return False


CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "number": (_is_number, "a number"),
    "integer": (_is_integer, "a whole number"),
    "boolean": (_is_boolean, "true or false"),
    "string": (_is_string, "a text"),
    "datetime": (_is_datetime, "a date or time as ISO 8601 text"),
}


def _check_of(column: dict[str, Any]) -> tuple[Callable[[Any], bool], str]:
    """Return the check of a column's values, and what it expects in words.

    Pipelines that know how their table was spelled take its spelling as well: `"1.200,50"` for 1200.5.
    """
    is_type, expected = CHECKS[column["type"]]
    spelling = column.get("spelling")
    if spelling is None:
        return is_type, expected
    words = spelling.get("missing_words")
    missing = None if words is None else frozenset(words)
    reads: Callable[[str], bool] | None = {
        "number": lambda text: spellings.number_of(text, spelling) is not None,
        "boolean": lambda text: spellings.parse_boolean(text) is not None,
        "duration": lambda text: spellings.seconds_of(text) is not None,
        "date": lambda text: spellings.date_of(text, spelling) is not None,
    }.get(column["kind"])
    # levels that are numbers: `2`, `2.0` and `"2"` are the same
    if spelling.get("numbers") or column["kind"] == "ordinal":
        return lambda value: _is_string(value) or _is_number(value), expected
    if reads is None:
        return is_type, expected
    read = reads

    def check(value: Any) -> bool:
        if type(value) is not str:
            return is_type(value)
        text = spellings.trimmed(value)
        return spellings.is_missing_word(text, is_text=False, words=missing) or read(text)

    return check, f"{expected}, or a text that means one in the spelling of the training data"


def _level_of(value: Any) -> str:
    text = spellings.trimmed(spellings.text_of(value))
    return text if type(value) is str else spellings.number_text(text)


JSON_TYPES: dict[str, dict[str, Any]] = {
    "number": {"type": ["number", "null"]},
    "integer": {"type": ["integer", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "string": {"type": ["string", "null"]},
    "datetime": {"type": ["string", "null"], "format": "date-time"},
}


class RowValidator:
    """Validate rows against the input schema of one pipeline."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self.names: list[str] = [column["name"] for column in schema["columns"]]
        task = TASK_TYPES.get(schema.get("task", ""))
        #: each row is a step of a forecast
        self._are_steps = task is not None and task.rows_are_steps
        #: columns of the training data that the pipeline does not use are taken and ignored
        self._known = frozenset([*self.names, *schema.get("ignored", ())])
        #: columns of times that are in an offset from UTC
        self._offsets: dict[str, dict[str, Any]] = {
            column["name"]: column["spelling"]
            for column in schema["columns"]
            if column.get("kind") == "date" and column["spelling"].get("offset") is not None
        }
        self._columns = [
            (
                column["name"],
                *_check_of(column),
                frozenset(column["categories"]) if column.get("categories") else None,
            )
            for column in schema["columns"]
        ]

    def check(
        self, rows: Sequence[Any], *, ignore_extra: bool
    ) -> tuple[list[list[Any]], list[str]]:
        """Return the values of the rows, shape (n_rows, n_columns) in the order of the schema, and warnings.

        In forecasts each row starts with its step 1, 2, 3, …, so that several requests can be predicted in one
        batch.

        Raises
        ------
        Invalid
            When a row is not an object.
        RowsInvalid
            With each missing column, wrong type and unknown column.
        """
        errors: list[FieldError] = []
        unseen: dict[str, Any] = {}
        without_offset: dict[str, Any] = {}
        validated = []
        for index, row in enumerate(rows):
            if type(row) is not dict:
                raise Invalid(
                    f"Row {index} is not an object. Rows are objects of columns and values.",
                    errors=[{"loc": ["rows", index], "msg": "must be an object"}],
                )
            values = self._check_row(index, row, errors, unseen, ignore_extra=ignore_extra)
            for name, spelling in self._offsets.items():
                if name not in without_offset and _lacks_offset(row.get(name), spelling):
                    without_offset[name] = row[name]
            validated.append([index + 1, *values] if self._are_steps else values)
            if len(errors) >= MOST_ERRORS:
                break
        if errors:
            first = errors[0]
            where = f"row {first['loc'][1]}, column “{first['loc'][2]}”"
            raise RowsInvalid(
                f"The rows do not fit the pipeline: {where} {first['msg']}.", errors=errors
            )
        warnings = [
            f"Column “{name}”: {_shortened(repr(value))} was not in the training data"
            for name, value in list(unseen.items())[:MOST_WARNINGS]
        ]
        warnings += [
            f"Column “{name}”: {_shortened(repr(value))} has no offset from UTC and is read in that of the "
            f"training data, {offset_text(self._offsets[name]['offset'])}"
            for name, value in list(without_offset.items())[:MOST_WARNINGS]
        ]
        return validated, warnings

    def _check_row(
        self,
        index: int,
        row: dict[str, Any],
        errors: list[FieldError],
        unseen: dict[str, Any],
        *,
        ignore_extra: bool,
    ) -> list[Any]:
        values = []
        for name, is_type, expected, categories in self._columns:
            try:
                value = row[name]
            except KeyError:
                errors.append({"loc": ["rows", index, name], "msg": "is missing"})
                continue
            if value is not None:
                if not is_type(value):
                    errors.append({"loc": ["rows", index, name], "msg": f"must be {expected}"})
                elif categories is not None and _level_of(value) not in categories:
                    unseen.setdefault(name, value)
            values.append(value)
        if not ignore_extra and len(row) != len(values):
            errors.extend(
                {"loc": ["rows", index, _shortened(name)], "msg": "is not a column of the pipeline"}
                for name in islice((name for name in row if name not in self._known), MOST_ERRORS)
            )
        return values

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one row."""
        properties: dict[str, Any] = {}
        for column in self._schema["columns"]:
            item = dict(JSON_TYPES[column["type"]])
            if column.get("categories"):
                item["examples"] = column["categories"][:20]
            if column.get("min") is not None and column.get("max") is not None:
                item["description"] = f"seen from {column['min']} to {column['max']}"
            properties[column["name"]] = item
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": self.names,
            "additionalProperties": False,
        }


def _lacks_offset(value: Any, spelling: dict[str, Any]) -> bool:
    """Return whether a value is a time without an offset from UTC."""
    if type(value) is not str:
        return False
    found = spellings.date_of(spellings.trimmed(value), spelling)
    return found is not None and found.offset is None


def offset_text(minutes: int) -> str:
    """Return an offset from UTC as ISO 8601 writes it: `+02:00`."""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}…"
