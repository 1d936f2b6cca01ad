"""`jupyter pycaret-ops doctor`: checks of everything that the server needs, with remedies.

It changes nothing: missing files are not created, and the database is opened for reading only.
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

#: bytes; with less free space, a run may not be able to store its pipeline
MIN_FREE_BYTES = 256 * 2**20

Verdict = Literal["ok", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `remedy` is what to do when it is not `ok`."""

    what: str
    verdict: Verdict
    message: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the finding as `doctor --json` writes it."""
        return {
            "what": self.what,
            "verdict": self.verdict,
            "said": self.message,
            "remedy": self.remedy,
        }


def check_all(settings: PyCaretOpsApp) -> Iterator[Finding]:
    """Yield the findings of all checks, the fast ones first; the last check starts a worker kernel."""
    with tempfile.TemporaryDirectory(prefix="pco-doctor-") as folder, _temporary_home(Path(folder)):
        yield from _findings_or_error("database", lambda: _database(settings))
        yield from _findings_or_error("artifacts", lambda: _artifacts(settings.artifact_root))
        yield from _findings_or_error("key file", lambda: _key_file(Path(settings.key_file)))
        yield from _findings_or_error(
            "kernelspec", lambda: _kernelspec(settings.worker_kernel_name)
        )
        yield from _findings_or_error(
            "engine",
            lambda: _engine(settings.worker_kernel_name),
            f"Runs execute in the kernel “{settings.worker_kernel_name}”: its environment needs "
            "pip install jupyter-pycaret-ops.",
        )


def _findings_or_error(
    what: str,
    check: Callable[[], Iterator[Finding]],
    remedy: str = "See the message.",
) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as error:  # the other checks go on
        message = (
            error.message if isinstance(error, OpsError) else f"{type(error).__name__}: {error}"
        )
        yield Finding(what, "bad", message, remedy)


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
                "Check that it is a SQLite file and that you may read it."
                if is_sqlite
                else "Check host, port, name and password, and that the server is running."
            )
            yield Finding("database", "bad", f"{shown} cannot be opened: {error}", remedy)
            return
        yield Finding("database", "ok", f"{shown} can be opened")
        if file is not None and not os.access(file, os.W_OK):
            yield Finding(
                "database",
                "bad",
                f"{system_user()} cannot write to {file}",
                f"Change its owner to the user of the server: chown {system_user()} {file}",
            )
        if file is not None and (kind := file_system_of(file.parent)) in _network_file_systems():
            yield Finding(
                "database",
                "note",
                f"it is on a network file system ({kind}), where SQLite is slow and its locks may fail",
                "Move it to a local disk with PyCaretOpsApp.database_url.",
            )
        yield from _schema(state, head, settings, is_sqlite=is_sqlite)
        if state is SchemaState.CURRENT:
            yield from _findings_or_error(
                "runs", lambda: _runs(engine, settings.pool, is_sqlite=is_sqlite)
            )
    finally:
        engine.dispose()


def _missing_database(file: Path, shown: str, settings: PyCaretOpsApp) -> Iterator[Finding]:
    """Check a SQLite file that does not exist yet; the server creates it."""
    if (problem := _creation_problem(file.parent)) is not None:
        remedy = "Check that the folder exists and that you may write to it."
        yield Finding("database", "bad", f"{shown} cannot be created: {problem}", remedy)
        return
    yield Finding("database", "ok", f"{shown} is created when the server first starts")
    yield from _schema(SchemaState.EMPTY, "the newest revision", settings, is_sqlite=True)


def _creation_problem(folder: Path) -> str | None:
    """Return why a folder could not be created, with its parents, or written to; None when it could."""
    existing = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
    if not existing.is_dir():
        return f"{existing} is not a folder"
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"{system_user()} cannot write to {existing}"
    return None


def _reading_engine(url: URL) -> Engine:
    """Return a database engine that changes neither files nor records."""
    from sqlalchemy import create_engine

    from .store.session import make_engine

    if url.get_backend_name() != "sqlite":
        return make_engine(url).execution_options(postgresql_readonly=True)

    def connect() -> sqlite3.Connection:
        file = Path(str(url.database)).absolute()
        # without a server nobody writes, and with `immutable` SQLite creates no further files
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
            "the database was created by a newer version",
            "pip install --upgrade jupyter-pycaret-ops",
        )
    elif state is SchemaState.FOREIGN:
        yield Finding(
            "migrations",
            "bad",
            "the database has tables of another application",
            "Set PyCaretOpsApp.database_url to an empty database.",
        )
    elif upgrades:
        yield Finding(
            "migrations",
            "ok",
            f"the database is {state}; the server migrates it to {head} when it starts",
        )
    else:
        yield Finding("migrations", "bad", f"the database is {state}", f"Run: {MIGRATE_COMMAND}")


def _runs(engine: Engine, pool: str, *, is_sqlite: bool) -> Iterator[Finding]:
    """Check for runs that wait for another server, or whose server has not renewed its lease."""
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
    # a notebook run waits for its notebook, not for a server
    foreign = [
        row
        for row in rows
        if row.status == Status.QUEUED and row.pool != pool and row.executor != "notebook"
    ]
    active = len(rows) - len(lapsed) - len(foreign)
    yield Finding("runs", "ok", f"{active} queued or running" if active else "none is stuck")
    for row in lapsed:
        since = f" since {row.lease_expires_at:%Y-%m-%d %H:%M} UTC" if row.lease_expires_at else ""
        yield Finding(
            "runs",
            "bad",
            f"{_run_name(row)} is running, but its server {row.leased_by or row.pool} is silent{since}",
            _remedy(row.pool, pool, is_sqlite=is_sqlite),
        )
    for row in foreign:
        yield Finding(
            "runs",
            "bad",
            f"{_run_name(row)} waits for a server of {row.pool}; this one is of {pool}",
            _remedy(row.pool, pool, is_sqlite=is_sqlite),
        )


def _run_name(row: Any) -> str:
    return f"run {row.experiment or ''} {row.plan} (…{row.id[-6:]})".replace("  ", " ")


def _remedy(run_pool: str, own_pool: str, *, is_sqlite: bool) -> str:
    """Return what to do about a run without a server."""
    if is_sqlite or run_pool == own_pool:
        return "Start a Jupyter server with this database. It requeues or ends the run."
    return f"Start the server of {run_pool} again, or cancel the run: jupyter pycaret-ops cancel"


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _network_file_systems() -> frozenset[str]:
    from .store.session import NETWORK_FILE_SYSTEMS

    return NETWORK_FILE_SYSTEMS


def _artifacts(root: str) -> Iterator[Finding]:
    """Check whether files can be stored there, without writing one."""
    is_local = "://" not in root or root.startswith(("file://", "local://"))
    if not is_local:
        yield from _remote_artifacts(root)
        return
    folder = Path(root.split("://", 1)[-1])
    remedy = (
        "Check permissions and free space, or set PyCaretOpsApp.artifact_root. An s3:// URL needs "
        "pip install 'jupyter-pycaret-ops[s3]' and credentials."
    )
    if (problem := _creation_problem(folder)) is not None:
        yield Finding("artifacts", "bad", f"cannot write to {root}: {problem}", remedy)
        return
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    free = shutil.disk_usage(existing).free
    if free < MIN_FREE_BYTES:
        yield Finding(
            "artifacts", "bad", f"only {free / 2**20:,.0f} MiB are free for {root}", remedy
        )
        return
    state = "is writable" if folder.exists() else "is created when first needed"
    yield Finding("artifacts", "ok", f"{root} {state}, {free / 2**30:,.0f} GiB are free")


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
            "Check URL and credentials. An s3:// URL needs pip install 'jupyter-pycaret-ops[s3]'.",
        )
        return
    yield Finding("artifacts", "ok", f"{root} can be reached; nothing was written")


def _key_file(file: Path) -> Iterator[Finding]:
    if not file.exists():
        if (problem := _creation_problem(file.parent)) is not None:
            yield Finding(
                "key file",
                "bad",
                f"{file} cannot be created: {problem}",
                "Set PyCaretOpsApp.key_file.",
            )
            return
        yield Finding("key file", "ok", f"{file} is created when first needed")
        return
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        yield Finding(
            "key file",
            "bad",
            f"other users can read {file} (mode {mode:04o}), which signs pipelines and decrypts secrets",
            f"Run: chmod 600 {file}",
        )
        return
    if file.stat().st_size < KEY_BYTES:
        yield Finding(
            "key file",
            "bad",
            f"{file} has {file.stat().st_size} bytes, but a key has at least {KEY_BYTES}",
            "Restore it from a backup. Without one, delete it: a new key is created, and pipelines have to be "
            "promoted again and secrets entered again.",
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
            f"“{name}” starts {spec.argv[0]}, which does not exist",
            "Install the kernel again: python -m ipykernel install --sys-prefix",
        )
        return
    yield Finding("kernelspec", "ok", f"“{name}” starts {spec.argv[0]}")


def _engine(kernel_name: str) -> Iterator[Finding]:
    description = asyncio.run(_describe(kernel_name))
    versions = description.get("versions") or {}
    listed = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    yield Finding("engine", "ok", listed or "a worker kernel described it")
    for task in description["tasks"]:
        if task.get("is_available"):
            n_models = sum(1 for model in task["models"] if model.get("is_available", True))
            plans = ", ".join(plan["id"] for plan in task["plans"])
            message = f"{n_models} models; plans: {plans or 'none in this version'}"
            yield Finding(task["id"], "ok" if plans else "note", message)
        else:
            extra = task.get("extra") or ""
            yield Finding(
                task["id"],
                "note",
                "not available: its libraries are missing",
                f"pip install 'jupyter-pycaret-ops[{extra}]'" if extra else "",
            )


async def _describe(kernel_name: str) -> dict[str, Any]:
    """Return the description of the engine by a kernel that is started for it."""
    from jupyter_client.kernelspec import KernelSpecManager

    from .executors.engine_description import EngineDescription
    from .executors.kernel.pool import PoolSettings, WorkerPool

    async def nothing(*_: object) -> None:
        """Record no worker."""

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
def _temporary_home(folder: Path) -> Iterator[None]:
    """Make libraries and kernels store their files in `folder`, not in the home folder of the user."""
    names = ["JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"]
    ipython = Path(os.environ.get("IPYTHONDIR") or Path.home() / ".ipython")
    if not ipython.exists():  # listing kernelspecs creates it
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
