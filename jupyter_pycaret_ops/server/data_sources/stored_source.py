"""What a worker kernel needs to read a stored data source: its spec with the secret, and its file."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

from ...common.protocol import DataKind, DataSpec, ReadLimits
from ..files.file_store import FileStore
from ..store.models import DataSource
from ..threads import in_thread
from ..vault import Vault


async def data_spec(source: DataSource, vault: Vault, limits: ReadLimits) -> DataSpec:
    """Return the spec of a source, with its secret and the names of an upload's columns."""
    options = dict(source.config)
    if options.get("columns"):
        options["columns"] = [item["name"] for item in options["columns"]]
    if source.secret is not None:
        options |= json.loads(await in_thread(vault.decrypt, source.secret))
    return DataSpec(cast("DataKind", source.kind), options, limits)


def fetch_of(source: DataSource, files: FileStore) -> Callable[[Path], Awaitable[None]] | None:
    """Return what copies the file of an upload to a path, None for a connector."""
    key = source.storage_key
    if key is None:
        return None

    async def fetch(target: Path) -> None:
        await files.in_thread_whole(files.fetch, key, target)

    return fetch
