"""Classification."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables.column_reading import ColumnReading
from jupyter_pycaret_ops.common.task_types import CLASSIFICATION

from .. import labels, portable
from ..event_reporter import EventReporter
from ..experiments import SupervisedExperiment
from ..interfaces import Column, Estimator, PlanFailed
from ..labels import Target
from ..leaderboard import Scored
from ..parameters import Param
from ..reading_params import LABEL_PARAMS
from ..scoring.supervised import FoldScorer
from ..thresholds import OPTIMIZE_THRESHOLD, choose_threshold, read_objective
from .prepared_supervised import PreparedSupervised
from .supervised import Supervised

_BINARY_PLOTS = frozenset({"calibration", "threshold", "lift", "gain"})


class PreparedClassification(PreparedSupervised):
    """Its pipelines predict labels."""

    def wrap_estimator(self, model: Estimator) -> Estimator:
        """Return the model with labels instead of codes."""
        return portable.LabelledClassifier(model, self.target_data.labels or [])

    def note_threshold(self, model: Scored) -> None:
        """See `PreparedTask.note_threshold`; models without probabilities have none."""
        given = self.spec.plan_params.get(OPTIMIZE_THRESHOLD.name)
        objective = read_objective(given, len(self.target_data.labels or []))
        scorer = self.scorer
        if objective is None or not isinstance(scorer, FoldScorer):
            return
        folds = [
            (
                scorer.target.iloc[test].to_numpy(),
                outputs[:, 2],
                None if scorer.weights is None else scorer.weights[test],
            )
            for (_, test), outputs in zip(scorer.splits, model.fold_outputs, strict=False)
            if outputs is not None and outputs.shape[1] == 3
        ]
        found = choose_threshold(objective, folds) if folds else None
        if found is not None:
            model.record["threshold"] = found

    def with_threshold(self, pipeline: Estimator, record: JSON) -> Estimator:
        """See `PreparedTask.with_threshold`."""
        if record.get("threshold"):
            pipeline[-1].set_params(threshold=record["threshold"]["value"])
        return pipeline

    def snapshot_facts(self) -> JSON:
        """Return which label is the positive one of two, besides how the data were split and prepared."""
        return {**super().snapshot_facts(), "positive_class": self.positive_label}

    @property
    def positive_label(self) -> Any:
        """See `PreparedTask.positive_label`."""
        found = self.target_data.labels or []
        return found[1] if len(found) == 2 else None

    def baseline_name(self) -> str:
        """Return the label that the baseline always answers: the most frequent one."""
        return f"Always {self._frequent_label()}"

    def baseline_words(self) -> str:
        """Return what the baseline does."""
        return f"always answering {self._frequent_label()}"

    def _frequent_label(self) -> str:
        counts = np.bincount(self.experiment.train_target)
        return str((self.target_data.labels or [])[int(counts.argmax())])

    def rare_share(self) -> float | None:
        """Return the share of training rows that do not have the most frequent label."""
        counts = np.bincount(self.experiment.train_target)
        return float(1 - counts.max() / counts.sum())

    def smallest_class(self, n_folds: int) -> int:
        """See `PreparedSupervised.smallest_class`."""
        smallest = int(np.bincount(self.experiment.train_target).min())
        return smallest - math.ceil(smallest / n_folds)

    def draw(self, pipeline: Estimator, plot: str, left_s: float) -> JSON | None:
        """Draw with the engine; some plots are for two classes only."""
        if plot in _BINARY_PLOTS and len(self.target_data.labels or ()) != 2:
            return None
        return super().draw(pipeline, plot, left_s)


class Classification(Supervised):
    """Predict which class a row belongs to."""

    type = CLASSIFICATION
    label_params: ClassVar[list[Param]] = LABEL_PARAMS
    prepared_class = PreparedClassification
    plots: ClassVar[dict[str, str]] = {
        "confusion_matrix": "Confusion matrix",
        "auc": "ROC curve",
        "pr": "Precision-recall curve",
        "class_distribution": "Class distribution",
        "calibration": "Calibration",
        "threshold": "Threshold",
        "lift": "Lift",
        "gain": "Gain",
        "permutation": "Feature importance",
    }

    def check_plan_params(self, params: JSON, target: Target) -> None:
        """Raise `PlanFailed` for a threshold that cannot be chosen, before models are scored."""
        read_objective(params.get(OPTIMIZE_THRESHOLD.name), len(target.labels or []))

    def read_target(
        self,
        series: Column,
        name: str,
        reading: ColumnReading,
        reporter: EventReporter,
        settings: JSON,
    ) -> Target:
        """Return codes 0 … k - 1 and labels; see `labels.read_classes`."""
        return labels.read_classes(series, name, reporter, settings["positive_class"])

    def check_split(self, target: Target, train_size: float) -> None:
        """Raise `PlanFailed` unless each class can have a row in the training part and the hold-out."""
        n_rows, n_classes = len(target.encoded), len(target.labels or ())
        n_train = int(n_rows * train_size)
        if min(n_train, n_rows - n_train) < n_classes:
            raise PlanFailed(
                "user",
                f"“{target.name}” has {n_classes} classes in {n_rows} rows: with train_size "
                f"{train_size:g} some classes have no row in the training part or the hold-out; "
                "give more rows, merge classes or move train_size towards 0.5.",
            )

    def max_folds(self, train_target: Any) -> tuple[int, str]:
        """Return the size of the largest class; `train_target` int64 array of shape (n_rows,).

        A class with fewer rows than folds is missing in some of them, as in scikit-learn's `StratifiedKFold`.
        """
        largest = int(np.bincount(train_target).max())
        return largest, f"the largest class has {largest} of the rows to train on"

    def warn_of_folds(
        self, experiment: SupervisedExperiment, target: Target, folds: int, reporter: EventReporter
    ) -> None:
        """Report the classes that have fewer rows to train on than there are folds."""
        counts = np.bincount(experiment.train_target, minlength=len(target.labels or ()))
        rare = {
            str(label): int(count)
            for label, count in zip(target.labels or (), counts, strict=True)
            if count < folds
        }
        if rare:
            listed = ", ".join(f"“{label}” ({count})" for label, count in list(rare.items())[:10])
            reporter.report_data_change(
                "rare_classes",
                f"Classes with fewer rows to train on than the {folds} folds: {listed}. Folds that lack one are scored "
                "by the others.",
                [target.name],
                classes=rare,
                folds=folds,
                labels=len(counts),
            )


TASK = Classification()
