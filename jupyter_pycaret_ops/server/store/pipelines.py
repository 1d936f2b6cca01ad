"""Pipelines: runs' winners, kept under a name with versions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...common.errors import Conflict, NotFound
from .access import Caller, Role, require
from .locks import lock_row
from .models import Deployment, Pipeline, Workspace
from .paging import Page, PageRequest, newest_first


def create(session: Session, caller: Caller, workspace_id: str, fields: dict[str, Any]) -> Pipeline:
    """A new pipeline, with the next version under its name."""
    require(session, caller, workspace_id, Role.MEMBER, "workspace")
    lock_row(session, Workspace, workspace_id)  # versions are counted one after the other
    newest = session.scalar(
        select(func.max(Pipeline.version)).where(
            Pipeline.workspace_id == workspace_id, Pipeline.name == fields["name"]
        )
    )
    pipeline = Pipeline(
        workspace_id=workspace_id, version=(newest or 0) + 1, created_by=caller.user_id, **fields
    )
    session.add(pipeline)
    session.flush()
    return pipeline


def read(session: Session, caller: Caller, pipeline_id: str, least: Role = Role.VIEWER) -> Pipeline:
    """The pipeline, where the caller has at least that role in its workspace."""
    pipeline = session.get(Pipeline, pipeline_id)
    if pipeline is None:
        raise NotFound("There is no such pipeline.")
    require(session, caller, pipeline.workspace_id, least, "pipeline")
    return pipeline


def list_page(session: Session, caller: Caller, workspace_id: str, page: PageRequest) -> Page:
    """The pipelines of a workspace."""
    require(session, caller, workspace_id, Role.VIEWER, "workspace")
    query = select(Pipeline).where(Pipeline.workspace_id == workspace_id)
    return newest_first(session, query, Pipeline, page)


def delete(session: Session, caller: Caller, pipeline_id: str) -> str:
    """Delete a pipeline that no deployment refers to; returns its storage key."""
    pipeline = read(session, caller, pipeline_id, Role.MEMBER)
    slugs = list(
        session.scalars(
            select(Deployment.endpoint_slug).where(Deployment.pipeline_id == pipeline_id)
        )
    )
    if slugs:
        raise Conflict(
            f"The pipeline is deployed as {', '.join(sorted(slugs))}. "
            "Delete the deployment first, or give it another pipeline."
        )
    key = pipeline.storage_key
    session.delete(pipeline)
    session.flush()
    return key
