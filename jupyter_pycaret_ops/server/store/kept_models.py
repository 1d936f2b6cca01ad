"""Models whose pipelines are kept: by the run that scored them, or by a run that was started for that later."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Conflict, NotFound
from ...common.protocol import KEEP_PLAN, PIPELINE_KIND
from .. import lifecycle
from ..lifecycle import Status
from . import runs
from .access import Caller, Role
from .models import Artifact, DataSource, Run


def model_ids(session: Session, run: Run) -> set[str]:
    """Return the ids of the models of a run whose pipelines are kept."""
    if not run.leaderboard:
        return set()
    owners = list(
        session.scalars(
            select(Run.id).where(Run.origin_run_id == run.id, Run.status == Status.SUCCEEDED)
        )
    )
    if run.status == Status.SUCCEEDED:
        owners.append(run.id)
    found = select(Artifact.model_id).where(
        Artifact.run_id.in_(owners), Artifact.kind == PIPELINE_KIND
    )
    return {str(model_id) for model_id in session.scalars(found)}


def keeper(session: Session, run: Run, model_id: str) -> Run | None:
    """Return the run that has kept a model of `run`, or is about to; None where it is not kept."""
    kept = select(Artifact.id).where(
        Artifact.run_id == run.id, Artifact.kind == PIPELINE_KIND, Artifact.model_id == model_id
    )
    if run.status == Status.SUCCEEDED and session.scalar(kept.limit(1)) is not None:
        return run
    return session.scalar(
        select(Run)
        .where(
            Run.origin_run_id == run.id,
            Run.model_id == model_id,
            Run.status.in_([Status.QUEUED, Status.RUNNING, Status.SUCCEEDED]),
        )
        .order_by(Run.id.desc())
        .limit(1)
    )


def keep(
    session: Session,
    caller: Caller,
    run_id: str,
    model_id: str,
    *,
    now: datetime,
    queue_cap: int,
    pool: str,
) -> Run:
    """Return the run that keeps a model of a run that has ended: one that does or did, else a new one.

    Raises
    ------
    NotFound
        When the run, or the model on its leaderboard, does not exist.
    Conflict
        While the run has not ended, or when its table is gone.
    QueueFull
        When too many runs wait.
    """
    run = runs.read(session, caller, run_id, Role.MEMBER)
    session.get_one(Run, run_id, with_for_update=True)  # of two that ask at once, one comes second
    record = next((one for one in run.leaderboard if one.get("model_id") == model_id), None)
    if record is None:
        listed = ", ".join(str(one.get("model_id")) for one in run.leaderboard)
        raise NotFound(
            f"This run has not scored “{model_id}”; it has scored: {listed or 'no model'}."
        )
    if Status(run.status) not in lifecycle.ENDED:
        raise Conflict(f"The run is {run.status}. Its models can be kept when it has ended.")
    found = keeper(session, run, model_id)
    if found is not None:
        return found
    new = runs.NewRun(
        experiment_id=None,
        plan=KEEP_PLAN,
        model_id=model_id,
        executor="kernel",
        data=_data(session, run),
        data_source_id=run.data_source_id,
        metric=run.metric,
        greater_is_better=run.greater_is_better,
        snapshot=_snapshot(run, record),
        pool=pool,
        origin=run,
    )
    return runs.submit(session, caller, new, now=now, queue_cap=queue_cap)


def _data(session: Session, run: Run) -> dict[str, Any]:
    kind = run.data.get("kind")
    if kind == "frame":
        raise Conflict(
            "The table of this run was in a notebook's kernel, and is not stored. Run again with the model as the only "
            "one (plan create), or upload the table first."
        )
    held = (run.data.get("holdout") or {}).get("data_source_id")
    if held is not None and session.get(DataSource, held) is None:
        raise Conflict("The data source that this run held out was deleted.")
    if run.data_source_id is None and kind not in ("sklearn", "inline"):
        raise Conflict("The data source of this run was deleted, so nothing can be fitted on it.")
    return {name: value for name, value in run.data.items() if name != "ended_tokens"}


def _snapshot(run: Run, record: dict[str, Any]) -> dict[str, Any]:
    own = ("kept", "attempt", "baseline")
    return {
        **run.snapshot,
        "plan": KEEP_PLAN,
        "model_id": record["model_id"],
        "plan_params": {
            "record": {name: value for name, value in record.items() if name not in own},
            "origin_plan": run.plan,
            "origin_params": run.snapshot.get("plan_params") or {},
        },
    }
