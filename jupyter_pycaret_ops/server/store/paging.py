"""Pages by cursor: newest first, and as cheap on a long table as on a short one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

from ...common.errors import Invalid
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
    _check(request)
    return _page(list(session.scalars(_cut(query, model, request))), request)


def newest_of_all(
    session: Session, queries: Sequence[Select[Any]], model: type[T], request: PageRequest
) -> Page:
    """One page of what several queries find together, each of which can be read newest first.

    Each is asked for a page of its own, so that none is read further than that; a query over all of them
    at once would be sorted, or would pass by everybody else's rows.

    Raises
    ------
    Invalid
        When the cursor is not one that this function gave.
    """
    _check(request)
    found: list[T] = []
    for query in queries:
        found += session.scalars(_cut(query, model, request))
    found.sort(key=lambda row: row.id, reverse=True)
    return _page(found[: request.limit + 1], request)


def _check(request: PageRequest) -> None:
    if request.cursor is not None and not _UUID.fullmatch(request.cursor):
        raise Invalid(
            "The cursor is not one that this server gave.",
            errors=[{"loc": ["cursor"], "msg": "use the value of X-Next-Cursor"}],
        )


def _cut(query: Select[Any], model: type[T], request: PageRequest) -> Select[Any]:
    """The rows of a page, and one more where there are more."""
    if request.cursor is not None:
        query = query.where(model.id < request.cursor)
    return query.order_by(model.id.desc()).limit(request.limit + 1)


def _page(rows: list[Any], request: PageRequest) -> Page:
    more = len(rows) > request.limit
    rows = rows[: request.limit]
    return Page(rows, rows[-1].id if more else None)
