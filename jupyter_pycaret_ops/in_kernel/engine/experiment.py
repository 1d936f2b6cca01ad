"""One PyCaret experiment, cured. The only module here that touches the engine's private parts."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from jupyter_pycaret_ops.protocol import JSON

from .contracts import Estimator, Frame
from .events import Narrator

#: what keeps a library's C code from writing to the user's screen and folder
_QUIET: dict[str, JSON] = {
    "lightgbm": {"verbosity": -1},
    "xgboost": {"verbosity": 0},
    "catboost": {"verbose": False, "allow_writing_files": False},
}
_FIXED = frozenset({"n_jobs", "thread_count", "nthread"})
#: rounds that lose nothing which could change a rank
_DIGITS = 10


class Experiment:
    """A fitted experiment of the engine, and what we need of it.

    `task_class` is the engine's experiment class. `data` holds engine columns (see `frames`) and
    the encoded target under `target`. Raises whatever the engine raises when it cannot be fitted.
    """

    def __init__(
        self,
        task_class: Any,
        data: Frame,
        narrator: Narrator,
        settings: JSON,
        target: str | None = None,
    ) -> None:
        from .logger_bridge import BridgeLogger

        logger = BridgeLogger(narrator)
        fixed = {"n_jobs": 1, "logger": logger}
        if target is not None:
            fixed["target"] = target
        self.engine = task_class(**settings, **fixed).fit(data)
        self.registry: dict[str, Any] = {
            model_id: container
            for model_id, container in self.engine._fit_state["model_registry"].items()
            if not container.is_special
        }
        logger.names.update({i: c.name for i, c in self.registry.items()})
        for model_id, arguments in _QUIET.items():
            if model_id in self.registry:
                self.registry[model_id].args.update(arguments)
        for container in self.registry.values():
            _seed_what_has_none(container, settings["session_id"])
        #: metric under the engine's name → greater is better
        self.metrics: dict[str, bool] = {}
        for metric in (self.engine._get_metric_registry() or {}).values():
            self.metrics[metric.display_name] = bool(metric.greater_is_better)
            metric.score_func = _or_nan(metric.score_func)

    @property
    def names(self) -> dict[str, str]:
        """Model id → readable name."""
        return {model_id: str(c.name) for model_id, c in self.registry.items()}

    @property
    def defaults(self) -> list[str]:
        """Ids of the models that a compare tries if nobody says which."""
        slow = self.engine._TURBO_EXCLUDE
        return [model_id for model_id in self.registry if model_id not in slow]

    def parameters_of(self, model_id: str) -> JSON:
        """Constructor parameters of a model with the engine's defaults."""
        return parameters_of(self.registry[model_id])

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

    def plot(self, pipeline: Estimator, plot: str, **options: Any) -> Any:
        """The engine's figure for a pipeline of this experiment, with the encoded target."""
        return self.engine.plot_model(pipeline, plot=plot, **options)

    def splitter(self, folds: int) -> Any:
        """The engine's own cross-validator, with another number of folds."""
        inner = copy.copy(self.engine._fit_state["fold_generator"])
        inner.n_splits = folds
        return inner

    def create(self, model_id: str, splitter: Any, parameters: JSON) -> tuple[Estimator, Frame]:
        """Cross-validate and fit one model: its pipeline, and the metrics fold by fold.

        The frame of metrics has a row for each fold; a fold that could not be fitted is NaN in
        all columns, a metric that could not be computed is NaN in its own. None when no fold
        could be scored at all.
        """
        result = self.engine.create_model(model_id, fold=splitter, round=_DIGITS, **parameters)
        table = result.metrics
        if table is not None:
            table = table[table.index.str.startswith("Fold ")]
        return result.pipeline, table


def parameters_of(container: Any) -> JSON:
    """Constructor parameters of a registry entry: the library's defaults under the engine's.

    Without those that hold a model to one thread: more threads are slower on small data, and
    processes outlive a crash.
    """
    import inspect

    found: JSON = {}
    for name, parameter in inspect.signature(container.class_def).parameters.items():
        if parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}:
            continue
        found[name] = None if parameter.default is parameter.empty else parameter.default
    found.update(container.args)
    return {name: value for name, value in found.items() if name not in _FIXED}


def take_seed(estimator: Estimator, seed: int) -> Estimator:
    """Give `estimator` a seed where it has none, and return it.

    SVR takes no `random_state` but draws from numpy's global generator at each fit, which is the
    user's; its numbers do not depend on it.
    """
    if getattr(estimator, "random_state", seed) is None:
        estimator.random_state = seed
    return estimator


def _seed_what_has_none(container: Any, seed: int) -> None:
    maker = container.class_def
    if getattr(maker(**container.args), "random_state", seed) is not None:
        return

    @functools.wraps(maker, updated=())
    def make(**arguments: Any) -> Estimator:
        return take_seed(maker(**arguments), seed)

    container.class_def = make


def _or_nan(score: Callable[..., Any]) -> Callable[..., Any]:
    """`score`, with NaN where it cannot be computed: the engine would write 0."""

    def scored(y_true: Any, y_pred: Any, **kwargs: Any) -> Any:
        try:
            return score(y_true, y_pred, **kwargs)
        except Exception:
            # the engine passes a weight that not every metric takes
            kwargs.pop("sample_weight", None)
            try:
                return score(y_true, y_pred, **kwargs)
            except Exception:
                return np.nan

    scored.__name__ = getattr(score, "__name__", "score")
    return scored
