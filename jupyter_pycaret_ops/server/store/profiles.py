"""Profiles of data sources: made in a kernel, stored with the version that they are of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import DataSource, DataVersion, Profile
from .version_changes import compare, new_levels

PENDING, READY, FAILED = "pending", "ready", "failed"


def find(session: Session, source_id: str, version: int, target: str = "") -> Profile | None:
    """Return a profile, None where none was begun; the caller has read the source."""
    return session.scalar(
        select(Profile).where(
            Profile.data_source_id == source_id,
            Profile.version == version,
            Profile.target == target,
        )
    )


def group_notices(session: Session, snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the profile of a run's data notices of groups, where the run does not say how rows are split.

    `snapshot` : of a run that is submitted.
    """
    setup_params = snapshot.get("setup_params") or {}
    source_id, version = snapshot.get("data_source_id"), snapshot.get("data_version")
    if source_id is None or version is None or {"fold_groups", "fold_strategy"} & set(setup_params):
        return []
    target = snapshot.get("target") or ""
    for asked in (target, ""):
        profile = find(session, source_id, version, asked)
        if profile is None or profile.status != READY:
            continue
        suggested = (profile.content.get("suggestion") or {}).get("target")
        if asked or suggested == target:
            notices = profile.content.get("notices") or []
            return [notice for notice in notices if notice.get("code") == "groups"]
    return []


def begin(
    session: Session, source_id: str, version: int, target: str, now: datetime
) -> Profile | None:
    """Return the profile of a version as pending, None where the source is gone."""
    if session.get(DataSource, source_id, with_for_update={"key_share": True}) is None:
        return None
    profile = find(session, source_id, version, target)
    if profile is None:
        profile = Profile(
            data_source_id=source_id, version=version, target=target, status=PENDING, content={}
        )
        session.add(profile)
    profile.status, profile.error, profile.updated_at = PENDING, None, now
    session.flush()
    return profile


def finish(session: Session, profile_id: str, content: dict[str, Any]) -> None:
    """Store the content of a profile, and the types that it has found with the columns of an upload.

    Nothing is stored where the source, or the profile by other types, was taken away meanwhile.
    """
    profile = session.get(Profile, profile_id)
    if profile is None:
        return
    version = _version(session, profile.data_source_id, profile.version)
    if version is not None:
        reported = [*_changed_types(version.config, content), *content["reported"]]
        content = {**content, "reported": reported}
    profile.status, profile.content = READY, content
    session.flush()
    if profile.target or version is None:  # a connector has no version
        return
    version.config = _with_types(version.config, content)
    source = session.get_one(DataSource, profile.data_source_id)
    if source.version == version.version:
        source.config = version.config
    session.flush()
    for number in (version.version, version.version + 1):
        _compare(session, source.id, number)


def fail(session: Session, profile_id: str, error: str) -> None:
    """Record why a profile could not be made."""
    profile = session.get(Profile, profile_id)
    if profile is not None:
        profile.status, profile.error = FAILED, error
        session.flush()


def _version(session: Session, source_id: str, version: int) -> DataVersion | None:
    return session.scalar(
        select(DataVersion).where(
            DataVersion.data_source_id == source_id, DataVersion.version == version
        )
    )


def _changed_types(config: dict[str, Any], content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is reported of columns whose first rows looked different from all of them."""
    if config.get("types_final"):
        return []
    first = {column["name"]: column.get("type") for column in config.get("columns") or []}
    return [
        {
            "code": "type_changed",
            "column": column["name"],
            "message": f"“{column['name']}” is read as {column['type']}; its first rows looked like "
            f"{first[column['name']]}.",
        }
        for column in content["columns"]
        if first.get(column["name"]) not in (None, column["type"]) and not column["set_by_person"]
    ]


def _with_types(config: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    columns = [
        {"name": item["name"], "dtype": item["dtype"], "type": item["type"]}
        for item in content["columns"]
    ]
    return {**config, "columns": columns, "rows": content["rows"], "types_final": True}


def _compare(session: Session, source_id: str, number: int) -> None:
    """Compare a version with the one before again, with the levels of both where both have a profile."""
    after, before = (_version(session, source_id, n) for n in (number, number - 1))
    if after is None or before is None:
        return
    changes = compare(before.config, after.config)
    profiles = [find(session, source_id, n) for n in (number - 1, number)]
    if all(profile is not None and profile.status == READY for profile in profiles):
        earlier, newer = (profile.content for profile in profiles if profile is not None)
        changes["levels"] = new_levels(earlier, newer)
    after.changes = changes
    session.flush()
