"""Bringing a database to the tables that this version needs, or saying why not."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect
from sqlalchemy.engine import make_url

from .models import Base
from .session import make_engine

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATE_COMMAND = "jupyter pycaret-ops migrate"
SERVER = Path(__file__).resolve().parent.parent


class SchemaState(StrEnum):
    """What a database was found to be."""

    CURRENT = "current"
    EMPTY = "empty"
    BEHIND = "behind"
    UNSTAMPED = "unstamped"
    NEWER = "newer"
    FOREIGN = "foreign"


class SchemaBlocked(Exception):
    """The database cannot be used as it is; the message says what mends it."""


@dataclass(frozen=True, slots=True)
class SchemaReport:
    """What was found and what was done."""

    found: SchemaState
    revision: str
    backup: Path | None = None


def alembic_config(url: str) -> Config:
    """Alembic's configuration for our migrations on that database."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SERVER / "migrations"))
    config.attributes["url"] = url
    return config


def examine(engine: Engine, config: Config) -> tuple[SchemaState, str]:
    """What the database is, and the newest revision of the code."""
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(config)
    head = script.get_current_head() or ""
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        revision = MigrationContext.configure(connection).get_current_revision()
    ours = set(Base.metadata.tables)
    if revision is not None:
        if revision == head:
            return SchemaState.CURRENT, head
        known = {item.revision for item in script.walk_revisions()}
        return (SchemaState.BEHIND if revision in known else SchemaState.NEWER), head
    tables.discard("alembic_version")
    if not tables:
        return SchemaState.EMPTY, head
    if ours <= tables:
        return SchemaState.UNSTAMPED, head
    return SchemaState.FOREIGN, head


def ensure_schema(url: str, *, auto_migrate: bool) -> SchemaReport:
    """Bring the database up to date where that may be done, else say what to do.

    Up to date: nothing. Empty or behind: upgraded when `auto_migrate`, after a copy of a SQLite file
    that holds data. All of our tables without a version: stamped as the baseline, then upgraded.

    Raises
    ------
    SchemaBlocked
        Behind or empty without `auto_migrate`; newer than this code; tables that are not ours.
    """
    from alembic import command
    from alembic.script import ScriptDirectory

    config = alembic_config(url)
    engine = make_engine(url)
    _make_private_file(url)
    try:
        found, head = examine(engine, config)
        backup: Path | None = None
        if found is SchemaState.CURRENT:
            return SchemaReport(found, head)
        if found is SchemaState.NEWER:
            raise SchemaBlocked(
                "The database was made by a newer version of jupyter-pycaret-ops. Upgrade the package "
                "(pip install --upgrade jupyter-pycaret-ops), or point database_url to another database."
            )
        if found is SchemaState.FOREIGN:
            raise SchemaBlocked(
                "The database holds tables that are not of jupyter-pycaret-ops. "
                "Point database_url to an empty database."
            )
        if not auto_migrate:
            raise SchemaBlocked(
                f"The database is {'empty' if found is SchemaState.EMPTY else 'behind this version'}. "
                f"Bring it up to date with: {MIGRATE_COMMAND}"
            )
        if found is not SchemaState.EMPTY:
            backup = back_up(url)
        if found is SchemaState.UNSTAMPED:
            base = ScriptDirectory.from_config(config).get_base()
            command.stamp(config, base or "head")
        command.upgrade(config, "head")
        return SchemaReport(found, head, backup)
    finally:
        engine.dispose()


def _make_private_file(url: str) -> None:
    """Make SQLite's file where there is none, for its owner alone; its journals get the same mode."""
    parsed = make_url(url)
    file = parsed.database
    if parsed.get_backend_name() != "sqlite" or not file or file == ":memory:":
        return
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def back_up(url: str) -> Path | None:
    """Copy a SQLite file beside itself, consistently; None for other databases."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    source = Path(parsed.database)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = source.with_name(f"{source.name}.before-{stamp}")
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    shutil.copymode(source, target)
    return target


def migrate(url: str, revision: str = "head") -> SchemaReport:
    """Upgrade (or, for an earlier revision, downgrade) on request; what `migrate` calls.

    Raises
    ------
    SchemaBlocked
        When the database is newer than the code, not ours, or the revision is unknown.
    """
    if revision == "head":
        return ensure_schema(url, auto_migrate=True)
    from alembic import command
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.script.revision import RevisionError
    from alembic.util.exc import CommandError

    config = alembic_config(url)
    script = ScriptDirectory.from_config(config)
    try:
        known = revision == "base" or script.get_revision(revision) is not None
    except (RevisionError, CommandError):
        known = False
    if not known:
        raise SchemaBlocked(
            f"There is no revision “{revision}”. Name `head`, `base` or a revision's id."
        )
    engine = make_engine(url)
    try:
        found, _ = examine(engine, config)
        with engine.connect() as connection:
            present = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    if found in (SchemaState.NEWER, SchemaState.FOREIGN):
        return ensure_schema(url, auto_migrate=True)  # raises, and says why
    backup = None if found is SchemaState.EMPTY else back_up(url)
    if found is SchemaState.UNSTAMPED:
        command.stamp(config, script.get_base() or "head")
        present = script.get_base()
    older = (
        {item.revision for item in script.iterate_revisions(present, "base")} if present else set()
    )
    if revision == "base" or revision in older:
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)
    return SchemaReport(found, revision, backup)
