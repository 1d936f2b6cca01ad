"""What a worker kernel needs to read a stored data source: its spec with the secret, and its file."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from ...common.protocol import DataKind, DataSpec, ReadLimits
from ..files.file_store import FileStore
from ..store.data_sources import Table
from ..threads import in_thread
from ..vault import Vault

#: parts of the `config` of an upload that say how its file is read
READING = ("encoding", "delimiter", "dialect", "dialect_fields")


def reading_options(table: Table) -> dict[str, Any]:
    """Return the options of a table without its secret: of a connector its address, of a file how it is read."""
    if table.storage_key is None:
        return dict(table.config)
    options = {name: table.config[name] for name in READING if name in table.config}
    if table.config.get("columns"):
        options["columns"] = [item["name"] for item in table.config["columns"]]
    return options


async def data_spec(table: Table, vault: Vault, limits: ReadLimits) -> DataSpec:
    """Return the spec of a table, with its secret and the names of an upload's columns."""
    options = reading_options(table)
    if table.secret is not None:
        options |= json.loads(await in_thread(vault.decrypt, table.secret))
    return DataSpec(cast("DataKind", table.kind), options, limits)


def fetch_of(table: Table, files: FileStore) -> Callable[[Path], Awaitable[None]] | None:
    """Return what copies the file of an upload to a path, None for a connector."""
    key = table.storage_key
    if key is None:
        return None

    async def fetch(target: Path) -> None:
        await files.in_thread_whole(files.fetch, key, target)

    return fetch
