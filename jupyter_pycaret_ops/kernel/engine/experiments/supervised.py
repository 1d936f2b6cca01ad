"""Classification and regression."""

from __future__ import annotations

import copy
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON

from ..event_reporter import EventReporter
from ..interfaces import Estimator, Frame
from ..scoring.confusion import countable_metrics
from ..scoring.supervised import FoldScorer, or_nan
from .base import Experiment


class SupervisedExperiment(Experiment):
    """`data` holds engine columns (see `frames`) and the encoded target under `settings["target"]`."""

    def __init__(
        self, task_class: Any, data: Frame, reporter: EventReporter, settings: JSON
    ) -> None:
        super().__init__(task_class, data, reporter, settings)
        self._metrics: dict[str, bool] = {}
        for metric in (self.engine._get_metric_registry() or {}).values():
            self._metrics[metric.display_name] = bool(metric.greater_is_better)
            metric.score_func = or_nan(metric.score_func)

    @property
    def metrics(self) -> dict[str, bool]:
        """The engine's metrics under its names."""
        return self._metrics

    @property
    def metric_names(self) -> dict[str, str]:
        """As the engine has them."""
        registry = self.engine._get_metric_registry() or {}
        return {metric.display_name: str(metric.name) for metric in registry.values()}

    @property
    def default_models(self) -> list[str]:
        """All but those that the engine knows to be slow."""
        slow = self.engine._TURBO_EXCLUDE
        return [model_id for model_id in self.registry if model_id not in slow]

    @property
    def n_rows(self) -> int:
        """Rows of the training part."""
        return self.sizes["train"]

    @property
    def train_target(self) -> Any:
        """The encoded target of the training part, after outliers were removed."""
        return self.engine._fit_state["y_train_transformed"].to_numpy()

    @property
    def sizes(self) -> dict[str, int]:
        """Rows in the training part and in the hold-out."""
        state = self.engine._fit_state
        return {"train": len(state["X_train"]), "test": len(state["X_test"])}

    @property
    def preprocessing(self) -> JSON:
        """What the engine will do with the columns."""
        state = self.engine._fit_state
        return {
            "numeric": list(state["numeric_cols"]),
            "categorical": list(state["categorical_cols"]),
            "selected": state["selected_features"],
            "outliers_removed": int(state["outliers_dropped"]),
        }

    @property
    def holdout(self) -> Frame:
        """The features held out, in engine columns."""
        return self.engine._fit_state["X_test"]

    @property
    def preprocessing_steps(self) -> list[tuple[str, Any]]:
        """The engine's steps before the model, fitted on the training part."""
        return list(self.engine.preprocess_pipeline.steps)

    def splitter(self, folds: int) -> Any:
        """The engine's own cross-validator, with another number of folds."""
        inner = copy.copy(self.engine._fit_state["fold_generator"])
        inner.n_splits = folds
        return inner

    def scorer(self, folds: int) -> FoldScorer:
        """Cross-validation on the training part."""
        state = self.engine._fit_state
        features, target = state["X_train_transformed"], state["y_train_transformed"]
        metrics = self.engine._get_metric_registry() or {}
        return FoldScorer(
            features,
            target,
            list(self.splitter(folds).split(features, target)),
            metrics,
            # metrics of classes are there for classes, which are 0, 1, … by now
            int(max(target.max(), state["y_test"].max())) + 1
            if countable_metrics(metrics)
            else None,
        )

    def fit_for_plots(self, estimator: Estimator) -> Estimator:
        """Fitted on the training part."""
        state = self.engine._fit_state
        model = copy.deepcopy(estimator).fit(
            state["X_train_transformed"], state["y_train_transformed"]
        )
        pipeline = copy.deepcopy(self.engine.preprocess_pipeline)
        pipeline.steps.append(("model", model))
        return pipeline

    def compose(self, verb: str, *args: Any, **options: Any) -> Estimator:
        """The estimator that a verb of the engine would fit: `composed("blend_models", ["lr", "nb"])`.

        The verbs for ensembles put an estimator together and hand it to `create_model`; here it is
        caught on its way, unfitted, so that it is scored like any other.
        """
        caught: list[Estimator] = []

        def catch(estimator: Estimator, **_: Any) -> Any:
            from pycaret.core.results import CreateResult
            from sklearn.pipeline import Pipeline

            caught.append(estimator)
            return CreateResult(
                pipeline=Pipeline([("model", estimator)]), model_id="", metrics=None, params={}
            )

        self.engine.create_model = catch
        try:
            with self.muted():
                getattr(self.engine, verb)(*args, **options)
        finally:
            del self.engine.create_model
        return caught[0]
