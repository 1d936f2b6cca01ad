"""The task types: one descriptor for each task. No other code names a task by its id.

A new task is one descriptor in `TASK_TYPES` and one module of that name in `kernel/engine/tasks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

#: whether a run names a column to predict
TargetUse: TypeAlias = Literal["required", "optional", "refused"]
#: kind of output of a pipeline for a row
Answers: TypeAlias = Literal["labels", "numbers", "clusters", "flags", "steps"]


@dataclass(frozen=True, slots=True)
class TaskType:
    """The facts about a task that every process knows."""

    id: str
    #: name in interfaces
    name: str
    target: TargetUse
    answers: Answers
    #: orders the leaderboard where a plan names no other metric
    default_metric: str
    #: class in `pycaret.tasks`
    experiment_class: str
    #: extra of this package that installs the task; None where it is always installed
    extra: str | None = None
    #: module that has to be installed for the task
    library: str = "sklearn"

    @property
    def rows_are_steps(self) -> bool:
        """Whether a row to predict is a step after the training data."""
        return self.answers == "steps"

    @property
    def engine_task(self) -> str:
        """The engine's own name for the task: `TimeSeriesExperiment` → `time_series`."""
        stem = self.experiment_class.removesuffix("Experiment")
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", stem).lower()

    @property
    def is_supervised(self) -> bool:
        """Whether models learn a target column from feature columns."""
        return self.answers in ("labels", "numbers")


CLASSIFICATION = TaskType(
    "classification",
    "Classification",
    target="required",
    answers="labels",
    default_metric="Accuracy",
    experiment_class="ClassificationExperiment",
)
REGRESSION = TaskType(
    "regression",
    "Regression",
    target="required",
    answers="numbers",
    default_metric="R2",
    experiment_class="RegressionExperiment",
)
CLUSTERING = TaskType(
    "clustering",
    "Clustering",
    target="refused",
    answers="clusters",
    default_metric="Silhouette",
    experiment_class="ClusteringExperiment",
)
ANOMALY = TaskType(
    "anomaly",
    "Anomaly detection",
    target="refused",
    answers="flags",
    default_metric="Agreement",
    experiment_class="AnomalyExperiment",
    extra="anomaly",
    library="pyod",
)
TIME_SERIES = TaskType(
    "time_series",
    "Time series",
    target="optional",
    answers="steps",
    default_metric="MASE",
    experiment_class="TimeSeriesExperiment",
    extra="timeseries",
    library="sktime",
)

_ALL = (CLASSIFICATION, REGRESSION, CLUSTERING, ANOMALY, TIME_SERIES)
#: by id, in the order in which interfaces show them
TASK_TYPES: Mapping[str, TaskType] = MappingProxyType({task.id: task for task in _ALL})


def task_ids(condition: Callable[[TaskType], bool]) -> frozenset[str]:
    """Return the ids of the tasks that satisfy `condition`."""
    return frozenset(task.id for task in TASK_TYPES.values() if condition(task))
