"""The base class of experiments: the fitted engine, its models and their parameters."""

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

#: fixed to 1: more threads are slower on small data, and worker processes survive a crash
_THREAD_PARAMETERS = frozenset({"n_jobs", "thread_count", "nthread"})


class Experiment(ABC):
    """A fitted experiment of the engine.

    `task_class` is the engine's experiment class, `settings` the arguments of its constructor, `data`
    a DataFrame of shape (n_rows, n_columns) for its `fit`. Raises whatever the engine raises when the
    fit fails.
    """

    #: registry entries that are not models by themselves
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
        """Metric → whether greater is better."""

    @property
    @abstractmethod
    def default_models(self) -> list[str]:
        """Ids of the models that a compare tries when none are named."""

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """The number of rows that a model is fitted on."""

    @abstractmethod
    def scorer(self, folds: int) -> Scorer:
        """Return the scorer of this experiment, for this process or another."""

    @abstractmethod
    def fit_for_plots(self, estimator: Estimator) -> Estimator:
        """Return the engine's pipeline with a fitted copy of `estimator`, as the engine's plots take it."""

    @property
    def metric_names(self) -> dict[str, str]:
        """Metric → its full name, where that is known."""
        return {}

    @property
    def model_names(self) -> dict[str, str]:
        """Model id → name."""
        return {model_id: str(c.name) for model_id, c in self.registry.items()}

    def default_parameters(self, model_id: str) -> JSON:
        """Return the constructor parameters of a model with the engine's defaults."""
        return default_parameters(self.registry[model_id])

    def search_space(self, model_id: str) -> dict[str, list[Any]]:
        """Return parameter → the values that the engine tries when it tunes the model; empty if it has none."""
        grid = getattr(self.registry[model_id], "tune_grid", None) or {}
        return {
            name: list(values)
            for name, values in grid.items()
            if name not in _THREAD_PARAMETERS and values
        }

    def as_member(self, estimator: Estimator) -> Estimator:
        """Return an unfitted model with its preparation as the member of an ensemble."""
        return estimator

    def make_estimator(self, model_id: str, parameters: JSON) -> Estimator:
        """Return the unfitted model as the engine makes it; `parameters` override its defaults."""
        container = self.registry[model_id]
        return self._silence_output(container.class_def(**{**container.args, **parameters}))

    def _silence_output(self, estimator: Estimator) -> Estimator:
        """Return `estimator`, kept from printing and writing files."""
        return estimator

    def plot(self, pipeline: Estimator, plot: str, **options: Any) -> Any:
        """Return the engine's Plotly figure for a pipeline of `fit_for_plots`."""
        return self.engine.plot_model(pipeline, plot=plot, **options)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Discard the engine's own events in this block."""
        self._logger.is_muted = True
        try:
            yield
        finally:
            self._logger.is_muted = False


def default_parameters(container: Any) -> JSON:
    """Return the constructor parameters of a registry entry: the library's defaults, then the engine's.

    Parameters for the number of threads are left out.
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
    """Set `random_state` of `estimator` where it is None, and return the estimator.

    The engine passes no `random_state` to SVR, which would draw from numpy's global generator, the
    user's, at each fit; its scores do not depend on it.
    """
    if getattr(estimator, "random_state", seed) is None:
        estimator.random_state = seed
    return estimator


def _seed_by_default(container: Any, seed: int) -> None:
    original = container.class_def
    try:
        estimator = original(**container.args)
    except Exception:  # the error is reported with the model's name when it is tried
        return
    if getattr(estimator, "random_state", seed) is not None:
        return

    @functools.wraps(original, updated=())
    def make(**arguments: Any) -> Estimator:
        return set_default_seed(original(**arguments), seed)

    container.class_def = make
