"""Make profiles of data sources in worker kernels, one at a time for each version and target."""

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
from ..store.data_sources import Table
from ..store.models import Profile
from ..store.session import Store
from ..vault import Vault
from .stored_source import data_spec, fetch_of

if TYPE_CHECKING:
    from .inspection import SourceInspector

log = logging.getLogger("jupyter_pycaret_ops")

#: seconds for a profile in the kernel
PROFILE_WITHIN_S = 600.0


class Profiles:
    """Profiles in progress, and those stored; a table is read once however many ask for its profile."""

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
        #: by the profile's id
        self._running: dict[str, asyncio.Task[Any]] = {}
        #: how far those that are being made here are
        self._progress: dict[str, dict[str, Any]] = {}

    async def find(self, table: Table, target: str = "") -> Profile | None:
        """Return a profile; None for one that was never begun, or whose server has ended."""
        found = await self._store.read(profiles.find, table.source_id, table.version, target)
        return None if found is None or self._is_abandoned(found) else found

    def progress(self, profile_id: str) -> dict[str, Any] | None:
        """Return how far a profile is: `done` of `total` and `label`; None where that is not known."""
        return self._progress.get(profile_id)

    def uploaded(self, table: Table, user_id: str) -> None:
        """Begin the profile of a new file, without waiting for anything."""
        if self._after_uploads:
            name = f"begin-profile-{table.source_id}-{table.version}"
            self._background.start(self.make(table, user_id), name)

    async def make(self, table: Table, user_id: str, target: str = "") -> Profile:
        """Begin the profile of a table, unless it is being made, and return it as pending.

        Raises
        ------
        NotFound
            When the source was deleted.
        """
        found = await self._store.read(profiles.find, table.source_id, table.version, target)
        if found is not None and found.id in self._running:
            return found
        found = await self._store.write(
            profiles.begin, table.source_id, table.version, target, self._clock.now()
        )
        if found is None:
            raise NotFound("There is no such data source.")
        profile_id = found.id
        if profile_id not in self._running:
            work = self._make(table, target, profile_id, user_id)
            task = self._background.start(work, f"profile-{profile_id}")
            if task is not None:
                self._running[profile_id] = task
                task.add_done_callback(lambda _: self._forget(profile_id))
        return found

    def _forget(self, profile_id: str) -> None:
        self._running.pop(profile_id, None)
        self._progress.pop(profile_id, None)

    def _is_abandoned(self, profile: Profile) -> bool:
        """Return whether nobody makes a pending profile any more."""
        if profile.status != profiles.PENDING or profile.id in self._running:
            return False
        return self._clock.now() - profile.updated_at > timedelta(seconds=2 * PROFILE_WITHIN_S)

    async def _make(self, table: Table, target: str, profile_id: str, user_id: str) -> None:
        try:
            made = await self._in_kernel(table, target, profile_id, user_id)
        except asyncio.CancelledError:
            await self._store.write(profiles.fail, profile_id, "The server was stopped. Try again.")
            raise
        except OpsError as error:
            made = {"error": error.message}
        except Exception:
            log.exception("the profile of data source %s failed", table.source_id)
            made = {"error": "The profile failed inside the server; its log says more."}
        if "error" in made:
            await self._store.write(profiles.fail, profile_id, made["error"])
        else:
            await self._store.write(profiles.finish, profile_id, made)

    async def _in_kernel(
        self, table: Table, target: str, profile_id: str, user_id: str
    ) -> dict[str, Any]:
        """Return the content of a profile, or `error`."""
        spec = await data_spec(table, self._vault, self._read_limits)
        return await self._inspector.profile(
            spec,
            PROFILE_WITHIN_S,
            types=table.types,
            target=target or None,
            user=user_id,
            n_rows=table.config.get("rows"),
            on_progress=lambda found: self._progress.update({profile_id: found}),
            fetch=fetch_of(table, self._files),
        )
