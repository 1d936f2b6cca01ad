"""Experiments of classification and regression."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.task_types import TASK_TYPES

from ..event_reporter import EventReporter
from ..interfaces import Estimator, Frame
from ..preparation import Preparation
from ..preparation.model_wrappers import EarlyStopped, takes_weights
from ..scoring.supervised import (
    LABEL_METRICS,
    NUMBER_METRICS,
    FoldScorer,
    fitted,
    or_nan,
)
from ..validation import Validation
from .base import Experiment

#: the parameter of a booster that lets it stop adding trees by itself
EARLY_STOPPING = "early_stopping"
#: the target, beside columns that have names of their own
_TARGET = "\0target"


class SupervisedExperiment(Experiment):
    """An experiment that predicts the column `settings["target"]`.

    `data` : DataFrame of shape (n_rows, n_columns + 1) with engine columns (see `features.Table.step`)
    and the encoded target, int64 or float64; `preparation` : how columns are prepared for each model, None where the
    engine codes them once for all; `validation` : how rows are split, None for the engine's way; `custom` : further
    metrics of the run, name → scorer.
    """

    def __init__(
        self,
        task_class: Any,
        data: Frame,
        reporter: EventReporter,
        settings: JSON,
        preparation: Preparation | None = None,
        validation: Validation | None = None,
        custom: JSON | None = None,
    ) -> None:
        super().__init__(task_class, data, reporter, settings)
        self._custom = custom or {}
        self.preparation = preparation
        self.validation = validation
        if validation is not None and not validation.is_default:
            self._split(validation)
        self._metrics: dict[str, bool] = {}
        for metric in (self.engine._get_metric_registry() or {}).values():
            self._metrics[metric.display_name] = bool(metric.greater_is_better)
            metric.score_func = or_nan(metric.score_func)
        for name, (_, is_greater_better) in self._own_metrics.items():
            self._metrics[name] = is_greater_better
        self._metrics |= dict.fromkeys(self._custom, True)  # a scorer of an error is negative

    @property
    def _has_labels(self) -> bool:
        name = str(self.engine.task.value)
        return any(
            task.engine_task == name and task.answers == "labels" for task in TASK_TYPES.values()
        )

    @property
    def _own_metrics(self) -> dict[str, tuple[str, bool]]:
        return LABEL_METRICS if self._has_labels else NUMBER_METRICS

    @property
    def metrics(self) -> dict[str, bool]:
        """The engine's metrics, ours and those of the run: name → whether greater is better."""
        return self._metrics

    @property
    def metric_names(self) -> dict[str, str]:
        """Name of a metric → its full name."""
        registry = self.engine._get_metric_registry() or {}
        own = self._own_metrics
        engines = {str(metric.display_name): str(metric.name) for metric in registry.values()}
        return engines | {name: full_name for name, (full_name, _) in own.items()}

    @property
    def default_models(self) -> list[str]:
        """Ids of all models but those that the engine lists as slow."""
        slow = self.engine._TURBO_EXCLUDE
        return [model_id for model_id in self.registry if model_id not in slow]

    @property
    def n_rows(self) -> int:
        """The number of rows of the training part."""
        return self.sizes["train"]

    @property
    def train_target(self) -> Any:
        """The encoded target of the training part without outliers, array of shape (n_rows,)."""
        return self.engine._fit_state["y_train_transformed"].to_numpy()

    @property
    def sizes(self) -> dict[str, int]:
        """The numbers of rows of the training part and of the hold-out."""
        state = self.engine._fit_state
        return {"train": len(state["X_train"]), "test": len(state["X_test"])}

    @property
    def preprocessing(self) -> JSON:
        """What is done with the columns: lists of numeric, categorical and selected ones."""
        state = self.engine._fit_state
        if self.preparation is not None:
            return {**self.preparation.recipe.columns(), "selected": None, "outliers_removed": 0}
        return {
            "numeric": list(state["numeric_cols"]),
            "categorical": list(state["categorical_cols"]),
            "selected": state["selected_features"],
            "outliers_removed": int(state["outliers_dropped"]),
        }

    @property
    def holdout(self) -> Frame:
        """The features of the hold-out, DataFrame of shape (n_rows, n_engine_columns)."""
        return self.engine._fit_state["X_test"]

    def copies_held_out(self) -> int:
        """Return how many rows of the hold-out are in the training part as well, with the same target."""
        import pandas as pd

        state = self.engine._fit_state
        train, held = (
            pd.util.hash_pandas_object(
                state[f"X_{part}"].assign(**{_TARGET: state[f"y_{part}"]}), index=False
            )
            for part in ("train", "test")
        )
        return int(held.isin(train).sum())

    @property
    def holdout_target(self) -> Any:
        """The encoded target of the hold-out, array of shape (n_rows,)."""
        return self.engine._fit_state["y_test"].to_numpy()

    @property
    def preprocessing_steps(self) -> list[tuple[str, Any]]:
        """Names and transformers of the engine's steps before the model; none where each model has its own."""
        return [] if self.preparation is not None else list(self.engine.preprocess_pipeline.steps)

    @property
    def train_features(self) -> Frame:
        """The features of the training part as models take them, DataFrame of shape (n_rows, n_columns)."""
        state = self.engine._fit_state
        return state["X_train_transformed" if self.preparation is None else "X_train"]

    def make_estimator(self, model_id: str, parameters: JSON) -> Estimator:
        """Return the unfitted model with its preparation; see `Experiment.make_estimator`.

        With `early_stopping` among the parameters, a booster stops adding trees by itself.
        """
        own = {name: value for name, value in parameters.items() if name != EARLY_STOPPING}
        model = super().make_estimator(model_id, own)
        if parameters.get(EARLY_STOPPING):
            model = EarlyStopped(model, random_state=self.seed)
        return self._prepared(model)

    def models_without_weights(self) -> list[str]:
        """Return the names of the models that cannot be fitted with a weight for each row."""
        without = []
        for model_id, name in self.model_names.items():
            with contextlib.suppress(Exception):  # the error is reported when the model is tried
                if not takes_weights(self.make_estimator(model_id, {})):
                    without.append(name)
        return without

    def as_member(self, estimator: Estimator) -> Estimator:
        """See `Experiment.as_member`."""
        return estimator if self.preparation is None else self.preparation.as_member(estimator)

    def _prepared(self, estimator: Estimator) -> Estimator:
        return estimator if self.preparation is None else self.preparation.of(estimator)

    def _split(self, validation: Validation) -> None:
        """Replace the engine's split: it knows neither groups nor time."""
        state = self.engine._fit_state
        train, held = validation.split(state["y"].to_numpy())
        state["X_train"], state["X_test"] = state["X"].iloc[train], state["X"].iloc[held]
        state["y_train"], state["y_test"] = state["y"].iloc[train], state["y"].iloc[held]
        state["y_train_transformed"] = state["y_train"]

    @property
    def train_positions(self) -> Any:
        """The positions of the training part in the table, int64 array of shape (n_rows,)."""
        return self.engine._fit_state["X_train"].index.to_numpy()

    @property
    def holdout_weights(self) -> Any:
        """How much the rows of the hold-out count, float64 array of shape (n_rows,); None where all count the same."""
        return self._weights("X_test")

    def _weights(self, part: str) -> Any:
        if self.validation is None or self.validation.weights is None:
            return None
        return self.validation.weights[self.engine._fit_state[part].index]

    def _splits(self, folds: int, features: Frame, target: Any) -> list[tuple[Any, Any]]:
        if self.validation is None or self.validation.is_default:
            return list(self.splitter(folds).split(features, target))
        return self.validation.cut(self.train_positions, target.to_numpy(), folds)

    def splitter(self, folds: int) -> Any:
        """Return the engine's cross-validator with `folds` folds."""
        splitter = copy.copy(self.engine._fit_state["fold_generator"])
        splitter.n_splits = folds
        return splitter

    def scorer(self, folds: int) -> FoldScorer:
        """Return the scorer that cross-validates on the training part."""
        state = self.engine._fit_state
        features, target = self.train_features, state["y_train_transformed"]
        metrics = self.engine._get_metric_registry() or {}
        return FoldScorer(
            features,
            target,
            self._splits(folds, features, target),
            metrics,
            # classes are encoded as 0, 1, …
            int(max(target.max(), state["y_test"].max())) + 1 if self._has_labels else None,
            self._weights("X_train"),
            self._custom,
            as_engine=self.preparation is None,
        )

    def fit_for_plots(self, estimator: Estimator) -> Estimator:
        """Return the preparation and a copy of `estimator`, fitted on the training part."""
        target = self.engine._fit_state["y_train_transformed"]
        weights = self._weights("X_train")
        model = fitted(copy.deepcopy(estimator), self.train_features, target, weights)
        if self.preparation is not None:
            return model
        pipeline = copy.deepcopy(self.engine.preprocess_pipeline)
        pipeline.steps.append(("model", model))
        return pipeline

    def compose(self, function: str, *args: Any, **options: Any) -> Estimator:
        """Return the unfitted estimator that an engine function builds of others.

        Example: `compose("blend_models", ["lr", "nb"])`. These functions pass the estimator that they
        build to `create_model`, which is replaced meanwhile to capture it, so that it is scored fold by
        fold as any other.
        """
        captured: list[Estimator] = []

        def capture(estimator: Estimator, **_: Any) -> Any:
            from pycaret.core.results import CreateResult
            from sklearn.pipeline import Pipeline

            captured.append(estimator)
            return CreateResult(
                pipeline=Pipeline([("model", estimator)]), model_id="", metrics=None, params={}
            )

        self.engine.create_model = capture
        try:
            with self.muted():
                getattr(self.engine, function)(*args, **options)
        finally:
            del self.engine.create_model
        return self._prepared(captured[0])
