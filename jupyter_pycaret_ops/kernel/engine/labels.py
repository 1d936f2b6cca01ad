"""Targets: labels encoded as 0 … k - 1 for classification, float64 for regression.

The engine predicts integer codes for every target that is not 0 … k - 1 already. So the labels are
encoded here before the engine gets them, and decoded by the final pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.tables.column_reading import ColumnReading
from jupyter_pycaret_ops.common.tables.spellings import MISSING_TEXTS, folded, text_of, trimmed

from . import portable
from .event_reporter import EventReporter
from .features import quote_names
from .interfaces import Column, Frame, PlanFailed

#: a numeric target with more distinct values is continuous, unless each has many rows
_MAX_NUMERIC_CLASSES = 20


@dataclass(slots=True)
class Target:
    """A target column, for the engine (`encoded`) and for the final pipeline (`given`).

    Both are arrays of shape (n_rows,). Classification: int64 codes 0 … k - 1 and the labels themselves;
    `labels` is in the order of the codes. Regression: both are float64, `labels` is None.
    """

    name: str
    encoded: Any
    given: Any
    labels: list[Any] | None = None


def drop_missing_target(
    frame: Frame,
    target: str,
    reading: ColumnReading,
    reporter: EventReporter,
    *,
    is_label: bool,
) -> Frame:
    """Return `frame` without the rows whose target is missing or infinite; the others keep their index.

    `is_label` : the target holds labels, of which `None`, `NA` and the like are labels as any other; otherwise it
    holds numbers, and rows whose target is no number are left out where `reading` takes the others as numbers.
    Raises `PlanFailed` when no row is left.
    """
    series = frame[target]
    if is_label or reading.type == "number":
        for item in reading.reported:
            reporter.report_data_change(item["code"], item["message"], [target])
    is_dropped = portable.is_missing(series.to_numpy(dtype=object))
    if pd.api.types.is_float_dtype(series.dtype):
        numbers = series.to_numpy(dtype="float64", na_value=np.nan)
        is_dropped = is_dropped | np.isinf(numbers)
    own = reading.spelling.get("missing_words")
    if reading.type == "number" and not is_label:
        numbers = portable.read_numbers(series, reading.spelling, strict=False)
        is_dropped = is_dropped | np.isnan(numbers)
    elif own is not None or not pd.api.types.is_numeric_dtype(series.dtype):
        words = MISSING_TEXTS if own is None else frozenset(own)
        texts = [trimmed(text_of(value)) for value in series]
        is_dropped = is_dropped | np.array([not t or t in words for t in texts], dtype=bool)
    n_dropped = int(is_dropped.sum())
    if not n_dropped:
        return frame
    if n_dropped == len(frame):
        raise PlanFailed(
            "user", f"The target “{target}” has no value in any row; choose another column."
        )
    reporter.report_data_change(
        "rows_without_target_dropped",
        f"{n_dropped} of {len(frame)} rows have no value in “{target}” and were left out.",
        [target],
        rows=n_dropped,
    )
    return frame[~is_dropped]


def merge_levels(series: Column, target: str, reporter: EventReporter) -> Column:
    """Return a target without missing values with levels that differ by case or blanks only as one.

    Each gets the most frequent spelling of its kind, of two equally frequent ones the first in the table.
    """
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series
    counts = series.astype(object).map(lambda v: trimmed(text_of(v))).value_counts(sort=False)
    spellings: dict[str, str] = {}
    for text in sorted(counts.index, key=lambda text: -counts[text]):
        spellings.setdefault(folded(text), text)
    merged = {
        value: spellings[folded(text_of(value))]
        for value in pd.unique(series.astype(object))
        if spellings[folded(text_of(value))] != value
    }
    if not merged:
        return series
    shown = ", ".join(f"“{old}” as “{new}”" for old, new in list(merged.items())[:5])
    reporter.report_data_change(
        "levels_merged",
        f"Classes of “{target}” that differ by case or blanks only are one: {shown}.",
        [target],
        merged={text_of(old): new for old, new in merged.items()},
    )
    return series.astype(object).replace(merged)


#: labels that are the positive one of two, in any case
_POSITIVE = ("yes", "true", "1", "positive")


def _ordered(values: list[Any], target: str, positive: Any) -> list[Any]:
    """Return the labels in order; of two the positive one comes last, as metrics expect it."""
    labels = sorted(set(values))
    named = [label for label in labels if _is_label(label, positive)]
    if positive is not None and not named:
        listed = ", ".join(f"“{label}”" for label in labels[:20])
        raise PlanFailed(
            "user", f"positive_class names “{positive}”, which is no label of “{target}”: {listed}."
        )
    if len(labels) != 2:
        if positive is not None:
            raise PlanFailed(
                "user",
                f"positive_class is for two labels; “{target}” has {len(labels)}. Leave it out.",
            )
        return labels
    if not named:
        named = [label for label in labels if text_of(label).lower() in _POSITIVE]
    if not named:
        counts = [values.count(label) for label in labels]
        named = [labels[0]] if counts[0] < counts[1] else [labels[1]]
    return sorted(labels, key=lambda label: label == named[-1])


def _is_label(label: Any, given: Any) -> bool:
    return given is not None and text_of(label) == text_of(given)


def read_classes(
    series: Column, target: str, reporter: EventReporter, positive: Any = None
) -> Target:
    """Read the classes of a target column without missing values, Series of shape (n_rows,).

    `positive` : the label of two that metrics are about, None for the usual choice.

    A boolean stays a boolean, `2` stays `2` (as a float too, which is how a CSV with gaps is
    read), `"2"` stays `"2"`. Raises `PlanFailed` when the column has a single class, a
    class of one row, or is continuous.
    """
    values = _read_labels(series, target, reporter)
    labels = _ordered(values, target, positive)
    codes_by_label = {label: code for code, label in enumerate(labels)}
    codes = np.fromiter((codes_by_label[v] for v in values), dtype="int64", count=len(values))
    counts = np.bincount(codes, minlength=len(labels))
    _check_classes(target, labels, counts, len(values))
    return Target(target, codes, portable.label_array(values), labels)


def drop_rare_classes(frame: Frame, target: str, reporter: EventReporter) -> Frame:
    """Return `frame` without the rows whose class has no other row; the others keep their index.

    The target has no missing values.
    """
    texts = frame[target].astype(object).map(lambda value: trimmed(text_of(value)))
    is_rare = texts.map(texts.value_counts()).eq(1).to_numpy()
    if not is_rare.any() or is_rare.all():
        return frame
    rare = list(texts[is_rare])
    reporter.report_data_change(
        "rare_classes_dropped",
        f"Classes of “{target}” that have one row only were left out: {quote_names(rare)}.",
        [target],
        classes=rare,
        rows=int(is_rare.sum()),
    )
    return frame[~is_rare]


def _read_labels(series: Column, target: str, reporter: EventReporter) -> list[Any]:
    values = series.to_numpy(dtype=object)
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    if inferred == "boolean":
        return [bool(v) for v in values]
    if inferred == "string" and {v.strip().lower() for v in values} == {"true", "false"}:
        return [v.strip().lower() == "true" for v in values]
    if inferred in {"integer", "floating", "mixed-integer-float", "decimal"}:
        numbers = values.astype("float64")
        if (numbers == np.floor(numbers)).all():
            return [int(v) for v in values]
        return numbers.tolist()  # type: ignore[no-any-return]
    if inferred not in {"string", "empty"}:
        reporter.report_data_change(
            "target_to_text",
            f"The values of “{target}” have several types and are read as text.",
            [target],
        )
    return [text_of(v) for v in values]


def _check_classes(target: str, labels: list[Any], counts: Any, n_rows: int) -> None:
    if len(labels) == 1:
        raise PlanFailed(
            "user",
            f"The target “{target}” has the single class “{labels[0]}”; classification needs "
            "two or more.",
        )
    is_number = not isinstance(labels[0], (bool, str))
    if is_number and len(labels) > max(_MAX_NUMERIC_CLASSES, n_rows // 10):
        raise PlanFailed(
            "user",
            f"The target “{target}” looks continuous ({len(labels)} different numbers in {n_rows} "
            "rows); use the task regression or choose a column of classes.",
        )
    single_row = [label for label, count in zip(labels, counts, strict=True) if count == 1]
    if len(single_row) == 1:
        raise PlanFailed(
            "user",
            f"Class “{single_row[0]}” of {target} has 1 row; give it 2, or leave it out with drop_rare_classes: true.",
        )
    if single_row:
        raise PlanFailed(
            "user",
            f"Classes {quote_names(single_row)} of {target} have 1 row each; give them 2, or leave them out with "
            "drop_rare_classes: true.",
        )


def read_numbers(
    series: Column, target: str, reading: ColumnReading, reporter: EventReporter
) -> Target:
    """Read a numeric target column without missing values, Series of shape (n_rows,).

    Numbers written as text are read as `reading` says. Raises `PlanFailed` for other texts, dates, or a constant
    column.
    """
    types = pd.api.types
    if types.is_datetime64_any_dtype(series.dtype) or types.is_timedelta64_dtype(series.dtype):
        raise PlanFailed(
            "user",
            f"The target “{target}” holds dates; regression predicts numbers, choose a numeric "
            "column.",
        )
    is_text = not types.is_numeric_dtype(series.dtype)
    if is_text:
        numbers = portable.read_numbers(series.astype(object), reading.spelling, strict=False)
    else:
        numbers = series.to_numpy(dtype="float64", na_value=np.nan)
    is_invalid = ~np.isfinite(numbers)
    if is_invalid.any():
        example = series[is_invalid].iloc[0]
        raise PlanFailed(
            "user",
            f"The target “{target}” has text such as “{example}” in {int(is_invalid.sum())} of "
            f"{len(series)} rows; regression predicts numbers: choose a numeric column, correct "
            "these rows, or use classification.",
        )
    if is_text:
        reporter.report_data_change(
            "target_to_numbers",
            f"The target “{target}” was written as text and is read as numbers.",
            [target],
            spelling=reading.spelling,
        )
    if len(np.unique(numbers)) == 1:
        raise PlanFailed(
            "user",
            f"The target “{target}” is {series.iloc[0]} in every row; there is nothing to learn.",
        )
    return Target(target, numbers, numbers)
