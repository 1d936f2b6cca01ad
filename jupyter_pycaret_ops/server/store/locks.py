"""Rows that a transaction holds while it looks and then acts. On SQLite, with its one writer, nothing is needed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session


def hold(session: Session, model: Any, row_id: str, *, to_delete: bool = False) -> None:
    """Make others who hold the same row wait for the end of this transaction.

    With `to_delete` those wait too who are about to refer to the row, and what they have referred to it
    with is there to be seen afterwards.
    """
    session.execute(
        select(model.id).where(model.id == row_id).with_for_update(key_share=not to_delete)
    )
