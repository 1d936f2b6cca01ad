"""What a task has to provide."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from jupyter_pycaret_ops.common.protocol import JSON, RunSpec

from ..event_reporter import EventReporter
from ..experiments import Experiment
from ..interfaces import Estimator, Frame, PlanFailed
from ..leaderboard import Leaderboard, Scored
from ..limits import Limits
from ..parameters import Param
from ..prepared_task import Session
from ..settings import engine_params


class Task(ABC):
    """One kind of problem: how its data are prepared, set up, kept and served."""

    #: as in a run's specification
    id: ClassVar[str]
    #: the engine's experiment class, by name in `pycaret.tasks`
    experiment_class: ClassVar[str]
    #: what ranks a leaderboard if nobody says
    default_metric: ClassVar[str]
    #: id → name of the plots of its best model, in the order in which they are drawn and shown
    plots: ClassVar[dict[str, str]] = {}
    #: whether a run fails when none of its models can answer for new rows
    must_serve: ClassVar[bool] = True

    def engine_class(self) -> Any:
        """The engine's experiment class."""
        import pycaret.tasks

        return getattr(pycaret.tasks, self.experiment_class)

    def setup_params(self) -> list[Param]:
        """What `setup_params` of a run may hold: the engine's that work, as installed, and ours."""
        return [*engine_params(self.engine_class()), *self.our_params()]

    @abstractmethod
    def our_params(self) -> list[Param]:
        """Set-up parameters that the engine does not have."""

    @abstractmethod
    def open(
        self,
        spec: RunSpec,
        frame: Frame,
        reporter: EventReporter,
        limits: Limits,
        metric: str | None,
    ) -> Session:
        """Prepare `frame` and fit the experiment; raises `PlanFailed` when either cannot be."""

    @abstractmethod
    def toy_experiment(self, reporter: EventReporter) -> Experiment:
        """An experiment fitted on a few rows, to ask the engine what it offers."""

    @abstractmethod
    def final_pipeline(self, session: Session, estimator: Estimator) -> Estimator:
        """`estimator` fitted on all rows, from the user's raw columns to the user's words."""

    @abstractmethod
    def input_schema(self, session: Session, pipeline: Estimator) -> JSON:
        """What a row for a final pipeline looks like, with an example."""

    @abstractmethod
    def rows(self, session: Session) -> int:
        """How many rows a final pipeline is fitted on."""

    def facts(self, session: Session) -> JSON:
        """What the snapshot of a run says beside the settings."""
        return {}

    def fault_of(self, session: Session, pipeline: Estimator, schema: JSON) -> str | None:
        """Why a final pipeline cannot be served although it was fitted, or None."""
        return None

    def score_jointly(self, board: Leaderboard) -> None:
        """Fill in what only several scored models together can say."""
        return

    def draw(self, session: Session, pipeline: Estimator, plot: str, left_s: float) -> JSON | None:
        """A figure as plain JSON in the user's words; None where it says nothing of these data.

        `pipeline` is `session.experiment.fitted`. Raises `plots.TooSlow` when it would take longer
        than `left_s`, and whatever the engine raises.
        """
        return None

    def save_extras(self, session: Session, best: Scored, pipeline: Estimator | None) -> None:
        """Hand over what else the task keeps of its best model.

        `pipeline` is the best final pipeline, None where none was kept.
        """
        return

    def _metric(self, experiment: Experiment, metric: str | None) -> tuple[str, bool]:
        name = metric or self.default_metric
        if name not in experiment.metrics:
            raise PlanFailed(
                "user",
                f"There is no metric “{name}”; there are: {', '.join(experiment.metrics)}.",
            )
        return name, experiment.metrics[name]
