"""A database is brought up to date, or left as it is with a word on what mends it."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url

from jupyter_pycaret_ops.server.store import bootstrap
from jupyter_pycaret_ops.server.store.bootstrap import (
    SchemaBlocked,
    SchemaState,
    ensure_schema,
    migrate,
)
from jupyter_pycaret_ops.server.store.models import Base
from jupyter_pycaret_ops.server.store.session import Store, make_engine

from ...fakes import HandClock
from ...fakes.backends import SQLITE_ONLY
from ...fakes.records import World, everything

ROOT = Path(__file__).resolve().parents[3]
TABLES = {
    *("users", "api_keys", "workspaces", "workspace_members", "projects", "data_sources"),
    *("data_versions", "profiles"),
    *("experiments", "runs", "events", "artifacts", "fold_metrics", "pipelines"),
    *("deployments", "workers"),
}
LATER = '''
"""One column more."""

import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "{base}"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("workspaces", sa.Column("colour", sa.String(16)))


def downgrade():
    with op.batch_alter_table("workspaces") as batch:
        batch.drop_column("colour")
'''


@pytest.fixture
def address(empty_url: str) -> str:
    return empty_url


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    engine = make_engine(address)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def ask(address: str, statement: str) -> list[tuple[object, ...]]:
    with connected(address) as connection:
        found = connection.execute(text(statement))
        return [tuple(row) for row in found] if found.returns_rows else []


def tables(address: str) -> set[str]:
    with connected(address) as connection:
        return set(inspect(connection).get_table_names())


def columns(address: str, table: str) -> set[str]:
    with connected(address) as connection:
        return {column["name"] for column in inspect(connection).get_columns(table)}


def revision_of(address: str) -> list[tuple[object, ...]]:
    return ask(address, "select version_num from alembic_version")


def contents(address: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, whoever they belong to."""
    return {
        name: sorted(ask(address, f'select * from "{name}"'), key=repr) for name in tables(address)
    }


def rows_of(address: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of our tables, in the columns that the models name."""
    held = {}
    for name, table in Base.metadata.tables.items():
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        held[name] = sorted(ask(address, f'select {names} from "{name}"'), key=repr)
    return held


def file_of(address: str) -> Path | None:
    """The file of a SQLite database."""
    url = make_url(address)
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def backups(address: str) -> list[Path]:
    file = file_of(address)
    return [] if file is None else sorted(file.parent.glob("*.before-*"))


def with_data(address: str) -> dict[str, list[tuple[object, ...]]]:
    """Rows in every table; returns what it holds then."""
    store = Store(address)
    try:
        everything(World(store, HandClock()))
    finally:
        store.close()
    held = rows_of(address)
    assert all(held.values())
    return held


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Call it to move the code on: the package has one revision more from then on."""

    def move_on() -> str:
        base = ensure_schema("sqlite:///" + str(tmp_path / "other.db"), auto_migrate=True).revision
        package = tmp_path / "package"
        shutil.copytree(bootstrap.SERVER / "migrations", package / "migrations")
        revision = package / "migrations" / "versions" / "209901010000_later.py"
        revision.write_text(LATER.format(base=base))
        monkeypatch.setattr(bootstrap, "SERVER", package)
        return base

    return move_on


def test_the_tables_are_those_of_the_design() -> None:
    assert set(Base.metadata.tables) == TABLES


def test_an_empty_database_gets_all_tables_and_no_backup(address: str) -> None:
    report = ensure_schema(address, auto_migrate=True)
    assert (report.found, report.backup) == (SchemaState.EMPTY, None)
    assert tables(address) == TABLES | {"alembic_version"}
    assert backups(address) == []


def test_a_current_database_is_not_touched(address: str) -> None:
    ensure_schema(address, auto_migrate=True)
    before = contents(address)
    for automatic in (True, False):
        assert ensure_schema(address, auto_migrate=automatic).found is SchemaState.CURRENT
    assert contents(address) == before
    assert backups(address) == []


def test_a_database_that_is_behind_is_upgraded_and_loses_nothing(
    address: str, later: Callable[[], str]
) -> None:
    ensure_schema(address, auto_migrate=True)
    rows = with_data(address)
    later()
    report = ensure_schema(address, auto_migrate=True)
    assert (report.found, report.revision) == (SchemaState.BEHIND, "later")
    assert rows_of(address) == rows
    assert "colour" in columns(address, "workspaces")
    assert ensure_schema(address, auto_migrate=True).found is SchemaState.CURRENT
    assert backups(address) == ([report.backup] if report.backup else [])


@SQLITE_ONLY
def test_a_file_that_is_behind_is_copied_first(address: str, later: Callable[[], str]) -> None:
    ensure_schema(address, auto_migrate=True)
    rows = with_data(address)
    file = file_of(address)
    assert file is not None
    file.chmod(0o600)
    later()
    copy = ensure_schema(address, auto_migrate=True).backup
    assert copy is not None
    assert rows_of(f"sqlite:///{copy}") == rows
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


@SQLITE_ONLY
def test_a_copy_holds_what_still_stands_in_the_write_ahead_log(
    address: str, later: Callable[[], str]
) -> None:
    ensure_schema(address, auto_migrate=True)
    with closing(sqlite3.connect(str(file_of(address)))) as database:
        database.execute(
            "insert into users (id, created_at, updated_at, name, display_name)"
            " values ('u', '2026-01-01', '2026-01-01', 'ada', 'ada')"
        )
        database.commit()
        later()
        copy = ensure_schema(address, auto_migrate=True).backup  # the log was not checkpointed yet
    assert ask(f"sqlite:///{copy}", "select name from users") == [("ada",)]


def test_without_auto_migrate_nothing_is_touched_and_the_command_is_named(
    address: str, later: Callable[[], str]
) -> None:
    with pytest.raises(SchemaBlocked, match=r"empty\. .*jupyter pycaret-ops migrate"):
        ensure_schema(address, auto_migrate=False)
    assert tables(address) == set()
    ensure_schema(address, auto_migrate=True)
    base = later()
    before = contents(address)
    with pytest.raises(SchemaBlocked, match=r"behind.*jupyter pycaret-ops migrate"):
        ensure_schema(address, auto_migrate=False)
    assert contents(address) == before
    assert revision_of(address) == [(base,)]
    assert backups(address) == []
    assert migrate(address).found is SchemaState.BEHIND
    assert ensure_schema(address, auto_migrate=False).found is SchemaState.CURRENT


def test_our_tables_without_a_version_are_stamped_as_the_baseline_then_upgraded(
    address: str, later: Callable[[], str]
) -> None:
    ensure_schema(address, auto_migrate=True)
    rows = with_data(address)
    ask(address, "drop table alembic_version")
    with pytest.raises(SchemaBlocked, match="migrate"):
        ensure_schema(address, auto_migrate=False)
    later()
    report = ensure_schema(address, auto_migrate=True)
    assert report.found is SchemaState.UNSTAMPED
    assert (report.backup is None) is (file_of(address) is None)
    assert revision_of(address) == [("later",)]
    assert rows_of(address) == rows


def test_tables_that_were_made_without_alembic_are_those_that_migrations_make(address: str) -> None:
    """What `create_all` makes counts as unstamped, and needs no change afterwards."""
    engine = make_engine(address)
    Base.metadata.create_all(engine)
    engine.dispose()
    assert ensure_schema(address, auto_migrate=True).found is SchemaState.UNSTAMPED
    assert differences(address) == []


@pytest.mark.parametrize("automatic", [True, False])
def test_a_database_of_a_newer_version_is_left_alone(address: str, automatic: bool) -> None:
    ensure_schema(address, auto_migrate=True)
    ask(address, "update alembic_version set version_num = 'tomorrow'")
    before = contents(address)
    with pytest.raises(SchemaBlocked, match=r"newer version.*Upgrade the package"):
        ensure_schema(address, auto_migrate=automatic)
    with pytest.raises(SchemaBlocked, match="newer version"):
        migrate(address, "base")
    assert contents(address) == before


@pytest.mark.parametrize("automatic", [True, False])
@pytest.mark.parametrize("name", ["customers", "users"])
def test_a_database_of_somebody_else_is_left_alone(
    address: str, automatic: bool, name: str
) -> None:
    ask(address, f"create table {name} (id integer)")
    with pytest.raises(SchemaBlocked, match="not of jupyter-pycaret-ops"):
        ensure_schema(address, auto_migrate=automatic)
    with pytest.raises(SchemaBlocked, match="not of jupyter-pycaret-ops"):
        migrate(address, "base")
    assert tables(address) == {name}


def test_tables_of_others_beside_ours_do_no_harm(address: str) -> None:
    ensure_schema(address, auto_migrate=True)
    ask(address, "create table notes (id integer)")
    assert ensure_schema(address, auto_migrate=True).found is SchemaState.CURRENT


# ---------------------------------------------------------------- migrations


def differences(address: str) -> list[object]:
    engine = make_engine(address)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={"compare_type": True, "compare_server_default": True},
            )
            return list(compare_metadata(context, Base.metadata))
    finally:
        engine.dispose()


def test_models_and_migrations_do_not_differ(url: str) -> None:
    assert differences(url) == []


def condition_of(index: Any) -> str:
    """The condition of a partial index as text."""
    options = index.get("dialect_options", {})
    return f"{index['name']}: {options.get('sqlite_where', options.get('postgresql_where'))}"


def schema_of(address: str) -> object:
    """Tables, columns, keys, constraints and indices, as the database tells them."""
    with connected(address) as connection:
        found = inspect(connection)
        return {
            name: [
                repr(found.get_columns(name)),
                repr(found.get_pk_constraint(name)),
                *sorted(map(repr, found.get_foreign_keys(name))),
                *sorted(map(repr, found.get_unique_constraints(name))),
                *sorted(re.sub(r" at 0x\w+", "", repr(one)) for one in found.get_indexes(name)),
                *sorted(condition_of(one) for one in found.get_indexes(name)),
            ]
            for name in found.get_table_names()
        }


def test_up_down_to_nothing_and_up_again_with_rows_in_every_table(address: str) -> None:
    ensure_schema(address, auto_migrate=True)
    before = schema_of(address)
    with_data(address)
    report = migrate(address, "base")
    assert (report.backup is None) is (file_of(address) is None)
    assert tables(address) == {"alembic_version"}
    migrate(address)
    assert schema_of(address) == before
    assert differences(address) == []
    with_data(address)


def test_up_and_down_between_revisions(address: str, later: Callable[[], str]) -> None:
    """Leaving out a column of SQLite copies and drops its table: what refers to its rows stays."""
    ensure_schema(address, auto_migrate=True)
    rows = with_data(address)
    base = later()
    migrate(address)
    assert rows_of(address) == rows
    migrate(address, base)
    assert revision_of(address) == [(base,)]
    assert rows_of(address) == rows
    assert differences(address) == []
    migrate(address, "later")
    assert revision_of(address) == [("later",)]
    assert rows_of(address) == rows


def test_revision_revoked_keys_keeps_every_key_both_ways(address: str) -> None:
    """A revoked key and one of the same name in use: before that revision names were unique."""
    ensure_schema(address, auto_migrate=True)
    with_data(address)
    columns = "workspace_id, deployment_id, scopes, prefix, created_at, updated_at, name"
    with connected(address) as connection:
        connection.execute(text("update api_keys set revoked_at = created_at"))
        connection.execute(
            text(
                f"insert into api_keys (id, key_hash, {columns}) "
                f"select 'second', 'other', {columns} from api_keys"
            )
        )
    query = "select id, name from api_keys order by id"
    before = ask(address, query)
    assert len({name for _, name in before}) == 1
    migrate(address, "narrowed_lists")
    names = dict(ask(address, query))
    assert len(set(names.values())) == len(names) == len(before)
    assert names["second"] == before[0][1], "the one in use keeps its name"
    migrate(address)
    assert dict(ask(address, query)) == names
    assert differences(address) == []


def test_revision_data_versions_makes_files_version_1_and_keeps_the_newest_on_the_way_back(
    address: str,
) -> None:
    ensure_schema(address, auto_migrate=True)
    with_data(address)
    before = ask(address, "select id, storage_key from data_sources")
    migrate(address, "profiles")
    assert "data_versions" not in tables(address)
    assert "version" not in columns(address, "data_sources")
    assert ask(address, "select id, storage_key from data_sources") == before
    migrate(address)
    query = "select data_source_id, version, storage_key, kind from data_versions"
    assert ask(address, query) == [(before[0][0], 1, before[0][1], "csv_upload")]
    assert ask(address, "select version from data_sources") == [(1,)]
    assert differences(address) == []


def test_revision_training_profiles_keeps_pipelines_both_ways(address: str) -> None:
    ensure_schema(address, auto_migrate=True)
    with_data(address)
    query = "select id, name, version, sha256 from pipelines"
    before = ask(address, query)
    migrate(address, "data_versions")
    assert "training_profile" not in columns(address, "pipelines")
    assert ask(address, query) == before
    migrate(address)
    assert ask(address, query) == before
    assert ask(address, "select training_profile from pipelines") == [(None,)] * len(before)
    assert differences(address) == []


def test_revision_kept_models_keeps_runs_both_ways_and_drops_those_without_an_experiment(
    address: str,
) -> None:
    ensure_schema(address, auto_migrate=True)
    with_data(address)
    query = "select id, experiment_id, plan, status from runs order by id"
    before = ask(address, query)
    assert before
    migrate(address, "training_profiles")
    assert "origin_run_id" not in columns(address, "runs")
    assert ask(address, query) == before
    migrate(address)
    assert ask(address, query) == before
    others = [name for name in columns(address, "runs") if name not in ("id", "experiment_id")]
    copied = ", ".join("id" if name == "origin_run_id" else name for name in others)
    with connected(address) as connection:
        connection.execute(
            text(
                f"insert into runs (id, experiment_id, {', '.join(others)}) "
                f"select 'keeper', null, {copied} from runs limit 1"
            )
        )
    migrate(address, "training_profiles")
    assert ask(address, query) == before
    migrate(address)
    assert differences(address) == []


def test_revision_thresholds_keeps_pipelines_and_deployments_both_ways(address: str) -> None:
    ensure_schema(address, auto_migrate=True)
    with_data(address)
    queries = [
        "select id, name, version, sha256 from pipelines order by id",
        "select id, pipeline_id, endpoint_slug, inference_count from deployments order by id",
    ]
    before = [ask(address, query) for query in queries]
    assert all(before)
    migrate(address, "kept_models")
    assert [ask(address, query) for query in queries] == before
    for table in ("pipelines", "deployments"):
        assert "threshold" not in columns(address, table)
    migrate(address)
    assert [ask(address, query) for query in queries] == before
    assert set(ask(address, "select threshold from deployments")) == {(None,)}
    assert differences(address) == []


def test_an_empty_database_can_be_brought_to_an_earlier_revision(
    address: str, later: Callable[[], str]
) -> None:
    base = later()
    migrate(address, base)
    assert revision_of(address) == [(base,)]


def test_plain_alembic_works_from_the_checkout(address: str) -> None:
    environment = {**os.environ, "ALEMBIC_URL": address}
    for arguments in (["upgrade", "head"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
    assert tables(address) == TABLES | {"alembic_version"}
    assert ensure_schema(address, auto_migrate=False).found is SchemaState.CURRENT


def test_servers_that_migrate_at_once_stand_in_line(address: str) -> None:
    """Each in a process of its own: who comes second finds the work done."""
    main = "from jupyter_pycaret_ops.cli import main; main()"
    command = [sys.executable, "-c", main, "migrate", "--url", address]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in started:
        said, failed = process.communicate(timeout=60)
        assert process.returncode == 0, failed
        assert str(make_url(address).password) not in said
    assert tables(address) == TABLES | {"alembic_version"}
    assert ensure_schema(address, auto_migrate=False).found is SchemaState.CURRENT


def test_every_revision_has_a_way_back_and_one_line_of_descent() -> None:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(bootstrap.alembic_config("sqlite://"))
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
    for revision in script.walk_revisions():
        assert callable(revision.module.downgrade)
        assert Path(revision.path).name[:12].isdigit(), "files are named by their UTC date"
