"""Kernels that servers started, so that what a crash left behind can be swept."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from .models import Worker


def record(session: Session, worker: Worker) -> None:
    """Note a kernel that was started."""
    session.add(worker)
    session.flush()


def assign(session: Session, kernel_id: str, purpose: str, run_id: str | None) -> None:
    """Note what a kernel is used for now."""
    session.execute(
        update(Worker).where(Worker.kernel_id == kernel_id).values(purpose=purpose, run_id=run_id)
    )


def forget(session: Session, kernel_id: str) -> None:
    """A kernel is gone."""
    session.execute(delete(Worker).where(Worker.kernel_id == kernel_id))


def on_host(session: Session, host: str) -> list[Worker]:
    """All kernels that servers of this host have noted."""
    return list(session.scalars(select(Worker).where(Worker.host == host)))
