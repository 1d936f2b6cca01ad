"""The base class of classification and regression: how their data are read, split and prepared."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pandas as pd

from jupyter_pycaret_ops.common.custom_objects import (
    CUSTOM_METRICS,
    CUSTOM_PIPELINE,
    without_notebook_scorers,
)
from jupyter_pycaret_ops.common.engine_facts import DEFAULT_SEED
from jupyter_pycaret_ops.common.protocol import JSON, RunSpec
from jupyter_pycaret_ops.common.tables.column_reading import ColumnReading

from ...reading.columns import NO_SETTINGS, ReadingSettings, file_settings, read_columns
from .. import features, labels
from ..error_messages import describe_error
from ..event_reporter import EventReporter
from ..experiments import SupervisedExperiment
from ..interfaces import Column, Frame, PlanFailed
from ..labels import Target
from ..limits import Limits
from ..notebook_objects import NO_OBJECTS, NotebookObjects
from ..parameters import Param, grouped
from ..preparation import Preparation, make_recipe
from ..preparation import params as preparing
from ..prepared_task import PreparedTask
from ..reading_params import READING_NAMES, READING_PARAMS, reading_settings
from ..scoring.custom import read_custom_metrics
from ..validation import NAMES as VALIDATION_NAMES
from ..validation import VALIDATION_PARAMS, Validation, column_params, read_validation
from .base import Task, report_preprocessing
from .prepared_supervised import PreparedSupervised

#: with fewer rows neither a hold-out nor two folds can be made
MIN_ROWS = 6

#: rows of the hold-out that are copies, and their share of it, from which they are reported
MIN_COPIES = 2
MIN_SHARE_OF_COPIES = 0.01


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

    def check_plan_params(self, params: JSON, target: Target) -> None:
        """Raise `PlanFailed` for parameters of a plan that do not go with the target."""
        return

    def warn_of_folds(
        self, experiment: SupervisedExperiment, target: Target, folds: int, reporter: EventReporter
    ) -> None:
        """Report what some folds lack."""
        return

    def own_params(self) -> list[Param]:
        """Return the parameters that say how columns are read and prepared."""
        is_label = self.type.answers == "labels"
        target_params = preparing.LABEL_PARAMS if is_label else preparing.TARGET_PARAMS
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

    def _read_settings(self, spec: RunSpec) -> JSON:
        settings = super()._read_settings(
            replace(spec, setup_params=without_notebook_scorers(spec.setup_params))
        )
        return settings | {CUSTOM_METRICS: spec.setup_params.get(CUSTOM_METRICS, [])}

    def prepare(
        self,
        spec: RunSpec,
        frame: Frame,
        reporter: EventReporter,
        limits: Limits,
        metric: str | None,
        own: NotebookObjects = NO_OBJECTS,
    ) -> PreparedTask:
        """See `Task.prepare`."""
        settings = self._read_settings(spec)
        preparing.check(settings)
        file = file_settings(spec.data)
        n_held = 0 if spec.holdout is None else int(spec.holdout.options["rows"])
        table, target, validation, rows = self.read_data(
            frame, spec.target, settings, reporter, file, n_held
        )
        self.check_plan_params(spec.plan_params, target)
        if validation.held is None:
            self.check_split(target, settings["train_size"])
        overlap = validation.held_out_warning()
        if overlap is not None:
            reporter.report_data_change(
                "hold_out_overlaps", f"{overlap}: the score on it may be too good."
            )
        reporter.checkpoint()
        experiment = self._fit(table, target, settings, reporter, validation, own)
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
            own=own,
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

        `file` : what the file says of its columns; `n_held` : so many rows, the last ones, are held out. Rows without
        a target are left out. Raises `PlanFailed` when too little is left.
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
        own: NotebookObjects = NO_OBJECTS,
    ) -> SupervisedExperiment:
        data = table.step.transform(table.raw)
        preparation = None
        if settings["preparation"] != preparing.PYCARET:
            recipe = make_recipe(table, data, settings)
            steps = _own_steps(settings[CUSTOM_PIPELINE], own)
            names = {column["safe"]: column["name"] for column in table.columns}
            preparation = Preparation(recipe, settings, _target_type(target), steps, names)
        data[target.name] = target.encoded
        engine_settings = {
            name: value
            for name, value in preparing.engine_settings(settings).items()
            if name not in READING_NAMES | VALIDATION_NAMES
        }
        engine_settings["target"] = target.name
        custom = read_custom_metrics(settings[CUSTOM_METRICS], target.encoded, target.labels, own)
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


def _own_steps(names: Sequence[str], own: NotebookObjects) -> tuple[tuple[str, Any], ...]:
    """Return the steps of the notebook by their names, in the order in which they are named."""
    known = dict(own.steps)
    lacking = [name for name in names if name not in known]
    if lacking:
        raise PlanFailed(
            "user",
            f"custom_pipeline names {features.quote_names(lacking)}, which only a run in the notebook has.",
        )
    return tuple((name, known[name]) for name in names)


def _target_type(target: Target) -> str:
    """Return what scikit-learn's `TargetEncoder` calls the target."""
    if target.labels is None:
        return "continuous"
    return "binary" if len(target.labels) == 2 else "multiclass"
