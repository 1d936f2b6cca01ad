"""The agent's routes: what a kernel asks and says about its own run, with a run token and nothing else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeVar

from jupyter_server.auth.decorator import allow_unauthenticated

from ...common.errors import Invalid, OpsError, Unauthenticated
from ...common.protocol import EventBatch, Finish
from ..files.streams import Writer
from ..runs.agents import ArtifactMetadata
from .base import JsonBodyHandler, OpsHandler
from .context import Route
from .json_body import decode_body
from .request_body import BoundedBody

SHA256 = re.compile(r"[0-9a-f]{64}")
PIECE = 1 << 20
#: seconds that a file may take to arrive
FILE_TIMEOUT_S = 3600.0

T = TypeVar("T")


class AgentHandler(OpsHandler):
    """Opens to the run token of the run in the path."""

    attempt = 0

    async def identify(self, route: Route) -> None:
        """Check the run token."""
        secret = self.bearer()
        self.current_user = self._jupyter_current_user = None
        if secret is None:
            raise Unauthenticated("This route takes a run token.")
        self.attempt = await self.services.agents.authenticate(self.path_kwargs["run_id"], secret)

    def require_attempt(self, attempt: int) -> None:
        """Raise Invalid when a body speaks for another attempt than its token."""
        if attempt != self.attempt:
            raise Invalid(f"This token is of attempt {self.attempt}, not {attempt}.")

    def check_xsrf_cookie(self) -> None:
        """Agents have no cookies."""


class AgentJsonHandler(JsonBodyHandler, AgentHandler):
    """The same, with a body of JSON or none."""


class SpecHandler(AgentJsonHandler):
    """What to run."""

    @allow_unauthenticated
    async def get(self, run_id: str) -> None:
        """The attempt's spec."""
        self.answer(await self.services.agents.spec(run_id, self.attempt))


class DataHandler(AgentJsonHandler):
    """What to run it on."""

    is_holdout = False

    @allow_unauthenticated
    async def get(self, run_id: str) -> None:
        """The table, streamed as it was stored."""
        services = self.services
        key = await services.agents.data_key(run_id, self.attempt, is_holdout=self.is_holdout)
        self.set_header("Content-Type", "application/octet-stream")
        chunks = services.artifacts.chunks(key)
        while chunk := await services.artifacts.in_thread(next, chunks, b""):
            self.write(chunk)
            await self.flush()


class HoldoutHandler(DataHandler):
    """What to hold out."""

    is_holdout = True


class EventsHandler(AgentJsonHandler):
    """What happened."""

    @allow_unauthenticated
    async def post(self, run_id: str) -> None:
        """Take a batch; an empty one is a heartbeat."""
        batch: EventBatch = decode_body(await self.sent_body(), EventBatch)
        self.require_attempt(batch.attempt)
        self.answer(await self.services.agents.take_events(run_id, batch.attempt, batch.events))


class FinishHandler(AgentJsonHandler):
    """How it ended."""

    @allow_unauthenticated
    async def post(self, run_id: str) -> None:
        """End the attempt."""
        last: Finish = decode_body(await self.sent_body(), Finish)
        self.require_attempt(last.attempt)
        run = await self.services.agents.finish(run_id, last)
        self.answer({"status": run.status})


class ArtifactHandler(BoundedBody, AgentHandler):
    """A file that the run made, streamed in."""

    writer: Writer | None = None
    #: why the file cannot be taken; said when all of it has come, for only then the kernel reads an answer
    fault: OpsError | None = None

    async def prepare(self) -> None:  # type: ignore[override]
        """Check the head before the body."""
        self.allow_streaming(FILE_TIMEOUT_S)
        await super().prepare()
        if self.request.method != "PUT":
            return
        self.metadata = self._artifact_metadata()
        self.digest = hashlib.sha256()
        self.size = 0
        self.piece = bytearray()
        self.storage_key, self.writer = await self._in_thread(
            self.services.agents.artifact_writer, self.path_kwargs["run_id"], self.metadata
        )

    async def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        return await self.services.artifacts.in_thread(work, *args)

    def _artifact_metadata(self) -> ArtifactMetadata:
        headers = self.request.headers
        sha256 = headers.get("X-Content-SHA256", "")
        if not SHA256.fullmatch(sha256):
            raise Invalid("The header X-Content-SHA256 is missing or wrong.")
        return ArtifactMetadata(
            filename=self.path_kwargs["name"],
            kind=headers.get("X-Artifact-Kind", "file")[:32],
            content_type=headers.get("Content-Type", "application/octet-stream")[:128],
            sha256=sha256,
            attempt=self.attempt,
            model_id=headers.get("X-Model-Id"),
        )

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece of the file; drop it where the file cannot be taken."""
        if self._ending is not None:
            await super().data_received(chunk)
        if self.writer is None or self._ending is not None:
            return
        self.size += len(chunk)
        self.piece += chunk
        if len(self.piece) >= PIECE:
            await self._write(self.writer)

    async def _write(self, writer: Writer) -> None:
        piece, self.piece = bytes(self.piece), bytearray()
        try:
            await self._in_thread(self._take, writer, piece)
        except OpsError as error:
            self.fault = error
            self._discard()

    def _take(self, writer: Writer, piece: bytes) -> None:
        self.digest.update(piece)
        writer.write(piece)

    @allow_unauthenticated
    async def put(self, run_id: str, name: str) -> None:
        """The file is whole: compare, keep, sign."""
        if self.writer is not None:
            await self._write(self.writer)
        if self.fault is not None:
            raise self.fault
        assert self.writer is not None
        if self.digest.hexdigest() != self.metadata.sha256:
            raise Invalid("The file arrived changed: its SHA-256 is not the one announced.")
        await self.services.artifacts.in_thread_whole(self.writer.commit)
        try:
            artifact = await self.services.agents.record_artifact(
                run_id, self.metadata, self.storage_key, self.size
            )
        except OpsError:
            await self.services.artifacts.in_thread(
                self.services.artifacts.delete, self.storage_key
            )
            raise
        self.answer({"id": artifact.id, "sha256": artifact.sha256})

    def on_finish(self) -> None:
        """No part of a file stays behind."""
        super().on_finish()
        self._discard()

    def on_connection_close(self) -> None:
        """The kernel went away in the middle of a file."""
        super().on_connection_close()
        self._discard()

    def _discard(self) -> None:
        writer, self.writer = self.writer, None
        if writer is not None:
            self.services.artifacts.in_background(writer.discard)
