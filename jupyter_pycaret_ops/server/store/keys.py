"""API keys: made once, kept as a hash, checked on every call from outside."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from ...common.errors import Forbidden, Invalid, NotFound, Unauthenticated
from .access import Caller, KeyGrant, Role, require, role_in
from .models import ApiKey, Deployment, Member, User
from .names import refuse_taken_name
from .paging import Page, PageRequest, newest_first

KEY_PREFIX = "pck_"
RUN_TOKEN_PREFIX = "pcr_"  # noqa: S105 - a prefix, not a secret


def digest(secret: str) -> str:
    """What is kept of a key or token: SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret(prefix: str) -> str:
    """A new key or token: the prefix tells what it is, the rest is 256 random bits."""
    return prefix + secrets.token_urlsafe(32)


def create(
    session: Session,
    caller: Caller,
    *,
    name: str,
    workspace_id: str,
    scopes: list[str],
    deployment_id: str | None,
    expires_at: datetime | None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """A new key and, for this once, its secret.

    Raises
    ------
    Invalid
        When the expiry is past, or the deployment is not one of the workspace.
    Forbidden
        When the maker may not what the key would.
    """
    if caller.key is not None:
        raise Forbidden("An API key cannot make keys.")
    least = Role.MEMBER if {"write", "predict"} & set(scopes) else Role.VIEWER
    require(session, caller, workspace_id, least, "workspace")
    refuse_taken_name(session, ApiKey, "key", name, workspace_id=workspace_id, revoked_at=None)
    if expires_at is not None and expires_at <= now:
        raise Invalid(
            "The key would have expired already.",
            errors=[{"loc": ["expires_at"], "msg": "must be in the future"}],
        )
    if deployment_id is not None:
        if set(scopes) != {"predict"}:
            raise Invalid(
                "A key for one deployment has the scope predict alone; make another key for the rest.",
                errors=[{"loc": ["scopes"], "msg": "must be predict alone beside deployment_id"}],
            )
        deployment = session.get(Deployment, deployment_id)
        if deployment is None or deployment.workspace_id != workspace_id:
            raise Invalid(
                "The deployment is not one of this workspace.",
                errors=[{"loc": ["deployment_id"], "msg": "no such deployment in this workspace"}],
            )
    secret = new_secret(KEY_PREFIX)
    key = ApiKey(
        name=name,
        workspace_id=workspace_id,
        deployment_id=deployment_id,
        scopes=sorted(set(scopes)),
        prefix=secret[:10],
        key_hash=digest(secret),
        expires_at=expires_at,
        created_by=caller.user_id,
    )
    session.add(key)
    session.flush()
    return key, secret


def list_page(session: Session, caller: Caller, page: PageRequest) -> Page:
    """The caller's own keys, and all keys of the workspaces that they are an admin of."""
    if caller.key is not None:
        role_in(session, caller, caller.key.workspace_id)
    administered = select(Member.workspace_id).where(
        Member.user_id == caller.user_id, Member.role == Role.ADMIN.word
    )
    query = select(ApiKey).where(
        or_(ApiKey.created_by == caller.user_id, ApiKey.workspace_id.in_(administered))
    )
    if caller.key is not None:
        query = query.where(ApiKey.workspace_id == caller.key.workspace_id)
    return newest_first(session, query, ApiKey, page)


def revoke(session: Session, caller: Caller, key_id: str, now: datetime) -> None:
    """Revoke a key of one's own, or any as an admin; it stays listed. Revoking again changes nothing.

    Raises
    ------
    NotFound
    Forbidden
        When the caller is an API key, or may not revoke this one.
    """
    key = session.get(ApiKey, key_id)
    if key is None:
        raise NotFound("There is no such key.")
    least = Role.VIEWER if key.created_by == caller.user_id else Role.ADMIN
    if caller.key is not None:
        raise Forbidden("An API key cannot revoke keys.")
    require(session, caller, key.workspace_id, least, "key")
    if key.revoked_at is None:
        key.revoked_at = now
        session.flush()


def resolve(session: Session, secret: str, now: datetime) -> Caller | None:
    """Whom a key speaks for, or None where it is unknown, revoked, expired or its maker has left."""
    return _resolve(session, ApiKey.key_hash == digest(secret), now)


def renew(session: Session, caller: Caller, now: datetime) -> Caller:
    """Return a caller who was let in some time ago as they are now.

    Raises
    ------
    Unauthenticated
        When their key was revoked, has expired, or its maker has left the workspace.
    """
    if caller.key is None:
        return caller
    found = _resolve(session, ApiKey.id == caller.key.key_id, now)
    if found is None:
        raise Unauthenticated("The API key was revoked or has expired.")
    return found


def _resolve(session: Session, which: ColumnElement[bool], now: datetime) -> Caller | None:
    found = session.execute(
        select(ApiKey, User, Member.role)
        .join(User, User.id == ApiKey.created_by)
        .join(
            Member,
            (Member.user_id == ApiKey.created_by) & (Member.workspace_id == ApiKey.workspace_id),
        )
        .where(which)
    ).first()
    if found is None:
        return None
    key, user, role = found
    grant = KeyGrant(
        key.id,
        key.workspace_id,
        key.deployment_id,
        frozenset(key.scopes),
        Role.of(role),
        key.expires_at,
    )
    if key.revoked_at is not None or grant.has_expired(now):
        return None
    return Caller(user.id, user.name, grant)


def touch(session: Session, used: dict[str, datetime]) -> None:
    """Note when keys were last used; called now and then with what gathered."""
    for key_id, moment in used.items():
        session.execute(
            update(ApiKey)
            .where(ApiKey.id == key_id)
            .values(last_used_at=moment, updated_at=ApiKey.updated_at)
        )
