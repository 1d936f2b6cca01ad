"""The input schema: columns, types and categories of the rows that a pipeline takes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON, SCHEMA_KIND
from jupyter_pycaret_ops.common.tables.spellings import text_of, with_offset

from . import portable
from .features import Table
from .interfaces import Column, Estimator
from .json_values import plain
from .prepared_task import PreparedTask
from .serving_frame import to_frame

VERSION = 2
#: a column with more categories lists none: with a part of the list, known values would count as unseen
MAX_CATEGORIES = 200
#: number of rows searched for an example without missing values
_MAX_ROWS_SEARCHED = 1000


def store(prepared: PreparedTask, schema: JSON) -> None:
    """Store `schema` as `input_schema.json` of the run."""
    content = json.dumps(schema, ensure_ascii=False, allow_nan=False).encode()
    prepared.reporter.store("input_schema.json", SCHEMA_KIND, content, "application/json", None)


def try_example(pipeline: Estimator, schema: JSON) -> None:
    """Predict the example of `schema` as the serving kernel would; raises whatever that raises."""
    row = [schema["example"][column["name"]] for column in schema["columns"]]
    pipeline.predict(to_frame(schema, [row]))


def describe_input(
    table: Table, *, task: str, target: str | None, labels: list[Any] | None, proba: bool
) -> JSON:
    """Return the schema as plain JSON; `columns` are the user's, in the order of training.

    `labels` : the classes of a classification, None otherwise; `proba` : whether the pipeline predicts
    probabilities. The example is a row of the table.
    """
    columns = [_column(table.raw[c["name"]], c, table.types[c["name"]]) for c in table.columns]
    return {
        "version": VERSION,
        "task": task,
        "target": target,
        "columns": columns,
        "ignored": [*([target] if target is not None else []), *table.left_out],
        "labels": plain(labels),
        "example": _example(table),
        "proba": proba,
    }


def _column(series: Column, column: JSON, json_type: str) -> JSON:
    minimum: Any = None
    maximum: Any = None
    categories = None
    spelling = column["spelling"]
    if column["kind"] == "text":
        values = portable.read_text(series, spelling.get("missing_words"))
        is_missing = pd.isna(values)
        categories = sorted(set(values[~is_missing]))
        if len(categories) > MAX_CATEGORIES:
            categories = None
    elif column["kind"] == "ordinal":
        categories = [text_of(level) for level in spelling["levels"]]
        is_missing = np.isnan(portable.read_levels(series, spelling["levels"]))
    elif column["kind"] == "date":
        dates = portable.read_dates(series, spelling)
        is_missing = dates.isna()
        minimum, maximum = dates.min().isoformat(), dates.max().isoformat()
    else:
        numbers = _numbers(series, column)
        is_missing = np.isnan(numbers)
        if json_type != "boolean":
            number = int if json_type == "integer" else float
            minimum, maximum = number(np.nanmin(numbers)), number(np.nanmax(numbers))
    return {
        "name": column["name"],
        "type": json_type,
        "categories": categories,
        "min": minimum,
        "max": maximum,
        "missing": bool(is_missing.any()),
        "format": spelling.get("format"),
        "kind": column["kind"],
        "column_type": column["column_type"],
        "spelling": spelling,
    }


def _example(table: Table) -> JSON:
    head = table.raw[:_MAX_ROWS_SEARCHED]
    is_complete = table.step.transform(head).notna().all(axis=1).to_numpy()
    position = int(is_complete.argmax()) if is_complete.any() else 0
    row = head.iloc[[position]]
    return {c["name"]: _value(row[c["name"]], c, table.types[c["name"]]) for c in table.columns}


def _numbers(series: Column, column: JSON) -> Any:
    if column["kind"] == "duration":
        return portable.read_seconds(series, column["spelling"])
    return portable.read_numbers(series, column["spelling"])


def _value(series: Column, column: JSON, json_type: str) -> Any:
    kind = column["kind"]
    if kind in ("text", "ordinal"):
        return plain(portable.read_text(series, column["spelling"].get("missing_words"))[0])
    if kind == "date":
        value = series.iloc[0]
        if isinstance(value, str):
            return str(value)
        date = portable.read_dates(series, column["spelling"])[0]
        return None if pd.isna(date) else with_offset(date, column["spelling"].get("offset"))
    number = _numbers(series, column)[0]
    if np.isnan(number):
        return None
    converters: dict[str, type] = {"boolean": bool, "integer": int}
    return converters.get(json_type, float)(number)
