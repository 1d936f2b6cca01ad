"""Columns that set-up parameters name: each exists, and only one parameter says how it is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

#: parameters that say how a column is read, or that it is not: a column may be in one of them
EXCLUSIVE = (
    "column_types",
    "numeric_features",
    "categorical_features",
    "text_features",
    "ordinal_features",
    "date_features",
    "ignore_features",
)
#: parameters that name columns; `missing_values` only where it is by column
NAMING = (*EXCLUSIVE, "keep_features", "missing_values")
#: parameters that name one column
NAMING_ONE = ("fold_groups", "fold_time", "fold_column", "sample_weight")
MAX_LISTED = 20


class ColumnFault(NamedTuple):
    """A column that a parameter should not name, and why."""

    param: str
    column: str
    message: str


def named_columns(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each parameter with each column that it names; values of a wrong form name none."""
    for param in NAMING_ONE:
        if isinstance(params.get(param), str):
            yield param, params[param]
    for param in NAMING:
        value = params.get(param)
        if isinstance(value, dict) or (isinstance(value, list) and param != "missing_values"):
            yield from ((param, name) for name in value if isinstance(name, str))


def column_faults(
    params: Mapping[str, Any], columns: Collection[str] | None
) -> Iterator[ColumnFault]:
    """Yield what is wrong with the columns named; `columns` are those of the data, None where unknown."""
    known = None if columns is None else set(columns)
    first: dict[str, str] = {}
    for param, name in named_columns(params):
        if known is not None and columns is not None and name not in known:
            listed = ", ".join(f"“{column}”" for column in list(columns)[:MAX_LISTED])
            message = f"{param} names “{name}”, which the data do not have; they have: {listed}."
            yield ColumnFault(param, name, message)
        if param in EXCLUSIVE and first.setdefault(name, param) != param:
            message = f"“{name}” is named in {first[name]} and in {param}; name it once."
            yield ColumnFault(param, name, message)


def with_stored_types(params: dict[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    """Return set-up parameters with the types that are stored with the data below those of the run."""
    decided = {name for param, name in named_columns(params) if param in EXCLUSIVE}
    stored = {name: kind for name, kind in types.items() if name not in decided}
    if not stored:
        return params
    return {**params, "column_types": {**stored, **(params.get("column_types") or {})}}
