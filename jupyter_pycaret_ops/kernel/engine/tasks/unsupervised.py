"""The base classes of clustering and anomaly detection."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.engine_facts import DEFAULT_SEED
from jupyter_pycaret_ops.common.protocol import JSON, RunSpec

from ...reading.columns import file_settings
from .. import features, input_schema
from ..error_messages import describe_error
from ..event_reporter import EventReporter
from ..experiments import UnsupervisedExperiment, set_default_seed
from ..interfaces import Estimator, Frame, PlanFailed
from ..leaderboard import Scored
from ..limits import Limits
from ..notebook_objects import NO_OBJECTS, NotebookObjects
from ..parameters import Param, grouped
from ..preparation import Preparation, make_recipe
from ..preparation import params as preparing
from ..prepared_task import PreparedTask
from ..reading_params import READING_NAMES, READING_PARAMS, reading_settings
from ..training_profile import profile_training
from .base import Task, report_preprocessing

MIN_ROWS = 5
#: number of rows predicted in one batch and one by one, to compare the outputs
_N_ROWS_COMPARED = 8
ASSIGNMENTS = "assignments.csv"
_NORMALIZE = "Scale numbers, so that each column has as much say; with preparation “pycaret” only where it is given."


@dataclass(kw_only=True)
class PreparedUnsupervised(PreparedTask):
    """A prepared task with `table`, the raw columns."""

    experiment: UnsupervisedExperiment
    table: features.Table

    @abstractmethod
    def wrap_estimator(self, model: Estimator) -> Estimator:
        """Return the model, wrapped as `portable` class; raises for a model that cannot be fitted so."""

    @abstractmethod
    def assignments(self, outputs: Any) -> Frame:
        """Return the best model's outputs (`Scores.outputs`) as a table to download, one row for each row."""

    @property
    def n_rows(self) -> int:
        """The number of rows of the table: all are used."""
        return len(self.table.raw)

    def final_pipeline(self, estimator: Estimator) -> Estimator:
        """Fit preprocessing and model on all rows."""
        from sklearn.base import clone
        from sklearn.pipeline import Pipeline

        steps = [(name, clone(step)) for name, step in self.experiment.preprocessing_steps]
        model = set_default_seed(clone(estimator), self.settings["session_id"])
        step = ("model", self.wrap_estimator(model))
        pipeline = Pipeline([("input", self.table.step), *steps, step])
        return pipeline.fit(self.table.raw)

    def input_schema(self, pipeline: Estimator) -> JSON:
        """Describe the columns that are used; see `input_schema.describe_input`."""
        return input_schema.describe_input(
            self.table, task=self.task.id, target=None, labels=None, proba=False
        )

    def training_profile(self) -> JSON | None:
        """Describe the columns that are used."""
        return profile_training(self.table)

    def servability_error(self, pipeline: Estimator, schema: JSON) -> str | None:
        """Refuse models that cannot predict, or whose output for a row depends on the rows in its batch."""
        if not hasattr(pipeline[-1].estimator_, "predict"):
            return "it assigns only the rows that it was fitted on and cannot predict new ones."
        raw = self.table.raw
        positions = np.unique(np.linspace(0, len(raw) - 1, _N_ROWS_COMPARED).astype(int))
        rows = raw.iloc[positions]
        try:
            batch = self.outputs(pipeline, rows)
            single = np.concatenate(
                [self.outputs(pipeline, rows.iloc[[i]]) for i in range(len(rows))]
            )
        except Exception as error:
            return f"it cannot predict new rows ({describe_error(error)})."
        if not _are_equal(batch, single):
            return "its output for a row depends on the other rows of the request."
        return None

    def outputs(self, pipeline: Estimator, rows: Frame) -> Any:
        """Return all outputs of a pipeline for `rows`, an array of shape (n_rows,) or (n_rows, 2)."""
        return np.asarray(pipeline.predict(rows))

    def reading(self) -> dict[str, JSON]:
        """See `PreparedTask.reading`."""
        return self.table.reading()

    def snapshot_facts(self) -> JSON:
        """Return how columns were prepared."""
        preparation = self.experiment.preparation
        return {
            "preparation": {"kind": preparing.PYCARET}
            if preparation is None
            else preparation.to_json()
        }

    def save_extras(self, best: Scored, pipeline: Estimator | None) -> None:
        """Store the best model's outputs for all rows as `assignments.csv`."""
        if best.outputs is None:
            return
        content = self.assignments(best.outputs).to_csv(index=False).encode()
        self.reporter.store(ASSIGNMENTS, "assignments", content, "text/csv", best.model_id)


class Unsupervised(Task):
    """A task without a target: models are fitted on all rows and scored on them."""

    must_serve = False
    prepared_class: ClassVar[type[PreparedUnsupervised]]
    _reserved: ClassVar[frozenset[str]] = frozenset({"Cluster", "Anomaly", "Anomaly_Score"})

    @abstractmethod
    def make_experiment(
        self,
        data: Frame,
        reporter: EventReporter,
        settings: JSON,
        preparation: Preparation | None = None,
    ) -> UnsupervisedExperiment:
        """Return the experiment, fitted on `data` of shape (n_rows, n_engine_columns)."""

    def toy_experiment(self, reporter: EventReporter) -> UnsupervisedExperiment:
        """Return an experiment on 40 rows and two columns."""
        data = pd.DataFrame(
            {"x": [float(i % 7) for i in range(40)], "y": [float(i % 2) for i in range(40)]}
        )
        return self.make_experiment(data, reporter, {"session_id": DEFAULT_SEED})

    def setup_params(self) -> list[Param]:
        """See `Task.setup_params`; models that compare distances need one scale for all columns."""
        return [
            replace(param, default=True, description=_NORMALIZE)
            if param.name == "normalize"
            else param
            for param in super().setup_params()
        ]

    def _read_settings(self, spec: RunSpec) -> JSON:
        settings = super()._read_settings(spec)
        if settings["preparation"] == preparing.PYCARET:
            settings["normalize"] = bool(spec.setup_params.get("normalize"))
        return settings

    def own_params(self) -> list[Param]:
        """Return the parameters that say how columns are read and prepared."""
        return [
            *grouped("reading", READING_PARAMS),
            *grouped("preparation", preparing.UNSUPERVISED_PARAMS),
        ]

    def prepare(
        self,
        spec: RunSpec,
        frame: Frame,
        reporter: EventReporter,
        limits: Limits,
        metric: str | None,
        own: NotebookObjects = NO_OBJECTS,
    ) -> PreparedUnsupervised:
        """See `Task.prepare`."""
        if spec.target is not None:
            raise PlanFailed(
                "user",
                f"{self.id} predicts no column, so it takes no target; to leave “{spec.target}” out, "
                "name it in ignore_features.",
            )
        settings = self._read_settings(spec)
        preparing.check(settings)
        named = features.with_unique_names(frame, reporter)
        if spec.data.kind == "sklearn" and "target" in named:
            reporter.report_data_change(
                "columns_ignored", "The sample set's target was left out.", ["target"]
            )
            named = named.drop(columns=["target"])
        if len(named) < MIN_ROWS:
            raise PlanFailed("user", f"There are {len(named)} rows; give at least {MIN_ROWS}.")
        table = features.read_features(
            named,
            settings["ignore_features"],
            set(self._reserved),
            reporter,
            reading_settings(settings, named.columns, file=file_settings(spec.data)),
        )
        reporter.checkpoint()
        experiment = self._fitted_experiment(table, settings, reporter)
        name, is_greater_better = self._metric(experiment, metric)
        report_preprocessing(experiment.preprocessing, reporter)
        return self.prepared_class(
            spec=spec,
            reporter=reporter,
            limits=limits,
            task=self,
            experiment=experiment,
            scorer=experiment.scorer(1),
            settings=settings,
            metric=name,
            greater_is_better=is_greater_better,
            table=table,
        )

    def _fitted_experiment(
        self, table: features.Table, settings: JSON, reporter: EventReporter
    ) -> UnsupervisedExperiment:
        data = table.step.transform(table.raw)
        preparation = None
        if settings["preparation"] != preparing.PYCARET:
            used = preparing.without_target(settings)
            preparation = Preparation(make_recipe(table, data, used), used, None)
        own = {
            name: value
            for name, value in preparing.engine_settings(settings).items()
            if name not in READING_NAMES
        }
        try:
            return self.make_experiment(data, reporter, own, preparation)
        except PlanFailed:
            raise
        except Exception as error:
            raise PlanFailed(
                "engine", f"The data could not be set up for training: {describe_error(error)}"
            ) from error


def _are_equal(first: Any, second: Any) -> bool:
    if first.dtype.kind == "f":
        return bool(np.allclose(first, second, rtol=1e-6, atol=1e-9))
    return bool((first == second).all())
