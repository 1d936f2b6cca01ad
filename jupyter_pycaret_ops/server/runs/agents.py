"""The agent's routes: spec, data, events, artifacts and the end of an attempt."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
from ..files.file_store import FileStore
from ..files.streams import Writer
from ..lifecycle import OUTCOME_MOVES, Move
from ..store import artifacts as artifact_rows
from ..store import ingest, keys, runs
from ..store.ids import new_id
from ..store.models import Artifact, DataSource, Run
from ..store.session import Store
from ..threads import in_thread
from ..vault import Vault
from .fanout import Fanout

FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,200}")
DEFAULT_ERROR = "The plan failed without an error message."


@dataclass(frozen=True, slots=True)
class ArtifactMetadata:
    """Metadata of a file, which an agent sends before its content."""

    filename: str
    kind: str
    content_type: str
    sha256: str
    attempt: int
    model_id: str | None


class Agents:
    """Handle the agent's routes. Each call is for one run, whose token has been checked."""

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
        #: (run id, hash of a checked token) -> attempt
        self._checked: dict[tuple[str, str], int] = {}
        #: (run id, attempt) -> time of its last request, in monotonic seconds
        self._last_seen: dict[tuple[str, int], float] = {}

    async def authenticate(self, run_id: str, token: str) -> int:
        """Return the attempt that the token belongs to.

        Raises
        ------
        Stale
            When the token belongs to an attempt of this run that has ended.
        Unauthenticated
            When it is not a run token, or belongs to another run.
        """
        if not token.startswith(keys.RUN_TOKEN_PREFIX):
            raise Unauthenticated("This route needs a run token.")
        hashed = keys.digest(token)
        attempt = self._checked.get((run_id, hashed))
        if attempt is not None:
            self._last_seen[run_id, attempt] = self._clock.monotonic()
            return attempt
        run = await self._store.read(runs.by_token, run_id, hashed)
        if run is None:
            if await self._store.read(runs.has_ended, run_id, hashed):
                raise Stale("This attempt of the run is over.")
            raise Unauthenticated("The run token does not belong to this run.")
        self._checked[(run_id, hashed)] = run.attempt
        self._last_seen[run_id, run.attempt] = self._clock.monotonic()
        return run.attempt

    def last_seen_at(self, run_id: str, attempt: int) -> float | None:
        """Return the time of an attempt's last request, in monotonic seconds; None before the first."""
        return self._last_seen.get((run_id, attempt))

    def reset_last_seen(self) -> None:
        """Count every attempt as seen now; called when this server could not receive requests."""
        now = self._clock.monotonic()
        self._last_seen = dict.fromkeys(self._last_seen, now)

    def forget(self, run_id: str) -> None:
        """Drop the tokens of a run that has ended or was requeued."""
        for key in [key for key in self._checked if key[0] == run_id]:
            del self._checked[key]
        for attempt in [key for key in self._last_seen if key[0] == run_id]:
            del self._last_seen[attempt]

    # ---------------------------------------------------------------- what agents read

    async def spec(self, run_id: str, attempt: int) -> RunSpec:
        """Return everything that the attempt needs to execute.

        Raises
        ------
        Stale
            When the attempt has ended, or ends now because its data source has no readable secret.
        """

        def read(session: Session) -> tuple[Run, DataSource | None, DataSource | None]:
            run = runs.current_attempt(session, run_id, attempt, to_write=False)
            held = (run.data.get("holdout") or {}).get("data_source_id")
            return run, runs.source_of(session, run), held and session.get(DataSource, held)

        known = await self._store.read(lambda session: session.get(Run, run_id))
        if known is not None and known.executor == runs.NOTEBOOK:
            await self._notebook.start(Attempt(run_id, attempt))
            self._fanout.publish(run_id)
        run, source, held = await self._store.read(read)
        snapshot = run.snapshot
        try:
            data = await in_thread(self._data_spec, run.data, source)
            holdout = run.data.get("holdout")
            if holdout is not None:
                holdout = await in_thread(self._data_spec, holdout, held)
        except OpsError as error:
            # the secret cannot be read, and another try would not change that: fail the run with the message
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
            holdout=holdout,
            heartbeat_s=min(HEARTBEAT_S, self._lease_s / HEARTBEATS_A_LEASE),
        )

    def _data_spec(self, data: dict[str, Any], source: DataSource | None) -> DataSpec:
        options = dict(data.get("options") or {})
        if source is not None and source.config.get("dialect"):
            # how an upload is read, and the names that its columns have in preview and profile
            options.setdefault("dialect", source.config["dialect"])
            options.setdefault("columns", [item["name"] for item in source.config["columns"]])
        if source is not None and source.secret is not None:
            options |= json.loads(self._vault.decrypt(source.secret))
        return DataSpec(data["kind"], options, self._limits)

    async def data_key(self, run_id: str, attempt: int, *, is_holdout: bool = False) -> str:
        """Return the storage key of the run's table, or of the one to hold out.

        Raises
        ------
        Invalid
            When the server does not store the data of the run.
        """
        run = await self._store.read(runs.current_attempt, run_id, attempt, to_write=False)
        data = (run.data.get("holdout") or {}) if is_holdout else run.data
        key = data.get("storage_key")
        if not key:
            raise Invalid("The server does not store the data of this run.")
        return str(key)

    # ---------------------------------------------------------------- what agents report

    async def take_events(
        self, run_id: str, attempt: int, batch: list[AgentEvent]
    ) -> Acknowledgement:
        """Store a batch of events; events that are stored already are skipped."""
        if batch:
            run = await self._store.write(ingest.take_events, run_id, attempt, batch)
            self._fanout.publish(run_id)
        else:
            run = await self._store.read(runs.current_attempt, run_id, attempt, to_write=False)
        if run.executor == runs.NOTEBOOK:
            await self._notebook.renew_lease(run)
        return Acknowledgement(run.last_n, run.cancel_requested_at is not None)

    def artifact_writer(self, run_id: str, metadata: ArtifactMetadata) -> tuple[str, Writer]:
        """Return a storage key and a writer for a file that an agent will send; blocks.

        Raises
        ------
        Invalid
            When the name of the file is not allowed.
        """
        if not FILENAME.fullmatch(metadata.filename):
            raise Invalid(f"{metadata.filename!r} is not a valid name for an artifact.")
        key = f"runs/{run_id}/{new_id()}"
        return key, self._artifacts.writer(key)

    async def record_artifact(
        self, run_id: str, metadata: ArtifactMetadata, storage_key: str, size_bytes: int
    ) -> Artifact:
        """Sign a file that is stored completely, and record it."""
        artifact, replaced = await self._store.write(
            artifact_rows.put,
            run_id,
            metadata.attempt,
            filename=metadata.filename,
            kind=metadata.kind,
            model_id=metadata.model_id,
            sha256=metadata.sha256,
            signature=await in_thread(self._vault.sign, metadata.sha256),
            size_bytes=size_bytes,
            content_type=metadata.content_type,
            storage_key=storage_key,
        )
        if replaced is not None:
            await self._artifacts.in_thread(self._artifacts.delete, replaced)
        return artifact

    async def finish(self, run_id: str, finish: Finish) -> Run:
        """End the attempt; the run's end and its event are written in one transaction.

        Raises
        ------
        Invalid
            When there is no such outcome.
        Stale
            When the attempt has ended already.
        """
        move = OUTCOME_MOVES.get(finish.outcome)
        if move is None:
            raise Invalid(f"“{finish.outcome}” is not an outcome.")
        error = finish.error or (DEFAULT_ERROR if move is Move.FAIL else None)
        run = await self._store.write(
            runs.finish,
            run_id,
            finish.attempt,
            move,
            self._clock.now(),
            message=_last_message(move, finish, error),
            error=error,
            error_kind=(finish.error_kind or "engine") if error else None,
            leaderboard=finish.leaderboard,
            metrics_summary=finish.metrics_summary,
            snapshot=finish.snapshot,
        )
        self.forget(run_id)
        self._fanout.publish(run_id)
        self._on_ended(run_id, finish.attempt)
        return run


def _last_message(move: Move, finish: Finish, error: str | None) -> str:
    if move is Move.CANCEL:
        return "Cancelled"
    if error is not None:
        return error
    best = finish.metrics_summary.get("best")
    value = best.get("value") if isinstance(best, dict) else None
    if not isinstance(best, dict) or not isinstance(value, int | float):
        return "Done"
    return f"Done: {best.get('model_id')}, {finish.metrics_summary.get('metric')} {value:.4f}"
