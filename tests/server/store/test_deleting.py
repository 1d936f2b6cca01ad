"""What goes with what when rows are deleted, what stays, and what is refused."""

from __future__ import annotations

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from jupyter_pycaret_ops.common.errors import Conflict
from jupyter_pycaret_ops.server.lifecycle import Status
from jupyter_pycaret_ops.server.store import (
    data_sources,
    deployments,
    kept_models,
    pipelines,
    projects,
    runs,
    workers,
    workspaces,
)
from jupyter_pycaret_ops.server.store.models import Pipeline, Run, User

from ...fakes.records import World, everything


def test_the_helper_fills_every_table(world: World) -> None:
    everything(world)
    assert [name for name, number in world.counts().items() if number == 0] == []


def test_a_workspace_goes_with_all_it_holds(world: World) -> None:
    everything(world)
    freed = world.store.write_now(workspaces.delete, world.ada, world.workspace.id)
    assert sorted(freed) == [
        "inline/rows.json",
        "pipelines/kept.pkl",
        "runs/file",
        "sources/table",
    ]
    left = {name: number for name, number in world.counts().items() if number}
    assert left == {"users": 1, "workers": 1}
    worker = world.store.read_now(workers.on_host, "here")[0]
    assert worker.run_id is None


def test_a_workspace_that_is_busy_says_with_what(world: World) -> None:
    world.store.write_now(workspaces.refuse_busy, world.workspace.id)
    everything(world)
    world.submit()
    with pytest.raises(Conflict, match=r"1 unfinished runs and 1 active deployments.*force"):
        world.store.write_now(workspaces.refuse_busy, world.workspace.id)
    assert len(world.store.read_now(workspaces.unfinished_runs, world.workspace.id)) == 1


def test_a_paused_deployment_keeps_no_workspace(world: World) -> None:
    deployment = world.deploy()
    world.store.write_now(deployments.update, world.ada, deployment.id, {"status": "paused"})
    world.store.write_now(workspaces.refuse_busy, world.workspace.id)


def test_a_run_goes_with_its_events_files_and_metrics_and_the_pipeline_stays(
    world: World,
) -> None:
    rows = everything(world)
    freed = world.store.write_now(runs.delete, world.ada, rows["run"].id)
    assert sorted(freed) == ["inline/rows.json", "runs/file"]
    left = world.counts()
    assert (left["runs"], left["events"], left["artifacts"], left["fold_metrics"]) == (0, 0, 0, 0)
    kept = world.store.read_now(pipelines.read, world.ada, rows["pipeline"].id)
    assert kept.origin_run_id is None
    assert kept.storage_key == "pipelines/kept.pkl"


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_what_has_an_unfinished_run_stays(world: World, status: Status) -> None:
    source = world.make_source()
    run = (
        world.submit(data_source_id=source.id)
        if status is Status.QUEUED
        else world.running(data_source_id=source.id)
    )
    for work, row_id in (
        (runs.delete, run.id),
        (projects.delete_experiment, world.experiment.id),
        (projects.delete, world.project.id),
        (data_sources.delete, source.id),
    ):
        with pytest.raises(Conflict, match=r"[Cc]ancel"):
            world.store.write_now(work, world.ada, row_id)
    world.store.write_now(runs.request_cancel, world.ada, run.id, world.clock.now())
    if status is Status.RUNNING:
        world.finish(run)
    freed = world.store.write_now(data_sources.delete, world.ada, source.id)
    assert freed == [source.storage_key]
    assert world.run(run.id).data_source_id is None
    world.store.write_now(projects.delete, world.ada, world.project.id)
    assert world.counts()["runs"] == 0


def test_what_a_model_is_being_kept_of_stays(world: World) -> None:
    run = world.finish(world.running(data={"kind": "sklearn", "options": {"name": "iris"}}))

    def score(session: Session) -> None:
        session.get_one(Run, run.id).leaderboard = [{"model_id": "lr", "Accuracy": 0.9}]

    world.store.write_now(score)
    keeper = world.store.write_now(
        kept_models.keep,
        world.ada,
        run.id,
        "lr",
        now=world.clock.now(),
        queue_cap=10,
        pool=run.pool,
    )
    for work, row_id in (
        (runs.delete, run.id),
        (projects.delete_experiment, world.experiment.id),
    ):
        with pytest.raises(Conflict, match="being kept"):
            world.store.write_now(work, world.ada, row_id)
    world.store.write_now(runs.request_cancel, world.ada, keeper.id, world.clock.now())
    world.store.write_now(projects.delete_experiment, world.ada, world.experiment.id)
    assert world.run(keeper.id).origin_run_id is None


def test_a_project_and_an_experiment_set_the_files_of_their_runs_free(world: World) -> None:
    everything(world)
    freed = world.store.write_now(projects.delete_experiment, world.ada, world.experiment.id)
    assert sorted(freed) == ["inline/rows.json", "runs/file"]
    assert world.counts()["experiments"] == 0
    assert world.counts()["pipelines"] == 1


def test_an_experiment_outlives_its_data_source(world: World) -> None:
    source = world.make_source()
    experiment = world.make_experiment(data_source_id=source.id)
    world.store.write_now(data_sources.delete, world.ada, source.id)
    found, _ = world.store.read_now(projects.read_experiment, world.ada, experiment.id)
    assert found.data_source_id is None


def test_a_deployed_pipeline_stays_and_says_where_it_is(world: World) -> None:
    pipeline = world.make_pipeline()
    for slug in ("beta", "alpha"):
        world.deploy(pipeline, slug)
    with pytest.raises(Conflict, match="alpha, beta"):
        world.store.write_now(pipelines.delete, world.ada, pipeline.id)
    other = world.make_pipeline()
    world.store.write_now(deployments.delete, world.ada, "alpha")
    world.store.write_now(deployments.update, world.ada, "beta", {"pipeline_id": other.id})
    assert world.store.write_now(pipelines.delete, world.ada, pipeline.id) == pipeline.storage_key


def test_the_database_itself_keeps_a_deployed_pipeline(world: World) -> None:
    """A deployment that is made while a pipeline is being deleted is not left without one."""
    pipeline = world.make_pipeline()
    world.deploy(pipeline)

    def work(session: Session) -> None:
        session.execute(delete(Pipeline).where(Pipeline.id == pipeline.id))

    with pytest.raises(Conflict):
        world.store.write_now(work)
    assert world.counts()["pipelines"] == 1


def test_what_a_user_made_outlives_them(world: World) -> None:
    bob = world.person("bob", "member")
    project = world.make_project(by=bob)

    def work(session: Session) -> None:
        session.execute(delete(User).where(User.id == bob.user_id))

    world.store.write_now(work)
    kept = world.store.read_now(projects.read, world.ada, project.id)
    assert kept.created_by is None
    assert world.counts()["workspace_members"] == 1


def test_a_pipelines_versions_count_up_under_its_name(world: World) -> None:
    made = [world.make_pipeline(name=name).version for name in ("a", "a", "b", "a")]
    assert made == [1, 2, 1, 3]
