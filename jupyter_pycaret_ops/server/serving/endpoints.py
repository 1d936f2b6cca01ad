"""The endpoints of this server: deployments of the database with a validator and a queue each."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...common.errors import NotFound, OpsError, Unavailable
from ..background import BackgroundTasks
from ..files.file_store import FileStore
from ..store import deployments
from ..store.models import Deployment, Pipeline
from ..store.session import Store
from ..vault import Vault
from .batcher import Batcher, BatcherLimits
from .endpoint import Endpoint, Model, Traffic, no_deployment
from .kernel_link import (
    KernelLink,
    LinkInterrupted,
    LinkLost,
    LinkOutOfMemory,
    LinkTimeout,
    PredictFailed,
)
from .quarantine import Quarantine
from .row_validation import RowValidator

log = logging.getLogger("jupyter_pycaret_ops")

#: seconds after which changes by other servers are read
FRESH_S = 5.0
#: seconds to wait for the pipeline of a new deployment to be loaded
PRELOAD_WITHIN_S = 10.0


class Endpoints:
    """Endpoints by slug or id. Changes by this server take effect at once, those by others within `FRESH_S`."""

    def __init__(
        self,
        store: Store,
        artifacts: FileStore,
        vault: Vault,
        link: KernelLink,
        traffic: Traffic,
        *,
        background: BackgroundTasks,
        monotonic: Callable[[], float],
        limits: BatcherLimits | None = None,
        folder: Path | None = None,
    ) -> None:
        #: for copies of pipelines, where the file store is not a local folder
        self._folder = folder
        self._store = store
        self._artifacts = artifacts
        self._vault = vault
        self._link = link
        self._traffic = traffic
        self._background = background
        self._monotonic = monotonic
        self._limits = limits
        self._endpoints: dict[str, Endpoint] = {}
        self._reading: dict[str, asyncio.Task[Endpoint]] = {}
        #: pipeline id -> its loading, which all waiting requests share
        self._loading: dict[str, asyncio.Task[None]] = {}
        #: pipeline id -> duration of its last loading, in ms
        self._load_ms: dict[str, float] = {}
        self._quarantine = Quarantine(monotonic)

    async def get(self, name: str) -> Endpoint:
        """Return the endpoint with that slug or id.

        Raises
        ------
        NotFound
            When there is none.
        """
        endpoint = self._endpoints.get(name)
        if endpoint is not None and self._monotonic() - endpoint.read_at < FRESH_S:
            return endpoint
        reading = self._reading.get(name)
        if reading is None:
            reading = asyncio.create_task(self._read(name))
            self._reading[name] = reading
            reading.add_done_callback(lambda _: self._reading.pop(name, None))
        return await asyncio.shield(reading)

    async def preload(self, name: str, within_s: float = PRELOAD_WITHIN_S) -> None:
        """Load the pipeline of a new or changed deployment before its first request.

        Waits at most `within_s` seconds; a failure is logged, and raised for the first request.
        """
        try:
            endpoint = await self.get(name)
            self._quarantine.clear(endpoint.model.pipeline_id)
            if endpoint.status == "active":
                await self._ensure_loaded(endpoint.model, within_s)
        except OpsError as error:
            log.info("deployment %s could not be preloaded: %s", name, error)

    async def check(self, endpoint: Endpoint, within_s: float = PRELOAD_WITHIN_S) -> None:
        """Return when a deployment can predict now: its pipeline is loaded, in a kernel that responds.

        Raises
        ------
        Conflict
            When it is paused.
        Unavailable
            When it cannot predict; the message says why.
        """
        endpoint.raise_if_paused()
        await self._ensure_loaded(endpoint.model, within_s)
        if not await self._link.is_responsive():
            raise Unavailable("The serving kernel does not answer.", retry_after_s=5)

    async def is_ready(self, pipeline_id: str) -> bool:
        """Return whether a pipeline is loaded, in a kernel that responds; loads nothing."""
        return self._link.has(pipeline_id) and await self._link.is_responsive()

    def load_ms(self, pipeline_id: str) -> float | None:
        """Return the duration of the last loading of a pipeline by this server, in ms; None before the first."""
        return self._load_ms.get(pipeline_id)

    async def _read(self, name: str) -> Endpoint:
        found = await self._store.read(deployments.served, name)
        endpoint = self._endpoints.get(name)
        if found is None:
            if endpoint is not None:
                self.evict(endpoint.deployment_id)
            raise no_deployment(name)
        deployment, pipeline = found
        if endpoint is not None and endpoint.model.pipeline_id != pipeline.id:
            self.evict(endpoint.deployment_id)
            endpoint = None
        if endpoint is None:
            endpoint = self._new(deployment, pipeline)
        endpoint.status = deployment.status
        endpoint.auth_mode = deployment.auth_mode
        endpoint.threshold = deployment.threshold
        endpoint.read_at = self._monotonic()
        self._endpoints[name] = endpoint
        return endpoint

    def _new(self, deployment: Deployment, pipeline: Pipeline) -> Endpoint:
        model = Model(
            pipeline_id=pipeline.id,
            name=pipeline.name,
            version=pipeline.version,
            schema=pipeline.input_schema,
            validator=RowValidator(pipeline.input_schema),
            task=pipeline.task,
            labels=pipeline.labels,
            threshold=pipeline.threshold,
            sha256=pipeline.sha256,
            signature=pipeline.signature,
            size_bytes=pipeline.size_bytes,
            storage_key=pipeline.storage_key,
        )
        # the endpoint may exist under the slug or id of the deployment: both share one queue
        existing = next(
            (
                item
                for item in self._endpoints.values()
                if item.deployment_id == deployment.id and item.model.pipeline_id == pipeline.id
            ),
            None,
        )
        if existing is not None:
            return existing
        return Endpoint(
            deployment_id=deployment.id,
            slug=deployment.endpoint_slug,
            workspace_id=deployment.workspace_id,
            status=deployment.status,
            auth_mode=deployment.auth_mode,
            threshold=deployment.threshold,
            model=model,
            traffic=self._traffic,
            batcher=Batcher(lambda rows, proba: self._predict(model, rows, proba), self._limits),
            read_at=0.0,
        )

    def evict(self, deployment_id: str) -> None:
        """Remove a deployment that was changed or deleted; requests in its queue are still predicted."""
        for name, endpoint in list(self._endpoints.items()):
            if endpoint.deployment_id == deployment_id:
                del self._endpoints[name]
                pipeline_id = endpoint.model.pipeline_id
                if not self._is_used(pipeline_id):
                    self._background.start(
                        self._unload_when_drained(endpoint.batcher, pipeline_id), "unload-pipeline"
                    )

    async def _unload_when_drained(self, batcher: Batcher, pipeline_id: str) -> None:
        await batcher.drained()
        if not self._is_used(pipeline_id):
            self._link.unload(pipeline_id)

    def _is_used(self, pipeline_id: str) -> bool:
        return any(item.model.pipeline_id == pipeline_id for item in self._endpoints.values())

    async def _predict(self, model: Model, rows: list[list[Any]], proba: bool) -> dict[str, Any]:
        if not self._link.has(model.pipeline_id):
            await self._ensure_loaded(model)
        try:
            return await self._link.predict(model.pipeline_id, rows, proba=proba)
        except LinkTimeout:
            self._quarantine.record_death(
                model.pipeline_id, f"{model} did not predict in time, twice."
            )
            raise

    async def _ensure_loaded(self, model: Model, within_s: float | None = None) -> None:
        """Load the pipeline into the serving kernel, unless it is loaded.

        Raises
        ------
        Unavailable
            When it cannot be loaded, or not within `within_s` seconds; in that case the loading goes on.
        LinkLost
            When the loading ends the kernel.
        """
        key = model.pipeline_id
        if self._link.has(key):
            return
        self._quarantine.check(key)
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
            loading.exception()  # also raised in those who wait

    async def _load(self, model: Model) -> None:
        """Verify the digest and signature of a pipeline's file, and load it; the kernel reads the file.

        Raises
        ------
        Unavailable
            When the stored file is missing, is not the signed one, or cannot be loaded.
        LinkLost
            When the loading ends the kernel.
        """
        started = self._monotonic()
        key = model.pipeline_id
        copy: Path | None = None
        try:
            path = await self._artifacts.in_thread_whole(self._verified_path, model)
            if path is None:
                copy = path = await self._artifacts.in_thread_whole(self._fetch_copy, model)
            await self._link.load(key, path, model.size_bytes, model.sha256, model.schema)
        except NotFound as error:
            raise Unavailable(
                f"{model} is lost: its file is no longer in the file store. Restore the file, or deploy "
                "another version.",
                retry_after_s=60,
            ) from error
        except PredictFailed as error:
            raise Unavailable(
                f"{model} cannot be loaded in the serving kernel ({error}). Its environment "
                "may have changed since training. Train again, or restore the packages.",
                retry_after_s=60,
            ) from error
        except LinkInterrupted:
            raise
        except LinkTimeout:
            reason = f"{model} was not loaded in time, so the serving kernel was ended."
            self._quarantine.record_death(key, reason, is_certain=True)
            raise
        except LinkOutOfMemory as error:
            self._quarantine.record_death(key, f"{model} is too large. {error}", is_certain=True)
            raise Unavailable(str(error), retry_after_s=60) from error
        except LinkLost:
            self._quarantine.record_death(
                key, f"{model} ended the serving kernel twice while it was being loaded."
            )
            raise
        finally:
            if copy is not None:
                copy.unlink(missing_ok=True)
        self._load_ms[key] = round((self._monotonic() - started) * 1000, 3)

    def _verified_path(self, model: Model) -> Path | None:
        """Return the path of a pipeline's file, None where it must be fetched; raise Unavailable if it was changed."""
        digest = self._artifacts.digest(model.storage_key)
        if digest != model.sha256 or not self._vault.is_signed(digest, model.signature):
            raise Unavailable(
                f"{model} is damaged: its file is not the one that this server signed. It is not "
                "loaded. Promote the run again.",
                retry_after_s=60,
            )
        return self._artifacts.local_path(model.storage_key)

    def _fetch_copy(self, model: Model) -> Path:
        """Copy the file of a pipeline from the file store and return its path; the kernel checks the digest."""
        handle, name = tempfile.mkstemp(prefix="pipeline-", dir=self._folder)
        os.close(handle)
        try:
            self._artifacts.fetch(model.storage_key, Path(name))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return Path(name)
