"""Scores of anomaly detectors without known labels."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..interfaces import Estimator, Frame
from .base import Scores

#: number of clusters that the engine tries when CBLOF cannot separate its default number
_MORE_CLUSTERS = 12


@dataclass(slots=True)
class DetectorScorer:
    """Scores a detector by the rows that it flags.

    `Separation` is the mean score of the flagged rows less that of the others, in standard deviations
    of all scores. The leaderboard is ordered by `Agreement`, which needs several models (see `agreement`).

    `features` : DataFrame of shape (n_rows, n_columns), preprocessed.
    """

    #: metric → greater is better
    METRICS: ClassVar[dict[str, bool]] = {"Agreement": True, "Separation": True}
    features: Frame

    @property
    def n_folds(self) -> int:
        """Always 1: the detector is fitted on all rows at once."""
        return 1

    @property
    def nbytes(self) -> int:
        """Size of the data in memory, in bytes."""
        return int(self.features.memory_usage(deep=False).sum())

    def score(self, estimator: Estimator, fold: int) -> Scores:
        """See `Scorer.score`; `outputs` are flags and scores, float64 array of shape (n_rows, 2)."""
        model = fit_detector(copy.deepcopy(estimator), self.features)
        flags = np.asarray(model.labels_, dtype=float)
        scores = np.asarray(model.decision_scores_, dtype=float)
        is_flagged = flags == 1
        separation = float("nan")
        spread = np.std(scores)
        if is_flagged.any() and not is_flagged.all() and spread > 0:
            difference = scores[is_flagged].mean() - scores[~is_flagged].mean()
            separation = float(difference / spread)
        return Scores(
            {
                "Agreement": float("nan"),
                "Separation": separation,
                "Anomalies": float(is_flagged.sum()),
            },
            np.column_stack([flags, scores]),
        )


def fit_detector(model: Estimator, features: Frame) -> Estimator:
    """Fit `model` and return it; CBLOF gets more clusters when its default number fails, as in the engine.

    `features` : DataFrame of shape (n_rows, n_columns), preprocessed.
    """
    try:
        return model.fit(features)
    except ValueError:
        if type(model).__name__ not in {"CBLOF", "CBLOFForceToDouble"}:
            raise
        model.set_params(n_clusters=_MORE_CLUSTERS)
        return model.fit(features)


def agreement(scores: Sequence[Any]) -> list[float | None]:
    """Return for each detector the mean Spearman rank correlation of its scores with the others' scores.

    `scores` : one float array of shape (n_rows,) for each detector. The result is None where there is
    no other detector, or no variance. Without labels, the detector that most resembles the others is
    the safest choice (model centrality; Ma et
    al., "The Need for Unsupervised Outlier Model Selection", SIGKDD Explorations 25(1), 2023).
    """
    from scipy.stats import rankdata

    ranks = []
    for values in scores:
        ranked = rankdata(np.nan_to_num(values))
        spread = ranked.std()
        ranks.append((ranked - ranked.mean()) / spread if spread > 0 else None)
    means: list[float | None] = []
    for position, own in enumerate(ranks):
        others = [r for i, r in enumerate(ranks) if i != position and r is not None]
        if own is None or not others:
            means.append(None)
        else:
            means.append(float(np.mean([np.mean(own * other) for other in others])))
    return means
