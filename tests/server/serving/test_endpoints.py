"""Endpoints: caching, changes, and loading of pipelines with a valid signature."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import Conflict, NotFound, RowsInvalid, Unavailable
from jupyter_pycaret_ops.server.background import BackgroundTasks
from jupyter_pycaret_ops.server.files.file_store import FileStore
from jupyter_pycaret_ops.server.serving.endpoints import FRESH_S, Endpoints
from jupyter_pycaret_ops.server.serving.kernel_link import LinkLost, LinkTimeout, PredictFailed
from jupyter_pycaret_ops.server.serving.quarantine import REFUSED_S
from jupyter_pycaret_ops.server.store import deployments
from jupyter_pycaret_ops.server.store.models import Pipeline
from jupyter_pycaret_ops.server.vault import Vault

from ...fakes import Gate, in_loop, settle
from ...fakes.records import World
from ...fakes.traffic import make_traffic

CONTENT = b"a pickle, to be loaded in a kernel only"


class FakeLink:
    """A fake serving kernel that predicts the id of the pipeline."""

    def __init__(self) -> None:
        self.loaded: dict[str, bytes] = {}
        self.loads: list[str] = []
        self.fail: Exception | None = None
        self.alive = True

    def has(self, key: str) -> bool:
        return key in self.loaded

    async def load(
        self, key: str, path: Path, size_bytes: int, sha256: str, schema: dict[str, Any]
    ) -> None:
        await settle()
        if self.fail is not None:
            raise self.fail
        content = path.read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256
        self.loads.append(key)
        self.loaded[key] = content

    async def is_responsive(self) -> bool:
        return self.alive

    async def predict(self, key: str, rows: list[list[Any]], *, proba: bool) -> dict[str, Any]:
        if key not in self.loaded:
            raise LinkLost("the pipeline is not loaded")
        return {"predictions": [key] * len(rows), "probabilities": None}

    def unload(self, key: str) -> None:
        self.loaded.pop(key, None)


class Served:
    """Endpoints with a real store and a fake connection."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.artifacts = FileStore(str(folder / "artifacts"))
        self.vault = Vault(folder / "secret.key")
        self.link = FakeLink()
        self.endpoints = Endpoints(
            world.store,
            self.artifacts,
            self.vault,
            self.link,  # type: ignore[arg-type]
            make_traffic(world),
            background=BackgroundTasks(),
            monotonic=world.clock.monotonic,
        )

    def pipeline(self, content: bytes = CONTENT) -> Pipeline:
        digest = hashlib.sha256(content).hexdigest()
        key = f"pipelines/{self.world.number()}.pkl"
        self.artifacts.put(key, content)
        return self.world.make_pipeline(
            storage_key=key, sha256=digest, signature=self.vault.sign(digest)
        )

    async def predict(self, name: str) -> str:
        endpoint = await self.endpoints.get(name)
        answer = await endpoint.batcher.submit([[1]], proba=False)
        return str(answer.predictions[0])


@pytest.fixture
def served(world: World, tmp_path: Path) -> Served:
    return Served(world, tmp_path)


@in_loop
async def test_pipeline_is_loaded_once(served: Served) -> None:
    pipeline = served.pipeline()
    served.world.deploy(pipeline, "iris")
    for _ in range(3):
        assert await served.predict("iris") == pipeline.id
    assert served.link.loads == [pipeline.id]


@in_loop
async def test_slug_and_id_share_one_queue(served: Served) -> None:
    deployment = served.world.deploy(served.pipeline(), "iris")
    by_slug = await served.endpoints.get("iris")
    by_id = await served.endpoints.get(deployment.id)
    assert by_slug.batcher is by_id.batcher


@in_loop
async def test_change_by_this_server_takes_effect_at_once(served: Served) -> None:
    first, second = served.pipeline(), served.pipeline(b"another")
    deployment = served.world.deploy(first, "iris")
    assert await served.predict("iris") == first.id
    await served.world.store.write(
        deployments.update, served.world.ada, "iris", {"pipeline_id": second.id}
    )
    served.endpoints.evict(deployment.id)
    assert await served.predict("iris") == second.id
    await settle(20)
    assert set(served.link.loaded) == {second.id}


@in_loop
async def test_change_by_another_server_takes_effect_within_seconds(served: Served) -> None:
    first, second = served.pipeline(), served.pipeline(b"another")
    deployment = served.world.deploy(first, "iris")
    assert await served.predict("iris") == first.id
    await served.world.store.write(
        deployments.update,
        served.world.ada,
        "iris",
        {"pipeline_id": second.id, "auth_mode": "public"},
    )
    served.world.clock.advance(FRESH_S - 0.01)
    assert await served.predict("iris") == first.id
    served.world.clock.advance(0.02)
    assert await served.predict("iris") == second.id
    assert (await served.endpoints.get("iris")).auth_mode == "public"
    await served.world.store.write(deployments.delete, served.world.ada, deployment.id)
    served.world.clock.advance(FRESH_S)
    with pytest.raises(NotFound):
        await served.endpoints.get("iris")


@in_loop
async def test_paused_deployment_does_not_predict(served: Served) -> None:
    served.world.deploy(served.pipeline(), "iris")
    (await served.endpoints.get("iris")).raise_if_paused()
    await served.world.store.write(
        deployments.update, served.world.ada, "iris", {"status": "paused"}
    )
    served.world.clock.advance(FRESH_S)
    with pytest.raises(Conflict, match="paused"):
        (await served.endpoints.get("iris")).raise_if_paused()


@in_loop
async def test_changed_file_is_not_loaded(served: Served) -> None:
    pipeline = served.pipeline()
    served.world.deploy(pipeline, "iris")
    served.artifacts.put(pipeline.storage_key, CONTENT + b" and more")
    with pytest.raises(Unavailable, match="not the one that this server signed"):
        await served.predict("iris")
    assert served.link.loads == []


@in_loop
async def test_digest_changed_in_the_database_is_not_loaded(served: Served) -> None:
    """The attacker can write to file store and database, but has no key to sign."""
    evil = b"evil"
    pipeline = served.world.make_pipeline(
        storage_key="pipelines/evil.pkl",
        sha256=hashlib.sha256(evil).hexdigest(),
        signature=served.vault.sign(hashlib.sha256(CONTENT).hexdigest()),
    )
    served.artifacts.put("pipelines/evil.pkl", evil)
    served.world.deploy(pipeline, "iris")
    with pytest.raises(Unavailable, match="signed"):
        await served.predict("iris")
    assert served.link.loads == []


@in_loop
async def test_pipeline_signed_with_another_key_is_not_loaded(
    served: Served, tmp_path: Path
) -> None:
    pipeline = served.pipeline()
    served.world.deploy(pipeline, "iris")
    served.endpoints._vault = Vault(tmp_path / "another.key")
    with pytest.raises(Unavailable, match="signed"):
        await served.predict("iris")


@in_loop
async def test_pipeline_that_cannot_be_loaded_is_unavailable(served: Served) -> None:
    served.world.deploy(served.pipeline(), "iris")
    served.link.fail = PredictFailed("ModuleNotFoundError: No module named 'lightgbm'")
    with pytest.raises(Unavailable, match="lightgbm"):
        await served.predict("iris")


@in_loop
async def test_pipeline_is_loaded_again_after_a_death_of_the_kernel(served: Served) -> None:
    pipeline = served.pipeline()
    served.world.deploy(pipeline, "iris")
    await served.predict("iris")
    served.link.loaded.clear()
    assert await served.predict("iris") == pipeline.id
    assert served.link.loads == [pipeline.id, pipeline.id]


@in_loop
async def test_missing_file_names_its_pipeline(served: Served) -> None:
    pipeline = served.pipeline()
    served.world.deploy(pipeline, "iris")
    served.artifacts.delete(pipeline.storage_key)
    endpoint = await served.endpoints.get("iris")
    with pytest.raises(Unavailable, match=f"“{pipeline.name}”, version 1, is lost"):
        await served.predict("iris")
    with pytest.raises(Unavailable, match="is lost"):
        await served.endpoints.check(endpoint)


@in_loop
async def test_ready_means_loaded_and_responsive(served: Served) -> None:
    pipeline = served.pipeline()
    served.world.deploy(pipeline, "iris")
    assert not await served.endpoints.is_ready(pipeline.id)
    endpoint = await served.endpoints.get("iris")
    await served.endpoints.check(endpoint)
    assert await served.endpoints.is_ready(pipeline.id)
    assert served.endpoints.load_ms(pipeline.id) is not None
    served.link.alive = False
    assert not await served.endpoints.is_ready(pipeline.id)
    with pytest.raises(Unavailable, match="does not answer"):
        await served.endpoints.check(endpoint)


@in_loop
async def test_pipeline_that_hangs_while_loading_is_quarantined_alone(
    served: Served,
) -> None:
    hanging, fine = served.pipeline(), served.pipeline(b"another")
    served.world.deploy(hanging, "hangs")
    served.world.deploy(fine, "iris")
    served.link.fail = LinkTimeout("no answer within 60 s")
    endpoint = await served.endpoints.get("hangs")
    with pytest.raises(Unavailable, match="could not be loaded"):
        await served.endpoints.check(endpoint)
    served.link.fail = None
    with pytest.raises(Unavailable, match=r"not loaded in time.*refused for 5 min"):
        await served.predict("hangs")
    assert served.link.loads == []
    assert await served.predict("iris") == fine.id
    served.world.clock.advance(REFUSED_S)
    assert await served.predict("hangs") == hanging.id


@in_loop
async def test_deploying_again_ends_the_quarantine(served: Served) -> None:
    pipeline = served.pipeline()
    served.world.deploy(pipeline, "iris")
    served.link.fail = LinkTimeout("no answer within 60 s")
    await served.endpoints.preload("iris")
    served.link.fail = None
    with pytest.raises(Unavailable):
        await served.predict("iris")
    await served.endpoints.preload("iris")
    assert await served.predict("iris") == pipeline.id


@in_loop
async def test_check_waits_for_a_slow_loading_within_its_limit(served: Served) -> None:
    pipeline = served.pipeline()
    served.world.deploy(pipeline, "iris")
    gate = Gate()
    load = served.link.load

    async def slow(*args: Any) -> None:
        await gate()
        await load(*args)

    served.link.load = slow  # type: ignore[method-assign]
    endpoint = await served.endpoints.get("iris")
    with pytest.raises(Unavailable, match="still being loaded"):
        await served.endpoints.check(endpoint, within_s=0.01)
    waiting = asyncio.create_task(served.predict("iris"))
    await gate.reached.wait()
    gate.open.set()
    assert await waiting == pipeline.id
    assert served.link.loads == [pipeline.id], "one loading serves all who wait"


@in_loop
async def test_pipeline_that_times_out_twice_is_quarantined(served: Served) -> None:
    pipeline, fine = served.pipeline(), served.pipeline(b"another")
    served.world.deploy(pipeline, "hangs")
    served.world.deploy(fine, "iris")
    predict = served.link.predict

    async def silent(key: str, rows: list[list[Any]], *, proba: bool) -> dict[str, Any]:
        if key == pipeline.id:
            served.link.loaded.clear()  # the kernel is ended for it
            raise LinkTimeout("no answer within 20 s")
        return await predict(key, rows, proba=proba)

    served.link.predict = silent  # type: ignore[method-assign]
    with pytest.raises(RowsInvalid, match="ended the serving kernel twice"):
        await served.predict("hangs")
    assert await served.predict("iris") == fine.id
    with pytest.raises(Unavailable, match=r"did not predict in time, twice.*refused"):
        await served.predict("hangs")
