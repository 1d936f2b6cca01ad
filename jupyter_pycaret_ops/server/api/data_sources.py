"""Data sources: uploads, connectors, previews."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from jupyter_server.auth.decorator import allow_unauthenticated
from tornado.web import HTTPError, stream_request_body

from ...common.errors import Forbidden, Invalid, NotFound, OpsError, Unavailable
from ..data_sources.connectors import check_config
from ..data_sources.preview import preview_csv
from ..data_sources.stored_source import data_spec, fetch_of
from ..data_sources.upload import Upload, boundary_of
from ..store import data_sources, profiles
from ..store.access import Role
from ..store.ids import new_id
from ..store.models import DataSource, Profile
from ..store.paging import PageRequest
from ..threads import in_thread
from . import responses
from .base import OpsHandler, status_for
from .context import Call, Listing
from .nested_schemas import ColumnType
from .schemas import DataSourceRow, ProfileOut, SourceTest, clean_name

#: a refused client may go on sending this much, so that it gets to read the refusal
LINGER_BYTES = 64 * 1024 * 1024
UNBOUNDED = 1 << 62


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


@stream_request_body
class UploadHandler(OpsHandler):
    """A table on its way in: refused before its body where it can be, else examined while it streams."""

    upload: Upload | None = None
    refused = False
    discarded = 0

    async def prepare(self) -> None:  # type: ignore[override]
        """Credential, right, workspace and form are checked before the first byte of the body."""
        self.request.connection.set_max_body_size(UNBOUNDED)  # type: ignore[union-attr]
        try:
            await super().prepare()
            if self.request.method != "POST":
                return
            workspace_id = self.path_kwargs["workspace_id"]
            store = self.services.store
            assert self.caller is not None
            await store.read(data_sources.check_new, self.caller, workspace_id)
            boundary = boundary_of(self.request.headers.get("Content-Type", ""))
            self.source_id = new_id()
            self.storage_key = f"sources/{self.source_id}"
            self.upload = Upload(
                boundary,
                self.services.artifacts,
                self.storage_key,
                cap_bytes=self.services.upload_cap_bytes,
            )
        except (OpsError, HTTPError) as error:
            await self._refuse(error)

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece of the body."""
        if self.upload is None or self.refused:
            self.discarded += len(chunk)
            if self.discarded > LINGER_BYTES and not self._finished:
                self.finish()
            return
        try:
            await self.upload.feed(chunk)
        except OpsError as error:
            await self._refuse(error)

    @allow_unauthenticated
    async def post(self, workspace_id: str) -> None:
        """The body is whole: examine, record, answer."""
        if self.refused or self.upload is None:
            if not self._finished:
                self.finish()
            return
        upload, self.upload = self.upload, None
        committed = False
        try:
            upload.require_complete()
            name = upload.fields.get("name")
            if name is None:
                raise Invalid(
                    "The part `name` is missing.", errors=[{"loc": ["name"], "msg": "is missing"}]
                )
            try:
                name = clean_name(name)
            except ValueError as error:
                raise Invalid(
                    f"name: {error}", errors=[{"loc": ["name"], "msg": str(error)}]
                ) from None
            facts = await upload.finish()
            committed = True
            assert self.caller is not None
            source = await self.services.store.write(
                data_sources.create,
                self.caller,
                workspace_id,
                name=name,
                kind=facts.kind,
                description=upload.fields.get("description", "").strip() or None,
                config=facts.config(upload.filename),
                storage_key=self.storage_key,
            )
        except BaseException:
            if committed:
                await self.services.artifacts.in_thread(
                    self.services.artifacts.delete, self.storage_key
                )
            raise
        finally:
            await upload.discard()
        assert self.caller is not None
        self.services.profiles.uploaded(source, self.caller.user_id)
        self.answer(responses.data_source(source), 201)

    def on_connection_close(self) -> None:
        """The client went away: nothing of its file stays."""
        super().on_connection_close()
        self._discard_soon()

    def on_finish(self) -> None:
        """Whatever the answer was, no part of a file stays behind."""
        super().on_finish()
        self._discard_soon()

    def _discard_soon(self) -> None:
        upload, self.upload = self.upload, None
        if upload is not None:
            self.services.background.start(upload.discard(), "discard-upload")

    async def _refuse(self, error: OpsError | HTTPError) -> None:
        """Answer now, and let the client finish sending, for it reads the answer only then."""
        self.refused = True
        upload, self.upload = self.upload, None
        if upload is not None:
            await upload.discard()
        status = status_for(error) if isinstance(error, OpsError) else error.status_code
        if "Expect" in self.request.headers or self.request.method != "POST":
            self._handle_request_exception(error)
            return
        self._lingering = True
        self.set_header("Connection", "close")
        self.set_status(status)
        self.write_error(status, exc_info=(type(error), error, None))
        await self.flush()

    def finish(self, chunk: Any = None) -> Any:
        """The end of the answer; of a refusal, first its content alone."""
        if getattr(self, "_lingering", False) and chunk is not None:
            self.set_header("Content-Length", str(len(chunk)))
            self.write(chunk)
            return None
        return super().finish(chunk)
