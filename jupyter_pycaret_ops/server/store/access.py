"""Who may do what: the caller, the roles, and the question asked before every piece of work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Forbidden, NotFound
from .models import Member


class Role(IntEnum):
    """Roles in a workspace; a higher one may all that a lower one may."""

    VIEWER = 1
    MEMBER = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """The role as the API writes it."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Role:
        """The role that the API writes as `word`."""
        return cls[word.upper()]


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What an API key opens."""

    key_id: str
    workspace_id: str
    deployment_id: str | None
    scopes: frozenset[str]
    #: what its maker may now; a key never opens more
    maker_role: Role
    #: from this moment on it opens nothing
    expires_at: datetime | None = None

    def has_expired(self, now: datetime) -> bool:
        """Return whether the key has expired at `now`."""
        return self.expires_at is not None and self.expires_at <= now

    @property
    def role(self) -> Role | None:
        """The role that the key's scopes come to; none where it only predicts, or is of one deployment."""
        if self.deployment_id is not None:
            return None
        if "write" in self.scopes:
            return min(Role.MEMBER, self.maker_role)
        if "read" in self.scopes:
            return Role.VIEWER
        return None

    def predicts(self, workspace_id: str, deployment_id: str) -> bool:
        """Whether the key opens predict of that deployment."""
        return (
            bool({"predict", "write"} & self.scopes)
            and self.maker_role >= Role.MEMBER
            and self.workspace_id == workspace_id
            and self.deployment_id in (None, deployment_id)
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose credential was accepted. A key speaks for its maker, within its grant."""

    user_id: str
    name: str
    key: KeyGrant | None = None


def role_in(session: Session, caller: Caller, workspace_id: str) -> Role | None:
    """The caller's role in a workspace, or None where they are not in it.

    Raises
    ------
    Forbidden
        When a key is used outside its workspace or without a scope that reads.
    """
    word = session.scalar(
        select(Member.role).where(
            Member.workspace_id == workspace_id, Member.user_id == caller.user_id
        )
    )
    role = Role.of(word) if word else None
    if caller.key is None:
        return role
    if caller.key.workspace_id != workspace_id or caller.key.role is None:
        raise Forbidden("This API key does not open that.")
    return None if role is None else min(role, caller.key.role)


def require(session: Session, caller: Caller, workspace_id: str, least: Role, what: str) -> Role:
    """The caller's role, which is `least` or above.

    Raises
    ------
    NotFound
        When the caller is not in the workspace: its rows do not exist for them. `what` names the row.
    Forbidden
        When the role, or the key, does not reach.
    """
    role = role_in(session, caller, workspace_id)
    if role is None:
        raise NotFound(f"There is no such {what}.")
    if role < least:
        needed = least.word
        raise Forbidden(
            f"This needs the role {needed} in the workspace; yours is {role.word}. "
            "An admin of the workspace can change it."
        )
    return role
