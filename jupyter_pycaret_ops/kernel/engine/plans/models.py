"""The candidates that a run requests, with checked parameters."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_pycaret_ops.common.engine_facts import PARAM_ALIASES
from jupyter_pycaret_ops.common.protocol import JSON

from ..candidates import model_candidate
from ..interfaces import PlanFailed
from ..prepared_task import PreparedTask
from ..trials import Candidate
from .base import TASK_PARAMS, Plan


def requested_model_id(prepared: PreparedTask) -> str:
    """Return the run's `model_id`; raises `PlanFailed` when the experiment has no such model."""
    model_id = prepared.spec.model_id
    known = prepared.experiment.registry
    if model_id is None or model_id not in known:
        problem = (
            "No model is named" if model_id is None else f"There is no model “{model_id}” here"
        )
        raise PlanFailed("user", f"{problem}; the models are: {', '.join(known)}.")
    return model_id


def requested_candidate(prepared: PreparedTask, plan: Plan, params: JSON) -> Candidate:
    """Return the run's model with its parameters; raises `PlanFailed` for one that it does not have."""
    given = plan.model_params(prepared.spec.task, prepared.spec.plan_params)
    return candidate_with(prepared, requested_model_id(prepared), given, params)


def candidate_with(prepared: PreparedTask, model_id: str, given: JSON, params: JSON) -> Candidate:
    """Return a model with the parameters `given`, and those of the task in `params`; raises as above."""
    known_parameters = set(prepared.experiment.default_parameters(model_id))
    name = prepared.experiment.model_names[model_id]
    unknown = [parameter for parameter in given if parameter not in known_parameters]
    if unknown:
        raise PlanFailed(
            "user",
            f"{name} has no parameter “{unknown[0]}”; it has: {', '.join(sorted(known_parameters))}.",
        )
    for name_of_task, value in _task_params(prepared, params).items():
        if PARAM_ALIASES[name_of_task] not in known_parameters:
            raise PlanFailed(
                "user", f"{name} takes no {name_of_task}; it finds the value itself. Leave it out."
            )
        given.setdefault(PARAM_ALIASES[name_of_task], value)
    return model_candidate(prepared, model_id, given)


def model_candidates(prepared: PreparedTask, ids: Sequence[str], params: JSON) -> list[Candidate]:
    """Return the models, each with the task's parameters that it takes."""
    task_params = _task_params(prepared, params)
    candidates = []
    for model_id in ids:
        known_parameters = prepared.experiment.default_parameters(model_id)
        given = {
            PARAM_ALIASES[n]: v
            for n, v in task_params.items()
            if PARAM_ALIASES[n] in known_parameters
        }
        candidates.append(model_candidate(prepared, model_id, given))
    return candidates


def _task_params(prepared: PreparedTask, params: JSON) -> JSON:
    names = [param.name for param in TASK_PARAMS.get(prepared.task.type.answers, [])]
    return {name: params[name] for name in names if params.get(name) is not None}
