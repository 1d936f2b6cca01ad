"""Count the rows of a table that repeat an earlier one, column by column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .distinct_texts import DistinctTexts

_ODD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)


class RepeatedRows:
    """Counts repeated rows as `DataFrame.duplicated` does, without a copy of all columns.

    Rows that are equal have the same hash. Only rows whose hash another row has as well are compared.
    """

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self._hashes = np.zeros(len(frame), dtype="uint64")
        self._is_comparable = True

    def add(self, series: Any, texts: DistinctTexts | None = None) -> None:
        """Take the values of a column into account; `texts` : those of a column of texts."""
        try:
            values = _same_for_equal(series) if texts is None else texts.codes.astype("uint64")
        except TypeError:  # lists and other values that cannot be compared
            self._is_comparable = False
            return
        values *= _ODD
        values ^= values >> _SHIFT
        self._hashes *= _ODD
        self._hashes ^= values
        self._hashes ^= self._hashes >> _SHIFT

    def count(self) -> int | None:
        """Return how many rows repeat an earlier one; None where values cannot be compared."""
        if not self._is_comparable:
            return None
        ordered = np.sort(self._hashes)
        repeated = ordered[1:][ordered[1:] == ordered[:-1]]
        if not len(repeated):
            return 0
        candidates = self._frame[np.isin(self._hashes, repeated)]
        return int(candidates.duplicated().sum())


def _same_for_equal(series: Any) -> Any:
    """Return numbers that are the same for equal values, uint64 array of shape (n_rows,).

    Raises TypeError where values cannot be compared.
    """
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iub":
        return series.to_numpy().astype("int64").view("uint64")
    if dtype == "float64":
        values = series.to_numpy() + 0.0  # -0.0 is 0.0
        values[np.isnan(values)] = np.nan  # one of many
        return values.view("uint64")
    codes, _ = pd.factorize(series)
    return codes.astype("int64").view("uint64")
