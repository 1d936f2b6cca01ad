"""Users and the first use."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...common.errors import Conflict
from .access import Role
from .models import Member, Project, User, Workspace


def ensure_user(session: Session, name: str, display_name: str | None = None) -> User:
    """The user of that name, made when seen for the first time."""
    query = select(User).where(User.name == name)
    user = session.scalar(query)
    if user is not None:
        return user
    user = User(name=name, display_name=display_name or name)
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError:
        return session.scalars(query).one()  # another server has just seen them too
    return user


def memberships(session: Session, user_id: str) -> list[Member]:
    """The workspaces that a user is in, oldest first."""
    return list(
        session.scalars(select(Member).where(Member.user_id == user_id).order_by(Member.id))
    )


def counts(session: Session) -> tuple[int, int]:
    """How many users and workspaces there are."""
    users = session.scalar(select(func.count()).select_from(User)) or 0
    workspaces = session.scalar(select(func.count()).select_from(Workspace)) or 0
    return users, workspaces


def is_bootstrapped(session: Session) -> bool:
    """Whether there is a workspace at all."""
    return session.scalar(select(Workspace.id).limit(1)) is not None


def bootstrap(
    session: Session, user_id: str, workspace_name: str, project_name: str | None
) -> Workspace:
    """Make the first workspace, its first project, and the user its admin.

    Raises
    ------
    Conflict
        When there is a workspace already.
    """
    if is_bootstrapped(session):
        raise Conflict(
            "This server has its first workspace already. Make further ones with POST /workspaces."
        )
    workspace = Workspace(name=workspace_name, created_by=user_id)
    session.add(workspace)
    session.flush()
    session.add(Member(workspace_id=workspace.id, user_id=user_id, role=Role.ADMIN.word))
    session.add(
        Project(workspace_id=workspace.id, name=project_name or "default", created_by=user_id)
    )
    session.flush()
    return workspace
