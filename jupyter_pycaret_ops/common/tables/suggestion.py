"""Suggest a target and a task from the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..task_types import CLASSIFICATION, CLUSTERING, REGRESSION, TIME_SERIES

FEW_CLASSES = 20

_TARGET_NAMES = (
    "target", "label", "class", "y", "outcome", "species", "type", "category", "churn", "default",
    "purchase", "price", "saleprice", "charges", "survived", "death", "response", "result", "total",
)  # fmt: skip


def suggest(columns: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A target and a task for a table, with the sentence behind it.

    `columns` are those of a preview: name, dtype, distinct values in the sample, rows examined.
    """
    numbers = _series(columns)
    if numbers is not None:
        reason = f"“{numbers}” holds one number for each time."
        return {"target": numbers, "task": TIME_SERIES.id, "reason": reason}
    candidates = [c for c in columns if not _is_id(c) and c["dtype"] != "datetime"]
    if not candidates:
        return {"target": None, "task": CLUSTERING.id, "reason": "No column looks like a target."}
    named = {name: place for place, name in enumerate(_TARGET_NAMES)}
    by_name = [column for column in candidates if column["name"].strip().lower() in named]
    if by_name:
        target = min(by_name, key=lambda column: named[column["name"].strip().lower()])
        why = f"“{target['name']}” is named like a target"
    else:
        target = candidates[-1]
        why = f"“{target['name']}” is the last column"
    task, kind = _task_for(target)
    return {"target": target["name"], "task": task, "reason": f"{why} and {kind}."}


def suggest_for(columns: Sequence[dict[str, Any]], target: str | None) -> dict[str, Any]:
    """As `suggest`, for a target that somebody has chosen; one that is not there suggests no task."""
    if target is None:
        return suggest(columns)
    chosen = next((column for column in columns if column["name"] == target), None)
    if chosen is None:
        return {"target": target, "task": None, "reason": f"There is no column “{target}”."}
    if target == _series(columns):
        return suggest(columns)
    task, kind = _task_for(chosen)
    return {"target": target, "task": task, "reason": f"“{target}” {kind}."}


def _series(columns: Sequence[dict[str, Any]]) -> str | None:
    """The column of numbers in a table of nothing but times, each once, and numbers."""
    times = [c for c in columns if c["dtype"] == "datetime" and c["distinct"] == c["examined"]]
    others = [c for c in columns if c not in times]
    if len(times) != 1 or len(others) != 1 or others[0]["dtype"] not in ("integer", "number"):
        return None
    return str(others[0]["name"])


def _task_for(column: dict[str, Any]) -> tuple[str, str]:
    distinct = column["distinct"]
    if column["dtype"] in ("string", "boolean"):
        return CLASSIFICATION.id, f"holds {distinct} labels"
    if column["dtype"] == "integer" and distinct <= FEW_CLASSES:
        return CLASSIFICATION.id, f"holds {distinct} whole numbers"
    if column["dtype"] == "datetime":
        return CLUSTERING.id, "holds dates, which cannot be a target"
    return REGRESSION.id, "holds numbers"


def _is_id(column: dict[str, Any]) -> bool:
    name = column["name"].strip().lower()
    every_row_differs = (
        column["distinct"] == column["examined"] and column["examined"] > FEW_CLASSES
    )
    return name in ("id", "index", "unnamed: 0") or (
        every_row_differs
        and column["dtype"] in ("string", "integer")
        and (name.endswith("id") or column["dtype"] == "string")
    )
