"""Runs: submitted, claimed, moved from state to state, listed, deleted.

A status changes only in `_move`, by an UPDATE that names the states it may leave; of two that race, one
gets `Stale`. Every move leaves its event in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session, defer

from ...common.errors import Conflict, NotFound, QueueFull, Stale
from ...common.protocol import KEEP_PLAN
from .. import lifecycle
from ..lifecycle import Move, Status
from . import events, profiles
from .access import Caller, Role, require
from .models import Artifact, DataSource, Member, Project, Run
from .names import storable
from .paging import Page, PageRequest, newest_first, newest_of_all
from .projects import read as read_project
from .projects import read_experiment

#: the executor of runs that somebody's own kernel executes; no server holds them
NOTEBOOK = "notebook"
NOTEBOOK_LOST = "The notebook's kernel that ran this has ended, was restarted or has fallen silent."
#: the kind of the event that says what a run waits for
WAITING = "run.waiting"
NOTEBOOK_NEVER_CAME = "The notebook's kernel has not begun this run."


@dataclass(frozen=True, slots=True)
class NewRun:
    """A submission that has been checked against what the engine offers."""

    experiment_id: str | None
    plan: str
    model_id: str | None
    executor: str
    data: dict[str, Any]
    data_source_id: str | None
    metric: str | None
    greater_is_better: bool
    snapshot: dict[str, Any]
    pool: str
    token_hash: str | None = None
    #: until when somebody's own kernel must have begun it
    lease_until: datetime | None = None
    #: the run that it is about, where the server makes it itself
    origin: Run | None = None


@dataclass(frozen=True, slots=True)
class RunFilter:
    """What a list of runs is narrowed to."""

    workspace_id: str | None = None
    project_id: str | None = None
    experiment_id: str | None = None
    status: str | None = None
    plan: str | None = None
    data_source_id: str | None = None

    @property
    def names_a_place(self) -> bool:
        """Whether it says in which workspace, project or experiment."""
        return (self.workspace_id, self.project_id, self.experiment_id) != (None, None, None)


def submit(session: Session, caller: Caller, new: NewRun, *, now: datetime, queue_cap: int) -> Run:
    """Queue a run.

    Raises
    ------
    QueueFull
        When `queue_cap` runs of this pool wait already.
    Invalid
        When the data source is not one of the experiment's workspace.
    """
    place: Project | Run
    if new.origin is not None:
        place = new.origin
        project_id = place.project_id
    else:
        _, place = read_experiment(session, caller, new.experiment_id or "", Role.MEMBER)
        project_id = place.id
    in_notebook = new.executor == NOTEBOOK
    waiting = session.scalar(
        select(func.count())
        .select_from(Run)
        .where(Run.status == Status.QUEUED, Run.pool == new.pool, Run.executor != NOTEBOOK)
    )
    if (waiting or 0) >= queue_cap and not in_notebook:
        raise QueueFull(
            f"{waiting} runs wait already. Cancel some, or submit again when they have run.",
            retry_after_s=30,
        )
    label = "Waiting for its kernel" if in_notebook else "Waiting for a worker"
    run = Run(
        experiment_id=new.experiment_id,
        origin_run_id=None if new.origin is None else new.origin.id,
        project_id=project_id,
        workspace_id=place.workspace_id,
        status=Status.QUEUED,
        plan=new.plan,
        model_id=new.model_id,
        executor=new.executor,
        attempt=1,
        progress={"done": 0, "total": 0, "label": label},
        queued_at=now,
        data=new.data,
        data_source_id=new.data_source_id,
        metric=new.metric,
        greater_is_better=new.greater_is_better,
        snapshot=new.snapshot,
        pool=new.pool,
        token_hash=new.token_hash,
        lease_expires_at=new.lease_until,
        last_seq=0,
        last_n=0,
        created_by=caller.user_id,
    )
    session.add(run)
    session.flush()
    events.append(session, run, "run.queued", label, now, {"plan": new.plan})
    for noticed in profiles.group_notices(session, new.snapshot) if new.origin is None else ():
        events.append(session, run, "run.groups_noticed", noticed["message"], now, noticed)
    return run


def read(session: Session, caller: Caller, run_id: str, least: Role = Role.VIEWER) -> Run:
    """The run, where the caller has at least that role in its workspace."""
    run = session.get(Run, run_id)
    if run is None:
        raise NotFound("There is no such run.")
    require(session, caller, run.workspace_id, least, "run")
    return run


def list_page(session: Session, caller: Caller, narrow: RunFilter, page: PageRequest) -> Page:
    """Runs without leaderboard and snapshot; without a place named, of all the caller's workspaces."""
    query = select(Run).options(
        defer(Run.leaderboard, raiseload=True), defer(Run.snapshot, raiseload=True)
    )
    # the index of a data source is narrower than that of a place, and SQLite takes either
    of_source = narrow.data_source_id is not None
    in_experiment, in_project, in_workspace = (
        column.concat("") if of_source else column
        for column in (Run.experiment_id, Run.project_id, Run.workspace_id)
    )
    if narrow.experiment_id is not None:
        read_experiment(session, caller, narrow.experiment_id)
        query = query.where(in_experiment == narrow.experiment_id)
    elif narrow.project_id is not None:
        read_project(session, caller, narrow.project_id)
        query = query.where(in_project == narrow.project_id)
    elif narrow.workspace_id is not None:
        require(session, caller, narrow.workspace_id, Role.VIEWER, "workspace")
        query = query.where(in_workspace == narrow.workspace_id)
    for column in ("status", "plan", "data_source_id"):
        value = getattr(narrow, column)
        if value is not None:
            query = query.where(getattr(Run, column) == value)
    if narrow.names_a_place:
        return newest_first(session, query, Run, page)
    mine = select(Member.workspace_id).where(Member.user_id == caller.user_id)
    if caller.key is not None:
        mine = mine.where(Member.workspace_id == caller.key.workspace_id)
    places = [query.where(in_workspace == place) for place in session.scalars(mine)]
    return newest_of_all(session, places, Run, page)


def delete(session: Session, caller: Caller, run_id: str) -> list[str]:
    """Delete a run that is not running; returns the storage keys set free.

    Raises
    ------
    Conflict
        While the run has not ended.
    """
    run = read(session, caller, run_id, Role.MEMBER)
    if Status(run.status) not in lifecycle.ENDED:
        raise Conflict(f"The run is {run.status}. Cancel it first.")
    keeping = select(Run.id).where(Run.origin_run_id == run_id, Run.status.not_in(lifecycle.ENDED))
    if session.scalar(keeping.limit(1)) is not None:
        raise Conflict("A model of this run is being kept. Wait until it is, or cancel that run.")
    keys = list(session.scalars(select(Artifact.storage_key).where(Artifact.run_id == run_id)))
    # a run that keeps a model reads the rows of the other one
    is_own = run.plan != KEEP_PLAN
    if is_own and run.data.get("kind") == "inline" and run.data.get("storage_key"):
        keys.append(run.data["storage_key"])
    session.delete(run)
    session.flush()
    return keys


# ---------------------------------------------------------------- moves


def _move(
    session: Session,
    run: Run,
    move: Move,
    now: datetime,
    message: str,
    payload: dict[str, Any] | None = None,
    **values: Any,
) -> Run:
    """Make a move, if the run is where the caller saw it; append its event.

    Raises
    ------
    Stale
        When somebody else has moved the run meanwhile.
    IllegalMove
        When a run in its state cannot make the move; with the run's last events.
    """
    try:
        target = lifecycle.after(Status(run.status), move)
    except lifecycle.IllegalMove as error:
        story = events.story(session, run.id)
        raise lifecycle.IllegalMove(error.status, move, story) from None
    if run.token_hash and (target in lifecycle.ENDED or "token_hash" in values):
        # a late agent is told that its attempt is over, a stranger that nobody knows their token
        values["data"] = {
            **run.data,
            "ended_tokens": [*run.data.get("ended_tokens", ()), run.token_hash],
        }
    if target in lifecycle.ENDED:
        values |= {
            "finished_at": now,
            "duration_ms": (
                None if run.started_at is None else (now - run.started_at).total_seconds() * 1000
            ),
            "leased_by": None,
            "lease_expires_at": None,
            "token_hash": None,
        }
    moved = session.scalar(
        update(Run)
        .where(Run.id == run.id, Run.status == run.status, Run.attempt == run.attempt)
        .values(status=target, **values)
        .returning(Run.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise Stale(f"Run {run.id} is no longer {run.status} in attempt {run.attempt}.")
    session.refresh(run)
    events.append(session, run, lifecycle.EVENT_OF[move], message, now, payload)
    return run


def claim_next(
    session: Session,
    *,
    pool: str,
    server_id: str,
    token_hash: str,
    now: datetime,
    lease_until: datetime,
) -> Run | None:
    """Take the oldest queued run of the pool, or None where none waits."""
    query = (
        select(Run)
        .where(Run.status == Status.QUEUED, Run.pool == pool, Run.executor == "kernel")
        .order_by(Run.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    run = session.scalar(query)
    if run is None:
        return None
    return _move(
        session,
        run,
        Move.CLAIM,
        now,
        "Started" if run.attempt == 1 else f"Started again, attempt {run.attempt}",
        {"attempt": run.attempt},
        started_at=run.started_at or now,
        leased_by=server_id,
        lease_expires_at=lease_until,
        token_hash=token_hash,
        last_n=0,
    )


def begin_notebook_run(
    session: Session, run_id: str, attempt: int, now: datetime, lease_until: datetime
) -> Run:
    """Begin a run that waits for somebody's own kernel, unless it has begun already.

    Raises
    ------
    Stale
        Where it has ended.
    """
    run = session.get(Run, run_id, with_for_update=True)
    if run is not None and run.status == Status.QUEUED and run.executor == NOTEBOOK:
        return _move(
            session,
            run,
            Move.CLAIM,
            now,
            "Started in a notebook's kernel",
            {"attempt": run.attempt},
            started_at=now,
            lease_expires_at=lease_until,
        )
    return current_attempt(session, run_id, attempt)


def renew_notebook_lease(session: Session, run_id: str, lease_until: datetime) -> None:
    """Prolong the lease of a run that somebody's own kernel executes: it has spoken."""
    session.execute(
        update(Run)
        .where(Run.id == run_id, Run.executor == NOTEBOOK, Run.status == Status.RUNNING)
        .values(lease_expires_at=lease_until, updated_at=Run.updated_at)
        .execution_options(synchronize_session=False)
    )


def extend_notebook_leases(session: Session, pool: str, until: datetime) -> None:
    """Give kernels time to be heard by a server that has just started; until now none was there."""
    session.execute(
        update(Run)
        .where(
            Run.pool == pool,
            Run.executor == NOTEBOOK,
            Run.status.in_([Status.QUEUED, Status.RUNNING]),
            Run.lease_expires_at < until,
        )
        .values(lease_expires_at=until, updated_at=Run.updated_at)
        .execution_options(synchronize_session=False)
    )


def overdue_cancellations(session: Session, pool: str, before: datetime) -> list[tuple[str, int]]:
    """Runs in somebody's own kernel that were asked to stop before a time, and have not."""
    query = select(Run.id, Run.attempt).where(
        Run.pool == pool,
        Run.executor == NOTEBOOK,
        Run.status == Status.RUNNING,
        Run.cancel_requested_at <= before,
    )
    return [(run_id, attempt) for run_id, attempt in session.execute(query)]


def renew_leases(session: Session, server_id: str, until: datetime) -> list[tuple[str, int]]:
    """Renew every lease of this server; return the run ids and attempts that it has leases on."""
    renewed = session.execute(
        update(Run)
        .where(Run.leased_by == server_id, Run.status == Status.RUNNING)
        .values(lease_expires_at=until, updated_at=Run.updated_at)
        .returning(Run.id, Run.attempt)
    )
    return [(run_id, attempt) for run_id, attempt in renewed]


def finish(
    session: Session,
    run_id: str,
    attempt: int,
    move: Move,
    now: datetime,
    *,
    message: str,
    error: str | None = None,
    error_kind: str | None = None,
    leaderboard: Sequence[dict[str, Any]] = (),
    metrics_summary: dict[str, Any] | None = None,
    snapshot: dict[str, Any] | None = None,
) -> Run:
    """End an attempt. Only the attempt that runs may; a late one gets `Stale`.

    An empty leaderboard or summary keeps what the run had: a run that fails loses nothing.
    """
    run = current_attempt(session, run_id, attempt)
    error, message = error and storable(error), storable(message)
    values: dict[str, Any] = {"error": error, "error_kind": error_kind}
    if leaderboard:
        values["leaderboard"] = [{**record, "attempt": attempt} for record in leaderboard]
    if metrics_summary:
        values["metrics_summary"] = metrics_summary
    if snapshot:
        values["snapshot"] = {**run.snapshot, **snapshot}
    payload = {"error": error, "error_kind": error_kind} if error else {}
    return _move(session, run, move, now, message, payload, **values)


def current_attempt(session: Session, run_id: str, attempt: int, *, to_write: bool = True) -> Run:
    """Return the run whose current attempt that is, locked unless it is only read.

    Raises
    ------
    Stale
        When the attempt has ended, or the run was queued again or is gone.
    """
    run = session.get(Run, run_id, with_for_update=True if to_write else None)
    if run is None or run.status != Status.RUNNING or run.attempt != attempt:
        raise Stale("This attempt of the run is over.")
    return run


def request_cancel(session: Session, caller: Caller, run_id: str, now: datetime) -> Run:
    """Cancel a queued run at once, or ask a running one to stop; nothing where it has ended."""
    read(session, caller, run_id, Role.MEMBER)
    run = session.get_one(Run, run_id, with_for_update=True, populate_existing=True)
    if run.status == Status.QUEUED:
        return _move(session, run, Move.CANCEL, now, "Cancelled before it started")
    if run.status == Status.RUNNING and _is_lapsed(run, now):
        # nobody who could stop it is there: it ends here, and a late worker is fenced off
        return _move(
            session, run, Move.CANCEL, now, "Cancelled; its server was not heard of any more"
        )
    if run.status == Status.RUNNING and run.cancel_requested_at is None:
        run.cancel_requested_at = now
        events.append(
            session, run, "run.cancel_requested", "Cancel requested", now, {"by": caller.name}
        )
    return run


def _is_lapsed(run: Run, now: datetime) -> bool:
    return run.lease_expires_at is not None and run.lease_expires_at < now


def cancel_unfinished(session: Session, caller: Caller, runs: Sequence[Run], now: datetime) -> None:
    """Ask all of those runs to end."""
    for run in runs:
        request_cancel(session, caller, run.id, now)


def lose_worker(
    session: Session,
    run_id: str,
    attempt: int,
    attempts: int,
    now: datetime,
    reason: str,
    pool: str | None = None,
) -> Run:
    """Settle an attempt whose worker is gone: again, failed, or cancelled if that was asked.

    The next attempt is one of `pool`, or stays in the run's own.
    """
    run = session.get(Run, run_id, with_for_update=True)
    in_notebook = run is not None and run.executor == NOTEBOOK
    if run is not None and in_notebook and run.status == Status.QUEUED:
        return _lost(session, run, now, NOTEBOOK_NEVER_CAME)
    run = current_attempt(session, run_id, attempt)
    if in_notebook:  # the frame was in that kernel, so there is no second attempt
        reason, attempts = NOTEBOOK_LOST, run.attempt
    move = lifecycle.when_worker_lost(
        run.attempt, attempts, cancel_requested=run.cancel_requested_at is not None
    )
    if move is Move.CANCEL:
        return _move(session, run, move, now, "Cancelled; its kernel was ended")
    if move is Move.REQUEUE:
        return _move(
            session,
            run,
            move,
            now,
            f"{reason} Trying again.",
            {"attempt": attempt, "attempts": attempts},
            attempt=attempt + 1,
            leased_by=None,
            lease_expires_at=None,
            token_hash=None,
            last_n=0,
            pool=pool or run.pool,
            progress={**run.progress, "label": "Waiting for a worker"},
        )
    return _lost(session, run, now, reason)


def _lost(session: Session, run: Run, now: datetime, reason: str) -> Run:
    return _move(
        session,
        run,
        Move.FAIL,
        now,
        reason,
        {"error": reason, "error_kind": "worker_lost"},
        error=reason,
        error_kind="worker_lost",
    )


def lapsed(
    session: Session, pool: str | None, now: datetime | None, dead_servers: Sequence[str]
) -> list[tuple[str, int]]:
    """Return runs whose lease is over at `now`, or whose server is known to be dead.

    They are running, or wait for somebody's own kernel; those that wait for a worker have no lease.
    Without a `pool` those of all pools are meant; without `now` a lease that is over does not count.
    """
    lost: ColumnElement[bool] = Run.leased_by.in_(list(dead_servers))
    if now is not None:
        lost = (Run.lease_expires_at < now) | lost
    query = select(Run.id, Run.attempt).where(Run.status.in_([Status.RUNNING, Status.QUEUED]), lost)
    if pool is not None:
        query = query.where(Run.pool == pool)
    return [(run_id, attempt) for run_id, attempt in session.execute(query)]


def deserted_pools(session: Session, mine: str, now: datetime, since: datetime) -> list[str]:
    """Return other pools that show no sign of life: none of their servers holds a lease at `now`.

    Runs that were queued after `since` do not count: their server has had no time yet.
    """
    alive = (
        select(Run.pool)
        .where(Run.status == Status.RUNNING, Run.executor != NOTEBOOK, Run.lease_expires_at >= now)
        .distinct()
    )
    waits = (Run.status == Status.QUEUED) & (Run.executor != NOTEBOOK) & (Run.queued_at < since)
    is_silent = (
        (Run.status == Status.RUNNING) & (Run.executor != NOTEBOOK) & (Run.lease_expires_at < since)
    )
    query = (
        select(Run.pool)
        .where(waits | is_silent, Run.pool != mine, Run.pool.not_in(alive))
        .distinct()
    )
    return list(session.scalars(query))


def adopt(session: Session, pools: Sequence[str], pool: str) -> int:
    """Move the queued runs of pools that are gone to a living one; returns how many there were."""
    moved = session.scalars(
        update(Run)
        .where(Run.status == Status.QUEUED, Run.executor != NOTEBOOK, Run.pool.in_(pools))
        .values(pool=pool)
        .returning(Run.id)
        .execution_options(synchronize_session=False)
    )
    return len(list(moved))


def record_waiting(session: Session, pools: Sequence[str], now: datetime) -> list[str]:
    """Add an event to unfinished runs of pools without a server, once each; return their ids."""
    changed = []
    query = (
        select(Run)
        .where(
            Run.status.in_([Status.QUEUED, Status.RUNNING]),
            Run.executor != NOTEBOOK,
            Run.pool.in_(pools),
        )
        .with_for_update(skip_locked=True)
    )
    for run in session.scalars(query):
        label = f"Waiting for the server of {run.pool}, which is not heard of"
        if run.progress.get("label") == label:
            continue
        run.progress = {**run.progress, "label": label}
        events.append(
            session, run, WAITING, f"{label}. Cancel it to end it.", now, {"for": "server"}
        )
        changed.append(run.id)
    return changed


def with_cancel_request(session: Session, server_id: str) -> list[str]:
    """Return the ids of this server's runs whose cancellation was requested, through any server."""
    query = select(Run.id).where(
        Run.leased_by == server_id,
        Run.status == Status.RUNNING,
        Run.cancel_requested_at.is_not(None),
    )
    return list(session.scalars(query))


def lease_holders(session: Session) -> list[str]:
    """The servers that hold runs."""
    query = select(Run.leased_by).where(Run.status == Status.RUNNING).distinct()
    return [holder for holder in session.scalars(query) if holder]


def has_ended(session: Session, run_id: str, token_hash: str) -> bool:
    """Return whether the token was one of an attempt of this run that is over."""
    data = session.scalar(select(Run.data).where(Run.id == run_id))
    return data is not None and token_hash in data.get("ended_tokens", ())


def is_token(session: Session, token_hash: str) -> bool:
    """Return whether the token is one of an unfinished run."""
    query = select(Run.id).where(
        Run.status.in_([Status.QUEUED, Status.RUNNING]), Run.token_hash == token_hash
    )
    return session.scalar(query.limit(1)) is not None


def by_token(session: Session, run_id: str, token_hash: str) -> Run | None:
    """The run that this token belongs to: it is running, or waits for the kernel that has the token."""
    return session.scalar(
        select(Run).where(
            Run.id == run_id,
            Run.token_hash == token_hash,
            Run.status.in_([Status.RUNNING, Status.QUEUED]),
        )
    )


def count_by_status(session: Session, pool: str) -> dict[str, int]:
    """How many runs of the pool are in each state, every state named."""
    query = select(Run.status, func.count()).where(Run.pool == pool).group_by(Run.status)
    found: dict[str, int] = {status: count for status, count in session.execute(query)}  # noqa: C416
    return {status.value: found.get(status.value, 0) for status in Status}


def source_of(session: Session, run: Run) -> DataSource | None:
    """The data source of a run, if it has one that is still there."""
    return None if run.data_source_id is None else session.get(DataSource, run.data_source_id)
