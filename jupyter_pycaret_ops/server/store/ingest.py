"""What an agent says about its run, taken into the records: events, leaderboard, fold metrics, progress."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import ValidationError, convert
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from ...common.errors import Invalid
from ...common.protocol import AgentEvent
from ..lifecycle import EVENT_OF
from . import events
from .ids import new_id
from .models import FoldMetric, Run, utc_now
from .names import storable
from .runs import WAITING, current_attempt

#: kinds that only the server writes
RESERVED = frozenset(EVENT_OF.values()) | {"run.queued", "run.cancel_requested"}
LONGEST_MESSAGE = 4_000
LONGEST_LABEL = 300


def take_events(session: Session, run_id: str, attempt: int, batch: Sequence[AgentEvent]) -> Run:
    """Append what is new in a batch and keep the run's row in step with it.

    Events up to the last `n` are known and passed over, so a batch sent twice is stored once. The run's
    `last_n` afterwards is what to acknowledge.

    Raises
    ------
    Stale
        When the attempt is over.
    Invalid
        When a number is missing in between, or a kind is the server's.
    """
    run = current_attempt(session, run_id, attempt)
    fresh = sorted((event for event in batch if event.n > run.last_n), key=lambda event: event.n)
    if not fresh:
        return run
    for expected, event in enumerate(fresh, run.last_n + 1):
        if event.n != expected:
            raise Invalid(
                f"Event {expected} is missing before event {event.n}. Send from {expected} on."
            )
        if event.kind in RESERVED:
            raise Invalid(f"Events of kind {event.kind} are the server's to write.")
    events.append_numbered(session, run, [_row(event) for event in fresh])
    run.last_n = fresh[-1].n
    for event in fresh:
        if event.kind == "model.scored":
            _take_score(session, run, event.payload)
        elif event.kind == "run.baseline_scored":
            _take_baseline(run, event.payload)
        elif event.kind == "run.progress":
            run.progress = {key: event.payload.get(key) for key in ("done", "total", "label")}
        elif event.kind == WAITING:
            run.progress = {**run.progress, "label": storable(event.message[:LONGEST_LABEL])}
    session.flush()
    return run


def _row(event: AgentEvent) -> dict[str, Any]:
    return {
        "n": event.n,
        "kind": storable(event.kind[:64]),
        "message": storable(event.message[:LONGEST_MESSAGE]),
        "payload": event.payload,
        "duration_ms": event.duration_ms,
        "timestamp": _moment(event.timestamp),
    }


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else utc_now()
    except (ValueError, OverflowError):
        raise Invalid(f"{text[:64]!r} is not an RFC 3339 time.") from None


def _take_baseline(run: Run, record: dict[str, Any]) -> None:
    """Keep the record of the baseline, so that it is there while the run goes on and when it is cancelled."""
    run.metrics_summary = {**run.metrics_summary, "metric": run.metric, "baseline": record}


def _take_score(session: Session, run: Run, payload: dict[str, Any]) -> None:
    """Put a scored model on the leaderboard, in its place, and its folds into their table."""
    record = {key: value for key, value in payload.items() if key != "fold_metrics"}
    model_id = str(record.get("model_id"))
    record["attempt"] = run.attempt
    others = [row for row in run.leaderboard if row.get("model_id") != model_id]
    run.leaderboard = rank([*others, record], run.metric, greater_is_better=run.greater_is_better)
    best = run.leaderboard[0]
    run.metrics_summary = {
        **run.metrics_summary,
        "metric": run.metric,
        "best": {
            "model_id": best.get("model_id"),
            "name": best.get("name"),
            "value": best.get(run.metric or ""),
        },
        "models": len(run.leaderboard),
    }
    session.execute(
        delete(FoldMetric).where(FoldMetric.run_id == run.id, FoldMetric.model_id == model_id)
    )
    now = utc_now()
    rows = [
        {
            "id": new_id(),
            "created_at": now,
            "updated_at": now,
            "run_id": run.id,
            "model_id": model_id,
            "metric_name": metric,
            "fold_idx": index,
            "value": value,
        }
        for metric, values in _fold_metrics(payload).items()
        for index, value in enumerate(values)
    ]
    if rows:
        session.execute(insert(FoldMetric), rows)


def _fold_metrics(payload: dict[str, Any]) -> dict[str, list[float | None]]:
    try:
        return convert(payload.get("fold_metrics") or {}, dict[str, list[float | None]])
    except ValidationError:
        raise Invalid("fold_metrics are {metric: [a number or null for each fold]}.") from None


def rank(
    records: Sequence[dict[str, Any]], metric: str | None, *, greater_is_better: bool
) -> list[dict[str, Any]]:
    """Records best first by `metric`, those without a value last, `rank` counted from 1."""

    def order(record: dict[str, Any]) -> tuple[bool, float]:
        value = record.get(metric or "")
        if not isinstance(value, (int, float)):
            return (True, 0.0)
        return (False, -value if greater_is_better else value)

    return [{**record, "rank": place} for place, record in enumerate(sorted(records, key=order), 1)]
