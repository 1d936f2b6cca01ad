"""What is noticed of how rows should be split: groups and time make scores of shuffled rows too good.

A quick model is scored twice for each column that may name groups, such as a patient: with shuffled rows, and with all
rows of a group in one fold. Where the first score is clearly better, new groups would be predicted worse than the folds
say. Time is looked at in the same way, for each column of dates: later rows are predicted from earlier ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables.column_cells import LEFT_OUT
from jupyter_pycaret_ops.common.tables.column_reading import ColumnReading

#: rows that the quick model looks at; of larger tables whole groups are taken
MAX_ROWS = 3_000
#: columns that are looked at, those with the fewest groups first
MAX_CANDIDATES = 4
#: columns of dates that are looked at
MAX_DATES = 2
#: features that the quick model has
MAX_FEATURES = 30
MIN_GROUPS = 10
N_FOLDS = 5
N_TREES = 20
#: standard errors by which the score with shuffled rows must be better
MIN_ERRORS = 2.0
#: and by how much at least: less misleads nobody
MIN_LEAD = 0.02


@dataclass(frozen=True, slots=True)
class GroupScores:
    """The scores of a quick model: balanced accuracy, or R²."""

    shuffled: float
    grouped: float
    #: standard error of their difference
    error: float

    @property
    def misleads(self) -> bool:
        """Whether shuffled rows make the score clearly too good."""
        lead = self.shuffled - self.grouped
        return lead > max(MIN_LEAD, MIN_ERRORS * self.error)


def candidates(readings: Mapping[str, ColumnReading], n_rows: int, target: str) -> list[str]:
    """Return the columns that may name groups: 10 to half as many levels as rows, of categories or whole numbers."""
    possible = [
        reading
        for name, reading in readings.items()
        if name != target
        and reading.type in ("category", "number", "identifier", "ordinal")
        and MIN_GROUPS <= reading.distinct <= n_rows / 2
    ]
    return [r.name for r in sorted(possible, key=lambda r: r.distinct)][:MAX_CANDIDATES]


def group_notices(
    frame: Any,
    readings: Mapping[str, ColumnReading],
    target: str,
    numbers_of: Any,
) -> list[JSON]:
    """Return a notice for each column whose groups make scores too good.

    `frame` : DataFrame of shape (n_rows, n_columns) with unique names; `readings` : how its columns are read, the
    target among them; `numbers_of` : gives the numbers of a part of a column, Series of shape (n,) and its reading →
    float64 array of shape (n,), None for columns of labels.
    """
    notices = []
    for name in candidates(readings, len(frame), target):
        groups = pd.factorize(frame[name], use_na_sentinel=False)[0]
        if _are_fractions(frame[name]):
            continue
        rows = _whole_groups(groups)
        part = frame.iloc[rows].reset_index(drop=True)
        scores = _scores(part, readings, target, [target, name], numbers_of, groups[rows])
        if scores is not None and scores.misleads:
            notices.append(group_notice(name, target, scores))
    return notices


def group_notice(column: str, target: str, scores: GroupScores) -> JSON:
    """Return the notice for a column that names groups, with the set-up parameter that keeps them together."""
    return {
        "code": "groups",
        "column": column,
        "message": f"Rows with the same “{column}” belong together: “{target}” is predicted with {scores.shuffled:.3f} "
        f"when they are in several folds, and with {scores.grouped:.3f} when they are kept together, as for new ones.",
        "setup_params": {"fold_groups": column},
        "facts": _facts(scores),
    }


def time_notices(
    frame: Any,
    readings: Mapping[str, ColumnReading],
    target: str,
    numbers_of: Any,
    in_time: Mapping[str, Any],
) -> list[JSON]:
    """Return a notice for each column of dates where the time after the rows to train on is predicted worse.

    `in_time` : column of dates → what `rows_in_time` returns of it; other arguments as of `group_notices`. Each tenth
    of the later half is predicted from all rows before it.
    """
    notices = []
    dates = [name for name, r in readings.items() if r.type == "date" and r.distinct >= MIN_GROUPS]
    for name in [one for one in dates if one != target][:MAX_DATES]:
        part = frame.iloc[in_time[name]].reset_index(drop=True)
        scores = _scores(part, readings, target, [target], numbers_of)
        if scores is not None and scores.misleads:
            notices.append(time_notice(name, target, scores))
    return notices


def rows_in_time(times: Any) -> Any:
    """Return positions of at most `MAX_ROWS` rows in the order of their times, int64 array.

    `times` : float64 array of shape (n_rows,); rows without a time are left out.
    """
    rows = np.flatnonzero(np.isfinite(times))
    if len(rows) > MAX_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MAX_ROWS, replace=False))
    return rows[np.argsort(times[rows], kind="stable")]


def time_notice(column: str, target: str, scores: GroupScores) -> JSON:
    """Return the notice for a column of dates, with the set-up parameter that splits rows by time."""
    return {
        "code": "drift",
        "column": column,
        "message": f"“{target}” changes with “{column}”: it is predicted with {scores.shuffled:.3f} when rows are "
        f"shuffled, and with {scores.grouped:.3f} in the time after those that the model has learnt from.",
        "setup_params": {"fold_time": column},
        "facts": _facts(scores),
    }


def _facts(scores: GroupScores) -> JSON:
    return {
        "shuffled": round(scores.shuffled, 4),
        "grouped": round(scores.grouped, 4),
        "standard_error": round(scores.error, 4),
    }


def _are_fractions(series: Any) -> bool:
    """Return whether a column holds numbers that are not whole: these name no groups."""
    if not pd.api.types.is_float_dtype(series.dtype):
        return False
    values = series.to_numpy("float64")
    values = values[np.isfinite(values)]
    return bool((values % 1).any())


def _whole_groups(groups: Any) -> Any:
    """Return positions of whole groups, at most about `MAX_ROWS`, int64 array."""
    if len(groups) <= MAX_ROWS:
        return np.arange(len(groups))
    order = np.random.default_rng(0).permutation(int(groups.max()) + 1)
    counts = np.bincount(groups)[order]
    chosen = order[: max(2 * N_FOLDS, int(np.searchsorted(counts.cumsum(), MAX_ROWS)))]
    rows = np.flatnonzero(np.isin(groups, chosen))
    return rows[:MAX_ROWS]


def _scores(
    part: Any,
    readings: Mapping[str, ColumnReading],
    target: str,
    without: Sequence[str],
    numbers_of: Any,
    groups: Any = None,
) -> GroupScores | None:
    """Return the scores with shuffled rows and by `groups`, or without groups in the order of the rows.

    `without` : columns that are no features; `groups` : int64 array of shape (n_rows,).
    """
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
    from sklearn.model_selection import (
        GroupKFold,
        KFold,
        StratifiedGroupKFold,
        StratifiedKFold,
        TimeSeriesSplit,
    )

    truth = numbers_of(part[target], readings[target])
    is_label = truth is None or readings[target].distinct <= MIN_GROUPS
    if is_label:
        truth = pd.factorize(part[target], use_na_sentinel=False)[0]
        known = np.bincount(truth)[truth] >= N_FOLDS
    else:
        known = np.isfinite(truth)
    features = _features(part, readings, without, numbers_of)
    if features is None or known.sum() < 4 * N_FOLDS:
        return None
    x, y = features[known], truth[known]
    if len(np.unique(y)) < 2:
        return None
    g = None if groups is None else groups[known]
    if g is not None and len(np.unique(g)) < MIN_GROUPS:
        return None
    kind = ExtraTreesClassifier if is_label else ExtraTreesRegressor
    model = kind(n_estimators=N_TREES, min_samples_leaf=1, random_state=0, n_jobs=1)
    shuffled: Any = (StratifiedKFold if is_label else KFold)(N_FOLDS, shuffle=True, random_state=0)
    if g is None:
        apart: Any = TimeSeriesSplit(N_FOLDS, test_size=len(x) // (2 * N_FOLDS))
    else:
        apart = StratifiedGroupKFold(N_FOLDS) if is_label else GroupKFold(N_FOLDS)
    try:
        alone = _fold_scores(model, x, y, shuffled.split(x, y), is_label=is_label)
        by_chance = 1 / len(np.unique(y)) if is_label else 0.0
        if alone.mean() <= by_chance + MIN_LEAD:
            return None  # the columns say nothing, which no score makes too good
        together = _fold_scores(model, x, y, apart.split(x, y, g), is_label=is_label)
    except ValueError:  # too few rows of a label in a fold
        return None
    if not (np.isfinite(alone).all() and np.isfinite(together).all()):
        return None
    error = np.sqrt((alone.var(ddof=1) + together.var(ddof=1)) / N_FOLDS)
    return GroupScores(float(alone.mean()), float(together.mean()), float(error))


def _fold_scores(model: Any, x: Any, y: Any, splits: Any, *, is_label: bool) -> Any:
    """Return the score of each fold, float64 array of shape (n_folds,).

    It is the mean recall of the labels, or the share of the variance that is explained.
    """
    scores = []
    for train, test in splits:
        predicted, truth = model.fit(x[train], y[train]).predict(x[test]), y[test]
        if is_label:
            recalls = [(predicted[truth == label] == label).mean() for label in np.unique(truth)]
            scores.append(np.mean(recalls))
        else:
            # of all rows: those of one group or stretch may hardly differ among themselves
            error = ((truth - predicted) ** 2).mean()
            scores.append(1 - error / y.var() if y.var() else np.nan)
    return np.asarray(scores, dtype="float64")


def _features(
    part: Any, readings: Mapping[str, ColumnReading], without: Sequence[str], numbers_of: Any
) -> Any:
    """Return the columns that models would get, as float64 array of shape (n_rows, n_features); None without any."""
    used = [r for r in readings.values() if r.name not in without and r.type not in LEFT_OUT]
    columns = []
    for reading in used[:MAX_FEATURES]:
        numbers = numbers_of(part[reading.name], reading)
        if numbers is None:
            codes = pd.factorize(part[reading.name].astype(object), use_na_sentinel=False)[0]
            numbers = codes.astype("float64")
        columns.append(np.where(np.isfinite(numbers), numbers, -1.0))
    return np.column_stack(columns) if columns else None
