"""Profiles of data sources over HTTP: begun once, stored, and never pending for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import Unavailable
from jupyter_pycaret_ops.server.api.context import Services
from jupyter_pycaret_ops.server.data_sources.profiles import PROFILE_WITHIN_S
from jupyter_pycaret_ops.server.store import data_sources, profiles

from ...fakes.records import World
from .conftest import Api
from .test_uploads import END, KIND, NAME, part

CONTENT = {
    "rows": 2,
    "duplicates": 0,
    "dialect": None,
    "columns": [
        {
            "name": "x",
            "type": "number",
            "dtype": "number",
            "format": None,
            "values": 1,
            "missing": 1,
            "missing_words": {"n/a": 1},
            "unreadable": {"count": 0, "examples": []},
            "distinct": 1,
            "min": 1.5,
            "max": 1.5,
            "mean": 1.5,
            "std": None,
            "quantiles": {},
            "histogram": None,
            "top": [],
            "hints": [],
            "association": None,
            "recognised_as": "numbers",
            "set_by_person": False,
            "alternatives": [],
        }
    ],
    "reported": [],
    "notices": [],
    "suggestion": None,
    "memory_bytes": 16,
}


class FakeKernel:
    """Answers the profile when it is let go."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.types: list[Any] = []
        self.targets: list[Any] = []
        self.let_go = asyncio.Event()
        self.answer: dict[str, Any] | Exception = CONTENT

    async def profile(
        self, spec: Any, within_s: float, *, types: Any, target: Any, on_progress: Any, **_: Any
    ) -> dict[str, Any]:
        self.asked.append(spec)
        on_progress({"done": 30, "total": 100, "label": "9 of 9 rows"})
        self.types.append(types)
        self.targets.append(target)
        await self.let_go.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return dict(self.answer)


@pytest.fixture
def kernel(services: Services, monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    fake = FakeKernel()
    monkeypatch.setattr(services.profiles, "_inspector", fake)
    return fake


def make_upload(world: World, name: str = "flowers") -> Any:
    return world.make_source(
        name=name,
        kind="csv_upload",
        storage_key="sources/flowers",
        config={"rows": 9, "columns": [{"name": "x", "dtype": "string"}], "delimiter": ";"},
    )


async def ended(api: Api, source_id: str) -> dict[str, Any]:
    while True:
        found: dict[str, Any] = await api.get(f"/data-sources/{source_id}/profile")
        if found["status"] != "pending":
            return found
        await asyncio.sleep(0.01)


async def test_profile_is_made_once_stored_and_gives_the_columns_their_types(
    api: Api, world: World, kernel: FakeKernel
) -> None:
    source = make_upload(world)
    for _ in range(3):
        assert (await api.get(f"/data-sources/{source.id}/profile"))["status"] == "pending"
    while not kernel.asked:
        await asyncio.sleep(0.01)
    found = await api.get(f"/data-sources/{source.id}/profile")
    assert found["progress"] == {"done": 30, "total": 100, "label": "9 of 9 rows"}
    kernel.let_go.set()
    found = await ended(api, source.id)
    assert (found["status"], found["rows"], found["progress"]) == ("ready", 2, None)
    assert found["columns"][0]["missing_words"] == {"n/a": 1}
    assert len(kernel.asked) == 1
    assert kernel.asked[0].options["columns"] == ["x"]
    row = await api.get(f"/data-sources/{source.id}")
    assert row["config"]["columns"] == [{"name": "x", "dtype": "number", "type": "number"}]
    assert (row["config"]["rows"], row["config"]["types_final"]) == (2, True)


@pytest.mark.parametrize(
    "answer", [{"error": "It is no table.", "error_kind": "user"}, Unavailable("It is no table.")]
)
async def test_failed_profile_says_why_and_can_be_made_again(
    api: Api, world: World, kernel: FakeKernel, answer: Any
) -> None:
    source = make_upload(world)
    kernel.answer = answer
    kernel.let_go.set()
    found = await ended(api, source.id)
    assert (found["status"], found["error"]) == ("failed", "It is no table.")
    kernel.answer = CONTENT
    begun = await api.call("POST", f"/data-sources/{source.id}/profile", 202)
    assert begun.json["status"] == "pending"
    assert (await ended(api, source.id))["status"] == "ready"


async def test_profile_whose_server_has_ended_is_made_again(
    api: Api, world: World, services: Services, kernel: FakeKernel
) -> None:
    source = make_upload(world)
    now = services.profiles._clock.now()
    world.store.write_now(profiles.begin, source.id, 1, "", now)
    await api.get(f"/data-sources/{source.id}/profile")
    assert kernel.asked == []  # another server may make it
    long_ago = now - timedelta(seconds=2 * PROFILE_WITHIN_S + 1)
    world.store.write_now(profiles.begin, source.id, 1, "", long_ago)
    kernel.let_go.set()
    assert (await ended(api, source.id))["status"] == "ready"


async def test_source_that_is_deleted_meanwhile_leaves_no_profile(
    api: Api, world: World, services: Services, kernel: FakeKernel
) -> None:
    source = make_upload(world)
    await api.get(f"/data-sources/{source.id}/profile")
    world.store.write_now(data_sources.delete, world.ada, source.id)
    kernel.let_go.set()
    while services.profiles._running:
        await asyncio.sleep(0.01)
    assert world.store.read_now(profiles.find, source.id, 1) is None
    await api.call("GET", f"/data-sources/{source.id}/profile", 404)


async def test_viewer_reads_a_profile_and_does_not_make_it_again(
    api: Api, world: World, kernel: FakeKernel
) -> None:
    source = make_upload(world)
    kernel.let_go.set()
    key = await api.post(
        "/api-keys", {"name": "k", "workspace_id": world.workspace.id, "scopes": ["read"]}
    )
    reader = api.key(key["key"])
    found = await reader.get(f"/data-sources/{source.id}/profile")
    assert (found["status"], kernel.asked) == ("failed", [])
    assert "A member" in found["error"]
    await ended(api, source.id)
    assert (await reader.get(f"/data-sources/{source.id}/profile"))["status"] == "ready"
    await reader.call("POST", f"/data-sources/{source.id}/profile", 403)


@pytest.mark.parametrize("traits", [{"profile_uploads": True}], indirect=True)
async def test_upload_is_profiled_without_being_asked(
    api: Api, world: World, services: Services, kernel: FakeKernel
) -> None:
    body = NAME + part("file", b"x\n1\n2\n") + END
    path = f"/workspaces/{world.workspace.id}/data-sources/upload"
    row = (await api.call("POST", path, 201, raw=body, headers=KIND)).json
    kernel.let_go.set()
    while not kernel.asked or services.profiles._running:
        await asyncio.sleep(0.01)
    assert (await api.get(f"/data-sources/{row['id']}/profile"))["status"] == "ready"
