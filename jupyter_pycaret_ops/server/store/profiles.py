"""Profiles of data sources: made in a kernel, stored with the source."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import DataSource, Profile

PENDING, READY, FAILED = "pending", "ready", "failed"


def of_source(session: Session, source_id: str) -> Profile | None:
    """Return the profile of a source, None where none was begun; the caller has read the source."""
    return session.scalar(select(Profile).where(Profile.data_source_id == source_id))


def begin(session: Session, source_id: str, now: datetime) -> Profile | None:
    """Return the profile of a source as pending, None where the source is gone."""
    if session.get(DataSource, source_id, with_for_update={"key_share": True}) is None:
        return None
    profile = of_source(session, source_id)
    if profile is None:
        profile = Profile(data_source_id=source_id, status=PENDING, content={})
        session.add(profile)
    profile.status, profile.error, profile.updated_at = PENDING, None, now
    session.flush()
    return profile


def finish(session: Session, source_id: str, content: dict[str, Any]) -> None:
    """Store the content of a profile, and the types that it has found with the columns of an upload."""
    profile = of_source(session, source_id)
    source = session.get(DataSource, source_id)
    if profile is None or source is None:  # deleted meanwhile
        return
    profile.status, profile.content = READY, content
    if "columns" in source.config:
        columns = [
            {"name": item["name"], "dtype": item["dtype"], "type": item["type"]}
            for item in content["columns"]
        ]
        source.config = {
            **source.config,
            "columns": columns,
            "rows": content["rows"],
            "types_final": True,
        }
    session.flush()


def fail(session: Session, source_id: str, error: str) -> None:
    """Record why a profile could not be made."""
    profile = of_source(session, source_id)
    if profile is not None:
        profile.status, profile.error = FAILED, error
        session.flush()
