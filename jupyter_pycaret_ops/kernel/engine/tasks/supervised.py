"""The base classes of classification and regression."""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from jupyter_pycaret_ops.common.engine_facts import DEFAULT_SEED
from jupyter_pycaret_ops.common.protocol import JSON, RunSpec
from jupyter_pycaret_ops.common.tables.column_reading import ColumnReading

from ...reading.columns import NO_SETTINGS, ReadingSettings, file_settings, read_columns
from .. import features, input_schema, labels, out_of_fold, plots
from ..error_messages import describe_error
from ..event_reporter import EventReporter
from ..experiments import SupervisedExperiment, set_default_seed
from ..interfaces import Column, Estimator, Frame, PlanFailed
from ..json_values import plain
from ..labels import Target
from ..leaderboard import Scored
from ..limits import Limits
from ..parameters import Param, grouped
from ..preparation import Preparation, make_recipe
from ..preparation import params as preparing
from ..prepared_task import PreparedTask
from ..reading_params import READING_NAMES, READING_PARAMS, reading_settings
from ..scoring.custom import read_custom_metrics
from ..scoring.supervised import FoldScorer, fitted
from ..training_profile import profile_training
from ..validation import NAMES as VALIDATION_NAMES
from ..validation import VALIDATION_PARAMS, Validation, column_params, read_validation
from .base import Task, report_preprocessing

#: with fewer rows neither a hold-out nor two folds can be made
MIN_ROWS = 6

#: rows of the hold-out that are copies, and their share of it, from which they are reported
MIN_COPIES = 2
MIN_SHARE_OF_COPIES = 0.01

IMPORTANCE_AXIS = "How much the score drops without this column"
#: how many times permutation importance shuffles each column
N_REPEATS = 5


@dataclass(kw_only=True)
class PreparedSupervised(PreparedTask):
    """A prepared task with `table`, the raw features, and `target_data`, the target of the same rows.

    `row_numbers` : the places of these rows in the data, int64 array of shape (n_rows,).
    """

    experiment: SupervisedExperiment
    table: features.Table
    target_data: Target
    row_numbers: Any

    @property
    def n_rows(self) -> int:
        """The number of rows with a target."""
        return len(self.table.raw)

    def final_pipeline(self, estimator: Estimator) -> Estimator:
        """Fit model and preprocessing on all rows; the engine's `finalize_model` refits the model only."""
        from sklearn.base import clone
        from sklearn.pipeline import Pipeline

        steps = [(name, clone(step)) for name, step in self.experiment.preprocessing_steps]
        model = set_default_seed(clone(estimator), self.settings["session_id"])
        raw, target = self.table.raw, self.target_data.given
        if self.settings["remove_outliers"] and self.experiment.preparation is None:
            raw, target = self._without_outliers(steps, raw, target)
        step = ("model", self.wrap_estimator(model))
        pipeline = Pipeline([("input", self.table.step), *steps, step])
        weights = self.experiment.validation and self.experiment.validation.weights
        return fitted(pipeline, raw, target, weights)

    def reading(self) -> dict[str, JSON]:
        """See `PreparedTask.reading`."""
        found = self.table.reading()
        found[self.target_data.name]["used"] = self.n_rows
        return found

    def wrap_estimator(self, model: Estimator) -> Estimator:
        """Return the model, wrapped to predict the user's labels."""
        return model

    def input_schema(self, pipeline: Estimator) -> JSON:
        """Describe the features; see `input_schema.describe_input`."""
        return input_schema.describe_input(
            self.table,
            task=self.task.id,
            target=self.target,
            labels=self.target_data.labels,
            proba=hasattr(pipeline, "predict_proba"),
        )

    def snapshot_facts(self) -> JSON:
        """Return how columns were prepared."""
        preparation = self.experiment.preparation
        recorded = {"kind": preparing.PYCARET} if preparation is None else preparation.to_json()
        validation = self.experiment.validation
        split = {} if validation is None else validation.to_json(self.scorer.n_folds)
        return {"preparation": recorded, "validation": split}

    def training_profile(self) -> JSON | None:
        """Describe the features and the target."""
        return profile_training(self.table, self.target_data)

    @property
    def holdout_rows(self) -> int | None:
        """The number of rows of the hold-out."""
        return self.experiment.sizes["test"]

    def score_holdout(self, fitted: Estimator) -> JSON | None:
        """Score with the metrics of the folds; see `PreparedTask.score_holdout`."""
        experiment, scorer = self.experiment, self.scorer
        assert isinstance(scorer, FoldScorer)
        found = scorer.evaluate(
            fitted, experiment.holdout, experiment.holdout_target, experiment.holdout_weights
        )
        return plain(found.metrics)  # type: ignore[no-any-return]

    def store_outputs(self, model: Scored) -> None:
        """Store what the model has answered in cross-validation."""
        assert isinstance(self.scorer, FoldScorer)
        at = self.scorer.target.index.to_numpy()  # without outliers that the engine has left out
        out_of_fold.store(
            self.reporter,
            model,
            self.scorer.splits,
            rows=self.row_numbers[at],
            given=self.target_data.given[at],
            labels=self.target_data.labels,
        )

    def draw(self, pipeline: Estimator, plot: str, left_s: float) -> JSON | None:
        """Draw with the engine, on the hold-out."""
        options = {}
        if plot == "permutation":
            if self._permutation_s(pipeline) > left_s:
                raise plots.PlotTooSlow
            options = {"n_repeats": N_REPEATS}
        figure = plots.as_json(self.experiment.plot(pipeline, plot, **options))
        if plot == "permutation":
            _name_columns(self.table, figure)
            figure["layout"]["xaxis"]["title"] = {"text": IMPORTANCE_AXIS}
        if self.target_data.labels is not None:
            plots.apply_labels(figure, self.target_data.labels)
        return figure

    def compose(self, function: str, *args: Any, **options: Any) -> Estimator:
        """Return the unfitted estimator that an engine function builds; see `PreparedTask.compose`."""
        return self.experiment.compose(function, *args, **options)

    def inner_splitter(self) -> Any:
        """Return a splitter with as many folds as the data of a fold allow."""
        n_folds = self.scorer.n_folds
        return self.experiment.splitter(max(2, min(n_folds, self.smallest_class(n_folds))))

    def smallest_class(self, n_folds: int) -> int:
        """Return how many rows every class has at least when a fold is left out; `n_folds` where there are none."""
        return n_folds

    def _permutation_s(self, pipeline: Estimator) -> float:
        """Estimate the seconds that permutation importance takes, from one prediction of the hold-out."""
        features_held_out = self.experiment.holdout
        started_at = time.monotonic()
        pipeline.predict(features_held_out)
        return (time.monotonic() - started_at) * (N_REPEATS * int(features_held_out.shape[1]) + 1)

    def _without_outliers(self, steps: Any, raw: Any, target: Any) -> Any:
        # as the engine does it on its training part
        from sklearn.base import clone
        from sklearn.ensemble import IsolationForest

        columns = clone(steps[0][1])
        encoded = columns.fit_transform(self.table.step.transform(raw))
        forest = IsolationForest(
            contamination=0.05, random_state=self.settings["session_id"], n_jobs=1
        )
        is_inlier = forest.fit_predict(encoded) == 1
        return raw[is_inlier], target[is_inlier]


class Supervised(Task):
    """A task with a target column, scored by cross-validation."""

    prepared_class: ClassVar[type[PreparedSupervised]] = PreparedSupervised
    baseline: ClassVar[str | None] = "dummy"
    #: parameters that say how labels are read
    label_params: ClassVar[list[Param]] = []
    _reserved: ClassVar[frozenset[str]] = frozenset({"prediction_label", "prediction_score"})

    @abstractmethod
    def read_target(
        self,
        series: Column,
        name: str,
        reading: ColumnReading,
        reporter: EventReporter,
        settings: JSON,
    ) -> Target:
        """Return the target of a column without missing values, Series of shape (n_rows,)."""

    @abstractmethod
    def check_split(self, target: Target, train_size: float) -> None:
        """Raise `PlanFailed` when the rows cannot be split into training part and hold-out."""

    @abstractmethod
    def max_folds(self, train_target: Any) -> tuple[int, str]:
        """Return how many folds the training part allows, and the reason for a message.

        `train_target` : array of shape (n_rows,), as encoded.
        """

    def warn_of_folds(
        self, experiment: SupervisedExperiment, target: Target, folds: int, reporter: EventReporter
    ) -> None:
        """Report what some folds lack."""
        return

    def own_params(self) -> list[Param]:
        """Return the parameters that say how columns are read and prepared."""
        target_params = [] if self.type.answers == "labels" else preparing.TARGET_PARAMS
        own = [preparing.PREPARATION, *preparing.OWN_PARAMS, *target_params]
        return [
            *grouped("reading", [*READING_PARAMS, *self.label_params]),
            *grouped("preparation", own),
            *grouped("validation", VALIDATION_PARAMS),
        ]

    def toy_experiment(self, reporter: EventReporter) -> SupervisedExperiment:
        """Return an experiment on 40 rows whose target works as two classes and as numbers."""
        data = pd.DataFrame(
            {"x": [float(i % 7) for i in range(40)], "y": [i % 2 for i in range(40)]}
        )
        settings = {"session_id": DEFAULT_SEED, "target": "y"}
        return SupervisedExperiment(self.engine_class(), data, reporter, settings)

    def prepare(
        self,
        spec: RunSpec,
        frame: Frame,
        reporter: EventReporter,
        limits: Limits,
        metric: str | None,
    ) -> PreparedTask:
        """See `Task.prepare`."""
        settings = self._read_settings(spec)
        preparing.check(settings)
        file = file_settings(spec.data)
        n_held = 0 if spec.holdout is None else int(spec.holdout.options["rows"])
        table, target, validation, rows = self.read_data(
            frame, spec.target, settings, reporter, file, n_held
        )
        if validation.held is None:
            self.check_split(target, settings["train_size"])
        reporter.checkpoint()
        experiment = self._fit(table, target, settings, reporter, validation)
        name, is_greater_better = self._metric(experiment, metric)
        folds = self._folds(experiment, settings["fold"], reporter)
        self.warn_of_folds(experiment, target, folds, reporter)
        sizes = experiment.sizes
        reporter.report(
            "data.split",
            f"{sizes['train']} rows to train on, {sizes['test']} held out, {folds} folds",
            {**sizes, "folds": folds},
        )
        _report_copies(experiment, reporter)
        report_preprocessing(experiment.preprocessing, reporter)
        without = experiment.models_without_weights() if validation.weights is not None else []
        if without:
            reporter.warn(
                f"These models take no weights; {settings['sample_weight']} counts in their metrics only: "
                f"{', '.join(without)}.",
                reason="sample_weight",
            )
        return self.prepared_class(
            spec=spec,
            reporter=reporter,
            limits=limits,
            task=self,
            experiment=experiment,
            scorer=experiment.scorer(folds),
            settings=settings,
            metric=name,
            greater_is_better=is_greater_better,
            target=target.name,
            table=table,
            target_data=target,
            row_numbers=rows,
        )

    def read_data(
        self,
        frame: Frame,
        target: str | None,
        settings: JSON,
        reporter: EventReporter,
        file: ReadingSettings = NO_SETTINGS,
        n_held: int = 0,
    ) -> tuple[features.Table, Target, Validation, Any]:
        """Return the rows and columns that are used, their target, how the rows are split, and their places in `frame`.

        `file` : what the file says of its columns; `n_held` : so many rows, the last ones, are held out. Rows without a target are left out. Raises `PlanFailed` when too little is left.
        """
        named = features.with_unique_names(frame, reporter).reset_index(drop=True)
        name = features.find_target(named, target)
        reading = reading_settings(settings, named.columns, file=file)
        is_label = self.type.answers == "labels"
        # of all rows, as the profile reads them; a table that is held out decides nothing
        readings = read_columns(named[: len(named) - n_held], reading, target=name)
        target_reading = readings.pop(name)
        named = labels.drop_missing_target(named, name, target_reading, reporter, is_label=is_label)
        if settings.get("merge_levels"):
            named = named.assign(**{name: labels.merge_levels(named[name], name, reporter)})
        if settings.get("drop_rare_classes"):
            named = labels.drop_rare_classes(named, name, reporter)
        rows = named.index.to_numpy()
        named = named.reset_index(drop=True)
        read_target = self.read_target(named[name], name, target_reading, reporter, settings)
        held = rows >= len(frame) - n_held if n_held else None
        if held is not None:
            _check_held(read_target, held)
        validation = read_validation(named, readings, settings, is_label=is_label, held=held)
        ignored = [
            *settings["ignore_features"],
            *(
                column
                for column in dict.fromkeys(column_params(settings).values())
                if column not in settings["keep_features"]
                and column not in settings["ignore_features"]
            ),
        ]
        table = features.read_features(
            named.drop(columns=[name]),
            ignored,
            {name, *self._reserved},
            reporter,
            reading,
            readings,
        )
        table.readings[name] = target_reading
        if len(named) < MIN_ROWS:
            raise PlanFailed(
                "user",
                f"There are {len(named)} rows with a target; give at least {MIN_ROWS}.",
            )
        return table, read_target, validation, rows

    def _fit(
        self,
        table: features.Table,
        target: Target,
        settings: JSON,
        reporter: EventReporter,
        validation: Validation | None = None,
    ) -> SupervisedExperiment:
        data = table.step.transform(table.raw)
        preparation = None
        if settings["preparation"] != preparing.PYCARET:
            recipe = make_recipe(table, data, settings)
            preparation = Preparation(recipe, settings, _target_type(target))
        data[target.name] = target.encoded
        engine_settings = {
            name: value
            for name, value in preparing.engine_settings(settings).items()
            if name not in READING_NAMES | VALIDATION_NAMES
        }
        engine_settings["target"] = target.name
        custom = read_custom_metrics(
            settings["custom_metrics"], target.encoded, is_label=target.labels is not None
        )
        try:
            return SupervisedExperiment(
                self.engine_class(),
                data,
                reporter,
                engine_settings,
                preparation,
                validation,
                custom,
            )
        except PlanFailed:
            raise
        except Exception as error:
            raise PlanFailed(
                "engine", f"The data could not be set up for training: {describe_error(error)}"
            ) from error

    def _folds(
        self, experiment: SupervisedExperiment, requested: int, reporter: EventReporter
    ) -> int:
        maximum, reason = self.max_folds(experiment.train_target)
        validation = experiment.validation
        if validation is not None:
            own = validation.max_folds(experiment.train_positions)
            if validation.strategy == "predefined" and own is not None:
                return own[0]
            maximum, reason = own or (maximum, reason)
        folds = max(2, min(int(requested), maximum))
        if folds < requested:
            reporter.report_data_change(
                "folds_reduced",
                f"Cross-validation uses {folds} folds instead of {requested}: {reason}.",
                requested=requested,
                folds=folds,
            )
        return folds


def _report_copies(experiment: SupervisedExperiment, reporter: EventReporter) -> None:
    """Report rows of the hold-out that are in the training part as well: they are no test."""
    n_copies, n_rows = experiment.copies_held_out(), experiment.sizes["test"]
    if n_copies >= MIN_COPIES and n_copies >= MIN_SHARE_OF_COPIES * n_rows:
        reporter.report_data_change(
            "copies_held_out",
            f"{n_copies} of the {n_rows} rows that are held out ({n_copies / n_rows:.0%}) are in the training part as "
            "well, with the same target: scores are too good by what models remember.",
            rows=n_copies,
            share=round(n_copies / n_rows, 4),
        )


def _check_held(target: Target, held: Any) -> None:
    """Raise `PlanFailed` where a table to hold out has no row with a target, or labels that the other lacks."""
    if not held.any():
        raise PlanFailed("user", f"The table to hold out has no value in “{target.name}”.")
    if target.labels is None:
        return
    unknown = sorted(set(target.encoded[held].tolist()) - set(target.encoded[~held].tolist()))
    if unknown:
        listed = features.quote_names([str(target.labels[code]) for code in unknown[:10]])
        raise PlanFailed(
            "user",
            f"The table to hold out has labels of “{target.name}” that the other one lacks: {listed}. Write them as "
            "there, or leave these rows out.",
        )


def _target_type(target: Target) -> str:
    """Return what scikit-learn's `TargetEncoder` calls the target."""
    if target.labels is None:
        return "continuous"
    return "binary" if len(target.labels) == 2 else "multiclass"


def _name_columns(table: features.Table, figure: JSON) -> None:
    """Replace engine columns in `figure` by the user's names; a part of a date by `ordered (month)`."""
    names = {}
    for column in table.columns:
        names[column["safe"]] = column["name"]
        for part in column["parts"]:
            names[f"{column['safe']}_{part}"] = f"{column['name']} ({part})"
    for trace in figure["data"]:
        trace["y"] = [names.get(name, name) for name in trace["y"]]
