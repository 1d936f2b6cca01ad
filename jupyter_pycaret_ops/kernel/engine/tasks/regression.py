"""Regression."""

from __future__ import annotations

from typing import Any, ClassVar

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables.column_reading import ColumnReading
from jupyter_pycaret_ops.common.task_types import REGRESSION

from .. import labels
from ..event_reporter import EventReporter
from ..interfaces import Column, PlanFailed
from ..labels import Target
from .prepared_supervised import PreparedSupervised
from .supervised import Supervised


class PreparedRegression(PreparedSupervised):
    """Its pipelines predict numbers."""

    def baseline_name(self) -> str:
        """Return the number that the baseline always answers: the mean."""
        return "Always the mean"

    def baseline_words(self) -> str:
        """Return what the baseline does."""
        return f"always answering the mean, {self.experiment.train_target.mean():.4g}"


class Regression(Supervised):
    """Predict a number."""

    type = REGRESSION
    prepared_class = PreparedRegression
    plots: ClassVar[dict[str, str]] = {
        "residuals": "Residuals",
        "prediction_error": "Prediction error",
        "residuals_distribution": "Distribution of residuals",
        "permutation": "Feature importance",
    }

    def read_target(
        self,
        series: Column,
        name: str,
        reading: ColumnReading,
        reporter: EventReporter,
        settings: JSON,
    ) -> Target:
        """Return the target as float64; see `labels.read_numbers`."""
        return labels.read_numbers(series, name, reading, reporter)

    def check_split(self, target: Target, train_size: float) -> None:
        """Raise `PlanFailed` unless the training part has two folds of two rows, and the hold-out a row."""
        n_rows = len(target.encoded)
        n_train = int(n_rows * train_size)
        if n_train < 4 or n_train == n_rows:
            raise PlanFailed(
                "user",
                f"With train_size {train_size:g}, {n_train} of {n_rows} rows are left to train on; "
                "give more rows or another train_size.",
            )

    def max_folds(self, train_target: Any) -> tuple[int, str]:
        """Return half the number of rows: R² needs two rows in a fold."""
        return len(train_target) // 2, f"there are {len(train_target)} rows to train on"


TASK = Regression()
