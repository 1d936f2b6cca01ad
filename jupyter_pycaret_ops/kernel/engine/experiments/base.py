"""What all experiments share: the fitted engine, its models, and what each of them takes."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from jupyter_pycaret_ops.common.engine_facts import SILENCING
from jupyter_pycaret_ops.common.protocol import JSON

from ..event_reporter import EventReporter
from ..interfaces import Estimator, Frame
from ..scoring.base import Scorer

#: more threads are slower on small data, and processes outlive a crash
_THREAD_PARAMETERS = frozenset({"n_jobs", "thread_count", "nthread"})


class Experiment(ABC):
    """A fitted experiment of the engine, and what we need of it.

    `task_class` is the engine's experiment class, `settings` its constructor's arguments, `data`
    what its `fit` takes. Raises whatever the engine raises when it cannot be fitted.
    """

    #: registry entries that are no models of their own
    _EXCLUDED: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self, task_class: Any, data: Frame, reporter: EventReporter, settings: JSON
    ) -> None:
        from ..logger_bridge import BridgeLogger

        self._logger = BridgeLogger(reporter)
        self.seed: int = settings["session_id"]
        self.engine = self._fit(task_class(**settings, n_jobs=1, logger=self._logger), data)
        self.registry: dict[str, Any] = {
            model_id: container
            for model_id, container in self.engine._fit_state["model_registry"].items()
            if not container.is_special and model_id not in self._EXCLUDED
        }
        for model_id, arguments in SILENCING.items():
            if model_id in self.registry:
                self.registry[model_id].args.update(arguments)
        for container in self.registry.values():
            _seed_by_default(container, self.seed)

    def _fit(self, engine: Any, data: Frame) -> Any:
        return engine.fit(data)

    @property
    @abstractmethod
    def metrics(self) -> dict[str, bool]:
        """Metric → greater is better."""

    @property
    @abstractmethod
    def default_models(self) -> list[str]:
        """Ids of the models that a compare tries if nobody says which."""

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """How many rows a model is fitted on."""

    @abstractmethod
    def scorer(self, folds: int) -> Scorer:
        """What scores estimators of this experiment, here or in a child process."""

    @abstractmethod
    def fit_for_plots(self, estimator: Estimator) -> Estimator:
        """The engine's pipeline with a fitted copy of `estimator`: what its plots take."""

    @property
    def metric_names(self) -> dict[str, str]:
        """Metric → what it is called in full, where that is known."""
        return {}

    @property
    def model_names(self) -> dict[str, str]:
        """Model id → readable name."""
        return {model_id: str(c.name) for model_id, c in self.registry.items()}

    def default_parameters(self, model_id: str) -> JSON:
        """Constructor parameters of a model with the engine's defaults."""
        return default_parameters(self.registry[model_id])

    def search_space(self, model_id: str) -> dict[str, list[Any]]:
        """The values that the engine would try when it tunes this model; empty where it knows none."""
        grid = getattr(self.registry[model_id], "tune_grid", None) or {}
        return {
            name: list(values)
            for name, values in grid.items()
            if name not in _THREAD_PARAMETERS and values
        }

    def make_estimator(self, model_id: str, parameters: JSON) -> Estimator:
        """The model as the engine makes it, unfitted; `parameters` go over its defaults."""
        container = self.registry[model_id]
        return self._silence_output(container.class_def(**{**container.args, **parameters}))

    def _silence_output(self, estimator: Estimator) -> Estimator:
        """`estimator` without what it would write to the user's screen and folder."""
        return estimator

    def plot(self, pipeline: Estimator, plot: str, **options: Any) -> Any:
        """The engine's figure for a pipeline of this experiment."""
        return self.engine.plot_model(pipeline, plot=plot, **options)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """A block in which the engine's own events go nowhere."""
        self._logger.is_muted = True
        try:
            yield
        finally:
            self._logger.is_muted = False


def default_parameters(container: Any) -> JSON:
    """Constructor parameters of a registry entry: the library's defaults under the engine's.

    Without those that hold a model to one thread.
    """
    import inspect

    found: JSON = {}
    for name, parameter in inspect.signature(container.class_def).parameters.items():
        if parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}:
            continue
        found[name] = None if parameter.default is parameter.empty else parameter.default
    found.update(container.args)
    return {name: value for name, value in found.items() if name not in _THREAD_PARAMETERS}


def set_default_seed(estimator: Estimator, seed: int) -> Estimator:
    """Give `estimator` a seed where it has none, and return it.

    SVR takes no `random_state` but draws from numpy's global generator at each fit, which is the
    user's; its numbers do not depend on it.
    """
    if getattr(estimator, "random_state", seed) is None:
        estimator.random_state = seed
    return estimator


def _seed_by_default(container: Any, seed: int) -> None:
    maker = container.class_def
    try:
        made = maker(**container.args)
    except Exception:  # one that cannot be made fails with its name when it is tried
        return
    if getattr(made, "random_state", seed) is not None:
        return

    @functools.wraps(maker, updated=())
    def make(**arguments: Any) -> Estimator:
        return set_default_seed(maker(**arguments), seed)

    container.class_def = make
