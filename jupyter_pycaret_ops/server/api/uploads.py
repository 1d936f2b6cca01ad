"""Uploads: a file on its way in, as a new data source or a new version of one."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado.web import HTTPError, stream_request_body

from ...common.errors import Invalid, OpsError
from ..data_sources.table_facts import TableFacts
from ..data_sources.upload import Upload, boundary_of
from ..store import data_sources
from ..store.access import Caller
from ..store.ids import new_id
from . import responses
from .base import OpsHandler, status_for
from .schemas import DataSourceRow, NewVersionRow, clean_name

#: a refused client may go on sending this much, so that it gets to read the refusal
LINGER_BYTES = 64 * 1024 * 1024
UNBOUNDED = 1 << 62


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
            assert self.caller is not None
            await self.check(self.caller)
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

    async def check(self, caller: Caller) -> None:
        """Raise unless the caller may upload here."""
        workspace_id = self.path_kwargs["workspace_id"]
        await self.services.store.read(data_sources.check_new, caller, workspace_id)

    def fields_of(self, upload: Upload) -> dict[str, Any]:
        """Return the fields of the upload that its record needs, or raise Invalid."""
        name = upload.fields.get("name")
        if name is None:
            raise Invalid(
                "The part `name` is missing.", errors=[{"loc": ["name"], "msg": "is missing"}]
            )
        try:
            name = clean_name(name)
        except ValueError as error:
            raise Invalid(f"name: {error}", errors=[{"loc": ["name"], "msg": str(error)}]) from None
        return {"name": name, "description": upload.fields.get("description", "").strip() or None}

    async def record(self, caller: Caller, facts: TableFacts, **stored: Any) -> DataSourceRow:
        """Record the file, which is stored, and return the answer."""
        workspace_id = self.path_kwargs["workspace_id"]
        source = await self.services.store.write(
            data_sources.create, caller, workspace_id, kind=facts.kind, **stored
        )
        return responses.data_source(source)

    @allow_unauthenticated
    async def post(self, **_: str) -> None:
        """The body is whole: examine, record, answer."""
        if self.refused or self.upload is None:
            if not self._finished:
                self.finish()
            return
        upload, self.upload = self.upload, None
        committed = False
        try:
            upload.require_complete()
            fields = self.fields_of(upload)
            facts = await upload.finish()
            committed = True
            assert self.caller is not None
            row = await self.record(
                self.caller,
                facts,
                config=facts.config(upload.filename),
                storage_key=self.storage_key,
                **fields,
            )
        except BaseException:
            if committed:
                await self.services.artifacts.in_thread(
                    self.services.artifacts.delete, self.storage_key
                )
            raise
        finally:
            await upload.discard()
        table = await self.services.store.read(data_sources.read_table, self.caller, row.id)
        self.services.profiles.uploaded(table, self.caller.user_id)
        self.answer(row, 201)

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


class VersionUploadHandler(UploadHandler):
    """A new file of a table that is there."""

    @allow_unauthenticated
    async def get(self, source_id: str) -> None:
        """The versions, newest first."""
        route = self.route()
        assert route is not None
        await self.call_endpoint(route, {"source_id": source_id})

    async def check(self, caller: Caller) -> None:
        """Raise unless the caller may add a version."""
        source_id = self.path_kwargs["source_id"]
        await self.services.store.read(data_sources.check_new_version, caller, source_id)

    def fields_of(self, upload: Upload) -> dict[str, Any]:
        """Return nothing: the source keeps its name and description."""
        for name in ("name", "description"):
            if name in upload.fields:
                message = f"A new version has no {name} of its own; PATCH changes that of the data source."
                raise Invalid(message, errors=[{"loc": [name], "msg": message}])
        return {}

    async def record(self, caller: Caller, facts: TableFacts, **stored: Any) -> NewVersionRow:
        """Record the version, and return the answer with what it changes."""
        source, changes = await self.services.store.write(
            data_sources.add_version,
            caller,
            self.path_kwargs["source_id"],
            kind=facts.kind,
            **stored,
        )
        return responses.new_version(source, changes)
