"""Transformers that scikit-learn lacks.

They are pickled by value with each pipeline (see `finalize`), and written out in the notebook of a run. So this
module imports nothing of this package, and each class stands for itself.
"""

# ruff: noqa: N803 - X is what scikit-learn calls it, and it is part of the interface
from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, clone


class FrequencyEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replaces each level by the share of the training rows that have it; 0 for an unseen one.

    A missing value is a level of its own.
    """

    def fit(self, X: Any, y: Any = None) -> FrequencyEncoder:
        """Count the levels of `X`, DataFrame of shape (n_rows, n_columns) with object columns."""
        frame = pd.DataFrame(X)
        self.n_features_in_ = frame.shape[1]
        self.shares_ = [
            frame.iloc[:, place].value_counts(normalize=True, dropna=False).to_dict()
            for place in range(frame.shape[1])
        ]
        return self

    def transform(self, X: Any) -> Any:
        """Return float64 array of shape (n_rows, n_columns)."""
        frame = pd.DataFrame(X)
        columns = [
            frame.iloc[:, place].map(shares).fillna(0.0).to_numpy("float64")
            for place, shares in enumerate(self.shares_)
        ]
        return np.column_stack(columns)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return `<column>_frequency` of each column, object array of shape (n_columns,)."""
        names = range(self.n_features_in_) if input_features is None else input_features
        return np.asarray([f"{name}_frequency" for name in names], dtype=object)


class CyclicEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Places parts of dates on a circle, so that December is next to January: sine and cosine of each.

    `periods` : the number of steps of one round, one for each column. A missing value lies in the middle.
    """

    def __init__(self, periods: list[float]) -> None:
        self.periods = periods

    def fit(self, X: Any, y: Any = None) -> CyclicEncoder:
        """Return self: nothing is learnt."""
        self.n_features_in_ = len(self.periods)
        return self

    def transform(self, X: Any) -> Any:
        """Return float64 array of shape (n_rows, 2 * n_columns): all sines, then all cosines."""
        angles = 2 * np.pi * np.asarray(X, dtype="float64") / np.asarray(self.periods)
        return np.nan_to_num(np.hstack([np.sin(angles), np.cos(angles)]), nan=0.0)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return `<column>_sin` and `<column>_cos`, object array of shape (2 * n_columns,)."""
        names = range(self.n_features_in_) if input_features is None else input_features
        return np.asarray(
            [f"{name}_{part}" for part in ("sin", "cos") for name in names], dtype=object
        )


class GroupStatistics(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Adds the minimum, maximum, mean, deviation and median of columns that belong together, for each row.

    `groups` : lists of positions. Missing values are left out; a row without any has NaN.
    """

    STATISTICS = ("min", "max", "mean", "std", "median")

    def __init__(self, groups: list[list[int]]) -> None:
        self.groups = groups

    def fit(self, X: Any, y: Any = None) -> GroupStatistics:
        """Return self: nothing is learnt."""
        self.n_features_in_ = np.asarray(X).shape[1]
        return self

    def transform(self, X: Any) -> Any:
        """Return float64 array of shape (n_rows, 5 * n_groups)."""
        values = pd.DataFrame(np.asarray(X, dtype="float64"))
        columns = []
        for group in self.groups:
            part = values.iloc[:, group]
            columns += [part.min(axis=1), part.max(axis=1), part.mean(axis=1)]
            columns += [part.std(axis=1, ddof=0), part.median(axis=1)]
        return np.column_stack(columns)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return `group_<n>_<statistic>`, object array of shape (5 * n_groups,)."""
        return np.asarray(
            [f"group_{n}_{name}" for n in range(len(self.groups)) for name in self.STATISTICS],
            dtype=object,
        )


class NamedColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Gives the columns that a `ColumnTransformer` makes as a DataFrame, with the names of the table where there are.

    `names` : the name that a column has there → the name in the table. The fitted one is `transformer_`.
    """

    def __init__(self, transformer: Any, names: dict[str, str]) -> None:
        self.transformer = transformer
        self.names = names

    def fit(self, X: Any, y: Any = None) -> NamedColumns:
        """Fit on `X`, DataFrame of shape (n_rows, n_columns), and `y` of shape (n_rows,)."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None, **options: Any) -> Any:
        """Fit and return a DataFrame of shape (n_rows, n_prepared); target encoding is cross-fitted."""
        self.transformer_ = clone(self.transformer)
        values = self.transformer_.fit_transform(X, y, **options)
        return self._named(X, values)

    def transform(self, X: Any) -> Any:
        """Return a DataFrame of shape (n_rows, n_prepared)."""
        return self._named(X, self.transformer_.transform(X))

    def _named(self, X: Any, values: Any) -> Any:
        try:
            names = [str(name) for name in self.transformer_.get_feature_names_out()]
        except (AttributeError, ValueError):  # some transformer gives no names
            names = [f"column_{place}" for place in range(values.shape[1])]
        plain = [name.partition("__")[2] or name for name in names]
        names = [
            self.names.get(short, short) if plain.count(short) == 1 else name
            for short, name in zip(plain, names, strict=True)
        ]
        return pd.DataFrame(np.asarray(values, dtype="float64"), columns=names, index=X.index)


def as_numbers(X: Any) -> Any:
    """Return columns as float64 array of shape (n_rows, n_columns)."""
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype="float64")


class CorrelationFilter(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Leaves out one of two columns that correlate: the one that correlates less with the target.

    `threshold` : the absolute Pearson correlation from which two columns count as the same.
    """

    def __init__(self, threshold: float = 0.9) -> None:
        self.threshold = threshold

    def fit(self, X: Any, y: Any = None) -> CorrelationFilter:
        """Choose columns of `X`, float array of shape (n_rows, n_columns), by target `y` of shape (n_rows,)."""
        frame = pd.DataFrame(np.asarray(X, dtype="float64"))
        self.n_features_in_ = frame.shape[1]
        between = frame.corr().abs().to_numpy()
        with_target = (
            np.zeros(len(between))
            if y is None
            else frame.corrwith(pd.Series(np.asarray(y, dtype="float64"))).abs().fillna(0)
        )
        kept: list[int] = []
        # the most telling first; of equal ones the first
        for place in np.argsort(-np.asarray(with_target), kind="stable"):
            if not any(between[place, other] >= self.threshold for other in kept):
                kept.append(int(place))
        self.kept_ = sorted(kept)
        return self

    def transform(self, X: Any) -> Any:
        """Return the columns that are kept, array of shape (n_rows, n_kept)."""
        return np.asarray(X)[:, self.kept_]

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns that are kept, object array of shape (n_kept,)."""
        names = np.arange(self.n_features_in_) if input_features is None else input_features
        return np.asarray(names, dtype=object)[self.kept_]


class NumberOfColumns:
    """The number of columns to select, for `SelectFromModel(max_features=…)`: a share of them, or at most a number."""

    def __init__(self, wanted: float) -> None:
        self.wanted = wanted

    def __call__(self, X: Any) -> int:
        """Return at least 1."""
        n_columns = int(np.asarray(X).shape[1])
        wanted = round(self.wanted * n_columns) if self.wanted < 1 else int(self.wanted)
        return min(n_columns, max(1, wanted))
