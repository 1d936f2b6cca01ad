"""What the engine in the worker kernel offers: probed there, cached on disk by kernelspec and versions."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...common.errors import Invalid, Unavailable
from .kernel.pool import WARM_TIMES, KernelUnavailable, WorkerPool
from .kernel.worker import WorkerDied, WorkerRefused

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpecManager

log = logging.getLogger("jupyter_pycaret_ops")

#: packages whose version decides what the engine offers
DECIDING = (
    "jupyter-pycaret-ops",
    "pycaret",
    "scikit-learn",
    "pandas",
    "pyod",
    "sktime",
    "xgboost",
    "xgboost-cpu",
    "lightgbm",
    "catboost",
)


class EngineDescription:
    """Answers of `/describe`, and the rules that submissions are checked against."""

    def __init__(self, pool: WorkerPool, kernel_specs: KernelSpecManager, cache_dir: Path) -> None:
        self._pool = pool
        self._kernel_specs = kernel_specs
        self._cache_dir = cache_dir
        self._known: dict[str, Any] | None = None
        self._probing = asyncio.Lock()

    async def get(self) -> dict[str, Any]:
        """The whole description; the first call may take until a kernel is up.

        Raises
        ------
        Unavailable
            When no worker kernel can be asked.
        """
        if self._known is None:
            async with self._probing:
                if self._known is None:
                    self._known = await self._load()
        return self._known

    async def task(self, task_id: str) -> dict[str, Any]:
        """What the engine offers for one task.

        Raises
        ------
        Invalid
            When there is no such task.
        """
        tasks = (await self.get())["tasks"]
        for task in tasks:
            if task["id"] == task_id:
                found: dict[str, Any] = task
                return found
        names = ", ".join(task["id"] for task in tasks)
        raise Invalid(
            f"There is no task “{task_id}”; there are {names}.",
            errors=[{"loc": ["task"], "msg": f"must be one of {names}"}],
        )

    async def _load(self) -> dict[str, Any]:
        file = await asyncio.to_thread(self._cache_file)
        if file is not None:
            cached = await asyncio.to_thread(_read, file)
            if cached is not None:
                return cached
        try:
            worker = await self._pool.take("probe")
        except KernelUnavailable as error:
            raise Unavailable(str(error), retry_after_s=10) from error
        answered = False
        try:
            # it imports the engine, as warming up does
            within_s = WARM_TIMES * self._pool.settings.answer_s
            text = await worker.ask("", "_pycaret_ops_agent.describe_json()", within_s=within_s)
            description: dict[str, Any] = json.loads(text)
            answered = True
        except (WorkerDied, WorkerRefused, ValueError) as error:
            raise Unavailable(
                f"The worker kernel could not describe the engine ({error.args[0]}). "
                "Check that PyCaret can be imported in its environment.",
                retry_after_s=10,
            ) from error
        finally:
            if answered:
                self._pool.give_back(worker)
            else:
                await asyncio.shield(self._pool.end(worker))
        if file is not None:
            await asyncio.to_thread(_write, file, text)
        return description

    def _cache_file(self) -> Path | None:
        """Where the description of this environment is kept; None for an environment not our own."""
        try:
            spec = self._kernel_specs.get_kernel_spec(self._pool.settings.kernel_name)
        except Exception:
            return None
        command = spec.argv[0]
        own = {sys.executable, os.path.realpath(sys.executable), "python", "python3"}
        if command not in own and os.path.realpath(command) not in own:
            return None  # another environment: its versions are not known here
        versions = []
        for package in DECIDING:
            try:
                versions.append(f"{package}={importlib.metadata.version(package)}")
            except importlib.metadata.PackageNotFoundError:
                versions.append(f"{package}=")
        key = "\n".join([sys.version, *spec.argv, *versions, _engine_source_stamp()])
        return self._cache_dir / f"engine-{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def _engine_source_stamp() -> str:
    """Return the newest change of what describes the engine, so that a development checkout is probed again."""
    package = Path(__file__).resolve().parents[2]
    files = [*(package / "kernel" / "engine").rglob("*.py"), *(package / "common").glob("*.py")]
    return str(max((file.stat().st_mtime_ns for file in files), default=0))


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=file.parent, delete=False, encoding="utf-8"
        ) as temporary:
            temporary.write(text)
        Path(temporary.name).replace(file)
    except OSError as error:
        log.warning("the engine's description could not be cached: %s", error)
