"""Endpoints as this server serves them: what the database says, with schema and queue at hand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..artifacts import ArtifactStore
from ..errors import Conflict, NotFound, OpsError, Unavailable
from ..store import deployments
from ..store.models import Deployment, Pipeline
from ..store.session import Store
from ..vault import Vault
from .batcher import Batcher, BatcherLimits
from .link import LinkLost, PredictFailed, ServingLink
from .rows import RowChecker

log = logging.getLogger("jupyter_pycaret_ops")

#: how long what another server has changed may go unseen, in seconds
FRESH_S = 5.0


@dataclass(frozen=True, slots=True)
class Model:
    """A pipeline, ready to be served: several endpoints may share it."""

    pipeline_id: str
    version: int
    schema: dict[str, Any]
    checker: RowChecker
    task: str
    labels: list[Any] | None
    sha256: str
    signature: str
    storage_key: str


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
        artifacts: ArtifactStore,
        vault: Vault,
        link: ServingLink,
        *,
        monotonic: Callable[[], float],
        limits: BatcherLimits | None = None,
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._vault = vault
        self._link = link
        self._monotonic = monotonic
        self._limits = limits
        self._known: dict[str, Endpoint] = {}
        self._reading: dict[str, asyncio.Task[Endpoint]] = {}
        self._loading: dict[str, asyncio.Lock] = {}

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

    async def warm(self, name: str) -> None:
        """Have the pipeline of a new deployment loaded before the first request; a failure waits for that."""
        try:
            endpoint = await self.get(name)
            if not self._link.has(endpoint.model.pipeline_id):
                await self._load(endpoint.model)
        except (OpsError, LinkLost) as error:
            log.info("deployment %s could not be loaded ahead: %s", name, error)

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
            version=pipeline.version,
            schema=pipeline.input_schema,
            checker=RowChecker(pipeline.input_schema),
            task=pipeline.task,
            labels=pipeline.labels,
            sha256=pipeline.sha256,
            signature=pipeline.signature,
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
                    _unload_when_drained(endpoint.batcher, self._link, key, self._in_use)

    def _in_use(self, pipeline_id: str) -> bool:
        return any(item.model.pipeline_id == pipeline_id for item in self._known.values())

    async def _predict(self, model: Model, rows: list[list[Any]], proba: bool) -> dict[str, Any]:
        if not self._link.has(model.pipeline_id):
            await self._load(model)
        return await self._link.predict(model.pipeline_id, rows, proba=proba)

    async def _load(self, model: Model) -> None:
        """Have the pipeline in the serving kernel, after its digest and signature were checked.

        Raises
        ------
        Unavailable
            When the stored file is not the one that was signed, or cannot be loaded.
        LinkLost
            When the kernel dies of it.
        """
        lock = self._loading.setdefault(model.pipeline_id, asyncio.Lock())
        async with lock:
            if self._link.has(model.pipeline_id):
                return
            content = await asyncio.to_thread(self._checked_bytes, model)
            try:
                await self._link.load(model.pipeline_id, content, model.sha256, model.schema)
            except PredictFailed as error:
                raise Unavailable(
                    f"The pipeline cannot be loaded in the serving kernel ({error}). Its environment "
                    "may have changed since training: train again, or restore the packages.",
                    retry_after_s=60,
                ) from error

    def _checked_bytes(self, model: Model) -> bytes:
        import hashlib

        content = self._artifacts.read(model.storage_key)
        digest = hashlib.sha256(content).hexdigest()
        if digest != model.sha256 or not self._vault.is_signed(digest, model.signature):
            raise Unavailable(
                "The stored pipeline is not the one that this server signed, so it is not loaded. "
                "Promote the run again.",
                retry_after_s=60,
            )
        return content


def refuse_paused(endpoint: Endpoint) -> None:
    """Raise Conflict when the deployment is paused."""
    if endpoint.status != "active":
        raise Conflict(
            f"The deployment “{endpoint.slug}” is {endpoint.status}. Resume it to predict."
        )


_unloading: set[asyncio.Task[None]] = set()


def _unload_when_drained(
    batcher: Batcher, link: ServingLink, key: str, in_use: Callable[[str], bool]
) -> None:
    async def work() -> None:
        await batcher.drained()
        if not in_use(key):
            link.unload(key)

    task = asyncio.create_task(work(), name="unload-pipeline")
    _unloading.add(task)
    task.add_done_callback(_unloading.discard)


__all__ = ["Endpoint", "Endpoints", "LinkLost", "Model", "refuse_paused"]
