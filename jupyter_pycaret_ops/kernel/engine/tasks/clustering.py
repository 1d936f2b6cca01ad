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
from ..preparation import Preparation
from .unsupervised import PreparedUnsupervised, Unsupervised


class PreparedClustering(PreparedUnsupervised):
    """Its pipelines predict names of clusters."""

    def wrap_estimator(self, model: Estimator) -> Estimator:
        """Return the model as `portable.NamedClusters`, which predicts names of clusters."""
        return portable.NamedClusters(model)

    def assignments(self, outputs: Any) -> Frame:
        """Return the columns `row` (from 0) and `cluster`; `outputs` int array of shape (n_rows,)."""
        return pd.DataFrame(
            {"row": range(len(outputs)), "cluster": portable.cluster_names(outputs)}
        )

    def draw(self, pipeline: Estimator, plot: str, left_s: float) -> JSON | None:
        """Draw with the engine; see `PreparedTask.draw`."""
        from pycaret.plots import clustering as engine_plots

        features = self.experiment.features
        if plot == "distribution":
            return plots.as_json(engine_plots.cluster_distribution(pipeline, features))
        if plot == "embedding":
            if features.shape[1] < 2:
                return None
            return plots.as_json(engine_plots.embedding_2d(pipeline, features, method="pca"))
        return plots.as_json(engine_plots.silhouette_plot(pipeline, features))


class Clustering(Unsupervised):
    """Group similar rows."""

    type = CLUSTERING
    prepared_class = PreparedClustering
    plots: ClassVar[dict[str, str]] = {
        "distribution": "Rows by cluster",
        "embedding": "Clusters in two dimensions",
        "silhouette_plot": "Silhouette",
    }

    def make_experiment(
        self,
        data: Frame,
        reporter: EventReporter,
        settings: JSON,
        preparation: Preparation | None = None,
    ) -> ClusteringExperiment:
        """Return the experiment, fitted on `data`."""
        return ClusteringExperiment(self.engine_class(), data, reporter, settings, preparation)


TASK = Clustering()
