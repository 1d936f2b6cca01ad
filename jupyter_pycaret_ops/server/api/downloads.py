"""Downloads: files of the file store on their way out, whole or in part."""

from __future__ import annotations

from typing import NamedTuple

from jupyter_server.auth.decorator import allow_unauthenticated

from ...common.errors import Invalid, Unavailable
from ...common.protocol import PLOT_KIND
from ..store import artifacts as artifact_rows
from ..store import data_sources
from ..store.models import Artifact
from .base import JsonBodyHandler
from .byte_ranges import Unsatisfiable, requested
from .schemas import ErrorOut, VersionQuery

JSON_TYPE = "application/json"
#: of uploads by their kind
CONTENT_TYPES = {
    "csv_upload": "text/csv",
    "parquet_upload": "application/vnd.apache.parquet",
    "excel_upload": "application/octet-stream",
}


class StoredFile(NamedTuple):
    """A file of the file store, and what it is answered as."""

    storage_key: str
    sha256: str
    size_bytes: int
    content_type: str


def artifact_file(artifact: Artifact) -> StoredFile:
    """Return the file of an artifact; a plot is JSON whatever the agent said it was."""
    content_type = JSON_TYPE if artifact.kind == PLOT_KIND else artifact.content_type
    return StoredFile(artifact.storage_key, artifact.sha256, artifact.size_bytes, content_type)


class FileHandler(JsonBodyHandler):
    """Streams files from the file store: whole or in part, and not at all to who has them."""

    async def stream(self, file: StoredFile) -> None:
        """Answer with the bytes of a file."""
        services = self.services
        etag = f'"{file.sha256}"'
        self.set_header("ETag", etag)
        self.set_header("Cache-Control", "private, max-age=0, must-revalidate")
        if is_known(etag, self.request.headers.get("If-None-Match", "")):
            self.set_status(304)
            return
        size = file.size_bytes
        asked = self.request.headers.get("Range")
        if self.request.headers.get("If-Range", etag) != etag:
            asked = None
        try:
            part = requested(asked, size)
        except Unsatisfiable:
            self.set_header("Content-Range", f"bytes */{size}")
            self.answer(
                ErrorOut(f"The file has {size} bytes; the range lies outside.", "range"), 416
            )
            return
        stored = await services.artifacts.in_thread(services.artifacts.size, file.storage_key)
        if stored != size:
            raise Unavailable(
                f"The file is damaged in the file store: it has {stored} bytes, not {size}. "
                "Restore it, or run again.",
                retry_after_s=60,
            )
        begin, end = part or (0, size)
        if part is not None:
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {begin}-{end - 1}/{size}")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Content-Type", file.content_type)
        self.set_header("Content-Length", str(end - begin))
        if self.request.method == "HEAD":
            return
        chunks = services.artifacts.chunks(file.storage_key, begin, end)
        while chunk := await services.artifacts.in_thread(next, chunks, b""):
            self.write(chunk)
            await self.flush()


def is_known(etag: str, known: str) -> bool:
    """Return whether `If-None-Match` names the file: one tag or several, weak ones too, or any."""
    tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
    return etag in tags or tags == ["*"]


class DownloadHandler(FileHandler):
    """An artifact as a file to keep."""

    @allow_unauthenticated
    async def get(self, artifact_id: str) -> None:
        """Stream the file."""
        assert self.caller is not None
        artifact = await self.services.store.read(artifact_rows.read, self.caller, artifact_id)
        self.set_attachment_header(artifact.filename)
        await self.stream(artifact_file(artifact))


class SourceDownloadHandler(FileHandler):
    """A file as it was uploaded."""

    @allow_unauthenticated
    async def get(self, source_id: str) -> None:
        """Stream the file of a version."""
        assert self.caller is not None
        asked = self.query_of(VersionQuery).version
        table = await self.services.store.read(
            data_sources.read_table, self.caller, source_id, asked
        )
        if table.storage_key is None:
            raise Invalid("The table of a connector is not stored here, so there is no file.")
        config = table.config
        self.set_attachment_header(config.get("filename") or "data")
        content_type = CONTENT_TYPES.get(table.kind, "application/octet-stream")
        await self.stream(
            StoredFile(table.storage_key, config["sha256"], config["size_bytes"], content_type)
        )
