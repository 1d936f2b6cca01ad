"""Validation: which rows are held out, and how the others are cut into folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import HOLDOUT_PARAM, JSON
from jupyter_pycaret_ops.common.tables.column_reading import ColumnReading

from . import portable
from .interfaces import Column, Frame, PlanFailed
from .parameters import Param
from .scoring.custom import scorer_names

_NAME: JSON = {"type": ["string", "null"]}
_STRATEGIES = (
    *("stratifiedkfold", "kfold", "groupkfold", "stratifiedgroupkfold"),
    *("timeseries", "predefined"),
)
VALIDATION_PARAMS = [
    Param(
        "fold_strategy",
        {"type": ["string", "null"], "enum": [None, *_STRATEGIES]},
        None,
        "How rows are cut into folds: by default with the same share of each label in each, and rows of a group "
        "together where fold_groups names one.",
    ),
    Param(
        "fold_groups",
        _NAME,
        None,
        "The column whose rows belong together, such as a patient: they are in one fold, or all held out.",
    ),
    Param(
        "fold_time",
        _NAME,
        None,
        "The column of time for the strategy timeseries: models learn from earlier rows and are scored on later ones.",
    ),
    Param(
        "fold_column",
        _NAME,
        None,
        "The column of numbers for the strategy predefined: each number is a fold.",
    ),
    Param(
        "fold_shuffle", {"type": "boolean"}, True, "Shuffle rows before they are cut into folds."
    ),
    Param(
        "data_split_shuffle",
        {"type": "boolean"},
        True,
        "Shuffle rows before some are held out; else the last ones are.",
    ),
    Param(
        "data_split_stratify",
        {"type": "boolean"},
        True,
        "Hold out the same share of each label.",
    ),
    Param(
        "sample_weight",
        _NAME,
        None,
        "The column that says how much a row counts, in fits and in metrics.",
    ),
    Param(
        HOLDOUT_PARAM,
        _NAME,
        None,
        "A data source with the same columns to hold out, in place of a part of the rows.",
    ),
    Param(
        "custom_metrics",
        {"type": "array", "items": {"type": "string", "enum": scorer_names()}},
        [],
        "Further metrics, by the names of scikit-learn's scorers, such as f1_macro or neg_mean_poisson_deviance; in a "
        "notebook also by the names of variables that make_scorer made.",
    ),
]
NAMES = frozenset(param.name for param in VALIDATION_PARAMS)
#: parameters that name a column, which is no feature then
_COLUMNS = ("fold_groups", "fold_time", "fold_column", "sample_weight")


def column_params(settings: JSON) -> dict[str, str]:
    """Return parameter → column of the parameters of validation that name one."""
    return {name: settings[name] for name in _COLUMNS if settings.get(name) is not None}


@dataclass(frozen=True, slots=True)
class Validation:
    """How a table of `n_rows` rows is split.

    `groups` : int64 array of shape (n_rows,), the same number for rows that belong together; `order` : int64 array of
    shape (n_rows,), rows from the earliest to the latest; `folds` : int64 array of shape (n_rows,), the fold of each
    row; `weights` : float64 array of shape (n_rows,); `held` : which rows are held out, bool array of shape (n_rows,).
    Each is None where it is not asked for. `spellings` : column → type and spelling of those that are texts.
    """

    settings: JSON
    is_label: bool
    groups: Any = None
    order: Any = None
    folds: Any = None
    weights: Any = None
    held: Any = None
    spellings: JSON = field(default_factory=dict)

    @property
    def strategy(self) -> str:
        """The strategy as used, one of `fold_strategy`."""
        asked = self.settings["fold_strategy"]
        if asked is not None:
            return str(asked)
        if self.groups is not None:
            return "stratifiedgroupkfold" if self.is_label else "groupkfold"
        if self.order is not None:
            return "timeseries"
        if self.folds is not None:
            return "predefined"
        return "stratifiedkfold" if self.is_label else "kfold"

    @property
    def is_default(self) -> bool:
        """Whether the engine's own split and folds are the same."""
        settings = self.settings
        by_label = self.strategy == ("stratifiedkfold" if self.is_label else "kfold")
        return (
            by_label
            and settings["fold_shuffle"]
            and settings["data_split_shuffle"]
            and settings["data_split_stratify"]
            and self.groups is None
            and self.held is None
        )

    def max_folds(self, train: Any) -> tuple[int, str] | None:
        """Return how many folds the rows `train` (positions) allow, and the reason; None where nothing limits them."""
        if self.strategy.endswith("groupkfold"):
            n_groups = len(np.unique(self.groups[train]))
            return n_groups, f"“{self.settings['fold_groups']}” has {n_groups} groups to train on"
        if self.strategy == "predefined":
            n_folds = len(np.unique(self.folds[train]))
            return n_folds, f"“{self.settings['fold_column']}” has {n_folds} numbers"
        if self.strategy == "timeseries":
            return len(train) // 2, f"there are {len(train)} rows to train on"
        return None

    def split(self, target: Any) -> tuple[Any, Any]:
        """Return the positions of the training part and of the hold-out, two int64 arrays in ascending order.

        `target` : array of shape (n_rows,). Raises `PlanFailed` when a label has no row in one of them.
        """
        from sklearn.model_selection import (
            GroupShuffleSplit,
            StratifiedGroupKFold,
            train_test_split,
        )

        share, seed = self.settings["train_size"], self.settings["session_id"]
        rows = np.arange(len(target))
        if self.held is not None:
            train, held = rows[~self.held], rows[self.held]
        elif self.order is not None and self.strategy == "timeseries":
            n_train = int(len(rows) * share)
            train, held = self.order[:n_train], self.order[n_train:]
        elif self.groups is not None:
            if self.is_label:
                n_parts = max(2, round(1 / (1 - share)))
                splitter = StratifiedGroupKFold(n_parts, shuffle=True, random_state=seed)
            else:
                splitter = GroupShuffleSplit(1, train_size=share, random_state=seed)
            train, held = next(iter(splitter.split(rows, target, self.groups)))
        else:
            shuffle = self.settings["data_split_shuffle"]
            stratify = shuffle and self.is_label and self.settings["data_split_stratify"]
            train, held = train_test_split(
                rows,
                train_size=share,
                shuffle=shuffle,
                random_state=seed if shuffle else None,
                stratify=target if stratify else None,
            )
        train, held = np.sort(train), np.sort(held)
        if self.is_label and len(np.unique(target[train])) < len(np.unique(target)):
            raise PlanFailed(
                "user",
                "Some labels have no row in the training part when rows are held out in this way; choose another "
                "fold_strategy or train_size, or leave rare labels out.",
            )
        if not len(held):
            raise PlanFailed("user", "No row is left to hold out; give more groups or rows.")
        return train, held

    def held_out_warning(self) -> str | None:
        """Return why the scores on a table that is held out may be too good, None where nothing says so."""
        if self.held is None:
            return None
        if self.groups is not None:
            shared = np.intersect1d(self.groups[self.held], self.groups[~self.held])
            if len(shared):
                n_groups = len(np.unique(self.groups[self.held]))
                return (
                    f"The table that is held out shares {len(shared)} of its {n_groups} groups of "
                    f"“{self.settings['fold_groups']}” with the other one"
                )
        if self.order is not None:
            place = np.empty(len(self.order), dtype="int64")
            place[self.order] = np.arange(len(self.order))
            n_earlier = int((place[self.held] < place[~self.held].max()).sum())
            if n_earlier:
                return (
                    f"“{self.settings['fold_time']}” of {n_earlier} of the {int(self.held.sum())} rows that are held out "
                    "lies before the end of the other table"
                )
        return None

    def cut(self, train: Any, target: Any, n_folds: int) -> list[tuple[Any, Any]]:
        """Return for each fold the positions, within the training part, to fit on and to score on.

        `train` : positions of the training part; `target` : its target, array of shape (n_train,).
        """
        from sklearn import model_selection

        shuffle = self.settings["fold_shuffle"]
        seed = self.settings["session_id"] if shuffle else None
        strategy, rows = self.strategy, np.zeros(len(train))
        if strategy == "predefined":
            splitter: Any = model_selection.PredefinedSplit(pd.factorize(self.folds[train])[0])
            return [(a, b) for a, b in splitter.split()]
        if strategy == "timeseries":
            place = np.full(len(self.order), -1)
            place[train] = np.arange(len(train))
            in_time = place[self.order]
            in_time = in_time[in_time >= 0]
            splitter = model_selection.TimeSeriesSplit(n_folds)
            return [(in_time[a], in_time[b]) for a, b in splitter.split(in_time)]
        splitter = {
            "stratifiedkfold": model_selection.StratifiedKFold,
            "kfold": model_selection.KFold,
            "groupkfold": model_selection.GroupKFold,
            "stratifiedgroupkfold": model_selection.StratifiedGroupKFold,
        }[strategy](n_folds, shuffle=shuffle, random_state=seed)
        groups = None if self.groups is None else self.groups[train]
        return [(a, b) for a, b in splitter.split(rows, target, groups)]

    def to_json(self, n_folds: int) -> JSON:
        """Return what the snapshot records."""
        return {
            "fold_strategy": self.strategy,
            "folds": n_folds,
            **column_params(self.settings),
            "train_size": self.settings["train_size"],
            HOLDOUT_PARAM: self.settings[HOLDOUT_PARAM],
            "spellings": self.spellings,
            "is_default": self.is_default and self.weights is None,
        }


def read_validation(
    frame: Frame,
    readings: Mapping[str, ColumnReading],
    settings: JSON,
    *,
    is_label: bool,
    held: Any = None,
) -> Validation:
    """Return how the rows of a table are split, from the columns that parameters name.

    `frame` : DataFrame of shape (n_rows, n_columns), rows with a target; `readings` : how its columns are read; `held` :
    which rows are those of a table to hold out, bool array of shape (n_rows,), None without one. Raises `PlanFailed` for
    a column that cannot be used so.
    """
    named = column_params(settings)
    found: dict[str, Any] = {"held": held}
    if "fold_groups" in named:
        found["groups"] = _groups(frame[named["fold_groups"]])
        if len(np.unique(found["groups"])) < 3:
            raise PlanFailed(
                "user",
                f"“{named['fold_groups']}” has fewer than three groups; name another column.",
            )
    if "fold_time" in named:
        found["order"] = _order(frame[named["fold_time"]], readings[named["fold_time"]])
    if "fold_column" in named:
        found["folds"] = _folds(frame[named["fold_column"]], readings[named["fold_column"]])
    if "sample_weight" in named:
        found["weights"] = _weights(frame[named["sample_weight"]], readings[named["sample_weight"]])
    found["spellings"] = {
        column: {"type": readings[column].type, **readings[column].spelling}
        for name, column in named.items()
        if name != "fold_groups" and _holds_texts(frame[column])
    }
    validation = Validation(settings, is_label, **found)
    _check(validation)
    return validation


def _holds_texts(series: Column) -> bool:
    return series.dtype.kind == "O" and not isinstance(series.dtype, pd.PeriodDtype)


def _check(validation: Validation) -> None:
    strategy, settings = validation.strategy, validation.settings
    needed = {
        "groupkfold": ("groups", "fold_groups"),
        "stratifiedgroupkfold": ("groups", "fold_groups"),
        "timeseries": ("order", "fold_time"),
        "predefined": ("folds", "fold_column"),
    }
    if strategy in needed and getattr(validation, needed[strategy][0]) is None:
        raise PlanFailed(
            "user",
            f"The fold_strategy {strategy} needs {needed[strategy][1]}; name a column there.",
        )
    if strategy.startswith("stratified") and not validation.is_label:
        raise PlanFailed(
            "user", f"The fold_strategy {strategy} is for labels; use {strategy[10:]}."
        )
    for name, (attribute, param) in needed.items():
        if settings[param] is not None and param != "fold_groups" and strategy != name:
            raise PlanFailed(
                "user", f"{param} has no effect with the fold_strategy {strategy}; use {name}."
            )
        if attribute == "groups" and settings[param] is not None and "group" not in strategy:
            raise PlanFailed(
                "user",
                f"{param} has no effect with the fold_strategy {strategy}; use groupkfold or leave it out.",
            )
    if validation.held is not None and settings["preparation"] != "auto":
        raise PlanFailed(
            "user", f"{HOLDOUT_PARAM} needs preparation “auto”; leave preparation out."
        )
    if not validation.is_default and settings["preparation"] != "auto":
        raise PlanFailed(
            "user",
            "Other folds than the engine's need preparation “auto”; leave preparation out, or the parameters of folds.",
        )
    if validation.weights is not None and settings["preparation"] != "auto":
        raise PlanFailed("user", "sample_weight needs preparation “auto”; leave preparation out.")


def _groups(series: Column) -> Any:
    """Return a number for each group, in the order of its values; rows without one are groups of their own."""
    is_number = pd.api.types.is_numeric_dtype(series.dtype)
    values = series if is_number else pd.Series(portable.read_text(series), dtype=object)
    codes, groups = pd.factorize(values, sort=True)
    missing = codes < 0
    codes = codes.astype("int64")
    codes[missing] = len(groups) + np.arange(int(missing.sum()))
    return codes


def _order(series: Column, reading: ColumnReading) -> Any:
    if reading.type == "date":
        values = np.asarray(portable.read_dates(series, reading.spelling, strict=False))
        missing = np.isnat(values)
    elif reading.type in ("number", "duration"):
        values = _numbers(series, reading)
        missing = np.isnan(values)
    else:
        raise PlanFailed("user", f"fold_time names “{series.name}”, which holds no times.")
    if missing.any():
        raise PlanFailed(
            "user",
            f"“{series.name}” has no time in {int(missing.sum())} rows, so they have no place in time.",
        )
    return np.argsort(values, kind="stable")


def _folds(series: Column, reading: ColumnReading) -> Any:
    numbers = _numbers(series, reading)
    if np.isnan(numbers).any() or (numbers % 1).any():
        raise PlanFailed(
            "user", f"fold_column names “{series.name}”, which has no whole number in some rows."
        )
    folds = numbers.astype("int64")
    if len(np.unique(folds)) < 2:
        raise PlanFailed("user", f"“{series.name}” has one fold only; give at least two.")
    return folds


def _weights(series: Column, reading: ColumnReading) -> Any:
    weights = _numbers(series, reading)
    if np.isnan(weights).any() or (weights < 0).any() or not (weights > 0).any():
        raise PlanFailed(
            "user",
            f"sample_weight names “{series.name}”, which has rows without a number of 0 or more.",
        )
    return weights


def _numbers(series: Column, reading: ColumnReading) -> Any:
    if reading.type == "duration":
        return portable.read_seconds(series, reading.spelling, strict=False)
    try:
        return portable.read_numbers(series, reading.spelling, strict=False)
    except (TypeError, ValueError):
        return np.full(len(series), np.nan)
