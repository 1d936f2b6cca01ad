"""Data sources: what runs are trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Conflict, Invalid, NotFound
from .. import lifecycle
from .access import Caller, Role, require
from .locks import lock_row
from .models import DataSource, DataVersion, Profile, Run
from .names import refuse_taken_name
from .paging import Page, PageRequest, newest_first
from .version_changes import compare

#: fields of a source that say how its newest version is read
READING = ("types", "config")


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
    if storage_key is not None:
        session.add(_version_of(source, storage_key, caller))
        session.flush()
    return source


def _version_of(source: DataSource, storage_key: str, caller: Caller) -> DataVersion:
    return DataVersion(
        data_source_id=source.id,
        version=source.version,
        kind=source.kind,
        config=source.config,
        storage_key=storage_key,
        created_by=caller.user_id,
    )


def add_version(
    session: Session,
    caller: Caller,
    source_id: str,
    *,
    kind: str,
    config: dict[str, Any],
    storage_key: str,
    after: int | None = None,
) -> tuple[DataSource, dict[str, Any]]:
    """Add a version to an uploaded table; returns the source and the changes against the version before.

    Raises
    ------
    Invalid
        When the source is no upload.
    Conflict
        When the newest version is not `after`.
    """
    source = to_update(session, caller, source_id)
    check_versioned(source)
    if after is not None and source.version != after:
        raise Conflict(f"“{source.name}” has a newer version meanwhile. Look at it, and try again.")
    before = source.config
    source.kind, source.config, source.storage_key = kind, config, storage_key
    source.version += 1
    version = _version_of(source, storage_key, caller)
    version.changes = compare(before, config)
    session.add(version)
    session.flush()
    return source, version.changes


def check_new_version(session: Session, caller: Caller, source_id: str) -> None:
    """Raise unless the caller may add versions to that source; asked before a body is read."""
    check_versioned(read(session, caller, source_id, Role.MEMBER))


def check_versioned(source: DataSource) -> None:
    """Raise Invalid for a connector, whose table lives elsewhere."""
    if source.storage_key is None:
        raise Invalid(
            "A connector has no versions: its table is read anew for each run. Upload a file to have "
            "versions of it."
        )


def to_update(session: Session, caller: Caller, source_id: str) -> DataSource:
    """Return a source that the caller may change, locked until the end of the transaction."""
    read(session, caller, source_id, Role.MEMBER)
    lock_row(session, DataSource, source_id)
    source = session.get(DataSource, source_id, populate_existing=True)
    if source is None:
        raise NotFound("There is no such data source.")
    return source


def list_versions(session: Session, caller: Caller, source_id: str, page: PageRequest) -> Page:
    """The versions of a source, newest first; none for a connector."""
    read(session, caller, source_id)
    query = select(DataVersion).where(DataVersion.data_source_id == source_id)
    return newest_first(session, query, DataVersion, page)


@dataclass(frozen=True, slots=True)
class Table:
    """A version of a data source, as readers need it; a connector has the version 1 only."""

    source_id: str
    version: int
    kind: str
    config: dict[str, Any]
    storage_key: str | None
    #: ciphertext
    secret: str | None
    #: column → type that a person has set
    types: dict[str, str]


def read_table(
    session: Session,
    caller: Caller,
    source_id: str,
    version: int | None = None,
    least: Role = Role.VIEWER,
) -> Table:
    """Return a version of a source, by default the newest.

    Raises
    ------
    NotFound
        When there is no such source or version.
    """
    return table_of(session, read(session, caller, source_id, least), version)


def table_of(session: Session, source: DataSource, version: int | None = None) -> Table:
    """As `read_table`, of a source that the caller may read."""
    found: DataSource | DataVersion | None = source
    if version is not None and version != source.version:
        query = select(DataVersion).where(
            DataVersion.data_source_id == source.id, DataVersion.version == version
        )
        found = session.scalar(query)
    if found is None:
        raise NotFound(
            f"“{source.name}” has no version {version}; its versions are 1 to {source.version}."
        )
    return Table(
        source.id,
        found.version,
        found.kind,
        found.config,
        found.storage_key,
        source.secret,
        source.types,
    )


def update(session: Session, caller: Caller, source_id: str, changes: dict[str, Any]) -> DataSource:
    """Change name, description, or `types` of columns, of which None takes away what a person has set.

    Raises
    ------
    Invalid
        When a column is not in the newest version.
    Conflict
        When another source has the name.
    """
    source = to_update(session, caller, source_id)
    changes = dict(changes)
    if "name" in changes and changes["name"] != source.name:
        refuse_taken_name(
            session, DataSource, "data source", changes["name"], workspace_id=source.workspace_id
        )
    if "types" in changes:
        given = changes["types"]
        _check_columns(source, given or {})
        changes["types"] = {} if given is None else _set_types({**source.types, **given})
    if any(
        changes.get(field, getattr(source, field)) != getattr(source, field) for field in READING
    ):
        _forget_profiles(session, source)
    for field, value in changes.items():
        setattr(source, field, value)
    session.flush()
    return source


def _set_types(types: dict[str, str | None]) -> dict[str, str]:
    return {column: kind for column, kind in types.items() if kind is not None}


def _forget_profiles(session: Session, source: DataSource) -> None:
    """Delete the profiles of the newest version: they were made with other types."""
    session.execute(
        delete_rows(Profile).where(
            Profile.data_source_id == source.id, Profile.version == source.version
        )
    )


def _check_columns(source: DataSource, types: dict[str, str | None]) -> None:
    columns = source.config.get("columns")
    if columns is None:
        return
    names = [column["name"] for column in columns]
    for name in types:
        # what a version before had may be taken away
        if name not in names and name not in source.types:
            listed = ", ".join(f"“{known}”" for known in names[:20])
            message = f"“{source.name}” has no column “{name}”; it has {listed}."
            raise Invalid(message, errors=[{"loc": ["types", name], "msg": message}])


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


def _held_out_by(session: Session, source: DataSource) -> str | None:
    """Return the id of an unfinished run that holds this source out."""
    unfinished = session.execute(
        select(Run.id, Run.data).where(
            Run.workspace_id == source.workspace_id,
            Run.status.in_([lifecycle.Status.QUEUED, lifecycle.Status.RUNNING]),
        )
    )
    for run_id, data in unfinished:
        if (data.get("holdout") or {}).get("data_source_id") == source.id:
            return str(run_id)
    return None


def delete(session: Session, caller: Caller, source_id: str) -> list[str]:
    """Delete a source; returns the storage keys of its files.

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
    if run_id is None:
        run_id = _held_out_by(session, source)
    if run_id is not None:
        raise Conflict(f"Run {run_id} still uses this data source. Cancel it or wait for its end.")
    query = select(DataVersion.storage_key).where(DataVersion.data_source_id == source_id)
    keys = set(session.scalars(query.distinct()))
    session.delete(source)
    session.flush()
    return sorted(keys)
