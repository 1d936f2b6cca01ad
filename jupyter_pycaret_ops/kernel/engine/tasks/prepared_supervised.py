"""A prepared classification or regression: its rows, its folds, and what is made of a model."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON

from .. import features, input_schema, out_of_fold, plots
from ..experiments import SupervisedExperiment, set_default_seed
from ..interfaces import Estimator
from ..json_values import plain
from ..labels import Target
from ..leaderboard import Scored
from ..preparation import params as preparing
from ..prepared_task import PreparedTask
from ..scoring.supervised import FoldScorer, fitted
from ..training_profile import profile_training

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


def _name_columns(table: features.Table, figure: JSON) -> None:
    """Replace engine columns in `figure` by the user's names; a part of a date by `ordered (month)`."""
    names = {}
    for column in table.columns:
        names[column["safe"]] = column["name"]
        for part in column["parts"]:
            names[f"{column['safe']}_{part}"] = f"{column['name']} ({part})"
    for trace in figure["data"]:
        trace["y"] = [names.get(name, name) for name in trace["y"]]
