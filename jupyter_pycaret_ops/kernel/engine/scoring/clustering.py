"""Scores of clusterings without known labels."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..interfaces import Estimator, Frame
from .base import Scores

#: the silhouette takes quadratic time; larger tables are sampled
SILHOUETTE_ROWS = 5_000


@dataclass(slots=True)
class ClusterScorer:
    """Scores of a clustering, computed on the columns that the model was fitted on.

    Silhouette (Rousseeuw 1987), Caliński-Harabasz (1974) and Davies-Bouldin (1979), as scikit-learn
    computes them.

    `features` : DataFrame of shape (n_rows, n_columns), preprocessed. Rows that a
    model labels as noise (−1) count as one more cluster, so that a model gains nothing by leaving out
    difficult rows. With fewer than two clusters, or as many as rows, none of the three is defined.
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
    def n_folds(self) -> int:
        """Always 1: all rows are clustered at once."""
        return 1

    @property
    def nbytes(self) -> int:
        """Size of the data in memory, in bytes."""
        return int(self.features.memory_usage(deep=False).sum())

    def score(self, estimator: Estimator, fold: int) -> Scores:
        """See `Scorer.score`; `outputs` are the labels, int array of shape (n_rows,)."""
        from sklearn import metrics

        model = copy.deepcopy(estimator).fit(self.features)
        labels = np.asarray(model.labels_)
        n_clusters = len(np.unique(labels))
        values = dict.fromkeys(self.METRICS, float("nan"))
        if 2 <= n_clusters < len(labels):
            sample = SILHOUETTE_ROWS if len(labels) > SILHOUETTE_ROWS else None
            values = {
                "Silhouette": metrics.silhouette_score(
                    self.features, labels, sample_size=sample, random_state=self.seed
                ),
                "Calinski-Harabasz": metrics.calinski_harabasz_score(self.features, labels),
                "Davies-Bouldin": metrics.davies_bouldin_score(self.features, labels),
            }
        metrics_found = {name: float(value) for name, value in values.items()}
        return Scores(
            {**metrics_found, "Clusters": float(len(np.unique(labels[labels >= 0])))}, labels
        )
