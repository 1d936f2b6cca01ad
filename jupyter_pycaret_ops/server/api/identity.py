"""Who is calling: Jupyter's users, API keys, and the owner that stock providers stand for."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.identity import (
    IdentityProvider,
    LegacyIdentityProvider,
    PasswordIdentityProvider,
    User,
)
from sqlalchemy.orm import Session

from ...common.clock import Clock
from ..store import access, keys, users
from ..store.access import Caller, Role
from ..store.session import Store

if TYPE_CHECKING:
    from jupyter_server.base.handlers import JupyterHandler

log = logging.getLogger("jupyter_pycaret_ops")

#: providers that let somebody in without naming them
STOCK = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)
#: how long a key that another server has revoked may still open this one, in seconds
KEY_FRESH_S = 5.0
#: how long a role that another server has changed may still hold in this one, in seconds
ROLE_FRESH_S = 5.0
MOST_REMEMBERED = 10_000
DEFAULT_WORKSPACE = "default"


async def jupyter_user(handler: JupyterHandler, owner: str) -> User | None:
    """The user that Jupyter's identity provider sees in a request, or None for a stranger.

    Stock providers' anonymous users become the owner. The provider's login cookie is not set here: signing
    one for each token request is most of what a small request costs.
    """
    provider: Any = handler.identity_provider
    if type(provider) not in STOCK:
        found = provider.get_user(handler)
        if isinstance(found, Awaitable):
            found = await found
        return found if isinstance(found, User) else None
    person = User(owner, owner, owner)
    token = provider.token
    if token:
        shown = provider.get_token(handler)
        if shown and hmac.compare_digest(shown.encode(), token.encode()):
            handler._token_authenticated = True  # type: ignore[attr-defined]
            return person
    cookie = provider.get_user_cookie(handler)
    if isinstance(cookie, Awaitable):
        cookie = await cookie
    if cookie is not None or not provider.auth_enabled:
        return person
    return None


def names_people(provider: object) -> bool:
    """Whether the provider tells users apart."""
    return type(provider) not in STOCK


class Identities:
    """Callers by name and by key, remembered for a few seconds; revoking forgets."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        owner: str,
        auto_bootstrap: bool,
        hub_user: str | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self.owner = owner
        #: whose server this is, where a Hub started it
        self._hub_user = hub_user
        self._auto_bootstrap = auto_bootstrap
        self._by_name: dict[str, Caller] = {}
        self._by_key: dict[str, tuple[Caller, float]] = {}
        self._used: dict[str, datetime] = {}
        #: set, and replaced by a new one, when open connections should ask again
        self._changed = asyncio.Event()
        #: (user id, workspace id) -> role, and the monotonic time when it was read
        self._roles: dict[tuple[str, str], tuple[Role | None, float]] = {}

    async def person(self, user: User, *, named: bool) -> Caller:
        """The caller that a Jupyter user is; made when seen for the first time."""
        known = self._by_name.get(user.username)
        if known is None:
            display = user.display_name or user.name or user.username
            # of the people that a provider names, the one whose server it is
            is_owner = not named or user.username == self._hub_user
            bootstrap = self._auto_bootstrap and is_owner
            known = await self._store.write(_ensure, user.username, display, bootstrap)
            self._by_name[user.username] = known
        return known

    async def key(self, secret: str) -> Caller | None:
        """Whom an API key speaks for, or None where it opens nothing."""
        now = self._clock.monotonic()
        cached = self._by_key.get(secret)
        if cached is not None and now - cached[1] < KEY_FRESH_S:
            caller = cached[0]
            if caller.key is not None and caller.key.has_expired(self._clock.now()):
                return None
        else:
            found = await self._store.read(keys.resolve, secret, self._clock.now())
            if found is None:
                self._by_key.pop(secret, None)
                return None
            caller = found
            if len(self._by_key) > MOST_REMEMBERED:
                self._by_key.clear()
            self._by_key[secret] = (caller, now)
        if caller.key is not None:
            self._used[caller.key.key_id] = self._clock.now()
        return caller

    async def role(self, caller: Caller, workspace_id: str) -> Role | None:
        """Return the role of a caller in a workspace, at most five seconds old; None for no member."""
        name = (caller.user_id, workspace_id)
        now = self._clock.monotonic()
        known = self._roles.get(name)
        if known is None or now - known[1] > ROLE_FRESH_S:
            role = await self._store.read(access.role_in, caller, workspace_id)
            if len(self._roles) > MOST_REMEMBERED:
                self._roles.clear()
            known = self._roles[name] = (role, now)
        return known[0]

    def forget(self) -> None:
        """A key was revoked, or a role changed: ask the database again for all."""
        self._by_key.clear()
        self._roles.clear()
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for_change(self, timeout_s: float) -> None:
        """Return when a key was revoked or a role changed in this server, or when the time is up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()

    async def note_use(self) -> None:
        """Write down when keys were last used."""
        used, self._used = self._used, {}
        if used:
            await self._store.write(keys.touch, used)


def _ensure(session: Session, name: str, display: str, bootstrap: bool) -> Caller:
    user = users.ensure_user(session, name, display)
    if bootstrap and not users.is_bootstrapped(session):
        users.bootstrap(session, user.id, DEFAULT_WORKSPACE, DEFAULT_WORKSPACE)
    return Caller(user.id, user.name)
