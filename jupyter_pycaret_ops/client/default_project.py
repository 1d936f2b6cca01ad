"""The default workspace and project of a client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..common.errors import NotFound
from .records import Project, Workspace
from .resources.workspaces import Projects, Workspaces

#: name of the workspace and of the project that the server creates on first use
DEFAULT = "default"
Named = TypeVar("Named", Workspace, Project)


@dataclass(frozen=True, slots=True)
class DefaultProject:
    """A workspace and a project in it."""

    workspace_id: str
    project_id: str


def find_default_project(
    workspaces: Workspaces, projects: Projects, workspace: str | None, project: str | None
) -> DefaultProject:
    """Find the workspace and project; see `Client.default_project`."""
    chosen_workspace = _choose(workspaces.list(limit=None), workspace, "workspace")
    chosen_project = _choose(projects.list(chosen_workspace["id"], limit=None), project, "project")
    return DefaultProject(chosen_workspace["id"], chosen_project["id"])


def _choose(records: Sequence[Named], name: str | None, what: str) -> Named:
    if not records:
        raise NotFound(
            f"There is no {what} yet. Create one in the panel PyCaret Ops, or with the client."
        )
    found = next((record for record in records if record["name"] == (name or DEFAULT)), None)
    if found is not None:
        return found
    if name is not None:
        raise NotFound(
            f"There is no {what} “{name}”; there are {', '.join(record['name'] for record in records)}."
        )
    return records[-1]
