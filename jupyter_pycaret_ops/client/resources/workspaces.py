"""The server itself, workspaces, members, projects and keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from ...common.clock import rfc3339
from ..records import (
    JSON,
    About,
    ApiKey,
    Me,
    Member,
    Members,
    NewApiKey,
    Project,
    Role,
    Scope,
    SetupStatus,
    Workspace,
)
from ..transport import Transport, segment


class WorkspaceChanges(TypedDict, total=False):
    """What can change of a workspace."""

    name: str
    description: str | None


class ProjectChanges(TypedDict, total=False):
    """What can change of a project."""

    name: str
    description: str | None
    tags: list[str]


class Room:
    """A part of the API, on a line to the server."""

    def __init__(self, line: Transport) -> None:
        self._line = line


class Server(Room):
    """The server itself."""

    def is_healthy(self) -> bool:
        """Whether it is there; asks for no credential."""
        return bool(self._line.get("/healthz")["ok"])

    def about(self) -> About:
        """Name and version."""
        answer: About = self._line.get("/")
        return answer

    def openapi(self) -> JSON:
        """The description of its API."""
        answer: JSON = self._line.get("/openapi.json")
        return answer

    def setup_status(self) -> SetupStatus:
        """Whether the first workspace was made."""
        answer: SetupStatus = self._line.get("/setup/status")
        return answer

    def bootstrap(self, workspace_name: str, project_name: str | None = None) -> Workspace:
        """Make the first workspace."""
        body = {"workspace_name": workspace_name, "project_name": project_name}
        row: Workspace = self._line.post("/setup/bootstrap", body)
        return row

    def me(self) -> Me:
        """Who is calling."""
        answer: Me = self._line.get("/auth/me")
        return answer


class Workspaces(Room):
    """Workspaces and who is in them."""

    def list(self, limit: int | None = 100) -> list[Workspace]:
        """Workspaces that the caller is in."""
        return self._line.pages("/workspaces", limit)

    def create(self, name: str, description: str | None = None) -> Workspace:
        """Make a workspace; its maker is its admin."""
        row: Workspace = self._line.post("/workspaces", {"name": name, "description": description})
        return row

    def get(self, workspace_id: str) -> Workspace:
        """A workspace."""
        row: Workspace = self._line.get(f"/workspaces/{segment(workspace_id)}")
        return row

    def update(self, workspace_id: str, **changes: Unpack[WorkspaceChanges]) -> Workspace:
        """Change a workspace."""
        row: Workspace = self._line.patch(f"/workspaces/{segment(workspace_id)}", changes)
        return row

    def delete(self, workspace_id: str, *, force: bool = False) -> None:
        """Delete a workspace; with `force`, live deployments and unfinished runs too."""
        self._line.delete(f"/workspaces/{segment(workspace_id)}", force=force or None)

    def members(self, workspace_id: str) -> Members:
        """Who is in it."""
        rows: Members = self._line.pages(f"/workspaces/{segment(workspace_id)}/members", None)
        return rows

    def add_member(self, workspace_id: str, name: str, role: Role) -> Member:
        """Invite a person."""
        path = f"/workspaces/{segment(workspace_id)}/members"
        row: Member = self._line.post(path, {"name": name, "role": role})
        return row

    def change_member(self, workspace_id: str, user_id: str, role: Role) -> Member:
        """Change a member's role."""
        path = f"/workspaces/{segment(workspace_id)}/members/{segment(user_id)}"
        row: Member = self._line.patch(path, {"role": role})
        return row

    def remove_member(self, workspace_id: str, user_id: str) -> None:
        """Remove a member."""
        self._line.delete(f"/workspaces/{segment(workspace_id)}/members/{segment(user_id)}")


class Projects(Room):
    """Projects of a workspace."""

    def list(self, workspace_id: str, limit: int | None = 100) -> list[Project]:
        """Projects of a workspace."""
        return self._line.pages(f"/workspaces/{segment(workspace_id)}/projects", limit)

    def create(
        self,
        workspace_id: str,
        name: str,
        description: str | None = None,
        tags: Sequence[str] = (),
    ) -> Project:
        """Make a project."""
        body = {"name": name, "description": description, "tags": [*tags]}
        row: Project = self._line.post(f"/workspaces/{segment(workspace_id)}/projects", body)
        return row

    def get(self, project_id: str) -> Project:
        """A project."""
        row: Project = self._line.get(f"/projects/{segment(project_id)}")
        return row

    def update(self, project_id: str, **changes: Unpack[ProjectChanges]) -> Project:
        """Change a project."""
        row: Project = self._line.patch(f"/projects/{segment(project_id)}", changes)
        return row

    def delete(self, project_id: str) -> None:
        """Delete a project."""
        self._line.delete(f"/projects/{segment(project_id)}")


class ApiKeys(Room):
    """Keys for programs."""

    def list(self, limit: int | None = 100) -> list[ApiKey]:
        """Keys, without their secrets."""
        return self._line.pages("/api-keys", limit)

    def create(
        self,
        name: str,
        workspace_id: str,
        scopes: Sequence[Scope],
        deployment_id: str | None = None,
        expires_at: datetime | None = None,
    ) -> NewApiKey:
        """Make a key; its secret is in this answer only."""
        body = {
            "name": name,
            "workspace_id": workspace_id,
            "scopes": [*scopes],
            "deployment_id": deployment_id,
            "expires_at": None if expires_at is None else rfc3339(expires_at),
        }
        row: NewApiKey = self._line.post("/api-keys", body)
        return row

    def delete(self, key_id: str) -> None:
        """Revoke a key."""
        self._line.delete(f"/api-keys/{segment(key_id)}")
