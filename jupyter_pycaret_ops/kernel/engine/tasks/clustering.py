"""Clustering."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.task_types import CLUSTERING

from .. import plots, portable
from ..event_reporter import EventReporter
from ..experiments import ClusteringExperiment
from ..interfaces import Estimator, Frame
from .unsupervised import PreparedUnsupervised, Unsupervised


class PreparedClustering(PreparedUnsupervised):
    """Answers with names of clusters."""

    def wrap_estimator(self, model: Estimator) -> Estimator:
        """Names of clusters; raises for a model that cannot place new rows."""
        return portable.NamedClusters(model)

    def assignments(self, values: Any) -> Frame:
        """Row, counted from 0, and cluster."""
        return pd.DataFrame({"row": range(len(values)), "cluster": portable.cluster_names(values)})

    def draw(self, pipeline: Estimator, plot: str, left_s: float) -> JSON | None:
        """Drawn by the engine."""
        from pycaret.plots import clustering as drawn

        features = self.experiment.features
        if plot == "distribution":
            return plots.as_json(drawn.cluster_distribution(pipeline, features))
        if plot == "embedding":
            if features.shape[1] < 2:
                return None
            return plots.as_json(drawn.embedding_2d(pipeline, features, method="pca"))
        return plots.as_json(drawn.silhouette_plot(pipeline, features))


class Clustering(Unsupervised):
    """Find groups of rows that are alike."""

    type = CLUSTERING
    prepared_class = PreparedClustering
    plots: ClassVar[dict[str, str]] = {
        "distribution": "Rows by cluster",
        "embedding": "Clusters in two dimensions",
        "silhouette_plot": "Silhouette",
    }

    def make_experiment(
        self, data: Frame, reporter: EventReporter, settings: JSON
    ) -> ClusteringExperiment:
        """The fitted experiment."""
        return ClusteringExperiment(self.engine_class(), data, reporter, settings)


TASK = Clustering()
