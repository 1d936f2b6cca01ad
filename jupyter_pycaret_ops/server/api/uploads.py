"""Uploads: a file on its way in, as a new data source."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado.web import HTTPError, stream_request_body

from ...common.errors import Invalid, OpsError
from ..data_sources.upload import Upload, boundary_of
from ..store import data_sources
from ..store.ids import new_id
from . import responses
from .base import OpsHandler, status_for
from .schemas import clean_name

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
