"""`data`: list, upload, show and download tables, and say how they are read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from ..client import run_request
from ..client.reading_arguments import TYPES_TEXT, add_dialect_arguments, dialect_of, parse_pairs
from ..client.records import JSON, DataSource
from ..common.errors import Invalid
from .client_command import ClientCommand
from .output import decoded
from .rendering import Bar, changes_text, profile_text, table


class DataCommand(ClientCommand):
    """List, upload, show and download data, and say how they are read."""

    name = "data"

    def add_arguments(self, parser: argparse.ArgumentParser) -> Iterable[argparse.ArgumentParser]:
        """See `ClientCommand.add_arguments`."""
        actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
        actions.add_parser("list", help="list the data sources")
        self._of_source(actions, "versions", "list the versions of an uploaded table")
        profile = self._of_source(
            actions, "profile", "show types, missing and unreadable cells of each column"
        )
        profile.add_argument("--again", action="store_true", help="make the profile again")
        profile.add_argument(
            "--target", metavar="COLUMN", help="show associations with this column"
        )
        _add_version(profile)
        upload = actions.add_parser("upload", help="upload a file")
        upload.add_argument("file", help="a CSV, Parquet or Excel file")
        upload.add_argument("--name", help="name of the data source; default: that of the file")
        upload.add_argument(
            "--to", metavar="SOURCE", help="data source that gets the file as a new version"
        )
        add_dialect_arguments(upload)
        download = self._of_source(actions, "download", "write the file as it was uploaded")
        download.add_argument("-o", "--output", metavar="FILE", help="default: its own name, here")
        _add_version(download)
        types = self._of_source(actions, "types", "set types of columns, for the runs to come")
        types.add_argument(
            "types",
            nargs="*",
            metavar="COLUMN=TYPE",
            help=f"{TYPES_TEXT}; nothing behind = resets it",
        )
        types.add_argument("--reset", action="store_true", help="take away all types that were set")
        read = self._of_source(actions, "read", "read the file in another way, as a new version")
        add_dialect_arguments(read)
        found: Iterable[argparse.ArgumentParser] = actions.choices.values()
        return found

    @staticmethod
    def _of_source(actions: Any, name: str, text: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
        parser.add_argument("source", help="name or id of the data source")
        return parser

    def execute(self) -> int:
        """Do what the action says."""
        getattr(self, f"_{self.args.action}")()
        return 0

    def _source(self) -> DataSource:
        return run_request.find_source(self.client, self.args.source)

    def _list(self) -> None:
        workspace = self.client.default_project().workspace_id
        sources = self.client.data_sources.list(workspace, None)

        def text() -> str:
            rows = [
                (
                    source["name"],
                    source["kind"].removesuffix("_upload"),
                    _count(source["config"].get("rows")),
                    _count(len(source["config"].get("columns") or []) or None),
                    str(source["version"]),
                    source["created_at"][:10],
                )
                for source in sources
            ]
            return table(("NAME", "KIND", "ROWS", "COLUMNS", "VERSION", "SINCE"), rows)

        self.write(sources, text)

    def _versions(self) -> None:
        versions = self.client.data_sources.versions(self._source()["id"], None)

        def text() -> str:
            rows = [
                (
                    str(version["version"]),
                    version["filename"] or "",
                    _count(version["rows"]),
                    version["created_at"][:16].replace("T", " "),
                    changes_text(version["changes"]),
                )
                for version in versions
            ]
            return table(("VERSION", "FILE", "ROWS", "UPLOADED", "CHANGES"), rows)

        self.write(versions, text)

    def _profile(self) -> None:
        source = self._source()
        asked = {"target": self.args.target, "version": self.args.version}
        if self.args.again:
            self.client.data_sources.make_profile(source["id"], **asked)
        bar = Bar(sys.stderr, quiet=self.args.json)

        def on_progress(progress: JSON) -> None:
            bar.show(progress["done"] or 0, progress["total"], f"Reading {source['name']}")

        try:
            profile = self.client.data_sources.profile(
                source["id"], **asked, on_progress=on_progress
            )
        finally:
            bar.end()
        self.write(profile, lambda: profile_text(profile))

    def _upload(self) -> None:
        file, dialect = Path(self.args.file), dialect_of(self.args)
        if not file.is_file():
            raise Invalid(f"There is no file “{file}”.")
        if self.args.to and self.args.name:
            raise Invalid("Give --name for a new data source, or --to for a version of one.")
        bar = Bar(sys.stderr, quiet=self.args.json)
        name = self.args.name or decoded(file.stem)

        def on_progress(done: int, total: int) -> None:
            bar.show(done, total, f"Uploading {decoded(file.name)}")

        sources = self.client.data_sources
        try:
            if self.args.to:
                found = run_request.find_source(self.client, self.args.to)
                row = sources.upload_version(
                    found["id"],
                    file,
                    filename=decoded(file.name),
                    dialect=dialect,
                    on_progress=on_progress,
                )
                changes = changes_text(row["changes"])
                text = f"{row['name']} has version {row['version']}: {changes or 'no changes'}"
                self.write(row, lambda: text)
                return
            source = sources.upload(
                self.client.default_project().workspace_id,
                file,
                name,
                filename=decoded(file.name),
                dialect=dialect,
                on_progress=on_progress,
            )
        finally:
            bar.end()
        self.write(source, lambda: _facts(source))

    def _download(self) -> None:
        source, version = self._source(), self.args.version
        versions = self.client.data_sources.versions(source["id"], None)
        wanted = version or source["version"]
        filename = next((v["filename"] for v in versions if v["version"] == wanted), None)
        target = Path(self.args.output or filename or source["name"])
        if target.exists() and not self.args.output:
            raise Invalid(f"There is a file “{target}” already. Choose another with --output.")
        part = target.with_name(f"{target.name}.part")
        try:
            with part.open("wb") as opened:
                self.client.data_sources.download(source["id"], opened, version)
            part.replace(target)
        except OSError as error:
            raise Invalid(f"{target} cannot be written: {error.strerror or error}.") from None
        finally:
            part.unlink(missing_ok=True)
        self.write({"file": str(target)}, lambda: str(target))

    def _types(self) -> None:
        source = self._source()
        if self.args.reset:
            row = self.client.data_sources.update(source["id"], types=None)
        else:
            if not self.args.types:
                raise Invalid("Write the types as COLUMN=TYPE, or use --reset.")
            pairs = parse_pairs(self.args.types)
            types = cast("Any", {column: kind or None for column, kind in pairs.items()})
            row = self.client.data_sources.update(source["id"], types=types)

        def text() -> str:
            listed = [(column, kind) for column, kind in row["types"].items()]
            return table(("COLUMN", "TYPE"), listed) if listed else "No types are set."

        self.write(row, text)

    def _read(self) -> None:
        dialect = dialect_of(self.args)
        if not dialect:
            raise Invalid(
                "Say how the file is read: --encoding, --delimiter, --skip-rows and so on."
            )
        row = self.client.data_sources.update(self._source()["id"], dialect=dialect)
        self.write(row, lambda: _facts(row))


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", metavar="N", type=int, help="default: the newest")


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _facts(source: DataSource) -> str:
    config = source["config"]
    columns = config.get("columns") or []
    return (
        f"{source['name']}, version {source['version']}: {_count(config.get('rows'))} rows, "
        f"{len(columns):,} columns"
    )
