"""`jupyter pycaret-ops doctor`: whether everything that the server needs is there, and what to do where not.

It changes nothing: what is not there is not made, and the database is opened for reading.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy.pool import NullPool

from ..common.errors import OpsError, Unavailable
from .settings import system_user
from .store.bootstrap import SchemaState
from .vault import KEY_BYTES

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

    from .app import PyCaretOpsApp

#: bytes; with less, a run cannot keep its pipeline
LEAST_FREE = 256 * 2**20

Verdict = Literal["ok", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `remedy` says what to do where it is not well."""

    what: str
    verdict: Verdict
    said: str
    remedy: str = ""


def examine(settings: PyCaretOpsApp) -> Iterator[Finding]:
    """Look at everything, the quick things first; the last starts a worker kernel."""
    with tempfile.TemporaryDirectory(prefix="pco-doctor-") as folder, _scratch(Path(folder)):
        yield from _guarded("database", lambda: _database(settings))
        yield from _guarded("artifacts", lambda: _artifacts(settings.artifact_root))
        yield from _guarded("key file", lambda: _key_file(Path(settings.key_file)))
        yield from _guarded("kernelspec", lambda: _kernelspec(settings.worker_kernel_name))
        yield from _guarded(
            "engine",
            lambda: _engine(settings.worker_kernel_name),
            f"Runs execute in the kernel “{settings.worker_kernel_name}”: its environment needs "
            "pip install jupyter-pycaret-ops.",
        )


def _guarded(
    what: str,
    look: Callable[[], Iterator[Finding]],
    remedy: str = "The message above names the cause.",
) -> Iterator[Finding]:
    try:
        yield from look()
    except Exception as error:  # whatever is broken, the rest is looked at
        said = error.message if isinstance(error, OpsError) else f"{type(error).__name__}: {error}"
        yield Finding(what, "bad", said, remedy)


def _database(settings: PyCaretOpsApp) -> Iterator[Finding]:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

    from .store.bootstrap import alembic_config
    from .store.bootstrap import examine as examine_schema
    from .store.session import file_system_of

    try:
        url = make_url(settings.database_url)
        shown = url.render_as_string(hide_password=True)
        is_sqlite = url.get_backend_name() == "sqlite"
        file = Path(url.database) if is_sqlite and url.database else None
        if file is not None and not file.exists():
            yield from _missing_database(file, shown, settings)
            return
        engine = _reading_engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, Unavailable) as error:
        yield Finding(
            "database",
            "bad",
            f"database_url cannot be used: {error}",
            "Set PyCaretOpsApp.database_url, like sqlite:////home/ada/ops.db, or "
            "postgresql+psycopg://user@host/name with pip install 'jupyter-pycaret-ops[postgres]'.",
        )
        return
    try:
        try:
            state, head = examine_schema(engine, alembic_config(settings.database_url))
        except (SQLAlchemyError, OSError) as error:
            remedy = (
                "Check that it is a SQLite file that you may read."
                if is_sqlite
                else "Check host, port, name and password, and that the server runs."
            )
            yield Finding("database", "bad", f"{shown} does not open: {error}", remedy)
            return
        yield Finding("database", "ok", f"{shown} opens")
        if file is not None and not os.access(file, os.W_OK):
            yield Finding(
                "database",
                "bad",
                f"{file} cannot be written to by {system_user()}",
                f"Give it back to the user of the server: chown {system_user()} {file}",
            )
        if file is not None and (kind := file_system_of(file.parent)) in _network_file_systems():
            yield Finding(
                "database",
                "note",
                f"it stands on a network file system ({kind}), where SQLite is slow and locks are unsure",
                "Move it to a local disk with PyCaretOpsApp.database_url.",
            )
        yield from _schema(state, head, settings, is_sqlite=is_sqlite)
        if state is SchemaState.CURRENT:
            yield from _guarded("runs", lambda: _runs(engine, settings.pool, is_sqlite=is_sqlite))
    finally:
        engine.dispose()


def _missing_database(file: Path, shown: str, settings: PyCaretOpsApp) -> Iterator[Finding]:
    """A SQLite file that is not there yet: the server makes it, where it may."""
    if (fault := _why_not_made(file.parent)) is not None:
        remedy = "Check that the folder exists and can be written to."
        yield Finding("database", "bad", f"{shown} cannot be made: {fault}", remedy)
        return
    yield Finding("database", "ok", f"{shown} is made when the server first starts")
    yield from _schema(SchemaState.EMPTY, "the newest revision", settings, is_sqlite=True)


def _why_not_made(folder: Path) -> str | None:
    """Why a folder, with its parents, could not be made and written to; None where it could."""
    there = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
    if not there.is_dir():
        return f"{there} is no folder"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{there} cannot be written to by {system_user()}"
    return None


def _reading_engine(url: URL) -> Engine:
    """An engine that changes nothing: no folder, no file, no row."""
    from sqlalchemy import create_engine

    from .store.session import make_engine

    if url.get_backend_name() != "sqlite":
        return make_engine(url).execution_options(postgresql_readonly=True)

    def connect() -> sqlite3.Connection:
        file = Path(str(url.database)).absolute()
        # where no server has it open nobody writes, and SQLite then leaves no file beside it
        is_open = file.with_name(f"{file.name}-wal").exists()
        query = "mode=ro" if is_open else "mode=ro&immutable=1"
        return sqlite3.connect(f"{file.as_uri()}?{query}", uri=True, timeout=5)

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _schema(
    state: SchemaState, head: str, settings: PyCaretOpsApp, *, is_sqlite: bool
) -> Iterator[Finding]:
    from .store.bootstrap import MIGRATE_COMMAND

    upgrades = settings.auto_migrate if settings.auto_migrate is not None else is_sqlite
    if state is SchemaState.CURRENT:
        yield Finding("migrations", "ok", f"at revision {head}, the newest")
    elif state is SchemaState.NEWER:
        yield Finding(
            "migrations",
            "bad",
            "the database was made by a newer version",
            "pip install --upgrade jupyter-pycaret-ops",
        )
    elif state is SchemaState.FOREIGN:
        yield Finding(
            "migrations",
            "bad",
            "the database holds tables of somebody else",
            "Point PyCaretOpsApp.database_url to an empty database.",
        )
    elif upgrades:
        yield Finding(
            "migrations", "ok", f"the database is {state}; the server brings it to {head} by itself"
        )
    else:
        yield Finding("migrations", "bad", f"the database is {state}", f"Run: {MIGRATE_COMMAND}")


def _runs(engine: Engine, pool: str, *, is_sqlite: bool) -> Iterator[Finding]:
    """Runs that wait for a server, or are held by one, that is not heard of here."""
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from .lifecycle import Status
    from .store.models import Experiment, Run, utc_now

    now = utc_now()
    query = (
        select(
            Run.id,
            Run.status,
            Run.plan,
            Run.pool,
            Run.leased_by,
            Run.lease_expires_at,
            Run.executor,
            Experiment.name.label("experiment"),
        )
        .join(Experiment, Experiment.id == Run.experiment_id, isouter=True)
        .where(Run.status.in_([Status.QUEUED, Status.RUNNING]))
        .order_by(Run.id)
    )
    with Session(engine) as session:
        rows = session.execute(query).all()
    lapsed = [
        row
        for row in rows
        if row.status == Status.RUNNING
        and (row.lease_expires_at is None or _utc(row.lease_expires_at) < now)
    ]
    # a run of a notebook waits for its notebook, not for a server
    foreign = [
        row
        for row in rows
        if row.status == Status.QUEUED and row.pool != pool and row.executor != "notebook"
    ]
    held = len(rows) - len(lapsed) - len(foreign)
    yield Finding(
        "runs", "ok", f"{held} queued or running, and looked after" if held else "none is stuck"
    )
    for row in lapsed:
        since = f" since {row.lease_expires_at:%Y-%m-%d %H:%M} UTC" if row.lease_expires_at else ""
        yield Finding(
            "runs",
            "bad",
            f"{_called(row)} is running, but its server {row.leased_by or row.pool} is silent{since}",
            _settles(row.pool, pool, is_sqlite=is_sqlite),
        )
    for row in foreign:
        yield Finding(
            "runs",
            "bad",
            f"{_called(row)} waits for a server of {row.pool}; this one is of {pool}",
            _settles(row.pool, pool, is_sqlite=is_sqlite),
        )


def _called(row: Any) -> str:
    return f"run {row.experiment or ''} {row.plan} (…{row.id[-6:]})".replace("  ", " ")


def _settles(theirs: str, mine: str, *, is_sqlite: bool) -> str:
    """What makes an end of a run that nobody looks after."""
    if is_sqlite or theirs == mine:
        return "Start a Jupyter server with this database: it settles the run."
    return f"Start the server of {theirs} again, or cancel the run: jupyter pycaret-ops cancel"


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _network_file_systems() -> frozenset[str]:
    from .store.session import NETWORK_FILE_SYSTEMS

    return NETWORK_FILE_SYSTEMS


def _artifacts(root: str) -> Iterator[Finding]:
    """Whether files can be kept there, as far as that shows without writing one."""
    is_local = "://" not in root or root.startswith(("file://", "local://"))
    if not is_local:
        yield from _remote_artifacts(root)
        return
    folder = Path(root.split("://", 1)[-1])
    remedy = (
        "Check its rights and free space, or set PyCaretOpsApp.artifact_root; an s3:// address needs "
        "pip install 'jupyter-pycaret-ops[s3]' and credentials."
    )
    if (fault := _why_not_made(folder)) is not None:
        yield Finding("artifacts", "bad", f"{root} cannot be written to: {fault}", remedy)
        return
    there = next(one for one in (folder, *folder.parents) if one.exists())
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE:
        yield Finding(
            "artifacts", "bad", f"only {free / 2**20:,.0f} MiB are free for {root}", remedy
        )
        return
    how = "can be written to" if folder.exists() else "is made when first needed"
    yield Finding("artifacts", "ok", f"{root} {how}, {free / 2**30:,.0f} GiB are free")


def _remote_artifacts(root: str) -> Iterator[Finding]:
    from fsspec.core import url_to_fs

    try:
        fs, path = url_to_fs(root)
        fs.ls(path) if fs.exists(path) else None
    except Exception as error:
        yield Finding(
            "artifacts",
            "bad",
            f"{root} cannot be reached: {error}",
            "Check address and credentials; an s3:// address needs "
            "pip install 'jupyter-pycaret-ops[s3]'.",
        )
        return
    yield Finding("artifacts", "ok", f"{root} is reached; nothing was written to it")


def _key_file(file: Path) -> Iterator[Finding]:
    if not file.exists():
        if (fault := _why_not_made(file.parent)) is not None:
            yield Finding(
                "key file", "bad", f"{file} cannot be made: {fault}", "Set PyCaretOpsApp.key_file."
            )
            return
        yield Finding("key file", "ok", f"{file} is made when first needed")
        return
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        yield Finding(
            "key file",
            "bad",
            f"{file} can be read by others (mode {mode:04o}); it signs pipelines and opens secrets",
            f"Run: chmod 600 {file}",
        )
        return
    if file.stat().st_size < KEY_BYTES:
        yield Finding(
            "key file",
            "bad",
            f"{file} has {file.stat().st_size} bytes, fewer than a key",
            "Restore it from a backup. If there is none, delete it: a new one is made, and pipelines are "
            "to be promoted and secrets to be entered again.",
        )
        return
    yield Finding("key file", "ok", f"{file}, mode {mode:04o}")


def _kernelspec(name: str) -> Iterator[Finding]:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel:
        yield Finding(
            "kernelspec",
            "bad",
            f"there is no kernel “{name}”",
            "See `jupyter kernelspec list`, and set PyCaretOpsApp.worker_kernel_name.",
        )
        return
    if shutil.which(spec.argv[0]) is None:
        yield Finding(
            "kernelspec",
            "bad",
            f"“{name}” starts {spec.argv[0]}, which is not there",
            "Install the kernel again: python -m ipykernel install --sys-prefix",
        )
        return
    yield Finding("kernelspec", "ok", f"“{name}” starts {spec.argv[0]}")


def _engine(kernel_name: str) -> Iterator[Finding]:
    description = asyncio.run(_describe(kernel_name))
    versions = description.get("versions") or {}
    told = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    yield Finding("engine", "ok", told or "a worker kernel described it")
    for task in description["tasks"]:
        if task.get("is_available"):
            models = sum(1 for model in task["models"] if model.get("is_available", True))
            plans = ", ".join(plan["id"] for plan in task["plans"])
            said = f"{models} models; plans: {plans or 'none in this version'}"
            yield Finding(task["id"], "ok" if plans else "note", said)
        else:
            extra = task.get("extra") or ""
            yield Finding(
                task["id"],
                "note",
                "cannot run: its libraries are missing",
                f"pip install 'jupyter-pycaret-ops[{extra}]'" if extra else "",
            )


async def _describe(kernel_name: str) -> dict[str, Any]:
    """What a kernel that was started for this says of the engine."""
    from jupyter_client.kernelspec import KernelSpecManager

    from .executors.engine_description import EngineDescription
    from .executors.kernel.pool import PoolSettings, WorkerPool

    async def nothing(*_: object) -> None:
        """No table of workers is kept here."""

    specs = KernelSpecManager()
    with tempfile.TemporaryDirectory(prefix="pco-doctor-") as folder:
        pool = WorkerPool(
            PoolSettings(kernel_name, Path(folder), spares=0),
            specs,
            on_started=nothing,
            on_taken=nothing,
            on_ended=nothing,
        )
        try:
            return await EngineDescription(pool, specs, Path(folder) / "cache").get()
        finally:
            await pool.close()


@contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    """Have what libraries and a kernel keep for themselves stand in `folder`, not in the user's home."""
    names = ["JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"]
    ipython = Path(os.environ.get("IPYTHONDIR") or Path.home() / ".ipython")
    if not ipython.exists():  # looking for kernelspecs makes it
        names.append("IPYTHONDIR")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: str(folder / name.lower()) for name in names})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
