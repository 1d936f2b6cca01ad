"""Make profiles of data sources in worker kernels, one at a time for each source."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ...common.clock import Clock
from ...common.errors import NotFound, OpsError
from ...common.protocol import ReadLimits
from ..background import BackgroundTasks
from ..files.file_store import FileStore
from ..store import profiles
from ..store.models import DataSource, Profile
from ..store.session import Store
from ..vault import Vault
from .stored_source import data_spec, fetch_of

if TYPE_CHECKING:
    from .inspection import SourceInspector

log = logging.getLogger("jupyter_pycaret_ops")

#: seconds for a profile in the kernel
PROFILE_WITHIN_S = 600.0


class Profiles:
    """Profiles in progress, and those stored; a source is read once however many ask for its profile."""

    def __init__(
        self,
        store: Store,
        files: FileStore,
        vault: Vault,
        inspector: SourceInspector,
        read_limits: ReadLimits,
        background: BackgroundTasks,
        clock: Clock,
        *,
        after_uploads: bool = True,
    ) -> None:
        self._store = store
        self._files = files
        self._vault = vault
        self._inspector = inspector
        self._read_limits = read_limits
        self._background = background
        self._clock = clock
        self._after_uploads = after_uploads
        self._running: dict[str, asyncio.Task[Any]] = {}

    async def find(self, source_id: str) -> Profile | None:
        """Return the profile of a source; None for one that was never begun, or whose server has ended."""
        found = await self._store.read(profiles.of_source, source_id)
        return None if found is None or self._is_abandoned(found) else found

    def uploaded(self, source: DataSource, user_id: str) -> None:
        """Begin the profile of a new upload, without waiting for anything."""
        if self._after_uploads:
            self._background.start(self.make(source, user_id), f"begin-profile-{source.id}")

    async def make(self, source: DataSource, user_id: str) -> Profile:
        """Begin the profile of a source, unless it is being made, and return it as pending.

        Raises
        ------
        NotFound
            When the source was deleted.
        """
        now = self._clock.now()
        if source.id not in self._running:
            begun = await self._store.write(profiles.begin, source.id, now)
            if begun is None:
                raise NotFound("There is no such data source.")
            task = self._background.start(self._make(source, user_id), f"profile-{source.id}")
            if task is not None:
                self._running[source.id] = task
                task.add_done_callback(lambda _: self._running.pop(source.id, None))
            return begun
        found = await self._store.read(profiles.of_source, source.id)
        if found is None:
            raise NotFound("There is no such data source.")
        return found

    def _is_abandoned(self, profile: Profile) -> bool:
        """Return whether nobody makes a pending profile any more."""
        if profile.status != profiles.PENDING or profile.data_source_id in self._running:
            return False
        return self._clock.now() - profile.updated_at > timedelta(seconds=2 * PROFILE_WITHIN_S)

    async def _make(self, source: DataSource, user_id: str) -> None:
        try:
            made = await self._in_kernel(source, user_id)
        except asyncio.CancelledError:
            await self._store.write(profiles.fail, source.id, "The server was stopped. Try again.")
            raise
        except OpsError as error:
            made = {"error": error.message}
        except Exception:
            log.exception("the profile of data source %s failed", source.id)
            made = {"error": "The profile failed inside the server; its log says more."}
        if "error" in made:
            await self._store.write(profiles.fail, source.id, made["error"])
        else:
            await self._store.write(profiles.finish, source.id, made)

    async def _in_kernel(self, source: DataSource, user_id: str) -> dict[str, Any]:
        """Return the content of a profile, or `error`."""
        spec = await data_spec(source, self._vault, self._read_limits)
        fetch = fetch_of(source, self._files)
        return await self._inspector.profile(spec, PROFILE_WITHIN_S, user=user_id, fetch=fetch)
