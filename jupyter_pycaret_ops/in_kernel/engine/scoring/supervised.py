"""Cross-validation of classifiers and regressors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contracts import Column, Estimator, Frame
from .base import Scores


@dataclass(slots=True)
class FoldScorer:
    """The engine's own cross-validation, one fold at a time, with its own metrics.

    Same folds, same fits, same numbers as `create_model`; but what a fit raises is raised, and the fit
    on the whole training part, which no score needs, is left out.

    `features` : DataFrame of shape (n_rows, n_columns), preprocessed; `target` : Series (n_rows,);
    `splits` : (train, test) positions of each fold; `metrics` : the engine's registry.
    """

    features: Frame
    target: Column
    splits: Sequence[tuple[Any, Any]]
    metrics: dict[str, Any]

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
        found = calculate_metrics(
            metrics=self.metrics,
            # an array: scikit-learn looks long at each Series to see whether it is one
            y_test=self.target.iloc[test].to_numpy(),
            pred=predicted,
            pred_proba=probabilities,
        )
        return Scores({str(name): float(value) for name, value in found.items()})


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
    return scored
