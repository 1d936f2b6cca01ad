"""Experiments of clustering and anomaly detection, fitted on all rows without a target."""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON

from ..event_reporter import EventReporter
from ..interfaces import Estimator, Frame
from ..preparation import Preparation
from ..scoring.anomaly import DetectorScorer, fit_detector
from ..scoring.clustering import ClusterScorer
from .base import Experiment


class UnsupervisedExperiment(Experiment):
    """An experiment without a target.

    `data` : DataFrame of shape (n_rows, n_engine_columns), see `features.Table.step`; `preparation` : how columns are
    prepared, None where the engine codes them.
    """

    def __init__(
        self,
        task_class: Any,
        data: Frame,
        reporter: EventReporter,
        settings: JSON,
        preparation: Preparation | None = None,
    ) -> None:
        super().__init__(task_class, data, reporter, settings)
        self.preparation = preparation
        if preparation is not None:
            self._prepare(preparation, data)

    def _prepare(self, preparation: Preparation, data: Frame) -> None:
        """Replace what the engine makes of the columns: it codes categories in alphabetical order, and scales nothing."""
        import pandas as pd

        pipeline = preparation.without_model()
        values = pipeline.fit_transform(data)
        names = pipeline.get_feature_names_out()
        state = self.engine._fit_state
        state["preprocess_pipeline"] = pipeline
        state["X_transformed"] = pd.DataFrame(values, index=data.index, columns=names)

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
        if self.preparation is not None:
            return self.preparation.recipe.columns()
        state = self.engine._fit_state
        return {
            "numeric": list(state["numeric_cols"]),
            "categorical": list(state["categorical_cols"]),
        }

    @property
    def preprocessing_steps(self) -> list[tuple[str, Any]]:
        """Names and transformers of the steps before the model, fitted on all rows."""
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
