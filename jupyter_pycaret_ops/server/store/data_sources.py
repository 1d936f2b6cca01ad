"""Data sources: what runs are trained on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Conflict, NotFound
from .. import lifecycle
from .access import Caller, Role, require
from .locks import lock_row
from .models import DataSource, Run
from .names import refuse_taken_name
from .paging import Page, PageRequest, newest_first


def check_new(session: Session, caller: Caller, workspace_id: str) -> None:
    """Raise unless the caller may add sources to that workspace; asked before a body is read."""
    require(session, caller, workspace_id, Role.MEMBER, "workspace")


def create(
    session: Session,
    caller: Caller,
    workspace_id: str,
    *,
    name: str,
    kind: str,
    description: str | None,
    config: dict[str, Any],
    secret: str | None = None,
    storage_key: str | None = None,
) -> DataSource:
    """Register a source. `secret` is ciphertext."""
    check_new(session, caller, workspace_id)
    refuse_taken_name(session, DataSource, "data source", name, workspace_id=workspace_id)
    source = DataSource(
        workspace_id=workspace_id,
        name=name,
        kind=kind,
        description=description,
        config=config,
        secret=secret,
        storage_key=storage_key,
        created_by=caller.user_id,
    )
    session.add(source)
    session.flush()
    return source


def read(session: Session, caller: Caller, source_id: str, least: Role = Role.VIEWER) -> DataSource:
    """The source, where the caller has at least that role in its workspace."""
    source = session.get(DataSource, source_id)
    if source is None:
        raise NotFound("There is no such data source.")
    require(session, caller, source.workspace_id, least, "data source")
    return source


def list_page(session: Session, caller: Caller, workspace_id: str, page: PageRequest) -> Page:
    """The sources of a workspace."""
    require(session, caller, workspace_id, Role.VIEWER, "workspace")
    query = select(DataSource).where(DataSource.workspace_id == workspace_id)
    return newest_first(session, query, DataSource, page)


def delete(session: Session, caller: Caller, source_id: str) -> str | None:
    """Delete a source; returns the storage key of its file, if it has one.

    Raises
    ------
    Conflict
        While an unfinished run uses it.
    """
    source = read(session, caller, source_id, Role.MEMBER)
    lock_row(session, DataSource, source_id, to_delete=True)
    run_id = session.scalar(
        select(Run.id)
        .where(
            Run.data_source_id == source_id,
            Run.status.in_([lifecycle.Status.QUEUED, lifecycle.Status.RUNNING]),
        )
        .limit(1)
    )
    if run_id is not None:
        raise Conflict(f"Run {run_id} still uses this data source. Cancel it or wait for its end.")
    key = source.storage_key
    session.delete(source)
    session.flush()
    return key
