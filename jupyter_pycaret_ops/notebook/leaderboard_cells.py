"""What the cells of a leaderboard show. Pure.

JupyterLab's panel computes the same (`labextension/src/runView/cells.ts`): both are tested with
`tests/golden`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..client.records import JSON

MISSING = "–"


def value_of(record: JSON, column: str | None) -> float | None:
    """Return the number of a record in a column, None where it has none."""
    value = record.get(column or "")
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def order(records: Sequence[JSON], metric: str | None, *, greater_is_better: bool) -> list[JSON]:
    """Return the records best first; those without a value come last, in the order that they had."""

    def key(record: JSON) -> tuple[bool, float]:
        value = value_of(record, metric)
        if value is None:
            return True, 0.0
        return False, -value if greater_is_better else value

    return sorted(records, key=key)


def decimals(records: Sequence[JSON], column: str | None) -> int:
    """Return the digits after the point for a column: four for scores, fewer for large values."""
    largest = _largest(records, column)
    return 4 if largest < 10 else max(0, 4 - math.floor(math.log10(largest)))


def value_text(value: float | None, digits: int) -> str:
    """Return a value as text; missing is a dash, never 0."""
    return MISSING if value is None else f"{value:.{digits}f}"


def bar_percent(
    record: JSON, records: Sequence[JSON], metric: str | None, *, greater_is_better: bool
) -> float:
    """Return how far the bar of a model goes, in percent of the cell.

    Bars start at zero. Scores that are at most 1 fill the cell at 1; everything else at the largest
    value.
    """
    value = value_of(record, metric) or 0.0
    largest = _largest(records, metric)
    full = 1.0 if greater_is_better and largest <= 1 else largest
    return 100 * max(0.0, value) / full if full > 0 else 0.0


def fold_range(records: Sequence[JSON]) -> tuple[float, float] | None:
    """Return the range of the folds of all models, widened to round numbers; None without folds."""
    values = [value for record in records for value in folds_of(record)]
    if not values:
        return None
    low, high = min(values), max(values)
    if low == high:
        return (low - 0.5, high + 0.5) if low else (0.0, 1.0)
    step = 10.0 ** math.floor(math.log10(high - low))
    step = step / 2 if (high - low) / step < 2 else step
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def folds_of(record: JSON) -> list[float]:
    """Return the values of the ranking metric, fold by fold, without those that failed."""
    return [value for value in record.get("folds") or [] if isinstance(value, int | float)]


def _largest(records: Sequence[JSON], column: str | None) -> float:
    return max((abs(value_of(record, column) or 0.0) for record in records), default=0.0)
