"""Resources: server, workspaces, projects and API keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Unpack

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
    ProjectChanges,
    Role,
    Scope,
    SetupStatus,
    Workspace,
    WorkspaceChanges,
)
from ..transport import Transport, segment


class Resource:
    """A group of routes of the API about one noun."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport


class Server(Resource):
    """The server itself."""

    def is_healthy(self) -> bool:
        """Return whether the server runs; needs no credential."""
        return bool(self._transport.get("/healthz")["ok"])

    def about(self) -> About:
        """Return name and version of the server."""
        answer: About = self._transport.get("/")
        return answer

    def openapi(self) -> JSON:
        """Return the OpenAPI description of the API."""
        answer: JSON = self._transport.get("/openapi.json")
        return answer

    def setup_status(self) -> SetupStatus:
        """Return whether the first workspace exists."""
        answer: SetupStatus = self._transport.get("/setup/status")
        return answer

    def bootstrap(self, workspace_name: str, project_name: str | None = None) -> Workspace:
        """Create the first workspace."""
        body = {"workspace_name": workspace_name, "project_name": project_name}
        record: Workspace = self._transport.post("/setup/bootstrap", body)
        return record

    def me(self) -> Me:
        """Return the user of the credential."""
        answer: Me = self._transport.get("/auth/me")
        return answer


class Workspaces(Resource):
    """Workspaces and their members."""

    def list(self, limit: int | None = 100) -> list[Workspace]:
        """Return the workspaces of the caller."""
        return self._transport.list("/workspaces", limit)

    def create(self, name: str, description: str | None = None) -> Workspace:
        """Create a workspace; its creator becomes its admin."""
        record: Workspace = self._transport.post(
            "/workspaces", {"name": name, "description": description}
        )
        return record

    def get(self, workspace_id: str) -> Workspace:
        """Return a workspace."""
        record: Workspace = self._transport.get(f"/workspaces/{segment(workspace_id)}")
        return record

    def update(self, workspace_id: str, **changes: Unpack[WorkspaceChanges]) -> Workspace:
        """Change a workspace."""
        record: Workspace = self._transport.patch(f"/workspaces/{segment(workspace_id)}", changes)
        return record

    def delete(self, workspace_id: str, *, force: bool = False) -> None:
        """Delete a workspace; with `force` also one with active deployments or unfinished runs."""
        self._transport.delete(f"/workspaces/{segment(workspace_id)}", force=force or None)

    def members(self, workspace_id: str) -> Members:
        """Return the members of a workspace."""
        records: Members = self._transport.list(
            f"/workspaces/{segment(workspace_id)}/members", None
        )
        return records

    def add_member(self, workspace_id: str, name: str, role: Role) -> Member:
        """Add a user to a workspace."""
        path = f"/workspaces/{segment(workspace_id)}/members"
        record: Member = self._transport.post(path, {"name": name, "role": role})
        return record

    def change_member(self, workspace_id: str, user_id: str, role: Role) -> Member:
        """Change the role of a member."""
        path = f"/workspaces/{segment(workspace_id)}/members/{segment(user_id)}"
        record: Member = self._transport.patch(path, {"role": role})
        return record

    def remove_member(self, workspace_id: str, user_id: str) -> None:
        """Remove a member."""
        self._transport.delete(f"/workspaces/{segment(workspace_id)}/members/{segment(user_id)}")


class Projects(Resource):
    """Projects of a workspace."""

    def list(self, workspace_id: str, limit: int | None = 100) -> list[Project]:
        """Return the projects of a workspace."""
        return self._transport.list(f"/workspaces/{segment(workspace_id)}/projects", limit)

    def create(
        self,
        workspace_id: str,
        name: str,
        description: str | None = None,
        tags: Sequence[str] = (),
    ) -> Project:
        """Create a project."""
        body = {"name": name, "description": description, "tags": [*tags]}
        record: Project = self._transport.post(
            f"/workspaces/{segment(workspace_id)}/projects", body
        )
        return record

    def get(self, project_id: str) -> Project:
        """Return a project."""
        record: Project = self._transport.get(f"/projects/{segment(project_id)}")
        return record

    def update(self, project_id: str, **changes: Unpack[ProjectChanges]) -> Project:
        """Change a project."""
        record: Project = self._transport.patch(f"/projects/{segment(project_id)}", changes)
        return record

    def delete(self, project_id: str) -> None:
        """Delete a project."""
        self._transport.delete(f"/projects/{segment(project_id)}")


class ApiKeys(Resource):
    """API keys, for programs."""

    def list(self, limit: int | None = 100) -> list[ApiKey]:
        """Return the keys, without their secrets."""
        return self._transport.list("/api-keys", limit)

    def create(
        self,
        name: str,
        workspace_id: str,
        scopes: Sequence[Scope],
        deployment_id: str | None = None,
        expires_at: datetime | None = None,
    ) -> NewApiKey:
        """Create a key; its secret is in this answer only."""
        body = {
            "name": name,
            "workspace_id": workspace_id,
            "scopes": [*scopes],
            "deployment_id": deployment_id,
            "expires_at": None if expires_at is None else rfc3339(expires_at),
        }
        record: NewApiKey = self._transport.post("/api-keys", body)
        return record

    def delete(self, key_id: str) -> None:
        """Revoke a key."""
        self._transport.delete(f"/api-keys/{segment(key_id)}")
