"""Names and other words: what is taken is said before the database says it, what cannot be kept is replaced."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Conflict


def storable(text: str) -> str:
    """What a program has said, without the character that PostgreSQL cannot keep."""
    return text.replace("\0", "\ufffd")


def refuse_taken_name(
    session: Session, model: Any, what: str, name: str, **within: str | None
) -> None:
    """Raise Conflict when a row of `model` with that name is there, within the given columns."""
    query = select(model.id).where(model.name == name)
    for column, value in within.items():
        query = query.where(getattr(model, column) == value)
    if session.scalar(query.limit(1)) is not None:
        raise Conflict(f"There is a {what} named “{name}” already. Choose another name.")
