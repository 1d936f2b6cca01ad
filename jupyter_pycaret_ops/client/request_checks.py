"""What the server would refuse of a run, asked of `/describe` before its data is sent.

The server checks a submission anyway; but by then a file was uploaded, which may take minutes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from ..common.errors import Invalid
from .records import JSON, JSONs

if TYPE_CHECKING:
    from . import Client
    from .run_request import Question


def check(
    client: Client,
    question: Question,
    task: str | None,
    target: str | None = None,
    columns: Collection[str] | None = None,
) -> None:
    """Refuse what the server would refuse, as far as task, target and columns are known.

    Raises
    ------
    Invalid
        With every fault that was found; where no task is known, when every task has some.
    """
    tasks = [task] if task else [one["id"] for one in client.describe.tasks() if _can_run(one)]
    worst: list[str] = []
    for name in tasks:
        faults = _faults(client, question, name)
        if task and columns is not None and target is not None and target not in columns:
            listed = ", ".join(list(columns)[:30])
            faults.append(f"The target “{target}” is not a column of the data; it has {listed}.")
        if not faults:
            return
        if not worst or len(faults) < len(worst):
            worst = faults
    if worst:
        raise Invalid(worst[0], errors=[{"loc": [], "msg": fault} for fault in worst])


def _can_run(task: JSON) -> bool:
    return bool(task.get("is_available", True))


def _faults(client: Client, question: Question, task: str) -> list[str]:
    describe = client.describe
    plans = describe.plans(task)
    plan = _by_id(plans, question.plan)
    if plan is None:
        return [f"The task {task} has no plan “{question.plan}”; its plans: {_names(plans)}."]
    faults: list[str] = []
    models = describe.models(task)
    model = question.model
    if plan.get("needs_model") and model is None:
        faults.append(f"The plan {question.plan} needs a model: --model.")
    elif not plan.get("needs_model") and model is not None:
        faults.append(f"The plan {question.plan} takes no model.")
    named = [model] if model is not None and plan.get("needs_model") else []
    for name in ("include", "exclude"):
        listed = question.plan_params.get(name)
        named += listed if isinstance(listed, list) else []
    if isinstance(question.plan_params.get("meta_model"), str):
        named.append(question.plan_params["meta_model"])
    unknown = [one for one in named if _by_id(models, one) is None]
    faults += [
        f"There is no model “{one}” for {task}; there are {_names(models)}." for one in unknown
    ]
    offered = list(plan.get("params") or [])
    if plan.get("takes_model_params") and model is not None and model not in unknown:
        offered += describe.model(model, task).get("params") or []
    faults += _misfits(question.plan_params, offered)
    faults += _misfits(question.setup_params, describe.setup_params(task))
    metric = question.plan_params.get("sort") or question.plan_params.get("optimize")
    if metric is not None:
        metrics = describe.metrics(task)
        if _by_id(metrics, metric) is None:
            faults.append(f"There is no metric “{metric}”; there are {_names(metrics)}.")
    return faults


def _misfits(params: JSON, offered: Sequence[JSON]) -> list[str]:
    """What is said of each parameter that is unknown or does not fit its schema."""
    from jsonschema import Draft202012Validator

    faults = []
    for name, value in params.items():
        found = next((one for one in offered if one["name"] == name), None)
        if found is None:
            names = ", ".join(str(one["name"]) for one in offered) or "none"
            faults.append(f"There is no parameter “{name}” here; there are {names}.")
            continue
        schema = found.get("schema") or {}
        fault = next(iter(Draft202012Validator(schema).iter_errors(value)), None)
        if fault is not None:
            faults.append(f"{name}: {fault.message}")
    return faults


def _by_id(rows: Sequence[JSON], wanted: Any) -> JSON | None:
    return next((row for row in rows if row["id"] == wanted), None)


def _names(rows: JSONs) -> str:
    return ", ".join(str(row["id"]) for row in rows) or "none"
