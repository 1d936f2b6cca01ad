"""Runs: submitted, listed, watched, cancelled; what they measured and made."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.websocket import WebSocketMixin
from msgspec import UNSET, UnsetType
from sqlalchemy.orm import Session
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ...common.errors import Forbidden, Invalid, NotFound, OpsError, Unauthenticated, Unavailable
from .. import reproduction
from ..lifecycle import Status
from ..runs.fanout import follow, wait_for_end
from ..runs.submission import Submission
from ..store import artifacts as artifact_rows
from ..store import events as event_rows
from ..store import kept_models, keys, runs
from ..store.access import Caller
from ..store.models import Event, Run
from ..store.paging import PageRequest
from .base import JsonBodyHandler, OpsHandler
from .context import Call, Listing
from .downloads import FileHandler, artifact_file
from .figures import without_remote_images
from .responses import as_row, listing
from .schemas import (
    ArtifactRow,
    EventRow,
    EventsQuery,
    FoldMetricRow,
    NewRunRow,
    PlotRow,
    RunBrief,
    RunRow,
)

#: seconds after which an open socket asks again whether its caller may read
RECHECK_S = 3.0
#: a plot is looked through before it is shown
LARGEST_PLOT_BYTES = 32 * 1024 * 1024
#: how a socket is closed whose caller may no longer read
FORBIDDEN = 4403


async def submit(call: Call) -> NewRunRow:
    """Queue a run; it is answered before it starts."""
    services = call.services
    # rows in the body are many, and plain already: they are not gone through again
    fields = {name: getattr(call.body, name) for name in call.body.__struct_fields__}
    submission = Submission(**{**fields, "frame": msgspec.to_builtins(call.body.frame)})
    new = await services.submissions.check(call.caller, call.params["experiment_id"], submission)
    token: str | UnsetType = UNSET
    if new.executor == "notebook":
        new, token = services.notebook.issue_token(new)
    try:
        run = await services.store.write(
            runs.submit,
            call.caller,
            new,
            now=services.clock.now(),
            queue_cap=services.queue_cap,
        )
    except OpsError:
        if new.data["kind"] == "inline":
            await services.artifacts.in_thread(services.artifacts.delete, new.data["storage_key"])
        raise
    services.supervisor.wake()
    row = as_row(run, NewRunRow)
    row.run_token = token
    return row


async def list_of_experiment(call: Call) -> Listing:
    """The runs of an experiment."""
    narrow = runs.RunFilter(experiment_id=call.params["experiment_id"], status=call.query.status)
    page = PageRequest(call.query.limit, call.query.cursor)
    found = await call.services.store.read(runs.list_page, call.caller, narrow, page)
    return listing(found, RunBrief)


async def list_all(call: Call) -> Listing:
    """The runs of a workspace, project or experiment."""
    query = call.query
    narrow = runs.RunFilter(
        workspace_id=query.workspace_id,
        project_id=query.project_id,
        experiment_id=query.experiment_id,
        status=query.status,
        plan=query.plan,
        data_source_id=query.data_source_id,
    )
    page = PageRequest(query.limit, query.cursor)
    found = await call.services.store.read(runs.list_page, call.caller, narrow, page)
    return listing(found, RunBrief)


async def read(call: Call) -> RunRow:
    """One run, with leaderboard and snapshot."""
    store, run_id = call.services.store, call.params["run_id"]
    return _row(*await store.read(_with_kept, runs.read, call.caller, run_id))


def _with_kept(
    session: Session, find: Callable[..., Run], *args: Any, **options: Any
) -> tuple[Run, set[str]]:
    """Return the run that `find` returns, and the ids of its models that are kept."""
    run = find(session, *args, **options)
    return run, kept_models.model_ids(session, run)


def _row(run: Run, kept: set[str]) -> RunRow:
    """Return a run whose leaderboard says which models are kept."""
    rows = [{**record, "kept": record.get("model_id") in kept} for record in run.leaderboard]
    return as_row(run, RunRow, leaderboard=rows)


async def keep(call: Call) -> RunRow:
    """Fit a model of the leaderboard on all rows, in a run of its own; 200 with the run that has done so before."""
    services = call.services
    run, kept = await services.store.write(
        _with_kept,
        kept_models.keep,
        call.caller,
        call.params["run_id"],
        call.params["model_id"],
        now=services.clock.now(),
        queue_cap=services.queue_cap,
        pool=services.submissions.pool,
    )
    if run.status == Status.SUCCEEDED:
        call.status = 200
    else:
        services.supervisor.wake()
    return _row(run, kept)


async def _read(call: Call) -> Run:
    return await call.services.store.read(runs.read, call.caller, call.params["run_id"])


async def delete(call: Call) -> None:
    """Delete a run that has ended; a pipeline that was promoted from it stays."""
    keys = await call.services.store.write(runs.delete, call.caller, call.params["run_id"])
    call.services.fanout.publish(call.params["run_id"])
    await call.services.artifacts.in_thread(call.services.artifacts.delete, *keys)


async def cancel(call: Call) -> RunRow:
    """Cancel a run: a queued one at once, a running one for certain within the grace time."""
    services, run_id = call.services, call.params["run_id"]
    run = await services.store.write(runs.request_cancel, call.caller, run_id, services.clock.now())
    services.supervisor.cancel(run_id)
    services.fanout.publish(run_id)
    return as_row(run, RunRow)


async def wait(call: Call) -> RunRow:
    """The run when it has ended, or when the time is up."""
    services, run_id = call.services, call.params["run_id"]
    run = await _read(call)
    await wait_for_end(services.store, services.fanout, run.id, call.query.timeout_s)
    # minutes may have passed
    now = services.clock.now()
    return _row(*await services.store.read(_with_kept, _read_again, call.caller, run_id, now))


def _read_again(session: Session, caller: Caller, run_id: str, now: datetime) -> Run:
    """The run, for a caller who was let in some time ago.

    Raises
    ------
    Unauthenticated
        When the caller's key was revoked, has expired, or its maker has left the workspace.
    NotFound
        When the run is gone, or the caller has been removed from its workspace.
    """
    return runs.read(session, keys.renew(session, caller, now), run_id)


async def events(call: Call) -> list[EventRow]:
    """Events of a run in order, from after a `seq`."""
    run = await _read(call)
    found = await call.services.store.read(
        event_rows.after, run.id, call.query.after_seq, call.query.limit
    )
    return [as_row(event, EventRow) for event in found]


async def fold_metrics(call: Call) -> Listing:
    """Each metric on each fold of each model."""
    page = PageRequest(call.query.limit, call.query.cursor)
    found = await call.services.store.read(
        artifact_rows.fold_metrics, call.caller, call.params["run_id"], page
    )
    return listing(found, FoldMetricRow)


async def artifacts(call: Call) -> Listing:
    """The files that a run made."""
    page = PageRequest(call.query.limit, call.query.cursor)
    found = await call.services.store.read(
        artifact_rows.list_page, call.caller, call.params["run_id"], page
    )
    return listing(found, ArtifactRow)


async def plots(call: Call) -> list[PlotRow]:
    """The plots of a run's best model."""
    found = await call.services.store.read(artifact_rows.plots, call.caller, call.params["run_id"])
    return [
        PlotRow(
            id=artifact_rows.plot_id_of(item),
            artifact_id=item.id,
            model_id=item.model_id,
            size_bytes=item.size_bytes,
            created_at=item.created_at,
        )
        for item in found
    ]


class PlotHandler(FileHandler):
    """A plot to show."""

    @allow_unauthenticated
    async def get(self, run_id: str, plot_id: str) -> None:
        """The figure as Plotly JSON: `{"data": […], "layout": {…}}`."""
        assert self.caller is not None
        services = self.services
        artifact = await services.store.read(artifact_rows.plot, self.caller, run_id, plot_id)
        if artifact.size_bytes > LARGEST_PLOT_BYTES:
            raise Unavailable(
                f"The plot has {artifact.size_bytes >> 20} MiB, too many to be shown. Download it.",
                retry_after_s=60,
            )

        def work() -> tuple[bytes, bytes]:
            stored = services.artifacts.read(artifact.storage_key)
            return stored, without_remote_images(stored)

        stored, shown = await services.artifacts.in_thread(work)
        if shown == stored:
            await self.stream(artifact_file(artifact))
            return
        self.set_header("Cache-Control", "private, max-age=0, must-revalidate")
        self.write(shown)


class NotebookHandler(JsonBodyHandler):
    """The notebook that does a run again, as a file to keep."""

    @allow_unauthenticated
    async def get(self, run_id: str) -> None:
        """The notebook (nbformat 4.5): plain PyCaret, without outputs, without a secret."""
        assert self.caller is not None
        services = self.services
        facts = await services.store.read(reproduction.read_facts, self.caller, run_id)
        key = facts.run.data.get("storage_key")
        if facts.run.data["kind"] == "inline" and key:
            # then the notebook asks for a file
            with contextlib.suppress(NotFound, msgspec.DecodeError, UnicodeDecodeError):
                content = await services.artifacts.in_thread(services.artifacts.read, key)
                facts = replace(facts, rows=msgspec.json.decode(content))
        made = reproduction.make(facts)
        self.set_attachment_header(f"run-{facts.run.id}.ipynb")
        self.answer(made)


class EventSocket(WebSocketMixin, WebSocketHandler, OpsHandler):
    """A run's events over a WebSocket: those stored, then those to come, then `run.closed`."""

    auth_resource = "pycaret-ops"
    _follower: asyncio.Task[None] | None = None
    _guard: asyncio.Task[None] | None = None

    async def prepare(self) -> None:  # type: ignore[override]
        """Find the caller; refuse before the handshake."""
        await OpsHandler.prepare(self)

    def check_origin(self, origin: str | None = None) -> bool:
        """Whether pages of that origin may open the socket; one that is no URL may not."""
        try:
            return bool(super().check_origin(origin))
        except ValueError:
            return False

    @allow_unauthenticated
    async def get(self, run_id: str) -> None:
        """Check the run, then shake hands."""
        values = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        try:
            query = msgspec.convert(values, EventsQuery, strict=False)
        except msgspec.ValidationError:
            raise HTTPError(400) from None
        assert self.caller is not None
        run = await self.services.store.read(runs.read, self.caller, run_id)
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise Invalid("This path speaks WebSocket; GET the events without /ws for JSON.")
        self._run_id, self._after = run.id, query.after_seq
        await WebSocketHandler.get(self)

    def open(self, *args: str, **kwargs: str) -> None:
        """Begin to send."""
        super().open(*args, **kwargs)
        self._follower = asyncio.create_task(self._send_all(), name=f"events-{self._run_id}")
        self._guard = asyncio.create_task(self._close_when_forbidden(), name="events-guard")

    async def _close_when_forbidden(self) -> None:
        """Close with 4403 once the caller may no longer read the run.

        Asked again every few seconds, and at once when this server revokes a key or changes a role.
        """
        services, caller = self.services, self.caller
        assert caller is not None
        while True:
            wait_s = RECHECK_S
            if caller.key is not None and caller.key.expires_at is not None:
                left = caller.key.expires_at - services.clock.now()
                wait_s = min(wait_s, max(0.0, left.total_seconds()))
            await services.identities.wait_for_change(wait_s)
            try:
                await services.store.read(_read_again, caller, self._run_id, services.clock.now())
            except (Unauthenticated, Forbidden, NotFound) as error:
                if self._follower is not None:
                    self._follower.cancel()
                self.close(FORBIDDEN, error.message[:100])
                return
            except OpsError:
                continue  # the database does not answer; the follower says so

    async def _send_all(self) -> None:
        services = self.services
        feed = follow(services.store, services.fanout, self._run_id, self._after)
        try:
            async with contextlib.aclosing(feed):
                async for page, status in feed:
                    for event in page:
                        # awaited: a slow reader is read for only as fast as it reads
                        await self.write_message(_encode(event))
                    if status is not None:
                        await self.write_message(
                            msgspec.json.encode({"kind": "run.closed", "status": status}).decode()
                        )
            self.close(1000)
        except WebSocketClosedError:
            pass
        except OpsError as error:
            self.close(1013, error.message[:100])

    def on_message(self, message: str | bytes) -> None:
        """Nothing is expected from the client."""

    def on_close(self) -> None:
        """The client is gone."""
        for task in (self._follower, self._guard):
            if task is not None:
                task.cancel()
        super().on_close()


def _encode(event: Event) -> str:
    return msgspec.json.encode(as_row(event, EventRow)).decode()
