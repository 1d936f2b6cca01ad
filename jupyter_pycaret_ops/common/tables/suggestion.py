"""Suggest a target and a task from the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..task_types import CLASSIFICATION, CLUSTERING, REGRESSION, TIME_SERIES

MAX_INTEGER_CLASSES = 20
#: whole numbers are classes where they are at most so many of the rows
MAX_CLASS_SHARE = 0.2

_TARGET_NAMES = (
    "target", "label", "class", "y", "outcome", "species", "type", "category", "churn", "default",
    "purchase", "price", "saleprice", "charges", "survived", "death", "response", "result", "total",
)  # fmt: skip


def suggest(columns: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Suggest target and task for a table, with the reason as a sentence.

    A series also has `index`, its column of time. `columns` are those of a preview: name, dtype, number of distinct values and of examined rows.
    """
    series = _series_columns(columns)
    if series is not None:
        time, name = series
        reason = f"“{name}” has one number for each time."
        return {"target": name, "task": TIME_SERIES.id, "reason": reason, "index": time}
    candidates = [c for c in columns if not _is_identifier(c) and c["dtype"] != "datetime"]
    if not candidates:
        return {"target": None, "task": CLUSTERING.id, "reason": "No column looks like a target."}
    name_ranks = {name: rank for rank, name in enumerate(_TARGET_NAMES)}
    by_name = [column for column in candidates if column["name"].strip().lower() in name_ranks]
    if by_name:
        target = min(by_name, key=lambda column: name_ranks[column["name"].strip().lower()])
        choice = f"“{target['name']}” is named like a target"
    else:
        target = candidates[-1]
        choice = f"“{target['name']}” is the last column"
    task, content = _task_for(target)
    return {"target": target["name"], "task": task, "reason": f"{choice} and {content}."}


def suggest_for(columns: Sequence[dict[str, Any]], target: str | None) -> dict[str, Any]:
    """Suggest the task for a chosen target as `suggest` does; no task for an unknown target."""
    if target is None:
        return suggest(columns)
    chosen = next((column for column in columns if column["name"] == target), None)
    if chosen is None:
        return {"target": target, "task": None, "reason": f"There is no column “{target}”."}
    series = _series_columns(columns)
    if series is not None and target == series[1]:
        return suggest(columns)
    task, content = _task_for(chosen)
    return {"target": target, "task": task, "reason": f"“{target}” {content}."}


def _series_columns(columns: Sequence[dict[str, Any]]) -> tuple[str, str] | None:
    """Return the column of time and the numeric column of a table of unique times and that column, else None."""
    times = [c for c in columns if c["dtype"] == "datetime" and c["distinct"] == c["examined"]]
    others = [c for c in columns if c not in times]
    if len(times) != 1 or len(others) != 1 or others[0]["dtype"] not in ("integer", "number"):
        return None
    return str(times[0]["name"]), str(others[0]["name"])


def _task_for(column: dict[str, Any]) -> tuple[str, str]:
    distinct = column["distinct"]
    if column["dtype"] in ("string", "boolean"):
        return CLASSIFICATION.id, f"has {distinct} labels"
    is_few = distinct <= MAX_INTEGER_CLASSES and distinct <= MAX_CLASS_SHARE * column["examined"]
    if column["dtype"] == "integer" and is_few:
        return CLASSIFICATION.id, f"has {distinct} whole numbers"
    if column["dtype"] == "datetime":
        return CLUSTERING.id, "has dates, which cannot be a target"
    return REGRESSION.id, "has numbers"


def _is_identifier(column: dict[str, Any]) -> bool:
    if column.get("type") in ("identifier", "constant", "empty", "text"):
        return True
    name = column["name"].strip().lower()
    is_unique = (
        column["distinct"] == column["examined"] and column["examined"] > MAX_INTEGER_CLASSES
    )
    return name in ("id", "index", "unnamed: 0") or (
        is_unique
        and column["dtype"] in ("string", "integer")
        and (name.endswith("id") or column["dtype"] == "string")
    )
