"""How well clusters are apart, by the usual measures without known labels."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..interfaces import Estimator, Frame
from .base import Scores

#: the silhouette compares each row with each other one; of more rows a sample is taken
SILHOUETTE_ROWS = 5_000


@dataclass(slots=True)
class ClusterScorer:
    """Measures of clusters without known labels, on the columns that the model saw.

    Silhouette (Rousseeuw 1987), Caliński-Harabasz (1974) and Davies-Bouldin (1979), as scikit-learn
    computes them.

    `features` : DataFrame of shape (n_rows, n_columns), preprocessed. Rows that a model calls noise
    (−1) count as a cluster of their own, so that leaving out what is hard does not pay. Of fewer than
    two clusters, or as many as there are rows, none of the three can be computed.
    """

    #: metric → greater is better
    METRICS: ClassVar[dict[str, bool]] = {
        "Silhouette": True,
        "Calinski-Harabasz": True,
        "Davies-Bouldin": False,
    }
    features: Frame
    seed: int

    @property
    def folds(self) -> int:
        """All rows at once."""
        return 1

    @property
    def nbytes(self) -> int:
        """Size of the data in memory."""
        return int(self.features.memory_usage(deep=False).sum())

    def score(self, estimator: Estimator, fold: int) -> Scores:
        """See `Scorer.score`; `rows` are the labels, int of shape (n_rows,)."""
        from sklearn import metrics

        model = copy.deepcopy(estimator).fit(self.features)
        labels = np.asarray(model.labels_)
        clusters = len(np.unique(labels))
        values = dict.fromkeys(self.METRICS, float("nan"))
        if 2 <= clusters < len(labels):
            sample = SILHOUETTE_ROWS if len(labels) > SILHOUETTE_ROWS else None
            values = {
                "Silhouette": metrics.silhouette_score(
                    self.features, labels, sample_size=sample, random_state=self.seed
                ),
                "Calinski-Harabasz": metrics.calinski_harabasz_score(self.features, labels),
                "Davies-Bouldin": metrics.davies_bouldin_score(self.features, labels),
            }
        counted = {name: float(value) for name, value in values.items()}
        return Scores({**counted, "Clusters": float(len(np.unique(labels[labels >= 0])))}, labels)
