"""Row locks, for transactions that read and then write. SQLite has one writer and needs none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session


def lock_row(session: Session, model: Any, row_id: str, *, to_delete: bool = False) -> None:
    """Lock a row until the end of the transaction.

    With `to_delete`, transactions that are about to refer to the row wait too; rows that already refer to it
    can be read afterwards.
    """
    session.execute(
        select(model.id).where(model.id == row_id).with_for_update(key_share=not to_delete)
    )
