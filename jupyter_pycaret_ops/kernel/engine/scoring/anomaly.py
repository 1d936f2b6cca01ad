"""How far anomalies stand out, and whether detectors agree."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..interfaces import Estimator, Frame
from .base import Scores

#: what the engine tries when too few clusters can be told apart
_MORE_CLUSTERS = 12


@dataclass(slots=True)
class DetectorScorer:
    """How many rows a detector flags, and how far they stand out.

    `Separation` is the mean score of the flagged rows less that of the others, in standard deviations
    of all scores. What ranks is `Agreement`, which takes several models (see `agreement`).

    `features` : DataFrame of shape (n_rows, n_columns), preprocessed.
    """

    #: metric → greater is better
    METRICS: ClassVar[dict[str, bool]] = {"Agreement": True, "Separation": True}
    features: Frame

    @property
    def folds(self) -> int:
        """All rows at once."""
        return 1

    @property
    def nbytes(self) -> int:
        """Size of the data in memory."""
        return int(self.features.memory_usage(deep=False).sum())

    def score(self, estimator: Estimator, fold: int) -> Scores:
        """See `Scorer.score`; `rows` are flags and scores, float of shape (n_rows, 2)."""
        model = fit_detector(copy.deepcopy(estimator), self.features)
        flags = np.asarray(model.labels_, dtype=float)
        scores = np.asarray(model.decision_scores_, dtype=float)
        is_flagged = flags == 1
        separation = float("nan")
        spread = np.std(scores)
        if is_flagged.any() and not is_flagged.all() and spread > 0:
            apart = scores[is_flagged].mean() - scores[~is_flagged].mean()
            separation = float(apart / spread)
        return Scores(
            {
                "Agreement": float("nan"),
                "Separation": separation,
                "Anomalies": float(is_flagged.sum()),
            },
            np.column_stack([flags, scores]),
        )


def fit_detector(model: Estimator, features: Frame) -> Estimator:
    """Fit as the engine does: CBLOF gets more clusters where its own number cannot be told apart."""
    try:
        return model.fit(features)
    except ValueError:
        if type(model).__name__ not in {"CBLOF", "CBLOFForceToDouble"}:
            raise
        model.set_params(n_clusters=_MORE_CLUSTERS)
        return model.fit(features)


def agreement(scores: Sequence[Any]) -> list[float | None]:
    """For each detector the mean rank correlation (Spearman) of its scores with those of the others.

    `scores` : arrays of shape (n_rows,). None where there is no other, or no variance. With no labels
    to go by, the detector that most resembles the others is the safest choice (model centrality; Ma et
    al., "The Need for Unsupervised Outlier Model Selection", SIGKDD Explorations 25(1), 2023).
    """
    from scipy.stats import rankdata

    ranks = []
    for values in scores:
        ranked = rankdata(np.nan_to_num(values))
        spread = ranked.std()
        ranks.append((ranked - ranked.mean()) / spread if spread > 0 else None)
    means: list[float | None] = []
    for place, mine in enumerate(ranks):
        others = [r for i, r in enumerate(ranks) if i != place and r is not None]
        if mine is None or not others:
            means.append(None)
        else:
            means.append(float(np.mean([np.mean(mine * theirs) for theirs in others])))
    return means
