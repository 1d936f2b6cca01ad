"""Endpoints as this server serves them: what the database says, with schema and queue at hand."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...common.errors import Conflict, NotFound, OpsError, Unavailable
from ..background import BackgroundTasks
from ..files.file_store import FileStore
from ..store import deployments
from ..store.models import Deployment, Pipeline
from ..store.session import Store
from ..vault import Vault
from .batcher import Batcher, BatcherLimits
from .kernel_link import (
    KernelLink,
    LinkInterrupted,
    LinkLost,
    LinkSilent,
    LinkTooLarge,
    PredictFailed,
)
from .quarantine import Quarantine
from .row_validation import RowValidator

log = logging.getLogger("jupyter_pycaret_ops")

#: how long what another server has changed may go unseen, in seconds
FRESH_S = 5.0
#: how long a new deployment is waited for, in seconds
WARM_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Model:
    """A pipeline, ready to be served: several endpoints may share it."""

    pipeline_id: str
    name: str
    version: int
    schema: dict[str, Any]
    checker: RowValidator
    task: str
    labels: list[Any] | None
    sha256: str
    signature: str
    size_bytes: int
    storage_key: str

    def __str__(self) -> str:
        return f"The pipeline “{self.name}”, version {self.version},"


@dataclass(slots=True)
class Endpoint:
    """A deployment as a request meets it."""

    deployment_id: str
    slug: str
    workspace_id: str
    status: str
    auth_mode: str
    model: Model
    batcher: Batcher
    read_at: float


class Endpoints:
    """Deployments by slug. What changes here is forgotten at once, what others change within seconds."""

    def __init__(
        self,
        store: Store,
        artifacts: FileStore,
        vault: Vault,
        link: KernelLink,
        *,
        background: BackgroundTasks,
        monotonic: Callable[[], float],
        limits: BatcherLimits | None = None,
        folder: Path | None = None,
    ) -> None:
        #: for copies of pipelines whose store is elsewhere
        self._folder = folder
        self._store = store
        self._artifacts = artifacts
        self._vault = vault
        self._link = link
        self._background = background
        self._monotonic = monotonic
        self._limits = limits
        self._known: dict[str, Endpoint] = {}
        self._reading: dict[str, asyncio.Task[Endpoint]] = {}
        #: pipeline → its loading under way, which all share who wait for it
        self._loading: dict[str, asyncio.Task[None]] = {}
        #: pipeline → how long its loading took, in ms
        self._load_ms: dict[str, float] = {}
        self._blamed = Quarantine(monotonic)

    async def get(self, name: str) -> Endpoint:
        """The endpoint with that slug or id.

        Raises
        ------
        NotFound
            When there is none.
        """
        known = self._known.get(name)
        if known is not None and self._monotonic() - known.read_at < FRESH_S:
            return known
        reading = self._reading.get(name)
        if reading is None:
            reading = asyncio.create_task(self._read(name))
            self._reading[name] = reading
            reading.add_done_callback(lambda _: self._reading.pop(name, None))
        return await asyncio.shield(reading)

    async def warm(self, name: str, within_s: float = WARM_WITHIN_S) -> None:
        """Have the pipeline of a new or changed deployment loaded before the first request.

        Waits for it for `within_s` seconds; a failure is told at the first request.
        """
        try:
            endpoint = await self.get(name)
            self._blamed.forgive(endpoint.model.pipeline_id)
            if endpoint.status == "active":
                await self._loaded(endpoint.model, within_s)
        except OpsError as error:
            log.info("deployment %s could not be loaded ahead: %s", name, error)

    async def check(self, endpoint: Endpoint, within_s: float = WARM_WITHIN_S) -> None:
        """Return where a deployment answers now: its pipeline is loaded, in a kernel that gives signs of life.

        Raises
        ------
        Conflict
            When it is paused.
        Unavailable
            When it does not answer; the message says why.
        """
        refuse_paused(endpoint)
        await self._loaded(endpoint.model, within_s)
        if not await self._link.answers():
            raise Unavailable("The serving kernel does not answer.", retry_after_s=5)

    async def is_ready(self, pipeline_id: str) -> bool:
        """Return whether a pipeline is loaded in a kernel that gives signs of life now; loads nothing."""
        return self._link.has(pipeline_id) and await self._link.answers()

    def load_ms(self, pipeline_id: str) -> float | None:
        """Return how long the last loading of a pipeline took here, in ms."""
        return self._load_ms.get(pipeline_id)

    async def _read(self, name: str) -> Endpoint:
        found = await self._store.read(deployments.served, name)
        known = self._known.get(name)
        if found is None:
            if known is not None:
                self.evict(known.deployment_id)
            raise NotFound(f"There is no deployment named “{name}”.")
        deployment, pipeline = found
        if known is not None and known.model.pipeline_id != pipeline.id:
            self.evict(known.deployment_id)
            known = None
        if known is None:
            known = self._new(deployment, pipeline)
        known.status = deployment.status
        known.auth_mode = deployment.auth_mode
        known.read_at = self._monotonic()
        self._known[name] = known
        return known

    def _new(self, deployment: Deployment, pipeline: Pipeline) -> Endpoint:
        model = Model(
            pipeline_id=pipeline.id,
            name=pipeline.name,
            version=pipeline.version,
            schema=pipeline.input_schema,
            checker=RowValidator(pipeline.input_schema),
            task=pipeline.task,
            labels=pipeline.labels,
            sha256=pipeline.sha256,
            signature=pipeline.signature,
            size_bytes=pipeline.size_bytes,
            storage_key=pipeline.storage_key,
        )
        # the same deployment may be known by its id: one queue for both
        twin = next(
            (
                item
                for item in self._known.values()
                if item.deployment_id == deployment.id and item.model.pipeline_id == pipeline.id
            ),
            None,
        )
        if twin is not None:
            return twin
        return Endpoint(
            deployment_id=deployment.id,
            slug=deployment.endpoint_slug,
            workspace_id=deployment.workspace_id,
            status=deployment.status,
            auth_mode=deployment.auth_mode,
            model=model,
            batcher=Batcher(lambda rows, proba: self._predict(model, rows, proba), self._limits),
            read_at=0.0,
        )

    def evict(self, deployment_id: str) -> None:
        """Forget a deployment that has changed or is gone; what waits in its queue is still answered."""
        for name, endpoint in list(self._known.items()):
            if endpoint.deployment_id == deployment_id:
                del self._known[name]
                key = endpoint.model.pipeline_id
                if not any(other.model.pipeline_id == key for other in self._known.values()):
                    self._background.start(
                        self._unload_when_drained(endpoint.batcher, key), "unload-pipeline"
                    )

    async def _unload_when_drained(self, batcher: Batcher, pipeline_id: str) -> None:
        await batcher.drained()
        if not self._in_use(pipeline_id):
            self._link.unload(pipeline_id)

    def _in_use(self, pipeline_id: str) -> bool:
        return any(item.model.pipeline_id == pipeline_id for item in self._known.values())

    async def _predict(self, model: Model, rows: list[list[Any]], proba: bool) -> dict[str, Any]:
        if not self._link.has(model.pipeline_id):
            await self._loaded(model)
        try:
            return await self._link.predict(model.pipeline_id, rows, proba=proba)
        except LinkSilent:
            self._blamed.blame(model.pipeline_id, f"{model} did not answer in time, twice.")
            raise

    async def _loaded(self, model: Model, within_s: float | None = None) -> None:
        """Return when the pipeline is in the serving kernel.

        Raises
        ------
        Unavailable
            When it cannot be loaded, or not within `within_s` seconds; then the loading goes on.
        LinkLost
            When the kernel dies of it.
        """
        key = model.pipeline_id
        if self._link.has(key):
            return
        self._blamed.refuse(key)
        loading = self._loading.get(key)
        if loading is None:
            loading = asyncio.create_task(self._load(model), name=f"load-{key}")
            self._loading[key] = loading
            loading.add_done_callback(lambda done: self._forget_loading(key, done))
        done, _ = await asyncio.wait({loading}, timeout=within_s)
        if not done:
            raise Unavailable(f"{model} is still being loaded.", retry_after_s=5)
        try:
            loading.result()
        except LinkLost as error:
            if within_s is None:
                raise
            raise Unavailable(f"{model} could not be loaded: {error}.") from error

    def _forget_loading(self, key: str, loading: asyncio.Task[None]) -> None:
        self._loading.pop(key, None)
        if not loading.cancelled():
            loading.exception()  # whoever waits has it too

    async def _load(self, model: Model) -> None:
        """Load a pipeline after its digest and signature were checked; the kernel reads the file itself.

        Raises
        ------
        Unavailable
            When the stored file is lost or not the one that was signed, or cannot be loaded.
        LinkLost
            When the kernel dies of it.
        """
        began = self._monotonic()
        key = model.pipeline_id
        copy: Path | None = None
        try:
            path = await self._artifacts.in_thread_whole(self._checked_path, model)
            if path is None:
                copy = path = await self._artifacts.in_thread_whole(self._fetched, model)
            await self._link.load(key, path, model.size_bytes, model.sha256, model.schema)
        except NotFound as error:
            raise Unavailable(
                f"{model} is lost: its file is no longer in the artifact store. Restore it, or deploy "
                "another version.",
                retry_after_s=60,
            ) from error
        except PredictFailed as error:
            raise Unavailable(
                f"{model} cannot be loaded in the serving kernel ({error}). Its environment "
                "may have changed since training: train again, or restore the packages.",
                retry_after_s=60,
            ) from error
        except LinkInterrupted:
            raise
        except LinkSilent:
            why = f"{model} was not loaded in time, and its kernel was ended."
            self._blamed.blame(key, why, for_certain=True)
            raise
        except LinkTooLarge as error:
            self._blamed.blame(key, f"{model} is too large. {error}", for_certain=True)
            raise Unavailable(str(error), retry_after_s=60) from error
        except LinkLost:
            self._blamed.blame(key, f"{model} ended the serving kernel while it was loaded, twice.")
            raise
        finally:
            if copy is not None:
                copy.unlink(missing_ok=True)
        self._load_ms[key] = round((self._monotonic() - began) * 1000, 3)

    def _checked_path(self, model: Model) -> Path | None:
        """Return where the file of a pipeline lies, None where it must be fetched; it is read, not held."""
        digest = self._artifacts.digest(model.storage_key)
        if digest != model.sha256 or not self._vault.is_signed(digest, model.signature):
            raise Unavailable(
                f"{model} is damaged: its file is not the one that this server signed, so it is not "
                "loaded. Promote the run again.",
                retry_after_s=60,
            )
        return self._artifacts.local_path(model.storage_key)

    def _fetched(self, model: Model) -> Path:
        """Copy the file of a pipeline from a store elsewhere; the kernel checks the copy's digest."""
        handle, name = tempfile.mkstemp(prefix="pipeline-", dir=self._folder)
        os.close(handle)
        try:
            self._artifacts.fetch(model.storage_key, Path(name))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return Path(name)


def refuse_paused(endpoint: Endpoint) -> None:
    """Raise Conflict when the deployment is paused."""
    if endpoint.status != "active":
        raise Conflict(
            f"The deployment “{endpoint.slug}” is {endpoint.status}. Resume it to predict."
        )


__all__ = ["Endpoint", "Endpoints", "LinkLost", "Model", "refuse_paused"]
