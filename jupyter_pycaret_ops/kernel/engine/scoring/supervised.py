"""Cross-validation of classifiers and regressors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..interfaces import Column, Estimator, Frame
from .base import Scores
from .confusion import countable, counted


@dataclass(slots=True)
class FoldScorer:
    """The engine's own cross-validation, one fold at a time, with its own metrics.

    Same folds, same fits, same numbers as `create_model`; but what a fit raises is raised, and the fit
    on the whole training part, which no score needs, is left out.

    `features` : DataFrame of shape (n_rows, n_columns), preprocessed; `target` : Series (n_rows,);
    `splits` : (train, test) positions of each fold; `metrics` : the engine's registry; `classes` : how
    many classes `target` holds as 0, 1, …, or None where it is a quantity.
    """

    features: Frame
    target: Column
    splits: Sequence[tuple[Any, Any]]
    metrics: dict[str, Any]
    classes: int | None = None

    @property
    def folds(self) -> int:
        """How many folds there are."""
        return len(self.splits)

    @property
    def nbytes(self) -> int:
        """Size of the data in memory."""
        return int(self.features.memory_usage(deep=False).sum() + self.target.nbytes)

    def score(self, estimator: Estimator, fold: int) -> Scores:
        """See `Scorer.score`."""
        from pycaret.utils.generic import calculate_metrics

        train, test = self.splits[fold]
        model = copy.deepcopy(estimator)
        model.fit(self.features.iloc[train], self.target.iloc[train])
        rows = self.features.iloc[test]
        predicted = model.predict(rows)
        try:
            probabilities = model.predict_proba(rows)
            if probabilities.shape[1] == 2:
                probabilities = probabilities[:, 1]
        except Exception:  # as the engine: a model without them has no AUC
            probabilities = None
        # an array: scikit-learn looks long at each Series to see whether it is one
        truth = self.target.iloc[test].to_numpy()
        found = self._counted(truth, predicted)
        found |= calculate_metrics(
            metrics={k: m for k, m in self.metrics.items() if m.display_name not in found},
            y_test=truth,
            pred=predicted,
            pred_proba=probabilities,
        )
        names = (metric.display_name for metric in self.metrics.values())
        return Scores({str(name): float(found[name]) for name in names if name in found})

    def _counted(self, truth: Any, predicted: Any) -> dict[str, float]:
        if self.classes is None:
            return {}
        return counted(countable(self.metrics), truth, predicted, self.classes) or {}


def or_nan(score: Callable[..., Any]) -> Callable[..., Any]:
    """`score`, with NaN where it cannot be computed: the engine would write 0."""

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
