"""Alembic's environment: our models, on the database of our settings.

The URL is the one that the caller passed, else `ALEMBIC_URL`, else `sqlalchemy.url` of an ini file,
else the database of a server with default settings.
"""

from __future__ import annotations

import os
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, func, select

from jupyter_pycaret_ops.server.settings import default_database_url
from jupyter_pycaret_ops.server.store.models import Base, UtcDateTime
from jupyter_pycaret_ops.server.store.session import make_engine

#: the number of PostgreSQL's advisory lock that stands for migrating our tables
MIGRATING = 7_296_012
config = context.config


def database_url() -> str:
    """Where to migrate."""
    passed = config.attributes.get("url")
    chosen = passed or os.environ.get("ALEMBIC_URL") or config.get_main_option("sqlalchemy.url")
    return str(chosen or default_database_url())


def render_item(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """Write our datetime type as plain SQLAlchemy: revisions must not depend on the models of the day."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _ignore_foreign_keys(connection: Connection) -> None:
    """Switch off SQLite's foreign keys, which it heeds only outside of a transaction.

    A batch operation drops the table that it has copied; with foreign keys on, the drop deletes every row
    that refers to it (https://www.sqlite.org/lang_altertable.html, step 1 of the twelve).
    """
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")


def _refuse_dangling_rows(connection: Connection) -> None:
    """Roll back a revision that would leave rows which refer to nothing."""
    found = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if found is not None:
        raise RuntimeError(
            f"this revision leaves rows of {found[0]} that refer to no row of {found[2]}"
        )


def run() -> None:
    """Migrate with a connection of our own."""
    engine = make_engine(database_url())
    try:
        # on SQLite a writer from the first statement on: who migrates at the same time waits, then finds it done
        with engine.execution_options(sqlite_immediate=True).connect() as connection:
            sqlite = connection.dialect.name == "sqlite"
            if sqlite:
                _ignore_foreign_keys(connection)
            else:
                connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                render_as_batch=sqlite,
                render_item=render_item,
                compare_type=True,
                compare_server_default=True,
            )
            with context.begin_transaction():
                context.run_migrations()
                if sqlite:
                    _refuse_dangling_rows(connection)
            connection.commit()
    finally:
        engine.dispose()


if context.is_offline_mode():
    context.configure(url=database_url(), target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    run()
