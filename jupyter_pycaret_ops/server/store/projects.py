"""Projects and their experiments."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Conflict, Invalid, NotFound
from .. import lifecycle
from .access import Caller, Role, require
from .locks import lock_row
from .models import Artifact, DataSource, Experiment, Project, Run
from .names import refuse_taken_name
from .paging import Page, PageRequest, newest_first


def create(
    session: Session,
    caller: Caller,
    workspace_id: str,
    name: str,
    description: str | None,
    tags: list[str],
) -> Project:
    """A new project in a workspace."""
    require(session, caller, workspace_id, Role.MEMBER, "workspace")
    refuse_taken_name(session, Project, "project", name, workspace_id=workspace_id)
    project = Project(
        workspace_id=workspace_id,
        name=name,
        description=description,
        tags=tags,
        created_by=caller.user_id,
    )
    session.add(project)
    session.flush()
    return project


def read(session: Session, caller: Caller, project_id: str, least: Role = Role.VIEWER) -> Project:
    """The project, where the caller has at least that role in its workspace."""
    project = session.get(Project, project_id)
    if project is None:
        raise NotFound("There is no such project.")
    require(session, caller, project.workspace_id, least, "project")
    return project


def list_page(session: Session, caller: Caller, workspace_id: str, page: PageRequest) -> Page:
    """The projects of a workspace."""
    require(session, caller, workspace_id, Role.VIEWER, "workspace")
    query = select(Project).where(Project.workspace_id == workspace_id)
    return newest_first(session, query, Project, page)


def update(session: Session, caller: Caller, project_id: str, changes: dict[str, Any]) -> Project:
    """Change name, description or tags."""
    project = read(session, caller, project_id, Role.MEMBER)
    if "name" in changes and changes["name"] != project.name:
        refuse_taken_name(
            session, Project, "project", changes["name"], workspace_id=project.workspace_id
        )
    for field, value in changes.items():
        setattr(project, field, value)
    session.flush()
    return project


def delete(session: Session, caller: Caller, project_id: str) -> list[str]:
    """Delete a project with its experiments and ended runs; returns the storage keys set free."""
    project = read(session, caller, project_id, Role.MEMBER)
    lock_row(session, Project, project_id, to_delete=True)
    keys = _free(session, Run.project_id == project_id, "project")
    session.delete(project)
    session.flush()
    return keys


# ---------------------------------------------------------------- experiments


def create_experiment(
    session: Session, caller: Caller, project_id: str, fields: dict[str, Any]
) -> Experiment:
    """A new experiment in a project."""
    project = read(session, caller, project_id, Role.MEMBER)
    refuse_taken_name(session, Experiment, "experiment", fields["name"], project_id=project_id)
    _check_source(session, project.workspace_id, fields.get("data_source_id"))
    experiment = Experiment(project_id=project_id, created_by=caller.user_id, **fields)
    session.add(experiment)
    session.flush()
    return experiment


def read_experiment(
    session: Session, caller: Caller, experiment_id: str, least: Role = Role.VIEWER
) -> tuple[Experiment, Project]:
    """The experiment and its project."""
    experiment = session.get(Experiment, experiment_id)
    if experiment is None:
        raise NotFound("There is no such experiment.")
    project = session.get_one(Project, experiment.project_id)
    require(session, caller, project.workspace_id, least, "experiment")
    return experiment, project


def list_experiments(session: Session, caller: Caller, project_id: str, page: PageRequest) -> Page:
    """The experiments of a project."""
    read(session, caller, project_id)
    query = select(Experiment).where(Experiment.project_id == project_id)
    return newest_first(session, query, Experiment, page)


def update_experiment(
    session: Session, caller: Caller, experiment_id: str, changes: dict[str, Any]
) -> Experiment:
    """Change an experiment; runs already made keep what they were made with."""
    experiment, project = read_experiment(session, caller, experiment_id, Role.MEMBER)
    if "name" in changes and changes["name"] != experiment.name:
        refuse_taken_name(
            session, Experiment, "experiment", changes["name"], project_id=experiment.project_id
        )
    _check_source(session, project.workspace_id, changes.get("data_source_id"))
    for field, value in changes.items():
        setattr(experiment, field, value)
    session.flush()
    return experiment


def delete_experiment(session: Session, caller: Caller, experiment_id: str) -> list[str]:
    """Delete an experiment with its ended runs; returns the storage keys set free."""
    experiment, _ = read_experiment(session, caller, experiment_id, Role.MEMBER)
    lock_row(session, Experiment, experiment_id, to_delete=True)
    keys = _free(session, Run.experiment_id == experiment_id, "experiment")
    session.delete(experiment)
    session.flush()
    return keys


def _check_source(session: Session, workspace_id: str, data_source_id: str | None) -> None:
    if data_source_id is None:
        return
    source = session.get(DataSource, data_source_id)
    if source is None or source.workspace_id != workspace_id:
        raise Invalid(
            "The data source is not one of this workspace.",
            errors=[{"loc": ["data_source_id"], "msg": "no such data source in this workspace"}],
        )


def _free(session: Session, condition: Any, what: str) -> list[str]:
    unfinished = session.scalar(
        select(Run.id)
        .where(condition, Run.status.in_([lifecycle.Status.QUEUED, lifecycle.Status.RUNNING]))
        .limit(1)
    )
    if unfinished is not None:
        raise Conflict(f"The {what} has a run that has not ended. Cancel it first.")
    keeping = select(Run.id).where(
        Run.origin_run_id.in_(select(Run.id).where(condition)),
        Run.status.not_in(lifecycle.ENDED),
    )
    if session.scalar(keeping.limit(1)) is not None:
        raise Conflict(
            f"A model of the {what} is being kept. Wait until it is, or cancel that run."
        )
    keys = list(
        session.scalars(
            select(Artifact.storage_key).join(Run, Run.id == Artifact.run_id).where(condition)
        )
    )
    for data in session.scalars(select(Run.data).where(condition)):
        if data.get("kind") == "inline" and data.get("storage_key"):
            keys.append(data["storage_key"])
    return keys
