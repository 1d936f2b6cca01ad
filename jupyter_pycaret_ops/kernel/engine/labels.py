"""Targets: labels ↔ 0..k-1 for classification, plain numbers for regression.

The engine predicts encoded integers for every target that is not 0..k-1 already, so the labels
are encoded here before the engine sees them, and decoded by the final pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from . import portable
from .event_reporter import EventReporter
from .features import quote_names
from .interfaces import Column, Frame, PlanFailed

#: a number target of more different values than this, most of them alone, is no set of classes
_MAX_NUMERIC_CLASSES = 20


@dataclass(slots=True)
class Target:
    """`encoded` is what the engine learns, `given` what the final pipeline learns.

    Classification: codes 0..k-1 and the labels themselves, `labels` in the order of the codes.
    Regression: both float64, `labels` is None.
    """

    name: str
    encoded: Any
    given: Any
    labels: list[Any] | None = None


def drop_missing_target(frame: Frame, target: str, reporter: EventReporter) -> Frame:
    """`frame` without the rows whose target is missing or infinite, index 0..n-1."""
    gone = portable.is_missing(frame[target].to_numpy(dtype=object))
    if pd.api.types.is_float_dtype(frame[target].dtype):
        numbers = frame[target].to_numpy(dtype="float64", na_value=np.nan)
        gone = gone | np.isinf(numbers)
    dropped = int(gone.sum())
    if not dropped:
        return frame
    if dropped == len(frame):
        raise PlanFailed(
            "user", f"The target “{target}” has no value in any row; choose another column."
        )
    reporter.report_data_change(
        "rows_without_target_dropped",
        f"{dropped} of {len(frame)} rows have no value in “{target}” and were left out.",
        [target],
        rows=dropped,
    )
    return frame[~gone].reset_index(drop=True)


def read_classes(series: Column, target: str, reporter: EventReporter) -> Target:
    """Labels of a target column without missing values.

    A boolean stays a boolean, `2` stays `2` (as a float too, which is how a CSV with gaps is
    read), `"2"` stays `"2"`. Raises `PlanFailed` when the column holds no classes to learn.
    """
    values = _labels_of(series, target, reporter)
    labels = sorted(set(values))
    codes_by_label = {label: code for code, label in enumerate(labels)}
    codes = np.fromiter((codes_by_label[v] for v in values), dtype="int64", count=len(values))
    counts = np.bincount(codes, minlength=len(labels))
    _check_classes(target, labels, counts, len(values))
    return Target(target, codes, portable.label_array(values), labels)


def _labels_of(series: Column, target: str, reporter: EventReporter) -> list[Any]:
    values = series.to_numpy(dtype=object)
    found = pd.api.types.infer_dtype(values, skipna=True)
    if found == "boolean":
        return [bool(v) for v in values]
    if found in {"integer", "floating", "mixed-integer-float", "decimal"}:
        numbers = values.astype("float64")
        if (numbers == np.floor(numbers)).all():
            return [int(v) for v in values]
        return numbers.tolist()  # type: ignore[no-any-return]
    if found not in {"string", "empty"}:
        reporter.report_data_change(
            "target_to_text",
            f"The values of “{target}” are of several kinds and are read as text.",
            [target],
        )
    return [portable.text_of(v) for v in values]


def _check_classes(target: str, labels: list[Any], counts: Any, rows: int) -> None:
    if len(labels) == 1:
        raise PlanFailed(
            "user",
            f"The target “{target}” has the single class “{labels[0]}”; classification needs "
            "two or more.",
        )
    is_number = not isinstance(labels[0], (bool, str))
    if is_number and len(labels) > max(_MAX_NUMERIC_CLASSES, rows // 10):
        raise PlanFailed(
            "user",
            f"The target “{target}” looks continuous ({len(labels)} different numbers in {rows} "
            "rows); use the task regression or choose a column of classes.",
        )
    alone = [label for label, count in zip(labels, counts, strict=True) if count == 1]
    if len(alone) == 1:
        raise PlanFailed(
            "user", f"Class “{alone[0]}” of {target} has 1 row; give it 2 or leave it out."
        )
    if alone:
        raise PlanFailed(
            "user",
            f"Classes {quote_names(alone)} of {target} have 1 row each; give them 2 or leave them out.",
        )


def read_numbers(series: Column, target: str, reporter: EventReporter) -> Target:
    """Numbers of a target column without missing values; numbers written as text are read.

    Raises `PlanFailed` when the column holds other text, dates, or one value only.
    """
    types = pd.api.types
    if types.is_datetime64_any_dtype(series.dtype) or types.is_timedelta64_dtype(series.dtype):
        raise PlanFailed(
            "user",
            f"The target “{target}” holds dates; regression predicts numbers, choose a numeric "
            "column.",
        )
    is_text = not types.is_numeric_dtype(series.dtype)
    numbers = pd.to_numeric(series.astype(object), errors="coerce") if is_text else series
    numbers = numbers.to_numpy(dtype="float64", na_value=np.nan)
    unread = ~np.isfinite(numbers)
    if unread.any():
        example = series[unread].iloc[0]
        raise PlanFailed(
            "user",
            f"The target “{target}” has text such as “{example}” in {int(unread.sum())} of "
            f"{len(series)} rows; regression predicts numbers: choose a numeric column, correct "
            "these rows, or use classification.",
        )
    if is_text:
        reporter.report_data_change(
            "target_to_numbers",
            f"The target “{target}” was written as text and is read as numbers.",
            [target],
        )
    if len(np.unique(numbers)) == 1:
        raise PlanFailed(
            "user",
            f"The target “{target}” is {series.iloc[0]} in every row; there is nothing to learn.",
        )
    return Target(target, numbers, numbers)
