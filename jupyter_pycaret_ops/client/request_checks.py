"""Checks of a run request against `/describe`, before its data is uploaded.

The server checks each submission, but only after the upload, which may take minutes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from ..common.custom_objects import custom_metric_ids
from ..common.errors import Invalid
from .records import JSON, JSONs

if TYPE_CHECKING:
    from . import Client
    from .run_request import RunRequest


def check_request(
    client: Client,
    request: RunRequest,
    task: str | None,
    target: str | None = None,
    columns: Collection[str] | None = None,
) -> None:
    """Raise the errors that the server would raise, as far as task, target and columns are known.

    Raises
    ------
    Invalid
        With all errors; without a task only when each task has errors, with those of the best task.
    """
    tasks = [task] if task else [one["id"] for one in client.describe.tasks() if _can_run(one)]
    fewest: list[str] = []
    for name in tasks:
        errors = _errors(client, request, name)
        if task and columns is not None and target is not None and target not in columns:
            listed = ", ".join(list(columns)[:30])
            errors.append(f"The target “{target}” is not a column of the data; it has {listed}.")
        if not errors:
            return
        if not fewest or len(errors) < len(fewest):
            fewest = errors
    if fewest:
        raise Invalid(fewest[0], errors=[{"loc": [], "msg": error} for error in fewest])


def _can_run(task: JSON) -> bool:
    return bool(task.get("is_available", True))


def _errors(client: Client, request: RunRequest, task: str) -> list[str]:
    describe = client.describe
    plans = describe.plans(task)
    plan = _by_id(plans, request.plan)
    if plan is None:
        return [f"The task {task} has no plan “{request.plan}”; its plans: {_names(plans)}."]
    errors: list[str] = []
    models = describe.models(task)
    model = request.model
    if plan.get("needs_model") and model is None:
        errors.append(f"The plan {request.plan} needs a model. Add --model.")
    elif not plan.get("needs_model") and model is not None:
        errors.append(f"The plan {request.plan} takes no model.")
    model_ids = [model] if model is not None and plan.get("needs_model") else []
    for name in ("include", "exclude"):
        listed = request.plan_params.get(name)
        model_ids += listed if isinstance(listed, list) else []
    if isinstance(request.plan_params.get("meta_model"), str):
        model_ids.append(request.plan_params["meta_model"])
    unknown = [one for one in model_ids if _by_id(models, one) is None]
    errors += [
        f"There is no model “{one}” for {task}; there are {_names(models)}." for one in unknown
    ]
    offered = list(plan.get("params") or [])
    if plan.get("takes_model_params") and model is not None and model not in unknown:
        offered += describe.model(model, task).get("params") or []
    errors += _parameter_errors(request.plan_params, offered)
    errors += _parameter_errors(request.setup_params, describe.setup_params(task))
    metric = request.plan_params.get("sort") or request.plan_params.get("optimize")
    if metric is not None:
        metrics = describe.metrics(task)
        is_asked = metric in custom_metric_ids(request.setup_params)
        if not is_asked and _by_id(metrics, metric) is None:
            errors.append(f"There is no metric “{metric}”; there are {_names(metrics)}.")
    return errors


def _parameter_errors(params: JSON, offered: Sequence[JSON]) -> list[str]:
    """Return a message for each parameter that is unknown or does not match its schema."""
    from jsonschema import Draft202012Validator

    errors = []
    for name, value in params.items():
        found = next((one for one in offered if one["name"] == name), None)
        if found is None:
            names = ", ".join(str(one["name"]) for one in offered) or "none"
            errors.append(f"There is no parameter “{name}”; there are {names}.")
            continue
        schema = found.get("schema") or {}
        error = next(iter(Draft202012Validator(schema).iter_errors(value)), None)
        if error is not None:
            errors.append(f"{name}: {error.message}")
    return errors


def _by_id(records: Sequence[JSON], record_id: Any) -> JSON | None:
    return next((record for record in records if record["id"] == record_id), None)


def _names(records: JSONs) -> str:
    return ", ".join(str(record["id"]) for record in records) or "none"
