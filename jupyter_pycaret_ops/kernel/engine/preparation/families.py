"""Families of models, by what they need of their columns.

The notebook of a run has the text of this module in a cell, so it imports nothing of this package.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Family(StrEnum):
    """What a model takes."""

    #: trees that send missing values one way
    TREES_WITH_MISSING = "trees_with_missing"
    #: trees that need a number in each cell
    TREES = "trees"
    #: linear, distance, kernel and neural models, which compare the sizes of columns
    SCALED = "scaled"


_WITH_MISSING = ("DecisionTree", "RandomForest", "ExtraTrees", "XGB", "LGBM", "CatBoost", "Dummy")
_WITHOUT_MISSING = ("AdaBoost", "GradientBoosting")
#: the attribute of an estimator that is made of another one
_INNER = ("estimator", "regressor")


def family_of(estimator: Any) -> Family:
    """Return the family of an estimator; one that is made of another, such as bagging, has the family of that."""
    name = type(estimator).__name__
    # boosting adds its own checks to those of the model that it boosts
    checks = name.startswith("AdaBoost")
    for attribute in _INNER:
        inner = getattr(estimator, attribute, None)
        if hasattr(inner, "fit"):
            family = family_of(inner)
            return Family.TREES if checks and family is not Family.SCALED else family
    if name.startswith(_WITH_MISSING):
        return Family.TREES_WITH_MISSING
    return Family.TREES if name.startswith(_WITHOUT_MISSING) else Family.SCALED


#: regressors that learn little from a target whose mean or scale is far from 0 and 1
_SCALED_TARGETS = ("SVR", "NuSVR", "KernelRidge", "MLPRegressor", "GaussianProcessRegressor")


def with_scaled_target(estimator: Any) -> Any:
    """Return a regressor that learns a target of mean 0 and deviation 1, where it needs that; it predicts in its units."""
    if not type(estimator).__name__.startswith(_SCALED_TARGETS):
        return estimator
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(estimator, transformer=StandardScaler())
