"""Detect whether a series has a season."""

from __future__ import annotations

from typing import Any

import numpy as np

#: two-sided 95 % of the normal distribution
_Z = 1.96


def has_season(values: Any, season: int) -> bool:
    """Return whether the autocorrelation at `season` steps is significant without the trend.

    `values` : float64 array of shape (n_steps,), without missing values. The test is sktime's
    `autocorrelation_seasonality_test` (Bartlett's formula), which the engine applies to the
    series itself, where a trend hides the season; here it is applied to the first differences.
    """
    changes = np.diff(values)
    steps = len(changes)
    if steps < 2 * season or np.std(changes) == 0:
        return False
    centered = changes - changes.mean()
    whole = float(np.dot(centered, centered))
    lags = np.array(
        [
            float(np.dot(centered[lag:], centered[: steps - lag])) / whole
            for lag in range(1, season + 1)
        ]
    )
    limit = _Z * np.sqrt((1 + 2 * np.sum(lags[:-1] ** 2)) / steps)
    return bool(lags[-1] > limit)
