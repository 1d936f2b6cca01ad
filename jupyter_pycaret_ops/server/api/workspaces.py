"""Workspaces, members, projects, experiments."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..store import projects, runs, workspaces
from ..store.access import Role
from ..store.models import Deployment, Run
from ..store.paging import PageRequest
from . import responses
from .context import Call, Listing
from .responses import as_row, listing
from .schemas import ExperimentRow, MemberRow, ProjectRow, WorkspaceRow


async def list_workspaces(call: Call) -> Listing:
    """The workspaces that the caller is in."""
    page = PageRequest(call.query.limit, call.query.cursor)
    return listing(
        await call.services.store.read(workspaces.list_page, call.caller, page), WorkspaceRow
    )


async def create_workspace(call: Call) -> WorkspaceRow:
    """Make a workspace; its maker is its admin."""
    workspace = await call.services.store.write(
        workspaces.create, call.caller, call.body.name, call.body.description
    )
    return as_row(workspace, WorkspaceRow)


async def read_workspace(call: Call) -> WorkspaceRow:
    """One workspace."""
    workspace = await call.services.store.read(
        workspaces.read, call.caller, call.params["workspace_id"]
    )
    return as_row(workspace, WorkspaceRow)


async def update_workspace(call: Call) -> WorkspaceRow:
    """Rename or describe a workspace."""
    workspace = await call.services.store.write(
        workspaces.update, call.caller, call.params["workspace_id"], call.body.changes()
    )
    return as_row(workspace, WorkspaceRow)


async def delete_workspace(call: Call) -> None:
    """Delete a workspace with all it holds; with `force`, what is active or running is ended first."""
    services, workspace_id = call.services, call.params["workspace_id"]
    if call.query.force:
        await _end_runs(call, workspace_id)

    def work(session: Session) -> tuple[list[str], list[str]]:
        workspaces.read(session, call.caller, workspace_id, Role.ADMIN)
        if not call.query.force:
            workspaces.refuse_busy(session, workspace_id)
        deployed = list(
            session.scalars(select(Deployment.id).where(Deployment.workspace_id == workspace_id))
        )
        return workspaces.delete(session, call.caller, workspace_id), deployed

    keys, deployed = await services.store.write(work)
    for deployment_id in deployed:
        services.endpoints.evict(deployment_id)
    services.identities.forget()
    await services.artifacts.in_thread(services.artifacts.delete, *keys)


async def _end_runs(call: Call, workspace_id: str) -> None:
    """Cancel what is unfinished and wait until it has ended."""
    services = call.services

    def work(session: Session) -> list[Run]:
        workspaces.read(session, call.caller, workspace_id, Role.ADMIN)
        unfinished = workspaces.unfinished_runs(session, workspace_id)
        runs.cancel_unfinished(session, call.caller, unfinished, services.clock.now())
        return unfinished

    from ..runs.fanout import wait_for_end

    for run in await services.store.write(work):
        services.supervisor.cancel(run.id)
        services.fanout.publish(run.id)
        await wait_for_end(services.store, services.fanout, run.id, 60.0)


# ---------------------------------------------------------------- members


async def list_members(call: Call) -> Listing:
    """The members of a workspace."""
    page = PageRequest(call.query.limit, call.query.cursor)
    found = await call.services.store.read(
        workspaces.list_members, call.caller, call.params["workspace_id"], page
    )
    return Listing([responses.member(pair) for pair in found.rows], found.next_cursor)


async def add_member(call: Call) -> MemberRow:
    """Invite a person by the name that the identity provider gives them."""
    pair = await call.services.store.write(
        workspaces.add_member,
        call.caller,
        call.params["workspace_id"],
        call.body.name,
        call.body.role,
    )
    call.services.identities.forget()  # who was refused a moment ago is let in now
    return responses.member(pair)


async def change_member(call: Call) -> MemberRow:
    """Give a member another role."""
    pair = await call.services.store.write(
        workspaces.change_member,
        call.caller,
        call.params["workspace_id"],
        call.params["user_id"],
        call.body.role,
    )
    call.services.identities.forget()
    return responses.member(pair)


async def remove_member(call: Call) -> None:
    """Take a member out of a workspace."""
    await call.services.store.write(
        workspaces.remove_member,
        call.caller,
        call.params["workspace_id"],
        call.params["user_id"],
    )
    call.services.identities.forget()


# ---------------------------------------------------------------- projects


async def list_projects(call: Call) -> Listing:
    """The projects of a workspace."""
    page = PageRequest(call.query.limit, call.query.cursor)
    found = await call.services.store.read(
        projects.list_page, call.caller, call.params["workspace_id"], page
    )
    return listing(found, ProjectRow)


async def create_project(call: Call) -> ProjectRow:
    """Make a project."""
    project = await call.services.store.write(
        projects.create,
        call.caller,
        call.params["workspace_id"],
        call.body.name,
        call.body.description,
        call.body.tags,
    )
    return as_row(project, ProjectRow)


async def read_project(call: Call) -> ProjectRow:
    """One project."""
    project = await call.services.store.read(projects.read, call.caller, call.params["project_id"])
    return as_row(project, ProjectRow)


async def update_project(call: Call) -> ProjectRow:
    """Change a project."""
    project = await call.services.store.write(
        projects.update, call.caller, call.params["project_id"], call.body.changes()
    )
    return as_row(project, ProjectRow)


async def delete_project(call: Call) -> None:
    """Delete a project with its experiments and ended runs."""
    keys = await call.services.store.write(projects.delete, call.caller, call.params["project_id"])
    await call.services.artifacts.in_thread(call.services.artifacts.delete, *keys)


# ---------------------------------------------------------------- experiments


async def list_experiments(call: Call) -> Listing:
    """The experiments of a project."""
    page = PageRequest(call.query.limit, call.query.cursor)
    found = await call.services.store.read(
        projects.list_experiments, call.caller, call.params["project_id"], page
    )
    return listing(found, ExperimentRow)


async def create_experiment(call: Call) -> ExperimentRow:
    """Make an experiment."""
    body = call.body
    experiment = await call.services.store.write(
        projects.create_experiment,
        call.caller,
        call.params["project_id"],
        {name: getattr(body, name) for name in body.__struct_fields__},
    )
    return as_row(experiment, ExperimentRow)


async def read_experiment(call: Call) -> ExperimentRow:
    """One experiment."""
    experiment, _ = await call.services.store.read(
        projects.read_experiment, call.caller, call.params["experiment_id"]
    )
    return as_row(experiment, ExperimentRow)


async def update_experiment(call: Call) -> ExperimentRow:
    """Change an experiment."""
    experiment = await call.services.store.write(
        projects.update_experiment,
        call.caller,
        call.params["experiment_id"],
        call.body.changes(),
    )
    return as_row(experiment, ExperimentRow)


async def delete_experiment(call: Call) -> None:
    """Delete an experiment with its ended runs."""
    keys = await call.services.store.write(
        projects.delete_experiment, call.caller, call.params["experiment_id"]
    )
    await call.services.artifacts.in_thread(call.services.artifacts.delete, *keys)
