"""What agents ask and say: the spec, the data, events, artifacts, the end of an attempt."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from ...common.clock import Clock
from ...common.errors import Invalid, OpsError, Stale, Unauthenticated
from ...common.protocol import (
    HEARTBEAT_S,
    HEARTBEATS_A_LEASE,
    Acknowledgement,
    AgentEvent,
    DataSpec,
    Finish,
    ReadLimits,
    RunSpec,
)
from ..executors.interface import Attempt
from ..executors.notebook import NotebookExecutor
from ..files.file_store import FileStore, Writer
from ..lifecycle import OUTCOME_MOVES, Move
from ..store import artifacts as artifact_rows
from ..store import ingest, keys, runs
from ..store.ids import new_id
from ..store.models import Artifact, DataSource, Run
from ..store.session import Store
from ..vault import Vault
from .fanout import Fanout

FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,200}")
DEFAULT_ERROR = "The plan failed without saying why."


@dataclass(frozen=True, slots=True)
class ArtifactHead:
    """What an agent says of a file before it sends it."""

    filename: str
    kind: str
    content_type: str
    sha256: str
    attempt: int
    model_id: str | None


class Agents:
    """The server's side of the agent's routes. Every call is for one run, whose token was checked."""

    def __init__(
        self,
        store: Store,
        artifacts: FileStore,
        vault: Vault,
        fanout: Fanout,
        clock: Clock,
        *,
        notebook: NotebookExecutor,
        limits: ReadLimits,
        lease_s: float,
        on_ended: Callable[[str, int], None],
    ) -> None:
        self._store = store
        self._notebook = notebook
        self._limits = limits
        self._lease_s = lease_s
        self._artifacts = artifacts
        self._vault = vault
        self._fanout = fanout
        self._clock = clock
        self._on_ended = on_ended
        #: tokens that were checked, and the attempt each belongs to
        self._known: dict[tuple[str, str], int] = {}
        #: when each attempt was last heard of, in monotonic seconds
        self._heard: dict[tuple[str, int], float] = {}

    async def authenticate(self, run_id: str, token: str) -> int:
        """The attempt that the token belongs to.

        Raises
        ------
        Stale
            When the token is of an attempt of this run that is over.
        Unauthenticated
            When it is not a run token at all, or none of this run.
        """
        if not token.startswith(keys.RUN_TOKEN_PREFIX):
            raise Unauthenticated("This route takes a run token.")
        hashed = keys.digest(token)
        known = self._known.get((run_id, hashed))
        if known is not None:
            self._heard[run_id, known] = self._clock.monotonic()
            return known
        run = await self._store.read(runs.by_token, run_id, hashed)
        if run is None:
            if await self._store.read(runs.has_ended, run_id, hashed):
                raise Stale("This attempt of the run is over.")
            raise Unauthenticated("The run token is none of this run.")
        self._known[(run_id, hashed)] = run.attempt
        self._heard[run_id, run.attempt] = self._clock.monotonic()
        return run.attempt

    def heard_at(self, run_id: str, attempt: int) -> float | None:
        """Return when an attempt last spoke, in monotonic seconds, or None where it has not yet."""
        return self._heard.get((run_id, attempt))

    def excuse_silence(self) -> None:
        """Count every attempt as heard of just now: it was this server that could not listen."""
        now = self._clock.monotonic()
        self._heard = dict.fromkeys(self._heard, now)

    def forget(self, run_id: str) -> None:
        """The run has ended or was requeued: its token opens nothing any more."""
        for key in [key for key in self._known if key[0] == run_id]:
            del self._known[key]
        for attempt in [key for key in self._heard if key[0] == run_id]:
            del self._heard[attempt]

    # ---------------------------------------------------------------- what it needs

    async def spec(self, run_id: str, attempt: int) -> RunSpec:
        """Everything that the attempt needs to execute."""

        def work(session: Session) -> tuple[Run, DataSource | None]:
            run = runs.held(session, run_id, attempt, to_write=False)
            return run, runs.source_of(session, run)

        run, source = await self._store.read(work)
        if run.executor == runs.NOTEBOOK:
            await self._notebook.start(Attempt(run_id, attempt))
            self._fanout.publish(run_id)
            run, source = await self._store.read(work)
        snapshot = run.snapshot
        try:
            data = await asyncio.to_thread(self._data_spec, run, source)
        except OpsError as error:
            # the secret cannot be read: no repeating brings it back, so the run ends with the sentence
            await self.finish(run_id, Finish(attempt, "failed", error.message, "user"))
            raise Stale("This attempt of the run is over.") from error
        return RunSpec(
            run_id=run.id,
            attempt=run.attempt,
            task=snapshot["task"],
            plan=run.plan,
            data=data,
            target=snapshot.get("target"),
            model_id=run.model_id,
            setup_params=snapshot.get("setup_params") or {},
            plan_params=snapshot.get("plan_params") or {},
            metric=run.metric,
            greater_is_better=run.greater_is_better,
            heartbeat_s=min(HEARTBEAT_S, self._lease_s / HEARTBEATS_A_LEASE),
        )

    def _data_spec(self, run: Run, source: DataSource | None) -> DataSpec:
        options = dict(run.data.get("options") or {})
        if source is not None and source.secret is not None:
            options |= json.loads(self._vault.decrypt(source.secret))
        return DataSpec(run.data["kind"], options, self._limits)

    async def data_key(self, run_id: str, attempt: int) -> str:
        """The storage key of the run's table.

        Raises
        ------
        Invalid
            When the run's data is not kept by the server.
        """
        run = await self._store.read(runs.held, run_id, attempt, to_write=False)
        key = run.data.get("storage_key")
        if not key:
            raise Invalid("This run's data is not kept by the server.")
        return str(key)

    # ---------------------------------------------------------------- what it says

    async def take_events(
        self, run_id: str, attempt: int, batch: list[AgentEvent]
    ) -> Acknowledgement:
        """Store a batch; sending it twice is harmless."""
        if batch:
            run = await self._store.write(ingest.take_events, run_id, attempt, batch)
            self._fanout.publish(run_id)
        else:
            run = await self._store.read(runs.held, run_id, attempt, to_write=False)
        if run.executor == runs.NOTEBOOK:
            await self._notebook.heard(run)
        return Acknowledgement(run.last_n, run.cancel_requested_at is not None)

    def artifact_writer(self, run_id: str, head: ArtifactHead) -> tuple[str, Writer]:
        """A storage key and a writer for a file that is about to come; blocks.

        Raises
        ------
        Invalid
            When the file's name is not one that agents give.
        """
        if not FILENAME.fullmatch(head.filename):
            raise Invalid(f"{head.filename!r} is not a name for an artifact.")
        key = f"runs/{run_id}/{new_id()}"
        return key, self._artifacts.writer(key)

    async def take_artifact(
        self, run_id: str, head: ArtifactHead, storage_key: str, size_bytes: int
    ) -> Artifact:
        """Record a file that has arrived whole, and sign it."""
        artifact, replaced = await self._store.write(
            artifact_rows.put,
            run_id,
            head.attempt,
            filename=head.filename,
            kind=head.kind,
            model_id=head.model_id,
            sha256=head.sha256,
            signature=await asyncio.to_thread(self._vault.sign, head.sha256),
            size_bytes=size_bytes,
            content_type=head.content_type,
            storage_key=storage_key,
        )
        if replaced is not None:
            await self._artifacts.in_thread(self._artifacts.delete, replaced)
        return artifact

    async def finish(self, run_id: str, last: Finish) -> Run:
        """End the attempt; the run's end and its event in one transaction."""
        move = OUTCOME_MOVES.get(last.outcome)
        if move is None:
            raise Invalid(f"“{last.outcome}” is not an outcome.")
        error = last.error or (DEFAULT_ERROR if move is Move.FAIL else None)
        run = await self._store.write(
            runs.finish,
            run_id,
            last.attempt,
            move,
            self._clock.now(),
            message=_last_message(move, last, error),
            error=error,
            error_kind=(last.error_kind or "engine") if error else None,
            leaderboard=last.leaderboard,
            metrics_summary=last.metrics_summary,
            snapshot=last.snapshot,
        )
        self.forget(run_id)
        self._fanout.publish(run_id)
        self._on_ended(run_id, last.attempt)
        return run


def _last_message(move: Move, last: Finish, error: str | None) -> str:
    if move is Move.CANCEL:
        return "Cancelled"
    if error is not None:
        return error
    best = last.metrics_summary.get("best")
    value = best.get("value") if isinstance(best, dict) else None
    if not isinstance(best, dict) or not isinstance(value, int | float):
        return "Done"
    return f"Done: {best.get('model_id')}, {last.metrics_summary.get('metric')} {value:.4f}"
