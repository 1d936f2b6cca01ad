"""Resource: data sources, their versions and profiles."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, Unpack

from ...common.errors import Invalid, Unavailable
from ..event_stream import FIRST_PAUSE_S, LONGEST_PAUSE_S
from ..records import (
    JSON,
    DataSource,
    DataSourceChanges,
    DataVersions,
    NewVersion,
    Profile,
    SourceTest,
)
from ..transport import segment
from .workspaces import Resource

#: seconds to wait for a profile
PROFILE_WAIT_S = 600.0


def _form_fields(dialect: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the fields of a dialect as texts of a form."""
    return {
        field: str(value).lower() if isinstance(value, bool) else str(value)
        for field, value in (dialect or {}).items()
    }


@contextmanager
def _opened(
    file: str | Path | bytes | IO[bytes], filename: str | None
) -> Iterator[tuple[IO[bytes], str]]:
    """Open what is uploaded: a path, bytes, or a file that is open already and stays so; with its name."""
    if isinstance(file, (str, Path)):
        with Path(file).open("rb") as stream:
            yield stream, filename or Path(file).name
    else:
        yield io.BytesIO(file) if isinstance(file, bytes) else file, filename or "table.csv"


class DataSources(Resource):
    """Tables: uploaded, in S3 or in PostgreSQL."""

    def list(self, workspace_id: str, limit: int | None = 100) -> list[DataSource]:
        """Return the data sources of a workspace."""
        return self._transport.list(f"/workspaces/{segment(workspace_id)}/data-sources", limit)

    def upload(
        self,
        workspace_id: str,
        file: str | Path | bytes | IO[bytes],
        name: str | None = None,
        *,
        filename: str | None = None,
        description: str | None = None,
        dialect: Mapping[str, Any] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> DataSource:
        """Upload a CSV, Parquet or Excel file, given as a path, an open file, or bytes.

        `name` is by default that of the file without its suffix. `dialect` says how a text file is read where that
        is not detected rightly: `{"encoding": "cp1252", "delimiter": ";", "header": False}`. `on_progress` is called
        with the bytes sent and the size in bytes.
        """
        path = f"/workspaces/{segment(workspace_id)}/data-sources/upload"
        with _opened(file, filename) as (stream, label):
            fields = {"name": name or Path(label).stem, **_form_fields(dialect)}
            if description is not None:
                fields["description"] = description
            record: DataSource = self._transport.upload(path, stream, label, fields, on_progress)
        return record

    def upload_version(
        self,
        source_id: str,
        file: str | Path | bytes | IO[bytes],
        *,
        filename: str | None = None,
        dialect: Mapping[str, Any] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> NewVersion:
        """Upload a new file of an uploaded table; return the data source with `changes` against the version before.

        The arguments are those of `upload`.
        """
        path = f"/data-sources/{segment(source_id)}/versions"
        with _opened(file, filename) as (stream, label):
            fields = _form_fields(dialect)
            record: NewVersion = self._transport.upload(path, stream, label, fields, on_progress)
        return record

    def versions(self, source_id: str, limit: int | None = 100) -> DataVersions:
        """Return the versions of an uploaded table, newest first."""
        return self._transport.list(f"/data-sources/{segment(source_id)}/versions", limit)

    def download(self, source_id: str, target: IO[bytes], version: int | None = None) -> None:
        """Write a file as it was uploaded to `target`; by default the newest version."""
        query = "" if version is None else f"?version={version}"
        self._transport.download(f"/data-sources/{segment(source_id)}/download{query}", target)

    def update(self, source_id: str, **changes: Unpack[DataSourceChanges]) -> DataSource:
        """Change name, description, `types` of columns, or the `dialect`, which makes a new version.

        `types` are stored with the data, for the runs to come: `{"price": "number", "town": None}` sets one and takes
        another away.
        """
        record: DataSource = self._transport.patch(f"/data-sources/{segment(source_id)}", changes)
        return record

    def profile(
        self,
        source_id: str,
        *,
        target: str | None = None,
        version: int | None = None,
        wait_s: float = PROFILE_WAIT_S,
        on_progress: Callable[[JSON], None] | None = None,
    ) -> Profile:
        """Return the profile of all rows of a data source; the first call lets the server make it.

        With `target`, each column has its association with it, from 0 to 1. `version` is by default the newest.
        `on_progress` is called while it is made with `done`, `total` and `label`.

        Raises
        ------
        Unavailable
            When it is not ready within `wait_s` seconds; it is still being made then.
        Invalid
            When the source cannot be read; the message says why.
        """
        path = f"/data-sources/{segment(source_id)}/profile"
        deadline = time.monotonic() + wait_s
        pause = FIRST_PAUSE_S
        while True:
            found: Profile = self._transport.get(path, target=target, version=version)
            if found["status"] == "ready":
                return found
            if found["status"] == "failed":
                raise Invalid(found.get("error") or "The profile could not be made.")
            if on_progress is not None and found.get("progress"):
                on_progress(found["progress"] or {})
            if time.monotonic() > deadline:
                raise Unavailable("The profile is still being made. Ask again in a while.")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def make_profile(
        self, source_id: str, *, target: str | None = None, version: int | None = None
    ) -> Profile:
        """Let the server make the profile of a data source again, and return it as pending."""
        record: Profile = self._transport.post(
            f"/data-sources/{segment(source_id)}/profile", target=target, version=version
        )
        return record

    def register(
        self,
        workspace_id: str,
        name: str,
        kind: Literal["s3", "postgres"],
        config: Mapping[str, Any],
        description: str | None = None,
    ) -> DataSource:
        """Register an object in S3, or a table or query in PostgreSQL."""
        body = {"name": name, "kind": kind, "config": dict(config), "description": description}
        record: DataSource = self._transport.post(
            f"/workspaces/{segment(workspace_id)}/data-sources", body
        )
        return record

    def get(self, source_id: str) -> DataSource:
        """Return a data source."""
        record: DataSource = self._transport.get(f"/data-sources/{segment(source_id)}")
        return record

    def delete(self, source_id: str) -> None:
        """Delete a data source, with its file if it was uploaded."""
        self._transport.delete(f"/data-sources/{segment(source_id)}")

    def preview(self, source_id: str, rows: int = 20, target: str | None = None) -> JSON:
        """Return columns with types, the first rows, and a suggestion of target and task, or of the task for a target."""
        preview: JSON = self._transport.get(
            f"/data-sources/{segment(source_id)}/preview", rows=rows, target=target
        )
        return preview

    def test(self, source_id: str) -> SourceTest:
        """Read the source now; return whether that works, and what was found."""
        result: SourceTest = self._transport.post(f"/data-sources/{segment(source_id)}/test")
        return result
