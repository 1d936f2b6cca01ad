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
from ..scoring.anomaly import agreement
from .unsupervised import PreparedUnsupervised, Unsupervised


class PreparedAnomaly(PreparedUnsupervised):
    """Answers with flags and scores."""

    def wrap_estimator(self, model: Estimator) -> Estimator:
        """0 or 1, and a score."""
        return portable.Detector(model)

    def score_jointly(self, board: Leaderboard) -> None:
        """How far the detectors agree, for all that have been scored."""
        found = agreement([model.outputs[:, 1] for model in board.scored])
        for model, value in zip(board.scored, found, strict=True):
            model.record["Agreement"] = None if value is None else round(value, 10)

    def assignments(self, values: Any) -> Frame:
        """Row, counted from 0, whether it is an anomaly, and its score."""
        table = pd.DataFrame({"row": range(len(values))})
        return table.assign(anomaly=values[:, 0].astype(int), score=values[:, 1])

    def outputs(self, pipeline: Estimator, rows: Frame) -> Any:
        """Flags and scores."""
        return np.column_stack([pipeline.predict(rows), pipeline.decision_function(rows)])

    def draw(self, pipeline: Estimator, plot: str, left_s: float) -> JSON | None:
        """Drawn by the engine."""
        from pycaret.plots import anomaly as drawn

        features = self.experiment.features
        if plot == "score":
            return plots.as_json(drawn.score_distribution(pipeline, features))
        if features.shape[1] < 2:
            return None
        return plots.as_json(drawn.anomaly_map(pipeline, features, method="pca"))


class Anomaly(Unsupervised):
    """Find rows that are unlike the others."""

    type = ANOMALY
    prepared_class = PreparedAnomaly
    plots: ClassVar[dict[str, str]] = {
        "score": "Anomaly scores",
        "anomaly_map": "Anomalies in two dimensions",
    }

    def make_experiment(
        self, data: Frame, reporter: EventReporter, settings: JSON
    ) -> AnomalyExperiment:
        """The fitted experiment."""
        return AnomalyExperiment(self.engine_class(), data, reporter, settings)


TASK = Anomaly()
