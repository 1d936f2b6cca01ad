"""A task with prepared data and a fitted experiment, as plans use it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_pycaret_ops.common.protocol import JSON, RunSpec

from .event_reporter import EventReporter
from .experiments import Experiment
from .interfaces import Estimator, PlanFailed
from .leaderboard import Leaderboard, Scored
from .limits import Limits
from .notebook_objects import NO_OBJECTS, NotebookObjects
from .scoring.base import Scorer

if TYPE_CHECKING:
    from .tasks.base import Task


@dataclass(kw_only=True)
class PreparedTask(ABC):
    """What `Task.prepare` returns; a task has its own subclass with the data that its methods need.

    `settings` are the set-up parameters as used; `scorer` has as many folds as the data allow; `metric`
    orders the leaderboard, None where models are not scored; `target` is the name of the column to
    predict, None where there is none.
    """

    spec: RunSpec
    reporter: EventReporter
    limits: Limits
    task: Task
    experiment: Experiment
    scorer: Scorer
    settings: JSON
    metric: str | None
    greater_is_better: bool
    target: str | None = None
    #: the leaderboard record of the baseline, None where there is none
    baseline: JSON | None = None
    #: objects of the notebook that parameters name
    own: NotebookObjects = NO_OBJECTS
    #: metric → value of the best model on the hold-out, fitted on the training part; None where it was not scored
    holdout: JSON | None = None

    @property
    def holdout_rows(self) -> int | None:
        """The number of rows of the hold-out, None where there is none."""
        return None

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """The number of rows that a final pipeline is fitted on."""

    @abstractmethod
    def final_pipeline(self, estimator: Estimator) -> Estimator:
        """Fit a clone of `estimator` on all rows.

        The pipeline takes the user's raw columns, a DataFrame of shape (n_rows, n_columns), and
        predicts the user's labels.
        """

    @abstractmethod
    def input_schema(self, pipeline: Estimator) -> JSON:
        """Return the JSON Schema of one row of a final pipeline, with an example."""

    def reading(self) -> dict[str, JSON]:
        """Return how each column of the data was read, and how many of its values the models saw."""
        return {}

    def training_profile(self) -> JSON | None:
        """Return how the rows of a final pipeline are distributed, None where there is nothing to compare with."""
        return None

    def snapshot_facts(self) -> JSON:
        """Return what the snapshot of a run records besides the settings."""
        return {}

    def servability_error(self, pipeline: Estimator, schema: JSON) -> str | None:
        """Return why a final pipeline cannot be served although it was fitted, or None."""
        return None

    @property
    def positive_label(self) -> Any:
        """The positive one of two labels, None for other targets."""
        return None

    def baseline_name(self) -> str:
        """Return the name of the baseline on a leaderboard: what it answers."""
        return "Baseline"

    def baseline_words(self) -> str:
        """Return what the baseline does, as in “better than always answering No”."""
        return "the baseline"

    def rare_share(self) -> float | None:
        """Return the share of rows that do not have the most frequent label, None for other targets."""
        return None

    def score_holdout(self, fitted: Estimator) -> JSON | None:
        """Return metric → value on the hold-out, None where there is none.

        `fitted` : a result of `experiment.fit_for_plots`. Raises whatever the model raises.
        """
        return None

    def note_threshold(self, model: Scored) -> None:
        """Write into the record of a scored model from which probability it answers the positive label."""
        return

    def with_threshold(self, pipeline: Estimator, record: JSON) -> Estimator:
        """Return a final pipeline that answers by the threshold in the record of its model, if there is one."""
        return pipeline

    def store_outputs(self, model: Scored) -> None:
        """Store what a scored model has answered for the rows of folds that it was not fitted on."""
        return

    def score_jointly(self, board: Leaderboard) -> None:
        """Fill in the metrics that need several scored models at once."""
        return

    def draw(self, pipeline: Estimator, plot: str, left_s: float) -> JSON | None:
        """Return a figure as plain JSON with the user's labels; None where it does not apply.

        `pipeline` is a result of `experiment.fit_for_plots`. Raises `plots.PlotTooSlow` when it would take longer than
        `left_s` seconds, and whatever the engine raises.
        """
        return None

    def save_extras(self, best: Scored, pipeline: Estimator | None) -> None:
        """Store the other files of the best model.

        `pipeline` is the best final pipeline, None where none was kept.
        """
        return

    def compose(self, function: str, *args: Any, **options: Any) -> Estimator:
        """Return the unfitted estimator that an engine function builds of others.

        `function` is one of `ensemble_model`, `calibrate_model`, `blend_models` and `stack_models`.
        Raises `PlanFailed` where the task or a model cannot be composed.
        """
        raise PlanFailed("user", f"{self.task.id} models cannot be combined.")

    def inner_splitter(self) -> Any:
        """Return the splitter to use within each fit of a composed model.

        Raises `PlanFailed` where the task has no composed models.
        """
        raise PlanFailed("user", f"{self.task.id} models cannot be combined.")
