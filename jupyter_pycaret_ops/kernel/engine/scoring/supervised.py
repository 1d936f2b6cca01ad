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
    None for regression.
    """

    features: Frame
    target: Column
    splits: Sequence[tuple[Any, Any]]
    metrics: dict[str, Any]
    n_classes: int | None = None
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
        model.fit(train_features, train_target)
        # an array: scikit-learn validates a Series much slower
        return Scores(self.evaluate(model, test_features, self.target.iloc[test].to_numpy()))

    def evaluate(self, model: Estimator, test_features: Any, truth: Any) -> dict[str, float]:
        """Return metric → value of a fitted model, NaN where one cannot be computed.

        `test_features` of shape (n_rows, n_columns); `truth` : array of shape (n_rows,) as `target` is encoded.
        """
        from pycaret.utils.generic import calculate_metrics

        predicted = model.predict(test_features)
        try:
            probabilities = model.predict_proba(test_features)
            if probabilities.shape[1] == 2:
                probabilities = probabilities[:, 1]
        except Exception:  # as in the engine: a model without probabilities has no AUC
            probabilities = None
        found = self._confusion_metrics(truth, predicted)
        found |= calculate_metrics(
            metrics={k: m for k, m in self.metrics.items() if m.display_name not in found},
            y_test=truth,
            pred=predicted,
            pred_proba=probabilities,
        )
        names = (metric.display_name for metric in self.metrics.values())
        return {str(name): float(found[name]) for name in names if name in found}

    def _confusion_metrics(self, truth: Any, predicted: Any) -> dict[str, float]:
        if self.n_classes is None:
            return {}
        names = countable_metrics(self.metrics)
        return metrics_from_confusion(names, truth, predicted, self.n_classes) or {}


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
