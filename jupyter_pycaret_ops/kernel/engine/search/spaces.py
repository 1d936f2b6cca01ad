"""Ranges of settings to search in, by model: where the engine's own are too narrow or too coarse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_pycaret_ops.common.protocol import JSON

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included; `log` : each order of magnitude is tried as often."""

    low: float
    high: float
    log: bool = False

    @property
    def is_integer(self) -> bool:
        """Whether it holds integers only, as where both ends are."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def suggest(self, trial: optuna.Trial, name: str) -> Any:
        """Return a number that Optuna proposes."""
        if self.is_integer:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def holds(self, value: Any) -> bool:
        """Return whether a value lies in the range."""
        kinds = int if self.is_integer else (int, float)
        return (
            isinstance(value, kinds)
            and not isinstance(value, bool)
            and self.low <= value <= self.high
        )

    def distribution(self) -> optuna.distributions.BaseDistribution:
        """Return the range as Optuna takes it: integers where both ends are."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.is_integer:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some plain values."""

    values: tuple[Any, ...]

    def suggest(self, trial: optuna.Trial, name: str) -> Any:
        """Return a value that Optuna proposes."""
        return trial.suggest_categorical(name, self.values)

    def holds(self, value: Any) -> bool:
        """Return whether a value is one of them."""
        return any(
            value is one or (type(value) is type(one) and value == one) for one in self.values
        )

    def distribution(self) -> optuna.distributions.BaseDistribution:
        """Return the choice as Optuna takes it."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.values)


Space = Mapping[str, Range | Choice]

#: boosters that stop adding trees by themselves, and the most that they add
BOOSTERS: Mapping[str, JSON] = {
    "lightgbm": {"n_estimators": 2000, "subsample_freq": 1},
    "xgboost": {"n_estimators": 2000, "tree_method": "hist"},
    "catboost": {"iterations": 2000},
}
_FOREST: Space = {
    "n_estimators": Range(100, 400),
    "max_features": Range(0.15, 1.0),
    "min_samples_leaf": Range(1, 20, log=True),
}
_GRADIENT_BOOSTING: Space = {
    "learning_rate": Range(0.02, 0.3, log=True),
    "n_estimators": Range(50, 400),
    "max_depth": Range(2, 6),
    "subsample": Range(0.5, 1.0),
    "max_features": Range(0.2, 1.0),
}
_SPACES: Mapping[str, Space] = {
    "lightgbm": {
        "learning_rate": Range(0.015, 0.2, log=True),
        "num_leaves": Range(4, 128, log=True),
        "min_child_samples": Range(2, 80, log=True),
        "colsample_bytree": Range(0.3, 1.0),
        "subsample": Range(0.5, 1.0),
        "reg_lambda": Range(1e-3, 30.0, log=True),
        "reg_alpha": Range(1e-3, 10.0, log=True),
    },
    "xgboost": {
        "learning_rate": Range(0.015, 0.2, log=True),
        "max_depth": Range(2, 9),
        "min_child_weight": Range(0.5, 30.0, log=True),
        "colsample_bytree": Range(0.3, 1.0),
        "subsample": Range(0.5, 1.0),
        "reg_lambda": Range(1e-2, 30.0, log=True),
        "reg_alpha": Range(1e-3, 10.0, log=True),
    },
    "catboost": {
        "learning_rate": Range(0.02, 0.2, log=True),
        "depth": Range(3, 8),
        "l2_leaf_reg": Range(0.5, 20.0, log=True),
        "random_strength": Range(0.1, 5.0, log=True),
        "rsm": Range(0.4, 1.0),
    },
    "et": _FOREST,
    "rf": _FOREST,
    "mlp": {
        "alpha": Range(1e-5, 10.0, log=True),
        "learning_rate_init": Range(5e-4, 2e-2, log=True),
    },
    "knn": {
        "n_neighbors": Range(2, 60, log=True),
        "weights": Choice(("uniform", "distance")),
        "p": Choice((1, 2)),
    },
    "svm": {
        "C": Range(0.1, 1000.0, log=True),
        "epsilon": Range(0.01, 0.5, log=True),
    },
}
_OF_LABELS: Mapping[str, Space] = {
    "lr": {"C": Range(1e-3, 100.0, log=True)},
    "gbc": _GRADIENT_BOOSTING,
    "lda": {"shrinkage": Range(1e-3, 1.0, log=True), "solver": Choice(("lsqr",))},
}
_OF_NUMBERS: Mapping[str, Space] = {
    "ridge": {"alpha": Range(1e-3, 1000.0, log=True)},
    "lasso": {"alpha": Range(1e-3, 1000.0, log=True)},
    "en": {"alpha": Range(1e-3, 100.0, log=True), "l1_ratio": Range(0.05, 0.95)},
    "huber": {"epsilon": Range(1.05, 3.0), "alpha": Range(1e-6, 10.0, log=True)},
    "kr": {
        "alpha": Range(1e-3, 100.0, log=True),
        "kernel": Choice(("rbf",)),
        "gamma": Range(1e-3, 1.0, log=True),
    },
    "gbr": _GRADIENT_BOOSTING,
}


def space_of(model_id: str, *, is_label: bool, grid: Mapping[str, list[Any]]) -> Space:
    """Return the settings to search for a model; those of the engine's `grid` where we have none of our own.

    Empty where there are none.
    """
    own = (_OF_LABELS if is_label else _OF_NUMBERS).get(model_id) or _SPACES.get(model_id)
    if own is not None and not (is_label and model_id == "svm"):
        return own
    return {
        name: _of_values(values)
        for name, values in grid.items()
        if all(_is_plain(value) for value in values)
    }


def _of_values(values: list[Any]) -> Range | Choice:
    """Return values as a range where they are many numbers: Optuna learns nothing from neighbours in a choice."""
    plain = [value.item() if hasattr(value, "item") else value for value in values]
    numbers = [
        value for value in plain if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    if len(numbers) < len(plain) or len(numbers) < 6:
        return Choice(tuple(dict.fromkeys(plain)))
    low, high = min(numbers), max(numbers)
    log = low > 0 and high / low >= 100
    if all(isinstance(value, int) for value in numbers):
        return Range(int(low), int(high), log=log)
    return Range(float(low), float(high), log=log)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, bool, int, float)) or hasattr(value, "item")
