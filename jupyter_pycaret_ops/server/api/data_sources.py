"""Data sources: connectors, previews, profiles; `uploads.py` takes files."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ...common.errors import Forbidden, Invalid, NotFound, Unavailable
from ...common.tables.dialect import parse_overrides
from ...common.tables.suggestion import suggest_for
from ..data_sources.connectors import check_config
from ..data_sources.preview import preview_csv
from ..data_sources.stored_source import data_spec, fetch_of
from ..data_sources.upload import read_again
from ..store import data_sources, profiles
from ..store.access import Role
from ..store.data_sources import Table
from ..store.models import Profile
from ..store.paging import PageRequest
from ..threads import in_thread
from . import responses
from .context import Call, Listing
from .nested_schemas import ColumnType
from .schemas import DataSourceRow, ProfileOut, SourceTest


async def list_sources(call: Call) -> Listing:
    """The data sources of a workspace."""
    page = PageRequest(call.query.limit, call.query.cursor)
    found = await call.services.store.read(
        data_sources.list_page, call.caller, call.params["workspace_id"], page
    )
    return Listing([responses.data_source(row) for row in found.rows], found.next_cursor)


async def register(call: Call) -> DataSourceRow:
    """Register a connector; nothing is connected to."""
    body = call.body
    config, secret = check_config(body.kind, body.config)
    vault = call.services.vault
    ciphertext = await in_thread(vault.encrypt, json.dumps(secret)) if secret else None
    source = await call.services.store.write(
        data_sources.create,
        call.caller,
        call.params["workspace_id"],
        name=body.name,
        kind=body.kind,
        description=body.description,
        config=config,
        secret=ciphertext,
    )
    return responses.data_source(source)


async def read_source(call: Call) -> DataSourceRow:
    """One data source."""
    source = await call.services.store.read(
        data_sources.read, call.caller, call.params["source_id"]
    )
    return responses.data_source(source)


async def update_source(call: Call) -> DataSourceRow:
    """Change name, description or types; another dialect reads the file again, as a new version."""
    services, source_id = call.services, call.params["source_id"]
    changes = call.body.changes()
    dialect = changes.pop("dialect", None)
    before = await _table(call, Role.MEMBER)
    # first what may be refused: then nothing is changed
    reading = None
    if dialect is not None and before.kind == "s3":
        changes["config"] = _object_dialect(before, dialect)
    elif dialect is not None:
        reading = await _read_again(call, before, dialect)
    source = await services.store.write(data_sources.update, call.caller, source_id, changes)
    if reading is not None:
        source, _ = await services.store.write(
            data_sources.add_version, call.caller, source_id, after=before.version, **reading
        )
    is_same = (source.version, source.types, source.config) == (
        before.version,
        before.types,
        before.config,
    )
    if not is_same:
        services.profiles.uploaded(await _table(call), call.caller.user_id)
    return responses.data_source(source)


def _object_dialect(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    """Return the config of an object in S3 that is read in another way from now on."""
    fields = {**table.config.get("dialect_fields", {}), **given}
    fields = parse_overrides({name: value for name, value in fields.items() if value is not None})
    return {**table.config, "dialect_fields": fields}


async def _read_again(call: Call, table: Table, given: dict[str, Any]) -> dict[str, Any] | None:
    """Return kind, config and file of a version that reads a file in another way, None where it is the same."""
    if table.storage_key is None:
        raise Invalid("A table in a database has no dialect that could be changed.")
    if table.kind == "parquet_upload":
        raise Invalid("A Parquet file says itself how it is read; there is no dialect to change.")
    fields = {**(table.config.get("dialect_fields") or {}), **given}
    fields = {name: value for name, value in fields.items() if value is not None}
    files = call.services.artifacts
    facts = await files.in_thread_whole(read_again, files, table, fields)
    if facts.dialect == table.config.get("dialect"):
        return None
    config = facts.config(table.config.get("filename"))
    return {"kind": facts.kind, "config": config, "storage_key": table.storage_key}


async def list_versions(call: Call) -> Listing:
    """The versions of an upload, newest first; a connector has none."""
    page = PageRequest(call.query.limit, call.query.cursor)
    found = await call.services.store.read(
        data_sources.list_versions, call.caller, call.params["source_id"], page
    )
    return Listing([responses.data_version(row) for row in found.rows], found.next_cursor)


async def delete_source(call: Call) -> None:
    """Delete a data source and its files."""
    keys = await call.services.store.write(
        data_sources.delete, call.caller, call.params["source_id"]
    )
    await call.services.artifacts.in_thread(call.services.artifacts.delete, *keys)


async def preview(call: Call) -> dict[str, Any]:
    """Columns with types and missing counts, the first rows, and a suggested target and task."""
    seen = await _inspect(call, await _table(call), call.query.rows)
    if "error" in seen:
        if seen["error_kind"] == "timeout":
            raise Unavailable(seen["error"], retry_after_s=10)
        raise Invalid(seen["error"])
    seen.pop("size_bytes", None)
    if call.query.target is not None:
        seen["suggestion"] = suggest_for(seen["columns"], call.query.target)
    return seen


async def _table(call: Call, least: Role = Role.VIEWER, version: int | None = None) -> Table:
    return await call.services.store.read(
        data_sources.read_table, call.caller, call.params["source_id"], version, least
    )


async def read_profile(call: Call) -> ProfileOut:
    """The profile of a table; the first request of somebody who may begin it does."""
    version, target = call.query.version, call.query.target or ""
    table = await _table(call, version=version)
    _check_target(table, target)
    found = await call.services.profiles.find(table, target)
    if found is None:
        try:
            table = await _table(call, Role.MEMBER, version)
        except Forbidden:
            return ProfileOut(
                status="failed",
                version=table.version,
                error="There is no profile yet. A member of the workspace can let it be made.",
            )
        found = await call.services.profiles.make(table, call.caller.user_id, target)
    return _profile(call, found)


async def make_profile(call: Call) -> ProfileOut:
    """Make the profile of a table again."""
    table = await _table(call, Role.MEMBER, call.query.version)
    target = call.query.target or ""
    _check_target(table, target)
    return _profile(call, await call.services.profiles.make(table, call.caller.user_id, target))


def _check_target(table: Table, target: str) -> None:
    columns = table.config.get("columns")
    if target and columns and target not in [column["name"] for column in columns]:
        message = f"The target “{target}” is not a column of the data."
        raise Invalid(message, errors=[{"loc": ["target"], "msg": message}])


def _profile(call: Call, row: Profile) -> ProfileOut:
    if row.status != profiles.READY:
        return ProfileOut(
            status=row.status,  # type: ignore[arg-type]
            version=row.version,
            error=row.error,
            progress=call.services.profiles.progress(row.id),
        )
    return msgspec.convert(
        {**row.content, "status": row.status, "version": row.version}, ProfileOut
    )


async def test_source(call: Call) -> SourceTest:
    """Connect to a source now and say what is seen, or why nothing is."""
    table = await _table(call, Role.MEMBER)
    started = call.services.clock.monotonic()
    try:
        seen = await _inspect(call, table, 0)
    except NotFound as error:  # the file of an upload
        seen = {"error": error.message}
    latency_ms = (call.services.clock.monotonic() - started) * 1000
    if "error" in seen:
        return SourceTest(ok=False, message=seen["error"], latency_ms=latency_ms)
    columns: list[ColumnType] = [
        {"name": item["name"], "dtype": item["dtype"]} for item in seen["columns"]
    ]
    rows_seen = seen["total_rows"]
    counted = "rows not counted" if rows_seen is None else f"{rows_seen:,} rows"
    return SourceTest(
        ok=True,
        message=f"It can be read: {len(columns):,} columns, {counted}.",
        columns=columns,
        rows=rows_seen,
        size_bytes=seen.get("size_bytes", table.config.get("size_bytes")),
        latency_ms=latency_ms,
    )


async def _inspect(call: Call, table: Table, n_rows: int) -> dict[str, Any]:
    """A preview, or `error` and `error_kind`: of a CSV read here, of all else read in a kernel."""
    services = call.services
    if table.kind == "csv_upload" and table.storage_key is not None:
        return await services.artifacts.in_thread(
            preview_csv,
            services.artifacts,
            table.storage_key,
            table.config,
            n_rows,
        )
    spec = await data_spec(table, services.vault, services.read_limits)
    return await services.inspector.inspect(
        spec,
        n_rows,
        source_id=f"{table.source_id} {table.version}",
        user=call.caller.user_id,
        fetch=fetch_of(table, services.artifacts),
    )
