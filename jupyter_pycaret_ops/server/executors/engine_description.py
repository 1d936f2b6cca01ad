"""What the engine in the worker kernel offers: read in a kernel, cached on disk by kernelspec and versions."""

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
from ..threads import in_thread
from .kernel.pool import PRELOAD_TIMES, KernelUnavailable, WorkerPool
from .kernel.worker import WorkerDied, WorkerRefused

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpecManager

log = logging.getLogger("jupyter_pycaret_ops")

#: packages whose version decides what the engine offers
DESCRIBED_PACKAGES = (
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
    """The answers of `/describe`; submissions are checked against them."""

    def __init__(self, pool: WorkerPool, kernel_specs: KernelSpecManager, cache_dir: Path) -> None:
        self._pool = pool
        self._kernel_specs = kernel_specs
        self._cache_dir = cache_dir
        self._description: dict[str, Any] | None = None
        self._probing = asyncio.Lock()

    async def get(self) -> dict[str, Any]:
        """Return the whole description; the first call may have to start a kernel.

        Raises
        ------
        Unavailable
            When no worker kernel can describe the engine.
        """
        if self._description is None:
            async with self._probing:
                if self._description is None:
                    self._description = await self._load()
        return self._description

    async def task(self, task_id: str) -> dict[str, Any]:
        """Return what the engine offers for one task.

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
        file = await in_thread(self._cache_file)
        if file is not None:
            cached = await in_thread(_read, file)
            if cached is not None:
                return cached
        try:
            worker = await self._pool.take("probe")
        except KernelUnavailable as error:
            raise Unavailable(str(error), retry_after_s=10) from error
        answered = False
        try:
            # it imports the engine, as preloading does
            within_s = PRELOAD_TIMES * self._pool.settings.answer_s
            text = await worker.execute("", "_pycaret_ops_agent.describe_json()", within_s=within_s)
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
            await in_thread(_write, file, text)
        return description

    def _cache_file(self) -> Path | None:
        """Return where the description of this environment is cached; None for another environment."""
        try:
            spec = self._kernel_specs.get_kernel_spec(self._pool.settings.kernel_name)
        except Exception:
            return None
        command = spec.argv[0]
        this_python = {sys.executable, os.path.realpath(sys.executable), "python", "python3"}
        if command not in this_python and os.path.realpath(command) not in this_python:
            return None  # the versions in another environment are not known here
        versions = []
        for package in DESCRIBED_PACKAGES:
            try:
                versions.append(f"{package}={importlib.metadata.version(package)}")
            except importlib.metadata.PackageNotFoundError:
                versions.append(f"{package}=")
        key = "\n".join([sys.version, *spec.argv, *versions, _engine_source_stamp()])
        return self._cache_dir / f"engine-{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def _engine_source_stamp() -> str:
    """Return the time of the newest change of the describing modules, so that a changed checkout is read again."""
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
        log.warning("the description of the engine could not be cached: %s", error)
