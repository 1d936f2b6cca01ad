"""The models that plans try: named by the run, with parameters that are checked."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_pycaret_ops.common.protocol import JSON

from ..candidates import of_model
from ..interfaces import PlanFailed
from ..prepared_task import Session
from ..trials import Candidate
from .base import OF_TASK, Plan

#: our name of a parameter → the model's own
_OWN_NAME = {"num_clusters": "n_clusters", "fraction": "contamination"}


def named_model(session: Session) -> str:
    """The run's `model_id`; raises `PlanFailed` when there is no such model here."""
    model_id = session.spec.model_id
    known = session.experiment.registry
    if model_id is None or model_id not in known:
        said = "No model is named" if model_id is None else f"There is no model “{model_id}” here"
        raise PlanFailed("user", f"{said}; the models are: {', '.join(known)}.")
    return model_id


def the_model(session: Session, plan: Plan, params: JSON) -> Candidate:
    """The run's model with its own parameters; raises `PlanFailed` for one that it does not have."""
    model_id = named_model(session)
    given = plan.model_params(session.spec.task, session.spec.plan_params)
    offered = set(session.experiment.parameters_of(model_id))
    name = session.experiment.names[model_id]
    unknown = [parameter for parameter in given if parameter not in offered]
    if unknown:
        raise PlanFailed(
            "user",
            f"{name} has no parameter “{unknown[0]}”; it has: {', '.join(sorted(offered))}.",
        )
    for wanted, value in _of_task(session, params).items():
        if _OWN_NAME[wanted] not in offered:
            raise PlanFailed(
                "user", f"{name} takes no {wanted}; it finds that itself. Leave it out."
            )
        given.setdefault(_OWN_NAME[wanted], value)
    return of_model(session, model_id, given)


def models(session: Session, ids: Sequence[str], params: JSON) -> list[Candidate]:
    """Those models, with what the task's parameters say for those that take them."""
    wanted = _of_task(session, params)
    candidates = []
    for model_id in ids:
        offered = session.experiment.parameters_of(model_id)
        given = {_OWN_NAME[n]: v for n, v in wanted.items() if _OWN_NAME[n] in offered}
        candidates.append(of_model(session, model_id, given))
    return candidates


def _of_task(session: Session, params: JSON) -> JSON:
    names = [param.name for param in OF_TASK.get(session.spec.task, [])]
    return {name: params[name] for name in names if params.get(name) is not None}
