"""Describe the tasks, models, metrics and parameters of the installed engine."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.task_types import TASK_TYPES

from .event_reporter import EventReporter
from .global_state import isolated, load_engine
from .interfaces import NullReporter
from .limits import Limits

if TYPE_CHECKING:  # these import pandas
    from .experiments import Experiment
    from .tasks import Task

#: extra of this package with the models of other libraries
BOOSTING = "boosting"


def describe() -> JSON:
    """See `engine.describe`. Fits one toy experiment for each task, but no model."""
    with isolated():
        for task_id in TASK_TYPES:
            load_engine(task_id)
        from .tasks import TASKS
        from .versions import versions

        return {"versions": versions(), "tasks": [_task(task) for task in TASKS.values()]}


def _task(task: Task) -> JSON:
    from .plans import plans_for

    is_available = find_spec(task.type.library) is not None
    experiment = _experiment(task) if is_available else None
    return {
        "id": task.id,
        "is_available": experiment is not None,
        "plans": [
            {
                "id": plan.id,
                "name": plan.name,
                "description": plan.description,
                "needs_model": plan.needs_model,
                "takes_model_params": plan.takes_model_params,
                "default_setup": plan.default_setup_for(task.id),
                "params": [param.to_json() for param in plan.params_for(task.id)],
            }
            for plan in plans_for(task.id)
        ],
        "models": _models(task.type.engine_task, experiment),
        "metrics": _metrics(experiment),
        "setup_params": [param.to_json() for param in task.setup_params()],
        "plots": [{"id": plot, "name": name} for plot, name in task.plots.items()],
    }


def _experiment(task: Task) -> Experiment | None:
    """Return the task's toy experiment, or None when the engine cannot fit it."""
    try:
        return task.toy_experiment(EventReporter(NullReporter(), Limits()))
    except Exception:
        return None


def _models(engine_task: str, experiment: Experiment | None) -> list[JSON]:
    from .json_values import plain

    models: list[JSON] = []
    if experiment is not None:
        fast = set(experiment.default_models)
        models = [
            {
                "id": model_id,
                "name": name,
                "is_available": True,
                "extra": None,
                "turbo": model_id in fast,
                "params": [
                    {"name": name, "default": plain(default)}
                    for name, default in experiment.default_parameters(model_id).items()
                    if not (isinstance(default, str) and default == "deprecated")
                ],
            }
            for model_id, name in experiment.model_names.items()
        ]
    return models + _missing_models(engine_task, {model["id"] for model in models})


def _missing_models(engine_task: str, present: set[str]) -> list[JSON]:
    """Describe the models of the engine whose library is not installed."""
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
        for card in list_models(engine_task)
        if card.id not in present
    ]


def _metrics(experiment: Experiment | None) -> list[JSON]:
    if experiment is None:
        return []
    return [
        {
            "id": metric,
            "name": experiment.metric_names.get(metric, metric),
            "greater_is_better": better,
        }
        for metric, better in experiment.metrics.items()
    ]
