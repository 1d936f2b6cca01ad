"""The event log of a run: appended under the run's own counter, so that `seq` has no gap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from .models import Event, Run


def append(
    session: Session,
    run: Run,
    kind: str,
    message: str,
    now: datetime,
    payload: dict[str, Any] | None = None,
) -> None:
    """Append one of the server's own events. The caller holds the run's row in a write transaction."""
    run.last_seq += 1
    session.add(
        Event(
            run_id=run.id,
            seq=run.last_seq,
            attempt=run.attempt,
            kind=kind,
            message=message,
            payload=payload or {},
            timestamp=now,
        )
    )
    session.flush()


def append_numbered(session: Session, run: Run, rows: Sequence[dict[str, Any]]) -> None:
    """Append an agent's events, each with its `n`; `seq` is given here, in their order."""
    first = run.last_seq + 1
    session.execute(
        insert(Event),
        [
            {**row, "run_id": run.id, "attempt": run.attempt, "seq": first + offset}
            for offset, row in enumerate(rows)
        ],
    )
    run.last_seq += len(rows)


def after(session: Session, run_id: str, seq: int, limit: int) -> list[Event]:
    """Up to `limit` events with a greater `seq`, in order."""
    return list(
        session.scalars(
            select(Event)
            .where(Event.run_id == run_id, Event.seq > seq)
            .order_by(Event.seq)
            .limit(limit)
        )
    )


def story(session: Session, run_id: str, limit: int = 10) -> list[str]:
    """Return the last events of a run as lines for an error message, oldest first."""
    latest = session.scalars(
        select(Event).where(Event.run_id == run_id).order_by(Event.seq.desc()).limit(limit)
    )
    return [
        f"{event.seq} {event.timestamp.isoformat(timespec='seconds')} attempt {event.attempt} "
        f"{event.kind}: {event.message}"
        for event in reversed(list(latest))
    ]


def of_kind(session: Session, run_id: str, kind: str, attempt: int) -> list[Event]:
    """Events of one kind that an attempt told, in order."""
    return list(
        session.scalars(
            select(Event)
            .where(Event.run_id == run_id, Event.kind == kind, Event.attempt == attempt)
            .order_by(Event.seq)
        )
    )
