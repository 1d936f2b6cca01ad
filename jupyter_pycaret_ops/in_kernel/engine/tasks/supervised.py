"""What classification and regression share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from jupyter_pycaret_ops.protocol import JSON, RunSpec

from .. import frames, labels
from ..contracts import Column, Frame, PlanFailed
from ..events import Narrator
from ..experiment import Experiment
from ..explain import sentence_of
from ..labels import Target
from ..limits import Limits
from ..parameters import Param, read
from ..session import Session
from ..settings import DEFAULT_SEED, IGNORE_FEATURES, engine_params

#: with fewer rows neither a hold-out nor two folds can be made
FEWEST_ROWS = 6

_OURS = [IGNORE_FEATURES]


class Supervised(ABC):
    """A task with a target column, cross-validated."""

    id: str
    #: the engine's experiment class, by name in `pycaret.tasks`
    experiment_class: str
    default_metric: str | None
    _reserved: ClassVar[frozenset[str]] = frozenset({"prediction_label", "prediction_score"})

    @abstractmethod
    def read_target(self, series: Column, name: str, narrator: Narrator) -> Target:
        """The target for engine and pipeline, from a column without missing values."""

    @abstractmethod
    def check_split(self, target: Target, train_size: float) -> None:
        """Raise `PlanFailed` when the rows cannot be split into training part and hold-out."""

    @abstractmethod
    def most_folds(self, train_target: Any) -> tuple[int, str]:
        """How many folds the training part allows, and what limits them."""

    def engine_class(self) -> Any:
        """The engine's experiment class."""
        import pycaret.tasks

        return getattr(pycaret.tasks, self.experiment_class)

    def setup_params(self) -> list[Param]:
        """The constructor parameters that work, as installed, and ours."""
        return engine_params(self.engine_class()) + _OURS

    def open(
        self, spec: RunSpec, frame: Frame, narrator: Narrator, limits: Limits, metric: str | None
    ) -> Session:
        """Prepare `frame` and fit the experiment; raises `PlanFailed` when either cannot be."""
        settings = read(spec.setup_params, self.setup_params(), "set-up parameter")
        if settings["session_id"] is None:
            settings["session_id"] = DEFAULT_SEED
        table, target = self.prepare(frame, spec.target, settings, narrator)
        self.check_split(target, settings["train_size"])
        narrator.checkpoint()
        experiment = self._fit(table, target, settings, narrator)
        name, is_greater_better = self._metric(experiment, metric)
        folds = self._folds(experiment, settings["fold"], narrator)
        sizes = experiment.sizes
        narrator.tell(
            "data.split",
            f"{sizes['train']} rows to train on, {sizes['test']} held out, {folds} folds",
            {**sizes, "folds": folds},
        )
        done = experiment.preprocessing
        narrator.tell(
            "preprocessor.fitted",
            f"{len(done['numeric'])} numeric and {len(done['categorical'])} text columns prepared",
            done,
        )
        return Session(
            spec=spec,
            narrator=narrator,
            limits=limits,
            table=table,
            target=target,
            experiment=experiment,
            settings=settings,
            splitter=experiment.splitter(folds),
            metric=name,
            greater_is_better=is_greater_better,
        )

    def prepare(
        self, frame: Frame, target: str | None, settings: JSON, narrator: Narrator
    ) -> tuple[frames.Table, Target]:
        """The rows and columns that are used, and the target."""
        named = frames.named(frame, narrator)
        name = frames.find_target(named, target)
        named = labels.without_missing_target(named, name, narrator)
        read_target = self.read_target(named[name], name, narrator)
        table = frames.read_features(
            named.drop(columns=[name]),
            settings["ignore_features"],
            {name, *self._reserved},
            narrator,
        )
        if len(named) < FEWEST_ROWS:
            raise PlanFailed(
                "user",
                f"There are {len(named)} rows with a target; give at least {FEWEST_ROWS}.",
            )
        return table, read_target

    def _fit(
        self, table: frames.Table, target: Target, settings: JSON, narrator: Narrator
    ) -> Experiment:
        data = table.step.transform(table.raw)
        data[target.name] = target.encoded
        ours = {param.name for param in _OURS}
        engine_settings = {k: v for k, v in settings.items() if k not in ours}
        try:
            return Experiment(self.engine_class(), data, narrator, engine_settings, target.name)
        except Exception as error:
            raise PlanFailed(
                "engine", f"The data could not be set up for training: {sentence_of(error)}"
            ) from error

    def _metric(self, experiment: Experiment, metric: str | None) -> tuple[str, bool]:
        name = metric or self.default_metric or ""
        if name not in experiment.metrics:
            raise PlanFailed(
                "user",
                f"There is no metric “{name}”; there are: {', '.join(experiment.metrics)}.",
            )
        return name, experiment.metrics[name]

    def _folds(self, experiment: Experiment, wanted: int, narrator: Narrator) -> int:
        most, reason = self.most_folds(experiment.train_target)
        folds = max(2, min(int(wanted), most))
        if folds < wanted:
            narrator.changed(
                "folds_reduced",
                f"Cross-validation uses {folds} folds instead of {wanted}: {reason}.",
                requested=wanted,
                folds=folds,
            )
        return folds
