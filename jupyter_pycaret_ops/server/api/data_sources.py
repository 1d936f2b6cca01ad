"""Data sources: connectors, previews, profiles; `uploads.py` takes files."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ...common.errors import Forbidden, Invalid, NotFound, Unavailable
from ..data_sources.connectors import check_config
from ..data_sources.preview import preview_csv
from ..data_sources.stored_source import data_spec, fetch_of
from ..store import data_sources, profiles
from ..store.access import Role
from ..store.models import DataSource, Profile
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


async def delete_source(call: Call) -> None:
    """Delete a data source and its file."""
    key = await call.services.store.write(
        data_sources.delete, call.caller, call.params["source_id"]
    )
    if key is not None:
        await call.services.artifacts.in_thread(call.services.artifacts.delete, key)


async def preview(call: Call) -> dict[str, Any]:
    """Columns with types and missing counts, the first rows, and a suggested target and task."""
    source = await call.services.store.read(
        data_sources.read, call.caller, call.params["source_id"]
    )
    seen = await _inspect(call, source, call.query.rows)
    if "error" in seen:
        if seen["error_kind"] == "timeout":
            raise Unavailable(seen["error"], retry_after_s=10)
        raise Invalid(seen["error"])
    seen.pop("size_bytes", None)
    return seen


async def read_profile(call: Call) -> ProfileOut:
    """The profile of a source; the first request of somebody who may begin it does."""
    store, source_id = call.services.store, call.params["source_id"]
    source = await store.read(data_sources.read, call.caller, source_id)
    found = await call.services.profiles.find(source_id)
    if found is not None:
        return _profile(found)
    try:
        source = await store.read(data_sources.read, call.caller, source_id, Role.MEMBER)
    except Forbidden:
        return ProfileOut(
            status="failed",
            error="There is no profile yet. A member of the workspace can let it be made.",
        )
    return _profile(await call.services.profiles.make(source, call.caller.user_id))


async def make_profile(call: Call) -> ProfileOut:
    """Make the profile of a source again."""
    source = await call.services.store.read(
        data_sources.read, call.caller, call.params["source_id"], Role.MEMBER
    )
    return _profile(await call.services.profiles.make(source, call.caller.user_id))


def _profile(row: Profile) -> ProfileOut:
    if row.status != profiles.READY:
        return ProfileOut(status=row.status, error=row.error)  # type: ignore[arg-type]
    return msgspec.convert({**row.content, "status": row.status}, ProfileOut)


async def test_source(call: Call) -> SourceTest:
    """Connect to a source now and say what is seen, or why nothing is."""
    source = await call.services.store.read(
        data_sources.read, call.caller, call.params["source_id"], Role.MEMBER
    )
    started = call.services.clock.monotonic()
    try:
        seen = await _inspect(call, source, 0)
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
        size_bytes=seen.get("size_bytes", source.config.get("size_bytes")),
        latency_ms=latency_ms,
    )


async def _inspect(call: Call, source: DataSource, n_rows: int) -> dict[str, Any]:
    """A preview, or `error` and `error_kind`: of a CSV read here, of all else read in a kernel."""
    services = call.services
    if source.kind == "csv_upload" and source.storage_key is not None:
        return await services.artifacts.in_thread(
            preview_csv,
            services.artifacts,
            source.storage_key,
            source.config,
            n_rows,
        )
    spec = await data_spec(source, services.vault, services.read_limits)
    return await services.inspector.inspect(
        spec,
        n_rows,
        source_id=source.id,
        user=call.caller.user_id,
        fetch=fetch_of(source, services.artifacts),
    )
