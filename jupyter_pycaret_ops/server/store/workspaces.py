"""Workspaces and their members."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...common.errors import Conflict, NotFound
from .. import lifecycle
from . import users
from .access import Caller, Role, require
from .locks import lock_row
from .models import (
    Artifact,
    DataSource,
    DataVersion,
    Deployment,
    Member,
    Pipeline,
    Run,
    User,
    Workspace,
)
from .names import refuse_taken_name
from .paging import Page, PageRequest, newest_first


def create(session: Session, caller: Caller, name: str, description: str | None) -> Workspace:
    """A new workspace, with its maker as admin."""
    refuse_taken_name(session, Workspace, "workspace", name)
    workspace = Workspace(name=name, description=description, created_by=caller.user_id)
    session.add(workspace)
    session.flush()
    session.add(Member(workspace_id=workspace.id, user_id=caller.user_id, role=Role.ADMIN.word))
    session.flush()
    return workspace


def read(
    session: Session, caller: Caller, workspace_id: str, least: Role = Role.VIEWER
) -> Workspace:
    """The workspace, where the caller has at least that role in it."""
    require(session, caller, workspace_id, least, "workspace")
    workspace = session.get(Workspace, workspace_id)
    if workspace is None:
        raise NotFound("There is no such workspace.")
    return workspace


def list_page(session: Session, caller: Caller, page: PageRequest) -> Page:
    """The workspaces that the caller is in."""
    query = (
        select(Workspace)
        .join(Member, Member.workspace_id == Workspace.id)
        .where(Member.user_id == caller.user_id)
    )
    if caller.key is not None:
        query = query.where(Workspace.id == caller.key.workspace_id)
    return newest_first(session, query, Workspace, page)


def update(
    session: Session, caller: Caller, workspace_id: str, changes: dict[str, Any]
) -> Workspace:
    """Rename or describe a workspace; admins only."""
    workspace = read(session, caller, workspace_id, Role.ADMIN)
    if "name" in changes and changes["name"] != workspace.name:
        refuse_taken_name(session, Workspace, "workspace", changes["name"])
    for field, value in changes.items():
        setattr(workspace, field, value)
    session.flush()
    return workspace


def unfinished_runs(session: Session, workspace_id: str) -> list[Run]:
    """Runs of the workspace that have not ended."""
    return list(
        session.scalars(
            select(Run).where(
                Run.workspace_id == workspace_id,
                Run.status.in_([lifecycle.Status.QUEUED, lifecycle.Status.RUNNING]),
            )
        )
    )


def refuse_busy(session: Session, workspace_id: str) -> None:
    """Raise Conflict while the workspace has unfinished runs or active deployments.

    Asked in the transaction that deletes: nothing is queued there until it has ended.
    """
    lock_row(session, Workspace, workspace_id, to_delete=True)
    runs = len(unfinished_runs(session, workspace_id))
    active = session.scalar(
        select(func.count())
        .select_from(Deployment)
        .where(Deployment.workspace_id == workspace_id, Deployment.status == "active")
    )
    if runs or active:
        raise Conflict(
            f"The workspace has {runs} unfinished runs and {active} active deployments. "
            "End them first, or delete with ?force=true."
        )


def delete(session: Session, caller: Caller, workspace_id: str) -> list[str]:
    """Delete a workspace and all it holds; returns the storage keys of files that are now nobody's."""
    workspace = read(session, caller, workspace_id, Role.ADMIN)
    keys = [
        key
        for query in (
            select(DataVersion.storage_key)
            .distinct()
            .join(DataSource, DataSource.id == DataVersion.data_source_id)
            .where(DataSource.workspace_id == workspace_id),
            select(Pipeline.storage_key).where(Pipeline.workspace_id == workspace_id),
            select(Artifact.storage_key)
            .join(Run, Run.id == Artifact.run_id)
            .where(Run.workspace_id == workspace_id),
        )
        for key in session.scalars(query)
        if key
    ]
    keys += [
        data["storage_key"]
        for data in session.scalars(select(Run.data).where(Run.workspace_id == workspace_id))
        if data.get("storage_key") and data.get("kind") == "inline"
    ]
    # deployments first: they hold on to pipelines, which go by cascade
    for deployment in session.scalars(
        select(Deployment).where(Deployment.workspace_id == workspace_id)
    ):
        session.delete(deployment)
    session.flush()
    session.delete(workspace)
    session.flush()
    return keys


# ---------------------------------------------------------------- members


def list_members(session: Session, caller: Caller, workspace_id: str, page: PageRequest) -> Page:
    """Members with their users."""
    require(session, caller, workspace_id, Role.VIEWER, "workspace")
    query = select(Member).where(Member.workspace_id == workspace_id)
    found = newest_first(session, query, Member, page)
    wanted = select(User).where(User.id.in_([member.user_id for member in found.rows]))
    by_id = {user.id: user for user in session.scalars(wanted)}
    return found._replace(rows=[(member, by_id[member.user_id]) for member in found.rows])


def add_member(
    session: Session, caller: Caller, workspace_id: str, name: str, role: str
) -> tuple[Member, User]:
    """Invite a person by name; they need not have been seen before."""
    require(session, caller, workspace_id, Role.ADMIN, "workspace")
    user = users.ensure_user(session, name)
    if _member(session, workspace_id, user.id) is not None:
        raise Conflict(f"{name} is a member of this workspace already.")
    member = Member(workspace_id=workspace_id, user_id=user.id, role=role)
    session.add(member)
    session.flush()
    return member, user


def change_member(
    session: Session, caller: Caller, workspace_id: str, user_id: str, role: str
) -> tuple[Member, User]:
    """Give a member another role."""
    require(session, caller, workspace_id, Role.ADMIN, "workspace")
    member = _existing(session, workspace_id, user_id)
    if member.role == Role.ADMIN.word and role != Role.ADMIN.word:
        _refuse_last_admin(session, workspace_id)
    member.role = role
    session.flush()
    user = session.get_one(User, user_id)
    return member, user


def remove_member(session: Session, caller: Caller, workspace_id: str, user_id: str) -> None:
    """Take a member out; everybody may take out themselves."""
    least = Role.VIEWER if user_id == caller.user_id and caller.key is None else Role.ADMIN
    require(session, caller, workspace_id, least, "workspace")
    member = _existing(session, workspace_id, user_id)
    if member.role == Role.ADMIN.word:
        _refuse_last_admin(session, workspace_id)
    session.delete(member)
    session.flush()


def _member(session: Session, workspace_id: str, user_id: str) -> Member | None:
    return session.scalar(
        select(Member).where(Member.workspace_id == workspace_id, Member.user_id == user_id)
    )


def _existing(session: Session, workspace_id: str, user_id: str) -> Member:
    member = _member(session, workspace_id, user_id)
    if member is None:
        raise NotFound("There is no such member.")
    return member


def _refuse_last_admin(session: Session, workspace_id: str) -> None:
    lock_row(session, Workspace, workspace_id)  # of two admins who leave at once, one stays
    admins = session.scalar(
        select(func.count())
        .select_from(Member)
        .where(Member.workspace_id == workspace_id, Member.role == Role.ADMIN.word)
    )
    if (admins or 0) <= 1:
        raise Conflict(
            "The last admin of a workspace cannot leave or be demoted. Make another admin first."
        )
