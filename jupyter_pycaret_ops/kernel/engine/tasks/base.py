"""What a task has to provide."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from jupyter_pycaret_ops.common.protocol import RunSpec
from jupyter_pycaret_ops.common.task_types import TaskType

from ..event_reporter import EventReporter
from ..experiments import Experiment
from ..interfaces import Frame, PlanFailed
from ..limits import Limits
from ..parameters import Param
from ..prepared_task import PreparedTask
from ..settings import engine_params


class Task(ABC):
    """One kind of problem: how its data are prepared, set up, kept and served."""

    #: what other processes know of it as well
    type: ClassVar[TaskType]
    #: id → name of the plots of its best model, in the order in which they are drawn and shown
    plots: ClassVar[dict[str, str]] = {}
    #: whether a run fails when none of its models can answer for new rows
    must_serve: ClassVar[bool] = True

    @property
    def id(self) -> str:
        """The task's id in a run's specification."""
        return self.type.id

    def engine_class(self) -> Any:
        """The engine's experiment class."""
        import pycaret.tasks

        return getattr(pycaret.tasks, self.type.experiment_class)

    def setup_params(self) -> list[Param]:
        """What `setup_params` of a run may hold: the engine's that work, as installed, and ours."""
        return [*engine_params(self.engine_class()), *self.own_params()]

    @abstractmethod
    def own_params(self) -> list[Param]:
        """Set-up parameters that the engine does not have."""

    @abstractmethod
    def prepare(
        self,
        spec: RunSpec,
        frame: Frame,
        reporter: EventReporter,
        limits: Limits,
        metric: str | None,
    ) -> PreparedTask:
        """Prepare `frame` and fit the experiment; raises `PlanFailed` when either cannot be."""

    @abstractmethod
    def toy_experiment(self, reporter: EventReporter) -> Experiment:
        """An experiment fitted on a few rows, to ask the engine what it offers."""

    def _metric(self, experiment: Experiment, metric: str | None) -> tuple[str, bool]:
        name = metric or self.type.default_metric
        if name not in experiment.metrics:
            raise PlanFailed(
                "user",
                f"There is no metric “{name}”; there are: {', '.join(experiment.metrics)}.",
            )
        return name, experiment.metrics[name]
