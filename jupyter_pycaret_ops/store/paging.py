"""Pages by cursor: newest first, and as cheap on a long table as on a short one."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

from ..errors import Invalid
from .models import Row

T = TypeVar("T", bound=Row)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class PageRequest(NamedTuple):
    """How many rows, and after which one."""

    limit: int = 100
    cursor: str | None = None


class Page(NamedTuple):
    """Rows, and the cursor of the next page where more follow."""

    rows: list[Any]
    next_cursor: str | None


def newest_first(
    session: Session, query: Select[Any], model: type[T], request: PageRequest
) -> Page:
    """One page of `query`, ordered by id, which is the order of making.

    Raises
    ------
    Invalid
        When the cursor is not one that this function gave.
    """
    if request.cursor is not None:
        if not _UUID.fullmatch(request.cursor):
            raise Invalid(
                "The cursor is not one that this server gave.",
                errors=[{"loc": ["cursor"], "msg": "use the value of X-Next-Cursor"}],
            )
        query = query.where(model.id < request.cursor)
    rows = list(session.scalars(query.order_by(model.id.desc()).limit(request.limit + 1)))
    more = len(rows) > request.limit
    rows = rows[: request.limit]
    return Page(rows, rows[-1].id if more else None)
