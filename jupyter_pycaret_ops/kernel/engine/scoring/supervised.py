"""Cross-validation of classifiers and regressors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..interfaces import Column, Estimator, Frame
from .base import Scores
from .confusion import countable_metrics, metrics_from_confusion
from .prepared_folds import PreparedFolds


@dataclass(slots=True)
class FoldScorer:
    """The engine's own cross-validation with its own metrics, one fold at a time.

    Folds, fits and scores are those of `create_model`; but errors of a fit are raised, and the fit on
    the whole training part, which no score needs, is left out.

    `features` : DataFrame of shape (n_rows, n_columns), as models take it; `target` : Series of shape
    (n_rows,), int64 codes or float64; `splits` : for each fold the positions to train and to test on,
    two int arrays; `metrics` : the engine's registry; `n_classes` : the number of classes in `target`,
    None for regression; `weights` : how much a row counts, float64 array of shape (n_rows,), None where all
    count the same.
    """

    features: Frame
    target: Column
    splits: Sequence[tuple[Any, Any]]
    metrics: dict[str, Any]
    n_classes: int | None = None
    weights: Any = None
    _prepared_folds: PreparedFolds = field(default_factory=PreparedFolds)

    @property
    def n_folds(self) -> int:
        """The number of folds."""
        return len(self.splits)

    @property
    def nbytes(self) -> int:
        """Size of the data in memory, in bytes."""
        return int(self.features.memory_usage(deep=False).sum() + self.target.nbytes)

    def score(self, estimator: Estimator, fold: int) -> Scores:
        """See `Scorer.score`."""
        train, test = self.splits[fold]
        train_target = self.target.iloc[train]
        model, train_features, test_features = self._prepared_folds.prepared(
            copy.deepcopy(estimator),
            fold,
            self.features.iloc[train],
            train_target,
            self.features.iloc[test],
        )
        weights = self.weights
        fitted(model, train_features, train_target, None if weights is None else weights[train])
        # an array: scikit-learn validates a Series much slower
        truth = self.target.iloc[test].to_numpy()
        return Scores(
            self.evaluate(model, test_features, truth, None if weights is None else weights[test])
        )

    def evaluate(
        self, model: Estimator, test_features: Any, truth: Any, weights: Any = None
    ) -> dict[str, float]:
        """Return metric → value of a fitted model, NaN where one cannot be computed.

        `test_features` of shape (n_rows, n_columns); `truth` : array of shape (n_rows,) as `target` is encoded;
        `weights` : how much a row counts, array of shape (n_rows,), None where all count the same.
        """
        from pycaret.utils.generic import calculate_metrics

        predicted = model.predict(test_features)
        try:
            probabilities = model.predict_proba(test_features)
            if probabilities.shape[1] == 2:
                probabilities = probabilities[:, 1]
        except Exception:  # as in the engine: a model without probabilities has no AUC
            probabilities = None
        found = self._confusion_metrics(truth, predicted) if weights is None else {}
        found |= calculate_metrics(
            metrics={k: m for k, m in self.metrics.items() if m.display_name not in found},
            y_test=truth,
            pred=predicted,
            pred_proba=probabilities,
            weights=weights,
        )
        names = (metric.display_name for metric in self.metrics.values())
        return {str(name): float(found[name]) for name in names if name in found}

    def _confusion_metrics(self, truth: Any, predicted: Any) -> dict[str, float]:
        if self.n_classes is None:
            return {}
        names = countable_metrics(self.metrics)
        return metrics_from_confusion(names, truth, predicted, self.n_classes) or {}


def fitted(model: Estimator, features: Any, target: Any, weights: Any) -> Estimator:
    """Fit a model, or a pipeline that ends in one, and return it; one that takes no weights is fitted without.

    `features` of shape (n_rows, n_columns), `target` of shape (n_rows,); `weights` : array of shape (n_rows,) or None.
    """
    if weights is None or not takes_weights(model):
        return model.fit(features, target)
    return model.fit(features, target, **{_weights_of(model): weights})


def _weights_of(model: Estimator) -> str:
    """Return the parameter of `fit` that takes weights: of a pipeline that of its last step."""
    steps = getattr(model, "steps", None)
    return f"{steps[-1][0]}__{_weights_of(steps[-1][1])}" if steps else "sample_weight"


def takes_weights(model: Estimator) -> bool:
    """Return whether a model can be fitted with a weight for each row."""
    from sklearn.utils.validation import has_fit_parameter

    steps = getattr(model, "steps", None)
    if steps:
        return takes_weights(steps[-1][1])
    wrapped = getattr(model, "estimator", None) or getattr(model, "regressor", None)
    if hasattr(wrapped, "fit") and not takes_weights(wrapped):
        return False
    # members of an ensemble that prepare columns for themselves take none
    members = getattr(model, "estimators", None)
    return bool(has_fit_parameter(model, "sample_weight")) and not isinstance(members, list)


def or_nan(score: Callable[..., Any]) -> Callable[..., Any]:
    """Return `score` wrapped to give NaN where it cannot be computed; the engine would write 0."""

    def scored(y_true: Any, y_pred: Any, **kwargs: Any) -> Any:
        try:
            return score(y_true, y_pred, **kwargs)
        except Exception:
            # the engine passes a weight that not every metric takes
            kwargs.pop("sample_weight", None)
            try:
                return score(y_true, y_pred, **kwargs)
            except Exception:
                return np.nan

    scored.__name__ = getattr(score, "__name__", "score")
    scored.__wrapped__ = score  # type: ignore[attr-defined]
    return scored
