"""The training profile: how the values that a pipeline was fitted on are distributed.

It is stored with each pipeline, so that rows that come in later can be compared with them: column by column, as the
pipeline reads them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON, TRAINING_PROFILE_KIND

from .features import Table
from .json_values import plain
from .labels import Target
from .prepared_task import PreparedTask

VERSION = 1
#: ranges of a column of numbers, with as many values in each as ties allow
N_RANGES = 10
#: levels that are counted one by one, the most frequent ones
MAX_LEVELS = 100


def store(prepared: PreparedTask) -> None:
    """Store the profile of the rows of a final pipeline as `training_profile.json` of the run, if the task has one."""
    profile = prepared.training_profile()
    if profile is not None:
        content = json.dumps(plain(profile), ensure_ascii=False, allow_nan=False).encode()
        prepared.reporter.store(
            "training_profile.json", TRAINING_PROFILE_KIND, content, "application/json", None
        )


def profile_training(table: Table, target: Target | None = None) -> JSON:
    """Return how the columns of a table and its target are distributed.

    A column of numbers (of dates: days since 1970; of durations: seconds; ordinal: places) has `edges`, the inner
    borders of its ranges, and `counts`, one more; a value on a border counts above it. A column of levels has `levels` with their counts, and `other`, the
    number of values of all others. For each, `missing` counts the rows without a value.
    """
    features = table.step.transform(table.raw)
    columns = [_feature(column, features) for column in table.columns]
    found: JSON = {
        "version": VERSION,
        "n_rows": len(table.raw),
        "columns": columns,
        "target": None,
    }
    if target is not None:
        described = (
            _levels(np.asarray(target.given, dtype=object))
            if target.labels is not None
            else _numbers(np.asarray(target.given, dtype="float64"))
        )
        found["target"] = {"name": target.name, **described}
    return found


def _feature(column: JSON, features: Any) -> JSON:
    name = f"{column['safe']}_days" if column["kind"] == "date" else column["safe"]
    is_levels = column["kind"] in ("text", "boolean")
    described = (
        _levels(features[name].to_numpy(dtype=object))
        if is_levels
        else _numbers(features[name].to_numpy("float64"))
    )
    return {"name": column["name"], "kind": column["kind"], **described}


def _numbers(numbers: Any) -> JSON:
    """Return the ranges of float64 array of shape (n_rows,) with NaN where missing."""
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return {"missing": len(numbers), "min": None, "max": None, "edges": [], "counts": [0]}
    shares = np.linspace(0, 1, N_RANGES + 1)[1:-1]
    # values of the column themselves: a border between two of them would not survive rounding
    edges = np.unique(np.quantile(known, shares, method="higher"))
    edges = edges[edges > known.min()]
    return {
        "missing": len(numbers) - len(known),
        "min": known.min(),
        "max": known.max(),
        "edges": edges.tolist(),
        "counts": count_ranges(known, edges.tolist()),
    }


def count_ranges(numbers: Any, edges: Sequence[float]) -> list[int]:
    """Return how many of the numbers are in each range, `len(edges) + 1` counts.

    `numbers` : float64 array of shape (n_values,) without NaN; `edges` : the inner borders, ascending.
    """
    places = np.searchsorted(np.asarray(edges, dtype="float64"), numbers, side="right")
    return [int(count) for count in np.bincount(places, minlength=len(edges) + 1)]


def _levels(values: Any) -> JSON:
    """Return the counts of object array of shape (n_rows,) with NaN or None where missing."""
    is_missing = np.asarray(pd.isna(values), dtype=bool)
    counts = pd.Series(values[~is_missing], dtype=object).value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return {
        "missing": int(is_missing.sum()),
        "levels": [{"value": value, "count": int(count)} for value, count in ordered[:MAX_LEVELS]],
        "other": int(sum(count for _, count in ordered[MAX_LEVELS:])),
    }
