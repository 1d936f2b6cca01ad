"""Checks of a submission against what the engine offers, before a run is queued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from ...common.custom_objects import (
    custom_metric_ids,
    objects_of_notebook,
    without_notebook_scorers,
)
from ...common.engine_facts import SAMPLE_SETS, SAMPLE_TARGET
from ...common.errors import FieldError, Invalid, NotFound
from ...common.protocol import HOLDOUT_PARAM
from ...common.pycaret3_setup import why_not
from ...common.tables.named_columns import column_faults, with_stored_types
from ...common.task_types import TASK_TYPES
from ..data_sources.stored_source import reading_options
from ..executors.engine_description import EngineDescription
from ..files.file_store import FileStore
from ..store import data_sources, projects, runs
from ..store.access import Caller, Role
from ..store.data_sources import Table
from ..store.ids import new_id
from ..store.models import DataSource, Experiment, Project
from ..store.session import Store
from ..threads import in_thread


@dataclass(frozen=True, slots=True)
class Submission:
    """The run that a caller asks for, not yet checked."""

    plan: str
    model_id: str | None = None
    plan_params: dict[str, Any] = field(default_factory=dict)
    target: str | None = None
    setup_params: dict[str, Any] = field(default_factory=dict)
    executor: str = "kernel"
    data_source_id: str | None = None
    #: None for the newest
    data_version: int | None = None
    sklearn_dataset: str | None = None
    data_inline: list[dict[str, Any]] | None = None
    #: `{"name", "rows", "columns"}` of a frame that stays in the caller's kernel
    frame: dict[str, Any] | None = None


class FieldErrors:
    """Errors found so far, to be raised together."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def add(self, message: str, *loc: str | int) -> None:
        """Add an error with its location in the body."""
        self._errors.append({"loc": list(loc), "msg": message})

    def raise_if_any(self) -> None:
        """Raise Invalid with all errors, if there are any; the message is that of the first."""
        if self._errors:
            raise Invalid(self._errors[0]["msg"], errors=self._errors)


class Submissions:
    """Check submissions and return runs that can be queued."""

    def __init__(
        self, store: Store, artifacts: FileStore, engine: EngineDescription, pool: str
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._engine = engine
        #: host and operating system user whose servers execute what is submitted here
        self.pool = pool

    async def check(
        self, caller: Caller, experiment_id: str, submission: Submission
    ) -> runs.NewRun:
        """Return the run to queue. Inline rows are stored in the file store.

        Raises
        ------
        Invalid
            With all errors in plan, model, parameters, data and target.
        NotFound, Forbidden
            When the caller may not submit to the experiment's workspace.
        Unavailable
            When the description of the engine cannot be had.
        """
        records = await self._store.read(_records, caller, experiment_id, submission)
        experiment, project = records.experiment, records.project
        source, table, holdout = records.source, records.table, records.holdout
        setup_params = records.setup_params
        errors = FieldErrors()
        if setup_params.get(HOLDOUT_PARAM) is not None and holdout is None:
            errors.add("This workspace has no such data source.", "setup_params", HOLDOUT_PARAM)
        _check_data(submission, source, project, errors)
        _check_version(submission, source, table, errors)
        errors.raise_if_any()
        task = await self._engine.task(experiment.task)
        versions = (await self._engine.get()).get("versions", {})
        if table is not None:
            setup_params = with_stored_types(setup_params, table.types)
        target = _target(experiment, submission)
        _check_plan(task, submission, errors)
        plan = _by_id(task["plans"], submission.plan)
        if plan is not None:
            offered = [*plan["params"], *_model_params(task, plan, submission.model_id)]
            await in_thread(check_params, submission.plan_params, offered, "plan_params", errors)
            _check_models(task, submission.plan_params, errors)
        checked = without_notebook_scorers(setup_params)
        await in_thread(check_params, checked, task["setup_params"], "setup_params", errors)
        _check_objects(submission, setup_params, errors)
        columns = _columns(submission, table)
        _check_target(experiment.task, target, columns, errors)
        for fault in column_faults(setup_params, columns):
            errors.add(fault.message, "setup_params", fault.param, fault.column)
        metric = _metric(task, submission.plan_params, setup_params, errors)
        errors.raise_if_any()
        data, data_sha256, data_rows = await self._data(submission, table)
        if holdout is not None:
            data["holdout"] = {
                "kind": holdout.kind,
                "options": reading_options(holdout),
                "storage_key": holdout.storage_key,
                "data_source_id": setup_params[HOLDOUT_PARAM],
            }
        return runs.NewRun(
            experiment_id=experiment_id,
            plan=submission.plan,
            model_id=submission.model_id,
            executor=submission.executor,
            data=data,
            data_source_id=submission.data_source_id,
            metric=metric["id"] if metric else None,
            greater_is_better=bool(metric["greater_is_better"]) if metric else True,
            snapshot={
                "task": experiment.task,
                "target": target,
                "setup_params": setup_params,
                "plan": submission.plan,
                "model_id": submission.model_id,
                "plan_params": submission.plan_params,
                "data_source_id": submission.data_source_id,
                "data_version": None if table is None else table.version,
                **({} if holdout is None else {"test_data_version": holdout.version}),
                "sklearn_dataset": submission.sklearn_dataset,
                "data_sha256": data_sha256,
                "data_rows": data_rows,
                "data_changes": [],
                "seed": setup_params.get("session_id"),
                "versions": versions,
            },
            pool=self.pool,
        )

    async def _data(
        self, submission: Submission, table: Table | None
    ) -> tuple[dict[str, Any], str | None, int | None]:
        if submission.sklearn_dataset is not None:
            return {"kind": "sklearn", "options": {"name": submission.sklearn_dataset}}, None, None
        if submission.data_inline is not None:
            key = f"inline/{new_id()}.json"
            await self._artifacts.in_thread(
                lambda: self._artifacts.put(key, msgspec.json.encode(submission.data_inline))
            )
            return {"kind": "inline", "storage_key": key}, None, len(submission.data_inline)
        if submission.frame is not None:
            options = {"name": submission.frame["name"]}
            return {"kind": "frame", "options": options}, None, submission.frame["rows"]
        assert table is not None
        options = reading_options(table)
        data = {"kind": table.kind, "options": options, "storage_key": table.storage_key}
        return data, table.config.get("sha256"), table.config.get("rows")


@dataclass(frozen=True, slots=True)
class _Records:
    """What the database has of a submission: its experiment, its data, and the table to hold out."""

    experiment: Experiment
    project: Project
    setup_params: dict[str, Any]
    source: DataSource | None
    table: Table | None
    holdout: Table | None


def _records(
    session: Session, caller: Caller, experiment_id: str, submission: Submission
) -> _Records:
    experiment, project = projects.read_experiment(session, caller, experiment_id, Role.MEMBER)
    setup_params = {**experiment.setup_params, **submission.setup_params}
    source, table = _table(session, project, submission.data_source_id, submission.data_version)
    _, holdout = _table(session, project, setup_params.get(HOLDOUT_PARAM), None)
    return _Records(experiment, project, setup_params, source, table, holdout)


def _table(
    session: Session, project: Project, source_id: Any, version: int | None
) -> tuple[DataSource | None, Table | None]:
    """Return a data source, and its table of a version; None where the project's workspace has it not."""
    source = session.get(DataSource, source_id) if isinstance(source_id, str) else None
    if source is None or source.workspace_id != project.workspace_id:
        return source, None
    try:
        return source, data_sources.table_of(session, source, version)
    except NotFound:
        return source, None


def _check_data(
    submission: Submission, source: DataSource | None, project: Project, errors: FieldErrors
) -> None:
    given = [
        name
        for name in ("data_source_id", "sklearn_dataset", "data_inline", "frame")
        if getattr(submission, name) is not None
    ]
    if len(given) != 1:
        listed = " and ".join(given) or "none"
        errors.add(
            "Give exactly one of data_source_id, sklearn_dataset, data_inline and frame "
            f"(given: {listed}).",
            given[1] if given else "data_source_id",
        )
        return
    if submission.data_source_id is not None and (
        source is None or source.workspace_id != project.workspace_id
    ):
        errors.add("This workspace has no such data source.", "data_source_id")
    if submission.sklearn_dataset is not None and submission.sklearn_dataset not in SAMPLE_SETS:
        errors.add(
            f"There is no data set “{submission.sklearn_dataset}”; there are {', '.join(SAMPLE_SETS)}.",
            "sklearn_dataset",
        )
    if (submission.frame is not None) != (submission.executor == "notebook"):
        errors.add(
            "The executor “notebook” needs a frame, and a frame needs the executor “notebook”.",
            "executor",
        )
    if submission.frame is not None and submission.frame["rows"] == 0:
        errors.add("The frame has no rows.", "frame", "rows")
    if submission.data_inline is not None and not submission.data_inline:
        errors.add("data_inline has no rows.", "data_inline")


def _check_version(
    submission: Submission, source: DataSource | None, table: Table | None, errors: FieldErrors
) -> None:
    if submission.data_version is None:
        return
    if submission.data_source_id is None:
        errors.add("data_version goes with data_source_id.", "data_version")
    elif source is not None and table is None:
        errors.add(
            f"“{source.name}” has no version {submission.data_version}; its versions are 1 to "
            f"{source.version}.",
            "data_version",
        )


def _check_objects(
    submission: Submission, setup_params: dict[str, Any], errors: FieldErrors
) -> None:
    """Refuse objects of a notebook where a worker kernel executes the run."""
    for name in objects_of_notebook(setup_params) if submission.executor != "notebook" else ():
        errors.add(
            f"{name} names objects that only a notebook has. Start the run there, on a DataFrame: "
            "%pcrun, or ops.start() without worker=True.",
            "setup_params",
            name,
        )


def _check_plan(task: dict[str, Any], submission: Submission, errors: FieldErrors) -> None:
    if not task["is_available"]:
        errors.add(
            f"The task {task['id']} needs an extra that is not installed: "
            f"pip install 'jupyter-pycaret-ops[{task['extra']}]'.",
            "task",
        )
        return
    plan = _by_id(task["plans"], submission.plan)
    if plan is None:
        names = ", ".join(item["id"] for item in task["plans"]) or "none yet"
        errors.add(
            f"The task {task['id']} has no plan “{submission.plan}”; its plans: {names}.", "plan"
        )
        return
    if plan["needs_model"] and submission.model_id is None:
        errors.add(f"The plan {submission.plan} needs a model_id.", "model_id")
    if not plan["needs_model"] and submission.model_id is not None:
        errors.add(f"The plan {submission.plan} takes no model_id.", "model_id")
    elif submission.model_id is not None:
        _check_model(task, submission.model_id, errors, "model_id")


def _check_model(task: dict[str, Any], model_id: Any, errors: FieldErrors, *loc: str | int) -> None:
    model = _by_id(task["models"], model_id)
    if model is None:
        names = ", ".join(item["id"] for item in task["models"])
        errors.add(f"There is no model “{model_id}” for {task['id']}; there are {names}.", *loc)
    elif not model.get("is_available", True):
        errors.add(
            f"The model {model_id} needs an extra that is not installed: "
            f"pip install 'jupyter-pycaret-ops[{model.get('extra')}]'.",
            *loc,
        )


def _check_models(task: dict[str, Any], plan_params: dict[str, Any], errors: FieldErrors) -> None:
    if isinstance(plan_params.get("meta_model"), str):
        _check_model(task, plan_params["meta_model"], errors, "plan_params", "meta_model")
    for name in ("include", "exclude"):
        listed = plan_params.get(name)
        if isinstance(listed, list):
            for index, model_id in enumerate(listed):
                _check_model(task, model_id, errors, "plan_params", name, index)


def _model_params(
    task: dict[str, Any], plan: dict[str, Any], model_id: str | None
) -> list[dict[str, Any]]:
    """Return the parameters of the model, if the plan takes any."""
    if not plan.get("takes_model_params"):
        return []
    model = _by_id(task["models"], model_id)
    return list(model.get("params", [])) if model else []


def check_params(
    params: dict[str, Any], offered: Sequence[dict[str, Any]], where: str, errors: FieldErrors
) -> None:
    """Add an error for each parameter that is unknown or does not match its JSON Schema."""
    from jsonschema import Draft202012Validator

    for name, value in params.items():
        found = next((item for item in offered if item["name"] == name), None)
        if found is None:
            names = ", ".join(item["name"] for item in offered) or "none"
            reason = why_not(name) if where == "setup_params" else ""
            errors.add(f"There is no parameter “{name}”; there are {names}.{reason}", where, name)
            continue
        error = next(iter(Draft202012Validator(found.get("schema", {})).iter_errors(value)), None)
        if error is not None:
            errors.add(f"{name}: {_short(error.message)}", where, name, *error.absolute_path)


def _short(message: str) -> str:
    return message if len(message) <= 300 else f"{message[:300]}…"


def _target(experiment: Experiment, submission: Submission) -> str | None:
    if submission.target is not None:
        return submission.target
    if submission.sklearn_dataset is not None and TASK_TYPES[experiment.task].target != "refused":
        return SAMPLE_TARGET
    return experiment.target


def _columns(submission: Submission, table: Table | None) -> list[str] | None:
    """Return the names of the columns, None where only a full read would tell."""
    if submission.data_inline:
        return list({str(name): None for row in submission.data_inline[:1000] for name in row})
    if submission.frame is not None:
        return list(submission.frame["columns"])
    if table is not None and table.config.get("columns"):
        return [column["name"] for column in table.config["columns"]]
    return None


def _check_target(
    task: str, target: str | None, columns: Sequence[str] | None, errors: FieldErrors
) -> None:
    if target is not None and TASK_TYPES[task].target == "refused":
        errors.add(
            f"{task} predicts no column, so it takes no target. To leave out “{target}”, add it to "
            "setup_params.ignore_features.",
            "target",
        )
        return
    if target is None:
        if TASK_TYPES[task].target == "required":
            errors.add(f"A {task} run needs a target: the column to predict.", "target")
        return
    if columns is not None and target not in columns:
        listed = ", ".join(columns[:30])
        errors.add(f"The target “{target}” is not a column of the data; it has {listed}.", "target")


def _metric(
    task: dict[str, Any],
    plan_params: dict[str, Any],
    setup_params: dict[str, Any],
    errors: FieldErrors,
) -> dict[str, Any] | None:
    metric_id = (
        plan_params.get("sort")
        or plan_params.get("optimize")
        or TASK_TYPES[task["id"]].default_metric
    )
    if metric_id is None:
        return None
    metric = _by_id(task["metrics"], metric_id)
    if metric is None and metric_id in custom_metric_ids(setup_params):
        return {"id": metric_id, "greater_is_better": True}  # as of all scorers of scikit-learn
    if metric is None:
        names = ", ".join(item["id"] for item in task["metrics"])
        errors.add(
            f"There is no metric “{metric_id}”; there are {names}.",
            "plan_params",
            "sort" if plan_params.get("sort") else "optimize",
        )
    return metric


def _by_id(items: Sequence[dict[str, Any]], item_id: Any) -> dict[str, Any] | None:
    return next((item for item in items if item["id"] == item_id), None)
