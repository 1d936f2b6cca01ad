"""Anomaly detection."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.task_types import ANOMALY

from .. import plots, portable
from ..event_reporter import EventReporter
from ..experiments import AnomalyExperiment
from ..interfaces import Estimator, Frame
from ..leaderboard import Leaderboard
from ..preparation import Preparation
from ..scoring.anomaly import agreement
from .unsupervised import PreparedUnsupervised, Unsupervised


class PreparedAnomaly(PreparedUnsupervised):
    """Its pipelines predict flags and scores."""

    def wrap_estimator(self, model: Estimator) -> Estimator:
        """Return the model as a `portable.Detector`, which predicts 0 or 1."""
        return portable.Detector(model)

    def score_jointly(self, board: Leaderboard) -> None:
        """Set `Agreement` of all scored detectors."""
        agreements = agreement([model.outputs[:, 1] for model in board.scored])
        for model, value in zip(board.scored, agreements, strict=True):
            model.record["Agreement"] = None if value is None else round(value, 10)

    def assignments(self, outputs: Any) -> Frame:
        """Return the columns `row` (from 0), `anomaly` (0 or 1) and `score`; `outputs` of shape (n_rows, 2)."""
        table = pd.DataFrame({"row": range(len(outputs))})
        return table.assign(anomaly=outputs[:, 0].astype(int), score=outputs[:, 1])

    def outputs(self, pipeline: Estimator, rows: Frame) -> Any:
        """Return flags and scores, float64 array of shape (n_rows, 2)."""
        return np.column_stack([pipeline.predict(rows), pipeline.decision_function(rows)])

    def draw(self, pipeline: Estimator, plot: str, left_s: float) -> JSON | None:
        """Draw with the engine; see `PreparedTask.draw`."""
        from pycaret.plots import anomaly as engine_plots

        features = self.experiment.features
        if plot == "score":
            return plots.as_json(engine_plots.score_distribution(pipeline, features))
        if features.shape[1] < 2:
            return None
        return plots.as_json(engine_plots.anomaly_map(pipeline, features, method="pca"))


class Anomaly(Unsupervised):
    """Find rows that differ from most others."""

    type = ANOMALY
    prepared_class = PreparedAnomaly
    plots: ClassVar[dict[str, str]] = {
        "score": "Anomaly scores",
        "anomaly_map": "Anomalies in two dimensions",
    }

    def make_experiment(
        self,
        data: Frame,
        reporter: EventReporter,
        settings: JSON,
        preparation: Preparation | None = None,
    ) -> AnomalyExperiment:
        """Return the experiment, fitted on `data`."""
        return AnomalyExperiment(self.engine_class(), data, reporter, settings, preparation)


TASK = Anomaly()
