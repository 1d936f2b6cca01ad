"""What the installed engine offers, asked of the engine itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from jupyter_pycaret_ops.protocol import JSON

from . import plots
from .globals import load_engine, undisturbed

#: our extra that brings the models of other libraries
BOOSTING = "boosting"


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the engine does not say about a task."""

    id: str
    name: str
    experiment_class: str
    default_metric: str | None
    #: the extra of PyCaret that brings the task, and a module that tells whether it is there
    extra: str | None
    needs: str
    toy: Callable[[], Any]
    #: experiment parameters beside the seed
    settings: JSON


def _toy_table() -> Any:
    import pandas as pd

    return pd.DataFrame({"x": [float(i % 7) for i in range(40)], "y": [i % 2 for i in range(40)]})


def _toy_series() -> Any:
    import pandas as pd

    index = pd.period_range("2020-01", periods=48, freq="M")
    values = [10.0 + i + (i % 12) for i in range(48)]
    return pd.DataFrame({"y": values}, index=index)


_TASKS = (
    _Facts(
        "classification",
        "Classification",
        "ClassificationExperiment",
        "Accuracy",
        None,
        "sklearn",
        _toy_table,
        {"target": "y"},
    ),
    _Facts(
        "regression",
        "Regression",
        "RegressionExperiment",
        "R2",
        None,
        "sklearn",
        _toy_table,
        {"target": "y"},
    ),
    _Facts(
        "clustering",
        "Clustering",
        "ClusteringExperiment",
        None,
        None,
        "sklearn",
        _toy_table,
        {},
    ),
    _Facts(
        "anomaly",
        "Anomaly detection",
        "AnomalyExperiment",
        None,
        "anomaly",
        "pyod",
        _toy_table,
        {},
    ),
    _Facts(
        "time_series",
        "Time series",
        "TimeSeriesExperiment",
        "MASE",
        "timeseries",
        "sktime",
        _toy_series,
        {"target": "y", "fh": 3},
    ),
)


def describe() -> JSON:
    """See `engine.describe`. Fits one toy experiment for each task, no model."""
    with undisturbed():
        load_engine()
        from .versions import versions

        return {"versions": versions(), "tasks": [_task(facts) for facts in _TASKS]}


def _task(facts: _Facts) -> JSON:
    import pycaret.tasks

    from .plans import plans_for
    from .settings import engine_params
    from .tasks import TASKS

    engine_class = getattr(pycaret.tasks, facts.experiment_class)
    is_available = find_spec(facts.needs) is not None
    experiment = _experiment(facts, engine_class) if is_available else None
    task = TASKS.get(facts.id)
    params = task.setup_params() if task else engine_params(engine_class)
    return {
        "id": facts.id,
        "name": facts.name,
        "is_available": experiment is not None,
        "extra": facts.extra,
        "default_metric": facts.default_metric,
        "plans": [
            {
                "id": plan.id,
                "name": plan.name,
                "description": plan.description,
                "needs_model": plan.needs_model,
                "takes_model_params": plan.takes_model_params,
                "params": [param.card() for param in plan.params],
            }
            for plan in plans_for(facts.id)
        ],
        "models": _models(facts.id, experiment),
        "metrics": _metrics(experiment),
        "setup_params": [param.card() for param in params],
        "plots": plots.offered(facts.id),
    }


def _experiment(facts: _Facts, engine_class: Any) -> Any:
    """The task's experiment fitted on a toy, or None where the engine cannot."""
    from .settings import DEFAULT_SEED

    try:
        return engine_class(session_id=DEFAULT_SEED, n_jobs=1, **facts.settings).fit(facts.toy())
    except Exception:
        return None


def _models(task_id: str, experiment: Any) -> list[JSON]:
    from .experiment import parameters_of
    from .plain import plain

    models: list[JSON] = []
    if experiment is not None:
        slow: frozenset[str] = getattr(experiment, "_TURBO_EXCLUDE", frozenset())
        for model_id, container in experiment._fit_state["model_registry"].items():
            if getattr(container, "is_special", False):
                continue
            models.append(
                {
                    "id": model_id,
                    "name": str(container.name),
                    "is_available": True,
                    "extra": None,
                    "turbo": model_id not in slow,
                    "params": [
                        {"name": name, "default": plain(default)}
                        for name, default in parameters_of(container).items()
                        if not (isinstance(default, str) and default == "deprecated")
                    ],
                }
            )
    return models + _missing_models(task_id, {model["id"] for model in models})


def _missing_models(task_id: str, present: set[str]) -> list[JSON]:
    """Models that the engine knows but whose library is not installed."""
    from pycaret.api import list_models

    return [
        {
            "id": card.id,
            "name": card.name,
            "is_available": False,
            "extra": BOOSTING,
            "turbo": True,
            "params": [],
        }
        for card in list_models(task_id)
        if card.id not in present
    ]


def _metrics(experiment: Any) -> list[JSON]:
    if experiment is None:
        return []
    return [
        {
            "id": str(metric.display_name),
            "name": str(metric.name),
            "greater_is_better": bool(metric.greater_is_better),
        }
        for metric in (experiment._get_metric_registry() or {}).values()
    ]
