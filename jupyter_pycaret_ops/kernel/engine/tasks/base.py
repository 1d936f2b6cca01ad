"""The base class of tasks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from jupyter_pycaret_ops.common.engine_facts import DEFAULT_SEED
from jupyter_pycaret_ops.common.protocol import JSON, RunSpec
from jupyter_pycaret_ops.common.task_types import TaskType

from ..event_reporter import EventReporter
from ..experiments import Experiment
from ..interfaces import Frame, PlanFailed
from ..limits import Limits
from ..notebook_objects import NO_OBJECTS, NotebookObjects
from ..parameters import Param, read
from ..prepared_task import PreparedTask
from ..settings import engine_params


class Task(ABC):
    """One kind of problem: how its data are prepared and its experiment is fitted."""

    #: the descriptor, which other processes know as well
    type: ClassVar[TaskType]
    #: id of the model that learns nothing from the columns; None where there is none
    baseline: ClassVar[str | None] = None
    #: id → name of the plots of the best model, in the order in which they are drawn and shown
    plots: ClassVar[dict[str, str]] = {}
    #: whether a run fails when none of its models can predict new rows
    must_serve: ClassVar[bool] = True

    @property
    def id(self) -> str:
        """The task's id in a run's specification."""
        return self.type.id

    def engine_class(self) -> Any:
        """Return the engine's experiment class."""
        import pycaret.tasks

        return getattr(pycaret.tasks, self.type.experiment_class)

    def setup_params(self) -> list[Param]:
        """Return what `setup_params` of a run may hold: the installed engine's, if they work, and ours."""
        return [*engine_params(self.engine_class()), *self.own_params()]

    @abstractmethod
    def own_params(self) -> list[Param]:
        """Return the set-up parameters that the engine does not have."""

    @abstractmethod
    def prepare(
        self,
        spec: RunSpec,
        frame: Frame,
        reporter: EventReporter,
        limits: Limits,
        metric: str | None,
        own: NotebookObjects = NO_OBJECTS,
    ) -> PreparedTask:
        """Prepare `frame` and fit the experiment; raises `PlanFailed` when either fails.

        `frame` : DataFrame of shape (n_rows, n_columns) with the user's raw columns, any dtypes.
        `metric` : orders the leaderboard, None for the default metric of the task; `own` : objects of the notebook
        that parameters name.
        """

    @abstractmethod
    def toy_experiment(self, reporter: EventReporter) -> Experiment:
        """Return an experiment fitted on a small generated table, to list models and metrics."""

    def _read_settings(self, spec: RunSpec) -> JSON:
        """Return the set-up parameters of a run over the defaults, always with a seed."""
        settings = read(spec.setup_params, self.setup_params(), "set-up parameter")
        if settings["session_id"] is None:
            settings["session_id"] = DEFAULT_SEED
        return settings

    def _metric(self, experiment: Experiment, metric: str | None) -> tuple[str, bool]:
        name = metric or self.type.default_metric
        if name not in experiment.metrics:
            raise PlanFailed(
                "user",
                f"There is no metric “{name}”; there are: {', '.join(experiment.metrics)}.",
            )
        return name, experiment.metrics[name]


def report_preprocessing(preprocessing: JSON, reporter: EventReporter) -> None:
    """Report which columns the fitted preprocessor takes as numbers and as text."""
    numeric, categorical = preprocessing["numeric"], preprocessing["categorical"]
    reporter.report(
        "preprocessor.fitted",
        f"{len(numeric)} numeric and {len(categorical)} text columns prepared",
        preprocessing,
    )
