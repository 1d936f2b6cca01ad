"""Rows of the store as rows of the API."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from ..serving.endpoints import Endpoints
from ..serving.usage_statistics import percentile
from ..store.models import DataSource, Deployment, Member, User
from ..store.paging import Page
from .context import Listing
from .schemas import DataSourceRow, DeploymentRow, MemberRow

T = TypeVar("T")


def as_row(source: Any, kind: type[T], **computed: Any) -> T:
    """Return a row of the store as one of the API; fields that are not `computed` are its attributes."""
    if not computed:
        return msgspec.convert(source, kind, from_attributes=True, strict=False)
    values = {
        field.name: computed[field.name] if field.name in computed else getattr(source, field.name)
        for field in msgspec.structs.fields(kind)  # type: ignore[arg-type]
    }
    return msgspec.convert(values, kind, strict=False)


def listing(page: Page, kind: type[Any]) -> Listing:
    """Return a page of the store as a page of the API."""
    return Listing([as_row(row, kind) for row in page.rows], page.next_cursor)


def data_source(source: DataSource) -> DataSourceRow:
    """Return a data source, without anything of its secret but that it has one."""
    return as_row(source, DataSourceRow, has_secret=source.secret is not None)


def member(pair: tuple[Member, User]) -> MemberRow:
    """Return a member with the user's name."""
    row, user = pair
    return as_row(row, MemberRow, name=user.name)


async def deployment(row: Deployment, endpoints: Endpoints) -> DeploymentRow:
    """Return a deployment with its percentiles, and whether it answers now."""
    is_active = row.status == "active"
    return as_row(
        row,
        DeploymentRow,
        p50_latency_ms=percentile(row.recent_latencies_ms, 0.50),
        p95_latency_ms=percentile(row.recent_latencies_ms, 0.95),
        ready=is_active and await endpoints.is_ready(row.pipeline_id),
        load_ms=endpoints.load_ms(row.pipeline_id),
    )
