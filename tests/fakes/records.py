"""A store with people and rows in it, made in one line each."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jupyter_pycaret_ops.common.protocol import AgentEvent
from jupyter_pycaret_ops.server.lifecycle import Move, Status
from jupyter_pycaret_ops.server.store import (
    artifacts,
    data_sources,
    deployments,
    events,
    ingest,
    keys,
    pipelines,
    profiles,
    projects,
    runs,
    users,
    workers,
    workspaces,
)
from jupyter_pycaret_ops.server.store.access import Caller
from jupyter_pycaret_ops.server.store.models import (
    Artifact,
    Base,
    DataSource,
    Deployment,
    Event,
    Experiment,
    Pipeline,
    Project,
    Run,
    Worker,
    Workspace,
)
from jupyter_pycaret_ops.server.store.session import Store

from . import HandClock

POOL = "here/ada"
SERVER = "here:1:1.00"


class World:
    """Rows by the handful. `ada` is the admin of `workspace`, which has `project` and `experiment`."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self.store = store
        self.clock = clock
        self._numbers = count(1)
        self.ada = self.person("ada")
        self.workspace: Workspace = store.write_now(workspaces.create, self.ada, "ours", None)
        self.project = self.make_project()
        self.experiment = self.make_experiment()

    def number(self) -> int:
        return next(self._numbers)

    # ---------------------------------------------------------------- people and shelves

    def person(self, name: str, role: str | None = None) -> Caller:
        """A user, with a role in the workspace where one is named."""
        user = self.store.write_now(users.ensure_user, name)
        caller = Caller(user.id, user.name)
        if role is not None:
            self.store.write_now(
                workspaces.add_member, self.ada, self.workspace.id, name=name, role=role
            )
        return caller

    def make_workspace(self, caller: Caller) -> Workspace:
        return self.store.write_now(workspaces.create, caller, f"workspace {self.number()}", None)

    def make_project(self, workspace_id: str | None = None, by: Caller | None = None) -> Project:
        return self.store.write_now(
            projects.create,
            by or self.ada,
            workspace_id or self.workspace.id,
            f"project {self.number()}",
            None,
            [],
        )

    def make_experiment(self, project_id: str | None = None, **more: Any) -> Experiment:
        fields = {
            "name": f"experiment {self.number()}",
            "task": "classification",
            "target": "y",
            "setup_params": {},
            "data_source_id": None,
            "description": None,
        }
        return self.store.write_now(
            projects.create_experiment, self.ada, project_id or self.project.id, fields | more
        )

    def make_source(self, **more: Any) -> DataSource:
        fields = {
            "name": f"source {self.number()}",
            "kind": "csv_upload",
            "description": None,
            "config": {},
            "storage_key": f"sources/{self.number()}",
        }
        return self.store.write_now(
            data_sources.create, self.ada, self.workspace.id, **(fields | more)
        )

    # ---------------------------------------------------------------- runs

    def submit(self, *, queue_cap: int = 1000, by: Caller | None = None, **more: Any) -> Run:
        fields: dict[str, Any] = {
            "experiment_id": self.experiment.id,
            "plan": "compare",
            "model_id": None,
            "executor": "kernel",
            "data": {"kind": "sklearn", "options": {"name": "iris"}},
            "data_source_id": None,
            "metric": "Accuracy",
            "greater_is_better": True,
            "snapshot": {"task": "classification", "target": "y"},
            "pool": POOL,
        }
        return self.store.write_now(
            runs.submit,
            by or self.ada,
            runs.NewRun(**(fields | more)),
            now=self.clock.now(),
            queue_cap=queue_cap,
        )

    def claim(
        self,
        *,
        pool: str = POOL,
        server: str = SERVER,
        token_hash: str = "t",
        lease_s: float = 60.0,
    ) -> Run | None:
        return self.store.write_now(
            runs.claim_next,
            pool=pool,
            server_id=server,
            token_hash=token_hash,
            now=self.clock.now(),
            lease_until=self.clock.now() + timedelta(seconds=lease_s),
        )

    def running(self, **more: Any) -> Run:
        """A run that was submitted and claimed; the only one that waits."""
        run = self.submit(**more)
        claimed = self.claim()
        assert claimed is not None
        assert claimed.id == run.id
        return claimed

    def finish(self, run: Run, move: Move = Move.SUCCEED, **more: Any) -> Run:
        return self.store.write_now(
            runs.finish, run.id, run.attempt, move, self.clock.now(), message="Done", **more
        )

    def in_state(self, status: Status) -> Run:
        """A run in that state."""
        if status is Status.QUEUED:
            return self.submit()
        run = self.running()
        if status is Status.RUNNING:
            return run
        moves = {
            Status.SUCCEEDED: Move.SUCCEED,
            Status.FAILED: Move.FAIL,
            Status.CANCELLED: Move.CANCEL,
        }
        return self.finish(run, moves[status])

    def run(self, run_id: str) -> Run:
        """The run as it stands in the database."""

        def work(session: Session) -> Run:
            return session.get_one(Run, run_id)

        return self.store.read_now(work)

    def events(self, run_id: str) -> list[Event]:
        return self.store.read_now(events.after, run_id, 0, 10_000)

    def kinds(self, run_id: str) -> list[str]:
        return [event.kind for event in self.events(run_id)]

    # ---------------------------------------------------------------- what comes of runs

    def make_artifact(self, run: Run, filename: str = "model.pkl", **more: Any) -> Artifact:
        fields: dict[str, Any] = {
            "filename": filename,
            "kind": "pipeline_pickle",
            "model_id": "lr",
            "sha256": "0" * 64,
            "signature": "1" * 64,
            "size_bytes": 3,
            "content_type": "application/octet-stream",
            "storage_key": f"runs/{run.id}/{self.number()}",
        }
        made, _ = self.store.write_now(artifacts.put, run.id, run.attempt, **(fields | more))
        return made

    def make_pipeline(self, run: Run | None = None, **more: Any) -> Pipeline:
        fields: dict[str, Any] = {
            "name": f"pipeline {self.number()}",
            "description": None,
            "tags": [],
            "model_id": "lr",
            "origin_run_id": run.id if run is not None else None,
            "task": "classification",
            "labels": ["a", "b"],
            "metrics": {},
            "versions": {},
            "input_schema": INPUT_SCHEMA,
            "training_profile": None,
            "sha256": "0" * 64,
            "signature": "1" * 64,
            "size_bytes": 3,
            "storage_key": f"pipelines/{self.number()}.pkl",
        }
        return self.store.write_now(pipelines.create, self.ada, self.workspace.id, fields | more)

    def deploy(
        self,
        pipeline: Pipeline | None = None,
        slug: str | None = None,
        auth_mode: str = "workspace",
    ) -> Deployment:
        pipeline = pipeline or self.make_pipeline()
        return self.store.write_now(
            deployments.create,
            self.ada,
            pipeline.id,
            slug or f"slug-{self.number()}",
            auth_mode,
        )

    # ---------------------------------------------------------------- the whole

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""

        def work(session: Session) -> dict[str, int]:
            counts = {
                name: select(func.count()).select_from(table).scalar_subquery().label(name)
                for name, table in Base.metadata.tables.items()
            }
            return dict(session.execute(select(*counts.values())).one()._mapping)

        return self.store.read_now(work)


def everything(world: World) -> dict[str, Any]:
    """A row in every table, all in one workspace."""
    source = world.make_source(
        storage_key="sources/table",
        config={
            "filename": "table.csv",
            "sha256": "0" * 64,
            "size_bytes": 8,
            "encoding": "utf-8",
            "delimiter": ",",
            "rows": 1,
            "columns": [{"name": "x", "dtype": "integer"}, {"name": "y", "dtype": "integer"}],
        },
    )
    world.store.write_now(profiles.begin, source.id, 1, "", world.clock.now())
    run = world.running(
        data_source_id=source.id,
        data={"kind": "inline", "storage_key": "inline/rows.json"},
    )
    world.store.write_now(
        ingest.take_events,
        run.id,
        1,
        [scored(1, "lr", Accuracy=0.9, fold_metrics={"Accuracy": [0.9]})],
    )
    artifact = world.make_artifact(run, storage_key="runs/file")
    run = world.finish(run)
    pipeline = world.make_pipeline(run, storage_key="pipelines/kept.pkl")
    deployment = world.deploy(pipeline)
    key, _ = world.store.write_now(
        keys.create,
        world.ada,
        name="key",
        workspace_id=world.workspace.id,
        scopes=["predict"],
        deployment_id=deployment.id,
        expires_at=None,
        now=world.clock.now(),
    )
    worker = Worker(
        server_id="here:1:1.00",
        host="here",
        kernel_id="kernel",
        pid=1,
        process_group=1,
        pid_started_at=1.0,
        purpose="run",
        run_id=run.id,
    )
    world.store.write_now(workers.record, worker)
    return {
        "source": source,
        "run": run,
        "artifact": artifact,
        "pipeline": pipeline,
        "deployment": deployment,
        "key": key,
    }


INPUT_SCHEMA: dict[str, Any] = {
    "columns": [
        {"name": "length", "type": "number", "min": 1.0, "max": 7.5},
        {"name": "count", "type": "integer"},
        {"name": "fresh", "type": "boolean"},
        {"name": "colour", "type": "string", "categories": ["red", "green"]},
        {"name": "picked", "type": "datetime"},
    ],
    "labels": ["a", "b"],
    "example": {
        "length": 1.5,
        "count": 2,
        "fresh": True,
        "colour": "red",
        "picked": "2026-01-02",
    },
}


def said(n: int, kind: str = "message", payload: dict[str, Any] | None = None) -> AgentEvent:
    """An event as an agent sends it."""
    return AgentEvent(n, kind, f"event {n}", payload or {}, "2026-01-02T03:04:05.000000Z")


def scored(n: int, model_id: str, **metrics: Any) -> AgentEvent:
    """A scored model, as an agent sends it."""
    return said(n, "model.scored", {"model_id": model_id, "name": model_id, **metrics})


def moment(clock: HandClock, seconds: float) -> datetime:
    return clock.now() + timedelta(seconds=seconds)
