"""A submission checked against what the engine offers, before anything is queued."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ...common.engine_facts import SAMPLE_SETS, SAMPLE_TARGET
from ...common.errors import FieldError, Invalid
from ...common.task_types import TASK_TYPES
from ..executors.engine_description import EngineDescription
from ..files.file_store import FileStore
from ..store import projects, runs
from ..store.access import Caller, Role
from ..store.ids import new_id
from ..store.models import DataSource, Experiment, Project
from ..store.session import Store


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller asks for, as it came."""

    plan: str
    model_id: str | None = None
    plan_params: dict[str, Any] = field(default_factory=dict)
    target: str | None = None
    setup_params: dict[str, Any] = field(default_factory=dict)
    executor: str = "kernel"
    data_source_id: str | None = None
    sklearn_dataset: str | None = None
    data_inline: list[dict[str, Any]] | None = None
    #: `{"name", "rows", "columns"}` of a frame that stays in the caller's kernel
    frame: dict[str, Any] | None = None


class Faults:
    """Faults found so far; raised together."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def add(self, message: str, *loc: str | int) -> None:
        """Note a fault at a place in the body."""
        self.errors.append({"loc": list(loc), "msg": message})

    def settle(self) -> None:
        """Raise Invalid when there are any."""
        if self.errors:
            raise Invalid(self.errors[0]["msg"], errors=self.errors)


class Submissions:
    """Turns submissions into runs that are ready to be queued."""

    def __init__(
        self, store: Store, artifacts: FileStore, engine: EngineDescription, pool: str
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._engine = engine
        self._pool = pool

    async def check(self, caller: Caller, experiment_id: str, wanted: Submission) -> runs.NewRun:
        """The run to queue. Inline rows stand in the artifact store afterwards.

        Raises
        ------
        Invalid
            With every fault that was found: plan, model, parameters, data, target.
        NotFound, Forbidden
            As the experiment's workspace says.
        Unavailable
            When the engine cannot be asked what it offers.
        """
        experiment, project, source = await self._store.read(
            self._rows, caller, experiment_id, wanted.data_source_id
        )
        faults = Faults()
        _check_data(wanted, source, project, faults)
        faults.settle()
        task = await self._engine.task(experiment.task)
        versions = (await self._engine.get()).get("versions", {})
        setup_params = {**experiment.setup_params, **wanted.setup_params}
        target = _target(experiment, wanted)
        _check_plan(task, wanted, faults)
        plan = _by_id(task["plans"], wanted.plan)
        if plan is not None:
            offered = [*plan["params"], *_model_params(task, plan, wanted.model_id)]
            await asyncio.to_thread(
                check_params, wanted.plan_params, offered, "plan_params", faults
            )
            _check_models(task, wanted.plan_params, faults)
        await asyncio.to_thread(
            check_params, setup_params, task["setup_params"], "setup_params", faults
        )
        _check_target(experiment.task, target, wanted, source, faults)
        metric = _metric(task, wanted.plan_params, faults)
        faults.settle()
        data, data_sha256, data_rows = await self._data(wanted, source)
        return runs.NewRun(
            experiment_id=experiment_id,
            plan=wanted.plan,
            model_id=wanted.model_id,
            executor=wanted.executor,
            data=data,
            data_source_id=wanted.data_source_id,
            metric=metric["id"] if metric else None,
            greater_is_better=bool(metric["greater_is_better"]) if metric else True,
            snapshot={
                "task": experiment.task,
                "target": target,
                "setup_params": setup_params,
                "plan": wanted.plan,
                "model_id": wanted.model_id,
                "plan_params": wanted.plan_params,
                "data_source_id": wanted.data_source_id,
                "sklearn_dataset": wanted.sklearn_dataset,
                "data_sha256": data_sha256,
                "data_rows": data_rows,
                "data_changes": [],
                "seed": setup_params.get("session_id"),
                "versions": versions,
            },
            pool=self._pool,
        )

    @staticmethod
    def _rows(
        session: Any, caller: Caller, experiment_id: str, data_source_id: str | None
    ) -> tuple[Experiment, Project, DataSource | None]:
        experiment, project = projects.read_experiment(session, caller, experiment_id, Role.MEMBER)
        source = session.get(DataSource, data_source_id) if data_source_id else None
        return experiment, project, source

    async def _data(
        self, wanted: Submission, source: DataSource | None
    ) -> tuple[dict[str, Any], str | None, int | None]:
        if wanted.sklearn_dataset is not None:
            return {"kind": "sklearn", "options": {"name": wanted.sklearn_dataset}}, None, None
        if wanted.data_inline is not None:
            key = f"inline/{new_id()}.json"
            await self._artifacts.in_thread(
                lambda: self._artifacts.put(key, msgspec.json.encode(wanted.data_inline))
            )
            return {"kind": "inline", "storage_key": key}, None, len(wanted.data_inline)
        if wanted.frame is not None:
            options = {"name": wanted.frame["name"]}
            return {"kind": "frame", "options": options}, None, wanted.frame["rows"]
        assert source is not None
        config = source.config
        options = (
            {name: config.get(name) for name in ("encoding", "delimiter")}
            if source.storage_key
            else dict(config)
        )
        data = {"kind": source.kind, "options": options, "storage_key": source.storage_key}
        return data, config.get("sha256"), config.get("rows")


def _check_data(
    wanted: Submission, source: DataSource | None, project: Project, faults: Faults
) -> None:
    named = [
        name
        for name in ("data_source_id", "sklearn_dataset", "data_inline", "frame")
        if getattr(wanted, name) is not None
    ]
    if len(named) != 1:
        found = " and ".join(named) or "none"
        faults.add(
            "Name the data exactly once: data_source_id, sklearn_dataset, data_inline or frame "
            f"(here: {found}).",
            named[1] if named else "data_source_id",
        )
        return
    if wanted.data_source_id is not None and (
        source is None or source.workspace_id != project.workspace_id
    ):
        faults.add("The data source is not one of this workspace.", "data_source_id")
    if wanted.sklearn_dataset is not None and wanted.sklearn_dataset not in SAMPLE_SETS:
        faults.add(
            f"There is no data set “{wanted.sklearn_dataset}”; there are {', '.join(SAMPLE_SETS)}.",
            "sklearn_dataset",
        )
    if (wanted.frame is not None) != (wanted.executor == "notebook"):
        faults.add(
            "A frame and the executor “notebook” go together: the frame stays in the kernel that has it.",
            "executor",
        )
    if wanted.frame is not None and wanted.frame["rows"] == 0:
        faults.add("The frame has no row.", "frame", "rows")
    if wanted.data_inline is not None and not wanted.data_inline:
        faults.add("data_inline holds no row.", "data_inline")


def _check_plan(task: dict[str, Any], wanted: Submission, faults: Faults) -> None:
    if not task["is_available"]:
        faults.add(
            f"The task {task['id']} needs an extra that is not installed: "
            f"pip install 'jupyter-pycaret-ops[{task['extra']}]'.",
            "task",
        )
        return
    plan = _by_id(task["plans"], wanted.plan)
    if plan is None:
        names = ", ".join(item["id"] for item in task["plans"]) or "none yet"
        faults.add(
            f"The task {task['id']} has no plan “{wanted.plan}”; its plans: {names}.", "plan"
        )
        return
    if plan["needs_model"] and wanted.model_id is None:
        faults.add(f"The plan {wanted.plan} needs a model_id.", "model_id")
    if not plan["needs_model"] and wanted.model_id is not None:
        faults.add(f"The plan {wanted.plan} takes no model_id.", "model_id")
    elif wanted.model_id is not None:
        _check_model(task, wanted.model_id, faults, "model_id")


def _check_model(task: dict[str, Any], model_id: Any, faults: Faults, *loc: str | int) -> None:
    model = _by_id(task["models"], model_id)
    if model is None:
        names = ", ".join(item["id"] for item in task["models"])
        faults.add(f"There is no model “{model_id}” for {task['id']}; there are {names}.", *loc)
    elif not model.get("is_available", True):
        faults.add(
            f"The model {model_id} needs an extra that is not installed: "
            f"pip install 'jupyter-pycaret-ops[{model.get('extra')}]'.",
            *loc,
        )


def _check_models(task: dict[str, Any], plan_params: dict[str, Any], faults: Faults) -> None:
    if isinstance(plan_params.get("meta_model"), str):
        _check_model(task, plan_params["meta_model"], faults, "plan_params", "meta_model")
    for name in ("include", "exclude"):
        listed = plan_params.get(name)
        if isinstance(listed, list):
            for index, model_id in enumerate(listed):
                _check_model(task, model_id, faults, "plan_params", name, index)


def _model_params(
    task: dict[str, Any], plan: dict[str, Any], model_id: str | None
) -> list[dict[str, Any]]:
    """The model's own parameters, where the plan takes them."""
    if not plan.get("takes_model_params"):
        return []
    model = _by_id(task["models"], model_id)
    return list(model.get("params", [])) if model else []


def check_params(
    params: dict[str, Any], offered: Sequence[dict[str, Any]], where: str, faults: Faults
) -> None:
    """Note each parameter that is unknown or does not fit its JSON Schema."""
    from jsonschema import Draft202012Validator

    for name, value in params.items():
        found = next((item for item in offered if item["name"] == name), None)
        if found is None:
            names = ", ".join(item["name"] for item in offered) or "none"
            faults.add(f"There is no parameter “{name}” here; there are {names}.", where, name)
            continue
        fault = next(iter(Draft202012Validator(found.get("schema", {})).iter_errors(value)), None)
        if fault is not None:
            faults.add(f"{name}: {_short(fault.message)}", where, name, *fault.absolute_path)


def _short(message: str) -> str:
    return message if len(message) <= 300 else f"{message[:300]}…"


def _target(experiment: Experiment, wanted: Submission) -> str | None:
    if wanted.target is not None:
        return wanted.target
    if wanted.sklearn_dataset is not None and TASK_TYPES[experiment.task].target != "refused":
        return SAMPLE_TARGET
    return experiment.target


def _check_target(
    task: str,
    target: str | None,
    wanted: Submission,
    source: DataSource | None,
    faults: Faults,
) -> None:
    if target is not None and TASK_TYPES[task].target == "refused":
        faults.add(
            f"{task} predicts no column, so it takes no target; to leave “{target}” out, name it in "
            "setup_params.ignore_features.",
            "target",
        )
        return
    if target is None:
        if TASK_TYPES[task].target == "required":
            faults.add(f"A {task} run needs a target: the column to predict.", "target")
        return
    names: Iterable[str] | None = None
    if wanted.data_inline:
        names = {str(name) for row in wanted.data_inline[:1000] for name in row}
    elif wanted.frame is not None:
        names = wanted.frame["columns"]
    elif source is not None and source.config.get("columns"):
        names = [column["name"] for column in source.config["columns"]]
    if names is not None and target not in names:
        listed = ", ".join(list(names)[:30])
        faults.add(f"The target “{target}” is not a column of the data; it has {listed}.", "target")


def _metric(
    task: dict[str, Any], plan_params: dict[str, Any], faults: Faults
) -> dict[str, Any] | None:
    wanted = (
        plan_params.get("sort")
        or plan_params.get("optimize")
        or TASK_TYPES[task["id"]].default_metric
    )
    if wanted is None:
        return None
    metric = _by_id(task["metrics"], wanted)
    if metric is None:
        names = ", ".join(item["id"] for item in task["metrics"])
        faults.add(
            f"There is no metric “{wanted}”; there are {names}.",
            "plan_params",
            "sort" if plan_params.get("sort") else "optimize",
        )
    return metric


def _by_id(items: Sequence[dict[str, Any]], wanted: Any) -> dict[str, Any] | None:
    return next((item for item in items if item["id"] == wanted), None)
