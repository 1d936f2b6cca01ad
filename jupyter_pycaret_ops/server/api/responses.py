"""Rows of the store as rows of the API."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from ..serving.endpoints import Endpoints
from ..serving.usage_statistics import percentile
from ..store.models import DataSource, DataVersion, Deployment, Member, User
from ..store.paging import Page
from .context import Listing
from .schemas import DataSourceRow, DataVersionRow, DeploymentRow, MemberRow, NewVersionRow

T = TypeVar("T")
#: parts of the `config` of a version that its row has as fields
FACTS_OF_VERSION = (
    *("filename", "sha256", "size_bytes", "rows", "columns"),
    *("encoding", "delimiter", "dialect", "types_final"),
)


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
    return as_row(
        source, DataSourceRow, has_secret=source.secret is not None, versions=source.version
    )


def data_version(version: DataVersion) -> DataVersionRow:
    """Return a version of a data source."""
    config = version.config
    facts = {name: config.get(name) for name in FACTS_OF_VERSION}
    return as_row(version, DataVersionRow, **facts)


def new_version(source: DataSource, changes: dict[str, Any]) -> NewVersionRow:
    """Return a data source with what its newest version changes."""
    row = msgspec.to_builtins(data_source(source))
    return msgspec.convert({**row, "changes": changes}, NewVersionRow)


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
        threshold=row.pipeline_threshold if row.threshold is None else row.threshold,
        p50_latency_ms=percentile(row.recent_latencies_ms, 0.50),
        p95_latency_ms=percentile(row.recent_latencies_ms, 0.95),
        ready=is_active and await endpoints.is_ready(row.pipeline_id),
        load_ms=endpoints.load_ms(row.pipeline_id),
    )
