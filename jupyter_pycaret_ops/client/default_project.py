"""Where things go when nobody says where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..common.errors import NotFound
from .records import Project, Workspace
from .resources.workspaces import Projects, Workspaces

#: what the server calls the workspace and the project that first use makes
DEFAULT = "default"
Named = TypeVar("Named", Workspace, Project)


@dataclass(frozen=True, slots=True)
class Home:
    """A workspace and a project in it."""

    workspace_id: str
    project_id: str


def find_home(
    workspaces: Workspaces, projects: Projects, workspace: str | None, project: str | None
) -> Home:
    """See `Client.home`."""
    chosen = _choose(workspaces.list(limit=None), workspace, "workspace")
    within = _choose(projects.list(chosen["id"], limit=None), project, "project")
    return Home(chosen["id"], within["id"])


def _choose(rows: Sequence[Named], name: str | None, what: str) -> Named:
    if not rows:
        raise NotFound(
            f"You are in no {what} yet. Make one in the panel PyCaret Ops, or with the client."
        )
    found = next((row for row in rows if row["name"] == (name or DEFAULT)), None)
    if found is not None:
        return found
    if name is not None:
        raise NotFound(
            f"There is no {what} “{name}”; there are {', '.join(row['name'] for row in rows)}."
        )
    return rows[-1]
