"""`jupyter pycaret-ops doctor`: whether everything that the server needs is there, and what to do where not."""

from __future__ import annotations

import asyncio
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .errors import OpsError

if TYPE_CHECKING:
    from .app import PyCaretOpsApp

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

    from .store.bootstrap import MIGRATE_COMMAND, SchemaState, alembic_config
    from .store.bootstrap import examine as examine_schema
    from .store.session import file_system_of, make_engine

    try:
        url = make_url(settings.database_url)
        shown = url.render_as_string(hide_password=True)
        engine = make_engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        yield Finding(
            "database",
            "bad",
            f"database_url cannot be used: {error}",
            "Set PyCaretOpsApp.database_url, like sqlite:////home/ada/ops.db, or "
            "postgresql+psycopg://user@host/name with pip install 'jupyter-pycaret-ops[postgres]'.",
        )
        return
    is_sqlite = url.get_backend_name() == "sqlite"
    try:
        state, head = examine_schema(engine, alembic_config(settings.database_url))
    except (SQLAlchemyError, OSError) as error:
        remedy = (
            "Check that the folder exists and can be written to."
            if is_sqlite
            else "Check host, port, name and password, and that the server runs."
        )
        yield Finding("database", "bad", f"{shown} does not open: {error}", remedy)
        return
    finally:
        engine.dispose()
    yield Finding("database", "ok", f"{shown} opens")
    folder = Path(url.database or ".").parent
    if is_sqlite and (kind := file_system_of(folder)) in _network_file_systems():
        yield Finding(
            "database",
            "note",
            f"it stands on a network file system ({kind}), where SQLite is slow and locks are unsure",
            "Move it to a local disk with PyCaretOpsApp.database_url.",
        )
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


def _network_file_systems() -> frozenset[str]:
    from .store.session import NETWORK_FILE_SYSTEMS

    return NETWORK_FILE_SYSTEMS


def _artifacts(root: str) -> Iterator[Finding]:
    from .artifacts import ArtifactStore

    store = ArtifactStore(root)
    key = "doctor/probe"
    try:
        store.put(key, b"probe")
        if store.read(key) != b"probe":
            raise OSError("what was written is not what is read")
        store.delete(key)
    except Exception as error:
        yield Finding(
            "artifacts",
            "bad",
            f"{root} cannot be written to: {error}",
            "Check its rights and free space, or set PyCaretOpsApp.artifact_root; an s3:// address "
            "needs pip install 'jupyter-pycaret-ops[s3]' and credentials.",
        )
        return
    yield Finding("artifacts", "ok", f"{root} can be written, read and deleted from")


def _key_file(file: Path) -> Iterator[Finding]:
    if not file.exists():
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
    yield Finding("key file", "ok", f"{file}, mode {mode:04o}")


def _kernelspec(name: str) -> Iterator[Finding]:
    import shutil

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

    from .kernels.description import EngineDescription
    from .kernels.pool import PoolSettings, WorkerPool

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
