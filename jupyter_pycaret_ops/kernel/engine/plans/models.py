"""The models that plans try: named by the run, with parameters that are checked."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_pycaret_ops.common.engine_facts import PARAM_ALIASES
from jupyter_pycaret_ops.common.protocol import JSON

from ..candidates import model_candidate
from ..interfaces import PlanFailed
from ..prepared_task import PreparedTask
from ..trials import Candidate
from .base import TASK_PARAMS, Plan

#: our name of a parameter → the model's own


def requested_model_id(prepared: PreparedTask) -> str:
    """The run's `model_id`; raises `PlanFailed` when there is no such model here."""
    model_id = prepared.spec.model_id
    known = prepared.experiment.registry
    if model_id is None or model_id not in known:
        said = "No model is named" if model_id is None else f"There is no model “{model_id}” here"
        raise PlanFailed("user", f"{said}; the models are: {', '.join(known)}.")
    return model_id


def requested_candidate(prepared: PreparedTask, plan: Plan, params: JSON) -> Candidate:
    """The run's model with its own parameters; raises `PlanFailed` for one that it does not have."""
    model_id = requested_model_id(prepared)
    given = plan.model_params(prepared.spec.task, prepared.spec.plan_params)
    offered = set(prepared.experiment.default_parameters(model_id))
    name = prepared.experiment.model_names[model_id]
    unknown = [parameter for parameter in given if parameter not in offered]
    if unknown:
        raise PlanFailed(
            "user",
            f"{name} has no parameter “{unknown[0]}”; it has: {', '.join(sorted(offered))}.",
        )
    for wanted, value in _task_params(prepared, params).items():
        if PARAM_ALIASES[wanted] not in offered:
            raise PlanFailed(
                "user", f"{name} takes no {wanted}; it finds that itself. Leave it out."
            )
        given.setdefault(PARAM_ALIASES[wanted], value)
    return model_candidate(prepared, model_id, given)


def models(prepared: PreparedTask, ids: Sequence[str], params: JSON) -> list[Candidate]:
    """Those models, with what the task's parameters say for those that take them."""
    wanted = _task_params(prepared, params)
    candidates = []
    for model_id in ids:
        offered = prepared.experiment.default_parameters(model_id)
        given = {PARAM_ALIASES[n]: v for n, v in wanted.items() if PARAM_ALIASES[n] in offered}
        candidates.append(model_candidate(prepared, model_id, given))
    return candidates


def _task_params(prepared: PreparedTask, params: JSON) -> JSON:
    names = [param.name for param in TASK_PARAMS.get(prepared.task.type.answers, [])]
    return {name: params[name] for name in names if params.get(name) is not None}
