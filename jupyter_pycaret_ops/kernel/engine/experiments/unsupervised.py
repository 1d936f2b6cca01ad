"""Experiments of clustering and anomaly detection, fitted on all rows without a target."""

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
    """An experiment without a target.

    `data` : DataFrame of shape (n_rows, n_engine_columns), see `features.Table.step`.
    """

    @property
    def default_models(self) -> list[str]:
        """Ids of all models of the engine."""
        return list(self.registry)

    @property
    def n_rows(self) -> int:
        """The number of rows: models are fitted on all."""
        return len(self.features)

    @property
    def features(self) -> Frame:
        """The preprocessed features that models are fitted on, DataFrame of shape (n_rows, n_columns)."""
        return self.engine._fit_state["X_transformed"]

    @property
    def preprocessing(self) -> JSON:
        """What the engine does with the columns: lists of numeric and categorical ones."""
        state = self.engine._fit_state
        return {
            "numeric": list(state["numeric_cols"]),
            "categorical": list(state["categorical_cols"]),
        }

    @property
    def preprocessing_steps(self) -> list[tuple[str, Any]]:
        """Names and transformers of the engine's steps before the model, fitted on all rows."""
        return list(self.engine.preprocess_pipeline.steps)

    @abstractmethod
    def fit_for_plots(self, estimator: Estimator) -> Estimator:
        """Return a fitted copy of the model alone: its plots get the preprocessed features."""


class ClusteringExperiment(UnsupervisedExperiment):
    """A clustering experiment."""

    @property
    def metrics(self) -> dict[str, bool]:
        """Metric → whether greater is better; ours, because the engine scores no clusterings."""
        return ClusterScorer.METRICS

    def scorer(self, folds: int = 1) -> ClusterScorer:
        """Return the scorer of clusterings of all rows."""
        return ClusterScorer(self.features, self.seed)

    def fit_for_plots(self, estimator: Estimator) -> Estimator:
        """Return a copy of the clusterer, fitted on all rows."""
        return copy.deepcopy(estimator).fit(self.features)


class AnomalyExperiment(UnsupervisedExperiment):
    """An anomaly detection experiment."""

    @property
    def metrics(self) -> dict[str, bool]:
        """Metric → whether greater is better; ours, because the engine scores no detectors."""
        return DetectorScorer.METRICS

    def scorer(self, folds: int = 1) -> DetectorScorer:
        """Return the scorer of detectors on all rows."""
        return DetectorScorer(self.features)

    def fit_for_plots(self, estimator: Estimator) -> Estimator:
        """Return a copy of the detector, fitted on all rows."""
        return fit_detector(copy.deepcopy(estimator), self.features)
