"""Clustering and anomaly detection: all rows are trained on, and there is nothing to predict."""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON

from ..interfaces import Estimator, Frame
from ..scoring.anomaly import DetectorScorer, fit_detector
from ..scoring.clustering import ClusterScorer
from .base import Experiment


class UnsupervisedExperiment(Experiment):
    """`data` holds engine columns (see `frames`)."""

    @property
    def default_models(self) -> list[str]:
        """All that the engine has."""
        return list(self.registry)

    @property
    def n_rows(self) -> int:
        """All of them."""
        return len(self.features)

    @property
    def features(self) -> Frame:
        """What the models see: DataFrame of shape (n_rows, n_columns), preprocessed."""
        return self.engine._fit_state["X_transformed"]

    @property
    def preprocessing(self) -> JSON:
        """What the engine did with the columns."""
        state = self.engine._fit_state
        return {
            "numeric": list(state["numeric_cols"]),
            "categorical": list(state["categorical_cols"]),
        }

    @property
    def preprocessing_steps(self) -> list[tuple[str, Any]]:
        """The engine's steps before the model, fitted on all rows."""
        return list(self.engine.preprocess_pipeline.steps)

    @abstractmethod
    def fit_for_plots(self, estimator: Estimator) -> Estimator:
        """The model alone, fitted: the engine's own plots hand it raw columns, which it cannot take."""


class ClusteringExperiment(UnsupervisedExperiment):
    """Groups of rows that are alike."""

    @property
    def metrics(self) -> dict[str, bool]:
        """Ours: the engine scores no clusters."""
        return ClusterScorer.METRICS

    def scorer(self, folds: int = 1) -> ClusterScorer:
        """How well the clusters of all rows are apart."""
        return ClusterScorer(self.features, self.seed)

    def fit_for_plots(self, estimator: Estimator) -> Estimator:
        """The clusterer alone."""
        return copy.deepcopy(estimator).fit(self.features)


class AnomalyExperiment(UnsupervisedExperiment):
    """Rows that are unlike the others."""

    @property
    def metrics(self) -> dict[str, bool]:
        """Ours: the engine scores no detectors."""
        return DetectorScorer.METRICS

    def scorer(self, folds: int = 1) -> DetectorScorer:
        """How far the anomalies stand out."""
        return DetectorScorer(self.features)

    def fit_for_plots(self, estimator: Estimator) -> Estimator:
        """The detector alone."""
        return fit_detector(copy.deepcopy(estimator), self.features)
