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


def as_row(source: Any, kind: type[T]) -> T:
    """A row of the store as one of the API, by its attributes."""
    return msgspec.convert(source, kind, from_attributes=True, strict=False)


def listing(page: Page, kind: type[Any]) -> Listing:
    """A page of the store as a page of the API."""
    return Listing([as_row(row, kind) for row in page.rows], page.next_cursor)


def data_source(source: DataSource) -> DataSourceRow:
    """A data source, without anything of its secret but that it has one."""
    return DataSourceRow(
        id=source.id,
        created_at=source.created_at,
        updated_at=source.updated_at,
        workspace_id=source.workspace_id,
        name=source.name,
        kind=source.kind,  # type: ignore[arg-type]
        description=source.description,
        config=source.config,
        has_secret=source.secret is not None,
        created_by=source.created_by,
    )


def member(pair: tuple[Member, User]) -> MemberRow:
    """A member with the user's name."""
    row, user = pair
    return MemberRow(
        id=row.id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        user_id=row.user_id,
        name=user.name,
        role=row.role,  # type: ignore[arg-type]
    )


async def deployment(row: Deployment, endpoints: Endpoints) -> DeploymentRow:
    """A deployment, with its percentiles worked out, and whether it answers now."""
    is_active = row.status == "active"
    return DeploymentRow(
        id=row.id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        workspace_id=row.workspace_id,
        pipeline_id=row.pipeline_id,
        endpoint_slug=row.endpoint_slug,
        status=row.status,  # type: ignore[arg-type]
        auth_mode=row.auth_mode,  # type: ignore[arg-type]
        inference_count=row.inference_count,
        error_count=row.error_count,
        last_inference_at=row.last_inference_at,
        p50_latency_ms=percentile(row.recent_latencies_ms, 0.50),
        p95_latency_ms=percentile(row.recent_latencies_ms, 0.95),
        ready=is_active and await endpoints.is_ready(row.pipeline_id),
        load_ms=endpoints.load_ms(row.pipeline_id),
        created_by=row.created_by,
    )
